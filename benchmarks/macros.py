"""Macros on a workbook of 200 holdings: from press to written file.

    python -m benchmarks --only macros

The workbook is the template, so what depends on the inputs is looked for in all of its formulas.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import Result, Section, table
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.macros import Settings, run

RUNS = 9
BUDGET = 0.5
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


def measure(*, quick: bool) -> Section:
    """Each macro from press to file, median of warm runs."""
    runs = 2 if quick else RUNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, first = positions(folder), folder / "first.xlsx"
        given = Settings(file=file, plans=folder / "plans", overwrite=True)
        run("import_positions", FileWorkbook(TEMPLATE, out=first), given)
        found = {}
        for macro in ("import_positions", "check_drift", "generate_trades", "verify_trades"):
            times = []
            for _ in range(runs + 1):
                out = folder / "out.xlsx"
                start = time.perf_counter()
                run(macro, FileWorkbook(first, out=out, overwrite=True), given)
                times.append(time.perf_counter() - start)
            found[macro] = statistics.median(times[1:])
            if macro == "generate_trades":
                first.write_bytes(out.read_bytes())  # verify needs a plan
    head = (
        f"200 holdings in 10 accounts, from press to written and synced file: median of {runs} runs, "
        "wall time. Verify Trades finds nothing edited here, so it writes nothing.\n\n"
    )
    return Section(
        title="Macros on files",
        results=[
            Result(
                work=f"macro {macro}, 200 holdings, press to file",
                measured=f"{each:.3f} s",
                budget=f"≤{BUDGET:g} s",
                met=None if quick else each <= BUDGET,
            )
            for macro, each in found.items()
        ],
        text=head + table(["macro", "s"], [[n, f"{each:.3f}"] for n, each in found.items()]),
    )
