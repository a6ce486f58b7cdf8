"""Triggers: for which accounts a policy asks for trades, and why, for one account or thousands at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import breaches, widths
from xl_rebal.drift import Drift
from xl_rebal.portfolio.policies import (
    Always,
    Band,
    Calendar,
    EveryDays,
    Never,
    OwnBands,
    Policy,
    Trigger,
)
from xl_rebal.schedule import Due, calendar_due


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trigger says of the A accounts of a drift.

    fires  (A,) True where it asks for trades.
    why    why it does, or why not, in words, for the account at an index below A.
    """

    fires: NDArray[np.bool_]
    why: Callable[[int], str]


def judge(
    policy: Policy,
    drift: Drift,
    *,
    as_of: dt.date | None,
    last_rebalanced: Sequence[dt.date | None],
) -> Verdict:
    """Whether the policy asks for trades, account by account.

    last_rebalanced  A dates of the last rebalancing, None where unknown; calendar rules ask for them.
    """
    return _judge(policy.trigger, _Asked(policy, drift, as_of, last_rebalanced))


@dataclass(frozen=True, slots=True)
class _Asked:
    policy: Policy
    drift: Drift
    as_of: dt.date | None
    last_rebalanced: Sequence[dt.date | None]


def _judge(trigger: Trigger, asked: _Asked) -> Verdict:
    count = len(asked.drift.accounts)
    if isinstance(trigger, Never):
        return Verdict(np.zeros(count, dtype=np.bool_), lambda _: "the policy never trades")
    if isinstance(trigger, Always):
        return Verdict(np.ones(count, dtype=np.bool_), lambda _: "a plan was asked for")
    if isinstance(trigger, (Calendar, EveryDays)):
        return _calendar(trigger, asked)
    if isinstance(trigger, (Band, OwnBands)):
        return _band(trigger, asked)
    bands = [part for part in trigger.parts if isinstance(part, (Band, OwnBands))]
    if trigger.operator == "and" and len(bands) == len(trigger.parts):
        # "3pp and 20%rel" asks one class to be outside both, not two classes outside one each.
        return _band(trigger, asked)
    parts = [_judge(part, asked) for part in trigger.parts]
    join = np.logical_and if trigger.operator == "and" else np.logical_or
    fires = join.reduce([part.fires for part in parts])

    def why(row: int) -> str:
        return "; ".join(part.why(row) for part in parts if part.fires[row] == fires[row])

    return Verdict(fires, why)


def _calendar(rule: Calendar | EveryDays, asked: _Asked) -> Verdict:
    """Accounts that were rebalanced on one day share the answer."""
    due: dict[dt.date | None, Due] = {}
    for last in asked.last_rebalanced:
        if last not in due:
            due[last] = calendar_due(rule, as_of=asked.as_of, last_rebalanced=last)
    fires = np.array([due[last].fires for last in asked.last_rebalanced], dtype=np.bool_)
    return Verdict(fires, lambda row: due[asked.last_rebalanced[row]].why)


def _band(trigger: Trigger, asked: _Asked) -> Verdict:
    policy, drift = replace(asked.policy, trigger=trigger), asked.drift
    breach = breaches(drift, widths(policy, drift), beyond=policy.beyond)

    def why(row: int) -> str:
        hit = [
            f"{name} is {abs(d) * 100:.2f} pp {'above' if b > 0 else 'below'} target"
            for name, b, d in zip(
                drift.classes, breach[row].tolist(), drift.drift[row].tolist(), strict=True
            )
            if b
        ]
        return f"outside the band: {', '.join(hit)}" if hit else "every class is within its band"

    return Verdict(np.any(breach, axis=1, keepdims=True)[:, 0], why)
