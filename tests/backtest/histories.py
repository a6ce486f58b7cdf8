"""The real histories of ../shared/data/prices, read by the product's own reader."""

from __future__ import annotations

import csv
import datetime as dt
from functools import lru_cache
from pathlib import Path

from xl_rebal.backtest.prices import Market, Prices, align
from xl_rebal.market_data.price_tables import read_prices
from xl_rebal.portfolio.targets import parse_targets

FRENCH, SHILLER, BONDS = (
    "ff_us_market_TR",
    "shiller_sp500_TR_avgprice",
    "gs10_constant_maturity_bond_TR_approx",
)


@lru_cache(maxsize=8)
def prices(folder: Path, name: str, *, returns: bool = False) -> Prices:
    with (folder / "prices" / name).open(newline="") as stream:
        return read_prices(list(csv.reader(stream)), where=name, returns=returns)


def etf(folder: Path, targets: str, **span: dt.date) -> Market:
    return align(prices(folder, "etf21_adjclose_daily.csv"), parse_targets(targets), **span)  # type: ignore[arg-type]  # only start and end are given


def monthly(folder: Path, stocks: str, **span: dt.date) -> Market:
    """60/40 of a stock column and the 10-year Treasury, from monthly total returns since 1926."""
    found = prices(folder, "us_stock_bond_monthly_1926_derived.csv", returns=True)
    return align(found, parse_targets(f"60% {stocks}, 40% {BONDS}"), **span)  # type: ignore[arg-type]  # only start and end are given
