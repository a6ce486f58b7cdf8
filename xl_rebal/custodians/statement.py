"""What a custodian's file says: its accounts, their holdings, its date and what is odd about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, RealisedLots, no_lots, no_realised


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAccount:
    """One account of the file.

    account       the file's own id, as text (`X12345678`, `XXXX-1234`, `...178`).
    name          its title in the file; empty when there is none.
    positions     number of rows of kind `position`.
    total         money in the base currency, pending left out: the file's own values, or
                  quantity x price x multiplier where it states none; NaN without an exchange rate.
    stated_total  the total that the file itself gives for the account, None without one.
    """

    account: str
    name: str
    positions: int
    total: float
    stated_total: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A custodian's file that was read: positions, lots or both. `source` is a name, never a path."""

    custodian: str
    source: str
    as_of: dt.date | None
    as_of_text: str
    base_currency: str
    accounts: tuple[StatementAccount, ...]
    holdings: Holdings
    warnings: tuple[str, ...]
    lots: Lots = field(default_factory=no_lots)
    realised: RealisedLots = field(default_factory=no_realised)
