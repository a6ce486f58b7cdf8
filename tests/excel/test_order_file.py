"""Export Orders: a file per custodian, exact text or refused, noted in the ledger before it is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.excel.macro_books import client, positions, ran, rows, set_cells
from xl_rebal.custodians.orders import (
    OrderRow,
    read_ledger,
    read_orders,
    record_release,
    shipped_formats,
)
from xl_rebal.errors import FileError, PlanError, TableError
from xl_rebal.excel import order_file
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.plan_store import load
from xl_rebal.excel.workbook import Area, Workbook
from xl_rebal.files import write_atomically
from xl_rebal.workbooks import template_example

BOTH = ("70001111", "70002222")


def with_table(book: Workbook, name: str, *lines: tuple[Any, ...]) -> None:
    """Add a sheet with a table of settings."""
    book.add_sheet(f"{name} sheet")
    book.write(f"{name} sheet", 1, 1, [list(line) for line in lines])
    area = Area(sheet=f"{name} sheet", row=1, column=1, rows=len(lines), columns=len(lines[0]))
    book.add_table(name, area)
    book.commit()


def planned(folder: Path, *settings: tuple[Any, ...]) -> FileWorkbook:
    book = FileWorkbook(client(folder))
    if settings:
        header = ("account", "custodian", "discretionary")
        with_table(book, "tblAccountSettings", header, *settings)
    ran("generate_trades", book, folder)
    return book


def read(path: Path, name: str) -> list[OrderRow]:
    made = shipped_formats().of(name)
    assert made is not None
    return list(read_orders(path.read_bytes(), made, path.name))


def ledger(folder: Path) -> Path:
    return folder / "plans" / "orders.jsonl"


def in_the_sheet(book: Workbook) -> list[tuple[Any, ...]]:
    return [
        (r["Account"], r["Symbol"], r["Action"], r["Quantity"]) for r in rows(book, "tblPlanTrades")
    ]


def test_accounts_without_a_custodian_go_into_the_file_that_was_asked_for(tmp_path: Path) -> None:
    book = planned(tmp_path)
    done = ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    text = (tmp_path / "orders.csv").read_text("utf-8")
    header, *lines = text.splitlines()
    assert header == "account,symbol,action,quantity,order_type,limit_price,time_in_force,plan_id"
    stored = load(done.document["plan_id"], tmp_path / "plans")
    for line, trade in zip(lines, stored.trades(), strict=True):
        assert line == (
            f"{trade.account},{trade.symbol},{trade.action},{trade.quantity:.0f},MARKET,,DAY,"
            f"{stored.plan_id}"
        )
    assert done.document["files"] == ["orders.csv"]
    assert read_ledger(ledger(tmp_path)).accounts() == BOTH


def test_each_custodian_gets_its_own_files(tmp_path: Path) -> None:
    book = planned(
        tmp_path, ("70001111", "Interactive Brokers", None), ("70002222", "Fidelity", None)
    )
    done = ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    assert set(done.document["files"]) <= {
        "orders-ibkr-1-sells.csv",
        "orders-ibkr-2-buys.csv",
        "orders-fidelity-1-sells.csv",
        "orders-fidelity-2-buys.csv",
    }
    assert not (tmp_path / "orders.csv").exists()
    found = [
        (r.account, r.symbol, r.action.value, float(r.quantity))
        for name in done.document["files"]
        for r in read(tmp_path / name, name.split("-")[1])
    ]
    assert sorted(found) == sorted(in_the_sheet(book))
    assert any("fidelity order files" in text for text in done.warnings)


def test_what_cannot_be_sent_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    book = planned(tmp_path, ("70001111", "Schwab", None), ("70002222", "ibkr", "no"))
    done = ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    assert all(name.startswith("orders-ibkr") for name in done.document["files"])
    count = sum(1 for row in in_the_sheet(book) if row[0] == "70001111")
    assert len(done.document["unsendable"]) == count > 0
    told = "\n".join(done.warnings)
    assert f"account 70001111: {count} orders not written: the format for Schwab" in told
    assert "account 70002222 is not discretionary" in told
    assert read_ledger(ledger(tmp_path)).accounts() == ("70002222",)


def test_the_workbook_says_which_format_a_custodian_takes(tmp_path: Path) -> None:
    book = planned(tmp_path, ("70001111", "Schwab", None), ("70002222", "Hausbank", None))
    with_table(
        book,
        "tblOrderFormats",
        ("custodian", "format"),
        ("Schwab", "generic"),
        ("Hausbank", "mine"),
    )
    out = tmp_path / "orders.csv"
    with pytest.raises(TableError, match=r"tblOrderFormats row 3: there is no order format 'mine'"):
        ran("export_orders", book, tmp_path, file=out)
    own = tmp_path / "plans" / "order-formats"
    own.mkdir()
    generic = Path(order_file.__file__).parents[1] / "custodians" / "orders" / "presets"
    text = (generic / "generic.toml").read_text("utf-8").replace('"generic"', '"mine"')
    (own / "mine.toml").write_text(text.replace('header = "symbol"', 'header = "Titel"'), "utf-8")
    done = ran("export_orders", book, tmp_path, file=out)
    assert done.document["files"] == ["orders-generic.csv", "orders-mine.csv"]
    assert ",Titel," in (tmp_path / "orders-mine.csv").read_text("utf-8")
    assert not done.document["unsendable"]


def test_a_second_export_of_a_plan_is_told_and_another_plan_is_refused(tmp_path: Path) -> None:
    book = planned(tmp_path)
    out = tmp_path / "orders.csv"
    first = ran("export_orders", book, tmp_path, file=out).warnings
    assert len(first) == 2
    assert all("after a rise of 1%" in text for text in first)
    again = ran("export_orders", book, tmp_path, file=tmp_path / "again.csv").warnings
    told = [text for text in again if text not in first]
    assert [text.partition(":")[0] for text in told] == [f"account {a}" for a in BOTH]
    assert all("who sends both files trades twice" in text for text in told)
    assert len(ledger(tmp_path).read_text().splitlines()) == 2  # noted once
    with pytest.raises(PlanError, match=r"account 70001111(?s:.*)--release 70002222"):
        ran("generate_trades", book, tmp_path)


def test_an_account_that_waits_is_refused_and_the_others_are_planned(tmp_path: Path) -> None:
    book = planned(tmp_path)
    trades = in_the_sheet(book)
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    record_release(ledger(tmp_path), ["70002222"])
    done = ran("generate_trades", book, tmp_path)
    assert in_the_sheet(book) == [row for row in trades if row[0] == "70002222"]
    (refused,) = done.document["refused"]
    assert refused["account"] == "70001111"
    assert "are not reconciled (SELL " in refused["reason"]
    assert "xl-rebal reconcile --release 70001111" in refused["reason"]
    ran("export_orders", book, tmp_path, file=tmp_path / "second.csv")
    assert {r.account for r in read(tmp_path / "second.csv", "generic")} == {"70002222"}


def test_new_positions_that_show_the_trades_free_the_accounts(tmp_path: Path) -> None:
    book = planned(tmp_path)
    trades = in_the_sheet(book)
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    old = ran("import_positions", book, tmp_path, file=positions(tmp_path))
    assert any("are not reconciled" in line for line in old.lines)
    held = {
        ("70001111", "VTI"): 5000.0, ("70001111", "BND"): 8000.0, ("70001111", "VNQ"): 1000.0,
        ("70002222", "VXUS"): 2000.0, ("70002222", "BND"): 100.0,
    }  # fmt: skip
    for account, symbol, action, quantity in trades:
        signed = quantity if action == "BUY" else -quantity
        held[account, symbol] = held.get((account, symbol), 0.0) + signed
    text = "account,symbol,quantity,price\n" + "".join(
        f"{account},{symbol},{units},100\n" for (account, symbol), units in held.items()
    )
    new = ran("import_positions", book, tmp_path, file=positions(tmp_path, text))
    assert [line for line in new.lines if "are done" in line] == [
        f"the exported orders of account {name} are done" for name in BOTH
    ]
    assert read_ledger(ledger(tmp_path)).accounts() == ()
    ran("generate_trades", book, tmp_path)


def test_files_that_cannot_be_written_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = planned(tmp_path, ("70001111", "ibkr", None), ("70002222", "generic", None))
    written: list[str] = []

    def full(path: Path, data: bytes, *, overwrite: bool = False) -> None:
        if written:
            raise FileError.of(where=path.name, what="no space", remedy="free some")
        written.append(path.name)
        write_atomically(path, data, overwrite=overwrite)

    monkeypatch.setattr(order_file, "write_atomically", full)
    with pytest.raises(FileError, match="no space"):
        ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    assert written
    assert not list(tmp_path.glob("orders*.csv"))
    assert read_ledger(ledger(tmp_path)).accounts() == ()
    (tmp_path / "orders-ibkr-2-buys.csv").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    assert [path.name for path in tmp_path.glob("orders*.csv")] == ["orders-ibkr-2-buys.csv"]


@pytest.mark.parametrize("account", ["...632", "XXXX-4321", "=70001111", "-1", "@x", "+5"])
def test_an_account_that_cannot_be_named_stops_its_orders(tmp_path: Path, account: str) -> None:
    book = FileWorkbook(client(tmp_path))

    def renamed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        mine = [r for r in found if r["Account"] == "70001111"]
        return [{**r, "Account": account} for r in mine]

    set_cells(book, "tblHoldings", renamed)
    ran("generate_trades", book, tmp_path)
    out = tmp_path / "orders.csv"
    with pytest.raises(PlanError, match=r"shows only its last digits|would not keep as text"):
        ran("export_orders", book, tmp_path, file=out)
    assert not out.exists()
    assert not ledger(tmp_path).exists()


def test_the_templates_invented_account_gets_no_orders(tmp_path: Path) -> None:
    book = FileWorkbook(client(tmp_path))

    def invented(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        mine = [r for r in found if r["Account"] == "70001111"]
        return [{**r, "Account": template_example.ACCOUNT} for r in mine]

    set_cells(book, "tblHoldings", invented)
    ran("generate_trades", book, tmp_path)
    with pytest.raises(PlanError, match="invented account of the template"):
        ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")


def test_an_empty_plan_makes_no_file(tmp_path: Path) -> None:
    book = FileWorkbook(client(tmp_path))
    set_cells(book, "tblPolicy", lambda found: [{**found[0], "Value": "never"}, *found[1:]])
    ran("generate_trades", book, tmp_path)
    with pytest.raises(PlanError, match="has no trades"):
        ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")


def test_the_ledger_is_text_that_a_person_can_read(tmp_path: Path) -> None:
    book = planned(tmp_path)
    ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    first = json.loads(ledger(tmp_path).read_text().splitlines()[0])
    assert first["account"] == "70001111"
    assert {order["file"] for order in first["orders"]} == {"orders.csv"}
    with (tmp_path / "orders.csv").open(encoding="utf-8", newline="") as stream:
        mine = [o for o in csv.DictReader(stream) if o["account"] == "70001111"]
    assert [(o["symbol"], o["quantity"]) for o in mine] == [
        (o["symbol"], o["quantity"]) for o in first["orders"]
    ]
