"""What `import` is given: several files, read together and held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xl_rebal.cli.inputs import read_map
from xl_rebal.cli.screens import reading
from xl_rebal.custodians import (
    Statement,
    Told,
    load_mapping,
    lot_warnings,
    masked_accounts,
    read_export,
)
from xl_rebal.errors import FaultList, ReadError
from xl_rebal.portfolio.accounts import is_masked
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """The options of `import` that say what its files leave out."""

    custodian: str | None = None
    mapping: Path | None = None
    account_map: Path | None = None
    account: str = ""
    symbol: str = ""


def read_exports(files: Sequence[Path], options: ImportOptions) -> tuple[Statement, ...]:
    """Positions, lots and realised gains of several files; the faults of all are raised together."""
    rows = read_map(options.account_map)
    told = Told(account=options.account, symbol=options.symbol, account_map=rows)
    mapping = load_mapping(options.mapping) if options.mapping is not None else None
    faults = FaultList()
    statements = []
    for path in files:
        with faults.collecting(), reading(path.name) as progress:
            statements.append(
                read_export(
                    path,
                    custodian=options.custodian,
                    mapping=mapping,
                    told=told,
                    progress=progress,
                )
            )
    faults.raise_as(ReadError)
    _refuse_unused(statements, options)
    return tuple(statements)


def _refuse_unused(statements: Sequence[Statement], options: ImportOptions) -> None:
    """Refuse --account or --symbol where every file names its own: the option would do nothing."""
    faults = FaultList()
    for name, given in (("account", options.account.strip()), ("symbol", options.symbol.strip())):
        tables = [t for s in statements for t in (s.holdings, s.lots, s.realised)]
        renamed = options.account_map is not None and is_masked(given)
        if (
            given
            and not renamed
            and not any((getattr(table, name) == given).any() for table in tables)
        ):
            what = f"{given} was not used: every file names its {name}s itself"
            faults.add(where=f"--{name}", what=what, remedy="leave it out")
    faults.raise_as(ReadError)


def across_files(statements: Sequence[Statement]) -> list[str]:
    """What only shows when the files lie side by side: lots against positions, masked accounts."""
    said = {text for s in statements for text in s.warnings}
    holdings = Holdings.concat(s.holdings for s in statements)
    lots = Lots.concat(s.lots for s in statements)
    warnings = [text for text in lot_warnings(holdings, lots) if text not in said]
    warnings += repeats(statements)
    named = [a.account for s in statements for a in s.accounts]
    named += [a for s in statements for a in (*s.lots.account, *s.realised.account)]
    masked = masked_accounts([*holdings.account.tolist(), *named])
    if masked:
        warnings.append(
            f"only the last characters of {', '.join(masked)} are shown: no order is exported for such "
            "an account until --account-map says which it is"
        )
    return warnings


def repeats(statements: Sequence[Statement], *, lots_only: bool = False) -> list[str]:
    """Accounts whose positions, and securities whose lots, stand in more than one of the files."""
    held: dict[str, list[str]] = {}
    bought: dict[tuple[str, str], list[str]] = {}
    for s in statements:
        for account in s.holdings.accounts():
            held.setdefault(account, []).append(s.source)
        for pair in dict.fromkeys(
            zip(s.lots.account.tolist(), s.lots.symbol.tolist(), strict=True)
        ):
            bought.setdefault(pair, []).append(s.source)
    warnings = [
        f"the lots of {symbol} in {account} stand in {' and '.join(files)}: they are there twice"
        for (account, symbol), files in bought.items()
        if len(files) > 1
    ]
    if lots_only:
        return warnings
    return warnings + [
        f"the positions of account {account} stand in {' and '.join(files)}: they are there twice"
        for account, files in held.items()
        if len(files) > 1
    ]


def refuse_repeated_lots(statements: Sequence[Statement]) -> None:
    """Refuse to write a table of lots that counts some of them twice; raises ReadError."""
    faults = FaultList()
    for text in repeats(statements, lots_only=True):
        faults.add(where="--lots-out", what=text, remedy="import the newest of these files only")
    faults.raise_as(ReadError)
