r"""A trusted location for the add-in's folder: only on request, for it switches checks off.

Office opens files in a trusted location without any other check (Microsoft Learn, "Trusted Locations for
Office files"), so every file in that folder may run code, ours or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xl_rebal.errors import FileError
from xl_rebal.excel.installation import places
from xl_rebal.excel.installation.machine import REG_DWORD, Machine, Value, expand, same, text_value
from xl_rebal.excel.installation.record import Set

DESCRIPTION = "xl_rebal (xl-rebal install excel --trust-location)"


def advice(folder: str) -> str:
    """What to do where an administrator lets only trusted add-ins run."""
    return (
        "no trusted location was added: if Excel blocks the add-in, have it signed and its publisher "
        f"trusted, or run it again with --trust-location, which lets every file in {folder} run code"
    )


def locations(version: str) -> str:
    """The registry key of the user's trusted locations."""
    return rf"HKCU\{places.OFFICE}\{version}\Excel\Security\Trusted Locations"


def refuse_if_forbidden(machine: Machine, version: str) -> None:
    """An administrator's policy goes before the user's locations."""
    for key in places.policies(version, r"Excel\Security\Trusted Locations"):
        if machine.registry.values(key).get("AllLocationsDisabled", text_value("")).data == 1:
            raise FileError.of(
                where=key,
                what="switches all trusted locations off, so one of ours would have no effect",
                remedy="ask your administrator to trust the add-in's publisher; install without "
                "--trust-location",
            )
    for key in places.policies(version, r"Common\Security\Trusted Locations"):
        if machine.registry.values(key).get("Allow User Locations", text_value("")).data == 0:
            raise FileError.of(
                where=key,
                what="allows no trusted locations but the administrator's",
                remedy="ask your administrator to add the folder or to trust the add-in's publisher; "
                "install without --trust-location",
            )


def values(
    machine: Machine, version: str, folder: str, old: Iterable[Set]
) -> Iterator[tuple[str, str, Value]]:
    """The registry values of our location: none where somebody trusts the folder already."""
    root = locations(version)
    ours = next((s.key for s in old if is_ours(s) and s.key.lower().startswith(root.lower())), None)
    taken = machine.registry.keys(root)
    if ours is None:
        for name in taken:
            path = machine.registry.values(rf"{root}\{name}").get("Path")
            if path and same(machine, expand(machine, path.text), folder):
                return
        names = {name.lower() for name in taken}
        number = next(n for n in range(len(names) + 1) if f"location{n}" not in names)
        ours = rf"{root}\Location{number}"
    yield ours, "Path", text_value(folder + "\\")
    yield ours, "Description", text_value(DESCRIPTION)
    yield ours, "AllowSubfolders", Value(kind=REG_DWORD, data=0)


def is_ours(value: Set) -> bool:
    """Whether a registry value belongs to a location that we made."""
    return r"\security\trusted locations\location" in value.key.lower()
