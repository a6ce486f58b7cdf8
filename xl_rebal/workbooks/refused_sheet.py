"""Sheet Refused: the accounts that could not be planned, what is wrong with each, and what to do."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.rebalance import Refused
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, lines_needed
from xl_rebal.workbooks.figures import Figures
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, write_table

NAME = "tblRefused"
HEADER_ROW = 4
WORDS_WIDTH = 60
# Whether the account of a row of another table is refused, as a formula.
IS_REFUSED = f"SUMPRODUCT(--({NAME}[Account]=[@Account]))>0"
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="What is wrong", look=styles.BODY_WRAP),
    Column(header="What to do", look=styles.BODY_WRAP),
)


def write_refused(canvas: Canvas, figures: Figures) -> tuple[Worksheet, Placed]:
    """Write the sheet; only where accounts are refused."""
    sheet = canvas.sheet("Refused", styles.WARN[0])
    write_title(
        canvas,
        sheet,
        "Accounts that could not be planned",
        "No trade is proposed for them: their rows on the other sheets show them as they stand. The "
        "plans of the other accounts do not depend on them.",
    )
    rows = [_row(each) for each in figures.result.refused]
    placed = write_table(canvas, sheet, name=NAME, columns=COLUMNS, rows=rows, row=HEADER_ROW)
    for line, row in enumerate(rows, start=placed.first_row):
        lines = max(lines_needed(str(text), WORDS_WIDTH) for text in row[1:])
        sheet.row_dimensions[line].height = min(13.5 * lines + 2, 400)
    fit_columns(sheet, [placed], {"What is wrong": WORDS_WIDTH, "What to do": WORDS_WIDTH})
    sheet.freeze_panes = f"B{placed.first_row}"
    set_up_print(
        sheet, last_column=placed.last_column, last_row=placed.last_row, repeat=placed.header_row
    )
    return sheet, placed


def _row(refused: Refused) -> list[Content]:
    faults = refused.error.faults
    wrong = "\n".join(f"{fault.where}: {fault.what}" for fault in faults)
    remedies = dict.fromkeys(fault.remedy for fault in faults)
    return [refused.account, wrong, "\n".join(remedies)]
