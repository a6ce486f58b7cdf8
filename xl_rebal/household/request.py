"""What is asked of the household planner."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from xl_rebal.household.mode import Mode
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.history import History
from xl_rebal.portfolio.lots import Lots, no_lots
from xl_rebal.portfolio.policies import Policy
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What the plan pays for what is not tax and not cost, in dollars per dollar.

    breach    of drift at or beyond the edge of a band: so dear that any tax is paid to mend it.
    drift     of drift between the policy's destination and the edge of the band, and of idle cash.
    location  a dollar of bonds (but for municipal ones) or real estate in a taxable account: 30 bp,
              the upper end of what Vanguard finds location to be worth in a year.
    rank      each place that a bought security is behind the preferred one of its class.
    ticket    money for each order.
    """

    breach: float = 1.0
    drift: float = 0.02
    location: float = 0.003
    rank: float = 0.0005
    ticket: float = 1.0

    def __post_init__(self) -> None:
        for name in ("breach", "drift", "location", "rank", "ticket"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"the price of {name} is {value}; it must be zero or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdBook:
    """A book with what taxes need: open lots, the trade history, the tax profiles."""

    book: Book
    lots: Lots = field(default_factory=no_lots)
    history: History = ()
    profiles: Mapping[str, TaxProfile] = field(default_factory=dict)

    @property
    def used_accounts(self) -> tuple[str, ...]:
        """Every account with holdings, lots or trades: purchases typed in for one without holdings count."""
        bought_in = (event.account for event in self.history)
        listed = (*self.book.holdings.accounts(), *self.lots.account.tolist(), *bought_in)
        return tuple(dict.fromkeys(listed))


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdRequest:
    """What is asked.

    as_of         the day of the trades: terms of lots and wash-sale windows count from it.
    flows         money per account, placed first: contribution (+), withdrawal or RMD (-).
    cash_need     money to raise from the taxable accounts, wherever it costs least tax.
    withdrawal    money that leaves the household, from taxable, traditional and Roth accounts, wherever it
                  costs least: what a traditional account pays out is ordinary income.
    rmd           required minimum distributions by account: the first part of the withdrawal.
    harvest       losses to realise at least, in money.
    gains_budget  most net gain that the plan may realise, in money; None for no limit.
    no_lots_sent  accounts whose custodian takes no lot instructions.
    """

    policy: Policy
    as_of: dt.date
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)
    mode: Mode = Mode.FAST
    flows: Mapping[str, float] = field(default_factory=dict)
    cash_need: float = 0.0
    withdrawal: float = 0.0
    rmd: Mapping[str, float] = field(default_factory=dict)
    harvest: float = 0.0
    gains_budget: float | None = None
    no_lots_sent: frozenset[str] = frozenset()

    @property
    def to_raise(self) -> float:
        """Money that leaves accounts which the plan chooses."""
        return self.cash_need + self.withdrawal
