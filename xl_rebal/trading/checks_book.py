"""What the verifier knows: a book's raw rows and a plan's numbers, as exact decimals.

Nothing here is shared with the planner, and no array arithmetic is reused: every sum is formed again
from the shortest decimal that stands for each float, in plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal

from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.holdings import Kind
from xl_rebal.portfolio.policies import Band, Combined, OwnBands, Policy, Trigger
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Target, Targets
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import Action, Plan, Trade

ZERO, INFINITE = Decimal(0), Decimal("Infinity")
CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005") + Decimal("1e-9")  # money; the float noise of a sum beside it
TOLERANCE = Decimal("1e-9")  # weights, drifts, and quantities relative to their size
SAME = Decimal("1e-12")  # two floats that were computed from the same numbers, relative
# No operation raises: an impossible one gives NaN, NaN compares false, and false is a violation.
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[])

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


def exact(number: float) -> Decimal:
    """The decimal that a float is printed as: 0.1 is one tenth."""
    return Decimal(repr(float(number)))


@dataclass(slots=True, kw_only=True)
class Held:
    """All rows of one symbol in an account; `short` when any of them is."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    short: bool = False
    quotes: list[Quote] = field(default_factory=list)
    asset_classes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRows:
    """An account as its rows say.

    known         False when neither the holdings nor the accounts table have it.
    edges         by target class: how far it may drift down and up (infinite without a band).
    cash          money in rows of kind cash; `excluded_cash` is the part kept out of the weights.
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
    values: dict[str, Decimal]


class BookRows:
    """A book's rows, grouped by account once, however many plans are checked against them."""

    def __init__(self, book: Book, policy: Policy) -> None:
        self.book = book
        self.policy = policy
        h = book.holdings
        self._columns = [
            getattr(h, name).tolist()
            for name in ("symbol", "kind", "asset_class", "quantity", "price", "multiplier", "fx")
        ]
        self._rows: dict[str, list[int]] = {}
        for index, name in enumerate(h.account.tolist()):
            self._rows.setdefault(name, []).append(index)
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
        cash, excluded, cash_symbols = ZERO, ZERO, set()
        for index in self._rows.get(name, ()):
            symbol, kind, asset_class, quantity, price, multiplier, fx = (
                column[index] for column in self._columns
            )
            if kind == Kind.PENDING.value:
                continue
            units, paid = exact(quantity), exact(price)
            unit = _unit_value(paid, multiplier, fx)
            value = units * unit
            target = self.target_class(symbol, asset_class, targets)
            if target is not None and target in values:
                values[target] += value
            if kind == Kind.CASH.value:
                cash += value
                excluded += ZERO if target in values else value
                cash_symbols.add(symbol)
                continue
            position = held.setdefault(symbol, Held())
            position.quantity += units
            position.value += value
            position.short |= units < 0
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
            _, _, asset_class, _, price, multiplier, fx = (c[index] for c in self._columns)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trade with what the book says of its security.

    quotes        prices that the book knows for it.
    class_names   target classes that it may count in (one, unless the book contradicts itself).
    step_value    money of one quantity step.
    rules         the restrictions that bind the security in this account.
    """

    trade: Trade
    where: str
    buy: bool
    quantity: Decimal
    unit: Decimal
    value: Decimal
    cost: Decimal
    security: Security
    held: Held | None
    quotes: Sequence[Quote]
    class_names: Sequence[str]
    step_value: Decimal
    rules: frozenset[Rule]

    @property
    def forced(self) -> bool:
        """True for a sale that a never_hold or substitute rule demands."""
        return not self.buy and bool(self.rules & {Rule.NEVER_HOLD, Rule.SUBSTITUTE})

    @property
    def signed_value(self) -> Decimal:
        """Money that the trade adds to its class."""
        return self.value if self.buy else -self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan beside the account that it is for: everything that the rules compare."""

    rows: BookRows
    account: AccountRows
    plan: Plan
    limits: Limits
    lines: tuple[Line, ...]
    cash_before: Decimal
    flow: Decimal
    reserve: Decimal
    cash_after: Decimal
    base_before: Decimal
    base_after: Decimal
    buys: Decimal
    sells: Decimal
    costs: Decimal

    @property
    def where(self) -> str:
        return f"account {self.plan.account}"

    @property
    def short_of_cash(self) -> bool:
        """True when cash after the flow does not reach the reserve: something has to be sold."""
        return self.cash_before + self.flow < self.reserve - HALF_CENT


def rules_for(book: Book, account: Account, symbol: str, security: Security) -> frozenset[Rule]:
    """The restrictions that bind a security in an account."""
    return frozenset(
        r.rule
        for r in book.restrictions
        if r.applies(
            account=account.account,
            household=account.household,
            symbol=symbol,
            tags=security.tags,
        )
    )


def case_of(rows: BookRows, account: AccountRows, plan: Plan, limits: Limits) -> Case:
    """The plan in decimals. The base is recomputed: counted rows + flow - reserve."""
    lines = tuple(_line(rows, account, plan, trade) for trade in plan.trades)
    flow, reserve = exact(plan.flow), exact(account.account.cash_reserve)
    base = sum(account.values.values(), ZERO) + flow - reserve
    costs = sum((line.cost for line in lines), ZERO)
    return Case(
        rows=rows,
        account=account,
        plan=plan,
        limits=limits,
        lines=lines,
        cash_before=account.cash,
        flow=flow,
        reserve=reserve,
        cash_after=exact(plan.cash_after),
        base_before=base,
        base_after=base - costs,
        buys=sum((line.value for line in lines if line.buy), ZERO),
        sells=sum((line.value for line in lines if not line.buy), ZERO),
        costs=costs,
    )


def _line(rows: BookRows, account: AccountRows, plan: Plan, trade: Trade) -> Line:
    security = rows.security(trade.symbol)
    held = account.held.get(trade.symbol)
    quotes: list[Quote]
    if held is not None:
        quotes, paths = held.quotes, held.asset_classes
    else:
        other = rows.elsewhere(trade.symbol)
        quotes = list(other.quotes)
        if security.price is not None:
            quotes.append((exact(security.price), exact(security.price)))
        paths = [security.asset_class, *other.asset_classes]
    names = (rows.target_class(trade.symbol, path, account.targets) for path in paths)
    unit = exact(trade.unit_value)
    return Line(
        trade=trade,
        where=f"account {plan.account}, {trade.action} {trade.symbol}",
        buy=trade.action is Action.BUY,
        quantity=exact(trade.quantity),
        unit=unit,
        value=exact(trade.value),
        cost=exact(trade.cost),
        security=security,
        held=held,
        quotes=quotes,
        class_names=tuple(dict.fromkeys(name for name in names if name is not None)),
        step_value=exact(security.quantity_step) * unit,
        rules=rules_for(rows.book, account.account, trade.symbol, security),
    )
