"""From a book to a verified plan of a household: the one door that commands and worksheet functions use."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from xl_rebal.bands import status_word
from xl_rebal.drift import Matrix
from xl_rebal.errors import PlanError
from xl_rebal.household import explain
from xl_rebal.household.build import Surroundings, problem_of
from xl_rebal.household.checks import require_verified
from xl_rebal.household.comparison import compared
from xl_rebal.household.conflicts import no_plan
from xl_rebal.household.mode import Mode
from xl_rebal.household.model import model_of
from xl_rebal.household.plan import (
    AccountResult,
    HouseholdPlan,
    LotSale,
    ReturnResult,
)
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.rounding import rounded
from xl_rebal.household.search import Relaxed, Search, lot_rates
from xl_rebal.household.whole_shares import best_draft, is_allowed
from xl_rebal.household.worth import (
    Draft,
    added_gains,
    breached,
    class_values,
    no_trades,
    worth,
)
from xl_rebal.tax.income_tax import added_tax
from xl_rebal.tax.wash_window import Buyback, safe_to_buy
from xl_rebal.trading.plan import Action, ClassResult, Trade
from xl_rebal.trading.problem import HALF_CENT, cents_of

_FAST, _BEST = 1e-6, 1e-7  # of the value: how far a plan in fractions may be above its bound


def plan_household(
    source: HouseholdBook,
    request: HouseholdRequest,
    household: str = "",
    *,
    explained: bool = True,
    around: Surroundings | None = None,
) -> HouseholdPlan:
    """The verified plan of one household.

    explained  False leaves out the comparison, the prices of limits, and tax and reason of each lot.
    around     what the households of the book share (`build.surroundings`), for who plans many of them.

    Raises TaxError or TableError for lots and profiles that cannot be taxed, PlanError where limits
    cannot hold together, VerificationError where the plan does not pass: then nothing is handed out.
    """
    problem = problem_of(source, request, household, around)
    plan = plan_problem(problem, explained=explained)
    require_verified(source, request, plan)
    return plan


def plan_problem(
    problem: HouseholdProblem, *, explained: bool = True, search: Search | None = None
) -> HouseholdPlan:
    """The plan of a problem, not yet verified; `search` is that of its model, to be solved once more."""
    if not problem.why:
        idle = no_trades(problem)
        return _plan(problem, idle, worth(problem, idle).total, None)
    search = search if search is not None else Search(model_of(problem))
    relaxed = search.run(enough=_FAST * problem.base)
    if relaxed is None:
        raise no_plan(search)
    draft, bound = rounded(search, relaxed), relaxed.bound
    if problem.request.mode is Mode.BEST or not is_allowed(problem, draft):
        relaxed, draft = _closer(search, relaxed, draft)
        best = best_draft(search, relaxed, draft)
        draft, bound = best.draft, best.bound
        if not is_allowed(problem, draft):
            raise PlanError.of(
                where=f"household {problem.household or '(unnamed)'}",
                what="there is a plan in fractions of shares, and none was found in whole ones",
                remedy="allow a wider band, a smaller minimum, or hold securities of a smaller price",
            )
    rates = lot_rates(search, relaxed) if explained else None
    plan = _plan(problem, draft, bound, rates)
    return _explained(plan, problem, draft, search, relaxed) if explained else plan


def _closer(search: Search, relaxed: Relaxed, draft: Draft) -> tuple[Relaxed, Draft]:
    """A plan in fractions nearer to its bound, and the better of the two in whole steps."""
    problem = search.model.problem
    again = search.run(enough=_BEST * problem.base)
    if again is None or again.optimum.value >= relaxed.optimum.value - _BEST * problem.base:
        bound = max(relaxed.bound, again.bound if again is not None else relaxed.bound)
        return replace(relaxed, bound=bound), draft
    other = rounded(search, again)
    if not is_allowed(problem, draft):
        return again, other
    better = (
        is_allowed(problem, other) and worth(problem, other).total < worth(problem, draft).total
    )
    return again, other if better else draft


def _explained(
    plan: HouseholdPlan,
    problem: HouseholdProblem,
    draft: Draft,
    search: Search,
    relaxed: Relaxed,
) -> HouseholdPlan:
    value, _ = class_values(problem, draft)
    # Prices of limits are differences of optima: they need the optimum itself.
    exact = search.run() if relaxed.optimum.value > relaxed.bound + 0.01 else relaxed
    relaxed = relaxed if exact is None else exact
    comparison = compared(problem, draft, value)
    saved = explain.saving(comparison[-1], comparison[0])
    return replace(
        plan,
        comparison=comparison,
        limits=explain.limit_prices(search, relaxed),
        notes=(*plan.notes, saved.in_words()) if problem.returns else plan.notes,
        saving=saved if problem.returns else None,
    )


def _plan(
    problem: HouseholdProblem, draft: Draft, bound: float, rates: Vector | None
) -> HouseholdPlan:
    value, cash = class_values(problem, draft)
    order = problem.accounts
    realised = [added_gains(problem, draft, i) for i in range(len(problem.returns))]
    sales = _lot_sales(problem, draft, rates)
    return HouseholdPlan(
        household=problem.household,
        mode=problem.request.mode.value,
        why=problem.why,
        trades=_trades(problem, draft),
        lot_sales=sales,
        accounts=tuple(
            AccountResult(
                account=account.account,
                type=account.type or "taxable",
                cash_before=float(problem.cash[a]),
                flow=float(problem.flow[a]),
                raised=float(draft.raised[a]),
                cash_after=_clean(float(cash[a]) + account.kept_back),
                reserve=account.kept_back,
            )
            for a, account in enumerate(order)
        ),
        classes=_classes(problem, value),
        returns=tuple(
            ReturnResult(tax_return=each.name, gains=gains, added=added_tax(each.profile, gains))
            for each, gains in zip(problem.returns, realised, strict=True)
        ),
        worth=worth(problem, draft, value),
        bound=bound,
        base=problem.base,
        notes=(*problem.notes, *_drawn(problem, draft)),
        buybacks=_buybacks(problem, sales),
    )


def _drawn(problem: HouseholdProblem, draft: Draft) -> tuple[str, ...]:
    """From which accounts a withdrawal of the household is paid, in words."""
    if not problem.request.withdrawal:
        return ()
    paid = [
        f"{account.account} {money:,.2f}"
        for account, money in zip(problem.accounts, draft.raised.tolist(), strict=True)
        if money
    ]
    return (f"withdrawn: {'; '.join(paid)}",)


def _buybacks(problem: HouseholdProblem, sales: tuple[LotSale, ...]) -> tuple[Buyback, ...]:
    """What must not be bought for thirty days: sold at a loss before, then by this plan."""
    day = problem.request.as_of
    mine = [
        Buyback(
            household=problem.household,
            account=sale.account,
            symbol=sale.symbol,
            sold=day,
            safe_from=safe_to_buy(day),
        )
        for sale in sales
        if sale.gain < -HALF_CENT
    ]
    return tuple(dict.fromkeys((*problem.buybacks, *mine)))


def _clean(cash: float) -> float:
    return round(cash, 6) + 0.0


def _trades(problem: HouseholdProblem, draft: Draft) -> tuple[Trade, ...]:
    pair, signed = problem.pair, draft.signed(problem)
    traded = np.flatnonzero(signed)
    units = np.abs(signed)
    columns = (
        traded, signed[traded], units[traded], cents_of(units * pair.unit_value)[traded],
        pair.costs_of(signed)[traded], pair.commissions_of(units)[traded],
    )  # fmt: skip
    names = [account.account for account in problem.accounts]
    result = []
    for p, way, quantity, value, cost, commission in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        line = problem.pairs[p].line
        result.append(
            Trade(
                account=names[problem.pairs[p].account],
                symbol=line.symbol,
                asset_class=problem.classes[line.klass],
                action=Action.BUY if way > 0 else Action.SELL,
                quantity=quantity,
                price=line.price,
                unit_value=line.unit_value,
                value=value,
                cost=cost,
                half_spread=line.costs.half_spread,
                commission=commission,
                impact=0.0,  # costs with impact are refused
                reason=explain.trade_reason(problem, p, way),
            )
        )
    place = {name: a for a, name in enumerate(names)}
    return tuple(sorted(result, key=lambda t: (place[t.account], t.action is Action.BUY, t.symbol)))


def _lot_sales(
    problem: HouseholdProblem, draft: Draft, rates: Vector | None
) -> tuple[LotSale, ...]:
    """What is sold of each lot; `rates` (n,) is the tax of a dollar sold, None: no reasons are given."""
    lot, ids = problem.lot, problem.source.lots.lot_id
    sold = np.flatnonzero((draft.sold > 0) & (lot.row >= 0))
    units, of = draft.sold[sold], lot.pair[sold]
    proceeds, basis = units * problem.pair.unit_value[of], units * lot.unit_cost[sold]
    columns = (
        sold, of, lot.row[sold], lot.acquired[sold], lot.is_long[sold], units, proceeds, basis,
        proceeds * lot.disallowed[sold],
    )  # fmt: skip
    names = [problem.accounts[pair.account].account for pair in problem.pairs]
    symbols = [pair.line.symbol for pair in problem.pairs]
    made = [
        LotSale(
            account=names[p],
            symbol=symbols[p],
            row=row,
            lot_id=str(ids[row]),
            acquired=acquired,
            quantity=quantity,
            proceeds=money,
            basis=cost,
            gain=money - cost,
            term="long" if is_long else "short",
            tax=None if rates is None else explain.lot_tax(problem, j, draft.sold),
            because="" if rates is None else explain.lot_reason(problem, j, draft.sold, rates),
            disallowed=away,
        )
        for j, p, row, acquired, is_long, quantity, money, cost, away in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
    return tuple(_joined(made) if (lot.chain >= 0).any() else made)


def _joined(sales: list[LotSale]) -> list[LotSale]:
    """The parts of a lot, of which one is replaced, as one sale of it."""
    found: dict[int, LotSale] = {}
    for sale in sales:
        first = found.get(sale.row)
        found[sale.row] = sale if first is None else explain.joined_sale(first, sale)
    return [explain.with_replaced(sale) if sale.disallowed else sale for sale in found.values()]


def _classes(problem: HouseholdProblem, value: Matrix) -> tuple[ClassResult, ...]:
    before = problem.value.copy()
    before[problem.cash_index] -= problem.request.to_raise
    base, after = float(before.sum()), float(value.sum())
    band = problem.widths
    status_before, status_after = breached(problem, before), breached(problem, value)
    result = []
    for k, name in enumerate(problem.classes):
        target = float(problem.drift.target[k])
        down, up = float(band.down[k]), float(band.up[k])
        result.append(
            ClassResult(
                asset_class=name,
                target=target,
                lower=max(target - down, 0.0) if math.isfinite(down) else None,
                upper=min(target + up, 1.0) if math.isfinite(up) else None,
                value_before=float(before[k]),
                weight_before=float(before[k]) / base,
                drift_before=float(before[k]) / base - target,
                status_before=status_word(int(status_before[k])),
                value_after=float(value[k]),
                weight_after=float(value[k]) / after,
                drift_after=float(value[k]) / after - target,
                status_after=status_word(int(status_after[k])),
                cause=_cause(problem, int(status_after[k])),
            )
        )
    return tuple(result)


def _cause(problem: HouseholdProblem, status: int) -> str:
    """Why a class stays outside its band."""
    if not status:
        return ""
    if not problem.why:
        return "nothing asks for trades"
    return (
        "cash that does not cross accounts, restrictions, wash sales or tax dearer than the drift"
    )
