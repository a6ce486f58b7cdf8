"""The commands about whole books of clients."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from xl_rebal.batch.formats import BookFormat
from xl_rebal.cli.batch_run import batch
from xl_rebal.cli.scan_command import scan


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("sample-book")(sample_book)
    app.command("batch")(batch)
    app.command("scan")(scan)


def sample_book(
    households: Annotated[int, typer.Option("--households", help="How many to invent.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write the book into.")],
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same book, byte for byte.")
    ] = 1,
    format_: Annotated[
        BookFormat,
        typer.Option("--format", help="A folder of CSV or Parquet files, or one workbook in it."),
    ] = BookFormat.CSV,
    dirty: Annotated[
        bool,
        typer.Option("--dirty", help="Plant faulty rows; manifest.json names each of them."),
    ] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The valuation date; 2026-11-25 when left out.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of a book that is there.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Invent a book of clients with accounts, lots, models, restrictions and flows, of any size."""
    from xl_rebal.batch.sample_book import AS_OF, SampleRequest, write_sample_book
    from xl_rebal.cli import batch_screens, documents
    from xl_rebal.cli.tax_inputs import read_day

    day: dt.date | None = read_day(as_of)
    request = SampleRequest(
        households=households, seed=seed, kind=format_, dirty=dirty, as_of=day or AS_OF
    )
    with batch_screens.counting("inventing households", households) as progress:
        manifest = write_sample_book(request, out, overwrite=overwrite, progress=progress)
    if json:
        typer.echo(documents.dumps(manifest))
        return
    batch_screens.show_sample_book(manifest, out.name)
