"""What a plan must respect, in words, and how it is taken away to see what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from xl_rebal.household.model import Model
from xl_rebal.optimiser.linear import INFINITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Something that a plan must respect, as it can be taken away to see what it costs.

    rows           numbers of its rows, made free when it is taken away.
    cash           True for the cash of an account, of which a little more is priced, not all of it.
    lower, upper   (column, bound without it).
    """

    words: str
    rows: tuple[int, ...] = ()
    lower: tuple[tuple[int, float], ...] = ()
    upper: tuple[tuple[int, float], ...] = ()
    cash: bool = False


def limits_of(model: Model) -> tuple[Limit, ...]:
    """Every limit of a household: trades, cash, bands, budgets."""
    problem = model.problem
    result = _of_trades(model)
    for a, account in enumerate(problem.accounts):
        money = f"{problem.spendable(a):,.2f} after flow and reserve"
        row = int(model.cash_rows[a])
        result.append(
            Limit(words=f"cash of account {account.account} ({money})", rows=(row,), cash=True)
        )
    for name, strays in zip(problem.classes, model.strays, strict=True):
        words = f"{name} does not leave its band, nor go further out of it"
        result.append(Limit(words=words, upper=tuple((column, INFINITE) for column in strays)))
    result += [Limit(words=words, rows=(row,)) for words, row in model.budgets]
    return tuple(result)


def _of_trades(model: Model) -> list[Limit]:
    """The limits that are bounds of columns: what must or must not be sold or bought."""
    problem, result = model.problem, []
    value = problem.lot_value
    losing = problem.lot.gain_rate < 0
    for p, pair in enumerate(problem.pairs):
        line, name = pair.line, problem.accounts[pair.account].account
        lots = problem.lots_of(p)
        if line.must_sell:
            free = tuple((int(model.sell[j]), 0.0) for j in lots)
            result.append(Limit(words=f"{line.symbol} must not be held in {name}", lower=free))
        elif lots and not line.can_sell:
            rest = tuple((int(model.sell[j]), float(value[j])) for j in lots)
            words = f"{line.symbol} is not sold in {name}: {line.blocked}"
            result.append(Limit(words=words, upper=rest))
        washed = [j for j in lots if losing[j] and not problem.lot.may_lose[j]]
        if washed and line.can_sell:
            rest = tuple((int(model.sell[j]), float(value[j])) for j in washed)
            words = f"no loss of {line.symbol} is realised in {name}: bought within 30 days before"
            result.append(Limit(words=words, upper=rest))
        if pair.no_buy and line.can_buy | ("never" in pair.no_buy) and not line.money_fund:
            words = f"{line.symbol} is not bought in {name}: {pair.no_buy}"
            result.append(Limit(words=words, upper=((int(model.buy[p]), INFINITE),)))
    return result
