"""Excel tables: header, rows, calculated columns, and the record that Excel keeps of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableFormula, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks.cells import Canvas, Content, Formula, shown_length
from xl_rebal.workbooks.styles import BODY_PLANNED, HEADER, MONEY, MUTED, PRICE, QUANTITY, Look

# The narrowest column of a format: a number may grow when an input is edited.
SPARE = {MONEY: 14, QUANTITY: 10, PRICE: 10}

_THIS_ROW = re.compile(r"\[@(?:\[([^\]]+)\]|([^\]\[]+))\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    formula  the calculated column's formula; `[@Value]` and `[@[Target class]]` mean the same row.
    planned  True for what the plan was made from, kept aside to notice edits.
    """

    header: str
    look: Look
    formula: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a table stands: rows of header and data (all inclusive), columns."""

    name: str
    columns: tuple[Column, ...]
    header_row: int
    first_row: int
    last_row: int
    first_column: int
    widths: tuple[float, ...]

    @property
    def last_column(self) -> int:
        """Number of the last column."""
        return self.first_column + len(self.columns) - 1

    def column(self, header: str) -> int:
        """Number of the column with this header."""
        return self.first_column + [c.header for c in self.columns].index(header)

    def cells(self, header: str) -> str:
        """The data cells of a column, as `D5:D9`, for conditional formats."""
        letter = get_column_letter(self.column(header))
        return f"{letter}{self.first_row}:{letter}{self.last_row}"


def header_look(column: Column) -> Look:
    """The look of a column's header."""
    look = replace(HEADER, fill=MUTED) if column.planned else HEADER
    return replace(look, align="left", indent=1) if column.look.align == "left" else look


def in_file_form(table: str, formula: str) -> str:
    """`[@Value]` as the file stores it: `tblDrift[[#This Row],[Value]]`."""
    return _THIS_ROW.sub(lambda match: f"{table}[[#This Row],[{match[1] or match[2]}]]", formula)


def write_table(
    canvas: Canvas,
    sheet: Worksheet,
    *,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Content]],
    row: int,
    column: int = 1,
    header_height: float = 30,
    filters: bool = True,
) -> Placed:
    """Write a table with its top left corner at (row, column).

    `rows` hold a content for each column; under a calculated column it is the formula's value.
    """
    if not rows:
        raise ValueError(f"table {name} needs a row")
    formulas = [in_file_form(name, each.formula) for each in columns]
    for offset, each in enumerate(columns):
        canvas.put(sheet, row, column + offset, each.header, header_look(each))
    sheet.row_dimensions[row].height = header_height
    for number, contents in enumerate(rows, start=row + 1):
        for offset, (each, formula, content) in enumerate(
            zip(columns, formulas, contents, strict=True)
        ):
            if formula:
                assert not isinstance(content, Formula)
                content = Formula(formula, "" if content is None else content)
            canvas.put(sheet, number, column + offset, content, each.look)
    placed = Placed(
        name=name,
        columns=tuple(columns),
        header_row=row,
        first_row=row + 1,
        last_row=row + len(rows),
        first_column=column,
        widths=_widths(columns, rows, button=3 if filters else 1),
    )
    _register(canvas, sheet, placed, formulas, filters=filters)
    return placed


def _register(
    canvas: Canvas, sheet: Worksheet, placed: Placed, formulas: list[str], *, filters: bool
) -> None:
    corner = f"{get_column_letter(placed.first_column)}{placed.header_row}"
    end = f"{get_column_letter(placed.last_column)}{placed.last_row}"
    canvas.tables.append(placed.name)
    records = []
    for index, (each, formula) in enumerate(zip(placed.columns, formulas, strict=True), start=1):
        record = TableColumn(id=index, name=each.header)
        if formula:
            record.calculatedColumnFormula = TableFormula(attr_text=formula)
        records.append(record)
    sheet.add_table(
        Table(
            id=len(canvas.tables),
            name=placed.name,
            displayName=placed.name,
            ref=f"{corner}:{end}",
            tableColumns=records,
            autoFilter=AutoFilter(ref=f"{corner}:{end}") if filters else None,
            tableStyleInfo=TableStyleInfo(name="TableStyleLight1", showRowStripes=False),
        )
    )


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[Content]], *, button: int
) -> tuple[float, ...]:
    """A width for each column: its longest content, and its header over two lines."""
    widths = []
    for offset, each in enumerate(columns):
        format_ = each.look.format
        longest = max(shown_length(row[offset], format_) for row in rows)
        word = max(len(word) for word in each.header.split())
        two_lines = (len(each.header) + 1) // 2 if " " in each.header else 0
        spare = SPARE.get(format_, 0)
        widths.append(max(longest + 2, word + button, two_lines + button, spare))
    return tuple(float(width) for width in widths)


def fit_columns(
    sheet: Worksheet, tables: Sequence[Placed], widest: Mapping[str, float], *, planned: float = 12
) -> None:
    """Make the columns as wide as the tables in them need, up to `widest` by header (else 42)."""
    found: dict[int, float] = {}
    for table in tables:
        for offset, (each, width) in enumerate(zip(table.columns, table.widths, strict=True)):
            column = table.first_column + offset
            width = planned if each.planned else min(width, widest.get(each.header, 42))
            found[column] = max(found.get(column, 0), width)
    for column, width in found.items():
        sheet.column_dimensions[get_column_letter(column)].width = width


def planned(header: str, look: Look = BODY_PLANNED) -> Column:
    """A column that keeps what the plan was made from."""
    return Column(header=header, look=replace(look, colour=MUTED, size=9), planned=True)


def group_columns(sheet: Worksheet, first: int, last: int) -> None:
    """Fold columns away behind an outline button; nothing is hidden for good."""
    sheet.column_dimensions.max_outline = 1  # else openpyxl leaves out the room for the buttons
    sheet.column_dimensions.group(
        get_column_letter(first), get_column_letter(last), outline_level=1, hidden=True
    )
