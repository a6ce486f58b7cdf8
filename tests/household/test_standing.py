"""A household planned again as prices move: the plan is that of a cold start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.household.books import TODAY, bought, couple, request
from tests.household.random_books import random_household
from xl_rebal.errors import TableError
from xl_rebal.household.build import problem_of
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.model import model_of
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook
from xl_rebal.household.search import Search
from xl_rebal.household.standing import StandingHousehold


def moved(source: HouseholdBook, rng: np.random.Generator, share: float = 0.02) -> dict[str, float]:
    """Prices of every security a few percent away."""
    return {
        symbol: round(float(each.price or 0.0) * float(rng.normal(1.0, share)), 2)
        for symbol, each in source.book.securities.items()
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_plan_is_worth_what_a_cold_plan_is(seed: int) -> None:
    source = random_household(seed, by_law=seed % 2 == 1)
    asked = request("3pp", costs=0.0005)
    rng = np.random.default_rng(seed)
    household = StandingHousehold(source, asked, "h")
    assert household.plan(explained=False) == plan_household(source, asked, "h", explained=False)
    for _ in range(3):
        household.update(moved(source, rng))
        warm = household.plan(explained=False)
        cold = plan_household(household.source, asked, "h", explained=False)
        assert check_household(household.source, asked, warm) == ()
        assert warm.base == pytest.approx(cold.base)
        # The bounds are of one and the same program; plans may differ within their gaps.
        slack = 5.5e-6 * warm.base  # what a long search may leave open
        assert warm.bound == pytest.approx(cold.bound, abs=slack)
        assert warm.worth.total <= cold.worth.total + cold.gap + slack + warm.gap
        assert max(warm.gap_bp, cold.gap_bp) <= 0.1 + 1e4 * len(warm.trades) / warm.base


@pytest.mark.parametrize("mode", list(Mode))
def test_the_optimum_of_the_couple_is_the_same(mode: Mode) -> None:
    asked = request("3pp", mode=mode, costs=0.0005, harvest=45_000.0, gains_budget=0.0)
    household = StandingHousehold(couple(), asked, "couple")
    household.plan()
    household.update({"vti": 303.5, "BND": 74.6})
    warm = household.plan()
    cold = plan_household(household.source, asked, "couple")
    assert household.source.book.securities["VTI"].price == 303.5
    # Of plans in fractions that are worth the same, each start may find another to round.
    assert warm.bound == pytest.approx(cold.bound, abs=0.02)
    assert abs(warm.worth.total - cold.worth.total) <= max(warm.gap, cold.gap) + 0.02
    assert warm.tax_added == pytest.approx(cold.tax_added, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_the_program_comes_to_the_same_optimum(seed: int) -> None:
    """The linear programs themselves, begun from the old basis and from none."""
    source = random_household(seed, lots=100, securities=15)
    asked = request("3pp", costs=0.0005)
    household = StandingHousehold(source, asked, "h")
    old = Search(model_of(problem_of(source, asked, "h")))
    old.run()
    household.update(moved(source, np.random.default_rng(seed)))
    model = model_of(problem_of(household.source, asked, "h"))
    old.solver.restart(model.program)
    warm, cold = Search(model, old.solver).run(), Search(model).run()
    assert warm is not None
    assert cold is not None
    assert warm.optimum.value == pytest.approx(cold.optimum.value, abs=0.1)
    assert warm.bound == pytest.approx(cold.bound, abs=0.1)


def test_what_was_bought_lately_still_counts_after_prices_moved() -> None:
    history = (bought("IRA", "VXUS", TODAY, 5_000.0, 74.0),)
    source = replace(couple(), history=history)
    household = StandingHousehold(source, request("3pp", costs=0.0005), "couple")
    household.update({"VXUS": 60.0})
    plan = household.plan()
    assert all(sale.symbol != "VXUS" or sale.gain >= 0 for sale in plan.lot_sales)


def test_prices_that_are_none_change_nothing() -> None:
    household = StandingHousehold(couple(), request("3pp"), "couple")
    before = household.source
    with pytest.raises(TableError) as caught:
        household.update({"VTI": 310.0, "BND": float("nan"), "XYZ": 5.0, "MUB": -1.0})
    text = str(caught.value)
    for words in ("BND", "has no price: nan", "XYZ", "is not in the book", "MUB"):
        assert words in text
    assert household.source is before


def test_within_the_bands_nothing_is_traded_and_later_something_is() -> None:
    source = couple()
    household = StandingHousehold(source, request("20pp", costs=0.0005), "couple")
    assert household.plan().trades == ()
    household.update({"VTI": 900.0})
    assert household.plan().trades
    household.update({"VTI": 300.0})
    assert household.plan().trades == ()
