"""Sheet Checks of the adviser's book: what is wrong with its tables, and whether its pages add up.

Native formulas, none newer than Excel 2013. What stops one client in a run, and what the run, is said in
docs/batch.md; here each kind of fault is counted.
"""

from __future__ import annotations

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.book_inputs import COLUMN_NAMES, SHEETS
from xl_rebal.workbooks.book_summary import MODELS, plain
from xl_rebal.workbooks.cells import Canvas, address, set_widths
from xl_rebal.workbooks.household_checks import Check, check_table
from xl_rebal.workbooks.input_sheets import HEADER_ROW
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.template_engine import SHEET_ROWS
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import protect

NAME = "Checks"
_MISSING = "&".join(
    f'IF(IFERROR(ROWS({name}),0)=0,"{table} {header}; ","")' for name, table, header in COLUMN_NAMES
)
# The first columns of the input sheets, from the first row to the sheet's end.
BELOW = {
    each.title: "Below" + each.title.replace(" ", "") for each in SHEETS if each.title != "Fund rules"
}  # fmt: skip
_FIRST_COLUMN = {
    "Accounts": "AccountName",
    "Holdings": "HoldingAccount",
    "Lots": "LotAccount",
    "Securities": "SecuritySymbol",
    "Models": "ModelName",
    "Restrictions": "RestrictionScope",
    "Flows": "FlowAccount",
    "History": "HistoryAccount",
    "Tax profiles": "ProfileName",
}
_OUTSIDE = "+".join(
    f"COUNTA({name})-COUNTA({_FIRST_COLUMN[title]})" for title, name in BELOW.items()
)
_USED = '(TRIM(AccountName)<>"")'
_HELD = '(TRIM(HoldingSymbol)<>"")*(HoldingKind<>"pending")'
_CASH = '((HoldingKind="cash")+(TRIM(HoldingSymbol)="CASH")>0)'
_POSITION = f"{_HELD}*(1-{_CASH})"
_TAXED = (
    '(COUNTIFS(AccountName,HoldingAccount,AccountType,"taxable")'
    '+COUNTIFS(AccountName,HoldingAccount,AccountType,"")>0)'
)
ARRAYS = {
    "HomeName": 'IF(TRIM(AccountHousehold)="",TRIM(AccountName),TRIM(AccountHousehold))',
    "HomeFirst": f"{_USED}*(IFERROR(MATCH({plain('HomeName')},HomeName,0),0)"
    "=ROW(AccountName)-MIN(ROW(AccountName))+1)",
    "AccountAgain": f"{_USED}*(IFERROR(MATCH({plain('AccountName')},TRIM(AccountName),0),0)"
    "<>ROW(AccountName)-MIN(ROW(AccountName))+1)",
    "HoldingKey": 'TRIM(HoldingAccount)&"|"&TRIM(HoldingSymbol)',
    "HoldingAgain": f"{_HELD}*(IFERROR(MATCH({plain('HoldingKey')},HoldingKey,0),0)"
    "<>ROW(HoldingAccount)-MIN(ROW(HoldingAccount))+1)",
    "ModelSum": 'SUMIFS(ModelTarget,ModelName,ModelName,ModelKind,"")'
    '+SUMIFS(ModelTarget,ModelName,ModelName,ModelKind,"model")',
    "LotGap": f"{_POSITION}*{_TAXED}*(COUNTIFS(LotAccount,HoldingAccount)>0)*(ABS("
    "SUMIFS(LotQuantity,LotAccount,HoldingAccount,LotSymbol,HoldingSymbol)"
    f"-SUMIFS(HoldingQuantity,HoldingAccount,HoldingAccount,HoldingSymbol,HoldingSymbol))>0.000001)",
}


def _unknown(column: str, known: str) -> str:
    """How many texts of a column are not in another."""
    return f'SUMPRODUCT((TRIM({column})<>"")*(1-ISNUMBER(MATCH({plain(column)},TRIM({known}),0))))'


# Check, formula, expected, what to do.
INPUT_CHECKS: tuple[Check, ...] = (
    (
        "Columns that are missing",
        f'IF(LEN({_MISSING})=0,"none",{_MISSING})',
        "none",
        "Undo the deletion; a column may be renamed or moved, not deleted.",
    ),
    (
        "Rows that stand below their table",
        _OUTSIDE,
        0,
        "Move them into the table: they are not read. LibreOffice: insert rows above its last row.",
    ),
    (
        "Accounts that stand twice",
        "SUMPRODUCT(AccountAgain)",
        0,
        "Sheet Accounts: keep one row.",
    ),
    (
        "Accounts without a model",
        f'SUMPRODUCT({_USED}*(TRIM(AccountModel)=""))',
        0,
        "Sheet Accounts: enter a model of sheet Models; without one the client is not planned.",
    ),
    (
        "Accounts whose model is not on sheet Models",
        _unknown("AccountModel", "ModelName"),
        0,
        "Correct the spelling, or add the model.",
    ),
    (
        "Accounts without a type",
        f'SUMPRODUCT({_USED}*(TRIM(AccountType)=""))',
        0,
        "Sheet Accounts: taxable, traditional, roth, hsa or exempt; without one the client is not planned.",
    ),
    (
        "Accounts whose tax profile is not on sheet Tax profiles",
        _unknown("AccountProfile", "ProfileName"),
        0,
        "Add its row, or correct the spelling.",
    ),
    (
        "Masked accounts",
        'SUMPRODUCT(--((LEN(AccountName)-LEN(SUBSTITUTE(AccountName,"..",""))>0)'
        '+(LEN(AccountName)-LEN(SUBSTITUTE(AccountName,"*",""))>0)'
        '+(LEN(AccountName)-LEN(SUBSTITUTE(UPPER(AccountName),"XX",""))>0)>0))',
        0,
        "Enter the whole account number: no order can name one that shows only its last characters.",
    ),
    (
        "Holdings of accounts that are not on sheet Accounts",
        _unknown("HoldingAccount", "AccountName"),
        0,
        "Add the account, or correct the spelling.",
    ),
    (
        "Positions that stand twice in an account",
        "SUMPRODUCT(HoldingAgain)",
        0,
        "Both count: delete one if the export was pasted twice.",
    ),
    (
        "Holdings whose quantity or price is not a number",
        f"SUMPRODUCT({_HELD}*(1-ISNUMBER(HoldingQuantity)*ISNUMBER(HoldingPrice)))",
        0,
        "Enter digits only; red cells on sheet Holdings. Cash has price 1.",
    ),
    (
        "Positions of symbols without a class on sheet Securities",
        f"SUMPRODUCT({_POSITION}*(COUNTIFS(SecuritySymbol,HoldingSymbol)"
        '-COUNTIFS(SecuritySymbol,HoldingSymbol,SecurityClass,"")<1))',
        0,
        "Add the symbol with its class. The add-in knows many funds by itself; a class here comes first.",
    ),
    (
        "Lots of accounts that are not on sheet Accounts",
        _unknown("LotAccount", "AccountName"),
        0,
        "Add the account, or correct the spelling.",
    ),
    (
        "Positions of taxable accounts that their lots do not add up to",
        "SUMPRODUCT(LotGap)",
        0,
        "Import lots and positions of the same day, or add the lot that is missing.",
    ),
    (
        "Lots without a day, a cost or a quantity",
        'SUMPRODUCT((TRIM(LotSymbol)<>"")'
        "*(1-ISNUMBER(LotAcquired)*ISNUMBER(LotCost)*ISNUMBER(LotQuantity)))",
        0,
        "Fill them in from the custodian's lot details; a gain is never guessed.",
    ),
    (
        "Lots acquired after the day of the book",
        "SUMPRODUCT(ISNUMBER(LotAcquired)*(LotAcquired>N(BookDay)))*(N(BookDay)>0)",
        0,
        "Check column As of on sheet Holdings and the days on sheet Lots.",
    ),
    (
        "Rows of models that do not sum to 100%",
        'SUMPRODUCT((TRIM(ModelName)<>"")*(ABS(ModelSum-1)>0.000001))',
        0,
        "Correct the weights of the model (fixed and tilt do not count). Stops the run.",
    ),
    (
        "Weights that are not a number",
        'SUMPRODUCT((TRIM(ModelClass)<>"")*(1-ISNUMBER(ModelTarget)))',
        0,
        "Sheet Models: enter a weight such as 60%.",
    ),
    (
        f"Models beyond the first {MODELS}",
        f"MAX(SUMPRODUCT(ModelFirst)-{MODELS},0)",
        0,
        "Sheet Summary shows so many; the run takes any number.",
    ),
    (
        "Restrictions by a tag that no security carries",
        'SUMPRODUCT((TRIM(RestrictionTag)<>"")*(COUNTIFS(SecurityTags,"*"&TRIM(RestrictionTag)&"*")=0))',
        0,
        "Correct it, or tag securities on sheet Securities: the rule would bind nothing.",
    ),
    (
        "Restrictions of nobody that is known",
        'SUMPRODUCT((TRIM(RestrictionScope)<>"")*(TRIM(RestrictionScope)<>"*")'
        f"*(1-ISNUMBER(MATCH({plain('RestrictionScope')},TRIM(AccountName),0)))"
        f"*(1-ISNUMBER(MATCH({plain('RestrictionScope')},HomeName,0)))"
        f"*(1-ISNUMBER(MATCH({plain('RestrictionScope')},TRIM(ModelName),0))))",
        0,
        "Scope is an account, a household, a model or *: the rule binds nothing.",
    ),
    (
        "Flows of accounts that are not on sheet Accounts",
        _unknown("FlowAccount", "AccountName"),
        0,
        "Correct the spelling.",
    ),
    (
        "The holdings say their day",
        'IF(N(BookDay)>0,"yes","no")',
        "yes",
        "Sheet Holdings: fill in As of; lots, known withdrawals and calendar rules need it.",
    ),
)  # fmt: skip
_AGAIN = "Recalculate (Ctrl+Alt+F9). LibreOffice: enter the formula again over more rows. Else report it."
PAGE_CHECKS: tuple[Check, ...] = (
    (
        "The add-in measured the book",
        'IF(BookHead&""="household","yes","no")',
        "yes",
        "Read the message on sheet Book: it says where, what, and the remedy.",
    ),
    (
        "Clients on sheet Book against sheet Accounts",
        'SUMPRODUCT(--(BookHousehold&""<>""))-SUMPRODUCT(HomeFirst)',
        0,
        "Holdings of unknown accounts are clients too. " + _AGAIN,
    ),
    (
        "Clients on sheet Summary against sheet Book",
        'SUM(tblByModel[Clients])-SUMPRODUCT(--(BookNeed&""<>""))',
        0,
        _AGAIN,
    ),
    (
        "Clients that could not be measured",
        'SUMPRODUCT(--(EXACT(BookNeed,"failed")))',
        0,
        "Sheet Book, column reason, says why; the run lists them as failed.",
    ),
    (
        "Trades that name no block",
        'SUMPRODUCT((TRIM(TradeSymbol)<>"")*(TRIM(TradeBlock)=""))',
        0,
        "Sheet Trades: take them out; the dashboard says why they must not be sent.",
    ),
    (
        "Sells on sheet Blocks against sheet Trades",
        'ROUND(SUMPRODUCT(--(EXACT(BlockAction,"SELL")),BlockQuantity)'
        '-SUMPRODUCT(--(TradeAction="SELL"),TradeQuantity),6)',
        0,
        _AGAIN,
    ),
    (
        "Buys on sheet Blocks against sheet Trades",
        'ROUND(SUMPRODUCT(--(EXACT(BlockAction,"BUY")),BlockQuantity)'
        '-SUMPRODUCT(--(TradeAction="BUY"),TradeQuantity),6)',
        0,
        _AGAIN,
    ),
    (
        "Value of the blocks against the trades",
        "ROUND(SUM(BlockValue)-SUM(TradeValue),2)",
        0,
        _AGAIN,
    ),
)


def write_book_checks(canvas: Canvas) -> None:
    """Write the sheet, and name what its formulas are made of."""
    for title, name in BELOW.items():
        top = address(HEADER_ROW + 1, 1, sheet=f"'{title}'" if " " in title else title)
        define(canvas, name, f"{top}:$A${SHEET_ROWS}")
    for name, formula in ARRAYS.items():
        define(canvas, name, formula)
    sheet = canvas.sheet(NAME, styles.GREY)
    write_title(
        canvas,
        sheet,
        NAME,
        "What the native formulas found in the tables, and the add-in's pages held against them. Nothing "
        "to edit here.",
    )
    set_widths(sheet, [60, 20, 16, 12, 84])
    row = check_table(canvas, sheet, (*INPUT_CHECKS, *PAGE_CHECKS), 4)
    sheet.freeze_panes = "A5"
    set_up_print(sheet, last_column=5, last_row=row - 1)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
