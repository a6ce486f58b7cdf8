"""An open workbook in Excel as macros see it, through xlwings: the same on Windows and the Mac.

Only what xlwings offers on both is used; where one of them needs its own call (very hidden sheets,
protection, personal data), the platform is asked. The workbook's path is never touched, so
unsaved workbooks and those in the cloud work alike.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xl_rebal.excel.hosts import desktop
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import (
    Area,
    Content,
    Formula,
    Rows,
    TableAt,
    Visibility,
    find_table,
)
from xl_rebal.workbooks.styles import Look

TITLE = "xl_rebal"
_ERRORS = frozenset(
    "#NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #GETTING_DATA #SPILL! #CALC! #BLOCKED! #BUSY! "
    "#CONNECT! #FIELD! #UNKNOWN!".split()
)
_WINDOWS_VISIBLE = {-1: Visibility.VISIBLE, 0: Visibility.HIDDEN, 2: Visibility.VERY_HIDDEN}


class DesktopWorkbook:
    """A workbook that is open in Excel. `book` is an `xlwings.Book`."""

    def __init__(self, book: Any, *, platform: str = sys.platform) -> None:
        self._book, self._mac = book, platform == "darwin"
        self._dynamic = True  # whether this Excel knows Formula2
        self._tables: list[TableAt] | None = None  # asking every sheet takes Excel a while

    # Reading

    @property
    def name(self) -> str:
        return str(self._book.name)

    def compute(self) -> None:
        """Under manual calculation cells may show what followed from older ones."""
        if str(self._book.app.calculation) == "manual":
            self._book.app.calculate()

    def sheet_names(self) -> list[str]:
        return [str(sheet.name) for sheet in self._book.sheets]

    def visibility(self, sheet: str) -> Visibility:
        found = self._book.sheets[sheet]
        if not self._mac:
            return _WINDOWS_VISIBLE[int(found.api.Visible)]
        words = _mac_words()
        state = found.api.visible.get()
        if state == words.sheet_very_hidden:
            return Visibility.VERY_HIDDEN
        return Visibility.HIDDEN if state == words.sheet_hidden else Visibility.VISIBLE

    def is_protected(self, sheet: str) -> bool:
        api = self._book.sheets[sheet].api
        return bool(api.protect_contents.get() if self._mac else api.ProtectContents)

    def tables(self) -> list[TableAt]:
        if self._tables is None:
            self._tables = self._every_table()
        return self._tables

    def _every_table(self) -> list[TableAt]:
        return [
            TableAt(
                name=str(table.name),
                area=_area(str(sheet.name), table.range),
                totals=bool(table.show_totals),
            )
            for sheet in self._book.sheets
            for table in sheet.tables
        ]

    def named_area(self, name: str) -> Area | None:
        for each in self._book.names:
            if str(each.name).casefold() != name.casefold():
                continue
            try:
                cells = each.refers_to_range
            except Exception:  # a name for a formula: each platform has its own exception
                return None
            return _area(str(cells.sheet.name), cells)
        return None

    def used(self, sheet: str) -> Area:
        last = self._book.sheets[sheet].used_range.last_cell
        return Area(sheet=sheet, row=1, column=1, rows=int(last.row), columns=int(last.column))

    def values(self, area: Area) -> list[list[Content]]:
        if area.rows < 1:
            return []
        cells = self._range(area)
        if self._mac:
            found = cells.options(ndim=2, err_to_str=True).value
            return [[_mac_cell(cell) for cell in row] for row in found]
        rows = desktop.cells_of(cells)
        return [[_blank(cell) for cell in row] for row in rows] if rows else [[None]]

    def contents(self, area: Area) -> list[list[Content]]:
        values = self.values(area)
        if not values:
            return []
        texts = _two_dimensional(self._formulas(self._range(area)))
        return [
            [
                # What is typed as '=text is a text that equals what it shows.
                Formula(text)
                if isinstance(text, str) and text[:1] == "=" and text != value
                else value
                for text, value in zip(*pair, strict=True)
            ]
            for pair in zip(texts, values, strict=True)
        ]

    def column_width(self, sheet: str, column: int) -> float | None:
        width = self._book.sheets[sheet].range((1, column)).column_width
        return None if width is None else float(width)

    # Writing

    def add_sheet(self, name: str) -> None:
        self._tables = None
        self._book.sheets.add(name, after=self._book.sheets[self.sheet_names()[-1]])

    def delete_sheet(self, name: str) -> None:
        self._tables = None
        hidden = self.visibility(name) is Visibility.VERY_HIDDEN
        if hidden:
            self.show(name, Visibility.HIDDEN)  # Excel does not delete very hidden sheets
        try:
            self._book.sheets[name].delete()
        except BaseException:
            if hidden:
                self.show(name, Visibility.VERY_HIDDEN)
            raise

    def rename_sheet(self, name: str, new: str) -> None:
        self._tables = None
        self._book.sheets[name].name = new

    def show(self, sheet: str, visibility: Visibility) -> None:
        found = self._book.sheets[sheet]
        if not self._mac:
            found.api.Visible = {v: k for k, v in _WINDOWS_VISIBLE.items()}[visibility]
            return
        words = _mac_words()
        found.api.visible.set(
            {
                Visibility.VISIBLE: words.sheet_visible,
                Visibility.HIDDEN: words.sheet_hidden,
                Visibility.VERY_HIDDEN: words.sheet_very_hidden,
            }[visibility]
        )

    def write(self, sheet: str, row: int, column: int, rows: Rows) -> None:
        if not rows:
            return
        area = Area(sheet=sheet, row=row, column=column, rows=len(rows), columns=len(rows[0]))
        self._range(area).value = [[_sent(cell) for cell in line] for line in rows]
        for down, line in enumerate(rows):
            for right, content in enumerate(line):
                if isinstance(content, Formula):
                    cell = self._book.sheets[sheet].range((row + down, column + right))
                    self._set_formula(cell, content.text)

    def clear(self, area: Area) -> None:
        if area.rows > 0 and area.columns > 0:
            self._range(area).clear()

    def copy_formats(self, source: Area, target: Area) -> None:
        # Pasting formats only: a whole table that is copied would become a second table.
        self._range(source).copy()
        self._range(target).paste(paste="formats")
        self._book.app.cut_copy_mode = False

    def format(self, area: Area, look: Look) -> None:
        cells = self._range(area)
        cells.number_format = look.format
        cells.font.bold = look.bold
        cells.font.italic = look.italic
        cells.font.size = look.size
        cells.font.color = _rgb(look.colour)
        cells.color = _rgb(look.fill) if look.fill else None
        cells.wrap_text = look.wrap
        cells.horizontal_alignment = look.align or "general"

    def set_column_width(self, sheet: str, column: int, width: float) -> None:
        self._book.sheets[sheet].range((1, column)).column_width = width

    def add_table(self, name: str, area: Area) -> None:
        self._tables = None
        self._book.sheets[area.sheet].tables.add(
            source=self._range(area), name=name, table_style_name="TableStyleLight1"
        )

    def resize_table(self, name: str, area: Area) -> None:
        table = find_table(self, name)
        assert table is not None
        self._tables = None
        self._book.sheets[area.sheet].tables[table.name].resize(self._range(area))

    def note_changed(self, tables: Sequence[str], sheets: Sequence[str]) -> None:
        """Excel computes what depends on a change by itself, as soon as calculation is back on."""

    def forget_traces(self) -> list[str]:
        if self._mac:
            return [
                "not removed: the author (choose Review > Protect > Remove personal information)"
            ]
        self._book.api.RemovePersonalInformation = True
        return ["author and last editor, which Excel leaves out when the workbook is saved"]

    def forget_leftovers(self) -> list[str]:
        """Excel saves the texts of cells that are there, and no others."""
        return []

    @contextmanager
    def writing(self) -> Iterator[None]:
        app = self._book.app
        active = self._book.sheets.active.name
        before = {
            name: getattr(app, name)
            for name in ("screen_updating", "enable_events", "display_alerts", "calculation")
        }
        try:
            for name, quiet in zip(before, (False, False, False, "manual"), strict=True):
                setattr(app, name, quiet)
            yield
        finally:
            with contextlib.suppress(Exception):  # it was deleted, or hidden by an undo
                self._book.sheets[active].activate()
            _set_surely(app, before)

    def commit(self) -> None:
        """It is in Excel already; the user saves."""

    def discard(self) -> bool:
        return False

    def ask(self, question: str) -> bool:
        return str(self._book.app.alert(question, title=TITLE, buttons="yes_no")) == "yes"

    def progress(self, text: str) -> None:
        _set_surely(self._book.app, {"status_bar": text or False})

    def tell(self, text: str, *, wrong: bool) -> None:
        """One message to the user."""
        mode = "critical" if wrong else "info"
        self._book.app.alert(text, title=TITLE, buttons="ok", mode=mode)

    def _range(self, area: Area) -> Any:
        first, last = (area.row, area.column), (area.last_row, area.last_column)
        return self._book.sheets[area.sheet].range(first, last)

    def _formulas(self, cells: Any) -> Any:
        if self._dynamic:
            try:
                return cells.formula2
            except Exception:  # Excel before dynamic arrays: each platform has its own exception
                self._dynamic = False
        return cells.formula

    def _set_formula(self, cell: Any, text: str) -> None:
        if self._dynamic:
            cell.formula2 = text
        else:
            cell.formula = text


def _set_surely(app: Any, settings: dict[str, Any]) -> None:
    """Each setting, tried again where Excel is busy; no macro stops for one."""
    for name, value in settings.items():
        for _ in range(3):
            try:
                setattr(app, name, value)
                break
            except Exception:  # each platform has its own exception
                continue


def _mac_words() -> Any:
    """The keywords of Excel's dictionary on the Mac."""
    return importlib.import_module("appscript").k


def _area(sheet: str, cells: Any) -> Area:
    tall, wide = cells.shape
    return Area(
        sheet=sheet, row=int(cells.row), column=int(cells.column), rows=int(tall), columns=int(wide)
    )


def _blank(cell: Any) -> Content:
    content: Content = None if cell == "" else cell
    return content


def _mac_cell(cell: Any) -> Content:
    if isinstance(cell, str):
        return CellError(cell) if cell in _ERRORS else _blank(cell)
    if cell is None or isinstance(cell, (bool, dt.datetime)):
        return cell
    return float(cell)


def _two_dimensional(found: Any) -> list[list[Any]]:
    if not isinstance(found, (list, tuple)):
        return [[found]]
    if found and not isinstance(found[0], (list, tuple)):
        return [list(found)]
    return [list(row) for row in found]


def _sent(content: Content) -> Any:
    """A cell for Excel: a leading apostrophe keeps a text from becoming a formula, number or date."""
    if isinstance(content, Formula) or content is None or content == "":
        return None
    if isinstance(content, CellError):
        return content.text
    return f"'{content}" if isinstance(content, str) else content


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[0:2], 16), int(colour[2:4], 16), int(colour[4:6], 16)
