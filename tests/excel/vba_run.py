"""The VBA of the built add-in in pyOpenVBA's interpreter, with strict fakes for what Excel would be.

A `Fake` knows only the members that it was given; anything else is VBA's error 438, as late-bound VBA
gets it. `Project` loads every module of the add-in, for Windows or for the Mac (conditional compilation
is resolved here as VBA would), and notes each procedure that was called.

What the interpreter cannot do and what is put in its place is in `_STAND_INS`; nothing else is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyopenvba import ExcelFile
from pyopenvba.apps.excel import ExcelApplication
from pyopenvba.exceptions import VBARuntimeError
from pyopenvba.interpreter._objects import VBAObject
from pyopenvba.interpreter._runtime import UNRESOLVED
from pyopenvba.interpreter._values import EMPTY, MISSING, NOTHING, VBAArray

NOTHING_AT_ALL = NOTHING
BLANK = EMPTY
PREDECLARED = ("RebalHost", "RebalXlwings")
# The interpreter has no environment, files, DLLs or scripts, does not know WithEvents, IRibbonControl is
# a type that it does not know. Its own Scripting.Dictionary stands in for Tim Hall's class.
_STAND_INS = {
    "Environ(": "StandInEnviron(",
    "= GetAttr(": "= StandInAttributes(",
    "MacScript(": "StandInScript(",
    "= Dir(": "= StandInDir(",
    "Kill LOG_FILE": "StandInKill LOG_FILE",
    "AppleScriptTask(": "StandInTask(",
    "New Dictionary": 'CreateObject("Scripting.Dictionary")',
    "As Dictionary": "As Object",
    "LoadLibrary(": "StandInLibrary(",
    "XLPyDLLActivateAuto(": "StandInActivate(",
    "Public WithEvents ": "Public ",
    "As IRibbonControl": "As Object",
}
_LEFT_OUT = ("ThisWorkbook", "Sheet2", "Dictionary")


class Fake(VBAObject):  # type: ignore[misc]  # pyOpenVBA's interpreter has no types
    """An object of Excel's made of members: values, or functions for methods and computed properties.

    log  what happened, in order: ("set", member, value) and ("call", member, arguments).
    """

    vba_type_name = "Object"

    def __init__(self, kind: str, items: Sequence[Any] = (), **members: Any) -> None:
        self.vba_type_name = kind
        self.members = {name.lower(): value for name, value in members.items()}
        self.items = list(items)
        self.log: list[tuple[Any, ...]] = []

    def vba_member(self, name: str) -> None:
        return None

    def vba_default_member(self) -> None:
        return None

    def vba_get(self, name: str, args: Sequence[Any] = (), named: Any = None) -> Any:
        key = name.lower()
        if key not in self.members:
            raise VBARuntimeError(438, f"{self.vba_type_name} has no {name}")
        found = self.members[key]
        if callable(found) and not isinstance(found, VBAObject):
            given = [plain(a) for a in args if a is not MISSING]
            extra = {k.lower(): plain(v) for k, v in (named or {}).items()}
            self.log.append(("call", name, *given, *([extra] if extra else [])))
            return as_vba(found(*given, **extra))
        return as_vba(found)

    vba_call = vba_get

    def vba_set(
        self, name: str, value: Any, args: Any = (), named: Any = None, *, by_ref: bool = False
    ) -> None:
        key = name.lower()
        if key not in self.members:
            raise VBARuntimeError(438, f"{self.vba_type_name} has no {name}")
        self.log.append(("set", name, plain(value)))
        setter = self.members.get(f"{key}=")
        if setter is not None:
            setter(plain(value))
        else:
            self.members[key] = plain(value)

    def vba_iterate(self) -> Iterator[Any]:
        return iter(list(self.items))

    def happened(self, member: str) -> list[tuple[Any, ...]]:
        """The log of one member."""
        return [entry for entry in self.log if entry[1].lower() == member.lower()]


def collection(items: Iterable[Any]) -> Fake:
    """Something that For Each walks."""
    kept = list(items)
    return Fake("Collection", kept, count=len(kept), item=lambda i: kept[int(i) - 1])


def plain(value: Any) -> Any:
    """A Python value for one of the interpreter's."""
    return int(value) if type(value).__name__ == "VBAInt" else value


def as_vba(value: Any) -> Any:
    """An interpreter's value for a Python one: lists become arrays, None is Empty."""
    if value is None:
        return EMPTY
    if isinstance(value, list):
        return _array(value)
    return value


def _array(rows: list[Any]) -> Any:
    if rows and isinstance(rows[0], list):
        made = VBAArray(bounds=[(1, len(rows)), (1, len(rows[0]))], element_type="Variant")
        for row, cells in enumerate(rows, start=1):
            for column, cell in enumerate(cells, start=1):
                made.set([row, column], as_vba(cell))
        return made
    made = VBAArray(bounds=[(1, len(rows))], element_type="Variant")
    for place, cell in enumerate(rows, start=1):
        made.set([place], as_vba(cell))
    return made


@lru_cache(maxsize=4)
def module_sources(path: Path) -> dict[str, str]:
    """The modules of an add-in by name, with line ends of one character."""
    with ExcelFile(path) as book:
        return {m.name: m.source.replace("\r\n", "\n") for m in book.vba_project().modules}


def compiled_for(source: str, *, mac: bool) -> str:
    """A module after VBA's conditional compilation on 64-bit Excel 365."""
    known = {
        'App = "Microsoft Excel"': True,
        "Mac": mac,
        "Not Mac": not mac,
        "VBA7": True,
        "Win64": not mac,
        "MAC_OFFICE_VERSION >= 15": mac,
    }
    kept: list[str] = []
    levels: list[tuple[bool, bool]] = []  # (this branch is taken, one was taken)
    for line in source.split("\n"):
        directive = line.strip().partition("'")[0].rstrip()
        if directive.startswith("#Const "):
            continue
        if match := re.fullmatch(r"#If (.*) Then", directive):
            levels.append((known.get(match[1], False), known.get(match[1], False)))
        elif match := re.fullmatch(r"#ElseIf (.*) Then", directive):
            taken = known.get(match[1], False) and not levels[-1][1]
            levels[-1] = (taken, levels[-1][1] or taken)
        elif directive == "#Else":
            levels[-1] = (not levels[-1][1], True)
        elif directive == "#End If":
            levels.pop()
        elif all(taken for taken, _ in levels):
            kept.append(line)
    assert not levels, "an #If without its #End If"
    return "\n".join(kept)


def procedures(source: str) -> list[str]:
    """The names of a module's procedures."""
    pattern = r"^(?:Public |Private |Friend )?(?:Static )?(?:Function|Sub|Property \w+) (\w+)\("
    return re.findall(pattern, source, flags=re.MULTILINE)


class Project:
    """The add-in's code, ready to run.

    application   stands for Excel's Application; its members are global, as in Excel.
    environment   what Environ gives.
    files         the files that exist, by name; reading one gives its settings.
    """

    def __init__(
        self,
        addin: Path,
        *,
        mac: bool = False,
        application: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        files: Mapping[str, Mapping[str, str]] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.called: set[str] = set()
        self.tasks: list[tuple[Any, ...]] = []
        self.libraries = {"C:\\py\\xlwings64-0.37.8.dll"}
        self.server = Fake("XLPython")
        self.files = {name: dict(settings) for name, settings in (files or {}).items()}
        self.logs: dict[str, str] = {}
        self.environment = dict(environment or {})
        self.app = ExcelApplication.open(addin, with_vba=False)
        self.interpreter = self.app.interpreter
        self.application = Fake("Application", **dict(application or {}))
        self._predeclared: dict[str, Any] = {}
        self._listen()
        self._sources = dict(sources or module_sources(addin))
        for name, source in self._sources.items():
            if name in _LEFT_OUT:
                continue
            self.add(name, compiled_for(source, mac=mac))
        self.add("StandIn", _HELPERS)

    def add(self, name: str, source: str) -> None:
        """A module with the stand-ins in it."""
        is_class = "Attribute VB_Base" in source
        if name in PREDECLARED:
            source = source.replace(f'VB_Name = "{name}"', f'VB_Name = "{name}Class"')
            name = f"{name}Class"
        source = re.sub(r"^.* Declare .*\n", "", source, flags=re.MULTILINE)
        for procedure, text in REPLACED.items():
            pattern = rf"^Function {procedure}\(.*?^End Function\n"
            assert "\\" not in text  # re.sub would read it
            source = re.sub(pattern, text, source, flags=re.MULTILINE | re.DOTALL)
        for old, new in _STAND_INS.items():
            source = source.replace(old, new)
        source = re.sub(r"^Option Private Module\n", "", source, flags=re.MULTILINE)
        kind = "class" if is_class else "standard"
        self.app.add_module(source, name=name, kind=kind)

    def run(self, name: str, *arguments: Any) -> Any:
        """What a procedure gives."""
        return self.app.run(name, *[as_vba(a) for a in arguments])

    def new(self, name: str) -> Any:
        """A new object of a class."""
        self.add(
            f"Maker{len(self.called)}{name}",
            f"Public Function Make{name}() As Object\n    Set Make{name} = New {name}\nEnd Function\n",
        )
        return self.interpreter.run(f"Make{name}", [])

    def on(self, object_: Any, member: str, *arguments: Any) -> Any:
        """What a method of a class gives."""
        return plain(object_.vba_get(member, [as_vba(a) for a in arguments]))

    def predeclared(self, name: str) -> Any:
        """The object of a class that VBA makes by itself."""
        if name not in self._predeclared:
            self._predeclared[name] = self.new(f"{name}Class")
        return self._predeclared[name]

    def _listen(self) -> None:
        interpreter, host = self.interpreter, self.interpreter.host
        call, find, global_, constant = (
            interpreter.call,
            host.global_object,
            host.call_global,
            host.has_global_member,
        )
        stand_ins: dict[str, Callable[..., Any]] = {
            "standinenviron": lambda name: self.environment.get(name, ""),
            "standinscript": self._script,
            "standinkill": lambda name: self.logs.pop(name, None),
            "standintext": lambda name: self.logs.get(name, ""),
            "standindir": lambda name, _: name if name in self.files else "",
            "standintask": self._task,
            "standinattributes": self._attributes,
            "standinreads": self._reads,
            "standinlibrary": self._library,
            "standinserver": self._server,
        }

        def noted(procedure: Any, module: Any, *rest: Any, **named: Any) -> Any:
            name = re.sub(r"Class$", "", module.name)
            self.called.add(f"{name}.{procedure.name}")
            return call(procedure, module, *rest, **named)

        def found(name: str) -> Any:
            for known in PREDECLARED:
                if name.lower() == known.lower():
                    return self.predeclared(known)
            if name.lower() == "application":
                return self.application
            if name.lower() == "thisworkbook" and "thisworkbook" in self.application.members:
                return self.application.members["thisworkbook"]
            return find(name)

        def has(name: str) -> Any:
            return (
                name.lower() in stand_ins
                or name.lower() in self.application.members
                or constant(name)
            )

        def called(name: str, args: list[Any], named: dict[str, Any]) -> Any:
            if name.lower() in stand_ins:
                return as_vba(stand_ins[name.lower()](*[plain(a) for a in args]))
            if name.lower() in self.application.members:
                return self.application.vba_get(name, args, named)
            return global_(name, args, named)

        interpreter.call = noted

        def create(name: str) -> Any:  # xlwings' own code, for comparison, asks for it
            if name.lower() == "wscript.shell":
                return Fake("WshShell", expandenvironmentstrings=lambda text: text)
            return UNRESOLVED

        host.create = create
        host.global_object = found
        host.has_global_member = has
        host.call_global = called

    def _script(self, text: str) -> str:
        self.tasks.append(("script", text))
        return "/Volumes/Mac/ada/Library/Containers/com.microsoft.Excel/Data/"

    def _task(self, *arguments: Any) -> str:
        self.tasks.append(("task", *arguments))
        return "0"

    def _library(self, name: str) -> int:
        self.tasks.append(("library", name))
        return int(name in self.libraries)

    def _server(self, command: str, mode: int) -> Any:
        self.tasks.append(("server", command, mode))
        return self.server

    def _attributes(self, name: str) -> int:
        if name not in self.files:
            raise VBARuntimeError(53, "File not found")
        return 32

    def _reads(self, name: str, key: str) -> Any:
        settings = {k.lower(): v for k, v in self.files[name].items()}
        return settings.get(key.lower())


_HELPERS = """
Public Function StandInActivate(result As Variant, ByVal config As String, ByVal mode As Long) As Long
    Set result = StandInServer(config, mode)
End Function
"""
# Reading files; the real ones run in LibreOffice.
REPLACED = {
    "GetConfigFromFile": """Function GetConfigFromFile(sFile As String, sName As String, _
        Optional sValue As String) As Boolean
    Dim found As Variant
    found = StandInReads(sFile, sName)
    If IsEmpty(found) Then Exit Function
    sValue = found
    GetConfigFromFile = True
End Function
""",
    "ReadFile": """Function ReadFile(ByVal FileName As String)
    ReadFile = StandInText(FileName)
End Function
""",
}
