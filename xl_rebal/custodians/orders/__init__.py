"""Order files: verified plans out, one declared format per custodian."""

from xl_rebal.custodians.orders.block_files import allocations_csv, blocks_csv, unsendable_csv
from xl_rebal.custodians.orders.cells import Why
from xl_rebal.custodians.orders.fields import LotInstruction
from xl_rebal.custodians.orders.formats import (
    OrderFormat,
    OrderFormats,
    load_formats,
    shipped_formats,
)
from xl_rebal.custodians.orders.ledger import (
    LEDGER,
    LedgerState,
    OpenOrder,
    read_ledger,
    record_done,
    record_export,
    record_release,
    require_free,
)
from xl_rebal.custodians.orders.reading import OrderRow, read_orders
from xl_rebal.custodians.orders.reconciling import FILLS, Reconciled, by_fills, by_positions
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
    Placed,
    Sending,
    Sent,
    Unsendable,
    write_orders,
)

__all__ = [
    "FILLS",
    "LEDGER",
    "NOTHING_ASKED",
    "Consent",
    "LedgerState",
    "LotInstruction",
    "OpenOrder",
    "OrderFiles",
    "OrderFormat",
    "OrderFormats",
    "OrderRow",
    "OrderWriter",
    "Placed",
    "Reconciled",
    "Sending",
    "Sent",
    "Unsendable",
    "VerifiedOrders",
    "Why",
    "allocations_csv",
    "blocks_csv",
    "by_fills",
    "by_positions",
    "load_formats",
    "orders_of_household",
    "orders_of_plans",
    "orders_of_rebalancing",
    "read_ledger",
    "read_line",
    "read_orders",
    "record_done",
    "record_export",
    "record_release",
    "require_free",
    "shipped_formats",
    "unsendable_csv",
    "write_orders",
]
