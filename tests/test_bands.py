"""Bands: the edges of published rules, and which drifts reach them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.walkthrough import walkthrough
from xl_rebal.bands import breaches, check, own_bands_in_words, status_word, widths
from xl_rebal.drift import Drift, class_columns, drift_of
from xl_rebal.errors import PolicyError
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets, parse_targets


def at(targets: Targets, *weights: float) -> Drift:
    """The drift of one account that stands at these weights; the rest is cash."""
    columns = class_columns(targets)
    value = np.zeros((1, len(columns)))
    value[0, : len(weights)] = weights
    if len(columns) > len(weights):
        value[0, -1] = 1.0 - sum(weights)
    return drift_of(targets, ("A",), columns, value)


def model(*weights: float, **own: Any) -> Targets:
    return Targets(
        tuple(Target(asset_class=f"C{i}", target=w, **own) for i, w in enumerate(weights))
    )


def statuses(policy: str, targets: Targets, *weights: float) -> list[str]:
    drift, read = at(targets, *weights), parse_policy(policy)
    breach = breaches(drift, widths(read, drift), beyond=read.beyond)
    return [status_word(int(b)) for b in breach[0, : len(weights)]]


def edges(policy: str, *weights: float) -> list[tuple[float, float]]:
    """(lower, upper) in percent for targets of these weights; what is missing to 100% is one more."""
    rest = 1.0 - sum(weights)
    targets = model(*weights, *([rest] if rest > 1e-9 else []))
    drift = at(targets, *targets.weights)
    band = widths(parse_policy(policy), drift)
    low, high = band.lower(drift.target) * 100, band.upper(drift.target) * 100
    pairs = list(zip(low.tolist(), high.tolist(), strict=True))
    return [pairs[i] for i in range(len(weights))]


@pytest.mark.parametrize(
    ("target", "lower", "upper"),
    [
        # S130. Not 10/0 for a target of 5%, and 65/55 (not 75/45) for one of 60%.
        (0.60, 55, 65),
        (0.25, 20, 30),
        (0.20, 15, 25),
        (0.10, 7.5, 12.5),
        (0.05, 3.75, 6.25),
        (0.0, 0, 0),
    ],
)
def test_edges_of_the_5_25_rule(target: float, lower: float, upper: float) -> None:
    assert edges("5/25", target)[0] == pytest.approx((lower, upper), abs=1e-12)


def test_edges_of_absolute_and_relative_bands() -> None:
    assert edges("5pp", 0.6, 0.3, 0.1) == [
        pytest.approx(p) for p in ((55, 65), (25, 35), (5, 15))
    ]  # S026, S076
    assert edges("10%rel", 0.6, 0.3, 0.1) == [
        pytest.approx(p) for p in ((54, 66), (27, 33), (9, 11))
    ]  # S077
    assert edges("5pp", 0.03)[0] == pytest.approx((0, 8))  # not below nothing
    assert edges("5pp", 0.98)[0] == pytest.approx((93, 100))  # not above everything


def test_both_readings_of_five_percent() -> None:
    # S023: 63% against 60% is 3 pp (inside 5 pp) and 5% relative (at the edge of 5%rel).
    targets = parse_targets("60% stocks, 40% bonds")
    assert statuses("5%", targets, 0.63, 0.37) == ["within", "within"]
    assert statuses("5%rel", targets, 0.63, 0.37)[0] == "above"
    assert statuses("5%rel beyond", targets, 0.63, 0.37)[0] == "within"


def test_the_edge_is_reached_and_not_passed() -> None:
    # S026, S099, S100: 0.35 - 0.40 is -0.050000000000000044 in binary; it is exactly 5 pp.
    targets = parse_targets("50% stocks, 40% bonds, 10% alternatives")
    assert 0.35 - 0.40 < -0.05
    assert statuses("5pp", targets, 0.58, 0.35, 0.07) == ["above", "below", "within"]
    assert statuses("5pp beyond", targets, 0.58, 0.35, 0.07) == ["above", "within", "within"]
    # S100: under 5/25 the alternatives (-3 pp, -30% of target) are outside as well.
    assert statuses("5/25", targets, 0.58, 0.35, 0.07) == ["above", "below", "below"]


@pytest.mark.parametrize("weight", [0.65, 0.55])
def test_sixty_percent_fires_at_both_edges(weight: float) -> None:
    targets = parse_targets("60% stocks, 40% bonds")
    assert statuses("5pp", targets, weight, 1 - weight)[0] == ("above" if weight > 0.6 else "below")
    assert statuses("5pp beyond", targets, weight, 1 - weight)[0] == "within"


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 2_000))
def test_comparison_is_exact_in_basis_points(weight: int, target: int, band: int) -> None:
    # The same question asked in whole hundredths of a basis point, where nothing is rounded.
    targets = model(target / 1e4, 1 - target / 1e4)
    drift = weight - target
    for policy, fires in (
        (f"{band / 100:g}pp", abs(drift) >= band),
        (f"{band / 100:g}pp beyond", abs(drift) > band),
    ):
        status = statuses(policy, targets, weight / 1e4, 1 - weight / 1e4)[0]
        assert (status != "within") is fires, (policy, weight, target)
        if fires:
            assert (status == "above") is (drift > 0)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 99))
def test_relative_bands_are_exact_as_well(weight: int, target: int, share: int) -> None:
    targets = model(target / 100, 1 - target / 100)
    moved = abs(weight - target) * 100
    fires = moved >= share * target and weight != target
    found = statuses(f"{share}%rel", targets, weight / 100, 1 - weight / 100)[0]
    assert (found != "within") is fires


def test_no_drift_is_never_a_breach() -> None:
    targets = parse_targets("100% stocks, 0% gold")
    for policy in ("5/25", "20%rel", "0pp"):
        assert statuses(policy, targets, 1.0, 0.0) == ["within", "within"]
    assert statuses("20%rel", targets, 0.99, 0.01) == ["within", "above"]  # zero wide, and drifted


def test_cash_never_fires() -> None:
    rows = [
        {"account": "A", "symbol": "VTI", "quantity": 60, "price": 1.0},
        {"account": "A", "symbol": "CASH", "kind": "cash", "quantity": 40, "price": 1.0},
    ]
    held = classify(Holdings.from_rows(rows))
    for text in ("100% stocks", "80% stocks, 20% cash"):
        (found,) = check(Book(holdings=held, models={"": parse_targets(text)}), parse_policy("5pp"))
        cash = found.rows()[-1]
        assert (cash["asset_class"], cash["status"]) == ("Cash", "within")
        assert cash["lower"] is cash["upper"] is None


def test_or_takes_the_narrower_band_and_and_the_wider() -> None:
    assert edges("3pp or 20%rel", 0.6, 0.1) == [pytest.approx(p) for p in ((57, 63), (8, 12))]
    assert edges("3pp and 20%rel", 0.6, 0.1) == [pytest.approx(p) for p in ((48, 72), (7, 13))]
    assert edges("quarterly or 5pp", 0.6)[0] == pytest.approx((55, 65))
    assert edges("annual and 5pp", 0.6)[0] == pytest.approx((55, 65))


@given(st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any))
def test_and_is_never_quicker_than_or(parts: list[int]) -> None:
    share = np.array(parts) / sum(parts)
    targets = model(*share)
    drift = at(targets, *np.roll(share, 1))
    wide = widths(parse_policy("3pp and 20%rel"), drift)
    narrow = widths(parse_policy("3pp or 20%rel"), drift)
    assert (
        np.abs(breaches(drift, wide, beyond=False)) <= np.abs(breaches(drift, narrow, beyond=False))
    ).all()


@pytest.mark.parametrize("policy", ["never", "now", "annual", "every 10 days"])
def test_a_policy_without_a_band_has_no_edges(policy: str) -> None:
    drift = at(parse_targets("60% stocks, 40% bonds"), 0.9, 0.1)
    band = widths(parse_policy(policy), drift)
    assert np.isnan(band.lower(drift.target)).all()
    assert not breaches(drift, band, beyond=False).any()


def test_bands_per_class() -> None:
    # S111: 5 pp for liquid classes, 7 pp for illiquid ones.
    targets = Targets(
        (
            Target(asset_class="Stocks", target=0.5, band_abs=0.05),
            Target(asset_class="Private Equity", target=0.3, band_abs=0.07),
            Target(asset_class="Bonds", target=0.2),
        )
    )
    weights = (0.56, 0.24, 0.20)
    assert statuses("5pp", targets, *weights) == ["above", "within", "within"]
    assert statuses("3pp", targets, 0.5, 0.3, 0.16) == ["within", "within", "below"]
    with pytest.raises(PolicyError, match="Bonds has none"):
        statuses("own bands", targets, *weights)
    assert own_bands_in_words(targets) == "Stocks 5 pp, Private Equity 7 pp"


def test_own_bands_may_be_lopsided() -> None:
    targets = Targets(
        (
            Target(asset_class="Stocks", target=0.6, min=0.5, max=0.62),
            Target(asset_class="Bonds", target=0.4, band_rel=0.1),
        )
    )
    drift = at(targets, 0.6, 0.4)
    band = widths(parse_policy("own bands"), drift)
    assert band.lower(drift.target)[:2] == pytest.approx([0.5, 0.36])
    assert band.upper(drift.target)[:2] == pytest.approx([0.62, 0.44])
    assert statuses("own bands", targets, 0.62, 0.38) == ["above", "within"]
    # Under a policy with a band of its own, the bounds can only narrow it.
    assert statuses("5pp", targets, 0.63, 0.37)[0] == "above"
    assert statuses("5pp", targets, 0.55, 0.45) == ["below", "above"]


def test_rows_of_the_walk_through() -> None:
    # S081: real estate is the only breach.
    (found,) = check(walkthrough(), parse_policy("5pp"))
    rows = found.rows()
    assert [(r["asset_class"], r["status"]) for r in rows] == [
        ("Stocks", "within"),
        ("Bonds", "within"),
        ("Real Estate", "below"),
    ]
    stocks = rows[0]
    assert [d["symbol"] for d in stocks["detail"]] == ["VTI", "VXUS"]
    assert sum(d["value"] for d in stocks["detail"]) == pytest.approx(stocks["value"])
    assert sum(d["weight"] for d in stocks["detail"]) == pytest.approx(stocks["weight"])


def test_cash_keeps_its_detail_whatever_the_model_calls_it() -> None:
    rows = [
        {"account": "A", "symbol": "VTI", "quantity": 95, "price": 1.0},
        {"account": "A", "symbol": "CASH", "kind": "cash", "quantity": 5, "price": 1.0},
    ]
    book = Book(
        holdings=classify(Holdings.from_rows(rows)),
        models={"": parse_targets("95% stocks, 5% Cash/USD")},
    )
    (found,) = check(book, parse_policy("5pp"))
    cash = found.rows()[-1]
    assert cash["asset_class"] == "Cash/USD"
    assert [d["symbol"] for d in cash["detail"]] == ["CASH"]


def test_checking_changes_nothing() -> None:
    book = walkthrough()
    before = {n: getattr(book.holdings, n).copy() for n in book.holdings.__slots__}
    (found,) = check(book, parse_policy("5/25"))
    frozen = found.drift.drift.copy()
    widths(parse_policy("5pp or 20%rel"), found.drift)
    breaches(replace(found.drift), found.widths, beyond=True)
    np.testing.assert_array_equal(found.drift.drift, frozen)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(book.holdings, name), column)
