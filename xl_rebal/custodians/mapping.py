"""A user's own layout as a small TOML file: which of its columns is which of ours.

name = "Example Bank"
header_row = 4
decimal = ","

[columns]
symbol = "Wertpapier"
quantity = "Bestand"
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from xl_rebal.custodians import columns
from xl_rebal.custodians.filetypes import FileType, file_type
from xl_rebal.custodians.sheets import decode
from xl_rebal.errors import Fault, ReadError
from xl_rebal.files import write_atomically

_TYPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "sheet": (str,),
    "header_row": (int,),
    "delimiter": (str,),
    "decimal": (str,),
    "account": (str,),
    "currency": (str,),
    "multiplier": (int, float),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """How to read a layout that the generic reader does not know by itself.

    columns     our column -> the header in the file; others are still found by their synonyms.
    header_row  line (sheet row) of the header, counted from 1; None: found by itself.
    sheet       sheet of a workbook; empty: found by itself.
    delimiter   sign between cells of a text file; empty: found by itself.
    decimal     "." or ","; empty: found by itself.
    account     account of rows that name none.
    currency    base currency of the file; empty: found by itself.
    multiplier  units per unit held where the file has no such column; None: 1, or 100 for options.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    sheet: str = ""
    header_row: int | None = None
    delimiter: str = ""
    decimal: str = ""
    account: str = ""
    currency: str = ""
    multiplier: float | None = None

    def __post_init__(self) -> None:
        faults = _faults(self)
        if faults:
            raise ReadError(*faults)


def _faults(mapping: ColumnMapping) -> list[Fault]:
    where = f"mapping {mapping.name}".strip()
    faults = [
        _unknown(where, f"columns.{name}", list(columns.SYNONYMS), name)
        for name in mapping.columns
        if name not in columns.SYNONYMS
    ]
    targets = [columns.key(header) for header in mapping.columns.values()]
    for name, header in mapping.columns.items():
        if not header.strip():
            faults.append(
                Fault(where=where, what=f"columns.{name} is empty", remedy="name a header")
            )
        elif targets.count(columns.key(header)) > 1:
            what = f"columns.{name} = {header!r} serves two of our columns"
            faults.append(Fault(where=where, what=what, remedy="give each a column of its own"))
    if mapping.decimal not in {"", ".", ","}:
        what = f"decimal is {mapping.decimal!r}"
        faults.append(Fault(where=where, what=what, remedy='write decimal = "." or decimal = ","'))
    if mapping.header_row is not None and mapping.header_row < 1:
        what = f"header_row is {mapping.header_row}"
        faults.append(Fault(where=where, what=what, remedy="count lines from 1"))
    if len(mapping.delimiter) > 1:
        what = f"delimiter is {mapping.delimiter!r}"
        faults.append(Fault(where=where, what=what, remedy="write a single sign"))
    if mapping.currency and not (len(mapping.currency) == 3 and mapping.currency.isalpha()):
        what = f"currency is {mapping.currency!r}"
        faults.append(Fault(where=where, what=what, remedy='write an ISO code such as "USD"'))
    multiplier = mapping.multiplier
    if multiplier is not None and not 0 < multiplier < float("inf"):
        what = f"multiplier is {multiplier}"
        faults.append(Fault(where=where, what=what, remedy="write a number above zero"))
    return faults


def _unknown(where: str, shown: str, known: list[str], name: str) -> Fault:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}? " if near else ""
    return Fault(
        where=where, what=f"{shown} is not known", remedy=f"{hint}Known are {', '.join(known)}"
    )


def load_mapping(path: Path | str) -> ColumnMapping:
    """The mapping in a TOML file; raises FileError or ReadError, naming every unknown key."""
    target = Path(path)
    if file_type(target) is not FileType.TEXT:
        raise ReadError.of(where=target.name, what="is no text file", remedy="name a .toml file")
    try:
        content = tomllib.loads(decode(target.read_bytes()).replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReadError.of(
            where=target.name, what=f"is no TOML ({error})", remedy="see docs/custodian-files.md"
        ) from error
    known = [f.name for f in fields(ColumnMapping)]
    faults = [_unknown(target.name, name, known, name) for name in content if name not in known]
    for name, types in _TYPES.items():
        value = content.get(name)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            kind = "text in quotation marks" if types == (str,) else "a number"
            what = f"{name} is {value!r}"
            faults.append(Fault(where=target.name, what=what, remedy=f"write {kind}"))
    tied: Any = content.get("columns", {})
    if not isinstance(tied, dict) or not all(isinstance(v, str) for v in tied.values()):
        what = "columns is no table of texts"
        faults.append(
            Fault(where=target.name, what=what, remedy='write symbol = "Ticker" under [columns]')
        )
    if faults:
        raise ReadError(*faults)
    content.setdefault("name", target.stem)
    return ColumnMapping(**content)


def save_mapping(mapping: ColumnMapping, path: Path | str, *, overwrite: bool = False) -> None:
    """Write a mapping as TOML, whole or not at all; raises FileError."""
    lines = ["# Column mapping of xl-rebal; see docs/custodian-files.md"]
    for name in _TYPES:
        value = getattr(mapping, name)
        if value not in ("", None):
            lines.append(f"{name} = {_toml(value)}")
    lines += ["", "[columns]"]
    lines += [f"{name} = {_toml(header)}" for name, header in mapping.columns.items()]
    write_atomically(path, ("\n".join(lines) + "\n").encode(), overwrite=overwrite)


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        # A TOML basic string is a JSON string, but for DEL, which JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
