"""What can be wrong with a saved workbook although every part of it is valid XML by its schema.

Excel repairs such a file or drops what it does not understand, and the user sees it first. The
checks read the package with nothing but the standard library, and openpyxl's formula tokenizer.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from xl_rebal.errors import Fault, RebalError
from xl_rebal.workbooks.limits import COLUMNS, ROWS, SHEET_NAME_CHARACTERS, units
from xl_rebal.workbooks.lint_cells import cell_findings, style_counts
from xl_rebal.workbooks.lint_formulas import FormulaCheck, corners
from xl_rebal.workbooks.opened import MAIN, Package, TablePart

_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def require_clean(data: bytes) -> None:
    """Raise RebalError with everything that `findings` sees."""
    found = findings(data)
    if found:
        raise RebalError(
            *(
                Fault(where="report", what=each, remedy="report this as a bug; nothing was written")
                for each in found[:20]
            )
        )


def findings(data: bytes, *, functions: frozenset[str] = frozenset()) -> list[str]:
    """Everything that is wrong with the workbook, in words; empty when nothing is.

    functions  upper-case names that its formulas may call besides those of a report.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        package = Package({name: archive.read(name) for name in names})
    found = [
        f"part {name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    found += _parts(package)
    found += _workbook(package)
    for sheet, part in package.sheets.items():
        if part in package.parts:
            found += _tables(package, sheet, part)
    found += _unique_tables(package)
    columns = {table.name: frozenset(table.columns) for table in package.tables}
    check = FormulaCheck(
        columns, frozenset(package.names), frozenset(package.sheets), functions=functions
    )
    for name, formula in package.names.items():
        found += [f"name {name}: {fault}" for fault in check.of_name(formula)]
    styles = style_counts(package)
    for sheet, part in package.sheets.items():
        if part in package.parts:
            found += cell_findings(package, sheet, part, styles, check)
    found += _charts(package, check)
    return found


def _parts(package: Package) -> Iterator[str]:
    types = package.xml("[Content_Types].xml")
    overrides = {e.get("PartName", "")[1:] for e in types.iter(f"{_TYPES}Override")}
    defaults = {e.get("Extension", "").lower() for e in types.iter(f"{_TYPES}Default")}
    for name in sorted(overrides - set(package.parts)):
        yield f"content type of {name}, which does not exist"
    for name in package.parts:
        if name == "[Content_Types].xml":
            continue
        if name not in overrides and name.rpartition(".")[2].lower() not in defaults:
            yield f"part {name} has no content type"
        if name.lower().endswith((".bin", ".vba")):
            yield f"part {name} may hold a macro"
        if name.endswith(".rels"):
            folder, file = posixpath.split(name)
            owner = posixpath.join(posixpath.dirname(folder), file.removesuffix(".rels"))
            for rel_id, target in package.targets(owner).items():
                if target.startswith("external:"):
                    yield f"{name}: {rel_id} leads outside the file, to {target[9:]}"
                elif target not in package.parts:
                    yield f"{name}: {rel_id} leads to {target}, which does not exist"


def _workbook(package: Package) -> Iterator[str]:
    root = package.xml("xl/workbook.xml")
    targets = package.targets("xl/workbook.xml")
    ids: set[str] = set()
    folded: set[str] = set()
    for sheet in root.iter(f"{MAIN}sheet"):
        name = sheet.get("name", "")
        if name.casefold() in folded or sheet.get("sheetId", "") in ids:
            yield f"sheet {name!r}: its name or id stands twice"
        folded.add(name.casefold())
        ids.add(sheet.get("sheetId", ""))
        if not 0 < units(name) <= SHEET_NAME_CHARACTERS or re.search(r"[\\/?*\[\]:]|^'|'$", name):
            yield f"sheet name {name!r} is not allowed"
        package.sheets[name] = targets.get(sheet.get(f"{_REL}id", ""), "")
        if not package.sheets[name]:
            yield f"sheet {name!r} has no part"
    scoped: set[tuple[str, str]] = set()
    for name_ in root.iter(f"{MAIN}definedName"):
        key = (name_.get("localSheetId", ""), name_.get("name", "").casefold())
        if key in scoped:
            yield f"name {name_.get('name')} stands twice"
        scoped.add(key)
        package.names[name_.get("name", "") + (f"@{key[0]}" if key[0] else "")] = name_.text or ""
    calculation = root.find(f"{MAIN}calcPr")
    if calculation is None or calculation.get("fullCalcOnLoad", "0") not in {"0", "false"}:
        yield "Excel would recalculate on opening (fullCalcOnLoad)"


def _tables(package: Package, sheet: str, part: str) -> Iterator[str]:
    root = package.xml(part)
    merged = [corners(m.get("ref", "")) for m in root.iter(f"{MAIN}mergeCell")]
    targets = package.targets(part)
    listed = [targets.get(t.get(f"{_REL}id", ""), "") for t in root.iter(f"{MAIN}tablePart")]
    for target in targets.values():
        if "/tables/" in target and target not in listed:
            yield f"{sheet}: table part {target} is not listed in its sheet"
    boxes: list[tuple[str, tuple[int, int, int, int]]] = []
    for target in listed:
        if target not in package.parts:
            yield f"{sheet}: a table leads to no part"
            continue
        table = package.xml(target)
        name = table.get("displayName", "")
        box = corners(table.get("ref", ""))
        columns = list(table.iter(f"{MAIN}tableColumn"))
        for other, taken in (*boxes, *(("merged cells", m) for m in merged)):
            if _overlap(box, taken):
                yield f"table {name} overlaps {other}"
        boxes.append((name, box))
        yield from _table_record(name, table, box, columns)
        package.tables.append(
            TablePart(
                name=name,
                sheet=sheet,
                box=box,
                columns=[_unescaped(c.get("name", "")) for c in columns],
                formulas=[c.findtext(f"{MAIN}calculatedColumnFormula") or "" for c in columns],
            )
        )


def _table_record(
    name: str,
    table: ET.Element,
    box: tuple[int, int, int, int],
    columns: list[ET.Element],
) -> Iterator[str]:
    if box[3] <= box[1]:
        yield f"table {name} has no data row"
    if box[2] > COLUMNS or box[3] > ROWS:
        yield f"table {name} lies outside the sheet"
    if len(columns) != box[2] - box[0] + 1:
        yield f"table {name} records {len(columns)} columns for {box[2] - box[0] + 1}"
    if len({c.get("id") for c in columns}) != len(columns):
        yield f"table {name}: a column id stands twice"
    if len({c.get("name", "").casefold() for c in columns}) != len(columns):
        yield f"table {name}: a column name stands twice"
    filter_ = table.find(f"{MAIN}autoFilter")
    if filter_ is not None and filter_.get("ref") != table.get("ref"):
        yield f"table {name}: its filter covers {filter_.get('ref')}, not {table.get('ref')}"


def _unique_tables(package: Package) -> Iterator[str]:
    ids = [
        package.xml(part).get("id", "")
        for part in package.parts
        if re.fullmatch(r"xl/tables/[^/]+\.xml", part)
    ]
    if len(set(ids)) != len(ids):
        yield "a table id stands twice"
    taken = {name.casefold() for name in package.names}
    for table in package.tables:
        if table.name.casefold() in taken:
            yield f"table name {table.name} stands twice, or is also a defined name"
        taken.add(table.name.casefold())


def _charts(package: Package, check: FormulaCheck) -> Iterator[str]:
    for part in package.parts:
        if not re.fullmatch(r"xl/charts/chart\d+\.xml", part):
            continue
        root = package.xml(part)
        for axis in (*root.iter(f"{_CHART}catAx"), *root.iter(f"{_CHART}valAx")):
            delete = axis.find(f"{_CHART}delete")
            if delete is None or delete.get("val") not in {"0", "false"}:
                yield f"{part}: Excel would hide an axis"
        for reference in (*root.iter(f"{_CHART}numRef"), *root.iter(f"{_CHART}strRef")):
            formula = reference.findtext(f"{_CHART}f") or ""
            yield from (f"{part}: {fault}" for fault in check.of_name(formula))
            if reference.find(f"{_CHART}numCache") is reference.find(f"{_CHART}strCache"):
                yield f"{part}: {formula} has no saved values"


def _overlap(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> bool:
    return one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]


def _unescaped(name: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), name)
