"""Pairs and lots of a household as columns: what the planner computes with, without an object a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.pairs import OpenLot, Pair
from xl_rebal.trading.problem import CENT, cents_of

Vector = NDArray[np.float64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairColumns:
    """The pairs of a household, in the order of their accounts; all (P,).

    account, klass    places of the account and of the class.
    group             number of the group of identical securities.
    held              units held.
    cost_rate         dollars of cost for each dollar traded (see `Pair.cost_rate`), 0 for cash funds sold.
    location, rank    dollars a dollar is worth less here, or less than of the class's first.
    least_buy         smallest purchase in money; `least_sell` likewise; `keep` what a part sale leaves.
    """

    account: Places
    klass: Places
    group: Places
    held: Vector
    unit_value: Vector
    step: Vector
    cost_rate: Vector
    fixed_cost: Vector
    location: Vector
    rank: Vector
    half_spread: Vector
    commission: Vector
    per_share: Vector
    min_commission: Vector
    max_commission: Vector
    fee: Vector
    free: Vector
    least_buy: Vector
    least_sell: Vector
    keep: Vector
    can_buy: Mask
    can_sell: Mask
    must_sell: Mask
    money_fund: Mask
    taxable: Mask

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Self:
        """The columns of pairs."""
        groups: dict[str, int] = {}
        rows = []
        for pair in pairs:
            line, costs = pair.line, pair.line.costs
            rows.append(
                (
                    pair.account,
                    line.klass,
                    groups.setdefault(pair.group, len(groups)),
                    line.quantity,
                    line.unit_value,
                    line.step,
                    pair.cost_rate,
                    pair.fixed_cost,
                    pair.location,
                    pair.rank,
                    costs.half_spread,
                    costs.commission,
                    costs.per_share,
                    costs.min_commission,
                    costs.max_commission,
                    line.fee,
                    line.free,
                    max(line.minimum, line.buy_minimum, CENT),
                    max(line.minimum, CENT),
                    line.keep,
                    not pair.no_buy,
                    line.can_sell,
                    line.must_sell,
                    line.money_fund,
                    pair.taxable,
                )
            )
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(_PAIR_KINDS))
        columns = {
            name: np.ascontiguousarray(table[:, i]).astype(kind, copy=False)
            for i, (name, kind) in enumerate(_PAIR_KINDS.items())
        }
        return cls(**columns)

    def at(self, places: Places) -> Self:
        """The same columns of some pairs, which may stand twice."""
        return type(self)(**{name: getattr(self, name)[places] for name in _PAIR_KINDS})

    def commissions_of(self, units: Vector) -> Vector:
        """(P,) commission of orders of so many units (positive)."""
        commission = self.commission + self.per_share * units
        return np.asarray(np.clip(commission, self.min_commission, self.max_commission))

    def costs_of(self, signed: Vector) -> Vector:
        """(P,) `trade_cost` of buying (+) or selling (-) so many units, to the cent."""
        units = np.abs(signed)
        cost = self.commissions_of(units) + self.half_spread * (units * self.unit_value)
        if self.fee.any():
            cost = cost + self.fee * self.unit_value * np.maximum(0.0, -signed - self.free)
        return np.where(units > 0, cents_of(cost), 0.0)

    def effects_of(self, signed: Vector) -> Vector:
        """(P,) `cash_effect` of buying (+) or selling (-) so many units."""
        return -np.sign(signed) * cents_of(np.abs(signed) * self.unit_value) - self.costs_of(signed)

    def worth_trading(self, signed: Vector) -> Mask:
        """(P,) `worth_trading` of so many units; True where there are none."""
        value = cents_of(np.abs(signed) * self.unit_value)
        least = np.where(signed > 0, self.least_buy, self.least_sell)
        fine = (value >= least) & (self.costs_of(signed) < value)
        if self.keep.any():
            left = self.held + signed
            short = (left > 0) & (left * self.unit_value < self.keep) & (signed < 0)
            fine &= ~short
        return np.asarray(fine | (signed == 0))


_INTEGERS, _MASKS = {"account", "klass", "group"}, {"can_buy", "can_sell", "must_sell"}
_MASKS |= {"money_fund", "taxable"}
_PAIR_KINDS = {
    each.name: np.int64 if each.name in _INTEGERS else bool if each.name in _MASKS else np.float64
    for each in fields(PairColumns)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LotColumns:
    """The lots of a household, in the order of their pairs; all (n,). See `OpenLot`.

    acquired  days; NaT where gains are not taxed.
    """

    pair: Places
    row: Places
    quantity: Vector
    unit_cost: Vector
    acquired: NDArray[np.datetime64]
    is_long: Mask
    short: Vector
    long: Vector
    collectible: Vector
    may_lose: Mask
    disallowed: Vector
    chain: Places
    barred: Mask

    @property
    def gain_rate(self) -> Vector:
        """(n,) dollars of gain for each dollar sold."""
        return self.short + self.long + self.collectible

    def objects(self, ids: Sequence[str]) -> tuple[OpenLot, ...]:
        """The lots one by one; `ids` are their names."""
        columns = (getattr(self, each.name).tolist() for each in fields(self))
        names = [each.name for each in fields(self)]
        return tuple(
            OpenLot(lot_id=lot_id, **dict(zip(names, row, strict=True)))
            for lot_id, *row in zip(ids, *columns, strict=True)
        )


def as_days(days: Sequence[dt.date | None]) -> NDArray[np.datetime64]:
    """Days, NaT for None."""
    return np.array(days, dtype="datetime64[D]")
