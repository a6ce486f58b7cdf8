"""Cards: the few figures that a household's sheet begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Formula
from xl_rebal.workbooks.household_data import HouseholdData
from xl_rebal.workbooks.styles import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure of the plan in columns `first` to `last`: its words and the name of its cell."""

    words: str
    name: str
    figure: str
    first: int
    last: int
    format: str = styles.MONEY


def write_cards(
    canvas: Canvas, sheet: Worksheet, data: HouseholdData, cards: Sequence[Card], row: int
) -> int:
    """Write cards over two rows; the row after them is returned."""
    for card in cards:
        look = Look(
            format=card.format,
            size=styles.CARD_VALUE.size,
            bold=True,
            colour=styles.ACCENT,
            fill=styles.PALE,
            align="center",
        )
        for offset, content, cell_look in (
            (0, card.words, styles.CARD_LABEL),
            (1, Formula(card.name, data.figure(card.figure)), look),
        ):
            if card.last > card.first:
                canvas.merge(sheet, row + offset, card.first, card.last, cell_look)
            canvas.put(sheet, row + offset, card.first, content, cell_look)
    sheet.row_dimensions[row].height = 16
    sheet.row_dimensions[row + 1].height = 24
    return row + 2
