"""Sheet Checks: what the native sheets read from the inputs, class by class, and what is wrong there.

All formulas are native, none is newer than Excel 2013; see template_names.py for their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_inputs import COLUMN_NAMES, define
from xl_rebal.workbooks.template_names import (
    ACCOUNT_ROWS,
    ALL,
    ARRAYS,
    BASIS,
    CASH_ROWS,
    COUNTS,
    HOLDING_ROW,
    TARGET_ROW,
    TARGET_ROWS,
    TRIMMED_ACCOUNT,
    inside,
)
from xl_rebal.workbooks.template_pages import flag_word, protect, quiet, underline_used
from xl_rebal.workbooks.template_policy import NO_UNIT

NAME = "Checks"
OK, CHECK = "ok", "CHECK"

_COVERING = f'(TRIM(TargetClass)<>"")*{inside("[@[Asset class]]", "TRIM(TargetClass)")}'
_MINE = f"HoldingPicked*{inside('HoldingPath', '[@[Asset class]]')}"
_COUNT, _MONEY = quiet(number(styles.COUNT)), quiet(number(styles.MONEY))
_WORDS = quiet(styles.BODY_TEXT)
_LEFT = replace(styles.BODY_PLANNED, line="", align="left", indent=1)
COUNTED_COLUMNS = (
    Column(
        header="Asset class",
        look=_WORDS,
        formula='IF([@Row]=0,"",TRIM(T(INDEX(TargetClass,[@Row]))))',
    ),
    Column(
        header="Value",
        look=_MONEY,
        formula=f'IF([@Row]=0,"",SUMPRODUCT({_MINE}*HoldingValue))',
    ),
    Column(header="Holdings", look=_COUNT, formula=f'IF([@Row]=0,"",SUMPRODUCT({_MINE}))'),
    Column(header="Targets", look=_COUNT, formula=f'IF([@Row]=0,"",SUMPRODUCT({_COVERING}))'),
    Column(header="No", look=_LEFT),
    Column(
        header="Row",
        look=_LEFT,
        formula="IF([@No]<=TargetCount,"
        f'SUMPRODUCT(SMALL({TARGET_ROW}+1000000*(TRIM(TargetClass)=""),[@No])),0)',
    ),
)
ACCOUNT_COLUMNS = (
    Column(
        header="Account",
        look=_WORDS,
        formula=f'IF([@No]=0,"{ALL}",IF([@No]<=AccountCount,TRIM(INDEX(HoldingAccount,'
        f'SUMPRODUCT(SMALL({HOLDING_ROW}+1000000*(1-HoldingFirst),[@No])))),""))',
    ),
    Column(
        header="Value",
        look=_MONEY,
        formula='IF([@Account]="","",SUMPRODUCT((([@No]=0)+EXACT('
        f"{TRIMMED_ACCOUNT},[@Account])>0)*{COUNTS}*HoldingValue))",
    ),
    Column(header="No", look=_LEFT),
)
CHECK_COLUMNS = (
    Column(header="Check", look=styles.BODY_TEXT),
    Column(header="Found", look=number(styles.GENERAL)),
    Column(header="Expected", look=number(styles.GENERAL)),
    Column(
        header="Result",
        look=styles.BODY_STATUS,
        formula=f'IF(ISERROR([@Found]),"{CHECK}",IF([@Found]=[@Expected],"{OK}","{CHECK}"))',
    ),
    Column(header="What to do", look=styles.BODY_WRAP),
)
_MISSING = "&".join(
    f'IF(IFERROR(ROWS({name}),0)=0,"{table} {header}; ","")' for name, table, header in COLUMN_NAMES
)
_POSITION = '(HoldingSymbol<>"")*(HoldingKind<>"pending")'
# Check, formula, expected, what to do.
CHECKS: tuple[tuple[str, str, Content, str], ...] = (
    (
        "Columns that are missing",
        f'IF(LEN({_MISSING})=0,"none",{_MISSING})',
        "none",
        "Undo the deletion; a column may be renamed or moved, not deleted.",
    ),
    (
        "Targets sum to, in %",
        "ROUND(100*SUM(TargetWeight),6)",
        100,
        "Correct the weights on sheet Targets.",
    ),
    (
        "Targets that are not a number",
        'SUMPRODUCT((TRIM(TargetClass)<>"")*(1-ISNUMBER(TargetWeight)))',
        0,
        "Enter a weight such as 60%.",
    ),
    (
        "Bands that are not a number from 0% to 99%",
        "SUMPRODUCT(1-ISBLANK(TargetBandAbs)-ISNUMBER(TargetBandAbs))"
        "+SUMPRODUCT(1-ISBLANK(TargetBandRel)-ISNUMBER(TargetBandRel))"
        "+SUMPRODUCT(ISNUMBER(TargetBandAbs)*((TargetBandAbs<0)+(TargetBandAbs>=1)))"
        "+SUMPRODUCT(ISNUMBER(TargetBandRel)*((TargetBandRel<0)+(TargetBandRel>=1)))",
        0,
        "Enter a band such as 5%, or leave it blank.",
    ),
    (
        "Targets that another target covers",
        "SUMPRODUCT(ISNUMBER(tblCounted[Targets])*(tblCounted[Targets]>1))",
        0,
        "Keep Stocks, or Stocks/US and Stocks/International; not both.",
    ),
    (
        f"Targets beyond the first {TARGET_ROWS}",
        f"MAX(TargetCount-{TARGET_ROWS},0)",
        0,
        "The sheets REBAL drift and REBAL trades take any number.",
    ),
    (
        "Symbols below the end of the table of holdings",
        "COUNTA(HoldingSheetSymbol)-COUNTA(HoldingSymbol)",
        0,
        "Move them into the table; LibreOffice: insert rows above its last row.",
    ),
    (
        "Holdings whose quantity or price is not a number",
        f"SUMPRODUCT({_POSITION}*(1-ISNUMBER(HoldingQuantity)*ISNUMBER(HoldingPrice)))",
        0,
        "Enter digits only; red cells on sheet Holdings. Cash has price 1.",
    ),
    (
        "Multipliers or rates that are not a number",
        "SUMPRODUCT(1-ISBLANK(HoldingMultiplier)-ISNUMBER(HoldingMultiplier))"
        "+SUMPRODUCT(1-ISBLANK(HoldingFX)-ISNUMBER(HoldingFX))",
        0,
        "Enter a number, or leave the cell blank.",
    ),
    (
        "Multipliers or rates of zero or less",
        "SUMPRODUCT(ISNUMBER(HoldingMultiplier)*(HoldingMultiplier<=0))"
        "+SUMPRODUCT(ISNUMBER(HoldingFX)*(HoldingFX<=0))",
        0,
        "Sheet Holdings: enter a number above zero, or leave the cell blank (1).",
    ),
    (
        "Prices below zero",
        'SUMPRODUCT(ISNUMBER(HoldingPrice)*(HoldingPrice<0)*(HoldingKind<>"pending"))',
        0,
        "Sheet Holdings: a short position has a negative quantity, not price.",
    ),
    (
        "Accounts whose total is negative, or nothing to weigh",
        "SUMPRODUCT(ISNUMBER(tblAccounts[Value])*(tblAccounts[Value]<-0.005))+(Base<=0.005)",
        0,
        "Correct quantities and prices of that account on sheet Holdings.",
    ),
    (
        "Kinds that are not position, cash or pending",
        'SUMPRODUCT((TRIM(HoldingKind)<>"")*(HoldingKind<>"position")*(HoldingKind<>"cash")'
        '*(HoldingKind<>"pending"))',
        0,
        "Choose from the list; blank means position.",
    ),
    (
        "Holdings without an asset class",
        f'SUMPRODUCT({_POSITION}*(HoldingPath=""))',
        0,
        "Fill in the class; sheet REBAL classes knows many funds.",
    ),
    (
        "Holdings that no target covers (account shown)",
        "SUMPRODUCT(HoldingPicked)-SUM(tblCounted[Holdings])"
        f"-IF(CashTargets>0,0,SUMPRODUCT({CASH_ROWS}))",
        0,
        "Give the class a target (0% sells it), or correct its spelling.",
    ),
    (
        "The account shown on Drift exists",
        f'IF(OR(PickedAccount="{ALL}",SUMPRODUCT(--EXACT({TRIMMED_ACCOUNT},PickedAccount))>0),"yes","no")',
        "yes",
        "Choose an account from the list on sheet Drift.",
    ),
    (
        "The policy's trigger has a unit",
        NO_UNIT,
        "ok",
        "Sheet Targets: write 5pp, 20%rel, 5/25 or 0.05, with a decimal point.",
    ),
    (
        "Classes without a band under the policy 'own bands'",
        'IF(PolicyMode="own",SUMPRODUCT((TRIM(TargetClass)<>"")*ISBLANK(TargetBandAbs)'
        '*ISBLANK(TargetBandRel)*(LEFT(TRIM(TargetClass)&"/",5)<>"Cash/")),0)',
        0,
        "Fill in a band for each class.",
    ),
)
# What the cells of BASIS come to with the example.
_BASIS_VALUES: dict[str, float | str] = {
    "TriggerText": "5pp",
    "TriggerTyped": "5pp",
    "PolicyBandAbs": 0.05,
    "PolicyBandRel": "",
    "PolicyMode": "band",
    "TargetCount": len(template_example.TARGETS) - 1,
    "AccountCount": 1,
    "Base": sum(template_example.value_of(row) for row in template_example.HOLDINGS[1:]),
}


def write_checks(canvas: Canvas) -> None:
    """Write the sheet and the names of its cells."""
    sheet = canvas.sheet(NAME, styles.GREY)
    write_title(
        canvas,
        sheet,
        NAME,
        "What the sheets Drift and Weights found in the inputs. While a check fails, Drift gives no "
        "verdict. Nothing to edit here.",
    )
    set_widths(sheet, [50, 20, 20, 12, 62, 8])
    for name, formula in ARRAYS.items():
        define(canvas, name, formula)
    checks = write_table(
        canvas,
        sheet,
        name="tblChecks",
        columns=CHECK_COLUMNS,
        rows=[
            [words, Formula(formula, _value(expected)), expected, OK, remedy]
            for words, formula, expected, remedy in CHECKS
        ],
        row=4,
        header_height=18,
        filters=False,
    )
    flag_word(sheet, checks.cells("Result"), CHECK, styles.BAD)
    basis_end = _basis(canvas, sheet, checks.last_row + 2)
    for heading, name, columns, rows in (
        ("Value by target class", "tblCounted", COUNTED_COLUMNS, _counted_rows()),
        ("Accounts", "tblAccounts", ACCOUNT_COLUMNS, _account_rows()),
    ):
        _block(canvas, sheet, sheet.max_row + 2, heading, name, columns, rows)
    define(
        canvas,
        "AccountChoices",
        "INDEX(tblAccounts[Account],1):INDEX(tblAccounts[Account],AccountCount+1)",
    )
    sheet.freeze_panes = "A4"
    set_up_print(
        sheet, last_column=5, last_row=basis_end - 1
    )  # the blocks below only feed formulas
    protect(sheet)


def _value(content: Content) -> float | str:
    assert isinstance(content, (int, float, str))
    return content


def _basis(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 1, "What the formulas use", styles.HEADING)
    for name, words, formula, format_ in BASIS:
        row += 1
        value = _BASIS_VALUES.get(name, 0)
        canvas.put(sheet, row, 1, words, styles.BODY_TEXT)
        canvas.put(sheet, row, 2, Formula(formula, value), number(format_))
        canvas.put(sheet, row, 3, name, replace(styles.NOTE, align="left", indent=1))
        define(canvas, name, address(row, 2, sheet=NAME))
    return row + 1


def _block(
    canvas: Canvas,
    sheet: Worksheet,
    row: int,
    heading: str,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Content]],
) -> None:
    canvas.put(sheet, row, 1, heading, styles.HEADING)
    placed = write_table(
        canvas,
        sheet,
        name=name,
        columns=columns,
        rows=rows,
        row=row + 1,
        filters=False,
        header_height=18,
    )
    last = address(placed.last_row, placed.last_column).replace("$", "")
    underline_used(sheet, f"A{placed.first_row}:{last}", f'$A{placed.first_row}<>""')


def _counted_rows() -> list[list[Content]]:
    found: list[list[Content]] = []
    holdings = template_example.HOLDINGS[1:]
    for index, row in enumerate(template_example.drift_rows(), start=1):
        inside_ = [h for h in holdings if f"{h[4]}/".startswith(f"{row['asset_class']}/")]
        found.append([row["asset_class"], row["value"], len(inside_), 1, index, index])
    for index in range(len(found) + 1, TARGET_ROWS + 1):
        found.append(["", "", "", "", index, 0])
    return found


def _account_rows() -> list[list[Content]]:
    total = sum(template_example.value_of(row) for row in template_example.HOLDINGS[1:])
    found: list[list[Content]] = [[ALL, total, 0], [template_example.ACCOUNT, total, 1]]
    return found + [["", "", index] for index in range(2, ACCOUNT_ROWS + 1)]
