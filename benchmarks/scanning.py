"""Books of many clients: inventing one, reading it, and asking which clients need a plan.

Every size runs in a process of its own, so that its peak memory is its own. Times are the processor's,
of one core: reading and scanning use no other.
"""

from __future__ import annotations

from benchmarks.measuring import Result, Section, exponent, fresh, table

_BEFORE = """
import json, sys, tempfile, time
from pathlib import Path

def peak():  # not ru_maxrss: a process inherits that of the one that started it
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

def seconds(work):
    start = time.process_time()
    made = work()
    return time.process_time() - start, made
"""
_BOOK = (
    _BEFORE
    + """
from xl_rebal.batch.book_reading import open_batch_book
from xl_rebal.batch.needs import ScanRequest
from xl_rebal.batch.sample_book import SampleRequest, write_sample_book
from xl_rebal.batch.scan import scan_book
with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "book"
    request = SampleRequest(households=int(sys.argv[1]))
    inventing, manifest = seconds(lambda: write_sample_book(request, out))
    opening, book = seconds(lambda: open_batch_book(out, Path(folder) / "scratch"))
    reading, count = seconds(lambda: sum(len(chunk.tables.accounts) for chunk in book.chunks()))
    scanning, found = seconds(lambda: scan_book(book, ScanRequest(policy="5pp")))
    assert count == manifest["accounts"] and len(found.clients) == request.households
print(json.dumps([inventing, opening, reading, scanning, peak(), manifest["accounts"]]))
"""
)
_SCAN = (
    _BEFORE
    + """
import statistics
from benchmarks import books
from xl_rebal.batch.chunk_reading import Chunk
from xl_rebal.batch.needs import ScanRequest
from xl_rebal.batch.scan import scan_chunk
from xl_rebal.custodians import BookTables
from xl_rebal.portfolio.accounts import Account
held = books.holdings(int(sys.argv[1]), int(sys.argv[2]))
names = held.accounts()
tables = BookTables(
    name="book",
    holdings=held,
    models={"": books.targets()},
    accounts={name: Account(account=name, household=name) for name in names},
)
chunk = Chunk(households=tuple(names), tables=tables, faults={})
request = ScanRequest(policy=books.POLICY)
scan_chunk(chunk, request)
print(json.dumps(statistics.median(seconds(lambda: scan_chunk(chunk, request))[0] for _ in range(5))))
"""
)
_ACCOUNTS, _HOLDINGS = 10_000, 30
_BUDGET = 1.0  # seconds of the scan; the screening proper has a budget of its own
_MEMORY = 500.0  # MB of the largest book


def measure(*, quick: bool = False) -> Section:
    """Invented books of 200 to 20,000 households, and 10,000 accounts of 30 holdings in memory."""
    accounts = 200 if quick else _ACCOUNTS
    scan = float(fresh(_SCAN, argv=[str(accounts), str(_HOLDINGS)]))
    sizes = (50, 200) if quick else (200, 2_000, 20_000)
    found: list[list[float]] = [fresh(_BOOK, argv=[str(size)]) for size in sizes]
    rows = [
        [
            f"{size:,}",
            f"{int(each[5]):,}",
            *(f"{value:.2f}" for value in each[:4]),
            f"{each[4]:.0f}",
        ]
        for size, each in zip(sizes, found, strict=True)
    ]
    growth = [exponent(sizes, [each[column] for each in found]) for column in (0, 2, 3, 4)]
    grid = table(
        ["households", "accounts", "invent s", "open s", "read s", "scan s", "peak MB"], rows
    )
    text = (
        f"{grid}\n\nOpening reads the shared tables and sets the rows of the others aside by household; "
        "reading gives every chunk of 64 households with its faults; scanning reads and ranks every client "
        "with its reasons. Growth with the number of households (1 is linear): inventing "
        f"{growth[0]:.2f}, reading {growth[1]:.2f}, scanning {growth[2]:.2f}, memory {growth[3]:.2f}.\n\n"
        f"Scan of {accounts:,} accounts x {_HOLDINGS} holdings in memory, each with its reason in words: "
        f"{scan:.2f} s."
    )
    largest = found[-1]
    results = [
        Result(
            work=f"scan of {accounts:,} accounts x {_HOLDINGS} holdings, ranked, with reasons",
            measured=f"{scan:.2f} s",
            budget=f"≤ {_BUDGET:g} s",
            met=None if quick else scan <= _BUDGET,
        ),
        Result(
            work=f"book of {sizes[-1]:,} households: open and read",
            measured=f"{largest[1] + largest[2]:.1f} s, peak {largest[4]:.0f} MB",
            budget=f"≤ {_MEMORY:g} MB",
            met=None if quick else largest[4] <= _MEMORY,
        ),
    ]
    return Section(title="Books of many clients", results=results, text=text)
