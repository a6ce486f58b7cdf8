"""Sheets Book and Blocks of the adviser's book, which the add-in fills; and Trades, which a button fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.book_example import TRADE_COLUMNS
from xl_rebal.workbooks.cells import Canvas, set_widths
from xl_rebal.workbooks.dynamic_arrays import Spill
from xl_rebal.workbooks.household_calls import END, ROW, Block, SpillSheet, write_spill_sheet
from xl_rebal.workbooks.input_sheets import HEADER_ROW, TAB
from xl_rebal.workbooks.pages import (
    scale_drift,
    set_up_print,
    show_whole,
    write_title,
)
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_engine import Call, Results
from xl_rebal.workbooks.template_inputs import INPUT_FILL, below, define, flag_text

BOOK, TRADES, BLOCKS = "Book", "Trades", "Blocks"
BOOK_PAGE = SpillSheet(
    title=BOOK,
    words="Every client of the book, those that need a plan today first, the worst breach first. Filter by "
    "the arrows.",
    blocks=(
        Block(
            call=Call(
                sheet=BOOK,
                row=ROW,
                column=1,
                function="REBAL_BOOK",
                arguments=(
                    "tblAccounts[#All]",
                    "tblHoldings[#All]",
                    "tblModels[#All]",
                    "BookPolicy",
                    "tblSecurities[#All]",
                    "tblRestrictions[#All]",
                    "tblFlows[#All]",
                    "BookDay",
                    "BookMode",
                    '"clients"',
                ),
            ),
            names={
                "household": "BookHousehold",
                "need": "BookNeed",
                "drift": "BookDrift",
                "value": "BookValue",
                "model": "BookModel",
            },
        ),
    ),
    widths=(13, 21, 12, 16, 20, 10, 9, 10, 15, 13, 10, 12, 14, 17, 66),
    formatted=500,
)
BLOCKS_PAGE = SpillSheet(
    title=BLOCKS,
    words="The trades of sheet Trades added up by security, side, custodian and kind of order. Sells are "
    "wave 1. Buys and sells of different clients are never netted.",
    blocks=(
        Block(
            call=Call(
                sheet=BLOCKS,
                row=ROW,
                column=1,
                function="REBAL_BLOCKS",
                arguments=("tblTrades[#All]",),
            ),
            names={"action": "BlockAction", "quantity": "BlockQuantity", "value": "BlockValue"},
        ),
    ),
    widths=(14, 8, 22, 11, 9, 14, 9, 13, 17, 13, 13, 15),
    formatted=200,
)
CALLS = tuple(page.blocks[0].call for page in (BOOK_PAGE, BLOCKS_PAGE))
_TEXT = replace(given_text(), fill=INPUT_FILL)


def _given(format_: str) -> Look:
    return replace(number(format_, given=True), fill=INPUT_FILL)


_LOOKS = {
    "Quantity": _given(styles.QUANTITY),
    "Price": _given(styles.PRICE),
    "Limit price": _given(styles.PRICE),
    "Value": _given(styles.MONEY),
    "Cost": _given(styles.MONEY),
    "Action": replace(_TEXT, align="center", indent=0),
    "Order type": replace(_TEXT, align="center", indent=0),
    "Time in force": replace(_TEXT, align="center", indent=0),
    "Settles": replace(_TEXT, align="center", indent=0),
    "Reason": replace(_TEXT, format=styles.GENERAL, wrap=True),
}
_NAMES = (
    ("TradeSymbol", "Symbol"),
    ("TradeAction", "Action"),
    ("TradeQuantity", "Quantity"),
    ("TradeValue", "Value"),
    ("TradeBlock", "Block"),
)


def write_book(canvas: Canvas, results: Results) -> list[Spill]:
    """Sheet Book: ranked, with arrows to filter by, drifts on a scale."""
    spills = write_spill_sheet(canvas, BOOK_PAGE, results)
    sheet: Worksheet = canvas.workbook[BOOK]
    headers = [str(cell) for cell in spills[0].values[0]]
    letters = {header: _letter(index) for index, header in enumerate(headers, start=1)}
    first = ROW + 1
    sheet.auto_filter.ref = f"A{ROW}:{_letter(len(headers))}{END}"
    protection: Any = sheet.protection
    protection.autoFilter = False  # allowed
    scale_drift(sheet, f"{letters['drift']}{first}:{letters['drift']}{END}")
    sheet.freeze_panes = f"C{first}"
    define(canvas, "BookHead", f"{BOOK}!$A${ROW}")
    return spills


def write_blocks(canvas: Canvas, results: Results) -> list[Spill]:
    """Sheet Blocks."""
    spills = write_spill_sheet(canvas, BLOCKS_PAGE, results)
    define(canvas, "BlockHead", f"{BLOCKS}!$A${ROW}")
    return spills


def write_trades(canvas: Canvas, trades: Sequence[Sequence[Any]]) -> None:
    """Sheet Trades: what a run planned and may be sent, as values."""
    sheet = canvas.sheet(TRADES, TAB)
    write_title(
        canvas,
        sheet,
        TRADES,
        "The trades of the last run that may be sent. Client Reports writes them here; or paste the "
        "rows of trades.csv that name a block.",
    )
    canvas.put(
        sheet,
        3,
        1,
        "Trades of accounts that are held away, masked or await the client's word are in no block: the "
        "dashboard lists them. These rows are values: they do not follow the inputs. They are not an order.",
        styles.NOTE,
    )
    placed = write_table(
        canvas,
        sheet,
        name="tblTrades",
        columns=[Column(header=h, look=_LOOKS.get(h, _TEXT)) for h in TRADE_COLUMNS],
        rows=trades,
        row=HEADER_ROW,
        header_height=20,
    )
    flag_text(sheet, placed, ["Quantity", "Price", "Value", "Cost", "Limit price"])
    show_whole(sheet, below(placed, "Quantity"))
    set_widths(sheet, (14, 17, 20, 11, 10, 13, 13, 16, 12, 13, 13, 15, 13, 10, 18, 70))
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    set_up_print(sheet, last_column=len(TRADE_COLUMNS), last_row=HEADER_ROW + 1, repeat=HEADER_ROW)
    sheet.print_area = None
    for name, header in _NAMES:
        define(canvas, name, f"tblTrades[{header}]")


def _letter(column: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[column - 1]
