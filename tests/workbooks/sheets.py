"""Reading reports back: the tables of a workbook in Calc and in openpyxl."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries

from tests.libreoffice import CalcBook, CalcCell


@dataclass(frozen=True)
class Place:
    """Where a table stands."""

    sheet: str
    first_column: int
    header_row: int
    last_column: int
    last_row: int
    headers: tuple[str, ...]

    def letter(self, header: str) -> str:
        return get_column_letter(self.first_column + self.headers.index(header))

    def cell(self, header: str, index: int = 0) -> str:
        """The cell of a column in a data row, counted from 0."""
        return f"{self.letter(header)}{self.header_row + 1 + index}"


def places(data: bytes) -> dict[str, Place]:
    """Every table of a workbook by its name."""
    result = {}
    for sheet in load_workbook(io.BytesIO(data)).worksheets:
        for table in sheet.tables.values():
            left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(table.ref))
            headers = tuple(
                str(sheet.cell(row=top, column=column).value) for column in range(left, right + 1)
            )
            result[table.name] = Place(sheet.title, left, top, right, bottom, headers)
    return result


def saved_rows(data: bytes, table: str) -> list[dict[str, object]]:
    """The saved values of a table, row by row."""
    place = places(data)[table]
    sheet = load_workbook(io.BytesIO(data), data_only=True)[place.sheet]
    rows = sheet.iter_rows(
        min_row=place.header_row + 1,
        max_row=place.last_row,
        min_col=place.first_column,
        max_col=place.last_column,
        values_only=True,
    )
    return [dict(zip(place.headers, row, strict=True)) for row in rows]


def calc_rows(
    book: CalcBook, place: Place, *, extra: int = 0, shift: int = 0
) -> list[dict[str, float | str | None]]:
    """A table's values in Calc; `extra` rows were added at its end, `shift` rows above it."""
    top, bottom = place.header_row + 1 + shift, place.last_row + extra + shift
    left, right = get_column_letter(place.first_column), get_column_letter(place.last_column)
    rows = book.values(place.sheet, f"{left}{top}:{right}{bottom}")
    return [dict(zip(place.headers, row, strict=True)) for row in rows]


def all_cells(book: CalcBook) -> dict[tuple[str, int, int], CalcCell]:
    """Every cell of every sheet."""
    return {
        (sheet, row, column): cell
        for sheet in book.sheet_names()
        for row, cells in enumerate(book.read(sheet, book.used_range(sheet)), start=1)
        for column, cell in enumerate(cells, start=1)
    }


def changed(
    before: dict[tuple[str, int, int], CalcCell], after: dict[tuple[str, int, int], CalcCell]
) -> list[str]:
    """Cells whose value moved by more than 1e-9 (relative above 1), or that are errors."""
    found = []
    for place, cell in after.items():
        old = before[place]
        if cell.error:
            found.append(f"{place}: {cell.formula} gives {cell.error_name}")
        elif isinstance(cell.value, float) and isinstance(old.value, float):
            if abs(cell.value - old.value) > 1e-9 * max(1.0, abs(old.value)):
                found.append(f"{place}: {old.value!r} became {cell.value!r} by {cell.formula}")
        elif cell.value != old.value:
            found.append(f"{place}: {old.value!r} became {cell.value!r} by {cell.formula}")
    return found


def write(folder: Path, data: bytes, name: str = "report.xlsx") -> Path:
    """The workbook as a file."""
    path = folder / name
    path.write_bytes(data)
    return path
