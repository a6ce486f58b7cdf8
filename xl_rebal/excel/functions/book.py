"""Many accounts at once: the scan of a book, and blocks of many accounts' trades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import POLICY, RESTRICTIONS, in_a_sheet
from xl_rebal.excel.functions.book_scan import (
    SheetBook,
    account_rows,
    client_rows,
    request_of,
    require_tags,
)
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import Account, PlanMode, accounts_from_rows
from xl_rebal.portfolio.flows import Flow, flows_from_rows
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security, securities_from_rows
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.portfolio.targets import Targets
from xl_rebal.trading.blocks import Block, BlockBuilder
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import Order, exact_quantity
from xl_rebal.trading.plan import Action

T = TypeVar("T")
BLOCK_COLUMNS = (
    "block", "wave", "custodian", "symbol", "action", "quantity", "orders", "price", "value",
    "order_type", "limit_price", "time_in_force",
)  # fmt: skip
_ONE_ACCOUNT = "Portfolio"


_ACCOUNTS = replace(in_a_sheet(tables.ACCOUNTS), may_be_empty=False)
_FLOWS = in_a_sheet(tables.FLOWS)


class BookOutput(StrEnum):
    """What REBAL_BOOK is asked for."""

    ACCOUNTS = "accounts"
    CLIENTS = "clients"


@worksheet_function(
    "REBAL_BOOK",
    arguments=(
        Argument(
            name="accounts",
            help="The accounts with their headers: account; optionally household, model, cash_reserve, "
            "held_away, last_rebalanced, policy, plan_mode, client.",
            table="tblAccounts",
        ),
        Argument(
            name="holdings",
            help="The holdings of all accounts with their headers: account, symbol, quantity, price; "
            "optionally asset_class.",
            table="tblHoldings",
        ),
        Argument(
            name="models",
            help="Target weights by model: model, asset_class, target; a text such as "
            '"60% stocks, 40% bonds" is one model for all.',
            table="tblModels",
        ),
        POLICY,
        Argument(
            name="securities",
            help="Securities with their headers: symbol, asset_class; optionally tags, tradable. Without "
            "them classes come from the holdings and the shipped table.",
            optional=True,
            table="tblSecurities",
        ),
        RESTRICTIONS,
        Argument(
            name="flows",
            help="Money that is known to leave or come: account, date, amount; withdrawals of the next 30 "
            "days are kept back.",
            optional=True,
            table="tblFlows",
        ),
        Argument(
            name="as_of",
            help="The day of the book, for calendar rules and known withdrawals; without it calendar rules "
            "count as due.",
            optional=True,
        ),
        Argument(
            name="mode",
            help="How clients are planned that do not say it: rules (default), pro_rata, household_tax "
            "(their accounts as one portfolio).",
            optional=True,
        ),
        Argument(
            name="output",
            help="accounts (default), or clients: the accounts of a household together.",
            optional=True,
        ),
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="One row per account, those that ask for a plan first, the worst breach first: its value, "
    "its largest drift and in which class, how many classes are outside their bands, and whether to act: "
    "rebalance, raise cash, within, held away, empty, or failed with what is wrong. An account's own policy "
    "comes first. With output clients one row per client, as the command scan has it: rebalance, replace "
    "(it holds what a restriction forbids), raise cash, invest (2% of an account lie idle), failed, within.",
    example=Example(
        formula='=REBAL_BOOK(tblBookAccounts, tblBookHoldings, tblModels, "5pp")',
        result="1002",
        column="account",
    ),
)
def rebal_book(
    accounts: Any,
    holdings: Any,
    models: Any,
    policy: Any,
    securities: Any,
    restrictions: Any,
    flows: Any,
    as_of: Any,
    mode: Any,
    output: Any,
) -> Grid:
    """Which accounts or clients of a book ask for a plan."""
    faults = FaultList()
    known, targets, listed = dict[str, Account](), dict[str, Targets](), dict[str, Security]()
    held, request = None, None
    rules: tuple[Restriction, ...] = ()
    money: tuple[Flow, ...] = ()
    wanted = BookOutput.ACCOUNTS
    with faults.collecting():
        known = ranges.built(accounts, _ACCOUNTS, "tblAccounts", accounts_from_rows)
    with faults.collecting():
        held, _ = ranges.holdings(holdings)
    with faults.collecting():
        targets = ranges.targets(models, "tblModels")
    with faults.collecting():
        day = ranges.date(as_of, "as_of")
        words = ranges.text(mode, "mode", PlanMode.RULES.value)
        request = request_of(ranges.policy_text(policy), words, day)
    with faults.collecting():
        listed = _optional(securities, tables.SECURITIES, "tblSecurities", securities_from_rows, {})
    with faults.collecting():
        rules = ranges.restrictions(restrictions)
        require_tags(rules, listed)
    with faults.collecting():
        money = _optional(flows, _FLOWS, "tblFlows", flows_from_rows, ())
    with faults.collecting():
        wanted = _output(output)
    faults.raise_as(TableError)
    assert held is not None
    assert request is not None
    given = SheetBook(
        accounts=known,
        holdings=held,
        models=targets,
        securities=listed,
        restrictions=rules,
        flows=money,
        request=request,
    )
    return client_rows(given) if wanted is BookOutput.CLIENTS else account_rows(given)


def _optional(
    value: Any,
    spec: TableSpec,
    name: str,
    build: Callable[[list[dict[str, Any]]], T],
    nothing: T,
) -> T:
    return ranges.built(value, spec, name, build) if ranges.grid(value) else nothing


def _output(value: Any) -> BookOutput:
    word = ranges.text(value, "output", BookOutput.ACCOUNTS.value).casefold()
    try:
        return BookOutput(word)
    except ValueError:
        raise TableError.of(
            where="output",
            what=f"{word!r} is not known",
            remedy=f"use one of {', '.join(BookOutput)}",
        ) from None


def _side(value: Any) -> str:
    word = cells.text(value).upper()
    if word not in (Action.BUY.value, Action.SELL.value):
        raise ValueError(f"{word!r} is no side; write BUY or SELL")
    return word


def _units(value: Any) -> float:
    number = cells.number(value)
    if number < 0:
        raise ValueError(f"{number:g} is negative; the side says whether it is bought or sold")
    return number


def _one_of(kind: type[OrderType] | type[TimeInForce], value: Any) -> str:
    word = cells.text(value).upper()
    if word not in {each.value for each in kind}:
        raise ValueError(f"{word!r} is not known; use one of {', '.join(e.value for e in kind)}")
    return word


_TRADES = TableSpec(
    name="trades",
    columns=(
        Column(name="symbol", required=True, synonyms=("ticker",)),
        Column(name="action", read=_side, required=True, synonyms=("side",)),
        Column(name="quantity", read=_units, required=True, synonyms=("shares",)),
        Column(name="price", read=_units, required=True),
        Column(name="account"),
        Column(name="value", read=cells.number),
        Column(name="custodian"),
        Column(name="order_type", read=lambda value: _one_of(OrderType, value)),
        Column(name="limit_price", read=_units),
        Column(name="time_in_force", read=lambda value: _one_of(TimeInForce, value)),
        Column(name="cost", read=cells.number),
        Column(name="reason"),
    ),
)


@worksheet_function(
    "REBAL_BLOCKS",
    arguments=(
        Argument(
            name="trades",
            help="Trades of any number of accounts with their headers: account, symbol, action, quantity, "
            "price; optionally custodian, order_type, limit_price, time_in_force.",
            table="tblTrades",
        ),
    ),
    returns=Returns.TABLE,
    description="One row per security and side (and custodian and kind of order, where they differ) with the "
    "sum of the trades: sells first, as wave 1, then the buys that they pay for. Buys and sells are never "
    "netted. How a fill is given back to the accounts: docs/orders.md.",
    example=Example(formula="=REBAL_BLOCKS(tblBookTrades)", result="160", column="quantity"),
)
def rebal_blocks(trades: Any) -> Grid:
    """The blocks that trades of many accounts make."""
    found = ranges.grid(trades)
    header = [list(BLOCK_COLUMNS)]
    # REBAL_TRADES without a trade gives one row that holds only the reason.
    if len(found) == 2 and tables.header_key(found[0][-1]) == "reason" and not any(found[1][:-1]):
        return [*header, [*[None] * (len(BLOCK_COLUMNS) - 1), f"no blocks: {found[1][-1]}"]]
    builder = BlockBuilder()
    builder.add(map(_order, ranges.table(found, _TRADES, "tblTrades")))
    return [*header, *map(_block_row, builder.blocks().blocks)]


def _order(row: dict[str, Any]) -> Order:
    kind = OrderType(row.get("order_type", OrderType.MARKET.value))
    limit = row.get("limit_price")
    if (kind is OrderType.LIMIT) != (limit is not None):
        raise TableError.of(
            where=f"tblTrades row {row['row']}, limit_price",
            what="is there for limit orders, and for them alone",
            remedy="fill it in, or write another order_type",
        )
    return Order(
        account=row.get("account", _ONE_ACCOUNT),
        symbol=row["symbol"],
        action=Action(row["action"]),
        quantity=exact_quantity(row["quantity"], 1.0),
        price=row["price"],
        value=round(abs(row.get("value", row["quantity"] * row["price"])), 2),
        custodian=row.get("custodian", ""),
        order_type=kind,
        limit_price=None if limit is None else exact_quantity(limit, 0.0001),
        time_in_force=TimeInForce(row.get("time_in_force", TimeInForce.DAY.value)),
    )


def _block_row(block: Block) -> list[Any]:
    return [
        block.block,
        float(block.wave),
        block.custodian or None,
        block.symbol,
        block.action.value,
        float(block.quantity),
        float(block.orders),
        float(block.price),
        float(block.value),
        block.order_type.value,
        None if block.limit_price is None else float(block.limit_price),
        block.time_in_force.value,
    ]
