"""Why: a reason on every trade, and a cause for every drift that stays."""

from __future__ import annotations

import math
from collections.abc import Mapping

from xl_rebal.portfolio.policies import Goal
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.problem import Line, Problem, class_step, settles_late

_NOTICEABLE = 0.005  # of the weight base: more idle cash than rounding explains


def points(drift: float) -> str:
    """`5.53 pp above`, `3.00 pp below`."""
    return f"{abs(drift) * 100:.2f} pp {'above' if drift > 0 else 'below'}"


def reason(problem: Problem, line: Line, signed: float, mode: Mode, flow: float) -> str:
    """Why this security is traded: the class's drift, its band, and where it goes."""
    name = problem.classes[line.klass]
    if line.must_sell and signed < 0:
        return f"{line.symbol} must not be held ({line.blocked}); sold in full"
    if line.klass == problem.cash_index:
        return f"{line.symbol} is cash in a fund: sold to pay for purchases"
    drift = problem.value[line.klass] / problem.base - problem.target[line.klass]
    aim = f"its {problem.target[line.klass] * 100:.6g}% target"
    if abs(drift) < 5e-5:
        stands = f"{name} is at {aim}"
    elif abs(drift) > 1:  # a flow leaves so little that percentage points say nothing
        gap = abs(drift) * problem.base
        stands = f"{name} is {gap:,.2f} {'above' if drift > 0 else 'below'} {aim}"
    else:
        stands = f"{name} is {points(drift)} {aim}"
    if flow:
        stands += " after the flow"
    if mode is Mode.INVEST:
        source = f"the contribution of {flow:,.2f}" if flow > 0 else "spare cash"
        return f"{stands}; {source} buys what is underweight"
    if mode is Mode.RAISE:
        return f"{stands}; sold to raise cash"
    if mode is Mode.REPLACE:
        return f"{name}: takes the place of what must not be held"
    breached = problem.breach[line.klass] != 0
    moves_home = drift * signed < 0
    if not moves_home:
        return f"{stands}; sold to raise cash" if signed < 0 else f"{stands}; takes up proceeds"
    where = {
        Goal.TARGET: "traded to target",
        Goal.HALFWAY: "traded halfway to target",
        Goal.EDGE: "traded to just inside its band",
        Goal.INNER: f"traded to {problem.policy.destination.share * 100:.6g}% of its band",
    }[problem.policy.destination.goal]
    if breached:
        return f"{stands}, outside its band; {where}"
    if not math.isfinite(problem.down[line.klass]) and not math.isfinite(problem.up[line.klass]):
        return f"{stands}; {where}"
    if problem.policy.breached_only or problem.policy.destination.goal is Goal.EDGE:
        role = "sold to fund the breached classes" if signed < 0 else "takes up the proceeds"
        return f"{stands}; {role}"
    inner = abs(drift) <= problem.policy.destination.share * problem.up[line.klass]
    if problem.policy.destination.goal is Goal.INNER and inner:
        return (
            f"{stands}, inside its band; {'sold to fund' if signed < 0 else 'takes up'} the others"
        )
    return f"{stands}, inside its band; {where} with the others"


def cause(
    problem: Problem,
    k: int,
    drift_after: float,
    note: str,
    *,
    breach_after: int = 0,
    triggered: bool,
    mode: Mode,
) -> str:
    """Why a class still drifts after the plan; empty when it does not (within 0.0001 pp)."""
    if abs(drift_after) < 1e-6:
        return "its band is narrower than a step" if breach_after else ""
    if k == problem.cash_index:
        if not triggered:
            return "spare cash waits for the next plan"
        # Each class may be short of its target by less than a step; together that is what is left.
        steps = sum(class_step(problem, each) for each in range(len(problem.classes)) if each != k)
        beyond = abs(drift_after) > _NOTICEABLE and abs(drift_after) * problem.base > steps
        late = settles_late(problem) > _NOTICEABLE * problem.base
        if late or (problem.early and beyond):
            return "cash that settles later than purchases would"
        if beyond:
            return (
                "money that nothing may take up" if drift_after > 0 else "cash is not raised for it"
            )
        return "what whole shares and costs leave"
    if not triggered:
        return "the policy asks for no trade"
    if note:
        return note
    if mode is Mode.INVEST:
        return "new money does not reach further"
    if mode is Mode.RAISE:
        return "only the cash that is needed is raised"
    if mode is Mode.REPLACE:
        return "only what must not be held is replaced"
    goal = problem.policy.destination.goal
    if goal in (Goal.EDGE, Goal.INNER) or problem.policy.breached_only:
        if not problem.breach[k]:
            return "inside its band; not traded beyond what funds the others"
        if goal in (Goal.EDGE, Goal.INNER):
            return f"the policy trades {problem.policy.destination.in_words()}"
    if goal is Goal.HALFWAY:
        return "the policy trades halfway"
    return "whole-share rounding"


def plan_notes(problem: Problem, notes: Mapping[int, str]) -> tuple[str, ...]:
    """What the plan did not do, one line a class."""
    return tuple(f"{problem.classes[k]}: {text}" for k, text in sorted(notes.items()))
