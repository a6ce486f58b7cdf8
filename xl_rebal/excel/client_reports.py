"""Client Reports: a workbook for each client of the accounts in the open workbook.

A client is a household of tblAccountSettings; an account without one is a client of its own. What is wrong
with one client stops no other: it is named, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xl_rebal import __version__
from xl_rebal.errors import PlanError, RebalError
from xl_rebal.excel import order_file
from xl_rebal.excel.book_inputs import Asked, Inputs, asked, read_inputs
from xl_rebal.excel.macro import MacroError, Outcome, Settings
from xl_rebal.excel.workbook import Workbook
from xl_rebal.files import check_target, write_atomically
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.restrictions import EVERYONE
from xl_rebal.portfolio.targets import Targets
from xl_rebal.rebalance import Rebalancing, rebalance
from xl_rebal.workbooks.report import build_report
from xl_rebal.workbooks.source import ReportSource

_LONGEST = 60  # characters of a client's name in a file's name
_RESERVED = frozenset(
    ("con prn aux nul " + " ".join(f"com{n} lpt{n}" for n in range(10))).split()
)  # Windows takes no file of these names


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Whose accounts belong together."""

    name: str
    accounts: tuple[str, ...]


def client_reports(book: Workbook, settings: Settings) -> Outcome:
    """Plan each client and write its workbook beside the file that was named."""
    assert settings.file is not None
    target = settings.file
    if target.suffix.casefold() != ".xlsx":
        raise MacroError.of(
            where=target.name, what="is no name for a report", remedy="end it in .xlsx"
        )
    inputs = read_inputs(book)
    what = asked(inputs)
    clients = clients_of(what.book)
    paths = report_paths((client.name for client in clients), target)
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
        path = paths[client.name]
        try:
            order_file.require_no_open_orders(settings.plans, client.accounts)
            result = rebalance(_book_of(what.book, client), what.request)
            data = client_workbook(result, _source(book, inputs, what, result))
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


def client_workbook(result: Rebalancing, source: ReportSource) -> bytes:
    """The workbook of one client."""
    return build_report(result, source, version=__version__)


def clients_of(book: Book) -> tuple[Client, ...]:
    """The clients in the order of the holdings."""
    found: dict[tuple[bool, str], list[str]] = {}
    for name in book.holdings.accounts():
        household = book.account(name).household
        found.setdefault((bool(household), household or name), []).append(name)
    households = {name for shared, name in found if shared}
    return tuple(
        # An account that is named like a household is another client.
        Client(
            name=name if shared or name not in households else f"{name} (account)",
            accounts=tuple(accounts),
        )
        for (shared, name), accounts in found.items()
    )


def report_paths(names: Iterable[str], target: Path) -> dict[str, Path]:
    """A file for each client: `reports - Ash.xlsx` beside `reports.xlsx`, safe and unique for any name."""
    taken: set[str] = set()
    paths: dict[str, Path] = {}
    for name in names:
        safe = _safe(name)
        chosen, number = safe, 1
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{safe} ({number})"
        taken.add(chosen.casefold())
        paths[name] = target.with_name(f"{target.stem} - {chosen}{target.suffix}")
    return paths


def _safe(name: str) -> str:
    kept = re.sub(r"[^\w\-. ()&+']", "_", name, flags=re.UNICODE)[:_LONGEST].strip(" .")
    if not kept.strip("_ .") or kept.casefold().partition(".")[0] in _RESERVED:
        return f"client {kept}".strip()
    return kept


def _book_of(book: Book, client: Client) -> Book:
    """The part of a book that is one client's."""
    mine = set(client.accounts)
    rows = np.array([name in mine for name in book.holdings.account.tolist()], dtype=np.bool_)
    households = {book.account(name).household for name in mine} - {""}
    folded = {name.casefold() for name in (*mine, *households)} | EVERYONE
    return replace(
        book,
        holdings=book.holdings.take(rows),
        models=_models_of(book, client.accounts),
        accounts={name: book.account(name) for name in client.accounts},
        restrictions=tuple(r for r in book.restrictions if r.scope.casefold() in folded),
        flows=tuple(flow for flow in book.flows if flow.account in mine),
    )


def _models_of(book: Book, accounts: Iterable[str]) -> Mapping[str, Targets]:
    used = {book.account(name).model for name in accounts}
    if "" in used:
        return book.models
    return {name: targets for name, targets in book.models.items() if name in used}


def _source(book: Workbook, inputs: Inputs, what: Asked, result: Rebalancing) -> ReportSource:
    date = inputs.as_of.isoformat() if inputs.as_of else "unknown"
    return ReportSource(
        name=book.name,
        custodian="workbook",
        as_of_text=date,
        price_time="unknown",
        warnings=(*what.warnings, *result.notes),
        fingerprint=inputs.fingerprint,
    )


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
