"""Faults and warnings of one file, collected while it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xl_rebal.errors import Fault, ReadError

MOST_FAULTS = 50


def listed(lines: Iterable[Any], most: int = 8) -> str:
    """`line 4`, `lines 4, 9 and 12`, `lines 4, 5, … and 20 more`."""
    numbers = [int(n) for n in lines]
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if len(numbers) <= most:
        return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    return f"lines {', '.join(map(str, numbers[:most]))} and {len(numbers) - most:,} more"


class Problems:
    """What is wrong with a file and what is merely odd. `file` and `unit` word the places.

    `unit` is `line`, or `sheet 'Positions' row` for a workbook.
    """

    def __init__(self, file: str, unit: str = "line") -> None:
        self.file = file
        self.unit = unit
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self._hidden = 0

    def fault(self, line: Any, column: str, what: str, remedy: str) -> None:
        """Note one bad cell; only the first 50 are kept in words, the others are counted."""
        if len(self.faults) >= MOST_FAULTS:
            self._hidden += 1
            return
        where = f"{self.file} {self.unit} {int(line)}" + (f", column {column}" if column else "")
        self.faults.append(Fault(where=where, what=what, remedy=remedy))

    def warn(self, text: str) -> None:
        """Note something odd that does not stop the reading."""
        text = (
            text
            if self.unit == "line"
            else text.replace("line ", "row ").replace("lines ", "rows ")
        )
        if text not in self.warnings:
            self.warnings.append(text)

    def raise_faults(self) -> None:
        """Raise ReadError with all faults together; nothing when there is none."""
        if not self.faults:
            return
        hidden = []
        if self._hidden:
            hidden.append(
                Fault(
                    where=self.file,
                    what=f"and {self._hidden:,} more bad cells",
                    remedy="correct those above first",
                )
            )
        raise ReadError(*self.faults, *hidden)
