"""The date of a statement, found in a title, a footer or a column."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")
_DOTTED = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_WORDED = re.compile(r"\b([A-Za-z]{3})[a-z]*\.?[ -](\d{1,2})(?:st|nd|rd|th)?,?[ -]+(\d{4})\b")
_WORDED_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[ -]([A-Za-z]{3})[a-z]*\.?,?[ -](\d{4})\b")
_CLOCKED = re.compile(r"\b([A-Z][a-z]{2}) +(\d{1,2}) +[\d:]{5,8} +[A-Z]{2,4} +(\d{4})\b")
_DAY = re.compile(
    r"(?P<iso>\d{4}[-/]\d{1,2}[-/]\d{1,2})|(?P<plain>\d{8})|(?P<us>\d{1,2}/\d{1,2}/\d{4})"
    r"|(?P<worded>\d{1,2}-[A-Za-z]{3}-(?:\d{4}|\d{2}))"
)
_TIME = re.compile(
    r"([ ,;T]+\d{1,2}:?\d{2}(:?\d{2}(\.\d+)?)?( ?[AP]M)?( ?[A-Z]{2,4})?)?", re.IGNORECASE
)
_AS_OF = re.compile(
    r"\b(as of|as at|date downloaded|downloaded|generated at|stand:?)\b", re.IGNORECASE
)


def find_date(text: str) -> dt.date | None:
    """The last date in a text: ISO, US 07/21/2026, 21.07.2026, Jul-05-2026, January 31, 2026.

    `05/06/2026` is read the American way, May 6; a first number above 12 must be the day.
    """
    found: list[tuple[int, dt.date]] = []
    for pattern, order in (
        (_ISO, "ymd"),
        (_SLASHED, "mdy"),
        (_DOTTED, "dmy"),
        (_WORDED, "Mdy"),
        (_WORDED_DAY_FIRST, "dMy"),
        (_CLOCKED, "Mdy"),
    ):
        for match in pattern.finditer(text):
            parts = dict(zip(order, match.groups(), strict=True))
            if "M" in parts:
                parts["m"] = str(_MONTHS.get(parts["M"][:3].casefold(), 0))
            year, month, day = int(parts["y"]), int(parts["m"]), int(parts["d"])
            if order == "mdy" and month > 12:
                month, day = day, month
            try:
                found.append((match.start(), dt.date(year, month, day)))
            except ValueError:
                continue
    return max(found)[1] if found else None


def stated_as_of(text: str) -> tuple[dt.date, str] | None:
    """(date, the words it stands in) of a note such as `Date downloaded 07/21/2026`, or None."""
    found = _AS_OF.search(text)
    date = find_date(text[found.start() :]) if found else None
    if found is None or date is None:
        return None
    return date, " ".join(text[found.end() :].split()).strip(' ":')


def read_day(cell: object) -> dt.date | None:
    """The day of a cell that holds a date, with or without a time; None when it holds none.

    Understands 2026-01-31, 2026/01/31, 20260131, 31-JAN-26 and 01/31/2026 (the American way), each
    perhaps followed by a time (`08/24/2020 13:22:52`, `20251215;095038`).
    """
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    text = str(cell).strip()
    found = _DAY.match(text)
    if found is None or _TIME.fullmatch(text, found.end()) is None:
        return None
    digits = [int(part) for part in re.findall(r"\d+", found[0])]
    if found["plain"]:
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    elif found["worded"]:
        day, year = digits
        month = _MONTHS.get(found[0].split("-")[1].casefold(), 0)
        year += 2000 if year < 100 else 0
    elif found["iso"]:
        year, month, day = digits
    else:
        month, day, year = digits
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
