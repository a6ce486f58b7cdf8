"""Fund rules: what a cell may say, which row binds an account."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.fund_rules import (
    Closure,
    FundRule,
    fund_rules_from_rows,
    parse_closure,
    parse_cut_off,
    rule_for,
)

HEADER = [column.name for column in tables.FUND_RULES.columns]


def read(*rows: dict[str, Any]) -> tuple[FundRule, ...]:
    listed = [[row.get(name) for name in HEADER] for row in rows]
    named = tables.read_rows(
        tables.FUND_RULES, HEADER, list(enumerate(listed, 2)), where="rules.csv"
    )
    return fund_rules_from_rows(named)


@pytest.mark.parametrize("text", ["16:00 America/New_York", "4:00 pm ET", "4:00PM Eastern"])
def test_cut_offs(text: str) -> None:
    found = parse_cut_off(text)
    assert (found.time, found.zone) == (dt.time(16), "America/New_York")
    assert str(found) == "16:00 America/New_York"


@pytest.mark.parametrize("text", ["16:00", "25:00 ET", "4 pm ET", "16:00 Nowhere/City", "16:00 ."])
def test_cut_offs_without_time_or_zone_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="16:00 America/New_York"):
        parse_cut_off(text)


def test_closures() -> None:
    assert parse_closure("Yes") is Closure.MONEY
    assert parse_closure("new investors") is Closure.INVESTORS
    assert parse_closure("no") is Closure.OPEN
    with pytest.raises(ValueError, match="not known"):
        parse_closure("perhaps")


def test_a_row_is_read_whole() -> None:
    (rule,) = read(
        {"symbol": "VTSAX", "custodian": "schwab", "initial_minimum": "3,000",
         "subsequent_minimum": 1, "cut_off": "16:00 ET", "ticket_fee": "$49.95",
         "redemption_fee": "2%", "redemption_days": 60, "closed_to_new": "investors"}
    )  # fmt: skip
    assert rule == FundRule(
        symbol="VTSAX", custodian="schwab", initial_minimum=3000.0, subsequent_minimum=1.0,
        cut_off=parse_cut_off("16:00 ET"), ticket_fee=49.95, redemption_fee=0.02,
        redemption_days=60, closed_to_new=Closure.INVESTORS,
    )  # fmt: skip


def test_bad_rows_are_reported_together() -> None:
    with pytest.raises(TableError) as caught:
        read(
            {"symbol": "A", "cut_off": "noon", "initial_minimum": -1},
            {"symbol": "B", "redemption_fee": 0.02},
            {"symbol": "C", "redemption_fee": 0.02, "redemption_days": 1.5},
            {"symbol": "D"},
            {"symbol": "d", "custodian": "*"},
        )
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "rules.csv row 2, column cut_off",
        "rules.csv row 2, column initial_minimum",
        "rules.csv row 3, column redemption_fee",
        "rules.csv row 4, column redemption_days",
        "rules.csv row 6, column symbol",
    ]


def test_the_custodians_own_row_binds_before_the_general_one() -> None:
    rules = (FundRule(symbol="A"), FundRule(symbol="A", custodian="Schwab"))
    assert rule_for(rules, custodian="schwab", symbol="a") is rules[1]
    assert rule_for(rules, custodian="fidelity", symbol="A") is rules[0]
    assert rule_for(rules, custodian="", symbol="A") is rules[0]
    assert rule_for(rules[1:], custodian="fidelity", symbol="A") is None
    assert rule_for(rules, custodian="schwab", symbol="B") is None


def test_a_rule_in_words_tells_all_its_terms() -> None:
    rule = FundRule(
        symbol="VTSAX",
        custodian="schwab",
        initial_minimum=3000.0,
        kept_minimum=1000.0,
        cut_off=parse_cut_off("4:00 pm ET"),
        ticket_fee=20.0,
        redemption_fee=0.02,
        redemption_days=60,
        closed_to_new=Closure.INVESTORS,
    )
    assert rule.in_words() == (
        "VTSAX at schwab: first purchase from 3,000.00, what a partial sale leaves from 1,000.00, ticket fee "
        "20.00, redemption fee 2% up to 60 days, orders by 16:00 America/New_York, closed to new investors"
    )
    assert FundRule(symbol="X").in_words() == "X: no terms"
