"""An account's cash day by day: what is there, what arrives, what leaves, and what trades may take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import Flow
from xl_rebal.trading.plan import CashDay
from xl_rebal.trading.problem import HALF_CENT, Due, Line
from xl_rebal.trading.settlement import LATER, Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCash:
    """The cash of an account before any trade, by day as `Settlement` counts days.

    settled   money that is there on the trade date, before the flow.
    arriving  unsettled money by the day on which it settles.
    flow      contribution (+) or withdrawal (-) on the trade date.
    leaving   known withdrawals by day, positive.
    reserve   money that the account keeps back for good.
    today     the trade date.
    """

    settled: float = 0.0
    arriving: Mapping[int, float] = field(default_factory=dict)
    flow: float = 0.0
    leaving: Mapping[int, float] = field(default_factory=dict)
    reserve: float = 0.0
    today: int = 0

    @property
    def total(self) -> float:
        """All cash rows, settled or not, before the flow."""
        return self.settled + math.fsum(self.arriving.values())

    def at(self, day: int) -> float:
        """Cash at the end of a day without any trade, less the reserve."""
        there = math.fsum(amount for when, amount in self.arriving.items() if when <= day)
        gone = math.fsum(amount for when, amount in self.leaving.items() if when <= day)
        return self.settled + self.flow + there - gone - self.reserve

    @property
    def events(self) -> list[int]:
        """Days on which it changes by itself, in order."""
        return sorted({self.today, *self.arriving, *self.leaving})


def cash_of_accounts(
    book: Book,
    settlement: Settlement,
    flows: Mapping[str, float],
    leaving: Mapping[str, Sequence[Flow]],
) -> dict[str, AccountCash]:
    """The cash of every account in the base currency.

    Without a trade date, cash that is still to settle arrives after every trade, and known withdrawals
    leave before it arrives: the safe reading of both.
    """
    today, known = settlement.today, settlement.timing.as_of is not None
    holdings = book.holdings
    settled = dict.fromkeys(holdings.accounts(), 0.0)
    arriving: dict[str, dict[int, float]] = {}
    mask = holdings.is_cash
    rows = zip(
        holdings.account[mask].tolist(),
        holdings.value[mask].tolist(),
        holdings.settles[mask].tolist(),
        strict=True,
    )
    for account, value, settles in rows:
        day = today if settles is None else (settles.toordinal() if known else LATER)
        if day <= today:
            settled[account] += value
        else:
            later = arriving.setdefault(account, {})
            later[day] = later.get(day, 0.0) + value
    return {
        account: AccountCash(
            settled=amount,
            arriving=arriving.get(account, {}),
            flow=float(flows.get(account, 0.0)),
            leaving=_by_day(leaving.get(account, ()), today if known else None),
            reserve=book.account(account).cash_reserve,
            today=today,
        )
        for account, amount in settled.items()
    }


def _by_day(flows: Iterable[Flow], today: int | None) -> dict[int, float]:
    result: dict[int, float] = {}
    for flow in flows:
        day = LATER - 1 if today is None else max(today, flow.date.toordinal())
        result[day] = result.get(day, 0.0) - flow.amount
    return result


def with_leaving(account: Account, flows: Sequence[Flow]) -> Account:
    """The account with what is known to leave it kept back."""
    return replace(account, leaving=-math.fsum(flow.amount for flow in flows))


def spendable(cash: AccountCash, lines: Iterable[Line]) -> tuple[float, tuple[Due, ...]]:
    """(what all trades together may spend, what those may that settle earlier than the last).

    Money that moves on a day must be there on that day and on every later one: cash dips where a
    withdrawal leaves before more arrives. An earlier limit is never below zero: what is short by then
    without any trade is no reason to sell what settles after it.
    """
    days = sorted({line.settles for line in lines if line.can_buy or line.can_sell})
    if not days:
        return cash.at(LATER), ()
    least: list[float] = []
    for place, day in enumerate(days):
        end = days[place + 1] if place + 1 < len(days) else LATER + 1
        within = [day, *(when for when in cash.events if day < when < end)]
        least.append(min(cash.at(when) for when in within))
    early = [
        Due(settles=day, cash=max(0.0, amount))
        for day, amount in zip(days[:-1], least[:-1], strict=True)
    ]
    return least[-1], tuple(early)


def timeline(
    cash: AccountCash,
    effects: Iterable[tuple[int, float, float, float]],
    settlement: Settlement,
) -> tuple[CashDay, ...]:
    """Cash day by day with the trades: (day, sells, buys, costs) of each.

    The first row is the trade date; after it stand the days on which money moves.
    """
    sells: dict[int, float] = {}
    buys: dict[int, float] = {}
    fees: dict[int, float] = {}
    for day, sold, bought, cost in effects:
        for column, amount in ((sells, sold), (buys, bought), (fees, cost)):
            column[day] = column.get(day, 0.0) + amount
    result = []
    opening = cash.settled
    for day in sorted({*cash.events, *fees}):
        arriving = cash.arriving.get(day, 0.0)
        sold, bought, paid = sells.get(day, 0.0), buys.get(day, 0.0), fees.get(day, 0.0)
        flows = (cash.flow if day == cash.today else 0.0) - cash.leaving.get(day, 0.0)
        closing = (
            round(opening + arriving + sold - bought - paid + flows, 6) + 0.0
        )  # no dust, no -0
        result.append(
            CashDay(
                when=settlement.words(day),
                opening=opening,
                arriving=arriving,
                sells=sold,
                buys=bought,
                fees=paid,
                flows=flows,
                closing=closing,
            )
        )
        opening = closing
    return tuple(result)


def shortages(cash: AccountCash, days: Iterable[CashDay]) -> list[str]:
    """Days on which a known withdrawal is not covered whatever is traded, in words."""
    if not cash.leaving:
        return []
    return [
        f"cash is short by {-day.closing:,.2f} on {day.when}: nothing that is sold now settles in time"
        for day in days
        if day.closing < -HALF_CENT
    ]
