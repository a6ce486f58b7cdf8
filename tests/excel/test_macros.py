"""Every macro from press to written sheet, on a real file and in a recorded Excel, with the same result."""

from __future__ import annotations

import csv
import datetime as dt
import types
from pathlib import Path
from typing import Any

import pytest

from tests.excel import macro_books
from tests.excel.fake_xlwings import K
from tests.excel.macro_books import (
    POSITIONS,
    client,
    opened,
    positions,
    ran,
    rows,
    set_cells,
    snapshot,
)
from xl_rebal.cli import documents, inputs
from xl_rebal.custodians.orders import record_release
from xl_rebal.errors import PlanError, RebalError, VerificationError
from xl_rebal.excel import undo
from xl_rebal.excel.macros import MACROS, MacroError, Settings, run
from xl_rebal.excel.workbook import Visibility, Workbook
from xl_rebal.rebalance import rebalance

HOSTS = ("file", "windows", "mac")


@pytest.fixture(autouse=True)
def _appscript(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "appscript", types.SimpleNamespace(k=K))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client(tmp_path_factory.mktemp("client"))


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / made.name
    copy.write_bytes(made.read_bytes())
    return copy


@pytest.fixture(params=HOSTS)
def book(request: pytest.FixtureRequest, path: Path) -> Workbook:
    return opened(path, request.param)


def test_generate_trades_writes_what_the_command_line_plans(book: Workbook, tmp_path: Path) -> None:
    done = ran("generate_trades", book, tmp_path)
    loaded = inputs.load(
        inputs.Options(
            holdings=positions(tmp_path),
            targets="60% stocks, 30% bonds, 10% real estate",
            policy="5pp",
            costs="half-spread 5bp, commission 0",
        )
    )
    expected = documents.trades_document(loaded, rebalance(loaded.book, loaded.request))
    shown = rows(book, "tblPlanTrades")
    assert len(shown) == len(expected["trades"]) > 3
    for row, trade in zip(shown, expected["trades"], strict=True):
        for name in ("account", "symbol", "action", "quantity", "price", "value", "cost", "reason"):
            assert row[name.capitalize()] == trade[name]
    plans = rows(book, "tblPlanAccounts")
    assert [p["Account"] for p in plans] == ["70001111", "70002222"]
    assert sum(p["Cash after"] for p in plans) == pytest.approx(expected["cash_after"], abs=0.005)
    text = _texts(book, "Trades")
    assert done.document["plan_id"] in text
    assert any("5 percentage points" in each for each in text)
    assert any("half-spread 5 bp" in each for each in text)


def _texts(book: Workbook, sheet: str) -> list[str]:
    return [c for row in book.values(book.used(sheet)) for c in row if isinstance(c, str)]


def test_check_drift_writes_the_same_table_as_the_function(book: Workbook, tmp_path: Path) -> None:
    done = ran("check_drift", book, tmp_path)
    shown = rows(book, "tblDriftCheck")
    assert {(r["account"], r["asset_class"]) for r in shown} >= {("70001111", "Stocks")}
    for row, expected in zip(shown, done.document["rows"], strict=True):
        assert row == {name: expected[name] for name in row}
    assert "outside their bands" in done.lines[0]


def test_locked_trades_are_kept_and_the_rest_is_planned_around_them(
    book: Workbook, tmp_path: Path
) -> None:
    ran("generate_trades", book, tmp_path)
    before = {(r["Account"], r["Symbol"]): r for r in rows(book, "tblPlanTrades")}
    key = next(k for k, r in before.items() if r["Action"] == "SELL")
    fewer = before[key]["Quantity"] - 10

    def lock(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if (row["Account"], row["Symbol"]) == key:
                row.update(Quantity=fewer, Locked="yes")
        return found

    set_cells(book, "tblPlanTrades", lock)
    done = ran("generate_trades", book, tmp_path)
    after = {(r["Account"], r["Symbol"]): r for r in rows(book, "tblPlanTrades")}
    assert after[key]["Quantity"] == fewer
    assert after[key]["Locked"] == "yes"
    assert done.document["locked"] == [list(key)]
    bought = [k for k, r in after.items() if r["Action"] == "BUY" and k[0] == key[0]]
    assert any(after[k]["Quantity"] != before.get(k, {}).get("Quantity") for k in bought)
    assert ran("verify_trades", book, tmp_path).document["verified"]


def test_the_files_date_decides_a_calendar_rule(book: Workbook, tmp_path: Path) -> None:
    file = tmp_path / "dated.csv"
    dated = POSITIONS.replace("account,", "as of,account,").replace("\n7", "\n2026-12-31,7")
    file.write_text(dated, encoding="utf-8")
    assert not ran("import_positions", book, tmp_path, file=file).warnings
    place = book.named_area("AsOf")
    assert place is not None
    assert book.values(place) == [[dt.datetime(2026, 12, 31)]]

    def quarterly(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**found[0], "Value": "quarterly and 5pp"}, *found[1:]]

    set_cells(book, "tblPolicy", quarterly)
    assert ran("generate_trades", book, tmp_path).document["trades"]
    book.write(place.sheet, place.row, place.column, [[dt.datetime(2026, 11, 20)]])
    book.commit()
    assert ran("generate_trades", book, tmp_path).document["trades"] == []
    (row,) = rows(book, "tblPlanTrades")
    assert row["Reason"].startswith("no trades: ")
    assert any("2026-11-20" in text for text in _texts(book, "Trades"))
    assert ran("verify_trades", book, tmp_path).document["edits"] == []
    ran("undo_last", book, tmp_path)
    done = ran("import_positions", book, tmp_path, file=positions(tmp_path))
    assert done.warnings == ("the file names no date: the valuation date was cleared",)


def test_a_lock_that_cannot_be_kept_names_its_row(path: Path, tmp_path: Path) -> None:
    book = opened(path, "file")
    ran("generate_trades", book, tmp_path)
    number = next(i for i, r in enumerate(rows(book, "tblPlanTrades"), 2) if r["Action"] == "SELL")

    def lock(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found[number - 2].update(Quantity=999_999.0, Locked="yes")
        return found

    set_cells(book, "tblPlanTrades", lock)
    with pytest.raises(RebalError, match=rf"tblPlanTrades row {number}, .*oversold.*unlock"):
        ran("generate_trades", book, tmp_path)


OVERDRAWN = POSITIONS.replace("70002222,CASH,500,1,,cash", "70002222,CASH,-20000,1,,cash")


def test_an_account_that_cannot_be_planned_is_never_left_out_unsaid(
    made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "client.xlsx"
    path.write_bytes(made.read_bytes())
    book = opened(path, "file")
    ran("import_positions", book, tmp_path, file=positions(tmp_path, OVERDRAWN))
    done = ran("generate_trades", book, tmp_path)
    assert "1 of 2 accounts REFUSED" in done.lines[0]
    (warning,) = [text for text in done.warnings if "was not planned" in text]
    assert warning.startswith("account 70002222 was not planned: account 70002222: cash is short")
    assert [each["account"] for each in done.document["refused"]] == ["70002222"]
    assert {row["Account"] for row in rows(book, "tblPlanTrades")} == {"70001111"}
    plans = {row["Account"]: row for row in rows(book, "tblPlanAccounts")}
    assert plans["70002222"]["Why"] == "REFUSED: no plan was made"
    assert "cash is short" in plans["70002222"]["Notes"]
    assert "70002222: see sheet Plan" in _texts(book, "Trades")
    # What was refused is remembered with the plan: edits and orders say it again.
    exported = ran("export_orders", book, tmp_path, file=tmp_path / "orders.csv")
    assert warning in exported.warnings
    record_release(tmp_path / "plans" / "orders.jsonl", ["70001111"])  # they were not sent

    def fewer(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Action"] == "BUY":
                row["Quantity"] -= 1
        return found

    set_cells(book, "tblPlanTrades", fewer)
    edited = ran("verify_trades", book, tmp_path)
    assert warning in edited.warnings
    assert "REFUSED" in str(rows(book, "tblPlanAccounts")[-1]["Why"])
    exported = ran("export_orders", book, tmp_path, file=tmp_path / "again.csv")
    assert warning in exported.warnings


def test_check_drift_says_which_account_has_no_weights(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "client.xlsx"
    path.write_bytes(made.read_bytes())
    book = opened(path, "file")
    debt = POSITIONS.replace("70002222,CASH,500,1,,cash", "70002222,CASH,-900000,1,,cash")
    ran("import_positions", book, tmp_path, file=positions(tmp_path, debt))
    done = ran("check_drift", book, tmp_path)
    assert "NOT MEASURED: account 70002222: its value less the reserve is negative" in done.lines[0]
    assert {row["account"] for row in rows(book, "tblDriftCheck")} == {"70001111"}


def test_locked_trades_of_a_refused_account_are_not_lost(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "client.xlsx"
    path.write_bytes(made.read_bytes())
    book = opened(path, "file")
    ran("generate_trades", book, tmp_path)

    def lock(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Account"] == "70002222":
                row["Locked"] = "yes"
        return found

    set_cells(book, "tblPlanTrades", lock)
    ran("import_positions", book, tmp_path, file=positions(tmp_path, OVERDRAWN))
    before = rows(book, "tblPlanTrades")
    with pytest.raises(RebalError, match=r"account 70002222.*cash is short"):
        ran("generate_trades", book, tmp_path)
    assert rows(book, "tblPlanTrades") == before


def test_edits_are_verified_recorded_and_exported(book: Workbook, tmp_path: Path) -> None:
    first = ran("generate_trades", book, tmp_path).document["plan_id"]
    out = tmp_path / "orders.csv"
    ran("export_orders", book, tmp_path, file=out)
    sold = next(r for r in rows(book, "tblPlanTrades") if r["Action"] == "SELL")

    def smaller(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Action"] == "BUY" and row["Account"] == sold["Account"]:
                row["Quantity"] -= 1
        return found

    set_cells(book, "tblPlanTrades", smaller)
    with pytest.raises(RebalError, match=r"(?s)edited after the plan was verified.*Quantity"):
        ran("export_orders", book, tmp_path, file=out, overwrite=True)
    for name in ("verify_trades", "generate_trades"):  # the exported orders may be under way
        with pytest.raises(PlanError, match=rf"orders of export {first} are not reconciled"):
            ran(name, book, tmp_path)
    record_release(tmp_path / "plans" / "orders.jsonl", ["70001111", "70002222"])
    done = ran("verify_trades", book, tmp_path)
    assert done.document["plan_id"] != first
    assert all("→" in edit for edit in done.document["edits"])
    edited = [r for r in rows(book, "tblPlanTrades") if r["Edit"]]
    assert len(edited) == len(done.document["edits"]) > 0
    assert all("edited by hand" in r["Reason"] for r in edited)
    with pytest.raises(RebalError, match="exists already"):
        ran("export_orders", book, tmp_path, file=out)
    ran("export_orders", book, tmp_path, file=out, overwrite=True)
    with out.open(encoding="utf-8", newline="") as stream:
        orders = list(csv.DictReader(stream))
    shown = rows(book, "tblPlanTrades")
    assert [(o["account"], o["symbol"], o["action"], float(o["quantity"])) for o in orders] == [
        (r["Account"], r["Symbol"], r["Action"], r["Quantity"]) for r in shown
    ]
    assert {o["plan_id"] for o in orders} == {done.document["plan_id"]}


def test_a_plan_that_fails_says_the_row_and_stays_as_it_was(book: Workbook, tmp_path: Path) -> None:
    ran("generate_trades", book, tmp_path)

    def greedy(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in found:
            if row["Action"] == "SELL":
                row["Quantity"] = 999_999
        return found

    set_cells(book, "tblPlanTrades", greedy)
    before = snapshot(book)
    number = next(i for i, r in enumerate(rows(book, "tblPlanTrades"), 2) if r["Action"] == "SELL")
    with pytest.raises(VerificationError, match=rf"tblPlanTrades row {number}, .*oversold"):
        ran("verify_trades", book, tmp_path)
    assert snapshot(book) == before
    with pytest.raises(RebalError, match="edited after"):
        ran("export_orders", book, tmp_path, file=tmp_path / "never.csv")
    assert not (tmp_path / "never.csv").exists()


def test_dropped_and_added_trades(book: Workbook, tmp_path: Path) -> None:
    ran("generate_trades", book, tmp_path)
    first = rows(book, "tblPlanTrades")
    last_buy = [r for r in first if r["Action"] == "BUY" and r["Account"] == "70001111"][-1]

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [r for r in found if r["Reason"] != last_buy["Reason"]]
        added = {"Account": "70001111", "Symbol": last_buy["Symbol"].lower(), "Action": "buy"}
        return [*found, {**added, "Quantity": 3.0}]

    set_cells(book, "tblPlanTrades", change)
    done = ran("verify_trades", book, tmp_path)
    (edit,) = done.document["edits"]  # the same security again: one net change
    assert edit.endswith("→ BUY 3")
    mine = ("70001111", last_buy["Symbol"])
    set_cells(
        book,
        "tblPlanTrades",
        lambda found: [r for r in found if (r["Account"], r["Symbol"]) != mine],
    )
    done = ran("verify_trades", book, tmp_path)
    assert done.document["edits"][0].endswith("BUY 3 → dropped")
    assert len(rows(book, "tblPlanTrades")) == len(first) - 1


def test_changed_inputs_make_the_plan_old(book: Workbook, tmp_path: Path) -> None:
    ran("generate_trades", book, tmp_path)

    def richer(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found[0]["Quantity"] = 5100.0
        return found

    set_cells(book, "tblHoldings", richer)
    words = r"tblHoldings row 2: Quantity 5000 → 5100"
    for name in ("verify_trades", "export_orders"):
        with pytest.raises(RebalError, match=words):
            ran(name, book, tmp_path, file=tmp_path / "x.csv")


def test_undo_puts_back_every_macro(book: Workbook, tmp_path: Path) -> None:
    new = POSITIONS.replace("5000,220", "4000,230") + "70003333,XYZ,5,10,Stocks/US,\n"
    file = tmp_path / "new.csv"
    file.write_text(new, encoding="utf-8")
    for name in (
        "import_positions",
        "check_drift",
        "generate_trades",
        "write_tables",
    ):
        before = _visible(book)
        ran(name, book, tmp_path, file=file)
        assert _visible(book) != before
        assert book.visibility(undo.SHEET) is Visibility.VERY_HIDDEN
        ran("undo_last", book, tmp_path)
        assert _visible(book) == before, name
        assert undo.SHEET not in book.sheet_names()
        ran(name, book, tmp_path, file=file)
    ran("undo_last", book, tmp_path)
    with pytest.raises(RebalError, match="nothing to undo"):
        ran("undo_last", book, tmp_path)


def _visible(book: Workbook) -> Any:
    sheets, tables = snapshot(book)
    return [each for each in sheets if each[1] is Visibility.VISIBLE], tables


def test_undo_asks_before_it_loses_edits(path: Path, tmp_path: Path) -> None:
    book = opened(path, "file")
    ran("generate_trades", book, tmp_path)
    set_cells(book, "tblPlanTrades", lambda found: found[:-1])
    with pytest.raises(RebalError, match="would lose the edits"):
        ran("undo_last", book, tmp_path)
    assert len(rows(book, "tblPlanTrades")) > 1
    book._answer = True  # type: ignore[attr-defined]  # the file workbook, asked with --overwrite
    ran("undo_last", book, tmp_path)
    assert "Trades" not in book.sheet_names()


def test_prepare_for_sharing_leaves_nothing_of_the_plan(book: Workbook, tmp_path: Path) -> None:
    plan = ran("generate_trades", book, tmp_path).document["plan_id"]
    done = ran("prepare_for_sharing", book, tmp_path)
    assert undo.SHEET not in book.sheet_names()
    every = [text for sheet in book.sheet_names() for text in _texts(book, sheet)]
    assert not [text for text in every if plan in text]
    assert any("plan id" in line for line in done.lines)
    assert any("undo kept" in line for line in done.lines)
    with pytest.raises(RebalError, match="is no plan id"):
        ran("export_orders", book, tmp_path, file=tmp_path / "x.csv")


def test_write_tables_shows_what_the_functions_show(book: Workbook, tmp_path: Path) -> None:
    done = ran("write_tables", book, tmp_path)
    assert "REBAL drift values" in done.document["sheets"]  # formulas stand on REBAL drift
    assert "REBAL bands" in done.document["sheets"]
    assert any("one amount, and there are 2 accounts" in text for text in done.warnings)
    bands = rows(book, "tblRebalBandsValues")
    assert [(r["asset_class"], r["lower"], r["upper"]) for r in bands] == [
        ("Stocks", pytest.approx(0.55), pytest.approx(0.65)),
        ("Bonds", pytest.approx(0.25), pytest.approx(0.35)),
        ("Real Estate", pytest.approx(0.05), pytest.approx(0.15)),
    ]
    weights = rows(book, "tblRebalWeightsValues")
    assert sum(r["weight"] for r in weights if r["account"] == "70001111") == pytest.approx(1)
    ran("write_tables", book, tmp_path)  # again, over its own sheets
    assert book.sheet_names().count("REBAL bands") == 1


def test_a_users_own_sheet_is_never_overwritten(path: Path, tmp_path: Path) -> None:
    book = opened(path, "windows")
    book.add_sheet("Trades")
    book.write("Trades", 1, 1, [["my notes"]])
    before = snapshot(book)
    with pytest.raises(RebalError, match="a sheet of that name is there already"):
        ran("generate_trades", book, tmp_path)
    assert snapshot(book) == before


def test_unknown_macros_and_missing_files_are_refused(path: Path, tmp_path: Path) -> None:
    book = opened(path, "file")
    with pytest.raises(MacroError, match="use one of import_positions"):
        run("generate", book, Settings())
    with pytest.raises(MacroError, match="needs the file with the positions"):
        run("import-positions", book, Settings())
    assert [line.partition(":")[0] for line in run("help", book, Settings()).lines] == [
        macro.title for macro in MACROS.values()
    ]


def test_the_hosts_end_with_the_same_cells(path: Path, tmp_path: Path) -> None:
    ends = []
    for host in HOSTS:
        copy = tmp_path / f"{host}.xlsx"
        copy.write_bytes(path.read_bytes())
        book = opened(copy, host)
        for name in ("check_drift", "generate_trades"):
            ran(name, book, tmp_path)
        ends.append({name: rows(book, name) for name in ("tblDriftCheck", "tblPlanTrades")})
    assert ends[0] == ends[1] == ends[2]
    assert macro_books.TEMPLATE.exists()
