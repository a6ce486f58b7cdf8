"""The ledger of exported orders: nothing lost, nothing counted twice, and every way to be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.custodians.orders.made import at, verified
from xl_rebal.custodians.orders import (
    by_fills,
    by_positions,
    read_ledger,
    record_done,
    record_export,
    record_release,
    require_free,
    shipped_formats,
    write_orders,
)
from xl_rebal.custodians.orders.ledger import Done, LedgerState
from xl_rebal.errors import FileError, PlanError, ReadError
from xl_rebal.portfolio.holdings import Holdings

D = Decimal
# Of verified(): account U1 holds 400 VTI and 120 BND, sells 136 VTI and buys 398 BND; U2 holds 401 VTI.


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "orders.jsonl"
    sent = write_orders([verified(at("ibkr", "U1", "U2"))], shipped_formats()).sent
    record_export(path, sent, "run-1")
    return path


def fill(
    account: str, symbol: str, side: str, quantity: float, price: float = 50.0
) -> dict[str, Any]:
    row = {"row": 2, "table": "fills.csv", "symbol": symbol, "side": side, "quantity": quantity}
    return {**row, "price": price, **({"account": account} if account else {})}


def left(state: LedgerState) -> dict[tuple[str, str], Decimal]:
    return {each.order.key: each.left for each in state.all()}


def positions(*rows: tuple[str, str, float]) -> Holdings:
    return Holdings.from_rows(
        {"account": account, "symbol": symbol, "quantity": units, "price": 1.0}
        for account, symbol, units in rows
    )


def test_an_account_waits_until_its_orders_are_done(ledger: Path) -> None:
    state = read_ledger(ledger)
    assert left(state) == {
        ("U1", "VTI"): 136,
        ("U1", "BND"): 398,
        ("U2", "VTI"): 136,
        ("U2", "BND"): 399,
    }
    with pytest.raises(PlanError, match=r"account U1: orders of export run-1 are not reconciled"):
        require_free(state, ["U0", "U1"])
    require_free(state, ["U0"])
    assert "xl-rebal reconcile --release U1" in state.refusal("U1")
    assert "SELL 136 VTI, BUY 398 BND" in state.refusal("U1")


def test_fills_of_an_account_are_taken_in_parts(ledger: Path) -> None:
    rows = [fill("U1", "VTI", "SELL", 100, 220.0), fill("U1", "vti", "SELL", 36, 219.0),
            fill("U1", "BND", "BUY", 300)]  # fmt: skip
    made = by_fills(read_ledger(ledger), rows)
    assert [(d.symbol, d.filled, d.price) for d in made.done] == [
        ("VTI", D(136), D("219.735294")),
        ("BND", D(300), D(50)),
    ]
    state = record_done(ledger, made.done, "file-a")
    assert state == read_ledger(ledger)
    assert [left(state)["U1", "VTI"], left(state)["U1", "BND"]] == [0, 98]
    assert "BUY 98 BND" in state.refusal("U1")
    assert "VTI" not in state.refusal("U1")
    rest = by_fills(state, [fill("U1", "BND", "BUY", 98)])
    state = record_done(ledger, rest.done, "file-b")
    assert state.accounts() == ("U2",)
    require_free(state, ["U1"])


def test_a_file_of_fills_counts_once(ledger: Path) -> None:
    made = by_fills(read_ledger(ledger), [fill("U1", "BND", "BUY", 10)])
    record_done(ledger, made.done, "file-a")
    before = ledger.read_bytes()
    with pytest.raises(PlanError, match="was applied already"):
        record_done(ledger, made.done, "file-a")
    assert ledger.read_bytes() == before


def test_fills_beyond_the_order_are_refused_and_strangers_are_told(ledger: Path) -> None:
    state = read_ledger(ledger)
    with pytest.raises(PlanError, match=r"account U1, VTI: 137 units are filled and 136 are open"):
        by_fills(state, [fill("U1", "VTI", "SELL", 100), fill("U1", "VTI", "SELL", 37)])
    made = by_fills(state, [fill("U9", "VTI", "SELL", 1), fill("U1", "VTI", "BUY", 1)])
    assert not made.done
    assert made.warnings == (
        "fills.csv row 2: account U9 has no open order to SELL VTI; the fill was left out",
        "fills.csv row 2: account U1 has no open order to BUY VTI; the fill was left out",
    )


def test_a_block_s_fill_is_given_back_to_its_accounts(ledger: Path) -> None:
    state = read_ledger(ledger)
    total = sum(units for (_, symbol), units in left(state).items() if symbol == "VTI")
    half = int(total) // 2
    made = by_fills(
        state,
        [fill("", "VTI", "SELL", half - 10, 220.0), fill("", "VTI", "SELL", 10, 221.0)],
    )
    assert sum(a.quantity for a in made.allocations) == half
    assert len({a.price for a in made.allocations}) == 1
    assert sum(a.amount for a in made.allocations) == (half - 10) * 220 + 2210
    after = record_done(ledger, made.done, "x")
    assert sum(u for (_, symbol), u in left(after).items() if symbol == "VTI") == total - half
    with pytest.raises(PlanError, match=r"BUY VTI is no block of open orders(?s:.*)were ordered"):
        by_fills(state, [fill("", "VTI", "BUY", 1), fill("", "VTI", "SELL", 10_000)])


def test_a_block_that_is_not_the_only_one_has_to_be_named(tmp_path: Path) -> None:
    accounts = {**at("ibkr", "U1"), **at("fidelity", "X2")}
    sent = write_orders([verified(accounts)], shipped_formats()).sent
    record_export(tmp_path / "o.jsonl", sent, "r")
    state = read_ledger(tmp_path / "o.jsonl")
    with pytest.raises(PlanError, match=r"fits 2 blocks \(fidelity MARKET, ibkr MARKET\)"):
        by_fills(state, [fill("", "VTI", "SELL", 10)])
    made = by_fills(state, [{**fill("", "VTI", "SELL", 10), "custodian": "IBKR"}])
    assert [(d.account, d.filled) for d in made.done] == [("U1", D(10))]


def test_new_positions_show_what_was_done(ledger: Path) -> None:
    state = read_ledger(ledger)
    made = by_positions(state, positions(("U1", "VTI", 264), ("U1", "BND", 420)))
    assert [(d.symbol, d.filled) for d in made.done] == [("VTI", D(136)), ("BND", D(300))]
    state = record_done(ledger, made.done, "")
    assert left(state)["U1", "BND"] == 98
    again = by_positions(state, positions(("U1", "VTI", 264), ("U1", "BND", 420)))
    assert not again.done  # the same positions twice count once
    rest = by_positions(state, positions(("U1", "VTI", 264), ("U1", "BND", 518.25)))
    assert rest.warnings == (
        "account U1, BND: 398.25 units moved, 398 were ordered; the order counts as done",
    )
    assert record_done(ledger, rest.done, "").accounts() == ("U2",)


def test_a_move_the_other_way_leaves_the_order_open(ledger: Path) -> None:
    made = by_positions(read_ledger(ledger), positions(("U1", "VTI", 410), ("U1", "BND", 120)))
    assert not made.done
    assert made.warnings == (
        "account U1, VTI: 10 units moved against the order to SELL 136; it stays open",
    )


def test_a_sale_of_all_is_done_when_the_position_is_gone(tmp_path: Path) -> None:
    sent = write_orders([verified(at("ibkr", "U1"))], shipped_formats()).sent
    record_export(tmp_path / "o.jsonl", sent, "r")
    made = by_positions(read_ledger(tmp_path / "o.jsonl"), positions(("U1", "BND", 518)))
    assert ("VTI", D(136)) in [(d.symbol, d.filled) for d in made.done]


def test_orders_that_lapsed_are_released(ledger: Path) -> None:
    with pytest.raises(
        PlanError, match=r"account U7: has no open orders; accounts that have: U1, U2"
    ):
        record_release(ledger, ["U1", "U7"])
    assert record_release(ledger, ["U1"]).accounts() == ("U2",)
    assert read_ledger(ledger).accounts() == ("U2",)


def test_the_same_export_again_is_not_noted_twice_and_another_is_refused(ledger: Path) -> None:
    sent = write_orders([verified(at("ibkr", "U1", "U2", "U3"))], shipped_formats()).sent
    before = ledger.read_bytes()
    record_export(ledger, [each for each in sent if each.order.account != "U3"], "run-1")
    assert ledger.read_bytes() == before
    record_export(ledger, sent, "run-1")  # a run that was killed, done again: U3 is added
    assert read_ledger(ledger).accounts() == ("U1", "U2", "U3")
    with pytest.raises(PlanError, match=r"account U1(?s:.*)account U2(?s:.*)account U3"):
        record_export(ledger, sent, "run-2")


def test_a_run_knows_its_own_orders_and_no_other_run_may_repeat_them(tmp_path: Path) -> None:
    ledger = tmp_path / "orders.jsonl"
    sent = write_orders([verified(at("ibkr", "U1", "U2"))], shipped_formats()).sent
    record_export(ledger, sent, "export", run="one")
    noted = ledger.read_bytes()
    record_export(ledger, sent, "export", run="one")
    assert ledger.read_bytes() == noted
    assert read_ledger(ledger).faults_of_run("export", "one") == {}
    with pytest.raises(PlanError, match=r"account U1(?s:.*)account U2"):
        record_export(ledger, sent, "export", run="two")
    found = read_ledger(ledger).faults_of_run("export", "two")
    assert list(found) == ["U1", "U2"]
    assert str(found["U1"]) == read_ledger(ledger).refusal("U1")


def test_done_orders_bar_the_book_that_they_came_from_and_lapsed_ones_do_not(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "orders.jsonl"
    sent = write_orders([verified(at("ibkr", "U1", "U2", "U3"))], shipped_formats()).sent
    record_export(ledger, sent, "export", run="one")
    state = read_ledger(ledger)
    for account in ("U1", "U2"):  # all of U1 is done, a part of U2
        units = [each.order for each in state.of(account)][: 2 if account == "U1" else 1]
        made = [Done(account=account, symbol=o.symbol, filled=o.quantity) for o in units]
        record_done(ledger, made, account)
    record_release(ledger, ["U2", "U3"])
    found = read_ledger(ledger).faults_of_run("export", "two")
    assert list(found) == ["U1", "U2"]
    assert "bring the positions of the book up to date" in str(found["U2"])
    assert read_ledger(ledger).faults_of_run("another book", "two") == {}
    record_export(
        ledger, [each for each in sent if each.order.account == "U3"], "export", run="one"
    )
    assert read_ledger(ledger).accounts() == ("U3",)  # a run that goes on notes again what lapsed


def test_an_entry_cut_short_is_no_entry_and_the_next_one_stands_whole(ledger: Path) -> None:
    whole = ledger.read_bytes()
    first, second = whole.splitlines(keepends=True)
    for length in (0, 1, len(second) // 2, len(second) - 1):
        ledger.write_bytes(first + second[:length])
        assert read_ledger(ledger).accounts() == ("U1",)
        record_release(ledger, ["U1"])
        lines = ledger.read_bytes().splitlines()
        assert [json.loads(line)["entry"] for line in lines] == ["export", "release"]


def test_an_edited_entry_is_refused_with_its_line(ledger: Path) -> None:
    text = ledger.read_text()
    ledger.write_text(text.replace('"quantity": "136"', '"quantity": "many"', 1))
    with pytest.raises(ReadError, match=r"orders\.jsonl line 1: is no entry"):
        read_ledger(ledger)
    ledger.write_text('{"entry": "gone"}\n')
    with pytest.raises(ReadError, match="line 1"):
        read_ledger(ledger)


def test_no_ledger_is_an_empty_one_and_a_folder_is_none(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none.jsonl") == LedgerState()
    with pytest.raises(FileError, match="cannot be used"):
        read_ledger(tmp_path)
    with pytest.raises(FileError, match="cannot be used"):
        record_release(tmp_path, ["U1"])


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX systems")
def test_only_its_owner_reads_it(ledger: Path) -> None:
    assert ledger.stat().st_mode & 0o077 == 0


def test_two_programs_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four processes note 15 exports each, in no order; all 60 stand there, each line whole."""
    path = tmp_path / "orders.jsonl"
    code = textwrap.dedent("""
        import sys
        from tests.custodians.orders.made import at, verified
        from xl_rebal.custodians.orders import record_export, shipped_formats, write_orders
        who, path = sys.argv[1:]
        for n in range(15):
            name = f"U{who}{n:02d}"
            sent = write_orders([verified(at("ibkr", name))], shipped_formats()).sent
            record_export(path, sent, f"run-{name}")
    """)
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(who), str(path)], cwd=PROJECT)
        for who in range(4)
    ]
    assert [each.wait(timeout=120) for each in running] == [0, 0, 0, 0]
    assert len(read_ledger(path).accounts()) == 60
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_full_disk_adds_nothing(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"No space left on device.*no order file was written"):
        record_release(ledger, ["U1"])
    assert ledger.read_bytes() == before


def test_orders_that_were_released_and_are_exported_again_wait_again(ledger: Path) -> None:
    sent = write_orders([verified(at("ibkr", "U1", "U2"))], shipped_formats()).sent
    record_release(ledger, ["U1"])
    record_export(ledger, sent, "run-1")
    assert set(read_ledger(ledger).accounts()) == {"U1", "U2"}
