"""From a book to a verified plan of a household: the one door that commands and worksheet functions use."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from xl_rebal.bands import status_word
from xl_rebal.drift import Matrix
from xl_rebal.errors import PlanError
from xl_rebal.household import explain
from xl_rebal.household.build import problem_of
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
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.whole_shares import best_draft, is_allowed
from xl_rebal.household.worth import (
    Draft,
    all_pieces,
    breached,
    class_values,
    gains_of,
    no_trades,
    worth,
)
from xl_rebal.tax.income_tax import added_tax
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.wash_window import Buyback, safe_to_buy
from xl_rebal.trading.plan import Action, ClassResult, Trade
from xl_rebal.trading.problem import HALF_CENT, trade_cost, trade_value


def plan_household(
    source: HouseholdBook, request: HouseholdRequest, household: str = "", *, explained: bool = True
) -> HouseholdPlan:
    """The verified plan of one household.

    explained  False leaves out the comparison, the prices of limits and the reasons of lots.

    Raises TaxError or TableError for lots and profiles that cannot be taxed, PlanError where limits
    cannot hold together, VerificationError where the plan does not pass: then nothing is handed out.
    """
    problem = problem_of(source, request, household)
    plan = plan_problem(problem, explained=explained)
    require_verified(source, request, plan)
    return plan


def plan_problem(problem: HouseholdProblem, *, explained: bool = True) -> HouseholdPlan:
    """The plan of a problem, not yet verified."""
    pieces = all_pieces(problem)
    if not problem.why:
        idle = no_trades(problem)
        total = worth(problem, idle, pieces)
        return _plan(problem, idle, total.total, None)
    search = Search(model_of(problem))
    relaxed = search.run()
    if relaxed is None:
        raise no_plan(search)
    draft, bound = rounded(search, relaxed), relaxed.bound
    if problem.request.mode is Mode.BEST or not is_allowed(problem, draft):
        best = best_draft(search, relaxed, draft, pieces)
        draft, bound = best.draft, best.bound
        if not is_allowed(problem, draft):
            raise PlanError.of(
                where=f"household {problem.household or '(unnamed)'}",
                what="there is a plan in fractions of shares, and none was found in whole ones",
                remedy="allow a wider band, a smaller minimum, or hold securities of a smaller price",
            )
    rates = explain.lot_rates(problem, search, relaxed) if explained else None
    plan = _plan(problem, draft, bound, rates)
    return _explained(plan, problem, draft, search, relaxed) if explained else plan


def _explained(
    plan: HouseholdPlan,
    problem: HouseholdProblem,
    draft: Draft,
    search: Search,
    relaxed: Relaxed,
) -> HouseholdPlan:
    value, _ = class_values(problem, draft)
    comparison = compared(problem, draft, value)
    saved = explain.saving(problem, draft, plan.tax_added, comparison[0].tax_now)
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
    pieces = all_pieces(problem)
    value, cash = class_values(problem, draft)
    order = problem.accounts
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
            ReturnResult(
                tax_return=each.name,
                gains=gains_of(problem, draft.sold, i),
                added=added_tax(each.profile, gains_of(problem, draft.sold, i)),
            )
            for i, each in enumerate(problem.returns)
        ),
        worth=worth(problem, draft, pieces),
        bound=bound,
        base=problem.base,
        notes=problem.notes,
        buybacks=_buybacks(problem, sales),
    )


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
    signed = draft.signed(problem)
    result = []
    for p in np.flatnonzero(signed).tolist():
        pair = problem.pairs[p]
        line, units = pair.line, abs(float(signed[p]))
        commission, _, impact = line.cost(units)
        result.append(
            Trade(
                account=problem.accounts[pair.account].account,
                symbol=line.symbol,
                asset_class=problem.classes[line.klass],
                action=Action.BUY if signed[p] > 0 else Action.SELL,
                quantity=units,
                price=line.price,
                unit_value=line.unit_value,
                value=trade_value(line, units),
                cost=trade_cost(line, float(signed[p])),
                half_spread=line.costs.half_spread,
                commission=commission,
                impact=impact,
                reason=explain.trade_reason(problem, p, float(signed[p])),
            )
        )
    place = {account.account: a for a, account in enumerate(problem.accounts)}
    return tuple(sorted(result, key=lambda t: (place[t.account], t.action is Action.BUY, t.symbol)))


def _lot_sales(
    problem: HouseholdProblem, draft: Draft, rates: Vector | None
) -> tuple[LotSale, ...]:
    result = []
    totals = [gains_of(problem, draft.sold, i) for i in range(len(problem.returns))]
    for j in np.flatnonzero(draft.sold).tolist():
        lot = problem.lots[j]
        pair = problem.pairs[lot.pair]
        if lot.row < 0 or lot.acquired is None:
            continue
        units = float(draft.sold[j])
        proceeds, basis = units * pair.line.unit_value, units * lot.unit_cost
        place = problem.return_of[pair.account]
        alone = Gains(
            short=proceeds * lot.short,
            long=proceeds * lot.long,
            collectible=proceeds * lot.collectible,
        )
        total = totals[place]
        others = Gains(
            short=total.short - alone.short,
            long=total.long - alone.long,
            collectible=total.collectible - alone.collectible,
        )
        added = added_tax(problem.returns[place].profile, alone, on_top_of=others)
        result.append(
            LotSale(
                account=problem.accounts[pair.account].account,
                symbol=pair.line.symbol,
                row=lot.row,
                lot_id=lot.lot_id,
                acquired=lot.acquired,
                quantity=units,
                proceeds=proceeds,
                basis=basis,
                gain=proceeds - basis,
                term="long" if lot.is_long else "short",
                tax=added.total,
                because="" if rates is None else explain.lot_reason(problem, j, draft.sold, rates),
            )
        )
    return tuple(result)


def _classes(problem: HouseholdProblem, value: Matrix) -> tuple[ClassResult, ...]:
    before = problem.value.copy()
    before[problem.cash_index] -= problem.request.cash_need
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
