"""The choice of whole shares as an integer program, for accounts with too many ways to count.

It is never tighter than the rules: whole cents are given room, and what costs are more than a straight
line (redemption fees, impact, bounds of commissions) is anything that it can be, because drift is measured
on the total after costs. So its bounds hold for every plan, and its plans are checked afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xl_rebal.optimiser.ordered import Objective, Program, Vector, minimise_in_order
from xl_rebal.trading.options import DUST, exact
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Line,
    Quantities,
    buyable,
    class_step,
    worth_trading,
)
from xl_rebal.trading.proof import Proof
from xl_rebal.trading.scores import Task, allowed, gap_of, places_of, score, widened

_NOTHING_NEARER = Proof(
    optimal=False,
    stage="destination",
    detail="no whole-share plan ends within a step of its destinations",
)
_LARGEST = 5_000_000  # steps of one trade; beyond, a step is so small that it counts as continuous


@dataclass(slots=True)
class _Variables:
    """The variables of one security; None where it has none."""

    line: Line
    bought: int | None = None
    buys: int | None = None
    sold: int | None = None
    sells: int | None = None
    goes: int | None = None  # sold in full, fractions and all
    extra: int | None = None  # money that it costs beyond a straight line

    @property
    def trades(self) -> list[int]:
        """Those that are 1 when the security is traded."""
        return [each for each in (self.buys, self.sells, self.goes) if each is not None]

    def units(self) -> dict[int, float]:
        """Signed units by variable."""
        result = {}
        if self.bought is not None:
            result[self.bought] = self.line.step
        if self.sold is not None:
            result[self.sold] = -self.line.step
        if self.goes is not None:
            result[self.goes] = -self.line.quantity
        return result


@dataclass(slots=True)
class _Sums:
    """Linear sums over all securities, by variable."""

    cash: dict[int, float]
    cost: dict[int, float]
    trades: dict[int, float]
    turnover: dict[int, float]


def improve(task: Task, quantities: Quantities) -> tuple[Quantities, Proof]:
    """The better of a plan and what the program finds, and how good it is known to be.

    Where a plan ends farther than a step from its aims, others that do not are looked for first.
    """
    nearest = widened(task, quantities)
    if nearest is task:
        return _improved(task, quantities)
    better, proof = _improved(task, quantities)
    if score(task, better).outside < HALF_CENT:
        return better, proof
    nothing_nearer = proof == _NOTHING_NEARER
    better, proof = _improved(nearest, quantities)
    if proof.optimal and nothing_nearer:
        proof = replace(proof, detail=f"{proof.detail}, as near its destinations as it ends")
    elif proof.optimal:
        what = "another plan might end within a step of its destinations"
        proof = Proof(optimal=False, stage="destination", detail=what)
    return better, proof


def _improved(task: Task, quantities: Quantities) -> tuple[Quantities, Proof]:
    problem = task.problem
    best, best_score = quantities, score(task, quantities)
    bounds: tuple[float, float] | None = None
    nothing = False
    for room in (1.0, -1.0):  # looser than whole cents, for the bounds; then tighter, for a plan
        made = _program(task, quantities, room)
        solution = minimise_in_order(
            made.program, made.objectives, start=_values(made.securities, quantities)
        )
        if solution is None or not solution.stages:
            nothing = solution is None and room > 0
            break
        if bounds is None:
            reached = len(solution.stages) > made.drift
            drift = solution.stages[made.drift].bound if reached else 0.0
            bounds = (solution.stages[0].bound, drift)
        fits = False
        for stage in solution.stages[made.drift :]:
            found = _quantities(made.securities, stage.x)
            if allowed(problem, found):
                fits = True
                if score(task, found).better_than(best_score, problem.base):
                    best, best_score = found, score(task, found)
        if fits:
            break
    if nothing:
        return best, _NOTHING_NEARER
    if bounds is None:
        what = "no whole-share plan was found within a step of its destinations"
        return best, Proof(optimal=False, stage="destination", detail=what)
    return best, gap_of(best_score, trades=bounds[0], drift=bounds[1], problem=problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A program with its objectives; `drift` is the place of the sum of distances among them."""

    program: Program
    securities: list[_Variables]
    objectives: tuple[Objective, ...]
    drift: int


def _program(task: Task, ended: Quantities, room: float) -> _Made:
    """The program; it admits the plan `ended`. Money in whole cents gets `room` cents a trade."""
    problem, found = task.problem, task.found
    program = Program()
    securities: list[_Variables] = []
    for k in range(len(problem.classes)):
        cash = k == problem.cash_index
        if not cash and not found.delta[k]:
            continue  # it is to stay as it is
        wanted = {symbol for symbol, n in ended.items() if n > 0}
        wanted |= set() if cash else {ln.symbol for ln in buyable(problem.lines_of(k))}
        # No more is bought than the aim and what the others of the class can provide.
        able = math.fsum(line.value for line in problem.lines_of(k) if line.can_sell)
        reach = max(0.0, found.delta[k]) + class_step(problem, k) + able
        for line in problem.lines_of(k):
            if line.unit_value <= 0:
                continue
            each = _security(
                program,
                line,
                may_buy=line.symbol in wanted,
                # A class that is to gain sells nothing.
                may_sell=found.delta[k] <= 0 or ended.get(line.symbol, 0.0) < 0,
                reach=reach,
            )
            if each.trades:
                securities.append(each)
    sums = _sums(program, securities)
    cents = dict.fromkeys(sums.trades, -room * CENT)
    program.row(_plus(sums.cash, cents, -1.0), lower=-problem.cash - HALF_CENT)
    for due in problem.early:
        early = _sums(program, [s for s in securities if s.line.settles <= due.settles])
        program.row(_plus(early.cash, cents, -1.0), lower=-due.cash - HALF_CENT)
    if problem.max_turnover is not None:
        program.row(
            _plus(sums.turnover, cents), upper=problem.max_turnover * problem.base + HALF_CENT
        )
    apart = _distances(program, task, ended, securities, sums)
    trades = list(sums.trades)
    places = places_of(problem)
    against = {
        index: float(places[s.line.symbol])
        for s in securities
        for index in (s.sells, s.goes)
        if index is not None and places.get(s.line.symbol)
    }
    slack = CENT * (len(problem.classes) + 1) + 1e-9 * problem.base
    objectives = [
        Objective(index=np.array(trades), weight=np.ones(len(trades)), step=1.0),
        Objective(index=np.array(apart), weight=np.ones(len(apart)), slack=slack),
        Objective(index=np.array(list(sums.cost)), weight=np.array(list(sums.cost.values()))),
    ]
    if against:
        terms = np.array(list(against)), np.array(list(against.values()))
        objectives.insert(1, Objective(index=terms[0], weight=terms[1], step=1.0))
    return _Made(
        program=program,
        securities=securities,
        objectives=tuple(objectives),
        drift=2 if against else 1,
    )


def _security(
    program: Program, line: Line, *, may_buy: bool, may_sell: bool, reach: float
) -> _Variables:
    each = _Variables(line=line)
    if may_buy:
        most = math.floor(reach / line.step_value)
        least = _least(line, most, 1)
        if least is not None:
            each.bought = program.variable(0, most, whole=most <= _LARGEST)
            each.buys = program.variable(0, 1, whole=True)
            program.row({each.bought: 1, each.buys: -most}, upper=0)
            program.row({each.bought: 1, each.buys: -least}, lower=0)
    if may_sell and line.can_sell and line.quantity > 0:
        most = math.floor(line.quantity / line.step + DUST)
        if line.keep:
            kept = math.floor((line.value - line.keep) / line.step_value + DUST)
            most = min(most, max(0, kept))
        least = _least(line, most, -1)
        whole = abs(most * line.step - line.quantity) <= DUST * line.step
        if least is not None:
            each.sold = program.variable(0, most, whole=most <= _LARGEST)
            each.sells = program.variable(0, 1, whole=True)
            program.row({each.sold: 1, each.sells: -most}, upper=0)
            program.row({each.sold: 1, each.sells: -least}, lower=0)
        if not whole and (line.money_fund or worth_trading(line, -line.quantity)):
            each.goes = program.variable(0, 1, whole=True)
    if len(each.trades) > 1:
        program.row(dict.fromkeys(each.trades, 1.0), upper=1)
    _add_extra(program, each, reach)
    return each


def _add_extra(program: Program, each: _Variables, reach: float) -> None:
    """The variable for what trades cost beyond a straight line, and the rows that bound it."""
    line = each.line
    fixed, rate = _cost(line)
    most = max(line.quantity, reach / line.unit_value) if each.buys is not None else line.quantity
    rest = max(0.0, math.fsum(line.cost(most)) - fixed - rate * most)
    charge = line.fee * line.unit_value
    young = charge * max(0.0, line.quantity - line.free)
    sells = each.sells is not None or each.goes is not None
    if not each.trades or rest + (young if sells else 0.0) < HALF_CENT:
        return
    each.extra = program.variable(0, rest + young)
    program.row({each.extra: 1.0, **dict.fromkeys(each.trades, -rest - young)}, upper=0)
    if young and sells:
        # Old units go first: at least what is sold beyond them is charged, at most all that is sold.
        sold = {} if each.sold is None else {each.sold: -charge * line.step}
        goes = {} if each.goes is None else {each.goes: -young}
        program.row({each.extra: 1.0, **sold, **goes}, lower=-charge * line.free)
        bought = {} if each.buys is None else {each.buys: -rest}
        other = {index: -rest for index in (each.sells, each.goes) if index is not None}
        program.row(_plus({each.extra: 1.0, **sold, **goes, **bought}, other), upper=0)


def _least(line: Line, most: int, side: int) -> int | None:
    """The smallest number of steps that is an order; None when there is none up to `most`."""
    if most < 1:
        return None
    if line.money_fund and side < 0:
        return 1

    def works(count: int) -> bool:
        quantity = exact(count, line.step)
        return worth_trading(line, side * (min(quantity, line.quantity) if side < 0 else quantity))

    if works(1):
        return 1
    high = 1
    while not works(high):
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    return high


def _sums(program: Program, securities: list[_Variables]) -> _Sums:
    sums = _Sums(cash={}, cost={}, trades={}, turnover={})
    for each in securities:
        line = each.line
        fixed, rate = _cost(line)
        for index, units in each.units().items():
            sums.cash[index] = -units * line.unit_value - abs(units) * rate
            sums.cost[index] = abs(units) * rate
            if not line.money_fund:
                sums.turnover[index] = abs(units) * line.unit_value / 2
        if each.extra is not None:
            sums.cost[each.extra], sums.cash[each.extra] = 1.0, -1.0
        for index in each.trades:
            sums.trades[index] = 1.0
            sums.cash[index] = sums.cash.get(index, 0.0) - fixed
            sums.cost[index] = sums.cost.get(index, 0.0) + fixed
    return sums


def _cost(line: Line) -> tuple[float, float]:
    """A straight line at or below the cost of any trade: money a trade, and money a unit."""
    costs = line.costs
    if costs.per_share and (costs.min_commission or math.isfinite(costs.max_commission)):
        smallest = costs.commission + costs.per_share * line.step
        fixed = min(max(smallest, costs.min_commission), costs.max_commission)
        return fixed, costs.half_spread * line.unit_value
    fixed = min(max(costs.commission, costs.min_commission), costs.max_commission)
    return fixed, costs.per_share + costs.half_spread * line.unit_value


def _distances(
    program: Program, task: Task, ended: Quantities, securities: list[_Variables], sums: _Sums
) -> list[int]:
    """Windows of one step around the aims, and a variable for the distance of each class from what
    is wanted of it, and of cash.
    """
    problem, found = task.problem, task.found
    result = []
    for k in range(len(problem.classes)):
        if k == problem.cash_index:
            moved = dict(sums.cash)
            for each in securities:
                if each.line.klass == k:  # its sale brings cash and takes as much from cash
                    for index, units in each.units().items():
                        moved[index] = moved.get(index, 0.0) + units * each.line.unit_value
            wanted = found.cash_aim
        else:
            moved = {
                index: units * each.line.unit_value
                for each in securities
                if each.line.klass == k
                for index, units in each.units().items()
            }
            whole = problem.target[k] == 0.0 and abs(problem.value[k] + found.delta[k]) < HALF_CENT
            step = HALF_CENT if whole else class_step(problem, k) * (1 + DUST)
            if moved:
                program.row(moved, lower=found.delta[k] - step, upper=found.delta[k] + step)
                already = math.fsum(
                    ended.get(line.symbol, 0.0) * line.unit_value for line in problem.lines_of(k)
                )
                within = sorted((found.delta[k], already))
                _not_past_target(program, task, k, securities, moved, within)
                _not_out_of_band(program, task, k, moved, sums, within)
            wanted = found.wanted[k]
        distance = program.variable()
        result.append(distance)
        aim = wanted + found.slope[k] * found.cost - problem.value[k]
        follows = _plus(moved, {i: found.slope[k] * c for i, c in sums.cost.items()})
        program.row(_plus(follows, {distance: 1.0}), lower=aim)
        program.row(_plus(follows, {distance: -1.0}), upper=aim)
    return result


def _not_past_target(
    program: Program,
    task: Task,
    k: int,
    securities: list[_Variables],
    moved: dict[int, float],
    within: Sequence[float],
) -> None:
    """A class passes its target by less than a step of what is traded in it.

    within  least and most money that it may move in any case.
    """
    problem = task.problem
    target = problem.target[k] * (problem.base - task.found.cost) - problem.value[k]
    bought, sold = dict(moved), dict(moved)
    for each in securities:
        if each.line.klass == k:
            if each.buys is not None:
                bought[each.buys] = -each.line.step_value
            for index in (each.sells, each.goes):
                if index is not None:
                    sold[index] = sold.get(index, 0.0) + each.line.step_value
    # A class that is to lose may stay above its target, one that is to gain below it.
    program.row(bought, upper=max(target, within[1], 0.0) + CENT)
    program.row(sold, lower=min(target, within[0], 0.0) - CENT)


def _not_out_of_band(
    program: Program,
    task: Task,
    k: int,
    moved: dict[int, float],
    sums: _Sums,
    within: Sequence[float],
) -> None:
    """A class that trades ends in no breach that it was not in.

    within  least and most money that it may move in any case.
    """
    problem = task.problem
    value, target, breach = problem.value[k], problem.target[k], problem.breach[k]
    upper, lower = target + problem.up[k], target - problem.down[k]
    if breach <= 0 and upper < 1:
        # What trades cost only makes the room smaller, and a class that does not trade may be left.
        most = max(upper * problem.base - value, within[1], 0.0)
        program.row(moved, upper=most + CENT)
    if breach >= 0 and lower > 0:
        follows = _plus(moved, {index: lower * c for index, c in sums.cost.items()})
        program.row(follows, lower=min(lower * problem.base - value, within[0], 0.0) - CENT)


def _plus(
    first: dict[int, float], second: dict[int, float], factor: float = 1.0
) -> dict[int, float]:
    result = dict(first)
    for index, weight in second.items():
        result[index] = result.get(index, 0.0) + factor * weight
    return result


def _values(securities: list[_Variables], quantities: Quantities) -> dict[int, float]:
    """The variables of a plan, those that are not 0."""
    result: dict[int, float] = {}
    for each in securities:
        line, n = each.line, quantities.get(each.line.symbol, 0.0)
        count = round(abs(n) / line.step)
        if n > 0 and each.bought is not None and each.buys is not None:
            result |= {each.bought: count, each.buys: 1.0}
        elif n < 0 and each.goes is not None and -n >= line.quantity:
            result[each.goes] = 1.0
        elif n < 0 and each.sold is not None and each.sells is not None:
            result |= {each.sold: count, each.sells: 1.0}
    return result


def _quantities(securities: list[_Variables], x: Vector) -> Quantities:
    result: Quantities = {}
    for each in securities:
        signed = 0.0
        for index, side in ((each.bought, 1), (each.sold, -1)):
            # A continuous count ends on the step that leaves more cash.
            if index is not None and (count := math.floor(side * x[index] + 1e-6)):
                signed = exact(count, each.line.step)
        if each.goes is not None and x[each.goes] > 0.5:
            signed = -each.line.quantity
        if signed:
            result[each.line.symbol] = max(signed, -each.line.quantity) if signed < 0 else signed
    return result
