"""The rows of a large table, kept as columns: a row is put together only when somebody asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import overload

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians.numbers import Cell


class Grid(Sequence[Sequence[Cell]]):
    """Rows of equal width whose cells lie column by column; it reads like a list of rows.

    columns  (width,) of (n,) cells.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[Sequence[Cell]]) -> None:
        if len(set(map(len, columns))) > 1:
            raise ValueError(f"columns of unequal length: {list(map(len, columns))}")
        self.columns = tuple(columns)

    @property
    def width(self) -> int:
        """Cells in a row."""
        return len(self.columns)

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @overload
    def __getitem__(self, at: int) -> list[Cell]: ...

    @overload
    def __getitem__(self, at: slice) -> Grid: ...

    def __getitem__(self, at: int | slice) -> list[Cell] | Grid:
        if isinstance(at, slice):
            return Grid([column[at] for column in self.columns])
        return [column[at] for column in self.columns]

    def __iter__(self) -> Iterator[list[Cell]]:
        return map(list, zip(*self.columns, strict=True))


def column_of(rows: Sequence[Sequence[Cell]], at: int) -> Sequence[Cell]:
    """The cells at one position of every row; each row must be long enough."""
    if isinstance(rows, Grid):
        return rows.columns[at]
    return list(map(itemgetter(at), rows))


def taken(rows: Sequence[Sequence[Cell]], keep: NDArray[np.bool_]) -> Sequence[Sequence[Cell]]:
    """The rows that a mask (n,) keeps; the very rows where it keeps all."""
    if keep.all():
        return rows
    if isinstance(rows, Grid):
        kept = keep.tolist()
        return Grid([list(itertools.compress(column, kept)) for column in rows.columns])
    return list(itertools.compress(rows, keep.tolist()))


def widths(rows: Sequence[Sequence[Cell]]) -> set[int]:
    """The lengths that rows have."""
    return {rows.width} if isinstance(rows, Grid) else set(map(len, rows))
