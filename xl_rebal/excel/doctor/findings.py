"""What the doctor finds: one line for each thing that has to be right, with its mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from xl_rebal.excel.addin.build import ADDIN_NAME
from xl_rebal.excel.installation import places
from xl_rebal.excel.installation import record as records
from xl_rebal.excel.installation.machine import Machine, expand, join
from xl_rebal.excel.installation.record import Placed, Record

State = Literal["ok", "warning", "fault", "not applicable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    remedy  the command or the clicks that mend it; empty where nothing is to be done
    """

    name: str
    state: State
    what: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """The computer under examination, and what several checks ask of it."""

    machine: Machine

    @cached_property
    def record(self) -> Record | None:
        """What was installed; raises FileError where the record is damaged."""
        return records.load(self.machine)

    @cached_property
    def add_in(self) -> str:
        """Where our add-in belongs."""
        return join(self.machine, places.add_ins(self.machine), ADDIN_NAME)

    @cached_property
    def template_files(self) -> tuple[str, ...]:
        """The templates that were installed."""
        return tuple(f.path for f in self.placed if f.path.lower().endswith(".xltx"))

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The files that were installed."""
        return () if self.record is None else self.record.files

    def is_file(self, text: str) -> bool:
        """Whether there is a file at a place."""
        return self.machine.path(expand(self.machine, text)).is_file()


Check = Callable[[Patient], Iterable[Finding]]


def ok(name: str, what: str) -> Finding:
    """All is well."""
    return Finding(name=name, state="ok", what=what)


def warning(name: str, what: str, remedy: str) -> Finding:
    """It works, or may work, but somebody should know."""
    return Finding(name=name, state="warning", what=what, remedy=remedy)


def fault(name: str, what: str, remedy: str) -> Finding:
    """It does not work like this."""
    return Finding(name=name, state="fault", what=what, remedy=remedy)


def not_applicable(name: str, what: str) -> Finding:
    """There is nothing to look at on this system."""
    return Finding(name=name, state="not applicable", what=what)
