"""A book: a folder of tables or a workbook with sheets, read to the same nouns; all faults together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from xl_rebal.custodians import BookTables, read_book
from xl_rebal.errors import RebalError
from xl_rebal.portfolio.history import Event
from xl_rebal.tax.law import FilingStatus

TABLES = {
    "holdings": "account,symbol,quantity,price,as_of\nT,VTI,300,250,2026-11-24\nT,CASH,5000,1,2026-11-24\n",
    "lots": "account,symbol,acquired,quantity,unit_cost\nT,VTI,2024-01-02,300,200\n",
    "accounts": "account,household,type,tax_return,tax_profile\nT,H,taxable,joint,couple\n",
    "securities": "symbol,asset_class,substitute\nVTI,Stocks/US,ITOT\n",
    "targets": "asset_class,target\nStocks,60%\nBonds,40%\n",
    "restrictions": "scope,rule,symbol\n*,never_sell,VTI\n",
    "flows": "account,date,amount,kind\nT,2026-12-01,-250,fee\n",
    "history": "account,symbol,date,action,quantity,price\nT,VTI,2026-11-01,reinvest,0.5,250\n",
    "tax_profiles": "tax_profile,year,filing_status,magi\ncouple,2026,MFJ,400000\n",
    "fund_rules": "symbol,ticket_fee\nVTI,20\n",
}  # fmt: skip


def folder(path: Path, tables: dict[str, str]) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in tables.items():
        (path / f"{name}.csv").write_text(text)
    (path / "notes.txt").write_text("not a table of the book")
    return path


def check(book: BookTables) -> None:
    assert book.as_of == dt.date(2026, 11, 24)
    assert book.holdings.symbol.tolist() == ["VTI", "CASH"]
    assert book.lots.unit_cost.tolist() == [200.0]
    assert book.accounts["T"].tax_return == "joint"
    assert book.securities["VTI"].substitute == "ITOT"
    assert list(book.models[""].classes) == ["Stocks", "Bonds"]
    assert book.restrictions[0].symbol == "VTI"
    assert (book.flows[0].amount, book.flows[0].kind) == (-250.0, "fee")
    assert (book.history[0].event, book.history[0].quantity) == (Event.REINVEST, 0.5)
    assert book.tax_profiles["couple", 2026].filing_status is FilingStatus.JOINT
    assert [(rule.symbol, rule.ticket_fee) for rule in book.fund_rules] == [("VTI", 20.0)]
    assert len(book.present) == len(TABLES)
    book.require("holdings", "lots")


def test_a_folder(tmp_path: Path) -> None:
    check(read_book(folder(tmp_path / "book", TABLES)))


def test_a_workbook(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.worksheets[0].title = "Read me"
    for name, text in TABLES.items():
        sheet = workbook.create_sheet(
            {"lots": "tblLots", "targets": "Models"}.get(name, name.title())
        )
        for line in text.splitlines():
            sheet.append(
                [
                    float(c) if c.lstrip("-").replace(".", "").isdigit() else c
                    for c in line.split(",")
                ]
            )
    workbook.save(tmp_path / "book.xlsx")
    check(read_book(tmp_path / "book.xlsx"))


def test_what_is_not_there_is_empty_and_asked_for(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path / "book", {"lots": TABLES["lots"]}))
    assert (len(book.holdings), book.history, book.as_of) == (0, (), None)
    with pytest.raises(RebalError, match="book: has no table holdings, accounts; add holdings"):
        book.require("holdings", "lots", "accounts")


def test_the_faults_of_all_tables_come_together(tmp_path: Path) -> None:
    bad = {
        **TABLES,
        "holdings": TABLES["holdings"].replace("300", "many"),
        "lots": TABLES["lots"].replace(",200", ","),
        "accounts": TABLES["accounts"].replace("taxable", "ira"),
        "history": TABLES["history"].replace("reinvest", "swap"),
    }
    with pytest.raises(RebalError) as caught:
        read_book(folder(tmp_path / "book", bad))
    text = str(caught.value)
    for part in (
        "'many'",
        "lots.csv row 2, column unit_cost: is blank",
        "'ira' is not known",
        "'swap' is",
    ):
        assert part in text
