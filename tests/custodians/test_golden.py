"""Golden pairs: an export that we invented, and the holdings that it must give, worked out by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from xl_rebal.custodians import CUSTODIANS, Told, read_export, read_positions

GOLDEN = Path(__file__).parent / "golden"
TOTALS = {
    "schwab": {
        "XXXX-1111 (Individual)": 277_000.25,
        "XXXX-1111 (Roth IRA)": 2_310.0,
        "...222": 0.0,
    },
    "fidelity": {"X00000001": 26_090.35, "012345678": 35_103.09},
    "vanguard": {"00012345": 18_060.0, "00067890": 100_006.25},
    "ibkr": {"U7654321": 33_310.0},
    "generic": {"00-17": 14_184.56},
    "etrade": {"Individual -0000": 10_417.83},
    "ofx": {"0045001": 33_210.25, "0045002": 3_750.0},
    "flex_xml": {"U7000001": 33_310.0, "U7000002": 708.75},
    "flex_csv": {"U7000003": 33_400.0},
}


def rows(statement):
    held = statement.holdings
    names = (
        "account", "symbol", "kind", "quantity", "price", "stated_value", "multiplier", "currency",
        "fx", "asset_class", "line",
    )  # fmt: skip
    for row in zip(*(getattr(held, n).tolist() for n in names), strict=True):
        yield {n: v if isinstance(v, str) else f"{v:.10g}" for n, v in zip(names, row, strict=True)}


# Formats beside the first one of each custodian: directory -> whose it is.
MORE = {
    "flex_xml": "ibkr",
    "flex_csv": "ibkr",
    "schwab_lots": "schwab",
    "schwab_realised": "schwab",
    "schwab_realised_2021": "schwab",
    "fidelity_realised": "fidelity",
    "generic_lots": "generic",
}


def export(name):
    (path,) = (GOLDEN / name).glob("export.*")
    return path


def expected(name, table):
    path = GOLDEN / name / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def lot_rows(table):
    columns = [getattr(table, n) for n in table.names()]
    for row in zip(*columns, strict=True):
        yield {
            n: v if isinstance(v, str) else str(v) if isinstance(v, np.datetime64) else f"{v:.10g}"
            for n, v in zip(table.names(), row, strict=True)
        }


@pytest.mark.parametrize("name", [*CUSTODIANS, *MORE])
def test_golden(name):
    statement = read_export(
        export(name), told=Told(account="Z1" if name == "fidelity_realised" else "")
    )
    assert statement.custodian == MORE.get(name, name)
    assert list(rows(statement)) == expected(name, "expected")
    assert list(lot_rows(statement.lots)) == expected(name, "lots")
    assert list(lot_rows(statement.realised)) == expected(name, "realised")
    assert {a.account: a.total for a in statement.accounts} == pytest.approx(TOTALS.get(name, {}))
    assert not [w for w in statement.warnings if "add up" in w or "is not quantity" in w]


def test_every_custodian_has_its_pair():
    assert sorted(p.name for p in GOLDEN.iterdir()) == sorted([*CUSTODIANS, *MORE])
    for folder in GOLDEN.iterdir():
        assert [t for t in ("expected", "lots", "realised") if (folder / f"{t}.csv").exists()]


def test_stated_totals_are_compared():
    stated = {
        name: {a.account: a.stated_total for a in read_export(export(name)).accounts}
        for name in ("etrade", "ofx", "flex_xml")
    }
    assert stated["etrade"] == {"Individual -0000": 10_417.83}
    assert stated["ofx"] == {"0045001": 33_210.25, "0045002": None}
    assert stated["flex_xml"] == {"U7000001": 33_310.0, "U7000002": None}


def test_what_the_exports_say_beyond_their_rows():
    def read(name):
        return read_positions(GOLDEN / name / "export.csv")

    assert [a.name for a in read("schwab").accounts] == [
        "Individual",
        "Roth IRA",
        "Empty Brokerage",
    ]
    assert any("share the id XXXX-1111" in w for w in read("schwab").warnings)
    assert any("percent of par" in w for w in read("schwab").warnings)
    assert any("VTI in X00000001" in w for w in read("fidelity").warnings)
    assert any("BrokerageLink" in w for w in read("fidelity").warnings)
    assert {str(read(n).as_of) for n in ("schwab", "fidelity")} == {"2026-11-19"}
    assert {str(read(n).as_of) for n in ("ibkr", "generic")} == {"2026-11-20"}
    assert read("vanguard").as_of is None
    bases = {n: read(n).base_currency for n in CUSTODIANS if n != "ofx"}
    assert {n for n, base in bases.items() if base == "EUR"} == {"ibkr", "generic"}
    assert set(bases.values()) == {"USD", "EUR"}
    # nothing derived: the statement gives the rate itself
    assert not any("derived" in w for w in read("ibkr").warnings)
