"""A long input table column by column: each distinct cell is understood once, not once a row.

`tables.read_rows` says what a table means and words its faults; this is the same for tables of a million
cells, and leaves every table with a fault to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.tables import Column, TableSpec

Objects = NDArray[np.object_]
Typed = Objects | NDArray[np.float64]
BLANK = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """A table's typed cells; what a row leaves out is None.

    where    the table's place, for messages.
    lines    (n,) the rows' numbers in it.
    columns  our column -> (n,) typed cells; a column that the table does not have is absent. A column
             of numbers may be numbers indeed, NaN where a row leaves it out.
    """

    where: str
    lines: NDArray[np.int64]
    columns: Mapping[str, Typed]

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> Objects:
        """(n,) a column of texts, empty where a row leaves it out."""
        found = self.columns.get(name)
        if found is None:
            return np.full(len(self), "", dtype=object)
        return np.where(_filled(found), found, "")

    def numbers(self, name: str) -> NDArray[np.float64]:
        """(n,) a column of numbers, NaN where a row leaves it out."""
        found = self.columns.get(name)
        return np.full(len(self), np.nan) if found is None else found.astype(np.float64)

    def days(self, name: str) -> NDArray[np.datetime64]:
        """(n,) a column of dates, NaT where a row leaves it out."""
        found = self.columns.get(name)
        if found is None:
            return np.full(len(self), "NaT", dtype="datetime64[D]")
        return found.astype("datetime64[D]")

    def rows(self) -> list[dict[str, Any]]:
        """What `tables.read_rows` gives for the same table."""
        names = list(self.columns)
        parts = zip(*(_with_blanks(self.columns[name]) for name in names), strict=True)
        return [
            {
                "table": self.where,
                "row": line,
                **{n: cell for n, cell in zip(names, row, strict=True) if cell is not BLANK},
            }
            for line, row in zip(self.lines.tolist(), parts, strict=True)
        ]


def read_columns(
    spec: TableSpec,
    header: Sequence[Any],
    columns: Sequence[Sequence[Any]],
    lines: NDArray[np.int64],
    *,
    where: str,
) -> TableColumns | None:
    """The table's typed columns; None where a cell has a fault, or the table is empty.

    columns  (width,) of (n,) cells, texts already as `cells.text` gives them.
    """
    bound = tables.require_columns(spec, header, where=where)
    if not len(lines):
        return None
    typed: dict[str, Typed] = {}
    held = np.zeros(len(lines), dtype=np.bool_)
    for index, column in bound.items():
        found = _column(columns[index], column) if index < len(columns) else _nothing(len(lines))
        if found is None:
            return None
        typed[column.name] = found
        held |= _filled(found)
    for row in np.flatnonzero(~held).tolist():  # of blank cells throughout, or of strangers only
        held[row] = not all(cells.is_blank(column[row]) for column in columns)
    for column in bound.values():
        if column.required and not _filled(typed[column.name][held]).all():
            return None
    if not held.any():
        return None
    return TableColumns(
        where=where,
        lines=lines[held],
        columns={name: values[held] for name, values in typed.items()},
    )


def _nothing(count: int) -> Objects:
    return np.full(count, BLANK, dtype=object)


def _filled(values: Typed) -> NDArray[np.bool_]:
    """(n,) False where a row leaves the column out."""
    if values.dtype == np.float64:
        return ~np.isnan(values)
    return np.asarray(values != BLANK, dtype=np.bool_)


def _with_blanks(values: Typed) -> list[Any]:
    if values.dtype == np.float64:
        return [BLANK if cell != cell else cell for cell in values.tolist()]
    return list(values.tolist())


def _column(values: Sequence[Any], column: Column) -> Typed | None:
    """The typed cells of a column; None where one has a fault."""
    numbers = _numbers(values) if column.read is cells.number else None
    if numbers is not None:
        fine = np.isnan(numbers) | (np.abs(numbers) <= tables.LARGEST)
        return numbers if fine.all() else None
    codes, distinct = _distinct(values)
    read = []
    for value in distinct:
        try:
            read.append(_typed(value, column.read))
        except ValueError:
            return None
    result = np.empty(len(read), dtype=object)
    result[:] = read
    return result[codes]


def _numbers(values: Sequence[Any]) -> NDArray[np.float64] | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        return cells.plain_numbers(values)
    return np.array(values, dtype=np.float64) if kinds == {float} else None


def _typed(value: Any, read: Callable[[Any], Any]) -> Any:
    if cells.is_blank(value):
        return BLANK
    if read is cells.text and type(value) is str:
        return value  # it is already as `cells.text` gives it
    found = read(value)
    if isinstance(found, float) and abs(found) > tables.LARGEST:
        raise ValueError("too large")
    return found


def _distinct(values: Sequence[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """(place of each cell among the distinct ones (n,), the distinct ones by type and value)."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and kinds <= {str, float}:
        plain = np.empty(len(values), dtype=object if kinds == {str} else np.float64)
        plain[:] = values
        codes, uniques = pd.factorize(plain, use_na_sentinel=False)
        return codes, list(uniques.tolist())
    known: dict[tuple[type, Any], int] = {}
    distinct: list[Any] = []
    codes = np.empty(len(values), dtype=np.intp)
    for row, value in enumerate(values):
        key = (type(value), value)
        if key not in known:
            known[key] = len(distinct)
            distinct.append(value)
        codes[row] = known[key]
    return codes, distinct
