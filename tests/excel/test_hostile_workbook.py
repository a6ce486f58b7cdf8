"""A workbook that came by mail gains nothing: what it could try against the add-in, and each thing shut.

Where it is possible the same attack is run against xlwings' own code first, where it succeeds: a test
that could not fail would prove nothing.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.excel import built
from tests.excel.fake_windows import run as run_python
from tests.excel.vba_run import Fake, Project, module_sources, procedures
from xl_rebal.excel import registry
from xl_rebal.excel.addin import xlwings_code
from xl_rebal.excel.ribbon import shown

USER_FILE = r"C:\Users\ada\.xl_rebal\xl_rebal.conf"
WINDOWS = {"USERPROFILE": r"C:\Users\ada", "SystemRoot": r"C:\Windows"}
# Names that Windows allows: cmd would run what stands after "&", and takes "%CMDCMDLINE%" for quotes;
# xlwings splits at ";" and takes the seventh part for Python's path.
NAMES = ["^&calc&.xlsx", "%CMDCMDLINE%&calc&.xlsx", "a;b;c;d;e;f;evil.xlsx", "');import os;('.xlsx"]
EVIL = {
    "INTERPRETER_WIN": r"C:\evil\python.exe",
    "INTERPRETER_MAC": "/tmp/evil/python",
    "PYTHONPATH": r"C:\evil",
    "ADD_WORKBOOK_TO_PYTHONPATH": "True",
    "USE UDF SERVER": "False",
    "CONDA PATH": r"C:\evil",
    "CONDA ENV": "evil",
    "UDF MODULES": "evil",
    "LICENSE_KEY": "evil",
    "SHOW CONSOLE": "True",
    "TEMP DIR": r"C:\evil",
}


@pytest.fixture(scope="module")
def shipped() -> dict[str, str]:
    """xlwings' own modules, as they come."""
    return module_sources(xlwings_code.quickstart())


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """Ours, read back from the built add-in."""
    return module_sources(built.addin())


class Sheet(Fake):
    """A sheet of settings as xlwings reads it: A1 downwards, the value beside."""

    def __init__(self, name: str, settings: dict[str, str]) -> None:
        cells = [
            Fake("Range", value=key, offset=lambda _r, _c, v=value: Fake("Range", value=v))
            for key, value in settings.items()
        ]
        first = Fake("Range", cells, end=lambda _direction: Fake("Range"))
        whole = Fake("Range", cells)
        super().__init__("Worksheet", name=name)

        def area(*corners: Any) -> Any:
            if len(corners) == 2:
                return whole
            return "KEY" if corners[0] == "A2" else first

        self.members["range"] = area


def hostile(folder: str, name: str) -> Fake:
    """The workbook: a sheet of settings under every name, a sheet of Python, and its own place."""
    sheets = {
        sheet: Sheet(sheet, EVIL)
        for sheet in ("xl_rebal.conf", "xlwings.conf", "myaddin.conf", "_xl_rebal.conf", "evil.py")
    }
    return Fake(
        "Workbook",
        name=name,
        fullname=f"{folder}\\{name}" if "/" not in folder else f"{folder}/{name}",
        path=folder,
        sheets=lambda wanted: sheets[wanted],
        worksheets=Fake("Sheets", list(sheets.values())),
    )


def started(
    name: str, *, sources: dict[str, str] | None = None, folder: str = r"C:\Downloads"
) -> Project:
    """The add-in with the hostile workbook in front; `sources` put xlwings' own code in its place."""
    return Project(
        built.addin(),
        application={
            "activeworkbook": hostile(folder, name),
            "name": "Microsoft Excel",
            "pathseparator": "\\",
            "range": lambda first, _last: first,
        },
        environment=WINDOWS,
        files={
            USER_FILE: {"INTERPRETER_WIN": r"C:\py\python.exe"},
            rf"{folder}\xl_rebal.conf": EVIL,
            rf"{folder}\\xl_rebal.conf": EVIL,
            rf"{folder}\myaddin.conf": EVIL,
            rf"{folder}\\myaddin.conf": EVIL,
        },
        sources=sources,
    )


@pytest.fixture(scope="module")
def original(shipped: dict[str, str]) -> Project:
    """xlwings' code as it comes, with the hostile workbook in front."""
    asked = 'If GetConfig("SHOW CONSOLE", False) = True Then'  # the interpreter compares no text with True
    assert asked in shipped["xlwings"]
    return started(
        NAMES[0], sources={"xlwings": shipped["xlwings"].replace(asked, "If False Then")}
    )


def test_the_attack_works_on_what_xlwings_ships(original: Project) -> None:
    assert original.run("GetConfig", "INTERPRETER_WIN", "python") == EVIL["INTERPRETER_WIN"]
    command = original.run("XLPyCommand")
    assert r"C:\evil\python.exe" in command
    assert NAMES[0].replace("&", "^&") in command, "and the name stands in the command line"


@pytest.mark.parametrize("name", NAMES)
def test_neither_sheet_nor_folder_nor_name_reaches_the_settings_or_the_command(name: str) -> None:
    p = started(name)
    settings = p.predeclared("RebalXlwings")
    for key, value in EVIL.items():
        assert p.on(settings, "GetConfig", key, "unset") != value, key
    assert p.on(settings, "GetConfig", "INTERPRETER_WIN") == r"C:\py\python.exe"
    command = p.on(settings, "XLPyCommand")
    assert command == (
        r'C:\Windows\System32\cmd.exe  /K ""C:\py\python.exe" -B -P -c "import sys, os;'
        r"os.chdir(sys.prefix);import xlwings.utils;xlwings.utils.prepare_sys_path(\"false;;;;;\");"
        "import xlwings; xlwings.serve('$(CLSID)')\"\""
    )
    workbook = p.application.members["activeworkbook"]
    assert workbook.log == [], "not one member of the workbook was asked for"


def test_only_the_users_file_is_looked_at() -> None:
    p = started(NAMES[0])
    looked: list[str] = []
    real = p.files

    class Watched(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            looked.append(str(key))
            return key in real

        def __getitem__(self, key: str) -> Any:
            looked.append(key)
            return real[key]

    p.files = Watched()
    p.on(p.predeclared("RebalXlwings"), "XLPy")
    assert set(looked) == {USER_FILE}


def test_a_cell_can_call_nothing_but_the_functions_and_harmless_texts(
    sources: dict[str, str], shipped: dict[str, str]
) -> None:
    """`=RunPython("...")` in a workbook calls any function of an add-in's standard modules, private too."""
    callable_from_cells = {
        f"{module}.{name}"
        for module, source in sources.items()
        if "Attribute VB_Base" not in source
        for name in re.findall(
            r"^(?:Public |Private )?(?:Static )?Function (\w+)\(", source, flags=re.MULTILINE
        )
    }
    functions = {f"RebalFunctions.{function.name}" for function in registry.functions()}
    reading = {  # arguments on their way; they give back what the cell could read itself
        f"RebalFunctions.Rebal{n}"
        for n in "Argument StandIn WithHeader UsedPart InWizard Failure".split()
    }
    texts = {
        f"RebalText.Rebal{n}"
        for n in """Hex PythonCommand MadeOf SafeInShell IsWholePath VersionFault IsOurs WithoutPath
        AfterQuoted Unquoted AfterWord CallFollows""".split()
    }
    about_objects = {  # take a workbook or sheet, which a cell cannot hand over, or show a dialog
        f"RebalRepair.Rebal{n}"
        for n in """Mend ForeignLinks HasFunctions CellsWith AsArray IsFormulaWith Lift PutBack ChangeLinks
        Spills IsSpilledInto Left""".split()
    }
    dialogs = {
        f"RebalMacros.Rebal{n}"
        for n in ("AskOpen", "AskSave", "AskReports", "ReportsName", "WorkbookThere")
    }
    help_ = {"RebalRibbon.RebalHelpText"}
    assert callable_from_cells == functions | reading | texts | about_objects | dialogs | help_
    assert "Function RunPython(" in shipped["xlwings"], "this is why"
    assert "Attribute VB_Base" not in shipped["xlwings"]
    assert "Attribute VB_Base" in sources["RebalXlwings"]


def test_a_shape_can_start_no_macro(sources: dict[str, str]) -> None:
    """A shape's OnAction may name a Sub of an add-in, with arguments even, but it has no control to give."""
    free = re.compile(r"^(?:Public )?Sub (\w+)\(([^)]*)\)", flags=re.MULTILINE)
    without_control = {
        f"{module}.{name}": arguments
        for module, source in sources.items()
        if "Attribute VB_Base" not in source
        for name, arguments in free.findall(source)
        if "As IRibbonControl" not in arguments
    }
    assert set(without_control) == {
        "RebalHelp.RebalDescribeFunctions",  # help texts
        "RebalMacros.CleanUp",  # frees the Mac's status bar
        "RebalMacros.RebalShowHelp",
        "RebalRepair.RebalRewriteCell",  # needs a cell as an object
        "RebalStart.RebalArrived",  # needs a workbook as an object
        "RebalStart.RebalBegin",
        "RebalStart.RebalReady",  # mends links and computes, as at every start
    }
    host = sources["RebalHost"]
    assert "If control Is Nothing Then Err.Raise" in host


def test_nothing_starts_programs_but_the_one_call(sources: dict[str, str]) -> None:
    code = {
        name: "\n".join(
            line
            for line in source.split("\n")
            if not line.lstrip().startswith("'") and " Declare " not in line
        )
        for name, source in sources.items()
    }
    everything = "\n".join(code.values())
    assert re.findall(r"\bShell\b(?!\")", everything) == []
    assert not re.search(
        r"\.(Run|Exec|ShellExecute|Popup)\b(?! RebalPythonCommand)",
        everything.replace("RebalHost.Run ", ""),
    )
    assert sorted(re.findall(r'CreateObject\("([\w.]+)"\)', everything)) == [
        "Scripting.Dictionary",
        "Scripting.Dictionary",  # in Tim Hall's class
    ]
    for word in (
        "ExecuteWindows",
        "GetDirectoryConfigFilePath",
        "ADD_WORKBOOK_TO_PYTHONPATH",
        '.py"',
    ):
        assert word not in everything, word
    assert "LICENSE_KEY" not in everything
    assert everything.count("AppleScriptTask(") == 1
    declared = re.findall(
        r"^ *(\w+) Declare (?:PtrSafe )?Function (\w+)",
        "\n".join(sources.values()),
        flags=re.MULTILINE,
    )
    assert set(declared) == {("Private", "XLPyDLLActivateAuto"), ("Private", "LoadLibrary")}


def test_nothing_refers_to_a_procedure_that_was_cut(
    sources: dict[str, str], shipped: dict[str, str]
) -> None:
    """VBA finds a missing procedure when it compiles in Excel; the texts must show it here."""
    before, after = set(procedures(shipped["xlwings"])), set(procedures(sources["RebalXlwings"]))
    cut = before - after
    assert {"ExecuteWindows", "RunFrozenPython", "SaveConfigToFile", "ImportPythonUDFs"} <= cut
    assert after <= before
    everything = "\n".join(sources.values())
    code = "\n".join(x for x in everything.split("\n") if not x.lstrip().startswith("'"))
    assert [name for name in sorted(cut) if re.search(rf"\b{name}\b", code)] == []
    assert "Public Declare" not in code
    assert "Public Const" not in sources["RebalXlwings"], "a class may hold none"


def test_the_active_workbook_is_named_in_known_places_only(sources: dict[str, str]) -> None:
    places = {}
    for module, source in sources.items():
        for procedure in procedures(source):
            body = re.search(
                rf"^(?:Public |Private )?(Function|Sub) {procedure}\(.*?^End \1",
                source,
                re.M | re.S,
            )
            lines = body[0].split("\n") if body else []
            found = [x for x in lines if "ActiveWorkbook" in x and not x.lstrip().startswith("'")]
            if found:
                places[f"{module}.{procedure}"] = len(found)
    assert places == {
        "RebalFunctions.RebalStandIn": 1,  # whose tables stand in, when no cell calls
        "RebalHost.Run": 1,  # handed to the macro as an object
        "RebalMacros.RebalReportsName": 1,  # its name, proposed to the user
        "RebalMacros.RebalWorkbookThere": 1,
        "RebalStart.RebalDescribeOnce": 1,
        "RebalXlwings.ExecuteMac": 2,  # its name, checked before
    }


# Python


def _planted(folder: Path) -> Path:
    """Modules beside the workbook under every name that the first lines import."""
    for name in ("xlwings", "numpy", "pandas", "xl_rebal", "win32api"):
        (folder / f"{name}.py").write_text("print('PLANTED', __name__)\nraise SystemExit(66)\n")
    return folder


def _start(command: str, folder: Path) -> str:
    """Run what the command line gives to Python in the workbook's folder, up to where Excel is served."""
    options, _, code = command.partition('python.exe" ')[2].partition('-c "')
    code = code.replace('\\"', '"').replace("^&", "&").rstrip('"')
    probe = "import numpy, xl_rebal; print('FINE', __import__('sys').path[:2])"
    code = re.sub(r"xlwings\.serve\('\$\(CLSID\)'\)$", probe, code)
    assert probe in code
    done = subprocess.run(
        [sys.executable, *options.split(), "-c", code], cwd=folder, capture_output=True, text=True
    )
    return done.stdout + done.stderr[-500:]


def test_modules_beside_the_workbook_are_not_imported(original: Project, tmp_path: Path) -> None:
    folder = _planted(tmp_path)
    theirs = original.run("XLPyCommand")
    assert "PLANTED" in _start(theirs, folder), "this is what xlwings' own start does"
    ours = started("client.xlsx")
    command = ours.on(ours.predeclared("RebalXlwings"), "XLPyCommand")
    shown_ = _start(command, folder)
    assert shown_.startswith("FINE")
    assert "''" not in shown_, "the current folder is not on the path"
    ours.files[USER_FILE]["PYTHONPATH"] = r"C:\lib"
    assert r"'C:\\lib'" in _start(ours.on(ours.predeclared("RebalXlwings"), "XLPyCommand"), folder)


def test_the_path_that_xlwings_makes_of_our_words_is_empty() -> None:
    """An empty seventh part would put the current folder on the path: it must not be there at all."""
    printed = run_python(
        "import sys, xlwings.utils as u\n"
        "for words in ('false;;;;;', 'false;;;;;;', 'false;;;;;;/lib', 'true;/x/a;b;c;d;e;f;g.xlsx'):\n"
        "    before = list(sys.path); u.prepare_sys_path(words)\n"
        "    print(sorted(set(map(repr, sys.path[: len(sys.path) - len(before)]))))\n"
        "    sys.path[:] = before\n"
    ).splitlines()
    assert printed[0] == "[]"
    assert printed[1] == "[\"''\"]", "this is what xlwings' own code passes"
    assert printed[2] == "[\"'/lib'\"]"
    assert "'f'" in printed[3], "and a name with semicolons chooses the path"


def test_the_calling_workbook_is_taken_as_an_object_and_nothing_in_it_is_read() -> None:
    """RebalHost sets BOOK_CALLER; Book.caller() then asks the workbook for nothing at all."""
    printed = run_python(
        "from tests.excel import fake_windows as f; f.install()\n"
        "from types import SimpleNamespace as N\n"
        "import xlwings as xw\n"
        "from xlwings.com_server import XLPython\n"
        "class Book:\n"
        "    def __getattr__(self, name): print('asked for', name); raise AttributeError(name)\n"
        "server, book = XLPython(), Book()\n"
        "import xlwings.com_server as c\n"
        "c.FromVariant = c.ToVariant = lambda thing: thing\n"
        "server.SetAttr(server.Module('xlwings._xlwindows'), 'BOOK_CALLER', book)\n"
        "import sys; before = list(sys.path)\n"
        "found = xw.Book.caller()\n"
        "print(type(found).__name__, sys.path == before)\n"
    )
    assert printed.split("\n")[:1] == ["Book True"]


def test_a_function_call_names_its_module_itself(sources: dict[str, str]) -> None:
    """CallUDF imports the module that it is told: never one that a cell or workbook names."""
    calls = re.findall(r"CallUDF\((.*?), Array\(", sources["RebalFunctions"])
    assert calls == [
        f'"xl_rebal.excel.hosts.desktop", "{function.python_name}"'
        for function in registry.functions()
    ]
    everything = "\n".join(sources.values())
    assert everything.count(".CallUDF(") == len(calls)
    assert everything.count(".Exec ") == 1
    presses = re.findall(r"RebalPress control, \"(\w+)\"", sources["RebalRibbon"])
    assert presses == [b.macro for g in shown() for b in g.buttons if b.macro != "help"]


# The Mac


def _applescript() -> str:
    name = f"xlwings-{xlwings_code.version()}.applescript"
    return xlwings_code.quickstart().with_name(name).read_text(encoding="utf-8")


def _shell_command(parameter: str) -> str:
    """What VbaHandler of xlwings' AppleScript makes of the parameter; its text is checked below."""
    path, interpreter, command, workbook, application, log = parameter.split("|")
    return (
        f'{interpreter} -B -u -W ignore -c "import xlwings.utils;'
        f"xlwings.utils.prepare_sys_path('{path}');{command} \" "
        f'"--wb={workbook}" "--from_xl=1" "--app={application}" > /dev/null 2>"{log}" & '
    )


def test_the_applescript_is_the_one_that_was_read() -> None:
    text = re.sub(r"\s+", " ", _applescript())
    assert 'to SplitString(ParameterString, "|")' in text
    assert (
        'set ShellCommand to PythonInterpreter & " -B -u -W ignore -c \\"import xlwings.utils;'
        'xlwings.utils.prepare_sys_path(\'" & PYTHONPATH & "\');" & ¬ PythonCommand & " \\" '
        '\\"--wb=" & WorkbookName & "\\" \\"--from_xl=1\\" \\"--app=" & ApplicationFullName & "\\" '
        '> /dev/null 2>\\"" & LOG_FILE & "\\" & "'
    ) in text


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
@pytest.mark.parametrize("name", ["Smith & Sons; (2026) #1 'x' !.xlsx", "-m evil <in >out *.xlsx"])
def test_a_name_that_is_let_through_stays_one_word_of_the_command(
    name: str, tmp_path: Path
) -> None:
    folder = _planted(tmp_path)
    python = tmp_path / "it's a python"
    python.symlink_to(sys.executable)
    p = Project(
        built.addin(),
        mac=True,
        application={
            "activeworkbook": Fake("Workbook", name=name),
            "version": "16.90",
            "caller": 2023,
            "statusbar": False,
            "path": "/Applications/Microsoft Excel.app/Contents/MacOS",
        },
        environment={"HOME": "/Volumes/Mac/ada"},
        files={
            "/Volumes/Mac/ada/Library/Containers/com.microsoft.Excel/Data//xl_rebal.conf": {
                "INTERPRETER_MAC": str(python)
            }
        },
    )
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert p.app.dialogs == []
    command = _shell_command(p.tasks[-1][3])
    command = command.replace(
        "from xl_rebal.excel.hosts import desktop_macros; desktop_macros.run('check_drift', '')",
        "import sys; print(sys.argv[1:], '' in sys.path)",
    ).replace("> /dev/null", "")
    env = {"PYTHONPATH": ":".join(x for x in sys.path if "site-packages" in x)}
    done = subprocess.run(
        ["/bin/sh", "-c", command.rstrip("& ")], cwd=folder, capture_output=True, text=True, env=env
    )
    log = Path(p.tasks[-1][3].split("|")[-1])
    assert done.returncode in (0, 2), done.stderr
    if done.returncode == 2:  # the log's folder is the Mac's
        command = command.replace(f'2>"{log}"', "")
        done = subprocess.run(
            ["/bin/sh", "-c", command.rstrip("& ")],
            cwd=folder,
            capture_output=True,
            text=True,
            env=env,
        )
    arguments = [f"--wb={name}", "--from_xl=1", "--app=/Applications/Microsoft Excel.app/Contents/"]
    assert done.stdout.strip().startswith(str(arguments)[:-2]), done.stdout + done.stderr
    assert done.stdout.strip().endswith("False")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
def test_a_name_that_is_refused_would_have_run_code(tmp_path: Path) -> None:
    parameter = f"false;;;;;;|{shlex.quote(sys.executable)}|pass|$(touch hacked)|/a|/dev/null"
    subprocess.run(["/bin/sh", "-c", _shell_command(parameter) + "wait"], cwd=tmp_path, check=True)
    assert (tmp_path / "hacked").exists()
