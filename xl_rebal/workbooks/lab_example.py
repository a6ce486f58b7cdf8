"""The example that the backtest lab is delivered with: invented weekly prices, targets and policies."""

from __future__ import annotations

import datetime as dt
import math
import random
from functools import lru_cache
from typing import Any

Grid = list[list[Any]]

NAMES = ("EXAMPLE Stocks", "EXAMPLE Bonds", "EXAMPLE Gold")
_WEEKS = 521
_FIRST = dt.date(2015, 1, 2)
_MEAN = (0.0017, 0.0006, 0.0008)  # of a week's log return
_SPREAD = (0.024, 0.007, 0.021)
POLICY = "5pp"
COST_BPS = 5.0
POLICIES: Grid = [
    ["Policy"],
    ["never"],
    ["annual"],
    ["quarterly"],
    ["3pp"],
    ["5pp"],
    ["10pp"],
    ["5/25"],
]
TARGETS: Grid = [
    ["Asset class", "Target"],
    [NAMES[0], 0.6],
    [NAMES[1], 0.3],
    [NAMES[2], 0.1],
]


@lru_cache(maxsize=1)
def prices() -> Grid:
    """Ten years of Fridays. Random numbers of Python's own generator, whose stream never changes."""
    draw = random.Random(2015)
    level = [100.0, 50.0, 120.0]
    rows: Grid = [["Date", *NAMES]]
    for week in range(_WEEKS):
        day = _FIRST + dt.timedelta(weeks=week)
        rows.append([day.isoformat(), *(round(price, 2) for price in level)])
        market = _bell(draw)
        for k in range(len(level)):
            own = 0.6 * market + 0.8 * _bell(draw) if k == 0 else _bell(draw)
            level[k] *= math.exp(_MEAN[k] + _SPREAD[k] * own)
    return rows


def _bell(draw: random.Random) -> float:
    """About a standard normal: twelve uniform numbers less their mean."""
    return math.fsum(draw.random() for _ in range(12)) - 6.0
