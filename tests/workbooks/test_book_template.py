"""The adviser's book as a file: sound, the same every time, read by a batch as it is; in Calc with the add-in
the same figures, and its checks find what is wrong with the tables.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from tests.conftest import PROJECT
from tests.excel.calc_addin import calc_functions  # noqa: F401 - the fixture
from tests.libreoffice import CalcBook, CalcSession
from tests.workbooks.sheets import all_cells, places, saved_rows
from xl_rebal.batch.needs import Need
from xl_rebal.cli.commands import app
from xl_rebal.custodians.book_tables import read_book
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.templates import BOOK, adviser_book
from xl_rebal.workbooks import book_example as example
from xl_rebal.workbooks.book_inputs import SHEETS
from xl_rebal.workbooks.book_pages import CALLS
from xl_rebal.workbooks.book_start import command_words
from xl_rebal.workbooks.lint_formulas import VOLATILE
from xl_rebal.workbooks.template_book import book_findings

FILE = PROJECT / "workbook_templates" / BOOK
DATA = FILE.read_bytes()
PLACES = places(DATA)
INPUTS = {each.title for each in SHEETS} | {"Trades"}


def as_workbook(folder: Path) -> Path:
    """The template as Excel saves a new workbook made from it."""
    path = folder / "adviser_book.xlsx"
    with zipfile.ZipFile(io.BytesIO(DATA)) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "[Content_Types].xml":
                content = content.replace(b"template.main", b"sheet.main")
            target.writestr(name, content)
    return path


def run(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command line on sheet Start writes for the example."""
    folder = tmp_path_factory.mktemp("book")
    words = re.findall(r'"([^"]*)"|(\S+)', command_words())
    arguments = [quoted or plain for quoted, plain in words][1:]
    assert arguments[:2] == ["batch", "BOOK.xlsx"]
    arguments[1] = str(as_workbook(folder))
    for option in ("--out", "--ledger"):
        place = arguments.index(option) + 1
        arguments[place] = str(folder / arguments[place])
    document = run(*arguments, "--workers", "1")
    assert document["failed"] == []
    assert document["households"] == 8
    return folder / "run"


def test_the_committed_file_is_what_the_code_builds(shared: Path) -> None:
    assert adviser_book() == DATA
    assert book_findings(DATA) == []
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(FILE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_call_is_a_dynamic_array_and_nothing_is_volatile() -> None:
    with zipfile.ZipFile(io.BytesIO(DATA)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    assert "spreadsheetml.template.main+xml" in parts["[Content_Types].xml"]
    calls = re.findall(r"<c r=\"\w+\"([^>]*)><f([^>]*)>[^<]*REBAL_\w+\([^<]*</f>", str(parts))
    assert len(calls) == len(CALLS) + 1  # the version
    assert all('cm="1"' in attributes and 't="array"' in kind for attributes, kind in calls)
    assert not set(re.findall(r"([A-Z][A-Z_.]+)\(", str(parts))) & VOLATILE


def test_inputs_are_open_computed_sheets_protected_and_all_that_is_invented_says_so() -> None:
    for sheet in load_workbook(FILE):
        assert sheet.protection.sheet is (sheet.title not in INPUTS), sheet.title
        assert sheet.protection.password is None
    assert all(row[0].startswith("EXAMPLE") for row in example.ACCOUNTS[1:])
    book = load_workbook(FILE, data_only=True)
    shown = [
        c.value for s in book for row in s.iter_rows() for c in row if isinstance(c.value, str)
    ]
    assert not [text for text in shown if text.startswith("#")]
    assert "invented" in str(book["Start"]["C5"].value)
    assert book["Start"]["C6"].value == "All checks pass."


def test_the_example_shows_every_need_and_the_summary_counts_them(tmp_path: Path) -> None:
    scanned = run("scan", str(as_workbook(tmp_path)), "--policy", example.POLICY)
    book = load_workbook(FILE, data_only=True)["Book"]
    header, *rows = [
        [c.value for c in row] for row in book.iter_rows(min_row=6, max_row=14, max_col=15)
    ]
    assert header == list(scanned["clients"][0])
    for row, client in zip(rows, scanned["clients"], strict=True):
        for cell, (name, value) in zip(row, client.items(), strict=True):
            if isinstance(value, float):
                assert cell == pytest.approx(value, rel=1e-9), name
            else:
                assert cell == (value or (0 if value == 0 else None)), name
    needs = Counter(client["need"] for client in scanned["clients"])
    assert {Need.REBALANCE, Need.REPLACE, Need.RAISE_CASH, Need.INVEST, Need.WITHIN} == set(needs)
    by_model = {str(row["Model"]): row for row in saved_rows(DATA, "tblByModel") if row["Model"]}
    for line in scanned["by_model"]:
        found = by_model[line["model"]]
        due = sum(int(found[h]) for h in ("Rebalance", "Replace", "Raise cash", "Invest"))  # type: ignore[call-overload]
        assert (found["Clients"], due) == (line["households"], line["needing_trades"])
        values = [c["value"] for c in scanned["clients"] if c["model"] == line["model"]]
        assert found["Value"] == pytest.approx(sum(values))


def test_a_batch_reads_the_workbook_as_it_is(ran: Path) -> None:
    read = read_book(as_workbook(ran.parent))
    assert len(read.accounts) == len(example.ACCOUNTS) - 1
    assert len(read.holdings) == len(example.HOLDINGS) - 1
    assert len(read.lots) == len(example.LOTS) - 1
    assert read.as_of == example.AS_OF
    assert [item.target for item in read.models["Blend"].items] == pytest.approx(
        [0.96 * (0.6 * g + 0.4 * i) / 0.986 for g, i in ((0.56, 0.23), (0.24, 0.07), (0.19, 0.68))]
        + [0.04]
    )
    assert len(list((ran / "clients").glob("*.xlsx"))) == 8


def test_its_trades_and_blocks_are_those_of_the_run(ran: Path) -> None:
    with (ran / "trades.csv").open(newline="") as stream:
        trades = [row for row in csv.DictReader(stream) if row["block"]]
    saved = saved_rows(DATA, "tblTrades")
    assert len(saved) == len(trades) > 0
    for mine, theirs in zip(saved, trades, strict=True):
        assert (mine["Account"], mine["Symbol"], mine["Action"], mine["Block"]) == (
            theirs["account"], theirs["symbol"], theirs["action"], theirs["block"],
        )  # fmt: skip
        assert mine["Quantity"] == float(theirs["quantity"])
        assert mine["Value"] == pytest.approx(float(theirs["value"]))
    sums: dict[tuple[object, ...], float] = defaultdict(float)
    for mine in saved:
        key = (mine["Custodian"], mine["Symbol"], mine["Action"])
        sums[key] += float(str(mine["Quantity"]))
    sheet = load_workbook(FILE, data_only=True)["Blocks"]
    rows = [
        [c.value for c in row] for row in sheet.iter_rows(min_row=7, max_col=12) if row[0].value
    ]
    assert {(row[2], row[3], row[4]): row[5] for row in rows} == sums
    waves = [int(str(row[1])) for row in rows]
    assert waves == sorted(waves)  # sells are wave 1
    assert "Gum" not in {mine["Household"] for mine in saved}  # waits for the client's word
    assert {row["Symbol"] for row in saved if row["Action"] == "BUY"} & {"ITA"} == set()


def test_tables_of_a_sample_book_are_named_as_those_of_the_template(tmp_path: Path) -> None:
    run("sample-book", "--households", "5", "--format", "xlsx", "--out", str(tmp_path / "sample"))
    book = FileWorkbook(tmp_path / "sample" / "book.xlsx")
    assert {table.name for table in book.tables()} <= set(PLACES)
    assert {"tblAccounts", "tblHoldings", "tblModels", "tblLots"} <= {t.name for t in book.tables()}


# -- in Calc ---------------------------------------------------------------------------------------


def failing(book: CalcBook) -> list[Any]:
    """Checks whose result is not ok; what they found may be an error value."""
    place = PLACES["tblChecks"]
    rows = book.read(place.sheet, f"A{place.header_row + 1}:D{place.last_row}")
    return [row[0].value for row in rows if row[3].value != "ok"]


def test_in_calc_every_formula_comes_to_what_was_saved(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    saved = load_workbook(FILE, data_only=True)
    with calc_functions.open(FILE) as book:
        book.recalculate()
        wrong, count = [], 0
        for (sheet, row, column), cell in all_cells(book).items():
            if cell.kind != "formula":
                continue
            count += 1
            was = saved[sheet].cell(row, column)
            old, new = was.value or "", cell.value or ""
            if isinstance(was.value, dt.datetime) or (sheet == "Start" and "add-in" in str(old)):
                continue
            if isinstance(old, (int, float)) and isinstance(new, (int, float)):
                same = abs(new - old) <= 1e-9 * max(1.0, abs(old))
            else:
                same = old == new or "xl_rebal" in str(new) or (sheet == "Start" and not old)
            if cell.error or not same:
                wrong.append((sheet, was.coordinate, old, new, cell.formula))
        assert wrong == [], "\n".join(map(str, wrong))
        assert count > 300
        assert failing(book) == []


@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        (
            [
                ("tblAccounts", "Model", 0, ""),
                ("tblAccounts", "Type", 4, ""),
                ("tblAccounts", "Account", 5, "XXXX-4001"),
                ("tblAccounts", "Tax profile", 7, "nobody"),
                ("tblRestrictions", "Tag", 0, "defense"),
                ("tblRestrictions", "Scope", 0, "Fur"),
            ],
            {
                "Accounts without a model",
                "Accounts without a type",
                "Masked accounts",
                "Holdings of accounts that are not on sheet Accounts",
                "Accounts whose tax profile is not on sheet Tax profiles",
                "Restrictions by a tag that no security carries",
                "Restrictions of nobody that is known",
                "The add-in measured the book",
            },
        ),
        (
            [
                ("tblAccounts", "Account", 1, "EXAMPLE-1001"),
                ("tblAccounts", "Model", 0, "Balance"),
                ("tblLots", "Quantity", 0, 701.0),
                ("tblLots", "Acquired", 1, ""),
                ("tblLots", "Account", 13, "Nobody"),
                ("tblModels", "Target", 0, 0.5),
                ("tblHoldings", "Symbol", 1, "VTI"),
                ("tblHoldings", "Quantity", 2, "many"),
                ("tblSecurities", "Symbol", 2, "ITB"),
                ("tblFlows", "Account", 0, "Nobody"),
                ("tblTrades", "Block", 0, ""),
            ],
            {
                "Accounts that stand twice",
                "Accounts whose model is not on sheet Models",
                "Positions of taxable accounts that their lots do not add up to",
                "Lots without a day, a cost or a quantity",
                "Lots of accounts that are not on sheet Accounts",
                "Rows of models that do not sum to 100%",
                "Positions that stand twice in an account",
                "Holdings whose quantity or price is not a number",
                "Positions of symbols without a class on sheet Securities",
                "Flows of accounts that are not on sheet Accounts",
                "Trades that name no block",
            },
        ),
    ],
)
def test_in_calc_a_wrong_table_fails_its_check(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
    changes: list[tuple[str, str, int, float | str]],
    checks: set[str],
) -> None:
    with calc_functions.open(FILE) as book:
        for table, header, row, value in changes:
            place = PLACES[table]
            if isinstance(value, str):
                book.set_text(place.sheet, place.cell(header, row), value)
            else:
                book.set_value(place.sheet, place.cell(header, row), value)
        book.set_text("Flows", "A9", "EXAMPLE-1001")  # below its table
        book.recalculate()
        found = set(failing(book))
        assert checks <= found
        assert "Rows that stand below their table" in found
        assert "checks fail" in str(book.value("Start", "C6"))
