"""Fidelity positions exports: one table for all accounts, disclaimers and the date below it.

The header has 16 names and the rows often 17 fields (a trailing comma). Core money funds carry two
asterisks and sometimes a value only; `Pending activity` rows have a value only, or nothing. Without the
asterisks a name such as `CASH` may be a ticker: with a quantity and a price other than 1 it is that security.
"""

from __future__ import annotations

from xl_rebal.custodians import kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.blocks import Block, find_block
from xl_rebal.custodians.dates import find_date, stated_as_of
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.numbers import DecimalStyle
from xl_rebal.custodians.sheets import Document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.portfolio.holdings import Kind

NAME = "fidelity"
_HEADER = {"accountnumber", "symbol", "description", "quantity", "lastprice", "currentvalue"}
_CORE = {"FCASH", "CORE", "CASH", "USD", "QPCTQ"}
_LINKED = "BROKERAGELINK"


def recognise(document: Document) -> bool:
    """Fidelity's own header: Account Number, Symbol, …, Last Price, Current Value."""
    return find_block(document, _HEADER) is not None


def read(document: Document) -> Statement:
    """Holdings of all accounts; raises ReadError with every fault at once."""
    block = find_block(document, _HEADER, required=NAME)
    problems = Problems(document.name, block.unit)
    table, skipped = block.table(problems, is_row=Block.is_holding)
    table = _with_kinds(table, problems)
    as_of_text = next((f[1] for f in map(stated_as_of, [*block.above, *skipped]) if f), "")
    defaults = Defaults(decimal=DecimalStyle.POINT, currency="USD")
    result = assemble(table, classify=lambda *_: "", defaults=defaults, problems=problems)
    problems.raise_faults()
    names = Block.names(result.holdings, table, problems)
    if not len(table):
        problems.warn("the file is a Fidelity positions export and holds nothing")
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=find_date(as_of_text),
        as_of_text=as_of_text,
        base_currency="USD",
        accounts=summarise(result.holdings, names, {}, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
    )


def _classify(symbol: str, description: str, quantity: str, price: str) -> str:
    """The kind of a row; its quantity and price are as the file has them."""
    if kinds.is_pending_name(symbol) or (not symbol and kinds.is_pending_name(description)):
        return Kind.PENDING.value
    if symbol.endswith("**"):
        return Kind.CASH.value
    if symbol.rstrip("*").upper() in _CORE or kinds.is_sweep_fund(symbol):
        stated = all(any(ch in "123456789" for ch in text) for text in (quantity, price))
        listed = stated and not kinds.is_money_price(price)
        return Kind.POSITION.value if listed else Kind.CASH.value
    # A plan's line for the brokerage account that it links to, which is listed on its own: counting
    # both would count the money twice.
    return Kind.PENDING.value if symbol.replace(" ", "").upper() == _LINKED else ""


def _with_kinds(table: Table, problems: Problems) -> Table:
    symbols = table.text("symbol")
    cells = (table.text(role) for role in ("description", "quantity", "price"))
    # Fidelity's column Type says Cash or Margin: how a position is held, not what it is.
    kind = list(map(_classify, symbols, *cells))
    for row, symbol in enumerate(symbols):
        if kind[row] == Kind.CASH.value:
            symbols[row] = symbol.rstrip("*")
        elif symbol.replace(" ", "").upper() == _LINKED:
            problems.warn(
                f"line {table.lines[row]}: BrokerageLink is listed and not counted; its account has rows "
                "of its own"
            )
    data = dict(table.columns) | {"symbol": symbols, "kind": kind}
    return Table(columns=data, labels=table.labels, lines=table.lines)
