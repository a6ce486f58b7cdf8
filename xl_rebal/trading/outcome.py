"""What a plan amounts to: trades with reasons, classes before and after, what was not done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xl_rebal.bands import status_word
from xl_rebal.trading import explain
from xl_rebal.trading.cash import deposit_to_restore
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.plan import Action, ClassResult, Plan, Trade
from xl_rebal.trading.planner import Draft
from xl_rebal.trading.problem import (
    HALF_CENT,
    Line,
    Problem,
    applied,
    trade_cost,
    trade_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the plan was made for, in words and numbers, to be printed with it."""

    triggered: bool
    why: str
    mode: Mode
    cash_before: float
    flow: float
    reserve: float


def plan_of(problem: Problem, drafted: Draft, asked: Asked) -> Plan:
    """The plan that a draft amounts to, with reasons and causes."""
    by_symbol = {line.symbol: line for line in problem.lines}
    after = applied(problem, drafted.quantities)
    trades = tuple(
        _trade(problem, by_symbol[symbol], signed, asked, after)
        for symbol, signed in sorted(
            drafted.quantities.items(),
            key=lambda item: (item[1] > 0, by_symbol[item[0]].klass, item[0]),
        )
    )
    cost = math.fsum(trade.cost for trade in trades)
    # Selling a money fund turns cash into cash: no turnover.
    turnover = math.fsum(t.value for t in trades if not by_symbol[t.symbol].money_fund) / 2
    base = problem.base
    return Plan(
        account=problem.account,
        triggered=asked.triggered,
        why=asked.why,
        trades=trades,
        classes=_class_results(problem, after, drafted, asked),
        base_before=base,
        base_after=after.base,
        cash_before=asked.cash_before,
        flow=asked.flow,
        reserve=asked.reserve,
        cash_after=_to_cent(
            asked.cash_before + asked.flow + math.fsum(trade.cash_effect for trade in trades),
            trades,
        ),
        total_cost=round(cost, 2),
        turnover=turnover / base if base > HALF_CENT else 0.0,
        deposit_to_restore=deposit_to_restore(problem.value, problem.target, problem.cash_index),
        notes=(*drafted.dropped, *explain.plan_notes(problem, drafted.notes)),
    )


def _to_cent(cash: float, trades: Sequence[Trade]) -> float:
    # Trades are whole cents, so the sum differs from a whole cent only by what the file's own
    # cash does; dust in the last binary digits is taken off.
    return float(f"{cash:.12g}") if trades else cash


def _trade(problem: Problem, line: Line, signed: float, asked: Asked, after: Problem) -> Trade:
    quantity = abs(signed)
    commission, _, impact = line.cost(quantity)
    return Trade(
        account=problem.account,
        symbol=line.symbol,
        asset_class=problem.classes[line.klass],
        action=Action.BUY if signed > 0 else Action.SELL,
        quantity=quantity,
        price=line.price,
        unit_value=line.unit_value,
        value=trade_value(line, quantity),
        cost=trade_cost(line, quantity),
        half_spread=line.costs.half_spread,
        commission=commission,
        impact=impact,
        reason=explain.reason(problem, line, signed, asked.mode, asked.flow),
    )


def _class_results(
    problem: Problem, after: Problem, drafted: Draft, asked: Asked
) -> tuple[ClassResult, ...]:
    result = []
    base, base_after = problem.base, after.base
    for k, name in enumerate(problem.classes):
        before_weight = problem.value[k] / base if base > HALF_CENT else 0.0
        after_weight = after.value[k] / base_after if base_after > HALF_CENT else 0.0
        target = problem.target[k]
        drift = before_weight - target if base > HALF_CENT else 0.0
        drift_after = after_weight - target if base_after > HALF_CENT else 0.0
        banded = math.isfinite(problem.down[k])
        result.append(
            ClassResult(
                asset_class=name,
                target=target,
                lower=max(target - problem.down[k], 0.0) if banded else None,
                upper=min(target + problem.up[k], 1.0) if math.isfinite(problem.up[k]) else None,
                value_before=problem.value[k],
                weight_before=before_weight,
                drift_before=drift,
                status_before=status_word(problem.breach[k]),
                value_after=after.value[k],
                weight_after=after_weight,
                drift_after=drift_after,
                status_after=status_word(after.breach[k]),
                cause=explain.cause(
                    problem,
                    k,
                    drift_after,
                    drafted.notes.get(k, ""),
                    triggered=asked.triggered,
                    mode=asked.mode,
                ),
            )
        )
    return tuple(result)
