"""`xl-rebal household` on the sample book: the document, the screen, the refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from tests.cli.conftest import SAMPLES, Run

BOOK = SAMPLES / "household"
COSTS = ("--policy", "3pp", "--costs", "half-spread 5bp")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BOOK, tmp_path / "book"))


def test_the_document(xl: Run) -> None:
    document = xl(
        "household", BOOK, *COSTS, "--harvest", "45000", "--gains-budget", "0", "--json"
    ).document
    assert document["verified"] is True
    assert {
        "household",
        "account",
        "symbol",
        "action",
        "quantity",
        "price",
        "value",
        "cost",
        "reason",
    } <= set(document["trades"][0])
    assert all(t["quantity"] > 0 and t["value"] > 0 for t in document["trades"])
    assert sum(lot["gain"] for lot in document["lots"]) == pytest.approx(-45_000.0)
    (household,) = document["households"]
    assert household["household"] == "couple"
    assert household["gap_bp"] <= 0.3
    assert [row["approach"] for row in household["comparison"]] == [
        "naive", "account by account", "HIFO, losses first", "ours",
    ]  # fmt: skip
    assert document["tax_added"] == pytest.approx(-720.0)  # 3,000 deducted at 24%
    assert sum(row["weight"] for row in household["drift_after"]) == pytest.approx(1.0)
    assert household["buy_back"] == [
        {
            "account": "JOINT",
            "symbol": "VXUS",
            "sold": "2026-11-25",
            "safe_from": "2026-12-26",
            "basis_known": True,
        }
    ]


def test_the_workbook_holds_the_plan_and_is_not_overwritten(xl: Run, tmp_path: Path) -> None:
    out = tmp_path / "plan.xlsx"
    names = ("--client", "Ann and Bob", "--adviser", "Roe & Co")
    ran = xl("household", BOOK, *COSTS, "--harvest", "45000", "--out", out, *names, "--json")
    document = ran.document
    assert document["workbook"] == str(out)
    book = load_workbook(out, data_only=True)
    assert book.sheetnames == [
        "Summary", "Plan", "Taxes", "Location", "Letter", "Plan figures", "Plan notes",
        "Plan classes", "Workings",
    ]  # fmt: skip
    letter = [str(c.value) for row in book["Letter"].iter_rows() for c in row if c.value]
    assert {"Ann and Bob", "Roe & Co"} < set(letter)
    amounts = [c.value for row in book["Taxes"].iter_rows() for c in row]
    assert document["tax_added"] in amounts
    again = xl("household", BOOK, *COSTS, "--out", out)
    assert again.code == 1
    assert "--overwrite" in again.err
    before = out.read_bytes()
    assert xl("household", BOOK, *COSTS, "--out", out, "--overwrite").code == 0
    assert out.read_bytes() != before  # without the harvest it is another plan


def test_a_workbook_of_several_households_is_refused(xl: Run, copy: Path, tmp_path: Path) -> None:
    accounts = copy / "accounts.csv"
    accounts.write_text(accounts.read_text().replace("401K,couple", "401K,other"))
    out = tmp_path / "plan.xlsx"
    ran = xl("household", copy, "--out", out)
    assert ran.code == 1
    assert "name one with --household" in ran.err
    assert not out.exists()
    assert xl("household", copy, "--household", "couple", "--out", out).code == 0


def test_best_mode_is_not_worse(xl: Run) -> None:
    fast, best = (
        xl("household", BOOK, *COSTS, "--mode", mode, "--json").document["households"][0]
        for mode in ("fast", "best")
    )
    assert sum(best["objective"].values()) <= sum(fast["objective"].values()) + 1e-6


def test_a_workbook_is_a_book_too(xl: Run, tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for file in sorted(BOOK.glob("*.csv")):
        sheet = workbook.create_sheet(file.stem)
        for line in file.read_text().splitlines():
            sheet.append([float(c) if c.replace(".", "").isdigit() else c for c in line.split(",")])
    path = tmp_path / "book.xlsx"
    workbook.save(path)
    one = xl("household", path, *COSTS, "--json").document
    other = xl("household", BOOK, *COSTS, "--json").document
    assert one["trades"] == other["trades"]


def test_the_screen_names_lots_ways_and_the_proof(xl: Run) -> None:
    shown = xl("household", BOOK, *COSTS, "--cash-need", "30000")
    assert shown.code == 0, shown.err
    for words in (
        "Lots sold",
        "Ways to do it",
        "HIFO",
        "deferral",
        "Verified",
        "of cash to raise",
        "bought back before 2026-12-26",
    ):
        assert words in shown.out
    assert "without the table history" in shown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--household", "nobody"), "households are: couple"),
        (("--harvest", "900000"), "losses of 900,000.00 are realised"),
        (("--as-of", "soon"), "--as-of"),
        (("--drift-price", "dear"), "--drift-price"),
        (("--flow", "IRA:-900000"), "cash of account IRA"),
        (("--costs", "impact 50bp"), "impact"),
        (("--out", "plan.pdf"), "is no name for a workbook"),
        (("--out", "nowhere/plan.xlsx"), "does not exist"),
    ],
)
def test_what_cannot_be_is_refused(xl: Run, arguments: tuple[str, ...], words: str) -> None:
    ran = xl("household", BOOK, "--policy", "3pp", *arguments)
    assert ran.code == 1
    assert ran.out == ""
    assert words in ran.err.replace("\n", " ")


def test_a_book_s_faults_are_named_together(xl: Run, copy: Path) -> None:
    lots = (copy / "lots.csv").read_text().replace("2015-03-02,1500", "2027-03-02,1400")
    (copy / "lots.csv").write_text(lots)
    (copy / "tax_profiles.csv").write_text(
        "tax_profile,year,ordinary,long_term,niit\nother,2026,24%,15%,0\n"
    )
    ran = xl("household", copy)
    assert ran.code == 1
    for words in ("2027-03-02", "add up to 2,400", "'couple' has no row in tax_profiles"):
        assert words in ran.err.replace("\n", " ")


def test_an_unknown_account_type_is_named_with_the_faults_of_the_lots(xl: Run, copy: Path) -> None:
    accounts = (copy / "accounts.csv").read_text().replace(",taxable,", ",taxble,")
    (copy / "accounts.csv").write_text(accounts)
    lots = (copy / "lots.csv").read_text().replace("2015-03-02,1500", "2027-03-02,1400")
    (copy / "lots.csv").write_text(lots)
    ran = xl("household", copy)
    assert ran.code == 1
    said = " ".join(ran.err.split())
    for words in (
        "column type: 'taxble' is not known; use one of taxable",
        "2027-03-02 is after",
        "add up to 2,400 units, 2,500 are held",
        "correct the lots or the position",
    ):
        assert words in said


@pytest.mark.parametrize("command", ["household", "harvest"])
@pytest.mark.parametrize("kind", ["folder", "workbook"])
def test_all_four_kinds_of_bad_lots_are_named_together(
    xl: Run, copy: Path, tmp_path: Path, command: str, kind: str
) -> None:
    """Missing basis, a day to come, lots that do not add up, an account of no known type: in one answer."""
    accounts = (copy / "accounts.csv").read_text().replace(",roth,", ",rot,")
    (copy / "accounts.csv").write_text(accounts)
    lots = (copy / "lots.csv").read_text().replace("2015-03-02,1500", "2027-03-02,1400")
    (copy / "lots.csv").write_text(lots.replace("3000,90", "3000,"))
    book = copy
    if kind == "workbook":
        book = tmp_path / "book.xlsx"
        with pd.ExcelWriter(book) as writer:
            for file in sorted(copy.glob("*.csv")):
                pd.read_csv(file).to_excel(writer, sheet_name=file.stem, index=False)
    ran = xl(command, book)
    assert ran.code == 1
    said = " ".join(ran.err.split())
    for words in (
        "unit_cost: is blank",
        "2027-03-02 is after",
        "add up to 2,400",
        "'rot' is not known",
    ):
        assert words in said


def test_holdings_that_cannot_be_read_are_not_taken_for_none(xl: Run, copy: Path) -> None:
    holdings = (
        (copy / "holdings.csv").read_text().replace("JOINT,VTI,2500,300", "JOINT,VTI,2500,-3")
    )
    (copy / "holdings.csv").write_text(holdings)
    ran = xl("household", copy)
    assert "negative price" in ran.err
    assert "add up" not in ran.err


def test_a_withdrawal_without_an_account_is_drawn_where_it_costs_least(xl: Run) -> None:
    """The distribution from the IRA first, then cash and what is sold at least tax; never from the Roth."""
    ran = xl("household", BOOK, *COSTS, "--flow=-60000", "--rmd", "IRA:20000", "--json")
    assert ran.code == 0, ran.err
    (household,) = ran.document["households"]
    drawn = {each["account"]: each["raised"] for each in household["accounts"]}
    assert drawn["IRA"] == 20_000.0
    assert drawn["ROTH"] == 0.0
    assert sum(drawn.values()) == pytest.approx(60_000.0)
    assert any(note.startswith("withdrawn: ") for note in household["notes"])
    refused = xl("household", BOOK, *COSTS, "--flow", "5000")
    assert "names no account" in refused.err


def test_a_book_without_accounts_is_refused(xl: Run, copy: Path) -> None:
    (copy / "accounts.csv").unlink()
    ran = xl("household", copy)
    assert ran.code == 1
    assert "accounts" in ran.err


@pytest.mark.parametrize("command", ["household", "harvest"])
def test_a_restriction_that_binds_nothing_is_named(xl: Run, copy: Path, command: str) -> None:
    rows = "scope,rule,symbol\nJOIN,never_sell,VTI\nJOINT,never_sell,QQQ\nJOINT,never_sell,MUB\n"
    (copy / "restrictions.csv").write_text(rows)
    ran = xl(command, copy)
    assert ran.code == 0, ran.err
    said = " ".join(ran.err.split())
    assert "'JOIN' is no account, household or model here; it binds nothing" in said
    assert "QQQ is not held; it binds nothing" in said
    assert "MUB" not in said
