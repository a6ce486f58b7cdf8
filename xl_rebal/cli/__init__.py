"""The command line: each command is a thin shell over the library."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from xl_rebal.cli.commands import run

    run()
