"""One cell to one value: numbers, percentages, dates and yes/no as people type them.

Each function raises `ValueError` with the words that complete "row 7, quantity: …".
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLANK = {"", "--", "-", "n/a", "na", "none", "null"}
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)
_PLAIN_SIGNS = frozenset("0123456789.+-")
_TRUE = {"true", "yes", "y", "1", "x"}
_FALSE = {"false", "no", "n", "0"}


def is_blank(value: Any) -> bool:
    """True for None, NaN, empty text and the dashes that exports write for "nothing here"."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.replace("\u00a0", " ").strip().casefold() in _BLANK


def text(value: Any) -> str:
    """Text as it stands; a whole number from a spreadsheet loses its `.0`."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value).replace("\u00a0", " ").strip()


def texts(values: Sequence[Any]) -> list[Any]:
    """A column whose texts are as `text` gives them; what is no text stays as it is."""
    return [v.replace("\u00a0", " ").strip() if type(v) is str else v for v in values]


def plain_numbers(values: Sequence[str]) -> NDArray[np.float64] | None:
    """(n,) what `number` reads, NaN for an empty text; None where one has other signs."""
    if not _PLAIN_SIGNS.issuperset("".join(values)):
        return None
    try:
        numbers = np.array([float(v) if v else math.nan for v in values], dtype=np.float64)
    except ValueError:
        return None
    return None if np.isinf(numbers).any() else numbers


def number(value: Any) -> float:
    """A finite number; `$`, thousands commas, `(12)` for -12 and a trailing `%` are understood."""
    if isinstance(value, bool):
        raise ValueError(f"{value} is not a number; enter digits only")
    if isinstance(value, (int, float)):
        result = float(value)
    else:
        result = _number_from_text(str(value))
    if not math.isfinite(result):
        raise ValueError(f"{value!r} is not a finite number; enter digits only")
    return result


_PLAIN = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")


def _number_from_text(value: str) -> float:
    if _PLAIN.fullmatch(value):
        return float(value)
    raw = value.replace("\u00a0", " ").replace("\u2212", "-").strip()
    body, sign, scale = raw, 1.0, 1.0
    if body.startswith("(") and body.endswith(")"):
        body, sign = body[1:-1], -1.0
    if body.endswith("%"):
        body, scale = body[:-1], 0.01
    body = re.sub(r"[$€£]", "", body).replace(" ", "")
    signed_twice = sign < 0 and body.startswith(("-", "+"))
    if signed_twice or not _NUMBER.fullmatch(body) or not re.search(r"\d", body):
        raise ValueError(f"{value!r} is not a number; enter digits only")
    return sign * scale * float(body.replace(",", ""))


def fraction(value: Any) -> float:
    """A share of something: `5%`, `5pp` and `0.05` are all 0.05; 1 or more needs a unit."""
    if isinstance(value, str):
        raw = value.strip().casefold()
        for unit, scale in (("%", 0.01), ("pp", 0.01), ("bps", 1e-4), ("bp", 1e-4)):
            if raw.endswith(unit) and not raw[: -len(unit)].rstrip().endswith("%"):
                return round(number(raw[: -len(unit)]) * scale, 15)
    result = number(value)
    if abs(result) >= 1:
        raise ValueError(
            f"{value!r} has no unit; write {result:g}% or {result / 100:g} for {result:g} percent"
        )
    return result


def yes_no(value: Any) -> bool:
    """True or False from TRUE, yes, y, 1, x and their opposites."""
    if isinstance(value, bool):
        return value
    word = text(value).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{value!r} is neither yes nor no; write yes or no")


def words(value: Any) -> frozenset[str]:
    """The words of a list such as `VTI; BND`, folded to lower case."""
    parts = re.split(r"[;,|]", text(value))
    return frozenset(part.strip().casefold() for part in parts if part.strip())


def date(value: Any) -> dt.date:
    """A date from a date cell, ISO text (2026-11-23) or US text (11/23/2026)."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    raw = text(value)
    if (found := _day_of(raw)) is not None:
        return found
    raise ValueError(f"{value!r} is not a date; write it as 2026-11-23")


@lru_cache(maxsize=65536)
def _day_of(raw: str) -> dt.date | None:
    for pattern in ("%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d"):
        try:
            return dt.datetime.strptime(raw, pattern).date()
        except ValueError:
            continue
    return None


def term(value: Any) -> str:
    """`short` or `long` from Short Term, ST, long-term and the like."""
    word = re.sub(r"[^a-z]", "", text(value).casefold())
    if word in {"short", "shortterm", "st"}:
        return "short"
    if word in {"long", "longterm", "lt"}:
        return "long"
    raise ValueError(f"{value!r} is no holding period; write short or long")
