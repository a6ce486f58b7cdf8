"""A block's fill given back to its accounts: pro rata, in whole steps, never more than ordered.

The rule for what rounding leaves: each account gets its share of the fill rounded down to whole steps;
the steps that are left go one each to the largest remainders, among equals to the larger order, then by
account. A fraction (of a full liquidation) goes to an account whose own order has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from xl_rebal.errors import FaultList, PlanError
from xl_rebal.trading.order import UNIT, plain
from xl_rebal.trading.plan import Action

PRICE_PLACES = Decimal("0.000001")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What was done of a block: some units at a price; a block may have several."""

    block: str
    quantity: Decimal
    price: Decimal

    def __post_init__(self) -> None:
        sound = self.quantity > 0 and self.price > 0
        if not sound or self.quantity != self.quantity.quantize(UNIT):
            raise PlanError.of(
                where=f"fill of block {self.block}",
                what=f"{self.quantity} units at {self.price} is no fill",
                remedy="enter units (at most nine decimals) and a price, both above zero",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """An account's part of a fill.

    ordered   units that it asked for; quantity: what it gets; left: what stays undone.
    price     the block's average price, the same for every account, to six decimals.
    amount    money to the cent; the amounts of a block add up to what its fills cost.
    """

    block: str
    account: str
    symbol: str
    action: Action
    ordered: Decimal
    quantity: Decimal
    price: Decimal
    amount: Decimal

    @property
    def left(self) -> Decimal:
        """Units of the order that the fill does not cover."""
        return self.ordered - self.quantity


def pro_rata(
    ordered: Sequence[int], accounts: Sequence[str], filled: int, step: int
) -> tuple[int, ...]:
    """(n,) units for each account, in the same whole units as `ordered`; they sum to `filled`.

    100 filled of orders of 100, 60 and 40 in steps of 1: 50, 30 and 20. 10 filled of 7, 7 and 7:
    3.33 each, so 3, and the one left goes to the first account by name.

    >>> pro_rata([7, 7, 7], ["C", "A", "B"], 10, 1)
    (3, 4, 3)
    """
    total = sum(ordered)
    if not 0 <= filled <= total:
        raise ValueError(f"{filled} of {total} cannot be filled")
    if filled == total:
        return tuple(ordered)
    given = [quantity * filled // (total * step) * step for quantity in ordered]
    left = filled - sum(given)
    if left:
        waiting = sorted(
            range(len(ordered)),
            key=lambda i: (given[i] * total - ordered[i] * filled, -ordered[i], accounts[i]),
        )
        skipped: list[int] = []
        for i in waiting:
            part = min(step, ordered[i] - given[i])
            if part <= left:
                given[i] += part
                left -= part
            else:
                skipped.append(i)
            if not left:
                break
        if (
            left
        ):  # less than a step, and no order has room for just that: the first passed over takes it
            given[skipped[0]] += left
    return tuple(given)


def split_money(cents: int, units: Sequence[int], accounts: Sequence[str]) -> tuple[int, ...]:
    """(n,) cents in proportion to units; they sum to `cents`."""
    total = sum(units)
    given = [cents * each // total for each in units]
    waiting = sorted(
        range(len(units)),
        key=lambda i: (given[i] * total - cents * units[i], -units[i], accounts[i]),
    )
    for i in waiting[: cents - sum(given)]:
        given[i] += 1
    return tuple(given)


def average(fills: Sequence[Fill]) -> tuple[Decimal, Decimal, int]:
    """(units, average price to six decimals, money in cents) of the fills of one block."""
    units = sum((fill.quantity for fill in fills), Decimal(0))
    money = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
    price = (money / units).quantize(PRICE_PLACES, rounding=ROUND_HALF_UP)
    cents = int(money.quantize(CENT, rounding=ROUND_HALF_UP).scaleb(2))
    return units, plain(price), cents


def require_within(block: str, filled: Decimal, ordered: Decimal, faults: FaultList) -> None:
    """Note a fill beyond the block: nobody ordered the rest."""
    if filled > ordered:
        faults.add(
            where=f"fills of block {block}",
            what=f"{plain(filled):f} units are filled and {plain(ordered):f} were ordered",
            remedy="correct the fills; nothing was allocated",
        )
