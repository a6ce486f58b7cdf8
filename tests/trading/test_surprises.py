"""What was not done, on books where the cost of each cause is known by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from tests.trading.plans_by_hand import book_of, cash, row
from tests.trading.walkthrough import walkthrough
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.limits import FlowMode, Limits
from xl_rebal.trading.plan import Cause, Plan


def plan(book: Book, policy: str = "5pp", limits: Limits | None = None, **more: Any) -> Plan:
    request = Request(policy=parse_policy(policy), limits=limits or Limits(), **more)
    (found,) = rebalance(book, request).plans
    return found


def costs(found: Plan) -> dict[tuple[Cause, str], float]:
    assert sum(row.drift_pp for row in found.not_done) == pytest.approx(found.drift_left_pp)
    return {(row.cause, row.symbol): row.drift_pp for row in found.not_done}


TEN = [row("VTI", 900, 100.0), row("BND", 100, 100.0)]  # 90/10 against 60/40


def test_a_restriction_costs_what_it_keeps_from_moving() -> None:
    rules = [Restriction(scope="*", rule=Rule.NEVER_SELL, symbol="VTI")]
    found = plan(book_of(TEN, "60% stocks, 40% bonds", restrictions=rules))
    assert found.trades == ()
    # Stocks 30 pp above and bonds 30 pp below: 60 pp, all of it because VTI may not be sold.
    assert costs(found) == {(Cause.RESTRICTION, "VTI"): pytest.approx(60.0)}


def test_what_cannot_be_traded_is_named() -> None:
    locked = [Security(symbol="VTI", tradable=False)]
    found = plan(book_of(TEN, "60% stocks, 40% bonds", securities=locked))
    assert costs(found) == {(Cause.UNTRADABLE, "VTI"): pytest.approx(60.0)}


def test_a_minimum_and_the_turnover_cap() -> None:
    book = book_of(TEN, "60% stocks, 40% bonds")
    assert costs(plan(book, limits=Limits(min_trade=40_000.0))) == {
        (Cause.MINIMUM, "BND"): pytest.approx(60.0)
    }
    # Half of the 30,000 that have to move both ways: 30 pp of 60 are left.
    assert costs(plan(book, limits=Limits(max_turnover=0.15))) == {
        (Cause.TURNOVER, ""): pytest.approx(30.0)
    }


def test_the_policys_destination() -> None:
    found = plan(book_of(TEN, "60% stocks, 40% bonds"), "5pp to halfway")
    assert costs(found) == {(Cause.POLICY, ""): pytest.approx(30.0)}
    bought = plan(
        book_of([*TEN, cash(10_000.0)], "60% stocks, 40% bonds"), flow_mode=FlowMode.BUY_ONLY
    )
    assert set(costs(bought)) == {(Cause.POLICY, "")}


def test_a_class_without_a_security() -> None:
    found = plan(book_of(TEN, "60% stocks, 10% bonds, 30% real estate"))
    assert costs(found) == {(Cause.NO_SECURITY, ""): pytest.approx(60.0)}


def test_cash_that_settles_too_late() -> None:
    rows = [row("VTI", 600, 100.0), row("BND", 200, 100.0)]
    rows.append(cash(20_000.0, settles=dt.date(2026, 11, 27)))
    book = book_of(rows, "60% stocks, 40% bonds")
    found = plan(book, as_of=dt.date(2026, 11, 23))
    assert found.trades == ()
    assert costs(found) == {(Cause.UNSETTLED, ""): pytest.approx(40.0)}
    # On the eve of its day, what is bought settles with it.
    later = plan(book, as_of=dt.date(2026, 11, 25))
    assert [(t.symbol, t.quantity, t.settles) for t in later.trades] == [
        ("BND", 200.0, "2026-11-27")
    ]
    assert costs(later) == {}


def test_rounding_is_what_is_left() -> None:
    found = plan(book_of([row("VTI", 10, 1000.0), row("BND", 1, 1000.0)], "60% stocks, 40% bonds"))
    # 6.6 and 4.4 shares become 7 and 4: 0.4 of 11 shares on both sides.
    assert costs(found) == {(Cause.ROUNDING, ""): pytest.approx(100 * 0.8 / 11)}
    fine = plan(walkthrough())
    assert fine.drift_left_pp < 0.005
    assert fine.not_done == ()


def test_nothing_is_told_where_nothing_was_asked_for() -> None:
    assert plan(walkthrough(), "10pp").not_done == ()
    quiet = Request(policy=parse_policy("5pp to halfway"), explain=False)
    (found,) = rebalance(walkthrough(), quiet).plans
    assert found.not_done == ()
    loud = rebalance(walkthrough(), replace(quiet, explain=True)).plans[0]
    assert loud.trades == found.trades
