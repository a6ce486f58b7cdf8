"""The report in a real spreadsheet program: nothing moves, edits follow the engine, rows may move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.libreoffice import CalcBook, CalcSession
from tests.workbooks import books
from tests.workbooks.books import SCENARIOS, SOURCE, cash_row, plan, walk_rows
from tests.workbooks.sheets import Place, all_cells, calc_rows, changed, places, write
from xl_rebal.drift import measure
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Rebalancing
from xl_rebal.workbooks.report import build_report

TARGETS = "60% Stocks, 30% Bonds, 10% Real Estate"
CURRENT, OUT_OF_DATE = "Plan is current", "PLAN OUT OF DATE"


def built(result: Rebalancing) -> bytes:
    return build_report(result, SOURCE, version="1.2.3")


def status(book: CalcBook) -> float | str | None:
    """The plan's status: the cell beside the label `Plan`."""
    for row, (label, value) in enumerate(book.values("Summary", "B1:C30"), start=1):
        if label == "Plan":
            return book.value("Summary", f"C{row}") if value is None else value
    raise AssertionError("no plan status on the Summary")


def engine_drift(rows: list[dict[str, Any]], **accounts: Any) -> dict[tuple[str, str], float]:
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets(TARGETS)}, accounts=accounts
    )
    (drift,) = measure(book)
    return {
        (account, name): float(drift.drift[a, k])
        for a, account in enumerate(drift.accounts)
        for k, name in enumerate(drift.classes)
    }


def sheet_drift(book: CalcBook, place: Place) -> dict[tuple[str, str], float]:
    return {
        (str(row["Account"]), str(row["Asset class"])): float(row["Drift"] or 0.0)
        for row in calc_rows(book, place)
    }


def assert_same(found: dict[tuple[str, str], float], wanted: dict[tuple[str, str], float]) -> None:
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        assert found[key] == pytest.approx(value, abs=1e-9), key


@pytest.mark.parametrize("name", SCENARIOS)
def test_recalculating_changes_nothing(calc: CalcSession, tmp_path: Path, name: str) -> None:
    with calc.open(write(tmp_path, built(SCENARIOS[name]()))) as book:
        before = all_cells(book)
        book.recalculate()
        after = all_cells(book)
        assert changed(before, after) == []
        assert sum(cell.kind == "formula" for cell in after.values()) > 90
        assert status(book) == CURRENT


def test_an_edited_quantity_moves_drift_as_the_engine_does(
    calc: CalcSession, tmp_path: Path
) -> None:
    rows = [*walk_rows(), cash_row(12_345.67)]
    data = built(plan(rows))
    found = places(data)
    cell = found["tblHoldings"].cell("Quantity", 3)
    with calc.open(write(tmp_path, data)) as book:
        book.set_value("Holdings", cell, 1777.25)
        book.recalculate()
        rows[3]["quantity"] = 1777.25
        assert_same(sheet_drift(book, found["tblDrift"]), engine_drift(rows))
        assert status(book) == OUT_OF_DATE
        assert calc_rows(book, found["tblHoldings"])[3]["Changed since plan"] == "changed"
        book.set_value("Holdings", cell, 1000)
        book.recalculate()
        assert status(book) == CURRENT


def test_one_step_across_the_edge_changes_the_status(calc: CalcSession, tmp_path: Path) -> None:
    """35% against a target of 40% is exactly 5 pp: reached, not beyond."""
    rows = [
        {
            "account": "IRA",
            "symbol": symbol,
            "quantity": quantity,
            "price": 100,
            "asset_class": name,
        }
        for symbol, quantity, name in (
            ("S", 4640, "Stocks"),
            ("B", 2800, "Bonds"),
            ("R", 560, "Real Estate"),
        )
    ]
    targets = "50% Stocks, 40% Bonds, 10% Real Estate"
    for policy, word, flag in (("5pp", "below", 0.0), ("5pp beyond", "within", 1.0)):
        data = built(plan(rows, targets=targets, policy=policy))
        found = places(data)
        with calc.open(write(tmp_path, data)) as book:
            book.recalculate()
            assert calc_rows(book, found["tblDrift"])[1]["Status"] == word
            settings = calc_rows(book, found["tblSettings"])
            index = [str(row["Setting"]).startswith("Breach") for row in settings].index(True)
            assert settings[index]["Value"] == flag
            book.set_value("Assumptions", found["tblSettings"].cell("Value", index), 1 - flag)
            book.recalculate()
            other = "within" if word == "below" else "below"
            assert calc_rows(book, found["tblDrift"])[1]["Status"] == other
            assert status(book) == OUT_OF_DATE


def _edit(book: CalcBook, place: Place, header: str, value: float | str, index: int = 0) -> None:
    cell = place.cell(header, index)
    if isinstance(value, str):
        book.set_text(place.sheet, cell, value)
    else:
        book.set_value(place.sheet, cell, value)


@pytest.mark.parametrize(
    ("table", "header", "value"),
    [
        ("tblHoldings", "Account", "joint 1234"),
        ("tblHoldings", "Symbol", "vti"),
        ("tblHoldings", "Price", 220.0001),
        ("tblHoldings", "Multiplier", 100.0),
        ("tblHoldings", "FX", 1.01),
        ("tblHoldings", "Kind", "cash"),
        ("tblHoldings", "Asset class", "Bonds"),
        ("tblHoldings", "Target class", "Bonds"),
        ("tblHoldings", "Target class", "Bonbs"),
        ("tblHoldings", "Quantity", "five"),
        ("tblTargets", "Target", 0.61),
        ("tblTargets", "Band up", 0.04),
        ("tblTargets", "Asset class", "Shares"),
        ("tblTargets", "Model", "Other"),
        ("tblSettings", "Value", 0.001),
        ("tblCash", "Flow", 100.0),
        ("tblCash", "Reserve", 100.0),
        ("tblTrades", "Quantity", 344.0),
        ("tblTrades", "Symbol", "ZZZ"),
    ],
)
def test_every_edited_input_makes_the_plan_out_of_date(
    calc: CalcSession, tmp_path_factory: pytest.TempPathFactory, table: str, header: str, value: Any
) -> None:
    data = _walk()
    with calc.open(write(tmp_path_factory.mktemp("edit"), data)) as book:
        _edit(book, places(data)[table], header, value)
        book.recalculate()
        rows = book.read("Summary", "B4:C12")
        assert [row[1].value for row in rows if row[0].value == "Plan"] == [OUT_OF_DATE]


def _walk() -> bytes:
    return built(plan([*walk_rows(), cash_row(5000.0)]))


def test_deleted_inserted_and_doubled_rows_make_the_plan_out_of_date(
    calc: CalcSession, tmp_path: Path
) -> None:
    data = _walk()
    place = places(data)["tblHoldings"]
    first = place.header_row + 1
    end = place.letter("Plan fx")
    with calc.open(write(tmp_path, data)) as book:
        book.insert_rows("Holdings", first + 2)  # a blank row alone means nothing
        book.recalculate()
        assert status(book) == CURRENT
        book.copy("Holdings", f"A{first}:{end}{first}", f"A{first + 2}")
        book.recalculate()
        assert status(book) == OUT_OF_DATE
        book.delete_rows("Holdings", first + 2)
        book.recalculate()
        assert status(book) == CURRENT
        book.delete_rows("Holdings", first + 1)
        book.recalculate()
        assert status(book) == OUT_OF_DATE
        # One row gone and another twice: the count is right, the sum of squares is not.
        book.insert_rows("Holdings", first + 1)
        book.copy("Holdings", f"A{first}:{end}{first}", f"A{first + 1}")
        book.recalculate()
        assert status(book) == OUT_OF_DATE


def test_a_holding_typed_into_a_new_row_is_seen(calc: CalcSession, tmp_path: Path) -> None:
    """Calc gives a new row no formulas; the checks see it all the same."""
    data = _walk()
    place = places(data)["tblHoldings"]
    with calc.open(write(tmp_path, data)) as book:
        row = place.header_row + 2
        book.insert_rows("Holdings", row)
        for header, value in (
            ("Account", "Joint 1234"),
            ("Symbol", "GLD"),
            ("Kind", "position"),
            ("Target class", "Stocks"),
        ):
            book.set_text("Holdings", f"{place.letter(header)}{row}", value)
        for header in ("Quantity", "Price", "Multiplier", "FX"):
            book.set_value("Holdings", f"{place.letter(header)}{row}", 10)
        book.recalculate()
        assert status(book) == OUT_OF_DATE


def test_sorting_keeps_the_plan_and_the_numbers(calc: CalcSession, tmp_path: Path) -> None:
    rows = [*walk_rows(), cash_row(12_345.67)]
    data = built(plan(rows))
    found = places(data)
    place = found["tblHoldings"]
    whole = f"A{place.header_row}:{place.letter('Plan fx')}{place.last_row}"
    with calc.open(write(tmp_path, data)) as book:
        for ascending in (True, False):
            book.sort("Holdings", whole, by="B", ascending=ascending, header=True)
            book.recalculate()
            symbols = [row["Symbol"] for row in calc_rows(book, place)]
            assert symbols == sorted(symbols, key=str, reverse=not ascending)
            assert_same(sheet_drift(book, found["tblDrift"]), engine_drift(rows))
            assert status(book) == CURRENT
            assert {row["Changed since plan"] for row in calc_rows(book, place)} == {"no"}


def test_rows_inserted_and_pasted_three_times_over(calc: CalcSession, tmp_path: Path) -> None:
    rows = [*walk_rows(), cash_row(12_345.67)]
    data = built(plan(rows))
    found = places(data)
    place = found["tblHoldings"]
    first, count = place.header_row + 1, len(rows)
    letter = place.letter("Plan fx")
    with calc.open(write(tmp_path, data)) as book:
        book.insert_rows("Holdings", place.last_row, 2 * count)  # above the last row: inside
        # The first rows, then the last one that moved down; together the whole table again.
        last = place.last_row + 2 * count
        for block in (1, 2):
            start = first + (count - 1) + (block - 1) * count
            book.copy("Holdings", f"A{last}:{letter}{last}", f"A{start}")
            book.copy("Holdings", f"A{first}:{letter}{first + count - 2}", f"A{start + 1}")
        book.recalculate()
        after = calc_rows(book, place, extra=2 * count)
        assert len([row for row in after if row["Symbol"] == "VTI"]) == 3
        assert_same(sheet_drift(book, found["tblDrift"]), engine_drift(rows * 3))
        drift = calc_rows(book, found["tblDrift"])
        total = 3 * sum(row["quantity"] * row["price"] for row in rows)
        assert sum(float(row["Value"] or 0) for row in drift) == pytest.approx(total)
        assert status(book) == OUT_OF_DATE
        accounts = calc_rows(book, found["tblAccounts"])
        assert accounts[0]["Total value"] == pytest.approx(total)


def test_rows_inserted_above_every_table_break_nothing(calc: CalcSession, tmp_path: Path) -> None:
    data = built(books.several_accounts())
    with calc.open(write(tmp_path, data)) as book:
        before = {sheet: _formula_values(book, sheet) for sheet in book.sheet_names()}
        for sheet in book.sheet_names():
            book.insert_rows(sheet, 3, 4)
        book.recalculate()
        for sheet, values in before.items():
            assert _formula_values(book, sheet) == values


def _formula_values(book: CalcBook, sheet: str) -> list[float | str | None]:
    cells = [cell for row in book.read(sheet, book.used_range(sheet)) for cell in row]
    assert not [cell for cell in cells if cell.error]
    return [
        round(cell.value, 9) if isinstance(cell.value, float) else cell.value
        for cell in cells
        if cell.kind == "formula"
    ]


def test_the_account_picker_drives_the_block(calc: CalcSession, tmp_path: Path) -> None:
    result = books.several_accounts()
    data = built(result)
    found = places(data)
    with calc.open(write(tmp_path, data)) as book:
        for drift in result.drifts:
            for row, account in enumerate(drift.accounts):
                picker = next(
                    number
                    for number, (label,) in enumerate(book.values("Summary", "B1:B40"), start=1)
                    if label == "Account shown"
                )
                book.set_text("Summary", f"C{picker}", account)
                book.recalculate()
                shown = [each for each in calc_rows(book, found["tblView"]) if each["Class"]]
                assert [each["Class"] for each in shown] == list(drift.classes)
                assert np.allclose(
                    [float(each["Current"] or 0) for each in shown], drift.weight[row], atol=1e-9
                )
                assert np.allclose(
                    [float(each["Drift"] or 0) for each in shown], drift.drift[row], atol=1e-9
                )


def test_changed_trades_and_costs_flow_into_cash(calc: CalcSession, tmp_path: Path) -> None:
    data = _walk()
    found = places(data)
    with calc.open(write(tmp_path, data)) as book:
        before = calc_rows(book, found["tblCash"])[0]
        book.set_value("Assumptions", found["tblSettings"].cell("Value", 1), 10)  # commission
        book.recalculate()
        after = calc_rows(book, found["tblCash"])[0]
        trades = len(calc_rows(book, found["tblTrades"]))
        assert after["Costs"] == pytest.approx(float(before["Costs"] or 0) + 10 * trades)
        quantity = found["tblTrades"].cell("Quantity", trades - 1)
        book.set_value("Trades", quantity, 100_000)
        book.recalculate()
        assert calc_rows(book, found["tblCash"])[0]["Check"] == "OVERDRAWN"
