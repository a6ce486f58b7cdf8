"""A second, plain planner: looks at every whole-share plan of a tiny account (destination: target).

It knows nothing of the product's planner. Order of a good plan, from the design: constraints hold;
each class within one step of its target on the total after costs; fewest trades; least sum of
|drift| with cash counted; lowest cost.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Item:
    symbol: str
    klass: str
    quantity: int
    price: Decimal


def cent(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def cost_of(value: Decimal, half_spread: Decimal, commission: Decimal) -> Decimal:
    return cent(half_spread * value + commission)


def best_plans(
    items: list[Item],
    cash: Decimal,
    targets: dict[str, Decimal],
    half_spread: Decimal,
    commission: Decimal,
) -> tuple[tuple[int, Decimal, Decimal], list[dict[str, int]]] | None:
    """The best (trades, sum of |drift|, cost) and every plan that reaches it; None when none exists."""
    total = sum((item.quantity * item.price for item in items), cash)
    before = {k: sum(i.quantity * i.price for i in items if i.klass == k) for k in targets}
    ranges = []
    for item in items:
        gap = targets[item.klass] * total - before[item.klass]
        reach = int(abs(gap) / item.price) + 2
        low, high = (0, reach) if gap > 0 else (-min(reach, item.quantity), 0)
        # costs move the total, and so the sign of a gap near zero
        if abs(gap) < item.price:
            low, high = -min(1, item.quantity), 1
        ranges.append(range(low, high + 1))
    best: tuple[int, Decimal, Decimal] | None = None
    found: list[dict[str, int]] = []
    for moves in itertools.product(*ranges):
        trades = [(i, n) for i, n in zip(items, moves, strict=True) if n]
        if best is not None and len(trades) > best[0]:
            continue
        cost = sum(
            (cost_of(cent(abs(n) * i.price), half_spread, commission) for i, n in trades),
            Decimal(0),
        )
        left = cash - sum((n * i.price for i, n in trades), Decimal(0)) - cost
        if left < 0:
            continue
        after = total - cost
        drift = abs(left)
        good = True
        for klass, target in targets.items():
            value = sum(
                (i.quantity + n) * i.price
                for i, n in zip(items, moves, strict=True)
                if i.klass == klass
            )
            gap = value - target * after
            drift += abs(gap)
            steps = [i.price for i in items if i.klass == klass]
            fine = [step for step in steps if step <= total / 100]
            good = good and abs(gap) < max(fine, default=min(steps))
        if not good:
            continue
        score = (len(trades), (drift / after).quantize(Decimal("1e-9")), cost)
        if best is None or score < best:
            best, found = score, []
        if score == best:
            found.append({i.symbol: n for i, n in trades})
    return None if best is None else (best, found)
