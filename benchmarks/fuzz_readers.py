"""Damaged exports through the readers: no traceback, no wrong sum.

    python benchmarks/fuzz_readers.py --cases 10000 [--seed 0] [--keep FOLDER]

Takes every real export of ../shared/data/brokers (or $XL_REBAL_SHARED), the golden pairs, the samples and
workbooks made of them, damages each by seed, and reads it. What is read must have the sum of values, the
sum of quantities and the number of positions that a second, plain reading finds, where that reading
understands the file (`compared`). Anything but a RebalError that comes out is a find. Prints counts and
every find with the seed that makes it again; exits 1 if there is one.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.custodians import plain  # noqa: E402 - after the path to the project
from tests.custodians.fuzzing import as_workbook, judge, mutated  # noqa: E402 - after the path to the project
from tests.custodians.workbook_bytes import sheet_xml, write_workbook  # noqa: E402 - after the path
from xl_rebal.custodians import read_positions, write_holdings_csv  # noqa: E402 - after the path


def sources(folder: Path) -> list[tuple[str, bytes]]:
    """(name, data) of all exports: real ones, golden ones, samples, and CSV saved as workbooks."""
    shared = Path(os.environ.get("XL_REBAL_SHARED") or ROOT.parent / "shared") / "data" / "brokers"
    paths = [p for p in sorted(shared.rglob("*")) if p.is_file() and p.suffix.casefold() != ".md"]
    paths += sorted((ROOT / "tests/custodians/golden").rglob("export.*"))
    paths += sorted((ROOT / "xl_rebal/samples").glob("*.csv"))
    found = [(f"{p.parent.name}/{p.name}", p.read_bytes()) for p in paths]
    books = []
    for name, data in found:
        if name.casefold().endswith(".csv") and len(data) < 5_000:
            try:
                rows = list(csv.reader(io.StringIO(plain.decoded(data), newline="")))
            except UnicodeDecodeError:  # the sample in Windows-1252
                continue
            book = write_workbook(folder / "book.xlsx", sheet_xml(rows))
            books.append((f"{name}.xlsx", book.read_bytes()))
    for sample in sorted((ROOT / "xl_rebal/samples").glob("*.csv")):
        write_holdings_csv(read_positions(sample), folder / "holdings.csv", overwrite=True)
        found.append((f"written/{sample.name}", (folder / "holdings.csv").read_bytes()))
    return found + books


def main() -> int:
    """Run the cases and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case")
    parser.add_argument("--keep", type=Path, help="folder for the files of finds")
    options = parser.parse_args()
    warnings.simplefilter("error")  # a warning of numpy's on a user's screen is a find, too
    counts: Counter[str] = Counter()
    finds: list[str] = []
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        every = sources(folder)
        path = folder / "case"
        for case in range(options.seed, options.seed + options.cases):
            name, original = every[case % len(every)]
            data, damage = mutated(original, case)
            # Every fourth damaged CSV is saved as a workbook, and must give the same.
            if case % 4 or not name.casefold().endswith(".csv") or not as_workbook(data, path):
                path.write_bytes(data)
            else:
                counts["as workbook"] += 1
            start = time.perf_counter()
            try:
                verdict = judge(path, data)
                outcome, why = verdict.outcome, verdict.why
                counts["compared"] += verdict.compared
            except Exception as error:  # a find of any kind is what this looks for
                outcome, why = "traceback", f"{type(error).__name__}: {error}"[:200]
            counts[outcome] += 1
            slowest = max(slowest, (time.perf_counter() - start, f"seed {case} {name}"))
            if outcome in {"traceback", "wrong"}:
                finds.append(f"seed {case}, {name}, {damage}: {outcome}: {why}")
                if options.keep is not None:
                    options.keep.mkdir(exist_ok=True)
                    (options.keep / f"{case}").write_bytes(path.read_bytes())
    print(f"{options.cases:,} cases of {len(every)} exports: {dict(sorted(counts.items()))}")
    print(f"slowest: {slowest[0]:.2f} s, {slowest[1]}")
    for text in finds:
        print(text)
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
