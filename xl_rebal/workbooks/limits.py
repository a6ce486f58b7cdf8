"""Excel's limits, checked while the workbook is written; a file that Excel would repair is refused."""

from __future__ import annotations

import re

from xl_rebal.errors import RebalError

FORMULA_CHARACTERS = 8192
LITERAL_CHARACTERS = 255
CELL_CHARACTERS = 32767
NAME_CHARACTERS = 255
SHEET_NAME_CHARACTERS = 31
ROWS = 1_048_576
COLUMNS = 16_384

# The report recalculates account by class over all holdings; beyond this Excel becomes slow.
REPORT_HOLDINGS = 5000
REPORT_ACCOUNTS = 300

_LITERAL = re.compile(r'"((?:[^"]|"")*)"')


def units(text: str) -> int:
    """Length as Excel counts it: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def formula_faults(formula: str) -> list[str]:
    """What is too long in a formula (without its `=`)."""
    faults = []
    if units(formula) + 1 > FORMULA_CHARACTERS:
        faults.append(
            f"a formula of {units(formula) + 1:,} characters (limit {FORMULA_CHARACTERS:,})"
        )
    for literal in _LITERAL.findall(formula):
        if units(literal.replace('""', '"')) > LITERAL_CHARACTERS:
            faults.append(f"a text of {units(literal)} characters inside a formula (limit 255)")
    return faults


def check_formula(formula: str, where: str) -> None:
    """Refuse a formula that Excel would not accept."""
    for fault in formula_faults(formula):
        raise RebalError.of(where=where, what=f"holds {fault}", remedy="report this as a bug")


def check_rows(rows: int, sheet: str) -> None:
    """Refuse more rows than a sheet has."""
    if rows > ROWS:
        raise RebalError.of(
            where=f"sheet {sheet}",
            what=f"needs {rows:,} rows; Excel has {ROWS:,}",
            remedy="report fewer accounts in one file",
        )


def check_size(holdings: int, accounts: int) -> None:
    """Refuse a book that is empty or too large for one report."""
    if not holdings:
        raise RebalError.of(
            where="report",
            what="there are no holdings to report on",
            remedy="choose accounts that hold something",
        )
    for count, limit, what in (
        (holdings, REPORT_HOLDINGS, "holdings rows"),
        (accounts, REPORT_ACCOUNTS, "accounts"),
    ):
        if count > limit:
            raise RebalError.of(
                where="report",
                what=f"{count:,} {what} are too many for one workbook (at most {limit:,})",
                remedy="choose some accounts with --account, and write a report for each choice",
            )
