"""The firm's dashboard: every line, links that lead, totals that add up, however many clients there are."""

from __future__ import annotations

import datetime as dt
import io
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.libreoffice import CalcSession
from tests.workbooks.books import HOSTILE
from tests.workbooks.same_cells import parts
from tests.workbooks.sheets import all_cells, changed, places, saved_rows, write
from xl_rebal.errors import FileError, RebalError
from xl_rebal.workbooks.dashboard import Firm, build_dashboard, write_dashboard
from xl_rebal.workbooks.dashboard_layout import class_headers
from xl_rebal.workbooks.dashboard_lines import BlockLine, ClientLine, FailedLine, UnsendableLine
from xl_rebal.workbooks.lint import findings

CLASSES = ("Stocks/US", "Bonds", "Cash", "cash held", "=1+1 [x]#'@")
LINKS = frozenset({"HYPERLINK"})
FIRM = Firm(name="Invented & Co", as_of=dt.date(2026, 11, 25), settings="5pp", classes=CLASSES)


def clients(count: int, seed: int = 1) -> Iterator[ClientLine]:
    rng = random.Random(seed)
    for n in range(count):
        drifts = {name: rng.gauss(0, 0.03) for name in CLASSES if rng.random() < 0.9}
        worst = max(drifts, key=lambda name: abs(drifts[name]), default="")
        breaches = sum(abs(drift) > 0.05 for drift in drifts.values())
        yield ClientLine(
            household=f"H{n}",
            name=f"{HOSTILE[n % len(HOSTILE)]} {n}",
            file=f"clients/Client-{n}.xlsx" if n % 5 else "",
            model=rng.choice(["30/70", "60/40", "growth", "Growth", ""]),
            mode="pro rata",
            accounts=rng.randint(1, 4),
            value=round(rng.uniform(1e3, 1e7), 2),
            cash=round(rng.uniform(0, 1e3), 2),
            worst_class=worst,
            worst_drift=drifts.get(worst, 0.0),
            breaches=breaches,
            breaches_after=breaches // 2,
            trades=3 * breaches,
            buys=1e4 * breaches,
            sells=9e3 * breaches,
            cost=3.5 * breaches,
            tax=None if n % 3 else 12.5,
            tax_saved=None if n % 4 else 100.25,
            why="outside the band" if breaches else "",
            drifts=drifts,
        )


BLOCKS = (
    BlockLine(custodian="schwab", action="SELL", symbol="VTI", quantity=120, price=300.5,
              value=36_060, accounts=12, order="MARKET", in_force="DAY", file="orders/schwab.csv"),
    BlockLine(custodian="ibkr", action="BUY", symbol="=BND", quantity=10.5, price=75.0,
              value=787.5, accounts=2, order="LIMIT", limit_price=75.2, wave=2),
)  # fmt: skip
UNSENDABLE = (
    UnsendableLine(client="Ann Three", account="+1", custodian="vanguard", action="BUY", symbol="VXUS",
                   quantity=3, value=180, reason="template required", remedy="fill in a mapping"),
)  # fmt: skip
FAILED = (
    FailedLine(household="H9", name="@Nine", where="lots row 3", what="no day", remedy="add"),
)


def built(count: int) -> bytes:
    return build_dashboard(
        FIRM, clients=clients(count), blocks=BLOCKS, unsendable=UNSENDABLE, failed=FAILED
    )


def cards(data: bytes) -> dict[str, object]:
    """The cards of the overview by their labels."""
    sheet = load_workbook(io.BytesIO(data), data_only=True)["Dashboard"]
    return {
        str(sheet.cell(row=row, column=column).value): sheet.cell(row=row + 1, column=column).value
        for row in (5, 8, 11)
        for column in range(1, 7)
    }


def test_every_client_is_listed_and_linked() -> None:
    data, lines = built(120), list(clients(120))
    assert findings(data, functions=LINKS) == []
    rows = saved_rows(data, "tblClients")
    assert [row["Household"] for row in rows] == [line.household for line in lines]
    for row, line in zip(rows, lines, strict=True):
        for header, name in zip(class_headers(CLASSES), CLASSES, strict=True):
            assert (
                row[header] == pytest.approx(line.drifts[name])
                if name in line.drifts
                else (row[header] is None)
            )
        assert (row["Tax added"], row["Breaches"]) == (line.tax, line.breaches)
    place = places(data)["tblClients"]
    sheet: Any = load_workbook(io.BytesIO(data))["Clients"]
    link = sheet[place.cell("Client", 3)]
    assert "HYPERLINK" in str(link.value)
    assert sheet[place.cell("File", 3)].value == "clients/Client-3.xlsx"
    assert not sheet._hyperlinks  # Excel stores no more than 65,530 of the other kind
    assert sheet.freeze_panes == "B5"
    assert sheet.auto_filter.ref is None  # the table has its own
    assert sheet.tables["tblClients"].autoFilter.ref == sheet.tables["tblClients"].ref


def test_the_cards_and_tables_add_up() -> None:
    data, lines = built(200), list(clients(200))
    found = cards(data)
    assert found["Clients with a plan"] == 200
    assert found["Accounts"] == sum(line.accounts for line in lines)
    assert found["Value"] == pytest.approx(sum(line.value for line in lines))
    assert found["Clients outside a band"] == sum(line.breaches > 0 for line in lines)
    assert found["Tax added this year"] == pytest.approx(12.5 * len(range(0, 200, 3)))
    assert found["Less tax than the naive way"] == pytest.approx(100.25 * 50)
    assert (found["Block orders"], found["Value of blocks"]) == (2, 36_847.5)
    assert (found["Orders that cannot be sent"], found["Clients without a plan"]) == (1, 1)
    models = saved_rows(data, "tblModels")
    assert {row["Model"]: row["Clients"] for row in models} == {
        name or "(one model)": sum(line.model == name for line in lines)
        for name in ("30/70", "60/40", "growth", "Growth", "")
    }
    buckets = saved_rows(data, "tblBuckets")
    assert sum(int(float(str(row["Clients"]))) for row in buckets) == 200
    assert buckets[4]["Clients"] == sum(0.05 <= abs(line.worst_drift) < 0.1 for line in lines)


@pytest.mark.parametrize("count", [0, 1, 150])
def test_recalculating_changes_nothing(calc: CalcSession, tmp_path: Path, count: int) -> None:
    data = build_dashboard(FIRM, clients=clients(count)) if count < 2 else built(count)
    assert findings(data, functions=LINKS) == []
    with calc.open(write(tmp_path, data)) as book:
        before = all_cells(book)
        book.recalculate()
        after = all_cells(book)
    assert changed(before, after) == []
    assert sum(cell.kind == "formula" for cell in after.values()) > 25 + 2 * count


def test_a_dashboard_without_anything_counts_nothing() -> None:
    data = build_dashboard(Firm(), clients=())
    assert set(cards(data).values()) == {0}
    assert findings(data, functions=LINKS) == []


def test_it_is_valid(tmp_path: Path, shared: Path) -> None:
    checked = subprocess.run(
        [sys.executable, str(shared / "ooxml" / "validate.py"), str(write(tmp_path, built(30)))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_heat_map_colours_every_class() -> None:
    sheet = load_workbook(io.BytesIO(built(20)))["Clients"]
    scaled = {
        str(each.sqref)
        for each in sheet.conditional_formatting
        for rule in each.rules
        if rule.type == "colorScale"
    }
    place = places(built(20))["tblClients"]
    for header in (*class_headers(CLASSES), "Largest drift"):
        assert f"{place.cell(header)}:{place.cell(header, 19)}" in scaled


def test_headers_of_classes_never_collide() -> None:
    names = ["Cash", "cash held", "Cash held", "Cash held (2)", "a\nb", "x" * 300, "x" * 301, ""]
    headers = class_headers(names)
    assert len({header.casefold() for header in headers}) == len(names)
    assert headers[:3] == ["Cash", "cash held (2)", "Cash held (3)"]
    assert all(header and len(header) < 70 and "\n" not in header for header in headers)


def test_the_same_lines_give_the_same_bytes_in_chunks_of_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = built(130)
    assert built(130) == one
    monkeypatch.setattr("xl_rebal.workbooks.dashboard.CHUNK", 7)
    assert parts(built(130)) == parts(one)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.xlsx"
    write_dashboard(path, FIRM, clients=clients(3))
    with pytest.raises(FileError, match="exists already"):
        write_dashboard(path, FIRM, clients=clients(4))

    def broken() -> Iterator[ClientLine]:
        yield from clients(2)
        raise RebalError.of(where="here", what="went wrong", remedy="none")

    before = path.read_bytes()
    with pytest.raises(RebalError, match="went wrong"):
        write_dashboard(path, FIRM, clients=broken(), overwrite=True)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_memory_does_not_grow_with_the_lines() -> None:
    """20,000 more clients may take their compressed lines, not their XML (about 100 MB)."""
    code = (
        "import resource\nfrom tests.workbooks.test_dashboard import *\n"
        "build_dashboard(FIRM, clients=clients(2000))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = build_dashboard(FIRM, clients=clients(22000))\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print((after - before) / 1024, len(data) / 2**20)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    grown, size = map(float, done.stdout.split())
    assert grown < 3 * size + 25, (grown, size)
