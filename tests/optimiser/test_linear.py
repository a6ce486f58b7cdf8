"""Programs in arrays against plain counting: optimum, changed bounds, infeasible, whole numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xl_rebal.optimiser.linear import LinearProgram, Solver


def program(*, whole: bool, seed: int) -> LinearProgram:
    """Three columns between 0 and 4 and two rows of small whole numbers."""
    rng = np.random.default_rng(seed)
    result = LinearProgram()
    for cost in rng.integers(-5, 6, 3).tolist():
        result.column(float(cost), upper=4.0, whole=whole)
    for _ in range(2):
        weights = rng.integers(-2, 4, 3).tolist()
        result.row([0, 1, 2], [float(w) for w in weights], upper=float(rng.integers(0, 7)))
    return result


def counted(asked: LinearProgram) -> float:
    """The least value over all whole points."""
    best = float("inf")
    for point in itertools.product(range(5), repeat=3):
        sums = [
            sum(asked.weight[a] * point[asked.index[a]] for a in range(start, start + 3))
            for start in asked.start[:-1]
        ]
        if all(s <= top + 1e-9 for s, top in zip(sums, asked.row_upper, strict=True)):
            best = min(best, sum(c * x for c, x in zip(asked.cost, point, strict=True)))
    return best


@pytest.mark.parametrize("seed", range(30))
def test_whole_numbers_are_counted_through(seed: int) -> None:
    asked = program(whole=True, seed=seed)
    solver = Solver(asked)
    solver.gap(1e-9)
    found = solver.solve()
    assert found is not None  # the origin always fits
    assert found.value == pytest.approx(counted(asked), abs=1e-6)
    assert found.bound <= found.value + 1e-9
    relaxed = Solver(program(whole=False, seed=seed)).solve()
    assert relaxed is not None
    assert relaxed.value <= found.value + 1e-6


def test_bounds_change_and_come_back() -> None:
    asked = LinearProgram()
    asked.column(-1.0, upper=10.0)
    asked.column(-2.0, upper=10.0)
    asked.row([0, 1], [1.0, 1.0], upper=12.0)
    solver = Solver(asked)
    first = solver.solve()
    assert first is not None
    assert first.value == pytest.approx(-22.0)
    assert first.row_dual[0] == pytest.approx(
        -1.0
    )  # a unit more of the row is worth the first column
    tight = solver.solve(upper=np.array([10.0, 3.0]))
    assert tight is not None
    assert tight.value == pytest.approx(-15.0)
    rows = solver.solve(row_upper=np.array([5.0]))
    assert rows is not None
    assert rows.value == pytest.approx(-10.0)
    again = solver.solve()
    assert again is not None
    assert again.value == pytest.approx(first.value)


def test_what_cannot_be_is_none() -> None:
    asked = LinearProgram()
    asked.column(1.0, upper=1.0)
    asked.row([0], [1.0], lower=2.0)
    solver = Solver(asked)
    assert solver.solve() is None
    assert solver.solve(lower=np.array([3.0]), upper=np.array([1.0])) is None
    found = solver.solve(upper=np.array([5.0]))
    assert found is not None
    assert found.value == pytest.approx(2.0)


def test_a_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Solver(program(whole=True, seed=1)).solve()
    assert capfd.readouterr().out == ""
