"""The household as a linear program in dollars: one objective, one pattern of columns and rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.tax_pieces import Case, TaxPieces
from xl_rebal.optimiser.linear import INFINITE, LinearProgram

Columns = NDArray[np.int64]
LESS_GAIN = 1e-4  # dollars per dollar of gain: of two plans that are taxed alike, the one that realises less
_LEAST = 1.0  # dollars
CHURN = 1e-6  # dollars per dollar traded: of two plans that are worth the same, the one that trades less


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxColumns:
    """Columns of one return: pieces of net short and long gain, NIIT, collectibles, losses.

    income pieces of the ordinary income that withdrawals are; empty where none is asked for.
    moved  short-term loss (negative) or long-term loss (positive) set against the other kind.
    short_row, long_row, coin_row  rows whose duals are what a dollar of gain of the kind costs (-1: none).
    """

    pieces: TaxPieces
    short: Columns
    long: Columns
    over: int
    at_28: int
    deducted: int
    kept: int
    lapsed: int
    moved: int
    income: Columns
    short_row: int
    long_row: int
    coin_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The program with the places of its columns and rows.

    sell     (n,) dollars sold of each lot.
    buy      (P,) dollars bought of each pair.
    raised   (A,) dollars taken out for the cash need; -1 where none may be.
    fees     (A,) dollars of costs that do not grow with the size of an order; 0 in fractions of shares.
    strays   for each class the columns of what is beyond its band, or further out of it than it is.
    budgets  (words, row) of each budget.
    ordered  lots that are sold one after the other.
    """

    problem: HouseholdProblem
    program: LinearProgram
    sell: Columns
    buy: Columns
    raised: Columns
    fees: Columns
    strays: tuple[tuple[int, ...], ...]
    taxes: tuple[TaxColumns, ...]
    cash_rows: Columns
    budgets: tuple[tuple[str, int], ...]
    ordered: tuple[Columns, ...]


def model_of(problem: HouseholdProblem, *, ticket: float | None = None) -> Model:
    """The linear program of a problem.

    ticket  money for each order, where it is not the request's; spread over the most that an order can be,
            so that it is never more than what orders will cost.
    """
    program = LinearProgram()
    sell, buy = _trades(
        problem, program, problem.request.prices.ticket if ticket is None else ticket
    )
    raised = _raised(problem, program)
    count = len(problem.accounts)
    fees = program.columns(np.ones(count), np.full(count, INFINITE))
    beyond, strays = _beyond(problem, program)
    made = [_tax_columns(problem, program, r) for r in range(len(problem.returns))]
    width = len(program.cost)
    cash_rows = _cash(problem, program, width, sell, buy, raised, fees)
    _classes(problem, program, width, sell, buy, np.append(raised[raised >= 0], fees), beyond)
    taxes = [_tax_rows(problem, program, width, sell, r, t) for r, t in enumerate(made)]
    _income_rows(problem, program, width, raised, taxes)
    budgets = _budgets(problem, program, width, sell, buy, raised)
    ordered = tuple(_ordered(problem))
    _orders(problem, program, sell, ordered)
    return Model(
        problem=problem,
        program=program,
        sell=sell,
        buy=buy,
        raised=raised,
        fees=fees,
        strays=strays,
        taxes=tuple(taxes),
        cash_rows=cash_rows,
        budgets=budgets,
        ordered=ordered,
    )


def _trades(
    problem: HouseholdProblem, program: LinearProgram, ticket: float
) -> tuple[Columns, Columns]:
    lot, pair = problem.lot, problem.pair
    of, value, rate = lot.pair, problem.lot_value, lot.gain_rate
    able = pair.can_sell[of] & (lot.may_lose | (rate >= 0)) & ~lot.barred
    dear = pair.cost_rate + CHURN - pair.location - 0.1 * pair.rank
    dear = np.where(pair.money_fund[of], CHURN, dear[of] + LESS_GAIN * np.maximum(rate, 0.0))
    upper, lower = np.where(able, value, 0.0), np.where(pair.must_sell[of], value, 0.0)
    cost = pair.cost_rate + CHURN + pair.location + pair.rank
    if ticket:
        most_sold = np.bincount(of, weights=upper, minlength=len(problem.pairs))
        dear = dear + ticket / np.maximum(most_sold, _LEAST)[of]
        cost = cost + ticket / np.maximum(_most_bought(problem, upper), _LEAST)[pair.account]
    sell = program.columns(dear, upper, lower)
    return sell, program.columns(cost, np.where(pair.can_buy, INFINITE, 0.0))


def _most_bought(problem: HouseholdProblem, upper: Vector) -> Vector:
    """(A,) all that an account could spend: its cash and what it may sell."""
    account = problem.pair.account[problem.lot.pair]
    sold = np.bincount(account, weights=upper, minlength=len(problem.accounts))
    return np.asarray(np.maximum(problem.spendable_of, 0.0) + sold)


def _raised(problem: HouseholdProblem, program: LinearProgram) -> Columns:
    """Money taken out of each account for what is asked of all: what must be distributed comes first."""
    result, request = np.full(len(problem.accounts), -1), problem.request
    rmd = min(sum(request.rmd.values()), request.withdrawal)
    enough = request.rmd and rmd >= request.withdrawal
    for a, account in enumerate(problem.accounts):
        if not problem.may_raise(a):
            continue
        due = request.rmd.get(account.account, 0.0)
        most = due if enough else INFINITE
        least = 0.0 if enough else due
        result[a] = program.column(problem.draw_price(a), lower=least, upper=most)
    return result


def proceeds(problem: HouseholdProblem) -> tuple[Vector, Vector]:
    """Cash that a dollar sold of each lot brings (n,), and that a dollar bought of each pair takes (P,)."""
    pair, of = problem.pair, problem.lot.pair
    got = np.where(pair.money_fund, 1.0, 1.0 - pair.cost_rate)
    return got[of], 1.0 + pair.cost_rate


def _cash(
    problem: HouseholdProblem,
    program: LinearProgram,
    width: int,
    sell: Columns,
    buy: Columns,
    raised: Columns,
    fees: Columns,
) -> Columns:
    """What an account buys is paid from its own cash and sales, after costs."""
    got, paid = proceeds(problem)
    account = problem.pair.account
    weights = np.zeros((len(problem.accounts), width))
    weights[account[problem.lot.pair], sell] = got
    weights[account, buy] = -paid
    weights[np.arange(len(fees)), fees] = -1.0
    able = np.flatnonzero(raised >= 0)
    weights[able, raised[able]] = -1.0
    away = np.array([each.held_away for each in problem.accounts], dtype=np.bool_)
    frozen = away & (problem.flow == 0)
    lower = np.where(frozen, -INFINITE, -problem.spendable_of)
    return program.rows(weights, lower, np.full(len(lower), INFINITE))


def _beyond(
    problem: HouseholdProblem, program: LinearProgram
) -> tuple[list[list[tuple[int, float]]], tuple[tuple[int, ...], ...]]:
    """Columns of each class for its money beyond its aims, with their signs; those beyond its band."""
    prices, aims = problem.request.prices, problem.aims
    found, strays = [], []
    for k in range(len(problem.classes)):
        low, high = float(aims.inner_low[k]), float(aims.inner_high[k])
        edges = (
            (1.0, low - float(aims.outer_low[k]), low - float(aims.cap_low[k])),
            (-1.0, float(aims.outer_high[k]) - high, float(aims.cap_high[k]) - high),
        )
        mine: list[tuple[int, float]] = []
        stray = []
        for sign, near, most in edges:
            mine.append((program.column(prices.drift, upper=max(0.0, near)), sign))
            if math.isfinite(near):
                dear = max(prices.breach, prices.drift)
                stray.append(program.column(dear, upper=max(0.0, most - near)))
                mine.append((stray[-1], sign))
        found.append(mine)
        strays.append(tuple(stray))
    return found, tuple(strays)


def _classes(
    problem: HouseholdProblem,
    program: LinearProgram,
    width: int,
    sell: Columns,
    buy: Columns,
    out: Columns,
    beyond: list[list[tuple[int, float]]],
) -> None:
    """A class's value between its aims, with columns for what is beyond them on either side."""
    got, paid = proceeds(problem)
    klass, cash = problem.pair.klass, problem.cash_index
    weights = np.zeros((len(problem.classes), width))
    weights[cash, sell], weights[cash, buy], weights[cash, out] = got, -paid, -1.0
    weights[klass[problem.lot.pair], sell] -= 1.0
    weights[klass, buy] += 1.0
    for k, columns in enumerate(beyond):
        for column, sign in columns:
            weights[k, column] = sign
    aims = problem.aims
    program.rows(weights, aims.inner_low - problem.value, aims.inner_high - problem.value)


def _tax_columns(problem: HouseholdProblem, program: LinearProgram, r: int) -> TaxColumns:
    pieces = problem.returns[r].pieces
    return TaxColumns(
        pieces=pieces,
        short=program.columns(*zip(*pieces.short, strict=True)),
        long=program.columns(*zip(*pieces.long, strict=True)),
        over=program.column(pieces.over),
        at_28=program.column(pieces.at_28),
        deducted=program.column(-pieces.deducted, upper=pieces.limit),
        kept=program.column(-pieces.carried, upper=pieces.kept),
        lapsed=program.column(),
        moved=program.column(lower=-INFINITE),
        income=program.columns(*zip(*pieces.income, strict=True))
        if problem.request.withdrawal
        else np.zeros(0, dtype=np.int64),
        short_row=-1,
        long_row=-1,
        coin_row=-1,
    )


def _tax_rows(
    problem: HouseholdProblem,
    program: LinearProgram,
    width: int,
    sell: Columns,
    r: int,
    columns: TaxColumns,
) -> TaxColumns:
    """Rows of what is gained, short and long; of what the net investment tax and the 28% rate take."""
    each, lot = problem.returns[r], problem.lot
    mine = problem.return_of_lot == r
    short, coins = np.where(mine, lot.short, 0.0), np.where(mine, lot.collectible, 0.0)
    weights = np.zeros((2, width))
    weights[0, sell], weights[0, columns.short], weights[0, columns.moved] = -short, 1.0, 1.0
    weights[1, sell] = -np.where(mine, lot.long, 0.0) - coins
    weights[1, columns.long] = 1.0
    weights[1, [columns.deducted, columns.kept, columns.lapsed, columns.moved]] = -1.0
    start = [each.start_short, each.start_long]
    short_row, long_row = program.rows(weights, start, start).tolist()
    if columns.pieces.over and math.isfinite(columns.pieces.room):
        gains = [*columns.short.tolist(), *columns.long.tolist()]
        weight = [1.0, *[-1.0] * len(gains)]
        program.row([columns.over, *gains], weight, lower=-columns.pieces.room)
    coin_row = -1
    if coins.any():
        # 28% gain worksheet: collectibles less short losses set against them and long losses carried in,
        # and no more than the net gain: other long losses lower them, where no other long gain takes them.
        lost = np.where(mine, np.minimum(lot.long, 0.0), 0.0)
        weights = np.zeros((1, width))
        weights[0, sell] = -coins - lost
        weights[0, columns.at_28], weights[0, columns.moved] = 1.0, -1.0
        start_28 = min(0.0, each.profile.ytd_long) - each.profile.carry_long
        coin_row = int(program.rows(weights, [start_28], [INFINITE])[0])
    return replace(columns, short_row=short_row, long_row=long_row, coin_row=coin_row)


def case_bounds(columns: TaxColumns, case: Case) -> list[tuple[int, float, float]]:
    """(column, lower, upper) of every tax column of a return in one case."""
    pieces = columns.pieces
    net_short = case in (Case.GAINS, Case.LONG_LOSS)
    net_long = case in (Case.GAINS, Case.SHORT_LOSS)
    loss = case is Case.NET_LOSS
    result = [
        (c, 0.0, width if net_short else 0.0)
        for c, (_, width) in zip(columns.short.tolist(), pieces.short, strict=True)
    ]
    result += [
        (c, 0.0, width if net_long else 0.0)
        for c, (_, width) in zip(columns.long.tolist(), pieces.long, strict=True)
    ]
    result.append((columns.deducted, 0.0, pieces.limit if loss else 0.0))
    result.append((columns.kept, 0.0, pieces.kept if loss else 0.0))
    result.append((columns.lapsed, 0.0, INFINITE if loss else 0.0))
    low = -INFINITE if loss or case is Case.SHORT_LOSS else 0.0
    high = INFINITE if loss or case is Case.LONG_LOSS else 0.0
    result.append((columns.moved, low, high))
    return result


def _income_rows(
    problem: HouseholdProblem,
    program: LinearProgram,
    width: int,
    raised: Columns,
    taxes: list[TaxColumns],
) -> None:
    """What traditional accounts pay out is ordinary income of their returns."""
    for r, columns in enumerate(taxes):
        drawn = [a for a, place in enumerate(problem.income_of) if place == r and raised[a] >= 0]
        if len(columns.income):
            weights = np.zeros((1, width))
            weights[0, columns.income], weights[0, raised[drawn]] = 1.0, -1.0
            program.rows(weights, [0.0], [0.0])


def _budgets(
    problem: HouseholdProblem,
    program: LinearProgram,
    width: int,
    sell: Columns,
    buy: Columns,
    raised: Columns,
) -> tuple[tuple[str, int], ...]:
    request, rate = problem.request, problem.lot.gain_rate
    found = []

    def limit(words: str, columns: Columns, weight: Vector, low: float, high: float) -> None:
        weights = np.zeros((1, width))
        weights[0, columns] = weight
        found.append((words, int(program.rows(weights, [low], [high])[0])))

    if request.to_raise:
        need, able = request.to_raise, raised[raised >= 0]
        words = f"{need:,.2f} of cash is raised from taxable accounts"
        if request.withdrawal:
            words = f"{need:,.2f} is withdrawn from taxable, traditional and Roth accounts"
        limit(words, able, np.ones(len(able)), need, need)
    if request.gains_budget is not None:
        words = f"the plan realises no more than {request.gains_budget:,.2f} of net gain"
        limit(words, sell, rate, -INFINITE, request.gains_budget)
    if request.harvest:
        words = f"losses of {request.harvest:,.2f} are realised"
        limit(words, sell, np.maximum(-rate, 0.0), request.harvest, INFINITE)
    if request.limits.max_turnover is not None:
        most = request.limits.max_turnover * problem.base
        words = f"turnover is at most {request.limits.max_turnover * 100:g}%"
        sold = np.where(problem.pair.money_fund[problem.lot.pair], 0.0, 0.5)
        half = np.append(sold, np.full(len(buy), 0.5))
        limit(words, np.append(sell, buy), half, -INFINITE, most)
    return tuple(found)


def _orders(
    problem: HouseholdProblem,
    program: LinearProgram,
    sell: Columns,
    ordered: tuple[Columns, ...],
) -> None:
    """Of lots that are sold one after the other a later one is sold to no larger part than an earlier: the
    convex hull of all that may be; what of it may not is left to branching.
    """
    if ordered:
        first = np.concatenate([order[:-1] for order in ordered])
        then = np.concatenate([order[1:] for order in ordered])
        value = problem.lot_value
        weights = np.column_stack([-np.ones(len(first)), value[first] / value[then]])
        program.rows_of(np.column_stack([sell[first], sell[then]]), weights, 0.0)


def _ordered(problem: HouseholdProblem) -> list[Columns]:
    """Lots that are sold in order: by pair first in, first out where an account takes no instructions, and
    elsewhere units that are replaced before those whose loss counts.
    """
    silent = [a for a in range(len(problem.accounts)) if problem.sends_no_lots(a)]
    result = []
    for p in np.flatnonzero(np.isin(problem.pair.account, silent)).tolist():
        lots = np.arange(problem.starts[p], problem.starts[p + 1])
        if len(lots) > 1:
            result.append(lots[np.argsort(problem.lot.acquired[lots], kind="stable")])
    chain = problem.lot.chain
    if (chain >= 0).any():
        named = np.where(np.isin(problem.pair.account[problem.lot.pair], silent), -1, chain)
        result += [np.flatnonzero(named == c) for c in np.unique(named[named >= 0]).tolist()]
    return result
