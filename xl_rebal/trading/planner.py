"""The trades of one account: aims, whole shares and cost brought together until they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from xl_rebal.portfolio.policies import Goal
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.fitting import fit, short
from xl_rebal.trading.integer_program import improve
from xl_rebal.trading.offers import choices
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Line,
    Problem,
    Quantities,
    applied,
    cash_effect,
    class_step,
    early_shortage,
    trade_value,
    worth_trading,
)
from xl_rebal.trading.proof import NOTHING_ASKED, OPTIMAL, Proof
from xl_rebal.trading.scores import Task, places_of, quick_gap, score, widened
from xl_rebal.trading.sizing import Sized, merge, size

_TOP_UPS = 30
_FEWER_STEPS = 20
SEARCHED = 12  # securities that may trade: where the search ends soon enough for whole books


@dataclass(slots=True)
class Draft:
    """Quantities by symbol, and why classes do not get where they should.

    task    what whole shares were found for, to be proven; None when nothing was.
    forced  what must not be held and is sold first.
    looks   how often money that was left was put to use; proven only after one.
    proven  True when every other way was looked at.
    every   the draft from every way, where it was made before this one from the usual ways.
    """

    quantities: Quantities
    notes: dict[int, str]
    dropped: tuple[str, ...] = ()
    task: Task | None = None
    forced: Quantities = field(default_factory=dict)
    looks: int = 0
    proven: bool = False
    every: Draft | None = None


def draft(problem: Problem, mode: Mode, *, every: bool = False) -> Draft:
    """The trades of an account for what is asked.

    What may not be held is sold first. Whatever money is left after rounding is put to use until
    nothing more can be done, so that planning again after the trades changes nothing.

    every  True looks at every way that classes of several securities can trade, not the usual ones.
    """
    if mode in (Mode.INVEST, Mode.RAISE):
        forced: Quantities = {}
        kept = tuple(
            f"{line.symbol} must not be held; this plan only moves cash and leaves it"
            for line in problem.lines
            if line.must_sell
        )
        problem = _keeping(problem, sells=mode is Mode.RAISE or problem.cash < -HALF_CENT)
    else:
        forced, kept = _forced(problem)
    replaced = [0.0] * len(problem.classes)
    for line in problem.lines:
        if line.symbol in forced:
            replaced[line.klass] += line.value
    state = _after_forced(problem, forced) if forced else problem
    result = Draft(dict(forced), {}, kept, forced=forced)
    none = [0.0] * len(replaced)
    for round_ in range(_TOP_UPS):
        fitted = fit(state, mode, none if round_ else replaced, top_up=round_ > 0, every=every)
        if round_ == 0:
            result.notes.update(fitted.found.notes)
            result.task, result.proven, result.looks = fitted.task, fitted.proven, 1
        elif not fitted.quantities:
            # The largest shortfalls have no use for what is left; planning anew, which shares it out
            # in proportion, might still find one.
            fitted = fit(state, mode, none, top_up=False, every=every)
        quantities = fitted.quantities
        if not quantities:
            break
        merged = _affordable(problem, result.quantities, quantities)
        if merged is None:
            if not result.quantities and problem.cash < -HALF_CENT:
                raise short(problem)
            break
        result.quantities = merged
        result.looks = round_ + 1
        if not _may_top_up(problem, mode):
            break
        state = applied(problem, merged)
        if mode is Mode.REBALANCE and _at_target(state):
            break
    return result


def draft_after_flow(problem: Problem, first: Draft) -> Draft:
    """The rebalancing that is still due once a flow was placed, both as one net trade per security.

    For policies that trade some classes only: their own plan would leave the rest of the flow idle.
    """
    second = draft(applied(problem, first.quantities), Mode.REBALANCE)
    merged = _affordable(problem, first.quantities, second.quantities)
    return Draft(merged or first.quantities, {**first.notes, **second.notes}, second.dropped)


def _keeping(problem: Problem, *, sells: bool) -> Problem:
    """The problem with nothing that must go; without `sells`, new money buys and no fund is sold for it."""
    lines = tuple(
        replace(line, must_sell=False, can_sell=line.can_sell and sells)
        if line.must_sell or (line.can_sell and not sells)
        else line
        for line in problem.lines
    )
    return replace(problem, lines=lines)


def _affordable(problem: Problem, first: Quantities, more: Quantities) -> Quantities | None:
    """Both together as one net trade per security, or None when that overdraws.

    Two orders and their sum round to different cents; a few steps fewer then make room.
    """
    by_symbol = {line.symbol: line for line in problem.lines}
    more = dict(more)
    for _ in range(_FEWER_STEPS if first or problem.early else 1):
        merged = merge(first, more)
        merged = {s: _in_steps(by_symbol[s], q) for s, q in merged.items()}
        if merged == first:
            return None
        if not all(worth_trading(by_symbol[s], q) for s, q in merged.items() if first.get(s) != q):
            return None
        if (not first and not problem.early) or _paid_for(problem, merged):
            return merged
        buys = [s for s, q in more.items() if q > 0]
        if not buys:
            return None
        least = min(buys, key=lambda s: (by_symbol[s].step_value, s))
        more[least] = float(f"{more[least] - by_symbol[least].step:.12g}")
    return None


def _in_steps(line: Line, signed: float) -> float:
    """A sale in whole steps, or of everything: buying back a part of a full sale leaves fractions."""
    if signed >= 0 or -signed >= line.quantity:
        return signed
    steps = math.ceil(-signed / line.step - 1e-9)
    return -min(line.quantity, float(f"{steps * line.step:.12g}"))


def _forced(problem: Problem) -> tuple[Quantities, tuple[str, ...]]:
    """What must not be held, sold in full as far as minimum and turnover cap allow; and what stays."""
    allowed = math.inf if problem.max_turnover is None else problem.max_turnover * problem.base * 2
    forced: Quantities = {}
    kept = []
    for line in sorted(
        (ln for ln in problem.lines if ln.must_sell), key=lambda ln: (ln.value, ln.symbol)
    ):
        value = trade_value(line, line.quantity)
        if value < max(line.minimum, CENT):
            kept.append(
                f"{line.symbol} must not be held, but {value:,.2f} is below the minimum trade"
            )
        elif value > allowed:
            kept.append(f"{line.symbol} must not be held, but the turnover cap keeps it")
        else:
            forced[line.symbol] = -line.quantity
            allowed -= value
    return forced, tuple(kept)


def _after_forced(problem: Problem, forced: Quantities) -> Problem:
    state = applied(problem, forced)
    if problem.max_turnover is None:
        return state
    by_symbol = {line.symbol: line for line in problem.lines}
    moved = math.fsum(trade_value(by_symbol[s], abs(q)) for s, q in forced.items()) / 2
    left = max(0.0, problem.max_turnover * problem.base - moved)
    return replace(state, max_turnover=left / state.base if state.base > 0 else 0.0)


def _at_target(problem: Problem) -> bool:
    """True when every class is within one step of its target, so that another look finds nothing."""
    base = problem.base
    for k, value in enumerate(problem.value):
        if k == problem.cash_index:
            continue
        gap = abs(value - problem.target[k] * base)
        if gap >= class_step(problem, k) or (problem.target[k] == 0.0 and gap >= CENT):
            return False
    return problem.cash >= 0


def _may_top_up(problem: Problem, mode: Mode) -> bool:
    """True where a second look after the trades must find nothing to do (`to target`)."""
    return (
        mode is not Mode.REPLACE
        and problem.policy.destination.goal is Goal.TARGET
        and problem.max_turnover is None
    )


def first_draft(problem: Problem, mode: Mode, *, search: int) -> Draft:
    """The draft to be proven: in accounts that are searched at all the one from every way, if nothing is
    left to prove of it; else that from the usual ways.
    """
    if not _is_small(problem, search):
        return draft(problem, mode)
    every = draft(problem, mode, every=True)
    # A sale of the lower preference may cost so much that it is in bounds only where that is counted on,
    # as the usual ways do.
    places = places_of(problem)
    by_rank = not any(places.get(symbol, 0) for symbol, n in every.quantities.items() if n < 0)
    if every.proven and every.looks == 1 and by_rank:
        return every
    return replace(draft(problem, mode), every=every)


def _is_small(problem: Problem, search: int) -> bool:
    return sum(line.can_buy or line.can_sell for line in problem.lines) <= search


def proven(problem: Problem, mode: Mode, drafted: Draft, *, search: int) -> tuple[Draft, Proof]:
    """The draft, or a better one, and how good it is known to be.

    search  in accounts of up to so many securities that may trade every other way is looked at; larger
            ones get a bound that costs nothing. 0 keeps the draft, without a bound.
    """
    if drafted.task is None:
        if not drafted.quantities:
            return drafted, NOTHING_ASKED
        what = "planned in two looks, the flow and then the rebalancing"
        return drafted, Proof(optimal=False, stage="destination", detail=what)
    if drafted.proven and drafted.looks == 1:
        return drafted, OPTIMAL
    small = _is_small(problem, search)
    if search and small and drafted.looks == 1:
        every = drafted.every or draft(problem, mode, every=True)
        drafted = _better(problem, drafted, every)
        if drafted.proven and drafted.looks == 1:
            return drafted, OPTIMAL
    if not search or drafted.task is None:
        what = "not every plan was looked at, and no proof was asked for"
        return drafted, Proof(optimal=False, stage="destination", detail=what)
    if drafted.task.found.strict:
        what = "a class that goes to the edge of its band was cut to what the others pay or take up"
        return drafted, Proof(optimal=False, stage="destination", detail=what)
    rest = {s: q for s, q in drafted.quantities.items() if s not in drafted.forced}
    task = drafted.task if drafted.looks == 1 else widened(drafted.task, rest)
    if not small:
        return drafted, quick_gap(task, rest)
    better, proof = improve(task, rest)
    if better == rest:
        return drafted, proof
    improved = replace(drafted, quantities={**better, **drafted.forced})
    if _may_top_up(problem, mode) and draft(applied(problem, improved.quantities), mode).quantities:
        what = "another plan has less drift or fewer trades, and a second look would trade again"
        return drafted, Proof(optimal=False, stage="destination", detail=what)
    return improved, proof


def _better(problem: Problem, usual: Draft, every: Draft) -> Draft:
    """The better of two drafts, each measured at its own costs: those may settle in more than one way."""
    if usual.task is None or every.task is None or every.looks != 1:
        return usual
    ours = {s: q for s, q in usual.quantities.items() if s not in usual.forced}
    theirs = {s: q for s, q in every.quantities.items() if s not in every.forced}
    first, second = score(usual.task, ours), score(every.task, theirs)
    if ours == theirs or not first.better_than(second, problem.base):
        return every
    task = usual.task
    sized = size(task.problem, task.found, choices(task.problem, task.found, every=True))
    same = isinstance(sized, Sized) and sized.quantities == ours
    return replace(usual, proven=same and isinstance(sized, Sized) and sized.proven)


def _paid_for(problem: Problem, quantities: Quantities) -> bool:
    by_symbol = {line.symbol: line for line in problem.lines}
    effects = math.fsum(cash_effect(by_symbol[s], q) for s, q in quantities.items())
    if problem.cash + effects < -HALF_CENT:
        return False
    return early_shortage(problem, quantities) <= HALF_CENT
