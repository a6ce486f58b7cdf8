"""The other ways to rebalance: they pay out what ours pays out, account by account, and are taxed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.household.books import COUPLE, couple, request
from tests.household.random_books import random_household
from xl_rebal.household.build import problem_of
from xl_rebal.household.comparison import Way, draft_of
from xl_rebal.household.plan import Saving
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.worth import no_trades
from xl_rebal.tax.income_tax import added_tax
from xl_rebal.tax.netting import Gains


def drafts(source: HouseholdBook, asked: HouseholdRequest, household: str):
    """(problem, way, draft) of every other way, with the withdrawals of ours."""
    problem = problem_of(source, asked, household)
    plan = plan_household(source, asked, household)
    ours = no_trades(problem)
    by_account = {each.account: each.raised for each in plan.accounts}
    ours.raised = np.array([by_account[account.account] for account in problem.accounts])
    value = np.array([each.value_after for each in plan.classes])
    for way in Way:
        draft, _ = draft_of(problem, way, ours, value)
        yield problem, way, draft


@pytest.mark.parametrize(
    "more", [{"withdrawal": 300_000.0, "rmd": {"IRA": 80_000.0}}, {"cash_need": 90_000.0}]
)
def test_every_account_pays_for_its_withdrawal_itself(more: dict[str, Any]) -> None:
    """Fractions of shares: cash after sales, purchases and the payout is zero or more, and not left over."""
    source = couple()
    accounts = {n: replace(a, tax_profile="couple") for n, a in source.book.accounts.items()}
    source = replace(source, book=replace(source.book, accounts=accounts))
    for problem, way, draft in drafts(source, request("3pp", **more), "couple"):
        for a, account in enumerate(problem.accounts):
            mine = [p for p, pair in enumerate(problem.pairs) if pair.account == a]
            signed = draft.signed(problem)
            bought = sum(signed[p] * problem.pairs[p].line.unit_value for p in mine)
            left = problem.spendable(a) - bought - draft.raised[a]
            assert left >= -0.01, (way, account.account)
        assert draft.raised.sum() == pytest.approx(
            sum(v for v in more.values() if isinstance(v, float))
        )


def test_the_income_of_a_withdrawal_is_taxed_in_every_way() -> None:
    """80,000 must come from the IRA: 24% of it is owed whatever else is done (19,200)."""
    source = couple()
    accounts = {n: replace(a, tax_profile="couple") for n, a in source.book.accounts.items()}
    source = replace(source, book=replace(source.book, accounts=accounts))
    asked = request("3pp", withdrawal=80_000.0, rmd={"IRA": 80_000.0})
    plan = plan_household(source, asked, "couple")
    *others, ours = plan.comparison
    assert ours.tax_now == pytest.approx(plan.tax_added)
    income = added_tax(COUPLE, Gains(ordinary=80_000.0)).total
    assert income == pytest.approx(19_200.0)
    for other in others:
        loss_saves = 3_000.0 * 0.24
        assert other.tax_now >= income - loss_saves - 0.01, other.name


@pytest.mark.parametrize("seed", range(4))
def test_others_cost_nothing_where_trading_is_free(seed: int) -> None:
    plan = plan_household(random_household(seed, lots=60), request("3pp"), "h")
    assert {each.cost for each in plan.comparison} == {0.0}


def test_what_both_ways_deduct_is_saved_by_neither() -> None:
    """Losses only, and far too few stocks left after them in either way: the same 3,000 is deducted."""
    source = couple()
    dear = replace(source.lots, unit_cost=source.lots.unit_cost * 0 + 400.0)
    plan = plan_household(replace(source, lots=dear), request("3pp"), "couple")
    naive, ours = plan.comparison[0], plan.comparison[-1]
    assert naive.for_good == pytest.approx(ours.for_good) == pytest.approx(3_000 * (0.24 - 0.188))
    assert plan.saving is not None
    assert (plan.saving.deferred, plan.saving.permanent) == pytest.approx((0.0, 0.0))


def test_more_tax_than_the_naive_way_is_said_so() -> None:
    assert (
        Saving(deferred=-90.0, permanent=-10.0).in_words().startswith("100.00 more tax this year")
    )
