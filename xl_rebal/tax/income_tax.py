"""The tax that a return owes, what an amount of gains adds to it, and the rates at the margin.

Federal tax on gains follows the Schedule D Tax Worksheet: long-term gains stack on top of other income,
collectibles (28% gains) are taxed at ordinary rates up to the 24% bracket and at 28% above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xl_rebal.tax.law import StatusLaw, YearLaw
from xl_rebal.tax.netting import Gains, Netted, net
from xl_rebal.tax.profiles import TaxProfile

NOTHING = Gains()


class GainKind(StrEnum):
    """The fields of `Gains`, as a choice."""

    SHORT = "short"
    LONG = "long"
    COLLECTIBLE = "collectible"
    SECTION_1256 = "section_1256"
    ORDINARY = "ordinary"

    def of(self, amount: float) -> Gains:
        """An amount of this kind."""
        return Gains(
            short=amount if self is GainKind.SHORT else 0.0,
            long=amount if self is GainKind.LONG else 0.0,
            collectible=amount if self is GainKind.COLLECTIBLE else 0.0,
            section_1256=amount if self is GainKind.SECTION_1256 else 0.0,
            ordinary=amount if self is GainKind.ORDINARY else 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A tax in dollars, and what netting left; as a difference, how much more (negative: less)."""

    income: float
    niit: float
    state: float
    netted: Netted

    @property
    def total(self) -> float:
        """Federal income tax, net investment income tax and state tax together."""
        return self.income + self.niit + self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the next dollar of each kind costs, all taxes together, as fractions."""

    short: float
    long: float
    collectible: float
    ordinary: float


def netted(profile: TaxProfile, gains: Gains = NOTHING) -> Netted:
    """The gains of the year so far, `gains` and the carry-forwards of a profile, netted."""
    year = gains + Gains(short=profile.ytd_short, long=profile.ytd_long)
    income = float("inf")
    if profile.magi is not None and profile.rates_by_law:
        income = profile.magi + gains.ordinary - profile.status_law.deduction
    return net(
        year,
        carry_short=profile.carry_short,
        carry_long=profile.carry_long,
        loss_limit=profile.loss_limit,
        taxable_income=income,
    )


def tax_of(profile: TaxProfile, gains: Gains = NOTHING) -> Tax:
    """The tax of the year with `gains` on top of what is realised so far.

    By brackets it includes the tax on the profile's other income; with stated rates only the tax on
    gains and `gains.ordinary`. Differences of two such taxes are what matters: see `added_tax`.
    """
    after = netted(profile, gains)
    other = gains.ordinary - after.deducted
    gain = after.short + after.long
    return Tax(
        income=_income_tax(profile, after, gains.ordinary),
        niit=_niit(profile, after, gains.ordinary),
        state=profile.state * (gain + other),
        netted=after,
    )


def added_tax(profile: TaxProfile, gains: Gains, *, on_top_of: Gains = NOTHING) -> Tax:
    """How much more tax `gains` cause (negative: less), on top of what else a plan realises."""
    before, after = tax_of(profile, on_top_of), tax_of(profile, on_top_of + gains)
    return Tax(
        income=after.income - before.income,
        niit=after.niit - before.niit,
        state=after.state - before.state,
        netted=after.netted,
    )


def marginal_rates(profile: TaxProfile, gains: Gains = NOTHING) -> Rates:
    """What the next dollar of gain of each kind costs, on top of `gains`; fractions."""
    return Rates(
        short=added_tax(profile, Gains(short=1.0), on_top_of=gains).total,
        long=added_tax(profile, Gains(long=1.0), on_top_of=gains).total,
        collectible=added_tax(profile, Gains(collectible=1.0), on_top_of=gains).total,
        ordinary=added_tax(profile, Gains(ordinary=1.0), on_top_of=gains).total,
    )


def _income_tax(profile: TaxProfile, after: Netted, ordinary: float) -> float:
    """Federal income tax: of the whole year by brackets, of the gains alone at stated rates."""
    if profile.ordinary is not None and profile.long_term is not None:
        at_28 = min(profile.nearest_law.collectible_rate, profile.ordinary)
        return (
            profile.ordinary * (after.short + ordinary - after.deducted)
            + profile.long_term * (after.long - after.collectible)
            + at_28 * after.collectible
        )
    assert profile.magi is not None  # TaxProfile is born with it when rates are to be worked out
    law, status = profile.law, profile.status_law
    other = profile.magi + ordinary - status.deduction + after.short - after.deducted
    taxable = max(0.0, other + after.long)
    return _schedule_d(taxable, min(after.long, taxable), after.collectible, law, status)


def _schedule_d(
    taxable: float, long: float, collectible: float, law: YearLaw, status: StatusLaw
) -> float:
    """Schedule D Tax Worksheet without unrecaptured section 1250 gain and qualified dividends.

    taxable      taxable income, `long` included.
    long         net capital gain, at most `taxable`.
    collectible  its 28% part.
    """
    at_28 = min(collectible, long)
    preferred = long - at_28  # taxed at 0, 15 or 20%
    below = taxable - preferred  # what those gains stack on (line 14)
    other = taxable - long
    # Collectibles that still fit under the top of the 24% bracket are taxed as ordinary income (line 21).
    at_ordinary = max(other, min(below, _top_of(0.24, law, status)))
    zero_top, fifteen_top, _ = status.long_term_tops
    at_zero = max(0.0, min(taxable, zero_top) - min(below, zero_top))
    at_fifteen = min(
        preferred - at_zero, max(0.0, min(taxable, fifteen_top) - (at_ordinary + at_zero))
    )
    at_twenty = preferred - at_zero - at_fifteen
    rest = taxable - at_ordinary - preferred
    zero, fifteen, twenty = law.long_term_rates
    tax = (
        _ordinary(at_ordinary, law, status)
        + zero * at_zero
        + fifteen * at_fifteen
        + twenty * at_twenty
        + law.collectible_rate * max(0.0, rest)
    )
    return min(tax, _ordinary(taxable, law, status))


def _top_of(rate: float, law: YearLaw, status: StatusLaw) -> float:
    return status.tops[law.ordinary_rates.index(rate)]


def _ordinary(income: float, law: YearLaw, status: StatusLaw) -> float:
    """Tax on ordinary income by the rate tables."""
    tax, lower = 0.0, 0.0
    for rate, top in zip(law.ordinary_rates, status.tops, strict=True):
        tax += rate * (min(income, top) - lower)
        if income <= top:
            break
        lower = top
    return tax


def _niit(profile: TaxProfile, after: Netted, ordinary: float) -> float:
    """Net investment income tax on the gains; a loss that is deducted from other income saves none."""
    gain = after.short + after.long
    if profile.niit is not None:
        return profile.niit * gain
    assert profile.magi is not None  # TaxProfile is born with it when rates are to be worked out
    law, status = profile.law, profile.status_law
    over = profile.magi + ordinary + gain - after.deducted - status.niit_threshold
    return law.niit_rate * min(gain, max(0.0, over))
