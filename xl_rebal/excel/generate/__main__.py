"""`python -m xl_rebal.excel.generate`: write the generated files of a checkout (the current folder)."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from xl_rebal.excel.generate import write_all


def main() -> None:
    """Write what is out of date and name it."""
    for name in write_all(Path.cwd(), check=False):
        Console().print(f"written: {name}")


if __name__ == "__main__":
    main()
