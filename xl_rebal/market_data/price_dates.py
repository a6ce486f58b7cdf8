"""The date of a row of prices, however a file or a sheet writes it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Any

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")
_SLASHED_ISO = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})")
_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_PLAIN = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR = re.compile(r"(1[89]|20|21)\d{2}")
_EPOCH = dt.date(
    1899, 12, 30
)  # serial 1 of a sheet is 1899-12-31 there; 61 is 1900-03-01 everywhere
_YEARS = range(1600, 2400)
_SERIALS = (61, 109_574)  # 1900-03-01 to 2199-12-31


def read_date(cell: Any) -> dt.date | None:
    """The date of a cell, or None where it holds none.

    Dates, ISO text with or without a time, 11/23/2026 (the American way), 20261123, the serial number
    of a sheet; a month (2026-11) is its last day, a year (2026) its last day. No exchange is so old,
    and no price so far ahead, that a date outside the years 1600 to 2399 would be meant.
    """
    found = _read(cell)
    return found if found is not None and found.year in _YEARS else None


def _read(cell: Any) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, (int, float)):
        return _from_number(float(cell))
    text = str(cell).strip().strip("\ufeff")
    try:
        return _from_text(text)
    except ValueError:
        return None


def _from_text(text: str) -> dt.date | None:
    if match := _ISO.fullmatch(text) or _SLASHED_ISO.fullmatch(text) or _PLAIN.fullmatch(text):
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    if match := _MONTH.fullmatch(text):
        return _month_end(int(match[1]), int(match[2]))
    if match := _US.fullmatch(text):
        return dt.date(int(match[3]), int(match[1]), int(match[2]))
    return dt.date(int(text), 12, 31) if _YEAR.fullmatch(text) else None


def _month_end(year: int, month: int) -> dt.date | None:
    if not 1 <= month <= 12:
        return None
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def _from_number(number: float) -> dt.date | None:
    if number != number or number < 0:
        return None
    whole = int(number)
    if number == whole and _YEAR.fullmatch(str(whole)):
        return dt.date(whole, 12, 31)
    if number == whole and _PLAIN.fullmatch(str(whole)):
        try:
            return dt.date(whole // 10000, whole // 100 % 100, whole % 100)
        except ValueError:
            return None
    if _SERIALS[0] <= whole <= _SERIALS[1]:
        return _EPOCH + dt.timedelta(days=whole)
    return None
