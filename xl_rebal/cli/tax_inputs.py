"""What the commands about taxes are given, read and checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xl_rebal.cli import amounts
from xl_rebal.cli.inputs import bind_nothing, read_accounts, read_securities, without_discretion
from xl_rebal.custodians import BookTables, read_book
from xl_rebal.custodians.input_tables import read_table
from xl_rebal.errors import Fault, FaultList, TableError, TaxError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import assign_classes
from xl_rebal.portfolio.history import History, history_from_rows, require_past_trades
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.securities import Security, default_security, spelled_as
from xl_rebal.tax.gains import require_sound
from xl_rebal.tax.harvesting import Harvest, HarvestRequest, Threshold
from xl_rebal.tax.harvesting import harvest as take_losses
from xl_rebal.tax.profiles import TaxProfile, profiles_from_rows, profiles_of
from xl_rebal.tax.taxpayers import TAXABLE, Taxpayers, profiles_by_return, taxpayers
from xl_rebal.tax.wash_sales import Ledger, ledger
from xl_rebal.tax.wash_window import WashWindow, wash_window


@dataclass(frozen=True, slots=True, kw_only=True)
class WashSales:
    """What `wash-sales` works on: the ledger, who is taxed together, and the window of today.

    as_of   the day that was stated, or None; the window is then that of the last trade.
    """

    ledger: Ledger
    who: Taxpayers
    window: WashWindow
    as_of: dt.date | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestAsked:
    """What `harvest` works on, and its result."""

    book: BookTables
    as_of: dt.date
    who: Taxpayers
    harvest: Harvest
    threshold: Threshold
    warnings: tuple[str, ...]


def read_history(
    path: Path,
    *,
    accounts: Path | None,
    securities: Path | None,
    profiles: Path | None,
    as_of: str | None,
) -> WashSales:
    """Read a trade history and what says whose accounts they are; the faults of all files together."""
    faults = FaultList()
    day = read_day(as_of)
    events: History = ()
    rows: dict[str, Account] = {}
    known: dict[str, Security] = {}
    named: dict[tuple[str, int], TaxProfile] = {}
    with faults.collecting():
        events = history_from_rows(read_table(path, tables.HISTORY), as_of=day)
    with faults.collecting():
        rows = read_accounts(accounts)
    with faults.collecting():
        known = read_securities(securities)
    if profiles is not None:
        with faults.collecting():
            named = profiles_from_rows(read_table(profiles, tables.TAX_PROFILES))
    faults.raise_as(TableError)
    used = list(dict.fromkeys(event.account for event in events))
    who = taxpayers(rows, {name: p for (name, _), p in named.items()}, named=used)
    warnings = list(who.notes)
    if accounts is None and len(used) > 1:
        warnings.append(
            f"without --accounts, {', '.join(used)} are taken as taxable and on one tax return"
        )
    elif accounts is not None and (without := [name for name in used if name not in rows]):
        warnings.append(
            f"{', '.join(without)} has no row in the accounts table: taken as taxable and on the one "
            "tax return there is"
        )
    known = dict(spelled_as(known, dict.fromkeys(event.symbol for event in events)))
    result = ledger(events, who, known)
    last = day or max(event.date for event in events)
    return WashSales(
        ledger=result,
        who=who,
        window=wash_window(events, who, as_of=last, securities=known),
        as_of=day,
        warnings=tuple(warnings),
    )


def read_harvest(
    path: Path,
    *,
    minimum: float,
    minimum_percent: str,
    goal: float | None,
    household: str | None,
    as_of: str | None,
) -> HarvestAsked:
    """Read a book, check its lots against its positions, and judge every lot at a loss."""
    threshold = Threshold(
        money=amounts.money(minimum, "--minimum"),
        fraction=amounts.share(minimum_percent, "--minimum-percent", most=0.99),
    )
    if goal is not None and not amounts.money(goal, "--loss") > 0:
        raise TableError.of(
            where="--loss", what=f"{goal:g} is no loss", remedy="enter an amount greater than zero"
        )
    book = read_book(path)
    book.require("holdings", "lots")
    day = read_day(as_of) or book.as_of
    if day is None:
        raise TableError.of(
            where=book.name,
            what="does not say of which day it is, and terms and windows depend on it",
            remedy="add a column as_of to the holdings, or --as-of 2026-11-23",
        )
    everyone = book.holdings.accounts()
    idle = bind_nothing(book.restrictions, everyone, book.accounts, book.holdings)
    if household is not None:
        book = _only(book, household)
    faults = FaultList()
    with faults.collecting():
        require_sound(_taxed(book), book.holdings, day)
    with faults.collecting():
        require_past_trades(book.history, day)
    faults.extend(_foreign(book))
    used = [*book.holdings.accounts(), *book.lots.account.tolist()]
    used += [event.account for event in book.history]
    by_name: dict[str, TaxProfile] = {}
    who: Taxpayers | None = None
    returns: dict[tuple[str, str], TaxProfile] = {}
    with faults.collecting():
        by_name = profiles_of(book.tax_profiles, day.year)
    with faults.collecting():
        who = taxpayers(book.accounts, by_name, named=used)
        returns = profiles_by_return(who, by_name)
    faults.raise_as(TaxError)
    assert who is not None  # else a fault was raised above
    warnings = [*book.warnings, *without_discretion(book.holdings, book.accounts), *who.notes]
    warnings += idle
    if not book.tax_profiles:
        warnings.append("without the table tax_profiles no tax value is worked out")
    if "history" not in book.present:
        warnings.append(
            "without the table history only the lots themselves tell what was bought lately, and nothing "
            "what was sold"
        )
    securities = _known_securities(book)
    window = wash_window(book.history, who, as_of=day, securities=securities, lots=book.lots)
    request = HarvestRequest(
        threshold=threshold,
        profiles=returns,
        goal=goal,
        restrictions=book.restrictions,
        values=_values(book.holdings),
    )
    result = take_losses(book.lots, _prices(book), window, request)
    return HarvestAsked(
        book=book,
        as_of=day,
        who=who,
        harvest=result,
        threshold=threshold,
        warnings=(*warnings, *result.warnings),
    )


def read_day(text: str | None) -> dt.date | None:
    """The day of `--as-of`."""
    if text is None:
        return None
    try:
        return cells.date(text)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where="--as-of", what=what, remedy=remedy) from None


def _only(book: BookTables, household: str) -> BookTables:
    """The accounts of one household, and what is in them."""
    mine = {name: a for name, a in book.accounts.items() if a.household == household}
    if not mine:
        known = ", ".join(sorted({a.household for a in book.accounts.values() if a.household}))
        raise TableError.of(
            where="--household",
            what=f"{household!r} has no account in {book.name}",
            remedy=f"households are: {known or 'not named in the accounts table'}",
        )
    names = list(mine)
    return replace(
        book,
        accounts=mine,
        holdings=book.holdings.take(np.isin(book.holdings.account.astype(str), names)),
        lots=book.lots.take(np.isin(book.lots.account.astype(str), names)),
        history=tuple(event for event in book.history if event.account in mine),
    )


def _taxed(book: BookTables) -> Lots:
    """The lots of taxable accounts: only their basis matters."""
    sheltered = {
        name for name, a in book.accounts.items() if a.type and a.type.casefold() != TAXABLE
    }
    return book.lots.take(
        np.array([a not in sheltered for a in book.lots.account.tolist()], dtype=np.bool_)
    )


def _foreign(book: BookTables) -> list[Fault]:
    """Faults of lots whose security is priced in another currency: their cost has a rate of its own day."""
    held = book.holdings
    foreign = dict.fromkeys(held.symbol[held.is_position & (held.fx != 1.0)].tolist())
    lots = set(_taxed(book).symbol.tolist())
    return [
        Fault(
            where=f"lots of {symbol}",
            what="are in another currency than the book, and their cost has the rate of its own day",
            remedy="give price and unit_cost of these in the base currency",
        )
        for symbol in foreign
        if symbol in lots
    ]


def _prices(book: BookTables) -> dict[str, float]:
    """Money per unit: of the holdings, else of the securities table."""
    prices = {s: security.price for s, security in book.securities.items() if security.price}
    held = book.holdings
    rows = held.is_position
    each = (held.price * held.multiplier)[rows].tolist()
    prices.update(zip(held.symbol[rows].tolist(), each, strict=True))
    return {symbol: float(price) for symbol, price in prices.items()}


def _values(holdings: Holdings) -> dict[str, float]:
    """Account -> what it is worth, pending activity left out."""
    result: dict[str, float] = {}
    counted = ~holdings.is_pending
    for account, value in zip(
        holdings.account[counted].tolist(), holdings.value[counted].tolist(), strict=True
    ):
        result[account] = result.get(account, 0.0) + value
    return result


def _known_securities(book: BookTables) -> Mapping[str, Security]:
    """The securities table, spelled like the lots, and with the classes that the holdings state."""
    held, _ = assign_classes(book.holdings, securities=book.securities)
    stated = dict(zip(held.symbol.tolist(), held.asset_class.tolist(), strict=True))
    symbols = dict.fromkeys([*stated, *book.lots.symbol.tolist()])
    result = dict(spelled_as(book.securities, symbols))
    for symbol, asset_class in stated.items():
        known = result.get(symbol) or default_security(symbol)
        if asset_class and not known.asset_class:
            result[symbol] = replace(known, asset_class=asset_class)
    return result
