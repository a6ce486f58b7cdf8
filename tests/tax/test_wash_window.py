"""What the window forbids, held against the ledger: what is safe washes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tax.test_wash_sales import HOUSE, trade
from xl_rebal.portfolio.history import Event, History
from xl_rebal.portfolio.lots import Lots
from xl_rebal.tax.taxpayers import taxpayers
from xl_rebal.tax.wash_sales import ledger
from xl_rebal.tax.wash_window import (
    Bought,
    LotSold,
    conflicts,
    planned_washes,
    safe_to_buy,
    wash_window,
)

WHO = taxpayers(HOUSE)
D = dt.date
TODAY = D(2026, 11, 24)


def test_the_first_safe_day_to_buy_back() -> None:
    assert safe_to_buy(D(2026, 11, 24)) == D(2026, 12, 25)
    past = (trade(D(2024, 1, 2), 10, 50), trade(D(2026, 11, 10), -10, 40))
    window = wash_window(past, WHO, as_of=TODAY)
    assert window.blocked_until("M", "T") == D(2026, 12, 11)
    assert window.blocked_until("M", "IRA") == D(2026, 12, 11)
    assert window.blocked_until("M", "Kid") is None
    assert window.blocked_until("N", "T") is None
    # The ledger agrees, on the last unsafe and on the first safe day.
    for days, washed in ((-1, True), (0, False)):
        again = trade(D(2026, 12, 11) + dt.timedelta(days=days), 10, 41)
        assert (ledger((*past, again), WHO).sales[0].disallowed > 0) is washed


def test_a_gain_blocks_nothing_and_an_unknown_basis_does() -> None:
    gain = (trade(D(2024, 1, 2), 10, 30), trade(D(2026, 11, 10), -10, 40))
    assert wash_window(gain, WHO, as_of=TODAY).blocked_until("M", "T") is None
    window = wash_window(gain[1:], WHO, as_of=TODAY)
    assert window.blocked_until("M", "T") == D(2026, 12, 11)
    assert not next(iter(window.buybacks.values()))[0].known


def test_recent_purchases_come_from_lots_first() -> None:
    lots = Lots.from_rows(
        [
            {"account": "T", "symbol": "M", "acquired": D(2026, 11, 1), "quantity": 7.0, "unit_cost": 50.0},
            {"account": "T", "symbol": "M", "acquired": D(2020, 1, 1), "quantity": 9.0, "unit_cost": 50.0},
        ]
    )  # fmt: skip
    past = (trade(D(2026, 11, 1), 20, 50), trade(D(2026, 11, 2), 3, 50, account="IRA"))
    window = wash_window(past, WHO, as_of=TODAY, lots=lots)
    found = window.replacing("M", "T", row=1)
    assert [(p.account, p.quantity, p.safe_from) for p in found] == [
        ("T", 7.0, D(2026, 12, 2)),
        ("IRA", 3.0, D(2026, 12, 3)),
    ]
    # A lot does not replace itself.
    assert [p.account for p in window.replacing("M", "T", row=0)] == ["IRA"]


def test_planned_trades_are_held_against_the_history_and_each_other() -> None:
    past = (trade(D(2024, 1, 2), 10, 50), trade(D(2026, 11, 10), -5, 40))
    window = wash_window(past, WHO, as_of=TODAY)
    sold = [LotSold(account="T", symbol="M", acquired=D(2024, 1, 2), quantity=5, gain=-50)]
    bought = [Bought(account="IRA", symbol="M", quantity=5)]
    found = conflicts(window, sold, bought)
    assert [c.what for c in found] == [
        "M of 2024-01-02 sold at a loss in T, and 5 M in IRA is bought by the same plan",
        "M bought in IRA, and M was sold at a loss in T on 2026-11-10",
    ]
    assert conflicts(window, sold, []) == ()
    assert conflicts(window, [], [Bought(account="Kid", symbol="M", quantity=5)]) == ()
    gain = [LotSold(account="T", symbol="M", acquired=D(2024, 1, 2), quantity=5, gain=50)]
    assert [c.sold_at for c in conflicts(window, gain, bought)] == [D(2026, 11, 10)]
    sheltered = [LotSold(account="IRA", symbol="M", acquired=D(2024, 1, 2), quantity=5, gain=-50)]
    assert len(conflicts(window, sheltered, bought)) == 1  # the history's loss only


def test_a_plan_is_checked_with_its_amounts() -> None:
    past = (trade(D(2024, 1, 2), 10, 50), trade(D(2026, 11, 10), -5, 40))
    plan = tuple(
        type(t)(**{f: getattr(t, f) for f in t.__slots__} | {"planned": True})
        for t in (trade(TODAY, -5, 41), trade(TODAY, 8, 41, account="IRA"))
    )
    found = planned_washes(past, plan, WHO)
    assert [(m.sold, m.quantity, m.disallowed) for m in found] == [
        (D(2026, 11, 10), 5, 50),
        (TODAY, 3, pytest.approx(27)),
    ]
    assert planned_washes(past, plan[:1], WHO) == ()


def test_accounts_that_reinvest_are_named() -> None:
    past = (
        trade(D(2026, 9, 30), 0.4, 50, event=Event.REINVEST),
        trade(D(2026, 9, 30), 0.4, 50, event=Event.REINVEST, account="Kid"),
        trade(D(2025, 9, 30), 0.4, 50, event=Event.REINVEST, account="Bob"),
    )
    assert wash_window(past, WHO, as_of=TODAY).reinvesting("M", "T") == ("T",)


ACCOUNTS = st.sampled_from(["T", "Bob", "IRA", "Kid"])


@given(
    st.lists(st.tuples(ACCOUNTS, st.integers(-60, 0), st.integers(1, 5), st.integers(30, 60)), max_size=6),
    st.integers(35, 55),
    st.lists(st.tuples(ACCOUNTS, st.integers(1, 5)), max_size=2),
)  # fmt: skip
def test_a_plan_without_conflict_washes_nothing(
    bought: list[tuple[str, int, int, int]], price: int, buys: list[tuple[str, int]]
) -> None:
    """Ten old units of T are sold today; whatever the window lets through, the ledger allows in full."""
    rows = sorted(bought, key=lambda row: row[1])
    lately = [trade(TODAY + dt.timedelta(days=d), u, p, account=a) for a, d, u, p in rows]
    past: History = (trade(D(2020, 1, 2), 10, 50), *lately)
    window = wash_window(past, WHO, as_of=TODAY)
    sold = [
        LotSold(
            account="T", symbol="M", acquired=D(2020, 1, 2), quantity=10, gain=10.0 * (price - 50)
        )
    ]
    planned = [Bought(account=a, symbol="M", quantity=u) for a, u in buys]
    found = conflicts(window, sold, planned)
    today = (trade(TODAY, -10, price), *(trade(TODAY, u, price, account=a) for a, u in buys))
    washed = sum(sale.disallowed for sale in ledger((*past, *today), WHO).sales) > 0
    assert washed == bool(found)
