"""Who is taxed together: the tax return of each account, and whose purchases touch whose losses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from xl_rebal.errors import FaultList, TaxError
from xl_rebal.portfolio.accounts import Account, Relationship
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile

TAXABLE = "taxable"
_BOUND = frozenset({Relationship.SELF, Relationship.SPOUSE, Relationship.MINOR_CHILD})
_OWN_RETURN = frozenset({Relationship.MINOR_CHILD, Relationship.ADULT_CHILD, Relationship.OTHER})
_SPOUSE = re.compile(r"\b(spouse|wife|husband)\b", re.IGNORECASE)
_ADULT = re.compile(r"\badult (child|children|son|daughter)\b", re.IGNORECASE)
_CHILD = re.compile(r"\b(child|children|son|daughter|minor)\b", re.IGNORECASE)


class Reach(StrEnum):
    """What a purchase in one account does to a loss in another.

    defer  same tax return, spouse or minor child, taxable account: the loss moves to the lot that was bought.
    lose   the same, IRA, HSA or plan: the loss is gone for good (Rev. Rul. 2008-5).
    warn   another tax return of the household, such as an adult child's: no wash sale by itself.
    none   another household.
    """

    DEFER = "defer"
    LOSE = "lose"
    WARN = "warn"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxpayers:
    """The accounts with their tax returns.

    accounts    by account.
    tax_return  the return of each account.
    separate    returns that are filed separately by spouses, by household.
    guesses     (account, words) of relationships that were taken from the words in `owner`.
    """

    accounts: Mapping[str, Account]
    tax_return: Mapping[str, str]
    separate: frozenset[tuple[str, str]] = frozenset()
    guesses: tuple[tuple[str, str], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The guesses of all accounts, in words."""
        return tuple(words for _, words in self.guesses)

    def notes_of(self, accounts: Collection[str]) -> tuple[str, ...]:
        """The guesses of some accounts, in words."""
        return tuple(words for account, words in self.guesses if account in accounts)

    def is_taxable(self, account: str) -> bool:
        """True for an account whose gains are taxed as they are realised."""
        found = self.accounts.get(account)
        return found is None or (found.type or TAXABLE).casefold() == TAXABLE

    def return_of(self, account: str) -> str:
        """The name of the tax return that an account's gains stand on."""
        return self.tax_return.get(account, "")

    def household_of(self, account: str) -> str:
        """The household of an account, "" where none is named."""
        found = self.accounts.get(account)
        return found.household if found is not None else ""

    def reach(self, bought_in: str, sold_in: str) -> Reach:
        """What a purchase in `bought_in` does to a loss in `sold_in`."""
        house = self.household_of(sold_in)
        if self.household_of(bought_in) != house:
            return Reach.NONE
        mine, theirs = self.return_of(sold_in), self.return_of(bought_in)
        spouses = {(house, mine), (house, theirs)} <= self.separate
        if mine != theirs and not spouses and not self._related(bought_in, sold_in):
            return Reach.WARN
        return Reach.DEFER if self.is_taxable(bought_in) else Reach.LOSE

    def _related(self, one: str, other: str) -> bool:
        """True for spouses, and for a parent and a minor child, whose trades are taken for the parent's.

        An account of which nothing is said counts as the client's own beside a spouse's or a child's.
        """
        pair = {relation_of(self.accounts[name]) or Relationship.SELF for name in (one, other)}
        return len(pair) == 2 and pair <= _BOUND


def relation_of(account: Account) -> Relationship | None:
    """What an account's owner is to the client: as stated, else by the words in `owner` (spouse, wife,
    husband, adult child; a child of unknown age counts as minor, which is the stricter); None: not told.
    """
    if account.relationship is not None:
        return account.relationship
    if _ADULT.search(account.owner):
        return Relationship.ADULT_CHILD
    if _CHILD.search(account.owner):
        return Relationship.MINOR_CHILD
    return Relationship.SPOUSE if _SPOUSE.search(account.owner) else None


def taxpayers(
    accounts: Mapping[str, Account],
    profiles: Mapping[str, TaxProfile] | None = None,
    *,
    named: Iterable[str] = (),
) -> Taxpayers:
    """The tax return of every account.

    An account without a `tax_return` is on the return of its owner's other accounts, else on the only
    return of its household, else (no account of the household names one) all are on one return.
    Spouses who file separately are the returns of one household whose profiles say married_separate, or
    of which one is the spouse's (`relation_of`). A child, or somebody who is neither client nor spouse, is
    on a return of their own where none is named.

    named  accounts that are used; those without a row are taxable and on the only return there is.
           Raises TaxError when a return cannot be told.
    """
    faults = FaultList()
    known = profiles or {}
    result: dict[str, str] = {}
    by_owner: dict[tuple[str, str], set[str]] = {}
    by_house: dict[str, set[str]] = {}
    for account in accounts.values():
        if account.tax_return:
            by_house.setdefault(account.household, set()).add(account.tax_return)
            if account.owner:
                key = (account.household, account.owner.casefold())
                by_owner.setdefault(key, set()).add(account.tax_return)
    for name, account in accounts.items():
        own = by_owner.get((account.household, account.owner.casefold()), set())
        if account.tax_return or (len(own) != 1 and relation_of(account) in _OWN_RETURN):
            result[name] = account.tax_return or f"{account.owner or name}'s own"
            continue
        house = by_house.get(account.household, set())
        found = own if len(own) == 1 else house
        if len(found) > 1:
            faults.add(
                where=f"accounts, {name}, column tax_return",
                what=f"is blank, and household {account.household or '(unnamed)'} has "
                f"{len(found)} returns ({', '.join(sorted(found))})",
                remedy="enter the return of its owner",
            )
            continue
        result[name] = next(iter(found), account.household)
    faults.raise_as(TaxError)
    unlisted = [name for name in dict.fromkeys(named) if name not in accounts]
    homes = {(account.household, result[name]) for name, account in accounts.items()}
    if unlisted and len(homes) > 1:
        raise TaxError.of(
            where="accounts",
            what=f"has no row for {', '.join(unlisted)}, and there are {len(homes)} tax returns",
            remedy="add a row for each, with its type and tax_return",
        )
    home, on_return = next(iter(homes), ("", ""))
    result.update(dict.fromkeys(unlisted, on_return))
    accounts = {**accounts, **{name: Account(account=name, household=home) for name in unlisted}}
    separate = {
        (account.household, result[name])
        for name, account in accounts.items()
        if account.tax_profile in known
        and known[account.tax_profile].filing_status is FilingStatus.SEPARATE
    }
    return Taxpayers(
        accounts=accounts,
        tax_return=result,
        separate=frozenset(separate),
        guesses=tuple(_guesses(accounts.values())),
    )


def _guesses(accounts: Iterable[Account]) -> Iterable[tuple[str, str]]:
    """Relationships that the owner's words decided, with what to say of them."""
    for account in accounts:
        guess = relation_of(account)
        if account.relationship is None and guess is not None:
            yield (
                account.account,
                f"accounts, {account.account}: owner {account.owner!r} is taken for the client's "
                f"{guess}; say it in the column relationship",
            )


def profiles_by_return(
    who: Taxpayers, profiles: Mapping[str, TaxProfile]
) -> dict[tuple[str, str], TaxProfile]:
    """(household, tax return) -> its profile. An account without one takes the only profile there is;
    without any profile there is none for anybody.

    Raises TaxError for a profile that is not there, and for a return whose accounts name different ones.
    """
    if not profiles:
        return {}
    faults = FaultList()
    only = next(iter(profiles)) if len(profiles) == 1 else ""
    found: dict[tuple[str, str], str] = {}
    for name, account in who.accounts.items():
        wanted = account.tax_profile or only
        if not wanted:
            continue
        key = (account.household, who.return_of(name))
        if wanted not in profiles:
            faults.add(
                where=f"accounts, {name}, column tax_profile",
                what=f"{wanted!r} is not in the table tax_profiles",
                remedy=f"profiles are: {', '.join(profiles) or 'none'}",
            )
        elif found.setdefault(key, wanted) != wanted:
            faults.add(
                where=f"accounts, {name}, column tax_profile",
                what=f"is {wanted}, and another account of tax return {key[1]!r} says {found[key]}",
                remedy="one tax return has one profile",
            )
    faults.raise_as(TaxError)
    return {key: profiles[name] for key, name in found.items()}
