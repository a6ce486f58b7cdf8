"""Losses and purchases of the same across accounts: planner, verifier and ledger agree on random plans."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace

import pytest

from tests.household.books import LONG_AGO, MENU, TODAY, bought, couple, request, sold
from tests.household.random_books import random_household
from xl_rebal.household.build import problem_of
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household, plan_problem
from xl_rebal.household.request import HouseholdBook, Prices
from xl_rebal.portfolio.accounts import Relationship
from xl_rebal.portfolio.history import Event, Transaction
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.tax.taxpayers import Reach, taxpayers
from xl_rebal.tax.wash_window import planned_washes
from xl_rebal.trading.plan import Action

KEEN = Prices(ticket=0.0, drift=0.05)


def grouped(seed: int, lots: int = 120) -> HouseholdBook:
    """A random household whose securities are identical in pairs, some of them bought in the last month."""
    source = random_household(seed, lots=lots, securities=20)
    securities = {
        name: replace(each, identical_group=f"g{place // 10}-{place % 5}")
        for place, (name, each) in enumerate(source.book.securities.items())
    }
    return replace(source, book=replace(source.book, securities=securities))


def trades_and_lots(source: HouseholdBook, plan: HouseholdPlan) -> list[Transaction]:
    """The plan as rows of a history, each sale of a lot naming it."""
    rows = [
        Transaction(
            account=sale.account, symbol=sale.symbol, date=TODAY, event=Event.SELL,
            quantity=sale.quantity, price=sale.proceeds / sale.quantity, lot_id=f"L{sale.row}",
            planned=True,
        )
        for sale in plan.lot_sales
    ]  # fmt: skip
    rows += [
        Transaction(
            account=t.account, symbol=t.symbol, date=TODAY, event=Event.BUY,
            quantity=t.quantity, price=t.price, planned=True,
        )
        for t in plan.trades
        if t.action is Action.BUY
    ]  # fmt: skip
    return rows


def lots_as_history(source: HouseholdBook) -> tuple[Transaction, ...]:
    lots = source.lots
    rows = zip(
        lots.account.tolist(), lots.symbol.tolist(), lots.acquired.tolist(),
        lots.quantity.tolist(), lots.unit_cost.tolist(), strict=True,
    )  # fmt: skip
    return tuple(
        Transaction(
            account=account, symbol=symbol, date=day, event=Event.BUY, quantity=units, price=cost,
            lot_id=f"L{row}",
        )
        for row, (account, symbol, day, units, cost) in enumerate(rows)
    )  # fmt: skip


def left_out(
    source: HouseholdBook, plan: HouseholdPlan
) -> tuple[dict[str, float], dict[str, float]]:
    """Losses that do not count by account and symbol: of the plan, and of the ledger that has all lots as
    purchases and the plan after them. Nothing is lost for good, and nothing of the history is touched.
    """
    who = taxpayers(source.book.accounts, source.profiles)
    washes = planned_washes(
        lots_as_history(source), trades_and_lots(source, plan), who, source.book.securities
    )
    assert all(match.sold == TODAY and match.reach is Reach.DEFER for match in washes)
    ours: dict[str, float] = defaultdict(float)
    theirs: dict[str, float] = defaultdict(float)
    for sale in plan.lot_sales:
        if sale.disallowed:
            ours[f"{sale.account} {sale.symbol}"] += round(sale.disallowed, 4)
    for match in washes:
        theirs[f"{match.account} {match.symbol}"] += round(match.disallowed, 4)
    return ours, theirs


@pytest.mark.parametrize("seed", range(10))
def test_the_ledger_washes_what_the_plan_says(seed: int) -> None:
    source = grouped(seed)
    asked = request("3pp", costs=0.0005, prices=KEEN, harvest=20_000.0)
    plan = plan_problem(problem_of(source, asked, "h"), explained=False)
    assert check_household(source, asked, plan) == ()
    assert any(sale.gain < 0 for sale in plan.lot_sales)
    ours, theirs = left_out(source, plan)
    assert ours == pytest.approx(theirs, abs=0.01)


def test_some_of_these_plans_leave_out_a_part_of_a_loss() -> None:
    asked = request("3pp", costs=0.0005, prices=KEEN, harvest=20_000.0)
    plans = [
        plan_problem(problem_of(grouped(seed), asked, "h"), explained=False) for seed in range(10)
    ]
    assert sum(any(s.disallowed for s in plan.lot_sales) for plan in plans) >= 2


def lately(account: str, units: float, **changes: object) -> HouseholdBook:
    """The couple, of whose 3,000 VXUS at a loss some were bought 12 days ago (in JOINT: besides)."""
    source = couple()
    day = TODAY - dt.timedelta(days=12)
    if account != "JOINT":
        return replace(source, history=(bought(account, "VXUS", day, units, 74.0),))
    rows = [
        dict(zip(("account", "symbol", "acquired", "quantity", "unit_cost"), row, strict=True))
        for row in (
            ("JOINT", "VTI", LONG_AGO, 1_500.0, 150.0),
            ("JOINT", "VTI", dt.date(2020, 4, 1), 1_000.0, 180.0),
            ("JOINT", "VXUS", dt.date(2021, 6, 1), 3_000.0 - units, 90.0),
            ("JOINT", "VXUS", day, units, 74.0),
            ("JOINT", "MUB", dt.date(2022, 2, 1), 1_900.0, 108.0),
        )
    ]
    joint = replace(source.book.accounts["JOINT"], **changes)  # type: ignore[arg-type]  # fields of Account
    accounts = {**source.book.accounts, "JOINT": joint}
    return replace(source, lots=Lots.from_rows(rows), book=replace(source.book, accounts=accounts))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("told", [True, False])
def test_forty_units_bought_back_take_away_the_loss_of_forty(mode: Mode, *, told: bool) -> None:
    """1.1091-1(c): 2,960 units at a loss of 15 each and 40 bought 12 days ago: 600 do not count, and the 40
    are kept; the same where the account sells first in, first out."""
    source = lately("JOINT", 40.0, lot_instructions=told)
    asked = request("3pp", mode=mode, costs=0.0005, harvest=40_000.0, gains_budget=0.0)
    plan = plan_household(source, asked, "couple")
    (sale,) = [s for s in plan.lot_sales if s.symbol == "VXUS"]
    assert sale.acquired == dt.date(2021, 6, 1)
    assert sale.disallowed == pytest.approx(40 * 15.0)
    assert sale.allowed == pytest.approx(sale.gain + 600.0)
    assert sale.allowed <= -40_000.0 + 0.01
    assert "600.00 of the loss moves into the basis" in sale.because
    assert plan.returns[0].gains.long == pytest.approx(sum(s.allowed for s in plan.lot_sales))
    ours, theirs = left_out(source, plan)
    assert ours == theirs == {"JOINT VXUS": 600.0}
    # The verifier does not take the plan's word for it.
    for wrong in (0.0, 500.0):
        sales = tuple(replace(s, disallowed=wrong) if s == sale else s for s in plan.lot_sales)
        codes = {v.code for v in check_household(source, asked, replace(plan, lot_sales=sales))}
        assert "wash-sale" in codes


def test_a_loss_that_would_be_gone_for_good_is_left_alone() -> None:
    """Forty bought in an IRA: the loss of forty would be lost (Rev. Rul. 2008-5), and none is taken."""
    asked = request("3pp", costs=0.0005, gains_budget=0.0)
    plan = plan_household(lately("IRA", 40.0), asked, "couple")
    assert not any(s.symbol == "VXUS" and s.gain < 0 for s in plan.lot_sales)


def test_more_bought_than_is_at_a_loss_leaves_nothing_to_count() -> None:
    asked = request("3pp", costs=0.0005, gains_budget=0.0)
    plan = plan_household(lately("JOINT", 1_600.0), asked, "couple")
    assert not any(s.symbol == "VXUS" and s.gain < 0 for s in plan.lot_sales)


def spouse_account(source: HouseholdBook, **changes: object) -> HouseholdBook:
    """The couple with the 401(k)'s owner on another return, related as told."""
    accounts = dict(source.book.accounts)
    accounts["401K"] = replace(accounts["401K"], **changes)  # type: ignore[arg-type]  # fields of Account
    return replace(source, book=replace(source.book, accounts=accounts))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    ("stated", "binds"),
    [
        (Relationship.SPOUSE, True),
        (Relationship.MINOR_CHILD, True),
        (Relationship.ADULT_CHILD, False),
        (Relationship.OTHER, False),
    ],
)
def test_whose_purchases_count_is_what_the_table_says(
    mode: Mode, stated: Relationship, binds: bool
) -> None:
    """VXUS bought in the 401(k) of another return 12 days ago: a spouse's washes the loss, an adult child's
    does not; planner and verifier say the same."""
    day = TODAY - dt.timedelta(days=12)
    source = replace(couple(), history=(bought("401K", "VXUS", day, 5_000.0, 74.0),))
    source = spouse_account(source, tax_return="other", relationship=stated)
    asked = request("3pp", mode=mode, costs=0.0005, gains_budget=0.0)
    plan = plan_household(source, asked, "couple")
    lost = [sale for sale in plan.lot_sales if sale.symbol == "VXUS" and sale.gain < 0]
    assert bool(lost) is not binds
    # The verifier by itself: a plan made as if nobody were related.
    free = spouse_account(source, relationship=Relationship.ADULT_CHILD)
    loose = plan_household(free, asked, "couple")
    codes = {violation.code for violation in check_household(source, asked, loose)}
    assert ("wash-sale" in codes) is binds


def test_a_purchase_in_an_account_held_away_counts() -> None:
    """Typed into the history: it gets no orders, and washes a loss all the same."""
    day = TODAY - dt.timedelta(days=30)
    source = spouse_account(couple(), held_away=True)
    asked = request("3pp", costs=0.0005, gains_budget=0.0, harvest=10_000.0)
    assert any(sale.symbol == "VXUS" for sale in plan_household(source, asked, "couple").lot_sales)
    away = replace(source, history=(bought("401K", "VXUS", day, 5_000.0, 74.0),))
    plan = plan_household(away, replace(asked, harvest=0.0), "couple")
    assert not any(sale.symbol == "VXUS" and sale.gain < 0 for sale in plan.lot_sales)
    assert not any(trade.account == "401K" for trade in plan.trades)


@pytest.mark.parametrize("mode", list(Mode))
def test_what_one_spouse_sold_at_a_loss_the_other_does_not_buy(mode: Mode) -> None:
    """Chains across accounts: BND sold at a loss in JOINT 9 days ago is bought in no account of theirs."""
    day = TODAY - dt.timedelta(days=9)
    history = (bought("JOINT", "BND", LONG_AGO, 10.0, 90.0), sold("JOINT", "BND", day, 10.0, 75.0))
    source = spouse_account(
        replace(couple(), history=history), tax_return="other", relationship=Relationship.SPOUSE
    )
    plan = plan_household(source, request("3pp", mode=mode, costs=0.0005), "couple")
    assert all(t.symbol != "BND" for t in plan.trades if t.action is Action.BUY)
    free = spouse_account(source, relationship=Relationship.ADULT_CHILD)
    pairs = problem_of(free, request("3pp"), "couple").pairs
    able = {pair.account for pair in pairs if pair.line.symbol == "BND" and not pair.no_buy}
    assert able == {3}  # an adult child may


def test_an_owner_called_spouse_is_taken_for_one_and_the_plan_says_so() -> None:
    source = spouse_account(couple(), tax_return="other", owner="spouse")
    plan = plan_household(source, request("3pp", costs=0.0005, gains_budget=0.0), "couple")
    assert any("taken for the client's spouse" in note for note in plan.notes)
    assert not any("taken for" in note for note in plan_household(
        spouse_account(source, relationship=Relationship.SPOUSE),
        request("3pp", costs=0.0005, gains_budget=0.0), "couple",
    ).notes)  # fmt: skip


@pytest.mark.parametrize(
    ("custodian", "told", "first_in"),
    [("Charles Schwab", None, True), ("Charles Schwab", True, False), ("", None, False),
     ("", False, True), ("Interactive Brokers", None, False)],
)  # fmt: skip
def test_default_relief_follows_from_the_custodian(
    custodian: str, told: bool | None, first_in: bool
) -> None:
    """Where the table does not say whether orders name lots, a known custodian sells first in, first out."""
    source = couple()
    joint = replace(source.book.accounts["JOINT"], custodian=custodian, lot_instructions=told)
    source = replace(
        source, book=replace(source.book, accounts={**source.book.accounts, "JOINT": joint})
    )
    asked = request("1pp", costs=0.0005, prices=Prices(drift=0.5))
    problem = problem_of(source, asked, "couple")
    assert problem.sends_no_lots(0) is first_in
    plan = plan_household(source, asked, "couple")
    assert any("enter yes in lot_instructions" in n for n in plan.notes) is (
        first_in and told is None
    )


def test_a_fund_costs_its_average_by_default_and_else_its_own_lots() -> None:
    menu = tuple(replace(s, vehicle=Vehicle.MUTUAL_FUND) if s.symbol == "VTI" else s for s in MENU)
    for custodian, costs in (("schwab", {162.0}), ("ibkr", {150.0, 180.0})):
        source = couple()
        accounts = dict(source.book.accounts)
        accounts["JOINT"] = replace(accounts["JOINT"], custodian=custodian)
        known = {each.symbol: each for each in menu}
        source = replace(source, book=replace(source.book, accounts=accounts, securities=known))
        problem = problem_of(source, request("3pp"), "couple")
        found = {
            round(lot.unit_cost, 6)
            for lot in problem.lots
            if problem.pairs[lot.pair].line.symbol == "VTI" and lot.row >= 0
        }
        assert found == costs
