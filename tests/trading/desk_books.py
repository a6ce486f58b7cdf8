"""Seeded books as a trading desk has them: unsettled cash, known withdrawals, fund rules, restrictions."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.costs import CostModel
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import Flow
from xl_rebal.portfolio.fund_rules import Closure, CutOff, FundRule
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.trading.limits import Limits, OrderStyle, OrderType

AS_OF = dt.date(2026, 11, 23)
CLASSES = ("Stocks", "Bonds", "Real Estate", "Commodities")
MODELS = {
    "Growth": parse_targets("60% stocks, 25% bonds, 10% real estate, 5% commodities"),
    "Income": parse_targets("30% stocks, 55% bonds, 10% real estate, 3% commodities, 2% cash"),
}


@dataclass(frozen=True)
class Lots:
    """Tax lots as columns."""

    account: Any
    symbol: Any
    acquired: Any
    quantity: Any


def lots_of(rows: Sequence[tuple[str, str, dt.date | None, float]]) -> Lots:
    """Columns from (account, symbol, acquired, quantity)."""
    account, symbol, acquired, quantity = zip(*rows, strict=True)
    return Lots(
        account=np.array(account, dtype=object),
        symbol=np.array(symbol, dtype=object),
        acquired=np.array([day or "NaT" for day in acquired], dtype="datetime64[D]"),
        quantity=np.array(quantity, dtype=float),
    )


def securities_of(rng: random.Random) -> dict[str, Security]:
    """Four securities a class: two listed, two funds; a foreign listing settles after two days."""
    result: dict[str, Security] = {}
    for name in CLASSES:
        for j in range(4):
            fund = j >= 2
            symbol = f"{name[0]}FND{'XYZV'[j]}"[:5] if fund else f"{name[0]}{j}"
            result[symbol] = Security(
                symbol=symbol,
                asset_class=name,
                vehicle=Vehicle.MUTUAL_FUND if fund else Vehicle.ETF,
                quantity_step=0.001 if fund else 1.0,
                price=round(rng.uniform(8, 300), 2),
                rank=float(j + 1) if name == "Stocks" else None,
                spread_bps=None if fund else 4.0,
                tradable=rng.random() > 0.05,
                settlement_days=2 if (name, j) == ("Commodities", 0) else None,
                tags=frozenset({"tobacco"}) if (name, j) == ("Stocks", 1) else frozenset(),
            )
    return result


def rules_of(securities: dict[str, Security], rng: random.Random) -> tuple[FundRule, ...]:
    """A rule for most funds, each kind of demand among them."""
    rules = []
    for symbol, security in securities.items():
        if security.vehicle is not Vehicle.MUTUAL_FUND or rng.random() < 0.2:
            continue
        young = rng.random() < 0.4
        rules.append(
            FundRule(
                symbol=symbol,
                custodian=rng.choice(["*", "schwab", "fidelity"]),
                initial_minimum=rng.choice([0.0, 2_500.0, 10_000.0]),
                subsequent_minimum=rng.choice([0.0, 100.0, 1_000.0]),
                kept_minimum=rng.choice([0.0, 0.0, 1_000.0]),
                cut_off=CutOff(time=dt.time(16), zone="America/New_York"),
                ticket_fee=rng.choice([None, 0.0, 49.95]),
                redemption_fee=0.02 if young else 0.0,
                redemption_days=60 if young else 0,
                closed_to_new=rng.choice([Closure.OPEN] * 4 + list(Closure)),
            )
        )
    return tuple(rules)


def desk_book(accounts: int, seed: int, *, dated: bool = True) -> Book:
    """So many accounts that hold some of the securities, cash in every state, and all kinds of rules."""
    rng = random.Random(seed)
    securities = securities_of(rng)
    rows: list[dict[str, Any]] = []
    lots: list[tuple[str, str, dt.date | None, float]] = []
    flows: list[Flow] = []
    known: dict[str, Account] = {}
    for number in range(accounts):
        name = f"A{number:04d}"
        size = rng.choice([4_000, 40_000, 400_000, 4_000_000])
        for symbol in rng.sample(sorted(securities), rng.randint(2, 9)):
            security = securities[symbol]
            money = size * rng.uniform(0.01, 0.5)
            assert security.price is not None
            units = round(money / security.price, 3 if security.quantity_step < 1 else 0)
            if units <= 0:
                continue
            rows.append(
                _row(name, symbol, units, security.price, security.asset_class)
                | ({"settles": AS_OF + dt.timedelta(days=3)} if rng.random() < 0.03 else {})
            )
            if security.vehicle is Vehicle.MUTUAL_FUND and rng.random() < 0.7:
                young = round(units * rng.random(), 3)
                lots.append((name, symbol, AS_OF - dt.timedelta(days=rng.randint(0, 60)), young))
                lots.append((name, symbol, dt.date(2020, 5, 1), round(units - young, 3)))
        rows.append(_cash(name, round(rng.choice([0, 0.001, 0.02, 0.1]) * size, 2)))
        if rng.random() < 0.4:
            later = _cash(name, round(rng.uniform(0.01, 0.1) * size, 2))
            rows.append(later | {"settles": AS_OF + dt.timedelta(days=rng.randint(1, 4))})
        if rng.random() < 0.2:
            rows.append(_row(name, "SWVXX", round(rng.uniform(0.01, 0.1) * size, 2), 1.0, "Cash"))
        for _ in range(rng.choice([0, 0, 1, 2])):
            day = AS_OF + dt.timedelta(days=rng.randint(-2, 45))
            amount = -round(rng.uniform(0.001, 0.02) * size, 2) * rng.choice([1, 1, 1, -1])
            flows.append(Flow(account=name, date=day, amount=amount))
        known[name] = Account(
            account=name,
            model=rng.choice(list(MODELS)),
            custodian=rng.choice(["", "schwab", "fidelity"]),
            cash_reserve=rng.choice([0.0, 0.0, round(size / 200, 2)]),
            held_away=rng.random() < 0.02,
        )
    holdings = Holdings.from_rows(rows)
    if not dated:
        holdings = Holdings.from_rows([{**row, "settles": None} for row in rows])
    return Book(
        holdings=holdings,
        models=MODELS,
        securities=securities,
        accounts=known,
        restrictions=_restrictions(securities, known, rng),
        flows=tuple(flows),
        fund_rules=rules_of(securities, rng),
        lots=lots_of(lots),
    )


def _row(account: str, symbol: str, quantity: float, price: float, name: str) -> dict[str, Any]:
    return {
        **{"account": account, "symbol": symbol, "quantity": quantity, "price": price},
        "asset_class": name,
    }


def _cash(account: str, amount: float) -> dict[str, Any]:
    return {**_row(account, "CASH", amount, 1.0, "Cash"), "kind": "cash"}


def _restrictions(
    securities: dict[str, Security], accounts: dict[str, Account], rng: random.Random
) -> tuple[Restriction, ...]:
    rules = [Restriction(scope="*", rule=Rule.NEVER_HOLD, tag="tobacco")]
    for name in rng.sample(sorted(accounts), max(1, len(accounts) // 3)):
        rule = rng.choice([Rule.NEVER_BUY, Rule.NEVER_SELL])
        symbol = rng.choice([s for s in sorted(securities) if not securities[s].tags])
        rules.append(Restriction(scope=name, rule=rule, symbol=symbol))
    return tuple(rules)


LIMITS = Limits(
    costs=CostModel(half_spread=0.0005, commission=1.0, per_share=0.005),
    min_trade=50.0,
    orders=OrderStyle(order_type=OrderType.LIMIT, limit=0.005),
)
