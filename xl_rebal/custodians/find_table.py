"""Where a file's table of positions is: the sheet, the header row, and what its columns mean."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np

from xl_rebal.custodians import columns
from xl_rebal.custodians.columns import Header, near_misses, nearest_header
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.errors import Fault, ReadError

_PREFERRED = ("holdings", "positions", "tblholdings")


def find_table(document: Document, mapping: ColumnMapping) -> tuple[Sheet, Header, int | None]:
    """The sheet, its header, and the row after the table's last one (None: to the sheet's end)."""
    sheets = list(document.sheets)
    if mapping.sheet:
        sheets = [s for s in sheets if s.name.casefold() == mapping.sheet.casefold()]
        if not sheets:
            names = ", ".join(repr(s.name) for s in document.sheets) or "none"
            raise ReadError.of(
                where=document.name,
                what=f"has no sheet {mapping.sheet!r}; its sheets are {names}",
                remedy="correct 'sheet' in the mapping file",
            )
    found: list[tuple[Sheet, Header, int | None]] = []
    for sheet in sheets:
        for name, (first, last) in sheet.tables.items():
            if name.casefold() == "tblholdings" and not mapping.header_row:
                header = columns.bind(first, sheet.rows[first] if first < len(sheet.rows) else ())
                return sheet, _with_mapping(document, sheet, header, mapping), last
        one = _header_of(document, sheet, mapping)
        if one is not None:
            found.append((sheet, one, None))
    if not found:
        raise _no_header(document, sheets)
    if len(found) > 1:
        named = [f for f in found if f[0].name.casefold().strip() in _PREFERRED]
        if len(named) != 1:
            names = ", ".join(repr(f[0].name) for f in found)
            raise ReadError.of(
                where=document.name,
                what=f"several sheets could be the holdings: {names}",
                remedy="name one of them Holdings, or name it in a mapping file (sheet = ...)",
            )
        found = named
    return found[0]


def _header_of(document: Document, sheet: Sheet, mapping: ColumnMapping) -> Header | None:
    if mapping.header_row is not None:
        where = np.flatnonzero(sheet.lines == mapping.header_row)
        if not len(where):
            raise ReadError.of(
                where=document.name,
                what=f"has no row {mapping.header_row}",
                remedy="correct 'header_row' in the mapping file",
            )
        row = int(where[0])
        return _with_mapping(document, sheet, columns.bind(row, sheet.rows[row]), mapping)
    if mapping.columns:
        wanted = {columns.key(h) for h in mapping.columns.values()}
        best, hits = -1, 0
        for number, row_cells in enumerate(sheet.rows[:200]):
            count = len(wanted & {columns.key(c) for c in row_cells if as_text(c)})
            if count > hits:
                best, hits = number, count
        near = columns.bind(best, sheet.rows[best]) if best >= 0 else nearest_header(sheet.rows)
        # What the mapping names and the row lacks is said by _with_mapping.
        return None if near is None else _with_mapping(document, sheet, near, mapping)
    return columns.find_header(sheet.rows)


def _with_mapping(
    document: Document, sheet: Sheet, header: Header, mapping: ColumnMapping
) -> Header:
    if not mapping.columns:
        return header
    keys = [columns.key(c) for c in header.cells]
    fixed: dict[str, int] = {}
    faults = []
    for role, wanted in mapping.columns.items():
        key = columns.key(wanted)
        if keys.count(key) == 1:
            fixed[role] = keys.index(key)
            continue
        near = difflib.get_close_matches(wanted, [c for c in header.cells if c], n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        what = "two columns" if key in keys else "no column"
        faults.append(
            Fault(
                where=document.where(sheet, header.row),
                what=f"{what} headed {wanted!r}, which the mapping names for {role}",
                remedy=f"{hint}The file has {_shown(header.cells)}",
            )
        )
    if faults:
        raise ReadError(*faults)
    return columns.bind(header.row, header.cells, fixed=fixed)


def _shown(cells: Sequence[str]) -> str:
    named = [c for c in cells if c]
    more = f" and {len(named) - 25} more" if len(named) > 25 else ""
    return (", ".join(named[:25]) + more) or "nothing"


def _no_header(document: Document, sheets: Sequence[Sheet]) -> ReadError:
    best: tuple[Sheet, Header] | None = None
    for sheet in sheets:
        near = nearest_header(sheet.rows)
        if near is not None and (best is None or len(near.index) > len(best[1].index)):
            best = (sheet, near)
    if best is None or not best[1].index:
        lines = [c for s in sheets for r in s.rows[:20] for c in filled(r)]
        return ReadError.of(
            where=document.name,
            what="no table of positions was found"
            + (f"; it begins {lines[0][:60]!r}" if lines else "; all its cells are blank"),
            remedy="it needs a header row with symbol, quantity and price (or value)",
        )
    return ReadError(*_missing(document, *best))


def _missing(document: Document, sheet: Sheet, header: Header) -> list[Fault]:
    where = document.where(sheet, header.row)
    missing = [] if "symbol" in header.index or "description" in header.index else ["symbol"]
    numbers = [r for r in ("quantity", "price", "value") if r in header.index]
    if len(numbers) < 2:
        missing += [r for r in ("quantity", "price") if r not in numbers]
    faults = []
    for role in missing:
        near = near_misses(
            role, [c for i, c in enumerate(header.cells) if i not in header.index.values()]
        )
        hint = (
            f"is {near[0]!r} meant? Then rename it, or tie it in a mapping file"
            if near
            else f"add a column headed {role}"
        )
        faults.append(
            Fault(
                where=where,
                what=f"column {role} is missing; found {_shown(header.cells)}",
                remedy=hint,
            )
        )
    return faults


def check_header(document: Document, sheet: Sheet, header: Header) -> None:
    """Refuse a header that has the same column twice or too few of them; raises ReadError."""
    faults = [
        Fault(
            where=document.where(sheet, header.row),
            what=f"two columns are headed {header.label(role)!r}",
            remedy="rename or remove one of them",
        )
        for role in header.clashes
        if role != "cost"
    ]
    faults += [] if header.is_holdings() else _missing(document, sheet, header)
    if faults:
        raise ReadError(*faults)
