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
