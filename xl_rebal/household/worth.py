"""What a draft is worth: the one objective, in dollars, with exact tax and the costs that are charged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import breaches
from xl_rebal.drift import drift_of
from xl_rebal.household.columns import Places
from xl_rebal.household.model import CHURN, LESS_GAIN
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.tax_pieces import tax_value
from xl_rebal.tax.netting import Gains


@dataclass(slots=True)
class Draft:
    """Units that a plan sells of each lot and buys of each pair, and money it takes out for the cash need.

    sold (n,), bought (P,), raised (A,)
    """

    sold: Vector
    bought: Vector
    raised: Vector

    def by_pair(self, problem: HouseholdProblem) -> Vector:
        """(P,) units sold of each pair."""
        pairs = problem.lot.pair
        total = np.bincount(pairs, weights=self.sold, minlength=len(problem.pairs))
        return total.astype(np.float64, copy=False)

    def signed(self, problem: HouseholdProblem) -> Vector:
        """(P,) units bought less sold, without dust."""
        return without_dust(self.bought - self.by_pair(problem))


def without_dust(units: Vector) -> Vector:
    """Units on twelve significant digits: what sums of steps leave in the sixteenth is nothing."""
    parts = np.flatnonzero(units != np.floor(units))  # a whole number has none
    if not len(parts):
        return units
    result = units.copy()
    result[parts] = [float(f"{x:.12g}") for x in units[parts].tolist()]
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """The objective of a draft and its parts, in dollars; less is better."""

    drift: float
    tax: float
    cost: float
    location: float
    tickets: float

    @property
    def total(self) -> float:
        """The objective."""
        return self.drift + self.tax + self.cost + self.location + self.tickets


def no_trades(problem: HouseholdProblem) -> Draft:
    """The draft that does nothing."""
    return Draft(
        sold=np.zeros(len(problem.lots)),
        bought=np.zeros(len(problem.pairs)),
        raised=np.zeros(len(problem.accounts)),
    )


def gains_of(problem: HouseholdProblem, sold: Vector, place: int) -> Gains:
    """What a return realises when these units of the lots are sold."""
    lot = problem.lot
    mine = np.flatnonzero((problem.return_of_lot == place) & (sold != 0))
    money = sold[mine] * problem.pair.unit_value[lot.pair[mine]]
    return Gains(
        short=float(money @ lot.short[mine]),
        long=float(money @ lot.long[mine]),
        collectible=float(money @ lot.collectible[mine]),
    )


def added_gains(problem: HouseholdProblem, draft: Draft, place: int) -> Gains:
    """What a return realises by a draft, with the income that its withdrawals are."""
    income = sum(
        float(draft.raised[a]) for a, other in enumerate(problem.income_of) if other == place
    )
    return replace(gains_of(problem, draft.sold, place), ordinary=income)


def class_values(problem: HouseholdProblem, draft: Draft) -> tuple[Vector, Vector]:
    """(K,) money in each class and (A,) cash above the reserve after the trades, costs included."""
    pair, signed = problem.pair, draft.signed(problem)
    effect = pair.effects_of(signed)
    moved = np.bincount(pair.klass, signed * pair.unit_value, minlength=len(problem.classes))
    by_account = np.bincount(pair.account, effect, minlength=len(problem.accounts))
    value = problem.value + moved
    value[problem.cash_index] += effect.sum() - draft.raised.sum()
    return value, problem.spendable_of + by_account - draft.raised


def penalties(problem: HouseholdProblem, klass: Places, value: Vector) -> Vector:
    """Dollars for each class's distance from what is wanted of it, at these values."""
    prices, aims = problem.request.prices, problem.aims
    low, high = aims.inner_low[klass], aims.inner_high[klass]
    under, over = np.maximum(low - value, 0.0), np.maximum(value - high, 0.0)
    near = np.minimum(under, np.maximum(low - aims.outer_low[klass], 0.0))
    near += np.minimum(over, np.maximum(aims.outer_high[klass] - high, 0.0))
    dear = max(prices.breach, prices.drift)
    return np.asarray(prices.drift * near + dear * (under + over - near))


def penalty(problem: HouseholdProblem, k: int, value: float) -> float:
    """`penalties` of one class."""
    prices, aims = problem.request.prices, problem.aims
    low, high = float(aims.inner_low[k]), float(aims.inner_high[k])
    if value < low:
        beyond, width = low - value, low - float(aims.outer_low[k])
    elif value > high:
        beyond, width = value - high, float(aims.outer_high[k]) - high
    else:
        return 0.0
    near = min(beyond, max(0.0, width))
    return prices.drift * near + max(prices.breach, prices.drift) * (beyond - near)


def preferences(problem: HouseholdProblem, signed: Vector) -> Vector:
    """(P,) dollars that location and rank add to trading so many units."""
    pair = problem.pair
    rate = np.where(signed > 0, pair.location + pair.rank, pair.location + 0.1 * pair.rank)
    rate = np.where((signed < 0) & pair.money_fund, 0.0, rate)
    return np.asarray((CHURN * np.abs(signed) + rate * signed) * pair.unit_value)


def worth(problem: HouseholdProblem, draft: Draft, value: Vector | None = None) -> Worth:
    """The objective of a draft; `value` are the class values that it leaves, where they are known."""
    pair, signed = problem.pair, draft.signed(problem)
    if value is None:
        value, _ = class_values(problem, draft)
    lot = problem.lot
    money = draft.sold * pair.unit_value[lot.pair]
    location = float(preferences(problem, signed).sum())
    location += LESS_GAIN * float(np.maximum(lot.gain_rate, 0.0) @ money)
    for a in np.flatnonzero(draft.raised).tolist():
        location += problem.draw_price(a) * float(draft.raised[a])
    everything = np.arange(len(problem.classes))
    return Worth(
        drift=float(penalties(problem, everything, value).sum()),
        tax=math.fsum(
            tax_value(r.profile, added_gains(problem, draft, i), r.pieces)
            for i, r in enumerate(problem.returns)
        ),
        cost=float(pair.costs_of(signed).sum()),
        location=location,
        tickets=problem.request.prices.ticket * int(np.count_nonzero(signed)),
    )


def breached(problem: HouseholdProblem, value: Vector) -> NDArray[np.int8]:
    """(K,) +1 above, -1 below its band, 0 within, at these values."""
    drift = drift_of(problem.drift.targets, problem.drift.accounts, problem.classes, value[None, :])
    result: NDArray[np.int8] = breaches(
        drift, problem.widths, beyond=problem.request.policy.beyond
    )[0]
    return result
