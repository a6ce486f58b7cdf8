"""Columns of amounts as people and exports write them: `$1,234.56`, `(12)`, `1.234,56 EUR`, `12-`.

Plain numbers are parsed by pandas as a whole column; only odd cells are looked at one by one, and
each distinct text only once.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Cell = Any  # str, float, int, bool, a date or None, as the sheet reader hands it over

ISO_CODES = frozenset(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNH CNY COP CZK DKK EGP EUR GBP GBX HKD HUF IDR ILS INR "
    "ISK JPY KES KRW KWD KZT MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK "
    "SGD THB TRY TWD UAH USD VND ZAR".split()
)
_SYMBOLS = {
    "US$": "USD",
    "CA$": "CAD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "R$": "BRL",
    "C$": "CAD",
    "A$": "AUD",
    "S$": "SGD",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
}
BLANKS = frozenset({"", "-", "--", "---", "—", "n/a", "na", "none", "null", "nil", "n.a.", "#n/a"})
_CURRENCY = re.compile(
    r"(?P<symbol>US\$|CA\$|AU\$|NZ\$|HK\$|R\$|C\$|A\$|S\$|[$€£¥₹₩])|(?<![A-Z])(?P<code>[A-Z]{3})(?![A-Z])"
)
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_QUICK = re.compile(r"([+-]?)\$?(\d{1,3}(?:,\d{3})*(?:\.\d+)?)")
_DIGITS = {
    ".": re.compile(
        r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d{1,3}(?:[ ’']\d{3})+|\d+)?"
        r"(?:\.\d*)?(?:[eE][+-]?\d+)?"
    ),
    ",": re.compile(
        r"(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:[ ’']\d{3})+|\d+)?(?:,\d*)?(?:[eE][+-]?\d+)?"
    ),
}


class DecimalStyle(StrEnum):
    """Which sign stands before the decimals."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedColumn:
    """(n,) values with NaN where blank; `bad` maps row -> reason; `currency` row -> ISO code."""

    values: NDArray[np.float64]
    blank: NDArray[np.bool_]
    bad: Mapping[int, str]
    currency: Mapping[int, str]


def parse_column(
    cells: Sequence[Cell], style: DecimalStyle, *, percent: bool = False
) -> ParsedColumn:
    """Numbers of one column; `percent` lets `98.5%` stand for 0.985, else it is a bad cell."""
    raw = np.empty(len(cells), dtype=object)
    raw[:] = cells
    kinds = set(map(type, cells))
    if kinds <= {str}:
        values = _plain_texts(raw, style)
    else:
        values = np.full(len(raw), np.nan)
        numeric = np.array([type(c) in (int, float) for c in cells], dtype=np.bool_)
        values[numeric] = raw[numeric].astype(np.float64)
        texts = np.array([type(c) is str for c in cells], dtype=np.bool_)
        values[texts] = _plain_texts(raw[texts], style)
    blank = np.zeros(len(raw), dtype=np.bool_)
    bad: dict[int, str] = {}
    currency: dict[int, str] = {}
    seen: dict[Any, tuple[float, str, str]] = {}
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        cell = raw[row]
        found = seen.get(cell)
        if found is None:
            found = seen[cell] = _parse_cell(cell, style, percent=percent)
        value, code, reason = found
        values[row] = value
        if reason:
            bad[row] = reason
        elif value != value:  # noqa: PLR0124 - the quickest test for NaN
            blank[row] = True
        if code:
            currency[row] = code
    return ParsedColumn(values=values, blank=blank, bad=bad, currency=currency)


def _plain_texts(raw: NDArray[np.object_], style: DecimalStyle) -> NDArray[np.float64]:
    if style is DecimalStyle.COMMA:
        # A point is a thousands sign here: such cells take the slow path, which checks the groups.
        raw = np.array([t.replace(",", ".") if "." not in t else "?" for t in raw], dtype=object)
    parsed = pd.to_numeric(pd.Series(raw, dtype=object), errors="coerce")
    return np.array(parsed, dtype=np.float64)


def _parse_cell(cell: Cell, style: DecimalStyle, *, percent: bool) -> tuple[float, str, str]:
    """(value, currency, reason it is bad) of a cell that is no plain number."""
    if cell is None:
        return math.nan, "", ""
    if isinstance(cell, (bool, dt.date, dt.time, dt.timedelta)):
        return math.nan, "", f"{cell} is not a number"
    if not isinstance(cell, str):
        if isinstance(cell, float) and math.isnan(cell):
            return math.nan, "", ""
        return math.nan, "", f"{cell!r} is not a finite number"
    if style is DecimalStyle.POINT and (quick := _QUICK.fullmatch(cell)):
        value = float(quick[2].replace(",", ""))
        return (-value if quick[1] == "-" else value), "USD" if "$" in cell else "", ""
    return _parse_text(cell, style, percent=percent)


def _parse_text(cell: str, style: DecimalStyle, *, percent: bool) -> tuple[float, str, str]:
    shown = cell.strip() if len(cell) < 60 else cell.strip()[:57] + "..."
    body = _SPACES.sub(" ", cell).replace("\u2212", "-").replace("\u2013", "-").strip()
    body = body.lstrip("'").strip() if body[:1] == "'" else body
    if body.casefold() in BLANKS:
        return math.nan, "", ""
    if body.casefold() in {"nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity"}:
        return math.nan, "", f"{shown!r} is not a finite number"
    if body.startswith("#"):
        return math.nan, "", f"{shown!r} is a spreadsheet error, not a number"
    code = ""
    if found := _CURRENCY.search(body):
        code = _SYMBOLS.get(found["symbol"] or "", found["code"] or "")
        if code not in ISO_CODES:
            return math.nan, "", f"{shown!r} is not a number"
        body = (body[: found.start()] + " " + body[found.end() :]).strip()
    sign, scale = 1.0, 1.0
    if body.startswith("(") and body.endswith(")"):
        body, sign = body[1:-1].strip(), -1.0
    if body.endswith("%"):
        body, scale = body[:-1].strip(), 0.01
        if not percent:
            return math.nan, "", f"{shown!r} is a percentage where an amount is needed"
    if body.endswith(("-", "+")) and len(body) > 1:
        body = body[-1] + body[:-1].strip()
    while body[:1] in {"-", "+"} and body:
        sign, body = (-sign if body[0] == "-" else sign), body[1:].strip()
        if body[:1] in {"-", "+"}:
            return math.nan, "", f"{shown!r} is not a number"
    if not re.search(r"\d", body) or not _DIGITS[style.value].fullmatch(body):
        hint = ""
        other = DecimalStyle.COMMA if style is DecimalStyle.POINT else DecimalStyle.POINT
        if re.search(r"\d", body) and _DIGITS[other.value].fullmatch(body):
            hint = f" with a decimal {'point' if style is DecimalStyle.POINT else 'comma'}"
        return math.nan, "", f"{shown!r} is not a number{hint}"
    thousands = "," if style is DecimalStyle.POINT else "."
    digits = re.sub(rf"[{thousands} ’']", "", body).replace(",", ".")
    value = sign * scale * float(digits)
    if not math.isfinite(value):
        return math.nan, "", f"{shown!r} is not a finite number"
    return value, code, ""


# Evidence for the decimal sign, searched in all cells of a column joined by line feeds. `a` is the
# sign that would be decimal and `b` the one that would part thousands.
def _evidence(a: str, b: str) -> re.Pattern[str]:
    a, b = re.escape(a), re.escape(b)
    return re.compile(
        rf"\d{b}\d{{3}}{a}\d"  # 1,234.5
        rf"|\d{{4}}{a}\d"  # 1234.567
        rf"|{a}\d{{1,2}}(?![\d.,])"  # 1.5
        rf"|{a}\d{{4}}"  # 1.2345
        rf"|(?<![\d.,])0?{a}\d"  # 0.123
        rf"|\d{b}\d{{3}}{b}\d{{3}}"  # 1,234,567
        rf"|\d[ ’']\d{{3}}{a}\d"  # 1'234.567
    )


_FOR_POINT, _FOR_COMMA = _evidence(".", ","), _evidence(",", ".")
_UNDECIDED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}[.,]\d{3}(?![\d.,])")


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleEvidence:
    """What the cells of one column say about the decimal sign: an example each, or empty."""

    point: str
    comma: str
    undecided: str


def style_evidence(cells: Sequence[Cell]) -> StyleEvidence:
    """Look for cells that can be read in one way only, and for one that can be read in both."""
    texts = cells if set(map(type, cells)) <= {str} else [c for c in cells if type(c) is str]
    joined = "\n".join(texts)
    return StyleEvidence(
        point=_example(_FOR_POINT, joined),
        comma=_example(_FOR_COMMA, joined),
        undecided=_example(_UNDECIDED, joined),
    )


def _example(pattern: re.Pattern[str], joined: str) -> str:
    found = pattern.search(joined)
    if found is None:
        return ""
    start = joined.rfind("\n", 0, found.start()) + 1
    end = joined.find("\n", found.end())
    return joined[start : end if end >= 0 else len(joined)].strip()
