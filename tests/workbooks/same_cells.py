"""Whether two workbooks are the same: part by part as XML, and cell by cell as openpyxl reads them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from lxml import etree
from openpyxl import load_workbook


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of a package by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def _canonical(xml: bytes) -> bytes:
    """XML without the freedoms of its writer; numbers to the 16 digits that openpyxl keeps of all."""
    root = etree.fromstring(xml)
    for each in root.iter():
        if isinstance(each.tag, str) and each.tag.endswith("}v") and each.text:
            try:
                each.text = f"{float(each.text):.16g}"
            except ValueError:
                continue
    return bytes(etree.tostring(root, method="c14n"))


def differing_parts(one: bytes, other: bytes) -> list[str]:
    """The names of parts that differ, or that only one of them has."""
    mine, theirs = parts(one), parts(other)
    odd = sorted(set(mine) ^ set(theirs))
    return odd + [
        name
        for name in sorted(set(mine) & set(theirs))
        if _canonical(mine[name]) != _canonical(theirs[name])
    ]


def cells(data: bytes) -> dict[tuple[str, str], Any]:
    """Every cell of a workbook with its formula, value and format, and how the sheets are set up."""
    formulas, values = (load_workbook(io.BytesIO(data), data_only=only) for only in (False, True))
    found: dict[tuple[str, str], Any] = {}
    for sheet in formulas.worksheets:
        saved = values[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                value = saved[cell.coordinate].value
                found[sheet.title, cell.coordinate] = (
                    _rounded(cell.value),
                    cell.data_type,
                    _rounded(value),
                    cell.number_format,
                    repr(cell.font),
                    repr(cell.fill),
                    repr(cell.border),
                    repr(cell.alignment),
                    cell.quotePrefix,
                )
        found[sheet.title, "set-up"] = {
            "widths": {k: d.width for k, d in sheet.column_dimensions.items()},
            "hidden": {k: d.hidden for k, d in sheet.column_dimensions.items()},
            "heights": {k: d.height for k, d in sheet.row_dimensions.items()},
            "panes": sheet.freeze_panes,
            "print": (sheet.print_area, sheet.print_title_rows, sheet.page_setup.orientation),
            "merged": sorted(map(str, sheet.merged_cells.ranges)),
            "rules": [
                (str(each.sqref), rule.type, rule.formula)
                for each in sheet.conditional_formatting
                for rule in each.rules
            ],
            "choices": [
                (str(each.sqref), each.formula1) for each in sheet.data_validations.dataValidation
            ],
            "tables": {
                table.name: (table.ref, [c.name for c in table.tableColumns])
                for table in sheet.tables.values()
            },
            "charts": len(sheet._charts),  # type: ignore[attr-defined]
        }
    found["", "names"] = {name: each.attr_text for name, each in formulas.defined_names.items()}
    return found


def _rounded(value: Any) -> Any:
    return f"{value:.16g}" if isinstance(value, (int, float)) else value
