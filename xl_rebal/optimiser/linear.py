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
_ROW_WISE, _MINIMISE = 2, 1  # MatrixFormat, ObjSense
NODES = 2_000


Numbers = Sequence[float] | Vector


@dataclass(slots=True)
class LinearProgram:
    """Minimise cost x subject to row_lower <= A x <= row_upper and lower <= x <= upper.

    Columns and rows are added one by one or many at once; `whole` columns take whole numbers.
    """

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    _ends: list[int] = field(default_factory=lambda: [0])
    _index: list[NDArray[np.int32]] = field(default_factory=list)
    _weight: list[Vector] = field(default_factory=list)

    def columns(
        self, cost: Numbers, upper: Numbers, lower: Numbers | None = None
    ) -> NDArray[np.int64]:
        """Continuous columns with these costs and bounds (lower 0); their numbers."""
        first = len(self.cost)
        self.cost.extend(_listed(cost))
        self.upper.extend(_listed(upper))
        self.lower.extend(_listed(lower) if lower is not None else [0.0] * len(cost))
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
        self._index.append(np.array(index, dtype=np.int32))
        self._weight.append(np.array(weight, dtype=np.float64))
        self._ends.append(self._ends[-1] + len(index))
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1

    def rows(self, weights: Vector, lower: Numbers, upper: Numbers) -> NDArray[np.int64]:
        """Rows from a matrix with a column for each of the program; their numbers."""
        first = len(self.row_lower)
        used, index = np.nonzero(weights)
        self._index.append(index.astype(np.int32))
        self._weight.append(weights[used, index])
        ends = self._ends[-1] + np.cumsum(np.bincount(used, minlength=len(weights)))
        self._ends.extend(ends.tolist())
        self.row_lower.extend(_listed(lower))
        self.row_upper.extend(_listed(upper))
        return np.arange(first, len(self.row_lower))

    def rows_of(self, index: NDArray[np.int64], weights: Vector, upper: float) -> None:
        """Rows of as many terms each, (m, t) columns and weights: their sums are at most `upper`."""
        count, terms = index.shape
        self._index.append(index.astype(np.int32).ravel())
        self._weight.append(weights.ravel())
        self._ends.extend((self._ends[-1] + terms * np.arange(1, count + 1)).tolist())
        self.row_lower.extend([-INFINITE] * count)
        self.row_upper.extend([upper] * count)

    @property
    def start(self) -> NDArray[np.int32]:
        """(rows + 1,) where the terms of each row begin in `index` and `weight`."""
        return np.array(self._ends, dtype=np.int32)

    @property
    def index(self) -> NDArray[np.int32]:
        """The columns of all terms, row after row."""
        return np.concatenate(self._index) if self._index else np.zeros(0, dtype=np.int32)

    @property
    def weight(self) -> Vector:
        """Their weights."""
        return np.concatenate(self._weight) if self._weight else np.zeros(0)


def _listed(numbers: Numbers) -> list[float]:
    return numbers.tolist() if isinstance(numbers, np.ndarray) else list(numbers)


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
            # Rows in dollars with weights about 1 need no scaling; those in steps do.
            ("simplex_scale_strategy", 2 if self._mixed else 0),
            ("mip_max_nodes", NODES),
            ("mip_feasibility_tolerance", 1e-9),
            ("mip_detect_symmetry", False),  # these two cost more here than they save
            ("mip_heuristic_run_feasibility_jump", False),
        ):
            self._solver.setOptionValue(option, value)
        self._take(program)

    def restart(self, program: LinearProgram) -> None:
        """Take another linear program in, and begin it from the basis of the last optimum where it has as
        many columns and rows: when only figures change, few steps are left to the new optimum.
        """
        shape = (len(self.lower), len(self.row_lower))
        basis = self._solver.getBasis()
        self._take(program)
        if basis.valid and shape == (len(self.lower), len(self.row_lower)):
            self._solver.setBasis(basis)

    def _take(self, program: LinearProgram) -> None:
        self.lower = np.array(program.lower)
        self.upper = np.array(program.upper)
        self.row_lower = np.array(program.row_lower)
        self.row_upper = np.array(program.row_upper)
        self._pass(program)
        self._now = (
            self.lower.copy(),
            self.upper.copy(),
            self.row_lower.copy(),
            self.row_upper.copy(),
        )

    def _pass(self, program: LinearProgram) -> None:
        # Arrays one by one: a HighsLp copies each of them twice.
        start, index, weight = program.start, program.index, program.weight
        self._solver.passModel(
            len(self.lower), len(self.row_lower), len(index), _ROW_WISE, _MINIMISE, 0.0,
            np.array(program.cost), self.lower, self.upper, self.row_lower, self.row_upper,
            start, index, weight, np.array(program.whole, dtype=np.int32),
        )  # fmt: skip

    def gap(self, amount: float, *, nodes: int | None = None) -> None:
        """Stop a mixed-integer search once it is proven to this amount, or after so many nodes."""
        self._solver.setOptionValue("mip_rel_gap", 0.0)
        self._solver.setOptionValue("mip_abs_gap", amount)
        if nodes is not None:
            self._solver.setOptionValue("mip_max_nodes", nodes)

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
