"""The household report: sound, the same each time, and in Calc its sums follow the plan's values."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import SAMPLES
from tests.household.books import COUPLE, TODAY, book, bought, request, security
from tests.libreoffice import CalcSession
from tests.workbooks.sheets import all_cells, calc_rows, changed, places, saved_rows, write
from xl_rebal.cli.household_inputs import HouseholdOptions, plan_households
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.accounts import Account
from xl_rebal.workbooks.household_report import Addressed, build_household_report
from xl_rebal.workbooks.source import ReportSource

SOURCE = ReportSource(name="book", custodian="", as_of_text="2026-11-25", price_time="")
Made = tuple[HouseholdPlan, HouseholdBook, HouseholdRequest]


def made(source: HouseholdBook, asked: HouseholdRequest, household: str = "") -> Made:
    return plan_household(source, asked, household), source, asked


def built(each: Made, addressed: Addressed | None = None) -> bytes:
    plan, source, asked = each
    who = addressed or Addressed()
    return build_household_report(
        plan, source, asked, source=SOURCE, addressed=who, version="1.2.3"
    )


def sample() -> Made:
    options = HouseholdOptions(
        book=SAMPLES / "household",
        policy="3pp",
        costs="half-spread 5bp",
        harvest=45_000.0,
        gains_budget=0.0,
    )
    planned = plan_households(options)
    return planned.plans[0], planned.source, planned.request


def washed() -> Made:
    """A wait, a flow, a reserve, a held-away account, cash to raise, an account number with wildcards."""
    source = book(
        accounts=[
            Account(account="T*?", type="taxable", tax_profile="couple", cash_reserve=500.0),
            Account(account="ira", type="traditional"),
            Account(account="away", type="roth", held_away=True),
        ],
        cash={"T*?": 3_000.0, "ira": 0.0, "away": 10.0},
        held=[
            ("T*?", "VTI", 300.0),
            ("T*?", "VXUS", 400.0),
            ("ira", "VTI", 200.0),
            ("ira", "BND", 100.0),
            ("away", "BND", 50.0),
        ],
        securities=[
            security("VTI", "Stocks/US", 300.0),
            security("VXUS", "Stocks/International", 75.0),
            security("BND", "Bonds/US", 75.0),
        ],
        targets="60% stocks, 40% bonds",
        lots=[
            ("T*?", "VTI", TODAY.replace(year=2015), 120.0, 90.0),
            ("T*?", "VTI", TODAY.replace(year=2020), 180.0, 250.0),
            ("T*?", "VXUS", TODAY.replace(year=2019), 400.0, 80.0),
        ],
        profiles=[COUPLE],
        history=(bought("ira", "VXUS", TODAY.replace(day=10), 5.0, 75.0),),
    )
    asked = request("5pp", costs=0.0005, flows={"ira": 2_000.0}, cash_need=1_500.0)
    return made(source, asked)


def at_rest() -> Made:
    """Nothing asks for a trade."""
    source = book(
        accounts=[Account(account="ira", type="traditional")],
        cash={"ira": 0.0},
        held=[("ira", "VTI", 60.0), ("ira", "BND", 160.0)],
        securities=[security("VTI", "Stocks/US", 300.0), security("BND", "Bonds/US", 75.0)],
        targets="60% stocks, 40% bonds",
    )
    return made(source, request("5pp"))


def many_orders() -> Made:
    """So many accounts that there are more orders than a letter has lines."""
    names = [f"ira {i}" for i in range(1, 33)]
    source = book(
        accounts=[Account(account=name, type="traditional") for name in names],
        cash=dict.fromkeys(names, 0.0),
        held=[row for name in names for row in ((name, "VTI", 100.0), (name, "BND", 20.0))],
        securities=[security("VTI", "Stocks/US", 300.0), security("BND", "Bonds/US", 75.0)],
        targets="50% stocks, 50% bonds",
    )
    return made(source, request("5pp"))


CASES = {"sample": sample, "washed": washed, "at rest": at_rest, "many orders": many_orders}


@pytest.mark.parametrize("name", CASES)
def test_recalculating_changes_nothing_and_every_sum_agrees(
    calc: CalcSession, tmp_path: Path, shared: Path, name: str
) -> None:
    data = built(CASES[name](), Addressed(client="=1+1", adviser="Anna & <Co>"))
    path = write(tmp_path, data)
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with calc.open(path) as opened:
        before = all_cells(opened)
        opened.recalculate()
        after = all_cells(opened)
        assert changed(before, after) == []
        assert sum(cell.kind == "formula" for cell in after.values()) > 100
        assert {r["Result"] for r in calc_rows(opened, places(data)["tblChecks"])} == {"ok"}
        assert opened.value("Letter", "A2") == "Anna & <Co>"
        assert opened.value("Letter", "A4") == "=1+1"
        assert opened.value("Letter", "A1") in (None, "")


def test_the_same_plan_makes_the_same_bytes() -> None:
    assert built(washed()) == built(washed())


def test_what_the_sheets_say_is_the_plan() -> None:
    plan, source, asked = washed()
    data = built((plan, source, asked))
    location = saved_rows(data, "tblLocation")
    for each in plan.classes:
        row = next(r for r in location if r["Asset class"] == each.asset_class)
        # Reserves, and cash that is raised but not paid out yet, are in the accounts.
        kept = 500.0 + 1_500.0 if each.asset_class == "Cash" else 0.0
        assert row["All after"] == pytest.approx(each.value_after + kept, abs=0.01)
    cash = {r["Account"]: r for r in saved_rows(data, "tblCash")}
    for result in plan.accounts:
        assert cash[result.account]["Cash after"] == pytest.approx(
            result.cash_after + result.raised, abs=0.005
        )
    lines = saved_rows(data, "tblLines")
    assert sum(float(str(r["Gain"])) for r in lines) == pytest.approx(
        sum(sale.gain for sale in plan.lot_sales), abs=0.01 * len(lines)
    )
    letter = load_workbook(io.BytesIO(data), data_only=True)["Letter"]
    texts = "\n".join(str(c.value) for row in letter.iter_rows() for c in row if c.value)
    assert "Nothing was sold at a loss" in texts
    assert "a purchase of the last 30 days would make it a wash sale" in texts
    assert "safe to take from 2026-12-11" in texts  # bought 2026-11-10, 30 days, and one
    assert "away is held away" in texts.replace("Account ", "").replace("account ", "")


def test_a_planted_change_of_a_value_is_noticed(calc: CalcSession, tmp_path: Path) -> None:
    data = built(sample())
    plan = places(data)["tblPlan"]
    with calc.open(write(tmp_path, data)) as opened:
        opened.set_value("Plan", plan.cell("Value", 1), 999_999.0)
        opened.recalculate()
        checks = {r["Check"]: r["Result"] for r in calc_rows(opened, places(data)["tblChecks"])}
        assert checks["Purchases on the sheets against the plan's figure"] == "CHECK"
        assert checks["Accounts that would be overdrawn, or go below their reserve"] == "CHECK"
        assert str(opened.value("Letter", "A1")).startswith("NOT TO BE SENT")


def test_orders_that_do_not_fit_the_letter_are_counted() -> None:
    plan, source, asked = many_orders()
    assert len(plan.trades) > 20
    letter = load_workbook(io.BytesIO(built((plan, source, asked))), data_only=True)["Letter"]
    texts = [str(c.value) for row in letter.iter_rows() for c in row if c.value]
    assert f"{len(plan.trades) - 14} more orders stand on sheet Plan." in texts
    assert texts.count("Sell") + texts.count("Buy") == 14


def test_a_letter_of_nothing_says_so() -> None:
    letter = load_workbook(io.BytesIO(built(at_rest())), data_only=True)["Letter"]
    texts = [str(c.value) for row in letter.iter_rows() for c in row if c.value]
    assert "There is nothing to sell or buy." in texts
    assert "Nothing asks for trades." in texts


def test_every_sheet_prints_on_one_page(tmp_path: Path, render_pages: Any) -> None:
    data = built(many_orders())
    sheets = load_workbook(io.BytesIO(data)).sheetnames
    assert "Letter" in sheets
    assert len(render_pages(write(tmp_path, data), tmp_path / "pages")) == len(sheets)


def test_a_sale_at_a_loss_names_its_safe_day_and_who_must_wait() -> None:
    plan, source, asked = sample()
    (buyback,) = plan.buybacks
    assert (buyback.symbol, str(buyback.safe_from)) == ("VXUS", "2026-12-26")
    assert plan.saving is not None
    assert plan.saving.total == pytest.approx(plan.comparison[0].tax_now - plan.tax_added)
    assert plan.saving.in_words() in plan.notes
    other = replace(plan, saving=None)
    assert built((other, source, asked)) != built((plan, source, asked))
