"""`reconcile`: from exported orders to accounts that may be planned again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.custodians.orders.made import at, verified
from xl_rebal.custodians.orders import read_ledger, record_export, shipped_formats, write_orders


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Account U1 sells 136 VTI and buys 398 BND, U2 sells 136 and buys 399."""
    monkeypatch.setenv("XL_REBAL_PLANS", str(tmp_path))
    path = tmp_path / "orders.jsonl"
    sent = write_orders([verified(at("ibkr", "U1", "U2"))], shipped_formats()).sent
    record_export(path, sent, "run-1")
    return path


def table(folder: Path, *rows: str) -> Path:
    path = folder / "fills.csv"
    path.write_text("\n".join(("account,symbol,side,quantity,price", *rows)), encoding="utf-8")
    return path


def test_without_a_file_it_lists_what_is_open(xl: Run, ledger: Path) -> None:
    before = ledger.read_bytes()
    document = xl("reconcile", "--json").document
    assert [(o["account"], o["symbol"], o["left"]) for o in document["open"]] == [
        ("U1", "VTI", 136), ("U1", "BND", 398), ("U2", "VTI", 136), ("U2", "BND", 399),
    ]  # fmt: skip
    assert "account U1 waits for export run-1: SELL 136 VTI, BUY 398 BND" in xl("reconcile").out
    assert ledger.read_bytes() == before


def test_fills_of_accounts_and_blocks_free_the_accounts(
    xl: Run, ledger: Path, tmp_path: Path
) -> None:
    fills = table(
        tmp_path,
        *("U1,VTI,SELL,136,220.00", "U1,BND,BUY,398,75.00", "U2,VTI,sold,136,219.50"),
        ",BND,BUY,100,75.10",  # of the block: U1 has its own fill and the block is U1's and U2's
    )
    done = xl("reconcile", fills)
    assert done.code == 1
    assert "account U1, BND: 448 units are filled and 398 are open" in done.err
    fills = table(tmp_path, "U1,VTI,SELL,136,220.00", "U2,VTI,S,136,219.50", ",BND,BUY,797,75.10")
    document = xl("reconcile", fills, "--out", tmp_path / "given.csv", "--json").document
    assert document["free"] == ["U1", "U2"]
    assert document["open"] == []
    with (tmp_path / "given.csv").open(encoding="utf-8", newline="") as stream:
        given = list(csv.DictReader(stream))
    assert [(g["account"], g["quantity"], g["price"]) for g in given] == [
        ("U1", "398", "75.1"),
        ("U2", "399", "75.1"),
    ]
    assert sum(float(g["amount"]) for g in given) == pytest.approx(797 * 75.10, abs=1e-9)
    assert read_ledger(ledger).accounts() == ()
    again = xl("reconcile", fills)
    assert again.code == 1


def test_the_same_file_twice_is_refused(xl: Run, tmp_path: Path) -> None:
    fills = table(tmp_path, "U1,VTI,SELL,10,220.00")
    assert xl("reconcile", fills).code == 0
    done = xl("reconcile", fills)
    assert (done.code, "was applied already" in done.err) == (1, True)


def test_new_positions_and_released_accounts(xl: Run, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("account,symbol,quantity,price\nU1,VTI,264,220\nU1,BND,518,75\n", "utf-8")
    document = xl("reconcile", "--holdings", new, "--release", "U2", "--json").document
    assert (document["free"], document["released"]) == (["U1", "U2"], ["U2"])
    assert xl("reconcile").out.strip() == "no exported orders are open"


def test_a_whole_export_is_released_and_masked_positions_are_mapped(
    xl: Run, ledger: Path, tmp_path: Path
) -> None:
    assert xl("reconcile", "--release", "run-1", "--json").document["released"] == ["U1", "U2"]
    assert read_ledger(ledger).accounts() == ()
    sent = write_orders([verified(at("ibkr", "70001111"))], shipped_formats()).sent
    record_export(ledger, sent, "run-2")
    new, known = tmp_path / "new.csv", tmp_path / "map.csv"
    new.write_text(
        "account,symbol,quantity,price\n...111,VTI,264,220\n...111,BND,518,75\n", "utf-8"
    )
    known.write_text("masked,account\n...111,70001111\n", "utf-8")
    document = xl("reconcile", "--holdings", new, "--json").document
    assert document["free"] == []
    document = xl("reconcile", "--holdings", new, "--account-map", known, "--json").document
    assert document["free"] == ["70001111"]


def test_bad_fills_are_reported_together_and_change_nothing(
    xl: Run, ledger: Path, tmp_path: Path
) -> None:
    before = ledger.read_bytes()
    fills = table(tmp_path, "U1,VTI,HOLD,136,220.00", "U1,BND,BUY,-1,75", "U1,BND,BUY,1,")
    done = xl("reconcile", fills)
    assert done.code == 1
    for words in ("row 2, column side", "row 3, column quantity", "row 4, column price"):
        assert words in done.err
    assert ledger.read_bytes() == before


def test_a_ledger_that_is_not_there_and_an_output_that_is(xl: Run, tmp_path: Path) -> None:
    assert "no ledger that is there" in xl("reconcile", "--ledger", tmp_path / "none.jsonl").err
    out = tmp_path / "given.csv"
    out.write_text("mine", "utf-8")
    done = xl("reconcile", table(tmp_path, ",BND,BUY,1,75"), "--out", out)
    assert (done.code, out.read_text("utf-8")) == (1, "mine")
