"""The cases of the brief and the rules of the house, one by one; every book here is invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.household.books import (
    COUPLE,
    FREE,
    LONG_AGO,
    MENU,
    RECENT,
    TODAY,
    book,
    bought,
    couple,
    request,
    security,
    sold,
)
from xl_rebal.errors import PlanError, TaxError
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest, Prices
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.plan import Action

BOTH = (Mode.FAST, Mode.BEST)


def planned(source: HouseholdBook, asked: HouseholdRequest, name: str = "h") -> HouseholdPlan:
    plan = plan_household(source, asked, name)
    assert check_household(source, asked, plan) == ()
    return plan


def two_accounts(**more) -> HouseholdBook:
    """A taxable account with stocks at a large gain and at a loss, and an IRA with stocks and bonds."""
    given = {
        "accounts": [
            Account(account="TAX", household="h", type="taxable", tax_profile="couple"),
            Account(account="IRA", household="h", type="traditional"),
        ],
        "cash": {"TAX": 5_000.0, "IRA": 1_000.0},
        "held": [
            ("TAX", "VTI", 1_000.0), ("TAX", "VXUS", 1_000.0),
            ("IRA", "VTI", 800.0), ("IRA", "BND", 1_200.0),
        ],
        "securities": MENU,
        "targets": "65% stocks, 35% bonds",
        "lots": [
            ("TAX", "VTI", LONG_AGO, 600.0, 90.0),
            ("TAX", "VTI", RECENT, 400.0, 250.0),
            ("TAX", "VXUS", LONG_AGO, 1_000.0, 95.0),
        ],
        "profiles": [COUPLE],
    }  # fmt: skip
    return book(**{**given, **more})


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize(("niit", "tax"), [(0.0, 11_250.0), (0.038, 14_100.0)])
def test_the_three_million_couple(mode: Mode, niit: float, tax: float) -> None:
    """S105-S110: $150,000 of stocks too many; a naive sale realises 75,000, ours nothing."""
    source = couple()
    source = replace(source, profiles={"couple": replace(COUPLE, niit=niit)})
    asked = request("3pp", mode=mode, costs=0.0005, harvest=45_000.0, gains_budget=0.0)
    plan = planned(source, asked, "couple")
    assert plan.base == pytest.approx(3_000_000.0)
    assert plan.classes[0].value_before - 0.65 * plan.base == pytest.approx(150_000.0)
    gains = [sale.gain for sale in plan.lot_sales]
    assert max(gains) <= 0
    assert -sum(gains) == pytest.approx(45_000.0, abs=0.01)
    assert all(each.status_after == "within" for each in plan.classes)
    assert abs(plan.classes[0].drift_after) < 0.001
    for account in plan.accounts:
        effects = sum(t.cash_effect for t in plan.trades if t.account == account.account)
        assert account.cash_after == pytest.approx(account.cash_before + effects, abs=0.005)
        assert account.cash_after >= -0.005
    naive = plan.comparison[0]
    assert naive.name == "naive"
    # It sells as much as ours moves out of stocks, to the share; half of it is gain.
    moved = plan.classes[0].value_before - plan.classes[0].value_after
    assert naive.tax_now == pytest.approx(moved / 2 * (0.15 + niit), abs=0.01)
    assert naive.tax_now == pytest.approx(tax, rel=0.005)
    assert abs(naive.tax_now - 18_000.0) > 1_000
    told = plan.notes[-1]
    assert "deferral" in told
    assert f"{naive.tax_now - plan.tax_added:,.2f}" in told


@pytest.mark.parametrize("mode", BOTH)
def test_two_hundred_thousand_of_gains_stay_where_they_are(mode: Mode) -> None:
    """S060: retirement accounts and new money do the work; 30,000 of losses are harvested."""
    source = book(
        accounts=[
            Account(account="TAX", household="h", type="taxable", tax_profile="couple"),
            Account(account="IRA", household="h", type="traditional"),
        ],
        cash={"TAX": 0.0, "IRA": 0.0},
        held=[
            ("TAX", "VTI", 1_500.0), ("TAX", "VXUS", 1_600.0),
            ("IRA", "VTI", 1_500.0), ("IRA", "BND", 1_000.0),
        ],
        securities=MENU,
        targets="65% stocks, 35% bonds",
        lots=[
            ("TAX", "VTI", LONG_AGO, 1_000.0, 140.0),
            ("TAX", "VTI", dt.date(2021, 1, 4), 500.0, 220.0),
            ("TAX", "VXUS", dt.date(2022, 1, 4), 1_600.0, 93.75),
        ],
        profiles=[COUPLE],
    )  # fmt: skip
    unrealised = sum(
        lot_units * (300.0 - cost) for lot_units, cost in ((1_000.0, 140.0), (500.0, 220.0))
    )
    assert unrealised == 200_000.0
    asked = request("5pp", mode=mode, costs=0.0005, harvest=30_000.0, flows={"TAX": 20_000.0})
    plan = planned(source, asked)
    assert [sale.symbol for sale in plan.lot_sales] == ["VXUS"]
    assert plan.returns[0].gains.long == pytest.approx(-30_000.0)
    netted = plan.returns[0].added.netted
    assert netted.deducted == 3_000.0
    assert netted.carry_long == pytest.approx(27_000.0)
    assert all(each.status_after == "within" for each in plan.classes)


def test_what_is_within_its_bands_is_left_alone() -> None:
    source = two_accounts(targets="75% stocks, 25% bonds")
    plan = planned(source, request("20pp"))
    assert not plan.trades
    assert plan.why == ""
    assert plan.gap == 0.0


@pytest.mark.parametrize("mode", BOTH)
def test_gains_are_realised_where_they_are_not_taxed(mode: Mode) -> None:
    plan = planned(two_accounts(), request("5pp", mode=mode, costs=0.0005))
    assert plan.tax_added <= 0.0
    assert {t.account for t in plan.trades if t.symbol == "VTI" and t.action is Action.SELL} == {
        "IRA"
    }


@pytest.mark.parametrize("mode", BOTH)
def test_a_muni_never_lands_in_an_ira_and_cash_stays_in_its_account(mode: Mode) -> None:
    only_munis = tuple(each for each in MENU if each.symbol != "BND")
    source = two_accounts(
        securities=only_munis,
        held=[("TAX", "VTI", 1_000.0), ("IRA", "VTI", 800.0)],
        lots=[("TAX", "VTI", LONG_AGO, 1_000.0, 280.0)],
        restrictions=(),
    )
    plan = planned(source, request("5pp", mode=mode))
    assert any(t.symbol == "MUB" for t in plan.trades)
    assert all(t.account == "TAX" for t in plan.trades if t.symbol == "MUB")
    for name in ("TAX", "IRA"):
        out = sum(t.value for t in plan.trades if t.account == name and t.action is Action.BUY)
        came = sum(t.value for t in plan.trades if t.account == name and t.action is Action.SELL)
        assert out <= came + {"TAX": 5_000.0, "IRA": 1_000.0}[name] + 0.005


@pytest.mark.parametrize("mode", BOTH)
def test_a_loss_that_was_bought_back_lately_in_an_ira_is_not_taken(mode: Mode) -> None:
    """It would be gone for good, so it is left alone."""
    day = TODAY - dt.timedelta(days=12)
    source = two_accounts(
        history=(bought("IRA", "VXUS", day, 100.0, 74.0),),
        targets="30% stocks, 70% bonds",
        lots=[
            ("TAX", "VTI", LONG_AGO, 1_000.0, 90.0),
            ("TAX", "VXUS", LONG_AGO, 900.0, 95.0),
            ("TAX", "VXUS", RECENT, 100.0, 74.0),
        ],
    )
    plan = planned(source, request("5pp", mode=mode))
    assert all(sale.gain > 0 for sale in plan.lot_sales if sale.symbol == "VXUS")
    assert any("VXUS" in limit.words for limit in plan.limits)


@pytest.mark.parametrize("mode", BOTH)
def test_of_a_loss_that_was_bought_back_in_part_the_rest_is_taken(mode: Mode) -> None:
    """900 at a loss of 20 each, 100 bought 12 days ago: 2,000 do not count, and the 100 stay."""
    day = TODAY - dt.timedelta(days=12)
    source = two_accounts(
        targets="30% stocks, 70% bonds",
        lots=[
            ("TAX", "VTI", LONG_AGO, 1_000.0, 90.0),
            ("TAX", "VXUS", LONG_AGO, 900.0, 95.0),
            ("TAX", "VXUS", day, 100.0, 74.0),
        ],
    )
    plan = planned(source, request("5pp", mode=mode))
    (sale,) = [each for each in plan.lot_sales if each.symbol == "VXUS"]
    assert sale.quantity == 900.0
    assert sale.disallowed == pytest.approx(2_000.0)


@pytest.mark.parametrize("mode", BOTH)
def test_what_was_sold_at_a_loss_lately_is_not_bought_anywhere(mode: Mode) -> None:
    day = TODAY - dt.timedelta(days=9)
    history = (bought("TAX", "BND", LONG_AGO, 10.0, 90.0), sold("TAX", "BND", day, 10.0, 75.0))
    plan = planned(two_accounts(history=history), request("5pp", mode=mode))
    assert all(t.symbol != "BND" for t in plan.trades if t.action is Action.BUY)


@pytest.mark.parametrize("mode", BOTH)
def test_a_harvest_is_replaced_by_something_that_is_not_identical(mode: Mode) -> None:
    securities: tuple[Security, ...] = (
        *MENU,
        security("VEU", "Stocks/International", 70.0),
        security("VXUSX", "Stocks/International", 30.0, identical_group="ex-us"),
    )
    securities = tuple(
        replace(s, identical_group="ex-us") if s.symbol == "VXUS" else s for s in securities
    )
    source = two_accounts(
        securities=securities, targets="70% stocks/us, 15% stocks/international, 15% bonds"
    )
    plan = planned(source, request("3pp", mode=mode, harvest=20_000.0))
    assert plan.returns[0].gains.long == pytest.approx(-20_000.0)
    identical = {"VXUS", "VXUSX"}
    assert not any(t.symbol in identical for t in plan.trades if t.action is Action.BUY)


def test_held_away_counts_and_gets_no_orders() -> None:
    source = two_accounts(
        accounts=[
            Account(account="TAX", household="h", type="taxable", tax_profile="couple"),
            Account(account="IRA", household="h", type="traditional", held_away=True),
        ]
    )
    plan = planned(source, request("5pp"))
    assert {t.account for t in plan.trades} == {"TAX"}
    assert plan.base == pytest.approx(1_000 * 300 + 1_000 * 75 + 800 * 300 + 1_200 * 75 + 6_000)


def test_a_reserve_that_is_short_is_filled() -> None:
    ira = Account(account="IRA", household="h", type="traditional", cash_reserve=9_000.0)
    tax = Account(account="TAX", household="h", type="taxable", tax_profile="couple")
    source = two_accounts(accounts=[tax, ira], targets="75% stocks, 25% bonds")
    plan = planned(source, request("20pp"))
    assert "IRA is short of 8,000.00 of cash" in plan.why
    assert next(a.cash_after for a in plan.accounts if a.account == "IRA") >= 9_000.0 - 0.005


def test_a_plan_s_menu_is_kept() -> None:
    ira = Account(account="IRA", household="h", type="traditional", menu=frozenset({"bnd"}))
    tax = Account(account="TAX", household="h", type="taxable", tax_profile="couple")
    plan = planned(
        two_accounts(accounts=[tax, ira], targets="90% stocks, 10% bonds"), request("2pp")
    )
    buys = {t.symbol for t in plan.trades if t.account == "IRA" and t.action is Action.BUY}
    assert buys <= {"BND"}


def test_a_substitute_takes_the_place_of_what_must_go() -> None:
    rule = Restriction(scope="IRA", rule=Rule.SUBSTITUTE, symbol="VTI", replacement="ITOT")
    plan = planned(
        two_accounts(restrictions=(rule,), targets="75% stocks, 25% bonds"), request("10pp")
    )
    ira = {t.symbol: t for t in plan.trades if t.account == "IRA"}
    assert ira["VTI"].action is Action.SELL
    assert ira["VTI"].quantity == 800.0
    assert ira["ITOT"].action is Action.BUY


@pytest.mark.parametrize("mode", BOTH)
def test_cash_is_raised_where_it_costs_least(mode: Mode) -> None:
    source = two_accounts(targets="75% stocks, 25% bonds")
    asked = request("20pp", mode=mode, cash_need=30_000.0, prices=FREE)
    plan = planned(source, asked)
    raised = {each.account: each.raised for each in plan.accounts}
    assert raised == {"TAX": 30_000.0, "IRA": 0.0}
    # The loss and the lot that is nearly at cost go before the one that has tripled.
    assert {sale.acquired for sale in plan.lot_sales if sale.symbol == "VTI"} <= {RECENT}
    assert plan.tax_added <= 0.0


def test_a_withdrawal_is_paid_from_its_account() -> None:
    plan = planned(two_accounts(), request("5pp", flows={"IRA": -40_000.0}))
    ira = next(each for each in plan.accounts if each.account == "IRA")
    assert ira.flow == -40_000.0
    assert ira.cash_after >= -0.005


@pytest.mark.parametrize("mode", BOTH)
def test_without_lot_instructions_the_oldest_go_first(mode: Mode) -> None:
    source = two_accounts(targets="45% stocks, 55% bonds")
    asked = request("2pp", mode=mode, prices=Prices(drift=0.5))
    free = planned(source, asked)
    bound_ = planned(source, replace(asked, no_lots_sent=frozenset({"TAX"})))
    days = [sale.acquired for sale in bound_.lot_sales if sale.symbol == "VTI"]
    if RECENT in days:
        first = next(s for s in bound_.lot_sales if s.acquired == LONG_AGO and s.symbol == "VTI")
        assert first.quantity == 600.0
    assert bound_.worth.total >= free.worth.total - free.gap - 0.01


def test_a_fund_without_lot_instructions_costs_its_average() -> None:
    fund = security("VTSAX", "Stocks/US", 100.0, vehicle="mutual_fund", quantity_step=0.001)
    from xl_rebal.portfolio.securities import Vehicle

    fund = replace(fund, vehicle=Vehicle.MUTUAL_FUND)
    source = two_accounts(
        accounts=[
            Account(
                account="TAX", household="h", type="taxable", tax_profile="couple",
                lot_instructions=False,
            ),
            Account(account="IRA", household="h", type="traditional"),
        ],
        securities=(*MENU, fund),
        held=[("TAX", "VTSAX", 3_000.0), ("IRA", "BND", 100.0)],
        lots=[("TAX", "VTSAX", LONG_AGO, 1_000.0, 40.0), ("TAX", "VTSAX", RECENT, 2_000.0, 70.0)],
    )  # fmt: skip
    plan = planned(source, request("5pp"))
    for sale in plan.lot_sales:
        assert sale.basis / sale.quantity == pytest.approx(60.0)


def test_turnover_and_gains_budgets_hold() -> None:
    asked = request("2pp", prices=Prices(drift=0.5), gains_budget=10_000.0)
    source = two_accounts(targets="45% stocks, 55% bonds")
    plan = planned(source, asked)
    assert sum(sale.gain for sale in plan.lot_sales) <= 10_000.0 + 0.01
    limits = replace(asked.limits, max_turnover=0.02)
    plan = planned(source, replace(asked, limits=limits))
    assert sum(t.value for t in plan.trades) / 2 <= 0.02 * plan.base + 0.01
    assert any("turnover" in limit.words and limit.dollars > 0 for limit in plan.limits)


def test_idle_cash_is_invested_first_and_reserves_stay() -> None:
    tax = Account(
        account="TAX", household="h", type="taxable", tax_profile="couple", cash_reserve=4_000.0
    )
    ira = Account(account="IRA", household="h", type="traditional")
    plan = planned(two_accounts(accounts=[tax, ira]), request("5pp"))
    cash = {each.account: each.cash_after for each in plan.accounts}
    assert 4_000.0 - 0.005 <= cash["TAX"] < 4_100.0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"harvest": 500_000.0}, "losses of 500,000.00 are realised"),
        ({"cash_need": 900_000.0}, "nothing is left"),
        ({"flows": {"IRA": -400_000.0}}, "cash of account IRA"),
    ],
)
def test_an_impossible_request_says_why(more, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan_household(two_accounts(), request("5pp", **more), "h")


def test_a_conflict_names_only_what_is_needed_for_it() -> None:
    history = (bought("IRA", "VXUS", TODAY - dt.timedelta(days=3), 1.0, 74.0),)
    source = two_accounts(history=history)
    with pytest.raises(PlanError) as error:
        plan_household(source, request("5pp", harvest=10_000.0, gains_budget=90_000.0), "h")
    text = str(error.value)
    assert "losses of 10,000.00 are realised" in text
    assert "no loss of VXUS is realised in TAX" in text
    assert "net gain" not in text


def test_lots_that_cannot_be_taxed_are_named_together() -> None:
    source = two_accounts(
        lots=[
            ("TAX", "VTI", dt.date(2027, 1, 4), 600.0, 90.0),
            ("TAX", "VTI", RECENT, 100.0, float("nan")),
        ]
    )
    with pytest.raises(TaxError) as error:
        plan_household(source, request("5pp"), "h")
    text = str(error.value)
    for words in (
        "2027-01-04",
        "unit_cost",
        "add up to 700",
        "VXUS",
        "lot",
    ):
        assert words in text


def test_a_taxable_account_needs_a_profile_of_the_year() -> None:
    with pytest.raises(TaxError, match="tax_profile"):
        plan_household(two_accounts(profiles=[]), request("5pp"), "h")
    old = replace(COUPLE, year=2025)
    with pytest.raises(TaxError, match="2025"):
        plan_household(two_accounts(profiles=[old]), request("5pp"), "h")


def test_income_decides_the_rates_where_none_are_stated() -> None:
    """At a low income long-term gains are taxed at 0%: they are realised rather than drift kept."""
    poor = TaxProfile(
        tax_profile="couple", year=2026, filing_status=FilingStatus.JOINT, magi=30_000.0
    )
    source = two_accounts(
        profiles=[poor], held=[("TAX", "VTI", 300.0), ("IRA", "BND", 100.0)],
        lots=[("TAX", "VTI", LONG_AGO, 300.0, 150.0)],
    )  # fmt: skip
    plan = planned(source, request("5pp", mode=Mode.BEST))
    assert plan.lot_sales
    assert plan.tax_added == pytest.approx(0.0, abs=0.01)


def test_a_household_without_a_taxable_account_needs_no_lots() -> None:
    source = book(
        accounts=[Account(account="IRA", household="h", type="traditional")],
        cash={"IRA": 50_000.0},
        held=[("IRA", "VTI", 1_000.0)],
        securities=[security("VTI", "Stocks", 100.0), security("BND", "Bonds", 75.0)],
        targets="60% stocks, 40% bonds",
    )
    plan = planned(source, request("5pp"))
    assert {trade.symbol for trade in plan.trades} == {"VTI", "BND"}
    assert plan.lot_sales == ()


def test_other_ways_sell_what_must_not_be_held_as_well() -> None:
    """What a restriction costs in tax is no fault of ours: the ways that it is compared with pay it too."""
    source = book(
        accounts=[Account(account="TAX", household="h", type="taxable", tax_profile="couple")],
        cash={"TAX": 5_000.0},
        held=[("TAX", "VTI", 300.0), ("TAX", "LQD", 500.0)],
        securities=[
            *MENU,
            security("LQD", "Bonds", 110.0, tags=frozenset({"corporate"})),
            security("MUB", "Bonds", 105.0, tax_class="municipal"),
        ],
        targets="62% stocks, 38% bonds",
        lots=[
            ("TAX", "VTI", LONG_AGO, 300.0, 100.0),
            ("TAX", "LQD", LONG_AGO, 500.0, 60.0),
        ],
        profiles=[COUPLE],
        restrictions=(
            Restriction(scope="h", rule=Rule.SUBSTITUTE, tag="corporate", replacement="MUB"),
        ),
    )
    plan = planned(source, request())
    sales = {trade.symbol: trade.quantity for trade in plan.trades if trade.action is Action.SELL}
    assert sales["LQD"] == 500
    assert COUPLE.long_term is not None
    assert COUPLE.niit is not None
    gain_of_lqd = 500 * (110 - 60) * (COUPLE.long_term + COUPLE.niit)
    for other in plan.comparison:
        assert other.tax_now >= gain_of_lqd - 0.01, other.name
        assert other.drift < 0.05, other.name
