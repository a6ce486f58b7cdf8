"""Rows of a stamped sheet: what stands between the cells is kept, the cells are put in column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.layout import Block, Field, Holds, Line, Spot, TableContents
from xl_rebal.workbooks.stamp_cells import (
    FormulaTexts,
    TextCells,
    ascii_xml,
    number,
    rest_of_cell,
)
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.tables import Column, header_look, in_file_form

Numbers = Sequence[Sequence[float | None]]
StyleOf = Callable[[Look], int]
ROW = "\0"  # stands for the row's number
KEPT_ROWS = 1_000  # rows whose pieces are kept for the next workbook
KEPT_TABLES = 500  # so many lengths and places of a table, whose pieces are kept together
_LAST = "</v></c>"


def text_cells(look: Look, style_of: StyleOf) -> TextCells:
    """The cells of a look that hold text."""
    return TextCells(style_of(look), style_of(replace(look, text_prefix=True)))


def height_words(height: float | None) -> str:
    """The attributes of a row with a height of its own."""
    return "" if height is None else f' ht="{height:.16g}" customHeight="1"'


class LinesStamp:
    """Lines that follow each other, ready to be written from any row on."""

    def __init__(self, lines: Sequence[Line], style_of: StyleOf) -> None:
        self.count = len(lines)
        self._lines = [self._line(line, style_of) for line in lines]
        self._slots = [
            _SpotStamp(spot, style_of) for line in lines for spot in _in_order(line) if spot.slot
        ]
        self._made: dict[int, str] = {}

    def _line(self, line: Line, style_of: StyleOf) -> str:
        cells = []
        for spot in _in_order(line):
            rest = "%s"
            if not spot.slot:
                texts = text_cells(spot.look, style_of)
                rest = _literal(rest_of_cell(spot.content, texts, style_of(spot.look), "a line"))
            # Of merged cells openpyxl writes the first one only.
            cells.append(f'<c r="{get_column_letter(spot.column)}{ROW}"{rest}')
        if not cells and line.height is None:
            return ""
        return f'<row r="{ROW}"{height_words(line.height)}>{"".join(cells)}</row>'

    def xml(self, row: int, slots: Mapping[str, Content], where: str) -> str:
        """The XML of the lines from a row on."""
        template = self._made.get(row)
        if template is None:
            template = "".join(
                [
                    line.replace(ROW, str(number))
                    for number, line in enumerate(self._lines, start=row)
                ]
            )
            if row <= KEPT_ROWS:
                self._made[row] = template
        return template % tuple([spot.rest(slots, where) for spot in self._slots])


def _in_order(line: Line) -> list[Spot]:
    return sorted(line.spots, key=lambda spot: spot.column)


class _SpotStamp:
    """A cell that a slot fills in."""

    def __init__(self, spot: Spot, style_of: StyleOf) -> None:
        self._spot = spot
        self._style = style_of(spot.look)
        self._texts = text_cells(spot.look, style_of)
        self._values = FormulaTexts()
        formula = f"<f>{ascii_xml(spot.formula)}</f><v>"
        self._number = f' s="{self._style}">{formula}'
        self._text = f' s="{self._style}" t="str">{formula}'

    def rest(self, slots: Mapping[str, Content], where: str) -> str:
        """What follows the cell's address."""
        spot = self._spot
        if spot.formula:
            value = slots[spot.slot]
            if isinstance(value, str):
                return f"{self._text}{self._values[value]}{_LAST}"
            if isinstance(value, (int, float)):
                return f"{self._number}{number(value, where)}{_LAST}"
        return rest_of_cell(spot.content_of(slots), self._texts, self._style, where)


class BlockStamp:
    """A table's header and rows, ready to be written at any row."""

    def __init__(self, block: Block, style_of: StyleOf) -> None:
        self.block = block
        self._header = self._header_template(style_of)
        self._columns = [_FieldStamp(each, block, style_of) for each in block.fields]
        holds = [each.holds for each in self._columns]
        self._numeric = [k for k, each in enumerate(holds) if each is not Holds.TEXT]
        self._optional = [k for k, each in enumerate(holds) if each is Holds.OPTIONAL]
        self._made: dict[tuple[bool, ...], _Pieces] = {}
        self._heights: dict[float | None, str] = {None: ""}

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

    def numbers(self, contents: TableContents) -> Numbers:
        """The columns that hold numbers, in the order in which `rows` takes them back as text."""
        columns = contents.columns
        return [columns[index] for index in self._numeric]  # type: ignore[misc]  # by their fields

    def blanks(self, contents: TableContents) -> int:
        """How many cells of these columns may be and are blank."""
        columns = contents.columns
        return sum([columns[index].count(None) for index in self._optional])

    def rows(
        self, contents: TableContents, first_row: int, texts: Iterator[list[str]]
    ) -> list[str]:
        """The XML of all rows in pieces; `texts` gives the columns of numbers as text."""
        columns: list[Sequence[str]] = [self._attributes(contents)]
        filled = []
        for each, column in zip(self._columns, contents.columns, strict=True):
            if each.holds is Holds.TEXT:
                columns.append([each.known[text] for text in column])  # type: ignore[index]  # by its field
            elif each.holds is Holds.NUMBER:
                columns.append(next(texts))
            else:
                filled.append(None not in column)
                columns.append(next(texts) if filled[-1] else each.optional(next(texts)))
        pieces = self._pieces_of(tuple(filled)).between(first_row, contents.count)
        step = 2 * len(columns)
        for place, cells in enumerate(columns):  # every other piece is a cell's, column by column
            pieces[2 * place + 1 :: step] = cells
        return pieces

    def _pieces_of(self, filled: tuple[bool, ...]) -> _Pieces:
        """What stands between the cells of a table, of whose optional columns these are filled throughout."""
        made = self._made.get(filled)
        if made is None:
            each_filled = iter(filled)
            made = self._made[filled] = _Pieces(
                [
                    (
                        f'<c r="{get_column_letter(column)}{ROW}"',
                        *(
                            each.filled
                            if each.holds is Holds.OPTIONAL and next(each_filled)
                            else each.around
                        ),
                    )
                    for column, each in enumerate(self._columns, start=self.block.column)
                ]
            )
        return made

    def _attributes(self, contents: TableContents) -> Sequence[str]:
        """What the rows say of their heights."""
        if not contents.heights:
            return [""] * contents.count
        words = self._heights
        for height in set(contents.heights) - words.keys():
            words[height] = height_words(height)
        return [words[height] for height in contents.heights]


class _Pieces(dict[int, list[str]]):
    """What stands between the cells that are filled in, row by row."""

    def __init__(self, cells: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._row = [f'<row r="{ROW}"']
        after = ">"
        for address, before, behind in cells:
            self._row.append(after + address + before)
            after = behind
        self._end = after + "</row>"
        self._made: dict[tuple[int, int], list[str]] = {}

    def __missing__(self, row: int) -> list[str]:
        text = str(row)
        made = [piece.replace(ROW, text) for piece in self._row]
        made[0] = self._end + made[0]  # of the row before
        if row <= KEPT_ROWS:
            self[row] = made
        return made

    def between(self, first_row: int, count: int) -> list[str]:
        """A new list of pieces with a place for each cell at every other one."""
        made = self._made.get((first_row, count))
        if made is None:
            fixed = [piece for row in range(first_row, first_row + count) for piece in self[row]]
            fixed[0] = fixed[0].removeprefix(self._end)
            made = [""] * (2 * len(fixed) + 1)
            made[0:-1:2] = fixed
            made[-1] = self._end
            if first_row + count <= KEPT_ROWS and len(self._made) < KEPT_TABLES:
                self._made[first_row, count] = made
        return made.copy()


class _FieldStamp:
    """One column: what its cells share, and how what differs is put in.

    around  what stands before and after what differs; `filled` in an optional column without a blank cell.
    known   what is put in for a text.
    """

    def __init__(self, each: Field, block: Block, style_of: StyleOf) -> None:
        self.holds = each.holds
        style = style_of(each.look)
        formula = escape(in_file_form(block.name, each.formula))
        stored = f"<f>{formula}</f><v>"
        texts: TextCells | FormulaTexts = FormulaTexts()
        self._number, self._blank = f' s="{style}" t="n"><v>', f' s="{style}" t="n"></c>'
        if each.formula:
            self._number = f' s="{style}">{stored}'
            self._blank = f' s="{style}" t="str">{stored}{_LAST}'
        self.around = self.filled = (self._number, _LAST)
        if each.holds is Holds.OPTIONAL:
            self.around = ("", "")
        elif each.holds is Holds.TEXT and each.formula:
            self.around = (f' s="{style}" t="str">{stored}', _LAST)
        elif each.holds is Holds.TEXT:
            self.around = ("", "")
            texts = text_cells(each.look, style_of)
        self.known = texts

    def optional(self, texts: list[str]) -> list[str]:
        """The cells of a column in which some are blank."""
        number, blank = self._number, self._blank
        return [blank if text == "null" else number + text + _LAST for text in texts]


def _literal(text: str) -> str:
    return text.replace("%", "%%")
