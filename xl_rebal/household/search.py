"""The optimum of the household in fractions of shares, with what is either-or decided by branching.

Either-or is: how each return nets (see `tax_pieces`); that an account does not buy what it sells; that
nothing is bought that is sold at a loss, in any account whose purchases reach that loss; and that an
account which takes no lot instructions sells its lots first in, first out.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.model import Limit, Model, case_bounds
from xl_rebal.household.tax_pieces import Case
from xl_rebal.optimiser.linear import INFINITE, Optimum, Solver, Vector

NODES = 1_500  # programs solved at most
_DUST = 0.005  # dollars
_MOST_CASES = 256

Places = NDArray[np.int64]


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


class Search:
    """The program of one household, kept so that it can be solved again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.solver = Solver(model.program)
        problem = model.problem
        self._lot_pair = np.array([lot.pair for lot in problem.lots], dtype=np.int64)
        self._loss = np.array([lot.gain_rate < 0 for lot in problem.lots], dtype=np.bool_)
        self.washed = _reaching(model)
        self.ordered = _ordered(model)

    def cases(self, without: Collection[Limit] = ()) -> Iterator[tuple[Vector, Vector]]:
        """Bounds of the columns for every way the returns can net, some limits taken away."""
        taxes = self.model.taxes
        lower, upper = self.solver.lower.copy(), self.solver.upper.copy()
        for limit in without:
            for column, value in limit.lower:
                lower[column] = value
            for column, value in limit.upper:
                upper[column] = value
        if 4 ** len(taxes) <= _MOST_CASES:
            ways = list(itertools.product(Case, repeat=len(taxes)))
        else:  # very many returns: all net alike
            ways = [(case,) * len(taxes) for case in Case]
        for way in ways:
            low, high = lower.copy(), upper.copy()
            for columns, case in zip(taxes, way, strict=True):
                for column, least, most in case_bounds(columns, case):
                    low[column], high[column] = least, most
            yield low, high

    def run(self, without: Collection[Limit] = ()) -> Relaxed | None:
        """The optimum, some limits taken away; None when nothing satisfies the rest."""
        heap: list[_Node] = []
        count = itertools.count()
        row_lower, row_upper = self.solver.row_lower, self.solver.row_upper
        rows = [row for limit in without for row in limit.rows]
        if rows:
            row_lower, row_upper = row_lower.copy(), row_upper.copy()
            row_lower[rows], row_upper[rows] = -INFINITE, INFINITE

        def push(lower: Vector, upper: Vector) -> None:
            found = self.solver.solve(lower, upper, row_lower, row_upper)
            if found is None:
                return
            node = _Node(
                value=found.value, number=next(count), optimum=found, lower=lower, upper=upper
            )
            heapq.heappush(heap, node)

        for lower, upper in self.cases(without):
            push(lower, upper)
        bound: float | None = None
        while heap:
            node = heapq.heappop(heap)
            if bound is None and node.number > NODES:
                bound = node.value  # from here on straight down to a plan
            branches = self._branches(node.optimum.x)
            if not branches:
                value = node.value if bound is None else min(bound, node.value)
                return Relaxed(
                    optimum=node.optimum, bound=value, lower=node.lower, upper=node.upper
                )
            if bound is not None:
                heap.clear()
            for zero, full in branches:
                lower, upper = node.lower.copy(), node.upper.copy()
                upper[zero] = 0.0
                lower[full] = upper[full]
                push(lower, upper)
        return None

    def _branches(self, x: Vector) -> list[tuple[list[int], list[int]]]:
        """(columns made 0, columns made full) of each branch of what is either-or and is both here."""
        model = self.model
        sold, bought = x[model.sell], x[model.buy]
        by_pair = np.bincount(self._lot_pair, weights=sold, minlength=len(bought))
        both = np.flatnonzero((by_pair > _DUST) & (bought > _DUST))
        if len(both):
            p = int(both[np.argmax(np.minimum(by_pair[both], bought[both]))])
            lots = model.sell[self._lot_pair == p].tolist()
            return [([int(model.buy[p])], []), (lots, [])]
        for lots, buys in self.washed:
            if sold[lots].max() > _DUST and bought[buys].max() > _DUST:
                return [(model.buy[buys].tolist(), []), (model.sell[lots].tolist(), [])]
        for order in self.ordered:
            for place, j in enumerate(order[:-1]):
                later = order[place + 1 :]
                short_of = self.solver.upper[model.sell[j]] - sold[j]
                if short_of > _DUST and sold[later].max() > _DUST:
                    earlier = model.sell[order[: place + 1]].tolist()
                    return [(model.sell[later].tolist(), []), ([], earlier)]
        return []


def _reaching(model: Model) -> list[tuple[Places, Places]]:
    """Lots whose loss is washed by buying, and the pairs whose purchase does it, by group."""
    problem = model.problem
    result = []
    for group in problem.groups:
        found: dict[tuple[int, ...], list[int]] = {}
        members = [p for p, pair in enumerate(problem.pairs) if pair.group == group]
        for a in range(len(problem.accounts)):
            lots = [
                j
                for p in members
                if problem.pairs[p].account == a
                for j in problem.lots_of(p)
                if problem.lots[j].gain_rate < 0 and problem.lots[j].may_lose
            ]
            buys = [
                p
                for p in members
                if not problem.pairs[p].no_buy and problem.reaches(problem.pairs[p].account, a)
            ]
            if lots and buys:
                found.setdefault(tuple(buys), []).extend(lots)
        result += [(np.array(lots), np.array(buys)) for buys, lots in found.items()]
    return result


def _ordered(model: Model) -> list[Places]:
    """The lots of accounts that take no instructions, first in first, by pair."""
    problem = model.problem
    result = []
    for p, pair in enumerate(problem.pairs):
        account = problem.accounts[pair.account]
        if account.lot_instructions and account.account not in problem.request.no_lots_sent:
            continue
        lots = sorted(
            problem.lots_of(p), key=lambda j: (problem.lots[j].acquired or problem.request.as_of, j)
        )
        if len(lots) > 1:
            result.append(np.array(lots))
    return result
