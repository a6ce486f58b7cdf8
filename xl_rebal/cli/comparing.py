"""`--compare`, `--plan` and what a plan is worth: the options that trades and report share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from xl_rebal.alternatives import Alternative, Choice
from xl_rebal.cli.inputs import Loaded
from xl_rebal.rebalance import Rebalancing
from xl_rebal.risk.asked import RiskAsked
from xl_rebal.risk.net_benefit import HORIZON, RISK_AVERSION

CompareOption = Annotated[
    bool,
    typer.Option(
        "--compare",
        help="Show the plans target, halfway, edge, breached-only, buy-only side by side.",
    ),
]
PlanOption = Annotated[
    Choice | None,
    typer.Option(
        "--plan", help="Which of these plans to make, instead of the policy's destination."
    ),
]
_MOVES = "prices (date, one column a class) or volatilities (asset_class, volatility, correlations)"
PricesOption = Annotated[
    Path | None,
    typer.Option("--prices", help=f"How the classes move, for the net benefit: {_MOVES}."),
]
VolatilitiesOption = Annotated[
    Path | None, typer.Option("--volatilities", help="The same as --prices, as in `bands`.")
]
AversionOption = Annotated[
    float | None,
    typer.Option(
        "--risk-aversion",
        help=f"Risk aversion for the net benefit; a choice, {RISK_AVERSION:g} when left out.",
    ),
]
YearsOption = Annotated[
    float | None,
    typer.Option(
        "--horizon",
        help=f"Years for which the net benefit counts; {HORIZON:g} when left out.",
    ),
]
ReturnsOption = Annotated[
    str | None,
    typer.Option("--returns", help='A shock, as in `shock`: "stocks -20%, bonds 5%".'),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """The options as typed."""

    compare: bool = False
    plan: Choice | None = None
    prices: Path | None = None
    volatilities: Path | None = None
    risk_aversion: float | None = None
    horizon: float | None = None
    returns: str | None = None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Comparing:
        """Take the options of this group out of all options of a command."""
        return cls(**{name: options.pop(name) for name in cls.__slots__ if name in options})

    def risk(self, loaded: Loaded) -> RiskAsked:
        """What the options ask for besides the plan itself."""
        from xl_rebal.cli.risk_inputs import risk_asked

        return risk_asked(
            loaded,
            prices=self.prices,
            volatilities=self.volatilities,
            risk_aversion=self.risk_aversion,
            horizon=self.horizon,
            returns=self.returns,
        )


def compared(loaded: Loaded, options: Comparing, risk: RiskAsked) -> tuple[Alternative, ...]:
    """The plans side by side, of the policy as it was typed; none when not asked for."""
    from xl_rebal.alternatives import alternatives

    if not options.compare:
        return ()
    return alternatives(
        loaded.book, loaded.request, covariance=risk.covariance, investor=risk.investor
    )


def benefit_rows(result: Rebalancing, risk: RiskAsked) -> list[dict[str, Any]]:
    """The JSON rows of what each plan is worth; none without covariances."""
    from xl_rebal.alternatives import benefit_of

    if risk.covariance is None:
        return []
    found = [(plan, benefit_of(plan, risk.covariance, risk.investor)) for plan in result.plans]
    return [
        {
            "account": plan.account,
            "net_benefit": benefit.net,
            "gross_benefit": benefit.gross,
            "costs": benefit.costs,
            "variance_before": benefit.variance_before,
            "variance_after": benefit.variance_after,
            "risk_aversion": benefit.investor.risk_aversion,
            "value": benefit.value,
            "horizon": benefit.investor.horizon,
            "formula": benefit.in_words(),
        }
        for plan, benefit in found
    ]


def show_benefits(rows: list[dict[str, Any]]) -> None:
    """What each plan is worth after its costs, with the formula and its numbers."""
    from xl_rebal.cli import screens

    for row in rows:
        screens.say(f"{row['account']}: net benefit {row['formula']}")


def rows(found: tuple[Alternative, ...]) -> list[dict[str, Any]]:
    """The JSON rows of plans side by side."""
    return [
        {
            "account": each.account,
            "plan": each.choice.value,
            "cost": each.plan.total_cost if each.plan else None,
            "max_drift": each.max_drift,
            "sum_drift": each.sum_drift,
            "tickets": len(each.plan.trades) if each.plan else None,
            "turnover": each.plan.turnover if each.plan else None,
            "net_benefit": each.benefit.net if each.benefit else None,
            "net_benefit_formula": each.benefit.in_words() if each.benefit else None,
            "proof": each.plan.proof.words if each.plan else None,
            "verified": each.plan is not None,
            "refused": each.refused or None,
        }
        for each in found
    ]


def show(found: tuple[Alternative, ...]) -> None:
    """The plans side by side as a table."""
    from xl_rebal.cli import screens

    benefits = any(each.benefit for each in found)
    columns = [
        ("Account", "left"),
        ("Plan", "left"),
        ("Tickets", "right"),
        ("Cost", "right"),
        ("Turnover", "right"),
        ("Largest drift", "right"),
        ("Sum of drifts", "right"),
        *([("Net benefit", "right")] if benefits else []),
    ]
    screens.table(
        "Plans side by side (choose one with --plan)",
        columns,
        [
            [
                row["account"],
                row["plan"],
                *(
                    ["refused", "", "", "", ""]
                    if row["refused"]
                    else [
                        row["tickets"],
                        screens.amount(row["cost"]),
                        screens.percent(row["turnover"]),
                        screens.points(row["max_drift"], 4).lstrip("+"),
                        screens.points(row["sum_drift"], 4).lstrip("+"),
                    ]
                ),
                *([screens.amount(row["net_benefit"])] if benefits else []),
            ]
            for row in rows(found)
        ],
    )
    for row in rows(found):
        if row["refused"]:
            screens.say(f"{row['account']} {row['plan']}: {row['refused']}")
        if row["net_benefit_formula"]:
            screens.say(f"{row['account']} {row['plan']}: {row['net_benefit_formula']}")
