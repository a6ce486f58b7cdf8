"""Any positions table: the header row is searched, columns are known by their synonyms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import Defaults, Table, assemble
from xl_rebal.custodians.columns import Header, cell_at, near_misses, nearest_header
from xl_rebal.custodians.dates import find_date, stated_as_of
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document, FileType, Sheet, as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.totals import counted_values, summarise, tolerance
from xl_rebal.errors import Fault, ReadError
from xl_rebal.portfolio.holdings import Holdings, Kind

NAME = "generic"
_PREFERRED = ("holdings", "positions", "tblholdings")


def recognise(document: Document) -> bool:
    """The generic reader is the last resort: it takes what no other reader claims."""
    return bool(document.sheets)


def read(document: Document, mapping: ColumnMapping | None = None) -> Statement:
    """Holdings of a table with any layout; raises ReadError with every fault at once."""
    mapping = mapping or ColumnMapping()
    sheet, header, last = _find_table(document, mapping)
    unit = "line" if document.type is FileType.TEXT else f"sheet {sheet.name!r} row"
    problems = Problems(document.name, unit)
    _check_header(document, sheet, header)
    for text in header.duplicates:
        problems.warn(f"two columns look alike: {text}")
    rows = _Rows.of(sheet, header, last, problems)
    table = rows.table()
    as_of_text, as_of_faults = _as_of(sheet, header, table, rows)
    defaults = Defaults(
        decimal=DecimalStyle(mapping.decimal) if mapping.decimal else None,
        account=mapping.account,
        currency=mapping.currency or _header_currency(header, problems),
        multiplier=mapping.multiplier,
    )
    if not len(table) and not problems.faults:
        raise ReadError.of(
            where=f"{document.where(sheet, header.row)}",
            what="the table has a header and no rows below it",
            remedy="export the positions again, or add a row for each",
        )
    result = assemble(table, classify=classify, defaults=defaults, problems=problems)
    problems.raise_faults()
    for text in as_of_faults:
        problems.warn(text)
    names = _names(table, result.holdings)
    stated = _check_totals(rows, table, result.holdings, defaults, problems)
    date = find_date(as_of_text) if as_of_text else None
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=date,
        as_of_text=as_of_text,
        base_currency=result.base_currency,
        accounts=summarise(result.holdings, names, stated, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
    )


def classify(symbol: str, description: str, security_type: str) -> str:
    """Cash by its usual names and core funds, pending activity, else nothing special."""
    del security_type
    if kinds.is_pending_name(symbol) or (not symbol and kinds.is_pending_name(description)):
        return Kind.PENDING.value
    if kinds.is_cash_name(symbol) or kinds.is_sweep_fund(symbol):
        return Kind.CASH.value
    if not symbol and kinds.is_cash_name(description):
        return Kind.CASH.value
    if symbol in kinds.ISO_CODES and kinds.is_cash_name(description):
        return Kind.CASH.value
    return ""


# -- where the table is ---------------------------------------------------------------------------


def _find_table(document: Document, mapping: ColumnMapping) -> tuple[Sheet, Header, int | None]:
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
        if best >= 0:
            header = columns.bind(best, sheet.rows[best])
            if hits == len(wanted) or header.is_holdings():
                return _with_mapping(document, sheet, header, mapping)
    header = columns.find_header(sheet.rows)  # type: ignore[assignment]
    return None if header is None else _with_mapping(document, sheet, header, mapping)


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
        import difflib

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
        near = near_misses(role, [c for i, c in enumerate(header.cells) if i not in header.index.values()])
        hint = f"is {near[0]!r} meant? Then rename it, or tie it in a mapping file" if near else (
            f"add a column headed {role}"
        )
        faults.append(
            Fault(where=where, what=f"column {role} is missing; found {_shown(header.cells)}", remedy=hint)
        )
    return faults


def _check_header(document: Document, sheet: Sheet, header: Header) -> None:
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


def _header_currency(header: Header, problems: Problems) -> str:
    named = {code for role, code in header.currency.items() if role in {"price", "value"}}
    if len(named) > 1:
        problems.warn(f"the headers name several currencies ({', '.join(sorted(named))})")
        return ""
    return named.pop() if named and "currency" not in header.index else ""


# -- which rows belong to it ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows of the table by what they are: holdings to read, and totals the file states."""

    header: Header
    cells: list[Sequence[Cell]]
    lines: list[int]
    totals: list[tuple[int, int, str, Sequence[Cell]]]  # rows before it, line, label, cells
    notes: list[str]

    @classmethod
    def of(cls, sheet: Sheet, header: Header, last: int | None, problems: Problems) -> _Rows:
        """Sort the rows below the header; notes and a second table below it are left out."""
        kept: list[Sequence[Cell]] = []
        lines: list[int] = []
        totals: list[tuple[int, int, str, Sequence[Cell]]] = []
        skipped: list[tuple[int, str]] = []
        width = len(header.cells)
        amounts = [header.index[r] for r in ("quantity", "price", "value") if r in header.index]
        price = header.index.get("price", -1)
        labels = [header.index[r] for r in ("symbol", "account", "description") if r in header.index]
        first_line = header.row + 1
        gap = False
        for number, row in enumerate(sheet.rows[first_line:last], first_line):
            if not any(row):
                gap = gap or bool(kept)
                continue
            # The ordinary row, told at the price of three look-ups: all its amounts are filled.
            numbers = [row[a] for a in amounts if a < len(row)]
            if len(row) > width and any(as_text(c) for c in row[width:]):
                problems.fault(
                    sheet.line(number), "", f"has {len(row)} cells under {width} headers",
                    "look for an unquoted comma inside a number or a name",
                )  # fmt: skip
                continue
            plain = all(n != "" and n is not None for n in numbers) and len(numbers) == len(amounts)
            if plain and not (isinstance(numbers[0], str) and numbers[0][:1].isalpha()):
                kept.append(row)
                lines.append(sheet.line(number))
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


# -- what surrounds it ----------------------------------------------------------------------------


def _as_of(
    sheet: Sheet, header: Header, table: Table, rows: _Rows
) -> tuple[str, list[str]]:
    """(the words of the statement's date, warnings)."""
    for role in ("as_of", "valuation_date"):
        stated = sorted({t for t in table.text(role) if find_date(t)}, key=lambda t: str(find_date(t)))
        if stated:
            more = len({find_date(t) for t in stated}) > 1
            text = f"column {table.label(role)} names several dates ({stated[0]} to {stated[-1]})"
            return stated[-1], [f"{text}: the latest was taken"] if more else []
    notes = [text for row in sheet.rows[: header.row] for text in filled(row)]
    for note in (*notes, *rows.notes):
        found = stated_as_of(note)
        if found:
            return found[1], []
    return "", []


def _names(table: Table, holdings: Holdings) -> dict[str, str]:
    names: dict[str, str] = {}
    for account, name in zip(holdings.account.tolist(), table.text("account_name"), strict=True):
        if not names.get(account):
            names[account] = name
    return names


def _check_totals(
    rows: _Rows, table: Table, holdings: Holdings, defaults: Defaults, problems: Problems
) -> dict[str, float]:
    """Stated totals against sums; returns those that are plainly one account's."""
    stated: dict[str, float] = {}
    if "value" not in rows.header.index or not rows.totals:
        return stated
    values = counted_values(holdings)
    before = 0
    from xl_rebal.custodians.money import decide_styles

    style = decide_styles(table, defaults, Problems(problems.file))["value"]
    single = len(set(holdings.account.tolist())) == 1
    for count, line, label, row in rows.totals:
        given = float(parse_column([cell_at(row, rows.header.index["value"])], style).values[0])
        sums = [(float(values[before:count].sum()), count - before), (float(values[:count].sum()), count)]
        account = as_text(cell_at(row, rows.header.index["account"])) if "account" in rows.header.index else ""
        mine = holdings.account == account
        if account and mine.any():
            sums.insert(0, (float(values[mine].sum()), int(mine.sum())))
        before = count
        if given != given:  # noqa: PLR0124 - no value in the total row
            continue
        if single and len(rows.totals) == 1:
            stated[str(holdings.account[0])] = given  # compared with the sum where accounts are listed
        elif not any(abs(given - total) <= tolerance(n) for total, n in sums):
            problems.warn(
                f"line {line}: {label!r} states {given:,.2f}, the rows above add up to {sums[0][0]:,.2f}"
            )
    return stated
