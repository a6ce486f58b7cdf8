"""A book: all tables about a set of households in one folder of files, or in one workbook.

A folder holds `holdings.csv`, `lots.csv`, `accounts.csv`, `securities.csv`, `models.csv`, `history.csv`,
`tax_profiles.csv`, `flows.csv`, `restrictions.csv` and `fund_rules.csv` (or workbooks and Parquet files of
these names); a workbook has sheets of these names. Tables that a command does not need may be left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from xl_rebal.custodians import generic
from xl_rebal.custodians.collector import without_collector
from xl_rebal.custodians.input_tables import columns_of, rows_of
from xl_rebal.custodians.registry import read_positions
from xl_rebal.custodians.sheets import Document, open_document
from xl_rebal.errors import FaultList, FileError, ReadError, RebalError, TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import Account, accounts_from_rows
from xl_rebal.portfolio.flows import Flow, flows_from_rows
from xl_rebal.portfolio.fund_rules import FundRule, fund_rules_from_rows
from xl_rebal.portfolio.history import History, history_from_rows
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, lot_faults, lots_from_table, no_lots, sum_faults
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.restrictions import Restriction, restrictions_from_rows
from xl_rebal.portfolio.securities import Security, securities_from_rows
from xl_rebal.portfolio.tables import TableSpec
from xl_rebal.portfolio.targets import Targets
from xl_rebal.tax.profiles import TaxProfile, profiles_from_rows

T = TypeVar("T")
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet")
HOLDINGS = "holdings"
TABLES: Mapping[str, TableSpec] = {
    "lots": tables.LOTS,
    "accounts": tables.ACCOUNTS,
    "securities": tables.SECURITIES,
    "models": tables.MODELS,
    "restrictions": tables.RESTRICTIONS,
    "flows": tables.FLOWS,
    "history": tables.HISTORY,
    "tax_profiles": tables.TAX_PROFILES,
    "fund_rules": tables.FUND_RULES,
}
# Lots whose day or cost is blank are refused; what else is wrong with them is said at once.
_ADD_UP = replace(
    tables.LOTS,
    columns=tuple(
        replace(each, required=each.name not in ("acquired", "unit_cost"))
        if each.required
        else each
        for each in tables.LOTS.columns
    ),
)
_ALSO = {"targets": "models", "positions": HOLDINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTables:
    """What a book holds; a table that it has not is empty.

    as_of     the valuation date that the holdings state, or None.
    present   names of the tables that are there.
    tax_profiles  by name and year (`tax.profiles.profiles_of` picks a year).
    warnings  what is odd about the holdings.
    """

    name: str
    holdings: Holdings
    lots: Lots = field(default_factory=no_lots)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    securities: Mapping[str, Security] = field(default_factory=dict)
    models: Mapping[str, Targets] = field(default_factory=dict)
    restrictions: tuple[Restriction, ...] = ()
    flows: tuple[Flow, ...] = ()
    history: History = ()
    tax_profiles: Mapping[tuple[str, int], TaxProfile] = field(default_factory=dict)
    fund_rules: tuple[FundRule, ...] = ()
    as_of: dt.date | None = None
    present: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    def require(self, *names: str) -> None:
        """Refuse a book without these tables, naming all that are missing."""
        missing = [name for name in names if name not in self.present]
        if missing:
            raise FileError.of(
                where=self.name,
                what=f"has no table {', '.join(missing)}",
                remedy="add "
                + ", ".join(f"{n}.csv" for n in missing)
                + " to the folder, or sheets of these names to the workbook",
            )


def read_book(path: Path | str) -> BookTables:
    """Read every table of a book; the faults of all tables are raised together."""
    with without_collector():
        return _read(Path(path))


def _read(path: Path) -> BookTables:
    parts = _folder(path) if path.is_dir() else _workbook(path)
    if not parts:
        raise FileError.of(
            where=path.name,
            what="holds none of the tables of a book",
            remedy=f"name files or sheets {HOLDINGS}, {', '.join(TABLES)}",
        )
    faults = FaultList()
    book = BookTables(name=path.name, holdings=Holdings.from_rows([]), present=frozenset(parts))
    if HOLDINGS in parts:
        with faults.collecting():
            statement = parts[HOLDINGS]()
            book = replace(
                book,
                holdings=statement.holdings,
                as_of=statement.as_of,
                warnings=statement.warnings,
            )

    def read(name: str, build: Callable[[Any], T], default: T) -> T:
        if name not in parts:
            return default
        with faults.collecting():
            return build(parts[name]())
        return default

    book = replace(
        book,
        lots=read("lots", lots_from_table, book.lots),
        accounts=read("accounts", accounts_from_rows, book.accounts),
        securities=read("securities", securities_from_rows, book.securities),
        models=read("models", targets_from_rows, book.models),
        restrictions=read("restrictions", restrictions_from_rows, book.restrictions),
        flows=read("flows", flows_from_rows, book.flows),
        history=read("history", history_from_rows, book.history),
        tax_profiles=read("tax_profiles", profiles_from_rows, book.tax_profiles),
        fund_rules=read("fund_rules", fund_rules_from_rows, book.fund_rules),
    )
    if faults and len(book.holdings):  # what else would be refused later is said at once
        if len(book.lots):
            faults.extend(lot_faults(book.holdings, book.lots, book.as_of))
        elif "lots" in parts:
            with suppress(RebalError):  # its cells have been named already
                known = lots_from_table(parts["lots"](_ADD_UP))
                faults.extend(sum_faults(book.holdings, known, book.as_of))
    faults.raise_as(TableError)
    return book


def table_name(text: str) -> str:
    """The table that a file or sheet is named after, or ""."""
    key = tables.header_key(text).removeprefix("tbl")
    for name in (HOLDINGS, *TABLES):
        if key == tables.header_key(name):
            return name
    return _ALSO.get(key, "")


def defined_name(table: str) -> str:
    """How the Excel table of a book is named: `tblTaxProfiles` of `tax_profiles`."""
    return "tbl" + "".join(word.capitalize() for word in table.split("_"))


def _folder(path: Path) -> dict[str, Callable[..., Any]]:
    """Table -> how to read it; two files for one table are refused."""
    faults = FaultList()
    found: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        name = table_name(file.stem) if file.suffix.casefold() in ENDINGS else ""
        if not name:
            continue
        if name in found:
            what = f"{found[name].name} and {file.name} are both the table {name}"
            faults.add(where=path.name, what=what, remedy="keep one of them")
        found[name] = file
    faults.raise_as(ReadError)
    return {name: _file_reader(name, file) for name, file in found.items()}


def _file_reader(name: str, file: Path) -> Callable[..., Any]:
    if name == HOLDINGS:
        return lambda: read_positions(file)
    return lambda spec=TABLES[name]: _table(open_document(file), spec)


def _workbook(path: Path) -> dict[str, Callable[..., Any]]:
    document = open_document(path)
    faults = FaultList()
    found: dict[str, Document] = {}
    for sheet in document.sheets:
        name = table_name(sheet.name)
        if not name or not sheet.rows:
            continue
        if name in found:
            what = f"two sheets are the table {name} (one is {sheet.name!r})"
            faults.add(where=path.name, what=what, remedy="keep one of them")
        found[name] = replace(document, sheets=(sheet,))
    faults.raise_as(ReadError)
    return {name: _sheet_reader(name, one) for name, one in found.items()}


def _sheet_reader(name: str, document: Document) -> Callable[..., Any]:
    if name == HOLDINGS:
        return lambda: generic.read(document)
    return lambda spec=TABLES[name]: _table(document, spec)


def _table(document: Document, spec: TableSpec) -> Any:
    """A table's rows, or its columns where they are many and a builder takes them."""
    return (columns_of if spec.name == "lots" else rows_of)(document, spec)
