"""A book of many clients, read a few households at a time; one client's bad rows stop that client only.

What everybody needs (accounts, models, securities, restrictions, tax profiles, fund rules) is read at
once. The rows of holdings, lots, flows and history are set aside by household, each with its line, so
that memory does not grow with them. A fault that names a client's row stops that client; what nobody
can be blamed for stops the run, and is said with all other faults together.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xl_rebal.batch.book_sources import Sources, find_sources
from xl_rebal.batch.chunk_reading import Chunk, ChunkReader
from xl_rebal.batch.partition import Partition, set_aside
from xl_rebal.batch.shared_tables import SharedTables, read_shared
from xl_rebal.errors import Fault, FileError, TableError
from xl_rebal.portfolio.accounts import Account

CHUNK = 64  # households that are read together


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBook:
    """A book that is ready to be read a chunk at a time.

    as_of       the valuation date that the holdings state, or None.
    digest      SHA-256 over the names and bytes of its files.
    households  in the order of the accounts table, then as the holdings name them; an account without
                a household is one of its own, named after it.
    accounts    by account, each with its household; accounts without a row take the defaults.
    faults      what is known so far to stop a household; `chunks` finds the rest.
    warnings    what is odd, and stops nobody.
    """

    name: str
    as_of: dt.date | None
    digest: str
    households: tuple[str, ...]
    accounts: Mapping[str, Account]
    faults: Mapping[str, tuple[Fault, ...]]
    warnings: tuple[str, ...]
    shared: SharedTables
    partition: Partition
    _reader: ChunkReader = field(repr=False, compare=False)

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """The households in their order, at most `size` at a time."""
        if size < 1:
            raise ValueError(f"a chunk of {size} households")
        return self._reader.chunks(size)


def open_batch_book(path: Path | str | Sources, scratch: Path) -> BatchBook:
    """Open a folder of tables or exports, a workbook, or the tables of one that is open elsewhere.

    scratch  a folder of the run's own, which is emptied; the book itself is never written to.
    Raises FileError, ReadError or TableError for what stops the run, all of it together.
    """
    sources = path if isinstance(path, Sources) else _sources(Path(path))
    _require(sources)
    shared = read_shared(sources)
    partition = set_aside(sources, shared, scratch)
    if partition.stops:
        shutil.rmtree(scratch, ignore_errors=True)  # nobody needs the clients' rows any more
        blamed = (fault for each in partition.faults.values() for fault in each)
        raise TableError(*dict.fromkeys((*partition.stops, *blamed)))
    reader = ChunkReader(sources.name, shared=shared, partition=partition)
    return BatchBook(
        name=sources.name,
        as_of=partition.as_of,
        digest=sources.digest(),
        households=partition.households,
        accounts=partition.accounts,
        faults=partition.faults,
        warnings=(*sources.warnings, *shared.warnings, *partition.warnings),
        shared=shared,
        partition=partition,
        _reader=reader,
    )


def _sources(path: Path) -> Sources:
    if not path.exists():
        raise FileError.of(
            where=path.name, what="there is no such file or folder", remedy="check the name"
        )
    return find_sources(path)


def all_faults(book: BatchBook, size: int = CHUNK) -> dict[str, tuple[Fault, ...]]:
    """Everything that stops a client, by household in the order of the book."""
    found: dict[str, tuple[Fault, ...]] = {}
    for chunk in book.chunks(size):
        found.update(chunk.faults)
    return found


def _require(sources: Sources) -> None:
    missing = [] if "models" in sources.tables else ["models"]
    if "holdings" not in sources.tables and not any(len(e.holdings) for e in sources.exports):
        missing.insert(0, "holdings")
    if missing:
        raise FileError.of(
            where=sources.name,
            what=f"has no table {', '.join(missing)}",
            remedy="add "
            + ", ".join(f"{name}.csv" for name in missing)
            + " to the folder, or sheets of these names to the workbook",
        )
