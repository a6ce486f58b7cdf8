"""Securities: what is taken for a symbol, and what a user's table changes."""

from __future__ import annotations

from typing import Any

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.securities import (
    Security,
    Vehicle,
    default_security,
    securities_from_rows,
    shipped_securities,
    spelled_as,
    vehicle_of,
)


def row(line: int = 2, **cells: Any) -> dict[str, Any]:
    return {"table": "s.csv", "row": line, **cells}


@pytest.mark.parametrize(
    ("symbol", "vehicle"),
    [
        ("VTI", Vehicle.STOCK),
        ("BRK.B", Vehicle.STOCK),
        ("VTSAX", Vehicle.MUTUAL_FUND),  # five letters, the last an X: a mutual fund
        ("vtsax", Vehicle.MUTUAL_FUND),
        ("GOOGX", Vehicle.MUTUAL_FUND),
        ("NFLX", Vehicle.STOCK),  # four letters: a share
        ("AMAT260424C400", Vehicle.OPTION),
        ("-AMAT260424C400", Vehicle.OPTION),
        ("NET 09/18/2026 305.00 C", Vehicle.OPTION),
        ("SPY 18DEC26 450 P", Vehicle.OPTION),
    ],
)
def test_a_symbols_form_tells_its_vehicle(symbol: str, vehicle: Vehicle) -> None:
    assert vehicle_of(symbol) is vehicle


def test_steps_and_tradability_follow_the_vehicle() -> None:
    fund, share = default_security("ABCDX"), default_security("ABC")
    assert (fund.quantity_step, share.quantity_step) == (0.001, 1.0)
    assert not default_security("AMAT260424C400").tradable
    assert share.tradable


def test_the_shipped_table_is_sound() -> None:
    shipped = shipped_securities()
    assert len(shipped) >= 200
    known = {
        "Stocks",
        "Bonds",
        "Real Estate",
        "Commodities",
        "Cash",
        "Alternatives",
        "Cryptocurrency",
    }
    for symbol, security in shipped.items():
        assert symbol == symbol.upper() == security.symbol
        assert security.asset_class == classes.clean(security.asset_class)
        assert security.asset_class.partition("/")[0] in known
        assert security.price is None  # a price would be stale the day after
    # The brief's own walk-through, and the money funds that hold an account's cash.
    for symbol, name in {
        "VTI": "Stocks/US", "VXUS": "Stocks/International", "BND": "Bonds/US", "VNQ": "Real Estate",
        "GLD": "Commodities/Gold", "SPAXX": "Cash", "VMFXX": "Cash", "SWVXX": "Cash",
    }.items():  # fmt: skip
        assert shipped[symbol].asset_class == name
    with pytest.raises(TypeError):
        shipped["NEW"] = Security(symbol="NEW")  # type: ignore[index]  # read-only: it must fail


def test_a_row_changes_only_what_it_fills_in() -> None:
    found = securities_from_rows([row(symbol="VTI", rank=2.0, quantity_step=10.0)])["VTI"]
    assert found.asset_class == "Stocks/US"
    assert (found.rank, found.quantity_step, found.vehicle) == (2.0, 10.0, Vehicle.ETF)
    assert found.tradable


def test_a_vehicle_brings_its_step_and_its_tradability() -> None:
    found = securities_from_rows(
        [
            row(symbol="FUND", vehicle="Mutual Fund", asset_class="stocks"),
            row(3, symbol="NOTE", vehicle="bond", asset_class="Bonds"),
            row(4, symbol="BILL", vehicle="bond", asset_class="Bonds", tradable=True),
            row(5, symbol="ODD", vehicle="mutual_fund", quantity_step=1.0),
        ]
    )
    assert found["FUND"].quantity_step == 0.001
    assert found["FUND"].asset_class == "Stocks"
    assert not found["NOTE"].tradable
    assert found["BILL"].tradable
    assert found["ODD"].quantity_step == 1.0


def test_tags_are_words_without_case() -> None:
    found = securities_from_rows([row(symbol="MO", tags="Tobacco; sin ,US")])["MO"]
    assert found.tags == {"tobacco", "sin", "us"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"vehicle": "eft"}, "s.csv row 2, column vehicle: 'eft' is not known; use one of etf,"),
        ({"quantity_step": 0.0}, "column quantity_step: 0 is not possible; enter a number greater"),
        ({"price": -1.0}, "column price: -1 is not possible"),
        (
            {"spread_bps": -1.0},
            "column spread_bps: -1 is not possible; enter a number zero or more",
        ),
        ({"commission": -4.95}, "column commission"),
        ({"minimum": -1.0}, "column minimum"),
        ({"adv": 0.0}, "column adv"),
    ],
)
def test_a_bad_cell_is_named(cells: dict[str, Any], message: str) -> None:
    with pytest.raises(TableError) as caught:
        securities_from_rows([row(symbol="VTI", **cells)])
    assert message in str(caught.value)


def test_all_bad_rows_and_a_symbol_that_stands_twice_come_together() -> None:
    with pytest.raises(TableError) as caught:
        securities_from_rows(
            [
                row(symbol="VTI", price=-1.0, minimum=-1.0),
                row(3, symbol="BND"),
                row(4, symbol="bnd"),
            ]
        )
    assert [f.where for f in caught.value.faults] == [
        "s.csv row 2, column price",
        "s.csv row 2, column minimum",
        "s.csv row 4, column symbol",
    ]


def test_symbols_take_the_spelling_of_the_holdings() -> None:
    table = {s: Security(symbol=s, rank=1.0) for s in ("vti", "BND", "vnq")}
    before = dict(table)
    found = spelled_as(table, ["VTI", "BND", "bnd", "Other"])
    assert list(found) == ["VTI", "BND", "vnq"]
    assert [s.symbol for s in found.values()] == ["VTI", "BND", "vnq"]
    assert table == before
