"""`trades --compare`, `--plan`, `shock` and `bands` at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from tests.cli.conftest import TARGETS, Run

CHOICES = ["target", "halfway", "edge", "breached-only", "buy-only"]
COSTS = "half-spread 5bp, commission 0"


@pytest.fixture
def volatilities(tmp_path: Path) -> Path:
    path = tmp_path / "vol.csv"
    path.write_text(
        "asset_class,volatility,Stocks,Bonds,Real Estate\n"
        "Stocks,16%,1,0.1,0.7\nBonds,6%,0.1,1,0.2\nReal Estate,20%,0.7,0.2,1\n"
    )
    return path


def test_plans_side_by_side(xl: Run, walk: Path, volatilities: Path) -> None:
    options = (walk, "--targets", TARGETS, "--policy", "5pp", "--costs", COSTS)
    document = xl("trades", *options, "--compare", "--prices", volatilities, "--json").document
    rows = {row["plan"]: row for row in document["alternatives"]}
    assert list(rows) == CHOICES
    assert [rows[name]["tickets"] for name in CHOICES] == [3, 3, 2, 3, 0]
    target = rows["target"]
    # Worked by hand: drifts 3.9663, 1.5623 and -5.5287 pp against the covariances of the table.
    d, s = (0.0396633, 0.0156233, -0.0552867), (0.16, 0.06, 0.2)
    pairs = {(0, 1): 0.1, (0, 2): 0.7, (1, 2): 0.2}
    variance = sum((a * b) ** 2 for a, b in zip(d, s, strict=True))
    variance += sum(2 * r * d[i] * d[j] * s[i] * s[j] for (i, j), r in pairs.items())
    gross = 0.5 * 4 * variance * 1_901_000
    assert target["net_benefit"] == pytest.approx(gross - target["cost"], abs=0.01)
    assert target["sum_drift"] < rows["halfway"]["sum_drift"] < rows["edge"]["sum_drift"]
    assert all(row["verified"] for row in rows.values())
    for name in ("halfway", "edge"):
        chosen = xl("trades", *options, "--plan", name, "--json").document
        assert chosen["total_cost"] == rows[name]["cost"]
        assert "alternatives" not in chosen
        assert chosen["plans"][0]["proof"]["optimal"] is True


def test_a_plan_without_its_band_is_refused_by_name(xl: Run, walk: Path) -> None:
    options = (walk, "--targets", TARGETS, "--policy", "now")
    rows = xl("trades", *options, "--compare", "--json").document["alternatives"]
    refused = {row["plan"] for row in rows if row["refused"]}
    assert refused == {"edge", "breached-only"}
    ran = xl("trades", *options, "--plan", "edge")
    assert ran.code == 1
    assert "no band" in ran.err
    assert xl("trades", *options, "--compare").code == 0


def test_the_net_benefit_needs_no_comparison(
    xl: Run, walk: Path, volatilities: Path, tmp_path: Path
) -> None:
    options = (walk, "--targets", TARGETS, "--costs", COSTS)
    for option in ("--prices", "--volatilities"):
        (row,) = xl("trades", *options, option, volatilities, "--json").document["net_benefit"]
        assert row["account"] == "A"
        assert row["net_benefit"] == pytest.approx(row["gross_benefit"] - row["costs"])
        removed = row["variance_before"] - row["variance_after"]
        gross = 0.5 * row["risk_aversion"] * removed * row["value"] * row["horizon"]
        assert row["gross_benefit"] == pytest.approx(gross)
        compared = xl("trades", *options, option, volatilities, "--compare", "--json").document
        assert compared["alternatives"][0]["net_benefit"] == row["net_benefit"]
    more = (*options, "--prices", volatilities, "--risk-aversion", "8", "--horizon", "2")
    (four,) = xl("trades", *more, "--json").document["net_benefit"]
    assert four["gross_benefit"] == pytest.approx(4 * row["gross_benefit"])
    assert "net benefit 0.5 × 8 × (" in xl("trades", *more).out
    assert xl("trades", *options, "--json").document["net_benefit"] == []
    short = tmp_path / "short.csv"
    short.write_text("asset_class,volatility\nStocks,0.2\n")
    assert "Bonds, Real Estate" in xl("trades", *options, "--prices", short).err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--horizon", "2"), "--horizon: is for the net benefit"),
        (("--risk-aversion", "2"), "--risk-aversion: is for the net benefit"),
        (("--compare", "--horizon", "2"), "--horizon: is for the net benefit"),
        (("--prices", "V", "--volatilities", "V"), "both say how the classes move"),
        (("--prices", "V", "--horizon", "0"), "--horizon: a horizon of 0 years is not possible"),
        (("--prices", "V", "--risk-aversion", "-1"), "--risk-aversion: a risk aversion of -1"),
    ],
)
def test_options_without_effect_are_refused(
    xl: Run, walk: Path, volatilities: Path, more: tuple[str, ...], words: str
) -> None:
    named = [str(volatilities) if word == "V" else word for word in more]
    ran = xl("trades", walk, "--targets", TARGETS, *named)
    assert ran.code == 1
    assert words in ran.err


def test_classes_that_never_move_are_said_or_refused(
    xl: Run, walk: Path, table: Callable[[str, str], Path]
) -> None:
    options = ("--targets", TARGETS, "--policy", "5pp")
    still = table("still.csv", "asset_class,volatility\nStocks,0.2\nBonds,0\nReal Estate,0.1\n")
    warning = "Bonds never moves by these numbers (volatility 0)"
    assert warning in xl("bands", *options, "--volatilities", still).err
    document = xl("trades", walk, *options, "--prices", still, "--json").document
    assert any(warning in text for text in document["warnings"])
    rows = ["date,Stocks,Bonds,Real Estate", *(f"2026-01-0{d},100,50,20" for d in range(5, 9))]
    flat = table("flat.csv", "\n".join(rows) + "\n")
    for ran in (
        xl("bands", *options, "--volatilities", flat),
        xl("trades", walk, *options, "--compare", "--prices", flat),
    ):
        assert ran.code == 1
        assert "flat.csv: no class moves: every volatility is 0" in ran.err


def test_one_reader_of_prices_for_bands_and_backtests(
    xl: Run, table: Callable[[str, str], Path]
) -> None:
    """Long tables, blank cells, rows out of order, a day that stands twice: read as in backtests."""
    days = [f"2026-{m:02d}-{d:02d}" for m in (1, 10) for d in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16)]
    rng = np.random.default_rng(7)
    price = {
        s: 100 * np.cumprod(1 + rng.normal(0, v, 20)) for s, v in (("AAA", 0.01), ("BBB", 0.02))
    }
    lines = [f"{day},{s},{price[s][i]:.6f}" for s in price for i, day in enumerate(days)]
    lines[3] = f"{days[3]},AAA,"  # a day on which one has no price
    long = table("long.csv", "\n".join(["Date,Ticker,Close", *reversed(lines)]) + "\n")
    mix = ("--targets", "60% AAA, 40% BBB")
    assert xl("volatility-bands", long, *mix).code == 0
    found = xl("bands", *mix, "--volatilities", long, "--json").document
    assert "18 returns from 2026-01-05 to 2026-10-16, 252 a year" in found["covariance"]
    assert "1 day left out" in found["covariance"]
    twice = table("twice.csv", "date,AAA,BBB\n2026-01-05,1,1\n2026-01-06,2,2\n2026-01-06,2,2\n")
    for ran in (xl("bands", *mix, "--volatilities", twice), xl("volatility-bands", twice, *mix)):
        assert ran.code == 1
        assert "twice.csv line 4: 2026-01-06 stands twice" in ran.err


def test_the_plan_that_is_made_is_chosen_from_the_same_comparison(xl: Run, walk: Path) -> None:
    """--plan says which plan is made; what stands beside it are the plans of the policy as typed."""
    options = (walk, "--targets", TARGETS, "--policy", "5pp", "--compare", "--json")
    plain = xl("trades", *options).document
    chosen = xl("trades", *options, "--plan", "buy-only").document
    assert chosen["alternatives"] == plain["alternatives"]
    assert chosen["trades"] != plain["trades"]
    tickets = {row["plan"]: row["tickets"] for row in plain["alternatives"]}
    assert len(chosen["trades"]) == tickets["buy-only"]


def test_the_report_has_the_plans(xl: Run, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    options = ("--targets", TARGETS, "--policy", "5pp", "--compare", "--out", out, "--json")
    document = xl("report", walk, *options).document
    assert len(document["alternatives"]) == 5
    sheet = openpyxl.load_workbook(out)["Plans"]
    assert [sheet.cell(row, 2).value for row in range(5, 10)] == CHOICES


def test_the_report_tells_of_risk(xl: Run, walk: Path, volatilities: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    shock = "stocks -20%, bonds 5%"
    options = ("--targets", TARGETS, "--policy", "5pp", "--costs", COSTS)
    risk = ("--volatilities", volatilities, "--returns", shock)
    document = xl("report", walk, *options, *risk, "--out", out, "--json").document
    rows = xl("shock", walk, *options[:4], "--returns", shock, "--json").document["rows"]
    assert document["shock"] == rows
    bands = xl("bands", *options[:4], "--volatilities", volatilities, "--json").document["rows"]
    assert document["bands"] == bands
    trades = xl("trades", walk, *options, "--volatilities", volatilities, "--json").document
    assert document["net_benefit"] == trades["net_benefit"]
    book = openpyxl.load_workbook(out, data_only=True)
    assert {"Benefit", "Bands", "Shock"} <= set(book.sheetnames)
    bare = xl("report", walk, *options, "--out", out, "--overwrite", "--json").document
    assert "shock" not in bare
    assert not {"Benefit", "Bands", "Shock"} & set(openpyxl.load_workbook(out).sheetnames)
    ran = xl("report", walk, *options, "--returns", "gold 1%", "--out", out, "--overwrite")
    assert ran.code == 1
    assert "'gold' is no class here" in ran.err


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        ("", "names no class"),
        (" , ", "names no class"),
        ("stocks -100%, bonds -100%, real estate -100%", "leave nothing of account A"),
        ("stocks 20000%", "is not possible"),
    ],
)
def test_a_shock_that_says_nothing_or_too_much(
    xl: Run, walk: Path, returns: str, words: str
) -> None:
    ran = xl("shock", walk, "--targets", TARGETS, "--returns", returns)
    assert ran.code == 1
    assert words in ran.err


def test_shock(xl: Run, walk: Path) -> None:
    options = ("--targets", TARGETS, "--returns", "stocks -20%, bonds 5%")
    rows = xl("shock", walk, *options, "--json").document["rows"]
    values = {"Stocks": 1_216_000 * 0.8, "Bonds": 600_000 * 1.05, "Real Estate": 85_000.0}
    total = sum(values.values())
    assert {r["asset_class"]: r["weight_after"] for r in rows} == pytest.approx(
        {name: value / total for name, value in values.items()}
    )
    assert xl("shock", walk, *options).code == 0
    assert "no class" in xl("shock", walk, "--targets", TARGETS, "--returns", "gold 1%").err


def test_bands_by_volatility_can_be_planned_with(
    xl: Run, walk: Path, volatilities: Path, tmp_path: Path
) -> None:
    out = tmp_path / "targets.csv"
    options = ("--targets", TARGETS, "--policy", "5pp", "--volatilities", volatilities)
    rows = xl("bands", *options, "--mode", "equal-risk", "--out", out, "--json").document["rows"]
    document = xl("drift", walk, "--targets", out, "--policy", "own bands", "--json").document
    for row, drifted in zip(rows, document["rows"], strict=True):
        assert drifted["lower"] == pytest.approx(row["equal_risk_lower"], abs=1e-9)
        assert drifted["upper"] == pytest.approx(row["equal_risk_upper"], abs=1e-9)
    assert xl("bands", *options).code == 0
    assert xl("bands", *options, "--mode", "equal-risk").code == 1


def test_a_band_wider_than_its_target_is_written_without_a_lower_edge(
    xl: Run, tmp_path: Path, table: Callable[[str, str], Path]
) -> None:
    """A `min` of 0 is reached by an account that holds nothing of the class; the band is not."""
    out = tmp_path / "targets.csv"
    volatilities = table("v.csv", "asset_class,volatility\nA,80%\nB,1%\nC,1%\n")
    options = ("--targets", "50% A, 48% B, 2% C", "--policy", "5pp", "--volatilities", volatilities)
    xl("bands", *options, "--mode", "equal-risk", "--out", out)
    lines = out.read_text().splitlines()
    assert lines[3].startswith(",C,0.02,,0.09")
    book = table(
        "none.csv", "account,symbol,quantity,price,asset_class\nZ,AA,51,100,A\nZ,BB,49,100,B\n"
    )
    drifted = xl("drift", book, "--targets", out, "--policy", "own bands", "--json").document
    assert drifted["breached"] == []


def test_the_move_to_an_edge_is_in_the_drift_document(xl: Run, walk: Path) -> None:
    rows = xl("drift", walk, "--targets", TARGETS, "--policy", "5pp", "--json").document["rows"]
    stocks = rows[0]
    w = stocks["weight"]
    assert stocks["move_to_upper"] == pytest.approx((0.65 - w) / (w * 0.35))
    assert stocks["move_to_lower"] < 0
