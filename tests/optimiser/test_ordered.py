"""Integer programs in order: against every solution of small ones."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from xl_rebal.optimiser.ordered import Objective, Program, minimise_in_order


def objective(weights: list[float], step: float = 0.0) -> Objective:
    return Objective(
        index=np.arange(len(weights), dtype=float), weight=np.array(weights, dtype=float), step=step
    )


@pytest.mark.parametrize("seed", range(12))
def test_two_objectives_equal_a_look_at_everything(seed: int) -> None:
    rng = random.Random(seed)
    count = 4
    first = [float(rng.randint(1, 4)) for _ in range(count)]
    second = [float(rng.randint(-5, 5)) for _ in range(count)]
    row = [float(rng.randint(1, 5)) for _ in range(count)]
    program = Program()
    for _ in range(count):
        program.variable(0, 3, whole=True)
    program.row(dict(enumerate(row)), lower=11.0)
    found = minimise_in_order(program, (objective(first, 1.0), objective(second, 1.0)), start={})
    assert found is not None
    points = [
        x
        for x in itertools.product(range(4), repeat=count)
        if sum(a * b for a, b in zip(row, x, strict=True)) >= 11
    ]
    best = min(
        (
            sum(a * b for a, b in zip(first, x, strict=True)),
            sum(a * b for a, b in zip(second, x, strict=True)),
        )
        for x in points
    )
    assert tuple(stage.value for stage in found.stages) == pytest.approx(best, abs=1e-6)
    assert tuple(stage.bound for stage in found.stages) == pytest.approx(best, abs=1e-6)


def test_nothing_that_fits_is_none_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = Program()
    x = program.variable(0, 1, whole=True)
    program.row({x: 1.0}, lower=2.0)
    assert minimise_in_order(program, (objective([1.0]),), start={}) is None
    assert capfd.readouterr() == ("", "")


def test_a_search_that_is_cut_short_does_not_say_that_nothing_fits() -> None:
    program, rng, count = Program(), random.Random(3), 30
    known = [rng.random() < 0.5 for _ in range(count)]
    variables = [program.variable(0, 1, whole=True) for _ in range(count)]
    for _ in range(3):  # one choice fits, and a few nodes do not find it
        weight = [float(rng.randint(10**5, 10**6)) for _ in range(count)]
        total = sum(each for each, taken in zip(weight, known, strict=True) if taken)
        program.row(dict(zip(variables, weight, strict=True)), lower=total - 0.1, upper=total + 0.1)
    found = minimise_in_order(program, (objective([1.0] * count),), start={}, nodes=1)
    assert found is not None
    assert found.stages == ()
