"""What the end of a run needs of each client, as JSON keeps it: one line, its trades, its lots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from xl_rebal.bands import WITHIN
from xl_rebal.batch.planning import ClientPlan
from xl_rebal.custodians.book_tables import BookTables
from xl_rebal.errors import Fault
from xl_rebal.household.comparison import Way
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.classes import is_cash
from xl_rebal.trading.plan import Action

OURS = "ours"

Record = dict[str, Any]


def household_of(account: Account | None, name: str) -> str:
    """The household of an account; one that names none is a household of its own."""
    return account.household if account is not None and account.household else name


def client_record(plan: ClientPlan, path: str) -> Record:
    """The line of a client: what it holds, how far it has drifted, what it is to do.

    Weights and drifts are fractions of the client's weight base, all its accounts together.
    """
    names = plan.tables.holdings.accounts()
    book = plan.accounts.book
    rows = _class_rows(plan)
    trades = plan.trades
    together = plan.together
    return {
        "household": plan.household,
        "name": plan.name,
        "accounts": names,
        "asking": _asking(plan),
        "models": list(dict.fromkeys(book.targets_of(name).name for name in names)),
        "mode": plan.mode.value,
        "policy": plan.policy,
        "why": plan.why,
        "base": round(sum(row["value"] for row in rows), 2),
        "cash": round(sum(row["value"] for row in rows if is_cash(row["asset_class"])), 2),
        "classes": rows,
        "breaches": breaches_of(plan),
        "trades": len(trades),
        "buys": _money(t.value for t in trades if t.action is Action.BUY),
        "sells": _money(t.value for t in trades if t.action is Action.SELL),
        "cost": _money(t.cost for t in trades),
        "tax": None if together is None else round(together.tax_added, 2),
        "tax_saved": None if together is None else _tax_saved(together),
        "notes": list(together.notes if together else plan.accounts.notes),
        "file": path,
    }


def trade_records(plan: ClientPlan) -> list[Record]:
    """The trades of a client; `custodian` is where the account is kept."""
    accounts = plan.tables.accounts
    return [
        {
            "household": plan.household,
            "account": trade.account,
            "custodian": accounts[trade.account].custodian if trade.account in accounts else "",
            "symbol": trade.symbol,
            "action": trade.action.value,
            "quantity": trade.quantity,
            "price": trade.price,
            "unit_value": trade.unit_value,
            "value": trade.value,
            "cost": trade.cost,
            "order_type": trade.order_type.value,
            "limit_price": trade.limit_price,
            "time_in_force": trade.time_in_force.value,
            "settles": trade.settles,
            "reason": trade.reason,
        }
        for trade in plan.trades
    ]


def failed_record(tables: BookTables, household: str, faults: Sequence[Fault]) -> Record:
    """A client that could not be planned, with everything that is wrong."""
    named = [a.client for n, a in tables.accounts.items() if household_of(a, n) == household]
    return {
        "household": household,
        "name": next(filter(None, named), household),
        "reason": "; ".join(map(str, faults)),
        "faults": [{"where": f.where, "what": f.what, "remedy": f.remedy} for f in faults],
    }


def _asking(plan: ClientPlan) -> list[str]:
    """The accounts that a plan is due for."""
    if plan.together is not None:
        return list(plan.tables.holdings.accounts()) if plan.together.why else []
    return [each.account for each in plan.accounts.plans if each.triggered]


def _class_rows(plan: ClientPlan) -> list[Record]:
    """The classes of the client, its accounts together: value, weight, target, drift before trades."""
    if plan.together is not None:
        return [
            {
                "asset_class": row.asset_class,
                "value": round(row.value_before, 2),
                "weight": row.weight_before,
                "target": row.target,
                "drift": row.drift_before,
                "drift_after": row.drift_after,
            }
            for row in plan.together.classes
        ]
    value: dict[str, list[float]] = {}
    after = 0.0
    for each in plan.accounts.plans:
        after += each.base_after
        for row in each.classes:
            sums = value.setdefault(row.asset_class, [0.0, 0.0, 0.0])
            sums[0] += row.value_before
            sums[1] += row.target * each.base_before
            sums[2] += row.drift_after * each.base_after
    base = sum(each.base_before for each in plan.accounts.plans)
    return [
        {
            "asset_class": name,
            "value": round(held, 2),
            "weight": held / base,
            "target": wanted / base,
            "drift": (held - wanted) / base,
            "drift_after": left / after if after else 0.0,
        }
        for name, (held, wanted, left) in value.items()
        if base
    ]


def breaches_of(plan: ClientPlan) -> list[Record]:
    """The classes outside their bands before the trades, by account; "" for all accounts together."""
    if plan.together is not None:
        rows = [("", row) for row in plan.together.classes]
    else:
        rows = [(each.account, row) for each in plan.accounts.plans for row in each.classes]
    return [
        {
            "account": account,
            "asset_class": row.asset_class,
            "status": row.status_before,
            "drift": row.drift_before,
        }
        for account, row in rows
        if row.status_before != WITHIN
    ]


def _tax_saved(plan: HouseholdPlan) -> float | None:
    """Tax that this year's plan leaves out against account-by-account selling, oldest lots first.

    Most of it is deferred, not saved for good; None where there is nothing to compare.
    """
    ways = {each.name: each.tax_now for each in plan.comparison}
    if OURS not in ways or Way.BY_ACCOUNT.value not in ways:
        return None
    return round(ways[Way.BY_ACCOUNT.value] - ways[OURS], 2)


def _money(amounts: Iterable[float]) -> float:
    return round(math.fsum(amounts), 2)
