"""A custodian's table under a header that is known word for word."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from xl_rebal.custodians import columns
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.filetypes import FileType
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.custodians.table import Table, columns_of
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Holdings

IsRow = Callable[[Sequence[Cell], Header], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A sheet from one header row down."""

    sheet: Sheet
    header: Header
    unit: str

    @property
    def above(self) -> list[str]:
        """All texts above the header."""
        return [text for row in self.sheet.rows[: self.header.row] for text in filled(row)]

    def table(
        self,
        problems: Problems,
        *,
        is_row: IsRow,
        is_end: Callable[[Sequence[Cell]], bool] | None = None,
    ) -> tuple[Table, list[str]]:
        """(the rows that `is_row` takes, up to `is_end`; the texts of the others)."""
        for role in self.header.clashes:
            if role != "cost":
                problems.fault(
                    self.sheet.line(self.header.row), self.header.label(role),
                    "stands twice in the header", "remove one of the columns",
                )  # fmt: skip
        width = len(self.header.cells)
        kept: list[Sequence[Cell]] = []
        lines: list[int] = []
        skipped: list[str] = []
        for number in range(self.header.row + 1, len(self.sheet.rows)):
            row = self.sheet.rows[number]
            if not any(row):
                continue
            if is_end is not None and is_end(row):
                break
            beyond = len(row) > width and filled(row[width:])
            if not is_row(row, self.header):
                skipped += filled(row)
            elif row[0] == self.header.cells[0] and filled(row) == [
                c for c in self.header.cells if c
            ]:
                continue  # the header once more
            elif beyond:
                problems.fault(
                    self.sheet.line(number), "", f"has {len(row)} cells under {width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
            else:
                kept.append(row)
                lines.append(self.sheet.line(number))
        table = Table(
            columns=columns_of(kept, self.header.index),
            labels={role: self.header.cells[i] for role, i in self.header.index.items()},
            lines=np.array(lines, dtype=np.int64),
        )
        return table, skipped

    @staticmethod
    def is_holding(row: Sequence[Cell], header: Header) -> bool:
        """True for a row with an account and something beside it; notes are one cell of text."""
        at = header.index["account"]
        if not cell_at(row, at):
            return False
        if len(row) > at + 2 and (row[at + 1] or row[at + 2]):  # the ordinary row, told quickly
            return True
        return any(as_text(c) for i, c in enumerate(row) if i != at)

    @staticmethod
    def names(holdings: Holdings, table: Table, problems: Problems) -> dict[str, str]:
        """Account -> its name; a second name for the same account is a warning."""
        names: dict[str, str] = {}
        pairs = dict.fromkeys(
            zip(holdings.account.tolist(), table.text("account_name"), strict=True)
        )
        for account, name in pairs:
            if name and names.get(account, name) != name:
                problems.warn(f"account {account} has two names, {names[account]} and {name}")
            elif name or account not in names:
                names[account] = name
        return names


@overload
def find_block(document: Document, wanted: Collection[str]) -> Block | None: ...
@overload
def find_block(document: Document, wanted: Collection[str], *, required: str) -> Block: ...
def find_block(
    document: Document, wanted: Collection[str], *, required: str | Literal[""] = ""
) -> Block | None:
    """The first header (of the first 60 rows) that has all `wanted` keys; ReadError if `required`."""
    for sheet in document.sheets:
        for number, row in enumerate(sheet.rows[:60]):
            if len(row) >= len(wanted) and set(wanted) <= {columns.key(c) for c in row}:
                unit = "line" if document.type is FileType.TEXT else f"sheet {sheet.name!r} row"
                return Block(sheet=sheet, header=columns.bind(number, row), unit=unit)
    if required:
        raise ReadError.of(
            where=document.name,
            what=f"has no {required.capitalize()} positions table",
            remedy="leave the custodian out, or export the positions again",
        )
    return None
