"""Every command and every option explains itself, and the README and docs name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import typer

from xl_rebal.cli.commands import app

ROOT = Path(__file__).parents[1]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a click group


def leaves(commands: dict[str, click.Command]) -> list[tuple[str, click.Command]]:
    found = []
    for name, command in commands.items():
        if hasattr(command, "commands"):
            found += [(f"{name} {inner}", c) for inner, c in leaves(command.commands)]
        else:
            found.append((name, command))
    return found


@pytest.mark.parametrize(("name", "command"), leaves(COMMANDS))
def test_a_command_and_its_options_have_help(name: str, command: click.Command) -> None:
    assert command.help, name
    for parameter in command.params:
        assert getattr(parameter, "help", ""), f"{name} {parameter.name}"


def test_the_readme_names_every_group_of_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        if name != "uninstall":
            assert f"xl-rebal {name}" in readme, name


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_option_that_the_docs_name_exists() -> None:
    known = {o for _, c in leaves(COMMANDS) for p in c.params for o in getattr(p, "opts", [])}
    known |= {"--help", "--version", "--force", "--headless"}
    known |= {"--require-hashes"}  # pip's
    names = ("policies-and-plans", "technical-lead", "install-guide", "backtest")
    pages = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in names)]
    for page in pages:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")):
            assert option in known, f"{page.name}: {option}"
