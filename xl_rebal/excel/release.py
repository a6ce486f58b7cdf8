"""`xl-rebal build release`: one zip with everything that an adviser's computer needs but Python.

    xl_rebal.xlam  xl_rebal.intellisense.xml  xl_rebal.oxt  templates/*.xltx
    INSTALL.txt  EXCEL-CHECKLIST.txt  release.json  SHA256SUMS

Parts are stored, not deflated: they are zips themselves, and so the bytes do not hang on a zlib.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import xl_rebal
from xl_rebal.errors import FaultList, FileError
from xl_rebal.excel.addin.build import (
    ADDIN_NAME,
    INTELLISENSE_NAME,
    SHEET_NAME,
    addin_bytes,
    source,
)
from xl_rebal.excel.hosts.calc.build import FILE_NAME as EXTENSION_NAME
from xl_rebal.excel.hosts.calc.build import build_oxt
from xl_rebal.files import check_target, write_atomically

SUMS = "SHA256SUMS"
ABOUT = "release.json"
GUIDE = "INSTALL.txt"
CHECKLIST = "EXCEL-CHECKLIST.txt"
TEMPLATES = "templates/"
_WHEN = (1980, 1, 1, 0, 0, 0)
_LARGEST = 64 * 2**20  # bytes of one part; ours are far below
_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_STAMP = re.compile(r">(XL_REBAL_VERSION|XLWINGS_VERSION)</t>.*?<t[^>]*>([^<]*)</t>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is installed for Excel.

    origin     where it comes from, for messages
    version    of xl_rebal
    xlwings    the version whose code is inside the add-in
    templates  by name
    """

    origin: str
    version: str
    xlwings: str
    add_in: bytes
    intellisense: bytes
    templates: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an add-in says that it was built from."""

    version: str
    xlwings: str


def file_name() -> str:
    """The name of the zip."""
    return f"xl_rebal-{xl_rebal.__version__}.zip"


def write_release(out: Path, *, overwrite: bool, signed: Path | None = None) -> Path:
    """Write the zip into a folder.

    signed  an add-in of this version that somebody has signed, to be taken as it is.
    """
    path = out / file_name()
    if out.exists():
        check_target(path, overwrite=overwrite)
    data = release_bytes(None if signed is None else _signed(signed))
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data, overwrite=overwrite)
    return path


def release_bytes(add_in: bytes | None = None) -> bytes:
    """The zip; the same bytes each time."""
    made = current(add_in)
    parts = {
        ADDIN_NAME: made.add_in,
        INTELLISENSE_NAME: made.intellisense,
        EXTENSION_NAME: build_oxt(),
        GUIDE: _text("install-guide.md").replace("{version}", made.version).encode(),
        CHECKLIST: _text("excel-checklist.md").encode(),
        ABOUT: _about(made),
    }
    parts |= {TEMPLATES + name: data for name, data in made.templates.items()}
    parts = dict(sorted(parts.items()))
    parts[SUMS] = sums(parts).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, _WHEN)
            info.create_system = 3  # the same on every system
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return stream.getvalue()


def checksum(path: Path) -> str:
    """SHA-256 of a file, to be told to those who fetch it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def current(add_in: bytes | None = None) -> Release:
    """What this installed xl_rebal makes."""
    data = addin_bytes() if add_in is None else add_in
    stamp = read_stamp(data)
    return Release(
        origin=f"xl_rebal {xl_rebal.__version__}",
        version=xl_rebal.__version__,
        xlwings=stamp.xlwings if stamp else metadata.version("xlwings"),
        add_in=data,
        intellisense=source(INTELLISENSE_NAME).read_bytes(),
        templates=shipped_templates(),
    )


def read_release(path: Path) -> Release:
    """A release zip, or the folder it was unpacked to; every part is held against SHA256SUMS."""
    if path.is_dir():
        return _checked(path.name, lambda name: _from_folder(path, name))
    try:
        with zipfile.ZipFile(path) as archive:
            return _checked(path.name, lambda name: _from_zip(archive, path.name, name))
    except (zipfile.BadZipFile, OSError) as error:
        raise FileError.of(
            where=path.name,
            what="is not there" if isinstance(error, FileNotFoundError) else "is not a whole zip",
            remedy="name the release zip xl_rebal-VERSION.zip, or the folder it was unpacked to",
        ) from error


def read_stamp(add_in: bytes) -> Stamp | None:
    """What an add-in was built from; None where it is not one of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(add_in)) as archive:
            book = archive.read("xl/workbook.xml").decode()
            sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
            text = "".join(archive.read(name).decode() for name in sheets)
            if "xl/sharedStrings.xml" in archive.namelist():  # as Excel saves it after signing
                text = _with_shared(text, archive.read("xl/sharedStrings.xml").decode())
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, ValueError):
        return None
    found = dict(_STAMP.findall(text))
    if SHEET_NAME not in book or len(found) != 2:
        return None
    return Stamp(version=found["XL_REBAL_VERSION"], xlwings=found["XLWINGS_VERSION"])


def sums(parts: Mapping[str, bytes]) -> str:
    """The lines of SHA256SUMS, as `sha256sum -c` reads them."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in parts.items())


def _checked(where: str, read: Callable[[str], bytes]) -> Release:
    listed = {m[2]: m[1] for m in map(_SUM.fullmatch, read(SUMS).decode().splitlines()) if m}
    faults = FaultList()
    parts: dict[str, bytes] = {}
    for name, digest in listed.items():
        if not (name in _PARTS or re.fullmatch(rf"{TEMPLATES}[\w .-]+\.xltx", name)):
            continue  # the guide and the like: not installed
        with faults.collecting():
            parts[name] = read(name)
            if hashlib.sha256(parts[name]).hexdigest() != digest:
                faults.add(
                    where=f"{where}, {name}",
                    what=f"is not what {SUMS} says",
                    remedy="fetch the release again; if you signed or changed it yourself, build the "
                    "release with xl-rebal build release --addin FILE",
                )
    for name in sorted(_PARTS - set(listed)):
        faults.add(where=where, what=f"{SUMS} does not list {name}", remedy="fetch it again")
    faults.raise_as(FileError)
    about = json.loads(parts[ABOUT])
    stamp = read_stamp(parts[ADDIN_NAME])
    if stamp is None or (stamp.version, stamp.xlwings) != (about["version"], about["xlwings"]):
        raise FileError.of(
            where=f"{where}, {ADDIN_NAME}",
            what=f"is not the add-in of xl_rebal {about['version']}",
            remedy="build the release again with xl-rebal build release",
        )
    return Release(
        origin=where,
        version=about["version"],
        xlwings=about["xlwings"],
        add_in=parts[ADDIN_NAME],
        intellisense=parts[INTELLISENSE_NAME],
        templates={
            name.removeprefix(TEMPLATES): data
            for name, data in parts.items()
            if name.startswith(TEMPLATES)
        },
    )


_PARTS = frozenset((ADDIN_NAME, INTELLISENSE_NAME, ABOUT))


def _from_folder(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise _lacks(folder.name, name) from error


def _from_zip(archive: zipfile.ZipFile, where: str, name: str) -> bytes:
    try:
        if archive.getinfo(name).file_size > _LARGEST:
            raise KeyError(name)
        return archive.read(name)
    except KeyError as error:
        raise _lacks(where, name) from error


def _lacks(where: str, name: str) -> FileError:
    return FileError.of(
        where=where,
        what=f"has no {name}",
        remedy="name the release zip xl_rebal-VERSION.zip, or the folder it was unpacked to",
    )


def _about(made: Release) -> bytes:
    document = {"product": "xl_rebal", "version": made.version, "xlwings": made.xlwings}
    return (json.dumps(document, indent=2) + "\n").encode()


def _signed(path: Path) -> bytes:
    """An add-in from outside: it must be of this version, and its VBA must be what we would build."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError.of(
            where=path.name, what="cannot be read", remedy=f"name the signed {ADDIN_NAME}"
        ) from error
    stamp, ours = read_stamp(data), addin_bytes()
    if stamp is None or stamp != read_stamp(ours):
        raise FileError.of(
            where=path.name,
            what=f"is not the add-in of xl_rebal {xl_rebal.__version__}",
            remedy=f"build it with xl-rebal build addin, sign that {ADDIN_NAME}, and name it here",
        )
    if _modules(data) != _modules(ours):
        raise FileError.of(
            where=path.name,
            what="holds other VBA than this version builds",
            remedy=f"sign the {ADDIN_NAME} of xl-rebal build addin without changing it",
        )
    return data


def _modules(add_in: bytes) -> dict[str, str]:
    """The VBA by module, without blank lines at the end, which Excel's editor adds and drops."""
    import pyopenvba

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ADDIN_NAME)
        path.write_bytes(add_in)
        with pyopenvba.ExcelFile(path) as book:
            return {
                name: book.get_module(name).replace("\r\n", "\n").rstrip()
                for name in book.module_names()
            }


def _with_shared(sheet: str, shared: str) -> str:
    """A sheet whose texts stand in the sheet itself."""
    texts = re.findall(r"<si>(.*?)</si>", shared, re.DOTALL)
    return re.sub(
        r'<c ([^>]*)t="s"([^>]*)><v>(\d+)</v></c>',
        lambda m: (
            f"<c {m[1]}{m[2]}><is>{texts[int(m[3])]}</is></c>" if int(m[3]) < len(texts) else ""
        ),
        sheet,
    )


def shipped_templates() -> dict[str, bytes]:
    """The templates of this version, by name.

    The built files, not new ones, so that a release is the same whatever openpyxl is installed. A test
    holds that they are what `xl-rebal build templates` makes.
    """
    return {
        path.name: path.read_bytes()
        for path in sorted(_shipped("workbook_templates").glob("*.xltx"))
    }


def _text(name: str) -> str:
    """A page of docs/."""
    path = _shipped("docs") / name
    if not path.is_file():
        raise _incomplete(name)
    return path.read_text(encoding="utf-8")


def _shipped(folder: str) -> Path:
    """A folder that is beside the package in a checkout, and inside it when installed."""
    package = Path(xl_rebal.__file__).resolve().parent
    for place in (package / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise _incomplete(folder)


def _incomplete(what: str) -> FileError:
    return FileError.of(
        where=what, what="is missing from the installed xl_rebal", remedy="install xl-rebal again"
    )
