"""What the firm's dashboard lists: clients, blocks, orders that cannot be sent, clients that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLine:
    """One client. Weights and drifts are fractions, amounts money.

    name         what people call the client.
    file         relative path from the dashboard to the client's workbook; empty for none.
    model        of its accounts; several joined by ` + `.
    value        positions and cash; `cash` before the trades.
    worst_class  the class whose drift is largest without its sign, in the portfolio where it is.
    breaches     classes outside their band, all portfolios together; `breaches_after` with the trades.
    tax          added by the plan this year (negative: saved); None when it is not known.
    tax_saved    against the naive way; None when not compared.
    drifts       by class, all portfolios together.
    """

    household: str
    name: str
    file: str = ""
    model: str = ""
    mode: str = ""
    policy: str = ""
    accounts: int = 1
    value: float = 0.0
    cash: float = 0.0
    worst_class: str = ""
    worst_drift: float = 0.0
    breaches: int = 0
    breaches_after: int = 0
    trades: int = 0
    buys: float = 0.0
    sells: float = 0.0
    cost: float = 0.0
    tax: float | None = None
    tax_saved: float | None = None
    why: str = ""
    drifts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLine:
    """One block order. `file` is the relative path to the order file that it stands in; empty for none."""

    custodian: str
    action: str
    symbol: str
    quantity: float
    price: float
    value: float
    accounts: int
    order: str = ""
    limit_price: float | None = None
    in_force: str = ""
    wave: int = 1
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsendableLine:
    """An order that no file holds, and why."""

    client: str
    account: str
    custodian: str
    action: str
    symbol: str
    quantity: float
    value: float
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLine:
    """A client that has no plan, and why."""

    household: str
    name: str
    where: str
    what: str
    remedy: str
