"""Sheet Chart data of the backtest lab: native formulas that give charts fixed cells to point at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, set_widths
from xl_rebal.workbooks.lab_calls import COMPARED, PATH, SHEETS
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_engine import Results
from xl_rebal.workbooks.template_pages import protect

DATA = "Chart data"
POINTS = 240  # of a chart; the lows, highs and trades between two of them are kept
POLICY_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
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
HEADER_ROW = 5
FIRST_ROW = HEADER_ROW + 1
_STEP = f"(MAX(1,COUNT(PathGrowth))-1)/{POINTS - 1}"


def write_chart_data(canvas: Canvas, results: Results) -> dict[str, Series]:
    """Native formulas that pick 240 rows of the path, however long it is, and the compared policies."""
    sheet = canvas.sheet(DATA, styles.GREY)
    write_title(
        canvas,
        sheet,
        DATA,
        "Native formulas: 240 points of sheet REBAL path, evenly spread, with the lows, highs and trades "
        "between two of them; and the policies of sheet REBAL compare.",
    )
    path = table_of(results, PATH)
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
    sheet.freeze_panes = f"E{FIRST_ROW}"
    set_up_print(sheet, last_column=16, last_row=FIRST_ROW + POINTS - 1, repeat=HEADER_ROW)
    protect(sheet)
    found: dict[str, Series] = {}
    for start, named, cells in ((1, columns, values), (len(columns) + 2, compared, more)):
        for offset, (column, held) in enumerate(zip(named, cells, strict=True)):
            found[column.header] = Series(header=column.header, column=start + offset, values=held)
    return found


def _picked(span: str, values: Sequence[Any]) -> float:
    """What a point shows of the rows since the one before: its own value, or the low or high."""
    numbers = [as_number(value) for value in values]
    if not span:
        return numbers[-1]
    return min(0.0, *numbers) if span == "MIN" else max(0.0, *numbers)


def as_number(value: Any) -> float:
    """A number, 0 for anything else."""
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
        row=HEADER_ROW,
        column=column,
        filters=False,
    )


def _compared(results: Results) -> tuple[list[Column], list[list[Any]]]:
    """The policies' names and two figures; rows without a policy repeat the last, without a name."""
    table = table_of(results, COMPARED)
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
        [as_number(table["tracking_error"][min(i, count) - 1]) for i in rows],
        [as_number(table["cost_bps"][min(i, count) - 1]) for i in rows],
    ]
    return columns, values


def table_of(results: Results, title: str) -> dict[str, list[Any]]:
    """A result by its headers."""
    call = next(sheet.call for sheet in SHEETS if sheet.title == title)
    header, *rows = results[call.formula]
    return {str(name): [row[i] for row in rows] for i, name in enumerate(header)}
