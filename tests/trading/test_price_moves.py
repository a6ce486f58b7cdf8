"""Buys that can still be paid for after prices have risen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from tests.trading.books import Case, cases
from xl_rebal.errors import RebalError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.trading.limits import Limits, OrderStyle, OrderType
from xl_rebal.trading.plan import Action, Plan
from xl_rebal.trading.price_moves import shortages

RISE = 0.02


def book(reserve: float = 0.0) -> Book:
    """Account 1 has to buy bonds with all that its sale brings; account 2 is on target."""
    names = ("account", "symbol", "quantity", "price", "asset_class", "kind")
    rows: list[tuple[Any, ...]] = [
        ("1", "VTI", 700.0, 100.0, "Stocks", "position"),
        ("1", "BND", 400.0, 75.0, "Bonds", "position"),
        ("2", "VTI", 600.0, 100.0, "Stocks", "position"),
        ("2", "BND", 533.0, 75.0, "Bonds", "position"),
        ("2", "CASH", 25.0, 1.0, "Cash", "cash"),
    ]
    return Book(
        holdings=Holdings.from_rows([dict(zip(names, row, strict=True)) for row in rows]),
        models={
            "": Targets(
                (
                    Target(asset_class="Stocks", target=0.6),
                    Target(asset_class="Bonds", target=0.4),
                )
            )
        },
        accounts={"1": Account(account="1", cash_reserve=reserve)},
    )


def planned(source: Book, **more: Any) -> Rebalancing:
    return rebalance(source, Request(policy=parse_policy("5pp"), **more))


def paid_after(plan: Plan, rise: float) -> float:
    """Cash once all is done and each buy cost `rise` more, worked out from the trades alone."""
    money = plan.cash_before + plan.flow
    for t in plan.trades:
        price = t.unit_value * (1 + rise if t.action is Action.BUY else 1)
        money += (t.quantity * price if t.action is Action.SELL else -t.quantity * price) - t.cost
    return money


def test_a_rise_that_cash_cannot_pay_is_told_with_its_sum() -> None:
    """100 VTI sold for 10,000 buy 133 BND for 9,975; 2% more is 10,174.50: 174.50 short."""
    (short,) = shortages(planned(book()).plans, RISE)
    assert (short.account, round(short.cash, 2), round(short.needed, 2)) == (
        "1",
        10_000.0,
        10_174.5,
    )
    assert short.in_words() == (
        "account 1: buys cost 10,174.50 after a rise of 2%, and 10,000.00 may be spent: 174.50 short"
    )


def test_a_reserve_is_a_buffer_and_a_limit_bounds_what_is_paid() -> None:
    assert not shortages(planned(book(reserve=500.0)).plans, RISE)
    limits = Limits(orders=OrderStyle(order_type=OrderType.LIMIT, limit=0.0))
    assert not shortages(planned(book(), limits=limits).plans, RISE)
    half = Limits(orders=OrderStyle(order_type=OrderType.LIMIT, limit=0.005))
    (short,) = shortages(planned(book(), limits=half).plans, RISE)
    # BND's limit is 75.37, the tick below 75.375: 133 x 75.37 = 10,024.21.
    assert short.needed == pytest.approx(10_024.21, abs=0.01)


def test_nonsense_is_refused() -> None:
    result = planned(book())
    assert not shortages(result.plans, 0.0)
    for rise in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match="no fraction"):
            shortages(result.plans, rise)


@settings(max_examples=60)
@given(cases())
def test_an_account_is_named_if_and_only_if_it_could_not_pay(case: Case) -> None:
    request = Request(
        policy=parse_policy("2pp"),
        limits=case.limits,
        flows={"A": case.flow} if case.flow else {},
        explain=False,
        search=0,
    )
    try:
        made = rebalance(case.book, request)
    except RebalError:
        return
    named = {short.account for short in shortages(made.plans, RISE)}
    for plan in made.plans:
        left = paid_after(plan, RISE) - plan.leaving
        slack = 0.01 + 0.005 * len(plan.trades)  # each value is rounded to the cent
        buys = any(t.action is Action.BUY for t in plan.trades)
        if plan.account in named:
            assert left < slack
            assert buys
        else:
            assert left > -slack or not buys
