"""The example that the template is delivered with: invented holdings, targets and rules, and what the
native sheets make of them.
"""

from __future__ import annotations

from typing import Any

from xl_rebal.bands import check
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.policy_text import policy_from_rows

Grid = list[list[Any]]

ACCOUNT = "EXAMPLE 1234"
FLOW = 100_000.0

HOLDINGS: Grid = [
    [
        "Account",
        "Symbol",
        "Description",
        "Kind",
        "Asset class",
        "Quantity",
        "Price",
        "Multiplier",
        "FX",
    ],
    [ACCOUNT, "VTI", "EXAMPLE: US total market fund", "position", "Stocks/US", 5000, 220, 1, 1],
    [
        ACCOUNT,
        "VXUS",
        "EXAMPLE: international fund",
        "position",
        "Stocks/International",
        2000,
        58,
        1,
        1,
    ],
    [ACCOUNT, "BND", "EXAMPLE: US bond fund", "position", "Bonds/US", 8000, 75, 1, 1],
    [ACCOUNT, "VNQ", "EXAMPLE: real estate fund", "position", "Real Estate", 1000, 85, 1, 1],
]
TARGETS: Grid = [
    ["Asset class", "Target", "Band abs", "Band rel"],
    ["Stocks", 0.6, None, None],
    ["Bonds", 0.3, None, None],
    ["Real Estate", 0.1, None, None],
]
POLICY: Grid = [
    ["Setting", "Value"],
    ["Trigger", "5pp"],
    ["Edge", "reached"],
    ["Destination", "to target"],
    ["Scope", "all classes"],
]
COSTS: Grid = [["Costs"], ["half-spread 5bp"], ["commission 0"]]
RESTRICTIONS: Grid = [["Scope", "Rule", "Symbol", "Replacement"], [None, None, None, None]]
CLASSES: Grid = [["Symbol", "Asset class"], ["VTI", "Stocks/US"], ["BND", "Bonds/US"]]
ACCOUNT_MAP: Grid = [["Masked", "Account", "Name"], [None, None, None]]

TABLES: dict[str, Grid] = {
    "tblHoldings": HOLDINGS,
    "tblTargets": TARGETS,
    "tblPolicy": POLICY,
    "tblCosts": COSTS,
    "tblRestrictions": RESTRICTIONS,
    "tblClasses": CLASSES,
    "tblAccountMap": ACCOUNT_MAP,
}


def value_of(row: list[Any]) -> float:
    """Quantity x price x multiplier x FX of a row of HOLDINGS."""
    return float(row[5] * row[6] * row[7] * row[8])


def drift_rows() -> list[dict[str, Any]]:
    """One row per target class, from the engine."""
    rows = [
        {
            "account": row[0],
            "symbol": row[1],
            "kind": row[3],
            "asset_class": row[4],
            "quantity": row[5],
            "price": row[6],
        }
        for row in HOLDINGS[1:]
    ]
    targets = [
        {"asset_class": row[0], "target": row[1], "table": "tblTargets", "row": index}
        for index, row in enumerate(TARGETS[1:], start=2)
    ]
    book = Book(holdings=Holdings.from_rows(rows), models=targets_from_rows(targets))
    (result,) = check(book, policy_from_rows(POLICY))
    return result.rows()
