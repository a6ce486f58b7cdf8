"""Why each trade is made, why this lot and not another, and what each limit costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xl_rebal.household.comparison import drift_left
from xl_rebal.household.limits import limits_of
from xl_rebal.household.plan import Approach, LimitPrice, LotSale, Saving
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.worth import gains_of
from xl_rebal.portfolio import classes
from xl_rebal.tax.income_tax import added_tax

_ALTERNATIVES = 2
_SMALLEST = 0.01  # dollars
_MORE_CASH = 1_000.0


def trade_reason(problem: HouseholdProblem, p: int, signed: float) -> str:
    """Why a security is bought or sold in this account."""
    pair = problem.pairs[p]
    name = problem.classes[pair.line.klass]
    account = problem.accounts[pair.account]
    kind = account.type or "taxable"
    drift = float(problem.drift.drift[0, pair.line.klass])
    stands = f"{name} is {abs(drift) * 100:.2f} pp {'above' if drift > 0 else 'below'} target"
    if signed > 0:
        where = (
            f"bought here, where its income is not taxed ({kind})"
            if not pair.taxable and _taxed_income(name)
            else f"paid from this account's own cash and sales ({kind})"
        )
        if pair.line.replaces:
            return f"replaces what must not be held; {where}"
        if drift > 0:
            return f"takes the place of other {name} that is sold; {where}"
        return f"{stands}; {where}"
    if pair.line.must_sell:
        return f"must not be held ({pair.line.blocked})"
    if not pair.taxable:
        return f"{stands}; sold here, where gains are not taxed ({kind})"
    return f"{stands}; sold here from the lots that cost least tax"


def _taxed_income(name: str) -> bool:
    return classes.covers("Bonds", name) or classes.covers("Real Estate", name)


def lot_tax(problem: HouseholdProblem, j: int, sold: Vector) -> float:
    """What a lot adds to the tax of its return, given all others that are sold."""
    place = int(problem.return_of_lot[j])
    alone = np.zeros(len(sold))
    alone[j] = sold[j]
    others = gains_of(problem, sold - alone, place)
    gains = gains_of(problem, alone, place)
    return added_tax(problem.returns[place].profile, gains, on_top_of=others).total


def joined_sale(replaced: LotSale, counting: LotSale) -> LotSale:
    """Two parts of a lot as one: units that are replaced, and units whose loss counts."""
    tax = None if counting.tax is None else (replaced.tax or 0.0) + counting.tax
    proceeds, basis = replaced.proceeds + counting.proceeds, replaced.basis + counting.basis
    return replace(
        counting,
        quantity=float(f"{replaced.quantity + counting.quantity:.12g}"),
        proceeds=proceeds,
        basis=basis,
        gain=proceeds - basis,
        disallowed=replaced.disallowed + counting.disallowed,
        tax=tax,
    )


def with_replaced(sale: LotSale) -> LotSale:
    """A sale that says how much of its loss does not count, where reasons are given."""
    if not sale.because:
        return sale
    away = (
        f"{sale.disallowed:,.2f} of the loss moves into the basis of what was bought within 30 days"
    )
    return replace(sale, because=f"{sale.because}; {away}")


def lot_reason(problem: HouseholdProblem, j: int, sold: Vector, rates: Vector) -> str:
    """Why this lot: what it realises, and which others of its class were left alone.

    rates  (n,) tax in dollars for each dollar sold of each lot, at the margin of the plan.
    """
    lot = problem.lots[j]
    klass = problem.pairs[lot.pair].line.klass
    if lot.disallowed:
        first = f"a loss of {lot.disallowed * 100:.1f}% of what it is worth, which does not count"
    elif lot.gain_rate < 0:
        first = f"a loss of {-lot.gain_rate * 100:.1f}% of what it is worth"
    else:
        first = f"a gain of {lot.gain_rate * 100:.1f}% of what it is worth"
    others = [
        i
        for p, pair in enumerate(problem.pairs)
        if pair.line.klass == klass and pair.taxable
        for i in problem.lots_of(p)
        if i != j and rates[i] >= rates[j] and sold[i] < problem.lots[i].quantity * (1 - 1e-9)
    ]
    others.sort(key=lambda i: (rates[i], i))
    if not others:
        return first
    told = "; ".join(_alternative(problem, i, float(rates[i])) for i in others[:_ALTERNATIVES])
    return f"{first}; left alone: {told}"


def _alternative(problem: HouseholdProblem, j: int, rate: float) -> str:
    lot = problem.lots[j]
    pair = problem.pairs[lot.pair]
    account = problem.accounts[pair.account].account
    return (
        f"{pair.line.symbol} of {lot.acquired} in {account} "
        f"({lot.gain_rate * 100:+.1f}%, {rate * 100:.1f} cents of tax a dollar)"
    )


def limit_prices(search: Search, relaxed: Relaxed) -> tuple[LimitPrice, ...]:
    """What each limit that binds costs: the plan in fractions once more without it."""
    optimum, model = relaxed.optimum, search.model
    value = relaxed_value(search, relaxed)
    now = drift_left(model.problem, value)
    result = []
    for limit in limits_of(model):
        binds = any(abs(optimum.row_dual[row]) > 1e-9 for row in limit.rows) or any(
            abs(optimum.column_dual[column]) > 1e-9 for column, _ in (*limit.lower, *limit.upper)
        )
        if not binds:
            continue
        if limit.cash:
            worth = float(optimum.row_dual[limit.rows[0]]) * _MORE_CASH
            if worth >= _SMALLEST:
                words = f"{limit.words}, for each {_MORE_CASH:,.0f} more"
                result.append(LimitPrice(words=words, dollars=worth, drift=0.0))
            continue
        without = search.run([limit])
        if without is None or optimum.value - without.optimum.value < _SMALLEST:
            continue
        result.append(
            LimitPrice(
                words=limit.words,
                dollars=optimum.value - without.optimum.value,
                drift=now - drift_left(model.problem, relaxed_value(search, without)),
            )
        )
    return tuple(sorted(result, key=lambda price: -price.dollars))


def relaxed_value(search: Search, relaxed: Relaxed) -> Vector:
    """(K,) class values of a plan in fractions."""
    problem, model = search.model.problem, search.model
    pair, of = problem.pair, problem.lot.pair
    sold, bought = relaxed.optimum.x[model.sell], relaxed.optimum.x[model.buy]
    count = len(problem.classes)
    value = problem.value + np.bincount(pair.klass, bought, minlength=count)
    value -= np.bincount(pair.klass[of], sold, minlength=count)
    value[problem.cash_index] += sold.sum() - bought.sum() - problem.request.to_raise
    return np.asarray(value)


def saving(ours: Approach, other: Approach) -> Saving:
    """What is saved this year against another approach, deferral and permanent saving apart."""
    permanent = ours.for_good - other.for_good
    return Saving(deferred=other.tax_now - ours.tax_now - permanent, permanent=permanent)
