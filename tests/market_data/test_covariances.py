"""Covariances from tables: one reading of prices, and the volatilities that backtests state."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from xl_rebal.backtest import volatility_bands
from xl_rebal.backtest.prices import align
from xl_rebal.errors import TableError
from xl_rebal.market_data.covariances import covariance_of_prices, covariance_of_rows
from xl_rebal.market_data.price_tables import read_prices
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.risk.adjusted_bands import relative_volatility

NAMES = ("AAA", "BBB", "CCC")
WEIGHTS = (0.5, 0.3, 0.2)


def _days(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=i) for i in range(count)]


def rows(step: int, count: int = 60) -> list[list[Any]]:
    """Invented prices, a row every `step` days; CCC has none in the first five."""
    rng = np.random.default_rng(step)
    values = 100 * np.cumprod(1 + rng.normal(0, [0.01, 0.004, 0.02], (count, 3)), axis=0)
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=step * i) for i in range(count)]
    if step == 1:
        days = [day for day in _days(days[0], 2 * count) if day.weekday() < 5][:count]
    table: list[list[Any]] = [[day, *line] for day, line in zip(days, values.tolist(), strict=True)]
    for line in table[:5]:
        line[3] = None
    return [["Date", *NAMES], *table]


@pytest.mark.parametrize("step", [1, 7, 30, 91])
def test_volatilities_are_those_of_backtests(step: int) -> None:
    """Two programs: the backtest's market and this reader, from the same cells."""
    prices = read_prices(rows(step), where="t")
    found = covariance_of_rows(rows(step), NAMES, where="t")
    market = align(prices, parse_targets("50% AAA, 30% BBB, 20% CCC"))
    wanted = volatility_bands.relative_volatility(market)
    mine = relative_volatility(found, np.array(WEIGHTS))
    assert dict(zip(NAMES, mine.tolist(), strict=True)) == pytest.approx(wanted, rel=1e-12)
    assert f"{market.periods:g} a year" in found.words
    assert "starts on" in found.words
    assert found.flat == ()


def test_order_and_layout_do_not_matter() -> None:
    header, *table = rows(1)
    wide = covariance_of_rows([header, *table], NAMES, where="t")
    shuffled = covariance_of_rows([header, *reversed(table)], NAMES, where="t")
    long: list[list[Any]] = [["Date", "Ticker", "Adj Close"]]
    long += [[row[0], name, row[i]] for i, name in enumerate(NAMES, start=1) for row in table]
    assert (wide.matrix == shuffled.matrix).all()
    assert wide.matrix == pytest.approx(covariance_of_rows(long, NAMES, where="t").matrix)
    assert "sorted" in shuffled.words


def test_cash_without_prices_does_not_move_and_nothing_else_may_lack_them() -> None:
    found = covariance_of_prices(read_prices(rows(7), where="t"), ("Cash", *NAMES))
    assert not found.matrix[0].any()
    assert "Cash does not move" in found.words
    assert found.flat == ()
    with pytest.raises(TableError, match="no price column for DDD"):
        covariance_of_prices(read_prices(rows(7), where="t"), ("AAA", "DDD"))


def test_part_of_the_classes_in_any_order() -> None:
    whole = covariance_of_rows(rows(7), NAMES, where="t")
    part = whole.of(("CCC", "AAA"))
    assert part.matrix[0, 1] == whole.matrix[2, 0]
    assert part.matrix[0, 0] == whole.matrix[2, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[:1], "no rows below its header"),
        (lambda table: table[:3], "no price|have a price"),
        (lambda table: [*table, table[-1]], "stands twice"),
        (lambda table: [*table[:20], [*table[20][:2], "x", 1.0], *table[21:]], "row 21, BBB: 'x'"),
        (
            lambda table: [*table[:30], *([r[0], *(v / 2 for v in r[1:])] for r in table[30:])],
            "looks like a 2-for-1 split",
        ),
    ],
)
def test_what_backtests_refuse_is_refused(change: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        covariance_of_rows(change(rows(1)), NAMES, where="t")


def test_blank_rows_above_a_table_of_volatilities_keep_their_numbers() -> None:
    table: list[list[Any]] = [
        [None, None],
        ["asset_class", "volatility"],
        [None, None],
        ["AAA", 0.2],
        ["BBB", -1.0],
    ]
    with pytest.raises(TableError, match="t row 5, volatility: -1 is not possible"):
        covariance_of_rows(table, ("AAA", "BBB"), where="t")
