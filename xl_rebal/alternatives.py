"""Several plans for the same holdings side by side, each verified, so that a person picks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from xl_rebal.errors import PlanError, PolicyError
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Destination, Goal
from xl_rebal.rebalance import Request, plan_each
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import Investor, NetBenefit, net_benefit
from xl_rebal.trading.limits import FlowMode
from xl_rebal.trading.plan import Plan


class Choice(StrEnum):
    """A plan to choose."""

    TARGET = "target"
    HALFWAY = "halfway"
    EDGE = "edge"
    BREACHED_ONLY = "breached-only"
    BUY_ONLY = "buy-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What one choice comes to in one account.

    plan      the verified plan; None where the choice is refused, and `refused` says why.
    max_drift, sum_drift  largest and summed |drift| after the trades, as fractions; cash counts.
    benefit   net benefit after costs; None without covariances.
    """

    account: str
    choice: Choice
    plan: Plan | None
    refused: str = ""
    benefit: NetBenefit | None = None

    @property
    def max_drift(self) -> float | None:
        """The largest drift of a class, cash counted."""
        return max(_drifts(self.plan), default=None)

    @property
    def sum_drift(self) -> float | None:
        """The sum of the drifts, cash counted."""
        return math.fsum(_drifts(self.plan)) if self.plan is not None else None


def _drifts(plan: Plan | None) -> list[float]:
    return [abs(row.drift_after) for row in plan.classes] if plan is not None else []


def chosen(request: Request, choice: Choice) -> Request:
    """The request with the destination and scope of a choice. Raises PolicyError where it has none."""
    policy = request.policy
    if choice in (Choice.EDGE, Choice.BREACHED_ONLY) and not policy.has_band:
        raise PolicyError.of(
            where=f"plan {choice.value}",
            what="the policy has no band",
            remedy="name a band, as in 5pp, or choose another plan",
        )
    if choice is Choice.BUY_ONLY:
        return replace(request, flow_mode=FlowMode.BUY_ONLY)
    goal = {Choice.HALFWAY: Goal.HALFWAY, Choice.EDGE: Goal.EDGE}.get(choice, Goal.TARGET)
    policy = replace(
        policy,
        destination=Destination(goal=goal),
        breached_only=choice is Choice.BREACHED_ONLY,
    )
    return replace(request, policy=policy)


def alternatives(
    book: Book,
    request: Request,
    *,
    covariance: Covariance | None = None,
    investor: Investor | None = None,
) -> tuple[Alternative, ...]:
    """Every choice for every account, account by account.

    covariance  of the classes of every model; without it no benefit is stated.
    """
    made = {choice: _outcomes(book, request, choice) for choice in Choice}
    result = []
    for account in book.holdings.accounts():
        for choice, outcomes in made.items():
            outcome = outcomes.get(account)
            if outcome is None:
                continue  # it holds nothing to weigh
            if isinstance(outcome, str):
                result.append(
                    Alternative(account=account, choice=choice, plan=None, refused=outcome)
                )
                continue
            benefit = None
            if covariance is not None:
                benefit = benefit_of(outcome, covariance, investor or Investor())
            result.append(
                Alternative(account=account, choice=choice, plan=outcome, benefit=benefit)
            )
    return tuple(result)


def _outcomes(book: Book, request: Request, choice: Choice) -> dict[str, Plan | str]:
    """By account: its plan, or why it has none. Each account is refused for its own reasons only."""
    try:
        made = plan_each(book, replace(chosen(request, choice), explain=False))
    except (PlanError, PolicyError) as error:
        return dict.fromkeys(book.holdings.accounts(), str(error))
    return {
        **{plan.account: plan for plan in made.plans},
        **{each.account: each.reason for each in made.refused},
    }


def benefit_of(plan: Plan, covariance: Covariance, investor: Investor) -> NetBenefit:
    """What a plan is worth after its costs; classes that the covariances do not name do not move."""
    rows = {row.asset_class: row for row in plan.classes}
    nothing = np.zeros(len(covariance.classes))
    before, after = nothing.copy(), nothing.copy()
    for index, name in enumerate(covariance.classes):
        if name in rows:
            before[index], after[index] = rows[name].drift_before, rows[name].drift_after
    return net_benefit(
        covariance,
        tuple(before.tolist()),
        tuple(after.tolist()),
        value=plan.base_before,
        costs=plan.total_cost,
        investor=investor,
    )


def classes_of(book: Book) -> tuple[str, ...]:
    """The target classes of all models, each once: what covariances are needed of."""
    names = (name for targets in book.models.values() for name in targets.classes)
    return tuple(dict.fromkeys(names))
