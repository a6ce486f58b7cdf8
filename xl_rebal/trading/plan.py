"""A plan: the trades of one account, with the drift they leave and why they are what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.proof import NOTHING_ASKED, Proof


class Action(StrEnum):
    """The side of a trade."""

    BUY = "BUY"
    SELL = "SELL"


class Cause(StrEnum):
    """Why drift is left that the policy would have traded away."""

    MINIMUM = "minimum"
    UNSETTLED = "unsettled cash"
    CLOSED = "closed fund"
    RESTRICTION = "restriction"
    UNTRADABLE = "untradable"
    NO_SECURITY = "nothing to buy"
    HELD_AWAY = "held away"
    TURNOVER = "turnover cap"
    POLICY = "policy"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One net trade of a security in an account.

    quantity    units, positive, a whole number of the security's steps (a full liquidation is exact).
    price       money per unit in the security's currency.
    unit_value  money per unit in the base currency: price x multiplier x fx.
    value       quantity x unit_value to the cent, positive.
    cost        commission + half-spread + impact + redemption fee to the cent.
    half_spread, commission, impact, redemption   what `cost` is made of: fraction of value, money,
                money, money.
    settles     the day on which its money moves: `2026-11-24`, or `T+1` without a trade date.
    order_type, limit_price, time_in_force   how the order is sent; a price for LIMIT orders only.
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
    redemption: float = 0.0
    settles: str = "T+1"
    order_type: OrderType = OrderType.MARKET
    limit_price: float | None = None
    time_in_force: TimeInForce = TimeInForce.DAY

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
class CashDay:
    """The settled cash of an account on one day, in money: closing = opening + arriving + sells - buys
    - fees + flows.

    when      the date, `T+1` without a trade date, or `later` where the file's date says no more.
    arriving  cash of earlier activity that settles on the day.
    fees      costs of the trades that settle on the day.
    flows     contribution (+), withdrawals (-).
    """

    when: str
    opening: float
    arriving: float
    sells: float
    buys: float
    fees: float
    flows: float
    closing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """Drift that one cause leaves, as re-planning without it shows.

    asset_class, symbol  what the cause binds; empty for what binds the whole account.
    drift_pp             by how much the sum of |drift| over the classes, cash counted, would be smaller
                         without it, in percentage points.
    what                 the cause in words.
    """

    account: str
    asset_class: str
    symbol: str
    cause: Cause
    drift_pp: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to trade in one account, and what is left.

    triggered            whether the policy (or a flow, or a restriction) asks for trades.
    why                  the trigger in words.
    base_before          weight base in money after the flow and before trades.
    base_after           weight base after costs.
    cash_before          cash before the flow, settled or not.
    flow                 contribution (+) or withdrawal (-).
    reserve              money that stays in cash: the account's reserve and known withdrawals.
    cash_after           cash_before + flow + sells - buys - costs.
    turnover             (buys + sells) / 2 as a fraction of base_before.
    deposit_to_restore   smallest deposit that reaches every target by buying only (None: none does).
    notes                what the plan did not do, and why.
    remarks              what the plan takes for granted, and what to mind when it is carried out.
    leaving              the part of the reserve that is known to be withdrawn.
    cash_days            cash day by day, the trade date first.
    not_done             what keeps drift that is left, largest first; sums to `drift_left_pp`.
    proof                how good it is known to be, in the order of a good plan.
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
    remarks: tuple[str, ...] = ()
    leaving: float = 0.0
    cash_days: tuple[CashDay, ...] = ()
    not_done: tuple[NotDone, ...] = ()
    proof: Proof = NOTHING_ASKED

    @property
    def drift_left_pp(self) -> float:
        """The sum of |drift| over the classes after the trades, cash counted, in percentage points."""
        return 100 * math.fsum(abs(row.drift_after) for row in self.classes)
