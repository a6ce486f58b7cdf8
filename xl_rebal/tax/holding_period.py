"""Holding periods: long-term means held more than one year, counted from the day after acquisition."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]


def long_term_from(acquired: dt.date) -> dt.date:
    """The first day on which a sale is long-term.

    The year is counted in calendar months from the day after acquisition (26 USC 1222, Rev. Rul. 66-7):
    bought 2012-09-19, long-term from 2013-09-20. Bought on the last day of a month it ends with a month:
    bought 2023-02-28, long-term from 2024-03-01.
    """
    start = acquired + dt.timedelta(days=1)
    if (start.month, start.day) == (2, 29):
        return dt.date(start.year + 1, 3, 1)
    return start.replace(year=start.year + 1)


def is_long_term(acquired: dt.date, sold: dt.date) -> bool:
    """True when something bought on `acquired` and sold on `sold` was held more than one year."""
    return sold >= long_term_from(acquired)


def days_to_long_term(acquired: dt.date, as_of: dt.date) -> int:
    """Days from `as_of` to the first day on which a sale is long-term; 0 when it already is."""
    return max(0, (long_term_from(acquired) - as_of).days)


def long_term_dates(acquired: Days) -> Days:
    """(n,) first long-term day of each of (n,) acquisition days; NaT stays NaT."""
    start = acquired.astype("datetime64[D]") + np.timedelta64(1, "D")
    month = start.astype("datetime64[M]")
    # Day of the month counted from 0; 29 February has no anniversary and becomes 1 March by itself.
    day = start - month.astype("datetime64[D]")
    result: Days = (month + np.timedelta64(12, "M")).astype("datetime64[D]") + day
    return result


def long_term_mask(acquired: Days, sold: Any) -> NDArray[np.bool_]:
    """(n,) True where the holding was longer than one year; False where a day is unknown."""
    return np.asarray(np.asarray(sold, dtype="datetime64[D]") >= long_term_dates(acquired))


def tacked(acquired: dt.date, *, held_from: dt.date, held_to: dt.date) -> dt.date:
    """The day from which a replacement counts as held: the days that the shares with the disallowed loss
    were held are added to its own (26 USC 1223(3)); a day on which both were held counts once.

    Worked: held 2024-09-15 to 2026-02-01 is 504 days; bought again 2026-02-15, counted from 2024-09-29.
    Bought before the sale, on 2026-01-20: counted from 2024-09-15.
    """
    added = min(held_to, acquired) - held_from
    return acquired - max(added, dt.timedelta(0))
