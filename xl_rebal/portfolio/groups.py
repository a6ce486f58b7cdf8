"""The rows of a book sorted by model, so that thousands of accounts are measured in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.targets import Targets

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
TargetOf = Callable[[str, str, Targets], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accounts that follow one model, and the rows that count in their weights.

    accounts    A names, in order of first appearance.
    reserve     (A,) money that each account keeps back.
    held_away   (A,) True where an account receives no orders.
    pairs       P pairs of symbol and asset class, each as often as it is: once.
    row         (n,) positions in the holdings; pending activity is left out.
    account     (n,) index into `accounts` of each row.
    pair        (n,) index into `pairs` of each row.
    position    (n,) True for securities, False for cash.
    cell        (n,) account x K + class, where the classes are `targets.columns`; A x K where a row
                counts in none.
    is_covered  True when every pair has a target, or is cash or excluded.
    is_whole    True when the rows are all rows of the holdings, in their order.
    """

    targets: Targets
    accounts: tuple[str, ...]
    reserve: Numbers
    held_away: NDArray[np.bool_]
    pairs: tuple[tuple[str, str], ...]
    row: Codes
    account: Codes
    pair: Codes
    position: NDArray[np.bool_]
    cell: Codes
    is_covered: bool
    is_whole: bool

    def of(self, column: Numbers) -> Numbers:
        """(n,) what a column of the holdings says in the group's rows; not to be written to."""
        return column if self.is_whole else column[self.row]

    def by_class(self, amount: Numbers) -> Numbers:
        """(A, K) sums of (n,) amounts by account and class; rows that count in no class are left out."""
        shape = (len(self.accounts), len(self.targets.columns))
        cells = shape[0] * shape[1]
        sums = np.bincount(self.cell, weights=amount, minlength=cells + 1).astype(
            np.float64, copy=False
        )
        return sums[:cells].reshape(shape)


def group_rows(
    holdings: Holdings,
    accounts: Mapping[str, Account],
    targets_of: Callable[[str], Targets],
    target_of: TargetOf,
) -> tuple[Group, ...]:
    """One group for each model that an account follows, in order of first appearance."""
    account_code, names = row_codes(holdings, "account")
    pair_code, pairs = row_codes(holdings, "symbol", "asset_class")
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
    if len(models) > 1:
        group_code = group_of[account_code[counted]]
        counted = counted[np.argsort(group_code, kind="stable")]
        ends = np.cumsum(np.bincount(group_code, minlength=len(members)))
        parts = np.split(counted, ends)[:-1]
    else:
        parts = [counted] * len(models)
    position = holdings.is_position
    result = []
    for (group, targets), rows in zip(models.values(), parts, strict=True):
        held, pair = _renumbered(pair_code[rows], len(pairs))
        own = tuple((pairs[code][0], pairs[code][1]) for code in held.tolist())
        place = place_of[account_code[rows]]
        column = _columns_of(own, targets, target_of)
        cell = place * len(targets.columns) + column[pair]
        cell[column[pair] < 0] = len(members[group]) * len(targets.columns)
        known = [accounts.get(name) for name in members[group]]
        result.append(
            Group(
                targets=targets,
                accounts=tuple(members[group]),
                reserve=np.array([a.kept_back if a else 0.0 for a in known]),
                held_away=np.array([a is not None and a.held_away for a in known], dtype=np.bool_),
                pairs=own,
                row=rows,
                account=place,
                pair=pair,
                position=position[rows],
                cell=cell,
                is_covered=not (column == _LOOSE).any(),
                is_whole=len(models) == 1 and len(rows) == len(holdings),
            )
        )
    return tuple(result)


_EXCLUDED, _LOOSE = -1, -2


def _columns_of(pairs: tuple[tuple[str, str], ...], targets: Targets, target_of: TargetOf) -> Codes:
    """(P,) the class that each pair counts in; negative for none."""
    column_of = {name: index for index, name in enumerate(targets.columns)}
    cash = next(index for index, name in enumerate(targets.columns) if classes.is_cash(name))
    column_of = {classes.EXCLUDED: _EXCLUDED} | column_of | {classes.CASH: cash}
    found = (target_of(symbol, path, targets) for symbol, path in pairs)
    return np.array([_LOOSE if name is None else column_of[name] for name in found], np.int64)


def row_codes(holdings: Holdings, *columns: str) -> tuple[Codes, list[tuple[str, ...]]]:
    """(n,) a number for what each row says in text columns, and what each number stands for.

    Numbers are given in order of first appearance.
    """
    import pandas as pd  # loaded with the first book: a backtest has none, and starts without it

    code = np.zeros(len(holdings), dtype=np.int64)
    for name in columns:
        each, words = pd.factorize(getattr(holdings, name))
        code = code * max(len(words), 1) + each
    code, found = pd.factorize(code)
    first = np.empty(len(found), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)  # the last one written is the first row
    picked = [getattr(holdings, name)[first].tolist() for name in columns]
    return code.astype(np.int64, copy=False), list(zip(*picked, strict=True))


def _renumbered(code: Codes, count: int) -> tuple[Codes, Codes]:
    """The numbers below `count` that occur, ascending, and the place of each among them."""
    held = np.flatnonzero(np.bincount(code, minlength=count))
    place = np.empty(count, dtype=np.int64)
    place[held] = np.arange(len(held))
    return held, place[code]
