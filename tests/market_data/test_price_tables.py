"""Prices from tables as people and programs write them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import pytest

from xl_rebal.errors import TableError
from xl_rebal.market_data.price_dates import read_date
from xl_rebal.market_data.price_tables import read_prices

WIDE = [["Date", "SPY", "AGG"], ["2020-01-02", "100", "50"], ["2020-01-03", "101.5", ""]]


def read(rows: list):
    return read_prices(rows, where="prices.csv")


def test_a_column_per_symbol() -> None:
    found = read(WIDE)
    assert found.symbols == ("SPY", "AGG")
    assert [str(day) for day in found.dates] == ["2020-01-02", "2020-01-03"]
    np.testing.assert_array_equal(found.values, [[100, 50], [101.5, np.nan]])
    assert found.notes == ()


def test_a_row_per_date_and_symbol() -> None:
    rows = [
        ["ticker", "date", "close", "volume"],
        ["SPY", "2020-01-02", 100.0, 5],
        ["AGG", "2020-01-02", 50.0, 5],
        ["SPY", "2020-01-03", 101.5, 5],
    ]
    found = read(rows)
    assert found.symbols == ("SPY", "AGG")
    np.testing.assert_array_equal(found.values, [[100, 50], [101.5, np.nan]])
    assert found.notes == ("prices are those of column close",)


def test_the_adjusted_close_is_taken_first() -> None:
    rows = [
        ["Date", "Symbol", "Close", "Adj Close"],
        ["2020-01-02", "SPY", 100, 90],
        ["2020-01-03", "SPY", 101, 91],
    ]
    assert read(rows).values[:, 0].tolist() == [90, 91]


def test_the_header_of_yfinance(shared_data: Path) -> None:
    packed = shared_data / "prices" / "yfinance_multiheader_VNQ.csv.gz"
    rows = list(csv.reader(gzip.decompress(packed.read_bytes()).decode().splitlines()))
    found = read(rows)
    assert found.symbols == ("VNQ",)
    assert str(found.dates[0]) == "2004-09-29"
    assert found.values[0, 0] == pytest.approx(
        20.059341430664062
    )  # adjusted, not the close of 49.85
    assert len(found.dates) == len(rows) - 4


def test_yfinance_with_several_tickers() -> None:
    rows = [
        ["Price", "Adj Close", "Adj Close", "Close", "Close", "Volume", "Volume"],
        ["Ticker", "AGG", "SPY", "AGG", "SPY", "AGG", "SPY"],
        ["Date", "", "", "", "", "", ""],
        ["2020-01-02", "45", "95", "50", "100", "1", "2"],
        ["2020-01-03", "46", "96", "51", "101", "1", "2"],
    ]
    found = read(rows)
    assert found.symbols == ("AGG", "SPY")
    assert found.values.tolist() == [[45, 95], [46, 96]]


def test_the_etf_file(shared_data: Path) -> None:
    with (shared_data / "prices" / "etf21_adjclose_daily.csv").open(newline="") as stream:
        found = read(list(csv.reader(stream)))
    assert len(found.dates) == 8222
    assert len(found.symbols) == 21
    assert found.values[0, found.symbols.index("SPY")] == 24.313047


def test_unsorted_rows_are_sorted_with_a_note() -> None:
    found = read([WIDE[0], WIDE[2], WIDE[1]])
    assert [str(day) for day in found.dates] == ["2020-01-02", "2020-01-03"]
    assert found.values[0, 0] == 100
    assert "sorted" in found.notes[0]


def test_a_date_that_stands_twice_is_refused_with_both_places() -> None:
    with pytest.raises(
        TableError, match=r"row 4: 2020-01-02 stands twice, first at prices\.csv row 2"
    ):
        read([*WIDE, ["2020-01-02", "100", "50"]])
    rows = [["date", "symbol", "price"], ["2020-01-02", "SPY", 1], ["2020-01-02", "SPY", 1]]
    with pytest.raises(TableError, match="SPY on 2020-01-02 stands twice"):
        read(rows)


def test_all_bad_cells_are_reported_together() -> None:
    rows = [
        WIDE[0],
        ["2020-01-02", "abc", "50"],
        ["yesterday", "1", "2"],
        ["2020-01-06", "1", "1,5"],
    ]
    with pytest.raises(TableError) as error:
        read(rows)
    text = str(error.value)
    assert "row 2, SPY: 'abc' is not a number" in text
    assert "row 3: 'yesterday' is not a date" in text
    assert "row 4, AGG: '1,5' is not a number" in text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no row with a date"),
        ([["a", "b"], ["c", "d"]], "no row with a date"),
        ([["2020-01-02", "1"], ["2020-01-03", "2"]], "no row with a date stands below a header"),
        ([["Date"], ["2020-01-02"]], "has no column of prices"),
        ([["Date", "Open", "Close"], ["2020-01-02", 1, 2]], "of one security without its name"),
        ([["Date", "Symbol", "Volume"], ["2020-01-02", "SPY", 2]], "none of prices"),
        (
            [["Date", "SPY", "spy"], ["2020-01-02", 1, 2], ["2020-01-03", 1, 2]],
            "spy has two columns",
        ),
    ],
)
def test_tables_that_hold_no_prices(rows: list, message: str) -> None:
    with pytest.raises(TableError, match=message) as error:
        read(rows)
    assert all(fault.remedy for fault in error.value.faults)


def test_blank_rows_and_odd_blanks() -> None:
    rows = [
        WIDE[0],
        ["2020-01-02", "1", "n/a"],
        ["", "", ""],
        ["2020-01-03", "NaN", "#N/A"],
        ["2020-01-06", "$1,234.50", "-"],
    ]
    found = read(rows)
    assert found.values[2, 0] == 1234.5
    assert np.isnan(found.values[:, 1]).all()


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2020-02-29", dt.date(2020, 2, 29)),
        ("2020-02-29 00:00:00-05:00", dt.date(2020, 2, 29)),
        ("2020-02-29T16:00:00", dt.date(2020, 2, 29)),
        ("2/29/2020", dt.date(2020, 2, 29)),
        ("20200229", dt.date(2020, 2, 29)),
        (20200229, dt.date(2020, 2, 29)),
        ("2020-02", dt.date(2020, 2, 29)),
        ("2020", dt.date(2020, 12, 31)),
        (2020.0, dt.date(2020, 12, 31)),
        (43890.0, dt.date(2020, 2, 29)),
        (43890.6, dt.date(2020, 2, 29)),
        (dt.datetime(2020, 2, 29, 16), dt.date(2020, 2, 29)),
        (dt.date(2020, 2, 29), dt.date(2020, 2, 29)),
        ("2020-02-30", None),
        ("2020-13", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("SPY", None),
        (True, None),
        (None, None),
        (12.0, None),
        (float("nan"), None),
        (-5.0, None),
    ],
)
def test_dates(cell: object, date: dt.date | None) -> None:
    assert read_date(cell) == date
