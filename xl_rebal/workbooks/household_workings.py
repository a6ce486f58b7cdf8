"""Sheet Workings: the plan row by row, its orders, and what is held, as the other sheets count them.

Formulas name the columns that a plan stands in (`PlanAccount`, `NoteWords`, …) and not its cells, so that
the same sheet follows a spilled worksheet function and a table of values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.household.plan_rows import LEFT, NOTE, WASH
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, set_widths
from xl_rebal.workbooks.household_data import HouseholdData
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_pages import protect, quiet, underline_used

NAME = "Workings"
TOP = 5
TOLD = (LEFT, NOTE)  # kinds of notes that the letter tells under `what we did not do`


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """How many rows the sheet follows, and the formulas that look things up; blank where values are written.

    kind, path, covering        of a row of `tblLines`, from its Account and Symbol.
    held                        formulas of `tblHeld` by header.
    """

    lines: int
    orders: int
    held_rows: int
    notes: int
    classes: int
    accounts: int
    kind: str = ""
    path: str = ""
    covering: str = ""
    held: tuple[tuple[str, str], ...] = ()


_WORDS, _COUNT = quiet(styles.BODY_TEXT), quiet(number(styles.COUNT))
_MONEY, _UNITS = quiet(number(styles.MONEY)), quiet(number(styles.QUANTITY))


def _text(name: str, used: str) -> str:
    return f'IF({used},TRIM(INDEX({name},[@No])&""),"")'


def _number(name: str) -> str:
    return f"IF([@Used]=1,N(INDEX({name},[@No])),0)"


def _line_columns(sources: Sources) -> tuple[Column, ...]:
    used = "[@Used]=1"
    return (
        Column(header="No", look=_COUNT),
        Column(
            header="Used",
            look=_COUNT,
            formula="IF(IFERROR(N(INDEX(PlanQuantity,[@No])),0)<>0,1,0)",
        ),
        Column(header="Account", look=_WORDS, formula=_text("PlanAccount", used)),
        Column(header="Symbol", look=_WORDS, formula=_text("PlanSymbol", used)),
        Column(header="Action", look=_WORDS, formula=_text("PlanAction", used)),
        Column(header="Quantity", look=_UNITS, formula=_number("PlanQuantity")),
        Column(header="Value", look=_MONEY, formula=_number("PlanValue")),
        Column(header="Cost", look=_MONEY, formula=_number("PlanCost")),
        Column(header="Gain", look=_MONEY, formula=_number("PlanGain")),
        Column(header="Tax", look=_MONEY, formula=_number("PlanTax")),
        Column(
            header="Signed",
            look=_MONEY,
            formula='IF([@Action]="BUY",[@Value],IF([@Action]="SELL",-[@Value],0))',
        ),
        Column(header="Kind", look=_WORDS, formula=sources.kind),
        Column(header="Path", look=_WORDS, formula=sources.path),
        Column(header="Class", look=_WORDS, formula=sources.covering),
        Column(
            header="Key",
            look=_WORDS,
            formula='IF([@Used]=1,[@Account]&"|"&[@Symbol]&"|"&[@Action],"")',
        ),
        Column(
            header="First",
            look=_COUNT,
            formula="IF([@Used]=1,IF([@No]=1,1,"
            "IF(EXACT([@Key],INDEX(tblLines[Key],[@No]-1)),0,1)),0)",
        ),
        Column(
            header="Order",
            look=_COUNT,
            formula="IF([@Used]=1,SUMPRODUCT((tblLines[No]<=[@No])*tblLines[First]),0)",
        ),
    )


def _of_line(header: str) -> str:
    return f'IF([@Line]=0,"",INDEX(tblLines[{header}],[@Line]))'


def _sum_of(header: str) -> str:
    return f"IF([@Line]=0,0,SUMPRODUCT((tblLines[Order]=[@No])*tblLines[Used]*tblLines[{header}]))"


_ORDER_COLUMNS = (
    Column(header="No", look=_COUNT),
    Column(
        header="Line",
        look=_COUNT,
        formula="IF([@No]<=SUM(tblLines[First]),MATCH([@No],tblLines[Order],0),0)",
    ),
    Column(header="Account", look=_WORDS, formula=_of_line("Account")),
    Column(header="Symbol", look=_WORDS, formula=_of_line("Symbol")),
    Column(header="Action", look=_WORDS, formula=_of_line("Action")),
    Column(header="Quantity", look=_UNITS, formula=_sum_of("Quantity")),
    Column(header="Value", look=_MONEY, formula=_sum_of("Value")),
    Column(header="Cost", look=_MONEY, formula=_sum_of("Cost")),
    Column(header="Gain", look=_MONEY, formula=_sum_of("Gain")),
    Column(header="Tax", look=_MONEY, formula=_sum_of("Tax")),
)
_HELD_LOOKS = {"Value": _MONEY, "No": _COUNT, "Gap": _COUNT}
HELD = ("No", "Account", "Symbol", "Kind", "Path", "Class", "Value", "Gap")
_NOTE_COLUMNS = (
    Column(header="No", look=_COUNT),
    Column(header="Kind", look=_WORDS, formula='IFERROR(TRIM(INDEX(NoteKind,[@No])&""),"")'),
    Column(header="Words", look=_WORDS, formula='IFERROR(TRIM(INDEX(NoteWords,[@No])&""),"")'),
    Column(
        header="Date",
        look=_COUNT,
        formula=f'IF([@Kind]="{WASH}",SUMPRODUCT((tblNotes[No]<=[@No])*(tblNotes[Kind]="{WASH}")),0)',
    ),
    Column(
        header="Told",
        look=_COUNT,
        formula="IF("
        + "+".join(f'([@Kind]="{kind}")' for kind in TOLD)
        + ">0,SUMPRODUCT((tblNotes[No]<=[@No])*("
        + "+".join(f'(tblNotes[Kind]="{kind}")' for kind in TOLD)
        + ")),0)",
    ),
)


def write_workings(canvas: Canvas, data: HouseholdData, sources: Sources) -> None:
    """Write the sheet."""
    sheet = canvas.sheet(NAME, styles.GREY)
    write_title(
        canvas,
        sheet,
        NAME,
        "What the sheets Taxes, Location and Letter count: the plan's rows and orders, notes, and what is "
        "held. Nothing to edit here.",
    )
    held = dict(sources.held)
    blocks: tuple[tuple[str, str, str, Sequence[Column], list[list[Content]]], ...] = (
        ("Orders", "tblOrders", "Line", _ORDER_COLUMNS, _orders(data, sources)),
        ("Rows of the plan", "tblLines", "Used", _line_columns(sources), _lines(data, sources)),
        ("Notes", "tblNotes", "Kind", _NOTE_COLUMNS, _notes(data, sources)),
        (
            "Held before the plan",
            "tblHeld",
            "Account",
            [  # Gap: a taxable lot without its day or cost
                Column(
                    header=header,
                    look=_HELD_LOOKS.get(header, _WORDS),
                    formula=held.get(header, ""),
                )
                for header in HELD
            ],
            _held(data, sources),
        ),
    )
    row, printed = 4, 0
    for heading, name, used, columns, rows in blocks:
        canvas.put(sheet, row, 1, heading, styles.HEADING)
        placed = write_table(
            canvas, sheet, name=name, columns=columns, rows=rows, row=row + 1, filters=False,
            header_height=18,
        )  # fmt: skip
        _draw_lines(sheet, placed, used)
        printed = printed or placed.last_row  # the orders; what is below only feeds formulas
        row = placed.last_row + 3
    set_widths(sheet, [7, 22, 18, 18, 14, 16, 16, 12, 16, 14, 16, 14, 22, 20, 34, 8, 8])
    sheet.freeze_panes = "A4"
    set_up_print(sheet, last_column=10, last_row=printed)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)


def _draw_lines(sheet: Worksheet, placed: Placed, used: str) -> None:
    """A line under each row in use, by a column that is blank or 0 in the others."""
    first = f"${get_column_letter(placed.column(used))}{placed.first_row}"
    cells = f"A{placed.first_row}:{get_column_letter(placed.last_column)}{placed.last_row}"
    underline_used(sheet, cells, f'AND({first}<>"",{first}<>0)')


def _lines(data: HouseholdData, sources: Sources) -> list[list[Content]]:
    rows: list[list[Content]] = []
    for place, line in enumerate(data.lines, start=1):
        rows.append(
            [
                place, 1, line.account, line.symbol, line.action, line.quantity, line.value, line.cost,
                line.gain, line.tax, line.signed, line.kind, line.path, line.klass, line.key,
                int(line.first), line.order,
            ]
        )  # fmt: skip
    return rows + [
        [place, 0, "", "", "", 0, 0, 0, 0, 0, 0, "", "", "", "", 0, 0]
        for place in range(len(rows) + 1, sources.lines + 1)
    ]


def _orders(data: HouseholdData, sources: Sources) -> list[list[Content]]:
    rows: list[list[Content]] = []
    for place, o in enumerate(data.orders[: sources.orders], start=1):
        amounts = [o.quantity, o.value, o.cost, o.gain, o.tax]
        rows.append([place, o.line, o.account, o.symbol, o.action, *amounts])
    return rows + [
        [place, 0, "", "", "", 0, 0, 0, 0, 0] for place in range(len(rows) + 1, sources.orders + 1)
    ]


def _notes(data: HouseholdData, sources: Sources) -> list[list[Content]]:
    rows: list[list[Content]] = []
    dates = told = 0
    for place, (kind, _, _, words) in enumerate(data.notes[: sources.notes], start=1):
        dates += kind == WASH
        told += kind in TOLD
        rows.append([place, kind, words, dates if kind == WASH else 0, told if kind in TOLD else 0])
    return rows + [[place, "", "", 0, 0] for place in range(len(rows) + 1, sources.notes + 1)]


def _held(data: HouseholdData, sources: Sources) -> list[list[Content]]:
    rows: list[list[Content]] = [
        [place, h.account, h.symbol, data.kind(h.account), h.path, h.klass, h.value, 0]
        for place, h in enumerate(data.held, start=1)
    ]
    return rows + [
        [place, "", "", "", "", "", 0, 0] for place in range(len(rows) + 1, sources.held_rows + 1)
    ]
