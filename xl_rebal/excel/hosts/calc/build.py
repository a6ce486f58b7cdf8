"""The extension file xl_rebal.oxt, made from the registry; the same bytes on every machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import xl_rebal
from xl_rebal.excel.hosts.calc import declarations
from xl_rebal.excel.registry import Function, functions
from xl_rebal.files import check_target, write_atomically

FILE_NAME = "xl_rebal.oxt"
_DATE = (1980, 1, 1, 0, 0, 0)
_PLACE = "FUNCTIONS: dict[str, tuple[str, bool]] = {}\n"


def build_oxt() -> bytes:
    """The extension with all functions of the registry, as a zip archive without times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts(functions()).items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode())
    return stream.getvalue()


def parts(wanted: Sequence[Function]) -> dict[str, str]:
    """The files of the extension, in their order."""
    return {
        "META-INF/manifest.xml": declarations.manifest(),
        "description.xml": declarations.description(xl_rebal.__version__),
        "types.idl": declarations.idl(wanted),
        "CalcAddIns.xcu": declarations.xcu(wanted),
        declarations.COMPONENT: _component(wanted),
    }


def _component(wanted: Sequence[Function]) -> str:
    source = (resources.files("xl_rebal.excel.hosts.calc") / "addin.py").read_text("utf-8")
    if source.count(_PLACE) != 1:
        raise ValueError("addin.py has no single place for the functions")
    rows = "".join(
        f'    "{declarations.method_name(f)}": ("{f.name}", RETURNS_{f.returns.name}),\n'
        for f in wanted
    )
    filled = _PLACE.replace("{}", "{\n" + rows + "}")
    return source.replace(_PLACE, filled)


def write_oxt(folder: Path, *, overwrite: bool = False) -> Path:
    """Write xl_rebal.oxt into a folder, which is made when it does not exist."""
    path = folder / FILE_NAME
    if not folder.exists():
        folder.mkdir(parents=True)
    check_target(path, overwrite=overwrite)
    write_atomically(path, build_oxt(), overwrite=overwrite)
    return path
