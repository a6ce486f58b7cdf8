"""One worksheet's XML: cells read and replaced as text, everything else kept byte for byte.

openpyxl would drop what it does not know (dynamic arrays, extensions, saved values), so the rows and
cells are cut out of the text and only those that are written are made anew.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from xml.sax.saxutils import escape, unescape

from openpyxl.formula.translate import Translator
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import from_excel, to_excel
from openpyxl.utils.escape import unescape as unescape_x

from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import NOT_COMPUTED, Area, Content, Formula, WorkbookError
from xl_rebal.workbooks.cells import clean_text

_DATA = re.compile(r"<sheetData\s*/>|<sheetData>(.*?)</sheetData>", re.DOTALL)
_ROW = re.compile(r"<row\b([^>]*?)(?:/>|>(.*?)</row>)", re.DOTALL)
_CELL = re.compile(r"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_FORMULA = re.compile(r"<f\b([^>]*?)(?:/>|>(.*?)</f>)", re.DOTALL)
_VALUE = re.compile(r"<v\b[^>]*>(.*?)</v>", re.DOTALL)
_TEXT = re.compile(r"<t\b[^>]*?(?:/>|>(.*?)</t>)", re.DOTALL)
_PHONETIC = re.compile(r"<rPh\b.*?</rPh>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w:.-]+)\s*=\s*"([^"]*)"')
_ENTITIES = {"&quot;": '"', "&apos;": "'"}
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_DIMENSION = re.compile(r'(<dimension\b[^>]*?\bref=")[^"]*(")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a sheet needs of its workbook to tell what a cell shows.

    shared   the shared texts, by number.
    is_date  whether a style shows a number as a date.
    epoch    the day that serial numbers count from.
    """

    shared: Callable[[], list[str]]
    is_date: Callable[[int], bool]
    epoch: dt.datetime


@dataclass(slots=True)
class _Row:
    attributes: str
    cells: dict[int, str] = field(default_factory=dict)


class SheetXml:
    """The cells of a sheet part; `text` gives the part back."""

    def __init__(self, name: str, text: str, reader: Reader) -> None:
        self._name, self._reader = name, reader
        match = _DATA.search(text)
        if match is None:
            raise WorkbookError.of(
                where=f"sheet {name}",
                what="is written in a way that this program does not edit",
                remedy="open the workbook in Excel or LibreOffice, save it, and try again",
            )
        self._before, self._after = text[: match.start()], text[match.end() :]
        self._rows = _rows(match[1] or "")
        self._original = text
        self.changed = False
        self.lost_formulas = False  # formulas went away: the calculation chain no longer fits

    @property
    def text(self) -> str:
        """The part as it is now."""
        if not self.changed:
            return self._original
        rows = []
        for number in sorted(self._rows):
            row = self._rows[number]
            cells = "".join(row.cells[column] for column in sorted(row.cells))
            rows.append(
                f"<row{row.attributes}>{cells}</row>" if cells else f"<row{row.attributes}/>"
            )
        area = self.used()
        before = _DIMENSION.sub(rf"\g<1>{area.ref}\g<2>", self._before, count=1)
        return f"{before}<sheetData>{''.join(rows)}</sheetData>{self._after}"

    def used(self) -> Area:
        """From A1 to the last cell that is in the file."""
        last_row = max((n for n, row in self._rows.items() if row.cells), default=1)
        last = max((max(row.cells) for row in self._rows.values() if row.cells), default=1)
        return Area(sheet=self._name, row=1, column=1, rows=last_row, columns=last)

    def value(self, row: int, column: int) -> Content:
        """What a cell shows, by the file; NOT_COMPUTED for a formula without a saved value."""
        attributes, inner = self._parts(row, column)
        kind = attributes.get("t", "n")
        if kind == "inlineStr":
            return rich_text(inner) or None
        match = _VALUE.search(inner)
        if match is None or match[1] == "":
            return NOT_COMPUTED if kind != "str" and _FORMULA.search(inner) else None
        raw = _unescaped(match[1])
        if kind == "s":
            return self._reader.shared()[int(raw)] or None
        if kind == "b":
            return raw == "1"
        if kind == "e":
            return CellError(raw)
        if kind == "d":
            return dt.datetime.fromisoformat(raw.removesuffix("Z"))
        if kind == "str":
            return unescape_x(raw)
        number = float(raw)
        if self._reader.is_date(int(attributes.get("s", "0"))):
            moment = from_excel(number, self._reader.epoch)
            if isinstance(moment, dt.datetime):
                return moment
        return number

    def content(self, row: int, column: int) -> Content:
        """What a cell holds: its formula, else its value."""
        _, inner = self._parts(row, column)
        match = _FORMULA.search(inner)
        if match is None:
            return self.value(row, column)
        text = self._formula(match, row, column)
        if text:
            return Formula(f"={text}")
        value = self.value(row, column)
        return None if value == NOT_COMPUTED else value

    def style(self, row: int, column: int) -> int:
        """The number of a cell's style."""
        attributes, _ = self._parts(row, column)
        if "s" in attributes:
            return int(attributes["s"])
        found = self._rows.get(row)
        row_attributes = dict(_ATTRIBUTE.findall(found.attributes)) if found else {}
        return int(row_attributes.get("s", "0")) if row_attributes.get("customFormat") else 0

    def set_content(self, row: int, column: int, content: Content) -> None:
        """Replace what a cell holds; its format stays."""
        style = self.style(row, column)
        self._free(row, column)
        body = _body(content, self._reader.epoch)
        self._put(row, column, style, *body)

    def set_style(self, row: int, column: int, style: int) -> None:
        """Replace a cell's format; what it holds stays."""
        found = self._rows.get(row)
        raw = found.cells.get(column) if found else None
        if raw is None:
            self._put(row, column, style, "", "")
            return
        match = _CELL.match(raw)
        assert match is not None
        assert found is not None
        attributes = re.sub(r'\s+s="\d+"', "", match[1])
        end = "/>" if match[2] is None else f">{match[2]}</c>"
        found.cells[column] = f'<c{attributes} s="{style}"{end}'
        self.changed = True

    def remove(self, row: int, column: int) -> None:
        """Take a cell out of the file, its format too."""
        self._free(row, column)
        found = self._rows.get(row)
        if found is not None and found.cells.pop(column, None) is not None:
            self.changed = True

    def formulas(self) -> Iterator[tuple[int, int, str, str]]:
        """Row, column, text and array range of each formula; a shared one has its first cell's text."""
        shared: dict[str, str] = {}
        for number, row in self._rows.items():
            for column, raw in row.cells.items():
                match = _FORMULA.search(raw)
                if match is None:
                    continue
                attributes = dict(_ATTRIBUTE.findall(match[1]))
                text = _unescaped(match[2] or "")
                if attributes.get("t") == "shared":
                    text = shared.setdefault(attributes.get("si", ""), text)
                area = attributes.get("ref", "") if attributes.get("t") == "array" else ""
                yield number, column, text, area

    def drop_value(self, row: int, column: int) -> None:
        """Take away the saved value of a cell; a formula stays and is computed on opening."""
        found = self._rows.get(row)
        raw = found.cells.get(column) if found else None
        if raw is None or found is None:
            return
        match = _CELL.match(raw)
        assert match is not None
        attributes = re.sub(r'\s+t="\w+"', "", match[1])
        formula = _FORMULA.search(match[2] or "")
        found.cells[column] = f"<c{attributes}>{formula[0]}</c>" if formula else f"<c{attributes}/>"
        self.changed = True

    def _parts(self, row: int, column: int) -> tuple[dict[str, str], str]:
        found = self._rows.get(row)
        raw = found.cells.get(column) if found else None
        if raw is None:
            return {}, ""
        match = _CELL.match(raw)
        assert match is not None
        return dict(_ATTRIBUTE.findall(match[1])), match[2] or ""

    def _put(self, row: int, column: int, style: int, kind: str, inner: str) -> None:
        found = self._rows.get(row)
        if found is None:
            found = self._rows[row] = _Row(f' r="{row}"')
        found.attributes = re.sub(r'\s+spans="[^"]*"', "", found.attributes)
        attributes = f' r="{get_column_letter(column)}{row}"'
        attributes += f' s="{style}"' if style else ""
        attributes += f' t="{kind}"' if kind else ""
        found.cells[column] = f"<c{attributes}>{inner}</c>" if inner else f"<c{attributes}/>"
        self.changed = True

    def _free(self, row: int, column: int) -> None:
        """Make sure that a cell can be replaced without breaking a formula that others share."""
        _, inner = self._parts(row, column)
        match = _FORMULA.search(inner)
        if match is None:
            return
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        self.lost_formulas = True
        if attributes.get("t") == "shared":
            self._unshare(attributes.get("si", ""))
        elif attributes.get("t") in {"array", "dataTable"}:
            raise WorkbookError.of(
                where=f"sheet {self._name}, {get_column_letter(column)}{row}",
                what="holds an array formula where the macro would write",
                remedy="move the formula to another place",
            )

    def _unshare(self, number: str) -> None:
        """Give every cell of a shared formula its own text."""
        own = []
        for row, found in self._rows.items():
            for column, raw in found.cells.items():
                match = _FORMULA.search(raw)
                if match is not None and f'si="{number}"' in match[1]:
                    text = escape(self._formula(match, row, column))
                    own.append((found, column, raw.replace(match[0], f"<f>{text}</f>", 1)))
        for found, column, raw in own:  # the first cell's text was needed until here
            found.cells[column] = raw

    def _formula(self, match: re.Match[str], row: int, column: int) -> str:
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        text = _unescaped(match[2] or "")
        if text or attributes.get("t") != "shared":
            return text
        first = self._first_of_shared(attributes.get("si", ""))
        if first is None:
            return ""
        place, master = first
        moved = Translator(f"={master}", origin=place).translate_formula(
            f"{get_column_letter(column)}{row}"
        )
        return str(moved[1:])

    def _first_of_shared(self, number: str) -> tuple[str, str] | None:
        for row, found in self._rows.items():
            for column, raw in found.cells.items():
                match = _FORMULA.search(raw)
                if match and match[2] and f'si="{number}"' in match[1]:
                    return f"{get_column_letter(column)}{row}", _unescaped(match[2])
        return None


def shared_numbers(xml: str) -> set[int]:
    """The numbers of the shared texts that a sheet's cells show."""
    found = set()
    for attributes, inner in _CELL.findall(xml):
        value = _VALUE.search(inner)
        if value is not None and dict(_ATTRIBUTE.findall(attributes)).get("t") == "s":
            found.add(int(value[1]))
    return found


def rich_text(xml: str) -> str:
    """The text of a shared or inline string, its runs joined, without readings (rPh)."""
    plain = _PHONETIC.sub("", xml)
    return unescape_x("".join(_unescaped(match[1] or "") for match in _TEXT.finditer(plain)))


def _rows(data: str) -> dict[int, _Row]:
    rows: dict[int, _Row] = {}
    number = 0
    for match in _ROW.finditer(data):
        attributes = match[1]
        given = re.search(r'\br="(\d+)"', attributes)
        number = int(given[1]) if given else number + 1
        row = rows[number] = _Row(attributes if given else f' r="{number}"{attributes}')
        column = 0
        for cell in _CELL.finditer(match[2] or ""):
            place = re.search(r'\br="([A-Z]+)\d+"', cell[1])
            column = _column(place[1]) if place else column + 1
            raw = cell[0]
            if not place:
                raw = f'<c r="{get_column_letter(column)}{number}"{raw[2:]}'
            row.cells[column] = raw
    return rows


@lru_cache(maxsize=4096)
def _column(letters: str) -> int:
    return column_index_from_string(letters)


def _body(content: Content, epoch: dt.datetime) -> tuple[str, str]:
    """The type and the inner XML of a cell."""
    if content is None or content == "":
        return "", ""
    if isinstance(content, Formula):
        return "", f"<f>{escape(content.text[1:])}</f>"
    if isinstance(content, CellError):
        return "e", f"<v>{escape(content.text)}</v>"
    if isinstance(content, bool):
        return "b", f"<v>{int(content)}</v>"
    if isinstance(content, dt.datetime):
        serial: float = to_excel(content, epoch)  # type: ignore[no-untyped-call]  # openpyxl's stubs
        return "", f"<v>{_number(float(serial))}</v>"
    if isinstance(content, str):
        text = escape(_ESCAPED.sub("_x005F_", clean_text(content)))
        return "inlineStr", f'<is><t xml:space="preserve">{text}</t></is>'
    return "", f"<v>{_number(content)}</v>"


def _number(value: float) -> str:
    return repr(float(value) + 0.0).removesuffix(".0")


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    text = re.sub(r"&#x([0-9A-Fa-f]+);", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), text)
    return unescape(text, _ENTITIES)
