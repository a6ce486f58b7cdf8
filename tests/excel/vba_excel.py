"""What the scenarios of the VBA share: an Excel, its workbooks, sheets and ranges, and Python's server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyopenvba.exceptions import VBARuntimeError

from tests.excel import built
from tests.excel.vba_run import NOTHING_AT_ALL, Fake, Project, collection
from xl_rebal import __version__
from xl_rebal.excel.addin import xlwings_code

Scenario = Callable[[Project], None]
SCENARIOS: list[Scenario] = []
ON_THE_MAC: list[Scenario] = []


def scenario(run: Scenario) -> Scenario:
    """One thing that the VBA does; `test_addin_vba` runs it in a project of its own."""
    SCENARIOS.append(run)
    return run


def on_the_mac(run: Scenario) -> Scenario:
    """A scenario with the code as the Mac compiles it."""
    ON_THE_MAC.append(run)
    return scenario(run)


OURS = r"C:\Users\ada\AppData\Roaming\Microsoft\AddIns\xl_rebal.xlam"


THEIRS = r"C:\Users\bob\xl_rebal.xlam"


CALL = 'REBAL_DRIFT(tblHoldings[#All],tblTargets[#All],"5pp")'


LEFT_BY_BOB = f"='{THEIRS}'!{CALL}"


MENDED = f"={CALL}"


USER_FILE = r"C:\Users\ada\.xl_rebal\xl_rebal.conf"


WINDOWS = {"USERPROFILE": r"C:\Users\ada", "SystemRoot": r"C:\Windows"}


SETTINGS = {"INTERPRETER_WIN": r"C:\py\python.exe"}


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


def protected(name: str, *, password: str) -> Sheet:
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


def state(p: Project) -> tuple[Any, ...]:
    names = ("enableevents", "displayalerts", "screenupdating", "calculation")
    return tuple(p.application.members[name] for name in names)


def event(p: Project, module: str, name: str, me: Any, *given: Any) -> None:
    """Call a handler, as VBA itself does: it is private."""
    runtime = next(m for m in p.interpreter.modules.values() if m.name == module)
    procedure = next(x for x in runtime.parsed.procedures if x.name == name)
    p.interpreter.call(procedure, runtime, list(given), {}, me=me)


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


def list_object(name: str, *, headers: bool = True, totals: int = 0) -> Fake:
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
