"""Rows set aside on disk by household, so that a book of any size is read a few households at a time."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xl_rebal.custodians.numbers import Cell
from xl_rebal.errors import FileError

Homed = tuple[int, int, Sequence[Cell]]  # place of the household, line, cells
_HELD_ROWS = 65_536  # rows kept in memory before they are set aside


class Scratch:
    """Buckets of rows in a folder of the run's own; bucket b holds households b x size to (b + 1) x size.

    The folder is emptied first, and nothing but the rows of one bucket and 65,536 more is in memory.
    """

    def __init__(self, folder: Path, *, size: int) -> None:
        self.size = size
        self._folder = folder
        self._held: dict[tuple[str, int], list[Homed]] = {}
        self._count = 0
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot_write(folder, error) from error

    def add(self, table: str, home: int, line: int, cells: Sequence[Cell]) -> None:
        """Set a row aside."""
        self._held.setdefault((table, home // self.size), []).append((home, line, cells))
        self._count += 1
        if self._count >= _HELD_ROWS:
            self.flush()

    def flush(self) -> None:
        """Put the rows that are in memory on disk."""
        try:
            for (table, bucket), rows in self._held.items():
                with self._file(table, bucket).open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(rows, default=_tagged) + "\n")
        except OSError as error:
            raise _cannot_write(self._folder, error) from error
        self._held, self._count = {}, 0

    def rows(self, table: str, bucket: int) -> Iterator[Homed]:
        """The rows of a bucket in the order in which they were added."""
        file = self._file(table, bucket)
        if not file.exists():
            return
        with file.open(encoding="utf-8") as stream:
            for text in stream:
                yield from json.loads(text, object_hook=_untagged)

    def buckets(self, table: str) -> list[int]:
        """The buckets that hold rows of a table."""
        return sorted(int(f.stem.rpartition("-")[2]) for f in self._folder.glob(f"{table}-*.json"))

    def _file(self, table: str, bucket: int) -> Path:
        return self._folder / f"{table}-{bucket}.json"


def _tagged(cell: Any) -> dict[str, str] | str:
    """Dates keep their type: a date where a symbol is wanted is a fault."""
    if isinstance(cell, dt.datetime):
        return {"moment": cell.isoformat()}
    if isinstance(cell, dt.date):
        return {"day": cell.isoformat()}
    return str(cell)


def _untagged(tagged: dict[str, str]) -> dt.date | dt.datetime:
    if "moment" in tagged:
        return dt.datetime.fromisoformat(tagged["moment"])
    return dt.date.fromisoformat(tagged["day"])


def _cannot_write(folder: Path, error: OSError) -> FileError:
    return FileError.of(
        where=folder.name,
        what=f"cannot be written ({error.strerror or 'the system refused'})",
        remedy="free some space or choose another place",
    )
