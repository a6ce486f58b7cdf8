"""Scenarios of RebalRibbon and RebalMacros: a press on a button, on Windows and on the Mac."""

from __future__ import annotations

from typing import Any

from tests.excel.vba_excel import Server, book, on_the_mac, scenario
from tests.excel.vba_run import NOTHING_AT_ALL, Fake, Project
from xl_rebal import __version__
from xl_rebal.excel.addin import xlwings_code
from xl_rebal.excel.ribbon import shown


@scenario
def every_button_runs_its_macro(p: Project) -> None:
    server = Server(p)
    proposed: list[str] = []

    def save_as(*given: str) -> str:
        proposed.append(given[0])
        return "C:\\orders.csv"

    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "getopenfilename": lambda *_: "C:\\Depot Müller.csv",
        "getsaveasfilename": save_as,
        "activeprotectedviewwindow": NOTHING_AT_ALL,
    }
    for button in (b for group in shown() for b in group.buttons):
        p.run(button.callback, Fake("IRibbonControl"))
        if button.macro == "help":
            assert f"xl_rebal {__version__}" in p.app.dialogs[-1][1]
            continue
        command = server.fake.happened("Exec")[-1][2]
        assert f"desktop_macros.run('{button.macro}', '" in command
        name = {
            "import_positions": "C:\\Depot Müller.csv",
            "export_orders": "C:\\orders.csv",
            "client_reports": "C:\\orders.csv",
        }
        argument = bytes.fromhex(command.split("'")[3]).decode("utf-16-be")
        assert argument == name.get(button.macro, "")
    assert proposed == ["orders.csv", "client reports.xlsx"]


@scenario
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


@scenario
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


@scenario
def a_cell_opens_no_dialog(p: Project) -> None:
    asked: list[Any] = []
    p.application.members |= {
        "activeworkbook": book([], links=[]),
        "getopenfilename": lambda *_: asked.append(1),
        "getsaveasfilename": lambda *_: asked.append(1),
        "caller": Fake("Range"),
    }
    assert p.run("RebalAskOpen") == p.run("RebalAskSave") == p.run("RebalAskReports") == ""
    assert asked == []
    assert p.app.dialogs == []


@scenario
def a_fault_is_one_message(p: Project) -> None:
    Server(p, xlwings="0.1")
    p.application.members["activeworkbook"] = book([], links=[])
    p.run("PressCheckDrift", Fake("IRibbonControl"))
    assert "built for xlwings" in p.app.dialogs[-1][1]
    assert len(p.app.dialogs) == 1
    p.run("RebalMacros.CleanUp")


@on_the_mac
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


@on_the_mac
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


@on_the_mac
def the_mac_asks_for_files_in_its_own_way(p: Project) -> None:
    p.application.members |= {
        "activeworkbook": Fake("Workbook", name="a.xlsx"),
        "getopenfilename": lambda **_: "/Volumes/Mac/ada/Depot.csv",
        "getsaveasfilename": lambda _: "/Volumes/Mac/ada/orders.csv",
    }
    assert p.run("RebalAskOpen") == "/Volumes/Mac/ada/Depot.csv"
    assert p.run("RebalAskSave") == "/Volumes/Mac/ada/orders.csv"
    assert p.run("RebalAskReports") == "/Volumes/Mac/ada/orders.csv"


@on_the_mac
def on_the_mac_a_function_says_that_there_is_none(p: Project) -> None:
    p.application.members["commandbars"] = lambda _name: Fake(
        "CommandBar", controls=lambda _i: Fake("Control", enabled=True)
    )
    assert "press Write Tables on the tab Rebalance" in p.run("REBAL_VERSION")
    assert p.tasks == []
