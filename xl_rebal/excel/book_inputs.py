"""What a workbook's input tables say: the cells as they stand, and the book and request made of them.

The cells are what a stored plan keeps, so that the same reading can be repeated when it is checked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xl_rebal.custodians.account_map import MapRow, account_map_from_rows
from xl_rebal.custodians.columns import SYNONYMS, key
from xl_rebal.errors import Fault, FaultList, RebalError, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import require_binding
from xl_rebal.excel.ranges import CellError, Grid
from xl_rebal.excel.workbook import NOT_COMPUTED, TableAt, Workbook, find_table, need_table
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import Account, accounts_from_rows
from xl_rebal.portfolio.book import Book, assign_classes, classify
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security, securities_from_rows
from xl_rebal.rebalance import Request
from xl_rebal.trading.limits import Limits

HOLDINGS, TARGETS, POLICY, COSTS = "tblHoldings", "tblTargets", "tblPolicy", "tblCosts"
RESTRICTIONS, CLASSES = "tblRestrictions", "tblClasses"
SECURITIES, ACCOUNTS = "tblSecurities", "tblAccountSettings"
ACCOUNT_MAP = "tblAccountMap"  # read by Import Positions alone: no input of a plan
TABLES = (HOLDINGS, TARGETS, POLICY, COSTS, RESTRICTIONS, CLASSES, SECURITIES, ACCOUNTS)
REQUIRED = (HOLDINGS, TARGETS)
LAST_ROW = 1_048_576
_HOLDINGS_WORDS = frozenset(key(word) for words in SYNONYMS.values() for word in words)
AS_OF = "AsOf"  # a defined name: the cell with the valuation date


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The input tables of a workbook as rows of plain cells, header first, and its valuation date.

    tables  by name; only those that are there. Cells are texts, numbers, TRUE/FALSE, dates or blank.
    as_of   None when the workbook names no date.
    """

    tables: Mapping[str, Grid]
    as_of: dt.date | None

    @property
    def fingerprint(self) -> str:
        """A hash of every input table and the date."""
        date = self.as_of.isoformat() if self.as_of else None
        return hashlib.sha256(json.dumps([self.to_json(), date]).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The tables as JSON keeps them."""
        return {
            name: [[_plain(c) for c in row] for row in grid] for name, grid in self.tables.items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], as_of: str | None) -> Inputs:
        """The tables that `to_json` wrote."""
        grids = {name: [[_typed(c) for c in row] for row in grid] for name, grid in stored.items()}
        return cls(tables=grids, as_of=dt.date.fromisoformat(as_of) if as_of else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A book and what is asked of the planner, as the workbook says them."""

    book: Book
    request: Request
    warnings: tuple[str, ...]


def read_inputs(book: Workbook) -> Inputs:
    """The input tables of a workbook; raises WorkbookError where a required one is missing."""
    faults = FaultList()
    for name in REQUIRED:
        with faults.collecting():
            need_table(book, name)
    faults.raise_as(TableError)
    found = {}
    for name in TABLES:
        table = find_table(book, name)
        if table is not None:
            body = table.area.with_rows(table.area.rows - int(table.totals))
            rows = [list(row) for row in book.values(body)]
            found[name] = _computed(rows, name, faults)
            refuse_row_below(book, table, name, faults)
    faults.raise_as(TableError)
    return Inputs(tables=found, as_of=_as_of(book))


def _computed(rows: Grid, name: str, faults: FaultList) -> Grid:
    """The rows; a formula without a saved value is no blank cell, except in a user's own column."""
    header = [cells.text(cell) for cell in rows[0]]
    own = {
        index
        for index, text in enumerate(header)
        if name == HOLDINGS and key(text) != "kind" and key(text) not in _HOLDINGS_WORDS
    }
    for number, row in enumerate(rows, start=1):
        for index, cell in enumerate(row):
            if cell != NOT_COMPUTED:
                continue
            if index not in own:
                faults.add(
                    where=f"{name} row {number}, {header[index]}",
                    what=f"holds {NOT_COMPUTED}, so its value is unknown",
                    remedy="open the workbook in Excel or LibreOffice, save it, and run the macro again",
                )
            row[index] = None
    return rows


def refuse_row_below(book: Workbook, table: TableAt, name: str, faults: FaultList) -> None:
    """A row typed below a table that did not grow (LibreOffice) would not count, without a word."""
    area = table.area
    if table.totals or area.last_row >= LAST_ROW:
        return
    below = replace(area, row=area.last_row + 1, rows=1)
    if not all(cells.is_blank(cell) for cell in book.values(below)[0]):
        faults.add(
            where=f"sheet {area.sheet} row {below.row}",
            what=f"stands right below table {name} and is not part of it",
            remedy="drag the table's corner over the row, or leave an empty row between them",
        )


def asked(inputs: Inputs) -> Asked:
    """The book and the request; every table that is at fault is reported."""
    faults = FaultList()
    grids = inputs.tables
    models, held, policy, costs = None, None, None, None
    warnings: tuple[str, ...] = ()
    rules: tuple[Restriction, ...] = ()
    securities: dict[str, Security] = {}
    accounts: dict[str, Account] = {}
    with faults.collecting():
        models = ranges.targets(grids[TARGETS])
    with faults.collecting():
        held, warnings = ranges.holdings(grids[HOLDINGS])
    with faults.collecting():
        policy = ranges.policy(grids.get(POLICY))
    with faults.collecting():
        costs = ranges.costs(grids.get(COSTS))
    with faults.collecting():
        rules = ranges.restrictions(grids.get(RESTRICTIONS))
    with faults.collecting():
        rows = _rows(grids, SECURITIES, tables.SECURITIES)
        securities = securities_from_rows(rows)
    with faults.collecting():
        accounts = accounts_from_rows(_rows(grids, ACCOUNTS, tables.ACCOUNTS))
    own: dict[str, str] = {}
    with faults.collecting():
        own = class_map(grids)
    faults.raise_as(TableError)
    assert models is not None
    assert held is not None
    assert policy is not None
    assert costs is not None
    blank = (held.asset_class == "") & held.is_position
    if blank.any():
        # A class in the row itself comes first: it is what the sheet shows.
        mapped, _ = assign_classes(held.take(blank), class_map=own, securities=securities)
        column = held.asset_class.copy()
        column[np.flatnonzero(blank)] = mapped.asset_class
        held = held.with_classes(column)
    require_binding(rules, held)
    book = Book(
        holdings=classify(held, targets=tuple(models.values())),
        models=models,
        securities=securities,
        accounts=accounts,
        restrictions=rules,
    )
    request = Request(policy=policy, limits=Limits(costs=costs), as_of=inputs.as_of)
    return Asked(book=book, request=request, warnings=warnings)


def account_map(book: Workbook) -> tuple[MapRow, ...]:
    """Which account each masked id is, by table tblAccountMap; none without the table or its rows.

    Raises TableError with all bad rows: the rules are those of `--account-map`.
    """
    table = find_table(book, ACCOUNT_MAP)
    if table is None:
        return ()
    faults = FaultList()
    body = table.area.with_rows(table.area.rows - int(table.totals))
    rows = _computed([list(row) for row in book.values(body)], ACCOUNT_MAP, faults)
    refuse_row_below(book, table, ACCOUNT_MAP, faults)
    faults.raise_as(TableError)
    if all(cells.is_blank(cell) for row in rows[1:] for cell in row):
        return ()
    return ranges.built(rows, tables.ACCOUNT_MAP, ACCOUNT_MAP, account_map_from_rows)


def class_map(grids: Mapping[str, Grid]) -> dict[str, str]:
    """The user's own classes of table tblClasses, by symbol in lower case."""
    faults, own = FaultList(), dict[str, str]()
    for row in _rows(grids, CLASSES, tables.CLASS_MAP):
        name = row["symbol"].casefold()
        if own.setdefault(name, row["asset_class"]) != row["asset_class"]:
            faults.add(
                where=f"{CLASSES} row {row['row']}, {row['symbol']}",
                what=f"has two classes ({own[name]} and {row['asset_class']})",
                remedy="keep one row",
            )
    faults.raise_as(TableError)
    return own


def _rows(grids: Mapping[str, Grid], name: str, spec: tables.TableSpec) -> list[dict[str, Any]]:
    grid = ranges.grid(grids.get(name))
    if not grid or len(grid) == 1:
        return []
    return ranges.table(grid, spec, name)


def _as_of(book: Workbook) -> dt.date | None:
    area = book.named_area(AS_OF)
    if area is None:
        return None
    cell = book.values(area.with_rows(1))[0][0]
    if cells.is_blank(cell):
        return None
    where = f"{AS_OF} ({area.sheet}!{area.ref.partition(':')[0]})"
    if isinstance(cell, CellError):
        raise TableError.of(where=where, what=f"shows {cell}", remedy="enter a date, or clear it")
    try:
        return cells.date(cell)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where=where, what=what, remedy=remedy) from None


def _plain(cell: Any) -> Any:
    if isinstance(cell, dt.datetime):
        return {"date": cell.isoformat()}
    if isinstance(cell, CellError):
        return {"error": cell.text}
    return None if cell == "" else cell


def _typed(cell: Any) -> Any:
    if isinstance(cell, dict):
        if "date" in cell:
            return dt.datetime.fromisoformat(str(cell["date"]))
        return CellError(str(cell["error"]))
    return cell


_CLASSES_REMEDY = re.compile(
    r"map them in a file with the columns symbol,asset_class and pass it.*"
)
# What the engine says to users of the command line, and its counterpart in a workbook.
_WORDS = {
    "or give an account map": f"or its account in {ACCOUNT_MAP} and import again",
    "(--securities)": f"(make one named {SECURITIES})",
    "(--accounts)": f"(make one named {ACCOUNTS})",
    "the securities table, or remove": f"table {SECURITIES}, or remove",
}


def sheet_words(text: str) -> str:
    """A text of the engine with the workbook's tables in place of the command line's options."""
    for old, new in _WORDS.items():
        text = text.replace(old, new)
    return _CLASSES_REMEDY.sub(f"give each a class in {CLASSES} or in its row of {HOLDINGS}", text)


def in_words_of_the_workbook(error: RebalError) -> RebalError:
    """The same error, with remedies that a person in Excel can follow."""
    faults = [
        Fault(where=f.where, what=sheet_words(f.what), remedy=sheet_words(f.remedy))
        for f in error.faults
    ]
    return type(error)(*faults)


def differences(before: Inputs, now: Inputs) -> list[str]:
    """What changed between two readings, table by table: `tblHoldings row 3: Quantity 5000 → 5100`."""
    found = []
    if before.as_of != now.as_of:
        found.append(f"the valuation date {before.as_of or 'unknown'} → {now.as_of or 'unknown'}")
    old, new = before.to_json(), now.to_json()
    for name in TABLES:
        one, two = old.get(name), new.get(name)
        if one == two:
            continue
        if one is None or two is None:
            found.append(f"{name} was {'added' if one is None else 'removed'}")
        elif len(one) != len(two) or one[0] != two[0]:
            found.append(f"{name} has other rows or columns ({len(one) - 1} → {len(two) - 1} rows)")
        else:
            found += _cells(name, one, two)
    return found


def _cells(name: str, one: Grid, two: Grid) -> list[str]:
    return [
        f"{name} row {number}: {one[0][index]} {_shown(a)} → {_shown(b)}"
        for number, (first, second) in enumerate(zip(one, two, strict=True), start=1)
        for index, (a, b) in enumerate(zip(first, second, strict=True))
        if not same(a, b)
    ]


def same(a: Any, b: Any) -> bool:
    """Whether two cells are the same: LibreOffice saves 15 digits of a number."""
    if isinstance(a, float | int) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=0.0)
    return bool(a == b)


def _shown(cell: Any) -> str:
    if cell is None:
        return "(blank)"
    if isinstance(cell, dict):
        return str(next(iter(cell.values())))
    return cells.text(cell)
