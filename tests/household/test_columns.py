"""Columns against the lines and the objective that they stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.household.books import request
from tests.household.random_books import random_household
from xl_rebal.costs import CostModel
from xl_rebal.household.build import problem_of
from xl_rebal.household.columns import PairColumns
from xl_rebal.household.model import model_of
from xl_rebal.household.moves import Moves
from xl_rebal.household.pairs import Pair
from xl_rebal.household.search import Search
from xl_rebal.household.worth import without_dust, worth
from xl_rebal.trading.problem import Line, cash_effect, cents, cents_of, trade_cost, worth_trading

units = st.floats(-5_000, 5_000).map(lambda x: float(f"{x:.9g}"))
money = st.floats(0, 50).map(lambda x: round(x, 2))


@given(st.lists(st.one_of(st.floats(-1e9, 1e9), units.map(lambda x: x + 0.005)), min_size=1))
def test_cents_of_many_are_the_cents_of_each(values: list[float]) -> None:
    assert cents_of(np.array(values)).tolist() == [cents(value) for value in values]


@given(
    signed=st.lists(units, min_size=1, max_size=6),
    commission=money,
    least=money,
    per_share=st.floats(0, 0.02),
    half_spread=st.floats(0, 0.01),
    minimum=st.floats(0, 500),
    keep=st.sampled_from([0.0, 300.0]),
    fee=st.sampled_from([0.0, 0.02]),
)
def test_costs_and_minimums_are_those_of_each_line(
    signed: list[float],
    commission: float,
    least: float,
    per_share: float,
    half_spread: float,
    minimum: float,
    keep: float,
    fee: float,
) -> None:
    costs = CostModel(
        commission=commission, per_share=per_share, half_spread=half_spread, min_commission=least
    )
    line = Line(
        symbol="S", klass=0, quantity=4_000.0, price=13.37, unit_value=13.37, step=1.0,
        minimum=minimum, rank=0.0, costs=costs, adv=None, can_buy=True, can_sell=True,
        must_sell=False, replaces=False, blocked="", buy_minimum=2 * minimum, keep=keep, fee=fee,
        free=1_000.0,
    )  # fmt: skip
    pair = Pair(account=0, line=line, taxable=True, location=0.0, rank=0.0, group="s")
    columns = PairColumns.of([pair] * len(signed))
    wanted = np.array(signed)
    assert columns.costs_of(wanted) == pytest.approx(
        [trade_cost(line, x) if x else 0.0 for x in signed], abs=1e-9
    )
    assert columns.effects_of(wanted) == pytest.approx(
        [cash_effect(line, x) for x in signed], abs=1e-9
    )
    fine = [not x or worth_trading(line, x) for x in signed]
    assert columns.worth_trading(wanted).tolist() == fine


@given(st.lists(units))
def test_dust_is_what_stands_behind_twelve_digits(values: list[float]) -> None:
    dusty = np.array(values) * (1 + 1e-15)
    assert without_dust(dusty).tolist() == [float(f"{x:.12g}") for x in dusty.tolist()]


@pytest.mark.parametrize("seed", range(4))
def test_a_move_is_worth_what_the_objective_says(seed: int) -> None:
    """Each step of each pair of random plans: the change of the whole objective, and the estimate near it."""
    source = random_household(seed, lots=80, securities=15)
    asked = request("3pp", costs=0.0005)
    problem = problem_of(source, replace(asked), "h")
    search = Search(model_of(problem))
    relaxed = search.run()
    assert relaxed is not None
    moves = Moves(search, relaxed, np.zeros(len(problem.accounts)))
    rng = np.random.default_rng(seed)
    start = np.where(rng.random(len(problem.pairs)) < 0.4, -np.floor(moves.most / 2), 0.0)
    moves.start(without_dust(start))
    checked = 0
    for side in (1, -1):
        places, after = moves.steps(np.arange(len(problem.accounts)), side)
        estimate, _ = moves.weighed(places, after)
        for p, wanted, guess in zip(
            places.tolist(), after.tolist(), estimate.tolist(), strict=True
        ):
            before, now = worth(problem, moves.draft()).total, float(moves.units[p])
            change = moves.change(p, wanted)
            moves.apply(p, wanted)
            assert worth(problem, moves.draft()).total - before == pytest.approx(change, abs=0.03)
            assert guess == pytest.approx(change, abs=max(60.0, abs(change)))
            moves.apply(p, now)
            assert worth(problem, moves.draft()).total == pytest.approx(before, abs=1e-6)
            checked += 1
    assert checked > 20


def test_lots_are_made_of_their_columns() -> None:
    problem = problem_of(random_household(2, lots=40), request("3pp"), "h")
    assert len(problem.lots) == len(problem.lot.pair)
    for j, lot in enumerate(problem.lots):
        assert lot.gain_rate == pytest.approx(float(problem.lot.gain_rate[j]))
        assert j in problem.lots_of(lot.pair)
