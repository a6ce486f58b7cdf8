"""The best plan in whole shares: a mixed-integer program around the plan in fractions.

Small households are searched whole, in every way that their returns can net; in larger ones what the plan
in fractions sells or buys in parts, and some more of each account, may move by a few steps, and the rest
stays as it was rounded. The bound is that of the plan in fractions or, where all was searched, of the
whole-share program itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.household.columns import Mask
from xl_rebal.household.model import Model, model_of
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.rounding import raised_in_cents
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.worth import Draft, class_values, worth
from xl_rebal.optimiser.linear import Solver
from xl_rebal.trading.problem import CENT, HALF_CENT

SMALL_PAIRS, SMALL_LOTS = 14, 30
_NEAR = 3  # steps that a trade of a large household may move
_BESIDES = 1  # securities of each account that may be bought besides those of the plan in fractions
_GAP = 2e-8  # of the value: 0.0002 bp
_LARGE_GAP = 1e-6  # 0.01 bp, where not everything is searched
_LARGE_NODES = 60
_LARGEST = 1_000_000  # steps; beyond, a step is so small that it counts as continuous


@dataclass(slots=True)
class _Whole:
    """Columns of one pair: steps sold, sold in full, steps bought; -1 where there is none."""

    sold: int = -1
    full: int = -1
    bought: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """Steps that may be sold and bought of a pair, and whether it may be sold in full."""

    sold: tuple[float, float]
    bought: tuple[float, float]
    in_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best draft that was found, and what no draft is below."""

    draft: Draft
    total: float
    bound: float


def best_draft(search: Search, relaxed: Relaxed, start: Draft) -> Best:
    """The best draft, starting from one that is known."""
    problem = search.model.problem
    small = len(problem.pairs) <= SMALL_PAIRS and len(problem.lot.pair) <= SMALL_LOTS
    known = worth(problem, start).total if is_allowed(problem, start) else math.inf
    best = Best(draft=start, total=known, bound=relaxed.bound)
    if small:
        return _best_of_all(search, relaxed, best)
    if known - relaxed.optimum.value <= _LARGE_GAP * problem.base:
        return best  # nothing worth looking for is left
    return _best_near(search, relaxed, best)


def _best_of_all(search: Search, relaxed: Relaxed, best: Best) -> Best:
    """The best of all drafts: every way to net, every whole number of steps."""
    problem = search.model.problem
    whole = _WholeShares(problem)
    whole.gap(_GAP * problem.base)
    bounds = []
    for lower, upper in search.cases():
        first = search.solver.solve(lower, upper)
        if first is None or first.value >= best.total - _GAP * problem.base:
            continue
        found = whole.solve(lower, upper)
        if found is None:
            continue
        bounds.append(found.bound)
        best = _better(problem, best, found.draft)
    proven = max(relaxed.bound, min([*bounds, best.total - _GAP * problem.base]))
    return Best(draft=best.draft, total=best.total, bound=proven)


def _best_near(search: Search, relaxed: Relaxed, best: Best) -> Best:
    """The best draft near the plan in fractions; all that it leaves whole stays as it was rounded."""
    problem = search.model.problem
    free = _free(search.model, relaxed, best.draft)
    whole = _WholeShares(problem, near=_Near(relaxed=relaxed, draft=best.draft, free=free))
    whole.gap(_LARGE_GAP * problem.base, nodes=_LARGE_NODES)
    taxes = np.arange(len(relaxed.lower)) >= int(search.model.fees[-1]) + 1
    lower = np.where(taxes, relaxed.lower, whole.lower[: len(taxes)])
    upper = np.where(taxes, relaxed.upper, whole.upper[: len(taxes)])
    found = whole.solve(lower, upper)
    return best if found is None else _better(problem, best, found.draft)


def _better(problem: HouseholdProblem, best: Best, draft: Draft) -> Best:
    if not is_allowed(problem, draft):
        return best
    total = worth(problem, draft).total
    return Best(draft=draft, total=total, bound=best.bound) if total < best.total else best


def _free(model: Model, relaxed: Relaxed, draft: Draft) -> Mask:
    """(P,) what may move: what the plan in fractions splits, what rounding moved, and in each account the
    cheapest steps of other securities that may be bought.
    """
    problem, pair = model.problem, model.problem.pair
    x = relaxed.optimum.x
    sold = np.bincount(problem.lot.pair, weights=x[model.sell], minlength=len(problem.pairs))
    steps = (x[model.buy] - sold) / (pair.step * pair.unit_value)
    moved = np.abs(draft.signed(problem) / pair.step - steps) > 1e-6
    result: Mask = moved & ~pair.must_sell
    able = ~result & (relaxed.upper[model.buy] > 0) & ((draft.bought > 0) | (sold == 0))
    price = np.where(draft.bought > 0, 0.0, pair.step * pair.unit_value)
    for a in range(len(problem.accounts)):
        mine = np.flatnonzero(able & (pair.account == a))
        result[mine[np.argsort(price[mine], kind="stable")[:_BESIDES]]] = True
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    """A plan in fractions, what it was rounded to, and the pairs (P,) that may move."""

    relaxed: Relaxed
    draft: Draft
    free: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A solution in whole shares, and what none is below."""

    draft: Draft
    bound: float


class _WholeShares:
    """The linear program with whole-number columns for steps, orders and what is either-or."""

    def __init__(self, problem: HouseholdProblem, near: _Near | None = None) -> None:
        self._problem, self._near = problem, near
        self._model = model_of(problem, ticket=0.0)  # orders are counted one by one here
        self._wholes = [_Whole() for _ in problem.pairs]
        self._fees: list[list[tuple[int, float]]] = [[] for _ in problem.accounts]
        self._fixed_fees = np.zeros(len(problem.accounts))
        for p in range(len(problem.pairs)):
            if near is None or near.free[p]:
                self._add(p)
            else:
                self._fix(p, near.draft)
        program = self._model.program
        for a, terms in enumerate(self._fees):
            index = [int(self._model.fees[a]), *(c for c, _ in terms)]
            money = float(self._fixed_fees[a])
            weight = [1.0, *(-money for _, money in terms)]
            program.row(index, weight, lower=money, upper=money)
        self._either_or()
        self._solver = Solver(program)
        self.lower, self.upper = self._solver.lower, self._solver.upper

    def gap(self, amount: float, *, nodes: int | None = None) -> None:
        """Stop once a plan is proven to this amount, or after so many nodes."""
        self._solver.gap(amount, nodes=nodes)

    def solve(self, lower: Vector, upper: Vector) -> _Found | None:
        """The best draft under these bounds of the linear program's columns and its own: what an account
        has not the money for one step of is not bought.
        """
        low, high = self._solver.lower.copy(), self._solver.upper.copy()
        count = len(lower)
        low[:count], high[:count] = np.maximum(lower, low[:count]), np.minimum(upper, high[:count])
        found = self._solver.solve(low, high)
        return None if found is None else _Found(draft=self._draft(found.x), bound=found.bound)

    def _fix(self, p: int, draft: Draft) -> None:
        """A pair is traded as the draft has it."""
        problem, program, pair = self._problem, self._model.program, self._problem.pairs[p]
        sold = 0.0
        for j in problem.lots_of(p):
            money = float(draft.sold[j]) * pair.line.unit_value
            column = int(self._model.sell[j])
            program.lower[column] = program.upper[column] = money
            sold += money
        bought = float(draft.bought[p]) * pair.line.unit_value
        column = int(self._model.buy[p])
        program.lower[column] = program.upper[column] = bought
        if sold or bought:
            self._fixed_fees[pair.account] += 0.0 if pair.line.money_fund else pair.fixed_cost

    def _range(self, p: int) -> _Range:
        """Steps that may be sold and bought: all there are, or those near the plan in fractions."""
        problem, program = self._problem, self._model.program
        pair, lots = problem.pairs[p], problem.lots_of(p)
        line = pair.line
        able = math.fsum(program.upper[int(self._model.sell[j])] for j in lots) / line.unit_value
        most_sold = float(math.floor(min(able, line.quantity) / line.step + 1e-9))
        in_full = able >= line.quantity - 1e-9
        most_bought = float(self._most_bought(p))
        if self._near is None:
            return _Range(sold=(0.0, most_sold), bought=(0.0, most_bought), in_full=in_full)
        x, draft = self._near.relaxed.optimum.x, self._near.draft
        sold = float(sum(x[self._model.sell[j]] for j in lots)) / line.step_value
        bought = float(x[self._model.buy[p]]) / line.step_value
        low, high = [], []
        for steps in (bought - sold, float(draft.signed(problem)[p]) / line.step):
            low.append(math.floor(steps) - _NEAR)
            high.append(math.ceil(steps) + _NEAR)
        least, most = float(min(low)), float(max(high))
        return _Range(
            sold=(min(max(0.0, -most), most_sold), min(max(0.0, -least), most_sold)),
            bought=(max(0.0, least), min(max(0.0, most), most_bought)),
            in_full=in_full and line.quantity / line.step <= -least,
        )

    def _add(self, p: int) -> None:
        """Steps and orders of a pair; selling and buying exclude each other."""
        problem, program = self._problem, self._model.program
        pair, lots = problem.pairs[p], problem.lots_of(p)
        steps = self._range(p)
        orders = []
        if lots:
            orders.append(self._add_sale(p, steps))
        column = int(self._model.buy[p])
        if steps.bought[1] > 0 and program.upper[column] > 0:
            orders.append(self._add_purchase(p, steps))
        else:
            program.upper[column] = 0.0
        for order in orders:
            if pair.fixed_cost and not pair.line.money_fund:
                self._fees[pair.account].append((order, pair.fixed_cost))
        if len(orders) > 1:
            program.row(orders, [1.0, 1.0], upper=1.0)
        if self._near is None:
            self._whole_lots(lots)

    def _add_sale(self, p: int, steps: _Range) -> int:
        problem, program = self._problem, self._model.program
        pair, lots, whole = problem.pairs[p], problem.lots_of(p), self._wholes[p]
        line, (low, high) = pair.line, steps.sold
        sells = [int(self._model.sell[j]) for j in lots]
        able = math.fsum(program.upper[c] for c in sells)
        least = max(line.minimum, 2 * CENT)
        order = program.column(problem.request.prices.ticket, upper=1.0, whole=True)
        whole.sold = program.column(upper=high, whole=high <= _LARGEST)
        exact = abs(high * line.step - line.quantity) <= 1e-9 * line.quantity
        index = [*sells, whole.sold]
        weight = [*[1.0] * len(sells), -line.step_value]
        if steps.in_full and not exact:
            whole.full = program.column(upper=1.0, whole=True)
            index.append(whole.full)
            weight.append(-line.quantity * line.unit_value)
            program.row([whole.sold, whole.full], [1.0, high], upper=high)
        program.row(index, weight, lower=0.0, upper=0.0)
        ones = [1.0] * len(sells)
        program.row([*sells, order], [*ones, -max(able, least)], upper=0.0)
        if not line.must_sell:
            program.row([*sells, order], [*ones, -least], lower=0.0)
        if low and whole.full < 0:
            program.lower[whole.sold] = low
        return order

    def _add_purchase(self, p: int, steps: _Range) -> int:
        program, line = self._model.program, self._problem.pairs[p].line
        column, (low, high) = int(self._model.buy[p]), steps.bought
        order = program.column(self._problem.request.prices.ticket, upper=1.0, whole=True)
        bought = program.column(lower=low, upper=high, whole=high <= _LARGEST)
        self._wholes[p].bought = bought
        program.row([column, bought], [1.0, -line.step_value], lower=0.0, upper=0.0)
        program.row([column, order], [1.0, -high * line.step_value], upper=0.0)
        least = max(line.minimum, 2 * CENT, line.buy_minimum)
        program.row([column, order], [1.0, -least], lower=0.0)
        return order

    def _most_bought(self, p: int) -> int:
        """Steps that the whole account could buy."""
        problem, pair = self._problem, self._problem.pairs[p]
        if pair.no_buy:
            return 0
        mine = problem.pair.account[problem.lot.pair] == pair.account
        money = max(0.0, problem.spendable(pair.account)) + float(problem.lot_value[mine].sum())
        return math.floor(money / pair.line.step_value)

    def _whole_lots(self, lots: Sequence[int]) -> None:
        """Lots of whole steps are sold in whole steps."""
        problem, program = self._problem, self._model.program
        for j in lots:
            quantity = float(problem.lot.quantity[j])
            line = problem.pairs[int(problem.lot.pair[j])].line
            count = round(quantity / line.step)
            if abs(count * line.step - quantity) <= 1e-9 and 0 < count <= _LARGEST:
                column = program.column(upper=count, whole=True)
                index = [int(self._model.sell[j]), column]
                program.row(index, [1.0, -line.step_value], lower=0.0, upper=0.0)

    def _either_or(self) -> None:
        """Wash sales, and lots that are sold first in, first out."""
        problem, program, model = self._problem, self._model.program, self._model
        search = Search(model)
        of, near = problem.lot.pair, self._near
        free = np.ones(len(problem.pairs), dtype=np.bool_) if near is None else near.free
        for lots, buys in search.washed:
            if not (free[of[lots]].any() or free[buys].any()):
                continue
            sold = [int(model.sell[j]) for j in lots if program.upper[int(model.sell[j])] > 0]
            bought = [int(model.buy[p]) for p in buys if program.upper[int(model.buy[p])] > 0]
            if not bought or not sold:
                continue
            sells = program.column(upper=1.0, whole=True)
            most_sold = sum(program.upper[c] for c in sold)
            program.row([*sold, sells], [*[1.0] * len(sold), -most_sold], upper=0.0)
            most = sum(
                self._most_bought(int(p)) * problem.pairs[p].line.step_value for p in buys.tolist()
            )
            program.row([*bought, sells], [*[1.0] * len(bought), most], upper=most)
        for order in search.ordered:
            if not free[of[order[0]]]:
                continue
            for place, j in enumerate(order[:-1].tolist()):
                full = float(program.upper[int(model.sell[j])])
                later = [int(model.sell[k]) for k in order[place + 1 :]]
                gone = program.column(upper=1.0, whole=True)
                program.row([int(model.sell[j]), gone], [1.0, -full], lower=0.0)
                most = sum(program.upper[c] for c in later)
                program.row([*later, gone], [*[1.0] * len(later), -most], upper=0.0)

    def _draft(self, x: Vector) -> Draft:
        problem, model, near = self._problem, self._model, self._near
        sold, bought = np.zeros(len(problem.lot.pair)), np.zeros(len(problem.pairs))
        for p, whole in enumerate(self._wholes):
            line, lots = problem.pairs[p].line, problem.lots_of(p)
            if near is not None and not near.free[p]:
                bought[p] = near.draft.bought[p]
                sold[lots.start : lots.stop] = near.draft.sold[lots.start : lots.stop]
                continue
            if whole.bought >= 0:
                bought[p] = _steps(float(x[whole.bought]), line.step)
            if whole.sold < 0:
                continue
            units = _steps(float(x[whole.sold]), line.step)
            if whole.full >= 0 and x[whole.full] > 0.5:
                units = line.quantity
            self._sell(p, min(units, line.quantity), x, sold)
        wanted = np.array([x[c] if c >= 0 else 0.0 for c in model.raised.tolist()])
        return Draft(sold=sold, bought=bought, raised=raised_in_cents(problem, wanted))

    def _sell(self, p: int, units: float, x: Vector, sold: Vector) -> None:
        """Share the units of a sale out to its lots as the solution has them."""
        problem = self._problem
        lots, value = list(problem.lots_of(p)), problem.lot_value
        money = {j: float(x[self._model.sell[j]]) for j in lots}
        left, line = units, problem.pairs[p].line
        for j in sorted(lots, key=lambda j: (-money[j] / max(float(value[j]), CENT), j)):
            quantity = float(problem.lot.quantity[j])
            wanted = money[j] / line.unit_value
            near = _steps(wanted / line.step, line.step)
            if abs(wanted - near) <= 1e-6 * max(1.0, wanted):  # on a step where the lot's units are
                wanted = near
            sold[j] = min(left, quantity, wanted)
            left = float(f"{left - sold[j]:.12g}")
        for j in lots:  # what rounding left over
            if left > 0 and money[j] > HALF_CENT:
                take = min(left, float(problem.lot.quantity[j]) - float(sold[j]))
                sold[j] += take
                left = float(f"{left - take:.12g}")


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
