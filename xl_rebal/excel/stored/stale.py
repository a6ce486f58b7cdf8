"""Which formulas depend on what a macro changed: their saved values must not pass for true.

Dependence is followed through tables, defined names and sheets, sheet by sheet and not cell by cell:
rather a value too many is taken away than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_TEXTS = re.compile(r'"(?:[^"]|"")*"')
_SHEETS = re.compile(r"(?:'((?:[^']|'')+)'|([\w.:\[\]]+))!")
_WORDS = re.compile(r"[^\W\d][\w.\\]*")
# What a worksheet function without arguments reads.
_INPUTS = frozenset(
    "tblholdings tbltargets tblpolicy tblcosts tblrestrictions tblclasses "
    "tblsecurities tblaccountsettings".split()
)
_ANYWHERE = frozenset({"indirect", "offset"})


@dataclass(frozen=True, slots=True)
class Place:
    """A formula in a sheet."""

    sheet: str
    row: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class _Reads:
    """What a formula reads: words (tables, names, functions) and sheets, in lower case."""

    words: frozenset[str]
    sheets: frozenset[str]


def _reads(text: str, sheet: str) -> _Reads:
    bare = _TEXTS.sub('""', text) if '"' in text else text
    sheets = {sheet.casefold()} if sheet else set()  # its own sheet, whatever it reads there
    if "!" in bare:
        sheets |= {(a or b).replace("''", "'").casefold() for a, b in _SHEETS.findall(bare)}
    return _Reads(frozenset(_WORDS.findall(bare.casefold())), frozenset(sheets))


def refers(text: str, sheet: str, tables: Iterable[str]) -> bool:
    """Whether a formula names a sheet, or one of the tables on it."""
    reads = _reads(text, "")
    return sheet.casefold() in reads.sheets or not reads.words.isdisjoint(
        table.casefold() for table in tables
    )


def stale(
    formulas: Iterable[Place],
    names: Mapping[str, str],
    tables: Mapping[str, str],
    *,
    changed_tables: Iterable[str],
    changed_sheets: Iterable[str],
) -> list[Place]:
    """The formulas that may depend on the changed tables and sheets.

    names   defined names and what they stand for.
    tables  table names and the sheets that they stand on.
    """
    waiting = [(place, _reads(place.text, place.sheet)) for place in formulas]
    named = {name.casefold(): _reads(text, "") for name, text in names.items()}
    sheets = {sheet.casefold() for sheet in changed_sheets}
    words = {table.casefold() for table in changed_tables}
    rebal = bool(words & _INPUTS)
    found: list[Place] = []
    while True:
        words |= {table.casefold() for table, sheet in tables.items() if sheet.casefold() in sheets}
        before = len(words) + len(sheets)
        words |= {name for name, reads in named.items() if _touches(reads, words, sheets, rebal)}
        fresh: list[tuple[Place, _Reads]] = []
        rest: list[tuple[Place, _Reads]] = []
        for place, reads in waiting:
            (fresh if _touches(reads, words, sheets, rebal) else rest).append((place, reads))
        waiting = rest
        found += [place for place, _ in fresh]
        sheets |= {place.sheet.casefold() for place, _ in fresh}
        if not fresh and len(words) + len(sheets) == before:
            return found


def _touches(reads: _Reads, words: set[str], sheets: set[str], rebal: bool) -> bool:
    if not (
        reads.words.isdisjoint(words)
        and reads.sheets.isdisjoint(sheets)
        and reads.words.isdisjoint(_ANYWHERE)
    ):
        return True
    if any(":" in sheet for sheet in reads.sheets):  # first:last sheet
        return True
    return rebal and any(word.rpartition(".")[2].startswith("rebal_") for word in reads.words)
