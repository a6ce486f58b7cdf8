"""The wash-sale ledger: which losses are disallowed, and where they go.

A loss is disallowed as far as identical securities are bought from 30 days before the sale to 30 days
after it (26 USC 1091(a), the 61-day period) by the taxpayer, the spouse, or an IRA of either. Losses are
taken in the order of disposition, those of a day in the order of acquisition; purchases in the order of
acquisition, each only once (26 CFR 1.1091-1(b) to (e)). The loss is added to the basis of what was bought,
and its holding period is tacked on (26 CFR 1.1091-2, 26 USC 1223(3)); bought in an IRA it is lost for good
(Rev. Rul. 2008-5). The rest of a lot that is sold in part replaces nothing (Rev. Rul. 56-602), nor do shares
that are sold themselves before the loss.

Worked (26 CFR 1.1091-1(h), example 2): 100 bought at 50; 50 bought at 55 and 25 at 45 within 30 days before
the 100 are sold at 40. Of the loss of 1,000, 750 are disallowed; the 50 cost 65 each now, the 25 cost 55.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xl_rebal.errors import Fault, TaxError
from xl_rebal.portfolio.history import Event, History, Transaction
from xl_rebal.portfolio.lots import Term
from xl_rebal.portfolio.securities import Security, default_security
from xl_rebal.tax.holding_period import is_long_term, tacked
from xl_rebal.tax.parcels import SMALLEST, Parcel, Piece, Shelf
from xl_rebal.tax.taxpayers import Reach, Taxpayers

WINDOW = dt.timedelta(days=30)
SECTION_1256 = "section_1256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One sale in a taxable account; a sale of short- and long-term lots gives two.

    gain        before disallowance; None where a purchase is missing.
    disallowed  loss that a wash sale takes away, 0 or more; `allowed` is gain + disallowed.
    lost        the part of `disallowed` that no later sale brings back (bought in an IRA).
    """

    account: str
    symbol: str
    date: dt.date
    quantity: float
    gain: float | None
    disallowed: float
    lost: float
    term: Term | None
    planned: bool = False

    @property
    def allowed(self) -> float | None:
        """The gain or loss that counts this year."""
        return None if self.gain is None else self.gain + self.disallowed


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLot:
    """Units that are still held, with the basis and holding period that wash sales gave them."""

    account: str
    symbol: str
    acquired: dt.date
    holding_start: dt.date
    quantity: float
    unit_cost: float
    lot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Units sold at a loss, and the purchase that replaces them."""

    account: str
    symbol: str
    sold: dt.date
    bought_in: str
    bought_symbol: str
    bought: dt.date
    quantity: float
    disallowed: float
    reach: Reach
    planned: bool

    def in_words(self) -> str:
        """One sentence for a person."""
        where = "" if self.bought_in == self.account else f" in {self.bought_in}"
        fate = {
            Reach.DEFER: "the loss moves into the basis of what was bought",
            Reach.LOSE: "the loss is gone for good (bought in a tax-advantaged account)",
            Reach.WARN: "on another tax return: make sure that it is not bought for the seller",
            Reach.NONE: "",
        }[self.reach]
        return (
            f"{self.symbol} sold at a loss in {self.account} on {self.sold}: {self.quantity:,.10g} units "
            f"of {self.bought_symbol} bought{where} on {self.bought}, {self.disallowed:,.2f} "
            f"{'at risk' if self.reach is Reach.WARN else 'disallowed'}; {fate}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the trade history makes of gains, losses and lots.

    matches  every disallowed part with its replacement.
    alerts   purchases on other tax returns of the household that a person should look at.
    unknown  sales whose purchases are not in the history (only where that was allowed).
    """

    sales: tuple[Sale, ...]
    lots: tuple[LedgerLot, ...]
    matches: tuple[Match, ...]
    alerts: tuple[Match, ...]
    unknown: tuple[Transaction, ...] = ()


def identical_group(securities: Mapping[str, Security], symbol: str) -> str:
    """What a security counts as when losses are matched: its `identical_group`, else itself."""
    known = securities.get(symbol) or default_security(symbol)
    return (known.identical_group or symbol).casefold()


def ledger(
    history: History,
    who: Taxpayers,
    securities: Mapping[str, Security] | None = None,
    *,
    complete: bool = True,
) -> Ledger:
    """The ledger of a history. `complete`: a sale without its purchases is refused, all of them together
    (a missing basis is asked for, never guessed); otherwise such a sale has no gain and is listed.
    """
    known = securities or {}
    history = _in_order(history)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, event in enumerate(history):
        group = identical_group(known, event.symbol)
        groups.setdefault((who.household_of(event.account), group), []).append(place)
    books = [_Book(history, places, who, _is_exempt(known)) for places in groups.values()]
    for book in books:
        book.run()
    unknown = sorted({piece.sale for book in books for piece in book.unknown})
    if unknown and complete:
        raise TaxError(*(_missing(history, place, books) for place in unknown))
    pieces = [piece for book in books for piece in book.pieces]
    disallowed = {id(piece): amounts for book in books for piece, amounts in book.disallowed}
    return Ledger(
        sales=_sales(history, pieces, disallowed, who),
        lots=_open_lots([parcel for book in books for parcel in book.shelf.held()]),
        matches=tuple(sorted((m for b in books for m in b.matches), key=_when)),
        alerts=tuple(sorted((m for b in books for m in b.alerts), key=_when)),
        unknown=tuple(history[place] for place in unknown),
    )


def _when(match: Match) -> tuple[dt.date, dt.date, str, str]:
    return (match.sold, match.bought, match.account, match.symbol)


def _in_order(history: History) -> History:
    """By day; the rows of a day as they stand, or from below where the file has its newest row first."""
    days = [event.date for event in history]
    newest_first = len(set(days)) > 1 and all(a >= b for a, b in itertools.pairwise(days))
    rows = reversed(history) if newest_first else history
    return tuple(sorted(rows, key=lambda event: event.date))


def _is_exempt(securities: Mapping[str, Security]) -> Callable[[str], bool]:
    """Section 1256 contracts are marked to market and stand outside the rule (26 USC 1256(f)(5))."""

    def exempt(symbol: str) -> bool:
        known = securities.get(symbol)
        return known is not None and known.tax_class.casefold() == SECTION_1256

    return exempt


class _Book:
    """One group of identical securities of one household, worked through day by day."""

    def __init__(
        self,
        history: History,
        places: Sequence[int],
        who: Taxpayers,
        exempt: Callable[[str], bool],
    ) -> None:
        self._history = history
        self._places = places
        self._who = who
        self._exempt = exempt
        self.shelf = Shelf(history, places)
        self.pieces: list[Piece] = []
        self.unknown: list[Piece] = []
        self.disallowed: list[tuple[Piece, tuple[float, float]]] = []
        self.matches: list[Match] = []
        self.alerts: list[Match] = []

    def run(self) -> None:
        """Take the sales in order; those of a day with no purchase between them are one disposition."""
        run: list[int] = []
        for place in self._places:
            event = self._history[place]
            if event.event is Event.SELL:
                if run and self._history[run[-1]].date != event.date:
                    self._dispose(run)
                    run = []
                run.append(place)
            elif run:
                self._dispose(run)
                run = []
        self._dispose(run)

    def _dispose(self, run: list[int]) -> None:
        losses: list[Piece] = []
        for place in run:
            sale = self._history[place]
            for piece in self.shelf.take(sale, place):
                self.pieces.append(piece)
                if piece.unit_cost is None:
                    self.unknown.append(piece)
                elif (
                    piece.unit_cost - sale.price > SMALLEST
                    and self._who.is_taxable(sale.account)
                    and not self._exempt(sale.symbol)
                ):
                    losses.append(piece)
        losses.sort(key=lambda piece: (piece.acquired, piece.purchase))
        for piece in losses:
            self._match(piece)

    def _match(self, piece: Piece) -> None:
        sale = self._history[piece.sale]
        assert piece.unit_cost is not None  # _dispose keeps the others apart
        assert piece.holding_start is not None
        loss = piece.unit_cost - sale.price
        left, disallowed, lost = piece.quantity, 0.0, 0.0
        for parcel in self._replacements(piece, sale):
            reach = self._who.reach(parcel.account, sale.account)
            units = min(left, parcel.quantity)
            match = _match_of(sale, parcel, units, loss * units, reach)
            if reach is Reach.WARN:
                self.alerts.append(match)
                continue
            part = self.shelf.split(parcel, units)
            part.replaces = True
            if reach is Reach.DEFER:
                part.unit_cost += loss
                part.holding_start = tacked(
                    part.acquired, held_from=piece.holding_start, held_to=sale.date
                )
            else:
                lost += loss * units
            disallowed += loss * units
            self.matches.append(match)
            left -= units
            if left <= SMALLEST:
                break
        if disallowed:
            self.disallowed.append((piece, (disallowed, lost)))

    def _replacements(self, piece: Piece, sale: Transaction) -> Iterator[Parcel]:
        for parcel in self.shelf.replacements(sale.date, WINDOW):
            if parcel.purchase == piece.purchase:
                continue
            if self._who.reach(parcel.account, sale.account) is not Reach.NONE:
                yield parcel


def _match_of(
    sale: Transaction, parcel: Parcel, units: float, disallowed: float, reach: Reach
) -> Match:
    return Match(
        account=sale.account,
        symbol=sale.symbol,
        sold=sale.date,
        bought_in=parcel.account,
        bought_symbol=parcel.symbol,
        bought=parcel.acquired,
        quantity=units,
        disallowed=disallowed,
        reach=reach,
        planned=sale.planned or parcel.planned,
    )


def _missing(history: History, place: int, books: Sequence[_Book]) -> Fault:
    """The fault of a sale that sells more than was bought."""
    sale = history[place]
    short = sum(p.quantity for b in books for p in b.unknown if p.sale == place)
    row = f"history row {sale.line} " if sale.line else ""
    lot = f" from lot {sale.lot_id}" if sale.lot_id else ""
    return Fault(
        where=f"{row}({sale.symbol} in {sale.account}, sold {sale.date})",
        what=f"sells {sale.quantity:,.10g}{lot}, and {sale.quantity - short:,.10g} were bought before: the "
        f"basis of {short:,.10g} is not known",
        remedy="add the earlier purchases, or a row with action receive, the day and the unit cost",
    )


def _sales(
    history: History,
    pieces: Sequence[Piece],
    disallowed: Mapping[int, tuple[float, float]],
    who: Taxpayers,
) -> tuple[Sale, ...]:
    """One row per sale and term, in the order of the history; sales in an IRA are not taxed."""
    rows: dict[tuple[int, Term | None], Sale] = {}
    for piece in sorted(pieces, key=lambda p: p.sale):
        sale = history[piece.sale]
        if not who.is_taxable(sale.account):
            continue
        away, lost = disallowed.get(id(piece), (0.0, 0.0))
        gain, term = None, None
        if piece.unit_cost is not None and piece.holding_start is not None:
            gain = piece.quantity * (sale.price - piece.unit_cost)
            term = Term.LONG if is_long_term(piece.holding_start, sale.date) else Term.SHORT
        row = rows.get((piece.sale, term))
        if row is None:
            rows[piece.sale, term] = Sale(
                account=sale.account,
                symbol=sale.symbol,
                date=sale.date,
                quantity=piece.quantity,
                gain=gain,
                disallowed=away,
                lost=lost,
                term=term,
                planned=sale.planned,
            )
            continue
        rows[piece.sale, term] = replace(
            row,
            quantity=row.quantity + piece.quantity,
            gain=None if gain is None or row.gain is None else row.gain + gain,
            disallowed=row.disallowed + away,
            lost=row.lost + lost,
        )
    return tuple(rows.values())


def _open_lots(parcels: Sequence[Parcel]) -> tuple[LedgerLot, ...]:
    """What is still held, by account, symbol and day; parts of a purchase that are alike are one lot."""
    merged: dict[tuple[str, str, dt.date, dt.date, float, int, str], float] = {}
    for p in sorted(parcels, key=lambda p: (p.account, p.symbol, p.acquired, p.purchase)):
        if not p.planned:
            key = (
                p.account,
                p.symbol,
                p.acquired,
                p.holding_start,
                p.unit_cost,
                p.purchase,
                p.lot_id,
            )
            merged[key] = merged.get(key, 0.0) + p.quantity
    return tuple(
        LedgerLot(
            account=account,
            symbol=symbol,
            acquired=acquired,
            holding_start=start,
            quantity=quantity,
            unit_cost=cost,
            lot_id=lot_id,
        )
        for (account, symbol, acquired, start, cost, _, lot_id), quantity in merged.items()
    )
