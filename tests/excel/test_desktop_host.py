"""The desktop host through xlwings' own conversions, under stubs for pywin32 (`fake_windows`)."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from decimal import Decimal
from typing import Any

import pytest

from tests.excel.contract import assert_same_as_direct, shape
from tests.excel.fake_windows import Call, Raw, answers, run
from tests.excel.matrix import ALL, HOLDINGS, TARGETS, Case, changed
from xl_rebal.excel import registry
from xl_rebal.excel.hosts import desktop
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.registry import PREFIX

FORMS = {"ranges": True, "values": False}
CALC_ERROR = -2146826238  # #CALC!, an error value that xlwings does not know


@pytest.fixture(scope="module")
def matrix() -> dict[tuple[str, str], Any]:
    """What every case shows, sent as ranges and as values: one process for all."""
    asked = [(case, form) for case in ALL for form in FORMS]
    found = answers([Call(c.function, c.arguments, as_ranges=FORMS[f]) for c, f in asked])
    return {(case.name, form): shown for (case, form), shown in zip(asked, found, strict=True)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_xlwings_shows_what_a_direct_call_gives(
    matrix: dict[tuple[str, str], Any], case: Case, form: str
) -> None:
    shown = matrix[case.name, form]
    assert_same_as_direct(shown, case.function, case.arguments)
    assert None not in [cell for row in shape(shown) for cell in row], "VBA would show 0 for None"


def test_what_excel_sends_that_the_matrix_cannot_say() -> None:
    """Currency, error values new and plain, arrays of one dimension, blanks, whole numbers."""
    money = [[c if isinstance(c, str) else Decimal(str(c)) for c in row] for row in HOLDINGS]
    cut = changed(money, 1, 2, Decimal("220.1234"))
    exact = changed(HOLDINGS, 1, 2, 220.123456789)
    new_error = changed(HOLDINGS, 2, 2, CALC_ERROR)
    plain = "#REBAL! tblHoldings row 3, Price: shows #CALC!; correct the formula of that cell"
    cases: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
        ("REBAL_WEIGHTS", (Raw(_tuples(cut), _tuples(exact)),), (exact,)),
        ("REBAL_WEIGHTS", (Raw(_tuples(money)),), (HOLDINGS,)),
        (
            "REBAL_WEIGHTS",
            (Raw(_tuples(new_error)),),
            (changed(HOLDINGS, 2, 2, CellError("#CALC!")),),
        ),
        ("REBAL_ASSETCLASS", (Raw(("VTI", "BND")),), ([["VTI", "BND"]],)),
        ("REBAL_ASSETCLASS", (Raw(None),), (None,)),
        ("REBAL_ASSETCLASS", (Raw(()),), (None,)),
        ("REBAL_CASHFLOW", (HOLDINGS, TARGETS, Raw(50000)), (HOLDINGS, TARGETS, 50000.0)),
        ("REBAL_CASHFLOW", (HOLDINGS, TARGETS, Raw(-2146826246)), (HOLDINGS, TARGETS, CellError())),
        ("REBAL_DRIFT", (HOLDINGS, TARGETS, Raw(True)), (HOLDINGS, TARGETS, True)),
    ]
    found = answers([Call(function, sent) for function, sent, _ in cases])
    for shown, (function, _, direct) in zip(found, cases, strict=True):
        assert_same_as_direct(shown, function, direct)
    assert found[2] == plain


def _tuples(rows: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, rows))


def test_a_cell_becomes_what_the_functions_know() -> None:
    zone = dt.timezone.utc  # noqa: UP017 - as pywin32 spells it
    assert desktop.cell(dt.datetime(2026, 3, 1, 9, 30, tzinfo=zone)) == dt.datetime(
        2026, 3, 1, 9, 30
    )
    assert desktop.cell(True) is True
    assert desktop.cell("") == ""
    assert type(desktop.cell(5)) is float
    assert desktop.cell(Decimal("1.5")) == 1.5
    known = {
        -2146826281: "#DIV/0!",
        -2146826246: "#N/A",
        -2146826259: "#NAME?",
        -2146826288: "#NULL!",
    }
    known |= {
        -2146826252: "#NUM!",
        -2146826265: "#REF!",
        -2146826273: "#VALUE!",
        -2146826238: "#CALC!",
    }
    assert {number: str(desktop.cell(number)) for number in known} == known
    assert desktop.cell(-2146826200) == CellError("error 2088")
    assert desktop.cell(-2000.0) == -2000.0


def test_the_module_serves_every_function_and_nothing_by_hand() -> None:
    for function in registry.functions():
        served = getattr(desktop, function.python_name)
        assert list(inspect.signature(served).parameters) == [a.name for a in function.arguments]
        assert served.__doc__ == function.summary
        assert served() == registry.call(function.name, [])
    assert "def rebal_" not in inspect.getsource(desktop)


def test_a_fault_of_our_own_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("xl_rebal.excel.ranges.policy", stop)
    text = desktop.answer(registry.function("REBAL_POLICY"), ("5pp",))
    assert text.startswith(
        f"{PREFIX}REBAL_POLICY: stopped on a fault of its own (ZeroDivisionError"
    )
    assert text.endswith("; report it, with the cells that it was given")


def test_importing_the_host_needs_no_windows_and_no_paid_part() -> None:
    printed = run(
        "import sys, xl_rebal.excel.hosts.desktop as d; "
        "print(d.rebal_version(), 'pythoncom' in sys.modules, 'xlwings.server' in sys.modules, "
        "__import__('xlwings').__pro__)"
    ).split()
    assert printed == [str(registry.call("REBAL_VERSION", [])), "False", "False", "False"]
    loaded = run(
        "import sys, xl_rebal, xl_rebal.excel.registry as r; r.functions(); print(*sys.modules)"
    )
    assert "xlwings" not in loaded.split()


def test_xlwings_itself_would_write_wrappers_of_the_same_functions_and_arguments() -> None:
    """*Import Functions* of xlwings and our generated VBA must speak of the same things."""
    text = run(
        "import io, types; from tests.excel import fake_windows as f; f.install(); "
        "from xlwings.udfs import generate_vba_wrapper; import xl_rebal.excel.hosts.desktop as d; "
        "out = io.StringIO(); "
        "generate_vba_wrapper(f.MODULE, d, out, types.SimpleNamespace(Name='xl_rebal.xlam')); "
        "print(out.getvalue())"
    )
    found = dict(re.findall(r"^Function (\w+)\((.*)\)$", text, flags=re.MULTILINE))
    expected = {
        f.python_name: ", ".join(f"Optional {a.name}" for a in f.arguments)
        for f in registry.functions()
    }
    assert found == expected


def test_a_workbook_with_a_sheet_of_code_is_why_the_wrapper_sends_no_workbook() -> None:
    """Given a workbook, xlwings looks for sheets named *.py: it refuses, or with a licence runs them."""
    printed = run(
        "from tests.excel import fake_windows as f; f.install()\n"
        "import xlwings; from xlwings import udfs; from types import SimpleNamespace as N\n"
        "udfs.Book = lambda impl: N(sheets=[N(name='evil.py')])\n"
        "for book in (None, N()):\n"
        "    try: udfs.get_udf_module(f.MODULE, book); print('served')\n"
        "    except xlwings.LicenseError: print('refused')\n"
        "    udfs.udf_modules.clear()\n"
    )
    assert printed.split() == ["served", "refused"]
