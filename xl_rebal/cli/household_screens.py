"""What `household` shows a person."""

from __future__ import annotations

from typing import Any

from xl_rebal.cli.screens import amount, percent, points, say, table, units, warn


def show_households(document: dict[str, Any]) -> None:
    """Trades, lots, what they do to drift and tax, and what else was possible."""
    say(document["policy"])
    for plan in document["households"]:
        name = plan["household"]
        _show_plan(
            plan,
            [row for row in document["trades"] if row["household"] == name],
            [row for row in document["lots"] if row["household"] == name],
        )
    warn(document["warnings"])
    if "workbook" in document:
        say(f"workbook: {document['workbook']}")


def _show_plan(
    plan: dict[str, Any], trades: list[dict[str, Any]], lots: list[dict[str, Any]]
) -> None:
    title = f"Household {plan['household']}" if plan["household"] else "Household"
    if not trades:
        say(f"{title}: no trades; {plan['why'] or 'nothing asks for any'}.")
        return
    say(f"{title}: {plan['why']}.")
    table(
        "Trades",
        [
            ("In", "left"),
            ("Action", "left"),
            ("Symbol", "left"),
            ("Quantity", "right"),
            ("Value", "right"),
            ("Cost", "right"),
            ("Why", "left"),
        ],
        [
            [
                r["account"],
                r["action"],
                r["symbol"],
                units(r["quantity"]),
                amount(r["value"]),
                amount(r["cost"]),
                r["reason"],
            ]
            for r in trades
        ],
    )
    if lots:
        table(
            "Lots sold",
            [
                ("In", "left"),
                ("Symbol", "left"),
                ("Acquired", "left"),
                ("Quantity", "right"),
                ("Gain", "right"),
                ("Term", "left"),
                ("Tax", "right"),
                ("Why this lot", "left"),
            ],
            [
                [
                    r["account"],
                    r["symbol"],
                    r["acquired"],
                    units(r["quantity"]),
                    amount(r["gain"]),
                    r["term"],
                    amount(r["tax"]),
                    r["because"],
                ]
                for r in lots
            ],
        )
    table(
        "Afterwards",
        [
            ("Class", "left"),
            ("Weight", "right"),
            ("Target", "right"),
            ("Drift", "right"),
            ("", "left"),
        ],
        [
            [
                r["asset_class"],
                percent(r["weight"]),
                percent(r["target"]),
                points(r["drift"]),
                " ".join(filter(None, (r["status"], r["cause"]))),
            ]
            for r in plan["drift_after"]
        ],
    )
    table(
        "Ways to do it",
        [
            ("Way", "left"),
            ("Tax this year", "right"),
            ("Gain put off", "right"),
            ("Loss carried", "right"),
            ("Drift left", "right"),
            ("Cost", "right"),
        ],
        [
            [
                r["approach"],
                amount(r["tax_now"]),
                amount(r["deferred_gain"]),
                amount(r["loss_carried"]),
                percent(r["drift_left"]),
                amount(r["cost"]),
            ]
            for r in plan["comparison"]
        ],
    )
    for price in plan["limits"]:
        text = f"limit: {price['limit']}: costs {amount(price['costs'])}"
        say(f"{text}, {price['drift'] * 100:.2f} pp of drift" if price["drift"] > 5e-5 else text)
    for sale in plan["buy_back"]:
        loss = "at a loss" if sale["basis_known"] else "at a basis that is not known"
        say(
            f"{sale['symbol']}, sold {loss} on {sale['sold']} in {sale['account']}: not to be bought back "
            f"before {sale['safe_from']}"
        )
    for note in plan["notes"]:
        say(note)
    say(
        f"Verified. No plan can be better by more than {amount(plan['gap'])} ({plan['gap_bp']:.3f} bp of "
        "the household's value), in drift, tax, cost, location and tickets together."
    )
