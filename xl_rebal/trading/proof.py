"""How good a plan is known to be: the best there is, or how much better another could be at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How good a plan is known to be.

    optimal  True when no plan for the same destinations is better.
    stage    where a better one could still be: `destination`, `trades`, `drift`; empty when optimal.
    gap      by how much at most: trades, a fraction of the weight base, or (destination) the fraction
             by which classes end farther than a step from their destination.
    """

    optimal: bool
    stage: str = ""
    gap: float = 0.0
    detail: str = ""

    @property
    def words(self) -> str:
        """`optimal`, or what is not proven and by how much."""
        if self.optimal:
            return "optimal" + (f" ({self.detail})" if self.detail else "")
        if self.stage == "trades":
            count = f"{self.gap:.0f} trade{'' if self.gap == 1 else 's'} fewer"
            return f"not proven: at most {count} might do"
        if self.stage == "drift":
            return f"not proven: the sum of drifts might be at most {self.gap * 100:.4f} pp smaller"
        return f"not proven: {self.detail}"


OPTIMAL = Proof(optimal=True)
NOTHING_ASKED = Proof(optimal=True, detail="no trade is asked for")
