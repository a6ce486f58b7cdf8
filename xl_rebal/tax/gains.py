"""Unrealised gains, lot by lot, and what is wrong with lots before anything is taxed by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xl_rebal.errors import Fault, FaultList, TaxError
from xl_rebal.portfolio.holdings import Holdings, NumberColumn, TextColumn
from xl_rebal.portfolio.lots import Lots, Term, lot_gaps, positions_without_lots
from xl_rebal.tax.holding_period import Days, long_term_dates, long_term_mask


@dataclass(frozen=True, slots=True, kw_only=True)
class LotGains:
    """One row per lot, columns of equal length n.

    price         (n,) money per unit.
    gain          (n,) quantity x (price - unit cost), negative for a loss.
    is_long       (n,) True for long-term on the day; all False without a day.
    days_to_long  (n,) days until a sale is long-term, 0 when it is; NaN without a day.
    """

    lots: Lots
    price: NumberColumn
    gain: NumberColumn
    is_long: np.ndarray[tuple[int], np.dtype[np.bool_]]
    days_to_long: NumberColumn
    as_of: dt.date | None

    @property
    def term(self) -> TextColumn:
        """(n,) `short` or `long`; empty without a day."""
        if self.as_of is None:
            return np.full(len(self.lots), "", dtype=object)
        return np.where(self.is_long, Term.LONG.value, Term.SHORT.value).astype(object)

    @property
    def long_from(self) -> Days:
        """(n,) first day on which a sale is long-term by the acquisition date."""
        return long_term_dates(self.lots.acquired)


def lot_gains(lots: Lots, prices: Mapping[str, float], as_of: dt.date | None) -> LotGains:
    """Gain, term and days to long-term of every lot at these prices.

    Raises TaxError that names every lot without cost or day, and every symbol without a price.
    """
    faults = FaultList()
    with faults.collecting():
        lots.require_known()
    with faults.collecting():
        require_past(lots, as_of)
    missing = [s for s in dict.fromkeys(lots.symbol.tolist()) if s not in prices]
    for symbol in missing:
        faults.add(where=f"prices, {symbol}", what="has no price", remedy="add a row for it")
    faults.raise_as(TaxError)
    price = np.array([prices[s] for s in lots.symbol.tolist()], dtype=np.float64)
    if as_of is None:
        is_long = np.zeros(len(lots), dtype=np.bool_)
        days = np.full(len(lots), np.nan)
    else:
        today = np.datetime64(as_of, "D")
        is_long = long_term_mask(lots.acquired, today) | (lots.term == Term.LONG.value)
        days = (long_term_dates(lots.acquired) - today).astype(np.int64).astype(np.float64)
        days = np.where(is_long, 0.0, np.maximum(days, 0.0))
    return LotGains(
        lots=lots,
        price=price,
        gain=lots.quantity * (price - lots.unit_cost),
        is_long=np.asarray(is_long, dtype=np.bool_),
        days_to_long=days,
        as_of=as_of,
    )


def require_past(lots: Lots, as_of: dt.date | None) -> None:
    """Refuse lots that were acquired after the day, all of them together; raises TaxError."""
    if as_of is None:
        return
    late = np.flatnonzero(lots.acquired > np.datetime64(as_of, "D")).tolist()
    if late:
        raise TaxError(
            *(
                Fault(
                    where=f"lots {_place(lots, row)}, column acquired",
                    what=f"{lots.acquired[row]} is after {as_of}",
                    remedy="correct the day, or the valuation date",
                )
                for row in late
            )
        )


def require_sound(lots: Lots, holdings: Holdings, as_of: dt.date | None) -> None:
    """Refuse lots that nothing can be taxed by, all faults together: an unknown day or cost (asked for,
    never guessed), a day to come, lots that do not add up to the position or a position without lots
    in an account that has some. Raises TaxError.
    """
    faults = FaultList()
    with faults.collecting():
        lots.require_known()
    with faults.collecting():
        require_past(lots, as_of)
    for gap in lot_gaps(holdings, lots):
        faults.add(
            where=f"lots of {gap.symbol} in {gap.account}",
            what=f"add up to {gap.in_lots:,.10g} units, and {gap.held:,.10g} are held",
            remedy="import lots and positions of the same day, or add the lot that is missing",
        )
    for account, symbol in positions_without_lots(holdings, lots):
        faults.add(
            where=f"lots of {symbol} in {account}",
            what="are missing, and the account has lots of others",
            remedy="add them with day and cost",
        )
    faults.raise_as(TaxError)


def _place(lots: Lots, row: int) -> str:
    line = f"row {lots.line[row]}" if lots.line[row] else f"row {row + 1}"
    return f"{line} ({lots.symbol[row]} in {lots.account[row]})"
