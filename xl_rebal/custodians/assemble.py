"""From the raw cells of a positions table to checked holdings: the book-keeping all readers share.

A custodian's file says where its tables are and what its rows mean; numbers, derived prices,
multipliers, rates, repeated symbols and totals are the same work for all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import kinds
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.money import Amounts, read_amounts
from xl_rebal.custodians.numbers import ISO_CODES
from xl_rebal.custodians.rates import base_currency, rates_for
from xl_rebal.custodians.sheets import as_text
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.values import (
    derive_missing,
    find_multipliers,
    stated_in_own_currency,
    warn_conflicts,
)
from xl_rebal.custodians.words import Groups, Words, objects
from xl_rebal.portfolio.accounts import is_masked
from xl_rebal.portfolio.classes import CASH
from xl_rebal.portfolio.holdings import Holdings, Kind, TextColumn

Classify = Callable[[str, str, str], str]  # symbol, description, security type -> kind, "" unknown
_NO_SYMBOL = frozenset({"", "--", "-", "N/A", "n/a", "null", "NULL", "None"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Holdings and the base currency that their rates lead to."""

    holdings: Holdings
    base_currency: str


@np.errstate(
    over="ignore", invalid="ignore"
)  # numbers out of all bounds are refused with their row
def assemble(
    table: Table, *, classify: Classify, defaults: Defaults, problems: Problems
) -> Assembly:
    """Checked holdings of a table; every fault and warning is noted in `problems`.

    The caller raises the faults: rows that are at fault hold NaN until then.
    """
    accounts = _accounts(table, defaults, problems)
    symbols, descriptions = table.words("symbol").column(), table.words("description").column()
    kind = _kinds(table, classify, problems)
    amounts = read_amounts(table, defaults, problems)
    is_position = kind == Kind.POSITION.value
    _name_rows(table, symbols, descriptions, kind, problems)
    currency, fx, base = _currencies(table, defaults, amounts, symbols, kind, problems)
    multiplier = find_multipliers(table, defaults, amounts, symbols, kind, problems)
    derive_missing(table, amounts, multiplier, kind, problems)
    stated = stated_in_own_currency(amounts, multiplier, fx, is_position)
    cash_like = ~is_position
    price = np.where(cash_like, 1.0, amounts.price)
    quantity = np.where(cash_like, _money(amounts), amounts.quantity)
    holdings = Holdings(
        account=accounts,
        symbol=symbols,
        kind=kind,
        quantity=quantity,
        price=price,
        stated_value=stated,
        multiplier=multiplier,
        currency=currency,
        fx=fx,
        asset_class=_classes(table, kind),
        description=descriptions,
        line=table.lines,
    )
    if not problems.faulty:
        warn_conflicts(holdings, problems)
        _warn_repeats(holdings, problems)
    return Assembly(holdings=holdings, base_currency=base)


def _name_rows(
    table: Table,
    symbols: TextColumn,
    descriptions: TextColumn,
    kind: TextColumn,
    problems: Problems,
) -> None:
    """Give every row its symbol: the description where there is none, `CASH`, or nothing (pending)."""
    is_position = kind == Kind.POSITION.value
    for row in np.flatnonzero(~is_position).tolist():
        if kind[row] == Kind.PENDING.value:
            descriptions[row] = descriptions[row] or symbols[row] or "Pending activity"
            symbols[row] = ""
        elif not symbols[row]:
            symbols[row] = "CASH"
    unnamed = Words.of(symbols).among(_NO_SYMBOL) & is_position
    symbols[unnamed] = descriptions[unnamed]
    for row in np.flatnonzero(unnamed & (descriptions == "")).tolist():
        problems.fault(
            table.lines[row], table.label("symbol"), "is blank",
            "name the security in this row, or remove the row",
        )  # fmt: skip
    cells = table.columns.get("symbol", [])
    if any(issubclass(t, dt.date) for t in set(map(type, cells))):
        for row, cell in enumerate(cells):
            if isinstance(cell, dt.date):
                problems.fault(
                    table.lines[row], table.label("symbol"), f"{symbols[row]!r} is a date",
                    "the spreadsheet turned a symbol into a date: format the column as text and retype it",
                )  # fmt: skip


def _classes(table: Table, kind: TextColumn) -> TextColumn:
    """The file's own classes; cash is `Cash` where the file names none."""
    classes = table.words("asset_class").column()
    return np.where((classes == "") & (kind == Kind.CASH.value), CASH, classes)


def _accounts(table: Table, defaults: Defaults, problems: Problems) -> TextColumn:
    words = table.words("account")
    known = [text for text in words.texts if text]
    if not known:
        return np.full(len(table), defaults.account or "Portfolio", dtype=object)
    accounts = words.column()
    only = known[0] if len(known) == 1 else defaults.account
    blank = words.among({""})
    accounts[blank] = only
    for row in np.flatnonzero(blank).tolist() if not only else ():
        problems.fault(
            table.lines[row], table.label("account"), "is blank",
            "name the row's account (the file has several)",
        )  # fmt: skip
    names = table.words("account_name")
    if any(names.texts) and any(map(is_masked, Words.of(accounts).texts)):
        return objects(part_masked(accounts.tolist(), names.column().tolist(), problems))
    return accounts


def part_masked(accounts: list[str], names: Sequence[str], problems: Problems) -> list[str]:
    """Accounts whose masked ids agree and whose names do not, told apart by their names."""
    by_id: dict[str, dict[str, None]] = {}
    for account, name in dict.fromkeys(zip(accounts, names, strict=True)):
        by_id.setdefault(account, {})[name] = None
    shared = {a for a, held in by_id.items() if len(held) > 1 and is_masked(a)}
    if not shared:
        return accounts
    for account in sorted(shared):
        problems.warn(
            f"account id {account} stands for several accounts ({', '.join(by_id[account])}): "
            "they are kept apart as 'id (name)'"
        )
    return [f"{a} ({n})" if a in shared and n else a for a, n in zip(accounts, names, strict=True)]


def _kinds(table: Table, classify: Classify, problems: Problems) -> TextColumn:
    roles = [table.words(role) for role in ("symbol", "description", "security_type")]
    groups = Groups.of(*roles)
    parts = [[words.texts[c] for c in words.codes[groups.first].tolist()] for words in roles]
    known = [classify(*each) or Kind.POSITION.value for each in zip(*parts, strict=True)]
    kind = objects(known)[groups.codes]
    if "kind" in table.columns:
        _stated_kinds(table, kind, problems)
    elif "price" in table.columns:
        _currency_rows(table, kind)
        _doubt_pending(table, kind, problems)
    return kind


def _stated_kinds(table: Table, kind: TextColumn, problems: Problems) -> None:
    words = {k.value: k.value for k in Kind} | {"security": Kind.POSITION.value}
    stated = table.words("kind")
    means = objects([words.get(text.casefold(), "") for text in stated.texts])[stated.codes]
    given = ~stated.among({""})
    kind[given & (means != "")] = means[given & (means != "")]
    for row in np.flatnonzero(given & (means == "")).tolist():
        problems.fault(
            table.lines[row], table.label("kind"),
            f"{stated.texts[stated.codes[row]]!r} is no kind of holding",
            "write position, cash or pending",
        )  # fmt: skip


def _currency_rows(table: Table, kind: TextColumn) -> None:
    """A symbol `USD` is money at a price of 1 or none, and a listed fund (of that ticker) else."""
    named = table.words("symbol").among(ISO_CODES) & (kind == Kind.POSITION.value)
    for row in np.flatnonzero(named).tolist():
        if kinds.is_money_price(as_text(table.columns["price"][row])):
            kind[row] = Kind.CASH.value


def _doubt_pending(table: Table, kind: TextColumn, problems: Problems) -> None:
    """What is named pending activity and has a quantity and a price is a holding under a wrong name."""
    for row in np.flatnonzero(kind == Kind.PENDING.value).tolist():
        cells = [
            as_text(table.columns[r][row]) for r in ("quantity", "price") if r in table.columns
        ]
        if len(cells) == 2 and all(any(ch.isdigit() for ch in text) for text in cells):
            problems.fault(
                table.lines[row], table.label("symbol"), "is pending activity with a quantity and a price",
                "name the security in this row; pending activity is an amount of money only",
            )  # fmt: skip


def _money(amounts: Amounts) -> NDArray[np.float64]:
    """The money of a cash or pending row: its value, else quantity x price, else quantity; 0 blank."""
    with np.errstate(all="ignore"):  # what overflows is refused where values are needed
        product = amounts.quantity * np.where(np.isfinite(amounts.price), amounts.price, 1.0)
    money = np.where(np.isfinite(amounts.value), amounts.value, product)
    return np.where(np.isfinite(money), money, 0.0)


def _currencies(
    table: Table,
    defaults: Defaults,
    amounts: Amounts,
    symbols: TextColumn,
    kind: TextColumn,
    problems: Problems,
) -> tuple[TextColumn, NDArray[np.float64], str]:
    currency = table.words("currency").column()
    if amounts.currency is not None:
        currency = np.where(currency == "", amounts.currency, currency)
    for row in np.flatnonzero((kind == Kind.CASH.value) & (currency == "")).tolist():
        if symbols[row] in ISO_CODES:
            currency[row] = symbols[row]
    stated = Words.of(currency)
    codes, names = stated.codes, stated.texts
    known = [kinds.currency_code(name) for name in names]
    for place, (name, code) in enumerate(zip(names, known, strict=True)):
        if code is None:
            first = table.lines[int(np.flatnonzero(codes == place)[0])]
            problems.fault(
                first, table.label("currency"), f"{name!r} is no currency",
                "write the three letters of ISO 4217, such as USD",
            )  # fmt: skip
    if len(names):
        currency = objects([code or "" for code in known])[codes]
    money = np.abs(np.where(np.isfinite(amounts.value), amounts.value, amounts.quantity))
    base = base_currency(currency, amounts.fx, money, defaults.currency)
    currency = np.where(currency == "", base, currency)
    fx = rates_for(currency, amounts.fx, base, problems)
    return currency, fx, base


def _warn_repeats(holdings: Holdings, problems: Problems) -> None:
    named = holdings.symbol != ""
    account, symbol = holdings.account[named], holdings.symbol[named]
    again = Groups.of(Words.of(account), Words.of(symbol)).repeated
    if not again.any():
        return
    pairs = list(dict.fromkeys(zip(account[again].tolist(), symbol[again].tolist(), strict=True)))
    shown = ", ".join(f"{symbol} in {account}" for account, symbol in pairs[:10])
    more = f" and {len(pairs) - 10:,} more" if len(pairs) > 10 else ""
    problems.warn(
        f"a symbol stands more than once in an account and every row was kept: {shown}{more}"
    )
