"""What a worker is given and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Task(Protocol):
    """Clients that are planned together by one worker; picklable, so that it may travel."""

    @property
    def index(self) -> int:
        """Place of the chunk in the run."""
        ...

    @property
    def households(self) -> tuple[str, ...]:
        """Whom it is about."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a chunk.

    files    path inside the run's folder (with `/`) -> content.
    records  what the end of the run needs of it, JSON values only: `clients`, `trades`, `lots`, `failed`.
    """

    index: int
    households: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    records: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A chunk whose worker died over it, again when it was tried alone."""

    task: Task
    reason: str


Work = Callable[[Task], Done]
