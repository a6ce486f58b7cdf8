"""The command `scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xl_rebal.cli.options import JsonOption
from xl_rebal.portfolio.accounts import PlanMode


def scan(
    book: Annotated[
        Path,
        typer.Argument(
            help="A folder of tables (CSV, Parquet, workbooks or custodian exports), or one workbook."
        ),
    ],
    policy: Annotated[
        str, typer.Option("--policy", help="For accounts that name none of their own.")
    ] = "5pp",
    mode: Annotated[
        PlanMode,
        typer.Option("--mode", help="household_tax weighs a client's accounts as one portfolio."),
    ] = PlanMode.RULES,
    idle_cash: Annotated[
        str,
        typer.Option("--idle-cash", help="Cash beyond its target that asks to be invested."),
    ] = "2%",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The day of the scan (2026-11-25).")
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, help="Clients shown; --json has all of them.")
    ] = 20,
    json: JsonOption = False,
) -> None:
    """Which clients need rebalancing today, the worst breach first, each with its reason; plans nothing."""
    import tempfile

    from xl_rebal.batch.book_reading import open_batch_book
    from xl_rebal.batch.needs import ScanRequest
    from xl_rebal.batch.scan import scan_book
    from xl_rebal.cli import amounts, batch_screens, documents
    from xl_rebal.cli.scan_documents import scan_document, show_scan
    from xl_rebal.cli.tax_inputs import read_day

    request = ScanRequest(
        policy=policy,
        mode=mode,
        as_of=read_day(as_of),
        idle=amounts.share(idle_cash, "--idle-cash", most=1.0),
    )
    with tempfile.TemporaryDirectory(prefix="xl-rebal-") as scratch:
        opened = open_batch_book(book, Path(scratch) / "book")
        with batch_screens.counting("measuring clients", len(opened.households)) as told:
            found = scan_book(opened, request, told=told)
    document = scan_document(opened.name, found)
    if json:
        typer.echo(documents.dumps(document))
        return
    show_scan(document, top)
