"""How a sheet that is made for many clients is laid out: fixed lines and tables, one below the other.

The same layout is written by openpyxl (`layout_sheets`) and filled in by a stamp (`stamp`), so that both give
the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from openpyxl.chart._chart import ChartBase

from xl_rebal.workbooks.cells import Content, Formula
from xl_rebal.workbooks.styles import BODY_PLANNED, MUTED, Look


class Holds(StrEnum):
    """What the cells of a table's column may hold.

    number    a number in every row.
    optional  a number or None: a blank cell, or "" as the value of a formula.
    text      text, which may be empty.
    """

    NUMBER = "number"
    OPTIONAL = "optional"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of a table; `formula` is that of the calculated column, without `=`.

    planned  True for a column that is folded away.
    """

    header: str
    look: Look
    holds: Holds
    formula: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A cell of a line. `slot` names what a workbook fills in; else `content` stands in all of them.

    formula  without `=`; the slot then fills in its value.
    last     the column up to which the cell is merged; 0 for none.
    """

    column: int
    look: Look
    content: Content = None
    slot: str = ""
    formula: str = ""
    last: int = 0

    def content_of(self, slots: Mapping[str, Content]) -> Content:
        """What the cell holds in a workbook."""
        if not self.slot:
            return self.content
        value = slots[self.slot]
        if not self.formula:
            return value
        if isinstance(value, Formula) or value is None:
            raise TypeError(f"slot {self.slot} is the value of a formula, not {value!r}")
        return Formula(self.formula, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row that every workbook has; without spots it is a gap.

    height  points; None for the height that the program chooses.
    """

    spots: tuple[Spot, ...] = ()
    height: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A table with a header and at least one row.

    words     words to colour, by header.
    negative  headers whose amounts below zero are coloured.
    whole     headers whose whole numbers are shown without a decimal point.
    choices   what may be chosen in the cells of a column, by header.
    scaled    headers whose drifts are coloured by their size, blue below and red above zero.
    above_zero  headers whose numbers above zero are coloured.
    """

    name: str
    fields: tuple[Field, ...]
    column: int = 1
    header_height: float = 30
    filters: bool = True
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    negative: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scaled: tuple[str, ...] = ()
    above_zero: tuple[str, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The headers in their order."""
        return [each.header for each in self.fields]

    @property
    def last_column(self) -> int:
        """Number of the last column."""
        return self.column + len(self.fields) - 1

    def column_of(self, header: str) -> int:
        """Number of the column with this header."""
        return self.column + self.headers.index(header)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContents:
    """The rows of a table, column by column in the order of its fields.

    heights  of the rows in points, None for those that need none of their own.
    """

    columns: tuple[Sequence[Content], ...]
    heights: Sequence[float | None] = ()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetContents:
    """What fills a sheet: its slots by name, its tables in their order, the widths of its columns."""

    slots: Mapping[str, Content]
    tables: tuple[TableContents, ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a table stands: the rows of header and data, all inclusive."""

    block: Block
    header_row: int
    first_row: int
    last_row: int


Charts = Callable[[Sequence[Place], SheetContents], Sequence[ChartBase]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLayout:
    """A sheet.

    frozen       the number of columns and of the last row that stay in sight.
    last_column  the last column that is printed.
    repeat       the row that is printed on every page; None for none.
    folded       first and last column that are folded away; None for none.
    names        defined names for slots.
    words        words to colour in the cells of slots, by slot.
    charts       makes the charts; their ranges must be whole columns of tables or header cells.
    """

    title: str
    tab_colour: str
    items: tuple[Line | Block, ...]
    frozen: tuple[int, int]
    last_column: int
    repeat: int | None = None
    folded: tuple[int, int] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    charts: Charts | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The tables in their order."""
        return tuple(item for item in self.items if isinstance(item, Block))

    @property
    def columns(self) -> int:
        """How many columns have a width."""
        return max(self.last_column, *(block.last_column for block in self.blocks))

    def check(self, contents: SheetContents) -> None:
        """Refuse contents that are not for this sheet."""
        if len(contents.widths) != self.columns:
            raise ValueError(
                f"sheet {self.title} has {self.columns} columns, not {len(contents.widths)} widths"
            )

    def places(self, counts: Sequence[int]) -> tuple[Place, ...]:
        """Where the tables stand when they have so many rows each."""
        return tuple(place for _, place in self.rows(counts) if place is not None)

    def rows(self, counts: Sequence[int]) -> list[tuple[int, Place | None]]:
        """For each item its row and, for a table, its place."""
        result: list[tuple[int, Place | None]] = []
        row, left = 1, iter(counts)
        for item in self.items:
            if isinstance(item, Line):
                result.append((row, None))
                row += 1
                continue
            count = next(left)
            place = Place(block=item, header_row=row, first_row=row + 1, last_row=row + count)
            result.append((row, place))
            row += count + 1
        return result


def table_of(
    block: Block,
    columns: Mapping[str, Sequence[Content]],
    heights: Sequence[float | None] = (),
) -> TableContents:
    """The contents of a table by header; every column must be there, and nothing else."""
    headers = block.headers
    if len(columns) != len(headers):
        odd = set(headers) ^ set(columns)
        raise ValueError(f"table {block.name}: {', '.join(sorted(odd))}")
    return TableContents(columns=tuple([columns[name] for name in headers]), heights=heights)


def blank_row(
    block: Block, say: Mapping[str, Content], heights: Sequence[float | None] = ()
) -> TableContents:
    """The one row of a table that has none: Excel's tables need a row. Numbers are 0, the rest is blank.

    say  what stands in some of its columns, by header.
    """
    nothing: dict[Holds, Content] = {Holds.TEXT: "", Holds.NUMBER: 0, Holds.OPTIONAL: None}
    return table_of(
        block,
        {each.header: [say.get(each.header, nothing[each.holds])] for each in block.fields},
        heights,
    )


def aside(
    header: str, holds: Holds = Holds.OPTIONAL, look: Look = BODY_PLANNED, formula: str = ""
) -> Field:
    """A column that is folded away: what the others are computed from."""
    return Field(
        header=header,
        look=replace(look, colour=MUTED, size=9),
        holds=holds,
        formula=formula,
        planned=True,
    )
