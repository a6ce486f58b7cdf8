"""Warm calls of worksheet functions on 200 holdings, and what `import xl_rebal` costs.

    python benchmarks/worksheet_functions.py

Prints a table in Markdown; docs/performance.md holds the last one that was measured.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from xl_rebal.excel.registry import call

RUNS = 50
SYMBOLS = ("VTI", "VXUS", "BND", "VNQ")
CLASSES = ("Stocks/US", "Stocks/International", "Bonds", "Real Estate")


def holdings(count: int) -> list[list[Any]]:
    """Invented holdings: `count` rows of four funds in accounts of 20 rows each."""
    rows: list[list[Any]] = [["Account", "Symbol", "Quantity", "Price"]]
    for i in range(count):
        rows.append([f"A{i // 20}", SYMBOLS[i % 4], 10.0 + i % 7, 50.0 + 25 * (i % 4)])
    return rows


def milliseconds(work: Callable[[], Any]) -> float:
    """Median time of one call, after one that is not counted."""
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def import_milliseconds(statement: str) -> float:
    """Median time of an import in a fresh process, less that of an empty one."""

    def fresh(code: str) -> float:
        program = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        runs = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program], capture_output=True, check=True
                ).stdout
            )
            for _ in range(7)
        ]
        return statistics.median(runs) * 1e3

    return fresh(statement)


def main() -> None:
    """Measure and print."""
    table = holdings(200)
    one = [table[0], *(["A", f"{row[1]}{i}", *row[2:]] for i, row in enumerate(table[1:]))]
    one = [[*row, "Asset class" if i == 0 else CLASSES[(i - 1) % 4]] for i, row in enumerate(one)]
    targets = "60% stocks, 30% bonds, 10% real estate"
    cheap = [targets, "5pp"]
    lines = [
        ("`import xl_rebal`, fresh process", import_milliseconds("import xl_rebal")),
        *(
            (f"{name}, 200 holdings in {words}", milliseconds(partial(call, name, [rows, *rest])))
            for words, rows in (("one account", one), ("10 accounts", table))
            for name, rest in (
                ("REBAL_WEIGHTS", []),
                ("REBAL_DRIFT", cheap),
                ("REBAL_STATUS", cheap),
                ("REBAL_TRADES", [*cheap, "half-spread 5bp"]),
            )
        ),
    ]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {os.cpu_count()} cores, {platform.system()}")
    print("| work | ms (median of 50 warm calls) |\n|---|---|")
    for name, value in lines:
        print(f"| {name} | {value:.2f} |")


if __name__ == "__main__":
    main()
