"""A desk's morning: 500 accounts with every kind of rule; no violation, and each planted one is caught."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.trading.desk_books import AS_OF, LIMITS, desk_book, lots_of
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import Flow
from xl_rebal.portfolio.fund_rules import Closure, FundRule, parse_cut_off
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.trading.checks import check_plans
from xl_rebal.trading.limits import Limits, OrderType, TimeInForce, Timing
from xl_rebal.trading.plan import Action, Cause, NotDone, Plan, Trade

POLICY = parse_policy("3pp")
TIMING = Timing(as_of=AS_OF)


@functools.cache
def desk() -> Rebalancing:
    request = Request(policy=POLICY, limits=LIMITS, as_of=AS_OF, explain=False, search=0)
    return rebalance(desk_book(500, 5), request)


@functools.cache
def small_desk() -> Rebalancing:
    return rebalance(desk_book(40, 7), Request(policy=POLICY, limits=LIMITS, as_of=AS_OF))


@dataclass(frozen=True)
class Planted:
    """What is changed in a correct morning: the book, a plan, or the terms."""

    book: Book
    plan: Plan
    limits: Limits = LIMITS
    timing: Timing = TIMING

    def codes(self) -> set[str]:
        found = check_plans(self.book, POLICY, (self.plan,), self.limits, timing=self.timing)
        return {violation.code for violation in found}


def trades(action: Action | None = None, fund: bool | None = None) -> Iterator[tuple[Plan, Trade]]:
    """Trades of the morning, of one side, of funds or of listed securities only."""
    for plan in desk().plans:
        for trade in plan.trades:
            is_fund = desk().book.security(trade.symbol).vehicle is Vehicle.MUTUAL_FUND
            listed = desk().book.security(trade.symbol).vehicle is Vehicle.ETF
            if action in (None, trade.action) and fund in (None, is_fund, not listed):
                yield plan, trade


def with_trade(plan: Plan, trade: Trade, **changes: Any) -> Plan:
    changed = tuple(replace(t, **changes) if t is trade else t for t in plan.trades)
    return replace(plan, trades=changed)


def with_rule(trade: Trade, rule: FundRule) -> Book:
    """The morning's book where only this rule binds the fund of a trade."""
    book = desk().book
    rules = [each for each in book.fund_rules if each.symbol != trade.symbol]
    return replace(book, fund_rules=(*rules, rule))


def with_rows(column: str, changes: Callable[[int], Any]) -> Book:
    book = desk().book
    values = np.array([changes(i) for i in range(len(book.holdings))])
    return replace(
        book, holdings=replace(book.holdings, **{column: values.astype("datetime64[D]")})
    )


def test_500_accounts_with_every_rule_have_no_violation() -> None:
    result = desk()
    book = result.book
    assert check_plans(book, POLICY, result.plans, LIMITS, timing=TIMING) == ()
    # The book is what it is meant to be: nothing of it is there for show.
    assert len(result.plans) == 500
    assert sum(bool(plan.trades) for plan in result.plans) > 400
    assert sum(any(d.arriving for d in plan.cash_days) for plan in result.plans) > 100
    assert sum(plan.leaving > 0 for plan in result.plans) > 100
    assert {r.rule for r in book.restrictions} >= {"never_buy", "never_sell", "never_hold"}
    assert {len({t.settles for t in plan.trades}) for plan in result.plans} >= {1, 2}
    kinds = {t.order_type for plan in result.plans for t in plan.trades}
    assert kinds == {OrderType.MARKET, OrderType.LIMIT}
    assert sum(t.redemption > 0 for plan in result.plans for t in plan.trades) > 5
    ruled = {rule.symbol for rule in book.fund_rules if rule.ticket_fee}
    assert any(t.symbol in ruled and t.commission > 40 for p in result.plans for t in p.trades)


def test_without_dates_it_is_as_sound() -> None:
    request = Request(policy=POLICY, limits=LIMITS, explain=False, search=0)
    result = rebalance(desk_book(60, 12), request)
    days = {day.when for plan in result.plans for day in plan.cash_days}
    assert days == {"T+0", "T+1", "T+2", "later"}
    assert any("no trade date is known" in note for note in result.notes)


def test_causes_sum_to_the_drift_that_is_left() -> None:
    plans = small_desk().plans
    assert sum(bool(plan.not_done) for plan in plans) > 20
    for plan in plans:
        if plan.not_done:
            total = sum(row.drift_pp for row in plan.not_done)
            assert total == pytest.approx(plan.drift_left_pp, abs=1e-9)
    causes = {row.cause for plan in plans for row in plan.not_done}
    assert causes >= {Cause.UNSETTLED, Cause.RESTRICTION, Cause.MINIMUM, Cause.ROUNDING}


def unsettled_cash() -> Planted:
    """Cash that paid for purchases turns out to settle a week later."""
    for plan, _ in trades(Action.BUY):
        first, second, *_ = plan.cash_days
        if first.closing > 5_000 and second.buys - second.sells > 3_000:
            break
    held = desk().book.holdings

    def later(i: int) -> Any:
        mine = held.account[i] == plan.account and held.is_cash[i]
        return AS_OF + dt.timedelta(days=9) if mine else held.settles[i]

    return Planted(with_rows("settles", later), plan)


def undelivered() -> Planted:
    plan, trade = next(trades(Action.SELL))
    held = desk().book.holdings

    def later(i: int) -> Any:
        mine = held.account[i] == plan.account and held.symbol[i] == trade.symbol
        return AS_OF + dt.timedelta(days=7) if mine else held.settles[i]

    return Planted(with_rows("settles", later), plan)


def settles_too_early() -> Planted:
    plan, trade = next(trades())
    return Planted(desk().book, with_trade(plan, trade, settles="2026-11-23"))


def sent_after_the_cut_off() -> Planted:
    plan, trade = next(trades(fund=True))
    rule = FundRule(symbol=trade.symbol, cut_off=parse_cut_off("16:00 America/New_York"))
    moment = dt.datetime(2026, 11, 23, 22, tzinfo=dt.UTC)
    return Planted(with_rule(trade, rule), plan, timing=replace(TIMING, ordered_at=moment))


def timeline_retold() -> Planted:
    plan = desk().plans[0]
    first = replace(plan.cash_days[0], closing=plan.cash_days[0].closing + 1)
    return Planted(desk().book, replace(plan, cash_days=(first, *plan.cash_days[1:])))


def timeline_left_out() -> Planted:
    return Planted(desk().book, replace(desk().plans[0], cash_days=()))


def withdrawal_forgotten() -> Planted:
    plan = next(plan for plan in desk().plans if plan.trades and not plan.leaving)
    flow = Flow(account=plan.account, date=AS_OF + dt.timedelta(days=3), amount=-500.0)
    return Planted(replace(desk().book, flows=(*desk().book.flows, flow)), plan)


def fund_closed() -> Planted:
    plan, trade = next(trades(Action.BUY, fund=True))
    return Planted(
        with_rule(trade, FundRule(symbol=trade.symbol, closed_to_new=Closure.MONEY)), plan
    )


def _bought(held: bool) -> tuple[Plan, Trade]:
    holdings = desk().book.holdings
    has = set(zip(holdings.account.tolist(), holdings.symbol.tolist(), strict=True))
    return next(
        (plan, trade)
        for plan, trade in trades(Action.BUY, fund=True)
        if ((plan.account, trade.symbol) in has) is held
    )


def closed_to_new_investors() -> Planted:
    plan, trade = _bought(held=False)
    rule = FundRule(symbol=trade.symbol, closed_to_new=Closure.INVESTORS)
    return Planted(with_rule(trade, rule), plan)


def below_the_initial_minimum() -> Planted:
    plan, trade = _bought(held=False)
    return Planted(
        with_rule(trade, FundRule(symbol=trade.symbol, initial_minimum=trade.value + 1)), plan
    )


def below_the_subsequent_minimum() -> Planted:
    plan, trade = _bought(held=True)
    rule = FundRule(symbol=trade.symbol, subsequent_minimum=trade.value + 1)
    return Planted(with_rule(trade, rule), plan)


def too_little_kept() -> Planted:
    held = desk().book.holdings
    quantity = {(a, s): q for a, s, q in zip(held.account, held.symbol, held.quantity, strict=True)}
    plan, trade = next(
        (p, t)
        for p, t in trades(Action.SELL, fund=True)
        if t.quantity < quantity[p.account, t.symbol]
    )
    return Planted(with_rule(trade, FundRule(symbol=trade.symbol, kept_minimum=1e9)), plan)


def ticket_fee_left_out() -> Planted:
    plan, trade = next(trades(fund=True))
    return Planted(
        with_rule(trade, FundRule(symbol=trade.symbol, ticket_fee=trade.commission + 5)), plan
    )


def redemption_fee_left_out() -> Planted:
    plan, trade = next((p, t) for p, t in trades(Action.SELL, fund=True) if not t.redemption)
    rule = FundRule(symbol=trade.symbol, redemption_fee=0.02, redemption_days=90)
    fresh = lots_of([(plan.account, trade.symbol, AS_OF, trade.quantity)])
    return Planted(replace(with_rule(trade, rule), lots=fresh), plan)


def fund_with_a_limit() -> Planted:
    plan, trade = next(trades(fund=True))
    return Planted(
        desk().book,
        with_trade(plan, trade, order_type=OrderType.LIMIT, limit_price=trade.price),
    )


def limit_on_the_wrong_side() -> Planted:
    plan, trade = next(trades(Action.BUY, fund=False))
    return Planted(desk().book, with_trade(plan, trade, limit_price=round(trade.price * 0.99, 2)))


def limit_between_ticks() -> Planted:
    plan, trade = next(trades(Action.BUY, fund=False))
    assert trade.limit_price is not None
    return Planted(desk().book, with_trade(plan, trade, limit_price=trade.limit_price - 0.005))


def good_till_cancelled() -> Planted:
    plan, trade = next(trades(Action.BUY, fund=False))
    return Planted(desk().book, with_trade(plan, trade, time_in_force=TimeInForce.GTC))


def _forbidden(trade: Trade, plan: Plan, rule: Rule) -> Planted:
    """A restriction of the account that nobody told the planner of."""
    more = Restriction(scope=plan.account, rule=rule, symbol=trade.symbol)
    book = desk().book
    return Planted(replace(book, restrictions=(*book.restrictions, more)), plan)


def bought_against_a_restriction() -> Planted:
    plan, trade = next(trades(Action.BUY))
    return _forbidden(trade, plan, Rule.NEVER_BUY)


def sold_against_a_restriction() -> Planted:
    plan, trade = next(trades(Action.SELL))
    return _forbidden(trade, plan, Rule.NEVER_SELL)


def bought_what_must_not_be_held() -> Planted:
    plan, trade = next(trades(Action.BUY))
    return _forbidden(trade, plan, Rule.NEVER_HOLD)


def below_the_minimum_trade() -> Planted:
    plan, trade = next(trades(Action.BUY, fund=False))
    return Planted(desk().book, plan, limits=replace(LIMITS, min_trade=trade.value + 0.01))


def more_sold_than_held() -> Planted:
    plan, trade = next(trades(Action.SELL))
    return Planted(desk().book, with_trade(plan, trade, quantity=trade.quantity + 1e6))


def cause_made_up() -> Planted:
    plan = desk().plans[0]
    row = NotDone(
        account=plan.account, asset_class="", symbol="", cause=Cause.POLICY, drift_pp=99.0, what="x"
    )
    return Planted(desk().book, replace(plan, not_done=(row,)))


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (unsettled_cash, "unsettled-cash"),
        (undelivered, "undelivered"),
        (settles_too_early, "settlement"),
        (sent_after_the_cut_off, "settlement"),
        (timeline_retold, "cash-timeline"),
        (timeline_left_out, "cash-timeline"),
        (withdrawal_forgotten, "leaving"),
        (fund_closed, "closed-fund"),
        (closed_to_new_investors, "closed-fund"),
        (below_the_initial_minimum, "fund-minimum"),
        (below_the_subsequent_minimum, "fund-minimum"),
        (too_little_kept, "kept-minimum"),
        (ticket_fee_left_out, "trade-cost"),
        (redemption_fee_left_out, "trade-cost"),
        (fund_with_a_limit, "order-type"),
        (limit_on_the_wrong_side, "limit-price"),
        (limit_between_ticks, "limit-price"),
        (good_till_cancelled, "order-type"),
        (bought_against_a_restriction, "never-buy"),
        (sold_against_a_restriction, "never-sell"),
        (bought_what_must_not_be_held, "never-hold"),
        (below_the_minimum_trade, "min-trade"),
        (more_sold_than_held, "oversold"),
        (cause_made_up, "not-done"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_what_is_planted_is_caught(plant: Callable[[], Planted], code: str) -> None:
    planted = plant()
    untouched = Planted(
        desk().book, next(p for p in desk().plans if p.account == planted.plan.account)
    )
    assert untouched.codes() == set()
    assert code in planted.codes()
