"""What a row is: cash, pending activity, an option, a total line."""

from __future__ import annotations

import re
from functools import lru_cache

# Core funds into which brokers sweep uninvested money; they are spent like cash.
SWEEP_FUNDS = frozenset({"SPAXX", "FDRXX", "FZFXX", "VMFXX"})
_MONEY_PRICE = re.compile(r"(1([.,]0*)?|--?|N/A)?")
NOTHING = frozenset({"", "-", "--", "—", "N/A", "n/a"})  # how exports leave a cell out
_CASH_NAMES = re.compile(
    r"(cash( balance| position| account)?|\$?cash"
    r"|cash (&|and) (cash investments|cash equivalents?|equivalents?|money market|sweep.*)|cash equivalents?"
    r"|(bank|cash|money market) sweep.*|settled cash|sweep account"
    r"|settlement fund|u\.?s\.? dollars?|cash in .*|bargeld|liquidität)",
    re.IGNORECASE,
)
_CURRENCY_WORDS = {
    "$": "USD", "us$": "USD", "us dollar": "USD", "us dollars": "USD", "u.s. dollar": "USD",
    "dollar": "USD", "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "pound sterling": "GBP",
    "british pound": "GBP", "¥": "JPY", "japanese yen": "JPY", "swiss franc": "CHF",
    "canadian dollar": "CAD", "australian dollar": "AUD", "c$": "CAD", "a$": "AUD",
}  # fmt: skip
_PENDING = re.compile(r"(pending|unsettled) (activity|transactions?|trades?)\.?", re.IGNORECASE)
_TOTAL = re.compile(
    r"((grand|account|positions?|portfolio|overall|sub|market value|holdings)[ -]?)?"
    r"totals?(( (market|account|portfolio|current))? value|"
    r" (portfolio|account|assets|holdings|positions))?:?"
    r"|(gesamt|summe|gesamtsumme):?",
    re.IGNORECASE,
)
_LOOSE_TOTAL = re.compile(r"(sub)?totals?\b.{1,60}|.{1,60}\b(sub)?totals?:?", re.IGNORECASE)
_OPTION = re.compile(
    r"[A-Z.]{1,6}\d? \d{2}/\d{2}/\d{4} \d+(\.\d+)? [CP]"  # Schwab: NET 09/18/2026 305.00 C
    r"|-?[A-Z.]{1,6}\d?\d{6}[CP]\d+(\.\d+)?"  # Fidelity: -AMAT260424C400
    r"|[A-Z.]{1,6}\d?\s+\d{6}[CP]\d{8}"  # OSI: TEST  260620P00010000
    r"|[A-Z.]{1,6} \d{2}[A-Z]{3}\d{2} \d+(\.\d+)? [CP]"  # IBKR: ZZB 16JAN26 30 C
    r"|[A-Z.]{1,6} [A-Z][a-z]{2} \d{1,2} '\d{2} \$\d+(\.\d+)? (Call|Put)"  # E*TRADE
)


@lru_cache(maxsize=65536)
def is_cash_name(text: str) -> bool:
    """True for the names under which brokers list uninvested money."""
    return _CASH_NAMES.fullmatch(text) is not None


@lru_cache(maxsize=65536)
def is_sweep_fund(symbol: str) -> bool:
    """True for a core fund, with or without Fidelity's asterisks."""
    return symbol.rstrip("*").upper() in SWEEP_FUNDS


def currency_code(text: str) -> str | None:
    """The code of a currency's three letters, sign or English name; empty for blank, None for none."""
    if not text or (len(text) == 3 and text.isascii() and text.isalpha()):
        return text.upper()
    return _CURRENCY_WORDS.get(text.casefold())


def is_money_price(text: str) -> bool:
    """True for the price of money: 1, or none. `USD` and `CASH` at another are the listed securities."""
    return _MONEY_PRICE.fullmatch(text.strip("$€£ ")) is not None


@lru_cache(maxsize=65536)
def is_pending_name(text: str) -> bool:
    """True for `Pending activity` in any case."""
    return _PENDING.fullmatch(text) is not None


@lru_cache(maxsize=65536)
def is_option(symbol: str) -> bool:
    """True for an option's symbol as Schwab, Fidelity, IBKR, E*TRADE or the OCC write it."""
    return _OPTION.fullmatch(symbol) is not None


def is_total(label: str, *, loosely: bool = False) -> bool:
    """True for `Account Total`, `Total:`, `Grand total` and the like.

    `loosely` takes `Total Roth IRA` and `Bonds total` too: only for rows without quantity and price,
    as funds have such names.
    """
    return _TOTAL.fullmatch(label) is not None or (
        loosely and _LOOSE_TOTAL.fullmatch(label) is not None
    )
