"""The custodians that can be read, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xl_rebal.custodians import (
    etrade,
    fidelity,
    flex,
    generic,
    ibkr,
    ofx,
    open_lots,
    realised,
    refusals,
    schwab,
    vanguard,
)
from xl_rebal.custodians.collector import without_collector
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.sheets import Document, Progress, open_document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.told import NOTHING_TOLD, Told, contents, finished
from xl_rebal.errors import ReadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file: whose it is, whether a file is of this kind (by content), how it is read."""

    custodian: str
    recognise: Callable[[Document], bool]
    read: Callable[[Document], Statement]


# Asked first, since a list of lots or sales looks much like one of positions.
_LOTS = (
    Format(custodian=ofx.NAME, recognise=ofx.recognise, read=ofx.read),
    Format(custodian=flex.NAME, recognise=flex.recognise, read=flex.read),
    Format(custodian=etrade.NAME, recognise=etrade.recognise, read=etrade.read),
    Format(
        custodian=realised.SCHWAB, recognise=realised.recognise_schwab, read=realised.read_schwab
    ),
    Format(
        custodian=realised.FIDELITY,
        recognise=realised.recognise_fidelity,
        read=realised.read_fidelity,
    ),
    Format(
        custodian=open_lots.SCHWAB,
        recognise=open_lots.recognise_schwab,
        read=open_lots.read_schwab,
    ),
    Format(custodian=generic.NAME, recognise=open_lots.recognise_table, read=open_lots.read_table),
)
_POSITIONS = (
    Format(custodian=ibkr.NAME, recognise=ibkr.recognise, read=ibkr.read),
    Format(custodian=schwab.NAME, recognise=schwab.recognise, read=schwab.read),
    Format(custodian=fidelity.NAME, recognise=fidelity.recognise, read=fidelity.read),
    Format(custodian=vanguard.NAME, recognise=vanguard.recognise, read=vanguard.read),
    Format(custodian=generic.NAME, recognise=generic.recognise, read=generic.read),
)
REGISTRY = (*_LOTS, *_POSITIONS)
CUSTODIANS = tuple(
    sorted({f.custodian for f in REGISTRY}, key=lambda name: (name == generic.NAME, name))
)


def read_positions(
    path: Path | str,
    *,
    custodian: str | None = None,
    mapping: ColumnMapping | None = None,
    told: Told = NOTHING_TOLD,
    progress: Progress | None = None,
) -> Statement:
    """The holdings of a custodian's positions file, or of any table of positions.

    As `read_export`, but a file that holds lots or sales and no positions is refused.
    """
    statement = _opened(Path(path), custodian, mapping, progress)
    held = len(statement.holdings) or statement.accounts
    if not held and (len(statement.lots) or len(statement.realised)):
        raise ReadError.of(
            where=statement.source,
            what=f"is a list of {contents(statement)}, not of positions",
            remedy="use the custodian's positions export",
        )
    return finished(statement, told)


def read_export(
    path: Path | str,
    *,
    custodian: str | None = None,
    mapping: ColumnMapping | None = None,
    told: Told = NOTHING_TOLD,
    progress: Progress | None = None,
) -> Statement:
    """What a custodian's file holds: positions, open lots, realised gains, or several of them.

    The custodian is recognised from the content; `custodian` names one of CUSTODIANS instead, and a
    `mapping` is for the generic reader. `told` is what the file does not say. `progress` is called with a
    phase and the share done. Raises FileError when the file cannot be used at all, ReadError or TableError
    when its content cannot.
    """
    statement = _opened(Path(path), custodian, mapping, progress)
    return finished(statement, told)


def _opened(
    path: Path,
    custodian: str | None,
    mapping: ColumnMapping | None,
    progress: Progress | None,
) -> Statement:
    chosen = _named(custodian)
    if mapping is not None and chosen not in (None, generic.NAME):
        raise ReadError.of(
            where=path.name,
            what=f"a column mapping cannot be combined with the custodian {chosen}",
            remedy="leave one of the two out",
        )
    with without_collector():
        return _read(path, chosen, mapping, progress)


def _read(
    path: Path,
    chosen: str | None,
    mapping: ColumnMapping | None,
    progress: Progress | None,
) -> Statement:
    delimiter = (mapping.delimiter or None) if mapping is not None else None
    document = open_document(path, delimiter=delimiter, progress=progress)
    if progress is not None:
        progress("reading positions", 0.5)
    try:
        if mapping is not None:
            refusals.refuse_markup(document)
            return generic.read(document, mapping)
        statement = _format(document, chosen).read(document)
        if not len(statement.lots) and len(document.sheets) > 1 and len(statement.holdings):
            statement = open_lots.with_lots_of(document, statement)
        return statement
    finally:
        if progress is not None:
            progress("reading positions", 1.0)


def _format(document: Document, chosen: str | None) -> Format:
    """The format of a document; raises ReadError where it is none of those that are read."""
    mine = [f for f in REGISTRY if chosen in (None, f.custodian)]
    early = [f for f in mine if f in _LOTS]
    found = next((f for f in early if f.recognise(document)), None)
    if found is not None:
        return found
    refusals.refuse_markup(document)
    if chosen is None:
        refusals.refuse_other_files(document)
    later = [f for f in mine if f in _POSITIONS]
    if not later:
        raise ReadError.of(
            where=document.name,
            what=f"is no {chosen} file that is known",
            remedy="leave the custodian out, or export it again",
        )
    # A reader that is asked for a file which is not its own says what it misses there.
    return next((f for f in later if f.recognise(document)), later[0])


def _named(custodian: str | None) -> str | None:
    if custodian is None:
        return None
    name = custodian.strip().casefold()
    if name in CUSTODIANS:
        return name
    raise ReadError.of(
        where="custodian",
        what=f"{custodian!r} is not known",
        remedy=f"write one of {', '.join(CUSTODIANS)}, or leave it out",
    )
