"""Any positions table: the header row is searched, columns are known by their synonyms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xl_rebal.custodians import kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.dates import find_date, stated_as_of
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.filetypes import FileType
from xl_rebal.custodians.find_table import check_header, find_table
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.money import decide_styles
from xl_rebal.custodians.numbers import ISO_CODES, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.table_rows import TableRows
from xl_rebal.custodians.totals import counted_values, summarise, tolerance
from xl_rebal.custodians.words import Groups, Words, objects
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import DateColumn, Holdings, Kind, no_dates

NAME = "generic"


def recognise(document: Document) -> bool:
    """The generic reader is the last resort: it takes what no other reader claims."""
    return bool(document.sheets)


def read(document: Document, mapping: ColumnMapping | None = None) -> Statement:
    """Holdings of a table with any layout; raises ReadError with every fault at once."""
    mapping = mapping or ColumnMapping()
    sheet, header, last = find_table(document, mapping)
    unit = "line" if document.type is FileType.TEXT else f"sheet {sheet.name!r} row"
    problems = Problems(document.name, unit)
    check_header(document, sheet, header)
    for text in header.duplicates:
        problems.warn(f"two columns look alike: {text}")
    rows = TableRows.of(sheet, header, last, problems)
    table = rows.table()
    as_of_text, as_of_faults = _as_of(sheet, header, table, rows)
    defaults = Defaults(
        decimal=DecimalStyle(mapping.decimal) if mapping.decimal else None,
        account=mapping.account,
        currency=mapping.currency or _header_currency(header, problems),
        multiplier=mapping.multiplier,
    )
    if not len(table) and not problems.faulty:
        raise ReadError.of(
            where=f"{document.where(sheet, header.row)}",
            what="the table has a header and no rows below it",
            remedy="export the positions again, or add a row for each",
        )
    result = assemble(table, classify=classify, defaults=defaults, problems=problems)
    holdings = with_dates(result.holdings, table, problems)
    problems.raise_faults()
    for text in as_of_faults:
        problems.warn(text)
    names = _names(table, holdings)
    stated = _check_totals(rows, table, holdings, defaults, problems)
    date = find_date(as_of_text) if as_of_text else None
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=date,
        as_of_text=as_of_text,
        base_currency=result.base_currency,
        accounts=summarise(holdings, names, stated, problems),
        holdings=holdings,
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
    if symbol in ISO_CODES and kinds.is_cash_name(description):
        return Kind.CASH.value
    return ""


def with_dates(holdings: Holdings, table: Table, problems: Problems) -> Holdings:
    """The holdings with the days on which rows settle, and of which their prices are."""
    settles = _days(table, "settles", problems)
    priced = _days(table, "valuation_date", None)
    of_rows = _days(table, "as_of", None)
    if len(np.unique(of_rows[~np.isnat(of_rows)])) < 2:  # the date of the whole file
        of_rows = no_dates(len(table))
    return replace(holdings, settles=settles, priced=np.where(np.isnat(priced), of_rows, priced))


def _days(table: Table, role: str, problems: Problems | None) -> DateColumn:
    """A column of dates; a text that is none is a fault where `problems` is given."""
    if role not in table.columns:
        return no_dates(len(table))
    words = table.words(role)
    found = [find_date(text) for text in words.texts]
    days = np.array([day or "NaT" for day in found], dtype="datetime64[D]")[words.codes]
    if problems is not None:
        for row in np.flatnonzero(np.isnat(days) & ~words.among(kinds.NOTHING)).tolist():
            text = words.texts[words.codes[row]]
            problems.fault(
                table.lines[row],
                table.label(role),
                f"{text!r} is not a date",
                "write it as 2026-11-23",
            )
    return days


def _header_currency(header: Header, problems: Problems) -> str:
    named = {code for role, code in header.currency.items() if role in {"price", "value"}}
    if len(named) > 1:
        problems.warn(f"the headers name several currencies ({', '.join(sorted(named))})")
        return ""
    return named.pop() if named and "currency" not in header.index else ""


def _as_of(sheet: Sheet, header: Header, table: Table, rows: TableRows) -> tuple[str, list[str]]:
    """(the words of the statement's date, warnings)."""
    for role in ("as_of", "valuation_date"):
        if role not in table.columns:
            continue
        held = sorted(table.words(role).texts)
        stated = sorted((t for t in held if find_date(t)), key=lambda t: str(find_date(t)))
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
    given = table.words("account_name")
    first = Groups.of(Words.of(holdings.account), given).first
    called = objects(given.texts)[given.codes[first]]
    names: dict[str, str] = {}
    for account, name in zip(holdings.account[first].tolist(), called.tolist(), strict=True):
        if not names.get(account):
            names[account] = name
    return names


def _check_totals(
    rows: TableRows, table: Table, holdings: Holdings, defaults: Defaults, problems: Problems
) -> dict[str, float]:
    """Stated totals against sums; returns those that are plainly one account's.

    A total may stand for the rows since the last one, for all rows above, or for the account that
    its row names: it is right when it is any of these sums.
    """
    stated: dict[str, float] = {}
    if "value" not in rows.header.index or not rows.totals:
        return stated
    cells = [cell_at(row, rows.header.index["value"]) for _, _, _, row in rows.totals]
    style = decide_styles(table, defaults, Problems(problems.file))["value"]
    values = counted_values(holdings)
    accounts = holdings.accounts()
    before = 0
    for (count, line, label, row), given in zip(
        rows.totals, parse_column(cells, style).values.tolist(), strict=True
    ):
        spans = [values[before:count], values[:count]]
        if "account" in rows.header.index:
            named = as_text(cell_at(row, rows.header.index["account"]))
            spans += [values[holdings.account == named]] if named in accounts else []
        before = count
        ties = [abs(given - span.sum()) <= tolerance(len(span)) for span in spans]
        if len(accounts) == 1 and (len(rows.totals) == 1 or ties[1]):
            stated[accounts[0]] = given  # compared where the accounts are summed up
        elif given == given and not any(ties):  # not NaN, which is a total row without a value
            problems.warn(
                f"line {line}: {label!r} states {given:,.2f}, "
                f"the rows above add up to {spans[-1 if len(spans) > 2 else 0].sum():,.2f}"
            )
    return {account: total for account, total in stated.items() if total == total}
