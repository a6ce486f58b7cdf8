"""Worksheet functions on 200 holdings, called warm inside Python; a host adds its own hand-over."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from benchmarks.measuring import Result, Section, interleaved, table
from xl_rebal.excel.registry import call

RUNS = 50
SYMBOLS = ("VTI", "VXUS", "BND", "VNQ")
CLASSES = ("Stocks/US", "Stocks/International", "Bonds", "Real Estate")
TARGETS = "60% stocks, 30% bonds, 10% real estate"
BUDGET = 5.0


def holdings(count: int) -> list[list[Any]]:
    """Invented holdings: `count` rows of four funds in accounts of 20 rows each."""
    rows: list[list[Any]] = [["Account", "Symbol", "Quantity", "Price"]]
    for i in range(count):
        rows.append([f"A{i // 20}", SYMBOLS[i % 4], 10.0 + i % 7, 50.0 + 25 * (i % 4)])
    return rows


def in_one_account(rows: list[list[Any]]) -> list[list[Any]]:
    """The same rows as different securities of one account."""
    one = [rows[0], *(["A", f"{row[1]}{i}", *row[2:]] for i, row in enumerate(rows[1:]))]
    return [[*row, "Asset class" if i == 0 else CLASSES[(i - 1) % 4]] for i, row in enumerate(one)]


def measure(*, quick: bool) -> Section:
    """Each function on 200 rows of one account, and of ten accounts."""
    rows = holdings(200)
    cheap = [TARGETS, "5pp"]
    works = {
        f"{name}, 200 holdings in {words}": partial(call, name, [given, *rest])
        for words, given in (("one account", in_one_account(rows)), ("10 accounts", rows))
        for name, rest in (
            ("REBAL_WEIGHTS", []),
            ("REBAL_DRIFT", cheap),
            ("REBAL_STATUS", cheap),
            ("REBAL_TRADES", [*cheap, "half-spread 5bp"]),
        )
    }
    runs = 10 if quick else RUNS
    found = interleaved(works, dict.fromkeys(works, runs), time.process_time)
    text = f"Median of {runs} warm calls, in processor time.\n\n" + table(
        ["function", "ms"], [[name, f"{each * 1e3:.2f}"] for name, each in found.items()]
    )
    return Section(
        title="Worksheet functions",
        results=[
            Result(
                work=name,
                measured=f"{each * 1e3:.1f} ms",
                budget=f"≤{BUDGET:g} ms",
                met=None if quick else each * 1e3 <= BUDGET,
            )
            for name, each in found.items()
        ],
        text=text,
    )
