"""The tax of gains: the figures of the requirements, and a second computation dollar band by dollar band."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TaxError
from xl_rebal.tax.income_tax import GainKind, added_tax, marginal_rates, tax_of
from xl_rebal.tax.law import YEARS, FilingStatus, law_of
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile, profiles_from_rows, profiles_of

JOINT = FilingStatus.JOINT


def couple(magi: float, **more: Any) -> TaxProfile:
    return TaxProfile(year=2026, filing_status=JOINT, magi=magi, **more)


class TestTheCasesOfTheRequirements:
    """S109, S110, S135, S136: what a saving of 75,000 of long-term gains really is."""

    def test_15_percent_is_11250_not_18000(self) -> None:
        assert added_tax(couple(150_000), Gains(long=75_000)).total == pytest.approx(11_250)

    def test_with_niit_it_is_14100(self) -> None:
        tax = added_tax(couple(400_000), Gains(long=75_000))
        assert tax.income == pytest.approx(11_250)
        assert tax.niit == pytest.approx(2_850)
        assert tax.total == pytest.approx(14_100)

    def test_at_the_top_it_is_17850(self) -> None:
        assert added_tax(couple(900_000), Gains(long=75_000)).total == pytest.approx(17_850)

    def test_24_percent_is_a_rate_for_short_gains(self) -> None:
        # 24% is the ordinary bracket of 211,400 to 403,550 (joint, 2026).
        rates = marginal_rates(couple(300_000))
        assert rates.short == pytest.approx(0.24 + 0.038)
        assert rates.long == pytest.approx(0.15 + 0.038)
        assert rates.ordinary == pytest.approx(0.24)

    def test_harvesting_30000_without_gains_deducts_3000(self) -> None:
        # S060: 3,000 off other income now, 27,000 carried forward.
        tax = added_tax(couple(400_000), Gains(long=-30_000))
        assert tax.total == pytest.approx(-0.24 * 3_000)
        assert (tax.netted.deducted, tax.netted.carry_long) == (3_000, 27_000)

    def test_harvesting_30000_against_200000_of_gains(self) -> None:
        # S060: the 200,000 are realised, so the whole loss counts at 15% + 3.8%.
        profile = couple(300_000, ytd_long=200_000)
        assert -added_tax(profile, Gains(long=-30_000)).total == pytest.approx(0.188 * 30_000)

    def test_realising_early_costs_17000_at_the_top(self) -> None:
        # S136: 100,000 short instead of long at 37% and 20%.
        top = couple(1_500_000)
        short = added_tax(top, Gains(short=100_000)).total
        long = added_tax(top, Gains(long=100_000)).total
        assert short - long == pytest.approx(17_000)


def by_slices(profile: TaxProfile, ordinary: float, long: float, at_28: float) -> float:
    """Income tax the slow way, from the words of 26 USC 1(h)(1).

    `ordinary` is taxable income without net capital gain, `long` the gain, `at_28` its collectible part.
    Other income fills the brackets from below, collectibles stack on it at their bracket's rate and at most
    28%. Gains that still lie below the zero-rate amount cost nothing; what is left starts above what was
    taxed at ordinary rates (A) and at zero (B).
    """
    law = law_of(profile.year)
    status = law.by_status[profile.filing_status or JOINT]
    zero_top, fifteen_top = status.long_term_tops[:2]
    bands = list(zip((0.0, *status.tops[:-1]), status.tops, law.ordinary_rates, strict=True))
    total, taxed_as_ordinary = 0.0, 0.0
    for lower, upper, rate in bands:
        mine = overlap(0.0, ordinary, lower, upper)
        collectible = overlap(ordinary, ordinary + at_28, lower, upper)
        total += rate * mine + min(rate, 0.28) * collectible
        taxed_as_ordinary += mine + (collectible if rate < 0.28 else 0.0)
    preferred = long - at_28
    at_zero = overlap(ordinary + at_28, ordinary + long, 0.0, zero_top)
    start = taxed_as_ordinary + at_zero
    rest = preferred - at_zero
    total += 0.15 * overlap(start, start + rest, 0.0, fifteen_top)
    total += 0.20 * overlap(start, start + rest, fifteen_top, math.inf)
    # The maximum rates are a cap: never more than the rate tables on everything.
    everything = sum(r * overlap(0.0, ordinary + long, lower, upper) for lower, upper, r in bands)
    return min(total, everything)


def overlap(start: float, end: float, lower: float, upper: float) -> float:
    return max(0.0, min(end, upper) - max(start, lower))


@given(
    st.sampled_from(YEARS),
    st.sampled_from(list(FilingStatus)),
    st.integers(0, 1_200_000),
    st.integers(0, 800_000),
    st.integers(0, 800_000),
    st.integers(0, 400_000),
)
def test_brackets_slice_by_slice(
    year: int, status: FilingStatus, magi: int, short: int, long: int, collectible: int
) -> None:
    profile = TaxProfile(year=year, filing_status=status, magi=float(magi))
    other = magi - profile.status_law.deduction + short
    gains = Gains(short=short, long=long, collectible=collectible)
    found = tax_of(profile, gains).income
    net_long = long + collectible
    # Deductions that other income does not use come off the gains, the preferred ones last.
    spare = min(0.0, other)
    taxable_long = max(0.0, net_long + spare)
    at_28 = min(collectible, taxable_long)
    slow = by_slices(profile, max(0.0, other), taxable_long, at_28)
    assert found == pytest.approx(slow, abs=0.01)


@given(st.integers(0, 900_000), st.integers(-80_000, 300_000), st.integers(-80_000, 300_000))
def test_niit_is_on_gains_above_the_threshold(magi: int, short: int, long: int) -> None:
    profile = couple(float(magi))
    gain = max(0, short + long)
    deducted = min(3_000, max(0, -(short + long)))
    over = magi + gain - deducted - 250_000
    expected = 0.038 * max(0, min(gain, over))
    assert tax_of(profile, Gains(short=short, long=long)).niit == pytest.approx(expected)


@given(
    st.integers(0, 900_000),
    st.integers(-90_000, 90_000),
    st.integers(-90_000, 90_000),
    st.integers(1, 50_000),
)
def test_more_gain_never_costs_less(magi: int, short: int, long: int, more: int) -> None:
    profile, base = couple(float(magi), state=0.05), Gains(short=short, long=long)
    for kind in GainKind:
        assert added_tax(profile, kind.of(more), on_top_of=base).total >= -1e-6


@given(st.lists(st.integers(-50_000, 50_000), min_size=1, max_size=6), st.integers(0, 600_000))
def test_parts_add_up_to_the_whole(amounts: list[int], magi: int) -> None:
    profile, so_far, parts = couple(float(magi)), Gains(), 0.0
    for amount in amounts:
        parts += added_tax(profile, Gains(long=amount), on_top_of=so_far).total
        so_far += Gains(long=amount)
    assert parts == pytest.approx(added_tax(profile, so_far).total, abs=0.01)


def test_stated_rates_are_used_as_they_are() -> None:
    profile = TaxProfile(year=2031, ordinary=0.32, long_term=0.15, niit=0.038, state=0.05)
    tax = added_tax(profile, Gains(short=1_000, long=10_000, collectible=2_000))
    assert tax.income == pytest.approx(320 + 1_500 + 0.28 * 2_000)
    assert tax.niit == pytest.approx(0.038 * 13_000)
    assert tax.state == pytest.approx(0.05 * 13_000)
    low = TaxProfile(year=2026, ordinary=0.12, long_term=0.0, niit=0.0)
    assert added_tax(low, Gains(collectible=1_000)).total == pytest.approx(120)  # 28% is a cap


def test_state_tax_takes_the_deducted_loss_off_too() -> None:
    profile = couple(200_000, state=0.10)
    assert added_tax(profile, Gains(short=-10_000)).state == pytest.approx(-300)


def test_carry_forwards_and_gains_to_date_come_first() -> None:
    profile = couple(200_000, carry_long=20_000, ytd_short=5_000)
    assert added_tax(profile, Gains(long=12_000)).total == pytest.approx(0.0)
    assert added_tax(profile, Gains(long=25_000)).total > 0


ROWS = {"tax_profile": "p", "year": 2026.0, "row": 2, "table": "tax_profiles.csv"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({}, "column magi: is blank, and ordinary, long_term, niit must be worked out from it; enter"),
        ({}, "column filing_status: is blank"),
        ({"filing_status": "divorced"}, "'divorced' is not known; use one of single"),
        ({"ordinary": 0.3, "long_term": 0.15, "niit": 0.0, "state": -0.1}, "column state: -0.1 is no rate"),
        ({"ordinary": 0.3, "niit": 0.0}, "column long_term: is blank, and the other rate on gains is stated"),
        ({"magi": 1.0, "filing_status": "single", "carry_short": -5.0}, "column carry_short: is negative"),
        ({"magi": 1.0, "filing_status": "single", "year": 2019.0}, "the figures of 2019 are not known"),
        ({"year": 2026.5}, "2026.5 is no year"),
    ],
)  # fmt: skip
def test_bad_profiles_name_cell_and_remedy(cells: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match="row 2") as caught:
        profiles_from_rows([{**ROWS, **cells}])
    assert message in str(caught.value)


def test_all_bad_profiles_are_reported_together() -> None:
    rows = [
        {**ROWS, "filing_status": "x"},
        {**ROWS, "row": 3, "tax_profile": "q", "ordinary": 1.5, "long_term": 0.1, "niit": 0.0},
    ]
    with pytest.raises(Exception, match="row 2") as caught:
        profiles_from_rows(rows)
    assert "row 3, column ordinary: 1.5 is no rate" in str(caught.value)


def test_a_profile_of_another_year_is_refused() -> None:
    this = {**ROWS, "filing_status": "Married filing jointly", "magi": 1e5}
    last = {**ROWS, "year": 2025.0, "filing_status": "MFJ", "magi": 9e4}
    read = profiles_from_rows([this, last])
    assert profiles_of(read, 2025)["p"].magi == 9e4
    with pytest.raises(TaxError, match="is for 2026, 2025, and the trades are of 2024"):
        profiles_of(read, 2024)


def test_kinds_cover_every_field() -> None:
    for kind in GainKind:
        amounts = kind.of(7.0)
        values = [getattr(amounts, k.value) for k in GainKind]
        assert values.count(7.0) == 1
        assert math.fsum(values) == 7.0
