"""Sheet Drift: weights, drifts, bands and status in native formulas, and two charts on them."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, group_columns, write_table
from xl_rebal.workbooks.template_inputs import Choice, define, offer
from xl_rebal.workbooks.template_names import ALL, TARGET_ROWS
from xl_rebal.workbooks.template_pages import (
    flag,
    flag_word,
    protect,
    quiet,
    underline_used,
    unlock,
)

NAME = "Drift"
ROWS = TARGET_ROWS + 2  # a row for cash and one for what no target covers
CHART_SLOTS = 8
CHART_TOP, CHART_ROWS = 8, 15
TABLE_ROW = CHART_TOP + CHART_ROWS + 2
TOLERANCE = "0.000000001"
UNCOVERED = "No class or target"
CHECK_INPUTS, SEE_ENGINE = "check inputs", "see REBAL drift"

_TARGETS = f"MIN(TargetCount,{TARGET_ROWS})"
_OWN_ABS = "INDEX(TargetBandAbs,INDEX(tblCounted[Row],[@No]))"
_OWN_REL = "INDEX(TargetBandRel,INDEX(tblCounted[Row],[@No]))"


def _narrower(absolute: str, relative: str) -> str:
    return (
        f"MIN(IF(ISNUMBER({absolute}),N({absolute}),9),"
        f"IF(ISNUMBER({relative}),N({relative})*[@Target],9))"
    )


_BAND = (
    'IF([@Line]<>"target","",IF(OR(LEFT([@[Asset class]]&"/",5)="Cash/",PolicyMode="never",'
    'PolicyMode="other"),"",'
    f"IF(ISNUMBER({_OWN_ABS})+ISNUMBER({_OWN_REL})>0,{_narrower(_OWN_ABS, _OWN_REL)},"
    f'IF(PolicyMode="band",{_narrower("PolicyBandAbs", "PolicyBandRel")},""))))'
)
_REACHED = (
    f"IF(BeyondOnly=1,ABS([@Drift])>N([@Band])+{TOLERANCE},ABS([@Drift])>=N([@Band])-{TOLERANCE})"
)
_STATUS = (
    f'IF([@Line]="","",IF([@Line]="uncovered","not covered",IF(InputFaults>0,"{CHECK_INPUTS}",'
    f'IF(PolicyMode="other","{SEE_ENGINE}",IF(ISNUMBER([@Band]),'
    f"IF(AND(ABS([@Drift])>{TOLERANCE},{_REACHED}),"
    'IF([@Drift]>0,"above","below"),"within"),"within")))))'
)


def _line(target: str, cash: str, uncovered: str) -> str:
    return f'IF([@Line]="","",IF([@Line]="target",{target},IF([@Line]="cash",{cash},{uncovered})))'


_PERCENT, _DRIFT = quiet(number(styles.PERCENT)), quiet(number(styles.DRIFT))
COLUMNS = (
    Column(
        header="Asset class",
        look=quiet(styles.BODY_TEXT),
        formula=_line("T(INDEX(tblCounted[Asset class],[@No]))", '"Cash"', f'"{UNCOVERED}"'),
    ),
    Column(
        header="Value",
        look=quiet(number(styles.MONEY)),
        formula=_line("N(INDEX(tblCounted[Value],[@No]))", "LooseCash", "Uncovered"),
    ),
    Column(
        header="Weight",
        look=_PERCENT,
        formula='IF([@Line]="","",IF(Base>0.005,[@Value]/Base,0))',
    ),
    Column(
        header="Target",
        look=_PERCENT,
        formula=_line("N(INDEX(TargetWeight,INDEX(tblCounted[Row],[@No])))", "0", "0"),
    ),
    Column(
        header="Drift",
        look=_DRIFT,
        formula='IF([@Line]="","",IF(Base>0.005,[@Weight]-[@Target],0))',
    ),
    Column(
        header="Relative drift",
        look=_DRIFT,
        formula='IF(N([@Target])>0,[@Drift]/[@Target],"")',
    ),
    Column(
        header="Lower",
        look=_PERCENT,
        formula='IF(ISNUMBER([@Band]),MAX([@Target]-[@Band],0),"")',
    ),
    Column(
        header="Upper",
        look=_PERCENT,
        formula='IF(ISNUMBER([@Band]),MIN([@Target]+[@Band],1),"")',
    ),
    Column(header="Status", look=quiet(styles.BODY_STATUS), formula=_STATUS),
    Column(header="Band", look=_PERCENT, formula=_BAND),
    Column(
        header="Line",
        look=quiet(styles.BODY_PLANNED),
        formula=f'IF([@No]<={_TARGETS},"target",IF(AND(HasCash=1,[@No]={_TARGETS}+1),"cash",'
        f'IF(AND(HasUncovered=1,[@No]={_TARGETS}+HasCash+1),"uncovered","")))',
    ),
    Column(header="No", look=quiet(styles.BODY_PLANNED)),
)
AS_ONE = ", all accounts weighed as one: choose an account on sheet Drift"
_OUTSIDE = 'SUMPRODUCT((tblDrift[Status]="above")+(tblDrift[Status]="below"))'
_BANDED = "COUNT(tblDrift[Band])"
STATUS = (
    'IF(InputFaults>0,"Check the inputs: "&InputFaults&IF(InputFaults=1," check fails"," checks fail")'
    '&" on sheet Checks",IF(PolicyMode="other","The trigger "&TriggerTyped'
    '&" needs the add-in: see sheet REBAL drift",'
    f'IF({_BANDED}=0,"The policy has no bands",IF({_OUTSIDE}=0,"Every class is within its band",'
    f'{_OUTSIDE}&" of "&{_BANDED}&" classes outside "&IF({_OUTSIDE}=1,"its band","their bands"))'
    f'&IF(AND(AccountCount>1,PickedAccount="{ALL}"),"{AS_ONE}",""))))'
)


def write_drift(canvas: Canvas) -> Worksheet:
    """Write the sheet."""
    rows = _rows()
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        NAME,
        "Drift = weight − target in percentage points. Native formulas: this sheet works without the "
        "add-in.",
    )
    set_widths(sheet, [34, 19, 14, 14, 14, 15, 14, 14, 19, 10, 10, 6])
    canvas.put(sheet, 4, 1, "Account shown", styles.HEADING)
    canvas.merge(sheet, 4, 2, 4, styles.PICKER)
    canvas.put(sheet, 4, 2, ALL, styles.PICKER)
    for cell in ("B4", "C4", "D4"):
        unlock(sheet, cell)
    canvas.put(sheet, 4, 5, "◄ choose; several accounts are weighed as one", styles.NOTE)
    define(canvas, "PickedAccount", address(4, 2, sheet=NAME))
    offer(
        sheet,
        "B4",
        Choice(formula="AccountChoices", strict=True, help="An account of sheet Holdings."),
    )
    outside = sum(row["status"] != "within" for row in template_example.drift_rows())
    canvas.put(sheet, 5, 1, "Status", styles.LABEL)
    canvas.merge(sheet, 5, 2, 6, styles.STRONG)
    status = Formula(STATUS, f"{outside} of {len(rows)} classes outside its band")
    canvas.put(sheet, 5, 2, status, styles.STRONG)
    define(canvas, "DriftStatus", address(5, 2, sheet=NAME))
    canvas.put(sheet, 6, 1, "Weight base", styles.LABEL)
    total = sum(template_example.value_of(row) for row in template_example.HOLDINGS[1:])
    canvas.put(sheet, 6, 2, Formula("Base", total), replace(styles.STRONG, format=styles.MONEY))
    flag(sheet, "B5:F5", '$B$5="Every class is within its band"', styles.GOOD)
    flag(sheet, "B5:F5", '$B$5<>"Every class is within its band"', styles.WARN)
    blank: list[Content] = [""] * (len(COLUMNS) - 1)
    contents = rows + [[*blank, i] for i in range(len(rows) + 1, ROWS + 1)]
    placed = write_table(
        canvas,
        sheet,
        name="tblDrift",
        columns=COLUMNS,
        rows=contents,
        row=TABLE_ROW,
        header_height=18,
        filters=False,
    )
    group_columns(sheet, placed.column("Band"), placed.last_column)
    cells = placed.cells("Status")
    for word, colours in (
        ("above", styles.WARN),
        ("below", styles.BAD),
        ("not covered", styles.BAD),
        (CHECK_INPUTS, styles.BAD),
        (SEE_ENGINE, styles.WARN),
    ):
        flag_word(sheet, cells, word, colours)
    used = f'$K{placed.first_row}<>""'
    underline_used(sheet, f"A{placed.first_row}:H{placed.last_row}", used)
    underline_used(sheet, cells, used)
    _charts(sheet, placed, contents)
    sheet.freeze_panes = "A7"
    set_up_print(sheet, last_column=9, last_row=placed.last_row)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return sheet


def _rows() -> list[list[Content]]:
    rows: list[list[Content]] = []
    for index, row in enumerate(template_example.drift_rows(), start=1):
        rows.append(
            [
                row["asset_class"],
                row["value"],
                row["weight"],
                row["target"],
                row["drift"],
                row["relative_drift"],
                row["lower"],
                row["upper"],
                row["status"],
                0.05,
                "target",
                index,
            ]
        )
    return rows


def _charts(sheet: Worksheet, placed: Placed, rows: list[list[Content]]) -> None:
    headers = [column.header for column in placed.columns]
    names = [str(row[0]) for row in rows[:CHART_SLOTS]]

    def ref(header: str) -> str:
        column = placed.column(header)
        last = address(placed.first_row + CHART_SLOTS - 1, column)
        return f"{NAME}!{address(placed.first_row, column)}:{last}"

    def bars(header: str, colour: str) -> Bars:
        values = [row[headers.index(header)] for row in rows[:CHART_SLOTS]]
        return Bars(
            label_ref=address(placed.header_row, placed.column(header), sheet=NAME),
            label=header,
            ref=ref(header),
            values=[v if isinstance(v, (int, float)) else "" for v in values],
            colour=colour,
        )

    weights = bar_chart(
        title="Weights and targets (first 8 rows)",
        axis_title="Share of the weight base",
        axis_format="0%",
        categories_ref=ref("Asset class"),
        categories=names,
        bars=[bars("Weight", styles.ACCENT), bars("Target", styles.GREY)],
        from_zero=False,
    )
    drift = bar_chart(
        title="Drift from target (first 8 rows)",
        axis_title="Percentage points",
        axis_format="+0.0%;-0.0%;0%",
        categories_ref=ref("Asset class"),
        categories=names,
        bars=[bars("Drift", styles.ACCENT)],
        from_zero=False,
    )
    for chart, (first, last, offset) in zip(
        (weights, drift), ((0, 3, 900_000), (4, 8, 1_300_000)), strict=True
    ):
        chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
            editAs="oneCell",
            _from=AnchorMarker(col=first, row=CHART_TOP - 1),
            to=AnchorMarker(col=last, colOff=offset, row=CHART_TOP - 1 + CHART_ROWS),
        )
        sheet.add_chart(chart)
