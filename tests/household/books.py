"""Households to plan: all invented, with lots that are made up to reach the totals that the cases give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xl_rebal.costs import CostModel
from xl_rebal.household.mode import Mode
from xl_rebal.household.request import HouseholdBook, HouseholdRequest, Prices
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.history import Event, Transaction
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.limits import Limits

TODAY = dt.date(2026, 11, 25)
LONG_AGO = dt.date(2015, 3, 2)
RECENT = dt.date(2026, 5, 4)
FREE = Prices(location=0.0, rank=0.0)


def security(symbol: str, asset_class: str, price: float, **more: Any) -> Security:
    return Security(symbol=symbol, asset_class=asset_class, price=price, **more)


def book(
    *,
    accounts: Sequence[Account],
    cash: Mapping[str, float],
    held: Iterable[tuple[str, str, float]],
    securities: Sequence[Security],
    targets: str,
    lots: Iterable[tuple[str, str, dt.date, float, float]] = (),
    profiles: Sequence[TaxProfile] = (),
    restrictions: tuple[Restriction, ...] = (),
    history: tuple[Transaction, ...] = (),
) -> HouseholdBook:
    """A book from short rows: held (account, symbol, quantity), lots (account, symbol, acquired, quantity,
    unit_cost)."""
    known = {each.symbol: each for each in securities}
    rows: list[dict[str, Any]] = [
        {"account": account, "symbol": "CASH", "kind": "cash", "quantity": money, "price": 1.0}
        for account, money in cash.items()
    ]
    rows += [
        {"account": account, "symbol": symbol, "quantity": units, "price": known[symbol].price}
        for account, symbol, units in held
    ]
    models = {"": parse_targets(targets)}
    holdings = classify(Holdings.from_rows(rows), securities=known, targets=tuple(models.values()))
    return HouseholdBook(
        book=Book(
            holdings=holdings,
            models=models,
            securities=known,
            accounts={account.account: account for account in accounts},
            restrictions=restrictions,
        ),
        lots=Lots.from_rows(
            {
                "account": account,
                "symbol": symbol,
                "acquired": day,
                "quantity": units,
                "unit_cost": cost,
            }
            for account, symbol, day, units, cost in lots
        ),
        profiles={profile.tax_profile: profile for profile in profiles},
        history=history,
    )


def bought(account: str, symbol: str, day: dt.date, units: float, price: float) -> Transaction:
    return Transaction(
        account=account, symbol=symbol, date=day, event=Event.BUY, quantity=units, price=price
    )


def sold(account: str, symbol: str, day: dt.date, units: float, price: float) -> Transaction:
    return Transaction(
        account=account, symbol=symbol, date=day, event=Event.SELL, quantity=units, price=price
    )


def request(
    policy: str = "5pp", *, mode: Mode = Mode.FAST, costs: float = 0.0, **more: Any
) -> HouseholdRequest:
    return HouseholdRequest(
        policy=parse_policy(policy),
        as_of=TODAY,
        mode=mode,
        limits=Limits(costs=CostModel(half_spread=costs)),
        **more,
    )


COUPLE = TaxProfile(
    tax_profile="couple",
    year=2026,
    filing_status=FilingStatus.JOINT,
    ordinary=0.24,
    long_term=0.15,
    niit=0.038,
)
MENU = (
    security("VTI", "Stocks/US", 300.0, substitute="ITOT"),
    security("ITOT", "Stocks/US", 150.0),
    security("VXUS", "Stocks/International", 75.0),
    security("BND", "Bonds/US", 75.0),
    security("MUB", "Bonds/US/Municipal", 105.0, tax_class="municipal"),
)


def couple() -> HouseholdBook:
    """The $3 million couple: $1.2M taxable, $1.8M retirement, 70% stocks where 65% are wanted.

    Stocks 2,100,000 of 3,000,000; $150,000 are to be sold. The taxable stocks carry 45,000 of losses to
    harvest (VXUS) and large gains (VTI). The lots are invented; only the totals are the case's.
    """
    accounts = [
        Account(
            account="JOINT",
            household="couple",
            type="taxable",
            tax_return="mfj",
            tax_profile="couple",
        ),
        Account(account="IRA", household="couple", type="traditional", tax_return="mfj", owner="A"),
        Account(account="ROTH", household="couple", type="roth", tax_return="mfj", owner="B"),
        Account(
            account="401K", household="couple", type="traditional", tax_return="mfj", owner="B"
        ),
    ]
    held = [
        ("JOINT", "VTI", 2_500.0), ("JOINT", "VXUS", 3_000.0), ("JOINT", "MUB", 1_900.0),
        ("IRA", "VTI", 1_500.0), ("IRA", "BND", 4_000.0),
        ("ROTH", "VTI", 1_000.0), ("ROTH", "BND", 1_600.0),
        ("401K", "VTI", 1_250.0), ("401K", "BND", 3_400.0),
    ]  # fmt: skip
    cash = {"JOINT": 25_500.0, "IRA": 0.0, "ROTH": 0.0, "401K": 0.0}
    return book(
        accounts=accounts,
        cash=cash,
        held=held,
        securities=MENU,
        targets="65% stocks, 35% bonds",
        lots=[
            ("JOINT", "VTI", LONG_AGO, 1_500.0, 150.0),
            ("JOINT", "VTI", dt.date(2020, 4, 1), 1_000.0, 180.0),
            ("JOINT", "VXUS", dt.date(2021, 6, 1), 3_000.0, 90.0),
            ("JOINT", "MUB", dt.date(2022, 2, 1), 1_900.0, 108.0),
        ],
        profiles=[COUPLE],
    )
