"""The template as a file: valid, the same every time, and saved with what its formulas come to."""

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
from xl_rebal.errors import RebalError
from xl_rebal.excel import registry
from xl_rebal.excel.templates import BOOK, HOUSEHOLD, LAB, PORTFOLIO, build_templates, portfolio
from xl_rebal.workbooks import template_example
from xl_rebal.workbooks.dynamic_arrays import Spill, spill_findings, with_spills
from xl_rebal.workbooks.lint_formulas import VOLATILE
from xl_rebal.workbooks.template_engine import CALLS, CLASS_ROWS
from xl_rebal.workbooks.template_portfolio import template_findings
from xl_rebal.workbooks.template_start import FIGURES

COMMITTED = PROJECT / "workbook_templates" / PORTFOLIO


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(COMMITTED.read_bytes())) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_the_committed_file_is_what_the_code_builds(tmp_path: Path) -> None:
    assert build_templates(PROJECT / "workbook_templates", check=True) == []
    assert build_templates(tmp_path, check=True) == [PORTFOLIO, LAB, HOUSEHOLD, BOOK]  # not there
    assert build_templates(tmp_path) == [PORTFOLIO, LAB, HOUSEHOLD, BOOK]
    assert (tmp_path / PORTFOLIO).read_bytes() == COMMITTED.read_bytes()


def test_it_is_sound(shared: Path) -> None:
    assert template_findings(COMMITTED.read_bytes()) == []
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(COMMITTED)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_opens_as_a_new_workbook_and_shows_what_was_saved(parts: dict[str, str]) -> None:
    assert "spreadsheetml.template.main+xml" in parts["[Content_Types].xml"]
    calculation = re.search(r"<calcPr[^>]*>", parts["xl/workbook.xml"])
    assert calculation is not None
    assert 'fullCalcOnLoad="0"' in calculation[0] or "fullCalcOnLoad" not in calculation[0]
    assert 'calcId="191029"' in calculation[0]
    formulas = " ".join(
        re.findall(r"<f[^>]*>(.*?)</f>", " ".join(parts.values()))
        + re.findall(r"<definedName[^>]*>(.*?)<", parts["xl/workbook.xml"])
    )
    called = set(re.findall(r"([A-Z][A-Z_.]+)\(", formulas))
    assert not called & VOLATILE
    assert {"REBAL_DRIFT", "REBAL_TRADES", "REBAL_VERSION"} <= called


def test_every_call_of_the_add_in_is_a_dynamic_array_with_its_values(
    parts: dict[str, str],
) -> None:
    cells = re.findall(r"<c r=\"\w+\"([^>]*)><f([^>]*)>([^<]*REBAL_\w+\([^<]*)</f>", str(parts))
    no_symbol = CLASS_ROWS - (len(template_example.HOLDINGS) - 1)
    assert len(cells) == len(CALLS) + no_symbol + len(FIGURES) + 1  # and the version
    for attributes, formula, _ in cells:
        assert 'cm="1"' in attributes
        assert 't="array" ref="' in formula
    assert "sheetMetadata" in parts["xl/_rels/workbook.xml.rels"]
    assert "XLDAPR" in parts["xl/metadata.xml"]
    book = load_workbook(COMMITTED, data_only=True)
    drift = registry.call(
        "REBAL_DRIFT",
        [template_example.HOLDINGS, template_example.TARGETS, template_example.POLICY],
    )
    assert isinstance(drift, list)
    rows = book["REBAL drift"].iter_rows(min_row=7, max_row=6 + len(drift), values_only=True)
    assert [list(row[: len(drift[0])]) for row in rows] == drift


def test_the_saved_text_says_that_the_add_in_is_not_there(parts: dict[str, str]) -> None:
    book = load_workbook(COMMITTED, data_only=True)
    assert str(book["Start"]["C4"].value).startswith("xl_rebal add-in not loaded: ")
    shown = [
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    assert not [text for text in shown if text.startswith("#")]


def test_inputs_are_open_and_formulas_are_protected_without_a_password() -> None:
    book = load_workbook(COMMITTED)
    for sheet in book:
        protection = sheet.protection
        assert protection.sheet is (sheet.title not in {"Holdings", "Targets", "Rules"})
        assert protection.password is None
        if not protection.sheet:
            formulas = [c for row in sheet.iter_rows() for c in row if c.data_type == "f"]
            assert formulas == []
    assert not book["Drift"]["B4"].protection.locked


def test_a_spill_never_covers_what_stands_there() -> None:
    data = portfolio()
    names = load_workbook(io.BytesIO(data), read_only=True).sheetnames
    for row, what in ((4, "two formulas"), (5, "content"), (200, "no cell")):
        bad = Spill(sheet="REBAL drift", row=row, column=1, values=[["x"], ["y"]])
        ours = Spill(sheet="REBAL drift", row=4, column=1, values=[["x"]])
        with pytest.raises(RebalError, match=what if row != 5 else "no formula"):
            with_spills(data, names, [ours, bad] if row == 4 else [bad])
    over = re.sub(rb'ref="A7:J10"', b'ref="A3:J10"', _unzipped(data, "xl/worksheets/sheet7.xml"))
    found = spill_findings(_rezipped(data, "xl/worksheets/sheet7.xml", over))
    assert any("begins elsewhere" in each for each in found)
    assert any("spills onto the formula in B4" in each for each in found)


def _unzipped(data: bytes, part: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return package.read(part)


def _rezipped(data: bytes, part: str, content: bytes) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return result.getvalue()
