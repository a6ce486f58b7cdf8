"""The invented book says what its manifest says, adds up, and is the same bytes for the same seed."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, xl
from xl_rebal.batch.formats import BookFormat
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.custodians import read_book
from xl_rebal.errors import FileError, TableError
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.screening import screen

__all__ = ["xl"]  # the fixture
COUNT = 600  # a whole block and a part of one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "book"
    write_sample_book(SampleRequest(households=COUNT, seed=7), out)
    return out


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "dirty"
    write_sample_book(SampleRequest(households=COUNT, seed=7, dirty=True), out)
    return out


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_the_manifest_counts_what_is_in_the_files(folder: Path) -> None:
    said, accounts = manifest(folder), rows(folder, "accounts")
    homes = {row["household"]: row["model"] for row in accounts}
    assert said["households"] == len(homes) == COUNT
    assert said["accounts"] == len({row["account"] for row in accounts}) == len(accounts)
    assert said["households_by_model"] == dict(Counter(homes.values()))
    assert said["accounts_by_model"] == dict(Counter(row["model"] for row in accounts))
    assert said["accounts_by_custodian"] == dict(Counter(row["custodian"] for row in accounts))
    assert said["accounts_by_type"] == dict(Counter(row["type"] for row in accounts))
    assert said["held_away"] == sum(row["held_away"] == "yes" for row in accounts) > 0
    for name, count in said["rows"].items():
        assert len(rows(folder, name)) == count > 0, name
    for name, digest in said["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    marked = Counter(
        (row["rule"], row["tag"] or row["symbol"]) for row in rows(folder, "restrictions")
    )
    assert said["restricted_households"]["no defence"] == marked["never_hold", "defence"] > 0
    assert (
        said["restricted_households"]["no tobacco, fossil, gambling"]
        == marked["never_hold", "fossil"]
        > 0
    )


def test_four_models_from_30_70_to_90_10_that_sum_to_one(folder: Path) -> None:
    stocks: dict[str, Decimal] = defaultdict(Decimal)
    total: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows(folder, "models"):
        weight = Decimal(row["target"].removesuffix("%"))
        total[row["model"]] += weight
        if row["asset_class"].startswith(("Stocks", "Real Estate")):
            stocks[row["model"]] += weight
    assert set(total.values()) == {Decimal(100)}
    assert stocks == {"30/70": 30, "50/50": 50, "70/30": 70, "90/10": 90}


def test_lots_of_taxable_accounts_add_up_to_the_positions(folder: Path) -> None:
    taxable = {row["account"] for row in rows(folder, "accounts") if row["type"] == "taxable"}
    held = {
        (row["account"], row["symbol"]): Decimal(row["quantity"])
        for row in rows(folder, "holdings")
        if row["kind"] == "position" and row["account"] in taxable
    }
    in_lots: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows(folder, "lots"):
        in_lots[row["account"], row["symbol"]] += Decimal(row["quantity"])
        assert Decimal(row["quantity"]) > 0
        assert "1995" <= row["acquired"] < "2026-11-25"
    assert in_lots == held


def test_each_symbol_stands_once_in_an_account_and_is_a_security_of_the_table(folder: Path) -> None:
    held = [(row["account"], row["symbol"]) for row in rows(folder, "holdings")]
    assert len(set(held)) == len(held)
    known = {row["symbol"]: row["price"] for row in rows(folder, "securities")}
    for row in rows(folder, "holdings"):
        if row["kind"] == "position":
            assert float(row["price"]) == float(known[row["symbol"]])


def test_one_to_four_accounts_and_two_clients_of_one_name(folder: Path) -> None:
    accounts = rows(folder, "accounts")
    assert set(Counter(row["household"] for row in accounts).values()) == {1, 2, 3, 4}
    names = {row["household"]: row["client"] for row in accounts}
    assert names["H000001"].endswith("Jones")
    assert names["H000002"].endswith("Smith")
    assert names["H000003"] == names["H000004"]


def test_between_a_tenth_and_a_fifth_of_the_clients_are_out_of_their_bands(folder: Path) -> None:
    tables = read_book(folder)
    book = Book(
        holdings=classify(tables.holdings, securities=tables.securities),
        models=tables.models,
        securities=tables.securities,
        accounts=tables.accounts,
        restrictions=tables.restrictions,
    )
    for policy in ("5pp", "own bands"):
        homes = {
            book.account(name).household
            for each in screen(book, parse_policy(policy), as_of=tables.as_of)
            for name, asks in zip(each.group.accounts, each.asks.tolist(), strict=True)
            if asks
        }
        assert 0.10 <= len(homes) / COUNT <= 0.20, policy


def test_jones_holds_defence_and_smith_corporate_bonds_before_the_run(folder: Path) -> None:
    homes = {row["account"]: row["household"] for row in rows(folder, "accounts")}
    held = {(homes[row["account"]], row["symbol"]) for row in rows(folder, "holdings")}
    assert ("H000001", "LMT") in held
    assert ("H000002", "LQD") in held


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    folder: Path, tmp_path: Path
) -> None:
    write_sample_book(SampleRequest(households=COUNT, seed=7), tmp_path / "again")
    write_sample_book(SampleRequest(households=COUNT, seed=8), tmp_path / "other")
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    assert manifest(folder)["files"] != manifest(tmp_path / "other")["files"]


def test_a_small_book_is_the_beginning_of_a_large_one(folder: Path, tmp_path: Path) -> None:
    write_sample_book(SampleRequest(households=30, seed=7), tmp_path / "small")
    for name in manifest(folder)["rows"]:
        small = (tmp_path / "small" / f"{name}.csv").read_bytes()
        assert (folder / f"{name}.csv").read_bytes().startswith(small), name


def test_dirty_rows_are_where_the_manifest_says_and_nothing_else_differs(
    folder: Path, dirty: Path
) -> None:
    planted = manifest(dirty)["dirty"]
    assert len(planted) == 2 * 6  # of each kind one in each block
    assert len({fault["household"] for fault in planted}) == len(planted)
    for name in manifest(folder)["rows"]:
        differ = {
            (line, column)
            for line, (good, bad) in enumerate(
                zip(rows(folder, name), rows(dirty, name), strict=True), 2
            )
            for column in good
            if good[column] != bad[column]
        }
        assert differ == {(f["row"], f["column"]) for f in planted if f["table"] == name}, name
    homes = {row["account"]: row["household"] for row in rows(dirty, "accounts")}
    for fault in planted:
        assert rows(dirty, fault["table"])[fault["row"] - 2]["account"] == fault["account"]
        assert homes[fault["account"]] == fault["household"]


def test_the_workbook_holds_the_same_book_and_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sample_book(
            SampleRequest(households=20, seed=3, kind=BookFormat.XLSX), tmp_path / name
        )
    write_sample_book(SampleRequest(households=20, seed=3), tmp_path / "csv")
    book = tmp_path / "a" / "book.xlsx"
    assert book.read_bytes() == (tmp_path / "b" / "book.xlsx").read_bytes()
    one, two = read_book(book), read_book(tmp_path / "csv")
    assert one.accounts == two.accounts
    assert one.models == two.models
    assert one.securities == two.securities
    assert one.restrictions == two.restrictions
    assert one.history == two.history
    for column in ("account", "symbol", "quantity", "price"):
        assert getattr(one.holdings, column).tolist() == getattr(two.holdings, column).tolist()
    for column in ("account", "symbol", "quantity", "unit_cost", "acquired"):
        assert getattr(one.lots, column).tolist() == getattr(two.lots, column).tolist()


def test_an_existing_folder_is_left_alone_unless_overwriting(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "book"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match="not empty"):
        write_sample_book(SampleRequest(households=2), out)
    write_sample_book(SampleRequest(households=2), out, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert manifest(out)["households"] == 2
    with pytest.raises(FileError, match="there is no folder"):
        write_sample_book(SampleRequest(households=2), tmp_path / "no" / "where")
    assert not list(tmp_path.glob(".*")), "work folders are taken away"


def test_impossible_requests_are_refused() -> None:
    for households, dirty in ((0, False), (2_000_000, False), (10, True)):
        with pytest.raises(TableError, match="--households"):
            SampleRequest(households=households, dirty=dirty)
    with pytest.raises(TableError, match="--seed"):
        SampleRequest(households=1, seed=-1)


def test_the_command_prints_the_manifest(xl: Run, tmp_path: Path) -> None:
    out = tmp_path / "book"
    ran = xl("sample-book", "--households", 40, "--seed", 5, "--dirty", "--out", out, "--json")
    assert ran.document == manifest(out)
    assert ran.document["seed"] == 5
    shown = xl("sample-book", "--households", 40, "--out", out, "--overwrite")
    assert shown.code == 0
    assert "30/70" in shown.out
    again = xl("sample-book", "--households", 40, "--out", out)
    assert again.code == 1
    assert "--overwrite" in again.err
