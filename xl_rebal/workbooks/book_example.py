"""The example that adviser_book.xltx is delivered with: eight invented clients, their holdings and lots.

Names, accounts, prices and trades are made up. Between them they show each need that the scan knows.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from xl_rebal.workbooks.household_example import serial

Grid = list[list[Any]]

AS_OF = dt.date(2026, 11, 25)
POLICY, MODE, COSTS = "5pp", "rules", "half-spread 2bp, commission 0"
SMALLEST_TRADE, RISE = 250.0, 0.01
_ZERO = dt.datetime(1899, 12, 30)
_DAY = serial(AS_OF.isoformat())

ACCOUNTS: Grid = [
    [
        "Account", "Household", "Client", "Type", "Custodian", "Model", "Policy", "Plan mode",
        "Cash reserve", "Tax profile", "Discretionary", "Held away", "Last rebalanced",
    ],
    ["EXAMPLE-1001", "Ash", "Ann Ash", "taxable", "Schwab", "Balanced", None, None, 2000.0, "ash",
     None, None, None],
    ["EXAMPLE-2001", "Birch", "Bo and Bea Birch", "taxable", "Fidelity", "Balanced", "3pp",
     "household_tax", 3000.0, "birch", None, None, None],
    ["EXAMPLE-2002", "Birch", "Bo and Bea Birch", "traditional", "Fidelity", "Balanced", "3pp",
     "household_tax", None, None, None, None, None],
    ["EXAMPLE-2003", "Birch", "Bo and Bea Birch", "roth", "Fidelity", "Balanced", "3pp",
     "household_tax", None, None, None, None, None],
    ["EXAMPLE-3001", "Cedar", "Cy Cedar", "traditional", "Schwab", "Growth", None, None, None, None,
     None, None, None],
    ["EXAMPLE-4001", "Dogwood", "Di Dogwood", "roth", "Interactive Brokers", "Growth", None, None, None,
     None, None, None, None],
    ["EXAMPLE-5001", "Elm", "Ed Elm", "traditional", "Schwab", "Income", "quarterly or 5pp", None, None,
     None, None, None, serial("2026-09-30")],
    ["EXAMPLE-6001", "Fir", "Fay Fir", "taxable", "Interactive Brokers", "Growth", None, None, None,
     "fir", None, None, None],
    ["EXAMPLE-7001", "Gum", "Gus Gum", "traditional", "Fidelity", "Blend", None, None, None, None, "no",
     None, None],
    ["EXAMPLE-8001", "Holly", "Hal Holly", "traditional", "Schwab", "Income", None, "pro_rata", None,
     None, None, None, None],
    ["EXAMPLE-8002", "Holly", "Hal Holly", "traditional", "Employer plan", "Income", None, "pro_rata",
     None, None, None, "yes", None],
]  # fmt: skip

# Account, symbol, quantity; cash is CASH. Prices come from SECURITIES.
_HELD: tuple[tuple[str, str, float], ...] = (
    ("EXAMPLE-1001", "VTI", 1450.0),
    ("EXAMPLE-1001", "VXUS", 1600.0),
    ("EXAMPLE-1001", "MUB", 2100.0),
    ("EXAMPLE-1001", "CASH", 9350.0),
    ("EXAMPLE-2001", "VTI", 1180.0),
    ("EXAMPLE-2001", "VXUS", 2450.0),
    ("EXAMPLE-2001", "MUB", 900.0),
    ("EXAMPLE-2001", "CASH", 21400.0),
    ("EXAMPLE-2002", "VTI", 520.0),
    ("EXAMPLE-2002", "BND", 4100.0),
    ("EXAMPLE-2002", "CASH", 5200.0),
    ("EXAMPLE-2003", "VTI", 610.0),
    ("EXAMPLE-2003", "CASH", 1150.0),
    ("EXAMPLE-3001", "VTI", 900.0),
    ("EXAMPLE-3001", "VXUS", 1250.0),
    ("EXAMPLE-3001", "BND", 1080.0),
    ("EXAMPLE-3001", "CASH", 3900.0),
    ("EXAMPLE-4001", "VTI", 390.0),
    ("EXAMPLE-4001", "VXUS", 540.0),
    ("EXAMPLE-4001", "BND", 450.0),
    ("EXAMPLE-4001", "CASH", 8800.0),
    ("EXAMPLE-5001", "VTI", 300.0),
    ("EXAMPLE-5001", "VXUS", 420.0),
    ("EXAMPLE-5001", "BND", 3650.0),
    ("EXAMPLE-5001", "CASH", 4100.0),
    ("EXAMPLE-6001", "VTI", 480.0),
    ("EXAMPLE-6001", "ITA", 160.0),
    ("EXAMPLE-6001", "VXUS", 830.0),
    ("EXAMPLE-6001", "MUB", 500.0),
    ("EXAMPLE-6001", "CASH", 2700.0),
    ("EXAMPLE-7001", "VTI", 760.0),
    ("EXAMPLE-7001", "VXUS", 700.0),
    ("EXAMPLE-7001", "BND", 900.0),
    ("EXAMPLE-7001", "CASH", 17500.0),
    ("EXAMPLE-8001", "VTI", 255.0),
    ("EXAMPLE-8001", "VXUS", 340.0),
    ("EXAMPLE-8001", "BND", 2920.0),
    ("EXAMPLE-8001", "CASH", 3300.0),
    ("EXAMPLE-8002", "VTI", 82.0),
    ("EXAMPLE-8002", "VXUS", 98.0),
    ("EXAMPLE-8002", "BND", 985.0),
    ("EXAMPLE-8002", "CASH", 1400.0),
)
SECURITIES: Grid = [
    ["Symbol", "Asset class", "Price", "Rank", "Substitute", "Tags", "Tax class", "Spread bps"],
    ["VTI", "Stocks/US", 300.0, 1.0, "ITOT", None, None, 1.0],
    ["ITOT", "Stocks/US", 131.0, 2.0, "VTI", None, None, 1.0],
    ["ITA", "Stocks/US", 208.0, 3.0, None, "defence", None, 4.0],
    ["VXUS", "Stocks/International", 74.0, 1.0, "IXUS", None, None, 1.0],
    ["IXUS", "Stocks/International", 83.5, 2.0, "VXUS", None, None, 2.0],
    ["BND", "Bonds", 73.5, 1.0, None, None, None, 1.0],
    ["MUB", "Bonds", 106.0, 2.0, "VTEB", None, "municipal", 2.0],
    ["VTEB", "Bonds", 50.0, 3.0, "MUB", None, "municipal", 2.0],
]
_PRICE = {row[0]: row[2] for row in SECURITIES[1:]} | {"CASH": 1.0}
HOLDINGS: Grid = [
    ["Account", "Symbol", "Kind", "Quantity", "Price", "As of"],
    *(
        [account, symbol, "cash" if symbol == "CASH" else "position", units, _PRICE[symbol], _DAY]
        for account, symbol, units in _HELD
    ),
]
LOTS: Grid = [
    ["Account", "Symbol", "Acquired", "Quantity", "Unit cost", "Lot id"],
    ["EXAMPLE-1001", "VTI", serial("2015-05-04"), 700.0, 108.5, "A1"],
    ["EXAMPLE-1001", "VTI", serial("2020-03-23"), 450.0, 112.9, "A2"],
    ["EXAMPLE-1001", "VTI", serial("2026-07-06"), 300.0, 311.0, "A3"],
    ["EXAMPLE-1001", "VXUS", serial("2021-06-14"), 1600.0, 67.2, "A4"],
    ["EXAMPLE-1001", "MUB", serial("2022-02-01"), 2100.0, 112.4, "A5"],
    ["EXAMPLE-2001", "VTI", serial("2017-01-17"), 640.0, 116.3, "B1"],
    ["EXAMPLE-2001", "VTI", serial("2026-05-11"), 540.0, 305.4, "B2"],
    ["EXAMPLE-2001", "VXUS", serial("2021-09-07"), 1500.0, 82.1, "B3"],
    ["EXAMPLE-2001", "VXUS", serial("2026-10-26"), 950.0, 76.6, "B4"],
    ["EXAMPLE-2001", "MUB", serial("2023-08-08"), 900.0, 105.2, "B5"],
    ["EXAMPLE-6001", "VTI", serial("2019-10-07"), 480.0, 149.8, "F1"],
    ["EXAMPLE-6001", "ITA", serial("2024-04-15"), 160.0, 131.6, "F2"],
    ["EXAMPLE-6001", "VXUS", serial("2022-11-14"), 830.0, 51.4, "F3"],
    ["EXAMPLE-6001", "MUB", serial("2024-01-08"), 500.0, 107.9, "F4"],
]
MODELS: Grid = [
    ["Model", "Asset class", "Target", "Band abs", "Band rel", "Kind"],
    ["Growth", "Stocks/US", 0.56, None, None, None],
    ["Growth", "Stocks/International", 0.24, None, None, None],
    ["Growth", "Bonds", 0.19, None, None, None],
    ["Growth", "Cash", 0.01, None, None, None],
    ["Balanced", "Stocks/US", 0.42, None, None, None],
    ["Balanced", "Stocks/International", 0.18, None, None, None],
    ["Balanced", "Bonds", 0.38, None, None, None],
    ["Balanced", "Cash", 0.02, None, None, None],
    ["Income", "Stocks/US", 0.23, None, None, None],
    ["Income", "Stocks/International", 0.07, None, None, None],
    ["Income", "Bonds", 0.68, None, None, None],
    ["Income", "Cash", 0.02, None, None, None],
    ["Blend", "Growth", 0.6, None, None, "model"],
    ["Blend", "Income", 0.4, None, None, "model"],
    ["Blend", "Cash", 0.04, None, None, "fixed"],
]
RESTRICTIONS: Grid = [
    ["Scope", "Rule", "Symbol", "Tag", "Replacement", "Account types"],
    ["Fir", "never_hold", None, "defence", None, None],
    ["*", "substitute", "BND", None, "MUB", "taxable"],
]
FLOWS: Grid = [
    ["Account", "Date", "Amount", "Kind"],
    ["EXAMPLE-8001", serial("2026-12-04"), -12000.0, "RMD"],
    ["EXAMPLE-1001", serial("2026-12-01"), -1500.0, "withdrawal"],
]
HISTORY: Grid = [
    ["Account", "Symbol", "Date", "Action", "Quantity", "Price"],
    ["EXAMPLE-2001", "VXUS", serial("2026-10-26"), "buy", 950.0, 76.6],
]
PROFILES: Grid = [
    ["Tax profile", "Year", "Filing status", "MAGI", "State", "Ordinary", "Long term", "NIIT",
     "Carry short", "Carry long", "YTD short", "YTD long"],
    ["ash", 2026.0, "single", 190000.0, 0.05, None, None, None, None, None, None, 2500.0],
    ["birch", 2026.0, "married_joint", 320000.0, 0.05, None, None, None, None, 8000.0, None, None],
    ["fir", 2026.0, "single", 145000.0, 0.0, None, None, None, None, None, None, None],
]  # fmt: skip
FUND_RULES: Grid = [
    ["Custodian", "Symbol", "Initial minimum", "Subsequent minimum", "Ticket fee", "Redemption fee",
     "Redemption days", "Closed to new"],
    [None] * 8,
]  # fmt: skip

TABLES: dict[str, Grid] = {
    "tblAccounts": ACCOUNTS,
    "tblHoldings": HOLDINGS,
    "tblLots": LOTS,
    "tblSecurities": SECURITIES,
    "tblModels": MODELS,
    "tblRestrictions": RESTRICTIONS,
    "tblFlows": FLOWS,
    "tblHistory": HISTORY,
    "tblTaxProfiles": PROFILES,
    "tblFundRules": FUND_RULES,
}
_DAYS = frozenset({"As of", "Acquired", "Date", "Last rebalanced"})


def cells_as_read(grid: Grid) -> Grid:
    """A table as a program reads it from a sheet: days as days, nothing as an empty text."""
    header = grid[0]
    return [header] + [
        [
            "" if cell is None else _ZERO + dt.timedelta(days=cell) if name in _DAYS else cell
            for name, cell in zip(header, row, strict=True)
        ]
        for row in grid[1:]
    ]


TRADE_COLUMNS = (
    "Household", "Account", "Custodian", "Symbol", "Action", "Quantity", "Price", "Value", "Cost",
    "Order type", "Limit price", "Time in force", "Settles", "Block", "File", "Reason",
)  # fmt: skip
