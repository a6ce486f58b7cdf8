"""Exports that nobody on this project wrote, from ../shared/data/brokers (skipped without it)."""

from __future__ import annotations

from pathlib import Path

import pytest

from xl_rebal.custodians import Statement, Told, lot_warnings, read_export, read_positions
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.lots import Lots, lot_gaps


@pytest.fixture
def brokers(shared_data: Path) -> Path:
    return shared_data / "brokers"


def totals(statement: Statement) -> dict[str, float]:
    return {a.account: a.total for a in statement.accounts}


def kinds(statement: Statement) -> list[str]:
    return statement.holdings.kind.tolist()


def test_fidelity_probe_ties(brokers):
    statement = read_positions(brokers / "fidelity/audit_probe_fidelity.csv")
    assert statement.custodian == "fidelity"
    assert totals(statement) == pytest.approx({"X12345678": 45_000.0, "Z98765432": 13_000.0})
    assert kinds(statement) == ["position", "cash", "position", "pending"]
    assert statement.holdings.symbol.tolist() == ["AAPL", "SPAXX", "VTI", ""]
    assert str(statement.as_of) == "2026-07-21"
    assert [a.name for a in statement.accounts] == ["ROTH IRA", "Individual"]
    assert statement.warnings == ()


def test_schwab_probe_ties(brokers):
    statement = read_positions(brokers / "schwab/audit_probe_schwab_sections.csv")
    assert statement.custodian == "schwab"
    assert totals(statement) == pytest.approx({"XXXX-1234": 8_000.0, "XXXX-5678": 10_000.0})
    assert [a.stated_total for a in statement.accounts] == [8_000.0, 10_000.0]
    assert kinds(statement) == ["position", "position", "cash", "position"]
    # a purchased money fund must be sold before its money can be used: a position of class Cash
    assert statement.holdings.asset_class.tolist() == ["", "Cash", "Cash", ""]
    assert statement.warnings == ()


def test_vanguard_probe_ties(brokers):
    statement = read_positions(brokers / "vanguard/audit_probe_vanguard_two_tables.csv")
    assert statement.custodian == "vanguard"
    held = statement.holdings
    assert held.value[held.is_cash].sum() == pytest.approx(5_000.0)
    assert totals(statement) == pytest.approx({"12345678": 17_060.0})


def test_ibkr_ties_to_net_asset_value(brokers):
    statement = read_positions(brokers / "ibkr/ibkr_activity_statement_anonymised_2026.csv")
    assert (statement.custodian, statement.base_currency) == ("ibkr", "EUR")
    assert str(statement.as_of) == "2026-01-31"
    (account,) = statement.accounts
    assert account.total == pytest.approx(13_768.19, abs=0.005)
    assert account.stated_total == pytest.approx(13_768.19)
    assert (account.account, account.positions) == ("U12345678", 5)
    assert statement.holdings.value.sum() == pytest.approx(13_768.19, abs=0.01)
    assert not [w for w in statement.warnings if "total" in w and "derived" not in w]


def test_schwab_2020_all_accounts(brokers):
    statement = read_positions(brokers / "schwab/All-Accounts-Positions-2020-11-15.CSV")
    held = statement.holdings
    option = held.symbol == "SMAL 04/01/2020 32.00 P"
    assert held.multiplier[option].tolist() == [100.0]
    assert held.value[option].tolist() == pytest.approx([1253.0])
    assert totals(statement) == pytest.approx({"XXXX-1234": 0.0, "XXXX-4321": 14_980.0})
    # the author changed rows after the fact: both figures are named
    assert any("13,727.00" in w and "14,980.00" in w for w in statement.warnings)


def test_conflicting_values_are_named(brokers):
    statement = read_positions(brokers / "schwab/finporter_All-Accounts-Positions-2021.csv")
    assert any("23,230.62" in w and "112,840.62" in w for w in statement.warnings)
    assert statement.holdings.stated_value[0] == pytest.approx(23_230.62)
    assert statement.holdings.value[0] == pytest.approx(112_840.62)


def test_fidelity_short_option_and_empty_pending(brokers):
    statement = read_positions(brokers / "fidelity/optdash_positions_options_pending.csv")
    held = statement.holdings
    assert held.symbol.tolist() == ["-TEST260620P00010000", "AAPL", ""]
    assert held.quantity.tolist() == [-2.0, 100.0, 0.0]
    assert held.multiplier[0] == 100.0
    assert statement.accounts[0].total == pytest.approx(18_900.0)


def test_vanguard_529_has_no_symbols(brokers):
    statement = read_positions(brokers / "vanguard/ofxdownload_529_09102023.csv")
    assert statement.holdings.symbol.tolist() == ["Vanguard Target Enrollment 2040/2041 Portfolio"]
    assert totals(statement) == pytest.approx({"000000000-01": 3293.58})


def test_vanguard_accounts_without_their_transactions(brokers):
    statement = read_positions(brokers / "vanguard/OfxDownload_multi_account.csv")
    assert (len(statement.accounts), len(statement.holdings)) == (12, 60)
    assert statement.accounts[0].total == pytest.approx(77_740.44)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("ibkr/flex_trades.csv", "Flex query of trades"),
        ("schwab/lots/2020-08-25_FNDA.csv", "tax lots, not of positions"),
        ("schwab/finporter_GainLoss_Realized_2021.csv", "realised gains and losses, not of positions"),
        ("fidelity/finporter_Realized_Gain_Loss_Account_X12345678.csv", "realised"),
    ],
)  # fmt: skip
def test_what_holds_no_positions_is_not_read_as_positions(brokers, file, words):
    with pytest.raises(ReadError, match=words):
        read_positions(brokers / file)


def test_flex_xml_with_francs_and_dollars(brokers):
    statement = read_export(brokers / "ibkr/ost_vtandchill_2025.xml")
    assert (statement.custodian, statement.base_currency) == ("ibkr", "CHF")
    (account,) = statement.accounts
    # 200 x 141.06 USD x 0.79285 + 17,000.05854876 CHF - 0.87 USD x 0.79285, worked out by hand
    assert account.total == pytest.approx(22_367.8842 + 17_000.05854876 - 0.6897795, abs=1e-6)
    # its author wrote the whole cash into the franc row: the statement's own sum is 0.69 more
    assert any("17,000.06 CHF" in w and "16,999.37" in w for w in statement.warnings)
    assert str(statement.as_of) == "2026-01-01"


def test_flex_xml_of_a_simulated_account(brokers):
    statement = read_export(brokers / "ibkr/alloiq_flex.xml")
    assert totals(statement) == {"SIM-ACCOUNT": 10_000.0}
    assert statement.holdings.price.tolist() == pytest.approx([910.0, 1.0])


@pytest.mark.parametrize(
    ("file", "account", "total", "stated", "rows"),
    [
        ("ofxparse_fidelity.ofx", "01234567890", 32_993.78, 32_993.79, 7),
        ("ofxparse_td_ameritrade.ofx", "121212121", 2_000.0, 2_000.0, 2),
        ("ofxparse_vanguard.ofx", "01234567890", 24_479.72, None, 2),
        ("bci_investment_buy_sell_income.ofx", "123456789", 853.41, 90.05, 17),
    ],
)
def test_ofx(brokers, file, account, total, stated, rows):
    statement = read_export(brokers / "ofx" / file)
    assert statement.custodian == "ofx"
    assert totals(statement) == pytest.approx({account: total})
    assert statement.accounts[0].stated_total == stated
    assert len(statement.holdings) == rows
    tie = stated is None or abs(total - stated) < 0.05
    assert tie != any("add up to" in w for w in statement.warnings)


def test_an_ofx_id_that_two_tickers_share_is_no_ticker(brokers):
    statement = read_export(brokers / "ofx/ofxparse_vanguard.ofx")
    assert statement.holdings.symbol.tolist() == ["012345678", "012345678"]
    assert any("VFINX, VFIAX" in w for w in statement.warnings)


def test_schwab_lots_and_their_total(brokers):
    lots = read_export(brokers / "schwab/lots/2020-09-25_HYLB.csv").lots
    assert lots.quantity.tolist() == [12.0, 8.0]
    assert lots.unit_cost.tolist() == [10.0, 20.0]
    assert [str(d) for d in lots.acquired] == ["2020-08-31", "2020-08-30"]
    assert lots.account.tolist() == ["XXXX-4321"] * 2
    assert lots.cost.sum() == 280.0
    wrong = read_export(brokers / "schwab/lots/2020-09-25_SCHA.csv")
    assert any("states Quantity 10, its lots add up to 30" in w for w in wrong.warnings)


def test_realised_gains(brokers):
    by_lot = read_export(brokers / "schwab/schwab_realized_lot_details_2026.csv").realised
    assert (by_lot.account[0], by_lot.symbol[0], by_lot.term[0]) == ("...999", "TEST", "short")
    assert (by_lot.gain[0], by_lot.short_gain[0], by_lot.disallowed[0]) == (-20.0, -20.0, 0.0)
    mixed = read_export(brokers / "schwab/finporter_GainLoss_Realized_2021.csv").realised
    assert (mixed.term[0], mixed.long_gain[0], mixed.short_gain[0]) == ("mixed", 0.5, 1.5)
    file = brokers / "fidelity/finporter_Realized_Gain_Loss_Account_X12345678.csv"
    with pytest.raises(ReadError, match="is it X12345678, as in the file's name"):
        read_export(file)
    asked = read_export(file, told=Told(account="X12345678")).realised
    assert (asked.account[0], asked.symbol[0], asked.gain[0]) == ("X12345678", "VEA", 2.0)


def test_a_renamed_file_is_recognised_by_its_content(brokers, tmp_path):
    for source in ("fidelity/audit_probe_fidelity.csv", "schwab/audit_probe_schwab_sections.csv"):
        target = tmp_path / "vanguard.xlsx"
        target.write_bytes((brokers / source).read_bytes())
        assert read_positions(target).custodian == source.split("/")[0]


def test_every_line_end_and_encoding_reads_the_same(brokers, tmp_path):
    text = (brokers / "fidelity/audit_probe_fidelity.csv").read_text("utf-8")
    for number, data in enumerate(
        (
            text.replace("\n", "\r\n").encode("utf-8-sig"),
            text.replace("\n", "\r").encode("cp1252"),
            text.encode("utf-16"),
            text.encode("utf-16-le"),
        )
    ):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(data)
        assert totals(read_positions(path)) == {"X12345678": 45_000.0, "Z98765432": 13_000.0}


def test_lots_of_schwab_add_up_to_its_positions(brokers):
    """FNDA and SCHA of one account on one day, from three files that Schwab wrote."""
    held = read_export(brokers / "schwab/Intelligent-Positions-2020-08-25.CSV").holdings
    lots = Lots.concat(
        read_export(brokers / f"schwab/lots/2020-08-25_{symbol}.csv").lots
        for symbol in ("FNDA", "SCHA")
    )
    assert lot_gaps(held, lots) == ()
    assert lot_warnings(held, lots) == []
    later = Lots.concat([lots, read_export(brokers / "schwab/lots/2020-09-25_SCHA.csv").lots])
    (gap,) = lot_gaps(held, later)
    assert (gap.symbol, gap.held, gap.in_lots) == ("SCHA", 10.0, 40.0)
