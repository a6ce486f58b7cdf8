"""Combinations of one option per class: the best of them in the order of a good plan.

Sums over combinations are built up class by class, as arrays with a row for each combination. Where
there are too many, those that cannot come out best are left out on the way: what has too many trades,
cannot be paid for, ends too far from the wanted values (branch and bound), or is beaten by another with
no less cash whatever the other classes do (dominance). Both tests leave room for costs, cents and
floats, so that what they leave out is worse for certain.

Distances are measured at one cost, the middle of what any combination costs; that of a combination
differs from it by no more than `_Bounds.by_cost`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.drift import TOLERANCE, Matrix
from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.options import Option
from xl_rebal.trading.problem import CENT, HALF_CENT, Problem, cash_effect, worth_trading

Items = list[tuple[int, list[Option]]]
Rows = NDArray[np.int64]

_CASH, _ABOVE, _BELOW, _COST, _TURNOVER, _TRADES, _AGAINST, _EARLY = range(8)
_TIES = 256
FEW = 64  # combinations that are not worth leaving out any of


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best combination.

    trades    its number of trades, that of a money fund included.
    against   how far its sales go against the ranks.
    distance  its sum of |distance from the wanted values| as a fraction of the total, cash counted.
    """

    options: list[tuple[int, Option]]
    trades: float
    against: float
    distance: float

    def better_than(self, other: Best) -> bool:
        """True when it comes first by trades, ranks and distance."""
        mine = (self.trades, self.against, self.distance)
        return mine < (other.trades, other.against, other.distance)


@dataclass(frozen=True, slots=True)
class _Later:
    """What the options of the classes that are still to come can add to each sum."""

    least: list[float]
    most: list[float]
    apart: float  # the least of what is above and what is below together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """What is known of all combinations.

    by_cost  money by which a distance differs at most from that at the middle cost.
    cents    money by which the rounding of trades to cents moves cash at most.
    middle, half  the middle of their costs, and half their range.
    """

    by_cost: float
    cents: float
    middle: float
    half: float


class Combinations:
    """Sums over combinations of one option per class, built up class by class.

    The sums are an array of one line per quantity (`_CASH` …, then cash by each earlier day) and one
    column per combination.
    """

    def __init__(self, problem: Problem, found: Aims, items: Items) -> None:
        self._problem, self._found, self._items = problem, found, items
        least = math.fsum(min(o.cost for o in options) for _, options in items)
        most = math.fsum(max(o.cost for o in options) for _, options in items)
        trades = sum(max(len(o.trades) for o in options) for _, options in items)
        self._bounds = _Bounds(
            by_cost=sum(map(abs, found.slope)) * (most - least) / 2,
            cents=HALF_CENT * (trades + 1),
            middle=(least + most) / 2,
            half=(most - least) / 2,
        )
        self._dearer = self._bounds.middle - found.cost
        taken, cash = {k for k, _ in items}, problem.cash_index
        self._others = [k for k in range(len(problem.classes)) if k not in taken and k != cash]
        apart = [self._apart(k, 0.0) for k in self._others]
        self._fixed = math.fsum(map(abs, apart))
        # Cash and all classes are apart from their aims by this in all, less what a combination costs.
        self._rest = math.fsum(self._apart(k, 0.0) for k in (cash, *taken)) - self._bounds.middle
        self._funds = _funds(problem, math.inf)
        self._each = self._sums_of(items)
        self._later = _later(self._each, _EARLY + len(problem.early))
        self._start()

    def _start(self) -> None:
        self._sums: Matrix = np.zeros((_EARLY + len(self._problem.early), 1))
        for place, due in enumerate(self._problem.early):
            self._sums[_EARLY + place] = due.cash + _funds(self._problem, due.settles)
        self._kept: list[Rows | None] = []  # which were kept after each class; None for all

    def _apart(self, k: int, moved: float) -> float:
        """Distance of a class (or of cash) from what is wanted of it at the middle cost, signed."""
        problem, found = self._problem, self._found
        wanted = found.cash_aim if k == problem.cash_index else found.wanted[k]
        return problem.value[k] + moved - wanted + found.slope[k] * self._dearer

    def _sums_of(self, items: Items) -> list[Matrix]:
        """The sums of single options, class by class."""
        options = [option for _, each in items for option in each]
        rows: list[list[float]] = [
            [o.cash for o in options],
            [self._apart(k, o.moved) for k, each in items for o in each],
            [0.0] * len(options),
            [o.cost for o in options],
            [o.turnover for o in options],
            [len(o.trades) for o in options],
            [o.against for o in options],
            *([o.cash_by(due.settles) for o in options] for due in self._problem.early),
        ]
        sums = np.array(rows)
        np.maximum(-sums[_ABOVE], 0.0, out=sums[_BELOW])
        np.maximum(sums[_ABOVE], 0.0, out=sums[_ABOVE])
        ends = itertools.accumulate(len(each) for _, each in items)
        return [sums[:, end - len(each) : end] for (_, each), end in zip(items, ends, strict=True)]

    @property
    def count(self) -> int:
        """How many combinations there are."""
        return math.prod(len(options) for _, options in self._items)

    def all_best(self) -> Best | None:
        """The best of all of them, looked at one by one; None when none is in bounds."""
        self._start()
        for each in self._each:
            self._add(each)
        return self._best()

    def some_best(self, width: int) -> Best | None:
        """A good one: of `width` that are kept on the way, those nearest to what is wanted so far."""
        self._start()
        for place, each in enumerate(self._each):
            self._add(each)
            later = self._later[place + 1]
            self._keep(self._payable(later))
            if self._sums.shape[1] > width:
                apart = self._least_apart(later)
                self._keep(apart <= np.partition(apart, width)[width])
        return self._best()

    def search(self, known: Best, most: int) -> Best | None:
        """The best of all of them, no worse than `known`, which is one of them; None where more than
        `most` are left on the way.
        """
        self._start()
        for place, each in enumerate(self._each):
            if self._sums.shape[1] * each.shape[1] > 4 * most:
                return None
            self._add(each)
            later = self._later[place + 1]
            self._keep(self._payable(later) & self._can_beat(known, later))
            if self._sums.shape[1] > FEW:
                self._keep(self._undominated(known))
            if self._sums.shape[1] > most:
                return None
        return self._best() or known

    @property
    def missing(self) -> float:
        """Money by which even those that leave most cash overdraw in the end; 0 where some do not."""
        most = self._problem.cash + self._funds + self._later[0].most[_CASH]
        return -most if most <= -HALF_CENT else 0.0

    def shortage(self) -> float:
        """The same on the worst day, once all have been looked at."""
        missing = -float((self._left() + self._funds).max())
        early = self._sums[_EARLY:]
        if len(early):
            missing = max(missing, -float(early.min(axis=0).max()))
        return max(0.0, missing)

    @property
    def least_turnover(self) -> float:
        """The least turnover of any, in money."""
        return self._later[0].least[_TURNOVER]

    def _add(self, each: Matrix) -> None:
        """Combine what is there with the options of one more class."""
        before = self._sums
        self._sums = (before[:, :, None] + each[:, None, :]).reshape(len(before), -1)
        self._kept.append(None)

    def _keep(self, stay: NDArray[np.bool_]) -> None:
        if stay.all():
            return
        rows = np.flatnonzero(stay)
        self._sums = self._sums[:, rows]
        before = self._kept[-1]
        self._kept[-1] = rows if before is None else before[rows]

    def _payable(self, later: _Later) -> NDArray[np.bool_]:
        """False for those that no options of the later classes can bring into bounds."""
        stay: NDArray[np.bool_] = self._left() + (self._funds + later.most[_CASH]) > -HALF_CENT
        for place in range(_EARLY, len(self._sums)):
            stay &= self._sums[place] + later.most[place] > -HALF_CENT
        if self._problem.max_turnover is not None:
            stay &= self._sums[_TURNOVER] + later.least[_TURNOVER] <= self._cap()
        return stay

    def _cap(self) -> float:
        cap = self._problem.max_turnover
        return math.inf if cap is None else cap * self._problem.base + HALF_CENT

    def _can_beat(self, known: Best, later: _Later) -> NDArray[np.bool_]:
        """False for those that end farther from what is wanted than `known`, and with no fewer trades."""
        sums = self._sums
        trades = sums[_TRADES] + later.least[_TRADES]
        against = sums[_AGAINST] + later.least[_AGAINST]
        near = self._least_apart(later) <= self._farthest(known)
        first = (trades < known.trades) | ((trades == known.trades) & (against < known.against))
        same = (trades == known.trades) & (against == known.against)
        result: NDArray[np.bool_] = first | (same & near)
        return result

    def _least_apart(self, later: _Later) -> Matrix:
        """The least sum of distances that any options of the later classes can bring, in money.

        Cash is what the classes leave, but for costs and cents: the sum is what they are above or what
        they are below their aims, twice, and no less than what they are apart.
        """
        sums, bounds = self._sums, self._bounds
        above = sums[_ABOVE] + (later.least[_ABOVE] - self._rest / 2)
        below = sums[_BELOW] + (later.least[_BELOW] + self._rest / 2)
        apart = sums[_ABOVE] + sums[_BELOW] + later.apart
        twice = 2 * np.maximum(above, below)
        result: Matrix = self._fixed + np.maximum(twice - bounds.half - bounds.cents, apart)
        return result

    def _farthest(self, known: Best) -> float:
        """Money at the middle cost beyond which a distance is larger than the known one."""
        total = self._problem.base - self._bounds.middle + self._bounds.half
        return (known.distance + 2 * TOLERANCE) * total + self._bounds.by_cost

    def _undominated(self, known: Best) -> NDArray[np.bool_]:
        """False for those beaten by one with no less cash, which is below its aims by less.

        Whatever the later classes do, the same with the other leaves no less cash and a smaller sum
        of distances: what classes are above their aims follows from what they are below, and cash.
        """
        sums = self._sums
        stay = np.ones(sums.shape[1], dtype=np.bool_)
        if len(sums) > _EARLY or self._capped():
            return stay
        room = self._room(known)
        trades, against = sums[_TRADES], sums[_AGAINST]
        alike = np.ptp(trades) == 0 and np.ptp(against) == 0
        groups = np.zeros(1) if alike else trades * (against.max() + 1.0) + against
        for group in np.unique(groups):
            rows = np.arange(sums.shape[1]) if alike else np.flatnonzero(groups == group)
            rows = rows[np.argsort(-sums[_CASH, rows], kind="stable")]
            below = sums[_BELOW, rows]
            stay[rows] = below <= np.minimum.accumulate(below) + room
        return stay

    def _capped(self) -> bool:
        if self._problem.max_turnover is None:
            return False
        return self._later[0].most[_TURNOVER] > self._cap()

    def _room(self, known: Best) -> float:
        """What one must be below its aims by less than another to be better for certain."""
        bounds, base = self._bounds, self._problem.base
        far = self._farthest(known)
        least = max(base - bounds.middle - bounds.half, CENT)
        return (
            3 * (bounds.half + bounds.cents)
            + bounds.by_cost
            + far * bounds.half / least
            + 2 * TOLERANCE * base
        )

    def _left(self) -> Matrix:
        """Cash that is left after the trades, before a money fund is sold."""
        result: Matrix = self._problem.cash + self._sums[_CASH]
        return result

    def _best(self) -> Best | None:
        """The best in the order of a good plan; None when none is in bounds."""
        sums, left = self._sums, self._left()
        able = left + self._funds > -HALF_CENT
        for early in sums[_EARLY:]:
            able &= early > -HALF_CENT
        if self._problem.max_turnover is not None:
            able &= sums[_TURNOVER] <= self._cap()
        pick = np.flatnonzero(able)
        if not len(pick):
            return None
        trades = sums[_TRADES] + (left < -HALF_CENT)  # selling a money fund is one trade more
        for key in (trades, sums[_AGAINST]):
            chosen = key[pick]
            pick = pick[chosen == chosen.min()]
        pick, distances = self._nearest(pick)
        cents = np.round(sums[_COST, pick] / CENT)
        pick = pick[cents == cents.min()]
        row = int(pick[0])
        if len(pick) > 1:
            row = min((int(i) for i in pick[:_TIES]), key=self._last_words)
        return Best(
            options=self._options(row),
            trades=float(trades[row]),
            against=float(sums[_AGAINST, row]),
            distance=distances,
        )

    def _last_words(self, row: int) -> tuple[float, list[tuple[str, ...]]]:
        """Largest position, then symbol."""
        options = [option for _, option in self._options(row)]
        return -math.fsum(o.size for o in options), sorted(o.symbols for o in options)

    def _nearest(self, pick: Rows) -> tuple[Rows, float]:
        """Those of the least distance, each measured on the total after its own cost; and that
        distance as a fraction of the total.
        """
        found, problem, sums = self._found, self._problem, self._sums
        cash = problem.cash_index
        cost, total = sums[_COST, pick], problem.base - sums[_COST, pick]
        rough = self._fixed + sums[_ABOVE, pick] + sums[_BELOW, pick]
        rough += np.abs(self._apart(cash, 0.0) + sums[_CASH, pick])
        off = sum(map(abs, found.slope)) * np.abs(cost - self._bounds.middle)
        # Those that may be nearest once each is measured at its own cost.
        near = (rough - off) / total <= ((rough + off) / total).min() + 2 * TOLERANCE
        pick, cost, total = pick[near], cost[near], total[near]
        if len(pick) == 1:
            return pick, self._distance(int(pick[0]))
        dearer = cost - found.cost
        exact = np.abs(
            problem.value[cash] + sums[_CASH, pick] - found.cash_aim + found.slope[cash] * dearer
        )
        for (k, options), places in zip(self._items, self._places(pick), strict=True):
            moved = np.array([o.moved for o in options])[places]
            exact += np.abs(problem.value[k] + moved - found.wanted[k] + found.slope[k] * dearer)
        for k in self._others:
            exact += np.abs(problem.value[k] - found.wanted[k] + found.slope[k] * dearer)
        key = np.round(exact / total / TOLERANCE)
        least = key.min()
        return pick[key == least], float(least) * TOLERANCE

    def _distance(self, row: int) -> float:
        """The distance of one as a fraction of the total after its own cost."""
        found, problem, cash = self._found, self._problem, self._problem.cash_index
        cost = float(self._sums[_COST, row])
        dearer, left = cost - found.cost, problem.value[cash] + float(self._sums[_CASH, row])
        moved = {k: option.moved for k, option in self._options(row)}
        apart = [left - found.cash_aim + found.slope[cash] * dearer]
        for k in (*moved, *self._others):
            value = problem.value[k] + moved.get(k, 0.0)
            apart.append(value - found.wanted[k] + found.slope[k] * dearer)
        return math.fsum(map(abs, apart)) / (problem.base - cost)

    def _places(self, pick: Rows) -> list[Rows]:
        """The places of the options of combinations, class by class."""
        result: list[Rows] = []
        for each, kept in zip(reversed(self._each), reversed(self._kept), strict=True):
            if kept is not None:
                pick = kept[pick]
            pick, place = np.divmod(pick, each.shape[1])
            result.append(place)
        return result[::-1]

    def _options(self, row: int) -> list[tuple[int, Option]]:
        places = self._places(np.array([row]))
        return [
            (k, options[int(place[0])])
            for (k, options), place in zip(self._items, places, strict=True)
        ]


def _later(each: Sequence[Matrix], count: int) -> list[_Later]:
    """What is still to come before the first class, before the second …, and after the last."""
    least, most, apart = np.zeros(count), np.zeros(count), 0.0
    result = [_Later(least.tolist(), most.tolist(), apart)]
    for sums in reversed(each):
        least, most = least + sums.min(axis=1), most + sums.max(axis=1)
        apart += float((sums[_ABOVE] + sums[_BELOW]).min())
        result.append(_Later(least.tolist(), most.tolist(), apart))
    return result[::-1]


def _funds(problem: Problem, day: float) -> float:
    """Money that selling the account's money funds brings by a day, after what their custodian charges."""
    lines = [line for line in problem.lines_of(problem.cash_index) if line.settles <= day]
    able = [line for line in lines if line.can_sell and worth_trading(line, -line.quantity)]
    return math.fsum(cash_effect(line, -line.quantity) for line in able)
