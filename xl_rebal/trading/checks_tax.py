"""Verifier of tax sums: the forms filled in line by line, in exact decimals.

It shares the law's figures with `xl_rebal.tax` and nothing of its arithmetic: Schedule D with its 28% rate
gain worksheet, the Schedule D Tax Worksheet, Form 8960 for the gains alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.checks_book import Violation

_ZERO = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScheduleD:
    """Lines of Schedule D that later forms ask for."""

    line15: Decimal
    line16: Decimal
    line18: Decimal
    line21: Decimal


def year_tax(profile: TaxProfile, gains: Gains) -> Decimal:
    """Income tax, net investment income tax and state tax of a year with these gains on top of the
    year-to-date ones; with stated rates that of gains and `gains.ordinary` alone.
    """
    form = _schedule_d(profile, gains)
    ordinary = _exact(gains.ordinary)
    if profile.ordinary is not None and profile.long_term is not None:
        federal = _at_stated_rates(profile, form, ordinary)
    else:
        federal = _tax_worksheet(profile, form, ordinary)
    change = ordinary + (form.line16 if form.line16 > 0 else -form.line21)
    return federal + _form_8960(profile, form, ordinary) + _exact(profile.state) * change


def check_added_tax(
    where: str, profile: TaxProfile, gains: Gains, stated: float
) -> Iterator[Violation]:
    """A violation where the tax that `gains` add is not the stated one, to the cent."""
    added = year_tax(profile, gains) - year_tax(profile, Gains())
    if not abs(added - _exact(stated)) <= _CENT:
        what = f"adds tax of {stated:,.2f}, the forms say {added:,.2f}"
        yield Violation(code="tax", where=where, what=what)


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _schedule_d(profile: TaxProfile, gains: Gains) -> _ScheduleD:
    futures = _exact(gains.section_1256)  # Form 6781: 40% to line 4, 60% to line 11
    line6, line14 = -_exact(profile.carry_short), -_exact(profile.carry_long)
    collectible = _exact(gains.collectible)
    line7 = _exact(gains.short) + _exact(profile.ytd_short) + futures * 4 / 10 + line6
    long = _exact(gains.long) + _exact(profile.ytd_long) + futures * 6 / 10
    line15 = long + collectible + line14
    line16 = line7 + line15
    worksheet = collectible + line14
    if line7 < 0:
        worksheet += line7
    line18 = worksheet if worksheet > 0 else _ZERO
    limit = Decimal(1500) if profile.filing_status is FilingStatus.SEPARATE else Decimal(3000)
    line21 = _ZERO
    if line16 < 0:
        line21 = limit if -line16 > limit else -line16
    return _ScheduleD(line15=line15, line16=line16, line18=line18, line21=line21)


def _tax_worksheet(profile: TaxProfile, form: _ScheduleD, ordinary: Decimal) -> Decimal:
    """The Schedule D Tax Worksheet, by its own line numbers (without qualified dividends and line 19)."""
    status = profile.status_law
    income = _exact(profile.magi or 0.0) + ordinary
    income += form.line16 if form.line16 > 0 else -form.line21
    line1 = max(_ZERO, income - _exact(status.deduction))
    line10 = _ZERO
    if form.line15 > 0 and form.line16 > 0:
        line10 = min(form.line15, form.line16)
    line10 = min(line10, line1)
    line12 = min(form.line18, line10)
    line13 = line10 - line12
    line14 = line1 - line13
    line15 = _exact(status.long_term_tops[0])
    line16 = min(line1, line15)
    line17 = min(line14, line16)
    line18 = line1 - line10
    line19 = min(line1, _exact(status.tops[3]))  # the top of the 24% bracket
    line20 = min(line14, line19)
    line21 = max(line18, line20)
    line22 = line16 - line17  # taxed at 0%
    line23 = min(line1, line13)
    line25 = line23 - line22
    line27 = min(line1, _exact(status.long_term_tops[1]))
    line29 = max(_ZERO, line27 - (line21 + line22))
    line30 = min(line25, line29)
    line33 = line23 - (line22 + line30)
    line41 = line1 - (line21 + line22 + line30 + line33)
    tax = line30 * 15 / 100 + line33 * 20 / 100
    if line41 > 0:
        tax += line41 * 28 / 100
    tax += _tables(profile, line21)
    whole = _tables(profile, line1)
    return tax if tax < whole else whole


def _tables(profile: TaxProfile, income: Decimal) -> Decimal:
    """The tax rate schedule of the filing status."""
    tax, rate_before = _ZERO, _ZERO
    lower = _ZERO
    for rate, top in zip(profile.law.ordinary_rates, profile.status_law.tops, strict=True):
        # Each bracket adds what its rate is above the one before, on all that lies above its lower edge.
        if income > lower:
            tax += (_exact(rate) - rate_before) * (income - lower)
        rate_before = _exact(rate)
        if top == float("inf"):
            break
        lower = _exact(top)
    return tax


def _at_stated_rates(profile: TaxProfile, form: _ScheduleD, ordinary: Decimal) -> Decimal:
    rate, long_rate = _exact(profile.ordinary or 0.0), _exact(profile.long_term or 0.0)
    if form.line16 <= 0:
        return rate * (ordinary - form.line21)
    preferred = min(form.line15, form.line16) if form.line15 > 0 else _ZERO
    at_28 = min(form.line18, preferred)
    cap = min(Decimal("0.28"), rate)
    short = form.line16 - preferred
    return rate * (ordinary + short) + long_rate * (preferred - at_28) + cap * at_28


def _form_8960(profile: TaxProfile, form: _ScheduleD, ordinary: Decimal) -> Decimal:
    """3.8% of the lesser of net gain and what income lies above the threshold."""
    gain = max(_ZERO, form.line16)
    if profile.niit is not None:
        return _exact(profile.niit) * gain
    income = _exact(profile.magi or 0.0) + ordinary + gain - form.line21
    over = max(_ZERO, income - _exact(profile.status_law.niit_threshold))
    return Decimal("0.038") * min(gain, over)
