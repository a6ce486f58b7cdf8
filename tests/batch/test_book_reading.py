"""A book of many clients: in chunks it is the book read whole, and a client's slip stops that client."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_rebal.batch.book_reading import BatchBook, all_faults, open_batch_book
from xl_rebal.batch.formats import BookFormat
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.custodians import read_book
from xl_rebal.errors import FileError, ReadError, RebalError
from xl_rebal.portfolio.book import classify

SAMPLES = Path(str(resources.files("xl_rebal"))) / "samples"
SMALL: Mapping[str, str] = {
    "holdings": "account,symbol,quantity,price,as_of\n"
    "A1,VTI,60,100,2026-11-25\nA1,BND,40,100,2026-11-25\n"
    "B1,VTI,10,100,2026-11-25\nB1,CASH,500,1,2026-11-25\n"
    "B2,BND,5,100,2026-11-25\nC1,VTI,7,100,2026-11-25\n",
    "accounts": "account,household,type,model\n"
    "A1,Ann,taxable,Main\nB1,Bob,taxable,Main\nB2,Bob,roth,Main\nC1,,taxable,Main\n",
    "models": "model,asset_class,target\nMain,Stocks,60%\nMain,Bonds,40%\n",
}


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., BatchBook]:
    """`book(lots="…")`: the small book with tables replaced, added or (None) left out."""

    def opened(**changed: str | None) -> BatchBook:
        folder = tmp_path / "book"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in {**SMALL, **changed}.items():
            if text is not None:
                (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return open_batch_book(folder, tmp_path / "scratch")

    return opened


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "clean"
    write_sample_book(SampleRequest(households=150, seed=4), out)
    return out


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "dirty"
    write_sample_book(SampleRequest(households=150, seed=4, dirty=True), out)
    return out


def rows_of(columns: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return list(zip(*(getattr(columns, name).tolist() for name in names), strict=True))


HELD = (
    "line",
    "account",
    "symbol",
    "kind",
    "quantity",
    "price",
    "currency",
    "fx",
    "asset_class",
    "multiplier",
)
LOT = ("line", "account", "symbol", "acquired", "quantity", "unit_cost", "lot_id")


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_chunks_together_are_the_book_read_whole(
    clean: Path, tmp_path: Path, size: int
) -> None:
    whole = read_book(clean)
    found = open_batch_book(clean, tmp_path / "scratch")
    chunks = list(found.chunks(size))
    assert [home for chunk in chunks for home in chunk.households] == list(found.households)
    assert list(found.households) == list(
        dict.fromkeys(a.household for a in whole.accounts.values())
    )
    assert not any(chunk.faults for chunk in chunks)
    assert found.as_of == whole.as_of
    held = classify(whole.holdings, securities=whole.securities)
    assert sorted(r for c in chunks for r in rows_of(c.tables.holdings, HELD)) == rows_of(
        held, HELD
    )
    lots = sorted(r for c in chunks for r in rows_of(c.tables.lots, LOT))
    assert lots == rows_of(whole.lots, LOT)
    assert {n: a for c in chunks for n, a in c.tables.accounts.items()} == whole.accounts
    assert sorted(f.in_words() + f.account for c in chunks for f in c.tables.flows) == sorted(
        f.in_words() + f.account for f in whole.flows
    )
    assert sorted(e.line for c in chunks for e in c.tables.history) == [
        e.line for e in whole.history
    ]
    profiles = {k: p for c in chunks for k, p in c.tables.tax_profiles.items()}
    assert profiles == whole.tax_profiles
    bound = {rule for chunk in chunks for rule in chunk.tables.restrictions}
    assert bound == set(whole.restrictions)
    for chunk in chunks:
        scopes = {"*", *chunk.households, *chunk.tables.accounts}
        assert {rule.scope for rule in chunk.tables.restrictions} <= scopes
        assert set(chunk.tables.holdings.accounts()) <= set(chunk.tables.accounts)
        assert {a.household for a in chunk.tables.accounts.values()} == set(chunk.households)


@pytest.mark.parametrize("kind", [BookFormat.XLSX, BookFormat.PARQUET])
def test_a_workbook_and_parquet_files_are_the_same_book(
    clean: Path, tmp_path: Path, kind: BookFormat
) -> None:
    if kind is BookFormat.PARQUET:
        pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    write_sample_book(SampleRequest(households=150, seed=4, kind=kind), tmp_path / "other")
    one = open_batch_book(clean, tmp_path / "one")
    two = open_batch_book(tmp_path / "other", tmp_path / "two")
    assert one.households == two.households
    assert one.accounts == two.accounts
    for a, b in zip(one.chunks(), two.chunks(), strict=True):
        assert not b.faults
        for name in HELD[1:]:
            ours, theirs = getattr(a.tables.holdings, name), getattr(b.tables.holdings, name)
            assert ours.tolist() == theirs.tolist(), name
        for name in LOT[1:]:
            ours, theirs = getattr(a.tables.lots, name), getattr(b.tables.lots, name)
            assert ours.tolist() == theirs.tolist(), name
        assert a.tables.restrictions == b.tables.restrictions


@pytest.mark.parametrize("size", [5, 64])
def test_each_planted_fault_stops_its_household_and_no_other(
    clean: Path, dirty: Path, tmp_path: Path, size: int
) -> None:
    planted = json.loads((dirty / "manifest.json").read_text())["dirty"]
    found = open_batch_book(dirty, tmp_path / "dirty")
    faults = all_faults(found, size)
    assert set(faults) == {fault["household"] for fault in planted}
    for fault in planted:
        (said,) = faults[fault["household"]]
        assert said.remedy
        assert fault["table"] in said.where
        if fault["kind"] != "lots that do not add up":
            assert f" {fault['row']}, column {fault['column']}" in said.where
        else:
            assert re.match(rf"lots\.csv rows? {fault['row']}\b", said.where)
            assert f"in {fault['account']})" in said.where
    sound = open_batch_book(clean, tmp_path / "clean")
    for a, b in zip(sound.chunks(size), found.chunks(size), strict=True):
        left = [name for name, each in a.tables.accounts.items() if each.household not in faults]
        assert list(b.tables.accounts) == left
        mask = np.isin(a.tables.holdings.account.astype(str), left)
        assert rows_of(b.tables.holdings, HELD) == rows_of(a.tables.holdings.take(mask), HELD)


def test_the_book_is_not_written_to_and_its_digest_tells_a_changed_byte(
    clean: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clean, copy)
    before = {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in copy.iterdir()}
    book = open_batch_book(copy, tmp_path / "scratch")
    list(book.chunks())
    assert {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in copy.iterdir()} == before
    assert open_batch_book(clean, tmp_path / "scratch").digest == book.digest
    with (copy / "lots.csv").open("a") as stream:
        stream.write("\n")
    assert open_batch_book(copy, tmp_path / "scratch").digest != book.digest
    assert hashlib.sha256(b"").hexdigest() != book.digest


def test_an_account_without_a_household_is_one_of_its_own(book: Callable[..., BatchBook]) -> None:
    found = book()
    assert found.households == ("Ann", "Bob", "C1")
    assert found.accounts["C1"].household == "C1"
    assert found.as_of == dt.date(2026, 11, 25)


def test_an_account_without_a_row_follows_the_only_model(book: Callable[..., BatchBook]) -> None:
    found = book(holdings=SMALL["holdings"] + "X9,VTI,1,100,2026-11-25\n")
    assert found.households[-1] == "X9"
    assert not all_faults(found)
    several = SMALL["models"] + "Other,Stocks,50%\nOther,Bonds,50%\n"
    found = book(holdings=SMALL["holdings"] + "X9,VTI,1,100,2026-11-25\n", models=several)
    (fault,) = all_faults(found)["X9"]
    assert "no row in the table accounts" in fault.what


def test_what_nobody_can_be_blamed_for_stops_the_run_and_is_said_together(
    book: Callable[..., BatchBook],
) -> None:
    with pytest.raises(RebalError) as error:
        book(
            models="model,asset_class,target\nMain,Stocks,60%\nMain,Bonds,50%\n",
            securities="symbol,price\nVTI,-5\n",
            restrictions="scope,rule,symbol\n*,never_ever,VTI\n",
            holdings=SMALL["holdings"] + ",VTI,3,100,\n",
            lots="account,symbol,quantity,unit_cost\nA1,VTI,60,50\n",
            accounts=SMALL["accounts"] + "A1,Ann,taxable,Main\n",
        )
    text = str(error.value)
    for part in (
        "models.csv", "sum to 110%",
        "securities.csv row 2, column price",
        "restrictions.csv row 2, column rule",
        "holdings.csv row 8, column account",
        "lots.csv: column acquired is missing",
        "accounts.csv row 6, column account: A1 stands twice",  # a client's, said as well
    ):  # fmt: skip
        assert part in text, part


def test_a_missing_table_is_named(book: Callable[..., BatchBook], tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holdings, models"):
        book(holdings=None, models=None)
    with pytest.raises(FileError, match="no such file"):
        open_batch_book(tmp_path / "nowhere", tmp_path / "scratch")
    with pytest.raises(RebalError, match="column account is missing"):
        book(holdings="symbol,quantity,price\nVTI,1,100\n")


def test_a_bad_row_of_a_shared_table_stops_those_whom_it_names(
    book: Callable[..., BatchBook],
) -> None:
    found = book(
        accounts="account,household,type,model,tax_profile\n"
        "A1,Ann,taxable,Main,rich\nB1,Bob,taxable,Main,poor\nB2,Bob,roth,Main,\nC1,,taxable,Main,gone\n",
        tax_profiles="tax_profile,year,filing_status,ordinary,long_term,niit\n"
        "rich,2026,single,200%,15%,0\npoor,2026,single,10%,0%,0\n",
        restrictions="scope,rule,symbol,tag\nBob,never_buy,,no such tag\n*,never_buy,MO,\n",
    )
    faults = all_faults(found)
    assert set(faults) == {"Ann", "Bob", "C1"}
    assert faults["Ann"][0].where == "tax_profiles.csv row 2, column ordinary"
    assert faults["Bob"][0].where == "restrictions.csv row 2, column tag"
    assert faults["C1"][0].where == "accounts.csv row 5, column tax_profile"


def test_a_row_that_names_only_its_household_stops_it(book: Callable[..., BatchBook]) -> None:
    found = book(accounts=SMALL["accounts"] + ",Ann,taxable,Main\n,Zed,taxable,Main\n")
    faults = all_faults(found)
    assert set(faults) == {"Ann", "Zed"}
    assert faults["Zed"][0].where == "accounts.csv row 7, column account"
    with pytest.raises(RebalError, match=r"accounts\.csv row 6, column account: is blank"):
        book(accounts=SMALL["accounts"] + ",,taxable,Main\n")


def test_any_text_survives_the_scratch_folder(book: Callable[..., BatchBook]) -> None:
    name = "=cmd|'/c calc'!A1 \U0001f600 ../../etc"
    found = book(
        holdings=SMALL["holdings"].replace("A1,", f'"{name}",'),
        accounts=SMALL["accounts"].replace("A1,", f'"{name}",'),
    )
    held = [a for chunk in found.chunks(1) for a in chunk.tables.holdings.account.tolist()]
    assert held.count(name) == 2


def test_rows_of_strangers_are_a_warning(book: Callable[..., BatchBook]) -> None:
    found = book(
        flows="account,date,amount\nZ9,2026-12-01,-5\n",
        restrictions="scope,rule,symbol\nZed,never_buy,VTI\n",
    )
    assert any("flows.csv row 2: account Z9 is not in the book" in w for w in found.warnings)
    assert any("restrictions.csv row 2" in w and "binds nothing" in w for w in found.warnings)
    assert not all_faults(found)


def test_an_unknown_class_or_an_uncovered_one_stops_its_client(
    book: Callable[..., BatchBook],
) -> None:
    found = book(
        holdings=SMALL["holdings"].replace("C1,VTI", "C1,XYZQ").replace("A1,BND", "A1,GLD")
    )
    faults = all_faults(found)
    assert set(faults) == {"Ann", "C1"}
    assert "XYZQ" in faults["C1"][0].what
    assert "table securities" in faults["C1"][0].remedy
    assert "Gold" in faults["Ann"][0].what


def test_each_part_is_read_with_the_decimal_sign_of_the_whole(
    book: Callable[..., BatchBook],
) -> None:
    # Ann's and Bob's numbers alone could be read both ways; Cid's decide it.
    rows = "account;symbol;quantity;price\nA1;VTI;1.234;100\nB1;VTI;2.345;100\nC1;VTI;1,5;99,25\n"
    found = book(holdings=rows)
    held = {
        row[0]: row[1]
        for chunk in found.chunks(1)
        for row in rows_of(chunk.tables.holdings, ("account", "quantity"))
    }
    assert held == {"A1": 1234.0, "B1": 2345.0, "C1": 1.5}
    mixed = "account;symbol;quantity;price\nA1;VTI;1,5;100\nB1;VTI;2.5;100\n"
    with pytest.raises(RebalError, match="written in two ways"):
        book(holdings=mixed)


def test_a_comma_that_slipped_in_stops_its_client_only(clean: Path, tmp_path: Path) -> None:
    owner = spoil(clean, tmp_path / "book", "holdings", 50, 3, "1,5")
    found = open_batch_book(tmp_path / "book", tmp_path / "scratch")
    faults = all_faults(found)
    assert set(faults) == {found.accounts[owner].household}


def test_each_part_counts_in_the_currency_of_the_whole(book: Callable[..., BatchBook]) -> None:
    rows = (
        "account,symbol,quantity,price,currency,fx\n"
        "A1,VTI,60,100,USD,1\nB1,VTI,10,100,EUR,1.25\nB2,BND,5,100,EUR,\nC1,VTI,7,100,USD,\n"
    )
    found = book(holdings=rows)
    fx = {
        row[0]: row[1]
        for chunk in found.chunks(1)
        for row in rows_of(chunk.tables.holdings, ("account", "fx"))
    }
    assert fx == {"A1": 1.0, "B1": 1.25, "B2": 1.25, "C1": 1.0}
    without = (
        rows.replace(",1.25", ",").replace(",fx", "").replace("USD,1", "USD").replace(",\n", "\n")
    )
    faults = all_faults(book(holdings=without))
    assert set(faults) == {"Bob"}
    assert "no exchange rate" in faults["Bob"][0].what


def test_rows_of_several_days_keep_their_day(book: Callable[..., BatchBook]) -> None:
    rows = (
        "account,symbol,quantity,price,as_of\nA1,VTI,60,100,2026-11-25\nB1,VTI,1,100,2026-11-20\n"
    )
    found = book(holdings=rows)
    assert found.as_of == dt.date(2026, 11, 25)
    days = {
        row[0]: row[1]
        for chunk in found.chunks(1)
        for row in rows_of(chunk.tables.holdings, ("account", "priced"))
    }
    assert days == {"A1": dt.date(2026, 11, 25), "B1": dt.date(2026, 11, 20)}


def test_custodians_exports_are_joined(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in ("schwab_positions.csv", "fidelity_positions.csv"):
        shutil.copy(SAMPLES / name, folder / name)
    (folder / "models.csv").write_text(
        "asset_class,target\nStocks,60%\nBonds,30%\nReal Estate,10%\nCommodities,0%\n"
    )
    (folder / "notes.txt").write_text("call Ann\n")
    whole = [
        read_export_holdings(folder / n) for n in ("fidelity_positions.csv", "schwab_positions.csv")
    ]
    found = open_batch_book(folder, tmp_path / "scratch")
    assert any("notes.txt" in warning for warning in found.warnings)
    accounts = [name for each in whole for name in dict.fromkeys(row[0] for row in each)]
    assert found.households == tuple(accounts)
    held = [
        row
        for chunk in found.chunks(1)
        for row in rows_of(chunk.tables.holdings, ("account", "symbol", "quantity"))
    ]
    assert sorted(held) == sorted(row for each in whole for row in each)
    shutil.copy(SAMPLES / "schwab_positions.csv", folder / "again.csv")
    twice = all_faults(open_batch_book(folder, tmp_path / "scratch"))
    assert all("count twice" in faults[0].what for faults in twice.values())
    assert set(twice) == {row[0] for row in whole[1]}


def read_export_holdings(path: Path) -> list[tuple[Any, ...]]:
    from xl_rebal.custodians import read_export

    return rows_of(read_export(path).holdings, ("account", "symbol", "quantity"))


def test_two_files_for_one_table_are_refused(tmp_path: Path, clean: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clean, copy)
    shutil.copy(copy / "lots.csv", copy / "Lots.tsv")
    with pytest.raises(ReadError, match="both the table lots"):
        open_batch_book(copy, tmp_path / "scratch")


def spoil(folder: Path, out: Path, table: str, row: int, column: int, text: str) -> str:
    """Write the folder with one cell changed; the account whose row it is."""
    shutil.copytree(folder, out)
    with (folder / f"{table}.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    row = 1 + row % (len(rows) - 1)
    column = 1 + column % (len(rows[0]) - 1)  # whose row it is stays
    owner = rows[row][0]
    rows[row][column] = text
    with (out / f"{table}.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return owner


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "few"
    write_sample_book(SampleRequest(households=25, seed=4), out)
    return out


@settings(max_examples=25)
@given(
    table=st.sampled_from(["holdings", "lots", "flows", "history"]),
    row=st.integers(0, 10_000),
    column=st.integers(0, 10),
    text=st.sampled_from(
        ["", "n/a", "oops", "-3", "#REF!", "2026-13-01", "=1+1", "1e400", "1,2,3", "☃"]
    ),
)
def test_whatever_stands_in_a_cell_stops_nobody_else(
    tmp_path_factory: pytest.TempPathFactory,
    few: Path,
    table: str,
    row: int,
    column: int,
    text: str,
) -> None:
    folder = tmp_path_factory.mktemp("spoilt")
    owner = spoil(few, folder / "book", table, row, column, text)
    found = open_batch_book(folder / "book", folder / "scratch")
    home = found.accounts[owner].household
    assert set(all_faults(found)) <= {home}
