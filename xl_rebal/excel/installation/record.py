"""What an installation put and changed, so that it can be taken back: one JSON file of the user's.

Places are kept with %APPDATA% and the like in them, so that they hold in a roaming profile.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Self

from xl_rebal.errors import FileError
from xl_rebal.excel.installation.machine import Machine, Value, expand, join, portable
from xl_rebal.excel.installation.settings_file import Setting

FORM = 1
NAME = "excel-install.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file of ours.

    hashes  SHA-256 of what we put there; two while one version replaces another
    """

    path: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Our entry in Excel's list of add-ins (see open_entries).

    gap  whether its number was missing between others when we came
    """

    key: str
    data: str
    gap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A registry value that we set, and what stood there before."""

    key: str
    name: str
    value: Value
    before: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that `uninstall excel` takes back.

    folders, keys  that were made for it, outermost first
    settings_file  whether the settings file itself is ours
    """

    package: str
    files: tuple[Placed, ...] = ()
    folders: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    listed: tuple[Listed, ...] = ()
    values: tuple[Set, ...] = ()
    settings: tuple[Setting, ...] = ()
    settings_file: bool = False

    def to_bytes(self, machine: Machine) -> bytes:
        """The record as it is kept."""
        document = {"form": FORM, **asdict(self._with_places(machine, keep=True))}
        return (json.dumps(document, indent=2) + "\n").encode()

    @classmethod
    def from_bytes(cls, machine: Machine, data: bytes) -> Self:
        """The record that was kept; raises FileError when it cannot be understood."""
        try:
            document = json.loads(data)
            if document.pop("form") != FORM:
                raise ValueError("another form")
            record = cls(
                package=str(document["package"]),
                files=tuple(
                    Placed(path=str(f["path"]), hashes=tuple(map(str, f["hashes"])))
                    for f in document["files"]
                ),
                folders=tuple(map(str, document["folders"])),
                keys=tuple(map(str, document["keys"])),
                listed=tuple(Listed(**each) for each in document["listed"]),
                values=tuple(
                    Set(
                        key=v["key"],
                        name=v["name"],
                        value=Value(**v["value"]),
                        before=Value(**v["before"]) if v["before"] else None,
                    )
                    for v in document["values"]
                ),
                settings=tuple(Setting(**each) for each in document["settings"]),
                settings_file=bool(document["settings_file"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError.of(
                where=place(machine),
                what="is damaged, or was written by another version of xl_rebal",
                remedy="run the version that installed; or remove the add-in by hand as "
                "docs/technical-lead.md says, delete this file, and install again",
            ) from error
        return record._with_places(machine, keep=False)

    def _with_places(self, machine: Machine, *, keep: bool) -> Self:
        turn = portable if keep else expand
        return replace(
            self,
            files=tuple(Placed(path=turn(machine, f.path), hashes=f.hashes) for f in self.files),
            folders=tuple(turn(machine, folder) for folder in self.folders),
        )

    def hashes(self, path: str) -> tuple[str, ...]:
        """What we put at a place; nothing where it is not ours."""
        return next((f.hashes for f in self.files if f.path.lower() == path.lower()), ())


def sha256(data: bytes) -> str:
    """The checksum by which we know our files again."""
    return hashlib.sha256(data).hexdigest()


def place(machine: Machine) -> str:
    """Where the record is kept."""
    if machine.system == "windows":
        return join(machine, "%APPDATA%", "xl_rebal", NAME)
    return join(machine, "~", "Library/Application Support/xl_rebal", NAME)


def load(machine: Machine) -> Record | None:
    """The record of what is installed for this user; None where nothing is."""
    path = machine.path(expand(machine, place(machine)))
    return Record.from_bytes(machine, path.read_bytes()) if path.is_file() else None
