"""The JSON documents and CSV files of the backtest commands."""

from __future__ import annotations

from typing import Any

from xl_rebal.backtest.band_search import COLUMNS, BandSearch
from xl_rebal.backtest.comparison import Comparison
from xl_rebal.backtest.drawdowns import Episode
from xl_rebal.backtest.metrics import conventions, summary
from xl_rebal.backtest.prices import Market
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.portfolio.policies import Policy


def backtest_document(run: Run) -> dict[str, Any]:
    """The document of `backtest`."""
    return {
        "policy": run.policy.in_words(),
        "targets": run.market.targets.in_words(),
        "costs": run.settings.costs.in_words(),
        "summary": summary(run),
        "rebalances": run.rebalances(),
        "conventions": conventions(run.market),
        "notes": list(run.market.notes),
    }


def path_csv(run: Run) -> bytes:
    """`date,value`: ISO dates, values at the close with trades and costs done, unrounded."""
    days = run.market.dates.astype(str).tolist()
    lines = [f"{day},{value!r}" for day, value in zip(days, run.value.tolist(), strict=True)]
    return ("\n".join(["date,value", *lines]) + "\n").encode()


def comparison_document(found: Comparison) -> dict[str, Any]:
    """The document of `compare`."""
    run = found.runs[0]
    return {
        "rows": found.rows(),
        "targets": found.market.targets.in_words(),
        "costs": run.settings.costs.in_words(),
        "conventions": conventions(found.market),
        "notes": found.notes(),
    }


def bands_document(found: BandSearch, settings: Settings) -> dict[str, Any]:
    """The document of `optimal-band`."""
    return {
        "best": found.best["band"],
        "rule": found.limit.in_words(),
        "rows": [{name: row[name] for name in COLUMNS} for row in found.rows],
        "targets": found.market.targets.in_words(),
        "costs": settings.costs.in_words(),
        "conventions": conventions(found.market),
        "notes": found.notes(),
    }


def drawdowns_document(study: list[Episode], policy: Policy, market: Market) -> dict[str, Any]:
    """The document of `drawdowns`."""
    return {
        "policy": policy.in_words(),
        "targets": market.targets.in_words(),
        "rows": [episode.row() for episode in study],
        "notes": [
            "gain: value under the policy over that of the same first purchase left alone, both at "
            "target at the peak, less 1",
            *market.notes,
        ],
    }
