"""The lint of the package sees each fault that is planted in a good report."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest

from tests.workbooks.books import SOURCE, plan, walk_rows
from xl_rebal.errors import RebalError
from xl_rebal.workbooks.lint import findings, require_clean
from xl_rebal.workbooks.report import build_report

Change = Callable[[str], str]


@pytest.fixture(scope="module")
def report() -> bytes:
    return build_report(plan(walk_rows()), SOURCE, version="1")


def altered(data: bytes, part: str, change: Change) -> bytes:
    """The package with one part changed; None of the parts may stay as it was."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == part:
                changed = change(text.decode()).encode()
                assert changed != text, "the planted fault changed nothing"
                text = changed
            new.writestr(name, text)
    return result.getvalue()


def swap(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


def pattern(old: str, new: str) -> Change:
    return lambda text: re.sub(old, new, text, count=1, flags=re.DOTALL)


HOLDINGS = "xl/worksheets/sheet2.xml"
DRIFT = "xl/worksheets/sheet3.xml"
TABLE = "xl/tables/table3.xml"  # tblHoldings
VALUE = r"(<f>IF\(COUNT\(tblHoldings.*?</f>)"

PLANTED: dict[str, tuple[str, Change, str]] = {
    "a formula without its value": (
        HOLDINGS,
        pattern(VALUE + r"<v>[^<]*</v>", r"\1<v></v>"),
        "has no value",
    ),
    "a volatile function": (HOLDINGS, pattern(r"<f>IF\(COUNT\(", "<f>IF(NOW("), "NOW is volatile"),
    "a function newer than Excel 2013": (
        HOLDINGS,
        pattern(r"<f>IF\(COUNT\(", "<f>IF(_xlfn.CONCAT("),
        "_XLFN.CONCAT is not among",
    ),
    "a bare address": (
        DRIFT,
        pattern(r"<f>IF\(tblDrift\[\[#This Row\],\[Target\]\]", "<f>IF(E5"),
        "E5 is a bare address",
    ),
    "a column that does not exist": (
        DRIFT,
        swap("tblHoldings[Value]", "tblHoldings[Worth]"),
        "has no column 'Worth'",
    ),
    "a table that does not exist": (
        DRIFT,
        swap("tblHoldings[Value]", "tblHolding[Value]"),
        "there is no table tblHolding",
    ),
    "a name that does not exist": (DRIFT, swap("BeyondOnly", "Beyond"), "Beyond is neither"),
    "a formula that differs from its column": (
        DRIFT,
        pattern(r"<f>SUMPRODUCT\(", "<f>-SUMPRODUCT("),
        "not that of its column",
    ),
    "a formula from a text": (
        HOLDINGS,
        pattern(
            r'(<c r="C5"[^>]*?) t="inlineStr"><is><t>[^<]*</t></is></c>',
            r'\1><f>HYPERLINK("http://x")</f><v>0</v></c>',
        ),
        "a formula stands in a column of inputs",
    ),
    "a formula that is too long": (
        HOLDINGS,
        pattern(r"<f>IF\(COUNT\(", "<f>" + "1+" * 4200 + "IF(COUNT("),
        "limit 8,192",
    ),
    "a literal that is too long": (
        HOLDINGS,
        swap('"position"', '"' + "p" * 256 + '"'),
        "256 characters inside a formula",
    ),
    "cells out of order": (HOLDINGS, swap('<c r="B5"', '<c r="A5"'), "A5 is out of order"),
    "rows out of order": (HOLDINGS, swap('<row r="6"', '<row r="5"'), "row 5 comes after row 5"),
    "a style that does not exist": (
        HOLDINGS,
        pattern(r'(<c r="A5" s=")\d+', r"\g<1>999"),
        "no style 999",
    ),
    "a rule's style that does not exist": (
        HOLDINGS,
        pattern(r'dxfId="\d+"', 'dxfId="99"'),
        "uses style 99",
    ),
    "a header that differs from its table": (
        HOLDINGS,
        swap("<t>Symbol</t>", "<t>Ticker</t>"),
        "is headed 'Ticker'",
    ),
    "a table beyond its rows": (TABLE, pattern(r'ref="A4:Y\d+"', 'ref="A4:Y4"'), "has no data row"),
    "a table's filter elsewhere": (
        TABLE,
        pattern(r'<autoFilter ref="[^"]*"', '<autoFilter ref="A1:B2"'),
        "its filter covers A1:B2",
    ),
    "a missing column": (TABLE, pattern(r'<tableColumn id="25".*?/>', ""), "columns for 25"),
    "a column twice": (TABLE, swap('name="Symbol"', 'name="Account"'), "column name stands twice"),
    "a column id twice": (
        TABLE,
        swap('<tableColumn id="2"', '<tableColumn id="1"'),
        "column id stands twice",
    ),
    "a table name twice": (
        TABLE,
        swap('displayName="tblHoldings"', 'displayName="tblAccounts"'),
        "tblAccounts stands twice",
    ),
    "a table id twice": (TABLE, swap('<table id="3"', '<table id="2"'), "a table id stands twice"),
    "tables that overlap": (
        "xl/tables/table2.xml",
        pattern(r'ref="B\d+:', 'ref="B16:'),
        "overlaps",
    ),
    "a table over merged cells": (
        HOLDINGS,
        swap(
            "</sheetData>",
            '</sheetData><mergeCells count="1"><mergeCell ref="B6:C6"/></mergeCells>',
        ),
        "overlaps merged cells",
    ),
    "a table that its sheet does not list": (
        HOLDINGS,
        pattern(r"<tableParts.*?</tableParts>", ""),
        "is not listed in its sheet",
    ),
    "a relationship to nothing": (
        "xl/worksheets/_rels/sheet2.xml.rels",
        swap("table3.xml", "table33.xml"),
        "table33.xml, which does not exist",
    ),
    "a link outside": (
        "xl/worksheets/_rels/sheet2.xml.rels",
        swap('Target="', 'TargetMode="External" Target="file:///C:/'),
        "leads outside the file",
    ),
    "a part without a type": (
        "[Content_Types].xml",
        pattern(
            r'<Override PartName="/xl/styles.xml"[^>]*/>',
            '<Default Extension="q" ContentType="q"/>',
        ),
        "a type of a missing part",
    ),
    "two sheets of one name": (
        "xl/workbook.xml",
        swap('name="Drift"', 'name="HOLDINGS"'),
        "name or id stands twice",
    ),
    "a sheet name that is too long": (
        "xl/workbook.xml",
        swap('name="Drift"', f'name="{"D" * 32}"'),
        "is not allowed",
    ),
    "a name twice": (
        "xl/workbook.xml",
        swap('<definedName name="PlanStatus"', '<definedName name="Tolerance"'),
        "name Tolerance stands twice",
    ),
    "a name that points nowhere": (
        "xl/workbook.xml",
        swap("Summary!$C$8", "Sumary!$C$8"),
        "no sheet 'Sumary'",
    ),
    "a name with an error": ("xl/workbook.xml", swap("Summary!$C$8", "#REF!"), "the error #REF!"),
    "a full calculation on opening": (
        "xl/workbook.xml",
        swap('fullCalcOnLoad="0"', 'fullCalcOnLoad="1"'),
        "recalculate on opening",
    ),
    "an axis that Excel hides": (
        "xl/charts/chart1.xml",
        swap('<delete val="0"', '<delete val="1"'),
        "would hide an axis",
    ),
    "a chart without values": (
        "xl/charts/chart1.xml",
        pattern(r"<numCache>.*?</numCache>", ""),
        "has no saved values",
    ),
    "a chart on a sheet that is not there": (
        "xl/charts/chart1.xml",
        swap("<f>Summary!", "<f>Sheet1!"),
        "no sheet 'Sheet1'",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(report: bytes, name: str) -> None:
    part, change, message = PLANTED[name]
    if name == "a part without a type":
        message = "xl/styles.xml has no content type"
        change = _without_type
    found = findings(altered(report, part, change))
    assert any(message in each for each in found), found


def _without_type(text: str) -> str:
    text = re.sub(r'<Override PartName="/xl/styles.xml"[^>]*/>', "", text)
    return re.sub(r'<Default Extension="xml"[^>]*/>', "", text)


def test_a_good_report_has_no_findings(report: bytes) -> None:
    assert findings(report) == []
    require_clean(report)


def test_findings_are_raised_together(report: bytes) -> None:
    broken = altered(report, "xl/workbook.xml", swap('fullCalcOnLoad="0"', 'fullCalcOnLoad="1"'))
    with pytest.raises(RebalError, match="recalculate on opening"):
        require_clean(broken)
