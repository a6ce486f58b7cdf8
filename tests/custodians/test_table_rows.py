"""Rows are sorted column by column, and must come out as if each had been looked at alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians import columns
from xl_rebal.custodians.table_rows import _Judge

HEADER = ["Account", "Symbol", "Quantity", "Price", "Value", "Notes"]
CELL = st.sampled_from(
    ["", "VTI", "A1", "1,000", "12)", "5", "$3.00", "--", "Total", "SUBTOTAL", "Grand total", "text here",
     None, 0.0, 3.5, 7, True, dt.date(2026, 1, 2), "9 "]
)  # fmt: skip
PLAIN = st.just(["A", "VTI", "10", "5", "50", ""]) | st.just(["A", "BND", 10.0, 5.0, 50.0, ""])


@given(st.lists(PLAIN | st.lists(CELL, min_size=6, max_size=6), max_size=8))
def test_odd_rows_are_those_that_one_by_one_are_odd(rows):
    judge = _Judge.of(columns.bind(0, HEADER))
    alone = [place for place, row in enumerate(rows) if not judge.is_ordinary(row)]
    assert judge.odd_rows(rows, len(HEADER)) == alone


@given(st.lists(st.lists(CELL, min_size=4, max_size=8), max_size=6))
def test_ragged_rows_too(rows):
    judge = _Judge.of(columns.bind(0, HEADER))
    alone = [
        place
        for place, row in enumerate(rows)
        if len(row) != len(HEADER) or not judge.is_ordinary(row)
    ]
    found = judge.odd_rows(rows, len(HEADER))
    # rows that are all longer by blank cells are ordinary; everything else is as before
    spare = {p for p, row in enumerate(rows) if all(c in ("", None) for c in row[len(HEADER) :])}
    assert set(found) <= set(alone)
    assert set(alone) - set(found) <= spare


def test_commas_at_the_end_of_every_row_change_nothing(read):
    text = "account,symbol,quantity,price,value\nA,VTI,10,5,50\nA,BND,2,5,10\nTotal,,,,60\n"
    ended = text.replace("\n", ",\n").replace("value,", "value")
    one, two = read(text), read(ended)
    for name in ("symbol", "quantity", "stated_value", "line"):
        np.testing.assert_array_equal(getattr(one.holdings, name), getattr(two.holdings, name))
    assert one.accounts == two.accounts
    assert one.warnings == two.warnings == ()
