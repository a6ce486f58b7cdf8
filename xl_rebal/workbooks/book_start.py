"""Sheet Start of the adviser's book: what state it is in, what to do, and the switches of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import book_example, styles
from xl_rebal.workbooks.book_summary import DUE
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.household_example import serial
from xl_rebal.workbooks.household_start import ALL_PASS
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, given_text
from xl_rebal.workbooks.template_inputs import DATE, INPUT_FILL, Choice, define, offer
from xl_rebal.workbooks.template_pages import flag, protect, unlock, write_steps
from xl_rebal.workbooks.template_start import VERSION

NAME = "Start"
TITLE = "The adviser's book"
LAST = 7  # column G
WIDTHS = [3, 24, 24, 22, 22, 22, 36]
NOT_LOADED = (
    "xl_rebal add-in not loaded: in Excel sheets Book and Blocks show what was saved with this file, in "
    "LibreOffice #NAME?. Install the add-in (the extension), then press Ctrl+Alt+F9 (Ctrl+Shift+F9)."
)
_LOADED = (
    'IF(AND(LEN(AddInVersion)>0,LEFT(AddInVersion,1)<>"#"),"xl_rebal "&AddInVersion&" is loaded.",'
    f'"{NOT_LOADED}")'
)
EXAMPLE_WORDS = (
    "The tables hold EXAMPLE accounts of eight invented clients: paste your own over them."
)
_EXAMPLES = (
    'IF(SUMPRODUCT(--(LEFT(TRIM(AccountName),7)="EXAMPLE"))>0,'
    f'"{EXAMPLE_WORDS}","Your own accounts: "&SUMPRODUCT(--(TRIM(AccountName)<>"")))'
)
_CHECKS = (
    f'IF(InputFaults=0,"{ALL_PASS}",InputFaults&" of "&ROWS(tblChecks[Check])&" checks fail: see sheet '
    'Checks.")'
)
_STATE = (
    'IF(BookHead&""<>"household","Not measured: read the message on sheet Book.",'
    'SUMPRODUCT(--BookDue)&" of "&SUMPRODUCT(--(BookNeed&""<>""))&" clients need a plan today.")'
)
STEPS = (
    (
        "1",
        "Accounts … Fund rules",
        "Paste your tables over the EXAMPLE rows, or press Import Positions for the holdings.",
    ),
    ("2", "Checks", "What is wrong with them, and what to do about it."),
    ("3", "Book, Summary", "Which clients need a plan today, the worst first; how many of each model."),
    (
        "4",
        "Client Reports (ribbon)",
        "Plans every client: a workbook for each and the dashboard in a folder; the trades come here.",
    ),
    ("5", "Trades, Blocks", "What may be sent, and the blocks that it makes."),
    (
        "6",
        "Orders",
        "Order files and the ledger that keeps them from being sent twice: the command below.",
    ),
)  # fmt: skip


def _plain_number(name: str) -> str:
    return f'SUBSTITUTE({name}&"",",",".")'


COMMAND = (
    '"xl-rebal batch BOOK.xlsx --out run --ledger orders.jsonl --policy """&BookPolicy&""" --mode "&BookMode'
    '&IF(TRIM(BookCosts)="",""," --costs """&BookCosts&"""")'
    f'&IF(N(BookSmallestTrade)>0," --min-trade "&{_plain_number("BookSmallestTrade")},"")'
    f'&IF(N(BookTurnover)>0," --max-turnover "&{_plain_number("100*BookTurnover")}&"%","")'
    f'&IF(ISNUMBER(BookRise)," --price-move "&{_plain_number("100*BookRise")}&"%","")'
)


def command_words() -> str:
    """What the command line of the example reads."""
    return (
        f'xl-rebal batch BOOK.xlsx --out run --ledger orders.jsonl --policy "{book_example.POLICY}" '
        f'--mode {book_example.MODE} --costs "{book_example.COSTS}" '
        f"--min-trade {book_example.SMALLEST_TRADE:g} --price-move {100 * book_example.RISE:g}%"
    )


def write_book_start(
    canvas: Canvas, clients: Sequence[Sequence[Any]], trades: Sequence[Sequence[Any]]
) -> list[Spill]:
    """Write the sheet; the spill is the add-in's version, saved as not there."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        TITLE,
        "All clients of a firm in one workbook: which portfolios need a plan today, reports and blocks.",
    )
    set_widths(sheet, WIDTHS)
    row = _lines(canvas, sheet, clients, 4)
    row = _cards(canvas, sheet, clients, trades, row + 1)
    row = write_steps(canvas, sheet, row + 1, STEPS, title="How to", last=LAST, height=16)
    row = _switches(canvas, sheet, row + 1)
    canvas.put(sheet, row + 1, 2, "The same run, with orders", styles.HEADING)
    look = Look(align="left", wrap=True, fill=styles.PALE, vertical="center")
    canvas.merge(sheet, row + 2, 2, LAST, look)
    canvas.put(sheet, row + 2, 2, Formula(COMMAND, command_words()), look)
    sheet.row_dimensions[row + 2].height = 32
    canvas.put(sheet, row + 4, 2, "Add-in version", styles.NOTE)
    version = Look(size=9, colour=styles.MUTED, align="left")
    canvas.put(sheet, row + 4, 3, Formula(VERSION, ""), version)
    define(canvas, "AddInVersion", address(row + 4, 3, sheet=NAME))
    set_up_print(sheet, last_column=LAST, last_row=row + 4)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return [Spill(sheet=NAME, row=row + 4, column=3, values=[[""]])]


def _lines(canvas: Canvas, sheet: Worksheet, clients: Sequence[Sequence[Any]], row: int) -> int:
    due = sum(client[2] in DUE for client in clients)
    lines = (
        ("Add-in", _LOADED, NOT_LOADED),
        ("Example", _EXAMPLES, EXAMPLE_WORDS),
        ("Checks", _CHECKS, ALL_PASS),
        ("Today", _STATE, f"{due} of {len(clients)} clients need a plan today."),
    )
    look = Look(bold=True, align="left", wrap=True)
    for label, formula, value in lines:
        canvas.put(sheet, row, 2, label, styles.LABEL)
        canvas.merge(sheet, row, 3, LAST, look)
        canvas.put(sheet, row, 3, Formula(formula, value), look)
        sheet.row_dimensions[row].height = 30 if label == "Add-in" else 18
        row += 1
    flag(sheet, "C4:G4", 'LEFT($C$4,16)="xl_rebal add-in "', styles.WARN)
    flag(sheet, "C5:G5", 'LEFT($C$5,10)="The tables"', styles.WARN)
    flag(sheet, "C6:G6", 'LEFT($C$6,3)<>"All"', styles.BAD)
    flag(sheet, "C6:G6", 'LEFT($C$6,3)="All"', styles.GOOD)
    flag(sheet, "C7:G7", 'LEFT($C$7,3)="Not"', styles.BAD)
    return row


def _cards(
    canvas: Canvas,
    sheet: Worksheet,
    clients: Sequence[Sequence[Any]],
    trades: Sequence[Sequence[Any]],
    row: int,
) -> int:
    due = [client for client in clients if client[2] in DUE]
    cards: tuple[tuple[str, str, float, str], ...] = (
        ("Clients", 'SUMPRODUCT(--(BookNeed&""<>""))', len(clients), styles.COUNT),
        ("Need a plan today", "SUMPRODUCT(--BookDue)", len(due), styles.COUNT),
        ("Value of the book", "SUM(BookValue)", sum(c[8] or 0.0 for c in clients), styles.MONEY),
        ("Value that needs a plan", "SUMPRODUCT(--BookDue,BookValue)", sum(c[8] or 0.0 for c in due),
         styles.MONEY),
        ("Trades that may be sent", 'SUMPRODUCT(--(TRIM(TradeSymbol)<>""))', len(trades), styles.COUNT),
        ("Bought and sold", "SUM(TradeValue)", sum(t[7] for t in trades), styles.MONEY),
    )  # fmt: skip
    for column, (words, formula, value, format_) in enumerate(cards, start=2):
        look = replace(styles.CARD_VALUE, format=format_)
        canvas.put(sheet, row, column, words, styles.CARD_LABEL)
        canvas.put(sheet, row + 1, column, Formula(formula, value), look)
    sheet.row_dimensions[row].height = 16
    sheet.row_dimensions[row + 1].height = 24
    flag(sheet, f"B{row + 1}:G{row + 1}", f"ISERROR(B${row + 1})", (styles.GREY, styles.PALE))
    return row + 2


def _switches(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    canvas.put(sheet, row, 2, "Switches of the run", styles.HEADING)
    text = replace(given_text(), fill=INPUT_FILL)
    left = Look(align="left", indent=1, fill=INPUT_FILL, colour=styles.INPUT, line=styles.LINE)
    money, share = replace(left, format=styles.MONEY), replace(left, format=styles.PERCENT)
    cells: tuple[tuple[str, str, Content, Look, str], ...] = (
        ("Policy", "BookPolicy", book_example.POLICY, text,
         "When to act, for clients without a policy of their own."),
        ("Plan mode", "BookMode", book_example.MODE, text,
         "rules, pro_rata or household_tax, for clients without their own."),
        ("Costs", "BookCosts", book_example.COSTS, text, "Blank: trading is taken to be free."),
        ("Smallest trade", "BookSmallestTrade", book_example.SMALLEST_TRADE, money,
         "No order below this, in money."),
        ("Most turnover", "BookTurnover", None, share,
         "(Buys + sells) / 2 of an account, such as 10%; blank: no limit."),
        ("Rise of prices", "BookRise", book_example.RISE, share,
         "Cash is kept back for a rise by so much; blank: 1%."),
    )  # fmt: skip
    for label, name, content, look, words in cells:
        row += 1
        canvas.put(sheet, row, 2, label, styles.LABEL)
        canvas.merge(sheet, row, 3, 4, look)
        canvas.put(sheet, row, 3, content, look)
        for column in "CD":
            unlock(sheet, f"{column}{row}")
        canvas.put(sheet, row, 5, words, styles.NOTE)
        define(canvas, name, address(row, 3, sheet=NAME))
        if name == "BookMode":
            choice = Choice(formula='"rules,pro_rata,household_tax"', strict=True, help="")
            offer(sheet, f"C{row}", choice)
    row += 1
    day = Look(format=DATE, align="left", indent=1, line=styles.LINE)
    canvas.put(sheet, row, 2, "Day of the book", styles.LABEL)
    canvas.merge(sheet, row, 3, 4, day)
    latest = Formula(
        'IF(COUNT(HoldingAsOf)=0,"",MAX(HoldingAsOf))', serial(book_example.AS_OF.isoformat())
    )
    canvas.put(sheet, row, 3, latest, day)
    canvas.put(sheet, row, 5, "The latest As of on sheet Holdings.", styles.NOTE)
    define(canvas, "BookDay", address(row, 3, sheet=NAME))
    return row + 1
