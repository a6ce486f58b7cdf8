"""LibreOffice Calc as a host: what its cells show is what the registry answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tests.excel.calc_addin import (
    FIRST_RESULT_ROW,
    add_case,
    array_column,
    calc_functions,  # noqa: F401 - the fixture
    save_with_dynamic_arrays,
)
from tests.excel.matrix import ALL, Case
from tests.libreoffice import CalcBook, CalcSession
from xl_rebal.excel import registry
from xl_rebal.excel.registry import Returns


def expected(case: Case) -> list[list[Any]]:
    result = registry.call(case.function, case.arguments)
    rows = result if isinstance(result, list) else [[result]]
    return [["" if cell is None else cell for cell in row] for row in rows]


@pytest.fixture(scope="module")
def matrix(
    calc_functions: CalcSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CalcBook]:  # noqa: F811
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
    assert_same(shown(matrix, sheet, 1), [wanted[0][:1]])
    assert_same(shown(matrix, sheet, 2), [wanted[0][:1]])
    for position in (0, 1):
        assert_same(shown(matrix, sheet, array_column(position, shape), *shape), wanted)
