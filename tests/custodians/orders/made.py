"""Verified orders for tests: small invented books planned by the engine itself."""

from __future__ import annotations

from typing import Any

from xl_rebal.custodians.orders import VerifiedOrders, orders_of_rebalancing
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.trading.limits import Limits, OrderStyle

SECURITIES = {
    "VTI": Security(symbol="VTI", asset_class="Stocks/US", vehicle=Vehicle.ETF),
    "BND": Security(symbol="BND", asset_class="Bonds/US", vehicle=Vehicle.ETF),
    "VBTLX": Security(
        symbol="VBTLX", asset_class="Bonds/US", vehicle=Vehicle.MUTUAL_FUND, quantity_step=0.001
    ),
    "BRK.B": Security(symbol="BRK.B", asset_class="Stocks/US"),
}
PRICES = {"VTI": 220.13, "BND": 75.02, "VBTLX": 9.871, "BRK.B": 480.5}


def planned(
    accounts: dict[str, dict[str, Any]],
    *,
    stock: str = "VTI",
    bond: str = "BND",
    orders: OrderStyle | None = None,
    shares: float = 400.0,
) -> Rebalancing:
    """Accounts that hold far too much of a stock and must buy a bond."""
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(accounts):
        for symbol, units in ((stock, shares + place), (bond, 120.0)):
            rows.append(
                {
                    "account": name,
                    "symbol": symbol,
                    "quantity": units,
                    "price": PRICES[symbol],
                    "asset_class": SECURITIES[symbol].asset_class,
                    "currency": "USD",
                }
            )
    book = Book(
        holdings=Holdings.from_rows(rows),
        models={"": parse_targets("60% stocks, 40% bonds")},
        securities=SECURITIES,
        accounts={name: Account(account=name, **more) for name, more in accounts.items()},
    )
    limits = Limits(orders=orders) if orders else Limits()
    return rebalance(book, Request(policy=parse_policy("5pp"), limits=limits))


def verified(accounts: dict[str, dict[str, Any]], **more: Any) -> VerifiedOrders:
    """Their orders."""
    return orders_of_rebalancing(planned(accounts, **more), plan_id="0123456789abcdef")


def at(custodian: str, *names: str) -> dict[str, dict[str, Any]]:
    """Accounts at one custodian."""
    return {name: {"custodian": custodian} for name in names}
