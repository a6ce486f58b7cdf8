"""Household plans a second, and the same linear program in scipy and cvxpy; all households are invented.

    python -m benchmarks --only households

A household has 4 accounts (2 taxable), 30 securities and about 300 lots. `plan` is the whole way from the
arrays of a household to its plan in whole shares; `build` makes the arrays from the book's tables; `verify`
re-checks the plan. Processor time in one run. scipy and cvxpy solve the very program that HiGHS solves here,
once per household in the case of netting where the plan was found; they are left out where they are not
installed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.measuring import Result, Section, table
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


@dataclass(frozen=True, slots=True)
class Made:
    """Plans of one mode: a second, with tables and verifier a second, gaps in bp, violations."""

    mode: Mode
    count: int
    speed: float
    whole: float
    gaps: list[float]
    violations: int


def plans(households: int, best: int) -> list[Made]:
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
        speed, whole = count / plan, count / (build + plan + verify)
        rows.append(Made(mode, count, speed, whole, gaps, violations))
    return rows


def repricing(households: int, updates: int = 5) -> str:
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
    rows = [
        ["planned anew", f"{cold / count:.2f}", f"{solves['cold'] / count:.2f}"],
        ["a household that stands", f"{warm / count:.2f}", f"{solves['warm'] / count:.2f}"],
    ]
    head = ["prices moved", "plan with tables and verifier, ms", "its first program, ms"]
    return table(head, rows)


def programs(households: int) -> str:
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
    lines = []
    for name, seconds in found.items():
        median = statistics.median(seconds)
        lines.append([name, f"{median * 1e3:.2f}", f"{median / base:.2f}"])
    return table(["linear program of a household", "ms, median", "ratio"], lines)


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


def growth(*, quick: bool) -> str:
    """Fast plans as lots, accounts and securities grow."""
    sizes = (
        (4, 30, 75), (4, 30, 150), (4, 30, 300), (4, 30, 600), (2, 30, 300), (8, 30, 300),
        (4, 500, 1_500),
    )  # fmt: skip
    lines = []
    for accounts, securities, lots in sizes[:2] if quick else sizes:
        spent, gaps = [], []
        for seed in range(1 if quick else 5):
            source = random_household(seed, accounts=accounts, securities=securities, lots=lots)
            problem = problem_of(source, ASKED, "h")
            made, seconds = timed(lambda p=problem: plan_problem(p, explained=False))
            spent.append(seconds)
            gaps.append(made.gap_bp)
        middle = statistics.median(spent) * 1e3
        lines.append(
            [str(accounts), str(securities), f"{lots:,}", f"{middle:.0f}", f"{max(gaps):.4f}"]
        )
    return table(["accounts", "securities", "lots", "plan, ms", "gap, bp"], lines)


def measure(*, quick: bool) -> Section:
    """Both modes, the linear program beside scipy and cvxpy, and growth."""
    made = plans(*(4, 1) if quick else (200, 50))
    lines = [
        [
            each.mode.value,
            f"{each.count}",
            f"{each.speed:.1f}",
            f"{each.whole:.1f}",
            f"{statistics.median(each.gaps):.4f}",
            f"{max(each.gaps):.4f}",
            f"{each.violations}",
        ]
        for each in made
    ]
    head = ["mode", "households", "plans/s", "with tables and verifier/s", "gap, median bp"]
    head += ["gap, largest bp", "violations"]
    words = (
        "Invented households of 4 accounts (2 taxable), 30 securities and about 300 lots, tickets free; "
        "`plan` is from a household's arrays to whole shares, without explanations; processor time. The "
        "gap is to the bound of the plan in fractions. scipy and cvxpy solve one program; a plan solves "
        "several, each from the basis of the one before.\n\n"
    )
    parts = [table(head, lines), programs(3 if quick else 50), repricing(1 if quick else 20)]
    parts.append(growth(quick=quick))
    fast, best = made
    return Section(
        title="Households",
        results=[
            Result(
                work="household plans a second per core, fast mode",
                measured=f"{fast.speed:,.1f}",
                budget="≥1,000",
                met=None if quick else fast.speed >= 1_000,
            ),
            *(
                Result(
                    work=f"household plans, largest gap to the bound, {each.mode.value} mode",
                    measured=f"{max(each.gaps):.4f} bp",
                    budget=f"≤{budget:g} bp",
                    met=None if quick else max(each.gaps) <= budget,
                )
                for each, budget in ((fast, 0.3), (best, 0.05))
            ),
        ],
        text=words + "\n\n".join(parts),
    )
