"""Workbooks that other programs and hands have made: refused in words, or read for what they say."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.excel.macro_books import client, positions, ran, rows, set_cells
from xl_rebal.errors import RebalError, VerificationError
from xl_rebal.excel import plan_sheet, plan_store
from xl_rebal.excel.book_inputs import asked
from xl_rebal.excel.changes import Changes, apply
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.workbook import Area, Content, Formula, find_table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client(tmp_path_factory.mktemp("client"))


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / made.name
    copy.write_bytes(made.read_bytes())
    return copy


def typed(path: Path, table: str, column: str, content: Content) -> None:
    """Put a content into the first row of a table."""
    book = FileWorkbook(path)
    found = find_table(book, table)
    assert found is not None
    at = found.area.column + book.values(found.header)[0].index(column)
    book.write(found.area.sheet, found.body.row, at, [[content]])
    book.commit()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("tblHoldings", "Multiplier"),  # blank would mean 1
        ("tblHoldings", "FX"),
        ("tblTargets", "Band abs"),  # blank would mean no band of its own
        ("tblCosts", "Costs"),  # blank would mean free
        ("tblRestrictions", "Rule"),  # blank would mean none
    ],
)
def test_a_formula_without_a_saved_value_is_no_blank_cell(
    path: Path, tmp_path: Path, table: str, column: str
) -> None:
    typed(path, table, column, Formula("=1+1"))
    before = path.read_bytes()
    with pytest.raises(RebalError, match=rf"{table} row 2, {column}: holds a formula that is not"):
        ran("generate_trades", FileWorkbook(path), tmp_path)
    assert path.read_bytes() == before


def test_a_users_own_column_may_wait_to_be_computed(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    table = find_table(book, "tblHoldings")
    assert table is not None
    at = table.area.column + book.values(table.header)[0].index("Description")
    book.write("Holdings", table.area.row, at, [["My own figure"]])
    book.write("Holdings", table.body.row, at, [[Formula("=1+1")]] * table.body.rows)
    book.commit()
    assert ran("generate_trades", FileWorkbook(path), tmp_path).document["verified"]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("tblRestrictions", ["all", "never sell", "VTI", None]),
        ("tblTargets", ["Gold", 0.1, None, None]),
        ("tblHoldings", ["70001111", "VTI", None, None, None, 10.0, 220.0, None, None]),
        ("tblCosts", ["commission 1000"]),
    ],
)
def test_a_row_right_below_an_input_table_is_not_lost_without_a_word(
    path: Path, tmp_path: Path, table: str, row: list[Any]
) -> None:
    book = FileWorkbook(path)
    found = find_table(book, table)
    assert found is not None
    area = found.area
    book.write(area.sheet, area.last_row + 2, area.column, [row])  # a note further down
    book.commit()
    ran("generate_trades", FileWorkbook(path), tmp_path)
    book = FileWorkbook(path)
    book.write(area.sheet, area.last_row + 1, area.column, [row])
    book.commit()
    words = rf"sheet {area.sheet} row {area.last_row + 1}: stands right below table {table}"
    with pytest.raises(RebalError, match=words):
        ran("generate_trades", FileWorkbook(path), tmp_path)


def test_two_tables_of_one_name_are_refused(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    book.add_sheet("Other")
    book.write("Other", 1, 1, [["Asset class", "Target"], ["Stocks", 1.0]])
    book.add_table("TBLTARGETS", Area(sheet="Other", row=1, column=1, rows=2, columns=2))
    book.commit()
    with pytest.raises(
        RebalError, match=r"2 tables are named tblTargets \(on sheets Targets, Other\)"
    ):
        ran("generate_trades", FileWorkbook(path), tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"Price": None}, {"Value": None}, {"Cost": None}, {"Symbol": "bnd"}],
    ids=lambda change: str(next(iter(change))),
)
def test_verify_mends_what_export_refuses(
    path: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    before = rows(FileWorkbook(path), "tblPlanTrades")
    assert before[0]["Symbol"] == "BND"
    set_cells(
        FileWorkbook(path), "tblPlanTrades", lambda found: [{**found[0], **change}, *found[1:]]
    )
    orders = tmp_path / "orders.csv"
    with pytest.raises(RebalError, match="press Verify Trades"):
        ran("export_orders", FileWorkbook(path), tmp_path, file=orders)
    done = ran("verify_trades", FileWorkbook(path), tmp_path)
    assert "written anew" in done.lines[1]
    assert rows(FileWorkbook(path), "tblPlanTrades") == before
    ran("export_orders", FileWorkbook(path), tmp_path, file=orders)
    assert len(orders.read_text().splitlines()) == len(before) + 1


def test_a_row_of_zero_that_never_was_a_trade_goes(path: Path, tmp_path: Path) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    before = rows(FileWorkbook(path), "tblPlanTrades")
    zero = {"Account": "70001111", "Symbol": "VXUS", "Action": "BUY", "Quantity": 0.0}
    set_cells(FileWorkbook(path), "tblPlanTrades", lambda found: [*found, zero])
    ran("verify_trades", FileWorkbook(path), tmp_path)
    assert rows(FileWorkbook(path), "tblPlanTrades") == before


def test_a_quantity_beyond_reason_is_refused_in_words(path: Path, tmp_path: Path) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    typed(path, "tblPlanTrades", "Quantity", 1e308)
    with pytest.raises(RebalError, match="more units than anything has"):
        ran("verify_trades", FileWorkbook(path), tmp_path)


@pytest.mark.parametrize(
    "part",
    [
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/styles.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/worksheets/sheet2.xml",
        "xl/worksheets/_rels/sheet2.xml.rels",
        "xl/tables/table1.xml",
    ],
)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda old: old[: len(old) // 2], "is damaged"),
        (lambda old: b"\xff\xfe" + old, "UTF-8"),
        (lambda old: old[:-20] + old[-20:].replace(b"</", b"<!-- <row> --></", 1), "does not edit"),
    ],
    ids=["half", "other letters", "comment"],
)
def test_a_damaged_part_is_refused_before_anything_is_written(
    path: Path, tmp_path: Path, part: str, damage: Any, words: str
) -> None:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts[part] = damage(parts[part])
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    before = path.read_bytes()
    with pytest.raises(RebalError, match=words):
        ran("generate_trades", FileWorkbook(path), tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["client.xlsx", "orders", "orders.XLSM"])
def test_orders_never_go_over_a_workbook(path: Path, tmp_path: Path, name: str) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    before = path.read_bytes()
    with pytest.raises(RebalError, match=r"end it in \.csv"):
        ran("export_orders", FileWorkbook(path), tmp_path, file=tmp_path / name, overwrite=True)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("orders*"))


@pytest.mark.parametrize(
    ("account", "same"),
    [
        ("...111", True),
        ("XXXX-1111", True),
        ("7000-1111", True),
        ("...112", False),
        ("70003333", False),
    ],
)
def test_an_account_that_may_be_there_already_is_a_warning(
    path: Path, tmp_path: Path, account: str, same: bool
) -> None:
    file = tmp_path / "other.csv"
    file.write_text(f"account,symbol,quantity,price\n{account},VTI,1,220\n")
    done = ran("import_positions", FileWorkbook(path), tmp_path, file=file)
    found = [text for text in done.warnings if "count twice" in text]
    assert len(found) == int(same)
    assert not same or "delete the rows of 70001111" in found[0]


@pytest.mark.parametrize(
    "formula", ["=Trades!B13", "=SUM(tblPlanTrades[Value])", "=1+SUM('Trades'!D13:D14)"]
)
def test_undo_leaves_no_formula_to_a_sheet_that_is_gone(
    path: Path, tmp_path: Path, formula: str
) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    book = FileWorkbook(path)
    book.write("Rules", 40, 2, [['Trades!B13 and "tblPlanTrades" as a text'], [Formula(formula)]])
    book.commit()
    before = path.read_bytes()
    with pytest.raises(RebalError, match="Rules!B41: refers to sheet Trades"):
        ran("undo_last", FileWorkbook(path), tmp_path)
    assert path.read_bytes() == before
    book = FileWorkbook(path)
    book.write("Rules", 41, 2, [[None]])
    book.commit()
    ran("undo_last", FileWorkbook(path), tmp_path)
    assert find_table(FileWorkbook(path), "tblPlanTrades") is None


def test_a_table_does_not_grow_over_merged_cells(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    table = find_table(book, "tblHoldings")
    assert table is not None
    part = book._package.sheet_parts()["Holdings"]
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    row = table.area.last_row + 1
    merged = f'</sheetData><mergeCells count="1"><mergeCell ref="A{row}:C{row}"/></mergeCells>'
    parts[part] = re.sub(b"</sheetData>", merged.encode(), parts[part], count=1)
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    before = path.read_bytes()
    file = tmp_path / "more.csv"
    file.write_text("account,symbol,quantity,price\n70003333,VTI,1,220\n")
    with pytest.raises(RebalError, match=rf"would take in merged cells \(A{row}:C{row}\)"):
        ran("import_positions", FileWorkbook(path), tmp_path, file=file)
    assert path.read_bytes() == before


def test_sharing_leaves_no_text_of_cells_that_are_gone(path: Path, tmp_path: Path) -> None:
    """Excel and LibreOffice keep texts in a part of their own, where those of a deleted sheet would stay."""
    plan = str(ran("generate_trades", FileWorkbook(path), tmp_path).document["plan_id"])
    ran("import_positions", FileWorkbook(path), tmp_path, file=positions(tmp_path, _OTHERS))
    _as_other_programs_save(path)
    with zipfile.ZipFile(path) as package:
        texts = package.read("xl/sharedStrings.xml").decode()
    assert plan in texts
    assert "s70002222" in texts  # what undo keeps
    shown = _shown(path)
    done = ran("prepare_for_sharing", FileWorkbook(path), tmp_path)
    assert "texts of cells that are gone" in done.lines
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            data = package.read(name).decode(errors="replace")
            assert plan not in data, name
            assert "s70002222" not in data, name
    after = _shown(path)
    assert set(shown) - set(after) == {"xl_rebal undo"}
    for sheet, cells in after.items():
        if sheet not in {"Trades", "Plan"}:
            assert cells == shown[sheet]
    assert ran("prepare_for_sharing", FileWorkbook(path), tmp_path).lines == ("nothing to remove",)


_OTHERS = "account,symbol,quantity,price\n70001111,VTI,1,220\n70002222,BND,5,75\n"


def _shown(path: Path) -> dict[str, Any]:
    book = FileWorkbook(path)
    return {name: book.values(book.used(name)) for name in book.sheet_names()}


def _as_other_programs_save(path: Path) -> None:
    """Move every text of a cell into the part of shared texts."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    texts: list[str] = []

    def moved(match: re.Match[str]) -> str:
        texts.append(match[3])
        return f'<c{match[1]}{match[2]} t="s"><v>{len(texts) - 1}</v></c>'

    for name in [n for n in parts if n.startswith("xl/worksheets/sheet")]:
        old = parts[name].decode()
        new = re.sub(
            r'<c([^>]*?) t="inlineStr"([^>]*)><is>(.*?)</is></c>', moved, old, flags=re.DOTALL
        )
        parts[name] = new.encode()
    assert "xl/sharedStrings.xml" not in parts
    kind = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = "".join(f"<si>{text}</si>" for text in texts)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{kind}">{strings}</sst>'.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)


def test_a_plan_that_somebody_wrote_into_the_folder_is_checked_before_orders(
    path: Path, tmp_path: Path
) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    book = FileWorkbook(path)
    sheet = plan_sheet.read_plan(book)
    stored = plan_store.load(sheet.plan_id, tmp_path / "plans")
    first = stored.plans[0]
    more = replace(first.trades[0], quantity=first.trades[0].quantity + 1)
    forged = replace(
        stored, plans=(replace(first, trades=(more, *first.trades[1:])), *stored.plans[1:])
    )
    name = plan_store.save(forged, tmp_path / "plans")
    pages = plan_sheet.pages(forged, name, asked(stored.inputs), marks={})
    apply(book, Changes(label="x", changes=pages))
    orders = tmp_path / "orders.csv"
    with pytest.raises(VerificationError, match="tblPlanTrades row 2"):
        ran("export_orders", FileWorkbook(path), tmp_path, file=orders)
    assert not orders.exists()


@pytest.mark.parametrize(
    ("column", "content"),
    [
        ("Action", "SELL"),
        ("Quantity", 1.0),
        ("Price", 1.0),
        ("Value", 1.0),
        ("Cost", 0.0),
        ("Locked", "yes"),
        ("Account", "70002222"),
        ("Symbol", "GLD"),
    ],
)
def test_an_edit_of_any_cell_that_counts_stops_the_export(
    path: Path, tmp_path: Path, column: str, content: Any
) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        row = next(r for r in found if r["Action"] == "BUY" and r["Account"] == "70001111")
        return [{**r, column: content} if r is row else r for r in found]

    set_cells(FileWorkbook(path), "tblPlanTrades", change)
    orders = tmp_path / "orders.csv"
    words = column if column not in {"Account", "Symbol"} else "was added"
    with pytest.raises(RebalError, match=rf"was edited after the plan was verified: .*{words}"):
        ran("export_orders", FileWorkbook(path), tmp_path, file=orders)
    assert not orders.exists()


def test_a_protected_structure_is_respected(path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    old = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = old.replace(
        b"<bookViews", b'<workbookProtection lockStructure="1"/><bookViews', 1
    )
    assert parts["xl/workbook.xml"] != old
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    before = path.read_bytes()
    with pytest.raises(RebalError, match=r"protected structure.*Protect Workbook"):
        ran("generate_trades", FileWorkbook(path), tmp_path)
    assert path.read_bytes() == before
