"""`xl-rebal import`: what was read, as the outside relies on it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAMPLES, Run

# DESIGN section 5; keys after these are additions.
ACCOUNT: dict[str, Any] = {"account": str, "name": str, "positions": int, "total": (int, float)}
HOLDING: dict[str, Any] = {
    "account": str,
    "symbol": (str, type(None)),
    "quantity": (int, float, type(None)),
    "price": (int, float, type(None)),
    "value": (int, float, type(None)),
    "asset_class": (str, type(None)),
    "kind": str,
}
CUSTODIANS = {"schwab", "fidelity", "vanguard", "ibkr", "etrade", "ofx", "generic"}


@pytest.mark.parametrize(
    ("sample", "custodian", "totals"),
    [
        ("schwab_positions.csv", "schwab", {"...482": 1_901_000.0}),
        ("fidelity_positions.csv", "fidelity", {"Z11122233": 800_000.0, "X44455566": 62_525.25}),
        ("vanguard_positions.csv", "vanguard", {"10020030": 100_000.0}),
        ("ibkr_activity.csv", "ibkr", None),
        ("generic_positions.csv", "generic", {"0012-77": 101_000.0}),
    ],
)
def test_document_of_every_sample(
    xl: Run, sample: str, custodian: str, totals: dict[str, float] | None
) -> None:
    document = xl("import", SAMPLES / sample, "--json").document
    assert list(document)[:4] == ["custodian", "accounts", "holdings", "warnings"]
    assert document["custodian"] == custodian
    assert document["custodian"] in CUSTODIANS
    for row, keys in [(r, ACCOUNT) for r in document["accounts"]] + [
        (r, HOLDING) for r in document["holdings"]
    ]:
        assert list(row)[: len(keys)] == list(keys)
        for name, kind in keys.items():
            assert isinstance(row[name], kind), (name, row)
    assert {row["kind"] for row in document["holdings"]} <= {"position", "cash", "pending"}
    assert all(isinstance(text, str) for text in document["warnings"])
    if totals is not None:
        found = {row["account"]: row["total"] for row in document["accounts"]}
        assert found == pytest.approx(totals)


def test_pending_activity_has_no_symbol_and_no_place_in_the_total(xl: Run) -> None:
    document = xl("import", SAMPLES / "fidelity_positions.csv", "--json").document
    (pending,) = [row for row in document["holdings"] if row["kind"] == "pending"]
    assert pending["symbol"] is None
    assert pending["value"] == -1_250.00
    counted = [
        row["value"]
        for row in document["holdings"]
        if row["account"] == "X44455566" and row["kind"] != "pending"
    ]
    assert sum(counted) == pytest.approx(62_525.25)


def test_several_files_in_one_run(xl: Run) -> None:
    same = xl(
        "import", SAMPLES / "schwab_positions.csv", SAMPLES / "schwab_positions.csv", "--json"
    )
    assert same.document["custodian"] == "schwab"
    both = xl(
        "import", SAMPLES / "schwab_positions.csv", SAMPLES / "vanguard_positions.csv", "--json"
    )
    assert [a["account"] for a in both.document["accounts"]] == ["...482", "10020030"]
    assert [f["custodian"] for f in both.document["files"]] == ["schwab", "vanguard"]


def test_out_is_read_back_whole(xl: Run, tmp_path: Path) -> None:
    out = tmp_path / "holdings.csv"
    first = xl("import", SAMPLES / "fidelity_positions.csv", "--out", out, "--json").document
    with out.open(newline="") as stream:
        header = next(csv.reader(stream))
    assert {"account", "symbol", "quantity", "price", "value", "asset_class"} <= set(header)
    second = xl("import", out, "--json").document
    assert second["holdings"] == [
        {**row, "description": again["description"]}
        for row, again in zip(first["holdings"], second["holdings"], strict=True)
    ]
    refused = xl("import", SAMPLES / "schwab_positions.csv", "--out", out)
    assert refused.code == 1
    assert "exists already; choose another name, or allow it with --overwrite" in refused.err
    assert xl("import", SAMPLES / "schwab_positions.csv", "--out", out, "--overwrite").code == 0


def test_the_map_gives_classes_and_the_rest_is_a_warning(xl: Run, table, tmp_path: Path) -> None:
    held = table("h.csv", "account,symbol,quantity,price\nA,AAPL,1,100\nA,ZZZ,1,100\nA,VTI,1,1\n")
    document = xl("import", held, "--json").document
    assert [row["asset_class"] for row in document["holdings"]] == [None, None, "Stocks/US"]
    assert any("2 symbols have no asset class: AAPL, ZZZ" in w for w in document["warnings"])
    classes = table("c.csv", "Ticker,Class\naapl,Stocks/US/Large\nZZZ,Bonds\n")
    document = xl("import", held, "--map", classes, "--json").document
    assert [r["asset_class"] for r in document["holdings"]][:2] == ["Stocks/US/Large", "Bonds"]
    assert document["warnings"] == []


def test_a_person_sees_accounts_and_holdings(xl: Run) -> None:
    ran = xl("import", SAMPLES / "schwab_positions.csv")
    assert ran.code == 0
    for text in ("schwab export", "...482", "1,901,000.00", "VXUS", "Real Estate"):
        assert text in ran.out
    assert "only the last characters of ...482 are shown" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_bad_files_of_one_run_are_named_together(xl: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "page.html").write_text("<html><body>no</body></html>")
    out = tmp_path / "holdings.csv"
    good = SAMPLES / "schwab_positions.csv"
    ran = xl("import", tmp_path / "empty.csv", good, tmp_path / "page.html", tmp_path / "none.csv",
             "--out", out, "--json")  # fmt: skip
    assert ran.code == 1
    assert ran.out == ""
    assert [name in ran.err for name in ("empty.csv", "page.html", "none.csv")] == [True] * 3
    assert not out.exists()


def test_real_totals_tie(xl: Run, shared_data: Path) -> None:
    # The audit's own figures: Fidelity $45,000 and $13,000, pending left out.
    fidelity = xl("import", shared_data / "brokers/fidelity/audit_probe_fidelity.csv", "--json")
    assert [a["total"] for a in fidelity.document["accounts"]] == [45_000.0, 13_000.0]
    schwab = xl("import", shared_data / "brokers/schwab/audit_probe_schwab_sections.csv", "--json")
    assert [a["total"] for a in schwab.document["accounts"]] == [8_000.0, 10_000.0]
    vanguard = xl(
        "import", shared_data / "brokers/vanguard/audit_probe_vanguard_two_tables.csv", "--json"
    )
    assert [a["total"] for a in vanguard.document["accounts"]] == [17_060.0]


# -- lots, realised gains and masked accounts -----------------------------------------------------

LOTS = (
    '"VTI Lot Details for Individual ...482 as of 11/20/2026"\n'
    '"Open Date","Quantity","Cost/Share","Cost Basis","Holding Period"\n'
    '"01/02/2020","4,000","150","600000","Long Term"\n"05/04/2026","1,000","210","210000","Short Term"\n'
)
SALES = (
    "Symbol(CUSIP),Security Description,Quantity,Date Acquired,Date Sold,Proceeds,Cost Basis,"
    "Short Term Gain/Loss,Long Term Gain/Loss\n"
    'VEA(921943858),FUND,3.0,08/31/2020,01/29/2026,"$150.00 ","$120.00 ","","$30.00 "\n'
)
LOT = ["account", "symbol", "acquired", "quantity", "unit_cost", "lot_id", "term", "currency"]
SALE = ["account", "symbol", "acquired", "sold", "quantity", "proceeds", "cost", "gain", "long_gain",
        "short_gain", "term", "disallowed"]  # fmt: skip


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lots_beside_positions(xl: Run, tmp_path: Path) -> None:
    lots = write(tmp_path, "lots.csv", LOTS)
    out = tmp_path / "table.csv"
    ran = xl("import", SAMPLES / "schwab_positions.csv", lots, "--lots-out", out, "--json")
    document = ran.document
    assert document["custodian"] == "schwab"
    assert [list(row) for row in document["lots"]] == [LOT, LOT]
    assert document["lots"][0]["acquired"] == "2020-01-02"
    assert document["realised"] == []
    assert [a["masked"] for a in document["accounts"]] == [True]
    # the lots tie to the 5,000 VTI of the sample; the other positions have none
    assert not any("add up to" in w for w in document["warnings"])
    assert any("no lots for positions" in w and "BND" in w for w in document["warnings"])
    assert any("only the last characters of ...482" in w for w in document["warnings"])
    again = xl("import", out, "--json").document
    assert again["custodian"] == "generic"
    assert again["lots"] == document["lots"]


def test_lots_that_differ_from_the_position_are_named(xl: Run, tmp_path: Path) -> None:
    lots = write(tmp_path, "lots.csv", LOTS.replace('"4,000"', '"3,999"'))
    ran = xl("import", SAMPLES / "schwab_positions.csv", lots)
    assert "VTI in ...482: its lots add up to 4,999 units, 5,000 are held" in ran.err
    assert "Open lots" in ran.out


def test_lots_of_two_files_are_not_written_twice(xl: Run, tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.csv", LOTS), write(tmp_path, "b.csv", LOTS)
    assert "they are there twice" in xl("import", one, two).err
    out = tmp_path / "out.csv"
    refused = xl("import", one, two, "--lots-out", out)
    assert refused.code == 1
    assert "import the newest of these files only" in refused.err
    assert not out.exists()


def test_realised_gains_whose_account_is_told(xl: Run, tmp_path: Path) -> None:
    sales = write(tmp_path, "Realized_Gain_Loss_Account_X12345678.csv", SALES)
    refused = xl("import", sales)
    assert refused.code == 1
    assert "--account (is it X12345678, as in the file's name?)" in refused.err
    document = xl("import", sales, "--account", "X12345678", "--json").document
    (row,) = document["realised"]
    assert list(row) == SALE
    assert (row["account"], row["gain"], row["term"], row["short_gain"]) == (
        "X12345678",
        30.0,
        "long",
        None,
    )
    assert "Realised gains" in xl("import", sales, "--account", "X12345678").out


def test_an_option_that_would_do_nothing_is_refused(xl: Run) -> None:
    for option in ("--account", "--symbol"):
        refused = xl("import", SAMPLES / "fidelity_positions.csv", option, "X9")
        assert refused.code == 1
        assert f"{option}: X9 was not used" in refused.err


def test_an_account_map_joins_masked_accounts(xl: Run, tmp_path: Path) -> None:
    lots = write(tmp_path, "lots.csv", LOTS)
    table = write(tmp_path, "map.csv", "masked,account\n...482,10020482\n")
    sample = SAMPLES / "schwab_positions.csv"
    document = xl("import", sample, lots, "--account-map", table, "--json").document
    assert {row["account"] for row in document["holdings"]} == {"10020482"}
    assert {row["account"] for row in document["lots"]} == {"10020482"}
    assert [a["masked"] for a in document["accounts"]] == [False]
    assert not any("only the last" in w for w in document["warnings"])
    targets = ["--targets", "60% stocks, 30% bonds, 10% real estate"]
    for command in ("drift", "trades"):
        rows = xl(command, sample, *targets, "--account-map", table, "--json").document
        named = rows["rows"] if command == "drift" else rows["trades"]
        assert {row["account"] for row in named} == {"10020482"}
    wrong = write(tmp_path, "wrong.csv", "masked,account\n...482,10020483\n")
    refused = xl("drift", sample, *targets, "--account-map", wrong)
    assert refused.code == 1
    assert "does not end in 482" in refused.err


def test_a_file_of_lots_is_nothing_to_weigh(xl: Run, tmp_path: Path) -> None:
    ran = xl("drift", write(tmp_path, "lots.csv", LOTS), "--targets", "100% stocks")
    assert ran.code == 1
    assert "is a list of tax lots, not of positions" in ran.err
