"""Losses worth taking: which lots, what the loss saves now, what is held instead, what forbids it.

A lot is harvested only where its loss counts: nothing identical was bought in the last 30 days in any account
of the return, of the spouse or in an IRA of either, and nothing of the harvest buys it back. The money goes
into the security's substitute of the same class, to the last whole step, so the weight of the class stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.gains import lot_gains
from xl_rebal.tax.harvest_candidates import (
    Candidate,
    HarvestRequest,
    Threshold,
    Verdict,
    as_sale,
    candidates_of,
    floor_to,
    of_units,
    step_of,
)
from xl_rebal.tax.harvest_replacements import with_replacements
from xl_rebal.tax.income_tax import added_tax, tax_of
from xl_rebal.tax.lot_methods import gains_of
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Reach
from xl_rebal.tax.wash_window import WashWindow, safe_to_buy

__all__ = [
    "Candidate",
    "Harvest",
    "HarvestRequest",
    "ReturnSaving",
    "Threshold",
    "Verdict",
    "harvest",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSaving:
    """What the harvest does to one tax return; it saves tax now and lowers the basis of what is held."""

    tax_return: str
    household: str
    loss: float
    tax_before: float
    tax_after: float
    deducted: float
    carry_short: float
    carry_long: float

    @property
    def saved_now(self) -> float:
        """Tax of this year that the losses save: mostly deferred to the sale of the replacement."""
        return self.tax_before - self.tax_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """All lots at a loss, the harvested ones first, and what they do to each tax return."""

    candidates: tuple[Candidate, ...]
    returns: tuple[ReturnSaving, ...]
    warnings: tuple[str, ...]

    @property
    def taken(self) -> tuple[Candidate, ...]:
        """The lots to sell."""
        return tuple(c for c in self.candidates if c.verdict is Verdict.HARVEST)


def harvest(
    lots: Lots, prices: Mapping[str, float], window: WashWindow, request: HarvestRequest
) -> Harvest:
    """Judge every lot at a loss in a taxable account. Raises TaxError for lots that cannot be judged."""
    taxable = np.array([window.who.is_taxable(a) for a in lots.account.tolist()], dtype=np.bool_)
    gains = lot_gains(lots.take(taxable), prices, window.as_of)
    rows = candidates_of(gains, np.flatnonzero(taxable).tolist(), request, window)
    rows = _judged(rows, lots, prices, window, request)
    rows = _up_to_goal(rows, request.goal, window.securities)
    rows = _replaced(rows, request.values, window.securities)
    rows, returns = _valued(rows, window, request.profiles)
    order = {verdict: place for place, verdict in enumerate(Verdict)}
    return Harvest(
        candidates=tuple(sorted(rows, key=lambda c: order[c.verdict])),
        returns=returns,
        warnings=tuple(_warnings(rows, window)),
    )


def _judged(
    rows: list[Candidate],
    lots: Lots,
    prices: Mapping[str, float],
    window: WashWindow,
    request: HarvestRequest,
) -> list[Candidate]:
    """Verdicts until none changes: what waits or is kept may be what replaces another lot's loss."""
    while True:
        before = [c.verdict for c in rows]
        rows = _whole_steps(rows, lots, window.securities)
        rows = [_washed(c, rows, window, request) for c in rows]
        rows = with_replacements(rows, prices, window, request)
        if [c.verdict for c in rows] == before:
            return rows


def _whole_steps(
    rows: list[Candidate], lots: Lots, securities: Mapping[str, Security]
) -> list[Candidate]:
    """A whole position goes to the last fraction; of a part whole steps are sold."""
    held: dict[tuple[str, str], float] = {}
    for account, symbol, units in zip(
        lots.account.tolist(), lots.symbol.tolist(), lots.quantity.tolist(), strict=True
    ):
        held[account, symbol] = held.get((account, symbol), 0.0) + units
    sold: dict[tuple[str, str], float] = {}
    for c in rows:
        if c.verdict is Verdict.HARVEST:
            sold[c.account, c.symbol] = sold.get((c.account, c.symbol), 0.0) + c.quantity
    result = []
    for c in rows:
        key = (c.account, c.symbol)
        whole = abs(sold.get(key, 0.0) - held[key]) <= 1e-6
        if c.verdict is Verdict.HARVEST and not whole:
            c = of_units(c, floor_to(c.quantity, step_of(securities, c.symbol)))
            if c.quantity == 0:
                c = replace(c, verdict=Verdict.SMALL, why="less than one step")
        result.append(c)
    return result


def _washed(
    c: Candidate,
    rows: Sequence[Candidate],
    window: WashWindow,
    request: HarvestRequest,
) -> Candidate:
    """Wait where a purchase of the last 30 days would replace what is sold."""
    if c.verdict is not Verdict.HARVEST:
        return c
    for purchase in window.replacing(c.symbol, c.account, row=c.row, acquired=c.acquired):
        gone = sum(
            other.quantity
            for other in rows
            if other.verdict is Verdict.HARVEST and other.row == purchase.row
        )
        if request.goal is None and gone >= purchase.quantity - 1e-9:
            continue  # sold by the same harvest, so it replaces nothing
        where = "" if purchase.account == c.account else f" in {purchase.account}"
        why = (
            f"{purchase.quantity:,.10g} {purchase.symbol} bought{where} on {purchase.date} would replace it: "
            f"safe from {purchase.safe_from}"
        )
        return replace(c, verdict=Verdict.WAIT, why=why)
    return c


def _up_to_goal(
    rows: list[Candidate], goal: float | None, securities: Mapping[str, Security]
) -> list[Candidate]:
    """Losses up to the goal, the last lot cut to whole steps."""
    if goal is None:
        return rows
    left = goal
    result = []
    for c in rows:
        if c.verdict is Verdict.HARVEST:
            cut = c
            if c.loss > left:
                units = floor_to(left * c.quantity / c.loss, step_of(securities, c.symbol))
                cut = of_units(c, units)
            if cut.quantity == 0:
                c = replace(c, verdict=Verdict.KEEP, why="the goal is met", replacement="")
            else:
                c = cut
                left -= c.loss
        result.append(c)
    return result


def _replaced(
    rows: list[Candidate], values: Mapping[str, float], securities: Mapping[str, Security]
) -> list[Candidate]:
    """What the proceeds buy: whole steps of all that goes into one replacement in one account."""
    spent: dict[tuple[str, str], tuple[float, float]] = {}
    result = []
    for c in rows:
        if c.verdict is Verdict.HARVEST:
            key = (c.account, c.replacement)
            money, units = spent.get(key, (0.0, 0.0))
            money += c.proceeds
            step = step_of(securities, c.replacement)
            total = floor_to(money / c.replacement_price, step)
            spent[key] = (money, total)
            value = values.get(c.account, 0.0)
            change = (total * c.replacement_price - money) / value if value else None
            c = replace(c, replacement_quantity=round(total - units, 9), class_change=change)
        result.append(c)
    return result


def _valued(
    rows: list[Candidate], window: WashWindow, profiles: Mapping[tuple[str, str], TaxProfile]
) -> tuple[list[Candidate], tuple[ReturnSaving, ...]]:
    """Tax value of each lot on top of those above it, and the sum of each return."""
    so_far: dict[tuple[str, str], Gains] = {}
    losses: dict[tuple[str, str], float] = {}
    result = []
    for c in rows:
        tax_return = window.who.return_of(c.account)
        key = (window.who.household_of(c.account), tax_return)
        profile = profiles.get(key)
        if c.verdict in (Verdict.HARVEST, Verdict.KEEP) and profile is not None:
            gains = gains_of((as_sale(c),), window.securities)
            before = so_far.get(key, Gains())
            c = replace(c, tax_value=-added_tax(profile, gains, on_top_of=before).total)
            if c.verdict is Verdict.HARVEST:
                so_far[key] = before + gains
                losses[key] = losses.get(key, 0.0) + c.loss
        result.append(c)
    savings = [
        _saving(house, name, losses[house, name], gains, profiles[house, name])
        for (house, name), gains in so_far.items()
    ]
    return result, tuple(savings)


def _saving(
    household: str, tax_return: str, loss: float, gains: Gains, profile: TaxProfile
) -> ReturnSaving:
    before, after = tax_of(profile), tax_of(profile, gains)
    return ReturnSaving(
        tax_return=tax_return,
        household=household,
        loss=loss,
        tax_before=before.total,
        tax_after=after.total,
        deducted=after.netted.deducted,
        carry_short=after.netted.carry_short,
        carry_long=after.netted.carry_long,
    )


def _warnings(rows: Sequence[Candidate], window: WashWindow) -> Iterator[str]:
    """What a person must see to: reinvested dividends, and other returns of the household."""
    for account, symbol in dict.fromkeys(
        (c.account, c.symbol) for c in rows if c.verdict is Verdict.HARVEST
    ):
        until = safe_to_buy(window.as_of)
        for other in window.reinvesting(symbol, account):
            yield (
                f"dividends of {symbol} are reinvested in {other}: turn that off until {until}, or the loss "
                f"in {account} is washed"
            )
        for purchase in window.purchases.get(window.key(account, symbol), ()):
            if window.who.reach(purchase.account, account) is Reach.WARN:
                yield (
                    f"{purchase.symbol} was bought on {purchase.date} in {purchase.account}, on another tax "
                    f"return of the household: make sure that it is not bought for the owner of {account}"
                )
