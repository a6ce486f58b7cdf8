"""Each trade of a household plan by itself: quantity, price, cost, and whether it is allowed at all."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from xl_rebal.household.checks_rows import CENT, HouseholdRows, exact, is_taxed, price_of
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.plan import Action, Trade


def check_trades(rows: HouseholdRows) -> None:
    """One net trade each, at the book's price, in whole steps, of no more than is held."""
    seen: set[tuple[str, str]] = set()
    for trade in rows.plan.trades:
        where = f"{trade.account}, {trade.symbol}"
        if trade.account not in rows.accounts:
            rows.fault("account", where, "is no account of the household")
            continue
        if (trade.account, trade.symbol) in seen:
            rows.fault("one-net-trade", where, "is traded twice")
        seen.add((trade.account, trade.symbol))
        price = price_of(rows, trade.account, trade.symbol)
        if price is None or abs(price - exact(trade.unit_value)) > Decimal("1e-9") * price:
            rows.fault(
                "price", where, f"is traded at {trade.unit_value:,.6f}, the book has {price}"
            )
            continue
        quantity = exact(trade.quantity)
        value = (quantity * price).quantize(CENT, ROUND_HALF_UP)
        if abs(value - exact(trade.value)) > CENT:
            rows.fault("value", where, f"{trade.value:,.2f} is not quantity x price ({value:,.2f})")
        _check_quantity(rows, trade, quantity, where)
        _check_cost(rows, trade, where)


def _check_quantity(rows: HouseholdRows, trade: Trade, quantity: Decimal, where: str) -> None:
    held = rows.held.get((trade.account, trade.symbol), Decimal())
    step = exact(rows.source.book.security(trade.symbol).quantity_step)
    steps = quantity / step
    whole = abs(steps - steps.to_integral_value()) <= Decimal("1e-6")
    if quantity <= 0:
        rows.fault("quantity", where, f"{trade.quantity} units are traded")
    if trade.action is Action.SELL:
        if quantity > held + Decimal("1e-9"):
            rows.fault("holdings", where, f"{quantity} units are sold and {held} are held")
        whole = whole or abs(quantity - held) <= Decimal("1e-9")
    if not whole:
        rows.fault("steps", where, f"{quantity} units are no whole number of steps of {step}")


def _check_cost(rows: HouseholdRows, trade: Trade, where: str) -> None:
    security = rows.source.book.security(trade.symbol)
    if security.vehicle is Vehicle.CASH:
        wanted = Decimal()
    else:
        model = rows.request.limits.costs.for_security(security)
        fixed = exact(model.commission) + exact(model.per_share) * exact(trade.quantity)
        fixed = max(fixed, exact(model.min_commission))
        if model.max_commission != float("inf"):
            fixed = min(fixed, exact(model.max_commission))
        spread = exact(model.half_spread) * exact(trade.quantity) * exact(trade.unit_value)
        wanted = fixed + spread
    if abs(wanted - exact(trade.cost)) > CENT:
        rows.fault("cost", where, f"costs {trade.cost:,.2f}, the cost model says {wanted:,.2f}")


def check_rules(rows: HouseholdRows) -> None:
    """Restrictions, menus, held-away accounts, municipal securities, what is not traded."""
    book = rows.source.book
    for trade in rows.plan.trades:
        account = rows.accounts.get(trade.account)
        if account is None:
            continue
        security = book.security(trade.symbol)
        where, buys = f"{trade.account}, {trade.symbol}", trade.action is Action.BUY
        if account.held_away:
            rows.fault("held-away", where, "an order in an account that is held away")
        if not security.tradable:
            rows.fault("tradable", where, "is not tradable")
        for rule in book.restrictions:
            if not rule.applies(account, symbol=trade.symbol, tags=security.tags):
                continue
            banned = rule.rule in (Rule.NEVER_BUY, Rule.NEVER_HOLD, Rule.SUBSTITUTE)
            if (buys and banned) or (not buys and rule.rule is Rule.NEVER_SELL):
                rows.fault("restriction", where, f"breaks: {rule.in_words()}")
        if buys and account.menu and trade.symbol.casefold() not in account.menu:
            rows.fault("menu", where, "is not on the account's menu")
        path = classes.key(security.asset_class or trade.asset_class).split("/")
        municipal = security.tax_class.casefold() == "municipal" or "municipal" in path
        if buys and municipal and not is_taxed(account):
            rows.fault(
                "municipal", where, "a municipal security is bought where gains are not taxed"
            )
