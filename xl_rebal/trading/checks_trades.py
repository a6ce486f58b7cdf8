"""Verifier, trade by trade and for the account's cash: amounts, holdings, restrictions, limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.checks_book import (
    CENT,
    HALF_CENT,
    INFINITE,
    SAME,
    TOLERANCE,
    ZERO,
    Violation,
    exact,
)
from xl_rebal.trading.checks_case import Case, Line, rules_for

_HELD_RULES = {Rule.NEVER_HOLD, Rule.SUBSTITUTE}


def check_cash(case: Case) -> Iterator[Violation]:
    """Cash before, after, reserve and total cost, to half a cent."""
    plan, where = case.plan, case.where
    before, total = exact(plan.cash_before), exact(plan.total_cost)
    if not abs(before - case.cash_before) <= HALF_CENT:
        yield Violation(
            code="cash-before",
            where=where,
            what=f"the plan starts from {before:,.2f} of cash, the book holds {case.cash_before:,.2f}",
        )
    if not abs(total - case.costs) <= HALF_CENT:
        yield Violation(
            code="total-cost",
            where=where,
            what=f"total cost {total:,.2f}, the trades' costs sum to {case.costs:,.2f}",
        )
    expected = before + case.flow + case.sells - case.buys - case.costs
    if not abs(case.cash_after - expected) <= HALF_CENT:
        yield Violation(
            code="cash-identity",
            where=where,
            what=f"cash after is {case.cash_after:,.2f}, but {before:,.2f} + flow {case.flow:,.2f} + sells "
            f"{case.sells:,.2f} - buys {case.buys:,.2f} - costs {case.costs:,.2f} = {expected:,.2f}",
        )
    if not abs(exact(plan.reserve) - case.reserve) <= HALF_CENT:
        yield Violation(
            code="reserve",
            where=where,
            what=f"the plan keeps {plan.reserve:,.2f} back, the account's reserve is {case.reserve:,.2f}",
        )
    spendable = case.cash_after - case.account.excluded_cash
    if spendable >= case.reserve - HALF_CENT:
        return
    if case.lines or not case.short_of_cash:
        yield Violation(
            code="cash-short",
            where=where,
            what=f"cash after is {spendable:,.2f}, below the reserve of {case.reserve:,.2f}",
        )
    elif not any("cash" in n.casefold() or "reserve" in n.casefold() for n in plan.notes):
        yield Violation(
            code="cash-short",
            where=where,
            what=f"cash of {spendable:,.2f} is below the reserve of {case.reserve:,.2f}, nothing is sold, "
            "and no note says so",
        )


def check_account(case: Case) -> Iterator[Violation]:
    """Who may trade at all, one net trade for each security, the turnover cap."""
    plan, where = case.plan, case.where
    if case.lines and not case.account.known:
        yield Violation(
            code="unknown-account", where=where, what="trades in an account not in the book"
        )
    if case.lines and case.account.account.held_away:
        yield Violation(
            code="held-away", where=where, what="trades in an account that is held away"
        )
    if case.lines and not plan.triggered:
        yield Violation(
            code="untriggered-trades", where=where, what="trades, though nothing triggered"
        )
    seen: set[str] = set()
    for line in case.lines:
        if line.trade.account != plan.account:
            what = f"the trade belongs to account {line.trade.account!r}"
            yield Violation(code="trade-account", where=line.where, what=what)
        if line.trade.symbol in seen:
            yield Violation(
                code="one-trade", where=line.where, what="a second trade of the security"
            )
        seen.add(line.trade.symbol)
    # Selling a money fund turns cash into cash: free, of any size, and no turnover.
    half = sum((line.value for line in case.lines if not _is_money_fund(line)), ZERO) / 2
    if case.base_before > CENT:
        turnover = half / case.base_before
        if not abs(exact(plan.turnover) - turnover) <= TOLERANCE:
            yield Violation(
                code="turnover",
                where=where,
                what=f"turnover {plan.turnover:.9f}, not {turnover:.9f}",
            )
    elif not plan.turnover >= 0:
        yield Violation(code="turnover", where=where, what=f"turnover is {plan.turnover}")
    cap = case.limits.max_turnover
    if cap is not None and not half <= exact(cap) * max(case.base_before, ZERO) + HALF_CENT:
        yield Violation(
            code="max-turnover",
            where=where,
            what=f"(buys + sells) / 2 = {half:,.2f}, above {cap:.4%} of {case.base_before:,.2f}",
        )


def check_trades(case: Case) -> Iterator[Violation]:
    """Every trade's amounts, and whether the account may make it."""
    for line in case.lines:
        yield from _amounts(line)
        yield from _cost(line, case)
        yield from _permission(line, case)
        yield from _holding(line)
        yield from _size(line, case)
    yield from _what_must_go(case)


def _amounts(line: Line) -> Iterator[Violation]:
    trade, where = line.trade, line.where
    if not trade.reason.strip():
        yield Violation(code="reason", where=where, what="the trade has no reason")
    if not line.quantity > 0:
        yield Violation(
            code="quantity", where=where, what=f"quantity {trade.quantity} is not positive"
        )
    price = exact(trade.price)
    if not price > 0:
        yield Violation(code="price", where=where, what=f"price {trade.price} is not positive")
    same_price = [unit for paid, unit in line.quotes if abs(paid - price) <= SAME * abs(paid)]
    if not same_price:
        known = ", ".join(f"{float(paid):.12g}" for paid, _ in line.quotes) or "none"
        what = f"price {trade.price:.12g}; the book has {known}"
        yield Violation(code="price", where=where, what=what)
    elif not any(abs(unit - line.unit) <= SAME * abs(unit) for unit in same_price):
        what = f"{trade.unit_value:.12g} a unit; price x multiplier x fx is {float(same_price[0]):.12g}"
        yield Violation(code="unit-value", where=where, what=what)
    product = line.quantity * line.unit
    # To the nearest cent; at 15 significant digits a tie may fall to either side.
    tie = HALF_CENT + abs(product) * Decimal("1e-15")
    if not (abs(line.value - product) <= tie and _whole_cents(line.value) and line.value > 0):
        what = f"value {float(line.value)!r}, but quantity x unit value = {product:,.4f}"
        yield Violation(code="trade-value", where=where, what=what)


def _whole_cents(money: Decimal) -> bool:
    cents = money / CENT
    return abs(cents - cents.to_integral_value()) <= TOLERANCE + abs(cents) * Decimal("1e-15")


def _is_money_fund(line: Line) -> bool:
    return line.security.vehicle is Vehicle.CASH


def _cost(line: Line, case: Case) -> Iterator[Violation]:
    """commission + half-spread x value + impact x sqrt(q / ADV) x value + redemption fee, by its terms."""
    model, security, trade = case.limits.costs, line.security, line.trade
    free = _is_money_fund(line)
    commission = exact(model.commission) + exact(model.per_share) * line.quantity
    most = INFINITE if model.max_commission == float("inf") else exact(model.max_commission)
    commission = min(max(commission, exact(model.min_commission)), most)
    if security.commission is not None:
        commission = exact(security.commission)
    half_spread = exact(model.half_spread)
    if security.spread_bps is not None:
        half_spread = exact(security.spread_bps) / 20000
    if free:  # a money fund trades at its price, but for what its custodian asks
        commission = half_spread = ZERO
    if line.fund is not None and line.fund.ticket_fee is not None:
        commission = exact(line.fund.ticket_fee)
    redemption = ZERO
    if line.fund is not None and not line.buy:
        young = max(ZERO, line.quantity - line.free_units)
        redemption = exact(line.fund.redemption_fee) * young * line.unit
    impact = ZERO
    if not free and model.impact and security.adv is not None and security.adv > 0:
        impact = exact(model.impact) * (line.quantity / exact(security.adv)).sqrt() * line.value
    total = commission + half_spread * line.value + impact + redemption
    off = abs(line.cost - total)
    if not (off <= HALF_CENT + CENT and _whole_cents(line.cost) and line.cost >= 0):
        what = f"cost {float(line.cost)!r}, but commission {commission:,.4f} + half-spread {half_spread} x "
        what += f"value + impact {impact:,.4f} + redemption fee {redemption:,.4f} = {total:,.4f}"
        yield Violation(code="trade-cost", where=line.where, what=what)
    parts_agree = (
        abs(exact(trade.commission) - commission) <= CENT
        and abs(exact(trade.impact) - impact) <= CENT
        and abs(exact(trade.half_spread) - half_spread) <= SAME
        and abs(exact(trade.redemption) - redemption) <= CENT
    )
    if not parts_agree:
        what = f"commission {trade.commission}, half-spread {trade.half_spread}, impact {trade.impact}, "
        what += f"redemption fee {trade.redemption}; the cost model gives {commission:,.4f}, "
        what += f"{half_spread}, {impact:,.4f}, {redemption:,.4f}"
        yield Violation(code="cost-parts", where=line.where, what=what)


def _permission(line: Line, case: Case) -> Iterator[Violation]:
    where, rules = line.where, line.rules
    if not line.trade.symbol or line.trade.symbol in case.account.cash_symbols:
        what = "cash and pending activity are not traded"
        yield Violation(code="cash-traded", where=where, what=what)
    if not line.security.tradable:
        what = f"{line.security.vehicle} is not tradable"
        yield Violation(code="not-tradable", where=where, what=what)
    if line.buy and Rule.NEVER_BUY in rules:
        yield Violation(code="never-buy", where=where, what="a restriction forbids buying it")
    if line.buy and rules & _HELD_RULES:
        yield Violation(code="never-hold", where=where, what="a restriction forbids holding it")
    if not line.buy and Rule.NEVER_SELL in rules:
        yield Violation(code="never-sell", where=where, what="a restriction forbids selling it")
    if line.trade.asset_class not in line.class_names:
        known = " or ".join(line.class_names) or "no class that has a target"
        what = f"booked under {line.trade.asset_class!r}; the security counts in {known}"
        yield Violation(code="trade-class", where=where, what=what)


def _holding(line: Line) -> Iterator[Violation]:
    held = line.held
    if held is not None and held.short:
        what = f"the account is short of it ({held.quantity} in all); shorts are left alone"
        yield Violation(code="short-touched", where=line.where, what=what)
    has = ZERO if held is None else held.quantity
    if not line.buy and not line.quantity <= has + TOLERANCE * abs(has):
        what = f"sells {line.quantity}, the account holds {has}"
        yield Violation(code="oversold", where=line.where, what=what)


def _size(line: Line, case: Case) -> Iterator[Violation]:
    has = ZERO if line.held is None else line.held.quantity
    all_of_it = not line.buy and abs(line.quantity - has) <= SAME * abs(has)
    steps = line.quantity / exact(line.security.quantity_step)
    off = abs(steps - steps.to_integral_value())
    if not all_of_it and not off <= max(TOLERANCE, SAME * abs(steps)):
        what = f"quantity {line.quantity} is no whole number of steps of {line.security.quantity_step:g}"
        yield Violation(code="step", where=line.where, what=what)
    if _is_money_fund(line):
        return
    for code, smallest in (
        ("min-trade", case.limits.min_trade),
        ("security-minimum", line.security.minimum),
    ):
        if not line.value >= exact(smallest) - HALF_CENT:
            what = f"value {line.value:,.2f} is below the minimum of {smallest:,.2f}"
            yield Violation(code=code, where=line.where, what=what)


def _what_must_go(case: Case) -> Iterator[Violation]:
    """Units that a restriction says not to hold are sold, or a note names them."""
    if not (case.plan.triggered and case.lines and case.rows.book.restrictions):
        return
    sold = {line.trade.symbol: line.quantity for line in case.lines if not line.buy}
    for symbol, held in case.account.held.items():
        left = held.quantity - sold.get(symbol, ZERO)
        if held.short or not left > TOLERANCE * held.quantity:
            continue
        security = case.rows.security(symbol)
        rules = rules_for(case.rows, case.account.account, symbol, security)
        if not rules & _HELD_RULES or not security.tradable:
            continue
        counted = any(
            case.rows.target_class(symbol, path, case.account.targets) is not None
            for path in held.asset_classes
        )
        if counted and not any(symbol.casefold() in note.casefold() for note in case.plan.notes):
            what = f"{left} {symbol} are left, which a restriction says not to hold, and no note says why"
            yield Violation(code="never-hold-left", where=case.where, what=what)
