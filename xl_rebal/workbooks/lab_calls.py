"""The calls of the backtest lab to the add-in, and the sheets that they spill on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.backtest_report import FIGURES
from xl_rebal.workbooks.cells import Canvas, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.template_engine import Call, Results, put_spill
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import flag, protect, underline_used

ROW = 5  # the header row of every spill
END = 100_000  # names reach as far: more rows of prices than any market has had days
FIGURES_END = 100  # more rows than there are figures
NOTE_ROW = 3

_PRICES, _TARGETS = "tblPrices[#All]", "tblTargets[#All]"
_POLICY, _COST, _LIMIT = "LabPolicy", "LabCost", "LabLimit"
FIGURE, EVENTS, PATH = "REBAL backtest", "REBAL events", "REBAL path"
COMPARED, BANDS = "REBAL compare", "REBAL bands"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSheet:
    """A sheet with one table that spills.

    names    defined names of its columns, by header: the charts and cards are made of them.
    formats  number formats by header.
    """

    title: str
    words: str
    call: Call
    widths: tuple[float, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)


def _call(sheet: str, function: str, *arguments: str) -> Call:
    return Call(sheet=sheet, row=ROW, column=1, function=function, arguments=arguments)


_SHARES = dict.fromkeys(
    "cagr volatility max_drawdown turnover tracking_error average_drift max_drift mean_return worst_month "
    "worst_year diversification_return premium_estimate gain_over_never cagr_difference cagr_error "
    "volatility_difference volatility_error growth never drawdown never_drawdown drift_before band "
    "largest_drift rebalanced_at".split(),
    styles.PERCENT,
)
_MONEY = dict.fromkeys("final_value value cost start_value flows".split(), styles.MONEY)
_PLAIN = dict.fromkeys(
    "sharpe sortino rebalances_per_year cost_bps years sharpe_difference sharpe_error charge_bps".split(),
    "0.00",
)
_FORMATS = {**_SHARES, **_MONEY, **_PLAIN, "growth": "0.0000", "never": "0.0000"}

SHEETS = (
    LabSheet(
        title=FIGURE,
        words="The chosen policy on the prices: every figure of the backtest.",
        call=_call(FIGURE, "REBAL_BACKTEST", _PRICES, _TARGETS, _POLICY, _COST),
        widths=(28, 60),
        names={"figure": "FigureName", "value": "FigureValue"},
    ),
    LabSheet(
        title=EVENTS,
        words="Every rebalancing: what fired, the drift before, the trades and their cost.",
        call=_call(EVENTS, "REBAL_BACKTEST", _PRICES, _TARGETS, _POLICY, _COST, '"events"'),
        widths=(13, 34, 20, 13, 12, 16, 12, 90),
        formats=_FORMATS,
    ),
    LabSheet(
        title=PATH,
        words="Every row of the prices: growth of 1, drawdown, drift before trades.",
        call=_call(PATH, "REBAL_BACKTEST", _PRICES, _TARGETS, _POLICY, _COST, '"chart"'),
        widths=(13, *[15.0] * 12),
        names={
            "date": "PathDate",
            "growth": "PathGrowth",
            "never": "PathNever",
            "drawdown": "PathDrawdown",
            "never_drawdown": "PathNeverDrawdown",
            "largest_drift": "PathDrift",
            "band": "PathBand",
            "rebalanced_at": "PathRebalanced",
        },
        formats=_FORMATS,
    ),
    LabSheet(
        title=COMPARED,
        words="The policies of sheet Inputs side by side; differences to the first with standard errors.",
        call=_call(COMPARED, "REBAL_COMPARE", _PRICES, _TARGETS, "tblPolicies[#All]", _COST),
        widths=(20, *[15.0] * 40),
        names={
            "policy": "ComparePolicy",
            "tracking_error": "CompareError",
            "cost_bps": "CompareCost",
        },
        formats=_FORMATS,
    ),
    LabSheet(
        title=BANDS,
        words="Absolute bands from 0.5 to 20 pp, the best first; its note says of what sample.",
        call=_call(BANDS, "REBAL_OPTIMAL_BAND", _PRICES, _TARGETS, _COST, _LIMIT),
        widths=(12, *[14.0] * 13, 90),
        names={"band": "BandWidth"},
        formats=_FORMATS,
    ),
)
WORDS = Call(sheet="Lab", row=0, column=0, function="REBAL_POLICY", arguments=(_POLICY,))
CALLS = (*(sheet.call for sheet in SHEETS), WORDS)


def write_lab_sheets(canvas: Canvas, results: Results) -> list[Spill]:
    """Write the sheets of the add-in and name their columns."""
    return [_write(canvas, each, results) for each in SHEETS]


def _write(canvas: Canvas, each: LabSheet, results: Results) -> Spill:
    sheet = canvas.sheet(each.title, styles.ACCENT_LIGHT)
    write_title(canvas, sheet, each.title, each.words)
    set_widths(sheet, each.widths)
    canvas.put(
        sheet,
        NOTE_ROW,
        1,
        "Needs the xl_rebal add-in. Without it the numbers are those saved with the file. The table "
        "grows downwards: leave the cells below it empty.",
        styles.NOTE,
    )
    rows = results[each.call.formula]
    spill = put_spill(canvas, sheet, each.call, rows, [])
    headers = [str(cell) for cell in rows[0]]
    for column, header in enumerate(headers, start=1):
        look = replace(styles.HEADER, align="left", indent=1) if column == 1 else styles.HEADER
        canvas.styles.apply(sheet.cell(row=ROW, column=column), look)
        format_ = each.formats.get(header, styles.PERCENT if header.startswith("drift ") else "")
        for row in range(ROW + 1, ROW + len(rows)):
            canvas.styles.apply(sheet.cell(row=row, column=column), _plain(format_))
    if each.title == FIGURE:
        _format_figures(canvas, sheet, [str(row[0]) for row in rows])
    first = ROW + 1
    letter = get_column_letter(len(headers))
    underline_used(sheet, f"A{first}:{letter}{ROW + len(rows) + 200}", f'$A{first}<>""')
    flag(sheet, f"A{ROW}", f'LEFT($A${ROW},1)="#"', styles.BAD)
    for header, name in each.names.items():
        place = get_column_letter(headers.index(header) + 1)
        last = FIGURES_END if each.title == FIGURE else END
        define(canvas, name, f"'{each.title}'!${place}${first}:${place}${last}")
    sheet.freeze_panes = f"B{first}"
    set_up_print(sheet, last_column=len(headers), last_row=first, repeat=ROW)
    sheet.print_area = None  # as far as the formula spills
    protect(sheet)
    return spill


def _plain(format_: str) -> Look:
    if not format_:
        return Look(align="left", indent=1)
    return Look(format=format_, align="right")


def _format_figures(canvas: Canvas, sheet: Worksheet, keys: list[str]) -> None:
    """One figure a row: each has a format of its own."""
    formats = {**_FORMATS, **{key: format_ for key, _, format_ in FIGURES}}
    for row, key in enumerate(keys[1:], start=ROW + 1):
        format_ = formats.get(key, styles.GENERAL)
        look = replace(number(format_), align="left", indent=1, line="")
        canvas.styles.apply(sheet.cell(row=row, column=2), look)
