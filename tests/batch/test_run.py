"""A run that is killed, starved, locked out or fed bad work ends as an undisturbed one, or says why not."""

from __future__ import annotations

import csv
import errno
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.batch.books import contents, small_book
from tests.batch.workers import (
    plan_or_die_once,
    plan_or_die_over_h003,
    plan_or_kill_the_starter_once,
)
from xl_rebal.batch import run as runs
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import BatchOptions, run_batch
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.errors import FileError, TableError

SETTINGS = BatchSettings()
HERE = LocalEngine(workers=1)


class Killed(BaseException):
    """What no code of the product catches."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_book(tmp_path_factory.mktemp("book") / "book")


def carry_out(book: Path, out: Path, **options: Any) -> dict[str, Any]:
    engine = options.pop("engine", HERE)
    settings = options.pop("settings", SETTINGS)
    return run_batch(book, out, settings, engine, BatchOptions(chunk=2, **options))


@pytest.fixture(scope="module")
def undisturbed(book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    carry_out(book, out)
    return contents(out)


def test_a_run_counts_plans_and_lists_its_files(book: Path, tmp_path: Path) -> None:
    manifest = carry_out(book, tmp_path / "out")
    assert manifest["households"] == manifest["accounts"] == manifest["workbooks"] == 7
    assert manifest["needing_trades"] == 3
    assert manifest["failed"] == []
    found = contents(tmp_path / "out")
    assert {each["path"] for each in manifest["files"]} == set(found) - {"manifest.json"}
    assert all(len(found[each["path"]]) == each["size"] for each in manifest["files"])
    assert not (tmp_path / "out" / ".run").exists()


def test_two_processes_write_the_same_bytes_as_one(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    carry_out(book, tmp_path / "out", engine=LocalEngine(workers=2))
    assert contents(tmp_path / "out") == undisturbed


@pytest.fixture
def at_write(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[int, BaseException], list[int]]]:
    """Let the n-th time that something is forced to the disk go wrong; tells how often it came to that."""
    fsync = os.fsync

    def plan(number: int, error: BaseException) -> list[int]:
        count = [0]

        def failing(descriptor: int) -> None:
            count[0] += 1
            if count[0] == number:
                raise error
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        return count

    yield plan
    monkeypatch.setattr(os, "fsync", fsync)


def test_killed_at_every_single_write_and_resumed_it_ends_the_same(
    book: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    at_write: Callable[[int, BaseException], list[int]],
) -> None:
    number, killed = 0, True
    while killed:
        number += 1
        out = tmp_path / f"out{number}"
        at_write(number, Killed())
        try:
            carry_out(book, out)
            killed = False
        except Killed:
            at_write(0, Killed())
            carry_out(book, out, resume=True)
        assert contents(out) == undisturbed
        assert not list(out.rglob(".*.tmp"))
    assert number > 20  # the settings, seven workbooks, four chunks, the lists, the manifest


def test_a_full_disk_stops_the_run_and_says_how_to_go_on(
    book: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    at_write: Callable[[int, BaseException], list[int]],
) -> None:
    out = tmp_path / "out"
    at_write(9, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(FileError, match=r"No space left on device.*--resume"):
        carry_out(book, out)
    at_write(0, Killed())
    carry_out(book, out, resume=True)
    assert contents(out) == undisturbed


def test_a_file_that_is_open_elsewhere_stops_only_itself(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    replaced = Path.replace

    def locked(self: Path, target: Path) -> Path:
        if "Client-3-" in Path(target).name:
            raise PermissionError(errno.EACCES, "in use")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(FileError, match=r"Client-3-.*open in another program.*--resume"):
        carry_out(book, out)
    assert len(list((out / "clients").glob("*.xlsx"))) == 6
    monkeypatch.undo()
    carry_out(book, out, resume=True)
    assert contents(out) == undisturbed


def test_a_workbook_that_was_changed_meanwhile_is_made_again(
    book: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    at_write: Callable[[int, BaseException], list[int]],
) -> None:
    out = tmp_path / "out"
    at_write(14, Killed())
    with pytest.raises(Killed):
        carry_out(book, out)
    at_write(0, Killed())
    first = sorted((out / "clients").glob("*.xlsx"))[0]
    first.write_bytes(b"half of")
    carry_out(book, out, resume=True)
    assert contents(out) == undisturbed


def test_a_worker_that_dies_over_one_client_fails_that_client_alone(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "plan_chunk", plan_or_die_over_h003)
    manifest = carry_out(book, tmp_path / "out", engine=LocalEngine(workers=2))
    assert [each["household"] for each in manifest["failed"]] == ["H003"]
    assert "ended by the system" in manifest["failed"][0]["reason"]
    assert manifest["workbooks"] == 6


def test_a_worker_that_is_killed_by_chance_changes_nothing(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "plan_chunk", partial(plan_or_die_once, tmp_path / "mark"))
    carry_out(book, tmp_path / "out", engine=LocalEngine(workers=2))
    assert (tmp_path / "mark").exists()
    assert contents(tmp_path / "out") == undisturbed


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(),
    reason="no process starts the others",
)
def test_the_process_that_starts_the_others_may_be_killed_too(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        runs, "plan_chunk", partial(plan_or_kill_the_starter_once, tmp_path / "mark")
    )
    carry_out(book, tmp_path / "out", engine=LocalEngine(workers=2))
    assert (tmp_path / "mark").exists()
    assert contents(tmp_path / "out") == undisturbed


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_the_workers_of_a_killed_run_end_with_it(book: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.mkdir()
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, pathlib, functools\n"
        "from tests.batch.workers import sleep_and_say_where\n"
        "from xl_rebal.batch import run\n"
        "from xl_rebal.batch.local_engine import LocalEngine\n"
        "from xl_rebal.batch.settings import BatchSettings\n"
        "if __name__ == '__main__':\n"
        "    book, out, told = map(pathlib.Path, sys.argv[1:])\n"
        "    run.plan_chunk = functools.partial(sleep_and_say_where, told)\n"
        "    run.run_batch(book, out, BatchSettings(), LocalEngine(workers=2), run.BatchOptions(chunk=2))\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, str(script), str(book), str(tmp_path / "out"), str(told)],
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert _soon(lambda: len(list(told.iterdir())) == 2)
        process.kill()
    workers = [int(each.name) for each in told.iterdir()]
    assert _soon(lambda: not any(map(_runs, workers)))


def _soon(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _runs(pid: int) -> bool:
    """Whether a process runs: one that has ended may be listed until somebody asks for its outcome."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_two_runs_cannot_have_one_folder(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    holder = (
        "import sys, pathlib\n"
        "from xl_rebal.batch.lock import only_run\n"
        "with only_run(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(FileError, match="another run is writing into this folder"):
            carry_out(book, out)
        other.kill()  # a killed run keeps no lock
        other.wait(60)
    carry_out(book, out)
    assert contents(out) == undisturbed


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_kill_9_at_random_moments_and_resumed_it_ends_the_same(
    book: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    moments = random.Random(8)
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, pathlib, time\n"
        "from xl_rebal.batch import folder\n"
        "from xl_rebal.batch.local_engine import LocalEngine\n"
        "from xl_rebal.batch.run import BatchOptions, run_batch\n"
        "from xl_rebal.batch.settings import BatchSettings\n"
        "print('begun', flush=True)\n"
        "write = folder._write\n"
        "def slow(path, data):\n"
        "    time.sleep(0.01)\n"
        "    write(path, data)\n"
        "folder._write = slow\n"
        "run_batch(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), BatchSettings(),\n"
        "    LocalEngine(workers=1), BatchOptions(chunk=2, resume=True))\n"
    )
    out = tmp_path / "out"
    kills, ended = 0, False
    while not ended:
        with subprocess.Popen(
            [sys.executable, str(script), str(book), str(out)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            if kills < 6:
                time.sleep(moments.uniform(0.02, 0.35))
                process.send_signal(signal.SIGKILL)
            code = process.wait(120)
        assert code in (0, -signal.SIGKILL)
        ended = code == 0
        kills += code != 0
    assert kills >= 1
    assert contents(out) == undisturbed


@pytest.mark.parametrize(
    ("prepare", "options", "words"),
    [
        ("finished", {}, "holds a finished run"),
        ("begun", {}, r"unfinished run.*--resume"),
        (
            "begun",
            {"resume": True, "settings": BatchSettings(policy="4pp")},
            "kind: policy differs",
        ),
        ("foreign", {"overwrite": True}, "not from a run"),
        ("spoilt", {"resume": True}, r"changed or removed.*clients/Client-1-"),
    ],
)
def test_a_folder_that_is_not_free_is_refused(
    book: Path,
    tmp_path: Path,
    prepare: str,
    options: dict[str, Any],
    words: str,
    at_write: Callable[[int, BaseException], list[int]],
) -> None:
    out = tmp_path / "out"
    if prepare == "foreign":
        out.mkdir()
        (out / "thesis.docx").write_bytes(b"years of work")
    elif prepare == "begun":
        at_write(5, Killed())
        with pytest.raises(Killed):
            carry_out(book, out)
        at_write(0, Killed())
    else:
        carry_out(book, out)
    if prepare == "spoilt":
        next((out / "clients").glob("Client-1-*")).write_bytes(b"")
    before = contents(out)
    with pytest.raises(FileError, match=words):
        carry_out(book, out, **options)
    assert contents(out) == before


def test_overwrite_replaces_a_run_and_leaves_other_files(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    carry_out(book, out)
    (out / "clients" / "note.txt").write_text("mine")
    manifest = carry_out(book, out, overwrite=True, settings=BatchSettings(workbooks=False))
    assert manifest["workbooks"] == 0
    assert [path.name for path in (out / "clients").iterdir()] == ["note.txt"]


def test_a_finished_run_is_resumed_by_looking_at_its_sums(book: Path, tmp_path: Path) -> None:
    first = carry_out(book, tmp_path / "out")
    assert carry_out(book, tmp_path / "out", resume=True) == json.loads(json.dumps(first))


def test_a_run_never_writes_into_its_book(book: Path) -> None:
    before = contents(book)
    for out in (book, book / "out", book.parent):
        with pytest.raises(FileError, match=r"inside the other|own folder"):
            carry_out(book, out)
    assert contents(book) == before


def test_the_ledger_of_orders_never_stands_in_the_book(book: Path, tmp_path: Path) -> None:
    before = contents(book)
    (tmp_path / "link").symlink_to(book, target_is_directory=True)
    for ledger in (book / "orders.jsonl", tmp_path / "link" / "deep" / "orders.jsonl"):
        with pytest.raises(FileError, match=r"^--ledger: orders\.jsonl would stand in the book"):
            run_batch(book, tmp_path / "out", SETTINGS, HERE, outside=Outside(ledger=ledger))
    assert contents(book) == before
    assert not (tmp_path / "out").exists()


def test_a_book_that_is_refused_leaves_no_client_s_rows_and_says_each_fault_once(
    tmp_path: Path,
) -> None:
    folder = small_book(tmp_path / "book")
    (folder / "models.csv").write_text("asset_class,target\nStocks,60%\nBonds,50%\n")
    with pytest.raises(TableError) as refused:
        carry_out(folder, tmp_path / "out")
    assert len(refused.value.faults) == 1
    assert contents(tmp_path / "out") == {}


def test_a_client_that_failed_is_listed_by_its_name(tmp_path: Path) -> None:
    folder = small_book(tmp_path / "book")
    accounts, holdings = folder / "accounts.csv", folder / "holdings.csv"
    accounts.write_text(accounts.read_text().replace("H003,taxable", "H003,"))
    holdings.write_text(holdings.read_text().replace("A005,BND,250", "A005,BND,many"))
    manifest = carry_out(folder, tmp_path / "out")
    assert {each["household"] for each in manifest["failed"]} == {"H003", "H005"}
    with (tmp_path / "out" / "failed.csv").open(newline="") as stream:
        names = {row["household"]: row["name"] for row in csv.DictReader(stream)}
    assert names == {"H003": "Client 3", "H005": "Client 5"}
