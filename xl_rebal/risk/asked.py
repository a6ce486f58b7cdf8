"""What a plan is to be measured by besides drift: covariances, for whom, and a shock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import Investor


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAsked:
    """What is asked.

    covariance  of the target classes of every model; None asks for neither benefit nor adjusted bands.
    investor    for whom a benefit is stated.
    returns     a shock as returns by class or branch of classes (fractions); empty for none.
    """

    covariance: Covariance | None = None
    investor: Investor = field(default_factory=Investor)
    returns: Mapping[str, float] = field(default_factory=dict)


NO_RISK = RiskAsked()
