"""Lots as columns, and whether they add up to what is held."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import (
    Lots,
    RealisedLots,
    lot_gaps,
    lots_from_rows,
    no_lots,
    positions_without_lots,
)


def holdings(*rows):
    return Holdings.from_rows(
        {"account": a, "symbol": s, "quantity": q, "price": 1.0} for a, s, q in rows
    )


def lots(*rows):
    return Lots.from_rows(
        {"account": a, "symbol": s, "quantity": q, "unit_cost": 2.0} for a, s, q in rows
    )


def test_columns_of_unequal_length_are_no_lots():
    one = lots(("A", "VTI", 1.0))
    columns = {name: getattr(one, name) for name in Lots.names()}
    with pytest.raises(ValueError, match="unequal"):
        Lots(**{**columns, "quantity": np.array([1.0, 2.0])})


def test_what_is_left_out_is_unknown():
    one = Lots.from_rows([{"account": "A", "symbol": "VTI", "quantity": 1.0}])
    assert np.isnat(one.acquired[0])
    assert np.isnan(one.unit_cost[0])
    assert (one.lot_id[0], one.term[0], one.line[0]) == ("", "", 0)
    with pytest.raises(TableError) as caught:
        one.require_known()
    assert len(caught.value.faults) == 2
    assert "row 1 (VTI in A), column acquired" in str(caught.value)


def test_concat_take_and_cost():
    two = Lots.concat([no_lots(), lots(("A", "VTI", 1.0)), lots(("A", "BND", 3.0))])
    assert two.cost.tolist() == [2.0, 6.0]
    assert two.take(two.symbol == "BND").quantity.tolist() == [3.0]
    assert len(RealisedLots.concat([])) == 0


def test_gaps_name_both_figures():
    held = holdings(("A", "VTI", 10.0), ("A", "BND", 5.0), ("B", "VTI", 1.0), ("B", "BND", 2.0))
    found = lots(("A", "VTI", 4.0), ("A", "VTI", 6.0), ("A", "BND", 4.5), ("A", "GLD", 1.0))
    gaps = lot_gaps(held, found)
    assert [(g.symbol, g.held, g.in_lots) for g in gaps] == [("BND", 5.0, 4.5), ("GLD", 0.0, 1.0)]
    assert str(gaps[0]) == "BND in A: its lots add up to 4.5 units, 5 are held (difference -0.5)"
    assert positions_without_lots(held, found) == ()
    assert positions_without_lots(held, lots(("B", "VTI", 1.0))) == (("B", "BND"),)


def test_a_lot_of_unknown_size_is_a_gap():
    assert len(lot_gaps(holdings(("A", "VTI", 1.0)), lots(("A", "VTI", float("nan"))))) == 1


SYMBOLS = st.sampled_from(["VTI", "BND", "VNQ"])
PARTS = st.lists(
    st.tuples(st.sampled_from(["A", "B"]), SYMBOLS, st.integers(-10_000, 10_000).filter(bool)),
    max_size=12,
)


@given(PARTS)
def test_lots_tie_to_the_positions_that_they_are_split_from(parts):
    """Against a plain dictionary: no gap where the position is the sum, one where it is one unit off."""
    sums: dict[tuple[str, str], float] = {}
    for account, symbol, thousandths in parts:
        key = (account, symbol)
        sums[key] = sums.get(key, 0) + thousandths / 1000
    split = lots(*((a, s, q / 1000) for a, s, q in parts))
    held = holdings(*((a, s, q) for (a, s), q in sums.items()))
    assert lot_gaps(held, split) == ()
    off = holdings(*((a, s, q + 1) for (a, s), q in sums.items()))
    assert {(g.account, g.symbol) for g in lot_gaps(off, split)} == set(sums)


def read(*rows):
    header = ["account", "symbol", "acquired", "quantity", "unit_cost", "lot_id", "term"]
    numbered = [(n, row) for n, row in enumerate(rows, 2)]
    return lots_from_rows(tables.read_rows(tables.LOTS, header, numbered, where="lots.csv"))


def test_the_lots_table():
    made = read(
        ["A", "VTI", dt.date(2024, 2, 29), 10, "1,150.25", "L1", "Long Term"],
        ["A", "VTI", "2025-01-02", -1.5, 0, None, "ST"],
    )
    assert [str(d) for d in made.acquired] == ["2024-02-29", "2025-01-02"]
    assert made.quantity.tolist() == [10.0, -1.5]
    assert made.unit_cost.tolist() == [1150.25, 0.0]
    assert made.term.tolist() == ["long", "short"]
    assert made.line.tolist() == [2, 3]


def test_bad_lots_are_reported_together():
    with pytest.raises(TableError) as caught:
        read(["A", "VTI", "soon", 1, 1, "", "forever"], ["A", "", "2025-01-02", 1, None, "", ""])
    text = str(caught.value)
    for words in ("row 2, column acquired", "row 2, column term", "row 3, column symbol",
                  "row 3, column unit_cost"):  # fmt: skip
        assert words in text
    with pytest.raises(TableError) as caught:
        read(["A", "VTI", "1825-01-02", 0, -1, "", ""])
    assert len(caught.value.faults) == 3
