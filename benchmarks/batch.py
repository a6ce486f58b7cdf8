"""A whole run over an invented book: seconds, households a second, peak memory, and how both grow.

    python -m benchmarks.batch [--sizes 200 2000 20000] [--mode household_tax] [--workers 2]
    python -m benchmarks.batch --profile 200 [--mode household_tax]

Each size runs `xl-rebal sample-book` and then `xl-rebal batch` as processes of their own. The memory is
that of all processes of the run together, sampled ten times a second from /proc.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Result, Section, exponent, table
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import run_batch
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.portfolio.accounts import PlanMode

COSTS = "half-spread 2bp, commission 0"
_SEED = 7
_SECONDS, _MEGABYTES = 30.0, 1536.0  # budgets: 200 households; 10,000 in bounded memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run; memory in MB."""

    households: int
    accounts: int
    needing: int
    trades: int
    workbooks: int
    failed: int
    seconds: float
    memory: float


def run(households: int, mode: str, workers: int) -> Run:
    """Invent a book, run it, and remove both."""
    with tempfile.TemporaryDirectory() as folder:
        book, out = Path(folder) / "book", Path(folder) / "out"
        _call("sample-book", "--households", str(households), "--seed", str(_SEED), "--out", book)
        asked = ["batch", book, "--out", out, "--mode", mode, "--workers", str(workers)]
        started = time.perf_counter()
        manifest, memory = _watched(*asked, "--costs", COSTS, "--json")
        return Run(
            households=manifest["households"],
            accounts=manifest["accounts"],
            needing=manifest["needing_trades"],
            trades=manifest["trades"],
            workbooks=manifest["workbooks"],
            failed=len(manifest["failed"]),
            seconds=time.perf_counter() - started,
            memory=memory,
        )


def profile(households: int, mode: str) -> str:
    """Where the processor time of a run in one process goes, by room of the package."""
    with tempfile.TemporaryDirectory() as folder:
        book, out = Path(folder) / "book", Path(folder) / "out"
        _call("sample-book", "--households", str(households), "--seed", str(_SEED), "--out", book)
        settings = BatchSettings(mode=PlanMode(mode), costs=COSTS)
        watched = cProfile.Profile(time.process_time)
        watched.runcall(run_batch, book, out, settings, LocalEngine(workers=1))
    spent: dict[str, float] = {}
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(watched).stats.items():  # type: ignore[attr-defined]  # not in its stubs
        parts = Path(file).parts
        room = parts[parts.index("xl_rebal") + 1] if "xl_rebal" in parts[:-1] else "libraries"
        spent[room] = spent.get(room, 0.0) + own
    total = sum(spent.values())
    rows = [
        [room.removesuffix(".py"), f"{seconds:.2f}", f"{seconds / total:.0%}"]
        for room, seconds in sorted(spent.items(), key=lambda item: -item[1])
        if seconds >= total / 200
    ]
    return table([f"{households} households, {mode}", "s of its own, profiled", "share"], rows)


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "xl_rebal", *map(str, words)]


def _call(*words: str | Path) -> None:
    subprocess.run(_command(*words), check=True, capture_output=True)


def _watched(*words: str | Path) -> tuple[dict[str, int | list[object]], float]:
    """What a command prints, and the peak of the memory of its process group in MB."""
    peak, ended = [0.0], threading.Event()
    with subprocess.Popen(
        _command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:

        def watch() -> None:
            while not ended.wait(0.1):
                peak[0] = max(peak[0], _group_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        printed, _ = process.communicate()
        ended.set()
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}")
    return json.loads(printed), peak[0]


def _group_memory(group: int) -> float:
    total = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group:
                    status = Path(entry.path, "status").read_text(encoding="ascii")
                    total += next(int(x.split()[1]) for x in status.splitlines() if "VmRSS" in x)
            except (OSError, StopIteration):  # it ended while we looked
                continue
    return total / 1024


def measure(*, quick: bool) -> Section:
    """200 households by rules and as households; growth by rules. Larger ones take minutes: --sizes."""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    sizes = [50, 200] if quick else [200, 1_000, 4_000]
    modes = {mode: run(sizes[0], mode, workers) for mode in ("rules", "household_tax")}
    grown = [modes["rules"], *(run(size, "rules", workers) for size in sizes[1:])]
    rows = [[mode, *_cells(each)] for mode, each in modes.items()]
    rows += [["rules", *_cells(each)] for each in grown[1:]]
    head = ["mode", "households", "accounts", "need trades", "trades", "failed", "s", "/s", "MB"]
    slow, large = modes["household_tax"], grown[-1]
    growth = exponent([e.households for e in grown], [e.seconds for e in grown])
    results = [
        Result(
            work=f"batch of {each.households} clients with lots and workbooks, {mode}",
            measured=f"{each.seconds:.1f} s",
            budget=f"{_SECONDS:.0f} s",
            met=each.seconds <= _SECONDS,
        )
        for mode, each in (("rules", modes["rules"]), ("household_tax", slow))
    ]
    results.append(
        Result(
            work=f"batch of {large.households:,} clients, peak memory of all processes",
            measured=f"{large.memory:,.0f} MB",
            budget=f"{_MEGABYTES:,.0f} MB",
            met=large.memory <= _MEGABYTES,
        )
    )
    results.append(
        Result(
            work=f"growth of a batch, {grown[0].households:,} to {large.households:,} clients",
            measured=f"exponent {growth:.2f}",
        )
    )
    text = (
        f"`python -m benchmarks.batch`: invented books (`xl-rebal sample-book --seed {_SEED}`), {workers} "
        "worker processes, from the start of the command to its end, workbooks, dashboard and order files "
        "written and forced to the disk. Memory is the peak of all its processes together.\n\n"
    )
    return Section(title="Whole books", results=results, text=text + table(head, rows))


def _cells(each: Run) -> list[str]:
    counts = (each.households, each.accounts, each.needing, each.trades, each.failed)
    rate = each.households / each.seconds
    return [
        *(f"{n:,}" for n in counts),
        f"{each.seconds:.1f}",
        f"{rate:.1f}",
        f"{each.memory:,.0f}",
    ]


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 2_000])
    parser.add_argument("--mode", default="rules")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profile", type=int, help="instead: where the time of so many goes")
    asked = parser.parse_args()
    if asked.profile:
        print(profile(asked.profile, asked.mode))
        return
    rows = [_cells(run(size, asked.mode, asked.workers)) for size in asked.sizes]
    print(table(["households", "accounts", "need", "trades", "failed", "s", "/s", "MB"], rows))


if __name__ == "__main__":
    main()
