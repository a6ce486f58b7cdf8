"""Tables that users write beside their holdings: targets, securities, accounts, restrictions, maps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xl_rebal.custodians import columns
from xl_rebal.custodians.sheets import Document, Sheet, open_document
from xl_rebal.errors import ReadError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.tables import Row, TableSpec

Cut = tuple[str, list[str], Iterable[Row]]  # where it stands, its header, its rows
_HEADER_ROWS = 30  # a header further down than this is not looked for


def read_table(path: Path | str, spec: TableSpec) -> list[dict[str, Any]]:
    """Typed rows of one input table from a CSV, workbook or Parquet file.

    In a workbook the sheet named like the table is taken, else the first whose header fits.
    Raises FileError or TableError; a table's bad cells are reported together.
    """
    return rows_of(open_document(Path(path)), spec)


def rows_of(document: Document, spec: TableSpec) -> list[dict[str, Any]]:
    """Typed rows of one input table from a file that is open."""
    where, names, rows = _cut(document, spec, *find_header(document, spec))
    return tables.read_rows(spec, names, rows, where=where)


def table_rows(document: Document, spec: TableSpec) -> Cut | None:
    """(place, header, rows) of a table of this kind in the document; None when it has none.

    All required columns must be there, and the sheet must be no list of positions.
    """
    for sheet in document.sheets:
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            found = {spec.column_for(plain_header(c)) for c in row if not cells.is_blank(c)}
            if all(column in found for column in spec.columns if column.required):
                held = columns.bind(index, [plain_header(c) for c in row]).is_holdings()
                if not held:
                    return _cut(document, spec, sheet, index)
    return None


def _cut(document: Document, spec: TableSpec, sheet: Sheet, header: int) -> Cut:
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
