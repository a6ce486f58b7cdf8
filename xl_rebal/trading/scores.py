"""Is there a better plan? Proven by counting every way, or bounded by a small integer program.

The order is that of a good plan: classes within one step of their destination; fewest trades; securities
sold against their rank; least sum of |drift| with cash counted; lowest cost. Where the planner could look
at every combination (xl_rebal.trading.sizing), nothing is left to do. Else the same choice is put as an
integer program that may only be looser than the rules, so that what it proves unreachable is unreachable;
what it finds is taken when it keeps every rule to the cent and is better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.options import DUST
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Problem,
    Quantities,
    applied,
    class_step,
    early_shortage,
    total_cost,
    trade_value,
    worth_trading,
)
from xl_rebal.trading.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What whole shares were found for: the account when they were, and the aims of its classes.

    lowered  the aims that they were found for in the end, where cash or the turnover cap let none be
             found for those; None otherwise.
    """

    problem: Problem
    found: Aims
    lowered: Aims | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a plan comes to; lower is better, field by field."""

    outside: float
    trades: int
    against: int
    drift: float
    cost: float

    def better_than(self, other: Score, base: float) -> bool:
        """True when it comes first in the order of a good plan; money compares to a part of a cent."""
        if abs(self.outside - other.outside) > HALF_CENT:
            return self.outside < other.outside
        if self.trades != other.trades:
            return self.trades < other.trades
        if self.against != other.against:
            return self.against < other.against
        if abs(self.drift - other.drift) > 1e-9 * base:
            return self.drift < other.drift
        return self.cost < other.cost - HALF_CENT


def score(task: Task, quantities: Quantities) -> Score:
    """Measure quantities against the aims, every money to the cent of its own costs."""
    problem, found = task.problem, task.found
    cost = total_cost(problem.lines, quantities)
    after = applied(problem, quantities)
    dearer = cost - found.cost
    outside = drift = 0.0
    for k, value in enumerate(after.value):
        if k == problem.cash_index:
            drift += abs(value - (found.cash_aim - found.slope[k] * dearer))
            continue
        drift += abs(value - (found.wanted[k] - found.slope[k] * dearer))
        away = abs(value - problem.value[k] - found.delta[k])
        outside += max(0.0, away - class_step(problem, k) * (1 + DUST))
    places = places_of(problem)
    against = sum(places[symbol] for symbol, n in quantities.items() if n < 0)
    return Score(outside=outside, trades=len(quantities), against=against, drift=drift, cost=cost)


def places_of(problem: Problem) -> dict[str, int]:
    """How far a security is from the least preferred of its class that can be sold."""
    result = {}
    for k in range(len(problem.classes)):
        lines = [line for line in problem.lines_of(k) if line.can_sell]
        ranks = sorted({line.rank for line in lines}, reverse=True)
        result.update({line.symbol: ranks.index(line.rank) for line in lines})
    return result


def allowed(problem: Problem, quantities: Quantities) -> bool:
    """True when quantities keep every rule that concerns them, to the cent."""
    by_symbol = {line.symbol: line for line in problem.lines}
    moved = 0.0
    for symbol, n in quantities.items():
        line = by_symbol[symbol]
        if not line.money_fund:
            moved += trade_value(line, abs(n)) / 2
        if n < 0 and not (line.can_sell and -n <= line.quantity):
            return False
        if n > 0 and not line.can_buy:
            return False
        if not line.money_fund and not worth_trading(line, n):
            return False
    after = applied(problem, quantities)
    if after.cash < -HALF_CENT or early_shortage(problem, quantities) > HALF_CENT:
        return False
    if problem.max_turnover is not None and moved > problem.max_turnover * problem.base + HALF_CENT:
        return False
    return all(_stands_well(problem, after, k, quantities) for k in range(len(after.classes)))


def _stands_well(problem: Problem, after: Problem, k: int, quantities: Quantities) -> bool:
    """False for a class carried past its target by a step, or into a breach it was not in."""
    if k == problem.cash_index:
        return True
    moved = after.value[k] - problem.value[k]
    if not moved:
        return True
    past = after.value[k] - problem.target[k] * after.base
    steps = [
        line.step_value
        for line in problem.lines_of(k)
        if quantities.get(line.symbol, 0.0) * moved > 0
    ]
    if steps and (past if moved > 0 else -past) >= max(steps) * (1 - 1e-6):
        return False
    return not after.breach[k] or after.breach[k] == problem.breach[k]


def widened(task: Task, quantities: Quantities) -> Task:
    """The task with each class's aim moved to where a plan ended, where that is beyond a step of it.

    For plans that were made in several looks, or that whole shares and cash kept from their aims. Where
    all aims had to be lowered, those of the other classes are the lowered ones: nothing more is sold
    for what is not bought.
    """
    problem, after = task.problem, applied(task.problem, quantities)
    moved = [now - before for now, before in zip(after.value, problem.value, strict=True)]

    def ended(aims: Aims) -> list[float]:
        return [
            moved[k]
            if k != problem.cash_index and abs(moved[k] - aim) >= class_step(problem, k)
            else aim
            for k, aim in enumerate(aims.delta)
        ]

    delta = ended(task.found)
    if delta == task.found.delta:
        return task
    if task.lowered is not None:
        delta = ended(task.lowered)
    return replace(task, found=replace(task.found, delta=delta))


def gap_of(first: Score, *, trades: float, drift: float, problem: Problem) -> Proof:
    """The proof that bounds of trades and of drift (money) amount to for a plan's score."""
    if trades < first.trades - 0.5:
        return Proof(optimal=False, stage="trades", gap=first.trades - trades)
    cents = CENT * (first.trades + 1) + 2e-9 * problem.base
    left = first.drift - drift
    if left > cents:
        share = left / problem.base if problem.base > 0 else math.inf
        return Proof(optimal=False, stage="drift", gap=share)
    return Proof(optimal=True, detail="to a cent a trade")


def quick_gap(task: Task, quantities: Quantities) -> Proof:
    """How much better another plan could be at most, by bounds that need no search.

    Each class that stands a step or more from its aim takes a trade; no sum of distances is below 0.
    """
    problem, found = task.problem, task.found
    first = score(task, quantities)
    if first.outside >= HALF_CENT:
        what = "the account is too large to search, and a class ends farther than a step away"
        return Proof(optimal=False, stage="destination", detail=what)
    least = sum(
        abs(delta) > class_step(problem, k) * (1 + DUST) + HALF_CENT
        for k, delta in enumerate(found.delta)
        if k != problem.cash_index
    )
    return gap_of(first, trades=least, drift=0.0, problem=problem)
