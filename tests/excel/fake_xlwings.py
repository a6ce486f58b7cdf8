"""An Excel that is enough for macros: xlwings' objects, strict, with every call recorded.

An attribute that is not here does not exist (and `test_desktop_macros` holds each one against xlwings'
own classes). Cells behave as over COM: one cell is a scalar, blanks are None, dates carry a zone, error
values are numbers, typed text is converted unless it has an apostrophe, a table keeps its header, very
hidden sheets cannot be deleted, protected ones refuse everything. `fail_at` makes one write fail.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from types import SimpleNamespace
from typing import Any

ERRORS = {"#DIV/0!": 2007, "#N/A": 2042, "#VALUE!": 2015, "#REF!": 2023}
K = SimpleNamespace(sheet_visible="k.visible", sheet_hidden="k.hidden", sheet_very_hidden="k.very")


class com_error(Exception):  # noqa: N801, N818 - pywintypes spells it so
    """What pywin32 raises."""


@dataclass
class Cell:
    value: Any = None
    formula: str | None = None
    format: tuple[tuple[str, Any], ...] = ()

    @property
    def state(self) -> tuple[Any, ...]:
        return (self.value, self.formula, self.format)


@dataclass
class Excel:
    """The application's record: what was called, and which write fails."""

    platform: str = "win32"
    calls: list[str] = field(default_factory=list)
    writes: int = 0
    fail_at: int | None = None
    answers: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    clipboard: FakeRange | None = None

    def write(self, what: str) -> None:
        self.writes += 1
        self.calls.append(what)
        if self.writes == self.fail_at:
            raise com_error(-2147352567, "Exception occurred.", what)


class FakeApp:
    __slots__ = ("_excel", "_set")

    def __init__(self, excel: Excel) -> None:
        object.__setattr__(self, "_excel", excel)
        object.__setattr__(
            self,
            "_set",
            {
                "screen_updating": True,
                "enable_events": True,
                "display_alerts": True,
                "calculation": "automatic",
                "status_bar": False,
                "cut_copy_mode": None,
            },
        )

    def __getattr__(self, name: str) -> Any:
        if name in self._set:
            return self._set[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._set:
            raise AttributeError(name)
        self._excel.write(f"app.{name} = {value!r}")
        if name == "cut_copy_mode":
            self._excel.clipboard = value = None
        self._set[name] = value

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self._set)

    def calculate(self) -> None:
        self._excel.calls.append("app.calculate()")

    def alert(
        self,
        prompt: str,
        title: str | None = None,
        buttons: str = "ok",
        mode: str | None = None,
        callback: str | None = None,
    ) -> str:
        del title, callback, mode
        self._excel.alerts.append(prompt)
        return self._excel.answers.pop(0) if buttons == "yes_no" else "ok"


class FakeBook:
    """A workbook; `fullname` must not be asked for: it may be a web address, or not there."""

    __slots__ = ("_excel", "api", "app", "name", "names", "sheets")

    def __init__(self, excel: Excel, name: str = "Book1") -> None:
        self._excel = excel
        self.name = name
        self.app = FakeApp(excel)
        self.sheets = FakeSheets(self)
        self.names: list[FakeName] = []
        self.api = SimpleNamespace(RemovePersonalInformation=False)

    @property
    def fullname(self) -> str:
        raise AssertionError("a macro asked for the workbook's path")

    def state(self) -> Any:
        """Everything that a user could see of it."""
        return [sheet.state() for sheet in self.sheets], self.app.settings


@dataclass
class FakeName:
    name: str
    _range: FakeRange | None = None

    @property
    def refers_to_range(self) -> FakeRange:
        if self._range is None:
            raise com_error("no range")
        return self._range


class FakeSheets:
    __slots__ = ("_book", "_list", "active")

    def __init__(self, book: FakeBook) -> None:
        self._book = book
        self._list: list[FakeSheet] = []
        self.active: FakeSheet = FakeSheet(book, "Sheet0")

    def __iter__(self) -> Any:
        return iter(list(self._list))

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, key: str) -> FakeSheet:
        for sheet in self._list:
            if sheet.name.casefold() == key.casefold():
                return sheet
        raise KeyError(key)

    def add(
        self, name: str | None = None, before: Any = None, after: FakeSheet | None = None
    ) -> FakeSheet:
        assert name is not None
        assert before is None
        self._book._excel.write(f"sheets.add {name}")
        _check_sheet_name(name, self._list)
        sheet = FakeSheet(self._book, name)
        at = len(self._list) if after is None else self._list.index(after) + 1
        self._list.insert(at, sheet)
        self.active = sheet
        return sheet


def _check_sheet_name(name: str, sheets: list[FakeSheet]) -> None:
    if len(name) > 31 or re.search(r"[\[\]:*?/\\]", name):
        raise com_error("bad sheet name")
    if name.casefold() in {s.name.casefold() for s in sheets}:
        raise com_error("sheet name taken")


class SheetApi:
    """The sheet's own object: COM's on Windows, appscript's on the Mac."""

    def __init__(self, sheet: FakeSheet) -> None:
        object.__setattr__(self, "_sheet", sheet)

    def __getattr__(self, name: str) -> Any:
        sheet = self._sheet
        if sheet._excel.platform == "win32":
            if name == "Visible":
                return {"k.visible": -1, "k.hidden": 0, "k.very": 2}[sheet._state]
            if name == "ProtectContents":
                return sheet.protected
        elif name == "visible":
            return SimpleNamespace(get=lambda: sheet._state, set=sheet._set_state)
        elif name == "protect_contents":
            return SimpleNamespace(get=lambda: sheet.protected)
        raise AttributeError(f"{name} on {sheet._excel.platform}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "Visible" or self._sheet._excel.platform != "win32":
            raise AttributeError(name)
        self._sheet._set_state({-1: "k.visible", 0: "k.hidden", 2: "k.very"}[value])


class FakeSheet:
    __slots__ = ("_book", "_cells", "_excel", "_name", "_state", "_widths", "protected", "tables")

    def __init__(self, book: FakeBook, name: str) -> None:
        self._book, self._excel, self._name = book, book._excel, name
        self._cells: dict[tuple[int, int], Cell] = {}
        self._state = "k.visible"
        self._widths: dict[int, float] = {}
        self.protected = False
        self.tables = FakeTables(self)

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._excel.write(f"sheet {self._name}.name = {value}")
        _check_sheet_name(value, [s for s in self._book.sheets if s is not self])
        self._name = value

    @property
    def api(self) -> SheetApi:
        return SheetApi(self)

    def _set_state(self, state: str) -> None:
        self._excel.write(f"sheet {self._name} {state}")
        if state != "k.visible" and not [
            s for s in self._book.sheets if s is not self and s._state == "k.visible"
        ]:
            raise com_error("one sheet must stay visible")
        self._state = state

    def activate(self) -> None:
        if self._state != "k.visible":
            raise com_error("hidden sheets cannot be activated")
        self._book.sheets.active = self

    def delete(self) -> None:
        self._excel.write(f"sheet {self._name}.delete")
        if self._state == "k.very":
            raise com_error("Delete method of Worksheet class failed")
        self._book.sheets._list.remove(self)
        self._book.sheets.active = self._book.sheets._list[0]

    def range(self, cell1: Any, cell2: Any = None) -> FakeRange:
        (top, left), (bottom, right) = cell1, cell2 or cell1
        return FakeRange(self, top, left, bottom, right)

    @property
    def used_range(self) -> FakeRange:
        used = [p for p, c in self._cells.items() if c.state != Cell().state] or [(1, 1)]
        return FakeRange(
            self,
            min(r for r, _ in used),
            min(c for _, c in used),
            max(r for r, _ in used),
            max(c for _, c in used),
        )

    def state(self) -> Any:
        cells = {p: c.state for p, c in self._cells.items() if c.state != Cell().state}
        tables = sorted((t.name, t._box, t.show_totals) for t in self.tables)
        widths = {c: w for c, w in self._widths.items() if w != 8.43}
        return self._name, self._state, cells, tables, widths


class FakeTables:
    __slots__ = ("_list", "_sheet")

    def __init__(self, sheet: FakeSheet) -> None:
        self._sheet = sheet
        self._list: list[FakeTable] = []

    def __iter__(self) -> Any:
        return iter(list(self._list))

    def __getitem__(self, name: str) -> FakeTable:
        return next(t for t in self._list if t.name == name)

    def add(
        self,
        source: FakeRange | None = None,
        name: str | None = None,
        source_type: str | None = None,
        link_source: bool | None = None,
        has_headers: bool = True,
        destination: Any = None,
        table_style_name: str = "TableStyleMedium2",
    ) -> FakeTable:
        del source_type, link_source, destination, table_style_name
        assert source is not None
        assert name is not None
        assert has_headers
        self._sheet._excel.write(f"tables.add {name}")
        every = [t for s in self._sheet._book.sheets for t in s.tables]
        if name.casefold() in {t.name.casefold() for t in every}:
            raise com_error("table name taken")
        table = FakeTable(self._sheet, name, source.box)
        if any(_overlap(t._box, source.box) for t in self._list):
            raise com_error("tables overlap")
        top, left, _, right = source.box
        headers = [self._sheet._cells.get((top, c), Cell()).value for c in range(left, right + 1)]
        if not all(isinstance(h, str) and h for h in headers) or len(set(headers)) < len(headers):
            raise com_error("headers must be different texts")
        self._list.append(table)
        return table


class FakeTable:
    __slots__ = ("_box", "_sheet", "name", "show_totals")

    def __init__(self, sheet: FakeSheet, name: str, box: tuple[int, int, int, int]) -> None:
        self._sheet, self.name, self._box = sheet, name, box
        self.show_totals = False

    @property
    def range(self) -> FakeRange:
        return FakeRange(self._sheet, *self._box)

    def resize(self, range: FakeRange) -> None:
        self._sheet._excel.write(f"table {self.name}.resize")
        self._sheet_open()
        top, left, bottom, _ = range.box
        if (top, left) != self._box[:2] or bottom <= top:
            raise com_error("the header must stay in its row, with a row below it")
        if any(_overlap(t._box, range.box) for t in self._sheet.tables if t is not self):
            raise com_error("tables overlap")
        self._box = range.box

    def _sheet_open(self) -> None:
        if self._sheet.protected:
            raise com_error("the sheet is protected")


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


class FakeFont:
    __slots__ = ("_range",)
    _range: FakeRange

    def __init__(self, cells: FakeRange) -> None:
        object.__setattr__(self, "_range", cells)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in {"bold", "italic", "size", "color"}:
            raise AttributeError(name)
        self._range._format(f"font.{name}", value)


class FakeRange:
    __slots__ = ("_options", "_sheet", "box")

    def __init__(self, sheet: FakeSheet, top: int, left: int, bottom: int, right: int) -> None:
        assert 1 <= top <= bottom
        assert 1 <= left <= right
        self._sheet, self.box = sheet, (top, left, bottom, right)
        self._options: dict[str, Any] = {}

    # What may be asked

    @property
    def sheet(self) -> FakeSheet:
        return self._sheet

    @property
    def row(self) -> int:
        return self.box[0]

    @property
    def column(self) -> int:
        return self.box[1]

    @property
    def shape(self) -> tuple[int, int]:
        return self.box[2] - self.box[0] + 1, self.box[3] - self.box[1] + 1

    @property
    def last_cell(self) -> FakeRange:
        return FakeRange(self._sheet, self.box[2], self.box[3], self.box[2], self.box[3])

    @property
    def font(self) -> FakeFont:
        return FakeFont(self)

    def options(self, convert: Any = None, **options: Any) -> FakeRange:
        assert convert is None
        assert set(options) == {"ndim", "err_to_str"}
        self._options = options
        return self

    @property
    def value(self) -> Any:
        assert self._sheet._excel.platform == "darwin", "on Windows exact values are raw"
        assert self._options == {"ndim": 2, "err_to_str": True}
        return [[self._mac(c.value) for c in row] for row in self._grid()]

    @value.setter
    def value(self, rows: Any) -> None:
        self._write("value")
        assert isinstance(rows, list)
        assert (len(rows), len(rows[0])) == self.shape
        for cell, new in zip(chain(*self._grid()), chain(*rows), strict=True):
            cell.formula = None
            cell.value = _typed(new)
            if isinstance(new, str) and new[:1] == "=":
                cell.formula, cell.value = new, 0.0
        self._keep_headers()

    @staticmethod
    def _mac(value: Any) -> Any:
        return value.text if isinstance(value, Error) else value

    @property
    def raw_value(self) -> Any:
        assert self._sheet._excel.platform == "win32"
        return self._com([[self._windows(c, exact=False) for c in row] for row in self._grid()])

    @property
    def api(self) -> Any:
        assert self._sheet._excel.platform == "win32"
        exact = [[self._windows(c, exact=True) for c in row] for row in self._grid()]
        return SimpleNamespace(Value2=self._com(exact))

    @staticmethod
    def _windows(cell: Cell, *, exact: bool) -> Any:
        value = cell.value
        if isinstance(value, Error):
            return -2146828288 + ERRORS[value.text]
        if isinstance(value, dt.datetime) and not exact:
            return value.replace(tzinfo=dt.timezone.utc)  # noqa: UP017 - as pywin32 has it
        if isinstance(value, float) and "$" in dict(cell.format).get("number_format", ""):
            return value if exact else Decimal(f"{value:.4f}")
        return value

    @staticmethod
    def _com(grid: list[list[Any]]) -> Any:
        if len(grid) == 1 and len(grid[0]) == 1:
            return grid[0][0]
        return tuple(tuple(row) for row in grid)

    @property
    def formula2(self) -> Any:
        grid = [[c.formula or _as_typed(c.value) for c in row] for row in self._grid()]
        return self._com(grid)

    @formula2.setter
    def formula2(self, text: str) -> None:
        self._write("formula2")
        assert self.shape == (1, 1)
        assert text.startswith("=")
        ((cell,),) = self._grid()
        assert dict(cell.format).get("number_format") != "@", "Excel would keep the formula as text"
        cell.formula, cell.value = text, 0.0

    @property
    def column_width(self) -> float:
        return self._sheet._widths.get(self.column, 8.43)

    @column_width.setter
    def column_width(self, width: float) -> None:
        self._write("column_width")
        self._sheet._widths[self.column] = width

    # What may be done

    def clear(self) -> None:
        self._write("clear")
        for cell in chain(*self._grid()):
            cell.value, cell.formula, cell.format = None, None, ()
        self._keep_headers()

    def copy(self, destination: Any = None) -> None:
        assert destination is None, "copying a table with its header makes a second one"
        self._sheet._excel.clipboard = self

    def paste(self, paste: str | None = None) -> None:
        self._write("paste")
        source = self._sheet._excel.clipboard
        assert source is not None
        assert paste == "formats"
        tall, wide = source.shape
        assert source.shape in {(1, 1), self.shape}
        grid = source._grid()
        for down, row in enumerate(self._grid()):
            for right, cell in enumerate(row):
                cell.format = grid[down % tall][right % wide].format

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"number_format", "color", "wrap_text", "horizontal_alignment"}:
            self._format(name, value)
        else:
            object.__setattr__(self, name, value)

    def _format(self, name: str, value: Any) -> None:
        self._write(name)
        for cell in chain(*self._grid()):
            cell.format = tuple(sorted({**dict(cell.format), name: value}.items()))

    def _write(self, what: str) -> None:
        self._sheet._excel.write(f"{self._sheet.name}!{self.box} {what}")
        if self._sheet.protected:
            raise com_error("the sheet is protected")

    def _grid(self) -> list[list[Cell]]:
        top, left, bottom, right = self.box
        cells = self._sheet._cells
        return [
            [cells.setdefault((row, column), Cell()) for column in range(left, right + 1)]
            for row in range(top, bottom + 1)
        ]

    def _keep_headers(self) -> None:
        """Excel gives a table's header cell a name when it is emptied."""
        for table in self._sheet.tables:
            top, left, _, right = table._box
            for number, column in enumerate(range(left, right + 1), start=1):
                cell = self._sheet._cells.setdefault((top, column), Cell())
                if not cell.value:
                    cell.value = f"Column{number}"


@dataclass(frozen=True)
class Error:
    """An error value in a cell."""

    text: str


def _as_typed(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def _typed(new: Any) -> Any:
    """What Excel makes of a value that is put into a cell."""
    if isinstance(new, str):
        if new.startswith("'"):
            return new[1:]
        if new in ERRORS:
            return Error(new)
        if re.fullmatch(r"[-+]?\d+(\.\d+)?(E\d+)?", new):
            return float(new)
        return new or None
    if isinstance(new, bool) or new is None or isinstance(new, dt.datetime):
        return new
    return float(new)
