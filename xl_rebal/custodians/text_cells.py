"""A large text file as columns of cells, where it is nothing but cells: no quotation marks, no odd line.

Every other file is left to the `csv` module, row by row.
"""

from __future__ import annotations

import numpy as np

from xl_rebal.custodians import byte_fields
from xl_rebal.custodians.byte_fields import Places, WordsOf8
from xl_rebal.custodians.grid import Grid, TextCells
from xl_rebal.custodians.number_cells import NumberCells
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.words import Words

LARGE = 256 * 1024  # characters from which on this way is worth its start
_FEW = 0.01  # the share of cells, such as headers, that need not be numbers in a column of numbers


def read_grid(text: str, delimiter: str) -> Grid | None:
    """The rows of a text, each line one; None where lines are of unequal width, or anything is quoted."""
    if len(text) < LARGE or '"' in text or "\0" in text or not delimiter.isascii():
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    if not text.endswith("\n"):
        text += "\n"
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    source: str | bytes = text if len(data) == len(text) else data
    fields = byte_fields.padded(data)
    marks = np.flatnonzero((fields == ord(delimiter)) | (fields == ord("\n")))
    ends_line = fields[marks] == ord("\n")
    width = int(np.argmax(ends_line)) + 1
    if width < 2 or len(marks) % width or not _even(ends_line, width):
        return None
    ends = marks.reshape(-1, width)
    starts = np.empty_like(ends)
    starts.ravel()[1:] = marks[:-1] + 1
    starts[0, 0] = 0
    if int((ends - starts).max()) > byte_fields.LONGEST:
        return None
    view = byte_fields.word_view(fields)
    columns = [
        _column(source, view, starts[:, at].copy(), ends[:, at].copy()) for at in range(width)
    ]
    return None if None in columns else Grid([c for c in columns if c is not None])


def _even(ends_line: np.ndarray[tuple[int], np.dtype[np.bool_]], width: int) -> bool:
    """Whether every line has the cells of the first."""
    table = ends_line.reshape(-1, width)
    return bool(table[:, -1].all()) and not table[:, :-1].any()


def _column(
    source: str | bytes, view: WordsOf8, starts: Places, ends: Places
) -> list[Cell] | NumberCells | None:
    values, odd = byte_fields.numbers(view, starts, ends)
    blank = ends[odd] == starts[odd]
    if len(odd) - int(blank.sum()) <= _FEW * len(values):
        return NumberCells(source=source, starts=starts, ends=ends, values=values)
    try:
        found = byte_fields.distinct(view, starts, ends)
    except ValueError:  # two texts of one mark, once in an age
        return None
    first = found.first
    cells = NumberCells(source=source, starts=starts[first], ends=ends[first], values=values[first])
    return TextCells(Words(texts=tuple(cells), codes=found.codes))
