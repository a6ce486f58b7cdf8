"""One sheet of a stamp: what stands before and after its rows, and the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby, pairwise

from xl_rebal.workbooks.layout import Block, SheetContents, SheetLayout, TableContents
from xl_rebal.workbooks.limits import check_rows
from xl_rebal.workbooks.stamp_cells import numbers, require_finite
from xl_rebal.workbooks.stamp_parts import Builder, Mover, Moving, moving, shortened
from xl_rebal.workbooks.stamp_rows import BlockStamp, LinesStamp, Numbers, StyleOf

_REFERENCES = re.compile(
    r'(?:\b(?:ref|sqref|topLeftCell|activeCell)="|<formula>)([^"<]*)(?:"|</formula>)'
)
_DIMENSION = re.compile(r'<dimension ref="[^"]*"/>')
KEPT_LENGTHS = 2_000  # of tables whose surroundings are kept for the next workbook
_MANY = 256  # more tables than a workbook has
_WIDTH = re.compile(r'width="[^"]*" (customWidth="1" min="([0-9]+)")')


class SheetStamp:
    """A sheet of a stamp; `xml` is the sheet of the model."""

    def __init__(
        self, name: str, layout: SheetLayout, xml: str, mover: Mover, style_of: StyleOf
    ) -> None:
        self.name = name
        self._layout, self._mover = layout, mover
        self._columns = layout.columns
        head, _, rest = xml.partition("<sheetData>")
        self._tail_xml = rest.partition("</sheetData>")[2]
        self._width_columns = [int(match[2]) - 1 for match in _WIDTH.finditer(head)]
        self._head = _references(_WIDTH.sub('width="\1" \\1', head), mover)
        self._tails: dict[tuple[bool, ...], Moving] = {}
        self._widths: dict[float, str] = {}
        self._made: dict[tuple[int, ...], tuple[str, str]] = {}
        self._items: list[BlockStamp | LinesStamp] = []
        for is_block, items in groupby(layout.items, key=lambda item: isinstance(item, Block)):
            if is_block:
                self._items += [BlockStamp(item, style_of) for item in items]  # type: ignore[arg-type]
            else:
                self._items.append(LinesStamp(list(items), style_of))  # type: ignore[arg-type]
        ones = layout.places([1] * len(layout.blocks))
        ends = [0, *(place.last_row for place in ones)]
        self._gaps = [place.header_row - end for place, end in zip(ones, ends, strict=False)]
        self._blocks = [item for item in self._items if isinstance(item, BlockStamp)]

    def last_rows(self, counts: Sequence[int]) -> list[int]:
        """The last row of each table."""
        row, result = 0, []
        for before, count in zip(self._gaps, counts, strict=True):
            row += before + count
            result.append(row)
        return result

    def numbers(self, contents: SheetContents) -> Numbers:
        """Every column of numbers."""
        pairs = zip(self._blocks, contents.tables, strict=True)
        return [column for block, table in pairs for column in block.numbers(table)]

    def blanks(self, contents: SheetContents) -> int:
        """How many of their cells may be and are blank."""
        pairs = zip(self._blocks, contents.tables, strict=True)
        return sum([block.blanks(table) for block, table in pairs])

    def xml(self, contents: SheetContents, rows: Sequence[int], texts: Iterator[list[str]]) -> str:
        """The sheet's XML; `rows` are the last rows of all tables of the workbook."""
        head, tail = self._around([table.count for table in contents.tables], rows)
        pieces = [self._with_widths(head, contents), "<sheetData>"]
        tables = iter(contents.tables)
        row = 1
        for item in self._items:
            if isinstance(item, LinesStamp):
                pieces.append(item.xml(row, contents.slots, self._layout.title))
                row += item.count
                continue
            table = next(tables)
            pieces.append(item.header(row))
            pieces += item.rows(table, row + 1, texts)
            row += table.count + 1
        check_rows(row - 1, self._layout.title)
        pieces += ("</sheetData>", tail)
        return "".join(pieces)

    def _around(self, counts: Sequence[int], rows: Sequence[int]) -> tuple[str, str]:
        """What stands before the rows, with `%s` for each width, and what follows them."""
        key = tuple(counts)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= KEPT_LENGTHS:
                self._made.clear()
            tail = self._tail(counts)
            made = self._made[key] = (
                self._with_slots(self._head.template % self._head.numbers(rows)),
                tail.template % tail.numbers(rows),
            )
        return made

    def _with_slots(self, head: str) -> str:
        return head.replace("%", "%%").replace("\1", "%s")

    def _with_widths(self, head: str, contents: SheetContents) -> str:
        if len(contents.widths) != self._columns:
            self._layout.check(contents)
        known, widths = self._widths, contents.widths
        for width in set(widths) - known.keys():
            known[width] = f"{width:.16g}"
        return head % tuple([known[widths[column]] for column in self._width_columns])

    def stream(
        self, contents: SheetContents, chunks: Iterable[TableContents]
    ) -> Iterator[tuple[str, int]]:
        """The XML of a sheet whose only table comes in pieces, up to its tail, with the rows of each.

        `contents` says the slots and the widths. Nothing in it tells beforehand how long the sheet is.
        """
        head = self._head.template % self._head.numbers([0] * _MANY)
        head = self._with_slots(_DIMENSION.sub("", head))
        *items, block = self._items
        if len(self._blocks) != 1 or not isinstance(block, BlockStamp):
            raise ValueError(f"sheet {self._layout.title} does not end with its only table")
        row = 1
        lines = []
        for item in items:
            assert isinstance(item, LinesStamp)  # the only block comes last
            lines.append(item.xml(row, contents.slots, self._layout.title))
            row += item.count
        lines.append(block.header(row))
        yield f"{self._with_widths(head, contents)}<sheetData>{''.join(lines)}", 0
        for chunk in chunks:
            columns = block.numbers(chunk)
            texts = numbers(list(chain.from_iterable(columns)))
            require_finite(texts, block.blanks(chunk), block.block.name)
            ends = list(accumulate([len(column) for column in columns], initial=0))
            parts = iter([texts[a:b] for a, b in pairwise(ends)])
            yield "".join(block.rows(chunk, row + 1, parts)), chunk.count
            row += chunk.count
            check_rows(row, self._layout.title)

    def end(self, count: int, rows: Sequence[int]) -> str:
        """What follows the rows of a sheet that was streamed."""
        tail = self._tail([count])
        return "</sheetData>" + tail.template % tail.numbers(rows)

    def _tail(self, counts: Sequence[int]) -> Moving:
        single = tuple([count == 1 for count in counts])
        made = self._tails.get(single)
        if made is None:
            made = self._tails[single] = _references(self._tail_xml, self._mover, single)
        return made


def _references(text: str, mover: Mover, single: Sequence[bool] = ()) -> Moving:
    def put(builder: Builder, match: re.Match[str]) -> None:
        found = match[1]
        if any(single) and "sqref=" in match[0]:
            found = shortened(found, mover, single)
        builder.reference(found, mover)

    return moving(text, _REFERENCES, put)
