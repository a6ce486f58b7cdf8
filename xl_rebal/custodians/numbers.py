"""Columns of amounts as people and exports write them: `$1,234.56`, `(12)`, `1.234,56 EUR`, `12-`.

Ordinary cells are checked and converted as a whole column; only odd cells are looked at one by one,
and each distinct text only once.
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
from numpy.typing import NDArray

from xl_rebal.portfolio.cells import plain_numbers

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
_BLANK_TEXTS = r"--?|N/A|n/a"


def _run(number: str) -> re.Pattern[str]:
    """A run of ordinary cells, one a line: 1234.5, -$1,234.50, (12), 5 €, or blank."""
    return re.compile(
        rf"(?:(?:(?:(?:[+-]?[$€£]?|[$€£]-){number} ?[€£]?|\([$€£]?{number}\)|{_BLANK_TEXTS}) *)?\n)*+",
        re.ASCII,
    )


_RUN = {
    ".": _run(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d{1,3})?"),
    ",": _run(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?"),
}
_BLANK_LINE = re.compile(rf"^(?:{_BLANK_TEXTS}) *$", re.MULTILINE)
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
_MANY_ODD = 2000  # beyond this a column is odd throughout, and taken cell by cell
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
    """(n,) values with NaN where blank or bad.

    bad       row -> why its cell is no number.
    currency  (n,) ISO codes found in the cells (`$5`, `5 EUR`), None when there is none at all.
    """

    values: NDArray[np.float64]
    bad: Mapping[int, str]
    currency: NDArray[np.object_] | None


def parse_column(
    cells: Sequence[Cell], style: DecimalStyle, *, percent: bool = False
) -> ParsedColumn:
    """Numbers of one column; `percent` lets `98.5%` stand for 0.985, else it is a bad cell."""
    n = len(cells)
    values = np.full(n, np.nan)
    currency: NDArray[np.object_] | None = None
    kinds = set(map(type, cells))
    if kinds == {str} and style is DecimalStyle.POINT:
        plain = plain_numbers(cells)
        if plain is not None:
            return ParsedColumn(values=plain, bad={}, currency=None)
    if kinds == {float}:
        values = np.array(cells, dtype=np.float64)
        if np.isfinite(values).all():
            return ParsedColumn(values=values, bad={}, currency=None)
        values = np.full(n, np.nan)
    if kinds <= {str}:
        rows: NDArray[np.int64] = np.arange(n)
        texts = cells
    else:
        numeric = np.fromiter((type(c) in (int, float) for c in cells), np.bool_, n)
        values[numeric] = [c for c in cells if type(c) in (int, float)]
        rows = np.fromiter((type(c) is str for c in cells), np.bool_, n).nonzero()[0]
        texts = [c for c in cells if type(c) is str]
    values[rows], codes = _regular_texts(texts, style)
    if codes is not None:
        currency = np.full(n, "", dtype=object)
        currency[rows] = codes
    bad: dict[int, str] = {}
    seen: dict[Any, tuple[float, str, str]] = {"": (math.nan, "", "")}
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        cell = cells[row]
        found = seen.get(cell)
        if found is None:
            found = seen[cell] = _parse_cell(cell, style, percent=percent)
        values[row], code, reason = found
        if reason:
            bad[row] = reason
        elif code:
            currency = np.full(n, "", dtype=object) if currency is None else currency
            currency[row] = code
    return ParsedColumn(values=values, bad=bad, currency=currency)


def _regular_texts(
    texts: Sequence[str], style: DecimalStyle
) -> tuple[NDArray[np.float64], NDArray[np.object_] | None]:
    """(numbers of the ordinary cells with NaN for the others, their currencies if they have any).

    The cells are checked as one long text, a line each, and converted together: a million cells
    take a fraction of a second. Cells that break the run are left to the slow path.
    """
    n = len(texts)
    joined = "\n".join(texts) + "\n"
    odd = _odd_rows(joined, n, _RUN[style.value])
    if odd is None:
        return np.full(n, np.nan), None
    currency = None
    for sign, code in _SIGNS.items():
        if sign in joined:
            marked = np.fromiter((sign in t for t in texts), np.bool_, n)
            marked[odd] = False
            currency = np.full(n, "", dtype=object) if currency is None else currency
            currency[marked] = code
            joined = joined.replace(sign, "")
    if "-\n" in joined or "- " in joined or "/" in joined:
        joined = _BLANK_LINE.sub("", joined)
    joined = joined.replace(" ", "").replace("(", "-").replace(")", "")
    if style is DecimalStyle.POINT:
        joined = joined.replace(",", "")
    else:
        joined = joined.replace(".", "").replace(",", ".")
    parts = joined.split("\n")[:n]
    for row in odd:
        parts[row] = ""
    values = np.fromiter((float(p) if p else math.nan for p in parts), np.float64, n)
    return values, currency


def _odd_rows(joined: str, n: int, run: re.Pattern[str]) -> list[int] | None:
    """Rows whose cells break the run; None when they are too many, or cells hold line feeds."""
    if joined.count("\n") != n:
        return None
    odd: list[int] = []
    position = row = 0
    while position < len(joined):
        end = run.match(joined, position).end()  # type: ignore[union-attr]  # the run matches nothing, too
        if end == len(joined):
            break
        row += joined.count("\n", position, end)
        odd.append(row)
        if len(odd) > _MANY_ODD:
            return None
        row += 1
        position = joined.index("\n", end) + 1
    return odd


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
_SAMPLE = 10_000
_UNDECIDED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}[.,]\d{3}(?![\d.,])")


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleEvidence:
    """What the cells of one column say about the decimal sign: an example each, or empty."""

    point: str
    comma: str
    undecided: str


def style_evidence(cells: Sequence[Cell]) -> StyleEvidence:
    """Look for cells that can be read in one way only, and for one that can be read in both.

    A long column is sampled: a cell that contradicts the rest is reported as bad when it is parsed.
    Only a sample that decides nothing is worth a look at every cell.
    """
    if len(cells) > 2 * _SAMPLE:
        sample = _evidence_in([*cells[: _SAMPLE // 2], *cells[:: len(cells) // _SAMPLE]])
        if sample.point or sample.comma:
            return sample
    return _evidence_in(cells)


def count_evidence(cells: Sequence[Cell]) -> tuple[int, int]:
    """(how many cells have a decimal point for certain, how many a decimal comma)."""
    texts = [c for c in cells if type(c) is str]
    return (
        sum(_FOR_POINT.search(text) is not None for text in texts),
        sum(_FOR_COMMA.search(text) is not None for text in texts),
    )


def _evidence_in(cells: Sequence[Cell]) -> StyleEvidence:
    if str not in set(map(type, cells)):
        return StyleEvidence(point="", comma="", undecided="")
    joined = "\n".join(c for c in cells if type(c) is str)
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
