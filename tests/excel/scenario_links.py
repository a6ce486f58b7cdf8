"""Scenarios of RebalRepair and RebalStart: links of another machine, and what happens at the start."""

from __future__ import annotations

from typing import Any

from pyopenvba.exceptions import VBARuntimeError

from tests.excel.vba_excel import (
    LEFT_BY_BOB,
    MENDED,
    OURS,
    THEIRS,
    Sheet,
    book,
    event,
    protected,
    scenario,
    state,
)
from tests.excel.vba_run import Fake, Project, collection


@scenario
def a_workbook_without_foreign_links_is_left_alone(p: Project) -> None:
    sheet = Sheet("Drift", [[MENDED]])
    for links in ([], [OURS], [r"C:\prices.xlsx"], [OURS.lower()]):
        sheet.rows[0][0] = MENDED + "".join(links)
        untouched = book([sheet], links=links)
        assert p.run("RebalMend", untouched) == ""
        assert untouched.happened("ChangeLink") == []
    assert p.application.happened("EnableEvents") == []


@scenario
def excel_changes_the_link(p: Project) -> None:
    before = state(p)
    sheets = [Sheet("Drift", [[LEFT_BY_BOB, 1.0], ["x", LEFT_BY_BOB]]), Sheet("Notes", [["a"]])]
    client = book(sheets, links=[THEIRS, r"C:\prices.xlsx"])
    assert p.run("RebalMend", client) == ""
    assert sheets[0].rows == [[MENDED, "1.0"], ["x", MENDED]]
    assert len(client.happened("ChangeLink")) == 1
    assert client.members["saved"] is True, "opening a file must not make Excel ask to save it"
    assert state(p) == before
    assert ("set", "DisplayAlerts", False) in p.application.log


@scenario
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


@scenario
def older_excel_knows_no_formula2(p: Project) -> None:
    sheet = Sheet("Drift", [[LEFT_BY_BOB]])
    cell = sheet.cell(1, 1)
    for member in ("formula2", "formula2=", "hasspill"):
        del cell.members[member]
    assert p.run("RebalMend", book([sheet], links=[THEIRS], refuses=True)) == ""
    assert sheet.rows == [[MENDED]]


@scenario
def a_spilled_table_is_written_at_its_first_cell(p: Project) -> None:
    sheet = Sheet("Drift", [[LEFT_BY_BOB], [LEFT_BY_BOB]])
    first, second = sheet.cell(1, 1), sheet.cell(2, 1)
    for cell in (first, second):
        cell.members |= {"hasspill": True, "spillparent": first, "hasarray": True}
    p.run("RebalRewriteCell", second)
    assert second.happened("Formula2") == []
    p.run("RebalRewriteCell", first)
    assert first.happened("Formula2")[-1] == ("set", "Formula2", MENDED)


@scenario
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


@scenario
def protection_without_a_password_is_lifted_and_put_back(p: Project) -> None:
    sheet = protected("REBAL Drift", password="")
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


@scenario
def a_password_is_respected_and_named(p: Project) -> None:
    locked, free = protected("Locked", password="secret"), Sheet("Free", [[LEFT_BY_BOB]])
    words = p.run("RebalMend", book([locked, free], links=[THEIRS]))
    assert "client.xlsx: some REBAL_ formulas still point at the add-in of another machine" in words
    assert "unprotect Locked (a password is needed)" in words
    assert locked.rows == [[LEFT_BY_BOB]]
    assert free.rows == [[MENDED]]
    assert locked.happened("Protect") == []


@scenario
def a_link_that_stays_says_what_to_do(p: Project) -> None:
    sheet = Sheet("Drift", [[f"='{THEIRS}'!OTHER(1)"]])
    words = p.run("RebalMend", book([sheet], links=[THEIRS], refuses=True))
    assert f"use Data > Edit Links > Change Source and choose {OURS}" in words


@scenario
def a_failure_in_the_middle_restores_excel(p: Project) -> None:
    before = state(p)
    sheet = protected("REBAL Drift", password="")
    broken = Sheet("Broken", [[LEFT_BY_BOB]])
    cell = broken.cell(1, 1)

    def refuse(_: str) -> None:
        raise VBARuntimeError(1004, "the cell is in a pivot table")

    cell.members["formula2="] = refuse
    words = p.run("RebalMend", book([sheet, broken], links=[THEIRS], refuses=True))
    assert "the cell is in a pivot table" in words
    assert state(p) == before
    assert sheet.members["protectcontents"] is True


@scenario
def a_sheet_that_cannot_be_protected_again_is_named_and_the_others_are(p: Project) -> None:
    first, second = protected("First", password=""), protected("Second", password="")

    def refuse(**_: Any) -> None:
        raise VBARuntimeError(1004, "no")

    first.members["protect"] = refuse
    before = state(p)
    words = p.run("RebalMend", book([first, second], links=[THEIRS]))
    assert "client.xlsx: protect the sheet First again by hand" in words
    assert second.members["protectcontents"] is True
    assert state(p) == before


@scenario
def functions_are_found_in_any_sheet(p: Project) -> None:
    none = book([Sheet("A", [["REBAL_ in words", 1.0]]), Sheet("B", [["=SUM(A1)"]])], links=[])
    assert p.run("RebalHasFunctions", none) is False
    tall = [["=1"] for _ in range(5_003)]
    tall[5_002] = ["=rebal_version()"]
    assert p.run("RebalHasFunctions", book([Sheet("A", tall)], links=[])) is True


@scenario
def excel_is_restored_when_the_object_goes(p: Project) -> None:
    before = state(p)
    quiet = p.new("RebalQuiet")
    p.on(quiet, "Begin")
    assert state(p) == (False, False, False, -4135)
    event(p, "RebalQuiet", "Class_Terminate", quiet)
    assert state(p) == before
    p.application.members["enableevents"] = False
    p.on(quiet, "Finish")
    assert p.application.members["enableevents"] is False, "put back once, not later again"


@scenario
def excel_starts_before_a_workbook_is_there(p: Project) -> None:
    p.run("RebalBegin")
    when = p.application.happened("OnTime")
    assert when[0][3] == "'xl_rebal.xlam'!RebalReady"
    p.run("RebalReady")
    assert p.application.happened("MacroOptions") == [], "MacroOptions fails without a workbook"
    assert p.application.happened("CalculateFullRebuild") == []


@scenario
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


@scenario
def a_workbook_that_arrives_is_mended(p: Project) -> None:
    events = p.new("RebalEvents")
    for handler in ("Watched_WorkbookOpen", "Watched_NewWorkbook"):
        sheet = Sheet("Drift", [[LEFT_BY_BOB]])
        event(p, "RebalEvents", handler, events, book([sheet], links=[THEIRS]))
        assert sheet.rows == [[MENDED]]
    p.run("RebalArrived", p.application.members["thisworkbook"])


@scenario
def what_stays_is_told_once_or_shown_in_the_status_bar(p: Project) -> None:
    locked = book([protected("Locked", password="x")], links=[THEIRS])
    p.run("RebalArrived", locked)
    assert "unprotect Locked" in p.app.dialogs[-1][1]
    p.application.members["interactive"] = False  # driven by a program: no dialog may wait
    before = len(p.app.dialogs)
    p.run("RebalArrived", locked)
    assert len(p.app.dialogs) == before
    assert "unprotect Locked" in p.application.members["statusbar"]
