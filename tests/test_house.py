"""Rules of the house that no linter knows: names, sizes, what must not stand in a file."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import xl_rebal

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "xl_rebal"
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
# Made by tools or by running the product, never committed (.gitignore).
NOT_OURS = {"build", "dist", "demo", "__pycache__"}
OURS_WITH_A_DOT = {".ci", ".gitignore", ".gitattributes", ".pre-commit-config.yaml"}

# In pieces, so that this file does not contain what it looks for.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.\-/\\])/(wo" + r"rk|ro" + r"ot|farm|Users|home)/\w",
    "a package registry's address": r"pypi\.(?:org|python)|files\.python" + r"hosted|deb\.deb"
    r"ian\.org|archive\.ubu" + r"ntu\.com|registry\.npm" + "js",
    "a licence key": r"(?i)XLWINGS_LICENSE_KEY\s*[=:]|non" + "commercial",
}


def our_files() -> Iterator[Path]:
    for folder, folders, files in os.walk(PROJECT):
        top = Path(folder) == PROJECT
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or (top and name in OURS_WITH_A_DOT))
        ]
        for name in files:
            if not name.startswith(".") or name in OURS_WITH_A_DOT:
                yield Path(folder, name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_a_module_has_a_telling_name_and_a_readable_size(path: Path) -> None:
    names = set(path.relative_to(PACKAGE).with_suffix("").parts)
    assert not names & NAMES_THAT_SAY_NOTHING
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 500, f"{lines} lines: would a newcomer guess what is in it?"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in our_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a workbook
        found += [
            f"{path.relative_to(PROJECT)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), start=1)
            if pattern.search(line)
        ]
    assert not found, "\n".join(found)


def test_the_version_stands_once() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "xl_rebal/__init__.py"
    assert version("xl-rebal") == xl_rebal.__version__, "run 'make dev' after a new version"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import xl_rebal; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert "xl_rebal" in loaded
    assert not {"numpy", "pandas", "openpyxl", "xlwings", "typer", "rich"} & set(loaded)


def test_public_names_exist() -> None:
    for name in xl_rebal.__all__:
        assert getattr(xl_rebal, name) is not None
    assert set(xl_rebal.__all__) <= set(dir(xl_rebal))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = xl_rebal.no_such_name


def test_the_readme_begins_with_the_two_commands() -> None:
    first_screen = (PROJECT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    for command in ("make demo", "make test"):
        assert any(line.startswith(command) for line in first_screen)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_has_hashes_no_addresses_and_every_dependency(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert "--index-url" not in text
    assert "://" not in text
    entries = re.findall(r"^([A-Za-z0-9._-]+)==(.*(?:\n .*)*)", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in rest for _, rest in entries)
    locked = {name.lower().replace("_", "-") for name, _ in entries}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    if "dev" in lock:
        needed = needed + project["project"]["optional-dependencies"]["dev"]
    names = {re.split(r"[\[<>=~! ]", text)[0].lower().replace("_", "-") for text in needed}
    assert names <= locked, "run 'make lock'"


def test_tests_cannot_use_the_network() -> None:
    with socket.socket() as line, pytest.raises(RuntimeError, match="must not use the network"):
        line.connect(("192.0.2.1", 80))  # an address for documentation
