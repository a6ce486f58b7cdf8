"""What the sheets of a household show: the plan as tables, what is held where, and who is who.

The same sheets stand in the template, where their formulas follow the worksheet functions and the input
tables, and in the report of the command line, where they follow the plan's tables. What each formula comes
to is worked out here, once, for both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xl_rebal.portfolio import classes

Grid = Sequence[Sequence[Any]]

KINDS = ("Taxable", "Traditional", "Roth", "HSA and other")
_KIND_OF = {"": "Taxable", "taxable": "Taxable", "traditional": "Traditional", "roth": "Roth"}
CASH = "Cash"
_ZERO = dt.date(1899, 12, 30)


def kind_of(account_type: str) -> str:
    """The heading that an account's type is shown under."""
    return _KIND_OF.get(account_type.strip().casefold(), KINDS[-1])


def serial(day: dt.date) -> int:
    """A day as a sheet holds it."""
    return (day - _ZERO).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position, a lot of one, or cash; `klass` is the target class that it counts in."""

    account: str
    symbol: str
    klass: str
    value: float
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """One account as the sheets know it."""

    account: str
    type: str
    reserve: float = 0.0

    @property
    def kind(self) -> str:
        """`Taxable`, `Traditional`, `Roth`, `HSA and other`."""
        return kind_of(self.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the plan; `order` counts orders from 1, and a sale of several lots has several rows."""

    account: str
    symbol: str
    action: str
    quantity: float
    value: float
    cost: float
    gain: float
    tax: float
    kind: str
    klass: str
    order: int
    first: bool
    path: str = ""

    @property
    def key(self) -> str:
        """What the rows of one order share."""
        return f"{self.account}|{self.symbol}|{self.action}"

    @property
    def signed(self) -> float:
        """Money that is bought, negative for what is sold."""
        return self.value if self.action == "BUY" else -self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: the sums of its rows. `line` is the place of its first row, from 1."""

    line: int
    account: str
    symbol: str
    action: str
    quantity: float
    value: float
    cost: float
    gain: float
    tax: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdData:
    """The tables of a plan without their headers, and what they are read with.

    trades, ways, notes, changes  rows as `household.plan_rows` gives them (changes: its class rows).
    figures    figure -> value.
    classes    the targets in their order, then `Cash` unless a target covers it.
    paths      symbol -> class path, as the sheets show it;  covering  symbol -> target class.
    """

    client: str
    adviser: str
    as_of: dt.date
    trades: Grid
    figures: Mapping[str, Any]
    ways: Grid
    notes: Grid
    changes: Grid
    accounts: tuple[Owned, ...]
    held: tuple[Held, ...]
    classes: tuple[str, ...]
    paths: Mapping[str, str]
    covering: Mapping[str, str]

    def figure(self, name: str) -> float:
        """A figure as a number; 0 where the plan has none."""
        value = self.figures[name]
        return float(value) if isinstance(value, (int, float)) else 0.0

    def kind(self, account: str) -> str:
        """The heading of an account's type."""
        return next(a.kind for a in self.accounts if a.account == account)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The rows of the plan; a row that only says that there are no trades is none."""
        result: list[Line] = []
        for row in self.trades:
            if not row[4]:
                continue
            last = result[-1] if result else None
            first = last is None or last.key != f"{row[0]}|{row[1]}|{row[2]}"
            result.append(
                Line(
                    account=row[0],
                    symbol=row[1],
                    action=row[2],
                    quantity=row[4],
                    value=row[6],
                    cost=row[7],
                    gain=row[8] or 0.0,
                    tax=row[10] or 0.0,
                    kind=self.kind(row[0]),
                    klass=self.covering[row[1]],
                    order=(last.order if last else 0) + int(first),
                    first=first,
                    path=self.paths[row[1]],
                )
            )
        return tuple(result)

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders of the plan."""
        lines = self.lines
        result = []
        for place, first in enumerate(lines, start=1):
            if not first.first:
                continue
            mine = [line for line in lines if line.order == first.order]
            result.append(
                Order(
                    line=place,
                    account=first.account,
                    symbol=first.symbol,
                    action=first.action,
                    quantity=sum(line.quantity for line in mine),
                    value=sum(line.value for line in mine),
                    cost=sum(line.cost for line in mine),
                    gain=sum(line.gain for line in mine),
                    tax=sum(line.tax for line in mine),
                )
            )
        return tuple(result)

    def before(self, klass: str, kind: str) -> float:
        """Money of a class in the accounts of a kind."""
        return sum(h.value for h in self.held if h.klass == klass and self.kind(h.account) == kind)

    def after(self, klass: str, kind: str) -> float:
        """The same after the plan; trades and their costs are paid from cash."""
        mine = [line for line in self.lines if line.kind == kind]
        moved = sum(line.signed for line in mine if line.klass == klass)
        if classes.is_cash(klass):
            moved -= sum(line.signed + line.cost for line in mine)
        return self.before(klass, kind) + moved

    def cash(self, account: str) -> tuple[float, float, float, float]:
        """Cash of an account before, sales, purchases and costs."""
        mine = [line for line in self.lines if line.account == account]
        before = sum(
            h.value for h in self.held if h.account == account and classes.is_cash(h.symbol)
        )
        sold = sum(line.value for line in mine if line.action == "SELL")
        bought = sum(line.value for line in mine if line.action == "BUY")
        return before, sold, bought, sum(line.cost for line in mine)
