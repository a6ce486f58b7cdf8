"""Large text files through pandas: the rows of the `csv` module, or none at all."""

from __future__ import annotations

import csv
import dataclasses
import io
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.custodians.fuzzing import mutated
from xl_rebal.custodians import plain_csv, read_positions, sheets
from xl_rebal.custodians.grid import Grid
from xl_rebal.errors import RebalError

CELL = st.one_of(
    st.sampled_from(["", "0", "12", "-1.5", "1,5", "VTI", "00123", "nan", " 7", "1_000", "$5", "5.", "é"]),
    st.just('"'),
    st.text(st.characters(codec="utf-8"), max_size=6),
)  # fmt: skip


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(plain_csv, "LARGE", 0)


def by_csv(text, delimiter):
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return None


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(rows=[["a", "b", "c"]] * 2, delimiter=",", end="\n")
def test_rows_are_those_of_the_csv_module(rows, delimiter, end):
    text = end.join(delimiter.join(row) for row in rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plain_csv, "LARGE", 0)
        found = plain_csv.read_columns(text, delimiter, longest=1_000)
    if found is not None:
        assert [list(row) for row in found] == by_csv(text, delimiter)
    plain = all(cell.isalnum() and cell.isascii() for row in rows for cell in row)
    if plain:
        assert found is not None


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1\n", "a,b\n1,2,3\n", "a,b\n1,2,3\n1\n", "a,b\n\n1,2\n", "a,b\n1,2\n\n",
        'a,b\n"1",2\n', "a\n1\n", "a,b\r1,2\n", "\ufeffa,b\n1,2\n", "a,b\n1,\0\n",
        "a,b\n1," + "2" * 100 + "\n",
    ],
)  # fmt: skip
def test_odd_files_are_left_to_the_csv_module(text, always):
    assert plain_csv.read_columns(text, ",", longest=100) is None


def test_a_small_file_is_left_to_the_csv_module():
    assert plain_csv.read_columns("a,b\n1,2\n", ",", longest=100) is None


def outcome(path):
    """What reading gives: every column and warning, or the words of the refusal."""
    try:
        found = read_positions(path)
    except RebalError as error:
        return str(error)
    held = found.holdings
    names = [field.name for field in dataclasses.fields(held)]
    columns = [(name, [str(cell) for cell in getattr(held, name).tolist()]) for name in names]
    return str((columns, found.accounts, found.warnings, found.as_of_text, found.base_currency))


def table(seed):
    """An invented export, plain but for a few cells."""
    generator = random.Random(seed)
    yield "Account,Symbol,Description,Quantity,Price,Value,Asset class,Date"
    odd = generator.random() < 0.7
    for _ in range(generator.randrange(1, 60)):
        quantity, price = generator.randrange(1, 10**6) / 1000, generator.randrange(1, 10**5) / 100
        cells = [f"0{generator.randrange(3)}", f"S{generator.randrange(9)}", "A fund", f"{quantity}",
                 f"{price:.2f}", f"{quantity * price:.2f}", "Bonds", "2026-11-24"]  # fmt: skip
        if odd and generator.random() < 0.2:
            cells[generator.randrange(8)] = generator.choice(
                [
                    "",
                    "N/A",
                    "nan",
                    "x",
                    "1e3",
                    "-5",
                    "CASH",
                    "USD",
                    "total",
                    "5.",
                    "1_0",
                    "0",
                    "12/31/2025",
                ]
            )
        yield ",".join(cells)


@pytest.mark.parametrize("seed", range(60))
def test_a_table_reads_the_same_either_way(tmp_path, monkeypatch, seed):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(table(seed)))
    slow = outcome(path)
    monkeypatch.setattr(plain_csv, "LARGE", 0)
    assert isinstance(sheets.open_document(path).sheets[0].rows, Grid)  # by the other way, indeed
    assert outcome(path) == slow


def test_real_and_damaged_exports_read_the_same_either_way(tmp_path, monkeypatch, shared_data):
    originals = sorted((shared_data / "brokers").rglob("*.csv"))
    assert originals
    for number, original in enumerate(originals * 3):
        data = original.read_bytes()
        if number >= len(originals):
            data, _ = mutated(data, number)
        path = tmp_path / f"{number}.csv"
        path.write_bytes(data)
        slow = outcome(path)
        with monkeypatch.context() as patched:
            patched.setattr(plain_csv, "LARGE", 0)
            assert outcome(path) == slow, original.name
