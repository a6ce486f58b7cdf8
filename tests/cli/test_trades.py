"""`xl-rebal trades`: the document, the published plans, and every option."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAMPLES, TARGETS, Run

TRADE = ["account", "symbol", "action", "quantity", "price", "value", "cost", "reason"]
HALF_SPREAD = ("--costs", "half-spread 5bp, commission 0")
MIX = ("--targets", "60% stocks, 40% bonds")


def trades(xl: Run, *args: object) -> dict[str, Any]:
    document: dict[str, Any] = xl("trades", *args, "--json").document
    _check(document)
    return document


def _check(document: dict[str, Any]) -> None:
    """What DESIGN promises of every document: keys, types, and cash that adds up."""
    keys = ["trades", "cash_before", "cash_after", "total_cost", "drift_after", "verified"]
    assert list(document)[: len(keys)] == keys
    assert document["verified"] is True
    flow = sum(plan["flow"] for plan in document["plans"])
    cash = document["cash_before"] + flow - document["total_cost"]
    seen = set()
    for trade in document["trades"]:
        assert list(trade)[: len(TRADE)] == TRADE
        assert trade["action"] in {"BUY", "SELL"}
        assert trade["quantity"] > 0
        assert trade["value"] > 0
        assert trade["cost"] >= 0
        assert isinstance(trade["account"], str)
        assert isinstance(trade["symbol"], str)
        assert trade["reason"].strip()
        assert trade["value"] == pytest.approx(trade["quantity"] * trade["price"], abs=0.006)
        assert (trade["account"], trade["symbol"]) not in seen  # one net trade
        seen.add((trade["account"], trade["symbol"]))
        cash += trade["value"] if trade["action"] == "SELL" else -trade["value"]
    assert document["cash_after"] == pytest.approx(cash, abs=0.005)
    assert document["total_cost"] == pytest.approx(
        sum(t["cost"] for t in document["trades"]), abs=0.005
    )
    for account in {row["account"] for row in document["drift_after"]}:
        weights = [r["weight"] for r in document["drift_after"] if r["account"] == account]
        assert sum(weights) == pytest.approx(1)


def signed(document: dict[str, Any], account: str | None = None) -> dict[str, float]:
    return {
        t["symbol"]: t["quantity"] if t["action"] == "BUY" else -t["quantity"]
        for t in document["trades"]
        if account is None or t["account"] == account
    }


def test_the_walk_through_to_target(xl: Run, walk: Path) -> None:
    document = trades(xl, walk, "--targets", TARGETS, "--policy", "5pp", *HALF_SPREAD)
    assert len(document["trades"]) == 3
    assert signed(document) == {"VTI": -343, "BND": -397, "VNQ": 1236}  # D7: leaves +$69.85
    assert document["total_cost"] == pytest.approx(105, abs=1)  # S087
    assert 0 <= document["cash_after"] < 85
    assert document["cash_after"] == pytest.approx(69.85, abs=0.01)
    dollars = {r["asset_class"]: abs(r["drift"]) * 1_901_000 for r in document["drift_after"]}
    assert dollars["Stocks"] < 220
    assert dollars["Bonds"] < 75
    assert dollars["Real Estate"] < 85


def test_halfway_and_to_the_edge(xl: Run, walk: Path) -> None:
    halfway = trades(xl, walk, "--targets", TARGETS, "--policy", "5pp to halfway breached only")
    assert signed(halfway)["VNQ"] == 618  # half of $105,100
    edge = trades(xl, walk, "--targets", TARGETS, "--policy", "5pp to edge")
    # S086: $10,050 is the exact edge (118.2 shares); the first whole share inside is the 119th.
    assert signed(edge)["VNQ"] == 119


def test_the_ira(xl: Run) -> None:
    # S101 (D3): sell $64,000; buy $40,000 of bonds and $24,000 of the rest.
    ira = (SAMPLES / "fidelity_positions.csv", "--account", "Z11122233",
           "--targets", "50% stocks, 40% bonds, 10% real estate")  # fmt: skip
    document = trades(xl, *ira)
    found = {t["symbol"]: (t["action"], t["value"]) for t in document["trades"]}
    assert found == {
        "VTI": ("SELL", 64_000.0),
        "BND": ("BUY", 40_000.0),
        "VNQ": ("BUY", 24_000.0),
    }
    assert document["plans"][0]["deposit_to_restore"] == pytest.approx(128_000)  # S104
    deposit = trades(xl, *ira, "--flow", "128000")
    assert {t["action"] for t in deposit["trades"]} == {"BUY"}
    assert [r["drift"] for r in deposit["drift_after"][:3]] == pytest.approx([0, 0, 0], abs=1e-9)


def test_inside_the_bands_nothing_is_traded(xl: Run, walk: Path) -> None:
    for policy in ("6pp", "never", "annual and 6pp"):
        document = trades(xl, walk, "--targets", TARGETS, "--policy", policy)
        assert document["trades"] == []
        assert document["plans"][0]["triggered"] is False
        assert document["cash_after"] == document["cash_before"] == 0
    ran = xl("trades", walk, "--targets", TARGETS, "--policy", "6pp")
    assert "No trades." in ran.out


@pytest.mark.parametrize(
    ("as_of", "last", "due"),
    [
        ("2025-09-30", None, True),
        ("2025-09-29", None, False),
        ("2025-11-24", "2025-09-29", True),
        ("2025-11-24", "2025-09-30", False),
        ("2025-11-24", "2031-01-01", False),
    ],
)
def test_quarterly_looks_at_the_date_and_the_last_rebalancing(
    xl: Run, walk: Path, table, as_of: str, last: str | None, due: bool
) -> None:
    args: list[object] = [walk, "--targets", TARGETS, "--policy", "quarterly", "--as-of", as_of]
    if last is not None:
        args += ["--accounts", table("a.csv", f"account,last_rebalanced\nA,{last}\n")]
    document = trades(xl, *args)
    assert bool(document["trades"]) is due
    assert document["plans"][0]["why"].startswith("on the last trading day of each quarter: ")


def test_and_asks_for_both(xl: Run, walk: Path) -> None:
    args = (walk, "--targets", TARGETS, "--policy", "annual and 5pp", "--as-of")
    assert trades(xl, *args, "2025-12-31")["trades"]
    assert not trades(xl, *args, "2025-12-30")["trades"]


def test_without_a_date_a_calendar_rule_is_due_and_says_so(xl: Run, walk: Path) -> None:
    document = trades(xl, walk, "--targets", TARGETS, "--policy", "annual and 5pp")
    assert document["trades"]
    assert "taken as due because no date is known (--as-of)" in document["plans"][0]["why"]


def test_costs_are_said_even_when_there_are_none(xl: Run, walk: Path) -> None:
    free = trades(xl, walk, "--targets", TARGETS)
    assert free["costs"] == "no trading costs (all are zero)"
    assert free["total_cost"] == 0
    paid = trades(xl, walk, "--targets", TARGETS, "--costs", "spread 10bp, commission 4.95")
    half = sum(t["value"] for t in paid["trades"]) * 5e-4
    assert paid["total_cost"] == pytest.approx(half + 4.95 * len(paid["trades"]), abs=0.02)
    assert "no trading costs" in xl("trades", walk, "--targets", TARGETS).out


def test_a_flow_of_the_only_account(xl: Run, walk: Path) -> None:
    document = trades(xl, walk, "--targets", TARGETS, "--flow", "$105,200.00")
    assert signed(document) == {
        "VNQ": 1237
    }  # the money goes where it is missing, and nothing is sold
    assert document["plans"][0]["flow"] == 105_200
    out = trades(xl, walk, "--targets", TARGETS, "--flow", "-50000", "--policy", "never")
    assert {t["action"] for t in out["trades"]} == {"SELL"}
    assert out["cash_after"] >= 0


def test_a_flow_of_one_account_of_several(xl: Run, two: Path) -> None:
    document = trades(xl, two, *MIX, "--policy", "never", "--flow", "IRA:5000")
    assert {t["account"] for t in document["trades"]} == {"IRA"}
    assert [(p["account"], p["flow"]) for p in document["plans"]] == [("Taxable", 0), ("IRA", 5000)]
    both = trades(
        xl, two, *MIX, "--policy", "never", "--flow", "IRA:5000", "--flow", "Taxable:-2000"
    )
    assert [p["flow"] for p in both["plans"]] == [-2000, 5000]
    added = trades(xl, two, *MIX, "--policy", "never", "--flow", "IRA:5000", "--flow", "IRA:1000")
    assert added["plans"][1]["flow"] == 6000


def test_new_money_only_buys(xl: Run, two: Path) -> None:
    document = trades(
        xl, two, *MIX, "--flow-mode", "buy-only", "--account", "Taxable", "--flow", "10000"
    )
    assert signed(document) == {"BND": 100}


def test_accounts_follow_their_own_models_and_keep_their_reserves(
    xl: Run, two: Path, table
) -> None:
    models = table(
        "m.csv", "model,asset_class,target\nG,Stocks,80\nG,Bonds,20\nI,Stocks,40\nI,Bonds,60\n"
    )
    accounts = table("a.csv", "account,model,cash_reserve\nTaxable,G,0\nIRA,I,8000\n")
    document = trades(xl, two, "--targets", models, "--accounts", accounts)
    assert signed(document, "Taxable") == {"VTI": 100, "BND": -100}
    ira = next(p for p in document["plans"] if p["account"] == "IRA")
    assert ira["cash_after"] == pytest.approx(8000, abs=100)
    assert ira["cash_after"] >= 8000
    after = {r["asset_class"]: r for r in document["drift_after"] if r["account"] == "IRA"}
    assert after["Stocks"]["weight"] == pytest.approx(0.4, abs=0.002)
    same = trades(xl, two, *MIX, "--reserve", "3000", "--account", "IRA")
    assert same["cash_after"] >= 3000


def test_restrictions(xl: Run, walk: Path, table) -> None:
    rules = table("r.csv", "scope,rule,symbol\n*,never sell,VTI\nA,never_sell,bnd\n")
    found = signed(trades(xl, walk, "--targets", TARGETS, "--restrictions", rules))
    assert found == {"VXUS": -1300, "VNQ": 887}  # S086: 1,300 x $58 = $75,400 exactly
    table("s.csv", "symbol,tags\nVNQ,property\nVTI,us\n")
    tagged = table("r2.csv", "scope,rule,tag\n*,never_buy,Property\n")
    document = trades(
        xl,
        walk,
        "--targets",
        TARGETS,
        "--restrictions",
        tagged,
        "--securities",
        walk.parent / "s.csv",
    )
    assert "VNQ" not in signed(document)
    (left,) = [r for r in document["drift_after"] if r["asset_class"] == "Real Estate"]
    assert left["status"] == "below"
    assert left["cause"]


def test_a_substitute_is_bought_instead(xl: Run, walk: Path, table) -> None:
    rules = table("r.csv", "scope,rule,symbol,replacement\n*,substitute,VNQ,SCHH\n")
    priced = table("s.csv", "symbol,price\nSCHH,20\n")
    found = signed(
        trades(xl, walk, "--targets", TARGETS, "--restrictions", rules, "--securities", priced)
    )
    assert found["VNQ"] == -1000
    assert found["SCHH"] == pytest.approx(190_100 / 20, abs=1)


def test_rules_that_bind_nothing_are_said(xl: Run, walk: Path, table) -> None:
    rules = table("r.csv", "scope,rule,symbol\nB-7,never_sell,VTI\n*,never_sell,VTII\n")
    accounts = table("a.csv", "account,cash_reserve\nAA,5000\n")
    document = trades(
        xl, walk, "--targets", TARGETS, "--restrictions", rules, "--accounts", accounts
    )
    text = "\n".join(document["warnings"])
    assert "'B-7' is no account, household or model here" in text
    assert "VTII is not held" in text
    assert "the accounts table has no row for A" in text


def test_the_securities_table(xl: Run, walk: Path, table) -> None:
    # S080: inside the class, preference decides what is sold; symbols in any case.
    ranks = table("s.csv", "symbol,rank,quantity_step,spread_bps\nvti,1,,\nvxus,2,10,40\n")
    document = trades(xl, walk, "--targets", TARGETS, "--securities", ranks)
    (vxus,) = [t for t in document["trades"] if t["symbol"] == "VXUS"]
    assert "VTI" not in signed(document)
    assert vxus["quantity"] in {1300, 1310}  # the costs have to be paid from somewhere
    assert vxus["cost"] == pytest.approx(vxus["value"] * 20e-4)  # half of the quoted 40 bp


def test_limits(xl: Run, walk: Path) -> None:
    capped = trades(xl, walk, "--targets", TARGETS, "--max-turnover", "2%")
    assert capped["plans"][0]["turnover"] <= 0.02 + 1e-9
    assert sum(t["value"] for t in capped["trades"]) / 2 <= 0.02 * 1_901_000 + 0.01
    large = trades(xl, walk, "--targets", TARGETS, "--min-trade", "50000")
    assert all(t["value"] >= 50_000 for t in large["trades"])


def test_a_plan_leaves_nothing_for_a_second_one(xl: Run, walk: Path, table) -> None:
    first = trades(xl, walk, "--targets", TARGETS, "--policy", "now")
    held = {"VTI": 5000.0, "VXUS": 2000.0, "BND": 8000.0, "VNQ": 1000.0}
    price = {"VTI": 220, "VXUS": 58, "BND": 75, "VNQ": 85}
    for symbol, quantity in signed(first).items():
        held[symbol] += quantity
    rows = [f"A,{s},{q:g},{price[s]},position" for s, q in held.items()]
    rows.append(f"A,CASH,{first['cash_after']:.2f},1,cash")
    after = table("after.csv", "account,symbol,quantity,price,kind\n" + "\n".join(rows) + "\n")
    assert trades(xl, after, "--targets", TARGETS, "--policy", "now")["trades"] == []


def test_a_person_sees_trades_reasons_and_what_is_left(xl: Run, walk: Path) -> None:
    ran = xl("trades", walk, "--targets", TARGETS, *HALF_SPREAD)
    assert ran.code == 0
    for text in ("SELL", "VTI", "343", "75,460.00", "outside its band", "69.85 after", "verified"):
        assert text in ran.out
    assert ran.err == ""


def test_same_input_same_document(walk: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "xl_rebal",
        "trades",
        str(walk),
        "--targets",
        TARGETS,
        "--json",
    ]
    runs = [
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    _check(json.loads(runs[0].stdout))


def test_real_exports_give_verified_plans(xl: Run, shared_data: Path, table) -> None:
    classes = table("c.csv", "symbol,asset_class\nMETA,Stocks/US\nAMZN,Stocks/US\nAAPL,Stocks/US\n")
    brokers = shared_data / "brokers"
    for name, targets in {
        "schwab/finporter_All-Accounts-Positions-2021.csv": "80% stocks, 20% gold",
        "schwab/Intelligent-Positions-2020-08-25.CSV": "100% stocks",
        "fidelity/fidelity_17fields_pending_lower.csv": "90% stocks, 10% cash",
        "fidelity/audit_probe_fidelity.csv": "70% stocks, 30% cash",
        "vanguard/audit_probe_vanguard_two_tables.csv": "80% stocks, 20% cash",
    }.items():
        trades(xl, brokers / name, "--targets", targets, "--map", classes, *HALF_SPREAD)


def test_an_account_without_discretion_is_named(xl: Run, walk: Path, tmp_path: Path) -> None:
    table = tmp_path / "accounts.csv"
    table.write_text("account,discretionary\nA,no\n")
    document = trades(xl, walk, "--targets", TARGETS, "--accounts", table)
    assert any("account A is not discretionary" in text for text in document["warnings"])
