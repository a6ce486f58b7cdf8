"""Damaged exports: read right or refused in words; and each find of longer runs, made small.

`benchmarks/fuzz_readers.py --cases 10000` does the same at length, on real exports too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.custodians import plain
from tests.custodians.fuzzing import as_workbook, judge, mutated
from tests.custodians.workbook_bytes import sheet_xml, write_workbook
from xl_rebal.custodians import read_export
from xl_rebal.errors import FileError, ReadError, RebalError

HERE = Path(__file__).parent
EXPORTS = [
    *sorted((HERE / "golden").rglob("export.*")),
    *sorted((HERE.parents[1] / "xl_rebal" / "samples").glob("*.csv")),
]
GOLDEN = {
    p.parent.name: p.read_bytes().decode("utf-8-sig", "replace")
    for p in EXPORTS
    if p.name.startswith("export")
}
SEEDS = range(15)


@pytest.mark.parametrize("path", EXPORTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_damaged_exports(path, tmp_path):
    """15 damages of each text, and of each workbook made of one."""
    original = path.read_bytes()
    target = tmp_path / "case"
    for seed in SEEDS:
        data, damage = mutated(original, seed)
        if seed % 3 or not as_workbook(data, target):
            target.write_bytes(data)
        verdict = judge(target, data)
        assert verdict.outcome != "wrong", (seed, damage, verdict.why)
    write_workbook(target, sheet_xml([["Symbol", "Quantity", "Price"], ["VTI", 1, 2]]))
    book = target.read_bytes()
    for seed in SEEDS:
        data, _ = mutated(book, seed)
        target.write_bytes(data)
        judge(target, data)


@pytest.mark.parametrize("path", EXPORTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_the_plain_reading_agrees_on_what_is_whole(path):
    """The oracle understands what it is meant for, or the test above would compare nothing."""
    verdict = judge(path, path.read_bytes())
    assert verdict.outcome == "read", verdict.why
    no_positions = {"schwab_lots", "schwab_realised", "schwab_realised_2021", "fidelity_realised",
                    "generic_lots"}  # fmt: skip
    other_layouts = {"generic", "generic_positions.csv"}
    apart = path.parent.name in no_positions or bool({path.parent.name, path.name} & other_layouts)
    assert verdict.compared != apart


def test_damaged_real_exports(shared_data, tmp_path):
    """Two damages of each real export; only a refusal or a right sum may come out."""
    target = tmp_path / "case"
    for path in sorted((shared_data / "brokers").rglob("*")):
        if not path.is_file() or path.suffix == ".md":
            continue
        for seed in (1, 2):
            data, damage = mutated(path.read_bytes(), seed)
            target.write_bytes(data)
            verdict = judge(target, data)
            assert verdict.outcome != "wrong", (path.name, seed, damage, verdict.why)


def test_the_verdict_can_be_wrong(tmp_path):
    """A reading that differs is noticed: the guard of the guard."""
    path = tmp_path / "case"
    path.write_text(GOLDEN["schwab"], "utf-8")
    doubled = GOLDEN["schwab"].replace('"$2,310.00","$1,500.00"', '"$2,311.00","$1,500.00"', 1)
    assert judge(path, doubled.encode()).outcome == "wrong"
    assert judge(path, GOLDEN["schwab"].encode()).outcome == "read"
    assert plain.positions(b"\xff\xfe\x00") is None


# -- finds, made small --------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [1, 7, 20])
def test_a_workbook_that_lost_bytes_is_refused(tmp_path, lost):
    """Its directory then points before the file's beginning (OSError from a seek)."""
    path = tmp_path / "book.xlsx"
    write_workbook(path, sheet_xml([["Symbol", "Quantity", "Price"], ["VTI", 1, 2]]))
    data = path.read_bytes()
    for at in range(0, len(data) - lost, 40):
        path.write_bytes(data[:at] + data[at + lost :])
        with pytest.raises(RebalError):
            read_export(path)


def test_flex_csv_without_a_price_column_still_has_its_positions(read_text):
    held = read_text(GOLDEN["flex_csv"].replace('"MarkPrice"', '"MartPrice"')).holdings
    assert held.symbol.tolist()[:2] == ["VWCE", "SPY"]
    assert held.price.tolist()[:2] == [150.0, 500.0]


def test_flex_csv_rows_of_an_unknown_section_are_named(read_text):
    text = GOLDEN["flex_csv"] + '"ClientAccountID","CurrencyPrimary","Colour"\n"U1","EUR","red"\n'
    assert any("line 10: rows of a section" in w for w in read_text(text).warnings)


def test_a_statement_that_does_not_tell_lots_from_positions_is_refused(read_text):
    with pytest.raises(ReadError, match="column DataDiscriminator: is missing"):
        read_text(GOLDEN["ibkr"].replace("DataDiscriminator", "DataDiscr(12)iminator", 1))


@pytest.mark.parametrize(
    "day", ["     01/07/2#N/A026", "     yesterday", "(01)/07/2026", "11/15/202"]
)
def test_an_etrade_lot_whose_day_is_broken_is_no_position(read_text, day):
    with pytest.raises(ReadError, match="is not a date"):
        read_text(GOLDEN["etrade"].replace("     01/07/2026", day))


def test_an_etrade_row_that_may_be_a_lot_is_refused_where_the_total_says_so(read_text):
    text = GOLDEN["etrade"].replace("     01/07/2026", "b--")
    with pytest.raises(
        ReadError, match="line 17, column Symbol: may be a lot of the position above"
    ):
        read_text(text)
    assert len(read_text(text.replace("10417.83,\n\n", "11920.83,\n\n")).holdings) == 6


def test_pending_activity_with_a_quantity_and_a_price_is_refused(read_text):
    text = GOLDEN["schwab"].replace('"SWVXX"', '"Pending Activity"')
    with pytest.raises(ReadError, match="is pending activity with a quantity and a price"):
        read_text(text)


def test_absurd_numbers_give_no_warning_of_numpys(read_text):
    statement = read_text("symbol,quantity,price,value\nA,1e300,1e300,5\nB,-1e308,1e308,1e308\n")
    assert any("is not quantity x price" in w for w in statement.warnings)


def test_an_ofx_position_outside_of_its_list_is_refused(read_text):
    stray = (
        GOLDEN["ofx"]
        .replace("</INVPOSLIST>", "", 1)
        .replace("<INVBAL>", "</INVPOSLIST>\n<INVBAL>", 1)
    )
    assert len(read_text(stray).holdings) == 9  # the list ends a line later: nothing is lost
    position = next(line for line in GOLDEN["ofx"].splitlines() if line.startswith("<POSOPT>"))
    lost = GOLDEN["ofx"].replace("</INVBAL>", f"{position}</INVBAL>", 1)
    with pytest.raises(ReadError, match="outside of an account's list"):
        read_text(lost)


def test_a_vanguard_holding_named_pending_activity_is_a_holding(read_text):
    text = "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,\n"
    statement = read_text(text + "1,Pending Activity,VTSAX,400.5,150.00,60075.00,\n")
    assert statement.holdings.kind.tolist() == ["position"]


@pytest.fixture
def read_text(tmp_path):
    def run(text):
        path = tmp_path / "file"
        path.write_text(text, "utf-8", newline="")
        return read_export(path)

    return run


def test_what_is_not_even_a_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(FileError):
        read_export(path)
