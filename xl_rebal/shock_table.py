"""What given returns of the classes make of the accounts of a book: weights, drift and bands afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.bands import BandCheck, check_drift
from xl_rebal.drift import Drift, Matrix, drift_of_values, measure
from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Policy
from xl_rebal.risk.shock import returns_of

_HALF_CENT = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Shocked:
    """The accounts of one model before and after a shock.

    returns  (K,) of the classes of `before.drift`, as fractions.
    """

    before: BandCheck
    after: BandCheck
    returns: Matrix


def shock_book(book: Book, policy: Policy, given: Mapping[str, float]) -> list[Shocked]:
    """Every account of the book after the given returns, one result per model."""
    return shock_drifts(book, measure(book), policy, given)


def shock_drifts(
    book: Book, drifts: Sequence[Drift], policy: Policy, given: Mapping[str, float]
) -> list[Shocked]:
    """The same from drifts that are measured; an account without weights stays without them.

    given  returns by class, or by a branch of classes; what is not named stays flat.
    Raises TableError for a class of no model, and for an account of which nothing would be left.
    """
    names = tuple(dict.fromkeys(name for drift in drifts for name in drift.classes))
    moved = dict(zip(names, returns_of(given, names).tolist(), strict=True))
    faults = FaultList()
    result = []
    for drift in drifts:
        returns = np.array([moved[name] for name in drift.classes])
        value = drift.value * (1 + returns)
        lost = (drift.base > _HALF_CENT) & (value.sum(axis=1) <= _HALF_CENT)
        for row in np.flatnonzero(lost).tolist():
            faults.add(
                where="returns",
                what=f"leave nothing of account {drift.accounts[row]}",
                remedy="correct them",
            )
        after = drift_of_values(drift.targets, drift.accounts, drift.classes, value)
        result.append(
            Shocked(
                before=check_drift(book, drift, policy),
                after=check_drift(book, after, policy),
                returns=returns,
            )
        )
    faults.raise_as(TableError)
    return result


def shock_rows(shocked: Iterable[Shocked]) -> list[dict[str, Any]]:
    """One row per account and class, as `shock --json` has them; weights are fractions."""
    rows: list[dict[str, Any]] = []
    for each in shocked:
        returned = dict(zip(each.before.drift.classes, each.returns.tolist(), strict=True))
        before = {(row["account"], row["asset_class"]): row for row in each.before.rows()}
        for row in each.after.rows():
            was = before.get((row["account"], row["asset_class"]))
            rows.append(
                {
                    "account": row["account"],
                    "asset_class": row["asset_class"],
                    "weight": was["weight"] if was else 0.0,
                    "return": returned[row["asset_class"]],
                    "weight_after": row["weight"],
                    "target": row["target"],
                    "drift_after": row["drift"],
                    "value_after": row["value"],
                    "lower": row["lower"],
                    "upper": row["upper"],
                    "status_after": row["status"],
                }
            )
    return rows
