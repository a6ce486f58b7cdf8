"""What several worksheet functions take and give: arguments, the book made of them, tables of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.registry import Argument, Grid
from xl_rebal.portfolio import cells, classes, tables
from xl_rebal.portfolio.accounts import Account, accounts_from_rows
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, lots_from_rows
from xl_rebal.portfolio.restrictions import EVERYONE, Restriction, Rule
from xl_rebal.portfolio.tables import TableSpec

HOLDINGS = Argument(
    name="holdings",
    help="The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind.",
    table="tblHoldings",
)
TARGETS = Argument(
    name="targets",
    help='Target weights: a table with asset_class and target, or a text such as "60% stocks, 40% bonds".',
    table="tblTargets",
)
POLICY = Argument(
    name="policy",
    help='When to act: "5pp", "20%rel", "5/25", "quarterly or 5pp"; 5pp when left out.',
    optional=True,
    table="tblPolicy",
)
COSTS = Argument(
    name="costs",
    help='Trading costs such as "half-spread 5bp, commission 0"; trading is free when left out.',
    optional=True,
    table="tblCosts",
)
RESTRICTIONS = Argument(
    name="restrictions",
    help="A table with scope, rule and symbol or tag: never_buy, never_sell, never_hold, substitute.",
    optional=True,
    table="tblRestrictions",
)

ACCOUNTS = Argument(
    name="accounts",
    help="The accounts with their headers: account, type (taxable, traditional, roth, hsa); optionally "
    "owner, tax_return, tax_profile. Without them all accounts are taxable and on one tax return.",
    optional=True,
    table="tblAccounts",
)


def in_a_sheet(spec: TableSpec, *optional: str) -> TableSpec:
    """The table as a sheet has it: with days as hosts pass them on, and some of its columns optional."""
    return replace(
        spec,
        columns=tuple(
            replace(
                column,
                required=column.required and column.name not in optional,
                read=ranges.day if column.read is cells.date else column.read,
            )
            for column in spec.columns
        ),
    )


_ACCOUNTS = replace(in_a_sheet(tables.ACCOUNTS), may_be_empty=False)
HELD = replace(in_a_sheet(tables.LOTS, "acquired", "unit_cost"), may_be_empty=False)


def accounts_of(value: Any) -> dict[str, Account]:
    """The accounts of a sheet."""
    return ranges.built(value, _ACCOUNTS, "tblAccounts", accounts_from_rows)


def is_cash(row: Mapping[str, Any]) -> bool:
    """True for a row of `HELD` that is cash."""
    return classes.is_cash(row["symbol"])


def is_taxable(accounts: Mapping[str, Account], row: Mapping[str, Any]) -> bool:
    """True for a row whose account is taxable, as accounts without a type are."""
    return (accounts[row["account"]].type or "taxable").casefold() == "taxable"


def taxable_lots(rows: list[dict[str, Any]], accounts: Mapping[str, Account]) -> Lots:
    """The lots of taxable accounts; their day and cost are asked for, never guessed."""
    faults = FaultList()
    mine = []
    for row in rows:
        place = f"tblLots row {row['row']}"
        if row["account"] not in accounts:
            faults.add(
                where=f"{place}, account",
                what=f"{row['account']} has no row in tblAccounts",
                remedy="add it with its type",
            )
            continue
        if is_cash(row) or not is_taxable(accounts, row):
            continue
        for name in ("acquired", "unit_cost"):
            if name not in row:
                faults.add(
                    where=f"{place}, {name}",
                    what=f"is blank, and {row['symbol']} is held in a taxable account",
                    remedy="fill it in",
                )
        mine.append(row)
    faults.raise_as(TableError)
    return lots_from_rows(mine)


def open_lots(rows: list[dict[str, Any]], accounts: Mapping[str, Account]) -> Lots:
    """The taxable lots, and positions elsewhere whose every lot has its day: they may wash a loss."""
    taxable = taxable_lots(rows, accounts)
    elsewhere = [row for row in rows if not (is_cash(row) or is_taxable(accounts, row))]
    undated = {(row["account"], row["symbol"]) for row in elsewhere if "acquired" not in row}
    dated = [row for row in elsewhere if (row["account"], row["symbol"]) not in undated]
    if not dated:
        return taxable
    mine = [row for row in rows if not is_cash(row) and is_taxable(accounts, row)]
    return lots_from_rows([*mine, *({"unit_cost": 0.0, **row} for row in dated)])


def book_of(holdings: Any, targets: Any, restrictions: Any = None) -> Book:
    """The book that a sheet's holdings, targets and restrictions make."""
    models = ranges.targets(targets)
    held, _ = ranges.holdings(holdings)
    rules = ranges.restrictions(restrictions)
    require_binding(rules, held)
    return Book(
        holdings=classify(held, targets=tuple(models.values())), models=models, restrictions=rules
    )


def require_binding(rules: tuple[Restriction, ...], held: Holdings) -> None:
    """Refuse a rule that protects nothing here: in a sheet that is a slip of the pen."""
    accounts = {name.casefold() for name in held.accounts()} | EVERYONE
    symbols = {symbol.casefold() for symbol in held.symbol.tolist()}
    for rule in rules:
        nobody = rule.scope.casefold() not in accounts
        loose = rule.rule is Rule.NEVER_SELL and rule.symbol.casefold() not in symbols | {""}
        if nobody or loose:
            what = f"{rule.scope!r} is no account here" if nobody else f"{rule.symbol} is not held"
            raise TableError.of(
                where=f"tblRestrictions, {rule.in_words()}",
                what=f"{what}; the rule would bind nothing",
                remedy="correct it, or remove the row",
            )


def first_words(words: list[str], most: int, joint: str) -> str:
    """The first words and how many more there are: a cell holds 32,767 characters."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return joint.join(words[:most]) + more


def table_of(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Grid:
    """A header and the rows below it, in the order of the columns."""
    return [list(columns), *([row[name] for name in columns] for row in rows)]
