"""When trades settle: days that are known, and the planner's calendar against the verifier's own."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TableError
from xl_rebal.portfolio.fund_rules import FundRule, parse_cut_off
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.schedule import trading_days
from xl_rebal.trading.checks_dates import (
    exchange_is_closed,
    in_words,
    nothing_settles,
    settlement_of,
)
from xl_rebal.trading.limits import Timing
from xl_rebal.trading.settlement import Settlement, is_bank_holiday

ETF = Security(symbol="VTI", vehicle=Vehicle.ETF)
FUND = Security(symbol="VTSAX", vehicle=Vehicle.MUTUAL_FUND)
day = dt.date.fromisoformat


def settles(traded: str, security: Security = ETF) -> str:
    calendar = Settlement(Timing(as_of=day(traded)))
    return calendar.words(calendar.day(security))


@pytest.mark.parametrize(
    ("traded", "settled"),
    [
        ("2026-11-23", "2026-11-24"),
        ("2026-11-25", "2026-11-27"),  # Thanksgiving
        ("2026-11-27", "2026-11-30"),  # a Friday
        ("2026-11-28", "2026-12-01"),  # a Saturday: traded on Monday
        # Exchange Act Release 34-96930: the change to T+1 made 2024-05-29 a double settlement day.
        ("2024-05-24", "2024-05-29"),
        ("2024-05-28", "2024-05-29"),
        # Release 34-80295: the change to T+2 made 2017-09-07 one.
        ("2017-09-01", "2017-09-07"),
        ("2017-09-05", "2017-09-07"),
        # Exchanges trade on Columbus and Veterans Day, and nothing settles.
        ("2025-10-10", "2025-10-14"),
        ("2025-10-13", "2025-10-14"),
        ("2025-11-10", "2025-11-12"),
        ("2025-11-11", "2025-11-12"),
    ],
)
def test_days_that_are_known(traded: str, settled: str) -> None:
    assert settles(traded) == settled


def test_funds_and_options_settled_after_a_day_before_2024_too() -> None:
    option = Security(symbol="X", vehicle=Vehicle.OPTION)
    for security in (FUND, option, Security(symbol="SWVXX", vehicle=Vehicle.CASH)):
        assert settles("2016-03-01", security) == "2016-03-02"
    assert settles("2016-03-01") == "2016-03-04"


def test_a_securitys_own_cycle_comes_first() -> None:
    assert settles("2026-11-23", Security(symbol="X", settlement_days=2)) == "2026-11-25"
    assert settles("2026-11-23", Security(symbol="X", settlement_days=0)) == "2026-11-23"
    undated = Settlement(Timing())
    assert undated.words(undated.day(ETF)) == "T+1"
    assert undated.words(undated.day(Security(symbol="X", settlement_days=3))) == "T+3"


def test_after_the_cut_off_an_order_is_a_days_later() -> None:
    rule = FundRule(symbol="VTSAX", cut_off=parse_cut_off("4:00 pm ET"))
    zone = dt.timezone(dt.timedelta(hours=-8))  # 13:01 in California is 16:01 in New York
    for minute, late in ((0, False), (1, True)):
        moment = dt.datetime(2026, 11, 23, 13, minute, tzinfo=zone)
        timing = Timing(as_of=day("2026-11-23"), ordered_at=moment)
        calendar = Settlement(timing)
        assert calendar.late(rule) is late
        found = calendar.words(calendar.day(FUND, late=late))
        assert found == ("2026-11-25" if late else "2026-11-24")
        assert in_words(settlement_of(FUND, rule, timing)) == found
    weekend = Timing(as_of=day("2026-11-28"), ordered_at=dt.datetime(2026, 11, 28, 23, tzinfo=zone))
    assert not Settlement(weekend).late(rule)  # there before Monday's cut-off


def test_the_verifiers_holidays_are_the_exchanges() -> None:
    first, last = day("2000-01-01"), day("2099-12-31")
    open_days = {stamp.date() for stamp in trading_days(first, last)}
    every = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    assert [d for d in every if exchange_is_closed(d) == (d in open_days)] == []
    assert [d for d in open_days if nothing_settles(d) != is_bank_holiday(d)] == []


@given(
    st.dates(day("2000-01-03"), day("2090-12-31")),
    st.sampled_from([None, 0, 1, 2, 3, 5]),
    st.sampled_from(list(Vehicle)),
    st.sampled_from([None, 10, 20]),
)
def test_planner_and_verifier_settle_on_the_same_day(
    as_of: dt.date, lag: int | None, vehicle: Vehicle, hour: int | None
) -> None:
    zone = dt.timezone(dt.timedelta(hours=-5))
    moment = None if hour is None else dt.datetime.combine(as_of, dt.time(hour), zone)
    timing = Timing(as_of=as_of, ordered_at=moment)
    rule = FundRule(symbol="X", cut_off=parse_cut_off("16:00 America/New_York"))
    security = Security(symbol="X", vehicle=vehicle, settlement_days=lag)
    calendar = Settlement(timing)
    late = calendar.late(rule)
    assert calendar.words(calendar.day(security, late=late)) == in_words(
        settlement_of(security, rule, timing)
    )


def test_years_out_of_reach_are_refused() -> None:
    for text in ("1999-12-31", "2190-01-01"):
        with pytest.raises(TableError, match="outside the calendar of trading days"):
            Settlement(Timing(as_of=day(text)))
