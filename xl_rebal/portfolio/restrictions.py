"""What an account must not do: never buy, never sell, never hold, or hold something else instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import ACCOUNT_TYPES, Account

EVERYONE = frozenset({"*", "all", "everyone", "book"})


class Rule(StrEnum):
    """The kinds of restriction.

    never_buy   held units may stay or be sold.       never_sell  held units stay.
    never_hold  held units are sold, none is bought.  substitute  never_hold, and the replacement is bought.

    `sell_if_held` is another word for never_hold: what is sold today would be bought again tomorrow
    by a rule that only sells.
    """

    NEVER_BUY = "never_buy"
    NEVER_SELL = "never_sell"
    NEVER_HOLD = "never_hold"
    SUBSTITUTE = "substitute"


_OTHER_WORDS = {
    "sell_if_held": Rule.NEVER_HOLD,
    "do_not_hold": Rule.NEVER_HOLD,
    "do_not_buy": Rule.NEVER_BUY,
    "no_buy": Rule.NEVER_BUY,
    "do_not_sell": Rule.NEVER_SELL,
    "no_sell": Rule.NEVER_SELL,
    "replace": Rule.SUBSTITUTE,
}


def scopes_of(account: Account) -> frozenset[str]:
    """The scopes, in lower case, that bind an account: all, its own name, its household, its model."""
    own = (account.account, account.household, account.model)
    return EVERYONE | {name.casefold() for name in own if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One rule for one symbol, or for every security that carries a tag.

    scope          an account, a household, a model, or `*` for all.
    account_types  the types of account that it binds; empty for all. An account without a type is taxable.
    """

    scope: str
    rule: Rule
    symbol: str = ""
    tag: str = ""
    replacement: str = ""
    account_types: frozenset[str] = frozenset()

    def binds(self, account: Account) -> bool:
        """True when the rule is for this account."""
        if self.scope.casefold() not in scopes_of(account):
            return False
        return not self.account_types or _type_of(account) in self.account_types

    def applies(self, account: Account, *, symbol: str, tags: frozenset[str]) -> bool:
        """True when the rule binds this security in this account."""
        return self.binds(account) and self.covers(symbol, tags)

    def covers(self, symbol: str, tags: frozenset[str]) -> bool:
        """True when the rule is about this security."""
        if self.symbol:
            return self.symbol.casefold() == symbol.casefold()
        return self.tag in tags

    def in_words(self) -> str:
        """`never_buy VNQ for all accounts`."""
        what = self.symbol or f"tag {self.tag}"
        kinds = ", ".join(kind for kind in ACCOUNT_TYPES if kind in self.account_types)
        who = f"all {kinds} accounts" if kinds else "all accounts"
        if self.scope.casefold() not in EVERYONE:
            who = f"{self.scope} in {kinds} accounts" if kinds else self.scope
        extra = f" (buy {self.replacement} instead)" if self.replacement else ""
        return f"{self.rule.value} {what} for {who}{extra}"


def _type_of(account: Account) -> str:
    return (account.type or ACCOUNT_TYPES[0]).casefold()


def restrictions_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Restriction, ...]:
    """Restrictions from the rows of the `restrictions` table; every bad row is reported."""
    faults = FaultList()
    result: list[Restriction] = []
    for row in rows:
        word = re.sub(r"[\s-]+", "_", str(row.get("rule", "")).strip().casefold())
        word = _OTHER_WORDS.get(word, word)
        types = row.get("account_types", frozenset())
        symbol, tag = row.get("symbol", ""), str(row.get("tag", "")).casefold()
        replacement = row.get("replacement", "")
        if word not in {rule.value for rule in Rule}:
            faults.extend(
                [
                    tables.fault_at(
                        "restrictions",
                        row,
                        "rule",
                        f"{row.get('rule')!r} is not known",
                        f"use one of {', '.join(r.value for r in Rule)}",
                    )
                ]
            )
            continue
        if bool(symbol) == bool(tag):
            faults.extend(
                [
                    tables.fault_at(
                        "restrictions",
                        row,
                        "symbol",
                        "needs a symbol or a tag, and not both",
                        "fill in one",
                    )
                ]
            )
        if (word == Rule.SUBSTITUTE.value) != bool(replacement):
            faults.extend(
                [
                    tables.fault_at(
                        "restrictions",
                        row,
                        "replacement",
                        "a substitute names its replacement, and no other rule has one",
                        "fill it in for rule substitute only",
                    )
                ]
            )
        if strange := sorted(types - set(ACCOUNT_TYPES)):
            what = f"{', '.join(map(repr, strange))} is no type of account"
            remedy = f"use {', '.join(ACCOUNT_TYPES)}, several with a semicolon between them"
            faults.extend([tables.fault_at("restrictions", row, "account_types", what, remedy)])
        result.append(
            Restriction(
                scope=str(row.get("scope", "")),
                rule=Rule(word),
                symbol=symbol,
                tag=tag,
                replacement=replacement,
                account_types=types,
            )
        )
    faults.raise_as(TableError)
    return tuple(result)
