"""From the raw cells of lot rows to lots: what the readers of all custodians' lots share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import kinds
from xl_rebal.custodians.dates import read_day
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import as_text
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import (
    Lots,
    RealisedLots,
    Term,
    lot_gaps,
    no_lots,
    no_realised,
    positions_without_lots,
)

Entry = Mapping[str, Cell]
_UNKNOWN_DAY = frozenset({"", "-", "--", "n/a", "various", "unknown", "multiple"})
_TIE = 0.005  # two statements of the same money may differ by 0.5% before it is worth a word
_CENT = 0.0101


def lots_of(entries: Sequence[Entry], labels: Mapping[str, str], problems: Problems) -> Lots:
    """Open lots from one mapping per row; faults and warnings are noted in `problems`.

    Keys: account, symbol, acquired, quantity, unit_cost and/or cost, lot_id, term, currency, line. The
    unit cost is cost / quantity where the cost is given, as costs per share are rounded.
    """
    if not entries:
        return no_lots()
    reader = _Reader(entries, labels, problems)
    quantity = reader.numbers("quantity", required=True)
    stated, cost = reader.numbers("unit_cost"), reader.numbers("cost")
    with np.errstate(all="ignore"):  # a quantity of zero is reported below
        unit_cost = np.where(np.isfinite(cost), cost / quantity, stated)
        gap = np.abs(stated * quantity - cost)
    doubt = np.isfinite(gap) & (gap > np.maximum(_TIE * np.abs(cost), _CENT))
    # Per-share costs are rounded to cents or finer: half a cent on every share is no conflict.
    doubt &= gap > 0.00501 * np.abs(quantity)
    reader.warn(doubt, "quantity x cost per share is not the stated cost, which was taken")
    lines = reader.lines
    for row in np.flatnonzero(quantity == 0).tolist():
        problems.fault(
            lines[row], reader.label("quantity"), "is zero", "a lot that is gone has no row"
        )
    negative = np.isfinite(unit_cost) & (unit_cost < 0)
    for row in np.flatnonzero(negative).tolist():
        problems.fault(
            lines[row], reader.label("cost"), f"{unit_cost[row]:g} per unit is a negative cost",
            "enter what was paid; a lot sold short has a negative quantity",
        )  # fmt: skip
    acquired = reader.days("acquired")
    reader.warn(np.isnat(acquired), "the file does not know when the lot was acquired")
    reader.warn(~np.isfinite(unit_cost), "the file does not know what the lot cost")
    return Lots(
        account=reader.text("account"),
        symbol=reader.text("symbol"),
        acquired=acquired,
        quantity=quantity,
        unit_cost=unit_cost,
        lot_id=reader.text("lot_id"),
        term=reader.terms("term"),
        currency=reader.text("currency"),
        line=lines,
    )


def realised_of(
    entries: Sequence[Entry], labels: Mapping[str, str], problems: Problems
) -> RealisedLots:
    """Sold lots from one mapping per row; faults and warnings are noted in `problems`.

    Keys: account, symbol, acquired, sold, quantity, proceeds, cost, gain, long_gain, short_gain, term,
    disallowed, line. A gain that is not stated is proceeds less cost.
    """
    if not entries:
        return no_realised()
    reader = _Reader(entries, labels, problems)
    proceeds = reader.numbers("proceeds", required=True)
    cost = reader.numbers("cost", required=True)
    stated = reader.numbers("gain")
    gain = np.where(np.isfinite(stated), stated, proceeds - cost)
    gap = np.abs(gain - (proceeds - cost))
    reader.warn(gap > _CENT, "the stated gain is not proceeds less cost")
    long_gain, short_gain = reader.numbers("long_gain"), reader.numbers("short_gain")
    parts = np.nan_to_num(long_gain) + np.nan_to_num(short_gain)
    split = np.isfinite(long_gain) | np.isfinite(short_gain)
    reader.warn(
        split & (np.abs(parts - gain) > _CENT),
        "long-term and short-term gain do not add up to the gain",
    )
    term = reader.terms("term")
    mixed = (np.nan_to_num(long_gain) != 0) & (np.nan_to_num(short_gain) != 0)
    term = np.where((term == "") & mixed, Term.MIXED.value, term)
    only_long = (term == "") & (np.nan_to_num(long_gain) != 0)
    only_short = (term == "") & (np.nan_to_num(short_gain) != 0)
    term = np.where(only_long, Term.LONG.value, np.where(only_short, Term.SHORT.value, term))
    sold = reader.days("sold")
    for row in np.flatnonzero(np.isnat(sold) & ~reader.bad).tolist():
        problems.fault(
            reader.lines[row], reader.label("sold"), "is blank", "enter the day of the sale"
        )
    acquired = reader.days("acquired")
    for row in np.flatnonzero(acquired > sold).tolist():
        problems.warn(f"line {reader.lines[row]}: acquired after it was sold (a short sale?)")
    return RealisedLots(
        account=reader.text("account"),
        symbol=reader.text("symbol"),
        acquired=acquired,
        sold=sold,
        quantity=reader.numbers("quantity", required=True),
        proceeds=proceeds,
        cost=cost,
        gain=gain,
        long_gain=long_gain,
        short_gain=short_gain,
        term=term,
        disallowed=np.abs(np.nan_to_num(reader.numbers("disallowed"))),
        line=reader.lines,
    )


class _Reader:
    """Columns of the entries, each bad cell noted once."""

    def __init__(
        self, entries: Sequence[Entry], labels: Mapping[str, str], problems: Problems
    ) -> None:
        self._entries = entries
        self._labels = labels
        self._problems = problems
        self.lines = np.array([int(e["line"]) for e in entries], dtype=np.int64)
        self.bad = np.zeros(len(entries), dtype=np.bool_)

    def label(self, role: str) -> str:
        return self._labels.get(role, role)

    def text(self, role: str) -> NDArray[np.object_]:
        column = np.empty(len(self._entries), dtype=object)
        column[:] = [as_text(e.get(role, "")) for e in self._entries]
        return column

    def numbers(self, role: str, *, required: bool = False) -> NDArray[np.float64]:
        cells_ = [e.get(role, "") for e in self._entries]
        parsed = parse_column(cells_, DecimalStyle.POINT)
        for row, reason in parsed.bad.items():
            self.bad[row] = True
            self._problems.fault(self.lines[row], self.label(role), reason, "enter digits only")
        if required:
            blank = ~np.isfinite(parsed.values)
            blank[list(parsed.bad)] = False
            self.bad |= blank
            remedy = f"enter the {role}, or remove the row"
            self._problems.fault_rows(self.lines[blank], self.label(role), "is blank", remedy)
        return parsed.values

    def days(self, role: str) -> NDArray[np.datetime64]:
        days: list[Any] = []
        for row, entry in enumerate(self._entries):
            cell = entry.get(role, "")
            day = None if as_text(cell).casefold() in _UNKNOWN_DAY else read_day(cell)
            if day is None and as_text(cell).casefold() not in _UNKNOWN_DAY:
                self.bad[row] = True
                self._problems.fault(
                    self.lines[row], self.label(role), f"{as_text(cell)!r} is not a date",
                    "write it as 2026-11-23",
                )  # fmt: skip
            days.append(day if day is not None and day >= dt.date(1900, 1, 1) else "NaT")
        return np.array(days, dtype="datetime64[D]")

    def terms(self, role: str) -> NDArray[np.object_]:
        column = self.text(role)
        for row, text in enumerate(column.tolist()):
            if text in kinds.NOTHING:
                column[row] = ""
                continue
            try:
                column[row] = cells.term(text)
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                self._problems.fault(self.lines[row], self.label(role), what, remedy)
        return column

    def warn(self, rows: NDArray[np.bool_], what: str) -> None:
        rows = rows & ~self.bad
        if rows.any():
            self._problems.warn(f"{listed(self.lines[rows])}: {what}")


def lot_warnings(holdings: Holdings, lots: Lots) -> list[str]:
    """What the lots and the positions say against each other; empty when they tie or there is no pair."""
    if not len(lots) or not len(holdings):
        return []
    warnings = [str(gap) for gap in lot_gaps(holdings, lots)]
    missing = positions_without_lots(holdings, lots)
    if missing:
        shown = ", ".join(f"{symbol} in {account}" for account, symbol in missing[:10])
        more = f" and {len(missing) - 10:,} more" if len(missing) > 10 else ""
        warnings.append(f"no lots for positions of accounts that have some: {shown}{more}")
    return warnings
