"""The walk-through of the requirements (S070-S088): VTI, VXUS, BND, VNQ against 60/30/10."""

from __future__ import annotations

from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.targets import parse_targets

TARGETS = "60% stocks, 30% bonds, 10% real estate"
POSITIONS = (("VTI", 5000, 220), ("VXUS", 2000, 58), ("BND", 8000, 75), ("VNQ", 1000, 85))


def walkthrough(**changes: object) -> Book:
    """The book, with other fields where a test wants them."""
    rows = [{"account": "A", "symbol": s, "quantity": q, "price": p} for s, q, p in POSITIONS]
    return Book(
        holdings=classify(Holdings.from_rows(rows)),
        models={"": parse_targets(TARGETS)},
        **changes,  # type: ignore[arg-type]  # fields of Book, by name
    )
