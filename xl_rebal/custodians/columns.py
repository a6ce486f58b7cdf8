"""Which of a file's columns is which of ours: header synonyms, the header row, near misses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from xl_rebal.custodians.numbers import ISO_CODES, Cell

# Our column -> headers that mean it, best first. `Price ($)` and `Qty (Quantity)` need no entry of
# their own: parentheses are tried without and within. Sources: the exports that the tests read.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "account": (
        "account", "account number", "account id", "acct", "acct no", "acct number", "account no",
        "account #", "fund account number", "portfolio", "portfolio id", "client account",
        "konto", "depot",
    ),
    "account_name": (
        "account name", "account nickname", "account title", "account registration", "acct name",
    ),
    "symbol": (
        "symbol", "ticker", "ticker symbol", "security", "security symbol", "security id", "asset",
        "instrument", "fund symbol", "stock", "isin", "cusip", "wkn", "sedol", "symbole",
        "wertpapier", "kürzel",
    ),
    "description": (
        "description", "name", "security description", "investment name", "fund name",
        "security name", "investment", "holding", "asset name", "bezeichnung", "instrument name",
    ),
    "quantity": (
        "quantity", "qty", "shares", "units", "share quantity", "number of shares", "shares held",
        "position", "amount of shares", "shares/units", "total shares", "nominal", "stück",
        "stueck", "anzahl", "menge", "no. of shares", "# shares", "# of shares",
        "quantity/par", "units held", "current quantity", "quantité",
    ),
    "price": (
        "price", "last price", "current price", "share price", "market price", "close",
        "close price", "closing price", "unit price", "last", "nav", "price per share", "mark",
        "kurs", "preis", "mark price", "price/share", "last trade", "quote", "prix",
        "price per unit", "current share price",
    ),
    "value": (
        "value", "market value", "current value", "mkt val", "mkt value", "total value",
        "position value", "current market value", "ending value", "balance", "market val",
        "marktwert", "kurswert", "wert", "valeur", "total market value", "holding value",
        "current balance",
    ),
    "multiplier": ("multiplier", "mult", "contract size", "contract multiplier"),
    "currency": ("currency", "ccy", "cur", "curr", "currency code", "währung", "waehrung", "devise"),
    "fx": (
        "fx", "fx rate", "exchange rate", "fx rate to base", "fxratetobase", "rate to base",
        "currency rate", "wechselkurs",
    ),
    "asset_class": (
        "asset class", "asset_class", "class", "asset category", "category", "asset allocation",
    ),
    "kind": ("kind", "row kind", "holding kind", "holding type"),
    "as_of": ("as of", "as_of", "as of date", "date", "cob date", "position date", "report date",
              "price date", "datum", "holdings date"),
    "valuation_date": ("valuation date", "valuation_date"),
    "settles": ("settles", "settles on", "settles by", "available on"),
    "cost": (
        "cost basis", "cost", "total cost", "cost basis total", "book value", "purchase value",
        "average cost", "average cost basis", "unit cost", "purchase price", "avg cost",
        "cost/share", "price paid",
    ),
}  # fmt: skip
MONEY_ROLES = ("quantity", "price", "value", "fx", "multiplier", "cost")
_BY_KEY: dict[str, tuple[str, int]] = {}
_HEADER_ROWS = 200  # how far down a header may stand below titles and notes


def key(header: Cell) -> str:
    """A header reduced to letters and digits, so that `Asset Class` and `asset_class` agree."""
    return re.sub(r"[\W_]", "", str(header).casefold())


for _role, _names in SYNONYMS.items():
    for _rank, _name in enumerate(_names):
        _BY_KEY.setdefault(key(_name), (_role, _rank))


@lru_cache(maxsize=4096)
def role_of(header: str) -> tuple[str, int, str] | None:
    """(our column, rank among its synonyms, currency named in the header), None for a stranger.

    >>> role_of("Mkt Val (Market Value)")[0], role_of("Market Value (EUR)")[2]
    ('value', 'EUR')
    """
    currency = ""
    inside = re.search(r"[(\[](.*?)[)\]]", header)
    outside = re.sub(r"[(\[].*?[)\]]", " ", header)
    for piece in [inside[1] if inside else "", *re.split(r"[\s_]", outside)]:
        if piece.strip() in ISO_CODES:
            currency = piece.strip()
    bare = re.sub(rf"\b{currency}\b", " ", outside) if currency else outside
    for text in (header, outside, inside[1] if inside else "", bare):
        found = _BY_KEY.get(key(text)) if key(text) else None
        if found is not None:
            return (*found, currency)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header row and what its columns mean.

    index       our column -> position in the row.
    labels      our column -> the file's own words for it.
    currency    our column -> ISO code named in its header (`Price (EUR)`).
    duplicates  texts about columns that could mean the same.
    clashes     our columns for which the file has the very same header twice.
    """

    row: int
    cells: tuple[str, ...]
    index: Mapping[str, int]
    currency: Mapping[str, str] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()

    def label(self, role: str) -> str:
        """The file's own words for one of our columns, or our name when it has none."""
        return self.cells[self.index[role]] if role in self.index else role

    def is_holdings(self) -> bool:
        """True when the columns suffice for positions: what is held, and two of the three numbers."""
        named = "symbol" in self.index or "description" in self.index
        return named and sum(r in self.index for r in ("quantity", "price", "value")) >= 2


def bind(row: int, cells: Sequence[Cell], *, fixed: Mapping[str, int] | None = None) -> Header:
    """The header with each of our columns tied to one of its cells.

    `fixed` are ties that a mapping file demands; they win over synonyms.
    """
    texts = tuple(str(c).strip() if c is not None else "" for c in cells)
    index: dict[str, int] = dict(fixed or {})
    taken = set(index.values())
    found: dict[str, list[tuple[int, int, str]]] = {}
    for position, text in enumerate(texts):
        known = role_of(text) if text and position not in taken else None
        if known is not None and known[0] not in index:
            found.setdefault(known[0], []).append((known[1], position, known[2]))
    currency: dict[str, str] = {}
    duplicates: list[str] = []
    clashes: list[str] = []
    for role, options in found.items():
        options.sort()
        best = options[0]
        index[role] = best[1]
        if best[2]:
            currency[role] = best[2]
        same = [o for o in options if key(texts[o[1]]) == key(texts[best[1]])]
        if len(same) > 1:
            clashes.append(role)
        elif role not in {"cost", "account_name", "description", "as_of"}:
            # An ISIN beside a ticker is no rival: only the first names of a symbol compete.
            rivals = [o for o in options[1:] if role != "symbol" or o[0] < 3]
            if rivals:
                others = ", ".join(repr(texts[o[1]]) for o in rivals)
                duplicates.append(f"{texts[best[1]]!r} was read as {role}, not {others}")
    return Header(
        row=row,
        cells=texts,
        index=index,
        currency=currency,
        duplicates=tuple(duplicates),
        clashes=tuple(clashes),
    )


def find_header(rows: Sequence[Sequence[Cell]]) -> Header | None:
    """The row among the first 200 that says most like a holdings header; None when none does."""
    best: Header | None = None
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        texts = [c for c in row if isinstance(c, str) and c.strip()]
        if len(texts) < 2:
            continue
        header = bind(number, row)
        if header.is_holdings() and (best is None or len(header.index) > len(best.index) + 2):
            best = header
    return best


def nearest_header(rows: Sequence[Sequence[Cell]]) -> Header | None:
    """The row that comes nearest to a holdings header, for the message that says what it lacks."""
    best: Header | None = None
    score = 0
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        texts = [c for c in row if isinstance(c, str) and c.strip()]
        header = bind(number, row)
        points = 2 * len(header.index) + (len(texts) >= 3)
        if points > score:
            best, score = header, points
    return best


def near_misses(wanted: str, headers: Sequence[str]) -> list[str]:
    """Headers of the file that look like one of our columns, misspelt."""
    names = [key(n) for n in SYNONYMS.get(wanted, (wanted,))]
    hits = []
    for header in headers:
        if header and difflib.get_close_matches(key(header), names, n=1, cutoff=0.72):
            hits.append(header)
    return hits[:3]


def cell_at(row: Sequence[Any], position: int) -> Cell:
    """A row's cell; empty text when the row ends before it."""
    return row[position] if position < len(row) else ""
