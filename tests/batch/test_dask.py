"""The Dask engine: the same bytes as processes of this machine, and a worker's death changes nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from tests.batch.books import contents, small_book
from tests.batch.workers import plan_or_die_over_h003, plan_slowly
from xl_rebal.batch import dask_engine
from xl_rebal.batch import run as runs
from xl_rebal.batch.dask_engine import DaskEngine
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import BatchOptions, run_batch
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.errors import FileError

pytest.importorskip("distributed")
# Its own threads and sockets outlive a test by a moment; nothing of ours is meant.
pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = BatchOptions(chunk=2)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_book(tmp_path_factory.mktemp("book") / "book")


@pytest.fixture(scope="module")
def undisturbed(book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    run_batch(book, out, BatchSettings(), LocalEngine(workers=1), OPTIONS)
    return contents(out)


def test_an_existing_cluster_survives_the_death_of_a_worker(
    book: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from distributed import LocalCluster

    begun = tmp_path / "begun"
    monkeypatch.setattr(runs, "plan_chunk", partial(plan_slowly, begun))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        victims = [worker.process.process.pid for worker in cluster.workers.values()]

        def kill() -> None:
            while not begun.exists():
                time.sleep(0.01)
            os.kill(victims[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        engine = DaskEngine(workers=2, address=cluster.scheduler_address)
        run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)
        killer.join()
        assert victims[0] not in {w.process.process.pid for w in cluster.workers.values()}
    assert contents(tmp_path / "out") == undisturbed


def test_a_client_that_kills_every_worker_fails_alone(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "plan_chunk", plan_or_die_over_h003)
    engine = DaskEngine(workers=2)
    manifest = run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)
    assert [each["household"] for each in manifest["failed"]] == ["H003"]
    assert "workers of the cluster died" in manifest["failed"][0]["reason"]
    assert manifest["workbooks"] == 6


def test_a_scheduler_that_does_not_answer_is_named(book: Path, tmp_path: Path) -> None:
    engine = DaskEngine(workers=1, address="tcp://127.0.0.1:9")
    with pytest.raises(FileError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"):
        run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)


def test_a_cluster_without_workers_is_not_waited_for_without_end(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(dask_engine, "_FIRST_WORKER", 0.5)
    with LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1") as cluster:
        engine = DaskEngine(workers=1, address=cluster.scheduler_address)
        with pytest.raises(FileError, match="no worker of the cluster answers"):
            run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)


def test_workers_that_have_not_got_the_package_are_named(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client, LocalCluster

    def missing(self: Client, *args: object) -> None:
        raise ModuleNotFoundError("No module named 'xl_rebal'")

    monkeypatch.setattr(Client, "run", missing)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        engine = DaskEngine(workers=1, address=cluster.scheduler_address)
        with pytest.raises(FileError, match=r"workers cannot run xl_rebal.*install"):
            run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)


def test_a_scheduler_that_is_lost_stops_the_run_and_it_goes_on(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    begun = tmp_path / "begun"
    monkeypatch.setattr(runs, "plan_chunk", partial(plan_slowly, begun))
    cluster = LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )

    def close() -> None:
        while not begun.exists():
            time.sleep(0.01)
        cluster.close()

    closer = threading.Thread(target=close)
    closer.start()
    engine = DaskEngine(workers=1, address=cluster.scheduler_address)
    with pytest.raises(FileError, match=r"connection to the scheduler was lost.*--resume"):
        run_batch(book, tmp_path / "out", BatchSettings(), engine, OPTIONS)
    closer.join()
    monkeypatch.undo()
    again = BatchOptions(chunk=2, resume=True)
    run_batch(book, tmp_path / "out", BatchSettings(), LocalEngine(workers=1), again)
    assert contents(tmp_path / "out") == undisturbed
