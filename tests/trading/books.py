"""Random small books for property tests, and how a book looks after a plan was carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from xl_rebal.costs import CostModel
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.portfolio.targets import Target, Targets
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import Plan

POLICIES = ("now", "5pp", "2pp", "20%rel", "5/25", "3pp beyond", "5pp breached only")
DESTINATIONS = ("to target", "to halfway", "to edge", "to 50% of band")


@dataclass(frozen=True)
class Case:
    """A book of one account with limits and, perhaps, a flow."""

    book: Book
    limits: Limits
    flow: float


@st.composite
def cases(draw: st.DrawFn, *, capped: bool = True, flows: bool = True) -> Case:
    """Any account: 1 to 5 classes, 1 to 3 securities each, every kind of constraint."""
    count = draw(st.integers(1, 5))
    names = ["Stocks", "Bonds", "Real Estate", "Commodities", "Alternatives"][:count]
    parts = draw(st.lists(st.integers(0, 20), min_size=count, max_size=count).filter(any))
    cash_part = draw(st.sampled_from([0, 0, 0, 1, 2]))
    total = sum(parts) + cash_part
    targets = [Target(asset_class=n, target=p / total) for n, p in zip(names, parts, strict=True)]
    if cash_part:
        targets.append(Target(asset_class="Cash", target=cash_part / total))
    rest = 1.0 - sum(t.target for t in targets[1:])
    targets[0] = replace(targets[0], target=max(rest, 0.0))
    rows: list[dict[str, Any]] = []
    securities, restrictions = {}, []
    for k, name in enumerate(names):
        for j in range(draw(st.integers(1, 3))):
            symbol = f"{name[0]}{k}{j}"
            price = draw(st.integers(100, 60_000)) / 100
            whole = draw(st.integers(0, 400))
            vehicle = draw(st.sampled_from([Vehicle.ETF, Vehicle.ETF, Vehicle.MUTUAL_FUND]))
            step = (
                0.001
                if vehicle is Vehicle.MUTUAL_FUND
                else draw(st.sampled_from([1.0, 1.0, 0.1, 10.0]))
            )
            fraction = draw(st.sampled_from([0.0, 0.0, 0.25, 0.125]))
            rows.append(
                {
                    "account": "A",
                    "symbol": symbol,
                    "quantity": float(whole) + fraction,
                    "price": price,
                    "asset_class": name,
                }
            )
            securities[symbol] = Security(
                symbol=symbol,
                asset_class=name,
                vehicle=vehicle,
                quantity_step=step,
                rank=draw(st.sampled_from([None, None, 1.0, 2.0])),
                minimum=draw(st.sampled_from([0.0, 0.0, 500.0])),
                spread_bps=draw(st.sampled_from([None, None, 20.0])),
                tradable=draw(st.sampled_from([True, True, True, True, False])),
            )
            rule = draw(st.sampled_from([None] * 9 + list(Rule)[:3]))
            if rule is not None:
                restrictions.append(Restriction(scope="*", rule=rule, symbol=symbol))
    cash = draw(st.sampled_from([0.0, 0.0, 12.34, 5_000.0]))
    rows.append(
        {
            "account": "A",
            "symbol": "CASH",
            "kind": "cash",
            "quantity": cash,
            "price": 1.0,
            "asset_class": "Cash",
        }
    )
    fund = draw(st.sampled_from([0.0, 0.0, 0.0, 1_234.56]))
    if fund:
        rows.append(
            {
                "account": "A",
                "symbol": "SWVXX",
                "quantity": fund,
                "price": 1.0,
                "asset_class": "Cash",
            }
        )
    value = sum(row["quantity"] * row["price"] for row in rows)
    assume(value >= 500)  # orders are whole cents: below that, rounding is all there is to see
    book = Book(
        holdings=Holdings.from_rows(rows),
        models={"": Targets(tuple(targets))},
        securities=securities,
        restrictions=tuple(restrictions),
        accounts={
            "A": Account(
                account="A", cash_reserve=draw(st.sampled_from([0.0, 0.0, round(value / 50, 2)]))
            )
        },
    )
    limits = Limits(
        costs=CostModel(
            half_spread=draw(st.sampled_from([0.0, 0.0005, 0.01])),
            commission=draw(st.sampled_from([0.0, 0.0, 4.95])),
            per_share=draw(st.sampled_from([0.0, 0.005])),
        ),
        min_trade=draw(st.sampled_from([0.0, 0.0, 250.0])),
        max_turnover=draw(st.sampled_from([None, 0.05])) if capped else None,
    )
    share = draw(st.sampled_from([0.0, 0.0, 0.03, -0.03])) if flows else 0.0
    return Case(book=book, limits=limits, flow=round(value * share, 2))


def carried_out(book: Book, plan: Plan) -> Book:
    """The book after every trade of the plan was filled at its price."""
    signed = {trade.symbol: trade.signed_quantity for trade in plan.trades}
    rows = []
    holdings = book.holdings
    for i in range(len(holdings)):
        symbol, kind = holdings.symbol[i], holdings.kind[i]
        quantity = float(holdings.quantity[i])
        if kind == "cash":
            quantity = plan.cash_after
        elif symbol in signed:
            quantity = float(f"{quantity + signed[symbol]:.12g}")
        rows.append(
            {
                "account": holdings.account[i],
                "symbol": symbol,
                "kind": kind,
                "quantity": quantity,
                "price": float(holdings.price[i]),
                "asset_class": holdings.asset_class[i],
            }
        )
    return replace(book, holdings=Holdings.from_rows(rows))
