"""Workers on this machine: processes that are fed a few chunks at a time, and that end with this one."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from xl_rebal.batch.chunks import Done, Lost, Task, Work
from xl_rebal.errors import FileError

# Tries to start a process: what starts them may have been ended by the system as well, and is only
# replaced once it is quite gone, which takes a busy machine a moment. Together about six seconds.
_STARTS, _PAUSE = 8, 0.05
_ENDED = "its process was ended by the system (memory?)"
_AHEAD = 2  # chunks that wait for each worker: enough to keep it busy, few enough for the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """Processes of this machine; with one worker the work is done in this process."""

    workers: int

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Done | Lost]:
        """What became of each task, in the order in which they end."""
        if self.workers == 1:
            for task in tasks:
                yield work(task)
            return
        waiting = iter(tasks)
        suspects: list[Task] = []
        while True:
            for task in suspects:
                yield _alone(work, task)
            suspects = []
            more = yield from self._until_broken(work, waiting, suspects)
            if not more:
                return

    def _until_broken(
        self, work: Work, tasks: Iterator[Task], suspects: list[Task]
    ) -> Generator[Done, None, bool]:
        """Work until the tasks end (False) or a worker dies (True): what it was at is in `suspects`.

        A pool cannot tell which of its processes died over which task, so each that was under way is
        tried again alone.
        """
        flying: dict[Future[Done], Task] = {}
        with _pool(self.workers) as pool:
            while True:
                for task in tasks:
                    try:
                        flying[pool.submit(work, task)] = task
                    except (
                        BrokenProcessPool,
                        EOFError,
                        OSError,
                    ):  # the latter: none can be started
                        suspects.extend([*flying.values(), task])
                        return True
                    if len(flying) >= self.workers * _AHEAD:
                        break
                if not flying:
                    return False
                ended, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in ended:
                    try:
                        done = future.result()
                    except BrokenProcessPool:
                        suspects.extend(flying.values())
                        return True
                    del flying[future]
                    yield done


def _alone(work: Work, task: Task) -> Done | Lost:
    for attempt in range(_STARTS):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        with _pool(1) as pool:
            try:
                future = pool.submit(work, task)
            except (EOFError, OSError):
                continue
            except BrokenProcessPool:
                return Lost(task=task, reason=_ENDED)
            try:
                return future.result()
            except BrokenProcessPool:
                return Lost(task=task, reason=_ENDED)
    raise FileError.of(
        where="worker processes",
        what="cannot be started (the system has none to give)",
        remedy="close other programs, then go on with --resume",
    )


def _pool(workers: int) -> ProcessPoolExecutor:
    """Clean processes: a fork would copy locks of threads that are running here."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["xl_rebal.batch.work"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Let this process end when the run's own is killed: nobody would take what it makes."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        with contextlib.suppress(OSError):
            multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
