"""trades and report with flows, fund rules, dates and order types, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

MIX = "60% stocks, 30% bonds, 10% real estate"
HOLDINGS = """account,symbol,quantity,price,as_of,settles
A,VTI,5000,220,2026-11-20,
A,VXUS,2000,58,2026-11-20,
A,BND,8000,75,2026-11-20,
A,VNQ,1000,85,2026-11-20,
A,CASH,12000,1,2026-11-20,
A,CASH,30000,1,2026-11-20,2026-11-27
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.csv"
    path.write_text(HOLDINGS, encoding="utf-8")
    return path


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    path = tmp_path / "flows.csv"
    rows = "A,2026-11-30,-8000,RMD\nA,2026-12-10,-250,fee\nA,2027-03-01,-9000,\nZ,2026-12-01,-1,\n"
    path.write_text("account,date,amount,kind\n" + rows, encoding="utf-8")
    return path


def document(xl: Run, *args: object) -> dict[str, Any]:
    result = xl("trades", *args, "--json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def refusal(xl: Run, *args: object) -> str:
    result = xl("trades", *args)
    assert result.code == 1
    return str(result.err)


def test_cash_by_day_with_withdrawals(xl: Run, desk: Path, flows: Path) -> None:
    args = (desk, "--targets", MIX, "--as-of", "2026-11-23", "--flows", flows)
    found = document(xl, *args)
    (plan,) = found["plans"]
    assert plan["leaving"] == 8250.0
    assert [(day["date"], day["arriving"], day["flows"]) for day in plan["cash_days"]] == [
        ("2026-11-23", 0.0, 0.0),
        ("2026-11-24", 0.0, 0.0),
        ("2026-11-27", 30000.0, 0.0),
        ("2026-11-30", 0.0, -8000.0),
        ("2026-12-10", 0.0, -250.0),
    ]
    assert all(day["closing"] >= 0 for day in plan["cash_days"])
    assert plan["cash_days"][-1]["closing"] == pytest.approx(found["cash_after"] - 8250.0)
    assert found["not_done"][0]["cause"] == "unsettled cash"
    assert sum(r["drift_pp"] for r in found["not_done"]) == pytest.approx(plan["drift_left_pp"])
    warnings = "\n".join(found["warnings"])
    assert "1 withdrawals lie more than 30 days ahead" in warnings
    assert "names account Z, which is not in the holdings" in warnings
    wide = document(xl, *args, "--flow-horizon", 120)
    assert wide["plans"][0]["leaving"] == 17250.0
    screen = xl("trades", *args).out
    assert "Cash by day" in screen
    assert "unsettled cash: cash settles later" in screen


def test_the_contract_of_trades_comes_first(xl: Run, desk: Path) -> None:
    found = document(xl, desk, "--targets", MIX, "--as-of", "2026-11-23", "--limit", "0.5%")
    names = ["account", "symbol", "action", "quantity", "price", "value", "cost", "reason"]
    for trade in found["trades"]:
        assert list(trade)[:8] == names
        assert (trade["order_type"], trade["time_in_force"]) == ("LIMIT", "DAY")
        away = trade["limit_price"] / trade["price"] - 1
        assert 0 < (away if trade["action"] == "BUY" else -away) <= 0.005 + 1e-12
        assert trade["settles"] == "2026-11-24"


def test_old_positions_stop_the_plan(xl: Run, desk: Path) -> None:
    args = (desk, "--targets", MIX, "--as-of", "2026-11-25")
    assert "the positions are of 2026-11-20, 3 trading days before 2026-11-25" in refusal(xl, *args)
    assert document(xl, *args, "--max-age", 3)["verified"] is True
    allowed = document(xl, *args, "--allow-stale")
    assert any(text.endswith("; allowed") for text in allowed["warnings"])


def test_fund_rules_bind_and_say_so(xl: Run, desk: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.csv"
    args = (desk, "--targets", MIX, "--as-of", "2026-11-23", "--fund-rules", rules)
    rules.write_text("symbol,ticket_fee,cut_off\nVNQ,25,16:00 ET\n", encoding="utf-8")
    found = document(xl, *args)
    assert [t["cost"] for t in found["trades"] if t["symbol"] == "VNQ"] == [25.0]
    assert any("before 16:00 America/New_York" in text for text in found["plans"][0]["remarks"])
    late = list(args)
    late[4] = "2026-11-23 16:30 ET"
    settled = {t["symbol"]: t["settles"] for t in document(xl, *late)["trades"]}
    assert settled["VNQ"] == "2026-11-25"
    rules.write_text("symbol,closed_to_new\nVNQ,yes\n", encoding="utf-8")
    closed = document(xl, *args)
    assert "VNQ" not in {t["symbol"] for t in closed["trades"]}
    assert "closed fund" in {row["cause"] for row in closed["not_done"]}
    rules.write_text("symbol,custodian,closed_to_new\nVNQ,schwab,yes\n", encoding="utf-8")
    assert any("they bind nothing" in text for text in document(xl, *args)["warnings"])


def test_lots_say_which_units_bear_a_redemption_fee(xl: Run, desk: Path, tmp_path: Path) -> None:
    rules, lots = tmp_path / "rules.csv", tmp_path / "lots.csv"
    rules.write_text("symbol,redemption_fee,redemption_days\nBND,1%,90\n", encoding="utf-8")
    args = (desk, "--targets", MIX, "--as-of", "2026-11-23", "--fund-rules", rules)
    worst = document(xl, *args)
    sold = next(t for t in worst["trades"] if t["symbol"] == "BND")
    account = sold["account"]
    assert sold["cost"] == pytest.approx(sold["value"] / 100, abs=0.01)
    assert any("its lots are not known" in text for text in worst["plans"][0]["remarks"])
    lots.write_text(
        f"account,symbol,acquired,quantity,unit_cost\n{account},BND,2020-01-02,8000,100\n",
        encoding="utf-8",
    )
    known = document(xl, *args, "--lots", lots)
    assert next(t for t in known["trades"] if t["symbol"] == "BND")["cost"] == 0.0
    lots.write_text(
        f"account,symbol,acquired,quantity,unit_cost\n{account},BND,2020-01-02,1,100\n",
        encoding="utf-8",
    )
    short = document(xl, *args, "--lots", lots)
    assert next(t for t in short["trades"] if t["symbol"] == "BND")["cost"] > 0
    assert any("BND" in text and "lots" in text for text in short["warnings"])


def test_a_file_without_lots_is_no_file_of_lots(xl: Run, desk: Path) -> None:
    assert "holds no open lots" in refusal(xl, desk, "--targets", MIX, "--lots", desk)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--as-of", "2026-11-23 25:00 ET"), "has no time with a zone that is known"),
        (("--as-of", "2026-11-23 10:00 Nowhere"), "has no time with a zone that is known"),
        (("--limit", "5"), "'5' has no unit; write 5% or 0.05 for 5 percent"),
        (
            ("--limit", "0.5"),
            "--limit: 0.5 without a unit is 50% away from the price; write 0.5% or 50%",
        ),
        (("--order-type", "limit"), "a limit belongs to limit orders, and to them alone"),
        (("--order-type", "moc", "--time-in-force", "gtc"), "good for the day"),
        (("--max-age", "-1"), "--max-age: -1 is not possible"),
        (("--flow-horizon", "-1"), "--flow-horizon: -1 is not possible"),
        (("--flows", "none.csv"), "none.csv: there is no such file"),
    ],
)
def test_slips_are_named(xl: Run, desk: Path, options: tuple[str, str], message: str) -> None:
    assert message in refusal(xl, desk, "--targets", MIX, *options)


def test_a_bad_date_in_settles_is_a_fault(xl: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("symbol,quantity,price,settles\nVTI,10,100,\nCASH,5,1,soon\n", encoding="utf-8")
    text = refusal(xl, path, "--targets", "100% stocks")
    assert "bad.csv line 3, column settles: 'soon' is not a date" in text


def test_what_settles_later_survives_an_import(xl: Run, desk: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    assert xl("import", desk, "--out", copy).code == 0
    assert "settles" in copy.read_text(encoding="utf-8").splitlines()[0]
    args = ("--targets", MIX, "--as-of", "2026-11-23")
    again, first = document(xl, copy, *args), document(xl, desk, *args)
    assert again["trades"] == first["trades"]
    assert again["plans"][0]["cash_days"] == first["plans"][0]["cash_days"]


def test_a_cent_of_rounding_is_not_blamed_on_the_settlement_of_funds(
    xl: Run, tmp_path: Path
) -> None:
    """Where funds settle later than stocks, what whole shares leave is still what whole shares leave."""
    book, securities = tmp_path / "book.csv", tmp_path / "securities.csv"
    book.write_text("account,symbol,quantity,price\nA,VTI,70,100\nA,BND,40,75\nA,VTSAX,1,100\n")
    securities.write_text("symbol,asset_class,settlement_days\nVTSAX,Stocks,2\n")
    options = ("--targets", "60% stocks, 40% bonds", "--securities", securities, "--policy", "now")
    rows = document(xl, book, *options)["drift_after"]
    (cash,) = [row for row in rows if row["asset_class"] == "Cash"]
    assert cash["drift"] > 0
    assert cash["cause"] == "what whole shares and costs leave"
