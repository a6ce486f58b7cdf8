"""Stamps: a workbook that openpyxl made once, filled in for one client after the other.

What every workbook shares is compressed once. Of the rest only the XML that differs is put together: rows
from templates, row numbers of tables, charts and names, the values that charts are saved with. A stamp
proves itself when it is made: filled with the contents of its model it must give the model's bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

from xl_rebal.errors import RebalError
from xl_rebal.workbooks import layout_writer, package
from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.layout import Holds, Line, SheetContents, SheetLayout, TableContents
from xl_rebal.workbooks.stamp_cells import numbers, require_finite
from xl_rebal.workbooks.stamp_charts import ChartStamp
from xl_rebal.workbooks.stamp_parts import (
    ROWS_OF_A_STAMP,
    Builder,
    Mover,
    Moving,
    moving,
)
from xl_rebal.workbooks.stamp_sheets import SheetStamp
from xl_rebal.workbooks.zipped import Packed, Packing, Start, package_of, packed, start_of

CORE = "docProps/core.xml"
BOOK = "xl/workbook.xml"
KEPT_PARTS = 4_096  # small parts that come out the same for many clients
_REF = re.compile(r'\bref="([^"]*)"')
_NAME = re.compile(r"<definedName ([^>]*>[^<]*)</definedName>")
_ANCHOR_ROW = re.compile(r"<(?:xdr:)?row>([0-9]+)</")


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A sheet with one long table that comes in pieces of at least one row; `contents` has no tables."""

    contents: SheetContents
    chunks: Iterable[TableContents]


class Stamp:
    """A workbook to be filled in, sheet by sheet, as the layouts say."""

    def __init__(self, layouts: Sequence[SheetLayout]) -> None:
        contents = [model_contents(layout) for layout in layouts]
        parts = _model(layouts, contents)
        canvas = layout_writer.prepared(layouts)
        self.sheets: list[SheetStamp] = []
        movers: list[Mover] = []
        first = 1
        for number, layout in enumerate(layouts, start=1):
            mover = Mover(layout.places([ROWS_OF_A_STAMP] * len(layout.blocks)), first)
            movers.append(mover)
            name = f"xl/worksheets/sheet{number}.xml"
            xml = parts.pop(name).decode()
            self.sheets.append(SheetStamp(name, layout, xml, mover, canvas.styles.place_of))
            first += len(layout.blocks)
        self._charts = _charts(parts, layouts, movers)
        self._moving = _moving_parts(parts, layouts, movers)
        del parts[CORE]
        self._start: Start = start_of(packed(name, parts[name]) for name in package.in_order(parts))
        self._kept: dict[tuple[str, tuple[int, ...]], Packed] = {}
        self._require_proof(layouts, contents)

    def fill(self, contents: Sequence[SheetContents], *, title: str) -> bytes:
        """The workbook as .xlsx bytes."""
        return package_of(self._start, self._parts(contents, title))

    def _parts(self, contents: Sequence[SheetContents], title: str) -> list[Packed]:
        rows = [0]
        for sheet, each in zip(self.sheets, contents, strict=True):
            rows += sheet.last_rows([table.count for table in each.tables])
        parts, known = _as_texts(self.sheets, contents)
        texts = iter(parts)
        result = []
        for sheet, each in zip(self.sheets, contents, strict=True):
            result.append(packed(sheet.name, sheet.xml(each, rows, texts).encode("ascii")))
        return result + self._other_parts(contents, rows, known, title)

    def _other_parts(
        self,
        contents: Sequence[SheetContents],
        rows: Sequence[int],
        known: Mapping[int, list[str]],
        title: str,
    ) -> list[Packed]:
        result = []
        for name, chart in self._charts:
            result.append(packed(name, chart.xml(contents, rows, known).encode("ascii")))
        for name, part in self._moving:
            found = part.numbers(rows)
            kept = self._kept.get((name, found))
            if kept is None:
                if len(self._kept) >= KEPT_PARTS:
                    self._kept.clear()
                kept = self._kept[name, found] = packed(name, (part.template % found).encode())
            result.append(kept)
        result.append(packed(CORE, package.core_properties(title)))
        return result

    def stream(
        self, sheets: Sequence[Streamed], last: Callable[[], SheetContents], *, title: str
    ) -> bytes:
        """A workbook with long tables: its sheets but for the first are streamed, in this order; then
        `last` says what the first one holds. Charts may show the tables of the first sheet only.
        """
        packings, counts = [], []
        for sheet, each in zip(self.sheets[1:], sheets, strict=True):
            packing, count = Packing(sheet.name), 0
            for xml, rows_of_it in sheet.stream(each.contents, each.chunks):
                packing.add(xml.encode("ascii"))
                count += rows_of_it
            packings.append(packing)
            counts.append(count)
        contents = last()
        rows = [0, *self.sheets[0].last_rows([table.count for table in contents.tables])]
        for sheet, count in zip(self.sheets[1:], counts, strict=True):
            rows += sheet.last_rows([count])
        columns, known = _as_texts(self.sheets[:1], [contents])
        first = self.sheets[0]
        xml = first.xml(contents, rows, iter(columns))
        parts = [packed(first.name, xml.encode("ascii"))]
        for sheet, packing, count in zip(self.sheets[1:], packings, counts, strict=True):
            packing.add(sheet.end(count, rows).encode("ascii"))
            parts.append(packing.done())
        return package_of(self._start, parts + self._other_parts([contents], rows, known, title))

    def _require_proof(
        self, layouts: Sequence[SheetLayout], contents: Sequence[SheetContents]
    ) -> None:
        """The stamp filled with the contents of its model must be the model."""
        with zipfile.ZipFile(io.BytesIO(self.fill(contents, title=MODEL))) as archive:
            mine = {name: archive.read(name) for name in archive.namelist()}
        for name, part in _model(layouts, contents).items():
            if mine.get(name) != part:
                raise RebalError.of(
                    where=f"stamp, part {name}",
                    what="does not come out as openpyxl writes it",
                    remedy="report this as a bug, with the version of openpyxl",
                )


MODEL = "Model"


def model_contents(layout: SheetLayout) -> SheetContents:
    """Contents that a stamp is made with: two rows in every table, something in every slot."""
    slots: dict[str, Content] = {}
    for item in layout.items:
        if isinstance(item, Line):
            slots |= {spot.slot: "x" for spot in item.spots if spot.slot}
    tables = tuple(
        TableContents(
            columns=tuple(
                ["x"] * ROWS_OF_A_STAMP if each.holds is Holds.TEXT else [0.5] * ROWS_OF_A_STAMP
                for each in block.fields
            )
        )
        for block in layout.blocks
    )
    return SheetContents(slots=slots, tables=tables, widths=(10.0,) * layout.columns)


def _model(layouts: Sequence[SheetLayout], contents: Sequence[SheetContents]) -> dict[str, bytes]:
    data = layout_writer.build(layouts, contents, title=MODEL)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _as_texts(
    sheets: Sequence[SheetStamp], contents: Sequence[SheetContents]
) -> tuple[list[list[str]], dict[int, list[str]]]:
    """All numbers of all tables as text, column by column, and the same by the identity of the column.

    One conversion for the whole workbook is much faster than one for each cell.
    """
    pairs = list(zip(sheets, contents, strict=True))
    columns = [column for sheet, each in pairs for column in sheet.numbers(each)]
    texts = numbers(list(chain.from_iterable(columns)))
    require_finite(texts, sum([sheet.blanks(each) for sheet, each in pairs]), "a table")
    ends = accumulate(map(len, columns), initial=0)
    parts = [texts[start:end] for start, end in pairwise(ends)]
    return parts, {id(column): part for column, part in zip(columns, parts, strict=True)}


def _charts(
    parts: dict[str, bytes], layouts: Sequence[SheetLayout], movers: Sequence[Mover]
) -> list[tuple[str, ChartStamp]]:
    names = sorted(name for name in parts if re.fullmatch(r"xl/charts/chart[0-9]+\.xml", name))
    titles = [layout.title for layout in layouts]
    return [(name, ChartStamp(parts.pop(name).decode(), layouts, titles, movers)) for name in names]


def _moving_parts(
    parts: dict[str, bytes], layouts: Sequence[SheetLayout], movers: Sequence[Mover]
) -> list[tuple[str, Moving]]:
    """Table records, drawings and the list of names: their row numbers move, the rest stays."""
    result = []
    mover_of = {layout.title: mover for layout, mover in zip(layouts, movers, strict=True)}
    blocks = {
        block.name: mover
        for layout, mover in zip(layouts, movers, strict=True)
        for block in layout.blocks
    }
    for name in sorted(parts):
        text = parts[name].decode()
        if name.startswith("xl/tables/"):
            table = re.search(r'displayName="([^"]*)"', text)
            assert table is not None  # openpyxl writes it
            mover = blocks[table[1]]

            def put(builder: Builder, match: re.Match[str], mover: Mover = mover) -> None:
                builder.reference(match[1], mover)

            result.append((name, moving(text, _REF, put)))
        elif re.fullmatch(r"xl/drawings/drawing[0-9]+\.xml", name):
            sheet = _sheet_of_drawing(parts, name)
            result.append((name, _moving_drawing(text, movers[sheet])))
        elif name == BOOK:
            result.append((name, _moving_names(text, mover_of)))
    for name, _ in result:
        del parts[name]
    return result


def _sheet_of_drawing(parts: Mapping[str, bytes], drawing: str) -> int:
    """The number of the sheet, from 0, that a drawing lies on."""
    wanted = drawing.rpartition("/")[2].encode()
    for name, part in parts.items():
        found = re.fullmatch(r"xl/worksheets/_rels/sheet([0-9]+)\.xml\.rels", name)
        if found and b"/" + wanted + b'"' in part:
            return int(found[1]) - 1
    raise AssertionError(f"no sheet holds {drawing}")


def _moving_drawing(text: str, mover: Mover) -> Moving:
    def put(builder: Builder, match: re.Match[str]) -> None:
        index, below = mover.anchor(int(match[1]) + 1)  # rows of drawings are counted from 0
        builder.row((index, below - 1))

    return moving(text, _ANCHOR_ROW, put)


def _moving_names(text: str, mover_of: Mapping[str, Mover]) -> Moving:
    def put(builder: Builder, match: re.Match[str]) -> None:
        head, _, formula = match[1].partition(">")
        sheet = formula.rpartition("!")[0].strip("'")
        builder.fixed(head + ">")
        if sheet in mover_of:
            builder.reference(formula, mover_of[sheet])
        else:
            builder.fixed(formula)

    return moving(text, _NAME, put)
