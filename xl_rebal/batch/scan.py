"""Which clients need rebalancing today, how badly and why: the whole book measured, nothing planned.

A client is asked for a plan by its policy (bands and calendar, of its accounts or, in mode household_tax,
of all of them as one), by what a restriction says it must not hold, by cash that does not reach what is
kept back or is known to leave, and by cash that lies idle, such as a deposit that has come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xl_rebal.batch.book_reading import CHUNK, BatchBook
from xl_rebal.batch.chunk_reading import Chunk
from xl_rebal.batch.needs import ORDER, BookScan, ClientScan, Need, ScanRequest, ranked
from xl_rebal.batch.planning import one_for_all
from xl_rebal.book_scan import Scanned, Standing, scan
from xl_rebal.custodians.book_tables import BookTables
from xl_rebal.errors import RebalError, TableError
from xl_rebal.portfolio.accounts import Account, PlanMode
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import reserved
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import default_security
from xl_rebal.trading.timeline import with_leaving

_OF_STANDING = {
    Standing.REBALANCE: Need.REBALANCE,
    Standing.RAISE_CASH: Need.RAISE_CASH,
    Standing.FAILED: Need.FAILED,
    Standing.HELD_AWAY: Need.HELD_AWAY,
    Standing.WITHIN: Need.WITHIN,
    Standing.EMPTY: Need.EMPTY,
}


def scan_book(
    book: BatchBook, request: ScanRequest, *, told: Callable[[int], None] | None = None
) -> BookScan:
    """Measure every client of a book, a chunk at a time; `told` is called with how many were done."""
    request = request if request.as_of is not None else replace(request, as_of=book.as_of)
    found: list[ClientScan] = []
    for chunk in book.chunks(CHUNK):
        found += scan_chunk(chunk, request)
        if told is not None:
            told(len(chunk.households))
    return BookScan(request=request, clients=ranked(found), warnings=book.warnings)


def scan_chunk(chunk: Chunk, request: ScanRequest) -> list[ClientScan]:
    """The clients of a chunk in its order."""
    found = {
        name: ClientScan(
            household=name,
            client=chunk.client(name),
            need=Need.FAILED,
            reason="; ".join(str(fault) for fault in faults),
        )
        for name, faults in chunk.faults.items()
    }
    found |= {each.household: each for each in _Scan.of(chunk.tables, request).clients()}
    nothing = {
        name: ClientScan(
            household=name, client=chunk.client(name), need=Need.EMPTY, reason="holds nothing"
        )
        for name in chunk.households
    }
    return [found.get(name, nothing[name]) for name in chunk.households]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """A client and what its accounts say of it together."""

    household: str
    accounts: tuple[Account, ...]
    mode: PlanMode
    policy: str

    @property
    def name(self) -> str:
        named = (account.client for account in self.accounts if account.client)
        return next(named, self.household)


@dataclass(slots=True)
class _Scan:
    """The clients of some tables, measured together where they follow one policy."""

    tables: BookTables
    request: ScanRequest
    people: list[_Client]
    failed: list[ClientScan]
    _by_account: dict[str, Scanned] = field(default_factory=dict)
    _by_household: dict[str, Scanned] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: BookTables, request: ScanRequest) -> _Scan:
        leaving = reserved(tables.flows, as_of=request.as_of, horizon=request.horizon)
        accounts = {
            name: with_leaving(account, leaving[name]) if name in leaving else account
            for name, account in tables.accounts.items()
        }
        homes: dict[str, list[Account]] = {}
        for account in accounts.values():
            homes.setdefault(account.household, []).append(account)
        people, failed = [], []
        for home, mine in homes.items():
            try:
                mode = PlanMode(one_for_all(mine, "plan_mode", request.mode.value))
                policy = one_for_all(mine, "policy", request.policy)
                if mode is PlanMode.HOUSEHOLD_TAX:
                    _one_model(mine)
            except RebalError as error:
                failed.append(
                    ClientScan(
                        household=home,
                        client=next((each.client for each in mine if each.client), home),
                        need=Need.FAILED,
                        reason=str(error),
                    )
                )
                continue
            people.append(_Client(household=home, accounts=tuple(mine), mode=mode, policy=policy))
        return cls(replace(tables, accounts=accounts), request, people, failed)

    def clients(self) -> Iterator[ClientScan]:
        """Every client."""
        yield from self.failed
        for policy in dict.fromkeys(person.policy for person in self.people):
            mine = [person for person in self.people if person.policy == policy]
            names = [account.account for person in mine for account in person.accounts]
            self._measure(self._holdings(names), self.tables.accounts, policy, self._by_account)
            self._measure_together(policy, [p for p in mine if p.mode is PlanMode.HOUSEHOLD_TAX])
        barred = self._barred()
        for person in self.people:
            yield self._client(person, barred)

    def _holdings(self, names: Sequence[str]) -> Holdings:
        wanted = set(names)
        mask = [name in wanted for name in self.tables.holdings.account.tolist()]
        return self.tables.holdings.take(np.array(mask, dtype=np.bool_))

    def _measure(
        self,
        holdings: Holdings,
        accounts: Mapping[str, Account],
        policy: str,
        result: dict[str, Scanned],
    ) -> None:
        tables = self.tables

        def made(some: Holdings) -> Book:
            return Book(
                holdings=some,
                models=tables.models,
                securities=tables.securities,
                accounts=accounts,
            )

        found = scan(holdings, made, parse_policy(policy), as_of=self.request.as_of)
        result.update({each.account: each for each in found})

    def _measure_together(self, policy: str, people: Sequence[_Client]) -> None:
        """Households as if one account held all that they have, as their planner sees them."""
        if not people:
            return
        home_of = {a.account: p.household for p in people for a in p.accounts}
        held = self._holdings(list(home_of))
        names = np.array([home_of[name] for name in held.account.tolist()], dtype=object)
        accounts = {}
        for person in people:
            dates = [a.last_rebalanced for a in person.accounts if a.last_rebalanced]
            accounts[person.household] = Account(
                account=person.household,
                model=person.accounts[0].model,
                cash_reserve=sum(account.kept_back for account in person.accounts),
                last_rebalanced=min(dates) if dates else None,
            )
        self._measure(replace(held, account=names), accounts, policy, self._by_household)

    def _barred(self) -> dict[str, list[str]]:
        """Account -> the securities in it that a restriction says not to hold."""
        tables = self.tables
        rules = [r for r in tables.restrictions if r.rule in (Rule.NEVER_HOLD, Rule.SUBSTITUTE)]
        if not rules:
            return {}
        held = tables.holdings
        mine = held.is_position & (held.quantity > 0)
        pairs = zip(held.account[mine].tolist(), held.symbol[mine].tolist(), strict=True)
        result: dict[str, list[str]] = {}
        bound: dict[str, list[int]] = {}
        for name, account in tables.accounts.items():
            if not account.held_away:
                bound[name] = [n for n, rule in enumerate(rules) if rule.binds(account)]
        for name, symbol in dict.fromkeys(pairs):
            security = tables.securities.get(symbol) or default_security(symbol)
            for number in bound.get(name, ()) if security.tradable else ():
                rule = rules[number]
                account = tables.accounts[name]
                if rule.applies(account, symbol=symbol, tags=security.tags):
                    result.setdefault(name, []).append(symbol)
                    break
        return result

    def _client(self, person: _Client, barred: Mapping[str, Sequence[str]]) -> ClientScan:
        names = [account.account for account in person.accounts]
        mine = [self._by_account[name] for name in names if name in self._by_account]
        together = self._by_household.get(person.household)
        asked = [
            (need, words) for each in mine for need, words in self._asked(each, person, barred)
        ]
        if together is not None:
            asked.append((_need(together), together.reason))
        need = min((need for need, _ in asked), key=ORDER.__getitem__, default=Need.EMPTY)
        shown = [words for each, words in asked if each.asks or each is Need.FAILED]
        reason = "; ".join(shown or [words for each, words in asked if each is need])
        measured = [each for each in ([together] if together else mine) if each.drift is not None]
        worst = max(measured, key=lambda s: (round(s.excess, 9), abs(s.drift or 0.0)), default=None)
        values = [each.value for each in mine if each.value is not None]
        return ClientScan(
            household=person.household,
            client=person.name,
            need=need,
            reason=reason or "holds nothing",
            accounts=len(names),
            model=", ".join(dict.fromkeys(each.model for each in mine if each.model)),
            mode=person.mode,
            policy=person.policy,
            value=sum(values) if len(values) == len(mine) else None,
            account=worst.account if worst else "",
            asset_class=worst.asset_class if worst else "",
            drift=worst.drift if worst else None,
            excess=worst.excess if worst else 0.0,
            breaches=sum(each.breaches for each in measured),
            idle=sum(each.idle for each in mine),
        )

    def _asked(
        self, each: Scanned, person: _Client, barred: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[Need, str]]:
        """What one account asks for, in words; its drift counts for nothing where all are one portfolio."""
        prefix = f"{each.account}: " if len(person.accounts) > 1 else ""
        need = _need(each)
        if need is Need.REBALANCE and person.mode is PlanMode.HOUSEHOLD_TAX:
            short = each.standing is Standing.RAISE_CASH
            need = Need.RAISE_CASH if short else Need.WITHIN
        yield need, prefix + each.reason
        if each.standing in (Standing.HELD_AWAY, Standing.FAILED, Standing.EMPTY):
            return
        if each.account in barred:
            yield Need.REPLACE, f"{prefix}{', '.join(barred[each.account])} must not be held"
        if each.value and each.idle >= self.request.idle * each.value:
            share = each.idle / each.value
            yield Need.INVEST, f"{prefix}{each.idle:,.2f} of cash lies idle ({share * 100:.1f}%)"


def _need(each: Scanned) -> Need:
    """A plan that the policy asks for raises cash as well."""
    if each.standing is Standing.RAISE_CASH and each.fires:
        return Need.REBALANCE
    return _OF_STANDING[each.standing]


def _one_model(accounts: Sequence[Account]) -> None:
    models = dict.fromkeys(account.model for account in accounts)
    if len(models) > 1:
        raise TableError.of(
            where="accounts, column model",
            what=f"accounts of one household follow several models ({', '.join(models)})",
            remedy="give them one model: in mode household_tax they are planned as one portfolio",
        )
