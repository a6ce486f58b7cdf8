"""The cells of a worksheet part, taken from its bytes a block of rows at a time.

Only sheets of the plain shape that spreadsheets and libraries save are understood: rows and cells with their
references, in order, nothing between the tags. Every tag of a block is accounted for; whatever else turns up
raises `UnusualSheetError`, and the caller reads the sheet in the slow way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import byte_fields
from xl_rebal.custodians.byte_fields import Bytes, Places, WordsOf8

_BLOCK = 2 << 20
_START, _END = b"<sheetData>", b"</sheetData>"
_ROW_END = b"</row>"
_SPACED = b' xml:space="preserve">'
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
_ENTITY = re.compile(r"&[^;]*;?")
_ODD_TEXT = re.compile(r"[\r\n]|_x[0-9A-Fa-f]{4}_")  # written otherwise than it is meant
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ATTRIBUTES = re.compile(r'(?: s="(\d+)")?(?: t="(n|s|str|inlineStr|b|e)")?', re.ASCII)


class UnusualSheetError(Exception):
    """The sheet is not of the plain shape."""


class _Tag(IntEnum):
    """What begins at a `<`."""

    OTHER = 0
    ROW = 1
    CELL = 2
    VALUE = 3
    FORMULA = 4
    INLINE = 5
    TEXT = 6
    ROW_END = 9
    CELL_END = 10
    VALUE_END = 11
    FORMULA_END = 12
    INLINE_END = 13
    TEXT_END = 14
    EMPTY_CELL = 7
    EMPTY_FORMULA = 8


_NAMES = {
    "ro": _Tag.ROW, "c ": _Tag.CELL, "v>": _Tag.VALUE, "f>": _Tag.FORMULA, "f ": _Tag.FORMULA,
    "f/": _Tag.FORMULA, "is": _Tag.INLINE, "t>": _Tag.TEXT, "t ": _Tag.TEXT, "/r": _Tag.ROW_END,
    "/c": _Tag.CELL_END, "/v": _Tag.VALUE_END, "/f": _Tag.FORMULA_END, "/i": _Tag.INLINE_END,
    "/t": _Tag.TEXT_END,
}  # fmt: skip
_TAG_OF = np.zeros(65_536, dtype=np.uint8)  # by the two bytes behind `<`
for _name, _tag in _NAMES.items():
    _TAG_OF[ord(_name[0]) | ord(_name[1]) << 8] = _tag
_AFTER_CELL = (_Tag.CELL, _Tag.EMPTY_CELL, _Tag.ROW_END)
_FOLLOWERS: Mapping[_Tag, tuple[_Tag, ...]] = {
    _Tag.ROW: _AFTER_CELL,
    _Tag.CELL: (_Tag.VALUE, _Tag.FORMULA, _Tag.EMPTY_FORMULA, _Tag.INLINE, _Tag.CELL_END),
    _Tag.EMPTY_CELL: _AFTER_CELL,
    _Tag.CELL_END: _AFTER_CELL,
    _Tag.VALUE: (_Tag.VALUE_END,),
    _Tag.VALUE_END: (_Tag.CELL_END,),
    _Tag.FORMULA: (_Tag.FORMULA_END,),
    _Tag.FORMULA_END: (_Tag.VALUE, _Tag.CELL_END),
    _Tag.EMPTY_FORMULA: (_Tag.VALUE, _Tag.CELL_END),
    _Tag.INLINE: (_Tag.TEXT,),
    _Tag.TEXT: (_Tag.TEXT_END,),
    _Tag.TEXT_END: (_Tag.INLINE_END,),
    _Tag.INLINE_END: (_Tag.CELL_END,),
    _Tag.ROW_END: (_Tag.ROW,),
}
_ALLOWED = np.zeros(256, dtype=np.bool_)  # by a tag x 16 + the next one
for _before, _after in _FOLLOWERS.items():
    for _tag in _after:
        _ALLOWED[_before << 4 | _tag] = True
_HOLDS_TEXT = np.zeros(16, dtype=np.bool_)
_HOLDS_TEXT[[_Tag.VALUE, _Tag.FORMULA, _Tag.TEXT]] = True
_ROW_START = np.uint64(int.from_bytes(b'<row r="', "little"))
_CELL_START = np.uint64(int.from_bytes(b'<c r="', "little"))
_SIX = np.uint64((1 << 48) - 1)
_QUOTE = ord('"')
_TYPES = ("n", "s", "str", "inlineStr", "b", "e")
_NUMBERS, _SHARED, _WRITTEN, _INLINE, _TRUTH, _ERROR = range(6)


class Kind(IntEnum):
    """What a cell holds."""

    BLANK = 0  # an error, which counts as a cell and reads as nothing
    NUMBER = 1
    TEXT = 2
    TRUTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Every cell of a sheet that holds something, in the order of rows and columns (m,).

    row, column  counted from 0.
    kind         a `Kind`.
    number       the number or truth, else NaN.
    text         place in `texts`, else -1.
    style        place of the cell's style in the workbook, 0 where it names none.
    """

    row: NDArray[np.int32]
    column: NDArray[np.int16]
    kind: NDArray[np.uint8]
    number: NDArray[np.float64]
    text: NDArray[np.int32]
    style: NDArray[np.int32]
    texts: Sequence[str]


def read_cells(pieces: Iterable[bytes], shared: Sequence[str]) -> Cells:
    """The cells of a worksheet part that comes in pieces; `shared` are the workbook's shared texts."""
    texts: dict[str, int] = {}
    lookup = np.array([texts.setdefault(t, len(texts)) for t in shared], dtype=np.int32)
    blocks = [_Block.of(block).cells(lookup, texts) for block in _blocks(pieces)]
    if not blocks:
        raise UnusualSheetError("no rows")
    found = Cells(
        **{
            name: np.concatenate([getattr(block, name) for block in blocks])
            for name in ("row", "column", "kind", "number", "text", "style")
        },
        texts=tuple(texts),
    )
    place = found.row.astype(np.int64)
    place *= 1024  # two letters at most: 702 columns
    place += found.column
    if not len(place) or (place[1:] <= place[:-1]).any():
        raise UnusualSheetError("cells out of order")
    return found


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The rows of a sheet as blocks of whole rows."""
    held = b""
    inside = False
    for piece in pieces:
        seen = max(0, len(held) - len(_END))
        held += piece
        if not inside:
            start = held.find(_START)
            if start < 0 and len(held) > _BLOCK:
                raise UnusualSheetError("no rows")
            if start < 0:
                continue
            held, seen, inside = held[start + len(_START) :], 0, True
        end = held.find(_END, seen)
        last = end >= 0
        while len(held) >= _BLOCK or last:
            whole = (
                end if last and end <= _BLOCK else held.rfind(_ROW_END, 0, _BLOCK) + len(_ROW_END)
            )
            if whole < len(_ROW_END) and end != 0:
                raise UnusualSheetError("a row is very long")
            if whole:
                yield held[:whole]
            held, end = held[whole:], end - whole
            if last and not end:
                return
    raise UnusualSheetError("the rows do not end")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Whole rows: where each tag begins, what it is, and where the next one begins."""

    data: Bytes
    view: WordsOf8
    at: Places
    tag: NDArray[np.uint8]
    after: Places

    @classmethod
    def of(cls, block: bytes) -> _Block:
        data = byte_fields.padded(block)
        view = byte_fields.word_view(data)
        at = np.flatnonzero(data == ord("<"))
        if not len(at) or at[0]:
            raise UnusualSheetError("rows do not begin with a tag")
        after = np.append(at[1:], len(block))
        pairs = byte_fields.pair_view(data)
        tag = _TAG_OF[pairs[at + 1]]
        ends = pairs[after - 2]  # the last two bytes before the next tag
        slim = ends == ord("/") | ord(">") << 8
        tag[slim & (tag == _Tag.CELL)] = _Tag.EMPTY_CELL
        tag[slim & (tag == _Tag.FORMULA)] = _Tag.EMPTY_FORMULA
        closed = (ends >> 8 == ord(">")) | _HOLDS_TEXT[tag]
        if not (closed.all() and _ALLOWED[tag[:-1] << 4 | tag[1:]].all()):
            raise UnusualSheetError("other tags")
        if tag[0] != _Tag.ROW or tag[-1] != _Tag.ROW_END:
            raise UnusualSheetError("a row does not end")
        return cls(data=data, view=view, at=at, tag=tag, after=after)

    def cells(self, shared: NDArray[np.int32], texts: dict[str, int]) -> Cells:
        """The block's cells; texts that are new are added to `texts`."""
        cell = (self.tag == _Tag.CELL) | (self.tag == _Tag.EMPTY_CELL)
        row, column, style, types = self._places(cell)
        owner = np.cumsum(cell, dtype=np.int32)
        owner -= 1  # at each tag: the cell that it belongs to
        values, inline = (np.flatnonzero(self.tag == tag) for tag in (_Tag.VALUE, _Tag.TEXT))
        kind = np.zeros(len(row), dtype=np.uint8)
        number = np.full(len(row), np.nan)
        text = np.full(len(row), -1, dtype=np.int32)
        holds = np.zeros(len(row), dtype=np.bool_)
        mine = owner[values]
        said = types[mine]
        if (said == _INLINE).any() or (types[owner[inline]] != _INLINE).any():
            raise UnusualSheetError("a value and its type do not fit")
        holds[mine] = holds[owner[inline]] = True
        starts, ends = self.at[values] + 3, self.after[values]
        for code, read in ((_NUMBERS, self._numbers), (_TRUTH, self._truths)):
            chosen = np.flatnonzero(said == code)
            if len(chosen):
                number[mine[chosen]] = read(starts[chosen], ends[chosen])
                kind[mine[chosen]] = Kind.NUMBER if code == _NUMBERS else Kind.TRUTH
        named = np.flatnonzero(said == _SHARED)
        if len(named):
            text[mine[named]] = self._shared(starts[named], ends[named], shared)
        written = np.flatnonzero(said == _WRITTEN)
        if len(written):
            text[mine[written]] = self._texts(starts[written], ends[written], texts)
        if len(inline):
            starts, ends = self._spaced(self.at[inline] + 3), self.after[inline]
            text[owner[inline]] = self._texts(starts, ends, texts)
        kind[text >= 0] = Kind.TEXT
        keep = slice(None) if holds.all() else holds
        return Cells(
            row=row[keep],
            column=column[keep],
            kind=kind[keep],
            number=number[keep],
            text=text[keep],
            style=style[keep],
            texts=(),
        )

    def _places(
        self, cell: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32], NDArray[np.uint8]]:
        """(row, column, style, type) of every cell."""
        row_tags = np.flatnonzero(self.tag == _Tag.ROW)
        rows = self.at[row_tags]
        ahead = self.view[rows + 8]
        length = np.full(len(rows), 8, dtype=np.int64)  # of the row's number
        for place in range(7, -1, -1):
            length[(ahead >> np.uint64(8 * place)) & np.uint64(255) == _QUOTE] = place
        numbers, whole = byte_fields.whole_numbers(self.view, rows + 8, length)
        if not whole.all() or (length > 7).any() or (self.view[rows] != _ROW_START).any():
            raise UnusualSheetError("rows without numbers")
        cell_tags = np.flatnonzero(cell)
        at = self.at[cell_tags]
        counts = np.diff(np.searchsorted(cell_tags, row_tags), append=len(cell_tags))
        start = self.view[at]
        letter = (start >> np.uint64(48)).astype(np.uint8).astype(np.int16) - 64
        second = (start >> np.uint64(56)).astype(np.int16) - 64
        two = (second >= 1) & (second <= 26)
        column = np.where(two, letter * 26 + second, letter) - 1
        digits = at + 7 + two
        # The cell's row number and the quotation mark behind it must be those of its row.
        keep = byte_fields.KEEP[length + 1]
        there = self.view[digits] & np.repeat(keep, counts)
        same = there == np.repeat(ahead & keep, counts)
        lettered = (letter >= 1) & (letter <= 26)
        if not (same.all() and lettered.all() and (start & _SIX == _CELL_START).all()):
            raise UnusualSheetError("cells without references")
        begin = digits + np.repeat(length + 1, counts)
        end = self.after[cell_tags] - 1 - (self.tag[cell_tags] == _Tag.EMPTY_CELL)
        style, types = self._attributes(begin, end)
        return np.repeat(numbers.astype(np.int32) - 1, counts), column, style, types

    def _attributes(
        self, starts: Places, ends: Places
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """What stands in a cell's tag behind its reference: (style, type)."""
        found = byte_fields.distinct(self.view, starts, ends)
        styles, types = [], []
        for at in found.first.tolist():
            matched = _ATTRIBUTES.fullmatch(self._text(starts[at], ends[at]).rstrip())
            if matched is None:
                raise UnusualSheetError("other attributes")
            styles.append(int(matched[1] or 0))
            types.append(_TYPES.index(matched[2] or "n"))
        codes = found.codes
        return np.array(styles, dtype=np.int32)[codes], np.array(types, dtype=np.uint8)[codes]

    def _text(self, start: int, end: int) -> str:
        return bytes(self.data[start:end]).decode()

    def _spaced(self, starts: Places) -> Places:
        """Where the texts begin behind `<t>` or `<t xml:space="preserve">`."""
        spaced = self.data[starts - 1] == ord(" ")
        if not spaced.any():
            return starts
        there = starts[spaced] - 1
        for at in range(0, len(_SPACED), 8):
            part = _SPACED[at : at + 8]
            wanted = np.uint64(int.from_bytes(part, "little"))
            if ((self.view[there + at] & byte_fields.KEEP[len(part)]) != wanted).any():
                raise UnusualSheetError("other attributes")
        return np.where(spaced, starts + len(_SPACED) - 1, starts)

    def _numbers(self, starts: Places, ends: Places) -> NDArray[np.float64]:
        values, odd = byte_fields.numbers(self.view, starts, ends)
        for at in odd.tolist():
            written = self._text(starts[at], ends[at])
            if _NUMBER.fullmatch(written) is None:
                raise UnusualSheetError("other numbers")
            values[at] = float(written)
        return values

    def _truths(self, starts: Places, ends: Places) -> NDArray[np.float64]:
        values, whole = byte_fields.whole_numbers(self.view, starts, ends - starts)
        if not (whole & (values >= 0) & (values <= 1)).all():
            raise UnusualSheetError("other truths")
        return values.astype(np.float64)

    def _shared(self, starts: Places, ends: Places, shared: NDArray[np.int32]) -> NDArray[np.int32]:
        places, whole = byte_fields.whole_numbers(self.view, starts, ends - starts)
        if not whole.all() or int(places.max()) >= len(shared):
            raise UnusualSheetError("texts that are not there")
        return shared[places]

    def _texts(self, starts: Places, ends: Places, texts: dict[str, int]) -> NDArray[np.int32]:
        found = byte_fields.distinct(self.view, starts, ends)
        first = found.first
        codes = []
        for start, end in zip(starts[first].tolist(), ends[first].tolist(), strict=True):
            plain = _plain_text(self._text(start, end))
            codes.append(texts.setdefault(plain, len(texts)))
        return np.array(codes, dtype=np.int32)[found.codes]


def is_plain(text: str, *, spaced: bool) -> bool:
    """False for a text that readers take in different ways; `spaced` where its blanks are to be kept."""
    return _ODD_TEXT.search(text) is None and (spaced or text == text.strip())


def _plain_text(written: str) -> str:
    """A text as it is meant."""
    if not is_plain(written, spaced=False):
        raise UnusualSheetError("other texts")
    return _ENTITY.sub(_entity, written) if "&" in written else written


def _entity(found: re.Match[str]) -> str:
    try:
        return _ENTITIES[found[0]]
    except KeyError:
        raise UnusualSheetError("other entities") from None
