"""What an account may trade of one security, and the lots that it can sell."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from xl_rebal.trading.problem import Line


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
    disallowed dollars of loss that do not count for each dollar sold: units that are replaced.
    chain      number of the lots that are sold in their order, a replaced part first; -1: in any order.
    barred     True when it must not be sold: it replaces what is.
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
    disallowed: float = 0.0
    chain: int = -1
    barred: bool = False

    @property
    def gain_rate(self) -> float:
        """Dollars of gain for each dollar sold."""
        return self.short + self.long + self.collectible
