"""Cash flows: where new money goes, what a withdrawal sells, what deposit would restore the target."""

from __future__ import annotations

import math
from collections.abc import Sequence


def invest(values: Sequence[float], wanted: Sequence[float], amount: float) -> list[float]:
    """How much of `amount` each class receives so that the least value / wanted is as high as possible.

    values, wanted  K amounts of money: what a class holds, and what its target asks for (0 or more).
    The level L with sum(max(0, L x wanted - values)) = amount is found exactly; no class is raised
    above it (water-filling). What exceeds every shortfall is left over: no class passes its target.

    Example: values 35 and 90 against 50 and 100, amount 20: level 0.9667, so 13.33 and 6.67.
    """
    open_classes = [k for k, w in enumerate(wanted) if w > 0 and values[k] < w]
    result = [0.0] * len(values)
    if amount <= 0 or not open_classes:
        return result
    room = sum(wanted[k] - values[k] for k in open_classes)
    if amount >= room:
        for k in open_classes:
            result[k] = wanted[k] - values[k]
        return result
    order = sorted(open_classes, key=lambda k: values[k] / wanted[k])
    sum_values = sum_wanted = 0.0
    level = 0.0
    for position, k in enumerate(order):
        sum_values += values[k]
        sum_wanted += wanted[k]
        level = (amount + sum_values) / sum_wanted
        following = order[position + 1] if position + 1 < len(order) else None
        if following is None or level <= values[following] / wanted[following]:
            break
    for k in order:
        result[k] = max(0.0, level * wanted[k] - values[k])
    return result


def raise_cash(
    values: Sequence[float], wanted: Sequence[float], capacity: Sequence[float], amount: float
) -> list[float]:
    """How much each class sells to raise `amount`, the most overweight (value / wanted) first.

    capacity  K amounts that can be sold at all. Classes with a target of 0 are sold before others.
    The sum may fall short of `amount` when capacity does.
    """
    result = [0.0] * len(values)
    rest = amount
    for k in (k for k, w in enumerate(wanted) if w <= 0):
        result[k] = min(capacity[k], rest)
        rest -= result[k]
    # Bisection on the level: sum(min(capacity, max(0, values - L x wanted))) falls as L rises, and
    # capacities make it piecewise linear; 200 halvings reach the last bit of a double.
    if rest <= 0:
        return result
    live = [k for k, w in enumerate(wanted) if w > 0 and capacity[k] > 0]
    if not live:
        return result

    def sold(level: float) -> float:
        return sum(min(capacity[k], max(0.0, values[k] - level * wanted[k])) for k in live)

    low, high = 0.0, max(values[k] / wanted[k] for k in live)
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if sold(middle) >= rest:
            low = middle
        else:
            high = middle
    for k in live:
        result[k] = min(capacity[k], max(0.0, values[k] - low * wanted[k]))
    return result


def deposit_to_restore(
    values: Sequence[float], targets: Sequence[float], cash_index: int
) -> float | None:
    """The smallest deposit after which buying alone reaches every target; None when none does.

    values   K amounts of money in every class, cash included; targets  K weights.
    A class that is overweight fixes the total: value / target. One held against a target of 0
    can never be bought away; cash can, it is spent. Costs are left out; rounded up to the cent.

    Example (S104): 464,000 of stocks at a 50% target of 800,000: 464,000 / 0.5 - 800,000 = 128,000.
    """
    total = sum(values)
    needed = total
    for k, (value, target) in enumerate(zip(values, targets, strict=True)):
        if target > 0:
            needed = max(needed, value / target)
        elif value > 0.005 and k != cash_index:
            return None
    return math.ceil(max(0.0, needed - total) * 100 - 1e-4) / 100
