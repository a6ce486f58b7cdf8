"""Lots at a loss: what each is worth taking for, and what a harvest is asked for."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from xl_rebal.errors import TaxError
from xl_rebal.portfolio.lots import Term
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security, default_security
from xl_rebal.tax.gains import LotGains
from xl_rebal.tax.lot_methods import LotSale
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.wash_sales import SECTION_1256
from xl_rebal.tax.wash_window import WashWindow, safe_to_buy


class Verdict(StrEnum):
    """What comes of a lot at a loss.

    harvest  sell it and buy the replacement.   small  below the thresholds.
    wait     the loss would be washed now.      keep   no replacement can be bought, or the goal is met.
    """

    HARVEST = "harvest"
    SMALL = "small"
    WAIT = "wait"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What makes a loss worth taking: money per lot, and loss as a fraction of the lot's cost."""

    money: float = 0.0
    fraction: float = 0.0

    def __post_init__(self) -> None:
        if not (self.money >= 0 and 0 <= self.fraction < 1):
            raise TaxError.of(
                where="minimum loss",
                what=f"{self.money:g} and {self.fraction:g} of cost are no thresholds",
                remedy="enter money of zero or more, and a fraction from 0 to less than 1",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestRequest:
    """What a harvest looks at besides lots and prices.

    profiles      (household, tax return) -> its profile; a return without one gets no tax value.
    goal          losses to take at most, in dollars; None takes all that are worth it.
    values        account -> its value, for the change in class weight; 0 leaves it out.
    """

    threshold: Threshold = field(default_factory=Threshold)
    profiles: Mapping[tuple[str, str], TaxProfile] = field(default_factory=dict)
    goal: float | None = None
    restrictions: Sequence[Restriction] = ()
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One lot at a loss.

    row                   the lot's place among the lots given.
    loss                  positive, of `quantity` units.
    loss_fraction         of the cost.
    tax_value             tax that the loss saves this year, on top of the rows above; None without profile.
    days_to_long          days until the lot is long-term, 0 when it is.
    replacement           bought instead, with `replacement_quantity` and `replacement_price`.
    class_change          change of the class's weight in its account (fraction), less than one step.
    buy_back_from         first day on which buying the symbol back washes nothing.
    """

    row: int
    account: str
    symbol: str
    acquired: dt.date
    quantity: float
    unit_cost: float
    price: float
    loss: float
    loss_fraction: float
    term: Term
    days_to_long: int
    verdict: Verdict
    why: str
    lot_id: str = ""
    tax_value: float | None = None
    replacement: str = ""
    replacement_quantity: float = 0.0
    replacement_price: float = 0.0
    class_change: float | None = None
    buy_back_from: dt.date | None = None

    @property
    def proceeds(self) -> float:
        """Money that the sale brings, before costs."""
        return self.quantity * self.price


_WORTHLESS = "it is priced at 0: worthless securities are written off, not sold (26 USC 165(g))"


def _first_verdict(*, small: bool, worthless: bool) -> Verdict:
    if small:
        return Verdict.SMALL
    return Verdict.KEEP if worthless else Verdict.HARVEST


def candidates_of(
    gains: LotGains, places: Sequence[int], request: HarvestRequest, window: WashWindow
) -> list[Candidate]:
    """Every lot at a loss, the largest loss first, with the verdict of the thresholds.

    places  of the lots of `gains` among all lots.
    """
    found = []
    lots = gains.lots
    for row in np.flatnonzero((gains.gain < 0) & (lots.quantity > 0)).tolist():
        symbol = lots.symbol[row]
        known = window.securities.get(symbol)
        if known is not None and known.tax_class.casefold() == SECTION_1256:
            continue  # marked to market at the end of the year, sold or not
        loss = -float(gains.gain[row])
        fraction = loss / float(lots.quantity[row] * lots.unit_cost[row])
        worthless = not gains.price[row] > 0
        small = loss < request.threshold.money or fraction < request.threshold.fraction - 1e-12
        found.append(
            Candidate(
                row=places[row],
                account=lots.account[row],
                symbol=symbol,
                acquired=lots.acquired[row].item(),
                quantity=float(lots.quantity[row]),
                unit_cost=float(lots.unit_cost[row]),
                price=float(gains.price[row]),
                loss=loss,
                loss_fraction=fraction,
                term=Term.LONG if gains.is_long[row] else Term.SHORT,
                days_to_long=int(gains.days_to_long[row]),
                verdict=_first_verdict(small=small, worthless=worthless),
                why="below the thresholds" if small else _WORTHLESS if worthless else "",
                lot_id=lots.lot_id[row],
                buy_back_from=safe_to_buy(window.as_of),
            )
        )
    return sorted(found, key=lambda c: (-c.loss, c.account, c.symbol, c.acquired, c.row))


def as_sale(c: Candidate) -> LotSale:
    """The candidate as a sold lot."""
    return LotSale(
        row=c.row,
        account=c.account,
        symbol=c.symbol,
        lot_id=c.lot_id,
        acquired=c.acquired,
        quantity=c.quantity,
        unit_cost=c.unit_cost,
        price=c.price,
        term=c.term,
    )


def of_units(c: Candidate, units: float) -> Candidate:
    """The candidate with fewer units."""
    return replace(c, quantity=units, loss=units * (c.unit_cost - c.price))


def security_of(securities: Mapping[str, Security], symbol: str) -> Security:
    """What is known of a symbol."""
    return securities.get(symbol) or default_security(symbol)


def step_of(securities: Mapping[str, Security], symbol: str) -> float:
    """The step that partial sales and purchases of a symbol move in."""
    return security_of(securities, symbol).quantity_step


def floor_to(units: float, step: float) -> float:
    """The most whole steps in an amount; a hair below a step counts as the step."""
    return _clean(math.floor(units / step + 1e-9) * step)


def _clean(units: float) -> float:
    return round(units, 9)
