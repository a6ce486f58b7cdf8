"""Client Reports of a whole book: the same as a batch, its trades in the workbook, nothing exported."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.excel.macro_books import opened, ran, rows, set_cells
from tests.workbooks.test_book_template import as_workbook, run
from xl_rebal.custodians.orders import LEDGER
from xl_rebal.errors import FileError, PlanError, RebalError, TableError
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import MacroError
from xl_rebal.excel.workbook import Workbook, find_table
from xl_rebal.workbooks import book_example as example

SWITCHES = ("--costs", example.COSTS, "--min-trade", "250", "--workers", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return as_workbook(tmp_path)


def changed(table: str, header: str, row: int, value: Any, book: Workbook) -> None:
    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found[row][header] = value
        return found

    set_cells(book, table, change)


def switch(book: Workbook, name: str, value: Any) -> None:
    area = book.named_area(name)
    assert area is not None
    book.write(area.sheet, area.row, area.column, [[value]])
    book.commit()


@pytest.mark.parametrize("host", ["file", "windows"])
def test_it_comes_to_what_a_batch_comes_to(path: Path, tmp_path: Path, host: str) -> None:
    run("batch", str(path), "--out", str(tmp_path / "batch"), *SWITCHES)
    book = opened(path, host)
    done = ran("client_reports", book, tmp_path, file=tmp_path / "adviser_book reports.xlsx")
    mine, theirs = tmp_path / "adviser_book reports", tmp_path / "batch"
    assert done.document["folder"] == mine.name
    assert done.document["failed"] == []
    files = sorted(file.name for file in (mine / "clients").iterdir())
    assert len(files) == done.document["households"] == 8
    assert files == sorted(file.name for file in (theirs / "clients").iterdir())
    for name in files:
        assert (mine / "clients" / name).read_bytes() == (theirs / "clients" / name).read_bytes()
    assert (mine / "clients.csv").read_bytes() == (theirs / "clients.csv").read_bytes()
    assert (mine / "orders" / "blocks.csv").read_bytes() == (
        theirs / "orders" / "blocks.csv"
    ).read_bytes()
    orders = {file.name for file in (mine / "orders").iterdir()}
    assert orders == {"allocations.csv", "blocks.csv", "unsendable.csv"}  # none to be sent
    assert not (tmp_path / "plans" / LEDGER).exists()
    with (theirs / "trades.csv").open(newline="") as stream:
        wanted = [row for row in csv.DictReader(stream) if row["block"]]
    shown = rows(book, "tblTrades")
    assert [(r["Account"], r["Symbol"], r["Action"], r["Quantity"], r["Block"]) for r in shown] == [
        (r["account"], r["symbol"], r["action"], float(r["quantity"]), r["block"]) for r in wanted
    ]
    assert done.document["trades"] == len(wanted)
    assert any("must not be sent yet" in line for line in done.lines)


def test_its_trades_are_undone_and_an_empty_run_leaves_one_blank_row(
    path: Path, tmp_path: Path
) -> None:
    book = FileWorkbook(path)
    before = rows(book, "tblTrades")
    switch(book, "BookPolicy", "never")
    set_cells(
        book,
        "tblAccounts",
        lambda found: [
            {**row, "Policy": "never", "Plan mode": None, "Held away": "yes"} for row in found
        ],
    )
    done = ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    assert done.document["trades"] == 0
    assert [set(row.values()) for row in rows(book, "tblTrades")] == [{None}]
    ran("undo_last", book, tmp_path)
    assert rows(book, "tblTrades") == before


def test_pressed_again_it_replaces_its_own_reports_with_consent(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    first = (tmp_path / "r" / "dashboard.xlsx").read_bytes()
    switch(book, "BookPolicy", "1pp")
    with pytest.raises(MacroError, match="were kept"):
        ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    assert (tmp_path / "r" / "dashboard.xlsx").read_bytes() == first
    again = FileWorkbook(path, answer=True)
    done = ran("client_reports", again, tmp_path, file=tmp_path / "r.xlsx")
    data = (tmp_path / "r" / "dashboard.xlsx").read_bytes()
    assert data != first
    texts = {
        str(cell)
        for sheet in openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    }
    assert any("1pp" in text for text in texts)
    assert done.document["needing_trades"] > 6
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match="is not empty"):
        ran("client_reports", again, tmp_path, file=tmp_path / "mine.xlsx")
    assert (mine / "notes.txt").read_text() == "mine"


def test_one_client_at_fault_stops_no_other_and_all_at_fault_are_said(
    path: Path, tmp_path: Path
) -> None:
    book = FileWorkbook(path)
    changed("tblLots", "Quantity", 0, 701.0, book)
    changed("tblAccounts", "Model", 4, "Grow", book)
    done = ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    failed = {each["client"]: each["reason"] for each in done.document["failed"]}
    assert set(failed) == {"Ash", "Cedar"}
    assert "add up to" in failed["Ash"]
    # The sheet and its own row are named, for there it is mended.
    assert "sheet 'Accounts' row 10, column model" in failed["Cedar"]
    assert len(list((tmp_path / "r" / "clients").iterdir())) == 6
    assert {row["Household"] for row in rows(book, "tblTrades")}.isdisjoint(failed)
    set_cells(book, "tblAccounts", lambda found: [{**row, "Model": "none"} for row in found])
    with pytest.raises(PlanError, match="no client could be planned"):
        ran("client_reports", book, tmp_path, file=tmp_path / "q.xlsx")


def test_accounts_that_wait_for_exported_orders_are_not_planned(path: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "plans" / LEDGER
    ledger.parent.mkdir()
    run(
        *("batch", str(path), "--out", str(tmp_path / "sent"), "--ledger", str(ledger)),
        *("--policy", "6pp", "--workers", "1"),
    )
    noted = ledger.read_bytes()
    book = FileWorkbook(path)
    done = ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    reasons = {each["client"]: each["reason"] for each in done.document["failed"]}
    assert {"Birch", "Fir"} <= set(reasons)
    assert all("not reconciled" in reason for reason in reasons.values())
    assert ledger.read_bytes() == noted


def test_what_cannot_be_read_is_refused_all_together(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    for name, value in (
        ("BookPolicy", "five"),
        ("BookMode", "best"),
        ("BookCosts", "cheap"),
        ("BookSmallestTrade", -5.0),
        ("BookTurnover", "much"),
        ("BookRise", 1.5),
    ):
        switch(book, name, value)
    with pytest.raises(TableError) as error:
        ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    said = [fault.where for fault in error.value.faults]
    for name in ("Policy", "Mode", "Costs", "SmallestTrade", "Turnover", "Rise"):
        assert any(where.startswith(f"Book{name} (Start!C") for where in said), name
    assert not (tmp_path / "r").exists()
    book = FileWorkbook(path)
    table = find_table(book, "tblFlows")
    assert table is not None
    book.write("Flows", table.area.last_row + 1, 1, [["EXAMPLE-1001"]])
    book.commit()
    with pytest.raises(TableError, match="stands right below table tblFlows"):
        ran("client_reports", book, tmp_path, file=tmp_path / "r.xlsx")
    with pytest.raises(RebalError, match=r"end it in \.xlsx"):
        ran("client_reports", book, tmp_path, file=tmp_path / "r.csv")


def test_a_batch_says_which_row_below_a_table_it_did_not_read(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    table = find_table(book, "tblFlows")
    assert table is not None
    book.write("Flows", table.area.last_row + 1, 1, [["EXAMPLE-1001"]])
    book.commit()
    document = run("batch", str(path), "--out", str(tmp_path / "run"), "--workers", "1")
    (said,) = [text for text in document["warnings"] if "right below the table" in text]
    assert f"sheet 'Flows' row {table.area.last_row + 1}" in said
