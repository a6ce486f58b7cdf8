"""The price-move buffer: whether an account can still pay for its buys after prices have risen.

Sells go first, so their proceeds are known when the buys are sent; what is not known is the price of the
buys. A market order pays the price after a rise; a limit order pays its limit at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xl_rebal.trading.plan import Action, Plan, Trade

PRICE_MOVE = 0.01  # the rise that buys must survive, unless another is asked for: 1%
_HALF_CENT = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortOfCash:
    """An account whose buys cost more than it may spend after a rise, in the base currency.

    cash    what it may spend; needed: what the buys and their costs come to after the rise.
    rise    the rise as a fraction.
    """

    account: str
    cash: float
    needed: float
    rise: float

    @property
    def short(self) -> float:
        """What would be missing."""
        return self.needed - self.cash

    def in_words(self) -> str:
        """`account 1: buys cost 5,050.00 after a rise of 1%, and 5,020.00 may be spent: 30.00 short`."""
        return (
            f"account {self.account}: buys cost {self.needed:,.2f} after a rise of "
            f"{self.rise * 100:.4g}%, and {self.cash:,.2f} may be spent: {self.short:,.2f} short"
        )


def spendable_of(plan: Plan) -> float:
    """What an account may spend on its buys once its sells are done.

    Cash after all trades and the buys themselves, less known withdrawals. The reserve is a buffer too:
    it is still there.
    """
    return math.fsum([plan.cash_after, *map(_outlay, _buys(plan.trades)), -plan.leaving])


def cost_of_rise(trades: Iterable[Trade], rise: float) -> float:
    """What a rise adds to the buys: nothing beyond a limit."""
    return math.fsum(t.value * _paid_more(t, rise) for t in _buys(trades))


def short_of_cash(
    trades: Iterable[Trade], spendable: Mapping[str, float], rise: float = PRICE_MOVE
) -> tuple[ShortOfCash, ...]:
    """The accounts that could not pay for their buys after a rise, in the order of their first buy.

    spendable  money by account once its sells are done: `spendable_of` a plan, or what they brought.
    """
    if not (math.isfinite(rise) and 0 <= rise < 1):
        raise ValueError(f"a rise of {rise} is no fraction from 0 to 1")
    needed: dict[str, list[float]] = {}
    for trade in _buys(trades):
        parts = needed.setdefault(trade.account, [])
        parts += [_outlay(trade), trade.value * _paid_more(trade, rise)]
    return tuple(
        ShortOfCash(account=account, cash=spendable[account], needed=total, rise=rise)
        for account, parts in needed.items()
        if (total := math.fsum(parts)) > spendable[account] + _HALF_CENT
    )


def shortages(plans: Iterable[Plan], rise: float = PRICE_MOVE) -> tuple[ShortOfCash, ...]:
    """The same for plans."""
    listed = tuple(plans)
    return short_of_cash(
        (trade for plan in listed for trade in plan.trades),
        {plan.account: spendable_of(plan) for plan in listed},
        rise,
    )


def _buys(trades: Iterable[Trade]) -> Iterable[Trade]:
    return (trade for trade in trades if trade.action is Action.BUY)


def _outlay(trade: Trade) -> float:
    return trade.value + trade.cost


def _paid_more(trade: Trade, rise: float) -> float:
    if trade.limit_price is None or trade.price <= 0:
        return rise
    return min(rise, max(0.0, trade.limit_price / trade.price - 1.0))
