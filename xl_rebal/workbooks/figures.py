"""The report's numbers, as nouns: what every formula of the workbook must come to."""

from __future__ import annotations

from dataclasses import dataclass

from xl_rebal.costs import CostModel
from xl_rebal.rebalance import Rebalancing
from xl_rebal.trading.plan import Plan, Trade

NOT_COUNTED = "not counted"
CENT_DUST = 0.005  # an account worth less than half a cent has no weights


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingFigures:
    """One row of the holdings; None is a blank cell."""

    account: str
    symbol: str
    description: str
    kind: str
    asset_class: str
    target_class: str
    quantity: float | None
    price: float | None
    multiplier: float | None
    fx: float | None
    value: float | None
    stated_value: float | None
    counted: str
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class of one account, before and after the trades. `order` counts from 1."""

    account: str
    asset_class: str
    model: str
    is_cash: bool
    order: int
    value: float
    weight: float
    target: float
    drift: float
    relative: float | None
    down: float | None
    up: float | None
    lower: float | None
    upper: float | None
    status: str
    traded: float
    value_after: float
    weight_after: float
    drift_after: float
    status_after: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """A trade, and what of its costs differs from the general cost settings (None: nothing)."""

    trade: Trade
    own_half_spread: float | None
    own_commission: float | None
    own_impact: float | None
    adv: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """One account: its money, its classes, its trades. `refused` says why it has no plan, if it was to."""

    account: str
    model: str
    plan: Plan | None
    total: float
    base: float
    flow: float
    reserve: float
    cash_before: float
    sells: float
    buys: float
    costs: float
    cash_after: float
    classes: tuple[ClassFigures, ...]
    trades: tuple[TradeFigures, ...]
    refused: str = ""

    @property
    def banded(self) -> int:
        """How many classes have a band."""
        return sum(1 for row in self.classes if row.down is not None or row.up is not None)

    @property
    def breaches(self) -> int:
        """How many classes stand outside their band."""
        return sum(1 for row in self.classes if row.status != "within")

    @property
    def breaches_after(self) -> int:
        """How many still do after the trades."""
        return sum(1 for row in self.classes if row.status_after != "within")

    @property
    def overdrawn(self) -> bool:
        """True when the cash after the trades is below the reserve by a cent or more."""
        return self.cash_after - self.reserve < -CENT_DUST


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFigures:
    """One target of a model with its effective band."""

    model: str
    asset_class: str
    target: float
    down: float | None
    up: float | None
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything that the sheets show."""

    result: Rebalancing
    holdings: tuple[HoldingFigures, ...]
    accounts: tuple[AccountFigures, ...]
    targets: tuple[TargetFigures, ...]

    @property
    def drift_rows(self) -> tuple[ClassFigures, ...]:
        """All classes of all accounts."""
        return tuple(row for account in self.accounts for row in account.classes)

    @property
    def trade_rows(self) -> tuple[TradeFigures, ...]:
        """All trades of all accounts."""
        return tuple(row for account in self.accounts for row in account.trades)

    @property
    def costs(self) -> CostModel:
        """The general cost settings."""
        return self.result.request.limits.costs
