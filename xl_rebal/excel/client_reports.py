"""Client Reports: a workbook for each client of the accounts in the open workbook.

A client is a household of tblAccountSettings; an account without one is a client of its own, as in a batch.
What is wrong with one client stops no other: it is named, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xl_rebal.batch.records import household_of
from xl_rebal.errors import PlanError, RebalError
from xl_rebal.excel import order_file
from xl_rebal.excel.book_inputs import Asked, asked, read_inputs
from xl_rebal.excel.book_reports import book_reports, is_book
from xl_rebal.excel.macro import MacroError, Outcome, Settings
from xl_rebal.excel.workbook import Workbook
from xl_rebal.files import check_target, write_atomically
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.restrictions import scopes_of
from xl_rebal.portfolio.targets import Targets
from xl_rebal.rebalance import rebalance
from xl_rebal.workbooks.client_names import client_file_name
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.client_workbook import client_workbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Whose accounts belong together: the household's id, what people call it, its accounts."""

    household: str
    name: str
    accounts: tuple[str, ...]


def client_reports(book: Workbook, settings: Settings) -> Outcome:
    """Plan each client and write its workbook beside the named file; a whole book is run."""
    assert settings.file is not None
    target = settings.file
    if target.suffix.casefold() != ".xlsx":
        raise MacroError.of(
            where=target.name, what="is no name for a report", remedy="end it in .xlsx"
        )
    if is_book(book):
        return book_reports(book, settings)
    what = asked(read_inputs(book))
    clients = clients_of(what.book)
    paths = report_paths(clients, target)
    replaced = [path.name for path in paths.values() if path.exists()]
    consent = settings.overwrite or (
        bool(replaced) and book.ask(f"{_shown(replaced)} exist already. Replace them?")
    )
    for path in paths.values():
        check_target(path, overwrite=consent)
    written: list[str] = []
    failed: list[tuple[str, str]] = []
    for number, client in enumerate(clients, start=1):
        book.progress(f"Client Reports {number} of {len(clients)} …")
        path = paths[client.household]
        try:
            order_file.require_no_open_orders(settings.plans, client.accounts)
            data = client_workbook(_pages(what, client))
            write_atomically(path, data, overwrite=consent)
            written.append(path.name)
        except RebalError as error:
            failed.append((client.name, "; ".join(map(str, error.faults))))
    if not written:
        raise PlanError.of(
            where="Client Reports",
            what="no report was written: " + " | ".join(f"{n}: {why}" for n, why in failed[:20]),
            remedy="mend these and press the button again",
        )
    return Outcome(
        lines=(
            f"{len(written)} of {len(clients)} client reports written",
            f"{written[0]} … {written[-1]}" if len(written) > 1 else written[0],
        ),
        warnings=(*what.warnings, *(f"{name}: not written: {why}" for name, why in failed)),
        document={
            "reports": written,
            "failed": [{"client": name, "reason": why} for name, why in failed],
        },
    )


def clients_of(book: Book) -> tuple[Client, ...]:
    """The clients in the order of the holdings."""
    found: dict[str, list[str]] = {}
    for name in book.holdings.accounts():
        found.setdefault(household_of(book.accounts.get(name), name), []).append(name)
    return tuple(
        Client(
            household=household,
            name=next(filter(None, (book.account(a).client for a in accounts)), household),
            accounts=tuple(accounts),
        )
        for household, accounts in found.items()
    )


def report_paths(clients: Iterable[Client], target: Path) -> dict[str, Path]:
    """A file for each household: `reports-Ash-k3v9q2m7xa.xlsx` beside `reports.xlsx`."""
    taken: set[str] = set()
    paths: dict[str, Path] = {}
    for client in clients:
        name = client_file_name(client.household, client.name, taken)
        taken.add(name.casefold())
        paths[client.household] = target.with_name(f"{target.stem}-{name}")
    return paths


def _pages(what: Asked, client: Client) -> ClientPages:
    result = rebalance(_book_of(what.book, client), what.request)
    return ClientPages(
        household=client.household,
        name=client.name,
        book=result.book,
        policy=what.request.policy,
        plans=result.plans,
        mode=PlanMode.RULES.value,
        as_of=what.request.as_of,
        notes=result.notes,
    )


def _book_of(book: Book, client: Client) -> Book:
    """The part of a book that is one client's."""
    mine = set(client.accounts)
    rows = np.array([name in mine for name in book.holdings.account.tolist()], dtype=np.bool_)
    scopes = frozenset().union(*(scopes_of(book.account(name)) for name in client.accounts))
    return replace(
        book,
        holdings=book.holdings.take(rows),
        models=_models_of(book, client.accounts),
        accounts={name: book.accounts[name] for name in client.accounts if name in book.accounts},
        restrictions=tuple(r for r in book.restrictions if r.scope.casefold() in scopes),
        flows=tuple(flow for flow in book.flows if flow.account in mine),
    )


def _models_of(book: Book, accounts: Iterable[str]) -> Mapping[str, Targets]:
    used = {book.account(name).model for name in accounts}
    if "" in used:
        return book.models
    return {name: targets for name, targets in book.models.items() if name in used}


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
