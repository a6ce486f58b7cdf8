"""How old positions and prices are: plans are not made on yesterday's book unless it is allowed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from xl_rebal.errors import FaultList, PlanError
from xl_rebal.portfolio.book import Book
from xl_rebal.schedule import trading_days

_SHOWN = 8  # symbols named in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the book may be.

    positions_of  the date that the positions file states; None when it states none.
    max_age       most trading days between positions or prices and the trade date.
    allow_stale   True plans all the same, and says what is old.
    """

    positions_of: dt.date | None = None
    max_age: int = 1
    allow_stale: bool = False


def age_in_trading_days(day: dt.date, as_of: dt.date) -> int:
    """Trading days after `day` up to and with `as_of`; 0 from Friday to the Sunday after it."""
    return len(trading_days(day + dt.timedelta(days=1), as_of)) if day < as_of else 0


def check_freshness(book: Book, freshness: Freshness, as_of: dt.date | None) -> list[str]:
    """Notes on the age of positions and prices; raises PlanError where they are too old.

    Securities that are not traded are left out: the price of a private fund is old by its nature.
    """
    if as_of is None:
        return []
    most, faults = freshness.max_age, FaultList()
    allow = "export them again, or allow it with --max-age {age} (trading days) or --allow-stale"
    stated = freshness.positions_of
    notes = []
    if stated is None and not _dated(book):
        notes.append(
            f"the date of the positions is not known; their age on {as_of} was not checked"
        )
    if stated is not None and stated > as_of:
        notes.append(
            f"the positions are of {stated}, after the trade date {as_of}: check --as-of, on which "
            "settlement, lot ages and calendar rules rest"
        )
    if stated is not None and (age := age_in_trading_days(stated, as_of)) > most:
        faults.add(
            where="holdings",
            what=f"the positions are of {stated}, {age} trading days before {as_of} (limit {most})",
            remedy=allow.format(age=age),
        )
    for day, symbols in sorted(_old_prices(book, stated, as_of, most).items()):
        age = age_in_trading_days(day, as_of)
        more = f" and {len(symbols) - _SHOWN} more" if len(symbols) > _SHOWN else ""
        faults.add(
            where="holdings",
            what=f"the price of {', '.join(symbols[:_SHOWN])}{more} is of {day}, {age} trading days "
            f"before {as_of} (limit {most})",
            remedy=allow.format(age=age),
        )
    if not freshness.allow_stale:
        faults.raise_as(PlanError)
    return [*notes, *(f"{fault.where}: {fault.what}; allowed" for fault in faults)]


def _dated(book: Book) -> bool:
    return bool((~np.isnat(book.holdings.priced)).any())


def _old_prices(
    book: Book, stated: dt.date | None, as_of: dt.date, most: int
) -> dict[dt.date, list[str]]:
    """Symbols of tradable positions by the date of their price, where that is too old.

    What the date of the whole file already says is not repeated.
    """
    holdings = book.holdings
    rows = np.flatnonzero(holdings.is_position & ~np.isnat(holdings.priced))
    by_day: dict[dt.date, dict[str, None]] = {}
    for row in rows.tolist():
        day = holdings.priced[row].item()
        if day != stated and book.security(holdings.symbol[row]).tradable:
            by_day.setdefault(day, {})[holdings.symbol[row]] = None
    return {
        day: list(symbols)
        for day, symbols in by_day.items()
        if age_in_trading_days(day, as_of) > most
    }
