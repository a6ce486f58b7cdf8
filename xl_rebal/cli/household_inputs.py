"""What the command `household` is given, read into a book and a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from xl_rebal.cli import amounts
from xl_rebal.cli.inputs import bind_nothing, read_flows, read_money, read_targets, repeated_flows
from xl_rebal.cli.tax_inputs import read_day
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.custodians import BookTables, read_book
from xl_rebal.errors import FaultList, PlanError, TableError
from xl_rebal.household.build import households, surroundings
from xl_rebal.household.mode import Mode
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest, Prices
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.tax.profiles import profiles_of
from xl_rebal.trading.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdOptions:
    """The options of `household`, as they were typed."""

    book: Path
    household: str | None = None
    targets: str | None = None
    policy: str = "5pp"
    mode: Mode = Mode.FAST
    costs: str | None = None
    flow: tuple[str, ...] = ()
    rmd: tuple[str, ...] = ()
    cash_need: float = 0.0
    harvest: float = 0.0
    gains_budget: float | None = None
    drift_price: str | None = None
    ticket: float = 1.0
    min_trade: float = 0.0
    max_turnover: str | None = None
    as_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdsPlanned:
    """Verified plans of the households of a book."""

    tables: BookTables
    source: HouseholdBook
    request: HouseholdRequest
    plans: tuple[HouseholdPlan, ...]
    warnings: tuple[str, ...]


def plan_households(options: HouseholdOptions) -> HouseholdsPlanned:
    """Read a book and plan its households; the faults of all are raised together."""
    read = read_book(options.book)
    needed = ["holdings", "accounts"] + ([] if options.targets else ["models"])
    read.require(*needed)
    day = read_day(options.as_of) or read.as_of
    if day is None:
        raise TableError.of(
            where=read.name,
            what="does not say of which day it is, and terms and wash sales depend on it",
            remedy="add a column as_of to the holdings, or --as-of 2026-11-25",
        )
    models = read_targets(options.targets) if options.targets else read.models
    accounts = dict(read.accounts)
    if options.targets:
        accounts = {name: replace(each, model="") for name, each in accounts.items()}
    source = HouseholdBook(
        book=Book(
            holdings=classify(
                read.holdings, securities=read.securities, targets=tuple(models.values())
            ),
            models=models,
            securities=read.securities,
            accounts=accounts,
            restrictions=read.restrictions,
            flows=read.flows,
            fund_rules=read.fund_rules,
        ),
        lots=read.lots,
        history=read.history,
        profiles=profiles_of(read.tax_profiles, day.year),
    )
    withdrawal, flows = _withdrawal(options.flow, read.holdings)
    request = HouseholdRequest(
        policy=parse_policy(options.policy),
        as_of=day,
        mode=options.mode,
        limits=Limits(
            costs=parse_costs(options.costs) if options.costs is not None else CostModel(),
            min_trade=amounts.money(options.min_trade, "--min-trade"),
            max_turnover=amounts.optional_share(options.max_turnover, "--max-turnover", most=1.0),
        ),
        prices=_prices(options),
        flows=read_flows(flows, read.holdings),
        withdrawal=withdrawal,
        rmd=read_flows(options.rmd, read.holdings, option="--rmd"),
        cash_need=amounts.money(options.cash_need, "--cash-need"),
        harvest=amounts.money(options.harvest, "--harvest"),
        gains_budget=None
        if options.gains_budget is None
        else amounts.money_or_debt(options.gains_budget, "--gains-budget"),
    )
    warnings = [*read.warnings, *repeated_flows(flows, read.holdings)]
    warnings += bind_nothing(
        read.restrictions, read.holdings.accounts(), read.accounts, read.holdings
    )
    if options.costs is None:
        warnings.append("without --costs trading is taken to be free")
    if "history" not in read.present:
        warnings.append(
            "without the table history only the lots tell what was bought lately, and nothing what was sold"
        )
    return HouseholdsPlanned(
        tables=read,
        source=source,
        request=request,
        plans=_plans(source, request, options.household),
        warnings=tuple(warnings),
    )


def _plans(
    source: HouseholdBook, request: HouseholdRequest, only: str | None
) -> tuple[HouseholdPlan, ...]:
    names = households(source.book)
    if only is not None:
        if only not in names:
            raise TableError.of(
                where="--household",
                what=f"{only!r} has no account in the holdings",
                remedy=f"households are: {', '.join(filter(None, names)) or 'not named'}",
            )
        names = [only]
    if len(names) > 1 and (request.cash_need or request.harvest or request.withdrawal):
        raise TableError.of(
            where="--cash-need, --harvest, --flow",
            what=f"are amounts of one household, and the book has {len(names)}",
            remedy="name one with --household",
        )
    faults = FaultList()
    plans = []
    around = surroundings(source, request)
    for name in names:
        with faults.collecting():
            plans.append(plan_household(source, request, name, around=around))
    faults.raise_as(PlanError)
    return tuple(plans)


def _withdrawal(texts: tuple[str, ...], holdings: Holdings) -> tuple[float, tuple[str, ...]]:
    """(money that leaves a household of several accounts from whichever costs least, flows that name one)."""
    if len(holdings.accounts()) == 1:
        return 0.0, texts
    total, named = 0.0, []
    for text in texts:
        if ":" in text or read_money(text) >= 0:
            named.append(text)  # where a contribution goes must be said
        else:
            total -= read_money(text)
    return total, tuple(named)


def _prices(options: HouseholdOptions) -> Prices:
    prices = Prices(ticket=amounts.money(options.ticket, "--ticket"))
    if options.drift_price is None:
        return prices
    return replace(prices, drift=amounts.share(options.drift_price, "--drift-price", most=1.0))
