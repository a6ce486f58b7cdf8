"""Line and scatter charts in the style of the column charts, with their values saved in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.chart import BarChart, LineChart, ScatterChart
from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel, XYSeries
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.charts import dress_title, rich_text

_EMU = 12_700  # a point
_LABELS = 6  # dates along the axis
PALETTE = ("1F3A5F", "C2571A", "2F7D5B", "8A4FA3", "B38600", "5B6B7A", "A61B1B", "3E8FB0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series: header cell, value cells, what they hold (None leaves a gap), and its look.

    points  markers without a line, for events;  dash  a broken line, for bands.
    """

    label_ref: str
    label: str
    ref: str
    values: Sequence[float | str | None]
    colour: str
    width: float = 1.5
    dash: bool = False
    points: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A scatter's points: x and y cells and what they hold."""

    label_ref: str
    label: str
    x_ref: str
    x: Sequence[float | str | None]
    y_ref: str
    y: Sequence[float | str | None]
    colour: str


def line_chart(
    *,
    title: str,
    axis_format: str,
    categories_ref: str,
    categories: Sequence[str],
    lines: Sequence[Line],
    bars: Sequence[Line] = (),
) -> LineChart:
    """Lines over dates written as text; a handful of dates stand along the axis, below the chart.

    bars  series drawn as columns behind the lines: an event is a column, a day without one is 0.
    """
    chart: Any = LineChart()
    _dress(chart, title)
    chart.grouping = "standard"
    cats = AxDataSource(strRef=_texts(categories_ref, categories))
    for index, each in enumerate(lines):
        chart.series.append(_line(index, each, cats, axis_format))
    x, y = chart.x_axis, chart.y_axis
    x.tickLblSkip = max(1, len(categories) // _LABELS)
    x.tickMarkSkip = x.tickLblSkip
    x.tickLblPos = "low"
    x.number_format = styles.TEXT
    _dress_axes(x, y, axis_format)
    chart.dispBlanksAs = "gap"
    if bars:
        columns: Any = BarChart()
        columns.type, columns.grouping, columns.gapWidth = "col", "clustered", 0
        for index, each in enumerate(bars, start=len(lines)):
            series = _line(index, each, cats, axis_format)
            series.marker = series.smooth = None
            series.spPr = GraphicalProperties(
                solidFill=each.colour, ln=LineProperties(solidFill=each.colour, w=9525)
            )
            columns.series.append(series)
        chart += columns
    made: LineChart = chart
    return made


def scatter_chart(
    *, title: str, x_title: str, y_title: str, x_format: str, y_format: str, clouds: Sequence[Cloud]
) -> ScatterChart:
    """Points without lines; each series is one point or more and carries its name beside it."""
    chart: Any = ScatterChart()
    _dress(chart, title)
    chart.scatterStyle = "lineMarker"
    for index, cloud in enumerate(clouds):
        series = XYSeries(
            idx=index,
            order=index,
            tx=SeriesLabel(strRef=_texts(cloud.label_ref, [cloud.label])),
            xVal=AxDataSource(numRef=_numbers(cloud.x_ref, cloud.x, x_format)),
            yVal=NumDataSource(numRef=_numbers(cloud.y_ref, cloud.y, y_format)),
            spPr=GraphicalProperties(ln=LineProperties(noFill=True)),
            marker=_marker(cloud.colour, 8),
            dLbls=_names(),
        )
        chart.series.append(series)
    chart.legend = None
    for axis, words in ((chart.x_axis, x_title), (chart.y_axis, y_title)):
        axis.title = words
        dress_title(axis.title, 900)
        axis.title.overlay = False
    _dress_axes(chart.x_axis, chart.y_axis, y_format)
    chart.x_axis.number_format = x_format
    chart.x_axis.numFmt.sourceLinked = False
    chart.x_axis.majorGridlines = None
    made: ScatterChart = chart
    return made


def _dress(chart: Any, title: str) -> None:
    chart.style = 2
    chart.roundedCorners = False
    chart.title = title
    dress_title(chart.title, 1200)
    chart.title.overlay = False
    if chart.legend is not None:
        chart.legend.position = "b"
        chart.legend.txPr = rich_text(900)
    chart.graphical_properties = GraphicalProperties(
        solidFill="FFFFFF", ln=LineProperties(solidFill=styles.LINE, w=9525)
    )


def _dress_axes(x: Any, y: Any, axis_format: str) -> None:
    for axis in (x, y):
        axis.delete = False
        axis.txPr = rich_text(900)
        axis.majorTickMark = "none"
    x.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill="8A949E", w=9525))
    y.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    y.number_format = axis_format
    y.numFmt.sourceLinked = False
    y.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E3E7EC", w=6350))


def _line(index: int, each: Line, cats: AxDataSource, axis_format: str) -> Series:
    drawn = LineProperties(solidFill=each.colour, w=int(each.width * _EMU))
    if each.points:
        drawn = LineProperties(noFill=True)
    elif each.dash:
        drawn.prstDash = "dash"
    return Series(
        idx=index,
        order=index,
        tx=SeriesLabel(strRef=_texts(each.label_ref, [each.label])),
        cat=cats,
        val=NumDataSource(numRef=_numbers(each.ref, each.values, axis_format)),
        spPr=GraphicalProperties(ln=drawn),
        marker=_marker(each.colour, 6) if each.points else Marker(symbol="none"),
        smooth=False,
    )


def _names() -> DataLabelList:
    """The series' name to the right of its point, and nothing else."""
    shown: Any = DataLabelList()
    shown.showSerName, shown.dLblPos = True, "r"
    shown.showVal = shown.showLegendKey = shown.showCatName = shown.showPercent = False
    shown.showBubbleSize = False
    shown.txPr = rich_text(900)
    made: DataLabelList = shown
    return made


def _marker(colour: str, size: int) -> Marker:
    filled = GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill="FFFFFF", w=6350))
    return Marker(symbol="circle", size=size, spPr=filled)


def _texts(ref: str, texts: Sequence[str]) -> StrRef:
    points = [StrVal(idx=i, v=text) for i, text in enumerate(texts)]
    return StrRef(f=ref, strCache=StrData(ptCount=len(texts), pt=points))


def _numbers(ref: str, values: Sequence[float | str | None], format_: str) -> NumRef:
    points = [
        NumVal(idx=i, v=repr(float(value)))
        for i, value in enumerate(values)
        if value is not None and not isinstance(value, str)
    ]
    return NumRef(f=ref, numCache=NumData(formatCode=format_, ptCount=len(values), pt=points))
