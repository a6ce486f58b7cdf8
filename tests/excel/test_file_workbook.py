"""Workbook files edited in place: what is not written stays byte for byte, and what is written is sound."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlwings
from openpyxl import Workbook as OpenpyxlWorkbook
from openpyxl import load_workbook

from tests.excel.macro_books import TEMPLATE, client, positions, ran, rows, set_cells, settings
from tests.libreoffice import CalcSession
from xl_rebal.errors import FileError, RebalError
from xl_rebal.excel.changes import Body, Changes, apply
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import run
from xl_rebal.excel.workbook import NOT_COMPUTED, Area, Formula, Visibility, find_table
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.template_portfolio import FUNCTIONS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client(tmp_path_factory.mktemp("client"))


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / made.name
    copy.write_bytes(made.read_bytes())
    return copy


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def rezipped(path: Path, changed: dict[str, bytes]) -> None:
    every = {**parts(path), **changed}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in every.items():
            package.writestr(name, data)


def test_only_the_parts_that_a_macro_writes_change(path: Path, tmp_path: Path) -> None:
    extra = {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not ours", "customUI/customUI14.xml": b"<x/>"}
    types = parts(path)["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
    )
    rezipped(path, {**extra, "[Content_Types].xml": types})
    before = parts(path)
    ran("generate_trades", FileWorkbook(path), tmp_path)
    after = parts(path)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        *(name for name in changed if name.endswith(_undo_sheet(before))),
    }
    new = set(after) - set(before)
    assert {name.rpartition("/")[0] for name in new} <= {
        "xl/worksheets",
        "xl/worksheets/_rels",
        "xl/tables",
    }
    assert after["xl/metadata.xml"] == before["xl/metadata.xml"]
    assert after["xl/charts/chart1.xml"] == before["xl/charts/chart1.xml"]
    kept = [name for name in before if name in after]
    assert [name for name in after if name in before] == kept
    styles = after["xl/styles.xml"].decode()
    xfs = re.search(r"<cellXfs[^>]*>(.*)</cellXfs>", before["xl/styles.xml"].decode(), re.DOTALL)
    assert xfs is not None
    assert xfs[1] in styles  # what is there keeps its numbers


def _undo_sheet(before: dict[str, bytes]) -> str:
    """The part of the sheet with previous values, which every macro replaces."""
    workbook, rels = (
        before["xl/workbook.xml"].decode(),
        before["xl/_rels/workbook.xml.rels"].decode(),
    )
    element = re.search(r'<sheet [^>]*name="xl_rebal undo"[^>]*r:id="(\w+)"', workbook)
    assert element is not None
    target = re.search(rf'Id="{element[1]}"[^>]*Target="([^"]+)"', rels)
    assert target is not None
    return target[1]


def test_the_result_is_sound(path: Path, tmp_path: Path, shared: Path) -> None:
    for name in ("check_drift", "generate_trades", "write_tables"):
        ran(name, FileWorkbook(path), tmp_path)
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    found = findings(path.read_bytes(), functions=FUNCTIONS)
    meant = ("its formula has no value", "recalculate on opening", "no cached values")
    assert [text for text in found if not any(words in text for words in meant)] == []


def test_stale_values_are_taken_away_and_others_stay(path: Path, tmp_path: Path) -> None:
    free = load_workbook(path)["Start"]["B2"]
    assert free is not None
    book = FileWorkbook(path)
    book.add_sheet("Mine")
    book.write("Mine", 1, 1, [[Formula("=1+1"), Formula("=Holdings!F6"), "text"]])
    book.commit()
    sheet = next(name for name, data in parts(path).items() if b"Holdings!F6" in data)
    xml = parts(path)[sheet].decode()
    other = xml.replace("<f>1+1</f>", "<f>1+1</f><v>2</v>").replace(
        "<f>Holdings!F6</f>", "<f>Holdings!F6</f><v>7</v>"
    )
    rezipped(path, {sheet: other.encode()})
    ran("generate_trades", FileWorkbook(path), tmp_path)
    assert parts(path)[sheet] == other.encode()  # nothing on it depends on the trades
    file = positions(tmp_path, "account,symbol,quantity,price\n70001111,VTI,1,220\n")
    done = FileWorkbook(path)
    run("import_positions", done, settings(tmp_path, file=file))
    assert done.stale > 100
    saved = load_workbook(path, data_only=True)
    assert saved["Mine"]["B1"].value is None
    assert saved["Drift"]["B6"].value is None
    assert saved["REBAL trades"]["D8"].value is None  # spilled, and stale
    assert 'fullCalcOnLoad="1"' in parts(path)["xl/workbook.xml"].decode()


def test_libreoffice_computes_what_was_taken_away(
    path: Path, tmp_path: Path, calc: CalcSession
) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    with calc.open(path) as book:
        total = book.value("Start", "B10")
        assert total == pytest.approx(5000 * 220 + 8000 * 75 + 85000 + 116000 + 116000 + 7500 + 500)
        assert book.value("Trades", "A12") == "Account"
        shown = [row for row in book.values("Trades", "A13:D40") if row[0]]
    expected = rows(FileWorkbook(path), "tblPlanTrades")
    assert shown == [[r["Account"], r["Symbol"], r["Action"], r["Quantity"]] for r in expected]


def test_a_file_that_libreoffice_saved_goes_on(path: Path, tmp_path: Path, soffice: str) -> None:
    ran("check_drift", FileWorkbook(path), tmp_path)
    plan = ran("generate_trades", FileWorkbook(path), tmp_path).document["plan_id"]
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [soffice, "--headless", "--norestore", profile, "--convert-to", "xlsx"]
    out = tmp_path / "saved"
    subprocess.run(
        [*command, "--outdir", str(out), str(path)], check=True, capture_output=True, timeout=120
    )
    saved = out / path.name
    assert ran("verify_trades", FileWorkbook(saved), tmp_path).document["edits"] == []
    done = ran("export_orders", FileWorkbook(saved), tmp_path, file=tmp_path / "orders.csv")
    assert done.document["plan_id"] == plan
    ran("undo_last", FileWorkbook(saved), tmp_path)
    names = FileWorkbook(saved).sheet_names()
    assert "Trades" not in names
    assert "Drift check" in names


def test_values_are_read_as_openpyxl_reads_them(path: Path, tmp_path: Path) -> None:
    book = OpenpyxlWorkbook()
    sheet = book.active
    assert sheet is not None
    odd: list[Any] = [
        1.5, -3, "text", " spaces ", "a & b < c > \"d\" 'e'", True, False, None, "line\nbreak",
        dt.datetime(2026, 11, 20), dt.datetime(2026, 11, 20, 9, 31), 1e-9, 123456789012.25, "é–中",
    ]  # fmt: skip
    for number, value in enumerate(odd, start=1):
        sheet.cell(row=number, column=2).value = value
    sheet["D3"] = "=SUM(B1:B2)"
    other = tmp_path / "odd.xlsx"
    book.save(other)
    for each in (other, path):
        ours, theirs = FileWorkbook(each), load_workbook(each, data_only=True)
        typed = load_workbook(each)
        for name in ours.sheet_names():
            area = ours.used(name)
            values, contents = ours.values(area), ours.contents(area)
            for row in range(area.rows):
                for column in range(area.columns):
                    cell = theirs[name].cell(row=row + 1, column=column + 1).value
                    found = values[row][column]
                    shown = None if found == NOT_COMPUTED else getattr(found, "text", found)
                    assert shown == cell, (name, row + 1, column + 1)
                    formula = typed[name].cell(row=row + 1, column=column + 1)
                    if formula.data_type == "f" and isinstance(formula.value, str):
                        content = contents[row][column]
                        assert isinstance(content, Formula)
                        assert content.text == formula.value


def test_what_is_written_is_what_is_read(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    book.add_sheet("Round & <trip>")
    texts = ["=1+1", "+x", "-x", "@x", "'q", " lead", "a\nb", "_x0041_", "0012", "<&>\"'", "é中"]
    numbers = [0.1, -1e-9, 1e15, 123456.789, 0.0]
    line: list[Any] = [*texts, *numbers, True, False, None, dt.datetime(2026, 11, 20)]
    book.write(
        "Round & <trip>", 2, 3, [line, [Formula('=IF(1<2,"a&b",0)')] + [None] * (len(line) - 1)]
    )
    date = Area(sheet="Round & <trip>", row=2, column=2 + len(line), rows=1, columns=1)
    book.format(date, styles.Look(format="yyyy-mm-dd"))
    book.commit()
    again = FileWorkbook(path)
    area = Area(sheet="Round & <trip>", row=2, column=3, rows=1, columns=len(line))
    assert again.values(area) == [line]
    theirs = load_workbook(path)["Round & <trip>"]
    got = [cell.value for cell in theirs[2][2 : 2 + len(line)]]
    got[texts.index("_x0041_")] = "_x0041_"  # openpyxl leaves the escape that Excel undoes
    assert got == line
    assert all(cell.data_type != "f" for cell in theirs[2])
    assert theirs["C3"].value == '=IF(1<2,"a&b",0)'


def _sheet(path: Path, name: str) -> str:
    book = FileWorkbook(path)
    return book._package.sheet_parts()[name]


def test_shared_formulas_are_expanded_where_one_is_written_over(path: Path, tmp_path: Path) -> None:
    part = _sheet(path, "Rules")
    xml = parts(path)[part].decode()
    shared = (
        '<row r="30"><c r="A30"><f t="shared" ref="A30:A32" si="0">B30*$C$1+SUM(B30:C30)</f><v>1</v></c>'
        '</row><row r="31"><c r="A31"><f t="shared" si="0"/><v>2</v></c></row>'
        '<row r="32"><c r="A32"><f t="shared" si="0"/><v>3</v></c></row></sheetData>'
    )
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    chain = b'<calcChain xmlns="' + main + b'"><c r="A30" i="4"/></calcChain>'
    types = (
        parts(path)["[Content_Types].xml"]
        .decode()
        .replace(
            "</Types>",
            '<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.spreadsheetml.calcChain+xml"/></Types>',
        )
    )
    rels = (
        parts(path)["xl/_rels/workbook.xml.rels"]
        .decode()
        .replace(
            "</Relationships>",
            '<Relationship Id="rIdChain" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
            'relationships/calcChain" Target="calcChain.xml"/></Relationships>',
        )
    )
    rezipped(
        path,
        {
            part: xml.replace("</sheetData>", shared).encode(),
            "xl/calcChain.xml": chain,
            "[Content_Types].xml": types.encode(),
            "xl/_rels/workbook.xml.rels": rels.encode(),
        },
    )
    book = FileWorkbook(path)
    area = Area(sheet="Rules", row=30, column=1, rows=3, columns=1)
    assert book.contents(area)[2] == [Formula("=B32*$C$1+SUM(B32:C32)")]
    assert book.values(area) == [[1.0], [2.0], [3.0]]
    book.write("Rules", 30, 1, [[5.0]])
    book.commit()
    again = FileWorkbook(path)
    assert again.contents(area) == [
        [5.0],
        [Formula("=B31*$C$1+SUM(B31:C31)")],
        [Formula("=B32*$C$1+SUM(B32:C32)")],
    ]
    assert again.values(area)[1:] == [[2.0], [3.0]]  # saved values stay
    assert "xl/calcChain.xml" not in parts(path)
    assert "calcChain" not in parts(path)["[Content_Types].xml"].decode()
    assert "calcChain" not in parts(path)["xl/_rels/workbook.xml.rels"].decode()


def test_an_array_formula_is_never_written_over(path: Path) -> None:
    book = FileWorkbook(path)
    with pytest.raises(RebalError, match="REBAL drift, A7: holds an array formula"):
        book.write("REBAL drift", 7, 1, [["x"]])


def test_a_users_column_follows_its_rows(path: Path, tmp_path: Path) -> None:
    book = FileWorkbook(path)
    table = find_table(book, "tblHoldings")
    assert table is not None
    column = table.area.last_column + 1
    part = next(p for t, p in book._package.tables() if t.name == "tblHoldings")
    text = parts(path)[part].decode()
    wide = table.area.ref.replace(":I", ":K")
    text = re.sub(r'ref="[^"]+"', f'ref="{wide}"', text).replace('count="9"', 'count="11"')
    text = text.replace(
        "</tableColumns>",
        '<tableColumn id="10" name="Note"/><tableColumn id="11" name="Mine"/></tableColumns>',
    )
    rezipped(path, {part: text.encode()})
    book = FileWorkbook(path)
    count = table.body.rows
    cells: list[list[Any]] = [["Note", "Mine"]]
    first = table.body.row
    cells += [[f"note {i}", Formula(f"=F{first + i}*G{first + i}")] for i in range(count)]
    book.write("Holdings", table.area.row, column, cells)
    book.commit()
    text = (
        "account,symbol,quantity,price\n70001111,BND,1,75\n70001111,NEW,5,10\n70001111,VTI,2,220\n"
    )
    before = rows(FileWorkbook(path), "tblHoldings")
    file = positions(tmp_path, text)
    done = run("import_positions", FileWorkbook(path), settings(tmp_path, file=file))
    assert "kept: rows of 70002222" in " ".join(done.lines)
    assert any("NEW" in text for text in done.warnings)
    after = rows(FileWorkbook(path), "tblHoldings")
    assert [r["Symbol"] for r in after[:3]] == ["BND", "NEW", "VTI"]
    notes = {(r["Account"], r["Symbol"]): r["Note"] for r in before}
    for row in after:
        assert row["Note"] == notes.get((row["Account"], row["Symbol"]))
    assert after[0]["Asset class"] == "Bonds/US"  # the class that the user's row had
    book = FileWorkbook(path)
    table = find_table(book, "tblHoldings")
    assert table is not None
    contents = book.contents(table.body)
    for place, line in enumerate(contents, start=table.body.row):
        assert line[10] == Formula(f"=F{place}*G{place}")
    ran("undo_last", book, tmp_path)
    assert rows(FileWorkbook(path), "tblHoldings") == before


def test_a_workbook_that_excel_saved_keeps_what_is_excels(tmp_path: Path, shared: Path) -> None:
    """xlwings ships a macro-enabled workbook that Excel itself wrote."""
    path = tmp_path / "quickstart.xlsm"
    path.write_bytes((Path(xlwings.__file__).parent / "quickstart.xlsm").read_bytes())
    before = parts(path)
    book = FileWorkbook(path)
    book.add_sheet("Mine")
    book.write("Mine", 1, 1, [["a", "b"], [1.0, "=x"]])
    area = Area(sheet="Mine", row=1, column=1, rows=2, columns=2)
    book.add_table("tblMine", area)
    book.format(area, styles.HEADER)
    book.set_column_width("Mine", 2, 20)
    assert "the folder that the file was saved in" in book.forget_traces()
    book.commit()
    after = parts(path)
    assert {name for name in before if after[name] != before[name]} == {
        *("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"),
        "docProps/core.xml",
    }
    assert b"absPath" in before["xl/workbook.xml"]
    assert b"absPath" not in after["xl/workbook.xml"]
    assert after["xl/vbaProject.bin"] == before["xl/vbaProject.bin"]
    saved = load_workbook(path, keep_vba=True)
    assert saved.sheetnames[-1] == "Mine"
    assert [cell.value for cell in saved["Mine"][2]] == [1, "=x"]
    assert saved["Mine"]["B2"].data_type == "s"
    assert saved["Mine"]["A1"].fill.fgColor.rgb == f"FF{styles.ACCENT}"
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_names_that_cannot_be_written_to(path: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a template"):
        FileWorkbook(TEMPLATE)
    with pytest.raises(FileError, match=r"end it in \.xlsx"):
        FileWorkbook(TEMPLATE, out=tmp_path / "client.xlsm")
    with pytest.raises(FileError, match="exists already"):
        FileWorkbook(TEMPLATE, out=path)
    (tmp_path / f"~${path.name}").write_bytes(b"")
    with pytest.raises(FileError, match="is open in Excel"):
        FileWorkbook(path)
    FileWorkbook(path, out=tmp_path / "copy.xlsx")
    for name, data, words in (
        ("old.xls", b"x", "no workbook that macros can edit"),
        ("broken.xlsx", b"PK not a zip", "damaged"),
        ("gone.xlsx", None, "cannot be read"),
    ):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(FileError, match=words):
            FileWorkbook(tmp_path / name)


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        ("xl/workbook.xml", "workbook", "x:workbook", "does not edit"),
        ("_xmlsignatures/sig1.xml", "", "<x/>", "digital signature"),
    ],
)
def test_files_that_are_refused_unread(
    path: Path, part: str, old: str, new: str, words: str
) -> None:
    text = parts(path).get(part, b"").decode()
    if old:
        text = text.replace(f"<{old} ", f"<{new} ", 1).replace(f"</{old}>", f"</{new}>", 1)
    rezipped(path, {part: (text or new).encode()})
    with pytest.raises(RebalError, match=words):
        FileWorkbook(path)


def test_the_same_macro_makes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    results = []
    for number in (1, 2):
        out = tmp_path / f"{number}.xlsx"
        ran("generate_trades", FileWorkbook(made, out=out), tmp_path)
        results.append(out.read_bytes())
    assert results[0] == results[1]


def test_a_table_needs_room_below(path: Path) -> None:
    book = FileWorkbook(path)
    table = find_table(book, "tblHoldings")
    assert table is not None
    book.write("Holdings", table.area.last_row + 3, 2, [["my note"]])
    many = [[None] * table.area.columns for _ in range(table.body.rows + 5)]
    with pytest.raises(RebalError, match="cells below it are not empty"):
        apply(book, Changes(label="x", changes=(Body(table=table, rows=many),)))


def test_a_quantity_that_cannot_be_read_names_its_cell(path: Path, tmp_path: Path) -> None:
    ran("generate_trades", FileWorkbook(path), tmp_path)
    book = FileWorkbook(path)
    assert book.visibility("xl_rebal undo") is Visibility.VERY_HIDDEN
    bad: list[Any] = ["many", -5.0, None]
    for value in bad:

        def typed(found: list[dict[str, Any]], value: Any = value) -> list[dict[str, Any]]:
            return [{**found[0], "Quantity": value}, *found[1:]]

        set_cells(book, "tblPlanTrades", typed)
        with pytest.raises(RebalError, match=r"tblPlanTrades row 2, Quantity"):
            ran("verify_trades", book, tmp_path)
