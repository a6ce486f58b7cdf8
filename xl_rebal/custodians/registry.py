"""The custodians that can be read, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xl_rebal.custodians import fidelity, generic, ibkr, refusals, schwab, vanguard
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.sheets import Document, Progress, open_document
from xl_rebal.custodians.statement import Statement
from xl_rebal.errors import ReadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """One custodian: its name, whether a file is its own (by content), and how it is read."""

    name: str
    recognise: Callable[[Document], bool]
    read: Callable[[Document], Statement]


REGISTRY = (
    Custodian(name=ibkr.NAME, recognise=ibkr.recognise, read=ibkr.read),
    Custodian(name=schwab.NAME, recognise=schwab.recognise, read=schwab.read),
    Custodian(name=fidelity.NAME, recognise=fidelity.recognise, read=fidelity.read),
    Custodian(name=vanguard.NAME, recognise=vanguard.recognise, read=vanguard.read),
    Custodian(name=generic.NAME, recognise=generic.recognise, read=generic.read),
)
CUSTODIANS = tuple(sorted((c.name for c in REGISTRY), key=lambda n: (n == generic.NAME, n)))


def read_positions(
    path: Path | str,
    *,
    custodian: str | None = None,
    mapping: ColumnMapping | None = None,
    progress: Progress | None = None,
) -> Statement:
    """The holdings of a custodian's positions file, or of any table of positions.

    The custodian is recognised from the content; `custodian` names one of CUSTODIANS instead, and a
    `mapping` is for the generic reader. `progress` is called with a phase and the share done.
    Raises FileError when the file cannot be used at all, ReadError when its content cannot.
    """
    chosen = _named(custodian)
    if mapping is not None and chosen is not None and chosen.name != generic.NAME:
        raise ReadError.of(
            where=Path(path).name,
            what=f"a column mapping cannot be combined with the custodian {chosen.name}",
            remedy="leave one of the two out",
        )
    with _without_collector():
        return _read(Path(path), chosen, mapping, progress)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python's cycle collector from walking the million small lists of a large file."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(
    path: Path,
    chosen: Custodian | None,
    mapping: ColumnMapping | None,
    progress: Progress | None,
) -> Statement:
    delimiter = (mapping.delimiter or None) if mapping is not None else None
    document = open_document(path, delimiter=delimiter, progress=progress)
    if progress is not None:
        progress("reading positions", 0.5)
    try:
        refusals.refuse_markup(document)
        if mapping is not None:
            return generic.read(document, mapping)
        if chosen is None:
            refusals.refuse_other_files(document)
            chosen = next(c for c in REGISTRY if c.recognise(document))
        return chosen.read(document)
    finally:
        if progress is not None:
            progress("reading positions", 1.0)


def _named(custodian: str | None) -> Custodian | None:
    if custodian is None:
        return None
    for candidate in REGISTRY:
        if candidate.name == custodian.strip().casefold():
            return candidate
    raise ReadError.of(
        where="custodian",
        what=f"{custodian!r} is not known",
        remedy=f"write one of {', '.join(CUSTODIANS)}, or leave it out",
    )
