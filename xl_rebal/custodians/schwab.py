"""Charles Schwab positions exports, 2020 to 2026: one section per account, each with its header.

A title line names the account and the date, a header follows, then positions,
`Cash & Cash Investments`, and `Account Total` (to 2024) or `Positions Total` (since 2025).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.columns import Header, cell_at
from xl_rebal.custodians.dates import find_date
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document, Sheet, as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Kind

NAME = "schwab"
_TITLE = re.compile(r"Positions for (?:account )?(?P<account>.*?)(?:\s+as of (?P<date>.*))?", re.I)
_ALL = re.compile(r"all[-_ ]accounts", re.IGNORECASE)
# `Individual XXXX-1234`, `Roth IRA      XXXX-5678`, `Individual ...178`
_ACCOUNT = re.compile(r"(?P<name>.*?)\s*(?P<id>(?:X{2,}-?|\.{2,}|…)[\dA-Za-z]+|\d{4}-\d{4}|\d{8})")
_MONEY_FUND_TYPES = {
    "money market",
    "cash and money market",
    "money market fund",
    "money market funds",
}
_ROLES = {
    "symbol": "Symbol", "description": "Description", "quantity": "Quantity", "price": "Price",
    "value": "Market Value", "security_type": "Security Type",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Section:
    """One account's part of the file."""

    title: str
    line: int
    header: Header | None = None
    rows: list[Sequence[Cell]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    total: float | None = None


def recognise(document: Document) -> bool:
    """A `Positions for …` title, or Schwab's own header words, above a `Symbol` header."""
    for sheet in document.sheets:
        titled = False
        for row in sheet.rows[:60]:
            words = filled(row)
            titled = titled or (len(words) == 1 and _TITLE.fullmatch(words[0]) is not None)
            if len(words) >= 5 and words[0] == "Symbol" and "Description" in words:
                own = "Mkt Val (Market Value)" in words or (
                    "Market Value" in words and "Day Change $" in words
                )
                if titled or own:
                    return True
    return False


def read(document: Document) -> Statement:
    """Holdings of every section; raises ReadError with every fault at once."""
    sheet = next((s for s in document.sheets if recognise(_only(document, s))), document.sheets[0])
    problems = Problems(document.name, "line" if not sheet.name else f"sheet {sheet.name!r} row")
    sections, as_of_text = _sections(sheet, problems)
    if not any(section.header for section in sections):
        raise ReadError.of(
            where=document.name,
            what="has no Schwab positions table (a header beginning Symbol, Description)",
            remedy="export Positions from schwab.com, or leave the custodian out",
        )
    ids = _account_ids(sections, problems)
    table = _table(sections, ids)
    defaults = Defaults(decimal=DecimalStyle.POINT, currency="USD")
    result = assemble(table, classify=_classify, defaults=defaults, problems=problems)
    problems.raise_faults()
    names = {ids[i][0]: ids[i][1] for i, s in enumerate(sections) if s.header}
    totals = {ids[i][0]: s.total for i, s in enumerate(sections) if s.total is not None}
    if not len(table):
        problems.warn("the file is a Schwab positions export and holds nothing")
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=find_date(as_of_text),
        as_of_text=as_of_text,
        base_currency="USD",
        accounts=summarise(result.holdings, names, totals, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
    )


def _only(document: Document, sheet: Sheet) -> Document:
    return Document(name=document.name, type=document.type, sheets=(sheet,))


def _classify(symbol: str, description: str, security_type: str) -> str:
    del description, security_type  # `Cash and Money Market` also marks funds that must be sold
    if symbol.casefold().startswith(("cash &", "cash and")) or symbol.casefold() == "cash":
        return Kind.CASH.value
    return Kind.PENDING.value if kinds.is_pending_name(symbol) else ""


def _sections(sheet: Sheet, problems: Problems) -> tuple[list[_Section], str]:
    sections: list[_Section] = []
    as_of_text = title = ""
    title_line = 0
    current: _Section | None = None
    unread: list[tuple[int, str]] = []
    for number, row in enumerate(sheet.rows):
        if current is not None and _is_ordinary(row, current):
            current.rows.append(row)
            current.lines.append(sheet.line(number))
            continue
        words = filled(row)
        if not words:
            continue
        line = sheet.line(number)
        if len(words) == 1 and words[0] not in {"Symbol"}:
            match = _TITLE.fullmatch(words[0])
            if match is not None:
                as_of_text = as_of_text or (match["date"] or "").strip()
                account = (match["account"] or "").strip()
                title, title_line, current = (
                    ("" if _ALL.fullmatch(account) else account),
                    line,
                    None,
                )
            elif _ACCOUNT.fullmatch(words[0]) or _header_follows(sheet.rows, number):
                title, title_line, current = words[0], line, None
            elif (
                current is not None
                and current.total is None
                and as_text(cell_at(row, 0))
                and _is_ticker(words[0])
            ):
                current.rows.append(row)
                current.lines.append(line)
            else:
                unread.append((line, words[0]))
            continue
        if words[0] == "Symbol" and "Description" in words:
            header = columns.bind(number, row)
            current = _Section(title=title, line=title_line or line, header=header)
            sections.append(current)
            _check_header(header, line, problems)
            title, title_line = "", 0
            continue
        if current is None or current.header is None:
            unread.append((line, words[0]))
            continue
        if kinds.is_total(words[0]):
            at = current.header.index.get("value", -1)
            cell = cell_at(row, at) if at >= 0 else ""
            value = parse_column([cell], DecimalStyle.POINT).values[0]
            current.total = float(value) if np.isfinite(value) else None
            continue
        if any(as_text(c) for c in row[len(current.header.cells) :]):
            problems.fault(
                line, "", f"has {len(row)} cells under {len(current.header.cells)} headers",
                "look for an unquoted comma inside a number or a name",
            )  # fmt: skip
            continue
        current.rows.append(row)
        current.lines.append(line)
    if unread:
        shown = unread[0][1][:60]
        problems.warn(
            f"{listed(n for n, _ in unread)}: text that is no holding was not read ({shown!r})"
        )
    return sections, as_of_text


def _is_ordinary(row: Sequence[Cell], section: _Section) -> bool:
    """A position's row, told quickly: a long export has a million of them."""
    return (
        section.header is not None
        and 3 <= len(row) <= len(section.header.cells)
        and type(row[0]) is str
        and bool(row[0].strip() and row[1] and row[2])
        and "otal" not in row[0]
        and row[0] != "Symbol"
    )


def _is_ticker(text: str) -> bool:
    return text.isupper() and len(text.split()) == 1


def _header_follows(rows: Sequence[Sequence[Cell]], number: int) -> bool:
    for row in rows[number + 1 : number + 4]:
        words = filled(row)
        if words:
            return len(words) > 3 and words[0] == "Symbol"
    return False


def _check_header(header: Header, line: int, problems: Problems) -> None:
    for role in ("quantity", "price", "value"):
        if role not in header.index:
            problems.fault(
                line, _ROLES[role], "is missing from the header",
                "choose the standard columns at schwab.com before exporting",
            )  # fmt: skip
    for role in header.clashes:
        if role in _ROLES:
            problems.fault(
                line, header.label(role), "stands twice in the header", "remove one of them"
            )


def _account_ids(sections: list[_Section], problems: Problems) -> list[tuple[str, str]]:
    """(account id, its title's name) of each section, ids made distinct."""
    split = []
    for section in sections:
        account, name = split_title(section.title)
        split.append((account or "Portfolio", name))
    counts = Counter(account for account, _ in split)
    result: list[tuple[str, str]] = []
    for account, name in split:
        distinct = account
        if counts[account] > 1:
            distinct = f"{account} ({name})" if name else account
            again = sum(
                other == distinct or other.startswith(f"{distinct} #") for other, _ in result
            )
            if again:
                distinct = f"{distinct} #{again + 1}"
        result.append((distinct, name))
    for account in [a for a, n in counts.items() if n > 1]:
        made = ", ".join(r[0] for s, r in zip(split, result, strict=True) if s[0] == account)
        problems.warn(
            f"{counts[account]} accounts of the file share the id {account}; they are kept apart as {made}"
        )
    return result


def split_title(title: str) -> tuple[str, str]:
    """(id, name) of an account's title: `Roth IRA      XXXX-5678` is `XXXX-5678` and `Roth IRA`."""
    match = _ACCOUNT.fullmatch(title)
    name, account = (match["name"], match["id"]) if match else ("", title)
    return account, " ".join(name.split()).rstrip(" -")


def _table(sections: list[_Section], ids: list[tuple[str, str]]) -> Table:
    data: dict[str, list[Cell]] = {role: [] for role in (*_ROLES, "account", "asset_class")}
    lines: list[int] = []
    for section, (account, _) in zip(sections, ids, strict=True):
        if section.header is None:
            continue
        index = dict(section.header.index)
        for position, text in enumerate(section.header.cells):
            if columns.key(text) in {"securitytype", "assettype"}:
                index["security_type"] = position
        for role in _ROLES:
            at = index.get(role, 1 << 30)
            data[role] += [row[at] if at < len(row) else "" for row in section.rows]
        data["account"] += [account] * len(section.rows)
        lines += section.lines
    data["description"] = ["" if as_text(c) in kinds.NOTHING else c for c in data["description"]]
    # A money fund that was bought has to be sold before its money can be used: a position, but cash
    # by class. The sweep is the row `Cash & Cash Investments`.
    data["asset_class"] = [
        "Cash" if as_text(c).casefold() in _MONEY_FUND_TYPES else "" for c in data["security_type"]
    ]
    data["description"] = [
        d or (s if _classify(as_text(s), "", "") else "")
        for s, d in zip(data["symbol"], data["description"], strict=True)
    ]
    data["symbol"] = [
        "CASH" if _classify(as_text(s), "", "") == Kind.CASH.value else s for s in data["symbol"]
    ]
    return Table(columns=data, labels=_ROLES, lines=np.array(lines, dtype=np.int64))
