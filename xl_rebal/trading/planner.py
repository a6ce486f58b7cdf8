"""The trades of one account: aims, whole shares and cost brought together until they agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xl_rebal.errors import PlanError
from xl_rebal.portfolio.policies import Goal
from xl_rebal.trading.destinations import Aims, Mode, aims, scaled
from xl_rebal.trading.integer_program import improve
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
    preferred_buys,
    total_cost,
    trade_cost,
    trade_value,
    worth_trading,
)
from xl_rebal.trading.proof import NOTHING_ASKED, OPTIMAL, Proof
from xl_rebal.trading.scores import Task, quick_gap, score, widened
from xl_rebal.trading.sizing import Choices, Excess, Sized, below_minimum, choices, merge, size

_COST_ROUNDS = 9  # trades and their cost depend on each other; they settle within two or three
_TOP_UPS = 30
_ATTEMPTS = 24
_FEWER_STEPS = 20
_MOST_SLACK = 3
SEARCHED = 12  # securities that may trade: where the search ends soon enough for whole books


@dataclass(slots=True)
class Draft:
    """Quantities by symbol, and why classes do not get where they should.

    task    what whole shares were found for, to be proven; None when nothing was.
    forced  what must not be held and is sold first.
    looks   how often money that was left was put to use; proven only after one.
    proven  True when every other way was looked at.
    """

    quantities: Quantities
    notes: dict[int, str]
    dropped: tuple[str, ...] = ()
    task: Task | None = None
    forced: Quantities = field(default_factory=dict)
    looks: int = 0
    proven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """Whole shares for some aims, and the task that they were found for."""

    found: Aims
    quantities: Quantities
    task: Task
    proven: bool


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
        fitted = _step(state, mode, none if round_ else replaced, top_up=round_ > 0, every=every)
        if round_ == 0:
            result.notes.update(fitted.found.notes)
            result.task, result.proven, result.looks = fitted.task, fitted.proven, 1
        elif not fitted.quantities:
            # The largest shortfalls have no use for what is left; planning anew, which shares it out
            # in proportion, might still find one.
            fitted = _step(state, mode, none, top_up=False, every=every)
        quantities = fitted.quantities
        if not quantities:
            break
        merged = _affordable(problem, result.quantities, quantities)
        if merged is None:
            if not result.quantities and problem.cash < -HALF_CENT:
                raise _short(problem)
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


def _step(
    problem: Problem, mode: Mode, replaced: Sequence[float], *, top_up: bool, every: bool
) -> _Fitted:
    """One round of aims and rounding, with the cost of its own trades."""
    cost = 0.0
    asked = problem
    tried: list[tuple[float, Quantities]] = []
    for _ in range(_COST_ROUNDS):
        fitted = _fit(problem, mode, cost, replaced, top_up=top_up, every=every)
        actual = total_cost(problem.lines, fitted.quantities)
        if abs(actual - cost) < HALF_CENT:
            return fitted if problem is asked else _with_all_lines(fitted, asked)
        if any(abs(actual - before) < HALF_CENT for before, _ in tried[:-1]):
            problem = _with_the_cheaper(problem, tried[-1], (actual, fitted.quantities))
        tried.append((actual, fitted.quantities))
        cost = actual
    return _with_all_lines(fitted, asked)


def _with_all_lines(fitted: _Fitted, asked: Problem) -> _Fitted:
    """The fitted plan, to be proven against all securities: some were left out on the way to it."""
    by_symbol = {line.symbol: line for line in asked.lines}
    lines = tuple(
        line if line.blocked else by_symbol[line.symbol] for line in fitted.task.problem.lines
    )
    task = replace(fitted.task, problem=replace(fitted.task.problem, lines=lines))
    return replace(fitted, task=task, proven=False)


def _with_the_cheaper(
    problem: Problem, one: tuple[float, Quantities], other: tuple[float, Quantities]
) -> Problem:
    """The problem without what only the dearer of two plans trades.

    Where a fee hangs on the security that is chosen, each of two choices may look better at the cost
    of the other, and their costs never settle.
    """
    cheap, dear = sorted((one, other), key=lambda tried: tried[0])
    only = set(dear[1]) - set(cheap[1])
    lines = tuple(
        replace(line, can_buy=False, can_sell=False) if line.symbol in only else line
        for line in problem.lines
    )
    return replace(problem, lines=lines)


def _fit(
    problem: Problem,
    mode: Mode,
    cost: float,
    replaced: Sequence[float],
    *,
    top_up: bool,
    every: bool,
) -> _Fitted:
    """Aims and quantities that keep cash and turnover in bounds."""
    found, problem, offered = _possible(problem, mode, cost, replaced, top_up=top_up)
    capped = _capped(problem, found)
    if capped < 1.0:
        stopped = [k for k, delta in enumerate(found.delta) if abs(delta) > HALF_CENT]
        found = scaled(found, capped)
        offered = choices(problem, found)
        found.notes.update(dict.fromkeys(stopped, "the turnover cap stops it short"))
    task = Task(problem=problem, found=found)
    if every:
        offered = choices(problem, found, every=True)
    for attempt in range(_ATTEMPTS):
        sized = size(problem, found, offered)
        if not isinstance(sized, Excess):
            return _Fitted(
                found=found,
                quantities=sized.quantities,
                task=task,
                proven=sized.proven and attempt == 0,
            )
        # Rounding alone cannot keep cash (or turnover) in bounds: large steps, fixed commissions
        # or a cap. Aim lower by what is missing and look again.
        found = _lowered(problem, found, sized, attempt)
        offered = choices(problem, found, slack=min(attempt + 1, _MOST_SLACK), every=every)
    return _Fitted(found=found, quantities=_nothing_fits(problem, found), task=task, proven=False)


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
    small = sum(line.can_buy or line.can_sell for line in problem.lines) <= search
    if search and small and drafted.looks == 1:
        drafted = _better(problem, drafted, draft(problem, mode, every=True))
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


def _possible(
    problem: Problem, mode: Mode, cost: float, replaced: Sequence[float], *, top_up: bool
) -> tuple[Aims, Problem, Choices]:
    """Aims in which no class counts on a trade that would be below its minimum size.

    Leaving such a trade out changes what funds the others, so the aims are made again without it,
    the smallest first. Where cash must be raised, a sale that would be too small is made as small as it
    may be instead.
    """
    enough = 0.0
    for _ in range(2 * len(problem.classes) + 1):
        found = aims(problem, mode, cost + enough, replaced, top_up=top_up)
        offered = choices(problem, found)
        small = below_minimum(problem, found, offered)
        if not small:
            break
        k = min(small, key=lambda k: abs(found.delta[k]))
        least = _least_sale(problem, k)
        nothing_else = all(abs(d) < HALF_CENT or k in small for k, d in enumerate(found.delta))
        raised = problem.cash < -HALF_CENT and found.delta[k] < 0 and nothing_else
        if raised and not enough and least is not None:
            enough = max(0.0, least + found.delta[k])
            continue
        problem = _without(problem, k, buys=found.delta[k] > 0)
    return found, problem, offered


def _least_sale(problem: Problem, k: int) -> float | None:
    """The smallest sale in money that a class may make; None when it may make none."""
    able = [ln for ln in problem.lines_of(k) if ln.can_sell and worth_trading(ln, -ln.quantity)]
    return min(
        (max(ln.minimum, 2 * trade_cost(ln, -ln.step)) + ln.step_value for ln in able),
        default=None,
    )


def _without(problem: Problem, k: int, *, buys: bool) -> Problem:
    needed = {ln.buy_minimum for ln in problem.lines_of(k) if ln.can_buy and ln.buy_minimum}
    words = "an order below its minimum, or that costs more than it moves"
    if buys and needed:
        words = f"the fund's minimum purchase is {min(needed):,.2f}"
    lines = tuple(
        line
        if line.klass != k
        else replace(line, can_buy=False, blocked=line.blocked or words)
        if buys
        else replace(line, can_sell=False, blocked=line.blocked or words)
        for line in problem.lines
    )
    return replace(problem, lines=lines)


def _lowered(problem: Problem, found: Aims, excess: Excess, attempt: int) -> Aims:
    if excess.cash <= 0 and problem.max_turnover is not None:
        allowed = problem.max_turnover * problem.base
        return scaled(found, min(0.95, allowed / max(excess.turnover, CENT)))
    cut = {k for k, d in enumerate(found.delta) if d > 0}
    early = _too_early(problem, found, excess)
    if early:
        cut = early
        for k in cut:
            found.notes[k] = "the cash that would pay for it settles later than a purchase"
    buys = math.fsum(found.delta[k] for k in cut)
    less = excess.cash * (1 + attempt) if early else excess.cash
    keep = max(0.0, buys - less - CENT) / buys if buys > 0 else 0.0
    delta = [d * keep if k in cut else d for k, d in enumerate(found.delta)]
    sells = -math.fsum(d for d in delta if d < 0)
    if problem.cash < -HALF_CENT and not early and buys < excess.cash and sells > 0:
        # A sale that must raise cash pays its own cost as well.
        more = 1 + (excess.cash - buys + CENT) / sells
        delta = [d * more if d < 0 else d for d in delta]
    return replace(found, delta=delta, strict=set())


def _too_early(problem: Problem, found: Aims, excess: Excess) -> set[int]:
    """Classes that buy what settles on a day by which the money for it is not there yet."""
    funds = math.fsum(ln.value for ln in problem.lines_of(problem.cash_index) if ln.can_sell)
    if not problem.early or problem.cash + funds - math.fsum(found.delta) < -excess.cash / 2:
        return set()
    last = max(due.settles for due in problem.early)
    buys = {k: preferred_buys(problem.lines_of(k)) for k, d in enumerate(found.delta) if d > 0}
    return {k for k, lines in buys.items() if lines and lines[0].settles <= last}


def _nothing_fits(problem: Problem, found: Aims) -> Quantities:
    if problem.cash >= -HALF_CENT:
        for k in range(len(problem.classes)):
            found.notes.setdefault(
                k, "no whole-share trades keep cash and turnover within their bounds"
            )
        return {}
    raise _short(problem)


def _short(problem: Problem) -> PlanError:
    return PlanError.of(
        where=f"account {problem.account}",
        what=f"cash is short by {-problem.cash:,.2f} (withdrawal, reserve or overdraft) and no "
        "whole-share trades raise it within the limits",
        remedy="lower the withdrawal or the reserve, or relax the turnover cap, minimum trade or "
        "restrictions",
    )


def _capped(problem: Problem, found: Aims) -> float:
    if problem.max_turnover is None:
        return 1.0
    planned = math.fsum(abs(d) for d in found.delta) / 2
    allowed = problem.max_turnover * problem.base
    return min(1.0, allowed / planned) if planned > 0 else 1.0


def _paid_for(problem: Problem, quantities: Quantities) -> bool:
    by_symbol = {line.symbol: line for line in problem.lines}
    effects = math.fsum(cash_effect(by_symbol[s], q) for s, q in quantities.items())
    if problem.cash + effects < -HALF_CENT:
        return False
    return early_shortage(problem, quantities) <= HALF_CENT
