"""One account's planning problem: what it holds, what may be traded, where the classes stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.costs import CostModel
from xl_rebal.drift import TOLERANCE
from xl_rebal.portfolio.policies import Policy
from xl_rebal.trading.plan import Cause

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
    buy_minimum smallest purchase in money (a fund's initial or subsequent minimum).
    keep        smallest position in money that a partial sale may leave.
    rank        preference inside the class; infinite for none.
    blocked     why it may not be bought or sold, in words; empty when it may.
    money_fund  cash in another form: selling it is free, has no minimum and is no turnover.
    replaces    True for the security named as a substitute: it is bought before the others.
    settles     day on which the money of its trades moves, comparable with `Due.settles`.
    fee, free   redemption fee as a fraction of value, and the units held long enough to be free of it.
    listed      True when it trades on an exchange, so that its orders may carry a limit.
    causes      what keeps it from being bought or sold, for the account of what was not done.
    notes       what was taken for granted or holds besides, in words.
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
    buy_minimum: float = 0.0
    keep: float = 0.0
    settles: int = 1
    fee: float = 0.0
    free: float = 0.0
    listed: bool = True
    causes: frozenset[Cause] = frozenset()
    notes: tuple[str, ...] = ()
    # What trades of so many signed units come to, once worked out: planners ask hundreds of times.
    _known: dict[float, tuple[float, float, bool]] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )

    @property
    def value(self) -> float:
        """Money held."""
        return self.quantity * self.unit_value

    @property
    def step_value(self) -> float:
        """Money that one step moves."""
        return self.step * self.unit_value

    def after(self, signed: float) -> Line:
        """The security once so many units were bought (+) or sold (-)."""
        quantity = float(f"{self.quantity + signed:.12g}")
        return self._with(
            quantity,
            self.price,
            self.unit_value,
            can_sell=self.can_sell and quantity > 0,
            must_sell=False,
            free=max(0.0, self.free + min(signed, 0.0)),
        )

    def held(self, quantity: float, price: float, unit_value: float) -> Line:
        """The same security as another account holds it; nothing else of it hangs on the account."""
        return self._with(
            quantity,
            price,
            unit_value,
            can_sell=self.can_sell,
            must_sell=self.must_sell,
            free=self.free,
        )

    def _with(
        self,
        quantity: float,
        price: float,
        unit_value: float,
        *,
        can_sell: bool,
        must_sell: bool,
        free: float,
    ) -> Line:
        # Said in full: `dataclasses.replace` takes six times as long, and planners do this most of all.
        return Line(
            symbol=self.symbol,
            klass=self.klass,
            quantity=quantity,
            price=price,
            unit_value=unit_value,
            step=self.step,
            minimum=self.minimum,
            rank=self.rank,
            costs=self.costs,
            adv=self.adv,
            can_buy=self.can_buy,
            can_sell=can_sell,
            must_sell=must_sell,
            replaces=self.replaces,
            blocked=self.blocked,
            money_fund=self.money_fund,
            buy_minimum=self.buy_minimum,
            keep=self.keep,
            settles=self.settles,
            fee=self.fee,
            free=free,
            listed=self.listed,
            causes=self.causes,
            notes=self.notes,
        )

    def cost(self, quantity: float) -> tuple[float, float, float]:
        """Commission, half-spread and impact of trading a positive quantity, in money."""
        return self.costs.parts(quantity, quantity * self.unit_value, self.adv)

    def redemption(self, signed: float) -> float:
        """The redemption fee of selling (signed units below zero), in money: old units go first."""
        if not self.fee or signed >= 0:
            return 0.0
        return self.fee * self.unit_value * max(0.0, -signed - self.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Trades that settle on a day or before it may take `cash` out of the account, net of what they
    bring in: settled cash and what arrives until then, less what leaves and what is kept back.

    For every Due of a problem: cash + sum of `cash_effect` over lines with `settles` <= its day >= 0.
    """

    settles: int
    cash: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the planner is given for one account. Class lists have K entries.

    value   money in each class; cash includes the flow and is less the reserve.
    target  target weights.
    down, up  distances from target to band edges in weight; infinite without a band.
    breach  +1 above, -1 below its band, 0 within, at these values.
    cash    what all trades together may spend: cash that is there when the last of them settles and
            ever after, after the flow, less reserve and known withdrawals; negative when it must be
            raised. Cash that arrives later counts in `value`, not here.
    early   the same for the trades that settle by an earlier day, where lines settle on several days;
            ascending, never negative. Empty when all lines settle together.
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
    early: tuple[Due, ...] = ()
    base: float = field(init=False, compare=False, repr=False)  # the weight base in money
    # Worked out once, when first asked for: the planner asks hundreds of times.
    _by_class: dict[int, list[Line]] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )
    _steps: dict[int, float] = field(init=False, compare=False, repr=False, default_factory=dict)
    _after: dict[frozenset[tuple[str, float]], Problem] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", math.fsum(self.value))

    def lines_of(self, klass: int) -> Sequence[Line]:
        """The securities of a class."""
        if not self._by_class:
            for line in self.lines:
                self._by_class.setdefault(line.klass, []).append(line)
        return self._by_class.get(klass, ())


Quantities = dict[str, float]  # signed units by symbol: + buy, - sell


def cents(value: float) -> float:
    """Money to the cent, halves away from zero, on 15 significant digits as Excel's ROUND does.

    Binary products such as 1.005 x 100 carry dust in the sixteenth digit that must not decide.
    """
    scaled = abs(value) * 100
    whole = math.floor(scaled)
    if abs(scaled - whole - 0.5) < max(1e-9, scaled * 1e-14):  # a tie, or dust beside one
        scaled = float(f"{scaled:.15g}")
    return math.copysign(math.floor(scaled + 0.5) / 100, value)


def cents_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`cents` of every value."""
    scaled = np.abs(values) * 100
    rounded = np.floor(scaled + 0.5)
    near = np.abs(scaled - np.floor(scaled) - 0.5) < np.maximum(1e-9, scaled * 1e-14)
    result: NDArray[np.float64] = np.copysign(rounded / 100, values)
    for place in np.flatnonzero(near).tolist():
        result[place] = cents(float(values[place]))
    return result


def trade_cost(line: Line, signed: float) -> float:
    """Cost of buying (+) or selling (-) so many units, to the cent; a sale may bear a redemption fee."""
    return money_of(line, signed)[1]


def trade_value(line: Line, quantity: float) -> float:
    """Value of a trade to the cent."""
    return cents(quantity * line.unit_value)


def worth_trading(line: Line, signed: float) -> bool:
    """False for an order below its minimum, for one that costs as much as it moves, and for a partial
    sale that leaves less than may be kept.
    """
    return money_of(line, signed)[2]


def money_of(line: Line, signed: float) -> tuple[float, float, bool]:
    """Value and cost of buying (+) or selling (-) so many units, to the cent; and whether it is an order
    worth sending (`worth_trading`).
    """
    known = line._known.get(signed)
    if known is None:
        known = line._known[signed] = _money_of(line, signed)
    return known


def _money_of(line: Line, signed: float) -> tuple[float, float, bool]:
    value = trade_value(line, abs(signed))
    cost = math.fsum(line.cost(abs(signed)))
    cost = cents(cost + line.redemption(signed) if line.fee else cost)
    least = max(line.minimum, CENT)
    if signed > 0:
        least = max(least, line.buy_minimum)
    elif (
        line.keep
        and line.quantity + signed > 0
        and line.value + signed * line.unit_value < line.keep
    ):
        return value, cost, False
    return value, cost, value >= least and cost < value


def cash_effect(line: Line, signed: float) -> float:
    """Change of cash when `signed` units are bought (+) or sold (-): to the cent, costs included."""
    if signed == 0:
        return 0.0
    value, cost, _ = money_of(line, signed)
    return (value if signed < 0 else -value) - cost


def early_shortage(problem: Problem, quantities: Quantities) -> float:
    """Money that trades settling by an earlier day overdraw at most; 0 when none does."""
    worst = 0.0
    for due in problem.early:
        effects = [
            cash_effect(line, quantities[line.symbol])
            for line in problem.lines
            if line.settles <= due.settles and line.symbol in quantities
        ]
        worst = max(worst, -(due.cash + math.fsum(effects)))
    return worst


def total_cost(lines: Sequence[Line], quantities: Quantities) -> float:
    """Cost of all trades, each to the cent."""
    by_symbol = {line.symbol: line for line in lines}
    return math.fsum(trade_cost(by_symbol[s], q) for s, q in quantities.items())


def settles_late(problem: Problem) -> float:
    """Cash in money that counts in the weights and is not there when trades settle."""
    funds = math.fsum(line.value for line in problem.lines if line.klass == problem.cash_index)
    return problem.value[problem.cash_index] - funds - problem.cash


def class_step(problem: Problem, k: int) -> float:
    """The money that "within one step" means for a class.

    The largest step among its securities that is no more than `_FINE` of the account; where all are
    coarser, the smallest. A class that is within it is left alone, whichever of its securities
    brought it there, so that planning again after the trades changes nothing.
    """
    known = problem._steps.get(k)
    if known is None:
        known = problem._steps[k] = _class_step(problem, k)
    return known


def _class_step(problem: Problem, k: int) -> float:
    steps = [ln.step_value for ln in problem.lines_of(k) if ln.can_buy or ln.can_sell]
    if not steps:
        return 0.0
    # Orders are whole cents: a gap of a few of them is what their rounding leaves.
    return max(
        _DUST_MONEY, max((s for s in steps if s <= _FINE * problem.base), default=min(steps))
    )


def buyable(lines: Sequence[Line]) -> list[Line]:
    """Securities to buy: a substitute first, then the best rank, then what is held, largest first."""
    able = [line for line in lines if line.can_buy]
    if not able:
        return []
    best = min((not line.replaces, line.rank) for line in able)
    able = [line for line in able if (not line.replaces, line.rank) == best]
    held = [line for line in able if line.quantity > 0]
    return sorted(held or able, key=lambda line: (-line.value, line.symbol))


def preferred_buys(lines: Sequence[Line]) -> list[Line]:
    """The first few of the securities to buy."""
    return buyable(lines)[:ALTERNATIVES]


def applied(problem: Problem, quantities: Quantities) -> Problem:
    """The account after trades: quantities, class values, cash and breaches."""
    if not quantities:
        return problem
    key = frozenset(quantities.items())
    if key not in problem._after:
        problem._after[key] = _applied(problem, quantities)
    return problem._after[key]


def _applied(problem: Problem, quantities: Quantities) -> Problem:
    value = list(problem.value)
    lines = []
    cash = problem.cash
    early = list(problem.early)
    for line in problem.lines:
        signed = quantities.get(line.symbol, 0.0)
        if signed:
            value[line.klass] += signed * line.unit_value
            effect = cash_effect(line, signed)
            value[problem.cash_index] += effect
            cash += effect
            early = [
                replace(due, cash=due.cash + effect) if line.settles <= due.settles else due
                for due in early
            ]
            line = line.after(signed)
        lines.append(line)
    return replace(
        problem,
        lines=tuple(lines),
        value=tuple(value),
        cash=cash,
        early=tuple(early),
        breach=breaches_at(value, problem.target, problem.down, problem.up, problem.policy),
    )


def breach_of(problem: Problem) -> tuple[int, ...]:
    """+1, -1 or 0 for every class at the problem's values."""
    return breaches_at(problem.value, problem.target, problem.down, problem.up, problem.policy)


def breaches_at(
    values: Sequence[float],
    target: Sequence[float],
    down: Sequence[float],
    up: Sequence[float],
    policy: Policy,
) -> tuple[int, ...]:
    """+1, -1 or 0 for every class: K values in money, target weights and distances to band edges."""
    base = math.fsum(values)
    if base <= HALF_CENT:
        return (0,) * len(values)
    result = []
    edge = TOLERANCE if policy.beyond else -TOLERANCE
    for k, value in enumerate(values):
        d = value / base - target[k]
        if abs(d) <= TOLERANCE:
            result.append(0)
        elif d > 0:
            result.append(1 if d >= up[k] + edge else 0)
        else:
            result.append(-1 if -d >= down[k] + edge else 0)
    return tuple(result)
