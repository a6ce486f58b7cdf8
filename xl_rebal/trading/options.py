"""What one class may do to reach its aim: the whole-share trades of its securities.

The few ways that usually are best: each security's whole steps on both sides of the aim, the fewest
securities that are large enough to sell; and pairs of them, where one leaves too much.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from xl_rebal.drift import TOLERANCE
from xl_rebal.trading.destinations import Aims, strict_line
from xl_rebal.trading.problem import (
    ALTERNATIVES,
    CENT,
    Line,
    Problem,
    cash_effect,
    class_step,
    money_of,
    preferred_buys,
    worth_trading,
)

DUST = 1e-9  # of a step: a whole number of steps reached by division is still whole
_PARTS = 40  # ways looked at to split a sale between two securities


@dataclass(frozen=True, slots=True)
class Option:
    """One way to trade a class: signed units by line, with what they do."""

    trades: tuple[tuple[Line, float], ...]
    cash: float
    moved: float
    cost: float
    turnover: float
    against: int = 0  # how far the securities sold are from the least preferred, in ranks

    @property
    def size(self) -> float:
        """Money held in the securities that it trades."""
        return sum(line.value for line, _ in self.trades)

    def cash_by(self, day: int) -> float:
        """Change of cash through its trades that settle by a day."""
        return math.fsum(cash_effect(line, n) for line, n in self.trades if line.settles <= day)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols it trades."""
        return tuple(sorted(line.symbol for line, _ in self.trades))


def option_of(trades: Sequence[tuple[Line, float]], against: int = 0) -> Option:
    """The option that trades make: signed units by line."""
    cash = moved = cost = turnover = 0.0
    for line, n in trades:
        value, paid, _ = money_of(line, n)
        cash += (value if n < 0 else -value) - paid
        moved += n * line.unit_value
        cost += paid
        turnover += value / 2
    return Option(tuple(trades), cash, moved, cost, turnover, against)


NOTHING = option_of(())


More = Callable[[], list[Option]]


def none() -> list[Option]:
    """No more ways."""
    return []


def usual_ways(
    problem: Problem, found: Aims, k: int, delta: float, slack: int
) -> tuple[list[Option], More]:
    """The usual ways; and more of them that take more trades, worked out when they are asked for."""
    step = class_step(problem, k)
    first, more = _candidates(problem, found, k, delta, slack)

    def able(options: Sequence[Option]) -> list[Option]:
        return [o for o in options if not grows_breach(problem, found, k, o)]

    def close(options: Sequence[Option]) -> list[Option]:
        return able([o for o in options if abs(o.moved - delta) < step * (1 + DUST)])

    allowed = able if slack else close
    options = allowed(first)
    if not options and not slack:
        first, more = [*first, *more()], none
        # A share so large that trading it leaves the class as far away as before is not traded.
        near = abs(delta) - CENT / 2
        options = close(first) or able([o for o in first if abs(o.moved - delta) < near])
    elif not options:
        options, more = able(more()), none
    whole = problem.target[k] == 0.0 and abs(problem.value[k] + delta) < CENT / 2
    if abs(delta) < step and k not in found.strict and not (whole and options):
        options.append(NOTHING)  # without a trade the class is within one step already
    elif not options:
        options.append(NOTHING)
    return options, more if more is none else lambda: allowed(more())


def _candidates(
    problem: Problem, found: Aims, k: int, delta: float, slack: int
) -> tuple[list[Option], More]:
    lines, step = problem.lines_of(k), class_step(problem, k)
    if k in found.strict:
        return _strict(problem, k, delta), none
    if delta > 0:
        preferred = preferred_buys(lines)
        return _buys(preferred, delta, slack=slack), lambda: _two_buys(preferred, delta)
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    if -delta > math.fsum(line.value for line in able) - CENT / 2:
        everything = [option_of([(line, -line.quantity) for line in able])] if able else []
        return everything, none
    return _sells(able, -delta), lambda: _two_sells(lines, able, -delta, step)


def _steps(amount: float, line: Line) -> tuple[int, float]:
    steps = amount / line.step_value
    whole = math.floor(steps + DUST)
    return whole, max(0.0, steps - whole)


def _strict(problem: Problem, k: int, delta: float) -> list[Option]:
    """The one trade that ends strictly inside the band: the delta is already whole steps of its line."""
    line = strict_line(problem, k, buy=delta > 0)
    if line is None:
        return []
    quantity = exact(round(abs(delta) / line.step_value), line.step)
    if delta < 0 and quantity > line.quantity:
        return _all_sells(problem.lines_of(k), -delta, class_step(problem, k))
    signed = math.copysign(quantity, delta)
    return [option_of([(line, signed)])] if worth_trading(line, signed) else []


def _buys(preferred: Sequence[Line], amount: float, *, slack: int) -> list[Option]:
    options = []
    for line in preferred:
        whole, part = _steps(amount, line)
        counts = {whole, whole + 1} if part > DUST else {whole, whole - 1}
        counts |= {whole - extra for extra in range(1, slack + 1)}
        options += [option_of([(line, q)]) for q in _orders(line, counts)]
    return options


def _two_buys(preferred: Sequence[Line], amount: float) -> list[Option]:
    """What one security's whole steps leave is bought in one with smaller steps."""
    options = []
    for first, second in itertools.permutations(preferred, 2):
        if second.step_value < first.step_value:
            whole, part = _steps(amount, first)
            rest, _ = _steps(part * first.step_value, second)
            for q1, q2 in itertools.product(
                _orders(first, {whole}), _orders(second, {rest, rest + 1})
            ):
                options.append(option_of([(first, q1), (second, q2)]))
    return options


def _orders(line: Line, counts: Iterable[int], side: int = 1) -> list[float]:
    """Quantities of so many steps that may be bought (or sold: side -1) as one order."""
    quantities = [exact(count, line.step) for count in sorted(counts) if count > 0]
    return [q for q in quantities if worth_trading(line, side * q)]


def _all_sells(lines: Sequence[Line], amount: float, step: float) -> list[Option]:
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    if amount > math.fsum(line.value for line in able) - CENT / 2:
        return [option_of([(line, -line.quantity) for line in able])] if able else []
    return _sells(able, amount) + _two_sells(lines, able, amount, step)


def _large_enough(able: Sequence[Line], amount: float) -> list[Line]:
    return [line for line in able if line.value > amount - line.step_value or _all_of(line, amount)]


def _sells(able: Sequence[Line], amount: float) -> list[Option]:
    """One security that is large enough on its own, of the lowest preference among these."""
    single = _large_enough(able, amount)
    if not single:
        return []
    worst = max(line.rank for line in single)
    single = [line for line in single if line.rank == worst]
    single.sort(key=lambda line: (-line.value, line.symbol))
    return [
        option_of([(line, -q)])
        for line in single[:ALTERNATIVES]
        for q in _sell_quantities(line, amount)
    ]


def _two_sells(
    lines: Sequence[Line], able: Sequence[Line], amount: float, step: float
) -> list[Option]:
    """Two securities, or as many as it takes where none is large enough."""
    single = _large_enough(able, amount)
    options = []
    groups = _pairs(able, amount) if single else _smallest_groups(able, amount)
    for full, last in groups:
        rest = amount - math.fsum(-n * line.unit_value for line, n in full)
        options += [option_of([*full, (last, -q)]) for q in _sell_quantities(last, rest)]
    coarse = [line for line in able if line.step_value > step]
    return options + _sold_and_bought_back(lines, coarse, amount)


def _sold_and_bought_back(
    lines: Sequence[Line], able: Sequence[Line], amount: float
) -> list[Option]:
    """One whole step too much of a coarse security, and the excess back in a finer one."""
    options = []
    for coarse in sorted(able, key=lambda line: (-line.value, line.symbol))[:ALTERNATIVES]:
        whole, _ = _steps(amount, coarse)
        quantity = min(exact(whole + 1, coarse.step), coarse.quantity)
        excess = quantity * coarse.unit_value - amount
        if not worth_trading(coarse, -quantity):
            continue
        for fine in preferred_buys([ln for ln in lines if ln.step_value < coarse.step_value]):
            steps, _ = _steps(excess, fine)
            if fine.symbol != coarse.symbol and excess > 0:
                options += [
                    option_of([(coarse, -quantity), (fine, q)])
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
    high = math.floor(min(first.quantity / first.step, amount / first.step_value) + DUST)
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
        counts = [whole, whole + 1] if part > DUST else [whole]
        # A whole step more than is held means all of it, fractions included.
        quantities = sorted({min(exact(c, line.step), line.quantity) for c in counts if c > 0})
    return [q for q in quantities if worth_trading(line, -q)]


def exact(count: int, step: float) -> float:
    """`count` steps as the shortest decimal: 3 x 0.1 is 0.3."""
    return float(f"{count * step:.12g}")


def grows_breach(problem: Problem, found: Aims, k: int, option: Option) -> bool:
    """True when rounding would carry a class past its target and out of its band on the total after
    costs: very large steps, or very narrow bands.
    """
    before = problem.value[k] / problem.base - problem.target[k]
    left = problem.base - max(found.cost, option.cost)
    if left <= 0:
        return True
    after = (problem.value[k] + option.moved) / left - problem.target[k]
    outside = after > problem.up[k] - TOLERANCE or -after > problem.down[k] - TOLERANCE
    return outside and before * after < 0
