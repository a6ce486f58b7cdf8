"""Each kind of fault planted in a sound plan: the verifier names it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.household.books import TODAY, bought, couple, request
from xl_rebal.errors import VerificationError
from xl_rebal.household.checks import check_household, require_verified
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.trading.plan import Action

ASKED = request("3pp", costs=0.0005, harvest=45_000.0, gains_budget=0.0)
SOURCE = couple()
PLAN = plan_household(SOURCE, ASKED, "couple")


def first(plan: HouseholdPlan, action: Action, account: str = "JOINT") -> int:
    return next(i for i, t in enumerate(plan.trades) if t.action is action and t.account == account)


def with_trade(place: int, **changes) -> HouseholdPlan:
    trades = list(PLAN.trades)
    trades[place] = replace(trades[place], **changes)
    return replace(PLAN, trades=tuple(trades))


def with_lot(**changes) -> HouseholdPlan:
    return replace(PLAN, lot_sales=(replace(PLAN.lot_sales[0], **changes), *PLAN.lot_sales[1:]))


def with_return(**changes) -> HouseholdPlan:
    return replace(PLAN, returns=(replace(PLAN.returns[0], **changes),))


BUY, SELL = first(PLAN, Action.BUY), first(PLAN, Action.SELL)
LOT = PLAN.lot_sales[0]
PLANTED: dict[str, tuple[Callable[[], HouseholdPlan], str]] = {
    "more is sold than is held": (lambda: with_trade(SELL, quantity=99_999.0), "holdings"),
    "half a share": (lambda: with_trade(BUY, quantity=PLAN.trades[BUY].quantity + 0.5), "steps"),
    "another price": (lambda: with_trade(BUY, unit_value=1.0), "price"),
    "a wrong value": (lambda: with_trade(BUY, value=PLAN.trades[BUY].value + 5), "value"),
    "a wrong cost": (lambda: with_trade(BUY, cost=PLAN.trades[BUY].cost + 5), "cost"),
    "a trade twice": (
        lambda: replace(PLAN, trades=(*PLAN.trades, PLAN.trades[0])),
        "one-net-trade",
    ),
    "an account of others": (lambda: with_trade(BUY, account="NOBODY"), "account"),
    "cash from another account": (lambda: with_trade(BUY, account="ROTH"), "cash"),
    "a muni in an IRA": (
        lambda: with_trade(first(PLAN, Action.BUY), account="IRA", symbol="MUB"),
        "municipal",
    ),
    "a lot that is not there": (lambda: with_lot(row=77), "lot"),
    "a lot of another day": (lambda: with_lot(acquired=dt.date(2020, 1, 1)), "lot"),
    "more of a lot than it has": (lambda: with_lot(quantity=1e6), "lot"),
    "a smaller gain": (lambda: with_lot(gain=LOT.gain + 100), "gain"),
    "the other term": (lambda: with_lot(term="short"), "term"),
    "lots that do not add up": (lambda: with_lot(quantity=LOT.quantity - 1), "lots"),
    "no lots": (lambda: replace(PLAN, lot_sales=()), "lots"),
    "gains of another kind": (
        lambda: with_return(gains=replace(PLAN.returns[0].gains, short=-45_000.0, long=0.0)),
        "tax",
    ),
    "a smaller tax": (
        lambda: with_return(
            added=replace(PLAN.returns[0].added, income=PLAN.returns[0].added.income - 500)
        ),
        "tax",
    ),
    "no word of the tax": (lambda: replace(PLAN, returns=()), "tax"),
    "cash that is not the sum": (
        lambda: replace(
            PLAN,
            accounts=(
                replace(PLAN.accounts[0], cash_after=PLAN.accounts[0].cash_after + 1),
                *PLAN.accounts[1:],
            ),
        ),
        "cash",
    ),
    "a weight that is not the trades'": (
        lambda: replace(
            PLAN,
            classes=(
                replace(PLAN.classes[0], value_after=PLAN.classes[0].value_after + 10),
                *PLAN.classes[1:],
            ),
        ),
        "weights",
    ),
}


def test_the_plan_is_sound() -> None:
    assert check_household(SOURCE, ASKED, PLAN) == ()


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_fault_is_found(what: str) -> None:
    plan, code = PLANTED[what]
    assert code in {v.code for v in check_household(SOURCE, ASKED, plan())}


def codes(source, asked=ASKED, plan: HouseholdPlan = PLAN) -> set[str]:
    return {v.code for v in check_household(source, asked, plan)}


@pytest.mark.parametrize("account", ["IRA", "ROTH", "401K"])
@pytest.mark.parametrize(("days", "washed"), [(0, True), (30, True), (31, False)])
def test_a_planted_wash_sale_is_found(account: str, days: int, *, washed: bool) -> None:
    """The loss of VXUS against a purchase in a retirement account, at the edge of the window."""
    day = TODAY - dt.timedelta(days=days)
    source = replace(SOURCE, history=(bought(account, "VXUS", day, 5.0, 74.0),))
    assert ("wash-sale" in codes(source)) is washed


def test_a_planned_purchase_of_what_is_sold_at_a_loss_is_found() -> None:
    plan = with_trade(BUY, account="ROTH", symbol="VXUS", unit_value=75.0, price=75.0)
    assert "wash-sale" in codes(SOURCE, plan=plan)


def test_budgets_and_rules_of_the_request_are_asked_for() -> None:
    assert "harvest" in codes(SOURCE, replace(ASKED, harvest=60_000.0))
    assert "gains-budget" in codes(SOURCE, replace(ASKED, gains_budget=-50_000.0))
    assert "cash-need" in codes(SOURCE, replace(ASKED, cash_need=10.0))
    assert "turnover" in codes(
        SOURCE, replace(ASKED, limits=replace(ASKED.limits, max_turnover=0.001))
    )
    symbol = PLAN.trades[BUY].symbol
    rule = Restriction(scope="couple", rule=Rule.NEVER_BUY, symbol=symbol)
    assert "restriction" in codes(replace(SOURCE, book=replace(SOURCE.book, restrictions=(rule,))))
    accounts = dict(SOURCE.book.accounts)
    accounts["JOINT"] = replace(accounts["JOINT"], menu=frozenset({"vxus"}))
    assert "menu" in codes(replace(SOURCE, book=replace(SOURCE.book, accounts=accounts)))
    accounts["JOINT"] = replace(accounts["JOINT"], menu=frozenset(), held_away=True)
    assert "held-away" in codes(replace(SOURCE, book=replace(SOURCE.book, accounts=accounts)))


def test_where_no_lots_are_sent_a_younger_lot_before_an_older_one_is_found() -> None:
    source = SOURCE
    sale = replace(LOT, symbol="VTI", row=1, acquired=dt.date(2020, 4, 1), quantity=10.0)
    plan = replace(PLAN, lot_sales=(*PLAN.lot_sales, sale))
    assert "relief" in codes(source, replace(ASKED, no_lots_sent=frozenset({"JOINT"})), plan)


def test_a_plan_with_a_fault_is_not_handed_out() -> None:
    with pytest.raises(VerificationError, match="no whole number of steps"):
        require_verified(SOURCE, ASKED, with_trade(BUY, quantity=PLAN.trades[BUY].quantity + 0.5))
