"""Whether any loss of a household plan is bought back: in history, in lots, in the plan itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.household.checks_rows import (
    CENT,
    HouseholdRows,
    exact,
    group_of,
    kind_of,
    return_of,
)
from xl_rebal.tax.taxpayers import taxpayers
from xl_rebal.tax.wash_sales import ledger
from xl_rebal.trading.plan import Action


@dataclass(slots=True)
class _Bought:
    """Units that were bought within thirty days or are bought by the plan, and replace nothing yet."""

    account: str
    symbol: str
    day: dt.date
    left: Decimal


def check_wash_sales(rows: HouseholdRows) -> None:
    """Of every loss just as much is left out as is bought back, before or with it, in any account that
    counts; losses in the order of acquisition, purchases likewise, each once.
    """
    today, window = rows.request.as_of, dt.timedelta(days=30)
    bought = _bought(rows, today - window, today)
    for sale in sorted(rows.plan.lot_sales, key=lambda s: (s.acquired, s.row)):
        where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
        if sale.gain >= -0.005:
            if sale.disallowed:
                rows.fault(
                    "wash-sale", where, f"is no loss, and {sale.disallowed:,.2f} is left out"
                )
            continue
        own = (sale.account, sale.symbol, sale.acquired)
        units = replaced = exact(sale.quantity)
        found = None
        for each in bought:
            if (each.account, each.symbol, each.day) == own or not each.left:
                continue
            same = group_of(rows, each.symbol) == group_of(rows, sale.symbol)
            if same and _joined(rows, each.account, sale.account):
                taken = min(replaced, each.left)
                each.left -= taken
                replaced -= taken
                found = each
                if not replaced:
                    break
        away = (units - replaced) * -exact(sale.gain) / units
        if abs(away - exact(sale.disallowed)) > CENT:
            what = f"{away:,.2f} of its loss does not count, the plan says {sale.disallowed:,.2f}"
            if found is not None:
                what += f": {found.symbol} is bought in {found.account} on {found.day}"
            rows.fault("wash-sale", where, what)
    _check_bought_back(rows, today, window)


def _bought(rows: HouseholdRows, first: dt.date, today: dt.date) -> list[_Bought]:
    """What was bought since a day and is still held, then what is planned, each in the order of its days."""
    bought = []
    received = set()
    lots = rows.source.lots
    listed = set(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True))
    for event in rows.source.history:
        # Where an account lists its lots, a purchase that is not among them has been sold already.
        told_by_lots = (event.account, event.symbol) in listed
        if event.event.value in ("buy", "reinvest") and not told_by_lots:
            bought.append((event.date, event.account, event.symbol, event.quantity))
        elif event.event.value == "receive":
            received.add((event.account, event.symbol, event.date))
    columns = (lots.acquired, lots.account, lots.symbol, lots.quantity)
    for day, account, symbol, units in zip(*(column.tolist() for column in columns), strict=True):
        if day is not None and (account, symbol, day) not in received:
            bought.append((day, account, symbol, units))
    recent = [each for each in bought if first <= each[0] <= today]
    recent.sort(key=lambda each: each[0])
    recent += [
        (today, t.account, t.symbol, t.quantity) for t in rows.plan.trades if t.action is Action.BUY
    ]
    return [
        _Bought(account=account, symbol=symbol, day=day, left=exact(units))
        for day, account, symbol, units in recent
    ]


def _joined(rows: HouseholdRows, one: str, other: str) -> bool:
    """True when a purchase in one account counts against a loss in the other: same return, spouses, or a
    parent and a minor child.
    """
    if not rows.family.keys() >= {one, other}:
        return False
    mine, theirs = return_of(rows, one), return_of(rows, other)
    if mine == theirs or {mine, theirs} <= _separate(rows):
        return True
    kinds = sorted((kind_of(rows.family[one]), kind_of(rows.family[other])))
    return kinds in (["client", "spouse"], ["client", "minor"], ["minor", "spouse"])


def _separate(rows: HouseholdRows) -> set[str]:
    found = set()
    for name, account in rows.family.items():
        profile = rows.source.profiles.get(account.tax_profile)
        if profile is not None and profile.filing_status == "married_separate":
            found.add(return_of(rows, name))
    return found


def _check_bought_back(rows: HouseholdRows, today: dt.date, window: dt.timedelta) -> None:
    """Nothing is bought that history sold at a loss within 30 days."""
    book = rows.source.book
    who = taxpayers(book.accounts, rows.source.profiles, named=rows.source.used_accounts)
    past = ledger(rows.source.history, who, book.securities, complete=False).sales
    for trade in rows.plan.trades:
        if trade.action is Action.SELL:
            continue
        for sale in past:
            # Of a loss that another purchase has taken away whole nothing is left to lose.
            lost = sale.allowed is None or sale.allowed < -1e-9
            if not lost or not today - window <= sale.date <= today:
                continue
            same = group_of(rows, trade.symbol) == group_of(rows, sale.symbol)
            if same and _joined(rows, trade.account, sale.account):
                where = f"{trade.account}, {trade.symbol}"
                what = f"is bought, and was sold at a loss in {sale.account} on {sale.date}"
                rows.fault("wash-sale", where, what)
                break
