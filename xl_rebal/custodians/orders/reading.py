"""Order files read back: what a custodian's program would find in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from xl_rebal.custodians.orders.formats import OrderColumn, OrderFormat
from xl_rebal.errors import FaultList, ReadError
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.plan import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order as a file has it."""

    account: str
    symbol: str
    action: Action
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce


def read_orders(data: bytes, made: OrderFormat, where: str) -> tuple[OrderRow, ...]:
    """The orders of a file in a format; raises ReadError with every line that cannot be read."""
    try:
        text = data.decode(made.encoding)
    except UnicodeDecodeError as error:
        raise ReadError.of(
            where=where,
            what=f"is no {made.encoding} text ({error.reason})",
            remedy="export it again",
        ) from None
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=made.delimiter))
    header = [column.header for column in made.columns]
    if made.header:
        if not rows or rows[0] != header:
            raise ReadError.of(
                where=where,
                what=f"its header is not that of {made.name}: {made.delimiter.join(header)}",
                remedy="name the format that it was written in",
            )
        rows = rows[1:]
    faults = FaultList()
    found: list[OrderRow] = []
    for number, row in enumerate(rows, start=1 + made.header):
        try:
            if len(row) != len(header):
                raise ValueError(f"has {len(row)} cells, not {len(header)}")
            found.append(_row(made, row))
        except (ValueError, InvalidOperation) as error:
            faults.add(where=f"{where} line {number}", what=str(error), remedy="export it again")
    faults.raise_as(ReadError)
    return tuple(found)


def _row(made: OrderFormat, row: Sequence[str]) -> OrderRow:
    cells = {
        column.field: _plain(made, column, cell)
        for column, cell in zip(made.columns, row, strict=True)
        if column.field
    }
    limit = cells.get("limit_price", "")
    return OrderRow(
        account=cells["account"],
        symbol=cells["symbol"],
        action=Action(cells["action"]),
        quantity=Decimal(cells["quantity"]),
        order_type=OrderType(cells["order_type"]),
        limit_price=Decimal(limit) if limit else None,
        time_in_force=TimeInForce(cells["time_in_force"]),
    )


def _plain(made: OrderFormat, column: OrderColumn, cell: str) -> str:
    """Our word for a cell."""
    if column.field == "symbol":
        return _turned(made.symbols).get(cell, cell)
    if column.codes and column.field != "vehicle":  # two vehicles may share a code
        return _turned(column.codes).get(cell, cell)
    if column.field in ("quantity", "limit_price"):
        return cell.replace(made.decimal, ".")
    return cell


def _turned(codes: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in codes.items()}
