"""Custodians' files: positions in, one format per module, recognised by content."""

from xl_rebal.custodians.holdings_csv import write_holdings_csv
from xl_rebal.custodians.mapping import ColumnMapping, load_mapping, save_mapping
from xl_rebal.custodians.registry import CUSTODIANS, read_positions
from xl_rebal.custodians.statement import Statement, StatementAccount

__all__ = [
    "CUSTODIANS",
    "ColumnMapping",
    "Statement",
    "StatementAccount",
    "load_mapping",
    "read_positions",
    "save_mapping",
    "write_holdings_csv",
]
