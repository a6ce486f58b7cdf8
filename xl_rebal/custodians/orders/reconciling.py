"""Open orders against what happened: fills of accounts, fills of blocks given back, or new positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from xl_rebal.custodians.orders.ledger import Done, LedgerState, OpenOrder
from xl_rebal.errors import Fault, FaultList, PlanError
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.tables import Column, TableSpec, place
from xl_rebal.trading.allocation import Allocation, Fill
from xl_rebal.trading.blocks import Block, BlockBuilder
from xl_rebal.trading.order import UNIT, Order, plain
from xl_rebal.trading.plan import Action

_SHOWN = 5
_SIDES = {
    "buy": Action.BUY, "bought": Action.BUY, "b": Action.BUY, "bot": Action.BUY,
    "sell": Action.SELL, "sold": Action.SELL, "s": Action.SELL, "sld": Action.SELL,
}  # fmt: skip


def _side(value: Any) -> str:
    word = cells.text(value).casefold()
    if word not in _SIDES:
        raise ValueError(f"{word!r} is no side; write BUY or SELL")
    return _SIDES[word].value


def _exact(value: Any) -> float:
    number = cells.number(value)
    if not number > 0:
        raise ValueError(f"{number:g} is not above zero; enter what was done")
    return number


FILLS = TableSpec(
    name="fills",
    columns=(
        Column(name="symbol", required=True, synonyms=("ticker", "security")),
        Column(name="side", read=_side, required=True, synonyms=("action", "buy/sell")),
        Column(
            name="quantity",
            read=_exact,
            required=True,
            synonyms=("shares", "units", "qty", "filled", "filled quantity"),
        ),
        Column(
            name="price",
            read=_exact,
            required=True,
            synonyms=("average price", "fill price", "execution price"),
        ),
        Column(name="account", synonyms=("account number", "account id")),
        Column(name="custodian"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What fills or positions say of open orders.

    done         for the ledger: units in all that are known to be done.
    allocations  what block fills gave to each account.
    warnings     what fits no open order, and why.
    """

    done: tuple[Done, ...]
    allocations: tuple[Allocation, ...] = ()
    warnings: tuple[str, ...] = ()


def by_fills(state: LedgerState, rows: Sequence[Mapping[str, Any]]) -> Reconciled:
    """Fills from a table: rows with an account are its own, rows without one are of the block.

    A block's fill is allocated pro rata over what its accounts still wait for, at one average price.
    Raises PlanError, and nothing is noted, where more is filled than is open.
    """
    faults = FaultList()
    warnings: list[str] = []
    units: dict[tuple[str, str], Decimal] = {}
    money: dict[tuple[str, str], Decimal] = {}

    def take(account: str, symbol: str, quantity: Decimal, amount: Decimal) -> None:
        key = (account, symbol.casefold())
        units[key] = units.get(key, Decimal(0)) + quantity
        money[key] = money.get(key, Decimal(0)) + amount

    for row in rows:
        if not row.get("account"):
            continue
        known = state.order(row["account"], row["symbol"])
        if known is None or known.order.action.value != row["side"]:
            warnings.append(
                f"{place(row, 'fills')}: account {row['account']} has no open order to "
                f"{row['side']} {row['symbol']}; the fill was left out"
            )
            continue
        quantity = _decimal(row["quantity"])
        take(known.order.account, known.order.symbol, quantity, quantity * _decimal(row["price"]))
    allocations = _allocated(state, [row for row in rows if not row.get("account")], faults)
    for each in allocations:
        if each.quantity:
            take(each.account, each.symbol, each.quantity, each.amount)
    done = []
    for key, quantity in units.items():
        known = state.orders[key[0]][key[1]]
        if quantity > known.left:
            faults.add(
                where=f"account {known.order.account}, {known.order.symbol}",
                what=f"{plain(quantity):f} units are filled and {known.left:f} are open",
                remedy="correct the fills, or leave out those that were applied already",
            )
        price = plain((money[key] / quantity).quantize(Decimal("0.000001")))
        done.append(_done(known, known.filled + quantity, price))
    faults.raise_as(PlanError)
    return Reconciled(done=tuple(done), allocations=tuple(allocations), warnings=tuple(warnings))


def by_positions(state: LedgerState, holdings: Holdings) -> Reconciled:
    """New positions: what moved since the export, in the direction of the order, was done.

    Accounts that the file does not name are left alone.
    """
    named = set(holdings.accounts())
    held: dict[tuple[str, str], Decimal] = {}
    rows = zip(
        holdings.account.tolist(),
        holdings.symbol.tolist(),
        holdings.quantity.tolist(),
        holdings.is_position.tolist(),
        strict=True,
    )
    for account, symbol, quantity, position in rows:
        if position:
            key = (account, symbol.casefold())
            held[key] = held.get(key, Decimal(0)) + _decimal(quantity)
    done: list[Done] = []
    warnings: list[str] = []
    for each in state.all():
        order = each.order
        if order.account not in named:
            continue
        moved = held.get((order.account, order.symbol.casefold()), Decimal(0)) - order.held
        moved = moved if order.action is Action.BUY else -moved
        if moved < 0:
            warnings.append(
                f"account {order.account}, {order.symbol}: {plain(-moved):f} units moved against the "
                f"order to {order.action} {order.quantity:f}; it stays open"
            )
        elif moved > order.quantity:
            warnings.append(
                f"account {order.account}, {order.symbol}: {plain(moved):f} units moved, "
                f"{order.quantity:f} were ordered; the order counts as done"
            )
        filled = min(max(moved, each.filled), order.quantity)
        if filled > each.filled:
            done.append(_done(each, filled, None))
    return Reconciled(done=tuple(done), warnings=tuple(warnings))


def _done(known: OpenOrder, filled: Decimal, price: Decimal | None) -> Done:
    return Done(
        account=known.order.account, symbol=known.order.symbol, filled=plain(filled), price=price
    )


def _allocated(
    state: LedgerState, rows: Sequence[Mapping[str, Any]], faults: FaultList
) -> list[Allocation]:
    if not rows:
        return []
    builder = BlockBuilder()
    builder.add(_what_is_left(state.all()))
    blocks = builder.blocks()
    fills: list[Fill] = []
    for row in rows:
        found = [block for block in blocks.blocks if _fits(block, row)]
        if len(found) != 1:
            faults.extend([_which(row, found)])
            continue
        with faults.collecting():
            fills.append(
                Fill(
                    block=found[0].block,
                    quantity=_decimal(row["quantity"]),
                    price=_decimal(row["price"]),
                )
            )
    with faults.collecting():
        return list(blocks.allocate(fills))
    return []


def _what_is_left(orders: Iterable[OpenOrder]) -> Iterator[Order]:
    for each in orders:
        if each.left > 0:
            yield replace(each.order, quantity=each.left)


def _fits(block: Block, row: Mapping[str, Any]) -> bool:
    custodian = row.get("custodian", "")
    return (
        block.symbol.casefold() == row["symbol"].casefold()
        and block.action.value == row["side"]
        and custodian.casefold() in ("", block.custodian.casefold())
    )


def _which(row: Mapping[str, Any], found: Sequence[Block]) -> Fault:
    what = f"{row['side']} {row['symbol']} is no block of open orders"
    remedy = "fill in the account, or correct symbol, side and custodian"
    if found:
        kinds = ", ".join(
            f"{block.custodian or 'no custodian'} {block.order_type}"
            + (f" {block.limit_price:f}" if block.limit_price is not None else "")
            for block in found[:_SHOWN]
        )
        what = f"{row['side']} {row['symbol']} fits {len(found)} blocks ({kinds})"
        remedy = "fill in column custodian; where that does not tell, give fills by account"
    return Fault(where=place(row, "fills"), what=what, remedy=remedy)


def _decimal(number: float) -> Decimal:
    try:
        return Decimal(repr(float(number))).quantize(UNIT)
    except InvalidOperation:
        raise PlanError.of(
            where="fills", what=f"{number:g} is too large a number", remedy="correct it"
        ) from None
