"""Changes to a computer, made in order; when one fails, those before it are taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xl_rebal.errors import FileError, RebalError
from xl_rebal.excel.installation.machine import Machine, Value, parent


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFolder:
    """Make a folder; its parent exists or is made before."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFolder:
    """Remove a folder that we made, where nothing of somebody else is in it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutFile:
    """Write a file whole."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Delete a file."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeKey:
    """Make a registry key; its parent exists or is made before."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveKey:
    """Remove a registry key that we made, where nothing of somebody else is in it."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutValue:
    """Set a registry value."""

    key: str
    name: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveValue:
    """Delete a registry value."""

    key: str
    name: str


Change = (
    MakeFolder | RemoveFolder | PutFile | RemoveFile | MakeKey | RemoveKey | PutValue | RemoveValue
)


def describe(change: Change) -> str:
    """A change in words, after "would " or as what was done."""
    match change:
        case MakeFolder():
            return f"make folder: {change.path}"
        case RemoveFolder():
            return f"remove folder: {change.path}"
        case PutFile():
            return f"write: {change.path}"
        case RemoveFile():
            return f"delete: {change.path}"
        case MakeKey():
            return f"make registry key: {change.key}"
        case RemoveKey():
            return f"remove registry key: {change.key}"
        case PutValue():
            return f"set registry value: {change.key}\\{change.name} = {change.value.data!s}"
        case RemoveValue():
            return f"delete registry value: {change.key}\\{change.name}"


def apply(machine: Machine, changes: Iterable[Change]) -> None:
    """Make the changes in order; raises FileError, with everything as it was, when one fails."""
    undo: list[Change] = []
    for change in changes:
        try:
            back = _inverse(machine, change)
            _make(machine, change)
        except KeyboardInterrupt:
            _take_back(machine, undo)
            raise
        except (OSError, RebalError) as error:
            left = _take_back(machine, undo)
            why = error.faults[0].what if isinstance(error, RebalError) else _reason(error)
            what = f"failed ({why})"
            if left:
                raise FileError.of(
                    where=describe(change),
                    what=f"{what}, and could not be taken back: {'; '.join(left)}",
                    remedy="run it again when this is mended; it goes on from there",
                ) from error
            raise FileError.of(
                where=describe(change),
                what=f"{what}; everything is as it was",
                remedy="close Excel, see that you may write there, and run it again",
            ) from error
        undo = back + undo


def missing_folders(machine: Machine, folder: str) -> list[MakeFolder]:
    """What has to be made, outermost first, for a folder to be there."""
    made: list[MakeFolder] = []
    while folder and parent(machine, folder) and not machine.path(folder).exists():
        made.insert(0, MakeFolder(path=folder))
        folder = parent(machine, folder)
    return made


def missing_keys(machine: Machine, key: str) -> list[MakeKey]:
    """What has to be made, outermost first, for a registry key to be there."""
    made: list[MakeKey] = []
    while "\\" in key and not machine.registry.exists(key):
        made.insert(0, MakeKey(key=key))
        key = key.rpartition("\\")[0]
    return made


def _make(machine: Machine, change: Change) -> None:
    match change:
        case MakeFolder():
            machine.make_folder(change.path)
        case RemoveFolder():
            machine.remove_folder(change.path)
        case PutFile():
            machine.write(change.path, change.data)
        case RemoveFile():
            machine.remove(change.path)
        case MakeKey():
            machine.registry.make_key(change.key)
        case RemoveKey():
            machine.registry.remove_key(change.key)
        case PutValue():
            machine.registry.put(change.key, change.name, change.value)
        case RemoveValue():
            machine.registry.remove(change.key, change.name)


def _inverse(machine: Machine, change: Change) -> list[Change]:
    """What takes a change back, seen from before it is made."""
    match change:
        case MakeFolder():
            return [RemoveFolder(path=change.path)]
        case RemoveFolder():
            return [MakeFolder(path=change.path)]
        case PutFile() | RemoveFile():
            path = machine.path(change.path)
            if path.is_file():
                return [PutFile(path=change.path, data=path.read_bytes())]
            return [RemoveFile(path=change.path)]
        case MakeKey():
            return [RemoveKey(key=change.key)]
        case RemoveKey():
            return [MakeKey(key=change.key)]
        case PutValue() | RemoveValue():
            now = machine.registry.values(change.key).get(change.name)
            if now is not None:
                return [PutValue(key=change.key, name=change.name, value=now)]
            return [RemoveValue(key=change.key, name=change.name)]


def _take_back(machine: Machine, undo: list[Change]) -> list[str]:
    """Undo what was done; what could not be undone, in words."""
    left = []
    for change in undo:
        try:
            _make(machine, change)
        except (OSError, RebalError):
            left.append(describe(change))
    return left


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied, or the file is open in another program"
    return error.strerror or type(error).__name__
