"""A table read by columns is the table that `read_rows` reads, or it is left to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_rebal.errors import RebalError, TableError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.lots import Lots, lots_from_rows, lots_from_table
from xl_rebal.portfolio.table_columns import read_columns

LOT_HEADER = ["account", "ticker", "acquired", "quantity", "unit_cost", "lot_id", "note"]
GOOD: dict[str, list[Any]] = {
    "account": ["A", "0012", 12.0], "ticker": ["VTI", "BND"],
    "acquired": ["2024-01-02", "11/23/2026", dt.date(2020, 2, 29), dt.datetime(2021, 5, 6)],
    "quantity": [1.0, "2", "1,000", "(5)", 3, -2.5], "unit_cost": [0.0, "10.5", "$7"],
    "lot_id": ["L1", 7.0, None, "", "--"], "note": ["x", None, 5.0],
}  # fmt: skip
BAD: dict[str, list[Any]] = {
    "account": [None, ""], "ticker": [float("nan")], "acquired": ["yesterday", 5.0, None],
    "quantity": ["x", True, "#N/A", 1e16, "1_0", 0.0], "unit_cost": ["inf", -1.0], "lot_id": [True],
    "note": ["n/a"],
}  # fmt: skip


def by_columns(spec, header, rows, first=2):
    """What `read_columns` makes of rows, which may be of unequal length."""
    width = max([len(header), *map(len, rows)])
    plain = [[cells.text(c) if isinstance(c, str) else c for c in row] for row in rows]
    columns = [[row[i] if i < len(row) else None for row in plain] for i in range(width)]
    lines = np.arange(first, first + len(rows))
    return read_columns(spec, header, columns, lines, where="lots.csv")


def by_rows(spec, header, rows):
    plain = [[cells.text(c) if isinstance(c, str) else c for c in row] for row in rows]
    try:
        return tables.read_rows(spec, header, list(enumerate(plain, 2)), where="lots.csv")
    except RebalError as error:
        return str(error)


@st.composite
def lot_rows(draw):
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            rows.append(
                draw(st.sampled_from([[], [""], [None] * 7, ["", "", "-", None, " ", "", "n/a"]]))
            )
            continue
        row = [draw(st.sampled_from(GOOD[name])) for name in GOOD]
        if kind < 3:
            name = draw(st.sampled_from(list(BAD)))
            row[list(BAD).index(name)] = draw(st.sampled_from(BAD[name]))
        rows.append(row[: draw(st.sampled_from([7, 7, 7, 6, 5]))])
    return rows


@settings(max_examples=120, deadline=None)
@given(rows=lot_rows())
def test_columns_are_the_rows(rows):
    slow, fast = by_rows(tables.LOTS, LOT_HEADER, rows), by_columns(tables.LOTS, LOT_HEADER, rows)
    if fast is None:
        assert isinstance(slow, str) or not slow  # only what has a fault, or nothing, is left over
        return
    assert fast.rows() == slow
    for ours, theirs in zip(fast.rows(), slow, strict=True):
        assert list(ours) == list(theirs)
        assert list(map(type, ours.values())) == list(map(type, theirs.values()))
    assert same_or_refused(lambda: lots_from_table(fast)) == same_or_refused(
        lambda: lots_from_rows(slow)
    )


def same_or_refused(make):
    try:
        lots = make()
    except TableError as error:
        return str(error)
    return [
        (name, getattr(lots, name).dtype, str(getattr(lots, name).tolist()))
        for name in Lots.names()
    ]


@pytest.mark.parametrize("kind", [float, str])
def test_a_column_of_nothing_but_numbers(kind):
    """Taken as a whole, whether the file writes numbers or texts."""

    def read(*quantities):
        rows = [["A", "VTI", "2024-01-02", kind(q), kind(10.0)] for q in quantities]
        return by_columns(tables.LOTS, LOT_HEADER[:5], rows)

    found = read(1.5, 2.5)
    assert found is not None
    assert found.columns["quantity"].dtype == np.float64
    assert lots_from_table(found).quantity.tolist() == [1.5, 2.5]
    assert read(1.5, float("nan")) is None
    assert read(1.5, 2e15) is None


@pytest.mark.parametrize(
    "header", [["account"], ["account", "account id", "symbol"], ["acount", "symbol"]]
)
def test_a_bad_header_is_refused_in_the_words_of_read_rows(header):
    with pytest.raises(TableError) as refused:
        by_columns(tables.LOTS, header, [["A", "B", "C"]])
    assert str(refused.value) == by_rows(tables.LOTS, header, [["A", "B", "C"]])


def test_a_table_of_nothing_is_left_to_read_rows():
    assert by_columns(tables.LOTS, LOT_HEADER, []) is None
    assert by_columns(tables.LOTS, LOT_HEADER, [[None], ["", " "]]) is None
