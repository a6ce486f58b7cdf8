"""Open tax lots: Schwab's lot details of one symbol, and our own `lots` table in any file.

Schwab: a title (`FNDA Lot Details for XXXX-4321 as of …`) names symbol and account, a row per lot
follows with a time in `Open Date`, then `Total`, which is checked and left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.dates import find_date
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.input_tables import has_table, table_columns
from xl_rebal.custodians.lot_rows import lots_of
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.schwab import split_title
from xl_rebal.custodians.sheets import Document, Sheet, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, lots_from_table

SCHWAB = "schwab"
_TITLE = re.compile(
    r"(?P<symbol>.{1,60}?) Lot Details(?: for (?P<account>.*?))?(?:\s+as of (?P<date>.*))?", re.I
)
_OWN = {"opendate", "quantity", "costshare", "costbasis"}
_ROLES = {
    "acquired": "opendate", "quantity": "quantity", "unit_cost": "costshare", "cost": "costbasis",
    "term": "holdingperiod", "lot_id": "lotid",
}  # fmt: skip
_LABELS = {
    "acquired": "Open Date", "quantity": "Quantity", "unit_cost": "Cost/Share",
    "cost": "Cost Basis", "term": "Holding Period",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where Schwab's header stands and what the title above it says."""

    sheet: Sheet
    row: int
    symbol: str
    account: str
    as_of_text: str


def recognise_schwab(document: Document) -> bool:
    """Schwab's own lot header: Open Date, Quantity, …, Cost/Share, …, Cost Basis."""
    return _find(document) is not None


def _find(document: Document) -> _Found | None:
    for sheet in document.sheets:
        symbol = account = as_of = ""
        for number, row in enumerate(sheet.rows[:30]):
            words = filled(row)
            if len(words) == 1 and (title := _TITLE.fullmatch(words[0])):
                symbol, account = title["symbol"].strip(), (title["account"] or "").strip()
                as_of = (title["date"] or "").strip()
            elif {columns.key(c) for c in words} >= _OWN:
                return _Found(
                    sheet=sheet, row=number, symbol=symbol, account=account, as_of_text=as_of
                )
    return None


def read_schwab(document: Document) -> Statement:
    """The lots of one symbol; account and symbol are empty where no title names them."""
    found = _find(document)
    if found is None:
        raise AssertionError("asked to read what was not recognised")
    sheet = found.sheet
    problems = Problems(document.name, "line" if not sheet.name else f"sheet {sheet.name!r} row")
    keys = [columns.key(c) for c in sheet.rows[found.row]]
    index = {role: keys.index(name) for role, name in _ROLES.items() if name in keys}
    entries: list[dict[str, Cell]] = []
    total: tuple[int, Sequence[Cell]] | None = None
    account, _ = split_title(found.account)  # as the positions export names the account
    for number in range(found.row + 1, len(sheet.rows)):
        row = sheet.rows[number]
        words = filled(row)
        if not words:
            continue
        if kinds.is_total(words[0]):
            total = (sheet.line(number), row)
            break
        if len([c for c in row[len(keys) :] if c]):
            problems.fault(
                sheet.line(number), "", f"has {len(row)} cells under {len(keys)} headers",
                "look for an unquoted comma inside a number",
            )  # fmt: skip
            continue
        entry: dict[str, Cell] = {role: columns.cell_at(row, at) for role, at in index.items()}
        entry |= {"account": account, "symbol": found.symbol, "currency": "USD"}
        entry["line"] = sheet.line(number)
        entries.append(entry)
    lots = lots_of(entries, _LABELS, problems)
    problems.raise_faults()
    if total is not None:
        _check_total(lots, total, index, problems)
    if not len(lots):
        problems.warn("the file lists the lots of a symbol and has none")
    return Statement(
        custodian=SCHWAB,
        source=document.name,
        as_of=find_date(found.as_of_text),
        as_of_text=found.as_of_text,
        base_currency="USD",
        accounts=(),
        holdings=Holdings.from_rows([]),
        warnings=tuple(problems.warnings),
        lots=lots,
    )


def _check_total(
    lots: Lots, total: tuple[int, Sequence[Cell]], index: dict[str, int], problems: Problems
) -> None:
    line, row = total
    for role, ours, allowed in (
        ("quantity", lots.quantity, 1e-6),
        ("cost", lots.cost, 0.005 * (len(lots) + 1)),
    ):
        if role not in index:
            continue
        stated = parse_column([columns.cell_at(row, index[role])], DecimalStyle.POINT).values[0]
        if abs(stated - ours.sum()) > allowed:
            problems.warn(
                f"line {line}: the total states {_LABELS[role]} {stated:,.10g}, "
                f"its lots add up to {ours.sum():,.10g}"
            )


def recognise_table(document: Document) -> bool:
    """A table with the columns of `lots`: account, symbol, acquired, quantity, unit_cost.

    A workbook with lots on one sheet and holdings on another is a list of positions first.
    """
    if not has_table(document, tables.LOTS):
        return False
    return not any(columns.find_header(sheet.rows) for sheet in document.sheets)


def read_table(document: Document) -> Statement:
    """Lots as our own `lots` table holds them; raises TableError with every fault at once."""
    found = table_columns(document, tables.LOTS)
    if found is None:
        raise AssertionError("asked to read what was not recognised")
    lots = lots_from_table(found)
    if not len(lots):
        raise TableError.of(
            where=document.name,
            what="the table of lots has a header and no rows below it",
            remedy="add a row for each lot",
        )
    return Statement(
        custodian="generic",
        source=document.name,
        as_of=None,
        as_of_text="",
        base_currency="",
        accounts=(),
        holdings=Holdings.from_rows([]),
        warnings=(),
        lots=lots,
    )


def with_lots_of(document: Document, statement: Statement) -> Statement:
    """The statement with the lots of a sheet beside its holdings, if the workbook has one."""
    found = table_columns(document, tables.LOTS)
    return statement if found is None else replace(statement, lots=lots_from_table(found))
