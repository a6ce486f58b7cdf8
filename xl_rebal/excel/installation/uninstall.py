"""`xl-rebal uninstall excel`: takes back what the record says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from xl_rebal.excel.addin.build import ADDIN_NAME
from xl_rebal.excel.installation import open_entries, places, record, settings_file
from xl_rebal.excel.installation.changes import (
    Change,
    PutFile,
    PutValue,
    RemoveFile,
    RemoveFolder,
    RemoveKey,
    RemoveValue,
    apply,
    describe,
)
from xl_rebal.excel.installation.install import (
    cannot_look,
    is_at,
    refuse_running_excel,
    refuse_without_excel,
)
from xl_rebal.excel.installation.machine import Machine, expand, join, name_of, same
from xl_rebal.excel.installation.record import Record, sha256


def uninstall(machine: Machine, *, dry_run: bool = False) -> list[str]:
    """Remove what `install excel` put and changed; what was done, or would be, line by line."""
    if machine.system == "linux":
        refuse_without_excel(machine)
    try:
        found = record.load(machine)
        if found is None:
            return ["nothing is installed for Excel by xl-rebal", *_by_hand(machine)]
        running = refuse_running_excel(machine, dry_run=dry_run)
        changes, notes = _plan(machine, found)
    except OSError as error:
        raise cannot_look(error) from error
    say = "would " if dry_run else ""
    lines = [*running, *(say + describe(change) for change in changes)]
    if not dry_run:
        apply(machine, changes)
        lines.append("removed")
    return lines + notes


def _plan(machine: Machine, found: Record) -> tuple[list[Change], list[str]]:
    changes: list[Change] = []
    notes: list[str] = []
    for part in (_registry(machine, found), _files(machine, found), _settings(machine, found)):
        changes += part[0]
        notes += part[1]
    changes.append(RemoveFile(path=expand(machine, record.place(machine))))
    changes += _empty_folders(machine, found, changes)
    if machine.system == "windows":
        changes += _empty_keys(machine, found, changes)
    return changes, notes


def _registry(machine: Machine, found: Record) -> tuple[list[Change], list[str]]:
    changes: list[Change] = []
    notes: list[str] = []
    if machine.system != "windows":
        return changes, notes
    add_in = join(machine, places.add_ins(machine), ADDIN_NAME)
    for listed in found.listed:
        now = open_entries.entries(machine.registry.values(listed.key))
        for entry in open_entries.find(now, ADDIN_NAME):
            if is_at(machine, entry, add_in) or entry.value.text == listed.data:
                changes += open_entries.removal(listed.key, now, entry, gap_before=listed.gap)
                break
        manager = listed.key.replace("Options", "Add-in Manager")
        changes += [
            RemoveValue(key=manager, name=name)
            for name in machine.registry.values(manager)
            if same(machine, name, add_in)
        ]
    for each in found.values:
        current = machine.registry.values(each.key).get(each.name)
        if current is None:
            continue
        if current != each.value:
            notes.append(f"kept, because somebody changed it: {each.key}\\{each.name}")
        elif each.before is not None:
            changes.append(PutValue(key=each.key, name=each.name, value=each.before))
        else:
            changes.append(RemoveValue(key=each.key, name=each.name))
    return changes, notes


def _files(machine: Machine, found: Record) -> tuple[list[Change], list[str]]:
    changes: list[Change] = []
    notes = []
    for placed in found.files:
        here = machine.path(placed.path)
        if not here.is_file():
            continue
        if sha256(here.read_bytes()) in placed.hashes:
            changes.append(RemoveFile(path=placed.path))
        else:
            notes.append(f"kept, because somebody changed it: {placed.path}")
    return changes, notes


def _settings(machine: Machine, found: Record) -> tuple[list[Change], list[str]]:
    path = settings_file.place(machine)
    here = machine.path(path)
    if not here.is_file():
        return [], []
    there = here.read_bytes()
    data, kept = settings_file.take_back(there, list(found.settings))
    notes = [f"kept, because somebody changed it: {name} in {path}" for name in kept]
    if not data and found.settings_file:
        return [RemoveFile(path=path)], notes
    return ([PutFile(path=path, data=data)] if data != there else []), notes


def _empty_folders(
    machine: Machine, found: Record, changes: Iterable[Change]
) -> list[RemoveFolder]:
    """The folders that were made for us and in which nothing else is, innermost first."""
    gone = {change.path.lower() for change in changes if isinstance(change, RemoveFile)}
    removed = []
    for folder in reversed(found.folders):
        here = machine.path(folder)
        if not here.is_dir():
            continue
        if all(join(machine, folder, each.name).lower() in gone for each in here.iterdir()):
            gone.add(folder.lower())
            removed.append(RemoveFolder(path=folder))
    return removed


def _empty_keys(machine: Machine, found: Record, changes: Iterable[Change]) -> list[RemoveKey]:
    """The registry keys that were made for us and in which nothing else is, innermost first."""
    gone = {
        f"{change.key}\\{change.name}".lower()
        for change in changes
        if isinstance(change, RemoveValue)
    }
    removed = []
    for key in reversed(found.keys):
        if not machine.registry.exists(key):
            continue
        inside = [*machine.registry.values(key), *machine.registry.keys(key)]
        if all(f"{key}\\{name}".lower() in gone for name in inside):
            gone.add(key.lower())
            removed.append(RemoveKey(key=key))
    return removed


def _by_hand(machine: Machine) -> list[str]:
    """An add-in that somebody put there by hand is not ours to remove, but worth a word."""
    path = join(machine, places.add_ins(machine), ADDIN_NAME)
    if not machine.path(path).is_file():
        return []
    return [f"there is {name_of(path)}, put there by hand: delete it yourself: {path}"]
