"""The commands about taxes: `wash-sales` and `harvest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="The day of today, for what is safe from when.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("wash-sales")(wash_sales)
    app.command("harvest")(harvest)


def wash_sales(
    history: Annotated[
        Path,
        typer.Argument(help="Trades: a table with account, symbol, date, action, quantity, price."),
    ],
    accounts: Annotated[
        Path | None,
        typer.Option("--accounts", help="The accounts table: type, owner, tax_return, household."),
    ] = None,
    securities: Annotated[
        Path | None,
        typer.Option("--securities", help="The securities table: identical_group, tax_class."),
    ] = None,
    profiles: Annotated[
        Path | None,
        typer.Option("--tax-profiles", help="The tax_profiles table: spouses who file separately."),
    ] = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Losses that wash sales disallow, and the basis and holding period of what replaced them."""
    from xl_rebal.cli import documents, tax_documents, tax_inputs, tax_screens

    read = tax_inputs.read_history(
        history, accounts=accounts, securities=securities, profiles=profiles, as_of=as_of
    )
    document = tax_documents.wash_sales_document(read)
    if json:
        typer.echo(documents.dumps(document))
        return
    tax_screens.show_wash_sales(document)


def harvest(
    book: Annotated[
        Path,
        typer.Argument(
            help="A folder of tables, or a workbook with sheets: holdings, lots, accounts, "
            "securities, models, history, tax_profiles."
        ),
    ],
    minimum: Annotated[
        float, typer.Option("--minimum", help="Smallest loss of a lot worth taking, in money.")
    ] = 0.0,
    minimum_percent: Annotated[
        str, typer.Option("--minimum-percent", help="Smallest loss of a lot's cost, as in 5%.")
    ] = "0%",
    goal: Annotated[
        float | None, typer.Option("--loss", help="Losses to take at most; without it all.")
    ] = None,
    household: Annotated[
        str | None, typer.Option("--household", help="Only this household.")
    ] = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Lots at a loss worth selling: what it saves, what is bought instead, what must wait."""
    from xl_rebal.cli import documents, tax_documents, tax_inputs, tax_screens

    asked = tax_inputs.read_harvest(
        book,
        minimum=minimum,
        minimum_percent=minimum_percent,
        goal=goal,
        household=household,
        as_of=as_of,
    )
    document = tax_documents.harvest_document(asked)
    if json:
        typer.echo(documents.dumps(document))
        return
    tax_screens.show_harvest(document)
