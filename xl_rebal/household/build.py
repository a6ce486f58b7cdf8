"""From the tables of a book to the problem of one household; what is wrong with them is said together."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xl_rebal.bands import Widths, widths
from xl_rebal.drift import Drift, drift_of, measure
from xl_rebal.errors import FaultList, PlanError, TaxError
from xl_rebal.household.columns import LotColumns
from xl_rebal.household.lot_rows import lots_of_pairs
from xl_rebal.household.pairs import Pair
from xl_rebal.household.problem import (
    ClassAims,
    HouseholdProblem,
    TaxReturn,
    Vector,
)
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.request_checks import require_sense
from xl_rebal.household.tax_returns import returns_of
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import HORIZON, reserved
from xl_rebal.portfolio.history import require_past_trades
from xl_rebal.portfolio.policies import Goal, Policy
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.default_relief import names_lots, relief_note
from xl_rebal.tax.taxpayers import Taxpayers, taxpayers
from xl_rebal.tax.wash_sales import identical_group
from xl_rebal.tax.wash_window import WashWindow, wash_window
from xl_rebal.trading.limits import Timing
from xl_rebal.trading.problem import HALF_CENT, Line
from xl_rebal.trading.rules import Terms, lines_of_account, positions_by_account
from xl_rebal.trading.settlement import Settlement
from xl_rebal.trading.timeline import cash_of_accounts, with_leaving
from xl_rebal.triggers import judge

MUNICIPAL = "municipal"
NOT_TRADED = "not traded"


def households(book: Book) -> list[str]:
    """The households of a book in order of appearance; accounts that name none are one."""
    return list(dict.fromkeys(book.account(a).household for a in book.holdings.accounts()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all households of a book share, and what stays when prices move: who is taxed with whom, the
    securities by symbol, and what the last thirty days forbid.
    """

    who: Taxpayers
    securities: Mapping[str, Security]
    window: WashWindow


def surroundings(source: HouseholdBook, request: HouseholdRequest) -> Surroundings:
    """The surroundings of the households of a book on the day of the request."""
    book = source.book
    require_past_trades(source.history, request.as_of)
    who = taxpayers(book.accounts, source.profiles, named=source.used_accounts)
    symbols = dict.fromkeys((*book.securities, *book.holdings.symbol.tolist()))
    known = {symbol: book.security(symbol) for symbol in symbols if symbol}
    window = wash_window(
        source.history, who, as_of=request.as_of, securities=known, lots=source.lots
    )
    return Surroundings(who=who, securities=known, window=window)


def problem_of(
    source: HouseholdBook,
    request: HouseholdRequest,
    household: str,
    around: Surroundings | None = None,
) -> HouseholdProblem:
    """The problem of one household. Raises TaxError or PlanError with every fault that was found.

    around  what all households of the book share, worked out here where it is not given.
    """
    around = around if around is not None else surroundings(source, request)
    who, known, window = around.who, around.securities, around.window
    book = _keeping_back(source.book, request)
    names = [a for a in book.holdings.accounts() if book.account(a).household == household]
    accounts = tuple(book.account(name) for name in names)
    require_sense(request, book, names)
    drift, flow = _household_drift(book, request, household, names)
    pairs = _pairs(book, accounts, drift, request, who, window)
    faults = FaultList()
    lots: LotColumns | None = None
    with faults.collecting():
        lots = lots_of_pairs(
            source, pairs, accounts, window, known, request.as_of, _averaged(accounts, request)
        )
    returns: tuple[TaxReturn, ...] = ()
    return_of: tuple[int, ...] = ()
    income_of: tuple[int, ...] = ()
    with faults.collecting():
        returns, return_of, income_of = returns_of(source, accounts, who, request)
    faults.raise_as(TaxError)
    assert lots is not None  # what kept them from being made has been raised
    band = widths(request.policy, drift)
    settlement = Settlement(Timing(as_of=request.as_of))
    cash = cash_of_accounts(book, settlement, {}, {})
    settled = np.array([cash[name].settled for name in names])
    return HouseholdProblem(
        household=household,
        source=source,
        request=request,
        who=who,
        accounts=accounts,
        pairs=pairs,
        lot=lots,
        cash=settled,
        flow=flow,
        value=drift.value[0],
        classes=drift.classes,
        cash_index=_cash(drift),
        drift=drift,
        widths=band,
        aims=_aims(request.policy, drift, band, pairs, float(drift.base[0]) - request.to_raise),
        returns=returns,
        return_of=return_of,
        income_of=income_of,
        why=_why(request, drift, accounts, pairs, flow, settled),
        notes=(
            *_notes(accounts),
            *who.notes_of(names),
            *filter(None, map(relief_note, (a for a in accounts if who.is_taxable(a.account)))),
            *_several_prices(accounts, pairs),
            *_several_days(accounts, pairs, settlement),
            *_reinvested(lots, pairs, accounts, window),
            *_waiting(lots, pairs, accounts, window),
        ),
        buybacks=tuple(
            sale
            for (house, _), sales in window.buybacks.items()
            if house == household
            for sale in sales
            if sale.safe_from > request.as_of
        ),
    )


def _keeping_back(book: Book, request: HouseholdRequest) -> Book:
    """The book with known withdrawals of the next days kept back in their accounts."""
    leaving = reserved(book.flows, as_of=request.as_of, horizon=HORIZON)
    if not leaving:
        return book
    changed = {name: with_leaving(book.account(name), flows) for name, flows in leaving.items()}
    return replace(book, accounts={**book.accounts, **changed})


def _averaged(accounts: tuple[Account, ...], request: HouseholdRequest) -> frozenset[str]:
    """The accounts that name no lots and whose funds cost their average."""
    return frozenset(
        account.account
        for account in accounts
        if not names_lots(account) or account.account in request.no_lots_sent
    )


def _cash(drift: Drift) -> int:
    assert drift.cash_index is not None  # class_columns always has one
    return drift.cash_index


def _household_drift(
    book: Book, request: HouseholdRequest, household: str, names: list[str]
) -> tuple[Drift, Vector]:
    """The drift of the household as one portfolio, flows included, and the flow of each account."""
    flow = np.array([float(request.flows.get(name, 0.0)) for name in names])
    found = [d for d in measure(book) if set(d.accounts) & set(names)]
    if len({id(d.targets) for d in found}) > 1 or len(found) != 1:
        models = ", ".join(sorted({book.account(n).model or "(none)" for n in names}))
        raise PlanError.of(
            where=f"household {household or '(unnamed)'}",
            what=f"its accounts follow several models ({models})",
            remedy="give all accounts of a household one model: it is planned as one portfolio",
        )
    mine = np.isin(np.array(found[0].accounts, dtype=object), names)
    value = found[0].value[mine].sum(axis=0, keepdims=True)
    value[0, _cash(found[0])] += flow.sum()
    total = drift_of(found[0].targets, (household or "household",), found[0].classes, value)
    if not total.base[0] - request.to_raise > HALF_CENT:
        raise PlanError.of(
            where=f"household {household or '(unnamed)'}",
            what=f"nothing is left of its {total.base[0]:,.2f} after the cash need",
            remedy="raise or withdraw less",
        )
    return total, flow


def _pairs(
    book: Book,
    accounts: tuple[Account, ...],
    drift: Drift,
    request: HouseholdRequest,
    who: Taxpayers,
    window: WashWindow,
) -> tuple[Pair, ...]:
    held = positions_by_account(book)
    terms = Terms(book, request.limits, Settlement(Timing(as_of=request.as_of)))
    income = [_is_income(name) for name in drift.classes]
    kinds: dict[tuple[str, int], tuple[bool, str]] = {}
    result = []
    for place, account in enumerate(accounts):
        if account.held_away:
            continue
        lines = [
            line
            for line in lines_of_account(book, account, drift, held[account.account], terms)
            if line.klass >= 0 and line.unit_value > 0
        ]
        taxable = who.is_taxable(account.account)
        ranks = _ranks(lines)
        for line in lines:
            kind = kinds.get((line.symbol, line.klass))
            if kind is None:
                group = identical_group(book.securities, line.symbol)
                kind = kinds[line.symbol, line.klass] = (_is_municipal(drift, line, book), group)
            municipal, group = kind
            known = ranks[line.klass]
            result.append(
                Pair(
                    account=place,
                    line=line,
                    taxable=taxable,
                    location=request.prices.location
                    if taxable and not municipal and income[line.klass]
                    else 0.0,
                    rank=request.prices.rank
                    * known.get((not line.replaces, line.rank), len(known)),
                    group=group,
                    no_buy=_no_buy(line, account, window, municipal=municipal, taxable=taxable),
                )
            )
    return tuple(result)


def _is_municipal(drift: Drift, line: Line, book: Book) -> bool:
    """True for a security whose tax class says so, or the path of its class."""
    security = book.security(line.symbol)
    path = security.asset_class or drift.classes[line.klass]
    return MUNICIPAL in (security.tax_class.casefold(), *classes.key(path).split("/"))


def _is_income(name: str) -> bool:
    """Classes whose yield is taxed as ordinary income year by year."""
    return classes.covers("Bonds", name) or classes.covers("Real Estate", name)


def _ranks(lines: list[Line]) -> dict[int, dict[tuple[bool, float], int]]:
    """By class: how many ranks stand before each that can be bought; a substitute stands first."""
    found: dict[int, set[tuple[bool, float]]] = {line.klass: set() for line in lines}
    for line in lines:
        if line.can_buy:
            found[line.klass].add((not line.replaces, line.rank))
    return {
        klass: {rank: place for place, rank in enumerate(sorted(ranks))}
        for klass, ranks in found.items()
    }


def _no_buy(
    line: Line, account: Account, window: WashWindow, *, municipal: bool, taxable: bool
) -> str:
    if not line.can_buy:
        return line.blocked or NOT_TRADED
    if line.money_fund:
        return "cash in another form"
    if municipal and not taxable:
        return "municipal: its interest is free of tax only in a taxable account"
    if account.menu and line.symbol.casefold() not in account.menu:
        return "not on the account's menu"
    until = window.blocked_until(line.symbol, account.account) if window.buybacks else None
    if until is not None:
        return f"sold at a loss within 30 days: it would be a wash sale until {until}"
    return ""


def _aims(
    policy: Policy, drift: Drift, band: Widths, pairs: tuple[Pair, ...], base: float
) -> ClassAims:
    """The destination and the edges of the band in money; the edge is left by a step of a security."""
    target, now = drift.target, drift.drift[0]
    goal = policy.destination.goal
    down, up = band.down, band.up
    finite = np.isfinite(down) & np.isfinite(up)
    inner_down = inner_up = np.zeros(len(target))
    if goal is Goal.HALFWAY:
        inner_down, inner_up = np.maximum(-now, 0.0) / 2, np.maximum(now, 0.0) / 2
    elif goal is Goal.EDGE:
        inner_down, inner_up = np.where(finite, down, 0.0), np.where(finite, up, 0.0)
    elif goal is Goal.INNER:
        share = policy.destination.share
        inner_down = np.where(finite, share * down, 0.0)
        inner_up = np.where(finite, share * up, 0.0)
    if policy.breached_only:
        rest = finite & (now < up) & (now > -down)
        inner_down, inner_up = np.where(rest, down, inner_down), np.where(rest, up, inner_up)
    step = np.zeros(len(target))
    for pair in pairs:
        step[pair.line.klass] = max(step[pair.line.klass], pair.line.step_value)
    room_down = np.minimum(0.2 * down * base, 2 * step + HALF_CENT)
    room_up = np.minimum(0.2 * up * base, 2 * step + HALF_CENT)
    outer_low = np.where(np.isfinite(down), (target - down) * base + room_down, -math.inf)
    outer_high = np.where(np.isfinite(up), (target + up) * base - room_up, math.inf)
    return ClassAims(
        inner_low=np.maximum((target - inner_down) * base, outer_low),
        inner_high=np.minimum((target + inner_up) * base, outer_high),
        outer_low=outer_low,
        outer_high=outer_high,
        cap_low=np.minimum((target - 0.999 * down) * base, (target - np.abs(now)) * base),
        cap_high=np.maximum((target + 0.999 * up) * base, (target + np.abs(now)) * base),
    )


def _why(
    request: HouseholdRequest,
    drift: Drift,
    accounts: tuple[Account, ...],
    pairs: tuple[Pair, ...],
    flow: Vector,
    settled: Vector,
) -> str:
    """What asks for trades, in words; empty when nothing does."""
    dates = [account.last_rebalanced for account in accounts if account.last_rebalanced]
    verdict = judge(
        request.policy,
        drift,
        as_of=request.as_of,
        last_rebalanced=[min(dates) if dates else None],
    )
    asked = [verdict.why(0)] if verdict.fires[0] else []
    if flow.any():
        asked.append(f"flows of {flow.sum():,.2f}")
    short = [
        f"{account.account} is short of {account.kept_back - float(money):,.2f} of cash"
        for account, money in zip(accounts, settled + flow, strict=True)
        if money < account.kept_back - HALF_CENT and not account.held_away
    ]
    asked += short
    if request.cash_need:
        asked.append(f"{request.cash_need:,.2f} of cash to raise")
    if request.withdrawal:
        asked.append(f"{request.withdrawal:,.2f} to withdraw")
    if request.harvest:
        asked.append(f"losses of {request.harvest:,.2f} to harvest")
    banned = sorted({pair.line.symbol for pair in pairs if pair.line.must_sell})
    if banned:
        asked.append(f"{', '.join(banned)} must not be held")
    return "; ".join(asked)


def _several_prices(accounts: tuple[Account, ...], pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    """Securities that stand at different prices: of different days, or of the securities table."""
    found: dict[str, dict[float, str]] = {}
    for pair in pairs:
        if pair.line.quantity > 0 or not pair.no_buy:
            name = accounts[pair.account].account
            found.setdefault(pair.line.symbol, {}).setdefault(pair.line.unit_value, name)
    return tuple(
        f"{symbol} stands at several prices ("
        + ", ".join(f"{price:,.6g} in {name}" for price, name in prices.items())
        + "): each account's orders are worked out at its own; give the prices of one day"
        for symbol, prices in found.items()
        if max(prices) - min(prices) > 1e-9 * max(prices)
    )


def _several_days(
    accounts: tuple[Account, ...], pairs: tuple[Pair, ...], settlement: Settlement
) -> tuple[str, ...]:
    """Accounts whose securities settle on several days: sales may pay late for what is bought."""
    result = []
    for place, account in enumerate(accounts):
        days = sorted({pair.line.settles for pair in pairs if pair.account == place})
        if len(days) > 1:
            words = ", ".join(settlement.words(day) for day in days)
            result.append(
                f"securities of account {account.account} settle on several days ({words}): send sales first"
            )
    return tuple(result)


def _reinvested(
    lots: LotColumns,
    pairs: tuple[Pair, ...],
    accounts: tuple[Account, ...],
    window: WashWindow,
) -> tuple[str, ...]:
    """Reinvested dividends that would wash a loss after the plan."""
    if not window.reinvests:
        return ()
    notes = {}
    for place in np.unique(lots.pair[lots.gain_rate < 0]).tolist():
        pair = pairs[place]
        where = window.reinvesting(pair.line.symbol, accounts[pair.account].account)
        if where:
            notes[pair.line.symbol] = (
                f"{pair.line.symbol}: dividends are reinvested in {', '.join(where)}; turn that off before "
                "a loss of it is sold"
            )
    return tuple(notes.values())


def _waiting(
    lots: LotColumns,
    pairs: tuple[Pair, ...],
    accounts: tuple[Account, ...],
    window: WashWindow,
) -> tuple[str, ...]:
    """Losses that a purchase of the last 30 days would wash, and from when they are safe to take."""
    found: dict[tuple[str, str, dt.date], float] = {}
    for j in np.flatnonzero(~lots.may_lose).tolist():
        pair = pairs[int(lots.pair[j])]
        line, name = pair.line, accounts[pair.account].account
        row, acquired = int(lots.row[j]), lots.acquired[j].astype(object)
        recent = window.replacing(line.symbol, name, row=row, acquired=acquired)
        key = (line.symbol, name, max(purchase.safe_from for purchase in recent))
        loss = -float(lots.gain_rate[j] * lots.quantity[j]) * line.unit_value
        found[key] = found.get(key, 0.0) + loss
    return tuple(
        f"a loss of {loss:,.2f} in {symbol} of {name} is left alone: a purchase of the last 30 days would "
        f"make it a wash sale; it is safe to take from {day}"
        for (symbol, name, day), loss in found.items()
    )


def _notes(accounts: tuple[Account, ...]) -> tuple[str, ...]:
    notes = []
    for account in accounts:
        if account.held_away:
            notes.append(f"account {account.account} is held away: it counts, and gets no orders")
        if not account.discretionary:
            notes.append(
                f"account {account.account} is not discretionary: its trades need the client's word first"
            )
    return tuple(notes)
