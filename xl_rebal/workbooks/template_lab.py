"""The template backtest_lab.xltx: prices and policies in, figures and charts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import package, styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill, spill_findings, with_spills
from xl_rebal.workbooks.lab_calls import (
    CALLS,
    FIGURE,
    WORDS,
    write_lab_sheets,
)
from xl_rebal.workbooks.lab_data import (
    DATA,
    FIRST_ROW,
    HEADER_ROW,
    POLICY_ROWS,
    Series,
    as_number,
    table_of,
    write_chart_data,
)
from xl_rebal.workbooks.lab_inputs import write_lab_inputs, write_lab_prices
from xl_rebal.workbooks.line_charts import PALETTE, Cloud, Line, line_chart, scatter_chart
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.template_engine import Results
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import flag, protect
from xl_rebal.workbooks.template_start import NOT_LOADED, VERSION

__all__ = ["CALLS", "build_lab_template", "lab_findings"]

TITLE = "Backtest lab"
LAB = "Lab"
LAST = 12
CHART_TOP, CHART_ROWS = 12, 16
FUNCTIONS = frozenset(
    "COUNT INDEX LEFT LEN MAX MIN ROUND TEXT REBAL_BACKTEST REBAL_COMPARE REBAL_OPTIMAL_BAND "
    "REBAL_POLICY REBAL_VERSION".split()
)


def build_lab_template(results: Results) -> bytes:
    """The template as bytes, the same for the same results."""
    canvas = Canvas()
    lab = canvas.sheet(LAB, styles.ACCENT)
    write_lab_inputs(canvas)
    write_lab_prices(canvas)
    spills = write_lab_sheets(canvas, results)
    columns = write_chart_data(canvas, results)
    spills += _write_lab(canvas, lab, results, columns)
    canvas.styles.close(canvas.workbook)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    canvas.workbook.template = True
    data = package.save(canvas.workbook, canvas.values, title=TITLE)
    return with_spills(data, canvas.workbook.sheetnames, spills)


def lab_findings(data: bytes) -> list[str]:
    """Everything that is wrong with a template, in words."""
    return findings(data, functions=FUNCTIONS) + spill_findings(data)


# -- the first sheet ------------------------------------------------------------------------------

_CARDS = (
    ("Final value of 1,000,000", "final_value", "#,##0"),
    ("CAGR", "cagr", styles.PERCENT),
    ("Volatility", "volatility", styles.PERCENT),
    ("Largest drawdown", "max_drawdown", styles.PERCENT),
    ("Rebalanced a year", "rebalances_per_year", "0.00"),
    ("Cost, bp a year", "cost_bps", "0.00"),
)
_STEPS = (
    "1  Prices: paste adjusted closes.   2  Inputs: target weights, one policy, costs, policies to "
    "compare.   3  Read this sheet; the sheets REBAL … hold every figure, trade and day."
)
_LOADED = (
    'IF(AND(LEN(AddInVersion)>0,LEFT(AddInVersion,1)<>"#"),"xl_rebal "&AddInVersion&" is loaded.",'
    f'"{NOT_LOADED}")'
)


def _figure(key: str, keys: Sequence[Any]) -> str:
    """A figure by its place, held against its name: MATCH finds no text among the results of an array
    formula in LibreOffice Calc.
    """
    place = list(keys).index(key) + 1
    return f'IF(INDEX(FigureName,{place})&""="{key}",INDEX(FigureValue,{place}),"")'


def _sample(keys: Sequence[Any]) -> str:
    start, end, days = (_figure(key, keys) for key in ("start", "end", "days"))
    return f'IFERROR({start}&" to "&{end}&", "&TEXT({days},"#,##0")&" rows","")'


def _write_lab(
    canvas: Canvas, sheet: Worksheet, results: Results, columns: dict[str, Series]
) -> list[Spill]:
    write_title(
        canvas,
        sheet,
        TITLE,
        "The policy that trades is the policy that was tested. Past prices only: the best of a sample is "
        "not the best of the next.",
    )
    set_widths(sheet, [3, 16, *[14] * 10])
    figures = dict(zip(*table_of(results, FIGURE).values(), strict=True))
    policy = str(results[WORDS.formula][0][0])
    sample = f"{figures['start']} to {figures['end']}, {figures['days']:,.0f} rows"
    lines: tuple[tuple[str, Content], ...] = (
        ("Add-in", Formula(_LOADED, NOT_LOADED)),
        ("How to", _STEPS),
        ("Policy", Formula('IFERROR(PolicyInWords&"","")', policy)),
        ("Sample", Formula(_sample(list(figures)), sample)),
    )
    for row, (label, content) in enumerate(lines, start=4):
        canvas.put(sheet, row, 2, label, styles.LABEL)
        look = Look(bold=True, align="left", wrap=True)
        canvas.merge(sheet, row, 3, LAST, look)
        canvas.put(sheet, row, 3, content, look)
        sheet.row_dimensions[row].height = 30 if label == "Add-in" else 18
    flag(sheet, "C4:L4", 'LEFT($C$4,16)="xl_rebal add-in "', styles.WARN)
    _write_cards(canvas, sheet, figures)
    _add_charts(sheet, columns)
    row = CHART_TOP + 2 * (CHART_ROWS + 1) + 1
    spills = []
    for offset, (label, formula, value, name) in enumerate(
        (
            ("Add-in version", VERSION, "", "AddInVersion"),
            ("Policy in words", WORDS.formula, policy, "PolicyInWords"),
        )
    ):
        canvas.put(sheet, row + offset, 2, label, styles.NOTE)
        look = Look(size=9, colour=styles.MUTED, align="left")
        canvas.put(sheet, row + offset, 3, Formula(formula, value), look)
        define(canvas, name, address(row + offset, 3, sheet=LAB))
        spills.append(Spill(sheet=LAB, row=row + offset, column=3, values=[[value]]))
    set_up_print(sheet, last_column=LAST, last_row=row + 1)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return spills


def _write_cards(canvas: Canvas, sheet: Worksheet, figures: dict[Any, Any]) -> None:
    for place, (label, key, format_) in enumerate(_CARDS):
        first = 2 + 2 * place if place else 2
        last = min(first + 1, LAST)
        look = replace(styles.CARD_VALUE, format=format_)
        value = as_number(figures[key])
        for row, content, cell_look in (
            (9, label, styles.CARD_LABEL),
            (10, Formula(f'IFERROR({_figure(key, list(figures))},"")', value), look),
        ):
            if last > first:
                canvas.merge(sheet, row, first, last, cell_look)
            canvas.put(sheet, row, first, content, cell_look)
    sheet.row_dimensions[9].height = 16
    sheet.row_dimensions[10].height = 24


def _add_charts(sheet: Worksheet, columns: dict[str, Series]) -> None:
    def line(header: str, colour: int, **look: Any) -> Line:
        each = columns[header]
        return Line(
            label_ref=f"'{DATA}'!{address(HEADER_ROW, each.column)}",
            label=header,
            ref=_ref(each),
            values=each.values,
            colour=PALETTE[colour],
            **look,
        )

    shared: dict[str, Any] = {
        "categories_ref": _ref(columns["Date"]),
        "categories": columns["Date"].values,
    }
    charts = (
        line_chart(
            title="Growth of 1 against never rebalancing",
            axis_format="0.00",
            lines=[line("Growth", 0), line("Never rebalanced", 1)],
            **shared,
        ),
        line_chart(
            title="Drawdown",
            axis_format="0%",
            lines=[line("Drawdown", 0), line("Drawdown, never", 1)],
            **shared,
        ),
        line_chart(
            title="Largest drift, band and trades",
            axis_format="0%",
            lines=[line("Largest drift", 0, width=1.0), line("Band", 5, dash=True, width=1.0)],
            bars=[line("Rebalanced", 6)],
            **shared,
        ),
        scatter_chart(
            title="Cost against tracking error",
            x_title="Tracking error a year",
            y_title="Cost, bp a year",
            x_format="0.0%",
            y_format="0.0",
            clouds=_clouds(columns),
        ),
    )
    for place, chart in enumerate(charts):
        left, top = (1 if place % 2 == 0 else 7), CHART_TOP - 1 + (place // 2) * (CHART_ROWS + 1)
        anchored: Any = chart
        anchored.anchor = TwoCellAnchor(
            editAs="oneCell",
            _from=AnchorMarker(col=left, row=top),
            to=AnchorMarker(col=left + (6 if left == 1 else 5), row=top + CHART_ROWS),
        )
        sheet.add_chart(anchored)


def _ref(each: Series) -> str:
    last = FIRST_ROW + len(each.values) - 1
    return f"'{DATA}'!{address(FIRST_ROW, each.column)}:{address(last, each.column)}"


def _clouds(columns: dict[str, Series]) -> list[Cloud]:
    name, x, y = columns["Policy"], columns["Tracking error"], columns["Cost, bp a year"]
    return [
        Cloud(
            label_ref=f"'{DATA}'!{address(FIRST_ROW + i, name.column)}",
            label=name.values[i],
            x_ref=f"'{DATA}'!{address(FIRST_ROW + i, x.column)}",
            x=[x.values[i]],
            y_ref=f"'{DATA}'!{address(FIRST_ROW + i, y.column)}",
            y=[y.values[i]],
            colour=PALETTE[0],
        )
        for i in range(POLICY_ROWS)
    ]
