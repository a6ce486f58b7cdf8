"""Workers of a Dask cluster: one that exists, by its address, or one on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xl_rebal.batch.chunks import Done, Lost, Task, Work
from xl_rebal.errors import FileError

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 2
_PATIENCE = 5  # seconds for a scheduler to answer
_FIRST_WORKER = 120  # seconds for it to have a worker: a cluster that grows on demand takes a while


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskEngine:
    """A Dask cluster.

    address  of its scheduler (`tcp://10.0.0.5:8786`); empty starts `workers` processes here.

    The cluster's workers need xl_rebal of the same version; files are written by this process only, so
    they need no common disk.
    """

    workers: int
    address: str = ""

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Done | Lost]:
        """What became of each task, in the order in which they end.

        Dask gives a dead worker's tasks to another one, and gives a task up that took several workers
        with it. Raises FileError where the cluster cannot be reached, has no workers or is lost.
        """
        client = self._client()
        try:
            yield from _fed(client, work, iter(tasks))
        finally:
            cluster = client.cluster
            client.close()
            if not self.address and cluster is not None:
                cluster.close()

    def _client(self) -> Client:
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError:
            raise FileError.of(
                where="--engine dask",
                what="Dask is not installed",
                remedy='install it with pip install "xl-rebal[cluster]"',
            ) from None
        if not self.address:
            # A chunk that two processes died over is looked at client by client: more would only take time.
            with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
                cluster = LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    host="127.0.0.1",
                )
            return Client(cluster)
        try:
            client = Client(self.address, timeout=_PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            raise FileError.of(
                where="--scheduler",
                what=f"no Dask scheduler answers at {self.address} ({type(error).__name__})",
                remedy="start it, or correct the address (tcp://host:8786)",
            ) from None
        try:
            _require_same_build(client)
        except FileError:
            client.close()
            raise
        return client


def _require_same_build(client: Client) -> None:
    """Refuse workers that would make other files: of another version, or with another compressor."""
    ours = _build()
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER)
    except OSError:  # TimeoutError is one
        raise FileError.of(
            where="--scheduler",
            what="no worker of the cluster answers",
            remedy="start some (dask worker tcp://host:8786)",
        ) from None
    try:
        found: dict[str, Any] = client.run(_build)
    except ImportError as error:
        raise FileError.of(
            where="--scheduler",
            what=f"workers cannot run xl_rebal ({error})",
            remedy=f"install xl-rebal[cluster] on all of them ({ours})",
        ) from None
    other = sorted({str(each) for each in found.values() if each != ours})
    if other:
        raise FileError.of(
            where="--scheduler",
            what=f"workers run {', '.join(other)}, and this is {ours}",
            remedy="install the same version with the same extras everywhere",
        )


def _build() -> str:
    from xl_rebal import __version__
    from xl_rebal.workbooks.zipped import COMPRESSOR

    return f"xl_rebal {__version__} with {COMPRESSOR}"


def _fed(client: Client, work: Work, tasks: Iterator[Task]) -> Iterator[Done | Lost]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    flying: dict[Any, Task] = {}
    queue = as_completed(with_results=False)

    def feed() -> bool:
        for task in tasks:
            future = client.submit(work, task, pure=False)
            flying[future.key] = task
            queue.add(future)
            return True
        return False

    for _ in range(_AHEAD * max(1, len(client.scheduler_info()["workers"]))):
        if not feed():
            break
    while flying:
        future = next(queue)
        task = flying.pop(future.key)
        try:
            yield future.result()
        except KilledWorker:
            yield Lost(task=task, reason="several workers of the cluster died over it")
        except CancelledError:
            raise FileError.of(
                where="--engine dask",
                what="the connection to the scheduler was lost",
                remedy="start it again, then go on with --resume",
            ) from None
        future.release()
        feed()
