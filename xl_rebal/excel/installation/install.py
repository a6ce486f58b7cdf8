"""`xl-rebal install excel`: looks, decides on the changes, then makes all of them or none.

Files that we did not put there are never overwritten; what is done is written down first (`record`),
so that an installation that was killed half way can be repeated or taken back.
"""

from __future__ import annotations

from dataclasses import replace

from xl_rebal.errors import FaultList, FileError
from xl_rebal.excel.addin.build import ADDIN_NAME, INTELLISENSE_NAME
from xl_rebal.excel.installation import open_entries, places, record, settings_file, trust
from xl_rebal.excel.installation.changes import (
    Change,
    PutFile,
    PutValue,
    RemoveFile,
    RemoveValue,
    apply,
    describe,
    missing_folders,
    missing_keys,
)
from xl_rebal.excel.installation.machine import (
    REG_EXPAND_SZ,
    Machine,
    Value,
    excel_is_running,
    expand,
    in_onedrive,
    join,
    name_of,
    parent,
    same,
)
from xl_rebal.excel.installation.record import Listed, Placed, Record, Set, sha256
from xl_rebal.excel.release import Release


def install(
    machine: Machine, release: Release, *, trust_location: bool = False, dry_run: bool = False
) -> list[str]:
    """Put a release where Excel finds it; what was done, or would be, line by line.

    trust_location  also make the add-in's folder a trusted location of Excel's (see `trust`).
    """
    refuse_without_excel(machine)
    running = refuse_running_excel(machine, dry_run=dry_run)
    _refuse_other_versions(machine, release)
    try:
        plan = _Plan(machine, release, record.load(machine))
        plan.make(trust_location=trust_location)
    except OSError as error:
        raise cannot_look(error) from error
    changes = plan.finish()
    say = "would " if dry_run else ""
    lines = [f"{release.origin}: xl_rebal {release.version} for Excel", *running]
    lines += [say + describe(change) for change in changes]
    if not changes:
        lines.append("installed already; nothing to do")
    elif not dry_run:
        apply(machine, changes)
        look = " and =REBAL_VERSION()" if machine.system == "windows" else ""
        lines.append(f"installed; start Excel and look for the tab Rebalance{look}")
    return lines + plan.notes


def refuse_without_excel(machine: Machine) -> None:
    """Excel is on Windows and the Mac; elsewhere say what there is instead."""
    if machine.system == "linux":
        raise FileError.of(
            where="Excel",
            what="runs on Windows and on the Mac, not on this system",
            remedy="make the files for other computers with xl-rebal build release, or use "
            "LibreOffice: xl-rebal install calc",
        )
    if machine.system == "windows" and not places.versions(machine):
        raise FileError.of(
            where="Excel",
            what="is not found for this user (Excel 2013 or newer)",
            remedy="start Excel once as this user and close it, then run it again",
        )
    if machine.system == "mac" and not places.excel_on_the_mac(machine):
        raise FileError.of(
            where="Excel",
            what="has not run yet for this user, so its folders are not there",
            remedy="start Excel once and quit it (Cmd-Q), then run it again",
        )


def refuse_running_excel(machine: Machine, *, dry_run: bool) -> list[str]:
    """A running Excel holds the add-in and writes its own list of add-ins when it ends."""
    running = excel_is_running(machine)
    if running is None:
        return ["could not see whether Excel runs; close it before you go on"]
    if not running:
        return []
    if dry_run:
        return ["Excel is running: it has to be closed first"]
    by_hand = (
        "one without a window ends in the Task Manager under Details, EXCEL.EXE"
        if machine.system == "windows"
        else "quit it with Cmd-Q"
    )
    raise FileError.of(
        where="Excel",
        what="is running; it holds the add-in, and writes its list of add-ins when it ends",
        remedy=f"save your work and close Excel ({by_hand}), then run it again",
    )


def cannot_look(error: OSError) -> FileError:
    """A place that this user may not even read."""
    return FileError.of(
        where=str(error.filename or "a folder or registry key of Excel's"),
        what=f"cannot be read ({error.strerror or type(error).__name__})",
        remedy="run it as the user who works with Excel; on the Mac, allow the terminal to reach "
        "data of other apps (System Settings > Privacy & Security)",
    )


def _refuse_other_versions(machine: Machine, release: Release) -> None:
    """The add-in, xl-rebal and xlwings belong together, to the last digit."""
    faults = FaultList()
    for name, wanted in (("xl-rebal", release.version), ("xlwings", release.xlwings)):
        found = machine.python.packages.get(name)
        if found != wanted:
            faults.add(
                where=release.origin,
                what=f"goes with {name} {wanted}, and this Python has {found or 'none'}",
                remedy=f'run "{machine.python.executable}" -m pip install {name}=={wanted}, or take '
                "the release that goes with this Python",
            )
    faults.raise_as(FileError)


class _Plan:
    """What has to change, and the record of it; nothing is changed before `finish`'s list is."""

    def __init__(self, machine: Machine, release: Release, old: Record | None) -> None:
        self.machine, self.release = machine, release
        self.first = old is None
        self.old = old or Record(package=release.version)
        self.changes: list[Change] = []
        self.notes: list[str] = []
        self.files: dict[str, Placed] = {}
        self.folders, self.keys = list(self.old.folders), list(self.old.keys)
        self.listed: list[Listed] = []
        self.values: list[Set] = []
        self.settings, self.settings_file = self.old.settings, self.old.settings_file
        self.faults = FaultList()

    def make(self, *, trust_location: bool) -> None:
        """Look at everything; raises FileError with all that stands in the way."""
        self._folder(parent(self.machine, expand(self.machine, record.place(self.machine))))
        add_in = join(self.machine, places.add_ins(self.machine), ADDIN_NAME)
        self._file(add_in, self.release.add_in, needed=True)
        self._templates()
        if self.machine.system == "windows":
            self._file(
                join(self.machine, parent(self.machine, add_in), INTELLISENSE_NAME),
                self.release.intellisense,
            )
            for version in places.versions(self.machine):
                self._list(version, add_in)
            self._trust(parent(self.machine, add_in), wanted=trust_location)
        else:
            self._script()
        self._settings()
        self._leave_old_files()
        self.faults.raise_as(FileError)

    def finish(self) -> list[Change]:
        """The changes in order, with the record before and after them."""
        last = Record(
            package=self.release.version,
            files=tuple(Placed(path=f.path, hashes=f.hashes[:1]) for f in self.files.values()),
            folders=tuple(self.folders),
            keys=tuple(self.keys),
            listed=tuple(self.listed),
            values=tuple(self.values),
            settings=tuple(self.settings),
            settings_file=self.settings_file,
        )
        if not self.first and last == self.old and not self.changes:
            return []
        # While files change, the record knows the old ones and the new ones, and those that leave.
        leaving = [f for f in self.old.files if f.path not in self.files]
        during = replace(last, files=(*self.files.values(), *leaving))
        made = [c for c in self.changes if type(c).__name__ == "MakeFolder"]
        rest = [c for c in self.changes if type(c).__name__ != "MakeFolder"]
        path = expand(self.machine, record.place(self.machine))
        return [
            *made,
            PutFile(path=path, data=during.to_bytes(self.machine)),
            *rest,
            PutFile(path=path, data=last.to_bytes(self.machine)),
        ]

    def _file(self, path: str, data: bytes, *, needed: bool = False) -> None:
        """One file of ours; `needed`: without it the rest is no use."""
        if path in self.files:  # two versions of Excel may share a folder
            return
        here, digest, ours = self.machine.path(path), sha256(data), self.old.hashes(path)
        if here.is_file():
            there = sha256(here.read_bytes())
            if there == digest:
                if ours:
                    self.files[path] = Placed(path=path, hashes=(digest,))
                else:
                    self.notes.append(f"there already, and not removed by uninstall: {path}")
                return
            if there not in ours:
                self._not_ours(path, was_ours=bool(ours), needed=needed)
                return
        elif here.exists():
            self._not_ours(path, was_ours=False, needed=True)
            return
        self._folder(parent(self.machine, path))
        self.changes.append(PutFile(path=path, data=data))
        hashes = (digest, *(each for each in ours if each != digest))
        self.files[path] = Placed(path=path, hashes=hashes)

    def _not_ours(self, path: str, *, was_ours: bool, needed: bool) -> None:
        what = "was changed by somebody since it was installed" if was_ours else "is not ours"
        remedy = "move it elsewhere or rename it, and run it again"
        if needed:
            self.faults.add(where=path, what=f"{what}; it is not overwritten", remedy=remedy)
            return
        self.notes.append(f"kept: {path} {what}; to have ours there, {remedy}")
        if was_ours:
            self.files[path] = Placed(path=path, hashes=self.old.hashes(path))

    def _folder(self, folder: str) -> None:
        for change in missing_folders(self.machine, folder):
            if change not in self.changes:
                self.changes.append(change)
                self.folders.append(change.path)

    def _value(self, key: str, name: str, value: Value) -> None:
        """Set a registry value and remember what was there when we first came."""
        now = self.machine.registry.values(key).get(name)
        before = next((s.before for s in self.old.values if (s.key, s.name) == (key, name)), now)
        self.values.append(Set(key=key, name=name, value=value, before=before))
        if now == value:
            return
        for change in missing_keys(self.machine, key):
            if change not in self.changes:
                self.changes.append(change)
                self.keys.append(change.key)
        self.changes.append(PutValue(key=key, name=name, value=value))

    def _templates(self) -> None:
        set_by_us = frozenset((s.key, s.value.text) for s in self.old.values)
        for place in places.templates(self.machine, set_by_us=set_by_us):
            if not place.folder:
                self.notes.append(
                    f"not installed: your personal templates are at {place.address}; upload the "
                    "templates of the release there"
                )
                continue
            for name, data in self.release.templates.items():
                self._file(join(self.machine, place.folder, name), data)
            if place.key:
                value = Value(kind=REG_EXPAND_SZ, data=place.folder)
                self._value(place.key, "PersonalTemplates", value)
            if in_onedrive(self.machine, place.folder):
                self.notes.append(f"templates lie in OneDrive, where they sync: {place.folder}")

    def _list(self, version: str, add_in: str) -> None:
        """Our entry in the list of add-ins of one Excel."""
        key = places.options(version)
        listed = open_entries.entries(self.machine.registry.values(key))
        known = next((each for each in self.old.listed if each.key == key), None)
        wanted = open_entries.written(add_in)
        ours = None
        for entry in open_entries.find(listed, ADDIN_NAME):
            if is_at(self.machine, entry, add_in):
                ours = entry
            elif known is not None and entry.value.text == known.data:
                self.changes.append(PutValue(key=key, name=entry.name, value=wanted))
                ours = entry
            else:
                self.faults.add(
                    where=f"{key}\\{entry.name}",
                    what=f"loads another {ADDIN_NAME}: {entry.add_in}",
                    remedy="switch that one off in Excel under File > Options > Add-ins > Go, close "
                    "Excel, and run it again",
                )
        if ours is not None and ours not in open_entries.loaded(listed):
            self.changes.append(RemoveValue(key=key, name=ours.name))
            listed.remove(ours)
            ours = None
        if ours is not None:
            if known is not None or add_in in self.files:
                gap = known.gap if known is not None else False
                self.listed.append(Listed(key=key, data=wanted.text, gap=gap))
            return
        number = open_entries.first_free(listed)
        gap = open_entries.closes_a_gap(listed, number)
        if gap:
            self.notes.append(
                f"{key}: {open_entries.named(number + 1)} and later stood behind a missing number, "
                "where Excel did not come to them; it does now"
            )
        for change in missing_keys(self.machine, key):
            if change not in self.changes:
                self.changes.append(change)
                self.keys.append(change.key)
        self.changes.append(PutValue(key=key, name=open_entries.named(number), value=wanted))
        self.listed.append(Listed(key=key, data=wanted.text, gap=gap))
        manager = key.replace("Options", "Add-in Manager")
        for name in self.machine.registry.values(manager):
            if same(self.machine, name, add_in):  # switched off by the user before: on again
                self.changes.append(RemoveValue(key=manager, name=name))

    def _trust(self, folder: str, *, wanted: bool) -> None:
        if not (wanted or any(trust.is_ours(s) for s in self.old.values)):
            self.notes.append(trust.advice(folder))
            return
        for version in places.versions(self.machine):
            trust.refuse_if_forbidden(self.machine, version)
            for key, name, value in trust.values(self.machine, version, folder, self.old.values):
                self._value(key, name, value)

    def _script(self) -> None:
        """What `xlwings runpython install` does: Excel on the Mac may run only scripts in one folder."""
        found = self.machine.applescript()
        if found is None:
            self.faults.add(
                where="xlwings",
                what="has no script for Excel on the Mac",
                remedy=f"run {self.machine.python.executable} -m pip install --force-reinstall "
                f"xlwings=={self.release.xlwings}",
            )
            return
        name, data = found
        self._file(join(self.machine, places.scripts(self.machine), name), data)

    def _settings(self) -> None:
        path = settings_file.place(self.machine)
        here = self.machine.path(path)
        there = here.read_bytes() if here.is_file() else None
        original, _ = settings_file.take_back(there or b"", list(self.old.settings))
        data, changed = settings_file.write(
            self.machine, original, settings_file.wanted(self.machine)
        )
        self.settings = tuple(changed)
        if data == there:
            return
        if there is None:
            self.settings_file = True
        self._folder(parent(self.machine, path))
        self.changes.append(PutFile(path=path, data=data))

    def _leave_old_files(self) -> None:
        """Files of an older version that have no successor, or whose place is another now."""
        kept = {path.lower() for path in self.files}
        for placed in self.old.files:
            here = self.machine.path(placed.path)
            if placed.path.lower() in kept or not here.is_file():
                continue
            if sha256(here.read_bytes()) in placed.hashes:
                self.changes.append(RemoveFile(path=placed.path))
            else:
                self.notes.append(f"kept, because somebody changed it: {placed.path}")


def is_at(machine: Machine, entry: open_entries.Entry, add_in: str) -> bool:
    """Whether an entry loads the add-in at a place; a bare name means Excel's folder of add-ins."""
    named = expand(machine, entry.add_in)
    if "\\" not in named:
        return named.lower() == name_of(add_in).lower()
    return same(machine, named, add_in)
