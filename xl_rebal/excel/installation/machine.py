r"""What installing and diagnosing need of a computer: files, registry, programs, and its Python.

Everything goes through this, so that a made-up Windows and a made-up Mac prove it on any machine.
Places are texts as the system writes them (`C:\Users\Anna`); `path` leads from one to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

System = Literal["windows", "mac", "linux"]

# Kinds of registry values, by the numbers that Windows gives them.
REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A registry value: its kind (REG_…) and its data as winreg gives it."""

    kind: int
    data: str | int | bytes | list[str] | None

    @property
    def text(self) -> str:
        """The data of a text; of any other kind, nothing."""
        return self.data if isinstance(self.data, str) else ""


def text_value(text: str) -> Value:
    """A plain text (REG_SZ)."""
    return Value(kind=REG_SZ, data=text)


class Registry(Protocol):
    """The Windows registry. Keys begin with HKCU or HKLM; upper and lower case are the same."""

    def exists(self, key: str) -> bool: ...
    def keys(self, key: str) -> tuple[str, ...]:
        """The names of the keys inside; none where the key is absent."""
        ...

    def values(self, key: str) -> Mapping[str, Value]:
        """The values by name; none where the key is absent."""
        ...

    def make_key(self, key: str) -> None:
        """Make a key whose parent exists."""
        ...

    def put(self, key: str, name: str, value: Value) -> None:
        """Set a value of a key that exists."""
        ...

    def remove(self, key: str, name: str) -> None: ...
    def remove_key(self, key: str) -> None:
        """Remove a key that is empty."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """The Python that runs this, as the add-in will start it.

    version   such as (3, 11, 9)
    bits      64 or 32
    packages  the versions of what matters to the add-in; a name that is absent is not installed
    """

    executable: str
    prefix: str
    base_prefix: str
    version: tuple[int, int, int]
    bits: int
    packages: Mapping[str, str]


class Machine(Protocol):
    """A computer and the user who works at it."""

    @property
    def system(self) -> System: ...
    @property
    def home(self) -> str:
        """The user's own folder."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables; on Windows in capitals."""
        ...

    @property
    def registry(self) -> Registry: ...
    @property
    def python(self) -> Python: ...
    @property
    def narrow(self) -> str:
        """The encoding in which Excel's VBA reads text files."""
        ...

    def path(self, text: str) -> Path:
        """The file or folder that a text of this system names."""
        ...

    def write(self, text: str, data: bytes) -> None:
        """Put a file whole, over what is there."""
        ...

    def remove(self, text: str) -> None: ...
    def make_folder(self, text: str) -> None:
        """Make a folder whose parent exists."""
        ...

    def remove_folder(self, text: str) -> None:
        """Remove a folder that is empty."""
        ...

    def mark(self, text: str) -> str | None:
        """What the system noted about where a file came from; None where it noted nothing."""
        ...

    def run(self, *command: str) -> str | None:
        """What a program prints; None where it is missing, fails or takes too long."""
        ...

    def applescript(self) -> tuple[str, bytes] | None:
        """The name and text of the script with which the installed xlwings starts Python."""
        ...


def expand(machine: Machine, text: str) -> str:
    """A place with its %VARIABLES% (Windows) or its ~ (Mac) filled in; unknown ones stay."""
    if machine.system != "windows":
        return machine.home + text[1:] if text == "~" or text.startswith("~/") else text
    parts = text.split("%")
    for i in range(1, len(parts) - 1, 2):
        found = machine.variables.get(parts[i].upper())
        parts[i] = found if found is not None else f"%{parts[i]}%"
    if len(parts) % 2 == 0:  # an odd percent sign at the end stands for itself
        parts[-1] = "%" + parts[-1]
    return "".join(parts)


def portable(machine: Machine, text: str) -> str:
    r"""A place as it can be kept for another day or a roaming profile: `%APPDATA%\…`, `~/…`."""
    if machine.system != "windows":
        home = machine.home
        return "~" + text[len(home) :] if text.startswith(home + "/") else text
    for name in ("APPDATA", "USERPROFILE"):
        folder = machine.variables.get(name, "").rstrip("\\")
        if folder and text.lower().startswith(folder.lower() + "\\"):
            return f"%{name}%{text[len(folder) :]}"
    return text


def join(machine: Machine, *parts: str) -> str:
    """Parts of a place, joined as the system does."""
    separator = "\\" if machine.system == "windows" else "/"
    first, *others = parts
    return separator.join([first.rstrip(separator), *others])


def parent(machine: Machine, text: str) -> str:
    """The folder that holds a place."""
    return text.rpartition("\\" if machine.system == "windows" else "/")[0]


def name_of(text: str) -> str:
    """The last part of a place of either system."""
    return text.replace("\\", "/").rpartition("/")[2]


def same(machine: Machine, first: str, second: str) -> bool:
    """Whether two places are the same one; Windows and the Mac do not tell case apart."""
    if machine.system == "windows":
        first, second = (text.replace("/", "\\").rstrip("\\") for text in (first, second))
    return first.lower() == second.lower()


def is_cloud(text: str) -> bool:
    """Whether a place is an address such as https://firm.sharepoint.com/…"""
    return "://" in text


def in_onedrive(machine: Machine, text: str) -> bool:
    """Whether a place lies in a folder that OneDrive keeps in step with the cloud."""
    folders = [
        folder
        for name in ("ONEDRIVE", "ONEDRIVECOMMERCIAL", "ONEDRIVECONSUMER")
        if (folder := machine.variables.get(name, "").rstrip("\\/"))
    ]
    low = text.lower()
    if any(low.startswith(folder.lower() + "\\") for folder in folders):
        return True
    parts = low.replace("\\", "/").split("/")
    return any(part == "onedrive" or part.startswith(("onedrive -", "onedrive-")) for part in parts)


def excel_is_running(machine: Machine) -> bool | None:
    """Whether an Excel runs; None where the system would not tell."""
    if machine.system == "windows":
        # By whole paths: a bare name would be looked for in the current folder too.
        tasklist = join(
            machine, machine.variables.get("SYSTEMROOT", "C:"), r"System32\tasklist.exe"
        )
        printed = machine.run(tasklist, "/FI", "IMAGENAME eq EXCEL.EXE", "/FO", "CSV", "/NH")
        return None if printed is None else "excel.exe" in printed.lower()
    if machine.system == "mac":
        # pgrep fails where it finds nothing, so ask for all names instead.
        printed = machine.run("/bin/ps", "-axco", "command")
        names = [line.strip() for line in (printed or "").splitlines()]
        return None if printed is None else "Microsoft Excel" in names
    return False
