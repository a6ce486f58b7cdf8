"""REBAL_BOOK by client: what the command `scan` says of the same book; each account by its own policy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.workbooks.test_book_template import run
from xl_rebal.excel import registry
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.workbook import find_table

MODELS = [["model", "asset_class", "target"], ["A", "Stocks", 0.6], ["A", "Bonds", 0.4]]
HELD: list[list[Any]] = [
    ["account", "symbol", "quantity", "price"],
    *(
        row
        for name, stocks in (("1", 640.0), ("2", 640.0), ("3", 600.0))
        for row in ([name, "VTI", stocks, 100.0], [name, "BND", 1000.0 - stocks, 100.0])
    ),
]


def book(accounts: list[list[Any]], *more: Any, holdings: Any = HELD) -> Any:
    given = [accounts, holdings, MODELS, *more]
    return registry.call("REBAL_BOOK", [*given, *[None] * (10 - len(given))])


def rows(result: Any) -> dict[Any, dict[str, Any]]:
    assert isinstance(result, list), result
    return {row[0]: dict(zip(result[0], row, strict=True)) for row in result[1:]}


@pytest.mark.parametrize("mode", ["rules", "household_tax"])
def test_by_client_it_is_what_scan_says(tmp_path: Path, mode: str) -> None:
    arguments = ("--households", "60", "--seed", "11", "--format", "xlsx")
    run("sample-book", *arguments, "--out", str(tmp_path / "book"))
    path = tmp_path / "book" / "book.xlsx"
    scanned = run("scan", str(path), "--policy", "4pp", "--mode", mode)
    workbook = FileWorkbook(path)

    def cells(name: str) -> Any:
        table = find_table(workbook, name)
        assert table is not None
        return workbook.values(table.area)

    names = ("tblAccounts", "tblHoldings", "tblModels")
    more = [cells(name) for name in ("tblSecurities", "tblRestrictions", "tblFlows")]
    day = dt.datetime.fromisoformat(scanned["as_of"])
    result = registry.call("REBAL_BOOK", [*map(cells, names), "4pp", *more, day, mode, "clients"])
    assert isinstance(result, list), result
    assert result[0] == list(scanned["clients"][0])
    assert len(result) - 1 == 60
    for row, client in zip(result[1:], scanned["clients"], strict=True):
        for cell, (name, value) in zip(row, client.items(), strict=True):
            wanted = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            assert cell == wanted or (cell is None and value == ""), (row[0], name)


def test_an_account_follows_its_own_policy_first() -> None:
    accounts: list[list[Any]] = [
        ["account", "model", "policy"],
        ["1", "A", "3pp"],
        ["2", "A", None],
        ["3", "A", None],
    ]
    found = rows(book(accounts, "5pp"))
    assert {name: row["status"] for name, row in found.items()} == {
        "1": "rebalance", "2": "within", "3": "within",
    }  # fmt: skip
    assert list(found) == ["1", "2", "3"]


def test_classes_days_and_withdrawals_are_followed() -> None:
    accounts: list[list[Any]] = [
        ["account", "model", "last_rebalanced"],
        ["1", "A", "2026-09-30"],
        ["3", "A", None],
    ]
    held: list[list[Any]] = [["account", "symbol", "quantity", "price"], ["1", "OWN1", 640.0, 100.0],
            ["1", "OWN2", 360.0, 100.0], ["3", "OWN1", 600.0, 100.0], ["3", "CASH", 500.0, 1.0],
            ["3", "OWN2", 400.0, 100.0]]  # fmt: skip
    securities = [["symbol", "asset_class"], ["OWN1", "Stocks"], ["OWN2", "Bonds"]]
    flows = [["account", "date", "amount"], ["3", "2026-12-10", -5000.0]]
    found = rows(book(accounts, "quarterly", securities, None, flows, "2026-11-25", holdings=held))
    assert found["1"]["status"] == "within"
    assert found["3"]["status"] == "raise cash"
    unknown = rows(book(accounts, "quarterly", holdings=held))
    assert {row["status"] for row in unknown.values()} == {"failed"}
    assert "OWN1" in unknown["1"]["reason"]


def test_one_client_at_fault_stops_no_other() -> None:
    accounts: list[list[Any]] = [["account", "household", "model", "policy"], ["1", "Ash", "A", "3pp"],
                ["2", "Ash", "A", "4pp"], ["3", "Elm", "A", None]]  # fmt: skip
    held = [*HELD, ["4", "XYZ9", 5.0, 10.0]]
    found = rows(book(accounts, "5pp", None, None, None, None, None, "clients", holdings=held))
    assert {name: row["need"] for name, row in found.items()} == {
        "Ash": "failed", "4": "failed", "Elm": "within",
    }  # fmt: skip
    assert "differ" in found["Ash"]["reason"]
    assert "XYZ9" in found["4"]["reason"]


def test_what_is_not_understood_is_said_together() -> None:
    restrictions = [["scope", "rule", "tag"], ["*", "never_hold", "tobaco"]]
    said = book([["account"], ["1"]], "5pp", None, restrictions, None, "soon", "best", "households")
    assert str(said).startswith("#REBAL! ")
    for words in ("tobaco", "as_of", "output"):
        assert words in str(said), words
    said = book([["account"], ["1"]], "5pp", None, None, None, None, "best")
    assert "mode" in str(said)
