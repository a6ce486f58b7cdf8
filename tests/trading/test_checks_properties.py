"""The independent verifier, for any change of any number, and for garbage; and that it is independent."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.plans_by_hand import (
    FIVE,
    HALF_5BP,
    IRA_ROWS,
    WALK,
    WALK_BOOK,
    WALK_ROWS,
    Order,
    book_of,
    cash,
    codes,
    plan_of,
    row,
    with_class,
    with_trade,
)
from xl_rebal import bands
from xl_rebal.costs import CostModel
from xl_rebal.drift import measure
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets
from xl_rebal.trading.checks import Violation, check_plan
from xl_rebal.trading.checks_book import EXACT, BookRows
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import ClassResult, Plan, Trade

WITHDRAWAL_BOOK = book_of(
    [*WALK_ROWS, cash(1000.0)], account=Account(account="A", cash_reserve=1000.0)
)
IRA_BOOK = book_of(IRA_ROWS, "50% stocks, 40% bonds, 10% real estate")
RIGHT: list[tuple[Book, Plan, Limits]] = [
    (WALK_BOOK, WALK, HALF_5BP),
    (WALK_BOOK, plan_of(WALK_BOOK, [], deposit_to_restore=125_666.67), Limits()),
    (
        WITHDRAWAL_BOOK,
        plan_of(WITHDRAWAL_BOOK, [("SELL", "VTI", 228.0)], limits=HALF_5BP, flow=-50_000.0),
        HALF_5BP,
    ),
    (
        IRA_BOOK,
        plan_of(
            IRA_BOOK,
            [("SELL", "VTI", 64_000.0), ("BUY", "BND", 40_000.0), ("BUY", "VNQ", 24_000.0)],
            deposit_to_restore=128_000.0,
        ),
        Limits(),
    ),
]
# The smallest change that must be seen: a little more than what rounding to cents may hide.
SMALLEST = {
    **{"quantity": 1e-4, "price": 1e-6, "unit_value": 1e-6, "half_spread": 1e-9},
    **dict.fromkeys(("target", "lower", "upper", "turnover"), 1e-8),
    **dict.fromkeys(("weight_before", "weight_after", "drift_before", "drift_after"), 1e-8),
}


def numbers(record: Trade | ClassResult | Plan) -> list[str]:
    return [
        f.name
        for f in fields(record)
        if isinstance(getattr(record, f.name), float) and f.name != "deposit_to_restore"
    ]


def places(plan: Plan) -> list[tuple[str, int, str]]:
    return [
        *(("trade", i, name) for i, trade in enumerate(plan.trades) for name in numbers(trade)),
        *(("class", i, name) for i, found in enumerate(plan.classes) for name in numbers(found)),
        *(("plan", 0, name) for name in numbers(plan)),
    ]


def changed(plan: Plan, place: tuple[str, int, str], change: Callable[[Any], Any]) -> Plan:
    kind, index, name = place
    if kind == "trade":
        return with_trade(index, plan, **{name: change(getattr(plan.trades[index], name))})
    if kind == "class":
        return with_class(index, plan, **{name: change(getattr(plan.classes[index], name))})
    return replace(plan, **{name: change(getattr(plan, name))})


@given(st.data())
@settings(max_examples=400)
def test_any_number_that_is_changed_is_caught(data: st.DataObject) -> None:
    book, plan, limits = data.draw(st.sampled_from(RIGHT))
    assert codes(plan, book, limits=limits) == set()
    place = data.draw(st.sampled_from(places(plan)))
    size = SMALLEST.get(place[2], 0.02) * 10 ** data.draw(st.floats(0.01, 9))
    sign = data.draw(st.sampled_from([1.0, -1.0]))
    faulty = changed(plan, place, lambda old: old + sign * size)
    assert codes(faulty, book, limits=limits), f"{place} off by {sign * size}"


GARBAGE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([None, "", "x", 1e308, -1e308, 5e-324, 10**400, True, (), np.float64("nan")]),
)


@given(st.data())
@settings(max_examples=400)
def test_garbage_never_raises(data: st.DataObject) -> None:
    book, plan, limits = data.draw(st.sampled_from(RIGHT))
    for place in data.draw(st.lists(st.sampled_from(places(plan)), min_size=1, max_size=4)):
        plan = changed(plan, place, lambda _: data.draw(GARBAGE))
    check_plan(book, FIVE, plan, limits)
    name = data.draw(st.sampled_from([f.name for f in fields(Plan)]))
    garbage: dict[str, Any] = {name: data.draw(GARBAGE)}
    check_plan(book, FIVE, replace(plan, **garbage), limits)


@st.composite
def right_plans(draw: st.DrawFn) -> tuple[Book, Plan, Policy, Limits]:
    """To target with plain rounding: what is overweight is sold up, what is underweight bought down."""
    steps = [draw(st.sampled_from([1.0, 0.001, 10.0])) for _ in range(3)]
    prices = [draw(st.integers(1_0000, 60_0000)) / 10_000 for _ in range(3)]
    worth = [draw(st.integers(0, 500_000)) + 20_000 for _ in range(3)]
    symbols = ["VTI", "BND", "VNQ"]
    shares = [round(w / p, draw(st.integers(0, 3))) for w, p in zip(worth, prices, strict=True)]
    money = draw(st.integers(0, 5_000_000)) / 100
    weights = draw(st.sampled_from(["60/30/10", "40/40/20", "34/33/33", "10/90/0"])).split("/")
    names = ["stocks", "bonds", "real estate"]
    book = book_of(
        [*(row(s, q, p) for s, q, p in zip(symbols, shares, prices, strict=True)), cash(money)],
        ", ".join(f"{w}% {n}" for w, n in zip(weights, names, strict=True)),
        securities=[
            replace(WALK_BOOK.security(s), quantity_step=step)
            for s, step in zip(symbols, steps, strict=True)
        ],
    )
    policy = parse_policy(
        draw(st.sampled_from(["daily", "5pp", "5/25", "20%rel", "annual or 10pp"]))
    )
    half_spread = draw(st.sampled_from([0.0, 0.0003, 0.002]))
    base = money + sum(q * p for q, p in zip(shares, prices, strict=True))
    orders: list[Order] = []
    fired = policy.has_calendar or plan_of(book, [], policy=policy).triggered
    moves = []
    for symbol, q, p, step, w in zip(symbols, shares, prices, steps, weights, strict=True):
        moves.append((q * p - float(w) / 100 * base, symbol, q, p, step))
    cost = sum(abs(over) for over, *_ in moves) * half_spread * 1.01
    for over, symbol, q, p, step in moves if fired else ():
        units = (
            math.ceil(over / p / step - 1e-9) if over > 0 else math.floor(-over / p / step + 1e-9)
        )
        if over < 0:  # buyers pay the costs
            under = sum(-o for o, *_ in moves if o < 0)
            units = math.floor((-over - 0.02 - cost * -over / under) / p / step)
        quantity = min(round(units * step, 3), q) if over > 0 else round(units * step, 3)
        if quantity > 0:
            orders.append(("SELL" if over > 0 else "BUY", symbol, quantity))
    limits = Limits(costs=CostModel(half_spread=half_spread))
    plan = plan_of(book, orders, policy=policy, limits=limits, triggered=fired)
    return book, plan, policy, limits


@given(right_plans())
@settings(max_examples=300)
def test_plans_that_are_right_raise_no_alarm(
    drawn: tuple[Book, Plan, Policy, Limits],
) -> None:
    book, plan, policy, limits = drawn
    assert check_plan(book, policy, plan, limits) == ()


def test_the_callers_decimal_settings_do_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        assert check_plan(WALK_BOOK, FIVE, WALK, HALF_5BP) == ()
        assert context.prec == 3


@pytest.mark.parametrize(
    "text",
    [
        *("5pp", "20%rel", "5/25", "larger of 5pp and 25%rel", "quarterly", "annual or 5pp beyond"),
        *("5pp and 20%rel", "5pp or 20%rel", "own bands", "own bands or 2pp", "annual and 5pp"),
    ],
)
def test_band_edges_equal_the_engines(text: str) -> None:
    policy = parse_policy(text)
    targets = Targets(
        (
            Target(asset_class="Stocks", target=0.5, band_abs=0.03, band_rel=0.1),
            Target(asset_class="Bonds", target=0.3, min=0.25, max=0.38),
            Target(asset_class="Real Estate", target=0.02, band_rel=0.5, max=0.1),
            Target(asset_class="Gold", target=0.03, min=0.0),
            Target(asset_class="Cash", target=0.15),
        )
    )
    book = book_of([*WALK_ROWS, cash(300_000.0)], targets)
    (drift,) = measure(book)
    width = bands.widths(policy, drift)
    with localcontext(EXACT):
        account = BookRows(book, policy).account("A")
    assert account is not None
    found = np.array([account.edges[name] for name in drift.classes], dtype=float)
    np.testing.assert_allclose(found, np.column_stack([width.down, width.up]), atol=1e-15)
    plan = plan_of(book, [], policy=policy, triggered=policy.has_band)
    assert codes(plan, book, policy) == set()


# --- independence -----------------------------------------------------------------------------

TRADING = Path(__file__).resolve().parents[2] / "xl_rebal" / "trading"
ALLOWED = {
    *("xl_rebal.errors", "xl_rebal.trading.plan", "xl_rebal.trading.limits"),
    *("xl_rebal.portfolio.book", "xl_rebal.portfolio.accounts", "xl_rebal.portfolio.holdings"),
    *(
        "xl_rebal.portfolio.policies",
        "xl_rebal.portfolio.restrictions",
        "xl_rebal.portfolio.targets",
    ),
    *("xl_rebal.portfolio.securities", "xl_rebal.portfolio"),
    *("xl_rebal.portfolio.flows", "xl_rebal.portfolio.fund_rules"),
}
TAX_NOUNS = {  # what the verifier of tax sums may take of room tax: figures of the law, no sums
    "xl_rebal.tax.law": {"FilingStatus"},
    "xl_rebal.tax.netting": {"Gains"},
    "xl_rebal.tax.profiles": {"TaxProfile"},
}
ARITHMETIC = {
    "for_security",
    "parts",
    "value",
    "width",
    "weights",
    "cash_effect",
    "signed_quantity",
    *("missed_by", "in_force", "kept_back"),
}


@pytest.mark.parametrize("path", sorted(TRADING.glob("checks*.py")), ids=lambda path: path.name)
def test_the_verifier_shares_no_code_with_the_planner(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
            if str(node.module).startswith("xl_rebal.tax"):
                assert {alias.name for alias in node.names} <= TAX_NOUNS[str(node.module)]
    ours = {name for name in imported if name.startswith("xl_rebal")} - TAX_NOUNS.keys()
    assert not {n for n in ours - ALLOWED if not n.startswith("xl_rebal.trading.checks")}
    assert not imported & {"numpy", "pandas"}
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & ARITHMETIC
    taken = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not taken & {"cash_effect", "signed_quantity", "for_security", "weights", "kept_back"}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"reserved", "rule_for", "flow_notes"}


def test_violations_are_values() -> None:
    first = check_plan(WALK_BOOK, FIVE, replace(WALK, total_cost=0.0), HALF_5BP)
    again = check_plan(WALK_BOOK, FIVE, replace(WALK, total_cost=0.0), HALF_5BP)
    assert first == again
    assert first[0] == Violation(
        code="total-cost",
        where="account A",
        what="total cost 0.00, the trades' costs sum to 105.15",
    )
