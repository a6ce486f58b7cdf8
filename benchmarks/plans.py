"""Verified plans a second on one core: the whole way from a book to plans that the verifier passed."""

from __future__ import annotations

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
    """Books of 30 and of 8 holdings an account, ordinary and restricted."""
    accounts = 100 if quick else 500
    cases: dict[str, tuple[Book, Request]] = {
        "ordinary, 30 holdings in 9 classes": (books.book(accounts, 30), _request()),
        "restricted, 30 holdings in 9 classes": (books.restricted(accounts, 30), _request(100.0)),
        "ordinary, 9 holdings in 9 classes": (books.book(accounts, 9), _request()),
    }
    works: dict[str, Callable[[], object]] = {
        name: (lambda book=book, request=request: rebalance(book, request))
        for name, (book, request) in cases.items()
    }
    traded = {
        name: sum(bool(plan.trades) for plan in rebalance(*case).plans)
        for name, case in cases.items()
    }
    seconds = interleaved(works, dict.fromkeys(works, 5))
    speed = {name: accounts / each for name, each in seconds.items()}
    text = (
        f"{accounts:,} accounts, policy {books.POLICY}, {COSTS}; plans made and verified, one process, "
        "one core; medians of 5 interleaved runs.\n\n"
        + table(
            ["book", "accounts with trades", "plans a second", "ms a plan"],
            [
                [name, f"{traded[name]:,}", f"{speed[name]:,.0f}", f"{1e3 / speed[name]:.2f}"]
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
