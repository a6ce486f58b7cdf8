"""Every numeric option of every command with numbers that nobody means: refused in words, or an effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from tests.cli.conftest import TARGETS, Run
from xl_rebal.cli import commands

ODD = ("nan", "inf", "-1", "0", "1e308")
# What an option may be besides a positive number; everything else of ODD must be refused.
POSSIBLE = {
    "--gains-budget": {"0", "-1"},  # a negative budget asks for a loss
    "--loss": set(),
    "--households": set(),
    "--workers": set(),
    "--top": set(),
    "--horizon": set(),
    "--years": set(),
    "--paths": set(),
    "--start-value": set(),
}
ZERO = {"0"}


def root() -> Any:
    return typer.main.get_command(commands.app)


def numeric() -> Iterator[tuple[str, str]]:
    """(command, option) of every option that takes a number, sub-commands included."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, str]]:
        for child, each in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {child}".strip(), each)
        for parameter in command.params:
            kind = parameter.type_descriptor.annotation
            kinds = {kind, *getattr(kind, "__args__", ())}
            if parameter.param_type_name == "option" and kinds & {int, float}:
                yield name, parameter.opts[0]

    yield from walk("", root())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The arguments of each command that make a good run."""
    folder = tmp_path_factory.mktemp("options")
    holdings, prices = folder / "walk.csv", folder / "prices.csv"
    volatilities = folder / "vol.csv"
    holdings.write_text(
        "account,symbol,quantity,price\nA,VTI,5000,220\nA,BND,8000,75\nA,VNQ,1000,85\n"
    )
    volatilities.write_text("asset_class,volatility\nStocks,0.2\nBonds,0.05\nReal Estate,0.2\n")
    rng = np.random.default_rng(1)
    values = 100 * np.cumprod(1 + rng.normal(0, [0.02, 0.005], (60, 2)), axis=0)
    days = [dt.date(2024, 1, 5) + dt.timedelta(days=7 * i) for i in range(60)]
    lines = [f"{day},{a:.4f},{b:.4f}" for day, (a, b) in zip(days, values.tolist(), strict=True)]
    prices.write_text("\n".join(["date,AAA,BBB", *lines]) + "\n")
    plan = [str(holdings), "--targets", TARGETS]
    past = [str(prices), "--targets", "60% AAA, 40% BBB"]
    book = str(resources.files("xl_rebal") / "samples" / "household")
    report = [*plan, "--out", str(folder / "report.xlsx"), "--overwrite"]
    return {
        "drift": plan,
        "trades": [*plan, "--prices", str(volatilities), "--as-of", "2026-11-23"],
        "report": [*report, "--prices", str(volatilities), "--as-of", "2026-11-23"],
        "backtest": past,
        "compare": [*past, "--policies", "never; 5pp"],
        "optimal-band": [*past, "--bands", "2pp, 5pp"],
        "drawdowns": [*past, "--asset", "AAA", "--depth", "1%"],
        "volatility-bands": past,
        "what-if": [*past, "--paths", "5", "--years", "1", "--bands", "5pp"],
        "harvest": [book],
        "household": [book],
        "sample-book": ["--households", "1", "--out", str(folder / "invented"), "--overwrite"],
        "scan": [book],
        "batch": [book, "--out", str(folder / "run"), "--overwrite", "--no-workbooks"],
    }


@pytest.mark.parametrize(("command", "option"), list(numeric()), ids=lambda value: value)
def test_odd_numbers_are_refused_in_words(
    xl: Run, files: dict[str, list[str]], command: str, option: str
) -> None:
    arguments = list(files[command])
    if option in arguments:
        at = arguments.index(option)
        del arguments[at : at + 2]
    possible = POSSIBLE.get(option, ZERO)
    for value in ODD:
        ran = xl(*command.split(), *arguments, f"{option}={value}")
        if value in possible:
            assert ran.code == 0, (value, ran.err)
            continue
        # 2 is what the command line says of a number that is no whole one.
        assert ran.code in {1, 2}, value
        assert ran.out == "", value
        assert option in ran.err, (value, ran.err)
        assert len(ran.err) < 600, "a number of 300 digits was written out"
        if ran.code == 1:
            assert ran.err.startswith("error: ")


@pytest.mark.parametrize("option", ["--max-age", "--flow-horizon"])
def test_more_days_than_a_century_are_refused(
    xl: Run, files: dict[str, list[str]], option: str
) -> None:
    ran = xl("trades", *files["trades"], option, "1" + "0" * 30)
    assert ran.code == 1
    assert f"{option}: 1{'0' * 30} days are more than a century" in ran.err


@pytest.mark.parametrize(
    ("command", "option", "value", "words"),
    [
        ("trades", "--max-turnover", "120%", "--max-turnover: 120% is not possible"),
        ("trades", "--max-turnover", "-5%", "--max-turnover: -0.05 is not possible"),
        ("trades", "--limit", "100%", "--limit: 100% is not possible"),
        ("trades", "--flow", "A:5%", "--flow: '5%' is not an amount of money"),
        ("backtest", "--flow", "monthly:5%", "--flow: 'monthly:5%' is not understood"),
        ("backtest", "--holdings", "100% AAA", "--holdings: '100% AAA' is not understood"),
        ("backtest", "--risk-free", "", "--risk-free: '' is not a number"),
        ("household", "--max-turnover", "120%", "--max-turnover: 120% is not possible"),
        ("household", "--drift-price", "1e306%", "--drift-price: 1e306% is not possible"),
        ("harvest", "--minimum-percent", "100%", "--minimum-percent: 100% is not possible"),
    ],
)
def test_odd_texts_of_numbers_are_refused(
    xl: Run, files: dict[str, list[str]], command: str, option: str, value: str, words: str
) -> None:
    ran = xl(command, *files[command], f"{option}={value}")
    assert ran.code == 1
    assert words in ran.err


def test_every_command_that_takes_a_number_is_in_the_sweep(files: dict[str, list[str]]) -> None:
    assert {command for command, _ in numeric()} == set(files)


def test_flows_of_one_account_are_added_up_and_said(xl: Run, two: Path) -> None:
    mix = ("--targets", "60% stocks, 40% bonds", "--flow-mode", "buy-only")
    twice = xl("trades", two, *mix, "--flow", "IRA:5000", "--flow", "IRA:2500", "--json").document
    once = xl("trades", two, *mix, "--flow", "IRA:7500", "--json").document
    assert twice["trades"] == once["trades"]
    (warning,) = set(twice["warnings"]) - set(once["warnings"])
    assert warning == "--flow names account IRA 2 times: the amounts are added up to 7,500.00"


def test_lots_that_nothing_asks_for_are_said(
    xl: Run, walk: Path, table: Callable[[str, str], Path]
) -> None:
    lots = table(
        "lots.csv", "account,symbol,acquired,quantity,unit_cost\nA,VTI,2020-01-02,5000,1\n"
    )
    args = ("--targets", TARGETS, "--lots", lots)
    warnings = xl("trades", walk, *args, "--json").document["warnings"]
    assert any("which need --fund-rules; they change nothing" in text for text in warnings)


def test_a_table_in_the_place_of_another_is_refused(
    xl: Run, walk: Path, table: Callable[[str, str], Path]
) -> None:
    rules = table("rules.csv", "scope,rule,symbol\nA,never_sell,VTI\n")
    ran = xl("trades", walk, "--targets", TARGETS, "--securities", rules)
    assert ran.code == 1
    assert "rules.csv: is a restrictions table by its columns" in ran.err
