"""The sheets of the add-in: one `=REBAL_` formula each, saved with what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Formula, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill, Value
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.template_example import FLOW, HOLDINGS
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import flag, flag_word, protect, quiet, underline_used

ROW = 7  # where tables spill from
LAST_ROW = 2000  # lines are drawn that far; names go to the sheet's end
SHEET_ROWS = 1_048_576
STATUS_ROW = 4

_HOLDINGS, _TARGETS = "tblHoldings[#All]", "tblTargets[#All]"
_POLICY, _RESTRICTIONS = "tblPolicy[#All]", "tblRestrictions[#All]"
_COSTS, _CLASSES = "CostText", "tblClasses[#All]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A worksheet function in a cell.

    arguments  as in the formula: a table, `CostText`, `FlowAmount` or nothing.
    instead    a condition and the sentence that stands in the cell instead while it holds.
    """

    sheet: str
    row: int
    column: int
    function: str
    arguments: tuple[str, ...]
    instead: tuple[str, str] | None = None

    @property
    def formula(self) -> str:
        """Without its `=`."""
        return f"{self.function}({','.join(self.arguments)})"

    @property
    def content(self) -> str:
        """What stands in the cell."""
        if self.instead is None:
            return self.formula
        condition, words = self.instead
        return f'IF({condition},"{words}",{self.formula})'


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSheet:
    """A sheet with one table that spills; `widths` from column A on."""

    title: str
    words: str
    call: Call
    widths: tuple[float, ...]
    formats: Mapping[str, str]
    status: Call | None = None


def _call(sheet: str, function: str, *arguments: str, row: int = ROW, column: int = 1) -> Call:
    return Call(sheet=sheet, row=row, column=column, function=function, arguments=arguments)


_WEIGHTS = {
    "value": styles.MONEY,
    "weight": styles.PERCENT,
    "target": styles.PERCENT,
    "drift": styles.DRIFT,
    "relative_drift": styles.DRIFT,
    "lower": styles.PERCENT,
    "upper": styles.PERCENT,
}
_TRADES = {
    "quantity": styles.QUANTITY,
    "price": styles.PRICE,
    "value": styles.MONEY,
    "cost": styles.MONEY,
}
DRIFT, TRADES, CASH_FLOW = "REBAL drift", "REBAL trades", "REBAL cash flow"
WEIGHTS, CLASSES = "REBAL weights", "REBAL classes"
SEVERAL_ACCOUNTS = (
    "The cash flow is one amount and sheet Holdings has several accounts: keep the rows of one "
    "account, or use the command line with --flow ACCOUNT:AMOUNT."
)
SHEETS = (
    EngineSheet(
        title=DRIFT,
        words="The engine's drift, account by account; it knows every policy and every class's other names.",
        call=_call(DRIFT, "REBAL_DRIFT", _HOLDINGS, _TARGETS, _POLICY),
        widths=(18, 26, 16, 11, 11, 11, 14, 11, 11, 12),
        formats=_WEIGHTS,
        status=_call(DRIFT, "REBAL_STATUS", _HOLDINGS, _TARGETS, _POLICY, row=STATUS_ROW, column=2),
    ),
    EngineSheet(
        title=TRADES,
        words="Whole shares, cash-true after costs, re-checked by an independent verifier; each trade "
        "with its reason.",
        call=_call(TRADES, "REBAL_TRADES", _HOLDINGS, _TARGETS, _POLICY, _COSTS, "", _RESTRICTIONS),
        widths=(18, 10, 9, 12, 12, 16, 12, 92),
        formats=_TRADES,
        status=_call(TRADES, "REBAL_POLICY", _POLICY, row=STATUS_ROW, column=2),
    ),
    EngineSheet(
        title=CASH_FLOW,
        words="Trades that put the cash flow of sheet Rules to work (or raise it) without a full "
        "rebalancing.",
        call=replace(
            _call(CASH_FLOW, "REBAL_CASHFLOW", _HOLDINGS, _TARGETS, "FlowAmount"),
            instead=("AccountCount>1", SEVERAL_ACCOUNTS),
        ),
        widths=(18, 10, 9, 12, 12, 16, 12, 92),
        formats=_TRADES,
    ),
    EngineSheet(
        title=WEIGHTS,
        words="Every holding with the class that the engine gives it, its value and its weight.",
        call=_call(WEIGHTS, "REBAL_WEIGHTS", _HOLDINGS),
        widths=(18, 12, 28, 16, 11),
        formats=_WEIGHTS,
    ),
)
CLASS_ROWS = 60
CLASS_WORDS = (
    f"The class of the first {CLASS_ROWS} rows of sheet Holdings: your own of sheet Rules, else the "
    "shipped table of funds. Copy what you need as values."
)
CLASS_NOTE = (
    "Needs the xl_rebal add-in. A symbol that is not known shows an error in its own row: add it to "
    "tblClasses on sheet Rules, or type its class on sheet Holdings."
)


def _class_call(number_: int) -> Call:
    symbol = f"INDEX(HoldingSymbol,{number_})"
    call = _call(CLASSES, "REBAL_ASSETCLASS", symbol, _CLASSES, row=ROW + number_, column=2)
    return replace(call, instead=(f'IFERROR(TRIM({symbol}&""),"")=""', ""))


_CLASS_CALLS = tuple(_class_call(n) for n in range(1, CLASS_ROWS + 1))
VERSION = Call(sheet="Start", row=0, column=0, function="REBAL_VERSION", arguments=())
CALLS = tuple(call for sheet in SHEETS for call in (sheet.call, sheet.status) if call is not None)
CALLS += _CLASS_CALLS[: len(HOLDINGS) - 1]  # below them there is no symbol
Results = Mapping[str, Sequence[Sequence[Value]]]


def write_engine_sheets(canvas: Canvas, results: Results) -> list[Spill]:
    """Write the sheets; results are the rows that each formula came to."""
    spills = [spill for each in SHEETS for spill in _write(canvas, each, results)]
    return spills + _write_classes(canvas, results)


def _write_classes(canvas: Canvas, results: Results) -> list[Spill]:
    """One call a row, so that an unknown symbol spoils no other."""
    sheet = canvas.sheet(CLASSES, styles.ACCENT_LIGHT)
    write_title(canvas, sheet, CLASSES, CLASS_WORDS)
    set_widths(sheet, (14, 90))
    canvas.put(sheet, STATUS_ROW + 1, 1, CLASS_NOTE, styles.NOTE)
    for column, header in enumerate(("symbol", "asset_class"), start=1):
        look = replace(styles.HEADER, align="left", indent=1)
        canvas.put(sheet, ROW, column, header, look)
    spills = []
    look = quiet(styles.BODY_TEXT)
    for number_, call in enumerate(_CLASS_CALLS, start=1):
        symbol = f'IFERROR(TRIM(INDEX(HoldingSymbol,{number_})&""),"")'
        held = HOLDINGS[number_][1] if number_ < len(HOLDINGS) else ""
        canvas.put(sheet, call.row, 1, Formula(symbol, held), look)
        rows = results.get(call.formula, [[""]])
        spills.append(put_spill(canvas, sheet, call, rows, [look]))
    first, last = ROW + 1, ROW + CLASS_ROWS
    underline_used(sheet, f"A{first}:B{last}", f'$A{first}<>""')
    flag(sheet, f"B{first}:B{last}", f'LEFT($B{first},1)="#"', styles.BAD)
    sheet.freeze_panes = f"A{first}"
    set_up_print(sheet, last_column=2, last_row=last, repeat=ROW)
    sheet.page_setup.fitToHeight = 1
    sheet.page_setup.orientation = "portrait"
    protect(sheet)
    return spills


def _write(canvas: Canvas, each: EngineSheet, results: Results) -> list[Spill]:
    sheet = canvas.sheet(each.title, styles.ACCENT_LIGHT)
    write_title(canvas, sheet, each.title, each.words)
    set_widths(sheet, each.widths)
    rows = results[each.call.formula]
    spills = [put_spill(canvas, sheet, each.call, rows, [])]
    if each.status is not None:
        label = "Status" if each.status.function == "REBAL_STATUS" else "Policy"
        canvas.put(sheet, STATUS_ROW, 1, label, styles.LABEL)
        status = results[each.status.formula]
        spills.append(put_spill(canvas, sheet, each.status, status, [styles.STRONG]))
        flag(sheet, f"B{STATUS_ROW}", f'LEFT($B${STATUS_ROW},1)="#"', styles.BAD)
    canvas.put(
        sheet,
        STATUS_ROW + 1,
        1,
        "Needs the xl_rebal add-in. Without it the numbers are those saved with the file. The table "
        "grows downwards: leave the cells below it empty.",
        styles.NOTE,
    )
    if each.title == CASH_FLOW:
        canvas.put(sheet, STATUS_ROW, 1, "Cash flow", styles.LABEL)
        look = replace(styles.STRONG, format=styles.MONEY)
        canvas.merge(sheet, STATUS_ROW, 2, 3, look)
        canvas.put(sheet, STATUS_ROW, 2, Formula("FlowAmount", FLOW), look)
    headers = [str(cell) for cell in rows[0]]
    first = ROW + 1
    for offset, header in enumerate(headers):
        _format_column(canvas, sheet, 1 + offset, first, _look(each, header))
    for offset, header in enumerate(headers):
        look = styles.HEADER
        if _look(each, header).align == "left":
            look = replace(look, align="left", indent=1)
        canvas.styles.apply(sheet.cell(row=ROW, column=1 + offset), look)
    last = get_column_letter(len(headers))
    used = f'$A{first}&$H{first}<>""'
    if headers[-1] == "status":
        cells = f"{last}{first}:{last}{LAST_ROW}"
        flag_word(sheet, cells, "above", styles.WARN)
        flag_word(sheet, cells, "below", styles.BAD)
        underline_used(sheet, cells, used)
        last = get_column_letter(len(headers) - 1)
    underline_used(sheet, f"A{first}:{last}{LAST_ROW}", used)
    flag(sheet, f"A{ROW}", f'LEFT($A${ROW},1)="#"', styles.BAD)
    sheet.freeze_panes = f"A{first}"
    set_up_print(sheet, last_column=len(headers), last_row=first, repeat=ROW)
    sheet.print_area = None  # as far as the formula spills
    protect(sheet)
    for header in ("value", "quantity"):
        if header in headers:
            letter = get_column_letter(headers.index(header) + 1)
            place = f"'{each.title}'!${letter}${first}:${letter}${SHEET_ROWS}"
            define(canvas, _name(each.title, header), place)
    return spills


def _name(title: str, header: str) -> str:
    """`TradesValue` for column value of sheet REBAL trades."""
    words = title.removeprefix("REBAL ").split()
    return "Rebal" + "".join(word.capitalize() for word in [*words, header])


def _look(each: EngineSheet, header: str) -> Look:
    format_ = each.formats.get(header)
    if format_ is not None:
        return number(format_)
    if header in {"action", "status"}:
        return styles.BODY_STATUS
    return styles.BODY_WRAP if header == "reason" else styles.BODY_TEXT


def _format_column(canvas: Canvas, sheet: Worksheet, column: int, first: int, look: Look) -> None:
    plain = Look(format=look.format, align=look.align, indent=look.indent, wrap=look.wrap)
    for row in range(first, first + 60):
        canvas.styles.apply(sheet.cell(row=row, column=column), plain)


def put_spill(
    canvas: Canvas,
    sheet: Worksheet,
    call: Call,
    rows: Sequence[Sequence[Value]],
    looks: Sequence[Look],
) -> Spill:
    """Write a formula with room for what it spills, and say what that is."""
    look = looks[0] if looks else styles.BODY_TEXT
    for down, line in enumerate(rows):
        for right in range(len(line)):
            canvas.put(sheet, call.row + down, call.column + right, None, look)
    first = rows[0][0]
    value = "" if first is None else first
    canvas.put(sheet, call.row, call.column, Formula(call.content, value), look)
    return Spill(sheet=sheet.title, row=call.row, column=call.column, values=rows)
