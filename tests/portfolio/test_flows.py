"""The flows table: what is kept back, what is not, and slips that are named."""

from __future__ import annotations

import datetime as dt

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.flows import Flow, flow_notes, flows_from_rows, reserved

AS_OF = dt.date(2026, 11, 23)


def flow(days: int, amount: float, account: str = "A") -> Flow:
    return Flow(account=account, date=AS_OF + dt.timedelta(days=days), amount=amount)


def test_withdrawals_within_the_horizon_are_kept_back() -> None:
    flows = [flow(31, -5), flow(30, -4), flow(0, -3), flow(-1, -2), flow(5, 9), flow(1, -1, "B")]
    found = reserved(flows, as_of=AS_OF, horizon=30)
    assert {name: [f.amount for f in listed] for name, listed in found.items()} == {
        "A": [-3, -4],
        "B": [-1],
    }
    every = reserved(flows, as_of=None, horizon=30)
    assert sorted(f.amount for f in every["A"]) == [-5, -4, -3, -2]


def test_what_is_not_kept_back_is_said() -> None:
    flows = [flow(31, -5), flow(-1, -2), flow(5, 9)]
    notes = "\n".join(flow_notes(flows, as_of=AS_OF, horizon=30))
    assert "a deposit of 9.00 on 2026-11-28 is expected; it counts once it is there" in notes
    assert "1 flows are dated before 2026-11-23 and taken as done" in notes
    assert "1 withdrawals lie more than 30 days ahead" in notes
    (_, undated) = flow_notes(flows, as_of=None, horizon=30)
    assert "every withdrawal of the flows table is kept back" in undated


def test_bad_rows_are_reported_together() -> None:
    header = ["Account", "Date", "Amount", "Kind"]
    rows = [["A", "2026-11-30", "0", ""], ["A", "2026-11-30", "500", "RMD"]]
    read = tables.read_rows(tables.FLOWS, header, list(enumerate(rows, 2)), where="flows.csv")
    with pytest.raises(TableError) as caught:
        flows_from_rows(read)
    assert [str(fault).partition(";")[0] for fault in caught.value.faults] == [
        "flows.csv row 2, column amount: is zero",
        "flows.csv row 3, column amount: a RMD of 500.00 is money that leaves, and the amount is positive",
    ]
