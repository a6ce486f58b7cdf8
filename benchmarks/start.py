"""The first result in a fresh process: imports, reading, planning, writing, all of it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

from benchmarks.measuring import Result, Section, fresh, table

_IMPORT = (
    "import json, time; t = time.perf_counter(); import {name}; "
    "print(json.dumps(time.perf_counter() - t))"
)
_DRIFT = """
import json, time
t = time.perf_counter()
from xl_rebal.excel.registry import call
call("REBAL_DRIFT", [[["Symbol", "Quantity", "Price"], ["VTI", 5000, 220.0], ["BND", 8000, 75.0]],
                     "60% stocks, 40% bonds", "5pp"])
print(json.dumps(time.perf_counter() - t))
"""


def _command(arguments: list[str], runs: int) -> float:
    """Median seconds of a command of the command line, process start included."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "xl_rebal", *arguments],
                check=True,
                capture_output=True,
                cwd=folder,
            )
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(*, quick: bool) -> Section:
    """Medians over processes of their own."""
    runs = 3 if quick else 9
    sample = Path(str(resources.files("xl_rebal"))) / "samples" / "schwab_positions.csv"
    targets = ["--targets", "60% stocks, 30% bonds, 10% real estate", "--policy", "5pp"]
    found = {
        "`import xl_rebal`": fresh(_IMPORT.format(name="xl_rebal"), runs),
        "`import pandas` alone, for scale": fresh(_IMPORT.format(name="pandas"), runs),
        "first REBAL_DRIFT, imports included": fresh(_DRIFT, runs),
        "`xl-rebal drift` on the sample export": _command(["drift", str(sample), *targets], runs),
        "`xl-rebal trades` on the sample export": _command(["trades", str(sample), *targets], runs),
        "`xl-rebal demo`, workbook included": _command(["demo"], runs),
    }
    imported = found["`import xl_rebal`"] * 1e3
    return Section(
        title="First result in a fresh process",
        results=[
            Result(
                work="`import xl_rebal` alone",
                measured=f"{imported:.0f} ms",
                budget="≤150 ms",
                met=None if quick else imported <= 150,
            ),
            *(
                Result(work=f"fresh process: {name}", measured=f"{each * 1e3:,.0f} ms")
                for name, each in found.items()
                if name.startswith(("first", "`xl-rebal"))
            ),
        ],
        text=f"Median of {runs} processes.\n\n"
        + table(["what", "ms"], [[name, f"{each * 1e3:,.0f}"] for name, each in found.items()]),
    )
