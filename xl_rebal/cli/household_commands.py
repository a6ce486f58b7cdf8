"""The command `household`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xl_rebal.household.mode import Mode

if TYPE_CHECKING:
    from xl_rebal.cli.household_inputs import HouseholdsPlanned


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("household")(household)


def household(
    book: Annotated[
        Path,
        typer.Argument(
            help="A folder of tables, or a workbook with sheets: holdings, lots, accounts, "
            "securities, models, restrictions, history, tax_profiles."
        ),
    ],
    household: Annotated[
        str | None, typer.Option("--household", help="Only this household.")
    ] = None,
    targets: Annotated[
        str | None, typer.Option("--targets", help="Target weights instead of the book's models.")
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", help="When and how far, as in `trades`.")
    ] = "5pp",
    mode: Annotated[
        Mode, typer.Option("--mode", help="fast: rounded; best: proven in whole shares.")
    ] = Mode.FAST,
    costs: Annotated[
        str | None,
        typer.Option("--costs", help='"half-spread 5bp, commission 0"; without it free.'),
    ] = None,
    flow: Annotated[
        list[str] | None,
        typer.Option(
            "--flow",
            help="Contribution (+) or withdrawal (-): ACCOUNT:AMOUNT; a withdrawal without an account is "
            "paid from whichever costs least.",
        ),
    ] = None,
    rmd: Annotated[
        list[str] | None,
        typer.Option(
            "--rmd",
            help="Required minimum distribution, first in such a withdrawal: ACCOUNT:AMOUNT.",
        ),
    ] = None,
    cash_need: Annotated[
        float, typer.Option("--cash-need", help="Cash to raise where it costs least tax.")
    ] = 0.0,
    harvest: Annotated[
        float, typer.Option("--harvest", help="Losses to realise at least, in money.")
    ] = 0.0,
    gains_budget: Annotated[
        float | None, typer.Option("--gains-budget", help="Most net gain to realise, in money.")
    ] = None,
    drift_price: Annotated[
        str | None,
        typer.Option(
            "--drift-price",
            help="What a dollar of drift inside the band is worth in tax and cost; 2% when left out.",
        ),
    ] = None,
    ticket: Annotated[
        float, typer.Option("--ticket", help="What an order costs in work, in money.")
    ] = 1.0,
    min_trade: Annotated[float, typer.Option("--min-trade", help="Smallest trade in money.")] = 0.0,
    max_turnover: Annotated[
        str | None,
        typer.Option("--max-turnover", help="Cap on (buys + sells) / 2 of the total, as in 10%."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The day of the trades (2026-11-25).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A workbook to write: plan, taxes, locations, client letter."),
    ] = None,
    client: Annotated[
        str, typer.Option("--client", help="Whom the letter of --out is for; the household's name.")
    ] = "",
    adviser: Annotated[str, typer.Option("--adviser", help="Whose letter of --out it is.")] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what --out names.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Which lot to sell, in which account, and what to buy where, at least tax and cost; verified."""
    from xl_rebal.cli import documents, household_documents, household_inputs, household_screens

    if out is not None:
        _check_out(out, book, overwrite=overwrite)
    planned = household_inputs.plan_households(
        household_inputs.HouseholdOptions(
            book=book,
            household=household,
            targets=targets,
            policy=policy,
            mode=mode,
            costs=costs,
            flow=tuple(flow or ()),
            rmd=tuple(rmd or ()),
            cash_need=cash_need,
            harvest=harvest,
            gains_budget=gains_budget,
            drift_price=drift_price,
            ticket=ticket,
            min_trade=min_trade,
            max_turnover=max_turnover,
            as_of=as_of,
        )
    )
    document = household_documents.household_document(planned)
    if out is not None:
        _write_report(planned, out, client=client, adviser=adviser, overwrite=overwrite)
        document["workbook"] = str(out)
    if json:
        typer.echo(documents.dumps(document))
        return
    household_screens.show_households(document)


def _check_out(out: Path, book: Path, *, overwrite: bool) -> None:
    from xl_rebal.errors import FileError
    from xl_rebal.files import check_target, check_workbook_name

    check_workbook_name(out)
    check_target(out, overwrite=overwrite)
    if out.exists() and book.exists() and out.samefile(book):
        raise FileError.of(
            where=out.name, what="is the book itself", remedy="choose another name for --out"
        )


def _write_report(
    planned: HouseholdsPlanned, out: Path, *, client: str, adviser: str, overwrite: bool
) -> None:
    from xl_rebal import __version__
    from xl_rebal.errors import TableError
    from xl_rebal.workbooks.household_report import (
        Addressed,
        build_household_report,
        write_household_report,
    )
    from xl_rebal.workbooks.source import ReportSource

    if len(planned.plans) != 1:
        raise TableError.of(
            where="--out",
            what=f"is a workbook of one household, and the book has {len(planned.plans)}",
            remedy="name one with --household",
        )
    (plan,) = planned.plans
    source = ReportSource(
        name=planned.tables.name,
        custodian="",
        as_of_text=planned.request.as_of.isoformat(),
        price_time="",
        warnings=planned.warnings,
    )
    data = build_household_report(
        plan,
        planned.source,
        planned.request,
        source=source,
        addressed=Addressed(client=client, adviser=adviser),
        version=__version__,
    )
    write_household_report(out, data, overwrite=overwrite)
