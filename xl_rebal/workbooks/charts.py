"""Column charts, with their values saved in them for programs that do not compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.chart import BarChart
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
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Font,
    Paragraph,
    ParagraphProperties,
    RichTextProperties,
)

from xl_rebal.workbooks import styles

INK = "3B4652"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One series: header cell, value cells, what they hold, and a colour."""

    label_ref: str
    label: str
    ref: str
    values: Sequence[float | str]
    colour: str


def bar_chart(
    *,
    title: str,
    axis_title: str,
    axis_format: str,
    categories_ref: str,
    categories: Sequence[str],
    bars: Sequence[Bars],
    from_zero: bool,
    stacked: bool = False,
    category_title: str = "Asset class",
) -> BarChart:
    """A clustered or stacked column chart. Ranges are bare addresses: a chart can hold nothing else, and
    Excel moves them with the rows.
    """
    chart: Any = BarChart()
    chart.type, chart.grouping = "col", "stacked" if stacked else "clustered"
    chart.gapWidth, chart.overlap = 60, 100 if stacked else -5
    chart.style = 2
    chart.roundedCorners = False
    chart.title = title
    dress_title(chart.title, 1200)
    chart.title.overlay = False
    chart.legend.position = "b"
    chart.legend.txPr = rich_text(900)
    cats = text_axis(categories_ref, categories)
    for index, each in enumerate(bars):
        chart.series.append(bar_series(index, each, cats, axis_format))
    x, y = chart.x_axis, chart.y_axis
    x.delete = y.delete = False
    x.tickLblPos = "low"  # below the bars, also where bars hang down
    x.title, y.title = category_title, axis_title
    for axis in (x, y):
        dress_title(axis.title, 900)
        axis.title.overlay = False
        axis.txPr = rich_text(900)
        axis.majorTickMark = "none"
    x.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill="8A949E", w=9525))
    y.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    y.number_format = axis_format
    y.numFmt.sourceLinked = False
    y.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="E3E7EC", w=6350))
    if from_zero:
        y.scaling.min = 0
    chart.graphical_properties = GraphicalProperties(
        solidFill="FFFFFF", ln=LineProperties(solidFill=styles.LINE, w=9525)
    )
    made: BarChart = chart
    return made


def text_axis(ref: str, texts: Sequence[str]) -> AxDataSource:
    """The categories of a chart with their saved texts."""
    points = [StrVal(idx=i, v=text) for i, text in enumerate(texts)]
    return AxDataSource(strRef=StrRef(f=ref, strCache=StrData(ptCount=len(texts), pt=points)))


def bar_series(index: int, each: Bars, cats: AxDataSource, axis_format: str) -> Series:
    """One series with its saved values; `index` is its place among all series of the chart."""
    label = StrRef(f=each.label_ref, strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=each.label)]))
    points = [
        NumVal(idx=i, v=repr(float(value) + 0.0))  # a zero has no sign
        for i, value in enumerate(each.values)
        if not isinstance(value, str)
    ]
    cache = NumData(formatCode=axis_format, ptCount=len(each.values), pt=points)
    return Series(
        idx=index,
        order=index,
        tx=SeriesLabel(strRef=label),
        cat=cats,
        val=NumDataSource(numRef=NumRef(f=each.ref, numCache=cache)),
        invertIfNegative=False,
        spPr=GraphicalProperties(solidFill=each.colour, ln=LineProperties(noFill=True)),
    )


def _characters(size: int, bold: bool) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, solidFill=INK, latin=Font(typeface="Calibri"))


def rich_text(size: int) -> RichText:
    """The text of an axis or a legend."""
    return RichText(
        bodyPr=RichTextProperties(),
        p=[
            Paragraph(
                pPr=ParagraphProperties(defRPr=_characters(size, bold=False)),
                endParaRPr=CharacterProperties(lang="en-US"),
            )
        ],
    )


def dress_title(title: Any, size: int) -> None:
    """Give a title its font; bold above 9 points."""
    for paragraph in title.tx.rich.p:
        paragraph.pPr = ParagraphProperties(defRPr=_characters(size, bold=size > 900))
        for run in paragraph.r or []:
            run.rPr = _characters(size, bold=size > 900)
