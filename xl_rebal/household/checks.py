"""The verifier of household plans: lots, tax sums, wash sales and every account's cash, recomputed.

It shares nothing with the optimiser: it reads the book's own rows with plain loops and exact decimals,
and asks of every trade whether it is allowed, of every lot whether it is there, of every loss whether
something identical was or will be bought, and of every sum whether it is the sum.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from xl_rebal.errors import Fault, VerificationError
from xl_rebal.household.checks_lots import check_lots, check_tax
from xl_rebal.household.checks_rows import HALF_CENT, HouseholdRows, exact, is_taxed, read_rows
from xl_rebal.household.checks_trades import check_rules, check_trades
from xl_rebal.household.checks_wash import check_wash_sales
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.checks_book import Violation
from xl_rebal.trading.plan import Action

REMEDY = "the plan is not handed out; report this with the book"


def check_household(
    source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan
) -> tuple[Violation, ...]:
    """Every rule that a plan breaks."""
    rows = read_rows(source, request, plan)
    check_trades(rows)
    check_rules(rows)
    _check_cash(rows)
    check_lots(rows)
    check_tax(rows)
    check_wash_sales(rows)
    _check_budgets(rows)
    _check_classes(rows)
    return tuple(rows.found)


def require_verified(source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan) -> None:
    """Raise VerificationError with one fault for each violation; do nothing when there is none."""
    found = check_household(source, request, plan)
    if found:
        raise VerificationError(
            *(Fault(where=v.where, what=f"{v.what} ({v.code})", remedy=REMEDY) for v in found)
        )


def _check_cash(rows: HouseholdRows) -> None:
    """Each account pays for what it buys, keeps its reserve, and the cash need is raised."""
    by_account = {each.account: each for each in rows.plan.accounts}
    raised = Decimal()
    for name, account in rows.accounts.items():
        result = by_account.get(name)
        if result is None:
            rows.fault("cash", f"account {name}", "the plan says nothing of its cash")
            continue
        flow = exact(rows.request.flows.get(name, 0.0))
        start = cash = rows.cash[name] + flow
        out = exact(result.raised)
        for trade in rows.plan.trades:
            if trade.account == name:
                value, cost = exact(trade.value), exact(trade.cost)
                cash += (value if trade.action is Action.SELL else -value) - cost
        cash -= out
        raised += out
        if abs(cash - exact(result.cash_after)) > HALF_CENT:
            what = f"ends with {cash:,.2f}, the plan says {result.cash_after:,.2f}"
            rows.fault("cash", f"account {name}", what)
        kept = exact(account.cash_reserve) + _leaving(rows, name)
        untouched = cash == start
        if cash < kept - HALF_CENT and not (untouched and account.held_away):
            what = f"ends with {cash:,.2f}, below its reserve of {kept:,.2f}"
            rows.fault("cash", f"account {name}", what)
        payers = ("traditional", "roth") if rows.request.withdrawal else ()
        if out and (
            account.held_away or not (is_taxed(account) or account.type.casefold() in payers)
        ):
            rows.fault("cash-need", f"account {name}", "cash is raised where it must not be")
        due = exact(rows.request.rmd.get(name, 0.0))
        if out < due - HALF_CENT and sum(rows.request.rmd.values()) <= rows.request.withdrawal:
            what = f"pays out {out:,.2f} of the {due:,.2f} that must be distributed"
            rows.fault("rmd", f"account {name}", what)
    wanted = exact(rows.request.cash_need) + exact(rows.request.withdrawal)
    if abs(raised - wanted) > HALF_CENT:
        rows.fault("cash-need", "plan", f"raises {raised:,.2f} of {wanted:,.2f}")


def _leaving(rows: HouseholdRows, account: str) -> Decimal:
    """Known withdrawals of the days to come, which stay in cash."""
    until = rows.request.as_of + dt.timedelta(days=HORIZON)
    return -sum(
        (
            exact(flow.amount)
            for flow in rows.source.book.flows
            if flow.account == account
            and flow.amount < 0
            and rows.request.as_of <= flow.date <= until
        ),
        Decimal(),
    )


def _check_budgets(rows: HouseholdRows) -> None:
    request, sales = rows.request, rows.plan.lot_sales
    gains = sum(sale.gain + sale.disallowed for sale in sales)
    lost = -sum(min(sale.gain + sale.disallowed, 0.0) for sale in sales)
    if lost < request.harvest - 0.01:
        rows.fault(
            "harvest", "plan", f"realises {lost:,.2f} of losses, {request.harvest:,.2f} asked"
        )
    if request.gains_budget is not None and gains > request.gains_budget + 0.01:
        what = f"realises {gains:,.2f} of net gain, {request.gains_budget:,.2f} is the most"
        rows.fault("gains-budget", "plan", what)
    if request.limits.max_turnover is not None:
        traded = sum(
            t.value
            for t in rows.plan.trades
            if rows.source.book.security(t.symbol).vehicle is not Vehicle.CASH
        )
        most = request.limits.max_turnover * rows.plan.base
        if traded / 2 > most + 1.0:
            rows.fault("turnover", "plan", f"trades {traded / 2:,.2f}, {most:,.2f} is the most")


def _check_classes(rows: HouseholdRows) -> None:
    """Weights sum to 100%, and no breach grows."""
    result = rows.plan.classes
    total = sum(each.weight_after for each in result)
    if result and abs(total - 1.0) > 1e-9:
        rows.fault("weights", "plan", f"weights sum to {total * 100:.8f}%")
    moved: dict[str, float] = defaultdict(float)
    for trade in rows.plan.trades:
        sign = 1.0 if trade.action is Action.BUY else -1.0
        moved[trade.asset_class] += sign * trade.quantity * trade.unit_value
    for each in result:
        if not classes.is_cash(each.asset_class):
            change = each.value_after - each.value_before
            if abs(change - moved[each.asset_class]) > 0.01:
                what = f"changes by {change:,.2f}, its trades by {moved[each.asset_class]:,.2f}"
                rows.fault("weights", f"class {each.asset_class}", what)
        spent = rows.plan.total_cost / rows.plan.base  # costs make the base smaller
        outside = each.status_after != "within"
        if outside and abs(each.drift_after) > abs(each.drift_before) + spent + 1e-6:
            what = f"drift grows from {each.drift_before:+.6f} to {each.drift_after:+.6f}"
            rows.fault("breach", f"class {each.asset_class}", what)
