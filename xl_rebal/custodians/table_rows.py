"""Which rows below a header are holdings, and which are totals, notes or another table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import columns, grid, kinds
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Sheet, as_text, filled
from xl_rebal.custodians.table import Table, columns_of

_ENDS = frozenset("0123456789)")
_HEADINGS = frozenset({"STOCKS", "BONDS", "FUNDS", "ETFS", "OTHER"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """Rows of the table by what they are: holdings to read, and totals the file states."""

    header: Header
    columns: Mapping[str, Sequence[Cell]]  # our column -> the cells of the rows that are kept
    lines: NDArray[np.int64]
    totals: list[tuple[int, int, str, Sequence[Cell]]]  # rows before it, line, label, cells
    notes: list[str]

    @classmethod
    def of(cls, sheet: Sheet, header: Header, last: int | None, problems: Problems) -> TableRows:
        """Sort the rows below the header; notes and a second table below it are left out."""
        first = header.row + 1
        rows = sheet.rows[first:last]
        totals: list[tuple[int, int, str, Sequence[Cell]]] = []
        skipped: list[tuple[int, str]] = []
        width = len(header.cells)
        judge = _Judge.of(header)
        keep = np.ones(len(rows), dtype=np.bool_)
        gap = False
        dropped = 0
        for place in judge.odd_rows(rows, width):
            row, number = rows[place], first + place
            keep[place] = False
            kept = place - dropped
            dropped += 1
            words = filled(row)
            if not words:
                gap = gap or kept > 0
                continue
            total = judge.total_label(row, words[0])
            if total:
                totals.append((kept, sheet.line(number), total, row))
            elif words == [c for c in header.cells if c]:
                continue  # the header once more, at the top of a printed page
            elif kept and _is_words(words) and len(columns.bind(number, row).index) >= 3:
                problems.warn(f"a second table from line {sheet.line(number)} on was not read")
                keep[place:] = False
                break
            elif judge.is_note(row, words, after_gap=gap):
                skipped.append((sheet.line(number), " ".join(words)))
            elif len(row) > width and any(as_text(c) for c in row[width:]):
                problems.fault(
                    sheet.line(number), "", f"has {len(row)} cells under {width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
            else:
                keep[place] = True
                dropped -= 1
        if skipped:
            shown = skipped[0][1][:60] + ("..." if len(skipped[0][1]) > 60 else "")
            problems.warn(
                f"{listed(n for n, _ in skipped)}: text that is no holding was not read ({shown!r})"
            )
        notes = [text for _, text in skipped]
        return cls(
            header=header,
            columns=columns_of(grid.taken(rows, keep), header.index),
            lines=sheet.lines[first : first + len(rows)][keep],
            totals=totals,
            notes=notes,
        )

    def table(self) -> Table:
        """The rows to read, as columns."""
        index = self.header.index
        return Table(
            columns=self.columns,
            labels={role: self.header.cells[i] for role, i in index.items()},
            lines=self.lines,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Tells holdings from totals and remarks, given where the columns are.

    amounts  positions of quantity, price and value; labels those of symbol, account, description.
    """

    amounts: tuple[int, ...]
    labels: tuple[int, ...]
    quantity: int | None
    price: int | None
    kind: int | None

    @classmethod
    def of(cls, header: Header) -> _Judge:
        index = header.index
        return cls(
            amounts=tuple(index[r] for r in ("quantity", "price", "value") if r in index),
            labels=tuple(index[r] for r in ("symbol", "account", "description") if r in index),
            quantity=index.get("quantity"),
            price=index.get("price"),
            kind=index.get("kind"),
        )

    def odd_rows(self, rows: Sequence[Sequence[Cell]], width: int) -> list[int]:
        """Positions of the rows that are not ordinary, looked for column by column."""
        if not rows:
            return []
        widths = grid.widths(rows)
        if len(widths) > 1 or min(widths) < width:
            return [
                place
                for place, row in enumerate(rows)
                if len(row) != width or not self.is_ordinary(row)
            ]
        odd: set[int] = set()
        for at in self.amounts:
            odd.update(_odd_amounts(grid.column_of(rows, at)))
        labels = grid.column_of(rows, self.labels[0])
        if not _plain_labels(labels):
            odd.update(place for place, cell in enumerate(labels) if not _is_plain(cell))
        for at in range(width, min(widths)):
            beyond = grid.column_of(rows, at)
            odd.update(place for place, cell in enumerate(beyond) if cell not in ("", None))
        return sorted(odd)

    def is_ordinary(self, row: Sequence[Cell]) -> bool:
        """A holding, told quickly: every amount ends like a number and no label says total."""
        for at in self.amounts:
            cell = row[at]
            if type(cell) is str:
                if cell[-1:] not in _ENDS or cell == "":
                    return False
            elif cell is None:
                return False
        return _is_plain(row[self.labels[0]])

    def total_label(self, row: Sequence[Cell], first: str) -> str:
        """The words of a total row (`Account Total`, `Total Roth IRA`, `Bonds total`), else empty."""
        if self.kind is not None and as_text(cell_at(row, self.kind)):
            return ""  # a row that says it is a holding is one, whatever its name
        label = next((w for w in (as_text(cell_at(row, i)) for i in self.labels) if w), first)
        blank = [
            at is None or as_text(cell_at(row, at)) in kinds.NOTHING
            for at in (self.quantity, self.price)
        ]
        for words in (first, label):
            if kinds.is_total(words, loosely=all(blank)):
                return words
        return ""

    def is_note(self, row: Sequence[Cell], words: Sequence[str], *, after_gap: bool) -> bool:
        """A heading or remark, rather than a holding that lost its numbers."""
        amounts = [as_text(cell_at(row, a)) for a in self.amounts]
        if any(ch.isdigit() for text in amounts for ch in text):
            return False
        count = sum(len(text.split()) for text in words)
        if len(words) > 1 or any(amounts):
            return count >= 8 or (after_gap and count >= 4)  # prose that commas cut into cells
        text = words[0]
        if after_gap and len(row) == 1:
            return True
        return not text.isupper() or len(text) > 6 or count > 1 or text in _HEADINGS


def _odd_amounts(cells: Sequence[Cell]) -> list[int]:
    """Positions of the cells that do not end like a number."""
    found = set(map(type, cells))
    if found.isdisjoint({str, type(None)}):
        return []
    if found == {str} and all(cells):
        lasts = set(map(itemgetter(-1), cells))
        if lasts <= _ENDS:
            return []
    return [
        place
        for place, cell in enumerate(cells)
        if cell is None or (type(cell) is str and cell[-1:] not in _ENDS)
    ]


def _is_plain(cell: Cell) -> bool:
    """A label that is text and no total."""
    return type(cell) is str and cell != "" and "otal" not in cell and "OTAL" not in cell


def _plain_labels(cells: Sequence[Cell]) -> bool:
    """The same of a whole column, told from one long text."""
    if set(map(type, cells)) != {str} or not all(cells):
        return False
    joined = "\0".join(cells)
    return "otal" not in joined and "OTAL" not in joined


def _is_words(words: Sequence[str]) -> bool:
    return not any(ch.isdigit() for text in words for ch in text)
