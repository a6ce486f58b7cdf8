"""Linear and mixed-integer programs in arrays, solved by HiGHS with a fixed pattern and a warm start.

HiGHS: Huangfu and Hall 2018, "Parallelizing the dual revised simplex method". Bounds may change between
two solves, the pattern may not, so each solve starts from the basis of the one before. Work is limited
by nodes, never by the clock: a result does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
INFINITE = float("inf")
_OPTIMAL, _NODE_LIMIT = 7, 14  # HighsModelStatus: kOptimal, kSolutionLimit
_FEASIBLE = 2  # kSolutionStatusFeasible
NODES = 2_000


@dataclass(slots=True)
class LinearProgram:
    """Minimise cost x subject to row_lower <= A x <= row_upper and lower <= x <= upper.

    Columns and rows are added one by one; `whole` columns take whole numbers.
    """

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)

    def columns(
        self, cost: Sequence[float], upper: Sequence[float], lower: Sequence[float] | None = None
    ) -> NDArray[np.int64]:
        """Continuous columns with these costs and bounds (lower 0); their numbers."""
        first = len(self.cost)
        self.cost.extend(cost)
        self.upper.extend(upper)
        self.lower.extend(lower if lower is not None else [0.0] * len(cost))
        self.whole.extend([False] * len(cost))
        return np.arange(first, len(self.cost))

    def column(
        self, cost: float = 0.0, *, lower: float = 0.0, upper: float = INFINITE, whole: bool = False
    ) -> int:
        """One column; its number."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(
        self,
        index: Sequence[int],
        weight: Sequence[float],
        *,
        lower: float = -INFINITE,
        upper: float = INFINITE,
    ) -> int:
        """lower <= sum of weight x column <= upper; the row's number."""
        self.start.append(len(self.index))
        self.index.extend(index)
        self.weight.extend(weight)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """A solution: its value, what no solution can be below, the columns, and the dual prices."""

    value: float
    bound: float
    x: Vector
    row_dual: Vector
    column_dual: Vector


class Solver:
    """One program that is solved again and again under other bounds."""

    def __init__(self, program: LinearProgram) -> None:
        # highspy.Highs prints a banner on stdout when it is made; its base class does not.
        self._solver = highspy._Highs()  # type: ignore[attr-defined]  # its stubs leave the base class out
        self._mixed = any(program.whole)
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 1),
            ("presolve", "on" if self._mixed else "off"),
            ("mip_max_nodes", NODES),
            ("mip_feasibility_tolerance", 1e-9),
        ):
            self._solver.setOptionValue(option, value)
        self._solver.passModel(_model(program))
        self.lower = np.array(program.lower)
        self.upper = np.array(program.upper)
        self.row_lower = np.array(program.row_lower)
        self.row_upper = np.array(program.row_upper)
        self._now = (
            self.lower.copy(),
            self.upper.copy(),
            self.row_lower.copy(),
            self.row_upper.copy(),
        )

    def gap(self, amount: float) -> None:
        """Stop a mixed-integer search once it is proven to this amount."""
        self._solver.setOptionValue("mip_rel_gap", 0.0)
        self._solver.setOptionValue("mip_abs_gap", amount)

    def solve(
        self,
        lower: Vector | None = None,
        upper: Vector | None = None,
        row_lower: Vector | None = None,
        row_upper: Vector | None = None,
    ) -> Optimum | None:
        """The optimum under these bounds (the program's own where none is given); None: infeasible."""
        wanted = (
            self.lower if lower is None else lower,
            self.upper if upper is None else upper,
            self.row_lower if row_lower is None else row_lower,
            self.row_upper if row_upper is None else row_upper,
        )
        if (wanted[0] > wanted[1]).any():
            return None
        self._bound(wanted)
        self._solver.run()
        status = int(self._solver.getModelStatus())
        info = self._solver.getInfo()
        if info.primal_solution_status != _FEASIBLE or (not self._mixed and status != _OPTIMAL):
            return None
        found = self._solver.getSolution()
        value = float(info.objective_function_value)
        return Optimum(
            value=value,
            bound=min(value, float(info.mip_dual_bound)) if self._mixed else value,
            x=np.array(found.col_value),
            row_dual=np.array(found.row_dual),
            column_dual=np.array(found.col_dual),
        )

    def start_from(self, columns: NDArray[np.int64], values: Vector) -> None:
        """A known solution, or a part of one, for a mixed-integer search to begin with."""
        self._solver.setSolution(len(columns), columns.astype(np.int32), values)

    def _bound(self, wanted: tuple[Vector, Vector, Vector, Vector]) -> None:
        lower, upper, row_lower, row_upper = wanted
        old = self._now
        changed = np.flatnonzero((lower != old[0]) | (upper != old[1])).astype(np.int32)
        if len(changed):
            self._solver.changeColsBounds(len(changed), changed, lower[changed], upper[changed])
        rows = np.flatnonzero((row_lower != old[2]) | (row_upper != old[3])).astype(np.int32)
        if len(rows):
            self._solver.changeRowsBounds(len(rows), rows, row_lower[rows], row_upper[rows])
        self._now = (lower.copy(), upper.copy(), row_lower.copy(), row_upper.copy())


def _model(program: LinearProgram) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.row_lower)
    lp.col_cost_ = np.array(program.cost)
    lp.col_lower_, lp.col_upper_ = np.array(program.lower), np.array(program.upper)
    lp.row_lower_, lp.row_upper_ = np.array(program.row_lower), np.array(program.row_upper)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array([*program.start, len(program.index)], dtype=np.int32)
    lp.a_matrix_.index_ = np.array(program.index, dtype=np.int32)
    lp.a_matrix_.value_ = np.array(program.weight)
    if any(program.whole):
        kind = highspy.HighsVarType
        lp.integrality_ = [kind.kInteger if whole else kind.kContinuous for whole in program.whole]
    return lp
