"""Results of expensive worksheet functions, kept while their inputs stay the same.

A result is found again by the SHA-256 of the function's name, the version of xl_rebal and every input
with its type: the text "1", the number 1 and TRUE are three inputs, and so are a blank and a zero.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from xl_rebal import __version__
from xl_rebal.excel import registry
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.registry import Cell, Function, Grid

MOST_RESULTS = 64
MOST_CELLS = 500_000  # in all results together: some 50 MB


class Results:
    """The latest results. Threads may share it; two that ask for the same may both compute it."""

    __slots__ = ("_cells", "_kept", "_lock", "_most_cells", "_most_results")

    def __init__(self, *, most_results: int = MOST_RESULTS, most_cells: int = MOST_CELLS) -> None:
        self._most_results = most_results
        self._most_cells = most_cells
        self._kept: OrderedDict[bytes, Grid | Cell] = OrderedDict()
        self._cells = 0
        self._lock = threading.Lock()

    def shown(self, function: Function, arguments: Sequence[Any]) -> Grid | Cell:
        """What the cell shows, computed or found again; a fault of ours is never kept."""
        try:
            key = fingerprint(function.name, arguments)
        except TypeError:  # a value of a kind that no host sends today: compute it
            return registry.call(function.name, arguments)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return _copy(self._kept[key])
        answer = registry.answer(function.name, arguments)
        if not answer.own_fault:
            self._keep(key, answer.shown)
        return answer.shown

    def _keep(self, key: bytes, result: Grid | Cell) -> None:
        size = _size(result)
        if size > self._most_cells:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = _copy(result)
            self._cells += size
            while len(self._kept) > self._most_results or self._cells > self._most_cells:
                _, oldest = self._kept.popitem(last=False)
                self._cells -= _size(oldest)

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)


def fingerprint(name: str, arguments: Sequence[Any]) -> bytes:
    """The key of a call; raises TypeError for a value of an unknown kind."""
    found = hashlib.sha256()
    for part in (name, __version__, list(arguments)):
        _feed(found, part)
    return found.digest()


def _feed(found: Any, value: Any) -> None:
    """Add a value to a hash: its kind, its length where that varies, itself."""
    if value is None:
        found.update(b"n")
    elif isinstance(value, bool):
        found.update(b"b1" if value else b"b0")
    elif isinstance(value, float):
        found.update(b"f" + struct.pack("<d", value))
    elif isinstance(value, str):
        _feed_text(found, b"s", value)
    elif isinstance(value, CellError):
        _feed_text(found, b"e", value.text)
    elif isinstance(value, dt.datetime):
        _feed_text(found, b"d", value.isoformat())
    elif isinstance(value, (list, tuple)):
        found.update(b"l" + struct.pack("<q", len(value)))
        for item in value:
            _feed(found, item)
    else:
        raise TypeError(type(value).__name__)


def _feed_text(found: Any, kind: bytes, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    found.update(kind + struct.pack("<q", len(data)) + data)


def _size(result: Grid | Cell) -> int:
    return sum(map(len, result)) if isinstance(result, list) else 1


def _copy(result: Grid | Cell) -> Grid | Cell:
    return [list(row) for row in result] if isinstance(result, list) else result
