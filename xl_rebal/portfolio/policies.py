"""The rebalancing policy: what fires it, where trades end up, which classes they touch.

One immutable object is executed by the drift check, the trade list and the backtest alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class Frequency(StrEnum):
    """How often a calendar rule comes round."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    ANNUAL = "annual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A tolerance around each target.

    absolute  half-width as a fraction of the portfolio (0.05 is 5 percentage points), or None.
    relative  half-width as a fraction of the class's target (0.20 is 20% of it), or None.
    larger    with both given, the larger width counts instead of the smaller.

    The 5/25 rule (Larry Swedroe) is `Band(absolute=0.05, relative=0.25)`: 60% -> 55%..65%,
    5% -> 3.75%..6.25%, with the crossover at a target of 20%.
    """

    absolute: float | None = None
    relative: float | None = None
    larger: bool = False

    def __post_init__(self) -> None:
        if self.absolute is None and self.relative is None:
            raise ValueError("a band needs a width")
        for width in (self.absolute, self.relative):
            if width is not None and not 0.0 <= width < 1.0:
                raise ValueError(f"a band of {width} is outside 0 to 1")

    def width(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K,) half-widths in weight for (K,) targets."""
        if self.relative is None:
            return np.full_like(target, self.absolute)
        relative = self.relative * target
        if self.absolute is None:
            return relative
        pick = np.maximum if self.larger else np.minimum
        return np.asarray(pick(self.absolute, relative), dtype=np.float64)

    def in_words(self) -> str:
        """`5 percentage points`, `the smaller of 5 percentage points and 25% of the target`."""
        parts = []
        if self.absolute is not None:
            unit = "percentage point" if abs(self.absolute - 0.01) < 1e-12 else "percentage points"
            parts.append(f"{self.absolute * 100:.10g} {unit}")
        if self.relative is not None:
            parts.append(f"{self.relative * 100:.10g}% of the target")
        if len(parts) == 1:
            return parts[0]
        return f"the {'larger' if self.larger else 'smaller'} of {' and '.join(parts)}"


@dataclass(frozen=True, slots=True)
class OwnBands:
    """Every class's own band from the targets table (columns band_abs, band_rel, min, max)."""

    def in_words(self) -> str:
        """In words."""
        return "its own band from the targets table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Fires on the last (or first) trading day of each period."""

    frequency: Frequency
    first_day: bool = False

    def in_words(self) -> str:
        """`on the last trading day of each quarter`."""
        if self.frequency is Frequency.DAILY:
            return "every trading day"
        period = {
            Frequency.WEEKLY: "week",
            Frequency.MONTHLY: "month",
            Frequency.QUARTERLY: "quarter",
            Frequency.SEMIANNUAL: "half-year",
            Frequency.ANNUAL: "year",
        }[self.frequency]
        return f"on the {'first' if self.first_day else 'last'} trading day of each {period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryDays:
    """Fires when at least `days` trading days have passed since the last rebalancing (or look)."""

    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("an interval needs at least one day")

    def in_words(self) -> str:
        """`every 10 trading days`."""
        return "every trading day" if self.days == 1 else f"every {self.days} trading days"


@dataclass(frozen=True, slots=True)
class Never:
    """Never fires."""

    def in_words(self) -> str:
        """In words."""
        return "never"


@dataclass(frozen=True, slots=True)
class Always:
    """Fires whenever it is asked: the user wants a plan now."""

    def in_words(self) -> str:
        """In words."""
        return "now, whatever the drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Several triggers joined: `or` fires when any does, `and` only when all do."""

    operator: Literal["or", "and"]
    parts: tuple[Trigger, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("a combination needs two triggers or more")


Leaf = Band | OwnBands | Calendar | EveryDays | Never | Always
Trigger = Leaf | Combined


class Goal(StrEnum):
    """Where the trades of a class end up."""

    TARGET = "target"
    HALFWAY = "halfway"
    EDGE = "edge"
    INNER = "inner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`to target`, `to halfway`, `to edge`, or `to 50% of band` (goal INNER with share 0.5).

    share  for INNER: the distance from the target at which trades stop, as a share of the band.
    """

    goal: Goal = Goal.TARGET
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.goal is Goal.INNER and not 0.0 < self.share < 1.0:
            raise ValueError("a share of the band lies between 0% and 100%")

    def in_words(self) -> str:
        """`back to target`."""
        return {
            Goal.TARGET: "back to target",
            Goal.HALFWAY: "halfway from the current weight to the target",
            Goal.EDGE: "to just inside the band",
            Goal.INNER: f"to {self.share * 100:.10g}% of the band's width from target",
        }[self.goal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to trade and how far.

    trigger        what fires.
    beyond         a band counts as reached only past its edge (`>`); by default at it (`>=`).
    destination    where the traded classes end up.
    breached_only  trade only classes outside their band (and what must fund them).
    """

    trigger: Trigger
    beyond: bool = False
    destination: Destination = Destination()
    breached_only: bool = False

    def leaves(self) -> tuple[Leaf, ...]:
        """All simple triggers of the policy, from left to right."""
        return _leaves(self.trigger)

    @property
    def has_band(self) -> bool:
        """True when some trigger is a band."""
        return any(isinstance(leaf, (Band, OwnBands)) for leaf in self.leaves())

    @property
    def has_calendar(self) -> bool:
        """True when some trigger depends on the date."""
        return any(isinstance(leaf, (Calendar, EveryDays)) for leaf in self.leaves())

    def in_words(self) -> str:
        """The whole policy as one sentence."""
        scope = (
            "only the classes outside their band, funded from spare cash, then from the most "
            "overweight class downwards"
            if self.breached_only
            else "all classes"
        )
        if isinstance(self.trigger, Never):
            return "Never rebalance."
        when = _in_words(self.trigger, self.beyond)
        return f"Rebalance {when}; trade {scope} {self.destination.in_words()}."


def _leaves(trigger: Trigger) -> tuple[Leaf, ...]:
    if isinstance(trigger, Combined):
        return tuple(leaf for part in trigger.parts for leaf in _leaves(part))
    return (trigger,)


def _in_words(trigger: Trigger, beyond: bool) -> str:
    if isinstance(trigger, Combined):
        words = [_in_words(part, beyond) for part in trigger.parts]
        if trigger.operator == "and":
            return "only " + " and ".join(words)
        return ", or ".join(words)
    if isinstance(trigger, (Band, OwnBands)):
        verb = "goes beyond" if beyond else "reaches"
        return f"when a class's drift {verb} {trigger.in_words()}"
    return trigger.in_words()


def trigger_in_words(trigger: Trigger) -> str:
    """A trigger as a noun: `band of 5 percentage points`, `on the last trading day of each year`."""
    if isinstance(trigger, Combined):
        return f" {trigger.operator} ".join(trigger_in_words(part) for part in trigger.parts)
    if isinstance(trigger, (Band, OwnBands)):
        return f"band of {trigger.in_words()}"
    return trigger.in_words()
