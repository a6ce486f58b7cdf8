"""Whether what is asked of a household can be asked at all; everything that is wrong is said together."""

from __future__ import annotations

import math

from xl_rebal.errors import FaultList, PlanError
from xl_rebal.household.problem import TRADITIONAL
from xl_rebal.household.request import HouseholdRequest
from xl_rebal.portfolio.book import Book


def require_sense(request: HouseholdRequest, book: Book, names: list[str]) -> None:
    """Refuse costs that cannot be priced, accounts that are not there, and amounts that are none."""
    faults = FaultList()
    if request.limits.costs.impact:
        faults.add(
            where="costs",
            what="market impact is not a straight line, and a household plan cannot price it",
            remedy="leave the impact out; half-spread and commission are priced",
        )
    for name in request.flows:
        if name not in book.holdings.accounts():
            faults.add(
                where="flows",
                what=f"account {name!r} is not in the holdings",
                remedy=f"accounts are: {', '.join(names)}",
            )
    _require_withdrawal(request, book, names, faults)
    amounts = {"cash need": request.cash_need, "harvest": request.harvest}
    for word, amount in (*amounts.items(), ("withdrawal", request.withdrawal)):
        if not (math.isfinite(amount) and amount >= 0):
            faults.add(
                where=word, what=f"{amount} is no amount", remedy="enter a number, zero or more"
            )
    faults.raise_as(PlanError)


def _require_withdrawal(
    request: HouseholdRequest, book: Book, names: list[str], faults: FaultList
) -> None:
    if request.withdrawal and request.cash_need:
        faults.add(
            where="withdrawal, cash need",
            what="are two amounts to raise at once",
            remedy="ask for one: a withdrawal may come from any account, a cash need from taxable ones",
        )
    for name, amount in request.rmd.items():
        what = ""
        if name not in names:
            what, remedy = "is not in the household", f"accounts are: {', '.join(names)}"
        elif book.account(name).type.casefold() != TRADITIONAL or book.account(name).held_away:
            what = "has no distribution that a plan could make"
            remedy = "name a traditional account that is not held away"
        elif not (math.isfinite(amount) and amount > 0):
            what, remedy = f"{amount} is no amount", "enter a number above zero"
        elif not request.withdrawal:
            what = "is the first part of a withdrawal, and none is asked for"
            remedy = "give the whole withdrawal as a flow without an account"
        if what:
            faults.add(where=f"rmd, {name}", what=what, remedy=remedy)
