"""A plan: the trades of one account, with the drift they leave and why they are what they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The side of a trade."""

    BUY = "BUY"
    SELL = "SELL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One net trade of a security in an account.

    quantity    units, positive, a whole number of the security's steps (a full liquidation is exact).
    price       money per unit in the security's currency.
    unit_value  money per unit in the base currency: price x multiplier x fx.
    value       quantity x unit_value to the cent, positive.
    cost        commission + half-spread + impact to the cent.
    half_spread, commission, impact   what `cost` is made of: fraction of value, money, money.
    """

    account: str
    symbol: str
    asset_class: str
    action: Action
    quantity: float
    price: float
    unit_value: float
    value: float
    cost: float
    half_spread: float
    commission: float
    impact: float
    reason: str

    @property
    def signed_quantity(self) -> float:
        """Units, positive for a buy."""
        return self.quantity if self.action is Action.BUY else -self.quantity

    @property
    def cash_effect(self) -> float:
        """Change of the account's cash in money: proceeds or outlay, less cost."""
        return (self.value if self.action is Action.SELL else -self.value) - self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """One target class before and after the trades.

    Values in money; weights, drifts and band edges as fractions of the weight base. `lower` and
    `upper` are None where no band applies (cash, or a policy without bands).
    """

    asset_class: str
    target: float
    lower: float | None
    upper: float | None
    value_before: float
    weight_before: float
    drift_before: float
    status_before: str
    value_after: float
    weight_after: float
    drift_after: float
    status_after: str
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to trade in one account, and what is left.

    triggered            whether the policy (or a flow, or a restriction) asks for trades.
    why                  the trigger in words.
    base_before          weight base in money after the flow and before trades.
    base_after           weight base after costs.
    cash_before          settled cash before the flow.
    flow                 contribution (+) or withdrawal (-).
    reserve              money that stays in cash.
    cash_after           cash_before + flow + sells - buys - costs.
    turnover             (buys + sells) / 2 as a fraction of base_before.
    deposit_to_restore   smallest deposit that reaches every target by buying only (None: none does).
    notes                what the plan did not do, and why.
    """

    account: str
    triggered: bool
    why: str
    trades: tuple[Trade, ...]
    classes: tuple[ClassResult, ...]
    base_before: float
    base_after: float
    cash_before: float
    flow: float
    reserve: float
    cash_after: float
    total_cost: float
    turnover: float
    deposit_to_restore: float | None = None
    notes: tuple[str, ...] = ()
