"""Netting against published sums, and against Schedule D and its worksheet filled in line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.tax.netting import Gains, Netted, net

MONEY = st.integers(-50_000, 50_000).map(float)
LOSS = st.integers(0, 30_000).map(float)


def test_a_loss_of_7000_publication_550() -> None:
    # Publication 550, carryover: a loss of 7,000, 3,000 deducted, 4,000 carried; of 2,000, nothing.
    found = net(Gains(long=-7_000))
    assert (found.deducted, found.carry_short, found.carry_long) == (3_000, 0, 4_000)
    assert net(Gains(long=-2_000)).carry_long == 0
    assert (
        net(Gains(long=-7_000), loss_limit=1_500).carry_long == 5_500
    )  # married, filing separately


def test_a_short_loss_against_a_long_gain() -> None:
    # smartstudyhelp 3649: short -15,500, long 11,600 - 4,500: net -8,400, 3,000 deducted, 5,400 short.
    found = net(Gains(short=-15_500, long=11_600 - 4_500))
    assert (found.deducted, found.carry_short, found.carry_long) == (3_000, 5_400, 0)


def test_short_term_losses_are_used_first() -> None:
    # Publication 550: use short-term losses first, even if incurred after a long-term one.
    found = net(Gains(short=-1_000, long=-4_000))
    assert (found.deducted, found.carry_short, found.carry_long) == (3_000, 0, 2_000)


def test_section_1256_is_60_40() -> None:
    found = net(Gains(section_1256=10_000))
    assert (found.short, found.long) == (4_000, 6_000)
    assert net(Gains(section_1256=10_000, short=-4_000)).short == 0


def test_losses_take_collectible_gains_first() -> None:
    # 28% rate gain worksheet: carried long-term losses and net short-term losses come off 28% gains.
    found = net(Gains(short=-2_000, long=10_000, collectible=5_000), carry_long=1_000)
    assert (found.long, found.collectible) == (12_000, 2_000)


def test_a_loss_that_no_income_absorbs_is_carried_on() -> None:
    found = net(Gains(short=-10_000), taxable_income=1_200)
    assert (found.deducted, found.carry_short) == (3_000, 8_800)
    assert net(Gains(short=-10_000), taxable_income=-5_000).carry_short == 10_000


def schedule_d(
    short: float, long: float, collectible: float, carry_short: float, carry_long: float,
    limit: float, income: float,
) -> Netted:  # fmt: skip
    """The forms, line by line, with their own ifs."""
    line7 = short - carry_short
    line15 = long + collectible - carry_long
    line16 = line7 + line15
    worksheet_28 = collectible + (-carry_long) + (line7 if line7 < 0 else 0)
    line18 = worksheet_28 if worksheet_28 > 0 else 0.0
    line21 = 0.0
    if line16 < 0:
        line21 = -line16 if -line16 < limit else limit
    # Capital loss carryover worksheet
    c1 = income - line21
    c2 = line21
    c3 = c1 + c2 if c1 + c2 > 0 else 0.0
    c4 = min(c2, c3)
    c8_carry = 0.0
    if line7 < 0:
        c5 = -line7
        c6 = line15 if line15 > 0 else 0.0
        c8_carry = max(0.0, c5 - (c4 + c6))
        c11 = max(0.0, c4 - c5)
    else:
        c11 = c4
    c13_carry = 0.0
    if line15 < 0:
        c13_carry = max(0.0, -line15 - ((line7 if line7 > 0 else 0.0) + c11))
    if line16 >= 0:
        c8_carry = c13_carry = 0.0
    both_gain = line15 > 0 and line16 > 0
    preferred = min(line15, line16) if both_gain else 0.0
    ordinary = line16 - preferred if line16 > 0 else 0.0
    return Netted(
        short=ordinary,
        long=preferred,
        collectible=min(line18, preferred),
        deducted=line21,
        carry_short=c8_carry,
        carry_long=c13_carry,
    )


@given(MONEY, MONEY, MONEY, LOSS, LOSS, st.sampled_from([3000.0, 1500.0]), MONEY)
def test_the_forms_line_by_line(
    short: float, long: float, collectible: float, carry_short: float, carry_long: float,
    limit: float, income: float,
) -> None:  # fmt: skip
    found = net(
        Gains(short=short, long=long, collectible=collectible),
        carry_short=carry_short,
        carry_long=carry_long,
        loss_limit=limit,
        taxable_income=income,
    )
    assert found == schedule_d(short, long, collectible, carry_short, carry_long, limit, income)


@given(MONEY, MONEY, MONEY, LOSS, LOSS)
def test_no_dollar_is_lost_or_made(
    short: float, long: float, collectible: float, carry_short: float, carry_long: float
) -> None:
    found = net(
        Gains(short=short, long=long, collectible=collectible),
        carry_short=carry_short,
        carry_long=carry_long,
    )
    total = short + long + collectible - carry_short - carry_long
    left = found.short + found.long - found.deducted - found.carry_short - found.carry_long
    assert left == pytest.approx(total)
