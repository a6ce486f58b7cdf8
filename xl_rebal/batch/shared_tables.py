"""The tables of a book that everybody needs, and whom each of their bad rows stops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from xl_rebal.batch.book_sources import Sources
from xl_rebal.batch.headings import Heading, is_blank, table_heading
from xl_rebal.batch.row_faults import read_apart
from xl_rebal.custodians.book_tables import TABLES
from xl_rebal.custodians.row_streams import Lined
from xl_rebal.errors import Fault, FaultList
from xl_rebal.portfolio.accounts import ACCOUNT_TYPES, Account, accounts_from_rows
from xl_rebal.portfolio.fund_rules import FundRule, fund_rules_from_rows
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.restrictions import EVERYONE, Restriction, restrictions_from_rows, scopes_of
from xl_rebal.portfolio.securities import Security, securities_from_rows
from xl_rebal.portfolio.targets import Targets
from xl_rebal.tax.profiles import TaxProfile, profiles_from_rows

T = TypeVar("T")
Records = list[dict[str, Any]]


@dataclass(slots=True)
class SharedTables:
    """What every household needs.

    home          household of each account of the accounts table, of rows with a fault too.
    clients       what people call each household that has a name, of rows with a fault too.
    restrictions  in the order of their table, by the scope in lower case that they name.
    faults        by household, what stops it; `stops` is what nobody can be blamed for.
    """

    models: Mapping[str, Targets] = field(default_factory=dict)
    securities: Mapping[str, Security] = field(default_factory=dict)
    fund_rules: tuple[FundRule, ...] = ()
    accounts: dict[str, Account] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    restrictions: dict[str, list[tuple[int, Restriction]]] = field(default_factory=dict)
    tax_profiles: Mapping[tuple[str, int], TaxProfile] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    stops: FaultList = field(default_factory=FaultList)
    warnings: list[str] = field(default_factory=list)

    def blame(self, household: str, fault: Fault) -> None:
        """Let a fault stop a household; the run where it names none."""
        if household:
            self.faults.setdefault(household, []).append(fault)
        else:
            self.stops.extend([fault])

    def restrictions_of(self, accounts: Iterable[Account]) -> tuple[Restriction, ...]:
        """The restrictions that can bind some accounts, in the order of their table."""
        wanted = EVERYONE.union(*map(scopes_of, accounts))
        found = [each for scope in wanted for each in self.restrictions.get(scope, ())]
        return tuple(restriction for _, restriction in sorted(found, key=lambda each: each[0]))


def read_shared(sources: Sources) -> SharedTables:
    """Read the tables; every fault is kept, and none raised."""
    shared = SharedTables()
    shared.models = _whole(sources, shared, "models", targets_from_rows, {})
    shared.securities = _whole(sources, shared, "securities", securities_from_rows, {})
    shared.fund_rules = _whole(sources, shared, "fund_rules", fund_rules_from_rows, ())
    profile_faults = _read_profiles(sources, shared)
    _read_accounts(sources, shared, profile_faults)
    _read_restrictions(sources, shared)
    return shared


def _whole(
    sources: Sources, shared: SharedTables, name: str, build: Callable[[Records], T], default: T
) -> T:
    """A table whose every fault stops the run."""
    if name not in sources.tables:
        return default
    with shared.stops.collecting():
        heading, rows = table_heading(sources.tables[name](), TABLES[name])
        return build(heading.records(list(rows)))
    return default


def _apart(
    sources: Sources, shared: SharedTables, name: str, owner: str, build: Callable[[Records], T]
) -> tuple[Heading, list[Lined], T, dict[int, list[Fault]]] | None:
    """(heading, rows, what the good ones are, faults of the bad ones by line); None without the table."""
    if name not in sources.tables:
        return None
    with shared.stops.collecting():
        heading, stream = table_heading(sources.tables[name](), TABLES[name], owner=owner)
        rows = [row for row in stream if not is_blank(row[1])]
        found, bad = read_apart(rows, lambda good: build(heading.records(good)))
        return heading, rows, found, bad
    return None


def _read_profiles(sources: Sources, shared: SharedTables) -> dict[str, list[Fault]]:
    """Faults by the profile that a bad row names; they stop those who use it."""
    found = _apart(sources, shared, "tax_profiles", "tax_profile", profiles_from_rows)
    if found is None:
        return {}
    heading, rows, shared.tax_profiles, bad = found
    result: dict[str, list[Fault]] = {}
    for line, row in rows:
        for fault in bad.get(line, ()):
            name = heading.owner(row)
            if name:
                result.setdefault(name, []).append(fault)
            else:
                shared.stops.extend([fault])
    return result


def _read_accounts(
    sources: Sources, shared: SharedTables, profile_faults: Mapping[str, Sequence[Fault]]
) -> None:
    found = _apart(sources, shared, "accounts", "account", accounts_from_rows)
    if found is None:
        shared.warnings.append(
            "without the table accounts every account is a taxable client of its own"
        )
        return
    heading, rows, accounts, bad = found
    household, client = heading.position("household"), heading.position("client")
    lines: dict[str, int] = {}
    for line, row in rows:
        name, home = heading.owner(row), heading.text(row, household)
        home = home or name
        if name:
            shared.home.setdefault(name, home)
            lines.setdefault(name, line)
            if called := heading.text(row, client):
                shared.clients.setdefault(home, called)
        for fault in bad.get(line, ()):
            shared.blame(home, fault)
    shared.accounts = {
        name: each if each.household else replace(each, household=name)
        for name, each in accounts.items()
    }
    if heading.position("type") is None:
        shared.warnings.append(
            f"{heading.where} has no column type: every account is taken as taxable"
        )
    checks = _AccountChecks(
        shared=shared,
        heading=heading,
        profile_faults=profile_faults,
        known_profiles=frozenset(name for name, _ in shared.tax_profiles),
    )
    for name, account in shared.accounts.items():
        for fault in checks.faults(account, lines[name]):
            shared.blame(account.household, fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountChecks:
    """What a row of the accounts table says against the other tables."""

    shared: SharedTables
    heading: Heading
    profile_faults: Mapping[str, Sequence[Fault]]
    known_profiles: frozenset[str]

    def faults(self, account: Account, line: int) -> list[Fault]:
        """What is wrong with an account that was read."""
        shared, result = self.shared, []

        def bad(column: str, what: str, remedy: str) -> None:
            where = f"{self.heading.where} row {line}, column {column}"
            result.append(Fault(where=where, what=what, remedy=remedy))

        names = ", ".join(filter(None, shared.models)) or "none named"
        if account.model and account.model not in shared.models:
            if shared.models:  # else the models themselves have a fault
                bad("model", f"{account.model!r} has no targets", f"models with targets: {names}")
        elif not account.model and len(shared.models) > 1:
            bad("model", "is blank, and there are several", f"enter one of {names}")
        if not account.type and self.heading.position("type") is not None:
            bad("type", "is blank", f"enter one of {', '.join(ACCOUNT_TYPES)}")
        profile = account.tax_profile
        if profile in self.profile_faults:
            result.extend(self.profile_faults[profile])
        elif profile and shared.tax_profiles and profile not in self.known_profiles:
            bad(
                "tax_profile",
                f"{profile!r} has no row in the table tax_profiles",
                "add it, or correct it",
            )
        return result


def _read_restrictions(sources: Sources, shared: SharedTables) -> None:
    def build(records: Records) -> list[tuple[int, Restriction]]:
        read = restrictions_from_rows(records)
        return [(int(record["row"]), each) for record, each in zip(records, read, strict=True)]

    found = _apart(sources, shared, "restrictions", "scope", build)
    if found is None:
        return
    heading, rows, restrictions, bad = found
    home = {account.casefold(): household for account, household in shared.home.items()}
    home |= {household.casefold(): household for household in shared.home.values()}
    models = {name.casefold() for name in shared.models if name}
    for line, row in rows:
        for fault in bad.get(line, ()):
            shared.blame(home.get(heading.owner(row).casefold(), ""), fault)
    carried = {tag for security in shared.securities.values() for tag in security.tags}
    for line, restriction in restrictions:
        scope = restriction.scope.casefold()
        if restriction.tag and restriction.tag not in carried:
            known = (
                f"tags are: {', '.join(sorted(carried))}" if carried else "no security has a tag"
            )
            fault = Fault(
                where=f"{heading.where} row {line}, column tag",
                what=f"no security carries the tag {restriction.tag!r}, so the rule would bind nothing",
                remedy=f"correct it, or tag securities in the securities table ({known})",
            )
            shared.blame(home.get(scope, ""), fault)
            continue
        if scope not in home and scope not in EVERYONE | models:
            shared.warnings.append(
                f"{heading.where} row {line}: {restriction.scope!r} is no account, household or model "
                f"of the book; {restriction.in_words()!r} binds nothing"
            )
        shared.restrictions.setdefault(scope, []).append((line, restriction))
