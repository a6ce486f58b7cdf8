"""Macros on a workbook of 200 holdings: from press to written file.

    python benchmarks/macros.py

Prints a table in Markdown; docs/performance.md holds the last one that was measured. The workbook is the
template, so what depends on the inputs is looked for in all of its formulas.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import Settings, run

RUNS = 9
TEMPLATE = Path(__file__).resolve().parents[1] / "workbook_templates" / "portfolio.xltx"
CLASSES = ("Stocks/US", "Stocks/International", "Bonds", "Real Estate")


def positions(folder: Path) -> Path:
    """Invented holdings: 200 rows in 10 accounts of 20."""
    lines = ["account,symbol,quantity,price,asset_class"]
    for i in range(200):
        quantity, price = 10 + i % 7, 50 + 25 * (i % 4)
        lines.append(f"7000{i // 20:04},S{i % 20:02},{quantity},{price},{CLASSES[i % 4]}")
    path = folder / "positions.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, first = positions(folder), folder / "first.xlsx"
        given = Settings(file=file, plans=folder / "plans", overwrite=True)
        run("import_positions", FileWorkbook(TEMPLATE, out=first), given)
        rows = []
        for macro in ("import_positions", "check_drift", "generate_trades", "verify_trades"):
            times = []
            for _ in range(RUNS + 1):
                out = folder / "out.xlsx"
                start = time.perf_counter()
                run(macro, FileWorkbook(first, out=out, overwrite=True), given)
                times.append(time.perf_counter() - start)
            rows.append((macro, statistics.median(times[1:])))
            if macro == "generate_trades":
                first.write_bytes(out.read_bytes())  # verify needs a plan
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    print("| macro, 200 holdings in 10 accounts | s (median) |\n|---|---|")
    for macro, seconds in rows:
        print(f"| {macro} | {seconds:.3f} |")


if __name__ == "__main__":
    main()
