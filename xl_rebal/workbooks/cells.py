"""Writing cells: text stays text, and every formula carries the value that it is saved with."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.errors import RebalError
from xl_rebal.workbooks.limits import CELL_CHARACTERS, check_formula, check_rows, units
from xl_rebal.workbooks.styles import Look, Styles

CUT = "… (cut: a cell holds 32,767 characters)"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Excel reads _x0041_ in a file as the letter A; the escape of the underscore keeps it as typed.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_RISKY = ("=", "+", "-", "@", "'", "\t")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula without its `=`, and the value that the engine computed for it."""

    text: str
    value: float | str


Content = str | float | int | None | Formula


def clean_text(text: str) -> str:
    """The text as XML can carry it: characters that it cannot become `�`, line ends become LF."""
    return _ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def fitted(text: str) -> str:
    """The text itself, or as much of it as a cell holds with a word that it was cut."""
    if units(text) <= CELL_CHARACTERS:
        return text
    keep = CELL_CHARACTERS - len(CUT)
    shorter = text.encode("utf-16-le")[: 2 * keep].decode("utf-16-le", errors="ignore")
    return shorter + CUT


def is_risky(text: str) -> bool:
    """True for text that a program could take for a formula when the cell is edited."""
    return text.startswith(_RISKY)


def as_stored(text: str) -> str:
    """Text as a file holds it, where `_x0041_` would mean the letter A."""
    return _ESCAPED.sub("_x005F_", text)


class Canvas:
    """A workbook being written, with the values of its formulas."""

    def __init__(self) -> None:
        self.workbook = Workbook()
        first = self.workbook.active
        assert first is not None
        self.workbook.remove(first)
        self.styles = Styles(self.workbook)
        self.values: dict[str, dict[str, float | str]] = {}
        self.tables: list[str] = []
        self.cut_texts = 0

    def sheet(self, title: str, tab_colour: str) -> Worksheet:
        """A new sheet at the end."""
        sheet: Worksheet = self.workbook.create_sheet(title)
        sheet.sheet_properties.tabColor = tab_colour
        sheet.sheet_view.showGridLines = False
        self.values[title] = {}
        return sheet

    def put(self, sheet: Worksheet, row: int, column: int, content: Content, look: Look) -> None:
        """Write one cell; None leaves it blank but formatted."""
        cell: Any = sheet.cell(row=row, column=column)
        if isinstance(content, Formula):
            check_formula(content.text, f"{sheet.title}!{cell.coordinate}")
            cell.value = "=" + content.text
            cell.data_type = "f"
            self.values[sheet.title][cell.coordinate] = _finite(content.value)
        elif isinstance(content, str):
            clean = clean_text(content)
            text = fitted(clean)
            self.cut_texts += text is not clean
            if is_risky(text):
                look = replace(look, text_prefix=True)
            cell.value = None if text == "" else "x"  # typed below: openpyxl would guess a formula
            if text:
                cell._value = as_stored(text)
                cell.data_type = "s"
        elif content is not None:
            cell.value = _finite(content)
        self.styles.apply(cell, look)

    def merge(self, sheet: Worksheet, row: int, first: int, last: int, look: Look) -> None:
        """Join the cells of a row from column `first` to `last`, all with the same look."""
        for column in range(first, last + 1):
            self.styles.apply(sheet.cell(row=row, column=column), look)
        sheet.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)


def _finite(value: float | str) -> float | str:
    if isinstance(value, str):
        return clean_text(value)
    number = float(value)
    if not math.isfinite(number):
        raise RebalError.of(
            where="report",
            what=f"a cell would hold {number}, which is not a number in a workbook",
            remedy="report this as a bug",
        )
    if number.is_integer() and abs(number) < 1e15:
        return int(number)
    return number


def address(row: int, column: int, *, sheet: str = "") -> str:
    """`$B$7`, or `Summary!$B$7`: for names and charts only, never for a cell's formula."""
    place = f"${get_column_letter(column)}${row}"
    return f"{sheet}!{place}" if sheet else place


def shown_length(content: Content, number_format: str) -> int:
    """About how many characters a cell shows."""
    value = content.value if isinstance(content, Formula) else content
    if value is None:
        return 0
    if isinstance(value, str):
        return max(len(line) for line in value.split("\n"))
    if "%" in number_format:
        return 8
    decimals = 2 if "0.00" in number_format else 0
    digits = len(f"{value:,.{decimals}f}")
    if "#" in number_format.partition(".")[2]:
        digits = max(digits, len(f"{value:,.6f}".rstrip("0")))
    return digits


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Column widths in characters, from column A on."""
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width


def lines_needed(text: str, characters: float) -> int:
    """How many lines a wrapped text takes in a column of so many characters (rather one too many)."""
    return sum(max(1, math.ceil(len(part) * 0.85 / characters)) for part in text.split("\n"))


def require_rows(sheet: Worksheet) -> None:
    """Refuse a sheet that has grown past Excel's last row."""
    check_rows(sheet.max_row, sheet.title)
