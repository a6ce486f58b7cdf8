"""Verified plans a second on one core: the whole way from a book to plans that the verifier passed."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks import books
from benchmarks.measuring import Result, Section, interleaved, table
from xl_rebal.costs import parse_costs
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading.limits import Limits

COSTS = "half-spread 5bp, commission 0"


def _request(min_trade: float = 0.0) -> Request:
    limits = Limits(costs=parse_costs(COSTS), min_trade=min_trade)
    return Request(policy=parse_policy(books.POLICY), limits=limits)


def measure(*, quick: bool) -> Section:
    """A night on which few accounts breach, and books in which nearly all trade."""
    accounts = 100 if quick else 500
    few = 20 if quick else 100  # of those that take longest
    cases: dict[str, tuple[Book, Request]] = {
        "a quiet night, 9 holdings": (books.book(accounts, 9, spread=0.1), _request()),
        "a quiet night, 30 holdings": (books.book(accounts, 30, spread=0.2), _request()),
        "nearly all trade, 9 holdings": (books.book(accounts, 9), _request()),
        "nearly all trade, 30 holdings": (books.book(few, 30, spread=0.5), _request()),
        "restricted, 30 holdings": (books.restricted(few, 30), _request(100.0)),
    }
    works: dict[str, Callable[[], object]] = {
        name: (lambda book=book, request=request: rebalance(book, request))
        for name, (book, request) in cases.items()
    }
    traded = {
        name: sum(bool(plan.trades) for plan in rebalance(*case).plans)
        for name, case in cases.items()
    }
    seconds = interleaved(works, dict.fromkeys(works, 5), time.process_time)
    size = {name: len(case[0].groups[0].accounts) for name, case in cases.items()}
    speed = {name: size[name] / each for name, each in seconds.items()}
    text = (
        f"Policy {books.POLICY}, {COSTS}; eight classes and cash; plans made and verified, one process, "
        "one core; medians of 5 interleaved runs, in processor time. With 30 holdings three or four "
        "securities of each class are alike to the planner, which looks at all of them. The restricted "
        "book has never_buy, never_sell and never_hold rules, minimums, ranks, funds and reserves.\n\n"
        + table(
            ["book", "accounts", "with trades", "plans a second", "ms a plan"],
            [
                [
                    name,
                    f"{size[name]:,}",
                    f"{traded[name]:,}",
                    f"{speed[name]:,.0f}",
                    f"{1e3 / speed[name]:.2f}",
                ]
                for name in cases
            ],
        )
    )
    return Section(
        title="Verified plans",
        results=[
            Result(
                work=f"verified plans a second per core, {name}",
                measured=f"{speed[name]:,.0f}",
                budget="≥2,000",
                met=None if quick else speed[name] >= 2_000,
            )
            for name in cases
        ],
        text=text,
    )
