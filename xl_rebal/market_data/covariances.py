"""Annual covariances of classes from a table: of prices, or of volatilities and correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xl_rebal.backtest.prices import Prices, common_days, in_words, periods_a_year
from xl_rebal.errors import TableError
from xl_rebal.market_data.price_tables import Rows, Where, read_prices
from xl_rebal.portfolio import cells, classes
from xl_rebal.portfolio.tables import header_key
from xl_rebal.risk.covariance import (
    Covariance,
    covariance_of_returns,
    covariance_of_volatilities,
    require_all,
)

_FEWEST = 3  # rows of prices: two returns, the least that have a variance


def covariance_of_rows(
    rows: Rows, wanted: Sequence[str], *, where: str, line: Where | None = None
) -> Covariance:
    """Covariances of the classes `wanted`, from rows of cells.

    A column `volatility` in the first row that holds anything makes it a table of volatilities
    (asset_class, volatility, one column a class for correlations); else it is one of prices, as every
    reader of prices takes it, with a column for each class.

    line  words for the place of a row in messages, by its index.

    Raises TableError with all faults, and where no class moves at all: nothing follows from that.
    """
    first = next((i for i, row in enumerate(rows) if not all(map(cells.is_blank, row))), len(rows))
    if len(rows) - first < 2:
        raise TableError.of(
            where=where,
            what="has no rows below its header",
            remedy="give date and prices, or asset_class and volatility",
        )
    if "volatility" in {header_key(cells.text(cell)) for cell in rows[first]}:
        at = line or (lambda index: f"{where} row {index + 1}")
        kept = [i for i in range(first, len(rows)) if not all(map(cells.is_blank, rows[i]))]
        found = covariance_of_volatilities(
            [rows[i] for i in kept], wanted, where=where, line=lambda index: at(kept[index])
        )
    else:
        found = covariance_of_prices(read_prices(rows, where=where, line=line), wanted)
    if found.flat and not found.matrix.any():
        raise TableError.of(
            where=where,
            what="no class moves: every volatility is 0",
            remedy="give the classes' volatilities, or prices that change",
        )
    return found


def covariance_of_prices(prices: Prices, wanted: Sequence[str]) -> Covariance:
    """Covariances of the classes `wanted` on the days on which each has a price.

    Simple returns from row to row, sample covariance, times the rows a year as in backtests (252 daily,
    52 weekly, 12 monthly). Cash without a column does not move.
    """
    found = {name: column for name in wanted if (column := prices.column(name)) is not None}
    require_all(set(found), wanted, where=prices.where, part="price column")
    moving = [name for name in wanted if name in found]
    if not moving:
        raise TableError.of(
            where=prices.where,
            what=f"has no price column for {', '.join(wanted)}",
            remedy="add a price column for each target class, named like it",
        )
    dates, values, notes = common_days(prices, [found[name] for name in moving])
    if len(dates) < _FEWEST:
        raise TableError.of(
            where=prices.where,
            what=f"has {len(dates)} rows on which all of {', '.join(moving)} have a price",
            remedy=f"give {_FEWEST} rows or more",
        )
    a_year = periods_a_year(dates)
    returns = np.zeros((len(dates) - 1, len(wanted)))
    returns[:, [wanted.index(name) for name in moving]] = values[1:] / values[:-1] - 1
    words = (
        f"{len(returns)} returns from {dates[0]} to {dates[-1]}, {a_year:g} a year, sample covariance "
        "times that"
    )
    still = [name for name in wanted if name not in found and classes.is_cash(name)]
    notes = [*prices.notes, *notes, *(f"{name} does not move" for name in still)]
    if notes:
        words += f" ({in_words(notes)})"
    return covariance_of_returns(returns, a_year, wanted, words=words)
