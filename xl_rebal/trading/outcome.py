"""What a plan amounts to: trades with reasons, classes before and after, what was not done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xl_rebal.bands import status_word
from xl_rebal.trading import explain
from xl_rebal.trading.cash import deposit_to_restore
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.limits import OrderStyle
from xl_rebal.trading.orders import order_of
from xl_rebal.trading.plan import Action, CashDay, Cause, ClassResult, Plan, Trade
from xl_rebal.trading.planner import Draft
from xl_rebal.trading.problem import (
    HALF_CENT,
    Line,
    Problem,
    applied,
    trade_cost,
    trade_value,
)
from xl_rebal.trading.settlement import Settlement
from xl_rebal.trading.timeline import AccountCash, shortages, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the plan was made for, in words and numbers, to be printed with it.

    kept_back  money that stays in cash: the account's reserve and what is known to leave.
    """

    triggered: bool
    why: str
    mode: Mode
    cash: AccountCash
    kept_back: float
    settlement: Settlement
    orders: OrderStyle

    @property
    def flow(self) -> float:
        """Contribution (+) or withdrawal (-) of the trade date."""
        return self.cash.flow


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
    effects = [
        (
            by_symbol[t.symbol].settles,
            *((0.0, t.value) if t.action is Action.BUY else (t.value, 0.0)),
            t.cost,
        )
        for t in trades
    ]
    days = timeline(asked.cash, effects, asked.settlement)
    cash_before = asked.cash.total
    return Plan(
        account=problem.account,
        triggered=asked.triggered,
        why=asked.why,
        trades=trades,
        classes=_class_results(problem, after, drafted, asked),
        base_before=base,
        base_after=after.base,
        cash_before=cash_before,
        flow=asked.flow,
        reserve=asked.kept_back,
        cash_after=_to_cent(
            cash_before + asked.flow + math.fsum(trade.cash_effect for trade in trades),
            trades,
        ),
        total_cost=round(cost, 2),
        turnover=turnover / base if base > HALF_CENT else 0.0,
        deposit_to_restore=deposit_to_restore(problem.value, problem.target, problem.cash_index),
        notes=(
            *drafted.dropped,
            *explain.plan_notes(problem, drafted.notes),
            *_undelivered(problem),
        ),
        remarks=(*_terms(by_symbol, trades), *_cash_remarks(problem, asked, days, trades)),
        leaving=math.fsum(asked.cash.leaving.values()),
        cash_days=days,
    )


def _undelivered(problem: Problem) -> list[str]:
    """What must not be held and cannot be delivered yet."""
    return [
        f"{line.symbol} must not be held, and stays for now ({line.blocked})"
        for line in problem.lines
        if Cause.UNSETTLED in line.causes and Cause.RESTRICTION in line.causes and not line.can_sell
    ]


def _terms(by_symbol: Mapping[str, Line], trades: Sequence[Trade]) -> list[str]:
    """What a custodian asks of the fund orders that are made, or was assumed of them."""
    notes = []
    for trade in trades:
        line = by_symbol[trade.symbol]
        fee_matters = not line.fee or trade.action is Action.SELL
        for note in line.notes:
            if fee_matters or "redemption" not in note:
                notes.append(f"{trade.symbol}: {note}")
    return notes


def _cash_remarks(
    problem: Problem, asked: Asked, days: Sequence[CashDay], trades: Sequence[Trade]
) -> list[str]:
    """Days on which cash is short whatever is traded, and what limits would take if all were reached."""
    notes = shortages(asked.cash, days)
    worse = math.fsum(
        trade.quantity * trade.unit_value * abs(trade.limit_price / trade.price - 1)
        for trade in trades
        if trade.limit_price is not None
    )
    left = problem.cash + math.fsum(trade.cash_effect for trade in trades) - worse
    if worse and left < -HALF_CENT:
        notes.append(
            f"if every order is filled at its limit, cash is short by {-left:,.2f}: send the sales first"
        )
    return notes


def _to_cent(cash: float, trades: Sequence[Trade]) -> float:
    # Trades are whole cents, so the sum differs from a whole cent only by what the file's own
    # cash does; dust in the last binary digits is taken off.
    return float(f"{cash:.12g}") if trades else cash


def _trade(problem: Problem, line: Line, signed: float, asked: Asked, after: Problem) -> Trade:
    quantity = abs(signed)
    commission, _, impact = line.cost(quantity)
    order_type, limit, time_in_force = order_of(line, asked.orders, buy=signed > 0)
    return Trade(
        account=problem.account,
        symbol=line.symbol,
        asset_class=problem.classes[line.klass],
        action=Action.BUY if signed > 0 else Action.SELL,
        quantity=quantity,
        price=line.price,
        unit_value=line.unit_value,
        value=trade_value(line, quantity),
        cost=trade_cost(line, signed),
        half_spread=line.costs.half_spread,
        commission=commission,
        impact=impact,
        reason=explain.reason(problem, line, signed, asked.mode, asked.flow),
        redemption=line.redemption(signed),
        settles=asked.settlement.words(line.settles),
        order_type=order_type,
        limit_price=limit,
        time_in_force=time_in_force,
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
                    breach_after=after.breach[k],
                    triggered=asked.triggered,
                    mode=asked.mode,
                ),
            )
        )
    return tuple(result)
