"""What a plan is worth after its costs, what shocks do to weights, and how far the bands are."""

from __future__ import annotations

from typing import Any

import numpy as np

from xl_rebal.alternatives import benefit_of, classes_of
from xl_rebal.bands import check
from xl_rebal.errors import TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import COSTS, HOLDINGS, POLICY, TARGETS, book_of, table_of
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.rebalance import Request, plan_each
from xl_rebal.risk.net_benefit import RISK_AVERSION, Investor
from xl_rebal.risk.shock import returns_of, shocked
from xl_rebal.trading.limits import Limits

BENEFIT_COLUMNS = (
    "account",
    "net_benefit",
    "gross_benefit",
    "costs",
    "variance_before",
    "variance_after",
    "risk_aversion",
    "value",
    "horizon",
    "formula",
)
SHOCK_COLUMNS = ("asset_class", "weight", "return", "weight_after", "drift")
EDGE_COLUMNS = (
    "account",
    "asset_class",
    "weight",
    "lower",
    "upper",
    "move_to_lower",
    "move_to_upper",
)


@worksheet_function(
    "REBAL_NETBENEFIT",
    arguments=(
        HOLDINGS,
        TARGETS,
        POLICY,
        COSTS,
        Argument(
            name="risk_aversion",
            help="Risk aversion of the investor, 4 when left out; a choice, not a measurement.",
            optional=True,
        ),
        Argument(
            name="prices",
            help="Prices (date and a column for each class) or volatilities (asset_class, volatility, "
            "a column for each class with correlations).",
            optional=True,
            table="tblPrices",
        ),
    ),
    returns=Returns.TABLE,
    description="0.5 x risk aversion x (variance of the drift before - after) x value over one year, "
    "less the costs of the plan; the last column is the formula with its numbers. A mean-variance "
    "equivalent of the tracking variance that the plan removes, not a forecast of return.",
    example=Example(
        formula='=REBAL_NETBENEFIT(tblHoldings, tblTargets, "5pp", "half-spread 5bp", 4, tblVolatilities)',
        result="131.413007",
        column="net_benefit",
    ),
    expensive=True,
)
def rebal_netbenefit(
    holdings: Any, targets: Any, policy: Any, costs: Any, risk_aversion: Any, prices: Any
) -> Grid:
    """What the trades that the policy asks for are worth after their costs."""
    book = book_of(holdings, targets)
    aversion = ranges.number(risk_aversion, "risk_aversion", RISK_AVERSION)
    try:
        investor = Investor(risk_aversion=aversion)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where="risk_aversion", what=what, remedy=remedy) from None
    covariance = ranges.covariance(prices, classes_of(book), "tblPrices")
    request = Request(policy=ranges.policy(policy), limits=Limits(costs=ranges.costs(costs)))
    rows: Grid = [list(BENEFIT_COLUMNS)]
    result = plan_each(book, request).usable()
    for plan in result.plans:
        benefit = benefit_of(plan, covariance, investor)
        rows.append(
            [
                plan.account,
                benefit.net,
                benefit.gross,
                benefit.costs,
                benefit.variance_before,
                benefit.variance_after,
                aversion,
                benefit.value,
                benefit.investor.horizon,
                benefit.in_words(),
            ]
        )
    rows += [[each.account, *[None] * 8, f"refused: {each.reason}"] for each in result.refused]
    return rows


@worksheet_function(
    "REBAL_SHOCK",
    arguments=(
        Argument(
            name="weights",
            help='Weights by class: "60% stocks, 40% bonds" or a table with asset_class and weight.',
        ),
        Argument(
            name="returns",
            help='Returns by class: "stocks -34%, bonds 0%" or a table with asset_class and return; '
            "0% for what is not named.",
        ),
    ),
    returns=Returns.TABLE,
    description="Weights after each class returned what is given, and how far each drifted from where "
    "it stood.",
    example=Example(
        formula='=REBAL_SHOCK("60% stocks, 40% bonds", "stocks -34%")',
        result="0.497487",
        column="weight_after",
    ),
)
def rebal_shock(weights: Any, returns: Any) -> Grid:
    """What given returns make of weights."""
    given = ranges.weights(weights)
    weight = np.array(list(given.values()))
    moved = returns_of(ranges.returns(returns), list(given))
    try:
        after = shocked(weight, moved)
    except ValueError as error:
        raise TableError.of(where="returns", what=str(error), remedy="correct them") from None
    rows = zip(given, weight, moved, after, after - weight, strict=True)
    return [list(SHOCK_COLUMNS), *([name, *map(float, numbers)] for name, *numbers in rows)]


@worksheet_function(
    "REBAL_EDGES",
    arguments=(HOLDINGS, TARGETS, POLICY),
    returns=Returns.TABLE,
    description="For each class the return of it alone, all others flat, that takes its weight to the "
    "lower and to the upper edge of its band; blank where no move does.",
    example=Example(
        formula='=REBAL_EDGES(tblHoldings, tblTargets, "5pp")',
        result="0.046170",
        column="move_to_upper",
    ),
)
def rebal_edges(holdings: Any, targets: Any, policy: Any) -> Grid:
    """The market move that reaches each edge of a band."""
    book = book_of(holdings, targets)
    order = {name: index for index, name in enumerate(book.holdings.accounts())}
    rows = [row for each in check(book, ranges.policy(policy)) for row in each.rows()]
    return table_of(EDGE_COLUMNS, sorted(rows, key=lambda row: order[row["account"]]))
