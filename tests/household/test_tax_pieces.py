"""Tax in straight pieces against the tax itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.household.tax_pieces import pieces_of, quick_tax, tax_value
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile

money = st.floats(-400_000, 400_000)
losses = st.floats(0, 80_000)


@given(
    short=money, long=money, carry_short=losses, carry_long=losses, ytd=st.floats(-30_000, 30_000)
)
def test_with_stated_rates_the_pieces_are_the_tax(
    short: float, long: float, carry_short: float, carry_long: float, ytd: float
) -> None:
    profile = TaxProfile(
        year=2026, ordinary=0.35, long_term=0.15, niit=0.038, state=0.06,
        carry_short=carry_short, carry_long=carry_long, ytd_short=ytd,
    )  # fmt: skip
    pieces = pieces_of(profile, 10_000.0)
    quick = quick_tax(pieces, short + ytd - carry_short, long - carry_long)
    exact = tax_value(profile, Gains(short=short, long=long), pieces)
    assert quick == pytest.approx(exact, abs=0.01)


@given(short=money, long=money, magi=st.floats(0, 900_000), status=st.sampled_from(FilingStatus))
def test_by_brackets_the_pieces_are_never_above_the_tax(
    short: float, long: float, magi: float, status: FilingStatus
) -> None:
    """What makes the bound of a plan a bound."""
    profile = TaxProfile(year=2026, filing_status=status, magi=magi)
    pieces = pieces_of(profile, 0.0)
    exact = tax_value(profile, Gains(short=short, long=long), pieces)
    assert quick_tax(pieces, short, long) <= exact + 0.01


@given(long=st.floats(0, 400_000), magi=st.floats(20_000, 900_000))
def test_by_brackets_long_term_gains_alone_are_exact(long: float, magi: float) -> None:
    profile = TaxProfile(year=2026, filing_status=FilingStatus.JOINT, magi=magi)
    pieces = pieces_of(profile, 0.0)
    assert quick_tax(pieces, 0.0, long) == pytest.approx(
        tax_value(profile, Gains(long=long), pieces), abs=0.01
    )
