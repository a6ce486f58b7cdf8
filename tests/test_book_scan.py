"""The scan of a book against the drift of each account alone, and faults that stay with their account."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from xl_rebal.bands import check
from xl_rebal.book_scan import Scanned, Standing, scan
from xl_rebal.errors import TableError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import parse_targets

MODELS = {
    name: replace(parse_targets(text), name=name)
    for name, text in (
        ("growth", "80% stocks, 20% bonds"),
        ("income", "30% stocks, 60% bonds, 10% real estate"),
        ("with cash", "50% stocks, 40% bonds, 10% cash"),
    )
}
SYMBOLS = {"Stocks": "VTI", "Bonds": "BND", "Real Estate": "VNQ", "Cash": "CASH"}
PRICES = {"Stocks": 250.0, "Bonds": 75.0, "Real Estate": 85.0, "Cash": 1.0}


def invented(count: int, seed: int) -> tuple[Holdings, dict[str, Account]]:
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    accounts = {}
    for n in range(count):
        name, model = f"A{n:03d}", rng.choice(list(MODELS))
        accounts[name] = Account(
            account=name,
            household=f"H{n // 2}",
            model=model,
            cash_reserve=rng.choice([0.0, 0.0, 5_000.0]),
            held_away=rng.random() < 0.1,
        )
        for item in MODELS[model].items:
            units = round(
                100_000 * item.target * rng.uniform(0.7, 1.3) / PRICES[item.asset_class], 3
            )
            cash = item.asset_class == "Cash"
            rows.append(
                {
                    "account": name,
                    "symbol": SYMBOLS[item.asset_class],
                    "quantity": units,
                    "price": PRICES[item.asset_class],
                    "asset_class": item.asset_class,
                    "kind": "cash" if cash else "position",
                }
            )
    return Holdings.from_rows(rows), accounts


def scanned(holdings: Holdings, accounts: dict[str, Account], policy: str) -> dict[str, Scanned]:
    found = scan(
        holdings,
        lambda some: Book(holdings=some, models=MODELS, accounts=accounts),
        parse_policy(policy),
    )
    assert len(found) == len(holdings.accounts())
    return {each.account: each for each in found}


@pytest.mark.parametrize("policy", ["5pp", "5/25", "20%rel beyond"])
def test_each_account_stands_as_it_does_alone(policy: str) -> None:
    holdings, accounts = invented(60, seed=7)
    found = scanned(holdings, accounts, policy)
    for name, account in accounts.items():
        rows = np.asarray(holdings.account == name, dtype=np.bool_)
        alone = Book(
            holdings=holdings.take(rows),
            models={account.model: MODELS[account.model]},
            accounts={name: account},
        )
        (one,) = check(alone, parse_policy(policy))
        shown = [row for row in one.rows() if row["lower"] is not None]
        each = found[name]
        assert each.breaches == sum(row["status"] != "within" for row in shown)
        assert each.value == pytest.approx(holdings.take(rows).value.sum(), rel=1e-12)
        assert (each.household, each.model) == (account.household, account.model)
        worst = max(abs(row["drift"]) for row in one.rows() if row["target"])
        assert abs(each.drift or 0.0) == pytest.approx(worst, abs=1e-12)
        if account.held_away:
            assert each.standing is Standing.HELD_AWAY
        elif account.cash_reserve and account.model != "with cash":
            assert each.standing is Standing.RAISE_CASH
        elif not account.cash_reserve:
            wanted = Standing.REBALANCE if each.breaches else Standing.WITHIN
            assert each.standing is wanted
    kinds = {each.standing for each in found.values()}
    assert kinds == {Standing.REBALANCE, Standing.WITHIN, Standing.RAISE_CASH, Standing.HELD_AWAY}


def test_the_worst_breach_stands_first() -> None:
    found = list(scanned(*invented(40, seed=3), "5pp").values())
    order = list(Standing)
    places = [order.index(each.standing) for each in found]
    assert places == sorted(places)
    excess = [each.excess for each in found if each.standing is Standing.REBALANCE]
    assert excess == sorted(excess, reverse=True)
    assert len(excess) > 3
    assert min(excess) > -1e-9


def test_an_account_at_fault_fails_alone() -> None:
    holdings, accounts = invented(33, seed=5)
    before = scanned(holdings, accounts, "5pp")
    bad = {"A004": "Art", "A005": "Wine", "A032": "Stamps"}
    asset_class = holdings.asset_class.copy()
    for name, words in bad.items():
        asset_class[np.flatnonzero(holdings.account == name)[0]] = words
    found = scanned(holdings.with_classes(asset_class), accounts, "5pp")
    failed = {name: each for name, each in found.items() if each.standing is Standing.FAILED}
    assert set(failed) == set(bad)
    for name, words in bad.items():
        assert f"no target covers class {words!r}" in failed[name].reason
    assert {n: e for n, e in found.items() if n not in bad} == {
        n: e for n, e in before.items() if n not in bad
    }


def test_a_fault_of_all_is_told_of_all_and_nothing_is_nothing() -> None:
    holdings, _ = invented(3, seed=1)

    def refuses(some: Holdings) -> Book:
        raise TableError.of(where="x", what="is wrong", remedy="mend it")

    found = scan(holdings, refuses, parse_policy("5pp"))
    assert [each.reason for each in found] == ["x: is wrong; mend it"] * 3
    assert scan(Holdings.from_rows([]), refuses, parse_policy("5pp")) == ()
