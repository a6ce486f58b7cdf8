"""Realised gains: Schwab's two layouts (2021 by position, 2026 by lot) and Fidelity's.

Schwab names the account in the title (`Realized Gain/Loss for ...234 for …`), or in a line above each
account's header; Fidelity only in the file's name, so its account has to be given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.dates import find_date
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.lot_rows import realised_of
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.schwab import split_title
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import RealisedLots

SCHWAB, FIDELITY = "schwab", "fidelity"
_TITLE = re.compile(
    r"Realized Gain/Loss(?: - Lot Details)? for (?P<account>.+?)(?:\s+(?:for \d|as of|from \d).*)?",
    re.IGNORECASE,
)
_ALL = re.compile(r"all[-_ ]accounts", re.IGNORECASE)
# Our key -> the letters and digits of the headers that mean it.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "symbol": ("symbol", "symbolcusip"),
    "acquired": ("openeddate", "dateacquired"),
    "sold": ("closeddate", "datesold"),
    "quantity": ("quantity",),
    "proceeds": ("proceeds",),
    "cost": ("costbasiscb", "costbasis"),
    "gain": ("gainloss", "totalgainloss"),
    "long_gain": ("longtermgainloss",),
    "short_gain": ("shorttermgainloss",),
    "term": ("term",),
    "disallowed": ("disallowedloss",),
}
_SCHWAB_OWN = {"symbol", "closeddate", "quantity", "proceeds", "washsale"}
_FIDELITY_OWN = {"symbolcusip", "dateacquired", "datesold", "proceeds", "costbasis"}


def recognise_schwab(document: Document) -> bool:
    """A header with Closed Date, Proceeds and Wash Sale."""
    return _has(document, _SCHWAB_OWN)


def recognise_fidelity(document: Document) -> bool:
    """A header with Symbol(CUSIP), Date Acquired, Date Sold, Proceeds."""
    return _has(document, _FIDELITY_OWN)


def _has(document: Document, own: set[str]) -> bool:
    return any(own <= _keys(row) for sheet in document.sheets for row in sheet.rows[:60])


def _keys(row: Sequence[Cell]) -> set[str]:
    return {columns.key(c) for c in row if c}


def read_schwab(document: Document) -> Statement:
    """Schwab's realised gains of one or several accounts; raises ReadError with every fault at once."""
    return _read(document, SCHWAB, _SCHWAB_OWN)


def read_fidelity(document: Document) -> Statement:
    """Fidelity's realised gains; the account is left empty, as the file does not name it."""
    return _read(document, FIDELITY, _FIDELITY_OWN)


def _read(document: Document, custodian: str, own: set[str]) -> Statement:
    sheet = next(s for s in document.sheets if any(own <= _keys(r) for r in s.rows[:60]))
    problems = Problems(document.name, "line" if not sheet.name else f"sheet {sheet.name!r} row")
    rows = _Rows(sheet, own, problems)
    realised = realised_of(rows.entries, rows.labels, problems)
    problems.raise_faults()
    for start, line, total in rows.totals:
        _check_total(realised, (start, line), total, problems)
    if not len(realised):
        problems.warn("the file lists realised gains and has none")
    return Statement(
        custodian=custodian,
        source=document.name,
        as_of=find_date(rows.as_of_text),
        as_of_text=rows.as_of_text,
        base_currency="USD",
        accounts=(),
        holdings=Holdings.from_rows([]),
        warnings=tuple(problems.warnings),
        realised=realised,
    )


class _Rows:
    """The rows of the file, sorted into titles, headers, sales and totals."""

    def __init__(self, sheet: Sheet, own: set[str], problems: Problems) -> None:
        self.entries: list[dict[str, Cell]] = []
        self.labels: dict[str, str] = {}
        self.totals: list[tuple[int, int, float]] = []  # section's line, its own line, proceeds
        self.as_of_text = ""
        self._index: dict[str, int] = {}
        self._width = self._start = 0
        self._account = ""
        unread: list[tuple[int, str]] = []
        for number, row in enumerate(sheet.rows):
            words, line = filled(row), sheet.line(number)
            if not words:
                continue
            if len(words) == 1:
                if not self._title(words[0], above_header=_header_next(sheet, number, own)):
                    unread.append((line, words[0]))
            elif own <= _keys(row):
                self._header(row)
                self._start = line
            elif not self._index:
                unread.append((line, words[0]))
            elif kinds.is_total(words[0], loosely=True) and not self._cell(row, "sold"):
                self._total(line, row)
            elif any(as_text(c) for c in row[self._width :]):
                problems.fault(
                    line, "", f"has {len(row)} cells under {self._width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
            else:
                self._sale(line, row)
        if unread:
            shown = unread[0][1][:60]
            problems.warn(f"{listed(n for n, _ in unread)}: text was not read ({shown!r})")

    def _title(self, text: str, *, above_header: bool) -> bool:
        match = _TITLE.fullmatch(text)
        if match is not None:
            tail = " ".join(text[match.end("account") :].split())
            dated = re.search(r"as of (.*?)(?: from .*)?$", tail)
            self.as_of_text = dated[1] if dated else tail
            account = match["account"].strip()
            self._account = "" if _ALL.fullmatch(account) else split_title(account)[0]
            return True
        if above_header:
            self._account, _ = split_title(text)
        return above_header

    def _header(self, row: Sequence[Cell]) -> None:
        keys = [columns.key(c) for c in row]
        self._width = len(row)
        for role, names in _HEADERS.items():
            at = next((keys.index(name) for name in names if name in keys), None)
            if at is not None:
                self._index[role] = at
                self.labels[role] = as_text(row[at])

    def _cell(self, row: Sequence[Cell], role: str) -> Cell:
        return columns.cell_at(row, self._index[role]) if role in self._index else ""

    def _total(self, line: int, row: Sequence[Cell]) -> None:
        stated = parse_column([self._cell(row, "proceeds")], DecimalStyle.POINT).values[0]
        self.totals.append((self._start, line, float(stated)))

    def _sale(self, line: int, row: Sequence[Cell]) -> None:
        entry: dict[str, Cell] = {
            role: columns.cell_at(row, at) for role, at in self._index.items()
        }
        symbol = as_text(entry["symbol"])
        entry["symbol"] = re.sub(r"\([0-9A-Z]{9}\)$", "", symbol).strip() or symbol.strip("()")
        for role in ("long_gain", "short_gain", "disallowed"):
            if as_text(entry.get(role, "")) in kinds.NOTHING:
                entry[role] = ""
        self.entries.append(entry | {"account": self._account, "line": line})


def _header_next(sheet: Sheet, number: int, own: set[str]) -> bool:
    """True when the next row that holds something is the header."""
    after = (row for row in sheet.rows[number + 1 : number + 4] if filled(row))
    return own <= _keys(next(after, ()))


def _check_total(
    realised: RealisedLots, section: tuple[int, int], stated: float, problems: Problems
) -> None:
    start, line = section
    mine = (realised.line > start) & (realised.line < line)
    ours = float(realised.proceeds[mine].sum())
    if abs(stated - ours) > 0.005 * (int(mine.sum()) + 1):
        problems.warn(
            f"line {line}: the total states proceeds of {stated:,.2f}, the rows above add up to {ours:,.2f}"
        )
