"""Layouts written by openpyxl: the maker of every stamp, and the proof that a stamp gives the same cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import package
from xl_rebal.workbooks.cells import Canvas, Content, address, set_widths
from xl_rebal.workbooks.layout import Block, Field, Holds, Line, Place, SheetContents, SheetLayout
from xl_rebal.workbooks.layout import TableContents as Rows
from xl_rebal.workbooks.pages import (
    flag_above_zero,
    flag_negative,
    flag_words,
    offer,
    scale_drift,
    set_up_print,
    show_whole,
)
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.tables import Column, Placed, group_columns, header_look, write_table


def build(
    layouts: Sequence[SheetLayout], contents: Sequence[SheetContents], *, title: str
) -> bytes:
    """The workbook by openpyxl, as .xlsx bytes."""
    canvas = prepared(layouts)
    for layout, each in zip(layouts, contents, strict=True):
        write_sheet(canvas, layout, each)
    return finished(canvas, title=title)


def prepared(layouts: Sequence[SheetLayout]) -> Canvas:
    """An empty workbook that knows every look of the layouts, in the same order whatever it will hold."""
    canvas = Canvas()
    for look in looks_of(layouts):
        canvas.styles.place_of(look)
    return canvas


def finished(canvas: Canvas, *, title: str) -> bytes:
    """The workbook as .xlsx bytes."""
    canvas.styles.close(canvas.workbook)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    return package.save(canvas.workbook, canvas.values, title=title)


def looks_of(layouts: Sequence[SheetLayout]) -> list[Look]:
    """Every look that cells may take, with that of text which could be read as a formula."""
    found: dict[Look, None] = {}
    for layout in layouts:
        for item in layout.items:
            for look in _looks(item):
                found[look] = None
                found[replace(look, text_prefix=True)] = None
    return list(found)


def _looks(item: Line | Block) -> Iterator[Look]:
    if isinstance(item, Line):
        for spot in item.spots:
            yield spot.look
        return
    for each in item.fields:
        yield header_look(_column(each))
        yield each.look


def write_sheet(canvas: Canvas, layout: SheetLayout, contents: SheetContents) -> Worksheet:
    """Write one sheet."""
    layout.check(contents)
    sheet = canvas.sheet(layout.title, layout.tab_colour)
    set_widths(sheet, contents.widths)
    tables = iter(contents.tables)
    rows = layout.rows([table.count for table in contents.tables])
    for item, (row, place) in zip(layout.items, rows, strict=True):
        if isinstance(item, Block):
            assert place is not None  # a block has one
            _write_block(canvas, sheet, place, next(tables))
        else:
            _write_line(canvas, sheet, layout, item, row, contents)
    if layout.folded is not None:
        group_columns(sheet, *layout.folded)
    columns, last = layout.frozen
    sheet.freeze_panes = f"{get_column_letter(columns + 1)}{last + 1}"
    last_row = max(row if place is None else place.last_row for row, place in rows)
    set_up_print(sheet, last_column=layout.last_column, last_row=last_row, repeat=layout.repeat)
    if layout.charts is not None:
        places = [place for _, place in rows if place is not None]
        for chart in layout.charts(places, contents):
            sheet.add_chart(chart)
    return sheet


def _write_line(
    canvas: Canvas,
    sheet: Worksheet,
    layout: SheetLayout,
    line: Line,
    row: int,
    contents: SheetContents,
) -> None:
    for spot in line.spots:
        if spot.last:
            canvas.merge(sheet, row, spot.column, spot.last, spot.look)
        canvas.put(sheet, row, spot.column, spot.content_of(contents.slots), spot.look)
        if words := layout.words.get(spot.slot):
            flag_words(sheet, f"{get_column_letter(spot.column)}{row}", words)
        if name := layout.names.get(spot.slot):
            canvas.workbook.defined_names[name] = DefinedName(
                name, attr_text=address(row, spot.column, sheet=layout.title)
            )
    if line.height is not None:
        sheet.row_dimensions[row].height = line.height


def _write_block(canvas: Canvas, sheet: Worksheet, place: Place, contents: Rows) -> None:
    block = place.block
    placed = write_table(
        canvas,
        sheet,
        name=block.name,
        columns=[_column(each) for each in block.fields],
        rows=[
            [_checked(each, content) for each, content in zip(block.fields, row, strict=True)]
            for row in zip(*contents.columns, strict=True)
        ],
        row=place.header_row,
        column=block.column,
        header_height=block.header_height,
        filters=block.filters,
    )
    for row, height in enumerate(contents.heights, start=place.first_row):
        if height is not None:
            sheet.row_dimensions[row].height = height
    _flag(sheet, block, placed)


def _flag(sheet: Worksheet, block: Block, placed: Placed) -> None:
    for header, words in block.words.items():
        flag_words(sheet, placed.cells(header), words)
    for header in block.negative:
        flag_negative(sheet, placed.cells(header))
    for header in block.whole:
        show_whole(sheet, placed.cells(header))
    for header, choices in block.choices.items():
        offer(sheet, placed.cells(header), choices)
    for header in block.scaled:
        scale_drift(sheet, placed.cells(header))
    for header in block.above_zero:
        flag_above_zero(sheet, placed.cells(header))


def _column(each: Field) -> Column:
    return Column(header=each.header, look=each.look, formula=each.formula, planned=each.planned)


def _checked(each: Field, content: Content) -> Content:
    """The content, when the column may hold it."""
    number = isinstance(content, (int, float))
    fits = {
        Holds.NUMBER: number,
        Holds.OPTIONAL: number or content is None,
        Holds.TEXT: isinstance(content, str),
    }[each.holds]
    if not fits:
        raise TypeError(f"column {each.header!r} holds {each.holds.value}, not {content!r}")
    return content
