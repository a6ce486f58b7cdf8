"""Many bands on many paths at once: back to target whenever a class reaches its band.

The vectorised loop over days holds all bands and a chunk of paths in one array; for large grids a
Numba kernel does the same work faster, with the same results, on all cores.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.backtest.comparison import Progress, report
from xl_rebal.backtest.kernels import compiled
from xl_rebal.backtest.prices import Matrix

_CHUNK = 16_000  # cells (bands x paths x assets) that the NumPy loop keeps in the cache
_WORTH_COMPILING = 20_000_000  # asset-days below which compiling takes longer than it saves
_PIECES = 8  # chunks per worker, for progress and an even load


@dataclass(frozen=True, slots=True, kw_only=True)
class GridResult:
    """(B, N) figures of B bands on N paths.

    events    rebalancings.
    turnover  one-way, as shares of value, summed over the path.
    cost      as shares of value, summed over the path.
    final     value of 1 at the end.
    """

    events: NDArray[np.int64]
    turnover: Matrix
    cost: Matrix
    final: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class GridTask:
    """What to run.

    price      (N, K, T) prices of the classes (cash among them if it is targeted).
    target     (K,) weights that sum to 1.
    high, low  (B, K) edges; see `xl_rebal.backtest.rules.Edges`.
    rate       (K,) cost of a trade as a share of its value; 0 for cash.
    """

    price: Matrix
    target: Matrix
    high: Matrix
    low: Matrix
    rate: Matrix

    def __post_init__(self) -> None:
        count = self.price.shape[1]
        if self.high.shape != self.low.shape or self.high.shape[1] != count:
            raise ValueError("every band needs an edge for every class")
        if self.target.shape != (count,) or self.rate.shape != (count,):
            raise ValueError("every class needs a target and a cost rate")


def absolute_edges(target: Matrix, widths: Iterable[float]) -> tuple[Matrix, Matrix]:
    """(B, K) edges of absolute bands, reached at the edge as everywhere."""
    from xl_rebal.backtest.rules import edges_of
    from xl_rebal.bands import Widths
    from xl_rebal.portfolio.policies import Band

    high, low = [], []
    for width in widths:
        wide = np.full(len(target), width)
        edges = edges_of(Widths(down=wide, up=wide), target, False, Band(absolute=width))
        high.append(edges.high)
        low.append(edges.low)
    return np.array(high), np.array(low)


def run_grid(
    task: GridTask,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    use_numba: bool | None = None,
) -> GridResult:
    """Run all bands on all paths; raises CancelledError where `progress` returns False.

    workers    threads of the kernel; all cores when None.
    use_numba  None takes it when it is installed and the grid is worth the compiling.
    """
    paths, count, days = task.price.shape
    bands = len(task.high)
    result = GridResult(
        events=np.zeros((bands, paths), dtype=np.int64),
        turnover=np.zeros((bands, paths)),
        cost=np.zeros((bands, paths)),
        final=np.zeros((bands, paths)),
    )
    if use_numba is None:
        use_numba = bands * paths * count * days >= _WORTH_COMPILING
    kernel = compiled() if use_numba else None
    # The NumPy loop holds Python's lock too often: two threads of it are slower than one.
    threads = 1 if kernel is None else workers or os.cpu_count() or 1
    price = np.ascontiguousarray(task.price)
    most = paths if kernel is not None else _CHUNK // max(1, bands * count)
    size = max(1, min(-(-paths // (threads * _PIECES)), most))
    bounds = [(first, min(first + size, paths)) for first in range(0, paths, size)]

    def piece(bound: tuple[int, int]) -> None:
        if kernel is None:
            _run_chunk(task, *bound, result)
        else:
            outputs = (result.events, result.turnover, result.cost, result.final)
            kernel(price, task.target, task.high, task.low, task.rate, *bound, *outputs)

    report(progress, 0.0)
    if threads == 1:
        for number, bound in enumerate(bounds, start=1):
            piece(bound)
            report(progress, number / len(bounds))
        return result
    from concurrent.futures import ThreadPoolExecutor  # it takes long to load

    with ThreadPoolExecutor(threads) as pool:
        try:
            for number, _ in enumerate(pool.map(piece, bounds), start=1):
                report(progress, number / len(bounds))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return result


def _run_chunk(task: GridTask, first: int, last: int, result: GridResult) -> None:
    """Paths first..last-1, day by day, all bands and paths at once."""
    price = task.price[first:last].transpose(2, 1, 0)  # (T, K, n)
    days, _, paths = price.shape
    bands = len(task.high)
    target, rate = task.target, task.rate
    high, low = task.high.T[:, :, None], task.low.T[:, :, None]  # (K, B, 1)
    units = np.repeat((target[:, None] / price[0])[:, None, :], bands, axis=1)  # (K, B, n)
    events = np.zeros((bands, paths), dtype=np.int64)
    turnover, cost = np.zeros((bands, paths)), np.zeros((bands, paths))
    for day in range(1, days):
        value = units * price[day][:, None, :]
        total = np.add.reduce(value, axis=0)
        hit = np.logical_or.reduce((value >= high * total) | (value <= low * total), axis=0)
        b, n = np.nonzero(hit)
        if not len(b):
            continue
        here, before = value[:, b, n], total[b, n]
        after = _after_costs(here, before, target, rate)
        aim = target[:, None] * after
        change = np.add.reduce(np.abs(aim - here), axis=0)
        units[:, b, n] = aim / price[day][:, n]
        events[b, n] += 1
        turnover[b, n] += 0.5 * change / before
        cost[b, n] += (before - after) / before
    result.events[:, first:last] = events
    result.turnover[:, first:last] = turnover
    result.cost[:, first:last] = cost
    result.final[:, first:last] = np.add.reduce(units * price[-1][:, None, :], axis=0)


def _after_costs(value: Matrix, before: Matrix, target: Matrix, rate: Matrix) -> Matrix:
    """(m,) totals after a proportional cost: `destinations.to_target` for many at once."""
    after = before.copy()
    open_ = np.arange(len(before))
    for _ in range(200):
        held, start, now = value[:, open_], before[open_], after[open_]
        constant, slope = start.copy(), np.ones(len(open_))
        for k in range(len(target)):
            buys = target[k] * now >= held[k]
            constant = np.where(buys, constant + rate[k] * held[k], constant - rate[k] * held[k])
            slope = np.where(buys, slope + rate[k] * target[k], slope - rate[k] * target[k])
        found = constant / slope
        after[open_] = found
        open_ = open_[np.abs(found - now) > 1e-15 * start]
        if not len(open_):
            break
    return after
