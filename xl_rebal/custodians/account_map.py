"""The account map: which real account a masked id stands for, in every file that shows it masked.

A table `masked, account, name`: `XXXX-4321, 12344321, Roth IRA`. The name is needed only where two
accounts share a masked id. Nothing is guessed: an id that no row or more than one row fits stays masked
and is named, and no order is exported for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xl_rebal.custodians.input_tables import read_table
from xl_rebal.custodians.statement import Statement, StatementAccount
from xl_rebal.errors import FaultList, ReadError, TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import is_masked, shown_part
from xl_rebal.portfolio.holdings import TextColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRow:
    """One row of the account map; `name` is empty when the masked id is enough."""

    masked: str
    account: str
    name: str = ""


def read_account_map(path: Path | str) -> tuple[MapRow, ...]:
    """The rows of an account map; raises FileError or TableError, all bad rows together."""
    return account_map_from_rows(read_table(path, tables.ACCOUNT_MAP))


def account_map_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[MapRow, ...]:
    """Checked rows: the real account is whole, ends as the masked id does, and no row contradicts another."""
    faults = FaultList()
    found: dict[tuple[str, str], MapRow] = {}
    for row in rows:
        entry = MapRow(masked=row["masked"], account=row["account"], name=row.get("name", ""))

        def bad(column: str, what: str, remedy: str, row: Mapping[str, Any] = row) -> None:
            faults.extend([tables.fault_at("account map", row, column, what, remedy)])

        shown = shown_part(entry.masked)
        if not is_masked(entry.masked):
            bad("masked", f"{entry.masked!r} is not masked", "write it as the file shows it")
        elif is_masked(entry.account):
            bad("account", f"{entry.account!r} is masked itself", "enter the whole account number")
        elif not _letters(entry.account).endswith(_letters(shown)):
            bad(
                "account", f"{entry.account} does not end in {shown}, as {entry.masked} does",
                "correct one of the two: orders would go to the wrong account",
            )  # fmt: skip
        key = (_plain(entry.masked), entry.name.casefold())
        before = found.setdefault(key, entry)
        if before.account != entry.account:
            bad(
                "account", f"{entry.masked} was {before.account} above, and is {entry.account} here",
                "keep one of the rows, or tell them apart by name",
            )  # fmt: skip
    faults.raise_as(TableError)
    return tuple(found.values())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()


def _letters(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold())


def apply_account_map(statement: Statement, rows: Sequence[MapRow]) -> Statement:
    """The statement with real account ids where the map has exactly one for a masked one.

    Two accounts of a statement that the map makes one are refused: money would be mixed up.
    """
    names = {a.account: a.name for a in statement.accounts}
    every = dict.fromkeys(
        [*names, *_texts(statement.holdings.account), *_texts(statement.lots.account),
         *_texts(statement.realised.account)]
    )  # fmt: skip
    real: dict[str, str] = {}
    warnings: list[str] = []
    for account in every:
        if not is_masked(account):
            continue
        fits = sorted({row.account for row in _fitting(account, names.get(account, ""), rows)})
        if len(fits) == 1:
            real[account] = fits[0]
        elif fits:
            warnings.append(
                f"account {account} could be {' or '.join(fits)}: the account map has to tell them apart "
                "by name; it stays masked"
            )
        else:
            warnings.append(f"account {account} is not in the account map; it stays masked")
    _refuse_merged(statement.source, [*every], real)
    accounts = tuple(replace(a, account=real.get(a.account, a.account)) for a in statement.accounts)
    return replace(
        statement,
        accounts=accounts,
        holdings=replace(statement.holdings, account=_renamed(statement.holdings.account, real)),
        lots=replace(statement.lots, account=_renamed(statement.lots.account, real)),
        realised=replace(statement.realised, account=_renamed(statement.realised.account, real)),
        warnings=(*statement.warnings, *warnings),
    )


def real_account(account: str, rows: Sequence[MapRow]) -> str:
    """The account that an id stands for: itself when it is whole, or when not exactly one row fits."""
    if not is_masked(account):
        return account
    fits = {row.account for row in _fitting(account, "", rows)}
    return fits.pop() if len(fits) == 1 else account


def masked_accounts(accounts: Iterable[StatementAccount | str]) -> list[str]:
    """The ids that are masked, each once, in their order."""
    ids = (a if isinstance(a, str) else a.account for a in accounts)
    return [a for a in dict.fromkeys(ids) if is_masked(a)]


def _fitting(account: str, name: str, rows: Sequence[MapRow]) -> list[MapRow]:
    """The rows for an id: the same words, else the same last characters; then the same name."""
    bare, own = _without_name(account, name)
    named = [r for r in rows if not r.name or not own or r.name.casefold() == own.casefold()]
    same = [r for r in named if _plain(r.masked) in {_plain(bare), _plain(account)}]
    shown = _letters(shown_part(bare))
    fits = same or [r for r in named if shown and _letters(shown_part(r.masked)) == shown]
    return [r for r in fits if r.name and own] or fits


def _without_name(account: str, name: str) -> tuple[str, str]:
    """`XXXX-1111 (Roth IRA) #2`, which readers make of an id that accounts share, as id and name."""
    match = re.fullmatch(r"(?P<id>.*?) \((?P<name>.*)\)(?P<again> #\d+)?", account)
    if match is None:
        return account, name
    return match["id"], name or match["name"]


def _refuse_merged(source: str, every: Sequence[str], real: Mapping[str, str]) -> None:
    owners: dict[str, list[str]] = {}
    for account in every:
        owners.setdefault(real.get(account, account), []).append(account)
    faults = FaultList()
    for account, masked in owners.items():
        if len(masked) > 1:
            faults.add(
                where=source,
                what=f"the account map makes one account, {account}, of {' and '.join(masked)}",
                remedy="give each its own row with its name",
            )
    faults.raise_as(ReadError)


def _texts(column: TextColumn) -> list[str]:
    return list(dict.fromkeys(column.tolist()))


def _renamed(column: TextColumn, real: Mapping[str, str]) -> TextColumn:
    renamed = np.empty(len(column), dtype=object)
    renamed[:] = [real.get(account, account) for account in column.tolist()]
    return renamed
