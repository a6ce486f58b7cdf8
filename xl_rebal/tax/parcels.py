"""Parcels of shares: purchases opened, split and sold, in order, inside one account and security.

A parcel is a part of a purchase that is treated alike: a wash sale splits a purchase into the part that
replaces shares sold at a loss and the rest. This is the only mutable thing in `tax/`; the wash-sale
ledger owns it and hands out values.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xl_rebal.portfolio.history import Event, History, Transaction

SMALLEST = 1e-9  # units; what is less is rounding


@dataclass(slots=True, kw_only=True)
class Parcel:
    """Units of one purchase that share cost and holding period.

    purchase       place of the purchase in the history.
    holding_start  day from which the holding period counts: `acquired`, or earlier when tacked.
    bought         False for shares that were received, which replace nothing.
    replaces       True once it has replaced shares sold at a loss: it does so only once.
    parts          what was cut off it because it replaces; sold before the rest of the purchase.
    """

    purchase: int
    account: str
    symbol: str
    acquired: dt.date
    holding_start: dt.date
    quantity: float
    unit_cost: float
    lot_id: str
    bought: bool
    planned: bool
    replaces: bool = False
    parts: list[Parcel] = field(default_factory=list)

    def held(self) -> Iterator[Parcel]:
        """What is left of the purchase, in the order in which it is sold."""
        for parcel in (*self.parts, self):
            if parcel.quantity > SMALLEST:
                yield parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Units that one sale took from one parcel. `unit_cost` is None where no purchase is known."""

    sale: int
    purchase: int
    quantity: float
    unit_cost: float | None
    acquired: dt.date | None
    holding_start: dt.date | None


class Shelf:
    """The parcels of one group of identical securities, in all accounts of a household."""

    def __init__(self, history: History, places: Sequence[int]) -> None:
        self._free: dict[dt.date, list[Parcel]] = {}  # bought that day, replacing nothing
        self._by_holder: dict[tuple[str, str], list[Parcel]] = {}
        for place in places:
            event = history[place]
            if event.event is not Event.SELL:
                parcel = _opened(event, place)
                if parcel.bought:
                    self._free.setdefault(parcel.acquired, []).append(parcel)
                self._by_holder.setdefault((parcel.account, parcel.symbol), []).append(parcel)

    def held(self) -> Iterator[Parcel]:
        """Every parcel that is not sold, by holder in the order of acquisition."""
        for parcels in self._by_holder.values():
            for parcel in parcels:
                yield from parcel.held()

    def replacements(self, day: dt.date, window: dt.timedelta) -> Iterator[Parcel]:
        """Parcels bought within `window` of a day that replace nothing yet and are not sold before it,
        the earliest purchase first. Of those bought later nothing is sold yet.
        """
        for distance in range(-window.days, window.days + 1):
            bought = day + dt.timedelta(days=distance)
            free = self._free.get(bought)
            if free:
                free = [p for p in free if p.quantity > SMALLEST and not p.replaces]
                self._free[bought] = free
                yield from free

    def take(self, sale: Transaction, place: int) -> list[Piece]:
        """The units of a sale: its named lot, else first in, first out in its account and symbol.

        Rows of the same day count as bought before the sale where the rows above it are too few.
        """
        pieces: list[Piece] = []
        left = sale.quantity
        for parcel in self._offered(sale, place):
            units = min(left, parcel.quantity)
            parcel.quantity -= units
            left -= units
            pieces.append(
                Piece(
                    sale=place,
                    purchase=parcel.purchase,
                    quantity=units,
                    unit_cost=parcel.unit_cost,
                    acquired=parcel.acquired,
                    holding_start=parcel.holding_start,
                )
            )
            if left <= SMALLEST:
                return pieces
        pieces.append(
            Piece(
                sale=place,
                purchase=-1,
                quantity=left,
                unit_cost=None,
                acquired=None,
                holding_start=None,
            )
        )
        return pieces

    def _offered(self, sale: Transaction, place: int) -> Iterator[Parcel]:
        parcels = self._by_holder.get((sale.account, sale.symbol), [])
        # What is sold out at the front is never asked for again.
        first = next((i for i, p in enumerate(parcels) if any(p.held())), len(parcels))
        del parcels[:first]
        below: list[Parcel] = []  # rows of the same day that stand after the sale
        for parcel in itertools.takewhile(lambda p: p.acquired <= sale.date, parcels):
            if sale.lot_id and parcel.lot_id != sale.lot_id:
                continue
            if parcel.acquired == sale.date and parcel.purchase > place:
                below.append(parcel)
            else:
                yield from parcel.held()
        for parcel in below:
            yield from parcel.held()

    @staticmethod
    def split(parcel: Parcel, units: float) -> Parcel:
        """Cut `units` off a parcel as one of their own."""
        if units >= parcel.quantity - SMALLEST:
            return parcel
        parcel.quantity -= units
        part = Parcel(
            purchase=parcel.purchase,
            account=parcel.account,
            symbol=parcel.symbol,
            acquired=parcel.acquired,
            holding_start=parcel.holding_start,
            quantity=units,
            unit_cost=parcel.unit_cost,
            lot_id=parcel.lot_id,
            bought=parcel.bought,
            planned=parcel.planned,
        )
        parcel.parts.append(part)
        return part


def _opened(event: Transaction, place: int) -> Parcel:
    return Parcel(
        purchase=place,
        account=event.account,
        symbol=event.symbol,
        acquired=event.date,
        holding_start=event.date,
        quantity=event.quantity,
        unit_cost=event.price,
        lot_id=event.lot_id,
        bought=event.event is not Event.RECEIVE,
        planned=event.planned,
    )
