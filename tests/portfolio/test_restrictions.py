"""Restrictions: whom they bind, and rows that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.restrictions import Restriction, Rule, restrictions_from_rows, scopes_of


def row(line: int = 2, **cells: Any) -> dict[str, Any]:
    return {"table": "r.csv", "row": line, **cells}


def applies(restriction: Restriction, **changes: Any) -> bool:
    who = {"account": "A-1", "household": "Smith", "model": "Growth", "type": "roth", **changes}
    return restriction.applies(Account(**who), symbol="VTI", tags=frozenset({"us"}))


@pytest.mark.parametrize("scope", ["*", "all", "ALL", "everyone", "A-1", "a-1", "smith", "growth"])
def test_a_scope_is_everyone_an_account_a_household_or_a_model(scope: str) -> None:
    assert applies(Restriction(scope=scope, rule=Rule.NEVER_BUY, symbol="VTI"))


@pytest.mark.parametrize("scope", ["A-2", "Jones", "A", ""])
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


def test_a_rule_for_some_types_of_account_leaves_the_others_alone() -> None:
    rule = Restriction(
        scope="*", rule=Rule.NEVER_BUY, symbol="VTI", account_types=frozenset({"taxable"})
    )
    assert applies(rule, type="taxable")
    assert applies(rule, type="Taxable")
    assert applies(rule, type="")  # an account without a type is taxable
    assert not applies(rule, type="roth")
    assert rule.in_words() == "never_buy VTI for all taxable accounts"
    both = Restriction(
        scope="Smith", rule=Rule.SUBSTITUTE, tag="corporate", replacement="MUB",
        account_types=frozenset({"hsa", "taxable"}),
    )  # fmt: skip
    assert both.in_words() == (
        "substitute tag corporate for Smith in taxable, hsa accounts (buy MUB instead)"
    )


def test_types_of_account_are_read_and_checked() -> None:
    cells: dict[str, Any] = {"scope": "Smith", "rule": "never_buy", "symbol": "VTI"}
    (found,) = restrictions_from_rows([row(**cells, account_types=frozenset({"taxable", "hsa"}))])
    assert found.account_types == {"taxable", "hsa"}
    with pytest.raises(TableError, match=r"row 2, column account_types: 'tax free' is no type"):
        restrictions_from_rows([row(**cells, account_types=frozenset({"tax free"}))])


@pytest.mark.parametrize(
    ("word", "rule"),
    [("sell if held", Rule.NEVER_HOLD), ("Sell-if-held", Rule.NEVER_HOLD), ("do not buy", Rule.NEVER_BUY),
     ("no sell", Rule.NEVER_SELL)],
)  # fmt: skip
def test_other_words_for_a_rule(word: str, rule: Rule) -> None:
    (found,) = restrictions_from_rows([row(scope="*", rule=word, symbol="VTI")])
    assert found.rule is rule


def test_the_scopes_of_an_account() -> None:
    found = scopes_of(Account(account="A-1", household="Smith", model="Growth"))
    assert {"a-1", "smith", "growth", "*", "all"} <= found
    assert "" not in scopes_of(Account(account="A-1"))
