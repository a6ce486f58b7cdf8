"""The extension file and its installation: generated from the registry, the same everywhere."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

import xl_rebal
from xl_rebal.cli import excel_commands
from xl_rebal.errors import FileError
from xl_rebal.excel import registry
from xl_rebal.excel.hosts.calc import declarations
from xl_rebal.excel.hosts.calc.build import build_oxt
from xl_rebal.excel.hosts.calc.component import serve
from xl_rebal.excel.hosts.calc.install import (
    SETTINGS,
    install,
    packages,
    settings_bytes,
    uninstall,
)
from xl_rebal.excel.registry import Argument, Example, Returns, functions, worksheet_function


def contents() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(build_oxt())) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_same_bytes_twice_and_no_path_of_this_machine() -> None:
    assert build_oxt() == build_oxt()
    text = "".join(contents().values())
    for place in (*packages(), str(Path.cwd()), f"{Path.home()}{os.sep}"):
        assert place not in text
    with zipfile.ZipFile(io.BytesIO(build_oxt())) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def assert_in_every_part(function: registry.Function, parts: dict[str, str]) -> None:
    method = declarations.method_name(function)
    assert re.search(rf" {method}\(.*\);", parts["types.idl"])
    assert f'    "{method}": ("{function.name}", ' in parts[declarations.COMPONENT]
    tree = ET.fromstring(parts["CalcAddIns.xcu"])
    name = "{http://openoffice.org/2001/registry}name"
    node = next(n for n in tree.iter("node") if n.get(name) == method)
    texts = {p.get(name): (p.findtext("value") or "") for p in node.findall("prop")}
    assert texts["CompatibilityName"] == texts["DisplayName"] == function.name
    assert function.summary in texts["Description"]
    described = [
        {p.get(name): p.findtext("value") for p in n.findall("prop")}
        for n in node.findall("node/node")
    ]
    assert described == [{"DisplayName": a.name, "Description": a.help} for a in function.arguments]


@pytest.mark.parametrize("function", functions(), ids=lambda f: f.name)
def test_every_function_is_in_every_part(function: registry.Function) -> None:
    assert_in_every_part(function, contents())


@pytest.fixture
def declared_on_the_fly() -> Iterator[registry.Function]:
    functions()  # the real ones come first

    @worksheet_function(
        "REBAL_ON_THE_FLY",
        arguments=(Argument(name="in_any_case", help='A "range" & <more>.', optional=True),),
        returns=Returns.CELL,
        description="It fails.",
        example=Example(formula="=REBAL_ON_THE_FLY(1)", result="1"),
    )
    def rebal_on_the_fly(in_any_case: object) -> float:
        """One declaration and one body."""
        raise ZeroDivisionError("sure")

    yield registry.function("REBAL_ON_THE_FLY")
    del registry._FUNCTIONS["REBAL_ON_THE_FLY"]


def test_a_new_function_is_in_every_part(declared_on_the_fly: registry.Function) -> None:
    assert_in_every_part(declared_on_the_fly, contents())


def test_no_exception_leaves(declared_on_the_fly: registry.Function) -> None:
    assert serve(declared_on_the_fly.name, (1.0,)) == (
        "#REBAL! REBAL_ON_THE_FLY: stopped on a fault of its own (ZeroDivisionError: sure); "
        "report it, with the cells that it was given"
    )
    answer = serve("REBAL_DRIFT", (object(),))  # a value that no Calc hands over
    assert isinstance(answer, tuple)
    assert str(answer[0][0]).startswith("#REBAL! REBAL_DRIFT: stopped on a fault of its own (Attr")
    unknown = serve("REBAL_NOT_YET", ())
    assert isinstance(unknown, tuple)
    assert "run xl-rebal install calc" in str(unknown[0][0])


def test_the_parts_agree_on_names() -> None:
    parts = contents()
    component = parts[declarations.COMPONENT]
    assert f'SERVICE = "{declarations.SERVICE}"\n' in component
    assert f'SETTINGS = "{SETTINGS}"' in component
    assert f"from {declarations.MODULE} import {declarations.INTERFACE} " in component
    for name in ("types.idl", "CalcAddIns.xcu", declarations.COMPONENT):
        assert f'full-path="{name}"' in parts["META-INF/manifest.xml"]
    assert f'<version value="{xl_rebal.__version__}"/>' in parts["description.xml"]


# -- installation --------------------------------------------------------------------------------

UNOPKG = """#!/bin/sh
echo "unopkg $*" >> "$FAKE_LOG"
case "$1" in
list) cat "$FAKE_LOG" ;;
add) test -f "$3" || exit 1; if [ -n "$FAKE_FAILS" ]; then echo "it is locked"; exit 1; fi ;;
esac
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LibreOffice that writes down what it is asked for, a home, and an ordinary user."""
    if os.name != "posix":
        pytest.skip("the pretended LibreOffice is a shell script")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in (
        ("unopkg", UNOPKG),
        ("soffice", '#!/bin/sh\necho "LibreOffice $FAKE_VERSION"'),
    ):
        (programs / name).write_text(script)
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("FAKE_VERSION", "25.2.3.2")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


def test_installing_and_removing(office: Path) -> None:
    settings = office / "config" / "libreoffice" / "4" / "user" / SETTINGS
    assert "restart LibreOffice" in install()[-1]
    log = (office / "log").read_text()
    assert re.fullmatch(r"unopkg add --force \S+/xl_rebal\.oxt\n", log)
    assert settings.read_bytes() == settings_bytes()
    install()  # again, for a newer version
    (office / "log").write_text(f"{declarations.IDENTIFIER}\n")
    uninstall()
    assert f"unopkg remove {declarations.IDENTIFIER}\n" in (office / "log").read_text()
    assert not settings.exists()


def test_another_profile(office: Path) -> None:
    install(office / "profile")
    uri = (office / "profile").as_uri()
    assert f" -env:UserInstallation={uri}\n" in (office / "log").read_text()
    assert (office / "profile" / "user" / SETTINGS).exists()


def test_dry_runs_say_what_they_would_do_and_do_nothing(office: Path) -> None:
    text = "\n".join(install(dry_run=True))
    assert "would run: " in text
    assert "add --force xl_rebal.oxt" in text
    assert f"would write: {office / 'config'}" in text
    text = "\n".join(uninstall(dry_run=True))
    assert f"remove {declarations.IDENTIFIER}" in text
    assert not (office / "log").exists()
    assert not (office / "config").exists()


def test_what_stops_an_installation_is_told(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("FAKE_FAILS", "1")
        with pytest.raises(FileError, match="unopkg add: failed: it is locked; close LibreOffice"):
            install()
    with monkeypatch.context() as patch:
        patch.setenv("FAKE_VERSION", "7.4.7.2")
        with pytest.raises(FileError, match=r"is LibreOffice 7\.4\.7\.2; install 25\.2 or newer"):
            install()
    with monkeypatch.context() as patch:
        patch.setattr("os.geteuid", lambda: 0)
        with pytest.raises(FileError, match="Tools > Extensions"):
            install()
    assert not (office / "config").exists()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileError, match="no program unopkg"):
        install()


def test_the_commands(office: Path) -> None:
    app = typer.Typer()
    excel_commands.register(app)
    out = office / "out"
    run = CliRunner().invoke
    assert "xl_rebal.oxt" in run(app, ["build", "calc", "--out", str(out)]).output
    assert (out / "xl_rebal.oxt").read_bytes() == build_oxt()
    again = run(app, ["build", "calc", "--out", str(out)])
    assert isinstance(again.exception, FileError)
    assert run(app, ["build", "calc", "--out", str(out), "--overwrite"]).exit_code == 0
    assert "would run" in run(app, ["install", "calc", "--dry-run"]).output
    assert '"done": false' in run(app, ["uninstall", "calc", "--dry-run", "--json"]).output
