"""Sheet Start of the household template: what to do, the switches of the plan, what state it is in."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import household_example, styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.household_cards import Card, write_cards
from xl_rebal.workbooks.household_data import HouseholdData, serial
from xl_rebal.workbooks.household_inputs import CHOICES
from xl_rebal.workbooks.input_sheets import input_table
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.template_inputs import DATE, INPUT_FILL, Choice, define, offer
from xl_rebal.workbooks.template_pages import flag, protect, unlock, write_steps
from xl_rebal.workbooks.template_start import VERSION

NAME = "Start"
TITLE = "Household taxes"
LAST = 7  # column G
WIDTHS = [3, 22, 24, 22, 22, 22, 34]

NOT_LOADED = (
    "xl_rebal add-in not loaded: in Excel the sheets Plan … and REBAL … show what was saved with this "
    "file, in LibreOffice #NAME?. Install the add-in (the extension), then press Ctrl+Alt+F9 (Ctrl+Shift+F9)."
)
LOADED = (
    'IF(AND(LEN(AddInVersion)>0,LEFT(AddInVersion,1)<>"#"),"xl_rebal "&AddInVersion&" is loaded.",'
    f'"{NOT_LOADED}")'
)
EXAMPLE_WORDS = (
    "The tables hold an invented EXAMPLE couple, their lots, prices and income: paste your own "
    "over them."
)
_EXAMPLES = (
    'IF(SUMPRODUCT(--(LEFT(TRIM(AccountName),7)="EXAMPLE"))>0,'
    f'"{EXAMPLE_WORDS}","Your own accounts: "&SUMPRODUCT(--(TRIM(AccountName)<>"")))'
)
ALL_PASS = "All checks pass."
INPUTS = (
    f'IF(InputFaults=0,"{ALL_PASS}",InputFaults&" of "&ROWS(tblChecks[Check])&" checks fail: see sheet '
    'Checks; do not send the letter.")'
)
_STATE = (
    'IF(PlanHead&""<>"account","No plan: read the message on sheet Plan.",'
    'IF(OrderCount=0,"No orders: nothing asks for any.",OrderCount&" orders: money in the wrong class goes '
    'from "&ROUND(100*DriftBefore,1)&" % to "&ROUND(100*DriftAfter,1)&" %."))'
)
_CARDS = tuple(
    Card(words=words, name=name, figure=figure, first=column, last=column)
    for column, (words, name, figure) in enumerate(
        (
            ("Value of the household", "PlanBase", "value"),
            ("Tax added this year (− saved)", "TaxAdded", "tax_added"),
            ("Put off against the naive way", "TaxDeferred", "tax_deferred"),
            ("Saved for good", "TaxSaved", "tax_saved_for_good"),
            ("Losses carried on", "LossCarried", "loss_carried"),
            ("Trading costs", "PlanCosts", "cost"),
        ),
        start=2,
    )
)
STEPS = (
    (
        "1",
        "Accounts, Lots",
        "Whose accounts they are and how they are taxed; what is held, lot by lot.",
    ),
    ("2", "Securities, Targets", "Prices, classes, substitutes; target weights and when to act."),
    (
        "3",
        "Tax profile, History",
        "Income and filing status; the trades of the last 30 days everywhere.",
    ),
    ("4", "Start", "The switches below: the day, costs, losses to take, the most gain to realise."),
    (
        "5",
        "Plan, Taxes, Location",
        "Orders with lots and reasons; tax of four ways; what is held where.",
    ),
    ("6", "Letter", "One page for the client. Print it when sheet Checks has no red line."),
)


def write_household_start(canvas: Canvas, data: HouseholdData) -> list[Spill]:
    """Write the sheet; the spill is the add-in's version, saved as not there."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        TITLE,
        "All accounts of a household as one: which lot to sell where, what to buy where, at least tax. "
        "Arithmetic for an adviser, not tax advice.",
    )
    set_widths(sheet, WIDTHS)
    row = _lines(canvas, sheet, data, 4)
    row = write_cards(canvas, sheet, data, _CARDS, row + 1)
    flag(sheet, f"B{row - 1}:G{row - 1}", f"ISERROR(B${row - 1})", (styles.GREY, styles.PALE))
    row = write_steps(canvas, sheet, row + 1, STEPS, title="How to", last=LAST, height=16)
    row = _letter(canvas, sheet, row + 1)
    row = _switches(canvas, sheet, row + 1)
    canvas.put(sheet, row + 1, 2, "Add-in version", styles.NOTE)
    look = Look(size=9, colour=styles.MUTED, align="left")
    canvas.put(sheet, row + 1, 3, Formula(VERSION, ""), look)
    define(canvas, "AddInVersion", address(row + 1, 3, sheet=NAME))
    set_up_print(sheet, last_column=LAST, last_row=row + 1)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return [Spill(sheet=NAME, row=row + 1, column=3, values=[[""]])]


def state_words(data: HouseholdData) -> str:
    """What the line about the plan comes to."""
    before, after = (round(100 * data.figure(n), 1) for n in ("drift_before", "drift_after"))
    if not data.figure("orders"):
        return "No orders: nothing asks for any."
    count = f"{data.figure('orders'):g} orders"
    return f"{count}: money in the wrong class goes from {before:g} % to {after:g} %."


def _lines(canvas: Canvas, sheet: Worksheet, data: HouseholdData, row: int) -> int:
    lines = (
        ("Add-in", LOADED, NOT_LOADED),
        ("Example", _EXAMPLES, EXAMPLE_WORDS),
        ("Checks", INPUTS, ALL_PASS),
        ("Plan", _STATE, state_words(data)),
        ("Why", 'IFERROR(PlanWhy&"","")', str(data.figures["why"])),
    )
    look = Look(bold=True, align="left", wrap=True)
    for label, formula, value in lines:
        canvas.put(sheet, row, 2, label, styles.LABEL)
        canvas.merge(sheet, row, 3, LAST, look)
        canvas.put(sheet, row, 3, Formula(formula, value), look)
        sheet.row_dimensions[row].height = 30 if label in ("Add-in", "Why") else 18
        row += 1
    flag(sheet, "C4:G4", 'LEFT($C$4,16)="xl_rebal add-in "', styles.WARN)
    flag(sheet, "C5:G5", 'LEFT($C$5,10)="The tables"', styles.WARN)
    flag(sheet, "C6:G6", 'LEFT($C$6,3)<>"All"', styles.BAD)
    flag(sheet, "C6:G6", 'LEFT($C$6,3)="All"', styles.GOOD)
    flag(sheet, "C7:G7", 'LEFT($C$7,8)="No plan:"', styles.BAD)
    return row


def _letter(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 2, "Day and names", styles.HEADING)
    text = replace(given_text(), fill=INPUT_FILL)
    date = replace(number(DATE, given=True), fill=INPUT_FILL, align="left", indent=1)
    cells: tuple[tuple[str, str, Content, Look, str], ...] = (
        ("Day of the trades", "AsOf", serial(household_example.AS_OF), date,
         "Terms of lots, wash-sale days and the tax year follow it."),
        ("Client", "ClientName", household_example.CLIENT, text, "As the letter addresses them."),
        ("Adviser", "AdviserName", household_example.ADVISER, text, "The letter's head."),
    )  # fmt: skip
    for label, name, content, look, words in cells:
        row += 1
        canvas.put(sheet, row, 2, label, styles.LABEL)
        canvas.merge(sheet, row, 3, 4, look)
        canvas.put(sheet, row, 3, content, look)
        for column in "CD":
            unlock(sheet, f"{column}{row}")
        canvas.put(sheet, row, 5, words, styles.NOTE)
        define(canvas, name, address(row, 3, sheet=NAME))
    return row + 1


def _switches(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 2, "Switches of the plan", styles.HEADING)
    name = "tblPlanSettings"
    grid = household_example.TABLES[name]
    placed = input_table(canvas, sheet, name, grid, CHOICES, row=row + 1, column=2)
    for index, line in enumerate(household_example.SETTINGS[1:]):
        at = placed.first_row + index
        unlock(sheet, f"C{at}")
        canvas.put(sheet, at, 2, line[0], Look(line=styles.LINE, indent=1, align="left"))
        canvas.put(sheet, at, 4, line[2], styles.NOTE)
        if isinstance(line[1], float):
            look = replace(number(styles.MONEY, given=True), fill=INPUT_FILL)
            canvas.put(sheet, at, 3, line[1], look)
            unlock(sheet, f"C{at}")
    mode = placed.first_row + len(household_example.SETTINGS) - 2
    offer(
        sheet,
        f"C{mode}",
        Choice(formula='"fast,best"', strict=True, help="fast, or best: it searches longer."),
    )
    return placed.last_row + 1
