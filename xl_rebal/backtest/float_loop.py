"""The plain backtest day by day: for narrow bands, where a vectorised scan finds an event at once.

One source for two machines: Python floats on lists, or Numba on arrays (`xl_rebal.backtest.kernels`).
Both, and the segment scan, add in the same order, so that their results are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.backtest.prices import Matrix
from xl_rebal.backtest.rules import Days, Edges, Flags, Joined, Node, Rule

NOTHING = 1e-13  # of the total: what rounding moves is no trade, and without one no rebalancing


def moves(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether any class changes by more than rounding."""
    least = NOTHING * sum(before)
    return any(abs(a - b) > least for a, b in zip(after, before, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleRule:
    """A rule of one band and a calendar: fires on `always`, and on `look` when a class is outside.

    look, always  (T,) flags;  high, low  (K + 1,) edges, infinite without a band.
    """

    look: Flags
    always: Flags
    high: Matrix
    low: Matrix


def simple_rule(rule: Rule, days: int) -> SimpleRule | None:
    """The rule in that form, or None where it has intervals or bands joined in another way."""
    everywhere, nowhere = np.ones(days, dtype=bool), np.zeros(days, dtype=bool)
    node = rule.node
    none = np.full(len(rule.target), np.inf)
    if isinstance(node, Days):
        return SimpleRule(look=nowhere, always=node.mask, high=none, low=-none)
    if isinstance(node, Edges):
        return SimpleRule(look=everywhere, always=nowhere, high=node.high, low=node.low)
    if not isinstance(node, Joined):
        return None
    masks = [part.mask for part in node.parts if isinstance(part, Days)]
    bands = [part for part in node.parts if isinstance(part, Edges)]
    if len(masks) + len(bands) < len(node.parts) or not bands or (node.every and len(bands) > 1):
        return None
    high, low = bands[0].high, bands[0].low
    for band in bands[1:]:  # joined by `or`: outside the narrower one
        high, low = np.minimum(high, band.high), np.maximum(low, band.low)
    if node.every:
        look: Flags = np.logical_and.reduce([everywhere, *masks])
        return SimpleRule(look=look, always=nowhere, high=high, low=low)
    always: Flags = np.logical_or.reduce([nowhere, *masks])
    return SimpleRule(look=everywhere, always=always, high=high, low=low)


def is_simple(node: Node) -> bool:
    """True where `simple_rule` finds a form."""
    if isinstance(node, Joined):
        bands = sum(isinstance(part, Edges) for part in node.parts)
        plain = all(isinstance(part, (Days, Edges)) for part in node.parts)
        return plain and bands > 0 and not (node.every and bands > 1)
    return isinstance(node, (Days, Edges))


def run_days(
    rows: Any,
    target: Any,
    high: Any,
    low: Any,
    look: Any,
    always: Any,
    rate: float,
    units: Any,
    begin: int,
    last: int,
    event_day: Any,
    event_before: Any,
    event_after: Any,
    event_cost: Any,
) -> int:
    """Rebalance to target whenever the rule fires on days begin..last; the number of events.

    Lists or arrays alike: rows (T, K + 1) prices, cash last; units (K + 1,) held on entry, and on
    return; event_* outputs with room for every day: day, units before and after, cost.
    """
    count = len(target)
    assets = count - 1
    events = 0
    value = [0.0] * count
    for day in range(begin, last + 1):
        fired = always[day]
        if not fired and not look[day]:
            continue
        row = rows[day]
        total = 0.0
        for k in range(count):
            value[k] = row[k] * units[k]
            total += value[k]
        if not fired:
            for k in range(count):
                if value[k] >= high[k] * total or value[k] <= low[k] * total:
                    fired = True
                    break
        if not fired:
            continue
        after = total
        if rate > 0.0:
            for _ in range(200):
                constant, slope = total, 1.0
                for k in range(assets):
                    if target[k] * after >= value[k]:
                        constant += rate * value[k]
                        slope += rate * target[k]
                    else:
                        constant -= rate * value[k]
                        slope -= rate * target[k]
                found = constant / slope
                close = found == after or abs(found - after) <= 1e-15 * total
                after = found
                if close:
                    break
        moved = False
        for k in range(count):
            if abs(target[k] * after - value[k]) > NOTHING * total:
                moved = True
        if not moved:
            continue
        event_day[events] = day
        event_cost[events] = total - after
        before, held = event_before[events], event_after[events]
        for k in range(count):
            before[k] = units[k]
            units[k] = target[k] * after / row[k]
            held[k] = units[k]
        events += 1
    return events


def run_in_python(
    price: Matrix, target: Matrix, rule: SimpleRule, rate: float, units: Matrix, begin: int
) -> tuple[NDArray[np.int64], Matrix, Matrix, Matrix]:
    """Event days, units before and after (E, K + 1), and costs, from day `begin` to the last."""
    days = price.shape[1]
    room = days - begin
    event_day = [0] * room
    event_cost = [0.0] * room
    before: list[list[float]] = [[0.0] * len(target) for _ in range(room)]
    after: list[list[float]] = [[0.0] * len(target) for _ in range(room)]
    events = run_days(
        price.T.tolist(),
        target.tolist(),
        rule.high.tolist(),
        rule.low.tolist(),
        rule.look.tolist(),
        rule.always.tolist(),
        rate,
        units.tolist(),
        begin,
        days - 1,
        event_day,
        before,
        after,
        event_cost,
    )
    width = len(target)
    return (
        np.array(event_day[:events], dtype=np.int64),
        np.array(before[:events]).reshape(events, width),
        np.array(after[:events]).reshape(events, width),
        np.array(event_cost[:events]),
    )
