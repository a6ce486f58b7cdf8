"""One client: from its tables to verified plans, or to the reason why there are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xl_rebal.batch.settings import BatchSettings
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.custodians.book_tables import BookTables
from xl_rebal.custodians.orders import VerifiedOrders, orders_of_household, orders_of_rebalancing
from xl_rebal.drift import measure
from xl_rebal.errors import RebalError, TableError
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.accounts import Account, PlanMode
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.classes import is_cash
from xl_rebal.portfolio.policies import Destination, Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.rebalance import Rebalancing, Request, plan_each, rebalance
from xl_rebal.tax.profiles import profiles_of
from xl_rebal.trading.limits import FlowMode, Limits, OrderStyle, OrderType, TimeInForce
from xl_rebal.trading.plan import Action, Plan, Trade
from xl_rebal.trading.price_moves import ShortOfCash, short_of_cash, shortages
from xl_rebal.trading.problem import HALF_CENT

_BUFFERED = 4  # times that a client is planned again for its buffer
_MORE = 1.5  # of what is short: whole shares leave a little less than what is kept back


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """What a client's accounts are to do, verified.

    household  the id that the book gives it.
    name       what people call it.
    policy     the policy text that it follows, and `asked` what it means in its mode.
    accounts   the plans of its accounts, each for itself; in mode household_tax of no trades, for the
               drift that the workbook shows.
    together   the plan of all accounts as one, in mode household_tax.
    orders     its trades as they are sent; only verified plans make them.
    short      accounts that a rise of prices by the settings' buffer would overdraw, in words.
    """

    household: str
    name: str
    mode: PlanMode
    policy: str
    asked: Policy
    tables: BookTables
    accounts: Rebalancing
    orders: VerifiedOrders
    together: HouseholdPlan | None = None
    short: tuple[str, ...] = ()

    @property
    def trades(self) -> tuple[Trade, ...]:
        """All trades of the client, as they are to be sent."""
        if self.together is not None:
            return self.together.trades
        return tuple(trade for plan in self.accounts.plans for trade in plan.trades)

    @property
    def why(self) -> str:
        """What asks for trades; empty when nothing does."""
        if self.together is not None:
            return self.together.why
        return "; ".join(
            f"{plan.account}: {plan.why}" for plan in self.accounts.plans if plan.triggered
        )


def plan_client(tables: BookTables, household: str, settings: BatchSettings) -> ClientPlan:
    """Plan one client; `tables` hold its accounts only, and what all clients share.

    Raises RebalError where its rows, its policy or its limits allow no plan.
    """
    accounts = _accounts(tables)
    mode = PlanMode(one_for_all(accounts, "plan_mode", settings.mode.value))
    text = one_for_all(accounts, "policy", settings.policy)
    policy = parse_policy(text)
    if mode is PlanMode.PRO_RATA:
        policy = replace(policy, destination=Destination(), breached_only=False)
    name = one_for_all(accounts, "client", household)
    asked = _Asked(household=household, name=name, policy=policy, tables=tables, settings=settings)
    plan = _together if mode is PlanMode.HOUSEHOLD_TAX else _one_by_one
    made = plan(asked, _book(tables))
    buffered = _with_buffer(made, asked, plan)
    return ClientPlan(
        household=household,
        name=name,
        mode=mode,
        policy=text,
        asked=policy,
        tables=tables,
        accounts=buffered.accounts,
        orders=buffered.orders,
        together=buffered.together,
        short=tuple(each.in_words() for each in buffered.short),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    household: str
    name: str
    policy: Policy
    tables: BookTables
    settings: BatchSettings

    @property
    def clients(self) -> dict[str, str]:
        """The client's name by account, as orders carry it."""
        return dict.fromkeys(self.tables.holdings.accounts(), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    accounts: Rebalancing
    orders: VerifiedOrders
    short: tuple[ShortOfCash, ...]
    together: HouseholdPlan | None = None


def _one_by_one(asked: _Asked, book: Book) -> _Made:
    settings = asked.settings
    request = Request(policy=asked.policy, limits=_limits(settings), as_of=settings.as_of)
    result = _with_idle_cash(rebalance(book, request), settings.idle_cash)
    return _Made(
        accounts=result,
        orders=orders_of_rebalancing(result, plan_id=settings.export, clients=asked.clients),
        short=shortages(result.plans, settings.price_move),
    )


def _with_idle_cash(result: Rebalancing, share: float) -> Rebalancing:
    """The plans; accounts that ask for nothing but hold much idle cash buy what is underweight with it."""
    book = result.book
    idle = {
        plan.account: f"{found:,.2f} of cash lies idle"
        for plan in result.plans
        if not plan.triggered
        and not plan.trades
        and not book.account(plan.account).held_away
        and (found := _idle(plan)) > HALF_CENT
        and found >= share * (plan.base_before + plan.reserve)
    }
    if not idle:
        return result
    mask = np.isin(book.holdings.account.astype(str), list(idle))
    part = replace(book, holdings=book.holdings.take(mask))
    bought = plan_each(part, replace(result.request, flow_mode=FlowMode.BUY_ONLY))
    plans = {
        plan.account: replace(plan, why=f"{idle[plan.account]}; {plan.why}")
        for plan in bought.plans
        if plan.trades
    }
    return replace(result, plans=tuple(plans.get(plan.account, plan) for plan in result.plans))


def _idle(plan: Plan) -> float:
    """Cash beyond its target and what is kept back, in money."""
    return sum(row.drift_before for row in plan.classes if is_cash(row.asset_class)) * (
        plan.base_before
    )


def _together(asked: _Asked, book: Book) -> _Made:
    settings, tables = asked.settings, asked.tables
    day = settings.as_of
    if day is None:
        raise TableError.of(
            where=tables.name,
            what="does not say of which day it is, and terms and wash sales depend on it",
            remedy="add a column as_of to the holdings, or --as-of 2026-11-25",
        )
    source = HouseholdBook(
        book=book,
        lots=tables.lots,
        history=tables.history,
        profiles=profiles_of(tables.tax_profiles, day.year),
    )
    limits = _limits(settings)
    request = HouseholdRequest(policy=asked.policy, as_of=day, limits=limits)
    # The planner knows accounts that name no household as those of the household "".
    named = {book.account(name).household for name in tables.holdings.accounts()}
    plan = plan_household(source, request, asked.household if asked.household in named else "")
    drifts = Request(policy=asked.policy, limits=limits, as_of=day)
    spendable = {
        each.account: each.cash_after
        + math.fsum(
            t.value + t.cost
            for t in plan.trades
            if t.account == each.account and t.action is Action.BUY
        )
        for each in plan.accounts
    }
    return _Made(
        accounts=Rebalancing(book=book, request=drifts, drifts=tuple(measure(book)), plans=()),
        orders=orders_of_household(
            source, request, plan, plan_id=settings.export, clients=asked.clients
        ),
        short=short_of_cash(plan.trades, spendable, settings.price_move),
        together=plan,
    )


def _with_buffer(made: _Made, asked: _Asked, plan: Callable[[_Asked, Book], _Made]) -> _Made:
    """The plan, with cash kept back for a rise of prices where it would overdraw an account.

    What is short is added to the account's reserve, and the client is planned again. Where that leaves
    no plan, or none that trades, the first one stands and what is short is reported.
    """
    best = made
    book = made.accounts.book
    for _ in range(_BUFFERED):
        if not best.short:
            break
        book = _keeping_more(book, best.short)
        try:
            again = plan(asked, book)
        except RebalError:
            break
        if not again.orders.orders:
            break
        best = again
    return best


def _keeping_more(book: Book, short: Sequence[ShortOfCash]) -> Book:
    accounts = dict(book.accounts)
    for each in short:
        account = book.account(each.account)
        more = math.ceil(each.short * _MORE * 100) / 100
        accounts[each.account] = replace(account, cash_reserve=account.cash_reserve + more)
    return replace(book, accounts=accounts)


def _accounts(tables: BookTables) -> tuple[Account, ...]:
    names = tables.holdings.accounts()
    return tuple(tables.accounts.get(name) or Account(account=name) for name in names)


def one_for_all(accounts: Sequence[Account], column: str, default: str) -> str:
    """What the accounts of a client say in a column, which must not differ; else the default."""
    said = dict.fromkeys(text for each in accounts if (text := getattr(each, column)))
    if len(said) > 1:
        raise TableError.of(
            where=f"accounts, column {column}",
            what=f"accounts of one household differ: {', '.join(map(repr, said))}",
            remedy="give all accounts of a household the same, or leave the others blank",
        )
    return next(iter(said), default)


def _book(tables: BookTables) -> Book:
    return Book(
        holdings=classify(
            tables.holdings,
            securities=tables.securities,
            targets=tuple(tables.models.values()),
        ),
        models=tables.models,
        securities=tables.securities,
        accounts=tables.accounts,
        restrictions=tables.restrictions,
        flows=tables.flows,
    )


def _limits(settings: BatchSettings) -> Limits:
    style = OrderStyle(
        order_type=OrderType(settings.order_type),
        limit=settings.limit,
        time_in_force=TimeInForce(settings.time_in_force),
    )
    return Limits(
        costs=parse_costs(settings.costs) if settings.costs is not None else CostModel(),
        min_trade=settings.min_trade,
        max_turnover=settings.max_turnover,
        orders=style,
    )
