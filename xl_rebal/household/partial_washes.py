"""Losses of which something bought lately takes away only a part.

What was bought in the last thirty days replaces as many units sold at a loss, in the order of their
acquisition, and no more (26 CFR 1.1091-1(b) to (d)): of 100 units at a loss with 40 bought back, 60 count.
Such a lot is split: the units that will be replaced realise nothing, the rest its loss, and the first
are sold before the second. The replacements themselves are kept.

It is done for one security of one account in each group of identical ones, the one with most to gain, and
only where the loss is not gone for good (bought in an IRA); elsewhere such a loss is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from xl_rebal.household.columns import LotColumns, Mask, Places, Vector
from xl_rebal.household.pairs import Pair
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.taxpayers import Reach
from xl_rebal.tax.wash_window import Purchase, WashWindow

_DUST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """Lots of one pair in the order in which their losses are matched, and the units that are replaced."""

    lots: Places
    replaced: float
    kept: frozenset[int]


def with_partial_washes(
    lots: LotColumns, pairs: tuple[Pair, ...], accounts: tuple[Account, ...], window: WashWindow
) -> LotColumns:
    """The lots with those split whose loss counts in part, and the replacements barred from sale.

    Lots that may not be sold at a loss (`may_lose`) and are no part of it stay so.
    """
    washed = np.flatnonzero(~lots.may_lose)
    if not len(washed):
        return lots
    best: dict[tuple[str, str], tuple[float, _Chain]] = {}
    for place in np.unique(lots.pair[washed]).tolist():
        pair = pairs[place]
        name = accounts[pair.account].account
        key = window.key(name, pair.line.symbol)
        bought = window.replacing(pair.line.symbol, name)
        mine = washed[lots.pair[washed] == place]
        chain = _chain(lots, mine, bought)
        deferred = all(window.who.reach(each.account, name) is Reach.DEFER for each in bought)
        forced = any(p.line.must_sell and p.group == pair.group for p in pairs)
        gained = _counting(lots, chain, pair.line.unit_value)
        if deferred and not forced and gained > best.get(key, (_DUST, None))[0]:
            best[key] = (gained, chain)
    chains = [chain for _, chain in best.values()]
    return _split(lots, chains) if chains else lots


def _chain(lots: LotColumns, mine: Places, bought: tuple[Purchase, ...]) -> _Chain:
    kept = frozenset(each.row for each in bought if each.row is not None)
    old = mine[[row not in kept for row in lots.row[mine].tolist()]]
    order = old[np.lexsort((lots.row[old], lots.acquired[old]))]
    return _Chain(lots=order, replaced=sum(each.quantity for each in bought), kept=kept)


def _counting(lots: LotColumns, chain: _Chain, unit_value: float) -> float:
    """Dollars of loss that count when the whole chain is sold."""
    return sum(
        units * -float(lots.gain_rate[j]) * unit_value
        for j, units, replaced in _parts(lots, chain)
        if not replaced
    )


def _parts(lots: LotColumns, chain: _Chain) -> Iterator[tuple[int, float, bool]]:
    """(lot, units, whether they are replaced), in order."""
    left = chain.replaced
    for j in chain.lots.tolist():
        quantity = float(lots.quantity[j])
        taken = min(left, quantity)
        left = max(0.0, left - quantity)
        if taken > _DUST:
            yield j, taken, True
        if quantity - taken > _DUST:
            yield j, float(f"{quantity - taken:.12g}"), False


def _split(lots: LotColumns, chains: list[_Chain]) -> LotColumns:
    """The lots with the parts of each chain in the places of its lots."""
    source: list[int] = []
    units: list[float] = []
    away: list[bool] = []
    number: list[int] = []
    of_lot = {j: c for c, chain in enumerate(chains) for j in chain.lots.tolist()}
    for p in np.unique(lots.pair).tolist():
        mine = np.flatnonzero(lots.pair == p).tolist()
        whole = [j for j in mine if j not in of_lot]
        source += whole
        units += [float(lots.quantity[j]) for j in whole]
        away += [False] * len(whole)
        number += [-1] * len(whole)
        for c in dict.fromkeys(of_lot[j] for j in mine if j in of_lot):
            for j, quantity, replaced in _parts(lots, chains[c]):
                source.append(j)
                units.append(quantity)
                away.append(replaced)
                number.append(c)
    rows = np.array(source, dtype=np.int64)
    gone: Mask = np.array(away, dtype=np.bool_)
    chained: Places = np.array(number, dtype=np.int64)
    kept = set().union(*(chain.kept for chain in chains))
    taken = {each.name: getattr(lots, each.name)[rows] for each in fields(lots)}
    made = LotColumns(**taken)
    lost: Vector = -made.gain_rate
    return replace(
        made,
        quantity=np.array(units),
        short=np.where(gone, 0.0, made.short),
        long=np.where(gone, 0.0, made.long),
        collectible=np.where(gone, 0.0, made.collectible),
        may_lose=made.may_lose | (chained >= 0),
        disallowed=np.where(gone, lost, 0.0),
        chain=chained,
        barred=np.array([row in kept for row in made.row.tolist()], dtype=np.bool_),
    )
