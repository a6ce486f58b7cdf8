"""What a custodian asks of a fund's orders: minimums, cut-off, ticket and redemption fees, closures."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import tables

ANYWHERE = frozenset({"", "*", "all", "any"})
ZONES = {
    **dict.fromkeys(("et", "est", "edt", "eastern", "new york"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt", "central", "chicago"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt", "mountain", "denver"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific"), "America/Los_Angeles"),
}
_CUT_OFF = re.compile(r"(\d{1,2}):(\d{2})\s*(am|pm)?\s+(.+)", re.IGNORECASE)


class Closure(StrEnum):
    """Whom a fund is closed to: nobody, accounts that do not hold it yet, or all new money."""

    OPEN = "no"
    INVESTORS = "investors"
    MONEY = "yes"


class HeldLots(Protocol):
    """What is asked of tax lots here, as columns of equal length: units held since a day."""

    @property
    def account(self) -> NDArray[np.object_]:
        """(n,) the account that holds each."""

    @property
    def symbol(self) -> NDArray[np.object_]:
        """(n,) the security."""

    @property
    def acquired(self) -> NDArray[np.datetime64]:
        """(n,) the trade day, NaT where it is not known."""

    @property
    def quantity(self) -> NDArray[np.float64]:
        """(n,) units held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """The local time until which an order gets the day's price."""

    time: dt.time
    zone: str

    def __str__(self) -> str:
        return f"{self.time:%H:%M} {self.zone}"

    def missed_by(self, moment: dt.datetime) -> bool:
        """True when an order at this moment (with its zone) comes after the cut-off."""
        return moment.astimezone(ZoneInfo(self.zone)).time() > self.time


@dataclass(frozen=True, slots=True, kw_only=True)
class FundRule:
    """One fund at one custodian (or at all, `*`).

    initial_minimum     smallest purchase in money where the account does not hold the fund.
    subsequent_minimum  smallest purchase where it does.
    kept_minimum        smallest position in money that a partial sale may leave.
    ticket_fee          money per trade, in place of every other commission; None for none of its own.
    redemption_fee      fraction of value on units held for `redemption_days` calendar days or fewer.
    """

    symbol: str
    custodian: str = "*"
    initial_minimum: float = 0.0
    subsequent_minimum: float = 0.0
    kept_minimum: float = 0.0
    cut_off: CutOff | None = None
    ticket_fee: float | None = None
    redemption_fee: float = 0.0
    redemption_days: int = 0
    closed_to_new: Closure = Closure.OPEN

    def in_words(self) -> str:
        """`VTSAX: first purchase from 3,000.00, ticket fee 20.00`; with the custodian where it names one."""
        parts = [
            f"{words} from {amount:,.2f}"
            for words, amount in (
                ("first purchase", self.initial_minimum),
                ("further purchases", self.subsequent_minimum),
                ("what a partial sale leaves", self.kept_minimum),
            )
            if amount
        ]
        if self.ticket_fee is not None:
            parts.append(f"ticket fee {self.ticket_fee:,.2f}")
        if self.redemption_fee:
            parts.append(
                f"redemption fee {self.redemption_fee * 100:g}% up to {self.redemption_days} days"
            )
        if self.cut_off is not None:
            parts.append(f"orders by {self.cut_off}")
        if self.closed_to_new is not Closure.OPEN:
            money = self.closed_to_new is Closure.MONEY
            parts.append("closed to new money" if money else "closed to new investors")
        at = "" if self.custodian.casefold() in ANYWHERE else f" at {self.custodian}"
        return f"{self.symbol}{at}: {', '.join(parts) or 'no terms'}"


def parse_cut_off(text: str) -> CutOff:
    """`16:00 America/New_York` or `4:00 pm ET`; raises ValueError in the words of a cell's fault."""
    match = _CUT_OFF.fullmatch(text.strip())
    remedy = "write time and zone, as in 16:00 America/New_York"
    if match is None:
        raise ValueError(f"{text!r} is no time with a zone; {remedy}")
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        hour = hour % 12 + (12 if match[3].casefold() == "pm" else 0)
    zone = ZONES.get(match[4].strip().casefold(), match[4].strip())
    try:
        ZoneInfo(zone)
        return CutOff(time=dt.time(hour, minute), zone=zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder's name on some systems
        raise ValueError(f"{text!r} names no such time or zone; {remedy}") from None


def parse_closure(text: str) -> Closure:
    """`yes` (all new money), `investors` (new ones only) or `no`."""
    word = text.strip().casefold().replace("new ", "")
    if word in {"yes", "y", "true", "1", "x", "money", "closed"}:
        return Closure.MONEY
    if word in {"investors", "investor", "accounts"}:
        return Closure.INVESTORS
    if word in {"no", "n", "false", "0", "open"}:
        return Closure.OPEN
    raise ValueError(
        f"{text!r} is not known; write yes (all new money), investors (new ones) or no"
    )


def fund_rules_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[FundRule, ...]:
    """Fund rules from the rows of the `fund_rules` table; every bad row is reported."""
    faults = FaultList()
    result: dict[tuple[str, str], FundRule] = {}
    for row in rows:
        given = {name: value for name, value in row.items() if name not in {"table", "row"}}
        before = len(list(faults))
        for name, parse in (("cut_off", parse_cut_off), ("closed_to_new", parse_closure)):
            try:
                given |= {name: parse(given.pop(name))} if name in given else {}
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                faults.extend([tables.fault_at("fund_rules", row, name, what, remedy)])
        for name in _AMOUNTS:
            if given.get(name, 0.0) < 0:
                what = f"{given[name]:g} is negative"
                faults.extend([tables.fault_at("fund_rules", row, name, what, "enter 0 or more")])
        days = given.pop("redemption_days", 0.0)
        if days != int(days):
            what = f"{days:g} is no whole number of days"
            faults.extend([tables.fault_at("fund_rules", row, "redemption_days", what, "round it")])
        if (given.get("redemption_fee", 0.0) > 0) != (days > 0):
            what = "a redemption fee needs its days, and the days need their fee"
            faults.extend(
                [tables.fault_at("fund_rules", row, "redemption_fee", what, "fill in both")]
            )
        rule = FundRule(**given, redemption_days=int(days))
        place = (rule.custodian.casefold(), rule.symbol.casefold())
        if place in result:
            what = f"{rule.symbol} stands twice for custodian {rule.custodian}"
            faults.extend([tables.fault_at("fund_rules", row, "symbol", what, "keep one row")])
        if len(list(faults)) == before:
            result[place] = rule
    faults.raise_as(TableError)
    return tuple(result.values())


_AMOUNTS = (
    *("initial_minimum", "subsequent_minimum", "kept_minimum"),
    *("ticket_fee", "redemption_fee", "redemption_days"),
)


def rule_for(rules: Sequence[FundRule], *, custodian: str, symbol: str) -> FundRule | None:
    """The rule of a fund at a custodian: its own row, else the row for all custodians, else None."""
    named = [rule for rule in rules if rule.symbol.casefold() == symbol.casefold()]
    for rule in named:
        if rule.custodian.casefold() == custodian.casefold() and custodian:
            return rule
    return next((rule for rule in named if rule.custodian.casefold() in ANYWHERE), None)
