"""The entry of RunPython, and the recorded Excel held against xlwings' own classes."""

from __future__ import annotations

import inspect
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import xlwings

from tests.excel import fake_xlwings as fake
from tests.excel.fake_xlwings import Excel, com_error
from tests.excel.macro_books import client, in_excel, positions, settings
from xl_rebal.excel import ribbon
from xl_rebal.excel.hosts import desktop_macros
from xl_rebal.excel.hosts.desktop_workbook import DesktopWorkbook
from xl_rebal.excel.macros import MACROS, MacroError, macro_named
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import Area, Formula


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client(tmp_path_factory.mktemp("client"))


def as_hex(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def on_windows(path: Path, excel: Excel) -> DesktopWorkbook:
    return DesktopWorkbook(in_excel(path, excel), platform="win32")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (fake.FakeBook, xlwings.Book),
        (fake.FakeSheets, xlwings.main.Sheets),
        (fake.FakeSheet, xlwings.Sheet),
        (fake.FakeRange, xlwings.Range),
        (fake.FakeTable, xlwings.main.Table),
        (fake.FakeTables, xlwings.main.Tables),
        (fake.FakeName, xlwings.main.Name),
        (fake.FakeApp, xlwings.App),
    ],
)
def test_the_fake_has_nothing_that_xlwings_lacks(ours: type, theirs: type) -> None:
    extra = {"state", "settings", "box", "protected"}  # how tests look at it
    public = {name for name in dir(ours) if not name.startswith("_")} - extra
    assert public
    for name in public:
        assert hasattr(theirs, name), f"{theirs.__name__}.{name}"
        own, real = getattr(ours, name), getattr(theirs, name)
        if inspect.isfunction(own) and inspect.isfunction(real):
            mine = list(inspect.signature(own).parameters)
            known = inspect.signature(real).parameters
            assert set(mine) - {"options"} <= set(known) | {"cell1", "cell2"}, name
    for name in ("screen_updating", "enable_events", "display_alerts", "calculation", "status_bar"):
        assert isinstance(getattr(xlwings.App, name), property)
    for name in ("number_format", "color", "wrap_text", "horizontal_alignment"):
        assert isinstance(getattr(xlwings.Range, name), property)
    for name in ("bold", "italic", "size", "color"):
        assert isinstance(getattr(xlwings.main.Font, name), property)


def test_every_button_of_the_ribbon_has_its_macro() -> None:
    buttons = [b for group in ribbon.GROUPS for b in group.buttons if b.available]
    assert len(buttons) > 8
    for button in buttons:
        macro = macro_named(button.macro)
        assert macro.title == button.label, button.macro
        assert bool(macro.file) == (button.asks is not ribbon.Asks.NOTHING), button.macro
    assert {b.macro for b in buttons} == set(MACROS)


def test_doctor_shows_faults_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xl_rebal.excel.doctor.report_lines", lambda: ["fault: x: y"] * 90)
    excel = Excel()
    assert desktop_macros.press("doctor", on_windows(path, excel))
    assert excel.alerts[0].startswith("fault: x: y\n")
    assert excel.alerts[0].endswith("lines more")


def test_run_takes_the_calling_workbook(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excel = Excel()
    book = in_excel(path, excel)
    monkeypatch.setattr(xlwings.Book, "caller", lambda: book)
    monkeypatch.setattr(sys, "platform", sys.platform)
    monkeypatch.setenv("XL_REBAL_PLANS", str(tmp_path))
    desktop_macros.run("check_drift")
    assert "outside their bands" in excel.alerts[0]
    assert "Drift check" in [sheet.name for sheet in book.sheets]
    assert book.sheets.active.name == "Start"  # where the user was


@pytest.mark.parametrize("name", ["positions.csv", "dép\u00f4t 持仓 '\") 🙂.csv"])
def test_a_path_of_any_characters_arrives(path: Path, tmp_path: Path, name: str) -> None:
    file = positions(tmp_path).rename(tmp_path / name)
    assert desktop_macros.path_of(as_hex(str(file))) == file
    excel = Excel()
    book = on_windows(path, excel)
    assert desktop_macros.press("import_positions", book, file=as_hex(str(file)))
    assert excel.alerts[0].startswith(f"7 rows of 2 accounts from {name}")


@pytest.mark.parametrize("file", ["zz", "004", "D83D", "0000"])
def test_a_path_that_did_not_arrive_is_refused(file: str) -> None:
    with pytest.raises(MacroError, match="did not arrive whole"):
        desktop_macros.path_of(file)


def test_an_order_file_is_replaced_only_with_consent(path: Path, tmp_path: Path) -> None:
    excel = Excel(answers=["no", "yes"])
    book = on_windows(path, excel)
    given = settings(tmp_path)
    assert desktop_macros.press("generate_trades", book, settings=given)
    out = tmp_path / "orders.csv"
    out.write_text("old")
    assert not desktop_macros.press("export_orders", book, file=as_hex(str(out)), settings=given)
    assert out.read_text() == "old"
    assert desktop_macros.press("export_orders", book, file=as_hex(str(out)), settings=given)
    assert out.read_text().startswith("account,symbol")
    assert any("Replace it?" in text for text in excel.alerts)


def test_errors_are_one_short_message(path: Path, tmp_path: Path) -> None:
    excel = Excel()
    book = on_windows(path, excel)
    assert not desktop_macros.press("verify_trades", book, settings=settings(tmp_path))
    assert not desktop_macros.press("nonsense", book)
    assert not desktop_macros.press("import_positions", book)
    assert len(excel.alerts) == 3
    assert "press Generate Trades" in excel.alerts[0]
    assert "is not known" in excel.alerts[1]
    assert "needs the file with the positions" in excel.alerts[2]
    assert all(len(text) < 1024 and "Traceback" not in text for text in excel.alerts)
    long = "\n".join(["x" * 300] * 9)
    assert desktop_macros._shortened(long.split("\n")).endswith("… and 6 lines more")


def test_an_unsaved_workbook_and_one_in_the_cloud_work_alike(path: Path, tmp_path: Path) -> None:
    for name in ("Book1", "https://tenant.sharepoint.com/sites/x/client.xlsx"):
        excel = Excel()
        fake_book = in_excel(path, excel)
        fake_book.name = name
        book = DesktopWorkbook(fake_book, platform="win32")
        assert desktop_macros.press("generate_trades", book, settings=settings(tmp_path))


def test_cells_arrive_exactly_and_text_stays_text(path: Path) -> None:
    excel = Excel()
    book = on_windows(path, excel)
    book.add_sheet("T")
    area = Area(sheet="T", row=1, column=1, rows=1, columns=7)
    line: list[Any] = ["=1+1", "0012", "1E5", "'x", 1.23456789, True, None]
    book.write("T", 1, 1, [line])
    assert book.contents(area) == [line]
    price = Area(sheet="T", row=1, column=5, rows=1, columns=1)
    book._range(price).number_format = "$#,##0.00"
    assert book.values(price) == [[1.23456789]]  # COM's currency has four decimals
    book.write("T", 2, 1, [[Formula("=A1"), CellError("#N/A")]])
    second = Area(sheet="T", row=2, column=1, rows=1, columns=2)
    assert book.contents(second)[0][0] == Formula("=A1")
    assert book.contents(second)[0][1] == CellError("#N/A")


def test_a_workbook_in_an_old_excel_is_read_without_formula2(path: Path) -> None:
    class Old:
        formula = "=A1"

        @property
        def formula2(self) -> str:
            raise com_error("unknown name")

    book = on_windows(path, Excel())
    assert book._formulas(Old()) == "=A1"
    cell = types.SimpleNamespace()
    book._set_formula(cell, "=B1")
    assert cell.formula == "=B1"


@pytest.mark.parametrize(("mode", "times"), [("manual", 1), ("automatic", 0)])
def test_under_manual_calculation_excel_computes_before_cells_are_read(
    path: Path, tmp_path: Path, mode: str, times: int
) -> None:
    excel = Excel()
    book = in_excel(path, excel)
    book.app.calculation = mode
    excel.calls.clear()
    done = desktop_macros.press(
        "generate_trades", DesktopWorkbook(book, platform="win32"), settings=settings(tmp_path)
    )
    assert done
    assert excel.calls.count("app.calculate()") == times
    if times:
        writes = [call for call in excel.calls if "status_bar" not in call]
        assert writes[0] == "app.calculate()"
    assert book.app.calculation == mode
