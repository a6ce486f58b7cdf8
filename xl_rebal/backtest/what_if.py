"""What if: bands of several widths on many simulated paths, and how their results spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.backtest.bootstrap import SEED
from xl_rebal.backtest.comparison import Progress
from xl_rebal.backtest.grid import GridResult, GridTask, absolute_edges, run_grid
from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.simulated_prices import Assumptions, random_paths, resampled_paths
from xl_rebal.errors import TableError

WIDTHS = (0.02, 0.03, 0.05, 0.07, 0.10)
_LONGEST = 1000  # years
_MOST = 60_000_000  # prices held at once: half a gigabyte


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Bands of B widths on N paths of some years."""

    widths: tuple[float, ...]
    years: float
    found: GridResult
    source: str

    def rows(self) -> list[dict[str, Any]]:
        """One row per band: means, and the spread of the annual return over the paths."""
        rows = []
        for b, width in enumerate(self.widths):
            annual = self.found.final[b] ** (1 / self.years) - 1
            low, middle, high = np.quantile(annual, [0.05, 0.5, 0.95]).tolist()
            rows.append(
                {
                    "band": width,
                    "rebalances_per_year": float(self.found.events[b].mean()) / self.years,
                    "turnover": float(self.found.turnover[b].mean()) / self.years,
                    "cost_bps": float(self.found.cost[b].mean()) / self.years * 1e4,
                    "cagr_5th": low,
                    "cagr_median": middle,
                    "cagr_95th": high,
                }
            )
        return rows


def assumptions_of(market: Market, degrees: float | None = None) -> Assumptions:
    """The means, volatilities and correlations of the market's own classes (cash left out)."""
    steps = np.log1p(market.returns[:-1])
    if steps.shape[1] < 3:
        raise TableError.of(
            where="prices",
            what="are too few to measure volatilities and correlations",
            remedy="give a longer history",
        )
    volatility = steps.std(axis=1, ddof=1) * np.sqrt(market.periods)
    mean = steps.mean(axis=1) * market.periods + volatility**2 / 2
    with np.errstate(divide="ignore", invalid="ignore"):  # what never moves correlates with nothing
        correlation = np.nan_to_num(np.atleast_2d(np.corrcoef(steps)))
    np.fill_diagonal(correlation, 1.0)
    return Assumptions(mean=mean, volatility=volatility, correlation=correlation, degrees=degrees)


def what_if(
    market: Market,
    *,
    rate: float,
    years: float = 10.0,
    paths: int = 1000,
    widths: Sequence[float] = WIDTHS,
    assumed: Assumptions | None = None,
    seed: int = SEED,
    progress: Progress | None = None,
) -> WhatIf:
    """Run the bands on paths made of blocks of history, or of `assumed` normal or Student-t returns."""
    days = round(years * market.periods) + 1 if 0 < years <= _LONGEST else 0
    count = len(market.names)
    if paths < 1 or days < 2 or paths * days * count > _MOST:
        raise TableError.of(
            where="what-if (--years, --paths)",
            what=f"{paths:,} paths of {years:g} years and {count} classes are not possible",
            remedy=f"keep the years below {_LONGEST:,}, and paths x rows x classes to {_MOST:,}",
        )
    price: Matrix
    if assumed is None:
        price = resampled_paths(market, paths=paths, days=days, seed=seed)
        source = f"{paths:,} paths of blocks of the sample's own rows"
    else:
        moving = random_paths(assumed, paths=paths, days=days, periods=market.periods, seed=seed)
        price = np.concatenate([moving, np.ones((paths, 1, days))], axis=1)
        kind = "normal" if assumed.degrees is None else f"Student-t ({assumed.degrees:g} degrees)"
        source = f"{paths:,} {kind} paths with the sample's means, volatilities and correlations"
    high, low = absolute_edges(market.target, widths)
    high[:, -1], low[:, -1] = np.inf, -np.inf  # cash triggers nothing
    charged = np.full(count, rate)
    charged[-1] = 0.0
    task = GridTask(price=price, target=market.target, high=high, low=low, rate=charged)
    found = run_grid(task, progress=progress)
    return WhatIf(widths=tuple(widths), years=years, found=found, source=f"{source}, seed {seed}")
