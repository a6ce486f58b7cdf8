r"""The user's settings file of the add-in, in xlwings' form: lines of `"NAME","value"`.

VBA reads it: %USERPROFILE%\.xl_rebal\xl_rebal.conf on Windows, inside Excel's container on the Mac.
Lines that are not ours stay to the byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xl_rebal.errors import FileError
from xl_rebal.excel.installation.machine import Machine, join, name_of, parent

NAME = "xl_rebal.conf"
_LINE = re.compile(
    rb'^[ \t]*"([^"\r\n]*)"[ \t]*,[ \t]*"?([^"\r\n]*)"?[^\r\n]*(?:\r\n|\r|\n|$)', re.M
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A line that we wrote, and the line that stood there before (empty: there was none).

    Both are whole lines with their end, as latin-1 text of the bytes, so that they can be put back
    exactly.
    """

    name: str
    line: str
    before: str


def place(machine: Machine) -> str:
    """Where the add-in looks for the file."""
    if machine.system == "windows":
        profile = machine.variables.get("USERPROFILE", machine.home)
        return join(machine, profile, ".xl_rebal", NAME)
    return join(machine, machine.home, "Library/Containers/com.microsoft.Excel/Data", NAME)


def read(machine: Machine, data: bytes) -> dict[str, str]:
    """The settings by name in capitals; the first of a name counts, as it does for the add-in."""
    found: dict[str, str] = {}
    for match in _LINE.finditer(data):
        name = match[1].decode(machine.narrow, errors="replace").upper()
        found.setdefault(name, match[2].decode(machine.narrow, errors="replace"))
    return found


def wanted(machine: Machine) -> dict[str, str | None]:
    """The settings that make the add-in start this Python; None: a setting that must be blank."""
    if machine.system == "mac":
        return {"INTERPRETER_MAC": machine.python.executable}
    # The add-in wants the whole path of the interpreter, in a conda environment too.
    conda = conda_environment(machine) or (None, None)
    return {
        "INTERPRETER_WIN": machine.python.executable,
        "CONDA PATH": conda[0],
        "CONDA ENV": conda[1],
    }


def conda_environment(machine: Machine) -> tuple[str, str] | None:
    """The folder of conda and the environment's name or place, if this Python is one of conda's."""
    prefix = machine.python.prefix.rstrip("\\/")
    if not machine.path(join(machine, prefix, "conda-meta")).is_dir():
        return None
    root = machine.variables.get("CONDA_EXE", "")
    root = parent(machine, parent(machine, root)) if root else ""
    above = parent(machine, prefix)
    if not root:
        root = parent(machine, above) if name_of(above).lower() == "envs" else prefix
    if prefix.lower() == root.lower():
        return root, "base"
    if above.lower() == join(machine, root, "envs").lower():
        return root, name_of(prefix)
    return root, prefix


def write(
    machine: Machine, data: bytes, settings: dict[str, str | None]
) -> tuple[bytes, list[Setting]]:
    """The file with these settings, and what was changed for it."""
    changed = []
    end = b"\r\n" if machine.system == "windows" else b"\n"
    for name, value in settings.items():
        old = next((m for m in _LINE.finditer(data) if _is(m, name)), None)
        if old is None and value is None:
            continue
        new = _encoded(machine, name, value or "") + (_line_end(old[0]) if old else end)
        if old is None:
            if data and not data.endswith((b"\n", b"\r")):
                new = end + new
            data = data + new
        elif old[2] == (value or "").encode(machine.narrow):
            continue
        else:
            data = data[: old.start()] + new + data[old.end() :]
        before = old[0] if old else b""
        changed.append(
            Setting(name=name, line=new.decode("latin-1"), before=before.decode("latin-1"))
        )
    return data, changed


def take_back(data: bytes, changed: list[Setting]) -> tuple[bytes, list[str]]:
    """The file without our lines; and the names of those that somebody has changed since."""
    kept = []
    for setting in reversed(changed):
        line, before = setting.line.encode("latin-1"), setting.before.encode("latin-1")
        if data.count(line) == 1:
            data = data.replace(line, before)
        elif any(_is(m, setting.name) for m in _LINE.finditer(data)):
            kept.append(setting.name)
    return data, kept


def _is(match: re.Match[bytes], name: str) -> bool:
    return match[1].decode("latin-1").upper() == name


def _line_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _encoded(machine: Machine, name: str, value: str) -> bytes:
    try:
        if '"' in value or "\n" in value:
            raise UnicodeError("a quotation mark or a line end inside")
        encoded = value.encode(machine.narrow, errors="strict")
        if encoded.decode(machine.narrow) != value:
            raise UnicodeError("letters that were replaced")
    except UnicodeError as error:
        raise FileError.of(
            where=value,
            what="holds letters that Excel's VBA cannot read in this Windows' code page",
            remedy="make an environment in a folder of plain letters, such as "
            r"py -m venv C:\xl_rebal, install xl-rebal there and run it from there",
        ) from error
    return f'"{name}","'.encode() + encoded + b'"'
