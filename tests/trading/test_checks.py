"""The independent verifier accepts correct plans and catches every planted fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.trading.plans_by_hand import (
    BONDS,
    CASH,
    FIVE,
    HALF_5BP,
    IRA_ROWS,
    REAL_ESTATE,
    STOCKS,
    VNQ,
    VTI,
    WALK,
    WALK_BOOK,
    WALK_ORDERS,
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
from xl_rebal.costs import CostModel
from xl_rebal.errors import VerificationError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.trading.checks import check_plan, check_plans, require_verified
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import Action, Plan


def walk(
    orders: Sequence[Order] = WALK_ORDERS,
    *,
    rows: Sequence[dict[str, Any]] = WALK_ROWS,
    limits: Limits = HALF_5BP,
    policy: Policy = FIVE,
    targets: str = "60% stocks, 30% bonds, 10% real estate",
    flow: float = 0.0,
    plan: dict[str, Any] | None = None,
    **of_book: Any,
) -> set[str]:
    """Codes for a self-consistent plan with other trades, or for another book."""
    book = book_of(rows, targets, **of_book)
    made = plan_of(book, orders, limits=limits, policy=policy, flow=flow, **(plan or {}))
    return codes(made, book, policy, limits)


# --- plans that are right ---------------------------------------------------------------------


def test_the_walk_through_is_right_and_its_numbers_are_the_published_ones() -> None:
    assert check_plan(WALK_BOOK, FIVE, WALK, HALF_5BP) == ()
    assert [t.cost for t in WALK.trades] == [37.73, 14.89, 52.53]
    assert WALK.cash_after == pytest.approx(69.85, abs=1e-9)
    assert WALK.base_before == 1_901_000
    assert WALK.classes[STOCKS].drift_before == pytest.approx(0.03966, abs=5e-6)
    assert WALK.classes[REAL_ESTATE].status_before == "below"
    require_verified(WALK_BOOK, FIVE, [WALK], HALF_5BP)


def test_the_ira_is_right_without_costs() -> None:
    book = book_of(IRA_ROWS, "50% stocks, 40% bonds, 10% real estate")
    orders: list[Order] = [
        ("SELL", "VTI", 64_000.0),
        ("BUY", "BND", 40_000.0),
        ("BUY", "VNQ", 24_000.0),
    ]
    plan = plan_of(book, orders, deposit_to_restore=128_000.0)
    assert plan.classes[BONDS].status_before == "below"  # exactly -5 pp: reached
    assert codes(plan, book, limits=Limits()) == set()
    beyond = parse_policy("5pp beyond")
    assert plan_of(book, policy=beyond).classes[BONDS].status_before == "within"
    assert codes(plan_of(book, orders, policy=beyond), book, beyond, Limits()) == set()


@pytest.mark.parametrize(("units", "policy"), [(618, "5pp to halfway"), (119, "5pp to edge")])
def test_other_destinations_of_the_walk_through_are_right(units: int, policy: str) -> None:
    sold = math.ceil(units * 85 * 1.001 / 220)
    orders: list[Order] = [("SELL", "VTI", float(sold)), ("BUY", "VNQ", float(units))]
    assert walk(orders, policy=parse_policy(policy)) == set()


def test_a_plan_without_a_trigger_is_right() -> None:
    assert walk([], policy=parse_policy("10pp")) == set()
    assert walk([], policy=parse_policy("never")) == set()


def test_a_breach_that_waits_for_its_date_is_right_with_its_cause() -> None:
    assert walk([], policy=parse_policy("annual and 5pp"), plan={"triggered": False}) == set()


def test_a_full_liquidation_sells_fractions() -> None:
    rows = [
        row("VTI", 600, 100.0),
        row("BND", 300.0, 100.0),
        row("GLD", 12.3457, 200.0, asset_class="Gold"),
    ]
    rows.append(cash(7_530.86))
    orders: list[Order] = [("SELL", "GLD", 12.3457), ("BUY", "VNQ", 99.0)]
    targets = "60% stocks, 30% bonds, 10% real estate, 0% gold"
    vnq = Security(symbol="VNQ", asset_class="Real Estate", price=100.0)
    assert walk(orders, rows=rows, targets=targets, limits=Limits(), securities=[vnq]) == set()
    partial: list[Order] = [("SELL", "GLD", 12.3), ("BUY", "VNQ", 99.0)]
    assert walk(partial, rows=rows, targets=targets, limits=Limits(), securities=[vnq]) == {"step"}


def test_two_rows_of_one_symbol_are_one_position() -> None:
    rows = [row("VTI", 300.25, 100.0), row("VTI", 400.5, 100.0), row("BND", 300, 100.0)]
    targets = "70% stocks, 30% bonds"
    assert walk([], rows=rows, targets=targets) == set()
    targets = "0% stocks, 100% bonds"
    sell: Order = ("SELL", "VTI", 700.75)
    buy: Order = ("BUY", "BND", 700.0)
    assert walk([sell, buy], rows=rows, targets=targets, limits=Limits()) == set()


@pytest.mark.parametrize("flow", [-50_000.0, 50_000.0])
def test_a_withdrawal_and_a_contribution_are_right(flow: float) -> None:
    account = Account(account="A", cash_reserve=1000.0)
    rows = [*WALK_ROWS, cash(1000.0)]
    orders: list[Order] = [("SELL", "VTI", 228.0)] if flow < 0 else [("BUY", "VNQ", 587.0)]
    assert walk(orders, rows=rows, flow=flow, account=account, policy=parse_policy("6pp")) == set()
    too_few: list[Order] = [("SELL", "VTI", 226.0)] if flow < 0 else [("BUY", "VNQ", 589.0)]
    assert "cash-short" in walk(
        too_few, rows=rows, flow=flow, account=account, policy=parse_policy("6pp")
    )


def test_raising_cash_may_sell_an_underweight_class_when_the_rest_may_not_be_sold() -> None:
    rules = [Restriction(scope="*", rule=Rule.NEVER_SELL, symbol=s) for s in ("VTI", "VXUS", "BND")]
    orders: list[Order] = [("SELL", "VNQ", 118.0)]
    assert walk(orders, flow=-10_000.0, restrictions=rules) == set()


def test_what_rounding_leaves_of_raised_cash_may_be_spent_but_no_more() -> None:
    rules = [Restriction(scope="*", rule=Rule.NEVER_SELL, symbol=s) for s in ("VTI", "VXUS", "BND")]
    vnq = Security(symbol="VNQ", asset_class="Real Estate", quantity_step=10.0)
    bnd = Security(symbol="BND", asset_class="Bonds/US", quantity_step=0.001)
    of_book: dict[str, Any] = {"securities": [vnq, bnd], "restrictions": rules, "flow": -10_000.0}
    of_book["targets"] = "50% stocks, 40% bonds, 10% real estate"
    raised: Order = ("SELL", "VNQ", 120.0)
    assert walk([raised, ("BUY", "BND", 2.5)], **of_book) == set()
    more: list[Order] = [("SELL", "VNQ", 140.0), ("BUY", "BND", 25.0)]
    assert walk(more, **of_book) == {"breach-grows", "past-target"}


def test_a_class_of_zero_width_that_is_sold_out_is_within_whatever_cents_leave() -> None:
    rows = [
        row("VTI", 700, 100.0),
        row("GLD", 3.3333, 10.0333, asset_class="Gold"),
        row("BND", 300, 100.0),
    ]
    setting: dict[str, Any] = {"rows": rows, "targets": "70% stocks, 30% bonds, 0% gold"}
    policy = parse_policy("20%rel")
    book = book_of(rows, setting["targets"])
    plan = plan_of(book, [("SELL", "GLD", 3.3333)], policy=policy)
    assert plan.trades[0].value == 33.44  # of 33.44399989
    assert abs(plan.classes[2].drift_after) > 1e-9
    for status in ("within", "above"):
        assert codes(with_class(2, plan, status_after=status), book, policy, Limits()) == set()
    assert "class-status" in codes(
        with_class(2, plan, status_before="within"), book, policy, Limits()
    )


def test_a_short_account_without_trades_says_so() -> None:
    rows = [*WALK_ROWS, cash(-500.0)]
    policy = parse_policy("10pp")
    assert walk([], rows=rows, policy=policy) == {"cash-short"}
    note = {"notes": ("cash is short by 500.00 and the policy did not trigger",)}
    assert walk([], rows=rows, policy=policy, plan=note) == set()


def test_money_that_cannot_be_used_needs_a_note_about_cash() -> None:
    rules = [Restriction(scope="*", rule=Rule.NEVER_BUY, tag="reits")]
    vnq = Security(symbol="VNQ", asset_class="Real Estate", tags=frozenset({"reits"}))
    of_book: dict[str, Any] = {"securities": [vnq], "restrictions": rules}
    orders = WALK_ORDERS[:2]
    assert walk(orders, **of_book) == {"idle-proceeds"}
    note = {"notes": ("VNQ is never_buy: 105,182.38 stays in cash",)}
    assert walk(orders, plan=note, **of_book) == set()


def test_a_substitute_is_right_and_what_is_left_is_named() -> None:
    rule = Restriction(scope="A", rule=Rule.SUBSTITUTE, symbol="VXUS", replacement="IXUS")
    ixus = Security(symbol="IXUS", asset_class="Stocks/International", price=70.0)
    of_book: dict[str, Any] = {"securities": [ixus], "restrictions": [rule]}
    swap: list[Order] = [("SELL", "VXUS", 2000.0), ("BUY", "IXUS", 1655.0), *WALK_ORDERS]
    assert walk(swap, **of_book) == set()
    assert walk(**of_book) == {"never-hold-left"}
    note = {"notes": ("VXUS stays: its market is closed",)}
    assert walk(plan=note, **of_book) == set()


def test_costs_follow_the_security_and_the_square_root_of_volume() -> None:
    model = CostModel(
        half_spread=0.0005,
        commission=1.0,
        per_share=0.005,
        min_commission=2.0,
        max_commission=5.0,
        impact=0.01,
    )
    vti = Security(symbol="VTI", asset_class="Stocks/US", spread_bps=2.0, commission=4.95)
    vnq = Security(symbol="VNQ", asset_class="Real Estate", adv=4_000_000)
    of_book: dict[str, Any] = {"securities": [vti, vnq], "limits": Limits(costs=model)}
    orders: list[Order] = [("SELL", "VTI", 343.0), ("SELL", "BND", 397.0), ("BUY", "VNQ", 1235.0)]
    assert walk(orders, **of_book) == set()
    other = Limits(costs=replace(model, max_commission=2.5))
    book = book_of(WALK_ROWS, securities=[vti, vnq])
    assert codes(plan_of(book, orders, limits=of_book["limits"]), book, limits=other) == {
        "trade-cost",
        "cost-parts",
    }


def test_multipliers_currencies_pending_and_excluded_rows() -> None:
    rows = [
        row("AAA", 10, 50.0, multiplier=100.0, fx=1.25),
        row("BND", 500, 75.0),
        row("XOM", 9, 100.0, asset_class="Excluded"),
        row("", 99_999, kind="pending"),
        cash(100.0, fx=1.25),
    ]
    orders: list[Order] = [("SELL", "AAA", 2.0), ("BUY", "BND", 168.0)]
    of_book: dict[str, Any] = {"rows": rows, "targets": "50% stocks, 50% bonds"}
    assert walk(orders, **of_book, limits=Limits()) == set()
    rows[4] = cash(100.0, fx=1.25, asset_class="Excluded")
    assert walk([orders[0], ("BUY", "BND", 166.0)], **of_book, limits=Limits()) == set()
    assert "cash-short" in walk(orders, **of_book, limits=Limits())


# --- planted faults ---------------------------------------------------------------------------

FAULTS: dict[str, tuple[Plan, str]] = {
    "cash after": (replace(WALK, cash_after=70.85), "cash-identity"),
    "cash after by a cent": (replace(WALK, cash_after=69.86), "cash-identity"),
    "cash before": (replace(WALK, cash_before=100.0, cash_after=169.85), "cash-before"),
    "total cost": (replace(WALK, total_cost=0.0), "total-cost"),
    "reserve": (replace(WALK, reserve=50.0), "reserve"),
    "flow that nobody ordered": (replace(WALK, flow=1.0), "cash-identity"),
    "flow and its cash": (replace(WALK, flow=1000.0, cash_after=1069.85), "base-before"),
    "value": (with_trade(VTI, value=75_400.0), "trade-value"),
    "value by a cent": (with_trade(VTI, value=75_460.01), "trade-value"),
    "value of half cents": (with_trade(VTI, value=75_460.004), "trade-value"),
    "unit value": (with_trade(VTI, unit_value=219.0), "unit-value"),
    "price of yesterday": (with_trade(VTI, price=219.0), "price"),
    "price zero": (with_trade(VTI, price=0.0), "price"),
    "full spread": (with_trade(VNQ, cost=105.06), "trade-cost"),
    "free trade": (with_trade(VNQ, cost=0.0), "trade-cost"),
    "half-spread": (with_trade(VNQ, half_spread=0.001), "cost-parts"),
    "commission": (with_trade(VNQ, commission=4.95), "cost-parts"),
    "impact": (with_trade(VNQ, impact=1.0), "cost-parts"),
    "two trades": (replace(WALK, trades=(*WALK.trades, WALK.trades[VNQ])), "one-trade"),
    "both sides": (
        replace(WALK, trades=(*WALK.trades, replace(WALK.trades[VNQ], action=Action.SELL))),
        "one-trade",
    ),
    "other account": (with_trade(VTI, account="B"), "trade-account"),
    "whole plan for another account": (replace(WALK, account="B"), "unknown-account"),
    "action": (with_trade(VTI, action="HOLD"), "action"),
    "wrong side": (with_trade(VTI, action=Action.BUY), "cash-identity"),
    "quantity zero": (with_trade(VTI, quantity=0.0), "quantity"),
    "quantity negative": (with_trade(VTI, quantity=-343.0), "quantity"),
    "quantity": (with_trade(VTI, quantity=342.0), "trade-value"),
    "unknown symbol": (with_trade(VTI, symbol="ZZZT"), "price"),
    "no symbol": (with_trade(VTI, symbol=""), "cash-traded"),
    "class": (with_trade(VTI, asset_class="Bonds"), "trade-class"),
    "child class": (with_trade(VTI, asset_class="Stocks/US"), "trade-class"),
    "no reason": (with_trade(VTI, reason=" "), "reason"),
    "not triggered": (replace(WALK, triggered=False), "untriggered-trades"),
    "turnover": (replace(WALK, turnover=0.1), "turnover"),
    "deposit negative": (replace(WALK, deposit_to_restore=-1.0), "deposit"),
    "deposit too small": (replace(WALK, deposit_to_restore=99_000.0), "deposit"),
    "class left out": (replace(WALK, classes=WALK.classes[1:]), "class-coverage"),
    "class twice": (replace(WALK, classes=(*WALK.classes, WALK.classes[0])), "class-coverage"),
    "class of nobody": (with_class(BONDS, asset_class="Gold"), "class-coverage"),
    "cash left out": (replace(WALK, classes=WALK.classes[:3]), "weights-sum"),
    "target": (with_class(BONDS, target=0.31), "class-target"),
    "value before": (with_class(BONDS, value_before=1.0), "class-value"),
    "value after": (with_class(BONDS, value_after=570_225.02), "class-value"),
    "weight before": (with_class(BONDS, weight_before=0.3), "class-weight"),
    "weight after": (with_class(BONDS, weight_after=0.3), "class-weight"),
    "weights that do not sum": (with_class(CASH, weight_after=0.01), "weights-sum"),
    "drift before": (with_class(BONDS, drift_before=0.0), "class-drift"),
    "drift after with the wrong sign": (
        with_class(BONDS, drift_after=-WALK.classes[BONDS].drift_after),
        "class-drift",
    ),
    "lower edge": (with_class(BONDS, lower=0.26), "band-edge"),
    "upper edge": (with_class(BONDS, upper=None), "band-edge"),
    "a band on cash": (with_class(CASH, lower=0.0, upper=0.05), "band-edge"),
    "status before": (with_class(REAL_ESTATE, status_before="within"), "class-status"),
    "status after": (with_class(BONDS, status_after="above"), "class-status"),
    "base before": (replace(WALK, base_before=1_900_000.0), "base-before"),
    "base after": (replace(WALK, base_after=1_901_000.0), "base-after"),
    "NaN": (replace(WALK, cash_after=math.nan), "unreadable"),
    "infinite": (with_trade(VTI, quantity=math.inf), "unreadable"),
    "NaN edge": (with_class(CASH, lower=math.nan), "unreadable"),
    "no number": (with_class(CASH, value_after="much"), "unreadable"),
    "no text": (with_trade(VTI, symbol=None), "unreadable"),
    "no trades at all": (replace(WALK, trades=None), "unreadable"),  # type: ignore[arg-type]  # garbage
    "a note of numbers": (replace(WALK, notes=(1,)), "unreadable"),  # type: ignore[arg-type]  # garbage
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name: str) -> None:
    plan, code = FAULTS[name]
    assert code in codes(plan)


def never(rule: Rule, symbol: str, scope: str = "*") -> dict[str, Any]:
    return {"restrictions": [Restriction(scope=scope, rule=rule, symbol=symbol)]}


def security(symbol: str, **known: Any) -> dict[str, Any]:
    return {"securities": [Security(symbol=symbol, **known)]}


def account(**known: Any) -> dict[str, Any]:
    return {"account": Account(account="A", **known)}


TAGGED = {
    **security("VTI", asset_class="Stocks/US", tags=frozenset({"us"})),
    "restrictions": [Restriction(scope="smith", rule=Rule.NEVER_SELL, tag="us")],
    **account(household="Smith"),
}
SHORT = [row("VTI", 5000, 220.0), row("VXUS", -10, 58.0), *WALK_ROWS[2:]]
NO_BREACH = "62% stocks, 31% bonds, 7% real estate"

# Trades that are self-consistent, and wrong for the account, the book or the policy.
FORBIDDEN: dict[str, tuple[list[Order], dict[str, Any], str]] = {
    "overdraft": (
        [("SELL", "VTI", 343.0), ("SELL", "BND", 396.0), ("BUY", "VNQ", 1236.0)],
        {},
        "cash-short",
    ),
    "spends the reserve": (WALK_ORDERS, account(cash_reserve=70.0), "cash-short"),
    "sells more than held": ([("SELL", "VXUS", 2001.0)], {}, "oversold"),
    "sells what is not held": (
        [("SELL", "ITOT", 1.0)],
        security("ITOT", asset_class="Stocks/US", price=10.0),
        "oversold",
    ),
    "covers a short": ([("BUY", "VXUS", 10.0), *WALK_ORDERS], {"rows": SHORT}, "short-touched"),
    "grows a short": ([("SELL", "VXUS", 1.0), *WALK_ORDERS], {"rows": SHORT}, "oversold"),
    "not tradable": (WALK_ORDERS, security("VTI", tradable=False), "not-tradable"),
    "an option": (
        [("SELL", "AMAT260424C400", 1.0)],
        {"rows": [*WALK_ROWS, row("AMAT260424C400", 1, 3.0, multiplier=100.0)]},
        "not-tradable",
    ),
    "cash": ([("SELL", "CASH", 5.0)], {"rows": [*WALK_ROWS, cash(100.0)]}, "cash-traded"),
    "held away": (WALK_ORDERS, account(held_away=True), "held-away"),
    "fraction of a share": (
        [("SELL", "VTI", 343.5), ("SELL", "BND", 397.0), ("BUY", "VNQ", 1236.0)],
        {},
        "step",
    ),
    "not a round lot": (WALK_ORDERS, security("VNQ", quantity_step=100.0), "step"),
    "never buy": (WALK_ORDERS, never(Rule.NEVER_BUY, "vnq"), "never-buy"),
    "never sell": (WALK_ORDERS, never(Rule.NEVER_SELL, "VTI", "A"), "never-sell"),
    "never sell a tag, for a household": (WALK_ORDERS, TAGGED, "never-sell"),
    "never hold, and buys": (WALK_ORDERS, never(Rule.NEVER_HOLD, "VNQ"), "never-hold"),
    "never hold, and keeps": (WALK_ORDERS, never(Rule.NEVER_HOLD, "VXUS"), "never-hold-left"),
    "below the smallest trade": (
        WALK_ORDERS,
        {"limits": replace(HALF_5BP, min_trade=30_000.0)},
        "min-trade",
    ),
    "below the fund's minimum": (
        WALK_ORDERS,
        security("BND", minimum=30_000.0),
        "security-minimum",
    ),
    "more turnover than allowed": (
        WALK_ORDERS,
        {"limits": replace(HALF_5BP, max_turnover=0.05)},
        "max-turnover",
    ),
    "an excluded holding": (
        [("SELL", "XOM", 1.0), *WALK_ORDERS],
        {"rows": [*WALK_ROWS, row("XOM", 9, 100.0, asset_class="Excluded")]},
        "trade-class",
    ),
    "a breach grows": ([("SELL", "VNQ", 100.0), ("BUY", "BND", 113.0)], {}, "breach-grows"),
    "a class leaves its band": (
        [("SELL", "BND", 4000.0), ("BUY", "VNQ", 3500.0)],
        {},
        "breach-new",
    ),
    "bought past target": (
        [("SELL", "VTI", 343.0), ("SELL", "BND", 398.0), ("BUY", "VNQ", 1237.0)],
        {},
        "past-target",
    ),
    "sold past target": ([("SELL", "VTI", 700.0), ("BUY", "VNQ", 1236.0)], {}, "past-target"),
    "sold for nothing": ([("SELL", "VTI", 343.0), ("BUY", "VNQ", 500.0)], {}, "idle-proceeds"),
    "trades without a reason to": (WALK_ORDERS[:1], {"targets": NO_BREACH}, "trigger-unfounded"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_trade_is_caught(name: str) -> None:
    orders, setting, code = FORBIDDEN[name]
    assert code in walk(orders, **setting)


def test_a_withdrawal_of_more_than_there_is_is_caught() -> None:
    still = plan_of(WALK_BOOK, [])
    plan = replace(still, flow=-2e6, cash_after=-2e6, base_before=-99_000.0, base_after=-99_000.0)
    assert {"base-before", "cash-short"} <= codes(plan)


def test_a_breach_without_cause_is_caught() -> None:
    plan = plan_of(WALK_BOOK, [("SELL", "VTI", 200.0), ("BUY", "VNQ", 50.0)], limits=HALF_5BP)
    assert plan.classes[REAL_ESTATE].status_after == "below"
    assert "breach-cause" not in codes(plan)
    assert "breach-cause" in codes(with_class(REAL_ESTATE, plan, cause=" "))


def test_a_breach_that_triggers_nothing_is_caught() -> None:
    assert walk([], plan={"triggered": False}) == {"trigger-missed"}
    assert walk([], policy=parse_policy("annual or 5pp"), plan={"triggered": False}) == {
        "trigger-missed"
    }
    assert (
        walk([], plan={"triggered": False}, account=Account(account="A", held_away=True)) == set()
    )


def test_a_class_that_no_purchase_can_restore_has_no_deposit() -> None:
    targets = "60% stocks, 40% bonds, 0% real estate"
    assert walk([], targets=targets, plan={"deposit_to_restore": 5e6}) == {"deposit"}
    assert walk([], targets=targets) == set()


def test_a_price_may_come_from_the_table_or_from_another_account() -> None:
    rows = [*WALK_ROWS[:3], row("VNQ", 10, 85.0, account="B"), cash(85_000.0)]
    orders: list[Order] = [("BUY", "VNQ", 1000.0)]
    vnq = Security(symbol="VNQ", asset_class="Real Estate", price=85.0)
    book = book_of(rows, securities=[vnq])
    plan = plan_of(book, orders)
    assert codes(plan, book, limits=Limits()) == set()
    elsewhere = book_of(rows, securities=[replace(vnq, price=None)])
    assert codes(plan, elsewhere, limits=Limits()) == set()
    nowhere = book_of([*rows[:3], rows[4]], securities=[replace(vnq, price=None)])
    assert codes(plan, nowhere, limits=Limits()) == {"price"}


def test_an_account_has_one_plan_and_a_model() -> None:
    found = check_plans(WALK_BOOK, FIVE, [WALK, WALK], HALF_5BP)
    assert [v.code for v in found] == ["one-plan"]
    unmodelled = replace(WALK_BOOK, accounts={"B": Account(account="B", model="growth")})
    assert codes(replace(WALK, account="B"), unmodelled) == {"unknown-account"}


def test_a_faulty_plan_is_refused_with_every_fault_and_the_remedy() -> None:
    plan = with_trade(VTI, replace(WALK, cash_after=70.85), reason="")
    with pytest.raises(VerificationError) as caught:
        require_verified(WALK_BOOK, FIVE, [plan], HALF_5BP)
    assert len(caught.value.faults) == 2
    reason, identity = caught.value.faults[::-1]
    assert reason.where == "account A, SELL VTI"
    assert "69.85" in identity.what
    assert identity.remedy == "the plan is not exported; report this with the holdings file"
