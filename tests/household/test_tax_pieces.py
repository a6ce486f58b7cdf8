"""Tax in straight pieces against the tax itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.household.tax_pieces import pieces_of, quick_tax, tax_value
from xl_rebal.tax.income_tax import tax_of
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


@pytest.mark.parametrize("status", list(FilingStatus))
@pytest.mark.parametrize("magi", [5_000.0, 40_000.0, 64_000.0, 115_000.0, 240_000.0, 560_000.0])
@pytest.mark.parametrize("start", [0.0, -4_000.0])
def test_collectibles_are_never_priced_above_their_tax(
    status: FilingStatus, magi: float, start: float
) -> None:
    """Pieces of long-term gains and what collectibles cost beyond them, against the exact tax."""
    profile = TaxProfile(
        tax_profile="p", year=2026, filing_status=status, magi=magi, ytd_long=start
    )
    for coins in (5_000.0, 30_000.0, 130_000.0):
        for long in (0.0, 20_000.0, 400_000.0):
            pieces = pieces_of(profile, 0.0, 0.0, coins + long, coins)
            exact = tax_of(profile, Gains(long=long, collectible=coins)).total - pieces.bare
            net = start + long + coins
            at_28 = coins + min(0.0, start)
            # 15% on long-term gains begins a little below the top of the 12% bracket.
            window = 0.03 * (profile.status_law.tops[1] - profile.status_law.long_term_tops[0])
            assert quick_tax(pieces, 0.0, net) + pieces.at_28 * at_28 <= exact + window + 0.01
