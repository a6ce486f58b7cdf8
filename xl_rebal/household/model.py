"""The household as a linear program in dollars: one objective, one pattern of columns and rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.problem import HouseholdProblem
from xl_rebal.household.tax_pieces import Case, TaxPieces, pieces_of
from xl_rebal.optimiser.linear import INFINITE, LinearProgram

Columns = NDArray[np.int64]
LESS_GAIN = 1e-4  # dollars per dollar of gain: of two plans that are taxed alike, the one that realises less
CHURN = 1e-6  # dollars per dollar traded: of two plans that are worth the same, the one that trades less


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxColumns:
    """Columns of one return: pieces of net short and long gain, NIIT, collectibles, losses.

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
    short_row: int
    long_row: int
    coin_row: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The program with the places of its columns.

    sell   (n,) dollars sold of each lot.
    buy    (P,) dollars bought of each pair.
    raised (A,) dollars taken out for the cash need; -1 where none may be.
    fees   (A,) dollars of costs that do not grow with the size of an order; 0 in fractions of shares.
    """

    problem: HouseholdProblem
    program: LinearProgram
    sell: Columns
    buy: Columns
    raised: Columns
    fees: Columns
    taxes: tuple[TaxColumns, ...]
    cash_rows: tuple[int, ...]
    limits: tuple[Limit, ...]


def model_of(problem: HouseholdProblem) -> Model:
    """The linear program of a problem."""
    program = LinearProgram()
    sell, buy = _trades(problem, program)
    raised = _raised(problem, program)
    fees = program.columns([1.0] * len(problem.accounts), [INFINITE] * len(problem.accounts))
    out = np.concatenate([raised[raised >= 0], fees])
    limits = _bound_limits(problem, sell, buy)
    cash_rows = _cash(problem, program, sell, buy, raised, fees, limits)
    _classes(problem, program, sell, buy, out, limits)
    taxes = tuple(_tax(problem, program, sell, r) for r in range(len(problem.returns)))
    _budgets(problem, program, sell, buy, raised, limits)
    return Model(
        problem=problem,
        program=program,
        sell=sell,
        buy=buy,
        raised=raised,
        fees=fees,
        taxes=taxes,
        cash_rows=cash_rows,
        limits=tuple(limits),
    )


def _trades(problem: HouseholdProblem, program: LinearProgram) -> tuple[Columns, Columns]:
    cost, lower, upper = [], [], []
    for lot in problem.lots:
        pair = problem.pairs[lot.pair]
        value = lot.quantity * pair.line.unit_value
        able = pair.line.can_sell and (lot.may_lose or lot.gain_rate >= 0)
        upper.append(value if able else 0.0)
        lower.append(value if pair.line.must_sell else 0.0)
        if pair.line.money_fund:
            cost.append(CHURN)
        else:
            less = LESS_GAIN * max(lot.gain_rate, 0.0)
            cost.append(pair.cost_rate + CHURN + less - pair.location - 0.1 * pair.rank)
    sell = program.columns(cost, upper, lower)
    able_to = [0.0 if pair.no_buy else INFINITE for pair in problem.pairs]
    costs = [p.cost_rate + CHURN + p.location + p.rank for p in problem.pairs]
    return sell, program.columns(costs, able_to)


def _raised(problem: HouseholdProblem, program: LinearProgram) -> Columns:
    result = np.full(len(problem.accounts), -1)
    if problem.request.cash_need:
        for a, account in enumerate(problem.accounts):
            if problem.return_of[a] >= 0 and not account.held_away:
                result[a] = program.column()
    return result


def _bound_limits(problem: HouseholdProblem, sell: Columns, buy: Columns) -> list[Limit]:
    """The limits that are bounds of columns: what must or must not be sold or bought."""
    result = []
    for p, pair in enumerate(problem.pairs):
        line, name = pair.line, problem.accounts[pair.account].account
        lots = problem.lots_of(p)
        if line.must_sell:
            free = tuple((int(sell[j]), 0.0) for j in lots)
            result.append(Limit(words=f"{line.symbol} must not be held in {name}", lower=free))
        elif lots and not line.can_sell:
            rest = tuple((int(sell[j]), problem.lots[j].quantity * line.unit_value) for j in lots)
            result.append(
                Limit(words=f"{line.symbol} is not sold in {name}: {line.blocked}", upper=rest)
            )
        washed = [j for j in lots if problem.lots[j].gain_rate < 0 and not problem.lots[j].may_lose]
        if washed and line.can_sell:
            rest = tuple((int(sell[j]), problem.lots[j].quantity * line.unit_value) for j in washed)
            words = f"no loss of {line.symbol} is realised in {name}: bought within 30 days before"
            result.append(Limit(words=words, upper=rest))
        if pair.no_buy and line.can_buy | ("never" in pair.no_buy) and not line.money_fund:
            words = f"{line.symbol} is not bought in {name}: {pair.no_buy}"
            result.append(Limit(words=words, upper=((int(buy[p]), INFINITE),)))
    return result


def _cash(
    problem: HouseholdProblem,
    program: LinearProgram,
    sell: Columns,
    buy: Columns,
    raised: Columns,
    fees: Columns,
    limits: list[Limit],
) -> tuple[int, ...]:
    """What an account buys is paid from its own cash and sales, after costs."""
    rows = []
    for a, account in enumerate(problem.accounts):
        index, weight = [int(fees[a])], [-1.0]
        for j, lot in enumerate(problem.lots):
            pair = problem.pairs[lot.pair]
            if pair.account == a:
                index.append(int(sell[j]))
                weight.append(1.0 - (0.0 if pair.line.money_fund else pair.cost_rate))
        for p, pair in enumerate(problem.pairs):
            if pair.account == a:
                index.append(int(buy[p]))
                weight.append(-1.0 - pair.cost_rate)
        if raised[a] >= 0:
            index.append(int(raised[a]))
            weight.append(-1.0)
        frozen = account.held_away and not problem.flow[a]
        lower = -INFINITE if frozen else -problem.spendable(a)
        rows.append(program.row(index, weight, lower=lower))
        words = f"cash of account {account.account} ({problem.spendable(a):,.2f} after flow and reserve)"
        limits.append(Limit(words=words, rows=(rows[-1],), cash=True))
    return tuple(rows)


def _classes(
    problem: HouseholdProblem,
    program: LinearProgram,
    sell: Columns,
    buy: Columns,
    out: Columns,
    limits: list[Limit],
) -> None:
    """A class's value between its aims, with columns for what is beyond them on either side."""
    prices, aims = problem.request.prices, problem.aims
    terms: list[tuple[list[int], list[float]]] = [([], []) for _ in problem.classes]
    cash = problem.cash_index

    def add(k: int, column: int, weight: float) -> None:
        terms[k][0].append(column)
        terms[k][1].append(weight)

    for j, lot in enumerate(problem.lots):
        pair = problem.pairs[lot.pair]
        got = 1.0 - (0.0 if pair.line.money_fund else pair.cost_rate)
        if pair.line.klass != cash:
            add(pair.line.klass, int(sell[j]), -1.0)
            add(cash, int(sell[j]), got)
        elif got != 1.0:
            add(cash, int(sell[j]), got - 1.0)
    for p, pair in enumerate(problem.pairs):
        if pair.line.klass != cash:
            add(pair.line.klass, int(buy[p]), 1.0)
            add(cash, int(buy[p]), -1.0 - pair.cost_rate)
        elif pair.cost_rate:
            add(cash, int(buy[p]), -pair.cost_rate)
    for column in out.tolist():
        add(cash, column, -1.0)
    for k, (index, weight) in enumerate(terms):
        low, high = float(aims.inner_low[k]), float(aims.inner_high[k])
        edges = (
            (1.0, low - float(aims.outer_low[k]), low - float(aims.cap_low[k])),
            (-1.0, float(aims.outer_high[k]) - high, float(aims.cap_high[k]) - high),
        )
        free = []
        for sign, width, most in edges:
            index.append(program.column(prices.drift, upper=max(0.0, width)))
            weight.append(sign)
            if math.isfinite(width):
                index.append(
                    program.column(max(prices.breach, prices.drift), upper=max(0.0, most - width))
                )
                weight.append(sign)
                free.append((index[-1], INFINITE))
        words = f"{problem.classes[k]} does not leave its band, nor go further out of it"
        limits.append(Limit(words=words, upper=tuple(free)))
        now = float(problem.value[k])
        program.row(index, weight, lower=low - now, upper=high - now)


def _tax(problem: HouseholdProblem, program: LinearProgram, sell: Columns, r: int) -> TaxColumns:
    profile = problem.returns[r].profile
    pieces = pieces_of(profile, problem.request.harvest)
    short = program.columns(*zip(*pieces.short, strict=True))
    long = program.columns(*zip(*pieces.long, strict=True))
    over = program.column(pieces.over)
    at_28 = program.column(pieces.at_28)
    deducted = program.column(-pieces.deducted, upper=pieces.limit)
    kept = program.column(-pieces.carried, upper=pieces.kept)
    lapsed = program.column()
    moved = program.column(lower=-INFINITE)
    lots = [
        (int(sell[j]), lot)
        for j, lot in enumerate(problem.lots)
        if lot.gain_rate and problem.return_of[problem.pairs[lot.pair].account] == r
    ]
    start_short = profile.ytd_short - profile.carry_short
    start_long = profile.ytd_long - profile.carry_long
    short_row = program.row(
        [*short.tolist(), moved, *(c for c, lot in lots if lot.short)],
        [*[1.0] * len(short), 1.0, *(-lot.short for _, lot in lots if lot.short)],
        lower=start_short,
        upper=start_short,
    )
    mine = [(c, lot.long + lot.collectible) for c, lot in lots if lot.long or lot.collectible]
    long_row = program.row(
        [*long.tolist(), deducted, kept, lapsed, moved, *(c for c, _ in mine)],
        [*[1.0] * len(long), -1.0, -1.0, -1.0, -1.0, *(-rate for _, rate in mine)],
        lower=start_long,
        upper=start_long,
    )
    if pieces.over and math.isfinite(pieces.room):
        gains = [*short.tolist(), *long.tolist()]
        program.row([over, *gains], [1.0, *[-1.0] * len(gains)], lower=-pieces.room)
    coins = [(c, lot.collectible) for c, lot in lots if lot.collectible]
    coin_row = -1
    if coins:
        # 28% gain worksheet: collectibles less short losses set against them and long losses carried in.
        index = [at_28, moved, *(c for c, _ in coins)]
        coin_row = program.row(
            index, [1.0, -1.0, *(-w for _, w in coins)], lower=-profile.carry_long
        )
    return TaxColumns(
        pieces=pieces,
        short=short,
        long=long,
        over=over,
        at_28=at_28,
        deducted=deducted,
        kept=kept,
        lapsed=lapsed,
        moved=moved,
        short_row=short_row,
        long_row=long_row,
        coin_row=coin_row,
    )


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


def _budgets(
    problem: HouseholdProblem,
    program: LinearProgram,
    sell: Columns,
    buy: Columns,
    raised: Columns,
    limits: list[Limit],
) -> None:
    request = problem.request
    taxed = [(int(sell[j]), lot.gain_rate) for j, lot in enumerate(problem.lots) if lot.gain_rate]

    def limit(words: str, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        index, weight = [c for c, _ in terms], [w for _, w in terms]
        row = program.row(index, weight, lower=low, upper=high)
        limits.append(Limit(words=words, rows=(row,)))

    if request.cash_need:
        need = request.cash_need
        terms = [(c, 1.0) for c in raised[raised >= 0].tolist()]
        limit(f"{need:,.2f} of cash is raised from taxable accounts", terms, need, need)
    if request.gains_budget is not None:
        words = f"the plan realises no more than {request.gains_budget:,.2f} of net gain"
        limit(words, taxed, -INFINITE, request.gains_budget)
    if request.harvest:
        losses = [(c, -rate) for c, rate in taxed if rate < 0]
        limit(f"losses of {request.harvest:,.2f} are realised", losses, request.harvest, INFINITE)
    if request.limits.max_turnover is not None:
        most = request.limits.max_turnover * problem.base
        terms = [
            (int(sell[j]), 0.5)
            for j, lot in enumerate(problem.lots)
            if not problem.pairs[lot.pair].line.money_fund
        ]
        terms += [(c, 0.5) for c in buy.tolist()]
        limit(f"turnover is at most {request.limits.max_turnover * 100:g}%", terms, -INFINITE, most)
