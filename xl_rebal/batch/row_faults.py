"""Bad rows told from good ones, so that one client's slip does not stop the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from xl_rebal.custodians.row_streams import Lined
from xl_rebal.errors import Fault, RebalError

T = TypeVar("T")
_LINE = re.compile(r"\b(?:row|line) (\d+)\b")


def line_of(fault: Fault) -> int | None:
    """The line that a fault names: 7 of `lots.csv row 7, column acquired`; None for none."""
    found = _LINE.findall(fault.where.partition(", column")[0])
    return int(found[-1]) if found else None


def read_apart(
    rows: Sequence[Lined], read: Callable[[Sequence[Lined]], T]
) -> tuple[T, dict[int, list[Fault]]]:
    """What the good rows read as, and the faults of the bad ones by line.

    Readers report all bad rows together, so that two passes do; only what one fault hides from the
    reader, or what is beyond the number that it reports, takes more. Raises what names no row.
    """
    bad: dict[int, list[Fault]] = {}
    good = list(rows)
    while True:
        try:
            return read(good), bad
        except RebalError as error:
            lines = {line for line, _ in good}
            named = [(line_of(fault), fault) for fault in error.faults]
            found = {line for line, _ in named} & lines
            if not found:
                raise
            for line, fault in named:
                if line in found and line is not None:
                    bad.setdefault(line, []).append(fault)
            good = [row for row in good if row[0] not in found]


def blamed(
    members: Sequence[str], check: Callable[[Sequence[str]], None]
) -> dict[str, tuple[Fault, ...]]:
    """The members that a check refuses, each with its faults; the others pass it together.

    The check is asked of all, then of halves of what it refuses, down to one.
    """
    if not members:
        return {}
    try:
        check(members)
    except RebalError as error:
        if len(members) == 1:
            return {members[0]: error.faults}
    else:
        return {}
    half = len(members) // 2
    return blamed(members[:half], check) | blamed(members[half:], check)
