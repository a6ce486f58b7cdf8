"""Puts the extension into a user's LibreOffice and tells it where xl_rebal's packages are.

`unopkg`, LibreOffice's own installer, adds and removes the extension. The place of the packages
stands in a file of the user's profile, never in the extension, which is the same for everybody.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import xl_rebal
from xl_rebal.errors import FileError
from xl_rebal.excel.hosts.calc import declarations
from xl_rebal.excel.hosts.calc.build import FILE_NAME, build_oxt
from xl_rebal.files import write_atomically

SETTINGS = "xl_rebal.json"
_LIMIT = 120.0  # seconds for one call of unopkg
_MAC = Path("/Applications/LibreOffice.app/Contents/MacOS")
_WINDOWS = Path("C:/Program Files/LibreOffice/program")


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A user's LibreOffice.

    unopkg   its extension installer
    version  as it prints it, such as 25.2.3
    profile  the user's profile folder, which holds the folder `user`
    own      whether the profile is where LibreOffice looks for it by itself
    """

    unopkg: Path
    version: str
    profile: Path
    own: bool

    @property
    def settings(self) -> Path:
        """The file that tells the extension where the packages are."""
        return self.profile / "user" / SETTINGS

    def command(self, *words: str) -> list[str]:
        """A call of unopkg for this profile."""
        profile = [] if self.own else [f"-env:UserInstallation={self.profile.resolve().as_uri()}"]
        return [str(self.unopkg), *words, *profile]


def install(profile: Path | None = None, *, dry_run: bool = False) -> list[str]:
    """Add the extension to the user's LibreOffice; what was done, or would be, line by line.

    profile  another profile folder than the user's own.
    """
    if not dry_run:
        _refuse_root()
    office = find_office(profile)
    say = "would " if dry_run else ""
    lines = [
        f"LibreOffice {office.version}: {office.unopkg}",
        f"{say}run: {' '.join(office.command('add', '--force', FILE_NAME))}",
        f"{say}write: {office.settings} (where the packages are: {', '.join(packages())})",
    ]
    if dry_run:
        return lines
    with tempfile.TemporaryDirectory(prefix="xl_rebal-") as folder:
        path = Path(folder) / FILE_NAME
        path.write_bytes(build_oxt())
        _run(office.command("add", "--force", str(path)))
    office.settings.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(office.settings, settings_bytes(), overwrite=True)
    return [*lines, "installed; restart LibreOffice, then try =REBAL_VERSION()"]


def uninstall(profile: Path | None = None, *, dry_run: bool = False) -> list[str]:
    """Remove the extension and its settings; what was done, or would be, line by line."""
    if not dry_run:
        _refuse_root()
    office = find_office(profile)
    say = "would " if dry_run else ""
    command = office.command("remove", declarations.IDENTIFIER)
    lines = [f"{say}run: {' '.join(command)}", f"{say}delete: {office.settings}"]
    if dry_run:
        return lines
    if declarations.IDENTIFIER in _run(office.command("list")):
        _run(command)
    else:
        lines[0] = "the extension is not installed"
    office.settings.unlink(missing_ok=True)
    return [*lines, "removed; restart LibreOffice"]


def packages() -> tuple[str, ...]:
    """The folders from which this Python imports xl_rebal and what it needs."""
    paths = sysconfig.get_paths()
    folders = (paths["purelib"], paths["platlib"], str(Path(xl_rebal.__file__).parents[1]))
    return tuple(dict.fromkeys(folders))


def settings_bytes() -> bytes:
    """The content of the settings file."""
    document = {
        "packages": packages(),
        "python": "{}.{}".format(*sys.version_info[:2]),
        "version": xl_rebal.__version__,
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def find_office(profile: Path | None = None) -> Office:
    """The user's LibreOffice; FileError when there is none or it is too old."""
    found = shutil.which("unopkg") or next(
        (str(p) for p in (_MAC / "unopkg", _WINDOWS / "unopkg.com") if p.exists()), None
    )
    if found is None:
        raise FileError.of(
            where="LibreOffice",
            what="is not found: there is no program unopkg",
            remedy=f"install LibreOffice {declarations.MINIMUM} or newer, or put its folder "
            "'program' on the PATH",
        )
    printed = _run([_soffice(Path(found)), "--version"])
    version = re.search(r"(\d+)\.(\d+)[\d.]*", printed)
    wanted = tuple(map(int, declarations.MINIMUM.split(".")))
    if version is None or (int(version[1]), int(version[2])) < wanted:
        raise FileError.of(
            where="LibreOffice",
            what=f"is {printed.strip()[:60] or 'of an unknown version'}",
            remedy=f"install {declarations.MINIMUM} or newer",
        )
    return Office(
        unopkg=Path(found),
        version=version[0].strip("."),
        profile=profile or _own_profile(),
        own=profile is None,
    )


def _soffice(unopkg: Path) -> str:
    """The program beside unopkg that tells LibreOffice's version; unopkg tells its own."""
    name = "soffice.com" if sys.platform == "win32" else "soffice"
    places = (unopkg.with_name(name), unopkg.resolve().with_name(name))
    return str(next((place for place in places if place.exists()), name))


def _own_profile() -> Path:
    if sys.platform == "win32":
        return Path(os.environ["APPDATA"]) / "LibreOffice" / "4"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "LibreOffice" / "4"
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "libreoffice" / "4"


def _refuse_root() -> None:
    """LibreOffice's unopkg refuses to run as root, and root's profile would serve nobody."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        raise FileError.of(
            where="LibreOffice",
            what="changes no extensions for the administrator (root)",
            remedy="run it as the user who works with LibreOffice; or run xl-rebal build calc "
            f"--out DIR, add {FILE_NAME} in LibreOffice under Tools > Extensions, and start "
            f"LibreOffice with PYTHONPATH={os.pathsep.join(packages())}",
        )


def _run(command: list[str]) -> str:
    """What a command prints; FileError when it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT,
            check=False,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FileError.of(
            where=Path(command[0]).name,
            what=f"cannot be run ({type(error).__name__})",
            remedy="close LibreOffice and try again",
        ) from error
    printed = done.stdout.decode(errors="replace")
    if done.returncode:
        raise FileError.of(
            where=" ".join([Path(command[0]).name, *command[1:2]]),
            what=f"failed: {' '.join(printed.split())[-300:] or f'exit {done.returncode}'}",
            remedy="close LibreOffice and try again",
        )
    return printed


def _environment() -> dict[str, str]:
    """Ours without what steers Python: unopkg runs LibreOffice's own."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
