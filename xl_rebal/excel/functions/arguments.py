"""What several worksheet functions take and give: arguments, the book made of them, tables of rows."""

from __future__ import annotations

from typing import Any

from xl_rebal.errors import TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.registry import Argument, Grid
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import EVERYONE, Restriction, Rule

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
