"""Workbooks for macro tests: real files, and the same workbook in a recorded Excel."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT
from tests.excel.fake_xlwings import (
    Cell,
    Error,
    Excel,
    FakeBook,
    FakeName,
    FakeRange,
    FakeSheet,
)
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.hosts.desktop_workbook import DesktopWorkbook
from xl_rebal.excel.macros import Outcome, Settings, run
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import NOT_COMPUTED, Area, Formula, Visibility, Workbook, find_table

BOOK_CELLS = (
    "BookPolicy", "BookMode", "BookCosts", "BookSmallestTrade", "BookTurnover", "BookRise",
)  # fmt: skip
TEMPLATE = PROJECT / "workbook_templates" / "portfolio.xltx"
SAMPLES = PROJECT / "xl_rebal" / "samples"
POSITIONS = (
    "account,symbol,quantity,price,asset_class,kind\n"
    "70001111,VTI,5000,220,,\n70001111,BND,8000,75,,\n70001111,VNQ,1000,85,,\n"
    "70001111,CASH,116000,1,,cash\n"
    "70002222,VXUS,2000,58,,\n70002222,BND,100,75,,\n70002222,CASH,500,1,,cash\n"
)


def positions(folder: Path, text: str = POSITIONS) -> Path:
    """A file of invented positions, with account numbers in full."""
    path = folder / "positions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def client(folder: Path, name: str = "client.xlsx") -> Path:
    """A workbook made from the template with the invented positions in it."""
    path = folder / name
    book = FileWorkbook(TEMPLATE, out=path)
    run("import_positions", book, Settings(file=positions(folder)))
    return path


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(plans=folder / "plans", who="tester", **more)


def opened(path: Path, host: str, excel: Excel | None = None) -> Workbook:
    """The workbook in a host: `file`, `windows` or `mac`."""
    if host == "file":
        return FileWorkbook(path)
    fake = excel or Excel()
    fake.platform = {"windows": "win32", "mac": "darwin"}[host]
    return DesktopWorkbook(in_excel(path, fake), platform=fake.platform)


def in_excel(path: Path, excel: Excel) -> FakeBook:
    """The workbook as Excel would have it open: cells, tables, names, hidden and protected sheets."""
    source, cells = _parsed(path, path.stat().st_mtime_ns)
    book = FakeBook(excel, path.name)
    states = {Visibility.HIDDEN: "k.hidden", Visibility.VERY_HIDDEN: "k.very"}
    for name, found in cells.items():
        sheet = FakeSheet(book, name)
        book.sheets._list.append(sheet)
        sheet._state = states.get(source.visibility(name), "k.visible")
        for place, value, formula in found:
            sheet._cells[place] = Cell(value, formula)
        sheet.protected = source.is_protected(name)
    book.sheets.active = next(iter(book.sheets))
    for table in source.tables():
        sheet = book.sheets[table.area.sheet]
        sheet.tables.add(source=_range(sheet, table.area), name=table.name)
    for name in ("FlowAmount", "AsOf", *BOOK_CELLS):
        area = source.named_area(name)
        if area is not None:
            book.names.append(FakeName(name, _range(book.sheets[area.sheet], area)))
    book.names.append(FakeName("HoldingValue"))  # a name for a formula
    excel.calls.clear()
    excel.writes = 0
    return book


_Found = list[tuple[tuple[int, int], Any, str | None]]


@lru_cache(maxsize=4)
def _parsed(path: Path, moment: int) -> tuple[FileWorkbook, dict[str, _Found]]:
    del moment  # another one after a save
    source = FileWorkbook(path)
    cells: dict[str, _Found] = {}
    for name in source.sheet_names():
        area = source.used(name)
        found = cells[name] = []
        pairs = zip(source.values(area), source.contents(area), strict=True)
        for row, (values, contents) in enumerate(pairs, start=1):
            for column, (value, content) in enumerate(zip(values, contents, strict=True), start=1):
                shown = Error(value.text) if isinstance(value, CellError) else value
                if value == NOT_COMPUTED:
                    shown = None
                formula = content.text if isinstance(content, Formula) else None
                if shown is not None or formula is not None:
                    found.append(((row, column), shown, formula))
    return source, cells


def _range(sheet: FakeSheet, area: Area) -> FakeRange:
    return sheet.range((area.row, area.column), (area.last_row, area.last_column))


def rows(book: Workbook, table: str) -> list[dict[str, Any]]:
    """A table's rows by header."""
    found = find_table(book, table)
    assert found is not None, table
    header, *body = book.values(found.area)
    return [dict(zip(map(str, header), row, strict=True)) for row in body]


def set_cells(
    book: Workbook, table: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    """Edit a table as a person would: rows changed, added at its end, or deleted."""
    found = find_table(book, table)
    assert found is not None
    header = [str(cell) for cell in book.values(found.header)[0]]
    new = change(rows(book, table))
    area = found.area.with_rows(len(new) + 1)
    if len(new) > found.body.rows:
        book.resize_table(found.name, area)
    cells = [[row.get(name) for name in header] for row in new]
    book.write(found.area.sheet, found.body.row, found.body.column, cells)
    if len(new) < found.body.rows:
        book.resize_table(found.name, area)
        gone = Area(
            sheet=found.area.sheet,
            row=area.last_row + 1,
            column=area.column,
            rows=found.body.rows - len(new),
            columns=area.columns,
        )
        book.clear(gone)
    book.commit()


def snapshot(book: Workbook) -> Any:
    """Everything that macros can read: sheets, visibility, tables, contents, widths."""
    seen = []
    for sheet in book.sheet_names():
        area = book.used(sheet)
        contents = book.contents(area)
        filled = {
            (r, c): cell
            for r, line in enumerate(contents)
            for c, cell in enumerate(line)
            if cell not in (None, "")
        }
        seen.append((sheet, book.visibility(sheet), filled))
    return seen, sorted((t.name, t.area.sheet, t.area.ref, t.totals) for t in book.tables())


def ran(name: str, book: Workbook, folder: Path, **more: Any) -> Outcome:
    return run(name, book, settings(folder, **more))
