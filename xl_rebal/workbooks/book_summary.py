"""Sheet Summary of the adviser's book: how many clients of each model need what, by native formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.formatting.rule import ColorScaleRule, Rule
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, address, set_widths
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import protect

NAME = "Summary"
MODELS = 12  # rows of models; clients of others are counted together below them
OTHERS = "Several or none"
HEADER_ROW = 4
CHARTED = 8  # rows of the chart
CHART_ROWS = 17
NEEDS = ("rebalance", "replace", "raise cash", "invest", "failed", "within")
DUE = NEEDS[:4]
COLOURS = dict(
    zip(NEEDS, ("B83A3A", "8E5BA6", "D99A2B", "4E8FC7", "6B7480", "9CC3A5"), strict=True)
)
_ROW = "(ROW(ModelName)-MIN(ROW(ModelName))+1)"


def plain(name: str) -> str:
    """The texts of a column where `~`, `*` and `?` are no wildcards."""
    return f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(TRIM({name}),"~","~~"),"*","~*"),"?","~?")'


# Formulas over whole columns, by name: Excel computes a name's formula as an array in every version. Calc
# finds texts that a function spills by EXACT only.
ARRAYS = {
    "ModelFirst": f'(TRIM(ModelName)<>"")*(IFERROR(MATCH({plain("ModelName")},TRIM(ModelName),0),0)={_ROW})',
    "BookSize": "IF(ISNUMBER(BookDrift),ABS(BookDrift),0)",
    "BookOther": '(BookNeed&""<>"")*(1-ISNUMBER(MATCH('
    + plain('BookModel&""')
    + ",TRIM(ModelName),0)))",
    "BookDue": "+".join(f'EXACT(BookNeed,"{need}")' for need in DUE),
}
_MODEL = (
    f'IF([@No]>{MODELS},"{OTHERS}",IF([@No]<=SUMPRODUCT(ModelFirst),'
    f'TRIM(INDEX(ModelName,SUMPRODUCT(SMALL({_ROW}+1000000*(1-ModelFirst),[@No])))),""))'
)


def _of_model(condition: str, what: str = "") -> str:
    """A sum over the clients of the row's model."""
    mine = f"SUMPRODUCT(EXACT(BookModel,[@Model])*({condition}){what})"
    rest = f"SUMPRODUCT(BookOther*({condition}){what})"
    return f'IF([@Model]="","",IF([@No]>{MODELS},{rest},{mine}))'


COLUMNS = (
    Column(header="Model", look=styles.BODY_TEXT, formula=_MODEL),
    Column(
        header="Clients", look=number(styles.COUNT), formula=_of_model('BookNeed&""<>""')
    ),
    *(
        Column(
            header=need.capitalize(),
            look=number(styles.COUNT),
            formula=_of_model(f'EXACT(BookNeed,"{need}")'),
        )
        for need in NEEDS
    ),
    Column(
        header="Held away or empty",
        look=number(styles.COUNT),
        formula=_of_model('EXACT(BookNeed,"held away")+EXACT(BookNeed,"empty")'),
    ),
    Column(
        header="Share due",
        look=number("0%"),
        formula='IF(N([@Clients])=0,"",('
        + "+".join(f"[@{_n}]" for _n in ("Rebalance", "Replace", "[Raise cash]", "Invest"))
        + ")/[@Clients])",
    ),
    Column(header="Value", look=number(styles.MONEY), formula=_of_model('BookNeed&""<>""', ",BookValue")),
    Column(header="Value due", look=number(styles.MONEY), formula=_of_model("BookDue", ",BookValue")),
    Column(
        header="Largest drift",
        look=number(styles.PERCENT),
        formula=f'IF([@Model]="","",IF([@No]>{MODELS},SUMPRODUCT(MAX(BookOther*BookSize)),'
        "SUMPRODUCT(MAX(EXACT(BookModel,[@Model])*BookSize))))",
    ),
    Column(header="No", look=styles.BODY_PLANNED),
)  # fmt: skip


def write_summary(canvas: Canvas, clients: Sequence[Sequence[Any]], models: Sequence[str]) -> None:
    """Write the sheet; `clients` are the rows of REBAL_BOOK below their header."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        NAME,
        "How many clients of each model need what today, how much money that is, and the largest drift. "
        "Native formulas over sheet Book.",
    )
    for name, formula in ARRAYS.items():
        define(canvas, name, formula)
    rows = [
        _row(index, name, clients, models) for index, name in enumerate(_names(models), start=1)
    ]
    placed = write_table(
        canvas,
        sheet,
        name="tblByModel",
        columns=COLUMNS,
        rows=rows,
        row=HEADER_ROW,
        filters=False,
    )
    set_widths(sheet, (22, 10, 11, 10, 10, 10, 10, 10, 12, 10, 18, 18, 12, 6))
    first, last = placed.first_row, placed.last_row
    for need in NEEDS[:-1]:
        _scale(sheet, placed.cells(need.capitalize()), styles.HOT)
    _scale(sheet, placed.cells("Share due"), styles.HOT)
    _scale(sheet, placed.cells("Largest drift"), styles.HOT)
    sheet.column_dimensions["N"].hidden = True
    _chart(sheet, placed, rows)
    sheet.freeze_panes = f"B{first}"
    set_up_print(sheet, last_column=13, last_row=last + CHART_ROWS + 2)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)


def _names(models: Sequence[str]) -> list[str]:
    return [*models, *[""] * (MODELS - len(models)), OTHERS]


def _row(
    index: int, name: str, clients: Sequence[Sequence[Any]], models: Sequence[str]
) -> list[Content]:
    """What the formulas come to on the example, counted plainly."""
    if not name:
        return [*[""] * (len(COLUMNS) - 1), index]
    mine = [c for c in clients if (c[11] == name if index <= MODELS else c[11] not in models)]
    counts = [sum(c[2] == need for c in mine) for need in NEEDS]
    rest = sum(c[2] in ("held away", "empty") for c in mine)
    due = [c for c in mine if c[2] in DUE]
    return [
        name, len(mine), *counts, rest, len(due) / len(mine) if mine else "",
        sum(c[8] or 0.0 for c in mine), sum(c[8] or 0.0 for c in due),
        max((abs(c[5] or 0.0) for c in mine), default=0.0), index,
    ]  # fmt: skip


def _scale(sheet: Worksheet, cells: str, colour: str) -> None:
    """From white at zero to a colour at the largest: a heat map of models and needs."""
    rule: Rule = ColorScaleRule(  # type: ignore[no-untyped-call]  # a function without types
        start_type="num", start_value=0, start_color="FFFFFF", end_type="max", end_color=colour
    )
    sheet.conditional_formatting.add(cells, rule)


def _chart(sheet: Worksheet, placed: Placed, rows: Sequence[Sequence[Content]]) -> None:
    first, last = placed.first_row, placed.first_row + CHARTED - 1
    bars = []
    for need in NEEDS:
        column = placed.column(need.capitalize())
        values = [row[column - 1] for row in rows[:CHARTED]]
        bars.append(
            Bars(
                label_ref=address(placed.header_row, column, sheet=NAME),
                label=need.capitalize(),
                ref=f"{address(first, column, sheet=NAME)}:{address(last, column)}",
                values=[v if isinstance(v, int | float) else "" for v in values],
                colour=COLOURS[need],
            )
        )
    chart = bar_chart(
        title="Clients by model and by what they need today",
        axis_title="Clients",
        axis_format="0",
        categories_ref=f"{address(first, 1, sheet=NAME)}:{address(last, 1)}",
        categories=[str(row[0]) for row in rows[:CHARTED]],
        bars=bars,
        from_zero=True,
        stacked=True,
        category_title="Model",
    )
    top = placed.last_row + 1
    chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
        editAs="oneCell",
        _from=AnchorMarker(col=0, row=top),
        to=AnchorMarker(col=13, row=top + CHART_ROWS),
    )
    sheet.add_chart(chart)
