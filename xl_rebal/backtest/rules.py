"""A policy's trigger made ready for one market: on which days it may fire, and whether it does.

The bands, the calendar and the way they combine are those of the live policy (`xl_rebal.bands`,
`xl_rebal.schedule`, `xl_rebal.rebalance.trigger_fires`); here they are asked for many days at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.backtest.prices import Market, Matrix, after_last, before_first
from xl_rebal.bands import Widths, widths
from xl_rebal.drift import TOLERANCE, Drift, drift_of
from xl_rebal.portfolio.policies import (
    Always,
    Band,
    Calendar,
    Combined,
    EveryDays,
    Frequency,
    Never,
    OwnBands,
    Policy,
    Trigger,
)
from xl_rebal.portfolio.targets import Targets
from xl_rebal.schedule import scheduled_days

Flags = NDArray[np.bool_]
_FIRST_LOOK, _LONGEST_LOOK = 128, 2048  # days of prices that are scanned at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """One band: a class whose value is at or over `high` x total, or at or under `low` x total.

    high, low  (K + 1,) weights; the tolerance of drifts is in them already.
    leaf       the trigger, or the combination of bands, that it stands for.
    """

    high: Matrix
    low: Matrix
    leaf: Trigger

    def hit(self, value: Matrix, total: Matrix) -> Flags:
        """(n,) whether any class is outside, from (K + 1, n) values."""
        result: Flags = np.logical_or.reduce(self.outside(value, total), axis=0)
        return result

    def outside_at(self, value: Matrix, total: float) -> Flags:
        """(K + 1,) which classes are outside at one moment."""
        result: Flags = (value >= self.high * total) | (value <= self.low * total)
        return result

    def outside(self, value: Matrix, total: Matrix) -> Flags:
        """(K + 1, n) which classes are outside."""
        result: Flags = value >= self.high[:, None] * total
        result |= value <= self.low[:, None] * total
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A calendar rule: (T,) true on its days."""

    mask: Flags
    leaf: Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Every so many trading days since the last rebalancing, or since the last look.

    waits  True beside a calendar rule: from then on every day counts ("not before 60 days").
    """

    days: int
    waits: bool
    leaf: Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Parts of which all must fire (`every`), or any."""

    every: bool
    parts: tuple[Node, ...]


Node = Edges | Days | Interval | Joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A policy compiled for one market and one set of targets.

    possible  days on which it may fire, or None where any day is possible.
    constant  True when what `possible` says is all there is to it (no bands, no intervals).
    """

    policy: Policy
    target: Matrix
    down: Matrix
    up: Matrix
    node: Node
    possible: NDArray[np.int64] | None
    constant: bool

    def first(
        self, market: Market, units: Matrix, after: int, until: int, *, last: int
    ) -> int | None:
        """The first day in (after, until] on which the rule fires; units are held throughout.

        last  the day of the last rebalancing, for intervals.
        """
        if self.possible is None:
            return self._scan(market, units, after + 1, until, last)
        begin, stop = np.searchsorted(self.possible, [after + 1, until + 1]).tolist()
        if self.constant:
            return int(self.possible[begin]) if begin < stop else None
        step = _FIRST_LOOK
        for place in range(begin, stop, step):
            days = self.possible[place : min(place + step, stop)]
            value = market.price[:, days] * units[:, None]
            hit = fires(self.node, value, days, last)
            found = int(hit.argmax())
            if hit[found]:
                return int(days[found])
        return None

    def _scan(self, market: Market, units: Matrix, begin: int, until: int, last: int) -> int | None:
        step = _FIRST_LOOK
        while begin <= until:
            stop = min(begin + step, until + 1)
            value = market.price[:, begin:stop] * units[:, None]
            hit = fires(self.node, value, slice(begin, stop), last)
            found = int(hit.argmax())
            if hit[found]:
                return begin + found
            begin, step = stop, min(2 * step, _LONGEST_LOOK)
        return None

    def at(self, values: Matrix, day: int, last: int) -> bool:
        """Whether it fires on one day at (K + 1,) values."""
        return bool(fires(self.node, values[:, None], np.array([day]), last)[0])


def fires(node: Node, value: Matrix, days: slice | NDArray[np.int64], last: int) -> Flags:
    """(n,) whether the trigger fires, from (K + 1, n) values on n days."""
    if isinstance(node, Edges):
        return node.hit(value, np.add.reduce(value, axis=0))
    if isinstance(node, Days):
        return node.mask[days]
    if isinstance(node, Interval):
        number = np.arange(days.start, days.stop) if isinstance(days, slice) else days
        since = number - last
        result: Flags = since >= node.days if node.waits else since % node.days == 0
        return result
    found = fires(node.parts[0], value, days, last)
    for part in node.parts[1:]:
        other = fires(part, value, days, last)
        found = found & other if node.every else found | other
    return found


def compile_rule(policy: Policy, market: Market, targets: Targets | None = None) -> Rule:
    """The policy's rule for a market; `targets` are other weights of the same classes."""
    targets = market.targets if targets is None else targets
    empty = _drift(market, targets)
    node = _node(policy.trigger, policy, market, empty)
    overall = widths(policy, empty)
    possible = _possible(node)
    constant = not _any(node, Edges) and not _any(node, Interval)
    if possible is None and constant:
        possible = np.ones(len(market.dates), dtype=bool)
    return Rule(
        policy=policy,
        target=empty.target,
        down=overall.down,
        up=overall.up,
        node=node,
        possible=None if possible is None else np.flatnonzero(possible),
        constant=constant,
    )


def _drift(market: Market, targets: Targets) -> Drift:
    if targets is not market.targets:
        return drift_of(targets, ("",), market.names, np.zeros((1, len(market.names))))
    if "drift" not in market.cache:
        nothing = np.zeros((1, len(market.names)))
        market.cache["drift"] = drift_of(targets, ("",), market.names, nothing)
    found: Drift = market.cache["drift"]
    return found


def _node(trigger: Trigger, policy: Policy, market: Market, empty: Drift) -> Node:
    if isinstance(trigger, Combined):
        bands = [part for part in trigger.parts if isinstance(part, (Band, OwnBands))]
        every = trigger.operator == "and"
        if every and len(bands) == len(trigger.parts):
            # "3pp and 20%rel": one class outside both, as the live policy has it.
            return _edges(trigger, policy, empty)
        parts = tuple(_node(part, policy, market, empty) for part in trigger.parts)
        if every and any(isinstance(part, Days) for part in parts):
            parts = tuple(
                replace(part, waits=True) if isinstance(part, Interval) else part for part in parts
            )
        return Joined(every=every, parts=parts)
    if isinstance(trigger, (Band, OwnBands)):
        return _edges(trigger, policy, empty)
    if isinstance(trigger, EveryDays):
        return Interval(days=trigger.days, waits=False, leaf=trigger)
    if isinstance(trigger, Calendar):
        return Days(mask=scheduled(market, trigger), leaf=trigger)
    assert isinstance(trigger, (Never, Always))
    return Days(mask=np.full(len(market.dates), isinstance(trigger, Always)), leaf=trigger)


def _edges(trigger: Trigger, policy: Policy, empty: Drift) -> Edges:
    return edges_of(
        widths(replace(policy, trigger=trigger), empty), empty.target, policy.beyond, trigger
    )


def edges_of(band: Widths, target: Matrix, beyond: bool, leaf: Trigger) -> Edges:
    """The edges at which a band is reached, or with `beyond` passed; no drift is never a breach."""
    least = math.nextafter(TOLERANCE, 1.0)
    slack = least if beyond else -TOLERANCE
    return Edges(
        high=target + np.maximum(band.up + slack, least),
        low=target - np.maximum(band.down + slack, least),
        leaf=leaf,
    )


def scheduled(market: Market, rule: Calendar) -> Flags:
    """(T,) the days of a calendar rule, by the trading days in the file.

    The period that the file ends in counts as over only when the next row would lie in another.
    """
    if rule.frequency is Frequency.DAILY:
        return np.ones(len(market.dates), dtype=bool)
    mask = market.cache.get(rule)
    if mask is None:
        import pandas as pd  # loaded by calendar rules only, see xl_rebal.schedule

        around = pd.DatetimeIndex(
            np.concatenate(
                [[before_first(market.dates)], market.dates, [after_last(market.dates)]]
            ).astype("datetime64[s]")
        )
        mask = np.asarray(around.isin(scheduled_days(rule, around)))[1:-1]
        market.cache[rule] = mask
    result: Flags = mask
    return result


def _any(node: Node, kind: type) -> bool:
    if isinstance(node, Joined):
        return any(_any(part, kind) for part in node.parts)
    return isinstance(node, kind)


def _possible(node: Node) -> Flags | None:
    """Days on which a node may fire; None for all."""
    if isinstance(node, Days):
        return node.mask
    if not isinstance(node, Joined):
        return None
    found = [_possible(part) for part in node.parts]
    known = [mask for mask in found if mask is not None]
    if not known or (not node.every and len(known) < len(found)):
        return None
    pick = np.logical_and if node.every else np.logical_or
    result: Flags = pick.reduce(known)
    return result
