"""The contract matrix: every worksheet function with good and bad arguments, as one list.

Each case is given to the registry directly and through every host; values and error texts must be
the same. Arguments are host-neutral: None is an omitted argument, a list of rows is a range in which
None is a blank cell, `CellError` an error cell, `datetime` a date cell.
"""

# ruff: noqa: E501 - one case a line reads best

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from xl_rebal.excel.ranges import CellError

HOLDINGS: list[list[Any]] = [
    ["Symbol", "Quantity", "Price"],
    ["VTI", 5000.0, 220.0],
    ["VXUS", 2000.0, 58.0],
    ["BND", 8000.0, 75.0],
    ["VNQ", 1000.0, 85.0],
]
TARGETS: list[list[Any]] = [
    ["Asset class", "Target"],
    ["Stocks", 0.6],
    ["Bonds", 0.3],
    ["Real Estate", 0.1],
]
TRADES: list[list[Any]] = [
    ["symbol", "action", "quantity", "price"],
    ["VTI", "SELL", 343.0, 220.0],
    ["BND", "SELL", 397.0, 75.0],
    ["VNQ", "BUY", 1236.0, 85.0],
]
HISTORY: list[list[Any]] = [
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
]
POLICY_TABLE: list[list[Any]] = [
    ["Setting", "Value"],
    ["Trigger", "5pp"],
    ["Destination", "halfway"],
    ["Scope", "all classes"],
]
RESTRICTIONS: list[list[Any]] = [["scope", "rule", "symbol"], ["*", "never_sell", "VTI"]]
VOLATILITIES: list[list[Any]] = [
    ["Asset class", "Volatility", "Stocks", "Bonds", "Real Estate"],
    ["Stocks", 0.16, 1.0, 0.1, 0.7],
    ["Bonds", 0.06, 0.1, 1.0, 0.2],
    ["Real Estate", 0.2, 0.7, 0.2, 1.0],
]
PRICES: list[list[Any]] = [
    ["Date", "Stocks", "Bonds", "Real Estate"],
    [dt.datetime(2026, 1, 30), 100.0, 100.0, 100.0],
    [dt.datetime(2026, 2, 27), 104.0, 99.0, 103.0],
    [dt.datetime(2026, 3, 31), 97.0, 101.0, 94.0],
    [dt.datetime(2026, 4, 30), 101.0, 100.5, 99.0],
]
LOTS: list[list[Any]] = [
    ["symbol", "acquired", "quantity", "unit_cost", "lot_id"],
    ["VTI", "2024-01-02", 100.0, 300.0, "A1"],
    ["VTI", "2020-03-02", 200.0, 130.0, "A2"],
    ["VXUS", "2026-06-01", 400.0, 62.0, "B1"],
]
SECURITIES: list[list[Any]] = [
    ["symbol", "price", "asset_class", "substitute"],
    ["VTI", 250.0, "Stocks/US", "ITOT"],
    ["VXUS", 60.0, "Stocks/International", "IXUS"],
    ["ITOT", 110.0, "Stocks/US", "VTI"],
    ["IXUS", 70.0, "Stocks/International", "VXUS"],
]
TRADE_HISTORY: list[list[Any]] = [
    ["symbol", "date", "action", "quantity", "price"],
    ["MSFT", "2025-09-21", "buy", 100.0, 50.0],
    ["MSFT", "2025-12-21", "buy", 50.0, 55.0],
    ["MSFT", "2025-12-27", "reinvest", 25.0, 45.0],
    ["MSFT", "2026-01-03", "sell", 100.0, 40.0],
]
GAINS: list[list[Any]] = [["term", "gain"], ["long", 80000.0], ["short", -5000.0]]
TAX_PROFILE: list[list[Any]] = [
    ["tax_profile", "year", "filing_status", "magi"],
    ["couple", 2026.0, "married_joint", 400000.0],
]
ACCOUNTS: list[list[Any]] = [
    ["account", "type", "owner", "cash_reserve"],
    ["Joint", "taxable", "Ann", 1000.0],
    ["IRA", "traditional", "Bob", 0.0],
]
HOUSEHOLD_SETTINGS: list[list[Any]] = [
    ["setting", "value", "remark"],
    ["Costs", "half-spread 5bp", None],
    ["Losses to take", 5000.0, "in money"],
    ["Most net gain", None, None],
    ["Smallest trade", 100.0, None],
    ["Mode", "best", None],
]
IRA_HISTORY: list[list[Any]] = [
    ["account", "symbol", "date", "action", "quantity", "price"],
    ["Joint", "VXUS", "2025-01-06", "buy", 40.0, 66.0],
    ["Joint", "VXUS", "2026-11-10", "sell", 40.0, 60.0],
    ["IRA", "VXUS", "2026-11-16", "buy", 10.0, 60.5],
]
HOUSEHOLD_LOTS: list[list[Any]] = [
    ["account", "symbol", "acquired", "quantity", "unit_cost"],
    ["Joint", "CASH", None, 5000.0, None],
    ["Joint", "VTI", "2015-03-02", 600.0, 90.0],
    ["Joint", "VXUS", "2021-03-02", 1000.0, 75.0],
    ["IRA", "VTI", None, 800.0, None],
    ["IRA", "BND", None, 600.0, None],
]
HOUSEHOLD_SECURITIES: list[list[Any]] = [
    ["symbol", "price", "asset_class"],
    ["VTI", 250.0, "Stocks/US"],
    ["VXUS", 60.0, "Stocks/International"],
    ["BND", 75.0, "Bonds/US"],
]
BOOK_ACCOUNTS: list[list[Any]] = [
    ["account", "household", "model", "held_away"],
    ["1001", "Ash", "growth", None],
    ["1002", "Birch", "growth", None],
    ["1003", "Birch", "income", None],
    ["1004", "Cedar", "income", "yes"],
]
BOOK_HOLDINGS: list[list[Any]] = [
    ["account", "symbol", "quantity", "price"],
    ["1001", "VTI", 300.0, 250.0],
    ["1001", "BND", 700.0, 75.0],
    ["1002", "VTI", 350.0, 250.0],
    ["1002", "BND", 500.0, 75.0],
    ["1003", "VTI", 100.0, 250.0],
    ["1003", "BND", 800.0, 75.0],
    ["1004", "VTI", 200.0, 250.0],
]
MODELS: list[list[Any]] = [
    ["model", "asset_class", "target"],
    ["growth", "Stocks", 0.6],
    ["growth", "Bonds", 0.4],
    ["income", "Stocks", 0.3],
    ["income", "Bonds", 0.7],
]
BOOK_TRADES: list[list[Any]] = [
    ["account", "symbol", "action", "quantity", "price"],
    ["1001", "VTI", "SELL", 100.0, 250.0],
    ["1002", "VTI", "SELL", 60.0, 250.0],
    ["1002", "BND", "BUY", 200.0, 75.0],
    ["1003", "VTI", "BUY", 20.0, 250.0],
]
TODAY = dt.datetime(2026, 11, 24)


@dataclass(frozen=True)
class Case:
    """One call. `error` is a part of the text that it must show, "" for a result."""

    name: str
    function: str
    arguments: tuple[Any, ...]
    error: str = ""


def changed(rows: list[list[Any]], row: int, column: int, value: Any) -> list[list[Any]]:
    """A copy of a range with one cell changed."""
    copy = [list(line) for line in rows]
    copy[row][column] = value
    return copy


def padded(rows: list[list[Any]], to: int) -> list[list[Any]]:
    """A range that goes on with blank rows."""
    return [*rows, *([None] * len(rows[0]) for _ in range(to - len(rows)))]


GOOD: tuple[Case, ...] = (
    Case("weights", "REBAL_WEIGHTS", (HOLDINGS,)),
    Case("drift", "REBAL_DRIFT", (HOLDINGS, TARGETS)),
    Case("drift text targets", "REBAL_DRIFT", (HOLDINGS, "60% stocks, 30% bonds, 10% real estate", "5/25")),
    Case("drift policy table", "REBAL_DRIFT", (HOLDINGS, TARGETS, POLICY_TABLE)),
    Case("drift policy number", "REBAL_DRIFT", (HOLDINGS, TARGETS, 0.03)),
    Case("drift blank rows below", "REBAL_DRIFT", (padded(HOLDINGS, 40), padded(TARGETS, 9), "5pp")),
    Case("drift number as text", "REBAL_DRIFT", (changed(HOLDINGS, 1, 1, "5,000"), TARGETS)),
    Case("drift hard space", "REBAL_DRIFT", (changed(HOLDINGS, 1, 0, "VTI\u00a0"), TARGETS)),
    Case("drift percent text", "REBAL_DRIFT", (HOLDINGS, [TARGETS[0], ["Stocks", "60%"], ["Bonds", "30%"], ["Real Estate", "10%"]])),
    Case("drift whole percents", "REBAL_DRIFT", (HOLDINGS, [TARGETS[0], ["Stocks", 60.0], ["Bonds", 30.0], ["Real Estate", 10.0]])),
    Case("status", "REBAL_STATUS", (HOLDINGS, TARGETS, "5pp")),
    Case("status within", "REBAL_STATUS", (HOLDINGS, TARGETS, "10pp")),
    Case("bands", "REBAL_BANDS", (TARGETS, "5/25")),
    Case("bands default", "REBAL_BANDS", (TARGETS,)),
    Case("trades", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", "half-spread 5bp")),
    Case("trades flow", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, 50000.0)),
    Case("trades restricted", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, RESTRICTIONS)),
    Case("trades none", "REBAL_TRADES", (HOLDINGS, TARGETS, "10pp")),
    Case("cashflow", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, 50000.0)),
    Case("cashflow withdrawal", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, -50000.0)),
    Case("cashflow hybrid", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, 50000.0, "hybrid")),
    Case("cost", "REBAL_COST", (TRADES, "half-spread 5bp")),
    Case("cost free", "REBAL_COST", (TRADES,)),
    Case("policy", "REBAL_POLICY", ("annual and 5pp to halfway",)),
    Case("assetclass", "REBAL_ASSETCLASS", ("VNQ",)),
    Case("assetclass column", "REBAL_ASSETCLASS", ([["VTI"], ["BND"], [None], ["VNQ"]],)),
    Case("assetclass row", "REBAL_ASSETCLASS", ([["VTI", "BND", "VNQ"]],)),
    Case("assetclass map", "REBAL_ASSETCLASS", ("AAPL", [["symbol", "asset_class"], ["AAPL", "Stocks/US"]])),
    Case("cost of no trades", "REBAL_COST", ([["symbol", "quantity", "price", "reason"], [None, None, None, "no trades"]],)),
    Case("costs with header", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", [["Costs"], ["half-spread 5bp"], ["commission 0"]])),
    Case("targets headless", "REBAL_BANDS", (TARGETS[1:], "5pp")),
    Case("targets as rows", "REBAL_BANDS", ([[row[0] for row in TARGETS[1:]], [row[1] for row in TARGETS[1:]]], "5pp")),
    Case("policy as a row", "REBAL_BANDS", (TARGETS, [["5pp", "to halfway"]])),
    Case("restrictions header only", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, RESTRICTIONS[:1])),
    Case("map header only", "REBAL_ASSETCLASS", ("VNQ", [["symbol", "asset_class"]])),
    Case("mode words", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, 1000.0, "Buy Only")),
    Case("version", "REBAL_VERSION", ()),
    Case("bands by volatilities", "REBAL_BANDS", (TARGETS, "5pp", VOLATILITIES)),
    Case("bands by volatilities alone", "REBAL_BANDS", (TARGETS, "5pp", [row[:2] for row in VOLATILITIES])),
    Case("bands by prices", "REBAL_BANDS", (TARGETS, "5/25", PRICES)),
    Case("bands by prices backwards", "REBAL_BANDS", (TARGETS, "5pp", [PRICES[0], *PRICES[:0:-1]])),
    Case("bands by prices with gaps", "REBAL_BANDS", (TARGETS, "5pp", changed(PRICES, 2, 1, None))),
    Case("net benefit", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS, "5pp", "half-spread 5bp", 4.0, VOLATILITIES)),
    Case("net benefit of prices", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS, "5pp", None, None, PRICES)),
    Case("shock text", "REBAL_SHOCK", ("60% stocks, 40% bonds", "stocks -34%")),
    Case("shock tables", "REBAL_SHOCK", (TARGETS, [["asset_class", "return"], ["Stocks", -0.2], ["Bonds", "5%"]])),
    Case("edges", "REBAL_EDGES", (HOLDINGS, TARGETS, "5pp")),
    Case("edges never", "REBAL_EDGES", (HOLDINGS, TARGETS, "never")),
    Case("backtest", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "5pp", 5.0)),
    Case("backtest default", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND")),
    Case("backtest events", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "quarterly or 3pp", 5.0, "events")),
    Case("backtest no events", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "never", None, "Events")),
    Case("backtest path", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "annual", None, "path")),
    Case("backtest chart", "REBAL_BACKTEST", (HISTORY, "60% VTI, 30% BND, 10% cash", "5pp", 10.0, "chart")),
    Case("backtest dates", "REBAL_BACKTEST", (changed(HISTORY, 1, 0, dt.datetime(2023, 12, 31)), "60% VTI, 40% BND")),
    Case("backtest targets table", "REBAL_BACKTEST", (HISTORY, [["Asset class", "Target"], ["VTI", 0.6], ["BND", 0.4]], POLICY_TABLE)),
    Case("backtest long", "REBAL_BACKTEST", ([["Symbol", "Date", "Close"], *([s, row[0], row[c]] for row in HISTORY[1:] for c, s in ((1, "VTI"), (2, "BND")))], "60% VTI, 40% BND")),
    Case("compare", "REBAL_COMPARE", (HISTORY, "60% VTI, 40% BND", "never; annual; 5pp", 5.0)),
    Case("compare column", "REBAL_COMPARE", (HISTORY, "60% VTI, 40% BND", [["Policies"], ["never"], ["3pp"], [None]])),
    Case("optimal band", "REBAL_OPTIMAL_BAND", (HISTORY, "60% VTI, 40% BND", 5.0)),
    Case("optimal band limit", "REBAL_OPTIMAL_BAND", (HISTORY, "60% VTI, 40% BND", 5.0, 0.005)),
    Case("optimal band drift", "REBAL_OPTIMAL_BAND", (HISTORY, "60% VTI, 40% BND", 5.0, "drift 6pp")),
    Case("gains", "REBAL_GAINS", (LOTS, SECURITIES, TODAY)),
    Case("gains without a day", "REBAL_GAINS", (LOTS, SECURITIES)),
    Case("gains day as text", "REBAL_GAINS", (LOTS, SECURITIES, "11/24/2026")),
    Case("gains day as a serial number", "REBAL_GAINS", (LOTS, SECURITIES, 46350.0)),
    Case("gains date cells", "REBAL_GAINS", (changed(LOTS, 1, 1, dt.datetime(2024, 1, 2)), SECURITIES, TODAY)),
    Case("gains date numbers", "REBAL_GAINS", (changed(LOTS, 1, 1, 45293.0), SECURITIES, TODAY)),
    Case("sell fifo", "REBAL_SELL_LOTS", (LOTS, "VTI", 120.0)),
    Case("sell hifo", "REBAL_SELL_LOTS", (LOTS, "vti", 120.0, "HIFO", 250.0, TODAY)),
    Case("sell lowest tax", "REBAL_SELL_LOTS", (LOTS, "VTI", 120.0, "lowest tax", 250.0, TODAY)),
    Case("sell average", "REBAL_SELL_LOTS", (LOTS, "VTI", 120.0, "average", 250.0)),
    Case("sell specific", "REBAL_SELL_LOTS", (LOTS, "VTI", 30.0, "specific: A2 20, A1 10", 250.0)),
    Case("harvest", "REBAL_HARVEST", (LOTS, SECURITIES, TRADE_HISTORY, TODAY)),
    Case("harvest no history", "REBAL_HARVEST", (LOTS, SECURITIES, None, TODAY, "1,000; 10%")),
    Case("harvest minimum", "REBAL_HARVEST", (LOTS, SECURITIES, None, TODAY, 1000.0)),
    Case("washsales", "REBAL_WASHSALES", (TRADE_HISTORY,)),
    Case("washsales accounts", "REBAL_WASHSALES", ([["account", *TRADE_HISTORY[0]], *(["T", *row] for row in TRADE_HISTORY[1:])],)),
    Case("washsales date cells", "REBAL_WASHSALES", ([TRADE_HISTORY[0], *([row[0], dt.datetime.fromisoformat(row[1]), *row[2:]] for row in TRADE_HISTORY[1:])],)),
    Case("tax", "REBAL_TAX", (GAINS, TAX_PROFILE)),
    Case("tax of stated rates", "REBAL_TAX", (GAINS, [["tax_profile", "year", "ordinary", "long_term", "niit", "state"], ["x", 2026.0, 0.35, "15%", 0.038, "5%"]])),
    Case("book", "REBAL_BOOK", (BOOK_ACCOUNTS, BOOK_HOLDINGS, MODELS, "5pp")),
    Case("book default policy", "REBAL_BOOK", (BOOK_ACCOUNTS, BOOK_HOLDINGS, MODELS)),
    Case("book of one model", "REBAL_BOOK", ([["account"], ["1001"]], BOOK_HOLDINGS[:3], "60% stocks, 40% bonds", "1pp")),
    Case("book one account fails", "REBAL_BOOK", (BOOK_ACCOUNTS, changed(BOOK_HOLDINGS, 5, 1, "XYZ"), MODELS, "5pp")),
    Case("book account without holdings", "REBAL_BOOK", ([*BOOK_ACCOUNTS, ["1005", "Dogwood", "growth", None]], BOOK_HOLDINGS, MODELS, "5pp")),
    Case("book by client", "REBAL_BOOK", (BOOK_ACCOUNTS, BOOK_HOLDINGS, MODELS, "5pp", None, None, None, TODAY, "household_tax", "clients")),
    Case("blocks", "REBAL_BLOCKS", (BOOK_TRADES,)),
    Case("blocks of one account", "REBAL_BLOCKS", (TRADES,)),
    Case("blocks limits", "REBAL_BLOCKS", ([[*BOOK_TRADES[0], "order_type", "limit_price", "custodian"], *([*row, "limit", 251.5, "Schwab"] for row in BOOK_TRADES[1:])],)),
    Case("blocks of no trades", "REBAL_BLOCKS", ([["symbol", "action", "quantity", "price", "reason"], [None, None, None, None, "no trades"]],)),
    Case("household", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY)),
    Case("household at rest", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "90% stocks, 10% bonds", "20pp", TAX_PROFILE, TODAY)),
    Case("household lot dates", "REBAL_HOUSEHOLD", (ACCOUNTS, changed(HOUSEHOLD_LOTS, 2, 2, 42065.0), HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", None, TAX_PROFILE, 46350.0)),
    Case("gains of taxable accounts", "REBAL_GAINS", (HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, TODAY, ACCOUNTS)),
    Case("harvest of taxable accounts", "REBAL_HARVEST", (HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, None, TODAY, None, ACCOUNTS, TAX_PROFILE)),
    Case("washsales with an ira", "REBAL_WASHSALES", (IRA_HISTORY, ACCOUNTS, HOUSEHOLD_SECURITIES)),
    Case("household figures", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, None, None, HOUSEHOLD_SETTINGS, "figures")),
    Case("household ways", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, IRA_HISTORY, None, None, "Ways")),
    Case("household classes", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, None, [["scope", "rule", "symbol"], ["Joint", "never_sell", "VTI"]], None, "classes")),
    Case("household notes", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, IRA_HISTORY, None, None, "notes")),
    Case("tax of washsales", "REBAL_TAX", ([["gain", "disallowed", "allowed", "term"], [-1000.0, 750.0, -250.0, "short"]], TAX_PROFILE)),
)  # fmt: skip

BAD: tuple[Case, ...] = (
    Case("text in a number", "REBAL_DRIFT", (changed(HOLDINGS, 3, 1, "120 sh"), TARGETS), "tblHoldings row 4, Quantity: '120 sh' is not a number; enter digits only"),
    Case("two bad cells", "REBAL_DRIFT", (changed(changed(HOLDINGS, 3, 1, "x"), 4, 2, "y"), TARGETS), "row 5"),
    Case("error cell", "REBAL_DRIFT", (changed(HOLDINGS, 3, 2, CellError("#N/A")), TARGETS), "tblHoldings row 4, Price: shows #N/A"),
    Case("blank price", "REBAL_DRIFT", (changed(HOLDINGS, 3, 2, None), TARGETS), "tblHoldings row 4, Price"),
    Case("logical ticker", "REBAL_DRIFT", (changed(HOLDINGS, 1, 0, True), TARGETS), "TRUE is a logical value, not a ticker"),
    Case("date ticker", "REBAL_DRIFT", (changed(HOLDINGS, 1, 0, dt.datetime(2026, 3, 1)), TARGETS), "is a date, not a ticker"),
    Case("numeric ticker", "REBAL_DRIFT", (changed(HOLDINGS, 1, 0, 700.0), TARGETS), "700 is a number (leading zeros and letters as in 1E5 are lost), not a ticker"),
    Case("1E5 ticker", "REBAL_WEIGHTS", (changed(HOLDINGS, 2, 0, 1e5),), "100000 is a number"),
    Case("restrictions text", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, "never sell VTI"), "tblRestrictions"),
    Case("restrictions headless", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, [["*", "never_sell", "VTI"]]), "tblRestrictions"),
    Case("restrictions slip", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, changed(RESTRICTIONS, 1, 2, "VTl")), "VTl is not held"),
    Case("restrictions scope", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, None, changed(RESTRICTIONS, 1, 0, "nobody")), "is no account here"),
    Case("header slip", "REBAL_WEIGHTS", ([[*HOLDINGS[0], "Asset clas"], *([*row, "Stocks"] for row in HOLDINGS[1:])],), "did you mean asset_class"),
    Case("amount percent", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, "10%"), "is a percentage"),
    Case("cost negative price", "REBAL_COST", (changed(TRADES, 1, 3, -220.0),), "is negative"),
    Case("cost impact", "REBAL_COST", (TRADES, "impact 50bp"), "average daily volume"),
    Case("unknown ticker", "REBAL_DRIFT", (changed(HOLDINGS, 1, 0, "ZZTOP"), TARGETS), "ZZTOP"),
    Case("missing header", "REBAL_DRIFT", (HOLDINGS[1:], TARGETS), "tblHoldings"),
    Case("header only", "REBAL_DRIFT", (HOLDINGS[:1], TARGETS), "the first row is the header"),
    Case("single cell", "REBAL_DRIFT", (5.0, TARGETS), "tblHoldings"),
    Case("blank holdings", "REBAL_DRIFT", (None, TARGETS), "tblHoldings: is blank"),
    Case("targets sum", "REBAL_DRIFT", (HOLDINGS, "60% stocks, 30% bonds"), "sum to 90%"),
    Case("class not covered", "REBAL_DRIFT", (HOLDINGS, "60% stocks, 40% bonds"), "Real Estate"),
    Case("policy without unit", "REBAL_DRIFT", (HOLDINGS, TARGETS, "5"), "has no unit"),
    Case("policy nonsense", "REBAL_STATUS", (HOLDINGS, TARGETS, "sometimes"), "'sometimes' is not understood"),
    Case("costs nonsense", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", "cheap"), "'cheap' is not understood"),
    Case("flow text", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, "lots"), "flow: 'lots' is not a number"),
    Case("flow range", "REBAL_TRADES", (HOLDINGS, TARGETS, "5pp", None, [[1.0], [2.0]]), "point it at one cell"),
    Case("amount missing", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, None), "amount: is blank"),
    Case("mode unknown", "REBAL_CASHFLOW", (HOLDINGS, TARGETS, 1.0, "fast"), "'fast' is not known"),
    Case("cost bad row", "REBAL_COST", (changed(TRADES, 1, 2, "many"), "half-spread 5bp"), "tblTrades row 2"),
    Case("policy blank", "REBAL_POLICY", (None,), "text: is blank"),
    Case("assetclass unknown", "REBAL_ASSETCLASS", ([["VTI"], ["NOPE"]],), "NOPE"),
    Case("net benefit without prices", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS), "tblPrices: is blank"),
    Case("net benefit class missing", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS, "5pp", None, None, VOLATILITIES[:3]), "has no row for Real Estate"),
    Case("net benefit aversion", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS, "5pp", None, -1.0, VOLATILITIES), "risk_aversion: a risk aversion of -1 is not possible"),
    Case("volatility text", "REBAL_BANDS", (TARGETS, "5pp", changed(VOLATILITIES, 1, 1, "high")), "row 2, volatility"),
    Case("correlation conflict", "REBAL_BANDS", (TARGETS, "5pp", changed(VOLATILITIES, 2, 2, 0.5)), "the same pair is"),
    Case("prices flat", "REBAL_BANDS", (TARGETS, "5pp", [PRICES[0], *([row[0], 1.0, 2.0, 3.0] for row in PRICES[1:])]), "no class moves"),
    Case("prices twice", "REBAL_BANDS", (TARGETS, "5pp", [*PRICES, PRICES[-1]]), "stands twice"),
    Case("volatility twice", "REBAL_BANDS", (TARGETS, "5pp", [*VOLATILITIES, VOLATILITIES[1]]), "stands twice"),
    Case("net benefit aversion too large", "REBAL_NETBENEFIT", (HOLDINGS, TARGETS, "5pp", None, 1e9, VOLATILITIES), "enter a number from 0 to 1,000"),
    Case("shock blank", "REBAL_SHOCK", ("60% stocks, 40% bonds", " , "), "names no class"),
    Case("shock a thousandfold", "REBAL_SHOCK", ("60% stocks, 40% bonds", "stocks 100000%"), "is not possible"),
    Case("shock unknown class", "REBAL_SHOCK", ("60% stocks, 40% bonds", "gold 5%"), "'gold' is no class here"),
    Case("shock below all", "REBAL_SHOCK", ("60% stocks, 40% bonds", "stocks -120%"), "is not possible"),
    Case("shock weights sum", "REBAL_SHOCK", ([["asset_class", "weight"], ["Stocks", 0.6]], "stocks 5%"), "sum to 60%"),
    Case("backtest no prices", "REBAL_BACKTEST", (None, "60% VTI, 40% BND"), "tblPrices: is blank"),
    Case("backtest one price column missing", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% GLD"), "tblPrices, target GLD: there is no column of prices"),
    Case("backtest text price", "REBAL_BACKTEST", (changed(HISTORY, 2, 1, "x"), "60% VTI, 40% BND"), "tblPrices row 3, VTI: 'x' is not a number"),
    Case("backtest error cell", "REBAL_BACKTEST", (changed(HISTORY, 2, 1, CellError("#N/A")), "60% VTI, 40% BND"), "tblPrices row 3, VTI: shows #N/A"),
    Case("backtest zero price", "REBAL_BACKTEST", (changed(HISTORY, 2, 1, 0.0), "60% VTI, 40% BND"), "2024-01-31, VTI: a price of 0 is not possible"),
    Case("backtest bad date", "REBAL_BACKTEST", (changed(HISTORY, 2, 0, "soon"), "60% VTI, 40% BND"), "tblPrices row 3: 'soon' is not a date"),
    Case("backtest twice", "REBAL_BACKTEST", (changed(HISTORY, 2, 0, "2023-12-31"), "60% VTI, 40% BND"), "tblPrices row 3: 2023-12-31 stands twice"),
    Case("backtest one day", "REBAL_BACKTEST", (HISTORY[:2], "60% VTI, 40% BND"), "two are needed at least"),
    Case("backtest split", "REBAL_BACKTEST", (changed(HISTORY, 13, 1, 131.0), "60% VTI, 40% BND"), "looks like a 2-for-1 split"),
    Case("backtest cost", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "5pp", -1.0), "cost_bps: -1 is not possible"),
    Case("backtest output", "REBAL_BACKTEST", (HISTORY, "60% VTI, 40% BND", "5pp", None, "graph"), "'graph' is not known"),
    Case("compare two bad", "REBAL_COMPARE", (HISTORY, "60% VTI, 40% BND", "never; 5; sometimes"), "'sometimes' is not understood"),
    Case("compare none", "REBAL_COMPARE", (HISTORY, "60% VTI, 40% BND", None), "policies: is blank"),
    Case("optimal band impossible", "REBAL_OPTIMAL_BAND", (HISTORY, "60% VTI, 40% BND", 5.0, "drift 0.1pp"), "no band keeps it"),
    Case("optimal band words", "REBAL_OPTIMAL_BAND", (HISTORY, "60% VTI, 40% BND", 5.0, "cheap"), "'cheap' is not understood"),
    Case("gains no price", "REBAL_GAINS", (LOTS, SECURITIES[:2], TODAY), "prices, VXUS: has no price"),
    Case("gains blank cost", "REBAL_GAINS", (changed(LOTS, 2, 3, None), SECURITIES, TODAY), "tblLots row 3, unit_cost: is blank"),
    Case("gains future lot", "REBAL_GAINS", (LOTS, SECURITIES, "2025-01-01"), "2026-06-01 is after 2025-01-01"),
    Case("gains day nonsense", "REBAL_GAINS", (LOTS, SECURITIES, "soon"), "as_of: 'soon' is not a date"),
    Case("sell too many", "REBAL_SELL_LOTS", (LOTS, "VTI", 301.0), "the lots add up to 300"),
    Case("sell what is not held", "REBAL_SELL_LOTS", (LOTS, "AAPL", 1.0), "holds AAPL nowhere"),
    Case("sell unknown method", "REBAL_SELL_LOTS", (LOTS, "VTI", 1.0, "best"), "'best' is not known"),
    Case("sell bad lots", "REBAL_SELL_LOTS", (LOTS, "VTI", 1.0, "specific: A9 1"), "is no lot of it"),
    Case("sell lowest tax without price", "REBAL_SELL_LOTS", (LOTS, "VTI", 1.0, "lowest_tax"), "price: is blank"),
    Case("book unknown type", "REBAL_BOOK", ([["account", "type"], ["1001", "401k"]], BOOK_HOLDINGS, MODELS), "tblAccounts row 2, type: '401k' is not known"),
    Case("book bad tables together", "REBAL_BOOK", (BOOK_ACCOUNTS, changed(BOOK_HOLDINGS, 1, 2, "many"), changed(MODELS, 1, 2, 0.5)), "the weights sum to 90%"),
    Case("book twice", "REBAL_BOOK", ([*BOOK_ACCOUNTS, BOOK_ACCOUNTS[1]], BOOK_HOLDINGS, MODELS), "1001 stands twice"),
    Case("book unknown output", "REBAL_BOOK", (BOOK_ACCOUNTS, BOOK_HOLDINGS, MODELS, "5pp", None, None, None, None, None, "all"), "output: 'all' is not known"),
    Case("blocks hold", "REBAL_BLOCKS", (changed(BOOK_TRADES, 1, 2, "HOLD"),), "'HOLD' is no side"),
    Case("blocks negative", "REBAL_BLOCKS", (changed(BOOK_TRADES, 1, 3, -100.0),), "tblTrades row 2, quantity: -100 is negative"),
    Case("blocks twice", "REBAL_BLOCKS", (changed(BOOK_TRADES, 2, 0, "1001"),), "account 1001, VTI: has more than one order"),
    Case("blocks limit missing", "REBAL_BLOCKS", ([[*BOOK_TRADES[0], "order_type"], *([*row, "LIMIT"] for row in BOOK_TRADES[1:])],), "is there for limit orders"),
    Case("household without a day", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE), "as_of: is blank"),
    Case("household lot without cost", "REBAL_HOUSEHOLD", (ACCOUNTS, changed(HOUSEHOLD_LOTS, 2, 4, None), HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY), "tblLots row 3, unit_cost: is blank"),
    Case("household unknown type", "REBAL_HOUSEHOLD", (changed(ACCOUNTS, 2, 1, "401k"), HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY), "'401k' is not known"),
    Case("household without profile", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", None, TODAY), "column tax_profile: is blank"),
    Case("household no price", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES[:3], "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY), "BND has no price in tblSecurities"),
    Case("household unknown output", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, None, None, None, "letter"), "output: 'letter' is not known"),
    Case("household unknown setting", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, None, None, [["setting", "value"], ["luck", 1.0]]), "tblPlanSettings row 2, setting: 'luck' is not known"),
    Case("household bad settings", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, None, None, [["setting", "value"], ["mode", "slow"], ["cash to raise", -1.0]]), "tblPlanSettings row 3, value: -1 is negative"),
    Case("household harvest that an ira washes", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, IRA_HISTORY, None, HOUSEHOLD_SETTINGS), "no loss of VXUS is realised in Joint"),
    Case("household two", "REBAL_HOUSEHOLD", ([[*ACCOUNTS[0], "household"], [*ACCOUNTS[1], "A"], [*ACCOUNTS[2], "B"]], *(HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY), None, None, None, "figures"), "names 2 households"),
    Case("household purchase after the day", "REBAL_HOUSEHOLD", (ACCOUNTS, HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY, changed(IRA_HISTORY, 1, 2, "2027-01-05")), "2027-01-05"),
    Case("household unlisted account", "REBAL_HOUSEHOLD", (ACCOUNTS[:2], HOUSEHOLD_LOTS, HOUSEHOLD_SECURITIES, "65% stocks, 35% bonds", "5pp", TAX_PROFILE, TODAY), "IRA has no row in tblAccounts"),
    Case("harvest without a day", "REBAL_HARVEST", (LOTS, SECURITIES), "as_of: is blank"),
    Case("harvest minimum nonsense", "REBAL_HARVEST", (LOTS, SECURITIES, None, TODAY, "much"), "minimum: 'much' is not a number"),
    Case("washsales missing basis", "REBAL_WASHSALES", ([TRADE_HISTORY[0], TRADE_HISTORY[4]],), "the basis of 100 is not known"),
    Case("washsales bad action", "REBAL_WASHSALES", (changed(TRADE_HISTORY, 2, 2, "swap"),), "tblHistory row 3, action: 'swap' is not known"),
    Case("tax unknown term", "REBAL_TAX", (changed(GAINS, 1, 0, "middling"), TAX_PROFILE), "tblGains row 2, term"),
    Case("tax profile incomplete", "REBAL_TAX", (GAINS, changed(TAX_PROFILE, 1, 3, None)), "magi: is blank"),
    Case("weights empty range", "REBAL_WEIGHTS", ([[None, None], [None, None]],), "tblHoldings: is blank"),
)  # fmt: skip

ALL = (*GOOD, *BAD)
