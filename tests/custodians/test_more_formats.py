"""Peculiarities of Flex queries, OFX, E*TRADE and lists of lots that the golden pairs do not show."""

from __future__ import annotations

import datetime as dt

import numpy as np
import openpyxl
import pytest

from xl_rebal.custodians import Told, read_export, read_positions
from xl_rebal.errors import ReadError, TableError

# -- Flex -----------------------------------------------------------------------------------------

POSITION = (
    '<OpenPosition accountId="U1" currency="{currency}" {rate} symbol="{symbol}" position="{quantity}" '
    'markPrice="10" positionValue="{value}" levelOfDetail="{level}" {more}/>'
)


def flex(*positions, more="", account='<AccountInformation accountId="U1" currency="EUR"/>'):
    rows = "".join(
        POSITION.format(**{"rate": "", "more": "", "level": "SUMMARY", "value": "", **p})
        for p in positions
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<FlexQueryResponse>\n<FlexStatement accountId="U1" '
        f'toDate="20261120">\n{account}\n{rows}\n{more}\n</FlexStatement>\n</FlexQueryResponse>\n'
    )


def held(symbol, quantity="1", currency="EUR", **more):
    return {"symbol": symbol, "quantity": quantity, "currency": currency, **more}


def test_flex_rates_come_from_the_row_then_the_last_days_table_then_another_row(read):
    rates = (
        '<ConversionRate reportDate="20261118" fromCurrency="GBP" toCurrency="EUR" rate="1.9"/>'
        '<ConversionRate reportDate="20261120" fromCurrency="GBP" toCurrency="EUR" rate="1.2"/>'
        '<CashReportCurrency accountId="U1" currency="USD" endingCash="100"/>'
    )
    statement = read(
        flex(
            held("A", currency="USD", rate='fxRateToBase="0.9"'),
            held("B", currency="GBP"),
            more=rates,
        )
    )
    assert statement.holdings.fx.tolist() == [0.9, 1.2, 0.9]
    assert statement.accounts[0].total == pytest.approx(9 + 12 + 90)
    assert statement.base_currency == "EUR"


def test_ibkr_bonds_are_priced_in_percent_of_par_whatever_their_multiplier(read):
    bond = held("T 4 11/15/34", "10000", value="985", more='multiplier="1" assetCategory="BOND"')
    statement = read(flex(bond | {"value": "985"}).replace('markPrice="10"', 'markPrice="9.85"'))
    assert statement.holdings.value.tolist() == pytest.approx([985.0])
    assert statement.holdings.multiplier.tolist() == [0.01]
    activity = (
        "Statement,Header,Field Name,Field Value\nAccount Information,Header,Field Name,Field Value\n"
        "Account Information,Data,Account,U1\nAccount Information,Data,Base Currency,USD\n"
        "Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,"
        "Cost Basis,Close Price,Value,Unrealized P/L,Code\n"
        "Open Positions,Data,Summary,Bonds,USD,T 4 11/15/34,10000,1,98,9800,98.5,9850,50,\n"
    )
    assert read(activity).holdings.value.tolist() == pytest.approx([9850.0])


def test_flex_without_a_rate_says_so(read):
    statement = read(flex(held("A"), held("B", currency="USD")))
    assert any("no exchange rate for USD" in w for w in statement.warnings)
    assert np.isnan(statement.accounts[0].total)


def test_flex_totals_that_do_not_tie_name_both_figures(read):
    nav = '<EquitySummaryByReportDateInBase accountId="U1" reportDate="20261120" cash="0" total="12"/>'
    statement = read(flex(held("A"), more=nav))
    assert any(
        "states a total of 12.00" in w and "add up to 10.00" in w for w in statement.warnings
    )
    cash = (
        '<CashReportCurrency accountId="U1" currency="BASE_SUMMARY" endingCash="150"/>'
        '<CashReportCurrency accountId="U1" currency="EUR" endingCash="100"/>'
    )
    assert any(
        "cash of 150.00 EUR in all" in w and "100.00" in w for w in read(flex(more=cash)).warnings
    )


def test_flex_with_a_base_summary_only(read):
    cash = '<CashReportCurrency accountId="U1" currency="BASE_SUMMARY" endingCash="150"/>'
    statement = read(flex(held("A"), more=cash))
    assert statement.holdings.symbol.tolist() == ["A", "EUR"]
    assert statement.accounts[0].total == 160.0


def test_flex_lots_that_are_not_the_position_are_named(read):
    day = 'costBasisMoney="30" openDateTime="20260102;093000"'
    statement = read(
        flex(
            held("A", "10"),
            held("A", "4", level="LOT", more=day),
            held("A", "5", level="LOT", more=day.replace("20260102", "2026-01-03")),
        )
    )
    assert statement.lots.quantity.tolist() == [4.0, 5.0]
    assert [str(d) for d in statement.lots.acquired] == ["2026-01-02", "2026-01-03"]
    assert statement.holdings.quantity.tolist() == [10.0]
    assert any("A in U1: its lots add up to 9 units, 10 are held" in w for w in statement.warnings)


def test_flex_bad_numbers_name_their_lines(read):
    with pytest.raises(ReadError) as caught:
        read(flex(held("A", "ten"), held("B", level="LOT", more='openDateTime="soon"')))
    assert "file.csv line 5, column Quantity: 'ten' is not a number" in str(caught.value)
    assert "column OpenDateTime: 'soon' is not a date" in str(caught.value)


@pytest.mark.parametrize("cut", [75, 120, 200])
def test_flex_that_was_cut_off(read, cut):
    with pytest.raises(ReadError, match="the XML cannot be used"):
        read(flex(held("A"))[:cut])


def test_an_empty_flex_query_is_read_with_a_warning(read):
    statement = read('<?xml version="1.0"?>\n<FlexQueryResponse></FlexQueryResponse>')
    assert (statement.custodian, len(statement.holdings)) == ("ibkr", 0)
    assert any("no open positions" in w for w in statement.warnings)


def test_flex_csv_with_header_and_trailer_records(read):
    text = (
        '"BOF","U9","query","1"\n"BOA","U9"\n"BOS","POST","Open Positions"\n'
        '"HEADER","POST","ClientAccountID","CurrencyPrimary","FXRateToBase","Symbol","Quantity",'
        '"MarkPrice","PositionValue","LevelOfDetail"\n'
        '"DATA","POST","U9","USD","1","VTI","3","10","30","SUMMARY"\n'
        '"EOS","POST","1"\n"HEADER","CRTT","ClientAccountID","CurrencyPrimary","EndingCash"\n'
        '"DATA","CRTT","U9","USD","7.5"\n"EOA","U9"\n"EOF","U9","1"\n'
    )
    statement = read(text)
    assert {a.account: a.total for a in statement.accounts} == {"U9": 37.5}
    assert statement.base_currency == "USD"


# -- OFX ------------------------------------------------------------------------------------------


def ofx(positions="", balance="<INVBAL><AVAILCASH>5</INVBAL>", before="", securities=""):
    return (
        "OFXHEADER:100\n\n<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20261120<CURDEF>USD"
        f"<INVACCTFROM><BROKERID>x<ACCTID>0077</INVACCTFROM>{before}<INVPOSLIST>{positions}</INVPOSLIST>"
        f"{balance}</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>{securities}</OFX>\n"
    )


def position(units="2", price="3", value="6", kind="POSSTOCK", unique="X", more=""):
    return (
        f"<{kind}><INVPOS><SECID><UNIQUEID>{unique}<UNIQUEIDTYPE>CUSIP</SECID><POSTYPE>LONG"
        f"<UNITS>{units}<UNITPRICE>{price}<MKTVAL>{value}{more}</INVPOS></{kind}>"
    )


def test_ofx_two_with_end_tags_and_entities(read):
    security = (
        "<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>X</UNIQUEID></SECID>"
        "<SECNAME>A &amp; B<![CDATA[ <C>]]></SECNAME><TICKER>AB</TICKER></SECINFO></STOCKINFO>"
        "</SECLIST></SECLISTMSGSRSV1>"
    )
    text = ofx(position(), securities=security).replace(
        "OFXHEADER:100\n\n",
        '<?xml version="1.0"?>\n<?OFX OFXHEADER="200" VERSION="220"?>\n',
    )
    statement = read(text)
    assert (statement.custodian, str(statement.as_of)) == ("ofx", "2026-11-20")
    assert statement.holdings.symbol.tolist() == ["AB", "USD"]
    assert statement.holdings.description[0] == "A & B <C>"
    assert statement.accounts[0].total == 11.0
    assert statement.holdings.account.tolist() == ["0077", "0077"]


def test_ofx_bond_without_a_value_is_percent_of_par(read):
    statement = read(ofx(position("1000", "98.5", "", kind="POSDEBT")))
    assert statement.holdings.value[0] == pytest.approx(985.0)
    assert any("percent of par" in w for w in statement.warnings)


def test_ofx_sweep_fund_beside_other_cash_is_counted_and_doubted(read):
    security = (
        "<SECLISTMSGSRSV1><SECLIST><MFINFO><SECINFO><SECID><UNIQUEID>X</SECID><SECNAME>Core"
        "<TICKER>SPAXX</SECINFO></MFINFO></SECLIST></SECLISTMSGSRSV1>"
    )
    statement = read(ofx(position("6", "1", "6"), securities=security))
    assert statement.accounts[0].total == 11.0
    assert any("check that the money is not there twice" in w for w in statement.warnings)


def test_ofx_bad_numbers_and_missing_ends(read):
    with pytest.raises(ReadError, match="column UNITS: 'two' is not a number"):
        read(ofx(position("two")))
    with pytest.raises(ReadError, match="INVPOSLIST"):
        read(ofx(position()).replace("</INVPOSLIST>", ""))
    with pytest.raises(ReadError, match="is no tag"):
        read(ofx(position()).replace("<UNITS>", "<UNITS <"))


def test_ofx_without_positions_is_read_with_a_warning(read):
    statement = read(ofx(balance=""))
    assert len(statement.holdings) == 0
    assert any("no positions" in w for w in statement.warnings)


# -- E*TRADE --------------------------------------------------------------------------------------

ETRADE = "View Summary - All Positions\n\nSymbol,Last Price $,Quantity,Price Paid $,Value $\n"


def test_etrade_without_a_summary_takes_the_account_that_is_told(make):
    path = make(ETRADE + "VTI,220,10,200,2200\n     01/02/2024,220,10,200,2200\nTOTAL,,,,2200,\n")
    assert read_positions(path).holdings.account.tolist() == ["Portfolio"]
    told = read_positions(path, told=Told(account="1234-5678"))
    assert told.holdings.account.tolist() == ["1234-5678"]
    assert told.lots.account.tolist() == ["1234-5678"]
    assert told.accounts[0].account == "1234-5678"


def test_etrade_lots_are_not_counted_and_a_missing_one_is_named(read):
    statement = read(
        ETRADE + "VTI,220,10,200,2200\n     01/02/2024,220,9,200,1980\nTOTAL,,,,2200,\n"
    )
    assert statement.accounts[0].total == 2200.0
    assert any("its lots add up to 9 units, 10 are held" in w for w in statement.warnings)


def test_etrade_net_value_that_is_not_the_total(read):
    summary = 'Account Summary\nAccount,Net Account Value\n"IRA -1234",2500.00\n\n'
    statement = read(summary + ETRADE + "VTI,220,10,200,2200\nTOTAL,,,,2200,\n")
    assert [(a.account, a.name) for a in statement.accounts] == [("IRA -1234", "IRA")]
    assert any("net value of 2,500.00 is not the total" in w for w in statement.warnings)


def test_etrade_a_lot_above_every_position(read):
    with pytest.raises(ReadError, match="no position stands above it"):
        read(ETRADE + "     01/02/2024,220,9,200,1980\nVTI,220,10,200,2200\n")


# -- lots -----------------------------------------------------------------------------------------


def test_lots_without_a_title_need_account_and_symbol(make):
    path = make('"Open Date","Quantity","Cost/Share","Cost Basis"\n"01/02/2024","3","2","6"\n')
    with pytest.raises(ReadError) as caught:
        read_export(path)
    assert "--account" in str(caught.value)
    assert "--symbol" in str(caught.value)
    lots = read_export(path, told=Told(account="A", symbol="VTI")).lots
    assert (lots.account[0], lots.symbol[0], lots.unit_cost[0]) == ("A", "VTI", 2.0)


def test_bad_lots_are_reported_together(make):
    path = make(
        '"VTI Lot Details for ...482 as of 11/20/2026"\n"Open Date","Quantity","Cost/Share","Cost Basis"\n'
        '"soon","3","2","6"\n"01/02/2024","0","2","6"\n"01/02/2024","3","2","-6"\n"01/02/2024","","2","6"\n'
    )
    with pytest.raises(ReadError) as caught:
        read_export(path)
    text = str(caught.value)
    for words in (
        "line 3, column Open Date: 'soon' is not a date",
        "line 4, column Quantity: is zero",
        "line 5, column Cost Basis: -2 per unit is a negative cost",
        "line 6, column Quantity: is blank",
    ):
        assert words in text


def test_costs_that_contradict_each_other_are_named(make):
    path = make(
        '"VTI Lot Details for ...482 as of 11/20/2026"\n"Open Date","Quantity","Cost/Share","Cost Basis"\n'
        '"01/02/2024","100","2.00","250"\n"01/02/2024","1000","0.33","333.33"\n'
    )
    statement = read_export(path)
    assert statement.lots.unit_cost.tolist() == pytest.approx([2.5, 0.33333])
    (warning,) = [w for w in statement.warnings if "cost per share" in w]
    assert warning.startswith("line 3:")


def test_the_lots_table_is_not_a_positions_table(make):
    path = make("account,symbol,acquired,quantity,unit_cost\nA,VTI,2020-01-01,1,2\n")
    assert read_export(path).lots.symbol.tolist() == ["VTI"]
    with pytest.raises(ReadError, match="tax lots, not of positions"):
        read_positions(path)
    held = make("account,symbol,acquired,quantity,unit_cost,price\nA,VTI,2020-01-01,1,2,3\n")
    assert read_export(held).holdings.value.tolist() == [3.0]
    with pytest.raises(TableError, match="no rows below it"):
        read_export(make("account,symbol,acquired,quantity,unit_cost\n"))


def test_a_workbook_with_a_sheet_of_lots(tmp_path):
    book = openpyxl.Workbook()
    lots = book.create_sheet("Lots", 0)
    lots.append(["Account", "Symbol", "Acquired", "Quantity", "Unit cost"])
    lots.append(["A", "VTI", dt.date(2024, 2, 29), 4, 150.5])
    alone = tmp_path / "alone.xlsx"
    book.create_sheet("Notes").append(["nothing here"])
    book.save(alone)
    assert read_export(alone).lots.cost.tolist() == [602.0]
    held = book.create_sheet("Holdings")
    held.append(["Account", "Symbol", "Quantity", "Price"])
    held.append(["A", "VTI", 5, 220])
    both = tmp_path / "both.xlsx"
    book.save(both)
    statement = read_export(both)
    assert statement.holdings.value.tolist() == [1100.0]
    assert [str(d) for d in statement.lots.acquired] == ["2024-02-29"]
    assert any("add up to 4 units, 5 are held" in w for w in statement.warnings)


# -- layouts that are only documented ---------------------------------------------------------------


def test_merrill_and_morgan_stanley_headers_are_generic_tables(read):
    merrill = (
        "COB Date,Security #,Symbol,CUSIP #,Security Description,Account Nickname,Account Registration,"
        "Account #,Quantity,Price ($),Value ($),Unrealized Gain/Loss ($),Unrealized Gain/Loss (%),"
        "Cumulative Investment Return ($),Accrued Interest ($)\n"
        '11/20/2026,1A2,VTI,922908769,STOCK ETF,Nick,IRA,12A-34567,10,$220.00,"$2,200.00",,,,--\n'
    )
    statement = read(merrill)
    assert statement.holdings.symbol.tolist() == ["VTI"]
    assert [(a.account, a.name, a.total) for a in statement.accounts] == [
        ("12A-34567", "Nick", 2200.0)
    ]
    assert str(statement.as_of) == "2026-11-20"
    morgan = (
        "Name,Product Type,Open Order,Symbol,CUSIP,Last ($),As of,Quantity,Market Value ($),"
        "Today's Change (%),Today's Change ($),Total Cost ($),Adjusted Cost ($),"
        "Unrealized Gain/Loss (%),Unrealized Gain/Loss ($),Accrued Interest\n"
        'STOCK ETF,ETF,No,VTI,922908769,220.00,11/20/2026,10,"2,200.00",0,0,"2,000.00",,,,\n'
        "CASH,Cash,,,,,11/20/2026,,150.25,,,,,,,\n"
    )
    statement = read(morgan)
    assert statement.holdings.symbol.tolist() == ["VTI", "CASH"]
    assert statement.accounts[0].total == 2350.25
