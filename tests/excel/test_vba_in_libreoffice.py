"""The generated VBA compiled and run by LibreOffice, which understands a good part of VBA.

RebalHost is a stand-in that repeats what it was given, so what is shown here is the VBA itself: that it
compiles, that every wrapper passes its arguments on, and what the helpers make of them. LibreOffice
has no ListObjects: the tables that stand in are in test_addin_vba, and on the checklist for Excel.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import libreoffice
from xl_rebal.excel import registry

PROJECT = Path(__file__).resolve().parents[2]
ECHO = """Option VBASupport 1
Option Compatible
Option ClassModule
Public Function Python() As Object
    Set Python = New Echo
End Function
Public Function CallUDF(host As String, called As String, given As Variant) As Variant
    Dim i As Long
    CallUDF = host & "." & called
    For i = LBound(given) To UBound(given)
        CallUDF = CallUDF & " " & TypeName(given(i))
    Next i
    If called = "rebal_version" Then Err.Raise 1000, , "no Python"
End Function
"""
CHECKS = """
Public Function RebalHost() As Object
    Set RebalHost = New Echo
End Function
Public Function CheckFailure() As String
    CheckFailure = RebalFailure("abc") & "|" & RebalFailure("#REBAL! x") & "|" & RebalInWizard()
End Function
Public Function CheckLeftOut() As String
    CheckLeftOut = REBAL_POLICY()
End Function
Public Function CheckUsedPart() As String
    Dim area As Object, place As Variant
    For Each place In Array("A:C", "2:3", "B2:B900", "A1:B2", "M50:N60")
        Set area = RebalArgument("x", "", True, ActiveSheet.Range(place))
        CheckUsedPart = CheckUsedPart & area.Address & " "
    Next place
End Function
Public Function CheckAreas() As String
    On Error GoTo failed
    Dim given As Variant
    given = RebalArgument("flow", "", False, Application.Union(Range("A1:A2"), Range("C1:C2")))
    Exit Function
failed:
    CheckAreas = RebalFailure(Err.Description)
End Function
"""


def _module(name: str, more: str = "") -> str:
    text = (PROJECT / "vba" / name).read_text(encoding="ascii")
    # Output may name a parameter in VBA (MS-VBAL 3.3.5.2 does not reserve it), not in LibreOffice Basic.
    text = re.sub(r'(?<!")\boutput\b(?!")', "output_", text)
    return "Option VBASupport 1\n" + text.partition("\n")[2] + more


@pytest.fixture(scope="module")
def shown(soffice: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each check gives, from one LibreOffice of its own."""
    python = libreoffice.find_uno_python()
    folder = tmp_path_factory.mktemp("basic")
    calls = "".join(
        f"Public Function Call_{f.name}() As String\n    Call_{f.name} = {f.name}({given})\nEnd Function\n"
        for f in registry.functions()
        for given in [", ".join('"x"' if i % 2 == 0 else "0.5" for i, _ in enumerate(f.arguments))]
    )
    functions = [f"Call_{f.name}" for f in registry.functions()]
    checks = ["CheckFailure", "CheckUsedPart", "CheckAreas", "CheckLeftOut", *functions]
    asked = {
        "cells": [[row + column for column in range(4)] for row in range(5)],
        "modules": {
            "Echo": ECHO,
            "Functions": _module("RebalFunctions.bas", CHECKS + calls),
            "Help": _module(
                "RebalHelp.bas", "\nPublic Function Fine()\n    Fine = 1\nEnd Function\n"
            ),
        },
        "calls": ["Help.Fine", *(f"Functions.{name}" for name in checks)],
    }
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    worker = Path(__file__).with_name("basic_worker.py")
    command = [python, str(worker), soffice, str(folder / "profile"), str(folder / "asked.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return {name.partition(".")[2]: value for name, value in found.items()}


def test_the_modules_compile(shown: dict[str, Any]) -> None:
    assert shown["Fine"] == 1
    assert shown["CheckFailure"] == "#REBAL! abc|#REBAL! x|False"


def test_a_whole_column_is_passed_as_far_as_its_sheet_is_used(shown: dict[str, Any]) -> None:
    assert shown["CheckUsedPart"].split() == [
        "$A$1:$C$5",
        "$A$2:$D$3",
        "$B$2:$B$5",
        "$A$1:$B$2",
        "$M$50",
    ]


def test_several_ranges_in_one_argument_are_refused(shown: dict[str, Any]) -> None:
    expected = "#REBAL! flow: is made of 2 ranges; point it at one block of cells"
    assert shown["CheckAreas"] == expected


def test_an_argument_may_be_left_out(shown: dict[str, Any]) -> None:
    """Empty in Excel, Nothing in LibreOffice; both are None in Python."""
    start = "xl_rebal.excel.hosts.desktop.rebal_policy"
    assert shown["CheckLeftOut"] in {f"{start} Empty", f"{start} Nothing"}


@pytest.mark.parametrize("function", registry.functions(), ids=lambda f: f.name)
def test_a_wrapper_passes_its_arguments_on(
    shown: dict[str, Any], function: registry.Function
) -> None:
    kinds = ["String" if i % 2 == 0 else "Double" for i, _ in enumerate(function.arguments)]
    expected = " ".join([f"xl_rebal.excel.hosts.desktop.{function.python_name}", *kinds])
    if function.name == "REBAL_VERSION":  # the stand-in fails for it
        expected = "#REBAL! no Python"
    assert shown[f"Call_{function.name}"] == expected
