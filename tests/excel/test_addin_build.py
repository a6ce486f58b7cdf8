"""xl_rebal.xlam as a file: what it holds, that others read the same back, the same bytes twice."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyopenvba
import pytest
from lxml import etree
from pyopenvba.cfb import CFB
from pyopenvba.vba import decompress
from typer.testing import CliRunner

from tests.excel import built
from tests.excel.vba_run import module_sources
from xl_rebal import __version__
from xl_rebal.cli.commands import app
from xl_rebal.errors import FileError, RebalError
from xl_rebal.excel import ribbon
from xl_rebal.excel.addin import build, office, xlwings_code
from xl_rebal.excel.ribbon import GROUPS, Button, shown

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
UI = {"ui": "http://schemas.microsoft.com/office/2009/07/customui"}


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _as_workbook() -> bytes:
    """The add-in as a workbook with macros, for programs that know no add-ins."""
    parts = _parts(built.addin().read_bytes())
    types = parts["[Content_Types].xml"].replace(b"excel.addin.macro", b"excel.sheet.macro")
    assert types != parts["[Content_Types].xml"]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in (parts | {"[Content_Types].xml": types}).items():
            archive.writestr(name, data)
    return stream.getvalue()


# Others read the same back


def test_olevba_reads_back_exactly_our_sources() -> None:
    with warnings.catch_warnings():  # oletools calls pyparsing by names that are going out of use
        warnings.simplefilter("ignore", DeprecationWarning)
        from oletools.olevba import VBA_Parser

        parser = VBA_Parser(str(built.addin()))
    try:
        found = {
            Path(name).stem: code.replace("\r\n", "\n").rstrip("\n")
            for _, _, name, code in parser.extract_macros()
        }
    finally:
        parser.close()
    ours = {name: text.rstrip("\n") for name, text in build.sources().items()}
    for name, text in ours.items():
        assert found.pop(name) == text, name
    book = found.pop(office.BOOK_CODE_NAME)
    handler = (PROJECT / "vba" / "ThisWorkbook.cls").read_text("ascii").replace("\r\n", "\n")
    assert book.partition("Attribute VB_Customizable = True\n")[2] == handler.rstrip("\n")
    sheet = found.pop(office.SHEET_CODE_NAME)
    assert all(line.startswith("Attribute ") for line in sheet.split("\n")), "an empty module"
    shipped = module_sources(xlwings_code.quickstart())
    made = xlwings_code.modules(shipped, version=xlwings_code.version())
    for name in (xlwings_code.CLASS, xlwings_code.DICTIONARY):
        assert found.pop(name) == made[name].rstrip("\n")
    assert found == {}, "modules that nobody wrote"


def test_every_source_of_the_folder_is_in_the_addin() -> None:
    here = {path.stem for path in (PROJECT / "vba").iterdir() if path.suffix in {".bas", ".cls"}}
    assert here == {*build.STANDARD_MODULES, *build.CLASSES, office.BOOK_CODE_NAME}
    for path in (PROJECT / "vba").iterdir():
        if path.suffix in {".bas", ".cls"}:
            data = path.read_bytes()
            assert data.isascii(), path.name
            assert data.count(b"\n") == data.count(b"\r\n"), path.name
            assert max(map(len, data.split(b"\r\n"))) <= 1023, path.name
            assert b"Option Explicit" in data, path.name


def test_pyopenvbas_checker_is_clean() -> None:
    report = pyopenvba.check_file(built.addin())
    assert report.ok
    assert report.issues == ()
    assert report.complete
    with pyopenvba.ExcelFile(built.addin()) as book:
        assert book.validate() == []
        streams = CFB.from_bytes(book.vba_project_bytes())
        project = streams.get_stream("PROJECT").decode("ascii")
        assert 'Name="xl_rebal"' in project
        assert "MyAddin" not in project
        directory = decompress(streams.get_stream_in_storage("VBA", "dir"))
        assert b"xl_rebal" in directory
        assert b"Users" not in directory, "a path of the machine where xlwings was made"
        declared = re.findall(r"^(Module|Class|Document)=(\w+)", project, flags=re.MULTILINE)
        assert {name for kind, name in declared if kind == "Module"} == {
            *build.STANDARD_MODULES,
            build.STAMP_MODULE,
        }
        assert {name for kind, name in declared if kind == "Class"} == {
            *build.CLASSES,
            xlwings_code.CLASS,
            xlwings_code.DICTIONARY,
        }
        assert [reference.name for reference in book.references()] == ["Office"]  # IRibbonControl


def test_the_package_is_valid(shared: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(built.addin())],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK" in done.stdout


def test_the_parts_are_ours_and_carry_no_trace_of_a_machine() -> None:
    parts = _parts(built.addin().read_bytes())
    assert set(parts) == {
        "[Content_Types].xml",
        "_rels/.rels",
        "customUI/customUI14.xml",
        "docProps/app.xml",
        "docProps/core.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/vbaProject.bin",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
    }
    for name, data in parts.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(data)
        for trace in (
            b"felix",
            b"Felix",
            b"C:\\Users\\",
            b"/home/",
            b"/tmp",
            str(PROJECT).encode(),
        ):
            assert trace not in data or name == "xl/vbaProject.bin", (name, trace)
    relations = parts["_rels/.rels"].decode()
    kind = "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility"
    assert f'Type="{kind}" Target="customUI/customUI14.xml"' in relations
    assert b"MyAddin" not in parts["customUI/customUI14.xml"]
    text = "\n".join(module_sources(built.addin()).values())
    for sample in ("RibbonMyAddin", "myaddin", "RunMain"):
        assert sample not in text


def test_the_sheet_of_settings_says_what_is_fixed_and_nothing_of_the_user() -> None:
    book = openpyxl.load_workbook(io.BytesIO(_as_workbook()))
    assert book.sheetnames == [build.SHEET_NAME]
    rows = {str(key): value for key, value in book[build.SHEET_NAME].iter_rows(values_only=True)}
    assert rows == {
        "XL_REBAL_VERSION": __version__,
        "XLWINGS_VERSION": xlwings_code.version(),
        "ADD_WORKBOOK_TO_PYTHONPATH": False,
        "USE UDF SERVER": True,
        "DEBUG UDFS": False,
    }
    stamp = module_sources(built.addin())["RebalStamp"]
    assert f'RebalBuiltVersion As String = "{__version__}"' in stamp
    assert f'RebalBuiltXlwings As String = "{xlwings_code.version()}"' in stamp
    library = f"xlwings64-{xlwings_code.version()}.dll"
    assert library in module_sources(built.addin())["RebalXlwings"]


def test_libreoffice_loads_it(soffice: str, tmp_path: Path) -> None:
    source = tmp_path / "xl_rebal.xlsm"
    source.write_bytes(_as_workbook())
    out = tmp_path / "out"
    command = [
        soffice,
        "--headless",
        "--norestore",
        f"-env:UserInstallation={(tmp_path / 'p').as_uri()}",
    ]
    command += ["--convert-to", "ods", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(out / "xl_rebal.ods") as archive:
        modules = {
            Path(name).stem
            for name in archive.namelist()
            if name.startswith("Basic/") and "script" not in name and "dialog" not in name
        }
        assert modules >= {*build.STANDARD_MODULES, *build.CLASSES, xlwings_code.CLASS}
        assert build.SHEET_NAME in archive.read("content.xml").decode()


# The same bytes twice


def test_two_processes_build_the_same_bytes(tmp_path: Path) -> None:
    """Other seeds of hashing, other time zones, other days, other folders."""
    digests = set()
    for number, seed in enumerate(("1", "4242")):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        code = (
            "import sys, time, datetime\n"
            f"real = time.time; time.time = lambda: real() + {number} * 86400 * 400\n"
            "from pathlib import Path\n"
            "from xl_rebal.excel.addin.build import write_addin\n"
            "print(*write_addin(Path(sys.argv[1]), overwrite=False), sep='\\n')\n"
        )
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC{number * 9}", "TMPDIR": str(folder)}
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder / "out")],
            capture_output=True,
            text=True,
            env=env,
            cwd=folder,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        paths = done.stdout.split("\n")[:2]
        digests.add(tuple(hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths))
    assert digests == {
        tuple(
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (built.addin(), built.addin().with_name(build.INTELLISENSE_NAME))
        )
    }


# The ribbon


@pytest.fixture(scope="module")
def xml() -> Any:
    return etree.fromstring(_parts(built.addin().read_bytes())["customUI/customUI14.xml"])


@pytest.fixture(scope="module")
def schema() -> Any:
    return etree.XMLSchema(etree.parse(str(HERE / "custom_ui_14.xsd")))


def test_the_ribbon_is_valid(xml: Any, schema: Any) -> None:
    schema.assertValid(xml)


@pytest.mark.parametrize(
    "change",
    [
        ('onAction="RebalRibbon.PressHelp"', 'onAction="Press Help"'),
        ('size="large"', 'size="huge"'),
        ('id="rebalDoctor"', 'id="rebalHelp"'),
        ('id="rebalHelp"', 'id="1help"'),
        ('label="Undo"', 'label=""'),
        ('imageMso="Undo"', 'image="Undo"'),
        ("<ribbon>", '<ribbon startFromScratch="true">'),
        ("2009/07", "2006/01"),
    ],
    ids=lambda change: change[1],
)
def test_the_schema_refuses_what_excel_would(schema: Any, change: tuple[str, str]) -> None:
    text = (PROJECT / "vba" / "customUI14.xml").read_text("utf-8")
    assert change[0] in text
    assert not schema.validate(etree.fromstring(text.replace(*change, 1).encode()))


def test_every_callback_exists_with_the_signature_of_a_button(xml: Any) -> None:
    sources = module_sources(built.addin())
    actions = xml.xpath("//ui:button/@onAction", namespaces=UI)
    assert len(actions) == len(set(actions)) == sum(len(group.buttons) for group in shown())
    for action in actions:
        module, _, procedure = action.partition(".")
        pattern = rf"^Public Sub {procedure}\(control As IRibbonControl\)$"
        assert len(re.findall(pattern, sources[module], flags=re.MULTILINE)) == 1, action
    there = re.findall(r"^Public Sub (\w+)\(control As", sources["RebalRibbon"], flags=re.MULTILINE)
    assert [f"RebalRibbon.{name}" for name in there] == actions
    modules = {name.casefold() for name in sources}
    assert not modules & {name.casefold() for name in there}, "VBA would take it for the module"


def test_icons_are_offices_own() -> None:
    lines = (HERE / "image_mso.txt").read_text("utf-8").split("\n")
    known = {line for line in lines if line and not line.startswith("#")}
    used = {button.image for group in GROUPS for button in group.buttons}
    assert used == known


def test_buttons_without_a_feature_are_not_shown(xml: Any) -> None:
    labels = xml.xpath("//ui:button/@label", namespaces=UI)
    assert labels == [
        "Import Positions",
        "Check Drift",
        "Generate Trades",
        "Verify Trades",
        "Export Orders",
        "Backtest",
        "Client Reports",
        "Write Tables",
        "Undo",
        "Prepare for Sharing",
        "Doctor",
        "Help",
    ]
    hidden = {b.macro for group in GROUPS for b in group.buttons if not b.available}
    assert hidden == {"refresh_prices"}
    assert "rebalGroupAnalysis" in xml.xpath("//ui:group/@id", namespaces=UI)


@pytest.mark.parametrize(
    "wrong", [{"macro": "Check Drift"}, {"macro": "x'); y('"}, {"label": ""}, {"more": "x" * 1025}]
)
def test_a_button_is_valid_at_birth(wrong: dict[str, str]) -> None:
    right = {"macro": "check_drift", "label": "L", "image": "Help", "tip": "T", "more": "M"}
    Button(**right)  # type: ignore[arg-type]  # only texts are given
    with pytest.raises(ValueError):
        Button(**right | wrong)  # type: ignore[arg-type]  # only texts are given


def test_ids_are_unique_with_hidden_buttons_too() -> None:
    ids = [ribbon.TAB, *(g.id for g in GROUPS), *(b.id for g in GROUPS for b in g.buttons)]
    assert len(ids) == len(set(ids))


# What the build refuses


def test_another_xlwings_is_refused_with_the_place_that_does_not_fit() -> None:
    shipped = dict(module_sources(xlwings_code.quickstart()))
    code = shipped["xlwings"]
    changes = {
        "GetConfig": code.replace("Function GetConfig(", "Function ReadConfig("),
        "constants": code.replace("Public Const PROJECT_NAME", "Const PROJECT_NAME"),
        "declarations": code.replace("Function XLPyDLLNDims Lib", "Function XLPyDims Lib", 1),
        "ExecuteMac": code.replace("Sub ExecuteMac(", "Sub RunOnMac("),
        "module xlwings": code.replace("(c)", "(C)").replace("' Escaping quotes", "' escaping"),
    }
    for place, text in changes.items():
        assert text != code
        with pytest.raises(RebalError) as caught:
            xlwings_code.modules(shipped | {"xlwings": text}, version=xlwings_code.version())
        assert place in str(caught.value), place
        assert "is not the code that was checked" in str(caught.value)
    changed = {"Dictionary": shipped["Dictionary"] + "\n'"}
    with pytest.raises(RebalError, match="module Dictionary"):
        xlwings_code.modules(shipped | changed, version=xlwings_code.version())
    with pytest.raises(RebalError, match="xlwings"):
        xlwings_code.modules({"Dictionary": shipped["Dictionary"]}, version="0.37.8")


def test_the_version_pinned_for_the_package_is_the_one_that_was_checked() -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    assert f'"xlwings=={xlwings_code.version()}"' in text


def test_without_pyopenvba_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyopenvba", None)
    with pytest.raises(RebalError) as caught:
        build.addin_bytes()
    assert 'run python -m pip install "xl-rebal[addin]"' in str(caught.value)


def test_the_build_refuses_an_xlwings_that_was_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(xlwings_code._READ, "xlwings", "0" * 64)
    run = CliRunner().invoke(app, ["build", "addin", "--out", "nowhere"])
    assert run.exit_code == 1
    assert "is not the code that was checked (module xlwings)" in str(run.exception)
    assert not Path("nowhere").exists()


@pytest.mark.parametrize("content", [None, b"", b"not an add-in", b"PK\x05\x06" + bytes(18)])
def test_an_xlwings_without_its_addin_is_told(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "quickstart_addin_ribbon.xlam"
    if content is not None:
        broken.write_bytes(content)
    monkeypatch.setattr(xlwings_code, "quickstart", lambda: broken)
    with pytest.raises(RebalError, match=r"xlwings' quickstart add-in: cannot be read or changed"):
        build.addin_bytes()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="cannot be made a folder"):
        build.write_addin(tmp_path / "file" / "dist", overwrite=False)


def test_a_missing_source_is_named() -> None:
    with pytest.raises(RebalError, match=r"Nowhere\.bas: is missing from the installed xl_rebal"):
        build.source("Nowhere.bas")


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    kept = tmp_path / build.INTELLISENSE_NAME
    kept.write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        build.write_addin(tmp_path, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [build.INTELLISENSE_NAME]
    build.write_addin(tmp_path, overwrite=True)
    assert (tmp_path / build.ADDIN_NAME).read_bytes() == built.addin().read_bytes()
    assert b"IntelliSense" in kept.read_bytes()


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "new" / "dist"
    run = CliRunner().invoke(app, ["build", "addin", "--out", str(out), "--json"])
    assert run.exit_code == 0, run.output
    names = [build.ADDIN_NAME, build.INTELLISENSE_NAME]
    assert json.loads(run.stdout) == {"files": [str(out / name) for name in names]}
    again = CliRunner().invoke(app, ["build", "addin", "--out", str(out)])
    assert again.exit_code == 1
    assert "exists already" in str(again.exception)
    replaced = CliRunner().invoke(app, ["build", "addin", "--out", str(out), "--overwrite"])
    assert replaced.exit_code == 0
