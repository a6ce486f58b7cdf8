"""Sheet Drift of a client: every class of every portfolio against its target and band, and a chart of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import LineChart
from openpyxl.chart._chart import ChartBase
from openpyxl.chart.marker import Marker
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor

from xl_rebal.drift import TOLERANCE
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.charts import bar_chart, bar_series, text_axis
from xl_rebal.workbooks.client_charts import TableSource
from xl_rebal.workbooks.client_columns import heights, money_width, text_width
from xl_rebal.workbooks.client_figures import ClientFigures
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    Place,
    SheetContents,
    SheetLayout,
    Spot,
    TableContents,
    aside,
    blank_row,
    table_of,
)
from xl_rebal.workbooks.styles import number

CAUSE_WIDTH = 44
CHART_ROWS = 18
_POINTS, _EDGE = "+0.0%;-0.0%;0%", styles.BAD[0]
NEVER = 9.0  # a drift of 900 pp, where there is no band
_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY, _PERCENT, _DRIFT = (number(f) for f in (styles.MONEY, styles.PERCENT, styles.DRIFT))
_MINE = "(tblDrift[Portfolio no]=[@[Portfolio no]])*1"


def _status(drift: str) -> str:
    """`above` or `below` where the drift from which the class is so is reached, else `within`."""
    return f'IF({drift}>=[@[Above from]],"above",IF({drift}<=[@[Below from]],"below","within"))'


DRIFT = Block(
    name="tblDrift",
    fields=(
        Field(header="Portfolio", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Asset class", look=styles.BODY_TEXT, holds=_TEXT),
        Field(
            header="Value",
            look=_MONEY,
            holds=_NUMBER,
            formula="SUMPRODUCT((tblHoldings[Drift row]=[@Row])*1,tblHoldings[Value])+[@Aside]",
        ),
        Field(
            header="Weight",
            look=_PERCENT,
            holds=_NUMBER,
            formula="IF([@Base]>0.005,[@Value]/[@Base],0)",
        ),
        Field(header="Target", look=_PERCENT, holds=_NUMBER),
        Field(
            header="Drift",
            look=_DRIFT,
            holds=_NUMBER,
            formula="IF([@Base]>0.005,[@Weight]-[@Target],0)",
        ),
        Field(
            header="Relative drift",
            look=_DRIFT,
            holds=_OPTIONAL,
            formula='IF([@Target]>0,[@Drift]/[@Target],"")',
        ),
        Field(header="Lower", look=_PERCENT, holds=_OPTIONAL),
        Field(header="Upper", look=_PERCENT, holds=_OPTIONAL),
        Field(header="Status", look=styles.BODY_STATUS, holds=_TEXT, formula=_status("[@Drift]")),
        Field(
            header="Traded",
            look=_MONEY,
            holds=_NUMBER,
            formula="SUMPRODUCT((tblTrades[Drift row]=[@Row])*1,tblTrades[Bought less sold])"
            '+IF([@Role]="cash",SUMPRODUCT((tblTrades[Portfolio no]=[@[Portfolio no]])*1,'
            "tblTrades[Cash effect]),0)",
        ),
        Field(header="Value after", look=_MONEY, holds=_NUMBER, formula="[@Value]+[@Traded]"),
        Field(
            header="Weight after",
            look=_PERCENT,
            holds=_NUMBER,
            formula="IF([@[Base after]]>0.005,[@[Value after]]/[@[Base after]],0)",
        ),
        Field(
            header="Drift after",
            look=_DRIFT,
            holds=_NUMBER,
            formula="IF([@[Base after]]>0.005,[@[Weight after]]-[@Target],0)",
        ),
        Field(
            header="Status after",
            look=styles.BODY_STATUS,
            holds=_TEXT,
            formula=_status("[@[Drift after]]"),
        ),
        Field(header="Why drift is left", look=styles.BODY_WRAP, holds=_TEXT),
        aside("Row", _NUMBER),
        aside("Role", _TEXT),
        aside("Portfolio no", _NUMBER),
        aside("Class no", _NUMBER),
        aside("Below from", _NUMBER, number(styles.FROM)),
        aside("Above from", _NUMBER, number(styles.FROM)),
        aside("Aside", _NUMBER, _MONEY),
        aside("Base", _NUMBER, _MONEY, f"SUMPRODUCT({_MINE},tblDrift[Value])"),
        aside("Base after", _NUMBER, _MONEY, f"SUMPRODUCT({_MINE},tblDrift[Value after])"),
        aside("Label", _TEXT, styles.BODY_TEXT, '[@Portfolio]&": "&[@[Asset class]]'),
        aside("Lower edge", _OPTIONAL, _DRIFT, 'IF(ISNUMBER([@Lower]),[@Lower]-[@Target],"")'),
        aside("Upper edge", _OPTIONAL, _DRIFT, 'IF(ISNUMBER([@Upper]),[@Upper]-[@Target],"")'),
    ),
    words={"Status": ("above", "below"), "Status after": ("above", "below")},
    negative=("Value after",),
)


def _charts(places: Sequence[Place], contents: SheetContents) -> Sequence[ChartBase]:
    """Drift before and after as columns, the edges of the bands as dashes."""
    source = TableSource(sheet=LAYOUT.title, place=places[0], contents=contents.tables[0])
    chart: Any = bar_chart(
        title="Drift, and the edges of the bands",
        axis_title="Percentage points from target",
        axis_format=_POINTS,
        categories_ref=source.ref("Label"),
        categories=source.texts("Label"),
        bars=[
            source.bars("Drift", styles.ACCENT),
            source.bars("Drift after", styles.ACCENT_LIGHT),
        ],
        from_zero=False,
    )
    edges: Any = LineChart()
    axis = text_axis(source.ref("Label"), source.texts("Label"))
    for index, header in enumerate(("Lower edge", "Upper edge"), start=2):
        each: Any = bar_series(index, source.bars(header, _EDGE), axis, _POINTS)
        each.invertIfNegative = None
        each.smooth = False
        each.spPr = GraphicalProperties(ln=LineProperties(noFill=True))
        fill = GraphicalProperties(solidFill=_EDGE, ln=LineProperties(solidFill=_EDGE))
        each.marker = Marker(symbol="dash", size=9, spPr=fill)
        edges.series.append(each)
    chart += edges
    top = places[0].last_row + 1
    chart.anchor = TwoCellAnchor(
        editAs="oneCell",
        _from=AnchorMarker(col=0, row=top),
        to=AnchorMarker(col=15, colOff=1_000_000, row=top + CHART_ROWS),
    )
    return [chart]


LAYOUT = SheetLayout(
    title="Drift",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Drift"),), height=28),
        Line(
            spots=(
                Spot(
                    column=1,
                    look=styles.SUBTITLE,
                    content="Drift = weight − target, in percentage points of the "
                    "weight base (positions + cash + flow, less reserve and excluded "
                    "holdings). After = with the trades and their costs.",
                ),
            ),
            height=16,
        ),
        Line(spots=(Spot(column=1, look=styles.NOTE, slot="policy"),), height=15),
        DRIFT,
        *(Line(),) * (CHART_ROWS + 2),
    ),
    frozen=(2, 4),
    last_column=DRIFT.column_of("Why drift is left"),
    repeat=4,
    folded=(DRIFT.column_of("Row"), DRIFT.last_column),
    charts=_charts,
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    table = _table(figures) if figures.classes else _nothing()
    money = money_width([line.base for line in figures.classes])
    widths = (
        text_width([line.label for line in figures.classes], 14, 30),
        text_width(figures.class_names, 16, 30),
        *(money, 10, 10, 10, 11, 10, 10, 11, money, money, 10, 10, 11, CAUSE_WIDTH),
        *(12.0,) * 12,
    )
    slots = {"policy": figures.pages.policy.in_words()}
    return SheetContents(slots=slots, tables=(table,), widths=widths)


def _nothing() -> TableContents:
    """The one row where no account holds anything that is weighed; no holding is counted in it."""
    say: dict[str, Content] = {
        "Status": "within",
        "Status after": "within",
        "Why drift is left": "no account holds anything to weigh",
        "Row": -1,
        "Below from": -NEVER,
        "Above from": NEVER,
        "Label": ": ",
    }
    return blank_row(DRIFT, say)


def _table(figures: ClientFigures) -> TableContents:
    lines = figures.classes
    found = [line.result for line in lines]
    policy = figures.pages.policy
    causes = [each.cause for each in found]
    labels = [line.label for line in lines]
    names = [each.asset_class for each in found]
    lower = [each.lower for each in found]
    upper = [each.upper for each in found]
    targets = [each.target for each in found]
    drifts = [each.drift_before for each in found]
    return table_of(
        DRIFT,
        {
            "Portfolio": labels,
            "Asset class": names,
            "Value": [each.value_before for each in found],
            "Weight": [each.weight_before for each in found],
            "Target": targets,
            "Drift": drifts,
            "Relative drift": [
                d / t if t > 0 else None for d, t in zip(drifts, targets, strict=True)
            ],
            "Lower": lower,
            "Upper": upper,
            "Status": [each.status_before for each in found],
            "Traded": [each.value_after - each.value_before for each in found],
            "Value after": [each.value_after for each in found],
            "Weight after": [each.weight_after for each in found],
            "Drift after": [each.drift_after for each in found],
            "Status after": [each.status_after for each in found],
            "Why drift is left": causes,
            "Row": list(range(1, len(lines) + 1)),
            "Role": ["cash" if line.is_cash else "class" for line in lines],
            "Portfolio no": [line.portfolio for line in lines],
            "Class no": [line.asset_class_no for line in lines],
            "Below from": [-_reached_from(line.down, beyond=policy.beyond) for line in lines],
            "Above from": [_reached_from(line.up, beyond=policy.beyond) for line in lines],
            "Aside": [line.aside for line in lines],
            "Base": [line.base for line in lines],
            "Base after": [line.base_after for line in lines],
            "Label": [f"{a}: {b}" for a, b in zip(labels, names, strict=True)],
            "Lower edge": _less(lower, targets),
            "Upper edge": _less(upper, targets),
        },
        heights((causes, CAUSE_WIDTH)),
    )


def _reached_from(width: float | None, *, beyond: bool) -> float:
    """The drift from which a class is outside: the edge of its band to the tolerance of comparisons, and
    never no drift at all.
    """
    if width is None:
        return NEVER
    return max(width + (TOLERANCE if beyond else -TOLERANCE), TOLERANCE)


def _less(edges: Sequence[float | None], targets: Sequence[float]) -> list[float | None]:
    return [None if e is None else e - t for e, t in zip(edges, targets, strict=True)]
