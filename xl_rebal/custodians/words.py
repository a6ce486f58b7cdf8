"""A long column of texts as its distinct texts: what a text means is asked once, not once a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xl_rebal.portfolio.holdings import TextColumn


def objects(values: Sequence[str]) -> TextColumn:
    """(n,) an array of texts."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Row i holds texts[codes[i]].

    texts  (k,) distinct, in the order in which they appear.
    codes  (n,) places in `texts`.
    """

    texts: tuple[str, ...]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, column: TextColumn | Sequence[str]) -> Words:
        """The distinct texts of a column (n,); every cell must be text."""
        cells = column if isinstance(column, np.ndarray) else objects(column)
        codes, texts = pd.factorize(cells)
        return cls(texts=tuple(texts.tolist()), codes=codes)

    def column(self) -> TextColumn:
        """(n,) the texts, a new array each time."""
        return objects(self.texts)[self.codes] if len(self.codes) else objects(())

    def map(self, change: Callable[[str], str]) -> Words:
        """Every text changed; those that become the same are one."""
        changed = Words.of([change(text) for text in self.texts])
        return Words(texts=changed.texts, codes=changed.codes[self.codes])

    def rows(self, test: Callable[[str], bool]) -> NDArray[np.bool_]:
        """(n,) True where the text passes a test."""
        passed = np.fromiter(map(test, self.texts), dtype=np.bool_, count=len(self.texts))
        return passed[self.codes]

    def among(self, texts: Collection[str]) -> NDArray[np.bool_]:
        """(n,) True where the text is one of some."""
        return self.rows(texts.__contains__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Rows that have the same texts in several columns.

    first  (g,) the first row of each group, in the order in which groups appear.
    codes  (n,) each row's group.
    """

    first: NDArray[np.intp]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, *columns: Words) -> Groups:
        """The groups of rows (n,) by columns of equal length."""
        key = np.zeros(len(columns[0].codes), dtype=np.int64)
        for column in columns:
            # Numbered anew after each column, so that products stay far below 2^63.
            key, _ = pd.factorize(key * max(1, len(column.texts)) + column.codes)
        first = np.flatnonzero(~pd.Index(key).duplicated())
        return cls(first=first, codes=np.asarray(key, dtype=np.intp))

    @property
    def repeated(self) -> NDArray[np.bool_]:
        """(n,) True for every row of a group but its first."""
        again = np.ones(len(self.codes), dtype=np.bool_)
        again[self.first] = False
        return again
