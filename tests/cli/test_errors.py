"""Bad input: exit 1, one message that says where, what and the remedy; nothing is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SAMPLES, TARGETS, Run

COMMANDS = ("drift", "trades")


def refused(xl: Run, *args: object) -> list[str]:
    """The lines on stderr of a command that must be refused."""
    ran = xl(*args)
    assert ran.code == 1, (ran.out, ran.err)
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert all(line.startswith("error: ") for line in lines), ran.err
    assert "Traceback" not in ran.err
    assert lines
    for line in lines:
        assert ": " in line.removeprefix("error: "), f"no place: {line}"
        assert "; " in line, f"no remedy: {line}"
    return [line.removeprefix("error: ") for line in lines]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("60% stocks, 39% bonds", "targets: the weights sum to 99%, not 100%; correct a weight"),
        ("", "targets: there are no target weights"),
        ("60/40", "'60/40' is not a weight and a class"),
        ("60% stocks, 30% bonds, 10% Stocks", "Stocks is given twice; add the two weights"),
        ("60% stocks, 30% bonds, 10% stocks/us", "the target on Stocks already covers Stocks/US"),
        ("60% stocks, 0.3 bonds, 10% real estate", "some weights carry % and some do not"),
        (
            "60% stonks, 30% bonds, 10% real estate",
            "no target covers class 'Stocks/US', held as VTI",
        ),
        (
            "60% stocks, 40% bonds",
            "no target covers class 'Real Estate', held as VNQ; add a target",
        ),
        ("no-such-file.csv", "no-such-file.csv: there is no such file; check the name"),
    ],
)
def test_targets(
    xl: Run, walk: Path, command: str, as_json: tuple[str, ...], targets: str, message: str
) -> None:
    assert message in "\n".join(refused(xl, command, walk, "--targets", targets, *as_json))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("", "policy '': the policy is blank; write for example: 5pp, 20%rel"),
        ("5", "5 has no unit (5pp is points of weight, 5%rel is of the target)"),
        ("5pp to edge to target", "it names two destinations"),
        ("fortnightly", "'fortnightly' is not understood"),
        ("annual to edge", "it trades to just inside the band, and names no band"),
        ("monthly breached only", "it says breached only, and names no band"),
        ("own bands", "each class's own band, and Stocks, Bonds, Real Estate has none"),
    ],
)
def test_policies(xl: Run, walk: Path, command: str, policy: str, message: str) -> None:
    lines = refused(xl, command, walk, "--targets", TARGETS, "--policy", policy)
    assert message in "\n".join(lines)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--flow", "abc", "flow: 'abc' is not an amount of money; write digits"),
        ("--flow", "nan", "'nan' is not an amount of money"),
        ("--flow", "5%", "'5%' is not an amount of money"),
        ("--flow", "1.000,50", "'1.000,50' is not an amount of money"),
        ("--flow", "B:100", "--flow: account 'B' is not in the holdings; accounts are: A"),
        ("--flow", "-1901000", "flows, account A: a withdrawal of 1,901,000.00 leaves nothing"),
        ("--flow", "-5000000", "a withdrawal of 5,000,000.00 leaves nothing of the 1,901,000.00"),
        ("--reserve", "-1", "--reserve: -1 is not possible; enter zero or more"),
        ("--reserve", "nan", "--reserve: nan is not possible"),
        ("--reserve", "2000000", "account A: its value less the reserve is negative (-99,000.00)"),
        ("--min-trade", "-5", "--min-trade: -5 is not possible"),
        ("--max-turnover", "5", "'5' has no unit; write 5% or 0.05 for 5 percent"),
        ("--max-turnover", "-5%", "--max-turnover: -0.05 is not possible"),
        ("--max-turnover", "x", "--max-turnover: 'x' is not a number"),
        ("--costs", "5bp", "is it the half-spread that one side pays"),
        ("--costs", "comission 5", "'comission 5' is not understood"),
        ("--as-of", "30/09/2025", "--as-of: '30/09/2025' is not a date; write it as 2026-11-23"),
        ("--account", "B", "--account: 'B' is not in walk.csv; accounts are: A"),
        ("--map", "none.csv", "none.csv: there is no such file"),
    ],
)
def test_options(xl: Run, walk: Path, option: str, value: str, message: str) -> None:
    lines = refused(xl, "trades", walk, "--targets", TARGETS, option, value)
    assert message in "\n".join(lines)


def test_a_year_out_of_reach(xl: Run, walk: Path) -> None:
    for bad in ("0001-01-01", "9999-12-31"):
        lines = refused(
            xl, "trades", walk, "--targets", TARGETS, "--policy", "annual", "--as-of", bad
        )
        assert "outside the calendar of trading days" in lines[0]


def test_a_flow_of_several_accounts_must_name_one(xl: Run, two: Path) -> None:
    mix = ("--targets", "60% stocks, 40% bonds")
    (line,) = refused(xl, "trades", two, *mix, "--flow", "5000")
    assert line == (
        "--flow: '5000' names no account, and there are 2; write ACCOUNT:AMOUNT, for example Taxable:5000"
    )


def test_a_very_long_text_is_no_file_name(xl: Run, walk: Path) -> None:
    text = "0.6 stocks, 0.3 bonds, 0.1 real estate" + " " * 400
    assert xl("drift", walk, "--targets", text).code == 0


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("asset_class,target\nStocks,60%\nBonds,39%\n", ["t.csv: targets: the weights sum to 99%"]),
        (
            "asset_class\nStocks\n",
            ["t.csv: column target is missing; found asset_class; add a column headed target"],
        ),
        (
            "asset_class,traget\nStocks,100%\n",
            [
                "t.csv: column target is missing",
                "column 'traget' is not known; did you mean target?",
            ],
        ),
        (
            "asset_class,target,band_abs\nStocks,x,5\n,40%,5pp\nBonds,,5pp\n",
            [
                "t.csv row 2, column band_abs: '5' has no unit; write 5% or 0.05 for 5 percent",
                "t.csv row 3, column asset_class: is blank; fill it in",
                "t.csv row 4, column target: is blank",
            ],
        ),
        ("asset_class,target\nStocks,x\n", ["t.csv row 2, column target: 'x' is not a number"]),
        ("asset_class,target\nStocks,nan\n", ["t.csv row 2, column target: 'nan' is not a number"]),
        ("asset_class,target\n", ["t.csv"]),
        ("", ["t.csv"]),
        (
            "asset_class,target\nStocks,110%\nBonds,-10%\n",
            ["Bonds: weight -10% is outside 0% to 100%"],
        ),
        (
            "asset_class,target,min\nStocks,60%,70%\nBonds,40%,\n",
            ["Stocks, column min: min 70% does not contain the target 60%"],
        ),
    ],
)
def test_a_targets_file(xl: Run, walk: Path, table, text: str, messages: list[str]) -> None:
    lines = "\n".join(refused(xl, "drift", walk, "--targets", table("t.csv", text)))
    for message in messages:
        assert message in lines


@pytest.mark.parametrize(
    ("option", "text", "messages"),
    [
        (
            "--map",
            "symbol,asset_class\nVTI,Stocks\nvti,Bonds\n",
            ["row 3, column asset_class: vti"],
        ),
        ("--map", "symbol\nVTI\n", ["column asset_class is missing"]),
        (
            "--securities",
            "symbol,rank\nVTI,first\n",
            ["row 2, column rank: 'first' is not a number"],
        ),
        (
            "--securities",
            "symbol,vehicle,quantity_step\nVTI,eft,0\nBND,,-1\n",
            [
                "row 2, column vehicle: 'eft' is not known",
                "row 2, column quantity_step: 0 is not possible",
                "row 3, column quantity_step: -1 is not possible",
            ],
        ),
        (
            "--accounts",
            "account,type,reserves\nA,roth,5\n",
            ["column 'reserves' is not known; did you mean cash_reserve?"],
        ),
        (
            "--accounts",
            "account,type,reserve,last_rebalanced\nA,rothh,-5,\nA,roth,5,\n",
            [
                "x.csv row 2, column type: 'rothh' is not known",
                "x.csv row 2, column cash_reserve: is negative",
                "x.csv row 3, column account: A stands twice",
            ],
        ),
        (
            "--accounts",
            "account,last_rebalanced\nA,soon\n",
            ["column last_rebalanced: 'soon' is not"],
        ),
        (
            "--accounts",
            "account,model\nA,Growth\n",
            ["accounts, A: follows model 'Growth', which has"],
        ),
        (
            "--restrictions",
            "scope,rule,symbol\n*,never_by,VTI\n",
            ["row 2, column rule: 'never_by'"],
        ),
        (
            "--restrictions",
            "scope,rule,tag\n*,never_buy,sin\n",
            ["no security carries the tag 'sin'"],
        ),
        (
            "--restrictions",
            "scope,rule,symbol,replacement\n*,substitute,VNQ,SCHH\n",
            ["account A would sell VNQ, and SCHH has no price to buy it at"],
        ),
    ],
)
def test_tables_beside_the_holdings(
    xl: Run, walk: Path, table, option: str, text: str, messages: list[str]
) -> None:
    lines = "\n".join(
        refused(xl, "trades", walk, "--targets", TARGETS, option, table("x.csv", text))
    )
    for message in messages:
        assert message in lines


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["h.csv"]),
        ("account,symbol,quantity,price\n", ["h.csv"]),
        ("account,symbol,price\nA,VTI,1\n", ["h.csv", "quantity"]),
        (
            "account,symbol,quantity,price\nA,VTI,many,220\nA,BND,nan,75\nA,VNQ,1,inf\n",
            ["line 2", "line 3", "line 4", "quantity", "price"],
        ),
        ("account,symbol,quantity,price\nA,VTI,1,-5\n", ["line 2", "price"]),
        (
            "account,symbol,quantity,price\nA,AAPL,1,5\nA,ZZZ,1,5\n",
            ["AAPL, ZZZ", "--map classes.csv"],
        ),
        (
            "account,symbol,quantity,price,currency\nA,VTI,1,5,USD\nA,BND,1,5,EUR\n",
            ["EUR", "USD", "fx"],
        ),
        ("<html><body>Your session has expired</body></html>", ["h.csv"]),
    ],
)
def test_holdings(xl: Run, table, command: str, text: str, messages: list[str]) -> None:
    lines = "\n".join(refused(xl, command, table("h.csv", text), "--targets", TARGETS))
    for message in messages:
        assert message in lines


def test_a_binary_file_a_folder_and_nothing(xl: Run, tmp_path: Path) -> None:
    binary = tmp_path / "h.csv"
    binary.write_bytes(bytes(range(256)) * 20)
    assert "h.csv" in refused(xl, "drift", binary, "--targets", TARGETS)[0]
    assert "is a folder" in refused(xl, "drift", tmp_path, "--targets", TARGETS)[0]
    assert (
        "there is no such file" in refused(xl, "drift", tmp_path / "x.csv", "--targets", TARGETS)[0]
    )


def test_models_without_accounts(xl: Run, two: Path, table) -> None:
    models = table(
        "m.csv", "model,asset_class,target\nG,Stocks,80\nG,Bonds,20\nI,Stocks,40\nI,Bonds,60\n"
    )
    lines = refused(xl, "drift", two, "--targets", models)
    assert len(lines) == 2
    assert lines[0].startswith("accounts, Taxable: has no model, and there are 2 (G, I)")


def test_nothing_is_written_when_a_report_is_refused(xl: Run, walk: Path, tmp_path: Path) -> None:
    before = sorted(p.name for p in tmp_path.iterdir())
    out = tmp_path / "report.xlsx"
    refused(xl, "report", walk, "--targets", "60% stocks, 39% bonds", "--out", out)
    refused(xl, "report", walk, "--targets", TARGETS, "--out", tmp_path)
    refused(xl, "report", walk, "--targets", TARGETS, "--out", tmp_path / "no" / "report.xlsx")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    out.write_text("mine")
    assert "--overwrite" in refused(xl, "report", walk, "--targets", TARGETS, "--out", out)[0]
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    "args",
    [
        ("drift",),
        ("drift", "x.csv"),
        ("drift", "x.csv", "--targets", TARGETS, "--polcy", "5pp"),
        ("trades", "x.csv", "--targets", TARGETS, "--reserve", "much"),
        ("trades", "x.csv", "--targets", TARGETS, "--flow-mode", "sideways"),
        ("rebalance",),
    ],
)
def test_usage_is_exit_2(xl: Run, args: tuple[str, ...]) -> None:
    ran = xl(*args)
    assert ran.code == 2
    assert ran.out == ""
    assert "Usage" in ran.err


def test_help_and_version(xl: Run) -> None:
    for command in ("import", "drift", "trades", "report", "demo"):
        ran = xl(command, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "--json" in ran.out
    ran = xl("--version")
    assert ran.code == 0
    assert ran.out.startswith("xl-rebal ")


def test_a_real_process_ends_with_1_and_no_traceback(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "xl_rebal",
        "trades",
        "none.csv",
        "--targets",
        TARGETS,
        "--json",
    ]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "error: none.csv: there is no such file; check the name and the folder\n"
    assert list(tmp_path.iterdir()) == []


def test_inputs_stay_as_they_were(xl: Run, walk: Path) -> None:
    before = walk.read_bytes()
    xl("trades", walk, "--targets", TARGETS, "--json")
    xl("drift", walk, "--targets", "1% stocks")
    assert walk.read_bytes() == before


def test_real_files_that_are_not_positions(xl: Run, shared_data: Path) -> None:
    brokers = shared_data / "brokers"
    for name in (
        "schwab/finporter_GainLoss_Realized_2021.csv",
        "schwab/lots/2020-09-25_IAU.csv",
        "fidelity/finporter_Realized_Gain_Loss_Account_X12345678.csv",
        "ibkr/flex_trades.csv",
    ):
        (line,) = refused(xl, "drift", brokers / name, "--targets", TARGETS)
        assert Path(name).name in line
    sample = SAMPLES / "ibkr_activity.csv"
    assert "2 symbols have no asset class" in refused(xl, "drift", sample, "--targets", TARGETS)[0]


def test_amounts_that_no_double_keeps_to_the_cent(xl: Run, walk: Path, tmp_path: Path) -> None:
    (line,) = refused(xl, "trades", walk, "--targets", TARGETS, "--flow", "1e308")
    assert line.startswith("--flow: '1e308' is not an amount of money")
    rules = tmp_path / "rules.csv"
    rules.write_text("symbol,ticket_fee\nVTI,1e308\n")
    (line,) = refused(xl, "trades", walk, "--targets", TARGETS, "--fund-rules", rules)
    assert line == "rules.csv row 2, column ticket_fee: 1e+308 is too large a number; correct it"
