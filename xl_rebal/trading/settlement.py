"""When a trade's money moves: settlement cycles, and the days on which they count.

Stocks, exchange-traded funds and corporate bonds settle as SEC Rule 15c6-1 (17 CFR 240.15c6-1) says:
one business day after the trade since 2024-05-28, two since 2017-09-05, three before. Options, Treasury
securities, mutual funds and purchased money funds settle after one day throughout.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left

from xl_rebal.errors import TableError
from xl_rebal.portfolio.fund_rules import FundRule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.schedule import trading_days
from xl_rebal.trading.limits import Timing

LATER = 10**8  # a day after every other
_ONE_DAY, _TWO_DAYS = dt.date(2024, 5, 28), dt.date(2017, 9, 5)
_UNDER_THE_RULE = frozenset({Vehicle.STOCK, Vehicle.ETF, Vehicle.BOND, Vehicle.PRIVATE})
_AHEAD = dt.timedelta(days=120)  # more than the longest settlement with every holiday between
_FIRST, _LAST = dt.date(2000, 1, 1), dt.date(2189, 1, 1)  # what the exchange calendar knows


def usual_days(vehicle: Vehicle, trade_date: dt.date | None) -> int:
    """Trading days from trade to settlement by rule; without a date as it is today."""
    if vehicle not in _UNDER_THE_RULE or trade_date is None or trade_date >= _ONE_DAY:
        return 1
    return 2 if trade_date >= _TWO_DAYS else 3


class Settlement:
    """Settlement of all trades of a run.

    Days are counted, and compared, as ordinals of dates where the trade date is known; else as
    trading days after the trade.
    """

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self._sessions: list[dt.date] = []
        self._days: list[dt.date] = []
        as_of = timing.as_of
        if as_of is not None and not _FIRST <= as_of <= _LAST:
            raise TableError.of(
                where="valuation date",
                what=f"{as_of} lies outside the calendar of trading days "
                f"({_FIRST.year} to {_LAST.year - 1})",
                remedy="correct the year",
            )

    @property
    def trade_date(self) -> dt.date | None:
        """The day on which orders are executed: the first trading day from `as_of` on."""
        self._load()
        return self._sessions[0] if self._sessions else None

    def late(self, rule: FundRule | None) -> bool:
        """True when orders are sent after the fund's cut-off: they get the next day's price."""
        moment = self.timing.ordered_at
        if rule is None or rule.cut_off is None or moment is None:
            return False
        # Sent on a day without trading, an order is there before the next day's cut-off.
        return self.trade_date == self.timing.as_of and rule.cut_off.missed_by(moment)

    def day(self, security: Security, *, late: bool = False) -> int:
        """The day on which a trade of the security moves money, as `day_of` counts it."""
        lag = security.settlement_days
        if self.timing.as_of is None:
            return (usual_days(security.vehicle, None) if lag is None else lag) + late
        self._load()
        traded = self._sessions[1 if late else 0]
        if lag is None:
            lag = usual_days(security.vehicle, traded)
        if lag == 0:
            return traded.toordinal()
        return self._days[
            bisect_left(self._days, traded + dt.timedelta(days=1)) + lag - 1
        ].toordinal()

    def date(self, day: int) -> dt.date | None:
        """The date of a day; None where no trade date is known."""
        return dt.date.fromordinal(day) if self.timing.as_of is not None else None

    def words(self, day: int) -> str:
        """`2026-11-24`; `T+1` where no trade date is known; `later` for a day that is not known."""
        if day >= LATER - 1:
            return "later"
        date = self.date(day)
        return date.isoformat() if date is not None else f"T+{day}"

    @property
    def today(self) -> int:
        """The day of the trades themselves."""
        trade_date = self.trade_date
        return trade_date.toordinal() if trade_date is not None else 0

    def _load(self) -> None:
        as_of = self.timing.as_of
        if as_of is None or self._sessions:
            return
        self._sessions = [day.date() for day in trading_days(as_of, as_of + _AHEAD)]
        self._days = [day for day in self._sessions if not is_bank_holiday(day)]


def is_bank_holiday(day: dt.date) -> bool:
    """Days on which the exchange trades and nothing settles, because banks are closed.

    Columbus Day (second Monday of October) and Veterans Day (11 November; on a Sunday, the Monday
    after it).
    """
    if day.month == 10:
        return day.weekday() == 0 and 8 <= day.day <= 14
    return day.month == 11 and (day.day == 11 or (day.day == 12 and day.weekday() == 0))
