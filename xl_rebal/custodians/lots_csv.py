"""The `lots` table as CSV: what `import --lots-out` writes, and the generic reader reads back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from xl_rebal.custodians.holdings_csv import cell_number, cell_text
from xl_rebal.custodians.statement import Statement
from xl_rebal.files import write_atomically
from xl_rebal.portfolio.lots import Lots

COLUMNS = (
    "account", "symbol", "acquired", "quantity", "unit_cost", "lot_id", "term", "currency",
)  # fmt: skip


def write_lots_csv(
    statements: Statement | Sequence[Statement], path: Path | str, *, overwrite: bool = False
) -> None:
    """Write the open lots of one or more statements, whole or not at all; raises FileError.

    What a file does not know (a day, a cost) stays blank, and is asked for where lots are used.
    """
    listed = [statements] if isinstance(statements, Statement) else list(statements)
    lots = Lots.concat(s.lots for s in listed)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    days = ["" if day is None else day.isoformat() for day in lots.acquired.tolist()]
    writer.writerows(
        zip(
            map(cell_text, lots.account.tolist()),
            map(cell_text, lots.symbol.tolist()),
            days,
            map(cell_number, lots.quantity.tolist()),
            map(cell_number, lots.unit_cost.tolist()),
            map(cell_text, lots.lot_id.tolist()),
            lots.term.tolist(),
            map(cell_text, lots.currency.tolist()),
            strict=True,
        )
    )
    write_atomically(path, stream.getvalue().encode(), overwrite=overwrite)
