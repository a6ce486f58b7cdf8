"""The lots of a household plan: are they there, do they add up, what do they gain, what is the tax."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from xl_rebal.household.checks_rows import (
    CENT,
    HouseholdRows,
    exact,
    is_taxed,
    price_of,
    return_of,
    takes_no_lots,
)
from xl_rebal.household.plan import LotSale
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.tax.netting import Gains
from xl_rebal.trading.checks_tax import check_added_tax
from xl_rebal.trading.plan import Action

_GOLD = frozenset(
    {
        "GLD",
        "GLDM",
        "IAU",
        "IAUM",
        "SGOL",
        "BAR",
        "OUNZ",
        "AAAU",
        "SLV",
        "SIVR",
        "PPLT",
        "PALL",
        "GLTR",
    }
)


def check_lots(rows: HouseholdRows) -> None:
    """Every lot is there, is sold once and not more than it holds; the lots of a sale add up to it."""
    lots = rows.source.lots
    used: set[int] = set()
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for sale in rows.plan.lot_sales:
        where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
        if not 0 <= sale.row < len(lots) or sale.row in used:
            rows.fault("lot", where, "is no lot of the book, or is sold twice")
            continue
        used.add(sale.row)
        told = (sale.account, sale.symbol, sale.acquired)
        there = (
            lots.account[sale.row],
            lots.symbol[sale.row],
            lots.acquired[sale.row].astype(object),
        )
        if told != there:
            rows.fault("lot", where, f"the book's lot in its place is {there}")
            continue
        quantity = exact(sale.quantity)
        if not 0 < quantity <= exact(lots.quantity[sale.row]) + Decimal("1e-9"):
            rows.fault(
                "lot", where, f"{quantity} units are sold of {lots.quantity[sale.row]:,.10g}"
            )
        sums[sale.account, sale.symbol] += quantity
        price = price_of(rows, sale.account, sale.symbol) or Decimal()
        gain = quantity * (price - _unit_cost(rows, sale))
        if abs(gain - exact(sale.gain)) > CENT:
            rows.fault("gain", where, f"gains {gain:,.2f}, the plan says {sale.gain:,.2f}")
        stated = str(lots.term[sale.row]) == "long"  # a holding period that a wash sale tacked on
        term = "long" if stated or rows.request.as_of >= _long_from(sale.acquired) else "short"
        if term != sale.term:
            rows.fault("term", where, f"is {term}, the plan says {sale.term}")
    for trade in rows.plan.trades:
        account = rows.accounts.get(trade.account)
        if account is None or trade.action is Action.BUY or not is_taxed(account):
            continue
        security = rows.source.book.security(trade.symbol)
        if security.vehicle is Vehicle.CASH:
            continue
        named = sums.pop((trade.account, trade.symbol), Decimal())
        if abs(named - exact(trade.quantity)) > Decimal("1e-6"):
            where = f"{trade.account}, {trade.symbol}"
            rows.fault("lots", where, f"its lots add up to {named} of {trade.quantity:,.10g} sold")
    for name, symbol in sums:
        rows.fault("lots", f"{name}, {symbol}", "lots are sold without an order")
    _check_order(rows)


def _unit_cost(rows: HouseholdRows, sale: LotSale) -> Decimal:
    """The basis of a unit: the lot's own, or the average of a fund where no lots can be named."""
    lots, security = rows.source.lots, rows.source.book.security(sale.symbol)
    fx = rows.to_base.get((sale.account, sale.symbol), Decimal(1))
    if security.vehicle is Vehicle.MUTUAL_FUND and takes_no_lots(rows, sale.account):
        units = cost = Decimal()
        for i in range(len(lots)):
            if (lots.account[i], lots.symbol[i]) == (sale.account, sale.symbol):
                units += exact(lots.quantity[i])
                cost += exact(lots.quantity[i]) * exact(lots.unit_cost[i])
        return cost / units * fx
    return exact(lots.unit_cost[sale.row]) * fx


def _long_from(acquired: dt.date) -> dt.date:
    """The first day of a long-term sale: one year after the day that follows the purchase."""
    day = acquired + dt.timedelta(days=1)
    try:
        return dt.date(day.year + 1, day.month, day.day)
    except ValueError:
        return dt.date(day.year + 1, 3, 1)


def _check_order(rows: HouseholdRows) -> None:
    """Where no lots can be named, the oldest are sold first."""
    lots = rows.source.lots
    sold = {sale.row: exact(sale.quantity) for sale in rows.plan.lot_sales}
    for sale in rows.plan.lot_sales:
        if sale.account not in rows.accounts or not takes_no_lots(rows, sale.account):
            continue
        for i in range(len(lots)):
            same = (lots.account[i], lots.symbol[i]) == (sale.account, sale.symbol)
            older = same and lots.acquired[i].astype(object) < sale.acquired
            if older and sold.get(i, Decimal()) < exact(lots.quantity[i]) - Decimal("1e-6"):
                where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
                rows.fault("relief", where, f"is sold before the lot of {lots.acquired[i]}")
                break


def check_tax(rows: HouseholdRows) -> None:
    """Gains add up by return and kind, and the tax is the difference of the year with and without."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    profiles = {}
    paid = {each.account: each.raised for each in rows.plan.accounts}
    for name, account in rows.accounts.items():
        drawn = bool(rows.request.withdrawal) and account.type.casefold() == "traditional"
        if drawn and not account.held_away:
            sums[return_of(rows, name)]["ordinary"] += exact(paid.get(name, 0.0))
        if is_taxed(account) or (drawn and not account.held_away):
            known = rows.source.profiles
            profile = known.get(account.tax_profile)
            if profile is None and len(known) == 1:
                profile = next(iter(known.values()))
            profiles[return_of(rows, name)] = profile
    for sale in rows.plan.lot_sales:
        kind = rows.source.book.security(sale.symbol).tax_class.casefold()
        if not kind and sale.symbol.upper() in _GOLD:
            kind = "collectible"
        mine = sums[return_of(rows, sale.account)]
        gain = exact(sale.gain) + exact(sale.disallowed)  # held against the purchases elsewhere
        if kind == "section_1256":
            mine["short"] += gain * Decimal("0.4")
            mine["long"] += gain * Decimal("0.6")
        else:
            mine["collectible" if kind == "collectible" and sale.term == "long" else sale.term] += (
                gain
            )
    told = {each.tax_return: each for each in rows.plan.returns}
    for name, profile in profiles.items():
        each = told.get(name)
        if each is None or profile is None:
            rows.fault("tax", f"tax return {name}", "the plan says nothing of its tax")
            continue
        mine = sums[name]
        gains = Gains(
            short=float(mine["short"]),
            long=float(mine["long"]),
            collectible=float(mine["collectible"]),
            ordinary=float(mine["ordinary"]),
        )
        for kind in ("short", "long", "collectible", "ordinary"):
            wanted, said = getattr(gains, kind), getattr(each.gains.split, kind)
            if abs(wanted - said) > 0.01:
                what = f"{kind} gains or income are {wanted:,.2f}, the plan says {said:,.2f}"
                rows.fault("tax", f"tax return {name}", what)
        for found in check_added_tax(f"tax return {name}", profile, gains, each.added.total):
            rows.fault(found.code, found.where, found.what)
