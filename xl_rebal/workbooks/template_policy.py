"""The policy as native formulas read it: `5pp`, `20%rel`, `5/25`, `own bands` and `never`.

Anything else (calendars, combinations) needs the engine; the native sheets then say so.
"""

from __future__ import annotations

from xl_rebal.workbooks import styles


def _number(text: str) -> str:
    # Excel 2013: a point is a decimal point in every country.
    return f'_xlfn.NUMBERVALUE({text},".",",")'


def _typed(name: str) -> str:
    """A value of tblPolicy as it was typed."""
    return f'INDEX(PolicyValue,MATCH("{name}",PolicySetting,0))'


def _setting(name: str) -> str:
    """A value of tblPolicy in lower case without blanks; empty when the setting is missing.

    A number (0.05) is read with a decimal point whatever the country writes.
    """
    value = _typed(name)
    return (
        f'IFERROR(IF(ISNUMBER({value}),SUBSTITUTE({value}&"",",","."),'
        f'LOWER(SUBSTITUTE({value}&""," ",""))),"")'
    )


_SLASH = 'FIND("/",TriggerText)'
_BEFORE_SLASH = _number(f"LEFT(TriggerText,{_SLASH}-1)")
_AFTER_SLASH = _number(f"MID(TriggerText,{_SLASH}+1,20)")
_BUT_1, _BUT_2, _BUT_4 = (_number(f"LEFT(TriggerText,LEN(TriggerText)-{n})") for n in (1, 2, 4))

BAND_ABS = (
    f'IFERROR(IF(ISNUMBER({_SLASH}),{_BEFORE_SLASH}/100,IF(RIGHT(TriggerText,4)="%rel","",'
    f'IF(AND(RIGHT(TriggerText,2)="pp",LEN(TriggerText)>2),{_BUT_2}/100,'
    f'IF(AND(RIGHT(TriggerText,1)="%",LEN(TriggerText)>1),{_BUT_1}/100,'
    f'IF(LEN(TriggerText)=0,"",{_number("TriggerText")}))))),"")'
)
BAND_REL = (
    f"IFERROR(IF(ISNUMBER({_SLASH}),{_AFTER_SLASH}/100,"
    f'IF(AND(RIGHT(TriggerText,4)="%rel",LEN(TriggerText)>4),{_BUT_4}/100,"")),"")'
)
# A number from 1 on has no unit; a comma is no decimal point: `0,05` reads as 5.
NO_UNIT = (
    f'IF(IFERROR({_number("TriggerText")}>=1,FALSE),"no unit",'
    'IF(AND(PolicyMode="band",ISNUMBER(FIND(",",TriggerText))),"comma",'
    'IF(LEN(TriggerText)=0,"blank","ok")))'
)
_BOTH = f"IF(ISNUMBER({_SLASH}),2,1)"
MODE = (
    'IF(TriggerText="never","never",IF(TriggerText="ownbands","own",'
    f"IF(AND(COUNT(PolicyBandAbs,PolicyBandRel)={_BOTH},"
    "SUM(PolicyBandAbs,PolicyBandRel)>0,MAX(PolicyBandAbs,PolicyBandRel)<1,"
    'MIN(PolicyBandAbs,PolicyBandRel)>0),"band","other")))'
)
# Name, words, formula, format.
POLICY_CELLS = (
    ("TriggerText", "Trigger, as read", _setting("trigger"), styles.GENERAL),
    (
        "TriggerTyped",
        "Trigger, as typed",
        f'IFERROR(TRIM({_typed("trigger")}&""),"")',
        styles.GENERAL,
    ),
    ("PolicyBandAbs", "Band in points of weight", BAND_ABS, styles.PERCENT),
    ("PolicyBandRel", "Band as a share of the target", BAND_REL, styles.PERCENT),
    ("PolicyMode", "Kind of policy", MODE, styles.GENERAL),
    (
        "BeyondOnly",
        "Outside only beyond the edge (1 yes, 0 no)",
        f'IF({_setting("edge")}="beyond",1,0)',
        styles.COUNT,
    ),
)
