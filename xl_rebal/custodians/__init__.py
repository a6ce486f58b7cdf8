"""Custodians' files: positions and lots in, one format per module, recognised by content."""

from xl_rebal.custodians.account_map import (
    MapRow,
    account_map_from_rows,
    apply_account_map,
    masked_accounts,
    read_account_map,
)
from xl_rebal.custodians.book_tables import BookTables, read_book
from xl_rebal.custodians.holdings_csv import write_holdings_csv
from xl_rebal.custodians.lot_rows import lot_warnings
from xl_rebal.custodians.lots_csv import write_lots_csv
from xl_rebal.custodians.mapping import ColumnMapping, load_mapping, save_mapping
from xl_rebal.custodians.registry import CUSTODIANS, read_export, read_positions
from xl_rebal.custodians.statement import Statement, StatementAccount
from xl_rebal.custodians.told import Told

__all__ = [
    "CUSTODIANS",
    "BookTables",
    "ColumnMapping",
    "MapRow",
    "Statement",
    "StatementAccount",
    "Told",
    "account_map_from_rows",
    "apply_account_map",
    "load_mapping",
    "lot_warnings",
    "masked_accounts",
    "read_account_map",
    "read_book",
    "read_export",
    "read_positions",
    "save_mapping",
    "write_holdings_csv",
    "write_lots_csv",
]
