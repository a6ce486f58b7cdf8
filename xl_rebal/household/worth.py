"""What a draft is worth: the one objective, in dollars, with exact tax and the costs that are charged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import breaches
from xl_rebal.drift import drift_of
from xl_rebal.household.model import CHURN, LESS_GAIN
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.tax_pieces import TaxPieces, pieces_of, tax_value
from xl_rebal.tax.netting import Gains
from xl_rebal.trading.problem import cash_effect, trade_cost


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
        places = np.array([lot.pair for lot in problem.lots], dtype=np.int64)
        total = np.bincount(places, weights=self.sold, minlength=len(problem.pairs))
        return total.astype(np.float64)

    def signed(self, problem: HouseholdProblem) -> Vector:
        """(P,) units bought less sold, without dust."""
        return np.array(
            [float(f"{x:.12g}") for x in (self.bought - self.by_pair(problem)).tolist()]
        )


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
    short = long = coins = 0.0
    for j in np.flatnonzero(sold).tolist():
        lot = problem.lots[j]
        pair = problem.pairs[lot.pair]
        if problem.return_of[pair.account] != place:
            continue
        money = float(sold[j]) * pair.line.unit_value
        short += money * lot.short
        long += money * lot.long
        coins += money * lot.collectible
    return Gains(short=short, long=long, collectible=coins)


def all_pieces(problem: HouseholdProblem) -> tuple[TaxPieces, ...]:
    """The tax pieces of every return."""
    return tuple(pieces_of(r.profile, problem.request.harvest) for r in problem.returns)


def class_values(problem: HouseholdProblem, draft: Draft) -> tuple[Vector, Vector]:
    """(K,) money in each class and (A,) cash above the reserve after the trades, costs included."""
    value = problem.value.copy()
    cash = np.array([problem.spendable(a) for a in range(len(problem.accounts))])
    signed = draft.signed(problem)
    for p in np.flatnonzero(signed).tolist():
        pair = problem.pairs[p]
        effect = cash_effect(pair.line, float(signed[p]))
        cash[pair.account] += effect
        value[pair.line.klass] += float(signed[p]) * pair.line.unit_value
        value[problem.cash_index] += effect
    cash -= draft.raised
    value[problem.cash_index] -= draft.raised.sum()
    return value, cash


def penalty(problem: HouseholdProblem, k: int, value: float) -> float:
    """Dollars for a class's distance from what is wanted of it."""
    prices, aims = problem.request.prices, problem.aims
    result = 0.0
    for beyond, width in (
        (float(aims.inner_low[k]) - value, float(aims.inner_low[k] - aims.outer_low[k])),
        (value - float(aims.inner_high[k]), float(aims.outer_high[k] - aims.inner_high[k])),
    ):
        if beyond > 0:
            near = min(beyond, max(0.0, width))
            result += prices.drift * near + max(prices.breach, prices.drift) * (beyond - near)
    return result


def worth(problem: HouseholdProblem, draft: Draft, pieces: tuple[TaxPieces, ...]) -> Worth:
    """The objective of a draft."""
    prices = problem.request.prices
    value, _ = class_values(problem, draft)
    cost = location = 0.0
    tickets = 0
    signed = draft.signed(problem)
    for p in np.flatnonzero(signed).tolist():
        pair = problem.pairs[p]
        units = abs(float(signed[p]))
        money = units * pair.line.unit_value
        tickets += 1
        cost += trade_cost(pair.line, float(signed[p]))
        if signed[p] > 0:
            location += (pair.location + pair.rank + CHURN) * money
        elif pair.line.money_fund:
            location += CHURN * money
        else:
            location += (CHURN - pair.location - 0.1 * pair.rank) * money
    for j in np.flatnonzero(draft.sold).tolist():
        lot = problem.lots[j]
        money = float(draft.sold[j]) * problem.pairs[lot.pair].line.unit_value
        location += LESS_GAIN * max(lot.gain_rate, 0.0) * money
    return Worth(
        drift=math.fsum(penalty(problem, k, float(v)) for k, v in enumerate(value)),
        tax=math.fsum(
            tax_value(r.profile, gains_of(problem, draft.sold, i), pieces[i])
            for i, r in enumerate(problem.returns)
        ),
        cost=cost,
        location=location,
        tickets=prices.ticket * tickets,
    )


def breached(problem: HouseholdProblem, value: Vector) -> NDArray[np.int8]:
    """(K,) +1 above, -1 below its band, 0 within, at these values."""
    drift = drift_of(problem.drift.targets, problem.drift.accounts, problem.classes, value[None, :])
    result: NDArray[np.int8] = breaches(
        drift, problem.widths, beyond=problem.request.policy.beyond
    )[0]
    return result
