"""What the button Backtest writes: the figures of the workbook's policy on its prices, and its trades."""

from __future__ import annotations

from typing import Any

from xl_rebal.backtest.metrics import conventions, summary
from xl_rebal.backtest.prices import align
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.changes import Column, Page
from xl_rebal.excel.functions.backtest import EVENT_COLUMNS, events_table, only_model, settings_of
from xl_rebal.excel.ranges import Grid
from xl_rebal.excel.workbook import Workbook, find_table, need_table
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.backtest_report import FIGURES
from xl_rebal.workbooks.styles import number

PRICES, TARGETS, POLICY, COSTS = "tblPrices", "tblTargets", "tblPolicy", "tblCosts"
LAB_POLICY, LAB_COST = "LabPolicy", "LabCost"  # cells of the template backtest_lab
RESULT, TRADES = "Backtest result", "Backtest trades"


def run_of(book: Workbook) -> Run:
    """The backtest that the workbook's tables ask for; every table that is at fault is reported.

    The policy and the cost stand in the cells LabPolicy and LabCost, else in tblPolicy and tblCosts.
    """
    faults = FaultList()
    for name in (PRICES, TARGETS):
        with faults.collecting():
            need_table(book, name)
    faults.raise_as(TableError)
    prices, model, policy, settings = None, None, None, None
    with faults.collecting():
        prices = ranges.prices(_grid(book, PRICES), PRICES)
    with faults.collecting():
        model = only_model(_grid(book, TARGETS))
    with faults.collecting():
        policy = ranges.policy(_cell(book, LAB_POLICY) or _grid(book, POLICY))
    with faults.collecting():
        settings = _settings(book)
    faults.raise_as(TableError)
    assert prices is not None
    assert model is not None
    assert policy is not None
    assert settings is not None
    return simulate(align(prices, model), policy, settings)


def _grid(book: Workbook, name: str) -> Grid | None:
    table = find_table(book, name)
    if table is None:
        return None
    body = table.area.with_rows(table.area.rows - int(table.totals))
    return [list(row) for row in book.values(body)]


def _cell(book: Workbook, name: str) -> Any:
    area = book.named_area(name)
    return None if area is None else book.values(area.with_rows(1))[0][0]


def _settings(book: Workbook) -> Settings:
    cost = _cell(book, LAB_COST)
    if cost not in (None, ""):
        return settings_of(cost, LAB_COST)
    found = ranges.costs(_grid(book, COSTS))
    if found.impact:
        raise TableError.of(
            where=COSTS,
            what="market impact needs volumes, which prices do not carry",
            remedy="leave the impact out for a backtest",
        )
    return Settings(costs=found)


def pages(run: Run) -> tuple[Page, Page]:
    """Two sheets of values: figures, and every rebalancing."""
    market = run.market
    lines = (
        ("Policy", run.policy.in_words()),
        ("Targets", market.targets.in_words()),
        ("Costs", run.settings.costs.in_words()),
        ("Sample", f"{market.day(0)} to {market.day(-1)}, {len(market.dates)} rows"),
        ("Notes", "; ".join(market.notes) or "none"),
        ("How", conventions(market)),
    )
    figures = summary(run)
    result = Page(
        sheet=RESULT,
        title=RESULT,
        subtitle="Static values, made by Backtest; they do not follow the inputs.",
        lines=lines,
        table="tblBacktestResult",
        columns=(
            Column(header="figure", look=styles.BODY_TEXT, width=34),
            Column(header="value", look=number(styles.GENERAL), width=18),
            Column(header="key", look=styles.BODY_TEXT, width=24),
        ),
        rows=[[words, figures[key], key] for key, words, _ in FIGURES],
    )
    formats = {
        "drift_before": styles.DRIFT,
        "turnover": styles.PERCENT,
        "value": styles.MONEY,
        "cost": styles.MONEY,
    }
    trades = Page(
        sheet=TRADES,
        title=TRADES,
        subtitle="Every rebalancing. Static values, made by Backtest.",
        lines=lines[:4],
        table="tblBacktestTrades",
        columns=tuple(
            Column(
                header=name,
                look=number(formats[name]) if name in formats else styles.BODY_TEXT,
                width=80 if name == "trades" else 34 if name == "rule" else 16,
            )
            for name in EVENT_COLUMNS
        ),
        rows=events_table(run)[1:],
    )
    return result, trades
