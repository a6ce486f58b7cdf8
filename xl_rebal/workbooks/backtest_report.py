"""The workbook of a backtest: figures, charts, every rebalancing, every day; of several policies, side
by side. Figures are the engine's; what can be followed from the days is a formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.backtest.comparison import Comparison
from xl_rebal.backtest.metrics import conventions, never, summary, under_water
from xl_rebal.backtest.run import Run
from xl_rebal.files import write_atomically
from xl_rebal.workbooks import package, styles
from xl_rebal.workbooks.cells import (
    Canvas,
    Content,
    address,
    lines_needed,
    require_rows,
    set_widths,
)
from xl_rebal.workbooks.line_charts import PALETTE, Cloud, Line, line_chart, scatter_chart
from xl_rebal.workbooks.lint import require_clean
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.tables import Column, fit_columns, write_table

TITLE = "Backtest"
BACKTEST, EVENTS, DAYS, POLICIES = "Backtest", "Rebalancings", "Days", "Policies"
CHART_ROWS = 17
# Values that a chart saves of a longer series; the program that opens it reads all of sheet Days.
POINTS = 1000

PERCENT, MONEY = styles.PERCENT, styles.MONEY
# Figures in the order of the sheet: key, words, format.
FIGURES: tuple[tuple[str, str, str], ...] = (
    ("final_value", "Final value", MONEY),
    ("cagr", "CAGR (geometric)", PERCENT),
    ("volatility", "Volatility", PERCENT),
    ("sharpe", "Sharpe ratio", "0.00"),
    ("sortino", "Sortino ratio", "0.00"),
    ("max_drawdown", "Largest drawdown", PERCENT),
    ("drawdown_peak", "… its peak", styles.TEXT),
    ("drawdown_trough", "… its trough", styles.TEXT),
    ("drawdown_recovery", "… recovered on", styles.TEXT),
    ("worst_month", "Worst month", PERCENT),
    ("worst_month_is", "… which was", styles.TEXT),
    ("worst_year", "Worst year", PERCENT),
    ("worst_year_is", "… which was", styles.TEXT),
    ("rebalances", "Rebalancings", styles.COUNT),
    ("rebalances_per_year", "… a year", "0.00"),
    ("turnover", "One-way turnover a year", PERCENT),
    ("cost", "Cost", MONEY),
    ("cost_bps", "… in basis points a year", "0.00"),
    ("average_drift", "Average drift", PERCENT),
    ("max_drift", "Largest drift", PERCENT),
    ("days_outside", "Days that end outside a band", styles.COUNT),
    ("tracking_error", "Tracking error to the target", PERCENT),
    ("diversification_return", "Diversification return", PERCENT),
    ("premium_estimate", "… its estimate from variances", PERCENT),
    ("gain_over_never", "CAGR over never rebalancing", styles.DRIFT),
)


def build_backtest_report(run: Run) -> bytes:
    """The workbook of one policy, the same bytes for the same run."""
    canvas = Canvas()
    sheet = canvas.sheet(BACKTEST, styles.ACCENT)
    _write_events(canvas, run)
    picked = _picked(run)
    _write_days(canvas, run)
    _write_summary(canvas, sheet, run, picked)
    return _saved(canvas)


def build_comparison_report(found: Comparison) -> bytes:
    """The workbook of several policies."""
    canvas = Canvas()
    _write_policies(canvas, found)
    return _saved(canvas)


def write_backtest_report(run: Run, path: Path | str, *, overwrite: bool = False) -> None:
    """Build the workbook of a run and put it at `path`, whole or not at all."""
    write_atomically(path, build_backtest_report(run), overwrite=overwrite)


def write_comparison_report(
    found: Comparison, path: Path | str, *, overwrite: bool = False
) -> None:
    """Build the workbook of a comparison and put it at `path`, whole or not at all."""
    write_atomically(path, build_comparison_report(found), overwrite=overwrite)


def _saved(canvas: Canvas) -> bytes:
    canvas.styles.close(canvas.workbook)
    for sheet in canvas.workbook.worksheets:
        require_rows(sheet)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    data = package.save(canvas.workbook, canvas.values, title=TITLE)
    require_clean(data)
    return data


# -- one policy -----------------------------------------------------------------------------------


def _write_summary(canvas: Canvas, sheet: Worksheet, run: Run, picked: Sequence[int]) -> None:
    write_title(canvas, sheet, TITLE, run.policy.in_words())
    set_widths(sheet, [30, 20, 3, *[13] * 8])
    facts = (
        ("Targets", run.market.targets.in_words()),
        ("Costs", run.settings.costs.in_words()),
        ("Sample", f"{run.market.day(0)} to {run.market.day(-1)}, {len(run.market.dates)} rows"),
        ("Notes", "; ".join(run.market.notes) or "none"),
        ("Conventions", conventions(run.market)),
    )
    row = 4
    for label, words in facts:
        canvas.put(sheet, row, 1, label, styles.LABEL_TOP)
        canvas.merge(sheet, row, 2, 11, styles.WORDS)
        canvas.put(sheet, row, 2, words, styles.WORDS)
        sheet.row_dimensions[row].height = 13.5 * lines_needed(words, 120) + 3
        row += 1
    row += 1
    canvas.put(sheet, row, 1, "Figure", styles.HEADER)
    canvas.put(sheet, row, 2, "Value", styles.HEADER)
    top = row
    figures = summary(run)
    for key, words, format_ in FIGURES:
        row += 1
        canvas.put(sheet, row, 1, words, styles.BODY_TEXT)
        canvas.put(sheet, row, 2, _content(figures[key]), _right(format_))
    for place, chart in enumerate(_charts(run, picked)):
        first = top - 1 + place * (CHART_ROWS + 1)
        chart.anchor = TwoCellAnchor(
            editAs="oneCell",
            _from=AnchorMarker(col=3, row=first),
            to=AnchorMarker(col=11, row=first + CHART_ROWS),
        )
        sheet.add_chart(chart)
    last = max(row, top + 3 * (CHART_ROWS + 1))
    set_up_print(sheet, last_column=11, last_row=last)
    sheet.page_setup.fitToHeight = 1


def _right(format_: str) -> Look:
    return number(format_)


def _content(value: Any) -> Content:
    return "" if value is None else value


def _picked(run: Run) -> list[int]:
    """The rows whose values charts save: POINTS at most, spread evenly, and every rebalancing's own."""
    days = len(run.market.dates)
    step = max(1, -(-days // POINTS))
    return sorted({*range(0, days, step), days - 1, *run.day.tolist()})


def _day_columns(run: Run) -> dict[str, tuple[Look, list[Content]]]:
    """What sheet Days holds, by header."""
    left_alone = never(run)
    growth = run.growth
    percent = number(PERCENT)
    found: dict[str, tuple[Look, list[Content]]] = {
        "Date": (styles.BODY_TEXT, list(run.market.dates.astype(str).tolist())),
        "Value": (number(MONEY), list(run.value.tolist())),
        "Growth": (number("0.0000"), list(growth.tolist())),
        "Never rebalanced": (number("0.0000"), list(left_alone.tolist())),
        "Drawdown": (percent, list(under_water(growth).tolist())),
        "Drawdown, never": (percent, list(under_water(left_alone).tolist())),
    }
    for name, drift in zip(run.market.names[:-1], run.drift[:-1].tolist(), strict=True):
        found[f"Drift {name}"] = (number(styles.DRIFT), list(drift))
    band = run.common_band
    if band is not None:
        count = len(run.market.dates)
        found["Upper edge"] = (percent, [band] * count)
        found["Lower edge"] = (percent, [-band] * count)
    marks: list[Content] = [None] * len(run.market.dates)
    for day in run.day.tolist():
        column = run.drift[:-1, day]
        marks[day] = float(column[int(np.argmax(np.abs(column)))])
    found["Rebalanced at"] = (number(styles.DRIFT), marks)
    return found


def _write_days(canvas: Canvas, run: Run) -> None:
    sheet = canvas.sheet(DAYS, styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        DAYS,
        "Every row of the prices at its close: value with trades and costs done; drift before the trades.",
    )
    columns = _day_columns(run)
    placed = write_table(
        canvas,
        sheet,
        name="tblDays",
        columns=[Column(header=name, look=look) for name, (look, _) in columns.items()],
        rows=list(zip(*(cells for _, cells in columns.values()), strict=True)),
        row=4,
    )
    fit_columns(sheet, [placed], {})
    sheet.freeze_panes = "B5"
    set_up_print(sheet, last_column=len(columns), last_row=placed.last_row, repeat=4)


def _write_events(canvas: Canvas, run: Run) -> None:
    sheet = canvas.sheet(EVENTS, styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        EVENTS,
        "Each rebalancing: what fired, how far the furthest class had drifted.",
    )
    rows: list[list[Content]] = [
        [
            row["date"],
            row["rule"],
            row["asset_class"],
            row["drift_before"],
            row["turnover"],
            row["value"],
            row["cost"],
            "; ".join(f"{t['action']} {t['symbol']} {t['value']:,.2f}" for t in row["trades"]),
        ]
        for row in run.rebalances()
    ]
    if not rows:
        rows = [["none", "the rule never fired", *[None] * 6]]
    columns = (
        Column(header="Date", look=styles.BODY_TEXT),
        Column(header="Fired", look=styles.BODY_TEXT),
        Column(header="Furthest class", look=styles.BODY_TEXT),
        Column(header="Drift before", look=number(styles.DRIFT)),
        Column(header="Turnover", look=number(PERCENT)),
        Column(header="Value before", look=number(MONEY)),
        Column(header="Cost", look=number(MONEY)),
        Column(header="Trades", look=styles.BODY_TEXT),
    )
    placed = write_table(canvas, sheet, name="tblRebalancings", columns=columns, rows=rows, row=4)
    fit_columns(sheet, [placed], {"Trades": 90, "Fired": 60})
    sheet.freeze_panes = "B5"
    set_up_print(sheet, last_column=len(columns), last_row=placed.last_row, repeat=4)


def _charts(run: Run, picked: Sequence[int]) -> list[Any]:
    """Growth, drawdown and drift on sheet Days; a chart of many rows saves some of its values only."""
    columns = _day_columns(run)
    names = list(columns)
    last = 4 + len(run.market.dates)

    def line(header: str, place: int, **look: Any) -> Line:
        letter = names.index(header) + 1
        return Line(
            label_ref=address(4, letter, sheet=DAYS),
            label=header,
            ref=f"{address(5, letter, sheet=DAYS)}:{address(last, letter)}",
            values=_saved_points(columns[header][1], picked),
            colour=PALETTE[place % len(PALETTE)],
            **look,
        )

    dates = f"{address(5, 1, sheet=DAYS)}:{address(last, 1)}"
    days = [str(day) for day in columns["Date"][1]]
    drifts = [
        line(name, i, width=1.25)
        for i, name in enumerate(n for n in names if n.startswith("Drift "))
    ]
    for header in ("Upper edge", "Lower edge"):
        if header in columns:
            drifts.append(line(header, 5, dash=True, width=1.0))
    drifts.append(line("Rebalanced at", 6, points=True))
    shared: dict[str, Any] = {"categories_ref": dates, "categories": days}
    return [
        line_chart(
            title="Growth of 1",
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
        line_chart(title="Drift, bands and trades", axis_format="0.0%", lines=drifts, **shared),
    ]


def _saved_points(values: Sequence[Content], picked: Sequence[int]) -> list[float | str | None]:
    kept: list[float | str | None] = [None] * len(values)
    for row in picked:
        value = values[row]
        kept[row] = value if isinstance(value, float) else None
    return kept


# -- several policies -----------------------------------------------------------------------------

_COMPARED: tuple[tuple[str, str, str], ...] = (
    ("policy", "Policy", styles.TEXT),
    ("cagr", "CAGR", PERCENT),
    ("volatility", "Volatility", PERCENT),
    ("sharpe", "Sharpe", "0.00"),
    ("max_drawdown", "Drawdown", PERCENT),
    ("rebalances_per_year", "Rebalanced a year", "0.00"),
    ("turnover", "Turnover a year", PERCENT),
    ("cost_bps", "Cost bp a year", "0.00"),
    ("tracking_error", "Tracking error", PERCENT),
    ("max_drift", "Largest drift", PERCENT),
    ("cagr_difference", "CAGR against the first", styles.DRIFT),
    ("cagr_error", "± standard error", PERCENT),
    ("volatility_difference", "Volatility against the first", styles.DRIFT),
    ("volatility_error", "± standard error of it", PERCENT),
    ("verdict", "In words", styles.TEXT),
)


def _write_policies(canvas: Canvas, found: Comparison) -> None:
    sheet = canvas.sheet(POLICIES, styles.ACCENT)
    write_title(canvas, sheet, "Policies compared", found.market.targets.in_words())
    rows = found.rows()
    row = 4
    notes = [found.runs[0].settings.costs.in_words(), conventions(found.market), *found.notes()]
    for words in notes:
        canvas.put(sheet, row, 1, words, styles.NOTE)
        row += 1
    placed = write_table(
        canvas,
        sheet,
        name="tblPolicies",
        columns=[
            Column(
                header=title, look=styles.BODY_TEXT if format_ == styles.TEXT else number(format_)
            )
            for _, title, format_ in _COMPARED
        ],
        rows=[[_content(each[key]) for key, _, _ in _COMPARED] for each in rows],
        row=row + 1,
    )
    fit_columns(sheet, [placed], {"In words": 60})
    chart = scatter_chart(
        title="Cost against tracking error",
        x_title="Tracking error a year",
        y_title="Cost, bp a year",
        x_format="0.0%",
        y_format="0.0",
        clouds=[_point(placed.first_row + i, i, each) for i, each in enumerate(rows)],
    )
    top = placed.last_row + 1
    chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
        editAs="oneCell",
        _from=AnchorMarker(col=0, row=top),
        to=AnchorMarker(col=8, row=top + CHART_ROWS + 4),
    )
    sheet.add_chart(chart)
    set_up_print(sheet, last_column=len(_COMPARED), last_row=top + CHART_ROWS + 5)
    sheet.page_setup.fitToHeight = 1


def _point(row: int, place: int, figures: Mapping[str, Any]) -> Cloud:
    keys = [key for key, _, _ in _COMPARED]
    x, y = keys.index("tracking_error") + 1, keys.index("cost_bps") + 1
    return Cloud(
        label_ref=address(row, 1, sheet=POLICIES),
        label=figures["policy"],
        x_ref=address(row, x, sheet=POLICIES),
        x=[figures["tracking_error"]],
        y_ref=address(row, y, sheet=POLICIES),
        y=[figures["cost_bps"]],
        colour=PALETTE[place % len(PALETTE)],
    )
