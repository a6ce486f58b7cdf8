"""What is on offer for each class: the usual ways to trade it and, when asked for, all others.

Every other way with as few trades that ends within one step of the aim is counted where that can be
done, so that a choice among them is the best there is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.options import (
    DUST,
    More,
    Option,
    exact,
    grows_breach,
    none,
    option_of,
    usual_ways,
)
from xl_rebal.trading.problem import (
    CENT,
    Line,
    Problem,
    buyable,
    class_step,
    worth_trading,
)

_ONE_TRADE = 120  # ways with one trade that are counted, in one class
_TWO_TRADES = 1_500  # ways with two


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a class may do.

    options  the ways, the usual ones first.
    usual    how many of them are usual ones.
    least    no way to end within one step of the aim has fewer trades.
    beyond   the fewest trades of any way that is not among them; infinite when there is none.
    more     further usual ways, each with more trades than one of the options: they matter only where
             the options together cannot be paid for.
    """

    options: list[Option]
    usual: int
    least: int
    beyond: float
    more: More = none

    @property
    def complete(self) -> Offer:
        """The same with all ways among the options."""
        if self.more is none:
            return self
        usual = _union(self.options[: self.usual], self.more())
        options = _union(usual, self.options[self.usual :])
        return replace(self, options=options, usual=len(usual), more=none)


Choices = dict[int, Offer]


def choices(problem: Problem, found: Aims, *, slack: int = 0, every: bool = False) -> Choices:
    """What each class may do to reach its aim, by class; classes that are to stay have none.

    slack  further steps that buys may stay below their destination when rounding alone leaves
    cash short (large steps in a small account).
    every  True counts all ways, where it can be done; else the usual ones are offered.
    """
    result = {}
    for k, delta in enumerate(found.delta):
        if k != problem.cash_index and delta:
            usual, more = usual_ways(problem, found, k, delta, slack)
            result[k] = _offer(problem, found, k, usual, more, every=every)
    return result


def _offer(
    problem: Problem, found: Aims, k: int, usual: list[Option], more: More, *, every: bool
) -> Offer:
    """The usual ways and, where there is more than one security to take, all others as short."""
    delta, step = found.delta[k], class_step(problem, k)
    least = min(len(option.trades) for option in usual)
    lines = problem.lines_of(k)
    able = [line for line in lines if line.can_buy or line.can_sell]
    whole = problem.target[k] == 0.0 and abs(problem.value[k] + delta) < CENT / 2
    stops = k in found.strict and any(abs(o.moved - delta) < CENT / 2 for o in usual)
    if k in found.strict and not stops:
        return Offer(options=usual, usual=len(usual), least=least, beyond=least, more=more)
    if len(able) < 2 or stops or whole:
        # One security has no more ways than its whole steps on both sides; a class that must go, or
        # stop at its edge, has only the one.
        inside = whole or stops or _all_inside(usual, delta, step)
        beyond = math.inf if inside else least
        return Offer(options=usual, usual=len(usual), least=least, beyond=beyond, more=more)
    if not every:
        return Offer(options=usual, usual=len(usual), least=least, beyond=least, more=more)
    window = (delta - step * (1 + DUST), delta + step * (1 + DUST))
    moves = _Moves(lines)
    idle = any(not option.trades for option in usual)
    singles = moves.singles(window)
    if singles is None:
        least = 0 if idle else 1
        return Offer(options=usual, usual=len(usual), least=least, beyond=least, more=more)
    ways = [option for option in singles if _allowed(problem, found, k, option)]
    least, beyond = 0 if idle else 1, 2.0
    if not ways and not (idle and abs(delta) < step):
        usual, more = _union(usual, more()), none
        pairs = moves.pairs(window)
        ways = [option for option in pairs or () if _allowed(problem, found, k, option)]
        nothing_else = idle and len(able) < 3
        least = 0 if nothing_else else 2
        beyond = 3.0 if pairs is not None and (ways or nothing_else) else least
        if ways:  # doing nothing was only for want of anything else
            usual = [option for option in usual if option.trades]
    options = _union(usual, ways)
    return Offer(options=options, usual=len(usual), least=least, beyond=beyond, more=more)


def _allowed(problem: Problem, found: Aims, k: int, option: Option) -> bool:
    """False where it would carry the class past its target by a step, or into a new breach."""
    past = problem.value[k] + option.moved - problem.target[k] * (problem.base - found.cost)
    up = option.moved > 0
    step = max(line.step_value for line, n in option.trades if (n > 0) == up)
    too_far = (past if up else -past) >= step * (1 - 1e-6)
    return not too_far and not grows_breach(problem, found, k, option)


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
