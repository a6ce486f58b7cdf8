"""Verifier, what custodians and exchanges ask of an order: fund rules, order types, limit prices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from xl_rebal.portfolio.fund_rules import Closure
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.checks_book import HALF_CENT, SAME, TOLERANCE, ZERO, Violation, exact
from xl_rebal.trading.checks_case import Case, Line
from xl_rebal.trading.checks_dates import in_words
from xl_rebal.trading.limits import OrderType, TimeInForce

_FUNDS = (Vehicle.MUTUAL_FUND, Vehicle.CASH)


def check_orders(case: Case) -> Iterator[Violation]:
    """Every trade against its fund's rule, its settlement and the way it is sent."""
    for line in case.lines:
        yield from _fund(line)
        yield from _settlement(line)
        yield from _order(line, case)


def _none_between(price: Decimal, edge: Decimal, tick: Decimal) -> bool:
    """True where no whole tick stands from the price to what was asked for, ends included."""
    low, high = min(price, edge), max(price, edge)
    return (high / tick).to_integral_value(ROUND_FLOOR) * tick < low


def _fund(line: Line) -> Iterator[Violation]:
    fund = line.fund
    if fund is None:
        return
    has = ZERO if line.held is None else line.held.quantity
    if line.buy:
        closed = fund.closed_to_new is Closure.MONEY
        if closed or (fund.closed_to_new is Closure.INVESTORS and not has > 0):
            what = "the fund is closed to new money"
            yield Violation(code="closed-fund", where=line.where, what=what)
        word, least = "subsequent", fund.subsequent_minimum
        if not has > 0:
            word, least = "initial", fund.initial_minimum
        if not line.value >= exact(least) - HALF_CENT:
            what = f"value {line.value:,.2f} is below the {word} minimum of {least:,.2f}"
            yield Violation(code="fund-minimum", where=line.where, what=what)
        return
    left = has - line.quantity
    if left > TOLERANCE * abs(has) and not left * line.unit >= exact(fund.kept_minimum) - HALF_CENT:
        what = (
            f"leaves {left * line.unit:,.2f}, below the {fund.kept_minimum:,.2f} that must be kept"
        )
        yield Violation(code="kept-minimum", where=line.where, what=what)


def _settlement(line: Line) -> Iterator[Violation]:
    if line.trade.settles != in_words(line.settles):
        what = f"settles {line.trade.settles!r}; by its cycle it is {in_words(line.settles)}"
        yield Violation(code="settlement", where=line.where, what=what)
    if line.buy or line.held is None or line.held.arrives is None:
        return
    arrives = line.held.arrives
    if isinstance(line.settles, int) or arrives > line.settles:
        what = f"sells units that arrive on {arrives}, and delivers on {in_words(line.settles)}"
        yield Violation(code="undelivered", where=line.where, what=what)


def _order(line: Line, case: Case) -> Iterator[Violation]:
    trade, style = line.trade, case.limits.orders
    wanted = (style.order_type, style.time_in_force)
    if line.security.vehicle in _FUNDS:
        wanted = (OrderType.MARKET, TimeInForce.DAY)
    if (trade.order_type, trade.time_in_force) != wanted:
        what = f"{trade.order_type} {trade.time_in_force}; asked for {wanted[0]} {wanted[1]}"
        yield Violation(code="order-type", where=line.where, what=what)
    if trade.order_type is not OrderType.LIMIT or trade.limit_price is None:
        if (trade.order_type is OrderType.LIMIT) != (trade.limit_price is not None):
            what = f"{trade.order_type} with limit price {trade.limit_price}"
            yield Violation(code="limit-price", where=line.where, what=what)
        return
    limit, price = exact(trade.limit_price), exact(trade.price)
    away = exact(style.limit or 0.0) * price
    edge = price + away if line.buy else price - away
    tick = Decimal("0.01") if edge >= 1 else Decimal("0.0001")
    side = 1 if line.buy else -1
    slack = SAME * 100 * price
    ticks = limit / tick
    whole = abs(ticks - ticks.to_integral_value()) <= TOLERANCE
    # Within what was asked for, by less than a tick; or beyond the price by less than one, where no
    # tick stands between the two.
    short, beyond = side * (edge - limit), side * (limit - price)
    close = -slack <= short < tick + slack and (beyond >= -slack or limit == tick)
    next_one = short < 0 and -slack <= beyond < tick + slack and _none_between(price, edge, tick)
    if not ((close or next_one) and whole and limit > 0):
        what = f"limit {trade.limit_price}; {style.limit:.4%} from {trade.price} is {edge:f}, tick {tick}"
        yield Violation(code="limit-price", where=line.where, what=what)
