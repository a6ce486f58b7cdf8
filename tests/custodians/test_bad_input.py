"""Bad files: one message with file, line, column and remedy; all bad rows together; no traceback."""

from __future__ import annotations

import gzip

import pytest

from xl_rebal.custodians import read_positions
from xl_rebal.errors import FileError, ReadError, RebalError

HEAD = "account,symbol,quantity,price,value\n"


def refused(read, content, error=ReadError, **options):
    with pytest.raises(error) as caught:
        read(content, **options)
    for fault in caught.value.faults:
        assert fault.where
        assert fault.what
        assert fault.remedy
    return str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_positions(tmp_path / "nothing.csv")
    with pytest.raises(FileError, match="is a folder"):
        read_positions(tmp_path)
    with pytest.raises(RebalError):
        read_positions(tmp_path / "a\0b.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n  \n", "only blanks"),
        (b"%PDF-1.7 xyz", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG"),
        (gzip.compress(b"symbol,quantity,price\nA,1,1\n", mtime=0), "gzip"),
        (bytes(range(256)) * 20, "binary"),
        (b"symbol,quantity\x00\x00\x00\x01\x02price\n" * 30, "binary"),
        (b"<!DOCTYPE html><html><body><table></table></body></html>", "web page"),
        (b"\xef\xbb\xbf  <html>\n<head></head>", "web page"),
        (b"<table><tr><td>Symbol</td></tr></table>", "web page"),
        (b'{"positions": []}', "JSON"),
        (b"PK\x03\x04" + bytes(40), "damaged"),
        (b"MZ\x90\x00" + bytes(60), "program"),
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.xls", "x.xlsx"])
def test_what_is_no_table(make, content, words, name):
    with pytest.raises(FileError, match=words):
        read_positions(make(content, name=name))


def test_only_a_header(read):
    assert "no rows below" in refused(read, HEAD)


def test_no_header_at_all(read):
    assert "no table of positions" in refused(read, "some words\nand more\n")
    assert "no table of positions" in refused(read, "1,2,3\n4,5,6\n")


def test_missing_columns_name_what_was_found_and_near_misses(read):
    text = refused(read, "symbol,quantity,prize\nA,1,2\n")
    assert (
        "line 1: column price is missing; found symbol, quantity, prize; is 'prize' meant?" in text
    )
    text = refused(read, "Ticker,Colour,Size\nA,1,2\n")
    assert "column quantity is missing" in text
    assert "column price is missing" in text


def test_all_bad_cells_at_once(read):
    text = refused(
        read, HEAD + "A,VTI,ten,5,\nA,BND,3,nan,\nA,VNQ,1,inf,\nA,TLT,1,2,\nA,,1,2,\nA,X,,2,\n"
    )
    assert "file.csv line 2, column quantity: 'ten' is not a number" in text
    assert "line 3, column price: 'nan' is not a finite number" in text
    assert "line 4, column price: 'inf' is not a finite number" in text
    assert "line 6, column symbol: is blank" in text
    assert "line 7, column quantity: is blank" in text
    assert "line 5" not in text


def test_fifty_and_the_count_of_the_others(read):
    text = refused(read, HEAD + "A,VTI,ten,5,\n" * 1000)
    assert len(text.splitlines()) == 51
    assert "and 950 more" in text


def test_negative_and_missing_prices(read):
    text = refused(read, HEAD + "A,VTI,10,-5,\nA,BND,3,,\nA,VNQ,3,--,\nA,TLT,3,#N/A,\n")
    assert "line 2, column price: -5 is a negative price" in text
    for line in (3, 4, 5):
        assert f"line {line}, column price: is blank" in text


def test_a_value_alone_is_no_holding(read):
    text = refused(read, HEAD + "A,VTI,,,500\n")
    assert "column quantity: is blank" in text
    assert "column price: is blank" in text


def test_zero_quantity_and_zero_price_are_numbers(read):
    statement = read(HEAD + "A,VTI,0,5,0\nA,DEAD,10,0,0\nA,GONE,0,,0\n")
    assert statement.holdings.value.tolist() == [0.0, 0.0, 0.0]


def test_duplicated_headers(read):
    assert "two columns are headed 'Price'" in refused(
        read, "symbol,quantity,Price,price\nA,1,2,3\n"
    )


def test_ragged_rows(read):
    text = refused(read, "symbol,quantity,price\nA,1,000,5\nB,1\nC,1,2,,,\n")
    assert "line 2: has 4 cells under 3 headers" in text
    assert "line 3, column price: is blank" in text
    assert "line 4" not in text


def test_spreadsheet_errors(read):
    assert "'#REF!' is a spreadsheet error" in refused(read, "symbol,quantity,price\nA,1,#REF!\n")


def test_an_open_quotation_mark(read):
    text = 'symbol,quantity,price\n"A,1,2\n' + "B,1,2\n" * 200
    assert "line 2" in refused(read, text)
    assert "quotation mark" in refused(read, text)


def test_cells_over_several_lines_keep_line_numbers(read):
    text = 'symbol,description,quantity,price\nA,"two\nlines",1,2\nB,x,bad,2\n'
    assert "line 4, column quantity" in refused(read, text)


def test_blank_account_among_several(read):
    text = refused(read, HEAD + "A,VTI,1,1,\nB,VTI,1,1,\n,VTI,1,1,\n")
    assert "line 4, column account: is blank" in text
    assert read(HEAD + "A,VTI,1,1,\n,BND,1,1,\n").holdings.account.tolist() == ["A", "A"]


def test_bad_rates_and_multipliers_and_currencies(read):
    text = refused(read, "symbol,quantity,price,fx,multiplier,currency\nA,1,1,0,-1,USDX\n")
    assert "column fx: 0 is not above zero" in text
    assert "column multiplier: -1 is not above zero" in text
    assert "'USDX' is no currency" in text


def test_unknown_custodian(read):
    text = refused(read, HEAD, custodian="shwab")
    assert "etrade, fidelity, ibkr, ofx, schwab, vanguard, generic" in text


@pytest.mark.parametrize("name", ["schwab", "fidelity", "vanguard", "ibkr", "etrade", "ofx"])
def test_a_forced_custodian_that_it_is_not(read, name):
    assert "leave the custodian out" in refused(read, HEAD + "A,VTI,1,1,1\n", custodian=name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("account,symbol,acquired,quantity,unit_cost\nA,VTI,2020-01-01,1,2\n", "lots"),
        ("account,symbol,date,action,quantity,price\nA,VTI,2020-01-01,BUY,1,2\n", "transactions"),
        ("Run Date,Account,Action,Symbol,Quantity,Price ($),Amount ($)\n1,2,3,4,5,6,7\n", "transactions"),
        ("Action,Quantity,Symbol,SecType,OrderType,LmtPrice\nBUY,1,VTI,STK,LMT,2\n", "order file"),
        ("Symbol,Quantity,Date Acquired,Date Sold,Proceeds,Cost Basis\nVTI,1,a,b,2,1\n", "realised"),
        ("OFXHEADER:100\nDATA:OFXSGML\n\n<OFX>\n", "OFX"),
        ('<?xml version="1.0"?>\n<a/>', "XML"),
        (
            "notes\n    View Summary - All Positions\n"
            "    Symbol,Last Price $,Change $,Change %,Quantity,Price Paid $,Value $\n    ABC,1,1,1,1,1,1\n",
            "E\\*TRADE",
        ),
        ('<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n<FlexQueryResponse a="&b;"/>', "entity"),
        ("OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTRS><CURDEF>USD</STMTRS></BANKMSGSRSV1></OFX>", "bank"),
        ("OFXHEADER:100\n\n<OFX><INVSTMTRS><INVPOSLIST></INVSTMTRS></OFX>", "INVPOSLIST"),
        ("OFXHEADER:100\n\n<OFX><INVSTMTRS><CURDEF>USD", "ends before"),
        (
            "Buy/Sell,TradeDate,Quantity,TradePrice,CurrencyPrimary,IBCommission\n"
            "BUY,20230522,7,1,CHF,-5\n",
            "trades",
        ),
        (
            "FNDA Lot Details as of 1/1/2026\nOpen Date,Quantity,Cost/Share,Cost Basis\n"
            "01/02/2026,1,2,2\n",
            "lots",
        ),
    ],
)  # fmt: skip
def test_other_files_say_what_they_are(make, content, words):
    with pytest.raises(ReadError, match=words):
        read_positions(make(content))


def test_no_third_party_exception_leaks(make):
    """Cut a good file anywhere, or flip bytes in it: it is read or refused, nothing else."""
    import random

    good = (HEAD + 'A,"VTI, x",10,"1,000.5",10005\nA,BND,5,80,400\n').encode("utf-16")
    generator = random.Random(7)
    for _ in range(150):
        data = bytearray(good[: generator.randrange(1, len(good))])
        for _ in range(generator.randrange(4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            read_positions(make(bytes(data)))
        except RebalError:
            continue


def test_cash_without_an_amount(read):
    assert "line 2, column value: is blank" in refused(read, HEAD + "A,CASH,,,\n")
