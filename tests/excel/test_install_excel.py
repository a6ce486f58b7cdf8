"""`install excel` and `uninstall excel` on a made-up Windows and a made-up Mac."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.excel.fake_machine import OFFICE, XLWINGS, FakeMachine, mac, windows
from xl_rebal import __version__
from xl_rebal.errors import FileError
from xl_rebal.excel.doctor import diagnose
from xl_rebal.excel.installation import open_entries, record, settings_file
from xl_rebal.excel.installation.changes import PutValue, RemoveValue
from xl_rebal.excel.installation.install import install
from xl_rebal.excel.installation.machine import (
    REG_DWORD,
    REG_EXPAND_SZ,
    Value,
    excel_is_running,
    expand,
    portable,
    text_value,
)
from xl_rebal.excel.installation.this_machine import ThisMachine
from xl_rebal.excel.installation.uninstall import uninstall
from xl_rebal.excel.release import Release, current

OPTIONS = rf"HKCU\{OFFICE}\16.0\Excel\Options"
ADD_IN = r"C:\Users\Anna\AppData\Roaming\Microsoft\AddIns\xl_rebal.xlam"
WRITTEN = f'/R "{ADD_IN}"'
TEMPLATES = r"C:\Users\Anna\Documents\Custom Office Templates"
CONF = r"C:\Users\Anna\.xl_rebal\xl_rebal.conf"
FOLDERS = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"


@cache
def release() -> Release:
    """What this version builds, once for all tests."""
    return current()


def older() -> Release:
    return Release(
        origin="older",
        version="0.0.1",
        xlwings=XLWINGS,
        add_in=b"older add-in",
        intellisense=b"<older/>",
        templates={"portfolio.xltx": b"older", "gone.xltx": b"no longer made"},
    )


def install_older(machine: FakeMachine) -> None:
    """What the user did a year ago, from the Python of then."""
    now = machine.python
    machine.python = replace(now, packages={**now.packages, "xl-rebal": "0.0.1"})
    install(machine, older())
    machine.python = now


@pytest.fixture(params=["windows", "mac"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> FakeMachine:
    return windows(tmp_path) if request.param == "windows" else mac(tmp_path)


def opened(machine: FakeMachine, key: str = OPTIONS) -> dict[str, str]:
    return {
        name: value.text
        for name, value in machine.registry.values(key).items()
        if name.upper().startswith("OPEN")
    }


def test_windows_gets_everything_where_excel_looks(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    lines = install(machine, release())
    assert machine.path(ADD_IN).read_bytes() == release().add_in
    assert machine.path(ADD_IN.replace(".xlam", ".intellisense.xml")).is_file()
    template = machine.path(TEMPLATES + r"\portfolio.xltx")
    assert template.read_bytes() == release().templates["portfolio.xltx"]
    assert opened(machine) == {"OPEN": WRITTEN}
    personal = machine.registry.values(OPTIONS)["PersonalTemplates"]
    assert personal == Value(kind=REG_EXPAND_SZ, data=TEMPLATES)
    conf = machine.path(CONF).read_bytes()
    assert conf == f'"INTERPRETER_WIN","{machine.python.executable}"\r\n'.encode()
    assert not any("Trusted Locations" in key for key in machine.registry.dump())
    assert any("no trusted location" in line and "--trust-location" in line for line in lines)


def test_the_mac_gets_everything_where_excel_looks(tmp_path: Path) -> None:
    machine = mac(tmp_path)
    install(machine, release())
    group = "/Volumes/Home/anna/Library/Group Containers/UBF8T346G9.Office/User Content.localized"
    startup = machine.path(f"{group}/Startup.localized/Excel")
    # Excel opens whatever lies in the startup folder, so nothing but the add-in may be there.
    assert [path.name for path in startup.iterdir()] == ["xl_rebal.xlam"]
    assert machine.path(f"{group}/Templates.localized/portfolio.xltx").is_file()
    scripts = "/Volumes/Home/anna/Library/Application Scripts/com.microsoft.Excel"
    script = f"{scripts}/xlwings-{XLWINGS}.applescript"
    assert machine.path(script).read_bytes() == machine.script[1]  # type: ignore[index]  # set by mac()
    conf = machine.path(
        "/Volumes/Home/anna/Library/Containers/com.microsoft.Excel/Data/xl_rebal.conf"
    )
    assert conf.read_text() == f'"INTERPRETER_MAC","{machine.python.executable}"\n'


def test_uninstalling_leaves_no_trace(machine: FakeMachine) -> None:
    before = machine.picture()
    install(machine, release(), trust_location=machine.system == "windows")
    assert machine.picture() != before
    assert uninstall(machine)[-1] == "removed"
    assert machine.picture() == before
    assert "nothing is installed" in uninstall(machine)[0]
    assert machine.picture() == before


def test_a_dry_run_changes_nothing_and_says_everything(machine: FakeMachine) -> None:
    before = machine.picture()
    would = install(machine, release(), dry_run=True)
    assert machine.picture() == before
    done = install(machine, release())
    said = [line.removeprefix("would ") for line in would]
    assert [line for line in done if not line.startswith("installed;")] == said
    installed = machine.picture()
    would = uninstall(machine, dry_run=True)
    assert machine.picture() == installed
    assert [line.removeprefix("would ") for line in would] == uninstall(machine)[:-1]


def test_installing_again_changes_nothing(machine: FakeMachine) -> None:
    install(machine, release())
    once, count = machine.picture(), machine.changes
    assert any("nothing to do" in line for line in install(machine, release()))
    assert machine.picture() == once
    assert machine.changes == count


def test_an_older_version_of_ours_is_replaced_and_all_is_taken_back(machine: FakeMachine) -> None:
    before = machine.picture()
    install_older(machine)
    old = machine.picture()[0]
    install(machine, release())
    new = machine.picture()[0]
    assert not any(data == b"older add-in" for data in new.values())
    assert any(name.endswith("gone.xltx") for name in old)
    assert not any(name.endswith("gone.xltx") for name in new)
    install_older(machine)  # and back
    assert {
        name: data for name, data in machine.picture()[0].items() if "install.json" not in name
    } == {name: data for name, data in old.items() if "install.json" not in name}
    uninstall(machine)
    assert machine.picture() == before


@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("system", ["windows", "mac"])
def test_a_failure_at_any_step_leaves_everything_as_it_was(
    tmp_path: Path, system: str, upgrade: bool
) -> None:
    machine = windows(tmp_path) if system == "windows" else mac(tmp_path)
    machine.put(settings_file.place(machine), b'"OTHER","kept"\r\n')
    if upgrade:
        install_older(machine)
    before = machine.picture()
    trust = system == "windows"
    steps = _fails_at_every_step(machine, lambda: install(machine, release(), trust_location=trust))
    assert steps >= (5 if upgrade else 8)
    assert machine.picture() != before
    assert _fails_at_every_step(machine, lambda: uninstall(machine)) >= 5


def _fails_at_every_step(machine: FakeMachine, work: Callable[[], object]) -> int:
    """Let the first change fail, then the second, and so on until all goes well; how many there are."""
    before = machine.picture()
    for step in range(1, 100):
        machine.changes, machine.fail_at = 0, step
        try:
            work()
        except FileError as error:
            said = str(error)
        else:
            machine.fail_at = None
            return step - 1
        assert "everything is as it was" in said
        assert machine.picture() == before, f"step {step}"
    raise AssertionError("it never ends")


@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("repeat", [False, True])
def test_killed_half_way_it_can_be_taken_back_or_repeated(
    machine: FakeMachine, repeat: bool, upgrade: bool
) -> None:
    class Killed(BaseException):
        """As when the power goes: nobody takes anything back."""

    before = machine.picture()
    real, left = machine.change, 0

    def change(what: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        real(what)

    machine.change = change  # type: ignore[method-assign]  # watched
    for step in range(1, 30):
        if upgrade:
            install_older(machine)
        left = step
        with contextlib.suppress(Killed):
            install(machine, release())
        done, left = left > 0, 0
        if repeat:
            install(machine, release())
            assert release().add_in in machine.picture()[0].values()
            assert b"older" not in machine.picture()[0].values()
        uninstall(machine)
        assert machine.picture()[1] == before[1]
        more = {name for name in machine.picture()[0] if name not in before[0]}
        # Empty folders made before the record was written are all that can be left.
        assert all((machine.root / name).is_dir() for name in more), more
        for name in sorted(more, reverse=True):
            (machine.root / name).rmdir()
        if done:
            break
    assert done
    assert step > 4


def test_foreign_files_are_never_overwritten(machine: FakeMachine) -> None:
    install(machine, release())
    places = [f for f in machine.picture()[0] if f.endswith((".xlam", ".xltx"))]
    uninstall(machine)
    for name in places:
        mine = machine.root / name
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_bytes(b"mine")
        before = machine.picture()
        if name.endswith(".xlam"):
            with pytest.raises(FileError, match=r"is not ours; it is not overwritten; move it"):
                install(machine, release())
        else:
            lines = install(machine, release())
            assert any(line.startswith("kept:") and "not ours" in line for line in lines)
            uninstall(machine)
        assert mine.read_bytes() == b"mine"
        assert machine.picture() == before
        mine.unlink()


def test_files_that_the_user_changed_are_kept_and_named(machine: FakeMachine) -> None:
    install_older(machine)
    template = next(machine.root / n for n in machine.picture()[0] if n.endswith("portfolio.xltx"))
    template.write_bytes(b"with my firm's logo")
    lines = install(machine, release())
    assert any(line.startswith("kept:") and "portfolio.xltx was changed" in line for line in lines)
    assert template.read_bytes() == b"with my firm's logo"
    lines = uninstall(machine)
    assert any(line.startswith("kept, because") and "portfolio.xltx" in line for line in lines)
    assert template.read_bytes() == b"with my firm's logo"
    assert not any(n.endswith((".xlam", ".json", ".conf")) for n in machine.picture()[0])


def test_an_add_in_that_somebody_changed_stops_the_upgrade(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install_older(machine)
    machine.path(ADD_IN).write_bytes(b"edited")
    before = machine.picture()
    with pytest.raises(FileError, match="was changed by somebody"):
        install(machine, release())
    assert machine.picture() == before


def test_other_add_ins_keep_their_numbers_gaps_and_order(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    values = {
        "OPEN": text_value(r'/R "C:\Tools\first.xlam"'),
        "OPEN1": text_value(r'"C:\Tools\second.xlam"'),
        "OPEN3": text_value("behind.xlam"),
        "Options3": Value(kind=REG_DWORD, data=7),
    }
    machine.registry.plant(OPTIONS, **values)
    before = machine.picture()
    lines = install(machine, release())
    now = machine.registry.values(OPTIONS)
    assert {name: now[name] for name in values} == values
    assert opened(machine)["OPEN2"] == WRITTEN
    assert any("OPEN3" in line and "missing number" in line for line in lines)
    uninstall(machine)
    assert machine.picture() == before


def test_after_uninstalling_excel_still_comes_to_add_ins_that_were_added_later(
    tmp_path: Path,
) -> None:
    machine = windows(tmp_path)
    machine.registry.plant(OPTIONS, OPEN=text_value("first.xlam"))
    install(machine, release())
    machine.registry.plant(OPTIONS, OPEN2=text_value("later.xlam"), OPEN3=text_value("last.xlam"))
    uninstall(machine)
    assert opened(machine) == {"OPEN": "first.xlam", "OPEN1": "later.xlam", "OPEN2": "last.xlam"}


def test_excel_may_renumber_or_rewrite_our_entry(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    machine.registry.remove(OPTIONS, "OPEN")
    machine.registry.plant(OPTIONS, OPEN=text_value("new.xlam"), OPEN1=text_value("xl_rebal.xlam"))
    assert any("nothing to do" in line for line in install(machine, release()))
    uninstall(machine)
    assert opened(machine) == {"OPEN": "new.xlam"}


def test_an_add_in_that_the_user_switched_off_is_switched_on_again(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    manager = OPTIONS.replace("Options", "Add-in Manager")
    machine.registry.remove(OPTIONS, "OPEN")
    machine.registry.plant(manager, **{ADD_IN: text_value("")})
    install(machine, release())
    assert opened(machine) == {"OPEN": WRITTEN}
    assert not machine.registry.values(manager)


def test_another_add_in_of_our_name_is_refused(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.registry.plant(OPTIONS, OPEN=text_value(r'/R "\\server\share\xl_rebal.xlam"'))
    before = machine.picture()
    with pytest.raises(FileError, match=r"server\\share\\xl_rebal\.xlam; switch that one off"):
        install(machine, release())
    assert machine.picture() == before


def test_every_excel_of_the_user_is_served(tmp_path: Path) -> None:
    machine = windows(tmp_path, office=("12.0", "15.0", "16.0"))
    before = machine.picture()
    lines = install(machine, release())
    assert len([line for line in lines if line.endswith("portfolio.xltx")]) == 1
    assert opened(machine, OPTIONS.replace("16.0", "15.0")) == {"OPEN": WRITTEN}
    assert opened(machine) == {"OPEN": WRITTEN}
    assert not opened(machine, OPTIONS.replace("16.0", "12.0"))
    uninstall(machine)
    assert machine.picture() == before


def test_a_computer_on_which_excel_has_never_run(tmp_path: Path) -> None:
    machine = windows(tmp_path, office=())
    before = machine.picture()
    install(machine, release())
    assert opened(machine) == {"OPEN": WRITTEN}
    uninstall(machine)
    assert machine.picture() == before


def test_documents_in_onedrive_and_a_translated_folder(tmp_path: Path) -> None:
    machine = windows(tmp_path, user="Zoë Äpfel")
    documents = r"C:\Users\Zoë Äpfel\OneDrive - Firma & Söhne\Dokumente"
    machine.registry.plant(
        FOLDERS,
        Personal=Value(
            kind=REG_EXPAND_SZ, data=r"%USERPROFILE%\OneDrive - Firma & Söhne\Dokumente"
        ),
    )
    machine.path(documents + r"\Benutzerdefinierte Office-Vorlagen").mkdir(parents=True)
    before = machine.picture()
    lines = install(machine, release())
    folder = documents + r"\Benutzerdefinierte Office-Vorlagen"
    assert machine.path(folder + r"\portfolio.xltx").is_file()
    assert machine.registry.values(OPTIONS)["PersonalTemplates"].text == folder
    assert any("OneDrive" in line for line in lines)
    conf = machine.path(r"C:\Users\Zoë Äpfel\.xl_rebal\xl_rebal.conf").read_bytes()
    assert machine.python.executable.encode("cp1252") in conf  # VBA reads the code page
    uninstall(machine)
    assert machine.picture() == before


def test_a_name_that_vba_cannot_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    machine = windows(tmp_path, user="安娜")
    before = machine.picture()
    with pytest.raises(FileError, match=r"code page; make an environment in a folder of plain"):
        install(machine, release())
    assert machine.picture() == before


def test_the_users_choice_of_templates_folder_is_respected(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.registry.plant(OPTIONS, PersonalTemplates=text_value(r"%USERPROFILE%\My Templates"))
    before = machine.picture()
    install(machine, release())
    assert machine.path(r"C:\Users\Anna\My Templates\portfolio.xltx").is_file()
    uninstall(machine)
    assert machine.picture() == before


def test_a_templates_folder_that_the_user_chose_later_is_kept_and_named(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    chosen = Value(kind=REG_EXPAND_SZ, data=r"C:\Users\Anna\Mine")
    machine.registry.plant(OPTIONS, PersonalTemplates=chosen)
    lines = uninstall(machine)
    assert any(line.startswith("kept") and "PersonalTemplates" in line for line in lines)
    assert machine.registry.values(OPTIONS)["PersonalTemplates"] == chosen


def test_templates_follow_the_folder_that_the_user_chose_later(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    chosen = Value(kind=REG_EXPAND_SZ, data=r"C:\Users\Anna\Mine")
    machine.registry.plant(OPTIONS, PersonalTemplates=chosen)
    install(machine, release())
    assert machine.path(r"C:\Users\Anna\Mine\portfolio.xltx").is_file()
    assert not machine.path(TEMPLATES + r"\portfolio.xltx").exists()
    uninstall(machine)
    assert machine.registry.values(OPTIONS)["PersonalTemplates"] == chosen
    assert not any(n.endswith((".xltx", ".xlam", ".conf")) for n in machine.picture()[0])


def test_templates_on_a_sharepoint_site_are_named_not_written(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.registry.plant(
        r"HKCU\Software\Policies\Microsoft\Office\16.0\excel\options",
        PersonalTemplates=text_value("https://firm.sharepoint.com/Templates"),
    )
    lines = install(machine, release())
    assert any("https://firm.sharepoint.com/Templates; upload" in line for line in lines)
    assert not any(name.endswith(".xltx") for name in machine.picture()[0])


def test_a_roaming_profile_that_has_another_place_on_this_computer(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    # The same user on another computer: registry and AppData came along, under another name.
    there = machine.path(r"C:\Users\Anna")
    there.rename(machine.path(r"C:\Users\Anna.FIRM"))
    home = r"C:\Users\Anna.FIRM"
    machine.home = home
    machine.variables |= {"USERPROFILE": home, "APPDATA": rf"{home}\AppData\Roaming"}
    machine.python = replace(machine.python, executable=r"D:\Python\python.exe")
    install(machine, release())
    assert opened(machine) == {"OPEN": WRITTEN.replace("Anna", "Anna.FIRM")}
    personal = machine.registry.values(OPTIONS)["PersonalTemplates"].text
    assert personal == TEMPLATES.replace("Anna", "Anna.FIRM")
    assert rb"D:\Python\python.exe" in machine.path(CONF.replace("Anna", "Anna.FIRM")).read_bytes()
    uninstall(machine)
    assert not opened(machine)
    assert not any(n.endswith((".xlam", ".xltx", ".conf", ".json")) for n in machine.picture()[0])
    assert "PersonalTemplates" not in machine.registry.values(OPTIONS)


def test_a_profile_on_a_server(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.variables["APPDATA"] = r"\\server\profiles\Anna\AppData"
    machine.path(r"\\server\profiles\Anna\AppData\Microsoft").mkdir(parents=True)
    before = machine.picture()
    install(machine, release())
    add_in = r"\\server\profiles\Anna\AppData\Microsoft\AddIns\xl_rebal.xlam"
    assert opened(machine) == {"OPEN": f'/R "{add_in}"'}
    assert machine.path(add_in).is_file()
    (found,) = (f for f in diagnose(machine) if f.name == "mark of the web")
    assert found.state == "warning"
    assert "on a server" in found.what
    uninstall(machine)
    assert machine.picture() == before


def test_the_users_own_settings_stay_to_the_byte(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    original = (
        b'"SHOW CONSOLE","True"\r\n"interpreter_win","C:\\Old\\python.exe"\n"CONDA ENV","base"'
    )
    machine.put(CONF, original)
    before = machine.picture()
    install(machine, release())
    data = machine.path(CONF).read_bytes()
    found = settings_file.read(machine, data)
    assert found["INTERPRETER_WIN"] == machine.python.executable
    assert found["CONDA ENV"] == ""
    assert found["SHOW CONSOLE"] == "True"
    uninstall(machine)
    assert machine.path(CONF).read_bytes() == original
    assert machine.picture() == before


def test_a_setting_that_the_user_changed_later_is_kept_and_named(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    install(machine, release())
    machine.path(CONF).write_bytes(b'"INTERPRETER_WIN","D:\\mine\\python.exe"\r\n')
    lines = uninstall(machine)
    assert any(line.startswith("kept") and "INTERPRETER_WIN" in line for line in lines)
    assert machine.path(CONF).read_bytes() == b'"INTERPRETER_WIN","D:\\mine\\python.exe"\r\n'


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                b'"INTERPRETER_WIN","C:\\a b\\python.exe"',
                b'"SHOW CONSOLE","True"',
                b'"CONDA PATH","C:\\conda"',
                b'"PYTHONPATH","C:\\x;D:\\y"',
                b"",
                b"not a setting",
            ]
        ),
        max_size=6,
    ),
    st.sampled_from([b"\r\n", b"\n"]),
    st.booleans(),
)
def test_settings_go_in_and_out_of_any_file(lines: list[bytes], end: bytes, closed: bool) -> None:
    machine = _no_files
    data = end.join(lines) + (end if closed and lines else b"")
    wanted: dict[str, str | None] = {"INTERPRETER_WIN": r"C:\é\python.exe", "CONDA PATH": None}
    new, changed = settings_file.write(machine, data, wanted)
    assert settings_file.read(machine, new)["INTERPRETER_WIN"] == r"C:\é\python.exe"
    assert not settings_file.read(machine, new).get("CONDA PATH")
    assert settings_file.take_back(new, changed) == (data, [])


_no_files = FakeMachine(
    root=Path("unused"),
    system="windows",
    home="C:\\",
    variables={},
    python=None,  # type: ignore[arg-type]  # settings_file.write asks for the code page only
)


def test_a_conda_environment_is_activated(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    prefix = r"C:\miniforge3\envs\rebal"
    machine.path(prefix + r"\conda-meta").mkdir(parents=True)
    machine.python = replace(
        machine.python, prefix=prefix, base_prefix=prefix, executable=prefix + r"\python.exe"
    )
    install(machine, release())
    found = settings_file.read(machine, machine.path(CONF).read_bytes())
    assert found == {
        "INTERPRETER_WIN": prefix + r"\python.exe",
        "CONDA PATH": r"C:\miniforge3",
        "CONDA ENV": "rebal",
    }


def test_a_trusted_location_only_on_request(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    root = rf"HKCU\{OFFICE}\16.0\Excel\Security\Trusted Locations"
    machine.registry.plant(root + r"\Location0", Path=text_value("C:\\Theirs\\"))
    before = machine.picture()
    install(machine, release(), trust_location=True)
    made = machine.registry.values(root + r"\Location1")
    assert made["Path"].text == ADD_IN.removesuffix("xl_rebal.xlam")
    assert made["AllowSubfolders"].data == 0
    install(machine, release())  # an update keeps it
    assert machine.registry.exists(root + r"\Location1")
    uninstall(machine)
    assert machine.picture() == before


def test_a_trusted_location_that_a_policy_forbids(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.registry.plant(
        r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security\Trusted Locations",
        AllLocationsDisabled=Value(kind=REG_DWORD, data=1),
    )
    with pytest.raises(FileError, match="switches all trusted locations off"):
        install(machine, release(), trust_location=True)
    install(machine, release())


def test_a_running_excel_has_to_be_closed(machine: FakeMachine) -> None:
    program = "tasklist.exe" if machine.system == "windows" else "ps"
    running = '"EXCEL.EXE","4711","Console","1","150,000 K"\r\n'
    idle = machine.answers[program]
    machine.answers[program] = running if machine.system == "windows" else "Microsoft Excel\n"
    with pytest.raises(FileError, match="is running"):
        install(machine, release())
    assert any("is running" in line for line in install(machine, release(), dry_run=True))
    machine.answers[program] = None
    assert excel_is_running(machine) is None
    assert any("could not see" in line for line in install(machine, release()))
    machine.answers[program] = idle
    uninstall(machine)


def test_no_excel_no_installation(tmp_path: Path) -> None:
    machine = windows(tmp_path / "w", office=())
    machine.registry.kept.pop(rf"hklm\{OFFICE}\ClickToRun\Configuration".lower())
    with pytest.raises(FileError, match="start Excel once"):
        install(machine, release())
    apple = mac(tmp_path / "m")
    apple.path("/Volumes/Home/anna/Library/Containers/com.microsoft.Excel/Data").rmdir()
    apple.path("/Volumes/Home/anna/Library/Containers/com.microsoft.Excel").rmdir()
    with pytest.raises(FileError, match="start Excel once"):
        install(apple, release())


def test_a_release_for_another_python_is_refused(machine: FakeMachine) -> None:
    machine.python = replace(machine.python, packages={"xlwings": "0.33.1", "xl-rebal": "0.0.9"})
    with pytest.raises(FileError) as caught:
        install(machine, release())
    ours, xlwings = caught.value.faults
    assert ours.what == f"goes with xl-rebal {__version__}, and this Python has 0.0.9"
    assert xlwings.what == f"goes with xlwings {XLWINGS}, and this Python has 0.33.1"
    assert f"pip install xlwings=={XLWINGS}" in xlwings.remedy


def test_interrupted_by_the_user_it_takes_everything_back(machine: FakeMachine) -> None:
    before = machine.picture()
    real, count = machine.change, 0

    def change(what: str) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        real(what)

    machine.change = change  # type: ignore[method-assign]  # watched
    with pytest.raises(KeyboardInterrupt):
        install(machine, release())
    assert machine.picture() == before


class RealMac(ThisMachine):
    """A Mac's folders on this computer's real file system, with its real permissions."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.system = "mac"
        self.home = str(home)

    def run(self, *command: str) -> str | None:
        return "COMM\n"


@contextlib.contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Permissions do not stop root, so be nobody for a while, to whom the folder is given."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(
    "locked",
    ["Library/Group Containers", "Library/Application Scripts", "Library/Containers"],
)
def test_a_read_only_folder_on_a_real_file_system(locked: str) -> None:
    release()  # built before we are nobody
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        for each in ("Group Containers", "Application Scripts", "Application Support"):
            (home / "Library" / each).mkdir(parents=True)
        (home / "Library/Containers/com.microsoft.Excel/Data").mkdir(parents=True)
        closed = [home / locked, *(path for path in (home / locked).rglob("*"))]
        before = sorted(path.relative_to(home) for path in home.rglob("*"))
        with ordinary_user(home):
            for path in closed:
                path.chmod(0o555)
            with pytest.raises(FileError, match=r"permission denied.*everything is as it was"):
                install(RealMac(home), release())
            assert sorted(path.relative_to(home) for path in home.rglob("*")) == before
            for path in closed:
                path.chmod(0o755)
            install(RealMac(home), release())
            assert len(list(home.rglob("*"))) > len(before)
            uninstall(RealMac(home))
            assert sorted(path.relative_to(home) for path in home.rglob("*")) == before


def test_a_damaged_record_is_named(machine: FakeMachine) -> None:
    install(machine, release())
    path = machine.path(expand(machine, record.place(machine)))
    for text in ("", "[]", '{"form": 1}', '{"form": 99}', "null"):
        path.write_text(text)
        with pytest.raises(FileError, match=r"excel-install\.json: is damaged"):
            uninstall(machine)


def test_a_place_that_may_not_be_read(tmp_path: Path) -> None:
    machine = windows(tmp_path)
    machine.registry.denied.add(OPTIONS.lower())
    with pytest.raises(FileError, match="cannot be read"):
        install(machine, release())


@pytest.mark.parametrize("text", ["", "OPEN0", "OPEN01", "OPENED", "REOPEN", "OPEN-1"])
def test_other_values_are_no_entries(text: str) -> None:
    assert open_entries.entries({text: text_value("x.xlam")}) == []


@given(st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
def test_the_list_loads_the_same_others_with_us_gone(taken: set[int], later: set[int]) -> None:
    """Against a plain model of Excel: it reads from OPEN on until a number is missing."""

    def excel(values: dict[str, Value]) -> list[str]:
        found = []
        for number in range(100):
            value = values.get(f"OPEN{number}" if number else "OPEN")
            if value is None:
                break
            found.append(value.text)
        return found

    values = {open_entries.named(n): text_value(f"{n}.xlam") for n in taken}
    first = excel(values)
    listed = open_entries.entries(values)
    number = open_entries.first_free(listed)
    gap = open_entries.closes_a_gap(listed, number)
    values[open_entries.named(number)] = text_value("xl_rebal.xlam")
    assert "xl_rebal.xlam" in excel(values)
    if not gap:
        for n in sorted(later):  # Excel adds at the end of what it comes to
            values.setdefault(open_entries.named(len(excel(values))), text_value(f"later{n}.xlam"))
    loaded = [each for each in excel(values) if each != "xl_rebal.xlam"]
    (ours,) = open_entries.find(open_entries.entries(values), "xl_rebal.xlam")
    listed = open_entries.entries(values)
    for change in open_entries.removal("key", listed, ours, gap_before=gap):
        if isinstance(change, PutValue):
            values[change.name] = change.value
        else:
            assert isinstance(change, RemoveValue)
            del values[change.name]
    assert excel(values) == (first if gap else loaded)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        (r"%APPDATA%\x", r"C:\Users\Anna\AppData\Roaming\x"),
        (r"%userprofile%\100% sure", r"C:\Users\Anna\100% sure"),
        (r"%NOBODY%\x", r"%NOBODY%\x"),
        ("plain", "plain"),
    ],
)
def test_variables_in_places(tmp_path: Path, text: str, full: str) -> None:
    machine = windows(tmp_path)
    assert expand(machine, text) == full
    assert expand(machine, portable(machine, full)) == full
