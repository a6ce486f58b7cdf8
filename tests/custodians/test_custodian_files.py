"""Peculiarities of each custodian that neither the samples nor the golden pairs show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xl_rebal.custodians import read_positions
from xl_rebal.errors import ReadError

SAMPLES = Path(__file__).parents[2] / "xl_rebal/samples"
SCHWAB = '"Symbol","Description","Quantity","Price","Market Value","Day Change $","Security Type"\n'
FIDELITY = "Account Number,Account Name,Symbol,Description,Quantity,Last Price,Current Value,Type\n"
VANGUARD = "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,\n"


def test_the_demo_sample_is_the_walk_through():
    statement = read_positions(SAMPLES / "schwab_positions.csv")
    held = statement.holdings
    assert held.symbol.tolist() == ["VTI", "VXUS", "BND", "VNQ", "CASH"]
    assert held.quantity.tolist() == [5000, 2000, 8000, 1000, 0]
    assert held.price.tolist() == [220, 58, 75, 85, 1]
    assert statement.accounts[0].total == statement.accounts[0].stated_total == 1_901_000.0
    assert statement.warnings == ()


def test_samples_are_recognised():
    found = {p.name: read_positions(p).custodian for p in SAMPLES.glob("*_*.csv")}
    assert {n: n.split("_")[0] for n in found} == found


# -- Schwab ---------------------------------------------------------------------------------------


def test_schwab_same_title_twice_is_two_accounts(read):
    section = '"IRA ...12"\n' + SCHWAB + '"VTI","x","1","$2","$2","$0","ETF"\n\n'
    statement = read('"Positions for All-Accounts as of 01:00 PM ET, 11/19/2026"\n\n' + section * 2)
    assert [a.account for a in statement.accounts] == ["...12 (IRA)", "...12 (IRA) #2"]
    assert any("...12" in w for w in statement.warnings)


def test_schwab_section_with_a_nickname_for_a_title(read):
    text = '"Positions for All-Accounts as of 11/19/2026"\n\n"Rainy day money"\n' + SCHWAB
    statement = read(text + '"VTI","x","1","$2","$2","$0","ETF"\n')
    assert [a.account for a in statement.accounts] == ["Rainy day money"]


def test_schwab_option_without_a_value(read):
    row = '"NET 09/18/2026 305.00 C","CALL","2","$1.00","--","--","Option"\n'
    statement = read('"Positions for account IRA ...12"\n' + SCHWAB + row)
    assert statement.holdings.multiplier.tolist() == [100.0]
    assert any("multiplier 100" in w for w in statement.warnings)


def test_schwab_worthless_and_bad_rows(read):
    rows = '"OLD","x","5","$0.00","$0.00","--","Equity"\n'
    assert read(SCHWAB + rows).holdings.account.tolist() == ["Portfolio"]
    with pytest.raises(ReadError) as caught:
        read(
            SCHWAB + rows + '"A","x","five","$1","$5","--","E"\n"B","x","1","N/A","N/A","--","E"\n'
        )
    assert "line 3, column Quantity: 'five'" in str(caught.value)
    assert "line 4, column Price: is blank" in str(caught.value)


def test_schwab_total_that_is_wrong(read):
    text = '"Positions for account IRA ...12"\n' + SCHWAB + '"VTI","x","1","$2","$2","$0","ETF"\n'
    statement = read(text + '"Account Total","--","--","--","$5.00","--","--"\n')
    assert any("5.00" in w and "2.00" in w for w in statement.warnings)
    assert statement.accounts[0].stated_total == 5.0


def test_empty_exports_are_read_with_a_warning(read):
    for text, name in (
        ('"Positions for account IRA ...12 as of 11/19/2026"\n\n' + SCHWAB, "schwab"),
        (FIDELITY + '\n"The data"\n', "fidelity"),
        (VANGUARD, "vanguard"),
        (
            "Statement,Header,Field Name,Field Value\nStatement,Data,Title,Activity Statement\n",
            "ibkr",
        ),
    ):
        statement = read(text)
        assert statement.custodian == name
        assert len(statement.holdings) == 0
        assert statement.warnings


# -- Fidelity -------------------------------------------------------------------------------------


def test_fidelity_cash_type_is_not_cash(read):
    statement = read(FIDELITY + "X1,IRA,VTI,FUND,1,$2,$2,Cash,\n")
    assert statement.holdings.kind.tolist() == ["position"]


@pytest.mark.parametrize("name", ["Pending Activity", "Pending activity", "PENDING ACTIVITY"])
@pytest.mark.parametrize(
    ("amount", "value"), [("-$5.25", -5.25), ("", 0.0), ('"$1,234.00"', 1234.0)]
)
def test_fidelity_pending(read, name, amount, value):
    statement = read(FIDELITY + f"X1,IRA,VTI,FUND,1,$2,$2,Cash\nX1,IRA,{name},,,,{amount},\n")
    held = statement.holdings
    assert held.symbol[1] == ""
    assert held.kind[1] == "pending"
    assert held.quantity[1] == value
    assert statement.accounts[0].total == 2.0


def test_fidelity_core_fund_beside_a_bought_money_fund(read):
    statement = read(
        FIDELITY + "X1,IRA,FDRXX**,HELD IN MONEY MARKET,,,$5,Cash\nX1,IRA,FZDXX,MM,7,$1,$7,Cash\n"
    )
    assert statement.holdings.kind.tolist() == ["cash", "position"]
    assert statement.holdings.symbol.tolist() == ["FDRXX", "FZDXX"]


@pytest.mark.parametrize("name", ["Cash", "CASH", "USD", "core", "SPAXX"])
@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("900,$50.92", "position"), ("-900,50.92", "position"), ("900,", "cash"), (",", "cash"),
        ("900,$1.00", "cash"), ("900,$1.00000", "cash"), (",$50.92", "cash"), ("900,$0.00", "cash"),
    ],
)  # fmt: skip
def test_fidelity_security_whose_ticker_is_a_word_for_cash(read, name, cells, kind):
    """CASH and USD are listed: money has a price of 1 or none."""
    value = "$-45828" if "-" in cells else "$45828"
    held = read(FIDELITY + f"X1,IRA,{name},PATHWARD FINANCIAL,{cells},{value},Cash\n").holdings
    assert held.kind.tolist() == [kind]
    if kind == "position":
        assert (held.symbol[0], abs(held.quantity[0]), held.price[0]) == (name, 900, 50.92)
        assert held.asset_class.tolist() == [""]
    else:
        assert held.quantity.tolist() == [45828.0]


def test_fidelity_core_fund_is_cash_at_any_price(read):
    """Two asterisks say that it is the core position."""
    held = read(FIDELITY + "X1,IRA,CASH**,HELD IN CASH,900,$50.92,$45828,Cash\n").holdings
    assert (held.kind.tolist(), held.quantity.tolist()) == (["cash"], [45828.0])


def test_fidelity_ragged_row(read):
    with pytest.raises(ReadError, match="line 2: has 9 cells under 8 headers"):
        read(FIDELITY + "X1,IRA,VTI,FUND,1,000,$2,$2,Cash\n")


# -- Vanguard -------------------------------------------------------------------------------------


def test_vanguard_null_symbols(read):
    statement = read(VANGUARD + "0012,Some Trust,null,2,5,10,\n0012,Other,,1,5,5,\n")
    assert statement.holdings.symbol.tolist() == ["Some Trust", "Other"]
    assert statement.holdings.account.tolist() == ["0012", "0012"]


def test_vanguard_transactions_alone_are_refused(read):
    with pytest.raises(ReadError, match="transactions"):
        read(
            "Account Number,Trade Date,Settlement Date,Transaction Type,Symbol,Shares,Share Price\n"
            "1,2026-01-01,2026-01-02,Buy,VTI,1,2\n"
        )


# -- Interactive Brokers --------------------------------------------------------------------------

IBKR = (
    "Statement,Header,Field Name,Field Value\n"
    'Statement,Data,Period,"January 1, 2026 - January 31, 2026"\n'
    "Account Information,Header,Field Name,Field Value\n"
    "Account Information,Data,Account,U1\nAccount Information,Data,Base Currency,USD\n"
    "Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,"
    "Cost Basis,Close Price,Value,Unrealized P/L,Code\n"
)


def test_ibkr_without_a_rate(read):
    statement = read(
        IBKR + "Open Positions,Data,Summary,Stocks,CHF,NESN,10,1,90,900,100,1000,100,\n"
    )
    assert np.isnan(statement.holdings.fx).tolist() == [True]
    assert any("CHF" in w for w in statement.warnings)
    assert str(statement.as_of) == "2026-01-31"


@pytest.mark.parametrize(
    "section",
    [
        "Base Currency Exchange Rate,Header,Currency,Exchange Rate\n"
        "Base Currency Exchange Rate,Data,CHF,1.25\n",
        "Forex Balances,Header,Asset Category,Currency,Description,Quantity,Cost Price,"
        "Cost Basis in USD,Close Price,Value in USD\n"
        "Forex Balances,Data,Forex,USD,CHF,5,1.2,6,1.25,6.25\n",
        "Mark-to-Market Performance Summary,Header,Asset Category,Symbol,Prior Quantity,"
        "Current Quantity,Prior Price,Current Price\n"
        "Mark-to-Market Performance Summary,Data,Forex,CHF,0,5,1.2,1.25\n",
    ],
)
def test_ibkr_rates_of_the_statement(read, section):
    row = '"Open Positions",Data,Summary,Stocks,CHF,NESN,"1,000",1,90,900,100,"100,000",100,\n'
    statement = read(IBKR + row + section)
    assert statement.holdings.fx.tolist() == [1.25]
    assert statement.accounts[0].total == pytest.approx(125_000.0)
    assert statement.base_currency == "USD"


def test_ibkr_total_that_does_not_tie(read):
    text = IBKR + "Open Positions,Data,Summary,Stocks,USD,SPY,10,1,90,900,100,1000,100,\n"
    text += "Net Asset Value,Header,Asset Class,Prior Total,Current Total\n"
    text += "Net Asset Value,Data,Cash,0,50\nNet Asset Value,Data,Total,0,1100\n"
    statement = read(text)
    assert statement.accounts[0].total == 1050.0
    assert any("1,100.00" in w and "1,050.00" in w for w in statement.warnings)


def test_ibkr_bad_number_names_its_line(read):
    with pytest.raises(ReadError, match="line 7, column Quantity: 'ten'"):
        read(IBKR + "Open Positions,Data,Summary,Stocks,USD,SPY,ten,1,90,900,100,1000,100,\n")
