"""What the template's computed sheets have in common: protection, signals, quiet rows, steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Border, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas
from xl_rebal.workbooks.styles import Look


def protect(sheet: Worksheet) -> None:
    """Keep formulas from being overwritten by mistake; there is no password."""
    protection: Any = sheet.protection
    protection.sheet = True
    protection.formatColumns = protection.formatRows = protection.formatCells = False  # allowed


def unlock(sheet: Worksheet, cell: str) -> None:
    """Let one cell of a protected sheet be edited."""
    target: Any = sheet[cell]
    target.protection = Protection(locked=False)


def flag(sheet: Worksheet, cells: str, formula: str, colours: tuple[str, str]) -> None:
    """Colour the cells where a formula, written for the first of them, is true."""
    rule: Any = Rule(type="expression", formula=[formula], dxf=styles.signal(colours))
    sheet.conditional_formatting.add(cells, rule)


def flag_word(sheet: Worksheet, cells: str, word: str, colours: tuple[str, str]) -> None:
    """Colour the cells that hold a word."""
    rule: Any = Rule(
        type="cellIs", operator="equal", formula=[f'"{word}"'], dxf=styles.signal(colours)
    )
    sheet.conditional_formatting.add(cells, rule)


def underline_used(sheet: Worksheet, cells: str, formula: str) -> None:
    """Draw a line below rows in use; the others stay white."""
    line = Border(bottom=Side(style="thin", color=styles.LINE))
    rule: Any = Rule(type="expression", formula=[formula], dxf=DifferentialStyle(border=line))
    sheet.conditional_formatting.add(cells, rule)


def quiet(look: Look) -> Look:
    """A look without a line below; see `underline_used`."""
    return replace(look, line="")


def write_steps(
    canvas: Canvas,
    sheet: Worksheet,
    row: int,
    steps: Iterable[tuple[str, str, str]],
    *,
    title: str,
    last: int,
    height: int,
) -> int:
    """What to do, step by step: number, place and words, up to column `last`; the row below."""
    canvas.put(sheet, row, 2, title, styles.HEADING)
    look = Look(align="left", line=styles.LINE)
    for number, place, words in steps:
        row += 1
        canvas.put(sheet, row, 2, f"{number}  {place}", Look(bold=True, line=styles.LINE))
        canvas.merge(sheet, row, 3, last, look)
        canvas.put(sheet, row, 3, words, look)
        sheet.row_dimensions[row].height = height
    return row + 1
