"""The tax of one return as straight pieces: what each dollar of net gain costs, one after the other.

A return is in one of four cases after netting, and within one the tax is convex:
gains (short and long both 0 or more), short loss against long gain, long loss against short gain, net loss.
Across cases it is not (a long loss against a short gain saves more than a long gain costs), so a plan is
looked for in each. Where income decides the rates, long-term gains are taken to stack on income without
the plan's short-term gains: at or below the true tax, so a bound stays a bound; plans are valued exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from xl_rebal.tax.income_tax import NOTHING, Tax, tax_of
from xl_rebal.tax.law import StatusLaw, YearLaw
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile


class Case(StrEnum):
    """How gains and losses of a return net."""

    GAINS = "gains"
    SHORT_LOSS = "short loss"
    LONG_LOSS = "long loss"
    NET_LOSS = "net loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPieces:
    """Rates and widths (dollars) of the pieces, in order.

    short, long  of net short-term and net long-term gain: (rate, width).
    over         rate on net gain beyond `room` (net investment income tax).
    at_28        what a collectible costs beyond a long-term gain, at least.
    deducted     what a dollar of net loss saves this year, up to `limit`.
    carried      what a dollar of loss carried on is worth, up to `kept`: what came in or was asked for.
    bare         tax of the year without any gains and losses.
    income       (rate, width) of ordinary income that the plan adds.
    """

    short: tuple[tuple[float, float], ...]
    long: tuple[tuple[float, float], ...]
    over: float
    room: float
    at_28: float
    deducted: float
    limit: float
    carried: float
    kept: float
    bare: float
    income: tuple[tuple[float, float], ...]


def pieces_of(
    profile: TaxProfile,
    harvest: float,
    withdrawal: float = 0.0,
    gains: float = math.inf,
    coins: float = math.inf,
) -> TaxPieces:
    """The pieces of a profile; `harvest` is the loss that was asked for, `withdrawal` the most that may
    become ordinary income, `gains` the most that may be gained, `coins` the most of it in collectibles.
    """
    flat = profile.state + (profile.niit or 0.0)
    over, room = 0.0, math.inf
    if profile.niit is None:
        assert profile.magi is not None  # a profile is born with it when rates are to be worked out
        over = profile.law.niit_rate
        room = max(0.0, profile.status_law.niit_threshold - profile.magi)
    short: tuple[tuple[float, float], ...]
    long: tuple[tuple[float, float], ...]
    income: tuple[tuple[float, float], ...]
    if profile.ordinary is not None and profile.long_term is not None:
        short = ((profile.ordinary + flat, math.inf),)
        long = ((profile.long_term + flat, math.inf),)
        at_28 = min(profile.nearest_law.collectible_rate, profile.ordinary) - profile.long_term
        deducted = profile.ordinary
        long_now = profile.long_term
        income = ((profile.ordinary + profile.state, math.inf),)
    else:
        short, long, at_28, deducted, long_now = _by_law(profile, flat, gains + withdrawal, coins)
        income = _income_pieces(profile)
        # A loss is deducted from the last dollars of income: at most at the rate on top of all of it.
        deducted = max(deducted, _rate_at(profile, withdrawal)) if withdrawal else deducted
    carried = long_now + flat + (over if room == 0.0 else 0.0)
    start = profile.ytd_short + profile.ytd_long - profile.carry_short - profile.carry_long
    return TaxPieces(
        short=short,
        long=long,
        over=over,
        room=room,
        at_28=max(0.0, at_28),
        deducted=deducted + profile.state,
        limit=profile.loss_limit,
        carried=carried,
        kept=max(0.0, harvest - start - profile.loss_limit),
        bare=_without(profile).total,
        income=income,
    )


def _by_law(
    profile: TaxProfile, flat: float, reach: float, coins: float
) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...], float, float, float]:
    law, status = profile.law, profile.status_law
    assert profile.magi is not None  # a profile is born with it when rates are to be worked out
    income = profile.magi - status.deduction
    short = _pieces(law.ordinary_rates, status.tops, income, flat)
    long = _pieces(law.long_term_rates, status.long_term_tops, income, flat)
    here = next(
        rate
        for rate, top in zip(law.ordinary_rates, status.tops, strict=True)
        if max(income, 0.0) <= top
    )
    long_now = next(
        rate
        for rate, top in zip(law.long_term_rates, status.long_term_tops, strict=True)
        if max(income, 0.0) < top
    )
    at_28 = _least_at_28(law, status, income, reach + max(0.0, profile.ytd_short), coins)
    return short, long, at_28, here if income > 0 else 0.0, long_now


def _least_at_28(
    law: YearLaw, status: StatusLaw, income: float, reach: float, coins: float
) -> float:
    """What a dollar of collectibles costs beyond a long-term gain when up to `coins` of them come on top of
    an income: the least average, so that it is never more than they cost.

    Up to the top of the 24% bracket collectibles take the room of long-term gains; above they do not, and
    the long-term gain that is dearest within `reach` is what they are held against.
    Worked (2026, joint, taxable income 300,000, reach 200,000): 24% against 15%, then 28% against 15%: 9%.
    """
    top_24 = status.tops[law.ordinary_rates.index(0.24)]
    dearest = _above(law.long_term_rates, status.long_term_tops, max(income, 0.0) + reach)
    tops = (*status.tops, *status.long_term_tops, *([0.0] if income < 0 else []))
    ends = sorted({top for top in tops if income < top < income + coins} | {income + coins})
    least, total, level = math.inf, 0.0, income
    for end in ends:
        rate = 0.0
        if level >= top_24:
            rate = law.collectible_rate - dearest
        elif level >= 0:
            rate = _above(law.ordinary_rates, status.tops, level)
            rate -= _above(law.long_term_rates, status.long_term_tops, level)
        if not math.isfinite(end):
            return min(least, rate)
        total += rate * (end - level)
        least = min(least, total / (end - income) if end > income else rate)
        level = end
    return least


def _above(rates: tuple[float, ...], tops: tuple[float, ...], income: float) -> float:
    """The rate on the next dollar above an income."""
    return next((rate for rate, top in zip(rates, tops, strict=True) if income < top), rates[-1])


def _income_pieces(profile: TaxProfile) -> tuple[tuple[float, float], ...]:
    """The brackets above the income of a profile, and the state's rate."""
    assert profile.magi is not None  # a profile is born with it when rates are to be worked out
    income = profile.magi - profile.status_law.deduction
    return _pieces(profile.law.ordinary_rates, profile.status_law.tops, income, profile.state)


def _rate_at(profile: TaxProfile, more: float) -> float:
    """The ordinary rate of a profile on the last of `more` dollars of income."""
    assert profile.magi is not None  # a profile is born with it when rates are to be worked out
    income = max(0.0, profile.magi + more - profile.status_law.deduction)
    brackets = zip(profile.law.ordinary_rates, profile.status_law.tops, strict=True)
    return next(rate for rate, top in brackets if income <= top)


def _pieces(
    rates: tuple[float, ...], tops: tuple[float, ...], income: float, flat: float
) -> tuple[tuple[float, float], ...]:
    """The brackets above an income; what is missing to an income of 0 is free of income tax."""
    result = [(flat, -income)] if income < 0 else []
    lower = max(income, 0.0)
    for rate, top in zip(rates, tops, strict=True):
        if top > lower:
            result.append((rate + flat, top - lower))
            lower = top
    return tuple(result)


def quick_tax(pieces: TaxPieces, short: float, long: float) -> float:
    """`tax_value` by the pieces, collectibles left out; gains include the year so far and what came in."""
    net = short + long
    if net < 0:
        left = min(-net - min(-net, pieces.limit), pieces.kept)
        return -pieces.deducted * min(-net, pieces.limit) - pieces.carried * left
    net_short = max(0.0, min(short, net))
    net_long = net - net_short
    tax = pieces.over * max(0.0, net - pieces.room) if pieces.over else 0.0
    for amount, parts in ((net_short, pieces.short), (net_long, pieces.long)):
        for rate, width in parts:
            if amount <= 0:
                break
            tax += rate * min(amount, width)
            amount -= width
    return tax


def tax_value(profile: TaxProfile, gains: Gains, pieces: TaxPieces) -> float:
    """The exact tax of the year with these gains beyond a year without any, less what a loss carried on
    is worth: what plans are compared by.
    """
    tax = tax_of(profile, gains)
    carried = tax.netted.carry_short + tax.netted.carry_long
    return tax.total - pieces.bare - pieces.carried * min(carried, pieces.kept)


def _without(profile: TaxProfile) -> Tax:
    bare = replace(profile, ytd_short=0.0, ytd_long=0.0, carry_short=0.0, carry_long=0.0)
    return tax_of(bare, NOTHING)
