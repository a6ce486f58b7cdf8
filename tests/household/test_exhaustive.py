"""Small households: the best mode equals the best of all plans there are, one by one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.household.books import LONG_AGO, RECENT, book, request, security
from xl_rebal.errors import PlanError
from xl_rebal.household.build import problem_of
from xl_rebal.household.checks import check_household
from xl_rebal.household.mode import Mode
from xl_rebal.household.planner import plan_problem
from xl_rebal.household.problem import HouseholdProblem
from xl_rebal.household.request import HouseholdBook, HouseholdRequest, Prices
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.income_tax import tax_of
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile

Choice = tuple[dict[int, float], dict[int, float]]  # units sold by lot, units bought by pair


def small(seed: int) -> tuple[HouseholdBook, HouseholdRequest]:
    """Two accounts, two or three classes, at most eight lots, shares so large that few plans exist."""
    rng = np.random.default_rng(seed)
    price = {s: float(rng.integers(40, 90) * 100) for s in ("AAA", "BBB", "CCC")}
    three = bool(rng.random() < 0.4)
    securities = [
        security("AAA", "Stocks/US", price["AAA"]),
        security("BBB", "Bonds/US", price["BBB"]),
    ]
    if three:
        securities.append(security("CCC", "Real Estate", price["CCC"]))
    held, lots = [], []
    for symbol in ("AAA", "BBB", "CCC")[: 3 if three else 2]:
        units = 0.0
        for _ in range(int(rng.integers(1, 3))):
            quantity = float(rng.integers(1, 3))
            cost = price[symbol] * float(rng.uniform(0.4, 1.5))
            day = LONG_AGO if rng.random() < 0.6 else RECENT
            lots.append(("TAX", symbol, day, quantity, cost))
            units += quantity
        held.append(("TAX", symbol, units))
        if rng.random() < 0.7:
            held.append(("IRA", symbol, float(rng.integers(1, 4))))
    ytd = float(rng.choice([0.0, 0.0, 4_000.0, -9_000.0]))
    profile = TaxProfile(
        tax_profile="p", year=2026, ordinary=0.35, long_term=0.15, niit=0.038, state=0.05,
        ytd_short=ytd, carry_long=float(rng.choice([0.0, 6_000.0])),
    )  # fmt: skip
    weights = rng.dirichlet(np.ones(3 if three else 2)).round(2)
    weights[-1] = round(1 - weights[:-1].sum(), 2)
    names = ("stocks", "bonds", "real estate")[: len(weights)]
    source = book(
        accounts=[
            Account(account="TAX", household="h", type="taxable", tax_profile="p"),
            Account(account="IRA", household="h", type="traditional"),
        ],
        cash={"TAX": float(rng.integers(0, 8_000)), "IRA": float(rng.integers(0, 8_000))},
        held=held,
        securities=securities,
        targets=", ".join(f"{w * 100:.0f}% {n}" for w, n in zip(weights, names, strict=True)),
        lots=lots,
        profiles=[profile],
    )
    asked = request(
        "5pp",
        mode=Mode.BEST,
        costs=0.001,
        prices=Prices(location=0.003, ticket=float(rng.choice([0.0, 5.0]))),
        harvest=0.0,
    )
    return source, asked


def two_taxable(seed: int) -> tuple[HouseholdBook, HouseholdRequest]:
    """Two taxable accounts of one return with the same securities, at losses as often as at gains."""
    rng = np.random.default_rng(1_000 + seed)
    price = {s: float(rng.integers(40, 90) * 100) for s in ("AAA", "BBB")}
    securities = [
        security("AAA", "Stocks/US", price["AAA"], identical_group="one"),
        security("BBB", "Bonds/US", price["BBB"]),
        security("AAX", "Stocks/US", price["AAA"] / 2, identical_group="one"),
    ]
    held, lots = [], []
    for account in ("TAX", "TOO"):
        for symbol in ("AAA", "BBB"):
            quantity = float(rng.integers(1, 4))
            day = LONG_AGO if rng.random() < 0.5 else RECENT
            lots.append((account, symbol, day, quantity, price[symbol] * rng.uniform(0.6, 1.6)))
            held.append((account, symbol, quantity))
    profile = TaxProfile(
        tax_profile="p", year=2026, ordinary=0.35, long_term=0.15, niit=0.038, state=0.05,
        ytd_long=float(rng.choice([0.0, 9_000.0])),
    )  # fmt: skip
    stocks = int(rng.integers(2, 9)) * 10
    source = book(
        accounts=[
            Account(account=name, household="h", type="taxable", tax_profile="p")
            for name in ("TAX", "TOO")
        ],
        cash={"TAX": float(rng.integers(0, 8_000)), "TOO": float(rng.integers(0, 8_000))},
        held=held,
        securities=securities,
        targets=f"{stocks}% stocks, {100 - stocks}% bonds",
        lots=lots,
        profiles=[profile],
    )
    return source, request("5pp", mode=Mode.BEST, costs=0.001, prices=Prices(ticket=2.0))


def dear(seed: int) -> tuple[HouseholdBook, HouseholdRequest]:
    """Shares that often cost more than an account could spend, gold, rates by income near the thresholds,
    and a harvest, a cash need or a gains budget.
    """
    rng = np.random.default_rng(50_000 + seed)
    price = {s: float(rng.integers(60, 200) * 100) for s in ("AAA", "BBB", "GLD")}
    classes = {"AAA": "Stocks/US", "BBB": "Bonds/US", "GLD": "Gold"}
    held, lots = [], []
    for symbol in price:
        units = 0.0
        for _ in range(int(rng.integers(1, 3))):
            quantity = float(rng.integers(1, 3))
            cost = price[symbol] * float(rng.uniform(0.1, 1.4))
            day = LONG_AGO if rng.random() < 0.6 else RECENT
            lots.append(("TAX", symbol, day, quantity, cost))
            units += quantity
        held.append(("TAX", symbol, units))
        if rng.random() < 0.5:
            held.append(("IRA", symbol, float(rng.integers(1, 3))))
    incomes = [20, 45, 70, 110, 124, 199, 245, 320, 530, 650]
    profile = TaxProfile(
        tax_profile="p", year=2026,
        filing_status=list(FilingStatus)[int(rng.integers(0, 5))],
        magi=1_000.0 * float(rng.choice(incomes)),
        state=float(rng.choice([0.0, 0.05])),
        ytd_short=float(rng.choice([0.0, 5_000.0, -7_000.0])),
        ytd_long=float(rng.choice([0.0, 3_000.0, -4_000.0])),
        carry_short=float(rng.choice([0.0, 0.0, 6_000.0])),
        carry_long=float(rng.choice([0.0, 0.0, 9_000.0])),
    )  # fmt: skip
    weights = rng.dirichlet(np.ones(3)).round(2)
    weights[-1] = round(1 - weights[:-1].sum(), 2)
    source = book(
        accounts=[
            Account(account="TAX", household="h", type="taxable", tax_profile="p"),
            Account(account="IRA", household="h", type="traditional"),
        ],
        cash={"TAX": float(rng.integers(0, 9_000)), "IRA": float(rng.integers(0, 9_000))},
        held=held,
        securities=[security(s, classes[s], price[s]) for s in price],
        targets=", ".join(
            f"{w * 100:.0f}% {n}" for w, n in zip(weights, ("stocks", "bonds", "gold"), strict=True)
        ),
        lots=lots,
        profiles=[profile],
    )
    which = rng.random()
    more = {}
    if which < 0.25:
        more["harvest"] = float(rng.integers(500, 6_000))
    elif which < 0.5:
        more["cash_need"] = float(rng.integers(1_000, 20_000))
    elif which < 0.75:
        more["gains_budget"] = float(rng.integers(-1_000, 8_000))
    prices = Prices(ticket=float(rng.choice([0.0, 5.0])))
    return source, request("5pp", mode=Mode.BEST, costs=0.001, prices=prices, **more)


def choices(problem: HouseholdProblem, account: int) -> Iterator[Choice]:
    """Every way to trade one account in whole shares with cash that works out."""
    lots = [j for j, lot in enumerate(problem.lots) if problem.pairs[lot.pair].account == account]
    pairs = [p for p, pair in enumerate(problem.pairs) if pair.account == account]
    ranges = [range(int(problem.lots[j].quantity) + 1) for j in lots]
    rate = 0.001
    for units in itertools.product(*ranges):
        sold = {j: float(n) for j, n in zip(lots, units, strict=True) if n}
        by_pair: dict[int, float] = {}
        for j, n in sold.items():
            by_pair[problem.lots[j].pair] = by_pair.get(problem.lots[j].pair, 0.0) + n
        cash = problem.spendable(account)
        for p, n in by_pair.items():
            value = n * problem.pairs[p].line.unit_value
            cash += value - round(value * rate + 1e-9, 2)
        free = [p for p in pairs if p not in by_pair and not problem.pairs[p].no_buy]
        most = [int((cash + 1) // problem.pairs[p].line.unit_value) for p in free]
        for bought in itertools.product(*(range(m + 1) for m in most)):
            left = cash
            for p, n in zip(free, bought, strict=True):
                value = n * problem.pairs[p].line.unit_value
                left -= value + round(value * rate + 1e-9, 2)
            if left >= -0.005:
                yield sold, {p: float(n) for p, n in zip(free, bought, strict=True) if n}


def objective(problem: HouseholdProblem, picked: tuple[Choice, ...]) -> float:
    """The objective, written down once more from its definition."""
    prices, total = problem.request.prices, 0.0
    value = {name: float(v) for name, v in zip(problem.classes, problem.value, strict=True)}
    value["Cash"] -= problem.request.cash_need
    gains = {"short": 0.0, "long": 0.0, "collectible": 0.0}
    losses = 0.0
    lost, bought_groups = set(), set()
    for account, (sold, bought) in enumerate(picked):
        cash = problem.spendable(account)
        cash -= problem.request.cash_need if problem.return_of[account] >= 0 else 0.0
        orders: dict[int, float] = dict(bought)
        for j, n in sold.items():
            lot = problem.lots[j]
            pair = problem.pairs[lot.pair]
            orders[lot.pair] = orders.get(lot.pair, 0.0) - n
            if pair.taxable:
                gain = n * (pair.line.unit_value - lot.unit_cost)
                total += 1e-4 * max(
                    gain, 0.0
                )  # of two plans taxed alike, the one that realises less
                kind = "long" if lot.is_long else "short"
                gains["collectible" if lot.is_long and pair.line.symbol == "GLD" else kind] += gain
                losses += max(-gain, 0.0)
                if gain < 0:
                    lost.add(pair.group)
        for p, n in orders.items():
            pair = problem.pairs[p]
            money = abs(n) * pair.line.unit_value
            cost = round(money * 0.001 + 1e-9, 2)
            name = problem.classes[pair.line.klass]
            value[name] += math.copysign(money, n)
            value["Cash"] += -math.copysign(money, n) - cost
            income = pair.taxable and name in ("Bonds", "Real Estate")
            worse = prices.location if income else 0.0
            total += cost + prices.ticket + 1e-6 * money + math.copysign(worse * money, n)
            cash -= math.copysign(money, n) + cost
            if n > 0:
                bought_groups.add(pair.group)
        if problem.request.cash_need and cash < -0.005:
            return math.inf  # what is asked for is not there
    if lost & bought_groups:
        return math.inf  # a wash sale
    budget = problem.request.gains_budget
    if losses < problem.request.harvest or (budget is not None and sum(gains.values()) > budget):
        return math.inf
    for k, name in enumerate(problem.classes):
        aims = problem.aims
        if not aims.cap_low[k] - 0.005 <= value[name] <= aims.cap_high[k] + 0.005:
            return math.inf  # out of its band, or further out than it is
        low, high = float(problem.aims.inner_low[k]), float(problem.aims.inner_high[k])
        for beyond, edge in (
            (low - value[name], low - float(problem.aims.outer_low[k])),
            (value[name] - high, float(problem.aims.outer_high[k]) - high),
        ):
            if beyond > 0:
                near = min(beyond, edge)
                total += prices.drift * near + prices.breach * (beyond - near)
    profile = problem.returns[0].profile
    tax = tax_of(profile, Gains(**gains))
    start = profile.ytd_short + profile.ytd_long - profile.carry_short - profile.carry_long
    kept = max(0.0, problem.request.harvest - start - profile.loss_limit)
    carried = tax.netted.carry_short + tax.netted.carry_long
    bare = replace(profile, ytd_short=0.0, ytd_long=0.0, carry_short=0.0, carry_long=0.0)
    return total + tax.total - tax_of(bare).total - later(profile) * min(carried, kept)


def later(profile: TaxProfile) -> float:
    """What a dollar of loss saves on a long-term gain that is taxed as the next one would be."""
    if profile.long_term is not None:
        return profile.long_term + (profile.niit or 0.0) + profile.state
    assert profile.magi is not None
    law = profile.status_law
    income = max(0.0, profile.magi - law.deduction)
    rate = next(r for r, t in zip((0.0, 0.15, 0.2), law.long_term_tops, strict=True) if income < t)
    return rate + (0.038 if profile.magi >= law.niit_threshold else 0.0) + profile.state


@pytest.mark.parametrize("seed", range(40))
def test_best_mode_is_the_best_of_all_plans(seed: int) -> None:
    assert_best(*small(seed))


@pytest.mark.parametrize("seed", range(16))
def test_it_is_with_identical_securities_in_two_taxable_accounts(seed: int) -> None:
    assert_best(*two_taxable(seed))


# 68, 137, 182 and 242 were planned worse than possible, or refused: a purchase in fractions got through.
@pytest.mark.parametrize("seed", [*range(10), 68, 137, 182, 202, 242])
def test_it_is_with_dear_shares_gold_and_thresholds(seed: int) -> None:
    assert_best(*dear(seed))


def assert_best(source: HouseholdBook, asked: HouseholdRequest) -> None:
    problem = problem_of(source, asked, "h")
    if not problem.why:
        return
    found = min(
        objective(problem, picked)
        for picked in itertools.product(choices(problem, 0), choices(problem, 1))
    )
    if found == math.inf:
        with pytest.raises(PlanError):
            plan_problem(problem, explained=False)
        return
    plan = plan_problem(problem, explained=False)
    assert check_household(source, asked, plan) == ()
    assert plan.worth.total == pytest.approx(found, abs=0.05)
    assert plan.bound <= found + 0.05


def test_enough_of_the_small_households_ask_for_trades() -> None:
    asked = [problem_of(*small(seed), "h").why for seed in range(40)]
    assert sum(map(bool, asked)) >= 25
    asked = [problem_of(*two_taxable(seed), "h").why for seed in range(16)]
    assert sum(map(bool, asked)) >= 10
