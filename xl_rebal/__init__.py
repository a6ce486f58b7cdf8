"""Portfolio rebalancing that lives in Excel: drift, bands and cash-true trades.

`import xl_rebal` loads nothing but this file; a public name brings its module when it is used.

    import xl_rebal as xr

    statement = xr.read_positions("positions.csv")
    holdings = xr.classify(statement.holdings)
    targets = xr.parse_targets("60% stocks, 30% bonds, 10% real estate")
    book = xr.Book(holdings=holdings, models={"": targets})
    result = xr.plan_trades(book, xr.Request(policy=xr.parse_policy("5pp")))
    for plan in result.plans:
        for trade in plan.trades:
            print(trade.action, trade.quantity, trade.symbol, trade.reason)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> where it comes from.
_HOMES: dict[str, tuple[str, str]] = {
    "Account": ("xl_rebal.portfolio.accounts", "Account"),
    "Book": ("xl_rebal.portfolio.book", "Book"),
    "CostModel": ("xl_rebal.costs", "CostModel"),
    "Holdings": ("xl_rebal.portfolio.holdings", "Holdings"),
    "Limits": ("xl_rebal.trading.limits", "Limits"),
    "Lots": ("xl_rebal.portfolio.lots", "Lots"),
    "Plan": ("xl_rebal.trading.plan", "Plan"),
    "Policy": ("xl_rebal.portfolio.policies", "Policy"),
    "RealisedLots": ("xl_rebal.portfolio.lots", "RealisedLots"),
    "RebalError": ("xl_rebal.errors", "RebalError"),
    "Request": ("xl_rebal.rebalance", "Request"),
    "Restriction": ("xl_rebal.portfolio.restrictions", "Restriction"),
    "Security": ("xl_rebal.portfolio.securities", "Security"),
    "Targets": ("xl_rebal.portfolio.targets", "Targets"),
    "Told": ("xl_rebal.custodians", "Told"),
    "Trade": ("xl_rebal.trading.plan", "Trade"),
    "align_prices": ("xl_rebal.backtest.prices", "align"),
    "backtest_summary": ("xl_rebal.backtest.metrics", "summary"),
    "check_drift": ("xl_rebal.bands", "check"),
    "classify": ("xl_rebal.portfolio.book", "classify"),
    "is_masked": ("xl_rebal.portfolio.accounts", "is_masked"),
    "lot_gaps": ("xl_rebal.portfolio.lots", "lot_gaps"),
    "compare_policies": ("xl_rebal.backtest.comparison", "compare"),
    "parse_costs": ("xl_rebal.costs", "parse_costs"),
    "parse_policy": ("xl_rebal.portfolio.policy_text", "parse_policy"),
    "parse_targets": ("xl_rebal.portfolio.targets", "parse_targets"),
    "plan_each": ("xl_rebal.rebalance", "plan_each"),
    "plan_trades": ("xl_rebal.rebalance", "rebalance"),
    "read_account_map": ("xl_rebal.custodians", "read_account_map"),
    "read_export": ("xl_rebal.custodians", "read_export"),
    "read_prices": ("xl_rebal.market_data.price_tables", "read_prices"),
    "read_positions": ("xl_rebal.custodians", "read_positions"),
    "write_lots_csv": ("xl_rebal.custodians", "write_lots_csv"),
    "run_backtest": ("xl_rebal.backtest.simulator", "simulate"),
    "write_report": ("xl_rebal.workbooks.report", "write_report"),
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the names of the table above


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
