"""The real computer behind the installer: files and programs here, the registry through a model of winreg."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from xl_rebal.errors import FileError
from xl_rebal.excel.installation import this_machine
from xl_rebal.excel.installation.changes import (
    Change,
    MakeFolder,
    MakeKey,
    PutFile,
    PutValue,
    RemoveFile,
    RemoveFolder,
    RemoveKey,
    RemoveValue,
    apply,
    describe,
    missing_keys,
)
from xl_rebal.excel.installation.machine import REG_DWORD, REG_SZ, Value, text_value
from xl_rebal.excel.installation.this_machine import ThisMachine, WindowsRegistry


class WinregModel(ModuleType):
    """winreg as its documentation has it: handles, OSError past the end, errors for what is absent."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE = 1, 2
    KEY_READ, KEY_WRITE, KEY_SET_VALUE = 0x20019, 0x20006, 0x0002

    def __init__(self) -> None:
        super().__init__("winreg")
        self.tree: dict[tuple[int, str], dict[str, tuple[Any, int]]] = {(1, ""): {}, (2, ""): {}}
        self.asked: list[int] = []

    def OpenKey(self, hive: int, path: str, reserved: int, access: int) -> Any:
        assert reserved == 0
        self.asked.append(access)
        if (hive, path.lower()) not in self.tree:
            raise FileNotFoundError(2, "The system cannot find the file specified", path)
        return _Handle(hive, path.lower(), access)

    def CreateKeyEx(self, hive: int, path: str, reserved: int, access: int) -> Any:
        assert reserved == 0
        self.tree.setdefault((hive, path.lower()), {})
        return _Handle(hive, path.lower(), access)

    def EnumKey(self, key: Any, index: int) -> str:
        inside = key.path + "\\" if key.path else ""
        names = [
            path[len(inside) :]
            for hive, path in self.tree
            if hive == key.hive and path.startswith(inside) and path != key.path
        ]
        names = [name for name in names if "\\" not in name]
        if index >= len(names):
            raise OSError(259, "No more data is available")
        return names[index]

    def EnumValue(self, key: Any, index: int) -> tuple[str, Any, int]:
        values = list(self.tree[key.hive, key.path].items())
        if index >= len(values):
            raise OSError(259, "No more data is available")
        name, (data, kind) = values[index]
        return name, data, kind

    def SetValueEx(self, key: Any, name: str, reserved: int, kind: int, data: Any) -> None:
        assert reserved == 0
        assert key.access & self.KEY_SET_VALUE, "opened for reading only"
        self.tree[key.hive, key.path][name] = (data, kind)

    def DeleteValue(self, key: Any, name: str) -> None:
        assert key.access & self.KEY_SET_VALUE, "opened for reading only"
        if name not in self.tree[key.hive, key.path]:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        del self.tree[key.hive, key.path][name]

    def DeleteKey(self, hive: int, path: str) -> None:
        if any(h == hive and p.startswith(path.lower() + "\\") for h, p in self.tree):
            raise PermissionError(5, "Access is denied")
        del self.tree[hive, path.lower()]


class _Handle(SimpleNamespace):
    def __init__(self, hive: int, path: str, access: int) -> None:
        super().__init__(hive=hive, path=path, access=access)

    def __enter__(self) -> _Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.Close()

    def Close(self) -> None:
        self.access = 0


def test_the_registry_reads_and_writes_through_winreg() -> None:
    winreg = WinregModel()
    registry = WindowsRegistry(winreg)
    key = r"HKCU\Software\Microsoft\Office\16.0\Excel\Options"
    assert not registry.exists(key)
    assert registry.values(key) == {}
    assert registry.keys(key) == ()
    machine = ThisMachine()
    machine_with_registry: Any = _With(machine, registry)
    changes: list[Change] = [
        *missing_keys(machine_with_registry, key),
        PutValue(key=key, name="OPEN", value=text_value("a.xlam")),
        PutValue(key=key, name="Number", value=Value(kind=REG_DWORD, data=3)),
    ]
    apply(machine_with_registry, changes)
    assert registry.values(key) == {
        "OPEN": Value(kind=REG_SZ, data="a.xlam"),
        "Number": Value(kind=REG_DWORD, data=3),
    }
    assert registry.keys(r"HKCU\Software\Microsoft\Office") == ("16.0",)
    apply(
        machine_with_registry,
        [
            RemoveValue(key=key, name="OPEN"),
            RemoveValue(key=key, name="Number"),
            *(RemoveKey(key=each.key) for each in reversed(changes) if isinstance(each, MakeKey)),
        ],
    )
    assert winreg.tree == {(1, ""): {}, (2, ""): {}}


def test_the_computers_own_keys_are_read_as_64_bit() -> None:
    winreg = WinregModel()
    WindowsRegistry(winreg).values(r"HKLM\Software")
    WindowsRegistry(winreg).values(r"HKCU\Software")
    assert winreg.asked[0] & 0x0100  # else a 32-bit Python sees a registry of its own
    assert not winreg.asked[1] & 0x0100


class _With:
    """This computer with another registry."""

    def __init__(self, machine: ThisMachine, registry: WindowsRegistry) -> None:
        self._machine, self.registry = machine, registry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)


def test_the_registry_of_windows_comes_from_winreg(monkeypatch: pytest.MonkeyPatch) -> None:
    winreg = WinregModel()
    winreg.tree[1, "software"] = {"x": ("y", REG_SZ)}
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    assert ThisMachine().registry.values(r"HKCU\Software")["x"].text == "y"


def test_files_and_folders_are_made_and_taken_back(tmp_path: Path) -> None:
    machine = ThisMachine()
    folder = str(tmp_path / "a")
    blocked = tmp_path / "file"
    blocked.write_bytes(b"in the way of a folder")
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(FileError, match=r"everything is as it was"):
        apply(
            machine,
            [
                MakeFolder(path=folder),
                PutFile(path=f"{folder}/new", data=b"new"),
                PutFile(path=str(tmp_path / "old"), data=b"changed"),
                RemoveFile(path=str(tmp_path / "old")),
                RemoveFile(path=f"{folder}/new"),
                RemoveFolder(path=folder),
                PutFile(path=str(blocked / "x"), data=b""),
            ],
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_what_cannot_be_taken_back_is_named(tmp_path: Path) -> None:
    class Stubborn(ThisMachine):
        def remove(self, text: str) -> None:
            raise PermissionError(13, "Permission denied", text)

    with pytest.raises(FileError, match=r"could not be taken back: delete: .*one"):
        apply(
            Stubborn(),
            [
                PutFile(path=str(tmp_path / "one"), data=b"1"),
                RemoveFolder(path=str(tmp_path / "no")),
            ],
        )


def test_every_change_has_words() -> None:
    for change in (
        MakeFolder(path="p"),
        RemoveFolder(path="p"),
        PutFile(path="p", data=b""),
        RemoveFile(path="p"),
        MakeKey(key="p"),
        RemoveKey(key="p"),
        PutValue(key="p", name="n", value=text_value("v")),
        RemoveValue(key="p", name="n"),
    ):
        assert "p" in describe(change)


def test_programs_answer_or_not() -> None:
    machine = ThisMachine()
    assert machine.run(sys.executable, "-c", "print('hello')") == "hello\n"
    assert machine.run(sys.executable, "-c", "raise SystemExit(3)") is None
    assert machine.run("no-such-program-at-all") is None


def test_a_program_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "_LIMIT", 0.2)
    assert ThisMachine().run(sys.executable, "-c", "import time; time.sleep(30)") is None


def test_marks_are_read_from_the_stream_or_the_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = ThisMachine()
    path = tmp_path / "x.xlam"
    machine.system = "windows"  # on this file system the stream is a file of that name
    assert machine.mark(str(path)) is None
    (tmp_path / "x.xlam:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    assert "ZoneId=3" in (machine.mark(str(path)) or "")
    machine.system = "mac"
    asked: list[tuple[str, ...]] = []

    def run(*command: str) -> str:
        asked.append(command)
        return "0081;"

    monkeypatch.setattr(machine, "run", run)
    assert machine.mark(str(path)) == "0081;"
    assert asked == [("/usr/bin/xattr", "-p", "com.apple.quarantine", str(path))]
    machine.system = "linux"
    assert machine.mark(str(path)) is None


def test_the_script_is_that_of_the_installed_xlwings() -> None:
    name, data = ThisMachine().applescript() or ("", b"")
    assert name == f"xlwings-{ThisMachine().python.packages['xlwings']}.applescript"
    assert b"VbaHandler" in data
