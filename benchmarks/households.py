"""Household plans a second, and the same linear program in scipy and cvxpy; all households are invented.

    python -m benchmarks.households [--households 200] [--best 20] [--growth]

A household has 4 accounts (2 taxable), 30 securities and about 300 lots. `plan` is the whole way from the
arrays of a household to its plan in whole shares; `build` makes the arrays from the book's tables; `verify`
re-checks the plan. Processor time in one run. scipy and cvxpy solve the very program that HiGHS solves here,
once per household in the case of netting where the plan was found; they are left out where they are not
installed. Prints Markdown; docs/performance.md holds the last run that was recorded.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from tests.household.books import request
from tests.household.random_books import random_household
from xl_rebal.household.build import problem_of
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.model import Model, model_of
from xl_rebal.household.planner import plan_household, plan_problem
from xl_rebal.household.request import Prices
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.standing import StandingHousehold
from xl_rebal.optimiser.linear import Solver

ASKED = request("3pp", costs=0.0005, prices=Prices(ticket=0.0))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """A result and the processor seconds that it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def plans(households: int, best: int) -> None:
    """Households a second in both modes, and how far they are from the bound."""
    rows = []
    for mode, count in ((Mode.FAST, households), (Mode.BEST, best)):
        asked = replace(ASKED, mode=mode)
        build, plan, verify, gaps, violations = 0.0, 0.0, 0.0, [], 0
        for seed in range(count):
            source = random_household(seed)
            problem, seconds = timed(lambda s=source, a=asked: problem_of(s, a, "h"))
            build += seconds
            made, seconds = timed(lambda p=problem: plan_problem(p, explained=False))
            plan += seconds
            found, seconds = timed(lambda s=source, a=asked, m=made: check_household(s, a, m))
            verify += seconds
            violations += len(found)
            gaps.append(made.gap_bp)
        rows.append(
            f"| {mode.value} | {count} | {count / plan:.1f} | {count / (build + plan + verify):.1f} | "
            f"{statistics.median(gaps):.4f} | {max(gaps):.4f} | {violations} |"
        )
    print("| mode | households | plans/s | with tables and verifier/s | gap, median bp | gap, largest bp |"
          " violations |\n|---|---|---|---|---|---|---|")  # fmt: skip
    print("\n".join(rows))


def repricing(households: int, updates: int = 5) -> None:
    """Plans after prices moved: from the tables anew, and by a household that stands."""
    cold, warm, solves = 0.0, 0.0, {"cold": 0.0, "warm": 0.0}
    for seed in range(households):
        source = random_household(seed)
        rng = np.random.default_rng(seed)
        standing = StandingHousehold(source, ASKED, "h")
        standing.plan(explained=False)
        search = Search(model_of(problem_of(source, ASKED, "h")))
        search.run()
        for _ in range(updates):
            known = standing.source.book.securities.items()
            standing.update({s: float(each.price or 0) * rng.normal(1, 0.01) for s, each in known})
            _, seconds = timed(lambda h=standing: h.plan(explained=False))
            warm += seconds
            book = standing.source
            _, seconds = timed(lambda b=book: plan_household(b, ASKED, "h", explained=False))
            cold += seconds
            model = model_of(problem_of(book, ASKED, "h"))
            lower, upper = next(Search(model).cases())
            _, seconds = timed(lambda m=model, a=lower, b=upper: Solver(m.program).solve(a, b))
            solves["cold"] += seconds
            search.solver.restart(model.program)
            _, seconds = timed(lambda s=search, a=lower, b=upper: s.solver.solve(a, b))
            solves["warm"] += seconds
    count = households * updates / 1e3
    print(
        "\n| prices moved | plan with tables and verifier, ms | its first program, ms |\n|---|---|---|"
    )
    print(f"| planned anew | {cold / count:.2f} | {solves['cold'] / count:.2f} |")
    print(f"| a household that stands | {warm / count:.2f} | {solves['warm'] / count:.2f} |")


def programs(households: int) -> None:
    """The same linear program, HiGHS called directly against scipy and cvxpy."""
    found: dict[str, list[float]] = {"here, first solve": [], "here, bounds changed": []}
    for seed in range(households):
        search = Search(model_of(problem_of(random_household(seed), ASKED, "h")))
        relaxed = search.run()
        assert relaxed is not None
        model = search.model
        value, seconds = timed(lambda m=model, r=relaxed: Solver(m.program).solve(r.lower, r.upper))
        found["here, first solve"].append(seconds)
        again = relaxed.upper.copy()
        again[model.buy] *= 0.999
        _, seconds = timed(lambda s=search, r=relaxed, u=again: s.solver.solve(r.lower, u))
        found["here, bounds changed"].append(seconds)
        for name, solve in (("scipy", _scipy), ("cvxpy", _cvxpy)):
            if find_spec(name) is None:
                continue
            other, seconds = timed(lambda s=solve, m=model, r=relaxed: s(m, r))
            assert abs(other - value.value) <= 1e-3 * max(1.0, abs(value.value)), (name, other)
            found.setdefault(name, []).append(seconds)
    base = statistics.median(found["here, first solve"])
    print("\n| linear program of a household | ms, median | ratio |\n|---|---|---|")
    for name, seconds in found.items():
        median = statistics.median(seconds)
        print(f"| {name} | {median * 1e3:.2f} | {median / base:.2f} |")


def _arrays(model: Model, relaxed: Relaxed) -> tuple[Any, ...]:
    from scipy.sparse import csr_matrix

    program = model.program
    shape = (len(program.row_lower), len(program.cost))
    matrix = csr_matrix((program.weight, program.index, program.start), shape=shape)
    return matrix, np.array(program.cost), np.array(program.row_lower), np.array(program.row_upper)


def _scipy(model: Model, relaxed: Relaxed) -> float:
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    matrix, cost, low, high = _arrays(model, relaxed)
    above, below = np.isfinite(high), np.isfinite(low)
    result = linprog(
        cost,
        A_ub=vstack([matrix[above], -matrix[below]]),
        b_ub=np.concatenate([high[above], -low[below]]),
        bounds=np.column_stack([relaxed.lower, relaxed.upper]),
        method="highs",
    )
    return float(result.fun)


def _cvxpy(model: Model, relaxed: Relaxed) -> float:
    import cvxpy

    matrix, cost, low, high = _arrays(model, relaxed)
    x = cvxpy.Variable(len(cost))
    above, below = np.isfinite(high), np.isfinite(low)
    floor, ceiling = np.isfinite(relaxed.lower), np.isfinite(relaxed.upper)
    limits = [
        matrix[above] @ x <= high[above],
        matrix[below] @ x >= low[below],
        x[floor] >= relaxed.lower[floor],
        x[ceiling] <= relaxed.upper[ceiling],
    ]
    problem = cvxpy.Problem(cvxpy.Minimize(cost @ x), limits)
    problem.solve(solver="HIGHS")
    return float(problem.value)


def growth() -> None:
    """Fast plans as lots, accounts and securities grow."""
    print("\n| accounts | securities | lots | plan, ms | gap, bp |\n|---|---|---|---|---|")
    for accounts, securities, lots in (
        (4, 30, 75), (4, 30, 150), (4, 30, 300), (4, 30, 600), (2, 30, 300), (8, 30, 300),
        (4, 500, 1_500),
    ):  # fmt: skip
        spent, gaps = [], []
        for seed in range(5):
            source = random_household(seed, accounts=accounts, securities=securities, lots=lots)
            problem = problem_of(source, ASKED, "h")
            made, seconds = timed(lambda p=problem: plan_problem(p, explained=False))
            spent.append(seconds)
            gaps.append(made.gap_bp)
        middle = statistics.median(spent) * 1e3
        print(f"| {accounts} | {securities} | {lots:,} | {middle:.0f} | {max(gaps):.4f} |")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=200)
    parser.add_argument("--best", type=int, default=20)
    parser.add_argument("--growth", action="store_true")
    asked = parser.parse_args()
    plans(asked.households, asked.best)
    programs(min(asked.households, 50))
    repricing(min(asked.households, 20))
    if asked.growth:
        growth()


if __name__ == "__main__":
    main()
