"""What the commands about books of clients show a person."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from xl_rebal.cli.screens import err, say, table, warn


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """A callback that moves a bar on stderr by a number of things done; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def show_sample_book(manifest: dict[str, Any], name: str) -> None:
    """What was invented, by model, and where faults were planted."""
    say(
        f"{name}: {manifest['households']:,} households with {manifest['accounts']:,} accounts, "
        f"as of {manifest['as_of']}, seed {manifest['seed']}."
    )
    say(manifest["note"])
    table(
        "By model",
        [("Model", "left"), ("Households", "right"), ("Accounts", "right")],
        [
            [model, f"{count:,}", f"{manifest['accounts_by_model'][model]:,}"]
            for model, count in manifest["households_by_model"].items()
        ],
    )
    if manifest["dirty"]:
        say(f"{len(manifest['dirty'])} faulty rows are planted; manifest.json names them.")


_SHOWN = 12  # failed clients on the screen; all are in failed.csv


class _Rate(ProgressColumn):
    """Households a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")


@contextmanager
def run_progress() -> Iterator[Callable[[int, int], None]]:
    """Told how many households are done, and of how many; draws a bar with rate and time left."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("households", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def show_run(document: dict[str, Any]) -> None:
    """A run in a few lines: by model, what is traded, who failed, what cannot be sent."""
    table(
        f"Run of {document['book']['name']}",
        [("Model", "left"), ("Households", "right"), ("Need trades", "right")],
        [
            [model or "(the only one)", f"{count:,}", f"{document['needing_by_model'][model]:,}"]
            for model, count in document["by_model"].items()
        ],
    )
    say(
        f"{document['households']:,} households with {document['accounts']:,} accounts; "
        f"{document['needing_trades']:,} need trades: {document['trades']:,} trades, buys "
        f"{document['buys']:,.2f}, sells {document['sells']:,.2f} (one way "
        f"{(document['buys'] + document['sells']) / 2:,.2f}) in {document['blocks']:,} blocks; "
        f"{document['workbooks']:,} workbooks."
    )
    if document["unsendable"]:
        say(f"{document['unsendable']:,} orders cannot be sent: orders/unsendable.csv.")
    warn(document["warnings"])
    failed = document["failed"]
    if failed:
        lines = [f"{each['household']}: {each['reason']}" for each in failed[:_SHOWN]]
        more = [f"and {len(failed) - _SHOWN:,} more"] if len(failed) > _SHOWN else []
        warn([f"{len(failed):,} households failed (failed.csv)", *lines, *more])
