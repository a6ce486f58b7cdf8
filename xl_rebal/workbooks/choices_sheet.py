"""Sheet Plans: the plans that could be chosen, side by side. One of them is in the other sheets."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.alternatives import Alternative
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, lines_needed
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, write_table

NAME = "tblChoices"
HEADER_ROW = 4
WORDS_WIDTH = 60

_MONEY, _PERCENT = number(styles.MONEY), number(styles.PERCENT)
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Plan", look=styles.BODY_TEXT),
    Column(header="Tickets", look=number(styles.QUANTITY)),
    Column(header="Cost", look=_MONEY),
    Column(header="Turnover", look=_PERCENT),
    Column(header="Largest drift left", look=_PERCENT),
    Column(header="Sum of drifts left", look=_PERCENT),
    Column(header="Gross benefit", look=_MONEY),
    Column(
        header="Net benefit",
        look=_MONEY,
        formula='IF(ISNUMBER([@[Gross benefit]]),[@[Gross benefit]]-[@Cost],"")',
    ),
    Column(header="How it is known", look=styles.BODY_WRAP),
)


def write_choices(canvas: Canvas, choices: Sequence[Alternative]) -> tuple[Worksheet, Placed]:
    """Write the sheet."""
    sheet = canvas.sheet("Plans", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "Plans side by side",
        "Every plan is verified. Benefit = 0.5 × risk aversion × tracking variance removed × value × "
        "years; net of costs. It is no forecast of return.",
    )
    rows = [_row(each) for each in choices]
    placed = write_table(canvas, sheet, name=NAME, columns=COLUMNS, rows=rows, row=HEADER_ROW)
    for line, row in enumerate(rows, start=placed.first_row):
        lines = lines_needed(str(row[-1]), WORDS_WIDTH)
        if lines > 1:
            sheet.row_dimensions[line].height = 13.5 * lines + 2
    fit_columns(sheet, [placed], {"How it is known": WORDS_WIDTH})
    sheet.freeze_panes = f"A{placed.first_row}"
    set_up_print(
        sheet, last_column=placed.last_column, last_row=placed.last_row, repeat=placed.header_row
    )
    return sheet, placed


def _row(each: Alternative) -> list[Content]:
    plan = each.plan
    if plan is None:
        nothing: list[Content] = [None] * 6
        return [each.account, each.choice.value, *nothing, "", f"refused: {each.refused}"]
    words = plan.proof.words
    if each.benefit is not None:
        words += f"; {each.benefit.in_words()}"
    return [
        each.account,
        each.choice.value,
        len(plan.trades),
        plan.total_cost,
        plan.turnover,
        each.max_drift,
        each.sum_drift,
        each.benefit.gross if each.benefit else None,
        each.benefit.net if each.benefit else "",
        words,
    ]
