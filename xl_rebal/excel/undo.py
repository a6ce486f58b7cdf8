"""Undo: the cells that a macro is about to change, kept with their formats on a very hidden sheet.

The sheet holds an index (one JSON text a row) and a block of cells for every area: each cell is a text
that says what stood there, and carries the format that it had. One macro can be undone, the last.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import (
    Area,
    Content,
    Formula,
    TableAt,
    Visibility,
    Workbook,
    WorkbookError,
    find_sheet,
    find_table,
)

SHEET = "xl_rebal undo"
_NEW, _OLD = "xl_rebal undo new", "xl_rebal undo old"
_FORMAT = 1
_COLUMN = 2  # where blocks begin
_LONGEST = 32_000


def encoded(content: Content) -> str | None:
    """A cell as a text that tells its type."""
    if content is None:
        return None
    if isinstance(content, Formula):
        text = f"f{content.text}"
    elif isinstance(content, bool):
        text = f"b{int(content)}"
    elif isinstance(content, dt.datetime):
        text = f"d{content.isoformat()}"
    elif isinstance(content, CellError):
        text = f"e{content.text}"
    elif isinstance(content, str):
        text = f"s{content}"
    else:
        text = f"n{float(content)!r}"
    if len(text) > _LONGEST:
        raise WorkbookError.of(
            where="a cell that the macro would change",
            what=f"holds {len(text):,} characters, more than undo can keep",
            remedy="shorten it",
        )
    return text


def decoded(text: Any) -> Content:
    """The cell that `encoded` made a text of."""
    if text is None or text == "":
        return None
    kind, rest = str(text)[0], str(text)[1:]
    if kind == "f":
        return Formula(rest)
    if kind == "b":
        return rest == "1"
    if kind == "d":
        return dt.datetime.fromisoformat(rest)
    if kind == "e":
        return CellError(rest)
    return rest if kind == "s" else float(rest)


class Keeper:
    """Keeps what stood in a workbook while a macro writes, and puts it back on failure."""

    def __init__(self, book: Workbook, *, label: str, tables: Sequence[str] = ()) -> None:
        self._book = book
        self._sheet = ""
        self._index: dict[str, Any] = {
            "format": _FORMAT,
            "label": label,
            "tables": list(tables),
            "created": [],
            "areas": [],
        }

    def keep(self, areas: Sequence[Area], *, created: Sequence[str] = ()) -> None:
        """Copy the areas to a new hidden sheet; `created` names sheets that do not exist yet."""
        book, index = self._book, self._index
        _remove(book, _NEW)
        book.add_sheet(_NEW)
        self._sheet = _NEW
        book.show(_NEW, Visibility.VERY_HIDDEN)
        index["created"] = list(created)
        row = 3
        for area in areas:
            block = Area(sheet=_NEW, row=row, column=_COLUMN, rows=area.rows, columns=area.columns)
            cells = [[encoded(cell) for cell in line] for line in book.contents(area)]
            book.copy_formats(area, block)
            book.write(_NEW, row, _COLUMN, cells)
            index["areas"].append(
                {
                    "area": asdict(area),
                    "block": row,
                    "tables": [_table_record(t) for t in book.tables() if t.area.overlaps(area)],
                    "widths": [
                        book.column_width(area.sheet, area.column + offset)
                        for offset in range(area.columns)
                    ],
                }
            )
            row += area.rows + 1

    def seal(self) -> None:
        """The macro has written: note what stands there now, and let this be what undo goes back to."""
        book = self._book
        self._index["after"] = _state(book, self._index)
        book.write(_NEW, 1, 1, [[text] for text in _pieces(json.dumps(self._index))])
        if find_sheet(book, SHEET) is not None:
            _remove(book, _OLD)
            book.rename_sheet(SHEET, _OLD)
        book.rename_sheet(_NEW, SHEET)
        self._sheet = SHEET
        _drop(book, _OLD)

    def drop(self) -> None:
        """Keep nothing: what was kept is no longer needed."""
        _drop(self._book, self._sheet)

    def put_back(self) -> None:
        """Restore everything that was kept; undo then goes back to what it went back to before."""
        book = self._book
        sheet = find_sheet(book, self._sheet) if self._sheet else None
        if sheet is not None:
            _recreate(book, self._index)
            _restore(book, sheet, self._index)
            _remove(book, sheet)
        if find_sheet(book, _OLD) is not None:
            book.rename_sheet(_OLD, SHEET)


def undo_last(book: Workbook) -> tuple[str, ...]:
    """Put back what the last macro changed; raises WorkbookError where there is nothing to undo.

    Returns what was done, in words. Cells that were edited since are a question first.
    """
    index = _read(book)
    label = str(index["label"])
    if _state(book, index) != index["after"] and not book.ask(
        f"Cells that {label} wrote have been edited since. Undo puts back what stood there before "
        f"{label}, and these edits are lost. Go on?"
    ):
        raise WorkbookError.of(
            where="undo",
            what=f"cells that {label} wrote were edited since, and undoing it would lose the edits",
            remedy="keep a copy of them, then press Undo again and answer Yes (--overwrite on the "
            "command line)",
        )
    now = Keeper(book, label="undo")
    areas = [area for area in _areas(index) if find_sheet(book, area.sheet) is not None]
    created = [s for s in index["created"] if find_sheet(book, s) is not None]
    with book.writing():
        try:
            now.keep([*areas, *(book.used(sheet) for sheet in created)])
            _restore(book, SHEET, index)
            book.note_changed(index["tables"], [area.sheet for area in areas])
            _remove(book, SHEET)  # from here on it is done
            now.drop()
            book.commit()
        except BaseException:
            if not book.discard():
                now.put_back()
            raise
    done = [f"put back {area.sheet}!{area.ref}" for area in areas]
    return (f"{label} is undone", *done, *(f"removed sheet {sheet}" for sheet in created))


def forget(book: Workbook) -> bool:
    """Remove what undo keeps; True where there was something."""
    found = [name for name in (SHEET, _NEW, _OLD) if find_sheet(book, name) is not None]
    for name in found:
        book.delete_sheet(name)
    return bool(found)


def _pieces(text: str) -> list[str]:
    """The index over as many cells of column A as it takes (rows 1 and 2 for all that is usual)."""
    return [text[i : i + _LONGEST] for i in range(0, len(text), _LONGEST)]


def _read(book: Workbook) -> dict[str, Any]:
    nothing = WorkbookError.of(
        where="undo",
        what="there is nothing to undo: no macro has written to this workbook since it was last "
        "undone or prepared for sharing",
        remedy="use Excel's own undo for what you typed",
    )
    sheet = find_sheet(book, SHEET)
    if sheet is None:
        raise nothing
    used = book.used(sheet)
    column = Area(sheet=sheet, row=1, column=1, rows=used.rows, columns=1)
    text = "".join(str(row[0]) for row in book.values(column) if row[0] is not None)
    try:
        index: dict[str, Any] = json.loads(text)
        known = index["format"] == _FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise WorkbookError.of(
            where=f"hidden sheet {SHEET}",
            what="was written by another version of xl_rebal, or was changed",
            remedy="undo by hand; Prepare for Sharing removes the sheet",
        )
    return index


def _areas(index: dict[str, Any]) -> list[Area]:
    return [Area(**record["area"]) for record in index["areas"]]


def _table_record(table: TableAt) -> dict[str, Any]:
    return {"name": table.name, "area": asdict(table.area)}


def _restore(book: Workbook, sheet: str, index: dict[str, Any]) -> None:
    for record in index["areas"]:
        area = Area(**record["area"])
        if find_sheet(book, area.sheet) is None:
            continue
        block = Area(
            sheet=sheet,
            row=record["block"],
            column=_COLUMN,
            rows=area.rows,
            columns=area.columns,
        )
        # Larger tables first: cells are written inside tables that have their old size.
        for each in record["tables"]:
            table, before = find_table(book, each["name"]), Area(**each["area"])
            if table is not None and table.area != before:
                book.resize_table(table.name, before)
        rows = [[decoded(cell) for cell in line] for line in book.values(block)]
        book.copy_formats(block, area)
        book.write(area.sheet, area.row, area.column, rows)
        for offset, width in enumerate(record["widths"]):
            if width and width != book.column_width(area.sheet, area.column + offset):
                book.set_column_width(area.sheet, area.column + offset, width)
    for name in reversed(index["created"]):
        _remove(book, name)


def _recreate(book: Workbook, index: dict[str, Any]) -> None:
    """Sheets that were kept and are gone: empty ones, with cells for their tables to come."""
    for record in index["areas"]:
        area = Area(**record["area"])
        if find_sheet(book, area.sheet) is not None:
            continue
        book.add_sheet(area.sheet)
        for each in record["tables"]:
            place = Area(**each["area"])
            row = record["block"] + place.row - area.row
            column = _COLUMN + place.column - area.column
            header = Area(sheet=_NEW, row=row, column=column, rows=1, columns=place.columns)
            rows = [[decoded(cell) for cell in line] for line in book.values(header)]
            book.write(area.sheet, place.row, place.column, rows)
            book.add_table(each["name"], place)


def _state(book: Workbook, index: dict[str, Any]) -> str:
    """A hash of what stands in the areas, and of the tables and sheets that were made."""
    seen: list[Any] = []
    for record in index["areas"]:
        area = Area(**record["area"])
        if find_sheet(book, area.sheet) is None:
            seen.append(None)
            continue
        seen.append(_filled(book, area))
        tables = [find_table(book, each["name"]) for each in record["tables"]]
        seen.append([t and t.area.ref for t in tables])
    for name in index["created"]:
        sheet = find_sheet(book, name)
        seen.append(None if sheet is None else _filled(book, book.used(sheet)))
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _filled(book: Workbook, area: Area) -> list[tuple[int, int, str | None]]:
    """The cells that hold something; numbers to 12 digits, for LibreOffice saves no more than 15."""
    return [
        (row, column, f"n{cell:.12g}" if type(cell) in (int, float) else encoded(cell))
        for row, line in enumerate(book.contents(area), start=area.row)
        for column, cell in enumerate(line, start=area.column)
        if cell is not None and cell != ""
    ]


def _remove(book: Workbook, name: str) -> None:
    if find_sheet(book, name) is not None:
        book.delete_sheet(name)


def _drop(book: Workbook, name: str) -> None:
    """Remove a sheet of ours that nothing needs; one that stays is removed by the next macro."""
    with contextlib.suppress(Exception):  # whatever Excel says: all work is done by now
        _remove(book, name)
