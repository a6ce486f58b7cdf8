"""How whole shares are found."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How whole shares are found.

    fast  the linear program, then rounding that keeps cash true.
    best  a mixed-integer program that starts from the fast plan.
    """

    FAST = "fast"
    BEST = "best"
