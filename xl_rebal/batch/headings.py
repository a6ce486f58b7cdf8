"""The header of a table that is read row by row: what its columns are, and whose row is whose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xl_rebal.custodians import columns
from xl_rebal.custodians.columns import Header
from xl_rebal.custodians.find_table import check_header, find_table
from xl_rebal.custodians.input_tables import find_header, plain_header, typed_columns
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.row_streams import Lined, RowStream
from xl_rebal.custodians.sheets import Document, as_text
from xl_rebal.errors import ReadError, TableError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.table_columns import TableColumns
from xl_rebal.portfolio.tables import TableSpec

_SEARCHED = 200  # rows among which a header is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A table's header and the rows above it.

    spec     the table's columns; None for holdings, whose reader has words of its own.
    above    rows down to the header, the header last.
    account  position of the account's cell (of the first column that is wanted of a shared table).
    header   what the columns of holdings are.
    """

    stream: RowStream
    spec: TableSpec | None
    above: tuple[Lined, ...]
    account: int
    header: Header | None = field(default=None)

    @property
    def where(self) -> str:
        """The words for the table in messages."""
        return self.stream.where

    @property
    def names(self) -> list[str]:
        """The header's cells as text."""
        return [plain_header(cell) for cell in self.above[-1][1]]

    def owner(self, row: Sequence[Cell]) -> str:
        """The account that a row names; empty for none."""
        return as_text(row[self.account]) if self.account < len(row) else ""

    def position(self, column: str) -> int | None:
        """Where a named column stands; None where the table has not got it."""
        assert self.spec is not None
        for position, name in enumerate(self.names):
            found = self.spec.column_for(name) if name else None
            if found is not None and found.name == column:
                return position
        return None

    @staticmethod
    def text(row: Sequence[Cell], position: int | None) -> str:
        """The text of a row's cell; empty where there is none."""
        return cells.text(row[position]) if position is not None and position < len(row) else ""

    def document(self, rows: Sequence[Lined]) -> Document:
        """Rows of the table as a file of their own, the header above them."""
        return self.stream.document([*self.above, *rows])

    def table(self, rows: Sequence[Lined]) -> TableColumns | list[dict[str, Any]]:
        """Typed columns, or the rows where there are none; raises TableError with every bad cell."""
        assert self.spec is not None
        names, spec = self.names, replace(self.spec, may_be_empty=True)
        below, lines = [row for _, row in rows], np.array([n for n, _ in rows], dtype=np.int64)
        found = typed_columns(spec, names, below, lines, self.where)
        if found is not None:
            return found
        texts = (
            (line, [cells.text(c) if isinstance(c, str) else c for c in row]) for line, row in rows
        )
        return tables.read_rows(spec, names, texts, where=self.where)

    def records(self, rows: Sequence[Lined]) -> list[dict[str, Any]]:
        """Typed rows; raises TableError with every bad cell."""
        found = self.table(rows)
        return found if isinstance(found, list) else found.rows()


def holdings_heading(stream: RowStream) -> tuple[Heading, Iterator[Lined]]:
    """The heading of a table of positions, and the rows below it; raises ReadError or TableError."""
    head = list(itertools.islice(stream.rows, _SEARCHED))
    document = stream.document(head)
    sheet, header, _ = find_table(document, ColumnMapping())
    check_header(document, sheet, header)
    if "account" not in header.index:
        raise TableError.of(
            where=stream.where,
            what="column account is missing, and the book has many accounts",
            remedy="add a column headed account",
        )
    heading = Heading(
        stream=stream,
        spec=None,
        above=tuple(head[: header.row + 1]),
        account=header.index["account"],
        header=header,
    )
    return heading, itertools.chain(head[header.row + 1 :], stream.rows)


def table_heading(
    stream: RowStream, spec: TableSpec, *, owner: str = "account"
) -> tuple[Heading, Iterator[Lined]]:
    """The same of any other table; `owner` is the column that says whom a row concerns."""
    head = list(itertools.islice(stream.rows, _SEARCHED))
    if not head:
        raise ReadError.of(where=stream.where, what="is empty", remedy="add its header")
    _, row = find_header(stream.document(head), spec)
    names = [plain_header(cell) for cell in head[row][1]]
    bound = tables.require_columns(spec, names, where=stream.where)
    place = next((at for at, column in bound.items() if column.name == owner), len(names))
    heading = Heading(stream=stream, spec=spec, above=tuple(head[: row + 1]), account=place)
    return heading, itertools.chain(head[row + 1 :], stream.rows)


def is_blank(row: Sequence[Cell]) -> bool:
    """True for a row without anything in it."""
    return all(cells.is_blank(cell) for cell in row)


def role_cells(header: Header, role: str, rows: Sequence[Lined]) -> list[Cell]:
    """The cells of one of our columns; empty texts where the table has not got it."""
    at = header.index.get(role)
    return [columns.cell_at(row, at) if at is not None else "" for _, row in rows]
