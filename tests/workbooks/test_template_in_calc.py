"""The template's native formulas in a real spreadsheet program, against the engine."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.excel.calc_addin import calc_functions  # noqa: F401 - the fixture
from tests.libreoffice import CalcBook, CalcSession
from tests.workbooks.sheets import Place, all_cells, calc_rows, changed, places
from xl_rebal.excel import registry
from xl_rebal.workbooks import template_example
from xl_rebal.workbooks.template_drift import AS_ONE

FILE = PROJECT / "workbook_templates" / "portfolio.xltx"
DATA = FILE.read_bytes()
PLACES = places(DATA)
HOLDINGS, TARGETS, POLICY, DRIFT = (
    PLACES[name] for name in ("tblHoldings", "tblTargets", "tblPolicy", "tblDrift")
)
COLUMNS = ("asset_class", "value", "weight", "target", "drift", "relative_drift", "lower", "upper")
ALL = "All accounts"
Row = list[Any]


def put(book: CalcBook, place: Place, index: int, row: Row) -> None:
    """Write a row of a table; None leaves a cell as it is, "" empties nothing."""
    for header, value in zip(place.headers, row, strict=True):
        cell = place.cell(header, index)
        if isinstance(value, str):
            book.set_text(place.sheet, cell, value)
        elif value is not None:
            book.set_value(place.sheet, cell, value)


def fill(book: CalcBook, place: Place, rows: list[Row]) -> None:
    """Make a table hold exactly these rows, as Excel does when they are pasted into it."""
    have = place.last_row - place.header_row
    if len(rows) > have:
        book.insert_rows(place.sheet, place.last_row, len(rows) - have)
    elif len(rows) < have:
        book.delete_rows(place.sheet, place.header_row + 1, have - len(rows))
    for index, row in enumerate(rows):
        put(book, place, index, row)


def set_policy(book: CalcBook, trigger: str, edge: str = "reached") -> None:
    book.set_text("Targets", POLICY.cell("Value", 0), trigger)
    book.set_text("Targets", POLICY.cell("Value", 1), edge)


def engine(holdings: list[Row], targets: list[Row], trigger: str, edge: str) -> list[Row]:
    policy = [["Setting", "Value"], ["Trigger", trigger], ["Edge", edge]]
    tables = [
        [list(HOLDINGS.headers), *holdings],
        [list(TARGETS.headers), *targets],
        policy,
    ]
    result = registry.call("REBAL_DRIFT", tables)
    assert isinstance(result, list), result
    return result[1:]


def shown(book: CalcBook) -> list[dict[str, Any]]:
    return [row for row in calc_rows(book, DRIFT) if row["Asset class"]]


def assert_same(found: list[dict[str, Any]], wanted: list[Row]) -> None:
    assert [row["Asset class"] for row in found] == [row[1] for row in wanted]
    for row, line in zip(found, wanted, strict=True):
        for header, value in zip(DRIFT.headers[1:8], line[2:9], strict=True):
            got = row[header]
            if value is None:
                assert not isinstance(got, float), (line[1], header, got)
            else:
                assert got == pytest.approx(value, abs=1e-9, rel=1e-12), (line[1], header)
        assert row["Status"] == line[9], line


def hold(symbol: str, path: str, quantity: float, price: float = 10.0, **more: Any) -> Row:
    return [
        more.get("account", "One"),
        symbol,
        "",
        more.get("kind", "position"),
        path,
        quantity,
        price,
        more.get("multiplier", 1),
        more.get("fx", 1),
    ]


WALK = [row[:] for row in template_example.HOLDINGS[1:]]
WALK_TARGETS = [row[:] for row in template_example.TARGETS[1:]]
DEEP = [
    hold("A", "Stocks/US/Large", 300),
    hold("B", "Stocks/US/Small", 120),
    hold("C", "Stocks/International", 180),
    hold("D", "StocksX", 50),
    hold("E", "Bonds/US/Municipal", 210),
    hold("F", "bonds", 40),
    hold("OPT", "Stocks/US", 2, 1.5, multiplier=100, fx=1.25),
    hold("G", "Excluded", 500),
    hold("H", "Bonds", 77, kind="pending"),
    hold("USD", "Cash", 333.33, 1.0, kind="cash"),
    hold("SWEEP", "", 100.0, 1.0, kind="cash"),
]
DEEP_TARGETS = [
    ["Stocks/US", 0.4, 0.03, None],
    ["Stocks/International", 0.2, None, 0.1],
    ["StocksX", 0.05, 0.05, 0.25],
    ["Bonds", 0.35, None, None],
]
CASH_TARGETS = [["Stocks", 0.6, None, None], ["Bonds", 0.3, None, None], ["Cash", 0.1, 0.01, None]]
CASH_ROWS = [
    hold("S", "Stocks", 70),
    hold("B", "Bonds", 20),
    hold("USD", "Cash", 100, 1.0, kind="cash"),
]
EDGE = [hold("S", "Stocks", 46.4), hold("B", "Bonds", 28), hold("R", "Real Estate", 5.6)]
EDGE_TARGETS = [
    ["Stocks", 0.5, None, None],
    ["Bonds", 0.4, None, None],
    ["Real Estate", 0.1, None, None],
]
OWN_TARGETS = [
    ["Stocks", 0.5, 0.08, None],
    ["Bonds", 0.4, 0.05, 0.2],
    ["Real Estate", 0.1, None, 0.3],
]
Policies = tuple[tuple[str, str], ...]
PLAIN: Policies = (("5pp", "reached"),)
CASES: dict[str, tuple[list[Row], list[Row], Policies]] = {
    "walk": (WALK, WALK_TARGETS, PLAIN),
    "three times over": (WALK * 3, WALK_TARGETS, PLAIN),
    "edited": ([*WALK[:3], [*WALK[3][:5], 1777.25, 85.5, 1, 1]], WALK_TARGETS, PLAIN),
    "hierarchical": (
        DEEP,
        DEEP_TARGETS,
        (*PLAIN, ("20% rel", "reached"), ("5/25", "reached"), ("never", "reached")),
    ),
    "cash target": (CASH_ROWS, CASH_TARGETS, (("5%", "reached"),)),
    "at the edge": (
        EDGE,
        EDGE_TARGETS,
        (*PLAIN, ("5pp", "beyond"), ("0.02", "reached")),
    ),
    "own bands": (EDGE, OWN_TARGETS, (("own bands", "reached"), ("own bands", "beyond"))),
}


def test_recalculating_changes_no_native_cell(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        before = native_cells(book)
        book.recalculate()
        found = changed(before, native_cells(book))
        # The cells on Start that follow the add-in: #N/A without it, as an error text cannot be summed.
        assert len(found) == 8  # four figures, and the cards that show them
        assert all("'Start'" in each and "#N/A" in each for each in found)
        assert str(book.value("Start", "C4")).startswith("xl_rebal add-in not loaded")


def native_cells(book: CalcBook) -> dict[tuple[str, int, int], Any]:
    return {at: cell for at, cell in all_cells(book).items() if not at[0].startswith("REBAL ")}


@pytest.mark.parametrize("name", CASES)
def test_native_formulas_agree_with_the_engine(calc: CalcSession, name: str) -> None:
    holdings, targets, policies = CASES[name]
    with calc.open(FILE) as book:
        fill(book, HOLDINGS, holdings)
        fill(book, TARGETS, targets)
        for trigger, edge in policies:
            set_policy(book, trigger, edge)
            book.recalculate()
            assert faults(book) == {}
            assert_same(shown(book), engine(holdings, targets, trigger, edge))


def faults(book: CalcBook) -> dict[str, Any]:
    return {
        str(row["Check"]): row["Found"]
        for row in calc_rows(book, PLACES["tblChecks"])
        if row["Result"] != "ok"
    }


def test_sorting_the_holdings_changes_nothing(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        whole = f"A{HOLDINGS.header_row}:I{HOLDINGS.last_row}"
        for ascending in (True, False):
            book.sort("Holdings", whole, by="B", ascending=ascending, header=True)
            book.recalculate()
            assert_same(shown(book), engine(WALK, WALK_TARGETS, "5pp", "reached"))
            symbols = [row["Symbol"] for row in calc_rows(book, PLACES["tblWeights"])[:4]]
            assert symbols == sorted(symbols, key=str, reverse=not ascending)


TWO = [
    hold("A", "Stocks/US", 700, account="Ann ***482"),
    hold("A", "Stocks/US", 55, account="Bob 7*82"),
    hold("B", "Bonds", 300, account="Ann ***482"),
    hold("B", "Bonds", 45, account="Bob 7*82"),
    hold("A", "Stocks", 999, account="Ann ***482 x"),
    hold("C", "Cash", 12.5, 1.0, account="Bob 7*82", kind="cash"),
]
TWO_TARGETS = [["Stocks", 0.6, None, None], ["Bonds", 0.4, None, None], ["Gold", 0.0, None, None]]


def test_each_account_and_all_together(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        fill(book, HOLDINGS, TWO)
        fill(book, TARGETS, TWO_TARGETS)
        book.recalculate()
        accounts = [row["Account"] for row in calc_rows(book, PLACES["tblAccounts"])]
        assert [name for name in accounts if name] == [
            ALL,
            "Ann ***482",
            "Bob 7*82",
            "Ann ***482 x",
        ]
        wanted = engine(TWO, TWO_TARGETS, "5pp", "reached")
        for account in accounts[1:4]:
            book.set_text("Drift", "B4", str(account))
            book.recalculate()
            assert_same(shown(book), [row for row in wanted if row[0] == account])
            assert AS_ONE not in str(book.value("Drift", "B5"))
        book.set_text("Drift", "B4", ALL)
        book.recalculate()
        assert str(book.value("Drift", "B5")).endswith(AS_ONE)
        together = engine([["One", *row[1:]] for row in TWO], TWO_TARGETS, "5pp", "reached")
        assert_same(shown(book), together)
        weights = [row for row in calc_rows(book, PLACES["tblWeights"]) if row["Symbol"]]
        engine_rows = registry.call("REBAL_WEIGHTS", [[list(HOLDINGS.headers), *TWO]])
        assert isinstance(engine_rows, list)
        for row, line in zip(weights, engine_rows[1:], strict=True):
            assert row["Value"] == pytest.approx(line[3], abs=1e-9)
            assert row["Weight"] == pytest.approx(line[4], abs=1e-12)


FAULTS: tuple[tuple[Place, str, float | str, str], ...] = (
    (HOLDINGS, "Quantity", "120 sh", "Holdings whose quantity or price is not a number"),
    (HOLDINGS, "Price", "", "Holdings whose quantity or price is not a number"),
    (HOLDINGS, "FX", "x", "Multipliers or rates that are not a number"),
    (HOLDINGS, "FX", -1.0, "Multipliers or rates of zero or less"),
    (HOLDINGS, "Multiplier", 0.0, "Multipliers or rates of zero or less"),
    (HOLDINGS, "Price", -220.0, "Prices below zero"),
    (HOLDINGS, "Quantity", -1e6, "Accounts whose total is negative, or nothing to weigh"),
    (HOLDINGS, "Kind", "bond", "Kinds that are not position, cash or pending"),
    (HOLDINGS, "Asset class", "", "Holdings without an asset class"),
    (HOLDINGS, "Asset class", "Stock", "Holdings that no target covers (account shown)"),
    (TARGETS, "Target", 0.61, "Targets sum to, in %"),
    (TARGETS, "Target", "60", "Targets that are not a number"),
    (TARGETS, "Band abs", 5.0, "Bands that are not a number from 0% to 99%"),
    (TARGETS, "Asset class", "Bonds/US", "Targets that another target covers"),
)


def test_a_faulty_input_is_named_and_gives_no_verdict(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        for place, header, value, check in FAULTS:
            cell = place.cell(header)
            before = book.cell(place.sheet, cell).value
            enter(book, place.sheet, cell, value)
            book.recalculate()
            assert check in faults(book)
            rows = shown(book)
            assert {row["Status"] for row in rows} <= {"check inputs", "not covered"}
            assert "fail" in str(book.value("Start", "C6"))
            assert str(book.value("Drift", "B5")).startswith("Check the inputs")
            if place is HOLDINGS and header == "Asset class":
                loose = rows[-1]
                assert (loose["Asset class"], loose["Value"]) == ("No class or target", 1_100_000)
                assert sum(row["Weight"] for row in rows) == pytest.approx(1)
                word = "NO TARGET" if value else "NO CLASS"
                assert calc_rows(book, PLACES["tblWeights"])[0]["Counts in"] == word
            enter(book, place.sheet, cell, "" if before is None else before)
        book.recalculate()
        assert faults(book) == {}


def test_a_row_below_the_table_is_noticed(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        book.set_text("Holdings", f"B{HOLDINGS.last_row + 2}", "VTV")
        book.recalculate()
        assert faults(book) == {"Symbols below the end of the table of holdings": 1}


def enter(book: CalcBook, sheet: str, cell: str, value: float | str) -> None:
    if isinstance(value, str):
        book.set_text(sheet, cell, value)
    else:
        book.set_value(sheet, cell, value)


def test_a_policy_that_needs_the_engine_is_not_guessed(calc: CalcSession) -> None:
    with calc.open(FILE) as book:
        for trigger in ("quarterly or 5pp", "annual and 5pp", "pp", "5pp to edge"):
            set_policy(book, trigger)
            book.recalculate()
            assert {row["Status"] for row in shown(book)} == {"see REBAL drift"}
            assert f"The trigger {trigger} needs the add-in" in str(book.value("Drift", "B5"))
        for trigger, found in (
            ("5", "no unit"),
            ("0,05", "no unit"),
            ("5,5pp", "comma"),
            ("", "blank"),
        ):
            set_policy(book, trigger)
            book.recalculate()
            assert faults(book) == {"The policy's trigger has a unit": found}
            assert {row["Status"] for row in shown(book)} == {"check inputs"}


def test_a_renamed_header_is_harmless_and_a_deleted_column_is_named(
    calc: CalcSession, tmp_path: Path
) -> None:
    with calc.open(FILE) as book:
        book.set_text("Holdings", f"F{HOLDINGS.header_row}", "Units")
        book.recalculate()
        assert_same(shown(book), engine(WALK, WALK_TARGETS, "5pp", "reached"))
    # What Excel makes of a name when its column is deleted.
    gone = edited("xl/workbook.xml", rb"tblHoldings\[Price\]", b"#REF!", tmp_path / "gone.xlsx")
    with calc.open(gone) as book:
        book.recalculate()
        (check, *_) = book.read("Checks", "A5:D5")
        assert check[0].value == "Columns that are missing"
        assert check[1].value == "tblHoldings Price; "
        assert check[3].value == "CHECK"


def edited(part: str, old: bytes, new: bytes, path: Path) -> Path:
    """The template with a pattern replaced in the parts whose name begins so."""
    with zipfile.ZipFile(io.BytesIO(DATA)) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith(part):
                content, count = re.subn(old, new, content)
                assert count or "sheet" in part
            if part.startswith("xl/worksheets"):
                content = re.sub(rb"<sheetProtection[^>]*/>", b"", content)
            if name == "[Content_Types].xml":
                content = content.replace(b"template.main", b"sheet.main")
            target.writestr(name, content)
    return path


@pytest.fixture
def values_only(tmp_path: Path) -> Path:
    """The template with the add-in's formulas turned into their values."""
    return edited(
        "xl/worksheets/sheet", rb'<f t="array"[^>]*>.*?</f>', b"", tmp_path / "values.xlsx"
    )


def start_cell(book: CalcBook, label: str) -> str:
    """The cell beside the last text of this kind in column B of Start."""
    labels = [text for (text,) in book.values("Start", "B1:B60")]
    return f"C{len(labels) - labels[::-1].index(label)}"


# What a card of Start shows, and the figure below that it follows.
CARDS = {
    "D10": ("Total, by the add-in", 1_901_000.0),
    "E10": ("Trades", 3.0),
    "F10": ("Bought and sold", 210_295.0),
    "H10": ("Cost of the trades", 105.15),
}


def test_a_figure_of_the_add_in_that_is_no_number_is_not_shown(
    calc: CalcSession, values_only: Path
) -> None:
    with calc.open(values_only) as book:
        for card, (label, value) in CARDS.items():
            cell = start_cell(book, label)
            assert book.value("Start", card) == pytest.approx(value)
            book.set_text("Start", cell, "#REBAL! x")
            book.recalculate()
            assert book.cell("Start", card).error_name == "#N/A"
            book.set_value("Start", cell, value)
        book.recalculate()
        assert_same(shown(book), engine(WALK, WALK_TARGETS, "5pp", "reached"))


def test_the_line_about_the_add_in(calc: CalcSession, values_only: Path) -> None:
    with calc.open(values_only) as book:
        (version,) = [
            f"C{row}"
            for row, (label,) in enumerate(book.values("Start", "B1:B60"), start=1)
            if label == "Add-in version"
        ]
        for text, begins in (
            ("", "xl_rebal add-in not loaded"),
            ("#REBAL! x", "xl_rebal add-in not loaded"),
            ("1.2.3", "xl_rebal 1.2.3 is loaded"),
        ):
            book.set_text("Start", version, text)
            book.recalculate()
            assert str(book.value("Start", "C4")).startswith(begins)


def test_with_the_add_in_every_sheet_is_live(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    with calc_functions.open(FILE) as book:
        before = all_cells(book)
        book.recalculate()
        found = changed(before, all_cells(book))
        live = [each for each in found if "'Start'" not in each]
        assert live == []
        assert "is loaded" in str(book.value("Start", "C4"))
        book.set_value("Holdings", HOLDINGS.cell("Quantity", 3), 1777)
        book.recalculate()
        rows = [*WALK[:3], [*WALK[3][:5], 1777, 85, 1, 1]]
        wanted = engine(rows, WALK_TARGETS, "5pp", "reached")
        assert_same(shown(book), wanted)
        assert book.values("REBAL drift", "A8:J10") == wanted


def test_the_figures_of_the_add_in_do_not_depend_on_what_its_sheets_show(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    names = ("One", "Two", "Three")
    rows = [[name, *row[1:]] for name in names for row in WALK]
    with calc_functions.open(FILE) as book:
        fill(book, HOLDINGS, rows)
        book.recalculate()
        assert [book.value("Start", card) for card in CARDS] == [
            pytest.approx(3 * value) for _, value in CARDS.values()
        ]
        assert str(book.value("Start", "C4")).startswith("REBAL sheets do not show everything")
        assert str(book.value("REBAL cash flow", "A7")).startswith("The cash flow is one amount")
        book.set_text("Holdings", HOLDINGS.cell("Symbol", 1), "XXQ")
        book.recalculate()
        classes = [cell for (cell,) in book.values("REBAL classes", "B8:B10")]
        assert classes[0] == "Stocks/US"
        assert classes[2] == "Bonds/US"
        assert str(classes[1]).startswith("#REBAL! ")
        book.set_text("Holdings", HOLDINGS.cell("Quantity", 0), "many")
        book.recalculate()
        assert {book.cell("Start", card).error_name for card in CARDS} == {"#N/A"}


def test_without_trades_the_cards_show_none(
    calc_functions: CalcSession,  # noqa: F811 - pytest hands it over
) -> None:
    with calc_functions.open(FILE) as book:
        set_policy(book, "50pp")
        book.recalculate()
        assert [book.value("Start", cell) for cell in ("E10", "F10", "H10")] == [0, 0, 0]


def test_its_printed_pages_are_few(values_only: Path, tmp_path: Path, render_pages: Any) -> None:
    assert len(render_pages(values_only, tmp_path / "pages")) == 12
