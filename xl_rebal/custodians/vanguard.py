"""Vanguard's `ofxdownload.csv`: a table of holdings, a gap, then a table of transactions.

Rows end in a comma. 529 accounts have other headers and no symbols. VMFXX is the settlement fund.
"""

from __future__ import annotations

from collections.abc import Sequence

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.blocks import Block, find_block
from xl_rebal.custodians.dates import find_date, stated_as_of
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.numbers import Cell, DecimalStyle
from xl_rebal.custodians.sheets import Document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.portfolio.holdings import Kind

NAME = "vanguard"
_HEADER = {"accountnumber", "investmentname", "symbol", "shares", "shareprice", "totalvalue"}
_HEADER_529 = {"fundaccountnumber", "fundname", "price", "shares", "totalvalue"}


def recognise(document: Document) -> bool:
    """The header of the holdings table, or that of a 529 account."""
    return any(find_block(document, h) is not None for h in (_HEADER, _HEADER_529))


def read(document: Document) -> Statement:
    """Holdings of all accounts, the transactions left alone; ReadError with every fault at once."""
    block = find_block(document, _HEADER_529) or find_block(document, _HEADER, required=NAME)
    problems = Problems(document.name, block.unit)
    table, skipped = block.table(problems, is_row=Block.is_holding, is_end=_is_transactions)
    data = dict(table.columns)
    data["symbol"] = ["" if s.casefold() in {"null", "--"} else s for s in table.text("symbol")]
    table = Table(columns=data, labels=table.labels, lines=table.lines)
    defaults = Defaults(decimal=DecimalStyle.POINT, currency="USD")
    result = assemble(table, classify=_classify, defaults=defaults, problems=problems)
    problems.raise_faults()
    if not len(table):
        problems.warn("the file is a Vanguard export and holds nothing")
    as_of_text = next((f[1] for f in map(stated_as_of, [*block.above, *skipped]) if f), "")
    names = dict.fromkeys(result.holdings.accounts(), "")
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


def _is_transactions(row: Sequence[Cell]) -> bool:
    return "Trade Date" in row and {"tradedate", "transactiontype"} <= {columns.key(c) for c in row}


def _classify(symbol: str, description: str, security_type: str) -> str:
    del security_type
    if symbol == "VMFXX" or "settlement fund" in description.casefold():
        return Kind.CASH.value
    if kinds.is_pending_name(symbol) or (not symbol and kinds.is_pending_name(description)):
        return Kind.PENDING.value
    return Kind.CASH.value if kinds.is_cash_name(symbol or description) else ""
