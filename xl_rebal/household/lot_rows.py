"""The lots of every position of a household, held against the positions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import FaultList, TaxError
from xl_rebal.household.columns import LotColumns, Mask, Places, Vector
from xl_rebal.household.pairs import Pair
from xl_rebal.household.partial_washes import with_partial_washes
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.lots import Lots, Term, lot_faults
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.tax.holding_period import long_term_mask
from xl_rebal.tax.lot_methods import is_collectible
from xl_rebal.tax.wash_window import WashWindow

Scalar = TypeVar("Scalar", bound=np.generic)
SECTION_1256 = "section_1256"
_NEVER = np.datetime64("NaT", "D")


def lots_of_pairs(
    source: HouseholdBook,
    pairs: tuple[Pair, ...],
    accounts: tuple[Account, ...],
    window: WashWindow,
    securities: Mapping[str, Security],
    as_of: dt.date,
    average: frozenset[str] = frozenset(),
) -> LotColumns:
    """Every lot that could be sold, in the order of the pairs.

    A position whose gains are not taxed is one lot. In the accounts `average`, which take no lot
    instructions, a fund's lots cost what they cost on average (26 CFR 1.1012-1(e)). Raises TaxError that
    names every taxable position without lots, lots that do not add up, lots without a date or cost, and
    days after `as_of`.
    """
    faults = FaultList()
    lots = source.lots
    mine = _rows_of(lots, {accounts[pair.account].account for pair in pairs if pair.taxable})
    faults.extend(lot_faults(source.book.holdings, lots.take(mine), as_of))
    places, rows = _sellable(lots, mine, pairs, accounts, faults)
    faults.raise_as(TaxError)
    found = _columns(source, pairs, places, rows, securities, as_of, average, accounts)
    found = replace(found, may_lose=~_washed(found, pairs, accounts, window))
    return with_partial_washes(found, pairs, accounts, window)


def _rows_of(lots: Lots, names: set[str]) -> Places:
    """The rows of lots in these accounts."""
    return np.flatnonzero([name in names for name in lots.account.tolist()])


def _sellable(
    lots: Lots,
    mine: Places,
    pairs: tuple[Pair, ...],
    accounts: tuple[Account, ...],
    faults: FaultList,
) -> tuple[Places, Places]:
    """(places of pairs, rows of lots; -1 where gains are not taxed) of what could be sold."""
    rows: dict[tuple[str, str], list[int]] = {}
    keys = zip(lots.account[mine].tolist(), lots.symbol[mine].tolist(), strict=True)
    for row, key in zip(mine.tolist(), keys, strict=True):
        rows.setdefault(key, []).append(row)
    places: list[int] = []
    found: list[int] = []
    for place, pair in enumerate(pairs):
        line = pair.line
        if line.quantity <= 0 or not (line.can_sell or Rule.NEVER_SELL in line.blocked):
            continue
        if not pair.taxable or line.money_fund:
            places.append(place)
            found.append(-1)
            continue
        name = accounts[pair.account].account
        own = rows.get((name, line.symbol), [])
        if not own:
            faults.add(
                where=f"lots, {line.symbol} in {name}",
                what=f"{line.quantity:,.10g} units are held in a taxable account, and no lot is listed",
                remedy="add its lots: account, symbol, acquired, quantity, unit_cost",
            )
        places.extend([place] * len(own))
        found.extend(own)
    return np.array(places, dtype=np.int64), np.array(found, dtype=np.int64)


def security_is_fund(source: HouseholdBook, symbol: str) -> bool:
    """True for a mutual fund, whose default basis is its average cost."""
    return source.book.security(symbol).vehicle is Vehicle.MUTUAL_FUND


def _columns(
    source: HouseholdBook,
    pairs: tuple[Pair, ...],
    places: Places,
    rows: Places,
    securities: Mapping[str, Security],
    as_of: dt.date,
    average: frozenset[str],
    accounts: tuple[Account, ...],
) -> LotColumns:
    lots = source.lots
    named = rows >= 0
    lines = [pair.line for pair in pairs]
    unit_value = np.array([line.unit_value for line in lines])
    # Cost in the base currency: the lot's currency is the security's.
    to_base = np.array([line.unit_value / line.price if line.price else 1.0 for line in lines])
    held = np.array([line.quantity for line in lines])
    kinds = [source.book.security(line.symbol).tax_class.casefold() for line in lines]
    marked = np.array([kind == SECTION_1256 for kind in kinds], dtype=np.bool_)
    at_28 = np.array([is_collectible(line.symbol, securities) for line in lines], dtype=np.bool_)
    if not len(places):
        unit_value, to_base, held = np.ones(1), np.ones(1), np.zeros(1)
        marked = at_28 = np.zeros(1, dtype=np.bool_)
    cost = _unit_costs(source, pairs, places, rows, average, accounts)
    base_cost = np.where(named, cost * to_base[places], unit_value[places])
    rate = np.where(named, 1.0 - base_cost / unit_value[places], 0.0)
    acquired = np.where(named, _at(lots.acquired, rows, _NEVER), _NEVER)
    stated = np.array(
        [row >= 0 and lots.term[row] == Term.LONG for row in rows.tolist()], dtype=np.bool_
    )
    is_long = named & (stated | long_term_mask(acquired, as_of))
    futures, coins = marked[places], at_28[places] & is_long
    return LotColumns(
        pair=places,
        row=rows,
        quantity=np.where(named, _at(lots.quantity, rows, 0.0), held[places]),
        unit_cost=base_cost,
        acquired=acquired,
        is_long=is_long,
        short=np.where(futures, 0.4 * rate, np.where(is_long, 0.0, rate)),
        long=np.where(coins, 0.0, np.where(futures, 0.6 * rate, np.where(is_long, rate, 0.0))),
        collectible=np.where(coins, rate, 0.0),
        may_lose=np.ones(len(rows), dtype=np.bool_),
        disallowed=np.zeros(len(rows)),
        chain=np.full(len(rows), -1),
        barred=np.zeros(len(rows), dtype=np.bool_),
    )


def _at(column: NDArray[Scalar], rows: Places, missing: Scalar | float) -> NDArray[Scalar]:
    """A column of the table at these rows; what is missing where there is no table."""
    if len(column):
        return np.asarray(column[rows])
    return np.full(len(rows), missing, dtype=column.dtype)


def _unit_costs(
    source: HouseholdBook,
    pairs: tuple[Pair, ...],
    places: Places,
    rows: Places,
    average: frozenset[str],
    accounts: tuple[Account, ...],
) -> Vector:
    """(n,) cost of a unit in the lot's currency: its own, or a fund's average."""
    lots = source.lots
    cost = _at(lots.unit_cost, rows, np.nan)
    if average:
        for place in np.unique(places[rows >= 0]).tolist():
            pair = pairs[place]
            if accounts[pair.account].account in average and security_is_fund(
                source, pair.line.symbol
            ):
                own = places == place
                units = lots.quantity[rows[own]]
                cost[own] = np.average(lots.unit_cost[rows[own]], weights=units)
    return cost


def _washed(
    found: LotColumns, pairs: tuple[Pair, ...], accounts: tuple[Account, ...], window: WashWindow
) -> Mask:
    """(n,) True for lots at a loss that something bought lately would replace."""
    washed = np.zeros(len(found.pair), dtype=np.bool_)
    if not window.purchases:
        return washed
    losing = np.flatnonzero(found.gain_rate < 0)
    for j in losing.tolist():
        pair = pairs[int(found.pair[j])]
        name = accounts[pair.account].account
        if window.key(name, pair.line.symbol) not in window.purchases:
            continue
        row, day = int(found.row[j]), found.acquired[j].astype(object)
        washed[j] = bool(window.replacing(pair.line.symbol, name, row=row, acquired=day))
    return washed
