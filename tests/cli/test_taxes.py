"""`wash-sales` and `harvest`: documents, exit codes, messages; the cases of the requirements as books.

The brief gives totals only: the lots below are invented.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.cli.conftest import Run

Write = Callable[[str, str], Path]
HISTORY = (
    "account,symbol,date,action,quantity,price\n"
    "T,M,2025-09-21,buy,100,50\nT,M,2025-12-21,buy,50,55\n"
    "IRA,M,2025-12-27,buy,25,45\nT,M,2026-01-03,sell,100,40\n"
)
ACCOUNTS = (
    "account,household,type,owner,tax_return\n"
    "T,Smith,taxable,Ann,joint\nIRA,Smith,traditional,Bob,joint\n"
)


def test_the_document_of_wash_sales(xl: Run, table: Write) -> None:
    document = xl("wash-sales", table("h.csv", HISTORY), "--json").document
    assert document["sales"] == [
        {"account": "T", "symbol": "M", "date": "2026-01-03", "quantity": 100.0, "gain": -1000.0,
         "disallowed": 750.0, "allowed": -250.0, "term": "short"},
    ]  # fmt: skip
    assert document["lots"] == [
        {"account": "IRA", "symbol": "M", "acquired": "2025-12-27", "holding_start": "2025-09-21",
         "quantity": 25.0, "unit_cost": 55.0},
        {"account": "T", "symbol": "M", "acquired": "2025-12-21", "holding_start": "2025-09-21",
         "quantity": 50.0, "unit_cost": 65.0},
    ]  # fmt: skip
    assert document["safe_to_buy"] == [
        {"account": "T", "symbol": "M", "sold": "2026-01-03", "from": "2026-02-03"}
    ]
    assert document["warnings"] == [
        "without --accounts, T, IRA are taken as taxable and on one tax return"
    ]


def test_the_accounts_table_says_what_an_ira_is(xl: Run, table: Write) -> None:
    document = xl(
        "wash-sales", table("h.csv", HISTORY), "--accounts", table("a.csv", ACCOUNTS), "--json"
    ).document
    (sale,) = document["sales"]
    assert (sale["disallowed"], sale["allowed"]) == (750, -250)
    ira, _ = document["lots"]
    assert (ira["unit_cost"], ira["holding_start"]) == (45.0, "2025-12-27")
    assert [m["permanent"] for m in document["matches"]] == [False, True]
    assert document["warnings"] == []


def test_what_a_person_sees(xl: Run, table: Write) -> None:
    ran = xl("wash-sales", table("h.csv", HISTORY), "--accounts", table("a.csv", ACCOUNTS))
    assert ran.code == 0
    assert "25 units of M bought in IRA on 2025-12-27, 250.00 disallowed" in ran.out
    assert "safe to buy back from 2026-02-03" in ran.out


def test_every_fault_of_a_history_at_once(xl: Run, table: Write) -> None:
    bad = HISTORY.replace("buy,50,55", "swap,50,55").replace("sell,100,40", "sell,x,40")
    ran = xl(
        "wash-sales",
        table("h.csv", bad),
        "--accounts",
        table("a.csv", ACCOUNTS.replace("taxable", "taxble")),
        "--json",
    )
    assert (ran.code, ran.out) == (1, "")
    # Cells that cannot be read come first; what the rows mean is judged once they can.
    assert "h.csv row 5, column quantity: 'x' is not a number" in ran.err
    assert "'taxble' is not known; use one of taxable, traditional, roth, hsa, exempt" in ran.err
    ran = xl("wash-sales", table("h.csv", HISTORY), "--as-of", "2026-01-01")
    assert "row 5, column date: 2026-01-03 is after 2026-01-01" in ran.err
    ran = xl("wash-sales", table("h.csv", HISTORY.replace("buy,100,50", "buy,10,50")))
    assert "the basis of 40 is not known; add the earlier purchases" in ran.err
    ran = xl("wash-sales", table("h.csv", HISTORY.replace("100,50", "100,")))
    assert "h.csv row 2, column price: is blank; fill it in" in ran.err


BOOK = {
    "holdings": (
        "account,symbol,quantity,price,asset_class,as_of\n"
        "Joint,VTI,1600,250,Stocks/US,2026-11-24\nJoint,VXUS,5000,60,Stocks/International,2026-11-24\n"
        "Joint,BND,6000,75,Bonds,2026-11-24\nJoint,CASH,50000,1,Cash,2026-11-24\n"
        "IRA,VTI,4000,250,Stocks/US,2026-11-24\nIRA,BND,4000,75,Bonds,2026-11-24\n"
        "Roth,VTI,2000,250,Stocks/US,2026-11-24\n"
    ),
    "lots": (
        "account,symbol,acquired,quantity,unit_cost\n"
        "Joint,VTI,2014-03-03,1000,100\nJoint,VTI,2024-12-16,600,300\n"
        "Joint,VXUS,2021-06-07,3000,65\nJoint,VXUS,2026-03-02,2000,66\n"
        "Joint,BND,2020-08-03,6000,88\n"
        "IRA,VTI,2012-01-03,4000,60\nIRA,BND,2020-08-03,4000,88\nRoth,VTI,2012-01-03,2000,60\n"
    ),
    "accounts": (
        "account,household,type,owner,tax_return,tax_profile\n"
        "Joint,Couple,taxable,Ann and Bob,joint,couple\n"
        "IRA,Couple,traditional,Ann,joint,couple\nRoth,Couple,roth,Bob,joint,couple\n"
    ),
    "securities": (
        "symbol,asset_class,substitute,price\n"
        "VTI,Stocks/US,ITOT,\nVXUS,Stocks/International,IXUS,\nBND,Bonds,AGG,\n"
        "ITOT,Stocks/US,VTI,110\nIXUS,Stocks/International,VXUS,70\nAGG,Bonds,BND,100\n"
    ),
    "tax_profiles": (
        "tax_profile,year,filing_status,magi,ytd_long\ncouple,2026,married filing jointly,300000,0\n"
    ),
    "history": "account,symbol,date,action,quantity,price\nJoint,BND,2026-06-01,buy,1,75\n",
}


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """`book(lots="…")`: the couple's book as a folder, some tables replaced (None: left out)."""

    def write(**changes: str | None) -> Path:
        folder = tmp_path / "couple"
        folder.mkdir(exist_ok=True)
        for name, text in {**BOOK, **changes}.items():
            path = folder / f"{name}.csv"
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        return folder

    return write


def test_the_couple_harvests_45000(xl: Run, book: Callable[..., Path]) -> None:
    """S108: $45,000 asked for; nothing is sold in the IRAs and no gain is realised."""
    document = xl("harvest", book(), "--loss", "45000", "--json").document
    assert 45_000 - 88 < document["loss"] <= 45_000
    sold = [t for t in document["trades"] if t["action"] == "SELL"]
    bought = [t for t in document["trades"] if t["action"] == "BUY"]
    assert {t["account"] for t in document["trades"]} == {"Joint"}
    assert all(c["loss"] > 0 for c in document["candidates"])
    # Cash stays in the account, and nothing that was sold is bought.
    assert sum(t["value"] for t in bought) <= sum(t["value"] for t in sold)
    assert not {t["symbol"] for t in bought} & {t["symbol"] for t in sold}
    assert all(
        abs(c["class_change"]) < 110 / 1_200_000
        for c in document["candidates"]
        if c["class_change"]
    )
    assert all(c["buy_back_from"] == "2026-12-25" for c in document["candidates"])


def test_200000_of_gains_and_30000_of_losses(xl: Run, book: Callable[..., Path]) -> None:
    """S060: against 200,000 of gains the loss counts at once; without gains 3,000 of it do."""
    gains = BOOK["tax_profiles"].replace(",300000,0", ",300000,200000")
    document = xl("harvest", book(tax_profiles=gains), "--loss", "30000", "--json").document
    (row,) = document["returns"]
    assert row["saved_now"] == pytest.approx(0.188 * document["loss"])
    assert row["deducted_from_income"] == 0
    document = xl("harvest", book(), "--loss", "30000", "--json").document
    (row,) = document["returns"]
    assert row["deducted_from_income"] == 3_000
    assert row["saved_now"] == pytest.approx(0.24 * 3_000)
    assert row["carry_short"] + row["carry_long"] == pytest.approx(document["loss"] - 3_000)


def test_a_workbook_is_a_book_too(xl: Run, book: Callable[..., Path], tmp_path: Path) -> None:
    wanted = xl("harvest", book(), "--json").document
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, text in BOOK.items():
        sheet = workbook.create_sheet(name.title())
        for line in text.splitlines():
            sheet.append([float(c) if c.replace(".", "").isdigit() else c for c in line.split(",")])
    path = tmp_path / "couple.xlsx"
    workbook.save(path)
    found = xl("harvest", path, "--json").document
    assert found["candidates"] == wanted["candidates"]
    assert found["trades"] == wanted["trades"]


def test_what_a_person_sees_of_a_harvest(xl: Run, book: Callable[..., Path]) -> None:
    ran = xl(
        "harvest", book(), "--minimum", "5000", "--minimum-percent", "5%", "--household", "Couple"
    )
    assert ran.code == 0
    assert "this is mostly tax put off, not tax gone" in ran.out
    assert "holds the place of VTI" in ran.out


def test_every_fault_of_the_lots_at_once(xl: Run, book: Callable[..., Path]) -> None:
    lots = BOOK["lots"].replace("Joint,VTI,2024-12-16,600", "Joint,VTI,2024-12-16,500")
    lots = lots.replace("2026-03-02", "2027-03-02")
    lots = lots.replace("Joint,BND,2020-08-03,6000,88\n", "")
    profiles = BOOK["tax_profiles"].replace("couple,2026", "couple,2025")
    ran = xl("harvest", book(lots=lots, tax_profiles=profiles), "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "lots row 5 (VXUS in Joint), column acquired: 2027-03-02 is after 2026-11-24" in ran.err
    assert "lots of VTI in Joint: add up to 1,500 units, and 1,600 are held" in ran.err
    assert "lots of BND in Joint: are missing, and the account has lots of others" in ran.err
    assert (
        "tax_profiles, couple: is for 2025, and the trades are of 2026; add a row for 2026"
        in ran.err
    )


def test_faults_of_several_tables_at_once(xl: Run, book: Callable[..., Path]) -> None:
    ran = xl(
        "harvest",
        book(
            lots=BOOK["lots"].replace(",600,300", ",600,"),
            accounts=BOOK["accounts"].replace(",roth,", ",rot,"),
            tax_profiles=BOOK["tax_profiles"].replace("married filing jointly", "wed"),
        ),
    )
    assert ran.code == 1
    assert "lots.csv row 3, column unit_cost: is blank; fill it in" in ran.err
    assert "accounts.csv row 4, column type: 'rot' is not known" in ran.err
    assert "tax_profiles.csv row 2, column filing_status: 'wed' is not known" in ran.err


def test_what_is_missing_is_said(xl: Run, book: Callable[..., Path], tmp_path: Path) -> None:
    ran = xl("harvest", book(lots=None))
    assert "couple: has no table lots; add lots.csv to the folder" in ran.err
    ran = xl(
        "harvest",
        book(holdings=BOOK["holdings"].replace(",2026-11-24", ",").replace(",as_of", ",note")),
    )
    assert "does not say of which day it is" in ran.err
    ran = xl("harvest", book(), "--household", "Miller")
    assert "'Miller' has no account in couple; households are: Couple" in ran.err
    ran = xl("harvest", book(), "--minimum-percent", "5")
    assert "--minimum-percent: '5' has no unit" in ran.err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds none of the tables of a book" in xl("harvest", empty).err
    document = xl("harvest", book(tax_profiles=None, history=None), "--json").document
    assert document["saved_now"] is None
    assert any("without the table tax_profiles" in text for text in document["warnings"])
    assert any("without the table history" in text for text in document["warnings"])


def test_two_files_for_one_table_are_refused(xl: Run, book: Callable[..., Path]) -> None:
    folder = book()
    (folder / "targets.csv").write_text("asset_class,target\nStocks,60%\nBonds,40%\n")
    (folder / "models.csv").write_text("asset_class,target\nStocks,60%\nBonds,40%\n")
    assert "models.csv and targets.csv are both the table models" in xl("harvest", folder).err
