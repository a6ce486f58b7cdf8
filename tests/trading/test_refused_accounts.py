"""A book of many accounts of which some cannot be planned: the others are, and none is left out unsaid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.trading.desk_books import AS_OF, LIMITS, desk_book
from xl_rebal.alternatives import Choice, alternatives
from xl_rebal.errors import PlanError, TableError, VerificationError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Rebalancing, Request, plan_by_hand, plan_each, rebalance
from xl_rebal.trading.checks import check_plans
from xl_rebal.trading.limits import Timing
from xl_rebal.trading.outcome import plan_of
from xl_rebal.trading.plan import Plan

POLICY = parse_policy("5pp")
TARGETS = parse_targets("60% stocks, 40% bonds")
ROWS = [
    ("Good", "VTI", 700.0, 100.0),
    ("Good", "BND", 300.0, 100.0),
    ("Overdrawn", "VTI", 100.0, 100.0),
    ("Overdrawn", "BND", 100.0, 100.0),
    ("Margin", "VTI", 10.0, 100.0),
    ("Margin", "CASH", -5000.0, 1.0),
    ("Twice", "VTI", 10.0, 100.0),
    ("Twice", "VTI", 10.0, 101.0),
    ("Frozen", "VTI", 100.0, 100.0),
    ("Frozen", "CASH", -500.0, 1.0),
    ("Empty", "VTI", 0.0, 100.0),
    ("Also good", "VTI", 500.0, 100.0),
    ("Also good", "BND", 100.0, 100.0),
]
FLOWS = {"Overdrawn": -30_000.0}
REFUSED = ["Overdrawn", "Margin", "Twice", "Frozen"]


def book(rows: list[tuple[str, str, float, float]] = ROWS) -> Book:
    names = ("account", "symbol", "quantity", "price")
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    for row in listed:
        if row["symbol"] == "CASH":
            row |= {"kind": "cash", "asset_class": "Cash"}
    holdings = Holdings.from_rows(listed)
    frozen = Restriction(scope="Frozen", rule=Rule.NEVER_SELL, symbol="VTI")
    return Book(holdings=classify(holdings), models={"": TARGETS}, restrictions=(frozen,))


def planned() -> Rebalancing:
    return plan_each(book(), Request(policy=POLICY, flows=FLOWS))


def test_the_others_are_planned_and_each_refusal_has_its_reason() -> None:
    result = planned()
    assert [plan.account for plan in result.plans] == ["Good", "Also good"]
    assert [each.account for each in result.refused] == REFUSED
    reasons = {each.account: each.reason for each in result.refused}
    assert "a withdrawal of 30,000.00 leaves nothing of the 20,000.00" in reasons["Overdrawn"]
    assert "its value less the reserve is negative (-4,000.00)" in reasons["Margin"]
    assert "VTI: stands at two prices (100 and 101)" in reasons["Twice"]
    assert "cash is short" in reasons["Frozen"]
    for each in result.refused:  # where, what and the remedy of every fault
        assert all(f.where and f.what and f.remedy for f in each.error.faults)
        assert each.account in str(each.error)
    assert result.notes == ("account Empty holds nothing to weigh; it is left out",)
    assert check_plans(result.book, POLICY, result.plans, result.request.limits) == ()


def test_every_account_is_planned_refused_or_told_to_be_empty() -> None:
    result = planned()
    told = {plan.account for plan in result.plans} | {each.account for each in result.refused}
    assert told | {"Empty"} == set(result.book.holdings.accounts())


def test_plans_do_not_depend_on_who_else_is_refused() -> None:
    """Each account alone, planned or refused, is what it is among the others."""
    together = planned()
    alone = {plan.account: plan for plan in together.plans}
    for name in ("Good", "Also good", *REFUSED):
        rows = [row for row in ROWS if row[0] == name]
        flows = {key: flow for key, flow in FLOWS.items() if key == name}
        one = plan_each(book(rows), Request(policy=POLICY, flows=flows))
        if name in alone:
            assert one.plans == (alone[name],)
        else:
            (refused,) = one.refused
            assert refused.reason == next(r.reason for r in together.refused if r.account == name)


def test_rebalance_stays_all_or_nothing() -> None:
    with pytest.raises(PlanError) as error:
        rebalance(book(), Request(policy=POLICY, flows=FLOWS))
    text = str(error.value)
    assert all(name in text for name in REFUSED)
    margin = [row for row in ROWS if row[0] == "Margin"]
    with pytest.raises(TableError, match="negative"):
        rebalance(book(margin), Request(policy=POLICY))


def test_usable_wants_one_plan() -> None:
    assert planned().usable().plans
    with pytest.raises(PlanError, match="leaves nothing"):
        plan_each(
            book([row for row in ROWS if row[0] in {"Overdrawn", "Empty"}]),
            Request(policy=POLICY, flows=FLOWS),
        ).usable()


def test_what_is_wrong_with_the_request_refuses_all() -> None:
    with pytest.raises(PlanError, match="'Nobody' is not in the holdings"):
        plan_each(book(), Request(policy=POLICY, flows={"Nobody": 5.0}))


def test_a_plan_that_the_verifier_does_not_pass_is_refused_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A planted fault: the planner of one account forgets what it must keep back."""

    def forgetful(*asked: Any) -> Plan:
        plan = plan_of(*asked)
        return replace(plan, cash_after=plan.cash_after + 1) if plan.account == "Good" else plan

    monkeypatch.setattr("xl_rebal.account_plan.plan_of", forgetful)
    result = plan_each(book(ROWS[:2] + ROWS[-2:]), Request(policy=POLICY))
    assert [plan.account for plan in result.plans] == ["Also good"]
    (refused,) = result.refused
    assert refused.account == "Good"
    assert isinstance(refused.error, VerificationError)
    assert "the plan is not exported" in refused.reason
    with pytest.raises(VerificationError):
        result.complete()


def test_alternatives_quote_an_accounts_own_refusal_only() -> None:
    found = alternatives(book(), Request(policy=POLICY, flows=FLOWS))
    assert {each.account for each in found} == {"Good", "Also good", *REFUSED}
    for each in found:
        if each.account in {"Good", "Also good"}:
            assert each.plan is not None
            assert not each.refused
        else:
            others = set(REFUSED) - {each.account}
            assert not any(name in each.refused for name in others)
    refused = {each.account for each in found if each.choice is Choice.TARGET and each.refused}
    assert refused == set(REFUSED)


def test_by_hand_is_refused_for_the_accounts_it_names_alone() -> None:
    request = Request(policy=POLICY)
    (plan,) = plan_by_hand(book(), request, {"Good": {"VTI": -100.0, "BND": 100.0}})
    assert plan.account == "Good"
    with pytest.raises(PlanError, match="two prices"):
        plan_by_hand(book(), request, {"Good": {}, "Twice": {"VTI": -1.0}})


def test_500_accounts_with_one_that_cannot_be_planned() -> None:
    """A desk's morning is not stopped by one account's reserve."""
    whole = desk_book(500, 5)
    name = whole.holdings.accounts()[250]
    accounts = {**whole.accounts, name: replace(whole.account(name), cash_reserve=1e9)}
    request = Request(
        policy=parse_policy("3pp"), limits=LIMITS, as_of=AS_OF, explain=False, search=0
    )
    result = plan_each(replace(whole, accounts=accounts), request)
    assert len(result.plans) == 499
    assert [each.account for each in result.refused] == [name]
    assert (
        check_plans(result.book, request.policy, result.plans, LIMITS, timing=Timing(as_of=AS_OF))
        == ()
    )


def test_inputs_are_not_changed() -> None:
    one = book()
    before = np.array(one.holdings.quantity)
    plan_each(one, Request(policy=POLICY, flows=FLOWS))
    assert (one.holdings.quantity == before).all()
    assert one.accounts == {}
    assert one.account("Good") == Account(account="Good")
