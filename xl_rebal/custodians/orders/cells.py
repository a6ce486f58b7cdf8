"""One row of an order file: each cell exact, or refused with the reason."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from xl_rebal.custodians.orders.fields import (
    LOT_FIELDS,
    ORDER_FIELDS,
    WORDS,
    LotInstruction,
    Value,
)
from xl_rebal.custodians.orders.formats import OrderColumn, OrderFormat
from xl_rebal.trading.order import Order, decimal_text

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", " ")


class Why(StrEnum):
    """Why an order cannot be sent."""

    MASKED = "masked account"
    HELD_AWAY = "held away"
    CONSENT = "client's word needed"
    NO_CUSTODIAN = "no custodian"
    UNKNOWN_CUSTODIAN = "unknown custodian"
    TEMPLATE_REQUIRED = "template required"
    TEXT = "text that would change"
    NO_CODE = "no code"
    FRACTION = "fraction"
    TOO_LONG = "too long"
    ACCOUNT = "with its account"


class Refused(Exception):  # noqa: N818 - caught in this room, never shown
    """A cell that cannot be written exactly."""

    def __init__(self, why: Why, what: str, remedy: str) -> None:
        super().__init__(what)
        self.why, self.what, self.remedy = why, what, remedy


def header_of(made: OrderFormat) -> bytes:
    """The first line of a file."""
    return _joined(made, [column.header for column in made.columns])


def line_of(made: OrderFormat, order: Order, lot: LotInstruction | None = None) -> bytes:
    """The line of an order, or of one lot of it; raises Refused."""
    return _joined(made, [_cell(made, column, order, lot) for column in made.columns])


def _cell(made: OrderFormat, column: OrderColumn, order: Order, lot: LotInstruction | None) -> str:
    if not column.field:
        return column.constant
    if column.field in LOT_FIELDS:
        value: Value = LOT_FIELDS[column.field](lot) if lot is not None else None
    else:
        value = ORDER_FIELDS[column.field](order)
    name = column.header or column.field
    if value is None or value == "":
        if not column.default and column.field in ("account", "symbol"):
            raise Refused(Why.TEXT, f"has no {column.field}", "correct the holdings")
        return column.default
    if isinstance(value, Decimal):
        text = _number(made, column, value, name)
    elif column.field in WORDS:
        text = _coded(made, column, value, name)
    else:
        text = _text(made, column, value, name)
    if column.max_length and len(text) > column.max_length:
        raise Refused(
            Why.TOO_LONG,
            f"{name} {text!r} has {len(text)} characters, and {made.name} takes {column.max_length}",
            "send the order by hand",
        )
    return text


def _number(made: OrderFormat, column: OrderColumn, value: Decimal, name: str) -> str:
    text = decimal_text(value)
    places = len(text.partition(".")[2])
    if places > column.decimals:
        kind = "whole numbers" if column.decimals == 0 else f"{column.decimals} decimals"
        raise Refused(
            Why.FRACTION,
            f"{name} {text} has a fraction, and {made.name} takes {kind}",
            "send the order by hand",
        )
    return text.replace(".", made.decimal)


def _coded(made: OrderFormat, column: OrderColumn, value: str, name: str) -> str:
    if not column.codes:
        return value
    code = column.codes.get(value)
    if code is None:
        raise Refused(
            Why.NO_CODE,
            f"{made.name} has no code for {column.field} {value}",
            f"send the order by hand, or give column {name!r} a code in a format of your own",
        )
    return code


def _text(made: OrderFormat, column: OrderColumn, value: str, name: str) -> str:
    text = made.symbols.get(value, value) if column.field == "symbol" else value
    if text.startswith(_DANGEROUS) or text != text.strip() or not text.isprintable():
        raise Refused(
            Why.TEXT,
            f"{name} {text!r} is blank, begins with a character (= + - @ or a space) or holds one (a "
            "line break, an invisible one) that a spreadsheet or an order desk's program would not keep "
            "as text",
            "correct it in the holdings",
        )
    pattern = (
        column.pattern if text == value else ""
    )  # a symbol under [symbols] is as the user says
    if pattern and not re.fullmatch(pattern, text):
        raise Refused(
            Why.TEXT,
            f"{name} {text!r} has other characters than {made.name} is known to take",
            f"write how {made.name} spells it under [symbols] of its format (docs/orders.md)",
        )
    return text


def _joined(made: OrderFormat, cells: list[str]) -> bytes:
    special = (made.delimiter, '"', "\r", "\n")
    parts = []
    for cell in cells:
        odd = any(sign in cell for sign in special)
        if odd and made.quotes == "never":
            raise Refused(
                Why.TEXT,
                f"{cell!r} holds a sign that {made.name} uses between cells",
                "correct it in the holdings, or send the order by hand",
            )
        quoted = made.quotes == "always" or odd
        parts.append('"' + cell.replace('"', '""') + '"' if quoted else cell)
    line = made.delimiter.join(parts) + made.newline
    try:
        return line.encode(made.encoding)
    except UnicodeEncodeError as error:
        raise Refused(
            Why.TEXT,
            f"{line[error.start]!r} cannot be written in a file of {made.encoding}",
            "correct it in the holdings, or send the order by hand",
        ) from None
