"""Masked ids joined to real accounts: one fits, or the id stays masked and is named."""

from __future__ import annotations

import pytest

from xl_rebal.custodians import (
    Told,
    account_map_from_rows,
    apply_account_map,
    masked_accounts,
    read_account_map,
    read_export,
)
from xl_rebal.errors import ReadError, TableError
from xl_rebal.portfolio.accounts import is_masked, shown_part

HEAD = '"Symbol","Description","Quantity","Price","Market Value","Day Change $","Security Type"\n'
ROW = '"VTI","x","1","$2","$2","$0","ETF"\n'


def positions(*titles):
    text = '"Positions for All-Accounts as of 11/19/2026"\n\n'
    return text + "\n".join(f'"{title}"\n{HEAD}{ROW}' for title in titles)


def mapping(*rows):
    return account_map_from_rows(
        {"masked": m, "account": a, "name": n, "row": i, "table": "map.csv"}
        for i, (m, a, n) in enumerate(rows, 2)
    )


def accounts(statement):
    return [a.account for a in statement.accounts]


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("...632", "632"),
        ("XXXX-4321", "4321"),
        ("XXXX4321", "4321"),
        ("***1234", "1234"),
        ("*1234", "1234"),
        ("••77", "77"),
        ("…88", "88"),
        ("xxx-xx12", "12"),
        ("Individual -0000", "0000"),
        ("-0000", "0000"),
        ("XXXX-1111 (Roth IRA) #2", "1111"),
        ("Individual -0000 (x)", "0000"),
        ("account ending in 9876", "9876"),
    ],
)
def test_masked_ids(account, shown):
    assert is_masked(account)
    assert shown_part(account) == shown


@pytest.mark.parametrize(
    "account",
    ["X12345678", "12345678", "0012-7777", "ACC-0001", "HH001-1", "U1234567", "Portfolio", "EXXON1",
     "Roth IRA", "1234-5678", "all accounts"],
)  # fmt: skip
def test_whole_ids(account):
    assert not is_masked(account)
    assert shown_part(account) == ""


def test_the_same_id_and_another_mask_with_the_same_end(read):
    statement = read(positions("Individual XXXX-4321", "Roth ...632", "Whole 12345678"))
    rows = mapping(("***4321", "99994321", ""), ("...632", "77770632", ""))
    joined = apply_account_map(statement, rows)
    assert accounts(joined) == ["99994321", "77770632", "12345678"]
    assert joined.holdings.account.tolist() == accounts(joined)
    assert accounts(statement) == ["XXXX-4321", "...632", "12345678"]  # the input is left alone
    assert masked_accounts(joined.accounts) == []


def test_names_tell_accounts_apart_that_share_an_id(read):
    statement = read(positions("Individual XXXX-1111", "Roth IRA XXXX-1111"))
    rows = mapping(("XXXX-1111", "55501111", "Individual"), ("XXXX-1111", "55521111", "Roth IRA"))
    assert accounts(apply_account_map(statement, rows)) == ["55501111", "55521111"]


def test_what_does_not_fit_or_fits_twice_stays_masked_and_is_named(read):
    statement = read(positions("Individual XXXX-4321", "Roth ...632"))
    rows = mapping(("...4321", "99994321", ""), ("**4321", "88884321", ""))
    joined = apply_account_map(statement, rows)
    assert accounts(joined) == ["XXXX-4321", "...632"]
    assert any("could be 88884321 or 99994321" in w for w in joined.warnings)
    assert any("...632 is not in the account map" in w for w in joined.warnings)


def test_a_name_that_differs_does_not_fit(read):
    statement = read(positions("Individual XXXX-4321"))
    joined = apply_account_map(statement, mapping(("XXXX-4321", "99994321", "Roth IRA")))
    assert accounts(joined) == ["XXXX-4321"]


def test_two_accounts_never_become_one(read):
    statement = read(positions("Individual XXXX-1111", "Roth IRA XXXX-1111"))
    with pytest.raises(ReadError, match="one account, 55501111, of"):
        apply_account_map(statement, mapping(("XXXX-1111", "55501111", "")))


def test_bad_rows_are_reported_together():
    with pytest.raises(TableError) as caught:
        mapping(
            ("12345678", "12345678", ""),
            ("...632", "...0632", ""),
            ("...632", "12340633", ""),
            ("...77", "1077", ""),
            ("...77", "2077", ""),
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 5  # the third row contradicts the second one, too
    assert "map.csv row 2, column masked: '12345678' is not masked" in text
    assert "12340633 does not end in 632" in text
    assert "...77 was 1077 above, and is 2077 here" in text


def test_a_map_file_joins_lots_and_positions(make):
    table = make("Masked,Account\n...482,10020482\n", name="map.csv")
    lots = make(
        '"VTI Lot Details for Individual ...482 as of 11/20/2026"\n'
        '"Open Date","Quantity","Cost/Share","Cost Basis"\n"01/02/2024","3","2","6"\n',
        name="lots.csv",
    )
    held = make(positions("Individual ...482"), name="positions.csv")
    rows = read_account_map(table)
    assert read_export(lots, told=Told(account_map=rows)).lots.account.tolist() == ["10020482"]
    assert accounts(read_export(held, told=Told(account_map=rows))) == ["10020482"]
