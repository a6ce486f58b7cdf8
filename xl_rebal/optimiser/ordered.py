"""Minimise one objective after the other over whole numbers, each with the bound that was proven.

HiGHS (Huangfu and Hall 2018, "Parallelizing the dual revised simplex method") solves each stage; what a
stage reached becomes a constraint of the next. The work is limited by nodes of the search tree, never
by the clock, so that a result does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
INFINITE = float("inf")
NODES = 50  # of one stage; small plans need a few
_FEASIBLE = 1e-7  # how far a row may be off, in its own unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A sum to be made small.

    index, weight  its terms.
    step           what two different values differ by at least; a bound is rounded up to it.
    slack          how far above the value found the stages after it may go.
    """

    index: Vector
    weight: Vector
    step: float = 0.0
    slack: float = 0.0


@dataclass(slots=True)
class Program:
    """Variables and rows, added one by one; all money in the same unit."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)

    def variable(self, lower: float = 0.0, upper: float = INFINITE, *, whole: bool = False) -> int:
        """A new variable; its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.lower) - 1

    def row(
        self, terms: dict[int, float], *, lower: float = -INFINITE, upper: float = INFINITE
    ) -> None:
        """lower <= sum of weight x variable <= upper."""
        self.start.append(len(self.index))
        for index, weight in terms.items():
            if weight:
                self.index.append(index)
                self.weight.append(weight)
        self.row_lower.append(lower)
        self.row_upper.append(upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one objective came to: the value found, what no solution can be below, the variables."""

    value: float
    bound: float
    x: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The outcome of every stage that was solved, none where the node limit came first."""

    stages: tuple[Stage, ...]


def minimise_in_order(
    program: Program,
    objectives: tuple[Objective, ...],
    *,
    start: Mapping[int, float],
    nodes: int = NODES,
) -> Solution | None:
    """Minimise the objectives one after the other; None when nothing satisfies the rows. The solution has
    no stage when none was found within the node limit.

    start  values of the whole-number variables in a known solution (others are 0), to begin with.
    """
    # highspy.Highs prints a banner on stdout when it is made; its base class does not.
    solver = highspy._Highs()  # type: ignore[attr-defined]  # its stubs leave the base class out
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 1),
        ("mip_max_nodes", nodes),
        ("mip_max_start_nodes", 20),
        ("mip_heuristic_run_feasibility_jump", False),
        ("mip_heuristic_effort", 0.0),
        ("mip_detect_symmetry", False),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 1e-6),
        ("mip_feasibility_tolerance", 1e-9),
        ("primal_feasibility_tolerance", _FEASIBLE),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(_model(program))
    found = Solution(stages=())
    columns = np.arange(len(program.lower), dtype=np.int32)
    known = np.flatnonzero(np.array(program.whole)).astype(np.int32)
    values = np.array([start.get(int(index), 0.0) for index in known])
    for objective in objectives:
        if len(known):
            solver.setSolution(len(known), known, values)
        cost = np.zeros(len(columns))
        np.add.at(cost, objective.index.astype(np.int64), objective.weight)
        solver.changeColsCost(len(columns), columns, cost)
        solver.run()
        info = solver.getInfo()
        if info.primal_solution_status != 2:  # kSolutionStatusFeasible
            nothing = solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible
            return None if nothing and not found.stages else found
        x = np.array(solver.getSolution().col_value)
        value = float(cost @ x)
        bound = min(value, float(info.mip_dual_bound))
        if objective.step:
            value = round(value / objective.step) * objective.step
            bound = min(value, np.ceil(bound / objective.step - 1e-6) * objective.step)
        stage = Stage(value=value, bound=float(bound), x=x)
        found = Solution(stages=(*found.stages, stage))
        values = np.round(x[known])
        terms = np.flatnonzero(cost).astype(np.int32)
        if len(terms):
            solver.addRow(
                -highspy.kHighsInf,
                value + objective.slack + _FEASIBLE,
                len(terms),
                terms,
                cost[terms],
            )
    return found


def _model(program: Program) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.lower), len(program.row_lower)
    lp.col_cost_ = np.zeros(lp.num_col_)
    lp.col_lower_, lp.col_upper_ = np.array(program.lower), np.array(program.upper)
    lp.row_lower_, lp.row_upper_ = np.array(program.row_lower), np.array(program.row_upper)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array([*program.start, len(program.index)], dtype=np.int32)
    lp.a_matrix_.index_ = np.array(program.index, dtype=np.int32)
    lp.a_matrix_.value_ = np.array(program.weight)
    kind = highspy.HighsVarType
    lp.integrality_ = [kind.kInteger if whole else kind.kContinuous for whole in program.whole]
    return lp
