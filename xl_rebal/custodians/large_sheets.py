"""Large worksheets as columns, five times as fast as cell by cell, and the very same cells.

python-calamine hands over every cell as an object, and walks through a sheet twice. Here the sheet's bytes
are turned into columns (`sheet_cells`), while everything else that a workbook is stays python-calamine's
work: it reads a copy in which the large sheets are cut off after their first rows. That copy also tells
which of the workbook's styles make a number a date, and its first rows must be equal to ours, cell by cell.
A sheet of an unusual shape, or with anything that readers might take in two ways, is left to python-calamine.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from xl_rebal.custodians.archives import DAMAGE, MAX_CELLS, check_extent, unpacked
from xl_rebal.custodians.grid import Grid, TextCells
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheet_cells import Cells, Kind, UnusualSheetError, is_plain, read_cells
from xl_rebal.custodians.words import Words
from xl_rebal.portfolio.holdings import TextColumn

LARGE = 1 << 20  # unpacked bytes of a sheet from which on this way is worth its start
HEAD = 64 * 1024  # bytes of a large sheet that are kept in the copy: 100 to 300 rows
_ROW_END = b"</row>"
_SHEET_END = b"</sheetData></worksheet>"
_CUT = "cut off here: "  # then the part's name, in the last row of a sheet that was cut
_PROBE = 1.5  # in that row, too, once in every style: half a day shows what is a date
_MOST_STYLES = 2_000
_SHARED = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"
_EPOCH = np.datetime64("1899-12-30")
_FIRST_DAY, _LAST_DAY = (
    61,
    2_958_465,
)  # 1900-03-01, behind the day that Excel made up, to 9999-12-31


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A copy of a workbook whose large sheets end after their first rows."""

    data: bytes
    parts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the copy has of a sheet that was cut: its part, its first rows, which styles are dates."""

    part: str
    rows: Sequence[Sequence[Cell]]
    styles: Sequence[Cell]


def excerpt(path: Path) -> Excerpt | None:
    """The copy; None where no sheet is large, or one cannot be cut between two rows.

    Call it only after `archives.check_archive`, which makes sure that sizes are what they seem.
    """
    try:
        return _excerpt(path)
    except DAMAGE:  # which python-calamine may not mind
        return None


def _excerpt(path: Path) -> Excerpt | None:
    out = io.BytesIO()
    cut = set()
    with zipfile.ZipFile(path) as archive:
        if not any(is_large(part) for part in archive.infolist()):
            return None
        probes = _probes(archive)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as copy:
            for part in archive.infolist():
                if not is_large(part):
                    copy.writestr(part.filename, archive.read(part))
                    continue
                with archive.open(part) as stream:
                    head = stream.read(HEAD)
                end = head.rfind(_ROW_END)
                if end < 0:
                    return None
                mark = (
                    f'<row><c t="inlineStr"><is><t>{_CUT}{part.filename}</t></is></c>{probes}</row>'
                )
                check_extent(path.name, part.filename, [head])
                copy.writestr(
                    part.filename, head[: end + len(_ROW_END)] + mark.encode() + _SHEET_END
                )
                cut.add(part.filename)
    return Excerpt(data=out.getvalue(), parts=frozenset(cut))


def is_large(part: zipfile.ZipInfo) -> bool:
    """Whether a part is a sheet that is worth this way."""
    name = part.filename
    plain = re.fullmatch(r"xl/worksheets/[\w.-]+\.xml", name) is not None
    return plain and part.file_size >= LARGE


def _probes(archive: zipfile.ZipFile) -> str:
    """A number in each of the workbook's styles."""
    if _STYLES not in archive.namelist():
        return ""
    count = min(_MOST_STYLES, archive.read(_STYLES).count(b"<xf"))
    return "".join(f'<c s="{style}"><v>{_PROBE}</v></c>' for style in range(count))


def head_of(rows: Sequence[Sequence[Cell]], found: Excerpt) -> Head | None:
    """What the copy has of a sheet; None where it has all of it."""
    first = rows[-1][0] if rows and rows[-1] else ""
    if not isinstance(first, str) or not first.startswith(_CUT):
        return None
    part = first.removeprefix(_CUT)
    if part not in found.parts:
        return None
    return Head(part=part, rows=rows[:-1], styles=rows[-1][1:])


def read_grid(path: Path, head: Head) -> Grid | None:
    """Every cell of a sheet that was cut; None where this way might not give the very same cells."""
    try:
        with zipfile.ZipFile(path) as archive:
            shared = list(_shared_texts(archive))
            cells = read_cells(unpacked(path, archive.getinfo(head.part)), shared)
        columns = list(_columns(cells, head.styles))
    except (UnusualSheetError, *DAMAGE):
        return None
    grid = Grid(columns)
    return grid if _agree(head.rows, grid) else None


def _shared_texts(archive: zipfile.ZipFile) -> Iterator[str]:
    if _SHARED not in archive.namelist():
        return
    try:
        root = ET.fromstring(archive.read(_SHARED))  # no entities: check_archive saw to it
    except ET.ParseError:
        raise UnusualSheetError("shared texts") from None
    for item in root:
        tag = item.tag.rpartition("}")[2]
        if tag != "si" or len(item) != 1 or item[0].tag.rpartition("}")[2] != "t" or len(item[0]):
            raise UnusualSheetError("texts in several runs")
        text = item[0].text or ""
        spaced = bool(item[0].attrib)
        if not is_plain(text, spaced=spaced):
            raise UnusualSheetError("other texts")
        yield text


def _columns(cells: Cells, styles: Sequence[Cell]) -> Iterator[list[Cell]]:
    texts = np.array([*cells.texts, ""], dtype=object)
    height, width = _extent(cells, texts)
    dates = np.array([isinstance(cell, dt.date) for cell in styles], dtype=np.bool_)
    plain = np.array([type(cell) is float for cell in styles] or [True], dtype=np.bool_)
    for at in range(width):
        mine = np.flatnonzero(cells.column == at)
        row, kind = cells.row[mine], cells.kind[mine]
        if (kind == Kind.TEXT).all():
            codes = np.full(height, len(texts) - 1, dtype=np.int64)
            codes[row] = cells.text[mine]
            yield TextCells(Words.some(texts, codes))
            continue
        column = np.full(height, "", dtype=object)
        named = kind == Kind.TEXT
        column[row[named]] = texts[cells.text[mine[named]]]
        counted = np.flatnonzero(kind == Kind.NUMBER)
        number, style = cells.number[mine[counted]], cells.style[mine[counted]]
        if int(style.max(initial=0)) >= max(1, len(plain)):
            raise UnusualSheetError("a style that is not there")
        if len(dates):
            days = dates[style]
            if not (days | plain[style]).all():
                raise UnusualSheetError("times")
            column[row[counted[days]]] = _days(number[days])
            counted, number = counted[~days], number[~days]
        truths = np.flatnonzero(kind == Kind.TRUTH)
        column[row[truths]] = (cells.number[mine[truths]] == 1).tolist()
        places = row[counted]
        if len(places) and places[-1] - places[0] + 1 == len(places):  # one run, below a header
            below = column[places[-1] + 1 :].tolist()
            yield [*column[: places[0]].tolist(), *number.tolist(), *below]
            continue
        column[places] = number.tolist()
        yield column.tolist()


def _extent(cells: Cells, texts: TextColumn) -> tuple[int, int]:
    """(rows, columns) that the cells span; those of empty texts must not make it larger."""
    filled = (cells.text < 0) | (texts[cells.text] != "")
    if not filled.any():
        raise UnusualSheetError("nothing but empty texts")
    for places in (cells.row, cells.column):
        if places.max() != places[filled].max():
            raise UnusualSheetError("empty texts beyond all others")
    height, width = int(cells.row.max()) + 1, int(cells.column.max()) + 1
    if height * width > MAX_CELLS:
        raise UnusualSheetError("cells far out")
    return height, width


def _days(number: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[dt.date]:
    if not ((number == np.floor(number)) & (number >= _FIRST_DAY) & (number <= _LAST_DAY)).all():
        raise UnusualSheetError("times of day")
    days: list[dt.date] = list((_EPOCH + number.astype(np.int64)).tolist())
    return days


def _agree(head: Sequence[Sequence[Cell]], grid: Grid) -> bool:
    """Whether the rows that were read twice are the same, cell by cell and type by type."""
    if len(grid) < len(head):
        return False
    for row, ours in zip(head, grid[: len(head)], strict=True):
        if any(cell != "" for cell in row[len(ours) :]):
            return False
        theirs = [*row[: len(ours)], *[""] * (len(ours) - len(row))]
        if any(type(a) is not type(b) or a != b for a, b in zip(ours, theirs, strict=True)):
            return False
    return True
