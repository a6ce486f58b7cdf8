"""What a plan must respect besides targets and restrictions: costs, sizes, dates, kinds of order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from xl_rebal.costs import CostModel
from xl_rebal.portfolio.flows import HORIZON


class OrderType(StrEnum):
    """How an order is priced: at the market, at a limit or better, at the close."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    MOC = "MOC"


class TimeInForce(StrEnum):
    """How long an order stands: the day, until cancelled, at the opening, immediately or not at all."""

    DAY = "DAY"
    GTC = "GTC"
    OPG = "OPG"
    IOC = "IOC"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStyle:
    """How the orders of exchange-traded securities are sent; funds trade at their own price.

    limit  for LIMIT orders: how far from the plan's price a limit stands, as a fraction.
    """

    order_type: OrderType = OrderType.MARKET
    limit: float | None = None
    time_in_force: TimeInForce = TimeInForce.DAY

    def __post_init__(self) -> None:
        if (self.order_type is OrderType.LIMIT) != (self.limit is not None):
            raise ValueError("a limit belongs to limit orders, and to them alone")
        if self.limit is not None and not 0 <= self.limit < 1:
            raise ValueError(f"a limit {self.limit:g} away from the price is not possible")
        if self.order_type is OrderType.MOC and self.time_in_force is not TimeInForce.DAY:
            raise ValueError("an order at the close is good for the day")

    def in_words(self) -> str:
        """`LIMIT at 0.5% from the plan's price, GTC; funds MARKET, DAY`."""
        kind = self.order_type.value
        if self.limit is not None:
            kind += f" at {self.limit * 100:g}% from the plan's price"
        return f"{kind}, {self.time_in_force.value}; mutual and money funds MARKET, DAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits that hold for every account of a run.

    costs         what trades cost.
    min_trade     smallest trade in money; smaller ones are not made.
    max_turnover  cap on (buys + sells) / 2 as a fraction of the weight base; None for no cap.
    orders        how orders are sent.
    """

    costs: CostModel = field(default_factory=CostModel)
    min_trade: float = 0.0
    max_turnover: float | None = None
    orders: OrderStyle = field(default_factory=OrderStyle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the trades are made.

    as_of         the trade date (the next trading day when the exchange is closed); None unknown.
    ordered_at    the moment when orders are sent, with its zone; None unknown.
    flow_horizon  calendar days ahead of which known withdrawals are kept back.
    """

    as_of: dt.date | None = None
    ordered_at: dt.datetime | None = None
    flow_horizon: int = HORIZON

    def __post_init__(self) -> None:
        if self.ordered_at is not None and self.ordered_at.tzinfo is None:
            raise ValueError("a moment needs its time zone")


class FlowMode(StrEnum):
    """How a contribution or withdrawal is used.

    hybrid      the flow buys (or sells) first; if a band is still broken, everything is rebalanced.
    buy-only    contributions and spare cash buy what is underweight; nothing is sold.
    raise-cash  withdrawals sell what is overweight; nothing is bought.
    """

    HYBRID = "hybrid"
    BUY_ONLY = "buy-only"
    RAISE_CASH = "raise-cash"
