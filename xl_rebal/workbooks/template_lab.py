"""The template backtest_lab.xltx: prices and policies in, figures and charts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import lab_example, package, styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill, spill_findings, with_spills
from xl_rebal.workbooks.lab_calls import (
    CALLS,
    COMPARED,
    FIGURE,
    PATH,
    SHEETS,
    WORDS,
    write_lab_sheets,
)
from xl_rebal.workbooks.line_charts import PALETTE, Cloud, Line, line_chart, scatter_chart
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_engine import Results
from xl_rebal.workbooks.template_inputs import INPUT_FILL, Choice, define, offer
from xl_rebal.workbooks.template_pages import flag, protect
from xl_rebal.workbooks.template_start import NOT_LOADED, VERSION

__all__ = ["CALLS", "build_lab_template", "lab_findings"]

TITLE = "Backtest lab"
LAB, INPUTS, PRICES, DATA = "Lab", "Inputs", "Prices", "Chart data"
LAST = 12
POINTS = 240  # of a chart; the lows, highs and trades between two of them are kept
POLICY_ROWS = 12
CHART_TOP, CHART_ROWS = 12, 16
FUNCTIONS = frozenset(
    "COUNT INDEX LEFT LEN MAX MIN ROUND TEXT REBAL_BACKTEST REBAL_COMPARE REBAL_OPTIMAL_BAND "
    "REBAL_POLICY REBAL_VERSION".split()
)
_TEXT = replace(given_text(), fill=INPUT_FILL)


def build_lab_template(results: Results) -> bytes:
    """The template as bytes, the same for the same results."""
    canvas = Canvas()
    lab = canvas.sheet(LAB, styles.ACCENT)
    _write_inputs(canvas)
    _write_prices(canvas)
    spills = write_lab_sheets(canvas, results)
    columns = _write_data(canvas, results)
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


# -- inputs ---------------------------------------------------------------------------------------


def _write_inputs(canvas: Canvas) -> None:
    sheet = canvas.sheet(INPUTS, "E0C766")
    write_title(
        canvas,
        sheet,
        INPUTS,
        "Targets name the columns of sheet Prices. What is blue on yellow is yours.",
    )
    canvas.put(sheet, 4, 1, "Target weights (sum to 100%)", styles.HEADING)
    percent = replace(number(styles.PERCENT, given=True), fill=INPUT_FILL)
    targets = lab_example.TARGETS
    write_table(
        canvas,
        sheet,
        name="tblTargets",
        columns=[
            Column(header=targets[0][0], look=_TEXT),
            Column(header=targets[0][1], look=percent),
        ],
        rows=targets[1:],
        row=5,
        header_height=20,
        filters=False,
    )
    canvas.put(sheet, 4, 4, "One policy to test", styles.HEADING)
    settings: tuple[tuple[str, str, Content, Look, str], ...] = (
        (
            "Policy",
            "LabPolicy",
            lab_example.POLICY,
            _TEXT,
            "As in the portfolio template: 5pp, annual and 5pp, never.",
        ),
        (
            "Cost of a trade, bp",
            "LabCost",
            lab_example.COST_BPS,
            replace(number("0.0", given=True), fill=INPUT_FILL),
            "One way, of the value traded.",
        ),
        (
            "Limit of the best band",
            "LabLimit",
            None,
            _TEXT,
            "0.5% tracking error a year, or drift 6pp; blank: cost against tracking error.",
        ),
    )
    for offset, (label, name, content, look, words) in enumerate(settings):
        row = 5 + offset
        canvas.put(sheet, row, 4, label, styles.LABEL)
        canvas.put(sheet, row, 5, content, look)
        canvas.put(sheet, row, 6, words, styles.NOTE)
        define(canvas, name, address(row, 5, sheet=INPUTS))
    offer(
        sheet,
        "E5",
        Choice(
            formula='"5pp,3pp,20%rel,5/25,annual,quarterly or 5pp,annual and 5pp,never"',
            strict=False,
            help="Points of weight (5pp), of the target (20%rel), the smaller of both (5/25), a calendar.",
        ),
    )
    canvas.put(sheet, 4, 9, "Policies to compare", styles.HEADING)
    write_table(
        canvas,
        sheet,
        name="tblPolicies",
        columns=[Column(header=lab_example.POLICIES[0][0], look=_TEXT)],
        rows=lab_example.POLICIES[1:],
        row=5,
        column=9,
        header_height=20,
        filters=False,
    )
    set_widths(sheet, [26, 12, 3, 24, 22, 62, 3, 3, 24])
    set_up_print(sheet, last_column=9, last_row=24)


def _write_prices(canvas: Canvas) -> None:
    sheet = canvas.sheet(PRICES, "E0C766")
    write_title(
        canvas,
        sheet,
        PRICES,
        "Paste your prices over the EXAMPLE rows, which are invented: a date and a column for each symbol.",
    )
    canvas.put(
        sheet,
        3,
        1,
        "Adjusted closes (dividends and splits in them). Any spacing: daily, weekly, monthly. Blank where "
        "there was no price; each date once.",
        styles.NOTE,
    )
    rows = lab_example.prices()
    price = replace(number(styles.PRICE, given=True), fill=INPUT_FILL)
    write_table(
        canvas,
        sheet,
        name="tblPrices",
        columns=[Column(header=h, look=price if i else _TEXT) for i, h in enumerate(rows[0])],
        rows=rows[1:],
        row=5,
        header_height=20,
        filters=False,
    )
    set_widths(sheet, [14, *[20] * 6])
    sheet.freeze_panes = "B6"
    set_up_print(sheet, last_column=4, last_row=6, repeat=5)
    sheet.print_area = None


# -- what the charts are drawn from ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """A column of sheet Chart data: its header, and the values that its formulas come to."""

    header: str
    column: int
    values: list[Any]


_PATH_SERIES = (
    ("Growth", "growth", "PathGrowth", "", "0.00"),
    ("Never rebalanced", "never", "PathNever", "", "0.00"),
    ("Drawdown", "drawdown", "PathDrawdown", "MIN", "0.0%"),
    ("Drawdown, never", "never_drawdown", "PathNeverDrawdown", "MIN", "0.0%"),
    ("Largest drift", "largest_drift", "PathDrift", "MAX", "0.0%"),
    ("Band", "band", "PathBand", "", "0.0%"),
    ("Rebalanced", "rebalanced_at", "PathRebalanced", "MAX", "0.0%"),
)
_HEADER = 5
_FIRST = _HEADER + 1
_STEP = f"(MAX(1,COUNT(PathGrowth))-1)/{POINTS - 1}"


def _write_data(canvas: Canvas, results: Results) -> dict[str, _Series]:
    """Native formulas that pick 240 rows of the path, however long it is, and the compared policies."""
    sheet = canvas.sheet(DATA, styles.GREY)
    write_title(
        canvas,
        sheet,
        DATA,
        "Native formulas: 240 points of sheet REBAL path, evenly spread, with the lows, highs and trades "
        "between two of them; and the policies of sheet REBAL compare.",
    )
    path = _table_of(results, PATH)
    count = len(path["date"])
    picked = [1 + int(point * (count - 1) / (POINTS - 1) + 0.5) for point in range(POINTS)]
    first = [1, *(min(picked[i], picked[i - 1] + 1) for i in range(1, POINTS))]
    whole, text = number(styles.COUNT), styles.BODY_TEXT
    columns = [
        Column(header="Point", look=whole),
        Column(header="Row", look=whole, formula=f"1+ROUND([@Point]*{_STEP},0)"),
        Column(
            header="From",
            look=whole,
            formula=f"IF([@Point]=0,1,MIN([@Row],2+ROUND(([@Point]-1)*{_STEP},0)))",
        ),
        Column(header="Date", look=text, formula='INDEX(PathDate,[@Row])&""'),
    ]
    values: list[list[Any]] = [
        list(range(POINTS)),
        list(picked),
        list(first),
        [str(path["date"][row - 1]) for row in picked],
    ]
    for header, key, name, span, format_ in _PATH_SERIES:
        spread = f"{span}(0,INDEX({name},[@From]):INDEX({name},[@Row]))"
        formula = spread if span else f"N(INDEX({name},[@Row]))"
        columns.append(Column(header=header, look=number(format_), formula=formula))
        values.append(
            [
                _picked(span, path[key][begin - 1 : row])
                for begin, row in zip(first, picked, strict=True)
            ]
        )
    _place(canvas, sheet, "tblChart", columns, values, 1)
    compared, more = _compared(results)
    _place(canvas, sheet, "tblChartPolicies", compared, more, len(columns) + 2)
    set_widths(sheet, [8, 8, 8, 13, *[16] * 7, 3, 9, 22, 14, 14])
    sheet.freeze_panes = f"E{_FIRST}"
    set_up_print(sheet, last_column=16, last_row=_FIRST + POINTS - 1, repeat=_HEADER)
    protect(sheet)
    found: dict[str, _Series] = {}
    for start, named, cells in ((1, columns, values), (len(columns) + 2, compared, more)):
        for offset, (column, held) in enumerate(zip(named, cells, strict=True)):
            found[column.header] = _Series(header=column.header, column=start + offset, values=held)
    return found


def _picked(span: str, values: Sequence[Any]) -> float:
    """What a point shows of the rows since the one before: its own value, or the low or high."""
    numbers = [_number(value) for value in values]
    if not span:
        return numbers[-1]
    return min(0.0, *numbers) if span == "MIN" else max(0.0, *numbers)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _place(
    canvas: Canvas,
    sheet: Worksheet,
    name: str,
    columns: Sequence[Column],
    values: Sequence[list[Any]],
    column: int,
) -> None:
    rows = [list(row) for row in zip(*values, strict=True)]
    write_table(
        canvas,
        sheet,
        name=name,
        columns=columns,
        rows=rows,
        row=_HEADER,
        column=column,
        filters=False,
    )


def _compared(results: Results) -> tuple[list[Column], list[list[Any]]]:
    """The policies' names and two figures; rows without a policy repeat the last, without a name."""
    table = _table_of(results, COMPARED)
    count = len(table["policy"])
    rows = range(1, POLICY_ROWS + 1)
    last = "MIN([@Number],MAX(1,COUNT(CompareCost)))"
    columns = [
        Column(header="Number", look=number(styles.COUNT)),
        Column(
            header="Policy",
            look=styles.BODY_TEXT,
            formula='IF([@Number]<=COUNT(CompareCost),INDEX(ComparePolicy,[@Number])&"","")',
        ),
        Column(
            header="Tracking error", look=number("0.0%"), formula=f"N(INDEX(CompareError,{last}))"
        ),
        Column(
            header="Cost, bp a year", look=number("0.0"), formula=f"N(INDEX(CompareCost,{last}))"
        ),
    ]
    values: list[list[Any]] = [
        list(rows),
        [str(table["policy"][i - 1]) if i <= count else "" for i in rows],
        [_number(table["tracking_error"][min(i, count) - 1]) for i in rows],
        [_number(table["cost_bps"][min(i, count) - 1]) for i in rows],
    ]
    return columns, values


def _table_of(results: Results, title: str) -> dict[str, list[Any]]:
    """A result by its headers."""
    call = next(sheet.call for sheet in SHEETS if sheet.title == title)
    header, *rows = results[call.formula]
    return {str(name): [row[i] for row in rows] for i, name in enumerate(header)}


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
    canvas: Canvas, sheet: Worksheet, results: Results, columns: dict[str, _Series]
) -> list[Spill]:
    write_title(
        canvas,
        sheet,
        TITLE,
        "The policy that trades is the policy that was tested. Past prices only: the best of a sample is "
        "not the best of the next.",
    )
    set_widths(sheet, [3, 16, *[14] * 10])
    figures = dict(zip(*_table_of(results, FIGURE).values(), strict=True))
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
        value = _number(figures[key])
        for row, content, cell_look in (
            (9, label, styles.CARD_LABEL),
            (10, Formula(f'IFERROR({_figure(key, list(figures))},"")', value), look),
        ):
            if last > first:
                canvas.merge(sheet, row, first, last, cell_look)
            canvas.put(sheet, row, first, content, cell_look)
    sheet.row_dimensions[9].height = 16
    sheet.row_dimensions[10].height = 24


def _add_charts(sheet: Worksheet, columns: dict[str, _Series]) -> None:
    def line(header: str, colour: int, **look: Any) -> Line:
        each = columns[header]
        return Line(
            label_ref=f"'{DATA}'!{address(_HEADER, each.column)}",
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


def _ref(each: _Series) -> str:
    last = _FIRST + len(each.values) - 1
    return f"'{DATA}'!{address(_FIRST, each.column)}:{address(last, each.column)}"


def _clouds(columns: dict[str, _Series]) -> list[Cloud]:
    name, x, y = columns["Policy"], columns["Tracking error"], columns["Cost, bp a year"]
    return [
        Cloud(
            label_ref=f"'{DATA}'!{address(_FIRST + i, name.column)}",
            label=name.values[i],
            x_ref=f"'{DATA}'!{address(_FIRST + i, x.column)}",
            x=[x.values[i]],
            y_ref=f"'{DATA}'!{address(_FIRST + i, y.column)}",
            y=[y.values[i]],
            colour=PALETTE[0],
        )
        for i in range(POLICY_ROWS)
    ]
