"""Calendar rules: on which trading days a policy looks, and whether one is due."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_rebal.errors import TableError
from xl_rebal.portfolio.policies import Calendar, EveryDays, Frequency

if TYPE_CHECKING:  # pandas takes longer to load than all of a backtest; calendar rules load it
    import pandas as pd

EXCHANGE = "XNYS"  # New York Stock Exchange: the trading days of the US funds this product trades
_MARGIN = dt.timedelta(days=31)  # complete periods at both ends of what is looked at
_PERIODS = {
    Frequency.WEEKLY: "W-SUN",
    Frequency.MONTHLY: "M",
    Frequency.QUARTERLY: "Q-DEC",
    Frequency.ANNUAL: "Y-DEC",
}


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a calendar rule asks for action, and why, in words."""

    fires: bool
    why: str


# Outside these years the exchange calendar knows no holidays.
_FIRST, _LAST = dt.date(1970, 1, 1), dt.date(2189, 12, 31)


@lru_cache(maxsize=1)
def _sessions() -> pd.DatetimeIndex:
    # Imported here: loading the exchange calendars takes longer than everything else together,
    # and only calendar rules need them. Explicit bounds keep the result free of today's date; all
    # years at once take no longer than one, and serve every account of a run.
    import exchange_calendars
    import pandas as pd

    with warnings.catch_warnings():  # its own use of pandas, which it mends in its own time
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar(
            EXCHANGE, start=pd.Timestamp("1969-12-01"), end=pd.Timestamp("2199-12-31")
        )
        sessions: pd.DatetimeIndex = calendar.sessions
    return sessions


def trading_days(first: dt.date, last: dt.date) -> pd.DatetimeIndex:
    """Trading days of the New York Stock Exchange from `first` to `last`, both included."""
    import pandas as pd

    sessions = _sessions()
    return sessions[(sessions >= pd.Timestamp(first)) & (sessions <= pd.Timestamp(last))]


def _label(day: pd.DatetimeIndex, frequency: Frequency) -> pd.Index:
    import pandas as pd

    if frequency is Frequency.SEMIANNUAL:
        return pd.Index(day.year * 2 + (day.month > 6))
    return pd.Index(day.to_period(_PERIODS[frequency]).asi8)


def scheduled_days(rule: Calendar, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The days of `days` on which a calendar rule falls; the ends of `days` must be whole periods."""
    if rule.frequency is Frequency.DAILY:
        return days
    label = _label(days, rule.frequency)
    repeated = label.duplicated("first") if rule.first_day else label.duplicated("last")
    return days[~repeated]


def calendar_due(
    rule: Calendar | EveryDays, *, as_of: dt.date | None, last_rebalanced: dt.date | None
) -> Due:
    """Whether the rule is due on `as_of`. Without a date it is taken as due, and says so.

    With `last_rebalanced` a rule is due when a scheduled day lies after it and not after `as_of`;
    without, only on a scheduled day itself. An interval without `last_rebalanced` is taken as due.
    """
    if as_of is None:
        return Due(True, f"{rule.in_words()}: taken as due because no date is known (--as-of)")
    _require_known("valuation date", as_of)
    if last_rebalanced is not None:
        _require_known("last_rebalanced", last_rebalanced)
    if isinstance(rule, EveryDays):
        return _interval_due(rule, as_of, last_rebalanced)
    if rule.frequency is Frequency.DAILY:
        return Due(True, "every trading day")
    if last_rebalanced is not None and last_rebalanced >= as_of:
        return Due(False, f"{rule.in_words()}: rebalanced on {last_rebalanced}, and it is {as_of}")
    start = dt.date((last_rebalanced or as_of).year, 1, 1) - _MARGIN
    # To the end of next year, so that the day that comes next is known as well.
    days = trading_days(start, dt.date(as_of.year + 1, 12, 31) + _MARGIN)
    # The periods at both ends of the window may be cut: their days are not scheduled days.
    planned = [day.date() for day in scheduled_days(rule, days) if days[0] < day < days[-1]]
    if last_rebalanced is None:
        if as_of in planned:
            return Due(True, f"{rule.in_words()}: {as_of} is one")
        following = next(day for day in planned if day > as_of)
        return Due(False, f"{rule.in_words()}: {as_of} is not one, the next is {following}")
    hits = [day for day in planned if last_rebalanced < day <= as_of]
    if hits:
        return Due(
            True,
            f"{rule.in_words()}: {hits[-1]} came after the last rebalancing ({last_rebalanced})",
        )
    return Due(False, f"{rule.in_words()}: none since the last rebalancing ({last_rebalanced})")


def _require_known(name: str, day: dt.date) -> None:
    if not _FIRST <= day <= _LAST:
        raise TableError.of(
            where=name,
            what=f"{day} lies outside the calendar of trading days ({_FIRST.year} to {_LAST.year})",
            remedy="correct the year",
        )


def _interval_due(rule: EveryDays, as_of: dt.date, last: dt.date | None) -> Due:
    if last is None:
        return Due(True, f"{rule.in_words()}: taken as due because last_rebalanced is not known")
    passed = len(trading_days(last + dt.timedelta(days=1), as_of)) if last < as_of else 0
    return Due(passed >= rule.days, f"{rule.in_words()}: {passed} since {last}")
