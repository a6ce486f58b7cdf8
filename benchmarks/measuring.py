"""How a time is measured: medians of repeated, interleaved runs; memory in a process of its own."""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table of budgets.

    met  None where the line has no budget, or where the budget was not measured.
    """

    work: str
    measured: str
    budget: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What one benchmark found: lines for the table of budgets, and its own account in Markdown."""

    title: str
    results: Sequence[Result]
    text: str


def interleaved(
    works: Mapping[str, Work],
    runs: Mapping[str, int],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each work; the works take turns, so that a busy moment hits them alike.

    runs  how often each is timed; those with fewer runs are spread over the turns. A work that takes
    less than a second is called once uncounted before each timed call: all are measured warm.
    clock  `time.process_time` counts the processor's time of this process only, for what is promised
    per core: other work on the machine then counts as little as it can.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    turns = max(runs.values())
    for turn in range(turns):
        for name, work in works.items():
            done = times[name]
            if len(done) == runs[name] or turn * runs[name] < len(done) * turns:
                continue
            gc.collect()
            if not done or done[-1] < 1.0:
                work()
            start = clock()
            work()
            done.append(clock() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def median_seconds(work: Work, runs: int) -> float:
    """Median seconds of one work."""
    return interleaved({"": work}, {"": runs})[""]


def fresh(code: str, runs: int = 1, argv: Sequence[str] = ()) -> Any:
    """What `code` prints as JSON in a Python process of its own; the median of several numbers."""
    found = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", code, *argv],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).resolve().parents[1],
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return found[0] if runs == 1 else statistics.median(found)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """b of the least-squares line log(value) = a + b log(size): 1 is linear growth."""
    x, y = [math.log(s) for s in sizes], [math.log(v) for v in values]
    mx, my = statistics.fmean(x), statistics.fmean(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum(
        (a - mx) ** 2 for a in x
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def versions(*packages: str) -> str:
    """`numpy 2.3.1, pandas 3.1.1`, with those that are missing left out."""
    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def machine() -> str:
    """The machine in words: processor, cores, memory, system, Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {pages:.0f} GiB, {platform.system()}, {python}"
