"""Verifier, day by day: settled cash, what arrives and leaves, and that no buy relies on later money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.trading.checks_book import HALF_CENT, ZERO, Violation, exact
from xl_rebal.trading.checks_case import Case
from xl_rebal.trading.checks_dates import Day, in_words
from xl_rebal.trading.plan import CashDay

_PARTS = ("opening", "arriving", "sells", "buys", "fees", "flows", "closing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One day recomputed. `idle` is cash at its end had nothing been traded."""

    day: Day
    opening: Decimal
    arriving: Decimal
    sells: Decimal
    buys: Decimal
    fees: Decimal
    flows: Decimal
    closing: Decimal
    idle: Decimal


def cash_rows(case: Case) -> list[_Row]:
    """The account's cash on every day on which money moves, from the book's rows and the trades."""
    arriving, leaving, today = case.account.arriving, case.leaving_on, case.today
    days = {today, *arriving, *leaving, *(line.settles for line in case.lines)}
    rows: list[_Row] = []
    opening = idle = case.account.settled
    for day in sorted(days, key=_order):
        traded = [line for line in case.lines if line.settles == day]
        flows = (case.flow if day == today else ZERO) - leaving.get(day, ZERO)
        there = arriving.get(day, ZERO)
        sells = sum((line.value for line in traded if not line.buy), ZERO)
        buys = sum((line.value for line in traded if line.buy), ZERO)
        fees = sum((line.cost for line in traded), ZERO)
        closing = opening + there + sells - buys - fees + flows
        idle += there + flows
        rows.append(
            _Row(
                day=day,
                opening=opening,
                arriving=there,
                sells=sells,
                buys=buys,
                fees=fees,
                flows=flows,
                closing=closing,
                idle=idle,
            )
        )
        opening = closing
    return rows


def _order(day: Day) -> int:
    return day if isinstance(day, int) else day.toordinal()


def check_cash_days(case: Case) -> Iterator[Violation]:
    """The plan's timeline against the recomputed one, and cash on every day of it."""
    rows = cash_rows(case)
    yield from _timeline(case, rows)
    leaving = sum(case.leaving_on.values(), ZERO)
    if not abs(exact(case.plan.leaving) - leaving) <= HALF_CENT:
        what = (
            f"the plan keeps {case.plan.leaving:,.2f} for withdrawals, the flows say {leaving:,.2f}"
        )
        yield Violation(code="leaving", where=case.where, what=what)
    keep = exact(case.account.account.cash_reserve)
    for row in rows:
        where = f"{case.where}, {in_words(row.day)}"
        if row.closing < keep - HALF_CENT and row.closing < row.idle - HALF_CENT:
            what = f"cash is {row.closing:,.2f} with the trades that have settled by then ({row.idle:,.2f} "
            what += f"without any): purchases rely on money that settles later, reserve {keep:,.2f}"
            yield Violation(code="unsettled-cash", where=where, what=what)
        known = any("cash is short" in text for text in case.plan.remarks)
        if leaving and row.closing < -HALF_CENT and not known:
            what = (
                f"cash is {row.closing:,.2f} when a known withdrawal leaves, and no remark says so"
            )
            yield Violation(code="short-day", where=where, what=what)


def _timeline(case: Case, rows: list[_Row]) -> Iterator[Violation]:
    stated = case.plan.cash_days
    if [day.when for day in stated] != [in_words(row.day) for row in rows]:
        what = f"its days are {', '.join(day.when for day in stated) or 'none'}; money moves on "
        what += ", ".join(in_words(row.day) for row in rows)
        yield Violation(code="cash-timeline", where=case.where, what=what)
        return
    for day, row in zip(stated, rows, strict=True):
        for part in _PARTS:
            told, found = _part(day, part), _part(row, part)
            if not abs(told - found) <= HALF_CENT:
                what = f"{part} is {told:,.2f}, recomputed {found:,.2f}"
                where = f"{case.where}, {day.when}"
                yield Violation(code="cash-timeline", where=where, what=what)


def _part(row: CashDay | _Row, part: str) -> Decimal:
    found = getattr(row, part)
    return found if isinstance(found, Decimal) else exact(found)
