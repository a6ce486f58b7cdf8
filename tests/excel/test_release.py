"""The release zip: complete, the same bytes each time, checked before anything of it is installed."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import xl_rebal
from tests.excel.fake_machine import FakeMachine, mac, windows
from xl_rebal.errors import FileError
from xl_rebal.excel import release
from xl_rebal.excel.addin.build import ADDIN_NAME, addin_bytes
from xl_rebal.excel.installation.install import install
from xl_rebal.excel.installation.uninstall import uninstall

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.write_release(tmp_path_factory.mktemp("dist"), overwrite=False)


@pytest.fixture
def unpacked(built: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder)
    return folder


def test_everything_is_in_it_and_the_checksums_hold(unpacked: Path) -> None:
    names = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    assert names == {
        "EXCEL-CHECKLIST.txt",
        "INSTALL.txt",
        "SHA256SUMS",
        "release.json",
        "templates/adviser_book.xltx",
        "templates/backtest_lab.xltx",
        "templates/household_tax.xltx",
        "templates/portfolio.xltx",
        "xl_rebal.intellisense.xml",
        "xl_rebal.oxt",
        "xl_rebal.xlam",
    }
    listed = {line[66:] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert listed == names - {"SHA256SUMS"}
    if shutil.which("sha256sum"):  # the tool that a technical lead has, not our own reading
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=unpacked, check=True
        )
    assert (unpacked / "templates" / "portfolio.xltx").read_bytes() == (
        ROOT / "workbook_templates" / "portfolio.xltx"
    ).read_bytes()
    guide = (unpacked / "INSTALL.txt").read_text()
    assert xl_rebal.__version__ in guide
    assert "{" not in guide
    assert len(guide.splitlines()) <= 60  # one page
    assert (unpacked / "EXCEL-CHECKLIST.txt").read_bytes() == (
        ROOT / "docs" / "excel-checklist.md"
    ).read_bytes()


def test_another_process_builds_the_same_bytes(built: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xl_rebal.excel import release; "
        "release.write_release(Path(sys.argv[1]), overwrite=False)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env={
            "PYTHONHASHSEED": "7",
            "TZ": "Asia/Tokyo",
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
        timeout=120,
    )
    assert (tmp_path / built.name).read_bytes() == built.read_bytes()


@pytest.mark.parametrize("system", [windows, mac])
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_the_zip_installs_and_leaves_without_a_trace(
    built: Path, unpacked: Path, tmp_path: Path, system: Callable[[Path], FakeMachine], form: str
) -> None:
    machine = system(tmp_path / "computer")
    before = machine.picture()
    install(machine, release.read_release(built if form == "zip" else unpacked))
    tree = machine.picture()[0]
    (installed,) = (data for name, data in tree.items() if name.endswith(ADDIN_NAME))
    assert installed == (unpacked / ADDIN_NAME).read_bytes()
    uninstall(machine)
    assert machine.picture() == before


def test_a_part_that_was_changed_on_the_way_is_refused(unpacked: Path) -> None:
    (unpacked / "templates" / "portfolio.xltx").write_bytes(b"swapped")
    with (unpacked / ADDIN_NAME).open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(FileError) as caught:
        release.read_release(unpacked)
    where = [fault.where for fault in caught.value.faults]
    assert where == ["unpacked, templates/portfolio.xltx", f"unpacked, {ADDIN_NAME}"]


@pytest.mark.parametrize("name", ["SHA256SUMS", "xl_rebal.xlam", "release.json"])
def test_a_part_that_is_missing_is_named(unpacked: Path, name: str) -> None:
    (unpacked / name).unlink()
    with pytest.raises(FileError, match=f"has no {re.escape(name)}"):
        release.read_release(unpacked)


def test_a_list_of_checksums_that_leaves_the_add_in_out_is_refused(unpacked: Path) -> None:
    sums = (unpacked / "SHA256SUMS").read_text().splitlines(keepends=True)
    (unpacked / "SHA256SUMS").write_text("".join(s for s in sums if ADDIN_NAME not in s))
    with pytest.raises(FileError, match=r"does not list xl_rebal\.xlam"):
        release.read_release(unpacked)


def test_names_that_lead_elsewhere_are_not_followed(unpacked: Path) -> None:
    (unpacked.parent / "outside.xltx").write_bytes(b"x")
    with (unpacked / "SHA256SUMS").open("a") as stream:
        stream.write("0" * 64 + "  templates/../../outside.xltx\n")
    assert list(release.read_release(unpacked).templates) == [
        "adviser_book.xltx",
        "backtest_lab.xltx",
        "household_tax.xltx",
        "portfolio.xltx",
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", None])
def test_what_is_no_release_is_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "xl_rebal-0.zip"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(FileError, match="name the release zip"):
        release.read_release(path)


def test_an_add_in_of_another_version_is_refused(unpacked: Path) -> None:
    about = {"product": "xl_rebal", "version": "99.0", "xlwings": "0.37.8"}
    (unpacked / "release.json").write_text(json.dumps(about))
    parts = {
        p.relative_to(unpacked).as_posix(): p.read_bytes()
        for p in unpacked.rglob("*")
        if p.is_file() and p.name != "SHA256SUMS"
    }
    (unpacked / "SHA256SUMS").write_text(release.sums(parts))
    with pytest.raises(FileError, match=r"is not the add-in of xl_rebal 99\.0"):
        release.read_release(unpacked)


def test_an_existing_release_is_not_overwritten_unasked(built: Path, tmp_path: Path) -> None:
    (tmp_path / built.name).write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        release.write_release(tmp_path, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [built.name]
    release.write_release(tmp_path, overwrite=True)
    assert (tmp_path / built.name).read_bytes() == built.read_bytes()


def resaved(add_in: bytes, **added: bytes) -> bytes:
    """The add-in as a signing program leaves it: zipped anew, with parts added."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(add_in)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in reversed(old.namelist()):
            new.writestr(name, added.pop(name, old.read(name)))
        for name, data in added.items():
            new.writestr(name, data)
    return stream.getvalue()


def test_a_signed_add_in_of_this_version_is_taken_as_it_is(tmp_path: Path) -> None:
    signed = tmp_path / ADDIN_NAME
    signed.write_bytes(resaved(addin_bytes(), **{"xl/vbaProjectSignature.bin": b"signature"}))
    path = release.write_release(tmp_path / "dist", overwrite=False, signed=signed)
    assert release.read_release(path).add_in == signed.read_bytes()


def test_a_signed_add_in_that_excel_saved_with_shared_texts_is_known(tmp_path: Path) -> None:
    stamp = release.read_stamp(addin_bytes())
    with zipfile.ZipFile(io.BytesIO(addin_bytes())) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    texts = re.findall(r't="inlineStr"><is>(.*?)</is>', sheet)
    for number, text in enumerate(texts):
        sheet = sheet.replace(f't="inlineStr"><is>{text}</is>', f't="s"><v>{number}</v>', 1)
    shared = "<sst>" + "".join(f"<si>{text}</si>" for text in texts) + "</sst>"
    data = resaved(
        addin_bytes(),
        **{"xl/worksheets/sheet1.xml": sheet.encode(), "xl/sharedStrings.xml": shared.encode()},
    )
    assert stamp is not None
    assert release.read_stamp(data) == stamp


def test_an_add_in_with_other_code_is_not_taken(tmp_path: Path) -> None:
    import pyopenvba

    path = tmp_path / ADDIN_NAME
    path.write_bytes(addin_bytes())
    with pyopenvba.ExcelFile(path) as book:
        book.set_module("RebalText", book.get_module("RebalText") + "Sub Extra()\r\nEnd Sub\r\n")
        book.save(tmp_path / "changed.xlam")
    with pytest.raises(FileError, match="holds other VBA"):
        release.write_release(tmp_path / "dist", overwrite=False, signed=tmp_path / "changed.xlam")
    (tmp_path / "no.xlam").write_bytes(b"nothing")
    with pytest.raises(FileError, match="is not the add-in of"):
        release.write_release(tmp_path / "dist", overwrite=False, signed=tmp_path / "no.xlam")
    assert not (tmp_path / "dist").exists()
