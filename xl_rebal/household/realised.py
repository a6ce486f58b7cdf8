"""What trades of accounts that were planned one by one realise: the lots they sell, and their tax.

A plan of a household chooses its lots itself. Here the trades are given; the lots are those that the
custodian takes by the method on file: without one the first in, first out (26 CFR 1.1012-1(c)), for
mutual funds of accounts that take no lot instructions the average cost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.errors import TaxError
from xl_rebal.household import plan
from xl_rebal.household.plan import ReturnResult
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.securities import Security, Vehicle
from xl_rebal.tax.default_relief import names_lots
from xl_rebal.tax.income_tax import added_tax
from xl_rebal.tax.lot_methods import LotMethod, LotSale, choose_lots, gains_of
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Taxpayers, taxpayers
from xl_rebal.tax.wash_window import Bought, LotSold, conflicts, wash_window
from xl_rebal.trading.plan import Action, Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """What trades realise in taxable accounts.

    sales    the lots that are sold, in the order of the trades.
    returns  gains and tax by tax return, of the returns with a profile.
    washes   losses that a purchase disallows, in words.
    notes    what could not be worked out, and why.
    """

    sales: tuple[plan.LotSale, ...] = ()
    returns: tuple[ReturnResult, ...] = ()
    washes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def realised(
    source: HouseholdBook,
    trades: Sequence[Trade],
    *,
    as_of: dt.date,
    method: LotMethod = LotMethod.FIFO,
) -> Realised:
    """What the trades of a household realise on a day; gains are before any loss is disallowed.

    method  how the lots of accounts that take lot instructions are chosen.

    Raises nothing for lots that are missing or do not suffice: a note says so, and their gain is left out.
    """
    book = source.book
    who = taxpayers(book.accounts, source.profiles, named=source.used_accounts)
    known = {s: book.security(s) for s in (*book.securities, *book.holdings.symbol.tolist()) if s}
    rates = dict(
        zip(
            zip(book.holdings.account.tolist(), book.holdings.symbol.tolist(), strict=True),
            book.holdings.fx.tolist(),
            strict=True,
        )
    )
    rows = _rows_by_position(source)
    sold: list[LotSale] = []
    notes: list[str] = []
    for trade in trades:
        if trade.action is not Action.SELL or not who.is_taxable(trade.account):
            continue
        try:
            sold += _lots_of(source, trade, rows, rates, method, as_of, known)
        except TaxError as error:
            faults = "; ".join(f"{fault.where} {fault.what}" for fault in error.faults)
            notes.append(
                f"{trade.symbol} sold in {trade.account}: its gain is not known ({faults})"
            )
    returns, told = _returns(source, sold, who, known)
    washes = _washes(source, sold, trades, who, known, as_of)
    return Realised(
        sales=_with_tax(source, sold, returns, who, known, method),
        returns=tuple(returns.values()),
        washes=washes,
        notes=(*notes, *told),
    )


_WHY = {
    LotMethod.FIFO: "the oldest lots go first",
    LotMethod.LIFO: "the latest lots go first",
    LotMethod.HIFO: "the lots of the highest cost go first",
    LotMethod.LOWEST_TAX: "the lots that cost least tax go first",
    LotMethod.AVERAGE: "every unit costs the average of all lots",
}


def _rows_by_position(source: HouseholdBook) -> dict[tuple[str, str], list[int]]:
    lots = source.lots
    result: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True)):
        result.setdefault(key, []).append(row)
    return result


def _lots_of(
    source: HouseholdBook,
    trade: Trade,
    rows: Mapping[tuple[str, str], list[int]],
    rates: Mapping[tuple[str, str], float],
    method: LotMethod,
    as_of: dt.date,
    known: Mapping[str, Security],
) -> list[LotSale]:
    """The lots of one sale, with their place in the whole table."""
    found = rows.get((trade.account, trade.symbol), [])
    if not found:
        raise TaxError.of(
            where="lots", what="none is listed", remedy="add its lots with day and cost"
        )
    fx = rates.get((trade.account, trade.symbol), 1.0)
    chosen = choose_lots(
        source.lots.take(np.array(found)),
        trade.quantity,
        _method(source, trade.account, trade.symbol, method, known),
        price=trade.unit_value / fx,
        as_of=as_of,
        tax=_profile(source, trade.account),
        securities=known,
    )
    return [_placed(sale, found[sale.row], fx) for sale in chosen]


def _method(
    source: HouseholdBook,
    account: str,
    symbol: str,
    method: LotMethod,
    known: Mapping[str, Security],
) -> LotMethod:
    """How the lots of a position are chosen: without instructions by what custodians do."""
    if names_lots(source.book.account(account)):
        return method
    fund = known[symbol].vehicle is Vehicle.MUTUAL_FUND
    return LotMethod.AVERAGE if fund else LotMethod.FIFO


def _placed(sale: LotSale, row: int, fx: float) -> LotSale:
    """The sale with its lot's place in the whole table, in the base currency."""
    return LotSale(
        row=row,
        account=sale.account,
        symbol=sale.symbol,
        lot_id=sale.lot_id,
        acquired=sale.acquired,
        quantity=sale.quantity,
        unit_cost=sale.unit_cost * fx,
        price=sale.price * fx,
        term=sale.term,
    )


def _profile(source: HouseholdBook, account: str) -> TaxProfile | None:
    name = source.book.account(account).tax_profile
    if not name and len(source.profiles) == 1:
        return next(iter(source.profiles.values()))
    return source.profiles.get(name)


def _returns(
    source: HouseholdBook,
    sold: Sequence[LotSale],
    who: Taxpayers,
    known: Mapping[str, Security],
) -> tuple[dict[str, ReturnResult], list[str]]:
    gains: dict[str, Gains] = {}
    profiles: dict[str, TaxProfile | None] = {}
    for sale in sold:
        name = who.return_of(sale.account)
        gains[name] = gains.get(name, Gains()) + gains_of([sale], known)
        profiles[name] = profiles.get(name) or _profile(source, sale.account)
    result, notes = {}, []
    for name, total in gains.items():
        profile = profiles[name]
        if profile is None:
            notes.append(
                f"tax return {name or '(unnamed)'}: no tax profile is known, and no tax is worked out"
            )
            continue
        result[name] = ReturnResult(tax_return=name, gains=total, added=added_tax(profile, total))
    return result, notes


def _with_tax(
    source: HouseholdBook,
    sold: Sequence[LotSale],
    returns: Mapping[str, ReturnResult],
    who: Taxpayers,
    known: Mapping[str, Security],
    method: LotMethod,
) -> tuple[plan.LotSale, ...]:
    result = []
    for sale in sold:
        found = returns.get(who.return_of(sale.account))
        profile = _profile(source, sale.account)
        tax = 0.0
        if found is not None and profile is not None:
            alone = gains_of([sale], known)
            others = found.gains + Gains(
                short=-alone.short,
                long=-alone.long,
                collectible=-alone.collectible,
                section_1256=-alone.section_1256,
            )
            tax = added_tax(profile, alone, on_top_of=others).total
        result.append(
            plan.LotSale(
                account=sale.account,
                symbol=sale.symbol,
                row=sale.row,
                lot_id=sale.lot_id,
                acquired=sale.acquired,
                quantity=sale.quantity,
                proceeds=sale.proceeds,
                basis=sale.quantity * sale.unit_cost,
                gain=sale.gain,
                term="" if sale.term is None else sale.term.value,
                tax=tax,
                because=_WHY.get(_method(source, sale.account, sale.symbol, method, known), ""),
            )
        )
    return tuple(result)


def _washes(
    source: HouseholdBook,
    sold: Sequence[LotSale],
    trades: Sequence[Trade],
    who: Taxpayers,
    known: Mapping[str, Security],
    as_of: dt.date,
) -> tuple[str, ...]:
    window = wash_window(source.history, who, as_of=as_of, securities=known, lots=source.lots)
    found = conflicts(
        window,
        [
            LotSold(
                account=sale.account,
                symbol=sale.symbol,
                acquired=sale.acquired,
                quantity=sale.quantity,
                gain=sale.gain,
                row=sale.row,
            )
            for sale in sold
        ],
        [
            Bought(account=t.account, symbol=t.symbol, quantity=t.quantity)
            for t in trades
            if t.action is Action.BUY
        ],
    )
    return tuple(
        dict.fromkeys(f"{each.what}: wash sale; safe from {each.safe_from}" for each in found)
    )
