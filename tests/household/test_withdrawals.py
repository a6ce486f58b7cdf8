"""Money for the client: from which account it is drawn, and what that costs; every book is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.household.books import COUPLE, FREE, LONG_AGO, MENU, RECENT, book, request
from xl_rebal.errors import PlanError, TaxError
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile


def retired(*, cash: float = 30_000.0, cost: float = 100.0, **more: object) -> HouseholdBook:
    """A taxable account with some cash and stocks at a gain, two IRAs and a Roth; all inside wide bands."""
    given: dict[str, object] = {
        "accounts": [
            Account(account="TAX", household="h", type="taxable", tax_return="r", tax_profile="couple"),
            Account(account="IRA", household="h", type="traditional", tax_return="r",
                    tax_profile="couple"),
            Account(account="IRA2", household="h", type="traditional", tax_return="r",
                    tax_profile="couple"),
            Account(account="ROTH", household="h", type="roth", tax_return="r"),
        ],
        "cash": {"TAX": cash, "IRA": 20_000.0, "IRA2": 10_000.0, "ROTH": 40_000.0},
        "held": [
            ("TAX", "VTI", 1_000.0), ("IRA", "BND", 4_000.0), ("IRA2", "BND", 2_000.0),
            ("ROTH", "VTI", 800.0),
        ],
        "securities": MENU,
        "targets": "50% stocks, 45% bonds, 5% cash",
        "lots": [("TAX", "VTI", LONG_AGO, 1_000.0, cost)],
        "profiles": [COUPLE],
    }  # fmt: skip
    return book(**{**given, **more})  # type: ignore[arg-type]  # rows for every argument


def drawn(plan: HouseholdPlan) -> dict[str, float]:
    return {each.account: each.raised for each in plan.accounts if each.raised}


def planned(source: HouseholdBook, asked: HouseholdRequest) -> HouseholdPlan:
    plan = plan_household(source, asked, "h")
    assert check_household(source, asked, plan) == ()
    return plan


@pytest.mark.parametrize("mode", list(Mode))
def test_cash_that_is_there_comes_first(mode: Mode) -> None:
    plan = planned(retired(), request("40pp", mode=mode, withdrawal=25_000.0, prices=FREE))
    assert drawn(plan) == {"TAX": 25_000.0}
    assert plan.tax_added == 0.0
    assert "25,000.00 to withdraw" in plan.why


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("cost", [280.0, 1.0, 420.0])
def test_a_gain_is_compared_with_ordinary_income(mode: Mode, cost: float) -> None:
    """Stocks sold at 300 cost at most 18.8 cents a dollar, an IRA 24: the stocks are sold, and the cash of
    the IRAs stays, though it is there."""
    source = retired(cash=0.0, cost=cost)
    plan = planned(source, request("40pp", mode=mode, withdrawal=30_000.0, prices=FREE))
    assert drawn(plan) == {"TAX": 30_000.0}
    gain = 100 * (300.0 - cost)
    assert plan.returns[0].gains.long == pytest.approx(gain)
    assert plan.returns[0].gains.ordinary == 0.0


@pytest.mark.parametrize("mode", list(Mode))
def test_an_ira_pays_where_short_gains_cost_more(mode: Mode) -> None:
    """Short-term gains cost 27.8 cents, all of it gain; an IRA 24: 4 cents a dollar are saved."""
    source = retired(cash=0.0, lots=[("TAX", "VTI", RECENT, 1_000.0, 1.0)])
    plan = planned(source, request("40pp", mode=mode, withdrawal=30_000.0, prices=FREE))
    assert set(drawn(plan)) <= {"IRA", "IRA2"}
    assert plan.returns[0].gains.ordinary == pytest.approx(30_000.0)
    assert plan.tax_added == pytest.approx(0.24 * 30_000.0)


def test_a_roth_is_left_for_last() -> None:
    """It costs no tax this year, and what it would earn is free of tax for good."""
    source = retired(cash=0.0, cost=299.0)
    plan = planned(source, request("40pp", withdrawal=200_000.0, prices=FREE))
    assert "ROTH" not in drawn(plan)
    everything = planned(source, request("90pp", withdrawal=800_000.0, prices=FREE))
    # 300,000 in stocks and 480,000 in the IRAs are not enough.
    assert drawn(everything)["ROTH"] == pytest.approx(20_000.0, abs=600.0)


@pytest.mark.parametrize("mode", list(Mode))
def test_what_must_be_distributed_comes_first(mode: Mode) -> None:
    """15,000 from IRA2 though the taxable cash would cost nothing; the rest is the taxable cash."""
    asked = request("40pp", mode=mode, withdrawal=40_000.0, rmd={"IRA2": 15_000.0}, prices=FREE)
    plan = planned(retired(), asked)
    assert drawn(plan) == {"TAX": 25_000.0, "IRA2": 15_000.0}
    assert plan.tax_added == pytest.approx(0.24 * 15_000.0)
    # Where more must be distributed than is asked for, nothing else pays.
    less = replace(asked, withdrawal=9_000.0)
    assert drawn(planned(retired(), less)) == {"IRA2": 9_000.0}


def test_brackets_decide_where_income_does() -> None:
    """At 100,000 of income an IRA costs 22% up to the next bracket; long gains 15%: they are taken, and a
    loss of the year does not make the bound more than the plan is worth."""
    couple = TaxProfile(
        tax_profile="couple", year=2026, filing_status=FilingStatus.JOINT, magi=150_000.0,
        ytd_long=-20_000.0,
    )  # fmt: skip
    source = retired(cash=0.0, cost=290.0, profiles=[couple])
    asked = request("60pp", withdrawal=250_000.0, prices=FREE)
    plan = planned(source, asked)
    assert plan.worth.total >= plan.bound - 0.05
    assert plan.gap_bp < 25.0  # brackets shift by the loss that is deducted: stated, not hidden
    assert drawn(plan)["TAX"] == pytest.approx(250_000.0, abs=1.0)
    more = planned(source, replace(asked, withdrawal=400_000.0))
    assert sum(drawn(more).values()) == pytest.approx(400_000.0)
    assert more.returns[0].gains.ordinary == pytest.approx(
        sum(money for name, money in drawn(more).items() if name.startswith("IRA"))
    )


def test_what_is_wrong_with_a_withdrawal_is_said_together() -> None:
    asked = request("5pp", withdrawal=10.0, cash_need=5.0, rmd={"ROTH": 5.0, "X": 1.0, "IRA": -1.0})
    with pytest.raises(PlanError) as caught:
        plan_household(retired(), asked, "h")
    text = str(caught.value)
    for words in ("two amounts to raise at once", "rmd, ROTH", "rmd, X", "-1.0 is no amount"):
        assert words in text
    with pytest.raises(PlanError, match="first part of a withdrawal"):
        plan_household(retired(), request("5pp", rmd={"IRA": 5.0}), "h")


def test_the_return_of_an_ira_needs_a_profile() -> None:
    source = retired(profiles=[COUPLE, replace(COUPLE, tax_profile="other")])
    accounts = dict(source.book.accounts)
    accounts["IRA"] = replace(accounts["IRA"], tax_return="s", tax_profile="")
    source = replace(source, book=replace(source.book, accounts=accounts))
    with pytest.raises(TaxError, match="accounts, IRA, column tax_profile: is blank"):
        plan_household(source, request("40pp", withdrawal=10.0), "h")


def test_the_verifier_asks_for_the_distribution_and_its_tax() -> None:
    asked = request("40pp", withdrawal=40_000.0, rmd={"IRA2": 15_000.0}, prices=FREE)
    source = retired()
    plan = planned(source, asked)
    free = planned(source, replace(asked, rmd={}))

    def codes(made: HouseholdPlan, wanted: HouseholdRequest = asked) -> set[str]:
        return {violation.code for violation in check_household(source, wanted, made)}

    assert "rmd" in codes(free)
    assert "cash-need" in codes(plan, replace(asked, withdrawal=41_000.0))
    untaxed = replace(plan.returns[0], added=replace(plan.returns[0].added, income=0.0))
    assert "tax" in codes(replace(plan, returns=(untaxed,)))
    roth = replace(plan.returns[0], gains=replace(plan.returns[0].gains, ordinary=0.0))
    assert "tax" in codes(replace(plan, returns=(roth,)))
