"""What the planner must not do so that no loss is washed: looked up in the window of 30 days before today.

It is stricter than the law, which disallows only as much of a loss as is bought back: a loss is not
realised at all where anything identical was bought, and nothing identical is bought where one was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.history import Event
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.taxpayers import Reach, Taxpayers
from xl_rebal.tax.wash_sales import WINDOW, identical_group, ledger

_COUNTS = (Reach.DEFER, Reach.LOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A purchase in the window: a loss in its group is washed by it."""

    account: str
    symbol: str
    group: str
    date: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class WashRules:
    """Purchases and loss sales of the last 30 days."""

    who: Taxpayers
    purchases: tuple[Purchase, ...]
    losses: tuple[Purchase, ...]

    def washes(self, account: str, symbol: str, group: str, acquired: dt.date) -> Purchase | None:
        """The purchase that would wash a loss of this lot, or None. The lot itself replaces nothing."""
        for bought in self.purchases:
            itself = (bought.account, bought.symbol, bought.date) == (account, symbol, acquired)
            counts = self.who.reach(bought.account, account) in _COUNTS
            if bought.group == group and counts and not itself:
                return bought
        return None

    def blocks_buying(self, account: str, group: str) -> Purchase | None:
        """The sale whose loss buying here would wash, or None."""
        for sold in self.losses:
            if sold.group == group and self.who.reach(account, sold.account) in _COUNTS:
                return sold
        return None


def wash_rules(
    source: HouseholdBook, who: Taxpayers, securities: Mapping[str, Security], as_of: dt.date
) -> WashRules:
    """The purchases (history and lots) and the loss sales (history) of the last 30 days.

    A sale whose purchase the history does not know counts as a loss: to be safe, not to be right.
    """
    bought: dict[tuple[str, str, dt.date], Purchase] = {}

    def add(account: str, symbol: str, day: dt.date) -> None:
        group = identical_group(securities, symbol)
        bought[account, symbol, day] = Purchase(
            account=account, symbol=symbol, group=group, date=day
        )

    for event in source.history:
        if as_of - WINDOW <= event.date <= as_of and event.event in (Event.BUY, Event.REINVEST):
            add(event.account, event.symbol, event.date)
    received = {(e.account, e.symbol, e.date) for e in source.history if e.event is Event.RECEIVE}
    lots = source.lots
    days = lots.acquired.astype(object).tolist()
    for account, symbol, day in zip(lots.account.tolist(), lots.symbol.tolist(), days, strict=True):
        recent = day is not None and as_of - WINDOW <= day <= as_of
        if recent and (account, symbol, day) not in received:
            add(account, symbol, day)
    sales = ledger(source.history, who, securities, complete=False).sales if source.history else ()
    losses = tuple(
        Purchase(
            account=s.account,
            symbol=s.symbol,
            group=identical_group(securities, s.symbol),
            date=s.date,
        )
        for s in sales
        if as_of - WINDOW <= s.date <= as_of and (s.gain is None or s.gain < 0)
    )
    return WashRules(who=who, purchases=tuple(bought.values()), losses=losses)
