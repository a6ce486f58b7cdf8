"""Formulas that spill: `cm="1"` on the cell, the array's whole range, and xl/metadata.xml.

openpyxl knows none of this and drops it when it reads a file, so it is added to saved bytes. Excel
shows an implicit intersection (`=@F(...)`) for a function that it does not know to return one cell,
so formulas of the add-in that return one value are written in the same way, with a range of one cell.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from openpyxl.utils import column_index_from_string, get_column_letter

from xl_rebal.errors import RebalError
from xl_rebal.workbooks.lint_formulas import corners
from xl_rebal.workbooks.opened import MAIN, Package
from xl_rebal.workbooks.package import zip_parts

Value = float | str | None

METADATA_PART = "xl/metadata.xml"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheetMetadata+xml"
_RELATIONSHIP = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sheetMetadata"
_METADATA = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    '<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1"'
    ' pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1"'
    ' clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>'
    '<futureMetadata name="XLDAPR" count="1"><bk><extLst>'
    '<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">'
    '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata>'
    '<cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
)
_CELL = re.compile(r'<c r="([A-Z]+)([0-9]+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spill:
    """A formula at (row, column) of a sheet, and the rows of values that it was saved with."""

    sheet: str
    row: int
    column: int
    values: Sequence[Sequence[Value]]

    @property
    def ref(self) -> str:
        """The whole range, such as `A5:J9`."""
        last_row, last_column = self.row + len(self.values) - 1, self.column + self.width - 1
        first = f"{get_column_letter(self.column)}{self.row}"
        last = f"{get_column_letter(last_column)}{last_row}"
        return first if first == last else f"{first}:{last}"

    @property
    def width(self) -> int:
        """How many columns it fills."""
        return len(self.values[0])

    def cells(self) -> Iterator[tuple[str, Value]]:
        """Each cell with its value, the formula's own first."""
        for down, line in enumerate(self.values):
            for right, value in enumerate(line):
                yield f"{get_column_letter(self.column + right)}{self.row + down}", value


def with_spills(data: bytes, sheets: Sequence[str], spills: Sequence[Spill]) -> bytes:
    """A saved workbook whose formulas at the spills' corners are dynamic arrays.

    sheets  all sheet names in the order of their parts.

    Every cell of a spill must stand in the file (formatted, without content); the corner holds the
    formula.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    by_sheet: dict[str, list[Spill]] = {}
    for spill in spills:
        by_sheet.setdefault(spill.sheet, []).append(spill)
    for sheet, members in by_sheet.items():
        part = f"xl/worksheets/sheet{sheets.index(sheet) + 1}.xml"
        parts[part] = _filled(parts[part].decode(), sheet, members).encode()
    parts[METADATA_PART] = _METADATA.encode()
    types = parts["[Content_Types].xml"].decode()
    override = f'<Override PartName="/{METADATA_PART}" ContentType="{_CONTENT_TYPE}"/>'
    parts["[Content_Types].xml"] = types.replace("</Types>", f"{override}</Types>").encode()
    rels = parts["xl/_rels/workbook.xml.rels"].decode()
    link = f'<Relationship Id="rIdMetadata" Type="{_RELATIONSHIP}" Target="metadata.xml"/>'
    parts["xl/_rels/workbook.xml.rels"] = rels.replace(
        "</Relationships>", f"{link}</Relationships>"
    ).encode()
    return zip_parts(parts)


def _filled(xml: str, sheet: str, spills: Sequence[Spill]) -> str:
    values: dict[str, Value] = {}
    corner: dict[str, Spill] = {}
    for spill in spills:
        for index, (cell, value) in enumerate(spill.cells()):
            if cell in values:
                raise _fault(f"{sheet}!{cell}", "two formulas spill onto this cell")
            values[cell] = value
            if index == 0:
                corner[cell] = spill

    def fill(match: re.Match[str]) -> str:
        cell = match[1] + match[2]
        if cell not in values:
            return match[0]
        style = re.search(r' s="\d+"', match[3])
        attributes = style[0] if style else ""
        content = match[4] or ""
        value = values.pop(cell)
        if cell not in corner:
            if content:
                raise _fault(f"{sheet}!{cell}", "a formula would spill onto its content")
            return _cell(cell, attributes, "", value)
        formula = re.search(r"<f>(.*?)</f>", content, re.DOTALL)
        if formula is None:
            raise _fault(f"{sheet}!{cell}", "there is no formula to spill")
        array = f'<f t="array" ref="{corner[cell].ref}">{formula[1]}</f>'
        return _cell(cell, f'{attributes} cm="1"', array, value)

    result = _CELL.sub(fill, xml)
    if values:
        raise _fault(f"{sheet}!{min(values)}", "the file has no cell for a value of a formula")
    return result


def _cell(cell: str, attributes: str, formula: str, value: Value) -> str:
    if value is None and not formula:
        return f'<c r="{cell}"{attributes}/>'
    if isinstance(value, (int, float)):
        number = repr(float(value) + 0.0).removesuffix(".0")
        return f'<c r="{cell}"{attributes}>{formula}<v>{number}</v></c>'
    text = escape(value or "").replace("\n", "&#10;")
    return f'<c r="{cell}"{attributes} t="str">{formula}<v>{text}</v></c>'


def _fault(where: str, what: str) -> RebalError:
    return RebalError.of(where=where, what=what, remedy="report this as a bug")


def spill_findings(data: bytes) -> list[str]:
    """What is wrong with the dynamic arrays of a saved workbook, in words."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package({name: archive.read(name) for name in archive.namelist()})
    found: list[str] = []
    arrays = 0
    names = [e.get("name", "") for e in package.xml("xl/workbook.xml").iter(f"{MAIN}sheet")]
    for number, sheet in enumerate(names, start=1):
        part = f"xl/worksheets/sheet{number}.xml"
        root = package.xml(part)
        taken = [("a merge", corners(e.get("ref", ""))) for e in root.iter(f"{MAIN}mergeCell")]
        taken += [
            ("a table", corners(package.xml(target).get("ref", "")))
            for target in package.targets(part).values()
            if "/tables/" in target
        ]
        cells = list(root.iter(f"{MAIN}c"))
        formulas = {e.get("r", ""): e.find(f"{MAIN}f") for e in cells}
        for cell in cells:
            formula, where = formulas[cell.get("r", "")], cell.get("r", "")
            if formula is None or formula.get("t") != "array":
                if cell.get("cm") or (formula is not None and "REBAL_" in (formula.text or "")):
                    found.append(f"{sheet}!{where}: Excel would show an @ in its formula")
                continue
            arrays += 1
            box = corners(formula.get("ref", ""))
            if cell.get("cm") != "1":
                found.append(f"{sheet}!{where}: its array is not a dynamic one")
            if _at(where) != box[:2]:
                found.append(f"{sheet}!{where}: its array begins elsewhere")
            for what, other in taken:
                if (
                    box[0] <= other[2]
                    and other[0] <= box[2]
                    and box[1] <= other[3]
                    and (other[1] <= box[3])
                ):
                    found.append(f"{sheet}!{where}: it spills onto {what}")
            taken.append(("another array", box))
            found += [
                f"{sheet}!{where}: it spills onto the formula in {other}"
                for other, inner in formulas.items()
                if inner is not None and other != where and _inside(_at(other), box)
            ]
    if arrays and METADATA_PART not in package.parts:
        found.append("there are dynamic arrays, and no metadata")
    return found


def _at(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    return column_index_from_string(letters), int(cell[len(letters) :])


def _inside(place: tuple[int, int], box: tuple[int, int, int, int]) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3]
