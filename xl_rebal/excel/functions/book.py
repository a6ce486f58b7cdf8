"""Many accounts at once: the scan of a book, and blocks of many accounts' trades."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xl_rebal.book_scan import Scanned, scan
from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import POLICY
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import accounts_from_rows
from xl_rebal.portfolio.book import Book, assign_classes
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.trading.blocks import Block, BlockBuilder
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import Order, exact_quantity
from xl_rebal.trading.plan import Action

BOOK_COLUMNS = (
    "account", "household", "model", "value", "largest_drift", "asset_class", "breaches", "status", "reason",
)  # fmt: skip
BLOCK_COLUMNS = (
    "block", "wave", "custodian", "symbol", "action", "quantity", "orders", "price", "value",
    "order_type", "limit_price", "time_in_force",
)  # fmt: skip
_ONE_ACCOUNT = "Portfolio"


def _accounts_spec() -> TableSpec:
    columns = tuple(
        replace(c, read=ranges.day if c.read is cells.date else c.read)
        for c in tables.ACCOUNTS.columns
    )
    return replace(tables.ACCOUNTS, columns=columns, may_be_empty=False)


@worksheet_function(
    "REBAL_BOOK",
    arguments=(
        Argument(
            name="accounts",
            help="The accounts with their headers: account; optionally household, model, cash_reserve, "
            "held_away, last_rebalanced.",
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
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="One row per account, those that ask for a plan first, the worst breach first: its value, "
    "its largest drift and in which class, how many classes are outside their bands, and whether to act: "
    "rebalance, raise cash, within, held away, empty, or failed with what is wrong. Calendar rules count as "
    "due.",
    example=Example(
        formula='=REBAL_BOOK(tblBookAccounts, tblBookHoldings, tblModels, "5pp")',
        result="1002",
        column="account",
    ),
)
def rebal_book(accounts: Any, holdings: Any, models: Any, policy: Any) -> Grid:
    """Which accounts of a book ask for a plan."""
    faults = FaultList()
    known, held, targets, rule = {}, None, {}, None
    with faults.collecting():
        known = ranges.built(accounts, _accounts_spec(), "tblAccounts", accounts_from_rows)
    with faults.collecting():
        held, _ = ranges.holdings(holdings)
    with faults.collecting():
        targets = ranges.targets(models, "tblModels")
    with faults.collecting():
        rule = ranges.policy(policy)
    faults.raise_as(TableError)
    assert held is not None
    assert rule is not None

    def made(some: Holdings) -> Book:
        classed, unknown = assign_classes(some)
        if unknown:
            raise TableError.of(
                where="tblHoldings",
                what=f"no class is known for {', '.join(unknown)}",
                remedy="fill in column asset_class",
            )
        return Book(holdings=classed, models=targets, accounts=known)

    rows = [_book_row(each) for each in scan(held, made, rule)]
    named = set(held.accounts())
    rows += [
        [
            a.account,
            a.household or None,
            a.model or None,
            None,
            None,
            None,
            0.0,
            "empty",
            "has no holdings",
        ]
        for a in known.values()
        if a.account not in named
    ]
    for row in rows:
        if row[7] == "failed" and (account := known.get(row[0])):
            row[1:3] = [account.household or None, account.model or None]
    return [list(BOOK_COLUMNS), *rows]


def _book_row(found: Scanned) -> list[Any]:
    return [
        found.account,
        found.household or None,
        found.model or None,
        found.value,
        found.drift,
        found.asset_class or None,
        float(found.breaches),
        found.standing.value,
        found.reason,
    ]


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
