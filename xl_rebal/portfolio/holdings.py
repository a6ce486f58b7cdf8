"""What the accounts hold: one row per position, cash balance or pending amount, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import CurrencyError, Fault, TableError

TextColumn = NDArray[np.object_]
NumberColumn = NDArray[np.float64]
DateColumn = NDArray[np.datetime64]

# A double keeps cents exactly up to 2^53 of them; sums of many rows need room below that.
LARGEST_VALUE = 1e13
TEXT_COLUMNS = ("account", "symbol", "kind", "currency", "asset_class", "description")
NUMBER_COLUMNS = ("quantity", "price", "stated_value", "multiplier", "fx")
DATE_COLUMNS = ("settles", "priced")


def no_dates(count: int) -> DateColumn:
    """(count,) of no date at all."""
    return np.full(count, "NaT", dtype="datetime64[D]")


class Kind(StrEnum):
    """What a row is: a security, cash that can be spent, or activity that has not happened yet."""

    POSITION = "position"
    CASH = "cash"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Columns of equal length n; row i of every column describes one holding.

    account       (n,) text, never empty.
    symbol        (n,) text; empty for pending activity.
    kind          (n,) "position", "cash" or "pending".
    quantity      (n,) units held, negative when short; money for cash and pending rows.
    price         (n,) money per unit in the row's currency; 1 for cash and pending rows.
    stated_value  (n,) the file's own value in the row's currency; NaN where it states none.
    multiplier    (n,) units of the underlying per unit held (100 for a US equity option).
    currency      (n,) ISO 4217 code; empty when the file names none.
    fx            (n,) base currency per unit of the row's currency; NaN where no rate is known.
    asset_class   (n,) class path such as `Stocks/US`; empty when unknown.
    description   (n,) free text.
    line          (n,) line (or sheet row) of the source, 0 when there is none.
    settles       (n,) day on which the row's cash (or security) arrives; NaT when it is there.
    priced        (n,) day of the row's price where the file dates its rows; NaT when it does not.
    """

    account: TextColumn
    symbol: TextColumn
    kind: TextColumn
    quantity: NumberColumn
    price: NumberColumn
    stated_value: NumberColumn
    multiplier: NumberColumn
    currency: TextColumn
    fx: NumberColumn
    asset_class: TextColumn
    description: TextColumn
    line: NDArray[np.int64]
    settles: DateColumn = field(default_factory=lambda: no_dates(0))
    priced: DateColumn = field(default_factory=lambda: no_dates(0))

    def __post_init__(self) -> None:
        for name in DATE_COLUMNS:  # left out: no row has one
            if not len(getattr(self, name)):
                object.__setattr__(self, name, no_dates(len(self.account)))
        lengths = {each.name: len(getattr(self, each.name)) for each in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal length: {lengths}")

    def __len__(self) -> int:
        return len(self.account)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Columns from row mappings; keys that a row leaves out take the column's default."""
        listed = list(rows)
        defaults: dict[str, Any] = {
            "kind": Kind.POSITION.value,
            "stated_value": np.nan,
            "multiplier": 1.0,
            "fx": 1.0,
            "line": 0,
        }
        columns: dict[str, Any] = {}
        for each in fields(cls):
            name = each.name
            default = defaults.get(name, "")
            values = [row.get(name, default) for row in listed]
            if name in DATE_COLUMNS:
                columns[name] = np.array([v or "NaT" for v in values], dtype="datetime64[D]")
            elif name in TEXT_COLUMNS:
                columns[name] = np.array([str(v) for v in values], dtype=object)
            else:
                columns[name] = np.array(values, dtype=np.int64 if name == "line" else np.float64)
        return cls(**columns)

    @classmethod
    def concat(cls, parts: Iterable[Holdings]) -> Holdings:
        """The rows of all parts, one after the other."""
        listed = [part for part in parts if len(part)]
        if not listed:
            return Holdings.from_rows([])
        return cls(
            **{f.name: np.concatenate([getattr(p, f.name) for p in listed]) for f in fields(cls)}
        )

    def take(self, rows: NDArray[Any]) -> Holdings:
        """The rows picked by a boolean mask or by positions."""
        return Holdings(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def with_classes(self, asset_class: TextColumn) -> Holdings:
        """The same holdings with other asset classes."""
        return replace(self, asset_class=asset_class)

    @property
    def value(self) -> NumberColumn:
        """(n,) quantity x price x multiplier x fx, in the base currency."""
        return self.quantity * self.price * self.multiplier * self.fx

    @property
    def is_position(self) -> NDArray[np.bool_]:
        """(n,) True for securities."""
        return np.asarray(self.kind == Kind.POSITION.value, dtype=np.bool_)

    @property
    def is_cash(self) -> NDArray[np.bool_]:
        """(n,) True for spendable cash."""
        return np.asarray(self.kind == Kind.CASH.value, dtype=np.bool_)

    @property
    def is_pending(self) -> NDArray[np.bool_]:
        """(n,) True for pending activity, which is listed and never counted."""
        return np.asarray(self.kind == Kind.PENDING.value, dtype=np.bool_)

    def accounts(self) -> list[str]:
        """Account names in order of first appearance."""
        return list(dict.fromkeys(self.account.tolist()))

    def require_rates(self) -> None:
        """Refuse rows whose exchange rate is unknown, naming the currencies."""
        counted = ~self.is_pending
        missing = counted & ~np.isfinite(self.fx)
        if missing.any():
            names = sorted({c or "(none)" for c in self.currency[counted].tolist()})
            raise CurrencyError.of(
                where="holdings, column currency",
                what=f"{len(names)} currencies ({', '.join(names)}) and no exchange rate",
                remedy="add a column 'fx' with the base currency's price of one unit of each row's currency",
            )

    def require_numbers(self) -> None:
        """Refuse holdings without a finite value, or too large to keep to the cent in a double."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.abs(self.quantity * self.price * self.multiplier)
        counted = ~self.is_pending
        faults = []
        for row in np.flatnonzero(counted & ~(value <= LARGEST_VALUE)).tolist():
            place = f"line {self.line[row]}" if self.line[row] else f"row {row + 1}"
            finite = np.isfinite(value[row])
            faults.append(
                Fault(
                    where=f"holdings {place} ({self.symbol[row]})",
                    what=f"a value of {value[row]:,.0f} cannot be kept to the cent"
                    if finite
                    else "quantity x price x multiplier is not a finite number",
                    remedy="correct quantity, price or multiplier",
                )
            )
        if faults:
            raise TableError(*faults)
