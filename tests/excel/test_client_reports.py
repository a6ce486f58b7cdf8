"""Client Reports: a workbook per client, one client's failure its own, and names that are safe."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.excel.macro_books import client, opened, ran, set_cells
from tests.excel.test_order_file import with_table
from xl_rebal.errors import FileError, PlanError, RebalError
from xl_rebal.excel.book_inputs import asked, read_inputs
from xl_rebal.excel.client_reports import Client, report_paths
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.workbook import Workbook
from xl_rebal.rebalance import rebalance
from xl_rebal.workbooks.client_names import client_file_name

HEADER = ("account", "household")


def named(household: str, stem: str = "reports") -> str:
    return f"{stem}-{client_file_name(household, household)}"


def texts(path: Path) -> set[str]:
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
    return {
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row
    }


def numbers(path: Path) -> set[float]:
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
    return {
        round(float(cell), 2)
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if isinstance(cell, float | int) and not isinstance(cell, bool)
    }


@pytest.fixture
def book(tmp_path: Path) -> Workbook:
    return FileWorkbook(client(tmp_path))


def test_each_account_without_a_household_is_a_client(book: Workbook, tmp_path: Path) -> None:
    done = ran("client_reports", book, tmp_path, file=tmp_path / "reports.xlsx")
    assert done.document["reports"] == [named("70001111"), named("70002222")]
    assert done.lines[0] == "2 of 2 client reports written"
    what = asked(read_inputs(book))
    for plan in rebalance(what.book, what.request).plans:
        path = tmp_path / named(plan.account)
        found = numbers(path)
        assert plan.trades
        for trade in plan.trades:
            assert {round(trade.quantity, 2), trade.value} <= found
        assert round(plan.cash_after, 2) in found
        others = {"70001111", "70002222"} - {plan.account}
        assert not others & texts(path)  # nothing of another client stands in it


def test_a_household_is_one_client(book: Workbook, tmp_path: Path) -> None:
    with_table(book, "tblAccountSettings", HEADER, ("70001111", "Ash"), ("70002222", "Ash"))
    done = ran("client_reports", book, tmp_path, file=tmp_path / "reports.xlsx")
    assert done.document["reports"] == [named("Ash")]
    assert {"70001111", "70002222"} <= texts(tmp_path / named("Ash"))


def test_a_client_at_fault_is_named_and_stops_no_other(book: Workbook, tmp_path: Path) -> None:
    def stuck(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Account"] == "70002222" and row["Symbol"] == "CASH":
                row["Quantity"] = -50_000_000.0
        return found

    ran("generate_trades", book, tmp_path)
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    (tmp_path / "plans" / "orders.jsonl").write_text(
        (tmp_path / "plans" / "orders.jsonl").read_text().splitlines(keepends=True)[1]
    )
    done = ran("client_reports", book, tmp_path, file=tmp_path / "reports.xlsx")
    assert done.document["reports"] == [named("70001111")]
    (failed,) = done.document["failed"]
    assert failed["client"] == "70002222"
    assert "are not reconciled" in failed["reason"]
    assert any(text.startswith("70002222: not written: ") for text in done.warnings)
    assert not (tmp_path / named("70002222")).exists()
    (tmp_path / "plans" / "orders.jsonl").unlink()
    set_cells(book, "tblHoldings", stuck)
    done = ran("client_reports", book, tmp_path, file=tmp_path / "more.xlsx")
    (failed,) = done.document["failed"]
    assert failed["client"] == "70002222"
    assert "negative" in failed["reason"]
    assert done.document["reports"] == [named("70001111", "more")]


def test_reports_that_are_there_are_replaced_with_consent_only(tmp_path: Path) -> None:
    path = client(tmp_path)
    mine = tmp_path / named("70002222")
    mine.write_bytes(b"mine")
    with pytest.raises(FileError, match="exists already"):
        ran("client_reports", opened(path, "file"), tmp_path, file=tmp_path / "reports.xlsx")
    assert mine.read_bytes() == b"mine"
    assert not (tmp_path / named("70001111")).exists()
    agreed = FileWorkbook(path, answer=True)
    ran("client_reports", agreed, tmp_path, file=tmp_path / "reports.xlsx")
    assert mine.read_bytes() != b"mine"


def test_other_names_than_workbooks_are_refused(book: Workbook, tmp_path: Path) -> None:
    with pytest.raises(RebalError, match=r"end it in \.xlsx"):
        ran("client_reports", book, tmp_path, file=tmp_path / "reports.csv")
    ran("generate_trades", book, tmp_path)
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    with pytest.raises(PlanError, match=r"no report was written: 70001111: (?s:.*)not reconciled"):
        ran("client_reports", book, tmp_path, file=tmp_path / "reports.xlsx")


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    odd = (
        *("../../etc", "CON", "=cmd|'/c calc'!A1", "x" * 300, "Ash 🌳"),
        *("Ash", "ash", "...", "com1.txt", "a/b\\c"),
    )
    clients = [Client(household=f"H{n}", name=name, accounts=()) for n, name in enumerate(odd)]
    paths = report_paths(clients, tmp_path / "r.xlsx")
    assert len({path.name.casefold() for path in paths.values()}) == len(odd)
    for path in paths.values():
        assert path.parent == tmp_path
        path.write_bytes(b"x")  # the file system takes it
