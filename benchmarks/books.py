"""Invented books to measure with: accounts of 30 holdings in eight classes and cash, by a seed."""

from __future__ import annotations

import numpy as np

from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.portfolio.targets import Targets, parse_targets

CLASSES = (
    "Stocks/US",
    "Stocks/International",
    "Stocks/Emerging",
    "Bonds/US",
    "Bonds/International",
    "Real Estate",
    "Commodities",
    "Alternatives",
)
TARGETS = (
    "25% Stocks/US, 15% Stocks/International, 5% Stocks/Emerging, 25% Bonds/US, "
    "10% Bonds/International, 8% Real Estate, 7% Commodities, 5% Alternatives"
)
POLICY = "5/25"


def targets() -> Targets:
    """The model that every account follows."""
    return parse_targets(TARGETS)


def holdings(accounts: int, count: int, seed: int = 1, spread: float = 0.25) -> Holdings:
    """`count` rows an account, the last of them cash; classes take turns, quantities are random.

    spread  standard deviation of the log of each holding's money around its share of the target.
    """
    random = np.random.default_rng(seed)
    rows = accounts * count
    place = np.tile(np.arange(count), accounts)
    cash = place == count - 1
    symbols = np.array([f"{chr(65 + k % 8)}{k:04d}" for k in range(count)], dtype=object)
    symbols[-1] = "CASH"
    names = np.array([*CLASSES, "Cash"], dtype=object)
    price = np.round(random.uniform(10.0, 400.0, count), 2)
    price[-1] = 1.0
    # Money around each class's target, shared by its securities.
    alike = np.bincount(np.arange(count - 1) % 8, minlength=8)  # securities of each class
    weight = (targets().weights / np.maximum(alike, 1))[place % 8]
    money = 1e6 * weight * random.lognormal(0.0, spread, rows)
    quantity = np.maximum(1.0, np.floor(money / price[place]))
    quantity[cash] = np.round(random.uniform(1_000.0, 3_000.0, accounts), 2)
    return Holdings(
        account=np.repeat(np.array([f"A{i:06d}" for i in range(accounts)], dtype=object), count),
        symbol=symbols[place],
        kind=np.where(cash, "cash", "position").astype(object),
        quantity=quantity,
        price=price[place],
        stated_value=np.full(rows, np.nan),
        multiplier=np.ones(rows),
        currency=np.full(rows, "USD", dtype=object),
        fx=np.ones(rows),
        asset_class=names[np.where(cash, 8, place % 8)],
        description=np.full(rows, "", dtype=object),
        line=np.arange(1, rows + 1),
    )


def book(accounts: int, count: int, seed: int = 1, spread: float = 0.25) -> Book:
    """An ordinary book: no restrictions, whole shares, cash that is settled."""
    return Book(holdings=holdings(accounts, count, seed, spread), models={"": targets()})


def restricted(accounts: int, count: int, seed: int = 1) -> Book:
    """The same with what a desk meets: restrictions, minimums, a mutual fund, reserves, ranks."""
    plain = holdings(accounts, count, seed)
    symbols = [name for name in dict.fromkeys(plain.symbol.tolist()) if name != "CASH"]
    securities = {
        name: Security(
            symbol=name,
            asset_class=CLASSES[i % 8],
            vehicle=Vehicle.MUTUAL_FUND if i % 5 == 0 else Vehicle.ETF,
            quantity_step=0.001 if i % 5 == 0 else 1.0,
            minimum=500.0 if i % 5 == 0 else 0.0,
            rank=float(1 + i % 3),
            tags=frozenset({"tobacco"} if i % 11 == 0 else ()),
        )
        for i, name in enumerate(symbols)
    }
    names = plain.accounts()
    rules = [
        Restriction(scope="*", rule=Rule.NEVER_BUY, tag="tobacco"),
        Restriction(scope="*", rule=Rule.NEVER_SELL, symbol=symbols[3]),
        Restriction(scope=names[0], rule=Rule.NEVER_HOLD, symbol=symbols[4]),
        Restriction(scope="H1", rule=Rule.NEVER_BUY, symbol=symbols[6]),
    ]
    return Book(
        holdings=plain,
        models={"": targets()},
        securities=securities,
        restrictions=rules,
        accounts={
            name: Account(account=name, household=f"H{i // 2}", cash_reserve=500.0 * (i % 3))
            for i, name in enumerate(names)
        },
    )
