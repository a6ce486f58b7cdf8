"""What a plan did not do, and what each cause costs in drift.

Method: the account is planned again and again, each time with one more constraint lifted, in the order
of `_candidates`: dates of cash, sizes of orders, closed funds, restrictions, what cannot be traded, missing
securities, the turnover cap, and last the policy's own destination. What the sum of |drift| falls by
when a constraint goes is what it costs; what is left when none is there any more is whole shares and
costs. Constraints on securities that change nothing when they are all lifted are not looked at one by
one. So the parts add up to the drift that the plan leaves. Where two constraints bind the same drift
(a restriction and the turnover cap), the one that is lifted last, without which nothing moves, carries it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from xl_rebal.costs import CostModel
from xl_rebal.errors import PlanError
from xl_rebal.portfolio.policies import Goal
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.plan import Cause, NotDone, Plan
from xl_rebal.trading.planner import Draft, draft
from xl_rebal.trading.problem import HALF_CENT, Line, Problem, applied, class_step, settles_late

_SEEN = 5e-5  # of Σ|drift|: half a hundredth of a percentage point, below which nothing is told
_MOST = 24  # constraints lifted one by one; further ones are lifted together
_LINE_CAUSES = (Cause.CLOSED, Cause.RESTRICTION, Cause.UNSETTLED, Cause.UNTRADABLE)

Drafter = Callable[[Problem], Draft]
Lift = Callable[[Problem], Problem]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A constraint that may be the cause, and how to plan as if it were not there."""

    cause: Cause
    klass: int | None
    symbol: str
    what: str
    lift: Lift


def not_done(problem: Problem, plan: Plan, mode: Mode, drafter: Drafter) -> tuple[NotDone, ...]:
    """The causes of the drift that a plan leaves, largest first, summing to `plan.drift_left_pp`.

    Empty where nothing was asked for, or nothing is left. `drafter` plans a problem as the plan was.
    """
    left = math.fsum(abs(row.drift_after) for row in plan.classes)
    if not plan.triggered or left < _SEEN:
        return ()
    found: list[NotDone] = []
    measured = _Measured(problem, left, drafter)
    for several in _in_batches(_bounded(list(_candidates(problem, plan, mode)))):
        found += _told(problem, measured, several)
    rest = measured.drift
    if rest >= 5e-7 or not found:
        words = "what whole shares, minimum steps and costs leave"
        found.append(_row(problem, _Candidate(Cause.ROUNDING, None, "", words, _same), rest))
    else:
        found[-1] = replace(found[-1], drift_pp=found[-1].drift_pp + 100 * rest)
    return tuple(sorted(found, key=lambda row: -row.drift_pp))


@dataclass(slots=True)
class _Measured:
    """The account with some constraints lifted, and Σ|drift| that its plan then leaves."""

    problem: Problem
    drift: float
    drafter: Drafter

    def without(self, several: Sequence[_Candidate]) -> tuple[Problem, float]:
        """The same with more constraints lifted; the drift of before where there is no plan."""
        problem = self.problem
        for candidate in several:
            problem = candidate.lift(problem)
        policy = any(candidate.cause is Cause.POLICY for candidate in several)
        reached = _drift(problem, _rebalanced if policy else self.drafter)
        return problem, self.drift if reached is None else reached


def _rebalanced(problem: Problem) -> Draft:
    return draft(problem, Mode.REBALANCE)


def _told(problem: Problem, now: _Measured, several: Sequence[_Candidate]) -> list[NotDone]:
    """What lifting constraints one after the other makes the drift fall by; all of them are lifted."""
    lifted, reached = now.without(several)
    fall = now.drift - reached
    if abs(fall) < _SEEN or (len(several) == 1 and fall < 0):
        now.problem = lifted
        return []
    if len(several) == 1:
        now.problem, now.drift = lifted, reached
        return [_row(problem, several[0], fall)]
    half = len(several) // 2
    return _told(problem, now, several[:half]) + _told(problem, now, several[half:])


def _in_batches(candidates: Sequence[_Candidate]) -> Iterator[Sequence[_Candidate]]:
    """Constraints on securities together, others alone."""
    for of_lines, several in itertools.groupby(candidates, key=lambda c: c.cause in _LINE_CAUSES):
        group = list(several)
        if of_lines:
            yield group
        else:
            yield from ([each] for each in group)


def _row(problem: Problem, candidate: _Candidate, drift: float) -> NotDone:
    k = candidate.klass
    return NotDone(
        account=problem.account,
        asset_class=problem.classes[k] if k is not None else "",
        symbol=candidate.symbol,
        cause=candidate.cause,
        drift_pp=100 * drift,
        what=candidate.what,
    )


def _drift(problem: Problem, drafter: Drafter) -> float | None:
    """Σ|drift| that the plan of a problem leaves; None where it has none."""
    try:
        after = applied(problem, drafter(problem).quantities)
    except PlanError:
        return None
    base = after.base
    if base <= HALF_CENT:
        return None
    return math.fsum(
        abs(value / base - target) for value, target in zip(after.value, after.target, strict=True)
    )


def _bounded(candidates: list[_Candidate]) -> list[_Candidate]:
    """The candidates, those beyond `_MOST` of one cause joined into one."""
    of_lines = [c for c in candidates if c.symbol]
    if len(of_lines) <= _MOST:
        return candidates
    joined = of_lines[_MOST - 1 :]

    def lift(problem: Problem) -> Problem:
        for candidate in joined:
            problem = candidate.lift(problem)
        return problem

    words = f"{len(joined)} further securities: {', '.join(c.symbol for c in joined[:5])} …"
    together = _Candidate(joined[0].cause, None, "", words, lift)
    kept = of_lines[: _MOST - 1]
    return [*kept, together, *(c for c in candidates if not c.symbol)]


def _candidates(problem: Problem, plan: Plan, mode: Mode) -> Iterator[_Candidate]:
    """What may keep the drift that is left, in the order in which it is lifted."""
    base = problem.base
    drift = {row.asset_class: row.drift_after for row in plan.classes}
    open_classes = {
        k
        for k, name in enumerate(problem.classes)
        if abs(drift.get(name, 0.0)) * base >= max(class_step(problem, k), HALF_CENT)
        and k != problem.cash_index
    }
    lines = [line for line in problem.lines if line.klass in open_classes]
    if problem.early or settles_late(problem) > HALF_CENT:
        words = "cash settles later than purchases would, or is about to leave"
        yield _Candidate(Cause.UNSETTLED, None, "", words, _settled_at_once)
    for k in sorted(open_classes):
        gap = drift[problem.classes[k]] * base
        small = [line for line in lines if line.klass == k and abs(gap) < _least(line, gap)]
        if small:
            words = ", ".join(f"{ln.symbol} trades from {_least(ln, gap):,.2f}" for ln in small[:3])
            yield _Candidate(Cause.MINIMUM, k, small[0].symbol, words, _any_size(k))
    if any(Cause.HELD_AWAY in line.causes for line in lines):
        yield _Candidate(Cause.HELD_AWAY, None, "", "the account is held away", _all_free)
    for cause in _LINE_CAUSES:
        for line in lines:
            if cause in line.causes and line.unit_value > 0 and line.quantity >= 0:
                words = f"{line.symbol}: {line.blocked}"
                yield _Candidate(cause, line.klass, line.symbol, words, _free(line.symbol))
    for k in sorted(open_classes):
        if drift[problem.classes[k]] < 0 and not any(ln.klass == k for ln in problem.lines):
            words = f"no security of {problem.classes[k]} is held or listed with a price"
            yield _Candidate(Cause.NO_SECURITY, k, "", words, _with_a_security(k))
    if problem.max_turnover is not None:
        words = f"turnover is capped at {problem.max_turnover:.4%}"
        yield _Candidate(Cause.TURNOVER, None, "", words, _uncapped)
    destination = problem.policy.destination
    if (
        mode is not Mode.REBALANCE
        or destination.goal is not Goal.TARGET
        or problem.policy.breached_only
    ):
        yield _Candidate(Cause.POLICY, None, "", _policy_words(problem, mode), _to_target)


def _policy_words(problem: Problem, mode: Mode) -> str:
    if mode is Mode.INVEST:
        return "new money only buys; nothing is sold"
    if mode is Mode.RAISE:
        return "only the cash that is needed is raised"
    if mode is Mode.REPLACE:
        return "only what must not be held is replaced"
    words = f"the policy trades {problem.policy.destination.in_words()}"
    return f"{words}, breached classes only" if problem.policy.breached_only else words


def _same(problem: Problem) -> Problem:
    return problem


def _changed(problem: Problem, change: Callable[[Line], Line]) -> Problem:
    return replace(problem, lines=tuple(change(line) for line in problem.lines))


def _least(line: Line, gap: float) -> float:
    """The smallest order in money of a security, on the side that would close a gap; 0 where it is none."""
    if gap < 0:
        return max(line.minimum, line.buy_minimum) if line.can_buy else 0.0
    return max(line.minimum, line.keep) if line.can_sell else 0.0


def _any_size(klass: int) -> Lift:
    def change(line: Line) -> Line:
        if line.klass != klass:
            return line
        return replace(line, minimum=0.0, buy_minimum=0.0, keep=0.0)

    return lambda problem: _changed(problem, change)


def _freed(line: Line) -> Line:
    tradable = line.unit_value > 0 and line.quantity >= 0 and line.klass >= 0
    if not tradable:
        return line
    return replace(line, can_buy=True, can_sell=line.quantity > 0, must_sell=False, blocked="")


def _free(symbol: str) -> Lift:
    return lambda problem: _changed(
        problem, lambda line: _freed(line) if line.symbol == symbol else line
    )


def _all_free(problem: Problem) -> Problem:
    return _changed(problem, _freed)


def _with_a_security(klass: int) -> Lift:
    """The problem with a security of a class that has none: any amount of it, free of cost."""

    def lift(problem: Problem) -> Problem:
        line = Line(
            symbol=f"({problem.classes[klass]})",
            klass=klass,
            quantity=0.0,
            price=1.0,
            unit_value=1.0,
            step=0.01,
            minimum=0.0,
            rank=math.inf,
            costs=CostModel(),
            adv=None,
            can_buy=True,
            can_sell=False,
            must_sell=False,
            replaces=False,
            blocked="",
        )
        return replace(problem, lines=(*problem.lines, line))

    return lift


def _settled_at_once(problem: Problem) -> Problem:
    return replace(problem, cash=problem.cash + max(0.0, settles_late(problem)), early=())


def _uncapped(problem: Problem) -> Problem:
    return replace(problem, max_turnover=None)


def _to_target(problem: Problem) -> Problem:
    return replace(problem, policy=parse_policy("now to target"))
