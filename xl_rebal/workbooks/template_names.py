"""The defined names that the template's native formulas are made of.

A name may hold a formula over whole columns (`HoldingValue`): Excel computes a name's formula as an
array in every version. No function is newer than Excel 2013.
"""

from __future__ import annotations

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.template_policy import POLICY_CELLS

TARGET_ROWS = 20
ACCOUNT_ROWS = 30
ALL = "All accounts"
TRIMMED_ACCOUNT = "TRIM(HoldingAccount)"
_PLAIN = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({TRIMMED_ACCOUNT},"~","~~"),"*","~*"),"?","~?")'
HOLDING_ROW = "(ROW(HoldingAccount)-MIN(ROW(HoldingAccount))+1)"
TARGET_ROW = "(ROW(TargetClass)-MIN(ROW(TargetClass))+1)"
COUNTS = '(HoldingKind<>"pending")*(1-HoldingExcluded)'
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
    "HoldingPicked": f'((PickedAccount="{ALL}")+EXACT({TRIMMED_ACCOUNT},PickedAccount)>0)*{COUNTS}*{_USED}',
    # 1 where an account stands for the first time; ~ * ? are not wildcards here.
    "HoldingFirst": f'({TRIMMED_ACCOUNT}<>"")*(IFERROR(MATCH({_PLAIN},{TRIMMED_ACCOUNT},0),0)={HOLDING_ROW})',
}
CASH_ROWS = 'HoldingPicked*(LEFT(HoldingPath&"/",5)="Cash/")'


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
        f"IF(CashTargets>0,0,SUMPRODUCT({CASH_ROWS}*HoldingValue))",
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
