"""The JSON documents that commands print with --json (DESIGN: weights are fractions, names are text)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xl_rebal.alternatives import Alternative
from xl_rebal.band_table import band_rows
from xl_rebal.bands import BandCheck, own_bands_in_words
from xl_rebal.cli import comparing
from xl_rebal.cli.inputs import Loaded
from xl_rebal.custodians import Statement
from xl_rebal.drift import negative_totals
from xl_rebal.portfolio.accounts import is_masked
from xl_rebal.portfolio.holdings import Holdings, Kind
from xl_rebal.portfolio.lots import Lots, RealisedLots
from xl_rebal.rebalance import Rebalancing
from xl_rebal.risk.asked import NO_RISK, RiskAsked
from xl_rebal.screening import Screen, ranked
from xl_rebal.shock_table import shock_drifts, shock_rows
from xl_rebal.trading.plan import Action, CashDay, NotDone, Plan, Trade


def dumps(document: dict[str, Any]) -> str:
    """One JSON text; a number that is not finite would not be JSON and is refused."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def import_document(statements: list[Statement], warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The document of `import`; `warnings` are those about all files together."""
    names = list(dict.fromkeys(s.custodian for s in statements))
    several = len(statements) > 1
    return {
        "custodian": names[0] if len(names) == 1 else "several",
        "accounts": [
            {
                "account": account.account,
                "name": account.name,
                "positions": account.positions,
                "total": _finite(account.total),
                "masked": is_masked(account.account),
            }
            for statement in statements
            for account in statement.accounts
        ],
        "holdings": [row for s in statements for row in holding_rows(s.holdings)],
        "warnings": [
            *(
                f"{s.source}: {text}" if several else text
                for s in statements
                for text in s.warnings
            ),
            *warnings,
        ],
        "lots": [row for s in statements for row in _rows(s.lots)],
        "realised": [row for s in statements for row in _rows(s.realised)],
        "files": [
            {
                "file": s.source,
                "custodian": s.custodian,
                "as_of": s.as_of.isoformat() if s.as_of else None,
                "as_of_text": s.as_of_text,
                "base_currency": s.base_currency,
            }
            for s in statements
        ],
    }


def _rows(table: Lots | RealisedLots) -> list[dict[str, Any]]:
    """One mapping per lot under its columns; what the file does not know is null."""
    names = [name for name in table.names() if name != "line"]
    columns: list[list[Any]] = []
    for name in names:
        values = getattr(table, name)
        if values.dtype.kind == "M":
            columns.append([None if day is None else day.isoformat() for day in values.tolist()])
        elif values.dtype.kind == "f":
            columns.append([_finite(number) for number in values.tolist()])
        else:
            empty = None if name in {"lot_id", "term", "currency"} else ""
            columns.append([text or empty for text in values.tolist()])
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def holding_rows(holdings: Holdings) -> list[dict[str, Any]]:
    """One row per holding; `value` is what the file states."""
    result = []
    for i in range(len(holdings)):
        stated = float(holdings.stated_value[i])
        value = (
            stated
            if math.isfinite(stated)
            else _finite(holdings.quantity[i] * holdings.price[i] * holdings.multiplier[i])
        )
        pending = holdings.kind[i] == Kind.PENDING.value
        result.append(
            {
                "account": holdings.account[i],
                "symbol": None if pending else holdings.symbol[i],
                "quantity": _finite(holdings.quantity[i]),
                "price": _finite(holdings.price[i]),
                "value": value,
                "asset_class": holdings.asset_class[i] or None,
                "kind": holdings.kind[i],
                "multiplier": _finite(holdings.multiplier[i]),
                "currency": holdings.currency[i] or None,
                "fx": _finite(holdings.fx[i]),
                "description": holdings.description[i],
                "settles": _day(holdings.settles[i]),
            }
        )
    return result


def _day(value: Any) -> str | None:
    return None if np.isnat(value) else str(value)


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def policy_words(loaded: Loaded) -> str:
    """The policy in words, with the bands that the targets table sets."""
    words = loaded.policy.in_words()
    own = [text for targets in loaded.book.models.values() if (text := own_bands_in_words(targets))]
    if own and loaded.policy.has_band:
        words += f" Bands from the targets table: {'; '.join(own)}."
    return words


def drift_document(loaded: Loaded, checks: list[BandCheck]) -> dict[str, Any]:
    """The document of `drift`; an account with a negative total has no weights, and no rows."""
    debts = {name for check in checks for name in negative_totals(check.drift)}
    rows = [row for check in checks for row in check.rows() if row["account"] not in debts]
    order = {name: i for i, name in enumerate(loaded.book.holdings.accounts())}
    rows.sort(key=lambda row: order[row["account"]])
    return {
        "total": math.fsum(
            base
            for check in checks
            for name, base in zip(check.drift.accounts, check.drift.base.tolist(), strict=True)
            if name not in debts
        ),
        "policy": policy_words(loaded),
        "breached": [
            {"account": row["account"], "asset_class": row["asset_class"]}
            for row in rows
            if row["status"] != "within"
        ],
        "rows": rows,
        "as_of": loaded.request.as_of.isoformat() if loaded.request.as_of else "unknown",
        "warnings": list(loaded.warnings),
    }


ESTIMATE = (
    "estimates are no plan: whole steps towards each class's destination, before restrictions, "
    "minimums, costs and cash; `xl-rebal trades` makes verified plans"
)


def summary_document(loaded: Loaded, screens: Sequence[Screen]) -> dict[str, Any]:
    """The document of `drift --summary`: breaches of all accounts, the worst first."""
    worst = ranked(screens)
    asking = [
        name
        for screen in screens
        for name, asks in zip(screen.check.drift.accounts, screen.asks.tolist(), strict=True)
        if asks
    ]
    columns = (worst.drift, worst.excess, worst.value, worst.gap)
    return {
        "total": float(sum(screen.check.drift.base.sum() for screen in screens)),
        "policy": policy_words(loaded),
        "accounts": sum(len(screen.check.drift.accounts) for screen in screens),
        "asking": asking,
        "short_of_cash": [
            name
            for screen in screens
            for name, short in zip(screen.check.drift.accounts, screen.short.tolist(), strict=True)
            if short
        ],
        "breached": [
            {
                "account": account,
                "asset_class": asset_class,
                "drift": drift,
                "excess": excess,
                "value": value,
                "gap": gap,
            }
            for account, asset_class, drift, excess, value, gap in zip(
                worst.account,
                worst.asset_class,
                *(column.tolist() for column in columns),
                strict=True,
            )
        ],
        "estimates": [row for screen in screens for row in _estimates(loaded, screen)],
        "as_of": loaded.request.as_of.isoformat() if loaded.request.as_of else "unknown",
        "warnings": list(loaded.warnings),
        "note": ESTIMATE,
    }


def _estimates(loaded: Loaded, screen: Screen) -> list[dict[str, Any]]:
    holdings = loaded.book.holdings
    moved = screen.units.nonzero()[0]
    row, units = screen.group.row[moved], screen.units[moved]
    value = abs(units) * (holdings.price * holdings.multiplier * holdings.fx)[row]
    return [
        {
            "account": account,
            "symbol": symbol,
            "action": (Action.BUY if quantity > 0 else Action.SELL).value,
            "quantity": abs(quantity),
            "price": price,
            "value": round(money, 2),
        }
        for account, symbol, quantity, price, money in zip(
            holdings.account[row].tolist(),
            holdings.symbol[row].tolist(),
            units.tolist(),
            holdings.price[row].tolist(),
            value.tolist(),
            strict=True,
        )
    ]


def trade_row(trade: Trade) -> dict[str, Any]:
    """One trade; quantity and value are positive."""
    return {
        "account": trade.account,
        "symbol": trade.symbol,
        "action": trade.action.value,
        "quantity": trade.quantity,
        "price": trade.price,
        "value": trade.value,
        "cost": trade.cost,
        "reason": trade.reason,
        "asset_class": trade.asset_class,
        "settles": trade.settles,
        "order_type": trade.order_type.value,
        "limit_price": trade.limit_price,
        "time_in_force": trade.time_in_force.value,
        "redemption_fee": trade.redemption,
    }


def cash_day_row(day: CashDay) -> dict[str, Any]:
    """Cash of one day; closing = opening + arriving + sells - buys - fees + flows."""
    names = ("opening", "arriving", "sells", "buys", "fees", "flows", "closing")
    return {"date": day.when, **{name: _money(getattr(day, name)) for name in names}}


def not_done_row(row: NotDone) -> dict[str, Any]:
    """What was not done, and the percentage points of drift that it leaves."""
    return {
        "account": row.account,
        "asset_class": row.asset_class or None,
        "symbol": row.symbol or None,
        "cause": row.cause.value,
        "drift_pp": row.drift_pp,
        "what": row.what,
    }


def _after_rows(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "account": plan.account,
            "asset_class": c.asset_class,
            "value": c.value_after,
            "weight": c.weight_after,
            "target": c.target,
            "drift": c.drift_after,
            "relative_drift": c.drift_after / c.target if c.target > 0 else None,
            "lower": c.lower,
            "upper": c.upper,
            "status": c.status_after,
            "cause": c.cause,
        }
        for c in plan.classes
    ]


def proof_row(plan: Plan) -> dict[str, Any]:
    """How good a plan is known to be; `gap` counts trades, or is a fraction of the weight base."""
    proof = plan.proof
    return {
        "optimal": proof.optimal,
        "stage": proof.stage or None,
        "gap": proof.gap,
        "words": proof.words,
    }


def risk_document(result: Rebalancing, risk: RiskAsked) -> dict[str, Any]:
    """What `report` adds of risk: `bands` that follow volatility, and the rows after a `shock`."""
    found: dict[str, Any] = {}
    policy = result.request.policy
    if risk.covariance is not None:
        found["bands"] = [
            {"model": name, **row}
            for name, model in result.book.models.items()
            for row in band_rows(model, policy, risk.covariance.of(model.classes))
        ]
    if risk.returns:
        shocked = shock_drifts(result.book, result.drifts, policy, risk.returns)
        found["shock"] = shock_rows(shocked)
    return found


def trades_document(
    loaded: Loaded,
    result: Rebalancing,
    found: tuple[Alternative, ...] = (),
    risk: RiskAsked = NO_RISK,
) -> dict[str, Any]:
    """The document of `trades`: only verified plans get here."""
    plans = result.plans
    return {
        "trades": [trade_row(trade) for plan in plans for trade in plan.trades],
        "cash_before": _money(sum(plan.cash_before for plan in plans)),
        "cash_after": _money(sum(plan.cash_after for plan in plans)),
        "total_cost": _money(sum(plan.total_cost for plan in plans)),
        "drift_after": [row for plan in plans for row in _after_rows(plan)],
        "verified": True,
        "policy": policy_words(loaded),
        "costs": loaded.request.limits.costs.in_words(),
        "as_of": loaded.request.as_of.isoformat() if loaded.request.as_of else "unknown",
        "plans": [
            {
                "account": plan.account,
                "triggered": plan.triggered,
                "why": plan.why,
                "cash_before": plan.cash_before,
                "flow": plan.flow,
                "reserve": plan.reserve,
                "cash_after": plan.cash_after,
                "total_cost": plan.total_cost,
                "turnover": plan.turnover,
                "deposit_to_restore": plan.deposit_to_restore,
                "notes": list(plan.notes),
                "remarks": list(plan.remarks),
                "leaving": plan.leaving,
                "drift_left_pp": plan.drift_left_pp,
                "cash_days": [cash_day_row(day) for day in plan.cash_days],
                "proof": proof_row(plan),
            }
            for plan in plans
        ],
        "not_done": [not_done_row(row) for plan in plans for row in plan.not_done],
        "refused": [{"account": each.account, "reason": each.reason} for each in result.refused],
        "net_benefit": comparing.benefit_rows(result, risk),
        **({"alternatives": comparing.rows(found)} if found else {}),
        "warnings": [*loaded.warnings, *result.notes],
    }


def _money(value: float) -> float:
    return round(value, 6)
