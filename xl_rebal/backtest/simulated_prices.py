"""What-if prices: correlated random paths with given volatilities, or blocks of history drawn again.

All are seeded: the same seed gives the same paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xl_rebal.backtest.bootstrap import SEED, mean_block
from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.errors import TableError

_PSD = -1e-10  # eigenvalues of a correlation matrix below this are no rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the returns of K assets are assumed to be; annual, in fractions.

    mean, volatility  (K,) of log returns (mean before the variance is taken off).
    correlation       (K, K), 1 on the diagonal.
    degrees           of freedom of Student's t for fat tails (above 2), None for the normal.
    """

    mean: Matrix
    volatility: Matrix
    correlation: Matrix
    degrees: float | None = None

    def __post_init__(self) -> None:
        count = len(self.volatility)
        problem = ""
        if self.mean.shape != (count,) or self.correlation.shape != (count, count):
            problem = f"{count} volatilities need {count} means and {count} x {count} correlations"
        elif np.any(self.volatility < 0) or not np.all(np.isfinite(self.volatility)):
            problem = "a volatility is negative"
        elif not np.allclose(self.correlation, self.correlation.T) or not np.allclose(
            np.diag(self.correlation), 1.0
        ):
            problem = "correlations are not symmetric with 1 on the diagonal"
        elif float(np.linalg.eigvalsh(self.correlation)[0]) < _PSD:
            problem = "the correlations contradict each other (not positive semidefinite)"
        elif self.degrees is not None and self.degrees <= 2:
            problem = f"Student's t with {self.degrees:g} degrees of freedom has no volatility"
        if problem:
            raise TableError.of(
                where="assumptions", what=problem, remedy="correct the table of assumptions"
            )


def random_paths(
    assumed: Assumptions, *, paths: int, days: int, periods: float = 252.0, seed: int = SEED
) -> Matrix:
    """(N, K, days) prices that start at 1 and follow the assumptions."""
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(assumed.correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    steps = rng.standard_normal((paths, days - 1, len(values))) @ root.T
    if assumed.degrees is not None:
        # One chi-square per day for all assets: they have their wild days together.
        mixing = rng.chisquare(assumed.degrees, size=(paths, days - 1, 1)) / assumed.degrees
        steps *= math.sqrt((assumed.degrees - 2) / assumed.degrees) / np.sqrt(mixing)
    drift = (assumed.mean - assumed.volatility**2 / 2) / periods
    steps = steps * (assumed.volatility / math.sqrt(periods)) + drift
    return _prices(steps)


def resampled_paths(market: Market, *, paths: int, days: int, seed: int = SEED) -> Matrix:
    """(N, K + 1, days) prices that start at 1, made of blocks of the market's own days (cash last)."""
    rng = np.random.default_rng(seed)
    history = np.log1p(market.returns).T
    rows = len(history)
    block = mean_block(market.periods, rows)
    fresh = rng.random((paths, days - 1)) < 1.0 / block
    fresh[:, 0] = True
    jump = rng.integers(0, rows, size=(paths, days - 1))
    place = np.arange(days - 1)
    origin = np.maximum.accumulate(np.where(fresh, place, 0), axis=1)
    index = (np.take_along_axis(jump, origin, axis=1) + place - origin) % rows
    return _prices(history[index])


def _prices(steps: Matrix) -> Matrix:
    paths, rows, count = steps.shape
    result = np.ones((paths, count, rows + 1))
    np.exp(np.cumsum(steps, axis=1), out=steps)
    result[:, :, 1:] = steps.transpose(0, 2, 1)
    return result
