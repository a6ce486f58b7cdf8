"""Blocks: the orders of many clients for one security and side, sent as one and given back pro rata.

Sells and buys are never netted against each other, whoever they are for: selling one client's shares to
another is a cross trade. Sells are wave 1; the buys that they pay for are wave 2.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from xl_rebal.errors import FaultList, PlanError
from xl_rebal.trading.allocation import (
    Allocation,
    Fill,
    average,
    pro_rata,
    require_within,
    split_money,
)
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import PLACES, Order, plain, wave_of
from xl_rebal.trading.plan import Action

_MICRO = 10**6  # prices are averaged in millionths
_SHOWN = 20

_Key = tuple[str, str, str, str, Decimal | None, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """All orders of one security, side, custodian and kind of order.

    block     its name: `S0001` for sells, `B0001` for buys, in the order of the list.
    wave      1 for sells, which are sent first; 2 for buys.
    quantity  units, the sum of its orders; orders: how many, one for each account.
    price     the plans' price, the mean by units, to six decimals.
    value     money of the plans in the base currency, the sum of its orders.
    step      allocations move in it.
    """

    block: str
    wave: int
    custodian: str
    symbol: str
    action: Action
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    currency: str
    quantity: Decimal
    orders: int
    price: Decimal
    value: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Money that is traded: gross counts both sides, one way is half of it (as a plan's turnover)."""

    buys: Decimal
    sells: Decimal

    @property
    def gross(self) -> Decimal:
        """Buys and sells."""
        return self.buys + self.sells

    @property
    def one_way(self) -> Decimal:
        """Half of the gross turnover."""
        return self.gross / 2


@dataclass(slots=True)
class _Open:
    """A block that still takes orders; quantities in billionths of a unit."""

    account: array[int] = field(default_factory=lambda: array("q"))
    units: array[int] = field(default_factory=lambda: array("q"))
    cents: int = 0
    priced: int = 0
    step: int = 0


class Blocks:
    """The finished blocks, sells first, then by custodian and symbol; and the orders in each."""

    def __init__(self, opened: dict[_Key, _Open], accounts: list[str]) -> None:
        self._accounts = accounts
        self._open: dict[str, _Open] = {}
        blocks: list[Block] = []
        counts = {Action.SELL: 0, Action.BUY: 0}
        for key in sorted(opened, key=_place):
            action, held = Action(key[2]), opened[key]
            counts[action] += 1
            name = f"{action.value[0]}{counts[action]:04d}"
            self._open[name] = held
            blocks.append(_block(name, key, held))
        self.blocks = tuple(blocks)

    @property
    def turnover(self) -> Turnover:
        """What all blocks buy and sell, in the base currency."""
        money = {Action.BUY: Decimal(0), Action.SELL: Decimal(0)}
        for block in self.blocks:
            money[block.action] += block.value
        return Turnover(buys=money[Action.BUY], sells=money[Action.SELL])

    def wave(self, number: int) -> tuple[Block, ...]:
        """The blocks of a wave."""
        return tuple(block for block in self.blocks if block.wave == number)

    def orders_of(self, block: str) -> Iterator[tuple[str, Decimal]]:
        """(account, units) of each order in a block, by account."""
        names, units = self._rows(block)
        return ((name, _decimal(each)) for name, each in zip(names, units, strict=True))

    def allocate(self, fills: Iterable[Fill]) -> Iterator[Allocation]:
        """What each account of the filled blocks gets, blocks in their order; an account without any
        part of a partial fill has quantity 0.

        Raises PlanError before anything is given out: for blocks that are not there, and for fills
        beyond what was ordered.
        """
        known = {block.block: block for block in self.blocks}
        done: dict[str, list[Fill]] = {}
        for fill in fills:
            done.setdefault(fill.block, []).append(fill)
        faults = FaultList()
        for name, each in done.items():
            if name not in known:
                faults.add(
                    where=f"fills of block {name}",
                    what="there is no such block",
                    remedy="use the names of the list of blocks",
                )
            else:
                require_within(name, average(each)[0], known[name].quantity, faults)
        faults.raise_as(PlanError)
        return (
            allocation
            for block in self.blocks
            if block.block in done
            for allocation in self._given(block, done[block.block])
        )

    def _given(self, block: Block, fills: list[Fill]) -> Iterator[Allocation]:
        filled, price, cents = average(fills)
        names, units = self._rows(block.block)
        given = pro_rata(units, names, _whole(filled), self._open[block.block].step)
        money = split_money(cents, given, names)
        for name, ordered, quantity, amount in zip(names, units, given, money, strict=True):
            yield Allocation(
                block=block.block,
                account=name,
                symbol=block.symbol,
                action=block.action,
                ordered=_decimal(ordered),
                quantity=_decimal(quantity),
                price=price,
                amount=Decimal(amount).scaleb(-2),
            )

    def _rows(self, block: str) -> tuple[list[str], list[int]]:
        held = self._open[block]
        pairs = sorted(
            (self._accounts[a], units) for a, units in zip(held.account, held.units, strict=True)
        )
        return [name for name, _ in pairs], [units for _, units in pairs]


class BlockBuilder:
    """Takes the orders of any number of clients, chunk by chunk, and makes the blocks.

    It keeps two whole numbers for each order, so a million orders are 16 MB. The order in which
    chunks arrive changes nothing.
    """

    def __init__(self) -> None:
        self._opened: dict[_Key, _Open] = {}
        self._account: dict[str, int] = {}

    def add(self, orders: Iterable[Order]) -> None:
        """Take some orders."""
        opened, accounts = self._opened, self._account
        for order in orders:
            key = (
                order.custodian,
                order.symbol,
                order.action.value,
                order.order_type.value,
                order.limit_price,
                order.time_in_force.value,
                order.currency,
            )
            held = opened.get(key)
            if held is None:
                held = opened[key] = _Open()
            units, step = _whole(order.quantity), _whole(order.step) or 1
            held.account.append(accounts.setdefault(order.account, len(accounts)))
            held.units.append(units)
            held.cents += round(order.value * 100)
            held.priced += round(order.price * _MICRO) * units
            held.step = min(step, held.step or step)

    def blocks(self) -> Blocks:
        """The blocks so far.

        Raises PlanError where an account has two orders of a security: they would be sent twice.
        """
        self._require_single()
        return Blocks(self._opened, list(self._account))

    def _require_single(self) -> None:
        symbols = {key[1]: place for place, key in enumerate(self._opened)}
        names, tickers = list(self._account), {place: name for name, place in symbols.items()}
        parts = [
            np.frombuffer(held.account, dtype=np.int64) * (len(self._opened) + 1) + symbols[key[1]]
            for key, held in self._opened.items()
        ]
        if not parts:
            return
        found, count = np.unique(np.concatenate(parts), return_counts=True)
        twice = found[count > 1].tolist()
        faults = FaultList()
        for each in twice[:_SHOWN]:
            account, symbol = divmod(each, len(self._opened) + 1)
            more = f" ({len(twice) - _SHOWN} more like it)" if len(twice) > _SHOWN else ""
            faults.add(
                where=f"account {names[account]}, {tickers[symbol]}",
                what=f"has more than one order of the security{more}",
                remedy="an account has one order of a security; take its plan once",
            )
        faults.raise_as(PlanError)


def _place(key: _Key) -> tuple[object, ...]:
    custodian, symbol, action, order_type, limit, time_in_force, currency = key
    wave = wave_of(Action(action))
    limit_place = (limit is not None, limit or Decimal(0))
    return (wave, custodian, symbol, order_type, limit_place, time_in_force, currency)


def _block(name: str, key: _Key, held: _Open) -> Block:
    custodian, symbol, action, order_type, limit, time_in_force, currency = key
    units = sum(held.units)
    mean = (2 * held.priced + units) // (2 * units)  # half up
    return Block(
        block=name,
        wave=wave_of(Action(action)),
        custodian=custodian,
        symbol=symbol,
        action=Action(action),
        order_type=OrderType(order_type),
        limit_price=limit,
        time_in_force=TimeInForce(time_in_force),
        currency=currency,
        quantity=_decimal(units),
        orders=len(held.units),
        price=plain(Decimal(mean).scaleb(-6)),
        value=Decimal(held.cents).scaleb(-2),
        step=_decimal(held.step),
    )


def _whole(number: Decimal) -> int:
    return int(number.scaleb(PLACES))


def _decimal(units: int) -> Decimal:
    return plain(Decimal(units).scaleb(-PLACES))
