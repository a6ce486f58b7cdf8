"""How a trade is sent: market, limit or at the close, and how long the order stands."""

from __future__ import annotations

import math

from xl_rebal.trading.limits import OrderStyle, OrderType, TimeInForce
from xl_rebal.trading.problem import Line

_DOLLAR = 1.0


def tick_of(price: float) -> float:
    """The smallest step of a limit price: a cent, below one dollar a hundredth of a cent.

    17 CFR 242.612 (Regulation NMS, minimum pricing increment).
    """
    return 0.01 if price >= _DOLLAR else 0.0001


def limit_price(price: float, share: float, *, buy: bool) -> float:
    """The price that a buy pays at most, or a sale takes at least: `share` of the price away from it.

    Rounded to the tick towards the price, so that a limit is never further away than asked; never
    past the price itself, and never below one tick.

    >>> limit_price(220.13, 0.005, buy=True), limit_price(220.13, 0.005, buy=False)
    (221.23, 219.03)
    """
    wanted = price * (1 + share) if buy else price * (1 - share)
    tick = tick_of(wanted)
    steps = float(f"{wanted / tick:.14g}")  # the float's own error only, or 48,949.329999 is .33
    whole = math.floor(steps) if buy else math.ceil(steps)
    return max(tick, round(whole * tick, 4))


def order_of(
    line: Line, style: OrderStyle, *, buy: bool
) -> tuple[OrderType, float | None, TimeInForce]:
    """(order type, limit price, time in force) of a trade.

    Funds are bought and sold at their own price of the day: their orders are MARKET and DAY always.
    """
    if not line.listed:
        return OrderType.MARKET, None, TimeInForce.DAY
    if style.limit is None:
        return style.order_type, None, style.time_in_force
    return style.order_type, limit_price(line.price, style.limit, buy=buy), style.time_in_force
