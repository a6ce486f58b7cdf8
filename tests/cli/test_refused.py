"""One account that cannot be planned: the others' trades, the reason told everywhere, `--strict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Run

MIX = ("--targets", "60% stocks, 40% bonds")
TOO_MUCH = ("--flow", "IRA:-500000")


def test_the_others_are_planned_and_the_reason_is_said(xl: Run, two: Path) -> None:
    ran = xl("trades", two, *MIX, *TOO_MUCH, "--json")
    document: dict[str, Any] = ran.document
    assert {t["account"] for t in document["trades"]} == {"Taxable"}
    assert [plan["account"] for plan in document["plans"]] == ["Taxable"]
    (refused,) = document["refused"]
    assert list(refused) == ["account", "reason"]
    assert refused["account"] == "IRA"
    assert "a withdrawal of 500,000.00 leaves nothing of the 100,000.00" in refused["reason"]
    assert "withdraw less" in refused["reason"]
    assert f"refused: {refused['reason']}" in ran.err
    assert "1 account was not planned" in ran.err


def test_the_trades_of_the_others_are_what_they_are_without_it(xl: Run, two: Path) -> None:
    found = xl("trades", two, *MIX, *TOO_MUCH, "--json").document
    alone = xl("trades", two, *MIX, "--account", "Taxable", "--json").document
    assert found["trades"] == alone["trades"]
    assert alone["refused"] == []


@pytest.mark.parametrize("more", [("--strict",), ("--account", "IRA")])
def test_strict_and_a_book_of_one_are_refused_whole(xl: Run, two: Path, more: tuple[str]) -> None:
    ran = xl("trades", two, *MIX, *TOO_MUCH, *more, "--json")
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.startswith("error: flows, account IRA: a withdrawal of 500,000.00")


def test_refused_when_no_account_can_be_planned(xl: Run, two: Path) -> None:
    ran = xl("trades", two, *MIX, *TOO_MUCH, "--flow", "Taxable:-500000")
    assert ran.code == 1
    assert ran.err.count("error: ") == 2


def test_bad_rows_still_refuse_the_run(xl: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("account,symbol,quantity,price\nA,VTI,1,100\nB,BND,x,100\n")
    ran = xl("trades", path, *MIX)
    assert ran.code == 1
    assert "'x'" in ran.err


def test_a_debt_of_one_account_stops_no_other(xl: Run, tmp_path: Path) -> None:
    """Its weights have no meaning; `report` shows it, and on the screen nothing of it passes for a weight."""
    path = tmp_path / "debt.csv"
    path.write_text(
        "account,symbol,quantity,price,asset_class\nA,VTI,700,100,\nA,BND,300,100,\n"
        "Debt,VTI,10,100,\nDebt,CASH,-9000,1,Cash\n"
    )
    out = tmp_path / "report.xlsx"
    ran = xl("report", path, *MIX, "--out", out)
    assert ran.code == 0, ran.err
    assert "refused: account Debt: its value less the reserve is negative" in ran.err
    assert "Weight base: 100,000.00" in ran.out
    assert "Debt" not in ran.out
    book = load_workbook(out, data_only=True)
    assert "Refused" in book.sheetnames
    facts = {row[1]: row[2] for row in book["Summary"].iter_rows(values_only=True) if row[1]}
    assert facts["Refused"] == "1 of 2 accounts could not be planned: see sheet Refused"


def test_a_debt_of_one_account_does_not_hide_the_drift_of_the_others(
    xl: Run, tmp_path: Path
) -> None:
    path = tmp_path / "debt.csv"
    path.write_text(
        "account,symbol,quantity,price,asset_class\nA,VTI,700,100,\nA,BND,300,100,\n"
        "Debt,VTI,10,100,\nDebt,CASH,-9000,1,Cash\n"
    )
    alone = xl("drift", path, *MIX, "--account", "A", "--json").document
    ran = xl("drift", path, *MIX, "--json")
    (refused,) = ran.document["refused"]
    assert refused["account"] == "Debt"
    assert "its value less the reserve is negative (-8,000.00)" in refused["reason"]
    assert refused["reason"] in ran.err
    assert ran.document["rows"] == alone["rows"]
    assert ran.document["total"] == alone["total"] == 100_000
    assert alone["refused"] == []
    summary = xl("drift", path, *MIX, "--summary", "--json").document
    assert summary["accounts"] == 1
    assert [each["account"] for each in summary["refused"]] == ["Debt"]
    ran = xl("drift", path, *MIX, "--account", "Debt")
    assert ran.code == 1
    assert ran.err.startswith("error: account Debt: its value")


def test_a_debt_of_one_account_does_not_hide_the_shock_of_the_others(
    xl: Run, tmp_path: Path
) -> None:
    book = tmp_path / "book.csv"
    book.write_text(
        "account,symbol,quantity,price\nIn Debt,VTI,10,100\nIn Debt,CASH,-5000,1\nB,VTI,700,100\n"
        "B,BND,300,100\n"
    )
    ran = xl(
        "shock", book, "--targets", "60% stocks, 40% bonds", "--returns", "stocks -20%", "--json"
    )
    assert {row["account"] for row in ran.document["rows"]} == {"B"}
    (refused,) = ran.document["refused"]
    assert refused["account"] == "In Debt"
    assert "-4,000.00" in refused["reason"]
    assert "1 account was not measured; the others are" in ran.err


def test_compare_quotes_each_account_its_own_refusal(xl: Run, two: Path) -> None:
    ran = xl("trades", two, *MIX, *TOO_MUCH, "--compare", "--json")
    rows = json.loads(ran.out)["alternatives"]
    for row in rows:
        if row["account"] == "Taxable":
            assert row["refused"] is None
            assert row["verified"]
        else:
            assert "IRA" in row["refused"]
