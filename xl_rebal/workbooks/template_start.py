"""Sheet Start: what the workbook is, what to do, what state it is in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.template_engine import (
    DRIFT,
    SHEETS,
    TRADES,
    WEIGHTS,
    Call,
    Results,
)
from xl_rebal.workbooks.template_inputs import INPUT_FILL, define
from xl_rebal.workbooks.template_pages import flag, protect, write_steps

NAME = "Start"
LAST = 8  # column H
WIDTHS = [3, 20, 18, 18, 18, 18, 18, 18]

VERSION = 'IFERROR(REBAL_VERSION(),"")'
NOT_LOADED = (
    "xl_rebal add-in not loaded: in Excel the sheets REBAL … show numbers saved with this file, in "
    "LibreOffice #NAME?. Install the add-in (the extension), then press Ctrl+Alt+F9 (Ctrl+Shift+F9). "
    "All other sheets work without it."
)
CUT_SHORT = (
    "REBAL sheets do not show everything: in LibreOffice, unprotect them (no password) and enter the "
    "array formulas again over more rows; in Excel, empty the cells below them. The figures here are "
    "complete."
)
_CUT = ",".join(
    f"IFERROR(COUNT({shown})<{wanted},FALSE)"
    for shown, wanted in (
        ("RebalDriftValue", "AddInDriftRows"),
        ("RebalTradesQuantity", "AddInTrades"),
        ("RebalWeightsValue", "AddInWeightRows"),
    )
)
LINE = (
    f'IF(AND(LEN(AddInVersion)>0,LEFT(AddInVersion,1)<>"#"),IF(OR({_CUT}),"{CUT_SHORT}",'
    '"xl_rebal "&AddInVersion&" is loaded: the sheets REBAL … are live."),'
    f'"{NOT_LOADED}")'
)
_EXAMPLES = 'SUMPRODUCT(--(LEFT(HoldingAccount,7)="EXAMPLE"))'
EXAMPLES = (
    f'IF({_EXAMPLES}>0,"The tables hold invented EXAMPLE rows: paste your own over them.",'
    '"Your own holdings: "&SUMPRODUCT(--(HoldingSymbol<>""))&" rows.")'
)
INPUTS = (
    'IF(InputFaults=0,"All checks of the inputs pass.",InputFaults&" of "&ROWS(tblChecks[Check])'
    '&" checks fail: see sheet Checks.")'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number computed from a function of the add-in inside one cell, whatever its table spills to.

    result  of the column's numbers, with {} for the column.
    """

    name: str
    words: str
    call: Call
    header: str
    result: str
    format: str = styles.COUNT

    def formula(self, results: Results) -> str:
        """#N/A for an error text, which has no second column."""
        column = [str(cell) for cell in results[self.call.formula][0]].index(self.header) + 1
        picked = f"INDEX({self.call.formula},0,{column})"
        return f"IFERROR({self.result.format(picked)},NA())"

    def value(self, results: Results) -> float:
        """What it comes to with the example."""
        rows = results[self.call.formula]
        column = rows[0].index(self.header)
        numbers = [row[column] for row in rows[1:] if isinstance(row[column], (int, float))]
        total = sum(float(number) for number in numbers if not isinstance(number, str | None))
        return total if self.result == _SUM else float(len(numbers))


_SUM, _COUNT = "SUM({})", "COUNT({})"
_CALLS = {sheet.title: sheet.call for sheet in SHEETS}
_TRADE_ROWS = "SUMPRODUCT(ISNUMBER({0})*({0}<>0))"
FIGURES = (
    Figure(
        name="AddInTotal",
        words="Total, by the add-in",
        call=_CALLS[DRIFT],
        header="value",
        result=_SUM,
        format=styles.MONEY,
    ),
    Figure(
        name="AddInTrades",
        words="Trades",
        call=_CALLS[TRADES],
        header="quantity",
        result=_TRADE_ROWS,
    ),
    Figure(
        name="AddInTraded",
        words="Bought and sold",
        call=_CALLS[TRADES],
        header="value",
        result=_SUM,
        format=styles.MONEY,
    ),
    Figure(
        name="AddInCost",
        words="Cost of the trades",
        call=_CALLS[TRADES],
        header="cost",
        result=_SUM,
        format=styles.MONEY,
    ),
    Figure(
        name="AddInDriftRows",
        words="Rows of REBAL drift",
        call=_CALLS[DRIFT],
        header="value",
        result=_COUNT,
    ),
    Figure(
        name="AddInWeightRows",
        words="Rows of REBAL weights",
        call=_CALLS[WEIGHTS],
        header="value",
        result=_COUNT,
    ),
)
STEPS = (
    ("1", "Holdings", "Paste your positions over the example rows; give each row an asset class."),
    (
        "2",
        "Targets",
        "Enter target weights that sum to 100%, and the policy that says when to act.",
    ),
    ("3", "Drift", "Read weights, drifts, bands and status. Choose one account or all."),
    ("4", "REBAL trades", "With the add-in: whole-share trades that work out in cash after costs."),
    (
        "5",
        "Buttons",
        "Tab Rebalance: Generate Trades writes sheet Trades; edit, verify, export orders.",
    ),
)
PLACES = (
    ("Holdings, Targets", "input", "Positions; target weights, bands and policy."),
    (
        "Rules",
        "input",
        "Costs, a cash flow, a date, restrictions, your own classes (for the add-in).",
    ),
    ("Drift", "native", "Weights, drift, bands, status and charts."),
    ("Weights", "native", "Each holding with its value, weight and the target that it counts in."),
    ("REBAL drift, trades", "add-in", "The engine's drift for every policy; trades with reasons."),
    ("REBAL cash flow", "add-in", "Trades that invest a contribution or raise a withdrawal."),
    ("REBAL weights, classes", "add-in", "Classes of well-known funds, values and weights."),
    (
        "Trades, Plan",
        "button",
        "Made by Generate Trades: a verified plan that may be edited and verified.",
    ),
    ("Checks", "native", "What is wrong with the inputs, and what to do about it."),
)


def write_start(canvas: Canvas, results: Results) -> list[Spill]:
    """Write the sheet; the spills are the add-in's version, saved as not there, and figures."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        "Portfolio rebalancing",
        "Positions in, drift and trades out. No macros; the sheets in native formulas work in any Excel "
        "from 2013 on.",
    )
    set_widths(sheet, WIDTHS)
    outside = sum(row["status"] != "within" for row in template_example.drift_rows())
    count = len(template_example.TARGETS) - 1
    lines = (
        ("Add-in", LINE, NOT_LOADED),
        ("Holdings", EXAMPLES, "The tables hold invented EXAMPLE rows: paste your own over them."),
        ("Inputs", INPUTS, "All checks of the inputs pass."),
        ("Drift", "DriftStatus", f"{outside} of {count} classes outside its band"),
    )
    row = 4
    for label, formula, value in lines:
        canvas.put(sheet, row, 2, label, styles.LABEL)
        look = Look(bold=True, align="left", wrap=True)
        canvas.merge(sheet, row, 3, LAST, look)
        canvas.put(sheet, row, 3, Formula(formula, value), look)
        sheet.row_dimensions[row].height = 30 if label == "Add-in" else 18
        row += 1
    flag(sheet, "C4:H4", 'LEFT($C$4,16)="xl_rebal add-in "', styles.WARN)
    flag(sheet, "C4:H4", 'LEFT($C$4,12)="REBAL sheets"', styles.BAD)
    flag(sheet, "C5:H5", 'LEFT($C$5,10)="The tables"', styles.WARN)
    flag(sheet, "C6:H6", 'LEFT($C$6,3)<>"All"', styles.BAD)
    flag(sheet, "C6:H6", 'LEFT($C$6,3)="All"', styles.GOOD)
    flag(sheet, "C7:H7", 'LEFT($C$7,5)<>"Every"', styles.WARN)
    _cards(canvas, sheet, results, row + 1)
    row = write_steps(canvas, sheet, row + 4, STEPS, title="In one minute", last=LAST, height=18)
    row = _places(canvas, sheet, row + 1)
    row = _colours(canvas, sheet, row + 1)
    canvas.put(sheet, row, 2, "Add-in version", styles.NOTE)
    version = Look(size=9, colour=styles.MUTED, align="left")
    canvas.put(sheet, row, 3, Formula(VERSION, ""), version)
    define(canvas, "AddInVersion", address(row, 3, sheet=NAME))
    spills = [Spill(sheet=NAME, row=row, column=3, values=[[""]])]
    for figure in FIGURES:
        row += 1
        canvas.put(sheet, row, 2, figure.words, styles.NOTE)
        number = figure.value(results)
        look = replace(version, format=figure.format)
        canvas.put(sheet, row, 3, Formula(figure.formula(results), number), look)
        define(canvas, figure.name, address(row, 3, sheet=NAME))
        spills.append(Spill(sheet=NAME, row=row, column=3, values=[[number]]))
    set_up_print(sheet, last_column=LAST, last_row=row)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return spills


def _cards(canvas: Canvas, sheet: Worksheet, results: Results, row: int) -> None:
    total = sum(template_example.value_of(each) for each in template_example.HOLDINGS[1:])
    figures = {figure.name: figure for figure in FIGURES}
    cards: list[tuple[int, str, str, float, str]] = [
        (2, "Total value", "Base", total, styles.MONEY)
    ]
    for first, label, name in (
        (4, "Total, by the add-in", "AddInTotal"),
        (5, "Trades, by the add-in", "AddInTrades"),
        (6, "Bought and sold", "AddInTraded"),
        (8, "Cost of the trades", "AddInCost"),
    ):
        figure = figures[name]
        formula = f"IF(ISNUMBER({name}),{name},NA())"
        cards.append((first, label, formula, figure.value(results), figure.format))
    lasts = {2: 3, 6: 7}
    for first, label, formula, value, format_ in cards:
        look = Look(
            format=format_,
            size=styles.CARD_VALUE.size,
            bold=True,
            colour=styles.ACCENT,
            fill=styles.PALE,
            align="center",
        )
        for offset, content, cell_look in (
            (0, label, styles.CARD_LABEL),
            (1, Formula(formula, value), look),
        ):
            if first in lasts:
                canvas.merge(sheet, row + offset, first, lasts[first], cell_look)
            canvas.put(sheet, row + offset, first, content, cell_look)
    sheet.row_dimensions[row].height = 16
    sheet.row_dimensions[row + 1].height = 24
    flag(sheet, f"B{row + 1}:H{row + 1}", f"ISERROR(B${row + 1})", (styles.GREY, styles.PALE))


def _places(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 2, "The sheets", styles.HEADING)
    row += 1
    for column, words in ((2, "Sheet"), (3, "Works"), (4, "What it shows")):
        canvas.put(sheet, row, column, words, styles.HEADER)
    canvas.merge(sheet, row, 4, LAST, styles.HEADER)
    canvas.put(sheet, row, 4, "What it shows", styles.HEADER)
    works = {"input": "you type here", "native": "without the add-in", "add-in": "with the add-in"}
    works["button"] = "by a button"
    for place, kind, words in PLACES:
        row += 1
        texts: tuple[Content, Content, Content] = (place, works[kind], words)
        for column, text in zip((2, 3, 4), texts, strict=True):
            look = Look(align="left", line=styles.LINE, bold=column == 2)
            if column == 4:
                canvas.merge(sheet, row, 4, LAST, look)
            canvas.put(sheet, row, column, text, look)
    return row + 1


def _colours(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 2, "Colours", styles.HEADING)
    legend = (
        ("your input", Look(colour=styles.INPUT, fill=INPUT_FILL, align="center")),
        ("computed", Look(align="center", line=styles.LINE)),
        ("within", Look(align="center", line=styles.LINE)),
        ("above its band", Look(align="center", colour=styles.WARN[0], fill=styles.WARN[1])),
        ("below, or wrong", Look(align="center", colour=styles.BAD[0], fill=styles.BAD[1])),
    )
    for column, (words, look) in enumerate(legend, start=3):
        canvas.put(sheet, row, column, words, look)
    row += 1
    canvas.put(
        sheet,
        row,
        3,
        "Computed sheets are protected without a password, so that a slip of the key changes nothing.",
        styles.NOTE,
    )
    return row + 1
