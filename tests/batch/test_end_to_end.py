"""From an invented book to files: what they say of one another, of the book, and of the engine."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from tests.batch.books import small_book
from xl_rebal.batch.folder import OutFile, RunFolder
from xl_rebal.batch.formats import BookFormat
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import BatchOptions, run_batch
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.cli.commands import app
from xl_rebal.custodians.orders import (
    read_ledger,
    read_orders,
    record_done,
    record_release,
    shipped_formats,
)
from xl_rebal.custodians.orders.ledger import Done
from xl_rebal.errors import FileError, PlanError

HERE = LocalEngine(workers=1)
SETTINGS = BatchSettings(costs="half-spread 2bp, commission 0")
HOUSEHOLDS = 90


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book") / "book"
    request = SampleRequest(
        households=HOUSEHOLDS,
        seed=5,
        kind=BookFormat.CSV,
        dirty=False,
        as_of=dt.date(2026, 11, 25),
    )
    write_sample_book(request, folder)
    return folder


@pytest.fixture(scope="module")
def out(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    run_batch(book, folder, SETTINGS, HERE)
    return folder


@pytest.fixture(scope="module")
def manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_the_counts_are_those_of_the_sample_s_manifest(
    book: Path, out: Path, manifest: dict[str, Any]
) -> None:
    sample = json.loads((book / "manifest.json").read_text())
    assert manifest["households"] == sample["households"] == HOUSEHOLDS
    assert manifest["failed"] == []
    assert manifest["accounts"] == sample["accounts"]
    assert manifest["by_model"] == sample["households_by_model"]
    clients = rows(out / "clients.csv")
    assert len(clients) == HOUSEHOLDS
    assert manifest["workbooks"] == len({row["file"] for row in clients}) == HOUSEHOLDS
    assert 0 < manifest["needing_trades"] < HOUSEHOLDS / 2


def test_blocks_are_the_sums_of_their_trades_and_allocations_sum_to_blocks(out: Path) -> None:
    traded: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    trades = rows(out / "trades.csv")
    for row in trades:
        if row["block"]:
            key = (row["block"], row["custodian"], row["symbol"], row["action"])
            traded[key] += Decimal(row["quantity"])
    blocks = rows(out / "orders" / "blocks.csv")
    listed = {
        (row["block"], row["custodian"], row["symbol"], row["action"]): Decimal(row["quantity"])
        for row in blocks
    }
    assert listed == traded
    given: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows(out / "orders" / "allocations.csv"):
        given[row["block"]] += Decimal(row["quantity"])
    assert given == {row["block"]: Decimal(row["quantity"]) for row in blocks}
    orders = Counter(row["block"] for row in trades if row["block"])
    assert orders == {row["block"]: int(row["orders"]) for row in blocks}


def test_every_trade_stands_in_one_order_file_or_is_reported(out: Path) -> None:
    trades = {(row["account"], row["symbol"]): row for row in rows(out / "trades.csv")}
    unsendable = {(row["account"], row["symbol"]) for row in rows(out / "orders/unsendable.csv")}
    formats = shipped_formats()
    found: dict[tuple[str, str], tuple[str, Decimal, str]] = {}
    for path in sorted((out / "orders").glob("*-orders-*.csv")):
        made = formats.of(path.name.partition("-")[0])
        assert made is not None
        for order in read_orders(path.read_bytes(), made, path.name):
            key = (order.account, order.symbol)
            assert key not in found
            found[key] = (order.action.value, order.quantity, path.name)
    assert found.keys() | unsendable == trades.keys()
    assert not found.keys() & unsendable
    for key, placed in found.items():
        row = trades[key]
        assert placed == (row["action"], Decimal(row["quantity"]), row["file"])
    assert all(not trades[key]["file"] for key in unsendable)


def test_buys_leave_cash_for_a_rise_of_prices(out: Path, manifest: dict[str, Any]) -> None:
    assert not [words for words in manifest["warnings"] if "a rise of prices" in words]


def test_nobody_buys_what_a_restriction_forbids(book: Path, out: Path) -> None:
    """Screens by tag, word for word from the tables: not by the engine's own reading of them."""
    tags = {row["symbol"]: set(row["tags"].split(";")) for row in rows(book / "securities.csv")}
    household = {row["account"]: row["household"] for row in rows(book / "accounts.csv")}
    forbidden = [
        row for row in rows(book / "restrictions.csv") if row["rule"] in {"never_buy", "never_hold"}
    ]
    assert forbidden
    for trade in rows(out / "trades.csv"):
        if trade["action"] == "BUY":
            for rule in forbidden:
                if rule["scope"] in {trade["account"], household[trade["account"]], "*"}:
                    assert trade["symbol"] != rule["symbol"]
                    assert rule.get("tag", "") not in tags[trade["symbol"]] - {""}


def test_the_workbooks_hold_the_numbers_of_the_lists(out: Path) -> None:
    clients = rows(out / "clients.csv")
    traded = Counter(row["household"] for row in rows(out / "trades.csv"))
    for row in clients[:12] + [each for each in clients if traded[each["household"]]][:12]:
        workbook = openpyxl.load_workbook(out / row["file"], data_only=True)
        assert len(workbook.sheetnames) == 6
        numbers = {
            round(cell.value, 2)
            for line in workbook["Summary"].iter_rows()
            for cell in line
            if isinstance(cell.value, (int, float))
        }
        assert round(float(row["value"]), 2) in numbers
        assert int(row["trades"]) == traded[row["household"]]
    dashboard = openpyxl.load_workbook(out / "dashboard.xlsx", data_only=True)
    names = {cell.value for line in dashboard["Clients"].iter_rows() for cell in line}
    assert {row["household"] for row in clients} <= names


def test_links_are_relative_and_lead_to_files(out: Path) -> None:
    workbook = openpyxl.load_workbook(out / "dashboard.xlsx")
    values = openpyxl.load_workbook(out / "dashboard.xlsx", data_only=True)
    formulas = [
        cell
        for line in workbook["Clients"].iter_rows()
        for cell in line
        if cell.data_type == "f" and "HYPERLINK(" in str(cell.value)
    ]
    assert len(formulas) == HOUSEHOLDS
    files = {
        cell.value
        for line in values["Clients"].iter_rows()
        for cell in line
        if isinstance(cell.value, str) and cell.value.startswith("clients/")
    }
    assert len(files) == HOUSEHOLDS
    assert all((out / name).is_file() for name in files)


def test_the_scan_names_the_clients_that_the_run_plans_for(book: Path, out: Path) -> None:
    result = CliRunner().invoke(app, ["scan", str(book), "--json"])
    assert result.exit_code == 0, result.stderr
    scanned = json.loads(result.stdout)["clients"]
    asking = {"rebalance", "replace", "raise cash", "invest"}
    asked = {each["household"]: each["need"] for each in scanned if each["need"] in asking}
    assert {"rebalance", "invest"} <= set(asked.values())
    trading = {row["household"] for row in rows(out / "trades.csv")}
    rules = {row["household"] for row in rows(out / "clients.csv") if row["mode"] == "rules"}
    assert trading & rules == asked.keys() & rules


@pytest.mark.parametrize("mode", ["pro_rata", "household_tax"])
def test_the_other_modes_of_planning_go_all_the_way(book: Path, tmp_path: Path, mode: str) -> None:
    arguments = ["batch", str(book), "--out", str(tmp_path / "out"), "--mode", mode, "--json"]
    arguments += ["--costs", str(SETTINGS.costs), "--no-workbooks", "--workers", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["households"] == HOUSEHOLDS
    assert document["workbooks"] == 0
    assert document["needing_trades"] > 0
    listed = rows(tmp_path / "out" / "trades.csv")
    assert len(listed) == document["trades"] > 0


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_book(tmp_path / "small")


def test_an_account_that_waits_for_its_orders_is_not_planned_again(
    small: Path, tmp_path: Path
) -> None:
    outside = Outside(ledger=tmp_path / "orders.jsonl")
    (small / "accounts.csv").write_text(
        (small / "accounts.csv").read_text().replace("Schwab", "Interactive Brokers")
    )
    first = run_batch(small, tmp_path / "one", BatchSettings(), HERE, outside=outside)
    assert first["needing_trades"] == 3
    waiting = read_ledger(tmp_path / "orders.jsonl").accounts()
    assert len(waiting) == 3
    for name, settings in (("two", BatchSettings()), ("three", BatchSettings(policy="4pp"))):
        again = run_batch(small, tmp_path / name, settings, HERE, outside=outside)
        assert [each["household"] for each in again["failed"]] == [f"H{a[1:]}" for a in waiting]
        assert all("reconcile" in each["reason"] for each in again["failed"])
        assert again["needing_trades"] == 0
        assert not list((tmp_path / name / "orders").glob("ibkr-*"))


def test_a_book_whose_orders_were_done_is_not_traded_a_second_time(
    small: Path, tmp_path: Path
) -> None:
    (small / "accounts.csv").write_text(
        (small / "accounts.csv").read_text().replace("Schwab", "Interactive Brokers")
    )
    ledger = tmp_path / "orders.jsonl"
    outside = Outside(ledger=ledger)
    run_batch(small, tmp_path / "one", BatchSettings(), HERE, outside=outside)
    first, *others = read_ledger(ledger).accounts()
    done = [
        Done(account=first, symbol=each.order.symbol, filled=each.order.quantity)
        for each in read_ledger(ledger).of(first)
    ]
    record_done(ledger, done, "fills")
    record_release(ledger, others)  # not sent: these may go again
    again = run_batch(small, tmp_path / "two", BatchSettings(), HERE, outside=outside)
    assert [each["household"] for each in again["failed"]] == [f"H{first[1:]}"]
    assert "bring the positions of the book up to date" in again["failed"][0]["reason"]
    assert read_ledger(ledger).accounts() == tuple(others)


def test_a_run_that_was_interrupted_after_it_noted_its_orders_goes_on(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small / "accounts.csv").write_text(
        (small / "accounts.csv").read_text().replace("Schwab", "Interactive Brokers")
    )
    ledger = tmp_path / "orders.jsonl"
    outside = Outside(ledger=ledger)

    def full(self: RunFolder, path: str, data: bytes) -> OutFile:
        if path.startswith("orders/"):
            raise FileError.of(where=path, what="cannot be written", remedy="free some space")
        return write(self, path, data)

    write = RunFolder.write
    monkeypatch.setattr(RunFolder, "write", full)
    with pytest.raises(FileError):
        run_batch(small, tmp_path / "one", BatchSettings(), HERE, outside=outside)
    monkeypatch.undo()
    noted = ledger.read_bytes()
    other = run_batch(small, tmp_path / "two", BatchSettings(), HERE, outside=outside)
    assert len(other["failed"]) == 3  # nobody knows whether the first run's orders were sent
    resumed = run_batch(
        small, tmp_path / "one", BatchSettings(), HERE, BatchOptions(resume=True), outside
    )
    assert resumed["failed"] == []
    assert resumed["needing_trades"] == 3
    assert ledger.read_bytes() == noted


def test_one_client_s_failure_is_listed_and_strict_makes_it_count(
    small: Path, tmp_path: Path
) -> None:
    text = (small / "accounts.csv").read_text().replace("A003,H003,taxable", "A003,H003,")
    (small / "accounts.csv").write_text(text)
    arguments = ["batch", str(small), "--workers", "1", "--mode", "household_tax", "--json"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "a")])
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert "H003" in {each["household"] for each in document["failed"]}
    assert {
        "households",
        "accounts",
        "needing_trades",
        "workbooks",
        "failed",
        "files",
    } <= document.keys()
    assert all((tmp_path / "a" / name).is_file() for name in document["files"])
    strict = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "b"), "--strict"])
    assert strict.exit_code == 1


def test_a_bug_in_one_client_s_planning_fails_that_client_alone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xl_rebal.batch import planning, work

    plan = planning.plan_client

    def fails(tables: Any, household: str, settings: BatchSettings) -> Any:
        if household == "H002":
            raise ZeroDivisionError("division by zero")
        if household == "H004":
            raise PlanError.of(where="account A004", what="cannot", remedy="can")
        return plan(tables, household, settings)

    monkeypatch.setattr(work, "plan_client", fails)
    manifest = run_batch(small, tmp_path / "out", BatchSettings(), HERE)
    assert [each["household"] for each in manifest["failed"]] == ["H002", "H004"]
    assert "ZeroDivisionError" in manifest["failed"][0]["reason"]
    assert manifest["workbooks"] == 5


NASTY = (
    "../../etc",
    "CON",
    "=cmd|'/c calc'!A1",
    "x" * 300,
    "Zoë 🦄 & Söhne",
    "Jane Doe",
    "Jane Doe",
)


def test_any_name_of_a_client_makes_a_file_of_its_own(small: Path, tmp_path: Path) -> None:
    with (small / "accounts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["account", "household", "type", "client"])
        for number, name in enumerate(NASTY):
            writer.writerow([f"A{number:03d}", f"H{number:03d}", "taxable", name])
    out = tmp_path / "run" / "out"
    out.parent.mkdir()
    manifest = run_batch(small, out, BatchSettings(), HERE)
    assert manifest["failed"] == []
    assert len(list((out / "clients").iterdir())) == len(NASTY)
    assert {path.name for path in out.parent.iterdir()} == {"out"}
    dashboard = openpyxl.load_workbook(out / "dashboard.xlsx", data_only=True)
    shown = {str(cell.value) for line in dashboard["Clients"].iter_rows() for cell in line}
    assert {name[:255] for name in NASTY} <= shown
    for line in openpyxl.load_workbook(out / "dashboard.xlsx")["Clients"].iter_rows():
        assert not [cell for cell in line if cell.data_type == "f" and "cmd" in str(cell.value)]
    listed = {row["name"] for row in rows(out / "clients.csv")}
    assert "'=cmd|'/c calc'!A1" in listed
