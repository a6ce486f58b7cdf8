"""Standard errors by the stationary block bootstrap (Politis and Romano 1994, JASA 89).

Blocks of geometric length keep the clustering of volatility; all policies are resampled together, so
that what they have in common cancels in a difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xl_rebal.backtest.prices import Matrix

RESAMPLES = 1000
SEED = 20080101
_CHUNK = 8_000_000  # cells of the matrix of draws that are held at once
TIE = 1.96  # standard errors within which a difference is called a tie (95%)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Each figure of each policy in every resample: (R, M) arrays for M policies."""

    cagr: Matrix
    volatility: Matrix
    sharpe: Matrix


def mean_block(periods: float, rows: int) -> int:
    """Rows of a mean block: a quarter of a year of daily or weekly rows, a year of longer ones."""
    wanted = periods / 4 if periods > 12 else periods
    return max(1, min(round(wanted), rows // 4))


def draws(rows: int, block: int, resamples: int, rng: np.random.Generator) -> Matrix:
    """(R, rows) how often each row is drawn in each resample; each resample draws `rows` rows."""
    most = math.ceil(rows / block * 1.6 + 12 * math.sqrt(rows / block) + 20)
    length = rng.geometric(1.0 / block, size=(resamples, most)) if block > 1 else None
    if length is None:
        length = np.ones((resamples, max(most, rows)), dtype=np.int64)
    end = np.minimum(np.cumsum(length, axis=1), rows)
    end[:, -1] = rows  # whatever the lengths came to, all rows are drawn
    length = np.diff(end, axis=1, prepend=0)
    begin = rng.integers(0, rows, size=length.shape)
    stop = begin + length
    base = np.arange(resamples)[:, None] * (2 * rows + 1)
    used = length > 0
    size = resamples * (2 * rows + 1)
    steps = np.bincount((base + begin)[used], minlength=size) - np.bincount(
        (base + stop)[used], minlength=size
    )
    counts = np.cumsum(steps.reshape(resamples, -1), axis=1)
    result: Matrix = (counts[:, :rows] + counts[:, rows : 2 * rows]).astype(np.float64)
    return result


def spread(
    returns: Matrix,
    *,
    periods: float,
    years: float,
    risk_free: float = 0.0,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> Spread:
    """The figures of M policies in each resample, from (M, rows) simple returns."""
    rows = returns.shape[1]
    rng = np.random.default_rng(seed)
    block = mean_block(periods, rows)
    stacked = np.concatenate([np.log1p(returns), returns, returns**2]).T
    sums = []
    chunk = max(1, min(resamples, _CHUNK // max(1, rows)))
    for first in range(0, resamples, chunk):
        many = min(chunk, resamples - first)
        sums.append(draws(rows, block, many, rng) @ stacked)
    growth, first_moment, second = np.split(np.concatenate(sums), 3, axis=1)
    mean = first_moment / rows
    variance = np.maximum(second / rows - mean**2, 0.0) * (rows / max(1, rows - 1))
    volatility = np.sqrt(variance * periods)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (mean * periods - risk_free) / volatility
    return Spread(
        cagr=np.expm1(growth / years),
        volatility=volatility,
        sharpe=np.where(volatility > 1e-12, ratio, 0.0),
    )
