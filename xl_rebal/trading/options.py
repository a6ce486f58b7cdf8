"""What one class may do to reach its aim: the whole-share trades of its securities.

First the few ways that usually are best (each security's whole steps on both sides of the aim, the
fewest securities that are large enough to sell); then, where they can be counted, every other way with
as few trades that ends within one step of the aim, so that a choice among them is the best there is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xl_rebal.drift import TOLERANCE
from xl_rebal.trading.destinations import Aims, strict_line
from xl_rebal.trading.problem import (
    ALTERNATIVES,
    CENT,
    Line,
    Problem,
    buyable,
    cash_effect,
    class_step,
    preferred_buys,
    trade_cost,
    trade_value,
    worth_trading,
)

DUST = 1e-9  # of a step: a whole number of steps reached by division is still whole
_PARTS = 40  # ways looked at to split a sale between two securities
_ONE_TRADE = 120  # ways with one trade that are counted, in one class
_TWO_TRADES = 1_500  # ways with two


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
        quantity = abs(n)
        value, paid = trade_value(line, quantity), trade_cost(line, n)
        cash += (value if n < 0 else -value) - paid
        moved += n * line.unit_value
        cost += paid
        turnover += value / 2
    return Option(tuple(trades), cash, moved, cost, turnover, against)


NOTHING = option_of(())


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
    options = [o for o in options if not _grows_breach(problem, found, k, o)]
    step = class_step(problem, k)
    if not slack:
        close = [o for o in options if abs(o.moved - delta) < step * (1 + DUST)]
        # A share so large that trading it leaves the class as far away as before is not traded.
        options = close or [o for o in options if abs(o.moved - delta) < abs(delta) - CENT / 2]
    whole = problem.target[k] == 0.0 and abs(problem.value[k] + delta) < CENT / 2
    if abs(delta) < step and k not in found.strict and not (whole and options):
        options.append(NOTHING)  # without a trade the class is within one step already
    elif not options:
        options.append(NOTHING)
    return options


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
        return _sells(problem.lines_of(k), -delta, class_step(problem, k))
    signed = math.copysign(quantity, delta)
    return [option_of([(line, signed)])] if worth_trading(line, signed) else []


def _buys(lines: Sequence[Line], amount: float, *, slack: int) -> list[Option]:
    preferred = preferred_buys(lines)
    options = []
    for line in preferred:
        whole, part = _steps(amount, line)
        counts = {whole, whole + 1} if part > DUST else {whole, whole - 1}
        counts |= {whole - extra for extra in range(1, slack + 1)}
        options += [option_of([(line, q)]) for q in _orders(line, counts)]
    for first, second in itertools.permutations(preferred, 2):
        # What one security's whole steps leave is bought in one with smaller steps.
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


def _sells(lines: Sequence[Line], amount: float, step: float) -> list[Option]:
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    if amount > math.fsum(line.value for line in able) - CENT / 2:
        return [option_of([(line, -line.quantity) for line in able])] if able else []
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
            options += [option_of([(line, -q)]) for q in _sell_quantities(line, amount)]
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


def _grows_breach(problem: Problem, found: Aims, k: int, option: Option) -> bool:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a class may do.

    options  the ways, the usual ones first.
    usual    how many of them are usual ones.
    least    no way to end within one step of the aim has fewer trades.
    beyond   the fewest trades of any way that is not among them; infinite when there is none.
    """

    options: list[Option]
    usual: int
    least: int
    beyond: float


Choices = dict[int, Offer]


def choices(problem: Problem, found: Aims, *, slack: int = 0, every: bool = False) -> Choices:
    """What each class may do to reach its aim, by class; classes that are to stay have none.

    slack  further steps that buys may stay below their destination when rounding alone leaves
    cash short (large steps in a small account).
    every  True counts all ways, where it can be done; else the usual ones are offered.
    """
    result = {}
    for k, delta in enumerate(found.delta):
        if k != problem.cash_index and (options := _options(problem, found, k, delta, slack)):
            result[k] = _offer(problem, found, k, options, every=every)
    return result


def _offer(problem: Problem, found: Aims, k: int, usual: list[Option], *, every: bool) -> Offer:
    """The usual ways and, where there is more than one security to take, all others as short."""
    delta, step = found.delta[k], class_step(problem, k)
    least = min(len(option.trades) for option in usual)
    lines = problem.lines_of(k)
    able = [line for line in lines if line.can_buy or line.can_sell]
    whole = problem.target[k] == 0.0 and abs(problem.value[k] + delta) < CENT / 2
    stops = k in found.strict and any(abs(o.moved - delta) < CENT / 2 for o in usual)
    if k in found.strict and not stops:
        return Offer(options=usual, usual=len(usual), least=least, beyond=least)
    if len(able) < 2 or stops or whole:
        # One security has no more ways than its whole steps on both sides; a class that must go, or
        # stop at its edge, has only the one.
        inside = whole or stops or _all_inside(usual, delta, step)
        beyond = math.inf if inside else least
        return Offer(options=usual, usual=len(usual), least=least, beyond=beyond)
    if not every:
        return Offer(options=usual, usual=len(usual), least=least, beyond=least)
    window = (delta - step * (1 + DUST), delta + step * (1 + DUST))
    moves = _Moves(lines)
    idle = any(not option.trades for option in usual)
    more = moves.singles(window)
    if more is None:
        least = 0 if idle else 1
        return Offer(options=usual, usual=len(usual), least=least, beyond=least)
    more = [option for option in more if _allowed(problem, found, k, option)]
    least, beyond = 0 if idle else 1, 2.0
    if not more and not (idle and abs(delta) < step):
        pairs = moves.pairs(window)
        more = [option for option in pairs or () if _allowed(problem, found, k, option)]
        nothing_else = idle and len(able) < 3
        least = 0 if nothing_else else 2
        beyond = 3.0 if pairs is not None and (more or nothing_else) else least
        if more:  # doing nothing was only for want of anything else
            usual = [option for option in usual if option.trades]
    return Offer(options=_union(usual, more), usual=len(usual), least=least, beyond=beyond)


def _allowed(problem: Problem, found: Aims, k: int, option: Option) -> bool:
    """False where it would carry the class past its target by a step, or into a new breach."""
    past = problem.value[k] + option.moved - problem.target[k] * (problem.base - found.cost)
    up = option.moved > 0
    step = max(line.step_value for line, n in option.trades if (n > 0) == up)
    too_far = (past if up else -past) >= step * (1 - 1e-6)
    return not too_far and not _grows_breach(problem, found, k, option)


def _all_inside(options: Sequence[Option], delta: float, step: float) -> bool:
    """False where the only ways end farther than a step from the aim."""
    return all(not o.trades or abs(o.moved - delta) < step * (1 + DUST) for o in options)


def _union(first: Sequence[Option], second: Sequence[Option]) -> list[Option]:
    found = {_key(option): option for option in (*first, *second)}
    return list(found.values())


def _key(option: Option) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((line.symbol, n) for line, n in option.trades if n))


class _Moves:
    """Every signed quantity of a class's securities that may be traded, by the money that it moves."""

    def __init__(self, lines: Sequence[Line]) -> None:
        wanted = {line.symbol for line in buyable(lines)}
        self._lines = [ln for ln in lines if ln.can_sell or ln.symbol in wanted]
        self._wanted = wanted
        ranks = sorted({ln.rank for ln in lines if ln.can_sell}, reverse=True)
        self._place = {rank: place for place, rank in enumerate(ranks)}

    def singles(self, window: tuple[float, float]) -> list[Option] | None:
        """Every single trade that moves an amount inside the window; None when there are too many."""
        count = sum((window[1] - window[0]) / line.step_value + 2 for line in self._lines)
        if count > _ONE_TRADE:
            return None
        return [
            self._made([(line, n)]) for line in self._lines for n in self._inside(line, *window)
        ]

    def pairs(self, window: tuple[float, float]) -> list[Option] | None:
        """Every two trades that together move an amount inside the window; None for too many.

        Of two securities sold, the one of lower preference goes whole. A class that is to gain sells
        nothing.
        """
        found: list[Option] = []
        for first, second in itertools.combinations(self._lines, 2):
            most = math.inf if second.symbol in self._wanted else 0.0
            least = -second.value if second.can_sell else 0.0
            low = max(window[0] - most, -first.value if first.can_sell else 0.0)
            high = min(window[1] - least, math.inf if first.symbol in self._wanted else 0.0)
            if (high - low) / first.step_value > _TWO_TRADES:
                return None
            unit, other = first.unit_value, second.unit_value
            for n in self._inside(first, low - first.step_value, high + first.step_value):
                rest = (window[0] - n * first.unit_value, window[1] - n * first.unit_value)
                if (rest[1] - rest[0]) / second.step_value > _ONE_TRADE:
                    return None
                found += [
                    self._made([(first, n), (second, m)])
                    for m in self._inside(second, *rest)
                    if _in_order(first, n, second, m) and (n * m > 0 or n * unit + m * other < 0)
                ]
                if len(found) > _TWO_TRADES:
                    return None
        return found

    def _inside(self, line: Line, low: float, high: float) -> Iterator[float]:
        """Signed quantities that move money strictly between low and high."""
        unit, step = line.unit_value, line.step_value
        if line.can_sell and low < 0:
            held = math.ceil(line.quantity / line.step - DUST)
            first = max(1, math.ceil(-high / step - DUST))
            for count in range(first, min(held, math.floor(-low / step + DUST) + 1) + 1):
                n = -min(exact(count, line.step), line.quantity)
                if low < n * unit < high and worth_trading(line, n):
                    yield n
        if line.symbol in self._wanted and high > 0:
            for count in range(
                max(1, math.ceil(low / step - DUST)), math.floor(high / step + DUST) + 1
            ):
                n = exact(count, line.step)
                if low < n * unit < high and worth_trading(line, n):
                    yield n

    def _made(self, trades: Sequence[tuple[Line, float]]) -> Option:
        return option_of(trades, sum(self._place[line.rank] for line, n in trades if n < 0))


def _in_order(first: Line, n: float, second: Line, m: float) -> bool:
    if n >= 0 or m >= 0 or first.rank == second.rank:
        return True
    worse, sold = (first, n) if first.rank > second.rank else (second, m)
    return -sold >= worse.quantity
