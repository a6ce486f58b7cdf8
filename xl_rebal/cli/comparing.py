"""`--compare`, `--plan` and what a plan is worth: the options that trades and report share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from xl_rebal.alternatives import Alternative, Choice
from xl_rebal.cli.inputs import Loaded
from xl_rebal.risk.net_benefit import HORIZON, RISK_AVERSION, Investor

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
PricesOption = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        help="For the net benefit: prices (date, one column a class) or volatilities "
        "(asset_class, volatility, correlations).",
    ),
]
AversionOption = Annotated[
    float, typer.Option("--risk-aversion", help="Risk aversion for the net benefit; a choice.")
]
YearsOption = Annotated[
    float, typer.Option("--horizon", help="Years for which the net benefit counts.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """The options as typed."""

    compare: bool = False
    plan: Choice | None = None
    prices: Path | None = None
    risk_aversion: float = RISK_AVERSION
    horizon: float = HORIZON

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Comparing:
        """Take the options of this group out of all options of a command."""
        return cls(**{name: options.pop(name) for name in cls.__slots__ if name in options})


def compared(loaded: Loaded, options: Comparing) -> tuple[Alternative, ...]:
    """The plans side by side; none when not asked for."""
    from xl_rebal.alternatives import alternatives, classes_of
    from xl_rebal.cli import inputs
    from xl_rebal.errors import TableError

    if not options.compare:
        if options.prices is not None:
            raise TableError.of(
                where="--prices", what="is for --compare", remedy="add --compare, or leave it out"
            )
        return ()
    covariance = None
    if options.prices is not None:
        covariance = inputs.read_covariance(options.prices, classes_of(loaded.book))
    try:
        investor = Investor(risk_aversion=options.risk_aversion, horizon=options.horizon)
    except ValueError as error:
        raise TableError.of(
            where="--risk-aversion, --horizon", what=str(error), remedy="correct it"
        ) from None
    return alternatives(loaded.book, loaded.request, covariance=covariance, investor=investor)


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
