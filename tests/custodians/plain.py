"""A second, plain reading of exports: slow, naive, and written without the product's readers.

For each position of a file that it understands: (quantity, value), None where a cell is no plain number.
None instead of a list: this reading does not understand the file, and says nothing about it.
"""

from __future__ import annotations

import csv
import io
import re

Row = tuple[float | None, float | None]
_NOTHING = {"", "--", "-", "N/A", "n/a"}
_PLAIN = re.compile(r"[+-]?\$?-?(\d{1,3}(,\d{3})+|\d*)(\.\d*)?([eE][+-]?\d{1,3})?")


class OddError(Exception):
    """The file holds something that this plain reading would have to interpret."""


def number(text: str) -> float | None:
    """A number as the exports write it; None where nothing stands; OddError for anything else."""
    text = text.strip()
    if text in _NOTHING:
        return None
    sign = 1.0
    if text.startswith("(") and text.endswith(")"):
        text, sign = text[1:-1], -1.0
    if not _PLAIN.fullmatch(text) or not re.search(r"\d", text):
        raise OddError(text)
    return sign * float(text.replace("$", "").replace(",", ""))


def decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    text = data.decode("utf-8-sig")  # UnicodeDecodeError: not understood
    if "\0" in text:
        raise OddError("NUL")
    return text


def positions(data: bytes) -> list[Row] | None:
    """The positions of an export, read plainly."""
    try:
        text = decoded(data)
        if text.startswith("OFXHEADER"):
            return _ofx(text)
        if "<FlexQueryResponse" in text[:200]:
            return _flex(text)
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        for reader in (_table, _etrade, _ibkr, _flex_csv, _schwab, _fidelity, _vanguard):
            found = reader(rows)
            if found is not None:
                return found
    except (OddError, UnicodeError, csv.Error, IndexError, KeyError, ValueError):
        return None
    return None


def _cells(row: list[str], *places: int) -> Row:
    quantity, value = (number(row[at]) if at < len(row) else None for at in places)
    return quantity, value


def _table(rows: list[list[str]]) -> list[Row] | None:
    """The holdings table that `import --out` writes."""
    head = rows[0]
    if not {"account", "symbol", "kind", "quantity", "price", "value"} <= set(head):
        return None
    found = []
    for row in rows[1:]:
        if len([c for c in row if c.strip()]) == 0:
            continue
        if len(row) != len(head) or not row[0].strip():
            raise OddError("a row of another shape")
        kind = row[head.index("kind")].strip().lower()
        if kind not in {"position", "cash", "pending"} or row[head.index("fx")] not in {"1", ""}:
            raise OddError("another kind or currency")
        if kind == "position":
            found.append(_cells(row, head.index("quantity"), head.index("value")))
    return found


def _schwab(rows: list[list[str]]) -> list[Row] | None:
    found: list[Row] | None = None
    at: tuple[int, int] | None = None
    for row in rows:
        first = row[0].strip() if row else ""
        filled = [c for c in row if c.strip()]
        if first == "Symbol":
            names = [c.split(" (")[0] for c in row]
            value = "Mkt Val" if "Mkt Val" in names else "Market Value"
            quantity = "Qty" if "Qty" in names else "Quantity"
            if value not in names or quantity not in names or "Description" not in names:
                return None
            at, found = (names.index(quantity), names.index(value)), found or []
        elif at is None or len(filled) < 2 or found is None:
            if at is not None and len(filled) == 1 and not re.search(r"[.X]{2}", first):
                raise OddError("a lone text")
            at = None if filled and len(filled) < 2 else at
        elif "total" in first.lower() or first.lower().startswith("cash"):
            continue
        elif first == "":
            raise OddError("a row without a symbol")
        else:
            found.append(_cells(row, *at))
    return found


def _fidelity(rows: list[list[str]]) -> list[Row] | None:
    head = rows[0]
    if not {"Account Number", "Symbol", "Quantity", "Last Price", "Current Value"} <= set(head):
        return None
    at = head.index("Quantity"), head.index("Current Value")
    found = []
    for row in rows[1:]:
        if len([c for c in row if c.strip()]) < 2:
            continue
        symbol = row[head.index("Symbol")].strip()
        description = row[head.index("Description")].strip()
        if not row[head.index("Account Number")].strip():
            raise OddError("a row without an account")
        # A word for cash is a ticker, too, where a quantity has a price other than 1.
        quantity, price = (number(row[head.index(name)]) for name in ("Quantity", "Last Price"))
        words = {"FCASH", "CORE", "CASH", "USD", "SPAXX", "FDRXX"}
        no_security = not quantity or price in {None, 0.0, 1.0}
        cash = symbol.endswith("*") or (symbol.upper() in words and no_security)
        if "*" in symbol and not symbol.endswith("**"):
            raise OddError(symbol)
        aside = "pending" in (symbol or description).lower() or "BROKERAGE" in symbol
        if not cash and not aside:
            found.append(_cells(row, *at))
    return found


def _vanguard(rows: list[list[str]]) -> list[Row] | None:
    head = rows[0]
    if not {"Account Number", "Symbol", "Shares", "Total Value"} <= set(head):
        return None
    found = []
    for row in rows[1:]:
        if "Trade Date" in row:
            break
        if len([c for c in row if c.strip()]) < 2:
            continue
        if not row[0].strip():
            raise OddError("a row without an account")
        name = row[head.index("Investment Name")].lower()
        symbol = row[head.index("Symbol")].strip()
        # A fund that somebody calls cash is still the fund of its symbol.
        if (
            symbol == "VMFXX"
            or "settlement fund" in name
            or (name.strip() == "cash" and not symbol)
        ):
            continue
        found.append(_cells(row, head.index("Shares"), head.index("Total Value")))
    return found


def _ibkr(rows: list[list[str]]) -> list[Row] | None:
    if not any(row[:2] == ["Statement", "Header"] for row in rows[:5]):
        return None
    found: list[Row] = []
    head: list[str] = []
    for row in rows:
        if row[:2] == ["Open Positions", "Header"]:
            head = row
        elif row[:2] == ["Open Positions", "Data"] and row[2] == "Summary":
            found.append(_cells(row, head.index("Quantity"), head.index("Value")))
    return found


def _flex_csv(rows: list[list[str]]) -> list[Row] | None:
    if "LevelOfDetail" not in rows[0] or "PositionValue" not in rows[0]:
        return None
    head = rows[0]
    tags = []
    for row in rows[1:]:
        if "ClientAccountID" in row:
            if row == head:
                raise OddError("the header twice")
            break
        if not row:
            continue
        if len(row) != len(head):
            raise OddError("a short row")
        if "LevelOfDetail" in row:
            raise OddError("another header")
        tags.append(dict(zip(head, map(str.strip, row), strict=True)))
    return _summaries(
        tags, ("ClientAccountID", "Symbol", "CurrencyPrimary"), ("Quantity", "LevelOfDetail")
    )


def _summaries(
    tags: list[dict[str, str]], key: tuple[str, ...], names: tuple[str, str]
) -> list[Row]:
    """SUMMARY rows, and the sum of the LOT rows of what has none."""
    found: list[Row] = []
    covered: set[tuple[str, ...]] = set()
    lots: dict[tuple[str, ...], list[Row]] = {}
    value = "PositionValue" if names[0] == "Quantity" else "positionValue"
    if len({names[1] in tag for tag in tags}) > 1:
        raise OddError("rows with and without a level")  # nobody can tell lots from positions
    for tag in tags:
        own = tuple(tag[k] for k in key)
        row = number(tag[names[0]]), number(tag[value])
        level = tag.get(names[1], "SUMMARY")
        if level == "SUMMARY":
            covered.add(own)
            found.append(row)
        elif level == "LOT":
            lots.setdefault(own, []).append(row)
        else:
            raise OddError(level)
    for own, rows in lots.items():
        if own not in covered:
            found.append((sum(q or 0.0 for q, _ in rows), sum(v or 0.0 for _, v in rows)))
    return found


def _etrade(rows: list[list[str]]) -> list[Row] | None:
    starts = [i for i, row in enumerate(rows) if row[:2] == ["Symbol", "Last Price $"]]
    if len(starts) != 1:
        return None
    head = rows[starts[0]]
    found = []
    for row in rows[starts[0] + 1 :]:
        if len([c for c in row if c.strip()]) < 2:
            continue
        lot = row[0].startswith(" ") or re.fullmatch(r"\d\d/\d\d/\d{4}|--", row[0].strip())
        if not lot and row[0] not in {"CASH", "TOTAL"}:
            found.append(_cells(row, head.index("Quantity"), head.index("Value $")))
    return found


def _flex(text: str) -> list[Row]:
    tags = [
        dict(re.findall(r'(\w+)="([^"]*)"', tag))
        for tag in re.findall(r"<OpenPosition\s[^>]*>", text)
    ]
    return _summaries(tags, ("accountId", "symbol", "currency"), ("position", "levelOfDetail"))


def _ofx(text: str) -> list[Row]:
    text = text[text.index("<OFX>") :]
    found: list[Row] = []
    tickers: dict[str, str] = {}
    for block in re.findall(r"<SECINFO>(.*?)</SECINFO>", text, re.DOTALL):
        values = dict(re.findall(r"<(UNIQUEID|TICKER)>\s*([^<\s]*)", block))
        tickers[values["UNIQUEID"]] = values.get("TICKER", "")
    for account in re.findall(r"<INVSTMTRS>(.*?)</INVSTMTRS>", text, re.DOTALL):
        cash = re.search(r"<AVAILCASH>\s*([^<\s]*)", account)
        money = number(cash[1]) if cash else None
        for block in re.findall(r"<INVPOS>(.*?)</INVPOS>", account, re.DOTALL):
            values = dict(
                re.findall(r"<(UNIQUEID|UNITS|UNITPRICE|MKTVAL|POSTYPE)>\s*([^<]*)", block)
            )
            values = {name: text.strip() for name, text in values.items()}
            units, value = number(values["UNITS"]), number(values["MKTVAL"])
            if values["POSTYPE"] == "SHORT":
                units = None if units is None else -abs(units)
                value = None if value is None else -abs(value)
            sweep = tickers.get(values["UNIQUEID"]) in {"VMFXX", "SPAXX", "FDRXX", "FZFXX"}
            fund = number(values["UNITPRICE"]) == 1.0 and f"<POSMF><INVPOS>{block}" in account
            if (sweep or fund) and money and value is not None and abs(value - money) <= 0.0101:
                continue  # counted already, as available cash
            found.append((units, value))
    return found
