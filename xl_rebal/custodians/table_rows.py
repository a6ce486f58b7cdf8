"""Which rows below a header are holdings, and which are totals, notes or another table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import Table
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Sheet, as_text, filled

_STARTS = frozenset("0123456789.,-+($€£'")


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
        amounts = [header.index[r] for r in ("quantity", "price", "value") if r in header.index]
        price = header.index.get("price", -1)
        labels = [
            header.index[r] for r in ("symbol", "account", "description") if r in header.index
        ]
        first_line = header.row + 1
        gap = False
        pick = itemgetter(*amounts)
        for number, row in enumerate(sheet.rows[first_line:last], first_line):
            # The ordinary row, told quickly: all cells there, and all its amounts begin like numbers.
            if len(row) == width:
                picked = pick(row)
                if all(picked) and (type(picked[0]) is not str or picked[0][0] in _STARTS):
                    kept.append(row)
                    lines.append(sheet.line(number))
                    continue
            if not any(row):
                gap = gap or bool(kept)
                continue
            if len(row) > width and any(as_text(c) for c in row[width:]):
                problems.fault(
                    sheet.line(number), "", f"has {len(row)} cells under {width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
                continue
            words = filled(row)
            if not words:
                gap = gap or bool(kept)
                continue
            label = next((w for w in (as_text(cell_at(row, i)) for i in labels) if w), words[0])
            total = next((w for w in (words[0], label) if kinds.is_total(w)), "")
            if total and not (price >= 0 and as_text(cell_at(row, price)) not in kinds.NOTHING):
                totals.append((len(kept), sheet.line(number), total, row))
                continue
            if _is_header_again(row, header):
                continue
            if kept and len(columns.bind(number, row).index) >= 3 and _is_words(row):
                problems.warn(f"a second table from line {sheet.line(number)} on was not read")
                break
            if not any(as_text(cell_at(row, a)) for a in amounts) and (
                len(words) == 1 and (gap or _is_note(words[0]))
            ):
                skipped.append((sheet.line(number), words[0]))
                continue
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
        wanted: Mapping[str, int] = self.header.index
        return Table(
            columns={
                role: [row[i] if i < len(row) else "" for row in self.cells]
                for role, i in wanted.items()
            },
            labels={role: self.header.cells[i] for role, i in wanted.items()},
            lines=np.array(self.lines, dtype=np.int64),
        )


def _is_header_again(row: Sequence[Cell], header: Header) -> bool:
    return [as_text(c) for c in row if as_text(c)] == [c for c in header.cells if c]


def _is_words(row: Sequence[Cell]) -> bool:
    return not any(any(ch.isdigit() for ch in text) for text in filled(row))


def _is_note(text: str) -> bool:
    """A heading or remark rather than a ticker that lost its numbers."""
    return not text.isupper() or len(text.split()) >= 3
