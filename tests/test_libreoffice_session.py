"""The Calc session itself: that it reads what is there and notices what goes wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.libreoffice import CalcError, CalcSession, find_uno_python


@pytest.fixture
def book_path(tmp_path: Path) -> Path:
    """A sheet with three positions, their values as formulas, and cells of every kind."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Holdings"
    sheet.append(["symbol", "quantity", "price", "value"])
    for row, (symbol, quantity, price) in enumerate(
        [("VTI", 5000, 220), ("BND", 8000, 75), ("VNQ", 1000, 85)], start=2
    ):
        sheet.append([symbol, quantity, price, f"=B{row}*C{row}"])
    sheet["D6"] = "=SUM(D2:D5)"
    sheet["F1"] = "=1/0"
    sheet["F2"] = "=NA()"
    sheet["F3"] = "=NO_SUCH_FUNCTION(1)"
    sheet["F4"] = "=1+1"
    sheet["F4"].data_type = "s"  # text that looks like a formula
    sheet["F5"] = True
    book.create_sheet("Other")
    path = tmp_path / "book.xlsx"
    book.save(path)
    return path


def test_values_formulas_errors_and_kinds(calc: CalcSession, book_path: Path) -> None:
    with calc.open(book_path) as book:
        book.recalculate()
        assert book.sheet_names() == ["Holdings", "Other"]
        assert book.used_range("Holdings") == "A1:F6"
        assert book.value("Holdings", "D6") == 5000 * 220 + 8000 * 75 + 1000 * 85
        assert book.values("Holdings", "A2:B3") == [["VTI", 5000.0], ["BND", 8000.0]]
        assert book.cell("Holdings", "D2") == (1_100_000.0, 0, "=B2*C2", "formula")
        column = [row[0] for row in book.read("Holdings", "F1:F6")]
        assert [cell.error_name for cell in column] == ["#DIV/0!", "#N/A", "#NAME?", "", "", ""]
        assert [cell.kind for cell in column[3:]] == ["text", "formula", "empty"]  # =TRUE()
        assert [cell.value for cell in column[3:]] == ["=1+1", 1.0, None]
        with pytest.raises(CalcError, match="#DIV/0!"):
            book.value("Holdings", "F1")


def test_edits_rows_sorting_and_pasting(calc: CalcSession, book_path: Path) -> None:
    with calc.open(book_path) as book:
        book.recalculate()
        book.set_value("Holdings", "B2", 6000)
        book.recalculate()
        assert book.value("Holdings", "D2") == 1_320_000
        book.set_text("Holdings", "A2", "=1+1")
        assert book.cell("Holdings", "A2").kind == "text"
        book.set_formula("Holdings", "D2", "=IF(B2>0;B2*C2;0)")
        book.insert_rows("Holdings", 3, 2)
        book.recalculate()
        assert book.cell("Holdings", "D8").formula == "=SUM(D2:D7)"
        book.delete_rows("Holdings", 3, 2)
        book.sort("Holdings", "A1:D4", by="B", ascending=False, header=True)
        assert [row[0] for row in book.values("Holdings", "B2:B4")] == [8000.0, 6000.0, 1000.0]
        book.copy("Holdings", "A2:D4", "A1", to_sheet="Other")
        book.recalculate()
        assert book.values("Other", "D1:D3") == book.values("Holdings", "D2:D4")
        assert book.value("Holdings", "D6") == 1_320_000 + 600_000 + 85_000


def test_printing(
    calc: CalcSession, book_path: Path, render_pages: Callable[[Path, Path], list[Path]]
) -> None:
    with calc.open(book_path) as book:
        assert book.to_pdf(book_path.with_suffix(".pdf")).read_bytes().startswith(b"%PDF")
    pages = render_pages(book_path, book_path.parent / "pages")
    assert pages
    assert all(page.read_bytes().startswith(b"\x89PNG") for page in pages)


def test_what_goes_wrong_is_told(calc: CalcSession, book_path: Path, tmp_path: Path) -> None:
    with pytest.raises(CalcError, match="does not exist"):
        calc.open(tmp_path / "missing.xlsx")
    with calc.open(book_path) as book, pytest.raises(CalcError, match="Holdings, Other"):
        book.value("Trades", "A1")


def test_a_hanging_office_is_ended_and_started_again(
    soffice: str, calc: CalcSession, book_path: Path, tmp_path: Path
) -> None:
    session = CalcSession(soffice, find_uno_python(), tmp_path)
    session.open(book_path)
    office = session.office_pid
    with pytest.raises(CalcError, match=r"in 0 s"):
        session.ask("sheet_names", document=1, limit=0)
    for _ in range(100):  # its last process may wait for init to collect it
        try:
            os.killpg(office, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("processes of the hanging LibreOffice are left")
    with session.open(book_path) as book:
        assert book.sheet_names() == ["Holdings", "Other"]
    session.stop()
