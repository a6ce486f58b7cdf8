"""Holdings as columns."""

from __future__ import annotations

import numpy as np
import pytest

from xl_rebal.errors import CurrencyError, TableError
from xl_rebal.portfolio.holdings import Holdings

ROWS = [
    {"account": "A", "symbol": "VTI", "quantity": 10, "price": 220.0},
    {"account": "A", "symbol": "NET C", "quantity": -2, "price": 3.5, "multiplier": 100},
    {"account": "B", "symbol": "CASH", "kind": "cash", "quantity": 5.25, "price": 1},
    {"account": "B", "kind": "pending", "quantity": -7, "price": 1},
    {"account": "B", "symbol": "VUSA", "quantity": 3, "price": 90, "currency": "EUR", "fx": 1.1},
]


def test_value_is_quantity_price_multiplier_and_rate() -> None:
    holdings = Holdings.from_rows(ROWS)
    np.testing.assert_allclose(holdings.value, [2200, -700, 5.25, -7, 297], atol=1e-9)
    assert holdings.accounts() == ["A", "B"]
    assert holdings.is_cash.tolist() == [False, False, True, False, False]
    assert holdings.is_pending.tolist() == [False, False, False, True, False]
    assert holdings.is_position.sum() == 3
    assert np.isnan(holdings.stated_value).all()


def test_rows_are_picked_and_joined_without_touching_the_parts() -> None:
    holdings = Holdings.from_rows(ROWS)
    a, b = holdings.take(holdings.account == "A"), holdings.take(holdings.account == "B")
    both = Holdings.concat([a, b])
    assert both.symbol.tolist() == holdings.symbol.tolist()
    both.quantity[0] = 99
    assert a.quantity[0] == holdings.quantity[0] == 10
    assert len(Holdings.concat([])) == 0
    assert len(Holdings.from_rows([])) == 0


def test_columns_of_unequal_length_are_refused() -> None:
    holdings = Holdings.from_rows(ROWS)
    with pytest.raises(ValueError, match="unequal length"):
        holdings.with_classes(np.array(["Stocks"], dtype=object))


def test_currencies_without_a_rate_are_named() -> None:
    rows = [
        {"account": "A", "symbol": "VTI", "quantity": 1, "price": 1, "currency": "USD"},
        {
            "account": "A", "symbol": "VUSA", "quantity": 1, "price": 1, "currency": "EUR",
            "fx": float("nan"),
        },
    ]  # fmt: skip
    with pytest.raises(CurrencyError, match=r"2 currencies \(EUR, USD\) and no exchange rate.*fx"):
        Holdings.from_rows(rows).require_rates()
    rows[1]["kind"] = "pending"  # pending activity is listed, never counted
    Holdings.from_rows(rows).require_rates()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("column", ["quantity", "price", "multiplier"])
def test_numbers_must_be_finite(bad: float, column: str) -> None:
    rows = [{"account": "A", "symbol": "VTI", "quantity": 1, "price": 1, column: bad}]
    with pytest.raises(TableError, match=r"holdings row 1 \(VTI\)"):
        Holdings.from_rows(rows).require_numbers()
