"""Screening against the exact path, account by account, and its estimates against a plain loop."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_rebal.bands import check
from xl_rebal.errors import PlanError, PolicyError, TableError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Target, Targets, parse_targets
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.screening import Screen, ranked, screen

POLICIES = (
    "5pp",
    "5pp beyond",
    "20%rel",
    "5/25",
    "larger of 3pp and 20%rel",
    "own bands",
    "5pp or 20%rel",
    "3pp and 20%rel",
    "annual and 5pp",
    "quarterly or 5pp",
    "every 10 days",
    "monthly on first day",
    "never",
    "now",
)
DESTINATIONS = ("", "to halfway", "to edge", "to 50% of band", "breached only")
TODAY = dt.date(2026, 3, 31)  # the last trading day of a quarter
STEPS = {"S0": 1.0, "S1": 0.1, "B0": 1.0, "B1": 0.001, "R0": 10.0, "G0": 1.0}
CLASS_OF = {"S": "Stocks", "B": "Bonds", "R": "Real Estate", "G": "Excluded"}
MODELS = {
    "Growth": Targets(
        (
            Target(asset_class="Stocks", target=0.6, band_abs=0.04, max=0.7),
            Target(asset_class="Bonds", target=0.4, band_rel=0.2),
            Target(asset_class="Real Estate", target=0.0, band_abs=0.01),
        ),
        name="Growth",
    ),
    "Income": Targets(
        (
            Target(asset_class="Stocks", target=0.25, band_abs=0.05),
            Target(asset_class="Bonds", target=0.6, min=0.5),
            Target(asset_class="Real Estate", target=0.1, band_abs=0.02),
            Target(asset_class="Cash", target=0.05),
        ),
        name="Income",
    ),
}


def _row(account: str, symbol: str, quantity: float, price: float, **more: Any) -> dict[str, Any]:
    asset_class = CLASS_OF.get(symbol[:1], "Cash") if symbol != "CASH" else "Cash"
    return {
        "account": account,
        "symbol": symbol,
        "quantity": quantity,
        "price": price,
        "asset_class": asset_class,
        **more,
    }


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Up to five accounts of two models: shorts, frozen and excluded holdings, reserves, pending."""
    rows: list[dict[str, Any]] = []
    accounts: dict[str, Account] = {}
    for index in range(draw(st.integers(1, 5))):
        name = f"A{index}"
        for symbol in draw(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8)):
            quantity = draw(st.integers(0, 4_000)) / draw(st.sampled_from([1, 4]))
            price = {"S0": 100.0, "S1": 12.5, "B0": 80.0, "B1": 20.0, "R0": 0.25, "G0": 10.0}
            rows.append(_row(name, symbol, quantity, price[symbol]))
        rows.append(_row(name, "S0", 900.0, 100.0))
        if draw(st.booleans()):
            rows.append(_row(name, "B9", -30.0, 100.0))  # a short of another symbol
        cash = draw(st.sampled_from([0.0, 100.0, 12_345.67, -50.0]))
        rows.append(_row(name, "CASH", cash, 1.0, kind="cash"))
        if draw(st.booleans()):
            pending = {"symbol": "", "kind": "pending", "quantity": 99.0, "price": 1.0}
            rows.append({"account": name, **pending})
        accounts[name] = Account(
            account=name,
            model=draw(st.sampled_from(sorted(MODELS))),
            cash_reserve=draw(st.sampled_from([0.0, 0.0, 100.0, 500.0])),
            held_away=draw(st.sampled_from([False, False, False, True])),
            last_rebalanced=draw(
                st.sampled_from([None, dt.date(2025, 12, 31), dt.date(2026, 3, 20), TODAY])
            ),
        )
    draw(st.randoms(use_true_random=False)).shuffle(rows)
    return Book(
        holdings=Holdings.from_rows(rows),
        models=MODELS,
        securities={
            symbol: Security(
                symbol=symbol,
                asset_class=CLASS_OF[symbol[0]],
                quantity_step=step,
                tradable=symbol != "B0" or draw(st.booleans()),
            )
            for symbol, step in STEPS.items()
        },
        accounts=accounts,
    )


def one_account(book: Book, name: str) -> Book:
    """The book of this account alone."""
    return Book(
        holdings=book.holdings.take(book.holdings.account == name),
        models=book.models,
        securities=book.securities,
        accounts=book.accounts,
    )


_POLICY_TEXTS = st.sampled_from(
    [
        f"{trigger} {destination}".strip()
        for trigger, destination in itertools.product(POLICIES, DESTINATIONS)
    ]
)


def _policy(text: str) -> Policy:
    try:
        return parse_policy(text)
    except PolicyError:  # a destination inside the band needs one; without it the trigger alone
        return parse_policy(text.split(" to ")[0].removesuffix(" breached only"))


@given(books(), _POLICY_TEXTS)
@settings(max_examples=150)
def test_many_accounts_are_screened_as_each_of_them_alone(book: Book, text: str) -> None:
    policy = _policy(text)
    together = screen(book, policy, as_of=TODAY)
    assert [s.check.drift.accounts for s in together] == [g.accounts for g in book.groups]
    for found in together:
        for a, name in enumerate(found.check.drift.accounts):
            single = one_account(book, name)
            (alone,) = screen(single, policy, as_of=TODAY)
            (exact,) = check(single, policy)
            for one in (alone.check, exact):
                np.testing.assert_array_equal(found.check.drift.value[a], one.drift.value[0])
                np.testing.assert_array_equal(found.check.drift.drift[a], one.drift.drift[0])
                np.testing.assert_array_equal(found.check.breach[a], one.breach[0])
            assert found.fires[a] == alone.fires[0]
            assert found.short[a] == alone.short[0]
            np.testing.assert_array_equal(found.gap[a], alone.gap[0])
            np.testing.assert_array_equal(found.unplaced[a], alone.unplaced[0])
            mine = found.group.account == a
            np.testing.assert_array_equal(found.units[mine], alone.units)


@given(books(), _POLICY_TEXTS)
@settings(max_examples=100)
def test_an_account_asks_exactly_when_its_plan_is_triggered(book: Book, text: str) -> None:
    policy = _policy(text)
    for found in screen(book, policy, as_of=TODAY):
        for name, asks in zip(found.check.drift.accounts, found.asks.tolist(), strict=True):
            try:
                plans = rebalance(
                    one_account(book, name), Request(policy=policy, as_of=TODAY)
                ).plans
            except PlanError:
                assert found.short[found.check.drift.accounts.index(name)]
                continue
            assert [plan.triggered for plan in plans] == ([asks] if plans else [])


def _gap(found: Screen, policy: Policy, a: int, k: int) -> float:
    """Money from a class to its destination, in the words of the policy's documentation."""
    drift, band = found.check.drift, found.check.widths
    if k == drift.cash_index or not found.fires[a] or found.group.held_away[a]:
        return 0.0
    weight, target = float(drift.weight[a, k]), float(drift.target[k])
    above, goal, breached = weight > target, policy.destination.goal, found.check.breach[a, k] != 0
    width = float(band.up[k] if above else band.down[k])
    if goal == "inner" and not policy.breached_only:
        trades = abs(weight - target) > width * policy.destination.share
    else:
        trades = breached or not (policy.breached_only or goal in ("edge", "inner"))
    if not trades:
        return 0.0
    away = {
        "target": 0.0,
        "halfway": abs(weight - target) / 2,
        "edge": width,
        "inner": width * policy.destination.share,
    }[goal]
    return ((target + away if above else target - away) - weight) * float(drift.base[a])


@given(books(), _POLICY_TEXTS)
@settings(max_examples=100)
def test_the_gaps_lead_to_the_destination(book: Book, text: str) -> None:
    policy = _policy(text)
    for found in screen(book, policy, as_of=TODAY):
        for a, k in np.ndindex(found.gap.shape):
            assert found.gap[a, k] == pytest.approx(_gap(found, policy, a, k), abs=1e-4)


def _estimate(found: Screen, book: Book, to_edge: bool) -> dict[int, float]:
    """The units of every holding by exact fractions, in a plain loop over accounts and rows."""
    result = {}
    width = len(found.check.drift.classes)
    for a in range(len(found.check.drift.accounts)):
        rows = np.flatnonzero(found.group.account == a).tolist()
        for k in range(width):
            gap = Fraction(float(found.gap[a, k]))
            inside = [i for i in rows if found.group.cell[i] == a * width + k]
            able = []
            for i in inside:
                row = found.group.row[i]
                symbol = book.holdings.symbol[row]
                quantity = Fraction(float(book.holdings.quantity[row]))
                price = Fraction(float(book.holdings.price[row]))
                if symbol != "CASH" and quantity > 0 and book.security(symbol).tradable:
                    able.append((i, symbol, quantity, quantity * price))
            total = sum(value for *_, value in able)
            for i, symbol, quantity, _ in able:
                if not gap or not total:
                    continue
                step = Decimal(repr(book.security(symbol).quantity_step))
                share = gap / total
                if share <= -1 + Fraction(1, 10**12):
                    result[i] = -float(quantity)
                    continue
                exact = abs(quantity * share) / Fraction(step)
                count = math.floor(exact + Fraction(1, 10**9)) + to_edge
                units = min(count * Fraction(step), quantity) if gap < 0 else count * Fraction(step)
                result[i] = math.copysign(float(units), gap)
    return result


@given(books(), _POLICY_TEXTS)
@settings(max_examples=150)
def test_the_estimates_are_those_of_a_plain_loop(book: Book, text: str) -> None:
    policy = _policy(text)
    for found in screen(book, policy, as_of=TODAY):
        wanted = _estimate(found, book, to_edge=policy.destination.goal == "edge")
        for i, units in enumerate(found.units.tolist()):
            assert units == wanted.get(i, 0.0), found.group.pairs[found.group.pair[i]]


@pytest.mark.parametrize("beyond", ["", " beyond"])
@pytest.mark.parametrize("off", [-3e-9, -5e-10, 0.0, 5e-10, 3e-9])
def test_the_edge_is_the_same_to_a_billionth(off: float, beyond: str) -> None:
    # 40% against 35% is a binary 0.05 and a bit; a band counts to 1e-9, at the edge or beyond it.
    value = 1e6 * (0.40 + off)
    rows = [_row("A", "S0", value / 100, 100.0), _row("A", "B0", (1e6 - value) / 80, 80.0)]
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets("35% stocks, 65% bonds")}
    )
    policy = parse_policy(f"5pp{beyond}")
    (found,) = screen(book, policy)
    (plan,) = rebalance(book, Request(policy=policy)).plans
    wanted = off > 1e-9 if beyond else off > -1e-9
    assert bool(found.fires[0]) is wanted is plan.triggered


def _simple(rows: list[dict[str, Any]], targets: str, policy: str, **fields: Any) -> Screen:
    book = Book(holdings=Holdings.from_rows(rows), models={"": parse_targets(targets)}, **fields)
    (found,) = screen(book, parse_policy(policy))
    return found


def test_a_worked_sum() -> None:
    # 70,000 and 10,000 of stocks, 20,000 of bonds against 60/40: stocks sell 20,000, 7 to 1.
    rows = [_row("A", "S0", 700, 100.0), _row("A", "SX", 400, 25.0), _row("A", "B0", 250, 80.0)]
    found = _simple(rows, "60% stocks, 40% bonds", "5pp")
    assert found.fires.tolist() == [True]
    assert found.gap[0].tolist() == pytest.approx([-20_000, 20_000, 0])
    assert found.units.tolist() == [-175.0, -100.0, 250.0]


def test_a_class_to_be_left_sells_its_fractions_and_an_empty_one_is_named() -> None:
    rows = [_row("A", "S0", 10.125, 100.0), _row("A", "B0", 100, 80.0)]
    found = _simple(rows, "0% stocks, 90% bonds, 10% real estate", "5pp")
    assert found.units[0] == -10.125
    assert found.unplaced[0, 2] == pytest.approx(0.1 * (1012.5 + 8000))


def test_steps_come_back_as_the_decimals_they_are() -> None:
    rows = [_row("A", "S1", 1000.0, 1.0), _row("A", "B0", 1000.7, 1.0)]
    securities = {"S1": Security(symbol="S1", asset_class="Stocks", quantity_step=0.1)}
    found = _simple(rows, "50% stocks, 50% bonds", "now", securities=securities)
    assert found.units.tolist() == [0.3, 0.0]


def test_breaches_are_ranked_by_excess_then_money() -> None:
    rows = [
        *(_row("small", s, q, 1.0) for s, q in (("S0", 70), ("B0", 30))),
        *(_row("large", s, q, 1.0) for s, q in (("S0", 7000), ("B0", 3000))),
        *(_row("worst", s, q, 1.0) for s, q in (("S0", 10), ("B0", 90))),
        *(_row("fine", s, q, 1.0) for s, q in (("S0", 60), ("B0", 40))),
    ]
    found = _simple(rows, "60% stocks, 40% bonds", "5pp")
    worst = ranked([found])
    assert worst.account == ("worst", "worst", "large", "large", "small", "small")
    assert worst.asset_class[:2] == ("Stocks", "Bonds")
    assert worst.drift.tolist() == pytest.approx([-0.5, 0.5, 0.1, -0.1, 0.1, -0.1])
    assert worst.excess.tolist() == pytest.approx([0.45, 0.45, 0.05, 0.05, 0.05, 0.05])
    assert worst.gap[2] == pytest.approx(-1000)
    assert ranked([]).account == ()


def test_a_negative_total_is_refused() -> None:
    rows = [_row("A", "S0", 1, 100.0)]
    with pytest.raises(TableError, match="negative"):
        _simple(
            rows,
            "100% stocks",
            "5pp",
            accounts={"A": Account(account="A", cash_reserve=500.0)},
        )


@pytest.mark.parametrize(("away", "asks"), [(False, True), (True, False)])
def test_an_account_held_away_does_not_ask_for_cash_that_is_short(away: bool, asks: bool) -> None:
    rows = [_row("A", "S0", 600, 1.0), _row("A", "B0", 400, 1.0)]
    account = Account(account="A", cash_reserve=100.0, held_away=away)
    found = _simple(rows, "60% stocks, 40% bonds", "5pp", accounts={"A": account})
    assert found.short.tolist() == [True]
    assert found.asks.tolist() == [asks]


def test_an_account_of_nothing_does_not_ask() -> None:
    found = _simple([_row("A", "CASH", 0.0, 1.0, kind="cash")], "100% stocks", "now")
    assert found.asks.tolist() == [False]


def test_nothing_is_changed() -> None:
    rows = [_row("A", "S0", 700, 100.0), _row("A", "B0", 250, 80.0)]
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets("60% stocks, 40% bonds")}
    )
    before = book.holdings.quantity.copy(), book.groups[0].cell.copy()
    screen(book, parse_policy("5pp"))
    np.testing.assert_array_equal(book.holdings.quantity, before[0])
    np.testing.assert_array_equal(book.groups[0].cell, before[1])


def test_floor_is_what_decimals_say() -> None:
    # The step count of the estimate against decimal arithmetic, for a step that binary cannot hold.
    for units in range(1, 200):
        gap = Decimal(units) / 7
        wanted = (gap / Decimal("0.1")).to_integral_value(ROUND_FLOOR) * Decimal("0.1")
        rows = [_row("A", "S1", 1000.0, 1.0), _row("A", "B0", 1000.0 + 2 * float(gap), 1.0)]
        securities = {"S1": Security(symbol="S1", asset_class="Stocks", quantity_step=0.1)}
        found = _simple(rows, "50% stocks, 50% bonds", "now", securities=securities)
        assert found.units[0] == float(wanted)
