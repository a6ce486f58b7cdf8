"""The tax returns of a household's accounts, each with its profile."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from xl_rebal.errors import FaultList, TaxError
from xl_rebal.household.problem import TRADITIONAL, TaxReturn
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.household.tax_pieces import pieces_of
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.lot_methods import is_collectible
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Taxpayers


def returns_of(
    source: HouseholdBook,
    accounts: tuple[Account, ...],
    who: Taxpayers,
    request: HouseholdRequest,
) -> tuple[tuple[TaxReturn, ...], tuple[int, ...], tuple[int, ...]]:
    """The tax returns that the plan touches with their profiles, the return of each account's gains, and
    that of the income which a withdrawal from it is.
    """
    faults = FaultList()
    found: dict[str, TaxProfile] = {}
    places, incomes = [], []
    names: list[str] = []
    for account in accounts:
        taxable = who.is_taxable(account.account)
        drawn = bool(request.withdrawal) and account.type.casefold() == TRADITIONAL
        drawn = drawn and not account.held_away
        if not taxable and not drawn:
            places.append(-1)
            incomes.append(-1)
            continue
        name = who.return_of(account.account)
        if name not in names:
            names.append(name)
        places.append(names.index(name) if taxable else -1)
        incomes.append(names.index(name) if drawn else -1)
        profile = source.profiles.get(account.tax_profile)
        if not account.tax_profile and len(source.profiles) == 1:
            profile = next(iter(source.profiles.values()))
        if profile is None:
            faults.add(
                where=f"accounts, {account.account}, column tax_profile",
                what=f"{account.tax_profile!r} has no row in tax_profiles"
                if account.tax_profile
                else f"is blank, and the account's {'gains' if taxable else 'withdrawals'} are taxed",
                remedy=f"name one of: {', '.join(source.profiles) or 'none; add a row to tax_profiles'}",
            )
            continue
        if found.setdefault(name, profile) != profile:
            faults.add(
                where=f"accounts, {account.account}, column tax_profile",
                what=f"its tax return {name or '(unnamed)'} has two profiles",
                remedy="give all accounts of a return one profile",
            )
        elif profile.year != request.as_of.year:
            faults.add(
                where=f"tax profile {profile.tax_profile}, column year",
                what=f"is {profile.year}, and the plan is for {request.as_of}",
                remedy="add the profile of the year of the trades",
            )
    faults.raise_as(TaxError)
    by_law = any(each.rates_by_law for each in found.values())
    gains, coins = _gains_of(source, {each.account for each in accounts}) if by_law else (0.0, 0.0)
    made = [
        TaxReturn(
            name=n,
            profile=found[n],
            pieces=pieces_of(found[n], request.harvest, request.withdrawal, gains, coins),
        )
        for n in names
    ]
    return tuple(made), tuple(places), tuple(incomes)


def _gains_of(source: HouseholdBook, accounts: Set[str]) -> tuple[float, float]:
    """(all, collectibles') gains that stand in the lots of these accounts, in the base currency; nothing
    where there are no collectibles, for nobody asks then.
    """
    book, lots = source.book, source.lots
    lots = lots.take(np.array([name in accounts for name in lots.account.tolist()], dtype=np.bool_))
    known = {symbol: book.security(symbol) for symbol in dict.fromkeys(lots.symbol.tolist())}
    coins = {symbol for symbol in known if is_collectible(symbol, known)}
    if not coins:
        return 0.0, 0.0
    h = book.holdings
    columns = (h.account, h.symbol, h.price, h.multiplier, h.fx, h.is_position)
    prices = {
        (account, symbol): (price, multiplier * fx)
        for account, symbol, price, multiplier, fx, position in zip(
            *(column.tolist() for column in columns), strict=True
        )
        if position
    }
    every = mine = 0.0
    rows = (lots.account, lots.symbol, lots.quantity, lots.unit_cost)
    for account, symbol, units, cost in zip(*(c.tolist() for c in rows), strict=True):
        price, scale = prices.get((account, symbol), (0.0, 1.0))
        gain = units * (price - cost) * scale
        if gain > 0:  # a cost that is not known is refused elsewhere
            every += gain
            mine += gain if symbol in coins else 0.0
    return every, mine
