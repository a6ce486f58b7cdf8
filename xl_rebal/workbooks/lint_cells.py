"""Checks of a sheet's cells: order, styles, formulas with values, table headers, rules."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from xl_rebal.workbooks.limits import CELL_CHARACTERS, units
from xl_rebal.workbooks.lint_formulas import FormulaCheck, address_of
from xl_rebal.workbooks.opened import MAIN, Package

# Columns that hold different formulas on purpose; everywhere else text from a file could be one.
MIXED_COLUMNS = frozenset({("tblChecks", "Found")})


def style_counts(package: Package) -> tuple[int, int]:
    """How many cell styles and how many styles of conditional formats there are."""
    root = package.xml("xl/styles.xml")
    cells, rules = root.find(f"{MAIN}cellXfs"), root.find(f"{MAIN}dxfs")
    return (0 if cells is None else len(cells), 0 if rules is None else len(rules))


def cell_findings(
    package: Package, sheet: str, part: str, styles: tuple[int, int], check: FormulaCheck
) -> Iterator[str]:
    """What is wrong with the cells of a sheet."""
    root = package.xml(part)
    headers, calculated, plain = _columns_of(package, sheet)
    shown: dict[tuple[int, int], str] = {}
    last_row = 0
    for row in root.iter(f"{MAIN}row"):
        number = int(row.get("r", "0"))
        if number <= last_row:
            yield f"{sheet}: row {number} comes after row {last_row}"
        last_row, last_column = number, 0
        for cell in row:
            where = cell.get("r", "")
            column, at_row = address_of(where)
            if at_row != number or column <= last_column:
                yield f"{sheet}!{where} is out of order"
            last_column = column
            if int(cell.get("s", "0")) >= styles[0]:
                yield f"{sheet}!{where}: there is no style {cell.get('s')}"
            text = "".join(cell.itertext()) if cell.get("t") == "inlineStr" else ""
            if units(text) > CELL_CHARACTERS:
                yield f"{sheet}!{where} holds {units(text):,} characters (limit {CELL_CHARACTERS:,})"
            place = (column, number)
            if place in headers and cell.get("t") == "inlineStr":
                shown[place] = text
            formula = cell.find(f"{MAIN}f")
            yield from (
                f"{sheet}!{where}: {fault}"
                for fault in _cell_formula(cell, formula, place, calculated, plain, check)
            )
    for place, (table, header) in headers.items():
        if shown.get(place) != header:
            yield f"table {table}: column {header!r} is headed {shown.get(place)!r}"
    yield from _rules(sheet, root, styles[1], check)


def _columns_of(
    package: Package, sheet: str
) -> tuple[
    dict[tuple[int, int], tuple[str, str]], dict[tuple[int, int], str], set[tuple[int, int]]
]:
    """Header cells, cells of calculated columns with their formula, and cells that take none."""
    headers: dict[tuple[int, int], tuple[str, str]] = {}
    calculated: dict[tuple[int, int], str] = {}
    plain: set[tuple[int, int]] = set()
    for table in package.tables:
        if table.sheet != sheet:
            continue
        left, top, _, bottom = table.box
        for offset, (header, formula) in enumerate(zip(table.columns, table.formulas, strict=True)):
            headers[left + offset, top] = (table.name, header)
            for row in range(top + 1, bottom + 1):
                if formula:
                    calculated[left + offset, row] = formula
                elif (table.name, header) not in MIXED_COLUMNS:
                    plain.add((left + offset, row))
    return headers, calculated, plain


def _cell_formula(
    cell: ET.Element,
    formula: ET.Element | None,
    place: tuple[int, int],
    calculated: dict[tuple[int, int], str],
    plain: set[tuple[int, int]],
    check: FormulaCheck,
) -> Iterator[str]:
    if formula is None:
        if place in calculated:
            yield "its column is calculated, but it holds no formula"
        return
    text = formula.text or ""
    if place in plain:
        yield "a formula stands in a column of inputs"
    if place in calculated and calculated[place] != text:
        yield "its formula is not that of its column"
    value = cell.find(f"{MAIN}v")
    if value is None or (not value.text and cell.get("t") != "str"):
        yield "its formula has no value"
    elif cell.get("t") == "e":
        yield f"its value is the error {value.text}"
    yield from check.of_cell(text)


def _rules(sheet: str, root: ET.Element, rules: int, check: FormulaCheck) -> Iterator[str]:
    for rule in root.iter(f"{MAIN}cfRule"):
        if rule.get("dxfId") is not None and int(rule.get("dxfId", "0")) >= rules:
            yield f"{sheet}: a conditional format uses style {rule.get('dxfId')}, which does not exist"
    for choice in root.iter(f"{MAIN}dataValidation"):
        for fault in check.of_name(choice.findtext(f"{MAIN}formula1") or ""):
            yield f"{sheet}: a list of choices: {fault}"
