"""The policy object: how wide a band is, and what may not be built."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.portfolio.policies import (
    Band,
    Calendar,
    Combined,
    Destination,
    EveryDays,
    Frequency,
    Goal,
    Never,
    Policy,
)

TARGETS = np.array([0.60, 0.25, 0.20, 0.10, 0.05, 0.0])


@pytest.mark.parametrize(
    ("band", "widths"),
    [
        # S130: the 5/25 rule; the crossover stands at a target of 20%.
        (Band(absolute=0.05, relative=0.25), [5, 5, 5, 2.5, 1.25, 0]),
        (Band(absolute=0.05, relative=0.25, larger=True), [15, 6.25, 5, 5, 5, 5]),
        (Band(absolute=0.05), [5, 5, 5, 5, 5, 5]),  # S076
        (Band(relative=0.10), [6, 2.5, 2, 1, 0.5, 0]),  # S077: 60 -> 66/54
        (Band(relative=0.20), [12, 5, 4, 2, 1, 0]),
    ],
)
def test_widths_in_percentage_points(band: Band, widths: list[float]) -> None:
    np.testing.assert_allclose(band.width(TARGETS) * 100, widths, atol=1e-12)


@given(
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.lists(st.floats(0, 1), min_size=1, max_size=6).map(np.array),
)
def test_the_smaller_is_never_wider_than_either(
    absolute: float, relative: float, target: np.ndarray
) -> None:
    before = target.copy()
    narrow = Band(absolute=absolute, relative=relative).width(target)
    wide = Band(absolute=absolute, relative=relative, larger=True).width(target)
    one, two = Band(absolute=absolute).width(target), Band(relative=relative).width(target)
    np.testing.assert_array_equal(narrow, np.minimum(one, two))
    np.testing.assert_array_equal(wide, np.maximum(one, two))
    np.testing.assert_array_equal(target, before)


def test_what_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="needs a width"):
        Band()
    for width in (-0.01, 1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            Band(absolute=width)
    with pytest.raises(ValueError, match="at least one day"):
        EveryDays(days=0)
    with pytest.raises(ValueError, match="two triggers"):
        Combined(operator="or", parts=(Never(),))
    with pytest.raises(ValueError, match="between 0% and 100%"):
        Destination(goal=Goal.INNER, share=1.0)


def test_a_policy_is_immutable_and_a_key() -> None:
    policy = Policy(trigger=Band(absolute=0.05))
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.beyond = True  # type: ignore[misc]  # frozen: it must fail
    assert {policy: 1}[Policy(trigger=Band(absolute=0.05))] == 1


def test_what_a_policy_says_of_itself() -> None:
    annual, points = Calendar(frequency=Frequency.ANNUAL), Band(absolute=0.05)
    both = Policy(trigger=Combined(operator="and", parts=(annual, points)))
    assert both.leaves() == (annual, points)
    assert both.has_band
    assert both.has_calendar
    assert not Policy(trigger=annual).has_band
    assert not Policy(trigger=points).has_calendar
    assert Policy(trigger=EveryDays(days=3)).has_calendar
    assert Policy(trigger=Never()).in_words() == "Never rebalance."
