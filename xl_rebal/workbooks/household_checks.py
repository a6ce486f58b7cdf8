"""Sheet Checks of the household template: what is wrong with its inputs, and whether the plan adds up.

What the worksheet functions came to is held against sums that the native sheets make by themselves.
"""

from __future__ import annotations

from dataclasses import replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, set_widths
from xl_rebal.workbooks.household_inputs import COLUMN_NAMES
from xl_rebal.workbooks.household_location import OVERDRAWN
from xl_rebal.workbooks.household_names import ACCOUNT_ROWS, HELD_ROWS, LINES, TARGET_ROWS
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.tables import write_table
from xl_rebal.workbooks.template_checks import CHECK, CHECK_COLUMNS, OK
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import flag_word, protect

NAME = "Checks"
Check = tuple[str, str, Content, str]

_MISSING = "&".join(
    f'IF(IFERROR(ROWS({name}),0)=0,"{table} {header}; ","")' for name, table, header in COLUMN_NAMES
)
_LISTED = '(TRIM(SecuritySymbol)<>"")'
# Check, formula, expected, what to do.
INPUT_CHECKS: tuple[Check, ...] = (
    (
        "Columns that are missing",
        f'IF(LEN({_MISSING})=0,"none",{_MISSING})',
        "none",
        "Undo the deletion; a column may be renamed or moved, not deleted.",
    ),
    (
        "The day of the trades is a date",
        'IF(ISNUMBER(AsOf),"yes","no")',
        "yes",
        "Sheet Start: enter the day, such as 2026-11-25.",
    ),
    (
        "Targets sum to, in %",
        "ROUND(100*SUM(TargetWeight),6)",
        100,
        "Correct the weights on sheet Targets.",
    ),
    (
        f"Rows of sheet Targets beyond the first {TARGET_ROWS}",
        f"MAX(ROWS(TargetClass)-{TARGET_ROWS},0)",
        0,
        "Merge classes; the plan takes any number, sheet Location shows so many.",
    ),
    (
        f"Accounts beyond the first {ACCOUNT_ROWS}",
        f"MAX(ROWS(AccountName)-{ACCOUNT_ROWS},0)",
        0,
        "The plan takes any number; sheet Location shows the cash of so many.",
    ),
    (
        f"Rows of sheet Lots beyond the first {HELD_ROWS}",
        f"MAX(ROWS(LotSymbol)-{HELD_ROWS},0)",
        0,
        "The plan takes any number; Location counts so many. Use xl-rebal household --out.",
    ),
    (
        "Lots whose account is not on sheet Accounts",
        'SUMPRODUCT((tblHeld[Account]&tblHeld[Symbol]<>"")*(tblHeld[Kind]=""))',
        0,
        "Add the account with its type, or correct the spelling.",
    ),
    (
        "Lots whose symbol has no class on sheet Securities",
        'SUMPRODUCT((tblHeld[Symbol]<>"")*(tblHeld[Path]=""))',
        0,
        "Add the symbol with its class and price.",
    ),
    (
        "Lots whose class no target covers, or two",
        'SUMPRODUCT((tblHeld[Class]="NO TARGET")+(tblHeld[Class]="TWO TARGETS"))',
        0,
        "Give the class a target (0% sells it), or correct its spelling.",
    ),
    (
        "Lots whose quantity is not a number",
        'SUMPRODUCT((TRIM(LotSymbol)<>"")*(1-ISNUMBER(LotQuantity)))',
        0,
        "Sheet Lots: enter digits only.",
    ),
    (
        "Prices that are missing or not above zero",
        f"SUMPRODUCT({_LISTED}*(1-ISNUMBER(SecurityPrice)))"
        f"+SUMPRODUCT({_LISTED}*ISNUMBER(SecurityPrice)*(SecurityPrice<=0))",
        0,
        "Sheet Securities: enter a price.",
    ),
    (
        "Lots in taxable accounts without a day or a cost",
        "SUM(tblHeld[Gap])",
        0,
        "Fill them in from the custodian's lot details; a gain is never guessed.",
    ),
    (
        "Lots acquired after the day of the trades",
        "SUMPRODUCT(ISNUMBER(LotAcquired)*(LotAcquired>AsOf))",
        0,
        "Check the day on sheet Start and the days on sheet Lots.",
    ),
    (
        "Trades of sheet History after the day of the trades",
        "SUMPRODUCT(ISNUMBER(HistoryDate)*(HistoryDate>AsOf))",
        0,
        "A history holds what has happened.",
    ),
    (
        "Tax profiles of another year",
        'SUMPRODUCT((TRIM(ProfileName)<>"")*(ProfileYear<>YEAR(AsOf)))',
        0,
        "Sheet Tax profile: add the row of the year of the trades.",
    ),
)
_TOLERANCE = "IF(ABS({0})<0.05,0,ROUND({0},2))"
_GAINS = "SUM(tblLines[Gain])-GainShort-GainLong-GainCollectible"
_SOLD = 'SUMPRODUCT(--(tblLines[Action]="SELL"),tblLines[Value])-PlanSold'
_BOUGHT = 'SUMPRODUCT(--(tblLines[Action]="BUY"),tblLines[Value])-PlanBought'
_MONEY = "SUM(tblLocation[All before])-SUM(tblLocation[All after])-SUM(tblLines[Cost])"
_AGAIN = (
    "Recalculate (Ctrl+Alt+F9). LibreOffice: enter the formula of sheet Plan again over more rows. "
    "Else report it."
)
PLAN_CHECKS: tuple[Check, ...] = (
    (
        "Rows of the plan that the other sheets do not follow",
        "SUMPRODUCT(ISNUMBER(PlanQuantity)*(PlanQuantity<>0))-SUM(tblLines[Used])",
        0,
        f"The sheets follow {LINES} rows; use xl-rebal household --out.",
    ),
    (
        "Accounts that would be overdrawn, or go below their reserve",
        f'SUMPRODUCT(--(tblCash[Result]="{OVERDRAWN}"))',
        0,
        "Do not send these orders; report it.",
    ),
    (
        "Sales on the sheets against the plan's figure",
        _TOLERANCE.format(_SOLD),
        0,
        _AGAIN,
    ),
    (
        "Purchases on the sheets against the plan's figure",
        _TOLERANCE.format(_BOUGHT),
        0,
        _AGAIN,
    ),
    (
        "Gains of the lots against the plan's figure",
        _TOLERANCE.format(_GAINS),
        0,
        _AGAIN,
    ),
    (
        "Money before, less money after and costs",
        _TOLERANCE.format(_MONEY),
        0,
        "Correct the classes that another check names; else report it.",
    ),
    (
        "Put off and saved for good against less tax",
        _TOLERANCE.format("TaxDeferred+TaxSaved-TaxLess"),
        0,
        _AGAIN,
    ),
)
ENGINE_CHECKS: tuple[Check, ...] = (
    (
        "The add-in made a plan",
        'IF(PlanHead&""="account","yes","no")',
        "yes",
        "Read the message on sheet Plan: it says where, what, and the remedy.",
    ),
    (
        "Tax of the plan against REBAL_TAX of its gains",
        'IF(ReturnCount>1,0,IF(INDEX(TaxItem,4)&""="total",'
        + _TOLERANCE.format("N(INDEX(TaxAmount,4))-TaxAdded")
        + ",0))",
        0,
        "Do not rely on the tax; report it.",
    ),
)


def write_household_checks(canvas: Canvas) -> None:
    """Write the sheet and name the number of checks that fail."""
    sheet = canvas.sheet(NAME, styles.GREY)
    write_title(
        canvas,
        sheet,
        NAME,
        "What the native formulas found in the inputs, and the plan held against sums made by themselves. "
        "Nothing to edit here.",
    )
    set_widths(sheet, [54, 20, 16, 12, 70])
    row = check_table(canvas, sheet, (*INPUT_CHECKS, *ENGINE_CHECKS, *PLAN_CHECKS), 4)
    sheet.freeze_panes = "A5"
    set_up_print(sheet, last_column=5, last_row=row - 1)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)


def check_table(canvas: Canvas, sheet: Worksheet, checks: tuple[Check, ...], row: int) -> int:
    """Write `tblChecks`, name how many fail, and return the row after it."""
    placed = write_table(
        canvas,
        sheet,
        name="tblChecks",
        columns=[replace(c) for c in CHECK_COLUMNS],
        rows=[
            [words, Formula(formula, _value(expected)), expected, OK, remedy]
            for words, formula, expected, remedy in checks
        ],
        row=row,
        header_height=18,
        filters=False,
    )
    flag_word(sheet, placed.cells("Result"), CHECK, styles.BAD)
    define(canvas, "InputFaults", 'SUMPRODUCT(--(tblChecks[Result]<>"ok"))')
    return placed.last_row + 1


def _value(content: Content) -> float | str:
    assert isinstance(content, (int, float, str))
    return content
