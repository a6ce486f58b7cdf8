"""Net benefit (S045), covariances, adjusted bands (S035, S038), shocks (S002) and edges (S004)."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.bands import move_to
from xl_rebal.errors import TableError
from xl_rebal.market_data.covariances import covariance_of_rows
from xl_rebal.risk.adjusted_bands import BandMode, adjusted, relative_volatility
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import Investor, net_benefit
from xl_rebal.risk.shock import parse_returns, returns_of, shocked

NAMES = ("Stocks", "Bonds", "Gold")
SD = np.array([0.16, 0.05, 0.20])
CORRELATION = np.array([[1.0, 0.1, 0.0], [0.1, 1.0, 0.2], [0.0, 0.2, 1.0]])
COVARIANCE = Covariance(classes=NAMES, matrix=CORRELATION * np.outer(SD, SD), words="given")
TARGET = np.array([0.5, 0.35, 0.15])


def test_the_benefit_of_the_docstring() -> None:
    two = Covariance(classes=("Stocks", "Bonds"), matrix=np.diag([0.15**2, 0.05**2]), words="given")
    found = net_benefit(
        two, (0.1, -0.1), (0.0, 0.0), value=1e6, costs=100.0, investor=Investor(risk_aversion=4.0)
    )
    assert found.variance_before == pytest.approx(0.00025, abs=1e-15)
    assert found.gross == pytest.approx(500.0, abs=1e-9)
    assert found.net == pytest.approx(400.0, abs=1e-9)
    assert found.in_words().endswith("= 400.00")


def test_tracking_variance_is_that_of_simulated_returns() -> None:
    rng = np.random.default_rng(1)
    returns = rng.multivariate_normal(np.zeros(3), COVARIANCE.matrix, 400_000)
    drift = np.array([0.08, -0.05, -0.03])
    assert COVARIANCE.variance(drift) == pytest.approx(float(np.var(returns @ drift)), rel=0.01)


def test_covariance_of_prices_is_annualised_by_their_dates() -> None:
    rng = np.random.default_rng(2)
    dates = [dt.date(2020, 1, 3) + dt.timedelta(days=7 * i) for i in range(200)]
    prices = 100 * np.cumprod(1 + rng.normal(0, [0.02, 0.01], (200, 2)), axis=0)
    rows = [
        ["Date", "Stocks", "Bonds"],
        *([d, *p] for d, p in zip(dates, prices.tolist(), strict=True)),
    ]
    found = covariance_of_rows(rows, ("Stocks", "Bonds"), where="prices")
    returns = prices[1:] / prices[:-1] - 1
    a_year = 52  # as in backtests
    assert found.matrix[0, 0] == pytest.approx(np.var(returns[:, 0], ddof=1) * a_year, rel=1e-9)
    assert "199 returns" in found.words


def test_bad_tables_name_their_rows() -> None:
    rows: list[list[Any]] = [
        ["asset_class", "volatility", "Bonds"],
        ["Stocks", "x", 2.0],
        ["Bonds", 0.05, None],
    ]
    with pytest.raises(TableError) as error:
        covariance_of_rows(rows, ("Stocks", "Bonds"), where="vol.csv")
    assert len(error.value.faults) == 2
    assert "vol.csv row 2" in str(error.value)
    with pytest.raises(TableError, match="contradict"):
        covariance_of_rows(
            [
                ["asset_class", "volatility", "B", "C"],
                ["A", 0.1, 0.9, 0.9],
                ["B", 0.1, 1, -0.9],
                ["C", 0.1, None, 1],
            ],
            ("A", "B", "C"),
            where="t",
        )


def test_equal_frequency_bands_are_hit_about_equally_often_and_plain_ones_are_not() -> None:
    """Weights let run from target until a class leaves its band: mean times agree within a tenth."""
    plain = np.full(3, 0.02)
    bands = adjusted(plain, TARGET, COVARIANCE, BandMode.EQUAL_FREQUENCY)
    assert bands.sum() == pytest.approx(plain.sum(), abs=1e-12)

    def mean_times(width: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(3)
        paths, days = 3000, 2000
        weight = np.tile(TARGET, (paths, 1))
        first = np.full((paths, 3), np.nan)
        daily = COVARIANCE.matrix / 252
        for day in range(1, days + 1):
            grown = weight * (1 + rng.multivariate_normal(np.zeros(3), daily, paths))
            weight = grown / grown.sum(axis=1, keepdims=True)
            out = np.abs(weight - TARGET) >= width
            first = np.where(np.isnan(first) & out, day, first)
            if not np.isnan(first).any():
                break
        return np.nanmean(first, axis=0)

    equal, unequal = mean_times(bands), mean_times(plain)
    assert equal.max() / equal.min() < 1.15
    assert unequal.max() / unequal.min() > 1.5


def test_equal_risk_bands_have_the_same_tracking_error_at_their_edge() -> None:
    bands = adjusted(np.full(3, 0.03), TARGET, COVARIANCE, BandMode.EQUAL_RISK)
    errors = []
    for i, width in enumerate(bands.tolist()):
        exposure = -width * TARGET / (1 - TARGET[i])
        exposure[i] = width
        errors.append(math.sqrt(COVARIANCE.variance(exposure)))
    assert errors == pytest.approx([errors[0]] * 3, rel=1e-12)
    # Volatile classes: tighter by risk, wider by frequency than at equal risk (S034 against S038).
    frequency = adjusted(np.full(3, 0.03), TARGET, COVARIANCE, BandMode.EQUAL_FREQUENCY)
    assert bands[2] < 0.03
    assert frequency[0] > 0.03


@pytest.mark.parametrize("mode", list(BandMode))
def test_two_classes_keep_equal_bands(mode: BandMode) -> None:
    two = Covariance(classes=("A", "B"), matrix=np.diag([0.15**2, 0.05**2]), words="given")
    bands = adjusted(np.full(2, 0.05), np.array([0.6, 0.4]), two, mode)
    assert bands == pytest.approx([0.05, 0.05], abs=1e-12)


def test_classes_without_a_band_or_at_the_ends_keep_theirs() -> None:
    target = np.array([0.0, 0.6, 0.4])
    width = np.array([0.02, 0.05, np.inf])
    assert np.isnan(relative_volatility(COVARIANCE, target)[0])
    assert (adjusted(width, target, COVARIANCE, BandMode.EQUAL_RISK) == width).all()


def test_march_2020_of_the_brief() -> None:
    after = shocked(np.array([0.6, 0.4]), np.array([-0.34, 0.0]))
    assert after == pytest.approx([0.4975, 0.5025], abs=5e-5)


def test_the_moves_of_the_brief_reach_the_edges() -> None:
    assert move_to(0.6, 0.65) == pytest.approx(0.238, abs=5e-4)
    assert move_to(0.6, 0.70) == pytest.approx(0.556, abs=5e-4)
    assert move_to(1.0, 0.95) is None
    assert move_to(0.6, 1.0) is None
    assert move_to(0.0, 0.05) is None
    assert move_to(0.03, -0.02) is None


@given(st.floats(0.01, 0.99), st.floats(0.0, 0.99))
def test_the_move_to_an_edge_arrives_there(weight: float, edge: float) -> None:
    move = move_to(weight, edge)
    assert move is not None
    after = shocked(np.array([weight, 1 - weight]), np.array([move, 0.0]))
    assert float(after[0]) == pytest.approx(edge, abs=1e-9)


def test_returns_are_read_and_hold_for_all_below_a_class() -> None:
    given_ = parse_returns("stocks -20%, Stocks/US: +5%; bonds 1.5 %")
    found = returns_of(given_, ("Stocks/US", "Stocks/Intl", "Bonds", "Cash"))
    assert found.tolist() == pytest.approx([0.05, -0.2, 0.015, 0.0])
    for text, what in (("gold 5%", "no class"), ("bonds -120%", "not possible")):
        with pytest.raises(TableError, match=what):
            returns_of(parse_returns(text), ("Bonds",))
    with pytest.raises(TableError, match="not understood"):
        parse_returns("bonds up")
