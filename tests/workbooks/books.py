"""Books for the tests of the workbooks, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xl_rebal.costs import parse_costs
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Targets, parse_targets
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.trading.limits import Limits
from xl_rebal.workbooks.report import ReportSource

WALK = (
    ("VTI", 5000, 220, "Stocks/US", "Vanguard Total Stock Market ETF"),
    ("VXUS", 2000, 58, "Stocks/International", "Vanguard Total International Stock ETF"),
    ("BND", 8000, 75, "Bonds/US", "Vanguard Total Bond Market ETF"),
    ("VNQ", 1000, 85, "Real Estate", "Vanguard Real Estate ETF"),
)
SOURCE = ReportSource(
    name="positions.csv",
    custodian="schwab",
    as_of_text="2026-03-02",
    price_time="2026-03-02 16:00 ET",
    warnings=(),
    fingerprint="9f" * 32,
)


def walk_rows(account: str = "Joint 1234") -> list[dict[str, Any]]:
    """The walk-through: 1,901,000 in four funds."""
    return [
        {
            "account": account,
            "symbol": symbol,
            "quantity": quantity,
            "price": price,
            "asset_class": asset_class,
            "description": description,
            "stated_value": quantity * price,
        }
        for symbol, quantity, price, asset_class, description in WALK
    ]


def cash_row(amount: float, account: str = "Joint 1234") -> dict[str, Any]:
    """Settled cash."""
    return {
        "account": account,
        "symbol": "CASH",
        "kind": "cash",
        "quantity": amount,
        "price": 1.0,
        "asset_class": "Cash",
        "description": "Cash & cash investments",
        "stated_value": amount,
    }


def plan(
    rows: Sequence[Mapping[str, Any]],
    *,
    targets: str | Mapping[str, Targets] = "60% Stocks, 30% Bonds, 10% Real Estate",
    policy: str = "5pp",
    costs: str = "half-spread 5bp, commission 0",
    accounts: Mapping[str, Account] | None = None,
    securities: Mapping[str, Security] | None = None,
    flows: Mapping[str, float] | None = None,
) -> Rebalancing:
    """A verified plan for holdings rows."""
    models = {"": parse_targets(targets)} if isinstance(targets, str) else targets
    book = Book(
        holdings=Holdings.from_rows(rows),
        models=models,
        accounts=accounts or {},
        securities=securities or {},
    )
    request = Request(
        policy=parse_policy(policy), limits=Limits(costs=parse_costs(costs)), flows=flows or {}
    )
    return rebalance(book, request)
