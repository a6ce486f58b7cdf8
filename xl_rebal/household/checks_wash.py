"""Whether any loss of a household plan is bought back: in history, in lots, in the plan itself."""

from __future__ import annotations

import datetime as dt

from xl_rebal.household.checks_rows import HouseholdRows, group_of, kind_of, return_of
from xl_rebal.tax.taxpayers import taxpayers
from xl_rebal.tax.wash_sales import ledger
from xl_rebal.trading.plan import Action


def check_wash_sales(rows: HouseholdRows) -> None:
    """No loss of the plan is bought back, before or with it, in any account that counts."""
    today, window = rows.request.as_of, dt.timedelta(days=30)
    bought = _bought(rows, today - window, today)
    for sale in rows.plan.lot_sales:
        if sale.gain >= -0.005:
            continue
        own = (sale.account, sale.symbol, sale.acquired)
        for account, symbol, day in bought:
            if (account, symbol, day) == own:
                continue
            if group_of(rows, symbol) == group_of(rows, sale.symbol) and _joined(
                rows, account, sale.account
            ):
                where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
                what = f"is sold at a loss, and {symbol} is bought in {account} on {day}"
                rows.fault("wash-sale", where, what)
                break
    _check_bought_back(rows, today, window)


def _bought(rows: HouseholdRows, first: dt.date, today: dt.date) -> list[tuple[str, str, dt.date]]:
    """(account, symbol, day) of what was bought since a day and is still held, and of what is planned."""
    bought = [(t.account, t.symbol, today) for t in rows.plan.trades if t.action is Action.BUY]
    received = set()
    lots = rows.source.lots
    listed = set(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True))
    for event in rows.source.history:
        # Where an account lists its lots, a purchase that is not among them has been sold already.
        told_by_lots = (event.account, event.symbol) in listed
        if event.event.value in ("buy", "reinvest") and not told_by_lots:
            bought.append((event.account, event.symbol, event.date))
        elif event.event.value == "receive":
            received.add((event.account, event.symbol, event.date))
    for each in zip(
        lots.account.tolist(), lots.symbol.tolist(), lots.acquired.tolist(), strict=True
    ):
        if each[2] is not None and each not in received:
            bought.append(each)
    last = today + (today - first)
    return [each for each in bought if first <= each[2] <= last]


def _joined(rows: HouseholdRows, one: str, other: str) -> bool:
    """True when a purchase in one account counts against a loss in the other: same return, spouses, or a
    parent and a minor child.
    """
    if not rows.accounts.keys() >= {one, other}:
        return False
    mine, theirs = return_of(rows, one), return_of(rows, other)
    if mine == theirs or {mine, theirs} <= _separate(rows):
        return True
    kinds = sorted((kind_of(rows.accounts[one]), kind_of(rows.accounts[other])))
    return kinds in (["client", "spouse"], ["client", "minor"], ["minor", "spouse"])


def _separate(rows: HouseholdRows) -> set[str]:
    found = set()
    for name, account in rows.accounts.items():
        profile = rows.source.profiles.get(account.tax_profile)
        if profile is not None and profile.filing_status == "married_separate":
            found.add(return_of(rows, name))
    return found


def _check_bought_back(rows: HouseholdRows, today: dt.date, window: dt.timedelta) -> None:
    """Nothing is bought that history sold at a loss within 30 days."""
    book = rows.source.book
    who = taxpayers(book.accounts, rows.source.profiles, named=book.holdings.accounts())
    past = ledger(rows.source.history, who, book.securities, complete=False).sales
    for trade in rows.plan.trades:
        if trade.action is Action.SELL:
            continue
        for sale in past:
            lost = sale.gain is None or sale.gain < 0
            if not lost or not today - window <= sale.date <= today:
                continue
            same = group_of(rows, trade.symbol) == group_of(rows, sale.symbol)
            if same and _joined(rows, trade.account, sale.account):
                where = f"{trade.account}, {trade.symbol}"
                what = f"is bought, and was sold at a loss in {sale.account} on {sale.date}"
                rows.fault("wash-sale", where, what)
                break
