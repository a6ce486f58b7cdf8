"""Clients for the tests of their workbooks: all invented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from tests.household import books as households
from tests.household.random_books import random_household
from tests.workbooks.books import SCENARIOS, plan, walk_rows
from xl_rebal.household.planner import plan_household
from xl_rebal.household.realised import realised
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.workbooks.client_pages import ClientPages

DAY = dt.date(2026, 3, 2)


def of_accounts(result: Rebalancing, **more) -> ClientPages:
    """A client whose accounts are planned one by one."""
    given = {
        "household": "H-1",
        "name": "Jane & John Doe",
        "mode": "pro rata",
        "as_of": DAY,
        "dashboard": "../dashboard.xlsx",
        **more,
    }
    return ClientPages(book=result.book, policy=result.request.policy, plans=result.plans, **given)


def together(source: HouseholdBook, *, explained: bool = True, **asked) -> ClientPages:
    """A client whose accounts are planned as one."""
    name = next(iter(source.book.accounts.values())).household
    request = households.request(**asked)
    return ClientPages(
        household=name,
        name="The Household",
        book=source.book,
        policy=request.policy,
        together=plan_household(source, request, name, explained=explained),
        mode="all accounts together, by taxes",
        as_of=request.as_of,
        lots=source.lots,
        profiles=source.profiles,
    )


def with_lots(seed: int = 3) -> ClientPages:
    """Accounts planned one by one, with lots: some without a cost or a day, and what the sales realise."""
    source = random_household(seed, accounts=2, securities=8, lots=40)
    result = rebalance(source.book, Request(policy=parse_policy("2pp"), as_of=households.TODAY))
    trades = [trade for each in result.plans for trade in each.trades]
    found = realised(replace(source, book=result.book), trades, as_of=households.TODAY)
    return of_accounts(
        result,
        as_of=households.TODAY,
        lots=source.lots,
        sales=found.sales,
        returns=found.returns,
        washes=found.washes,
        notes=found.notes,
        profiles=source.profiles,
    )


def unknown_lots() -> ClientPages:
    """Lots without a day or a cost, one of a security that is not held, and no day of the plan."""
    lots = Lots.from_rows(
        [
            {"account": "Joint 1234", "symbol": "VTI", "acquired": dt.date(2020, 2, 29),
             "quantity": 4000.0, "unit_cost": 100.5, "lot_id": "=1+1"},
            {"account": "Joint 1234", "symbol": "VTI", "acquired": None, "quantity": 1000.0,
             "unit_cost": 90.0, "term": "long"},
            {"account": "Joint 1234", "symbol": "BND", "acquired": DAY, "quantity": 8000.0,
             "unit_cost": np.nan},
            {"account": "Joint 1234", "symbol": "GONE", "acquired": DAY, "quantity": 5.0,
             "unit_cost": 0.0},
        ]
    )  # fmt: skip
    return of_accounts(plan(walk_rows()), lots=lots, as_of=None, dashboard="", name="")


def holds_nothing() -> ClientPages:
    """An account that holds no cent: it is not planned, and nothing of it is weighed."""
    return of_accounts(plan([{**row, "quantity": 0.0} for row in walk_rows()]))


def asks_first() -> ClientPages:
    """An account that trades only with the client's word, and one that is held away."""
    accounts = {
        "Joint 1234": Account(account="Joint 1234", discretionary=False, type="roth"),
        "Plan": Account(account="Plan", held_away=True),
    }
    return of_accounts(plan([*walk_rows(), *walk_rows("Plan")], accounts=accounts))


def _scenario(name: str) -> ClientPages:
    return of_accounts(SCENARIOS[name]())


CLIENTS: dict[str, Callable[[], ClientPages]] = {
    **{name: partial(_scenario, name) for name in SCENARIOS},
    "with lots": with_lots,
    "unknown lots": unknown_lots,
    "asks first": asks_first,
    "holds nothing": holds_nothing,
    "couple": lambda: together(households.couple()),
    "couple, not explained": lambda: together(households.couple(), explained=False),
    "couple, nothing to do": lambda: together(households.couple(), policy="20pp"),
    "cash need": lambda: together(households.couple(), cash_need=40_000.0),
    "random household": lambda: together(random_household(5, securities=12, lots=60)),
    "by law": lambda: together(
        random_household(6, securities=9, lots=30, by_law=True), costs=0.0005
    ),
}
