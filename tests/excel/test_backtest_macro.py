"""The button Backtest: figures and trades of the workbook's own tables, in files and in a recorded Excel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.excel.macro_books import opened, rows, settings
from xl_rebal.errors import RebalError
from xl_rebal.excel import registry
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import run
from xl_rebal.workbooks import lab_example

LAB = PROJECT / "workbook_templates" / "backtest_lab.xltx"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A workbook made from the lab; the macro saves what it writes."""
    out = tmp_path / "lab.xlsx"
    run("backtest", FileWorkbook(LAB, out=out), settings(tmp_path))
    return out


def test_it_writes_what_the_function_shows(path: Path) -> None:
    book = FileWorkbook(path)
    wanted = registry.call(
        "REBAL_BACKTEST",
        [lab_example.prices(), lab_example.TARGETS, lab_example.POLICY, lab_example.COST_BPS],
    )
    assert isinstance(wanted, list)
    figures = {row[0]: row[1] for row in wanted}
    found = rows(book, "tblBacktestResult")
    assert len(found) > 20
    for row in found:
        value = figures[str(row["key"])]
        assert row["value"] == (pytest.approx(value) if isinstance(value, float) else value)
    events = rows(book, "tblBacktestTrades")
    assert len(events) == figures["rebalances"]
    assert all(str(row["rule"]) == "band of 5 percentage points" for row in events)


def test_again_over_its_own_sheets_and_undone(path: Path, tmp_path: Path) -> None:
    book = opened(path, "file")
    done = run("backtest", book, settings(tmp_path))
    assert "rebalancings from 2015-01-02 to 2024-12-20" in done.lines[0]
    assert book.sheet_names().count("Backtest result") == 1
    run("undo_last", book, settings(tmp_path))


def test_in_a_recorded_excel_without_the_cells_of_the_lab(path: Path, tmp_path: Path) -> None:
    """Names that Excel does not pass on mean the tables: no tblPolicy is 5pp, no tblCosts is free."""
    done = run("backtest", opened(path, "windows"), settings(tmp_path))
    assert done.document["summary"]["cost"] == 0
    assert "5 percentage points" in done.document["policy"]


def test_a_workbook_without_prices_is_told_so(tmp_path: Path) -> None:
    portfolio = FileWorkbook(
        PROJECT / "workbook_templates" / "portfolio.xltx", out=tmp_path / "p.xlsx"
    )
    with pytest.raises(RebalError, match="tblPrices"):
        run("backtest", portfolio, settings(tmp_path))


@pytest.mark.parametrize("cost", [-5.0, 20_000.0])
def test_a_cost_that_is_not_possible_is_refused(tmp_path: Path, cost: float) -> None:
    book = FileWorkbook(LAB, out=tmp_path / "lab.xlsx")
    area = book.named_area("LabCost")
    assert area is not None
    book.write(area.sheet, area.row, area.column, [[cost]])
    with pytest.raises(RebalError, match=r"LabCost: -?\d+ is not possible"):
        run("backtest", book, settings(tmp_path))


@pytest.mark.parametrize(
    ("name", "more"), [("REBAL_COMPARE", ["never; 5pp", 5.0]), ("REBAL_OPTIMAL_BAND", [5.0])]
)
def test_what_is_compared_states_its_conventions(name: str, more: list[object]) -> None:
    found = registry.call(name, [lab_example.prices(), lab_example.TARGETS, *more])
    assert isinstance(found, list)
    assert "52 rows a year (arithmetic); CAGR geometric" in str(found[1][-1])
