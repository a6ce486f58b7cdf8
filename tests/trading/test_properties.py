"""What must hold for every plan, whatever the book, the costs and the restrictions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.trading.books import DESTINATIONS, POLICIES, Case, carried_out, cases
from xl_rebal.errors import PlanError, RebalError, TableError, VerificationError
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.limits import FlowMode
from xl_rebal.trading.plan import Action, Plan

many = settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def plan_for(case: Case, policy: str, mode: FlowMode = FlowMode.HYBRID) -> Plan | None:
    """The verified plan, or None where cash that is needed cannot be raised (a clear refusal)."""
    request = Request(
        policy=parse_policy(policy),
        limits=case.limits,
        flows={"A": case.flow} if case.flow else {},
        flow_mode=mode,
    )
    try:
        result = rebalance(case.book, request)
    except (PlanError, TableError) as error:
        if "cash is short" in str(error) or "negative" in str(error):
            return None
        raise
    except VerificationError as error:
        error.add_note(_unverified(case, request))
        raise
    return result.plans[0] if result.plans else None


def _unverified(case: Case, request: Request) -> str:
    """The plan that the verifier refused, for the report of a failing example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "xl_rebal.rebalance.violations_by_plan",
            lambda _book, _policy, plans, *_, **__: [()] * len(plans),
        )
        plan = rebalance(case.book, request).plans[0]
    lines = [f"{t.action.value} {t.quantity:g} {t.symbol} {t.value:.2f}" for t in plan.trades]
    drifts = [
        f"{c.asset_class} {c.drift_before:+.6f} -> {c.drift_after:+.6f}" for c in plan.classes
    ]
    return "\n".join(
        [
            f"cash {plan.cash_before} {plan.flow:+} reserve {plan.reserve} -> {plan.cash_after}",
            *lines,
            *drifts,
            *plan.notes,
        ]
    )


@many
@given(cases(), st.sampled_from(POLICIES), st.sampled_from(DESTINATIONS))
def test_every_plan_is_cash_true_long_only_and_passes_the_verifier(
    case: Case, policy: str, destination: str
) -> None:
    banded = policy != "now"
    assume(banded or destination in ("to target", "to halfway"))
    # `rebalance` raises VerificationError when the independent verifier objects.
    plan = plan_for(case, f"{policy} {destination}")
    assume(plan is not None)
    assert plan is not None
    flows = math.fsum(t.value if t.action is Action.SELL else -t.value for t in plan.trades)
    costs = math.fsum(t.cost for t in plan.trades)
    assert plan.cash_after == pytest.approx(plan.cash_before + plan.flow + flows - costs, abs=0.005)
    if plan.trades:
        assert plan.cash_after >= min(plan.reserve, plan.cash_before + plan.flow) - 0.005
    held = dict(zip(case.book.holdings.symbol, case.book.holdings.quantity, strict=True))
    for trade in plan.trades:
        assert trade.quantity > 0
        if trade.action is Action.SELL:
            assert trade.quantity <= held[trade.symbol]


@many
@given(cases(capped=False))
def test_planning_again_after_the_trades_changes_nothing(case: Case) -> None:
    plan = plan_for(case, "now to target")
    assume(plan is not None)
    assert plan is not None
    after = replace(case, book=carried_out(case.book, plan), flow=0.0)
    again = plan_for(after, "now to target")
    assert again is not None
    assert [(t.action.value, t.quantity, t.symbol) for t in again.trades] == []


@many
@given(cases(capped=False))
def test_no_class_moves_away_from_its_target(case: Case) -> None:
    plan = plan_for(replace(case, flow=0.0), "now to target")
    assume(plan is not None)
    assert plan is not None
    # Cash that is short may have to come from any class, and what must not be held goes in any case.
    assume(plan.cash_before >= plan.reserve)
    assume(all(restriction.rule is not Rule.NEVER_HOLD for restriction in case.book.restrictions))
    steps: dict[str, float] = {}
    for trade in plan.trades:
        step = case.book.security(trade.symbol).quantity_step * trade.unit_value
        steps[trade.asset_class] = max(steps.get(trade.asset_class, 0.0), step)
    for item in plan.classes[:-1]:
        if item.asset_class == "Cash":
            continue
        cents = 0.005 * len(plan.trades)
        slack = (steps.get(item.asset_class, 0.0) + plan.total_cost + cents) / plan.base_after
        assert abs(item.drift_after) <= abs(item.drift_before) + slack + 1e-9


@many
@given(cases(capped=False, flows=False), st.sampled_from([0.02, 0.1, 0.5]))
def test_new_money_only_buys_and_never_buys_what_is_overweight(case: Case, share: float) -> None:
    total = float(case.book.holdings.value.sum())
    case = replace(case, flow=round(total * share, 2))
    assume(case.flow > 0)
    plan = plan_for(case, "5pp", FlowMode.BUY_ONLY)
    assume(plan is not None)
    assert plan is not None
    before = {c.asset_class: c.drift_before for c in plan.classes}
    for trade in plan.trades:
        assert trade.action is Action.BUY
        assert before[trade.asset_class] < 0


def test_a_flow_to_an_unknown_account_is_refused() -> None:
    from tests.trading.walkthrough import walkthrough

    with pytest.raises(RebalError, match="not in the holdings"):
        rebalance(walkthrough(), Request(policy=parse_policy("5pp"), flows={"nobody": 100.0}))
