"""What a person says of a file that the file leaves out, and what follows once it is whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xl_rebal.custodians.account_map import MapRow, apply_account_map
from xl_rebal.custodians.lot_rows import lot_warnings
from xl_rebal.custodians.statement import Statement
from xl_rebal.errors import FaultList, ReadError
from xl_rebal.portfolio.holdings import TextColumn

_UNNAMED = "Portfolio"  # the account of a positions file that names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """account and symbol of a file that names none, and the accounts that masked ids stand for."""

    account: str = ""
    symbol: str = ""
    account_map: Sequence[MapRow] = ()


NOTHING_TOLD = Told()


def finished(statement: Statement, told: Told) -> Statement:
    """The statement with its names filled in, real account ids, and its lots held against its positions.

    Raises ReadError where lots or sales are left without an account or symbol.
    """
    statement = _with_names(statement, told.account.strip(), told.symbol.strip())
    if told.account_map:
        statement = apply_account_map(statement, told.account_map)
    said = lot_warnings(statement.holdings, statement.lots)
    return replace(statement, warnings=(*statement.warnings, *said)) if said else statement


def contents(statement: Statement) -> str:
    """What a file without positions holds, in words."""
    return "tax lots" if len(statement.lots) else "realised gains and losses"


def _with_names(statement: Statement, account: str, symbol: str) -> Statement:
    """Fill in the account and symbol that a file leaves out; refuse it where nobody says them."""
    faults = FaultList()
    for name, given, option in (("account", account, "--account"), ("symbol", symbol, "--symbol")):
        columns = [getattr(part, name) for part in (statement.lots, statement.realised)]
        if any((column == "").any() for column in columns) and not given:
            what = f"is a list of {contents(statement)} and does not say of which {name}"
            hint = _hint(statement.source) if name == "account" else ""
            remedy = f"say it with {option}{hint}"
            faults.add(where=statement.source, what=what, remedy=remedy)
    faults.raise_as(ReadError)
    held = statement.holdings.account
    if account and len(held) and set(held.tolist()) == {_UNNAMED}:
        statement = replace(
            statement,
            holdings=replace(statement.holdings, account=_filled(held, account, blank=_UNNAMED)),
            accounts=tuple(replace(a, account=account) for a in statement.accounts),
        )
    lots, sold = statement.lots, statement.realised
    if not account and not symbol:
        return statement
    return replace(
        statement,
        lots=replace(
            lots,
            account=_filled(_filled(lots.account, account), account, blank=_UNNAMED),
            symbol=_filled(lots.symbol, symbol),
        ),
        realised=replace(
            sold, account=_filled(sold.account, account), symbol=_filled(sold.symbol, symbol)
        ),
    )


def _filled(column: TextColumn, text: str, *, blank: str = "") -> TextColumn:
    return np.where(column == blank, text, column).astype(object) if text else column


def _hint(source: str) -> str:
    """What the file's name seems to say, as a question: names are never trusted."""
    found = re.search(r"(?<![A-Za-z0-9])[A-Z]?\d{6,12}(?![0-9])", source)
    return f" (is it {found[0]}, as in the file's name?)" if found else ""
