"""The calendar: facts of the New York Stock Exchange, and when a rule is due."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TableError
from xl_rebal.portfolio.policies import Calendar, EveryDays, Frequency
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.schedule import calendar_due, scheduled_days, trading_days

# Full-day closings of NYSE, from the exchange's own notices ("Holidays and Trading Hours").
CLOSED_2025 = [
    "2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17", "2025-04-18", "2025-05-26",
    "2025-06-19", "2025-07-04", "2025-09-01", "2025-11-27", "2025-12-25",
]  # fmt: skip
CLOSED_2026 = [
    "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25", "2026-06-19",
    "2026-07-03", "2026-09-07", "2026-11-26", "2026-12-25",
]  # fmt: skip


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def rule(text: str) -> Calendar | EveryDays:
    trigger = parse_policy(text).trigger
    assert isinstance(trigger, (Calendar, EveryDays))
    return trigger


def fires(text: str, as_of: str, last: str | None = None) -> bool:
    due = calendar_due(
        rule(text), as_of=day(as_of), last_rebalanced=day(last) if last is not None else None
    )
    assert due.why
    return due.fires


@pytest.mark.parametrize(
    ("year", "closed", "sessions"), [(2025, CLOSED_2025, 250), (2026, CLOSED_2026, 251)]
)
def test_trading_days_are_weekdays_but_for_the_exchanges_holidays(
    year: int, closed: list[str], sessions: int
) -> None:
    # 2025-01-09: closed in memory of Jimmy Carter; 2025-04-18: Good Friday.
    weekdays = pd.bdate_range(f"{year}-01-01", f"{year}-12-31")
    expected = weekdays[~weekdays.isin(pd.to_datetime(closed))]
    found = trading_days(dt.date(year, 1, 1), dt.date(year, 12, 31))
    assert found.strftime("%Y-%m-%d").tolist() == expected.strftime("%Y-%m-%d").tolist()
    assert len(found) == sessions


@pytest.mark.parametrize(
    ("text", "falls_on"),
    [
        ("quarterly", ["2025-03-31", "2025-06-30", "2025-09-30", "2025-12-31"]),
        ("quarterly on first day", ["2025-01-02", "2025-04-01", "2025-07-01", "2025-10-01"]),
        ("semiannual", ["2025-06-30", "2025-12-31"]),
        ("annual", ["2025-12-31"]),
        ("annual on first day", ["2025-01-02"]),
        (
            "monthly",
            ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-30", "2025-06-30",
             "2025-07-31", "2025-08-29", "2025-09-30", "2025-10-31", "2025-11-28", "2025-12-31"],
        ),
    ],
)  # fmt: skip
def test_days_on_which_a_calendar_falls(text: str, falls_on: list[str]) -> None:
    calendar = rule(text)
    assert isinstance(calendar, Calendar)
    year = trading_days(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    assert scheduled_days(calendar, year).strftime("%Y-%m-%d").tolist() == falls_on
    for text_day in falls_on:
        assert fires(text, text_day)
    assert not fires(text, "2025-08-15")


def test_first_trading_day_of_2026_and_weeks_cut_by_holidays() -> None:
    assert fires("annual on first day", "2026-01-02")
    assert not fires("annual on first day", "2026-01-05")
    assert fires("weekly", "2025-04-17")  # Thursday: Good Friday is closed
    assert not fires("weekly", "2025-04-18")
    assert fires("weekly on first day", "2025-09-02")  # Tuesday after Labor Day
    assert fires("weekly", "2026-01-02")  # a week that lies in two years
    assert not fires("weekly", "2025-12-31")


def test_ten_trading_days() -> None:
    # From Thursday 2025-04-10 the tenth session is Friday 25 April: Good Friday does not count.
    assert not fires("every 10 days", "2025-04-24", "2025-04-10")
    assert fires("every 10 days", "2025-04-25", "2025-04-10")
    assert fires("every 1 days", "2025-04-17", "2025-04-16")
    assert not fires("every 1 days", "2025-04-18", "2025-04-17")
    assert not fires("every 10 days", "2025-04-10", "2025-04-10")


def test_the_last_rebalancing_decides() -> None:
    assert fires("quarterly", "2025-11-24", "2025-09-29")  # 30 September went by
    assert not fires("quarterly", "2025-11-24", "2025-09-30")
    assert not fires("quarterly", "2025-11-24", "2025-10-15")
    assert fires("annual", "2026-02-10", "2023-05-01")  # years went by
    assert not fires("annual", "2026-12-30", "2025-12-31")
    assert fires("annual", "2026-12-31", "2025-12-31")
    assert fires("monthly", "2026-01-31", "2025-12-31")  # a Saturday: the 30th went by


@pytest.mark.parametrize("text", ["annual", "weekly on first day", "every 10 days", "monthly"])
def test_a_rebalancing_after_the_valuation_date_is_not_due(text: str) -> None:
    assert not fires(text, "2025-12-31", "2031-01-05")
    assert not fires(text, "2025-12-31", "2025-12-31")


def test_without_a_date_a_rule_is_due_and_says_so() -> None:
    for text in ("quarterly", "every 10 days"):
        due = calendar_due(rule(text), as_of=None, last_rebalanced=None)
        assert due.fires
        assert "taken as due because no date is known (--as-of)" in due.why
    due = calendar_due(rule("every 10 days"), as_of=day("2025-11-24"), last_rebalanced=None)
    assert due.fires
    assert "last_rebalanced is not known" in due.why


def test_the_answer_names_the_next_day() -> None:
    due = calendar_due(rule("quarterly"), as_of=day("2025-08-31"), last_rebalanced=None)
    assert due.why == (
        "on the last trading day of each quarter: 2025-08-31 is not one, the next is 2025-09-30"
    )


@pytest.mark.parametrize(
    ("text", "following"),
    [("weekly", "2023-01-06"), ("monthly", "2023-01-31"), ("annual", "2023-12-29")],
)
def test_the_next_day_may_lie_in_the_next_year(text: str, following: str) -> None:
    # 2022-12-31 was a Saturday.
    due = calendar_due(rule(text), as_of=day("2022-12-31"), last_rebalanced=None)
    assert due.why.endswith(f"the next is {following}")


@pytest.mark.parametrize("bad", ["0001-01-01", "1929-10-29", "9999-12-31"])
def test_a_year_beyond_the_calendar_is_refused(bad: str) -> None:
    with pytest.raises(TableError, match="outside the calendar of trading days"):
        fires("annual", bad)
    with pytest.raises(TableError, match="last_rebalanced"):
        fires("every 10 days", "2025-12-31", bad)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31)), st.sampled_from(list(Frequency)))
def test_an_interval_and_a_calendar_agree_with_counting_by_hand(
    start: dt.date, frequency: Frequency
) -> None:
    """A second way: walk the sessions one by one and look for the change of period."""
    if frequency is Frequency.DAILY:
        return
    ordinal = {
        Frequency.WEEKLY: lambda d: d.isocalendar()[:2],
        Frequency.MONTHLY: lambda d: (d.year, d.month),
        Frequency.QUARTERLY: lambda d: (d.year, (d.month - 1) // 3),
        Frequency.SEMIANNUAL: lambda d: (d.year, d.month > 6),
        Frequency.ANNUAL: lambda d: d.year,
    }[frequency]
    sessions = [s.date() for s in trading_days(start, start + dt.timedelta(days=400))]
    today, tomorrow = sessions[100], sessions[101]
    is_last = ordinal(today) != ordinal(tomorrow)
    calendar = Calendar(frequency=frequency)
    assert calendar_due(calendar, as_of=today, last_rebalanced=None).fires is is_last
    first = Calendar(frequency=frequency, first_day=True)
    assert calendar_due(first, as_of=tomorrow, last_rebalanced=None).fires is is_last
    # Since the session before, the rule is due exactly if it falls on this one.
    assert calendar_due(calendar, as_of=today, last_rebalanced=sessions[99]).fires is is_last
    assert not calendar_due(EveryDays(days=101), as_of=today, last_rebalanced=sessions[0]).fires
    assert calendar_due(EveryDays(days=100), as_of=today, last_rebalanced=sessions[0]).fires
