"""`build`, `install excel`, `doctor`: files appear, nothing is overwritten unasked, all can be undone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Run
from tests.excel.fake_machine import FakeMachine, mac, windows
from xl_rebal import __version__
from xl_rebal.cli.commands import app
from xl_rebal.errors import FileError
from xl_rebal.excel.hosts.calc import install as calc
from xl_rebal.excel.installation import this_machine
from xl_rebal.excel.templates import build_templates

ROOT = Path(__file__).parents[2]


def test_build_templates_writes_what_is_committed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", "templates", "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0
    paths = [Path(path) for path in json.loads(result.stdout)["files"]]
    assert [path.name for path in paths] == [
        "portfolio.xltx",
        "backtest_lab.xltx",
        "household_tax.xltx",
        "adviser_book.xltx",
    ]
    for path in paths:
        assert path.read_bytes() == (ROOT / "workbook_templates" / path.name).read_bytes()
    assert build_templates(ROOT / "workbook_templates", check=True) == []


def test_a_template_that_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "portfolio.xltx").write_text("mine")
    result = CliRunner().invoke(app, ["build", "templates", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert (tmp_path / "portfolio.xltx").read_text() == "mine"


def test_build_calc_writes_the_extension(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", "calc", "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert (tmp_path / "xl_rebal.oxt").stat().st_size > 0


def test_build_release_writes_the_zip_and_tells_its_checksum(tmp_path: Path) -> None:
    arguments = ["build", "release", "--out", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    (path,) = map(Path, document["files"])
    assert path == tmp_path / f"xl_rebal-{__version__}.zip"
    assert document["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert CliRunner().invoke(app, arguments).exit_code == 1  # it exists
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0


@pytest.fixture(params=[windows, mac])
def computer(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FakeMachine:
    machine: FakeMachine = request.param(tmp_path / "computer")
    monkeypatch.setattr(this_machine, "ThisMachine", lambda: machine)
    return machine


def test_install_doctor_and_uninstall_excel(
    computer: FakeMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calc, "find_office", _no_office)
    runner = CliRunner()
    assert runner.invoke(app, ["doctor"]).exit_code == 1
    before = computer.picture()
    runner.invoke(app, ["build", "release", "--out", str(tmp_path)])
    package = str(tmp_path / f"xl_rebal-{__version__}.zip")
    result = runner.invoke(app, ["install", "excel", "--from", package, "--dry-run", "--json"])
    document = json.loads(result.stdout)
    assert document["done"] is False
    assert any(step.startswith("would write:") for step in document["steps"])
    assert computer.picture() == before
    assert "came from the internet" not in result.stdout
    computer.marks[package] = "[ZoneTransfer]\nZoneId=3\n"
    result = runner.invoke(app, ["install", "excel", "--from", package])
    assert result.exit_code == 0
    digest = hashlib.sha256(Path(package).read_bytes()).hexdigest()
    assert (
        "came from the internet, and what is installed no longer says so: compare its SHA-256 "
        in result.stdout
    )
    assert digest in result.stdout
    assert computer.picture() != before
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.stdout
    checks = json.loads(result.stdout)["checks"]
    assert {each["state"] for each in checks} <= {"ok", "not applicable"}
    assert "No fault." in runner.invoke(app, ["doctor"]).stdout
    result = runner.invoke(app, ["uninstall", "excel", "--json"])
    assert json.loads(result.stdout)["done"] is True
    assert computer.picture() == before


def test_on_linux_install_excel_says_what_there_is_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xl: Run
) -> None:
    machine = mac(tmp_path)
    machine.system = "linux"
    monkeypatch.setattr(this_machine, "ThisMachine", lambda: machine)
    ran = xl("install", "excel")
    assert ran.code == 1
    assert "xl-rebal build release" in ran.err
    assert "xl-rebal install calc" in ran.err
    assert xl("uninstall", "excel").code == 1


def test_a_doctor_on_this_computer_never_breaks_down(xl: Run) -> None:
    ran = xl("doctor", "--json")
    names = [each["name"] for each in json.loads(ran.out)["checks"]]
    assert ran.code in (0, 1)
    assert {"python", "xlwings", "add-in", "libreoffice"} <= set(names)


def _no_office() -> None:
    raise FileError.of(where="LibreOffice", what="is not found", remedy="install it")
