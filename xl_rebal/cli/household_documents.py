"""The JSON document of `household`; weights are fractions, amounts money."""

from __future__ import annotations

from typing import Any

from xl_rebal.cli.documents import trade_row
from xl_rebal.cli.household_inputs import HouseholdsPlanned
from xl_rebal.household.plan import HouseholdPlan, LotSale


def household_document(planned: HouseholdsPlanned) -> dict[str, Any]:
    """The document of `household`: only verified plans get here."""
    plans = planned.plans
    request = planned.request
    return {
        "trades": [
            {"household": plan.household, **trade_row(trade)}
            for plan in plans
            for trade in plan.trades
        ],
        "lots": [
            {"household": plan.household, **lot_row(sale)}
            for plan in plans
            for sale in plan.lot_sales
        ],
        "tax_added": _money(sum(plan.tax_added for plan in plans)),
        "total_cost": _money(sum(plan.total_cost for plan in plans)),
        "verified": True,
        "households": [plan_row(plan) for plan in plans],
        "policy": request.policy.in_words(),
        "costs": request.limits.costs.in_words(),
        "as_of": request.as_of.isoformat(),
        "warnings": list(planned.warnings),
    }


def lot_row(sale: LotSale) -> dict[str, Any]:
    """One lot that is sold."""
    return {
        "account": sale.account,
        "symbol": sale.symbol,
        "lot_id": sale.lot_id,
        "acquired": sale.acquired.isoformat(),
        "quantity": sale.quantity,
        "proceeds": _money(sale.proceeds),
        "basis": _money(sale.basis),
        "gain": _money(sale.gain),
        "disallowed": _money(sale.disallowed),
        "term": sale.term,
        "tax": None if sale.tax is None else _money(sale.tax),
        "because": sale.because,
    }


def plan_row(plan: HouseholdPlan) -> dict[str, Any]:
    """One household's plan but for its trades and lots."""
    return {
        "household": plan.household,
        "mode": plan.mode,
        "why": plan.why,
        "value": _money(plan.base),
        "gap": _money(plan.gap),
        "gap_bp": round(plan.gap_bp, 6),
        "tax_added": _money(plan.tax_added),
        "objective": {
            "drift": _money(plan.worth.drift),
            "tax": _money(plan.worth.tax),
            "cost": _money(plan.worth.cost),
            "location": _money(plan.worth.location),
            "tickets": _money(plan.worth.tickets),
        },
        "accounts": [
            {
                "account": each.account,
                "type": each.type,
                "cash_before": each.cash_before,
                "flow": each.flow,
                "raised": each.raised,
                "cash_after": _money(each.cash_after),
                "reserve": each.reserve,
            }
            for each in plan.accounts
        ],
        "returns": [
            {
                "tax_return": each.tax_return,
                "short": _money(each.gains.short),
                "long": _money(each.gains.long),
                "collectible": _money(each.gains.collectible),
                "tax_added": _money(each.added.total),
                "carry_short": _money(each.added.netted.carry_short),
                "carry_long": _money(each.added.netted.carry_long),
            }
            for each in plan.returns
        ],
        "drift_after": [
            {
                "asset_class": each.asset_class,
                "value": _money(each.value_after),
                "weight": each.weight_after,
                "target": each.target,
                "drift": each.drift_after,
                "lower": each.lower,
                "upper": each.upper,
                "status": each.status_after,
                "cause": each.cause,
            }
            for each in plan.classes
        ],
        "comparison": [
            {
                "approach": each.name,
                "tax_now": _money(each.tax_now),
                "deferred_gain": _money(each.deferred),
                "loss_carried": _money(each.loss_left),
                "drift_left": each.drift,
                "cost": _money(each.cost),
                "what": each.in_words,
            }
            for each in plan.comparison
        ],
        "limits": [
            {"limit": each.words, "costs": _money(each.dollars), "drift": each.drift}
            for each in plan.limits
        ],
        "buy_back": [
            {
                "account": sale.account,
                "symbol": sale.symbol,
                "sold": sale.sold.isoformat(),
                "safe_from": sale.safe_from.isoformat(),
                "basis_known": sale.known,
            }
            for sale in plan.buybacks
        ],
        "notes": list(plan.notes),
    }


def _money(value: float) -> float:
    return round(value, 6) + 0.0
