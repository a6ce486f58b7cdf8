"""Input tables: any column order, other words for a column, every bad cell at once."""

from __future__ import annotations

import pytest

from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables

ALL = [
    *(tables.MODELS, tables.SECURITIES, tables.ACCOUNTS, tables.RESTRICTIONS, tables.CLASS_MAP),
    *(tables.FLOWS, tables.FUND_RULES, tables.HISTORY, tables.TAX_PROFILES),
]

# DESIGN section 5, with * for required; a column that is left out there may not be left out here.
# Columns that came later stand last.
DESIGN = {
    "targets": "model asset_class* target* band_abs band_rel min max kind",
    "securities": "symbol* asset_class rank price vehicle quantity_step minimum spread_bps commission "
    "adv tradable identical_group substitute tags tax_class settlement_days",
    "accounts": "account* household type owner tax_return custodian model cash_reserve tax_profile "
    "discretionary held_away last_rebalanced menu lot_instructions client policy plan_mode relationship",
    "restrictions": "scope* rule* symbol tag replacement account_types",
    "class map": "symbol* asset_class*",
    "history": "account* symbol* date* action* quantity* price* lot_id",
    "tax_profiles": "tax_profile* year* filing_status ordinary long_term niit state magi carry_short "
    "carry_long ytd_short ytd_long",
    "flows": "account* date* amount* kind",
    "fund_rules": "custodian symbol* initial_minimum subsequent_minimum kept_minimum cut_off "
    "ticket_fee redemption_fee redemption_days closed_to_new",
}


def read(spec: tables.TableSpec, header: list[object], *rows: list[object]) -> list[dict]:
    return tables.read_rows(spec, header, list(enumerate(rows, start=2)), where="file.csv")


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_columns_are_those_of_the_design(spec: tables.TableSpec) -> None:
    wanted = DESIGN[spec.name].split()
    assert [c.name for c in spec.columns] == [name.rstrip("*") for name in wanted]
    # An order book may leave out what the product can do without: classes of securities are known
    # from elsewhere, an account's type matters only for taxes.
    assert {c.name for c in spec.columns if c.required} == {n[:-1] for n in wanted if n[-1] == "*"}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_no_header_means_two_columns(spec: tables.TableSpec) -> None:
    words = [
        tables.header_key(word)
        for column in spec.columns
        for word in (column.name, *column.synonyms)
    ]
    seen = {word: spec.column_for(word) for word in words}
    for column in spec.columns:
        for word in (column.name, *column.synonyms):
            assert seen[tables.header_key(word)] is column


def test_order_case_and_synonyms_do_not_matter() -> None:
    rows = read(
        tables.MODELS,
        ["Weight", " ASSET class ", "Band (pp)", "", "Model"],
        ["60%", "Stocks", "5pp", None, "Growth"],
        [None, "", "", "", ""],
        ["40%", "Bonds", "--", "ignored", "Growth"],
    )
    assert rows == [
        {"table": "file.csv", "row": 2, "target": "60%", "asset_class": "Stocks",
         "band_abs": 0.05, "model": "Growth"},
        {"table": "file.csv", "row": 4, "target": "40%", "asset_class": "Bonds", "model": "Growth"},
    ]  # fmt: skip


def test_every_bad_cell_is_reported_with_row_and_column() -> None:
    with pytest.raises(TableError) as caught:
        read(
            tables.ACCOUNTS,
            ["account", "cash_reserve", "discretionary", "last_rebalanced"],
            ["A", "x", "perhaps", "soon"],
            ["", "5", "yes", "2026-01-02"],
        )
    assert [fault.where for fault in caught.value.faults] == [
        "file.csv row 2, column cash_reserve",
        "file.csv row 2, column discretionary",
        "file.csv row 2, column last_rebalanced",
        "file.csv row 3, column account",
    ]
    assert all(fault.remedy for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("spec", "header", "meant"),
    [
        (tables.MODELS, ["asset_class", "traget"], "target"),
        (tables.MODELS, ["aset_class", "target"], "asset_class"),
        (tables.ACCOUNTS, ["account", "reserves"], "cash_reserve"),
        (tables.ACCOUNTS, ["account", "last rebalance"], "last_rebalanced"),
        (tables.SECURITIES, ["symbol", "quantity steps"], "quantity_step"),
        (tables.RESTRICTIONS, ["scopes", "rule"], "scope"),
    ],
)
def test_a_misspelt_header_is_refused_and_the_near_one_named(
    spec: tables.TableSpec, header: list[object], meant: str
) -> None:
    with pytest.raises(TableError, match=rf"did you mean {meant}\?"):
        read(spec, header, ["x", "y"])


@pytest.mark.parametrize(
    ("spec", "header"),
    [
        (tables.ACCOUNTS, ["account", "account name", "notes"]),
        (tables.ACCOUNTS, ["account", "custodian", "custodian id", "household", "household name"]),
        (tables.SECURITIES, ["symbol", "description", "price date", "currency"]),
        (tables.MODELS, ["asset_class", "target", "comment"]),
    ],
)
def test_a_column_of_the_users_own_does_no_harm(
    spec: tables.TableSpec, header: list[object]
) -> None:
    assert len(read(spec, header, ["a"] * len(header))) == 1


def test_missing_and_doubled_columns() -> None:
    with pytest.raises(TableError, match=r"file.csv: column target is missing; found asset_class"):
        read(tables.MODELS, ["asset_class"], ["Stocks"])
    with pytest.raises(TableError, match=r"two columns mean target \(one is 'weight'\)"):
        read(tables.MODELS, ["asset_class", "target", "weight"], ["Stocks", "1", "1"])


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(TableError, match="has no rows"):
        read(tables.MODELS, ["asset_class", "target"], [None, ""])


def test_short_rows_are_blank_at_the_end_and_inputs_stay() -> None:
    header: list[object] = ["symbol", "asset_class", "rank"]
    rows = [(2, ["VTI", "Stocks"]), (3, ("BND", "Bonds", "2"))]
    before = [(line, list(values)) for line, values in rows]
    read_back = tables.read_rows(tables.SECURITIES, header, rows, where="file.csv")
    assert read_back[0] == {"table": "file.csv", "row": 2, "symbol": "VTI", "asset_class": "Stocks"}
    assert [(line, list(values)) for line, values in rows] == before
    assert header == ["symbol", "asset_class", "rank"]


@pytest.mark.parametrize(
    ("spec", "header", "rather"),
    [
        (tables.SECURITIES, ["scope", "rule", "symbol"], "restrictions"),
        (
            tables.SECURITIES,
            ["account", "symbol", "date", "action", "quantity", "price"],
            "history",
        ),
        (tables.ACCOUNTS, ["account", "date", "amount", "kind"], "flows"),
        (tables.FUND_RULES, ["scope", "rule", "symbol", "replacement"], "restrictions"),
    ],
)
def test_another_table_in_the_place_of_one_is_refused(
    spec: tables.TableSpec, header: list[object], rather: str
) -> None:
    with pytest.raises(TableError, match=f"is a {rather} table by its columns"):
        read(spec, header, ["1"] * len(header))


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_a_table_is_never_taken_for_another(spec: tables.TableSpec) -> None:
    """All of its columns together, and the required ones alone, are a table of its own kind."""
    for names in (
        [column.name for column in spec.columns],
        [column.name for column in spec.columns if column.required],
    ):
        assert tables._is_rather(spec, names, len(names)) == ""


@pytest.mark.parametrize("spec", [spec for spec in ALL if spec.may_be_empty], ids=lambda s: s.name)
def test_a_header_alone_is_a_table_of_its_own_kind(spec: tables.TableSpec) -> None:
    assert read(spec, [*(column.name for column in spec.columns), "a column of mine"]) == []
