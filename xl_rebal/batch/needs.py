"""What clients need today: the answer of a scan, client by client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xl_rebal.errors import TableError
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.portfolio.policy_text import parse_policy


class Need(StrEnum):
    """What a client needs, the most urgent first; `failed` and all after it ask for no plan."""

    REBALANCE = "rebalance"
    REPLACE = "replace"
    RAISE_CASH = "raise cash"
    INVEST = "invest"
    FAILED = "failed"
    WITHIN = "within"
    HELD_AWAY = "held away"
    EMPTY = "empty"

    @property
    def asks(self) -> bool:
        """True where a plan is due."""
        return ORDER[self] < ORDER[Need.FAILED]


ORDER = {need: place for place, need in enumerate(Need)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What is asked of the scan.

    policy, mode  of clients that name none of their own.
    as_of         the valuation date, for calendar rules and known withdrawals; None when unknown.
    idle          cash beyond its target that asks to be invested, as a fraction of the account.
    horizon       calendar days ahead of which known withdrawals are kept back.
    """

    policy: str
    mode: PlanMode = PlanMode.RULES
    as_of: dt.date | None = None
    idle: float = 0.02
    horizon: int = HORIZON

    def __post_init__(self) -> None:
        parse_policy(self.policy)
        if not 0 < self.idle <= 1:
            raise TableError.of(
                where="--idle-cash",
                what=f"{self.idle * 100:g}% is no share of an account",
                remedy="write it as 2%; 100% never asks",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientScan:
    """One client of the scan.

    value     money of positions and cash; None where it failed.
    account   where its largest breach (else its largest drift) is: an account, or the household.
    drift     of `asset_class` there, as a fraction, with its sign; None where it failed or holds nothing.
    excess    how far the worst class is outside its band, as a fraction; 0 without a breach.
    breaches  classes outside their bands, over its accounts.
    idle      cash beyond targets and what is kept back, over its accounts.
    """

    household: str
    client: str
    need: Need
    reason: str
    accounts: int = 0
    model: str = ""
    mode: PlanMode | None = None
    policy: str = ""
    value: float | None = None
    account: str = ""
    asset_class: str = ""
    drift: float | None = None
    excess: float = 0.0
    breaches: int = 0
    idle: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookScan:
    """Every client of a book, those that need a plan first, the worst breach first."""

    request: ScanRequest
    clients: tuple[ClientScan, ...]
    warnings: tuple[str, ...] = ()

    @property
    def asking(self) -> tuple[ClientScan, ...]:
        """The clients that need a plan."""
        return tuple(client for client in self.clients if client.need.asks)

    @property
    def failed(self) -> tuple[ClientScan, ...]:
        """The clients that cannot be measured."""
        return tuple(client for client in self.clients if client.need is Need.FAILED)


def ranked(clients: Sequence[ClientScan]) -> tuple[ClientScan, ...]:
    """Those that need a plan first; inside a need by breach, then by drift, then in the book's order."""

    def key(client: ClientScan) -> tuple[int, float, float]:
        drift = abs(client.drift) if client.drift is not None else 0.0
        return (ORDER[client.need], -round(client.excess, 9), -round(drift, 9))

    return tuple(sorted(clients, key=key))
