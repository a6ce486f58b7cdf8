"""Which securities an account may buy or sell: restrictions, tradability, and what it follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xl_rebal.costs import CostModel
from xl_rebal.drift import Drift
from xl_rebal.errors import FaultList, PlanError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.problem import Line


@dataclass(slots=True)
class _Held:
    quantity: float
    price: float
    unit_value: float
    asset_class: str


def positions_by_account(book: Book) -> dict[str, dict[str, _Held]]:
    """Positions of every account, rows of one symbol added up.

    Raises PlanError where one symbol stands at two prices in an account.
    """
    holdings = book.holdings
    result: dict[str, dict[str, _Held]] = {name: {} for name in holdings.accounts()}
    faults = FaultList()
    rows = zip(
        holdings.account.tolist(),
        holdings.symbol.tolist(),
        holdings.quantity.tolist(),
        holdings.price.tolist(),
        (holdings.price * holdings.multiplier * holdings.fx).tolist(),
        holdings.asset_class.tolist(),
        holdings.is_position.tolist(),
        strict=True,
    )
    for account, symbol, quantity, price, unit_value, asset_class, position in rows:
        if not position:
            continue
        held = result[account].get(symbol)
        if held is None:
            result[account][symbol] = _Held(quantity, price, unit_value, asset_class)
            continue
        if not math.isclose(held.unit_value, unit_value, rel_tol=1e-6):
            faults.add(
                where=f"account {account}, {symbol}",
                what=f"stands at two prices ({held.price:,.6g} and {price:,.6g})",
                remedy="correct the price in one of its rows",
            )
        held.quantity += quantity
    faults.raise_as(PlanError)
    return result


def spendable_cash(book: Book) -> dict[str, float]:
    """Settled cash by account, in the base currency."""
    holdings = book.holdings
    result = dict.fromkeys(holdings.accounts(), 0.0)
    mask = holdings.is_cash
    for account, value in zip(
        holdings.account[mask].tolist(), holdings.value[mask].tolist(), strict=True
    ):
        result[account] += value
    return result


def lines_of_account(
    book: Book, account: Account, drift: Drift, held: dict[str, _Held], limits: Limits
) -> tuple[Line, ...]:
    """Every security that the account holds or could buy, with what it may do with it."""
    targets = drift.targets
    index = {name: k for k, name in enumerate(drift.classes)}
    cash_index = drift.cash_index
    result: list[Line] = []
    candidates = dict.fromkeys([*held, *(s for s in book.securities if s not in held)])
    wanted = _replacements(book.restrictions, account)
    for symbol in candidates:
        security = book.security(symbol)
        position = held.get(symbol)
        asset_class = position.asset_class if position is not None else security.asset_class
        name = target_of(symbol, asset_class, targets)
        if name is None:
            continue  # a candidate of a class that this model has no target for
        klass = cash_index if name == classes.CASH and name not in index else index.get(name, -1)
        if klass is None or (position is None and (klass == -1 or security.price is None)):
            continue
        result.append(
            _line(book, account, security, position, klass, limits, is_wanted=symbol in wanted)
        )
    _require_replacements(book.restrictions, account, result)
    return tuple(result)


def _require_replacements(
    restrictions: Sequence[Restriction], account: Account, lines: Sequence[Line]
) -> None:
    """Refuse a substitute that cannot be bought: its class would be sold and not bought back."""
    by_symbol = {line.symbol.casefold(): line for line in lines}
    faults = FaultList()
    for restriction in restrictions:
        if restriction.rule is not Rule.SUBSTITUTE:
            continue
        new = by_symbol.get(restriction.replacement.casefold())
        for old in lines:
            if not old.must_sell or not _names(restriction, account, old.symbol):
                continue
            if new is None or not new.can_buy:
                why = "has no price or no class with a target" if new is None else new.blocked
                what = f"{restriction.replacement} is to replace {old.symbol} and cannot be bought ({why})"
                remedy = "add it with its class and price to the securities table (--securities)"
            elif new.klass != old.klass:
                what = f"{restriction.replacement} is to replace {old.symbol} and counts in another class"
                remedy = "name a replacement of the same target class"
            else:
                continue
            faults.add(where=f"restrictions, account {account.account}", what=what, remedy=remedy)
    faults.raise_as(PlanError)


def _names(restriction: Restriction, account: Account, symbol: str) -> bool:
    return restriction.symbol.casefold() == symbol.casefold() and restriction.applies(
        account=account.account, household=account.household, symbol=symbol, tags=frozenset()
    )


def _replacements(restrictions: Sequence[Restriction], account: Account) -> set[str]:
    return {
        restriction.replacement
        for restriction in restrictions
        if restriction.rule is Rule.SUBSTITUTE
        and restriction.applies(
            account=account.account,
            household=account.household,
            symbol=restriction.symbol,
            tags=frozenset({restriction.tag}),
        )
    }


def _line(
    book: Book,
    account: Account,
    security: Security,
    position: _Held | None,
    klass: int,
    limits: Limits,
    *,
    is_wanted: bool,
) -> Line:
    rules = {
        restriction.rule
        for restriction in book.restrictions
        if restriction.applies(
            account=account.account,
            household=account.household,
            symbol=security.symbol,
            tags=security.tags,
        )
    }
    quantity = position.quantity if position is not None else 0.0
    price = position.price if position is not None else float(security.price or 0.0)
    unit_value = position.unit_value if position is not None else price
    unwanted = bool(rules & {Rule.NEVER_HOLD, Rule.SUBSTITUTE})
    frozen = _why_frozen(security, account, quantity, unit_value, klass)
    can_sell = not frozen and Rule.NEVER_SELL not in rules and quantity > 0
    money_fund = security.vehicle is Vehicle.CASH
    if Rule.NEVER_SELL in rules and unwanted and quantity > 0:
        raise PlanError.of(
            where=f"restrictions, account {account.account}",
            what=f"{security.symbol} is held, must not be sold (never_sell) and must not be held "
            f"({Rule.NEVER_HOLD.value if Rule.NEVER_HOLD in rules else Rule.SUBSTITUTE.value})",
            remedy="remove one of the two rows",
        )
    can_buy = not frozen and not unwanted and Rule.NEVER_BUY not in rules
    costs = CostModel() if money_fund else limits.costs.for_security(security)
    words = frozen or ", ".join(sorted(rule.value for rule in rules))
    return Line(
        symbol=security.symbol,
        klass=klass,
        quantity=quantity,
        price=price,
        unit_value=unit_value,
        step=security.quantity_step,
        minimum=0.0 if money_fund else max(security.minimum, limits.min_trade),
        rank=security.rank if security.rank is not None else math.inf,
        costs=costs,
        adv=security.adv,
        can_buy=can_buy and unit_value > 0,
        can_sell=can_sell,
        must_sell=unwanted and can_sell,
        replaces=is_wanted,
        blocked=words,
        money_fund=money_fund,
    )


def _why_frozen(
    security: Security, account: Account, quantity: float, unit_value: float, klass: int
) -> str:
    if klass == -1:
        return "excluded"
    if account.held_away:
        return "held away"
    if not security.tradable:
        return f"not tradable ({security.vehicle.value})"
    if quantity < 0:
        return "a short position"
    if unit_value <= 0:
        return "priced at zero"
    return ""
