"""Correct plans for the verifier's tests: the trades are written by hand, the rest follows from them.

Weights, drifts and band edges come from the engine's arrays (`drift`, `bands`), so that a correct plan
which the verifier accepts is also a comparison of the two implementations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xl_rebal import bands
from xl_rebal.costs import CostModel
from xl_rebal.drift import class_columns, drift_of
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Targets, parse_targets
from xl_rebal.trading.checks import check_plan
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import Action, CashDay, ClassResult, Plan, Trade

CLASSES = {
    "VTI": "Stocks/US",
    "VXUS": "Stocks/International",
    "BND": "Bonds/US",
    "VNQ": "Real Estate",
    "SPAXX": "Cash",
}
FIVE = parse_policy("5pp")
Order = tuple[str, str, float]


def row(symbol: str, quantity: float, price: float = 1.0, **more: Any) -> dict[str, Any]:
    """A holding of the account `A`."""
    asset_class = CLASSES.get(symbol, "Stocks")
    return {
        **{"account": "A", "symbol": symbol, "quantity": quantity, "price": price},
        **{"asset_class": asset_class, **more},
    }


def cash(amount: float, **more: Any) -> dict[str, Any]:
    """A cash balance of the account `A`."""
    return row("CASH", amount, **{"kind": "cash", "asset_class": "Cash", **more})


def book_of(
    rows: Sequence[Mapping[str, Any]],
    targets: str | Targets = "60% stocks, 30% bonds, 10% real estate",
    *,
    securities: Sequence[Security] = (),
    restrictions: Sequence[Restriction] = (),
    account: Account | None = None,
) -> Book:
    """A book of one model."""
    model = parse_targets(targets) if isinstance(targets, str) else targets
    return Book(
        holdings=Holdings.from_rows(rows),
        models={"": model},
        securities={s.symbol: s for s in securities},
        accounts={account.account: account} if account else {},
        restrictions=restrictions,
    )


def plan_of(
    book: Book,
    orders: Sequence[Order] = (),
    *,
    policy: Policy = FIVE,
    limits: Limits | None = None,
    account: str = "A",
    flow: float = 0.0,
    **more: Any,
) -> Plan:
    """The plan that makes these trades in an account, with everything else as it follows."""
    limits = limits or Limits()
    targets = book.targets_of(account)
    reserve = book.account(account).cash_reserve
    columns = class_columns(targets)
    h = book.holdings
    cash_name = next(name for name in columns if name.startswith("Cash"))
    value = dict.fromkeys(columns, 0.0)
    cash_before = 0.0
    for i in range(len(h)):
        if h.account[i] != account or h.kind[i] == "pending":
            continue
        worth = float(h.value[i])
        name = target_of(h.symbol[i], h.asset_class[i], targets)
        if name in value:
            value[name] += worth
        if h.kind[i] == "cash":
            cash_before += worth
    value[cash_name] += flow - reserve
    before = np.array([[value[name] for name in columns]])
    trades = tuple(_trade(book, account, targets, limits, order) for order in orders)
    after = before.copy()
    for trade in trades:
        sign = 1.0 if trade.action is Action.BUY else -1.0
        if trade.asset_class in columns:
            after[0, columns.index(trade.asset_class)] += sign * trade.value
        after[0, columns.index(cash_name)] += trade.cash_effect
    old = drift_of(targets, (account,), columns, before)
    new = drift_of(targets, (account,), columns, after)
    width = bands.widths(policy, old)
    lower, upper = width.lower(old.target), width.upper(old.target)
    was = bands.breaches(old, width, beyond=policy.beyond)[0]
    is_now = bands.breaches(new, width, beyond=policy.beyond)[0]
    base = float(old.base[0])
    fields: dict[str, Any] = {
        "account": account,
        "triggered": bool(orders) or bool(was.any()),
        "why": "by hand",
        "trades": trades,
        "classes": tuple(
            ClassResult(
                asset_class=name,
                target=float(old.target[k]),
                lower=None if np.isnan(lower[k]) else float(lower[k]),
                upper=None if np.isnan(upper[k]) else float(upper[k]),
                value_before=float(before[0, k]),
                weight_before=float(old.weight[0, k]),
                drift_before=float(old.drift[0, k]),
                status_before=bands.status_word(int(was[k])),
                value_after=float(after[0, k]),
                weight_after=float(new.weight[0, k]),
                drift_after=float(new.drift[0, k]),
                status_after=bands.status_word(int(is_now[k])),
                cause="by hand" if is_now[k] else "",
            )
            for k, name in enumerate(columns)
        ),
        "base_before": base,
        "base_after": float(new.base[0]),
        "cash_before": cash_before,
        "flow": flow,
        "reserve": reserve,
        "cash_after": cash_before + flow + sum(t.cash_effect for t in trades),
        "total_cost": sum(t.cost for t in trades),
        "turnover": sum(t.value for t in trades) / 2 / base if base > 0.005 else 0.0,
        "cash_days": _cash_days(cash_before, flow, trades),
    }
    return Plan(**{**fields, **more})


def _cash_days(cash: float, flow: float, trades: Sequence[Trade]) -> tuple[CashDay, ...]:
    """Without a date: cash today with the flow, and a day later what was traded."""
    nothing: dict[str, float] = {"arriving": 0.0, "sells": 0.0, "buys": 0.0, "fees": 0.0}
    today = CashDay(when="T+0", opening=cash, **nothing, flows=flow, closing=cash + flow)
    if not trades:
        return (today,)
    return (
        today,
        CashDay(
            when="T+1",
            opening=cash + flow,
            arriving=0.0,
            sells=sum(t.value for t in trades if t.action is Action.SELL),
            buys=sum(t.value for t in trades if t.action is Action.BUY),
            fees=sum(t.cost for t in trades),
            flows=0.0,
            closing=cash + flow + sum(t.cash_effect for t in trades),
        ),
    )


def _trade(book: Book, account: str, targets: Targets, limits: Limits, order: Order) -> Trade:
    action, symbol, quantity = order
    h = book.holdings
    security = book.security(symbol)
    rows = [i for i in range(len(h)) if h.symbol[i] == symbol and h.account[i] == account]
    if rows:
        i = rows[0]
        price = float(h.price[i])
        unit, path = price * float(h.multiplier[i]) * float(h.fx[i]), h.asset_class[i]
    else:
        assert security.price is not None
        price = unit = security.price
        path = security.asset_class
    name = target_of(symbol, path, targets)
    model = limits.costs.for_security(security)
    value = round(quantity * unit, 2)
    commission, spread, impact = model.parts(quantity, value, security.adv)
    return Trade(
        account=account,
        symbol=symbol,
        asset_class=str(name),
        action=Action(action),
        quantity=quantity,
        price=price,
        unit_value=unit,
        value=value,
        cost=int((commission + spread + impact) * 100 + 0.5 + 1e-9) / 100,
        half_spread=model.half_spread,
        commission=commission,
        impact=impact,
        reason="by hand",
    )


HALF_5BP = Limits(costs=CostModel(half_spread=0.0005))
WALK_ROWS = [
    row("VTI", 5000, 220.0),
    row("VXUS", 2000, 58.0),
    row("BND", 8000, 75.0),
    row("VNQ", 1000, 85.0),
]
WALK_ORDERS: list[Order] = [("SELL", "VTI", 343.0), ("SELL", "BND", 397.0), ("BUY", "VNQ", 1236.0)]
WALK_BOOK = book_of(WALK_ROWS)
WALK = plan_of(WALK_BOOK, WALK_ORDERS, limits=HALF_5BP, deposit_to_restore=125_666.67)
VTI, BND, VNQ = range(3)
STOCKS, BONDS, REAL_ESTATE, CASH = range(4)
IRA_ROWS = [row("VTI", 464_000), row("BND", 280_000), row("VNQ", 56_000)]


def codes(
    plan: Plan, book: Book = WALK_BOOK, policy: Policy = FIVE, limits: Limits = HALF_5BP
) -> set[str]:
    return {v.code for v in check_plan(book, policy, plan, limits)}


def with_trade(index: int, plan: Plan = WALK, **changes: Any) -> Plan:
    trades = list(plan.trades)
    trades[index] = replace(trades[index], **changes)
    return replace(plan, trades=tuple(trades))


def with_class(index: int, plan: Plan = WALK, **changes: Any) -> Plan:
    rows = list(plan.classes)
    rows[index] = replace(rows[index], **changes)
    return replace(plan, classes=tuple(rows))
