"""The household template as a file: sound, the same every time, saved with what its formulas come to, and in
Calc with the add-in the same figures, also after the user has changed lots, switches and names.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.conftest import PROJECT
from tests.excel.calc_addin import calc_functions  # noqa: F401 - the fixture
from tests.libreoffice import CalcBook, CalcSession
from tests.workbooks.sheets import all_cells, calc_rows, places, saved_rows
from xl_rebal.excel import registry
from xl_rebal.excel.templates import HOUSEHOLD, household_tax
from xl_rebal.workbooks import household_example as example
from xl_rebal.workbooks.household_calls import CALLS
from xl_rebal.workbooks.lint_formulas import VOLATILE
from xl_rebal.workbooks.template_household import household_findings

FILE = PROJECT / "workbook_templates" / HOUSEHOLD
DATA = FILE.read_bytes()
PLACES = places(DATA)
INPUTS = {"Accounts", "Lots", "Securities", "Targets", "Tax profile", "History"}
DAY = example.serial(example.AS_OF.isoformat())


def engine(output: str, **changed: list[list[Any]]) -> list[list[Any]]:
    """What REBAL_HOUSEHOLD says of the example, with some tables changed."""
    tables = {**example.TABLES, **changed}
    result = registry.call(
        "REBAL_HOUSEHOLD",
        [
            tables["tblAccounts"],
            tables["tblLots"],
            tables["tblSecurities"],
            tables["tblTargets"],
            tables["tblPolicy"],
            tables["tblTaxProfile"],
            DAY,
            tables["tblHistory"],
            tables["tblRestrictions"],
            tables["tblPlanSettings"],
            output,
        ],
    )
    assert isinstance(result, list), result
    return result


def figures(**changed: list[list[Any]]) -> dict[str, Any]:
    return {row[0]: row[1] for row in engine("figures", **changed)}


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(DATA)) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_the_committed_file_is_what_the_code_builds(shared: Path) -> None:
    assert household_tax() == DATA
    assert household_findings(DATA) == []
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(FILE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_call_is_a_dynamic_array_and_nothing_is_volatile(parts: dict[str, str]) -> None:
    assert "spreadsheetml.template.main+xml" in parts["[Content_Types].xml"]
    calls = re.findall(r"<c r=\"\w+\"([^>]*)><f([^>]*)>[^<]*REBAL_\w+\([^<]*</f>", str(parts))
    assert len(calls) == len(CALLS) + 1  # the version
    assert all('cm="1"' in attributes and 't="array"' in kind for attributes, kind in calls)
    called = set(re.findall(r"([A-Z][A-Z_.]+)\(", str(parts)))
    assert not called & VOLATILE
    assert {
        "REBAL_HOUSEHOLD", "REBAL_GAINS", "REBAL_HARVEST", "REBAL_WASHSALES", "REBAL_TAX",
    } <= called  # fmt: skip


def test_inputs_are_open_and_formulas_are_protected_without_a_password() -> None:
    book = load_workbook(FILE)
    for sheet in book:
        protection = sheet.protection
        assert protection.sheet is (sheet.title not in INPUTS), sheet.title
        assert protection.password is None
    place = PLACES["tblPlanSettings"]
    start = book["Start"]
    open_cells = {c.coordinate for row in start.iter_rows() for c in row if not c.protection.locked}
    switches = {place.cell("Value", i) for i in range(len(example.SETTINGS) - 1)}
    assert switches < open_cells
    assert len(open_cells) == len(switches) + 6  # the day and two names, each over two cells


def test_what_is_invented_says_so_and_no_cell_shows_an_error() -> None:
    book = load_workbook(FILE, data_only=True)
    shown = [
        c.value for s in book for row in s.iter_rows() for c in row if isinstance(c.value, str)
    ]
    assert not [text for text in shown if text.startswith("#")]
    assert all(row[0].startswith("EXAMPLE") for row in example.ACCOUNTS[1:])
    assert "EXAMPLE couple" in str(book["Start"]["C5"].value)


def test_places_and_cash_are_what_a_plain_count_of_the_plan_gives() -> None:
    price = {row[0]: row[2] for row in example.SECURITIES[1:]} | {"CASH": 1.0}
    klass = {row[0]: row[1].split("/")[0] for row in example.SECURITIES[1:]} | {"CASH": "Cash"}
    kind = {
        example.JOINT: "Taxable",
        example.IRA: "Traditional",
        example.ROTH: "Roth",
        example.HSA: "HSA and other",
    }
    money: dict[tuple[str, str, str], float] = defaultdict(float)
    cash: dict[str, float] = defaultdict(float)
    for lot in example.LOTS[1:]:
        account, symbol, units = lot[0], lot[1], lot[3]
        money[klass[symbol], kind[account], "before"] += units * price[symbol]
        cash[account] += units if symbol == "CASH" else 0.0
    for key, value in list(money.items()):
        money[key[0], key[1], "after"] = value
    for trade in engine("trades")[1:]:
        account, symbol, sign = trade[0], trade[1], 1 if trade[2] == "BUY" else -1
        money[klass[symbol], kind[account], "after"] += sign * trade[6]
        money["Cash", kind[account], "after"] -= sign * trade[6] + trade[7]
        cash[account] -= sign * trade[6] + trade[7]
    found = saved_rows(DATA, "tblLocation")
    listed = [row for row in found if row["Asset class"]]
    assert [row["Asset class"] for row in listed] == ["Stocks", "Bonds", "Real Estate", "Cash"]
    for row in listed:
        for each in kind.values():
            for when in ("before", "after"):
                wanted = money.get((str(row["Asset class"]), each, when), 0.0)
                assert row[f"{each} {when}"] == pytest.approx(wanted, abs=1e-6)
    rows = {row["Account"]: row for row in saved_rows(DATA, "tblCash") if row["Account"]}
    assert {name: row["Cash after"] for name, row in rows.items()} == {
        name: pytest.approx(left, abs=1e-6) for name, left in cash.items()
    }
    assert all(row["Result"] == "ok" for row in rows.values())


def test_the_letter_is_one_printed_page_that_tells_deferral_from_saving() -> None:
    book = load_workbook(FILE, data_only=True)
    sheet = book["Letter"]
    assert sheet.page_setup.fitToHeight == 1
    assert sheet.page_setup.orientation == "portrait"
    texts = [str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None]
    whole = "\n".join(texts)
    wanted = figures()
    for words in ("of it put off", "of it saved for good", "not tax advice", "custodian"):
        assert words in whole
    amounts = [
        c.value for row in sheet.iter_rows() for c in row if isinstance(c.value, (int, float))
    ]
    for name in ("less_tax", "tax_deferred", "tax_saved_for_good", "gain_deferred", "loss_carried"):
        # Saved values have ten digits.
        assert pytest.approx(wanted[name], rel=1e-9, abs=1e-6) in amounts, name
    assert wanted["less_tax"] == pytest.approx(
        wanted["tax_deferred"] + wanted["tax_saved_for_good"]
    )
    safe = dt.date(2026, 11, 25) + dt.timedelta(days=31)
    assert f"before {safe}" in whole
    assert example.CLIENT in texts
    assert example.ADVISER in texts


# -- in Calc ---------------------------------------------------------------------------------------


def label_cell(book: CalcBook, sheet: str, label: str, column: str, value: str) -> str:
    """The cell beside the first label of a sheet."""
    for row, (text,) in enumerate(book.values(sheet, f"{column}1:{column}80"), start=1):
        if text == label:
            return f"{value}{row}"
    raise AssertionError(f"{label} is not on sheet {sheet}")


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
        version = label_cell(book, "Start", "Add-in version", "B", "C")
        apart = {("Start", version), ("Start", "C4")}
        wrong, count = [], 0
        for (sheet, row, column), cell in all_cells(book).items():
            if cell.kind != "formula":
                continue
            count += 1
            was = saved[sheet].cell(row, column)
            if (sheet, was.coordinate) in apart or isinstance(was.value, dt.datetime):
                continue
            old, new = was.value or "", cell.value or ""
            if isinstance(old, (int, float)) and isinstance(new, (int, float)):
                same = abs(new - old) <= 1e-9 * max(1.0, abs(old))
            else:
                same = old == new
            if cell.error or not same:
                wrong.append((sheet, was.coordinate, old, new, cell.formula))
        assert wrong == []
        assert count > 4000
        assert str(book.value("Start", "C4")).endswith("is loaded.")


def test_in_calc_it_follows_what_is_changed(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    switches = [list(row) for row in example.SETTINGS]
    profile = [list(row) for row in example.PROFILES]
    switches[2][1], profile[1][11] = 18_000.0, 9_000.0
    changed = {"tblPlanSettings": switches, "tblTaxProfile": profile}
    # Calc keeps an array formula at the size that it was saved with, so the plan must be as long.
    assert len(engine("trades", **changed)) == len(engine("trades"))
    with calc_functions.open(FILE) as book:
        book.set_value("Start", PLACES["tblPlanSettings"].cell("Value", 1), 18_000.0)
        book.set_value("Tax profile", PLACES["tblTaxProfile"].cell("YTD long"), 9_000.0)
        client = label_cell(book, "Start", "Client", "B", "C")
        book.set_text("Start", client, "Jane Roe")
        book.recalculate()
        wanted = figures(**changed)
        was = figures()
        assert wanted["tax_added"] != pytest.approx(was["tax_added"])
        assert failing(book) == []
        shown = {row[0]: row for row in book.values("Letter", "A1:G80")}
        assert "Jane Roe" in shown
        for label, name in (
            ("of it put off to a later year", "tax_deferred"),
            ("of it saved for good", "tax_saved_for_good"),
            ("Net gain in your taxable accounts that stays untaxed for now", "gain_deferred"),
        ):
            assert shown[label][6] == pytest.approx(wanted[name], rel=1e-9, abs=1e-6)
        ways = calc_rows(book, PLACES["tblWays"])
        told = engine("ways", **changed)[1:]
        assert [row["Tax this year"] for row in ways] == [
            pytest.approx(way[1], rel=1e-9, abs=1e-6) for way in told
        ]
        assert [row["More than ours"] for row in ways] == [
            pytest.approx(way[1] - told[-1][1], rel=1e-9, abs=1e-6) for way in told
        ]


def test_in_calc_a_plan_that_its_sheet_cannot_show_in_full_fails_the_checks(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    lots = [list(row) for row in example.LOTS]
    lots[5][3] = 260.0
    switches = [list(row) for row in example.SETTINGS]
    switches[2][1] = 2000.0
    assert len(engine("trades", tblLots=lots, tblPlanSettings=switches)) > len(engine("trades"))
    with calc_functions.open(FILE) as book:
        book.set_value("Lots", PLACES["tblLots"].cell("Quantity", 4), 260.0)
        book.set_value("Start", PLACES["tblPlanSettings"].cell("Value", 1), 2000.0)
        book.recalculate()
        found = failing(book)
        sides = {
            f"{side} on the sheets against the plan's figure" for side in ("Sales", "Purchases")
        }
        assert sides & set(found)  # the last rows of the plan are missing, whichever they are
        assert "do not send the letter" in str(book.value("Start", "C6"))
        assert str(book.value("Letter", "A1")).startswith("NOT TO BE SENT")


@pytest.mark.parametrize(
    ("table", "header", "row", "value", "check"),
    [
        ("tblLots", "Account", 1, "Nobody", "Lots whose account is not on sheet Accounts"),
        ("tblLots", "Acquired", 1, "", "Lots in taxable accounts without a day or a cost"),
        ("tblSecurities", "Asset class", 4, "Gold", "Lots whose class no target covers, or two"),
        ("tblTargets", "Target", 0, 0.7, "Targets sum to, in %"),
    ],
)
def test_in_calc_a_wrong_input_fails_its_check_and_there_is_no_plan(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
    table: str,
    header: str,
    row: int,
    value: float | str,
    check: str,
) -> None:
    with calc_functions.open(FILE) as book:
        place = PLACES[table]
        cell = place.cell(header, row)
        if isinstance(value, str):
            book.set_text(place.sheet, cell, value)
        else:
            book.set_value(place.sheet, cell, value)
        book.recalculate()
        found = failing(book)
        assert check in found
        assert "The add-in made a plan" in found
        assert str(book.value("Plan", "A6")).startswith("#REBAL! ")
        assert str(book.value("Start", "C7")).startswith("No plan:")
        assert str(book.value("Letter", "A1")).startswith("NOT TO BE SENT")


def test_its_letter_is_one_page_and_every_input_another(tmp_path: Path, render_pages: Any) -> None:
    path = tmp_path / "values.xlsx"
    with zipfile.ZipFile(io.BytesIO(DATA)) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb'<f t="array"[^>]*>.*?</f>', b"", content)
            if name == "[Content_Types].xml":
                content = content.replace(b"template.main", b"sheet.main")
            target.writestr(name, content)
    assert len(render_pages(path, tmp_path / "pages")) == 19  # as many as sheets
