"""The wash-sale rules once more, share by share and with nothing of the product: the tests' oracle.

Every share is one record. A sale takes the oldest shares of its account (of one purchase those first that
replaced something). Each share sold at a loss looks for the earliest share bought within 30 days that has not
replaced one yet, is of another purchase and is not sold; a later purchase's shares all count as there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Share:
    account: str
    day: dt.date
    row: int
    cost: float
    start: dt.date
    used: bool = False
    gone: bool = False


@dataclass(frozen=True)
class Row:
    """account, day, units (negative: sold), price."""

    account: str
    day: dt.date
    units: int
    price: float


@dataclass
class Outcome:
    gain: float = 0.0
    disallowed: float = 0.0


def work_out(
    rows: Sequence[Row], ira: frozenset[str] = frozenset(), strangers: frozenset[str] = frozenset()
) -> tuple[dict[int, Outcome], list[Share]]:
    """Row number of each sale -> its outcome, and the shares that are left. Rows are in order of days."""
    shares = [
        Share(row.account, row.day, number, row.price, row.day)
        for number, row in enumerate(rows)
        if row.units > 0
        for _ in range(row.units)
    ]
    outcomes: dict[int, Outcome] = {}
    number = 0
    while number < len(rows):
        if rows[number].units > 0:
            number += 1
            continue
        last = number
        while (
            last + 1 < len(rows)
            and rows[last + 1].units < 0
            and rows[last + 1].day == rows[number].day
        ):
            last += 1
        losers: list[tuple[Share, int]] = []
        for sale in range(number, last + 1):
            outcomes[sale] = Outcome()
            row = rows[sale]
            for _ in range(-row.units):
                there = [
                    s for s in shares
                    if s.account == row.account and not s.gone and s.day <= row.day
                    and (s.day < row.day or s.row < sale)
                ]  # fmt: skip
                share = min(there, key=lambda s: (s.day, s.row, not s.used))
                share.gone = True
                outcomes[sale].gain += row.price - share.cost
                if share.cost > row.price + 1e-9 and row.account not in ira:
                    losers.append((share, sale))
        losers.sort(key=lambda pair: (pair[0].day, pair[0].row))
        for share, sale in losers:
            replace_one(share, rows[sale], outcomes[sale], shares, ira, strangers)
        number = last + 1
    return outcomes, [s for s in shares if not s.gone]


def replace_one(
    share: Share, sale: Row, outcome: Outcome, shares: list[Share], ira: frozenset[str],
    strangers: frozenset[str],
) -> None:  # fmt: skip
    others = [
        s
        for s in shares
        if not s.gone
        and not s.used
        and s.row != share.row
        and -30 <= (s.day - sale.day).days <= 30
        and (s.account in strangers) == (sale.account in strangers)
    ]
    if not others:
        return
    new = min(others, key=lambda s: (s.day, s.row))
    new.used = True
    loss = share.cost - sale.price
    outcome.disallowed += loss
    if new.account not in ira:
        new.cost += loss
        held = {share.start + dt.timedelta(days=n) for n in range((sale.day - share.start).days)}
        both = sum(day >= new.day for day in held)
        new.start = new.day - dt.timedelta(days=len(held) - both)
