"""Sheets Benefit, Bands and Shock: the engine's numbers as native formulas, and edits that they follow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.libreoffice import CalcSession
from tests.workbooks.books import SCENARIOS, SOURCE, plan, risk_of, walk_rows
from tests.workbooks.sheets import all_cells, calc_rows, changed, places, saved_rows, write
from xl_rebal.alternatives import benefit_of
from xl_rebal.band_table import band_rows
from xl_rebal.rebalance import Rebalancing
from xl_rebal.risk.asked import RiskAsked
from xl_rebal.shock_table import shock_drifts, shock_rows
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.report import build_report

NAMES = ["walk-through", "several accounts", "withdrawal", "many kinds", "refused accounts"]


def built(result: Rebalancing, risk: RiskAsked) -> bytes:
    return build_report(result, SOURCE, version="1.2.3", risk=risk)


@pytest.mark.parametrize("name", NAMES)
def test_saved_values_are_the_engines(name: str) -> None:
    result = SCENARIOS[name]()
    risk = risk_of(result)
    data = built(result, risk)
    assert findings(data) == []
    assert risk.covariance is not None
    worth = {row["Account"]: row for row in saved_rows(data, "tblBenefit")}
    assert list(worth) == [plan.account for plan in result.plans]
    for each in result.plans:
        found = benefit_of(each, risk.covariance, risk.investor)
        row = worth[each.account]
        assert row["Variance before"] == pytest.approx(found.variance_before, abs=1e-15)
        assert row["Gross benefit"] == pytest.approx(found.gross, abs=1e-6)
        assert row["Net benefit"] == pytest.approx(found.net, abs=1e-6)
    bands = saved_rows(data, "tblAdjustedBands")
    policy = result.request.policy
    for name_, model in result.book.models.items():
        for wanted in band_rows(model, policy, risk.covariance.of(model.classes)):
            row = next(
                r
                for r in bands
                if r["Asset class"] == wanted["asset_class"] and r["Model"] in {name_, "Targets"}
            )
            for header, key in (
                ("Lower", "lower"),
                ("Equal frequency lower", "equal_frequency_lower"),
                ("Equal frequency upper", "equal_frequency_upper"),
                ("Equal risk lower", "equal_risk_lower"),
                ("Equal risk upper", "equal_risk_upper"),
            ):
                assert (row[header] or None) == pytest.approx(wanted[key] or None), (header, row)
    shocks = {(r["Account"], r["Asset class"]): r for r in saved_rows(data, "tblShock")}
    for wanted in shock_rows(shock_drifts(result.book, result.drifts, policy, risk.returns)):
        row = shocks[wanted["account"], wanted["asset_class"]]
        assert row["Value after"] == pytest.approx(wanted["value_after"])
        assert row["Weight after"] == pytest.approx(wanted["weight_after"] or 0.0)
        assert row["Status after"] == wanted["status_after"]


@pytest.mark.parametrize("name", NAMES)
def test_recalculating_changes_nothing(calc: CalcSession, tmp_path: Path, name: str) -> None:
    result = SCENARIOS[name]()
    with calc.open(write(tmp_path, built(result, risk_of(result)))) as book:
        before = all_cells(book)
        book.recalculate()
        assert changed(before, all_cells(book)) == []


def figure(row: dict[str, float | str | None], header: str) -> float:
    value = row[header]
    assert isinstance(value, float)
    return value


def test_edited_covariances_returns_and_choices_move_the_numbers(
    calc: CalcSession, tmp_path: Path
) -> None:
    result = plan(walk_rows())
    risk = risk_of(result)
    data = built(result, risk)
    found = places(data)

    def cell(table: str, header: str, line: int) -> tuple[str, str]:
        place = found[table]
        return place.sheet, place.cell(header, line)

    with calc.open(write(tmp_path, data)) as book:
        before = calc_rows(book, found["tblBenefit"])[0]
        book.set_value(*cell("tblRiskSettings", "Value", 0), 6.0)
        book.set_value(*cell("tblCovariances", "With 1", 0), 4 * 0.16**2)
        book.set_value(*cell("tblReturns", "Return", 0), 0.0)
        book.set_value(*cell("tblReturns", "Return", 2), 0.0)
        book.recalculate()
        after = calc_rows(book, found["tblBenefit"])[0]
        assert figure(after, "Variance before") > figure(before, "Variance before")
        gross = 0.5 * 6 * (figure(after, "Variance before") - figure(after, "Variance after"))
        gross *= figure(after, "Value") * risk.investor.horizon
        assert figure(after, "Gross benefit") == pytest.approx(gross)
        for row in calc_rows(book, found["tblShock"]):
            assert figure(row, "Weight after") == pytest.approx(figure(row, "Weight"))
        assert book.value("Summary", "C8") == "Plan is current"


def test_no_sheet_without_its_option() -> None:
    result = plan(walk_rows())
    risk = risk_of(result)
    only_shock: dict[str, Any] = {"returns": risk.returns}
    names = load_workbook(io.BytesIO(built(result, RiskAsked(**only_shock)))).sheetnames
    assert "Shock" in names
    assert "Benefit" not in names
    names = load_workbook(
        io.BytesIO(built(result, RiskAsked(covariance=risk.covariance)))
    ).sheetnames
    assert {"Benefit", "Bands"} <= set(names)
    assert "Shock" not in names
