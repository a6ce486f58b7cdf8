"""`xl-rebal build addin`: xl_rebal.xlam, the same bytes every time, on a machine without Excel.

The VBA project starts as that of xlwings' quickstart add-in, which Excel wrote (so that its references
and streams are Excel's own). Its sample leaves, xlwings' code becomes a class (`xlwings_code`), and the
sources in `vba/` come in. pyOpenVBA writes the project; it has no part in how the add-in works.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from xl_rebal import __version__
from xl_rebal.errors import FileError, RebalError
from xl_rebal.excel.addin import office, xlwings_code
from xl_rebal.files import check_target, write_atomically

if TYPE_CHECKING:
    from pyopenvba.vba import VBAProject  # an optional package

ADDIN_NAME = "xl_rebal.xlam"
INTELLISENSE_NAME = "xl_rebal.intellisense.xml"
SHEET_NAME = "xl_rebal.conf"
STAMP_MODULE = "RebalStamp"
STANDARD_MODULES = (
    "RebalFunctions",
    "RebalHelp",
    "RebalRibbon",
    "RebalMacros",
    "RebalStart",
    "RebalRepair",
    "RebalText",
)
CLASSES = ("RebalHost", "RebalEvents", "RebalQuiet", "RebalProtection")
PROJECT_NAME = "xl_rebal"  # as the VBA editor shows it
_FORMS = "MSForms"  # xlwings' project refers to it and uses nothing of it; a Mac does not have it
_SAMPLE = "RibbonMyAddin"
_SAMPLE_PROJECT = b"MyAddin"
_PIP = 'python -m pip install "xl-rebal[addin]"'


def addin_bytes() -> bytes:
    """The add-in; raises RebalError where a part is missing or xlwings' code is not what was checked."""
    return office.package(
        vba=vba_project(),
        ribbon=source("customUI14.xml").read_bytes(),
        sheet=SHEET_NAME,
        settings=settings(),
        version=__version__,
    )


def write_addin(out: Path, *, overwrite: bool) -> list[Path]:
    """Write the add-in and its IntelliSense help into a folder, and return both paths."""
    targets = [out / ADDIN_NAME, out / INTELLISENSE_NAME]
    if out.exists():
        for target in targets:
            check_target(target, overwrite=overwrite)
    contents = [addin_bytes(), source(INTELLISENSE_NAME).read_bytes()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError.of(
            where=str(out),
            what=f"cannot be made a folder ({error.strerror or 'the system refused'})",
            remedy="name another folder with --out",
        ) from error
    for target, data in zip(targets, contents, strict=True):
        write_atomically(target, data, overwrite=overwrite)
    return targets


def settings() -> dict[str, str | bool]:
    """What the add-in's own sheet says. It comes before the user's file: only what is fixed stands here."""
    return {
        "XL_REBAL_VERSION": __version__,
        "XLWINGS_VERSION": xlwings_code.version(),
        "ADD_WORKBOOK_TO_PYTHONPATH": False,
        "USE UDF SERVER": True,
        "DEBUG UDFS": False,
    }


def source(name: str) -> Path:
    """A file of `vba/`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "vba", package.parent / "vba"):
        if (folder / name).is_file():
            return folder / name
    raise RebalError.of(
        where=name,
        what="is missing from the installed xl_rebal",
        remedy="install xl-rebal again",
    )


def sources() -> dict[str, str]:
    """Every module of ours as the project stores it, by name; line ends of one character."""
    texts = {name: _text(f"{name}.bas") for name in STANDARD_MODULES}
    texts |= {name: _stored(name, _text(f"{name}.cls")) for name in CLASSES}
    texts[STAMP_MODULE] = _stamp()
    return texts


def vba_project() -> bytes:
    """xl/vbaProject.bin."""
    pyopenvba = _pyopenvba()
    try:
        return _vba_project(pyopenvba)
    except (
        pyopenvba.PyOpenVBAError,
        zipfile.BadZipFile,
        OSError,
        KeyError,
        ValueError,
    ) as error:
        raise RebalError.of(
            where="xlwings' quickstart add-in",
            what=f"cannot be read or changed ({type(error).__name__}: {error})",
            remedy=f"install xlwings {xlwings_code.version()} and pyOpenVBA again "
            "(pip install --force-reinstall)",
        ) from error


def _vba_project(pyopenvba: ModuleType) -> bytes:
    with pyopenvba.ExcelFile(xlwings_code.quickstart()) as book:
        project = book.vba_project()
        shipped = {m: book.get_module(m).replace("\r\n", "\n") for m in book.module_names()}
        classes = xlwings_code.modules(shipped, version=xlwings_code.version())
        for name in (_SAMPLE, xlwings_code.SOURCE_MODULE):
            project.delete_module(name)
        added = sources() | {n: text for n, text in classes.items() if n not in shipped}
        for name, text in added.items():
            _add(project, name, text)
        book.remove_reference(_FORMS)
        book.set_module(office.BOOK_CODE_NAME, _crlf(_text("ThisWorkbook.cls")))
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder, ADDIN_NAME)
            book.save(saved)
            return _named(_checked(pyopenvba, saved))


def _checked(pyopenvba: ModuleType, saved: Path) -> bytes:
    """The project of a saved add-in whose streams and declarations agree."""
    with pyopenvba.ExcelFile(saved) as book:
        faults = book.validate()
        if faults:
            raise RebalError.of(
                where=ADDIN_NAME, what="; ".join(faults), remedy="report this as a bug"
            )
        return bytes(book.vba_project_bytes())


def _named(vba: bytes) -> bytes:
    """The project under our name, which the VBA editor shows ([MS-OVBA]: ProjectName and PROJECTNAME)."""
    from pyopenvba.cfb import CFB
    from pyopenvba.vba import compress, decompress

    streams = CFB.from_bytes(vba)
    project = _replaced(streams.get_stream("PROJECT"), b'Name="%s"')
    directory = decompress(streams.get_stream_in_storage("VBA", "dir"))
    directory = _replaced(directory, b"\x04\x00%c\x00\x00\x00%s")
    streams.write_stream("PROJECT", project)
    streams.write_stream_in_storage("VBA", "dir", compress(directory))
    return bytes(streams.to_bytes())


def _replaced(data: bytes, form: bytes) -> bytes:
    """Bytes with our name for the sample's in a field that says its length, or has none."""
    old, new = (
        form % ((len(name), name) if b"%c" in form else name)
        for name in (_SAMPLE_PROJECT, PROJECT_NAME.encode())
    )
    if data.count(old) != 1:
        raise ValueError("the name of xlwings' sample project is not where it was")
    return data.replace(old, new)


def _add(project: VBAProject, name: str, text: str) -> None:
    from pyopenvba.vba import VBAModuleKind

    is_class = "Attribute VB_Base" in text
    kind = VBAModuleKind.other if is_class else VBAModuleKind.standard
    project.add_module(name, _crlf(text), kind=kind)


def _stamp() -> str:
    """What the add-in was built from; compared with what Python reports when it starts."""
    return (
        f'Attribute VB_Name = "{STAMP_MODULE}"\n'
        "' Made by the build.\n"
        "Option Explicit\n"
        "Option Private Module\n\n"
        f'Public Const RebalBuiltVersion As String = "{__version__}"\n'
        f'Public Const RebalBuiltXlwings As String = "{xlwings_code.version()}"\n'
    )


def _stored(name: str, exported: str) -> str:
    """A class as its stream stores it: the editor's export has other lines at its head."""
    head, found, body = exported.partition("Attribute VB_Exposed = False\n")
    if not found:
        raise ValueError(f"{name}.cls has no attributes")
    predeclared = "Attribute VB_PredeclaredId = True\n" in head
    return office.class_header(name, predeclared=predeclared) + body


def _text(name: str) -> str:
    return source(name).read_bytes().decode("ascii").replace("\r\n", "\n")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _pyopenvba() -> ModuleType:
    try:
        import pyopenvba
    except ImportError as error:
        raise RebalError.of(
            where="xl-rebal build addin",
            what="needs the package pyOpenVBA, which is not installed",
            remedy=f"run {_PIP}",
        ) from error
    module: ModuleType = pyopenvba
    return module
