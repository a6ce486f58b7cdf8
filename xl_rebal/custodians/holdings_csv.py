"""The `holdings` table as CSV: what `import --out` writes, and the generic reader reads back whole."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xl_rebal.custodians.statement import Statement
from xl_rebal.files import write_atomically

COLUMNS = (
    "account", "symbol", "kind", "quantity", "price", "value", "multiplier", "currency", "fx",
    "asset_class", "as_of", "description",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "'", "\t", "\r")


def write_holdings_csv(
    statements: Statement | Sequence[Statement], path: Path | str, *, overwrite: bool = False
) -> None:
    """Write the rows of one or more statements, whole or not at all; raises FileError.

    Text that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`) gets a leading apostrophe,
    which the reader takes away again.
    """
    listed = [statements] if isinstance(statements, Statement) else list(statements)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    settles = any(not np.isnat(each.holdings.settles).all() for each in listed)
    writer.writerow((*COLUMNS, "settles") if settles else COLUMNS)
    for statement in listed:
        held = statement.holdings
        as_of = statement.as_of.isoformat() if statement.as_of else ""
        numbers = [
            map(cell_number, getattr(held, name).tolist())
            for name in ("quantity", "price", "stated_value", "multiplier", "fx")
        ]
        quantity, price, value, multiplier, fx = numbers
        columns = (
            map(cell_text, held.account.tolist()), map(cell_text, held.symbol.tolist()),
            held.kind.tolist(), quantity, price, value, multiplier,
            map(cell_text, held.currency.tolist()), fx, map(cell_text, held.asset_class.tolist()),
            [as_of] * len(held), map(cell_text, held.description.tolist()),
        )  # fmt: skip
        if settles:
            days = [day.isoformat() if day else "" for day in held.settles.tolist()]
            columns = (*columns, days)  # type: ignore[assignment]  # one column more
        writer.writerows(zip(*columns, strict=True))
    write_atomically(path, stream.getvalue().encode(), overwrite=overwrite)


def cell_text(value: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_DANGEROUS) else value


def cell_number(value: float) -> str:
    """A number to its last digit; blank for NaN."""
    if math.isnan(value):
        return ""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
