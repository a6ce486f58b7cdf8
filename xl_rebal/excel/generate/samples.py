"""The sample tables of the reference page, and the examples' formulas read as calls. Invented numbers."""

from __future__ import annotations

import re
from typing import Any

Table = list[list[Any]]

TABLES: dict[str, Table] = {
    "tblHoldings": [
        ["Symbol", "Quantity", "Price"],
        ["VTI", 5000.0, 220.0],
        ["VXUS", 2000.0, 58.0],
        ["BND", 8000.0, 75.0],
        ["VNQ", 1000.0, 85.0],
    ],
    "tblTargets": [
        ["Asset class", "Target"],
        ["Stocks", 0.6],
        ["Bonds", 0.3],
        ["Real Estate", 0.1],
    ],
    "tblTrades": [
        ["symbol", "action", "quantity", "price"],
        ["VTI", "SELL", 343.0, 220.0],
        ["BND", "SELL", 397.0, 75.0],
        ["VNQ", "BUY", 1236.0, 85.0],
    ],
    "tblVolatilities": [
        ["Asset class", "Volatility", "Stocks", "Bonds", "Real Estate"],
        ["Stocks", 0.16, 1.0, 0.1, 0.7],
        ["Bonds", 0.06, 0.1, 1.0, 0.2],
        ["Real Estate", 0.2, 0.7, 0.2, 1.0],
    ],
    "tblPrices": [
        ["Date", "VTI", "BND"],
        ["2023-12-31", 200.0, 75.0],
        ["2024-01-31", 206.0, 74.5],
        ["2024-02-29", 214.0, 73.0],
        ["2024-03-31", 221.0, 73.8],
        ["2024-04-30", 210.0, 71.6],
        ["2024-05-31", 222.0, 72.9],
        ["2024-06-30", 229.0, 73.7],
        ["2024-07-31", 233.0, 75.5],
        ["2024-08-31", 240.0, 76.6],
        ["2024-09-30", 247.0, 77.7],
        ["2024-10-31", 243.0, 75.6],
        ["2024-11-30", 262.0, 76.4],
        ["2024-12-31", 254.0, 75.0],
    ],
    "tblLots": [
        ["symbol", "acquired", "quantity", "unit_cost", "lot_id"],
        ["VTI", "2024-01-02", 100.0, 300.0, "A1"],
        ["VTI", "2020-03-02", 200.0, 130.0, "A2"],
        ["VXUS", "2026-06-01", 400.0, 62.0, "B1"],
    ],
    "tblSecurities": [
        ["symbol", "price", "asset_class", "substitute"],
        ["VTI", 250.0, "Stocks/US", "ITOT"],
        ["VXUS", 60.0, "Stocks/International", "IXUS"],
        ["ITOT", 110.0, "Stocks/US", "VTI"],
        ["IXUS", 70.0, "Stocks/International", "VXUS"],
    ],
    "tblHistory": [
        ["symbol", "date", "action", "quantity", "price"],
        ["MSFT", "2025-09-21", "buy", 100.0, 50.0],
        ["MSFT", "2025-12-21", "buy", 50.0, 55.0],
        ["MSFT", "2025-12-27", "reinvest", 25.0, 45.0],
        ["MSFT", "2026-01-03", "sell", 100.0, 40.0],
    ],
    "tblGains": [
        ["term", "gain"],
        ["long", 80000.0],
        ["short", -5000.0],
    ],
    "tblTaxProfile": [
        ["tax_profile", "year", "filing_status", "magi"],
        ["couple", 2026.0, "married_joint", 400000.0],
    ],
    "tblAccounts": [
        ["account", "type", "owner", "cash_reserve"],
        ["Joint", "taxable", "Ann", 1000.0],
        ["IRA", "traditional", "Bob", 0.0],
    ],
    "tblHouseholdLots": [
        ["account", "symbol", "acquired", "quantity", "unit_cost"],
        ["Joint", "CASH", None, 5000.0, None],
        ["Joint", "VTI", "2015-03-02", 600.0, 90.0],
        ["Joint", "VXUS", "2021-03-02", 1000.0, 75.0],
        ["IRA", "VTI", None, 800.0, None],
        ["IRA", "BND", None, 600.0, None],
    ],
    "tblHouseholdSecurities": [
        ["symbol", "price", "asset_class"],
        ["VTI", 250.0, "Stocks/US"],
        ["VXUS", 60.0, "Stocks/International"],
        ["BND", 75.0, "Bonds/US"],
    ],
    "tblBookAccounts": [
        ["account", "household", "model", "held_away"],
        ["1001", "Ash", "growth", None],
        ["1002", "Birch", "growth", None],
        ["1003", "Birch", "income", None],
        ["1004", "Cedar", "income", "yes"],
    ],
    "tblBookHoldings": [
        ["account", "symbol", "quantity", "price"],
        ["1001", "VTI", 300.0, 250.0],
        ["1001", "BND", 700.0, 75.0],
        ["1002", "VTI", 350.0, 250.0],
        ["1002", "BND", 500.0, 75.0],
        ["1003", "VTI", 100.0, 250.0],
        ["1003", "BND", 800.0, 75.0],
        ["1004", "VTI", 200.0, 250.0],
    ],
    "tblModels": [
        ["model", "asset_class", "target"],
        ["growth", "Stocks", 0.6],
        ["growth", "Bonds", 0.4],
        ["income", "Stocks", 0.3],
        ["income", "Bonds", 0.7],
    ],
    "tblBookTrades": [
        ["account", "symbol", "action", "quantity", "price"],
        ["1001", "VTI", "SELL", 100.0, 250.0],
        ["1002", "VTI", "SELL", 60.0, 250.0],
        ["1002", "BND", "BUY", 200.0, 75.0],
        ["1003", "VTI", "BUY", 20.0, 250.0],
    ],
}
_WORD = re.compile(r'"(?:[^"]|"")*"|[^\s,]+')


def words(formula: str) -> list[str]:
    """The arguments of an example as they are typed: `tblHoldings`, `"5pp"`, `50000`."""
    inside = formula[formula.index("(") + 1 : formula.rindex(")")]
    return _WORD.findall(inside)


def value(word: str) -> Any:
    """What a typed argument stands for: a copy of a sample table, a text, a number."""
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    if word in TABLES:
        return [list(row) for row in TABLES[word]]
    return float(word)
