"""What an account must not do: never buy, never sell, never hold, or hold something else instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import tables

EVERYONE = frozenset({"*", "all", "everyone", "book"})


class Rule(StrEnum):
    """The kinds of restriction.

    never_buy   held units may stay or be sold.       never_sell  held units stay.
    never_hold  held units are sold, none is bought.  substitute  never_hold, and the replacement is bought.
    """

    NEVER_BUY = "never_buy"
    NEVER_SELL = "never_sell"
    NEVER_HOLD = "never_hold"
    SUBSTITUTE = "substitute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One rule for one symbol, or for every security that carries a tag.

    scope  an account, a household, or `*` for all.
    """

    scope: str
    rule: Rule
    symbol: str = ""
    tag: str = ""
    replacement: str = ""

    def applies(self, *, account: str, household: str, symbol: str, tags: frozenset[str]) -> bool:
        """True when the rule binds this security in this account."""
        scope = self.scope.casefold()
        if scope not in EVERYONE and scope not in {
            account.casefold(),
            household.casefold() or None,
        }:
            return False
        if self.symbol:
            return self.symbol.casefold() == symbol.casefold()
        return self.tag in tags

    def in_words(self) -> str:
        """`never_buy VNQ for all accounts`."""
        what = self.symbol or f"tag {self.tag}"
        who = "all accounts" if self.scope.casefold() in EVERYONE else self.scope
        extra = f" (buy {self.replacement} instead)" if self.replacement else ""
        return f"{self.rule.value} {what} for {who}{extra}"


def restrictions_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Restriction, ...]:
    """Restrictions from the rows of the `restrictions` table; every bad row is reported."""
    faults = FaultList()
    result: list[Restriction] = []
    for row in rows:
        word = str(row.get("rule", "")).casefold().replace(" ", "_").replace("-", "_")
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
        result.append(
            Restriction(
                scope=str(row.get("scope", "")),
                rule=Rule(word),
                symbol=symbol,
                tag=tag,
                replacement=replacement,
            )
        )
    faults.raise_as(TableError)
    return tuple(result)
