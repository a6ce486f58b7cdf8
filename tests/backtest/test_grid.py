"""The grid gives what one backtest at a time gives, with and without Numba, on one thread or more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.test_simulator import NAMES
from xl_rebal.backtest.comparison import CancelledError
from xl_rebal.backtest.grid import GridTask, absolute_edges, run_grid
from xl_rebal.backtest.kernels import compiled, run_paths
from xl_rebal.backtest.prices import Prices, align
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulated_prices import Assumptions, random_paths, resampled_paths
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.errors import TableError
from xl_rebal.portfolio.policies import Band, Policy
from xl_rebal.portfolio.targets import Target, Targets

WIDTHS = (0.0, 0.01, 0.03, 0.05)


def assumed(count: int, *, degrees: float | None = None) -> Assumptions:
    correlation = np.full((count, count), 0.3)
    np.fill_diagonal(correlation, 1.0)
    return Assumptions(
        mean=np.full(count, 0.05),
        volatility=np.linspace(0.05, 0.25, count),
        correlation=correlation,
        degrees=degrees,
    )


def task(paths: int, days: int, count: int, rate: float, seed: int = 1) -> GridTask:
    target = np.arange(1.0, count + 1) / (count * (count + 1) / 2)
    high, low = absolute_edges(target, WIDTHS)
    price = random_paths(assumed(count), paths=paths, days=days, seed=seed)
    return GridTask(price=price, target=target, high=high, low=low, rate=np.full(count, rate))


@settings(max_examples=15)
@given(
    count=st.integers(2, 5),
    days=st.integers(2, 200),
    rate=st.sampled_from([0.0, 0.002]),
    seed=st.integers(0, 10_000),
)
def test_it_agrees_with_the_simulator(count: int, days: int, rate: float, seed: int) -> None:
    work = task(3, days, count, rate, seed)
    found = run_grid(work, use_numba=False)
    items = tuple(Target(asset_class=NAMES[k], target=float(work.target[k])) for k in range(count))
    dates = np.busday_offset(np.datetime64("2001-01-01"), np.arange(days), roll="forward")
    for n in range(3):
        prices = Prices(dates=dates, symbols=NAMES[:count], values=work.price[n].T.copy())
        market = align(prices, Targets(items), accept_jumps=True)
        for b, width in enumerate(WIDTHS):
            run = simulate(
                market,
                Policy(trigger=Band(absolute=width)),
                Settings(costs=CostModel(half_spread=rate), start_value=1.0),
            )
            assert found.events[b, n] == len(run.day)
            assert found.final[b, n] == pytest.approx(run.value[-1], rel=1e-12)
            assert found.turnover[b, n] == pytest.approx(run.turnover.sum(), rel=1e-9, abs=1e-12)
            assert found.cost[b, n] == pytest.approx(
                (run.cost / run.total_before).sum(), rel=1e-7, abs=1e-12
            )


def test_the_kernel_and_the_loop_give_the_same_bits() -> None:
    """The kernel's source runs as plain Python here; compiled it is checked where Numba is installed."""
    work = task(6, 150, 4, 0.001)
    found = run_grid(work, use_numba=False)
    kernel = compiled() or run_paths
    shape = found.events.shape
    events, turnover, cost, final = (np.zeros(shape) for _ in range(4))
    kernel(
        work.price, work.target, work.high, work.low, work.rate, 0, 6, events, turnover, cost, final
    )
    np.testing.assert_array_equal(events, found.events)
    np.testing.assert_array_equal(turnover, found.turnover)
    np.testing.assert_array_equal(cost, found.cost)
    np.testing.assert_array_equal(final, found.final)
    assert found.events[0].min() > 100
    assert found.events[-1].max() < 20


def test_chunks_and_threads_change_nothing() -> None:
    work = task(40, 120, 3, 0.001)
    whole = run_grid(work, workers=1)
    for workers in (2, 5):
        again = run_grid(work, workers=workers)
        np.testing.assert_array_equal(whole.final, again.final)
    parts = np.concatenate(
        [
            run_grid(
                GridTask(
                    price=work.price[n : n + 1],
                    target=work.target,
                    high=work.high,
                    low=work.low,
                    rate=work.rate,
                )
            ).final
            for n in range(40)
        ],
        axis=1,
    )
    np.testing.assert_array_equal(whole.final, parts)


def test_a_long_grid_tells_how_far_it_is_and_stops_when_told() -> None:
    work = task(200, 60, 3, 0.0)
    shares: list[float] = []

    def note(share: float) -> bool:
        shares.append(share)
        return True

    run_grid(work, progress=note)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len(shares) > 3
    with pytest.raises(CancelledError):
        run_grid(work, progress=lambda share: share < 0.3)


def test_a_grid_needs_matching_shapes() -> None:
    good = task(1, 5, 3, 0.0)
    with pytest.raises(ValueError, match="edge"):
        GridTask(
            price=good.price,
            target=good.target,
            high=good.high[:, :2],
            low=good.low,
            rate=good.rate,
        )
    with pytest.raises(ValueError, match="rate"):
        GridTask(
            price=good.price, target=good.target, high=good.high, low=good.low, rate=good.rate[:1]
        )


@pytest.mark.parametrize("degrees", [None, 5.0])
def test_random_paths_have_the_moments_that_were_asked_for(degrees: float | None) -> None:
    wanted = assumed(3, degrees=degrees)
    paths = random_paths(wanted, paths=400, days=253, seed=3)
    assert paths.shape == (400, 3, 253)
    assert np.all(paths[:, :, 0] == 1.0)
    steps = np.diff(np.log(paths), axis=2)
    flat = steps.transpose(1, 0, 2).reshape(3, -1)
    np.testing.assert_allclose(flat.std(axis=1) * np.sqrt(252), wanted.volatility, rtol=0.02)
    np.testing.assert_allclose(np.corrcoef(flat), wanted.correlation, atol=0.02)
    np.testing.assert_array_equal(paths, random_paths(wanted, paths=400, days=253, seed=3))
    excess = ((flat[0] - flat[0].mean()) ** 4).mean() / flat[0].var() ** 2 - 3
    assert (excess > 1) == (degrees is not None)


def test_resampled_paths_are_made_of_days_that_were() -> None:
    work = task(1, 300, 3, 0.0)
    dates = np.busday_offset(np.datetime64("2001-01-01"), np.arange(300), roll="forward")
    prices = Prices(dates=dates, symbols=NAMES[:3], values=work.price[0].T.copy())
    third = Target(asset_class="CCC", target=0.5)
    items = (Target(asset_class="AAA", target=0.3), Target(asset_class="BBB", target=0.2), third)
    market = align(prices, Targets(items))
    paths = resampled_paths(market, paths=5, days=100, seed=1)
    assert paths.shape == (5, 4, 100)
    known = {tuple(np.round(row, 9)) for row in market.returns.T}
    drawn = (paths[:, :, 1:] / paths[:, :, :-1] - 1).transpose(0, 2, 1).reshape(-1, 4)
    assert {tuple(np.round(row, 9)) for row in drawn} <= known


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volatility": np.array([0.1, -0.1])}, "negative"),
        ({"mean": np.zeros(3)}, "need 2 means"),
        ({"correlation": np.array([[1.0, 0.5], [0.4, 1.0]])}, "not symmetric"),
        ({"correlation": np.array([[1.0, 1.5], [1.5, 1.0]])}, "contradict each other"),
        ({"degrees": 2.0}, "has no volatility"),
    ],
)
def test_assumptions_that_contradict_themselves(change: dict, message: str) -> None:
    good = {
        "mean": np.zeros(2),
        "volatility": np.full(2, 0.1),
        "correlation": np.eye(2),
        "degrees": None,
    }
    with pytest.raises(TableError, match=message):
        Assumptions(**(good | change))
