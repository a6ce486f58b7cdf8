"""Whole shares: from money per class to quantities per security, in the order of a good plan.

The order (after the constraints, and every traded class within one step of its destination):
fewest trades; securities sold against their rank; least sum of |distance from the wanted values|, cash
counted; lowest cost; then the largest position, then the symbol. Every combination of what the classes
may do is looked at, in bulk, while they are not too many; then those that cannot be better than the best
of the usual ones are left out on the way (branch and bound).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xl_rebal.trading.combinations import Best, Combinations, Items
from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.offers import Choices, Offer
from xl_rebal.trading.options import DUST, Option, exact
from xl_rebal.trading.problem import (
    CENT,
    HALF_CENT,
    Line,
    Problem,
    Quantities,
    cash_effect,
    class_step,
    early_shortage,
    trade_value,
    worth_trading,
)

COUNTED = 1 << 11  # combinations looked at without leaving any out
COMBINATIONS = 1 << 14  # the same where leaving out on the way fails
WIDTH, ROWS = 1 << 6, 1 << 14  # kept at once on the way, to begin with and for certain


@dataclass(frozen=True, slots=True)
class Excess:
    """No rounding of the aims fits: how much money is missing at least, and how far over the cap.

    cash      money by which the best rounding overdraws; 0 when the turnover cap is what binds.
    turnover  least turnover of any rounding in money.
    """

    cash: float
    turnover: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """Quantities for the aims.

    proven  True when no others are better in the order of a good plan.
    short   True when ways with more trades than the fewest of each class were left out.
    """

    quantities: Quantities
    proven: bool
    short: bool


def size(problem: Problem, found: Aims, offered: Choices) -> Sized | Excess:
    """The best quantities for the aims, or what is in the way of any."""
    items = sorted(offered.items(), key=lambda item: -_spread(item[1].options))
    every = _fewest(problem, [(k, offer.options) for k, offer in items])
    short = every is not None
    if every is None:
        items = [(k, offer.complete) for k, offer in items]
        every = [(k, offer.options) for k, offer in items]
    table = Combinations(problem, found, every)
    if table.missing > 0 and not problem.early:
        return Excess(table.missing, table.least_turnover)
    best, looked_at_all = _best(table)
    if not looked_at_all:
        few = Combinations(problem, found, _few(_usual(every, items)))
        other = few.all_best()
        if best is None and other is None:
            return Excess(few.shortage(), few.least_turnover)
        if other is not None and (best is None or other.better_than(best)):
            better = table.search(other, ROWS)
            looked_at_all, best = better is not None, better or other
    if best is None:
        return Excess(table.shortage(), table.least_turnover)
    result: Quantities = {
        line.symbol: n for _, option in best.options for line, n in option.trades if n
    }
    cash = math.fsum(option.cash for _, option in best.options)
    early = early_shortage(problem, result)
    result = _with_money_funds(problem, result, min(cash, -problem.cash - early) if early else cash)
    if over := _over_the_cap(problem, result):
        return Excess(0.0, over)
    beyond = _trades_beyond([offer for _, offer in items])
    proven = looked_at_all and len(result) < beyond and _inside(problem, found, best)
    return Sized(quantities=result, proven=proven, short=short)


def _inside(problem: Problem, found: Aims, best: Best) -> bool:
    """True where every class ends within a step of its aim: else others may end nearer to theirs."""
    return all(
        abs(option.moved - found.delta[k]) < max(class_step(problem, k) * (1 + DUST), CENT)
        for k, option in best.options
    )


def _best(table: Combinations) -> tuple[Best | None, bool]:
    """The best of all combinations, None where none is in bounds; and whether all were looked at."""
    if table.count <= COUNTED:
        return table.all_best(), True
    some = table.some_best(WIDTH)
    if some is None:
        # Nothing in bounds, or hard to find: count while that can be done.
        return (table.all_best(), True) if table.count <= COMBINATIONS else (None, False)
    best = table.search(some, ROWS)
    return best or some, best is not None


def _fewest(problem: Problem, items: Items) -> Items | None:
    """The options with the fewest trades of each class, and of these the ones that go least against
    the ranks where they do as well: together they can be paid for, so no combination with another
    option is better. None where they cannot.
    """
    result: Items | None = None
    for key in (_trades_of, _against_of):
        least = [(k, _least(options, key)) for k, options in result or items]
        if not _in_bounds(problem, [max(options, key=_cash_of) for _, options in least]):
            break
        result = least
    return result


def _usual(every: Items, items: Sequence[tuple[int, Offer]]) -> Items:
    """Those of the options that are usual ones."""
    result = []
    for (k, options), (_, offer) in zip(every, items, strict=True):
        usual = set(map(id, offer.options[: offer.usual]))
        result.append((k, [o for o in options if id(o) in usual] or options))
    return result


def _least(options: list[Option], key: Callable[[Option], float]) -> list[Option]:
    keys = [key(option) for option in options]
    least = min(keys)
    return [option for option, each in zip(options, keys, strict=True) if each == least]


def _trades_of(option: Option) -> float:
    return len(option.trades)


def _against_of(option: Option) -> float:
    return option.against


def _cash_of(option: Option) -> float:
    return option.cash


def _in_bounds(problem: Problem, options: Sequence[Option]) -> bool:
    """True where these options together are paid for, without a money fund, and within the cap."""
    if problem.cash + math.fsum(option.cash for option in options) < -HALF_CENT:
        return False
    for due in problem.early:
        if due.cash + math.fsum(option.cash_by(due.settles) for option in options) < -HALF_CENT:
            return False
    if problem.max_turnover is None:
        return True
    turnover = math.fsum(option.turnover for option in options)
    return turnover <= problem.max_turnover * problem.base + HALF_CENT


def _trades_beyond(offers: Sequence[Offer]) -> float:
    """The fewest trades of any plan in which a class does what is not on offer."""
    least = sum(offer.least for offer in offers)
    return least + min((offer.beyond - offer.least for offer in offers), default=math.inf)


def below_minimum(problem: Problem, found: Aims, offered: Choices) -> list[int]:
    """Classes that ought to trade and cannot, because every trade would be below its minimum size."""
    return [
        k
        for k, offer in offered.items()
        if abs(found.delta[k]) >= max(class_step(problem, k), CENT)
        and all(not option.trades for option in offer.options)
    ]


def _few(items: Items) -> Items:
    """The same, with the classes of the smallest steps fixed beforehand to bound the work.

    They take the choice that leaves most cash, which is always feasible and moves the result least.
    """
    result = list(items)
    for place in range(len(result) - 1, -1, -1):
        if math.prod(len(options) for _, options in result) <= COMBINATIONS:
            break
        k, options = result[place]
        result[place] = (k, [max(options, key=lambda o: (-len(o.trades), o.cash))])
    return result


def _spread(options: Sequence[Option]) -> float:
    moved = [option.moved for option in options]
    return max(moved) - min(moved)


def _over_the_cap(problem: Problem, quantities: Quantities) -> float:
    """Turnover in money where what is sold for cash (short-term bonds, say) takes it over the cap; else 0."""
    if problem.max_turnover is None:
        return 0.0
    moved = math.fsum(
        trade_value(line, abs(quantities[line.symbol]))
        for line in problem.lines
        if line.symbol in quantities and not line.money_fund
    )
    return moved / 2 if moved / 2 > problem.max_turnover * problem.base + CENT / 2 else 0.0


def _with_money_funds(problem: Problem, result: Quantities, moved: float) -> Quantities:
    """Sell as much of the account's money funds as settled cash falls short by."""
    short = -(problem.cash + moved)
    for line in sorted(problem.lines_of(problem.cash_index), key=lambda ln: (-ln.value, ln.symbol)):
        if short < CENT / 2 or not line.can_sell or not worth_trading(line, -line.quantity):
            continue
        quantity = _raising(line, short)
        result[line.symbol] = -quantity
        short -= cash_effect(line, -quantity)
    return result


def _raising(line: Line, short: float) -> float:
    """Units of a cash holding whose sale brings `short` after costs, or all that is held."""
    wanted = max(short, line.minimum)
    for _ in range(4):
        quantity = exact(math.ceil(wanted / line.step_value - DUST), line.step)
        if quantity >= line.quantity:
            return line.quantity
        missing = short - cash_effect(line, -quantity)
        if missing <= 0:
            return quantity if worth_trading(line, -quantity) else line.quantity
        wanted += missing
    return line.quantity


def merge(first: Quantities, second: Quantities) -> Quantities:
    """One net trade per security."""
    result = dict(first)
    for symbol, quantity in second.items():
        result[symbol] = float(f"{result.get(symbol, 0.0) + quantity:.12g}")
    return {symbol: quantity for symbol, quantity in result.items() if quantity}
