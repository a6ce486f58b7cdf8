"""The public names: what others import must not vanish or change its home unnoticed."""

from __future__ import annotations

import xl_rebal

PINNED = {
    "Account",
    "Book",
    "CostModel",
    "Holdings",
    "Limits",
    "Lots",
    "Plan",
    "Policy",
    "RealisedLots",
    "RebalError",
    "Request",
    "Restriction",
    "Security",
    "Targets",
    "Told",
    "Trade",
    "__version__",
    "align_prices",
    "backtest_summary",
    "check_drift",
    "classify",
    "is_masked",
    "lot_gaps",
    "compare_policies",
    "parse_costs",
    "parse_policy",
    "parse_targets",
    "plan_each",
    "plan_trades",
    "read_account_map",
    "read_export",
    "read_positions",
    "read_prices",
    "run_backtest",
    "write_lots_csv",
    "write_report",
}


def test_public_names_are_pinned_and_importable() -> None:
    assert set(xl_rebal.__all__) == PINNED
    for name in PINNED:
        assert getattr(xl_rebal, name) is not None
    assert set(dir(xl_rebal)) >= PINNED


def test_the_example_of_the_docstring_runs() -> None:
    from importlib import resources

    sample = resources.files("xl_rebal") / "samples" / "schwab_positions.csv"
    with resources.as_file(sample) as path:
        statement = xl_rebal.read_positions(path)
    book = xl_rebal.Book(
        holdings=xl_rebal.classify(statement.holdings),
        models={"": xl_rebal.parse_targets("60% stocks, 30% bonds, 10% real estate")},
    )
    result = xl_rebal.plan_trades(book, xl_rebal.Request(policy=xl_rebal.parse_policy("5pp")))
    assert [t.symbol for plan in result.plans for t in plan.trades] == ["VXUS", "BND", "VNQ"]
