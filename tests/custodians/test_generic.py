"""The generic reader: header search, synonyms, number styles, cash, totals, notes."""

from __future__ import annotations

import itertools
import zipfile

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from xl_rebal.custodians import read_positions
from xl_rebal.errors import CurrencyError, ReadError

PLAIN = "account,symbol,quantity,price\nA1,VTI,10,200\nA1,BND,5,80\n"


def rows(statement, *columns):
    held = statement.holdings
    return list(zip(*(getattr(held, c).tolist() for c in columns), strict=True))


def test_plain(read):
    statement = read(PLAIN)
    assert statement.custodian == "generic"
    assert rows(statement, "account", "symbol", "quantity", "price", "line") == [
        ("A1", "VTI", 10.0, 200.0, 2),
        ("A1", "BND", 5.0, 80.0, 3),
    ]
    assert statement.accounts[0].total == 2400.0
    assert np.isnan(statement.holdings.stated_value).all()
    assert statement.warnings == ()
    assert statement.base_currency == ""


def test_no_account_column(read):
    assert read("Ticker,Shares,Last\nVTI,10,200\n").holdings.account.tolist() == ["Portfolio"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_order_any_delimiter(read, order, delimiter):
    table = [
        ["Acct #", "Security", "Units", "Market Price ($)"],
        ["007", "VTI", "1,000", "$220.50"],
    ]
    text = "\n".join(delimiter.join(f'"{row[i]}"' for i in order) for row in table)
    assert rows(read(text), "account", "symbol", "quantity", "price") == [
        ("007", "VTI", 1000.0, 220.5)
    ]


def test_titles_notes_and_total_around_the_table(read):
    text = (
        "My portfolio,,,\nAs of 07/20/2026,,,\n,,,\n"
        "Ticker,Qty,Close,Market Value\nVTI,10,200,2000\nBND,5,80,400\nTotal,,,2400\n"
        ",,,\nPrices are delayed by 20 minutes.\n"
    )
    statement = read(text)
    assert len(statement.holdings) == 2
    assert str(statement.as_of) == "2026-07-20"
    assert statement.accounts[0].stated_total == 2400.0
    assert list(statement.warnings) == [
        "line 9: text that is no holding was not read ('Prices are delayed by 20 minutes.')"
    ]


def test_a_total_that_is_not_the_sum(read):
    statement = read("symbol,quantity,price,value\nVTI,10,200,2000\nGrand Total,,,2500\n")
    assert any("2,500.00" in w and "2,000.00" in w for w in statement.warnings)


def test_totals_per_account(read):
    text = (
        "account,symbol,quantity,price,value\nA,VTI,10,200,2000\nA,Account Total,,,2000\n"
        "B,BND,5,80,400\nB,Account Total,,,999\nTotal,,,,2400\n"
    )
    statement = read(text)
    assert len(statement.holdings) == 2
    (warning,) = [w for w in statement.warnings if "999" in w]
    assert "400.00" in warning


def test_a_fund_named_total_is_no_total_row(read):
    text = "symbol,name,quantity,price\nTTE,TotalEnergies,5,60\nPTTRX,PIMCO Total Return,10,9\n"
    assert read(text).holdings.symbol.tolist() == ["TTE", "PTTRX"]
    text = "name,quantity,price\nTotal Return Fund,10,9\nTotal Stock Market,1,2\n"
    assert len(read(text).holdings) == 2


def test_european_semicolon_file(read):
    text = "Depot;Ticker;Anzahl;Kurs;Marktwert\n1;VT;1.234;98,40;121.425,60\n1;BND;5;75,00;375,00\n"
    statement = read(text)
    assert statement.holdings.quantity.tolist() == [1234.0, 5.0]
    assert statement.holdings.price.tolist() == [98.4, 75.0]


def test_undecided_numbers_follow_the_product(read):
    # 2 x 1.234 = 2.468 fits both readings; 1.500 x 2 = 3000 only the European one.
    text = "symbol;quantity;price;value\nA;1.500;2;3000\nB;1.234;2;2468\n"
    assert read(text).holdings.quantity.tolist() == [1500.0, 1234.0]
    text = "symbol;quantity;price;value\nA;1.500;2;3\nB;1.250;4;5\n"
    statement = read(text)
    assert statement.holdings.quantity.tolist() == [1.5, 1.25]
    assert statement.warnings == ()


def test_undecided_numbers_without_evidence_are_english_with_a_warning(read):
    statement = read("symbol;quantity;price\nA;1.234;2\n")
    assert statement.holdings.quantity.tolist() == [1.234]
    assert any("two ways" in w for w in statement.warnings)


def test_columns_of_different_decimal_styles(read):
    statement = read('symbol;quantity;price\nA;"1.234,5";"2.50"\nB;"7,25";"1,234.50"\n')
    assert statement.holdings.quantity.tolist() == [1234.5, 7.25]
    assert statement.holdings.price.tolist() == [2.5, 1234.5]


def test_one_column_in_two_styles_is_refused(read):
    with pytest.raises(ReadError, match="decimal comma"):
        read('symbol;quantity;price\nA;"1.234,5";1\nB;"1,234.5";1\n')


def test_cash_by_its_names(read):
    names = [
        "CASH",
        "Cash",
        "Cash & Cash Investments",
        "SPAXX",
        "FDRXX",
        "VMFXX",
        "Cash & equivalents",
    ]
    text = "symbol,quantity,price,value\n" + "".join(f"{n},,,100\n" for n in names)
    statement = read(text + "VTI,1,1,1\nSWVXX,5,1,5\nCASHX,2,1,2\nUSD,50,1,50\n")
    assert statement.holdings.kind.tolist() == ["cash"] * 7 + ["position"] * 3 + ["cash"]
    assert statement.holdings.quantity[:7].tolist() == [100.0] * 7
    assert statement.holdings.price[:7].tolist() == [1.0] * 7


def test_a_fund_with_the_ticker_of_a_currency(read):
    statement = read("symbol,quantity,price\nUSD,50,65.20\nUSD,50,\n")
    assert statement.holdings.kind.tolist() == ["position", "cash"]


def test_kind_column_decides(read):
    text = "account,symbol,quantity,price,kind\nA,X,5,1,cash\nA,CASH,5,2,position\nA,,7,,pending\n"
    assert rows(read(text), "symbol", "kind", "quantity") == [
        ("X", "cash", 5.0), ("CASH", "position", 5.0), ("", "pending", 7.0),
    ]  # fmt: skip
    with pytest.raises(ReadError, match=r"line 2, column kind: 'stuff'"):
        read("symbol,quantity,price,kind\nX,5,1,stuff\n")


def test_derived_numbers_say_so(read):
    statement = read("symbol,quantity,price,value\nA,10,,2000\nB,,50,100\nC,1,2,2\n")
    assert statement.holdings.price.tolist() == [200.0, 50.0, 2.0]
    assert statement.holdings.quantity.tolist() == [10.0, 2.0, 1.0]
    assert statement.warnings == (
        "line 2: price derived as value / quantity",
        "line 3: quantity derived as value / price",
    )


def test_options_and_bonds(read):
    text = (
        "symbol,description,quantity,price,value\n"
        "SPY 18DEC26 450 P,put,-2,1.5,-300\n"
        "TEST  260620P00010000,put,1,0.5,\n"
        ",US TREASURY NOTE 4% 2030,10000,98.50,9850\n"
        "ABC,adjusted option,1,2.00,2.00\n"
    )
    statement = read(text)
    assert statement.holdings.multiplier.tolist() == [100.0, 100.0, 0.01, 1.0]
    assert statement.holdings.symbol.tolist()[2] == "US TREASURY NOTE 4% 2030"
    assert any("percent of par" in w for w in statement.warnings)
    assert any("without a stated value" in w for w in statement.warnings)


def test_repeated_symbols_are_kept(read):
    statement = read(PLAIN + "A1,VTI,1,200\n")
    assert len(statement.holdings) == 3
    assert any("VTI in A1" in w for w in statement.warnings)


def test_currencies_without_rates(read):
    statement = read("symbol,quantity,price,currency\nVTI,1,2,USD\nVWCE,1,2,EUR\n")
    assert statement.base_currency == "USD"
    assert np.isnan(statement.holdings.fx).tolist() == [False, True]
    assert any("EUR" in w and "USD" in w for w in statement.warnings)
    with pytest.raises(CurrencyError, match="EUR, USD"):
        statement.holdings.require_rates()


def test_currencies_with_rates(read):
    text = "symbol,quantity,price,value,ccy,fx rate\nVTI,1,2,2,USD,1\nVWCE,10,2,22,EUR,1.1\n"
    statement = read(text)
    assert statement.base_currency == "USD"
    # the file states values in its base currency: 22 USD are 20 EUR
    assert statement.holdings.stated_value.tolist() == pytest.approx([2.0, 20.0])
    assert statement.accounts[0].total == pytest.approx(24.0)


def test_currency_from_signs_and_headers(read):
    assert read("symbol,quantity,price\nA,1,€5\n").base_currency == "EUR"
    assert read("symbol,quantity,Price (CHF)\nA,1,5\n").base_currency == "CHF"
    statement = read("symbol,quantity,price\nA,1,€5\nB,1,$5\n")
    assert statement.holdings.currency.tolist() == ["EUR", "USD"]


def test_two_kinds_of_foreign_cash_are_not_added_up(read):
    statement = read("symbol,quantity,price\nVTI,1,5\nUSD,100,\nEUR,100,\n")
    assert statement.holdings.currency.tolist() == ["USD", "USD", "EUR"]
    assert np.isnan(statement.holdings.fx[2])


def test_percent_and_dates_of_columns(read):
    statement = read("symbol,quantity,price,as of\nA,100,98.5%,2026-07-20\n")
    assert statement.holdings.price.tolist() == [0.985]
    assert str(statement.as_of) == "2026-07-20"


def test_leading_apostrophe_and_formula_like_text(read):
    statement = read("account,symbol,quantity,price\n'=1+1,'-AMAT260424C400,-1,2\n@x,+A,1,2\n")
    assert statement.holdings.account.tolist() == ["=1+1", "@x"]
    assert statement.holdings.symbol.tolist() == ["-AMAT260424C400", "+A"]


def test_repeated_header_and_second_table(read):
    text = (
        PLAIN
        + "account,symbol,quantity,price\nA1,TLT,1,90\n\ndate,account,symbol,shares\nx,x,x,x\n"
    )
    statement = read(text)
    assert statement.holdings.symbol.tolist() == ["VTI", "BND", "TLT"]
    assert any("second table from line 7" in w for w in statement.warnings)


def test_two_columns_for_one_thing(read):
    statement = read("symbol,quantity,last price,price,nav\nA,1,2,3,4\n")
    assert statement.holdings.price.tolist() == [3.0]
    assert any("last price" in w for w in statement.warnings)


def test_merrill_headers(read):
    text = (
        "COB Date,Security #,Symbol,CUSIP #,Security Description,Account Nickname,Account Registration,"
        "Account #,Quantity,Price ($),Value ($),Unrealized Gain/Loss ($)\n"
        '11/20/2026,X1,VTI,922908769,VANGUARD,Mine,IRA,1AB-23C45,10,"220.00","2,200.00",5\n'
    )
    statement = read(text)
    assert rows(statement, "account", "symbol", "stated_value") == [("1AB-23C45", "VTI", 2200.0)]
    assert str(statement.as_of) == "2026-11-20"


def test_masked_accounts_of_different_names(read):
    text = "account,account name,symbol,quantity,price\nXX12,Roth,A,1,1\nXX12,Joint,A,1,1\n"
    statement = read(text)
    assert statement.holdings.account.tolist() == ["XX12 (Roth)", "XX12 (Joint)"]
    assert any("XX12" in w for w in statement.warnings)


# -- workbooks ------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path):
    """A workbook of sheets {name: rows}; `table` puts a defined table on the first sheet."""

    def build(sheets, table="", name="book.xlsx"):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.worksheets[0])
        for title, cells in sheets.items():
            sheet = workbook.create_sheet(title)
            for row in cells:
                sheet.append(row)
        if table:
            first = workbook.worksheets[0]
            first.add_table(Table(displayName=table[0], ref=table[1]))
        path = tmp_path / name
        workbook.save(path)
        return path

    return build


HEAD = ["Account", "Symbol", "Quantity", "Price"]


def test_workbook_accounts_keep_their_zeros(book):
    path = book({"S": [["A title"], [], HEAD, ["00123", "VTI", 10, 200.5], [123.0, "0700", 5, 80]]})
    statement = read_positions(path)
    assert rows(statement, "account", "symbol", "quantity", "line") == [
        ("00123", "VTI", 10.0, 4), ("123", "0700", 5.0, 5),
    ]  # fmt: skip


def test_workbook_prefers_the_sheet_named_holdings(book):
    data = [HEAD, ["A", "VTI", 1, 1]]
    other = [HEAD, ["B", "BND", 1, 1]]
    assert read_positions(book({"Old": other, "Holdings": data})).holdings.account.tolist() == ["A"]
    with pytest.raises(ReadError, match=r"'One', 'Two'"):
        read_positions(book({"One": data, "Two": other}))


def test_workbook_table_named_holdings(book):
    cells = [[None], [None, *HEAD], [None, "A", "VTI", 1, 2], [None, "x", "y", 3, 4]]
    path = book({"S": cells, "T": [HEAD, ["B", "C", 1, 1]]}, table=("tblHoldings", "B2:E3"))
    assert read_positions(path).holdings.symbol.tolist() == ["VTI"]


def test_workbook_row_numbers_in_errors(book):
    path = book({"S": [["title"], HEAD, ["A", "VTI", "ten", 5]]})
    with pytest.raises(ReadError, match=r"book.xlsx sheet 'S' row 3, column Quantity: 'ten'"):
        read_positions(path)


def test_a_symbol_that_became_a_date(book):
    import datetime as dt

    path = book({"S": [HEAD, ["A", dt.date(2026, 3, 1), 1, 5]]})
    with pytest.raises(ReadError, match="turned a symbol into a date"):
        read_positions(path)


def test_a_custodians_export_saved_as_a_workbook(book):
    cells = [
        ["Positions for account Individual ...178 as of 12:33 PM ET, 2025/05/04"],
        [],
        [
            "Symbol",
            "Description",
            "Qty (Quantity)",
            "Price",
            "Mkt Val (Market Value)",
            "Cost Basis",
        ],
        ["VTI", "VANGUARD", 10, 200.0, 2000.0, 5],
        ["Cash & Cash Investments", "--", "--", "--", 12.5, "--"],
    ]
    statement = read_positions(book({"Sheet1": cells}))
    assert statement.custodian == "schwab"
    assert statement.accounts[0].total == 2012.5


def test_ods(tmp_path):
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    table = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"

    def cell(value):
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    cells: list[list[object]] = [[*HEAD], ["00123", "VTI", 10, 200.5]]
    body = "".join(f"<table:table-row>{''.join(map(cell, r))}</table:table-row>" for r in cells)
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}" '
        f'xmlns:text="{text}"><office:body><office:spreadsheet><table:table table:name="Sheet1">'
        f"{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    path = tmp_path / "positions.csv"  # the name does not matter
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    assert rows(read_positions(path), "account", "symbol", "price") == [("00123", "VTI", 200.5)]


def test_headings_and_totals_of_groups(read):
    text = (
        "Symbol,Qty,Price,Value\nStocks,,,\nVTI,1,2,2\nStocks total,,,2\nFIXED INCOME,,,\nBND,1,3,3\n"
        "Total fixed income,,,4\nTotal,7,9,5\n"
    )
    statement = read(text)
    assert statement.holdings.symbol.tolist() == ["VTI", "BND"]
    assert [w for w in statement.warnings if "add up" in w] == [
        "line 7: 'Total fixed income' states 4.00, the rows above add up to 3.00"
    ]


def test_prose_that_commas_cut_into_cells(read):
    note = "Prices, quantities and values, are delayed, by at least, 15 minutes\n"
    for text in (PLAIN + "\n" + note, PLAIN + note):
        statement = read(text)
        assert len(statement.holdings) == 2
        assert any("no holding" in w for w in statement.warnings)


def test_an_isin_beside_a_ticker_is_no_rival(read):
    statement = read("ISIN,Ticker,Shares,Price\nUS9229087690,VTI,1,2\n")
    assert statement.holdings.symbol.tolist() == ["VTI"]
    assert statement.warnings == ()
