"""xlwings' own VBA for the add-in: taken from the installed xlwings, and made safe.

As xlwings ships it, this code reads its settings (which Python runs, and what is on its path) from a sheet
of the *active workbook* and from a file in that workbook's folder, puts the folder on Python's path, and
writes the workbook's name into a command line; and because it is a standard module, a formula of any
workbook may call it: `=RunPython("...")`. A workbook that came by mail could so run what it likes.

Here it becomes a class, which formulas and shapes cannot reach, and every place above is cut or changed.
Each change names text that must stand there exactly as often as said; xlwings' text as a whole must be
the one that was read. With another xlwings the build refuses and says what no longer fits.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from xl_rebal.errors import RebalError
from xl_rebal.excel.addin import office

SOURCE_MODULE = "xlwings"  # its name in the quickstart add-in
CLASS = "RebalXlwings"
DICTIONARY = "Dictionary"  # by Tim Hall, MIT; stands in for Scripting.Dictionary on the Mac
PROJECT = "xl_rebal"
# SHA-256 of what was read, line by line, when the changes below were written (xlwings 0.37.8), without
# its version number.
_READ = {
    SOURCE_MODULE: "675d63bc6a558d4e474b74a4dcec349b581bf0464f3f1d18838857c036b57f11",
    DICTIONARY: "e7985088ad6e7d699e93de3fd3a4da15c930b64e4e8d9afb7fc6983a2285a8da",
}


def quickstart() -> Path:
    """The add-in in the installed xlwings that its own `quickstart --addin --ribbon` copies."""
    import xlwings

    return Path(xlwings.__file__).with_name("quickstart_addin_ribbon.xlam")


def version() -> str:
    """The installed xlwings' version."""
    import xlwings

    return str(xlwings.__version__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Text that must stand in xlwings' code `times` times, and what replaces it."""

    place: str
    old: str
    new: str
    times: int = 1

    def __call__(self, text: str) -> str:
        """The text with the change; raises ValueError where it does not fit."""
        if text.count(self.old) != self.times:
            raise ValueError(self.place)
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines that hold a text `times` times, and are removed."""

    place: str
    holding: str
    times: int

    def __call__(self, text: str) -> str:
        """The text with the change; raises ValueError where it does not fit."""
        lines = text.split("\n")
        kept = [line for line in lines if self.holding not in line]
        if len(lines) - len(kept) != self.times:
            raise ValueError(self.place)
        return "\n".join(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A whole procedure that is replaced, or with "" removed."""

    name: str
    new: str = ""

    @property
    def place(self) -> str:
        """For messages."""
        return self.name

    def __call__(self, text: str) -> str:
        """The text with the change; raises ValueError where it does not fit."""
        pattern = rf"^(?:Public |Private )?(Function|Sub) {self.name}\(.*?^End \1\n"  # its own end
        found = re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL)
        if len(found) != 1:
            raise ValueError(self.place)
        return re.sub(pattern, lambda _: self.new, text, count=1, flags=re.MULTILINE | re.DOTALL)


_REPLACING = "xlwings_changes.bas"
# Nothing of ours calls them, and they start programs, write or read files, or look into workbooks.
_REMOVED = """ExecuteWindows RunFrozenPython GetUdfModules NDims ImportPythonUDFsBase ImportPythonUDFs
    ImportPythonUDFsToAddin ImportXlwingsUdfsModule GetDLLVersion GetDirectoryPath
    GetDirectoryConfigFilePath SaveConfigToFile IsFullName GetDirectory KillFileOnMac GetBaseName
    has_dynamic_array CreateGUID CheckConda GetFullName WScript""".split()
_UNUSED = (("system", 2), ("XLPyDLLNDims", 3), ("XLPyDLLVersion", 3))  # foreign functions
_TWO_HEADS = """#If App = "Microsoft Excel" Then
Function {0}Workbook){1}
#Else
Function {0}Variant){1}
#End If
"""


def _one_head(name: str, argument: str, result: str) -> Change:
    start = f"{name}({argument} As "
    return Change(
        place=name,
        old=_TWO_HEADS.format(start, result),
        new=f"Function {start}Workbook){result}\n",
    )


def _changes() -> list[Change | Lines | Procedure]:
    """All changes of the module xlwings, in their order."""
    replacing = files("xl_rebal.excel.addin").joinpath(_REPLACING).read_text("utf-8")
    return [
        # A class may hold neither public constants nor public declarations.
        Change(place="constants", old="\nPublic Const ", new="\nPrivate Const ", times=2),
        Change(place="project", old='String = "myaddin"', new=f'String = "{PROJECT}"'),
        *(
            Lines(place="declarations", holding=f"Function {name} Lib", times=times)
            for name, times in _UNUSED
        ),
        Change(
            place="declarations", old="        Declare ", new="        Private Declare ", times=2
        ),
        _one_head("GetUdfModules", "Optional wb", " As String"),
        _one_head("GetDirectoryPath", "Optional wb", " As String"),
        *(Procedure(name=name) for name in _REMOVED),
        *(Procedure(name=name, new=text) for name, text in procedures(replacing).items()),
        # Without the sheet in front of it, Range means the sheet that is active.
        Change(
            place="GetConfigFromSheet",
            old="For Each cell In Range(sht",
            new="For Each cell In sht.Range(sht",
        ),
        Change(
            place="CleanUp",
            old="            KillFileOnMac ToMacPath(ToPosixPath(LOG_FILE))\n",
            new="",
        ),
        Change(place="CleanUp", old="Private Sub CleanUp()", new="Sub CleanUp()"),
        Change(place="CleanUp", old="Call ShowError(LOG_FILE)", new="ShowError LOG_FILE"),
    ]


def procedures(text: str) -> dict[str, str]:
    """The procedures in a VBA text by their name."""
    pattern = r"^(?:Public |Private )?(Function|Sub) (\w+)\(.*?^End \1\n"
    found = re.finditer(pattern, text, flags=re.MULTILINE | re.DOTALL)
    return {match[2]: match[0] for match in found}


def modules(shipped: dict[str, str], *, version: str) -> dict[str, str]:
    """The classes to put into the add-in by name, from xlwings' modules by name; raises RebalError.

    shipped  the source of the modules `xlwings` and `Dictionary` with line ends of one character.
    version  xlwings' version, which its code names.
    """
    misfits = [name for name in _READ if name not in shipped]
    text = shipped.get(SOURCE_MODULE, "")
    for change in _changes():
        try:
            text = change(text)
        except ValueError as error:
            misfits.append(str(error))
    misfits += [
        f"module {name}"
        for name, read in _READ.items()
        if not misfits and read != digest(shipped[name], version)
    ]
    if misfits:
        raise RebalError.of(
            where=f"xlwings {version}, VBA code",
            what=f"is not the code that was checked ({', '.join(dict.fromkeys(misfits))})",
            remedy="install the xlwings that this version of xl_rebal asks for (pip install xl-rebal "
            "does), or read the new code and adapt xl_rebal/excel/addin/xlwings_code.py",
        )
    header = office.class_header(CLASS, predeclared=True)
    _, _, body = text.partition("\n")  # the line that names the module
    note = f"' xlwings {version}, changed by the build of xl_rebal (xl_rebal/excel/addin)\n"
    return {CLASS: header + note + body, DICTIONARY: shipped[DICTIONARY]}


def digest(text: str, version: str) -> str:
    """SHA-256 of a module without the version that it names."""
    return hashlib.sha256(text.replace(version, "VERSION").encode()).hexdigest()
