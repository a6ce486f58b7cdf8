"""The computer that we run on."""

from __future__ import annotations

import importlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from xl_rebal.excel.installation.machine import Python, Registry, System, Value
from xl_rebal.files import write_atomically

PACKAGES = ("xl-rebal", "xlwings", "pywin32", "appscript", "psutil", "pyOpenVBA")
_LIMIT = 20.0  # seconds for a program that is only asked something
_READ_ALSO_64 = 0x0100  # KEY_WOW64_64KEY: a 32-bit Python would see another HKLM


class ThisMachine:
    """This computer and the user who runs us."""

    def __init__(self) -> None:
        self.system: System = {"win32": "windows", "darwin": "mac"}.get(sys.platform, "linux")  # type: ignore[assignment]  # the three words are a System
        self.home = str(Path.home())
        self.variables: Mapping[str, str] = {
            (name.upper() if self.system == "windows" else name): value
            for name, value in os.environ.items()
        }
        self.narrow = "mbcs" if self.system == "windows" else "utf-8"
        self.python = Python(
            executable=sys.executable,
            prefix=sys.prefix,
            base_prefix=sys.base_prefix,
            version=sys.version_info[:3],
            bits=8 * struct.calcsize("P"),
            packages=_versions(),
        )

    @property
    def registry(self) -> Registry:
        """The registry of this Windows."""
        return WindowsRegistry(importlib.import_module("winreg"))

    def path(self, text: str) -> Path:
        return Path(text)

    def write(self, text: str, data: bytes) -> None:
        write_atomically(text, data, overwrite=True)

    def remove(self, text: str) -> None:
        Path(text).unlink()

    def make_folder(self, text: str) -> None:
        Path(text).mkdir()

    def remove_folder(self, text: str) -> None:
        Path(text).rmdir()

    def mark(self, text: str) -> str | None:
        if self.system == "windows":
            try:
                return Path(f"{text}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
            except PermissionError:
                raise
            except OSError:  # no such stream, or a file system without streams
                return None
        if self.system == "mac":
            return self.run("/usr/bin/xattr", "-p", "com.apple.quarantine", text)
        return None

    def run(self, *command: str) -> str | None:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def applescript(self) -> tuple[str, bytes] | None:
        found = find_spec("xlwings")  # looks, without importing it
        version = self.python.packages.get("xlwings")
        if found is None or found.origin is None or version is None:
            return None
        path = Path(found.origin).with_name(f"xlwings-{version}.applescript")
        return (path.name, path.read_bytes()) if path.is_file() else None


class WindowsRegistry:
    """The real registry, through Python's own winreg."""

    def __init__(self, winreg: ModuleType) -> None:
        self._winreg: Any = winreg

    def exists(self, key: str) -> bool:
        try:
            with self._open(key):
                return True
        except OSError:
            return False

    def keys(self, key: str) -> tuple[str, ...]:
        return tuple(self._all(key, lambda opened, i: str(self._winreg.EnumKey(opened, i))))

    def values(self, key: str) -> Mapping[str, Value]:
        found = self._all(key, lambda opened, i: self._winreg.EnumValue(opened, i))
        return {name: Value(kind=kind, data=data) for name, data, kind in found}

    def make_key(self, key: str) -> None:
        hive, path = self._split(key)
        self._winreg.CreateKeyEx(hive, path, 0, self._winreg.KEY_WRITE).Close()

    def put(self, key: str, name: str, value: Value) -> None:
        with self._open(key, self._winreg.KEY_SET_VALUE) as opened:
            self._winreg.SetValueEx(opened, name, 0, value.kind, value.data)

    def remove(self, key: str, name: str) -> None:
        with self._open(key, self._winreg.KEY_SET_VALUE) as opened:
            self._winreg.DeleteValue(opened, name)

    def remove_key(self, key: str) -> None:
        self._winreg.DeleteKey(*self._split(key))

    def _split(self, key: str) -> tuple[Any, str]:
        hive, _, path = key.partition("\\")
        names = {"HKCU": "HKEY_CURRENT_USER", "HKLM": "HKEY_LOCAL_MACHINE"}
        return getattr(self._winreg, names[hive]), path

    def _open(self, key: str, access: int | None = None) -> Any:
        hive, path = self._split(key)
        if access is None:
            access = self._winreg.KEY_READ
            if key.startswith("HKLM"):
                access |= _READ_ALSO_64
        return self._winreg.OpenKey(hive, path, 0, access)

    def _all(self, key: str, item: Callable[[Any, int], Any]) -> list[Any]:
        """Every item until winreg says that there are no more."""
        found: list[Any] = []
        try:
            opened = self._open(key)
        except FileNotFoundError:
            return found
        with opened:
            while True:
                try:
                    found.append(item(opened, len(found)))
                except OSError:
                    return found


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
