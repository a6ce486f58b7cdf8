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
