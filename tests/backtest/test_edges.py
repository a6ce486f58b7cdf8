"""Edges that hand mutation found unheld: the longest gap, the tie, the mean block, the worst period."""

from __future__ import annotations

import numpy as np
import pytest

from xl_rebal.backtest import bootstrap
from xl_rebal.backtest.comparison import verdict
from xl_rebal.backtest.metrics import worst
from xl_rebal.backtest.prices import LONGEST_GAP, Prices, align
from xl_rebal.errors import TableError
from xl_rebal.portfolio.targets import Target, Targets

MODEL = Targets(
    items=(Target(asset_class="AAA", target=0.6), Target(asset_class="BBB", target=0.4))
)


def with_gap(rows: int) -> Prices:
    values = np.ones((rows + 4, 2))
    values[2 : 2 + rows, 1] = np.nan
    days = np.busday_offset("2024-01-01", np.arange(rows + 4), roll="forward")
    return Prices(dates=days, symbols=("AAA", "BBB"), values=values)


def test_the_longest_gap_is_left_out_and_one_more_is_refused() -> None:
    assert len(align(with_gap(LONGEST_GAP), MODEL).dates) == 4
    with pytest.raises(TableError, match=f"{LONGEST_GAP + 1} rows without a price"):
        align(with_gap(LONGEST_GAP + 1), MODEL)


@pytest.mark.parametrize(("errors", "tie"), [(1.95, True), (-1.95, True), (1.97, False)])
def test_a_tie_is_within_1_96_errors(errors: float, tie: bool) -> None:
    row = {"cagr_difference": errors * 0.004, "cagr_error": 0.004}
    row |= {"volatility_difference": 0.0, "volatility_error": 0.001}
    assert verdict(row, "never") == ("statistical tie with never" if tie else "higher return")


def test_blocks_have_the_mean_length_asked_for() -> None:
    """An indicator of one row and of the next are drawn together unless a block ends between them."""
    drawn = bootstrap.draws(400, 10, 4000, np.random.default_rng(1))
    together = np.mean((drawn[:, 100] - 1) * (drawn[:, 101] - 1))
    assert together == pytest.approx(1 - 1 / 10, abs=0.1)
    assert drawn.sum(axis=1).tolist() == [400.0] * 4000
    length = np.mean((drawn[:, 100] - 1) * (drawn[:, 108] - 1))
    assert length == pytest.approx(0.9**8, abs=0.1)


def test_a_worst_month_runs_from_the_last_row_of_the_one_before() -> None:
    growth = np.array([1.0, 1.2, 1.1, 0.99, 1.0, 1.3, 1.17])
    row, found = worst(growth, np.array([2, 4, 6]))
    assert row == 4
    assert found == pytest.approx(1.0 / 1.1 - 1)
