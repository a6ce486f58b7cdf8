"""The lots of every position of a household, held against the positions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from xl_rebal.errors import FaultList, TaxError
from xl_rebal.household.problem import OpenLot, Pair
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.lots import Term, lot_gaps
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.tax.lot_methods import is_collectible, term_of
from xl_rebal.tax.wash_window import WashWindow

SECTION_1256 = "section_1256"


def lots_of_pairs(
    source: HouseholdBook,
    pairs: tuple[Pair, ...],
    accounts: tuple[Account, ...],
    window: WashWindow,
    securities: Mapping[str, Security],
    as_of: dt.date,
    average: frozenset[str] = frozenset(),
) -> tuple[OpenLot, ...]:
    """Every lot that could be sold, in the order of the pairs.

    A position whose gains are not taxed is one lot. In the accounts `average`, which take no lot
    instructions, a fund's lots cost what they cost on average (26 CFR 1.1012-1(e)). Raises TaxError that
    names every taxable position without lots, lots that do not add up, lots without a date or cost, and
    days after `as_of`.
    """
    lots = source.lots
    faults = FaultList()
    rows: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True)):
        rows.setdefault(key, []).append(row)
    taxed = {accounts[pair.account].account for pair in pairs if pair.taxable}
    mine = np.isin(lots.account, list(taxed))
    with faults.collecting():
        lots.take(mine).require_known()
    for gap in lot_gaps(source.book.holdings, lots.take(mine)):
        faults.add(
            where="lots",
            what=str(gap),
            remedy="correct the lots or the position; a gain is never guessed",
        )
    result: list[OpenLot] = []
    for place, pair in enumerate(pairs):
        line = pair.line
        if line.quantity <= 0 or not (line.can_sell or Rule.NEVER_SELL in line.blocked):
            continue
        if not pair.taxable:
            result.append(_whole(place, line.quantity, line.unit_value))
            continue
        name = accounts[pair.account].account
        found = rows.get((name, line.symbol), [])
        if not found and not line.money_fund:
            faults.add(
                where=f"lots, {line.symbol} in {name}",
                what=f"{line.quantity:,.10g} units are held in a taxable account, and no lot is listed",
                remedy="add its lots: account, symbol, acquired, quantity, unit_cost",
            )
            continue
        if line.money_fund:
            result.append(_whole(place, line.quantity, line.unit_value))
            continue
        for row in found:
            acquired = lots.acquired[row].astype(object)
            if acquired is not None and acquired > as_of:
                at = lots.line[row] or row + 1
                faults.add(
                    where=f"lots row {at} ({line.symbol} in {name}), column acquired",
                    what=f"{acquired} is after {as_of}",
                    remedy="a lot is something that has been bought; check the day",
                )
                continue
            if acquired is None or not np.isfinite(lots.unit_cost[row]):
                continue  # named above
            cost = float(lots.unit_cost[row])
            if name in average and security_is_fund(source, line.symbol):
                cost = float(np.average(lots.unit_cost[found], weights=lots.quantity[found]))
            lot = _lot(source, place, pair, row, acquired, as_of, cost, securities)
            loses = lot.gain_rate < 0
            washed = loses and bool(window.replacing(line.symbol, name, row=row, acquired=acquired))
            result.append(replace(lot, may_lose=not washed))
    faults.raise_as(TaxError)
    return tuple(result)


def security_is_fund(source: HouseholdBook, symbol: str) -> bool:
    """True for a mutual fund, whose default basis is its average cost."""
    return source.book.security(symbol).vehicle is Vehicle.MUTUAL_FUND


def _whole(pair: int, quantity: float, unit_value: float) -> OpenLot:
    return OpenLot(
        pair=pair,
        row=-1,
        quantity=quantity,
        unit_cost=unit_value,
        acquired=None,
        lot_id="",
        is_long=False,
        short=0.0,
        long=0.0,
        collectible=0.0,
    )


def _lot(
    source: HouseholdBook,
    place: int,
    pair: Pair,
    row: int,
    acquired: dt.date,
    as_of: dt.date,
    unit_cost: float,
    securities: Mapping[str, Security],
) -> OpenLot:
    lots, line = source.lots, pair.line
    # Cost in the base currency: the lot's currency is the security's.
    cost = unit_cost * (line.unit_value / line.price if line.price else 1.0)
    rate = 1.0 - cost / line.unit_value
    is_long = term_of(acquired, str(lots.term[row]), as_of) is Term.LONG
    tax_class = source.book.security(line.symbol).tax_class.casefold()
    short = 0.4 * rate if tax_class == SECTION_1256 else 0.0 if is_long else rate
    long = 0.6 * rate if tax_class == SECTION_1256 else rate if is_long else 0.0
    at_28 = is_collectible(line.symbol, securities) and is_long
    return OpenLot(
        pair=place,
        row=row,
        quantity=float(lots.quantity[row]),
        unit_cost=cost,
        acquired=acquired,
        lot_id=str(lots.lot_id[row]),
        is_long=is_long,
        short=short,
        long=0.0 if at_28 else long,
        collectible=rate if at_28 else 0.0,
    )
