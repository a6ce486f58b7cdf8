"""What the commands about books of clients show a person."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from xl_rebal.cli.screens import err, say, table


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
