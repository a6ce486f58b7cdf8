"""What `wash-sales` and `harvest` show a person."""

from __future__ import annotations

from typing import Any

from xl_rebal.cli.screens import amount, percent, say, table, units, warn


def show_wash_sales(document: dict[str, Any]) -> None:
    """Sales, what was disallowed and why, and the lots that are left."""
    if document["sales"]:
        table(
            "Sales",
            [
                ("Account", "left"),
                ("Symbol", "left"),
                ("Date", "left"),
                ("Quantity", "right"),
                ("Gain", "right"),
                ("Disallowed", "right"),
                ("Allowed", "right"),
                ("Term", "left"),
            ],
            [
                [
                    r["account"],
                    r["symbol"],
                    r["date"],
                    units(r["quantity"]),
                    amount(r["gain"]),
                    amount(r["disallowed"]),
                    amount(r["allowed"]),
                    r["term"],
                ]
                for r in document["sales"]
            ],
        )
    else:
        say("No sale in a taxable account.")
    for match in document["matches"]:
        say(f"wash sale: {match['why']}.")
    for row in document["safe_to_buy"]:
        say(
            f"{row['symbol']}: sold at a loss in {row['account']} on {row['sold']}, safe to buy back from "
            f"{row['from']}"
        )
    if document["lots"]:
        table(
            "Lots held",
            [
                ("Account", "left"),
                ("Symbol", "left"),
                ("Acquired", "left"),
                ("Held from", "left"),
                ("Quantity", "right"),
                ("Unit cost", "right"),
            ],
            [
                [
                    r["account"],
                    r["symbol"],
                    r["acquired"],
                    r["holding_start"],
                    units(r["quantity"]),
                    units(r["unit_cost"]),
                ]
                for r in document["lots"]
            ],
        )
    warn(document["warnings"])


def show_harvest(document: dict[str, Any]) -> None:
    """Lots at a loss, trades, and what they do to each tax return."""
    if not document["candidates"]:
        say(f"No lot at a loss in a taxable account on {document['as_of']}.")
        warn(document["warnings"])
        return
    table(
        "Lots at a loss",
        [
            ("Account", "left"),
            ("Symbol", "left"),
            ("Acquired", "left"),
            ("Quantity", "right"),
            ("Loss", "right"),
            ("Of cost", "right"),
            ("Term", "left"),
            ("Saves now", "right"),
            ("Verdict", "left"),
            ("Why", "left"),
        ],
        [
            [
                c["account"],
                c["symbol"],
                c["acquired"],
                units(c["quantity"]),
                amount(c["loss"]),
                percent(c["loss_fraction"], 1),
                c["term"],
                amount(c["tax_value"]),
                c["verdict"],
                c["why"],
            ]
            for c in document["candidates"]
        ],
    )
    if document["trades"]:
        table(
            "Trades (before costs)",
            [
                ("Account", "left"),
                ("Action", "left"),
                ("Symbol", "left"),
                ("Quantity", "right"),
                ("Price", "right"),
                ("Value", "right"),
                ("Why", "left"),
            ],
            [
                [
                    t["account"],
                    t["action"],
                    t["symbol"],
                    units(t["quantity"]),
                    units(t["price"]),
                    amount(t["value"]),
                    t["reason"],
                ]
                for t in document["trades"]
            ],
        )
    for r in document["returns"]:
        say(
            f"tax return {r['tax_return'] or '(the only one)'}: losses of {amount(r['loss'])} lower this "
            f"year's tax by {amount(r['saved_now'])}; {amount(r['deducted_from_income'])} come off other "
            f"income, {amount(r['carry_short'] + r['carry_long'])} are carried forward. The replacement has "
            "a lower basis: this is mostly tax put off, not tax gone."
        )
    warn(document["warnings"])
