"""The add-in's VBA, run procedure by procedure in pyOpenVBA's interpreter against strict fakes of Excel.

Every procedure is either run by a scenario here, or stands in EXCEL_ONLY with the reason and its line in
docs/excel-checklist.md. What is shown is the code's own work; Excel's is on the checklist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pyopenvba.exceptions import VBARuntimeError

from tests.excel import built
from tests.excel.vba_run import (
    NOTHING_AT_ALL,
    REPLACED,
    Fake,
    Project,
    collection,
    module_sources,
    plain,
    procedures,
)
from xl_rebal import __version__
from xl_rebal.excel import registry
from xl_rebal.excel.addin import xlwings_code
from xl_rebal.excel.ribbon import shown

OURS = r"C:\Users\ada\AppData\Roaming\Microsoft\AddIns\xl_rebal.xlam"
THEIRS = r"C:\Users\bob\xl_rebal.xlam"
CALL = 'REBAL_DRIFT(tblHoldings[#All],tblTargets[#All],"5pp")'
LEFT_BY_BOB = f"='{THEIRS}'!{CALL}"
MENDED = f"={CALL}"
USER_FILE = r"C:\Users\ada\.xl_rebal\xl_rebal.conf"
WINDOWS = {"USERPROFILE": r"C:\Users\ada", "SystemRoot": r"C:\Windows"}
SETTINGS = {"INTERPRETER_WIN": r"C:\py\python.exe"}

pytestmark = pytest.mark.xdist_group("addin-vba")  # all scenarios run once

EXCEL_ONLY = {
    "Dictionary": "tim hall's class for the Mac, unchanged from xlwings; the Mac's settings need it",
    "ThisWorkbook.Workbook_Open": "called by Excel alone; one line that calls RebalBegin",
    "RebalXlwings.ToMacPath": "asks AppleScript for the path of the Mac's log",
    "RebalXlwings.ToPosixPath": "asks AppleScript; on the Mac before Excel 2016 only",
}


def excel(**members: Any) -> dict[str, Any]:
    """An Application with the add-in as ThisWorkbook and no dialogs."""
    mine = Fake(
        "Workbook", fullname=OURS, name="xl_rebal.xlam", sheets=_no_sheet, worksheets=collection([])
    )
    found: dict[str, Any] = {
        "thisworkbook": mine,
        "activeworkbook": NOTHING_AT_ALL,
        "workbooks": collection([]),
        "enableevents": True,
        "displayalerts": True,
        "screenupdating": True,
        "visible": True,
        "interactive": True,
        "statusbar": False,
        "calculation": -4105,
        "version": "16.0",
        "caller": 2023,  # not a cell
        "calculatefullrebuild": lambda: None,
        "ontime": lambda when, what: None,
        "macrooptions": lambda **_: None,
    }
    return found | {name.lower(): value for name, value in members.items()}


def _no_sheet(name: str) -> Any:
    raise VBARuntimeError(9, f"no sheet {name}")


def project(*, mac: bool = False, **members: Any) -> Project:
    return Project(
        built.addin(),
        mac=mac,
        application=excel(**members),
        environment=WINDOWS,
        files={USER_FILE: SETTINGS},
    )


def failure(run: Callable[[], Any]) -> str:
    """The words of the error that must come."""
    with pytest.raises(VBARuntimeError) as caught:
        run()
    return str(caught.value)


# Texts


def texts_become_hexadecimal(p: Project) -> None:
    assert p.run("RebalHex", "") == ""
    assert p.run("RebalHex", "C:\\x '\"\n") == "0043003A005C0078002000270022000A"
    for text in ("Müller €", "C:\\Users\\o'neil\\Depot (2026).csv", "日本"):
        assert bytes.fromhex(p.run("RebalHex", text)).decode("utf-16-be") == text


def commands_hold_plain_names_only(p: Project) -> None:
    assert p.run("RebalPythonCommand", "check_drift", "00E9") == (
        "from xl_rebal.excel.hosts import desktop_macros; desktop_macros.run('check_drift', '00E9')"
    )
    for macro, digits in [
        ("", ""),
        ("a'); import os; ('", ""),
        ("Check_Drift", ""),
        ("check_drift", "00e9"),
        ("check_drift", "'"),
        ("check_drift", "00\n"),
        ("check drift", ""),
    ]:
        assert "1005" in failure(partial(p.run, "RebalPythonCommand", macro, digits))
    assert p.run("RebalMadeOf", "abc", "cba") is True
    assert p.run("RebalMadeOf", "abC", "cba") is False


def names_are_safe_in_a_shell_or_not(p: Project) -> None:
    for name in ("Smith & Sons (2026).xlsx", "o'neil; #1 !.xlsx", "Müller €.xlsm", "~$x"[:1] + "x"):
        assert p.run("RebalSafeInShell", name) is True, name
    for name in ("$(id).xlsx", "`id`.xlsx", 'a"b', "a\\b", "a|b", "a\nb", "a\x7f", "a=b", "$HOME"):
        assert p.run("RebalSafeInShell", name) is False, name


def programs_are_named_by_whole_paths(p: Project) -> None:
    for path in (r"C:\py\python.exe", r"z:\a b\python.exe", r"\\server\share\python.exe"):
        assert p.run("RebalIsWholePath", path, False) is True, path
    for path in (
        "",
        "python",
        "pythonw",
        r"py\python.exe",
        r"\python.exe",
        "C:python.exe",
        r"1:\p",
    ):
        assert p.run("RebalIsWholePath", path, False) is False, path
    assert p.run("RebalIsWholePath", 'C:\\a" & calc & "\\python.exe', False) is False
    assert p.run("RebalIsWholePath", "/usr/bin/python3", True) is True
    for path in ("", "python", "bin/python", r"C:\python.exe"):
        assert p.run("RebalIsWholePath", path, True) is False, path


def versions_that_differ_name_the_mend(p: Project) -> None:
    assert p.run("RebalVersionFault", "1.0", "1.0", "0.37.8", "0.37.8") == ""
    other = p.run("RebalVersionFault", "1.0", "1.0", "0.37.8", "0.40.0")
    assert "built for xlwings 0.37.8, but Python has 0.40.0" in other
    assert "pip install xlwings==0.37.8" in other
    older = p.run("RebalVersionFault", "1.0", "1.1", "0.37.8", "0.37.8")
    assert "of version 1.0, but Python has xl_rebal 1.1; run xl-rebal install excel" in older


LINKS = {
    THEIRS: True,
    r"C:\Users\o'neil\XL_REBAL.XLAM": True,
    "https://d.docs.live.net/abc/xl_rebal.xlam": True,
    "xl_rebal.xlam": True,
    "Macintosh HD:Users:bob:xl_rebal.xlam": True,
    r"C:\Users\bob\my_xl_rebal.xlam": False,
    r"C:\xl_rebal.xlam\prices.xlsx": False,
    r"C:\xl_rebal.xlam.xlsx": False,
    "": False,
}


def links_of_ours_are_known_by_their_name(p: Project) -> None:
    for link, ours in LINKS.items():
        assert p.run("RebalIsOurs", link) is ours, link


FORMULAS = {
    LEFT_BY_BOB: MENDED,
    "='C:\\o''neil\\xl_rebal.xlam'!rebal_drift(A1)": "=rebal_drift(A1)",
    "=xl_rebal.xlam!REBAL_VERSION()": "=REBAL_VERSION()",
    f"=SUM(1,'{THEIRS}'!REBAL_COST(A1:C3))*-XL_Rebal.xlam!REBAL_COST(B1)": (
        "=SUM(1,REBAL_COST(A1:C3))*-REBAL_COST(B1)"
    ),
    "=INDEX('https://x.sharepoint.com/a b/xl_rebal.xlam'!REBAL_TRADES(A1),2,3)": (
        "=INDEX(REBAL_TRADES(A1),2,3)"
    ),
    # What must stay as it is.
    f'="\'{THEIRS}\'!REBAL_DRIFT(""x"")"': None,
    "='My sheet'!A1+'[other.xlsx]Sheet'!B2": None,
    f"='{THEIRS}'!OTHER(1)": None,
    "='C:\\a\\my_xl_rebal.xlam'!REBAL_DRIFT(A1)": None,
    "=my_xl_rebal.xlam!REBAL_DRIFT(A1)": None,
    "='C:\\a\\[xl_rebal.xlam]xl_rebal.conf'!A1": None,
    '=tblHoldings[[#All],[it\'s "odd"]]': None,
    "=REBAL_DRIFT(A1)": None,
    "='unfinished": None,
    '="unfinished': None,
    "plain text": None,
    "": None,
}


def paths_leave_formulas_and_nothing_else(p: Project) -> None:
    for formula, expected in FORMULAS.items():
        wanted = formula if expected is None else expected
        assert p.run("RebalWithoutPath", formula) == wanted, formula
        assert p.run("RebalWithoutPath", wanted) == wanted, "mending twice changes nothing more"


# Workbooks


class Sheet(Fake):
    """A sheet of formulas, rows by columns from A1; cells can be taken and written."""

    def __init__(self, name: str, rows: list[list[Any]], *, top: int = 1, **members: Any) -> None:
        self.rows = rows
        self.top = top
        self.cells: dict[tuple[int, int], Fake] = {}
        super().__init__("Worksheet", name=name, usedrange=self._area(0, 0), cells=self.cell)
        self.members["protectcontents"] = False
        self.members |= members

    def _area(self, row: int, column: int, tall: int = 0, wide: int = 0) -> Fake:
        tall, wide = tall or len(self.rows), wide or len(self.rows[0])
        part = [r[column : column + wide] for r in self.rows[row : row + tall]]
        return Fake(
            "Range",
            row=self.top + row,
            column=1 + column,
            rows=Fake("Rows", count=tall),
            columns=Fake("Columns", count=wide),
            formula=part[0][0] if tall == wide == 1 else part,
            cells=lambda r, c: self._area(row + int(r) - 1, column + int(c) - 1, 1, 1),
            resize=lambda t, w: self._area(row, column, int(t), int(w)),
        )

    def cell(self, row: Any, column: Any) -> Fake:
        place = (int(row) - self.top, int(column) - 1)
        if place not in self.cells:
            formula = self.rows[place[0]][place[1]]
            made = Fake("Range", row=int(row), column=int(column), hasarray=False, hasspill=False)
            made.members |= {"formula": formula, "formula2": formula}

            def write(text: str, place: tuple[int, int] = place) -> None:
                self.rows[place[0]][place[1]] = text
                made.members["formula2"] = made.members["formula"] = text

            made.members |= {"formula2=": write, "formula=": write}
            self.cells[place] = made
        return self.cells[place]


def book(sheets: list[Sheet], *, links: list[str], refuses: bool = False, **members: Any) -> Fake:
    """A workbook whose links live as long as a formula of it shows them."""

    def sources(kind: int) -> list[str] | None:
        assert kind == 1  # xlExcelLinks
        texts = [str(cell) for sheet in sheets for row in sheet.rows for cell in row]
        texts += [name.members["refersto"] for name in names]
        alive = [link for link in links if any(link in text for text in texts)]
        return alive or None

    def change(old: str, new: str, kind: int) -> None:
        assert (new, kind) == (OURS, 1)
        if refuses or any(s.members["protectcontents"] for s in sheets):
            raise VBARuntimeError(1004, "ChangeLink failed")
        for sheet in sheets:
            sheet.rows[:] = [[str(c).replace(f"'{old}'!", "") for c in r] for r in sheet.rows]

    names = members.pop("names_", [])
    return Fake(
        "Workbook",
        name="client.xlsx",
        saved=members.pop("saved", True),
        worksheets=collection(sheets),
        names=collection(names),
        linksources=sources,
        changelink=change,
        **members,
    )


def _state(p: Project) -> tuple[Any, ...]:
    names = ("enableevents", "displayalerts", "screenupdating", "calculation")
    return tuple(p.application.members[name] for name in names)


def a_workbook_without_foreign_links_is_left_alone(p: Project) -> None:
    sheet = Sheet("Drift", [[MENDED]])
    for links in ([], [OURS], [r"C:\prices.xlsx"], [OURS.lower()]):
        sheet.rows[0][0] = MENDED + "".join(links)
        untouched = book([sheet], links=links)
        assert p.run("RebalMend", untouched) == ""
        assert untouched.happened("ChangeLink") == []
    assert p.application.log == [] or not p.application.happened("EnableEvents")


def excel_changes_the_link(p: Project) -> None:
    before = _state(p)
    sheets = [Sheet("Drift", [[LEFT_BY_BOB, 1.0], ["x", LEFT_BY_BOB]]), Sheet("Notes", [["a"]])]
    client = book(sheets, links=[THEIRS, r"C:\prices.xlsx"])
    assert p.run("RebalMend", client) == ""
    assert sheets[0].rows == [[MENDED, "1.0"], ["x", MENDED]]
    assert len(client.happened("ChangeLink")) == 1
    assert client.members["saved"] is True, "opening a file must not make Excel ask to save it"
    assert _state(p) == before
    assert ("set", "DisplayAlerts", False) in p.application.log


def formulas_are_rewritten_where_excel_refuses(p: Project) -> None:
    sheet = Sheet("Drift", [["title", 2.0], [LEFT_BY_BOB, "=1+1"]], top=3)
    name = Fake("Name", refersto=f"='{THEIRS}'!REBAL_VERSION()")
    client = book([sheet], links=[THEIRS], refuses=True, saved=False, names_=[name])
    assert p.run("RebalMend", client) == ""
    assert sheet.rows == [["title", 2.0], [MENDED, "=1+1"]]
    assert sheet.cell(4, 1).happened("Formula2")[-1] == ("set", "Formula2", MENDED)
    assert (1, 1) not in sheet.cells, "cells without such a formula are not touched"
    assert name.members["refersto"] == "=REBAL_VERSION()"
    assert client.members["saved"] is False


def older_excel_knows_no_formula2(p: Project) -> None:
    sheet = Sheet("Drift", [[LEFT_BY_BOB]])
    cell = sheet.cell(1, 1)
    for member in ("formula2", "formula2=", "hasspill"):
        del cell.members[member]
    assert p.run("RebalMend", book([sheet], links=[THEIRS], refuses=True)) == ""
    assert sheet.rows == [[MENDED]]


def a_spilled_table_is_written_at_its_first_cell(p: Project) -> None:
    sheet = Sheet("Drift", [[LEFT_BY_BOB], [LEFT_BY_BOB]])
    first, second = sheet.cell(1, 1), sheet.cell(2, 1)
    for cell in (first, second):
        cell.members |= {"hasspill": True, "spillparent": first, "hasarray": True}
    p.run("RebalRewriteCell", second)
    assert second.happened("Formula2") == []
    p.run("RebalRewriteCell", first)
    assert first.happened("Formula2")[-1] == ("set", "Formula2", MENDED)


def an_older_array_is_written_as_a_whole(p: Project) -> None:
    long = f"='{THEIRS}'!REBAL_POLICY(\"{'x' * 300}\")"
    for formula in (LEFT_BY_BOB, long):
        sheet = Sheet("Drift", [[formula], [formula]])
        first, second = sheet.cell(1, 1), sheet.cell(2, 1)
        area = Fake(
            "Range",
            row=1,
            column=1,
            formulaarray="",
            clearcontents=lambda: None,
            cells=lambda _r, _c, first=first: first,
        )
        for cell in (first, second):
            cell.members |= {"hasarray": True, "currentarray": area}
            p.run("RebalRewriteCell", cell)
        assert second.happened("Formula2") == []
        if formula is long:
            assert area.happened("ClearContents")
            assert first.members["formula2"] == p.run("RebalWithoutPath", long)
        else:
            assert area.happened("FormulaArray") == [("set", "FormulaArray", MENDED)]


def _protected(name: str, *, password: str) -> Sheet:
    allowed = (
        "FormattingCells FormattingColumns FormattingRows InsertingColumns InsertingRows".split()
    )
    allowed += "InsertingHyperlinks DeletingColumns DeletingRows Sorting Filtering UsingPivotTables".split()
    sheet = Sheet(name, [[LEFT_BY_BOB]])

    def unprotect(given: str) -> None:
        if given != password:
            raise VBARuntimeError(1004, "wrong password")
        sheet.members["protectcontents"] = False

    def protect(**how: Any) -> None:
        sheet.members["protectcontents"] = how["contents"]

    sheet.members |= {
        "protectcontents": True,
        "protectdrawingobjects": True,
        "protectscenarios": False,
        "protectionmode": False,
        "enableselection": 1,
        "protection": Fake(
            "Protection", [], **{f"allow{n.lower()}": n == "Sorting" for n in allowed}
        ),
        "unprotect": unprotect,
        "protect": protect,
    }
    return sheet


def protection_without_a_password_is_lifted_and_put_back(p: Project) -> None:
    sheet = _protected("REBAL Drift", password="")
    assert p.run("RebalMend", book([sheet], links=[THEIRS])) == ""
    assert sheet.rows == [[MENDED]]
    assert sheet.members["protectcontents"] is True
    how = sheet.happened("Protect")[-1][-1]
    assert how["drawingobjects"] is True
    assert how["scenarios"] is how["userinterfaceonly"] is False
    assert [name for name, value in how.items() if name.startswith("allow") and value] == [
        "allowsorting"
    ]
    assert len([name for name in how if name.startswith("allow")]) == 11
    assert ("set", "EnableSelection", 1) in sheet.log


def a_password_is_respected_and_named(p: Project) -> None:
    locked, free = _protected("Locked", password="secret"), Sheet("Free", [[LEFT_BY_BOB]])
    words = p.run("RebalMend", book([locked, free], links=[THEIRS]))
    assert "client.xlsx: some REBAL_ formulas still point at the add-in of another machine" in words
    assert "unprotect Locked (a password is needed)" in words
    assert locked.rows == [[LEFT_BY_BOB]]
    assert free.rows == [[MENDED]]
    assert locked.happened("Protect") == []


def a_link_that_stays_says_what_to_do(p: Project) -> None:
    sheet = Sheet("Drift", [[f"='{THEIRS}'!OTHER(1)"]])
    words = p.run("RebalMend", book([sheet], links=[THEIRS], refuses=True))
    assert f"use Data > Edit Links > Change Source and choose {OURS}" in words


def a_failure_in_the_middle_restores_excel(p: Project) -> None:
    before = _state(p)
    sheet = _protected("REBAL Drift", password="")
    broken = Sheet("Broken", [[LEFT_BY_BOB]])
    cell = broken.cell(1, 1)

    def refuse(_: str) -> None:
        raise VBARuntimeError(1004, "the cell is in a pivot table")

    cell.members["formula2="] = refuse
    words = p.run("RebalMend", book([sheet, broken], links=[THEIRS], refuses=True))
    assert "the cell is in a pivot table" in words
    assert _state(p) == before
    assert sheet.members["protectcontents"] is True


def functions_are_found_in_any_sheet(p: Project) -> None:
    none = book([Sheet("A", [["REBAL_ in words", 1.0]]), Sheet("B", [["=SUM(A1)"]])], links=[])
    assert p.run("RebalHasFunctions", none) is False
    tall = [["=1"] for _ in range(12_000)]
    tall[11_999] = ["=rebal_version()"]
    assert p.run("RebalHasFunctions", book([Sheet("A", tall)], links=[])) is True


def excel_is_restored_when_the_object_goes(p: Project) -> None:
    before = _state(p)
    quiet = p.new("RebalQuiet")
    p.on(quiet, "Begin")
    assert _state(p) == (False, False, False, -4135)
    _event(p, "RebalQuiet", "Class_Terminate", quiet)
    assert _state(p) == before
    p.application.members["enableevents"] = False
    p.on(quiet, "Finish")
    assert p.application.members["enableevents"] is False, "put back once, not later again"


def settings_come_from_the_addin_and_the_user_in_this_order(p: Project) -> None:
    del p.application.members["thisworkbook"]  # the real one, with its sheet
    settings = p.predeclared("RebalXlwings")
    p.files[USER_FILE] = SETTINGS | {"USE UDF SERVER": "user", "PYTHONPATH": r"%USERPROFILE%\lib"}
    assert p.on(settings, "GetConfig", "USE UDF SERVER", "default") == "True"
    assert p.on(settings, "GetConfig", "INTERPRETER_WIN", "default") == r"C:\py\python.exe"
    assert p.on(settings, "GetConfig", "PYTHONPATH") == r"C:\Users\ada\lib"
    assert p.on(settings, "GetConfig", "CONDA PATH", "default") == "default"


def _event(p: Project, module: str, name: str, me: Any, *given: Any) -> None:
    """Call a handler, as VBA itself does: it is private."""
    runtime = next(m for m in p.interpreter.modules.values() if m.name == module)
    procedure = next(x for x in runtime.parsed.procedures if x.name == name)
    p.interpreter.call(procedure, runtime, list(given), {}, me=me)


# Start


def excel_starts_before_a_workbook_is_there(p: Project) -> None:
    p.run("RebalBegin")
    when = p.application.happened("OnTime")
    assert when[0][3] == "'xl_rebal.xlam'!RebalReady"
    p.run("RebalReady")
    assert p.application.happened("MacroOptions") == [], "MacroOptions fails without a workbook"
    assert p.application.happened("CalculateFullRebuild") == []


def workbooks_that_were_open_are_mended_described_and_computed(p: Project) -> None:
    sheet = Sheet("Drift", [[LEFT_BY_BOB]])
    client = book([sheet], links=[THEIRS])
    mine = p.application.members["thisworkbook"]
    p.application.members |= {"workbooks": collection([mine, client]), "activeworkbook": client}
    p.run("RebalReady")
    assert p.application.happened("CalculateFullRebuild") == [], "opened after the add-in"
    for _ in range(2):
        p.run("RebalBegin")
        p.run("RebalReady")
        p.run("RebalReady")
    assert sheet.rows == [[MENDED]]
    described = [entry[-1]["macro"] for entry in p.application.happened("MacroOptions")]
    assert described[0] == "'xl_rebal.xlam'!REBAL_WEIGHTS"
    assert len(described) == len(set(described)), "described once"
    assert len(p.application.happened("CalculateFullRebuild")) == 2
    p.application.members["calculation"] = -4135  # by hand: the user computes
    p.run("RebalBegin")
    p.run("RebalReady")
    assert len(p.application.happened("CalculateFullRebuild")) == 2


def a_workbook_that_arrives_is_mended(p: Project) -> None:
    events = p.new("RebalEvents")
    for handler in ("Watched_WorkbookOpen", "Watched_NewWorkbook"):
        sheet = Sheet("Drift", [[LEFT_BY_BOB]])
        _event(p, "RebalEvents", handler, events, book([sheet], links=[THEIRS]))
        assert sheet.rows == [[MENDED]]
    p.run("RebalArrived", p.application.members["thisworkbook"])


def what_stays_is_told_once_or_shown_in_the_status_bar(p: Project) -> None:
    locked = book([_protected("Locked", password="x")], links=[THEIRS])
    p.run("RebalArrived", locked)
    assert "unprotect Locked" in p.app.dialogs[-1][1]
    p.application.members["interactive"] = False  # driven by a program: no dialog may wait
    before = len(p.app.dialogs)
    p.run("RebalArrived", locked)
    assert len(p.app.dialogs) == before
    assert "unprotect Locked" in p.application.members["statusbar"]


# Python


class Server:
    """What RebalHost sees of Python: the real Python's answers to a few members."""

    def __init__(self, p: Project, **versions: str) -> None:
        self.versions = {"xl_rebal": __version__, "xlwings": xlwings_code.version()} | versions
        p.server = self.fake = Fake(
            "XLPython",
            module=lambda name: Fake(name, isname=name),
            getattr=lambda module, _: module,
            str=lambda module: self.versions[module.members["isname"]],
            setattr=lambda *_: None,
            exec=lambda _: None,
            calludf=lambda *given: f"{given[0]}.{given[1]}",
        )


def python_starts_once_and_versions_are_compared(p: Project) -> None:
    server = Server(p)
    host = p.predeclared("RebalHost")
    for _ in range(3):
        assert p.on(host, "Python") is server.fake
    assert len(server.fake.happened("GetAttr")) == 2
    assert [task[0] for task in p.tasks] == ["library", "server", "server", "server"]
    assert p.run("RebalHelpText").count("\r\n") == sum(len(g.buttons) for g in shown())


def another_version_is_refused_at_every_call(p: Project) -> None:
    Server(p, xlwings="0.40.0")
    host = p.predeclared("RebalHost")
    for _ in range(2):
        assert "pip install xlwings==" in failure(lambda: p.on(host, "Python"))
    Server(p, xl_rebal="99.0")
    assert "but Python has xl_rebal 99.0" in failure(lambda: p.on(host, "Python"))


def a_macro_gets_the_active_workbook_and_only_from_the_ribbon(p: Project) -> None:
    server = Server(p)
    client = book([], links=[])
    p.application.members["activeworkbook"] = client
    host = p.predeclared("RebalHost")
    assert "only the ribbon" in failure(lambda: p.on(host, "Run", NOTHING_AT_ALL, "help", ""))
    p.on(host, "Run", Fake("IRibbonControl"), "check_drift", "é")
    assert server.fake.happened("SetAttr")[0][3:] == ("BOOK_CALLER", client)
    assert server.fake.happened("Exec") == [
        (
            "call",
            "Exec",
            "from xl_rebal.excel.hosts import desktop_macros; "
            "desktop_macros.run('check_drift', '00E9')",
        )
    ]


def python_that_cannot_be_found_says_how_to_mend_it(p: Project) -> None:
    p.files[USER_FILE] = {"INTERPRETER_WIN": "python"}
    words = failure(lambda: p.on(p.predeclared("RebalXlwings"), "XLPy"))
    assert "run xl-rebal install excel" in words
    assert USER_FILE in words
    p.files[USER_FILE] = SETTINGS
    p.libraries.clear()
    words = failure(lambda: p.on(p.predeclared("RebalXlwings"), "XLPy"))
    assert "could not load xlwings64-" in words
    assert f"pip install xlwings=={xlwings_code.version()}" in words
    assert [task[1] for task in p.tasks] == [
        f"C:\\py\\xlwings64-{xlwings_code.version()}.dll",
        f"C:\\xlwings64-{xlwings_code.version()}.dll",
    ]


def an_environment_of_conda_is_activated_by_whole_paths(p: Project) -> None:
    settings = p.predeclared("RebalXlwings")
    p.files[USER_FILE] = SETTINGS | {"CONDA PATH": r"C:\conda", "CONDA ENV": "rebal"}
    start = r'C:\Windows\System32\cmd.exe  /K ""C:\conda\condabin\conda.bat" activate rebal && '
    assert p.on(settings, "XLPyCommand").startswith(start + r'"C:\py\python.exe" -B -P -c "')
    plain_ = r'C:\Windows\System32\cmd.exe  /K ""C:\py\python.exe" -B -P -c "'
    for path, name in (("conda", "rebal"), (r"C:\conda", "")):
        p.files[USER_FILE] = SETTINGS | {"CONDA PATH": path, "CONDA ENV": name}
        assert p.on(settings, "XLPyCommand").startswith(plain_)
    p.files[USER_FILE] = SETTINGS | {"SHOW CONSOLE": "TRUE"}
    assert " /showconsole /K " in p.on(settings, "XLPyCommand")


def python_can_be_stopped(p: Project) -> None:
    p.on(p.predeclared("RebalXlwings"), "KillPy")
    assert p.tasks[-1][::2] == ("server", -1)


def a_function_shows_what_python_gives_or_the_error(p: Project) -> None:
    Server(p)
    p.application.members["commandbars"] = lambda _name: Fake(
        "CommandBar", controls=lambda _i: Fake("Control", enabled=True)
    )
    assert p.run("REBAL_POLICY", "5pp") == "xl_rebal.excel.hosts.desktop.rebal_policy"
    Server(p, xl_rebal="99.0")
    p.predeclared("RebalHost")
    other = project(commandbars=p.application.members["commandbars"])
    Server(other, xl_rebal="99.0")
    assert other.run("REBAL_VERSION").startswith("#REBAL! ")
    assert "run xl-rebal install excel" in other.run("REBAL_VERSION")
    p.application.members["commandbars"] = lambda _name: Fake(
        "CommandBar", controls=lambda _i: Fake("Control", enabled=False)
    )
    assert p.run("REBAL_POLICY", "5pp") is None, "in the function wizard nothing is computed"


class Area(Fake):
    """A range of a sheet that is used down to row 5 and across to column D."""

    def __init__(self, row: int, column: int, tall: int, wide: int, areas: int = 1) -> None:
        sheet = Fake("Worksheet")
        super().__init__(
            "Range",
            row=row,
            column=column,
            rows=Fake("Rows", count=tall),
            columns=Fake("Columns", count=wide),
            areas=Fake("Areas", count=areas),
            worksheet=sheet,
            listobject=NOTHING_AT_ALL,
            resize=lambda t, w: Area(row, column, int(t), int(w)),
        )
        used = Fake("Range", row=1, column=1)
        used.members |= {"rows": Fake("Rows", count=5), "columns": Fake("Columns", count=4)}
        sheet.members["usedrange"] = used

    @property
    def size(self) -> tuple[int, int]:
        return self.members["rows"].members["count"], self.members["columns"].members["count"]


def every_function_passes_its_arguments_on(p: Project) -> None:
    server = Server(p)
    p.application.members["commandbars"] = lambda _name: Fake(
        "CommandBar", controls=lambda _i: Fake("Control", enabled=True)
    )
    for function in registry.functions():
        given = [f"v{number}" for number, _ in enumerate(function.arguments)]
        shown_ = p.run(function.name, *given)
        assert shown_ == f"xl_rebal.excel.hosts.desktop.{function.python_name}"
        sent = server.fake.happened("CallUDF")[-1][4]
        assert [plain(sent.get([place])) for place in range(len(given))] == given


def ranges_are_cut_to_the_used_part(p: Project) -> None:
    for size, expected in {(1_048_576, 3): (5, 3), (2, 16_384): (2, 4), (2, 2): (2, 2)}.items():
        passed = p.run("RebalArgument", "x", "", True, Area(1, 1, *size))
        assert passed.size == expected
    assert p.run("RebalArgument", "x", "", True, Area(50, 13, 9, 9)).size == (1, 1)
    assert p.run("RebalArgument", "x", "", True, "text") == "text"
    words = failure(lambda: p.run("RebalArgument", "flow", "", True, Area(1, 1, 2, 2, areas=2)))
    assert "flow: is made of 2 ranges" in words
    passed = p.run("RebalArgument", "x", "tblHoldings", True, Area(1, 1, 2, 2))
    assert passed.size == (2, 2), "no table: as it is"
    assert p.run("RebalFailure", "x") == "#REBAL! x"


def _table(name: str, *, headers: bool = True, totals: int = 0) -> Fake:
    """A table of three columns: its header in row 1, three rows, and perhaps totals."""
    whole = Area(1, 1, 4 + totals, 3)
    header = Area(1, 1, 1, 3)
    header.members["resize"] = lambda tall: Area(1, 1, int(tall), 3)
    return Fake(
        "ListObject",
        name=name,
        range=whole,
        showheaders=headers,
        listcolumns=Fake("ListColumns", count=3),
        headerrowrange=header,
        listrows=Fake("ListRows", count=3),
    )


def a_table_brings_its_header_and_no_totals(p: Project) -> None:
    table = _table("tblHoldings", totals=1)
    for row, tall in {1: 5, 2: 3}.items():  # [#All], and the rows alone
        area = Area(row, 1, tall, 3)
        area.members["listobject"] = table
        passed = p.run("RebalArgument", "holdings", "tblHoldings", True, area)
        assert (passed.members["row"], passed.size) == (1, (4, 3))
    part = Area(3, 1, 1, 3)
    part.members["listobject"] = table
    assert p.run("RebalArgument", "holdings", "tblHoldings", True, part).members["row"] == 3
    bare = Area(2, 1, 3, 3)
    bare.members["listobject"] = _table("tblHoldings", headers=False)
    assert p.run("RebalArgument", "holdings", "tblHoldings", True, bare).members["row"] == 2


def an_argument_left_out_is_the_table_of_the_calling_workbook(p: Project) -> None:
    sheet = Fake("Worksheet", listobjects=collection([_table("other"), _table("TBLHOLDINGS")]))
    named = Fake("Name", reftorange=0, referstorange=Area(2, 2, 1, 1))

    def name(wanted: str) -> Fake:
        if wanted != "tblPolicy":
            raise VBARuntimeError(1004, "no such name")
        return named

    client = Fake("Workbook", worksheets=collection([sheet]), names=name)
    sheet.members["parent"] = client
    p.application.members |= {"volatile": lambda: None, "activeworkbook": client}
    for caller in (Fake("Range", worksheet=sheet), 2023):
        p.application.members["caller"] = caller
        passed = p.run("RebalArgument", "holdings", "tblHoldings", True)
        assert passed.size == (4, 3)
        assert p.run("RebalArgument", "policy", "tblPolicy", False).size == (1, 1)
    asked = len(p.application.happened("Volatile"))
    assert asked == 4
    assert p.run("RebalArgument", "costs", "tblCosts", False) in (None, NOTHING_AT_ALL)
    assert p.run("RebalArgument", "flow", "", False) in (None, NOTHING_AT_ALL)
    assert len(p.application.happened("Volatile")) == asked, (
        "a table that is not there costs nothing"
    )
    p.run("RebalArgument", "targets", "tblTargets", True)
    assert len(p.application.happened("Volatile")) == asked + 1, "until the table is there"


# The ribbon


def every_button_runs_its_macro(p: Project) -> None:
    server = Server(p)
    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "getopenfilename": lambda *_: "C:\\Depot Müller.csv",
        "getsaveasfilename": lambda *_: "C:\\orders.csv",
        "activeprotectedviewwindow": NOTHING_AT_ALL,
    }
    for button in (b for group in shown() for b in group.buttons):
        p.run(button.callback, Fake("IRibbonControl"))
        if button.macro == "help":
            assert f"xl_rebal {__version__}" in p.app.dialogs[-1][1]
            continue
        command = server.fake.happened("Exec")[-1][2]
        assert f"desktop_macros.run('{button.macro}', '" in command
        name = {"import_positions": "C:\\Depot Müller.csv", "export_orders": "C:\\orders.csv"}
        argument = bytes.fromhex(command.split("'")[3]).decode("utf-16-be")
        assert argument == name.get(button.macro, "")


def no_file_no_macro(p: Project) -> None:
    server = Server(p)
    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "getopenfilename": lambda *_: False,
        "getsaveasfilename": lambda *_: False,
    }
    p.run("PressImportPositions", Fake("IRibbonControl"))
    p.run("PressExportOrders", Fake("IRibbonControl"))
    assert server.fake.log == []


def without_a_workbook_or_in_protected_view_nothing_runs(p: Project) -> None:
    server = Server(p)
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert "No workbook is open" in p.app.dialogs[-1][1]
    # Behind a file in Protected View another workbook is active: not the one that the user sees.
    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "activeprotectedviewwindow": Fake("ProtectedViewWindow"),
    }
    for press in ("PressGenerateTrades", "PressImportPositions", "PressExportOrders"):
        p.run(press, Fake("IRibbonControl"))
        assert "Protected View" in p.app.dialogs[-1][1]
    assert server.fake.log == []


def a_cell_opens_no_dialog(p: Project) -> None:
    asked: list[Any] = []
    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "getopenfilename": lambda *_: asked.append(1),
        "getsaveasfilename": lambda *_: asked.append(1),
        "caller": Fake("Range"),
    }
    assert p.run("RebalAskOpen") == p.run("RebalAskSave") == ""
    assert asked == []
    assert p.app.dialogs == []


def a_fault_is_one_message(p: Project) -> None:
    Server(p, xlwings="0.1")
    p.application.members["activeworkbook"] = book([], links=[])
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert "built for xlwings" in p.app.dialogs[-1][1]
    assert len(p.app.dialogs) == 1
    p.run("RebalMacros.CleanUp")


# The Mac


def the_mac_gets_a_task_without_a_path_of_the_workbook(p: Project) -> None:
    p.application.members |= {
        "activeworkbook": Fake("Workbook", name="Smith & Sons.xlsx"),
        "path": "/Applications/Microsoft Excel.app/Contents/MacOS",
    }
    p.files["/Volumes/Mac/ada/Library/Containers/com.microsoft.Excel/Data//xl_rebal.conf"] = {
        "INTERPRETER_MAC": "/Volumes/Mac/ada/it's/bin/python",
    }
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert p.app.dialogs == []
    _, script, handler, parameter = p.tasks[-1]
    assert (script, handler) == (f"xlwings-{xlwings_code.version()}.applescript", "VbaHandler")
    assert parameter.split("|")[:4] == [
        "false;;;;;",
        "'/Volumes/Mac/ada/it'\\''s/bin/python' -P",
        "from xl_rebal.excel.hosts import desktop_macros; desktop_macros.run('check_drift', '')",
        "Smith & Sons.xlsx",
    ]
    assert p.application.members["statusbar"] == "Running..."
    p.environment["HOME"] = "/Volumes/Mac/ada/sandbox"
    p.run("RebalMacros.CleanUp")
    assert p.application.members["statusbar"] is False
    assert p.app.dialogs == []
    p.logs["/Volumes/Mac/ada/sandbox/xlwings.log"] = "Traceback"
    p.run("RebalMacros.CleanUp")
    assert p.app.dialogs[-1][1] == "Traceback"
    assert p.logs == {}


def the_mac_refuses_names_that_a_shell_would_read(p: Project) -> None:
    workbook = Fake("Workbook", name="$(touch ~/hacked).xlsx")
    p.application.members |= {"activeworkbook": workbook, "path": "/Applications/x.app/a"}
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert "does not know which Python to use" in p.app.dialogs[-1][1]
    p.files["/Volumes/Mac/ada/Library/Containers/com.microsoft.Excel/Data//xl_rebal.conf"] = {
        "INTERPRETER_MAC": "/usr/bin/python3",
    }
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert "must not reach the shell; rename the file" in p.app.dialogs[-1][1]
    assert [task for task in p.tasks if task[0] == "task"] == []
    assert p.application.members["statusbar"] is False


def the_mac_asks_for_files_in_its_own_way(p: Project) -> None:
    p.application.members |= {
        "activeworkbook": Fake("Workbook", name="a.xlsx"),
        "getopenfilename": lambda **_: "/Volumes/Mac/ada/Depot.csv",
        "getsaveasfilename": lambda _: "/Volumes/Mac/ada/orders.csv",
    }
    assert p.run("RebalAskOpen") == "/Volumes/Mac/ada/Depot.csv"
    assert p.run("RebalAskSave") == "/Volumes/Mac/ada/orders.csv"


def on_the_mac_a_function_says_that_there_is_none(p: Project) -> None:
    p.application.members["commandbars"] = lambda _name: Fake(
        "CommandBar", controls=lambda _i: Fake("Control", enabled=True)
    )
    assert "press Write Tables on the tab Rebalance" in p.run("REBAL_VERSION")
    assert p.tasks == []


ON_THE_MAC = [
    on_the_mac_a_function_says_that_there_is_none,
    the_mac_gets_a_task_without_a_path_of_the_workbook,
    the_mac_refuses_names_that_a_shell_would_read,
    the_mac_asks_for_files_in_its_own_way,
]
SCENARIOS = [
    *ON_THE_MAC,
    texts_become_hexadecimal,
    commands_hold_plain_names_only,
    names_are_safe_in_a_shell_or_not,
    programs_are_named_by_whole_paths,
    versions_that_differ_name_the_mend,
    links_of_ours_are_known_by_their_name,
    paths_leave_formulas_and_nothing_else,
    a_workbook_without_foreign_links_is_left_alone,
    excel_changes_the_link,
    formulas_are_rewritten_where_excel_refuses,
    older_excel_knows_no_formula2,
    a_spilled_table_is_written_at_its_first_cell,
    an_older_array_is_written_as_a_whole,
    protection_without_a_password_is_lifted_and_put_back,
    a_password_is_respected_and_named,
    a_link_that_stays_says_what_to_do,
    a_failure_in_the_middle_restores_excel,
    functions_are_found_in_any_sheet,
    excel_is_restored_when_the_object_goes,
    settings_come_from_the_addin_and_the_user_in_this_order,
    excel_starts_before_a_workbook_is_there,
    workbooks_that_were_open_are_mended_described_and_computed,
    a_workbook_that_arrives_is_mended,
    what_stays_is_told_once_or_shown_in_the_status_bar,
    python_starts_once_and_versions_are_compared,
    another_version_is_refused_at_every_call,
    a_macro_gets_the_active_workbook_and_only_from_the_ribbon,
    python_that_cannot_be_found_says_how_to_mend_it,
    an_environment_of_conda_is_activated_by_whole_paths,
    python_can_be_stopped,
    a_function_shows_what_python_gives_or_the_error,
    every_function_passes_its_arguments_on,
    ranges_are_cut_to_the_used_part,
    a_table_brings_its_header_and_no_totals,
    an_argument_left_out_is_the_table_of_the_calling_workbook,
    every_button_runs_its_macro,
    no_file_no_macro,
    without_a_workbook_or_in_protected_view_nothing_runs,
    a_cell_opens_no_dialog,
    a_fault_is_one_message,
]


@pytest.fixture(scope="module")
def ran() -> dict[str, tuple[set[str], BaseException | None]]:
    """Every scenario in a project of its own: the procedures that it called, and how it failed."""
    found: dict[str, tuple[set[str], BaseException | None]] = {}
    for scenario in SCENARIOS:
        p = project(mac=scenario in ON_THE_MAC)
        failed: BaseException | None = None
        try:
            scenario(p)
        except (Exception, pytest.fail.Exception) as error:  # raised again by the scenario's test
            failed = error
        found[scenario.__name__] = (p.called, failed)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_vba_does(
    scenario: Callable[[Project], None], ran: dict[str, tuple[set[str], BaseException | None]]
) -> None:
    _, failed = ran[scenario.__name__]
    if failed is not None:
        raise failed


def test_every_procedure_is_run_or_says_why_not(
    ran: dict[str, tuple[set[str], BaseException | None]],
) -> None:
    called = {name for names, _ in ran.values() for name in names}
    there = {
        f"{module}.{name}"
        for module, source in module_sources(built.addin()).items()
        for name in procedures(source)
    }
    excused = {name for name in there if name in EXCEL_ONLY or name.partition(".")[0] in EXCEL_ONLY}
    assert sorted(there - called - excused) == [], "neither run here nor excused"
    replaced = {f"RebalXlwings.{name}" for name in REPLACED}
    assert replaced <= called, "stand-ins that nothing asks for"
    assert sorted(called & excused) == [], "excused, and yet run here"
    assert (
        sorted(n for n in EXCEL_ONLY if n not in {*there, *(t.partition(".")[0] for t in there)})
        == []
    )


def test_the_scenarios_are_all_listed() -> None:
    taking_a_project = {
        name
        for name, value in globals().items()
        if callable(value)
        and getattr(value, "__annotations__", {}).get("p") == "Project"
        and not name.startswith("_")
        and value.__annotations__.get("return") == "None"
        and value.__module__ == __name__
        and not isinstance(value, type)
    }
    assert taking_a_project == {scenario.__name__ for scenario in SCENARIOS}
