"""Plans outside the workbook: whole, tamper-evident, of this version, and not kept for ever."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.excel.macro_books import client
from xl_rebal.excel import plan_store
from xl_rebal.excel.book_inputs import Inputs, asked, differences, read_inputs
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.plan_store import PlanStoreError, StoredPlan, load, save
from xl_rebal.rebalance import rebalance
from xl_rebal.trading.checks import check_plans
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.plan import CashDay, Cause, NotDone
from xl_rebal.trading.proof import Proof


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return read_inputs(FileWorkbook(client(tmp_path_factory.mktemp("client"))))


@pytest.fixture(scope="module")
def plan(inputs: Inputs) -> StoredPlan:
    what = asked(inputs)
    made = rebalance(what.book, what.request)
    return StoredPlan(
        inputs=inputs,
        plans=made.plans,
        locked=frozenset({("70001111", "VTI")}),
        edits=("x: a → b",),
    )


def test_a_plan_comes_back_whole_and_passes_the_verifier(plan: StoredPlan, tmp_path: Path) -> None:
    name = save(plan, tmp_path)
    found = load(name, tmp_path)
    assert found == plan
    assert found.plan_id == name
    what = asked(found.inputs)
    assert check_plans(what.book, what.request.policy, found.plans, what.request.limits) == ()
    assert sum(1 for _ in found.trades()) > 3
    if os.name == "posix":
        assert (tmp_path / f"{name}.json").stat().st_mode & 0o077 == 0


def test_nothing_of_a_plan_is_lost_or_loses_its_type(plan: StoredPlan, tmp_path: Path) -> None:
    first = plan.plans[0]
    trade = replace(
        first.trades[0],
        order_type=OrderType.LIMIT,
        limit_price=74.5,
        time_in_force=TimeInForce.GTC,
    )
    odd = replace(
        first,
        trades=(trade,),
        remarks=("a remark",),
        cash_days=(
            CashDay(
                when="T+1", opening=1.0, arriving=0.0, sells=0.0, buys=0.0, fees=0.0, flows=0.0,
                closing=1.0,
            ),
        ),
        not_done=(
            NotDone(
                account="a", asset_class="", symbol="", cause=Cause.CLOSED, drift_pp=0.5, what="w"
            ),
        ),
        proof=Proof(optimal=False, stage="trades", gap=2.0),
    )  # fmt: skip
    stored = replace(plan, plans=(odd,))
    found = load(save(stored, tmp_path), tmp_path)
    assert found == stored
    assert found.plans[0].proof.words == "not proven: at most 2 trades fewer might do"
    assert found.plans[0].not_done[0].cause is Cause.CLOSED
    assert found.plans[0].trades[0].order_type is OrderType.LIMIT


def test_the_name_is_the_content(plan: StoredPlan, tmp_path: Path) -> None:
    name = save(plan, tmp_path)
    assert save(plan, tmp_path) == name
    assert save(replace(plan, edits=()), tmp_path) != name
    path = tmp_path / f"{name}.json"
    text = path.read_text()
    for old, new in (('"quantity": ', '"quantity": 1'), ("70001111", "70001112"), ("5pp", "6pp")):
        assert old in text
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(PlanStoreError, match="was changed after it was saved"):
            load(name, tmp_path)


def test_plans_from_elsewhere_say_so(plan: StoredPlan, tmp_path: Path) -> None:
    with pytest.raises(PlanStoreError, match="not kept on this computer"):
        load("0123456789abcdef", tmp_path)
    for bad in ("", "../../etc/passwd", "0123456789ABCDEF", "removed for sharing"):
        with pytest.raises(PlanStoreError, match=r"is no plan id|is blank"):
            load(bad, tmp_path)
    document = {**plan.document(), "version": "0.0.1"}
    text = json.dumps(document, sort_keys=True)
    name = plan_store._hash(text)
    (tmp_path / f"{name}.json").write_text(text)
    with pytest.raises(PlanStoreError, match=r"was made by xl_rebal 0\.0\.1, this is"):
        load(name, tmp_path)


def test_old_plans_go(plan: StoredPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_store, "KEEP_PLANS", 3)
    names = [save(replace(plan, edits=(str(number),)), tmp_path) for number in range(5)]
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert (tmp_path / f"{names[-1]}.json").exists()
    mine = tmp_path / "notes.json"
    mine.write_text("not a plan")
    for path in tmp_path.glob("*.json"):
        os.utime(path, (1, 1))
    last = save(replace(plan, edits=("last",)), tmp_path)
    assert {path.stem for path in tmp_path.glob("*.json")} == {last, "notes"}


def test_the_folder_is_named_by_argument_then_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan_store.folder(tmp_path) == tmp_path
    monkeypatch.setenv(plan_store.FOLDER_VARIABLE, str(tmp_path / "env"))
    assert plan_store.folder() == tmp_path / "env"
    monkeypatch.delenv(plan_store.FOLDER_VARIABLE)
    assert plan_store.folder().name == "plans"
    assert "xl_rebal" in str(plan_store.folder())


def test_differences_name_the_cell(inputs: Inputs) -> None:
    tables = {name: [list(row) for row in grid] for name, grid in inputs.tables.items()}
    tables["tblHoldings"][1][5] = 5100.0
    tables["tblTargets"][2][1] = 0.25
    tables["tblCosts"] = tables["tblCosts"][:-1]
    changed = Inputs(tables=tables, as_of=inputs.as_of)
    assert changed.fingerprint != inputs.fingerprint
    assert differences(inputs, changed) == [
        "tblHoldings row 2: Quantity 5000 → 5100",
        "tblTargets row 3: Target 0.3 → 0.25",
        "tblCosts has other rows or columns (2 → 1 rows)",
    ]
    assert differences(inputs, inputs) == []
    assert Inputs.from_json(inputs.to_json(), None).fingerprint == inputs.fingerprint
