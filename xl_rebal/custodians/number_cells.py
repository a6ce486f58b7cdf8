"""A column of a text file whose cells are numbers: the numbers at once, the texts when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


class NumberCells(Sequence[Any]):
    """Cells that are texts and, but for a few, plainly written numbers: text i is source[starts[i]:ends[i]].

    values  (n,) the numbers; NaN for a blank, and for a text that is not plainly written.
    """

    __slots__ = ("ends", "source", "starts", "values")

    def __init__(
        self,
        *,
        source: str | bytes,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        self.source = source
        self.starts = starts
        self.ends = ends
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> NumberCells: ...

    def __getitem__(self, at: int | slice) -> str | NumberCells:
        if isinstance(at, slice):
            return self.taken(at)
        return next(iter(self.taken(np.array([at]))))

    def __iter__(self) -> Iterator[str]:
        source, places = self.source, zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        if isinstance(source, str):
            return (source[start:end] for start, end in places)
        return (source[start:end].decode() for start, end in places)

    def taken(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> NumberCells:
        """Some of the rows."""
        return NumberCells(
            source=self.source,
            starts=self.starts[rows],
            ends=self.ends[rows],
            values=self.values[rows],
        )

    @property
    def blank(self) -> NDArray[np.bool_]:
        """(n,) True for cells without a text."""
        return np.asarray(self.starts == self.ends, dtype=np.bool_)

    @property
    def all_plain(self) -> bool:
        """Whether every cell is a number or blank."""
        return bool((np.isfinite(self.values) | self.blank).all())
