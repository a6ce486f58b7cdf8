"""What the verifier knows of days: the exchange's holidays by rule, settlement, and what leaves when.

Written apart from the planner's calendar, which comes from a library: days are counted here one by one.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from xl_rebal.portfolio.flows import Flow
from xl_rebal.portfolio.fund_rules import FundRule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.trading.limits import Timing

Day = dt.date | int  # a date, or trading days after a trade whose date is not known
LATER = 10**6  # trading days: after everything
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_ONE = dt.timedelta(days=1)
# Days on which the exchange stayed closed for once: attacks of 2001, days of mourning, hurricane Sandy.
_FOR_ONCE = {
    *(dt.date(2001, 9, day) for day in (11, 12, 13, 14)),
    *(dt.date(2004, 6, 11), dt.date(2007, 1, 2), dt.date(2018, 12, 5), dt.date(2025, 1, 9)),
    *(dt.date(2012, 10, 29), dt.date(2012, 10, 30)),
}


def _nth(year: int, month: int, weekday: int, nth: int) -> dt.date:
    """The nth Monday (or other weekday) of a month; the last one for nth 0."""
    if nth == 0:
        day = dt.date(year, month + 1, 1) - _ONE
        while day.weekday() != weekday:
            day -= _ONE
        return day
    day = dt.date(year, month, 1)
    while day.weekday() != weekday:
        day += _ONE
    return day + dt.timedelta(weeks=nth - 1)


def _observed(day: dt.date) -> dt.date:
    if day.weekday() == _SATURDAY:
        return day - _ONE
    return day + _ONE if day.weekday() == _SUNDAY else day


def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


def exchange_is_closed(day: dt.date) -> bool:
    """Weekends and holidays of the New York Stock Exchange (Rule 7.2), from 2000 on."""
    if day.weekday() >= _SATURDAY or day in _FOR_ONCE:
        return True
    year = day.year
    new_year = dt.date(year, 1, 1)
    holidays = {
        # On a Saturday it is not moved: the Friday before is the last day of the year.
        new_year if new_year.weekday() != _SUNDAY else new_year + _ONE,
        _nth(year, 1, _MONDAY, 3),
        _nth(year, 2, _MONDAY, 3),
        easter(year) - 2 * _ONE,
        _nth(year, 5, _MONDAY, 0),
        _observed(dt.date(year, 7, 4)),
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 11, _THURSDAY, 4),
        _observed(dt.date(year, 12, 25)),
    }
    if year >= 2022:
        holidays.add(_observed(dt.date(year, 6, 19)))
    return day in holidays


def nothing_settles(day: dt.date) -> bool:
    """Days without settlement: closed exchanges, and closed banks on Columbus and Veterans Day."""
    veterans = dt.date(day.year, 11, 11)
    if veterans.weekday() == _SUNDAY:
        veterans += _ONE
    return exchange_is_closed(day) or day in (_nth(day.year, 10, _MONDAY, 2), veterans)


def trade_date(timing: Timing) -> dt.date | None:
    """The first day from `as_of` on, on which the exchange is open."""
    day = timing.as_of
    while day is not None and exchange_is_closed(day):
        day += _ONE
    return day


def is_late(timing: Timing, fund: FundRule | None) -> bool:
    """True when an order for the fund comes after its cut-off on a day of trading."""
    moment, day = timing.ordered_at, timing.as_of
    if fund is None or fund.cut_off is None or moment is None or day is None:
        return False
    local = moment.astimezone(ZoneInfo(fund.cut_off.zone))
    return not exchange_is_closed(day) and local.time() > fund.cut_off.time


def settlement_of(security: Security, fund: FundRule | None, timing: Timing) -> Day:
    """The day on which a trade of the security moves money."""
    late = is_late(timing, fund)
    day = trade_date(timing)
    lag = security.settlement_days
    if day is None:
        return (1 if lag is None else lag) + int(late)
    if late:
        day += _ONE
        while exchange_is_closed(day):
            day += _ONE
    if lag is None:
        lag = 1
        if security.vehicle in (Vehicle.STOCK, Vehicle.ETF, Vehicle.BOND, Vehicle.PRIVATE):
            lag = 3 if day < dt.date(2017, 9, 5) else 2 if day < dt.date(2024, 5, 28) else 1
    while lag > 0:
        day += _ONE
        if not nothing_settles(day):
            lag -= 1
    return day


def in_words(day: Day) -> str:
    """As plans write days: `2026-11-24`, `T+1`, `later`."""
    if isinstance(day, dt.date):
        return day.isoformat()
    return "later" if day >= LATER - 1 else f"T+{day}"


def is_reserved(flow: Flow, timing: Timing) -> bool:
    """True for a withdrawal that is kept back: within the horizon; any, where no date is known."""
    if not flow.amount < 0:
        return False
    if timing.as_of is None:
        return True
    ahead = (flow.date - timing.as_of).days
    return 0 <= ahead <= timing.flow_horizon


def leaves_on(flow: Flow, timing: Timing) -> Day:
    """The day on which a withdrawal is taken: not before the trade date; unknown, before cash arrives."""
    today = trade_date(timing)
    return LATER - 1 if today is None else max(today, flow.date)


def arrives_on(settles: dt.date | None, timing: Timing) -> Day:
    """The day on which a cash row is there: today where it is settled."""
    today = trade_date(timing)
    if today is None:
        return 0 if settles is None else LATER
    return today if settles is None else max(today, settles)
