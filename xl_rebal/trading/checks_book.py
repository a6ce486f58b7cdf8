"""What the verifier knows: a book's raw rows and a plan's numbers, as exact decimals.

Nothing here is shared with the planner, and no array arithmetic is reused: every sum is formed again
from the shortest decimal that stands for each float, in plain Python.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.flows import Flow
from xl_rebal.portfolio.fund_rules import ANYWHERE, FundRule
from xl_rebal.portfolio.holdings import Kind
from xl_rebal.portfolio.policies import Band, Combined, OwnBands, Policy, Trigger
from xl_rebal.portfolio.restrictions import Restriction, scopes_of
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Target, Targets
from xl_rebal.trading.checks_dates import (
    Day,
    arrives_on,
    trade_date,
)
from xl_rebal.trading.limits import Timing

ZERO, INFINITE = Decimal(0), Decimal("Infinity")
CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005") + Decimal("1e-9")  # money; the float noise of a sum beside it
TOLERANCE = Decimal("1e-9")  # weights, drifts, and quantities relative to their size
SAME = Decimal("1e-12")  # two floats that were computed from the same numbers, relative
# No operation raises: an impossible one gives NaN, NaN compares false, and false is a violation.
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[])

_PENDING, _CASH = Kind.PENDING.value, Kind.CASH.value

Quote = tuple[Decimal, Decimal]  # price, money per unit in the base currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule that a plan breaks.

    code   stable slug, such as `cash-identity`.
    where  account, and trade or class.
    what   the numbers that do not agree.
    """

    code: str
    where: str
    what: str


@lru_cache(maxsize=1 << 14)
def exact(number: float) -> Decimal:
    """The decimal that a float is printed as: 0.1 is one tenth."""
    return Decimal(repr(float(number)))


@dataclass(slots=True, kw_only=True)
class Held:
    """All rows of one symbol in an account; `short` when any of them is.

    arrives  the last day on which a row of it settles; None when all of it is there.
    """

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    short: bool = False
    arrives: dt.date | None = None
    quotes: list[Quote] = field(default_factory=list)
    asset_classes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRows:
    """An account as its rows say.

    known         False when neither the holdings nor the accounts table have it.
    edges         by target class: how far it may drift down and up (infinite without a band).
    cash          money in rows of kind cash; `excluded_cash` is the part kept out of the weights,
                  `settled` what is there, `arriving` the rest by the day on which it settles.
    values        by target class: money of all counted rows, cash not yet less the reserve.
    """

    account: Account
    known: bool
    targets: Targets
    cash_class: str
    edges: dict[str, tuple[Decimal, Decimal]]
    held: dict[str, Held]
    cash_symbols: frozenset[str]
    cash: Decimal
    excluded_cash: Decimal
    settled: Decimal
    arriving: dict[Day, Decimal]
    values: dict[str, Decimal]


class BookRows:
    """A book's rows, grouped by account once, however many plans are checked against them."""

    def __init__(self, book: Book, policy: Policy, timing: Timing | None = None) -> None:
        self.book = book
        self.policy = policy
        self.timing = timing if timing is not None else Timing()
        self._scoped: dict[str, list[Restriction]] = {}
        for rule in book.restrictions:
            self._scoped.setdefault(rule.scope.casefold(), []).append(rule)
        h = book.holdings
        self._columns = [
            getattr(h, name).tolist()
            for name in (
                *("symbol", "kind", "asset_class", "quantity", "price", "multiplier", "fx"),
                "settles",
            )
        ]
        self._rows: dict[str, list[int]] = {}
        for index, name in enumerate(h.account.tolist()):
            self._rows.setdefault(name, []).append(index)
        self.flows: dict[str, list[Flow]] = {}
        for flow in book.flows:
            self.flows.setdefault(flow.account, []).append(flow)
        self._lots: dict[tuple[str, str], list[tuple[dt.date | None, float]]] = {}
        if book.lots is not None:
            for index, name in enumerate(book.lots.account.tolist()):
                place = (name, str(book.lots.symbol[index]).casefold())
                lot = (book.lots.acquired[index].item(), float(book.lots.quantity[index]))
                self._lots.setdefault(place, []).append(lot)
        self._by_symbol: dict[str, list[int]] | None = None
        self._securities: dict[str, Security] = {}
        self._classes: dict[tuple[int, str, str], str | None] = {}
        self._models: dict[int, tuple[str, dict[str, tuple[Decimal, Decimal]]]] = {}

    def account(self, name: str) -> AccountRows | None:
        """The rows of one account; None when its model has no targets."""
        account = self.book.account(name)
        if account.model and account.model not in self.book.models:
            return None
        targets = self.book.targets_of(name)
        cash_class, edges = self._model(targets)
        values = dict.fromkeys((*targets.classes, cash_class), ZERO)
        held: dict[str, Held] = {}
        cash, excluded, settled, cash_symbols = ZERO, ZERO, ZERO, set()
        arriving: dict[Day, Decimal] = {}
        today = arrives_on(None, self.timing)
        symbols, kinds, paths, quantities, prices, multipliers, rates, arrivals = self._columns
        for index in self._rows.get(name, ()):
            symbol, kind = symbols[index], kinds[index]
            asset_class, settles = paths[index], arrivals[index]
            if kind == _PENDING:
                continue
            units, paid = exact(quantities[index]), exact(prices[index])
            unit = _unit_value(paid, multipliers[index], rates[index])
            value = units * unit
            target = self.target_class(symbol, asset_class, targets)
            if target is not None and target in values:
                values[target] += value
            if kind == _CASH:
                cash += value
                if (day := arrives_on(settles, self.timing)) == today:
                    settled += value
                else:
                    arriving[day] = arriving.get(day, ZERO) + value
                excluded += ZERO if target in values else value
                cash_symbols.add(symbol)
                continue
            position = held.get(symbol)
            if position is None:
                position = held[symbol] = Held()
            position.quantity += units
            position.value += value
            position.short |= units < 0
            if settles is not None:
                position.arrives = max(settles, position.arrives or settles)
            if (paid, unit) not in position.quotes:
                position.quotes.append((paid, unit))
            if asset_class not in position.asset_classes:
                position.asset_classes.append(asset_class)
        return AccountRows(
            account=account,
            known=name in self._rows or name in self.book.accounts,
            targets=targets,
            cash_class=cash_class,
            edges=edges,
            held=held,
            cash_symbols=frozenset(cash_symbols),
            cash=cash,
            excluded_cash=excluded,
            settled=settled,
            arriving=arriving,
            values=values,
        )

    def security(self, symbol: str) -> Security:
        """What is known of a symbol."""
        known = self._securities.get(symbol)
        if known is None:
            known = self._securities[symbol] = self.book.security(symbol)
        return known

    def target_class(self, symbol: str, asset_class: str, targets: Targets) -> str | None:
        """The class of an account's table that a security counts in; None outside the weights."""
        key = (id(targets), symbol, asset_class)
        if key not in self._classes:
            found = target_of(symbol, asset_class, targets)
            if found == classes.EXCLUDED:
                found = None
            elif found == classes.CASH:
                found = self._model(targets)[0]
            self._classes[key] = found
        return self._classes[key]

    def restrictions(self, account: Account) -> list[Restriction]:
        """The rows whose scope is the account, its household, its model or everyone."""
        return [rule for scope in scopes_of(account) for rule in self._scoped.get(scope, ())]

    def fund_rule(self, account: Account, symbol: str) -> FundRule | None:
        """The row that binds: of the account's own custodian before one for all."""
        general = None
        for rule in self.book.fund_rules:
            if rule.symbol.casefold() != symbol.casefold():
                continue
            if account.custodian and rule.custodian.casefold() == account.custodian.casefold():
                return rule
            if rule.custodian.casefold() in ANYWHERE and general is None:
                general = rule
        return general

    def free_units(self, account: str, symbol: str, fund: FundRule | None) -> Decimal:
        """Units of lots that are older than the fund's redemption period on the trade date."""
        today = trade_date(self.timing)
        if fund is None or today is None:
            return ZERO
        free = ZERO
        for acquired, quantity in self._lots.get((account, symbol.casefold()), ()):
            if acquired is not None and (today - acquired).days > fund.redemption_days:
                free += exact(quantity)
        return free

    def elsewhere(self, symbol: str) -> Held:
        """What the whole book's rows say of a symbol: its quotes and classes (no quantities)."""
        if self._by_symbol is None:
            self._by_symbol = {}
            kinds = self._columns[1]
            for index, name in enumerate(self._columns[0]):
                if kinds[index] == Kind.POSITION.value:
                    self._by_symbol.setdefault(name, []).append(index)
        found = Held()
        for index in self._by_symbol.get(symbol, ()):
            _, _, asset_class, _, price, multiplier, fx, _ = (c[index] for c in self._columns)
            quote = (exact(price), _unit_value(exact(price), multiplier, fx))
            if quote not in found.quotes:
                found.quotes.append(quote)
            if asset_class not in found.asset_classes:
                found.asset_classes.append(asset_class)
        return found

    def _model(self, targets: Targets) -> tuple[str, dict[str, tuple[Decimal, Decimal]]]:
        known = self._models.get(id(targets))
        if known is None:
            cash = next((n for n in targets.classes if classes.is_cash(n)), classes.CASH)
            edges = {cash: (INFINITE, INFINITE)}
            for item in targets.items:
                found = None
                if not classes.is_cash(item.asset_class):
                    found = _widths(self.policy.trigger, item)
                edges[item.asset_class] = found or (INFINITE, INFINITE)
            known = self._models[id(targets)] = (cash, edges)
        return known


def _unit_value(price: Decimal, multiplier: float, fx: float) -> Decimal:
    unit = price
    for factor in (multiplier, fx):
        if factor != 1.0:
            unit *= exact(factor)
    return unit


def _widths(trigger: Trigger, item: Target) -> tuple[Decimal, Decimal] | None:
    """How far a class may drift down and up: `or` takes the narrower band, `and` the wider."""
    if isinstance(trigger, Combined):
        found = [pair for part in trigger.parts if (pair := _widths(part, item)) is not None]
        if not found:
            return None
        pick = min if trigger.operator == "or" else max
        return pick(down for down, _ in found), pick(up for _, up in found)
    if not isinstance(trigger, (Band, OwnBands)):
        return None
    target = exact(item.target)
    own = [exact(item.band_abs)] if item.band_abs is not None else []
    if item.band_rel is not None:
        own.append(exact(item.band_rel) * target)
    width = INFINITE
    if own:
        width = min(own)
    elif isinstance(trigger, Band):
        widths = [] if trigger.absolute is None else [exact(trigger.absolute)]
        if trigger.relative is not None:
            widths.append(exact(trigger.relative) * target)
        width = max(widths) if trigger.larger else min(widths)
    down = up = width
    if item.min is not None:
        to_min = target - exact(item.min)
        down = to_min if own else min(down, to_min)
    if item.max is not None:
        to_max = exact(item.max) - target
        up = to_max if own else min(up, to_max)
    return down, up
