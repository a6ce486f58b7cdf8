"""Books for the tests of the workbooks, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xl_rebal.alternatives import classes_of
from xl_rebal.costs import parse_costs
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Target, Targets, parse_targets
from xl_rebal.rebalance import Rebalancing, Request, plan_each, rebalance
from xl_rebal.risk.asked import RiskAsked
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import Investor
from xl_rebal.trading.limits import Limits
from xl_rebal.workbooks.report import ReportSource

WALK = (
    ("VTI", 5000, 220, "Stocks/US", "Vanguard Total Stock Market ETF"),
    ("VXUS", 2000, 58, "Stocks/International", "Vanguard Total International Stock ETF"),
    ("BND", 8000, 75, "Bonds/US", "Vanguard Total Bond Market ETF"),
    ("VNQ", 1000, 85, "Real Estate", "Vanguard Real Estate ETF"),
)
SOURCE = ReportSource(
    name="positions.csv",
    custodian="schwab",
    as_of_text="2026-03-02",
    price_time="2026-03-02 16:00 ET",
    warnings=(),
    fingerprint="9f" * 32,
)


def walk_rows(account: str = "Joint 1234") -> list[dict[str, Any]]:
    """The walk-through: 1,901,000 in four funds."""
    return [
        {
            "account": account,
            "symbol": symbol,
            "quantity": quantity,
            "price": price,
            "asset_class": asset_class,
            "description": description,
            "stated_value": quantity * price,
        }
        for symbol, quantity, price, asset_class, description in WALK
    ]


def cash_row(amount: float, account: str = "Joint 1234") -> dict[str, Any]:
    """Settled cash."""
    return {
        "account": account,
        "symbol": "CASH",
        "kind": "cash",
        "quantity": amount,
        "price": 1.0,
        "asset_class": "Cash",
        "description": "Cash & cash investments",
        "stated_value": amount,
    }


def plan(
    rows: Sequence[Mapping[str, Any]],
    *,
    targets: str | Mapping[str, Targets] = "60% Stocks, 30% Bonds, 10% Real Estate",
    policy: str = "5pp",
    costs: str = "half-spread 5bp, commission 0",
    accounts: Mapping[str, Account] | None = None,
    securities: Mapping[str, Security] | None = None,
    flows: Mapping[str, float] | None = None,
) -> Rebalancing:
    """A verified plan for holdings rows."""
    models = {"": parse_targets(targets)} if isinstance(targets, str) else targets
    book = Book(
        holdings=Holdings.from_rows(rows),
        models=models,
        accounts=accounts or {},
        securities=securities or {},
    )
    request = Request(
        policy=parse_policy(policy), limits=Limits(costs=parse_costs(costs)), flows=flows or {}
    )
    return rebalance(book, request)


def two_models() -> dict[str, Targets]:
    growth = (
        Target(asset_class="Stocks", target=0.8, band_abs=0.03),
        Target(asset_class="Bonds", target=0.15, min=0.12, max=0.2),
        Target(asset_class="Real Estate", target=0.0, band_abs=0.02),
        Target(asset_class="Cash", target=0.05),
    )
    income = (
        Target(asset_class="Bonds", target=0.7, band_rel=0.1),
        Target(asset_class="Stocks", target=0.2, band_abs=0.04),
        Target(asset_class="Real Estate", target=0.1, band_abs=0.02),
    )
    return {"Growth": Targets(growth, "Growth"), "Income": Targets(income, "Income")}


HOSTILE = (
    '=HYPERLINK("http://example.com","x")',
    "+1+1",
    "-TEST260620P00010000",
    "@SUM(A1)",
    "#N/A",
    "00123",
    "TRUE",
    "a*b?c~d",
    ">5",
    "_x0041_ stays",
    "bell \x07 and \x1f",
    "tab\tand\nnewline",
    "<&>\"' ]] [#This Row]",
    "emoji 😀 ümläut",
)


def several_accounts() -> Rebalancing:
    """Three accounts, two models, a flow, a reserve, own costs, and cash of both kinds."""
    rows = [
        *walk_rows("IRA 77"),
        cash_row(120_000, "IRA 77"),
        *walk_rows("Trust-9"),
        cash_row(30_000, "Trust-9"),
        *[{**row, "quantity": row["quantity"] / 10} for row in walk_rows("00123")],
        cash_row(400.55, "00123"),
    ]
    return plan(
        rows,
        targets=two_models(),
        policy="own bands",
        costs="half-spread 4bp, commission 1.25, 0.005 per share, commission at least 2, "
        "commission at most 9, impact 30bp",
        accounts={
            "IRA 77": Account(account="IRA 77", model="Growth", cash_reserve=5000),
            "Trust-9": Account(account="Trust-9", model="Income"),
            "00123": Account(account="00123", model="Growth"),
        },
        securities={
            "BND": Security(symbol="BND", asset_class="Bonds/US", spread_bps=3, commission=4.95),
            "VTI": Security(symbol="VTI", asset_class="Stocks/US", adv=250_000),
        },
        flows={"Trust-9": -60_000},
    )


def many_kinds() -> Rebalancing:
    """Excluded and pending rows, a short option, a foreign currency, a money fund."""
    rows = [
        *walk_rows(),
        cash_row(25_000.37),
        {
            "account": "Joint 1234",
            "symbol": "-AMAT260424C400",
            "quantity": -3,
            "price": 4.2,
            "multiplier": 100,
            "asset_class": "Stocks/US",
            "description": "CALL (AMAT) APPLIED MATLS $400 APR 24 26",
        },
        {
            "account": "Joint 1234",
            "symbol": "OLDCO",
            "quantity": 10,
            "price": 1234.5,
            "asset_class": "Excluded/Legacy",
        },
        {
            "account": "Joint 1234",
            "symbol": "NESN",
            "quantity": 100,
            "price": 90.1,
            "fx": 1.1234,
            "currency": "CHF",
            "asset_class": "Stocks/International",
        },
        {
            "account": "Joint 1234",
            "symbol": "SWVXX",
            "quantity": 5000.5,
            "price": 1,
            "asset_class": "Cash/Money market",
        },
        {
            "account": "Joint 1234",
            "symbol": "",
            "kind": "pending",
            "quantity": -1500,
            "price": 1,
            "description": "Pending activity",
        },
        {
            "account": "Joint 1234",
            "symbol": "",
            "kind": "pending",
            "quantity": float("nan"),
            "price": float("nan"),
            "fx": float("nan"),
            "description": "Unknown amount",
        },
    ]
    return plan(rows, policy="5pp", costs="none")


def hostile() -> Rebalancing:
    """Texts that programs like to take for formulas, numbers, errors or wildcards."""
    rows: list[dict[str, Any]] = []
    for index, text in enumerate(HOSTILE):
        rows += [
            {
                **row,
                "description": text,
                "symbol": text if row["symbol"] == "VTI" else row["symbol"],
            }
            for row in walk_rows(f"{text} #{index}" if index != 2 else "-7")
        ]
    return plan(rows, policy="5pp")


def refused_accounts() -> Rebalancing:
    """Four accounts of which one is planned: a debt, a withdrawal too large, a price that contradicts."""
    rows = [
        *walk_rows("IRA 77"),
        *walk_rows("Margin"),
        cash_row(-2_000_000.0, "Margin"),
        *walk_rows("Overdrawn"),
        *walk_rows("Twice"),
        {**walk_rows("Twice")[0], "price": 221.0},
    ]
    book = Book(
        holdings=Holdings.from_rows(rows),
        models={"": parse_targets("60% Stocks, 30% Bonds, 10% Real Estate")},
    )
    request = Request(policy=parse_policy("5pp"), flows={"Overdrawn": -3_000_000.0})
    return plan_each(book, request)


def risk_of(result: Rebalancing) -> RiskAsked:
    """Invented covariances of all classes of a result, of which one never moves, and a shock."""
    names = classes_of(result.book)
    volatility = np.resize([0.16, 0.05, 0.21, 0.0, 0.12, 0.3], len(names))
    correlation = np.full((len(names), len(names)), 0.25) + 0.75 * np.eye(len(names))
    covariance = Covariance(
        classes=names, matrix=correlation * np.outer(volatility, volatility), words="invented"
    )
    moving = [name for name in names if name != "Cash"]
    return RiskAsked(
        covariance=covariance,
        investor=Investor(risk_aversion=3.0, horizon=2.0),
        returns={moving[0]: -0.3, moving[-1]: 0.12},
    )


SCENARIOS = {
    "walk-through": lambda: plan(walk_rows()),
    "no trades": lambda: plan(walk_rows(), policy="20pp"),
    "no bands": lambda: plan(walk_rows(), policy="never"),
    "beyond, halfway": lambda: plan(walk_rows(), policy="3pp beyond to halfway"),
    "calendar": lambda: plan([*walk_rows(), cash_row(10.0)], policy="annual and 5pp"),
    "contribution": lambda: plan(walk_rows(), flows={"Joint 1234": 250_000.0}),
    "withdrawal": lambda: plan(
        [*walk_rows(), cash_row(1_000)],
        flows={"Joint 1234": -40_000.0},
        accounts={"Joint 1234": Account(account="Joint 1234", cash_reserve=2_500)},
    ),
    "several accounts": several_accounts,
    "many kinds": many_kinds,
    "hostile texts": hostile,
    "refused accounts": refused_accounts,
    "cash only": lambda: plan([cash_row(1000.0)]),
    "empty account": lambda: plan([*walk_rows(), cash_row(0.0, "Empty")]),
}
