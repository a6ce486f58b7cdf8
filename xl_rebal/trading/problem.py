"""One account's planning problem: what it holds, what may be traded, where the classes stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xl_rebal.costs import CostModel
from xl_rebal.drift import TOLERANCE
from xl_rebal.portfolio.policies import Policy

CENT = 0.01
HALF_CENT = 0.005
ALTERNATIVES = 4  # securities looked at per class when their ranks are equal
_FINE = 0.01
_DUST_MONEY = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One security as this account may trade it.

    klass       index of its target class; -1 when it is excluded.
    quantity    units held, negative for a short.
    unit_value  money per unit in the base currency.
    step        smallest quantity that buys and partial sells move in.
    minimum     smallest order in money.
    rank        preference inside the class; infinite for none.
    blocked     why it may not be bought or sold, in words; empty when it may.
    money_fund  cash in another form: selling it is free, has no minimum and is no turnover.
    replaces    True for the security named as a substitute: it is bought before the others.
    """

    symbol: str
    klass: int
    quantity: float
    price: float
    unit_value: float
    step: float
    minimum: float
    rank: float
    costs: CostModel
    adv: float | None
    can_buy: bool
    can_sell: bool
    must_sell: bool
    replaces: bool
    blocked: str
    money_fund: bool = False

    @property
    def value(self) -> float:
        """Money held."""
        return self.quantity * self.unit_value

    @property
    def step_value(self) -> float:
        """Money that one step moves."""
        return self.step * self.unit_value

    def cost(self, quantity: float) -> tuple[float, float, float]:
        """Commission, half-spread and impact of trading a positive quantity, in money."""
        return self.costs.parts(quantity, quantity * self.unit_value, self.adv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the planner is given for one account. Class lists have K entries.

    value   money in each class; cash includes the flow and is less the reserve.
    target  target weights.
    down, up  distances from target to band edges in weight; infinite without a band.
    breach  +1 above, -1 below its band, 0 within, at these values.
    cash    settled cash after the flow and less the reserve; negative when it must be raised.
    """

    account: str
    lines: tuple[Line, ...]
    classes: tuple[str, ...]
    cash_index: int
    target: tuple[float, ...]
    down: tuple[float, ...]
    up: tuple[float, ...]
    value: tuple[float, ...]
    breach: tuple[int, ...]
    cash: float
    policy: Policy
    min_trade: float
    max_turnover: float | None

    @property
    def base(self) -> float:
        """The weight base in money."""
        return math.fsum(self.value)

    def lines_of(self, klass: int) -> list[Line]:
        """The securities of a class."""
        return [line for line in self.lines if line.klass == klass]


Quantities = dict[str, float]  # signed units by symbol: + buy, - sell


def cents(value: float) -> float:
    """Money to the cent, halves away from zero, on 15 significant digits as Excel's ROUND does.

    Binary products such as 1.005 x 100 carry dust in the sixteenth digit that must not decide.
    """
    scaled = float(f"{abs(value) * 100:.15g}")
    return math.copysign(math.floor(scaled + 0.5) / 100, value)


def trade_cost(line: Line, quantity: float) -> float:
    """Cost of a trade to the cent."""
    return cents(math.fsum(line.cost(quantity)))


def trade_value(line: Line, quantity: float) -> float:
    """Value of a trade to the cent."""
    return cents(quantity * line.unit_value)


def worth_trading(line: Line, quantity: float) -> bool:
    """False for an order below its minimum, or one that costs as much as it moves."""
    value = trade_value(line, quantity)
    return value >= max(line.minimum, CENT) and trade_cost(line, quantity) < value


def cash_effect(line: Line, signed: float) -> float:
    """Change of cash when `signed` units are bought (+) or sold (-): to the cent, costs included."""
    quantity = abs(signed)
    if quantity == 0:
        return 0.0
    gross = trade_value(line, quantity)
    return (gross if signed < 0 else -gross) - trade_cost(line, quantity)


def total_cost(lines: Sequence[Line], quantities: Quantities) -> float:
    """Cost of all trades, each to the cent."""
    by_symbol = {line.symbol: line for line in lines}
    return math.fsum(trade_cost(by_symbol[s], abs(q)) for s, q in quantities.items())


def class_step(problem: Problem, k: int) -> float:
    """The money that "within one step" means for a class.

    The largest step among its securities that is no more than `_FINE` of the account; where all are
    coarser, the smallest. A class that is within it is left alone, whichever of its securities
    brought it there, so that planning again after the trades changes nothing.
    """
    steps = [ln.step_value for ln in problem.lines_of(k) if ln.can_buy or ln.can_sell]
    if not steps:
        return 0.0
    # Orders are whole cents: a gap of a few of them is what their rounding leaves.
    return max(
        _DUST_MONEY, max((s for s in steps if s <= _FINE * problem.base), default=min(steps))
    )


def preferred_buys(lines: Sequence[Line]) -> list[Line]:
    """Securities that may be bought: a substitute first, then the best rank, then what is held."""
    able = [line for line in lines if line.can_buy]
    if not able:
        return []
    best = min((not line.replaces, line.rank) for line in able)
    able = [line for line in able if (not line.replaces, line.rank) == best]
    held = [line for line in able if line.quantity > 0]
    return sorted(held or able, key=lambda line: (-line.value, line.symbol))[:ALTERNATIVES]


def applied(problem: Problem, quantities: Quantities) -> Problem:
    """The account after trades: quantities, class values, cash and breaches."""
    value = list(problem.value)
    lines = []
    cash = problem.cash
    for line in problem.lines:
        signed = quantities.get(line.symbol, 0.0)
        if signed:
            value[line.klass] += signed * line.unit_value
            effect = cash_effect(line, signed)
            value[problem.cash_index] += effect
            cash += effect
            quantity = float(f"{line.quantity + signed:.12g}")
            line = replace(
                line,
                quantity=quantity,
                can_sell=line.can_sell and quantity > 0,
                must_sell=False,
            )
        lines.append(line)
    moved = replace(problem, lines=tuple(lines), value=tuple(value), cash=cash)
    return replace(moved, breach=breach_of(moved))


def breach_of(problem: Problem) -> tuple[int, ...]:
    """+1, -1 or 0 for every class at the problem's values."""
    base = problem.base
    if base <= HALF_CENT:
        return (0,) * len(problem.classes)
    result = []
    edge = TOLERANCE if problem.policy.beyond else -TOLERANCE
    for k, value in enumerate(problem.value):
        d = value / base - problem.target[k]
        if abs(d) <= TOLERANCE:
            result.append(0)
        elif d > 0:
            result.append(1 if d >= problem.up[k] + edge else 0)
        else:
            result.append(-1 if -d >= problem.down[k] + edge else 0)
    return tuple(result)
