"""Drift against published figures, and against a plain loop over random books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.walkthrough import walkthrough
from xl_rebal.drift import Drift, measure
from xl_rebal.errors import TableError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.targets import Targets, parse_targets

PP = 1e-5  # figures are published to a thousandth of a percentage point


def only(book: Book) -> Drift:
    (drift,) = measure(book)
    return drift


def money(targets: str, **values: float) -> Drift:
    """One account that holds this much money in each class (or symbol)."""
    rows = [
        {
            "account": "A",
            "symbol": name.upper(),
            "quantity": value,
            "price": 1.0,
            "asset_class": name,
        }
        for name, value in values.items()
    ]
    return only(Book(holdings=Holdings.from_rows(rows), models={"": parse_targets(targets)}))


def by_class(drift: Drift, row: int = 0) -> dict[str, float]:
    return dict(zip(drift.classes, drift.drift[row].tolist(), strict=True))


def test_the_walk_through() -> None:
    # S079, S081, S085: at class level; Stocks is above target, not "2.1 pp below".
    drift = only(walkthrough())
    assert drift.base[0] == pytest.approx(1_901_000)
    assert drift.weight[0, :3] == pytest.approx([0.63966, 0.31562, 0.04471], abs=PP)
    assert by_class(drift) == pytest.approx(
        {"Stocks": 0.03966, "Bonds": 0.01562, "Real Estate": -0.05529, "Cash": 0.0}, abs=PP
    )
    # S084 and S085: money at target, and over (+) or under (-) it; the differences sum to zero.
    target = drift.target[:3] * drift.base[0]
    assert target == pytest.approx([1_140_600, 570_300, 190_100])
    assert drift.value[0, :3] - target == pytest.approx([75_400, 29_700, -105_100])


def test_the_walk_through_by_symbol() -> None:
    # S079: weights of the four funds, which the brief prints with one digit.
    models = {"": parse_targets("60% VTI, 0% VXUS, 30% BND, 10% VNQ")}
    drift = only(replace(walkthrough(), models=models))
    assert drift.classes == ("VTI", "VXUS", "BND", "VNQ", "Cash")
    assert drift.weight[0, :4] == pytest.approx([0.57864, 0.06102, 0.31562, 0.04471], abs=PP)


def test_relative_and_absolute_drift_of_the_ten_million() -> None:
    # S023: $10M at 63% against 60% is 5% relative, 3 pp, and $300,000 to target.
    drift = money("60% stocks, 40% bonds", stocks=6.3e6, bonds=3.7e6)
    assert drift.drift[0, 0] == pytest.approx(0.03)
    assert drift.relative[0, 0] == pytest.approx(0.05)
    assert drift.drift[0, 0] * drift.base[0] == pytest.approx(300_000)


def test_a_falling_class_shrinks_the_total_as_well() -> None:
    # S030 (D2): $600K falls to $397K beside $400K; 49.8% of $797K, not 39.7% of a million.
    drift = money("60% stocks, 40% bonds", stocks=397e3, bonds=400e3)
    assert drift.weight[0, 0] == pytest.approx(0.4981, abs=5e-5)
    assert drift.drift[0, 0] == pytest.approx(-0.1019, abs=5e-5)
    assert -drift.drift[0, 0] * drift.base[0] == pytest.approx(81_200)


def test_the_ira() -> None:
    # S099: $800K, 50/40/10, stands at 58/35/7.
    drift = money(
        "50% stocks, 40% bonds, 10% alternatives", stocks=464e3, bonds=280e3, alternatives=56e3
    )
    assert drift.drift[0, :3] == pytest.approx([0.08, -0.05, -0.03], abs=1e-12)
    assert drift.relative[0, :3] == pytest.approx([0.16, -0.125, -0.30], abs=1e-12)


def test_relative_drift_of_a_zero_target_is_no_number() -> None:
    drift = money("100% stocks, 0% gold", stocks=90, gold=10)
    assert np.isnan(drift.relative[0, 1])
    assert drift.drift[0, 1] == pytest.approx(0.1)


def _book(rows: list[dict[str, Any]], targets: Targets, **fields: Any) -> Book:
    return Book(holdings=classify(Holdings.from_rows(rows)), models={"": targets}, **fields)


def _cash(account: str, amount: float, kind: str = "cash") -> dict[str, Any]:
    return {"account": account, "symbol": "CASH", "kind": kind, "quantity": amount, "price": 1.0}


def _stock(account: str, amount: float) -> dict[str, Any]:
    return {"account": account, "symbol": "VTI", "quantity": amount, "price": 1.0}


def test_the_weight_base() -> None:
    # DESIGN: positions + cash, less reserve and excluded holdings; pending is never counted.
    rows = [
        _stock("A", 600.0),
        {
            "account": "A",
            "symbol": "KEEP",
            "quantity": 5_000,
            "price": 1.0,
            "asset_class": "Excluded",
        },
        _cash("A", 500.0),
        _cash("A", 9_999.0, "pending"),
    ]
    drift = only(
        _book(
            rows,
            parse_targets("60% stocks, 40% bonds"),
            accounts={"A": Account(account="A", cash_reserve=100.0)},
        )
    )
    assert drift.base[0] == pytest.approx(1000.0)
    assert drift.weight[0].tolist() == pytest.approx([0.6, 0.0, 0.4])
    assert drift.target.tolist() == [0.6, 0.4, 0.0]  # cash has target 0 unless targeted


def test_cash_that_is_a_class_of_the_model() -> None:
    drift = only(
        _book([_stock("A", 90), _cash("A", 10)], parse_targets("95% stocks, 5% money market"))
    )
    assert drift.classes == ("Stocks", "Cash")
    assert drift.cash_index == 1
    assert drift.drift[0].tolist() == pytest.approx([-0.05, 0.05])


def test_an_empty_account_has_no_drift_and_no_division() -> None:
    drift = only(_book([_stock("A", 1.0), _cash("B", 0.0)], parse_targets("100% stocks")))
    assert drift.accounts == ("A", "B")
    assert drift.weight[1].tolist() == drift.drift[1].tolist() == [0.0, 0.0]


def test_a_negative_total_is_refused_by_name() -> None:
    accounts = {n: Account(account=n, cash_reserve=50.0) for n in ("A", "B", "C")}
    rows = [_stock("A", 100.0), _stock("B", 40.0), _cash("C", 10.0)]
    with pytest.raises(TableError) as caught:
        measure(_book(rows, parse_targets("100% stocks"), accounts=accounts))
    assert [f.where for f in caught.value.faults] == ["account B", "account C"]
    assert "negative (-10.00)" in str(caught.value)


def test_accounts_of_several_models_are_measured_against_their_own() -> None:
    models = {
        "G": parse_targets("90% stocks, 10% bonds"),
        "I": parse_targets("30% stocks, 70% bonds"),
    }
    accounts = {n: Account(account=n, model=m) for n, m in (("A", "G"), ("B", "I"), ("C", "G"))}
    held = classify(Holdings.from_rows([_stock(n, 10.0) for n in "ABC"]))
    drifts = measure(Book(holdings=held, models=models, accounts=accounts))
    assert [d.accounts for d in drifts] == [("A", "C"), ("B",)]
    assert drifts[0].drift[:, 0].tolist() == pytest.approx([0.1, 0.1])
    assert by_class(drifts[1])["Stocks"] == pytest.approx(0.7)


# ---- a second implementation: one loop over the rows, one dictionary per account ----

_PATHS = {
    "Stocks": ["Stocks", "Stocks/US", "Stocks/US/Small", "equities/international"],
    "Bonds": ["Bonds", "fixed income", "Bonds/US/Treasury"],
    "Real Estate": ["Real Estate", "reits"],
    "Cash": ["Cash", "money market"],
    None: ["Excluded", "unmanaged"],
}


@st.composite
def _random_books(draw: st.DrawFn) -> tuple[Book, dict[str, dict[str, float]]]:
    """A book, and the money per account and class that a loop finds in it."""
    weights = draw(st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any))
    targets = parse_targets(
        ", ".join(
            f"{100 * w / sum(weights):.12f}% {name}"
            for name, w in zip(("Stocks", "Bonds", "Real Estate"), weights, strict=True)
        )
    )
    accounts = [f"acct {n}" for n in range(draw(st.integers(1, 4)))]
    reserves = {name: float(draw(st.sampled_from([0, 0, 25]))) for name in accounts}
    rows: list[dict[str, Any]] = []
    plain: dict[str, dict[str, float]] = {}
    for account in accounts:
        plain[account] = dict.fromkeys(("Stocks", "Bonds", "Real Estate", "Cash"), 0.0)
        plain[account]["Cash"] -= reserves[account]
        for _ in range(draw(st.integers(1, 6))):
            name = draw(st.sampled_from(list(_PATHS)))
            path = draw(st.sampled_from(_PATHS[name]))
            kind = draw(st.sampled_from(["position"] * 4 + ["pending"]))
            if name == "Cash":
                kind = draw(st.sampled_from(["cash", "cash", "position", "pending"]))
            row: dict[str, Any] = {
                "account": account,
                "symbol": "" if kind == "pending" else f"S{len(rows)}",
                "kind": kind,
                "quantity": draw(st.integers(0, 10_000)) / 8,
                "price": draw(st.integers(1, 4_000)) / 16,
                "multiplier": draw(st.sampled_from([1.0, 1.0, 100.0])),
                "fx": draw(st.sampled_from([1.0, 1.25])),
                "asset_class": "" if kind == "pending" else path,
            }
            rows.append(row)
            if kind != "pending" and name is not None:
                value = row["quantity"] * row["price"] * row["multiplier"] * row["fx"]
                plain[account][name] += value
        rows.append(_cash(account, 1_000.0))
        plain[account]["Cash"] += 1_000.0
    draw(st.randoms(use_true_random=False)).shuffle(rows)
    book = Book(
        holdings=classify(Holdings.from_rows(rows)),
        models={"": targets},
        accounts={n: Account(account=n, cash_reserve=r) for n, r in reserves.items()},
    )
    return book, plain


@given(_random_books())
def test_the_columns_agree_with_a_plain_loop(
    case: tuple[Book, dict[str, dict[str, float]]],
) -> None:
    book, plain = case
    columns = {name: getattr(book.holdings, name).copy() for name in book.holdings.__slots__}
    drift = only(book)
    targets = dict(zip(book.models[""].classes, book.models[""].weights.tolist(), strict=True))
    for a, account in enumerate(drift.accounts):
        total = sum(plain[account].values())
        assert drift.base[a] == pytest.approx(total)
        for k, name in enumerate(drift.classes):
            value = plain[account][name]
            assert drift.value[a, k] == pytest.approx(value, abs=1e-6)
            assert drift.weight[a, k] == pytest.approx(value / total, abs=1e-12)
            wanted = targets.get(name, 0.0)
            assert drift.drift[a, k] == pytest.approx(value / total - wanted, abs=1e-12)
    np.testing.assert_allclose(drift.weight.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(drift.drift.sum(axis=1), 0.0, atol=1e-9)
    for name, before in columns.items():
        np.testing.assert_array_equal(getattr(book.holdings, name), before)


@given(_random_books(), st.floats(0.01, 1000))
def test_prices_that_all_move_alike_change_no_weight(
    case: tuple[Book, dict[str, dict[str, float]]], factor: float
) -> None:
    book = case[0]
    holdings = book.holdings
    scaled = Book(
        holdings=Holdings.from_rows(
            {
                **{
                    n: getattr(holdings, n)[i]
                    for n in ("account", "symbol", "kind", "asset_class", "multiplier", "fx")
                },
                "quantity": holdings.quantity[i],
                "price": holdings.price[i] * factor,
            }
            for i in range(len(holdings))
        ),
        models=book.models,
        accounts={
            n: Account(account=n, cash_reserve=a.cash_reserve * factor)
            for n, a in book.accounts.items()
        },
    )
    np.testing.assert_allclose(only(scaled).weight, only(book).weight, atol=1e-9)
