"""What a macro is: what it is given besides the workbook, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xl_rebal.errors import RebalError
from xl_rebal.excel.changes import Change
from xl_rebal.excel.workbook import Workbook


class MacroError(RebalError):
    """A macro that is not there, or was not told what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a macro is given besides the workbook.

    file       the file to read (Import Positions) or to write (Export Orders).
    overwrite  whether that file may be replaced.
    plans      the folder where plans are kept; None for the usual one.
    who        who edits a plan; None for the name of the signed-in user.
    """

    file: Path | None = None
    overwrite: bool = False
    plans: Path | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a macro found and wants written.

    lines     what it says to the user, the first line foremost.
    changes   what is to be written to the workbook.
    document  the same for programs: what `--json` prints.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    document: dict[str, Any] = field(default_factory=dict)


Body = Callable[[Workbook, Settings], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One button: its name in code, its title on the ribbon, what it does, the file that it needs."""

    name: str
    title: str
    help: str
    body: Body
    file: str = ""
