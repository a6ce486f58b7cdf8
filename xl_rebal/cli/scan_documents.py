"""What `scan` prints: one JSON document, and what a person sees of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from xl_rebal.batch.needs import BookScan, ClientScan, Need
from xl_rebal.cli.screens import amount, percent, points, say, table, warn
from xl_rebal.portfolio.policy_text import parse_policy

_SHOWN = 12  # failed clients on the screen


def scan_document(name: str, found: BookScan) -> dict[str, Any]:
    """The document of `scan`: every client, those that need a plan first, the worst breach first."""
    request = found.request
    asking = Counter(client.model for client in found.asking)
    return {
        "book": name,
        "as_of": request.as_of.isoformat() if request.as_of else "unknown",
        "policy": parse_policy(request.policy).in_words(),
        "mode": request.mode.value,
        "households": len(found.clients),
        "accounts": sum(client.accounts for client in found.clients),
        "needing_trades": len(found.asking),
        "needs": {need.value: _count(found, need) for need in Need},
        "by_model": [
            {"model": model, "households": count, "needing_trades": asking[model]}
            for model, count in sorted(
                Counter(client.model for client in found.clients if client.model).items()
            )
        ],
        "clients": [_row(client) for client in found.clients if client.need is not Need.FAILED],
        "failed": [
            {"household": client.household, "reason": client.reason} for client in found.failed
        ],
        "warnings": list(found.warnings),
    }


def _count(found: BookScan, need: Need) -> int:
    return sum(client.need is need for client in found.clients)


def _row(client: ClientScan) -> dict[str, Any]:
    return {
        "household": client.household,
        "client": client.client,
        "need": client.need.value,
        "account": client.account,
        "asset_class": client.asset_class,
        "drift": client.drift,
        "excess": client.excess,
        "breaches": client.breaches,
        "value": client.value,
        "idle_cash": client.idle,
        "accounts": client.accounts,
        "model": client.model,
        "mode": client.mode.value if client.mode else "",
        "policy": client.policy,
        "reason": client.reason,
    }


def show_scan(document: dict[str, Any], top: int) -> None:
    """The clients that need a plan, what the others are, and who could not be measured."""
    say(
        f"{document['book']}, as of {document['as_of']}: {document['needing_trades']:,} of "
        f"{document['households']:,} clients need a plan."
    )
    say(f"Policy of those without their own: {document['policy']}")
    asking = document["clients"][: document["needing_trades"]]
    table(
        "Clients that need a plan, the worst breach first",
        [
            ("Client", "left"),
            ("Household", "left"),
            ("Needs", "left"),
            ("Value", "right"),
            ("Class", "left"),
            ("Drift", "right"),
            ("Outside", "right"),
        ],
        [
            [
                row["client"],
                row["household"],
                row["need"],
                amount(row["value"]),
                row["asset_class"],
                points(row["drift"]),
                points(row["excess"]),
            ]
            for row in asking[:top]
        ],
    )
    for row in asking[:top]:
        say(f"{row['client']} ({row['household']}): {row['reason']}")
    if len(asking) > top:
        say(f"{len(asking) - top:,} more need a plan (--top {len(asking)}, --json).")
    table(
        "By model",
        [("Model", "left"), ("Clients", "right"), ("Need a plan", "right"), ("", "right")],
        [
            [
                row["model"],
                f"{row['households']:,}",
                f"{row['needing_trades']:,}",
                percent(row["needing_trades"] / row["households"]),
            ]
            for row in document["by_model"]
        ],
    )
    failed = document["failed"]
    if failed:
        say(f"{len(failed):,} clients could not be measured:")
        for each in failed[:_SHOWN]:
            say(f"  {each['household']}: {each['reason']}")
        if len(failed) > _SHOWN:
            say(f"  {len(failed) - _SHOWN:,} more stand under --json.")
    warn(document["warnings"])
