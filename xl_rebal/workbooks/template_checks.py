"""Sheet Checks: what the native sheets read from the inputs, class by class, and what is wrong there.

All formulas are native, none is newer than Excel 2013. A name may hold a formula over whole columns
(`HoldingValue`): Excel computes a name's formula as an array in every version.
"""

from __future__ import annotations

NAME = "Checks"
TARGET_ROWS = 20
ACCOUNT_ROWS = 30
ALL = "All accounts"
OK, CHECK = "ok", "CHECK"

_FALSE = "1=0"
_ROW_OF_TARGET = "ROW(TargetClass)-MIN(ROW(TargetClass))+1"
_ROW_OF_HOLDING = "ROW(HoldingAccount)-MIN(ROW(HoldingAccount))+1"
_TRIMMED = "TRIM(HoldingAccount)"
_ESCAPED = (
    f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({_TRIMMED},"~","~~"),"*","~*"),"?","~?")'  # no wildcards
)

# Formulas over whole columns, by name.
ARRAYS = {
    # A blank multiplier or rate is 1; what is no number counts nothing here and is named below.
    "HoldingValue": "IF(ISNUMBER(HoldingQuantity)*ISNUMBER(HoldingPrice)"
    "*(ISNUMBER(HoldingMultiplier)+ISBLANK(HoldingMultiplier))*(ISNUMBER(HoldingFX)+ISBLANK(HoldingFX)),"
    "HoldingQuantity*HoldingPrice*IF(ISBLANK(HoldingMultiplier),1,HoldingMultiplier)"
    "*IF(ISBLANK(HoldingFX),1,HoldingFX),0)",
    "HoldingPath": 'IF((TRIM(HoldingClass)="")*(HoldingKind="cash"),"Cash",TRIM(HoldingClass))',
    "HoldingExcluded": 'LEFT(HoldingPath&"/",9)="Excluded/"',
    "HoldingPicked": f'((PickedAccount="{ALL}")+EXACT({_TRIMMED},PickedAccount)>0)'
    '*(HoldingKind<>"pending")*(1-HoldingExcluded)*(HoldingSymbol&HoldingAccount<>"")',
    "HoldingFirst": f'({_TRIMMED}<>"")*ISNUMBER(MATCH({_ESCAPED},{_TRIMMED},0))'
    f"*(IFERROR(MATCH({_ESCAPED},{_TRIMMED},0),0)={_ROW_OF_HOLDING})",
}


def _slash_number(text: str) -> str:
    return f'_xlfn.NUMBERVALUE({text},".",",")'


_T = "TriggerText"
_BAND_ABS = (
    f'IFERROR(IF(ISNUMBER(FIND("/",{_T})),{_slash_number(f"LEFT({_T},FIND("/",{_T})-1)")}/100,'
    f'IF(RIGHT({_T},4)="%rel","",IF(AND(RIGHT({_T},2)="pp",LEN({_T})>2),'
    f"{_slash_number(f'LEFT({_T},LEN({_T})-2)')}/100,"
    f'IF(AND(RIGHT({_T},1)="%",LEN({_T})>1),{_slash_number(f"LEFT({_T},LEN({_T})-1)")}/100,'
    f'IF(LEN({_T})=0,"",{_slash_number(_T)}))))),"")'
) if False else ""
