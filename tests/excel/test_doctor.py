"""The doctor names each planted fault with its mend, on a made-up Windows and a made-up Mac."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.excel.fake_machine import OFFICE, XLWINGS, FakeMachine, mac, python, windows
from tests.excel.test_install_excel import ADD_IN, CONF, OPTIONS, TEMPLATES, install_older, release
from tests.excel.test_release import resaved
from xl_rebal import __version__
from xl_rebal.errors import FileError
from xl_rebal.excel import doctor
from xl_rebal.excel.doctor import diagnose, has_fault
from xl_rebal.excel.doctor.findings import Finding, Patient
from xl_rebal.excel.hosts.calc import install as calc
from xl_rebal.excel.installation import record
from xl_rebal.excel.installation.install import install
from xl_rebal.excel.installation.machine import (
    REG_BINARY,
    REG_DWORD,
    Value,
    expand,
    in_onedrive,
    text_value,
)
from xl_rebal.excel.installation.this_machine import ThisMachine

MAC_DATA = "/Volumes/Home/anna/Library/Containers/com.microsoft.Excel/Data"
MAC_GROUP = "/Volumes/Home/anna/Library/Group Containers/UBF8T346G9.Office/User Content.localized"
MAC_ADD_IN = f"{MAC_GROUP}/Startup.localized/Excel/xl_rebal.xlam"
SCRIPTS = "/Volumes/Home/anna/Library/Application Scripts/com.microsoft.Excel"
MAC_SCRIPT = f"{SCRIPTS}/xlwings-{XLWINGS}.applescript"
SECURITY = rf"HKCU\{OFFICE}\16.0\Excel\Security"
POLICY = r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security"
CLICK_TO_RUN = rf"HKLM\{OFFICE}\ClickToRun\Configuration"


@pytest.fixture(autouse=True)
def _no_libreoffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up computers have none, whatever this one has."""

    def absent() -> None:
        raise FileError.of(where="LibreOffice", what="is not found", remedy="install it")

    monkeypatch.setattr(calc, "find_office", absent)


@pytest.fixture
def computer(tmp_path: Path) -> Callable[[str], FakeMachine]:
    """A computer on which all is well."""

    def make(system: str) -> FakeMachine:
        machine = windows(tmp_path) if system == "windows" else mac(tmp_path)
        install(machine, release())
        return machine

    return make


def complaints(machine: FakeMachine) -> list[Finding]:
    return [f for f in diagnose(machine) if f.state in ("fault", "warning")]


@pytest.mark.parametrize("system", ["windows", "mac"])
def test_nothing_is_wrong_where_nothing_is(
    computer: Callable[[str], FakeMachine], system: str
) -> None:
    machine = computer(system)
    assert complaints(machine) == []
    names = {f.name for f in diagnose(machine)}
    assert names >= {name for name, _ in doctor.CHECKS}


# Where a planted fault is: (what it is, how to plant it, check, state, what it says, its mend).
Plant = Callable[[FakeMachine], Any]


def _set(machine: FakeMachine, **changes: Any) -> None:
    machine.python = replace(machine.python, **changes)


def _move_behind_a_gap(machine: FakeMachine) -> None:
    entry = machine.registry.values(OPTIONS)["OPEN"]
    machine.registry.remove(OPTIONS, "OPEN")
    machine.registry.plant(OPTIONS, OPEN3=entry)


def _switch_off(machine: FakeMachine) -> None:
    machine.registry.remove(OPTIONS, "OPEN")
    manager = OPTIONS.replace("Options", "Add-in Manager")
    machine.registry.plant(manager, **{ADD_IN: text_value("")})


def _store_python(machine: FakeMachine) -> None:
    apps = r"C:\Users\Anna\AppData\Local\Microsoft\WindowsApps"
    machine.python = python(rf"{apps}\python.exe", apps, apps)
    machine.put(rf"{apps}\python.exe")
    machine.put(rf"{apps}\xlwings64-{XLWINGS}.dll")


def _conda(machine: FakeMachine, name: str, *, bat: bool) -> None:
    prefix = rf"C:\conda\envs\{name}"
    machine.path(prefix + r"\conda-meta").mkdir(parents=True)
    machine.put(prefix + rf"\xlwings64-{XLWINGS}.dll")
    machine.put(prefix + r"\python.exe")
    machine.python = python(prefix + r"\python.exe", prefix, prefix)
    if bat:
        machine.put(r"C:\conda\condabin\conda.bat")


def _for_the_user_only(machine: FakeMachine) -> None:
    name = f"xlwings64-{XLWINGS}.dll"
    machine.path(rf"{machine.python.prefix}\{name}").unlink()
    machine.put(rf"C:\Users\Anna\AppData\Roaming\Python\{name}")


def _stale_conda(machine: FakeMachine) -> None:
    conf = machine.path(CONF)
    conf.write_bytes(conf.read_bytes() + b'"CONDA PATH","C:\\conda"\r\n"CONDA ENV","base"\r\n')


def _excel_2013(machine: FakeMachine) -> None:
    for key in (OPTIONS, rf"hkcu\{OFFICE}\16.0\excel", CLICK_TO_RUN):
        del machine.registry.kept[key.lower()]
    machine.registry.plant(OPTIONS.replace("16.0", "15.0"))


def _old_installation(machine: FakeMachine) -> None:
    install_older(machine)


def _stamped(old: str, new: str) -> bytes:
    """The add-in with another text in its sheet."""
    with zipfile.ZipFile(io.BytesIO(release().add_in)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert f">{old}<" in sheet
    changed = sheet.replace(f">{old}<", f">{new}<").encode()
    return resaved(release().add_in, **{"xl/worksheets/sheet1.xml": changed})


def _of_another_version(machine: FakeMachine) -> None:
    machine.path(ADD_IN).unlink()
    install(machine, replace(release(), add_in=_stamped(__version__, "0.0.1")))


def _with_another_xlwings(machine: FakeMachine) -> None:
    install(machine, replace(release(), add_in=_stamped(XLWINGS, "0.33.0")))


WINDOWS: list[tuple[str, Plant, str, str, str, str]] = [
    ("old Python", lambda m: _set(m, version=(3, 9, 1)), "python", "fault", "is 3.9.1", "Python 3.11"),
    ("Store Python", _store_python, "environment", "fault", "Microsoft Store", "python.org"),
    ("conda not there", lambda m: _conda(m, "rebal", bat=False), "environment", "fault",
     r"C:\conda\condabin\conda.bat is not there", "conda activate"),
    ("conda name with a blank", lambda m: _conda(m, "my env", bat=True), "environment", "fault",
     "blank in its name", "conda create -n rebal"),
    ("no environment", lambda m: _set(m, base_prefix=m.python.prefix), "environment", "warning",
     "no environment of its own", "python -m venv"),
    ("other xlwings", lambda m: _set(m, packages={"xlwings": "0.33.0", "pywin32": "308"}), "xlwings",
     "fault", "is 0.33.0", f"pip install xlwings=={XLWINGS}"),
    ("no xlwings", lambda m: _set(m, packages={"pywin32": "308"}), "xlwings", "fault",
     "is not installed", f"pip install xlwings=={XLWINGS}"),
    ("no pywin32", lambda m: _set(m, packages={"xlwings": XLWINGS}), "xlwings", "fault",
     "without pywin32", "pip install pywin32"),
    ("no DLL", lambda m: m.path(rf"{m.python.prefix}\xlwings64-{XLWINGS}.dll").unlink(),
     "xlwings library", "fault", "virus scanner", "--force-reinstall"),
    ("32-bit Excel", lambda m: m.registry.plant(CLICK_TO_RUN, Platform=text_value("x86")), "64-bit",
     "fault", "Excel is 32-bit", "64-bit edition"),
    ("32-bit Python", lambda m: _set(m, bits=32), "64-bit", "fault", "this Python is 32-bit",
     "64-bit Python"),
    ("width of Excel unknown", lambda m: m.registry.remove(CLICK_TO_RUN, "Platform"), "64-bit",
     "warning", "could not be seen", "About Excel"),
    ("add-in gone", lambda m: m.path(ADD_IN).unlink(), "add-in", "fault", "virus scanner",
     "restore it"),
    ("add-in no zip", lambda m: m.path(ADD_IN).write_bytes(b"?"), "add-in", "fault",
     "cannot be read as an add-in", "delete that file"),
    ("older add-in", _of_another_version, "add-in", "fault",
     f"is of version 0.0.1, and Python has xl_rebal {__version__}", "xl-rebal install excel"),
    ("add-in with another xlwings", _with_another_xlwings, "add-in", "fault", "xlwings 0.33.0",
     "xl-rebal install excel"),
    ("older installation", _old_installation, "add-in", "fault", "cannot be read", "delete that file"),
    ("not in the list", lambda m: m.registry.remove(OPTIONS, "OPEN"), "registration", "fault",
     "missing from the list", "xl-rebal install excel"),
    ("behind a gap", _move_behind_a_gap, "registration", "fault", "OPEN3, behind a missing number",
     "xl-rebal install excel"),
    ("switched off", _switch_off, "registration", "fault", "switched off", "tick xl_rebal"),
    ("second entry", lambda m: m.registry.plant(OPTIONS, OPEN1=text_value(r"Z:\old\xl_rebal.xlam")),
     "duplicates", "fault", r"Z:\old\xl_rebal.xlam", "switch it off"),
    ("copy in XLSTART",
     lambda m: m.put(r"C:\Users\Anna\AppData\Roaming\Microsoft\Excel\XLSTART\xl_rebal (1).xlam"),
     "duplicates", "fault", "xl_rebal (1).xlam", "delete it"),
    ("no settings", lambda m: m.path(CONF).unlink(), "settings", "fault", "is missing",
     "xl-rebal install excel"),
    ("settings without Python", lambda m: m.path(CONF).write_bytes(b'"X","y"\r\n'), "settings",
     "fault", "does not say INTERPRETER_WIN", "xl-rebal install excel"),
    ("Python moved", lambda m: m.path(CONF).write_bytes(b'"INTERPRETER_WIN","C:\\gone\\python.exe"'),
     "settings", "fault", r"not there: C:\gone\python.exe", "xl-rebal install excel"),
    ("another Python",
     lambda m: (m.put(r"C:\two\python.exe"),
                m.path(CONF).write_bytes(b'"INTERPRETER_WIN","C:\\two\\python.exe"')),
     "settings", "warning", r"another Python than this one: C:\two\python.exe", "-m xl_rebal doctor"),
    ("conda of another Python", _stale_conda, "settings", "fault", "not right: CONDA PATH, CONDA ENV",
     "xl-rebal install excel"),
    ("marked add-in", lambda m: m.marks.update({ADD_IN: "[ZoneTransfer]\r\nZoneId=3\r\n"}),
     "mark of the web", "fault", "does not run its code", f'Unblock-File -LiteralPath "{ADD_IN}"'),
    ("marked template",
     lambda m: m.marks.update({rf"{TEMPLATES}\portfolio.xltx": "[ZoneTransfer]\nZoneId=4\n"}),
     "mark of the web", "warning", "Protected View", "Unblock-File"),
    ("only signed add-ins",
     lambda m: m.registry.plant(POLICY, RequireAddinSig=Value(kind=REG_DWORD, data=1)),
     "trust center", "fault", "administrator's policy lets only signed", "have the add-in signed"),
    ("no add-ins at all",
     lambda m: m.registry.plant(SECURITY, DisableAllAddins=Value(kind=REG_DWORD, data=1)),
     "trust center", "fault", "your Trust Center switches all add-ins off", "Trust Center Settings"),
    ("only signed add-ins at the start",
     lambda m: m.registry.plant(
         r"HKCU\Software\Policies\Microsoft\Office\16.0\Common\Security",
         requirealwaysonmacrosig=Value(kind=REG_DWORD, data=1)),
     "trust center", "fault", "lets only signed add-ins load when Excel starts", "signed"),
    ("DLL installed with pip --user",
     _for_the_user_only,
     "xlwings library", "fault", "for the user only", "py -m venv"),
    ("no macros", lambda m: m.registry.plant(POLICY, VBAWarnings=Value(kind=REG_DWORD, data=4)),
     "trust center", "warning", "disables all macros", "ask your administrator"),
    ("no VBA",
     lambda m: m.registry.plant(
         r"HKLM\Software\Policies\Microsoft\Office\16.0\Common", vbaoff=Value(kind=REG_DWORD, data=1)),
     "trust center", "fault", "switches VBA off", "ask your administrator"),
    ("disabled after a crash",
     lambda m: m.registry.plant(
         rf"HKCU\{OFFICE}\16.0\Excel\Resiliency\DisabledItems",
         **{"4F2A": Value(kind=REG_BINARY, data=b"\1\0\0\0" + ADD_IN.lower().encode("utf-16-le"))}),
     "disabled items", "fault", "did not start well", "Manage: Disabled Items"),
    ("template gone", lambda m: m.path(rf"{TEMPLATES}\portfolio.xltx").unlink(), "templates", "fault",
     "portfolio.xltx is gone", "xl-rebal install excel"),
    ("Python in OneDrive", lambda m: m.variables.update({"ONEDRIVE": r"C:\Users\Anna\xl_rebal"}),
     "onedrive", "warning", "holds the Python", "does not sync"),
    ("templates on a site",
     lambda m: m.registry.plant(OPTIONS, PersonalTemplates=text_value("https://firm.sharepoint.com/t")),
     "onedrive", "warning", "https://firm.sharepoint.com/t", "upload"),
    ("damaged record",
     lambda m: m.path(expand(m, record.place(m))).write_bytes(b"{"), "installation", "fault",
     "is damaged", "install again"),
    ("nothing installed", lambda m: m.path(expand(m, record.place(m))).unlink(), "installation",
     "warning", "put there by hand", "xl-rebal install excel"),
    ("old Excel", _excel_2013,
     "excel", "warning", "version 15.0", "Microsoft 365"),
    ("registry denied", lambda m: m.registry.denied.add(OPTIONS.lower()), "registration", "warning",
     "could not be looked at (PermissionError", "with rights to read"),
]  # fmt: skip

MAC: list[tuple[str, Plant, str, str, str, str]] = [
    ("old Python", lambda m: _set(m, version=(3, 9, 6)), "python", "fault", "is 3.9.6", "Python 3.11"),
    ("other xlwings", lambda m: _set(m, packages={"xlwings": "0.30.0", "appscript": "1"}), "xlwings",
     "fault", "is 0.30.0", f"pip install xlwings=={XLWINGS}"),
    ("no appscript", lambda m: _set(m, packages={"xlwings": XLWINGS}), "xlwings", "fault",
     "without appscript", "pip install appscript"),
    ("no script", lambda m: m.path(MAC_SCRIPT).unlink(), "runpython script", "fault",
     "so no button works", "-m xlwings runpython install"),
    ("changed script", lambda m: m.path(MAC_SCRIPT).write_bytes(b"old"), "runpython script", "fault",
     "is not that of the installed xlwings", "-m xlwings runpython install"),
    ("xlwings without script", lambda m: setattr(m, "script", None), "runpython script", "fault",
     "not in the installed xlwings", "--force-reinstall"),
    ("add-in gone", lambda m: m.path(MAC_ADD_IN).unlink(), "add-in", "fault", "is gone", "restore it"),
    ("add-in no zip", lambda m: m.path(MAC_ADD_IN).write_bytes(b"?"), "add-in", "fault",
     "cannot be read", "delete that file"),
    ("copy in the startup folder",
     lambda m: m.put(f"{MAC_GROUP}/Startup.localized/Excel/xl_rebal copy.xlam"), "duplicates", "fault",
     "xl_rebal copy.xlam", "delete it"),
    ("quarantined add-in", lambda m: m.marks.update({MAC_ADD_IN: "0081;65;Safari;"}),
     "mark of the web", "fault", "does not run its code",
     f'xattr -d com.apple.quarantine "{MAC_ADD_IN}"'),
    ("no settings", lambda m: m.path(f"{MAC_DATA}/xl_rebal.conf").unlink(), "settings", "fault",
     "is missing", "xl-rebal install excel"),
    ("Python moved", lambda m: m.path(m.python.executable).unlink(), "settings", "fault", "not there",
     "xl-rebal install excel"),
    ("template gone", lambda m: m.path(f"{MAC_GROUP}/Templates.localized/portfolio.xltx").unlink(),
     "templates", "fault", "is gone", "xl-rebal install excel"),
    ("Python in OneDrive",
     lambda m: _set(m, executable="/Volumes/Home/anna/Library/CloudStorage/OneDrive-Firm/v/bin/python"),
     "onedrive", "warning", "holds the Python", "does not sync"),
    ("damaged record", lambda m: m.path(expand(m, record.place(m))).write_bytes(b"[]"), "installation",
     "fault", "is damaged", "install again"),
]  # fmt: skip

PLANTED = [("windows", *each) for each in WINDOWS] + [("mac", *each) for each in MAC]


@pytest.mark.parametrize(
    ("system", "_what", "plant", "check", "state", "says", "mend"),
    PLANTED,
    ids=[f"{each[0]}: {each[1]}" for each in PLANTED],
)
def test_a_planted_fault_is_named_with_its_mend(
    computer: Callable[[str], FakeMachine],
    system: str,
    _what: str,
    plant: Plant,
    check: str,
    state: str,
    says: str,
    mend: str,
) -> None:
    machine = computer(system)
    plant(machine)
    found = [f for f in complaints(machine) if f.name == check]
    assert any(f.state == state and says in f.what and mend in f.remedy for f in found), found
    assert all(f.remedy for f in complaints(machine))


@pytest.mark.parametrize(
    "plant",
    [
        each[1]
        for each in WINDOWS
        if "xl-rebal install excel" in each[5] or each[0] == "switched off"
    ],
    ids=[
        each[0]
        for each in WINDOWS
        if "xl-rebal install excel" in each[5] or each[0] == "switched off"
    ],
)
def test_installing_again_mends_what_it_is_said_to_mend(
    computer: Callable[[str], FakeMachine], plant: Plant
) -> None:
    machine = computer("windows")
    plant(machine)
    assert complaints(machine)
    record_gone = not machine.path(expand(machine, record.place(machine))).is_file()
    if record_gone:  # "delete …, then install": as the mend says
        machine.path(ADD_IN).unlink()
        machine.path(ADD_IN.replace(".xlam", ".intellisense.xml")).unlink()
        machine.path(rf"{TEMPLATES}\portfolio.xltx").unlink()
    install(machine, release())
    assert complaints(machine) == []


@pytest.mark.parametrize(
    "zone", ["[ZoneTransfer]\r\nZoneId=2\r\n", "[ZoneTransfer]\r\nZoneId=0\r\n", ""]
)
def test_a_file_from_the_own_network_is_not_marked(
    computer: Callable[[str], FakeMachine], zone: str
) -> None:
    machine = computer("windows")
    machine.marks[ADD_IN] = zone
    assert complaints(machine) == []


def test_a_template_that_the_user_changed_is_no_fault(
    computer: Callable[[str], FakeMachine],
) -> None:
    machine = computer("windows")
    machine.path(rf"{TEMPLATES}\portfolio.xltx").write_bytes(b"mine")
    assert complaints(machine) == []
    found = [f.what for f in diagnose(machine) if f.name == "templates"]
    assert sum("changed by you" in what for what in found) == 1


def test_a_signed_add_in_satisfies_the_policy(computer: Callable[[str], FakeMachine]) -> None:
    machine = computer("windows")
    machine.registry.plant(POLICY, RequireAddinSig=Value(kind=REG_DWORD, data=1))
    assert has_fault(diagnose(machine))
    machine.path(ADD_IN).write_bytes(
        resaved(release().add_in, **{"xl/vbaProjectSignatureV3.bin": b"x"})
    )
    assert complaints(machine) == []


def test_every_check_survives_a_computer_that_refuses_everything(
    computer: Callable[[str], FakeMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = computer("windows")

    def refuse(*_: object) -> Any:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(FakeMachine, "path", refuse)
    monkeypatch.setattr(FakeMachine, "run", refuse)
    for method in ("values", "keys", "exists"):
        monkeypatch.setattr(machine.registry, method, refuse)
    found = diagnose(machine)
    assert {f.name for f in found} >= {"python", "add-in", "registration", "settings", "templates"}
    assert all(f.remedy for f in found if f.state in ("fault", "warning"))


def test_the_text_has_faults_first_and_the_json_has_all(
    computer: Callable[[str], FakeMachine],
) -> None:
    machine = computer("windows")
    machine.path(ADD_IN).unlink()
    found = diagnose(machine)
    lines = doctor.lines(found)
    assert lines[0].startswith("fault: add-in: was installed and is gone")
    assert lines[1].startswith("    mend: ")
    checks = json.loads(json.dumps(doctor.document(found)))["checks"]
    assert len(checks) == len(found)
    assert all(set(each) == {"name", "state", "what", "remedy"} for each in checks)
    assert {each["state"] for each in checks} <= {"ok", "warning", "fault", "not applicable"}


def test_every_check_is_planted_with_a_fault_somewhere() -> None:
    planted = {each[3] for each in PLANTED}
    assert planted | {"libreoffice"} >= {name for name, _ in doctor.CHECKS}


def test_on_this_computer_it_says_honestly_what_does_not_apply() -> None:
    machine = ThisMachine()
    found = {f.name: f for f in diagnose(machine)}
    assert found["python"].state == "ok"
    assert found["xlwings"].what == XLWINGS
    if machine.system == "linux":
        assert found["excel"].state == "not applicable"
        assert found["registration"].state == "not applicable"
    assert doctor.report_lines()


class _Office:
    """A LibreOffice whose profile is a folder of the test's."""

    version = "25.2.3"
    unopkg = Path("unopkg")

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self.settings = profile / "user" / "xl_rebal.json"


def test_the_extension_of_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = _Office(tmp_path)
    monkeypatch.setattr(calc, "find_office", lambda: office)
    patient = Patient(machine=replace_system(mac(tmp_path / "m"), "linux"))
    check = dict(doctor.CHECKS)["libreoffice"]

    def last() -> Finding:
        return list(check(patient))[-1]

    assert "is not installed" in last().what
    assert "xl-rebal install calc" in last().remedy
    cache = tmp_path / "user" / "uno_packages" / "cache" / "uno_packages" / "lu1.tmp_"
    cache.mkdir(parents=True)
    (cache / "xl_rebal.oxt").mkdir()
    assert "does not know where" in last().what
    office.settings.write_bytes(calc.settings_bytes())
    assert last().state == "ok"
    for key, value, says in (
        ("version", "0.0.1", "is of xl_rebal 0.0.1"),
        ("python", "2.7", "for Python 2.7"),
        ("packages", ["/no/such"], "none: /no/such"),
        ("packages", None, "is damaged"),
    ):
        office.settings.write_text(json.dumps(json.loads(calc.settings_bytes()) | {key: value}))
        assert last().state == "warning"
        assert says in last().what


def replace_system(machine: FakeMachine, system: str) -> FakeMachine:
    machine.system = system  # type: ignore[assignment]  # one of the three words
    return machine


def test_too_old_a_libreoffice_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def old() -> None:
        raise FileError.of(where="LibreOffice", what="is 7.4", remedy="install 25.2 or newer")

    monkeypatch.setattr(calc, "find_office", old)
    (found,) = dict(doctor.CHECKS)["libreoffice"](Patient(machine=mac(tmp_path)))
    assert (found.state, found.remedy) == ("warning", "install 25.2 or newer")


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        (r"C:\Users\Anna\OneDrive - Firm\x", True),
        (r"C:\Users\Anna\OneDrive\x", True),
        (r"D:\Sync\x", True),
        (r"C:\Users\Anna\OneDriver\x", False),
        ("/Volumes/Home/anna/Library/CloudStorage/OneDrive-Firm/x", True),
    ],
)
def test_folders_of_onedrive(tmp_path: Path, place: str, inside: bool) -> None:
    machine = windows(tmp_path)
    machine.variables["ONEDRIVECOMMERCIAL"] = r"D:\Sync"
    assert in_onedrive(machine, place) is inside


def test_the_version_is_that_of_the_package(computer: Callable[[str], FakeMachine]) -> None:
    (found,) = (f for f in diagnose(computer("windows")) if f.name == "add-in")
    assert re.match(rf"{re.escape(__version__)}, xlwings {re.escape(XLWINGS)}: ", found.what)
