"""A household as the optimiser sees it: what each account may trade, its lots, where the classes stand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import Widths
from xl_rebal.drift import Drift
from xl_rebal.household.columns import LotColumns, PairColumns
from xl_rebal.household.pairs import OpenLot, Pair
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.tax_pieces import TaxPieces
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.default_relief import names_lots
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Taxpayers
from xl_rebal.tax.wash_window import Buyback

TRADITIONAL, ROTH = "traditional", "roth"
ROTH_LAST = 0.001  # dollars per dollar
Vector = NDArray[np.float64]
Places = NDArray[np.int64]

__all__ = [
    "ClassAims",
    "HouseholdProblem",
    "LotColumns",
    "OpenLot",
    "Pair",
    "PairColumns",
    "TaxReturn",
    "Vector",
]


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
    """One tax return of the household, its profile, and its tax in straight pieces."""

    name: str
    profile: TaxProfile
    pieces: TaxPieces

    @property
    def start_short(self) -> float:
        """Net short-term gain of the year so far, less what was carried in."""
        return self.profile.ytd_short - self.profile.carry_short

    @property
    def start_long(self) -> float:
        """Net long-term gain of the year so far, less what was carried in."""
        return self.profile.ytd_long - self.profile.carry_long


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdProblem:
    """The arrays of one household with A accounts, P pairs, n lots, K classes and R returns.

    cash        (A,) settled cash before flows.
    flow        (A,) money that comes in or goes out first.
    value       (K,) money in each class; cash includes flows and is less the reserves.
    return_of   (A,) place of each account's tax return, -1 where gains are not taxed.
    income_of   (A,) place of the return on which withdrawals from the account are income, -1 for none.
    pair, lot   the pairs (P,) and the lots (n,) as columns; a pair's lots stand together, the first of
                pair p at `starts[p]`.
    steps_count (P,) True where an order of one step, and so of more, is not below its minimum.
    reach       (A, A) True where a purchase in the first account takes away a loss in the second.
    why         what asks for the plan; empty when nothing does.
    buybacks    what was sold at a loss lately and must not be bought yet.
    """

    household: str
    source: HouseholdBook
    request: HouseholdRequest
    who: Taxpayers
    accounts: tuple[Account, ...]
    pairs: tuple[Pair, ...]
    lot: LotColumns
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
    income_of: tuple[int, ...]
    why: str
    notes: tuple[str, ...] = ()
    buybacks: tuple[Buyback, ...] = ()
    pair: PairColumns = field(init=False, repr=False, compare=False)
    starts: Places = field(init=False, repr=False, compare=False)
    return_of_lot: Places = field(init=False, repr=False, compare=False)
    reach: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    steps_count: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    _lots: list[tuple[OpenLot, ...]] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    def __post_init__(self) -> None:
        pair = PairColumns.of(self.pairs)
        lot_pair = self.lot.pair
        object.__setattr__(self, "pair", pair)
        alike = pair.worth_trading(pair.step) & pair.worth_trading(-pair.step)
        object.__setattr__(self, "steps_count", alike & (pair.keep == 0) & (pair.fee == 0))
        starts = np.searchsorted(lot_pair, np.arange(len(self.pairs) + 1))
        object.__setattr__(self, "starts", starts)
        returns = np.array(self.return_of, dtype=np.int64)
        on_return = returns[pair.account[lot_pair]] if len(lot_pair) else lot_pair
        object.__setattr__(self, "return_of_lot", on_return)
        names = [account.account for account in self.accounts]
        takes = [
            [self.who.reach(buyer, seller).value in ("defer", "lose") for seller in names]
            for buyer in names
        ]
        object.__setattr__(self, "reach", np.array(takes, dtype=np.bool_))

    @property
    def lots(self) -> tuple[OpenLot, ...]:
        """The lots one by one, made when they are asked for."""
        if not self._lots:
            ids = self.source.lots.lot_id
            told = [str(ids[row]) if row >= 0 else "" for row in self.lot.row.tolist()]
            self._lots.append(self.lot.objects(told))
        return self._lots[0]

    @property
    def base(self) -> float:
        """The weight base in money, after flows and the cash that is to be raised."""
        return float(self.value.sum()) - self.request.to_raise

    def reserve(self, account: int) -> float:
        """Money that an account keeps back."""
        return self.accounts[account].kept_back

    def spendable(self, account: int) -> float:
        """Cash after the flow and less the reserve; negative when it must be raised."""
        return float(self.cash[account] + self.flow[account]) - self.reserve(account)

    @property
    def spendable_of(self) -> Vector:
        """(A,) `spendable` of every account."""
        kept = np.array([account.kept_back for account in self.accounts])
        return np.asarray(self.cash + self.flow - kept)

    @property
    def lot_value(self) -> Vector:
        """(n,) money in each lot."""
        return np.asarray(self.lot.quantity * self.pair.unit_value[self.lot.pair])

    def lots_of(self, pair: int) -> range:
        """The places of a pair's lots."""
        return range(int(self.starts[pair]), int(self.starts[pair + 1]))

    def may_raise(self, account: int) -> bool:
        """True where money may be taken out for what is asked of the household as a whole."""
        known = self.accounts[account]
        if known.held_away or not self.request.to_raise:
            return False
        if self.return_of[account] >= 0:
            return True
        return bool(self.request.withdrawal) and known.type.casefold() in (TRADITIONAL, ROTH)

    def draw_price(self, account: int) -> float:
        """Dollars that a dollar taken out of the account is worth less than elsewhere: a Roth's would stay
        free of tax, which is worth what a traditional account's costs, and a trifle more.
        """
        if self.accounts[account].type.casefold() != ROTH or not self.returns:
            return 0.0
        return max(each.pieces.income[0][0] for each in self.returns) + ROTH_LAST

    def sends_no_lots(self, account: int) -> bool:
        """True where the custodian takes no lot instructions: first in, first out."""
        known = self.accounts[account]
        return not names_lots(known) or known.account in self.request.no_lots_sent
