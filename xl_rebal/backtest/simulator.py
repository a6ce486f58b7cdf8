"""The simulator: a policy on a market, from event to event.

Between two rebalancings the units held are constant, so the first day on which the rule fires is found
by a vectorised scan; where events crowd, a loop over the days takes over.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from xl_rebal.backtest.destinations import State, after_flow, rebalanced, to_target
from xl_rebal.backtest.float_loop import NOTHING, is_simple, moves, run_in_python, simple_rule
from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.rules import Rule, compile_rule, edges_of, scheduled
from xl_rebal.backtest.run import Run
from xl_rebal.backtest.settings import Settings
from xl_rebal.bands import Widths
from xl_rebal.errors import TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.policies import Calendar, Goal, Policy

_CROWDED = 24  # mean days between events below which the loop over days is faster
_ENOUGH = 8  # events after which the mean is trusted


@dataclass(slots=True)
class _Record:
    """What happened so far, an entry per event; and every change of the units held."""

    day: list[int] = field(default_factory=list)
    fired: list[int] = field(default_factory=list)
    before: list[Matrix] = field(default_factory=list)
    after: list[Matrix] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    units: list[Matrix] = field(default_factory=list)
    flow_cost: float = 0.0

    def hold(self, day: int, units: Matrix) -> None:
        """From the close of a day on these units are held."""
        self.start.append(day)
        self.units.append(units)


def simulate(market: Market, policy: Policy, settings: Settings | None = None) -> Run:
    """What a policy would have done and come to.

    The first day buys the targets (or holds what `settings.holdings` says) and is no rebalancing.
    """
    settings = Settings() if settings is None else settings
    record = _Record()
    units = _first_units(market, settings)
    record.hold(0, units)
    rules = _rules(market, policy, settings)
    if settings.plain and policy.destination.goal is Goal.TARGET and not policy.breached_only:
        _run_plain(market, rules[0][1], settings, record)
        flow = np.zeros(len(market.dates))
    else:
        flow = _flows(market, settings)
        _run_general(market, rules, settings, flow, record)
    return Run(
        market=market,
        policy=policy,
        settings=settings,
        rule=rules[0][1],
        rules=tuple(rules),
        day=np.array(record.day, dtype=np.int64),
        fired=np.array(record.fired, dtype=np.int64),
        before=_stack(record.before, market),
        after=_stack(record.after, market),
        cost=np.array(record.cost),
        start=np.array(record.start, dtype=np.int64),
        units=_stack(record.units, market),
        flow=flow,
        flow_cost=record.flow_cost,
    )


def _stack(rows: list[Matrix], market: Market) -> Matrix:
    return np.array(rows).reshape(len(rows), len(market.names))


def _first_units(market: Market, settings: Settings) -> Matrix:
    price = market.price[:, 0]
    if settings.holdings is None:
        bought = market.target * settings.start_value / price
        if settings.whole_shares:
            bought[:-1] = np.floor(bought[:-1] + 1e-9)
            bought[-1] = (settings.start_value - float(bought[:-1] @ price[:-1])) / price[-1]
        return bought
    units = np.zeros(len(market.names))
    names = {name.casefold(): k for k, name in enumerate(market.names)}
    for name, quantity in settings.holdings.items():
        k = len(names) - 1 if classes.is_cash(name) else names.get(name.casefold(), -1)
        if k < 0:
            raise TableError.of(
                where=f"holdings, {name}",
                what="is no class of the targets",
                remedy="give it a target; 0% sells it at the first rebalancing",
            )
        if not (np.isfinite(quantity) and quantity >= 0):
            raise TableError.of(
                where=f"holdings, {name}",
                what=f"a quantity of {quantity:g} is not possible",
                remedy="backtests are long-only; enter zero or more",
            )
        units[k] += quantity / market.price[-1, 0] if k == len(names) - 1 else quantity
    if not np.any(units > 0):
        raise TableError.of(
            where="holdings", what="hold nothing", remedy="enter a quantity, or leave them out"
        )
    return units


def _rules(market: Market, policy: Policy, settings: Settings) -> list[tuple[int, Rule]]:
    """The rule of every set of targets, with the day from which it holds."""
    rules = [(0, compile_rule(policy, market))]
    for date, targets in sorted(settings.changes, key=lambda change: change[0]):
        if set(targets.classes) - set(market.names):
            raise TableError.of(
                where=f"targets from {date}",
                what=f"they name {', '.join(sorted(set(targets.classes) - set(market.names)))}, "
                "which the first targets do not",
                remedy="give every class a weight from the start, 0% where there is none",
            )
        day = int(np.searchsorted(market.dates, np.datetime64(date)))
        if day < len(market.dates):
            rules.append((day, compile_rule(policy, market, targets)))
    return rules


def _flows(market: Market, settings: Settings) -> Matrix:
    """(T,) money that moves at the close of each day; nothing moves on the first."""
    flow = np.zeros(len(market.dates))
    for each in settings.flows:
        if isinstance(each.when, Calendar):
            flow[scheduled(market, each.when)] += each.amount
        elif isinstance(each.when, dt.date):
            day = int(np.searchsorted(market.dates, np.datetime64(each.when)))
            if day < len(flow):
                flow[day] += each.amount
    flow[0] = 0.0
    return flow


# -- nothing but a band or a calendar, back to target ---------------------------------------------


def _run_plain(market: Market, rule: Rule, settings: Settings, record: _Record) -> None:
    target, rate = rule.target.tolist(), settings.rate
    units, day, last = record.units[0], 0, len(market.dates) - 1
    last_event = 0
    simple = is_simple(rule.node)
    while day < last:
        events = len(record.day)
        if simple and events >= _ENOUGH and day < events * _CROWDED:
            _run_crowded(market, rule, settings, record, units, day + 1)
            return
        found = rule.first(market, units, day, last, last=last_event)
        if found is None:
            return
        price = market.price[:, found]
        before = (price * units).tolist()
        value, cost = to_target(before, target, rate)
        day = found
        if moves(before, value):
            after = np.array(value) / price
            _note(record, found, found, units, after, cost)
            units, last_event = after, found


def _run_crowded(
    market: Market, rule: Rule, settings: Settings, record: _Record, units: Matrix, begin: int
) -> None:
    simple = simple_rule(rule, len(market.dates))
    assert simple is not None  # is_simple said so
    days, before, after, cost = run_in_python(
        market.price, rule.target, simple, settings.rate, units, begin
    )
    record.day += days.tolist()
    record.fired += days.tolist()
    record.before += list(before)
    record.after += list(after)
    record.cost += cost.tolist()
    record.start += days.tolist()
    record.units += list(after)


def _note(
    record: _Record, day: int, fired: int, before: Matrix, after: Matrix, cost: float
) -> None:
    record.day.append(day)
    record.fired.append(fired)
    record.before.append(before)
    record.after.append(after)
    record.cost.append(cost)
    record.hold(day, after)


# -- flows, delays, whole shares, other destinations ----------------------------------------------


def _run_general(
    market: Market,
    rules: list[tuple[int, Rule]],
    settings: Settings,
    flow: Matrix,
    record: _Record,
) -> None:
    """From stop to stop: days of flows and of new targets, and days on which the rule fires."""
    end = len(market.dates) - 1
    stops = np.flatnonzero(flow).tolist() + [day for day, _ in rules[1:]]
    queue = sorted(set(stops), reverse=True)
    begins = [day for day, _ in rules]
    units, day, last = record.units[0], 0, 0
    free = settings.cooldown - 1  # no rule is asked on or before this day
    while day < end:
        stop = queue[-1] if queue else end + 1
        rule = rules[int(np.searchsorted(begins, day, side="right")) - 1][1]
        found = None
        if max(day, free) < min(stop - 1, end):
            found = rule.first(market, units, max(day, free), min(stop - 1, end), last=last)
        if found is None:
            if not queue:
                return
            day = queue.pop()
            rule = rules[int(np.searchsorted(begins, day, side="right")) - 1][1]
            if flow[day]:
                units = _with_flow(market, settings, rule, record, units, day, flow[day])
            if day <= free or not rule.at(market.price[:, day] * units, day, last):
                continue
            found = day
        trade = found + settings.delay
        if trade > end:
            return
        if trade > found and queue and queue[-1] == trade:
            queue.pop()
            if flow[trade]:
                units = _with_cash(market, record, units, trade, flow[trade])
        rule = rules[int(np.searchsorted(begins, trade, side="right")) - 1][1]
        after, cost = _traded(market, settings, rule, units, trade)
        if after is units:  # nothing that may be traded: no rebalancing
            day = trade
            continue
        _note(record, trade, found, units, after, cost)
        units, day, last = after, trade, trade
        free = trade + settings.cooldown - 1 if settings.cooldown else trade


def _state(market: Market, rule: Rule, units: Matrix, day: int) -> State:
    price = market.price[:, day]
    value = price * units
    edges = edges_of(
        Widths(down=rule.down, up=rule.up), rule.target, rule.policy.beyond, rule.policy.trigger
    )
    outside = edges.outside_at(value, float(np.add.reduce(value)))
    return State(
        value=value.tolist(),
        price=price.tolist(),
        target=rule.target.tolist(),
        down=rule.down.tolist(),
        up=rule.up.tolist(),
        breach=outside.tolist(),
    )


def _traded(
    market: Market, settings: Settings, rule: Rule, units: Matrix, day: int
) -> tuple[Matrix, float]:
    state = _state(market, rule, units, day)
    value, cost = rebalanced(state, rule.policy, settings)
    if not moves(state.value, value):
        return units, 0.0
    return _units_after(market, settings, state, units, value, day), cost


def _units_after(
    market: Market,
    settings: Settings,
    state: State,
    units: Matrix,
    value: list[float],
    day: int,
) -> Matrix:
    """Units from values; what did not trade keeps its units, and whole shares stay whole."""
    price = market.price[:, day]
    wanted = np.array(value) / price
    before = np.array(state.value)
    traded = np.abs(np.array(value) - before) > NOTHING * before.sum()
    traded[-1] = True  # cash takes what is left of every rounding
    if settings.whole_shares:
        whole = units + np.rint((np.array(value) - before) / price)
        whole[-1] = wanted[-1]
        wanted = np.where(np.array(value) > 0, whole, wanted)
    return np.where(traded, wanted, units)


def _with_cash(market: Market, record: _Record, units: Matrix, day: int, amount: float) -> Matrix:
    """The flow moves in or out of cash; what is short must be raised by trades."""
    units = units.copy()
    total = float((market.price[:, day] * units).sum())
    if total + amount <= 0:
        raise TableError.of(
            where=f"flows, {market.day(day)}",
            what=f"a withdrawal of {-amount:,.2f} is more than the {total:,.2f} that is left",
            remedy="withdraw less, or end the backtest before",
        )
    units[-1] += amount / market.price[-1, day]
    record.hold(day, units)
    return units


def _with_flow(
    market: Market,
    settings: Settings,
    rule: Rule,
    record: _Record,
    units: Matrix,
    day: int,
    amount: float,
) -> Matrix:
    """New money buys what is underweight, a withdrawal sells what is overweight."""
    units = _with_cash(market, record, units, day, amount)
    state = _state(market, rule, units, day)
    value, cost = after_flow(state, settings)
    after = _units_after(market, settings, state, units, value, day)
    record.flow_cost += cost
    record.hold(day, after)
    return after
