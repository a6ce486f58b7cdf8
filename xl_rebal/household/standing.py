"""A household that is planned again and again while only prices move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from xl_rebal.errors import FaultList, TableError
from xl_rebal.household.build import problem_of, surroundings
from xl_rebal.household.checks import require_verified
from xl_rebal.household.model import model_of
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_problem
from xl_rebal.household.problem import HouseholdProblem
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.search import Search
from xl_rebal.portfolio.book import Book


class StandingHousehold:
    """Plans of one household at the prices of the moment.

    What prices do not change (who is taxed with whom, wash-sale windows) is worked out once, and each
    linear program starts from the basis of the last one. The plan is that of `plan_household` at the same
    prices, or another of the same worth within what either of them leaves open.

        household = StandingHousehold(source, request, "Smith")
        first = household.plan()
        household.update({"VTI": 301.2, "BND": 74.9})
        second = household.plan()
    """

    def __init__(
        self, source: HouseholdBook, request: HouseholdRequest, household: str = ""
    ) -> None:
        self._source, self._request, self._household = source, request, household
        self._around = surroundings(source, request)
        self._search: Search | None = None

    @property
    def source(self) -> HouseholdBook:
        """The book at the prices of the moment."""
        return self._source

    def update(self, prices: Mapping[str, float]) -> None:
        """New prices of a unit by symbol, in the security's currency; others stay.

        Raises TableError for symbols that the book does not know and for prices that are none, all of them
        together; then no price changes.
        """
        self._source = replace(self._source, book=_repriced(self._source.book, prices))

    def plan(self, *, explained: bool = True) -> HouseholdPlan:
        """The verified plan at the prices of the moment; raises what `plan_household` does."""
        problem = problem_of(self._source, self._request, self._household, self._around)
        if problem.why:
            self._search = self._searching(problem)
        plan = plan_problem(problem, explained=explained, search=self._search)
        require_verified(self._source, self._request, plan)
        return plan

    def _searching(self, problem: HouseholdProblem) -> Search:
        """The search of a problem, begun where the last one ended."""
        model = model_of(problem)
        if self._search is None:
            return Search(model)
        self._search.solver.restart(model.program)
        return Search(model, self._search.solver)


def _repriced(book: Book, prices: Mapping[str, float]) -> Book:
    """The book with other prices."""
    named = {symbol.casefold(): price for symbol, price in prices.items()}
    symbols = [symbol.casefold() for symbol in book.holdings.symbol.tolist()]
    faults = FaultList()
    known = {*symbols, *(symbol.casefold() for symbol in book.securities)}
    for symbol, price in prices.items():
        if symbol.casefold() not in known:
            what, remedy = "is not in the book", "name what is held or in the securities table"
        elif not (math.isfinite(price) and price > 0):
            what, remedy = f"has no price: {price}", "enter money for a unit, above zero"
        else:
            continue
        faults.add(where=f"prices, {symbol}", what=what, remedy=remedy)
    faults.raise_as(TableError)
    holdings = book.holdings
    new = np.array([named.get(symbol, math.nan) for symbol in symbols])
    now = np.where(holdings.is_position & np.isfinite(new), new, holdings.price)
    # What a file stated as the value was that of the old price.
    stated = np.where(now == holdings.price, holdings.stated_value, math.nan)
    securities = {
        symbol: replace(each, price=named[symbol.casefold()])
        if symbol.casefold() in named
        else each
        for symbol, each in book.securities.items()
    }
    return replace(
        book, holdings=replace(holdings, price=now, stated_value=stated), securities=securities
    )
