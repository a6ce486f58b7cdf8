"""What a client's workbook is made from: one household, its plan, and what is known of its taxes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from xl_rebal.household.plan import HouseholdPlan, LotSale, ReturnResult
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.lots import Lots, no_lots
from xl_rebal.portfolio.policies import Policy
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.plan import Plan, Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPages:
    """One client.

    household  the id that the book gives it; `name` is what people call it.
    book       its accounts only, as they were planned (for accounts one by one `Rebalancing.book`).
    plans      the plans of its accounts, each for itself; empty when they are planned together.
    together   the plan of all its accounts as one portfolio; None when each has its own.
    policy     what asks for trades and how far they go.
    mode       the way of planning in words, as the run names it.
    as_of      day of the plan; None when unknown.
    lots       open lots of its accounts, in the order that `LotSale.row` counts.
    sales      the lots that the plan sells; those of `together` when it has one.
    returns    what they do to each tax return; those of `together` when it has one.
    profiles   the tax profiles of the year by name.
    washes     what stands in the way of losses, in words.
    notes      what else the reader should know, besides what the plan says itself.
    dashboard  relative path from the client's workbook to the firm's dashboard; empty for none.
    """

    household: str
    name: str
    book: Book
    policy: Policy
    plans: tuple[Plan, ...] = ()
    together: HouseholdPlan | None = None
    mode: str = ""
    as_of: dt.date | None = None
    lots: Lots = field(default_factory=no_lots)
    sales: tuple[LotSale, ...] = ()
    returns: tuple[ReturnResult, ...] = ()
    profiles: Mapping[str, TaxProfile] = field(default_factory=dict)
    washes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dashboard: str = ""

    def __post_init__(self) -> None:
        if self.together is not None and (self.plans or self.sales or self.returns):
            raise ValueError("a plan of all accounts brings its own trades, sales and returns")

    @property
    def trades(self) -> tuple[Trade, ...]:
        """All trades."""
        if self.together is not None:
            return self.together.trades
        return tuple([trade for plan in self.plans for trade in plan.trades])

    @property
    def lot_sales(self) -> tuple[LotSale, ...]:
        """The lots that are sold."""
        return self.sales if self.together is None else self.together.lot_sales

    @property
    def tax_returns(self) -> tuple[ReturnResult, ...]:
        """What the plan does to each tax return."""
        return self.returns if self.together is None else self.together.returns
