"""What a plan is worth after its costs (S045), in money of a stated investor over a stated time.

An investor of risk aversion A who thinks the target right gives up 0.5 A x variance of the difference in
return between what is held and the target, a year and a unit of money (mean-variance certainty
equivalent; Grinold and Kahn 1999, "Active Portfolio Management", chapter 4). With d the drifts and S the
annual covariances that variance is d' S d, so a plan that takes drifts from d0 to d1 is worth

    0.5 x A x (d0' S d0 - d1' S d1) x value x years - costs.

Brought to target, d1 = 0 and the bracket is the variance of the drift removed. Example: a 60/40 at 70/30
with volatilities 15% and 5%, uncorrelated: d0' S d0 = 0.1^2 x (0.15^2 + 0.05^2) = 0.00025; with A = 4 and
1,000,000 over a year 500.00 before costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xl_rebal.risk.covariance import Covariance

RISK_AVERSION = 4.0
HORIZON = 1.0
_MOST_AVERSE, _LONGEST = 1000, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Investor:
    """For whom a benefit is stated.

    risk_aversion  A of the mean-variance certainty equivalent; a choice, not a measurement.
    horizon        years that the drift would otherwise have stayed.
    """

    risk_aversion: float = RISK_AVERSION
    horizon: float = HORIZON

    def __post_init__(self) -> None:
        if not 0 <= self.risk_aversion <= _MOST_AVERSE:
            raise ValueError(
                f"a risk aversion of {self.risk_aversion:g} is not possible; "
                f"enter a number from 0 to {_MOST_AVERSE:,}"
            )
        if not 0 < self.horizon <= _LONGEST:
            raise ValueError(
                f"a horizon of {self.horizon:g} years is not possible; "
                f"enter more than 0 and {_LONGEST} or less"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBenefit:
    """A benefit with its inputs. Variances are annual, of returns as fractions; money is money."""

    investor: Investor
    variance_before: float
    variance_after: float
    value: float
    costs: float

    @property
    def gross(self) -> float:
        """Before costs."""
        removed = self.variance_before - self.variance_after
        return 0.5 * self.investor.risk_aversion * removed * self.value * self.investor.horizon

    @property
    def net(self) -> float:
        """After costs."""
        return self.gross - self.costs

    def in_words(self) -> str:
        """The formula with its inputs."""
        return (
            f"0.5 × {self.investor.risk_aversion:g} × ({self.variance_before:.8f} − "
            f"{self.variance_after:.8f}) × {self.value:,.2f} × {self.investor.horizon:g} y − "
            f"{self.costs:,.2f} = {self.net:,.2f}"
        )


def net_benefit(
    covariance: Covariance,
    before: tuple[float, ...],
    after: tuple[float, ...],
    *,
    value: float,
    costs: float,
    investor: Investor,
) -> NetBenefit:
    """The benefit of taking drifts (fractions, one a class of `covariance`) from before to after."""
    return NetBenefit(
        investor=investor,
        variance_before=covariance.variance(np.array(before)),
        variance_after=covariance.variance(np.array(after)),
        value=value,
        costs=costs,
    )
