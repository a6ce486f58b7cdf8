"""A household as the optimiser sees it: what each account may trade, its lots, where the classes stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import Widths
from xl_rebal.drift import Drift
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Taxpayers
from xl_rebal.tax.wash_window import Buyback
from xl_rebal.trading.problem import Line

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One security in one account.

    account    place of the account in the problem.
    line       what the account holds of it and may do with it.
    location   dollars that a dollar of it in this account is worth less than elsewhere.
    rank       dollars that a dollar bought of it is worth less than of the class's preferred one.
    group      what it counts as when losses are matched with purchases.
    no_buy     why it may not be bought, in words; empty when it may.
    """

    account: int
    line: Line
    taxable: bool
    location: float
    rank: float
    group: str
    no_buy: str = ""

    @property
    def fixed_cost(self) -> float:
        """Money for each order, whatever its size: at or below what it really is."""
        costs = self.line.costs
        return min(max(costs.commission, costs.min_commission), costs.max_commission)

    @property
    def cost_rate(self) -> float:
        """Dollars of cost for each dollar traded, without `fixed_cost`: at or below what they are."""
        costs = self.line.costs
        bounded = costs.min_commission or costs.max_commission < float("inf")
        per_share = 0.0 if bounded else costs.per_share
        return costs.half_spread + per_share / self.line.unit_value


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLot:
    """Units that can be sold together.

    pair       place of its security and account.
    row        row in the table of lots; -1 for a position whose gains are not taxed.
    unit_cost  basis of a unit in the base currency; of no account where gains are not taxed.
    short, long, collectible  dollars of gain of each kind for each dollar sold.
    may_lose   False when selling it at a loss would be a wash sale whatever is bought now.
    """

    pair: int
    row: int
    quantity: float
    unit_cost: float
    acquired: dt.date | None
    lot_id: str
    is_long: bool
    short: float
    long: float
    collectible: float
    may_lose: bool = True

    @property
    def gain_rate(self) -> float:
        """Dollars of gain for each dollar sold."""
        return self.short + self.long + self.collectible


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAims:
    """Money between which a class costs nothing (inner), where its band is left, less a step (outer), and
    where it must not go: out of its band, or further out of it than it is (cap). (K,)
    """

    inner_low: Vector
    inner_high: Vector
    outer_low: Vector
    outer_high: Vector
    cap_low: Vector
    cap_high: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxReturn:
    """One tax return of the household and its profile."""

    name: str
    profile: TaxProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdProblem:
    """The arrays of one household with A accounts, P pairs, n lots, K classes and R returns.

    cash        (A,) settled cash before flows.
    flow        (A,) money that comes in or goes out first.
    value       (K,) money in each class; cash includes flows and is less the reserves.
    return_of   (A,) place of each account's tax return, -1 where gains are not taxed.
    groups      groups of identical securities that hold a lot at a loss, and may be bought.
    why         what asks for the plan; empty when nothing does.
    buybacks    what was sold at a loss lately and must not be bought yet.
    """

    household: str
    source: HouseholdBook
    request: HouseholdRequest
    who: Taxpayers
    accounts: tuple[Account, ...]
    pairs: tuple[Pair, ...]
    lots: tuple[OpenLot, ...]
    cash: Vector
    flow: Vector
    value: Vector
    classes: tuple[str, ...]
    cash_index: int
    drift: Drift
    widths: Widths
    aims: ClassAims
    returns: tuple[TaxReturn, ...]
    return_of: tuple[int, ...]
    groups: tuple[str, ...]
    why: str
    notes: tuple[str, ...] = ()
    buybacks: tuple[Buyback, ...] = ()
    _lots_by_pair: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: list[list[int]] = [[] for _ in self.pairs]
        for j, lot in enumerate(self.lots):
            found[lot.pair].append(j)
        object.__setattr__(self, "_lots_by_pair", tuple(map(tuple, found)))

    @property
    def base(self) -> float:
        """The weight base in money, after flows and the cash that is to be raised."""
        return float(self.value.sum()) - self.request.cash_need

    def reserve(self, account: int) -> float:
        """Money that an account keeps back."""
        return self.accounts[account].kept_back

    def spendable(self, account: int) -> float:
        """Cash after the flow and less the reserve; negative when it must be raised."""
        return float(self.cash[account] + self.flow[account]) - self.reserve(account)

    def lots_of(self, pair: int) -> tuple[int, ...]:
        """The places of a pair's lots."""
        return self._lots_by_pair[pair]

    def reaches(self, bought_in: int, sold_in: int) -> bool:
        """True when a purchase in one account takes away a loss in the other."""
        reach = self.who.reach(self.accounts[bought_in].account, self.accounts[sold_in].account)
        return reach.value in ("defer", "lose")
