"""Widths and heights that follow what a client's sheets hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from xl_rebal.workbooks.cells import lines_needed

_FIRST_DAY = dt.date(1899, 12, 30)  # day 0 of the calendar of workbooks
_LINE = 13.5


def money_width(amounts: Iterable[float | None], least: float = 14) -> float:
    """Room for the largest amount with its sign, separators and cents."""
    largest = max([abs(amount) for amount in amounts if amount is not None], default=0.0)
    return max(least, float(len(f"{largest:,.2f}") + 3))


def text_width(texts: Iterable[str], least: float, most: float) -> float:
    """Room for the longest text, within limits."""
    return min(max(max(map(len, texts), default=0) + 3.0, least), most)


def heights(*columns: tuple[Sequence[str], float]) -> list[float | None]:
    """The heights of rows with wrapped texts: each column with the characters of its width."""
    return [_height(row) for row in zip(*([(t, w) for t in c] for c, w in columns), strict=True)]


def _height(row: Sequence[tuple[str, float]]) -> float | None:
    lines = max(
        [
            1 if len(text) * 0.85 <= width and "\n" not in text else lines_needed(text, width)
            for text, width in row
        ]
    )
    return None if lines == 1 else min(_LINE * lines + 2, 400.0)


def serial(day: dt.date | None) -> int | None:
    """A day as workbooks count it."""
    return None if day is None else (day - _FIRST_DAY).days
