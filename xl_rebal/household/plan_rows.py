"""A household's plan as tables: what worksheets, reports and letters show of it, in one order."""

from __future__ import annotations

from typing import Any

from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.request import HouseholdRequest
from xl_rebal.tax.wash_window import Buyback
from xl_rebal.trading.plan import Action

Grid = list[list[Any]]

TRADES = (
    "account", "symbol", "action", "acquired", "quantity", "price", "value", "cost", "gain", "term", "tax",
    "reason",
)  # fmt: skip
WAYS = ("approach", "tax_now", "deferred_gain", "loss_carried", "drift_left", "cost", "what")
CLASSES = (
    "asset_class", "target", "value_before", "weight_before", "drift_before", "value", "weight", "drift",
    "lower", "upper", "status", "cause",
)  # fmt: skip
NOTES = ("kind", "symbol", "day", "words")
# Kinds of notes: what must not be bought back yet, what stays outside its band, what a limit costs, the rest.
WASH, LEFT, LIMIT, NOTE = "wash sale", "left", "limit", "note"


def trade_rows(plan: HouseholdPlan) -> Grid:
    """A row for each order; a sale in a taxable account has one for each lot, and its cost in the first."""
    rows: Grid = [list(TRADES)]
    for trade in plan.trades:
        sales = [
            s for s in plan.lot_sales if (s.account, s.symbol) == (trade.account, trade.symbol)
        ]
        head = [trade.account, trade.symbol, trade.action.value]
        if not sales or trade.action is Action.BUY:
            money = [trade.quantity, trade.price, trade.value, trade.cost]
            rows.append([*head, None, *money, None, None, None, trade.reason])
            continue
        for place, sale in enumerate(sales):
            rows.append(
                [
                    *head,
                    sale.acquired.isoformat(),
                    sale.quantity,
                    trade.price,
                    round(sale.proceeds, 2),
                    0.0 if place else trade.cost,
                    round(sale.allowed, 2),
                    sale.term,
                    None if sale.tax is None else round(sale.tax, 2),
                    sale.because,
                ]
            )
    return rows


def figure_rows(plan: HouseholdPlan, request: HouseholdRequest) -> Grid:
    """What the plan does in one figure a row, always the same rows; amounts are money, drifts fractions."""
    gains = [each.gains for each in plan.returns]
    added = [each.added for each in plan.returns]
    naive = plan.comparison[0] if plan.comparison else None
    ours = plan.comparison[-1] if plan.comparison else None
    saving = plan.saving
    rows: tuple[tuple[str, Any], ...] = (
        ("why", plan.why or "nothing asks for trades"),
        ("policy", request.policy.in_words()),
        ("costs", request.limits.costs.in_words()),
        ("value", plan.base),
        ("orders", len(plan.trades)),
        ("sold", _traded(plan, Action.SELL)),
        ("bought", _traded(plan, Action.BUY)),
        ("cost", plan.total_cost),
        ("gain_short", sum(g.short for g in gains)),
        ("gain_long", sum(g.long for g in gains)),
        ("gain_collectible", sum(g.collectible for g in gains)),
        ("losses_taken", -sum(min(sale.allowed, 0.0) for sale in plan.lot_sales)),
        ("income_tax", sum(t.income for t in added)),
        ("niit", sum(t.niit for t in added)),
        ("state", sum(t.state for t in added)),
        ("tax_added", plan.tax_added),
        ("tax_naive", naive.tax_now if naive else None),
        ("less_tax", saving.total if saving else None),
        ("tax_deferred", saving.deferred if saving else None),
        ("tax_saved_for_good", saving.permanent if saving else None),
        ("gain_deferred", ours.deferred if ours else None),
        ("loss_carried", ours.loss_left if ours else None),
        ("drift_before", sum(abs(c.drift_before) for c in plan.classes) / 2),
        ("drift_after", sum(abs(c.drift_after) for c in plan.classes) / 2),
        ("gap", plan.gap),
        ("tax_returns", len(plan.returns)),
    )
    return [["figure", "value"], *([name, _money(value)] for name, value in rows)]


def way_rows(plan: HouseholdPlan) -> Grid:
    """The approaches that the plan is compared with, ours last; none where nothing is traded."""
    return [
        list(WAYS),
        *(
            [
                each.name,
                _money(each.tax_now),
                _money(each.deferred),
                _money(each.loss_left),
                each.drift,
                _money(each.cost),
                each.in_words,
            ]
            for each in plan.comparison
        ),
    ]


def class_rows(plan: HouseholdPlan) -> Grid:
    """Every target class (and cash) before and after the plan."""
    return [
        list(CLASSES),
        *(
            [
                each.asset_class,
                each.target,
                _money(each.value_before),
                each.weight_before,
                each.drift_before,
                _money(each.value_after),
                each.weight_after,
                each.drift_after,
                each.lower,
                each.upper,
                each.status_after,
                each.cause or None,
            ]
            for each in plan.classes
        ),
    ]


def note_rows(plan: HouseholdPlan) -> Grid:
    """From when what was sold at a loss may be bought again, and what the plan did not do, and why."""
    rows: Grid = [[WASH, *_wash(sales)] for sales in _by_symbol(plan.buybacks)]
    for each in plan.classes:
        if each.cause:
            words = (
                f"{each.asset_class} stays {each.status_after} its band "
                f"({each.drift_after * 100:+.2f} pp from target): {each.cause}"
            )
            rows.append([LEFT, None, None, words])
    saved = plan.saving.in_words() if plan.saving else ""
    rows += [[NOTE, None, None, note] for note in plan.notes if note != saved]
    rows += [[LIMIT, None, None, price.in_words()] for price in plan.limits]
    return [list(NOTES), *rows]


def _by_symbol(sales: tuple[Buyback, ...]) -> list[list[Buyback]]:
    """Sales of one symbol on one day, whatever the account."""
    found: dict[tuple[Any, ...], list[Buyback]] = {}
    for sale in sales:
        found.setdefault((sale.symbol, sale.sold, sale.safe_from, sale.known), []).append(sale)
    return list(found.values())


def _wash(sales: list[Buyback]) -> list[Any]:
    first = sales[0]
    loss = "at a loss" if first.known else "at a basis that is not known"
    where = ", ".join(dict.fromkeys(sale.account for sale in sales))
    words = (
        f"{first.symbol}, sold {loss} on {first.sold} in {where}: nobody of the household buys it, or "
        f"anything substantially identical, in any account before {first.safe_from}"
    )
    return [first.symbol, first.safe_from.isoformat(), words]


def _traded(plan: HouseholdPlan, action: Action) -> float:
    return sum(trade.value for trade in plan.trades if trade.action is action)


def _money(value: Any) -> Any:
    return round(value, 6) + 0.0 if isinstance(value, float) else value
