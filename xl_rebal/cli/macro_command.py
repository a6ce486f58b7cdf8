"""`macro`: the buttons of the ribbon for workbook files, and for people without Excel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Hang the command into the command line."""
    app.command("macro")(macro)


def macro(
    name: Annotated[
        str,
        typer.Argument(
            help="import-positions, check-drift, generate-trades, verify-trades, export-orders, "
            "client-reports, write-tables, undo-last, prepare-for-sharing, doctor or help."
        ),
    ],
    workbook: Annotated[
        Path, typer.Argument(help="A workbook (.xlsx, .xlsm), or a template with --out.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            help="The positions to import, the order file to write, or the name that reports begin with.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the changed workbook here and leave the other as it is."),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace --out, order files or reports; lose edits where undo would.",
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Run a macro of the ribbon on a workbook file; only the sheets that it writes change."""
    from xl_rebal.cli import documents, screens
    from xl_rebal.excel.file_workbook import FileWorkbook
    from xl_rebal.excel.macros import Settings, macro_named, run

    wanted = macro_named(name)
    book = FileWorkbook(workbook, out=out, overwrite=overwrite, answer=overwrite)
    outcome = run(wanted.name, book, Settings(file=file, overwrite=overwrite))
    written = str(out or workbook) if book.saved else None
    if json:
        document = {
            "macro": wanted.name,
            **outcome.document,
            "messages": list(outcome.lines),
            "warnings": list(outcome.warnings),
            "workbook": written,
            "computed_on_opening": book.stale,
        }
        typer.echo(documents.dumps(document))
        return
    for line in outcome.lines:
        screens.say(line)
    screens.warn(list(outcome.warnings))
    if book.stale:
        screens.say(
            f"{book.stale} formulas depend on what was changed: their saved values were taken away, and "
            "they are computed when the workbook is opened"
        )
    screens.say(f"workbook: {written}" if written else "the workbook was not changed")
