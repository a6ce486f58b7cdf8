"""Annual covariances of classes, from their returns or from a table of volatilities and correlations.

Returns: sample covariance (n - 1) of simple returns, times the rows a year. Volatilities are annual
fractions; correlations that the table does not give are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.drift import Matrix
from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import cells, classes
from xl_rebal.portfolio.tables import header_key

_FLAT = 1e-16  # a volatility of a millionth of a per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Annual covariances.

    classes  K names.
    matrix   (K, K) covariances of annual returns as fractions; cash without a row does not move.
    words    where they come from, to be printed.
    """

    classes: tuple[str, ...]
    matrix: Matrix
    words: str

    def __post_init__(self) -> None:
        count = len(self.classes)
        if self.matrix.shape != (count, count) or not np.isfinite(self.matrix).all():
            raise ValueError("a covariance needs a number for every pair of classes")
        least = float(np.linalg.eigvalsh(self.matrix).min()) if count else 0.0
        if least < -1e-9 * max(1.0, float(np.abs(self.matrix).max())):
            raise ValueError(
                "these correlations contradict each other (a variance would be negative)"
            )

    @property
    def flat(self) -> tuple[str, ...]:
        """The classes, cash aside, that do not move at all: a table that says so may be mistaken."""
        still = np.diag(self.matrix) <= _FLAT
        return tuple(
            name
            for name, is_flat in zip(self.classes, still.tolist(), strict=True)
            if is_flat and not classes.is_cash(name)
        )

    def of(self, names: Sequence[str]) -> Covariance:
        """The covariances of some of the classes, in the order of `names`."""
        places = [self.classes.index(name) for name in names]
        matrix = self.matrix[np.ix_(places, places)]
        return Covariance(classes=tuple(names), matrix=matrix, words=self.words)

    def weights_of(self, given: Mapping[str, float]) -> Matrix:
        """(K,) the given weights in the order of the classes; 0 for those that are not named."""
        return np.array([given.get(name, 0.0) for name in self.classes])

    def variance(self, exposure: Matrix) -> float:
        """Annual variance of weights, or of differences of weights: e' S e."""
        return max(0.0, float(exposure @ self.matrix @ exposure))


def _columns(header: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    return {name: header.index(header_key(name)) for name in wanted if header_key(name) in header}


def require_all(names: set[str], wanted: Sequence[str], *, where: str, part: str) -> None:
    """Refuse what leaves out a class; cash may be left out, it does not move."""
    missing = [name for name in wanted if name not in names and not classes.is_cash(name)]
    if missing:
        raise TableError.of(
            where=where,
            what=f"has no {part} for {', '.join(missing)}",
            remedy=f"add a {part} for each target class, named like it",
        )


def _number(cell: Any, place: str, faults: FaultList, *, above: float, upto: float) -> float:
    try:
        value = (
            cells.fraction(cell) if isinstance(cell, str) and "%" in cell else cells.number(cell)
        )
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        faults.add(where=place, what=what, remedy=remedy or "enter a number")
        return above
    if not above <= value <= upto:
        faults.add(where=place, what=f"{value:g} is not possible", remedy="correct it")
    return value


def covariance_of_volatilities(
    rows: Sequence[Sequence[Any]],
    wanted: Sequence[str],
    *,
    where: str,
    line: Callable[[int], str] | None = None,
) -> Covariance:
    """Covariances of the classes `wanted` from a table with its header in the first row: asset_class,
    volatility, and one column a class for correlations.

    line  words for the place of a row in messages, by its index.
    """
    at = line or (lambda index: f"{where} row {index + 1}")
    header = [header_key(cells.text(cell)) for cell in rows[0]]
    column = header.index("assetclass") if "assetclass" in header else 0
    spread = header.index("volatility")
    of_row = {header_key(cells.text(row[column])): i for i, row in enumerate(rows[1:], start=1)}
    have = {name for name in wanted if header_key(name) in of_row}
    require_all(have, wanted, where=where, part="row")
    faults = FaultList()
    _refuse_repeats([cells.text(row[column]) for row in rows[1:]], at, faults)
    count = len(wanted)
    sd = np.zeros(count)
    correlation = np.eye(count)
    places = _columns(header, wanted)
    given: dict[tuple[int, int], float] = {}
    for i, name in enumerate(wanted):
        if name not in have:
            continue
        index = of_row[header_key(name)]
        place = at(index)
        sd[i] = _number(rows[index][spread], f"{place}, volatility", faults, above=0.0, upto=10.0)
        for j, other in enumerate(wanted):
            cell = rows[index][places[other]] if other in places else None
            if i == j or cells.is_blank(cell):
                continue
            value = _number(cell, f"{place}, {other}", faults, above=-1.0, upto=1.0)
            if abs(given.setdefault((j, i), value) - value) > 1e-9:
                faults.add(
                    where=f"{place}, {other}",
                    what=f"{value:g}, and the same pair is {given[(j, i)]:g} elsewhere",
                    remedy="give one correlation for a pair",
                )
            given[(i, j)] = value
            correlation[i, j] = correlation[j, i] = value
    faults.raise_as(TableError)
    words = "annual volatilities as given, correlations "
    words += "as given (0 where there is none)" if given else "0"
    try:
        return Covariance(classes=tuple(wanted), matrix=correlation * np.outer(sd, sd), words=words)
    except ValueError as error:
        raise TableError.of(where=where, what=str(error), remedy="correct them") from None


def covariance_of_returns(
    returns: Matrix, a_year: float, wanted: Sequence[str], *, words: str
) -> Covariance:
    """Covariances of the K classes `wanted` from the (T, K) returns of T rows, `a_year` of them a year."""
    matrix = np.atleast_2d(np.cov(returns, rowvar=False)) * a_year
    return Covariance(classes=tuple(wanted), matrix=matrix, words=words)


def _refuse_repeats(names: Sequence[str], at: Callable[[int], str], faults: FaultList) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names, start=1):
        first = seen.setdefault(header_key(name), index)
        if first != index:
            faults.add(
                where=at(index),
                what=f"{name!r} stands twice, first at {at(first)}",
                remedy="keep one of the rows",
            )
