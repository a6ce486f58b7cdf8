"""Scenarios of RebalHost, RebalXlwings and RebalFunctions: settings, Python, what a cell passes on."""

from __future__ import annotations

from pyopenvba.exceptions import VBARuntimeError

from tests.excel.vba_excel import (
    SETTINGS,
    USER_FILE,
    Area,
    Server,
    book,
    failure,
    list_object,
    project,
    scenario,
)
from tests.excel.vba_run import NOTHING_AT_ALL, Fake, Project, collection, plain
from xl_rebal.excel import registry
from xl_rebal.excel.addin import xlwings_code
from xl_rebal.excel.ribbon import shown


@scenario
def settings_come_from_the_addin_and_the_user_in_this_order(p: Project) -> None:
    del p.application.members["thisworkbook"]  # the real one, with its sheet
    settings = p.predeclared("RebalXlwings")
    p.files[USER_FILE] = SETTINGS | {"USE UDF SERVER": "user", "PYTHONPATH": r"%USERPROFILE%\lib"}
    assert p.on(settings, "GetConfig", "USE UDF SERVER", "default") == "True"
    assert p.on(settings, "GetConfig", "INTERPRETER_WIN", "default") == r"C:\py\python.exe"
    assert p.on(settings, "GetConfig", "PYTHONPATH") == r"C:\Users\ada\lib"
    assert p.on(settings, "GetConfig", "CONDA PATH", "default") == "default"


@scenario
def environment_variables_in_settings_are_filled_in(p: Project) -> None:
    settings = p.predeclared("RebalXlwings")
    p.environment |= {"A": "one", "B": "two", "LOOP": "%LOOP%"}
    for text, expected in {
        "": "",
        "plain": "plain",
        "%A%": "one",
        "x%A%%B%y": "xonetwoy",
        "%A%/%NOPE%/%B%": "one/%NOPE%/two",
        "100% of %A%": "100% of one",
        "%%": "%%",
        "%A": "%A",
        "%LOOP%": "%LOOP%",
    }.items():
        assert p.on(settings, "ExpandEnvironmentStrings", text) == expected, text


@scenario
def python_starts_once_and_versions_are_compared(p: Project) -> None:
    server = Server(p)
    host = p.predeclared("RebalHost")
    for _ in range(3):
        assert p.on(host, "Python") is server.fake
    assert len(server.fake.happened("GetAttr")) == 2
    assert [task[0] for task in p.tasks] == ["library", "server", "server", "server"]
    assert p.run("RebalHelpText").count("\r\n") == sum(len(g.buttons) for g in shown())


@scenario
def another_version_is_refused_at_every_call(p: Project) -> None:
    Server(p, xlwings="0.40.0")
    host = p.predeclared("RebalHost")
    for _ in range(2):
        assert "pip install xlwings==" in failure(lambda: p.on(host, "Python"))
    Server(p, xl_rebal="99.0")
    assert "but Python has xl_rebal 99.0" in failure(lambda: p.on(host, "Python"))


@scenario
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


@scenario
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


@scenario
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


@scenario
def python_can_be_stopped(p: Project) -> None:
    p.on(p.predeclared("RebalXlwings"), "KillPy")
    assert p.tasks[-1][::2] == ("server", -1)


@scenario
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


@scenario
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


@scenario
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


@scenario
def a_table_brings_its_header_and_no_totals(p: Project) -> None:
    table = list_object("tblHoldings", totals=1)
    for row, tall in {1: 5, 2: 3}.items():  # [#All], and the rows alone
        area = Area(row, 1, tall, 3)
        area.members["listobject"] = table
        passed = p.run("RebalArgument", "holdings", "tblHoldings", True, area)
        assert (passed.members["row"], passed.size) == (1, (4, 3))
    part = Area(3, 1, 1, 3)
    part.members["listobject"] = table
    assert p.run("RebalArgument", "holdings", "tblHoldings", True, part).members["row"] == 3
    bare = Area(2, 1, 3, 3)
    bare.members["listobject"] = list_object("tblHoldings", headers=False)
    assert p.run("RebalArgument", "holdings", "tblHoldings", True, bare).members["row"] == 2


@scenario
def an_argument_left_out_is_the_table_of_the_calling_workbook(p: Project) -> None:
    sheet = Fake(
        "Worksheet", listobjects=collection([list_object("other"), list_object("TBLHOLDINGS")])
    )
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
