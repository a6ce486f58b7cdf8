"""Limit prices: on the tick, never further from the price than asked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.trading.limits import OrderStyle, OrderType, TimeInForce
from xl_rebal.trading.orders import limit_price, tick_of


@pytest.mark.parametrize(
    ("price", "share", "buy", "limit"),
    [
        (220.0, 0.005, True, 221.10),
        (220.0, 0.005, False, 218.90),
        (220.13, 0.005, True, 221.23),
        (220.13, 0.005, False, 219.03),
        (85.0, 0.0, True, 85.0),
        (0.5, 0.01, True, 0.505),
        (0.5, 0.0101, False, 0.495),
        (1.003, 0.01, False, 0.993),
        (0.0001, 0.5, False, 0.0001),
        (45563.93, 0.0743, True, 48949.32),
        (69645.77, 0.0461, False, 66435.11),
    ],
)
def test_limits_by_hand(price: float, share: float, buy: bool, limit: float) -> None:
    assert limit_price(price, share, buy=buy) == limit


@given(st.integers(100, 10_000_000), st.integers(0, 2_000), st.booleans())
def test_a_limit_is_the_last_tick_within_the_share(cents: int, bp: int, buy: bool) -> None:
    price, share = Decimal(cents) / 100, Decimal(bp) / 10_000
    found = Decimal(repr(limit_price(float(price), float(share), buy=buy)))
    edge = price * (1 + share if buy else 1 - share)
    tick = Decimal(repr(tick_of(float(edge))))
    assert found % tick == 0
    assert 0 <= (edge - found if buy else found - edge) < tick


def test_styles_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="a limit belongs to limit orders"):
        OrderStyle(order_type=OrderType.LIMIT)
    with pytest.raises(ValueError, match="a limit belongs to limit orders"):
        OrderStyle(order_type=OrderType.MOC, limit=0.01)
    with pytest.raises(ValueError, match="good for the day"):
        OrderStyle(order_type=OrderType.MOC, time_in_force=TimeInForce.GTC)
