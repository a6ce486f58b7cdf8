"""Which lots a sale takes: FIFO, LIFO, HIFO, lowest tax, named lots, average cost."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xl_rebal.errors import Fault, TaxError
from xl_rebal.portfolio.lots import Lots, Term
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.holding_period import is_long_term
from xl_rebal.tax.income_tax import Rates, added_tax, marginal_rates
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile

_TINY = 1e-9
COLLECTIBLE = "collectible"
_METAL_FUNDS = frozenset(
    "GLD GLDM IAU IAUM SGOL BAR OUNZ AAAU SLV SIVR PPLT PALL GLTR".split()
)  # grantor trusts that hold metal: their gains are those of collectibles (26 USC 408(m), 1(h)(5))


# Without a return: the highest federal rates, so that only their order matters.
_TOP_RATES = Rates(short=0.37, long=0.20, collectible=0.28, ordinary=0.37)


class LotMethod(StrEnum):
    """How the lots of a sale are chosen.

    average  every unit costs the average of all lots, the oldest are taken to be sold first
             (funds and dividend reinvestment plans only: 26 CFR 1.1012-1(e)).
    """

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    LOWEST_TAX = "lowest_tax"
    SPECIFIC = "specific"
    AVERAGE = "average"


_WORDS = {
    "fifo": LotMethod.FIFO, "firstinfirstout": LotMethod.FIFO,
    "lifo": LotMethod.LIFO, "lastinfirstout": LotMethod.LIFO,
    "hifo": LotMethod.HIFO, "highestcost": LotMethod.HIFO, "highcost": LotMethod.HIFO,
    "lowesttax": LotMethod.LOWEST_TAX, "leasttax": LotMethod.LOWEST_TAX, "tax": LotMethod.LOWEST_TAX,
    "specific": LotMethod.SPECIFIC, "specificlots": LotMethod.SPECIFIC,
    "average": LotMethod.AVERAGE, "averagecost": LotMethod.AVERAGE,
}  # fmt: skip


def lot_method(text: str) -> LotMethod:
    """The method that a word names; raises TaxError."""
    found = _WORDS.get(re.sub(r"[^a-z]", "", text.casefold()))
    if found is None:
        raise TaxError.of(
            where="method",
            what=f"{text!r} is not known",
            remedy=f"use one of {', '.join(LotMethod)}",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSale:
    """Units of one lot that are sold.

    row   the lot's place among the lots given.
    term  None without a day of sale.
    """

    row: int
    account: str
    symbol: str
    lot_id: str
    acquired: dt.date
    quantity: float
    unit_cost: float
    price: float
    term: Term | None

    @property
    def proceeds(self) -> float:
        """Money received."""
        return self.quantity * self.price

    @property
    def gain(self) -> float:
        """Gain, negative for a loss, before any loss is disallowed."""
        return self.quantity * (self.price - self.unit_cost)


def term_of(acquired: dt.date, stated: str, as_of: dt.date) -> Term:
    """Long by the dates, or because the custodian says so (a holding period that a wash sale tacked on)."""
    if stated == Term.LONG or is_long_term(acquired, as_of):
        return Term.LONG
    return Term.SHORT


def is_collectible(symbol: str, securities: Mapping[str, Security]) -> bool:
    """True for what is taxed as a collectible: by its `tax_class`, else a metal trust such as GLD or IAU."""
    known = securities.get(symbol)
    if known is not None and known.tax_class:
        return known.tax_class.casefold() == COLLECTIBLE
    return symbol.upper() in _METAL_FUNDS


def gains_of(sold: Sequence[LotSale], securities: Mapping[str, Security] | None = None) -> Gains:
    """The gains of sold lots by how they are taxed; the lots must know their term."""
    known = securities or {}
    total = Gains()
    for lot in sold:
        total += _gain(lot, known)
    return total


def _gain(lot: LotSale, known: Mapping[str, Security]) -> Gains:
    security = known.get(lot.symbol)
    if security is not None and security.tax_class.casefold() == "section_1256":
        return Gains(section_1256=lot.gain)
    if lot.term is Term.SHORT:
        return Gains(short=lot.gain)
    if lot.term is Term.LONG:
        if is_collectible(lot.symbol, known):
            return Gains(collectible=lot.gain)
        return Gains(long=lot.gain)
    raise TaxError.of(
        where=f"sale of {lot.symbol} in {lot.account}",
        what="has no day, so it is neither short- nor long-term",
        remedy="state as_of, the day of the sale",
    )


def choose_lots(
    lots: Lots,
    quantity: float,
    method: LotMethod,
    *,
    price: float,
    as_of: dt.date | None = None,
    tax: TaxProfile | Rates | None = None,
    named: Mapping[str, float] | None = None,
    securities: Mapping[str, Security] | None = None,
) -> tuple[LotSale, ...]:
    """The lots that a sale of `quantity` at `price` takes from `lots` (of one account and symbol).

    tax    the return, or the rates at its margin, for lowest tax; without one short-term gains are taken
           to cost more than long-term ones and losses of either kind to save in the same proportion.
    named  lot_id -> units, for specific lots; they must add up to the quantity.

    Raises TaxError when the lots do not suffice or lack what the method needs.
    """
    lots.require_known()
    _require_enough(lots, quantity)
    if method is LotMethod.SPECIFIC:
        return _named(lots, quantity, price, as_of, named or {})
    if method is LotMethod.AVERAGE:
        held = lots.quantity > 0
        mean = float((lots.quantity * lots.unit_cost)[held].sum() / lots.quantity[held].sum())
        order = _sorted(lots, _first)
        return _taken(lots, order, quantity, price, as_of, cost=mean)
    if method is LotMethod.LOWEST_TAX:
        return _lowest_tax(lots, quantity, price, as_of, tax, securities or {})
    keys: dict[LotMethod, _Key] = {
        LotMethod.FIFO: _first,
        LotMethod.LIFO: _last,
        LotMethod.HIFO: _highest,
    }
    return _taken(lots, _sorted(lots, keys[method]), quantity, price, as_of)


_Key = Callable[[Lots, int], tuple[float, ...]]


def _day(lots: Lots, row: int) -> float:
    return float(lots.acquired[row].astype(np.int64))


def _first(lots: Lots, row: int) -> tuple[float, ...]:
    return (_day(lots, row), row)


def _last(lots: Lots, row: int) -> tuple[float, ...]:
    return (-_day(lots, row), -row)


def _highest(lots: Lots, row: int) -> tuple[float, ...]:
    return (-float(lots.unit_cost[row]), _day(lots, row), row)


def _sorted(lots: Lots, key: _Key) -> list[int]:
    rows = np.flatnonzero(lots.quantity > _TINY).tolist()
    return sorted(rows, key=lambda row: key(lots, row))


def _taken(
    lots: Lots,
    order: Sequence[int],
    quantity: float,
    price: float,
    as_of: dt.date | None,
    *,
    cost: float | None = None,
) -> tuple[LotSale, ...]:
    """`quantity` units of the lots in this order; `cost` replaces their own."""
    sold, left = [], quantity
    for row in order:
        if left <= _TINY:
            break
        units = min(left, float(lots.quantity[row]))
        left -= units
        sold.append(_sale(lots, row, units, price, as_of, cost))
    return tuple(sold)


def _sale(
    lots: Lots,
    row: int,
    units: float,
    price: float,
    as_of: dt.date | None,
    cost: float | None = None,
) -> LotSale:
    acquired = lots.acquired[row].item()
    return LotSale(
        row=row,
        account=lots.account[row],
        symbol=lots.symbol[row],
        lot_id=lots.lot_id[row],
        acquired=acquired,
        quantity=units,
        unit_cost=float(lots.unit_cost[row]) if cost is None else cost,
        price=price,
        term=term_of(acquired, lots.term[row], as_of) if as_of is not None else None,
    )


def _lowest_tax(
    lots: Lots,
    quantity: float,
    price: float,
    as_of: dt.date | None,
    tax: TaxProfile | Rates | None,
    securities: Mapping[str, Security],
) -> tuple[LotSale, ...]:
    """Least tax per unit first; for a return the best of several orders, by its exact tax."""
    if as_of is None:
        raise TaxError.of(
            where="as_of",
            what="is blank, and the lowest tax depends on how long a lot was held",
            remedy="enter the day of the sale, for example =TODAY()",
        )
    rates = marginal_rates(tax) if isinstance(tax, TaxProfile) else tax or _TOP_RATES

    def per_unit(lots: Lots, row: int) -> tuple[float, ...]:
        return (_at(_gain(_sale(lots, row, 1.0, price, as_of), securities), rates), row)

    best = _taken(lots, _sorted(lots, per_unit), quantity, price, as_of)
    if not isinstance(tax, TaxProfile):
        return best
    others = [
        _taken(lots, _sorted(lots, key), quantity, price, as_of)
        for key in (_highest, _first, _last)
    ]
    return min(
        (best, *others), key=lambda sold: round(added_tax(tax, gains_of(sold, securities)).total, 6)
    )


def _at(gains: Gains, rates: Rates) -> float:
    parts = gains.split
    return (
        parts.short * rates.short + parts.long * rates.long + parts.collectible * rates.collectible
    )


def _named(
    lots: Lots, quantity: float, price: float, as_of: dt.date | None, named: Mapping[str, float]
) -> tuple[LotSale, ...]:
    faults = []
    known = {lots.lot_id[row]: row for row in range(len(lots)) if lots.lot_id[row]}
    for lot_id, units in named.items():
        if lot_id not in known:
            what = f"is no lot of it (lots are {', '.join(known) or 'not named'})"
            faults.append(Fault(where=f"lot {lot_id}", what=what, remedy="correct the lot's name"))
        elif not 0 < units <= lots.quantity[known[lot_id]] + _TINY:
            what = (
                f"{units:,.10g} units are asked for, it holds {lots.quantity[known[lot_id]]:,.10g}"
            )
            faults.append(Fault(where=f"lot {lot_id}", what=what, remedy="ask for what it holds"))
    if abs(sum(named.values()) - quantity) > 1e-6:
        what = f"add up to {sum(named.values()):,.10g} units, and {quantity:,.10g} are sold"
        faults.append(Fault(where="specific lots", what=what, remedy="name lots for all units"))
    if faults:
        raise TaxError(*faults)
    return tuple(_sale(lots, known[name], units, price, as_of) for name, units in named.items())


def _require_enough(lots: Lots, quantity: float) -> None:
    if not quantity > 0:
        raise TaxError.of(
            where="quantity", what=f"is {quantity:g}", remedy="enter a number greater than zero"
        )
    held = float(lots.quantity[lots.quantity > 0].sum())
    if quantity > held + 1e-6:
        raise TaxError.of(
            where="quantity",
            what=f"is {quantity:,.10g}, and the lots add up to {held:,.10g}",
            remedy="sell at most what is held, or add the missing lots",
        )
