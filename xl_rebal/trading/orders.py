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

    What is asked for is a promise: the limit is rounded to the tick towards the price, never beyond it.
    Only where no tick stands between the two (a price between ticks, a share of less than a tick) does
    it go to the next tick beyond the price, less than one tick away: a limit that the price itself
    does not meet would leave the order undone. Never below one tick.

    >>> limit_price(220.13, 0.005, buy=True), limit_price(220.13, 0.005, buy=False)
    (221.23, 219.03)
    >>> limit_price(10.005, 0.0, buy=True), limit_price(10.005, 0.0, buy=False)
    (10.01, 10.0)
    """
    wanted = price * (1 + share) if buy else price * (1 - share)
    tick = tick_of(wanted)
    steps, at_price = _steps(wanted, tick), _steps(price, tick)
    if buy:
        whole = max(math.floor(steps), math.ceil(at_price))
    else:
        whole = min(math.ceil(steps), math.floor(at_price))
    return max(tick, round(whole * tick, 4))


def _steps(price: float, tick: float) -> float:
    return float(f"{price / tick:.14g}")  # less the float's own error, or 48,949.329999 is .33


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
