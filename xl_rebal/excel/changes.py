"""What a macro decided to write, and how it is written: all of it or nothing, and to be undone.

A macro computes first and returns changes. `apply` keeps the previous cells on a very hidden sheet,
writes once, and puts everything back when a step fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xl_rebal.excel import undo
from xl_rebal.excel.workbook import (
    Area,
    Content,
    Rows,
    TableAt,
    Workbook,
    WorkbookError,
    find_sheet,
    find_table,
)
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.styles import Look

TABLE_ROW = 12  # the header of a page's table; a table cannot move to another row


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """New rows for a table that is there; it grows or shrinks to them, its formats continue."""

    table: TableAt
    rows: Rows

    @property
    def tables(self) -> tuple[str, ...]:
        """The table that changes."""
        return (self.table.name,)

    def areas(self, book: Workbook) -> list[Area]:
        """The cells that are touched."""
        del book
        body = self.table.body
        return [body.with_rows(max(body.rows, len(self.rows)))]

    def check(self, book: Workbook) -> None:
        """Refuse where the table cannot take the rows."""
        body, sheet = self.table.body, self.table.area.sheet
        where = f"sheet {sheet}, table {self.table.name}"
        if book.is_protected(sheet):
            raise _protected(sheet)
        more = len(self.rows) - body.rows
        if self.table.totals and more:
            raise WorkbookError.of(
                where=where,
                what="has a totals row, which stands where the new rows would go",
                remedy="switch it off (Table Design > Total Row) and press the button again",
            )
        if more <= 0:
            return
        room = Area(
            sheet=sheet,
            row=body.last_row + 1,
            column=body.column,
            rows=more,
            columns=body.columns,
        )
        if any(cell not in (None, "") for row in book.contents(room) for cell in row):
            raise WorkbookError.of(
                where=where,
                what=f"needs {more} more rows, and cells below it are not empty ({room.ref})",
                remedy="move what stands below the table",
            )

    def write(self, book: Workbook) -> None:
        """Write the rows."""
        body, name = self.table.body, self.table.name
        count, sheet = len(self.rows), self.table.area.sheet
        if count > body.rows:
            book.resize_table(name, self.table.area.with_rows(count + 1))
            for column in range(body.column, body.last_column + 1):
                model = Area(sheet=sheet, row=body.row, column=column, rows=1, columns=1)
                grown = Area(
                    sheet=sheet,
                    row=body.last_row + 1,
                    column=column,
                    rows=count - body.rows,
                    columns=1,
                )
                book.copy_formats(model, grown)
        book.write(sheet, body.row, body.column, self.rows)
        if count < body.rows:
            book.resize_table(name, self.table.area.with_rows(count + 1))
            left = Area(
                sheet=sheet,
                row=body.row + count,
                column=body.column,
                rows=body.rows - count,
                columns=body.columns,
            )
            self._empty(book, left)

    def _empty(self, book: Workbook, left: Area) -> None:
        """Rows that the table has left look like the row below it; lists to choose from stay there."""
        below = replace(left, row=left.last_row + 1, rows=1)
        if any(cell not in (None, "") for cell in book.contents(below)[0]):
            book.clear(left)  # what stands there is no model for empty rows
            return
        book.write(left.sheet, left.row, left.column, [[None] * left.columns] * left.rows)
        for row in range(left.row, left.last_row + 1):
            book.copy_formats(below, replace(left, row=row, rows=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a page's table."""

    header: str
    look: Look
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole sheet that a macro owns: title, lines of label and text, and one table.

    table  its name; a sheet of the same title without it is the user's and stays.
    """

    sheet: str
    title: str
    subtitle: str
    lines: tuple[tuple[str, str], ...]
    table: str
    columns: tuple[Column, ...]
    rows: Rows

    @property
    def tables(self) -> tuple[str, ...]:
        """The table that changes."""
        return (self.table,)

    def areas(self, book: Workbook) -> list[Area]:
        """The cells that are touched: all of the sheet."""
        sheet = find_sheet(book, self.sheet)
        if sheet is None:
            return []
        used = book.used(sheet)
        tall, wide = max(used.rows, self._last_row), max(used.columns, len(self.columns))
        return [Area(sheet=sheet, row=1, column=1, rows=tall, columns=wide)]

    @property
    def _last_row(self) -> int:
        return TABLE_ROW + max(len(self.rows), 1)

    def check(self, book: Workbook) -> None:
        """Refuse a sheet of the same name that is not ours."""
        table, sheet = find_table(book, self.table), find_sheet(book, self.sheet)
        if sheet is None and table is None:
            return
        where = f"sheet {self.sheet}"
        if sheet is None or table is None or table.area.sheet != sheet:
            raise WorkbookError.of(
                where=where if sheet is not None else f"sheet {table.area.sheet if table else ''}",
                what=f"the macro writes sheet {self.sheet} with table {self.table}, and "
                + (
                    "a sheet of that name is there already without the table"
                    if sheet is not None
                    else "a table of that name stands elsewhere"
                ),
                remedy="rename or delete it; nothing was overwritten",
            )
        if book.is_protected(sheet):
            raise _protected(sheet)
        others = [t.name for t in book.tables() if t.area.sheet == sheet and t.name != table.name]
        moved = (table.area.row, table.area.column) != (TABLE_ROW, 1) or table.totals
        if moved or others or table.area.columns != len(self.columns):
            raise WorkbookError.of(
                where=where,
                what=f"table {self.table} was moved, has other columns or a totals row, or other "
                "tables stand beside it",
                remedy="rename the sheet and its table to keep them, or delete the sheet",
            )

    def write(self, book: Workbook) -> None:
        """Write the sheet."""
        sheet, rows = find_sheet(book, self.sheet), self.rows or [[None] * len(self.columns)]
        new = sheet is None
        if sheet is None:
            book.add_sheet(self.sheet)
            sheet = self.sheet
        area = Area(
            sheet=sheet, row=TABLE_ROW, column=1, rows=len(rows) + 1, columns=len(self.columns)
        )
        if not new:
            # The header row stays a header the whole time: a table must never lose it.
            used = book.used(sheet)
            book.clear(Area(sheet=sheet, row=1, column=1, rows=TABLE_ROW - 1, columns=used.columns))
            book.resize_table(self.table, area)
            below = max(used.rows, area.last_row) - TABLE_ROW
            wide = max(used.columns, len(self.columns))
            book.clear(Area(sheet=sheet, row=TABLE_ROW + 1, column=1, rows=below, columns=wide))
        self._head(book, sheet)
        book.write(sheet, TABLE_ROW, 1, [[column.header for column in self.columns], *rows])
        self._looks(book, sheet, len(rows))
        if new:
            book.add_table(self.table, area)

    def _head(self, book: Workbook, sheet: str) -> None:
        if len(self.lines) > TABLE_ROW - 4:
            raise ValueError("a page has room for eight lines above its table")
        book.write(sheet, 1, 1, [[self.title], [self.subtitle]])
        book.format(_cell(sheet, 1), styles.TITLE)
        book.format(_cell(sheet, 2), styles.SUBTITLE)
        book.write(sheet, 3, 1, [list(line) for line in self.lines])
        labels = Area(sheet=sheet, row=3, column=1, rows=len(self.lines), columns=1)
        book.format(labels, styles.LABEL)
        book.format(Area(sheet=sheet, row=3, column=2, rows=labels.rows, columns=1), LINE)

    def _looks(self, book: Workbook, sheet: str, rows: int) -> None:
        for number, column in enumerate(self.columns, start=1):
            header = Area(sheet=sheet, row=TABLE_ROW, column=number, rows=1, columns=1)
            left = column.look.align == "left"
            book.format(header, LEFT_HEADER if left else styles.HEADER)
            cells = Area(sheet=sheet, row=TABLE_ROW + 1, column=number, rows=rows, columns=1)
            book.format(cells, column.look)
            book.set_column_width(sheet, number, column.width)


LEFT_HEADER = replace(styles.HEADER, align="left", indent=1)
LINE = Look(align="left", format=styles.TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell's new content."""

    sheet: str
    row: int
    column: int
    content: Content

    @property
    def tables(self) -> tuple[str, ...]:
        """None by name: whoever reads the cell reads its sheet."""
        return ()

    def areas(self, book: Workbook) -> list[Area]:
        """The cell."""
        del book
        return [Area(sheet=self.sheet, row=self.row, column=self.column, rows=1, columns=1)]

    def check(self, book: Workbook) -> None:
        """Refuse a protected sheet."""
        if book.is_protected(self.sheet):
            raise _protected(self.sheet)

    def write(self, book: Workbook) -> None:
        """Write the cell."""
        book.write(self.sheet, self.row, self.column, [[self.content]])


Change = Body | Page | Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that a macro writes.

    label  the macro's name, kept for the undo.
    """

    label: str
    changes: tuple[Change, ...]


def apply(book: Workbook, changes: Changes) -> None:
    """Write all of it, or leave the workbook as it was and raise."""
    for change in changes.changes:
        change.check(book)
    new_sheets = [c.sheet for c in changes.changes if isinstance(c, Page)]
    areas = [area for change in changes.changes for area in change.areas(book)]
    tables = [table for change in changes.changes for table in change.tables]
    kept = undo.Keeper(book, label=changes.label, tables=tables)
    with book.writing():
        try:
            kept.keep(areas, created=[s for s in new_sheets if find_sheet(book, s) is None])
            for change in changes.changes:
                change.write(book)
            book.note_changed(tables, [area.sheet for area in areas])
            kept.seal()
            book.commit()
        except BaseException:
            if not book.discard():
                kept.put_back()
            raise


def _cell(sheet: str, row: int) -> Area:
    return Area(sheet=sheet, row=row, column=1, rows=1, columns=1)


def _protected(sheet: str) -> WorkbookError:
    return WorkbookError.of(
        where=f"sheet {sheet}",
        what="is protected, so the macro cannot write to it",
        remedy="unprotect it (Review > Unprotect Sheet) and press the button again",
    )
