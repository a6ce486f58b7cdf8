"""Comparison, standard errors, band search: known answers, a plain second way, and honest words."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from tests.backtest import histories
from tests.backtest.test_simulator import market_of, weekdays
from xl_rebal.backtest import bootstrap
from xl_rebal.backtest.band_search import Limit, parse_limit, search_bands
from xl_rebal.backtest.comparison import CancelledError, compare, start_dates
from xl_rebal.backtest.metrics import (
    deepest_drawdown,
    sharpe,
    sortino,
    summary,
    volatility,
    worst,
)
from xl_rebal.backtest.prices import Market
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.backtest.volatility_bands import (
    Aim,
    relative_volatility,
    volatility_bands,
    with_bands,
)
from xl_rebal.costs import CostModel
from xl_rebal.errors import PlanError, TableError
from xl_rebal.portfolio.policy_text import parse_policy

COSTS = Settings(costs=CostModel(half_spread=0.0005))


def named(*texts: str):
    return [(text, parse_policy(text)) for text in texts]


def random_market(seed: int, days: int = 2000, drift: float = 0.0) -> Market:
    rng = np.random.default_rng(seed)
    steps = rng.normal([drift, 0.0], [0.012, 0.004], size=(days, 2))
    rows = 50 * np.exp(np.cumsum(steps, axis=0))
    return market_of(weekdays(dt.date(2005, 1, 3), days), rows, [0.6, 0.4, 0.0])


def test_metrics_by_hand() -> None:
    value = np.array([100.0, 120.0, 90.0, 96.0, 130.0, 117.0])
    fall = deepest_drawdown(value)
    assert (fall.depth, fall.peak, fall.trough, fall.recovery) == (-0.25, 1, 2, 4)
    assert deepest_drawdown(np.array([1.0, 2.0, 1.5])).recovery is None
    rising = deepest_drawdown(np.array([1.0, 2.0]))
    assert (rising.depth, rising.recovery) == (0.0, None)
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    assert volatility(returns, 252) == pytest.approx(
        math.sqrt(252 * 0.0014 / 3 - 252 * 0.02**2 / 12)
    )
    assert sharpe(1.26, 0.3, 0.02) == pytest.approx((1.26 - 0.02) / 0.3)
    assert sortino(returns, 1.26, 252, 0.0) == pytest.approx(
        0.005 * 252 / math.sqrt(0.0004 / 4 * 252)
    )
    assert sharpe(0.0, 0.0, 0.0) is None
    assert sortino(np.array([0.1, 0.2]), 1.0, 252, 0.0) is None
    row, lowest = worst(value, np.array([0, 2, 5]))  # the years end on rows 0, 2 and 5
    assert (row, round(lowest, 12)) == (2, -0.1)


def test_the_stationary_bootstrap_draws_every_row_equally_often_in_blocks() -> None:
    counts = bootstrap.draws(200, 20, 4000, np.random.default_rng(1))
    assert counts.shape == (4000, 200)
    assert np.all(counts.sum(axis=1) == 200)
    assert np.all(counts >= 0)
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=0.1)
    # Neighbours come together: a row and the next are in one block 19 times of 20.
    near = np.corrcoef(counts[:, 50], counts[:, 51])[0, 1]
    far = np.corrcoef(counts[:, 50], counts[:, 150])[0, 1]
    assert near > 0.85
    assert abs(far) < 0.3  # a fixed sum makes distant rows rivals
    singles = bootstrap.draws(50, 1, 500, np.random.default_rng(1))
    assert np.all(singles.sum(axis=1) == 50)


def test_the_error_of_a_mean_is_the_textbook_one() -> None:
    """Independent returns: the standard error of the annual log growth is sd x sqrt(periods / years)."""
    rng = np.random.default_rng(3)
    returns = rng.normal(0.0004, 0.01, size=(1, 2520))
    found = bootstrap.spread(returns, periods=252, years=10.0)
    error = np.std(np.log1p(found.cagr[:, 0]), ddof=1)
    assert error == pytest.approx(np.std(np.log1p(returns)) * math.sqrt(252 / 10.0), rel=0.12)
    again = bootstrap.spread(returns, periods=252, years=10.0)
    np.testing.assert_array_equal(found.cagr, again.cagr)
    other = bootstrap.spread(returns, periods=252, years=10.0, seed=7)
    assert not np.array_equal(found.cagr, other.cagr)


def test_equal_policies_tie_and_a_real_difference_shows() -> None:
    market = random_market(1, drift=0.002)
    found = compare(market, named("monthly", "monthly", "never"), COSTS)
    rows = found.rows()
    assert rows[0]["verdict"] == "reference"
    assert rows[1]["verdict"] == "statistical tie with monthly"
    assert (rows[1]["cagr_difference"], rows[1]["cagr_error"]) == (0.0, 0.0)
    assert "higher return" in rows[2]["verdict"]
    assert rows[2]["cagr_difference"] > 1.96 * rows[2]["cagr_error"] > 0
    assert any("3 policies tried on 2000 rows" in note for note in found.notes())


def test_a_comparison_is_the_backtests_it_is_made_of() -> None:
    market = random_market(2)
    for row, (_, policy) in zip(
        compare(market, named("never", "5pp", "annual"), COSTS).rows(),
        named("never", "5pp", "annual"),
        strict=True,
    ):
        for key, value in summary(simulate(market, policy, COSTS)).items():
            assert row[key] == value, key


def test_calendar_against_bands_is_a_tie_on_real_prices(shared_data: Path) -> None:
    """S020: no rule is better than the other by more than chance."""
    market = histories.etf(shared_data, "60% SPY, 40% AGG")
    rows = compare(market, named("quarterly", "5pp"), COSTS).rows()
    assert abs(rows[1]["sharpe_difference"]) < 1.96 * rows[1]["sharpe_error"] + 0.02
    assert abs(rows[1]["cagr_difference"]) < 1.96 * rows[1]["cagr_error"]


def test_the_start_date_matters_within_bounds() -> None:
    found = start_dates(
        random_market(3), parse_policy("5pp"), parse_policy("never"), COSTS, starts=12
    )
    figures = found.figures()
    assert figures["starts"] == 12
    assert figures["least"] <= figures["median"] <= figures["largest"]
    assert figures["first_start"] == "2005-01-31"


def test_the_best_band_is_the_cheapest_within_the_limit() -> None:
    market = random_market(4)
    limit = Limit(tracking_error=0.004)
    found = search_bands(market, COSTS, limit=limit)
    kept = [row for row in found.rows if row["tracking_error"] <= 0.004]
    assert found.best["cost_bps"] == min(row["cost_bps"] for row in kept)
    assert sum(row["best"] for row in found.rows) == 1
    drift = search_bands(market, COSTS, limit=Limit(max_drift=0.06)).best
    assert drift["max_drift"] <= 0.06
    free = search_bands(market, COSTS)
    assert free.best["charge_bps"] == min(row["charge_bps"] for row in free.rows)
    assert "18 bands tried on 2000 rows" in " ".join(free.notes())
    assert "trading is free here" in " ".join(search_bands(market).notes())
    with pytest.raises(PlanError, match=r"no band keeps it; 0\.5 pp comes nearest"):
        search_bands(market, COSTS, limit=Limit(tracking_error=0.00001))


def test_the_frontier_holds_what_nothing_beats() -> None:
    rows = search_bands(random_market(5), COSTS).rows
    for row in rows:
        beaten = [
            other
            for other in rows
            if other["cost_bps"] < row["cost_bps"]
            and other["tracking_error"] < row["tracking_error"]
        ]
        assert row["efficient"] is not bool(beaten) or not beaten
        assert not (row["efficient"] and beaten)
    assert any(row["efficient"] for row in rows)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", Limit()),
        ("0.5%", Limit(tracking_error=0.005)),
        ("TE 0.5%", Limit(tracking_error=0.005)),
        ("tracking error: 0.005", Limit(tracking_error=0.005)),
        ("drift 6pp", Limit(max_drift=0.06)),
        ("max drift <= 6 pp", Limit(max_drift=0.06)),
    ],
)
def test_limits(text: str, limit: Limit) -> None:
    found = parse_limit(text)
    assert found.tracking_error == pytest.approx(limit.tracking_error)
    assert found.max_drift == pytest.approx(limit.max_drift)


@pytest.mark.parametrize("text", ["cheap", "5", "drift", "0%", "-1%"])
def test_limits_that_say_nothing(text: str) -> None:
    with pytest.raises(TableError, match="is not understood"):
        parse_limit(text)


def test_long_work_can_be_stopped_and_tells_how_far_it_is() -> None:
    market = random_market(6, days=200)
    shares: list[float] = []

    def note(share: float) -> bool:
        shares.append(share)
        return True

    search_bands(market, COSTS, progress=note)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    with pytest.raises(CancelledError):
        compare(market, named("never", "5pp"), COSTS, progress=lambda share: share < 0.1)


def test_volatility_bands_serve_one_aim_each() -> None:
    market = random_market(7)
    spread = relative_volatility(market)
    assert spread["AAA"] == pytest.approx(spread["BBB"])  # two classes: each against the other
    rng = np.random.default_rng(8)
    rows = 50 * np.exp(np.cumsum(rng.normal(0, [0.02, 0.01, 0.004], size=(1500, 3)), axis=0))
    three = market_of(weekdays(dt.date(2005, 1, 3), 1500), rows, [0.3, 0.3, 0.4, 0.0])
    wide, narrow = (volatility_bands(three, 0.05, aim) for aim in (Aim.FREQUENCY, Aim.RISK))
    assert wide["AAA"] > wide["BBB"]
    assert narrow["AAA"] < narrow["BBB"] < narrow["CCC"]
    for bands in (wide, narrow):
        assert sum(bands.values()) / 3 == pytest.approx(0.05)
    own = with_bands(three.targets, wide)
    run = simulate(
        market_of(weekdays(dt.date(2005, 1, 3), 1500), rows, [0.3, 0.3, 0.4, 0.0]),
        parse_policy("5pp"),
    )
    assert {item.asset_class: item.band_abs for item in own.items} == pytest.approx(wide)
    assert len(run.day) > 0
    with pytest.raises(TableError, match="average band"):
        volatility_bands(three, 5.0, Aim.RISK)


def test_unequal_bands_of_two_classes_act_as_the_narrower_one() -> None:
    """S038: with two classes the drifts are equal and opposite."""
    from dataclasses import replace

    market = random_market(9)
    targets = with_bands(market.targets, {"AAA": 0.05, "BBB": 0.03})
    unequal = simulate(replace(market, targets=targets), parse_policy("own bands"))
    assert unequal.day.tolist() == simulate(market, parse_policy("3pp")).day.tolist()
    wider = simulate(
        replace(market, targets=with_bands(market.targets, {"AAA": 0.05})), parse_policy("3pp")
    )
    assert wider.day.tolist() == unequal.day.tolist()  # BBB's band of 3 pp decides again
    assert len(unequal.day) > 0
