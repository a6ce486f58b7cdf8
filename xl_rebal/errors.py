"""Everything that can be wrong with what a user gave us, as one tree of exceptions.

Each message says *where* (table and row, or file and line, and the column), *what* is wrong and the
*remedy*. Bad input is collected first and raised once, so that a file's bad rows are seen together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: where it stands, what it is, and what to do about it."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.remedy}" if self.remedy else text


class RebalError(Exception):
    """Base of every error that the product raises on purpose; carries one or more faults."""

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("an error needs at least one fault")
        self.faults = faults
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)

    @classmethod
    def of(cls, *, where: str, what: str, remedy: str) -> Self:
        """The error with a single fault."""
        return cls(Fault(where=where, what=what, remedy=remedy))


class FileError(RebalError):
    """A file cannot be opened, is of the wrong kind, or must not be overwritten."""


class ReadError(RebalError):
    """A file was opened but rows, columns or numbers in it cannot be used."""


class TableError(RebalError):
    """A table (holdings, targets, securities, …) misses a column or holds a bad value."""


class TargetError(RebalError):
    """Target weights that do not work: sum, overlap, unknown or uncovered classes."""


class PolicyError(RebalError):
    """A rebalancing policy that cannot be understood or contradicts itself."""


class CostError(RebalError):
    """A cost description that cannot be understood."""


class ClassificationError(RebalError):
    """Securities whose asset class nobody has stated."""


class CurrencyError(RebalError):
    """More than one currency and no rate between them."""


class TaxError(RebalError):
    """Lots, a trade history or a tax profile that cannot be taxed as they stand."""


class PlanError(RebalError):
    """No plan meets the constraints."""


class VerificationError(RebalError):
    """The independent verifier found a fault in a plan; the plan is not handed out."""


class FaultList:
    """Collects faults while reading, then raises them together."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, *, where: str, what: str, remedy: str) -> None:
        """Note one fault and go on."""
        self._faults.append(Fault(where=where, what=what, remedy=remedy))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Note several faults and go on."""
        self._faults.extend(faults)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Take the faults of a RebalError raised inside the block instead of letting it out."""
        try:
            yield
        except RebalError as error:
            self._faults.extend(error.faults)

    def raise_as(self, error: type[RebalError]) -> None:
        """Raise `error` with all faults noted so far; do nothing when there is none."""
        if self._faults:
            raise error(*self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)
