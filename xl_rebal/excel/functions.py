"""The worksheet functions. Each is a few lines: cells to nouns, the engine, nouns to cells."""

from __future__ import annotations

from typing import Any

import numpy as np

import xl_rebal
from xl_rebal.bands import BandCheck, check, widths
from xl_rebal.drift import class_columns, drift_of
from xl_rebal.errors import PolicyError, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.book import Book, assign_classes, classify, unknown_symbols
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import EVERYONE, Restriction, Rule
from xl_rebal.portfolio.securities import default_security
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.limits import FlowMode, Limits
from xl_rebal.trading.plan import Plan

DRIFT_COLUMNS = (
    "account",
    "asset_class",
    "value",
    "weight",
    "target",
    "drift",
    "relative_drift",
    "lower",
    "upper",
    "status",
)
WEIGHT_COLUMNS = ("account", "symbol", "asset_class", "value", "weight")
TRADE_COLUMNS = ("account", "symbol", "action", "quantity", "price", "value", "cost", "reason")

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


def _book(holdings: Any, targets: Any, restrictions: Any = None) -> Book:
    models = ranges.targets(targets)
    held, _ = ranges.holdings(holdings)
    rules = ranges.restrictions(restrictions)
    _require_binding(rules, held)
    return Book(
        holdings=classify(held, targets=tuple(models.values())), models=models, restrictions=rules
    )


def _require_binding(rules: tuple[Restriction, ...], held: Holdings) -> None:
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


def _first(words: list[str], most: int, joint: str) -> str:
    """The first words and how many more there are: a cell holds 32,767 characters."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return joint.join(words[:most]) + more


def _drift_rows(checks: list[BandCheck], book: Book) -> list[dict[str, Any]]:
    order = {name: index for index, name in enumerate(book.holdings.accounts())}
    rows = [row for each in checks for row in each.rows()]
    return sorted(rows, key=lambda row: order[row["account"]])


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Grid:
    return [list(columns), *([row[name] for name in columns] for row in rows)]


@worksheet_function(
    "REBAL_WEIGHTS",
    arguments=(HOLDINGS,),
    returns=Returns.TABLE,
    description="One row per holding: its class (your own, else that of the shipped table of "
    "well-known funds), its value and its weight in the account. Cash counts, pending activity does not.",
    example=Example(formula="=REBAL_WEIGHTS(tblHoldings)", result="0.578643", column="weight"),
)
def rebal_weights(holdings: Any) -> Grid:
    """The weight of every holding in its account."""
    held, _ = ranges.holdings(holdings)
    held, _ = assign_classes(held)
    held.require_rates()
    held = held.take(~held.is_pending)
    total: dict[str, float] = {}
    values = held.value.tolist()
    for account, value in zip(held.account.tolist(), values, strict=True):
        total[account] = total.get(account, 0.0) + value
    for account, value in total.items():
        if value < 0:
            raise TableError.of(
                where=f"account {account}",
                what=f"its value is negative ({value:,.2f}); weights have no meaning",
                remedy="correct the holdings",
            )
    rows = zip(
        held.account.tolist(), held.symbol.tolist(), held.asset_class.tolist(), values, strict=True
    )
    return [
        list(WEIGHT_COLUMNS),
        *([a, s, c or None, v, v / total[a] if total[a] else None] for a, s, c, v in rows),
    ]


@worksheet_function(
    "REBAL_DRIFT",
    arguments=(HOLDINGS, TARGETS, POLICY),
    returns=Returns.TABLE,
    description="One row per account and target class: value, weight, target, drift (weight minus "
    "target), relative drift, the edges of the band, and the status within, above or below.",
    example=Example(
        formula='=REBAL_DRIFT(tblHoldings, tblTargets, "5pp")', result="0.039663", column="drift"
    ),
)
def rebal_drift(holdings: Any, targets: Any, policy: Any) -> Grid:
    """Weights against targets, class by class."""
    book = _book(holdings, targets)
    return _table(DRIFT_COLUMNS, _drift_rows(check(book, ranges.policy(policy)), book))


@worksheet_function(
    "REBAL_STATUS",
    arguments=(HOLDINGS, TARGETS, POLICY),
    returns=Returns.CELL,
    description="In one cell whether a class is outside its band, and which.",
    example=Example(
        formula='=REBAL_STATUS(tblHoldings, tblTargets, "5pp")',
        result="1 of 3 classes outside its band: Real Estate -5.53 pp",
    ),
)
def rebal_status(holdings: Any, targets: Any, policy: Any) -> str:
    """Whether every class is within its band, in words."""
    book = _book(holdings, targets)
    rows = _drift_rows(check(book, ranges.policy(policy)), book)
    banded = [row for row in rows if row["lower"] is not None or row["upper"] is not None]
    outside = [row for row in rows if row["status"] != "within"]
    if not outside:
        return f"all {len(banded)} classes within their bands" if banded else "no band applies"
    many = len({row["account"] for row in rows}) > 1
    words = [
        f"{row['account'] + ' ' if many else ''}{row['asset_class']} {row['drift'] * 100:+.2f} pp"
        for row in outside
    ]
    its = "its band" if len(outside) == 1 else "their bands"
    return f"{len(outside)} of {len(banded)} classes outside {its}: {_first(words, 20, ', ')}"


@worksheet_function(
    "REBAL_BANDS",
    arguments=(TARGETS, POLICY),
    returns=Returns.TABLE,
    description="The band of every target class under a policy: lower and upper edge as weights.",
    example=Example(formula='=REBAL_BANDS(tblTargets, "5/25")', result="0.55", column="lower"),
)
def rebal_bands(targets: Any, policy: Any) -> Grid:
    """The edges of every class's band."""
    rule = ranges.policy(policy)
    models = ranges.targets(targets)
    if len(models) > 1:
        raise TableError.of(
            where="tblTargets, model",
            what=f"there are {len(models)} models ({', '.join(models)})",
            remedy="pass the rows of one model",
        )
    rows: list[list[Any]] = [["asset_class", "target", "lower", "upper"]]
    for model in models.values():
        columns = class_columns(model)
        nothing = drift_of(model, ("",), columns, np.zeros((1, len(columns))))
        band = widths(rule, nothing)
        edges = zip(
            columns,
            nothing.target,
            band.lower(nothing.target),
            band.upper(nothing.target),
            strict=True,
        )
        rows += [[name, *map(float, numbers)] for name, *numbers in edges if name in model.classes]
    return rows


def _trades(plans: tuple[Plan, ...]) -> Grid:
    rows: Grid = [
        [t.account, t.symbol, t.action.value, t.quantity, t.price, t.value, t.cost, t.reason]
        for plan in plans
        for t in plan.trades
    ]
    if not rows:
        why = [f"{plan.account}: {'; '.join((plan.why, *plan.notes))}" for plan in plans]
        rows = [[None] * 7 + [f"no trades: {_first(why, 5, '; ')}"]]
    return [list(TRADE_COLUMNS), *rows]


def _planned(
    book: Book, policy: Policy, costs: Any, flow: float, mode: FlowMode
) -> tuple[Plan, ...]:
    names = book.holdings.accounts()
    if flow and len(names) != 1:
        raise TableError.of(
            where="flow",
            what=f"is one amount, and there are {len(names)} accounts",
            remedy="plan the accounts one by one",
        )
    request = Request(
        policy=policy,
        limits=Limits(costs=ranges.costs(costs)),
        flows={names[0]: flow} if flow else {},
        flow_mode=mode,
    )
    return rebalance(book, request).plans


@worksheet_function(
    "REBAL_TRADES",
    arguments=(
        HOLDINGS,
        TARGETS,
        POLICY,
        COSTS,
        Argument(
            name="flow",
            help="Contribution (+) or withdrawal (-) in money, for a single account.",
            optional=True,
        ),
        RESTRICTIONS,
    ),
    returns=Returns.TABLE,
    description="Whole-share trades whose cash works out after costs, re-checked by the independent "
    "verifier; each with its reason. Without a trade, one row says why.",
    example=Example(
        formula='=REBAL_TRADES(tblHoldings, tblTargets, "5pp", "half-spread 5bp")',
        result="343",
        column="quantity",
    ),
)
def rebal_trades(
    holdings: Any, targets: Any, policy: Any, costs: Any, flow: Any, restrictions: Any
) -> Grid:
    """The trades that the policy asks for."""
    book = _book(holdings, targets, restrictions)
    amount = ranges.number(flow, "flow", 0.0)
    return _trades(_planned(book, ranges.policy(policy), costs, amount, FlowMode.HYBRID))


_MODES = {mode.value: mode for mode in FlowMode}


@worksheet_function(
    "REBAL_CASHFLOW",
    arguments=(
        HOLDINGS,
        TARGETS,
        Argument(name="amount", help="Contribution (+) or withdrawal (-) in money."),
        Argument(
            name="mode",
            help="buy-only (or raise-cash for a withdrawal) by default; hybrid rebalances as well "
            "if a band of 5pp is still broken.",
            optional=True,
        ),
    ),
    returns=Returns.TABLE,
    description="What a contribution buys, the most underweight class first, or what a withdrawal "
    "sells, the most overweight first.",
    example=Example(
        formula="=REBAL_CASHFLOW(tblHoldings, tblTargets, 50000)", result="588", column="quantity"
    ),
)
def rebal_cashflow(holdings: Any, targets: Any, amount: Any, mode: Any) -> Grid:
    """What new money buys, or what a withdrawal sells."""
    flow = ranges.number(amount, "amount")
    word = ranges.text(mode, "mode", "buy-only" if flow >= 0 else "raise-cash").casefold()
    word = word.replace(" ", "-").replace("_", "-")
    if word not in _MODES:
        raise TableError.of(
            where="mode", what=f"{word!r} is not known", remedy=f"use one of {', '.join(_MODES)}"
        )
    return _trades(
        _planned(_book(holdings, targets), parse_policy("5pp"), None, flow, _MODES[word])
    )


def _price(value: Any) -> float:
    price = cells.number(value)
    if price < 0:
        raise ValueError(f"{price:g} is negative; enter zero or more")
    return price


_TRADES = TableSpec(
    name="trades",
    columns=(
        Column(name="symbol", required=True, synonyms=("ticker",)),
        Column(name="quantity", read=cells.number, required=True, synonyms=("shares",)),
        Column(name="price", read=_price, required=True),
        Column(name="account"),
        Column(name="action", synonyms=("side",)),
        Column(name="value", read=cells.number),
        Column(name="cost", read=cells.number),
        Column(name="reason"),
    ),
)


@worksheet_function(
    "REBAL_COST",
    arguments=(
        Argument(
            name="trades",
            help="Trades with their headers: symbol, quantity, price.",
            table="tblTrades",
        ),
        COSTS,
    ),
    returns=Returns.CELL,
    description="The cost of a list of trades: commission and half the spread of each, to the cent.",
    example=Example(
        formula='=REBAL_COST(tblTrades, "half-spread 5bp")',
        result="105.15",
    ),
)
def rebal_cost(trades: Any, costs: Any) -> float:
    """What a list of trades costs."""
    from xl_rebal.trading.problem import cents

    model = ranges.costs(costs)
    if model.impact:
        raise TableError.of(
            where="costs",
            what="impact needs each security's average daily volume, which trades do not carry",
            remedy="leave the impact out here; reports charge it where the securities table has ADV",
        )
    total = 0.0
    found = ranges.grid(trades)
    # REBAL_TRADES without a trade gives one row that holds only the reason: it costs nothing.
    if len(found) == 2 and tables.header_key(found[0][-1]) == "reason" and not any(found[1][:-1]):
        return 0.0
    for row in ranges.table(found, _TRADES, "tblTrades"):
        quantity = abs(row["quantity"])
        total += (
            cents(sum(model.parts(quantity, quantity * row["price"], None))) if quantity else 0.0
        )
    return round(total, 2)


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
