"""Bands that follow volatility, in two modes that contradict each other and are both right (S035).

With r_i the return of a class and r_rest that of the others at their target weights, a weight w_i moves
by w_i (1 - w_i) (r_i - r_rest) to first order, and a drift d_i, taken from the others in proportion, has
the tracking error d_i x sd(r_i - r_rest).

equal frequency  every class reaches its edge about as often: a diffusion of volatility s leaves +-d after
                 d^2 / s^2 on average, so d_i is in proportion to w_i (1 - w_i) sd(r_i - r_rest).
                 Volatile classes get WIDER bands.
equal risk       every class at its edge has the same tracking error: d_i is in proportion to
                 1 / sd(r_i - r_rest). Volatile classes get TIGHTER bands (Masters 2003, "Rebalancing",
                 Journal of Portfolio Management).

Both keep the average width of the bands that they adjust. In a portfolio of two classes the drifts are
each other's negative, so both modes leave equal bands as they are (S038).
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from xl_rebal.drift import Matrix
from xl_rebal.risk.covariance import Covariance


class BandMode(StrEnum):
    """What volatility-adjusted bands make equal."""

    EQUAL_FREQUENCY = "equal-frequency"
    EQUAL_RISK = "equal-risk"


def relative_volatility(covariance: Covariance, target: Matrix) -> Matrix:
    """(K,) annual standard deviation of each class less the others at target; NaN at 0% and 100%."""
    result = np.full(len(target), np.nan)
    for i, weight in enumerate(target.tolist()):
        if 0.0 < weight < 1.0:
            against = -target / (1.0 - weight)
            against[i] = 1.0
            result[i] = np.sqrt(covariance.variance(against))
    return result


def adjusted(width: Matrix, target: Matrix, covariance: Covariance, mode: BandMode) -> Matrix:
    """(K,) widths of the same average whose classes are hit equally often, or are equally risky.

    Classes without a band, at 0% or 100%, or that never move against the others keep theirs.
    """
    moves = relative_volatility(covariance, target)
    part = np.isfinite(width) & (width > 0) & (np.nan_to_num(moves) > 1e-12)
    if part.sum() < 2:
        return width.copy()
    shape = target[part] * (1 - target[part]) * moves[part]
    if mode is BandMode.EQUAL_RISK:
        shape = 1 / moves[part]
    result = width.copy()
    result[part] = shape * (width[part].sum() / shape.sum())
    return result
