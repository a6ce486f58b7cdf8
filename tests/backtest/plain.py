"""The second implementation: one day after the other, one class after the other, nothing shared.

It reads the policy's text itself and knows the rules from the documents only, so that an error in the
product's compiled rules, bands, destinations or cost cannot hide in both.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

TOLERANCE = 1e-9


@dataclass
class PlainRule:
    """One trigger: kind is band, calendar, every, never."""

    kind: str
    absolute: float | None = None
    relative: float | None = None
    period: str = ""
    first: bool = False
    days: int = 0


@dataclass
class PlainPolicy:
    rules: list[PlainRule]
    joined: str = "or"
    beyond: bool = False
    goal: str = "target"
    share: float = 0.5
    breached_only: bool = False


@dataclass
class PlainResult:
    values: list[float] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    units: list[list[float]] = field(default_factory=list)


def width(rule: PlainRule, target: float) -> float:
    found = [w for w in (rule.absolute,) if w is not None]
    if rule.relative is not None:
        found.append(rule.relative * target)
    return min(found)


def period_of(day: dt.date, period: str) -> tuple[int, int]:
    if period == "weekly":
        year, week, _ = day.isocalendar()
        return year, week
    month = {
        "monthly": day.month,
        "quarterly": (day.month + 2) // 3,
        "semiannual": (day.month + 5) // 6,
    }
    return day.year, month.get(period, 0)


def next_weekday(day: dt.date, step: int) -> dt.date:
    day += dt.timedelta(days=step)
    while day.weekday() > 4:
        day += dt.timedelta(days=step)
    return day


def on_calendar(rule: PlainRule, dates: list[dt.date], i: int) -> bool:
    if rule.period == "daily":
        return True
    if rule.first:
        before = dates[i - 1] if i else next_weekday(dates[0], -1)
        return period_of(before, rule.period) != period_of(dates[i], rule.period)
    after = dates[i + 1] if i + 1 < len(dates) else next_weekday(dates[-1], 1)
    return period_of(after, rule.period) != period_of(dates[i], rule.period)


def is_outside(drift: float, wide: float, beyond: bool) -> bool:
    size = abs(drift)
    if size <= TOLERANCE:
        return False
    return size > wide + TOLERANCE if beyond else size >= wide - TOLERANCE


def band_fires(
    rules: list[PlainRule], drifts: list[float], target: list[float], beyond: bool
) -> bool:
    """One class outside all of the given bands."""
    return any(
        all(is_outside(d, width(rule, t), beyond) for rule in rules)
        for d, t in zip(drifts, target, strict=True)
    )


def policy_fires(
    policy: PlainPolicy,
    dates: list[dt.date],
    i: int,
    last: int,
    drifts: list[float],
    target: list[float],
) -> bool:
    answers = []
    bands = [rule for rule in policy.rules if rule.kind == "band"]
    if policy.joined == "and" and len(bands) == len(policy.rules):
        return band_fires(bands, drifts, target, policy.beyond)
    beside_calendar = policy.joined == "and" and any(r.kind == "calendar" for r in policy.rules)
    for rule in policy.rules:
        if rule.kind == "never":
            answers.append(False)
        elif rule.kind == "band":
            answers.append(band_fires([rule], drifts, target, policy.beyond))
        elif rule.kind == "calendar":
            answers.append(on_calendar(rule, dates, i))
        elif beside_calendar:
            answers.append(i - last >= rule.days)
        else:
            answers.append((i - last) % rule.days == 0)
    return all(answers) if policy.joined == "and" else any(answers)


def class_width(policy: PlainPolicy, target: float) -> float:
    """The one width that says which classes are breached: `or` takes the narrower, `and` the wider."""
    found = [width(rule, target) for rule in policy.rules if rule.kind == "band"]
    if not found:
        return float("inf")
    return max(found) if policy.joined == "and" else min(found)


def deltas_for(
    policy: PlainPolicy, value: list[float], target: list[float], cost: float
) -> list[float]:
    """Money to buy (+) or sell (-) of each asset (cash, last in both lists, has none)."""
    before = sum(value)
    base = before - cost
    n = len(value) - 1
    delta = [0.0] * n
    everything = not policy.breached_only and policy.goal in ("target", "halfway")
    for k in range(n):
        weight = value[k] / before
        drift = weight - target[k]
        wide = class_width(policy, target[k])
        out = is_outside(drift, wide, policy.beyond)
        if policy.goal == "inner" and not policy.breached_only:
            out = abs(drift) > wide * policy.share
        if not everything and not out:
            continue
        side = 1.0 if drift > 0 else -1.0
        aim = {
            "target": target[k],
            "halfway": (weight + target[k]) / 2,
            "edge": target[k] + side * max(0.0, wide - 1e-4),
            "inner": target[k] + side * wide * policy.share,
        }[policy.goal]
        delta[k] = aim * base - value[k]
    if everything:
        return delta
    spare = max(0.0, value[n] - target[n] * base)
    short = sum(delta) + cost - spare
    by_weight = sorted(range(n), key=lambda k: -(value[k] / before - target[k]))
    if short > 0:
        for k in by_weight:
            if delta[k] > 0:
                continue
            more = min(short, max(0.0, value[k] + delta[k] - target[k] * base))
            delta[k] -= more
            short -= more
        buys = sum(d for d in delta if d > 0)
        if short > 0 and buys > 0:
            keep = max(0.0, 1 - short / buys)
            delta = [d * keep if d > 0 else d for d in delta]
    elif short < 0:
        sold = -sum(d for d in delta if d < 0)
        extra = min(-short, sold)
        untouched = {k for k in range(n) if delta[k] == 0.0}
        for k in reversed(by_weight):
            if k in untouched:
                more = min(extra, max(0.0, target[k] * base - value[k]))
                delta[k] += more
                extra -= more
        sells = -sum(d for k, d in enumerate(delta) if d < 0 and target[k] > 0)
        if extra > 0 and sells > 0:
            keep = 1 - min(1.0, extra / sells)
            delta = [d * keep if d < 0 and target[k] > 0 else d for k, d in enumerate(delta)]
    return delta


def trade(
    policy: PlainPolicy, value: list[float], target: list[float], rate: float
) -> tuple[list[float], float]:
    """Values after the trades; the cost is found by bisection."""
    low, high = 0.0, rate * 2 * sum(value) + 1e-12
    for _ in range(100):
        middle = (low + high) / 2
        if rate * sum(abs(d) for d in deltas_for(policy, value, target, middle)) > middle:
            low = middle
        else:
            high = middle
    cost = (low + high) / 2 if rate else 0.0
    delta = deltas_for(policy, value, target, cost)
    after = [v + d for v, d in zip(value, delta, strict=False)]
    return [*after, value[-1] - sum(delta) - cost], cost


def run(
    dates: list[dt.date],
    prices: list[list[float]],
    target: list[float],
    policy: PlainPolicy,
    *,
    rate: float = 0.0,
    start: float = 1_000_000.0,
    delay: int = 0,
    cooldown: int = 0,
) -> PlainResult:
    """prices: a row per day, the cash price last; target: cash last."""
    units = [t * start / p for t, p in zip(target, prices[0], strict=True)]
    result = PlainResult()
    last, pending = 0, False
    for i, row in enumerate(prices):
        value = [u * p for u, p in zip(units, row, strict=True)]
        total = sum(value)
        fires = False
        if i:
            drifts = [v / total - t for v, t in zip(value[:-1], target[:-1], strict=True)]
            if pending:
                fires, pending = True, False
            elif i - last >= cooldown and policy_fires(policy, dates, i, last, drifts, target[:-1]):
                if delay:
                    pending = True
                else:
                    fires = True
        if fires:
            before = value
            value, cost = trade(policy, value, target, rate)
            if all(abs(a - b) <= 1e-13 * total for a, b in zip(before, value, strict=True)):
                value, fires = before, False  # nothing may be traded: no rebalancing
        if fires:
            units = [v / p for v, p in zip(value, row, strict=True)]
            result.days.append(i)
            result.costs.append(cost)
            last = i
        result.values.append(sum(value))
        result.units.append(list(units))
    return result
