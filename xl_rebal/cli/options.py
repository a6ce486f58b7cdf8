"""What is typed after drift, trades and report: each option once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xl_rebal.trading.limits import FlowMode, OrderType, TimeInForce

Holdings = Annotated[
    Path,
    typer.Argument(help="Positions: a custodian's export, a CSV or Parquet table, or a workbook."),
]
TargetsOption = Annotated[
    str,
    typer.Option("--targets", help='Target weights: "60% stocks, 40% bonds", or a table file.'),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy",
        help="When and how far: 5pp, 20%rel, 5/25, quarterly or 5pp, annual and 5pp, never; then "
        "optionally beyond, to halfway, to edge, to 50% of band, breached only.",
    ),
]
CustodianOption = Annotated[
    str | None, typer.Option("--custodian", help="Whose export it is, when not to be recognised.")
]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="A saved column mapping (TOML) for other layouts.")
]
AccountMapOption = Annotated[
    Path | None,
    typer.Option("--account-map", help="Which account a masked id is: a file with masked,account."),
]
MapOption = Annotated[
    Path | None, typer.Option("--map", help="Your asset classes: a file with symbol,asset_class.")
]
SecuritiesOption = Annotated[
    Path | None,
    typer.Option("--securities", help="The securities table: classes, steps, prices, ranks."),
]
AccountsOption = Annotated[
    Path | None,
    typer.Option("--accounts", help="The accounts table: models, reserves, last rebalancing."),
]
AccountOption = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account (repeat for several).")
]
ReserveOption = Annotated[
    float | None, typer.Option("--reserve", help="Cash that every account keeps back.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Trade date, for calendar rules and settlement: 2026-11-23; with a time for cut-offs: "
        '"2026-11-23 15:30 America/New_York".',
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
RestrictionsOption = Annotated[
    Path | None,
    typer.Option("--restrictions", help="The restrictions table: never_buy, never_sell, …"),
]
CostsOption = Annotated[
    str | None,
    typer.Option("--costs", help='"half-spread 5bp, commission 0"; without it trading is free.'),
]
FlowOption = Annotated[
    list[str] | None,
    typer.Option("--flow", help="Contribution (+) or withdrawal (-): AMOUNT or ACCOUNT:AMOUNT."),
]
FlowModeOption = Annotated[
    FlowMode,
    typer.Option("--flow-mode", help="hybrid: rebalance if a band is still broken after the flow."),
]
MinTradeOption = Annotated[
    float, typer.Option("--min-trade", help="Smallest trade in money; smaller ones are not made.")
]
TurnoverOption = Annotated[
    str | None,
    typer.Option("--max-turnover", help="Cap on (buys + sells) / 2 of the total, as in 10%."),
]
FlowsOption = Annotated[
    Path | None,
    typer.Option("--flows", help="The flows table: known withdrawals, which are kept back."),
]
HorizonOption = Annotated[
    int, typer.Option("--flow-horizon", help="Calendar days ahead that withdrawals are kept back.")
]
FundRulesOption = Annotated[
    Path | None,
    typer.Option("--fund-rules", help="The fund rules table: minimums, cut-offs, fees, closures."),
]
LotsOption = Annotated[
    Path | None,
    typer.Option(
        "--lots", help="Open lots, for redemption fees by age: a custodian's file, or a table."
    ),
]
MaxAgeOption = Annotated[
    int,
    typer.Option("--max-age", help="Most trading days between positions or prices and --as-of."),
]
StaleOption = Annotated[
    bool, typer.Option("--allow-stale", help="Plan on older positions and prices, and say so.")
]
OrderTypeOption = Annotated[
    OrderType | None,
    typer.Option("--order-type", case_sensitive=False, help="MARKET (default), LIMIT or MOC."),
]
LimitOption = Annotated[
    str | None,
    typer.Option("--limit", help="Limit orders this far from the price, as in 0.5%."),
]
InForceOption = Annotated[
    TimeInForce,
    typer.Option("--time-in-force", case_sensitive=False, help="How long orders stand."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace --out if it exists.")]
ProveOption = Annotated[
    bool,
    typer.Option("--prove", help="Search for a better plan in large accounts too; may take long."),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse the whole run when any account cannot be planned, with exit code 1.",
    ),
]
