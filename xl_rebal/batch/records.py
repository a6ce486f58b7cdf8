"""What the end of a run needs of each client, as JSON keeps it: one line, its trades, its lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from xl_rebal.batch.planning import ClientPlan
from xl_rebal.errors import Fault
from xl_rebal.portfolio.accounts import Account
from xl_rebal.workbooks.dashboard_lines import ClientLine

Record = dict[str, Any]


def household_of(account: Account | None, name: str) -> str:
    """The household of an account; one that names none is a household of its own."""
    return account.household if account is not None and account.household else name


def client_record(plan: ClientPlan, line: ClientLine) -> Record:
    """The line of a client on the dashboard, its accounts, and those of them that a plan is due for."""
    return {
        "line": {**asdict(line), "policy": plan.policy},
        "accounts": plan.tables.holdings.accounts(),
        "asking": _asking(plan),
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


def failed_record(household: str, client: str, faults: Sequence[Fault]) -> Record:
    """A client that could not be planned, with everything that is wrong."""
    return {
        "household": household,
        "name": client,
        "reason": "; ".join(map(str, faults)),
        "faults": [{"where": f.where, "what": f.what, "remedy": f.remedy} for f in faults],
    }


def _asking(plan: ClientPlan) -> list[str]:
    """The accounts that a plan is due for."""
    if plan.together is not None:
        return list(plan.tables.holdings.accounts()) if plan.together.why else []
    return [each.account for each in plan.accounts.plans if each.triggered]
