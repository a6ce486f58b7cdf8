"""The best plan in whole shares: a mixed-integer program around the plan in fractions.

Small households are searched whole, in every way that their returns can net; in larger ones a trade may
move by a few steps from the plan in fractions, and what that plan leaves alone stays. The bound is that
of the plan in fractions or, where all was searched, of the whole-share program itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.household.model import Model, model_of
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.rounding import raised_in_cents
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.worth import Draft, class_values, worth
from xl_rebal.optimiser.linear import Solver
from xl_rebal.trading.problem import CENT, HALF_CENT

SMALL_PAIRS, SMALL_LOTS = 14, 30
_NEAR = 3  # steps that a trade of a large household may move
_GAP = 2e-8  # of the value: 0.0002 bp
_LARGE_GAP = 5e-7  # 0.005 bp, where not everything is searched
_LARGEST = 1_000_000  # steps; beyond, a step is so small that it counts as continuous


@dataclass(slots=True)
class _Whole:
    """Columns of one pair: steps sold, sold in full, steps bought; -1 where there is none."""

    sold: int = -1
    full: int = -1
    bought: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best draft that was found, and what no draft is below."""

    draft: Draft
    total: float
    bound: float


def best_draft(search: Search, relaxed: Relaxed, start: Draft) -> Best:
    """The best draft, starting from one that is known."""
    problem = search.model.problem
    small = len(problem.pairs) <= SMALL_PAIRS and len(problem.lots) <= SMALL_LOTS
    known = worth(problem, start).total if is_allowed(problem, start) else math.inf
    best = Best(draft=start, total=known, bound=relaxed.bound)
    if not small and known - relaxed.bound <= _LARGE_GAP * problem.base:
        return best  # nothing worth looking for is left
    model, wholes = _program(problem, None if small else relaxed)
    solver = Solver(model.program)
    solver.gap((_GAP if small else _LARGE_GAP) * problem.base)
    extra = len(model.program.cost) - len(relaxed.lower)
    cases = search.cases() if small else iter([(relaxed.lower, relaxed.upper)])
    bounds = []
    for lower, upper in cases:
        if small:
            first = search.solver.solve(lower, upper)
            if first is None or first.value >= best.total - _GAP * problem.base:
                continue
        low = np.concatenate([lower, solver.lower[len(lower) :]])
        high = np.concatenate([upper, solver.upper[len(upper) :]])
        assert len(low) == len(lower) + extra
        if not small:  # what branching decided is decided again by the program's own columns
            keep = [*model.sell.tolist(), *model.buy.tolist()]
            low[keep], high[keep] = solver.lower[keep], solver.upper[keep]
        found = solver.solve(low, high)
        if found is None:
            continue
        bounds.append(found.bound)
        draft = _draft(model, wholes, found.x)
        if not is_allowed(problem, draft):
            continue
        total = worth(problem, draft).total
        if total < best.total:
            best = Best(draft=draft, total=total, bound=best.bound)
    if small and bounds:
        proven = max(relaxed.bound, min([*bounds, best.total - _GAP * problem.base]))
        best = Best(draft=best.draft, total=best.total, bound=proven)
    elif small:
        proven = max(relaxed.bound, best.total - _GAP * problem.base)
        best = Best(draft=best.draft, total=best.total, bound=proven)
    return best


def _program(problem: HouseholdProblem, near: Relaxed | None) -> tuple[Model, list[_Whole]]:
    """The linear program with whole-number columns for steps, orders and what is either-or."""
    model = model_of(problem)
    program = model.program
    wholes = []
    fees: dict[int, list[tuple[int, float]]] = {a: [] for a in range(len(problem.accounts))}
    for p, pair in enumerate(problem.pairs):
        line, lots = pair.line, problem.lots_of(p)
        whole = _Whole()
        wholes.append(whole)
        most_bought = _most_bought(problem, p)
        least = max(line.minimum, 2 * CENT)
        sells = [int(model.sell[j]) for j in lots]
        able = math.fsum(program.upper[c] for c in sells) / line.unit_value
        steps_sold = math.floor(min(able, line.quantity) / line.step + 1e-9)
        complete = able >= line.quantity - 1e-9
        low_sold, low_bought, high_bought = 0.0, 0.0, float(most_bought)
        if near is not None:
            sold = float(near.optimum.x[sells].sum()) / line.step_value if sells else 0.0
            bought = float(near.optimum.x[model.buy[p]]) / line.step_value
            if sold <= 1e-6:
                steps_sold, complete = 0, False
            else:
                low_sold = max(0.0, math.floor(sold) - _NEAR)
                steps_sold = min(steps_sold, math.ceil(sold) + _NEAR)
                complete = complete and line.quantity / line.step - sold <= _NEAR
            if bought <= 1e-6:
                high_bought = 0.0
            else:
                low_bought = max(0.0, math.floor(bought) - _NEAR)
                high_bought = min(high_bought, math.ceil(bought) + _NEAR)
        # Beginning an order costs a ticket; selling and buying exclude each other.
        orders = []
        if sells:
            order = program.column(problem.request.prices.ticket, upper=1.0, whole=True)
            whole.sold = program.column(upper=steps_sold, whole=steps_sold <= _LARGEST)
            exact = abs(steps_sold * line.step - line.quantity) <= 1e-9 * line.quantity
            index = [*sells, whole.sold]
            weight = [*[1.0] * len(sells), -line.step_value]
            if complete and not exact:
                whole.full = program.column(upper=1.0, whole=True)
                index.append(whole.full)
                weight.append(-line.quantity * line.unit_value)
                program.row([whole.sold, whole.full], [1.0, float(steps_sold)], upper=steps_sold)
            program.row(index, weight, lower=0.0, upper=0.0)
            total = max(able * line.unit_value, least)
            program.row([*sells, order], [*[1.0] * len(sells), -total], upper=0.0)
            if not line.must_sell:
                program.row([*sells, order], [*[1.0] * len(sells), -least], lower=0.0)
            if low_sold and whole.full < 0:
                program.lower[whole.sold] = min(low_sold, steps_sold)
            if pair.fixed_cost and not line.money_fund:
                fees[pair.account].append((order, pair.fixed_cost))
            orders.append(order)
        if high_bought > 0 and program.upper[int(model.buy[p])] > 0:
            order = program.column(problem.request.prices.ticket, upper=1.0, whole=True)
            column = int(model.buy[p])
            whole.bought = program.column(
                lower=low_bought, upper=high_bought, whole=high_bought <= _LARGEST
            )
            program.row([column, whole.bought], [1.0, -line.step_value], lower=0.0, upper=0.0)
            program.row([column, order], [1.0, -high_bought * line.step_value], upper=0.0)
            least = max(least, line.buy_minimum)
            program.row([column, order], [1.0, -least], lower=0.0)
            if pair.fixed_cost:
                fees[pair.account].append((order, pair.fixed_cost))
            orders.append(order)
        else:
            program.upper[int(model.buy[p])] = 0.0
        if len(orders) > 1:
            program.row(orders, [1.0, 1.0], upper=1.0)
        if near is None:
            _whole_lots(problem, model, lots)
    for a, terms in fees.items():
        index = [int(model.fees[a]), *(c for c, _ in terms)]
        program.row(index, [1.0, *(-money for _, money in terms)], lower=0.0, upper=0.0)
    _either_or(problem, model)
    return model, wholes


def _most_bought(problem: HouseholdProblem, p: int) -> int:
    """Steps that the whole account could buy."""
    pair = problem.pairs[p]
    if pair.no_buy:
        return 0
    mine = problem.pair.account[problem.lot.pair] == pair.account
    money = max(0.0, problem.spendable(pair.account)) + float(problem.lot_value[mine].sum())
    return math.floor(money / pair.line.step_value)


def _whole_lots(problem: HouseholdProblem, model: Model, lots: Sequence[int]) -> None:
    """Lots of whole steps are sold in whole steps."""
    program = model.program
    for j in lots:
        lot = problem.lots[j]
        line = problem.pairs[lot.pair].line
        count = round(lot.quantity / line.step)
        if abs(count * line.step - lot.quantity) <= 1e-9 and 0 < count <= _LARGEST:
            column = program.column(upper=count, whole=True)
            program.row([int(model.sell[j]), column], [1.0, -line.step_value], lower=0.0, upper=0.0)


def _either_or(problem: HouseholdProblem, model: Model) -> None:
    """Wash sales, and lots that are sold first in, first out."""
    program = model.program
    search = Search(model)
    for lots, buys in search.washed:
        sold = [int(model.sell[j]) for j in lots]
        bought = [int(model.buy[p]) for p in buys if program.upper[int(model.buy[p])] > 0]
        if not bought:
            continue
        sells = program.column(upper=1.0, whole=True)
        most_sold = sum(program.upper[c] for c in sold)
        program.row([*sold, sells], [*[1.0] * len(sold), -most_sold], upper=0.0)
        most = sum(_most_bought(problem, int(p)) * problem.pairs[p].line.step_value for p in buys)
        program.row([*bought, sells], [*[1.0] * len(bought), most], upper=most)
    for order in search.ordered:
        for place, j in enumerate(order[:-1]):
            full = float(program.upper[int(model.sell[j])])
            later = [int(model.sell[k]) for k in order[place + 1 :]]
            gone = program.column(upper=1.0, whole=True)
            program.row([int(model.sell[j]), gone], [1.0, -full], lower=0.0)
            most = sum(program.upper[c] for c in later)
            program.row([*later, gone], [*[1.0] * len(later), -most], upper=0.0)


def _draft(model: Model, wholes: list[_Whole], x: Vector) -> Draft:
    problem = model.problem
    sold, bought = np.zeros(len(problem.lots)), np.zeros(len(problem.pairs))
    for p, whole in enumerate(wholes):
        line, lots = problem.pairs[p].line, problem.lots_of(p)
        if whole.bought >= 0:
            bought[p] = _steps(float(x[whole.bought]), line.step)
        if whole.sold < 0:
            continue
        units = _steps(float(x[whole.sold]), line.step)
        if whole.full >= 0 and x[whole.full] > 0.5:
            units = line.quantity
        units = min(units, line.quantity)
        money = {j: float(x[model.sell[j]]) for j in lots}
        left = units
        for j in sorted(lots, key=lambda j: (-money[j] / max(_lot_value(problem, j), CENT), j)):
            take = min(left, problem.lots[j].quantity, _lot_units(problem, j, money[j], left))
            sold[j] = take
            left = float(f"{left - take:.12g}")
        for j in lots:  # what rounding left over
            if left > 0 and money[j] > HALF_CENT:
                take = min(left, problem.lots[j].quantity - sold[j])
                sold[j] += take
                left = float(f"{left - take:.12g}")
    wanted = np.array([x[c] if c >= 0 else 0.0 for c in model.raised.tolist()])
    return Draft(sold=sold, bought=bought, raised=raised_in_cents(problem, wanted))


def _lot_value(problem: HouseholdProblem, j: int) -> float:
    """The value of a lot."""
    lot = problem.lots[j]
    return lot.quantity * problem.pairs[lot.pair].line.unit_value


def _lot_units(problem: HouseholdProblem, j: int, money: float, left: float) -> float:
    """Units of a lot for an amount of money, on a step where the lot's units are."""
    line = problem.pairs[problem.lots[j].pair].line
    units = money / line.unit_value
    steps = round(units / line.step)
    near = _steps(steps, line.step)
    if abs(units - near) <= 1e-6 * max(1.0, units):
        return near
    return min(units, left)


def _steps(count: float, step: float) -> float:
    return float(f"{round(count) * step:.12g}")


def is_allowed(problem: HouseholdProblem, draft: Draft) -> bool:
    """Cash is true to the cent, no order is below its minimum, no class goes out of its band or further,
    and budgets hold: what rounding may have broken.
    """
    request, aims = problem.request, problem.aims
    value, cash = class_values(problem, draft)
    start = problem.spendable_of
    moved = np.abs(cash - start) > HALF_CENT
    held_away = np.array([account.held_away for account in problem.accounts])
    if ((cash < -HALF_CENT) & (moved | ~held_away)).any():
        return False
    if ((value < aims.cap_low - HALF_CENT) | (value > aims.cap_high + HALF_CENT)).any():
        return False
    signed = draft.signed(problem)
    if not (problem.pair.must_sell | problem.pair.worth_trading(signed)).all():
        return False
    money = draft.sold * problem.pair.unit_value[problem.lot.pair]
    gain = float(problem.lot.gain_rate @ money)
    loss = -float(np.minimum(problem.lot.gain_rate, 0.0) @ money)
    if request.gains_budget is not None and gain > request.gains_budget + HALF_CENT:
        return False
    if loss < request.harvest - HALF_CENT:
        return False
    if request.limits.max_turnover is not None:
        counted = np.where(problem.pair.money_fund, 0.0, problem.pair.unit_value)
        traded = float(np.abs(signed) @ counted)
        return traded / 2 <= request.limits.max_turnover * problem.base + HALF_CENT
    return True
