"""Which clients need a plan: against a plain count over the CSV files, cell by cell and client by client."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, xl
from xl_rebal.batch.book_reading import open_batch_book
from xl_rebal.batch.needs import BookScan, Need, ScanRequest
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.batch.scan import scan_book, scan_chunk
from xl_rebal.errors import RebalError, TableError
from xl_rebal.portfolio.accounts import PlanMode

__all__ = ["xl"]  # the fixture
DAY = dt.date(2026, 11, 25)
IDLE = 0.02


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "book"
    write_sample_book(SampleRequest(households=260, seed=21), out)
    with (out / "flows.csv").open(
        "a", newline=""
    ) as stream:  # withdrawals that cash does not cover
        for row in rows(out, "accounts")[30:60:10]:
            stream.write(f"{row['account']},2026-12-05,-40000,withdrawal\n")
    return out


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def scanned(folder: Path, scratch: Path, **asked: Any) -> BookScan:
    request = ScanRequest(**{"policy": "5pp", **asked})
    return scan_book(open_batch_book(folder, scratch), request)


@dataclass
class Pot:
    """Money by class of an account, or of a household."""

    money: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    kept: float = 0.0
    targets: dict[str, float] = field(default_factory=dict)
    relative: bool = True

    def outside(self) -> float:
        """How far the worst class is outside 5/25 (or 5 pp); cash has no band."""
        base = sum(self.money.values()) - self.kept
        worst = -1.0
        for name, target in self.targets.items():
            if name == "Cash":
                continue
            drift = abs(self.money[name] / base - target)
            worst = max(worst, drift - (min(0.05, target / 4) if self.relative else 0.05))
        return worst

    def idle(self) -> float:
        base = sum(self.money.values()) - self.kept
        return (self.money["Cash"] - self.kept) - self.targets["Cash"] * base


def plain(folder: Path, default: str) -> dict[str, set[str]]:
    """What each client needs, by a loop over rows; a client's own policies all have a band of 5/25 here,
    which is what the models set.
    """
    targets: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows(folder, "models"):
        targets[row["model"]][row["asset_class"]] = float(row["target"].rstrip("%")) / 100
    path = {row["symbol"]: row["asset_class"] for row in rows(folder, "securities")}
    fixed = {row["symbol"] for row in rows(folder, "securities") if row["tradable"] == "no"}
    tags = {row["symbol"]: row["tags"].split(";") for row in rows(folder, "securities")}
    accounts = {row["account"]: row for row in rows(folder, "accounts")}
    leaving: dict[str, float] = defaultdict(float)
    for row in rows(folder, "flows"):
        days = (dt.date.fromisoformat(row["date"]) - DAY).days
        if float(row["amount"]) < 0 and 0 <= days <= 30:
            leaving[row["account"]] -= float(row["amount"])
    pots = {
        name: Pot(kept=float(row["cash_reserve"]) + leaving[name], targets=targets[row["model"]])
        for name, row in accounts.items()
    }
    held: dict[str, set[str]] = defaultdict(set)
    for row in rows(folder, "holdings"):
        pot = pots[row["account"]]
        name = "Cash"
        if row["kind"] == "position":
            name = next(k for k in pot.targets if (path[row["symbol"]] + "/").startswith(k + "/"))
            held[row["account"]].add(row["symbol"])
        pot.money[name] += float(row["quantity"]) * float(row["price"])
    needs: dict[str, set[str]] = {row["household"]: set() for row in accounts.values()}
    for name, row in accounts.items():
        home, pot = row["household"], pots[name]
        if row["held_away"] == "yes":
            continue
        together = (row["plan_mode"] or default) == "household_tax"
        if not together and pot.outside() >= -1e-9:
            needs[home].add("rebalance")
        if pot.money["Cash"] - pot.kept < -0.005:
            needs[home].add("raise cash")
        if pot.idle() >= IDLE * sum(pot.money.values()):
            needs[home].add("invest")
        for rule in rows_of_rules(folder):
            bound = rule["scope"] in (name, home) and rule["account_types"] in ("", row["type"])
            if bound and rule["rule"] in ("never_hold", "substitute"):
                barred = {s for s in held[name] - fixed if rule["tag"] in tags[s]}
                if barred:
                    needs[home].add("replace")
    for home in needs:
        mine = [n for n, row in accounts.items() if row["household"] == home]
        if (accounts[mine[0]]["plan_mode"] or default) != "household_tax":
            continue
        whole = Pot(kept=sum(pots[n].kept for n in mine), targets=pots[mine[0]].targets)
        for n in mine:
            for name, money in pots[n].money.items():
                whole.money[name] += money
        if whole.outside() >= -1e-9:
            needs[home].add("rebalance")
    return needs


_RULES: dict[Path, list[dict[str, str]]] = {}


def rows_of_rules(folder: Path) -> list[dict[str, str]]:
    if folder not in _RULES:
        _RULES[folder] = rows(folder, "restrictions")
    return _RULES[folder]


@pytest.mark.parametrize("mode", [PlanMode.RULES, PlanMode.HOUSEHOLD_TAX])
def test_the_needs_are_those_of_a_plain_count(folder: Path, tmp_path: Path, mode: PlanMode) -> None:
    wanted = plain(folder, mode.value)
    found = scanned(folder, tmp_path / "scratch", mode=mode)
    asked = [need.value for need in Need if need.asks]
    assert {client.household for client in found.clients} == set(wanted)
    for client in found.clients:
        needs = wanted[client.household]
        first = min(needs, key=asked.index) if needs else ""
        assert (client.need.value if client.need.asks else "") == first, client
    for need in ("rebalance", "replace", "raise cash", "invest"):
        assert any(need in each for each in wanted.values()), f"no case of {need}"


def test_the_worst_breach_comes_first_and_each_reason_names_its_account(
    folder: Path, tmp_path: Path
) -> None:
    found = scanned(folder, tmp_path / "scratch")
    asking = [c for c in found.clients if c.need is Need.REBALANCE]
    assert [c.excess for c in asking] == sorted((c.excess for c in asking), reverse=True)
    order = [list(Need).index(client.need) for client in found.clients]
    assert order == sorted(order)
    homes = {row["account"]: row["household"] for row in rows(folder, "accounts")}
    for client in asking:
        assert "outside the band" in client.reason
        mine = [account for account, home in homes.items() if home == client.household]
        assert client.accounts == len(mine)
        if len(mine) > 1 and client.mode is not PlanMode.HOUSEHOLD_TAX:
            assert any(f"{account}: " in client.reason for account in mine)
    assert found.asking == found.clients[: len(found.asking)]


def test_chunks_of_any_size_say_the_same(folder: Path, tmp_path: Path) -> None:
    book = open_batch_book(folder, tmp_path / "scratch")
    request = ScanRequest(policy="5pp", as_of=DAY)
    one, many = (
        {
            each.household: each
            for chunk in itertools.islice(book.chunks(size), 40 // size)
            for each in scan_chunk(chunk, request)
        }
        for size in (1, 40)
    )
    assert len(one) == 40
    assert one == many


def test_a_deposit_asks_to_be_invested(folder: Path, tmp_path: Path) -> None:
    found = {c.household: c for c in scanned(folder, tmp_path / "scratch").clients}
    idle = [c for c in found.values() if c.need is Need.INVEST]
    assert idle
    assert all("of cash lies idle" in c.reason for c in idle)
    never = scanned(folder, tmp_path / "scratch", idle=1.0)
    assert not [c for c in never.clients if c.need is Need.INVEST]


def test_a_client_that_cannot_be_measured_is_listed_and_the_others_are_measured(
    folder: Path, tmp_path: Path
) -> None:
    dirty = tmp_path / "dirty"
    write_sample_book(SampleRequest(households=260, seed=21, dirty=True), dirty)
    shutil.copy(folder / "flows.csv", dirty / "flows.csv")
    good = {c.household: c for c in scanned(folder, tmp_path / "a").clients}
    bad = {c.household: c for c in scanned(dirty, tmp_path / "b").clients}
    assert set(good) == set(bad)
    failed = {home for home, c in bad.items() if c.need is Need.FAILED}
    assert len(failed) == 6
    assert all(bad[home].reason for home in failed)
    assert all(bad[home] == good[home] for home in good if home not in failed)


SMALL = {
    "holdings": "account,symbol,quantity,price\nA,VTI,80,100\nA,BND,20,100\nB,VTI,40,100\nB,BND,60,100\n",
    "models": "model,asset_class,target\n"
    "Main,Stocks,60%\nMain,Bonds,40%\nOther,Stocks,60%\nOther,Bonds,40%\n",
}


def small(tmp_path: Path, accounts: str, **more: str) -> Path:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    for name, text in {**SMALL, "accounts": accounts, **more}.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_accounts_that_offset_each_other_are_within_as_one_portfolio(tmp_path: Path) -> None:
    # A is 80/20 and B 40/60: together 60/40, exactly the model.
    head = "account,household,type,model,plan_mode\n"
    apart = small(tmp_path, f"{head}A,Ann,taxable,Main,rules\nB,Ann,roth,Main,\n")
    (client,) = scanned(apart, tmp_path / "s").clients
    assert (client.need, client.breaches) == (Need.REBALANCE, 4)
    assert client.excess == pytest.approx(0.15)
    joined = small(tmp_path, f"{head}A,Ann,taxable,Main,household_tax\nB,Ann,roth,Main,\n")
    (client,) = scanned(joined, tmp_path / "s").clients
    assert (client.need, client.excess) == (Need.WITHIN, 0.0)


def test_a_clients_own_policy_and_calendar(tmp_path: Path) -> None:
    head = "account,household,type,model,policy,last_rebalanced\n"
    book = small(
        tmp_path, f"{head}A,Ann,taxable,Main,25pp,\nB,Bob,taxable,Main,annual,2025-12-31\n"
    )
    found = {c.household: c for c in scanned(book, tmp_path / "s", as_of=DAY).clients}
    assert {home: c.need for home, c in found.items()} == {"Ann": Need.WITHIN, "Bob": Need.WITHIN}
    late = {
        c.household: c for c in scanned(book, tmp_path / "s", as_of=dt.date(2026, 12, 31)).clients
    }
    assert late["Bob"].need is Need.REBALANCE


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ("account,household,type,model,policy\nA,Ann,taxable,Main,5pp\nB,Ann,roth,Main,3pp\n", "differ"),
        ("account,household,type,model,plan_mode\nA,Ann,taxable,Main,household_tax\nB,Ann,roth,Other,\n",
         "several models"),
    ],
)  # fmt: skip
def test_accounts_of_a_client_that_contradict_each_other_fail(
    tmp_path: Path, accounts: str, said: str
) -> None:
    (client,) = scanned(small(tmp_path, accounts), tmp_path / "s").clients
    assert client.need is Need.FAILED
    assert said in client.reason


def test_settings_that_cannot_be_meant() -> None:
    with pytest.raises(TableError, match="--idle-cash"):
        ScanRequest(policy="5pp", idle=0.0)
    with pytest.raises(RebalError):
        ScanRequest(policy="about five")


def test_the_command_answers_which_clients_need_rebalancing(
    xl: Run, folder: Path, tmp_path: Path
) -> None:
    before = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    document = xl("scan", folder, "--policy", "5pp", "--json").document
    found = scanned(folder, tmp_path / "scratch")
    assert document["households"] == 260
    assert document["needing_trades"] == len(found.asking)
    assert [row["household"] for row in document["clients"]] == [c.household for c in found.clients]
    assert sum(document["needs"].values()) == 260
    assert sum(row["households"] for row in document["by_model"]) == 260
    assert sum(row["needing_trades"] for row in document["by_model"]) == len(found.asking)
    shown = xl("scan", folder, "--top", 3)
    assert shown.code == 0
    assert found.asking[0].client in shown.out
    assert found.asking[0].reason.split(";")[0] in " ".join(shown.out.split())
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == before
    assert xl("scan", tmp_path / "nowhere").code == 1
    assert xl("scan", folder, "--idle-cash", "0%").code == 1
