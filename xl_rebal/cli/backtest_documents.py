"""The JSON documents and CSV files of the backtest commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xl_rebal.backtest.band_search import COLUMNS, BandSearch
from xl_rebal.backtest.comparison import Comparison, start_dates
from xl_rebal.backtest.drawdowns import Episode
from xl_rebal.backtest.metrics import conventions, summary
from xl_rebal.backtest.prices import Market
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.backtest.volatility_bands import (
    Aim,
    relative_volatility,
    volatility_bands,
    with_bands,
)
from xl_rebal.backtest.what_if import WhatIf
from xl_rebal.portfolio.policies import OwnBands, Policy


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


def drawdowns_document(
    study: list[Episode], policy: Policy, market: Market, settings: Settings
) -> dict[str, Any]:
    """The document of `drawdowns`."""
    return {
        "policy": policy.in_words(),
        "targets": market.targets.in_words(),
        "rows": [episode.row() for episode in study],
        "costs": settings.costs.in_words(),
        "conventions": "gains and falls are plain ratios of values at the close, not annual; the first "
        "purchase is free and not counted",
        "notes": [
            "gain: value under the policy over that of the same first purchase left alone, both at "
            "target at the peak, less 1",
            f"{len(market.dates)} rows from {market.day(0)} to {market.day(-1)}",
            *market.notes,
        ],
    }


def add_start_dates(
    document: dict[str, Any], found: Comparison, settings: Settings, starts: int
) -> None:
    """Add to each row how its gain in CAGR over the first policy spreads over the first day."""
    first = found.runs[0].policy
    for row, run in zip(document["rows"], found.runs, strict=True):
        gained = start_dates(found.market, run.policy, first, settings, starts=starts)
        row["start_dates"] = gained.figures()


def volatility_bands_document(market: Market, settings: Settings, average: float) -> dict[str, Any]:
    """The document of `volatility-bands`: the bands of both aims, and what each would have done."""
    spread = relative_volatility(market)
    bands = {aim: volatility_bands(market, average, aim) for aim in Aim}
    runs = {}
    for aim, own in bands.items():
        other = replace(market, targets=with_bands(market.targets, own))
        runs[aim.value] = summary(simulate(other, Policy(trigger=OwnBands()), settings))
    return {
        "rows": [
            {
                "asset_class": name,
                "target": float(target),
                "relative_volatility": spread.get(name),
                "equal_frequency": bands[Aim.FREQUENCY].get(name),
                "equal_risk": bands[Aim.RISK].get(name),
            }
            for name, target in zip(market.names[:-1], market.target.tolist(), strict=False)
        ],
        "backtests": [{"bands": name, **figures} for name, figures in runs.items()],
        "targets": market.targets.in_words(),
        "costs": settings.costs.in_words(),
        "conventions": conventions(market),
        "notes": [
            "equal frequency gives the wild classes wider bands, equal risk narrower ones: they serve "
            "opposite aims",
            f"{len(runs)} sets of bands tried on {len(market.dates)} rows from {market.day(0)} to "
            f"{market.day(-1)}",
            *market.notes,
        ],
    }


def what_if_document(found: WhatIf, market: Market, settings: Settings) -> dict[str, Any]:
    """The document of `what-if`."""
    return {
        "rows": found.rows(),
        "years": found.years,
        "targets": market.targets.in_words(),
        "costs": settings.costs.in_words(),
        "conventions": f"CAGR geometric, {market.periods:g} rows a year; turnover is one-way, it, cost and "
        "rebalancings are means over the paths; the first purchase is free and not counted",
        "notes": [
            f"{len(found.widths)} bands tried; {found.source}, {found.years:g} years each; no forecast: "
            f"the paths resemble {market.day(0)} to {market.day(-1)}",
            *market.notes,
        ],
    }
