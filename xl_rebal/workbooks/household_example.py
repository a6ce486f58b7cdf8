"""The example that household_tax.xltx is delivered with: an invented couple, their lots and prices."""

from __future__ import annotations

import datetime as dt
from typing import Any

Grid = list[list[Any]]

AS_OF = dt.date(2026, 11, 25)
CLIENT = "EXAMPLE Ann and Bob Sample"
ADVISER = "EXAMPLE Advisers LLC"
JOINT, IRA, ROTH, HSA = "EXAMPLE Joint", "EXAMPLE IRA", "EXAMPLE Roth", "EXAMPLE HSA"
_ZERO = dt.date(1899, 12, 30)


def serial(text: str) -> float:
    """A day as a sheet holds it: 2026-11-25 is 46351."""
    return float((dt.date.fromisoformat(text) - _ZERO).days)


ACCOUNTS: Grid = [
    [
        "Account",
        "Type",
        "Owner",
        "Tax return",
        "Tax profile",
        "Cash reserve",
        "Held away",
        "Discretionary",
        "Lot instructions",
        "Menu",
    ],
    [JOINT, "taxable", "Ann and Bob", "joint", "couple", 5000.0, None, None, None, None],
    [IRA, "traditional", "Ann", "joint", None, None, None, None, None, None],
    [ROTH, "roth", "Bob", "joint", None, None, None, None, None, None],
    [HSA, "hsa", "Ann", "joint", None, None, None, None, None, None],
]
LOTS: Grid = [
    ["Account", "Symbol", "Acquired", "Quantity", "Unit cost", "Lot id"],
    [JOINT, "CASH", None, 18400.0, None, None],
    [JOINT, "VTI", serial("2014-03-03"), 620.0, 98.0, "J1"],
    [JOINT, "VTI", serial("2020-04-01"), 410.0, 131.5, "J2"],
    [JOINT, "VTI", serial("2026-02-10"), 95.0, 309.0, "J3"],
    [JOINT, "VXUS", serial("2021-06-01"), 1900.0, 84.0, "J4"],
    [JOINT, "VXUS", serial("2026-03-12"), 240.0, 81.5, "J5"],
    [JOINT, "MUB", serial("2022-02-01"), 480.0, 112.4, "J6"],
    [JOINT, "VTEB", serial("2026-11-12"), 2.0, 51.2, "J7"],
    [JOINT, "VNQ", serial("2022-01-18"), 310.0, 108.0, "J8"],
    [IRA, "CASH", None, 3150.0, None, None],
    [IRA, "VTI", None, 780.0, None, None],
    [IRA, "BND", None, 2600.0, None, None],
    [IRA, "VNQ", None, 460.0, None, None],
    [IRA, "VNQ", serial("2026-11-09"), 40.0, None, None],
    [ROTH, "VTI", None, 420.0, None, None],
    [ROTH, "BND", None, 900.0, None, None],
    [HSA, "VTI", None, 88.0, None, None],
    [HSA, "CASH", None, 1240.0, None, None],
]
SECURITIES: Grid = [
    ["Symbol", "Asset class", "Price", "Substitute", "Identical group", "Tax class", "Rank"],
    ["VTI", "Stocks/US", 300.0, "ITOT", None, None, None],
    ["ITOT", "Stocks/US", 131.0, "VTI", None, None, 2.0],
    ["VXUS", "Stocks/International", 74.0, "IXUS", None, None, None],
    ["IXUS", "Stocks/International", 83.5, "VXUS", None, None, 2.0],
    ["BND", "Bonds/US", 73.5, None, None, None, None],
    ["MUB", "Bonds/US/Municipal", 106.0, "VTEB", None, "municipal", None],
    ["VTEB", "Bonds/US/Municipal", 50.0, "MUB", None, "municipal", 2.0],
    ["VNQ", "Real Estate", 92.0, None, None, None, None],
]
TARGETS: Grid = [
    ["Asset class", "Target", "Band abs", "Band rel"],
    ["Stocks", 0.62, None, None],
    ["Bonds", 0.30, None, None],
    ["Real Estate", 0.08, None, None],
]
POLICY: Grid = [
    ["Setting", "Value"],
    ["Trigger", "3pp"],
    ["Edge", "reached"],
    ["Destination", "to target"],
    ["Scope", "all classes"],
]
SETTINGS: Grid = [
    ["Setting", "Value", "What it means"],
    ["Costs", "half-spread 5bp", "As in the portfolio template; blank: trading is free."],
    ["Losses to take", 15000.0, "Realise losses of at least this much, in money."],
    ["Most net gain", 0.0, "Realise no more net gain than this; blank: no limit."],
    ["Cash to raise", None, "Money to raise from taxable accounts, where it costs least tax."],
    ["Smallest trade", 500.0, "No order below this, in money."],
    ["Most turnover", None, "(Buys + sells) / 2 of the total, such as 10%."],
    ["Mode", "fast", "best searches longer for whole shares."],
]
PROFILES: Grid = [
    [
        "Tax profile",
        "Year",
        "Filing status",
        "MAGI",
        "State",
        "Ordinary",
        "Long term",
        "NIIT",
        "Carry short",
        "Carry long",
        "YTD short",
        "YTD long",
    ],
    ["couple", 2026.0, "married_joint", 310000.0, 0.05, None, None, None, None, None, None, 4000.0],
]
HISTORY: Grid = [
    ["Account", "Symbol", "Date", "Action", "Quantity", "Price"],
    [JOINT, "VTEB", serial("2025-05-01"), "buy", 200.0, 52.0],
    [JOINT, "VTEB", serial("2026-11-03"), "sell", 200.0, 50.0],
    [IRA, "VNQ", serial("2026-11-09"), "buy", 40.0, 91.0],
    [JOINT, "VTEB", serial("2026-11-12"), "reinvest", 2.0, 49.2],
]
RESTRICTIONS: Grid = [["Scope", "Rule", "Symbol", "Replacement"], [None, None, None, None]]

TABLES: dict[str, Grid] = {
    "tblAccounts": ACCOUNTS,
    "tblLots": LOTS,
    "tblSecurities": SECURITIES,
    "tblTargets": TARGETS,
    "tblPolicy": POLICY,
    "tblPlanSettings": SETTINGS,
    "tblTaxProfile": PROFILES,
    "tblHistory": HISTORY,
    "tblRestrictions": RESTRICTIONS,
}
