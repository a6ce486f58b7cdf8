"""Sheet Summary of the household report: what the plan is, whether it adds up, whom the letter is for."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import (
    Canvas,
    Content,
    Formula,
    address,
    lines_needed,
    set_widths,
)
from xl_rebal.workbooks.household_cards import Card, write_cards
from xl_rebal.workbooks.household_checks import PLAN_CHECKS, check_table
from xl_rebal.workbooks.household_data import HouseholdData, serial
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.source import ReportSource
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.template_inputs import DATE, INPUT_FILL, define
from xl_rebal.workbooks.template_pages import flag

NAME = "Summary"
LAST = 5  # column E
WIDTHS = [54, 22, 22, 22, 62]
WORDS_WIDTH = sum(WIDTHS[1:])
_CARDS = tuple(
    Card(words=words, name=name, figure=figure, first=column, last=column)
    for column, (words, name, figure) in enumerate(
        (
            ("Value of the household", "PlanBase", "value"),
            ("Tax added this year (− saved)", "TaxAdded", "tax_added"),
            ("Put off against the naive way", "TaxDeferred", "tax_deferred"),
            ("Saved for good", "TaxSaved", "tax_saved_for_good"),
            ("Losses carried on", "LossCarried", "loss_carried"),
        ),
        start=1,
    )
)
_CHANGED = "A value on sheet Plan was changed; write the report again."
_CHECKS = tuple((words, formula, wanted, _CHANGED) for words, formula, wanted, _ in PLAN_CHECKS[1:])
ADDS_UP = "Every sum agrees."
_STATE = (
    f'IF(InputFaults=0,"{ADDS_UP}",InputFaults&" of "&ROWS(tblChecks[Check])&" sums do not agree: do not '
    'send the letter.")'
)


def write_household_summary(
    canvas: Canvas,
    data: HouseholdData,
    plan: HouseholdPlan,
    source: ReportSource,
    version: str,
) -> None:
    """Write the sheet, and name the day and the names that the letter shows."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        "Household plan and taxes",
        "Orders, taxes, where each class is held, and a letter for the client. Sums are Excel formulas on "
        "the plan's values; no macros, no links. Arithmetic for an adviser, not tax advice.",
    )
    set_widths(sheet, WIDTHS)
    row = _facts(canvas, sheet, data, plan, source, version)
    row = write_cards(canvas, sheet, data, _CARDS, row + 1)
    row = _names(canvas, sheet, data, row + 1)
    canvas.put(sheet, row + 1, 1, "Does the plan add up?", styles.HEADING)
    row = check_table(canvas, sheet, _CHECKS, row + 2)
    row = _warnings(canvas, sheet, source, row + 1)
    sheet.freeze_panes = "A4"
    set_up_print(sheet, last_column=LAST, last_row=row - 1)
    sheet.page_setup.fitToHeight = 1


def _facts(
    canvas: Canvas,
    sheet: Worksheet,
    data: HouseholdData,
    plan: HouseholdPlan,
    source: ReportSource,
    version: str,
) -> int:
    proof = (
        f"Verified. No plan can be better by more than {plan.gap:,.2f} ({plan.gap_bp:.3f} bp of the "
        "value), in drift, tax, cost, location and tickets together."
    )
    facts: tuple[tuple[str, Content], ...] = (
        ("Household", plan.household or "(not named)"),
        ("Source", source.file_name),
        ("Policy", str(data.figures["policy"])),
        ("Costs", str(data.figures["costs"])),
        ("Why", str(data.figures["why"])),
        ("Proof", proof),
        ("Sums", Formula(_STATE, ADDS_UP)),
        ("Made by", f"xl_rebal {version}"),
    )
    row = 4
    for label, content in facts:
        look = styles.STRONG if isinstance(content, Formula) else styles.WORDS
        canvas.put(sheet, row, 1, label, styles.LABEL_TOP)
        canvas.merge(sheet, row, 2, LAST, look)
        canvas.put(sheet, row, 2, content, look)
        text = content.value if isinstance(content, Formula) else content
        sheet.row_dimensions[row].height = 13.5 * lines_needed(str(text), WORDS_WIDTH) + 4
        if isinstance(content, Formula):
            cells = f"B{row}:E{row}"
            flag(sheet, cells, f'$B${row}="{ADDS_UP}"', styles.GOOD)
            flag(sheet, cells, f'$B${row}<>"{ADDS_UP}"', styles.BAD)
        row += 1
    return row


def _names(canvas: Canvas, sheet: Worksheet, data: HouseholdData, row: int) -> int:
    canvas.put(sheet, row, 1, "What the letter is headed with", styles.HEADING)
    text = replace(given_text(), fill=INPUT_FILL)
    date = replace(number(DATE, given=True), fill=INPUT_FILL, align="left", indent=1)
    cells: tuple[tuple[str, str, Content, Look, str], ...] = (
        ("Day of the trades", "AsOf", serial(data.as_of), date, "The plan was made for this day."),
        ("Client", "ClientName", data.client, text, "As the letter addresses them; or --client."),
        ("Adviser", "AdviserName", data.adviser, text, "The letter's head; or --adviser."),
    )
    for label, name, content, look, words in cells:
        row += 1
        canvas.put(sheet, row, 1, label, styles.LABEL)
        canvas.merge(sheet, row, 2, 3, look)
        canvas.put(sheet, row, 2, content, look)
        canvas.put(sheet, row, 4, words, styles.NOTE)
        define(canvas, name, address(row, 2, sheet=NAME))
    return row + 1


def _warnings(canvas: Canvas, sheet: Worksheet, source: ReportSource, row: int) -> int:
    canvas.put(sheet, row, 1, "Warnings", styles.HEADING)
    for text in source.warnings or ("none",):
        row += 1
        canvas.merge(sheet, row, 1, LAST, styles.WORDS)
        canvas.put(sheet, row, 1, text, styles.WORDS)
        sheet.row_dimensions[row].height = 13.5 * lines_needed(text, sum(WIDTHS)) + 3
    return row + 1
