"""What prices must be, and what happens where they are not: every case has one answer."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from xl_rebal.backtest.prices import Prices, align, prices_from_returns
from xl_rebal.errors import TableError
from xl_rebal.portfolio.targets import parse_targets

NAN = float("nan")


def prices(*rows: tuple[str, float, float], symbols: tuple[str, str] = ("AAA", "BBB")) -> Prices:
    return Prices(
        dates=np.array([row[0] for row in rows], dtype="datetime64[D]"),
        symbols=symbols,
        values=np.array([row[1:] for row in rows], dtype=float),
    )


def days(count: int, first: str = "2020-01-01") -> np.ndarray:
    return np.busday_offset(np.datetime64(first), np.arange(count), roll="forward")


BOTH = parse_targets("60% AAA, 40% BBB")
GOOD = prices(("2020-01-02", 10, 20), ("2020-01-03", 11, 19), ("2020-01-06", 12, 21))


def test_a_market_has_a_row_per_class_and_cash_last() -> None:
    market = align(GOOD, parse_targets("60% bbb, 30% aaa, 10% cash"))
    assert market.names == ("BBB", "AAA", "Cash") or market.names == ("Bbb", "Aaa", "Cash")
    assert market.price.tolist() == [[20, 19, 21], [10, 11, 12], [1, 1, 1]]
    assert market.target.tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert "cash earns no interest" in market.notes[-1]


def test_cash_may_have_a_price_column() -> None:
    given = prices(("2020-01-02", 10, 1), ("2020-01-03", 11, 1.001), symbols=("AAA", "Cash"))
    market = align(given, parse_targets("90% AAA, 10% cash"))
    assert market.price[-1].tolist() == [1, 1.001]
    assert not market.notes


@pytest.mark.parametrize("bad", [0.0, -3.0, float("inf")])
def test_an_impossible_price_names_date_and_symbol(bad: float) -> None:
    with pytest.raises(TableError, match=r"2020-01-03, BBB: a price of .* is not possible"):
        prices(("2020-01-02", 10, 20), ("2020-01-03", 11, bad))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("60% AAA, 40% CCC", "target CCC: there is no column of prices for it"),
        ("60% XXX, 40% CCC", "XXX"),
        ("100% cash", "they hold only cash"),
    ],
)
def test_targets_without_prices(targets: str, message: str) -> None:
    with pytest.raises(TableError, match=message) as error:
        align(GOOD, parse_targets(targets))
    assert all(fault.remedy for fault in error.value.faults)


def test_all_targets_without_prices_are_named_together() -> None:
    with pytest.raises(TableError) as error:
        align(GOOD, parse_targets("60% XXX, 40% YYY"))
    assert len(error.value.faults) == 2


def test_one_day_is_not_a_history() -> None:
    with pytest.raises(TableError, match="there is 1 day on which all of AAA, BBB"):
        align(prices(("2020-01-02", 10, 20)), BOTH)


def test_an_empty_span_and_an_empty_column() -> None:
    with pytest.raises(TableError, match="no row lies between"):
        align(GOOD, BOTH, start=dt.date(2021, 1, 1))
    empty = prices(("2020-01-02", 10, NAN), ("2020-01-03", 11, NAN))
    with pytest.raises(TableError, match="BBB: the column has no price"):
        align(empty, BOTH)


def test_the_sample_starts_with_the_last_asset_and_ends_with_the_first() -> None:
    given = prices(
        ("2020-01-01", 9, NAN),
        ("2020-01-02", 10, 20),
        ("2020-01-03", 11, 19),
        ("2020-01-06", NAN, 21),
    )
    market = align(given, BOTH, start=dt.date(2020, 1, 1))
    assert [str(day) for day in market.dates] == ["2020-01-02", "2020-01-03"]
    assert "starts on 2020-01-02, when BBB begins (asked for 2020-01-01)" in market.notes
    assert "ends on 2020-01-03, the last price of AAA" in market.notes


def test_a_day_without_a_price_is_no_trading_day() -> None:
    given = prices(
        ("2020-01-01", 10, 20),
        ("2020-01-02", NAN, 20),
        ("2020-01-03", 11, NAN),
        ("2020-01-06", 12, 21),
    )
    market = align(given, BOTH)
    assert [str(day) for day in market.dates] == ["2020-01-01", "2020-01-06"]
    assert "2 days left out on which some class has no price" in market.notes


def test_a_long_gap_is_refused() -> None:
    values = np.full((30, 2), 10.0)
    values[8:19, 1] = NAN
    given = Prices(dates=days(30), symbols=("AAA", "BBB"), values=values)
    with pytest.raises(
        TableError, match="BBB: 11 rows without a price, from 2020-01-13 to 2020-01-27"
    ):
        align(given, BOTH)
    assert len(align(given, parse_targets("100% AAA")).dates) == 30


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (100, 50.5, "2-for-1 split"),
        (100, 33.2, "3-for-1 split"),
        (100, 67, "1.5-for-1 split"),
        (5, 50, "1-for-10 merger"),
    ],
)
def test_a_suspected_split_names_date_and_symbol(before: float, after: float, words: str) -> None:
    given = prices(
        ("2020-01-02", 10, before), ("2020-01-03", 11, before), ("2020-01-06", 12, after)
    )
    with pytest.raises(TableError, match=f"2020-01-06, BBB: .* looks like a {words}"):
        align(given, BOTH)
    assert len(align(given, BOTH, accept_jumps=True).dates) == 3
    assert len(align(given, parse_targets("100% AAA")).dates) == 3


def test_a_crash_is_no_split() -> None:
    given = prices(("2020-01-02", 10, 100), ("2020-01-03", 11, 79.5), ("2020-01-06", 12, 60))
    assert len(align(given, BOTH).dates) == 3


def test_returns_are_linked_to_prices() -> None:
    months = np.array(["2020-01-31", "2020-02-29", "2020-03-31"], dtype="datetime64[D]")
    found = prices_from_returns(
        months, ("AAA", "BBB"), np.array([[NAN, 0.1], [0.2, -0.5], [0.1, NAN]])
    )
    assert str(found.dates[0]) == "2019-12-31"
    np.testing.assert_allclose(
        found.values, [[NAN, 1], [1, 1.1], [1.2, 0.55], [1.32, NAN]], equal_nan=True
    )
    with pytest.raises(TableError, match=r"AAA: a return of -100% leaves nothing"):
        prices_from_returns(months, ("AAA", "BBB"), np.array([[-1.0, 0.1]] * 3))


@pytest.mark.parametrize(
    ("step", "periods"), [(1, 252.0), (7, 52.0), (30, 12.0), (91, 4.0), (365, 1.0)]
)
def test_rows_a_year(step: int, periods: float) -> None:
    first = np.datetime64("2001-01-01")
    dates = days(300) if step == 1 else first + np.arange(50) * step
    given = Prices(dates=dates, symbols=("AAA", "BBB"), values=np.full((len(dates), 2), 5.0))
    assert align(given, BOTH).periods == periods


def test_crypto_trades_every_day() -> None:
    dates = np.datetime64("2001-01-01") + np.arange(200)
    given = Prices(dates=dates, symbols=("AAA", "BBB"), values=np.full((200, 2), 5.0))
    assert align(given, BOTH).periods == 365.0
