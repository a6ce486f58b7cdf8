"""How much money each class should gain or lose, before whole shares: destinations and their funding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from xl_rebal.errors import PlanError
from xl_rebal.portfolio.policies import Goal, Policy
from xl_rebal.trading.cash import invest, raise_cash
from xl_rebal.trading.problem import (
    HALF_CENT,
    Line,
    Problem,
    class_step,
    preferred_buys,
    settles_late,
)


class Mode(StrEnum):
    """What is asked of the planner for one account."""

    REBALANCE = "rebalance"
    INVEST = "invest"  # spend spare cash, sell nothing
    RAISE = "raise"  # sell just enough for the cash that is short
    REPLACE = "replace"  # sell what must not be held, buy its like


@dataclass(slots=True)
class Aims:
    """Money that each class is to gain (+) or lose (-).

    delta      K amounts; cash is not among them (it is what remains).
    strict     classes that must end strictly inside their band (destination edge).
    wanted     K values that rounding tries to reach.
    cash_aim   cash that rounding tries to reach.
    cost       what the trades were expected to cost.
    slope      K shares of any further cost by which the wanted values (and the cash aim) fall.
    notes      why a class does not get where its destination is, by class.
    """

    delta: list[float]
    wanted: list[float]
    cash_aim: float
    cost: float = 0.0
    slope: list[float] = field(default_factory=list)
    strict: set[int] = field(default_factory=set)
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the lines of each class allow: whether any can be bought, and how much can be sold."""

    buyable: list[bool]
    sellable: list[float]


def reach(problem: Problem) -> Reach:
    """What can be bought and sold, class by class."""
    count = len(problem.classes)
    buyable, sellable = [False] * count, [0.0] * count
    for line in problem.lines:
        if line.klass >= 0:
            buyable[line.klass] |= line.can_buy
            sellable[line.klass] += line.value if line.can_sell else 0.0
    return Reach(buyable, sellable)


def aims(
    problem: Problem, mode: Mode, cost: float, replaced: Sequence[float], *, top_up: bool = False
) -> Aims:
    """Class deltas for one account.

    cost      what the trades are expected to cost; weights are measured on the total after costs.
    replaced  K amounts already sold because a restriction forbids holding them.
    top_up    money that rounding left goes to the largest shortfall first, not to all in proportion.
    Raises PlanError when cash that must be raised cannot be.
    """
    can = reach(problem)
    base = problem.base - cost
    at_target = [t * base for t in problem.target]
    if mode is Mode.INVEST:
        found = _invest(problem, can, at_target, cost)
    elif mode is Mode.RAISE:
        found = _start(problem, at_target)
    elif mode is Mode.REPLACE:
        found = _start(problem, at_target)
        for k, amount in enumerate(replaced):
            if amount > 0:
                found.delta[k] = amount
    else:
        found = _prescribe(problem, base, at_target)
        _step_inside(problem, found)
    _limit(problem, can, found)
    if mode is not Mode.INVEST:
        _balance(
            problem,
            can,
            found,
            at_target,
            cost,
            mode=mode,
            replaced=math.fsum(replaced),
            top_up=top_up,
        )
        if not _everything(problem, mode):
            found.cash_aim = problem.value[problem.cash_index] - math.fsum(found.delta) - cost
    found.wanted = [
        at_target[k] if _to_target(problem, mode) else problem.value[k] + found.delta[k]
        for k in range(len(problem.classes))
    ]
    found.cost = cost
    found.slope = _slopes(problem, mode, found)
    return found


def _slopes(problem: Problem, mode: Mode, found: Aims) -> list[float]:
    """How the wanted values follow the cost of the trades: as shares of the total after it."""
    if _to_target(problem, mode):
        shares = list(problem.target)
    elif _everything(problem, mode):  # halfway, where nothing keeps a class from it
        halfway = [
            (v / problem.base + t) / 2 for v, t in zip(problem.value, problem.target, strict=True)
        ]
        total = problem.base - found.cost
        shares = [
            share if math.isclose(share * total, wanted, abs_tol=HALF_CENT) else 0.0
            for share, wanted in zip(halfway, found.wanted, strict=True)
        ]
        shares[problem.cash_index] = halfway[problem.cash_index]
    else:
        shares = [0.0] * len(problem.classes)
    if not _everything(problem, mode):
        shares[problem.cash_index] = 1.0  # cash is what the others leave
    return shares


def trades_everything(policy: Policy) -> bool:
    """True where every class has a destination, so that sells, buys and cash meet by themselves."""
    return not policy.breached_only and policy.destination.goal in (Goal.TARGET, Goal.HALFWAY)


def _everything(problem: Problem, mode: Mode) -> bool:
    return mode is Mode.REBALANCE and trades_everything(problem.policy)


def _to_target(problem: Problem, mode: Mode) -> bool:
    goal = problem.policy.destination.goal
    return mode in (Mode.INVEST, Mode.RAISE) or (mode is Mode.REBALANCE and goal is Goal.TARGET)


def _start(problem: Problem, at_target: list[float]) -> Aims:
    return Aims(
        delta=[0.0] * len(problem.classes), wanted=[], cash_aim=at_target[problem.cash_index]
    )


def _prescribe(problem: Problem, base: float, at_target: list[float]) -> Aims:
    found = _start(problem, at_target)
    policy, goal = problem.policy, problem.policy.destination.goal
    for k in range(len(problem.classes)):
        if k == problem.cash_index:
            continue
        weight, target = problem.value[k] / problem.base, problem.target[k]
        if goal in (Goal.EDGE, Goal.INNER) or policy.breached_only:
            inside = not problem.breach[k]
            if goal is Goal.INNER and not policy.breached_only:
                inside = not _outside_inner(problem, k, weight)
            if inside:
                continue
        if goal is Goal.TARGET:
            destination = at_target[k]
        elif goal is Goal.HALFWAY:
            destination = (weight + target) / 2 * base
        else:
            share = 1.0 if goal is Goal.EDGE else policy.destination.share
            edge = (
                target + problem.up[k] * share
                if weight > target
                else target - problem.down[k] * share
            )
            destination = edge * base
            if goal is Goal.EDGE:
                found.strict.add(k)
        found.delta[k] = destination - problem.value[k]
    if goal is Goal.HALFWAY and not policy.breached_only:
        weight = problem.value[problem.cash_index] / problem.base
        found.cash_aim = (weight + problem.target[problem.cash_index]) / 2 * base
    return found


def _step_inside(problem: Problem, found: Aims) -> None:
    """Make the deltas of strict classes whole steps that end strictly inside the band.

    Done before funding, so that what funds them pays for the whole step.
    """
    for k in found.strict:
        # A class that stands on its edge has a delta of rounding only: its side says which way.
        side = 1.0 if problem.value[k] / problem.base < problem.target[k] else -1.0
        line = strict_line(problem, k, buy=side > 0)
        if line is not None:
            steps = math.floor(max(0.0, side * found.delta[k]) / line.step_value + 1e-9) + 1
            found.delta[k] = side * steps * line.step_value


def strict_line(problem: Problem, k: int, *, buy: bool) -> Line | None:
    """The one security that a class trades to the edge of its band with.

    Bought: a substitute, then the best rank, then the largest holding. Sold: the lowest preference,
    then the largest holding.
    """
    lines = [ln for ln in problem.lines_of(k) if (ln.can_buy if buy else ln.can_sell)]
    if not lines:
        return None
    if buy:
        return min(lines, key=lambda ln: (not ln.replaces, ln.rank, -ln.value, ln.symbol))
    return min(lines, key=lambda ln: (-ln.rank, -ln.value, ln.symbol))


def _outside_inner(problem: Problem, k: int, weight: float) -> bool:
    share = problem.policy.destination.share
    drift = weight - problem.target[k]
    return drift > problem.up[k] * share or -drift > problem.down[k] * share


def _invest(problem: Problem, can: Reach, at_target: list[float], cost: float) -> Aims:
    found = _start(problem, at_target)
    cash = problem.cash_index
    wanted = [w if can.buyable[k] and k != cash else 0.0 for k, w in enumerate(at_target)]
    # A cash target is money that new cash fills up first only as far as its own share asks.
    spare = min(problem.cash, problem.value[cash] - at_target[cash]) - cost
    found.delta = invest(problem.value, wanted, max(0.0, spare))
    for k, amount in enumerate(at_target):
        if k != cash and amount - problem.value[k] > HALF_CENT and not can.buyable[k]:
            found.notes[k] = _nothing_to_buy(problem, k)
    return found


def _limit(problem: Problem, can: Reach, found: Aims) -> None:
    """Cut deltas to what the lines allow, and say why."""
    for k, delta in enumerate(found.delta):
        if delta > 0 and not can.buyable[k]:
            found.delta[k] = 0.0
            if delta > HALF_CENT:
                found.notes[k] = _nothing_to_buy(problem, k)
        elif -delta > can.sellable[k] + HALF_CENT:
            found.delta[k] = -can.sellable[k]
            reasons = sorted(
                {f"{ln.symbol}: {ln.blocked}" for ln in problem.lines_of(k) if ln.blocked}
            )
            found.notes[k] = f"not enough may be sold ({'; '.join(reasons) or 'nothing is held'})"


def _nothing_to_buy(problem: Problem, k: int) -> str:
    name = problem.classes[k]
    reasons = sorted(
        {f"{line.symbol}: {line.blocked}" for line in problem.lines_of(k) if line.blocked}
    )
    if reasons:
        return f"nothing of {name} may be bought ({'; '.join(reasons)})"
    return (
        f"no security of {name} is held or listed with a price; name one in the securities table "
        "(--securities)"
    )


def _balance(
    problem: Problem,
    can: Reach,
    found: Aims,
    at_target: list[float],
    cost: float,
    *,
    mode: Mode,
    replaced: float,
    top_up: bool,
) -> None:
    """Make sells, spare cash and buys meet."""
    cash = problem.cash_index
    everything = _everything(problem, mode)
    spare = problem.value[cash] - (found.cash_aim if everything else at_target[cash])
    there = min(problem.value[cash], problem.cash + can.sellable[cash])
    if not everything:
        # A cash shortfall against its target never triggers; only cash below the reserve must be raised.
        spare = max(spare, 0.0) if there >= 0 else there
    if mode is Mode.REPLACE:
        spare = min(spare, replaced)
    # Cash that arrives too late, or is tied up in money funds which may not be sold, cannot be spent.
    spare = min(spare, problem.cash + can.sellable[cash])
    need = math.fsum(found.delta) + cost - spare
    others = [k for k in range(len(problem.classes)) if k != cash]
    free = [k for k in others if found.delta[k] == 0.0 and k not in found.notes]
    if need > 0:
        _fund(
            problem, can, found, at_target, need, [] if everything else others, cost, top_up=top_up
        )
    elif need < 0 and mode is not Mode.RAISE:
        # Spare cash stays where only some classes trade; what was sold is put to work.
        sold = math.fsum(-d for d in found.delta if d < 0) + replaced
        surplus = -need if everything else min(-need, sold)
        _reinvest(problem, can, found, at_target, surplus, [] if everything else free)


def _fund(
    problem: Problem,
    can: Reach,
    found: Aims,
    at_target: list[float],
    need: float,
    free: list[int],
    cost: float,
    *,
    top_up: bool,
) -> None:
    """Money is short: sell the most overweight classes down to target, then buy less, then raise cash."""
    for k in sorted(
        free, key=lambda k: problem.value[k] / problem.base - problem.target[k], reverse=True
    ):
        left = problem.value[k] + found.delta[k] - at_target[k]
        amount = min(need, max(0.0, left), can.sellable[k] + min(0.0, found.delta[k]))
        if amount > 0 and found.delta[k] <= 0:
            found.delta[k] -= amount
            found.strict.discard(k)
            need -= amount
    if need <= HALF_CENT:
        return
    need -= _buy_less(problem, found, need, in_proportion=not top_up)
    # A cash target is no reason to sell below the other targets; cash below the reserve is.
    there = min(problem.value[problem.cash_index], problem.cash + can.sellable[problem.cash_index])
    left = there - math.fsum(found.delta) - cost
    if need > HALF_CENT and left < -HALF_CENT:
        _raise(problem, can, found, at_target, -left)


def _buy_less(problem: Problem, found: Aims, need: float, *, in_proportion: bool) -> float:
    """Cut purchases by `need`, or to nothing; returns by how much.

    In proportion, the same share of every shortfall is closed (S115: shortfalls of 10 and 15 with
    20 to spend take 8 and 12). Otherwise the largest shortfalls come first, each with the whole
    steps that it can still pay, so that the last bit of money finds a use.
    """
    why = "there is not enough money: what could be sold is not enough"
    if settles_late(problem) > HALF_CENT:
        why = "there is not enough money: cash settles later than purchases would, or is about to leave"
    buys = sorted(((d, k) for k, d in enumerate(found.delta) if d > 0), reverse=True)
    total = math.fsum(d for d, _ in buys)
    cut = min(need, total)
    left = total - cut
    for delta, k in buys:
        if in_proportion:
            kept = delta * (total - cut) / total
        else:
            step = min(ln.step_value for ln in preferred_buys(problem.lines_of(k)))
            kept = min(delta, math.floor(left / step + 1e-9) * step)
            kept = kept if kept >= class_step(problem, k) else 0.0
            left -= kept
        found.delta[k] = kept
        if delta - kept > HALF_CENT:
            found.notes.setdefault(k, why)
    return cut


def _raise(problem: Problem, can: Reach, found: Aims, at_target: list[float], need: float) -> None:
    cash = problem.cash_index
    left = [v + d for v, d in zip(problem.value, found.delta, strict=True)]
    room = [s + min(0.0, d) for s, d in zip(can.sellable, found.delta, strict=True)]
    left[cash] = room[cash] = 0.0
    sold = raise_cash(left, at_target, room, need)
    short = need - math.fsum(sold)
    if short > HALF_CENT:
        raise PlanError.of(
            where=f"account {problem.account}",
            what=f"cash is short by {need:,.2f} (withdrawal, reserve or overdraft) and what may be "
            f"sold covers all but {short:,.2f} of it",
            remedy="lower the withdrawal or the reserve, or allow more to be sold",
        )
    for k, amount in enumerate(sold):
        found.delta[k] -= amount


def _reinvest(
    problem: Problem,
    can: Reach,
    found: Aims,
    at_target: list[float],
    surplus: float,
    free: list[int],
) -> None:
    """Money is left: buy the most underweight classes up to target, then sell less."""
    for k in sorted(free, key=lambda k: problem.value[k] / problem.base - problem.target[k]):
        amount = min(surplus, max(0.0, at_target[k] - problem.value[k]))
        if can.buyable[k] and amount > 0 and amount >= class_step(problem, k):
            found.delta[k] = amount
            surplus -= amount
    # Proceeds that nothing can take up are not raised at all; a class whose target is zero is
    # sold nevertheless, because that is what its target says.
    sells = math.fsum(-d for k, d in enumerate(found.delta) if d < 0 and problem.target[k] > 0)
    cut = min(surplus, sells)
    if cut > HALF_CENT and sells > 0:
        for k, delta in enumerate(found.delta):
            if delta < 0 and problem.target[k] > 0:
                found.delta[k] = delta * (1 - cut / sells)
                found.notes.setdefault(k, "the proceeds could not be reinvested")


def scaled(found: Aims, factor: float) -> Aims:
    """The same aims with every delta cut to a share of itself (turnover cap)."""
    return replace(found, delta=[d * factor for d in found.delta], strict=set())
