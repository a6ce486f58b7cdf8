"""The accounts table."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio.accounts import Account, PlanMode, Relationship, accounts_from_rows


def row(line: int = 2, **cells: Any) -> dict[str, Any]:
    return {"table": "a.csv", "row": line, **cells}


def test_what_is_left_out_takes_its_default() -> None:
    assert accounts_from_rows([row(account="A")]) == {"A": Account(account="A")}
    blank = Account(account="A")
    assert (blank.cash_reserve, blank.discretionary, blank.held_away) == (0.0, True, False)


def test_a_whole_row() -> None:
    found = accounts_from_rows(
        [
            row(
                account="A",
                household="Smith",
                type="Roth",
                model="Growth",
                cash_reserve=2500.0,
                held_away=True,
                last_rebalanced=dt.date(2026, 1, 2),
            )
        ]
    )["A"]
    assert (found.household, found.model, found.cash_reserve) == ("Smith", "Growth", 2500.0)
    assert found.held_away
    assert found.last_rebalanced == dt.date(2026, 1, 2)


def test_every_bad_row_is_named() -> None:
    with pytest.raises(TableError) as caught:
        accounts_from_rows(
            [
                row(account="A", type="taxble", cash_reserve=-1.0),
                row(3, account="B"),
                row(4, account="B"),
                row(5, account="C", relationship="cousin"),
            ]
        )
    assert [str(f) for f in caught.value.faults] == [
        "a.csv row 2, column type: 'taxble' is not known; use one of taxable, traditional, roth, "
        "hsa, exempt",
        "a.csv row 2, column cash_reserve: is negative; enter zero or more",
        "a.csv row 4, column account: B stands twice; keep one row",
        "a.csv row 5, column relationship: 'cousin' is not known; use one of self, spouse, minor child, "
        "adult child, other, or leave it blank",
    ]


def test_a_relationship_may_be_written_in_several_ways() -> None:
    read = accounts_from_rows(
        [row(account="A", relationship="Minor_Child"), row(3, account="B", relationship=" ")]
    )
    assert read["A"].relationship is Relationship.MINOR_CHILD
    assert read["B"].relationship is None


def test_a_client_has_a_name_a_policy_and_a_mode_of_its_own() -> None:
    row = {
        "row": 2,
        "account": "A",
        "client": "Robin Miller",
        "policy": "3pp",
        "plan_mode": "Pro rata",
    }
    account = accounts_from_rows([row])["A"]
    assert (account.client, account.policy) == ("Robin Miller", "3pp")
    assert account.plan_mode is PlanMode.PRO_RATA
    assert accounts_from_rows([{"row": 2, "account": "A"}])["A"].plan_mode is None


def test_a_policy_or_mode_that_is_not_understood_names_its_cell() -> None:
    rows = [
        {"row": 2, "account": "A", "plan_mode": "by feel"},
        {"row": 3, "account": "B", "policy": "about 5"},
    ]
    with pytest.raises(TableError) as error:
        accounts_from_rows(rows)
    assert [fault.where for fault in error.value.faults] == [
        "accounts row 2, column plan_mode",
        "accounts row 3, column policy",
    ]
    assert "household_tax" in error.value.faults[0].remedy
