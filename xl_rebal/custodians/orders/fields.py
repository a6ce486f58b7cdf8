"""What a column of an order file can hold: a field of the order or of a lot, by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import Order
from xl_rebal.trading.plan import Action

Value = str | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotInstruction:
    """Which units of a sale come from which lot.

    quantity  units of the lot that are sold; the lots of an order add up to it.
    """

    account: str
    symbol: str
    lot_id: str
    acquired: dt.date
    quantity: Decimal
    plan_id: str = ""


def _money(amount: float) -> Decimal:
    return Decimal(repr(round(amount, 2)))


# Texts that are the user's own (written as they are or refused), words of ours (`codes` of a column
# translate them), numbers.
TEXTS = frozenset({"account", "client", "symbol", "custodian", "currency", "plan_id", "lot_id"})
WORDS: Mapping[str, tuple[str, ...]] = {
    "action": tuple(each.value for each in Action),
    "order_type": tuple(each.value for each in OrderType),
    "time_in_force": tuple(each.value for each in TimeInForce),
    "vehicle": tuple(each.value for each in Vehicle),
}
NUMBERS = frozenset({"quantity", "limit_price", "price", "value", "lot_quantity"})

ORDER_FIELDS: Mapping[str, Callable[[Order], Value]] = {
    "account": lambda order: order.account,
    "client": lambda order: order.client,
    "symbol": lambda order: order.symbol,
    "action": lambda order: order.action.value,
    "quantity": lambda order: order.quantity,
    "order_type": lambda order: order.order_type.value,
    "limit_price": lambda order: order.limit_price,
    "time_in_force": lambda order: order.time_in_force.value,
    "custodian": lambda order: order.custodian,
    "currency": lambda order: order.currency,
    "vehicle": lambda order: order.vehicle.value,
    "price": lambda order: Decimal(repr(float(order.price))),
    "value": lambda order: _money(order.value),
    "plan_id": lambda order: order.plan_id,
}
LOT_FIELDS: Mapping[str, Callable[[LotInstruction], Value]] = {
    "lot_id": lambda lot: lot.lot_id,
    "acquired": lambda lot: lot.acquired.isoformat(),
    "lot_quantity": lambda lot: lot.quantity,
}
NEEDED = ("account", "symbol", "action", "quantity", "order_type", "time_in_force")
