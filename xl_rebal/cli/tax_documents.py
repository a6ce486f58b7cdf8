"""The JSON documents of `wash-sales` and `harvest`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from xl_rebal.cli.tax_inputs import HarvestAsked, WashSales
from xl_rebal.tax.harvesting import Candidate, ReturnSaving
from xl_rebal.tax.wash_sales import LedgerLot, Match, Sale


def wash_sales_document(read: WashSales) -> dict[str, Any]:
    """The document of `wash-sales`; `gain` is before disallowance, `allowed` what counts."""
    ledger = read.ledger
    buybacks = [b for found in read.window.buybacks.values() for b in found]
    return {
        "sales": [sale_row(sale) for sale in ledger.sales],
        "lots": [lot_row(lot) for lot in ledger.lots],
        "matches": [_match_row(match) for match in ledger.matches],
        "safe_to_buy": [
            {
                "account": b.account,
                "symbol": b.symbol,
                "sold": _day(b.sold),
                "from": _day(b.safe_from),
            }
            for b in buybacks
        ],
        "as_of": _day(read.as_of) or "unknown",
        "warnings": [*read.warnings, *(match.in_words() for match in ledger.alerts)],
    }


def sale_row(sale: Sale) -> dict[str, Any]:
    """One sale of one term."""
    return {
        "account": sale.account,
        "symbol": sale.symbol,
        "date": _day(sale.date),
        "quantity": _clean(sale.quantity),
        "gain": _clean(sale.gain),
        "disallowed": _clean(sale.disallowed),
        "allowed": _clean(sale.allowed),
        "term": sale.term.value if sale.term is not None else None,
    }


def lot_row(lot: LedgerLot) -> dict[str, Any]:
    """One lot that is still held."""
    return {
        "account": lot.account,
        "symbol": lot.symbol,
        "acquired": _day(lot.acquired),
        "holding_start": _day(lot.holding_start),
        "quantity": _clean(lot.quantity),
        "unit_cost": _clean(lot.unit_cost),
    }


def _match_row(match: Match) -> dict[str, Any]:
    return {
        "account": match.account,
        "symbol": match.symbol,
        "sold": _day(match.sold),
        "bought_in": match.bought_in,
        "bought_symbol": match.bought_symbol,
        "bought": _day(match.bought),
        "quantity": _clean(match.quantity),
        "disallowed": _clean(match.disallowed),
        "permanent": match.reach.value == "lose",
        "why": match.in_words(),
    }


def harvest_document(asked: HarvestAsked) -> dict[str, Any]:
    """The document of `harvest`."""
    found = asked.harvest
    return {
        "candidates": [candidate_row(c) for c in found.candidates],
        "trades": harvest_trades(found.taken),
        "returns": [_return_row(saving) for saving in found.returns],
        "loss": _clean(sum(c.loss for c in found.taken)),
        "saved_now": _clean(sum(r.saved_now for r in found.returns)) if found.returns else None,
        "as_of": asked.as_of.isoformat(),
        "threshold": {"money": asked.threshold.money, "fraction": asked.threshold.fraction},
        "warnings": list(asked.warnings),
    }


def candidate_row(c: Candidate) -> dict[str, Any]:
    """One lot at a loss."""
    return {
        "account": c.account,
        "symbol": c.symbol,
        "acquired": _day(c.acquired),
        "quantity": _clean(c.quantity),
        "unit_cost": _clean(c.unit_cost),
        "price": _clean(c.price),
        "loss": _clean(c.loss),
        "loss_fraction": _clean(c.loss_fraction),
        "term": c.term.value,
        "days_to_long": c.days_to_long,
        "tax_value": _clean(c.tax_value),
        "verdict": c.verdict.value,
        "replacement": c.replacement or None,
        "replacement_quantity": _clean(c.replacement_quantity),
        "class_change": _clean(c.class_change),
        "buy_back_from": _day(c.buy_back_from),
        "why": c.why,
    }


def harvest_trades(taken: Sequence[Candidate]) -> list[dict[str, Any]]:
    """One sale per account and security, one purchase per account and replacement."""
    sales: dict[tuple[str, str], list[Candidate]] = {}
    buys: dict[tuple[str, str], list[Candidate]] = {}
    for c in taken:
        sales.setdefault((c.account, c.symbol), []).append(c)
        buys.setdefault((c.account, c.replacement), []).append(c)
    rows = [
        _trade(account, symbol, "SELL", sum(c.quantity for c in lots), lots[0].price, lots[0].why)
        for (account, symbol), lots in sales.items()
    ]
    for (account, symbol), lots in buys.items():
        instead = ", ".join(dict.fromkeys(c.symbol for c in lots))
        quantity = sum(c.replacement_quantity for c in lots)
        if quantity:
            reason = f"holds the place of {instead} until {_day(lots[0].buy_back_from)} at least"
            price = lots[0].replacement_price
            rows.append(_trade(account, symbol, "BUY", quantity, price, reason))
    return rows


def _trade(
    account: str, symbol: str, action: str, quantity: float, price: float, reason: str
) -> dict[str, Any]:
    return {
        "account": account,
        "symbol": symbol,
        "action": action,
        "quantity": _clean(quantity),
        "price": _clean(price),
        "value": _clean(quantity * price),
        "reason": reason,
    }


def _return_row(saving: ReturnSaving) -> dict[str, Any]:
    return {
        "household": saving.household,
        "tax_return": saving.tax_return,
        "loss": _clean(saving.loss),
        "tax_before": _clean(saving.tax_before),
        "tax_after": _clean(saving.tax_after),
        "saved_now": _clean(saving.saved_now),
        "deducted_from_income": _clean(saving.deducted),
        "carry_short": _clean(saving.carry_short),
        "carry_long": _clean(saving.carry_long),
    }


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _clean(value: float | None) -> float | None:
    """Without the dust of float sums: nothing here is known below a billionth."""
    return None if value is None else round(float(value), 9) + 0.0
