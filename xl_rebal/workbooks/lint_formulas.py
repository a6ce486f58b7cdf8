"""Checks of formulas: what they call, what they point at, and whether that exists."""

from __future__ import annotations

import re
from collections.abc import Mapping

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils import column_index_from_string, range_boundaries

from xl_rebal.workbooks.limits import formula_faults

# Functions that the report may use: all in Excel 2007 or 2010, none volatile, none that reaches
# outside the workbook. A function that is not here needs a look before it goes into a file.
ALLOWED = frozenset(
    "ABS AND COUNT COUNTA EXACT IF IFERROR INDEX INT ISNUMBER MATCH MAX MIN N NA NOT OR ROUND ROW ROWS "
    "SQRT SUM SUMPRODUCT SUMSQ T FALSE TRUE".split()
)
VOLATILE = frozenset("NOW TODAY RAND RANDBETWEEN OFFSET INDIRECT CELL INFO".split())

_ADDRESS = re.compile(r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_SHEET_RANGE = re.compile(
    r"(?:'((?:[^']|'')+)'|([^'!\[\]]+))!(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?|\$?\d+:\$?\d+)"
)
_STRUCTURED = re.compile(
    r"(?P<table>[A-Za-z_][\w.]*)\[(?:\[(?P<part>#[A-Za-z ]+)\],)?\[?(?P<column>[^\[\]]+)\]?"
    r"(?::\[(?P<last>[^\[\]]+)\])?\]"
)
_PARTS = {None, "#This Row", "#Headers", "#Data", "#All"}


def address_of(cell: str) -> tuple[int, int]:
    """Column and row of `B7`: (2, 7)."""
    match = _CELL.fullmatch(cell)
    if match is None:
        return 0, 0
    return column_index_from_string(match[1]), int(match[2])


def corners(ref: str) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of `B2:D9`."""
    left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(ref))
    return left, top, right, bottom


class FormulaCheck:
    """Checks formulas against the tables, names and sheets of one workbook; each text once."""

    def __init__(
        self,
        tables: Mapping[str, frozenset[str]],
        names: frozenset[str],
        sheets: frozenset[str],
        *,
        functions: frozenset[str] = frozenset(),
    ) -> None:
        self._allowed = ALLOWED | functions
        self._tables = tables
        self._names = names
        self._sheets = sheets
        self._known: dict[tuple[str, bool], list[str]] = {}

    def of_cell(self, formula: str) -> list[str]:
        """What is wrong with a cell's formula (without `=`); bare addresses are."""
        return self._checked(formula, in_cell=True)

    def of_name(self, formula: str) -> list[str]:
        """What is wrong with a name's, a chart's or a list's formula; it may point at a cell."""
        return self._checked(formula, in_cell=False)

    def _checked(self, formula: str, *, in_cell: bool) -> list[str]:
        key = (formula, in_cell)
        if key not in self._known:
            self._known[key] = self._faults(formula, in_cell=in_cell)
        return self._known[key]

    def _faults(self, formula: str, *, in_cell: bool) -> list[str]:
        found = formula_faults(formula)
        if not formula.strip():
            return [*found, "an empty formula"]
        depth = 0
        for token in Tokenizer("=" + formula).items:
            if token.type == Token.FUNC and token.subtype == Token.OPEN:
                depth += 1
                found += self._function(token.value[:-1])
            elif token.type == Token.OPERAND and token.subtype == Token.RANGE:
                found += self._reference(token.value, in_cell=in_cell)
            elif token.type == Token.OPERAND and token.subtype == Token.ERROR:
                found.append(f"it holds the error {token.value}")
            elif token.type == Token.FUNC and token.subtype == Token.CLOSE:
                depth -= 1
        if depth:
            found.append("its brackets do not match")
        return found

    def _function(self, name: str) -> list[str]:
        name = name.upper().lstrip(":")  # INDEX(…):INDEX(…) is a range
        if name in VOLATILE:
            return [f"{name} is volatile"]
        if name not in self._allowed:
            return [
                f"{name or 'an unnamed function'} is not among the functions that a report may use"
            ]
        return []

    def _reference(self, text: str, *, in_cell: bool) -> list[str]:
        structured = _STRUCTURED.fullmatch(text)
        if structured is not None:
            return self._structured(structured)
        if text in self._names:
            return []
        if _ADDRESS.fullmatch(text.partition(":")[0]) or "!" in text:
            if in_cell:
                return [f"{text} is a bare address; rows that move would break it"]
            match = _SHEET_RANGE.fullmatch(text)
            if match is None:
                return [f"{text} names no sheet"]
            sheet = (match[1] or match[2]).replace("''", "'")
            return [] if sheet in self._sheets else [f"there is no sheet {sheet!r}"]
        return [f"{text} is neither a table's column nor a defined name"]

    def _structured(self, match: re.Match[str]) -> list[str]:
        table, part, column = match["table"], match["part"], match["column"]
        if table not in self._tables:
            return [f"there is no table {table}"]
        if part not in _PARTS:
            return [f"{part} is not a part of a table"]
        if part is None and column == "#All":
            return []
        return [
            f"table {table} has no column {each!r}"
            for each in (column, match["last"])
            if each is not None and each not in self._tables[table]
        ]
