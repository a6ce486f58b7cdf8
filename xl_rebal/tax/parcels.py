"""Parcels of shares: purchases opened, split and sold, in order, inside one account and security.

A parcel is a part of a purchase that is treated alike: a wash sale splits a purchase into the part that
replaces shares sold at a loss and the rest. This is the only mutable thing in `tax/`; the wash-sale
ledger owns it and hands out values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xl_rebal.portfolio.history import Event, History, Transaction

SMALLEST = 1e-9  # units; what is less is rounding


@dataclass(slots=True, kw_only=True)
class Parcel:
    """Units of one purchase that share cost and holding period.

    purchase       place of the purchase in the history.
    holding_start  day from which the holding period counts: `acquired`, or earlier when tacked.
    bought         False for shares that were received, which replace nothing.
    replaces       True once it has replaced shares sold at a loss: it does so only once.
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

    @property
    def order(self) -> tuple[dt.date, int, bool]:
        """First in, first out; of one purchase the part that replaces first."""
        return (self.acquired, self.purchase, not self.replaces)


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
        self._by_day: dict[dt.date, list[Parcel]] = {}
        self._by_holder: dict[tuple[str, str], list[Parcel]] = {}
        for place in places:
            event = history[place]
            if event.event is not Event.SELL:
                parcel = _opened(event, place)
                self._by_day.setdefault(parcel.acquired, []).append(parcel)
                self._by_holder.setdefault((parcel.account, parcel.symbol), []).append(parcel)

    def held(self) -> Iterator[Parcel]:
        """Every parcel that is not sold."""
        for parcels in self._by_holder.values():
            yield from (p for p in parcels if p.quantity > SMALLEST)

    def bought_around(self, day: dt.date, window: dt.timedelta) -> Iterator[Parcel]:
        """Parcels bought within `window` of a day and not sold before it, earliest purchase first.

        Those bought later than the day are all there: nothing of them is sold yet.
        """
        for distance in range(-window.days, window.days + 1):
            parcels = self._by_day.get(day + dt.timedelta(days=distance), ())
            found = [p for p in parcels if p.bought and p.quantity > SMALLEST]
            yield from sorted(found, key=lambda p: p.order)

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
        first = next((i for i, p in enumerate(parcels) if p.quantity > SMALLEST), len(parcels))
        del parcels[:first]
        mine: list[Parcel] = []
        for parcel in parcels:
            if parcel.acquired > sale.date:
                break
            if parcel.quantity > SMALLEST and (not sale.lot_id or parcel.lot_id == sale.lot_id):
                mine.append(parcel)
        yield from (p for p in mine if p.acquired < sale.date or p.purchase < place)
        yield from (p for p in mine if p.acquired == sale.date and p.purchase > place)

    def split(self, parcel: Parcel, units: float) -> Parcel:
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
        self._by_day[part.acquired].append(part)
        mine = self._by_holder[part.account, part.symbol]
        # In front of the rest of its purchase: it replaces, so it is sold first.
        mine.insert(next(i for i, p in enumerate(mine) if p is parcel), part)
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
