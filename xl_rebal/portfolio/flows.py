"""Money that is known to come and go: fees, required distributions, standing withdrawals, deposits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import tables

HORIZON = 30  # calendar days that withdrawals are reserved ahead
_SHOWN = 5  # deposits named one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One dated amount of an account in the base currency: contribution (+) or withdrawal (-).

    kind  what it is in the user's words: fee, RMD, standing withdrawal, …
    """

    account: str
    date: dt.date
    amount: float
    kind: str = ""

    def in_words(self) -> str:
        """`fee of 250.00 on 2026-11-30`."""
        word = self.kind or ("deposit" if self.amount > 0 else "withdrawal")
        return f"{word} of {abs(self.amount):,.2f} on {self.date.isoformat()}"


def flows_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Flow, ...]:
    """Flows from the rows of the `flows` table; every bad row is reported."""
    faults = FaultList()
    result = []
    for row in rows:
        amount = row.get("amount", 0.0)
        if amount == 0:
            faults.extend(
                [
                    tables.fault_at(
                        *("flows", row, "amount", "is zero"),
                        "enter a negative amount for money that leaves, or remove the row",
                    )
                ]
            )
        elif amount > 0 and row.get("kind", "").casefold() in _LEAVES:
            what = (
                f"a {row['kind']} of {amount:,.2f} is money that leaves, and the amount is positive"
            )
            faults.extend([tables.fault_at("flows", row, "amount", what, "make it negative")])
        result.append(
            Flow(
                account=row.get("account", ""),
                date=row.get("date", dt.date.min),
                amount=amount,
                kind=row.get("kind", ""),
            )
        )
    faults.raise_as(TableError)
    return tuple(result)


_LEAVES = {"fee", "fees", "rmd", "withdrawal", "standing withdrawal", "distribution", "tax"}


def reserved(
    flows: Iterable[Flow], *, as_of: dt.date | None, horizon: int
) -> dict[str, tuple[Flow, ...]]:
    """Withdrawals that are kept back, by account in the order of their dates.

    Those from `as_of` to `horizon` calendar days after it; without a date all of them. Deposits are
    never counted before they arrive.
    """
    last = as_of + dt.timedelta(days=horizon) if as_of is not None else None
    kept: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.amount < 0 and (as_of is None or last is None or as_of <= flow.date <= last):
            kept.setdefault(flow.account, []).append(flow)
    return {
        account: tuple(sorted(found, key=lambda flow: flow.date)) for account, found in kept.items()
    }


def flow_notes(book_flows: Iterable[Flow], *, as_of: dt.date | None, horizon: int) -> list[str]:
    """What is assumed of flows that are not kept back, in words."""
    listed = list(book_flows)
    notes = []
    deposits = [f for f in listed if f.amount > 0 and (as_of is None or f.date >= as_of)]
    for flow in deposits[:_SHOWN]:
        notes.append(
            f"account {flow.account}: a {flow.in_words()} is expected; it counts once it is there"
        )
    if len(deposits) > _SHOWN:
        notes.append(f"{len(deposits) - _SHOWN} more deposits are expected and not counted")
    if as_of is None and any(flow.amount < 0 for flow in listed):
        notes.append(
            "no trade date is known (--as-of), so every withdrawal of the flows table is kept back, "
            "whatever its date"
        )
    past = [flow for flow in listed if as_of is not None and flow.date < as_of]
    if past:
        notes.append(
            f"{len(past)} flows are dated before {as_of} and taken as done "
            f"(the first is a {past[0].in_words()}, account {past[0].account})"
        )
    later = [
        flow
        for flow in listed
        if as_of is not None and flow.amount < 0 and flow.date > as_of + dt.timedelta(days=horizon)
    ]
    if later:
        notes.append(
            f"{len(later)} withdrawals lie more than {horizon} days ahead (--flow-horizon) and are not "
            "kept back yet"
        )
    return notes
