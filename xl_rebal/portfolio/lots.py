"""Tax lots: what was bought when at what cost, and what sales of lots have made."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import Fault, TableError
from xl_rebal.portfolio.holdings import Holdings, NumberColumn, TextColumn
from xl_rebal.portfolio.table_columns import TableColumns

DateColumn = NDArray[np.datetime64]  # days; NaT where unknown
_KINDS = {"line": np.int64, "acquired": "datetime64[D]", "sold": "datetime64[D]"}
_TEXTS = ("account", "symbol", "lot_id", "term", "currency")


class Term(StrEnum):
    """The holding period as a file states it; empty where it states none."""

    SHORT = "short"
    LONG = "long"
    MIXED = "mixed"


class _Columns:
    """Columns of equal length, one row per lot."""

    __slots__ = ()

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.names()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal length: {lengths}")

    def __len__(self) -> int:
        return len(getattr(self, "account"))  # noqa: B009 - declared by the dataclasses below

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]  # its children are dataclasses

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Columns from row mappings; a row may leave out texts (empty), numbers (NaN) and dates (NaT)."""
        listed = list(rows)
        columns: dict[str, Any] = {}
        for name in cls.names():
            if name in _TEXTS:
                columns[name] = np.array([str(row.get(name, "")) for row in listed], dtype=object)
            elif name == "line":
                columns[name] = np.array([row.get(name, 0) for row in listed], dtype=np.int64)
            elif name in _KINDS:
                days = [row.get(name) or "NaT" for row in listed]
                columns[name] = np.array(days, dtype="datetime64[D]")
            else:
                columns[name] = np.array([row.get(name, np.nan) for row in listed], np.float64)
        return cls(**columns)

    @classmethod
    def concat(cls, parts: Iterable[Self]) -> Self:
        """The rows of all parts, one after the other."""
        listed = [part for part in parts if len(part)]
        if not listed:
            return cls.from_rows([])
        return cls(**{n: np.concatenate([getattr(p, n) for p in listed]) for n in cls.names()})

    def take(self, rows: NDArray[Any]) -> Self:
        """The rows picked by a boolean mask or by positions."""
        return type(self)(**{n: getattr(self, n)[rows] for n in self.names()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots(_Columns):
    """Open lots: columns of equal length n.

    account    (n,) text.
    symbol     (n,) text.
    acquired   (n,) days; NaT where the file does not know.
    quantity   (n,) units, negative when sold short.
    unit_cost  (n,) money per unit held in the lot's currency, so that quantity x unit_cost is the
               cost (an option's unit is the contract); NaN where the file does not know.
    lot_id     (n,) the file's own name of the lot, else empty.
    term       (n,) `short` or `long` as the file states it, else empty.
    currency   (n,) ISO 4217 code; empty when the file names none.
    line       (n,) line of the source, 0 when there is none.
    """

    account: TextColumn
    symbol: TextColumn
    acquired: DateColumn
    quantity: NumberColumn
    unit_cost: NumberColumn
    lot_id: TextColumn
    term: TextColumn
    currency: TextColumn
    line: NDArray[np.int64]

    @property
    def cost(self) -> NumberColumn:
        """(n,) quantity x unit_cost in the lot's currency; NaN where unknown."""
        with np.errstate(over="ignore"):
            return self.quantity * self.unit_cost

    def require_known(self) -> None:
        """Refuse lots whose acquisition date or cost nobody has stated, all of them together."""
        faults = []
        for name, missing, remedy in (
            ("acquired", np.isnat(self.acquired), "enter the day on which it was bought"),
            ("unit_cost", ~np.isfinite(self.unit_cost), "enter the cost of one unit"),
        ):
            for row in np.flatnonzero(missing).tolist():
                place = f"line {self.line[row]}" if self.line[row] else f"row {row + 1}"
                where = f"lots {place} ({self.symbol[row]} in {self.account[row]}), column {name}"
                faults.append(Fault(where=where, what="is not known", remedy=remedy))
        if faults:
            raise TableError(*faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedLots(_Columns):
    """Lots that were sold: columns of equal length n.

    account     (n,) text.
    symbol      (n,) text.
    acquired    (n,) days; NaT where the file does not say.
    sold        (n,) days.
    quantity    (n,) units sold.
    proceeds    (n,) money received.
    cost        (n,) money paid.
    gain        (n,) gain before any loss is disallowed.
    long_gain   (n,) its long-term part, NaN where not stated.
    short_gain  (n,) its short-term part, NaN where not stated.
    term        (n,) `short`, `long`, `mixed` (a sale of both kinds of lots), empty where not stated.
    disallowed  (n,) loss that a wash sale disallowed, 0 or more.
    line        (n,) line of the source.
    """

    account: TextColumn
    symbol: TextColumn
    acquired: DateColumn
    sold: DateColumn
    quantity: NumberColumn
    proceeds: NumberColumn
    cost: NumberColumn
    gain: NumberColumn
    long_gain: NumberColumn
    short_gain: NumberColumn
    term: TextColumn
    disallowed: NumberColumn
    line: NDArray[np.int64]


def no_lots() -> Lots:
    """Lots without a row."""
    return Lots.from_rows([])


def no_realised() -> RealisedLots:
    """Realised lots without a row."""
    return RealisedLots.from_rows([])


def lots_from_rows(rows: Iterable[Mapping[str, Any]]) -> Lots:
    """Lots from the rows of the `lots` table; every bad row is reported."""
    listed = list(rows)
    faults = []
    for row in listed:
        where = f"{row.get('table', 'lots')} row {row['row']}, column"
        if row["quantity"] == 0:
            faults.append(
                Fault(where=f"{where} quantity", what="is zero", remedy="remove the row")
            )  # fmt: skip
        if row.get("unit_cost", 0.0) < 0:
            faults.append(
                Fault(where=f"{where} unit_cost", what="is negative", remedy="enter zero or more")
            )
        if row.get("acquired", dt.date.max) < dt.date(1900, 1, 1):
            what = f"{row['acquired']} is long ago"
            faults.append(Fault(where=f"{where} acquired", what=what, remedy="check the year"))
    if faults:
        raise TableError(*faults)
    return Lots.from_rows({**row, "line": row["row"]} for row in listed)


def lots_from_table(table: TableColumns | list[dict[str, Any]]) -> Lots:
    """Lots from the columns of the `lots` table, or its rows; every bad row is reported."""
    if isinstance(table, list):
        return lots_from_rows(table)
    lots = Lots(
        account=table.texts("account"),
        symbol=table.texts("symbol"),
        acquired=table.days("acquired"),
        quantity=table.numbers("quantity"),
        unit_cost=table.numbers("unit_cost"),
        lot_id=table.texts("lot_id"),
        term=table.texts("term"),
        currency=table.texts("currency"),
        line=table.lines,
    )
    early = lots.acquired < np.datetime64("1900-01-01")
    if (lots.quantity == 0).any() or (lots.unit_cost < 0).any() or early.any():
        return lots_from_rows(table.rows())  # words the faults
    return lots


@dataclass(frozen=True, slots=True, kw_only=True)
class LotGap:
    """A security whose lots do not add up to what is held."""

    account: str
    symbol: str
    held: float
    in_lots: float

    def __str__(self) -> str:
        difference = self.in_lots - self.held
        return (
            f"{self.symbol} in {self.account}: its lots add up to {self.in_lots:,.10g} units, "
            f"{self.held:,.10g} are held (difference {difference:+,.10g})"
        )


def lot_gaps(holdings: Holdings, lots: Lots) -> tuple[LotGap, ...]:
    """Every account and symbol with lots whose quantities are not what is held, by 1e-6 units.

    Exports round quantities to three decimals or more and lots to the same, so sums of k lots may be
    off by k + 1 halves of the last decimal; a lot that is missing is more than that.
    """
    if not len(lots):
        return ()
    held = holdings.is_position
    have = _sums(holdings.account[held], holdings.symbol[held], holdings.quantity[held])
    found = _sums(lots.account, lots.symbol, lots.quantity)
    gaps = []
    for (account, symbol), (count, quantity) in found.items():
        position = have.get((account, symbol), (0, 0.0))[1]
        allowed = max(1e-6, 1e-9 * abs(position)) + 0.0005 * (count + 1) * (count > 1)
        if not abs(quantity - position) <= allowed:
            gaps.append(LotGap(account=account, symbol=symbol, held=position, in_lots=quantity))
    return tuple(gaps)


def lot_faults(holdings: Holdings, lots: Lots, as_of: dt.date | None) -> list[Fault]:
    """What keeps lots from being taxed, all of it: no date or cost, a day after `as_of`, lots that do not
    add up to what is held.
    """
    found: list[Fault] = []
    try:
        lots.require_known()
    except TableError as error:
        found += error.faults
    return [*found, *sum_faults(holdings, lots, as_of)]


def sum_faults(holdings: Holdings, lots: Lots, as_of: dt.date | None) -> list[Fault]:
    """Lots that do not add up to what is held, and days after `as_of`; unknown costs and days are let be."""
    found: list[Fault] = []
    for gap in lot_gaps(holdings, lots):
        remedy = "correct the lots or the position; a gain is never guessed"
        found.append(Fault(where="lots", what=str(gap), remedy=remedy))
    young = lots.acquired > np.datetime64(as_of) if as_of is not None else np.zeros(0)
    for row in np.flatnonzero(young).tolist():
        at = lots.line[row] or row + 1
        where = f"lots row {at} ({lots.symbol[row]} in {lots.account[row]}), column acquired"
        what = f"{lots.acquired[row]} is after {as_of}"
        remedy = "a lot is something that has been bought; check the day"
        found.append(Fault(where=where, what=what, remedy=remedy))
    return found


def positions_without_lots(holdings: Holdings, lots: Lots) -> tuple[tuple[str, str], ...]:
    """(account, symbol) of positions that have no lot, in accounts that have lots of others."""
    known = set(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True))
    accounts = {account for account, _ in known}
    held = holdings.is_position & (holdings.quantity != 0)
    pairs = zip(holdings.account[held].tolist(), holdings.symbol[held].tolist(), strict=True)
    return tuple(p for p in dict.fromkeys(pairs) if p[0] in accounts and p not in known)


def _sums(
    account: TextColumn, symbol: TextColumn, quantity: NumberColumn
) -> dict[tuple[str, str], tuple[int, float]]:
    """(account, symbol) -> (rows, units)."""
    units: dict[tuple[str, str], list[float]] = {}
    for key, each in zip(
        zip(account.tolist(), symbol.tolist(), strict=True), quantity.tolist(), strict=True
    ):
        units.setdefault(key, []).append(each)
    return {key: (len(each), math.fsum(each)) for key, each in units.items()}
