"""Jones holds no defence, Smith municipal bonds for corporate ones where gains are taxed; over a whole book.

What a client must not hold is worked out here from the CSV files alone.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from xl_rebal.batch.book_reading import BatchBook, open_batch_book
from xl_rebal.batch.chunk_reading import Chunk, book_of
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.tax.profiles import profiles_of
from xl_rebal.trading.plan import Action, Trade

DAY = dt.date(2026, 11, 25)
POLICY = parse_policy("5pp")
COUNT = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books") / "book"
    write_sample_book(SampleRequest(households=COUNT, seed=11), out)
    return out


@pytest.fixture(scope="module")
def book(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BatchBook:
    return open_batch_book(folder, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def trades(book: BatchBook) -> dict[str, list[Trade]]:
    """Every household's trades, its accounts planned one by one."""
    found: dict[str, list[Trade]] = {}
    for chunk in book.chunks(20):
        assert not chunk.faults
        result = rebalance(book_of(chunk.tables), Request(policy=POLICY, as_of=DAY, explain=False))
        for plan in result.plans:
            home = chunk.tables.accounts[plan.account].household
            found.setdefault(home, []).extend(plan.trades)
    return found


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="") as stream:
        yield from csv.DictReader(stream)


def tagged(folder: Path, tag: str) -> set[str]:
    return {row["symbol"] for row in rows(folder, "securities") if tag in row["tags"].split(";")}


def after(folder: Path, trades: list[Trade], accounts: set[str]) -> dict[tuple[str, str], float]:
    held: dict[tuple[str, str], float] = {}
    for row in rows(folder, "holdings"):
        if row["account"] in accounts and row["kind"] == "position":
            held[row["account"], row["symbol"]] = float(row["quantity"])
    for trade in trades:
        sign = 1 if trade.action is Action.BUY else -1
        place = (trade.account, trade.symbol)
        held[place] = held.get(place, 0.0) + sign * trade.quantity
    return {place: quantity for place, quantity in held.items() if quantity > 1e-9}


def test_jones_sells_all_defence_and_buys_none(
    folder: Path, trades: dict[str, list[Trade]], book: BatchBook
) -> None:
    defence = tagged(folder, "defence")
    mine = {name for name, a in book.accounts.items() if a.household == "H000001"}
    before = after(folder, [], mine)
    assert {symbol for _, symbol in before} & defence, "or the case is empty"
    left = after(folder, trades["H000001"], mine)
    assert not {symbol for _, symbol in left} & defence
    for trade in trades["H000001"]:
        assert trade.symbol not in defence or trade.action is Action.SELL


def test_smith_holds_municipal_for_corporate_bonds_in_taxable_accounts_only(
    folder: Path, trades: dict[str, list[Trade]], book: BatchBook
) -> None:
    corporate = tagged(folder, "corporate")
    mine = {n: a.type for n, a in book.accounts.items() if a.household == "H000002"}
    assert set(mine.values()) == {"taxable", "traditional", "roth"}
    before, left = (after(folder, t, set(mine)) for t in ([], trades["H000002"]))
    for account, kind in mine.items():
        had = {s for a, s in before if a == account} & corporate
        has = {s for a, s in left if a == account} & corporate
        assert had, "or the case is empty"
        if kind == "taxable":
            assert not has
            assert left[account, "MUB"] > before.get((account, "MUB"), 0.0)
        else:
            assert has
            assert (account, "MUB") not in left


def test_a_screened_security_never_appears(
    folder: Path, trades: dict[str, list[Trade]], book: BatchBook
) -> None:
    restricted = 0
    types = {name: account.type for name, account in book.accounts.items()}
    for row in rows(folder, "restrictions"):
        barred = {row["symbol"]} if row["symbol"] else tagged(folder, row["tag"])
        homes = set(trades) if row["scope"] == "*" else {row["scope"]}
        for home in homes:
            accounts = {
                name
                for name, account in book.accounts.items()
                if account.household == home and row["account_types"] in ("", types[name])
            }
            own = [t for t in trades[home] if t.account in accounts]
            if row["rule"] != "never_sell":
                assert not [t for t in own if t.symbol in barred and t.action is Action.BUY]
            if row["rule"] == "never_sell":
                assert not [t for t in own if t.symbol in barred and t.action is Action.SELL]
            if row["rule"] in ("never_hold", "substitute"):
                away = {n for n in accounts if book.accounts[n].held_away}
                left = after(folder, own, accounts - away)
                untradable = {"T-425-2031"}
                assert not {symbol for _, symbol in left} & (barred - untradable)
                restricted += 1
    assert restricted > 5


def household_of(chunk: Chunk, name: str) -> HouseholdBook:
    """One household of a chunk, as its planner wants it."""
    mine = {n for n, a in chunk.tables.accounts.items() if a.household == name}
    whole = book_of(chunk.tables)
    mask = [account in mine for account in whole.holdings.account.tolist()]
    lots = [account in mine for account in chunk.tables.lots.account.tolist()]
    profiles = profiles_of(chunk.tables.tax_profiles, DAY.year)
    used = {chunk.tables.accounts[n].tax_profile for n in mine}
    return HouseholdBook(
        book=replace(
            whole,
            holdings=whole.holdings.take(mask),  # type: ignore[arg-type]  # a mask is a list here
            accounts={n: chunk.tables.accounts[n] for n in mine},
        ),
        lots=chunk.tables.lots.take(lots),  # type: ignore[arg-type]
        history=tuple(e for e in chunk.tables.history if e.account in mine),
        profiles={key: profile for key, profile in profiles.items() if key in used},
    )


def test_the_household_planner_keeps_to_them_too(folder: Path, book: BatchBook) -> None:
    chunk = next(book.chunks(8))
    request = HouseholdRequest(policy=POLICY, as_of=DAY)
    defence, corporate = tagged(folder, "defence"), tagged(folder, "corporate")
    jones = plan_household(household_of(chunk, "H000001"), request, "H000001")
    mine = {name for name, a in book.accounts.items() if a.household == "H000001"}
    left = after(folder, list(jones.trades), mine)
    assert not {symbol for _, symbol in left} & defence
    smith = plan_household(household_of(chunk, "H000002"), request, "H000002")
    kinds = {name: a.type for name, a in book.accounts.items() if a.household == "H000002"}
    left = after(folder, list(smith.trades), set(kinds))
    for account, symbol in left:
        if symbol in corporate:
            assert kinds[account] != "taxable"
        if symbol == "MUB":
            assert kinds[account] == "taxable"
    assert any(symbol == "MUB" for _, symbol in left)


def test_a_household_without_a_taxable_account_is_planned_without_lots(book: BatchBook) -> None:
    sheltered = {
        home
        for home in book.households
        if all(a.type != "taxable" for a in book.accounts.values() if a.household == home)
    }
    request = HouseholdRequest(policy=parse_policy("now"), as_of=DAY)
    planned = 0
    for chunk in book.chunks(20):
        for name in sheltered.intersection(chunk.households):
            source = household_of(chunk, name)
            assert not len(source.lots)
            planned += bool(plan_household(source, request, name).trades)
        if planned:
            break
    assert planned
