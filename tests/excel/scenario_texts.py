"""Scenarios of RebalText: work on texts alone."""

from __future__ import annotations

from functools import partial

from tests.excel.vba_excel import LEFT_BY_BOB, MENDED, THEIRS, failure, scenario
from tests.excel.vba_run import Project


@scenario
def texts_become_hexadecimal(p: Project) -> None:
    assert p.run("RebalHex", "") == ""
    assert p.run("RebalHex", "C:\\x '\"\n") == "0043003A005C0078002000270022000A"
    for text in ("Müller €", "C:\\Users\\o'neil\\Depot (2026).csv", "日本"):
        assert bytes.fromhex(p.run("RebalHex", text)).decode("utf-16-be") == text


@scenario
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


@scenario
def names_are_safe_in_a_shell_or_not(p: Project) -> None:
    for name in ("Smith & Sons (2026).xlsx", "o'neil; #1 !.xlsx", "Müller €.xlsm", "~$x"[:1] + "x"):
        assert p.run("RebalSafeInShell", name) is True, name
    for name in ("$(id).xlsx", "`id`.xlsx", 'a"b', "a\\b", "a|b", "a\nb", "a\x7f", "a=b", "$HOME"):
        assert p.run("RebalSafeInShell", name) is False, name


@scenario
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


@scenario
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


@scenario
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


@scenario
def paths_leave_formulas_and_nothing_else(p: Project) -> None:
    for formula, expected in FORMULAS.items():
        wanted = formula if expected is None else expected
        assert p.run("RebalWithoutPath", formula) == wanted, formula
        assert p.run("RebalWithoutPath", wanted) == wanted, "mending twice changes nothing more"
