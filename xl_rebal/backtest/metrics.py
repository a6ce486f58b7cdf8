"""The figures of a backtest. Each formula stands beside its name; returns are simple and time-weighted.

Conventions: a year has 252 daily rows (52, 12, 4, 1 for other data) where rows are counted, and 365.25
days where time is; CAGR is geometric, Sharpe and Sortino are arithmetic (Sharpe 1994, "The Sharpe
Ratio"; Sortino and Price 1994).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall from a peak: `depth` is negative; `recovery` is None while under water."""

    depth: float
    peak: int
    trough: int
    recovery: int | None


def deepest_drawdown(value: Matrix) -> Drawdown:
    """The largest fall from a running maximum, by rows of `value`."""
    under = under_water(value)
    trough = int(np.argmin(under))
    peak = int(np.argmax(value[: trough + 1]))
    back = np.flatnonzero(value[trough:] >= value[peak])
    recovery = trough + int(back[0]) if len(back) and under[trough] < 0 else None
    return Drawdown(depth=float(under[trough]), peak=peak, trough=trough, recovery=recovery)


def under_water(value: Matrix) -> Matrix:
    """(T,) how far each value lies below the highest before it; 0 or negative."""
    result: Matrix = value / np.maximum.accumulate(value) - 1
    return result


def conventions(market: Market) -> str:
    """How annual figures are made, in one sentence."""
    return (
        f"volatility, Sharpe and Sortino from simple returns x {market.periods:g} rows a year "
        "(arithmetic); CAGR geometric over calendar time of 365.25 days; turnover is one-way; the "
        "first purchase is free and not counted"
    )


def annual_return(growth: Matrix, years: float) -> float:
    """Geometric: (last / first) ^ (1 / years) - 1."""
    return float((growth[-1] / growth[0]) ** (1 / years) - 1)


def volatility(returns: Matrix, periods: float) -> float:
    """Sample standard deviation of simple returns x sqrt(periods); 0 for fewer than two."""
    count = len(returns)
    if count < 2:
        return 0.0
    off = returns - np.add.reduce(returns) / count
    return math.sqrt(float(off @ off) / (count - 1) * periods)


def sharpe(mean: float, volatility: float, risk_free: float) -> float | None:
    """Annual mean excess return over the annual volatility; None where nothing moves."""
    return (mean - risk_free) / volatility if volatility > 1e-12 else None


def sortino(returns: Matrix, mean: float, periods: float, risk_free: float) -> float | None:
    """Annual mean excess return over the root mean square of the shortfalls below the risk-free rate."""
    short = np.minimum(returns - risk_free / periods, 0.0)
    deviation = math.sqrt(float(short @ short) / len(short) * periods)
    return (mean - risk_free) / deviation if deviation > 1e-12 else None


def worst(growth: Matrix, ends: NDArray[np.int64]) -> tuple[int, float]:
    """The row that ends the calendar month or year with the lowest return, and that return.

    ends  the last row of each; a return runs from the last row of the one before.
    """
    if ends[0] == 0:
        ends = ends[1:]  # of the period that the first row ends nothing else is known
    found = growth[ends] / growth[np.concatenate([[0], ends[:-1]])] - 1
    place = int(np.argmin(found))
    return int(ends[place]), float(found[place])


def target_returns(run: Run) -> Matrix:
    """(T - 1,) returns of the portfolio that stands at its target at every close, without costs."""
    if run.target.shape[1] > 1:
        moving: Matrix = (run.target[:, :-1] * run.market.returns).sum(axis=0)
        return moving
    cache = run.market.cache
    if "at target" not in cache:  # the same for every policy
        cache["at target"] = run.market.target @ run.market.returns
    result: Matrix = cache["at target"]
    return result


def never(run: Run) -> Matrix:
    """(T,) value of 1 that buys the first targets, or the given holdings, and is left alone."""
    if run.settings.holdings is not None:
        value = run.units[0] @ run.market.price
        held: Matrix = value / value[0]
        return held
    cache = run.market.cache
    if "never" not in cache:  # the same for every policy
        price = run.market.price
        cache["never"] = (run.market.target / price[:, 0]) @ price
    result: Matrix = cache["never"]
    return result


def summary(run: Run) -> dict[str, Any]:
    """The figures of a run by name; fractions, money, dates as ISO text, None where one has no meaning."""
    market, settings = run.market, run.settings
    years, periods = market.years, market.periods
    growth, returns = run.growth, run.returns
    fall = deepest_drawdown(growth)
    ideal = target_returns(run)
    mean = float(np.add.reduce(returns)) / len(returns) * periods
    risk = volatility(returns, periods)
    cagr = annual_return(growth, years)
    month, worst_month = worst(growth, market.period_ends("M"))
    year, worst_year = worst(growth, market.period_ends("Y"))
    distance = run.furthest
    banded = bool(np.isfinite(run.rule.up).any() or np.isfinite(run.rule.down).any())
    costs = float(run.cost.sum()) + run.flow_cost
    count = len(run.day)
    return {
        "final_value": float(run.value[-1]),
        "cagr": cagr,
        "volatility": risk,
        "sharpe": sharpe(mean, risk, settings.risk_free),
        "max_drawdown": fall.depth,
        "rebalances": count,
        "turnover": float(run.turnover.sum()) / years,
        "cost": costs,
        "tracking_error": volatility(returns - ideal, periods),
        "rebalances_per_year": count / years,
        "cost_bps": float((run.cost / run.total_before).sum()) / years * 1e4,
        "average_drift": float(np.add.reduce(distance)) / len(distance),
        "max_drift": float(distance.max()),
        "days_outside": run.days_outside if banded else None,
        "sortino": sortino(returns, mean, periods, settings.risk_free),
        "mean_return": mean,
        "drawdown_peak": market.day(fall.peak).isoformat(),
        "drawdown_trough": market.day(fall.trough).isoformat(),
        "drawdown_recovery": None
        if fall.recovery is None
        else market.day(fall.recovery).isoformat(),
        "worst_month": worst_month,
        "worst_month_is": market.day(month).isoformat()[:7],
        "worst_year": worst_year,
        "worst_year_is": market.day(year).isoformat()[:4],
        **_premium(run, cagr, ideal),
        "start": market.day(0).isoformat(),
        "end": market.day(-1).isoformat(),
        "days": len(market.dates),
        "years": years,
        "start_value": float(run.value[0]),
        "flows": float(run.flow.sum()),
    }


def _premium(run: Run, cagr: float, ideal: Matrix) -> dict[str, float | None]:
    """What rebalancing earned, under its two names that must not be confused (S039).

    diversification_return  CAGR less the target-weighted CAGR of the assets (Booth and Fama 1992,
                            "Diversification Returns and Asset Contributions").
    premium_estimate        its expected size, (sum of weight x variance - portfolio variance) / 2.
    gain_over_never         CAGR less that of the same first purchase left alone.
    """
    market = run.market
    if run.target.shape[1] > 1 or run.settings.holdings is not None:
        return dict.fromkeys(("diversification_return", "premium_estimate", "gain_over_never"))
    weight = run.rule.target
    years, periods = market.years, market.periods
    if "premium" not in market.cache:  # the same for every policy
        own = (market.price[:, -1] / market.price[:, 0]) ** (1 / years) - 1
        whole = volatility(ideal, 1.0) ** 2
        estimate = float(weight @ market.variances - whole) * periods / 2
        market.cache["premium"] = (float(weight @ own), estimate, annual_return(never(run), years))
    parts, estimate, left_alone = market.cache["premium"]
    return {
        "diversification_return": cagr - parts,
        "premium_estimate": estimate,
        "gain_over_never": cagr - left_alone,
    }
