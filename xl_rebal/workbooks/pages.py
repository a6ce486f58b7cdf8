"""What every sheet has in common: title, panes, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.formatting.rule import ColorScaleRule, Rule
from openpyxl.styles import Border, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas

STATUS_COLOURS = {
    "above": styles.WARN,
    "below": styles.BAD,
    "NOT COUNTED": styles.BAD,
    "changed": styles.WARN,
    "CHANGED": styles.BAD,
    "OVERDRAWN": styles.BAD,
    "PLAN OUT OF DATE": styles.BAD,
    "no": styles.BAD,
    "SELL": styles.WARN,
    "BUY": styles.GOOD,
    "short": styles.BAD,
    "DIFFERS": styles.BAD,
    "ok": styles.GOOD,
    "Plan is current": styles.GOOD,
}


def write_title(canvas: Canvas, sheet: Worksheet, title: str, subtitle: str) -> None:
    """Title in the first row, one line of explanation in the second."""
    canvas.put(sheet, 1, 1, title, styles.TITLE)
    canvas.put(sheet, 2, 1, subtitle, styles.SUBTITLE)
    sheet.row_dimensions[1].height = 28
    sheet.row_dimensions[2].height = 16


def set_up_print(
    sheet: Worksheet, *, last_column: int, last_row: int, repeat: int | None = None
) -> None:
    """Landscape, as wide as one page, as many pages as needed, with a footer on each."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 1  # US Letter, where the custodians are
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_area = f"A1:{get_column_letter(last_column)}{last_row}"
    if repeat is not None:
        sheet.print_title_rows = f"{repeat}:{repeat}"
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom = 0.5, 0.6
    margins.header = margins.footer = 0.3
    footer: Any = sheet.oddFooter
    for part, text in ((footer.left, "&A"), (footer.right, "Page &P of &N")):
        part.text, part.size = text, 8


def break_before(sheet: Worksheet, row: int) -> None:
    """Begin a new printed page at a row."""
    sheet.row_breaks.append(Break(id=row - 1))


def flag_words(sheet: Worksheet, cells: str, words: Sequence[str]) -> None:
    """Colour the cells of a range that hold one of these words."""
    for word in words:
        rule = Rule(
            type="cellIs",
            operator="equal",
            formula=[f'"{word}"'],
            dxf=styles.signal(STATUS_COLOURS[word]),
        )
        sheet.conditional_formatting.add(cells, rule)


def show_whole(sheet: Worksheet, cells: str, *, line: bool = False) -> None:
    """Show whole numbers of a column of quantities as `5,000`, not as `5,000.`, and others in full.

    line  draw a line below them too: Calc applies one conditional format to a cell.
    """
    first = cells.partition(":")[0]  # a conditional format can only name the cell itself
    rule = Rule(
        type="expression",
        formula=[f"AND(ISNUMBER({first}),N({first})=INT(N({first})))"],
        dxf=DifferentialStyle(
            numFmt=NumberFormat(numFmtId=3, formatCode="#,##0"),
            border=Border(bottom=Side(style="thin", color=styles.LINE)) if line else None,
        ),
    )
    sheet.conditional_formatting.add(cells, rule)


def flag_negative(sheet: Worksheet, cells: str) -> None:
    """Colour amounts below zero by half a cent or more."""
    rule = Rule(
        type="cellIs", operator="lessThan", formula=["-0.005"], dxf=styles.signal(styles.BAD)
    )
    sheet.conditional_formatting.add(cells, rule)


def flag_above_zero(sheet: Worksheet, cells: str) -> None:
    """Colour counts above zero."""
    rule = Rule(
        type="cellIs", operator="greaterThan", formula=["0"], dxf=styles.signal(styles.WARN)
    )
    sheet.conditional_formatting.add(cells, rule)


def scale_drift(sheet: Worksheet, cells: str) -> None:
    """Colour drifts from blue (10 pp below the target) over white to red (10 pp above it)."""
    rule: Rule = ColorScaleRule(  # type: ignore[no-untyped-call]  # a function without types
        start_type="num",
        start_value=-0.1,
        start_color=styles.COLD,
        mid_type="num",
        mid_value=0,
        mid_color="FFFFFF",
        end_type="num",
        end_value=0.1,
        end_color=styles.HOT,
    )
    sheet.conditional_formatting.add(cells, rule)


def offer(sheet: Worksheet, cells: str, choices: Sequence[str]) -> None:
    """Let the user choose one of some words, or none."""
    words = ",".join(choices)
    choice = DataValidation(
        type="list",
        formula1=f'"{words}"',
        allow_blank=True,
        showErrorMessage=True,
        error=f"Choose one of: {', '.join(choices)}.",
    )
    choice.add(cells)
    sheet.add_data_validation(choice)
