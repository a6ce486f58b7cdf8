"""What the verifier compares: a plan's trades and totals beside the account that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.fund_rules import FundRule
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.trading.checks_book import (
    HALF_CENT,
    ZERO,
    AccountRows,
    BookRows,
    Held,
    Quote,
    exact,
)
from xl_rebal.trading.checks_dates import Day, arrives_on, is_reserved, leaves_on, settlement_of
from xl_rebal.trading.limits import Limits
from xl_rebal.trading.plan import Action, Plan, Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trade with what the book says of its security.

    quotes        prices that the book knows for it.
    class_names   target classes that it may count in (one, unless the book contradicts itself).
    step_value    money of one quantity step.
    rules         the restrictions that bind the security in this account.
    fund          what the account's custodian asks of orders for it.
    free_units    units held long enough to bear no redemption fee.
    settles       the day on which the trade's money moves.
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
    fund: FundRule | None
    free_units: Decimal
    settles: Day

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
    """A plan beside the account that it is for: everything that the rules compare.

    reserve      money that stays: the account's reserve and withdrawals that are known.
    leaving_on   these withdrawals by day; `today` is the trade date.
    least_cash   the least cash without any trade, less the account's reserve, from the first day on which
                 a trade settles.
    """

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
    leaving_on: dict[Day, Decimal]
    today: Day
    least_cash: Decimal

    @property
    def where(self) -> str:
        return f"account {self.plan.account}"

    @property
    def short_of_cash(self) -> bool:
        """True when cash does not reach the reserve at some time: something has to be sold."""
        return self.least_cash < -HALF_CENT


def rules_for(rows: BookRows, account: Account, symbol: str, security: Security) -> frozenset[Rule]:
    """The restrictions that bind a security in an account."""
    return frozenset(
        r.rule
        for r in rows.restrictions(account)
        if r.applies(account, symbol=symbol, tags=security.tags)
    )


def case_of(rows: BookRows, account: AccountRows, plan: Plan, limits: Limits) -> Case:
    """The plan in decimals. The base is recomputed: counted rows + flow - reserve."""
    lines = tuple(_line(rows, account, plan, trade) for trade in plan.trades)
    flow, keep = exact(plan.flow), exact(account.account.cash_reserve)
    leaving: dict[Day, Decimal] = {}
    for each in rows.flows.get(plan.account, ()):
        if is_reserved(each, rows.timing):
            day = leaves_on(each, rows.timing)
            leaving[day] = leaving.get(day, ZERO) - exact(each.amount)
    reserve = keep + sum(leaving.values(), ZERO)
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
        leaving_on=leaving,
        today=arrives_on(None, rows.timing),
        least_cash=_least_cash(account, lines, flow - keep, leaving),
    )


def _least_cash(
    account: AccountRows, lines: Sequence[Line], more: Decimal, leaving: dict[Day, Decimal]
) -> Decimal:
    """The least of cash on the days that trades can help, had nothing been traded."""

    def order(day: Day) -> int:
        return day if isinstance(day, int) else day.toordinal()

    first = min((order(line.settles) for line in lines), default=0)
    ends = {first, *map(order, account.arriving), *map(order, leaving)}
    return min(
        account.settled
        + more
        + sum((v for day, v in account.arriving.items() if order(day) <= end), ZERO)
        - sum((v for day, v in leaving.items() if order(day) <= end), ZERO)
        for end in ends
        if end >= first
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
    fund = rows.fund_rule(account.account, trade.symbol)
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
        rules=rules_for(rows, account.account, trade.symbol, security),
        fund=fund,
        free_units=rows.free_units(plan.account, trade.symbol, fund),
        settles=settlement_of(security, fund, rows.timing),
    )
