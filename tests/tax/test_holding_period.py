"""Holding periods against published dates and a plain count of days."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal import tax
from xl_rebal.custodians import Told, read_export
from xl_rebal.tax.holding_period import (
    days_to_long_term,
    long_term_dates,
    long_term_from,
    long_term_mask,
    tacked,
)

DATES = st.dates(dt.date(1950, 1, 1), dt.date(2090, 12, 31))


@pytest.mark.parametrize(
    ("acquired", "long_from"),
    [
        # J.K. Lasser 2013, 5.9
        (dt.date(2012, 9, 19), dt.date(2013, 9, 20)),
        (dt.date(2012, 11, 30), dt.date(2013, 12, 1)),
        # The Motley Fool: sold 2006-01-01 short, 2006-01-02 long
        (dt.date(2005, 1, 1), dt.date(2006, 1, 2)),
        # The month-end rule (Rev. Rul. 66-7)
        (dt.date(2023, 2, 28), dt.date(2024, 3, 1)),
        (dt.date(2024, 2, 29), dt.date(2025, 3, 1)),
        (dt.date(2024, 2, 28), dt.date(2025, 3, 1)),
        (dt.date(2024, 1, 31), dt.date(2025, 2, 1)),
        # A page that is often quoted says March 17 for this one; the rule says:
        (dt.date(2009, 3, 15), dt.date(2010, 3, 16)),
    ],
)
def test_published_dates(acquired: dt.date, long_from: dt.date) -> None:
    assert long_term_from(acquired) == long_from
    assert not tax.is_long_term(acquired, long_from - dt.timedelta(days=1))
    assert tax.is_long_term(acquired, long_from)
    assert days_to_long_term(acquired, long_from - dt.timedelta(days=3)) == 3
    assert days_to_long_term(acquired, long_from) == 0


def months_on(day: dt.date, months: int) -> dt.date:
    """The plain second way: walk the calendar from the day after acquisition, day by day."""
    wanted = (day.year * 12 + day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    walk = day
    while (walk.year, walk.month, walk.day) < (*wanted, day.day):
        walk += dt.timedelta(days=1)
    return walk


@given(DATES)
def test_the_year_ends_the_day_before_its_anniversary(acquired: dt.date) -> None:
    assert long_term_from(acquired) == months_on(acquired + dt.timedelta(days=1), 12)


@given(st.lists(DATES, min_size=1, max_size=20), DATES)
def test_columns_agree_with_single_days(acquired: list[dt.date], sold: dt.date) -> None:
    column = np.array(acquired, dtype="datetime64[D]")
    assert long_term_dates(column).tolist() == [long_term_from(day) for day in acquired]
    mask = long_term_mask(column, np.datetime64(sold))
    assert mask.tolist() == [tax.is_long_term(day, sold) for day in acquired]


def test_an_unknown_day_is_never_long_term() -> None:
    column = np.array(["NaT", "2020-01-01"], dtype="datetime64[D]")
    assert long_term_mask(column, np.datetime64("2026-01-01")).tolist() == [False, True]


def test_a_replacement_takes_over_the_days_held_but_no_day_twice() -> None:
    # 26 CFR 1.1091-1(h), example 3, with its dates: held 504 days, then the gap does not count.
    held = {"held_from": dt.date(1954, 9, 15), "held_to": dt.date(1956, 2, 1)}
    start = tacked(dt.date(1956, 2, 15), **held)
    assert (dt.date(1956, 2, 15) - start).days == (dt.date(1956, 2, 1) - dt.date(1954, 9, 15)).days
    # Bought while the old shares were held: as if it had been held since they were bought.
    assert tacked(dt.date(1956, 1, 20), **held) == dt.date(1954, 9, 15)
    # Bought before the shares that were sold: nothing to add.
    assert tacked(dt.date(1954, 9, 1), **held) == dt.date(1954, 9, 1)


def test_terms_are_those_that_a_custodian_states(shared_data: Path) -> None:
    """Schwab's lot files and realised lots say Short Term or Long Term beside the dates."""
    seen = 0
    files = sorted((shared_data / "brokers" / "schwab" / "lots").glob("*.csv"))
    files.append(shared_data / "brokers" / "schwab" / "schwab_realized_lot_details_2026.csv")
    for path in files:
        statement = read_export(path, told=Told(account="A", symbol="S"))
        lots, sold = statement.lots, statement.realised
        assert statement.as_of is not None
        rows = [
            (t, a, statement.as_of) for t, a in zip(lots.term, lots.acquired.tolist(), strict=True)
        ]
        rows += list(zip(sold.term, sold.acquired.tolist(), sold.sold.tolist(), strict=True))
        for term, acquired, day in rows:
            if term in ("short", "long") and acquired is not None:
                assert (term == "long") == tax.is_long_term(acquired, day), (path.name, acquired)
                seen += 1
    assert seen >= 8
