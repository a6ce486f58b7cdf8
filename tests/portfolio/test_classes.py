"""Asset classes: one class has many spellings, and a target covers all below it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.portfolio import classes


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("stocks", "Stocks"),
        ("Stocks", "Stocks"),
        ("STOCKS", "Stocks"),
        ("equities", "Stocks"),
        ("Equities", "Equities"),  # the user's own word stays, and means the same
        ("fixed income", "Bonds"),
        ("real  estate", "Real Estate"),
        ("real estate", "Real Estate"),
        ("us stocks", "Stocks/US"),
        ("stocks/us", "Stocks/US"),
        ("Stocks / US", "Stocks/US"),
        ("Stocks > US > Large", "Stocks/US/Large"),
        ("Stocks\\US", "Stocks/US"),
        ("/Stocks//US/", "Stocks/US"),
        ("gold", "Commodities/Gold"),
        ("cash and equivalents", "Cash"),
        ("private credit", "Private credit"),
        ("529 plan", "529 plan"),
        ("", ""),
    ],
)
def test_a_class_is_spelled_one_way(typed: str, spelled: str) -> None:
    assert classes.clean(typed) == spelled


@pytest.mark.parametrize(
    ("target", "held", "covered"),
    [
        ("Stocks", "Stocks/US/Large", True),
        ("Stocks", "Stocks", True),
        ("stocks", "STOCKS/us", True),
        ("Equities", "Stocks/US", True),
        ("US Stocks", "Stocks/US/Small", True),
        ("Stocks/US", "Stocks", False),
        ("Stocks/US", "Stocks/International", False),
        ("Stock", "Stocksmart", False),
        ("Stocks/U", "Stocks/US", False),  # a path's parts are whole words
        ("Bonds", "Stocks", False),
    ],
)
def test_a_target_covers_its_own_path_and_all_below(target: str, held: str, covered: bool) -> None:
    assert classes.covers(target, held) is covered


def test_the_longest_path_takes_the_holding() -> None:
    targets = ["Stocks/US", "Stocks/International", "Bonds"]
    assert classes.find_target("Stocks/US/Small", targets) == "Stocks/US"
    assert classes.find_target("Bonds/US/Treasury", targets) == "Bonds"
    assert classes.find_target("Stocks/Frontier", targets) is None


def test_one_word_takes_a_class_further_down_only_when_nothing_else_claims_it() -> None:
    assert classes.find_target("Commodities/Gold", ["Gold", "Stocks"]) == "Gold"
    assert classes.find_target("Commodities/Silver", ["Gold", "Stocks"]) is None
    # Two targets could mean it: nothing is guessed.
    assert classes.find_target("Stocks/US/Small", ["Small", "US"]) is None


def test_cash_and_excluded_are_known_in_every_spelling() -> None:
    assert all(classes.is_cash(name) for name in ("Cash", "cash", "money market", "Cash/USD"))
    assert not classes.is_cash("Cashews")
    assert classes.is_excluded("unmanaged")
    assert classes.is_excluded("Excluded/Legacy stock")


_PATHS = st.lists(
    st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
).map("/".join)


@given(_PATHS)
def test_cleaning_twice_changes_nothing(path: str) -> None:
    assert classes.clean(classes.clean(path)) == classes.clean(path)


@given(_PATHS, _PATHS)
def test_covering_is_antisymmetric(one: str, two: str) -> None:
    if classes.covers(one, two) and classes.covers(two, one):
        assert classes.key(one) == classes.key(two)
    assert classes.covers(one, f"{one}/{two}") or classes.key(f"{one}/{two}") != f"{one}/{two}"
