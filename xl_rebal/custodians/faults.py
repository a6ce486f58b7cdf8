"""Faults and warnings of one file, collected while it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import Fault, ReadError

MOST_FAULTS = 50
_KEPT = 10_000  # a file of a million bad rows must not fill the memory with messages


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
        self.warnings: list[str] = []
        self._faults: list[tuple[int, int, str, str, str]] = []
        self._uncounted = 0

    @property
    def faulty(self) -> bool:
        """True when at least one fault was noted."""
        return bool(self._faults)

    def fault(self, line: Any, column: str, what: str, remedy: str) -> None:
        """Note one bad cell."""
        if len(self._faults) < _KEPT:
            self._faults.append((int(line), len(self._faults), column, what, remedy))
        else:
            self._uncounted += 1

    def fault_rows(self, lines: NDArray[np.int64], column: str, what: str, remedy: str) -> None:
        """Note the same fault in several rows (k,)."""
        for line in lines[:_KEPT].tolist():
            self.fault(line, column, what, remedy)
        self._uncounted += max(0, len(lines) - _KEPT)

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
        """Raise ReadError with the faults in the order of their lines; nothing when there is none.

        The first 50 are said in words, the others counted.
        """
        if not self._faults:
            return
        faults = []
        for line, _, column, what, remedy in sorted(self._faults)[:MOST_FAULTS]:
            where = f"{self.file} {self.unit} {line}" + (f", column {column}" if column else "")
            faults.append(Fault(where=where, what=what, remedy=remedy))
        more = len(self._faults) + self._uncounted - len(faults)
        if more:
            what = f"and {more:,} more bad cells"
            faults.append(Fault(where=self.file, what=what, remedy="correct those above first"))
        raise ReadError(*faults)
