"""The book's own rows as the household verifier reads them: exact decimals, plain loops."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.accounts import Account
from xl_rebal.trading.checks_book import Violation

# Custodians that sell by their own default where the table does not say that orders name lots.
_BY_DEFAULT = ("schwab", "fidelity", "vanguard", "e*trade", "etrade")
CENT, HALF_CENT = Decimal("0.01"), Decimal("0.005")


@dataclass(slots=True)
class HouseholdRows:
    """The book's rows of one household, by account and symbol.

    family  its accounts with those that hold nothing: what was bought there counts all the same.
    """

    source: HouseholdBook
    request: HouseholdRequest
    plan: HouseholdPlan
    accounts: dict[str, Account] = field(default_factory=dict)
    family: dict[str, Account] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    held: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    price: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    to_base: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)
    found: list[Violation] = field(default_factory=list)

    def fault(self, code: str, where: str, what: str) -> None:
        """Note one violation."""
        self.found.append(Violation(code=code, where=where, what=what))


def exact(value: float) -> Decimal:
    """The decimal that a number is written as."""
    return Decimal(repr(float(value)))


def read_rows(
    source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan
) -> HouseholdRows:
    """The rows of the plan's household; cash that settles after the day is left out."""
    rows = HouseholdRows(source, request, plan)
    book = source.book
    h = book.holdings
    columns = (h.account, h.symbol, h.kind, h.quantity, h.price, h.multiplier, h.fx, h.settles)
    mine = {name: book.account(name) for name in h.accounts()}
    mine = {name: each for name, each in mine.items() if each.household == plan.household}
    for name, symbol, kind, quantity, price, multiplier, fx, settles in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if name not in mine:
            continue
        rows.accounts[name] = mine[name]
        scale = exact(multiplier) * exact(fx)
        unit = exact(price) * scale
        if kind == "cash":
            if settles is not None and settles > request.as_of:
                continue  # counts in the weights, and cannot be spent
            rows.cash[name] += exact(quantity) * unit
        elif kind == "position":
            rows.held[name, symbol] += exact(quantity)
            rows.price[name, symbol] = unit
            if price:
                rows.to_base.setdefault((name, symbol), scale)
    rows.family |= {n: a for n, a in book.accounts.items() if a.household == plan.household}
    rows.family |= rows.accounts
    if {a.household for a in book.accounts.values()} <= {plan.household}:
        for name in source.used_accounts:  # accounts without a row belong to the only household
            rows.family.setdefault(name, Account(account=name, household=plan.household))
    return rows


def price_of(rows: HouseholdRows, account: str, symbol: str) -> Decimal | None:
    """Money per unit in the base currency: of the account's holding, else of the securities table."""
    if (account, symbol) in rows.price:
        return rows.price[account, symbol]
    known = rows.source.book.security(symbol).price
    return None if known is None else exact(known)


def is_taxed(account: Account) -> bool:
    """True where gains are taxed as they are realised."""
    return account.type.casefold() in ("", "taxable")


def takes_no_lots(rows: HouseholdRows, account: str) -> bool:
    """True where the custodian takes no lot instructions."""
    known = rows.accounts[account]
    if account in rows.request.no_lots_sent:
        return True
    if known.lot_instructions is None:
        return any(name in known.custodian.casefold() for name in _BY_DEFAULT)
    return not known.lot_instructions


def return_of(rows: HouseholdRows, account: str) -> str:
    """The tax return of an account: its own, its owner's, its household's, else the household."""
    known = rows.returns.get(account)
    if known is None:
        known = rows.returns[account] = _return_of(rows, rows.family[account])
    return known


def _return_of(rows: HouseholdRows, mine: Account) -> str:
    if mine.tax_return:
        return mine.tax_return
    house = [a for a in rows.source.book.accounts.values() if a.household == mine.household]
    own = {
        a.tax_return for a in house if a.tax_return and a.owner.casefold() == mine.owner.casefold()
    }
    if (not mine.owner or len(own) != 1) and kind_of(mine) in ("minor", "stranger"):
        return f"{mine.owner or mine.account}'s own"
    own = own if mine.owner and len(own) == 1 else {a.tax_return for a in house if a.tax_return}
    return min(own) if own else mine.household


def kind_of(account: Account) -> str:
    """client, spouse, minor or stranger: as the table says, else as the owner is called."""
    told = account.relationship.value if account.relationship is not None else ""
    words = set(re.findall(r"[a-z]+", account.owner.casefold()))
    child = words & {"child", "children", "son", "daughter", "minor"}
    if told in ("adult child", "other") or (not told and child and "adult" in words):
        return "stranger"
    if told == "minor child" or (not told and child):
        return "minor"
    if told == "spouse" or (not told and words & {"spouse", "wife", "husband"}):
        return "spouse"
    return "client"


def group_of(rows: HouseholdRows, symbol: str) -> str:
    """What a security counts as when losses are matched with purchases."""
    return (rows.source.book.security(symbol).identical_group or symbol).casefold()
