"""The command `batch`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from xl_rebal.cli.options import (
    CostsOption,
    InForceOption,
    JsonOption,
    LimitOption,
    MinTradeOption,
    OrderTypeOption,
    OverwriteOption,
    TurnoverOption,
)
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.trading.limits import TimeInForce


class EngineName(StrEnum):
    """Who does the work of a run."""

    LOCAL = "local"
    DASK = "dask"


def batch(
    book: Annotated[
        Path,
        typer.Argument(
            help="A folder of tables (CSV, Parquet, workbooks or custodian exports), or one workbook."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The run's folder; it is made.")],
    policy: Annotated[
        str, typer.Option("--policy", help="For accounts that name none of their own.")
    ] = "5pp",
    mode: Annotated[
        PlanMode,
        typer.Option("--mode", help="How clients are planned whose accounts do not say."),
    ] = PlanMode.RULES,
    costs: CostsOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The day of the trades (2026-11-25).")
    ] = None,
    min_trade: MinTradeOption = 0.0,
    max_turnover: TurnoverOption = None,
    order_type: OrderTypeOption = None,
    limit: LimitOption = None,
    time_in_force: InForceOption = TimeInForce.DAY,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="Processes here, or a Dask cluster.")
    ] = EngineName.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=1024, help="Processes; as many as cores without it."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Address of a Dask scheduler (tcp://host:8786)."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted.")
    ] = False,
    overwrite: OverwriteOption = False,
    workbooks: Annotated[
        bool,
        typer.Option("--workbooks/--no-workbooks", help="A workbook for each client."),
    ] = True,
    price_move: Annotated[
        str,
        typer.Option(
            "--price-move", help="Rise of prices that buys must survive: so much cash is kept back."
        ),
    ] = "1%",
    idle_cash: Annotated[
        str,
        typer.Option(
            "--idle-cash",
            help="Cash beyond its target that is invested although no band asks for it; 100%: never.",
        ),
    ] = "2%",
    formats: Annotated[
        list[Path] | None,
        typer.Option("--order-format", help="Your own order formats: TOML files or a folder."),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            "--ledger",
            help="Where exported orders are noted; accounts that wait for earlier ones are not planned.",
        ),
    ] = None,
    consent: Annotated[
        bool,
        typer.Option("--consent-given", help="Send orders of non-discretionary accounts too."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 when any client failed.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Scan and plan every household of a book: workbooks, dashboard, blocks and order files."""
    from xl_rebal.cli import batch_inputs, batch_screens, documents

    run = batch_inputs.BatchRun(
        book=book,
        out=out,
        settings=batch_inputs.settings_of(
            policy=policy,
            mode=mode,
            costs=costs,
            as_of=as_of,
            min_trade=min_trade,
            max_turnover=max_turnover,
            order_type=order_type,
            limit=limit,
            time_in_force=time_in_force,
            workbooks=workbooks,
            price_move=price_move,
            idle_cash=idle_cash,
            consent=consent,
        ),
        outside=batch_inputs.outside_of(formats=tuple(formats or ()), ledger=ledger),
        engine=batch_inputs.engine_of(
            dask=engine is EngineName.DASK, workers=workers, scheduler=scheduler
        ),
        resume=resume,
        overwrite=overwrite,
    )
    with batch_screens.run_progress() as told:
        manifest = run.carry_out(told)
    document = batch_document(manifest)
    if json:
        typer.echo(documents.dumps(document))
    else:
        batch_screens.show_run(document)
    if strict and document["failed"]:
        raise typer.Exit(1)


def batch_document(manifest: dict[str, Any]) -> dict[str, Any]:
    """The JSON document of a run: its manifest, the files by name."""
    return {**manifest, "files": [each["path"] for each in manifest["files"]]}
