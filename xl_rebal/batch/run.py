"""A whole run: from a book to workbooks, blocks, orders, dashboard and manifest, safe against interruption.

The order of events is what makes it safe. Clients are planned in chunks by workers; this process alone
writes. A chunk's workbooks are written first, its note after them. When all notes are there the files
about the whole book are made from the notes, in the order of the book, and the manifest comes last. So a
run that is killed at any moment has only whole files, and a resumed one ends with the same bytes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from xl_rebal.batch.book_reading import BatchBook, open_batch_book
from xl_rebal.batch.book_sources import Sources
from xl_rebal.batch.chunks import Done, Lost, Task, Work
from xl_rebal.batch.closing import Totals, close_run
from xl_rebal.batch.folder import FORMAT, MANIFEST, RunFolder
from xl_rebal.batch.lock import only_run
from xl_rebal.batch.settings import BatchSettings, Outside, digest_of
from xl_rebal.batch.work import ChunkTask, failed_alone, joined, plan_chunk, without_waiting
from xl_rebal.custodians.orders import OrderFormats, read_ledger
from xl_rebal.errors import Fault, FileError

CHUNK = 32  # households: a second or two of work, so that little is lost and progress is seen
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Engine(Protocol):
    """Who does the work."""

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Done | Lost]:
        """What became of each task, in any order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a run is carried out; none of it changes what comes out.

    resume     go on with a run that was interrupted.
    overwrite  start afresh where a run stands already.
    chunk      households to a chunk.
    """

    resume: bool = False
    overwrite: bool = False
    chunk: int = CHUNK


AS_USUAL = BatchOptions()


@dataclass(slots=True)
class _State:
    unwritten: list[Fault] = field(default_factory=list)


def run_batch(
    book: Path | Sources,
    out: Path,
    settings: BatchSettings,
    engine: Engine,
    options: BatchOptions = AS_USUAL,
    outside: Outside | None = None,
    *,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Any]:
    """Plan every household of a book and write everything into `out`; returns the manifest.

    book  a folder or a workbook, or the tables of a workbook that is open in Excel.
    told  called with the households that are done, and how many there are.

    Raises FileError where the folder cannot be used (a finished or another run stands there, another
    run is at work, no space), and whatever stops a whole book from being read.
    """
    if isinstance(book, Path):
        _require_apart(book, out, outside.ledger if outside is not None else None)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError.of(
            where=out.name,
            what=f"cannot be made ({error.strerror or 'the system refused'})",
            remedy="choose another --out",
        ) from None
    with only_run(out):
        folder = RunFolder(path=out)
        manifest = _prepared(folder, options)
        if manifest is not None:
            return manifest
        return _run(book, folder, settings, engine, options, outside or Outside(), told)


def _require_apart(book: Path, out: Path, ledger: Path | None) -> None:
    """A run never writes into its book, nor reads what it writes."""
    if ledger is not None and book.resolve() in (ledger.resolve(), *ledger.resolve().parents):
        raise FileError.of(
            where="--ledger",
            what=f"{ledger.name} would stand in the book, which a run never writes into",
            remedy="choose a place beside the book",
        )
    one, other = book.resolve(), out.resolve()
    if one == other or one in other.parents or (book.is_dir() and other in one.parents):
        raise FileError.of(
            where=out.name,
            what="is the book's own folder, or one lies inside the other",
            remedy="choose an --out beside the book",
        )


def _prepared(folder: RunFolder, options: BatchOptions) -> dict[str, Any] | None:
    """Make the folder ready; the manifest of a run that a resumed one finds finished and whole."""
    if options.overwrite and not options.resume and folder.holds_a_run():
        folder.clear()
        return None
    manifest = folder.manifest()
    if manifest is not None and not folder.is_begun():
        if not options.resume:
            raise FileError.of(
                where=folder.path.name,
                what="holds a finished run",
                remedy="choose another --out, or replace it with --overwrite",
            )
        changed = [each["path"] for each in manifest["files"] if not folder.is_intact(each)]
        if changed:
            raise FileError.of(
                where=folder.path.name,
                what=f"holds a finished run, and {len(changed)} of its files were changed or removed "
                f"since ({', '.join(changed[:3])}{' …' if len(changed) > 3 else ''})",
                remedy="run again with --overwrite, or into another --out",
            )
        return manifest
    if folder.is_begun():
        if not options.resume:
            raise FileError.of(
                where=folder.path.name,
                what="holds an unfinished run",
                remedy="go on with it (--resume), or start afresh (--overwrite)",
            )
        folder.remove_strays()
    elif not folder.is_empty():
        raise FileError.of(
            where=folder.path.name,
            what="is not empty, and what stands there is not from a run",
            remedy="choose a new folder as --out",
        )
    return None


def _run(
    book: Path | Sources,
    folder: RunFolder,
    settings: BatchSettings,
    engine: Engine,
    options: BatchOptions,
    outside: Outside,
    told: Callable[[int, int], None],
) -> dict[str, Any]:
    folder.scratch.mkdir(parents=True, exist_ok=True)
    opened = open_batch_book(book, folder.scratch)
    settings = _named(settings, opened, outside)
    asked = {
        **settings.document(),
        "book": opened.digest,
        "chunk": options.chunk,
        "export": "",  # follows from the others
        "order formats": _sum_of(outside.formats),
    }
    if folder.is_begun():
        folder.require_same(asked)
    else:
        folder.begin(asked)
    run = folder.run_name()
    waiting = _waiting(outside, settings, run)
    _log(folder, f"run of {opened.name}: {len(opened.households)} households")
    state = _State()
    total = len(opened.households)
    done = 0
    told(0, total)
    for count in _finished(opened, folder, settings, engine, options, waiting, state):
        done += count
        told(done, total)
    if state.unwritten:
        _log(folder, f"stopped: {len(state.unwritten)} files could not be written")
        raise FileError(*state.unwritten)
    totals = close_run(folder, len(opened.households), settings, outside, run=run)
    totals.warnings += opened.warnings
    manifest = _manifest(opened, settings, totals)
    folder.write(MANIFEST, _text(manifest))
    folder.remove_state()
    _log(folder, "finished")
    return manifest


def _named(settings: BatchSettings, book: BatchBook, outside: Outside) -> BatchSettings:
    """The settings with the day of the trades (as asked, else the book's) and the run's own name.

    The name stands on orders and in the ledger; the same book and settings have the same one, so that
    the files of a run that is repeated are the same.
    """
    dated = replace(settings, as_of=settings.as_of or book.as_of)
    text = f"{book.digest} {dated.digest} {_sum_of(outside.formats)}"
    return replace(dated, export=digest_of(text.encode())[:16])


def _sum_of(formats: OrderFormats) -> str:
    return digest_of(repr(formats).encode())


def _waiting(outside: Outside, settings: BatchSettings, run: str) -> dict[str, Fault]:
    """Account -> why it is not planned: orders of another run, which nobody has reconciled."""
    if outside.ledger is None:
        return {}
    return read_ledger(outside.ledger).faults_of_run(settings.export, run)


def _finished(
    book: BatchBook,
    folder: RunFolder,
    settings: BatchSettings,
    engine: Engine,
    options: BatchOptions,
    waiting: Mapping[str, Fault],
    state: _State,
) -> Iterator[int]:
    """Do what is not done yet; yields households whenever some are finished."""
    ready = 0

    def tasks() -> Iterator[ChunkTask]:
        nonlocal ready
        for index, chunk in enumerate(book.chunks(options.chunk)):
            if folder.is_finished(index):
                ready += len(chunk.households)
            else:
                yield ChunkTask(
                    index=index, chunk=without_waiting(chunk, waiting), settings=settings
                )

    lost: list[ChunkTask] = []
    for outcome in engine.run(plan_chunk, tasks()):
        if ready:
            yield ready
            ready = 0
        if isinstance(outcome, Lost):
            assert isinstance(outcome.task, ChunkTask)
            lost.append(outcome.task)
            continue
        yield _kept(folder, outcome, state)
    if ready:
        yield ready
    for task in lost:
        yield _kept(folder, _one_by_one(task, engine), state)


def _one_by_one(task: ChunkTask, engine: Engine) -> Done:
    """A chunk that took its worker with it, client by client, so that only the guilty one fails."""
    found: dict[str, Done] = {}
    for outcome in engine.run(plan_chunk, task.singles()):
        if isinstance(outcome, Lost):
            name = outcome.task.households[0]
            found[name] = failed_alone(task, name, outcome.reason)
        else:
            found[outcome.households[0]] = outcome
    return joined(task, [found[name] for name in task.households])


def _kept(folder: RunFolder, done: Done, state: _State) -> int:
    """Write a chunk; what one file cannot be written for leaves the others alone."""
    try:
        folder.finish_chunk(done)
    except FileError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise FileError(
                *(
                    replace(fault, remedy="free some space, then go on with --resume")
                    for fault in error.faults
                )
            ) from cause
        state.unwritten.extend(
            replace(fault, remedy=f"{fault.remedy}; then go on with --resume")
            for fault in error.faults
        )
    return len(done.households)


def _manifest(book: BatchBook, settings: BatchSettings, totals: Totals) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "book": {"name": book.name, "sha256": book.digest},
        "settings": settings.document(),
        **totals.document(),
    }


def _text(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _log(folder: RunFolder, words: str) -> None:
    """A line in the log; a log that cannot be written stops nothing."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with contextlib.suppress(OSError), folder.log.open("a", encoding="utf-8") as log:
        log.write(f"{now} {words}\n")
