"""Stamps against openpyxl: whatever a layout is filled with, both give the same workbook."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from tests.workbooks.same_cells import cells, differing_parts, parts
from xl_rebal.errors import RebalError
from xl_rebal.workbooks import layout_writer, stamp_cells, styles, zipped
from xl_rebal.workbooks.cells import Content, Formula
from xl_rebal.workbooks.charts import bar_chart
from xl_rebal.workbooks.client_charts import TableSource
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    SheetContents,
    SheetLayout,
    Spot,
    TableContents,
    aside,
)
from xl_rebal.workbooks.stamp import Stamp, Streamed
from xl_rebal.workbooks.styles import number

FIRST = Block(
    name="tblFirst",
    fields=(
        Field(header="Name", look=styles.BODY_TEXT, holds=Holds.TEXT),
        Field(header="Amount 100%", look=number(styles.MONEY), holds=Holds.NUMBER),
        Field(header="Maybe", look=number(styles.PERCENT), holds=Holds.OPTIONAL),
        Field(
            header="Twice",
            look=number(styles.MONEY),
            holds=Holds.NUMBER,
            formula="2*[@[Amount 100%]]",
        ),
        Field(
            header="Half",
            look=number(styles.MONEY),
            holds=Holds.OPTIONAL,
            formula='IF(ISNUMBER([@Maybe]),[@Maybe]/2,"")',
        ),
        Field(header="Shout", look=styles.BODY_TEXT, holds=Holds.TEXT, formula='[@Name]&"<&>%"'),
        aside("Kept", Holds.NUMBER),
    ),
    words={"Name": ("above", "below")},
    negative=("Amount 100%",),
    whole=("Amount 100%",),
    choices={"Name": ("yes", "no")},
)
SECOND = Block(
    name="tblSecond",
    fields=(
        Field(header="Word", look=styles.BODY_WRAP, holds=Holds.TEXT),
        Field(header="Size", look=number(styles.DRIFT), holds=Holds.NUMBER),
    ),
    column=2,
    filters=False,
    scaled=("Size",),
    above_zero=("Size",),
)


def _charts(places, contents):
    source = TableSource(sheet="One", place=places[1], contents=contents.tables[1])
    made = bar_chart(
        title="Sizes",
        axis_title="Size",
        axis_format="0%",
        categories_ref=source.ref("Word"),
        categories=source.texts("Word"),
        bars=[source.bars("Size", styles.ACCENT)],
        from_zero=False,
    )
    made.anchor = f"E{places[1].last_row + 2}"
    return [made]


ONE = SheetLayout(
    title="One",
    tab_colour=styles.ACCENT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, slot="title"),), height=28),
        Line(
            spots=(
                Spot(column=4, look=styles.CARD_MONEY, slot="sum", formula="SUM(tblFirst[Twice])"),
                Spot(column=1, last=3, look=styles.WORDS, content="= 100% of <it> & more"),
            )
        ),
        Line(),
        FIRST,
        Line(),
        Line(spots=(Spot(column=2, look=styles.LINK, slot="link"),)),
        SECOND,
        Line(spots=(Spot(column=1, look=styles.DAY, slot="day"),), height=15.5),
    ),
    frozen=(1, 4),
    last_column=6,
    repeat=4,
    folded=(7, 7),
    names={"day": "TheDay"},
    words={"title": ("ok",)},
    charts=_charts,
)
TWO = SheetLayout(
    title="Two",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Two"),)),
        replace(FIRST, name="tblThird"),
    ),
    frozen=(0, 2),
    last_column=7,
)
STAMP = Stamp((ONE, TWO))

texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from("\x00\x07\r\n\t =+-@'\"<>&%_x�"), max_size=12
) | st.sampled_from(["", " ", "_x0041_", "=1+1", "null", "nan", "%s", "\x01", "x\0y", "]]>"])
amounts = st.floats(-1e300, 1e300) | st.integers(-(10**14), 10**14)
maybe = st.none() | amounts


def rows(draw, block: Block) -> TableContents:
    count = draw(st.integers(1, 4))
    kinds = {Holds.TEXT: texts, Holds.NUMBER: amounts, Holds.OPTIONAL: maybe}

    def column(each: Field):
        return draw(st.lists(kinds[each.holds], min_size=count, max_size=count))

    heights = st.lists(st.none() | st.floats(10, 90), min_size=count, max_size=count)
    return TableContents(
        columns=tuple(column(each) for each in block.fields), heights=draw(st.just(()) | heights)
    )


@st.composite
def contents(draw) -> tuple[SheetContents, SheetContents]:
    slots: dict[str, Content] = {
        "title": draw(texts),
        "sum": draw(texts | amounts),
        "link": draw(
            st.none() | texts | st.builds(Formula, st.just('HYPERLINK("a&b","c")'), texts)
        ),
        "day": draw(maybe),
    }
    widths = tuple(draw(st.lists(st.floats(1, 90), min_size=7, max_size=7)))
    return (
        SheetContents(slots=slots, tables=(rows(draw, FIRST), rows(draw, SECOND)), widths=widths),
        SheetContents(slots={}, tables=(rows(draw, FIRST),), widths=widths),
    )


@settings(
    max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate)
)  # no long shrinking
@given(contents(), st.text(max_size=8))
def test_a_stamp_gives_what_openpyxl_writes(
    filled: tuple[SheetContents, SheetContents], title: str
) -> None:
    stamped = STAMP.fill(filled, title=title)
    written = layout_writer.build((ONE, TWO), filled, title=title)
    assert differing_parts(stamped, written) == []


def sample(count: int = 3) -> tuple[SheetContents, SheetContents]:
    def table(block: Block, start: float) -> TableContents:
        return TableContents(
            columns=tuple(
                [f"{each.header} {n}" for n in range(count)]
                if each.holds is Holds.TEXT
                else [start + n / 7 for n in range(count)]
                for each in block.fields
            )
        )

    one = SheetContents(
        slots={"title": "ok", "sum": 1.5, "link": None, "day": 46_000},
        tables=(table(FIRST, 0.1), table(SECOND, -2.0)),
        widths=(12.0,) * 7,
    )
    return one, SheetContents(slots={}, tables=(table(FIRST, 9.0),), widths=(12.0,) * 7)


def test_openpyxl_reads_the_same_cells_of_both() -> None:
    for count in (1, 2, 5):
        filled = sample(count)
        stamped = cells(STAMP.fill(filled, title="x"))
        assert stamped == cells(layout_writer.build((ONE, TWO), filled, title="x"))
        assert stamped["One", "set-up"]["choices"] == [
            (f"A5:A{4 + count}" if count > 1 else "A5", '"yes,no"')
        ]


def test_numbers_are_kept_to_the_last_digit() -> None:
    one, two = sample()
    exact = [0.1 + 0.2, 1 / 3, 1e-17]
    columns = (one.tables[1].columns[0], exact)
    one = replace(one, tables=(one.tables[0], TableContents(columns=columns)))
    book = load_workbook(io.BytesIO(STAMP.fill((one, two), title="x")))
    place = ONE.places([3, 3])[1]
    found = [book["One"].cell(row=place.first_row + n, column=3).value for n in range(3)]
    assert found == exact


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_number_is_refused(bad: float, place: int) -> None:
    one, two = sample()
    columns = list(one.tables[0].columns)
    columns[1 + place] = [1.0, bad, 2.0]
    spoilt = replace(one, tables=(TableContents(columns=tuple(columns)), one.tables[1]))
    with pytest.raises(RebalError, match="not a number"):
        STAMP.fill((spoilt, two), title="x")
    with pytest.raises(RebalError, match="not a number"):
        STAMP.fill((replace(one, slots={**one.slots, "day": bad}), two), title="x")


def test_a_blank_is_refused_where_a_number_must_stand() -> None:
    one, two = sample()
    columns = list(one.tables[0].columns)
    columns[1] = [1.0, None, 2.0]
    spoilt = replace(one, tables=(TableContents(columns=tuple(columns)), one.tables[1]))
    with pytest.raises(RebalError, match="not a number"):
        STAMP.fill((spoilt, two), title="x")


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = sample()
    empty = replace(two, tables=())
    monkeypatch.setattr("xl_rebal.workbooks.limits.ROWS", 20)
    with pytest.raises(RebalError, match="Excel has 20"):
        STAMP.fill(sample(19), title="x")
    STAMP.stream([Streamed(contents=empty, chunks=two.tables * 6)], lambda: one, title="x")
    with pytest.raises(RebalError, match="Excel has 20"):
        STAMP.stream([Streamed(contents=empty, chunks=two.tables * 7)], lambda: one, title="x")


@pytest.mark.parametrize("sizes", [[1], [3], [2, 1, 4]])
def test_a_streamed_sheet_is_the_same_but_for_its_size_told_beforehand(sizes: list[int]) -> None:
    one, _ = sample()
    chunks = [sample(size)[1].tables[0] for size in sizes]
    together = TableContents(
        columns=tuple(
            [value for chunk in chunks for value in chunk.columns[k]]
            for k in range(len(FIRST.fields))
        )
    )
    widths = (12.0,) * 7
    empty = SheetContents(slots={}, tables=(), widths=widths)
    streamed = STAMP.stream([Streamed(contents=empty, chunks=iter(chunks))], lambda: one, title="x")
    whole = (one, SheetContents(slots={}, tables=(together,), widths=widths))
    assert cells(streamed) == cells(layout_writer.build((ONE, TWO), whole, title="x"))
    differing = differing_parts(streamed, STAMP.fill(whole, title="x"))
    assert differing == ["xl/worksheets/sheet2.xml"]  # which tells its size beforehand


def test_a_stamp_forgets_what_it_was_filled_with() -> None:
    before = STAMP.fill(sample(2), title="a")
    STAMP.fill(sample(7), title="another & longer")
    assert STAMP.fill(sample(2), title="a") == before


def test_a_stamp_that_is_not_what_openpyxl_writes_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xl_rebal.workbooks.stamp_rows.height_words", lambda height: "")
    with pytest.raises(RebalError, match="does not come out as openpyxl writes it"):
        Stamp((ONE, TWO))


def test_without_the_extra_packages_the_contents_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast = parts(STAMP.fill(sample(), title="x"))
    monkeypatch.setattr(zipped, "LIBRARY", zlib)
    monkeypatch.setattr(stamp_cells, "DUMPS", None)
    slow = STAMP.fill(sample(), title="x")
    assert parts(slow) == fast


def test_the_optional_packages_are_not_needed() -> None:
    code = (
        "import sys; sys.modules['isal'] = sys.modules['orjson'] = None\n"
        "from xl_rebal.workbooks import zipped, stamp_cells\n"
        "assert zipped.COMPRESSOR == 'zlib' and stamp_cells.DUMPS is None\n"
        "found = stamp_cells.numbers([1.5, None, -0.0, 1e-9, 7.0, -20])\n"
        "assert found == ['1.5', 'null', '0.0', '1e-09', '7.0', '-20']\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
