"""The command line: thin commands over the library."""

from __future__ import annotations

import sys

from xl_rebal import __version__


def main() -> None:
    """Run the command line (a stub until the commands are built)."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"xl-rebal {__version__}\n")
        return
    sys.exit("xl-rebal: this command is not built yet")
