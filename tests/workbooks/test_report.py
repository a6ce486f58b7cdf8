"""The report as a file: what stands in it, that it is valid, and that it is the same every time."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.workbooks.books import (
    HOSTILE,
    SCENARIOS,
    SOURCE,
    cash_row,
    hostile,
    plan,
    refused_accounts,
    walk_rows,
)
from tests.workbooks.sheets import places, saved_rows, write
from xl_rebal.errors import FileError, RebalError
from xl_rebal.rebalance import Rebalancing
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.report import ReportSource, build_report, write_report

SHEETS = ["Summary", "Holdings", "Drift", "Trades", "Cash", "Assumptions"]


def built(result: Rebalancing, source: ReportSource = SOURCE) -> bytes:
    return build_report(result, source, version="1.2.3")


@pytest.fixture(scope="module")
def walk() -> bytes:
    return built(plan(walk_rows()))


def words(data: bytes, sheet: str) -> list[str]:
    """Every text that a sheet shows."""
    cells = load_workbook(io.BytesIO(data), data_only=True)[sheet].iter_rows(values_only=True)
    return [value for row in cells for value in row if isinstance(value, str)]


def test_the_walk_through_can_be_read_without_excel(walk: bytes) -> None:
    assert load_workbook(io.BytesIO(walk)).sheetnames == SHEETS
    drift = {row["Asset class"]: row for row in saved_rows(walk, "tblDrift")}
    assert drift["Stocks"]["Weight"] == pytest.approx(1_216_000 / 1_901_000, abs=1e-12)
    assert drift["Stocks"]["Drift"] == pytest.approx(0.03966, abs=5e-6)
    assert drift["Real Estate"]["Drift"] == pytest.approx(-0.05529, abs=5e-6)
    assert [row["Status"] for row in drift.values()] == ["within", "within", "below", "within"]
    assert [row["Status after"] for row in drift.values()] == ["within"] * 4
    trades = saved_rows(walk, "tblTrades")
    assert [(t["Action"], t["Symbol"], t["Quantity"], t["Cost"]) for t in trades] == [
        ("SELL", "VTI", 343, 37.73),
        ("SELL", "BND", 397, 14.89),
        ("BUY", "VNQ", 1236, 52.53),
    ]
    (cash,) = saved_rows(walk, "tblCash")
    assert cash["Cash after"] == pytest.approx(69.85, abs=1e-9)
    assert cash["Costs"] == pytest.approx(105.15, abs=1e-9)
    assert cash["Check"] == "ok"
    summary = words(walk, "Summary")
    assert "1 of 3 classes outside its band" in summary
    assert "Plan is current" in summary


def test_saved_values_are_the_engines() -> None:
    for name in ("several accounts", "many kinds", "withdrawal"):
        result = SCENARIOS[name]()
        rows = {
            (row["Account"], row["Asset class"]): row
            for row in saved_rows(built(result), "tblDrift")
        }
        for drift in result.drifts:
            for a, account in enumerate(drift.accounts):
                for k, asset_class in enumerate(drift.classes):
                    row = rows.pop((account, asset_class))
                    assert row["Weight"] == pytest.approx(drift.weight[a, k], abs=1e-12)
                    assert row["Drift"] == pytest.approx(drift.drift[a, k], abs=1e-12)
        assert not rows
        after = {
            (row["Account"], row["Asset class"]): row
            for row in saved_rows(built(result), "tblDrift")
        }
        for each in result.plans:
            for item in each.classes:
                row = after[each.account, item.asset_class]
                assert row["Weight after"] == pytest.approx(item.weight_after, abs=1e-9)
                assert row["Status after"] == item.status_after
                assert row["Lower"] == pytest.approx(item.lower, abs=1e-12)
                assert row["Upper"] == pytest.approx(item.upper, abs=1e-12)
            cash = next(
                row
                for row in saved_rows(built(result), "tblCash")
                if row["Account"] == each.account
            )
            assert cash["Cash before"] == pytest.approx(each.cash_before, abs=1e-6)
            assert cash["Cash after"] == pytest.approx(each.cash_after, abs=1e-6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_report_is_valid(shared: Path, tmp_path: Path, name: str) -> None:
    data = built(SCENARIOS[name]())
    assert findings(data) == []
    path = write(tmp_path, data)
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_package_is_plain_and_quiet(walk: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(walk)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        parts = {name: package.read(name) for name in package.namelist()}
    assert next(iter(parts)) == "[Content_Types].xml"
    assert not [name for name in parts if "vba" in name.lower() or "external" in name.lower()]
    text = b"".join(parts.values()).decode()
    assert "openpyxl" not in text
    assert "TargetMode" not in text
    assert 'calcId="191029"' in text
    assert 'fullCalcOnLoad="0"' in text
    assert "<dc:title>Portfolio rebalancing report</dc:title>" in text
    assert str(Path.cwd()) not in text


def test_tables_and_sheets_are_what_other_tools_expect(walk: bytes) -> None:
    found = places(walk)
    assert {name: place.sheet for name, place in found.items()} == {
        "tblView": "Summary",
        "tblAccounts": "Summary",
        "tblHoldings": "Holdings",
        "tblDrift": "Drift",
        "tblCash": "Trades",
        "tblTrades": "Trades",
        "tblCashDays": "Cash",
        "tblNotDone": "Cash",
        "tblProofs": "Cash",
        "tblTargets": "Assumptions",
        "tblSettings": "Assumptions",
        "tblPlans": "Assumptions",
        "tblChecks": "Assumptions",
    }
    book = load_workbook(io.BytesIO(walk))
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToWidth == 1
        assert sheet.freeze_panes
        assert sheet.sheet_properties.tabColor is not None
    selected = [sheet.title for sheet in book.worksheets if sheet.sheet_view.tabSelected]
    assert selected == ["Summary"]  # two selected sheets would be edited together
    folded = book["Holdings"].column_dimensions["P"]
    assert folded.hidden
    assert folded.outlineLevel == book["Holdings"].sheet_format.outlineLevelCol == 1
    assert book["Holdings"].print_title_rows == "$4:$4"
    assert book["Summary"].data_validations.dataValidation[0].formula1 == "AccountNames"
    assert len(getattr(book["Summary"], "_charts")) == 2  # noqa: B009 - openpyxl has no other way


def test_formulas_keep_to_excel_2013_and_to_names(walk: bytes) -> None:
    """Independent of the lint: no address, no volatile or prefixed function in any cell."""
    formulas = [
        str(cell.value)
        for sheet in load_workbook(io.BytesIO(walk)).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(formulas) > 150
    for formula in formulas:
        bare = re.sub(r'"[^"]*"|\[[^\[\]]*\]', "", formula)
        assert not re.search(r"\$?\b[A-Z]{1,3}\$?\d+\b", bare), formula
        assert not re.search(r"_xl|NOW\(|TODAY\(|OFFSET\(|INDIRECT\(|TEXT\(", formula), formula
        assert len(formula) < 8192


def test_same_input_same_bytes_in_any_process(walk: bytes, tmp_path: Path) -> None:
    assert built(plan(walk_rows())) == walk
    code = (
        "import hashlib; from tests.workbooks.books import *; "
        "from xl_rebal.workbooks.report import build_report; "
        "print(hashlib.sha256(build_report(plan(walk_rows()), SOURCE, version='1.2.3')).hexdigest())"
    )
    for seed, zone, locale in (
        ("1", "Pacific/Auckland", "C"),
        ("77", "America/New_York", "C.UTF-8"),
    ):
        printed = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            cwd=Path(__file__).resolve().parents[2],
        ).stdout.split()
        assert printed == [hashlib.sha256(walk).hexdigest()]


def test_it_is_built_without_lxml_too() -> None:
    """lxml is a tool of ours, not of the product's users; openpyxl writes other bytes without it."""
    code = (
        "from tests.workbooks.books import *; from xl_rebal.workbooks.report import build_report; "
        "from xl_rebal.workbooks.lint import findings; import openpyxl; assert not openpyxl.LXML; "
        "print(len(findings(build_report(several_accounts(), SOURCE, version='1'))))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OPENPYXL_LXML": "False"},
        cwd=Path(__file__).resolve().parents[2],
    ).stdout.split()
    assert printed == ["0"]


def test_hostile_texts_stay_texts() -> None:
    data = built(hostile())
    rows = saved_rows(data, "tblHoldings")
    shown = {str(row["Description"]) for row in rows}
    for text in HOSTILE:
        expected = text.replace("\x07", "\ufffd").replace("\x1f", "\ufffd")
        expected = expected.replace("_x0041_", "_x005F_x0041_")  # Excel shows _x0041_
        assert expected in shown
    book = load_workbook(io.BytesIO(data))
    place = places(data)["tblHoldings"]
    for row in book["Holdings"].iter_rows(min_row=place.header_row + 1):
        for cell in row[:6]:
            assert cell.data_type == "s"
            if str(cell.value).startswith(("=", "+", "-", "@")):
                assert cell.quotePrefix
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert "HYPERLINK" not in str(cell.value)
                assert cell.data_type != "e"


def test_a_text_beyond_the_limit_is_cut_and_said() -> None:
    rows = walk_rows()
    rows[0]["description"] = "long 😀 " * 6000
    data = built(plan(rows))
    description = str(saved_rows(data, "tblHoldings")[0]["Description"])
    assert len(description.encode("utf-16-le")) // 2 <= 32_767
    assert description.endswith("32,767 characters)")
    assert any("were cut" in text for text in words(data, "Assumptions"))


def test_no_trades_still_make_a_whole_sheet() -> None:
    data = built(SCENARIOS["no trades"]())
    (row,) = saved_rows(data, "tblTrades")
    assert row["Reason"] == "No trades: every class is within its band."
    assert row["Value"] == row["Cost"] == row["Cash effect"] == 0
    assert row["Account"] is None
    assert saved_rows(data, "tblAccounts")[0]["Trades"] == 0
    assert "Every class is within its band" in words(data, "Summary")


def test_refused_accounts_are_listed_with_reason_and_remedy() -> None:
    result = refused_accounts()
    data = built(result)
    assert load_workbook(io.BytesIO(data)).sheetnames == [SHEETS[0], "Refused", *SHEETS[1:]]
    rows = {row["Account"]: row for row in saved_rows(data, "tblRefused")}
    assert list(rows) == ["Margin", "Overdrawn", "Twice"]
    for each in result.refused:
        for fault in each.error.faults:
            assert fault.where in str(rows[each.account]["What is wrong"])
            assert fault.what in str(rows[each.account]["What is wrong"])
            assert fault.remedy in str(rows[each.account]["What to do"])
    assert "3 of 4 accounts could not be planned: see sheet Refused" in words(data, "Summary")
    states = {row["Account"]: row["State"] for row in saved_rows(data, "tblAccounts")}
    assert [states[name] for name in rows] == ["REFUSED"] * 3
    assert states["IRA 77"] == "1 outside, 0 after"
    plans = {row["Account"]: row for row in saved_rows(data, "tblPlans")}
    assert plans["Twice"]["Trades asked for"] == "refused"
    assert "stands at two prices" in str(plans["Twice"]["Why"])
    checks = {row["Check"]: row for row in saved_rows(data, "tblChecks")}
    assert checks["Accounts that could not be planned"]["Expected"] == 3
    traded = {row["Account"] for row in saved_rows(data, "tblTrades")}
    assert traded == {"IRA 77"}


def test_pending_and_excluded_rows_are_listed_and_not_counted() -> None:
    data = built(SCENARIOS["many kinds"]())
    rows = saved_rows(data, "tblHoldings")
    by_counted = {row["Symbol"]: row["Counted"] for row in rows if row["Symbol"]}
    assert by_counted["OLDCO"] == "excluded"
    assert by_counted["SWVXX"] == "yes"
    pending = [row for row in rows if row["Kind"] == "pending"]
    assert [row["Value"] for row in pending] == [-1500, None]
    assert {row["Counted"] for row in pending} == {"pending"}
    option = next(row for row in rows if row["Symbol"] == "-AMAT260424C400")
    assert option["Value"] == pytest.approx(-1260.0)


def test_unknown_stays_unknown_and_the_assumptions_say_what_was_assumed() -> None:
    source = ReportSource(
        name="C:\\Clients\\Smith\\holdings.csv",
        custodian="generic",
        as_of_text="unknown",
        price_time="",
        warnings=("line 7: the total differs", "line 7: the total differs"),
        fingerprint="ab" * 32,
    )
    data = built(plan(walk_rows(), costs="none", flows={"Joint 1234": 500.0}), source)
    shown = words(data, "Assumptions")
    assert shown.count("unknown") == 2
    assert "holdings.csv" in shown
    assert shown.count("line 7: the total differs") == 1
    assert "ab" * 32 in shown
    assert any("No trading costs (all are zero)" in text for text in shown)
    assert any(text.startswith("Verified: every plan was re-checked") for text in shown)
    assert any("contribution of 500.00" in text for text in shown)
    assert "MARKET, DAY; mutual and money funds MARKET, DAY" in shown
    assert "unknown" in words(data, "Summary")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no holdings"),
        ([*walk_rows("Joint"), *walk_rows("JOINT")], "differ only in case"),
        ([*walk_rows("stra\u00dfe"), *walk_rows("STRASSE")], "differ only in case"),
        ([*walk_rows("x" * 300)], "300 characters"),
        ([row for n in range(301) for row in walk_rows(f"A{n}")], "301 accounts are too many"),
        (
            [{**walk_rows()[0], "symbol": f"S{n}"} for n in range(5001)],
            "5,001 holdings rows are too many",
        ),
    ],
)
def test_what_excel_cannot_hold_is_refused(rows: list[dict[str, Any]], message: str) -> None:
    from xl_rebal.drift import measure
    from xl_rebal.portfolio.book import Book
    from xl_rebal.portfolio.holdings import Holdings
    from xl_rebal.portfolio.policy_text import parse_policy
    from xl_rebal.portfolio.targets import parse_targets
    from xl_rebal.rebalance import Request

    book = Book(
        holdings=Holdings.from_rows(rows),
        models={"": parse_targets("60% Stocks, 30% Bonds, 10% Real Estate")},
    )
    unplanned = Rebalancing(
        book=book,
        request=Request(policy=parse_policy("5pp")),
        drifts=tuple(measure(book)),
        plans=(),
    )
    with pytest.raises(RebalError, match=message) as refused:
        built(unplanned)
    assert all(fault.remedy for fault in refused.value.faults)


def test_written_whole_or_not_at_all(tmp_path: Path, walk: bytes) -> None:
    path = tmp_path / "report.xlsx"
    write_report(plan(walk_rows()), SOURCE, path, version="1.2.3")
    assert path.read_bytes() == walk
    with pytest.raises(FileError, match="exists already"):
        write_report(plan(walk_rows()), SOURCE, path, version="1.2.3")
    write_report(plan(walk_rows()), SOURCE, path, version="1.2.4", overwrite=True)
    assert path.read_bytes() != walk


def test_its_pages_can_be_printed(
    render_pages: Callable[[Path, Path], list[Path]], tmp_path: Path
) -> None:
    data = built(plan([*walk_rows(), cash_row(5000.0)]))
    pages = render_pages(write(tmp_path, data), tmp_path / "pages")
    assert len(pages) == 7  # a page for each sheet, two for the assumptions
    assert all(page.stat().st_size > 8000 for page in pages)


def test_large_amounts_have_room(
    render_pages: Callable[[Path, Path], list[Path]], tmp_path: Path
) -> None:
    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("no pdftotext to read the printed pages with")
    rows = [{**row, "quantity": row["quantity"] * 40_000} for row in walk_rows()]
    render_pages(write(tmp_path, built(plan(rows))), tmp_path)
    shown = subprocess.run(
        [pdftotext, "-layout", str(tmp_path / "report.pdf"), "-"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert "###" not in shown
    assert "76,040,000,000.00" in shown
