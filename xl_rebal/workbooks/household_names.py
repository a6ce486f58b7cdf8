"""How many rows the household template follows, and the formulas that look its inputs up.

No function is newer than Excel 2013; an account is compared by EXACT, for `*` and `?` in its number are no
wildcards there.
"""

from __future__ import annotations

from xl_rebal.workbooks.household_data import KINDS
from xl_rebal.workbooks.household_workings import Sources
from xl_rebal.workbooks.template_names import TARGET_ROW, inside

LINES, ORDERS, HELD_ROWS, NOTE_ROWS = 120, 60, 200, 40
TARGET_ROWS, ACCOUNT_ROWS = 10, 12
NO_TARGET, TWO_TARGETS = "NO TARGET", "TWO TARGETS"

_ACCOUNT_ROW = "(ROW(AccountName)-MIN(ROW(AccountName))+1)"
_SECURITY_ROW = "(ROW(SecuritySymbol)-MIN(ROW(SecuritySymbol))+1)"
_ACCOUNT = f"SUMPRODUCT(MAX(EXACT(TRIM(AccountName),[@Account])*{_ACCOUNT_ROW}))"
_SECURITY = f"SUMPRODUCT(MAX((TRIM(SecuritySymbol)=[@Symbol])*{_SECURITY_ROW}))"
_IS_CASH = 'LEFT([@Symbol]&"/",5)="Cash/"'


def _kind_of(type_: str) -> str:
    taxable, traditional, roth, other = KINDS
    return (
        f'IF(OR({type_}="",{type_}="taxable"),"{taxable}",IF({type_}="traditional","{traditional}",'
        f'IF({type_}="roth","{roth}","{other}")))'
    )


_TYPE = f'TRIM(INDEX(AccountType,{_ACCOUNT})&"")'
_KIND = f'IF([@Account]="","",IF({_ACCOUNT}=0,"",{_kind_of(_TYPE)}))'
_PATH = (
    f'IF([@Symbol]="","",IF({_IS_CASH},"Cash",IF({_SECURITY}=0,"",'
    f'TRIM(INDEX(SecurityClass,{_SECURITY})&""))))'
)
_COVERS = f'(TRIM(TargetClass)<>"")*{inside("[@Path]", "TRIM(TargetClass)")}'
_CLASS = (
    f'IF([@Path]="","",IF(SUMPRODUCT({_COVERS})=1,TRIM(T(INDEX(TargetClass,SUMPRODUCT({_COVERS}*'
    f'{TARGET_ROW})))),IF(SUMPRODUCT({_COVERS})>1,"{TWO_TARGETS}",'
    f'IF(LEFT([@Path]&"/",5)="Cash/","Cash","{NO_TARGET}"))))'
)


def _lot(name: str) -> str:
    return f'IF([@No]<=ROWS({name}),TRIM(INDEX({name},[@No])&""),"")'


_VALUE = (
    f'IF([@Symbol]="",0,IF({_IS_CASH},N(INDEX(LotQuantity,[@No])),IF({_SECURITY}=0,0,'
    f"N(INDEX(LotQuantity,[@No]))*N(INDEX(SecurityPrice,{_SECURITY})))))"
)
_GAP = (
    f'IF([@Kind]="{KINDS[0]}",IF({_IS_CASH},0,'
    "IF(AND(ISNUMBER(INDEX(LotAcquired,[@No])),ISNUMBER(INDEX(LotCost,[@No]))),0,1)),0)"
)
SOURCES = Sources(
    lines=LINES,
    orders=ORDERS,
    held_rows=HELD_ROWS,
    notes=NOTE_ROWS,
    classes=TARGET_ROWS + 1,
    accounts=ACCOUNT_ROWS,
    kind=_KIND,
    path=_PATH,
    covering=_CLASS,
    held=(
        ("Account", _lot("LotAccount")),
        ("Symbol", _lot("LotSymbol")),
        ("Kind", _KIND),
        ("Path", _PATH),
        ("Class", _CLASS),
        ("Value", _VALUE),
        ("Gap", _GAP),
    ),
)
_CLASS_ROW = "(ROW()-ROW(tblLocation[[#Headers],[Asset class]]))"
_LISTED = f"MIN(ROWS(TargetClass),{TARGET_ROWS})"
_CASH_TARGETED = 'SUMPRODUCT(--(LEFT(TRIM(TargetClass)&"/",5)="Cash/"))>0'
# The rows of tblTargets, then cash.
CLASS_FORMULA = (
    f'IF({_CLASS_ROW}<={_LISTED},TRIM(INDEX(TargetClass,{_CLASS_ROW})&""),'
    f'IF(AND({_CLASS_ROW}={_LISTED}+1,NOT({_CASH_TARGETED})),"Cash",""))'
)
_PLACE = "(ROW()-ROW(tblCash[[#Headers],[Account]]))"
ACCOUNT_FORMULAS = (
    f'IF({_PLACE}<=ROWS(AccountName),TRIM(INDEX(AccountName,{_PLACE})&""),"")',
    _KIND,
    f'IF([@Account]="","",N(INDEX(AccountReserve,{_PLACE})))',
)
