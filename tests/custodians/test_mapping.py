"""Column mappings: saved, loaded, applied, and refused when they do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians import ColumnMapping, load_mapping, read_positions, save_mapping
from xl_rebal.errors import FileError, ReadError

TEXT = "Bank X\nNr;Papier;Bestand;Letzter;Summe\n1;VTI;1.234;2,50;3.085,00\n"
MAPPING = ColumnMapping(
    name="Bank X",
    columns={"account": "Nr", "symbol": "Papier", "quantity": "Bestand", "price": "Letzter"},
    decimal=",",
    header_row=2,
)


def test_applied(make):
    path = make(TEXT)
    with pytest.raises(ReadError):
        read_positions(path)
    for mapping in (MAPPING, ColumnMapping(columns=MAPPING.columns)):
        held = read_positions(path, mapping=mapping).holdings
        assert (held.quantity[0], held.price[0], held.account[0]) == (
            1234.0,
            2.5,
            "1",
        )


def test_saved_and_loaded(tmp_path):
    path = tmp_path / "bank.toml"
    save_mapping(MAPPING, path)
    assert load_mapping(path) == MAPPING
    with pytest.raises(FileError, match="exists"):
        save_mapping(MAPPING, path)
    save_mapping(MAPPING, path, overwrite=True)


@given(st.text(min_size=1, max_size=20).filter(str.strip), st.floats(1e-6, 1e6))
def test_any_text_survives(tmp_path_factory, header, multiplier):
    mapping = ColumnMapping(name="n", columns={"symbol": header}, multiplier=multiplier)
    path = tmp_path_factory.mktemp("map") / "m.toml"
    try:
        header.encode()
    except UnicodeEncodeError:
        return
    save_mapping(mapping, path)
    assert load_mapping(path) == mapping


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns]\nsymbl = 'x'\n", "did you mean symbol"),
        ("colums = 1\n", "did you mean columns"),
        ("decimal = ';'\n", "decimal"),
        ("header_row = 'two'\n", "write a number"),
        ("header_row = 0\n", "count lines from 1"),
        ("multiplier = -1\n", "above zero"),
        ("multiplier = true\n", "write a number"),
        ("columns = 5\n", "table of texts"),
        ("delimiter = ';;'\n", "single sign"),
        ("currency = 'dollars'\n", "ISO"),
        ("[columns]\nsymbol = 'x'\nprice = 'X'\n", "two of our columns"),
        ("[columns\n", "TOML"),
    ],
)
def test_bad_mappings(make, text, words):
    with pytest.raises(ReadError, match=words):
        load_mapping(make(text, name="m.toml"))


def test_a_column_that_the_file_does_not_have(make):
    mapping = ColumnMapping(
        columns={"symbol": "Papiere", "quantity": "Bestand", "price": "Letzter"}
    )
    with pytest.raises(ReadError, match=r"no column headed 'Papiere'.*did you mean 'Papier'\?"):
        read_positions(make(TEXT), mapping=mapping)


def test_a_row_and_a_sheet_that_are_not_there(make):
    with pytest.raises(ReadError, match="no row 99"):
        read_positions(make(TEXT), mapping=ColumnMapping(header_row=99))
    with pytest.raises(ReadError, match="no sheet 'x'"):
        read_positions(make(TEXT), mapping=ColumnMapping(sheet="x"))


def test_not_together_with_a_custodian(make):
    with pytest.raises(ReadError, match="cannot be combined"):
        read_positions(make(TEXT), mapping=MAPPING, custodian="schwab")


def test_defaults(make):
    mapping = ColumnMapping(account="Mine", currency="CAD", multiplier=10)
    statement = read_positions(make("symbol,quantity,price\nF,1,2\n"), mapping=mapping)
    assert statement.base_currency == "CAD"
    assert statement.holdings.account.tolist() == ["Mine"]
    assert statement.holdings.multiplier.tolist() == [10.0]
