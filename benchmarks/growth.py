"""How time and memory grow with the number of accounts and of holdings; 1 is linear growth.

Every size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

from typing import Any

from benchmarks.measuring import Result, Section, exponent, fresh, table

_SIZES = """
import gc, json, statistics, sys, time
from benchmarks import books
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policy_text import parse_policy
accounts, count, runs = (int(word) for word in sys.argv[1:4])

def peak():  # not ru_maxrss: a process inherits that of the one that started it
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

def seconds(work):
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        made = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), made
"""
_SCREEN = (
    _SIZES
    + """
from xl_rebal.screening import screen
before = peak()
held = books.holdings(accounts, count)
birth, book = seconds(lambda: Book(holdings=held, models={"": books.targets()}))
policy = parse_policy(books.POLICY)
screening, _ = seconds(lambda: screen(book, policy))
print(json.dumps([birth, screening, peak() - before]))
"""
)
_PLAN = (
    _SIZES
    + """
from benchmarks.plans import _request
from xl_rebal.rebalance import rebalance
before = peak()
book = books.book(accounts, count)
planning, _ = seconds(lambda: rebalance(book, _request()))
print(json.dumps([planning, peak() - before]))
"""
)


def _run(code: str, accounts: int, count: int, runs: int) -> list[float]:
    found: list[float] = fresh(code, argv=[str(accounts), str(count), str(runs)])
    return found


def measure(*, quick: bool) -> Section:
    """Accounts at 30 holdings, holdings at 1,000 accounts (screening) and at 20 (plans)."""
    accounts = [1_000, 3_000, 10_000] if quick else [1_000, 3_000, 10_000, 30_000, 100_000]
    counts = [10, 30, 100] if quick else [10, 30, 100, 300, 1_000]
    few = [100, 300] if quick else [300, 1_000, 3_000]
    screened: dict[str, list[tuple[int, list[float]]]] = {
        "accounts": [(n, _run(_SCREEN, n, 30, 3)) for n in accounts],
        "holdings": [(n, _run(_SCREEN, 1_000, n, 3)) for n in counts],
    }
    planned = {
        "accounts": [(n, _run(_PLAN, n, 30, 1)) for n in few],
        "holdings": [(n, _run(_PLAN, 20, n, 1)) for n in counts],
    }
    tables, results = [], []
    for what, rows in screened.items():
        other = "30 holdings each" if what == "accounts" else "1,000 accounts"
        tables.append(_table(what, other, ["book, ms", "screening, ms", "memory, MB"], rows, 2))
        results.append(_result(f"screening, {what} ({other})", rows, 1))
    for what, rows in planned.items():
        other = "30 holdings each" if what == "accounts" else "20 accounts"
        tables.append(_table(what, other, ["plans, ms", "memory, MB"], rows, 1))
        results.append(_result(f"verified plans, {what} ({other})", rows, 0))
    text = (
        "Each size in a process of its own; memory is what its peak grows by once "
        "all is imported, the holdings themselves included. The last row is the fitted exponent: 1 is "
        "linear.\n\n"
    )
    return Section(title="Growth", results=results, text=text + "\n\n".join(tables))


def _table(
    what: str, other: str, columns: list[str], rows: list[tuple[int, list[float]]], times: int
) -> str:
    sizes: list[float] = [float(n) for n, _ in rows]
    lines: list[list[str]] = [
        [f"{n:,}", *(f"{v * 1e3:,.1f}" if i < times else f"{v:,.0f}" for i, v in enumerate(found))]
        for n, found in rows
    ]
    fitted: list[Any] = [exponent(sizes, [found[i] for _, found in rows]) for i in range(times)]
    large = [(n, found[times]) for n, found in rows if found[times] >= 10]
    memory = f"{exponent(*zip(*large, strict=True)):.2f}" if len(large) > 1 else ""
    lines.append(["exponent", *(f"{b:.2f}" for b in fitted), memory])
    return table([f"{what}, {other}", *columns], lines)


def _result(name: str, rows: list[tuple[int, list[float]]], column: int) -> Result:
    b = exponent([float(n) for n, _ in rows], [found[column] for _, found in rows])
    first, last = rows[0][0], rows[-1][0]
    return Result(work=f"growth of {name}, {first:,} to {last:,}", measured=f"exponent {b:.2f}")
