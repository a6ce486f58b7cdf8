"""Sheet Weights: every holding with its value, its weight and the target that it counts in."""

from __future__ import annotations

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, Content, Formula, set_widths
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, group_columns, write_table
from xl_rebal.workbooks.template_names import TARGET_ROW, inside
from xl_rebal.workbooks.template_pages import flag, flag_word, protect, quiet, underline_used

NAME = "Weights"
ROWS = 60  # one printed page
HEADER_ROW = 5

_COVERING = f'(TRIM(TargetClass)<>"")*{inside("[@[Asset class]]", "TRIM(TargetClass)")}'
_HELD = 'IF([@No]<=ROWS(HoldingSymbol),{},"")'


def _text(name: str) -> str:
    return _HELD.format(f'TRIM(INDEX({name},[@No])&"")')


def _one(name: str) -> str:
    cell = f"INDEX({name},[@No])"
    return f"IF(ISBLANK({cell}),1,{cell})"


_ACCOUNT_TOTAL = (
    "SUMPRODUCT(EXACT(TRIM(HoldingAccount),[@Account])"
    '*(HoldingKind<>"pending")*(1-HoldingExcluded)*HoldingValue)'
)
COLUMNS = (
    Column(header="Account", look=quiet(styles.BODY_TEXT), formula=_text("HoldingAccount")),
    Column(header="Symbol", look=quiet(styles.BODY_TEXT), formula=_text("HoldingSymbol")),
    Column(header="Description", look=quiet(styles.BODY_TEXT), formula=_text("HoldingDescription")),
    Column(
        header="Asset class",
        look=quiet(styles.BODY_TEXT),
        formula=_HELD.format(
            'IF(AND(TRIM(INDEX(HoldingClass,[@No])&"")="",INDEX(HoldingKind,[@No])&""="cash"),'
            '"Cash",TRIM(INDEX(HoldingClass,[@No])&""))'
        ),
    ),
    Column(
        header="Counts in",
        look=quiet(styles.BODY_TEXT),
        formula='IF([@Account]&[@Symbol]&[@[Asset class]]="","",'
        'IF(INDEX(HoldingKind,MIN([@No],ROWS(HoldingKind)))&""="pending","pending",'
        'IF([@[Asset class]]="","NO CLASS",IF(LEFT([@[Asset class]]&"/",9)="Excluded/","excluded",'
        f"IF(SUMPRODUCT({_COVERING})=1,TRIM(T(INDEX(TargetClass,SUMPRODUCT({_COVERING}*{TARGET_ROW})))),"
        f'IF(SUMPRODUCT({_COVERING})>1,"TWO TARGETS",IF(LEFT([@[Asset class]]&"/",5)="Cash/","Cash",'
        '"NO TARGET")))))))',
    ),
    Column(
        header="Value",
        look=quiet(number(styles.MONEY)),
        formula='IF([@[Counts in]]="","",IF(COUNT(INDEX(HoldingQuantity,[@No]),INDEX(HoldingPrice,[@No]),'
        f"{_one('HoldingMultiplier')},{_one('HoldingFX')})=4,INDEX(HoldingQuantity,[@No])"
        f'*INDEX(HoldingPrice,[@No])*{_one("HoldingMultiplier")}*{_one("HoldingFX")},"no number"))',
    ),
    Column(
        header="Weight",
        look=quiet(number(styles.PERCENT)),
        formula='IF(OR([@[Counts in]]="pending",[@[Counts in]]="excluded",1-ISNUMBER([@Value])),"",'
        f"IF({_ACCOUNT_TOTAL}>0.005,[@Value]/{_ACCOUNT_TOTAL},0))",
    ),
    Column(header="No", look=quiet(styles.BODY_PLANNED)),
)
MORE = (
    f"IF(ROWS(HoldingSymbol)>{ROWS},(ROWS(HoldingSymbol)-{ROWS})&"
    f'" more rows of sheet Holdings are not listed here; Drift counts all of them","")'
)


def write_weights(canvas: Canvas) -> None:
    """Write the sheet."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        NAME,
        f"The first {ROWS} rows of sheet Holdings; weights are shares of their account. Native formulas.",
    )
    canvas.put(sheet, 3, 1, Formula(MORE, ""), styles.NOTE)
    flag(sheet, "A3", '$A$3<>""', styles.WARN)
    rows = _rows()
    placed = write_table(
        canvas,
        sheet,
        name="tblWeights",
        columns=COLUMNS,
        rows=rows,
        row=HEADER_ROW,
        header_height=18,
        filters=False,
    )
    set_widths(sheet, [17, 11, 36, 24, 22, 17, 12, 6])
    group_columns(sheet, placed.last_column, placed.last_column)
    for word in ("NO CLASS", "NO TARGET", "TWO TARGETS"):
        flag_word(sheet, placed.cells("Counts in"), word, styles.BAD)
    flag_word(sheet, placed.cells("Value"), "no number", styles.BAD)
    used = f'$E{placed.first_row}<>""'
    for columns in ("A:D", "E:F", "G:G"):
        first, last = columns.split(":")
        underline_used(sheet, f"{first}{placed.first_row}:{last}{placed.last_row}", used)
    sheet.freeze_panes = f"C{placed.first_row}"
    set_up_print(sheet, last_column=7, last_row=placed.last_row, repeat=HEADER_ROW)
    sheet.page_setup.orientation = "portrait"
    sheet.page_setup.fitToHeight = 1
    protect(sheet)


def _rows() -> list[list[Content]]:
    holdings = template_example.HOLDINGS[1:]
    total = sum(template_example.value_of(row) for row in holdings)
    rows: list[list[Content]] = []
    for index, row in enumerate(holdings, start=1):
        value = template_example.value_of(row)
        target = next(
            t[0] for t in template_example.TARGETS[1:] if f"{row[4]}/".startswith(f"{t[0]}/")
        )
        rows.append([row[0], row[1], row[2], row[4], target, value, value / total, index])
    return rows + [[*[""] * 7, i] for i in range(len(rows) + 1, ROWS + 1)]
