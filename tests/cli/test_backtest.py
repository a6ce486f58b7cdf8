"""`backtest`, `compare`, `optimal-band`, `drawdowns`: the documents, the files, and what is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook

from tests.cli.conftest import Run
from tests.cli.test_errors import refused

TARGETS = "60% AAA, 40% BBB"
HEAD = "final_value cagr volatility sharpe max_drawdown rebalances turnover cost tracking_error".split()
Table = Callable[[str, str], Path]


def lines(count: int = 60) -> list[str]:
    """Invented prices: AAA climbs 1% a day and falls back every tenth, BBB stands still."""
    days = np.busday_offset("2024-01-01", np.arange(count), roll="forward").astype(str)
    price, rows = 100.0, ["Date,AAA,BBB"]
    for number, day in enumerate(days.tolist()):
        price *= 0.94 if number % 10 == 9 else 1.012
        rows.append(f"{day},{price!r},50")
    return rows


@pytest.fixture
def prices(table: Table) -> Path:
    return table("prices.csv", "\n".join(lines()) + "\n")


def test_the_document(xl: Run, prices: Path) -> None:
    found = xl(
        "backtest", prices, "--targets", TARGETS, "--policy", "2pp", "--cost-bps", 10, "--json"
    ).document
    assert list(found["summary"])[: len(HEAD)] == HEAD
    assert found["summary"]["start_value"] == 1_000_000
    assert found["summary"]["rebalances"] == len(found["rebalances"]) > 0
    assert found["summary"]["cost"] == pytest.approx(sum(r["cost"] for r in found["rebalances"]))
    first = found["rebalances"][0]
    assert first["date"] > "2024-01-01"
    assert {t["action"] for t in first["trades"]} == {"BUY", "SELL"}
    assert abs(first["drift_before"]) >= 0.02
    assert "252 rows a year" in found["conventions"]


def test_the_path_is_the_value_of_every_day_unrounded(
    xl: Run, prices: Path, tmp_path: Path
) -> None:
    out = tmp_path / "path.csv"
    found = xl(
        "backtest", prices, "--targets", TARGETS, "--policy", "never", "--path", out, "--json"
    ).document
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert list(rows[0]) == ["date", "value"]
    assert len(rows) == 60
    assert (rows[0]["date"], float(rows[0]["value"])) == ("2024-01-01", 1_000_000.0)
    given = [line.split(",") for line in lines()[1:]]
    for row, (_, aaa, _) in zip(rows, given, strict=True):
        growth = float(aaa) / float(given[0][1])
        assert float(row["value"]) == pytest.approx(600_000 * growth + 400_000, rel=1e-12)
    assert float(rows[-1]["value"]) == found["summary"]["final_value"]
    refused(xl, "backtest", prices, "--targets", TARGETS, "--path", out)
    before = prices.read_bytes()
    refused(xl, "backtest", prices, "--targets", TARGETS, "--path", prices, "--overwrite")
    assert prices.read_bytes() == before


def test_a_person_sees_the_figures_and_their_conventions(xl: Run, prices: Path) -> None:
    ran = xl("backtest", prices, "--targets", TARGETS, "--policy", "2pp")
    assert ran.code == 0
    for word in ("CAGR", "Largest drawdown", "Conventions:", "band of 2 percentage points"):
        assert word in ran.out


def test_compare(xl: Run, prices: Path) -> None:
    found = xl(
        "compare", prices, "--targets", TARGETS, "--policies", "never; annual; 3pp; 5/25", "--json"
    ).document
    assert [row["policy"] for row in found["rows"]] == ["never", "annual", "3pp", "5/25"]
    assert list(found["rows"][0])[: len(HEAD) + 1] == ["policy", *HEAD]
    assert found["rows"][0]["verdict"] == "reference"
    assert all("cagr_error" in row for row in found["rows"])
    assert "4 policies tried on 60 rows" in found["notes"][0]
    one = xl("backtest", prices, "--targets", TARGETS, "--policy", "3pp", "--json").document
    assert {k: found["rows"][2][k] for k in one["summary"]} == one["summary"]
    shown = xl("compare", prices, "--targets", TARGETS)
    assert shown.code == 0
    assert "statistical tie" in shown.out or "volatility" in shown.out


def test_optimal_band(xl: Run, prices: Path) -> None:
    found = xl(
        "optimal-band",
        prices,
        "--targets",
        TARGETS,
        "--cost-bps",
        5,
        "--limit",
        "drift 4pp",
        "--bands",
        "1pp, 2pp, 3pp, 9pp",
        "--json",
    ).document
    assert [row["band"] for row in found["rows"]] == [0.01, 0.02, 0.03, 0.09]
    (best,) = [row for row in found["rows"] if row["best"]]
    assert best["band"] == found["best"]
    assert best["max_drift"] <= 0.04
    assert "4 bands tried on 60 rows" in " ".join(found["notes"])
    assert xl("optimal-band", prices, "--targets", TARGETS).code == 0


def test_drawdowns(xl: Run, prices: Path) -> None:
    found = xl(
        "drawdowns",
        prices,
        "--targets",
        TARGETS,
        "--asset",
        "aaa",
        "--policy",
        "daily",
        "--depth",
        "5%",
        "--json",
    ).document
    assert len(found["rows"]) > 1
    assert all(row["asset_fall"] <= -0.05 for row in found["rows"])
    assert (
        xl("drawdowns", prices, "--targets", TARGETS, "--asset", "AAA", "--depth", "5%").code == 0
    )
    assert (
        "is no class" in refused(xl, "drawdowns", prices, "--targets", TARGETS, "--asset", "XYZ")[0]
    )


def test_start_dates(xl: Run, prices: Path) -> None:
    found = xl(
        "compare", prices, "--targets", TARGETS, "--policies", "never; 2pp", "--starts", 3, "--json"
    ).document
    for row in found["rows"]:
        assert row["start_dates"]["starts"] >= 1
    assert found["rows"][0]["start_dates"]["largest"] == 0
    shown = xl("compare", prices, "--targets", TARGETS, "--policies", "never; 2pp", "--starts", 3)
    assert "first days" in shown.out


def test_volatility_bands(xl: Run, prices: Path) -> None:
    found = xl(
        "volatility-bands", prices, "--targets", TARGETS, "--average", "4pp", "--json"
    ).document
    assert [row["asset_class"] for row in found["rows"]] == ["AAA", "BBB"]
    for aim in ("equal_frequency", "equal_risk"):
        assert sum(row[aim] for row in found["rows"]) / 2 == pytest.approx(0.04)
    assert [each["bands"] for each in found["backtests"]] == ["equal frequency", "equal risk"]
    assert xl("volatility-bands", prices, "--targets", TARGETS).code == 0
    assert (
        "average band"
        in refused(xl, "volatility-bands", prices, "--targets", TARGETS, "--average", "0%")[0]
    )


@pytest.mark.parametrize("model", ["history", "normal", "t5"])
def test_what_if(xl: Run, prices: Path, model: str) -> None:
    asked = (
        "what-if",
        prices,
        "--targets",
        TARGETS,
        "--bands",
        "2pp, 6pp",
        "--paths",
        20,
        "--years",
        1,
        "--cost-bps",
        10,
        "--model",
        model,
    )
    found = xl(*asked, "--json").document
    narrow, wide = found["rows"]
    assert narrow["rebalances_per_year"] > wide["rebalances_per_year"]
    assert narrow["cost_bps"] == pytest.approx(narrow["turnover"] * 20, rel=0.01)
    assert narrow["cagr_5th"] <= narrow["cagr_median"] <= narrow["cagr_95th"]
    assert xl(*asked, "--json").document == found
    other = xl(*asked, "--seed", 7, "--json").document
    assert other["rows"] != found["rows"]
    assert xl(*asked).code == 0


def test_what_if_refuses_what_it_cannot_do(xl: Run, prices: Path) -> None:
    asked = ("what-if", prices, "--targets", TARGETS)
    assert "are not possible" in refused(xl, *asked, "--paths", 0)[0]
    assert "are not possible" in refused(xl, *asked, "--years", 100000)[0]
    assert "'weird' is not known" in refused(xl, *asked, "--model", "weird")[0]
    assert "has no volatility" in refused(xl, *asked, "--model", "t2")[0]


def test_start_end_flows_and_the_rest(xl: Run, prices: Path) -> None:
    found = xl(
        "backtest",
        prices,
        "--targets",
        TARGETS,
        "--policy",
        "monthly",
        "--start",
        "2024-01-05",
        "--end",
        "2024-02-20",
        "--risk-free",
        "2%",
        "--next-close",
        "--whole-shares",
        "--min-trade",
        10,
        "--cooldown",
        3,
        "--flow",
        "monthly:1000",
        "--flow",
        "2024-02-01:-500",
        "--start-value",
        50000,
        "--json",
    ).document
    assert found["summary"]["start"] == "2024-01-05"
    assert found["summary"]["end"] == "2024-02-20"
    assert found["summary"]["flows"] == 500
    assert found["summary"]["start_value"] == pytest.approx(50_000)
    assert all(
        t["quantity"] == round(t["quantity"]) for r in found["rebalances"] for t in r["trades"]
    )


def test_long_tables_workbooks_and_parquet_give_the_same(
    xl: Run, prices: Path, tmp_path: Path, table: Table
) -> None:
    rows = [line.split(",") for line in lines()]
    long = table(
        "long.csv",
        "symbol,date,price\n" + "".join(f"AAA,{d},{a}\nBBB,{d},{b}\n" for d, a, b in rows[1:]),
    )
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["nothing here"])
    page = book.create_sheet("Prices")
    for row in rows:
        page.append([row[0], *(float(c) if row is not rows[0] else c for c in row[1:])])
    book.save(tmp_path / "book.xlsx")
    wanted = xl("backtest", prices, "--targets", TARGETS, "--json").document["summary"]
    for path in (long, tmp_path / "book.xlsx"):
        found = xl("backtest", path, "--targets", TARGETS, "--json").document
        assert found["summary"] == pytest.approx(wanted)


def test_returns_instead_of_prices(xl: Run, table: Table) -> None:
    path = table("returns.csv", "Month,AAA,BBB\n2020-01,0.10,0\n2020-02,-0.05,0.01\n")
    found = xl(
        "backtest", path, "--targets", TARGETS, "--policy", "never", "--returns", "--json"
    ).document
    assert found["summary"]["final_value"] == pytest.approx(1e6 * (0.6 * 1.1 * 0.95 + 0.4 * 1.01))
    assert found["summary"]["start"] == "2019-12-31"


def test_pictures(xl: Run, prices: Path, tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    asked = ("backtest", prices, "--targets", TARGETS, "--policy", "2pp", "--png", folder)
    nowhere = refused(xl, *asked[:-1], folder / "deeper")
    assert "is no folder, and cannot be made one" in nowhere[0]
    found = xl(*asked, "--json").document
    assert [Path(p).name for p in found["pictures"]] == ["growth.png", "drawdown.png", "drift.png"]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert all(data.startswith(b"\x89PNG") and len(data) > 5000 for data in before.values())
    assert "exists already" in refused(xl, *asked)[0]
    assert xl(*asked, "--overwrite").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    many = (
        "compare",
        prices,
        "--targets",
        TARGETS,
        "--policies",
        "never; 2pp",
        "--png",
        folder,
        "--overwrite",
        "--json",
    )
    assert [Path(p).name for p in xl(*many).document["pictures"]] == ["growth.png", "frontier.png"]


# fmt: off
# ruff: noqa: E501
def test_workbooks(xl: Run, prices: Path, tmp_path: Path) -> None:
    one, many = tmp_path / "one.xlsx", tmp_path / "many.xlsx"
    found = xl("backtest", prices, "--targets", TARGETS, "--policy", "2pp", "--out", one, "--json")
    assert found.document["workbook"] == str(one)
    book = load_workbook(one, data_only=True)
    assert book.sheetnames == ["Backtest", "Rebalancings", "Days"]
    days = list(book["Days"].iter_rows(min_row=5, values_only=True))
    assert len(days) == 60
    assert days[-1][1] == pytest.approx(found.document["summary"]["final_value"], rel=1e-14)
    events = list(book["Rebalancings"].iter_rows(min_row=5, values_only=True))
    assert [row[0] for row in events] == [r["date"] for r in found.document["rebalances"]]
    with zipfile.ZipFile(one) as package:
        assert sum(name.startswith("xl/charts/chart") for name in package.namelist()) == 3
    ran = xl("compare", prices, "--targets", TARGETS, "--policies", "never; 2pp", "--out", many)
    assert ran.code == 0
    names = [row[0].value for row in load_workbook(many)["Policies"].iter_rows(min_row=1)]
    assert names.count("2pp") == 1
    before = one.read_bytes()
    assert "exists already" in refused(xl, "compare", prices, "--targets", TARGETS, "--out", one)[0]
    again = xl("backtest", prices, "--targets", TARGETS, "--policy", "2pp", "--out", one, "--overwrite")
    assert again.code == 0
    assert one.read_bytes() == before
    wrong = tmp_path / "one.csv"
    assert "no name for a workbook" in refused(xl, "backtest", prices, "--targets", TARGETS, "--out", wrong)[0]
    nothing = xl("backtest", prices, "--targets", TARGETS, "--policy", "never", "--out", tmp_path / "n.xlsx")
    assert nothing.code == 0


BAD: dict[str, tuple[str, str]] = {
    "target without prices": ("Date,AAA,CCC\n2024-01-01,1,1\n2024-01-02,1,1\n", "target BBB: there is no column of prices"),
    "date twice": ("Date,AAA,BBB\n2024-01-01,1,1\n2024-01-02,1,1\n2024-01-01,1,2\n", "line 4: 2024-01-01 stands twice"),
    "zero price": ("Date,AAA,BBB\n2024-01-01,1,1\n2024-01-02,0,1\n", "2024-01-02, AAA: a price of 0 is not possible"),
    "negative price": ("Date,AAA,BBB\n2024-01-01,1,-1\n2024-01-02,1,1\n", "2024-01-01, BBB: a price of -1"),
    "no price": ("Date,AAA,BBB\n2024-01-01,1,1e-308\n2024-01-02,1e300,1\n", "AAA: the column has prices below 1e-12 or above 1e+15"),
    "no exchange": ("Date,AAA,BBB\n0001-01-01,1,1\n0001-01-02,1,1\n", "no row with a date"),
    "one day": ("Date,AAA,BBB\n2024-01-01,1,1\n", "two are needed at least"),
    "missing column": ("Date,AAA,BBB\n2024-01-01,1,\n2024-01-02,1,\n", "BBB: the column has no price"),
    "no dates": ("AAA,BBB\n1,1\n2,2\n", "no row with a date"),
    "text": ("Date,AAA,BBB\n2024-01-01,1,1\n2024-01-02,x,1\n", "line 3, AAA: 'x' is not a number"),
    "split": ("Date,AAA,BBB\n2024-01-01,10,1\n2024-01-02,5,1\n", "2024-01-02, AAA: the price goes from 10 to 5"),
}
# fmt: on


@pytest.mark.parametrize("command", ["backtest", "compare", "optimal-band"])
@pytest.mark.parametrize("name", BAD)
def test_bad_prices_are_refused_and_nothing_is_written(
    xl: Run, table: Table, tmp_path: Path, command: str, name: str
) -> None:
    text, message = BAD[name]
    path = table("bad.csv", text)
    outputs = ["--path", tmp_path / "out.csv"] if command == "backtest" else []
    assert message in refused(xl, command, path, "--targets", TARGETS, *outputs, "--json")[0]
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--policy", "sometimes"), "'sometimes' is not understood"),
        (("--start", "soon"), "--start: 'soon' is not a date"),
        (("--start", "2030-01-01"), "no row lies between"),
        (("--cost-bps", "-1"), "--cost-bps: -1 is not possible"),
        (("--cost-bps", "nan"), "--cost-bps: nan is not possible"),
        (("--risk-free", "2"), "--risk-free: '2' has no unit"),
        (("--flow", "sometimes:5"), "--flow: 'sometimes:5' is not understood"),
        (("--flow", "5pp:5"), "--flow: '5pp:5' is not understood"),
        (("--flow", "2024-01-10:-5000000"), "a withdrawal of 5,000,000.00 is more than"),
        (("--min-trade", "-5"), "--min-trade: -5 is not possible"),
        (("--start-value", "0"), "--start-value: 0 is not possible"),
        (("--start-value", "1e308"), "--start-value: 1e+308 is not possible"),
        (("--risk-free", "500%"), "--risk-free: 500% a year is not possible"),
        (("--flow", "daily:1e308"), "--flow: 'daily:1e308' is not understood"),
        (("--flow", "2030-01-01:5"), "--flow, 2030-01-01: lies outside the sample"),
        (("--flow", "2024-01-01:5"), "--flow, 2024-01-01: lies outside the sample"),
        (("--costs", "spread 3bp, impact 2%"), "--costs: market impact needs volumes"),
        (("--holdings", "100"), "--holdings: '100' is not understood"),
        (("--holdings", "-1 AAA"), "--holdings: '-1 AAA' is not understood"),
        (("--holdings", "1 AAA, 2 aaa"), "--holdings: '2 aaa' is not understood"),
        (("--holdings", "1 CCC"), "holdings, CCC: is no class of the targets"),
        (("--path", "no/such/folder.csv"), "the folder 'such' does not exist"),
    ],
)
def test_bad_options_are_refused(
    xl: Run, prices: Path, options: tuple[str, str], message: str
) -> None:
    assert message in refused(xl, "backtest", prices, "--targets", TARGETS, *options)[0]


def test_given_holdings_and_commissions(xl: Run, prices: Path) -> None:
    costs = ("--costs", "spread 10bp, commission 4.95, 0.01 per share")
    options = ("--targets", TARGETS, "--holdings", "10 aaa, 20 BBB, 500 Cash", *costs)
    found = xl("backtest", prices, *options, "--policy", "5pp", "--json").document
    assert found["summary"]["start_value"] == pytest.approx(10 * 100 * 1.012 + 20 * 50 + 500)
    first = found["rebalances"][0]
    by_hand = sum(4.95 + 0.01 * t["quantity"] + 0.0005 * t["value"] for t in first["trades"])
    assert first["cost"] == pytest.approx(by_hand)
    assert "commission 4.95 a trade" in found["costs"]
    rows = xl("compare", prices, *options, "--policies", "never; 5pp", "--json").document["rows"]
    assert [row["rebalances"] > 0 for row in rows] == [False, True]
    assert "CAGR" in xl("backtest", prices, *options).out
    both = refused(xl, "backtest", prices, *options, "--cost-bps", 5)
    assert "both say what a trade costs" in both[0]


def test_one_file_is_not_named_for_two_outputs(xl: Run, prices: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.xlsx"
    asked = ("backtest", prices, "--targets", TARGETS, "--path", same, "--out", same)
    assert "is named for two outputs" in refused(xl, *asked)[0]
    assert [p.name for p in tmp_path.iterdir()] == ["prices.csv"]


@pytest.mark.parametrize(
    ("command", "option", "message"),
    [
        ("what-if", ("--years", "nan"), "are not possible"),
        ("what-if", ("--years", "inf"), "are not possible"),
        ("what-if", ("--seed", "-1"), "--seed: -1 is not possible"),
        ("compare", ("--starts", "-5"), "--starts: -5 is not possible"),
        ("drawdowns", ("--asset", "AAA", "--depth", "200%"), "a fall of 200% is not possible"),
        ("drawdowns", ("--asset", "AAA", "--depth", "0"), "a fall of 0 is not possible"),
    ],
)
def test_numbers_outside_their_range_are_refused(
    xl: Run, prices: Path, command: str, option: tuple[str, ...], message: str
) -> None:
    assert message in refused(xl, command, prices, "--targets", TARGETS, *option)[0]


@pytest.mark.parametrize(
    "command",
    [
        ("backtest",),
        ("compare",),
        ("optimal-band",),
        ("volatility-bands",),
        ("drawdowns", "--asset", "AAA"),
        ("what-if", "--paths", 20, "--years", 1),
    ],
)
def test_every_output_states_its_sample_costs_and_conventions(
    xl: Run, table: Table, command: tuple[object, ...]
) -> None:
    rows = lines()
    moving = [
        rows[0],
        *(f"{row},{50 + n % 7}".replace(",50,", ",") for n, row in enumerate(rows[1:])),
    ]
    asked = (command[0], table("moving.csv", "\n".join(moving) + "\n"), *command[1:])
    found = xl(*asked, "--targets", TARGETS, "--json").document
    assert "2024-01-01" in str(found)
    assert "2024-03-22" in str(found)
    shown = " ".join(xl(*asked, "--targets", TARGETS).out.split())
    for words in (found["conventions"], found["costs"], found["targets"]):
        assert words in shown


def test_no_policies_and_bad_ones(xl: Run, prices: Path) -> None:
    assert (
        "names no policy"
        in refused(xl, "compare", prices, "--targets", TARGETS, "--policies", " ; ")[0]
    )
    assert (
        "'5x'" in refused(xl, "compare", prices, "--targets", TARGETS, "--policies", "never; 5x")[0]
    )
    assert (
        "has no unit"
        in refused(xl, "optimal-band", prices, "--targets", TARGETS, "--bands", "5")[0]
    )
    assert (
        "not understood"
        in refused(xl, "optimal-band", prices, "--targets", TARGETS, "--limit", "x")[0]
    )
