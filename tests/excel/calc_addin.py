"""A LibreOffice that has the project's worksheet functions, and workbooks full of calls for it.

Use it through the fixture `calc_functions` of this module's importers:
`from tests.excel.calc_addin import calc_functions  # noqa: F401`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

from tests.excel.matrix import Case
from tests.libreoffice import CalcSession, find_uno_python
from xl_rebal.excel.hosts.calc.build import build_oxt
from xl_rebal.excel.hosts.calc.install import SETTINGS, settings_bytes
from xl_rebal.excel.ranges import CellError


@pytest.fixture(scope="session")
def calc_functions(
    calc: CalcSession, soffice: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CalcSession]:
    """As `calc` (it asks for that one to share its worker), with the functions of xl_rebal."""
    folder = tmp_path_factory.mktemp("calc_functions")
    unpack_extension(folder / "extensions")
    session = CalcSession(
        soffice,
        find_uno_python(),
        folder,
        extensions=folder / "extensions",
        prepare=write_settings,
    )
    yield session
    session.stop()


def unpack_extension(folder: Path) -> None:
    """A folder of extensions with ours in it, which LibreOffice loads without an installation."""
    with zipfile.ZipFile(io.BytesIO(build_oxt())) as archive:
        archive.extractall(folder / "xl_rebal")


def write_settings(profile: Path) -> None:
    """What `xl-rebal install calc` writes beside adding the extension."""
    (profile / "user").mkdir(parents=True)
    (profile / "user" / SETTINGS).write_bytes(settings_bytes())


FIRST_RESULT_ROW = 101
Shape = tuple[int, int]


def add_case(book: Workbook, title: str, case: Case, shape: Shape) -> None:
    """A sheet with a case's arguments in cells and four calls of its function.

    From row 101 on: plain with texts and numbers typed into the formula, plain with every argument
    in a cell, a CSE array and a dynamic array of the result's `shape`, side by side.
    """
    sheet = book.create_sheet(title)
    typed, referred = [], []
    column = 1
    for argument in case.arguments:
        rows = argument if isinstance(argument, list) else [[argument]]
        reference = _range(column, 1, len(rows[0]), len(rows))
        for row, line in enumerate(rows, start=1):
            for offset, cell in enumerate(line):
                if cell is not None:
                    value = str(cell) if isinstance(cell, CellError) else cell
                    sheet.cell(row, column + offset, value)
        typed.append(_literal(argument, reference))
        referred.append("" if argument is None else reference)
        column += len(rows[0]) + 1
    rows_wanted, columns_wanted = shape
    plain = f"={case.function}({','.join(typed)})"
    by_cells = f"={case.function}({','.join(referred)})"
    for position, formula in enumerate((plain, by_cells)):
        sheet.cell(FIRST_RESULT_ROW, 1 + position, formula)
    for position in (0, 1):
        left = array_column(position, shape)
        where = _range(left, FIRST_RESULT_ROW, columns_wanted, rows_wanted)
        sheet.cell(FIRST_RESULT_ROW, left, ArrayFormula(where, by_cells))


def array_column(position: int, shape: Shape) -> int:
    """The left column of the CSE array (0) and of the dynamic array (1)."""
    return 4 + position * (shape[1] + 1)


def _range(left: int, top: int, width: int, height: int) -> str:
    first = f"{get_column_letter(left)}{top}"
    last = f"{get_column_letter(left + width - 1)}{top + height - 1}"
    return first if first == last else f"{first}:{last}"


def _literal(argument: Any, reference: str) -> str:
    if argument is None:
        return ""
    if isinstance(argument, str):
        return '"' + argument.replace('"', '""') + '"'
    return repr(argument) if isinstance(argument, float) else reference


_METADATA = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" \
xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">
<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" \
pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" \
clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>
<futureMetadata name="XLDAPR" count="1"><bk><extLst>\
<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">\
<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata>
<cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>
"""
_RELATION = (
    '<Relationship Id="rIdMetadata" Target="metadata.xml" Type="http://schemas.openxmlformats.org'
    '/officeDocument/2006/relationships/sheetMetadata"/></Relationships>'
)
_CONTENT_TYPE = (
    '<Override PartName="/xl/metadata.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheetMetadata+xml"/></Types>'
)


def save_with_dynamic_arrays(book: Workbook, dynamic: dict[str, str], path: Path) -> None:
    """Save a workbook; the array formulas whose first cell `dynamic` names by sheet become dynamic."""
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(path, "w") as target:
        for number, name in enumerate(book.sheetnames, start=1):
            part = f"xl/worksheets/sheet{number}.xml"
            text = source.read(part).decode()
            if name in dynamic:
                text, found = re.subn(rf'<c r="{dynamic[name]}"', r'\g<0> cm="1"', text)
                assert found == 1, (name, found)
            target.writestr(part, text)
        ends = {"[Content_Types].xml": _CONTENT_TYPE, "xl/_rels/workbook.xml.rels": _RELATION}
        for entry in source.namelist():
            if entry in ends:
                text = source.read(entry).decode()
                target.writestr(
                    entry, text.replace(ends[entry][ends[entry].rindex("</") :], ends[entry])
                )
            elif not entry.startswith("xl/worksheets/sheet"):
                target.writestr(entry, source.read(entry))
        target.writestr("xl/metadata.xml", _METADATA)
