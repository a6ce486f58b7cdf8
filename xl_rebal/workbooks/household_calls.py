"""The household template's calls to the add-in, and the sheets that they spill on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.pages import set_up_print, show_whole, write_title
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.template_engine import Call, Results, put_spill
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import flag, flag_word, protect, quiet, underline_used

ROW = 6  # the header row of a spill
END = 2000  # names reach as far
NOTE_ROW = 3
PLAN, PLAN_FIGURES, NOTES, CLASSES = "Plan", "Plan figures", "Plan notes", "Plan classes"
GAINS, HARVEST, WASH_SALES = "REBAL gains", "REBAL harvest", "REBAL wash sales"
WASH_NOTHING = "No trades stand on sheet History."
SEVERAL_RETURNS = (
    "There are several tax returns, and REBAL_TAX is of one: the figures at the left are the sum "
    "of all."
)

# Names of the columns that other sheets read, by header.
PLAN_NAMES = {
    "account": "PlanAccount",
    "symbol": "PlanSymbol",
    "action": "PlanAction",
    "quantity": "PlanQuantity",
    "value": "PlanValue",
    "cost": "PlanCost",
    "gain": "PlanGain",
    "tax": "PlanTax",
}
FIGURE_NAMES = {"figure": "FigureName", "value": "FigureValue"}
WAY_NAMES = {
    "approach": "WayName",
    "tax_now": "WayTax",
    "deferred_gain": "WayDeferred",
    "loss_carried": "WayCarried",
    "drift_left": "WayDrift",
    "what": "WayWords",
}
CLASS_NAMES = {
    "asset_class": "ClassName",
    "target": "ClassTarget",
    "weight_before": "ClassBefore",
    "weight": "ClassAfter",
}
NOTE_NAMES = {"kind": "NoteKind", "words": "NoteWords"}

FORMATS: Mapping[str, str] = {
    **dict.fromkeys(
        "value cost gain tax tax_now deferred_gain loss_carried loss tax_value disallowed allowed "
        "value_before amount idle_cash".split(),
        styles.MONEY,
    ),
    **dict.fromkeys("quantity replacement_quantity".split(), styles.QUANTITY),
    **dict.fromkeys("price unit_cost limit_price".split(), styles.PRICE),
    **dict.fromkeys(
        "target weight_before weight lower upper drift_left loss_fraction excess".split(),
        styles.PERCENT,
    ),
    **dict.fromkeys("drift drift_before class_change".split(), styles.DRIFT),
    **dict.fromkeys("days_to_long breaches accounts wave orders".split(), styles.COUNT),
}
WRAPPED = frozenset({"reason", "words", "what", "why", "cause"})
CENTRED = frozenset("action term status verdict kind need mode order_type time_in_force".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One formula that spills; `names` of its columns, by header."""

    call: Call
    heading: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpillSheet:
    """A sheet of the add-in; only its last block may grow. So many rows are formatted ahead."""

    title: str
    words: str
    blocks: tuple[Block, ...]
    widths: tuple[float, ...]
    formatted: int = 60


_TABLES = (
    "tblAccounts[#All]",
    "tblLots[#All]",
    "tblSecurities[#All]",
    "tblTargets[#All]",
    "tblPolicy[#All]",
    "tblTaxProfile[#All]",
    "AsOf",
    "tblHistory[#All]",
    "tblRestrictions[#All]",
    "tblPlanSettings[#All]",
)
_ACCOUNTS, _LOTS, _SECURITIES, _, _, _PROFILE, _AS_OF, _HISTORY, _, _ = _TABLES


def _call(sheet: str, function: str, *arguments: str, row: int = ROW, column: int = 1) -> Call:
    return Call(sheet=sheet, row=row, column=column, function=function, arguments=arguments)


def _plan(sheet: str, output: str, *, row: int = ROW, column: int = 1) -> Call:
    more = (f'"{output}"',) if output else ()
    return _call(sheet, "REBAL_HOUSEHOLD", *_TABLES, *more, row=row, column=column)


TAX = replace(
    _call(PLAN_FIGURES, "REBAL_TAX", "tblGains[#All]", _PROFILE, row=ROW + 9, column=4),
    instead=("ReturnCount>1", SEVERAL_RETURNS),
)
SHEETS = (
    SpillSheet(
        title=PLAN,
        words="The orders, lot by lot: verified, whole shares, cash true in every account. Each with its "
        "reason and the lots that were left alone.",
        blocks=(Block(call=_plan(PLAN, ""), names=PLAN_NAMES),),
        widths=(18, 9, 8, 12, 11, 11, 15, 10, 15, 8, 13, 92),
    ),
    SpillSheet(
        title=PLAN_FIGURES,
        words="What the plan comes to, the other ways that it is compared with, and the tax of its gains "
        "once more.",
        blocks=(
            Block(call=_plan(PLAN_FIGURES, "figures"), names=FIGURE_NAMES),
            Block(
                call=_plan(PLAN_FIGURES, "ways", column=4),
                heading="Ways to rebalance",
                names=WAY_NAMES,
            ),
            Block(
                call=TAX,
                heading="REBAL_TAX of the plan's gains, by itself",
                names={"item": "TaxItem", "amount": "TaxAmount"},
            ),
        ),
        widths=(20, 60, 3, 24, 14, 15, 14, 11, 11, 60),
    ),
    SpillSheet(
        title=NOTES,
        words="Days before which nothing may be bought back, what the plan did not do and why, what limits "
        "cost.",
        blocks=(Block(call=_plan(NOTES, "notes"), names=NOTE_NAMES),),
        widths=(12, 10, 13, 120),
    ),
    SpillSheet(
        title=CLASSES,
        words="Every class before and after the plan, by the engine.",
        blocks=(Block(call=_plan(CLASSES, "classes"), names=CLASS_NAMES),),
        widths=(22, 10, 16, 12, 12, 16, 11, 11, 11, 11, 11, 50),
    ),
    SpillSheet(
        title=GAINS,
        words="The unrealised gain of every lot in taxable accounts, short or long on the day of the trades.",
        blocks=(
            Block(
                call=_call(GAINS, "REBAL_GAINS", _LOTS, _SECURITIES, _AS_OF, _ACCOUNTS),
                names={"gain": "LotGain", "term": "LotTerm"},
            ),
        ),
        widths=(20, 10, 13, 13, 12, 12, 16, 16, 9, 14),
    ),
    SpillSheet(
        title=HARVEST,
        words="Every lot at a loss: worth taking now, by what replacement, or from when.",
        blocks=(
            Block(
                call=_call(
                    HARVEST,
                    "REBAL_HARVEST",
                    _LOTS,
                    _SECURITIES,
                    _HISTORY,
                    _AS_OF,
                    "",
                    _ACCOUNTS,
                    _PROFILE,
                ),
                names={"loss": "HarvestLoss", "verdict": "HarvestVerdict"},
            ),
        ),
        widths=(18, 9, 12, 11, 11, 11, 13, 14, 8, 14, 12, 10, 13, 21, 14, 15, 60),
    ),
    SpillSheet(
        title=WASH_SALES,
        words="The sales of sheet History: what purchases within 30 days disallow. In an IRA the loss is "
        "gone for good.",
        blocks=(
            Block(
                call=replace(
                    _call(WASH_SALES, "REBAL_WASHSALES", _HISTORY, _ACCOUNTS, _SECURITIES),
                    instead=("COUNT(HistoryDate)=0", WASH_NOTHING),
                ),
                names={"disallowed": "WashDisallowed"},
            ),
        ),
        widths=(20, 10, 13, 13, 15, 15, 15, 9),
    ),
)
CALLS = tuple(block.call for sheet in SHEETS for block in sheet.blocks)
NOTE = (
    "Needs the xl_rebal add-in. Without it the numbers are those saved with the file. Tables grow "
    "downwards: leave the cells below them empty."
)


def write_spill_sheet(canvas: Canvas, each: SpillSheet, results: Results) -> list[Spill]:
    """Write a sheet of the add-in and name its columns."""
    sheet = canvas.sheet(each.title, styles.ACCENT_LIGHT)
    write_title(canvas, sheet, each.title, each.words)
    canvas.put(sheet, NOTE_ROW, 1, NOTE, styles.NOTE)
    set_widths(sheet, each.widths)
    spills = [_block(canvas, sheet, block, results, each) for block in each.blocks]
    last = max(s.column + s.width - 1 for s in spills)
    sheet.freeze_panes = f"A{ROW + 1}"
    set_up_print(sheet, last_column=last, last_row=ROW + 1)
    sheet.print_area = None  # as far as the formulas spill
    protect(sheet)
    return spills


def _block(
    canvas: Canvas, sheet: Worksheet, block: Block, results: Results, each: SpillSheet
) -> Spill:
    call = block.call
    rows = results[call.formula]
    spill = put_spill(canvas, sheet, call, rows, [])
    if block.heading:
        canvas.put(sheet, call.row - 1, call.column, block.heading, styles.HEADING)
    headers = [str(cell) for cell in rows[0]]
    alone = len(each.blocks) == 1
    end = END if alone else call.row + len(rows) - 1
    first = call.row + 1
    for offset, header in enumerate(headers):
        column = call.column + offset
        letter = get_column_letter(column)
        look = column_look(header)
        title = styles.HEADER
        if look.align == "left":
            title = replace(title, align="left", indent=1)
        canvas.styles.apply(sheet.cell(row=call.row, column=column), title)
        for row in range(
            first, first + (max(each.formatted, len(rows)) if alone else len(rows) - 1)
        ):
            canvas.styles.apply(sheet.cell(row=row, column=column), quiet(look))
        if FORMATS.get(header) == styles.QUANTITY:
            show_whole(sheet, f"{letter}{first}:{letter}{end}", line=True)
        if header in ("gain", "status", "verdict", "need"):
            _signal(sheet, header, f"{letter}{first}:{letter}{end}")
        if header in block.names:
            place = f"'{sheet.title}'!${letter}${first}:${letter}${end}"
            define(canvas, block.names[header], place)
    _format_mixed(canvas, sheet, call, rows)
    if headers[0] == "figure":  # three texts stand above the numbers
        for row in range(first, first + 3):
            sheet.row_dimensions[row].height = 28
    a, z = get_column_letter(call.column), get_column_letter(call.column + len(headers) - 1)
    used = f'${a}{first}<>""'
    underline_used(sheet, f"{a}{first}:{z}{end}", used)
    corner = f"{a}{call.row}"
    flag(sheet, corner, f'LEFT(${a}${call.row},1)="#"', styles.BAD)
    if alone and WRAPPED & set(headers):
        for row in range(first, first + each.formatted):
            sheet.row_dimensions[row].height = 28  # two lines, whatever the plan says
    return spill


def column_look(header: str) -> Look:
    """How a column of a plan's table looks."""
    if header in FORMATS:
        return number(FORMATS[header])
    if header in CENTRED:
        return styles.BODY_STATUS
    return styles.BODY_WRAP if header in WRAPPED else styles.BODY_TEXT


def _signal(sheet: Worksheet, header: str, cells: str) -> None:
    words = {
        "status": (("above", styles.WARN), ("below", styles.BAD)),
        "verdict": (("harvest", styles.GOOD), ("wait", styles.WARN)),
        "need": (
            ("rebalance", styles.BAD),
            ("replace", styles.BAD),
            ("failed", styles.BAD),
            ("raise cash", styles.WARN),
            ("invest", styles.WARN),
        ),
    }
    for word, colours in words.get(header, ()):
        flag_word(sheet, cells, word, colours)


def _format_mixed(
    canvas: Canvas, sheet: Worksheet, call: Call, rows: Sequence[Sequence[object]]
) -> None:
    """Figures and the parts of a tax stand one below the other: each has a format of its own."""
    headers = [str(cell) for cell in rows[0]]
    if headers not in (["figure", "value"], ["item", "amount"]):
        return
    for row, line in enumerate(rows[1:], start=call.row + 1):
        look = figure_look(str(line[0]), line[1])
        canvas.styles.apply(sheet.cell(row=row, column=call.column + 1), quiet(look))


def figure_look(name: str, value: object) -> Look:
    """How one figure of a plan or of a tax looks."""
    if isinstance(value, str):
        return styles.BODY_WRAP
    if name in ("drift_before", "drift_after") or name.startswith("next_"):
        return number(styles.PERCENT)
    return number(styles.COUNT if name in ("orders", "tax_returns") else styles.MONEY)
