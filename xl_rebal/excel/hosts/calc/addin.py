"""The extension's own Python file: it finds xl_rebal's packages and hands every call to them.

LibreOffice's Python runs this file from inside the .oxt, where `build` has filled in the functions.
It uses nothing but the standard library, also of an older Python, so that a cell can always say in
words what is missing.
"""

from __future__ import annotations

import importlib
import json
import os
import site
import sys
from pathlib import Path
from typing import Any

import uno
import unohelper  # type: ignore[import-not-found]  # comes with LibreOffice
from com.sun.star.lang import Locale, XLocalizable, XServiceInfo, XServiceName
from xlrebal import XFunctions  # type: ignore[import-not-found]  # types.idl beside this file

SERVICE = "xlrebal.AddIn"
IMPLEMENTATION = "xlrebal.AddInImplementation"
SETTINGS = "xl_rebal.json"  # in the user's profile, written by `xl-rebal install calc`
OLDEST = (3, 11)
RETURNS_TABLE = True
RETURNS_CELL = False
# Method -> worksheet function and what it returns. <filled in by build>
FUNCTIONS: dict[str, tuple[str, bool]] = {}


class UnusableError(Exception):
    """The packages cannot be used; the text says why and what to do."""


class Packages:
    """xl_rebal, imported at the first call; what went wrong is kept until LibreOffice restarts."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._serve: Any = None
        self._problem = ""

    def serve(self, name: str, values: tuple[Any, ...], document: Any) -> Any:
        """The answer of xl_rebal; UnusableError when it cannot be asked."""
        if self._problem:
            raise UnusableError(self._problem)
        if self._serve is None:
            try:
                self._serve = self._find()
            except UnusableError as error:
                self._problem = str(error)
                raise
        return self._serve(name, values, document)

    def _find(self) -> Any:
        if sys.version_info < OLDEST:
            raise UnusableError(
                "LibreOffice runs Python {}.{}, xl_rebal needs {}.{} or newer; "
                "install a newer LibreOffice".format(*sys.version_info[:2], *OLDEST)
            )
        settings = self._settings()
        _add_packages(settings.get("packages", []))
        try:
            return importlib.import_module("xl_rebal.excel.hosts.calc.component").serve
        except Exception as error:
            made_for = settings.get("python", "")
            running = "{}.{}".format(*sys.version_info[:2])
            if made_for not in ("", running):
                reason = f"its packages are for Python {made_for}, LibreOffice runs {running}"
            elif isinstance(error, ModuleNotFoundError) and error.name == "xl_rebal":
                reason = "the packages of xl_rebal are not found"
            else:
                reason = f"xl_rebal cannot be loaded ({type(error).__name__}: {error})"
            raise UnusableError(
                f"{reason}; run xl-rebal install calc with Python {running}, then restart LibreOffice"
            ) from error

    def _settings(self) -> dict[str, Any]:
        paths = self._context.ServiceManager.createInstanceWithContext(
            "com.sun.star.util.PathSubstitution", self._context
        )
        folder = uno.fileUrlToSystemPath(paths.substituteVariables("$(user)", True))
        try:
            return dict(json.loads((Path(folder) / SETTINGS).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}


def _add_packages(folders: list[str]) -> None:
    """PYTHONPATH first, then the installation's packages, then the system's, which may be older."""
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    before = list(sys.path)
    for folder in [*named, *folders]:
        site.addsitedir(folder)  # follows .pth files, which PYTHONPATH alone does not
    added = [path for path in sys.path if path not in before]
    sys.path[:] = [*named, *added, *(path for path in before if path not in named)]
    importlib.invalidate_caches()


class AddIn(unohelper.Base, XServiceName, XServiceInfo, XLocalizable, XFunctions):  # type: ignore[misc]  # bases without types
    """The service that Calc calls; names and help stand in CalcAddIns.xcu."""

    def __init__(self, context: Any, *_: Any) -> None:
        self.packages = Packages(context)
        self.locale = Locale("en", "US", "")

    def getServiceName(self) -> str:  # noqa: N802 - LibreOffice's names
        return SERVICE

    def getImplementationName(self) -> str:  # noqa: N802 - UNO's name
        return IMPLEMENTATION

    def supportsService(self, name: str) -> bool:  # noqa: N802 - UNO's name
        return name == SERVICE

    def getSupportedServiceNames(self) -> tuple[str, ...]:  # noqa: N802 - UNO's name
        return (SERVICE,)

    def setLocale(self, locale: Any) -> None:  # noqa: N802 - UNO's name
        self.locale = locale

    def getLocale(self) -> Any:  # noqa: N802 - UNO's name
        return self.locale


def _method(name: str, table: bool) -> Any:
    def answer(self: AddIn, document: Any, *values: Any) -> Any:
        try:
            return self.packages.serve(name, values, document)
        except UnusableError as error:
            text = f"#REBAL! {error}"
        except BaseException as error:  # an exception would leave a bare #VALUE! in the cell
            text = f"#REBAL! internal error ({type(error).__name__}: {error}); report it"
        return ((text,),) if table else text

    return answer


for _name, (_function, _table) in FUNCTIONS.items():
    setattr(AddIn, _name, _method(_function, _table))

g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816 - the name it looks for
g_ImplementationHelper.addImplementation(AddIn, IMPLEMENTATION, (SERVICE,))
