"""One run at a time in a folder: a lock that the system takes back when its process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xl_rebal.errors import FileError

LOCK = ".batch.lock"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this run; raises FileError at once where another run holds it.

    The file stays behind when the run ends: removing it would let two runs hold locks on two files of
    one name. What counts is the system's lock on it, which no killed process keeps.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FileError.of(
            where=folder.name,
            what="another run is writing into this folder",
            remedy="wait until it ends, or choose another --out",
        ) from None
    except OSError as error:
        raise FileError.of(
            where=folder.name,
            what=f"cannot be locked ({error.strerror or 'the system refused'})",
            remedy="choose a folder on a disk that you may write to",
        ) from None
    try:
        yield
    finally:
        lock.release()
