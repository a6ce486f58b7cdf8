"""The numbers of a client's workbook, as nouns: what every formula of it must come to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xl_rebal.bands import widths
from xl_rebal.drift import drift_of
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import ALL_TOGETHER, target_of
from xl_rebal.portfolio.holdings import Kind
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.targets import Targets
from xl_rebal.tax.taxpayers import TAXABLE
from xl_rebal.trading.plan import Action, ClassResult, Trade
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.figures import CENT_DUST, NOT_COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLine:
    """One class of one portfolio; `down` and `up` are the widths of its band, None for none.

    portfolio  number of the portfolio, from 1; `asset_class_no` likewise over all portfolios.
    aside      flow less reserve, which count in its cash and are no holding.
    base       weight base before the trades, `base_after` after them.
    """

    portfolio: int
    label: str
    asset_class_no: int
    is_cash: bool
    result: ClassResult
    down: float | None
    up: float | None
    aside: float
    base: float
    base_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTotals:
    """The classes of all portfolios together, column by column; shares of all weight bases."""

    name: Sequence[str]
    value: Sequence[float]
    traded: Sequence[float]
    current: Sequence[float]
    target: Sequence[float]
    after: Sequence[float]
    drift: Sequence[float]
    drift_after: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account's money."""

    account: Account
    portfolio: int
    value: float
    cash_before: float
    flow: float
    sells: float
    buys: float
    costs: float
    trades: int
    why: str

    @property
    def cash_after(self) -> float:
        """Cash before + flow + sells - buys - costs."""
        return self.cash_before + self.flow + self.sells - self.buys - self.costs

    @property
    def is_short(self) -> bool:
        """True when the cash after the trades is below the reserve."""
        return self.cash_after - self.account.kept_back < -CENT_DUST


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingLines:
    """The holdings column by column, in the order of the book."""

    account: Sequence[str]
    account_no: Sequence[int]
    symbol: Sequence[str]
    description: Sequence[str]
    kind: Sequence[str]
    asset_class: Sequence[str]
    target_class: Sequence[str]
    quantity: Sequence[float | None]
    price: Sequence[float | None]
    multiplier: Sequence[float | None]
    fx: Sequence[float | None]
    value: Sequence[float | None]
    weight: Sequence[float | None]
    counted: Sequence[str]
    drift_row: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFigures:
    """Everything that the sheets show.

    class_names  the classes of all portfolios, in order of appearance.
    trade_rows   the row of each trade's class in `classes`, counted from 1.
    unit_values  money per unit in the base currency, by account and symbol; `rates` FX likewise.
    """

    pages: ClientPages
    classes: tuple[ClassLine, ...]
    class_names: tuple[str, ...]
    accounts: tuple[AccountLine, ...]
    holdings: HoldingLines
    trades: tuple[Trade, ...]
    trade_rows: tuple[int, ...]
    unit_values: Mapping[tuple[str, str], tuple[float, float]]

    def is_taxed(self, account: str) -> bool:
        """True for an account whose gains are taxed as they are realised."""
        return (self.pages.book.account(account).type or TAXABLE).casefold() == TAXABLE

    @property
    def outside(self) -> int:
        """How many classes stand outside their band."""
        return sum(line.result.status_before != "within" for line in self.classes)

    @property
    def outside_after(self) -> int:
        """How many still do after the trades."""
        return sum(line.result.status_after != "within" for line in self.classes)

    @property
    def banded(self) -> int:
        """How many have a band."""
        return sum(line.down is not None or line.up is not None for line in self.classes)

    def class_totals(self) -> ClassTotals:
        """The classes of all portfolios together; targets are weighted by the portfolios' bases."""
        count = len(self.class_names)
        value, after = [0.0] * count, [0.0] * count
        target, target_after, traded = [0.0] * count, [0.0] * count, [0.0] * count
        for line in self.classes:
            k = line.asset_class_no - 1
            value[k] += line.result.value_before
            after[k] += line.result.value_after
            traded[k] += line.result.value_after - line.result.value_before
            target[k] += line.result.target * line.base
            target_after[k] += line.result.target * line.base_after
        total, total_after = math.fsum(value), math.fsum(after)
        current, aims = _shares(value, total), _shares(target, total)
        later, aims_after = _shares(after, total_after), _shares(target_after, total_after)
        return ClassTotals(
            name=self.class_names,
            value=value,
            traded=traded,
            current=current,
            target=aims,
            after=later,
            drift=[a - b for a, b in zip(current, aims, strict=True)],
            drift_after=[a - b for a, b in zip(later, aims_after, strict=True)],
        )

    @property
    def gain_left(self) -> float:
        """The gain of taxable lots that the plan does not realise, losses counted against gains."""
        lots, sold = self.pages.lots, dict[int, float]()
        for sale in self.pages.lot_sales:
            sold[sale.row] = sold.get(sale.row, 0.0) + sale.quantity
        total = 0.0
        for row, (account, symbol, quantity, cost) in enumerate(
            zip(
                lots.account,
                lots.symbol,
                lots.quantity.tolist(),
                lots.unit_cost.tolist(),
                strict=True,
            )
        ):
            value = self.unit_values.get((account, symbol))
            if value is not None and math.isfinite(cost) and self.is_taxed(account):
                total += (quantity - sold.get(row, 0.0)) * (value[0] - cost * value[1])
        return total


def client_figures(pages: ClientPages) -> ClientFigures:
    """The figures of a client."""
    names = pages.book.holdings.accounts()
    lines, portfolio_of = _class_lines(pages, names)
    row_of = {
        (line.portfolio, line.result.asset_class): row for row, line in enumerate(lines, start=1)
    }
    holdings = _holdings(pages, names, portfolio_of, lines, row_of)
    trades = pages.trades
    return ClientFigures(
        pages=pages,
        classes=lines,
        class_names=tuple(dict.fromkeys(line.result.asset_class for line in lines)),
        accounts=_accounts(pages, names, portfolio_of, holdings),
        holdings=holdings,
        trades=trades,
        trade_rows=tuple(
            [row_of.get((portfolio_of[trade.account], trade.asset_class), 0) for trade in trades]
        ),
        unit_values=_unit_values(holdings),
    )


def _shares(amounts: Sequence[float], total: float) -> list[float]:
    return [amount / total if total > CENT_DUST else 0.0 for amount in amounts]


def _class_lines(
    pages: ClientPages, names: Sequence[str]
) -> tuple[tuple[ClassLine, ...], dict[str, int]]:
    """The classes of every portfolio, and the portfolio of each account (0 for none)."""
    book, result = pages.book, []
    numbers: dict[str, int] = {}
    if pages.together is not None:
        plan = pages.together
        flow = math.fsum(each.flow - each.raised for each in plan.accounts)
        reserve = math.fsum(book.account(name).kept_back for name in names)
        targets = book.targets_of(names[0])
        result += _lines_of(pages, ALL_TOGETHER, 1, targets, plan.classes, flow - reserve, numbers)
        return tuple(result), dict.fromkeys(names, 1)
    portfolio_of = dict.fromkeys(names, 0)
    for number, each in enumerate(pages.plans, start=1):
        portfolio_of[each.account] = number
        aside = each.flow - book.account(each.account).kept_back
        targets = book.targets_of(each.account)
        result += _lines_of(pages, each.account, number, targets, each.classes, aside, numbers)
    return tuple(result), portfolio_of


def _lines_of(
    pages: ClientPages,
    label: str,
    portfolio: int,
    targets: Targets,
    found: Sequence[ClassResult],
    aside: float,
    numbers: dict[str, int],
) -> list[ClassLine]:
    down, up = _band(pages.policy, targets)
    base = math.fsum(each.value_before for each in found)
    base_after = math.fsum(each.value_after for each in found)
    cash = next(k for k, each in enumerate(found) if classes.is_cash(each.asset_class))
    return [
        ClassLine(
            portfolio=portfolio,
            label=label,
            asset_class_no=numbers.setdefault(each.asset_class, len(numbers) + 1),
            is_cash=k == cash,
            result=each,
            down=down[k],
            up=up[k],
            aside=aside if k == cash else 0.0,
            base=base,
            base_after=base_after,
        )
        for k, each in enumerate(found)
    ]


@lru_cache(maxsize=256)  # a firm has few models and policies, and many clients
def _band(
    policy: Policy, targets: Targets
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """The widths of the band of each class, None for none."""
    empty = np.zeros((1, len(targets.columns)))
    found = widths(policy, drift_of(targets, ("",), targets.columns, empty))
    return tuple(map(_blank, found.down.tolist())), tuple(map(_blank, found.up.tolist()))


def _blank(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _holdings(
    pages: ClientPages,
    names: Sequence[str],
    portfolio_of: Mapping[str, int],
    lines: Sequence[ClassLine],
    row_of: Mapping[tuple[int, str], int],
) -> HoldingLines:
    held = pages.book.holdings
    account_no = {name: number for number, name in enumerate(names, start=1)}
    targets = {name: pages.book.targets_of(name) for name in names}
    accounts, symbols = held.account.tolist(), held.symbol.tolist()
    kinds, paths = held.kind.tolist(), held.asset_class.tolist()
    values = held.value.tolist()
    target_class, counted, drift_row, weight = [], [], [], []
    for account, symbol, kind, path, value in zip(
        accounts, symbols, kinds, paths, values, strict=True
    ):
        name = NOT_COUNTED
        if kind != Kind.PENDING.value:
            name = _target_class(targets[account], symbol, path)
        row = row_of.get((portfolio_of[account], name), 0)
        target_class.append(name)
        drift_row.append(row)
        counted.append(
            "yes"
            if row
            else "pending"
            if kind == Kind.PENDING.value
            else "excluded"
            if name == classes.EXCLUDED
            else "no"
        )
        base = lines[row - 1].base if row else 0.0
        weight.append(None if not row else value / base if base > CENT_DUST else 0.0)
    return HoldingLines(
        account=accounts,
        account_no=[account_no[name] for name in accounts],
        symbol=symbols,
        description=held.description.tolist(),
        kind=kinds,
        asset_class=paths,
        target_class=target_class,
        quantity=list(map(_blank, held.quantity.tolist())),
        price=list(map(_blank, held.price.tolist())),
        multiplier=list(map(_blank, held.multiplier.tolist())),
        fx=list(map(_blank, held.fx.tolist())),
        value=list(map(_blank, values)),
        weight=weight,
        counted=counted,
        drift_row=drift_row,
    )


def _target_class(targets: Targets, symbol: str, asset_class: str) -> str:
    name = target_of(symbol, asset_class, targets)
    if name == classes.CASH:
        return next(column for column in targets.columns if classes.is_cash(column))
    return NOT_COUNTED if name is None else name


def _accounts(
    pages: ClientPages,
    names: Sequence[str],
    portfolio_of: Mapping[str, int],
    holdings: HoldingLines,
) -> tuple[AccountLine, ...]:
    value = dict.fromkeys(names, 0.0)
    cash = dict.fromkeys(names, 0.0)
    for account, kind, amount in zip(holdings.account, holdings.kind, holdings.value, strict=True):
        if kind != Kind.PENDING.value and amount is not None:
            value[account] += amount
            if kind == Kind.CASH.value:
                cash[account] += amount
    flow, why = dict.fromkeys(names, 0.0), dict.fromkeys(names, "")
    if pages.together is not None:
        for each in pages.together.accounts:
            flow[each.account] = each.flow - each.raised
        why = dict.fromkeys(names, pages.together.why or "nothing asks for trades")
    for plan in pages.plans:
        flow[plan.account], why[plan.account] = plan.flow, plan.why
    trades: dict[str, list[Trade]] = {name: [] for name in names}
    for trade in pages.trades:
        trades[trade.account].append(trade)
    return tuple(
        AccountLine(
            account=pages.book.account(name),
            portfolio=portfolio_of[name],
            value=value[name],
            cash_before=cash[name],
            flow=flow[name],
            sells=math.fsum(t.value for t in trades[name] if t.action is Action.SELL),
            buys=math.fsum(t.value for t in trades[name] if t.action is Action.BUY),
            costs=math.fsum(t.cost for t in trades[name]),
            trades=len(trades[name]),
            why=why[name],
        )
        for name in names
    )


def _unit_values(holdings: HoldingLines) -> dict[tuple[str, str], tuple[float, float]]:
    """Money per unit in the base currency and the FX rate, by account and symbol."""
    found = {}
    rows = zip(holdings.price, holdings.multiplier, holdings.fx, strict=True)
    for account, symbol, (price, multiplier, fx) in zip(
        holdings.account, holdings.symbol, rows, strict=True
    ):
        if price is not None and multiplier is not None and fx is not None:
            found[account, symbol] = (price * multiplier * fx, fx)
    return found
