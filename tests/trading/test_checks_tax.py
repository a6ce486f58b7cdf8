"""The forms and the engine, written apart, agree on every return; a wrong sum is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.tax.income_tax import added_tax, tax_of
from xl_rebal.tax.law import YEARS, FilingStatus
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.checks_tax import check_added_tax, year_tax

AMOUNT = st.integers(-400_000, 600_000).map(lambda n: n / 4)
LOSS = st.integers(0, 100_000).map(float)
RATE = st.sampled_from([0.0, 0.05, 0.12, 0.15, 0.24, 0.37])


@st.composite
def profiles(draw: st.DrawFn) -> TaxProfile:
    stated = draw(st.booleans())
    return TaxProfile(
        year=draw(st.sampled_from(YEARS)),
        filing_status=draw(st.sampled_from(list(FilingStatus))),
        magi=float(draw(st.integers(0, 1_500_000))),
        ordinary=draw(RATE) if stated else None,
        long_term=draw(RATE) if stated else None,
        niit=draw(st.sampled_from([None, 0.0, 0.038])),
        state=draw(RATE),
        carry_short=draw(LOSS),
        carry_long=draw(LOSS),
        ytd_short=draw(AMOUNT),
        ytd_long=draw(AMOUNT),
    )


GAINS = st.builds(
    Gains,
    short=AMOUNT,
    long=AMOUNT,
    collectible=AMOUNT,
    section_1256=AMOUNT,
    ordinary=st.integers(0, 300_000).map(float),
)


@given(profiles(), GAINS)
def test_the_forms_agree_with_the_engine(profile: TaxProfile, gains: Gains) -> None:
    assert float(year_tax(profile, gains)) == pytest.approx(tax_of(profile, gains).total, abs=0.005)
    added = added_tax(profile, gains).total
    assert list(check_added_tax("joint", profile, gains, added)) == []
    (found,) = check_added_tax("joint", profile, gains, added + 0.02)
    assert (found.code, found.where) == ("tax", "joint")


def test_a_sum_of_the_brief_that_is_wrong() -> None:
    # S109: 75,000 x 24% is no tax on long-term gains.
    profile = TaxProfile(year=2026, filing_status=FilingStatus.JOINT, magi=150_000.0)
    (found,) = check_added_tax("joint", profile, Gains(long=75_000), 18_000.0)
    assert found.what == "adds tax of 18,000.00, the forms say 11,250.00"
