"""Drift: a class's weight minus its target, for one account or thousands at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import Fault, FaultList, TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.groups import Group
from xl_rebal.portfolio.targets import Targets

# Weights and drifts compare at this resolution: 0.35 - 0.40 must count as exactly -5 pp (S026).
TOLERANCE = 1e-9
_HALF_CENT = 0.005

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Weights against targets of the A accounts that follow one model with K classes.

    accounts   A names.
    classes    K names: the targets in their order, and `Cash` last when the model has no cash class.
    value      (A, K) money in each class; cash is less the reserve.
    base       (A,) weight base: positions + cash, less reserve and excluded holdings.
    weight     (A, K) value / base; zero for an account that holds nothing.
    target     (K,) target weights.
    drift      (A, K) weight - target; zero for an account that holds nothing.
    """

    targets: Targets
    accounts: tuple[str, ...]
    classes: tuple[str, ...]
    value: Matrix
    base: Matrix
    weight: Matrix
    target: Matrix
    drift: Matrix

    @property
    def relative(self) -> Matrix:
        """(A, K) drift / target; NaN where the target is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.target > 0, self.drift / self.target, np.nan)

    @property
    def cash_index(self) -> int | None:
        """Column of the class that cash counts in."""
        for index, name in enumerate(self.classes):
            if classes.is_cash(name):
                return index
        return None


def measure(book: Book) -> list[Drift]:
    """One Drift for each model of the book. Raises TableError where a total is negative."""
    drifts = measure_all(book)
    faults = FaultList()
    for drift in drifts:
        faults.extend(negative_totals(drift).values())
    faults.raise_as(TableError)
    return drifts


def measure_all(book: Book) -> list[Drift]:
    """The same, with weights and drifts of zero where a total is negative: `negative_totals` names these.

    Sums are grouped by account and class in one pass over the rows, never account by account.
    """
    return [_measure_group(book, group) for group in book.groups]


def negative_totals(drift: Drift) -> dict[str, Fault]:
    """The accounts whose value less the reserve is negative: their weights have no meaning."""
    return {
        drift.accounts[row]: Fault(
            where=f"account {drift.accounts[row]}",
            what="its value less the reserve is negative "
            f"({drift.base[row]:,.2f}); weights have no meaning",
            remedy="lower the reserve, or correct the holdings",
        )
        for row in np.flatnonzero(drift.base < -_HALF_CENT).tolist()
    }


def weighable(book: Book) -> tuple[Book, dict[str, Fault]]:
    """The book of the accounts whose totals are not negative, and why each other account is left out.

    Raises TableError where no account is left.
    """
    debts: dict[str, Fault] = {}
    for drift in measure_all(book):
        debts |= negative_totals(drift)
    if not debts:
        return book, {}
    kept = ~np.isin(book.holdings.account.astype(str), list(debts))
    if not kept.any():
        raise TableError(*debts.values())
    return replace(book, holdings=book.holdings.take(kept)), debts


def class_columns(targets: Targets) -> tuple[str, ...]:
    """The classes that drift is measured in: the targets, and cash when no target is cash."""
    return targets.columns


def _measure_group(book: Book, group: Group) -> Drift:
    columns = group.targets.columns
    money = group.by_class(group.of(book.holdings.value))
    cash_column = next(index for index, name in enumerate(columns) if classes.is_cash(name))
    money[:, cash_column] -= group.reserve
    return drift_of_values(group.targets, group.accounts, columns, money)


def drift_of(
    targets: Targets, accounts: tuple[str, ...], columns: tuple[str, ...], value: Matrix
) -> Drift:
    """Drift from (A, K) values; `columns` are those of `class_columns`.

    Raises TableError where a total is negative.
    """
    drift = drift_of_values(targets, accounts, columns, value)
    faults = FaultList()
    faults.extend(negative_totals(drift).values())
    faults.raise_as(TableError)
    return drift


def drift_of_values(
    targets: Targets, accounts: tuple[str, ...], columns: tuple[str, ...], value: Matrix
) -> Drift:
    """The same, with weights and drifts of zero where a total is negative."""
    base = value.sum(axis=1)
    weights = dict(zip(targets.classes, targets.weights.tolist(), strict=True))
    target = np.array([weights.get(name, 0.0) for name in columns])
    held = base > _HALF_CENT
    weight = np.divide(value, base[:, None], out=np.zeros_like(value), where=held[:, None])
    drift = np.where(held[:, None], weight - target, 0.0)
    return Drift(
        targets=targets,
        accounts=accounts,
        classes=columns,
        value=value,
        base=base,
        weight=weight,
        target=target,
        drift=drift,
    )
