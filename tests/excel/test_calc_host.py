"""LibreOffice Calc as a host: what its cells show is what the registry answers."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.excel.calc_addin import (
    FIRST_RESULT_ROW,
    add_case,
    array_column,
    calc_functions,  # noqa: F401 - the fixture
    save_with_dynamic_arrays,
    unpack_extension,
)
from tests.excel.matrix import ALL, HOLDINGS, TARGETS, Case
from tests.libreoffice import CalcBook, CalcSession, find_uno_python
from xl_rebal.excel import registry

# Where Calc does not call the function at all, so that no text of ours can stand in the cell.
REFUSED_BY_CALC = {
    "single cell": "a number typed where Calc demands a reference to cells",
}


def expected(case: Case) -> list[list[Any]]:
    result = registry.call(case.function, case.arguments)
    rows = result if isinstance(result, list) else [[result]]
    return [["" if cell is None else cell for cell in row] for row in rows]


@pytest.fixture(scope="module")
def matrix(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands the fixture over
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CalcBook]:
    """One workbook with a sheet for every case, opened and computed."""
    book = Workbook()
    book.remove(book.worksheets[0])
    dynamic = {}
    for number, case in enumerate(ALL):
        rows = expected(case)
        shape = (len(rows), len(rows[0]))
        add_case(book, f"case{number}", case, shape)
        dynamic[f"case{number}"] = f"{get_column_letter(array_column(1, shape))}{FIRST_RESULT_ROW}"
    path = tmp_path_factory.mktemp("matrix") / "matrix.xlsx"
    save_with_dynamic_arrays(book, dynamic, path)
    with calc_functions.open(path) as opened:
        opened.recalculate()
        yield opened


def shown(
    book: CalcBook, sheet: str, column: int, rows: int = 1, columns: int = 1
) -> list[list[Any]]:
    last = f"{get_column_letter(column + columns - 1)}{FIRST_RESULT_ROW + rows - 1}"
    cells = book.read(sheet, f"{get_column_letter(column)}{FIRST_RESULT_ROW}:{last}")
    return [[cell.error_name or cell.value for cell in row] for row in cells]


def assert_same(found: list[list[Any]], wanted: list[list[Any]]) -> None:
    assert len(found) == len(wanted)
    for found_row, wanted_row in zip(found, wanted, strict=True):
        for cell, right in zip(found_row, wanted_row, strict=True):
            if isinstance(right, float) and isinstance(cell, float):
                assert math.isclose(cell, right, rel_tol=1e-12, abs_tol=1e-12)
            else:
                assert cell == right


@pytest.mark.parametrize("number", range(len(ALL)), ids=[case.name for case in ALL])
def test_a_cell_shows_what_the_registry_answers(matrix: CalcBook, number: int) -> None:
    wanted = expected(ALL[number])
    shape = (len(wanted), len(wanted[0]))
    sheet = f"case{number}"
    typed = [["Err:504"]] if ALL[number].name in REFUSED_BY_CALC else [wanted[0][:1]]
    assert_same(shown(matrix, sheet, 1), typed)
    assert_same(shown(matrix, sheet, 2), [wanted[0][:1]])
    for position in (0, 1):
        assert_same(shown(matrix, sheet, array_column(position, shape), *shape), wanted)


@pytest.fixture(scope="module")
def sheet(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands the fixture over
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CalcBook]:
    """Holdings in A:C (prices by formula), targets in E:F, dates counted from 1904."""
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    page = book.worksheets[0]
    page.title = "S"
    for row, line in enumerate(HOLDINGS, start=1):
        for column, cell in enumerate(line, start=1):
            page.cell(row, column, f"={cell}+0" if column == 3 and row > 1 else cell)
    for row, line in enumerate(TARGETS, start=1):
        for column, cell in enumerate(line, start=5):
            page.cell(row, column, cell)
    page["H1"] = dt.datetime(2026, 3, 1)
    page["H2"] = "=C2>0"
    path = tmp_path_factory.mktemp("sheet") / "sheet.xlsx"
    book.save(path)
    with calc_functions.open(path) as opened:
        opened.recalculate()
        yield opened


def shows(book: CalcBook, formula: str) -> Any:
    book.set_formula("S", "J1", formula)
    cell = book.cell("S", "J1")
    return cell.error_name or cell.value


STATUS = "1 of 3 classes outside its band: Real Estate -5.53 pp"


def test_references_of_every_kind(sheet: CalcBook) -> None:
    for cells in ("A1:C5", "A:C", "A1:C5000", "OFFSET(A1;0;0;5;3)", 'INDIRECT("A1:C5")'):
        assert shows(sheet, f"=REBAL_STATUS({cells};E1:F4)") == STATUS


def test_a_blank_cell_is_an_argument_left_out(sheet: CalcBook) -> None:
    assert shows(sheet, "=REBAL_STATUS(A1:C5;E1:F4;Z1)") == STATUS
    assert shows(sheet, "=REBAL_STATUS(Z1;E1:F4)").startswith("#REBAL! tblHoldings: is blank")
    assert shows(sheet, "=REBAL_STATUS(;E1:F4)").startswith("#REBAL! tblHoldings: is blank")
    assert shows(sheet, "=REBAL_STATUS(A1:C5;Z1)").startswith("#REBAL! tblTargets: is blank")
    plan = shows(sheet, "=INDEX(REBAL_CASHFLOW(A1:C5;E1:F4;1000;Z1);2;3)")
    assert plan == shows(sheet, "=INDEX(REBAL_CASHFLOW(A1:C5;E1:F4;1000);2;3)") == "BUY"


def test_what_calc_refuses_before_the_function_is_called(sheet: CalcBook) -> None:
    """The exceptions that docs/calc.md lists, each with its reason."""
    sheet.set_formula("S", "Z9", "=NA()")
    assert shows(sheet, "=REBAL_STATUS(A1:C5;Y8:Z9)") == "Err:504"  # an error cell among values
    assert shows(sheet, "=REBAL_STATUS(A1:C5;E1:F4;Z9)") == "#N/A"
    assert shows(sheet, "=REBAL_STATUS()") == "Err:504"
    assert shows(sheet, "=REBAL_STATUS({1.2};E1:F4)") == "Err:504"


def test_logical_values_and_dates_by_formula_and_of_1904(sheet: CalcBook) -> None:
    """A cell keeps the date format that it took from a formula, so each fault has its own cell."""
    status = "=REBAL_STATUS(A1:C5;E1:F4)"
    for cell, formula, fault in (
        ("A2", "=H2", "row 2, Symbol: TRUE is a logical value, not a ticker"),
        ("A3", "=H1", "row 3, Symbol: 2026-03-01 is a date, not a ticker"),
        ("A4", "=1/0", "row 4, Symbol: shows #DIV/0!"),
    ):
        before = sheet.cell("S", cell).value
        sheet.set_formula("S", cell, formula)
        assert fault in shows(sheet, status)
        sheet.set_text("S", cell, str(before))
    assert shows(sheet, status) == STATUS


def test_a_change_of_a_cell_computes_the_function_anew(sheet: CalcBook) -> None:
    sheet.set_formula("S", "J2", "=REBAL_STATUS(A1:C5;E1:F4)")
    assert sheet.cell("S", "J2").value == STATUS
    sheet.set_value("S", "B5", 2000.0)
    assert sheet.cell("S", "J2").value != STATUS
    sheet.set_value("S", "B5", 1000.0)
    assert sheet.cell("S", "J2").value == STATUS


def test_without_packages_the_cell_says_what_to_do(
    calc: CalcSession, soffice: str, tmp_path: Path
) -> None:
    unpack_extension(tmp_path / "extensions")
    session = CalcSession(soffice, find_uno_python(), tmp_path, extensions=tmp_path / "extensions")
    Workbook().save(tmp_path / "empty.xlsx")
    try:
        with session.open(tmp_path / "empty.xlsx") as book:
            for formula in ("=REBAL_VERSION()", '=REBAL_BANDS("100% stocks")'):
                book.set_formula("Sheet", "A1", formula)
                text = book.cell("Sheet", "A1").value
                assert isinstance(text, str)
                assert text.startswith(
                    "#REBAL! the packages of xl_rebal are not found; run xl-rebal"
                )
    finally:
        session.stop()
