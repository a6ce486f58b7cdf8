"""Every input table's columns, once: names, synonyms, which are required, what a cell must be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xl_rebal.errors import Fault, FaultList, TableError
from xl_rebal.portfolio import cells

LARGEST = 1e15  # beyond it a double no longer holds cents

Row = tuple[int, Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, other headers people use for it, and how a cell is read."""

    name: str
    read: Callable[[Any], Any] = cells.text
    required: bool = False
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A table that users write: rows under one header, columns in any order.

    may_be_empty  a header alone is a table that says nothing, and no mistake.
    """

    name: str
    columns: tuple[Column, ...]
    may_be_empty: bool = False

    def column_for(self, header: str) -> Column | None:
        """The column that a header names, or None."""
        wanted = header_key(header)
        for column in self.columns:
            if wanted in {header_key(name) for name in (column.name, *column.synonyms)}:
                return column
        return None


def header_key(header: Any) -> str:
    """A header reduced to its letters and digits: `Asset Class`, `asset_class` are the same."""
    return re.sub(r"[^a-z0-9]", "", str(header).casefold())


def read_rows(
    spec: TableSpec, header: Sequence[Any], rows: Iterable[Row], *, where: str
) -> list[dict[str, Any]]:
    """Typed rows of a table; each holds the columns that are filled in, and `table` and `row` with
    the place that it comes from.

    Raises TableError with every fault at once: unknown or missing columns, then all bad cells.
    """
    bound = require_columns(spec, header, where=where)
    faults = FaultList()
    result: list[dict[str, Any]] = []
    for line, values in rows:
        if all(cells.is_blank(value) for value in values):
            continue
        record: dict[str, Any] = {"table": where, "row": line}
        for index, column in bound.items():
            value = values[index] if index < len(values) else None
            place = f"{where} row {line}, column {column.name}"
            if cells.is_blank(value):
                if column.required:
                    faults.add(where=place, what="is blank", remedy="fill it in")
                continue
            try:
                read = column.read(value)
                if isinstance(read, float) and abs(read) > LARGEST:
                    raise ValueError(f"{read:g} is too large a number; correct it")
                record[column.name] = read
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                faults.add(where=place, what=what, remedy=remedy)
        result.append(record)
    faults.raise_as(TableError)
    if not result and not spec.may_be_empty:
        raise TableError.of(
            where=where, what="the table has no rows", remedy="add at least one row"
        )
    return result


def require_columns(spec: TableSpec, header: Sequence[Any], *, where: str) -> Mapping[int, Column]:
    """Which of a header's cells is which column; raises TableError for columns that are missing,
    misspelt or there twice.
    """
    faults = FaultList()
    bound = _bind(spec, header, where, faults)
    faults.raise_as(TableError)
    return bound


def _bind(
    spec: TableSpec, header: Sequence[Any], where: str, faults: FaultList
) -> Mapping[int, Column]:
    bound: dict[int, Column] = {}
    unknown: list[str] = []
    for index, name in enumerate(header):
        if cells.is_blank(name):
            continue
        column = spec.column_for(str(name))
        if column is None:
            unknown.append(str(name))
        elif column in bound.values():
            faults.add(
                where=where,
                what=f"two columns mean {column.name} (one is {name!r})",
                remedy="keep one of them",
            )
        else:
            bound[index] = column
    missing = [c.name for c in spec.columns if c.required and c not in bound.values()]
    for name in missing:
        faults.add(
            where=where,
            what=f"column {name} is missing; found {', '.join(map(str, header)) or 'nothing'}",
            remedy=f"add a column headed {name}",
        )
    if unknown and not missing and (other := _is_rather(spec, header, len(bound))):
        faults.add(
            where=where,
            what=f"is a {other} table by its columns ({', '.join(unknown)})",
            remedy=f"give the {spec.name} table here",
        )
    for name in unknown:
        near = _near(spec, header_key(name))
        if near is not None and near not in bound.values():
            faults.add(
                where=where,
                what=f"column {name!r} is not known",
                remedy=f"did you mean {near.name}? Rename or remove it",
            )
    return bound


def _is_rather(spec: TableSpec, header: Sequence[Any], bound: int) -> str:
    """The name of another table that a header is, with two columns more than it is this one; or nothing."""
    names = [str(name) for name in header if not cells.is_blank(name)]
    for other in _ALL:
        found = {column for name in names if (column := other.column_for(name)) is not None}
        complete = all(column in found for column in other.columns if column.required)
        if other is not spec and complete and len(found) >= bound + 2:
            return other.name
    return ""


def _near(spec: TableSpec, key: str) -> Column | None:
    """The column that a header nearly names: a slip of the pen that would drop the column."""
    close: dict[str, Column] = {}
    for column in spec.columns:
        close[header_key(column.name)] = column
    found = difflib.get_close_matches(key, close, n=1, cutoff=0.75)
    if not found:
        # The other words for a column are many, so only what differs by a letter counts as a slip.
        close |= {header_key(word): c for c in spec.columns for word in c.synonyms}
        found = difflib.get_close_matches(key, close, n=1, cutoff=0.9)
    return close[found[0]] if found else None


def place(record: Mapping[str, Any], spec_name: str) -> str:
    """Where a row read with `read_rows` stands: `accounts.csv row 3`."""
    return f"{record.get('table', spec_name)} row {record['row']}"


def fault_at(
    spec_name: str, record: Mapping[str, Any], column: str, what: str, remedy: str
) -> Fault:
    """A fault that names a cell of a table that was read with `read_rows`."""
    return Fault(where=f"{place(record, spec_name)}, column {column}", what=what, remedy=remedy)


MODELS = TableSpec(
    name="targets",
    columns=(
        Column(name="model"),
        Column(
            name="asset_class",
            required=True,
            synonyms=("class", "asset", "category", "symbol", "ticker"),
        ),
        Column(
            name="target",
            read=lambda value: value,
            required=True,
            synonyms=("weight", "target weight", "target %", "target percent", "allocation"),
        ),
        Column(name="band_abs", read=cells.fraction, synonyms=("band", "band pp", "absolute band")),
        Column(name="band_rel", read=cells.fraction, synonyms=("relative band", "band relative")),
        Column(name="min", read=cells.fraction, synonyms=("minimum", "lower")),
        Column(name="max", read=cells.fraction, synonyms=("maximum", "upper")),
        Column(name="kind", synonyms=("row kind", "kind of row")),
    ),
)

SECURITIES = TableSpec(
    name="securities",
    may_be_empty=True,
    columns=(
        Column(name="symbol", required=True, synonyms=("ticker", "security")),
        Column(name="asset_class", synonyms=("class", "asset class")),
        Column(name="rank", read=cells.number, synonyms=("preference",)),
        Column(name="price", read=cells.number, synonyms=("last price",)),
        Column(name="vehicle"),
        Column(name="quantity_step", read=cells.number, synonyms=("step", "lot size")),
        Column(name="minimum", read=cells.number, synonyms=("minimum trade", "min")),
        Column(name="spread_bps", read=cells.number, synonyms=("spread", "spread bp")),
        Column(name="commission", read=cells.number),
        Column(name="adv", read=cells.number, synonyms=("average daily volume",)),
        Column(name="tradable", read=cells.yes_no),
        Column(name="identical_group"),
        Column(name="substitute"),
        Column(name="tags", synonyms=("tag",)),
        Column(name="tax_class"),
        Column(
            name="settlement_days",
            read=cells.number,
            synonyms=("settlement lag", "settlement cycle", "settles in"),
        ),
    ),
)

ACCOUNTS = TableSpec(
    name="accounts",
    may_be_empty=True,
    columns=(
        Column(name="account", required=True, synonyms=("account number", "account id")),
        Column(name="household"),
        Column(name="type"),
        Column(name="owner"),
        Column(name="tax_return"),
        Column(name="custodian"),
        Column(name="model"),
        Column(name="cash_reserve", read=cells.number, synonyms=("reserve",)),
        Column(name="tax_profile"),
        Column(name="discretionary", read=cells.yes_no),
        Column(name="held_away", read=cells.yes_no),
        Column(name="last_rebalanced", read=cells.date),
        Column(name="menu", read=cells.words),
        Column(name="lot_instructions", read=cells.yes_no),
        Column(name="client", synonyms=("client name", "name", "household name")),
        Column(name="policy", synonyms=("rebalancing policy",)),
        Column(name="plan_mode", synonyms=("planning mode",)),
        Column(name="relationship", synonyms=("relation", "relationship to client")),
    ),
)

RESTRICTIONS = TableSpec(
    name="restrictions",
    may_be_empty=True,
    columns=(
        Column(name="scope", required=True, synonyms=("account", "applies to")),
        Column(name="rule", required=True),
        Column(name="symbol", synonyms=("ticker", "security")),
        Column(name="tag"),
        Column(name="replacement"),
        Column(name="account_types", read=cells.words, synonyms=("account type", "only in")),
    ),
)

FLOWS = TableSpec(
    name="flows",
    may_be_empty=True,
    columns=(
        Column(name="account", required=True, synonyms=("account number", "account id")),
        Column(name="date", read=cells.date, required=True, synonyms=("due", "on")),
        Column(name="amount", read=cells.number, required=True, synonyms=("money",)),
        Column(name="kind", synonyms=("type", "description")),
    ),
)

FUND_RULES = TableSpec(
    name="fund_rules",
    may_be_empty=True,
    columns=(
        Column(name="custodian"),
        Column(name="symbol", required=True, synonyms=("ticker", "fund")),
        Column(name="initial_minimum", read=cells.number, synonyms=("minimum initial",)),
        Column(
            name="subsequent_minimum",
            read=cells.number,
            synonyms=("minimum subsequent", "additional minimum"),
        ),
        Column(name="kept_minimum", read=cells.number, synonyms=("minimum balance",)),
        Column(name="cut_off", synonyms=("cutoff time",)),
        Column(name="ticket_fee", read=cells.number, synonyms=("transaction fee",)),
        Column(
            name="redemption_fee",
            read=cells.fraction,
            synonyms=("short term redemption fee",),
        ),
        Column(name="redemption_days", read=cells.number, synonyms=("redemption period",)),
        Column(name="closed_to_new", synonyms=("closed", "closed to new money")),
    ),
)

CLASS_MAP = TableSpec(
    name="class map",
    may_be_empty=True,
    columns=(
        Column(name="symbol", required=True, synonyms=("ticker", "security")),
        Column(name="asset_class", required=True, synonyms=("class", "category")),
    ),
)

LOTS = TableSpec(
    name="lots",
    may_be_empty=True,
    columns=(
        Column(name="account", required=True, synonyms=("account number", "account id")),
        Column(name="symbol", required=True, synonyms=("ticker", "security")),
        Column(
            name="acquired",
            read=cells.date,
            required=True,
            synonyms=("date acquired", "open date", "acquisition date", "purchase date"),
        ),
        Column(
            name="quantity", read=cells.number, required=True, synonyms=("shares", "units", "qty")
        ),
        Column(
            name="unit_cost",
            read=cells.number,
            required=True,
            synonyms=("cost per share", "cost/share", "cost per unit"),
        ),
        Column(name="lot_id", synonyms=("lot",)),
        Column(name="term", read=cells.term),
        Column(name="currency"),
    ),
)

HISTORY = TableSpec(
    name="history",
    columns=(
        Column(name="account", required=True, synonyms=("account number", "account id")),
        Column(name="symbol", required=True, synonyms=("ticker", "security")),
        Column(
            name="date",
            read=cells.date,
            required=True,
            synonyms=("trade date", "run date", "transaction date"),
        ),
        Column(name="action", required=True, synonyms=("side", "type", "transaction")),
        Column(
            name="quantity", read=cells.number, required=True, synonyms=("shares", "units", "qty")
        ),
        Column(
            name="price",
            read=cells.number,
            required=True,
            synonyms=("unit price", "price per share", "price per unit"),
        ),
        Column(name="lot_id", synonyms=("lot",)),
    ),
)

TAX_PROFILES = TableSpec(
    name="tax_profiles",
    columns=(
        Column(name="tax_profile", required=True, synonyms=("profile",)),
        Column(name="year", read=cells.number, required=True, synonyms=("tax year",)),
        Column(name="filing_status", synonyms=("status",)),
        Column(name="ordinary", read=cells.fraction, synonyms=("ordinary rate",)),
        Column(name="long_term", read=cells.fraction, synonyms=("long-term rate",)),
        Column(name="niit", read=cells.fraction, synonyms=("niit rate",)),
        Column(name="state", read=cells.fraction, synonyms=("state rate",)),
        Column(name="magi", read=cells.number, synonyms=("income",)),
        Column(name="carry_short", read=cells.number, synonyms=("short-term carryforward",)),
        Column(name="carry_long", read=cells.number, synonyms=("long-term carryforward",)),
        Column(name="ytd_short", read=cells.number, synonyms=("short-term gains to date",)),
        Column(name="ytd_long", read=cells.number, synonyms=("long-term gains to date",)),
    ),
)

ACCOUNT_MAP = TableSpec(
    name="account map",
    columns=(
        Column(name="masked", required=True, synonyms=("masked id", "shown as", "in file")),
        Column(name="account", required=True, synonyms=("account number", "account id", "real")),
        Column(name="name", synonyms=("account name", "title")),
    ),
)

_ALL = (
    MODELS,
    SECURITIES,
    ACCOUNTS,
    RESTRICTIONS,
    FLOWS,
    FUND_RULES,
    CLASS_MAP,
    LOTS,
    HISTORY,
    TAX_PROFILES,
    ACCOUNT_MAP,
)
