"""Trades, cash flows and what trades cost."""

from __future__ import annotations

from typing import Any

from xl_rebal.errors import TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import (
    COSTS,
    HOLDINGS,
    POLICY,
    RESTRICTIONS,
    TARGETS,
    book_of,
    first_words,
)
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.rebalance import Rebalancing, Request, plan_each
from xl_rebal.trading.limits import FlowMode, Limits

TRADE_COLUMNS = ("account", "symbol", "action", "quantity", "price", "value", "cost", "reason")


_QUIET, _REFUSED = "no trades: ", "refused: "


def _trades(result: Rebalancing) -> Grid:
    """The trades; below them a row for each account that cannot be planned, with its reason alone."""
    plans = result.plans
    rows: Grid = [
        [t.account, t.symbol, t.action.value, t.quantity, t.price, t.value, t.cost, t.reason]
        for plan in plans
        for t in plan.trades
    ]
    if not rows:
        why = [f"{plan.account}: {'; '.join((plan.why, *plan.notes))}" for plan in plans]
        rows = [[None] * 7 + [f"{_QUIET}{first_words(why, 5, '; ')}"]]
    rows += [[each.account, *[None] * 6, f"{_REFUSED}{each.reason}"] for each in result.refused]
    return [list(TRADE_COLUMNS), *rows]


def _is_trade(row: list[Any]) -> bool:
    """False for a row of REBAL_TRADES that only says why there is no trade: it costs nothing."""
    return any(row[1:-1]) or not str(row[-1]).startswith((_QUIET.rstrip(": "), _REFUSED))


def _planned(book: Book, policy: Policy, costs: Any, flow: float, mode: FlowMode) -> Rebalancing:
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
    return plan_each(book, request).usable()


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
    expensive=True,
    description="Whole-share trades whose cash works out after costs, re-checked by the independent "
    "verifier; each with its reason. Without a trade, one row says why. An account that "
    "cannot be planned has a row with its name and, as reason, what refuses it.",
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
    book = book_of(holdings, targets, restrictions)
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
    expensive=True,
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
        _planned(book_of(holdings, targets), parse_policy("5pp"), None, flow, _MODES[word])
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
    if found and tables.header_key(found[0][-1]) == "reason":
        found = [found[0], *(row for row in found[1:] if _is_trade(row))]
        if len(found) == 1:
            return 0.0
    for row in ranges.table(found, _TRADES, "tblTrades"):
        quantity = abs(row["quantity"])
        total += (
            cents(sum(model.parts(quantity, quantity * row["price"], None))) if quantity else 0.0
        )
    return round(total, 2)
