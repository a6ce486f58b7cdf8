"""Where the money of each class stands after a rebalancing, costs paid.

The rules are those of the live planner (`xl_rebal.trading.destinations`) for securities that trade in
any fraction; tests hold the two against each other. Buying d costs d(1 + c), selling d yields d(1 - c).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xl_rebal.backtest.settings import Settings
from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policies import Destination, Goal, Policy
from xl_rebal.trading.cash import invest, raise_cash

# A trade to the edge stops this far inside it (0.01 pp of weight): fractional shares have no step.
EDGE_STEP = 1e-4
_TURNS = 200  # of the search for the cost, which pays for itself


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One portfolio at one close. Lists have an entry per class, cash last.

    value  money in each class; price of one unit; target weights; widths of the policy's band;
    breach True where a class is outside it.
    """

    value: Sequence[float]
    price: Sequence[float]
    target: Sequence[float]
    down: Sequence[float]
    up: Sequence[float]
    breach: Sequence[bool]


def to_target(
    value: Sequence[float], weight: Sequence[float], rate: float
) -> tuple[list[float], float]:
    """Values at exact weights after a proportional cost, and that cost.

    The total V after costs solves V + rate x sum |weight x V - value| = sum(value): linear between
    the points where a class turns from sold to bought, so a few Newton steps end on it exactly.
    Cash, the last class, trades free.

    Example: 700 and 300 at 60/40 and 1%: V = 996 / 0.998 = 997.996. Selling 101.202 and buying
    99.198 costs 2.004, and 997.996 + 2.004 is the 1,000 that there was.
    """
    count = len(value) - 1
    total = 0.0
    for each in value:
        total += each
    after = total
    if rate > 0.0:
        for _ in range(_TURNS):
            constant, slope = total, 1.0
            for k in range(count):
                if weight[k] * after >= value[k]:
                    constant += rate * value[k]
                    slope += rate * weight[k]
                else:
                    constant -= rate * value[k]
                    slope -= rate * weight[k]
            found = constant / slope
            if found == after:
                break
            close = abs(found - after) <= 1e-15 * total
            after = found
            if close:
                break
    return [each * after for each in weight], total - after


def rebalanced(state: State, policy: Policy, settings: Settings) -> tuple[list[float], float]:
    """Values of each class after the trades that the policy asks for, and what they cost."""
    goal = policy.destination.goal
    everything = not policy.breached_only and goal in (Goal.TARGET, Goal.HALFWAY)
    if (
        everything
        and settings.proportional
        and not settings.whole_shares
        and not settings.min_trade
    ):
        total = math.fsum(state.value)
        weight = list(state.target)
        if goal is Goal.HALFWAY:
            weight = [(v / total + t) / 2 for v, t in zip(state.value, state.target, strict=True)]
        return to_target(state.value, weight, settings.rate)

    def wanted(cost: float) -> list[float]:
        return _deltas(state, policy, cost, everything=everything)

    return _paid(state, wanted, settings)


def after_flow(state: State, settings: Settings) -> tuple[list[float], float]:
    """Values after cash is invested, the most underweight class first, or raised where it is short."""
    cash = len(state.value) - 1

    def wanted(cost: float) -> list[float]:
        base = math.fsum(state.value) - cost
        aim = [t * base for t in state.target]
        delta = [0.0] * len(aim)
        if state.value[cash] < 0:
            held = [*state.value[:cash], 0.0]
            sold = raise_cash(held, aim, held, cost - state.value[cash])
            return [-amount for amount in sold]
        spare = state.value[cash] - max(aim[cash], 0.0) - cost
        if spare > 0:
            delta = invest(list(state.value), [*aim[:cash], 0.0], spare)
        return delta

    return _paid(state, wanted, settings)


def _paid(
    state: State, wanted: Callable[[float], list[float]], settings: Settings
) -> tuple[list[float], float]:
    """Trades whose cost is the cost that they were made for: repeated until it settles."""
    cost = 0.0
    delta = [0.0] * len(state.value)
    for _ in range(_TURNS):
        delta = _executable(state, wanted(cost), settings)
        found = _cost(state, delta, settings.costs)
        settled = abs(found - cost) <= 1e-13 * max(1.0, cost)
        cost = found
        if settled:
            break
    delta, cost = _affordable(state, delta, cost, settings)
    cash = len(state.value) - 1
    after = [v + d for v, d in zip(state.value, delta, strict=True)]
    after[cash] = state.value[cash] - math.fsum(delta[:cash]) - cost
    return after, cost


def _cost(state: State, delta: Sequence[float], costs: CostModel) -> float:
    return math.fsum(
        math.fsum(costs.parts(abs(d) / p, abs(d), None))
        for d, p in zip(delta[:-1], state.price, strict=False)
        if d
    )


def _executable(state: State, delta: list[float], settings: Settings) -> list[float]:
    """Whole units and the smallest trade; buys are rounded down and sells up, so cash suffices."""
    if not settings.whole_shares and not settings.min_trade:
        return delta
    result = [0.0] * len(delta)
    for k in range(len(delta) - 1):
        amount = delta[k]
        if settings.whole_shares:
            units = amount / state.price[k]
            units = math.floor(units + 1e-9) if units > 0 else -math.ceil(-units - 1e-9)
            amount = max(units * state.price[k], -state.value[k])
        if abs(amount) >= max(settings.min_trade, 1e-9):
            result[k] = amount
    return result


def _affordable(
    state: State, delta: list[float], cost: float, settings: Settings
) -> tuple[list[float], float]:
    """Cut purchases where dropped sales leave too little cash; none is made on credit."""
    for _ in range(_TURNS):
        left = state.value[-1] - math.fsum(delta[:-1]) - cost
        buys = math.fsum(d for d in delta[:-1] if d > 0)
        if left >= -1e-9 * max(1.0, buys) or buys <= 0:
            break
        share = max(0.0, 1 + left / buys * (1 + 1e-12))
        delta = _executable(state, [d * share if d > 0 else d for d in delta], settings)
        cost = _cost(state, delta, settings.costs)
    return delta, cost


def _deltas(state: State, policy: Policy, cost: float, *, everything: bool) -> list[float]:
    """Money that each class gains (+) or loses (-) when the trades cost so much."""
    before = math.fsum(state.value)
    base = before - cost
    cash = len(state.value) - 1
    delta = [0.0] * len(state.value)
    for k in range(cash):
        destination = _destination(state, policy, k, before)
        if destination is not None:
            delta[k] = destination * base - state.value[k]
    if everything:
        return delta
    spare = state.value[cash] - state.target[cash] * base
    spare = max(spare, 0.0) if state.value[cash] >= 0 else state.value[cash]
    need = math.fsum(delta) + cost - spare
    if need > 0:
        _fund(state, delta, base, before, need, cost)
    elif need < 0:
        sold = -math.fsum(d for d in delta if d < 0)
        _reinvest(state, delta, base, before, min(-need, sold))
    return delta


def _destination(state: State, policy: Policy, k: int, before: float) -> float | None:
    """The weight that a class is traded to, or None where it is left alone."""
    weight, target = state.value[k] / before, state.target[k]
    wanted: Destination = policy.destination
    if wanted.goal in (Goal.EDGE, Goal.INNER) or policy.breached_only:
        outside = state.breach[k]
        if wanted.goal is Goal.INNER and not policy.breached_only:
            drift = weight - target
            outside = drift > state.up[k] * wanted.share or -drift > state.down[k] * wanted.share
        if not outside:
            return None
    if wanted.goal is Goal.TARGET:
        return target
    if wanted.goal is Goal.HALFWAY:
        return (weight + target) / 2
    share = 1.0 if wanted.goal is Goal.EDGE else wanted.share
    above = weight > target
    width = (state.up[k] if above else state.down[k]) * share
    if wanted.goal is Goal.EDGE:
        width = max(0.0, width - EDGE_STEP)
    return target + width if above else target - width


def _fund(
    state: State, delta: list[float], base: float, before: float, need: float, cost: float
) -> None:
    """Money is short: sell the most overweight classes down to target, then buy less, then raise it."""
    cash = len(delta) - 1
    order = sorted(
        range(cash), key=lambda k: state.value[k] / before - state.target[k], reverse=True
    )
    for k in order:
        left = state.value[k] + delta[k] - state.target[k] * base
        amount = min(need, max(0.0, left), state.value[k] + min(0.0, delta[k]))
        if amount > 0 and delta[k] <= 0:
            delta[k] -= amount
            need -= amount
    buys = math.fsum(d for d in delta if d > 0)
    if need > 0 and buys > 0:
        cut = min(need, buys)
        for k in range(cash):
            if delta[k] > 0:
                delta[k] *= (buys - cut) / buys
        need -= cut
    left = state.value[cash] - math.fsum(delta) - cost
    if need > 0 and left < 0:
        held = [*(max(0.0, v + d) for v, d in zip(state.value[:cash], delta, strict=False)), 0.0]
        aim = [t * base for t in state.target]
        for k, amount in enumerate(raise_cash(held, aim, held, -left)):
            delta[k] -= amount


def _reinvest(state: State, delta: list[float], base: float, before: float, surplus: float) -> None:
    """Money is left: buy the most underweight classes that were left alone up to target, then sell less."""
    cash = len(delta) - 1
    free = [k for k in range(cash) if delta[k] == 0.0]
    for k in sorted(free, key=lambda k: state.value[k] / before - state.target[k]):
        amount = min(surplus, max(0.0, state.target[k] * base - state.value[k]))
        if amount > 0:
            delta[k] = amount
            surplus -= amount
    sells = math.fsum(-d for k, d in enumerate(delta) if d < 0 and state.target[k] > 0)
    cut = min(surplus, sells)
    if cut > 0:
        for k in range(cash):
            if delta[k] < 0 and state.target[k] > 0:
                delta[k] *= 1 - cut / sells
