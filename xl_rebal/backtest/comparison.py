"""Policies side by side on the same prices, and what a difference between them is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.backtest import bootstrap
from xl_rebal.backtest.metrics import annual_return, summary
from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.errors import RebalError
from xl_rebal.portfolio.policies import Policy

Named = tuple[str, Policy]
# Called with the share that is done; returns False to stop the work.
Progress = Callable[[float], bool]


class CancelledError(RebalError):
    """The caller's progress function asked to stop; there is no result."""


def report(progress: Progress | None, share: float) -> None:
    """Tell how far the work is; raises CancelledError where it is to stop."""
    if progress is not None and progress(share) is False:
        raise CancelledError.of(
            where="backtest", what="stopped before its end", remedy="run it again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Policies on one market. The first is what the others are compared with.

    spread  what the bootstrap made of their CAGR, volatility and Sharpe ratio.
    """

    market: Market
    names: tuple[str, ...]
    runs: tuple[Run, ...]
    spread: bootstrap.Spread

    def rows(self) -> list[dict[str, Any]]:
        """One row per policy: its summary, its differences to the first, their errors, the verdict."""
        first = summary(self.runs[0])
        rows = []
        for m, (name, run) in enumerate(zip(self.names, self.runs, strict=True)):
            figures = first if m == 0 else summary(run)
            row: dict[str, Any] = {"policy": name, **figures}
            for key, sample in (
                ("cagr", self.spread.cagr),
                ("volatility", self.spread.volatility),
                ("sharpe", self.spread.sharpe),
            ):
                row |= _difference(key, figures[key], first[key], sample[:, m] - sample[:, 0])
            row["verdict"] = "reference" if m == 0 else verdict(row, self.names[0])
            rows.append(row)
        return rows

    def notes(self) -> list[str]:
        """The sample, its gaps, and how many policies were tried."""
        market = self.market
        return [
            f"{len(self.runs)} policies tried on {len(market.dates)} rows from {market.day(0)} to "
            f"{market.day(-1)}; the best of several looks better than it is",
            f"standard errors from {len(self.spread.cagr)} stationary block resamples, mean block "
            f"{bootstrap.mean_block(market.periods, len(market.dates) - 1)} rows; a difference "
            f"within {bootstrap.TIE:g} of them is called a tie",
            *market.notes,
        ]


def _difference(
    key: str, value: float | None, reference: float | None, sample: Matrix
) -> dict[str, float | None]:
    if value is None or reference is None:
        return {f"{key}_difference": None, f"{key}_error": None}
    error = float(np.std(sample, ddof=1)) if len(sample) > 1 else 0.0
    return {f"{key}_difference": value - reference, f"{key}_error": error}


def verdict(row: dict[str, Any], reference: str) -> str:
    """In plain words what return and volatility say against the reference."""
    words = []
    for key, more, less in (
        ("cagr", "higher return", "lower return"),
        ("volatility", "higher volatility", "lower volatility"),
    ):
        gap, error = row[f"{key}_difference"], row[f"{key}_error"]
        if gap is not None and error is not None and abs(gap) > bootstrap.TIE * error + 1e-12:
            words.append(more if gap > 0 else less)
    return " and ".join(words) if words else f"statistical tie with {reference}"


def compare(
    market: Market,
    policies: Sequence[Named],
    settings: Settings | None = None,
    *,
    seed: int = bootstrap.SEED,
    resamples: int = bootstrap.RESAMPLES,
    progress: Progress | None = None,
) -> Comparison:
    """Run every policy and resample their returns together."""
    settings = Settings() if settings is None else settings
    runs = []
    for number, (_, policy) in enumerate(policies):
        report(progress, 0.8 * number / len(policies))
        runs.append(simulate(market, policy, settings))
    report(progress, 0.8)
    found = bootstrap.spread(
        np.array([run.returns for run in runs]),
        periods=market.periods,
        years=market.years,
        risk_free=settings.risk_free,
        seed=seed,
        resamples=resamples,
    )
    report(progress, 1.0)
    return Comparison(
        market=market,
        names=tuple(name for name, _ in policies),
        runs=tuple(runs),
        spread=found,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDates:
    """The gain in CAGR of a policy over another from each of S first days to the same last day."""

    dates: tuple[str, ...]
    gain: Matrix

    def figures(self) -> dict[str, Any]:
        """Least, middle and largest gain, and in how many of the starts there was one."""
        return {
            "starts": len(self.gain),
            "first_start": self.dates[0],
            "last_start": self.dates[-1],
            "least": float(self.gain.min()),
            "median": float(np.median(self.gain)),
            "largest": float(self.gain.max()),
            "positive": int((self.gain > 0).sum()),
        }


def start_dates(
    market: Market,
    policy: Policy,
    reference: Policy,
    settings: Settings | None = None,
    *,
    starts: int = 24,
) -> StartDates:
    """How much the first day matters: the same comparison begun at `starts` month ends in a row.

    The months begin with the sample; at most the first half of it is given up.
    """
    settings = Settings() if settings is None else settings
    months = market.dates.astype("datetime64[M]")
    ends = np.flatnonzero(months[1:] != months[:-1])
    ends = ends[ends < len(market.dates) // 2][:starts]
    rows = ends.tolist() or [0]
    gain = []
    for row in rows:
        later = market.since(row)
        mine, other = (simulate(later, each, settings).growth for each in (policy, reference))
        gain.append(annual_return(mine, later.years) - annual_return(other, later.years))
    return StartDates(dates=tuple(str(market.day(row)) for row in rows), gain=np.array(gain))
