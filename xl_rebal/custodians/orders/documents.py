"""Orders as JSON keeps them, in the ledger and between the steps of a long run."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import Order
from xl_rebal.trading.plan import Action

_TEXTS = ("account", "symbol", "custodian", "client", "currency", "plan_id")
_PLAIN = (*_TEXTS, "price", "value", "cost", "discretionary", "held_away")
_EXACT = ("quantity", "limit_price", "step", "held")


def order_document(order: Order) -> dict[str, Any]:
    """An order as JSON keeps it: exact numbers as texts."""
    document = {name: getattr(order, name) for name in _PLAIN}
    for name in _EXACT:
        number = getattr(order, name)
        document[name] = None if number is None else f"{number:f}"
    for name in ("action", "order_type", "time_in_force", "vehicle"):
        document[name] = getattr(order, name).value
    return document


def order_of_document(document: Mapping[str, Any]) -> Order:
    """The order that `order_document` wrote."""
    exact = {n: None if document[n] is None else Decimal(document[n]) for n in _EXACT}
    return Order(
        **{
            **document,
            **exact,
            "action": Action(document["action"]),
            "order_type": OrderType(document["order_type"]),
            "time_in_force": TimeInForce(document["time_in_force"]),
            "vehicle": Vehicle(document["vehicle"]),
        }
    )
