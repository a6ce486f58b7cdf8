"""Aims and whole shares brought together: trades whose cost is what it was expected to be.

Weights are measured on the total after costs, so what trades cost decides where they go; and where whole
shares cannot keep cash and turnover in bounds, the aims are lowered until they can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xl_rebal.errors import PlanError
from xl_rebal.trading.destinations import Aims, Mode, aims, scaled
from xl_rebal.trading.offers import Choices, choices
from xl_rebal.trading.options import Option
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Line,
    Problem,
    Quantities,
    cents,
    class_step,
    preferred_buys,
    total_cost,
    trade_cost,
    worth_trading,
)
from xl_rebal.trading.scores import Task
from xl_rebal.trading.sizing import Excess, Sized, below_minimum, size

_COST_ROUNDS = 9  # trades and their cost depend on each other; they settle within two or three
_ATTEMPTS = 24
_MOST_SLACK = 3
_SMALL = 1e-3  # of the weight base: costs that can be guessed to begin with


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Whole shares for some aims, and the task that they were found for.

    offered, sized  what they were chosen from, and how; None where the aims had to be lowered.
    """

    found: Aims
    quantities: Quantities
    task: Task
    proven: bool
    offered: Choices | None = None
    sized: Sized | None = None


def fit(
    problem: Problem, mode: Mode, replaced: Sequence[float], *, top_up: bool, every: bool
) -> Fitted:
    """One round of aims and rounding, with the cost of its own trades."""
    cost = _expected(problem, mode, replaced, top_up=top_up)
    asked = problem
    tried: list[tuple[float, Quantities]] = []
    fitted: Fitted | None = None
    for _ in range(_COST_ROUNDS):
        fitted = _at_cost(problem, mode, cost, replaced, fitted, top_up=top_up, every=every)
        actual = total_cost(problem.lines, fitted.quantities)
        if abs(actual - cost) < HALF_CENT:
            return fitted if problem is asked else _with_all_lines(fitted, asked)
        if any(abs(actual - before) < HALF_CENT for before, _ in tried[:-1]):
            problem = _with_the_cheaper(problem, tried[-1], (actual, fitted.quantities))
        tried.append((actual, fitted.quantities))
        cost = actual
    assert fitted is not None
    return _with_all_lines(fitted, asked)


def _expected(problem: Problem, mode: Mode, replaced: Sequence[float], *, top_up: bool) -> float:
    """About what the trades will cost, to begin with; 0 where that is more than a simple sum.

    One trade for each class, of what it is to move. Only where costs are small shares of what is
    traded, and no order can be too small: elsewhere it matters where one begins.
    """
    if mode is not Mode.REBALANCE or problem.cash < 0 or problem.max_turnover is not None:
        return 0.0
    if problem.early or not all(map(_simple, problem.lines)):
        return 0.0
    found = aims(problem, mode, 0.0, replaced, top_up=top_up)
    cost = 0.0
    for k, delta in enumerate(found.delta):
        able = [ln for ln in problem.lines_of(k) if (ln.can_buy if delta > 0 else ln.can_sell)]
        if able and abs(delta) >= class_step(problem, k) and k != problem.cash_index:
            line = max(able, key=lambda ln: ln.value)
            cost += math.fsum(line.cost(abs(delta) / line.unit_value))
    return cents(cost) if cost < _SMALL * problem.base else 0.0


def _simple(line: Line) -> bool:
    costs = line.costs
    fixed = costs.commission or costs.min_commission or costs.per_share
    return not (fixed or line.fee or line.minimum or line.buy_minimum)


def _with_all_lines(fitted: Fitted, asked: Problem) -> Fitted:
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


def _at_cost(
    problem: Problem,
    mode: Mode,
    cost: float,
    replaced: Sequence[float],
    before: Fitted | None,
    *,
    top_up: bool,
    every: bool,
) -> Fitted:
    """Aims and quantities that keep cash and turnover in bounds.

    before  the same at another cost: where it chose from the same ways, its choice still stands.
    """
    found, problem, offered = _possible(problem, mode, cost, replaced, top_up=top_up)
    task = Task(problem=problem, found=found)
    every = every and any(
        sum(line.can_buy or line.can_sell for line in problem.lines_of(k)) > 1 for k in offered
    )
    if every:  # one security has no other ways
        offered = choices(problem, found, every=True)
    for attempt in range(_ATTEMPTS):
        known = _chosen_before(before, task, offered) if attempt == 0 else None
        sized = known or size(problem, found, offered)
        if not isinstance(sized, Excess):
            first = attempt == 0
            return Fitted(
                found=found,
                quantities=sized.quantities,
                task=task if first else replace(task, lowered=found),
                proven=sized.proven and first,
                offered=offered if first else None,
                sized=sized if first else None,
            )
        # Rounding alone cannot keep cash (or turnover) in bounds: large steps, fixed commissions
        # or a cap. Aim lower by what is missing and look again.
        slack = min(attempt + 1, _MOST_SLACK)
        lower = _lowered(problem, found, sized, attempt)
        less = choices(problem, lower, slack=slack, every=every)
        stopped = _stopped(problem, offered, less, lower)
        if sized.cash > 0 and not problem.early and any(lower.delta[k] > 0 for k in stopped):
            # What was to pay for an order that is too small now is not sold either.
            k = min((k for k in stopped if lower.delta[k] > 0), key=lambda k: lower.delta[k])
            problem = _without(problem, k, buys=True)
            found, problem, offered = _possible(problem, mode, cost, replaced, top_up=top_up)
            continue
        if sized.cash <= 0 and any(lower.delta[k] < 0 for k in stopped):
            # A sale that cannot be smaller stays as large as it was; others are cut further.
            for k in stopped:
                lower.delta[k] = min(lower.delta[k], found.delta[k])
            less = choices(problem, lower, slack=slack, every=every)
        found, offered = lower, less
    return Fitted(found=found, quantities=_nothing_fits(problem, found), task=task, proven=False)


def _stopped(problem: Problem, before: Choices, after: Choices, lower: Aims) -> list[int]:
    """Classes that could trade before their aims were lowered, and have orders too small for it now."""
    small = below_minimum(problem, lower, after)
    return [k for k in small if k in before and any(o.trades for o in before[k].options)]


def _chosen_before(before: Fitted | None, task: Task, offered: Choices) -> Sized | None:
    """What was chosen from the same ways at another cost; None where there were others."""
    if before is None or before.offered is None or before.sized is None or not before.sized.short:
        return None
    first, second = before.task, task
    if first.problem is not second.problem:
        return None
    same = _as_before(task.problem, first.found, second.found, before.offered, offered)
    return before.sized if same else None


def _as_before(
    problem: Problem, before: Aims, found: Aims, first: Choices, second: Choices
) -> bool:
    """True where the best of the second choices is that of the first, though trades are expected to cost
    something else: the ways are the same, and what is wanted follows the cost as it was said to.
    """
    if first.keys() != second.keys() or before.slope != found.slope:
        return False
    dearer, dust = found.cost - before.cost, 1e-12 * problem.base
    for k, slope in enumerate(found.slope):
        cash = k == problem.cash_index
        told = before.cash_aim if cash else before.wanted[k]
        now = found.cash_aim if cash else found.wanted[k]
        if abs(told - slope * dearer - now) > dust:
            return False
    return all(_same_ways(first[k].options, second[k].options) for k in first)


def _same_ways(first: Sequence[Option], second: Sequence[Option]) -> bool:
    return len(first) == len(second) and all(
        a.trades == b.trades for a, b in zip(first, second, strict=True)
    )


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
        found = _within_the_cap(
            problem, aims(problem, mode, cost + enough, replaced, top_up=top_up)
        )
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
    raise short(problem)


def short(problem: Problem) -> PlanError:
    """Nothing raises the cash that is short."""
    return PlanError.of(
        where=f"account {problem.account}",
        what=f"cash is short by {-problem.cash:,.2f} (withdrawal, reserve or overdraft) and no "
        "whole-share trades raise it within the limits",
        remedy="lower the withdrawal or the reserve, or relax the turnover cap, minimum trade or "
        "restrictions",
    )


def _within_the_cap(problem: Problem, found: Aims) -> Aims:
    """The aims, all cut by the same share where they would take more than the turnover cap."""
    if problem.max_turnover is None:
        return found
    planned = math.fsum(abs(d) for d in found.delta) / 2
    allowed = problem.max_turnover * problem.base
    if planned <= allowed:
        return found
    stopped = [k for k, delta in enumerate(found.delta) if abs(delta) > HALF_CENT]
    found = scaled(found, allowed / planned)
    found.notes.update(dict.fromkeys(stopped, "the turnover cap stops it short"))
    return found
