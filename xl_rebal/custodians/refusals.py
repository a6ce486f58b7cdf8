"""Files that are recognised and hold no positions table: refused by name, with what to use instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xl_rebal.custodians import columns
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Document, filled
from xl_rebal.errors import ReadError

# Headers that say what is held now, which a list of past transactions does not have.
_HELD = {
    "marketvalue",
    "currentvalue",
    "totalvalue",
    "mktval",
    "mktvalmarketvalue",
    "lastprice",
    "value",
}
_POSITIONS = "use the custodian's positions export"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    what: str
    remedy: str
    applies: Callable[[set[str], list[str]], bool]  # keys of a row, its filled cells


def _begins(pattern: str) -> Callable[[set[str], list[str]], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda keys, cells: compiled.match(cells[0]) is not None


def _realised(keys: set[str], cells: list[str]) -> bool:
    sold = keys & {"datesold", "closeddate", "solddate", "dateclosed", "saledate"}
    return bool(sold) and bool(keys & {"proceeds", "costbasis", "costbasiscb"})


def _orders(keys: set[str], cells: list[str]) -> bool:
    return bool(keys & {"action", "side", "buysell", "transaction"}) and bool(
        keys & {"ordertype", "timeinforce", "tif", "lmtprice", "limitprice"}
    )


def _transactions(keys: set[str], cells: list[str]) -> bool:
    dated = keys & {
        "tradedate",
        "rundate",
        "date",
        "transactiondate",
        "settlementdate",
        "activitydate",
    }
    acted = keys & {"action", "transactiontype", "buysell", "activity"}
    acted |= keys & {"type"} if keys & {"amount", "netamount"} else set()
    sums = keys & {"amount", "netamount", "quantity", "shares", "principalamount", "trademoney"}
    return bool(dated) and bool(acted) and bool(sums) and not keys & _HELD


def _lots(keys: set[str], cells: list[str]) -> bool:
    opened = keys & {"acquired", "opendate", "dateacquired", "acquisitiondate", "purchasedate"}
    cost = keys & {"unitcost", "costshare", "costbasis", "costpershare", "lotid"}
    # A positions table may also say when and at what cost its rows were bought.
    positions = "symbol" in keys and bool(keys & (_HELD | {"price", "closeprice", "currentprice"}))
    return bool(opened) and bool(cost) and "quantity" in keys and not positions


_ROWS: tuple[_Refusal, ...] = (
    _Refusal(
        what="looks like an E*TRADE portfolio download and is laid out otherwise",
        remedy="use PortfolioDownload.csv as it was downloaded: its header begins with Symbol",
        applies=lambda keys, cells: {"symbol", "lastprice", "pricepaid", "quantity", "value"} <= keys
        or cells[0].startswith("View Summary - All Positions"),
    ),
    _Refusal(
        what="is a list of realised gains and losses, not of positions",
        remedy=_POSITIONS, applies=_begins(r"realized gain/loss"),
    ),
    _Refusal(
        what="is a list of realised gains and losses, not of positions",
        remedy=_POSITIONS, applies=_realised,
    ),
    _Refusal(
        what="is a list of the tax lots of one symbol, in a layout that is not known",
        remedy="export the lot details again", applies=_begins(r".{1,40} lot details for "),
    ),
    _Refusal(what="is a list of tax lots, not of positions", remedy=_POSITIONS, applies=_lots),
    _Refusal(what="is an order file, not a list of positions", remedy=_POSITIONS, applies=_orders),
    _Refusal(
        what="is a list of transactions, not of positions", remedy=_POSITIONS, applies=_transactions
    ),
)  # fmt: skip


def refuse_markup(document: Document) -> None:
    """Refuse XML that no reader knows, and any markup where a table is wanted; raises ReadError."""
    if not document.head.lstrip("\ufeff \r\n\t").startswith(("<", "OFXHEADER")):
        return
    raise ReadError.of(
        where=document.name,
        what="is an XML or OFX file that is not known here",
        remedy="leave the custodian and the mapping out, or export the positions as CSV or .xlsx",
    )


def refuse_other_files(document: Document) -> None:
    """Refuse lots, realised gains, orders, transactions and the like by name; raises ReadError.

    A file that has a positions table as well is left to its reader.
    """
    for sheet in document.sheets:
        for number, row in enumerate(sheet.rows[:30]):
            cells = filled(row)
            if not cells:
                continue
            keys = {columns.key(c) for c in cells}
            refusal = next((r for r in _ROWS if r.applies(keys, cells)), None)
            if refusal is not None and len(document.sheets) == 1:
                raise ReadError.of(
                    where=document.where(sheet, number), what=refusal.what, remedy=refusal.remedy
                )
            if _is_positions(row):
                break


def _is_positions(row: Sequence[Cell]) -> bool:
    return columns.bind(0, row).is_holdings()
