"""Backtests: one policy, several side by side, and the best band, on the sheet's own prices."""

from __future__ import annotations

from typing import Any

import numpy as np

from xl_rebal.backtest.band_search import COLUMNS, parse_limit, search_bands
from xl_rebal.backtest.comparison import compare
from xl_rebal.backtest.metrics import conventions, never, summary, under_water
from xl_rebal.backtest.prices import Market, align
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.errors import FaultList, PolicyError, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import POLICY, TARGETS, first_words
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Targets

PRICES = Argument(
    name="prices",
    help="Prices with their headers: Date and a column for each symbol; or date, symbol and price.",
    table="tblPrices",
)
COST_BPS = Argument(
    name="cost_bps",
    help="Cost of a trade in basis points of its value, as in 5; trading is free when left out.",
    optional=True,
)
EVENT_COLUMNS = (
    "date",
    "rule",
    "asset_class",
    "drift_before",
    "turnover",
    "value",
    "cost",
    "trades",
)


def only_model(targets: Any) -> Targets:
    """The one model of a targets argument."""
    models = ranges.targets(targets)
    if len(models) > 1:
        raise TableError.of(
            where="tblTargets, model",
            what=f"there are {len(models)} models ({', '.join(models)})",
            remedy="pass the rows of one model",
        )
    (model,) = models.values()
    return model


def _market(prices: Any, targets: Any) -> Market:
    return align(ranges.prices(prices), only_model(targets))


def settings_of(cost_bps: Any, where: str = "cost_bps") -> Settings:
    """Settings with a cost in basis points, none when blank."""
    bps = ranges.number(cost_bps, where, 0.0)
    if not 0 <= bps < 5000:
        raise TableError.of(
            where=where,
            what=f"{bps:g} is not possible",
            remedy="enter the cost of a trade in basis points of its value, 0 or more",
        )
    return Settings(costs=CostModel(half_spread=bps / 1e4))


@worksheet_function(
    "REBAL_BACKTEST",
    arguments=(
        PRICES,
        TARGETS,
        POLICY,
        COST_BPS,
        Argument(
            name="output",
            help='"summary" by default; "events" for the rebalancings; "path" for value by day; "chart" '
            "for growth, drawdown and drift by day.",
            optional=True,
        ),
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="What a policy would have traded, cost and come to on past prices. Targets name price "
    "columns; the first row buys them with 1,000,000 and is not counted. Volatility and Sharpe from "
    "simple returns x 252 daily rows, CAGR by calendar time, turnover one-way.",
    example=Example(
        formula='=REBAL_BACKTEST(tblPrices, "60% VTI, 40% BND", "5pp", 5)',
        result="1162785.571954",
        column="value",
    ),
)
def rebal_backtest(prices: Any, targets: Any, policy: Any, cost_bps: Any, output: Any) -> Grid:
    """A policy on past prices."""
    word = ranges.text(output, "output", "summary").casefold()
    if word not in _OUTPUTS:
        raise TableError.of(
            where="output",
            what=f"{word!r} is not known",
            remedy=f"use one of {', '.join(_OUTPUTS)}",
        )
    rule = ranges.policy(policy)
    run = simulate(_market(prices, targets), rule, settings_of(cost_bps))
    return _OUTPUTS[word](run)


def _summary(run: Run) -> Grid:
    figures: dict[str, Any] = {
        **summary(run),
        "policy": run.policy.in_words(),
        "costs": run.settings.costs.in_words(),
        "conventions": conventions(run.market),
        "notes": "; ".join(run.market.notes),
    }
    return [["figure", "value"], *([name, value] for name, value in figures.items())]


def _path(run: Run) -> Grid:
    days = run.market.dates.astype(str).tolist()
    rows = zip(days, run.value.tolist(), strict=True)
    return [["date", "value"], *(list(row) for row in rows)]


def _chart(run: Run) -> Grid:
    """What charts are drawn from: growth of 1, drift before the day's trades, the band where all
    classes have the same, and the drift at which the day rebalanced (0 on other days).
    """
    left_alone = never(run)
    largest = run.furthest
    fired = np.zeros(len(largest))
    fired[run.day] = largest[run.day]
    columns: dict[str, list[Any]] = {
        "date": run.market.dates.astype(str).tolist(),
        "growth": run.growth.tolist(),
        "never": left_alone.tolist(),
        "drawdown": under_water(run.growth).tolist(),
        "never_drawdown": under_water(left_alone).tolist(),
        "largest_drift": largest.tolist(),
        "band": [run.common_band] * len(largest),
        "rebalanced_at": fired.tolist(),
    }
    for name, drift in zip(run.market.names[:-1], run.drift[:-1].tolist(), strict=True):
        columns[f"drift {name}"] = drift
    rows = zip(*columns.values(), strict=True)
    return [list(columns), *(list(row) for row in rows)]


def events_table(run: Run) -> Grid:
    """Every rebalancing in a row under its header; one row says so where there is none."""
    rows: Grid = [list(EVENT_COLUMNS)]
    for event in run.rebalances():
        words = [f"{t['action']} {t['symbol']} {t['value']:,.2f}" for t in event["trades"]]
        cells_ = {**event, "trades": first_words(words, 30, "; ")}
        rows.append([cells_[name] for name in EVENT_COLUMNS])
    if len(rows) == 1:
        rows.append([None] * (len(EVENT_COLUMNS) - 1) + ["no rebalancing: the rule never fired"])
    return rows


_OUTPUTS = {"summary": _summary, "events": events_table, "path": _path, "chart": _chart}


@worksheet_function(
    "REBAL_COMPARE",
    arguments=(
        PRICES,
        TARGETS,
        Argument(
            name="policies",
            help='Policies in a row or column, or one text with semicolons: "never; annual; 3pp; 5/25".',
        ),
        COST_BPS,
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="One row per policy on the same prices. Differences to the first policy come with "
    "standard errors (stationary block bootstrap) and a plain word: a difference within 1.96 of them "
    "is a statistical tie.",
    example=Example(
        formula='=REBAL_COMPARE(tblPrices, "60% VTI, 40% BND", "never; annual; 5pp", 5)',
        result="never",
        column="policy",
    ),
)
def rebal_compare(prices: Any, targets: Any, policies: Any, cost_bps: Any) -> Grid:
    """Policies side by side."""
    rules = _policies(policies)
    found = compare(_market(prices, targets), rules, settings_of(cost_bps))
    return _noted(found.rows(), [*found.notes(), conventions(found.market)])


def _policies(value: Any) -> list[tuple[str, Policy]]:
    found = ranges.grid(value)
    words: list[str] = []
    for row in found:
        for cell in row:
            ranges.refuse_error(cell, "policies")
            words += [part.strip() for part in cells.text(cell).split(";") if part.strip()]
    if words and words[0].casefold() in {"policy", "policies"}:
        words = words[1:]
    if not words:
        raise PolicyError.of(
            where="policies", what="is blank", remedy='write them as "never; annual; 5pp"'
        )
    faults = FaultList()
    rules = []
    for word in words:
        with faults.collecting():
            rules.append((word, parse_policy(word)))
    faults.raise_as(PolicyError)
    return rules


def _noted(rows: list[dict[str, Any]], notes: list[str]) -> Grid:
    """Rows under their keys; the first also carries the sample and what to beware of."""
    names = list(rows[0])
    grid: Grid = [[*names, "note"]]
    for number, row in enumerate(rows):
        grid.append([*(row[name] for name in names), "; ".join(notes) if number == 0 else None])
    return grid


@worksheet_function(
    "REBAL_OPTIMAL_BAND",
    arguments=(
        PRICES,
        TARGETS,
        COST_BPS,
        Argument(
            name="limit",
            help='Largest tracking error a year, as in "0.5%", or "drift 6pp"; without it cost is weighed '
            "against tracking error.",
            optional=True,
        ),
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="Absolute bands from 0.5 to 20 pp on the same prices, the best first: the cheapest within "
    "the limit, or without one the least cost + 5 x tracking error squared. The note names the sample "
    "and the number of bands tried.",
    example=Example(
        formula='=REBAL_OPTIMAL_BAND(tblPrices, "60% VTI, 40% BND", 5)',
        result="0.03",
        column="band",
    ),
)
def rebal_optimal_band(prices: Any, targets: Any, cost_bps: Any, limit: Any) -> Grid:
    """The best band on past prices, and all that were tried."""
    wanted = ranges.single(limit, "limit")
    if isinstance(wanted, float) and wanted < 1:
        wanted = f"{wanted * 100:.12g}%"
    found = search_bands(
        _market(prices, targets), settings_of(cost_bps), limit=parse_limit(cells.text(wanted))
    )
    rows = sorted(found.rows, key=lambda row: not row["best"])
    return _noted(
        [{name: row[name] for name in COLUMNS} for row in rows],
        [*found.notes(), conventions(found.market)],
    )
