"""The saved package: values beside formulas, fixed times and properties, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.workbook.properties import CalcProperties

from xl_rebal.errors import RebalError
from xl_rebal.workbooks.cells import clean_text

CALC_ID = 191029  # Excel 2019 and 365: a lower one makes Excel recalculate and ask to save
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
DOCUMENT_TIME = "2000-01-01T00:00:00Z"

_FORMULA_CELL = re.compile(
    r'<c r="([A-Z]+[0-9]+)"([^>]*)><f>(.*?)</f><v(?:\s*/>|></v>)</c>', re.DOTALL
)
# What may follow the ignored errors in a sheet, by the schema's order.
_AFTER_IGNORED = re.compile(r"<drawing |<legacyDrawing |<tableParts|</worksheet>")
_FIRST_PARTS = ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<dc:title>{title}</dc:title><dc:creator>xl_rebal</dc:creator>"
    '<dcterms:created xsi:type="dcterms:W3CDTF">{time}</dcterms:created>'
    '<dcterms:modified xsi:type="dcterms:W3CDTF">{time}</dcterms:modified></cp:coreProperties>'
)
_APP = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    "<Application>xl_rebal</Application></Properties>"
)


def save(
    workbook: Workbook, values: Mapping[str, Mapping[str, float | str]], *, title: str
) -> bytes:
    """The workbook as .xlsx bytes; `values` hold, by sheet and cell, what each formula comes to."""
    # Excel shows the saved values; it recalculates what a change touches.
    workbook.calculation = CalcProperties(calcId=CALC_ID, fullCalcOnLoad=False)
    saved = io.BytesIO()
    workbook.save(saved)
    with zipfile.ZipFile(saved) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for number, sheet in enumerate(workbook.sheetnames, start=1):
        name = f"xl/worksheets/sheet{number}.xml"
        xml = _with_values(parts[name].decode(), values.get(sheet, {}), sheet)
        parts[name] = _without_warnings(xml, workbook[sheet].dimensions).encode()
    parts["docProps/core.xml"] = core_properties(title)
    parts["docProps/app.xml"] = _APP.encode()
    return zip_parts(parts)


def _with_values(xml: str, values: Mapping[str, float | str], sheet: str) -> str:
    missing = set(values)

    def fill(match: re.Match[str]) -> str:
        cell, attributes, formula = match[1], match[2], match[3]
        if cell not in missing:
            raise RebalError.of(
                where=f"{sheet}!{cell}",
                what="has a formula without a value",
                remedy="report this as a bug",
            )
        missing.discard(cell)
        value = values[cell]
        if isinstance(value, str):
            text = escape(value).replace("\n", "&#10;")
            return f'<c r="{cell}"{attributes} t="str"><f>{formula}</f><v>{text}</v></c>'
        return f'<c r="{cell}"{attributes}><f>{formula}</f><v>{_number(value)}</v></c>'

    filled = _FORMULA_CELL.sub(fill, xml)
    if missing:
        raise RebalError.of(
            where=f"{sheet}!{min(missing)}",
            what="its formula was not saved",
            remedy="report this as a bug",
        )
    return filled


def _without_warnings(xml: str, cells: str) -> str:
    """No green corners on account numbers: digits that are text are meant to be."""
    quiet = f'<ignoredErrors><ignoredError sqref="{cells}" numberStoredAsText="1"/></ignoredErrors>'
    return _AFTER_IGNORED.sub(lambda match: quiet + match[0], xml, count=1)


def _number(value: float) -> str:
    text = repr(value + 0.0)  # -0.0 becomes 0.0
    return text.removesuffix(".0")


def core_properties(title: str) -> bytes:
    """The part that names the document."""
    return _CORE.format(title=escape(clean_text(title)), time=DOCUMENT_TIME).encode()


def in_order(parts: Mapping[str, bytes]) -> list[str]:
    """The names of parts in the order in which they stand in a package."""
    first = [name for name in _FIRST_PARTS if name in parts]
    return first + sorted(name for name in parts if name not in first)


def zip_parts(parts: Mapping[str, bytes]) -> bytes:
    """Parts as a package, in the same order and with the same times every run."""
    ordered = in_order(parts)
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name in ordered:
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            entry.external_attr = 0
            package.writestr(entry, parts[name])
    return result.getvalue()
