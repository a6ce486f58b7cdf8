"""Which securities an account may buy or sell: restrictions, tradability, and what it follows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from xl_rebal.costs import CostModel
from xl_rebal.drift import Drift
from xl_rebal.errors import Fault, FaultList, PlanError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.fund_rules import Closure, FundRule, rule_for
from xl_rebal.portfolio.restrictions import Restriction, Rule, scopes_of
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.orders import tick_of
from xl_rebal.trading.plan import Cause
from xl_rebal.trading.problem import Line
from xl_rebal.trading.settlement import Settlement


@dataclass(slots=True)
class _Held:
    """All rows of one security in an account; `arrives` is the last day on which a row of it settles,
    `short` whether any row is a short position.
    """

    quantity: float
    price: float
    unit_value: float
    asset_class: str
    arrives: dt.date | None = None
    short: bool = False


class Terms:
    """What holds for the trades of a run: limits, settlement, and the book's tables by what they are
    looked up by, so that an account meets only the rows that can concern it.
    """

    def __init__(self, book: Book, limits: Limits, settlement: Settlement) -> None:
        self.limits = limits
        self.settlement = settlement
        self._book = book
        self._restrictions: dict[str, list[tuple[int, Restriction]]] = {}
        for place, restriction in enumerate(book.restrictions):
            scoped = self._restrictions.setdefault(restriction.scope.casefold(), [])
            scoped.append((place, restriction))
        self._classes: dict[tuple[int, str, str], int | None] = {}
        self._listed: dict[int, tuple[str, ...]] = {}
        self._costs: dict[str, CostModel] = {}
        self.not_held: dict[tuple[str, int, bool], Line] = {}
        self.plain: dict[tuple[str, int, bool], Line] = {}
        self.fund_rules: dict[str, list[FundRule]] = {}
        for rule in book.fund_rules:
            self.fund_rules.setdefault(rule.symbol.casefold(), []).append(rule)
        self.lots: dict[tuple[str, str], list[tuple[dt.date | None, float]]] = {}
        if book.lots is not None and book.fund_rules:
            columns = (book.lots.account, book.lots.symbol, book.lots.acquired, book.lots.quantity)
            for account, symbol, acquired, quantity in zip(
                *(column.tolist() for column in columns), strict=True
            ):
                self.lots.setdefault((account, symbol.casefold()), []).append((acquired, quantity))

    def fund_rule(self, account: Account, symbol: str) -> FundRule | None:
        """The rule of the account's custodian for a fund, or None."""
        named = self.fund_rules.get(symbol.casefold()) if self.fund_rules else None
        return rule_for(named, custodian=account.custodian, symbol=symbol) if named else None

    def restrictions(self, account: Account) -> list[Restriction]:
        """The restrictions that bind the account, in the order of the table."""
        if not self._restrictions:
            return []
        found = [each for scope in scopes_of(account) for each in self._restrictions.get(scope, ())]
        found.sort(key=itemgetter(0))
        return [restriction for _, restriction in found if restriction.binds(account)]

    def class_of(self, symbol: str, asset_class: str, drift: Drift) -> int | None:
        """Index of the class that a security counts in; -1 outside the weights, None without a target."""
        key = (id(drift.targets), symbol, asset_class)
        if key not in self._classes:
            name = target_of(symbol, asset_class, drift.targets)
            known = name in drift.classes
            if name is None:
                self._classes[key] = None
            elif name == classes.CASH and not known:
                self._classes[key] = drift.cash_index
            else:
                self._classes[key] = drift.classes.index(name) if known else -1
        return self._classes[key]

    def listed(self, drift: Drift) -> tuple[str, ...]:
        """Securities of the table that an account of the model could buy: priced, of a target class."""
        key = id(drift.targets)
        if key not in self._listed:
            self._listed[key] = tuple(
                symbol
                for symbol, security in self._book.securities.items()
                if security.price is not None
                and self.class_of(symbol, security.asset_class, drift) not in (None, -1)
            )
        return self._listed[key]

    def costs(self, security: Security, fund: FundRule | None) -> CostModel:
        """The cost model of a security in an account with such a fund rule."""
        if fund is not None:
            return _costs(security, fund, self.limits)
        known = self._costs.get(security.symbol)
        if known is None:
            known = self._costs[security.symbol] = _costs(security, None, self.limits)
        return known


def positions_by_account(book: Book) -> dict[str, dict[str, _Held]]:
    """Positions of every account, rows of one symbol added up.

    Raises PlanError where one symbol stands at two prices in an account.
    """
    result, doubted = positions_and_faults(book)
    faults = FaultList()
    for found in doubted.values():
        faults.extend(found)
    faults.raise_as(PlanError)
    return result


def positions_and_faults(
    book: Book,
) -> tuple[dict[str, dict[str, _Held]], dict[str, list[Fault]]]:
    """The same, with the faults of the accounts that have any beside it."""
    holdings = book.holdings
    result: dict[str, dict[str, _Held]] = {name: {} for name in holdings.accounts()}
    faults: dict[str, list[Fault]] = {}
    rows = zip(
        holdings.account.tolist(),
        holdings.symbol.tolist(),
        holdings.quantity.tolist(),
        holdings.price.tolist(),
        (holdings.price * holdings.multiplier * holdings.fx).tolist(),
        holdings.asset_class.tolist(),
        holdings.is_position.tolist(),
        holdings.settles.tolist(),
        strict=True,
    )
    for account, symbol, quantity, price, unit_value, asset_class, position, settles in rows:
        if not position:
            continue
        held = result[account].get(symbol)
        if held is None:
            result[account][symbol] = _Held(
                quantity, price, unit_value, asset_class, settles, quantity < 0
            )
            continue
        held.short |= quantity < 0
        if settles is not None and (held.arrives is None or settles > held.arrives):
            held.arrives = settles
        if not math.isclose(held.unit_value, unit_value, rel_tol=1e-6):
            fault = Fault(
                where=f"account {account}, {symbol}",
                what=f"stands at two prices ({held.price:,.6g} and {price:,.6g})",
                remedy="correct the price in one of its rows",
            )
            faults.setdefault(account, []).append(fault)
        held.quantity += quantity
    return result, faults


def lines_of_account(
    book: Book, account: Account, drift: Drift, held: dict[str, _Held], terms: Terms
) -> tuple[Line, ...]:
    """Every security that the account holds or could buy, with what it may do with it."""
    result: list[Line] = []
    restrictions = terms.restrictions(account)
    wanted = _replacements(restrictions, account)
    for symbol in (*held, *(s for s in terms.listed(drift) if s not in held)):
        security = book.security(symbol)
        position = held.get(symbol)
        asset_class = position.asset_class if position is not None else security.asset_class
        klass = terms.class_of(symbol, asset_class, drift)
        if klass is None:
            continue  # of a class that this model has no target for
        rules = _rules(restrictions, account, security)
        is_wanted = symbol in wanted
        if position is None and not rules and _is_listed_plainly(account, klass, terms):
            line = _listed_line(account, security, klass, terms, is_wanted=is_wanted)
        elif position is None or rules or not _is_plain(position, account, klass, terms):
            line = _line(rules, account, security, position, klass, terms, is_wanted=is_wanted)
        else:
            line = _plain_line(account, security, position, klass, terms, is_wanted=is_wanted)
        result.append(line)
    _require_replacements(restrictions, account, result)
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
        account, symbol=symbol, tags=frozenset()
    )


def _replacements(restrictions: Sequence[Restriction], account: Account) -> set[str]:
    return {
        restriction.replacement
        for restriction in restrictions
        if restriction.rule is Rule.SUBSTITUTE
        and restriction.applies(
            account,
            symbol=restriction.symbol,
            tags=frozenset({restriction.tag}),
        )
    }


def _is_plain(position: _Held, account: Account, klass: int, terms: Terms) -> bool:
    """True where nothing of the account but quantity and price has a say in how a holding trades."""
    return (
        position.quantity > 0
        and not position.short
        and position.unit_value > 0
        and position.arrives is None
        and klass >= 0
        and not account.held_away
        and not terms.fund_rules
    )


def _is_listed_plainly(account: Account, klass: int, terms: Terms) -> bool:
    """True where nothing of the account has a say in how a security that it does not hold trades."""
    return klass >= 0 and not account.held_away and not terms.fund_rules


def _listed_line(
    account: Account, security: Security, klass: int, terms: Terms, *, is_wanted: bool
) -> Line:
    """The line of a security that is not held, worked out once for all accounts."""
    key = (security.symbol, klass, is_wanted)
    line = terms.not_held.get(key)
    if line is None:
        line = terms.not_held[key] = _line(
            set(), account, security, None, klass, terms, is_wanted=is_wanted
        )
    return line


def _plain_line(
    account: Account,
    security: Security,
    position: _Held,
    klass: int,
    terms: Terms,
    *,
    is_wanted: bool,
) -> Line:
    """The line of a plain holding; all but quantity and price is worked out once for all accounts."""
    key = (security.symbol, klass, is_wanted)
    alike = terms.plain.get(key)
    if alike is not None:
        return alike.held(position.quantity, position.price, position.unit_value)
    line = _line(set(), account, security, position, klass, terms, is_wanted=is_wanted)
    terms.plain[key] = line
    return line


def _line(
    rules: set[Rule],
    account: Account,
    security: Security,
    position: _Held | None,
    klass: int,
    terms: Terms,
    *,
    is_wanted: bool,
) -> Line:
    quantity = position.quantity if position is not None else 0.0
    price = position.price if position is not None else float(security.price or 0.0)
    unit_value = position.unit_value if position is not None else price
    unwanted = bool(rules & {Rule.NEVER_HOLD, Rule.SUBSTITUTE})
    if Rule.NEVER_SELL in rules and unwanted and quantity > 0:
        raise PlanError.of(
            where=f"restrictions, account {account.account}",
            what=f"{security.symbol} is held, must not be sold (never_sell) and must not be held "
            f"({Rule.NEVER_HOLD.value if Rule.NEVER_HOLD in rules else Rule.SUBSTITUTE.value})",
            remedy="remove one of the two rows",
        )
    fund = terms.fund_rule(account, security.symbol)
    settles = terms.settlement.day(security, late=terms.settlement.late(fund))
    short = position is not None and position.short
    frozen, causes = _why_frozen(security, account, unit_value, klass, short=short)
    if not frozen and _below_a_tick(security, price, terms.limits):
        frozen, causes = "cheaper than the smallest limit price", {Cause.UNTRADABLE}
    closed = _why_closed(fund, quantity)
    undelivered = _why_undelivered(position, settles, terms.settlement)
    can_sell = not frozen and not undelivered and Rule.NEVER_SELL not in rules and quantity > 0
    can_buy = not frozen and not closed and not unwanted and Rule.NEVER_BUY not in rules
    words = [frozen] if frozen else sorted(rule.value for rule in rules)
    if rules & {Rule.NEVER_BUY, Rule.NEVER_SELL} or unwanted:
        causes |= {Cause.RESTRICTION}
    causes |= {Cause.CLOSED} if closed else set()
    causes |= {Cause.UNSETTLED} if undelivered else set()
    money_fund = security.vehicle is Vehicle.CASH
    held = fund is not None and quantity > 0
    fee, free, notes = _redemption(fund, account, security, quantity, terms)
    return Line(
        symbol=security.symbol,
        klass=klass,
        quantity=quantity,
        price=price,
        unit_value=unit_value,
        step=security.quantity_step,
        minimum=0.0 if money_fund else max(security.minimum, terms.limits.min_trade),
        rank=security.rank if security.rank is not None else math.inf,
        costs=terms.costs(security, fund),
        adv=security.adv,
        can_buy=can_buy and unit_value > 0,
        can_sell=can_sell,
        must_sell=unwanted and can_sell,
        replaces=is_wanted,
        blocked=", ".join(filter(None, [*words, closed, undelivered])),
        money_fund=money_fund,
        buy_minimum=0.0
        if fund is None
        else (fund.subsequent_minimum if held else fund.initial_minimum),
        keep=fund.kept_minimum if fund is not None else 0.0,
        settles=settles,
        fee=fee,
        free=free,
        listed=_listed(security),
        causes=frozenset(causes),
        notes=(*notes, *_cut_off(fund, terms.settlement)),
    )


def _rules(restrictions: Sequence[Restriction], account: Account, security: Security) -> set[Rule]:
    if not restrictions:
        return set()
    return {
        restriction.rule
        for restriction in restrictions
        if restriction.applies(
            account,
            symbol=security.symbol,
            tags=security.tags,
        )
    }


def _costs(security: Security, fund: FundRule | None, limits: Limits) -> CostModel:
    """The cost model of a security: a custodian's ticket fee replaces every other commission."""
    model = CostModel() if security.vehicle is Vehicle.CASH else limits.costs.for_security(security)
    if fund is None or fund.ticket_fee is None:
        return model
    return replace(
        model,
        commission=fund.ticket_fee,
        per_share=0.0,
        min_commission=0.0,
        max_commission=math.inf,
    )


def _why_closed(fund: FundRule | None, quantity: float) -> str:
    if fund is None or fund.closed_to_new is Closure.OPEN:
        return ""
    if fund.closed_to_new is Closure.MONEY:
        return "closed to new money"
    return "closed to new investors" if quantity <= 0 else ""


def _why_undelivered(position: _Held | None, settles: int, settlement: Settlement) -> str:
    """Units that arrive after a sale would have to deliver them cannot be sold."""
    if position is None or position.arrives is None:
        return ""
    day = settlement.date(settles)
    if day is None:
        return f"bought, settles on {position.arrives}, and the trade date is not known"
    late = position.arrives > day
    return f"bought, settles on {position.arrives}, after a sale would" if late else ""


def _redemption(
    fund: FundRule | None, account: Account, security: Security, quantity: float, terms: Terms
) -> tuple[float, float, tuple[str, ...]]:
    """(fee as a fraction, units free of it, what was taken for granted).

    The units held longest are redeemed first (SEC Rule 22c-2 leaves the method to the fund; first in,
    first out is what funds with such fees use). Without lots, or a date, every unit is taken as young.
    """
    if fund is None or not fund.redemption_fee:
        return 0.0, 0.0, ()
    fee = f"{fund.redemption_fee * 100:g}% within {fund.redemption_days} days"
    lots = terms.lots.get((account.account, security.symbol.casefold()), [])
    today = terms.settlement.trade_date
    if not lots or today is None:
        missing = "its lots are" if not lots else "the trade date is"
        words = f"redemption fee of {fee}: {missing} not known, so all units are taken to bear it"
        return fund.redemption_fee, 0.0, (words,)
    old = math.fsum(
        quantity
        for acquired, quantity in lots
        if acquired is not None and (today - acquired).days > fund.redemption_days
    )
    return fund.redemption_fee, min(quantity, old), ()


def _cut_off(fund: FundRule | None, settlement: Settlement) -> tuple[str, ...]:
    if fund is None or fund.cut_off is None:
        return ()
    if settlement.late(fund):
        return (
            f"sent after the cut-off of {fund.cut_off}: it gets the next trading day's price and "
            "settles a day later",
        )
    if settlement.timing.ordered_at is None:
        return (f"send the order before {fund.cut_off}: the time of the plan is not known",)
    return ()


def _below_a_tick(security: Security, price: float, limits: Limits) -> bool:
    """True where a limit order cannot carry the limit that is asked for."""
    share = limits.orders.limit
    if share is None or not _listed(security):
        return False
    return price * (1 + share) < tick_of(price)


def _listed(security: Security) -> bool:
    return security.vehicle not in (Vehicle.MUTUAL_FUND, Vehicle.CASH)


def _why_frozen(
    security: Security, account: Account, unit_value: float, klass: int, *, short: bool
) -> tuple[str, set[Cause]]:
    if klass == -1:
        return "excluded", set()
    if account.held_away:
        return "held away", {Cause.HELD_AWAY}
    if not security.tradable:
        return f"not tradable ({security.vehicle.value})", {Cause.UNTRADABLE}
    if short:
        return "a short position", {Cause.UNTRADABLE}
    if unit_value <= 0:
        return "priced at zero", {Cause.UNTRADABLE}
    return "", set()
