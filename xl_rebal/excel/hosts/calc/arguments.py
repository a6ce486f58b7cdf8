"""What Calc hands over, as `xl_rebal.excel.ranges` expects it: rows of cells, dates, errors, blanks.

A range given as such (`XCellRange`) is read cell by cell: Calc stores dates and logical values as
numbers with a format, and an error as a cell without a value. Everything else comes as values.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from xl_rebal.excel.ranges import CellError, Grid

_DATE, _LOGICAL = 2, 1024  # com.sun.star.util.NumberFormat
_ERRORS = {
    503: "#NUM!",
    519: "#VALUE!",
    521: "#NULL!",
    524: "#REF!",
    525: "#NAME?",
    532: "#DIV/0!",
    32767: "#N/A",
}


def read(value: Any, document: Any) -> Any:
    """One argument: None when left out, a scalar, or rows of cells."""
    if value is None or isinstance(value, (str, float, int)):
        return value
    if isinstance(value, tuple):
        return [[None if cell == "" else cell for cell in row] for row in value]
    return _cells(value, document)


def _cells(cells: Any, document: Any) -> Grid:
    """The rows of a range up to the last used cell of its sheet."""
    used = _used_part(cells)
    if used is None:
        return []
    raw = used.getDataArray()
    rows: Grid = [[None if cell == "" else cell for cell in row] for row in raw]
    _mark_errors(rows, raw, used)
    _mark_dates_and_logicals(rows, used, document)
    return rows


def _used_part(cells: Any) -> Any:
    """The range without what lies beyond the sheet's last used row and column; None if all does."""
    address = cells.getRangeAddress()
    cursor = cells.getSpreadsheet().createCursor()
    cursor.gotoEndOfUsedArea(False)
    last = cursor.getRangeAddress()
    right = min(address.EndColumn, last.EndColumn) - address.StartColumn
    bottom = min(address.EndRow, last.EndRow) - address.StartRow
    return cells.getCellRangeByPosition(0, 0, right, bottom) if min(right, bottom) >= 0 else None


def _mark_errors(rows: Grid, raw: Any, cells: Any) -> None:
    """Calc gives no value for a cell with an error, and "" for a blank one."""
    for row, line in enumerate(raw):
        for column, cell in enumerate(line):
            if cell is None:
                shown = cells.getCellByPosition(column, row)
                rows[row][column] = CellError(_ERRORS.get(shown.getError()) or shown.getString())


def _mark_dates_and_logicals(rows: Grid, cells: Any, document: Any) -> None:
    """Turn numbers into dates and logical values where the cell shows them so."""
    if document is None:
        return
    start, formats = cells.getRangeAddress(), document.getNumberFormats()
    null = document.NullDate
    zero = dt.datetime(null.Year, null.Month, null.Day)
    groups = cells.getUniqueCellFormatRanges()
    for index in range(groups.getCount()):
        group = groups.getByIndex(index)
        kind = formats.getByKey(group.NumberFormat).Type
        if not kind & (_DATE | _LOGICAL):
            continue
        for block in group.getRangeAddresses():
            for row in range(block.StartRow - start.StartRow, block.EndRow - start.StartRow + 1):
                line = rows[row]
                for column in range(
                    block.StartColumn - start.StartColumn, block.EndColumn - start.StartColumn + 1
                ):
                    if isinstance(line[column], float):
                        line[column] = _shown(line[column], kind, zero)


def _shown(number: float, kind: int, zero: dt.datetime) -> Any:
    if kind & _LOGICAL:
        return bool(number)
    try:
        return zero + dt.timedelta(seconds=round(number * 86400))
    except OverflowError:  # far outside the calendar: the cell itself shows ###
        return number
