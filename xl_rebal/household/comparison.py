"""What other ways to rebalance the same household would cost: the lots, taxes and drifts of each.

They are worked out in fractions of shares, with the same securities and the same exact tax. What must not
be held is sold in all of them, and its class bought back with what may be. Money that leaves the
household is taken from the accounts that ours takes it from, and each account's own sales pay it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from xl_rebal.household.plan import Approach
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.worth import Draft, added_gains
from xl_rebal.tax.income_tax import added_tax, marginal_rates, tax_of

LotOrder = Callable[[int], tuple[float, ...]]


class Way(StrEnum):
    """The approaches that ours is compared with."""

    NAIVE = "naive"
    BY_ACCOUNT = "account by account"
    HIFO = "HIFO, losses first"


_WORDS = {
    Way.NAIVE: "sells what is overweight in the taxable accounts first, oldest lots first",
    Way.BY_ACCOUNT: "brings every account by itself to the same weights, oldest lots first",
    Way.HIFO: "sells what is overweight in every account alike, losses first, then the highest cost",
}


def compared(problem: HouseholdProblem, ours: Draft, value: Vector) -> tuple[Approach, ...]:
    """Ours and the others; those end at the class values `value` where their accounts allow it."""
    others = (approach(problem, way, *draft_of(problem, way, ours, value)) for way in Way)
    words = "chooses lot, account and purchase together"
    return (*others, _measured(problem, "ours", ours, value, words))


def approach(problem: HouseholdProblem, way: Way, draft: Draft, value: Vector) -> Approach:
    """One of the others, measured."""
    return _measured(problem, way.value, draft, value, _WORDS[way])


def draft_of(
    problem: HouseholdProblem, way: Way, ours: Draft, value: Vector
) -> tuple[Draft, Vector]:
    """The trades of an approach in fractions of shares, and the class values that they leave.

    ours   the plan whose withdrawals it makes too.
    value  (K,) class values to end at.
    """
    sold, bought = np.zeros(len(problem.lots)), np.zeros(len(problem.pairs))
    held = _held(problem)
    fixed = problem.value - held.sum(axis=0)  # held away, or not for sale
    left = np.maximum(value - fixed, 0.0)
    held[:, problem.cash_index] -= ours.raised
    if way is Way.BY_ACCOUNT:
        weights = left / left.sum() if left.sum() > 0 else left
        change = weights[None, :] * held.sum(axis=1, keepdims=True) - held
    else:
        first = _paying(problem, held)
        then = _changes(problem, held + first, left, taxable_first=way is Way.NAIVE)
        change = first + then
    freed = _freed(problem, sold)
    change += freed
    order = _by_cost(problem) if way is Way.HIFO else _by_age(problem)
    for a in range(len(problem.accounts)):
        got = float(held[a, problem.cash_index]) + float(freed[a].sum())
        for k in np.flatnonzero(change[a] < 0).tolist():
            if k != problem.cash_index:
                got += _sell(problem, a, k, -float(change[a, k]), order, sold)
        wanted = {
            k: float(change[a, k])
            for k in np.flatnonzero(change[a] > 0).tolist()
            if k != problem.cash_index
        }
        total = sum(wanted.values())
        share = min(1.0, max(0.0, got) / total) if total > 0 else 0.0
        for k, money in wanted.items():
            _buy(problem, a, k, money * share, bought)
    draft = Draft(sold=sold, bought=bought, raised=ours.raised)
    after = problem.value.copy()
    signed = draft.signed(problem)
    for p in np.flatnonzero(signed).tolist():
        line = problem.pairs[p].line
        money = float(signed[p]) * line.unit_value
        after[line.klass] += money
        after[problem.cash_index] -= money
    after[problem.cash_index] -= problem.request.to_raise
    return draft, after


def _freed(problem: HouseholdProblem, sold: Vector) -> Vector:
    """(A, K) money of what must not be held, all of which is sold."""
    freed = np.zeros((len(problem.accounts), len(problem.classes)))
    for j, lot in enumerate(problem.lots):
        pair = problem.pairs[lot.pair]
        if pair.line.must_sell and pair.line.can_sell:
            sold[j] = lot.quantity
            freed[pair.account, pair.line.klass] += lot.quantity * pair.line.unit_value
    return freed


def _paying(problem: HouseholdProblem, held: Vector) -> Vector:
    """(A, K) what accounts sell, of everything alike, to pay what their cash does not."""
    cash = problem.cash_index
    change = np.zeros_like(held)
    for a in range(len(held)):
        short, there = -float(held[a, cash]), np.maximum(held[a], 0.0)
        there[cash] = 0.0
        if short > 0 and there.sum() > 0:
            change[a] = -there * min(1.0, short / there.sum())
            change[a, cash] = -change[a].sum()
    return change


def _held(problem: HouseholdProblem) -> Vector:
    """(A, K) what each account may trade of each class; cash less the reserve."""
    held = np.zeros((len(problem.accounts), len(problem.classes)))
    for lot in problem.lots:
        pair = problem.pairs[lot.pair]
        held[pair.account, pair.line.klass] += lot.quantity * pair.line.unit_value
    for a, account in enumerate(problem.accounts):
        if not account.held_away:
            held[a, problem.cash_index] += problem.spendable(a)
    return held


def _changes(
    problem: HouseholdProblem, held: Vector, value: Vector, *, taxable_first: bool
) -> Vector:
    """(A, K) changes: what is overweight sold in every account alike, or in taxable ones first; what
    each account gets is spent on what the household is short of.
    """
    now = held.sum(axis=0)
    change = np.zeros_like(held)
    over = np.maximum(now - value, 0.0)
    if taxable_first:
        taxable = np.array([place >= 0 for place in problem.return_of])
        for rows in (taxable, ~taxable):
            there = held[rows].sum(axis=0)
            take = np.minimum(over, there)
            share = np.divide(take, there, out=np.zeros_like(take), where=there > 0)
            change[rows] -= held[rows] * share[None, :]
            over = over - take
    else:
        share = np.divide(over, now, out=np.zeros_like(over), where=now > 0)
        change -= held * share[None, :]
    need = np.maximum(value - now, 0.0)
    if need.sum() > 0:
        change += -change.sum(axis=1)[:, None] * (need / need.sum())[None, :]
    return change


def _by_age(problem: HouseholdProblem) -> LotOrder:
    start = problem.request.as_of

    def key(j: int) -> tuple[float, ...]:
        return (float((problem.lots[j].acquired or start).toordinal()), float(j))

    return key


def _by_cost(problem: HouseholdProblem) -> LotOrder:
    def key(j: int) -> tuple[float, ...]:
        return (problem.lots[j].gain_rate, float(j))

    return key


def _sell(
    problem: HouseholdProblem, a: int, k: int, money: float, order: LotOrder, sold: Vector
) -> float:
    lots = [
        j
        for j, lot in enumerate(problem.lots)
        if problem.pairs[lot.pair].account == a
        and problem.pairs[lot.pair].line.klass == k
        and problem.pairs[lot.pair].line.can_sell
    ]
    left = money
    for j in sorted(lots, key=order):
        unit_value = problem.pairs[problem.lots[j].pair].line.unit_value
        take = min(left / unit_value, problem.lots[j].quantity - float(sold[j]))
        sold[j] += take
        left -= take * unit_value
        if left <= 0:
            break
    return money - left


def _buy(problem: HouseholdProblem, a: int, k: int, money: float, bought: Vector) -> None:
    able = [
        (pair.rank, pair.line.quantity <= 0, p)
        for p, pair in enumerate(problem.pairs)
        if pair.account == a and pair.line.klass == k and not pair.no_buy
    ]
    if able and money > 0:
        p = min(able)[2]
        bought[p] += money / problem.pairs[p].line.unit_value


def _measured(
    problem: HouseholdProblem, name: str, draft: Draft, value: Vector, words: str
) -> Approach:
    tax = loss = for_good = 0.0
    for place, each in enumerate(problem.returns):
        gains = added_gains(problem, draft, place)
        added, before = added_tax(each.profile, gains), tax_of(each.profile).netted
        tax += added.total
        loss += added.netted.carry_short + added.netted.carry_long
        loss -= before.carry_short + before.carry_long
        rates = marginal_rates(each.profile)
        more = max(0.0, added.netted.deducted - before.deducted)
        for_good += more * max(0.0, rates.ordinary - rates.long)
    deferred = sum(
        (lot.quantity - float(draft.sold[j]))
        * (problem.pairs[lot.pair].line.unit_value - lot.unit_cost)
        for j, lot in enumerate(problem.lots)
        if problem.pairs[lot.pair].taxable
    )
    cost = float(problem.pair.costs_of(draft.signed(problem)).sum())
    return Approach(
        name=name,
        tax_now=tax,
        deferred=deferred,
        loss_left=loss,
        drift=drift_left(problem, value),
        cost=cost,
        for_good=for_good,
        in_words=words,
    )


def drift_left(problem: HouseholdProblem, value: Vector) -> float:
    """Half the sum of |value - target| as a fraction of the base."""
    base = float(value.sum())
    target = problem.drift.target * base
    return float(np.abs(value - target).sum() / 2 / base)
