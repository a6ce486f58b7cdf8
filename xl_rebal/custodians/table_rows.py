"""Which rows below a header are holdings, and which are totals, notes or another table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.custodians import columns, kinds
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
    cells: list[Sequence[Cell]]
    lines: list[int]
    totals: list[tuple[int, int, str, Sequence[Cell]]]  # rows before it, line, label, cells
    notes: list[str]

    @classmethod
    def of(cls, sheet: Sheet, header: Header, last: int | None, problems: Problems) -> TableRows:
        """Sort the rows below the header; notes and a second table below it are left out."""
        kept: list[Sequence[Cell]] = []
        lines: list[int] = []
        totals: list[tuple[int, int, str, Sequence[Cell]]] = []
        skipped: list[tuple[int, str]] = []
        width = len(header.cells)
        judge = _Judge.of(header)
        gap = False
        for number, row in enumerate(sheet.rows[header.row + 1 : last], header.row + 1):
            if len(row) == width and judge.is_ordinary(row):
                kept.append(row)
                lines.append(sheet.line(number))
                continue
            words = filled(row)
            if not words:
                gap = gap or bool(kept)
                continue
            total = judge.total_label(row, words[0])
            if total:
                totals.append((len(kept), sheet.line(number), total, row))
            elif words == [c for c in header.cells if c]:
                continue  # the header once more, at the top of a printed page
            elif kept and _is_words(words) and len(columns.bind(number, row).index) >= 3:
                problems.warn(f"a second table from line {sheet.line(number)} on was not read")
                break
            elif judge.is_note(row, words, after_gap=gap):
                skipped.append((sheet.line(number), " ".join(words)))
            elif len(row) > width and any(as_text(c) for c in row[width:]):
                problems.fault(
                    sheet.line(number), "", f"has {len(row)} cells under {width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
            else:
                kept.append(row)
                lines.append(sheet.line(number))
        if skipped:
            shown = skipped[0][1][:60] + ("..." if len(skipped[0][1]) > 60 else "")
            problems.warn(
                f"{listed(n for n, _ in skipped)}: text that is no holding was not read ({shown!r})"
            )
        notes = [text for _, text in skipped]
        return cls(header=header, cells=kept, lines=lines, totals=totals, notes=notes)

    def table(self) -> Table:
        """The rows to read, as columns."""
        index = self.header.index
        return Table(
            columns=columns_of(self.cells, index),
            labels={role: self.header.cells[i] for role, i in index.items()},
            lines=np.array(self.lines, dtype=np.int64),
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

    def is_ordinary(self, row: Sequence[Cell]) -> bool:
        """A holding, told quickly: every amount ends like a number and no label says total."""
        for at in self.amounts:
            cell = row[at]
            if type(cell) is str:
                if cell[-1:] not in _ENDS or cell == "":
                    return False
            elif cell is None:
                return False
        first = row[self.labels[0]]
        return type(first) is str and first != "" and "otal" not in first and "OTAL" not in first

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


def _is_words(words: Sequence[str]) -> bool:
    return not any(ch.isdigit() for text in words for ch in text)
