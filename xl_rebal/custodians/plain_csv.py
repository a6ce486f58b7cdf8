"""A large text file as columns of cells, where it is nothing but cells: pandas reads it, no cell quoted.

Every other file, and every small one, is left to the `csv` module, row by row; the cells are the same.
"""

from __future__ import annotations

import csv
import io

import pandas as pd

from xl_rebal.custodians.grid import Grid

LARGE = 256 * 1024  # characters from which on a second look at the text is worth it


def read_columns(text: str, delimiter: str, *, longest: int) -> Grid | None:
    """The rows of a text, each line one; None where lines are of unequal width, or something is odd.

    longest  characters of a line beyond which a cell may be longer than the `csv` module is told to take.
    """
    if len(text) < LARGE or '"' in text or "\0" in text or not delimiter.isascii():
        return None
    if text.count("\r") != text.count("\r\n") or text.startswith(
        "\ufeff"
    ):  # pandas drops a second mark
        return None
    if max(map(len, text.split("\n"))) > longest:
        return None
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=delimiter, header=None, dtype=object, keep_default_na=False,
            skip_blank_lines=False, quoting=csv.QUOTE_NONE, engine="c", low_memory=False,
        )  # fmt: skip
    except pd.errors.ParserError:  # a line has more cells than the first
        return None
    # pandas fills up a line with fewer cells: none has, if there are delimiters for all.
    rows, width = frame.shape
    if width < 2 or text.count(delimiter) != rows * (width - 1):
        return None
    return Grid([column.tolist() for _, column in frame.items()])
