"""The workbook of a client: the stamp against openpyxl, the numbers against the engine, text as text."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.household import books as households
from tests.libreoffice import CalcSession
from tests.workbooks.books import HOSTILE, plan, walk_rows
from tests.workbooks.clients import CLIENTS, of_accounts, together, with_lots
from tests.workbooks.same_cells import cells, differing_parts
from tests.workbooks.sheets import all_cells, changed, saved_rows, write
from xl_rebal.errors import RebalError
from xl_rebal.trading.plan import Action
from xl_rebal.workbooks.client_line import client_line
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.client_workbook import client_workbook, client_workbook_by_openpyxl
from xl_rebal.workbooks.lint import findings

SHEETS = ["Summary", "Holdings", "Drift", "Trades", "Lots", "Taxes"]
RECALCULATED = (
    *("walk-through", "withdrawal", "several accounts", "many kinds", "hostile texts"),
    *("with lots", "unknown lots", "couple", "cash need", "random household", "holds nothing"),
)
LINKS = frozenset({"HYPERLINK"})


def words(data: bytes, sheet: str) -> list[str]:
    """Every text that a sheet shows."""
    rows = load_workbook(io.BytesIO(data), data_only=True)[sheet].iter_rows(values_only=True)
    return [value for row in rows for value in row if isinstance(value, str)]


@pytest.mark.parametrize("name", CLIENTS)
def test_the_stamp_gives_what_openpyxl_writes(name: str) -> None:
    pages = CLIENTS[name]()
    stamped = client_workbook(pages)
    assert differing_parts(stamped, client_workbook_by_openpyxl(pages)) == []
    assert findings(stamped, functions=LINKS) == []


@pytest.mark.parametrize("name", ["several accounts", "hostile texts", "couple", "unknown lots"])
def test_openpyxl_reads_the_same_cells_of_both(name: str) -> None:
    pages = CLIENTS[name]()
    found = cells(client_workbook(pages))
    assert found == cells(client_workbook_by_openpyxl(pages))
    assert len(found) > 200
    assert found["Trades", "set-up"]["choices"][0][1] == '"yes,no"'


@pytest.mark.parametrize("name", RECALCULATED)
def test_recalculating_changes_nothing(calc: CalcSession, tmp_path: Path, name: str) -> None:
    with calc.open(write(tmp_path, client_workbook(CLIENTS[name]()))) as book:
        assert book.sheet_names() == SHEETS
        before = all_cells(book)
        book.recalculate()
        after = all_cells(book)
    assert changed(before, after) == []
    assert sum(cell.kind == "formula" for cell in after.values()) > 60


@pytest.mark.parametrize("name", ["several accounts", "many kinds", "with lots", "couple"])
def test_it_is_valid(name: str, tmp_path: Path, shared: Path) -> None:
    path = write(tmp_path, client_workbook(CLIENTS[name]()))
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["several accounts", "withdrawal", "contribution", "many kinds"])
def test_saved_values_are_the_engines(name: str) -> None:
    pages = CLIENTS[name]()
    data = client_workbook(pages)
    rows = {(r["Portfolio"], r["Asset class"]): r for r in saved_rows(data, "tblDrift")}
    for each in pages.plans:
        for found in each.classes:
            row = rows.pop((each.account, found.asset_class))
            assert row["Weight"] == pytest.approx(found.weight_before, abs=1e-12)
            assert row["Drift after"] == pytest.approx(found.drift_after, abs=1e-12)
            assert row["Status"] == found.status_before
    assert not rows
    accounts = {r["Account"]: r for r in saved_rows(data, "tblAccounts")}
    for each in pages.plans:
        assert accounts[each.account]["Cash after"] == pytest.approx(each.cash_after, abs=1e-6)
    trades = saved_rows(data, "tblTrades")
    assert [(r["Account"], r["Action"], r["Symbol"], r["Quantity"], r["Cost"]) for r in trades] == [
        (t.account, t.action.value, t.symbol, t.quantity, t.cost) for t in pages.trades
    ]


def test_the_walk_through() -> None:
    """1,901,000 in four funds at 60/30/10 and 5 pp, by hand: only real estate is outside (-5.53 pp)."""
    data = client_workbook(of_accounts(plan(walk_rows())))
    drift = {row["Asset class"]: row for row in saved_rows(data, "tblDrift")}
    assert drift["Real Estate"]["Drift"] == pytest.approx(85_000 / 1_901_000 - 0.1, abs=1e-12)
    assert [row["Status"] for row in drift.values()] == ["within", "within", "below", "within"]
    summary = words(data, "Summary")
    assert "1 of 4 classes outside their band, 0 after the trades" in summary
    assert "Send 2 sales and 1 purchase in 1 account: sheet Trades." in summary
    assert summary.count("ok") == 5  # four checks and the cash of the account


def test_the_couple_is_taxed_as_planned() -> None:
    """The $3 million couple: what the plan says of taxes stands on the sheet."""
    pages = together(households.couple())
    plan_ = pages.together
    assert plan_ is not None
    data = client_workbook(pages)
    (row,) = saved_rows(data, "tblReturns")
    assert row["Tax added"] == pytest.approx(plan_.tax_added, abs=1e-9)
    sales = saved_rows(data, "tblSales")
    assert [r["Units sold"] for r in sales] == [s.quantity for s in plan_.lot_sales]
    assert sum(float(str(r["Gain"])) for r in sales) == pytest.approx(
        sum(s.gain for s in plan_.lot_sales)
    )
    lots = saved_rows(data, "tblLots")
    assert {r["Symbol"]: r["Sold by the plan"] for r in lots if r["Sold by the plan"]} == {
        s.symbol: s.quantity for s in plan_.lot_sales
    }
    # The gain left: VTI 1,500 x 150 + 1,000 x 120, MUB 1,900 x -3, and VXUS what is not sold x -15.
    left = 1_500.0 * 150 + 1_000 * 120 - 1_900 * 3
    left -= 15 * (3_000 - sum(s.quantity for s in plan_.lot_sales if s.symbol == "VXUS"))
    assert sum(float(str(r["Gain left"])) for r in lots) == pytest.approx(left)
    assert saved_rows(data, "tblWays")[-1]["Tax this year"] == pytest.approx(plan_.tax_added)


def test_without_tax_data_it_says_so() -> None:
    taxes = words(client_workbook(of_accounts(plan(walk_rows()))), "Taxes")
    assert any(text.startswith("No lots are known") for text in taxes)
    lots = words(client_workbook(of_accounts(plan(walk_rows()))), "Lots")
    assert any(text.startswith("No lots are known") for text in lots)


def test_why_nothing_is_traded_and_whom_to_ask() -> None:
    quiet = words(client_workbook(CLIENTS["no trades"]()), "Trades")
    assert "No trades: every class is within its band." in quiet
    asked = client_workbook(CLIENTS["asks first"]())
    assert any("ask the client first for Joint 1234" in text for text in words(asked, "Summary"))
    assert {row["Approved"] for row in saved_rows(asked, "tblTrades")} == {None}
    assert {row["Approved"] for row in saved_rows(client_workbook(with_lots()), "tblTrades")} == {
        "yes"
    }


def test_text_is_text() -> None:
    pages = CLIENTS["hostile texts"]()
    evil = ClientPages(
        household="=cmd|'/c calc'!A1",
        name='=HYPERLINK("http://example.com")',
        book=pages.book,
        policy=pages.policy,
        plans=pages.plans,
        notes=("=1+1", "@SUM(1)"),
        dashboard='x","y")+1+HYPERLINK("z',
    )
    data = client_workbook(evil)
    assert findings(data, functions=LINKS) == []
    book = load_workbook(io.BytesIO(data))
    assert book["Summary"]["A1"].data_type == "s"
    assert book["Summary"]["A1"].quotePrefix
    formulas = {
        str(cell.value)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    others = {
        str(cell.value)
        for sheet in load_workbook(
            io.BytesIO(client_workbook(of_accounts(plan(walk_rows()), dashboard="")))
        ).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    (link,) = formulas - others
    assert link.startswith('=HYPERLINK("x"",""y"")+1+HYPERLINK(""z","')
    assert len(words(data, "Holdings")) > len(HOSTILE)


def test_the_line_on_the_dashboard_says_the_same() -> None:
    pages = CLIENTS["several accounts"]()
    line = client_line(pages, file="clients/x.xlsx")
    data = client_workbook(pages)
    rows = saved_rows(data, "tblDrift")
    worst = max(rows, key=lambda row: abs(float(str(row["Drift"]))))
    assert (line.worst_class, line.worst_drift) == (worst["Asset class"], worst["Drift"])
    assert line.breaches == sum(row["Status"] != "within" for row in rows)
    assert line.drifts == {
        r["Asset class"]: pytest.approx(r["Drift"]) for r in saved_rows(data, "tblClasses")
    }
    assert line.value == pytest.approx(
        sum(float(str(r["Value"])) for r in saved_rows(data, "tblAccounts"))
    )
    assert line.sells == sum(t.value for t in pages.trades if t.action is Action.SELL)
    assert line.model == "Growth + Income"
    assert line.tax is None
    couple = client_line(together(households.couple()))
    assert couple.tax == pytest.approx(-720.0)
    assert couple.tax_saved is not None
    assert couple.tax_saved > 0


def test_the_bytes_depend_on_the_client_only() -> None:
    names = ("walk-through", "couple", "walk-through")
    one, _, again = (client_workbook(CLIENTS[name]()) for name in names)
    assert one == again
    code = (
        "import hashlib\nfrom tests.workbooks.clients import CLIENTS\n"
        "from xl_rebal.workbooks.client_workbook import client_workbook\n"
        "print(hashlib.sha256(client_workbook(CLIENTS['walk-through']())).hexdigest())"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
        cwd=Path(__file__).parents[2],
    )
    assert fresh.stdout.strip() == hashlib.sha256(one).hexdigest()


def test_a_plan_of_all_accounts_takes_no_other_plans() -> None:
    pages, other = together(households.couple()), of_accounts(plan(walk_rows()))
    with pytest.raises(ValueError, match="brings its own"):
        ClientPages(
            household="h",
            name="n",
            book=pages.book,
            policy=pages.policy,
            together=pages.together,
            plans=other.plans,
        )


def test_its_pages_can_be_printed(
    render_pages: Callable[[Path, Path], list[Path]], tmp_path: Path
) -> None:
    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("no pdftotext to read the printed pages with")
    rows = [{**row, "quantity": row["quantity"] * 40_000} for row in walk_rows()]
    data = client_workbook(of_accounts(plan(rows)))
    pages = render_pages(write(tmp_path, data), tmp_path)
    assert len(pages) == len(SHEETS)
    assert all(page.stat().st_size > 6000 for page in pages)
    shown = subprocess.run(
        [pdftotext, "-layout", str(tmp_path / "report.pdf"), "-"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert "###" not in shown
    assert "76,040,000,000.00" in shown


def test_a_path_that_is_too_long_for_a_link_is_refused() -> None:
    pages = of_accounts(plan(walk_rows()), dashboard="x" * 256)
    for write_it in (client_workbook, client_workbook_by_openpyxl):
        with pytest.raises(RebalError, match="256 characters inside a formula"):
            write_it(pages)
