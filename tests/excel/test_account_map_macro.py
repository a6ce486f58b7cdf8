"""Import Positions with the workbook's account map: masked ids become accounts that orders can name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.excel.macro_books import TEMPLATE, opened, positions, ran, rows, set_cells
from xl_rebal.errors import PlanError, ReadError, TableError
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import Settings, run
from xl_rebal.excel.workbook import Workbook

MASKED = (
    "account,symbol,quantity,price,asset_class,kind\n"
    "XXXX-1111,VTI,5000,220,,\nXXXX-1111,BND,8000,75,,\nXXXX-1111,VNQ,1000,85,,\n"
    "...632,VXUS,2000,58,,\n...632,BND,100,75,,\n...632,CASH,500,1,,cash\n"
)
MAP = [
    {"Masked": "XXXX-1111", "Account": "70001111", "Name": None},
    {"Masked": "...632", "Account": "70000632", "Name": None},
]


@pytest.fixture
def book(tmp_path: Path) -> Workbook:
    """A client's workbook from the template, with masked accounts imported without a map."""
    path = tmp_path / "client.xlsx"
    run("import_positions", FileWorkbook(TEMPLATE, out=path), settings(tmp_path))
    return opened(path, "file")


def settings(folder: Path, text: str = MASKED) -> Settings:
    return Settings(file=positions(folder, text), plans=folder / "plans", who="tester")


def with_map(book: Workbook, entries: list[dict[str, Any]]) -> None:
    set_cells(book, "tblAccountMap", lambda _: entries)


def imported(book: Workbook, folder: Path, text: str = MASKED) -> Any:
    return ran("import_positions", book, folder, file=positions(folder, text))


def test_without_the_map_masked_accounts_stay_and_export_nothing(
    book: Workbook, tmp_path: Path
) -> None:
    assert {row["Account"] for row in rows(book, "tblHoldings")} == {"XXXX-1111", "...632"}
    done = imported(book, tmp_path)
    (warning,) = [text for text in done.warnings if "tblAccountMap" in text]
    assert warning.startswith("XXXX-1111, ...632 shows only its last characters")
    ran("generate_trades", book, tmp_path)
    out = tmp_path / "orders.csv"
    with pytest.raises(PlanError, match=r"(?s)account XXXX-1111.*tblAccountMap"):
        ran("export_orders", book, tmp_path, file=out)
    assert not out.exists()


def test_with_the_map_the_accounts_are_real_and_their_rows_replaced(
    book: Workbook, tmp_path: Path
) -> None:
    before = len(rows(book, "tblHoldings"))

    def own_class(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Symbol"] == "VNQ":
                row["Asset class"] = "Real Estate/Mine"
        return found

    set_cells(book, "tblHoldings", own_class)
    with_map(book, MAP)
    done = imported(book, tmp_path)
    assert done.document["accounts"] == ["70001111", "70000632"]
    assert done.document["kept"] == []
    assert done.warnings == ()
    found = rows(book, "tblHoldings")
    assert len(found) == before  # nothing counts twice: the masked rows were the same accounts
    assert {row["Account"] for row in found} == {"70001111", "70000632"}
    mine = next(row for row in found if row["Symbol"] == "VNQ")
    assert mine["Asset class"] == "Real Estate/Mine"
    ran("generate_trades", book, tmp_path)
    out = tmp_path / "orders.csv"
    ran("export_orders", book, tmp_path, file=out)
    with out.open(encoding="utf-8", newline="") as stream:
        assert {line["account"] for line in csv.DictReader(stream)} == {"70001111", "70000632"}


def test_an_id_that_the_map_leaves_out_stays_masked_and_is_named(
    book: Workbook, tmp_path: Path
) -> None:
    with_map(book, MAP[:1])
    done = imported(book, tmp_path)
    assert done.document["accounts"] == ["70001111", "...632"]
    assert "account ...632 is not in the account map; it stays masked" in done.warnings


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [{**MAP[0], "Account": "70002222"}, {**MAP[1], "Account": "XX-0632"}],
            r"(?s)tblAccountMap row 2.*does not end in 1111.*tblAccountMap row 3.*masked itself",
        ),
        ([MAP[0], {**MAP[0], "Account": "80001111"}], "was 70001111 above, and is 80001111 here"),
        ([{**MAP[0], "Masked": None}], "(?s)tblAccountMap row 2.*[Mm]asked.*is blank"),
    ],
)
def test_bad_rows_refuse_the_import_and_change_nothing(
    book: Workbook, tmp_path: Path, entries: list[dict[str, Any]], message: str
) -> None:
    with_map(book, entries)
    before = rows(book, "tblHoldings")
    with pytest.raises(TableError, match=message):
        imported(book, tmp_path)
    assert rows(book, "tblHoldings") == before


def test_two_accounts_that_the_map_makes_one_are_refused(book: Workbook, tmp_path: Path) -> None:
    with_map(book, [MAP[0], {"Masked": "...111", "Account": "70001111", "Name": None}])
    both = MASKED.replace("...632", "...111")
    with pytest.raises(ReadError, match="makes one account, 70001111, of"):
        imported(book, tmp_path, both)


def test_the_map_is_no_input_of_a_plan(book: Workbook, tmp_path: Path) -> None:
    """A row added later for another client's account makes no plan old."""
    with_map(book, MAP)
    imported(book, tmp_path)
    ran("generate_trades", book, tmp_path)
    with_map(book, [*MAP, {"Masked": "...777", "Account": "70000777", "Name": None}])
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
