"""Import Positions: a custodian's file into tblHoldings, the user's own columns and classes kept."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter

from xl_rebal.custodians import MapRow, Statement
from xl_rebal.custodians.account_map import masked_accounts, real_account
from xl_rebal.custodians.columns import SYNONYMS, key
from xl_rebal.errors import TableError
from xl_rebal.excel.book_inputs import ACCOUNT_MAP, AS_OF, CLASSES, HOLDINGS, class_map
from xl_rebal.excel.changes import Body, Cell, Change
from xl_rebal.excel.workbook import (
    NOT_COMPUTED,
    Content,
    Formula,
    TableAt,
    Workbook,
    WorkbookError,
    find_table,
    need_table,
)
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.accounts import shown_part
from xl_rebal.portfolio.book import assign_classes, unknown_symbols
from xl_rebal.portfolio.holdings import Holdings, Kind

EXAMPLE = "EXAMPLE"  # accounts of the template's invented rows
_ROLES = {key(word): role for role, words in SYNONYMS.items() for word in words}
_REQUIRED = ("symbol", "quantity", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What the table becomes.

    kept      accounts that the file does not name; their rows stay.
    examples  invented rows that go.
    """

    changes: tuple[Change, ...]
    rows: int
    accounts: tuple[str, ...]
    kept: tuple[str, ...]
    examples: int
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Row:
    """A row of the table as it stands."""

    number: int  # of the sheet
    account: str
    symbol: str
    asset_class: str
    contents: list[Content]
    used: bool = False


def import_positions(
    book: Workbook, statement: Statement, known: Sequence[MapRow] = ()
) -> Imported:
    """The changes that fill tblHoldings with a statement; nothing is written here.

    known  the account map that the statement was read with: rows that stand under a masked id of an
           account of the statement are rows of that account.
    """
    held = statement.holdings
    if not len(held):
        raise TableError.of(
            where=statement.source,
            what="it holds no positions and no cash",
            remedy="export the positions again; tblHoldings stays as it is",
        )
    held.require_rates()
    table = need_table(book, HOLDINGS)
    roles = _roles(book, table)
    old = _old_rows(book, table, roles)
    accounts = tuple(held.accounts())
    for row in old:
        if (real := real_account(row.account, known)) in accounts:
            row.account = real
    kept = [r for r in old if r.account not in accounts and not r.account.startswith(EXAMPLE)]
    examples = sum(r.account.startswith(EXAMPLE) for r in old)
    held, unknown = assign_classes(held, class_map=_own_classes(book, old))
    if "account" not in roles and (kept or len(accounts) > 1):
        raise WorkbookError.of(
            where=HOLDINGS,
            what=f"has no column Account, and there are {len(accounts) + bool(kept)} accounts",
            remedy="add a column headed Account to the table",
        )
    if "fx" not in roles and bool((held.fx[~held.is_pending] != 1).any()):
        raise WorkbookError.of(
            where=HOLDINGS,
            what="has no column FX, and the file holds foreign currency",
            remedy="add a column headed FX to the table",
        )
    rows = _new_rows(held, statement, old, roles, table)
    first = table.body.row + len(rows)
    rows += [_moved(r.contents, r.number, first + i, table) for i, r in enumerate(kept)]
    changes: tuple[Change, ...] = (Body(table=table, rows=rows),)
    warnings = list(statement.warnings)
    others = dict.fromkeys(r.account for r in kept)
    warnings += _masked(accounts, mapped=bool(known))
    warnings += [_twins(a, b) for a in others for b in accounts if _may_be_one(a, b)]
    if unknown:
        fault = unknown_symbols(unknown)
        warnings.append(f"{fault.what}; give each a class in {CLASSES} or in its row")
    changes += _date(book, statement, warnings)
    return Imported(
        changes=changes,
        rows=len(held),
        accounts=accounts,
        kept=tuple(dict.fromkeys(r.account for r in kept)),
        examples=examples,
        warnings=tuple(warnings),
    )


def _masked(accounts: Sequence[str], *, mapped: bool) -> list[str]:
    """What to do about accounts that stay masked; with a map its own reading says why each does."""
    masked = masked_accounts(accounts)
    if not masked or mapped:
        return []
    return [
        f"{', '.join(masked)} shows only its last characters, and no order is exported for it: give its "
        f"account in {ACCOUNT_MAP} (Masked, Account) and import again"
    ]


def _may_be_one(one: str, other: str) -> bool:
    """Whether two accounts may be one: written in another way, or one of them masked."""
    plain = ["".join(filter(str.isalnum, account)).casefold() for account in (one, other)]
    if plain[0] == plain[1]:
        return True
    shown = [shown_part(account).casefold() for account in (one, other)]
    return any(
        part and text.endswith(part) for part, text in zip(shown, reversed(plain), strict=True)
    )


def _twins(kept: str, imported_one: str) -> str:
    return (
        f"account {kept} stays, and may be the account that the file names {imported_one}: if so, its "
        f"positions now count twice; delete the rows of {kept}"
    )


def _roles(book: Workbook, table: TableAt) -> dict[str, int]:
    """Which column of the table is what, by the words that the reader of files knows."""
    header = [cells.text(cell) for cell in book.values(table.header)[0]]
    roles: dict[str, int] = {}
    for index, text in enumerate(header):
        role = "kind" if key(text) == "kind" else _ROLES.get(key(text))
        if role is not None and role not in roles:
            roles[role] = index
    missing = [role for role in _REQUIRED if role not in roles]
    if missing:
        raise WorkbookError.of(
            where=HOLDINGS,
            what=f"has no column {', '.join(missing)} (its columns are {', '.join(header)})",
            remedy="give the columns these headers",
        )
    return roles


def _old_rows(book: Workbook, table: TableAt, roles: dict[str, int]) -> list[_Row]:
    body = table.body

    def text(values: Sequence[Content], role: str) -> str:
        return cells.text(values[roles[role]]) if role in roles else ""

    found = []
    pairs = zip(book.values(body), book.contents(body), strict=True)
    for number, (values, contents) in enumerate(pairs, start=body.row):
        if all(cells.is_blank(cell) or cell == NOT_COMPUTED for cell in values):
            continue
        row = _Row(
            number=number,
            account=text(values, "account"),
            symbol=text(values, "symbol"),
            asset_class=text(values, "asset_class"),
            contents=list(contents),
        )
        found.append(row)
    return found


def _own_classes(book: Workbook, old: Sequence[_Row]) -> dict[str, str]:
    """The user's classes by symbol: those in the rows of the table, then those of tblClasses."""
    table = find_table(book, CLASSES)
    own = {} if table is None else class_map({CLASSES: [list(r) for r in book.values(table.area)]})
    for row in old:
        if row.asset_class and row.symbol and not row.account.startswith(EXAMPLE):
            own[row.symbol.casefold()] = row.asset_class
    return own


def _new_rows(
    held: Holdings,
    statement: Statement,
    old: Sequence[_Row],
    roles: dict[str, int],
    table: TableAt,
) -> list[list[Content]]:
    waiting: dict[tuple[str, str], list[_Row]] = {}
    for row in old:
        waiting.setdefault((row.account, row.symbol.casefold()), []).append(row)
    columns = _filled(held, statement, roles)
    formulas = _formula_columns(old, table.body.columns, set(roles.values()))
    rows = []
    for index in range(len(held)):
        place = table.body.row + index
        pair = (held.account[index], held.symbol[index].casefold())
        before = waiting[pair].pop(0) if waiting.get(pair) else None
        if before is not None:
            line = _moved(before.contents, before.number, place, table)
        else:
            line = [None] * table.body.columns
            for column, (number, formula) in formulas.items():
                line[column] = _translated(formula, number, place, table.body.column + column)
        for column, values in columns.items():
            line[column] = values[index]
        rows.append(line)
    return rows


def _filled(held: Holdings, statement: Statement, roles: dict[str, int]) -> dict[int, list[Any]]:
    """By column of the table: what the file says, row by row."""
    stated = held.stated_value
    value = [
        s if math.isfinite(s) else q * p * m
        for s, q, p, m in zip(
            stated.tolist(),
            held.quantity.tolist(),
            held.price.tolist(),
            held.multiplier.tolist(),
            strict=True,
        )
    ]
    date = dt.datetime.combine(statement.as_of, dt.time()) if statement.as_of else None
    pending = (held.kind == Kind.PENDING.value).tolist()
    price = [None if gone else p for gone, p in zip(pending, held.price.tolist(), strict=True)]
    fx = [None if math.isnan(x) else x for x in held.fx.tolist()]
    columns: dict[str, list[Any]] = {
        "account": held.account.tolist(),
        "symbol": held.symbol.tolist(),
        "description": held.description.tolist(),
        "kind": held.kind.tolist(),
        "asset_class": held.asset_class.tolist(),
        "quantity": held.quantity.tolist(),
        "price": [1.0 if p is None else p for p in price],
        "multiplier": held.multiplier.tolist(),
        "fx": fx,
        "currency": held.currency.tolist(),
        "value": value,
        "as_of": [date] * len(held),
        "valuation_date": [date] * len(held),
    }
    return {roles[role]: values for role, values in columns.items() if role in roles}


def _formula_columns(
    old: Sequence[_Row], columns: int, known: set[int]
) -> dict[int, tuple[int, Formula]]:
    """The user's own columns that hold a formula in every row: new rows get it too."""
    found = {}
    for column in range(columns):
        cells_ = [row.contents[column] for row in old]
        last = cells_[-1] if cells_ else None
        every = all(isinstance(cell, Formula) for cell in cells_)
        if column not in known and every and isinstance(last, Formula):
            found[column] = (old[-1].number, last)
    return found


def _moved(contents: Sequence[Content], number: int, place: int, table: TableAt) -> list[Content]:
    """A row's contents in another row: relative references follow."""
    return [
        _translated(cell, number, place, table.body.column + column)
        if isinstance(cell, Formula)
        else cell
        for column, cell in enumerate(contents)
    ]


def _translated(formula: Formula, number: int, place: int, column: int) -> Formula:
    if number == place:
        return formula
    letter = get_column_letter(column)
    moved = Translator(formula.text, origin=f"{letter}{number}").translate_formula(
        f"{letter}{place}"
    )
    return Formula(moved)


def _date(book: Workbook, statement: Statement, warnings: list[str]) -> tuple[Change, ...]:
    """The valuation date into the cell named AsOf, where the workbook has one."""
    area = book.named_area(AS_OF)
    if area is None:
        return ()
    if statement.as_of is None and not cells.is_blank(book.values(area.with_rows(1))[0][0]):
        warnings.append("the file names no date: the valuation date was cleared")
    content = dt.datetime.combine(statement.as_of, dt.time()) if statement.as_of else None
    return (Cell(sheet=area.sheet, row=area.row, column=area.column, content=content),)
