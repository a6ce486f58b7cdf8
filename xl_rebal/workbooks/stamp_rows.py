"""Rows of a stamped sheet: one template for each row of a table, filled in column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.layout import Block, Field, Holds, Line, Spot, TableContents
from xl_rebal.workbooks.stamp_cells import (
    FormulaTexts,
    TextCells,
    require_finite,
    rest_of_cell,
)
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.tables import Column, header_look, in_file_form

StyleOf = Callable[[Look], int]
ROW = "\0"  # stands for the row's number
KEPT_ROWS = 1_000  # rows whose templates are kept for the next workbook
_LAST = "</v></c>"


def text_cells(look: Look, style_of: StyleOf) -> TextCells:
    """The cells of a look that hold text."""
    return TextCells(style_of(look), style_of(replace(look, text_prefix=True)))


def height_words(height: float | None) -> str:
    """The attributes of a row with a height of its own."""
    return "" if height is None else f' ht="{height:.16g}" customHeight="1"'


class LineStamp:
    """A line, ready to be written at any row."""

    def __init__(self, line: Line, style_of: StyleOf) -> None:
        self._slots: list[tuple[Spot, TextCells, int]] = []
        cells = []
        for spot in sorted(line.spots, key=lambda spot: spot.column):
            style, texts = style_of(spot.look), text_cells(spot.look, style_of)
            letter = get_column_letter(spot.column)
            if spot.slot:
                self._slots.append((spot, texts, style))
                rest = "%s"
            else:
                rest = _literal(rest_of_cell(spot.content, texts, style, "a line"))
            cells.append(f'<c r="{letter}{ROW}"{rest}')  # openpyxl writes no other merged cells
        written = bool(cells) or line.height is not None
        inside = "".join(cells)
        self._template = (
            f'<row r="{ROW}"{height_words(line.height)}>{inside}</row>' if written else ""
        )

    def xml(self, row: int, slots: Mapping[str, Content], where: str) -> str:
        """The row's XML."""
        if not self._template:
            return ""
        filled = tuple(
            rest_of_cell(spot.content_of(slots), texts, style, where)
            for spot, texts, style in self._slots
        )
        return (self._template % filled).replace(ROW, str(row))


class BlockStamp:
    """A table's header and rows, ready to be written at any row."""

    def __init__(self, block: Block, style_of: StyleOf) -> None:
        self.block = block
        self._header = self._header_template(style_of)
        self._columns = [_FieldStamp(each, block, style_of) for each in block.fields]
        self._row = "".join(
            f'<c r="{get_column_letter(column)}{ROW}"{each.template}'
            for column, each in enumerate(self._columns, start=block.column)
        )
        self._made: dict[int, str] = {}
        self._heights: dict[float | None, str] = {}

    def _header_template(self, style_of: StyleOf) -> str:
        cells = []
        for column, each in enumerate(self.block.fields, start=self.block.column):
            look = header_look(Column(header=each.header, look=each.look, planned=each.planned))
            texts = text_cells(look, style_of)
            cells.append(f'<c r="{get_column_letter(column)}{ROW}"{texts[each.header]}')
        inside = "".join(cells)
        return f'<row r="{ROW}"{height_words(self.block.header_height)}>{inside}</row>'

    def header(self, row: int) -> str:
        """The header's XML."""
        return self._header.replace(ROW, str(row))

    def numbers(self, contents: TableContents) -> Iterator[Sequence[float | None]]:
        """The columns that hold numbers, in the order in which `rows` takes them back as text."""
        for each, column in zip(self._columns, contents.columns, strict=True):
            if each.holds is not Holds.TEXT:
                yield column  # type: ignore[misc]  # `_FieldStamp.cells` refuses anything else

    def rows(self, contents: TableContents, first_row: int, texts: Iterator[list[str]]) -> str:
        """The XML of all rows; `texts` gives the columns of numbers as text."""
        columns = [
            each.cells(column, texts)
            for each, column in zip(self._columns, contents.columns, strict=True)
        ]
        heights = contents.heights or repeat(None, contents.count)
        words = self._heights
        attributes = []
        for height in heights:
            if height not in words:
                words[height] = height_words(height)
            attributes.append(words[height])
        templates = map(self._template, range(first_row, first_row + contents.count))
        return "".join(
            [
                template % row
                for template, row in zip(
                    templates, zip(attributes, *columns, strict=True), strict=True
                )
            ]
        )

    def _template(self, row: int) -> str:
        made = self._made.get(row)
        if made is None:
            made = f'<row r="{ROW}"%s>{self._row}</row>'.replace(ROW, str(row))
            if row <= KEPT_ROWS:
                self._made[row] = made
        return made


class _FieldStamp:
    """One column: what its cells share, and how what differs is put in."""

    def __init__(self, each: Field, block: Block, style_of: StyleOf) -> None:
        self.holds = each.holds
        self._where = f"table {block.name}, column {each.header}"
        style = style_of(each.look)
        formula = escape(in_file_form(block.name, each.formula))
        stored = f"<f>{formula}</f><v>"
        self._texts: TextCells | FormulaTexts = FormulaTexts()
        self._number, self._blank = f' s="{style}" t="n"><v>', f' s="{style}" t="n"></c>'
        if each.formula:
            self._number = f' s="{style}">{stored}'
            self._blank = f' s="{style}" t="str">{stored}{_LAST}'
        if each.holds is Holds.OPTIONAL:
            self.template = "%s"
        elif each.holds is Holds.NUMBER:
            self.template = f"{_literal(self._number)}%s{_LAST}"
        elif each.formula:
            self.template = f'{_literal(f""" s="{style}" t="str">{stored}""")}%s{_LAST}'
        else:
            self._texts = text_cells(each.look, style_of)
            self.template = "%s"

    def cells(self, column: Sequence[Content], texts: Iterator[list[str]]) -> list[str]:
        """What goes into each row's template."""
        if self.holds is Holds.TEXT:
            known = self._texts
            return [known[text] for text in column]  # type: ignore[index]
        found = next(texts)
        if self.holds is Holds.NUMBER:
            require_finite(found, 0, self._where)
            return found
        require_finite(found, column.count(None), self._where)
        number, blank = self._number, self._blank
        return [blank if text == "null" else f"{number}{text}{_LAST}" for text in found]


def _literal(text: str) -> str:
    return text.replace("%", "%%")
