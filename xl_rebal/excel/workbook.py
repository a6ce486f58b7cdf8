"""The workbook as macros see it: a few reads and writes that Excel and a file both can do.

Two implementations: `xl_rebal.excel.hosts.desktop_workbook` (Excel through xlwings) and
`xl_rebal.excel.file_workbook` (a file). Rows and columns count from 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from openpyxl.utils import get_column_letter

from xl_rebal.errors import RebalError
from xl_rebal.excel.ranges import CellError
from xl_rebal.workbooks.styles import Look


class WorkbookError(RebalError):
    """A workbook that lacks what a macro needs, or cannot be written as asked."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as it is typed, with its `=`."""

    text: str


# What `values` gives for a formula that a program wrote and none has computed yet.
NOT_COMPUTED = CellError("a formula that is not computed yet")
Content = float | str | bool | dt.datetime | CellError | Formula | None
Rows = Sequence[Sequence[Content]]


class Visibility(StrEnum):
    """Whether a sheet's tab is there; `very hidden` ones can only be shown by a program."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    VERY_HIDDEN = "very hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Cells of a sheet: the first one, and how many rows and columns."""

    sheet: str
    row: int
    column: int
    rows: int
    columns: int

    @property
    def last_row(self) -> int:
        return self.row + self.rows - 1

    @property
    def last_column(self) -> int:
        return self.column + self.columns - 1

    @property
    def ref(self) -> str:
        """`A5:I9`."""
        first = f"{get_column_letter(self.column)}{self.row}"
        return f"{first}:{get_column_letter(self.last_column)}{self.last_row}"

    def with_rows(self, rows: int) -> Area:
        """From the same first cell, so many rows."""
        return replace(self, rows=rows)

    def below(self) -> Area:
        """Without its first row."""
        return replace(self, row=self.row + 1, rows=self.rows - 1)

    def overlaps(self, other: Area) -> bool:
        """Whether the two share a cell."""
        return (
            self.sheet == other.sheet
            and self.row <= other.last_row
            and other.row <= self.last_row
            and self.column <= other.last_column
            and other.column <= self.last_column
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAt:
    """A table (list object): its name, its cells with the header, whether it has a totals row."""

    name: str
    area: Area
    totals: bool = False

    @property
    def header(self) -> Area:
        return self.area.with_rows(1)

    @property
    def body(self) -> Area:
        """The rows between header and totals."""
        return replace(self.area, row=self.area.row + 1, rows=self.area.rows - 1 - int(self.totals))


class Workbook(Protocol):
    """What a macro may ask of a workbook. Every write may raise; see `xl_rebal.excel.changes`."""

    @property
    def name(self) -> str:
        """Its file name without folders, or what Excel calls it while it is unsaved."""

    def compute(self) -> None:
        """Let formulas show what follows from the cells as they are now, where that is not automatic."""

    def sheet_names(self) -> list[str]:
        """All worksheets in order, hidden ones too."""

    def visibility(self, sheet: str) -> Visibility:
        """Whether a sheet is shown."""

    def is_protected(self, sheet: str) -> bool:
        """Whether a sheet refuses changes."""

    def tables(self) -> list[TableAt]:
        """All tables of all sheets."""

    def named_area(self, name: str) -> Area | None:
        """The cells that a defined name of the workbook stands for; None without such a name."""

    def used(self, sheet: str) -> Area:
        """From A1 to the last cell in use (one cell for an empty sheet)."""

    def values(self, area: Area) -> list[list[Content]]:
        """What the cells show: no formulas."""

    def contents(self, area: Area) -> list[list[Content]]:
        """What the cells hold: formulas as formulas."""

    def column_width(self, sheet: str, column: int) -> float | None:
        """A column's width in characters."""

    def add_sheet(self, name: str) -> None:
        """A new empty sheet at the end."""

    def delete_sheet(self, name: str) -> None:
        """Remove a sheet."""

    def rename_sheet(self, name: str, new: str) -> None:
        """Give a sheet another name."""

    def show(self, sheet: str, visibility: Visibility) -> None:
        """Show or hide a sheet."""

    def write(self, sheet: str, row: int, column: int, rows: Rows) -> None:
        """Put contents into cells; formats stay. A text never becomes a formula, number or date."""

    def clear(self, area: Area) -> None:
        """Empty cells and take their formats."""

    def copy_formats(self, source: Area, target: Area) -> None:
        """Give cells the formats of others of the same size, or of one cell."""

    def format(self, area: Area, look: Look) -> None:
        """Give cells a look."""

    def set_column_width(self, sheet: str, column: int, width: float) -> None:
        """Make a column so many characters wide."""

    def add_table(self, name: str, area: Area) -> None:
        """Make a table of cells whose first row is its header."""

    def resize_table(self, name: str, area: Area) -> None:
        """Let a table end elsewhere; its header stays in its row."""

    def note_changed(self, tables: Sequence[str], sheets: Sequence[str]) -> None:
        """Cells of tables and sheets have changed: what depends on them must not pass for true."""

    def forget_traces(self) -> list[str]:
        """Remove authors and paths that the file carries; what was removed, or could not be."""

    def forget_leftovers(self) -> list[str]:
        """Remove what cells held that are gone; what was removed, in words."""

    def writing(self) -> AbstractContextManager[None]:
        """Screen updating and calculation off, and back whatever happens."""

    def commit(self) -> None:
        """Make what was written last."""

    def discard(self) -> bool:
        """Forget everything written since the last commit; False where only undoing by hand helps."""

    def ask(self, question: str) -> bool:
        """Yes or no."""

    def progress(self, text: str) -> None:
        """Say what is being done; an empty text ends it."""


def find_table(book: Workbook, name: str) -> TableAt | None:
    """The table of a name, written in any case; raises WorkbookError where two have it."""
    wanted = name.casefold()
    found = [table for table in book.tables() if table.name.casefold() == wanted]
    if len(found) > 1:
        raise WorkbookError.of(
            where=book.name,
            what=f"{len(found)} tables are named {name} (on sheets "
            f"{', '.join(table.area.sheet for table in found)}), so nobody can tell which one counts",
            remedy="give all but one another name (Table Design > Table Name)",
        )
    return found[0] if found else None


def need_table(book: Workbook, name: str) -> TableAt:
    """The table of a name; raises WorkbookError where it is missing."""
    table = find_table(book, name)
    if table is None:
        raise WorkbookError.of(
            where=book.name,
            what=f"there is no table {name}",
            remedy="start from the template portfolio.xltx, or give your table that name "
            "(Table Design > Table Name)",
        )
    return table


def find_sheet(book: Workbook, name: str) -> str | None:
    """The sheet of a name as the workbook spells it."""
    return next((s for s in book.sheet_names() if s.casefold() == name.casefold()), None)
