"""Order files: exact text or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.excel.macro_books import client, ran, rows, set_cells
from xl_rebal.errors import PlanError
from xl_rebal.excel.book_inputs import asked
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.order_file import order_csv, quantity_text
from xl_rebal.excel.plan_store import StoredPlan, load
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.workbooks import template_example


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> StoredPlan:
    folder = tmp_path_factory.mktemp("client")
    done = ran("generate_trades", FileWorkbook(client(folder)), folder)
    return load(done.document["plan_id"], folder / "plans")


def renamed(plan: StoredPlan, old: str, **new: Any) -> StoredPlan:
    return replace(
        plan,
        plans=tuple(
            replace(
                each,
                trades=tuple(
                    replace(t, **new) if old in (t.account, t.symbol) else t for t in each.trades
                ),
            )
            for each in plan.plans
        ),
    )


def test_the_file_is_what_the_plan_says(plan: StoredPlan) -> None:
    text = order_csv(plan, plan.plan_id, asked(plan.inputs).book).decode()
    header, *lines = text.splitlines()
    assert header == ("account,symbol,action,quantity,order_type,limit_price,time_in_force,plan_id")
    assert text.endswith("\n")
    for line, trade in zip(lines, plan.trades(), strict=True):
        whole = f"{trade.quantity:.0f}"
        assert line == (
            f"{trade.account},{trade.symbol},{trade.action},{whole},MARKET,,DAY,{plan.plan_id}"
        )


def test_the_templates_invented_account_gets_no_orders(plan: StoredPlan) -> None:
    invented = renamed(plan, "70001111", account=template_example.ACCOUNT)
    with pytest.raises(PlanError, match="invented account of the template"):
        order_csv(invented, "x", asked(plan.inputs).book)


def test_orders_are_priced_and_timed_as_the_plan_says(plan: StoredPlan) -> None:
    kinds = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC, "limit_price": 221.5}
    text = order_csv(renamed(plan, "70001111", **kinds), "x", asked(plan.inputs).book).decode()
    lines = [line for line in text.splitlines() if line.startswith("70001111,")]
    assert lines
    assert all(line.endswith(",LIMIT,221.5,GTC,x") for line in lines)


@pytest.mark.parametrize("account", ["...632", "XXXX-4321", "****632", "•••632"])
def test_masked_accounts_are_refused(plan: StoredPlan, account: str) -> None:
    with pytest.raises(PlanError, match=r"shows only its last digits.*full account number"):
        order_csv(renamed(plan, "70001111", account=account), "x", asked(plan.inputs).book)


@pytest.mark.parametrize("account", ["1234-5678", "U1234567", "70001111", "Z12-345678"])
def test_full_account_numbers_are_not_taken_for_masked_ones(plan: StoredPlan, account: str) -> None:
    data = order_csv(renamed(plan, "70001111", account=account), "x", asked(plan.inputs).book)
    assert f"\n{account},".encode() in data


@pytest.mark.parametrize("symbol", ["=VTI", "+VTI", "-VTI", "@VTI", "VTI\n", " VTI", "\tVTI", ""])
def test_texts_that_would_not_stay_text_are_refused(plan: StoredPlan, symbol: str) -> None:
    sold = next(plan.trades()).symbol
    with pytest.raises(PlanError, match="would not keep as text"):
        order_csv(renamed(plan, sold, symbol=symbol), "x", asked(plan.inputs).book)


def test_an_empty_plan_makes_no_file(plan: StoredPlan) -> None:
    quiet = replace(plan, plans=tuple(replace(each, trades=()) for each in plan.plans))
    with pytest.raises(PlanError, match="has no trades"):
        order_csv(quiet, "x", asked(plan.inputs).book)


@given(st.integers(1, 10**7), st.sampled_from([1.0, 0.001, 0.01, 0.1, 5.0, 100.0]))
def test_whole_steps_carry_no_float_noise(steps: int, step: float) -> None:
    text = quantity_text(steps * step, step)
    assert "e" not in text.casefold()
    assert float(text) == pytest.approx(steps * step, rel=1e-12)
    assert len(text.partition(".")[2]) <= 3


def test_quantities() -> None:
    assert quantity_text(0.1 + 0.2, 0.1) == "0.3"
    assert quantity_text(1234.5678, 1.0) == "1234.5678"  # a full liquidation
    assert quantity_text(1e7, 1.0) == "10000000"
    # A large fund position: the fraction is held, and one step more would be sold short.
    assert quantity_text(5_000_000.0056, 0.01) == "5000000.0056"
    assert quantity_text(1200.0, 100.0) == "1200"


def test_a_masked_account_stops_the_whole_way_and_can_be_mended(tmp_path: Path) -> None:
    path = client(tmp_path)
    book = FileWorkbook(path)

    def masked(found: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**r, "Account": "...111"} if r["Account"] == "70001111" else r for r in found]

    set_cells(book, "tblHoldings", masked)
    ran("generate_trades", book, tmp_path)
    out = tmp_path / "orders.csv"
    with pytest.raises(PlanError, match=r"account \.\.\.111"):
        ran("export_orders", book, tmp_path, file=out)
    assert not out.exists()
    assert rows(book, "tblPlanTrades")
