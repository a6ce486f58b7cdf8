"""E*TRADE's `PortfolioDownload.csv`: lot rows stand below each position, under the same columns.

A position's first cell is its symbol; a lot's is blanks and a date (or `--` where the day of purchase
is unknown). Summing all rows would count everything twice: lots become lots, positions holdings.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.dates import find_date, read_day, stated_as_of
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.lot_rows import lots_of
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import counted_values, summarise, tolerance
from xl_rebal.portfolio.holdings import Holdings, Kind
from xl_rebal.portfolio.lots import Lots, no_lots

NAME = "etrade"
_WANTED = {"symbol", "lastprice", "quantity", "pricepaid", "value"}
_LABELS = {"quantity": "Quantity", "price": "Last Price $", "value": "Value $"}
_LOT_LABELS = {"quantity": "Quantity", "unit_cost": "Price Paid $", "acquired": "Symbol"}
_SLASHED = re.compile(r"\d[^/]{0,3}/[^/]{0,3}\d[^/]{0,3}/")
_VIEW = "View Summary"


@dataclass(slots=True, kw_only=True)
class _Rows:
    """The rows below the header by what they are; a lot knows the index of its position.

    suspects  lines of positions that are priced as the one above: lots, perhaps, without their day.
    """

    positions: list[tuple[int, Sequence[Cell]]] = field(default_factory=list)
    lots: list[tuple[int, Sequence[Cell], int]] = field(default_factory=list)
    suspects: list[int] = field(default_factory=list)
    total: float | None = None
    as_of_text: str = ""


def recognise(document: Document) -> bool:
    """`Account Summary` or `View Summary - …` above a header with Last Price $, Price Paid $, Value $.

    The header begins in the first column: indented, it is a text about the format.
    """
    return any(_header(sheet) is not None for sheet in document.sheets)


def _header(sheet: Sheet) -> Header | None:
    titled = False
    for number, row in enumerate(sheet.rows[:60]):
        first = row[0] if row else ""
        titled = titled or (isinstance(first, str) and first.startswith(("Account Summary", _VIEW)))
        if titled and first == "Symbol" and {columns.key(c) for c in row} >= _WANTED:
            return columns.bind(number, row)
    return None


def read(document: Document) -> Statement:
    """Holdings and lots of the account; raises ReadError with every fault at once."""
    sheet = next(s for s in document.sheets if _header(s) is not None)
    header = _header(sheet)
    if header is None:
        raise AssertionError("asked to read what was not recognised")
    problems = Problems(document.name, "line" if not sheet.name else f"sheet {sheet.name!r} row")
    account, name, worth = _account(sheet, header.row)
    index = _index(header)
    rows = _sort(sheet, header, index, problems)
    entries = [_entry(row, index, account, line) for line, row in rows.positions]
    table = Table.of_entries(entries, _LABELS)
    defaults = Defaults(decimal=DecimalStyle.POINT, currency="USD")
    result = assemble(table, classify=_classify, defaults=defaults, problems=problems)
    lots = _lots(rows, index, account, result.holdings, problems)
    problems.raise_faults()
    _refuse_hidden_lots(rows, result.holdings, problems)
    if not len(table):
        problems.warn("the file is an E*TRADE portfolio download and holds nothing")
    stated = rows.total if rows.total is not None else worth
    if rows.total is not None and worth is not None and abs(worth - rows.total) > 0.0101:
        problems.warn(
            f"the account's net value of {worth:,.2f} is not the total of its rows, {rows.total:,.2f} "
            "(a filtered view, margin, or trades on the way?)"
        )
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=find_date(rows.as_of_text),
        as_of_text=rows.as_of_text,
        base_currency="USD",
        accounts=summarise(
            result.holdings,
            {account: name},
            {account: stated} if stated is not None else {},
            problems,
        ),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
        lots=lots,
    )


def _refuse_hidden_lots(rows: _Rows, holdings: Holdings, problems: Problems) -> None:
    """Refuse rows priced as the position above them where the file's total says that too much is counted."""
    if rows.total is None or not rows.suspects:
        return
    excess = float(counted_values(holdings).sum()) - rows.total
    if abs(excess) > tolerance(len(holdings)):
        for line in rows.suspects:
            problems.fault(
                line, "Symbol", "may be a lot of the position above, and the total is not met with it",
                "download the portfolio again: a lot begins with blanks and its day",
            )  # fmt: skip
        problems.raise_faults()


def _account(sheet: Sheet, before: int) -> tuple[str, str, float | None]:
    """(id, name, net value) of the account summary; `Portfolio` where the file leaves it out."""
    for number, row in enumerate(sheet.rows[:before]):
        if columns.key(cell_at(row, 0)) == "account" and len(filled(row)) > 1:
            values = sheet.rows[number + 1] if number + 1 < before else ()
            text = as_text(cell_at(values, 0))
            if not text:
                return "Portfolio", "", None
            keys = [columns.key(c) for c in row]
            worth = np.nan
            if "netaccountvalue" in keys:
                cell = cell_at(values, keys.index("netaccountvalue"))
                worth = parse_column([cell], DecimalStyle.POINT).values[0]
            name = re.sub(r"\s*-\w*$", "", text)
            return text, name, float(worth) if np.isfinite(worth) else None
    return "Portfolio", "", None


def _index(header: Header) -> dict[str, int]:
    keys = [columns.key(c) for c in header.cells]
    wanted = {
        "quantity": "quantity",
        "price": "lastprice",
        "value": "value",
        "unit_cost": "pricepaid",
    }
    return {role: keys.index(name) for role, name in wanted.items()}


def _sort(sheet: Sheet, header: Header, index: dict[str, int], problems: Problems) -> _Rows:
    rows = _Rows()
    width = len(header.cells)
    unread: list[tuple[int, str]] = []
    for number in range(header.row + 1, len(sheet.rows)):
        row, line = sheet.rows[number], sheet.line(number)
        words = filled(row)
        if not words:
            continue
        text = as_text(row[0])
        stated = stated_as_of(words[0]) if len(words) <= 2 else None
        if stated is not None:
            rows.as_of_text = stated[1]
        elif kinds.is_total(text):
            value = parse_column([cell_at(row, index["value"])], DecimalStyle.POINT).values[0]
            rows.total = float(value) if np.isfinite(value) else None
        elif any(as_text(c) for c in row[width:]):
            problems.fault(
                line, "", f"has {len(row)} cells under {width} headers",
                "look for an unquoted comma inside a number or a name",
            )  # fmt: skip
        elif _is_lot(row[0]):
            if rows.positions:
                rows.lots.append((line, row, len(rows.positions) - 1))
            else:
                problems.fault(
                    line, "Symbol", f"{text!r} is a lot and no position stands above it",
                    "download the portfolio again",
                )  # fmt: skip
        elif len(words) == 1:
            unread.append((line, words[0]))
        else:
            above = rows.positions[-1][1] if rows.positions else ()
            if row[1 : index["quantity"]] == above[1 : index["quantity"]] and row[0] != above[0]:
                rows.suspects.append(line)
            rows.positions.append((line, row))
    if unread:
        problems.warn(
            f"{listed(n for n, _ in unread)}: text that is no holding was not read "
            f"({unread[0][1][:60]!r})"
        )
    return rows


def _is_lot(cell: Cell) -> bool:
    """A day or `--`; Excel may have turned the first into a date and cut the blanks off.

    Whatever else stands behind blanks, is cut by two slashes, or is figures and signs only is a lot too,
    whose day is then reported as none: as a position it would be counted twice.
    """
    if isinstance(cell, dt.date) or (isinstance(cell, str) and cell.startswith("  ")):
        return True
    text = as_text(cell)
    if text in {"--", "-"} or read_day(text) is not None or _SLASHED.search(text) is not None:
        return True
    return not text.isdigit() and re.fullmatch(r"[\d\W_]{6,}", text) is not None


def _entry(row: Sequence[Cell], index: dict[str, int], account: str, line: int) -> dict[str, Cell]:
    entry: dict[str, Cell] = {
        role: cell_at(row, index[role]) for role in ("quantity", "price", "value")
    }
    return entry | {"account": account, "symbol": as_text(row[0]), "line": line}


def _classify(symbol: str, description: str, security_type: str) -> str:
    del description, security_type
    return Kind.CASH.value if kinds.is_cash_name(symbol) else ""


def _lots(
    rows: _Rows, index: dict[str, int], account: str, holdings: Holdings, problems: Problems
) -> Lots:
    """Lots with the multiplier of their position in the unit cost: an option's price is per share."""
    if not rows.lots or problems.faulty:
        return no_lots()
    entries = []
    for line, row, owner in rows.lots:
        day = row[0] if isinstance(row[0], dt.date) else as_text(row[0])
        paid = parse_column([cell_at(row, index["unit_cost"])], DecimalStyle.POINT)
        cost: Cell = cell_at(row, index["unit_cost"])
        if not paid.bad and np.isfinite(paid.values[0]):
            cost = float(paid.values[0] * holdings.multiplier[owner])
        entries.append(
            {
                "account": account, "symbol": holdings.symbol[owner], "acquired": day,
                "quantity": cell_at(row, index["quantity"]), "unit_cost": cost, "currency": "USD",
                "line": line,
            }
        )  # fmt: skip
    return lots_of(entries, _LOT_LABELS, problems)
