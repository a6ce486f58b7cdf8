"""Whole shares: from money per class to quantities per security, in the order of a good plan.

The order (after the constraints, and every traded class within one step of its destination):
fewest trades; least sum of |distance from the wanted values|, cash counted; lowest cost; then the
largest position, then the symbol. Every combination of the rounding choices is looked at, so the
order is followed exactly as long as there are at most `COMBINATIONS` of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xl_rebal.drift import TOLERANCE
from xl_rebal.trading.destinations import Aims, strict_line
from xl_rebal.trading.problem import (
    ALTERNATIVES,
    CENT,
    Line,
    Problem,
    Quantities,
    cash_effect,
    class_step,
    early_shortage,
    preferred_buys,
    trade_cost,
    trade_value,
    worth_trading,
)

COMBINATIONS = 1 << 16
_DUST = 1e-9  # of a step: a whole number of steps reached by division is still whole
_PARTS = 40  # ways looked at to split a sale between two securities


@dataclass(frozen=True, slots=True)
class Option:
    """One way to trade a class: signed units by line, with what they do."""

    trades: tuple[tuple[Line, float], ...]
    cash: float
    moved: float
    cost: float
    turnover: float

    @property
    def size(self) -> float:
        """Money held in the securities that it trades."""
        return sum(line.value for line, _ in self.trades)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols it trades."""
        return tuple(sorted(line.symbol for line, _ in self.trades))


def _option(trades: Sequence[tuple[Line, float]]) -> Option:
    cash = moved = cost = turnover = 0.0
    for line, n in trades:
        quantity = abs(n)
        value, paid = trade_value(line, quantity), trade_cost(line, n)
        cash += (value if n < 0 else -value) - paid
        moved += n * line.unit_value
        cost += paid
        turnover += value / 2
    return Option(tuple(trades), cash, moved, cost, turnover)


NOTHING = _option(())


@dataclass(frozen=True, slots=True)
class Excess:
    """No rounding of the aims fits: how much money is missing at least, and how far over the cap.

    cash      money by which the best rounding overdraws; 0 when the turnover cap is what binds.
    turnover  least turnover of any rounding in money.
    """

    cash: float
    turnover: float


Choices = dict[int, list[Option]]


def choices(problem: Problem, found: Aims, *, slack: int = 0) -> Choices:
    """What each class may do to reach its aim, by class; classes that are to stay have none.

    slack  further steps that buys may stay below their destination when rounding alone leaves
    cash short (large steps in a small account).
    """
    return {
        k: options
        for k, delta in enumerate(found.delta)
        if k != problem.cash_index and (options := _options(problem, found, k, delta, slack))
    }


def size(problem: Problem, found: Aims, offered: Choices) -> Quantities | Excess:
    """The best quantities for the aims, or what is in the way of any."""
    per_class = list(offered.items())
    fixed, rest = _split(problem, per_class)
    chosen = _best(problem, found, fixed, rest)
    if isinstance(chosen, Excess):
        return chosen
    result: Quantities = {}
    for option in chosen:
        for line, n in option.trades:
            if n:
                result[line.symbol] = n
    moved = sum(option.cash for option in chosen)
    early = early_shortage(problem, result)
    return _with_money_funds(problem, result, min(moved, -problem.cash - early) if early else moved)


def _options(problem: Problem, found: Aims, k: int, delta: float, slack: int) -> list[Option]:
    lines = problem.lines_of(k)
    if k in found.strict and delta:
        options = _strict(problem, k, delta)
    elif delta > 0:
        options = _buys(lines, delta, slack=slack)
    elif delta < 0:
        options = _sells(lines, -delta, class_step(problem, k))
    else:
        return []
    options = [o for o in options if not _grows_breach(problem, k, o)]
    step = class_step(problem, k)
    if not slack:
        close = [o for o in options if abs(o.moved - delta) < step * (1 + _DUST)]
        # A share so large that trading it leaves the class as far away as before is not traded.
        options = close or [o for o in options if abs(o.moved - delta) < abs(delta) - CENT / 2]
    whole = problem.target[k] == 0.0 and abs(problem.value[k] + delta) < CENT / 2
    if abs(delta) < step and k not in found.strict and not (whole and options):
        options.append(NOTHING)  # without a trade the class is within one step already
    elif not options:
        options.append(NOTHING)
    return options


def below_minimum(problem: Problem, found: Aims, offered: Choices) -> list[int]:
    """Classes that ought to trade and cannot, because every trade would be below its minimum size."""
    return [
        k
        for k, options in offered.items()
        if abs(found.delta[k]) >= max(class_step(problem, k), CENT)
        and all(not option.trades for option in options)
    ]


def _steps(amount: float, line: Line) -> tuple[int, float]:
    steps = amount / line.step_value
    whole = math.floor(steps + _DUST)
    return whole, max(0.0, steps - whole)


def _strict(problem: Problem, k: int, delta: float) -> list[Option]:
    """The one trade that ends strictly inside the band: the delta is already whole steps of its line."""
    line = strict_line(problem, k, buy=delta > 0)
    if line is None:
        return []
    quantity = _exact(round(abs(delta) / line.step_value), line.step)
    if delta < 0 and quantity > line.quantity:
        return _sells(problem.lines_of(k), -delta, class_step(problem, k))
    signed = math.copysign(quantity, delta)
    return [_option([(line, signed)])] if worth_trading(line, signed) else []


def _buys(lines: Sequence[Line], amount: float, *, slack: int) -> list[Option]:
    preferred = preferred_buys(lines)
    options = []
    for line in preferred:
        whole, part = _steps(amount, line)
        counts = {whole, whole + 1} if part > _DUST else {whole, whole - 1}
        counts |= {whole - extra for extra in range(1, slack + 1)}
        options += [_option([(line, q)]) for q in _orders(line, counts)]
    for first, second in itertools.permutations(preferred, 2):
        # What one security's whole steps leave is bought in one with smaller steps.
        if second.step_value < first.step_value:
            whole, part = _steps(amount, first)
            rest, _ = _steps(part * first.step_value, second)
            for q1, q2 in itertools.product(
                _orders(first, {whole}), _orders(second, {rest, rest + 1})
            ):
                options.append(_option([(first, q1), (second, q2)]))
    return options


def _orders(line: Line, counts: Iterable[int], side: int = 1) -> list[float]:
    """Quantities of so many steps that may be bought (or sold: side -1) as one order."""
    quantities = [_exact(count, line.step) for count in sorted(counts) if count > 0]
    return [q for q in quantities if worth_trading(line, side * q)]


def _sells(lines: Sequence[Line], amount: float, step: float) -> list[Option]:
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    if amount > math.fsum(line.value for line in able) - CENT / 2:
        return [_option([(line, -line.quantity) for line in able])] if able else []
    # One security that is large enough on its own, of the lowest preference among these.
    single = [
        line for line in able if line.value > amount - line.step_value or _all_of(line, amount)
    ]
    options = []
    if single:
        worst = max(line.rank for line in single)
        single = [line for line in single if line.rank == worst]
        single.sort(key=lambda line: (-line.value, line.symbol))
        for line in single[:ALTERNATIVES]:
            options += [_option([(line, -q)]) for q in _sell_quantities(line, amount)]
    groups = _pairs(able, amount) if single else _smallest_groups(able, amount)
    for full, last in groups:
        rest = amount - math.fsum(-n * line.unit_value for line, n in full)
        options += [_option([*full, (last, -q)]) for q in _sell_quantities(last, rest)]
    coarse = [line for line in able if line.step_value > step]
    return options + _sold_and_bought_back(lines, coarse, amount)


def _sold_and_bought_back(
    lines: Sequence[Line], able: Sequence[Line], amount: float
) -> list[Option]:
    """One whole step too much of a coarse security, and the excess back in a finer one."""
    options = []
    for coarse in sorted(able, key=lambda line: (-line.value, line.symbol))[:ALTERNATIVES]:
        whole, _ = _steps(amount, coarse)
        quantity = min(_exact(whole + 1, coarse.step), coarse.quantity)
        excess = quantity * coarse.unit_value - amount
        if not worth_trading(coarse, -quantity):
            continue
        for fine in preferred_buys([ln for ln in lines if ln.step_value < coarse.step_value]):
            steps, _ = _steps(excess, fine)
            if fine.symbol != coarse.symbol and excess > 0:
                options += [
                    _option([(coarse, -quantity), (fine, q)])
                    for q in _orders(fine, {steps, steps + 1})
                ]
    return options


Sold = list[tuple[Line, float]]


def _pairs(able: Sequence[Line], amount: float) -> list[tuple[Sold, Line]]:
    """Two securities where one would do: for when the whole steps of one leave too much."""
    result: list[tuple[Sold, Line]] = []
    largest = sorted(able, key=lambda line: (-line.rank, -line.value, line.symbol))[:ALTERNATIVES]
    for first, second in itertools.permutations(largest, 2):
        if first.value < amount:
            result.append(([(first, -first.quantity)], second))
        whole, _ = _steps(amount, first)
        part = [q for q in _orders(first, {whole}, -1) if q < first.quantity]
        result += [([(first, -q)], second) for q in part if second.step_value < first.step_value]
    return result


def _all_of(line: Line, amount: float) -> bool:
    return abs(line.value - amount) < CENT / 2


def _smallest_groups(able: Sequence[Line], amount: float) -> list[tuple[Sold, Line]]:
    """The fewest securities that together are large enough: what is sold whole, and the last one.

    Groups are taken by largest value; among those of the same size, the lowest preference is sold
    whole. Two securities may also be sold in part, as many whole steps of the first as fit.
    """
    ordered = sorted(able, key=lambda line: (-line.value, line.symbol))
    total = 0.0
    count = len(ordered)
    for position, line in enumerate(ordered, start=1):
        total += line.value
        if total > amount - line.step_value:
            count = position
            break
    group = sorted(ordered[:count], key=lambda ln: (-ln.rank, ln.value, ln.symbol))
    ranked = len({line.rank for line in group}) > 1
    result: list[tuple[Sold, Line]] = []
    for last in group[-1:] if ranked else group[-ALTERNATIVES:]:
        whole = [line for line in group if line is not last]
        result.append(([(line, -line.quantity) for line in whole], last))
        if len(whole) == 1:
            result += [([(whole[0], -q)], last) for q in _parts_of(whole[0], last, amount)]
    return result


def _parts_of(first: Line, last: Line, amount: float) -> list[float]:
    """Partial quantities of `first` that leave no more than `last` can provide."""
    least = max(0.0, amount - last.value)
    low = max(1, math.floor(least / first.step_value))
    high = math.floor(min(first.quantity / first.step, amount / first.step_value) + _DUST)
    return [
        q for q in _orders(first, range(low, min(high, low + _PARTS) + 1), -1) if q < first.quantity
    ]


def _sell_quantities(line: Line, amount: float) -> list[float]:
    """Whole steps on both sides of an amount, or all of it; none below the smallest order."""
    if amount <= 0:
        return []
    if _all_of(line, amount) or amount >= line.value:
        quantities = [line.quantity]
    else:
        whole, part = _steps(amount, line)
        counts = [whole, whole + 1] if part > _DUST else [whole]
        # A whole step more than is held means all of it, fractions included.
        quantities = sorted({min(_exact(c, line.step), line.quantity) for c in counts if c > 0})
    return [q for q in quantities if worth_trading(line, -q)]


def _exact(count: int, step: float) -> float:
    """`count` steps as the shortest decimal: 3 x 0.1 is 0.3."""
    return float(f"{count * step:.12g}")


def _grows_breach(problem: Problem, k: int, option: Option) -> bool:
    """True when rounding would carry a class past its target and out of its band (very large steps)."""
    base = problem.base
    before = problem.value[k] / base - problem.target[k]
    after = (problem.value[k] + option.moved) / base - problem.target[k]
    outside = after > problem.up[k] - TOLERANCE or -after > problem.down[k] - TOLERANCE
    return outside and before * after < 0


def _split(
    problem: Problem, per_class: list[tuple[int, list[Option]]]
) -> tuple[list[tuple[int, Option]], list[tuple[int, list[Option]]]]:
    """Classes whose choice is looked at in combination, and those fixed beforehand to bound the work.

    Fixed are the classes with the smallest steps: they take the choice that leaves most cash, which
    is always feasible and moves the result least.
    """
    rest = sorted(per_class, key=lambda item: -_spread(item[1]))
    fixed: list[tuple[int, Option]] = []
    while math.prod(len(options) for _, options in rest) > COMBINATIONS:
        k, options = rest.pop()
        fixed.append((k, max(options, key=lambda o: (-len(o.trades), o.cash))))
    return fixed, rest


def _spread(options: Sequence[Option]) -> float:
    return max(o.moved for o in options) - min(o.moved for o in options)


def _best(
    problem: Problem,
    found: Aims,
    fixed: list[tuple[int, Option]],
    rest: list[tuple[int, list[Option]]],
) -> list[Option] | Excess:
    base = problem.base
    cash = math.fsum(o.cash for _, o in fixed)
    trades = sum(len(o.trades) for _, o in fixed)
    cost = math.fsum(o.cost for _, o in fixed)
    turnover = math.fsum(o.turnover for _, o in fixed)
    distance = 0.0
    table = _Table(cash, trades, distance, cost, turnover)
    for k, options in rest:
        table.add(options, [abs(problem.value[k] + o.moved - found.wanted[k]) for o in options])
    funds = _funds(problem.lines_of(problem.cash_index))
    left = problem.cash + table.cash
    idle = abs(problem.value[problem.cash_index] + table.cash - found.cash_aim)
    able = left + funds > -CENT / 2
    early = _early(problem, [o for _, o in fixed], rest)
    if early.size:
        able &= early > -CENT / 2
    if problem.max_turnover is not None:
        able &= table.turnover <= problem.max_turnover * base + CENT / 2
    if not able.any():
        least = np.minimum(left + funds, early) if early.size else left + funds
        return Excess(max(0.0, -float(least.max())), float(table.turnover.min()))
    keys = (
        table.trades + (left < -CENT / 2),  # selling a money fund is one trade more
        np.round((table.distance + idle) / base / TOLERANCE),
        np.round(table.cost / CENT),
    )
    pick = np.flatnonzero(able)
    for key in keys:
        pick = pick[key[pick] == key[pick].min()]
    ties = [table.options(int(i), rest) for i in pick[:64]]
    if len(ties) == 1:
        return [*(o for _, o in fixed), *ties[0]]
    order = {id(o): (o.size, o.symbols) for _, options in rest for o in options}
    best = min(
        ties,
        key=lambda os: (-sum(order[id(o)][0] for o in os), [order[id(o)][1] for o in os]),
    )
    return [*(o for _, o in fixed), *best]


def _funds(lines: Sequence[Line]) -> float:
    """Money that selling the account's money funds brings, after what their custodian charges."""
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    return math.fsum(cash_effect(line, -line.quantity) for line in able)


def _early(
    problem: Problem, fixed: Sequence[Option], rest: Sequence[tuple[int, list[Option]]]
) -> NDArray[np.float64]:
    """For every combination, the least cash that is left on any day before the last settlement."""
    result: NDArray[np.float64] = np.empty(0)
    for due in problem.early:

        def effect(option: Option, day: int = due.settles) -> float:
            return math.fsum(cash_effect(ln, n) for ln, n in option.trades if ln.settles <= day)

        early = [ln for ln in problem.lines_of(problem.cash_index) if ln.settles <= due.settles]
        funds = _funds(early)
        left = np.array([due.cash + funds + math.fsum(map(effect, fixed))])
        for _, options in rest:
            left = _outer(left, [effect(option) for option in options])
        result = np.minimum(result, left) if result.size else left
    return result


class _Table:
    """Sums over every combination of one option per class, built up class by class."""

    __slots__ = ("cash", "cost", "distance", "sizes", "trades", "turnover")

    def __init__(
        self, cash: float, trades: int, distance: float, cost: float, turnover: float
    ) -> None:
        self.cash = np.array([cash])
        self.trades = np.array([trades], dtype=np.int64)
        self.distance = np.array([distance])
        self.cost = np.array([cost])
        self.turnover = np.array([turnover])
        self.sizes: list[int] = []

    def add(self, options: Sequence[Option], distance: Sequence[float]) -> None:
        """Combine what is there with the options of one more class."""
        self.cash = _outer(self.cash, [o.cash for o in options])
        self.trades = _outer(self.trades, [len(o.trades) for o in options])
        self.distance = _outer(self.distance, distance)
        self.cost = _outer(self.cost, [o.cost for o in options])
        self.turnover = _outer(self.turnover, [o.turnover for o in options])
        self.sizes.append(len(options))

    def options(self, index: int, rest: Sequence[tuple[int, list[Option]]]) -> list[Option]:
        """The options that a combination consists of."""
        picked = np.unravel_index(index, self.sizes) if self.sizes else ()
        return [options[int(i)] for (_, options), i in zip(rest, picked, strict=True)]


_Number = TypeVar("_Number", bound=np.generic)


def _outer(left: NDArray[_Number], right: Sequence[float]) -> NDArray[_Number]:
    result: NDArray[_Number] = np.add.outer(left, np.array(right, dtype=left.dtype)).ravel()
    return result


def _with_money_funds(problem: Problem, result: Quantities, moved: float) -> Quantities:
    """Sell as much of the account's money funds as settled cash falls short by."""
    short = -(problem.cash + moved)
    for line in sorted(problem.lines_of(problem.cash_index), key=lambda ln: (-ln.value, ln.symbol)):
        if short < CENT / 2 or not line.can_sell:
            continue
        quantity = _raising(line, short)
        result[line.symbol] = -quantity
        short -= cash_effect(line, -quantity)
    return result


def _raising(line: Line, short: float) -> float:
    """Units of a cash holding whose sale brings `short` after costs, or all that is held."""
    wanted = max(short, line.minimum)
    for _ in range(4):
        quantity = _exact(math.ceil(wanted / line.step_value - _DUST), line.step)
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
