"""Asset classes as paths: `Stocks/US/Large`; a target on `Stocks` covers every class below it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

CASH = "Cash"
EXCLUDED = "Excluded"

# The words advisers use for the classes that the shipped fund table knows. Only words with one
# meaning stand here: "balanced" or "income" would be a guess.
_SYNONYMS = {
    "stock": "Stocks",
    "stocks": "Stocks",
    "equity": "Stocks",
    "equities": "Stocks",
    "shares": "Stocks",
    "us stocks": "Stocks/US",
    "u.s. stocks": "Stocks/US",
    "us equity": "Stocks/US",
    "us equities": "Stocks/US",
    "domestic stocks": "Stocks/US",
    "domestic equity": "Stocks/US",
    "international stocks": "Stocks/International",
    "intl stocks": "Stocks/International",
    "international equity": "Stocks/International",
    "international equities": "Stocks/International",
    "foreign stocks": "Stocks/International",
    "non-us stocks": "Stocks/International",
    "developed markets stocks": "Stocks/International/Developed",
    "emerging markets": "Stocks/International/Emerging",
    "emerging markets stocks": "Stocks/International/Emerging",
    "bond": "Bonds",
    "bonds": "Bonds",
    "fixed income": "Bonds",
    "us bonds": "Bonds/US",
    "municipal bonds": "Bonds/US/Municipal",
    "munis": "Bonds/US/Municipal",
    "tips": "Bonds/US/Inflation-linked",
    "real estate": "Real Estate",
    "reit": "Real Estate",
    "reits": "Real Estate",
    "gold": "Commodities/Gold",
    "commodity": "Commodities",
    "commodities": "Commodities",
    "alternative": "Alternatives",
    "alternatives": "Alternatives",
    "alts": "Alternatives",
    "cash": CASH,
    "cash & equivalents": CASH,
    "cash and equivalents": CASH,
    "cash and money market": CASH,
    "money market": CASH,
    "excluded": EXCLUDED,
    "exclude": EXCLUDED,
    "unmanaged": EXCLUDED,
}
_ABBREVIATIONS = frozenset({"us", "uk", "eu", "esg"})


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    r"""The path with single blanks, no empty parts and `/` between its parts, in the user's spelling.

    `>` and `\` are accepted as separators. A name typed all in lower case takes the spelling of the
    class it means (`real estate` becomes `Real Estate`), or capitals where it is a class of the user's.
    """
    parts = [re.sub(r"\s+", " ", part).strip() for part in re.split(r"[/\\>]", text)]
    path = "/".join(part for part in parts if part)
    if path and path == path.lower():
        known = _SYNONYMS.get(path)
        if known is not None:
            return known
        return "/".join(_capitals(part) for part in path.split("/"))
    known = _SYNONYMS.get(path.casefold())
    return known if known is not None and known.casefold() == path.casefold() else path


def _capitals(part: str) -> str:
    if part in _ABBREVIATIONS:
        return part.upper()
    return part if re.search(r"\d", part) else part[:1].upper() + part[1:]


@lru_cache(maxsize=65536)
def key(text: str) -> str:
    """What two spellings of one class have in common: `Equities/US` and `us stocks` share a key."""
    path = clean(text)
    whole = _SYNONYMS.get(path.casefold())
    if whole is not None:
        return whole.casefold()
    first, slash, rest = path.partition("/")
    first = _SYNONYMS.get(first.casefold(), first)
    return f"{first}{slash}{rest}".casefold()


def covers(target: str, asset_class: str) -> bool:
    """True when `asset_class` is `target` or lies below it."""
    above, below = key(target), key(asset_class)
    return below == above or below.startswith(above + "/")


def find_target(asset_class: str, targets: Iterable[str]) -> str | None:
    """The target that a class belongs to, or None.

    A target covers its own path and all below. A target of one word also takes the class that has
    this word further down its path (`Gold` takes `Commodities/Gold`), if no other target claims it.
    """
    listed = list(targets)
    covering = [target for target in listed if covers(target, asset_class)]
    if covering:
        return max(covering, key=lambda target: len(key(target)))
    parts = set(key(asset_class).split("/"))
    named = [target for target in listed if "/" not in key(target) and key(target) in parts]
    return named[0] if len(named) == 1 else None


def is_cash(asset_class: str) -> bool:
    """True for `Cash` and all below it."""
    return covers(CASH, asset_class)


def is_excluded(asset_class: str) -> bool:
    """True for holdings that the user keeps out of the weights."""
    return covers(EXCLUDED, asset_class)
