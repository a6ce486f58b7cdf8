"""The list of add-ins that Excel loads: registry values OPEN, OPEN1, OPEN2, … of its Options key.

Excel reads them in order and stops at the first number that is missing, so a deleted value hides
those after it (Excel-DNA/WiXInstaller issue 16). Others' values are never changed, but for closing
the gap that our own removal would leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xl_rebal.excel.installation.changes import Change, PutValue, RemoveValue
from xl_rebal.excel.installation.machine import Value, name_of, text_value

_NAME = re.compile(r"OPEN(\d*)", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of the list: its number (OPEN is 0), its name as written, and its value."""

    number: int
    name: str
    value: Value

    @property
    def add_in(self) -> str:
        """The path or bare name of the add-in, without switches such as /R."""
        text = self.value.text.strip()
        quoted = _QUOTED.search(text)
        return quoted[1] if quoted else re.sub(r"^(?:/\w\s+)+", "", text)


def entries(values: Mapping[str, Value]) -> list[Entry]:
    """The list in Excel's order."""
    found = []
    for name, value in values.items():
        match = _NAME.fullmatch(name)
        if match and match[1] != "0" and not match[1].startswith("0"):
            found.append(Entry(number=int(match[1] or 0), name=name, value=value))
    return sorted(found, key=lambda entry: entry.number)


def loaded(listed: Iterable[Entry]) -> list[Entry]:
    """Those that Excel comes to before the first gap."""
    found: list[Entry] = []
    for entry in listed:
        if entry.number != len(found):
            break
        found.append(entry)
    return found


def named(number: int) -> str:
    """The name of the value with a number."""
    return f"OPEN{number}" if number else "OPEN"


def written(path: str) -> Value:
    """The value with which Excel loads an add-in read-only, as installers write it."""
    return text_value(f'/R "{path}"')


def first_free(listed: list[Entry]) -> int:
    """The first number that is not taken: the only one that Excel is sure to come to."""
    return len(loaded(listed))


def closes_a_gap(listed: list[Entry], number: int) -> bool:
    """Whether an entry with this number would join entries that stood behind a gap."""
    return any(entry.number == number + 1 for entry in listed)


def find(listed: list[Entry], add_in_name: str) -> list[Entry]:
    """The entries that load an add-in of this name, from whatever folder."""
    return [e for e in listed if name_of(e.add_in).lower() == add_in_name.lower()]


def removal(key: str, listed: list[Entry], entry: Entry, *, gap_before: bool) -> list[Change]:
    """Take one entry out so that Excel loads the same others as before it was there.

    gap_before  whether its number was missing between others when we came: then it is again.
    """
    changes: list[Change] = []
    by_number = {each.number: each for each in listed}
    number, last = entry.number, entry
    while not gap_before and number + 1 in by_number:
        following = by_number[number + 1]
        changes.append(PutValue(key=key, name=last.name, value=following.value))
        number, last = number + 1, following
    return [*changes, RemoveValue(key=key, name=last.name)]
