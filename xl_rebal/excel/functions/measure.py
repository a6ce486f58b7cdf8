"""Weights, drift, status and bands."""

from __future__ import annotations

from typing import Any

from xl_rebal.band_table import band_rows
from xl_rebal.bands import BandCheck, check
from xl_rebal.errors import TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import (
    HOLDINGS,
    POLICY,
    TARGETS,
    book_of,
    first_words,
    table_of,
)
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio.book import Book, assign_classes
from xl_rebal.risk.adjusted_bands import BandMode

DRIFT_COLUMNS = (
    "account",
    "asset_class",
    "value",
    "weight",
    "target",
    "drift",
    "relative_drift",
    "lower",
    "upper",
    "status",
)
WEIGHT_COLUMNS = ("account", "symbol", "asset_class", "value", "weight")


def drift_rows(checks: list[BandCheck], book: Book) -> list[dict[str, Any]]:
    """One row per account and class, accounts in the order of the holdings."""
    order = {name: index for index, name in enumerate(book.holdings.accounts())}
    rows = [row for each in checks for row in each.rows()]
    return sorted(rows, key=lambda row: order[row["account"]])


@worksheet_function(
    "REBAL_WEIGHTS",
    arguments=(HOLDINGS,),
    returns=Returns.TABLE,
    description="One row per holding: its class (your own, else that of the shipped table of "
    "well-known funds), its value and its weight in the account. Cash counts, pending activity does not.",
    example=Example(formula="=REBAL_WEIGHTS(tblHoldings)", result="0.578643", column="weight"),
)
def rebal_weights(holdings: Any) -> Grid:
    """The weight of every holding in its account."""
    held, _ = ranges.holdings(holdings)
    held, _ = assign_classes(held)
    held.require_rates()
    held = held.take(~held.is_pending)
    total: dict[str, float] = {}
    values = held.value.tolist()
    for account, value in zip(held.account.tolist(), values, strict=True):
        total[account] = total.get(account, 0.0) + value
    for account, value in total.items():
        if value < 0:
            raise TableError.of(
                where=f"account {account}",
                what=f"its value is negative ({value:,.2f}); weights have no meaning",
                remedy="correct the holdings",
            )
    rows = zip(
        held.account.tolist(), held.symbol.tolist(), held.asset_class.tolist(), values, strict=True
    )
    return [
        list(WEIGHT_COLUMNS),
        *([a, s, c or None, v, v / total[a] if total[a] else None] for a, s, c, v in rows),
    ]


@worksheet_function(
    "REBAL_DRIFT",
    arguments=(HOLDINGS, TARGETS, POLICY),
    returns=Returns.TABLE,
    description="One row per account and target class: value, weight, target, drift (weight minus "
    "target), relative drift, the edges of the band, and the status within, above or below.",
    example=Example(
        formula='=REBAL_DRIFT(tblHoldings, tblTargets, "5pp")', result="0.039663", column="drift"
    ),
)
def rebal_drift(holdings: Any, targets: Any, policy: Any) -> Grid:
    """Weights against targets, class by class."""
    book = book_of(holdings, targets)
    return table_of(DRIFT_COLUMNS, drift_rows(check(book, ranges.policy(policy)), book))


@worksheet_function(
    "REBAL_STATUS",
    arguments=(HOLDINGS, TARGETS, POLICY),
    returns=Returns.CELL,
    description="In one cell whether a class is outside its band, and which.",
    example=Example(
        formula='=REBAL_STATUS(tblHoldings, tblTargets, "5pp")',
        result="1 of 3 classes outside its band: Real Estate -5.53 pp",
    ),
)
def rebal_status(holdings: Any, targets: Any, policy: Any) -> str:
    """Whether every class is within its band, in words."""
    book = book_of(holdings, targets)
    return status_words(drift_rows(check(book, ranges.policy(policy)), book))


def status_words(rows: list[dict[str, Any]]) -> str:
    """Which classes of drift rows are outside their band, in one line."""
    banded = [row for row in rows if row["lower"] is not None or row["upper"] is not None]
    outside = [row for row in rows if row["status"] != "within"]
    if not outside:
        return f"all {len(banded)} classes within their bands" if banded else "no band applies"
    many = len({row["account"] for row in rows}) > 1
    words = [
        f"{row['account'] + ' ' if many else ''}{row['asset_class']} {row['drift'] * 100:+.2f} pp"
        for row in outside
    ]
    its = "its band" if len(outside) == 1 else "their bands"
    return f"{len(outside)} of {len(banded)} classes outside {its}: {first_words(words, 20, ', ')}"


@worksheet_function(
    "REBAL_BANDS",
    arguments=(
        TARGETS,
        POLICY,
        Argument(
            name="volatilities",
            help="Volatilities by class (asset_class, volatility, and optionally a column for each class "
            "with correlations), or prices (date and a column for each class).",
            optional=True,
            table="tblVolatilities",
        ),
    ),
    returns=Returns.TABLE,
    description="The band of every target class under a policy: lower and upper edge as weights. With "
    "volatilities also the edges that are hit equally often, and those that are equally risky.",
    example=Example(formula='=REBAL_BANDS(tblTargets, "5/25")', result="0.55", column="lower"),
)
def rebal_bands(targets: Any, policy: Any, volatilities: Any) -> Grid:
    """The edges of every class's band."""
    rule = ranges.policy(policy)
    models = ranges.targets(targets)
    if len(models) > 1:
        raise TableError.of(
            where="tblTargets, model",
            what=f"there are {len(models)} models ({', '.join(models)})",
            remedy="pass the rows of one model",
        )
    (model,) = models.values()
    columns = ["asset_class", "target", "lower", "upper"]
    covariance = None
    if ranges.grid(volatilities):
        covariance = ranges.covariance(volatilities, model.classes, "tblVolatilities")
        columns += [
            f"{mode.value.replace('-', '_')}_{edge}"
            for mode in BandMode
            for edge in ("lower", "upper")
        ]
    return table_of(tuple(columns), band_rows(model, rule, covariance))
