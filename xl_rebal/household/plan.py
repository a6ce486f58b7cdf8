"""A household's plan: trades and the lots they sell, tax by return, what else was possible, and the proof."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from xl_rebal.household.worth import Worth
from xl_rebal.tax.income_tax import Tax
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.wash_window import Buyback
from xl_rebal.trading.plan import ClassResult, Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSale:
    """Units of one lot that are sold.

    row       place in the table of lots.
    proceeds  quantity x price, before costs.
    basis     what they cost.
    gain      proceeds - basis.
    disallowed  the part of a loss, 0 or more, that does not count: what replaces it was bought lately.
    term      `short` or `long`.
    tax       what this lot adds to the tax of its return, given all others of the plan; None where the
              plan was asked for without explanations.
    because   why this lot, and which others were left alone.
    """

    account: str
    symbol: str
    row: int
    lot_id: str
    acquired: dt.date
    quantity: float
    proceeds: float
    basis: float
    gain: float
    term: str
    tax: float | None
    because: str
    disallowed: float = 0.0

    @property
    def allowed(self) -> float:
        """The gain or loss that counts this year."""
        return self.gain + self.disallowed


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """One account's cash: before + flow - raised + sells - buys - costs = after."""

    account: str
    type: str
    cash_before: float
    flow: float
    raised: float
    cash_after: float
    reserve: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnResult:
    """What the plan does to one tax return; `added` is the tax beyond that of no trades."""

    tax_return: str
    gains: Gains
    added: Tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """One way to rebalance, for comparison, in fractions of shares but for `ours`.

    tax_now    tax that it adds this year.
    deferred   gain that stays unrealised in taxable accounts.
    loss_left  losses that are carried to the next year.
    drift      sum of |value - target| over the classes, halved, as a fraction of the base.
    for_good   tax that is never paid, because losses lower income taxed at a higher rate than gains.
    """

    name: str
    tax_now: float
    deferred: float
    loss_left: float
    drift: float
    cost: float
    for_good: float
    in_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """How much less tax a plan adds this year than another way, by what becomes of it.

    deferred   not paid now: the gain stays in what is kept, and is taxed when that is sold.
    permanent  never paid: losses deducted from income that is taxed at the higher ordinary rate.
    """

    deferred: float
    permanent: float

    @property
    def total(self) -> float:
        """Tax of this year that the other way would have added, less that of the plan."""
        return self.deferred + self.permanent

    def in_words(self) -> str:
        """Both parts, each by its name."""
        if self.total < -0.005:
            return (
                f"{-self.total:,.2f} more tax this year than the naive way: {-self.deferred:,.2f} of it is "
                f"paid earlier (on gains, or for losses that are kept), {-self.permanent:,.2f} for good"
            )
        return (
            f"{self.total:,.2f} less tax this year than the naive way: {self.deferred:,.2f} of it is "
            f"deferral (the gain is taxed when it is realised one day), {self.permanent:,.2f} is saved "
            "for good (losses deducted from income taxed at the ordinary rate)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPrice:
    """What one limit costs: how much better a plan without it would be.

    dollars  of the objective; drift  half the sum of |value - target| as a fraction of the base.
    """

    words: str
    dollars: float
    drift: float

    def in_words(self) -> str:
        """`VNQ is not sold in IRA: never_sell: costs 12.30, 0.11 pp of drift`."""
        text = f"{self.words}: costs {self.dollars:,.2f}"
        if abs(self.drift) >= 0.00005:
            text += f", {self.drift * 100:.2f} pp of drift"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPlan:
    """The plan of one household.

    why       what asks for it; empty when nothing does, and then there are no trades.
    worth     the objective and its parts.
    bound     what no plan can be below.
    base      the weight base in money.
    saving    against the naive way; None where the plan is not explained, or nothing is taxed.
    buybacks  what was sold at a loss, by this plan or in the 30 days before it, and from when it may be
              bought again.
    """

    household: str
    mode: str
    why: str
    trades: tuple[Trade, ...]
    lot_sales: tuple[LotSale, ...]
    accounts: tuple[AccountResult, ...]
    classes: tuple[ClassResult, ...]
    returns: tuple[ReturnResult, ...]
    worth: Worth
    bound: float
    base: float
    comparison: tuple[Approach, ...] = ()
    limits: tuple[LimitPrice, ...] = ()
    notes: tuple[str, ...] = ()
    saving: Saving | None = None
    buybacks: tuple[Buyback, ...] = ()

    @property
    def gap(self) -> float:
        """Dollars that the plan may be away from the best there is."""
        return max(0.0, self.worth.total - self.bound)

    @property
    def gap_bp(self) -> float:
        """The same in basis points of the household's value."""
        return self.gap / self.base * 1e4

    @property
    def tax_added(self) -> float:
        """Tax that the plan adds this year, all returns together (negative: saves)."""
        return sum(each.added.total for each in self.returns)

    @property
    def total_cost(self) -> float:
        """Trading costs in money."""
        return round(sum(trade.cost for trade in self.trades), 2)
