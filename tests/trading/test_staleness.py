"""Old positions and prices stop a plan, with their dates and the remedy; unknown ones are told."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.trading.plans_by_hand import book_of, row
from xl_rebal.errors import PlanError
from xl_rebal.portfolio.securities import Security
from xl_rebal.trading.staleness import Freshness, age_in_trading_days, check_freshness

MONDAY = dt.date(2026, 11, 23)
FRIDAY = dt.date(2026, 11, 20)


def test_age_counts_trading_days() -> None:
    assert age_in_trading_days(FRIDAY, MONDAY) == 1
    assert age_in_trading_days(FRIDAY, dt.date(2026, 11, 22)) == 0
    assert age_in_trading_days(dt.date(2026, 11, 25), dt.date(2026, 11, 30)) == 2  # Thanksgiving
    assert age_in_trading_days(MONDAY, FRIDAY) == 0


def test_old_positions_stop_the_plan() -> None:
    book = book_of([row("VTI", 1.0, 100.0)])
    assert check_freshness(book, Freshness(positions_of=FRIDAY), MONDAY) == []
    old = Freshness(positions_of=dt.date(2026, 11, 19))
    with pytest.raises(PlanError) as caught:
        check_freshness(book, old, MONDAY)
    assert str(caught.value) == (
        "holdings: the positions are of 2026-11-19, 2 trading days before 2026-11-23 (limit 1); "
        "export them again, or allow it with --max-age 2 (trading days) or --allow-stale"
    )
    assert check_freshness(book, Freshness(positions_of=old.positions_of, max_age=2), MONDAY) == []
    (note,) = check_freshness(
        book, Freshness(positions_of=old.positions_of, allow_stale=True), MONDAY
    )
    assert note.endswith("; allowed")


def test_old_prices_are_named_and_private_funds_are_not() -> None:
    rows = [
        row("VTI", 1.0, 100.0, priced=dt.date(2026, 11, 16)),
        row("BND", 1.0, 100.0, priced=FRIDAY),
        row("PE", 1.0, 100.0, priced=dt.date(2026, 6, 30)),
    ]
    book = book_of(
        rows, "80% stocks, 20% bonds", securities=[Security(symbol="PE", tradable=False)]
    )
    with pytest.raises(
        PlanError, match="the price of VTI is of 2026-11-16, 5 trading days"
    ) as all_:
        check_freshness(book, Freshness(positions_of=FRIDAY), MONDAY)
    assert len(all_.value.faults) == 1


def test_what_is_not_known_is_said_and_does_not_stop() -> None:
    book = book_of([row("VTI", 1.0, 100.0)])
    (note,) = check_freshness(book, Freshness(), MONDAY)
    assert "the date of the positions is not known" in note
    assert check_freshness(book, Freshness(), None) == []


def test_positions_from_after_the_trade_date_are_told() -> None:
    book = book_of([row("VTI", 1.0, 100.0)])
    (note,) = check_freshness(book, Freshness(positions_of=MONDAY), dt.date(2025, 11, 24))
    assert note.startswith("the positions are of 2026-11-23, after the trade date 2025-11-24")
    assert check_freshness(book, Freshness(positions_of=MONDAY), MONDAY) == []
