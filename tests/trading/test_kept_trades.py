"""Trades that a person decided on: kept to the unit, the rest planned around them and verified."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.trading.books import Case, cases
from tests.trading.walkthrough import walkthrough
from xl_rebal.errors import PlanError, VerificationError
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.rebalance import Request, plan_by_hand, rebalance
from xl_rebal.trading.checks import check_plans
from xl_rebal.trading.plan import Action, Plan

some = settings(
    max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def planned(case: Case, kept: dict[str, float], policy: str = "now") -> Plan:
    request = Request(
        policy=parse_policy(policy), limits=case.limits, kept={"A": kept} if kept else {}
    )
    (plan,) = rebalance(case.book, request).plans
    return plan


def signed(plan: Plan) -> dict[str, float]:
    return {trade.symbol: trade.signed_quantity for trade in plan.trades}


@some
@given(cases(capped=False, flows=False), st.data())
def test_a_kept_trade_is_kept_and_the_plan_is_still_verified(
    case: Case, data: st.DataObject
) -> None:
    try:
        first = signed(planned(case, {}))
    except PlanError:
        return
    assume(first)
    symbol = data.draw(st.sampled_from(sorted(first)))
    try:
        plan = planned(case, {symbol: first[symbol]})
    except (PlanError, VerificationError):
        return  # refused in words; nothing is handed out
    assert signed(plan)[symbol] == first[symbol]
    assert "locked trades are kept as they are" in plan.why


@some
@given(cases(capped=False, flows=False))
def test_every_trade_of_a_plan_can_be_kept(case: Case) -> None:
    try:
        first = planned(case, {})
    except PlanError:
        return
    assume(first.trades)
    try:
        again = planned(case, signed(first))
    except VerificationError:
        return
    for symbol, quantity in signed(first).items():
        assert signed(again)[symbol] == quantity


@some
@given(cases(capped=False, flows=False))
def test_the_planners_own_trades_pass_when_a_person_types_them(case: Case) -> None:
    try:
        first = planned(case, {})
    except PlanError:
        return
    request = Request(policy=parse_policy("now"), limits=case.limits)
    (plan,) = plan_by_hand(case.book, request, {"A": signed(first)})
    assert plan.cash_after == pytest.approx(first.cash_after, abs=0.005)
    assert plan.total_cost == first.total_cost
    codes = {v.code for v in check_plans(case.book, request.policy, (plan,), case.limits)}
    # What only the planner's own notes explain: idle cash, positions that must go and cannot.
    assert codes <= {"idle-proceeds", "never-hold-left", "cash-short"}


def test_a_trade_of_nothing_that_is_known_is_refused() -> None:
    book = walkthrough()
    request = Request(policy=parse_policy("now"))
    with pytest.raises(PlanError, match="account A, NEW: is not held"):
        plan_by_hand(book, request, {"A": {"NEW": 5.0}})
    with pytest.raises(PlanError, match="account 'B' is not in the holdings"):
        plan_by_hand(book, request, {"B": {}})
    with pytest.raises(PlanError, match="locked trades: account 'B'"):
        rebalance(book, Request(policy=parse_policy("now"), kept={"B": {"VTI": 1.0}}))
    with pytest.raises(VerificationError, match="oversold"):
        rebalance(book, Request(policy=parse_policy("now"), kept={"A": {"VTI": -9999.0}}))


def test_the_walk_through_around_a_smaller_purchase() -> None:
    book = walkthrough()
    free = rebalance(book, Request(policy=parse_policy("5pp"))).plans[0]
    assert signed(free)["VNQ"] == 1236
    plan = rebalance(book, Request(policy=parse_policy("5pp"), kept={"A": {"VNQ": 600.0}})).plans[0]
    assert signed(plan)["VNQ"] == 600
    sold = sum(t.value for t in plan.trades if t.action is Action.SELL)
    assert 600 * 85 <= sold < 600 * 85 + 220  # no more is sold than the kept purchase takes
    assert plan.cash_after == pytest.approx(sold - 600 * 85)
    (cause,) = [c.cause for c in plan.classes if c.asset_class == "Real Estate"]
    assert "VNQ: locked trades are kept as they are" in cause
