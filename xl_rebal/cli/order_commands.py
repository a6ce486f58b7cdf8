"""`reconcile`: what happened to the orders that were exported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Hang the command into the command line."""
    app.command("reconcile")(reconcile)


def reconcile(
    fills: Annotated[
        Path | None,
        typer.Argument(
            help="What was done: a table with account, symbol, side, quantity, price. A row without an "
            "account is the fill of a block, and is allocated pro rata."
        ),
    ] = None,
    holdings: Annotated[
        Path | None,
        typer.Option("--holdings", help="New positions, which show what was done."),
    ] = None,
    account_map: Annotated[
        Path | None,
        typer.Option(
            "--account-map",
            help="Table masked, account: which account a masked id of --holdings is.",
        ),
    ] = None,
    release: Annotated[
        list[str] | None,
        typer.Option(
            "--release",
            help="Account, or export, whose orders were not sent or lapsed: what is left of them is given "
            "up. May be repeated.",
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="The ledger of orders; that of this computer when left out."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write what block fills gave to each account as CSV."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out when it exists.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Mark exported orders as done, so that their accounts are planned again; lists what is open."""
    from xl_rebal.cli import documents, order_inputs, screens

    found = order_inputs.reconcile(
        order_inputs.ReconcileOptions(
            fills=fills,
            holdings=holdings,
            account_map=account_map,
            release=tuple(release or ()),
            ledger=ledger,
            out=out,
            overwrite=overwrite,
        )
    )
    if json:
        typer.echo(documents.dumps(order_inputs.document(found)))
        return
    for line in order_inputs.in_words(found):
        screens.say(line)
    screens.warn(list(found.warnings))
