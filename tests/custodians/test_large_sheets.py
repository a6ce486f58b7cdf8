"""Large sheets: the fast way gives the cells of python-calamine, or steps aside."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import zipfile
from typing import Any

import openpyxl
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.table import Table

from benchmarks.reading import with_shared_strings
from tests.custodians.fuzzing import as_workbook, mutated
from tests.custodians.workbook_bytes import sheet_xml, write_workbook
from xl_rebal.custodians import large_sheets, read_positions, sheets
from xl_rebal.custodians.grid import Grid
from xl_rebal.errors import FileError, RebalError


@pytest.fixture
def always(monkeypatch):
    """Every sheet counts as large, and ends in the copy after a few rows."""
    monkeypatch.setattr(large_sheets, "LARGE", 1)
    monkeypatch.setattr(large_sheets, "HEAD", 1500)


def slow(path):
    """Every sheet's cells as python-calamine reads them."""
    with python_calamine.load_workbook(str(path)) as book:
        return [
            book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        ]


def both(path):
    """(the document's sheets read the fast way where that takes them, whether it took all of them)."""
    found = sheets.open_document(path).sheets
    assert [exact(each.rows) for each in found] == [exact(rows) for rows in slow(path)]
    return all(isinstance(each.rows, Grid) for each in found)


def exact(rows):
    """Cells with their types, so that 1, 1.0 and True differ."""
    return [[(type(cell).__name__, str(cell)) for cell in row] for row in rows]


def saved(path, rows, name="Holdings"):
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def long_table(rows=60):
    yield ["Account", "Symbol", "Name", "Quantity", "Price", "Acquired", "Settled", "Note"]
    for i in range(rows):
        day = dt.date(2020, 1, 1) + dt.timedelta(days=i)
        yield [f"{i:05d}", f"S{i % 7}", "AT&T <new>", i * 1.1, 1e-7 * i, day, bool(i % 2), None]


def test_every_kind_of_cell(tmp_path, always):
    """Saved by openpyxl; and the same with its texts in the sheet itself."""
    path = saved(tmp_path / "a.xlsx", long_table())
    assert both(path)
    rows = [[c if not isinstance(c, dt.date) else c.isoformat() for c in r] for r in long_table()]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Holdings")
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    assert both(tmp_path / "b.xlsx")
    assert both(with_shared_strings(tmp_path / "b.xlsx"))


def test_the_header_may_stand_lower_and_rows_may_be_missing(tmp_path, always):
    rows = [
        [],
        [None, "A title"],
        [],
        *[[None, *row] for row in long_table()],
        [],
        [None, "Total", 5],
    ]
    assert both(saved(tmp_path / "a.xlsx", rows))


def test_two_letter_columns(tmp_path, always, monkeypatch):
    monkeypatch.setattr(large_sheets, "HEAD", 9000)
    rows = [[f"c{i}" for i in range(60)], *[[i * j * 0.5 for i in range(60)] for j in range(40)]]
    assert both(saved(tmp_path / "a.xlsx", rows))


CELL = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**15), 10**15),
    st.booleans(),
    st.dates(dt.date(1900, 4, 1), dt.date(2100, 1, 1)),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).map(
        lambda text: text if not text.startswith("=") else f"'{text}"
    ),
    st.sampled_from(["007", "N/A", "nan", " x", "x ", "a\nb", "_x000D_", "&amp;", "#N/A", "1e5"]),
)


@settings(max_examples=60, deadline=None)
@given(
    table=st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=8, max_size=40),
    seed=st.integers(0, 99),
)
def test_random_cells(tmp_path_factory, table, seed):
    """Whatever a workbook holds, the two ways agree; the fast one may leave it to the other."""
    path = tmp_path_factory.mktemp("random") / "a.xlsx"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(large_sheets, "LARGE", 1)
        patched.setattr(large_sheets, "HEAD", random.Random(seed).randrange(300, 3000))
        both(saved(path, table))


STRANGE = {
    "a rich text": ('<c r="B9" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>', "B9"),
    "a comment": ('<!-- x --><c r="B9"><v>1</v></c>', "B9"),
    "a space": ('<c r="B9"> <v>1</v></c>', "B9"),
    "a formula": ('<c r="B9"><f>1+1</f><v>2</v></c>', "B9"),
    "an error": ('<c r="B9" t="e"><v>#N/A</v></c>', "B9"),
    "an ISO date": ('<c r="B9" t="d"><v>2024-01-05</v></c>', "B9"),
    "a reference of another row": ('<c r="B8"><v>1</v></c>', "B8"),
    "no reference": ("<c><v>1</v></c>", ""),
    "an empty value": ('<c r="B9"><v></v></c>', "B9"),
    "a closed value": ('<c r="B9"><v/></c>', "B9"),
    "single quotation marks": ("<c r='B9'><v>1</v></c>", "B9"),
    "a style that is not there": ('<c r="B9" s="900"><v>1</v></c>', "B9"),
    "a hexadecimal": ('<c r="B9"><v>0x10</v></c>', "B9"),
    "an infinite number": ('<c r="B9"><v>1e999</v></c>', "B9"),
    "not a number": ('<c r="B9"><v>NaN</v></c>', "B9"),
    "a number with blanks": ('<c r="B9"><v> 12 </v></c>', "B9"),
    "an entity": ('<c r="B9" t="inlineStr"><is><t>&#65;&lt;</t></is></c>', "B9"),
    "an empty text": ('<c r="B9" t="inlineStr"><is><t></t></is></c>', "B9"),
    "CDATA": ('<c r="B9" t="inlineStr"><is><t><![CDATA[<b>]]></t></is></c>', "B9"),
    "blanks kept": ('<c r="B9" t="inlineStr"><is><t xml:space="preserve"> x </t></is></c>', "B9"),
    "a truth that is none": ('<c r="B9" t="b"><v>2</v></c>', "B9"),
    "a shared text that is not there": ('<c r="B9" t="s"><v>5</v></c>', "B9"),
    "a leading plus": ('<c r="B9"><v>+5</v></c>', "B9"),
    "seventeen digits": ('<c r="B9"><v>0.10000000000000001</v></c>', "B9"),
    "a small number": ('<c r="B9"><v>4.9406564584124654E-324</v></c>', "B9"),
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("low", [True, False])
def test_strange_cells(tmp_path, always, name, low):
    """One odd cell, among the rows that the copy has or below them."""
    cell, _ = STRANGE[name]
    rows: list[list[Any]] = [["Symbol", "Quantity"], *[[f"S{i}", i * 1.5] for i in range(120)]]
    row = 100 if low else 9
    cell = cell.replace("B9", f"B{row}").replace("B8", f"B{row - 1}")
    sheet = sheet_xml(rows)
    old = f'<c r="B{row}"><v>{(row - 2) * 1.5}</v></c>'
    assert old in sheet
    path = write_workbook(tmp_path / "a.xlsx", sheet.replace(old, cell))
    try:
        expected = slow(path)
    except BaseException:  # calamine panics on some of these
        return
    assert exact(sheets.open_document(path).sheets[0].rows) == exact(expected[0])


def test_a_large_sheet_beside_a_small_one_and_its_table(tmp_path, monkeypatch):
    """Defined tables keep their rows though the copy of the sheet ends above their end."""
    rows: list[list[Any]] = [["symbol", "quantity", "price"]]
    rows += [["VTI", i + 1, 2.5] for i in range(2000)]
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("Holdings")
    for row in rows:
        sheet.append(row)
    sheet.add_table(Table(displayName="tblHoldings", ref="A1:C2001"))
    book.create_sheet("Notes").append(["nothing"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    plain = sheets.open_document(path)
    monkeypatch.setattr(large_sheets, "LARGE", 50_000)
    fast = sheets.open_document(path)
    assert [type(each.rows) for each in fast.sheets] == [Grid, list]
    assert [each.tables for each in fast.sheets] == [each.tables for each in plain.sheets]
    assert [list(each.rows) for each in fast.sheets] == [list(each.rows) for each in plain.sheets]
    assert len(read_positions(path).holdings) == 2000


def test_a_damaged_large_sheet_is_refused_like_any(tmp_path, always):
    path = saved(tmp_path / "a.xlsx", long_table())
    broken = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, data[: len(data) // 2] if "sheet1" in part else data)
    with pytest.raises(FileError, match="damaged"):
        sheets.open_document(broken)


def outcome(path):
    """What reading gives: every column and warning, or the words of the refusal."""
    try:
        found = read_positions(path)
    except RebalError as error:
        return str(error)
    held = found.holdings
    names = [field.name for field in dataclasses.fields(held)]
    columns = [(name, [str(cell) for cell in getattr(held, name).tolist()]) for name in names]
    return str((columns, found.accounts, found.warnings, found.as_of_text, found.base_currency))


def test_real_exports_as_workbooks_read_the_same_either_way(tmp_path, monkeypatch, shared_data):
    originals = sorted((shared_data / "brokers").rglob("*.csv"))
    path = tmp_path / "book.xlsx"
    taken = 0
    for number, original in enumerate(originals * 3):
        data = original.read_bytes()
        if number >= len(originals):
            data, _ = mutated(data, number)
        if not as_workbook(data, path):
            continue
        slow = outcome(path)
        with monkeypatch.context() as patched:
            patched.setattr(large_sheets, "LARGE", 1)
            patched.setattr(large_sheets, "HEAD", 800)
            assert outcome(path) == slow, original.name
            taken += all(isinstance(s.rows, Grid) for s in sheets.open_document(path).sheets)
    assert taken > 10  # the fast way is not merely stepping aside
