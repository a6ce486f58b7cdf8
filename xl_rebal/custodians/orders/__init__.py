"""Order files: verified plans out, one declared format per custodian."""

from xl_rebal.custodians.orders.cells import Why
from xl_rebal.custodians.orders.fields import LotInstruction
from xl_rebal.custodians.orders.formats import (
    OrderFormat,
    OrderFormats,
    load_formats,
    shipped_formats,
)
from xl_rebal.custodians.orders.reading import OrderRow, read_orders
from xl_rebal.custodians.orders.verified import (
    VerifiedOrders,
    orders_of_household,
    orders_of_plans,
    orders_of_rebalancing,
    read_line,
)
from xl_rebal.custodians.orders.writing import (
    NOTHING_ASKED,
    Consent,
    OrderFiles,
    OrderWriter,
    Sending,
    Sent,
    Unsendable,
    write_orders,
)

__all__ = [
    "NOTHING_ASKED",
    "Consent",
    "LotInstruction",
    "OrderFiles",
    "OrderFormat",
    "OrderFormats",
    "OrderRow",
    "OrderWriter",
    "Sending",
    "Sent",
    "Unsendable",
    "VerifiedOrders",
    "Why",
    "load_formats",
    "orders_of_household",
    "orders_of_plans",
    "orders_of_rebalancing",
    "read_line",
    "read_orders",
    "shipped_formats",
    "write_orders",
]
