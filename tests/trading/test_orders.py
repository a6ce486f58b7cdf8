"""Limit prices: on the tick, never further from the price than asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.checks import check_plan
from xl_rebal.trading.limits import Limits, OrderStyle, OrderType, TimeInForce
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


@example(1_000_500, 0, True)
@example(1_000_500, 0, False)
@example(10_000, 0, False)
@example(99_996, 0, True)
@given(st.integers(2, 10_000_000), st.integers(0, 2_000), st.booleans())
def test_a_limit_keeps_its_promise_and_can_be_met(hundredths: int, bp: int, buy: bool) -> None:
    """Prices between ticks: the price meets the limit, which is within the share where a tick is."""
    price, share = Decimal(hundredths) / 10_000, Decimal(bp) / 10_000
    found = Decimal(repr(limit_price(float(price), float(share), buy=buy)))
    side = 1 if buy else -1
    edge = price * (1 + side * share)
    tick = Decimal("0.01") if edge >= 1 else Decimal("0.0001")
    assert found % tick == 0
    assert side * (found - price) >= 0
    ticks = [
        n * tick for n in range(int(min(price, edge) / tick), int(max(price, edge) / tick) + 2)
    ]
    within = [each for each in ticks if min(price, edge) <= each <= max(price, edge)]
    if within:
        assert found == (max(within) if buy else min(within))  # the last within the share
    else:
        assert side * (found - price) < tick  # the next beyond the price


@pytest.mark.parametrize("share", [0.0, 0.0004, 0.02])
def test_the_verifier_knows_the_limit_of_a_price_between_ticks(share: float) -> None:
    rows = [
        {"account": "A", "symbol": s, "quantity": q, "price": p, "asset_class": c}
        for s, q, p, c in (("S", 700.0, 10.005, "Stocks"), ("B", 300.0, 9.9975, "Bonds"))
    ]
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets("50% stocks, 50% bonds")}
    )
    limits = Limits(orders=OrderStyle(order_type=OrderType.LIMIT, limit=share))
    policy = parse_policy("now")
    (plan,) = rebalance(book, Request(policy=policy, limits=limits)).plans
    assert len(plan.trades) == 2
    for i, trade in enumerate(plan.trades):
        assert trade.limit_price is not None
        for ticks in (-2, -1, 1, 2):
            moved = replace(trade, limit_price=round(trade.limit_price + ticks * 0.01, 2))
            wrong = replace(plan, trades=(*plan.trades[:i], moved, *plan.trades[i + 1 :]))
            codes = {v.code for v in check_plan(book, policy, wrong, limits)}
            assert codes == {"limit-price"}, (ticks, trade)


def test_styles_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="a limit belongs to limit orders"):
        OrderStyle(order_type=OrderType.LIMIT)
    with pytest.raises(ValueError, match="a limit belongs to limit orders"):
        OrderStyle(order_type=OrderType.MOC, limit=0.01)
    with pytest.raises(ValueError, match="good for the day"):
        OrderStyle(order_type=OrderType.MOC, time_in_force=TimeInForce.GTC)
