"""`xl-rebal drift`: the document, and every option that changes it."""

from __future__ import annotations

import json
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAMPLES, TARGETS, Run

ROW = [
    "account", "asset_class", "value", "weight", "target", "drift", "relative_drift", "lower",
    "upper", "status",
]  # fmt: skip
IRA = "50% stocks, 40% bonds, 10% real estate"


def drift(xl: Run, *args: object) -> dict[str, Any]:
    document: dict[str, Any] = xl("drift", *args, "--json").document
    return document


def by_class(document: dict[str, Any], account: str | None = None) -> dict[str, dict[str, Any]]:
    return {
        row["asset_class"]: row
        for row in document["rows"]
        if account is None or row["account"] == account
    }


def test_the_document_has_the_keys_of_the_design(xl: Run, walk: Path) -> None:
    document = drift(xl, walk, "--targets", TARGETS, "--policy", "5pp")
    assert list(document)[:4] == ["total", "policy", "breached", "rows"]
    assert document["total"] == pytest.approx(1_901_000)
    assert document["breached"] == [{"account": "A", "asset_class": "Real Estate"}]
    for row in document["rows"]:
        assert list(row)[: len(ROW)] == ROW
        assert isinstance(row["account"], str)
        assert row["status"] in {"within", "above", "below"}
        for name in ("value", "weight", "target", "drift", "lower", "upper"):
            assert isinstance(row[name], float)
        assert row["drift"] == pytest.approx(row["weight"] - row["target"])
        assert row["relative_drift"] == pytest.approx(row["drift"] / row["target"])
        assert isinstance(row["detail"], list)


def test_the_walk_through(xl: Run, walk: Path) -> None:
    rows = by_class(drift(xl, walk, "--targets", TARGETS, "--policy", "5pp"))
    assert list(rows) == ["Stocks", "Bonds", "Real Estate"]
    assert [round(r["weight"], 5) for r in rows.values()] == [0.63966, 0.31562, 0.04471]
    assert [round(r["drift"], 5) for r in rows.values()] == [0.03966, 0.01562, -0.05529]
    assert [(r["lower"], r["upper"]) for r in rows.values()] == [
        pytest.approx(p) for p in ((0.55, 0.65), (0.25, 0.35), (0.05, 0.15))
    ]
    assert [d["symbol"] for d in rows["Stocks"]["detail"]] == ["VTI", "VXUS"]


def test_one_document_on_stdout_and_nothing_else(walk: Path) -> None:
    # As another program runs it: a fresh process, stdout a pipe.
    command = [sys.executable, "-m", "xl_rebal", "drift", str(walk), "--targets", TARGETS, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["total"] == pytest.approx(1_901_000)
    assert ran.stdout.endswith("}\n")


@pytest.mark.parametrize(
    ("policy", "breached"),
    [
        ("5pp", ["Stocks", "Bonds"]),  # bonds at exactly -5 pp: reached
        ("5%", ["Stocks", "Bonds"]),
        ("5pp beyond", ["Stocks"]),
        ("5/25", ["Stocks", "Bonds", "Real Estate"]),
        ("20%rel", ["Real Estate"]),
        ("10% of target", ["Stocks", "Bonds", "Real Estate"]),
        ("annual and 5pp", ["Stocks", "Bonds"]),
        ("annual", []),
        ("never", []),
    ],
)
def test_the_ira_under_different_policies(xl: Run, policy: str, breached: list[str]) -> None:
    args = (SAMPLES / "fidelity_positions.csv", "--account", "Z11122233", "--targets", IRA)
    document = drift(xl, *args, "--policy", policy)
    assert document["total"] == pytest.approx(800_000)
    assert [row["drift"] for row in document["rows"]] == pytest.approx([0.08, -0.05, -0.03])
    assert [b["asset_class"] for b in document["breached"]] == breached
    if policy in {"annual", "never"}:
        assert {row["lower"] for row in document["rows"]} == {None}


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("5%", "5 percentage points"),
        ("20%rel", "20% of the target"),
        ("5/25", "the smaller of 5 percentage points and 25% of the target"),
        ("quarterly or 5pp", "on the last trading day of each quarter, or when"),
        ("annual and 5pp to halfway", "halfway from the current weight to the target"),
        ("monthly on first day", "on the first trading day of each month"),
        ("every 10 days", "every 10 trading days"),
        ("never", "Never rebalance."),
    ],
)
def test_the_policy_is_echoed_in_words(xl: Run, walk: Path, policy: str, words: str) -> None:
    assert words in drift(xl, walk, "--targets", TARGETS, "--policy", policy)["policy"]
    assert words in " ".join(
        xl("drift", walk, "--targets", TARGETS, "--policy", policy).out.split()
    )


def test_each_account_is_a_portfolio_of_its_own(xl: Run, two: Path) -> None:
    document = drift(xl, two, "--targets", "60% stocks, 40% bonds")
    assert document["total"] == pytest.approx(200_000)
    assert [(r["account"], r["asset_class"]) for r in document["rows"]] == [
        ("Taxable", "Stocks"),
        ("Taxable", "Bonds"),
        ("IRA", "Stocks"),
        ("IRA", "Bonds"),
        ("IRA", "Cash"),
    ]
    assert [b["account"] for b in document["breached"]] == ["Taxable", "Taxable", "IRA"]


def test_together_they_are_one(xl: Run, two: Path) -> None:
    document = drift(xl, two, "--targets", "60% stocks, 40% bonds", "--together")
    assert {r["account"] for r in document["rows"]} == {"All accounts"}
    rows = by_class(document)
    assert rows["Stocks"]["weight"] == pytest.approx(0.60)
    assert rows["Bonds"]["weight"] == pytest.approx(0.35)
    assert rows["Cash"]["weight"] == pytest.approx(0.05)
    assert rows["Cash"]["relative_drift"] is None
    assert rows["Cash"]["status"] == "within"


def test_one_account_of_several(xl: Run, two: Path) -> None:
    document = drift(xl, two, "--targets", "60% stocks, 40% bonds", "--account", "IRA")
    assert {r["account"] for r in document["rows"]} == {"IRA"}
    both = drift(
        xl, two, "--targets", "60% stocks, 40% bonds", "--account", "IRA", "--account", "Taxable"
    )
    assert len(both["rows"]) == 5


def test_a_reserve_is_kept_out_of_the_weights(xl: Run, two: Path, table) -> None:
    mix = ("--targets", "60% stocks, 40% bonds", "--account", "IRA")
    rows = by_class(drift(xl, two, *mix, "--reserve", "10000"))
    assert list(rows) == ["Stocks", "Bonds"]  # no cash is left to speak of
    assert rows["Stocks"]["weight"] == pytest.approx(50 / 90)
    accounts = table("a.csv", 'account,cash_reserve\nIRA,"$10,000"\nTaxable,0\n')
    assert by_class(drift(xl, two, *mix, "--accounts", accounts)) == rows


def test_together_keeps_only_the_reserves_of_the_accounts_at_hand(
    xl: Run, two: Path, table
) -> None:
    accounts = table("a.csv", "account,reserve\nIRA,4000\nTaxable,6000\nOther,50000\n")
    args = (two, "--targets", "60% stocks, 40% bonds", "--accounts", accounts, "--together")
    assert drift(xl, *args)["total"] == pytest.approx(190_000)
    assert drift(xl, *args, "--account", "IRA")["total"] == pytest.approx(96_000)


def test_models_per_account(xl: Run, two: Path, table) -> None:
    models = table(
        "m.csv",
        "Model,Asset Class,Weight\nGrowth,Stocks,70\nGrowth,Bonds,30\nIncome,Stocks,50%\n"
        "Income,Bonds,40%\nIncome,Cash,10%\n",
    )
    accounts = table("a.csv", "account,model\nTaxable,Growth\nIRA,Income\n")
    document = drift(xl, two, "--targets", models, "--accounts", accounts)
    assert document["breached"] == []
    assert [row["drift"] for row in document["rows"]] == pytest.approx([0] * 5, abs=1e-12)
    assert by_class(document, "IRA")["Cash"]["target"] == pytest.approx(0.10)


def test_the_users_map_comes_before_the_shipped_table(xl: Run, walk: Path, table) -> None:
    classes = table("c.csv", "symbol,asset_class\nVNQ,Stocks/US\n")
    rows = by_class(drift(xl, walk, "--targets", "70% stocks, 30% bonds", "--map", classes))
    assert rows["Stocks"]["value"] == pytest.approx(1_301_000)
    table("s.csv", "symbol,asset_class\nVNQ,Alternatives\n")
    args = (
        "--targets",
        "60% stocks, 30% bonds, 10% alts",
        "--securities",
        classes.parent / "s.csv",
    )
    assert by_class(drift(xl, walk, *args))["Alternatives"]["value"] == pytest.approx(85_000)


def test_targets_may_name_symbols_and_levels(xl: Run, walk: Path) -> None:
    rows = by_class(
        drift(xl, walk, "--targets", "40% vti, 20% stocks/international, 30% BND, 10% VNQ")
    )
    assert list(rows) == ["VTI", "Stocks/International", "BND", "VNQ"]
    assert rows["VTI"]["weight"] == pytest.approx(0.57864, abs=1e-5)
    assert rows["Stocks/International"]["weight"] == pytest.approx(0.06102, abs=1e-5)


@pytest.mark.parametrize(
    "cells",
    [("60", "30", "10"), ("0.6", "0.3", "0.1"), ("60%", "30%", "10%"), ("60 %", "30%", "10.0%")],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx"])
def test_a_targets_file_in_any_unit_and_format(
    xl: Run, walk: Path, tmp_path: Path, cells: tuple[str, ...], suffix: str
) -> None:
    path = tmp_path / f"targets.{suffix}"
    rows = [
        ["Asset class", "Target"],
        *map(list, zip(("stocks", "bonds", "reits"), cells, strict=True)),
    ]
    if suffix == "xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for name, cell in rows:
            number = cell.replace(".", "", 1).isdigit()
            sheet.append([name, float(cell) if number else cell])
        book.save(path)
    else:
        mark = "," if suffix == "csv" else "\t"
        path.write_text("\n".join(mark.join(row) for row in rows))
    found = by_class(drift(xl, walk, "--targets", path))
    assert {n: r["target"] for n, r in found.items()} == pytest.approx(
        {"Stocks": 0.6, "Bonds": 0.3, "Real Estate": 0.1}
    )


def test_bands_of_a_models_own_are_used_and_echoed(xl: Run, walk: Path, table) -> None:
    path = table(
        "t.csv",
        "asset_class,target,band_abs,band_rel\nStocks,60%,3pp,\nBonds,30%,,\nReal Estate,10%,0.06,60%\n",
    )
    document = drift(xl, walk, "--targets", path, "--policy", "5pp")
    rows = by_class(document)
    assert [(r["lower"], r["upper"]) for r in rows.values()] == [
        pytest.approx(p) for p in ((0.57, 0.63), (0.25, 0.35), (0.04, 0.16))
    ]
    assert [r["status"] for r in rows.values()] == ["above", "within", "within"]
    assert "Bands from the targets table: Stocks 3 pp, Real Estate 6 pp." in document["policy"]


def test_two_currencies_with_a_rate(xl: Run, table) -> None:
    held = table(
        "h.csv",
        "account,symbol,quantity,price,currency,fx,asset_class\n"
        "A,VTI,10,100,USD,1,Stocks\nA,BUND,10,50,EUR,1.2,Bonds\n",
    )
    document = drift(xl, held, "--targets", "60% stocks, 40% bonds")
    assert document["total"] == pytest.approx(1_600)


def test_the_date_comes_from_the_option_the_file_or_is_unknown(xl: Run, walk: Path) -> None:
    args = ("--targets", TARGETS)
    assert drift(xl, walk, *args)["as_of"] == "unknown"
    assert drift(xl, walk, *args, "--as-of", "2026-11-23")["as_of"] == "2026-11-23"
    assert drift(xl, SAMPLES / "schwab_positions.csv", *args)["as_of"] == "2026-11-20"


def test_rows_in_another_order_change_no_number(xl: Run, walk: Path, table) -> None:
    lines = walk.read_text().splitlines()
    shuffled = table("other.csv", "\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    one, two = (drift(xl, path, "--targets", TARGETS) for path in (walk, shuffled))
    for row in one["rows"] + two["rows"]:
        row["detail"] = sorted(row["detail"], key=lambda d: d["symbol"])
    assert one == two


def test_a_person_sees_the_table(xl: Run, walk: Path) -> None:
    ran = xl("drift", walk, "--targets", TARGETS)
    assert ran.code == 0
    for text in ("1,901,000.00", "63.97%", "+3.97 pp", "-5.53 pp", "below", "Real Estate"):
        assert text in ran.out


def test_real_multi_account_export(xl: Run, shared_data: Path) -> None:
    path = shared_data / "brokers/schwab/finporter_All-Accounts-Positions-2021.csv"
    document = drift(xl, path, "--targets", "80% stocks, 20% gold", "--policy", "5/25")
    rows = {(r["account"], r["asset_class"]): r for r in document["rows"]}
    # Its own figures: 10 VOO at 211 and 50 IAU at 111, with 42.82 in cash.
    total = 2_110 + 5_550 + 42.82
    assert rows["XXXX-5678", "Commodities/Gold"]["weight"] == pytest.approx(5_550 / total)
    assert rows["XXXX-5678", "Stocks"]["status"] == "below"
    for account in ("XXXX-1234", "XXXX-5678"):
        assert sum(
            r["weight"] for r in document["rows"] if r["account"] == account
        ) == pytest.approx(1)


def test_the_summary_ranks_the_breaches_of_all_accounts(xl: Run, two: Path) -> None:
    found = drift(xl, two, "--targets", "60% stocks, 40% bonds", "--policy", "5pp", "--summary")
    assert list(found)[:7] == [
        "total", "policy", "accounts", "asking", "short_of_cash", "breached", "estimates",
    ]  # fmt: skip
    assert found["total"] == pytest.approx(200_000)
    assert (found["accounts"], found["asking"]) == (2, ["Taxable", "IRA"])
    ranked = [(r["account"], r["asset_class"], round(r["drift"], 4)) for r in found["breached"]]
    assert ranked == [
        ("Taxable", "Stocks", 0.1), ("Taxable", "Bonds", -0.1), ("IRA", "Stocks", -0.1),
    ]  # fmt: skip
    assert [r["excess"] for r in found["breached"]] == pytest.approx([0.05] * 3)
    assert [(r["account"], r["action"], r["symbol"], r["quantity"]) for r in found["estimates"]] == [
        ("Taxable", "SELL", "VTI", 100), ("Taxable", "BUY", "BND", 100), ("IRA", "BUY", "VTI", 100),
    ]  # fmt: skip
    assert "no plan" in found["note"]
    # The same breaches as the long document lists.
    full = drift(xl, two, "--targets", "60% stocks, 40% bonds", "--policy", "5pp")
    key = itemgetter("account", "asset_class")
    assert sorted(map(key, found["breached"])) == sorted(map(key, full["breached"]))


def test_the_summary_on_screen_says_that_estimates_are_no_plan(xl: Run, two: Path) -> None:
    options = ("--targets", "60% stocks, 40% bonds", "--policy", "5pp", "--summary")
    printed = " ".join(xl("drift", two, *options).out.split())
    assert "2 of 2 accounts ask for a plan" in printed
    assert "Outside the band" in printed
    assert "estimates are no plan" in printed
    quiet = xl("drift", two, *options[:2], "--policy", "50pp", "--summary").out
    assert "0 of 2 accounts ask for a plan" in quiet
    assert "Outside the band" not in quiet
