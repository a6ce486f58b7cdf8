"""What the trade history says of accounts that hold nothing, of days to come, and of losses that are gone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.household.books import TODAY, book, bought, request, security, sold
from xl_rebal.errors import RebalError
from xl_rebal.household.build import problem_of
from xl_rebal.household.checks import check_household
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account, Relationship
from xl_rebal.portfolio.history import History
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile

LATELY = TODAY - dt.timedelta(days=24)
OWN = TaxProfile(
    tax_profile="own", year=2026, filing_status=FilingStatus.SEPARATE, magi=300_000.0, state=0.05
)
JOINT = Account(
    account="J", household="H", type="taxable", owner="Ann", tax_return="a", tax_profile="own",
    relationship=Relationship.SELF,
)  # fmt: skip


def source(*more: Account, history: History = ()) -> HouseholdBook:
    """300 VTI at a loss of 6,000, and nothing else at a loss; 30 pp too many stocks."""
    return book(
        accounts=[JOINT, *more],
        cash={"J": 1_000.0},
        held=[("J", "VTI", 300.0), ("J", "ITOT", 600.0), ("J", "BND", 100.0)],
        securities=(
            security("VTI", "Stocks/US", 100.0),
            security("ITOT", "Stocks/US", 100.0),
            security("BND", "Bonds/US", 100.0),
        ),
        targets="60% stocks, 40% bonds",
        lots=[
            ("J", "VTI", dt.date(2026, 3, 2), 300.0, 120.0),
            ("J", "ITOT", dt.date(2020, 3, 2), 600.0, 50.0),
            ("J", "BND", dt.date(2020, 3, 2), 100.0, 100.0),
        ],
        profiles=[OWN],
        history=history,
    )


def washed(asked: HouseholdBook) -> float:
    """Loss of VTI that does not count, by a plan that the verifier has passed."""
    plan = plan_household(asked, request("3pp"), "H")
    assert not check_household(asked, request("3pp"), plan)
    mine = [sale for sale in plan.lot_sales if sale.symbol == "VTI"]
    assert sum(sale.quantity for sale in mine) > 100
    return sum(sale.disallowed for sale in mine)


BOUGHT = (bought("S", "VTI", LATELY, 100.0, 105.0),)


@pytest.mark.parametrize(
    "other",
    [
        (),
        (Account(account="S", household="H", type="taxable", tax_return="a"),),
        (
            Account(
                account="S", household="H", type="taxable", owner="Bob", tax_return="b",
                relationship=Relationship.SPOUSE,
            ),
        ),
    ],
    ids=["without a row", "of the same return", "of the spouse"],
)  # fmt: skip
def test_a_purchase_in_an_account_that_holds_nothing_counts(other: tuple[Account, ...]) -> None:
    """100 of the units are replaced: 100 x 20 of the loss moves; planner and verifier say the same."""
    assert washed(source(*other, history=BOUGHT)) == pytest.approx(2_000.0, abs=0.01)


def test_a_purchase_by_an_adult_child_does_not_count() -> None:
    child = Account(
        account="S", household="H", type="taxable", owner="Cy", relationship=Relationship.ADULT_CHILD
    )  # fmt: skip
    assert washed(source(child, history=BOUGHT)) == 0


def test_a_planned_sale_that_ignores_a_purchase_elsewhere_is_found() -> None:
    """The verifier sees by itself what was bought in an account that holds nothing."""
    asked = source(history=BOUGHT)
    plan = plan_household(asked, request("3pp"), "H")
    planted = replace(plan, lot_sales=tuple(replace(s, disallowed=0.0) for s in plan.lot_sales))
    assert "wash-sale" in {each.code for each in check_household(asked, request("3pp"), planted)}


def test_trades_of_a_day_to_come_are_refused_together() -> None:
    late = (
        bought("S", "VTI", TODAY + dt.timedelta(days=1), 1.0, 1.0),
        sold("J", "BND", TODAY + dt.timedelta(days=9), 1.0, 1.0),
    )
    with pytest.raises(RebalError) as refused:
        plan_household(source(history=(*BOUGHT, *late)), request("3pp"), "H")
    assert [fault.what for fault in refused.value.faults] == [
        "2026-11-26 is after 2026-11-25",
        "2026-12-04 is after 2026-11-25",
    ]


def test_a_loss_that_is_washed_already_does_not_keep_more_from_being_bought() -> None:
    """Sold at a loss of 2,000 and bought back whole: nothing of that loss is left for a new purchase."""
    history = (
        bought("J", "BND", dt.date(2025, 1, 2), 100.0, 120.0),
        sold("J", "BND", LATELY, 100.0, 100.0),
        bought("J", "BND", LATELY + dt.timedelta(days=4), 100.0, 100.0),
    )
    plan = plan_household(source(history=history), request("3pp"), "H")
    assert any(trade.symbol == "BND" and trade.action == "BUY" for trade in plan.trades)
    open_loss = plan_household(source(history=history[:2]), request("3pp"), "H")
    assert not any(trade.symbol == "BND" for trade in open_loss.trades)


def test_a_security_may_stand_at_the_price_of_each_account_and_is_named() -> None:
    """Custodians state prices of different days: each account trades at its own."""
    asked = source(Account(account="I", household="H", type="traditional", tax_return="a"))
    held = asked.book.holdings
    rows = [
        *(
            {"account": a, "symbol": s, "kind": k, "quantity": q, "price": p, "asset_class": c}
            for a, s, k, q, p, c in zip(
                held.account, held.symbol, held.kind, held.quantity, held.price, held.asset_class,
                strict=True,
            )
        ),
        {"account": "I", "symbol": "VTI", "quantity": 200.0, "price": 101.0, "asset_class": "Stocks/US"},
    ]  # fmt: skip
    other = replace(asked.book, holdings=type(held).from_rows(rows))
    plan = plan_household(replace(asked, book=other), request("3pp"), "H")
    assert {(t.account, t.price) for t in plan.trades if t.symbol == "VTI"} >= {("I", 101.0)}
    assert any(note.startswith("VTI stands at several prices") for note in plan.notes)
    assert not any("several prices" in n for n in problem_of(asked, request("3pp"), "H").notes)
