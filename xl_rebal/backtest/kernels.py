"""The grid's inner loop for Numba, compiled only when a grid is large and Numba is there.

It adds and compares in the order of the NumPy version in `xl_rebal.backtest.grid`, without fast-math,
so that both give the same bits. Threads get ranges of paths; nothing is shared but inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

_BLOCK = 32
_AFTER_EVENT = 16


@lru_cache(maxsize=1)
def compiled() -> Callable[..., None] | None:
    """The compiled loop over paths, or None without Numba."""
    try:
        import numba
    except ImportError:
        return None
    found: Callable[..., None] = numba.njit(nogil=True)(run_paths)
    return found


def run_paths(
    price: Any,
    target: Any,
    high: Any,
    low: Any,
    rate: Any,
    first: int,
    last: int,
    events: Any,
    turnover: Any,
    cost: Any,
    final: Any,
) -> None:
    """Paths first..last-1 of (N, K, T) prices under B bands with (B, K) edges.

    events, turnover, cost, final  (B, N) outputs: count, one-way turnover, cost as shares of value
    summed over events, value of 1 at the end.
    """
    count, days = price.shape[1], price.shape[2]
    bands = high.shape[0]
    total = np.empty(_BLOCK)
    units = np.empty(count)
    value = np.empty(count)
    for n in range(first, last):
        for b in range(bands):
            for k in range(count):
                units[k] = target[k] / price[n, k, 0]
            number, moved, paid = 0, 0.0, 0.0
            day, step = 1, _BLOCK
            while day < days:
                size = min(step, days - day)
                for j in range(size):
                    total[j] = 0.0
                for k in range(count):
                    held = units[k]
                    row = price[n, k, day : day + size]
                    for j in range(size):
                        total[j] += row[j] * held
                hit = 0
                for k in range(count):
                    held, top, bottom = units[k], high[b, k], low[b, k]
                    row = price[n, k, day : day + size]
                    for j in range(size):
                        x = row[j] * held
                        hit |= (x >= top * total[j]) | (x <= bottom * total[j])
                if not hit:
                    day += size
                    step = _BLOCK
                    continue
                j = -1
                out = False
                while not out:
                    j += 1
                    for k in range(count):
                        value[k] = price[n, k, day + j] * units[k]
                        out = out or value[k] >= high[b, k] * total[j]
                        out = out or value[k] <= low[b, k] * total[j]
                day += j
                before = total[j]
                after = before
                for _ in range(200):
                    constant, slope = before, 1.0
                    for k in range(count):
                        if target[k] * after >= value[k]:
                            constant += rate[k] * value[k]
                            slope += rate[k] * target[k]
                        else:
                            constant -= rate[k] * value[k]
                            slope -= rate[k] * target[k]
                    found = constant / slope
                    close = abs(found - after) <= 1e-15 * before
                    after = found
                    if close:
                        break
                change = 0.0
                for k in range(count):
                    aim = target[k] * after
                    change += abs(aim - value[k])
                    units[k] = aim / price[n, k, day]
                number += 1
                moved += 0.5 * change / before
                paid += (before - after) / before
                day += 1
                step = _AFTER_EVENT
            worth = 0.0
            for k in range(count):
                worth += price[n, k, days - 1] * units[k]
            events[b, n] = number
            turnover[b, n] = moved
            cost[b, n] = paid
            final[b, n] = worth
