"""A policy in words, the class of a ticker, the version."""

from __future__ import annotations

from typing import Any

import xl_rebal
from xl_rebal.errors import PolicyError, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.registry import Argument, Example, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.book import unknown_symbols
from xl_rebal.portfolio.securities import default_security


@worksheet_function(
    "REBAL_POLICY",
    arguments=(Argument(name="text", help='A policy such as "annual and 5pp to halfway".'),),
    returns=Returns.CELL,
    description="How a policy text is understood, as one sentence; an error where it is not.",
    example=Example(
        formula='=REBAL_POLICY("5/25")',
        result="Rebalance when a class's drift reaches the smaller of 5 percentage points and 25% of "
        "the target; trade all classes back to target.",
    ),
)
def rebal_policy(text: Any) -> str:
    """A policy in words."""
    if not ranges.grid(text):
        raise PolicyError.of(where="text", what="is blank", remedy="write a policy such as 5pp")
    return ranges.policy(text, "text").in_words()


@worksheet_function(
    "REBAL_ASSETCLASS",
    arguments=(
        Argument(name="symbol", help="A ticker, or a row or column of them."),
        Argument(
            name="map",
            help="Your own classes: a table with symbol and asset_class. It comes before the shipped table.",
            optional=True,
            table="tblClasses",
        ),
    ),
    returns=Returns.TABLE,
    description="The asset class of each ticker: from your map, else from the shipped table of "
    "well-known funds; an unknown ticker is an error, never a guess.",
    example=Example(formula='=REBAL_ASSETCLASS("VNQ")', result="Real Estate"),
)
def rebal_assetclass(symbol: Any, map: Any) -> Any:
    """The asset class of a ticker."""
    found = ranges.grid(symbol)
    if not found:
        raise TableError.of(where="symbol", what="is blank", remedy="enter a ticker")
    own: dict[str, str] = {}
    if ranges.grid(map):
        rows = ranges.table(map, tables.CLASS_MAP, "tblClasses")
        for row in rows:
            name = row["symbol"].casefold()
            if own.setdefault(name, row["asset_class"]) != row["asset_class"]:
                raise TableError.of(
                    where=f"tblClasses row {row['row']}, {row['symbol']}",
                    what=f"has two classes ({own[name]} and {row['asset_class']})",
                    remedy="keep one row",
                )
    unknown: dict[str, None] = {}

    def of(cell: Any) -> str | None:
        ranges.refuse_error(cell, "symbol")
        if cell is not None and not isinstance(cell, str):
            raise TableError.of(
                where="symbol",
                what=f"{str(cell).upper() if isinstance(cell, bool) else cells.text(cell)} is no text",
                remedy="type the ticker as text, with an apostrophe in front",
            )
        word = cells.text(cell)
        if not word:
            return None
        known = own.get(word.casefold()) or default_security(word).asset_class
        if not known:
            unknown[word] = None
        return known

    result = [[of(cell) for cell in row] for row in found]
    if unknown:
        fault = unknown_symbols(list(unknown))
        raise TableError.of(
            where="symbol",
            what=fault.what,
            remedy="add a row for each to the map (symbol, asset_class)",
        )
    return result if len(result) > 1 or len(result[0]) > 1 else result[0][0]


@worksheet_function(
    "REBAL_VERSION",
    arguments=(),
    returns=Returns.CELL,
    description="The version of xl_rebal that computes; the add-in and the workbook should match it.",
    example=Example(formula="=REBAL_VERSION()", result=xl_rebal.__version__),
)
def rebal_version() -> str:
    """The version of xl_rebal."""
    return xl_rebal.__version__
