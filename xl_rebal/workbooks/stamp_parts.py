"""Parts of a package whose row numbers follow the length of the tables.

A stamp is made with two rows in every table. A row number in one of its parts is then the table's first
row, its last row, or a fixed way below one of them; in a workbook it is moved accordingly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xl_rebal.workbooks.layout import Place

ROWS_OF_A_STAMP = 2
_CELL = re.compile(r"(\$?[A-Z]{1,3}\$?|\$)([0-9]+)\b")
_RANGE = re.compile(r"([A-Z]{1,3}[0-9]+):([A-Z]{1,3}[0-9]+)")

Rows = Sequence[int]
Anchor = tuple[int, int]  # place in the list of last rows, and how far below it


@dataclass(frozen=True, slots=True)
class Moving:
    """A text with row numbers to fill in."""

    template: str
    anchors: tuple[Anchor, ...]

    def numbers(self, rows: Rows) -> tuple[int, ...]:
        """The row numbers for tables with these last rows."""
        return tuple([rows[index] + below for index, below in self.anchors])


class Mover:
    """Finds the row numbers in the parts of one sheet.

    first  the place of the sheet's first table in the list of last rows; place 0 of the list is row 0.
    """

    def __init__(self, places: Sequence[Place], first: int) -> None:
        self._places, self._first = places, first

    def anchor(self, row: int) -> Anchor:
        """What a row of the stamp hangs on."""
        found = (0, row)
        for index, place in enumerate(self._places, start=self._first):
            if row >= place.last_row:
                found = (index, row - place.last_row)
        return found

    def table_of(self, first: int, last: int) -> int | None:
        """The table whose rows are these, counted from 0."""
        for index, place in enumerate(self._places):
            if (place.first_row, place.last_row) == (first, last):
                return index
        return None


class Builder:
    """Puts a moving text together."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._anchors: list[Anchor] = []

    def fixed(self, text: str) -> None:
        """Text that stays."""
        self._pieces.append(text.replace("%", "%%"))

    def row(self, anchor: Anchor) -> None:
        """A row's number."""
        if anchor[0] == 0:
            self._pieces.append(str(anchor[1]))
        else:
            self._pieces.append("%d")
            self._anchors.append(anchor)

    def slot(self) -> None:
        """A place for text that is filled in later."""
        self._pieces.append("\1")

    def reference(self, text: str, mover: Mover) -> None:
        """A reference such as `$A$4:$K$9`."""
        end = 0
        for match in _CELL.finditer(text):
            self.fixed(text[end : match.start(2)])
            self.row(mover.anchor(int(match[2])))
            end = match.end()
        self.fixed(text[end:])

    def made(self) -> Moving:
        """The text."""
        return Moving("".join(self._pieces), tuple(self._anchors))


def moving(
    text: str, pattern: re.Pattern[str], put: Callable[[Builder, re.Match[str]], None]
) -> Moving:
    """A text in which `put` writes group 1 of every match, and the rest stays."""
    builder, end = Builder(), 0
    for match in pattern.finditer(text):
        builder.fixed(text[end : match.start(1)])
        put(builder, match)
        end = match.end(1)
    builder.fixed(text[end:])
    return builder.made()


def shortened(references: str, mover: Mover, single: Sequence[bool]) -> str:
    """References of a stamp as openpyxl writes them where tables have a single row: `D5`, not `D5:D5`.

    single  for each table of the sheet whether it has one row only.
    """

    def short(match: re.Match[str]) -> str:
        first, last = (re.sub(r"[A-Z]", "", match[group]) for group in (1, 2))
        same_column = match[1].removesuffix(first) == match[2].removesuffix(last)
        table = mover.table_of(int(first), int(last))
        if table is None or not same_column or not single[table]:
            return match[0]
        return match[2]

    return _RANGE.sub(short, references)
