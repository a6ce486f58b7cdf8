"""Restrictions: whom they bind, and rows that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio.restrictions import Restriction, Rule, restrictions_from_rows


def row(line: int = 2, **cells: Any) -> dict[str, Any]:
    return {"table": "r.csv", "row": line, **cells}


def applies(restriction: Restriction, **changes: Any) -> bool:
    where = {"account": "A-1", "household": "Smith", "symbol": "VTI", "tags": frozenset({"us"})}
    return restriction.applies(**{**where, **changes})


@pytest.mark.parametrize("scope", ["*", "all", "ALL", "everyone", "A-1", "a-1", "smith"])
def test_a_scope_is_everyone_an_account_or_a_household(scope: str) -> None:
    assert applies(Restriction(scope=scope, rule=Rule.NEVER_BUY, symbol="VTI"))


@pytest.mark.parametrize("scope", ["A-2", "Jones", "A"])
def test_others_are_not_bound(scope: str) -> None:
    assert not applies(Restriction(scope=scope, rule=Rule.NEVER_BUY, symbol="VTI"))


def test_an_account_without_a_household_matches_no_blank_scope() -> None:
    blank = Restriction(scope="", rule=Rule.NEVER_BUY, symbol="VTI")
    assert not applies(blank, household="")


def test_a_symbol_or_a_tag() -> None:
    assert applies(Restriction(scope="*", rule=Rule.NEVER_SELL, symbol="vti"))
    assert not applies(Restriction(scope="*", rule=Rule.NEVER_SELL, symbol="VTIP"))
    assert applies(Restriction(scope="*", rule=Rule.NEVER_HOLD, tag="us"))
    assert not applies(Restriction(scope="*", rule=Rule.NEVER_HOLD, tag="tobacco"))


def test_rows_as_people_write_them() -> None:
    found = restrictions_from_rows(
        [
            row(scope="*", rule="Never buy", symbol="VNQ"),
            row(3, scope="A-1", rule="never-sell", tag="Legacy"),
            row(4, scope="Smith", rule="SUBSTITUTE", symbol="VNQ", replacement="SCHH"),
        ]
    )
    assert [r.rule for r in found] == [Rule.NEVER_BUY, Rule.NEVER_SELL, Rule.SUBSTITUTE]
    assert found[1].tag == "legacy"
    assert [r.in_words() for r in found] == [
        "never_buy VNQ for all accounts",
        "never_sell tag legacy for A-1",
        "substitute VNQ for Smith (buy SCHH instead)",
    ]


def test_every_bad_row_is_named() -> None:
    with pytest.raises(TableError) as caught:
        restrictions_from_rows(
            [
                row(scope="*", rule="never_by", symbol="VNQ"),
                row(3, scope="*", rule="never_buy"),
                row(4, scope="*", rule="never_buy", symbol="VNQ", tag="us"),
                row(5, scope="*", rule="substitute", symbol="VNQ"),
                row(6, scope="*", rule="never_buy", symbol="VNQ", replacement="SCHH"),
            ]
        )
    assert [f.where for f in caught.value.faults] == [
        "r.csv row 2, column rule",
        "r.csv row 3, column symbol",
        "r.csv row 4, column symbol",
        "r.csv row 5, column replacement",
        "r.csv row 6, column replacement",
    ]
    assert "never_buy, never_sell, never_hold, substitute" in str(caught.value)
