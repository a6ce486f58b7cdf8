"""A positions table as columns of raw cells, and what is assumed where it is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians.grid import column_of, widths
from xl_rebal.custodians.numbers import Cell, DecimalStyle
from xl_rebal.custodians.sheets import as_text
from xl_rebal.custodians.words import Words


def columns_of(
    rows: Sequence[Sequence[Cell]], index: Mapping[str, int]
) -> dict[str, Sequence[Cell]]:
    """The columns at the given positions; empty texts where a row is too short."""
    if not rows or min(widths(rows)) > max(index.values(), default=0):
        return {role: column_of(rows, at) for role, at in index.items()}
    return {role: [row[at] if at < len(row) else "" for row in rows] for role, at in index.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of one file that hold something, as columns of raw cells of equal length n.

    columns  our column -> (n,) cells; a column that the file does not have is absent.
    labels   our column -> the file's own header, for messages.
    lines    (n,) line numbers.
    """

    columns: Mapping[str, Sequence[Cell]]
    labels: Mapping[str, str]
    lines: NDArray[np.int64]
    _words: dict[str, Words] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_entries(cls, entries: Sequence[Mapping[str, Cell]], labels: Mapping[str, str]) -> Table:
        """A table from one mapping per row, each with its `line`; numbers stay, all else is text."""
        roles = dict.fromkeys(role for entry in entries for role in entry if role != "line")
        columns: dict[str, Sequence[Cell]] = {}
        for role in roles:
            cells = [entry.get(role, "") for entry in entries]
            columns[role] = [c if isinstance(c, float) else as_text(c) for c in cells]
        lines = np.array([int(entry["line"]) for entry in entries], dtype=np.int64)
        return cls(columns=columns, labels=labels, lines=lines)

    def __len__(self) -> int:
        return len(self.lines)

    def text(self, role: str) -> list[str]:
        """A column as text, a new list each time; empty texts when the file does not have it."""
        return list(self.words(role).column().tolist())

    def words(self, role: str) -> Words:
        """A column as its distinct texts; empty texts when the file does not have it."""
        known = self._words.get(role)
        if known is None:
            known = self._words[role] = _words(self.columns.get(role), len(self))
        return known

    def label(self, role: str) -> str:
        """The file's own header of one of our columns."""
        return self.labels.get(role, role)


def _words(cells: Sequence[Cell] | None, count: int) -> Words:
    if cells is None:
        return Words(texts=("",), codes=np.zeros(count, dtype=np.intp))
    if set(map(type, cells)) <= {str}:
        return Words.of(cells).map(as_text)
    return Words.of([as_text(cell) for cell in cells])


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a file does not say: its decimal sign (None: look), account, currency, multiplier."""

    decimal: DecimalStyle | None = None
    account: str = ""
    currency: str = ""
    multiplier: float | None = None
    price_percent: bool = True
