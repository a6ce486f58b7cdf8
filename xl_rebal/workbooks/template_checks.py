"""Sheet Checks: what the native sheets read from the inputs, class by class, and what is wrong there.

All formulas are native, none is newer than Excel 2013. A name may hold a formula over whole columns
(`HoldingValue`): Excel computes a name's formula as an array in every version.
"""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_inputs import COLUMN_NAMES, define
from xl_rebal.workbooks.template_pages import flag_word, protect, quiet, underline_used
from xl_rebal.workbooks.template_policy import POLICY_CELLS

NAME = "Checks"
TARGET_ROWS = 20
ACCOUNT_ROWS = 30
ALL = "All accounts"
OK, CHECK = "ok", "CHECK"

_TRIMMED = "TRIM(HoldingAccount)"
_PLAIN = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({_TRIMMED},"~","~~"),"*","~*"),"?","~?")'
_HOLDING_ROW = "(ROW(HoldingAccount)-MIN(ROW(HoldingAccount))+1)"
_TARGET_ROW = "(ROW(TargetClass)-MIN(ROW(TargetClass))+1)"
_COUNTS = '(HoldingKind<>"pending")*(1-HoldingExcluded)'
_USED = '(HoldingSymbol&HoldingAccount&HoldingClass<>"")'

# Formulas over whole columns, by name.
ARRAYS = {
    # A blank multiplier or rate is 1; what is no number counts nothing here and is flagged below.
    "HoldingValue": "IF(ISNUMBER(HoldingQuantity)*ISNUMBER(HoldingPrice)"
    "*(ISNUMBER(HoldingMultiplier)+ISBLANK(HoldingMultiplier))*(ISNUMBER(HoldingFX)+ISBLANK(HoldingFX)),"
    "HoldingQuantity*HoldingPrice*IF(ISBLANK(HoldingMultiplier),1,HoldingMultiplier)"
    "*IF(ISBLANK(HoldingFX),1,HoldingFX),0)",
    "HoldingPath": 'IF((TRIM(HoldingClass)="")*(HoldingKind="cash"),"Cash",TRIM(HoldingClass))',
    "HoldingExcluded": '--(LEFT(HoldingPath&"/",9)="Excluded/")',
    "HoldingPicked": f'((PickedAccount="{ALL}")+EXACT({_TRIMMED},PickedAccount)>0)*{_COUNTS}*{_USED}',
    # 1 where an account stands for the first time; ~ * ? are not wildcards here.
    "HoldingFirst": f'({_TRIMMED}<>"")*(IFERROR(MATCH({_PLAIN},{_TRIMMED},0),0)={_HOLDING_ROW})',
}
_CASH_ROWS = 'HoldingPicked*(LEFT(HoldingPath&"/",5)="Cash/")'


def inside(path: str, target: str) -> str:
    """True where a class path is a target's own or lies below it (texts compare without case)."""
    return f'(LEFT({path}&"/",LEN({target})+1)={target}&"/")'


# Single cells: name, words, formula, format.
BASIS = (
    *POLICY_CELLS,
    ("TargetCount", "Target classes", 'SUMPRODUCT(--(TRIM(TargetClass)<>""))', styles.COUNT),
    (
        "CashTargets",
        "Targets that are cash",
        'SUMPRODUCT(--(LEFT(TRIM(TargetClass)&"/",5)="Cash/"))',
        styles.COUNT,
    ),
    (
        "AccountCount",
        "Accounts",
        f"MIN(SUMPRODUCT(HoldingFirst),{ACCOUNT_ROWS})",
        styles.COUNT,
    ),
    (
        "Base",
        "Weight base of what is shown: positions + cash, less excluded",
        "SUMPRODUCT(HoldingPicked*HoldingValue)",
        styles.MONEY,
    ),
    (
        "LooseCash",
        "Cash without a target",
        f"IF(CashTargets>0,0,SUMPRODUCT({_CASH_ROWS}*HoldingValue))",
        styles.MONEY,
    ),
    (
        "Uncovered",
        "Value that no target covers",
        "Base-SUM(tblCounted[Value])-LooseCash",
        styles.MONEY,
    ),
    ("HasCash", "Drift has a row for cash", "IF(ABS(LooseCash)>0.005,1,0)", styles.COUNT),
    ("HasUncovered", "Drift has a row for the rest", "IF(ABS(Uncovered)>0.005,1,0)", styles.COUNT),
    ("InputFaults", "Checks that fail", 'SUMPRODUCT(--(tblChecks[Result]<>"ok"))', styles.COUNT),
)

_COVERING = f'(TRIM(TargetClass)<>"")*{inside("[@[Asset class]]", "TRIM(TargetClass)")}'
_MINE = f"HoldingPicked*{inside('HoldingPath', '[@[Asset class]]')}"
_COUNT, _MONEY = quiet(number(styles.COUNT)), quiet(number(styles.MONEY))
_WORDS = quiet(styles.BODY_TEXT)
COUNTED_COLUMNS = (
    Column(header="No", look=_COUNT),
    Column(
        header="Row",
        look=_COUNT,
        formula="IF([@No]<=TargetCount,"
        f'SUMPRODUCT(SMALL({_TARGET_ROW}+1000000*(TRIM(TargetClass)=""),[@No])),0)',
    ),
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
    Column(
        header="Targets", look=_COUNT, formula=f'IF([@Row]=0,"",SUMPRODUCT({_COVERING}))'
    ),
)
ACCOUNT_COLUMNS = (
    Column(header="No", look=_COUNT),
    Column(
        header="Account",
        look=_WORDS,
        formula=f'IF([@No]=0,"{ALL}",IF([@No]<=AccountCount,TRIM(INDEX(HoldingAccount,'
        f'SUMPRODUCT(SMALL({_HOLDING_ROW}+1000000*(1-HoldingFirst),[@No])))),""))',
    ),
    Column(
        header="Value",
        look=_MONEY,
        formula='IF([@Account]="","",SUMPRODUCT((([@No]=0)+EXACT('
        f"{_TRIMMED},[@Account])>0)*{_COUNTS}*HoldingValue))",
    ),
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
        "Holdings that no target covers",
        "SUMPRODUCT(HoldingPicked)-SUM(tblCounted[Holdings])"
        f"-IF(CashTargets>0,0,SUMPRODUCT({_CASH_ROWS}))",
        0,
        "Give the class a target (0% sells it), or correct its spelling.",
    ),
    (
        "The account shown on Drift exists",
        f'IF(OR(PickedAccount="{ALL}",SUMPRODUCT(--EXACT({_TRIMMED},PickedAccount))>0),"yes","no")',
        "yes",
        "Choose an account from the list on sheet Drift.",
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
_BASIS_VALUES = {
    "TriggerText": "5pp",
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
    set_widths(sheet, [46, 24, 26, 16, 60, 12])
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
    row = _basis(canvas, sheet, checks.last_row + 2)
    row = _block(canvas, sheet, row + 1, "Value by target class", "tblCounted", COUNTED_COLUMNS,
                 _counted_rows()).last_row + 2  # fmt: skip
    last = _block(
        canvas, sheet, row, "Accounts", "tblAccounts", ACCOUNT_COLUMNS, _account_rows()
    ).last_row
    define(
        canvas,
        "AccountChoices",
        "INDEX(tblAccounts[Account],1):INDEX(tblAccounts[Account],AccountCount+1)",
    )
    sheet.freeze_panes = "A4"
    set_up_print(sheet, last_column=6, last_row=last)
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
        canvas.put(sheet, row, 3, name, styles.NOTE)
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
) -> Placed:
    canvas.put(sheet, row, 1, heading, styles.HEADING)
    placed = write_table(
        canvas, sheet, name=name, columns=columns, rows=rows, row=row + 1, filters=False,
        header_height=18,
    )  # fmt: skip
    last = "F" if placed.last_column == 6 else "C"
    key = "C" if name == "tblCounted" else "B"
    underline_used(
        sheet,
        f"A{placed.first_row}:{last}{placed.last_row}",
        f'${key}{placed.first_row}<>""',
    )
    return placed


def _counted_rows() -> list[list[Content]]:
    found: list[list[Content]] = []
    holdings = template_example.HOLDINGS[1:]
    for index, row in enumerate(template_example.drift_rows(), start=1):
        inside_ = [h for h in holdings if f"{h[4]}/".startswith(f"{row['asset_class']}/")]
        found.append([index, index, row["asset_class"], row["value"], len(inside_), 1])
    for index in range(len(found) + 1, TARGET_ROWS + 1):
        found.append([index, 0, "", "", "", ""])
    return found


def _account_rows() -> list[list[Content]]:
    total = sum(template_example.value_of(row) for row in template_example.HOLDINGS[1:])
    found: list[list[Content]] = [[0, ALL, total], [1, template_example.ACCOUNT, total]]
    return found + [[index, "", ""] for index in range(2, ACCOUNT_ROWS + 1)]
