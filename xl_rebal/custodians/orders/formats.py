"""Formats of order files, declared in TOML: the shipped ones, and the user's own, which come first.

name = "example"
custodians = ["Example Trust"]
header = true

[[column]]
header = "Acct"
field = "account"

[[column]]
header = "Side"
field = "action"
codes = { BUY = "B", SELL = "S" }
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from xl_rebal.custodians.orders import fields as order_fields
from xl_rebal.custodians.sheets import decode
from xl_rebal.errors import Fault, FaultList, FileError, ReadError

GENERIC = "generic"
_PAGE = "see docs/orders.md"
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}
_ENCODINGS = ("utf-8", "ascii", "cp1252")
_QUOTES = ("never", "needed", "always")
_ALL_FIELDS = {*order_fields.ORDER_FIELDS, *order_fields.LOT_FIELDS}

Quotes = Literal["never", "needed", "always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderColumn:
    """One column of an order file: a field, or the same text in every row.

    header      its title; not written where the format has no header.
    field       name of what it holds; empty for a constant.
    constant    the text of every row, where `field` is empty.
    codes       our word -> the custodian's; a word without a code cannot be sent.
    default     written where the order has no value.
    decimals    most decimals of a number; more are refused, never rounded.
    max_length  most characters; 0 for any number.
    pattern     regular expression that a text must match as a whole; empty for any.
    """

    header: str
    field: str = ""
    constant: str = ""
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    default: str = ""
    decimals: int = 9
    max_length: int = 0
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFormat:
    """How one custodian's order file is written.

    name         of the format; its files are named after it.
    custodians   names of accounts' custodians that it is for, in any case.
    template     what is missing before files can be written: the custodian's own specification; empty
                 when nothing is.
    unconfirmed  what stands in it that no published text of the custodian confirms.
    max_rows     most orders in one file; 0 for any number.
    waves        True: sells and buys in files of their own. False: one file, in it each account's sells
                 before its buys.
    symbols      our symbol -> the custodian's, where they differ.
    """

    name: str
    custodians: tuple[str, ...] = ()
    columns: tuple[OrderColumn, ...] = ()
    template: str = ""
    unconfirmed: tuple[str, ...] = ()
    header: bool = True
    delimiter: str = ","
    decimal: str = "."
    line_end: str = "lf"
    encoding: str = "utf-8"
    quotes: Quotes = "needed"
    max_rows: int = 0
    waves: bool = True
    extension: str = "csv"
    symbols: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = tuple(_faults(self))
        if faults:
            raise ReadError(*faults)

    @property
    def for_lots(self) -> bool:
        """True for a list of lots: it holds no orders."""
        return any(column.field in order_fields.LOT_FIELDS for column in self.columns)

    @property
    def newline(self) -> str:
        """The characters that end a line."""
        return _LINE_ENDS[self.line_end]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFormats:
    """The formats at hand. The first that names a custodian is taken."""

    formats: tuple[OrderFormat, ...]

    def of(self, custodian: str) -> OrderFormat | None:
        """The format for the orders of a custodian's accounts, or None."""
        wanted = _key(custodian)
        for each in self.formats:
            if not each.for_lots and wanted in {
                _key(name) for name in (each.name, *each.custodians)
            }:
                return each
        return None

    @property
    def lots(self) -> OrderFormat:
        """The format of lot instructions."""
        return next(each for each in self.formats if each.for_lots)

    def names(self) -> tuple[str, ...]:
        """The names of the formats for orders."""
        return tuple(each.name for each in self.formats if not each.for_lots)


def _key(custodian: str) -> str:
    return "".join(ch for ch in custodian.casefold() if ch.isalnum())


@lru_cache(maxsize=1)
def shipped_formats() -> OrderFormats:
    """The formats that come with the package."""
    folder = resources.files("xl_rebal.custodians.orders") / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return OrderFormats(
        formats=tuple(read_format(f.read_text(encoding="utf-8"), f.name) for f in files)
    )


def load_formats(paths: Sequence[Path | str] = ()) -> OrderFormats:
    """The user's formats (files or folders of .toml files), then the shipped ones.

    A user's format takes the place of the shipped one of its name, and its custodians too where it
    names none.

    Raises ReadError with the faults of all files together.
    """
    faults = FaultList()
    own: list[OrderFormat] = []
    for path in paths:
        for file in _files(Path(path)):
            with faults.collecting():
                own.append(read_format(_text(file), file.name))
    own_names: dict[str, str] = {}
    for each in own:
        for name in {_key(n) for n in (each.name, *each.custodians)}:
            if own_names.setdefault(name, each.name) != each.name:
                faults.add(
                    where=f"order format {each.name}",
                    what=f"is for {name}, as is format {own_names[name]}",
                    remedy="name a custodian in one format only",
                )
    faults.raise_as(ReadError)
    shipped = {each.name: each for each in shipped_formats().formats}
    ours = [
        replace(each, custodians=shipped[each.name].custodians)
        if each.name in shipped and not each.custodians
        else each
        for each in own
    ]
    names = {each.name for each in ours}
    return OrderFormats(
        formats=(*ours, *(each for each in shipped.values() if each.name not in names))
    )


def read_format(text: str, where: str) -> OrderFormat:
    """The format that a TOML text declares; raises ReadError naming every unknown key."""
    try:
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReadError.of(where=where, what=f"is no TOML ({error})", remedy=_PAGE) from error
    rows = content.pop("column", [])
    faults = FaultList()
    columns: list[OrderColumn] = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.add(where=where, what="column is no list", remedy="write [[column]] for each")
        rows = []
    for number, row in enumerate(rows, start=1):
        place = f"{where}, column {number}"
        if _typed(OrderColumn, row, place, faults):
            columns.append(OrderColumn(**{"header": "", **row}))
    content.setdefault("name", Path(where).stem)
    sound = _typed(OrderFormat, content, where, faults)
    faults.raise_as(ReadError)
    assert sound
    for name in ("custodians", "unconfirmed"):
        content[name] = tuple(content.get(name, ()))
    try:
        return OrderFormat(columns=tuple(columns), **content)
    except ReadError as error:
        raise ReadError(
            *(
                Fault(where=f"{where}: {f.where}", what=f.what, remedy=f.remedy)
                for f in error.faults
            )
        ) from None


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.toml"))
    return [path]


def _text(file: Path) -> str:
    try:
        return decode(file.read_bytes())
    except OSError as error:
        raise FileError.of(
            where=file.name,
            what=f"cannot be read ({error.strerror or 'the system refused'})",
            remedy="name a .toml file, or a folder of them",
        ) from None


_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("header", "waves"), (bool,)),
    **dict.fromkeys(("max_rows", "max_length", "decimals"), (int,)),
    **dict.fromkeys(("codes", "symbols"), (dict,)),
    **dict.fromkeys(("custodians", "unconfirmed"), (list,)),
}
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    dict: "a table of texts",
    list: "a list of texts",
}


def _typed(kind: type[Any], row: Mapping[str, Any], where: str, faults: FaultList) -> bool:
    """Whether every key is one of the dataclass's fields and has its type; notes what is not."""
    known = [each.name for each in fields(kind) if each.name != "columns"]
    before = len(list(faults))
    for name, value in row.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}? " if near else ""
            faults.add(
                where=where,
                what=f"{name} is not known",
                remedy=f"{hint}Known are {', '.join(known)}",
            )
            continue
        types = (str,) if kind is OrderColumn and name == "header" else _TYPES.get(name, (str,))
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if isinstance(value, dict):
            fits = fits and all(isinstance(each, str) for each in value.values())
        if isinstance(value, list):
            fits = fits and all(isinstance(each, str) for each in value)
        if not fits:
            wanted = _KINDS.get(types[0], "text in quotation marks")
            faults.add(where=where, what=f"{name} is {value!r}", remedy=f"write {wanted}")
    return len(list(faults)) == before


def _faults(made: OrderFormat) -> Iterator[Fault]:
    where = f"order format {made.name}"

    def fault(what: str, remedy: str) -> Fault:
        return Fault(where=where, what=what, remedy=remedy)

    if (
        not made.name
        or not made.name.replace("-", "").replace("_", "").isalnum()
        or not made.name.isascii()
    ):
        yield fault(f"is named {made.name!r}", "name it with letters, digits, - and _")
    if len(made.delimiter) != 1 or made.delimiter in '"\r\n0123456789.':
        yield fault(f"delimiter is {made.delimiter!r}", 'write a single sign: ",", ";" or "\\t"')
    if made.decimal not in (".", ",") or made.decimal == made.delimiter:
        yield fault(f"decimal is {made.decimal!r}", 'write "." or ",", not the delimiter')
    for name, allowed in (
        ("line_end", tuple(_LINE_ENDS)),
        ("encoding", _ENCODINGS),
        ("quotes", _QUOTES),
    ):
        if getattr(made, name) not in allowed:
            yield fault(f"{name} is {getattr(made, name)!r}", f"use one of {', '.join(allowed)}")
    if not made.extension.isalnum() or not made.extension.isascii():
        yield fault(f"extension is {made.extension!r}", 'write "csv" or "txt"')
    if made.max_rows < 0:
        yield fault(f"max_rows is {made.max_rows}", "write 0 for any number")
    if made.template:
        return
    if not made.columns:
        yield fault("has no columns", "declare each with [[column]]")
    for column in made.columns:
        for what, remedy in _column_faults(column):
            yield fault(f"column {column.header or column.field!r} {what}", remedy)
    yield from (fault(what, remedy) for what, remedy in _missing(made.columns))


def _column_faults(column: OrderColumn) -> Iterator[tuple[str, str]]:
    if column.field and column.field not in _ALL_FIELDS:
        yield (
            f"holds {column.field!r}, which is no field",
            f"fields are {', '.join(sorted(_ALL_FIELDS))}",
        )
    if column.field and column.constant:
        yield "has a field and a constant", "keep one of them"
    words = order_fields.WORDS.get(column.field, ())
    for word in column.codes:
        if word not in words:
            yield f"has a code for {word!r}", f"words are {', '.join(words) or 'none'}"
    shared = {code for code in column.codes.values() if list(column.codes.values()).count(code) > 1}
    if shared and column.field != "vehicle":
        yield f"has one code for two words ({', '.join(sorted(shared))})", "give each its own"
    if not 0 <= column.decimals <= 9:
        yield f"has {column.decimals} decimals", "write 0 to 9"
    try:
        re.compile(column.pattern)
    except re.error as error:
        yield f"has a pattern that is none ({error})", "write a regular expression"
    if column.max_length < 0:
        yield f"has a length of {column.max_length}", "write 0 for any"


def _missing(columns: Iterable[OrderColumn]) -> Iterator[tuple[str, str]]:
    held = [column.field for column in columns if column.field]
    lots = any(name in order_fields.LOT_FIELDS for name in held)
    needed = ("account", "symbol", "acquired", "lot_quantity") if lots else order_fields.NEEDED
    for name in needed:
        if name not in held:
            yield f"has no column for {name}", "an order cannot be sent without it"
    limits = any(
        column.field == "order_type" and (not column.codes or "LIMIT" in column.codes)
        for column in columns
    )
    if limits and not lots and "limit_price" not in held:
        yield (
            "sends limit orders and has no column for limit_price",
            "add one, or leave out the code",
        )
    for name in sorted({name for name in held if held.count(name) > 1}):
        if name not in ("client", "plan_id"):
            yield f"has two columns for {name}", "keep one of them"
