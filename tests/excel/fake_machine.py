"""A made-up Windows and a made-up Mac: files in a folder, a registry in memory, set answers.

Strict where the real ones are: a key or folder has to exist before something is put into it, only what
is empty can be removed, what is absent cannot be deleted. `fail_at=n` makes the n-th change fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xl_rebal import __version__
from xl_rebal.excel.installation.machine import Python, System, Value

XLWINGS = "0.37.8"
OFFICE = r"Software\Microsoft\Office"


class FakeRegistry:
    """Keys by their lower-case path; hives are there."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine
        self.kept: dict[str, tuple[str, dict[str, Value]]] = {
            "hkcu": ("HKCU", {}),
            "hklm": ("HKLM", {}),
        }
        self.denied: set[str] = set()

    def plant(self, key: str, **values: Value) -> None:
        """Make a key with all above it, and set values: what was there before we came."""
        path = ""
        for part in key.split("\\"):
            path = f"{path}\\{part}" if path else part
            self.kept.setdefault(path.lower(), (path, {}))
        self.kept[key.lower()][1].update(values)

    def dump(self) -> dict[str, dict[str, Value]]:
        return {path: dict(values) for path, values in self.kept.values()}

    def exists(self, key: str) -> bool:
        self._look(key)
        return key.lower() in self.kept

    def keys(self, key: str) -> tuple[str, ...]:
        self._look(key)
        inside = key.lower() + "\\"
        return tuple(
            path.rpartition("\\")[2]
            for low, (path, _) in self.kept.items()
            if low.startswith(inside) and "\\" not in low[len(inside) :]
        )

    def values(self, key: str) -> Mapping[str, Value]:
        self._look(key)
        return dict(self.kept.get(key.lower(), ("", {}))[1])

    def make_key(self, key: str) -> None:
        self._machine.change(key)
        if key.rpartition("\\")[0].lower() not in self.kept:
            raise FileNotFoundError(key)
        self.kept[key.lower()] = (key, {})

    def put(self, key: str, name: str, value: Value) -> None:
        self._machine.change(key)
        values = self.kept[key.lower()][1]
        values[next((n for n in values if n.lower() == name.lower()), name)] = value

    def remove(self, key: str, name: str) -> None:
        self._machine.change(key)
        if name not in self.kept[key.lower()][1]:
            raise FileNotFoundError(name)
        del self.kept[key.lower()][1][name]

    def remove_key(self, key: str) -> None:
        self._machine.change(key)
        if self.keys(key) or self.kept[key.lower()][1]:
            raise PermissionError(key)
        del self.kept[key.lower()]

    def _look(self, key: str) -> None:
        if key.lower() in self.denied:
            raise PermissionError(13, "Access is denied", key)


@dataclass
class FakeMachine:
    """A computer below one folder."""

    root: Path
    system: System
    home: str
    variables: dict[str, str]
    python: Python
    narrow: str = "cp1252"
    answers: dict[str, str | None] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    script: tuple[str, bytes] | None = None
    fail_at: int | None = None
    changes: int = 0

    def __post_init__(self) -> None:
        self.registry = FakeRegistry(self)

    def path(self, text: str) -> Path:
        if self.system == "windows":
            text = text.replace("\\", "/").replace(":", "")
        return self.root / text.strip("/")

    def change(self, what: str) -> None:
        self.changes += 1
        if self.fail_at is not None and self.changes == self.fail_at:
            raise PermissionError(13, "Permission denied", what)

    def write(self, text: str, data: bytes) -> None:
        self.change(text)
        path = self.path(text)
        if not path.parent.is_dir():
            raise FileNotFoundError(text)
        path.write_bytes(data)

    def remove(self, text: str) -> None:
        self.change(text)
        self.path(text).unlink()

    def make_folder(self, text: str) -> None:
        self.change(text)
        self.path(text).mkdir()

    def remove_folder(self, text: str) -> None:
        self.change(text)
        self.path(text).rmdir()

    def mark(self, text: str) -> str | None:
        return self.marks.get(text)

    def run(self, *command: str) -> str | None:
        return self.answers.get(command[0].replace("\\", "/").rpartition("/")[2])

    def applescript(self) -> tuple[str, bytes] | None:
        return self.script

    def put(self, text: str, data: bytes = b"") -> Path:
        """A file that was there before we came."""
        path = self.path(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def picture(self) -> tuple[dict[str, bytes | None], dict[str, dict[str, Value]]]:
        """Every file, folder, registry key and value."""
        tree = {
            path.relative_to(self.root).as_posix(): path.read_bytes() if path.is_file() else None
            for path in self.root.rglob("*")
        }
        return tree, self.registry.dump()


def windows(root: Path, *, user: str = "Anna", office: tuple[str, ...] = ("16.0",)) -> FakeMachine:
    """Windows with a 64-bit Excel and a virtual environment that holds xlwings and its library."""
    home = rf"C:\Users\{user}"
    environment = rf"{home}\xl_rebal\.venv"
    machine = FakeMachine(
        root=root,
        system="windows",
        home=home,
        variables={
            "USERPROFILE": home,
            "APPDATA": rf"{home}\AppData\Roaming",
            "SYSTEMROOT": r"C:\Windows",
        },
        python=python(
            rf"{environment}\Scripts\python.exe", environment, r"C:\Program Files\Python311"
        ),
        answers={
            "tasklist.exe": "INFO: No tasks are running which match the specified criteria.\r\n"
        },
    )
    machine.path(rf"{home}\AppData\Roaming\Microsoft").mkdir(parents=True)
    machine.path(rf"{home}\Documents").mkdir()
    machine.put(machine.python.executable)
    machine.put(rf"{environment}\xlwings64-{XLWINGS}.dll")
    for version in office:
        machine.registry.plant(rf"HKCU\{OFFICE}\{version}\Excel\Options")
    machine.registry.plant(
        rf"HKLM\{OFFICE}\ClickToRun\Configuration", Platform=Value(kind=1, data="x64")
    )
    return machine


def mac(root: Path, *, user: str = "anna") -> FakeMachine:
    """A Mac on which Excel has run once."""
    home = f"/Volumes/Home/{user}"
    environment = f"{home}/xl_rebal/.venv"
    machine = FakeMachine(
        root=root,
        system="mac",
        home=home,
        variables={"HOME": home},
        python=python(f"{environment}/bin/python", environment, "/opt/python3.11"),
        narrow="utf-8",
        answers={"ps": "COMM\nlaunchd\nFinder\n"},
        script=(f"xlwings-{XLWINGS}.applescript", b"on VbaHandler(ParameterString)\n"),
    )
    machine.path(f"{home}/Library/Containers/com.microsoft.Excel/Data").mkdir(parents=True)
    machine.path(f"{home}/Library/Application Scripts").mkdir()
    machine.path(f"{home}/Library/Group Containers/UBF8T346G9.Office").mkdir(parents=True)
    machine.put(machine.python.executable)
    return machine


def python(executable: str, prefix: str, base_prefix: str) -> Python:
    return Python(
        executable=executable,
        prefix=prefix,
        base_prefix=base_prefix,
        version=(3, 11, 9),
        bits=64,
        packages={
            "xl-rebal": __version__,
            "xlwings": XLWINGS,
            "pywin32": "308",
            "appscript": "1.3",
        },
    )
