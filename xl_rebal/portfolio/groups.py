"""The rows of a book sorted by model, so that thousands of accounts are measured in one pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.targets import Targets

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accounts that follow one model, and the rows that count in their weights.

    accounts  A names, in order of first appearance.
    pairs     P pairs of symbol and asset class, each as often as it is: once.
    row       (n,) positions in the holdings; pending activity is left out.
    account   (n,) index into `accounts` of each row.
    pair      (n,) index into `pairs` of each row.
    """

    targets: Targets
    accounts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    row: Codes
    account: Codes
    pair: Codes


def group_rows(holdings: Holdings, targets_of: Callable[[str], Targets]) -> tuple[Group, ...]:
    """One group for each model that an account follows, in order of first appearance."""
    account_code, names = _codes(holdings, "account")
    pair_code, pairs = _codes(holdings, "symbol", "asset_class")
    models: dict[int, tuple[int, Targets]] = {}
    members: list[list[str]] = []
    group_of = np.empty(len(names), dtype=np.int64)
    place_of = np.empty(len(names), dtype=np.int64)
    for code, (name,) in enumerate(names):
        targets = targets_of(name)
        group, _ = models.setdefault(id(targets), (len(models), targets))
        if group == len(members):
            members.append([])
        group_of[code], place_of[code] = group, len(members[group])
        members[group].append(name)
    counted = np.flatnonzero(~holdings.is_pending)
    group_code = group_of[account_code[counted]]
    counted = counted[np.argsort(group_code, kind="stable")]
    ends = np.cumsum(np.bincount(group_code, minlength=len(members)))
    result = []
    for (group, targets), rows in zip(models.values(), np.split(counted, ends)[:-1], strict=True):
        held, pair = np.unique(pair_code[rows], return_inverse=True)
        result.append(
            Group(
                targets=targets,
                accounts=tuple(members[group]),
                pairs=tuple((pairs[code][0], pairs[code][1]) for code in held.tolist()),
                row=rows,
                account=place_of[account_code[rows]],
                pair=pair.astype(np.int64),
            )
        )
    return tuple(result)


def _codes(holdings: Holdings, *columns: str) -> tuple[Codes, list[tuple[str, ...]]]:
    """(n,) a number for what each row says in text columns, and what each number stands for."""
    import pandas as pd  # loaded with the first book: a backtest has none, and starts without it

    code = np.zeros(len(holdings), dtype=np.int64)
    for name in columns:
        each, words = pd.factorize(getattr(holdings, name))
        code = code * max(len(words), 1) + each
    code, _ = pd.factorize(code)
    _, first = np.unique(code, return_index=True)
    picked = [getattr(holdings, name)[first].tolist() for name in columns]
    return code.astype(np.int64), list(zip(*picked, strict=True))
