"""Annual covariances of classes, from a table of prices or of volatilities and correlations.

Prices: simple returns from row to row, sample covariance (n - 1), times the rows a year, counted from
the dates (rows / years between the first and the last). Volatilities are annual fractions; correlations
that the table does not give are 0.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.drift import Matrix
from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import cells, classes
from xl_rebal.portfolio.tables import header_key

_FEWEST = 3  # rows of prices: two returns, the least that have a variance
_DAYS = 365.25


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

    def variance(self, exposure: Matrix) -> float:
        """Annual variance of weights, or of differences of weights: e' S e."""
        return max(0.0, float(exposure @ self.matrix @ exposure))


def covariance_of_rows(
    rows: Sequence[Sequence[Any]], wanted: Sequence[str], *, where: str
) -> Covariance:
    """Covariances of the classes `wanted`, from a table with its header in the first row.

    A column `volatility` makes it a table of volatilities (asset_class, volatility, one column a class
    for correlations); else it is one of prices (date, one column a class).
    """
    header = [header_key(cells.text(cell)) for cell in rows[0]] if rows else []
    if len(rows) < 2:
        raise TableError.of(
            where=where,
            what="has no rows below its header",
            remedy="give date and prices, or asset_class and volatility",
        )
    if "volatility" in header:
        return _from_volatilities(rows, header, wanted, where)
    return _from_prices(rows, header, wanted, where)


_SERIAL_ZERO = dt.date(
    1899, 12, 30
)  # a sheet counts days from here; a date in it may come as a number


def _date(cell: Any) -> dt.date:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 10_000 < cell < 100_000:
        return _SERIAL_ZERO + dt.timedelta(days=int(cell))
    return cells.date(cell)


def _columns(header: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    return {name: header.index(header_key(name)) for name in wanted if header_key(name) in header}


def _require(names: set[str], wanted: Sequence[str], where: str, part: str) -> None:
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


def _from_volatilities(
    rows: Sequence[Sequence[Any]], header: Sequence[str], wanted: Sequence[str], where: str
) -> Covariance:
    column = header.index("assetclass") if "assetclass" in header else 0
    spread = header.index("volatility")
    of_row = {header_key(cells.text(row[column])): i for i, row in enumerate(rows[1:], start=1)}
    have = {name for name in wanted if header_key(name) in of_row}
    _require(have, wanted, where, "row")
    faults = FaultList()
    count = len(wanted)
    sd = np.zeros(count)
    correlation = np.eye(count)
    places = _columns(header, wanted)
    given: dict[tuple[int, int], float] = {}
    for i, name in enumerate(wanted):
        if name not in have:
            continue
        line = of_row[header_key(name)]
        place = f"{where} row {line + 1}"
        sd[i] = _number(rows[line][spread], f"{place}, volatility", faults, above=0.0, upto=10.0)
        for j, other in enumerate(wanted):
            cell = rows[line][places[other]] if other in places else None
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


def _from_prices(
    rows: Sequence[Sequence[Any]], header: Sequence[str], wanted: Sequence[str], where: str
) -> Covariance:
    if "date" not in header:
        raise TableError.of(
            where=where,
            what="has neither a column date nor a column volatility",
            remedy="give date and a price column a class, or asset_class and volatility",
        )
    at = header.index("date")
    places = _columns(header, wanted)
    _require(set(places), wanted, where, "price column")
    faults = FaultList()
    dates: list[dt.date] = []
    prices = np.ones((len(rows) - 1, len(wanted)))
    for line, row in enumerate(rows[1:]):
        try:
            dates.append(_date(row[at]))
        except ValueError as error:
            faults.add(where=f"{where} row {line + 2}, date", what=str(error), remedy="correct it")
        for name, column in places.items():
            place = f"{where} row {line + 2}, {name}"
            value = _number(row[column], place, faults, above=1e-12, upto=1e15)
            prices[line, list(wanted).index(name)] = value
    faults.raise_as(TableError)
    if len(dates) < _FEWEST or any(b <= a for a, b in itertools.pairwise(dates)):
        raise TableError.of(
            where=where,
            what=f"has {len(dates)} rows of prices"
            if len(dates) < _FEWEST
            else "its dates do not ascend",
            remedy=f"give {_FEWEST} rows or more, the oldest first",
        )
    returns = prices[1:] / prices[:-1] - 1
    a_year = len(returns) / ((dates[-1] - dates[0]).days / _DAYS)
    matrix = np.atleast_2d(np.cov(returns, rowvar=False)) * a_year
    words = (
        f"{len(returns)} returns from {dates[0]} to {dates[-1]}, {a_year:.1f} a year, "
        "sample covariance times that"
    )
    return Covariance(classes=tuple(wanted), matrix=matrix, words=words)
