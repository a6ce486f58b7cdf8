"""The independent verifier: every plan is recomputed from the book's rows before it may leave.

It imports nothing of the planner and repeats nothing of its arithmetic: exact decimals and plain loops
here, arrays there. What it demands is DESIGN section 4: cash, holdings, steps, restrictions, one net
trade, weights that sum to 100%, no breach that grows, each remaining breach with its cause. It checks
that a plan is right and allowed, not that no better one exists.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import localcontext

from xl_rebal.errors import Fault, VerificationError
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Policy
from xl_rebal.trading.checks_book import EXACT, BookRows, Violation
from xl_rebal.trading.checks_case import case_of
from xl_rebal.trading.checks_cash import check_cash_days
from xl_rebal.trading.checks_classes import check_classes, check_not_done
from xl_rebal.trading.checks_fields import unreadable
from xl_rebal.trading.checks_orders import check_orders
from xl_rebal.trading.checks_trades import check_account, check_cash, check_trades
from xl_rebal.trading.limits import Limits, Timing
from xl_rebal.trading.plan import Plan

__all__ = [
    "Violation",
    "check_plan",
    "check_plans",
    "refusal_of",
    "require_verified",
    "violations_by_plan",
]

NO_DATE = Timing()
REMEDY = "the plan is not exported; report this with the holdings file"


def check_plan(
    book: Book, policy: Policy, plan: Plan, limits: Limits, *, timing: Timing = NO_DATE
) -> tuple[Violation, ...]:
    """Every rule that one plan breaks; never raises on what the plan says.

    For many plans of one book take `check_plans`, which reads the book once.
    """
    return check_plans(book, policy, (plan,), limits, timing=timing)


def check_plans(
    book: Book,
    policy: Policy,
    plans: Iterable[Plan],
    limits: Limits,
    *,
    timing: Timing = NO_DATE,
) -> tuple[Violation, ...]:
    """Every rule that the plans break, in their order; an account has one plan."""
    found = violations_by_plan(book, policy, plans, limits, timing=timing)
    return tuple(violation for violations in found for violation in violations)


def violations_by_plan(
    book: Book,
    policy: Policy,
    plans: Iterable[Plan],
    limits: Limits,
    *,
    timing: Timing = NO_DATE,
) -> tuple[tuple[Violation, ...], ...]:
    """The rules that each of the plans breaks, in their order."""
    found: list[tuple[Violation, ...]] = []
    planned: set[str] = set()
    with localcontext(EXACT):
        rows = BookRows(book, policy, timing)
        for plan in plans:
            violations = unreadable(plan)
            if not violations:
                violations = _violations(rows, plan, limits)
                if plan.account in planned:
                    where, what = f"account {plan.account}", "a second plan for the account"
                    violations.append(Violation(code="one-plan", where=where, what=what))
                planned.add(plan.account)
            found.append(tuple(violations))
    return tuple(found)


def require_verified(
    book: Book,
    policy: Policy,
    plans: Iterable[Plan],
    limits: Limits,
    *,
    timing: Timing = NO_DATE,
) -> None:
    """Raise VerificationError with one fault for each violation; do nothing when there is none."""
    violations = check_plans(book, policy, plans, limits, timing=timing)
    if violations:
        raise refusal_of(violations)


def refusal_of(violations: Iterable[Violation]) -> VerificationError:
    """The error that says which rules are broken."""
    return VerificationError(
        *(Fault(where=v.where, what=f"{v.what} ({v.code})", remedy=REMEDY) for v in violations)
    )


def _violations(rows: BookRows, plan: Plan, limits: Limits) -> list[Violation]:
    account = rows.account(plan.account)
    if account is None:
        where, what = f"account {plan.account}", "its model has no targets"
        return [Violation(code="unknown-account", where=where, what=what)]
    case = case_of(rows, account, plan, limits)
    return [
        *check_account(case),
        *check_cash(case),
        *check_cash_days(case),
        *check_trades(case),
        *check_orders(case),
        *check_classes(case),
        *check_not_done(case),
    ]
