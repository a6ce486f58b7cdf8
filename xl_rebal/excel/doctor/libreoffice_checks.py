"""LibreOffice and our extension in it; only for those who use Calc."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import xl_rebal
from xl_rebal.errors import FileError
from xl_rebal.excel.doctor.findings import Finding, Patient, not_applicable, ok, warning
from xl_rebal.excel.hosts.calc import install as calc
from xl_rebal.excel.hosts.calc.build import FILE_NAME

_INSTALL = "to use Calc, run xl-rebal install calc and restart LibreOffice"


def libreoffice(patient: Patient) -> Iterator[Finding]:
    """LibreOffice, the extension, and the file that tells it where the packages are."""
    try:
        office = calc.find_office()
    except FileError as error:
        what, remedy = error.faults[0].what, error.faults[0].remedy
        if "not found" in what:
            yield not_applicable("libreoffice", "is not installed; only Calc's users need it")
        else:
            yield warning("libreoffice", what, remedy)
        return
    yield ok("libreoffice", f"{office.version}: {office.unopkg}")
    name = "libreoffice extension"
    cache = office.profile / "user" / "uno_packages" / "cache" / "uno_packages"
    if not any(cache.glob(f"*/{FILE_NAME}")):
        if patient.machine.system == "linux":  # where Calc is the only host
            yield warning(name, f"is not installed in {office.profile}", _INSTALL)
        else:
            yield not_applicable(name, "is not installed; only Calc's users need it")
        return
    if not office.settings.is_file():
        yield warning(name, f"does not know where the packages are: no {office.settings}", _INSTALL)
        return
    yield _settings(name, office.settings)


def _settings(name: str, path: Path) -> Finding:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version, python = str(document["version"]), str(document["python"])
        missing = [each for each in document["packages"] if not Path(each).is_dir()]
    except (ValueError, KeyError, TypeError):
        return warning(name, f"{path} is damaged", _INSTALL)
    if missing:
        return warning(name, f"looks for packages where there are none: {missing[0]}", _INSTALL)
    if version != xl_rebal.__version__ or python != "{}.{}".format(*sys.version_info[:2]):
        return warning(name, f"is of xl_rebal {version} for Python {python}", _INSTALL)
    return ok(name, version)
