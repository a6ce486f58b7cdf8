"""Blocks, allocations and what cannot be sent as CSV for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from xl_rebal.custodians.holdings_csv import cell_text
from xl_rebal.custodians.orders.writing import Unsendable
from xl_rebal.trading.allocation import Allocation
from xl_rebal.trading.blocks import Block
from xl_rebal.trading.order import Order

Cell = str | Decimal | int | None

BLOCK_COLUMNS = (
    "block", "wave", "custodian", "symbol", "action", "quantity", "orders", "price", "value",
    "order_type", "limit_price", "time_in_force", "currency",
)  # fmt: skip
ALLOCATION_COLUMNS = (
    "block", "account", "symbol", "action", "ordered", "quantity", "price", "amount",
)  # fmt: skip
UNSENDABLE_COLUMNS = (
    "client", "account", "custodian", "symbol", "action", "quantity", "order_type", "limit_price",
    "time_in_force", "why", "what", "remedy",
)  # fmt: skip


def blocks_csv(blocks: Iterable[Block]) -> bytes:
    """One line a block, sells first."""
    return _csv(
        BLOCK_COLUMNS,
        (
            [
                each.block,
                each.wave,
                each.custodian,
                each.symbol,
                each.action.value,
                each.quantity,
                each.orders,
                each.price,
                each.value,
                each.order_type.value,
                each.limit_price,
                each.time_in_force.value,
                each.currency,
            ]
            for each in blocks
        ),
    )


def allocations_csv(allocations: Iterable[Allocation]) -> bytes:
    """One line for each account of a filled block."""
    return _csv(
        ALLOCATION_COLUMNS,
        (
            [
                each.block,
                each.account,
                each.symbol,
                each.action.value,
                each.ordered,
                each.quantity,
                each.price,
                each.amount,
            ]
            for each in allocations
        ),
    )


def unsendable_csv(unsendable: Iterable[Unsendable]) -> bytes:
    """One line for each order that stands in no order file, with its reason and remedy."""
    return _csv(
        UNSENDABLE_COLUMNS,
        (
            [*_order_cells(each.order), each.why.value, each.what, each.remedy]
            for each in unsendable
        ),
    )


def _order_cells(order: Order) -> list[Cell]:
    return [
        order.client,
        order.account,
        order.custodian,
        order.symbol,
        order.action.value,
        order.quantity,
        order.order_type.value,
        order.limit_price,
        order.time_in_force.value,
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8, LF line ends; text that a spreadsheet would take for a formula gets an apostrophe."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            [
                f"{cell:f}"
                if isinstance(cell, Decimal)
                else cell_text(cell)
                if isinstance(cell, str)
                else cell
                for cell in row
            ]
        )
    return stream.getvalue().encode()
