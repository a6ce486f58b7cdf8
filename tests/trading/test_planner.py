"""Plans against worked sums from the requirements, and against a plain search of every plan."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.oracle import Item, best_plans
from tests.trading.walkthrough import walkthrough
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.errors import PlanError, RebalError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.limits import FlowMode, Limits
from xl_rebal.trading.plan import Plan

HALF_SPREAD = Limits(costs=parse_costs("half-spread 5bp, commission 0"))


def plan(book: Book, policy: str, limits: Limits | None = None, **changes: object) -> Plan:
    request = Request(policy=parse_policy(policy), limits=limits or Limits(), **changes)  # type: ignore[arg-type]  # by name
    (result,) = rebalance(book, request).plans
    return result


def orders(result: Plan) -> list[tuple[str, float, str]]:
    return [(t.action.value, t.quantity, t.symbol) for t in result.trades]


def one_account(rows: list[tuple[str, float, float, str]], targets: str, **changes: object) -> Book:
    held = [
        {
            "account": "A",
            "symbol": symbol,
            "quantity": quantity,
            "price": price,
            "asset_class": asset_class,
            "kind": "cash" if symbol == "CASH" else "position",
        }
        for symbol, quantity, price, asset_class in rows
    ]
    return Book(
        holdings=Holdings.from_rows(held),
        models={"": parse_targets(targets)},
        **changes,  # type: ignore[arg-type]  # by name
    )


def ira() -> Book:
    return one_account(
        [("S", 464_000, 1, "Stocks"), ("B", 280_000, 1, "Bonds"), ("X", 56_000, 1, "Alternatives")],
        "50% stocks, 40% bonds, 10% alternatives",
    )


# -- the walk-through, S084 to S088 ---------------------------------------------------------------


def test_walkthrough_to_target_is_cash_true_after_costs() -> None:
    result = plan(walkthrough(), "5pp", HALF_SPREAD)
    assert orders(result) == [("SELL", 343, "VTI"), ("SELL", 397, "BND"), ("BUY", 1236, "VNQ")]
    assert result.total_cost == pytest.approx(105.15)
    assert result.cash_after == pytest.approx(69.85)


def test_walkthrough_destinations() -> None:
    halfway = plan(walkthrough(), "5pp to halfway")
    assert ("BUY", 618, "VNQ") in orders(halfway)
    edge = plan(walkthrough(), "5pp to edge")
    # The exact edge is $10,050 of VNQ (118.2 shares): the first whole share strictly inside is the 119th.
    assert ("BUY", 119, "VNQ") in orders(edge)
    assert edge.classes[2].status_after == "within"
    inner = plan(walkthrough(), "5pp to 50% of band")
    assert inner.classes[2].drift_after == pytest.approx(-0.025, abs=1e-4)


def test_edge_is_strictly_inside_on_both_sides_and_funded_by_the_most_overweight_class() -> None:
    result = plan(walkthrough(), "5pp to edge", HALF_SPREAD)
    assert [o[2] for o in orders(result) if o[0] == "SELL"] in (["VTI"], ["VXUS"])
    book = one_account(
        [("S", 700, 100, "Stocks"), ("B", 300, 100, "Bonds")], "60% stocks, 40% bonds"
    )
    result = plan(book, "5pp to edge")
    assert orders(result) == [("SELL", 51, "S"), ("BUY", 51, "B")]


# -- the IRA, S099 to S104 ------------------------------------------------------------------------


def test_ira_trades_and_smallest_deposit() -> None:
    result = plan(ira(), "5pp")
    assert orders(result) == [("SELL", 64_000, "S"), ("BUY", 40_000, "B"), ("BUY", 24_000, "X")]
    assert result.deposit_to_restore == 128_000


def test_ira_bonds_at_the_edge_fire_when_reached_and_not_beyond() -> None:
    reached = {c.asset_class: c.status_before for c in plan(ira(), "5pp").classes}
    beyond = {c.asset_class: c.status_before for c in plan(ira(), "5pp beyond").classes}
    assert (reached["Bonds"], beyond["Bonds"]) == ("below", "within")
    assert (reached["Stocks"], beyond["Stocks"]) == ("above", "above")


def test_the_deposit_restores_by_buying_only() -> None:
    result = plan(ira(), "5pp", flows={"A": 128_000.0}, flow_mode=FlowMode.BUY_ONLY)
    assert orders(result) == [("BUY", 91_200, "B"), ("BUY", 36_800, "X")]
    assert max(abs(c.drift_after) for c in result.classes) < 1e-12


# -- flows ----------------------------------------------------------------------------------------


def test_a_small_contribution_inside_the_bands_sells_nothing() -> None:
    book = one_account(
        [("S", 610, 100, "Stocks"), ("B", 390, 100, "Bonds")], "60% stocks, 40% bonds"
    )
    assert orders(plan(book, "5pp", flows={"A": 1_000.0})) == [("BUY", 10, "B")]


def test_a_withdrawal_sells_the_overweight_class_first() -> None:
    book = one_account(
        [("S", 610, 100, "Stocks"), ("B", 390, 100, "Bonds")], "60% stocks, 40% bonds"
    )
    result = plan(book, "5pp", flows={"A": -1_000.0})
    assert orders(result) == [("SELL", 10, "S")]
    assert result.cash_after == 0


def test_a_withdrawal_that_cannot_be_met_is_refused_with_the_amount() -> None:
    book = one_account(
        [("S", 100, 100, "Stocks")],
        "100% stocks",
        restrictions=(Restriction(scope="*", rule=Rule.NEVER_SELL, symbol="S"),),
    )
    with pytest.raises(PlanError, match=r"short by 500\.00"):
        plan(book, "5pp", flows={"A": -500.0})


def test_spare_cash_is_invested_first() -> None:
    book = one_account(
        [("S", 500, 100, "Stocks"), ("B", 400, 100, "Bonds"), ("CASH", 10_000, 1, "Cash")],
        "60% stocks, 40% bonds",
    )
    assert orders(plan(book, "5pp")) == [("BUY", 100, "S")]


# -- constraints ----------------------------------------------------------------------------------


def test_the_reserve_is_raised_and_kept() -> None:
    book = walkthrough(accounts={"A": Account(account="A", cash_reserve=20_000.0)})
    result = plan(book, "5pp", HALF_SPREAD)
    assert result.cash_after >= 20_000
    assert result.base_before == 1_881_000


def test_never_sell_and_never_buy() -> None:
    book = walkthrough(restrictions=(Restriction(scope="*", rule=Rule.NEVER_SELL, symbol="VTI"),))
    assert "VTI" not in {o[2] for o in orders(plan(book, "5pp"))}
    book = walkthrough(restrictions=(Restriction(scope="A", rule=Rule.NEVER_BUY, symbol="VNQ"),))
    result = plan(book, "5pp")
    assert orders(result) == []
    assert any("VNQ: never_buy" in note for note in result.notes)


def test_what_must_not_be_held_is_replaced_without_waiting_for_a_band() -> None:
    book = one_account(
        [("S", 600, 100, "Stocks"), ("T", 10.5, 100, "Stocks"), ("B", 400, 100, "Bonds")],
        "60% stocks, 40% bonds",
        restrictions=(Restriction(scope="*", rule=Rule.SUBSTITUTE, symbol="T", replacement="S"),),
    )
    assert orders(plan(book, "5pp")) == [("SELL", 10.5, "T"), ("BUY", 10, "S")]


def test_zero_target_is_sold_whole_with_its_fraction() -> None:
    book = one_account(
        [("S", 600, 100, "Stocks"), ("B", 400, 100, "Bonds"), ("G", 10.375, 80, "Gold")],
        "60% stocks, 40% bonds, 0% gold",
    )
    assert ("SELL", 10.375, "G") in orders(plan(book, "20%rel"))


def test_mutual_funds_trade_in_thousandths_and_money_funds_are_sold_for_cash() -> None:
    book = one_account(
        [("VTSAX", 100, 120, "Stocks"), ("VBTLX", 1000, 10, "Bonds"), ("SWVXX", 5000, 1, "Cash")],
        "60% stocks, 40% bonds",
    )
    result = plan(book, "now")
    assert orders(result) == [
        ("SELL", 5000, "SWVXX"),
        ("BUY", 80, "VBTLX"),
        ("BUY", 35, "VTSAX"),
    ] or (
        {o[2] for o in orders(result)} == {"SWVXX", "VBTLX", "VTSAX"} and result.cash_after < 0.02
    )


def test_minimum_trade_leaves_small_classes_alone_and_says_so() -> None:
    result = plan(walkthrough(), "5pp", Limits(min_trade=50_000.0))
    assert "BND" not in {o[2] for o in orders(result)}
    assert any("minimum" in note for note in result.notes)


def test_turnover_cap_holds_and_is_named() -> None:
    result = plan(walkthrough(), "5pp", replace(HALF_SPREAD, max_turnover=0.02))
    assert 0.0195 < result.turnover <= 0.02
    assert any("turnover cap" in c.cause for c in result.classes)


def test_rank_decides_what_is_sold_and_what_is_bought() -> None:
    ranked = {
        "VTI": Security(symbol="VTI", asset_class="Stocks/US", rank=1, vehicle=Vehicle.ETF),
        "VXUS": Security(
            symbol="VXUS", asset_class="Stocks/International", rank=2, vehicle=Vehicle.ETF
        ),
    }
    assert ("SELL", 1300, "VXUS") in orders(plan(walkthrough(securities=ranked), "5pp"))
    swapped = {"VTI": replace(ranked["VTI"], rank=2), "VXUS": replace(ranked["VXUS"], rank=1)}
    assert any(o[2] == "VTI" for o in orders(plan(walkthrough(securities=swapped), "5pp")))


def test_a_listed_security_is_bought_where_nothing_of_its_class_is_held() -> None:
    book = one_account(
        [("S", 1000, 100, "Stocks")],
        "60% stocks, 40% bonds",
        securities={
            "BND": Security(symbol="BND", asset_class="Bonds", price=75.0, vehicle=Vehicle.ETF)
        },
    )
    assert orders(plan(book, "5pp")) == [("SELL", 400, "S"), ("BUY", 533, "BND")]


def test_nothing_to_buy_is_a_named_cause_and_sells_nothing() -> None:
    book = one_account([("S", 1000, 100, "Stocks")], "60% stocks, 40% bonds")
    result = plan(book, "5pp")
    assert orders(result) == []
    assert "--securities" in result.classes[1].cause


def test_shorts_options_and_untradable_positions_are_left_alone() -> None:
    book = one_account(
        [
            ("S", 1000, 100, "Stocks"),
            ("AMAT260424C400", -2, 50, "Stocks"),
            ("PRIV", 100, 100, "Stocks"),
            ("B", 200, 100, "Bonds"),
        ],
        "60% stocks, 40% bonds",
        securities={
            "PRIV": Security(
                symbol="PRIV", asset_class="Stocks", vehicle=Vehicle.PRIVATE, tradable=False
            )
        },
    )
    assert {o[2] for o in orders(plan(book, "5pp"))} == {"S", "B"}


def test_rows_held_long_and_short_are_left_alone() -> None:
    book = one_account(
        [
            ("S", 900, 100, "Stocks"),
            ("VTI", 1300, 100, "Stocks"),
            ("VTI", -20, 100, "Stocks"),
            ("B", 200, 100, "Bonds"),
        ],
        "60% stocks, 40% bonds",
    )
    result = plan(book, "5pp")
    assert {o[2] for o in orders(result)} == {"S", "B"}


@pytest.mark.parametrize("cap", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("minimum", [0.0, 1_000.0])
def test_a_bond_fund_of_class_cash_counts_in_the_cap(cap: float, minimum: float) -> None:
    book = one_account(
        [("VTI", 100, 200, "Stocks"), ("BND", 10, 70, "Bonds"), ("BIL", 200, 91.5, "Cash")],
        "80% stocks, 20% bonds",
        securities={
            "BIL": Security(symbol="BIL", asset_class="Cash", vehicle=Vehicle.ETF, minimum=minimum)
        },
    )
    result = plan(book, "now", Limits(costs=parse_costs("half-spread 5bp"), max_turnover=cap))
    sold = [t for t in result.trades if t.symbol == "BIL"]
    assert all(t.cost > 0 and t.value >= minimum for t in sold)
    turnover = sum(t.value for t in result.trades) / 2
    assert turnover <= cap * result.base_before
    assert sold


def test_a_bond_fund_of_class_cash_that_is_too_small_to_sell_pays_for_nothing() -> None:
    book = one_account(
        [
            ("VTI", 100, 200, "Stocks"),
            ("BND", 10, 70, "Bonds"),
            ("BIL", 200, 91.5, "Cash"),
            ("SWVXX", 2000, 1, "Cash"),
        ],
        "80% stocks, 20% bonds",
        securities={
            "BIL": Security(symbol="BIL", asset_class="Cash", vehicle=Vehicle.ETF, minimum=50_000.0)
        },
    )
    assert "BIL" not in {o[2] for o in orders(plan(book, "now", HALF_SPREAD))}
    assert "SWVXX" in {o[2] for o in orders(plan(book, "now", HALF_SPREAD))}


def test_new_money_alone_sells_no_money_fund() -> None:
    book = one_account(
        [("GLD", 0, 2.06, "Gold"), ("CASH", 1, 1, "Cash"), ("SWVXX", 1234.56, 1, "Cash")],
        "100% gold",
    )
    result = plan(book, "5pp", flows={"A": 123.56}, flow_mode=FlowMode.BUY_ONLY)
    assert orders(result) == [("BUY", 60, "GLD")]  # 124.56 pay for 60 of 2.06, not for 61


def test_breached_only_never_sells_a_class_below_its_target() -> None:
    result = plan(walkthrough(), "5pp breached only", HALF_SPREAD)
    after = {c.asset_class: c.drift_after for c in result.classes}
    assert after["Stocks"] > -1e-4
    assert after["Bonds"] > -1e-4


def test_every_trade_has_a_reason_and_every_remaining_drift_a_cause() -> None:
    for policy in ("5pp", "5pp to halfway", "5pp to edge", "5pp breached only"):
        result = plan(walkthrough(), policy, HALF_SPREAD)
        assert all(t.reason for t in result.trades)
        assert all(c.cause for c in result.classes if abs(c.drift_after) > 1e-6)


def test_commissions_that_eat_the_cash_are_paid_for() -> None:
    limits = Limits(costs=CostModel(commission=4.95, per_share=0.005))
    result = plan(walkthrough(), "5pp", limits)
    assert result.cash_after >= 0
    assert result.total_cost > 3 * 4.95


# -- what reviewers found -------------------------------------------------------------------------


def test_a_money_fund_is_sold_free_of_cost_cap_and_minimum() -> None:
    book = one_account(
        [("VTI", 100, 200, "Stocks"), ("BND", 10, 70, "Bonds"), ("SWVXX", 2000, 1, "Cash")],
        "80% stocks, 20% bonds",
    )
    for limits in (HALF_SPREAD, Limits(max_turnover=0.05), Limits(min_trade=5_000.0)):
        for trade in plan(book, "now", limits).trades:
            assert trade.symbol != "SWVXX" or trade.cost == 0
    assert any(t.symbol == "SWVXX" for t in plan(book, "now", HALF_SPREAD).trades)


def test_a_substitute_that_cannot_be_bought_is_refused() -> None:
    for replacement in ("SCHB", "BND"):
        rule = Restriction(scope="*", rule=Rule.SUBSTITUTE, symbol="VTI", replacement=replacement)
        with pytest.raises(RebalError, match=replacement):
            plan(walkthrough(restrictions=(rule,)), "5pp")


def test_rules_that_contradict_each_other_are_named() -> None:
    rules = tuple(
        Restriction(scope="*", rule=rule, symbol="VTI")
        for rule in (Rule.NEVER_SELL, Rule.NEVER_HOLD)
    )
    with pytest.raises(PlanError, match="must not be sold"):
        plan(walkthrough(restrictions=rules), "5pp")


def test_a_zero_target_leaves_no_dust() -> None:
    book = one_account(
        [
            ("VTI", 600, 1000, "Stocks"),
            ("BND", 4000, 100, "Bonds"),
            ("VNQ", 0.4, 85, "Real Estate"),
        ],
        "60% stocks, 40% bonds, 0% real estate",
    )
    assert ("SELL", 0.4, "VNQ") in orders(plan(book, "now"))


def test_a_contribution_is_not_left_idle_by_a_policy_that_trades_some_classes() -> None:
    book = one_account(
        [("S", 500, 100, "Stocks"), ("B", 300, 100, "Bonds"), ("G", 50, 100, "Gold")],
        "60% stocks, 30% bonds, 10% gold",
        restrictions=(Restriction(scope="*", rule=Rule.NEVER_BUY, symbol="G"),),
    )
    result = plan(book, "20%rel to 50% of band breached only", flows={"A": 15_000.0})
    assert result.cash_after == 5_000  # what Gold is short of, and may not be bought


def test_a_coarse_share_does_not_carry_a_class_into_a_breach_on_the_other_side() -> None:
    book = one_account([("GOOG", 5, 2800, "GOOG"), ("AAPL", 10, 150, "AAPL")], "50% GOOG, 50% AAPL")
    result = plan(book, "5pp")
    assert orders(result)[0] == ("SELL", 2, "GOOG")
    assert {c.status_after for c in result.classes} == {"within"}


def test_a_turnover_cap_of_zero_is_the_cause_that_is_named() -> None:
    result = plan(walkthrough(), "5pp", Limits(max_turnover=0.0))
    assert orders(result) == []
    assert "turnover cap" in result.classes[2].cause


# -- against every plan there is ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_plan_of_a_tiny_account_equals_exhaustive_search(seed: int) -> None:
    rng = random.Random(seed)
    names = ["Stocks", "Bonds", "Gold"][: rng.choice([2, 3])]
    cuts = sorted(rng.sample(range(2, 19), len(names) - 1))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, 20], strict=True)]
    targets = {n: Decimal(p * 5) / 100 for n, p in zip(names, parts, strict=True)}
    items = [
        Item(n[0], n, rng.randint(3, 15), Decimal(rng.randint(1000, 9999)) / 100) for n in names
    ]
    cash = Decimal(rng.choice([0, 0, rng.randint(0, 300)]))
    half, fee = Decimal(rng.choice(["0", "0.0005"])), Decimal(rng.choice(["0", "1"]))
    expected = best_plans(items, cash, targets, half, fee)
    rows = [(i.symbol, float(i.quantity), float(i.price), i.klass) for i in items]
    rows += [("CASH", float(cash), 1.0, "Cash")]
    book = one_account(rows, ", ".join(f"{float(t) * 100:g}% {n}" for n, t in targets.items()))
    limits = Limits(costs=CostModel(half_spread=float(half), commission=float(fee)))
    found = plan(book, "now", limits)
    assert expected is not None
    (count, drift, cost), _ = expected
    assert len(found.trades) == count
    assert sum(abs(c.drift_after) for c in found.classes) == pytest.approx(float(drift), abs=2e-9)
    assert found.total_cost == pytest.approx(float(cost), abs=1e-9)
