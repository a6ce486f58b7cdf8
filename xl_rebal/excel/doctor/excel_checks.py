"""Excel itself: the add-in, its place in Excel's list, the templates, and what may block them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import xl_rebal
from xl_rebal.excel.addin.build import ADDIN_NAME
from xl_rebal.excel.doctor.findings import (
    Finding,
    Patient,
    fault,
    not_applicable,
    ok,
    warning,
)
from xl_rebal.excel.doctor.python_checks import pinned_xlwings
from xl_rebal.excel.installation import open_entries, places
from xl_rebal.excel.installation.install import is_at
from xl_rebal.excel.installation.machine import (
    excel_is_running,
    expand,
    in_onedrive,
    is_cloud,
    join,
    name_of,
    same,
)
from xl_rebal.excel.installation.record import sha256
from xl_rebal.excel.release import read_stamp, shipped_templates

_INSTALL = "close Excel and run xl-rebal install excel"
_LIST = "File > Options > Add-ins > Manage: Excel Add-ins > Go"


def excel(patient: Patient) -> Iterator[Finding]:
    """Whether there is an Excel, and which."""
    machine = patient.machine
    if machine.system == "linux":
        yield not_applicable("excel", "does not exist for this system; use LibreOffice Calc")
        return
    if machine.system == "mac":
        if places.excel_on_the_mac(machine):
            yield ok("excel", "has run for this user")
        else:
            yield fault(
                "excel", "has not run for this user", "start Excel once and quit it (Cmd-Q)"
            )
        return
    versions = places.versions(machine)
    if not versions:
        yield fault("excel", "is not found for this user", "start Excel once and close it")
    elif float(versions[0]) < 16:
        yield warning(
            "excel",
            f"is version {versions[0]}, which has no functions that fill several cells",
            "use Excel 2021 or Microsoft 365 for the REBAL functions",
        )
    else:
        running = ", and runs now" if excel_is_running(machine) else ""
        yield ok("excel", f"version {' and '.join(versions)}{running}")


def add_in(patient: Patient) -> Iterator[Finding]:
    """The add-in: there, ours, and of the versions that Python has."""
    machine, name = patient.machine, "add-in"
    if machine.system == "linux":
        yield not_applicable(name, "is for Excel, which this system does not have")
        return
    if not patient.is_file(patient.add_in):
        if any(same(machine, placed.path, patient.add_in) for placed in patient.placed):
            yield fault(
                name,
                f"was installed and is gone: {patient.add_in}; a virus scanner may have taken it",
                f"restore it in the scanner or ask for an exception, else {_INSTALL}",
            )
        else:
            yield fault(name, f"is not installed: there is no {patient.add_in}", _INSTALL)
        return
    stamp = read_stamp(machine.path(patient.add_in).read_bytes())
    if stamp is None:
        yield fault(
            name,
            f"cannot be read as an add-in of ours: {patient.add_in}",
            f"delete that file, then {_INSTALL}",
        )
    elif stamp.version != xl_rebal.__version__:
        yield fault(
            name,
            f"is of version {stamp.version}, and Python has xl_rebal {xl_rebal.__version__}",
            _INSTALL,
        )
    elif stamp.xlwings != pinned_xlwings():
        yield fault(
            name,
            f"was built with xlwings {stamp.xlwings}, and this version needs {pinned_xlwings()}",
            _INSTALL,
        )
    else:
        yield ok(name, f"{stamp.version}, xlwings {stamp.xlwings}: {patient.add_in}")


def registration(patient: Patient) -> Iterator[Finding]:
    """Whether Excel loads the add-in by itself."""
    machine, name = patient.machine, "registration"
    if machine.system != "windows":
        what = "is not needed: Excel on the Mac loads what lies in its startup folder"
        yield not_applicable(name, what if machine.system == "mac" else "is for Excel on Windows")
        return
    for version in places.versions(machine):
        key = places.options(version)
        listed = open_entries.entries(machine.registry.values(key))
        ours = [entry for entry in listed if is_at(machine, entry, patient.add_in)]
        off = machine.registry.values(key.replace("Options", "Add-in Manager"))
        if any(entry in open_entries.loaded(listed) for entry in ours):
            yield ok(name, f"Excel {version} loads the add-in ({ours[0].name})")
        elif ours:
            yield fault(
                name,
                f"stands in the list of Excel {version} as {ours[0].name}, behind a missing number, "
                "so Excel does not come to it",
                _INSTALL,
            )
        elif any(same(machine, each, patient.add_in) for each in off):
            yield fault(
                name,
                f"is switched off in Excel {version}",
                f"tick xl_rebal under {_LIST}; or {_INSTALL}",
            )
        else:
            yield fault(name, f"is missing from the list of add-ins of Excel {version}", _INSTALL)


def duplicates(patient: Patient) -> Iterator[Finding]:
    """Other copies of the add-in that Excel loads: the one that comes first wins, and may be old."""
    machine, name = patient.machine, "duplicates"
    if machine.system == "linux":
        yield not_applicable(name, "concern Excel, which this system does not have")
        return
    others = []
    if machine.system == "windows":
        for version in places.versions(machine):
            values = machine.registry.values(places.options(version))
            for entry in open_entries.find(open_entries.entries(values), ADDIN_NAME):
                if not is_at(machine, entry, patient.add_in):
                    others.append((entry.add_in, f"switch it off under {_LIST}"))
    for folder in places.startup_folders(machine):
        if machine.path(folder).is_dir():
            for found in sorted(machine.path(folder).iterdir()):
                copy = join(machine, folder, found.name)
                is_add_in = found.name.lower().endswith((".xlam", ".xla"))
                if is_add_in and "xl_rebal" in found.name.lower() and copy != patient.add_in:
                    others.append((copy, "close Excel and delete it"))
    for place, remedy in others:
        yield fault(name, f"Excel also loads {place}", remedy)
    if not others:
        yield ok(name, "Excel loads no other copy of the add-in")


def template_files(patient: Patient) -> Iterator[Finding]:
    """The templates: there, and what this version makes."""
    machine, name = patient.machine, "templates"
    if machine.system == "linux":
        yield not_applicable(name, "are installed for Excel, which this system does not have")
        return
    current = shipped_templates()
    missing = [path for path in patient.template_files if not patient.is_file(path)]
    for path in missing:
        yield fault(name, f"{path} is gone", _INSTALL)
    for path in patient.template_files:
        if path in missing:
            continue
        data = machine.path(path).read_bytes()
        put = patient.record.hashes(path) if patient.record else ()
        if data == current.get(name_of(path)):
            yield ok(name, f"{path} is current")
        elif sha256(data) not in put:
            yield ok(name, f"{path} was changed by you, and is kept")
        else:
            yield warning(name, f"{path} is of another version", _INSTALL)
    if not patient.template_files:
        yield warning(name, "are not installed", _INSTALL)


def mark(patient: Patient) -> Iterator[Finding]:
    """Whether the system holds the files to be from the internet, so that Excel blocks them."""
    machine, name = patient.machine, "mark of the web"
    if machine.system == "linux":
        yield not_applicable(name, "is a matter of Windows and the Mac")
        return
    marked = 0
    for path in (patient.add_in, *patient.template_files):
        text = machine.mark(path) if patient.is_file(path) else None
        if text is None or (machine.system == "windows" and not _from_outside(text)):
            continue
        marked += 1
        if machine.system == "windows":
            remedy = (
                f'in PowerShell run Unblock-File -LiteralPath "{path}"; or in the Explorer: '
                "right-click > Properties > Unblock"
            )
        else:
            remedy = f'in the Terminal run xattr -d com.apple.quarantine "{path}"'
        what = f"stands on {path}"
        if path == patient.add_in:
            yield fault(name, f"{what}: Excel does not run its code", remedy)
        else:
            yield warning(name, f"{what}: it opens in Protected View", remedy)
    if patient.add_in.startswith("\\\\"):
        marked += 1
        yield warning(
            name,
            f"may be assumed for the add-in, which lies on a server: {patient.add_in}",
            "if Excel blocks it, ask your administrator to put the server into the zone Local intranet",
        )
    if not marked:
        yield ok(name, "is on none of our files")


def onedrive(patient: Patient) -> Iterator[Finding]:
    """Folders that sync with the cloud, where files may be absent or held just when they are needed."""
    machine, name = patient.machine, "onedrive"
    if machine.system == "linux":
        yield not_applicable(name, "is a matter of Windows and the Mac")
        return
    found = False
    if in_onedrive(machine, machine.python.executable):
        found = True
        yield warning(
            name,
            f"holds the Python that Excel starts: {machine.python.executable}",
            "make the environment in a folder that does not sync, install xl-rebal there and run "
            "xl-rebal install excel from there",
        )
    if in_onedrive(machine, patient.add_in):
        found = True
        yield warning(
            name,
            f"holds the add-in: {patient.add_in}",
            "right-click the file in the Explorer > Always keep on this device",
        )
    if machine.system == "windows":
        for place in places.templates(machine):
            if is_cloud(place.address):
                found = True
                yield warning(
                    name,
                    f"your personal templates are at {place.address}",
                    "upload the templates of the release there",
                )
    if not found:
        yield ok(name, "holds neither the add-in nor the Python")


def script(patient: Patient) -> Iterator[Finding]:
    """The script with which Excel on the Mac starts Python."""
    machine, name = patient.machine, "runpython script"
    if machine.system != "mac":
        yield not_applicable(name, "is for Excel on the Mac")
        return
    mend = f'run "{machine.python.executable}" -m xlwings runpython install; or run xl-rebal install excel'
    found = machine.applescript()
    if found is None:
        yield fault(
            name,
            "is not in the installed xlwings",
            f'run "{machine.python.executable}" -m pip install --force-reinstall --no-deps '
            f"xlwings=={pinned_xlwings()}",
        )
        return
    path = join(machine, places.scripts(machine), found[0])
    if not patient.is_file(path):
        yield fault(name, f"is not there, so no button works: {path}", mend)
    elif machine.path(path).read_bytes() != found[1]:
        yield fault(name, f"is not that of the installed xlwings: {path}", mend)
    else:
        yield ok(name, path)


def policies(patient: Patient) -> Iterator[Finding]:
    """Settings, of an administrator or the user, that keep the add-in's code from running."""
    machine, name = patient.machine, "trust center"
    if machine.system != "windows":
        yield not_applicable(name, "is read on Windows only")
        return
    signed = _is_signed(patient)
    found = False
    for version in places.versions(machine):
        own = rf"HKCU\{places.OFFICE}\{version}\Excel\Security"
        for key in (*places.policies(version, r"Excel\Security"), own):
            who = "your Trust Center" if key == own else "your administrator's policy"
            mend = (
                "change it under File > Options > Trust Center > Trust Center Settings"
                if key == own
                else "ask your administrator"
            )
            values = {n.lower(): v.data for n, v in machine.registry.values(key).items()}
            if values.get("disablealladdins") == 1:
                found = True
                yield fault(name, f"{who} switches all add-ins off ({key}\\DisableAllAddins)", mend)
            if values.get("requireaddinsig") == 1 and not signed:
                found = True
                yield fault(
                    name,
                    f"{who} lets only signed add-ins run ({key}\\RequireAddinSig), and this one is "
                    "not signed",
                    "have the add-in signed (docs/technical-lead.md) and its publisher trusted; or "
                    f"{mend}",
                )
            macros = values.get("vbawarnings")
            if macros == 4 or (macros == 3 and not signed):
                found = True
                kind = "all macros" if macros == 4 else "unsigned macros"
                yield warning(
                    name,
                    f"{who} disables {kind} ({key}\\VBAWarnings = {macros}); whether that holds for "
                    "add-ins in the list depends on the version of Excel",
                    f"if the tab Rebalance is missing, have the add-in signed and trusted; or {mend}",
                )
        for key in places.policies(version, "Common"):
            values = {n.lower(): v.data for n, v in machine.registry.values(key).items()}
            if values.get("vbaoff") == 1:
                found = True
                yield fault(
                    name,
                    f"your administrator's policy switches VBA off ({key}\\VBAOff)",
                    "ask your administrator; without VBA use the templates and the command line",
                )
        for key in places.policies(version, r"Common\Security"):
            values = {n.lower(): v.data for n, v in machine.registry.values(key).items()}
            if values.get("requirealwaysonmacrosig") == 1 and not signed:
                found = True
                yield fault(
                    name,
                    "your administrator's policy lets only signed add-ins load when Excel starts "
                    f"({key}\\RequireAlwaysOnMacroSig), and this one is not signed",
                    "have the add-in signed (docs/technical-lead.md) and its publisher trusted",
                )
    if not found:
        yield ok(name, "no setting that keeps the add-in from running")


def disabled(patient: Patient) -> Iterator[Finding]:
    """Excel's own list of what it disabled after a crash."""
    machine, name = patient.machine, "disabled items"
    if machine.system != "windows":
        yield not_applicable(name, "are kept by Excel on Windows")
        return
    found = False
    for version in places.versions(machine):
        key = rf"HKCU\{places.OFFICE}\{version}\Excel\Resiliency\DisabledItems"
        for value in machine.registry.values(key).values():
            if isinstance(value.data, bytes):
                text = value.data.decode("utf-16-le", errors="ignore").lower()
                shifted = value.data[1:].decode("utf-16-le", errors="ignore").lower()
                if ADDIN_NAME in text or ADDIN_NAME in shifted:
                    found = True
    if found:
        yield fault(
            name,
            "Excel disabled the add-in after it did not start well",
            "in Excel: File > Options > Add-ins > Manage: Disabled Items > Go > xl_rebal > Enable, "
            "then restart Excel",
        )
    else:
        yield ok(name, "the add-in is not among them")


def installation(patient: Patient) -> Iterator[Finding]:
    """The record of what was installed, by which it can be taken back."""
    machine, name = patient.machine, "installation"
    if machine.system == "linux":
        yield not_applicable(name, "is for Excel, which this system does not have")
    elif patient.record is not None:
        yield ok(name, f"xl_rebal {patient.record.package}, {len(patient.placed)} files")
    elif patient.is_file(patient.add_in):
        yield warning(
            name,
            "the add-in was put there by hand, so xl-rebal uninstall excel does not remove it",
            f"delete {expand(machine, patient.add_in)}, then {_INSTALL}",
        )
    else:
        yield fault(name, "nothing is installed for Excel", _INSTALL)


def _from_outside(zone: str) -> bool:
    """Zones 3 (internet) and 4 (restricted) are blocked."""
    return any(
        line.replace(" ", "").lower() in ("zoneid=3", "zoneid=4") for line in zone.splitlines()
    )


def _is_signed(patient: Patient) -> bool:
    """Whether the add-in carries a signature; not whether it is valid or trusted."""
    if not patient.is_file(patient.add_in):
        return False
    data = patient.machine.path(patient.add_in).read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(n.startswith("xl/vbaProjectSignature") for n in archive.namelist())
    except zipfile.BadZipFile:
        return False
