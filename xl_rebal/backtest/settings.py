"""What a backtest assumes beside policy and targets: costs, flows, when and how trades happen."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policies import Calendar
from xl_rebal.portfolio.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Money that comes in (+) or goes out (-) on the days of a calendar rule, or on one date.

    A dated flow moves on the first trading day that is not before its date.
    """

    amount: float
    when: Calendar | dt.date

    def __post_init__(self) -> None:
        if not math.isfinite(self.amount):
            raise ValueError("a flow needs an amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the trades of a backtest are made and paid for.

    costs         per trade; the first purchase is free (it is what every policy has in common).
    start_value   money on the first day, which buys the targets.
    holdings      quantities by class to start from instead (`Cash` in money).
    delay         0 trades at the close of the day that fires, 1 at the next close.
    whole_shares  trade whole units: buys are rounded down, sells up.
    min_trade     money below which a trade is not made.
    cooldown      trading days that must pass after a rebalancing before the next.
    flows         contributions and withdrawals, used first to rebalance.
    changes       later targets by the day from which they hold; same classes.
    risk_free     a year, for Sharpe and Sortino.
    """

    costs: CostModel = field(default_factory=CostModel)
    start_value: float = 1_000_000.0
    holdings: Mapping[str, float] | None = None
    delay: int = 0
    whole_shares: bool = False
    min_trade: float = 0.0
    cooldown: int = 0
    flows: tuple[Flow, ...] = ()
    changes: tuple[tuple[dt.date, Targets], ...] = ()
    risk_free: float = 0.0

    def __post_init__(self) -> None:
        if self.delay not in (0, 1):
            raise ValueError("trades happen at the close of the day or at the next close")
        if not (math.isfinite(self.start_value) and self.start_value > 0):
            raise ValueError("a backtest starts with money")
        if not (math.isfinite(self.min_trade) and self.min_trade >= 0):
            raise ValueError("the smallest trade is zero or more")
        if self.cooldown < 0:
            raise ValueError("a cooldown is zero days or more")
        if not -1 < self.risk_free < 1:
            raise ValueError("a risk-free rate is a fraction a year")
        if self.costs.impact:
            raise ValueError("market impact needs volumes, which prices do not carry")

    @property
    def rate(self) -> float:
        """The share of a trade's value that it costs."""
        return self.costs.half_spread

    @property
    def proportional(self) -> bool:
        """True when a trade costs a share of its value and nothing else."""
        return self.costs == CostModel(half_spread=self.costs.half_spread)

    @property
    def plain(self) -> bool:
        """True when nothing but a proportional cost is asked for: the fast ways apply."""
        return (
            self.proportional
            and self.holdings is None
            and self.delay == 0
            and not self.whole_shares
            and self.min_trade == 0
            and self.cooldown == 0
            and not self.flows
            and not self.changes
        )
