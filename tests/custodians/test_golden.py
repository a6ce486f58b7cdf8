"""Golden pairs: an export that we invented, and the holdings that it must give, worked out by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from xl_rebal.custodians import CUSTODIANS, read_positions

GOLDEN = Path(__file__).parent / "golden"
TOTALS = {
    "schwab": {
        "XXXX-1111 (Individual)": 277_000.25,
        "XXXX-1111 (Roth IRA)": 2_310.0,
        "...222": 0.0,
    },
    "fidelity": {"X00000001": 25_390.35, "012345678": 35_103.09},
    "vanguard": {"00012345": 18_060.0, "00067890": 100_006.25},
    "ibkr": {"U7654321": 33_310.0},
    "generic": {"00-17": 14_184.56},
}


def rows(statement):
    held = statement.holdings
    names = (
        "account", "symbol", "kind", "quantity", "price", "stated_value", "multiplier", "currency",
        "fx", "asset_class", "line",
    )  # fmt: skip
    for row in zip(*(getattr(held, n).tolist() for n in names), strict=True):
        yield {n: v if isinstance(v, str) else f"{v:.10g}" for n, v in zip(names, row, strict=True)}


@pytest.mark.parametrize("name", CUSTODIANS)
def test_golden(name):
    statement = read_positions(GOLDEN / name / "export.csv")
    assert statement.custodian == name
    with (GOLDEN / name / "expected.csv").open(newline="", encoding="utf-8") as stream:
        expected = list(csv.DictReader(stream))
    assert list(rows(statement)) == expected
    assert {a.account: a.total for a in statement.accounts} == pytest.approx(TOTALS[name])
    assert not [w for w in statement.warnings if "add up" in w or "is not quantity" in w]


def test_every_custodian_has_its_pair():
    assert sorted(p.name for p in GOLDEN.iterdir()) == sorted(CUSTODIANS)


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
    assert [read(n).base_currency for n in CUSTODIANS] == ["USD", "EUR", "USD", "USD", "EUR"]
    # nothing derived: the statement gives the rate itself
    assert not any("derived" in w for w in read("ibkr").warnings)
