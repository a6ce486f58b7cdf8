"""Charts of a stamp: their ranges, and the values that they are saved with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from openpyxl.utils import column_index_from_string

from xl_rebal.workbooks.cells import clean_text
from xl_rebal.workbooks.layout import SheetContents, SheetLayout
from xl_rebal.workbooks.stamp_cells import REMEMBERED, ascii_xml
from xl_rebal.workbooks.stamp_parts import Builder, Mover, moving

_REFERENCE = re.compile(
    r"<f>([^<]*)</f><(str|num)Cache>((?:<formatCode>[^<]*</formatCode>)?)(.*?)</\2Cache>", re.DOTALL
)
_PLACE = re.compile(r"'?([^'!]+)'?!\$([A-Z]+)\$([0-9]+)(?::\$([A-Z]+)\$([0-9]+))?")
_F = re.compile(r"<f>([^<]*)</f>")
_SLOT = "\1"
KEPT_PLACES = 500  # of the tables that a chart shows


class ChartStamp:
    """A chart whose series are whole columns of tables."""

    def __init__(
        self,
        xml: str,
        layouts: Sequence[SheetLayout],
        titles: Sequence[str],
        movers: Sequence[Mover],
    ) -> None:
        self._columns: list[tuple[int, int, int, bool]] = []  # sheet, table, field, is text

        def cache(match: re.Match[str]) -> str:
            place = _PLACE.fullmatch(match[1])
            if place is None or place[5] is None:
                return match[0]
            sheet = titles.index(place[1])
            table = movers[sheet].table_of(int(place[3]), int(place[5]))
            if table is None:
                return match[0]
            block = layouts[sheet].blocks[table]
            field = column_index_from_string(place[2]) - block.column
            self._columns.append((sheet, table, field, match[2] == "str"))
            kind = match[2]
            return f"<f>{match[1]}</f><{kind}Cache>{match[3]}{_SLOT}</{kind}Cache>"

        def put(builder: Builder, match: re.Match[str]) -> None:
            place = _PLACE.fullmatch(match[1])
            if place is None:
                builder.fixed(match[1])
            else:
                builder.reference(match[1], movers[titles.index(place[1])])

        self._made: dict[tuple[int, ...], list[str]] = {}
        self._moving = moving(_REFERENCE.sub(cache, xml), _F, put)

    def xml(
        self,
        contents: Sequence[SheetContents],
        rows: Sequence[int],
        known: Mapping[int, list[str]],
    ) -> str:
        """The chart's XML; `known` are columns of numbers as text, by their identity."""
        first, *others = self._pieces(self._moving.numbers(rows))
        made: dict[tuple[int, int, int], str] = {}
        pieces = [first]
        for (sheet, table, field, is_text), other in zip(self._columns, others, strict=True):
            key = (sheet, table, field)
            if key not in made:
                column = contents[sheet].tables[table].columns[field]
                made[key] = _text_cache(column) if is_text else _number_cache(known[id(column)])
            pieces += (made[key], other)
        return "".join(pieces)

    def _pieces(self, numbers: tuple[int, ...]) -> list[str]:
        """What stands around the saved values."""
        made = self._made.get(numbers)
        if made is None:
            if len(self._made) >= KEPT_PLACES:
                self._made.clear()
            made = self._made[numbers] = (self._moving.template % numbers).split(_SLOT)
        return made


class _Points(dict[str, str]):
    """Texts as points are saved with them, worked out once each."""

    def __missing__(self, text: str) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        clean = clean_text(text)
        space = ' xml:space="preserve"' if clean.strip() and clean != clean.strip() else ""
        made = self[text] = f"<v{space}>{ascii_xml(clean)}</v></pt>"
        return made


_POINTS = _Points()


def _text_cache(column: Sequence[object]) -> str:
    points = [f'<pt idx="{n}">{_POINTS[str(text)]}' for n, text in enumerate(column)]
    return f'<ptCount val="{len(column)}"/>' + "".join(points)


def _number_cache(texts: Sequence[str]) -> str:
    points = [f'<pt idx="{n}"><v>{text}</v></pt>' for n, text in enumerate(texts) if text != "null"]
    return f'<ptCount val="{len(texts)}"/>' + "".join(points)
