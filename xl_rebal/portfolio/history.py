"""The trade history: purchases and sales day by day, in all accounts that a tax return must look at."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import tables


class Event(StrEnum):
    """What happened.

    buy       a purchase; it can replace shares that were sold at a loss.
    reinvest  a dividend reinvested: a purchase like any other.
    receive   shares that were not bought then (a transfer, gift or inheritance): a lot that replaces
              nothing. Its date is the day from which it counts as held, its price the basis.
    sell      a sale.
    """

    BUY = "buy"
    REINVEST = "reinvest"
    RECEIVE = "receive"
    SELL = "sell"


_EVENTS = {
    "buy": Event.BUY, "bought": Event.BUY, "purchase": Event.BUY, "youbought": Event.BUY,
    "reinvest": Event.REINVEST, "reinvestment": Event.REINVEST, "reinvestshares": Event.REINVEST,
    "dividendreinvestment": Event.REINVEST, "drip": Event.REINVEST,
    "receive": Event.RECEIVE, "received": Event.RECEIVE, "transferin": Event.RECEIVE,
    "gift": Event.RECEIVE, "inherited": Event.RECEIVE,
    "sell": Event.SELL, "sold": Event.SELL, "sale": Event.SELL, "yousold": Event.SELL,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One purchase or sale.

    quantity  units, positive.
    price     money per unit, fees included: what was paid, or what was received.
    lot_id    a sale: the lot that was chosen (specific identification); a purchase: the lot's name.
    planned   True for a trade that is only planned.
    line      row of the table it was read from, 0 when there is none.
    """

    account: str
    symbol: str
    date: dt.date
    event: Event
    quantity: float
    price: float
    lot_id: str = ""
    planned: bool = False
    line: int = 0


History = tuple[Transaction, ...]


def history_from_rows(
    rows: Iterable[Mapping[str, Any]], *, as_of: dt.date | None = None
) -> History:
    """Transactions from the rows of the `history` table; every bad row is reported.

    as_of  the day of today, when it is known: rows of a later day are refused.
    """
    faults = FaultList()
    result = []
    spelled: dict[str, str] = {}  # `vti` and `VTI` are one security
    for row in rows:

        def at(column: str, what: str, remedy: str, row: Mapping[str, Any] = row) -> None:
            faults.extend([tables.fault_at("history", row, column, what, remedy)])

        event = _EVENTS.get(re.sub(r"[^a-z]", "", str(row["action"]).casefold()))
        if event is None:
            known = ", ".join(Event)
            at("action", f"{row['action']!r} is not known", f"use one of {known}")
            continue
        quantity = row["quantity"]
        if event is Event.SELL:
            quantity = abs(quantity)  # exports write sales with a minus sign
        if not quantity > 0:
            at("quantity", f"is {quantity:g}", "enter the units as a number greater than zero")
        if row["price"] < 0:
            at("price", "is negative", "enter zero or more")
        if row["date"] < dt.date(1900, 1, 1):
            at("date", f"{row['date']} is long ago", "check the year")
        if as_of is not None and row["date"] > as_of:
            at("date", f"{row['date']} is after {as_of}", "a history holds what has happened")
        result.append(
            Transaction(
                account=row["account"],
                symbol=spelled.setdefault(row["symbol"].casefold(), row["symbol"]),
                date=row["date"],
                event=event,
                quantity=quantity,
                price=row["price"],
                lot_id=row.get("lot_id", ""),
                line=row["row"],
            )
        )
    faults.raise_as(TableError)
    return tuple(result)


def require_past_trades(history: History, as_of: dt.date) -> None:
    """Refuse trades of a day after `as_of`, all of them together; raises TableError."""
    faults = FaultList()
    for event in history:
        if event.date > as_of:
            faults.add(
                where=f"history row {event.line}, column date"
                if event.line
                else f"history, {event.symbol} in {event.account}",
                what=f"{event.date} is after {as_of}",
                remedy="a history holds what has happened",
            )
    faults.raise_as(TableError)
