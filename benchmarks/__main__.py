"""All benchmarks in one run: `python -m benchmarks`, or `make bench`.

    benchmarks/.venv/bin/python -m benchmarks [--quick] [--only NAME …] [--write --date 2026-11-25]

`--write` replaces what docs/performance.md says of measured times; the date is an argument because
nothing here looks at the clock. `--quick` checks that everything runs; its times are not written.
A further benchmark is a module with `measure(*, quick)` that is named in SECTIONS.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Section, machine, table, versions

SECTIONS = (
    *("screening", "plans", "worksheet", "start", "workbooks", "blocks", "batch", "scanning"),
    *("growth", "reading", "macros", "households", "backtest"),
)
COMMAND = "make bench"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
MARK = "<!-- Below: written by `make bench WRITE=date`. -->"
PACKAGES = ("numpy", "pandas", "polars", "python-calamine", "openpyxl", "xlsxwriter", "highspy")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="some of it")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--date", help="the date to write beside the results")
    found = parser.parse_args()
    if found.write and (found.quick or not found.date or tuple(found.only) != SECTIONS):
        parser.error("--write needs --date, and all benchmarks at their full size")
    return found


def _budgets(sections: Sequence[Section]) -> str:
    words = {True: "met", False: "**missed**", None: ""}
    rows = [
        [result.work, result.measured, result.budget, words[result.met]]
        for section in sections
        for result in section.results
    ]
    return table(["work", "measured", "budget", ""], rows)


def _report(sections: Sequence[Section], date: str) -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    head = (
        f"Measured {date} with `{COMMAND}` on {machine()}; {versions(*PACKAGES)}. Load of the "
        f"machine at the end of the run: {load:.1f}."
    )
    parts = [head, "## Budgets", _budgets(sections)]
    for section in sections:
        parts += [f"## {section.title}", section.text]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, print, and write when asked to."""
    asked = _arguments()
    sections = []
    for name in asked.only:
        print(f"… {name}", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        sections.append(module.measure(quick=asked.quick))
    report = _report(sections, asked.date or "today")
    print(report)
    if asked.write:
        before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
        if not mark:
            raise SystemExit(f"{PAGE.name} has lost the line {MARK}")
        PAGE.write_text(f"{before}{mark}\n\n{report}", encoding="utf-8")


if __name__ == "__main__":
    main()
