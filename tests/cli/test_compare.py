"""`trades --compare`, `--plan`, `shock` and `bands` at the command line."""

from __future__ import annotations

from pathlib import Path

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


def test_prices_without_compare_and_a_missing_class_are_refused(
    xl: Run, walk: Path, volatilities: Path, tmp_path: Path
) -> None:
    options = (walk, "--targets", TARGETS, "--prices")
    assert "--compare" in xl("trades", *options, volatilities).err
    short = tmp_path / "short.csv"
    short.write_text("asset_class,volatility\nStocks,0.2\n")
    assert "Bonds, Real Estate" in xl("trades", *options, short, "--compare").err


def test_the_report_has_the_plans(xl: Run, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    options = ("--targets", TARGETS, "--policy", "5pp", "--compare", "--out", out, "--json")
    document = xl("report", walk, *options).document
    assert len(document["alternatives"]) == 5
    import openpyxl

    sheet = openpyxl.load_workbook(out)["Plans"]
    assert [sheet.cell(row, 2).value for row in range(5, 10)] == CHOICES


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


def test_the_move_to_an_edge_is_in_the_drift_document(xl: Run, walk: Path) -> None:
    rows = xl("drift", walk, "--targets", TARGETS, "--policy", "5pp", "--json").document["rows"]
    stocks = rows[0]
    w = stocks["weight"]
    assert stocks["move_to_upper"] == pytest.approx((0.65 - w) / (w * 0.35))
    assert stocks["move_to_lower"] < 0
