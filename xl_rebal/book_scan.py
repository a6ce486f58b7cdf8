"""A whole book in one table: which accounts ask for a plan, how badly, and which cannot be measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xl_rebal.errors import RebalError
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policies import Policy
from xl_rebal.screening import Screen, screen
from xl_rebal.triggers import judge


class Standing(StrEnum):
    """What an account asks for, the most urgent first."""

    REBALANCE = "rebalance"
    RAISE_CASH = "raise cash"
    FAILED = "failed"
    HELD_AWAY = "held away"
    WITHIN = "within"
    EMPTY = "empty"


_ORDER = {standing: place for place, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One account of the scan.

    value      money of positions and cash; None where it failed.
    drift      the largest drift of a class other than untargeted cash, as a fraction, with its sign.
    breaches   how many classes are outside their band.
    excess     how far the worst of them is outside, as a fraction; 0 without a breach.
    fires      True where the policy asks for trades, whatever else the account asks for.
    idle       cash beyond its target and what is kept back, in money; negative where it is short.
    reason     why it asks, or does not, or what is wrong with it.
    """

    account: str
    household: str
    model: str
    standing: Standing
    reason: str
    value: float | None = None
    drift: float | None = None
    asset_class: str = ""
    breaches: int = 0
    excess: float = 0.0
    fires: bool = False
    idle: float = 0.0


def scan(
    holdings: Holdings,
    made: Callable[[Holdings], Book],
    policy: Policy,
    *,
    as_of: dt.date | None = None,
) -> tuple[Scanned, ...]:
    """Every account of the holdings, those that ask for a plan first, the worst breach first.

    made  makes a book of some of the holdings. Where it refuses them, they are halved until the accounts
          at fault stand alone: each of these fails with its own reason, and the others are measured.
    """
    return worst_first(_scanned(holdings, made, policy, as_of), holdings.accounts())


def worst_first(found: Iterable[Scanned], accounts: Sequence[str]) -> tuple[Scanned, ...]:
    """Those that ask for a plan first, the worst breach first; else in the order of `accounts`."""
    place = {name: index for index, name in enumerate(accounts)}
    return tuple(
        sorted(
            found,
            key=lambda s: (
                _ORDER[s.standing],
                -round(s.excess, 9),
                -round(abs(s.drift or 0.0), 9),
                place[s.account],
            ),
        )
    )


def _scanned(
    holdings: Holdings,
    made: Callable[[Holdings], Book],
    policy: Policy,
    as_of: dt.date | None,
) -> list[Scanned]:
    names = holdings.accounts()
    if not names:
        return []
    try:
        book = made(holdings)
        screens = screen(book, policy, as_of=as_of)
    except RebalError as error:
        if len(names) == 1:
            reason = "; ".join(str(fault) for fault in error.faults)
            return [
                Scanned(
                    account=names[0],
                    household="",
                    model="",
                    standing=Standing.FAILED,
                    reason=reason,
                )
            ]
        half = set(names[: len(names) // 2])
        first = np.array([name in half for name in holdings.account.tolist()], dtype=np.bool_)
        return [
            *_scanned(holdings.take(first), made, policy, as_of),
            *_scanned(holdings.take(~first), made, policy, as_of),
        ]
    return [each for found in screens for each in _rows(book, found, policy, as_of)]


def _rows(book: Book, found: Screen, policy: Policy, as_of: dt.date | None) -> Sequence[Scanned]:
    drift = found.check.drift
    known = [book.account(name) for name in drift.accounts]
    verdict = judge(
        policy, drift, as_of=as_of, last_rebalanced=[each.last_rebalanced for each in known]
    )
    values = np.bincount(
        found.group.account,
        weights=found.group.of(book.holdings.value),
        minlength=len(known),
    )
    sizes = np.abs(drift.drift)
    if drift.cash_index is not None and drift.target[drift.cash_index] == 0:
        sizes = np.delete(
            sizes, drift.cash_index, axis=1
        )  # the last column, where cash has no target
    worst = sizes.argmax(axis=1) if sizes.shape[1] else np.zeros(len(known), dtype=np.int64)
    counts = np.count_nonzero(found.check.breach, axis=1)
    excess = np.nan_to_num(found.excess, nan=0.0).max(axis=1)
    idle = np.zeros(len(known))
    if drift.cash_index is not None:
        aim = drift.target[drift.cash_index] * drift.base
        idle = drift.value[:, drift.cash_index] - aim
    result = []
    for row, account in enumerate(known):
        standing, reason = _standing(found, row, verdict.why(row))
        k = int(worst[row])
        result.append(
            Scanned(
                account=account.account,
                household=account.household,
                model=drift.targets.name,
                standing=standing,
                reason=reason,
                value=float(values[row]),
                drift=float(drift.drift[row, k]),
                asset_class=drift.classes[k],
                breaches=int(counts[row]),
                excess=float(excess[row]),
                fires=bool(found.fires[row]),
                idle=float(idle[row]),
            )
        )
    return result


def _standing(found: Screen, row: int, why: str) -> tuple[Standing, str]:
    if found.check.drift.base[row] <= 0.005:
        return Standing.EMPTY, "holds nothing to weigh"
    if found.group.held_away[row]:
        return Standing.HELD_AWAY, f"counts, and receives no orders; {why}"
    if found.short[row]:
        words = "cash does not reach the reserve"
        return Standing.RAISE_CASH, f"{words}; {why}" if found.fires[row] else words
    if found.fires[row]:
        return Standing.REBALANCE, why
    return Standing.WITHIN, why
