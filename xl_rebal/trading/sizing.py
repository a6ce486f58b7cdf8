"""Whole shares: from money per class to quantities per security, in the order of a good plan.

The order (after the constraints, and every traded class within one step of its destination):
fewest trades; securities sold against their rank; least sum of |distance from the wanted values|, cash
counted; lowest cost; then the largest position, then the symbol. Every combination of what the classes
may do is looked at, in bulk, while they are not too many; then those that cannot be better than the best
of the usual ones are left out on the way (branch and bound).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xl_rebal.drift import TOLERANCE, Matrix
from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.options import DUST, Choices, Offer, Option, choices, exact
from xl_rebal.trading.problem import (
    CENT,
    Line,
    Problem,
    Quantities,
    cash_effect,
    class_step,
    early_shortage,
    trade_value,
    worth_trading,
)

__all__ = ["Choices", "Excess", "Sized", "below_minimum", "choices", "merge", "size"]

COMBINATIONS = 1 << 14  # looked at without leaving any out
_ROWS = 1 << 16  # kept at once on the way
_TIES = 256


@dataclass(frozen=True, slots=True)
class Excess:
    """No rounding of the aims fits: how much money is missing at least, and how far over the cap.

    cash      money by which the best rounding overdraws; 0 when the turnover cap is what binds.
    turnover  least turnover of any rounding in money.
    """

    cash: float
    turnover: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """Quantities for the aims; `proven` when no others are better in the order of a good plan."""

    quantities: Quantities
    proven: bool


def size(problem: Problem, found: Aims, offered: Choices) -> Sized | Excess:
    """The best quantities for the aims, or what is in the way of any."""
    items = sorted(offered.items(), key=lambda item: -_spread(item[1].options))
    every = [(k, offer.options) for k, offer in items]
    looked_at_all = True
    if math.prod(len(options) for _, options in every) <= COMBINATIONS:
        table = _Table(problem, found, every)
        best = table.best()
    else:
        table = _Table(problem, found, _few([(k, o.options[: o.usual]) for k, o in items]))
        best = table.best()
        better = best and _bounded(problem, found, items, best)
        looked_at_all = better is not None
        best = better or best
    if best is None:
        return table.excess()
    result: Quantities = {
        line.symbol: n for _, option in best.options for line, n in option.trades if n
    }
    cash = math.fsum(option.cash for _, option in best.options)
    early = early_shortage(problem, result)
    result = _with_money_funds(problem, result, min(cash, -problem.cash - early) if early else cash)
    if over := _over_the_cap(problem, result):
        return Excess(0.0, over)
    beyond = _trades_beyond([offer for _, offer in items])
    return Sized(quantities=result, proven=looked_at_all and len(result) < beyond)


def _trades_beyond(offers: Sequence[Offer]) -> float:
    """The fewest trades of any plan in which a class does what is not on offer."""
    least = sum(offer.least for offer in offers)
    return least + min((offer.beyond - offer.least for offer in offers), default=math.inf)


def below_minimum(problem: Problem, found: Aims, offered: Choices) -> list[int]:
    """Classes that ought to trade and cannot, because every trade would be below its minimum size."""
    return [
        k
        for k, offer in offered.items()
        if abs(found.delta[k]) >= max(class_step(problem, k), CENT)
        and all(not option.trades for option in offer.options)
    ]


_Items = list[tuple[int, list[Option]]]


def _few(items: _Items) -> _Items:
    """The same, with the classes of the smallest steps fixed beforehand to bound the work.

    They take the choice that leaves most cash, which is always feasible and moves the result least.
    """
    result = list(items)
    for place in range(len(result) - 1, -1, -1):
        if math.prod(len(options) for _, options in result) <= COMBINATIONS:
            break
        k, options = result[place]
        result[place] = (k, [max(options, key=lambda o: (-len(o.trades), o.cash))])
    return result


def _spread(options: Sequence[Option]) -> float:
    moved = [option.moved for option in options]
    return max(moved) - min(moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Best:
    """The best row of a table.

    distance  its sum of |distance from the wanted values| in money, cash counted.
    """

    options: list[tuple[int, Option]]
    distance: float

    @property
    def trades(self) -> int:
        return sum(len(option.trades) for _, option in self.options)


def _bounded(
    problem: Problem, found: Aims, items: list[tuple[int, Offer]], best: _Best
) -> _Best | None:
    """The best of all combinations, leaving out on the way what cannot beat `best`; None when still
    too many are left.
    """
    table = _Table(problem, found, [(k, offer.options) for k, offer in items], built=False)
    fewest = best.trades == sum(offer.least for _, offer in items)
    for place, (k, offer) in enumerate(items):
        if len(table.cash) * len(offer.options) > 4 * _ROWS:
            return None
        table.add(k, offer.options)
        to_come = sum(min(len(o.trades) for o in later.options) for _, later in items[place + 1 :])
        table.keep(best.trades - to_come, best.distance if fewest else math.inf)
        if len(table.cash) > _ROWS:
            return None
    return table.best()


class _Table:
    """Sums over combinations of one option per class, built up class by class."""

    def __init__(self, problem: Problem, found: Aims, items: _Items, *, built: bool = True) -> None:
        self._problem, self._found = problem, found
        taken = {k for k, _ in items}
        cash = problem.cash_index
        apart = [
            problem.value[k] - found.wanted[k]
            for k in range(len(problem.classes))
            if k != cash and k not in taken
        ]
        self.cash = np.zeros(1)
        self.trades = np.zeros(1, dtype=np.int64)
        self.against = np.zeros(1, dtype=np.int64)
        self.distance = np.full(1, math.fsum(abs(e) for e in apart))
        self.net = np.full(1, math.fsum(apart))
        self.cost = np.zeros(1)
        self.turnover = np.zeros(1)
        self.early = [np.full(1, due.cash + _funds(problem, due.settles)) for due in problem.early]
        self._picked: list[NDArray[np.int32]] = []
        self._items: _Items = []
        self._most_cost = math.fsum(max(o.cost for o in options) for _, options in items)
        # What cash and classes are apart from their aims sums to this, less the cost of the trades.
        self._constant = (
            problem.value[cash]
            - found.cash_aim
            + math.fsum(problem.value[k] - found.wanted[k] for k in taken)
            + float(self.net[0])
        )
        for each in items if built else ():
            self.add(*each)

    def add(self, k: int, options: list[Option]) -> None:
        """Combine what is there with the options of one more class."""
        count, rows = len(options), len(self.cash)
        apart = np.array(
            [self._problem.value[k] + o.moved - self._found.wanted[k] for o in options]
        )
        self.cash = _outer(self.cash, np.array([o.cash for o in options]))
        self.trades = _outer(self.trades, np.array([len(o.trades) for o in options]))
        self.against = _outer(self.against, np.array([o.against for o in options]))
        self.distance = _outer(self.distance, np.abs(apart))
        self.net = _outer(self.net, apart)
        self.cost = _outer(self.cost, np.array([o.cost for o in options]))
        self.turnover = _outer(self.turnover, np.array([o.turnover for o in options]))
        for each, due in enumerate(self._problem.early):
            flows = [o.cash_by(due.settles) for o in options]
            self.early[each] = _outer(self.early[each], np.array(flows))
        self._picked = [np.repeat(picked, count) for picked in self._picked]
        self._picked.append(np.tile(np.arange(count, dtype=np.int32), rows))
        self._items.append((k, options))

    def keep(self, trades: int, distance: float) -> None:
        """Leave out rows that have more trades, or that cannot come to so small a distance.

        Distances of either sign only add up, and cash is what they leave: the sum is at least the
        distances so far and what they net to, but for the cost.
        """
        stay = self.trades <= trades
        if math.isfinite(distance):
            slack = abs(self._constant) + 3 * self._most_cost + CENT
            stay &= self.distance + np.abs(self.net) <= distance + slack
        for name in ("cash", "trades", "against", "distance", "net", "cost", "turnover"):
            setattr(self, name, getattr(self, name)[stay])
        self.early = [each[stay] for each in self.early]
        self._picked = [picked[stay] for picked in self._picked]

    def idle(self) -> Matrix:
        """Cash after the trades, less what it is to be."""
        cash = self._problem.cash_index
        result: Matrix = self._problem.value[cash] + self.cash - self._found.cash_aim
        return result

    def _left(self) -> tuple[Matrix, float]:
        return self._problem.cash + self.cash, _funds(self._problem, math.inf)

    def excess(self) -> Excess:
        """By how much every row is out of bounds."""
        left, funds = self._left()
        missing = -float((left + funds).max())
        if self.early:
            missing = max(missing, -float(np.min(self.early, axis=0).max()))
        return Excess(max(0.0, missing), float(self.turnover.min()))

    def best(self) -> _Best | None:
        """The best row in the order of a good plan; None when none is in bounds."""
        problem = self._problem
        left, funds = self._left()
        able = left + funds > -CENT / 2
        for each in self.early:
            able &= each > -CENT / 2
        if problem.max_turnover is not None:
            able &= self.turnover <= problem.max_turnover * problem.base + CENT / 2
        pick = np.flatnonzero(able)
        if not len(pick):
            return None
        trades = self.trades + (left < -CENT / 2)  # selling a money fund is one trade more
        for key in (trades, self.against):
            pick = pick[key[pick] == key[pick].min()]
        pick = self._nearest(pick)
        cents = np.round(self.cost[pick] / CENT)
        pick = pick[cents == cents.min()]
        row = int(pick[0])
        if len(pick) > 1:
            row = min((int(i) for i in pick[:_TIES]), key=self._last_words)
        distance = self.distance[row] + np.abs(self.idle()[row])
        return _Best(options=self._options(row), distance=float(distance))

    def _last_words(self, row: int) -> tuple[float, list[tuple[str, ...]]]:
        """Largest position, then symbol."""
        options = [option for _, option in self._options(row)]
        return -math.fsum(o.size for o in options), sorted(o.symbols for o in options)

    def _nearest(self, pick: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the least distance, each measured on the total after its own cost."""
        found, problem = self._found, self._problem
        rough = self.distance[pick] + np.abs(self.idle()[pick])
        cost = self.cost[pick] - found.cost
        # Wanted values move by no more than the cost by which a row differs from what was expected.
        pick = pick[rough <= (rough + 2 * np.abs(cost)).min() + 2 * np.abs(cost) + CENT / 2]
        cost = self.cost[pick] - found.cost
        total = np.abs(self.idle()[pick] + found.slope[problem.cash_index] * cost)
        taken = set()
        for (k, options), picked in zip(self._items, self._picked, strict=True):
            moved = np.array([o.moved for o in options])[picked[pick]]
            total += np.abs(problem.value[k] + moved - found.wanted[k] + found.slope[k] * cost)
            taken.add(k)
        for k in range(len(problem.classes)):
            if k != problem.cash_index and k not in taken:
                total += np.abs(problem.value[k] - found.wanted[k] + found.slope[k] * cost)
        key = np.round(total / (problem.base - self.cost[pick]) / TOLERANCE)
        result: NDArray[np.int64] = pick[key == key.min()]
        return result

    def _options(self, row: int) -> list[tuple[int, Option]]:
        return [
            (k, options[int(picked[row])])
            for (k, options), picked in zip(self._items, self._picked, strict=True)
        ]


_Number = TypeVar("_Number", bound=np.generic)


def _outer(left: NDArray[_Number], right: NDArray[_Number]) -> NDArray[_Number]:
    result: NDArray[_Number] = np.add.outer(left, right).ravel()
    return result


def _funds(problem: Problem, day: float) -> float:
    """Money that selling the account's money funds brings by a day, after what their custodian charges."""
    lines = [line for line in problem.lines_of(problem.cash_index) if line.settles <= day]
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    return math.fsum(cash_effect(line, -line.quantity) for line in able)


def _over_the_cap(problem: Problem, quantities: Quantities) -> float:
    """Turnover in money where what is sold for cash (short-term bonds, say) takes it over the cap; else 0."""
    if problem.max_turnover is None:
        return 0.0
    moved = math.fsum(
        trade_value(line, abs(quantities[line.symbol]))
        for line in problem.lines
        if line.symbol in quantities and not line.money_fund
    )
    return moved / 2 if moved / 2 > problem.max_turnover * problem.base + CENT / 2 else 0.0


def _with_money_funds(problem: Problem, result: Quantities, moved: float) -> Quantities:
    """Sell as much of the account's money funds as settled cash falls short by."""
    short = -(problem.cash + moved)
    for line in sorted(problem.lines_of(problem.cash_index), key=lambda ln: (-ln.value, ln.symbol)):
        if short < CENT / 2 or not line.can_sell or not worth_trading(line, -line.quantity):
            continue
        quantity = _raising(line, short)
        result[line.symbol] = -quantity
        short -= cash_effect(line, -quantity)
    return result


def _raising(line: Line, short: float) -> float:
    """Units of a cash holding whose sale brings `short` after costs, or all that is held."""
    wanted = max(short, line.minimum)
    for _ in range(4):
        quantity = exact(math.ceil(wanted / line.step_value - DUST), line.step)
        if quantity >= line.quantity:
            return line.quantity
        missing = short - cash_effect(line, -quantity)
        if missing <= 0:
            return quantity if worth_trading(line, -quantity) else line.quantity
        wanted += missing
    return line.quantity


def merge(first: Quantities, second: Quantities) -> Quantities:
    """One net trade per security."""
    result = dict(first)
    for symbol, quantity in second.items():
        result[symbol] = float(f"{result.get(symbol, 0.0) + quantity:.12g}")
    return {symbol: quantity for symbol, quantity in result.items() if quantity}
