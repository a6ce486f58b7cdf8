"""What REBAL_BOOK makes of the tables of a sheet: accounts or clients, measured and ranked.

A client is measured as the command `scan` does it: by its own policy and mode, what its restrictions say
that it must not hold, and cash that is short or idle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xl_rebal.batch.chunk_reading import Chunk, book_of
from xl_rebal.batch.needs import ClientScan, ScanRequest, ranked
from xl_rebal.batch.records import household_of
from xl_rebal.batch.row_faults import blamed
from xl_rebal.batch.scan import scan_chunk
from xl_rebal.book_scan import Scanned, scan, worst_first
from xl_rebal.custodians.book_tables import BookTables
from xl_rebal.errors import TableError
from xl_rebal.excel.registry import Grid
from xl_rebal.portfolio.accounts import Account, plan_mode
from xl_rebal.portfolio.book import Book, assign_classes
from xl_rebal.portfolio.flows import Flow, reserved
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import Targets
from xl_rebal.trading.timeline import with_leaving

ACCOUNT_COLUMNS = (
    "account", "household", "model", "value", "largest_drift", "asset_class", "breaches", "status", "reason",
)  # fmt: skip
CLIENT_COLUMNS = (
    "household", "client", "need", "account", "asset_class", "drift", "excess", "breaches", "value",
    "idle_cash", "accounts", "model", "mode", "policy", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetBook:
    """The tables of a sheet; `request` holds the policy and mode of accounts that name none."""

    accounts: Mapping[str, Account]
    holdings: Holdings
    models: Mapping[str, Targets]
    securities: Mapping[str, Security]
    restrictions: tuple[Restriction, ...]
    flows: tuple[Flow, ...]
    request: ScanRequest

    def held_by(self, names: Sequence[str]) -> Holdings:
        """The holdings of some accounts."""
        wanted = set(names)
        mask = [name in wanted for name in self.holdings.account.tolist()]
        return self.holdings.take(np.array(mask, dtype=np.bool_))


def account_rows(given: SheetBook) -> Grid:
    """One row per account, each by its own policy."""
    leaving = reserved(given.flows, as_of=given.request.as_of, horizon=given.request.horizon)
    known = {
        name: with_leaving(account, leaving[name]) if name in leaving else account
        for name, account in given.accounts.items()
    }

    def made(some: Holdings) -> Book:
        classed, unknown = assign_classes(some, securities=given.securities)
        if unknown:
            raise TableError.of(
                where="tblHoldings",
                what=f"no class is known for {', '.join(unknown)}",
                remedy="fill in column asset_class",
            )
        return Book(
            holdings=classed, models=given.models, securities=given.securities, accounts=known
        )

    by_policy: dict[str, list[str]] = {}
    for name in given.holdings.accounts():
        own = known[name].policy if name in known else ""
        by_policy.setdefault(own or given.request.policy, []).append(name)
    found: list[Scanned] = []
    for policy, names in by_policy.items():
        held = given.held_by(names)
        found += scan(held, made, parse_policy(policy), as_of=given.request.as_of)
    rows = [_account_row(each) for each in worst_first(found, given.holdings.accounts())]
    named = set(given.holdings.accounts())
    for account in known.values():
        if account.account not in named:
            nothing: list[Any] = [account.account, account.household or None, account.model or None]
            rows.append([*nothing, None, None, None, 0.0, "empty", "has no holdings"])
    for row in rows:
        if row[7] == "failed" and (failed := known.get(row[0])):
            row[1:3] = [failed.household or None, failed.model or None]
    return [list(ACCOUNT_COLUMNS), *rows]


def client_rows(given: SheetBook) -> Grid:
    """One row per client: what the command `scan` says of it."""
    found = ranked(scan_chunk(_chunk(given), given.request))
    return [list(CLIENT_COLUMNS), *map(_client_row, found)]


def _chunk(given: SheetBook) -> Chunk:
    """The whole sheet as one chunk; what is wrong with a client stops that client only."""
    names = dict.fromkeys((*given.accounts, *given.holdings.accounts()))
    homes: dict[str, list[Account]] = {}
    for name in names:
        account = given.accounts.get(name) or Account(account=name)
        home = household_of(account, name)
        homes.setdefault(home, []).append(replace(account, household=home))
    held, _ = assign_classes(given.holdings, securities=given.securities)

    def tables(households: Sequence[str]) -> BookTables:
        mine = [account for home in households for account in homes[home]]
        wanted = {account.account for account in mine}
        mask = [name in wanted for name in held.account.tolist()]
        return BookTables(
            name="",
            holdings=held.take(np.array(mask, dtype=np.bool_)),
            accounts={account.account: account for account in mine},
            securities=given.securities,
            models=given.models,
            restrictions=given.restrictions,
            flows=tuple(flow for flow in given.flows if flow.account in wanted),
            as_of=given.request.as_of,
        )

    def check(households: Sequence[str]) -> None:
        book_of(tables(households))

    faults = blamed(list(homes), check)
    sound = [home for home in homes if home not in faults]
    return Chunk(households=tuple(homes), tables=tables(sound), faults=faults)


def require_tags(restrictions: Sequence[Restriction], securities: Mapping[str, Security]) -> None:
    """Refuse restrictions by a tag that no security carries: they would bind nothing, unnoticed."""
    carried = {tag for security in securities.values() for tag in security.tags}
    unknown = dict.fromkeys(r.tag for r in restrictions if r.tag and r.tag not in carried)
    if unknown:
        raise TableError.of(
            where="tblRestrictions, tag",
            what=f"no security carries {', '.join(map(repr, unknown))}, so the rule would bind nothing",
            remedy="correct it, or tag securities in tblSecurities",
        )


def request_of(policy: str, mode: str, day: dt.date | None) -> ScanRequest:
    """What is asked of the scan; raises RebalError for words that is not understood."""
    try:
        return ScanRequest(policy=policy, mode=plan_mode(mode), as_of=day)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where="mode", what=what, remedy=remedy) from None


def _account_row(found: Scanned) -> list[Any]:
    return [
        found.account,
        found.household or None,
        found.model or None,
        found.value,
        found.drift,
        found.asset_class or None,
        float(found.breaches),
        found.standing.value,
        found.reason,
    ]


def _client_row(found: ClientScan) -> list[Any]:
    return [
        found.household,
        found.client,
        found.need.value,
        found.account or None,
        found.asset_class or None,
        found.drift,
        found.excess,
        float(found.breaches),
        found.value,
        found.idle,
        float(found.accounts),
        found.model or None,
        found.mode.value if found.mode else None,
        found.policy or None,
        found.reason,
    ]
