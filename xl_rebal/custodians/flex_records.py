"""Interactive Brokers Flex queries, XML or CSV, as records: a section and its named values.

XML: an element per record, its attributes the values. CSV: a header and rows per section, either plain
(one section after the other, each under its header) or with the record codes BOF, BOA, HEADER, DATA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.parsers import expat

from xl_rebal.custodians import columns
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Document, texts
from xl_rebal.errors import ReadError

# CSV header -> the XML attribute of the same meaning, both in letters and digits.
_SAME = {
    "clientaccountid": "accountid",
    "accountalias": "acctalias",
    "currencyprimary": "currency",
    "assetclass": "assetcategory",
}
_DEPTH = 40
_CODES = frozenset({"BOF", "BOA", "BOS", "EOS", "EOA", "EOF"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One element or row. `section` is the XML tag in lower case, or empty in a CSV file."""

    section: str
    line: int
    values: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first filled value under one of the names."""
        return next((v for n in names if (v := self.values.get(n, ""))), "")

    def has(self, *names: str) -> bool:
        """True when the record has all of these values, be they blank."""
        return all(name in self.values for name in names)


def is_flex_xml(document: Document) -> bool:
    """True for XML whose root is a Flex query's."""
    head = document.head.lstrip("\ufeff \r\n\t")
    return head.startswith("<") and re.search(r"<FlexQueryResponse\b", head) is not None


def is_flex_csv(document: Document) -> bool:
    """True for a CSV header in Flex' own words (CurrencyPrimary, ClientAccountID, …)."""
    for sheet in document.sheets:
        for row in sheet.rows[:30]:
            keys = {columns.key(c) for c in row if c}
            own = "clientaccountid" in keys or ("currencyprimary" in keys and keys & _FLEX)
            if len(keys) >= 3 and own:
                return True
    return False


_FLEX = {
    "levelofdetail",
    "fxratetobase",
    "ibcommission",
    "tradeprice",
    "positionvalue",
    "endingcash",
}


def xml_records(document: Document) -> Iterator[Record]:
    """The elements of a Flex XML file; raises ReadError where it is no well-formed XML.

    A document type or an entity is refused: no Flex query has them, and they can blow up memory.
    """
    records: list[Record] = []
    depth = 0
    parser = expat.ParserCreate()

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise _broken(document, parser.CurrentLineNumber, "elements nest too deeply")
        if attributes:
            values = {columns.key(name): value.strip() for name, value in attributes.items()}
            records.append(
                Record(section=tag.lower(), line=parser.CurrentLineNumber, values=values)
            )

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise _broken(document, parser.CurrentLineNumber, "a document type or entity is declared")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    text = re.sub(r"^\s*<\?xml.*?\?>", "", document.text.lstrip("\ufeff"), count=1, flags=re.DOTALL)
    lines_cut = document.text.count("\n") - text.count("\n")
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        line = error.lineno + lines_cut
        raise _broken(document, line, expat.errors.messages[error.code]) from error
    for record in records:
        yield Record(section=record.section, line=record.line + lines_cut, values=record.values)


def _broken(document: Document, line: int, what: str) -> ReadError:
    return ReadError.of(
        where=f"{document.name} line {line}",
        what=f"the XML cannot be used ({what})",
        remedy="download the Flex query again",
    )


def csv_records(document: Document) -> Iterator[Record]:
    """The rows of a Flex CSV file, each under the header in force."""
    sheet = document.sheets[0]
    header: list[str] = []
    for number, raw in enumerate(sheet.rows):
        row = texts(raw)
        if not any(row) or row[0] in _CODES:
            continue
        code = row[0] if row[0] in {"HEADER", "DATA", "TRAILER"} else ""
        cells: Sequence[Cell] = row[2:] if code else row
        if code == "HEADER" or (not code and _is_header(row)):
            header = [_SAME.get(k, k) for k in map(columns.key, cells)]
            continue
        if code == "TRAILER" or not header:
            continue
        line = sheet.line(number)
        if any(cells[len(header) :]) and code != "DATA":
            raise ReadError.of(
                where=f"{document.name} line {line}",
                what=f"has {len(cells)} cells under {len(header)} headers",
                remedy="look for an unquoted comma inside a number or a name",
            )
        yield Record(section="", line=line, values=dict(zip(header, cells, strict=False)))


def _is_header(row: Sequence[str]) -> bool:
    keys = {columns.key(c) for c in row}
    return (
        "currencyprimary" in keys
        or {"fromcurrency", "tocurrency"} <= keys
        or ("clientaccountid" in keys)
    )
