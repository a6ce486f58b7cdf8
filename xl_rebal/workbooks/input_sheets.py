"""Sheets of input: tables that people paste into, with looks, lists to choose from and red cells.

The templates of a household and of a book are made with them; what their tables are they say themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, set_widths
from xl_rebal.workbooks.pages import set_up_print, show_whole, write_title
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_inputs import DATE, INPUT_FILL, Choice, below, flag_text, offer

HEADER_ROW = 5
TAB = "E0C766"
Grid = Sequence[Sequence[Any]]
Choices = Mapping[tuple[str, str], Choice]

_TEXT = replace(given_text(), fill=INPUT_FILL)


def _numbers(format_: str) -> Look:
    return replace(number(format_, given=True), fill=INPUT_FILL)


_DATE = replace(_numbers(DATE), align="center")
LOOKS = {
    **dict.fromkeys(
        ("Cash reserve", "Amount", "Initial minimum", "Subsequent minimum", "Ticket fee"),
        _numbers(styles.MONEY),
    ),
    **dict.fromkeys(("Acquired", "Date", "As of", "Last rebalanced"), _DATE),
    "Quantity": _numbers(styles.QUANTITY),
    "Unit cost": _numbers(styles.PRICE),
    "Price": _numbers(styles.PRICE),
    **dict.fromkeys(("Rank", "Redemption days"), _numbers(styles.COUNT)),
    "Spread bps": _numbers("0.##"),
    "Redemption fee": _numbers(styles.PERCENT),
    "Target": _numbers(styles.PERCENT),
    "Band abs": _numbers(styles.PERCENT),
    "Band rel": _numbers(styles.PERCENT),
    "Year": _numbers("0"),
    "MAGI": _numbers(styles.MONEY),
    "State": _numbers(styles.PERCENT),
    "Ordinary": _numbers(styles.PERCENT),
    "Long term": _numbers(styles.PERCENT),
    "NIIT": _numbers(styles.PERCENT),
    **dict.fromkeys(("Carry short", "Carry long", "YTD short", "YTD long"), _numbers(styles.MONEY)),
}
YES_NO = Choice(formula='"yes,no"', strict=True, help="yes or no; blank is the usual.")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSheet:
    """One sheet of input: its tables with the column that each begins in; those that have filters."""

    title: str
    words: str
    more: str
    tables: tuple[tuple[str, int], ...]
    widths: tuple[float, ...]
    filtered: tuple[str, ...] = ()


def write_input_sheet(
    canvas: Canvas, each: InputSheet, tables: Mapping[str, Grid], choices: Choices
) -> Worksheet:
    """Write one sheet of input with its tables."""
    sheet = canvas.sheet(each.title, TAB)
    write_title(canvas, sheet, each.title, each.words)
    canvas.put(sheet, 3, 1, each.more, styles.NOTE)
    for name, column in each.tables:
        grid = tables[name]
        placed = input_table(
            canvas, sheet, name, grid, choices, row=HEADER_ROW, column=column,
            filters=name in each.filtered,
        )  # fmt: skip
        numbers = [h for h in grid[0] if h in LOOKS]
        flag_text(sheet, placed, numbers)
        if "Quantity" in numbers:
            show_whole(sheet, below(placed, "Quantity"))
    set_widths(sheet, each.widths)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    set_up_print(sheet, last_column=len(each.widths), last_row=HEADER_ROW + 1, repeat=HEADER_ROW)
    sheet.print_area = None  # whatever the tables have grown to is printed
    return sheet


def input_table(
    canvas: Canvas,
    sheet: Worksheet,
    name: str,
    grid: Grid,
    choices: Choices,
    *,
    row: int,
    column: int = 1,
    filters: bool = False,
) -> Placed:
    """A table of an example, open to be written over."""
    placed = write_table(
        canvas,
        sheet,
        name=name,
        columns=[Column(header=h, look=LOOKS.get(h, _TEXT)) for h in grid[0]],
        rows=grid[1:],
        row=row,
        column=column,
        header_height=20,
        filters=filters,
    )
    for header in grid[0]:
        choice = choices.get((name, header))
        if choice is not None:
            offer(sheet, below(placed, header), choice)
    return placed
