"""Workers on this machine: processes that are fed a few chunks at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from xl_rebal.batch.chunks import Done, Lost, Task, Work

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
                    except BrokenProcessPool:
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
    with _pool(1) as pool:
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return Lost(task=task, reason="its process was ended by the system (memory?)")


def _pool(workers: int) -> ProcessPoolExecutor:
    """Clean processes: a fork would copy locks of threads that are running here."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["xl_rebal.batch.work"])
    return ProcessPoolExecutor(workers, mp_context=context)
