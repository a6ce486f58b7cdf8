"""The backtest lab as a file: valid, the same every time, saved with what its formulas come to, and in
Calc with the add-in the same figures, also after the user has changed policy and prices.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.conftest import PROJECT
from tests.excel.calc_addin import calc_functions  # noqa: F401 - the fixture
from tests.libreoffice import CalcSession
from xl_rebal.excel import registry
from xl_rebal.excel.templates import LAB, backtest_lab
from xl_rebal.workbooks import lab_example
from xl_rebal.workbooks.lab_calls import PATH, ROW, SHEETS
from xl_rebal.workbooks.lab_data import POINTS
from xl_rebal.workbooks.template_lab import lab_findings

FILE = PROJECT / "workbook_templates" / LAB
TABLES = (lab_example.prices(), lab_example.TARGETS)


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(FILE.read_bytes())) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_the_committed_file_is_what_the_code_builds(shared: Path) -> None:
    data = FILE.read_bytes()
    assert backtest_lab() == data
    assert lab_findings(data) == []
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(FILE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_call_is_a_dynamic_array_and_charts_hold_their_values(parts: dict[str, str]) -> None:
    assert "spreadsheetml.template.main+xml" in parts["[Content_Types].xml"]
    calls = re.findall(r"<c r=\"\w+\"([^>]*)><f([^>]*)>[^<]*REBAL_\w+\([^<]*</f>", str(parts))
    assert len(calls) == len(SHEETS) + 2  # the version and the policy in words
    assert all('cm="1"' in attributes and 't="array"' in kind for attributes, kind in calls)
    charts = [text for name, text in parts.items() if name.startswith("xl/charts/chart")]
    assert len(charts) == 4
    for text in charts:
        caches = re.findall(r"<(?:\w+:)?ptCount val=\"(\d+)\"", text)
        assert caches
        assert set(caches) <= {str(POINTS), "1"}


def test_the_first_sheet_shows_the_saved_figures(parts: dict[str, str]) -> None:
    book = load_workbook(FILE, data_only=True)
    summary = registry.call("REBAL_BACKTEST", [*TABLES, lab_example.POLICY, lab_example.COST_BPS])
    assert isinstance(summary, list)
    figures = {row[0]: row[1] for row in summary}
    assert book["Lab"]["B10"].value == pytest.approx(figures["final_value"])
    assert book["Lab"]["D10"].value == pytest.approx(figures["cagr"])
    shown = [
        c.value for s in book for row in s.iter_rows() for c in row if isinstance(c.value, str)
    ]
    assert not [text for text in shown if text.startswith("#")]
    assert all(name.startswith("EXAMPLE") for name in lab_example.NAMES)


def test_the_example_is_the_same_on_every_machine() -> None:
    rows = lab_example.prices()
    assert len(rows) == 522
    assert rows[1] == ["2015-01-02", 100.0, 50.0, 120.0]
    assert rows[-1] == ["2024-12-20", 128.15, 70.4, 123.52]


def test_in_calc_with_the_add_in_it_computes_what_was_saved_and_what_is_changed(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    saved = load_workbook(FILE, data_only=True)
    with calc_functions.open(FILE) as book:
        book.recalculate()
        for cell in ("B10", "D10", "F10", "H10", "J10", "L10"):
            assert book.value("Lab", cell) == pytest.approx(saved["Lab"][cell].value, rel=1e-9), (
                cell
            )
        for row in (6, 7, 100, 245):
            for column in "BCDEFGHIJK":
                cell = f"{column}{row}"
                wanted = saved["Chart data"][cell].value
                got = book.value("Chart data", cell)
                assert got == (
                    pytest.approx(wanted, rel=1e-9, abs=1e-12)
                    if isinstance(wanted, (int, float))
                    else wanted
                ), cell
        book.set_text("Inputs", "E5", "never")
        book.recalculate()
        never = registry.call("REBAL_BACKTEST", [*TABLES, "never", lab_example.COST_BPS])
        assert isinstance(never, list)
        assert book.value("Lab", "B10") == pytest.approx(never[1][1], rel=1e-9)
        assert book.value("Lab", "J10") == 0
        growth = book.value("Chart data", "E245")
        assert growth == pytest.approx(book.value("Chart data", "F245"), rel=1e-9)
        assert book.value(PATH, f"A{ROW}") == "date"
