"""Tables that users write beside their holdings: targets, securities, accounts, restrictions, maps."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import columns
from xl_rebal.custodians.collector import without_collector
from xl_rebal.custodians.grid import Grid
from xl_rebal.custodians.sheets import Document, Sheet, open_document
from xl_rebal.errors import ReadError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.table_columns import TableColumns, read_columns
from xl_rebal.portfolio.tables import Row, TableSpec

Cut = tuple[str, list[str], Iterable[Row]]  # where it stands, its header, its rows
_HEADER_ROWS = 30  # a header further down than this is not looked for


def read_table(path: Path | str, spec: TableSpec) -> list[dict[str, Any]]:
    """Typed rows of one input table from a CSV, workbook or Parquet file.

    In a workbook the sheet named like the table is taken, else the first whose header fits.
    Raises FileError or TableError; a table's bad cells are reported together.
    """
    with without_collector():
        return rows_of(open_document(Path(path)), spec)


def rows_of(document: Document, spec: TableSpec) -> list[dict[str, Any]]:
    """Typed rows of one input table from a file that is open."""
    found = columns_of(document, spec)
    return found if isinstance(found, list) else found.rows()


def columns_of(document: Document, spec: TableSpec) -> TableColumns | list[dict[str, Any]]:
    """Typed columns of one input table from a file that is open; the rows of an empty table.

    Raises TableError with every fault of the table, as `tables.read_rows` words them.
    """
    return _columns(document, spec, *find_header(document, spec))


def table_columns(
    document: Document, spec: TableSpec
) -> TableColumns | list[dict[str, Any]] | None:
    """The same of a document that may have no such table: then None.

    All required columns must be there, and the sheet must be no list of positions.
    """
    found = _find_whole(document, spec)
    return None if found is None else _columns(document, spec, *found)


def has_table(document: Document, spec: TableSpec) -> bool:
    """Whether a document has such a table."""
    return _find_whole(document, spec) is not None


def _columns(
    document: Document, spec: TableSpec, sheet: Sheet, header: int
) -> TableColumns | list[dict[str, Any]]:
    where, names, rows = _cut(document, sheet, header)
    found = typed_columns(spec, names, sheet.rows[header + 1 :], sheet.lines[header + 1 :], where)
    return tables.read_rows(spec, names, rows, where=where) if found is None else found


def typed_columns(
    spec: TableSpec,
    names: Sequence[str],
    below: Sequence[Sequence[Any]],
    lines: NDArray[np.int64],
    where: str,
) -> TableColumns | None:
    """Typed columns of the rows below a header; None where a row has a fault, or there is none."""
    if isinstance(below, Grid):
        parts: list[Sequence[Any]] = list(below.columns)
    else:
        parts = list(itertools.zip_longest(*below))
    plain = [cells.texts(part) for part in parts]
    return read_columns(spec, names, plain, lines, where=where)


def _find_whole(document: Document, spec: TableSpec) -> tuple[Sheet, int] | None:
    for sheet in document.sheets:
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            found = {spec.column_for(plain_header(c)) for c in row if not cells.is_blank(c)}
            if all(column in found for column in spec.columns if column.required):
                held = columns.bind(index, [plain_header(c) for c in row]).is_holdings()
                if not held:
                    return sheet, index
    return None


def _cut(document: Document, sheet: Sheet, header: int) -> Cut:
    rows = (
        (sheet.line(index), [cells.text(c) if isinstance(c, str) else c for c in row])
        for index, row in enumerate(sheet.rows)
        if index > header
    )
    names = [plain_header(cell) for cell in sheet.rows[header]]
    where = document.name if len(document.sheets) == 1 else f"{document.name} sheet {sheet.name!r}"
    return where, names, rows


def plain_header(cell: Any) -> str:
    """A header cell as text."""
    return "" if cells.is_blank(cell) else cells.text(cell).strip("\ufeff")


def find_header(document: Document, spec: TableSpec) -> tuple[Sheet, int]:
    """The sheet and the row of a table's header; raises ReadError where no row is like one."""
    wanted = {spec.name.replace(" ", ""), f"tbl{spec.name.replace(' ', '')}"}
    ordered = sorted(document.sheets, key=lambda s: s.name.casefold() not in wanted)
    required = [column.name for column in spec.columns if column.required]
    best: tuple[int, Sheet, int] | None = None
    for sheet in ordered:
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            named = [
                spec.column_for(plain_header(cell)) for cell in row if not cells.is_blank(cell)
            ]
            found = sum(column is not None and column.required for column in named)
            if found == len(required):
                return sheet, index
            if found and (best is None or found > best[0]):
                best = (found, sheet, index)
    if best is not None:
        return best[1], best[2]  # read_rows names the columns that are missing
    raise ReadError.of(
        where=document.name,
        what=f"it has no header row of the {spec.name} table",
        remedy=f"give it a header row with at least: {', '.join(required)}",
    )
