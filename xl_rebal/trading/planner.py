"""A plan for one account: what triggers it, the trades, and what they leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xl_rebal.bands import status_word
from xl_rebal.drift import TOLERANCE
from xl_rebal.errors import PlanError
from xl_rebal.portfolio.policies import Goal
from xl_rebal.trading import explain
from xl_rebal.trading.cash import deposit_to_restore
from xl_rebal.trading.destinations import Aims, Mode, aims, scaled
from xl_rebal.trading.plan import Action, ClassResult, Plan, Trade
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Line,
    Problem,
    Quantities,
    cash_effect,
    total_cost,
    trade_cost,
    trade_value,
)
from xl_rebal.trading.sizing import Excess, below_minimum, merge, size

_COST_ROUNDS = 6  # trades and their cost depend on each other; they settle within two or three
_TOP_UPS = 30
_ATTEMPTS = 24
_FEWER_STEPS = 5


@dataclass(slots=True)
class Draft:
    """Quantities by symbol, and why classes do not get where they should."""

    quantities: Quantities
    notes: dict[int, str]
    dropped: tuple[str, ...] = ()


def draft(problem: Problem, mode: Mode) -> Draft:
    """The trades of an account for what is asked.

    What may not be held is sold first. Whatever money is left after rounding is put to use until
    nothing more can be done, so that planning again after the trades changes nothing.
    """
    forced, kept = _forced(problem)
    replaced = [0.0] * len(problem.classes)
    for line in problem.lines:
        if line.symbol in forced:
            replaced[line.klass] += line.value
    state = _after_forced(problem, forced) if forced else problem
    result = Draft(dict(forced), {}, kept)
    for round_ in range(_TOP_UPS):
        quantities, notes = _step(
            state, mode, replaced if round_ == 0 else [0.0] * len(replaced), top_up=round_ > 0
        )
        if round_ == 0:
            result.notes.update(notes)
        if not quantities:
            break
        merged = _affordable(problem, result.quantities, quantities)
        if merged is None:
            break
        result.quantities = merged
        if not _may_top_up(problem, mode):
            break
        state = applied(problem, merged)
    return result


def _affordable(problem: Problem, first: Quantities, more: Quantities) -> Quantities | None:
    """Both together as one net trade per security, or None when that overdraws.

    Two orders and their sum round to different cents; a few steps fewer then make room.
    """
    by_symbol = {line.symbol: line for line in problem.lines}
    for fewer in range(_FEWER_STEPS if first else 1):
        trimmed = {
            symbol: quantity if quantity < 0 else quantity - fewer * by_symbol[symbol].step
            for symbol, quantity in more.items()
        }
        merged = merge(first, {s: q for s, q in trimmed.items() if q < 0 or q > 1e-12})
        if merged == first:
            return None
        if not first or _cash_after(problem, merged) >= -HALF_CENT:
            return merged
    return None


def _forced(problem: Problem) -> tuple[Quantities, tuple[str, ...]]:
    """What must not be held, sold in full as far as minimum and turnover cap allow; and what stays."""
    allowed = math.inf if problem.max_turnover is None else problem.max_turnover * problem.base * 2
    forced: Quantities = {}
    kept = []
    for line in sorted((ln for ln in problem.lines if ln.must_sell), key=lambda ln: (ln.value, ln.symbol)):
        value = trade_value(line, line.quantity)
        if value < max(line.minimum, CENT):
            kept.append(f"{line.symbol} must not be held, but {value:,.2f} is below the minimum trade")
        elif value > allowed:
            kept.append(f"{line.symbol} must not be held, but the turnover cap keeps it")
        else:
            forced[line.symbol] = -line.quantity
            allowed -= value
    return forced, tuple(kept)


def _after_forced(problem: Problem, forced: Quantities) -> Problem:
    state = applied(problem, forced)
    if problem.max_turnover is None:
        return state
    by_symbol = {line.symbol: line for line in problem.lines}
    moved = math.fsum(trade_value(by_symbol[s], abs(q)) for s, q in forced.items()) / 2
    left = max(0.0, problem.max_turnover * problem.base - moved)
    return replace(state, max_turnover=left / state.base if state.base > 0 else 0.0)


def _may_top_up(problem: Problem, mode: Mode) -> bool:
    """True where a second look after the trades must find nothing to do (`to target`)."""
    return (
        mode is not Mode.REPLACE
        and problem.policy.destination.goal is Goal.TARGET
        and problem.max_turnover is None
    )


def _step(
    problem: Problem, mode: Mode, replaced: Sequence[float], *, top_up: bool
) -> tuple[Quantities, dict[int, str]]:
    """One round of aims and rounding, with the cost of its own trades."""
    cost, quantities, notes = 0.0, {}, {}
    for _ in range(_COST_ROUNDS):
        found, quantities = _fit(problem, mode, cost, replaced, top_up=top_up)
        notes = found.notes
        actual = total_cost(problem.lines, quantities)
        if abs(actual - cost) < HALF_CENT:
            break
        cost = actual
    return quantities, notes


def _fit(
    problem: Problem, mode: Mode, cost: float, replaced: Sequence[float], *, top_up: bool
) -> tuple[Aims, Quantities]:
    """Aims and quantities that keep cash and turnover in bounds."""
    found, problem = _possible(problem, mode, cost, replaced, top_up=top_up)
    capped = _capped(problem, found)
    if capped < 1.0:
        found = scaled(found, capped)
        for k, delta in enumerate(found.delta):
            if abs(delta) > HALF_CENT:
                found.notes[k] = "the turnover cap stops it short"
    for attempt in range(_ATTEMPTS):
        sized = size(problem, found, slack=min(attempt, 3))
        if not isinstance(sized, Excess):
            return found, sized
        # Rounding alone cannot keep cash (or turnover) in bounds: large steps, fixed commissions
        # or a cap. Aim lower by what is missing and look again.
        found = _lowered(problem, found, sized)
    return found, _nothing_fits(problem, found)


def _possible(
    problem: Problem, mode: Mode, cost: float, replaced: Sequence[float], *, top_up: bool
) -> tuple[Aims, Problem]:
    """Aims in which no class counts on a trade that would be below its minimum size.

    Leaving such a trade out changes what funds the others, so the aims are made again without it,
    the smallest first.
    """
    for _ in range(2 * len(problem.classes)):
        found = aims(problem, mode, cost, replaced, top_up=top_up)
        small = below_minimum(problem, found)
        if not small:
            break
        k = min(small, key=lambda k: abs(found.delta[k]))
        problem = _without(problem, k, buys=found.delta[k] > 0)
    return found, problem


def _without(problem: Problem, k: int, *, buys: bool) -> Problem:
    words = "below the minimum trade"
    lines = tuple(
        line
        if line.klass != k
        else replace(line, can_buy=False, blocked=line.blocked or words)
        if buys
        else replace(line, can_sell=False, blocked=line.blocked or words)
        for line in problem.lines
    )
    return replace(problem, lines=lines)


def _lowered(problem: Problem, found: Aims, excess: Excess) -> Aims:
    if excess.cash <= 0 and problem.max_turnover is not None:
        allowed = problem.max_turnover * problem.base
        return scaled(found, min(0.95, allowed / max(excess.turnover, CENT)))
    buys = math.fsum(d for d in found.delta if d > 0)
    keep = max(0.0, buys - excess.cash - CENT) / buys if buys > 0 else 0.0
    return replace(found, delta=[d * keep if d > 0 else d for d in found.delta], strict=set())


def _nothing_fits(problem: Problem, found: Aims) -> Quantities:
    if problem.cash >= -HALF_CENT:
        for k in range(len(problem.classes)):
            found.notes.setdefault(k, "no whole-share trades keep cash and turnover within their bounds")
        return {}
    raise PlanError.of(
        where=f"account {problem.account}",
        what=f"cash is short by {-problem.cash:,.2f} (withdrawal, reserve or overdraft) and no "
        "whole-share trades raise it within the limits",
        remedy="lower the withdrawal or the reserve, or relax the turnover cap, minimum trade or restrictions",
    )


def _capped(problem: Problem, found: Aims) -> float:
    if problem.max_turnover is None:
        return 1.0
    planned = math.fsum(abs(d) for d in found.delta) / 2
    allowed = problem.max_turnover * problem.base
    return min(1.0, allowed / planned) if planned > 0 else 1.0


def _cash_after(problem: Problem, quantities: Quantities) -> float:
    by_symbol = {line.symbol: line for line in problem.lines}
    return problem.cash + math.fsum(cash_effect(by_symbol[s], q) for s, q in quantities.items())


def applied(problem: Problem, quantities: Quantities) -> Problem:
    """The account after trades: quantities, class values, cash and breaches."""
    value = list(problem.value)
    lines = []
    cash = problem.cash
    for line in problem.lines:
        signed = quantities.get(line.symbol, 0.0)
        if signed:
            value[line.klass] += signed * line.unit_value
            effect = cash_effect(line, signed)
            value[problem.cash_index] += effect
            cash += effect
            quantity = float(f"{line.quantity + signed:.12g}")
            line = replace(
                line,
                quantity=quantity,
                can_sell=line.can_sell and quantity > 0,
                must_sell=False,
            )
        lines.append(line)
    moved = replace(problem, lines=tuple(lines), value=tuple(value), cash=cash)
    return replace(moved, breach=breach_of(moved))


def breach_of(problem: Problem) -> tuple[int, ...]:
    """+1, -1 or 0 for every class at the problem's values."""
    base = problem.base
    if base <= HALF_CENT:
        return (0,) * len(problem.classes)
    result = []
    edge = TOLERANCE if problem.policy.beyond else -TOLERANCE
    for k, value in enumerate(problem.value):
        d = value / base - problem.target[k]
        if abs(d) <= TOLERANCE:
            result.append(0)
        elif d > 0:
            result.append(1 if d >= problem.up[k] + edge else 0)
        else:
            result.append(-1 if -d >= problem.down[k] + edge else 0)
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the plan was made for, in words and numbers, to be printed with it."""

    triggered: bool
    why: str
    mode: Mode
    cash_before: float
    flow: float
    reserve: float


def plan_of(problem: Problem, drafted: Draft, asked: Asked) -> Plan:
    """The plan that a draft amounts to, with reasons and causes."""
    by_symbol = {line.symbol: line for line in problem.lines}
    after = applied(problem, drafted.quantities)
    trades = tuple(
        _trade(problem, by_symbol[symbol], signed, asked, after)
        for symbol, signed in sorted(
            drafted.quantities.items(), key=lambda item: (item[1] > 0, by_symbol[item[0]].klass, item[0])
        )
    )
    cost = math.fsum(trade.cost for trade in trades)
    turnover = math.fsum(trade.value for trade in trades) / 2
    base = problem.base
    return Plan(
        account=problem.account,
        triggered=asked.triggered,
        why=asked.why,
        trades=trades,
        classes=_class_results(problem, after, drafted, asked),
        base_before=base,
        base_after=after.base,
        cash_before=asked.cash_before,
        flow=asked.flow,
        reserve=asked.reserve,
        cash_after=_to_cent(
            asked.cash_before + asked.flow + math.fsum(trade.cash_effect for trade in trades), trades
        ),
        total_cost=round(cost, 2),
        turnover=turnover / base if base > HALF_CENT else 0.0,
        deposit_to_restore=deposit_to_restore(
            problem.value, problem.target, problem.cash_index
        ),
        notes=(*drafted.dropped, *explain.plan_notes(problem, drafted.notes)),
    )


def _to_cent(cash: float, trades: Sequence[Trade]) -> float:
    # Trades are whole cents, so the sum differs from a whole cent only by what the file's own
    # cash does; dust in the last binary digits is taken off.
    return float(f"{cash:.12g}") if trades else cash


def _trade(problem: Problem, line: Line, signed: float, asked: Asked, after: Problem) -> Trade:
    quantity = abs(signed)
    commission, _, impact = line.cost(quantity)
    return Trade(
        account=problem.account,
        symbol=line.symbol,
        asset_class=problem.classes[line.klass],
        action=Action.BUY if signed > 0 else Action.SELL,
        quantity=quantity,
        price=line.price,
        unit_value=line.unit_value,
        value=trade_value(line, quantity),
        cost=trade_cost(line, quantity),
        half_spread=line.costs.half_spread,
        commission=commission,
        impact=impact,
        reason=explain.reason(problem, line, signed, asked.mode, asked.flow),
    )


def _class_results(
    problem: Problem, after: Problem, drafted: Draft, asked: Asked
) -> tuple[ClassResult, ...]:
    result = []
    base, base_after = problem.base, after.base
    for k, name in enumerate(problem.classes):
        before_weight = problem.value[k] / base if base > HALF_CENT else 0.0
        after_weight = after.value[k] / base_after if base_after > HALF_CENT else 0.0
        target = problem.target[k]
        drift = before_weight - target if base > HALF_CENT else 0.0
        drift_after = after_weight - target if base_after > HALF_CENT else 0.0
        banded = math.isfinite(problem.down[k])
        result.append(
            ClassResult(
                asset_class=name,
                target=target,
                lower=max(target - problem.down[k], 0.0) if banded else None,
                upper=min(target + problem.up[k], 1.0) if math.isfinite(problem.up[k]) else None,
                value_before=problem.value[k],
                weight_before=before_weight,
                drift_before=drift,
                status_before=status_word(problem.breach[k]),
                value_after=after.value[k],
                weight_after=after_weight,
                drift_after=drift_after,
                status_after=status_word(after.breach[k]),
                cause=explain.cause(
                    problem,
                    k,
                    drift_after,
                    drafted.notes.get(k, ""),
                    triggered=asked.triggered,
                    mode=asked.mode,
                ),
            )
        )
    return tuple(result)
