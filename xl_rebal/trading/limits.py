"""What a plan must respect besides targets and restrictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from xl_rebal.costs import CostModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits that hold for every account of a run.

    costs         what trades cost.
    min_trade     smallest trade in money; smaller ones are not made.
    max_turnover  cap on (buys + sells) / 2 as a fraction of the weight base; None for no cap.
    """

    costs: CostModel = field(default_factory=CostModel)
    min_trade: float = 0.0
    max_turnover: float | None = None


class FlowMode(StrEnum):
    """How a contribution or withdrawal is used.

    hybrid      the flow buys (or sells) first; if a band is still broken, everything is rebalanced.
    buy-only    contributions and spare cash buy what is underweight; nothing is sold.
    raise-cash  withdrawals sell what is overweight; nothing is bought.
    """

    HYBRID = "hybrid"
    BUY_ONLY = "buy-only"
    RAISE_CASH = "raise-cash"
