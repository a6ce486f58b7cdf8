"""The optimum of the household in fractions of shares, with what is either-or decided by branching.

Either-or is: how each return nets (see `tax_pieces`); that an account does not buy what it sells; that
nothing is bought that is sold at a loss, in any account whose purchases reach that loss; and that an
account which takes no lot instructions sells its lots first in, first out.

Most of it is decided without branching. A case whose bound by the duals of another is no better needs no
program (Geoffrion 1974, "Lagrangean relaxation for integer programming"); and what is bought where it must
not be is bought as another security of its class, which costs little or nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.limits import Limit
from xl_rebal.household.model import Model, case_bounds
from xl_rebal.household.problem import HouseholdProblem
from xl_rebal.household.tax_pieces import Case
from xl_rebal.optimiser.linear import INFINITE, Optimum, Solver, Vector

NODES = 1_500  # programs solved at most
_DUST = 0.005  # dollars
_ENOUGH = 0.01  # dollars that the plan in fractions may be above its bound
_LONG, _EASED = 8, 5.0  # programs after which twice as much is enough; times as much at most
_MOST_CASES = 256
_NO_PRICE = 1e-9

Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """The best plan in fractions.

    bound         no plan, whole shares or not, is worth less than this.
    lower, upper  bounds of the columns where it was found.
    """

    optimum: Optimum
    bound: float
    lower: Vector
    upper: Vector


@dataclass(order=True, slots=True)
class _Node:
    value: float
    number: int
    optimum: Optimum = field(compare=False)
    lower: Vector = field(compare=False)
    upper: Vector = field(compare=False)

    def bound_under(self, lower: Vector, upper: Vector) -> float:
        """What nothing is below under other bounds, by the duals of this node."""
        changed = np.flatnonzero((lower != self.lower) | (upper != self.upper))
        price = self.optimum.column_dual[changed]
        price = np.where(np.abs(price) < _NO_PRICE, 0.0, price)
        least = np.where(price > 0, lower[changed], upper[changed])
        least = np.where(price == 0, 0.0, least)
        return self.value + float((price * least - price * self.optimum.x[changed]).sum())


class Search:
    """The program of one household, kept so that it can be solved again."""

    def __init__(self, model: Model, solver: Solver | None = None) -> None:
        self.model = model
        self.solver = Solver(model.program) if solver is None else solver
        problem = self._problem = model.problem
        self._loses = (problem.lot.gain_rate < 0) & problem.lot.may_lose
        self._groups = int(problem.pair.group.max(initial=-1)) + 1
        self._place = problem.pair.account * self._groups + problem.pair.group
        self._cost = np.array(model.program.cost)
        self.ordered = model.ordered

    @cached_property
    def washed(self) -> list[tuple[Places, Places]]:
        """Lots whose loss is washed by buying, and the pairs whose purchase does it."""
        return _reaching(self._problem)

    def cases(self, without: Collection[Limit] = ()) -> Iterator[tuple[Vector, Vector]]:
        """Bounds of the columns for every way the returns can net, the likeliest first."""
        taxes = self.model.taxes
        lower, upper = self.solver.lower.copy(), self.solver.upper.copy()
        for limit in without:
            for column, value in limit.lower:
                lower[column] = value
            for column, value in limit.upper:
                upper[column] = value
        likely = [self._likely(r) for r in range(len(taxes))]
        if 4 ** len(taxes) <= _MOST_CASES:
            ways = list(itertools.product(*likely))
        else:  # very many returns: all net alike
            ways = [(case,) * len(taxes) for case in Case]
        for way in ways:
            low, high = lower.copy(), upper.copy()
            for columns, case in zip(taxes, way, strict=True):
                for column, least, most in case_bounds(columns, case):
                    low[column], high[column] = least, most
            yield low, high

    def _likely(self, r: int) -> list[Case]:
        """The cases of a return: a net loss first where one is there, or can be had."""
        each = self._problem.returns[r]
        mine = self._loses & (self._problem.return_of_lot == r)
        lost = float((self._problem.lot.gain_rate * self._problem.lot_value)[mine].sum())
        order = [Case.NET_LOSS, Case.GAINS, Case.SHORT_LOSS, Case.LONG_LOSS]
        return (
            order
            if each.start_short + each.start_long + lost < 0
            else [Case.GAINS, *order[2:], Case.NET_LOSS]
        )

    def run(self, without: Collection[Limit] = (), *, enough: float = _ENOUGH) -> Relaxed | None:
        """The optimum, some limits taken away; None when nothing satisfies the rest.

        enough  dollars that the plan may be above its bound; more as the search gets long.
        """
        least_enough = enough
        heap: list[_Node] = []
        count = itertools.count()
        row_lower, row_upper = self.solver.row_lower, self.solver.row_upper
        rows = [row for limit in without for row in limit.rows]
        if rows:
            row_lower, row_upper = row_lower.copy(), row_upper.copy()
            row_lower[rows], row_upper[rows] = -INFINITE, INFINITE
        best: Relaxed | None = None
        bound = INFINITE  # of what was left because it is no better, or as good as found

        def improve(mended: Relaxed | None) -> None:
            nonlocal best
            if mended is not None and (best is None or mended.optimum.value < best.optimum.value):
                best = mended

        def solved(lower: Vector, upper: Vector) -> _Node | None:
            found = self.solver.solve(lower, upper, row_lower, row_upper)
            if found is None:
                return None
            number = next(count)
            return _Node(value=found.value, number=number, optimum=found, lower=lower, upper=upper)

        def is_open(node: _Node) -> bool:
            """Mend a node; True where something better than what is found may lie below it."""
            nonlocal bound
            improve(self._mended(node))
            if best is not None and node.value >= best.optimum.value - enough:
                bound = min(bound, node.value)
                return False
            return True

        known: list[_Node] = []
        for lower, upper in self.cases(without):
            if best is not None and known:
                under = max(node.bound_under(lower, upper) for node in known)
                if under >= best.optimum.value - enough:
                    bound = min(bound, under)
                    continue
            node = solved(lower, upper)
            if node is None:
                continue
            known.append(node)
            if is_open(node):
                heapq.heappush(heap, node)
                other = solved(*self._yielding(node))
                improve(None if other is None else self._mended(other))
        while heap:
            node = heapq.heappop(heap)
            enough = least_enough * min(_EASED, 1.0 + node.number / _LONG)
            if best is not None and node.value >= best.optimum.value - enough:
                bound = min(bound, node.value)
                break
            if node.number > NODES:
                bound = min(bound, node.value)
                if best is not None:
                    break
                heap.clear()  # from here on straight down to a plan
            following: _Node | None = node
            while following is not None:  # down the better branch, until there is a plan
                found = []
                for under, lower, upper in self._children(following):
                    if best is not None and under >= best.optimum.value - enough:
                        bound = min(bound, under)
                        continue
                    child = solved(lower, upper)
                    if child is not None and is_open(child):
                        found.append(child)
                found.sort()
                following = found.pop(0) if found and best is None else None
                for child in found:
                    heapq.heappush(heap, child)
        if best is None:
            return None
        return replace(best, bound=min(bound, best.optimum.value))

    def _mended(self, node: _Node) -> Relaxed | None:
        """The node's plan with nothing bought where it must not be, another of the class in its place;
        None where there is none, or where lots are out of order.
        """
        problem, model = self._problem, self.model
        x = node.optimum.x
        sold, bought = x[model.sell], x[model.buy]
        if self._out_of_order(sold) is not None:
            return None
        forbidden = self._forbidden(sold)
        wrong = np.flatnonzero(forbidden & (bought > _DUST))
        if not len(wrong):
            return Relaxed(optimum=node.optimum, bound=0.0, lower=node.lower, upper=node.upper)
        pair = problem.pair
        x, upper, more = x.copy(), node.upper.copy(), 0.0
        worse = self._cost[model.buy]
        free = ~forbidden & (upper[model.buy] > 0)
        for p in wrong.tolist():
            able = free & (pair.account == pair.account[p]) & (pair.klass == pair.klass[p])
            others = np.flatnonzero(able & (pair.cost_rate == pair.cost_rate[p]))
            if not len(others):
                return None
            other = int(others[np.argmin(worse[others])])
            money = float(bought[p])
            x[model.buy[other]] += money
            x[model.buy[p]], upper[model.buy[p]] = 0.0, 0.0
            more += money * float(worse[other] - worse[p])
        optimum = replace(node.optimum, x=x, value=node.optimum.value + more)
        return Relaxed(optimum=optimum, bound=0.0, lower=node.lower, upper=upper)

    def _forbidden(self, sold: Vector) -> Mask:
        """(P,) True where buying would be beside a sale of the same, or wash a loss."""
        problem, pair = self._problem, self._problem.pair
        of = problem.lot.pair
        by_pair = np.bincount(of, weights=sold, minlength=len(problem.pairs))
        lost = np.flatnonzero(self._loses & (sold > _DUST))
        count = len(problem.accounts) * self._groups
        losing = np.bincount(self._place[of[lost]], minlength=count) > 0
        washed = problem.reach @ losing.reshape(len(problem.accounts), self._groups)
        return np.asarray((by_pair > _DUST) | washed[pair.account, pair.group])

    def _out_of_order(self, sold: Vector) -> tuple[Places, int] | None:
        """The lots of an account and the place of one that is not sold in full before a later one."""
        for order in self.ordered:
            place = _breaks(sold[order], self.solver.upper[self.model.sell[order]])
            if place is not None:
                return order, place
        return None

    def _yielding(self, node: _Node) -> tuple[Vector, Vector]:
        """Bounds under which, wherever all of a class is sold at a loss and bought too, the one is kept whose
        sale is worth least, and lots that are sold one after the other are, for the same money: a guess
        that is often the best plan.
        """
        model, pair = self.model, self._problem.pair
        lower, upper = node.lower.copy(), node.upper.copy()
        sold, bought = node.optimum.x[model.sell], node.optimum.x[model.buy]
        # What not selling a lot costs at least is its reduced cost.
        worth = -sold * node.optimum.column_dual[model.sell]
        forbidden = self._forbidden(sold)
        wrong = np.flatnonzero(forbidden & (bought > _DUST))
        for p in wrong[np.argsort(-bought[wrong])].tolist():
            alike = (pair.account == pair.account[p]) & (pair.klass == pair.klass[p])
            options = np.flatnonzero(alike & (upper[model.buy] > 0))
            if forbidden[options].all():
                closed = [self._closed_by(q) for q in options.tolist()]
                kept = min(closed, key=lambda lots: float(worth[lots].sum()))
                upper[model.sell[kept]], worth[kept] = 0.0, 0.0
        for order in self.ordered:
            columns = model.sell[order]
            full = self.solver.upper[columns]
            if _breaks(sold[order], full) is not None:
                before = np.cumsum(full) - full
                wanted = np.clip(float(sold[order].sum()) - before, 0.0, full)
                wanted = np.minimum(wanted, upper[columns])
                lower[columns], upper[columns] = np.maximum(wanted, lower[columns]), wanted
        return lower, upper

    def _children(self, node: _Node) -> list[tuple[float, Vector, Vector]]:
        """(what none is below, lower, upper) of each branch of what is either-or and is both here, the most
        promising first; all possible plans are in one of them.
        """
        result = []
        for zero, full in self._branches(node):
            lower, upper = node.lower.copy(), node.upper.copy()
            upper[zero] = 0.0
            lower[full] = upper[full]
            result.append((node.bound_under(lower, upper), lower, upper))
        return sorted(result, key=lambda child: child[0])

    def _branches(self, node: _Node) -> list[tuple[Places, Places]]:
        """(columns made 0, columns made full) of each branch."""
        model, pair = self.model, self._problem.pair
        sold, bought = node.optimum.x[model.sell], node.optimum.x[model.buy]
        forbidden, none = self._forbidden(sold), np.zeros(0, dtype=np.int64)
        wrong = np.flatnonzero(forbidden & (bought > _DUST))
        if len(wrong):
            p = int(wrong[np.argmax(bought[wrong])])
            alike = (pair.account == pair.account[p]) & (pair.klass == pair.klass[p])
            options = np.flatnonzero(alike & (node.upper[model.buy] > 0))
            if not forbidden[options].all():
                return [(model.buy[[p]], none), (model.sell[self._closed_by(p)], none)]
            # One of the class is kept to be bought, or none is bought.
            kept = [(model.sell[self._closed_by(q)], none) for q in options.tolist()]
            return [*kept, (model.buy[options], none)]
        found = self._out_of_order(sold)
        if found is None:
            return []
        order, place = found
        return [(model.sell[order[place + 1 :]], none), (none, model.sell[order[: place + 1]])]

    def _closed_by(self, p: int) -> Places:
        """Lots that are not sold when a pair is bought: its own, and losses that it would wash."""
        problem, pair = self._problem, self._problem.pair
        of = problem.lot.pair
        reached = problem.reach[pair.account[p]][pair.account[of]]
        washed = self._loses & reached & (pair.group[of] == pair.group[p])
        return np.flatnonzero((of == p) | washed)


def _breaks(sold: Vector, full: Vector) -> int | None:
    """The place of a lot that is not sold in full before a later one."""
    short_of = full[:-1] - sold[:-1] > _DUST
    later = np.maximum.accumulate(sold[::-1])[::-1][1:] > _DUST
    both = np.flatnonzero(short_of & later)
    return int(both[0]) if len(both) else None


def _reaching(problem: HouseholdProblem) -> list[tuple[Places, Places]]:
    """Lots whose loss is washed by buying, and the pairs whose purchase does it, by group."""
    pair, of = problem.pair, problem.lot.pair
    losing = np.flatnonzero((problem.lot.gain_rate < 0) & problem.lot.may_lose)
    group, account = pair.group[of[losing]], pair.account[of[losing]]
    result = []
    for g in np.unique(group).tolist():
        members = np.flatnonzero((pair.group == g) & pair.can_buy)
        found: dict[tuple[int, ...], list[int]] = {}
        for a in np.unique(account[group == g]).tolist():
            buys = members[problem.reach[pair.account[members], a]]
            if len(buys):
                lots = losing[(group == g) & (account == a)]
                found.setdefault(tuple(buys.tolist()), []).extend(lots.tolist())
        result += [(np.array(lots), np.array(buys)) for buys, lots in found.items()]
    return result


def lot_rates(search: Search, relaxed: Relaxed) -> Vector:
    """(n,) tax in dollars for each dollar sold of each lot, by the duals of the plan in fractions."""
    problem, lot = search.model.problem, search.model.problem.lot
    dual = relaxed.optimum.row_dual
    result = np.zeros(len(lot.pair))
    long = lot.long + lot.collectible
    for place, tax in enumerate(search.model.taxes):
        coin = float(dual[tax.coin_row]) if tax.coin_row >= 0 else 0.0
        rate = lot.short * float(dual[tax.short_row]) + long * float(dual[tax.long_row])
        result += np.where(problem.return_of_lot == place, rate + lot.collectible * coin, 0.0)
    return result
